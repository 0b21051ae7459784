//! Who speaks what is not recorded: one trait, three providers, and the turns they take.

mod command;
mod http;
mod none;
mod turns;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use command::CommandTts;
pub use http::HttpTts;
pub use none::NoTts;
pub(crate) use turns::Turns;

use crate::config::{SpeechConfig, TtsConfig};
use crate::error::SpeechError;
use crate::lang::{LangTag, SpeechRate, VoiceName};

/// What a provider answers with, later.
pub type SpokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Spoken, SpeechError>> + Send + 'a>>;

/// A speech synthesiser.
///
/// It must not block the thread it is polled on, and dropping its future must stop the work: that is how a time limit
/// and a hang-up reach it. Time, concurrency and caching are not its business.
pub trait TtsProvider: Send + Sync {
    /// What it is and all that changes its sound, for the cache key. No secrets.
    fn identity(&self) -> String;

    /// Its name in messages.
    fn name(&self) -> String;

    /// True if [`Markup::Ssml`] may be given to it.
    fn reads_ssml(&self) -> bool {
        false
    }

    /// Says one utterance.
    fn speak<'a>(&'a self, utterance: &'a Utterance) -> SpokenFuture<'a>;
}

/// What is to be said. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Without control characters, never empty.
    pub text: String,
    /// What the text is written in.
    pub markup: Markup,
    /// The language.
    pub lang: LangTag,
    /// The voice, if one was chosen.
    pub voice: Option<VoiceName>,
    /// The pace.
    pub rate: SpeechRate,
}

impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Utterance({} characters, {}, {} %)", self.text.chars().count(), self.lang, self.rate.as_percent())
    }
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Plain text.
    Plain,
    /// The subset of SSML in [`crate::ssml`].
    Ssml,
}

/// What a provider made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A sound file: WAV, or anything else that recordings may be.
    File(Vec<u8>),
    /// Nothing, for so long.
    Silence {
        /// In milliseconds.
        ms: u32,
    },
}

/// The provider that the settings name.
pub(crate) fn provider(config: &SpeechConfig) -> Result<Arc<dyn TtsProvider>, SpeechError> {
    Ok(match &config.tts {
        TtsConfig::Command(command) => Arc::new(CommandTts::new(command.clone(), config.limits.answer_bytes_max())),
        TtsConfig::Http(http) => Arc::new(HttpTts::new(http.clone(), config.limits.answer_bytes_max())?),
        TtsConfig::None { when_asked } => Arc::new(NoTts::new(*when_asked)),
    })
}
