//! What callers hear: prompts of scripts, the host's own words and music, as playlists for the media room.

use crate::config::HostPrompts;
use crate::words;
use gudok_core::prompt::{HostPrompt, PromptSource};
use gudok_core::script::CallError;
use gudok_media::{Clip, PlayItem, Playlist};
use gudok_speech::{
    ContentKey, LangTag, MediaSource, NoMedia, Piece, Prompt, RenderOptions, Segment, Speech, SpeechError, TimeOfDay,
};
use moka::sync::Cache;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Encoded clips kept in memory, in bytes of their samples.
const CLIPS_BYTES_MAX: u64 = 256 << 20;
/// Ringing as callers in Russia know it: 425 Hz, one second on, four off (ITU-T E.180).
const RINGING_HZ: f32 = 425.0;
const RINGING_ON_MS: u32 = 1_000;
const RINGING_OFF_MS: u32 = 4_000;

/// The host's own words in one language.
#[derive(Debug, Clone)]
struct HostWords {
    apology: String,
    connecting: String,
    operators_closed: String,
    /// Goes before the time at which operators begin, where that is known.
    operators_from: String,
    operators_unavailable: String,
}

/// Prompts to playlists.
pub(crate) struct Voice {
    speech: Speech,
    host: BTreeMap<String, HostWords>,
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
        let mut host = built_in_words();
        for (lang, prompts) in configured {
            let lang: LangTag = lang.parse()?;
            let base = host.get(lang.primary()).or_else(|| host.get("ru")).cloned();
            let Some(mut words) = base else { continue };
            let set = |to: &mut String, from: &Option<String>| {
                if let Some(from) = from {
                    to.clone_from(from);
                }
            };
            set(&mut words.apology, &prompts.apology);
            set(&mut words.connecting, &prompts.connecting);
            set(&mut words.operators_closed, &prompts.operators_closed);
            set(&mut words.operators_unavailable, &prompts.operators_unavailable);
            host.insert(lang.primary().to_owned(), words);
        }
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
        media: Option<&dyn MediaSource>,
    ) -> Result<Playlist, CallError> {
        let mut playlist = Playlist::default();
        let media = media.unwrap_or(&NoMedia);
        for source in sources {
            if let PromptSource::Music(None) = source {
                playlist.items.push(PlayItem::Tone { frequencies_hz: [RINGING_HZ, 0.0], ms: RINGING_ON_MS });
                playlist.items.push(PlayItem::Silence { ms: RINGING_OFF_MS });
                continue;
            }
            let (prompt, options) = self.prompt(source, lang).map_err(|error| call_error(&error))?;
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
            PromptSource::Host(prompt) => self.host_prompt(prompt, &default_lang),
            PromptSource::Music(name) => {
                Prompt::new(vec![Segment::Media(name.as_deref().unwrap_or_default().to_owned())])
            }
        };
        Ok((prompt, RenderOptions { default_lang, ..RenderOptions::default() }))
    }

    fn host_prompt(&self, prompt: &HostPrompt, lang: &LangTag) -> Prompt {
        let default = built_in_words();
        let known = self.host.get(lang.primary()).or_else(|| self.host.get(self.default_lang.primary()));
        let Some(words) = known.or_else(|| default.get("ru")) else { return Prompt::new(Vec::new()) };
        match prompt {
            HostPrompt::Apology => Prompt::text(&words.apology),
            HostPrompt::Connecting => Prompt::text(&words.connecting),
            HostPrompt::OperatorsUnavailable => Prompt::text(&words.operators_unavailable),
            HostPrompt::OperatorsClosed { opens } => {
                let mut prompt = Prompt::text(&words.operators_closed);
                if let Some(time) = opens.as_deref().and_then(time_of_day) {
                    prompt.segments.push(Segment::Text(words.operators_from.clone()));
                    prompt.segments.push(Segment::Time(time));
                }
                prompt
            }
        }
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

fn time_of_day(text: &str) -> Option<TimeOfDay> {
    let (hour, minute) = text.split_once(':')?;
    TimeOfDay::new(hour.parse().ok()?, minute.parse().ok()?)
}

fn built_in_words() -> BTreeMap<String, HostWords> {
    let russian = HostWords {
        apology: "Приносим извинения: сервис временно недоступен. Соединяю вас с оператором.".into(),
        connecting: "Соединяю вас с оператором.".into(),
        operators_closed: "Сейчас операторы не работают.".into(),
        operators_from: "Операторы начинают работу в".into(),
        operators_unavailable: "К сожалению, все операторы заняты. Пожалуйста, позвоните позже. До свидания.".into(),
    };
    let english = HostWords {
        apology: "We are sorry: this service is not available right now. Connecting you to an operator.".into(),
        connecting: "Connecting you to an operator.".into(),
        operators_closed: "Our operators are not available at this hour.".into(),
        operators_from: "Operators are available from".into(),
        operators_unavailable: "We are sorry, all operators are busy. Please call again later. Goodbye.".into(),
    };
    BTreeMap::from([("ru".to_owned(), russian), ("en".to_owned(), english)])
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
