//! Nobody speaks: a centre that plays recordings only.

use super::{Spoken, SpokenFuture, TtsProvider, Utterance};
use crate::config::WhenAsked;
use crate::error::SpeechError;

/// About fourteen characters a second, spaces included.
const MS_PER_CHAR: u64 = 70;
const ESTIMATE_MS_MAX: u64 = 60_000;

/// The provider `none`.
#[derive(Debug, Clone, Copy)]
pub struct NoTts {
    when_asked: WhenAsked,
}

impl NoTts {
    /// A provider that refuses, or keeps silent for the estimated time.
    #[must_use]
    pub fn new(when_asked: WhenAsked) -> Self {
        Self { when_asked }
    }
}

impl TtsProvider for NoTts {
    fn identity(&self) -> String {
        format!("none:{:?}", self.when_asked)
    }

    fn name(&self) -> String {
        "none".to_owned()
    }

    fn speak<'a>(&'a self, utterance: &'a Utterance) -> SpokenFuture<'a> {
        let answer = match self.when_asked {
            WhenAsked::Error => Err(SpeechError::TtsOff),
            WhenAsked::Silence => Ok(Spoken::Silence { ms: estimated_ms(utterance) }),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn estimated_ms(utterance: &Utterance) -> u32 {
    let at_full_pace = utterance.text.chars().count() as u64 * MS_PER_CHAR;
    let ms = (at_full_pace * 100 / u64::from(utterance.rate.as_percent())).min(ESTIMATE_MS_MAX);
    u32::try_from(ms).unwrap_or(u32::MAX)
}
