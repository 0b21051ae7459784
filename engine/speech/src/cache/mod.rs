//! What was spoken once need not be spoken again.

mod disk;

use std::fmt;

use sha2::{Digest, Sha256};

pub(crate) use disk::{DiskCache, Loaded};

use crate::tts::{Markup, Utterance};

/// Changes whenever the same utterance would be stored differently.
const FORMAT_VERSION: &str = "1";

/// The identity of a wish: provider, voice, language, rate, text. Not reversible, so a file's name tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey([u8; 32]);

impl CacheKey {
    pub(crate) fn of_utterance(provider: &str, utterance: &Utterance) -> Self {
        Self::of(&[
            "utterance",
            provider,
            utterance.voice.as_ref().map_or("", |voice| voice.as_str()),
            utterance.lang.as_str(),
            &utterance.rate.as_percent().to_string(),
            match utterance.markup {
                Markup::Plain => "plain",
                Markup::Ssml => "ssml",
            },
            &utterance.text,
        ])
    }

    pub(crate) fn of_tone(tone: &str) -> Self {
        Self::of(&["tone", tone])
    }

    /// Each part with its length before it, so that no two lists of parts run together.
    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in [FORMAT_VERSION].iter().chain(parts) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
