//! Every reason to turn a bundle away, each with its place and its remedy.

/// Why a bundle is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself what it is, by its message and its fields' names")]
pub enum BundleRefusal {
    #[error("cannot be read: {0}. Check the path and the rights of the file")]
    Unreadable(String),
    #[error("is {bytes} bytes; at most {bytes_max} (file_bytes_max). Shorten or compress the recordings")]
    FileTooLarge { bytes: u64, bytes_max: u64 },
    #[error("is not a ZIP file, or is cut off: {0}. Copy it again, or pack it again with `gudok bundle pack`")]
    NotAZip(&'static str),
    #[error("its ZIP directory is broken: {0}. Pack it again with `gudok bundle pack`")]
    BrokenDirectory(&'static str),
    #[error("uses a ZIP feature that bundles do without: {feature} (at {place}). Pack it with `gudok bundle pack`")]
    UnsupportedZip { place: String, feature: &'static str },
    #[error("holds {count} files; at most {count_max} (entries_max). Join small data files")]
    TooManyEntries { count: usize, count_max: usize },
    #[error("file {place}: its name {why}. Names are of a-z A-Z 0-9 . _ - in folders joined by /")]
    BadName { place: String, why: &'static str },
    #[error("file {place} is there twice (names that differ only in case count as the same). Remove one")]
    DuplicateName { place: String },
    #[error("file {place} shares bytes with another file of the archive. Pack it again with `gudok bundle pack`")]
    Overlap { place: String },
    #[error("file {place} is not a plain file (a link, folder or device). Pack only files; with zip, use -D and no -y")]
    NotAFile { place: String },
    #[error("file {place} is {bytes} bytes; at most {bytes_max} ({limit}). Make it smaller")]
    EntryTooLarge { place: String, bytes: u64, bytes_max: u64, limit: &'static str },
    #[error("unpacks to more than {bytes_max} bytes (unpacked_bytes_max). Shorten the recordings")]
    UnpacksTooLarge { bytes_max: u64 },
    #[error("file {place} unpacks to over {ratio_max} times its packed size (ratio_max). Store it without compression")]
    Bomb { place: String, ratio_max: u64 },
    #[error("file {place} does not unpack: {why}. Copy the bundle again, or pack it again")]
    Damaged { place: String, why: String },
    #[error(
        "file {place} has no place in a bundle. Known are manifest.toml, script.wasm, media/LANG/NAME.wav (mp3, ogg, flac), data/…, SHA256SUMS, signature"
    )]
    UnexpectedFile { place: String },
    #[error("has no {place}. Pack it again with `gudok bundle pack`")]
    MissingFile { place: &'static str },
    #[error(
        "SHA256SUMS line {line}: {why}. Write it again with `gudok bundle pack`, or with sha256sum from inside the folder"
    )]
    BadSums { line: usize, why: &'static str },
    #[error("file {place} is not named in SHA256SUMS. Pack the bundle again")]
    NotSummed { place: String },
    #[error("SHA256SUMS names {place}, which is not there. Pack the bundle again")]
    SummedButMissing { place: String },
    #[error("file {place} does not match its sum in SHA256SUMS: it was changed after packing. Pack the bundle again")]
    SumMismatch { place: String },
    #[error("manifest.toml{}: {field}{why}. {remedy}", line.map(|line| format!(" line {line}")).unwrap_or_default())]
    Manifest { line: Option<usize>, field: String, why: String, remedy: String },
    #[error("is named {found}, but its manifest says {expected}. Rename it")]
    WrongFileName { found: String, expected: String },
    #[error("file {place}: the language {lang} is not in the manifest's languages. Add it there, or remove the file")]
    UnknownLanguage { place: String, lang: String },
    #[error("media {name} is there twice for {lang}, in two formats. Keep one")]
    DuplicateMedia { name: String, lang: String },
    #[error(
        "media {name} is missing for {lang}. Add media/{lang}/{name}.wav, or remove the language from the manifest"
    )]
    MissingMedia { name: String, lang: String },
}
