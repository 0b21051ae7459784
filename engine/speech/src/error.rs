//! What can go wrong between a segment and its sound, each with what to do next.

/// Every failure of this crate. It is `Clone` because one synthesis may be awaited by many calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The JSON of a prompt could not be read.
    #[error("prompt, {place}: {problem}")]
    Json {
        /// "segment 3 (`number`)", "line 1 column 8".
        place: String,
        /// What is wrong and what is expected instead.
        problem: String,
    },
    /// A segment was read but says something impossible.
    #[error("prompt, segment {segment} (`{kind}`): {problem}")]
    Segment {
        /// Counted from 1.
        segment: usize,
        /// The segment's key in JSON.
        kind: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A prompt has more segments than one breath should.
    #[error("a prompt of {count} segments is over the limit of {max}: split it into several prompts")]
    TooManySegments {
        /// Segments given.
        count: usize,
        /// Segments allowed.
        max: usize,
    },
    /// Not a BCP 47 tag of the plain kind.
    #[error("`{tag}` is not a language tag: write a language and, if wanted, a region, such as `ru` or `ru-RU`")]
    LanguageTag {
        /// As given, shortened.
        tag: String,
    },
    /// Numbers, dates and money need a grammar, and there is none for this language.
    #[error(
        "no grammar for the language `{tag}` (there is: {known}): write the words out as `text`, or set `fallback_lang`"
    )]
    UnknownLanguage {
        /// The language asked for.
        tag: String,
        /// The languages there are.
        known: String,
    },
    /// The language has no words for the currency.
    #[error(
        "`{code}` has no words in the language `{lang}` (there are: {known}): use one of these or a `counted` noun"
    )]
    UnknownCurrency {
        /// ISO 4217 code as given, shortened.
        code: String,
        /// The language.
        lang: String,
        /// Codes there are.
        known: String,
    },
    /// A character that the language has no name for. The character itself may be private and is not repeated.
    #[error("character {position} has no name in the language `{lang}`: spell letters, digits and common signs only")]
    Unspellable {
        /// Counted from 1.
        position: usize,
        /// The language.
        lang: String,
    },
    /// No recording of that name.
    #[error(
        "no recording `{name}` for the language `{lang}`: add `{name}.wav` (or `{lang}/{name}.wav`) to the media folder; \
         there are {count} recordings{near}"
    )]
    MediaMissing {
        /// The recording's name.
        name: String,
        /// The language asked for.
        lang: String,
        /// Recordings there are.
        count: usize,
        /// ", the nearest is `…`", or empty.
        near: String,
    },
    /// A recording cannot be used.
    #[error("recording {file}: {problem}; {remedy}")]
    MediaFile {
        /// The file as the author named it.
        file: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The program that speaks is not installed.
    #[error(
        "the speech program `{command}` is not installed: install the package `{package}`, or set another speech provider"
    )]
    TtsMissing {
        /// Program looked for.
        command: String,
        /// Debian package that has it.
        package: String,
    },
    /// Speech synthesis is set to `none` and no recording says this.
    #[error("speech synthesis is off: record this prompt, set `when_asked = \"silence\"`, or choose a speech provider")]
    TtsOff,
    /// The provider answered with a failure.
    #[error("speech provider {provider} failed: {problem}")]
    TtsFailed {
        /// Which provider.
        provider: String,
        /// What it said. Never the text that was to be spoken.
        problem: String,
    },
    /// The provider took too long and was stopped.
    #[error(
        "speech provider {provider} gave no sound in {limit_ms} ms and was stopped: raise `timeout_ms` or relieve it"
    )]
    TtsTimeout {
        /// Which provider.
        provider: String,
        /// The limit that passed.
        limit_ms: u64,
    },
    /// Too many texts wait to be spoken already.
    #[error(
        "speech synthesis is saturated: {waiting} texts wait already; raise `concurrency_max` or prerender at deploy"
    )]
    TtsBusy {
        /// Texts that wait.
        waiting: usize,
    },
    /// The settings contradict themselves.
    #[error("speech settings: {problem}")]
    Config {
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The cache folder cannot be used.
    #[error("speech cache folder {folder}: {problem}: make it writable for the engine or choose another")]
    CacheFolder {
        /// The folder.
        folder: String,
        /// The system's word.
        problem: String,
    },
    /// A worker thread ended early: a bug, or the engine is stopping.
    #[error("an audio worker stopped early: the engine is stopping, or this is a bug to report")]
    WorkerStopped,
}

/// What a caller of this crate may do about an error; mirrors the script interface's `call-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The prompt is wrong; trying again does not help.
    Invalid,
    /// Something named does not exist.
    NotFound,
    /// All synthesis channels are taken; later may do.
    Busy,
    /// A limit in time passed.
    Timeout,
    /// The engine's own trouble.
    Internal,
}

impl SpeechError {
    /// What a caller may do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Json { .. }
            | Self::Segment { .. }
            | Self::TooManySegments { .. }
            | Self::LanguageTag { .. }
            | Self::UnknownLanguage { .. }
            | Self::UnknownCurrency { .. }
            | Self::Unspellable { .. } => ErrorClass::Invalid,
            Self::MediaMissing { .. } => ErrorClass::NotFound,
            Self::TtsBusy { .. } | Self::TtsOff => ErrorClass::Busy,
            Self::TtsTimeout { .. } => ErrorClass::Timeout,
            Self::MediaFile { .. }
            | Self::TtsMissing { .. }
            | Self::TtsFailed { .. }
            | Self::Config { .. }
            | Self::CacheFolder { .. }
            | Self::WorkerStopped => ErrorClass::Internal,
        }
    }
}

/// Foreign text for an error message: short, and without control characters that would upset a log.
pub(crate) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let clean: String = text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    if clean.len() < text.len() { format!("{clean}…") } else { clean }
}
