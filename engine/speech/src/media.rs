//! Recordings: where they come from and how a folder of files becomes a library.
//!
//! A file `welcome.wav` is the recording `welcome`; `ru/welcome.wav` is the same for Russian only and preferred there;
//! `welcome.txt` beside it is its transcript. A first folder is a language when it has two letters (`ru`) or a
//! region (`ru-RU`, `cjs-RU`). Formats: WAV, MP3, Ogg Vorbis, FLAC.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use crate::audio::{Clip, DecodeError, decode};
use crate::error::{SpeechError, shortened};
use crate::lang::LangTag;

/// A recording and, if known, what it says.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The sound.
    pub clip: Clip,
    /// The words, for transcripts.
    pub transcript: Option<Arc<str>>,
}

/// Recordings by name: a bundle's own. Answers from memory: it is asked while a caller waits.
pub trait MediaSource: Send + Sync {
    /// The recording of that name in that language, or one for all languages.
    fn recording(&self, name: &str, lang: &LangTag) -> Option<Recording>;
    /// All names, for messages that say what was meant.
    fn names(&self) -> Vec<String>;
}

/// A source without recordings.
#[derive(Debug, Clone, Copy)]
pub struct NoMedia;

impl MediaSource for NoMedia {
    fn recording(&self, _name: &str, _lang: &LangTag) -> Option<Recording> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a bundle's recordings may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaLimits {
    /// Length of one recording.
    pub recording_ms_max: u32,
    /// Size of one file.
    pub file_bytes_max: u64,
    /// Recordings in one library.
    pub recordings_max: usize,
    /// All decoded samples of one library, in bytes.
    pub decoded_bytes_max: u64,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            recording_ms_max: 10 * 60_000,
            file_bytes_max: 64 << 20,
            recordings_max: 5_000,
            decoded_bytes_max: 512 << 20,
        }
    }
}

/// Decoded recordings in memory. Built once at deploy; decoding blocks, so build it off the async threads.
#[derive(Debug, Default)]
pub struct MediaLibrary {
    /// By name, then by language; no language is for all.
    recordings: HashMap<String, BTreeMap<Option<LangTag>, Recording>>,
    count: usize,
    decoded_bytes: u64,
}

impl MediaLibrary {
    /// Reads every sound file of a folder and its folders.
    ///
    /// # Errors
    /// [`SpeechError::MediaFile`], naming the file and the remedy.
    pub fn load_folder(folder: &Path, limits: &MediaLimits) -> Result<Self, SpeechError> {
        let mut paths = Vec::new();
        list(folder, folder, 0, limits, &mut paths)?;
        paths.sort();
        Self::load_files(folder, &paths, limits)
    }

    /// Reads the files that a manifest lists, by their paths below `folder`. A file that is not there is an error now,
    /// not in a call.
    ///
    /// # Errors
    /// [`SpeechError::MediaFile`], naming the file and the remedy.
    pub fn load_files(folder: &Path, files: &[impl AsRef<str>], limits: &MediaLimits) -> Result<Self, SpeechError> {
        let mut library = Self::default();
        for file in files {
            let file = file.as_ref();
            let path = folder.join(check_path(file)?);
            let size = std::fs::metadata(&path).map_err(|error| unreadable(file, &error))?.len();
            if size > limits.file_bytes_max {
                return Err(too_big(file, limits));
            }
            let bytes = std::fs::read(&path).map_err(|error| unreadable(file, &error))?;
            library.add(file, bytes, limits)?;
        }
        Ok(library)
    }

    /// Adds one file from memory, as a bundle holds it: a sound, or a transcript after its sound or before.
    ///
    /// # Errors
    /// [`SpeechError::MediaFile`], naming the file and the remedy.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>, limits: &MediaLimits) -> Result<(), SpeechError> {
        let (lang, name, extension) = name_of(check_path(path)?)?;
        if bytes.len() as u64 > limits.file_bytes_max {
            return Err(too_big(path, limits));
        }
        if extension == "txt" {
            let text =
                String::from_utf8(bytes).map_err(|_| fault(path, "not UTF-8", "save the transcript as UTF-8"))?;
            let transcript: Arc<str> = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
            self.slot(name, lang).transcript = Some(transcript);
            return Ok(());
        }
        let samples = decode(bytes, limits.recording_ms_max).map_err(|error| undecodable(path, error))?;
        self.count += 1;
        self.decoded_bytes += samples.len() as u64 * 2;
        if self.count > limits.recordings_max {
            let problem = format!("the bundle has more than {} recordings", limits.recordings_max);
            return Err(fault(path, problem, "remove recordings that no prompt uses"));
        }
        if self.decoded_bytes > limits.decoded_bytes_max {
            let problem = format!("all recordings together pass {} bytes when decoded", limits.decoded_bytes_max);
            return Err(fault(path, problem, "shorten the recordings or raise `decoded_bytes_max`"));
        }
        let slot = self.slot(name, lang);
        if !slot.clip.samples().is_empty() {
            return Err(fault(path, "another file has the same name", "keep one of the formats"));
        }
        slot.clip = Clip::new(samples);
        Ok(())
    }

    /// Recordings in the library.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn slot(&mut self, name: String, lang: Option<LangTag>) -> &mut Recording {
        let empty = || Recording { clip: Clip::new(Vec::new()), transcript: None };
        self.recordings.entry(name).or_default().entry(lang).or_insert_with(empty)
    }
}

impl MediaSource for MediaLibrary {
    fn recording(&self, name: &str, lang: &LangTag) -> Option<Recording> {
        let by_language = self.recordings.get(name)?;
        let same_primary =
            || by_language.iter().find(|(tag, _)| tag.as_ref().is_some_and(|tag| tag.primary() == lang.primary()));
        let found = by_language
            .get(&Some(lang.clone()))
            .or_else(|| same_primary().map(|(_, recording)| recording))
            .or_else(|| by_language.get(&None));
        found.filter(|recording| !recording.clip.samples().is_empty()).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.recordings.keys().cloned().collect()
    }
}

/// A recording's name in a prompt: a path without a way out of its folder. The error is a sentence for the author.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    const BYTES_MAX: usize = 200;
    let part_is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if name.len() <= BYTES_MAX && name.split('/').all(part_is_plain) {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a recording's name: letters, digits, - _ . and / between folders, such as menu/welcome",
        shortened(name)
    ))
}

const FOLDER_DEPTH_MAX: usize = 8;
const SOUND_EXTENSIONS: [&str; 5] = ["wav", "mp3", "ogg", "oga", "flac"];

fn list(
    root: &Path,
    folder: &Path,
    depth: usize,
    limits: &MediaLimits,
    paths: &mut Vec<String>,
) -> Result<(), SpeechError> {
    let shown = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    if depth > FOLDER_DEPTH_MAX {
        return Err(fault(&shown, "folders too deep", "keep recordings at most eight folders deep"));
    }
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&shown, &error))? {
        let entry = entry.map_err(|error| unreadable(&shown, &error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&shown, &error))?;
        if kind.is_dir() {
            list(root, &path, depth + 1, limits, paths)?;
            continue;
        }
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        if !kind.is_file() || !(extension == "txt" || SOUND_EXTENSIONS.contains(&extension.as_str())) {
            continue; // A licence or a read-me may lie beside recordings.
        }
        let below = path.strip_prefix(root).unwrap_or(&path);
        let name = below
            .to_str()
            .ok_or_else(|| fault(&below.display().to_string(), "the file's name is not UTF-8", "rename it"))?;
        paths.push(name.to_owned());
        if paths.len() > limits.recordings_max.saturating_mul(2) {
            return Err(fault(name, "too many files", "remove recordings that no prompt uses"));
        }
    }
    Ok(())
}

fn check_path(path: &str) -> Result<&str, SpeechError> {
    check_name(path).map_err(|problem| fault(path, problem, "rename the file"))?;
    Ok(path)
}

/// Language, name and extension of "ru/menu/welcome.wav".
fn name_of(path: &str) -> Result<(Option<LangTag>, String, String), SpeechError> {
    let (stem, extension) =
        path.rsplit_once('.').filter(|(_, extension)| !extension.contains('/')).unwrap_or((path, ""));
    let extension = extension.to_ascii_lowercase();
    if extension != "txt" && !SOUND_EXTENSIONS.contains(&extension.as_str()) {
        return Err(fault(path, "the file's kind is not known", "save it as WAV, MP3, Ogg Vorbis or FLAC"));
    }
    let folder = stem.split_once('/').filter(|(folder, _)| folder.len() == 2 || folder.contains('-'));
    Ok(match folder.and_then(|(folder, rest)| Some((folder.parse::<LangTag>().ok()?, rest))) {
        Some((lang, rest)) => (Some(lang), rest.to_owned(), extension),
        None => (None, stem.to_owned(), extension),
    })
}

fn fault(file: &str, problem: impl Into<String>, remedy: &'static str) -> SpeechError {
    SpeechError::MediaFile { file: file.to_owned(), problem: problem.into(), remedy }
}

fn unreadable(file: &str, error: &std::io::Error) -> SpeechError {
    let remedy = match error.kind() {
        std::io::ErrorKind::NotFound => "add the file, or take it out of the manifest",
        _ => "make it readable for the engine",
    };
    fault(file, error.to_string(), remedy)
}

fn too_big(file: &str, limits: &MediaLimits) -> SpeechError {
    fault(file, format!("larger than {} bytes", limits.file_bytes_max), "save it as mono, 16 kHz, 16 bit")
}

fn undecodable(file: &str, error: DecodeError) -> SpeechError {
    match error {
        DecodeError::TooLong { limit_ms } => {
            fault(file, format!("longer than {limit_ms} ms"), "cut it into several recordings")
        }
        DecodeError::Empty => fault(file, "there is no sound in it", "record it again"),
        DecodeError::Format(problem) => fault(file, problem, "save it as WAV (PCM), MP3, Ogg Vorbis or FLAC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Audio, Piece};

    fn sound(level: i16) -> Vec<u8> {
        Audio::new(vec![Piece::Pcm(Clip::new(vec![level; 1600]))]).to_wav().unwrap()
    }

    fn level(library: &MediaLibrary, name: &str, lang: &str) -> Option<i16> {
        library.recording(name, &lang.parse().unwrap()).map(|recording| recording.clip.samples()[0])
    }

    #[test]
    fn the_nearest_language_is_taken() {
        let limits = MediaLimits::default();
        let mut library = MediaLibrary::default();
        for (path, value) in
            [("menu/hello.wav", 1), ("ru/menu/hello.wav", 2), ("en-GB/menu/hello.wav", 3), ("en/bye.wav", 4)]
        {
            library.add(path, sound(value), &limits).unwrap();
        }
        library.add("ru/menu/hello.txt", " Добрый\n день. ".as_bytes().to_vec(), &limits).unwrap();
        library.add("orphan.txt", b"no sound".to_vec(), &limits).unwrap();
        assert_eq!(level(&library, "menu/hello", "ru-RU"), Some(2));
        assert_eq!(level(&library, "menu/hello", "en-GB"), Some(3));
        assert_eq!(level(&library, "menu/hello", "en-US"), Some(3));
        assert_eq!(level(&library, "menu/hello", "tt"), Some(1));
        assert_eq!(level(&library, "bye", "ru"), None);
        assert_eq!(level(&library, "orphan", "ru"), None);
        let transcript = library.recording("menu/hello", &LangTag::russian()).unwrap().transcript;
        assert_eq!(transcript.as_deref(), Some("Добрый день."));
        assert_eq!(library.len(), 4);
    }

    #[test]
    fn a_bad_file_is_named_with_its_remedy() {
        let small =
            MediaLimits { recording_ms_max: 99, file_bytes_max: 10_000, recordings_max: 2, decoded_bytes_max: 5_000 };
        let refused = |path: &str, bytes: Vec<u8>, limits: &MediaLimits, because: &str| {
            let message = MediaLibrary::default().add(path, bytes, limits).unwrap_err().to_string();
            assert!(message.contains(path) && message.contains(because), "{message}");
        };
        refused("a.wav", sound(1), &small, "cut it into several");
        refused("a.wav", vec![0; 10_001], &small, "larger than 10000 bytes");
        refused("a.wav", b"RIFFrubbish".to_vec(), &small, "save it as WAV");
        refused("a.mp3", b"rubbish".repeat(50), &small, "neither WAV");
        refused("a.xyz", sound(1), &small, "save it as WAV");
        refused("../a.wav", sound(1), &small, "not a recording's name");
        refused("/a.wav", sound(1), &small, "not a recording's name");
        refused("a.txt", vec![0xff, 0xfe], &small, "UTF-8");

        let limits = MediaLimits { recordings_max: 2, decoded_bytes_max: 6_500, ..MediaLimits::default() };
        let mut library = MediaLibrary::default();
        library.add("a.wav", sound(1), &limits).unwrap();
        assert!(library.add("a.WAV", sound(1), &limits).unwrap_err().to_string().contains("same name"));
        assert!(library.add("c.wav", sound(1), &limits).unwrap_err().to_string().contains("more than 2 recordings"));
    }

    #[test]
    fn folders_are_read_and_missing_files_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("ru/numbers")).unwrap();
        std::fs::write(folder.path().join("ru/numbers/21.wav"), sound(7)).unwrap();
        std::fs::write(folder.path().join("README.md"), "about").unwrap();
        let library = MediaLibrary::load_folder(folder.path(), &MediaLimits::default()).unwrap();
        assert_eq!(level(&library, "numbers/21", "ru-RU"), Some(7));
        let missing =
            MediaLibrary::load_files(folder.path(), &["ru/numbers/21.wav", "welcome.wav"], &MediaLimits::default());
        let message = missing.unwrap_err().to_string();
        assert!(message.contains("welcome.wav") && message.contains("take it out of the manifest"), "{message}");
    }
}
