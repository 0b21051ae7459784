//! What callers hear: prompts of scripts, the host's own words and music, as playlists for the media room.

use crate::config::HostPrompts;
use gudok_core::prompt::{Pace, PromptSource};
use gudok_core::script::CallError;
use gudok_media::{Clip, PlayItem, Playlist};
use gudok_speech::{
    ContentKey, LangTag, MediaSource, NoMedia, Piece, Prompt, RenderOptions, Segment, Speech, SpeechError,
};
use gudok_workbench::words::{self, HostWords};
use moka::sync::Cache;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Encoded clips kept in memory, in bytes of their samples.
const CLIPS_BYTES_MAX: u64 = 256 << 20;
/// Ringing as callers in Russia know it: 425 Hz, one second on, four off (ITU-T E.180).
const RINGING_HZ: f32 = 425.0;
const RINGING_ON_MS: u32 = 1_000;
const RINGING_OFF_MS: u32 = 4_000;
/// Between prompts for a caller who asked for slow speech.
const SLOW_PAUSE_MS: u32 = 700;

/// Prompts to playlists.
pub(crate) struct Voice {
    speech: Speech,
    host: HostWords,
    default_lang: LangTag,
    clips: Cache<ContentKey, Arc<Clip>>,
}

impl Voice {
    /// With the host's words from the configuration, over the built-in Russian and English ones.
    ///
    /// # Errors
    /// Where the default language is no language tag.
    pub(crate) fn new(
        speech: Speech,
        configured: &BTreeMap<String, HostPrompts>,
        default_lang: &str,
    ) -> Result<Self, SpeechError> {
        let host = HostWords::new(configured.iter().map(|(lang, words)| {
            let words = words.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
            (lang.as_str(), words)
        }))?;
        let clips = Cache::builder()
            .weigher(|_, clip: &Arc<Clip>| u32::try_from(clip.duration_ms().saturating_mul(32)).unwrap_or(u32::MAX))
            .max_capacity(CLIPS_BYTES_MAX)
            .build();
        Ok(Self { speech, host, default_lang: default_lang.parse()?, clips })
    }

    /// The sound of prompts, one after another. Ready at once where all of it is in memory.
    ///
    /// # Errors
    /// For the script: what is wrong with its prompt, or that no speech is to be had now.
    pub(crate) async fn playlist(
        &self,
        sources: &[PromptSource],
        lang: &str,
        pace: Pace,
        media: Option<&dyn MediaSource>,
    ) -> Result<Playlist, CallError> {
        let mut playlist = Playlist::default();
        let media = media.unwrap_or(&NoMedia);
        for (place, source) in sources.iter().enumerate() {
            if pace == Pace::Slow && place > 0 {
                playlist.items.push(PlayItem::Silence { ms: SLOW_PAUSE_MS });
            }
            if let PromptSource::Music(None) = source {
                playlist.items.push(PlayItem::Tone { frequencies_hz: [RINGING_HZ, 0.0], ms: RINGING_ON_MS });
                playlist.items.push(PlayItem::Silence { ms: RINGING_OFF_MS });
                continue;
            }
            let (prompt, mut options) = self.prompt(source, lang).map_err(|error| call_error(&error))?;
            if pace == Pace::Slow {
                options.pace = gudok_speech::Pace::Slow;
            }
            let audio = self.speech.render(&prompt, &options, media).await.map_err(|error| call_error(&error))?;
            for piece in audio.pieces {
                playlist.items.push(self.item(piece)?);
            }
        }
        Ok(playlist)
    }

    /// The words of prompts, for a transcript.
    pub(crate) fn words(&self, sources: &[PromptSource], lang: &str, media: Option<&dyn MediaSource>) -> String {
        let media = media.unwrap_or(&NoMedia);
        let mut all = Vec::new();
        for source in sources {
            let words = match source {
                PromptSource::Music(None) => Ok("[ringing]".to_owned()),
                _ => {
                    self.prompt(source, lang).and_then(|(prompt, options)| self.speech.words(&prompt, &options, media))
                }
            };
            all.push(words.unwrap_or_else(|error| format!("[{error}]")));
        }
        all.join(" ")
    }

    /// Counters of the speech room.
    pub(crate) fn stats(&self) -> gudok_speech::SpeechStats {
        self.speech.stats()
    }

    fn prompt(&self, source: &PromptSource, lang: &str) -> Result<(Prompt, RenderOptions), SpeechError> {
        let default_lang = if lang == self.default_lang.as_str() { self.default_lang.clone() } else { lang.parse()? };
        let prompt = match source {
            PromptSource::Script(prompt) => words::prompt(prompt)?,
            PromptSource::Host(prompt) => self.host.prompt(prompt, &default_lang, &self.default_lang),
            PromptSource::Music(name) => {
                Prompt::new(vec![Segment::Media(name.as_deref().unwrap_or_default().to_owned())])
            }
        };
        Ok((prompt, RenderOptions { default_lang, ..RenderOptions::default() }))
    }

    fn item(&self, piece: Piece) -> Result<PlayItem, CallError> {
        match piece {
            Piece::Silence { ms } => Ok(PlayItem::Silence { ms }),
            Piece::Pcm(clip) => {
                if let Some(known) = self.clips.get(&clip.key()) {
                    return Ok(PlayItem::Clip(known));
                }
                let made = Clip::from_pcm(gudok_speech::SAMPLE_RATE_HZ, clip.samples().to_vec())
                    .map_err(|error| CallError::Invalid(error.to_string()))?;
                let made = Arc::new(made);
                self.clips.insert(clip.key(), Arc::clone(&made));
                Ok(PlayItem::Clip(made))
            }
        }
    }
}

/// What a script is told when its prompt cannot be heard.
fn call_error(error: &SpeechError) -> CallError {
    use gudok_speech::ErrorClass;
    match error.class() {
        ErrorClass::Invalid => CallError::Invalid(error.to_string()),
        ErrorClass::NotFound => CallError::NotFound(error.to_string()),
        ErrorClass::Busy => CallError::BusyResource(error.to_string()),
        ErrorClass::Timeout => CallError::Timeout,
        ErrorClass::Internal => {
            tracing::error!(%error, "the speech room failed");
            CallError::BusyResource("speech is out of order".into())
        }
    }
}
