//! Emergency announcements apart from the store: their recordings, and a side file of those in force.
//!
//! Both lie in a folder of their own beside the store's, so that an announcement is heard though the store's folder
//! cannot be read. What cannot be written there is said in the log and changes nothing else: in good times the ledger is
//! the master.

use crate::config::{recorded, spoken};
use gudok_core::ids::Agency;
use gudok_core::routing::Overlay;
use gudok_core::time::Timestamp;
use gudok_speech::{LangTag, MediaLibrary, MediaLimits, MediaSource, Recording, SAMPLE_RATE_HZ};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Of one announcement.
const SOUND_MS_MAX: u32 = 120_000;
const SOUND_BYTES_MAX: u64 = 32 << 20;
const SIDE_FILE: &str = "overlays.json";
const SOUNDS_DIR: &str = "sounds";

fn limits() -> MediaLimits {
    MediaLimits { recording_ms_max: SOUND_MS_MAX, file_bytes_max: SOUND_BYTES_MAX, ..MediaLimits::default() }
}

/// An announcement as the side file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SideOverlay {
    pub(crate) name: String,
    /// Empty where there is a recording.
    #[serde(default)]
    pub(crate) text: String,
    /// The sound's name: its hash.
    #[serde(default)]
    pub(crate) recording: Option<String>,
    pub(crate) lang: String,
    #[serde(default)]
    pub(crate) agencies: Vec<String>,
    #[serde(default)]
    pub(crate) areas: Vec<String>,
    #[serde(default)]
    pub(crate) numbers: Vec<String>,
    #[serde(default)]
    pub(crate) expires_ms: Option<u64>,
}

impl SideOverlay {
    /// For callers.
    pub(crate) fn overlay(&self) -> Overlay {
        let lang: Arc<str> = Arc::from(self.lang.as_str());
        let shared = |all: &[String]| all.iter().map(|text| Arc::from(text.as_str())).collect();
        Overlay {
            name: Arc::from(self.name.as_str()),
            prompt: match &self.recording {
                Some(hash) => recorded(&ledger_sound(hash), lang),
                None => spoken(&self.text, Some(lang)),
            },
            agencies: self.agencies.iter().map(|agency| Agency::new(agency)).collect(),
            areas: shared(&self.areas),
            numbers: shared(&self.numbers),
            expires: self.expires_ms.map(Timestamp::from_millis),
        }
    }
}

/// The folder beside the store's, and the sounds in memory.
pub(crate) struct Overlays {
    dir: PathBuf,
    sounds: RwLock<BTreeMap<String, Recording>>,
    heard: RwLock<BTreeMap<Arc<str>, u64>>,
}

impl Overlays {
    /// Nothing is loaded yet.
    pub(crate) fn new(dir: PathBuf) -> Arc<Self> {
        Arc::new(Self { dir, sounds: RwLock::default(), heard: RwLock::default() })
    }

    /// A caller has heard an announcement to its end.
    pub(crate) fn heard(&self, name: &Arc<str>) {
        *self.heard.write().entry(Arc::clone(name)).or_default() += 1;
    }

    /// How many callers have heard each, by name, since the start.
    pub(crate) fn heard_counts(&self) -> BTreeMap<String, u64> {
        self.heard.read().iter().map(|(name, count)| (name.to_string(), *count)).collect()
    }

    /// What was in force when it was written last; nothing where it never was.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub(crate) fn read(&self) -> std::io::Result<Vec<SideOverlay>> {
        match std::fs::read(self.dir.join(SIDE_FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(std::io::Error::from),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes down what is in force: whole, or as it was.
    ///
    /// # Errors
    /// Of the disk.
    pub(crate) fn write(&self, overlays: &[SideOverlay]) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(overlays)?;
        if std::fs::read(self.dir.join(SIDE_FILE)).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        self.put(SIDE_FILE, &bytes)
    }

    /// Whether a sound of the ledger is in memory.
    pub(crate) fn has(&self, hash: &str) -> bool {
        self.sounds.read().contains_key(&ledger_sound(hash))
    }

    /// Takes a sound of the ledger: into memory, and beside the store.
    ///
    /// # Errors
    /// Where it is no sound. That it could not be written is in the log.
    pub(crate) fn take(&self, hash: &str, wav: &[u8]) -> Result<(), String> {
        let recording = decode(wav.to_vec())?;
        self.sounds.write().insert(ledger_sound(hash), recording);
        let file = format!("{SOUNDS_DIR}/{hash}.wav");
        if !self.dir.join(&file).exists()
            && let Err(error) = self.put(&file, wav)
        {
            tracing::warn!(%error, folder = %self.dir.display(), "an announcement's recording is not kept beside the store");
        }
        Ok(())
    }

    /// Loads a sound of the ledger from beside the store.
    ///
    /// # Errors
    /// Where it is not there, or is no sound.
    pub(crate) fn load(&self, hash: &str) -> Result<(), String> {
        let path = self.dir.join(SOUNDS_DIR).join(format!("{hash}.wav"));
        let recording = decode(read_sound(&path)?)?;
        self.sounds.write().insert(ledger_sound(hash), recording);
        Ok(())
    }

    /// Loads a recording that the configuration names.
    ///
    /// # Errors
    /// Where it is not there, or is no sound.
    pub(crate) fn load_file(&self, path: &Path) -> Result<(), String> {
        let recording = decode(read_sound(path)?)?;
        self.sounds.write().insert(file_sound(path), recording);
        Ok(())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        std::fs::create_dir_all(folder)?;
        let aside = path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&aside, &path)?;
        File::open(folder)?.sync_all()
    }
}

impl MediaSource for Overlays {
    fn recording(&self, name: &str, _lang: &LangTag) -> Option<Recording> {
        self.sounds.read().get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.sounds.read().keys().cloned().collect()
    }
}

/// A sound of the ledger, by its hash, as prompts name it.
fn ledger_sound(hash: &str) -> String {
    format!("overlay/{hash}")
}

/// A sound of the configuration, as prompts name it.
pub(crate) fn file_sound(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    let hash = crate::hex::hex(&Sha256::digest(path.as_os_str().as_encoded_bytes()));
    format!("overlay/file-{hash}")
}

/// Whether a file is a sound that callers can be played.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_sound(path: &Path) -> Result<(), String> {
    decode(read_sound(path)?).map(drop)
}

/// A sound as it is kept, WAV of 8 kHz, mono, 16 bit, and its length in milliseconds.
///
/// # Errors
/// Where it is no sound that callers can be played.
pub(crate) fn normal_sound(audio: Vec<u8>) -> Result<(Vec<u8>, u64), String> {
    const HEADER_BYTES: u32 = 36;
    const SAMPLE_BYTES: u32 = 2;
    let recording = decode(audio)?;
    let samples = recording.clip.samples();
    let bytes = u32::try_from(samples.len()).map_err(|_| "the recording is too long".to_owned())? * SAMPLE_BYTES;
    let mut wav = Vec::with_capacity(samples.len() * 2 + 44);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(HEADER_BYTES + bytes).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&SAMPLE_RATE_HZ.to_le_bytes());
    wav.extend_from_slice(&(SAMPLE_RATE_HZ * SAMPLE_BYTES).to_le_bytes());
    wav.extend_from_slice(&2_u16.to_le_bytes());
    wav.extend_from_slice(&16_u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    let duration_ms = samples.len() as u64 * 1_000 / u64::from(SAMPLE_RATE_HZ);
    Ok((wav, duration_ms))
}

fn read_sound(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > SOUND_BYTES_MAX {
        return Err(format!("{} is larger than {SOUND_BYTES_MAX} bytes", path.display()));
    }
    std::fs::read(path).map_err(unreadable)
}

fn decode(wav: Vec<u8>) -> Result<Recording, String> {
    const NAME: &str = "overlay";
    let mut library = MediaLibrary::default();
    library.add(&format!("{NAME}.wav"), wav, &limits()).map_err(|error| error.to_string())?;
    let any: LangTag = "ru".parse().map_err(|_| "no language".to_owned())?;
    library.recording(NAME, &any).ok_or_else(|| "the recording is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flood() -> SideOverlay {
        SideOverlay {
            name: "flood".into(),
            text: "Вода!".into(),
            recording: None,
            lang: "ru-RU".into(),
            agencies: Vec::new(),
            areas: vec!["42".into()],
            numbers: Vec::new(),
            expires_ms: Some(1),
        }
    }

    #[test]
    fn what_is_in_force_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let overlays = Overlays::new(dir.path().join("store-emergency"));
        assert_eq!(overlays.read().unwrap(), []);
        overlays.write(&[flood()]).unwrap();
        assert_eq!(overlays.read().unwrap(), [flood()]);
        overlays.write(&[]).unwrap();
        assert_eq!(overlays.read().unwrap(), []);
        std::fs::write(dir.path().join("store-emergency").join(SIDE_FILE), "half").unwrap();
        assert!(overlays.read().is_err());
    }

    /// A tenth of a second at 16 kHz.
    fn tone() -> Vec<u8> {
        let samples = 1_600_u32;
        let mut wav = Vec::new();
        wav.extend_from_slice(b"RIFF");
        wav.extend_from_slice(&(36 + samples * 2).to_le_bytes());
        wav.extend_from_slice(b"WAVEfmt ");
        wav.extend_from_slice(&16_u32.to_le_bytes());
        wav.extend_from_slice(&[1, 0, 1, 0]);
        wav.extend_from_slice(&16_000_u32.to_le_bytes());
        wav.extend_from_slice(&32_000_u32.to_le_bytes());
        wav.extend_from_slice(&[2, 0, 16, 0]);
        wav.extend_from_slice(b"data");
        wav.extend_from_slice(&(samples * 2).to_le_bytes());
        wav.extend((0..samples).flat_map(|at| i16::try_from(at % 100).unwrap_or(0).to_le_bytes()));
        wav
    }

    #[test]
    fn a_recording_is_kept_beside_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let overlays = Overlays::new(dir.path().join("store-emergency"));
        assert!(overlays.take("bad", b"no sound").is_err());
        let (wav, duration_ms) = normal_sound(tone()).unwrap();
        assert_eq!(duration_ms, 100);
        overlays.take("ab12", &wav).unwrap();
        let again = Overlays::new(dir.path().join("store-emergency"));
        assert!(!again.has("ab12"));
        again.load("ab12").unwrap();
        assert!(again.has("ab12"));
        let lang: LangTag = "ru".parse().unwrap();
        assert!(again.recording("overlay/ab12", &lang).is_some());
    }
}
