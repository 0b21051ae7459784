//! The bundle: one file that holds one version of a script.
//!
//! `NAME-VERSION.ivr` is a ZIP file that `unzip` opens:
//!
//! ```text
//! manifest.toml             who it is, what it asks for (crate::manifest)
//! script.wasm               the component
//! media/LANG/NAME.wav       recordings (also mp3, ogg, flac); each name in every language of the manifest
//! data/…                    whatever the script reads with host.data, at most 1 MiB a file
//! SHA256SUMS                `sha256sum -c SHA256SUMS` checks it; names every other file but `signature`
//! signature                 who stands behind it; covers SHA256SUMS (crate::signature)
//! ```
//!
//! The bundle's content hash is the SHA-256 of SHA256SUMS: it does not depend on how the ZIP was packed.
//! docs/BUNDLE.md is the same for authors.
//!
//! [`Bundle::open`] takes any file from anybody: see [`BundleRefusal`] for what it turns away. [`pack()`] writes the same
//! bytes for the same content. [`componentize()`] makes the component out of what a compiler gives.

mod componentize;
mod pack;
mod refusal;
mod zip_directory;

#[cfg(test)]
mod tests;

pub use componentize::{componentize, module_imports};
pub use pack::{PackPart, Packed, pack, pack_dir, with_signature, with_version};
pub use refusal::BundleRefusal;

use crate::error::Error;
use crate::manifest::Manifest;
use crate::text::shown;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

/// The manifest's place in a bundle.
pub const MANIFEST: &str = "manifest.toml";
/// The component's place.
pub const COMPONENT: &str = "script.wasm";
/// The sums' place.
pub const SUMS: &str = "SHA256SUMS";
/// The signature's place.
pub const SIGNATURE: &str = "signature";
/// What a recording may end with.
pub const MEDIA_ENDINGS: [&str; 4] = ["wav", "mp3", "ogg", "flac"];

/// How large a bundle may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BundleLimits {
    /// Of the whole file.
    pub file_bytes_max: u64,
    /// Of all files in it, unpacked.
    pub unpacked_bytes_max: u64,
    /// Of one recording.
    pub entry_bytes_max: u64,
    /// Of script.wasm.
    pub component_bytes_max: u64,
    /// Of manifest.toml and signature.
    pub manifest_bytes_max: u64,
    /// Of one file under data/.
    pub data_bytes_max: u64,
    /// How many files.
    pub entries_max: usize,
    /// Of a name.
    pub name_bytes_max: usize,
    /// Unpacked size by packed size.
    pub ratio_max: u64,
    /// Files of no more than this are not looked at for `ratio_max`.
    pub ratio_free_bytes: u64,
}

impl Default for BundleLimits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            file_bytes_max: 256 * MIB,
            unpacked_bytes_max: 512 * MIB,
            entry_bytes_max: 64 * MIB,
            component_bytes_max: 32 * MIB,
            manifest_bytes_max: MIB / 16,
            data_bytes_max: MIB,
            entries_max: 4096,
            name_bytes_max: 200,
            ratio_max: 200,
            ratio_free_bytes: MIB,
        }
    }
}

impl BundleLimits {
    /// The size limit of a file by its name, and that limit's name.
    fn of_entry(&self, name: &str) -> (u64, &'static str) {
        match name {
            MANIFEST | SIGNATURE => (self.manifest_bytes_max, "manifest_bytes_max"),
            SUMS => (self.data_bytes_max, "data_bytes_max"),
            COMPONENT => (self.component_bytes_max, "component_bytes_max"),
            _ if name.starts_with("data/") => (self.data_bytes_max, "data_bytes_max"),
            _ => (self.entry_bytes_max, "entry_bytes_max"),
        }
    }
}

/// A recording by language and name, without ending.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MediaName {
    /// The language tag.
    pub lang: String,
    /// As a script says it: "welcome".
    pub name: String,
}

/// A recording.
#[derive(Clone, Debug)]
pub struct Media {
    /// "wav", "mp3", "ogg" or "flac".
    pub ending: String,
    /// The file.
    pub bytes: Arc<[u8]>,
}

/// A bundle that was read and found whole.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Who it is.
    pub manifest: Manifest,
    /// The component.
    pub component: Arc<[u8]>,
    /// The recordings.
    pub media: BTreeMap<MediaName, Media>,
    /// The data files by name, without `data/`.
    pub data: BTreeMap<String, Arc<[u8]>>,
    /// The signature file, unverified.
    pub signature: Option<Arc<[u8]>>,
    /// SHA256SUMS, as the signature covers it.
    pub sums: Arc<[u8]>,
    /// SHA-256 of SHA256SUMS.
    pub content_sha256: [u8; 32],
}

impl Bundle {
    /// Reads a bundle file.
    ///
    /// # Errors
    /// [`Error::Bundle`] with the reason.
    pub fn open(path: &Path, limits: &BundleLimits) -> Result<Self, Error> {
        let refused = |refusal| Error::Bundle { path: path.to_owned(), refusal };
        let bytes = read_file(path, limits).map_err(refused)?;
        let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Self::from_bytes(file_name, &bytes, limits).map_err(refused)
    }

    /// Reads a bundle from memory; `file_name` is what it was called.
    ///
    /// # Errors
    /// The reason.
    pub fn from_bytes(file_name: &str, bytes: &[u8], limits: &BundleLimits) -> Result<Self, BundleRefusal> {
        let bundle = Archive::read(bytes, limits)?.described()?;
        let expected = bundle.manifest.file_name();
        if file_name != expected {
            return Err(BundleRefusal::WrongFileName { found: shown(file_name), expected });
        }
        bundle.sorted()
    }

    /// Reads a bundle that came without a file name: an upload.
    ///
    /// # Errors
    /// The reason.
    pub fn from_upload(bytes: &[u8], limits: &BundleLimits) -> Result<Self, BundleRefusal> {
        Archive::read(bytes, limits)?.described()?.sorted()
    }

    /// The names of its recordings, each once.
    #[must_use]
    pub fn media_names(&self) -> BTreeSet<&str> {
        self.media.keys().map(|key| key.name.as_str()).collect()
    }

    /// What a script can name must be there in every language that a caller may choose: found now, not at play.
    fn check_media(&self) -> Result<(), BundleRefusal> {
        let declared = self.manifest.media.iter().map(String::as_str);
        for name in self.media_names().into_iter().chain(declared) {
            for lang in &self.manifest.languages {
                let key = MediaName { lang: lang.clone(), name: name.to_owned() };
                if !self.media.contains_key(&key) {
                    return Err(BundleRefusal::MissingMedia { name: key.name, lang: key.lang });
                }
            }
        }
        Ok(())
    }
}

/// The first stage: an archive whose files are as SHA256SUMS says.
#[derive(Debug)]
pub(crate) struct Archive {
    files: BTreeMap<String, Vec<u8>>,
    sums: Vec<u8>,
    signature: Option<Vec<u8>>,
}

impl Archive {
    pub(crate) fn read(bytes: &[u8], limits: &BundleLimits) -> Result<Self, BundleRefusal> {
        let length = bytes.len() as u64;
        if length > limits.file_bytes_max {
            return Err(BundleRefusal::FileTooLarge { bytes: length, bytes_max: limits.file_bytes_max });
        }
        let mut files = unpack(bytes, limits)?;
        let sums = files.remove(SUMS).ok_or(BundleRefusal::MissingFile { place: SUMS })?;
        let signature = files.remove(SIGNATURE);
        check_sums(&sums, &files)?;
        Ok(Self { files, sums, signature })
    }

    /// The second stage: its manifest is read.
    pub(crate) fn described(mut self) -> Result<Described, BundleRefusal> {
        let manifest = self.files.remove(MANIFEST).ok_or(BundleRefusal::MissingFile { place: MANIFEST })?;
        let manifest = Manifest::parse(&manifest)?;
        let component = self.files.remove(COMPONENT).ok_or(BundleRefusal::MissingFile { place: COMPONENT })?;
        Ok(Described { archive: self, manifest, component: component.into() })
    }
}

/// An archive that says who it is.
#[derive(Debug)]
pub(crate) struct Described {
    archive: Archive,
    pub(crate) manifest: Manifest,
    pub(crate) component: Arc<[u8]>,
}

impl Described {
    pub(crate) fn sums(&self) -> &[u8] {
        &self.archive.sums
    }

    pub(crate) fn content_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.archive.sums).into()
    }

    pub(crate) fn signature(&self) -> Option<&[u8]> {
        self.archive.signature.as_deref()
    }

    /// The last stage: every file has its place, and every recording is there.
    pub(crate) fn sorted(self) -> Result<Bundle, BundleRefusal> {
        let content_sha256 = self.content_sha256();
        let Self { archive, manifest, component } = self;
        let (media, data) = sort_files(archive.files, &manifest)?;
        let (signature, sums) = (archive.signature.map(Arc::from), Arc::from(archive.sums));
        let bundle = Bundle { manifest, component, media, data, signature, sums, content_sha256 };
        bundle.check_media()?;
        Ok(bundle)
    }
}

/// Reads at most the limit, whatever the file's length says.
fn read_file(path: &Path, limits: &BundleLimits) -> Result<Vec<u8>, BundleRefusal> {
    let unreadable = |error: std::io::Error| BundleRefusal::Unreadable(error.to_string());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(BundleRefusal::Unreadable("it is not a plain file".into()));
    }
    if metadata.len() > limits.file_bytes_max {
        return Err(BundleRefusal::FileTooLarge { bytes: metadata.len(), bytes_max: limits.file_bytes_max });
    }
    let mut bytes = Vec::new();
    file.take(limits.file_bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn unpack(file: &[u8], limits: &BundleLimits) -> Result<BTreeMap<String, Vec<u8>>, BundleRefusal> {
    let directory = zip_directory::read(file, limits)?;
    let mut archive = zip::ZipArchive::new(Cursor::new(file))
        .map_err(|_| BundleRefusal::BrokenDirectory("a second reader does not understand it"))?;
    if archive.len() != directory.len() {
        return Err(BundleRefusal::BrokenDirectory("two readers count its files differently"));
    }
    let mut files = BTreeMap::new();
    for entry in directory {
        let damaged = |why: String| BundleRefusal::Damaged { place: entry.name.clone(), why };
        let mut bytes = Vec::with_capacity(usize::try_from(entry.bytes).unwrap_or(0));
        let packed = archive.by_name(&entry.name).map_err(|error| damaged(error.to_string()))?;
        packed.take(entry.bytes + 1).read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
        if bytes.len() as u64 != entry.bytes {
            return Err(damaged("it is not as long as the directory says".into()));
        }
        files.insert(entry.name, bytes);
    }
    Ok(files)
}

/// Checks the lines of `sha256sum`: 64 hexadecimal digits, two spaces (or space and asterisk), the name.
fn check_sums(sums: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<(), BundleRefusal> {
    let text = std::str::from_utf8(sums).map_err(|_| BundleRefusal::BadSums { line: 1, why: "not UTF-8" })?;
    let mut summed = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let bad = |why| BundleRefusal::BadSums { line: index + 1, why };
        let (sum, name) = line.split_at_checked(64).ok_or(bad("too short"))?;
        let name =
            name.strip_prefix("  ").or_else(|| name.strip_prefix(" *")).ok_or(bad("no two spaces before the name"))?;
        let sum = unhex(sum).ok_or(bad("not 64 hexadecimal digits"))?;
        if !summed.insert(name) {
            return Err(bad("names a file a second time"));
        }
        let bytes = files.get(name).ok_or_else(|| BundleRefusal::SummedButMissing { place: shown(name) })?;
        if <[u8; 32]>::from(Sha256::digest(bytes)) != sum {
            return Err(BundleRefusal::SumMismatch { place: name.to_owned() });
        }
    }
    match files.keys().find(|name| !summed.contains(name.as_str())) {
        Some(name) => Err(BundleRefusal::NotSummed { place: name.clone() }),
        None => Ok(()),
    }
}

type MediaFiles = BTreeMap<MediaName, Media>;
type DataFiles = BTreeMap<String, Arc<[u8]>>;

fn sort_files(files: BTreeMap<String, Vec<u8>>, manifest: &Manifest) -> Result<(MediaFiles, DataFiles), BundleRefusal> {
    let (mut media, mut data) = (MediaFiles::new(), DataFiles::new());
    for (place, bytes) in files {
        if let Some(name) = place.strip_prefix("data/") {
            data.insert(name.to_owned(), bytes.into());
            continue;
        }
        let Some((key, ending)) = media_place(&place) else {
            return Err(BundleRefusal::UnexpectedFile { place });
        };
        if !manifest.languages.contains(&key.lang) {
            return Err(BundleRefusal::UnknownLanguage { place, lang: key.lang });
        }
        if media.contains_key(&key) {
            return Err(BundleRefusal::DuplicateMedia { name: key.name, lang: key.lang });
        }
        media.insert(key, Media { ending, bytes: bytes.into() });
    }
    Ok((media, data))
}

/// Takes `media/LANG/NAME.ENDING` apart.
fn media_place(place: &str) -> Option<(MediaName, String)> {
    let (lang, file) = place.strip_prefix("media/")?.split_once('/')?;
    let (name, ending) = file.rsplit_once('.')?;
    if name.is_empty() || name.contains('/') || !MEDIA_ENDINGS.contains(&ending) {
        return None;
    }
    Some((MediaName { lang: lang.to_owned(), name: name.to_owned() }, ending.to_owned()))
}

/// 32 bytes from 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(out)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
