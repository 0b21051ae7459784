//! Prompts as callers hear them: in the speech room's words ("двадцать первое мая"), with the host's own sentences and the
//! bundle's recordings by what is said in them.
//!
//! - [`SpokenWords`]: a bundle's prompts in a simulated world
//! - [`prompt`], [`HostWords`]: from the machine's prompts to the speech room's; the engine takes them from here, too

mod host;
mod prompt;

pub use host::HostWords;
pub use prompt::prompt;

use anyhow::Context;
use gudok_core::prompt::{LanguageTag, Pace, PromptSource, Segment};
use gudok_plugin_host::bundle::Bundle;
use gudok_simulator::words::{PromptWords, Said};
use gudok_speech::{
    Audio, LangTag, MediaLibrary, MediaLimits, MediaSource, Prompt, RenderOptions, Speech, SpeechError,
};
use std::time::Duration;

/// A calm voice.
const MS_PER_CHARACTER: u64 = 70;
/// A tone as the speech room has it.
const TONE_MS: u64 = 400;

/// How a bundle's prompts are said.
pub struct SpokenWords {
    speech: Speech,
    host: HostWords,
    media: MediaLibrary,
    default_lang: LangTag,
}

impl std::fmt::Debug for SpokenWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpokenWords").field("media", &self.media.len()).finish_non_exhaustive()
    }
}

impl SpokenWords {
    /// Without a voice: words, and how long they would take.
    ///
    /// # Errors
    /// Where a recording of the bundle cannot be heard.
    pub fn of(bundle: &Bundle) -> anyhow::Result<Self> {
        Self::with_voice(bundle, Speech::words_only()?)
    }

    /// With a voice that can be heard: [`SpokenWords::render`].
    ///
    /// # Errors
    /// Where a recording of the bundle cannot be heard.
    pub fn with_voice(bundle: &Bundle, speech: Speech) -> anyhow::Result<Self> {
        let mut media = MediaLibrary::default();
        for (name, recording) in &bundle.media {
            let path = format!("{}/{}.{}", name.lang, name.name, recording.ending);
            let added = media.add(&path, recording.bytes.to_vec(), &MediaLimits::default());
            added.with_context(|| format!("media/{path}"))?;
        }
        let default_lang = bundle.manifest.languages.first().map_or("ru-RU", String::as_str).parse()?;
        Ok(Self { speech, host: HostWords::new([])?, media, default_lang })
    }

    /// Its sound.
    ///
    /// # Errors
    /// What the speech room cannot say.
    pub async fn render(&self, sources: &[PromptSource], lang: &str, pace: Pace) -> Result<Vec<Audio>, SpeechError> {
        let mut all = Vec::new();
        for source in sources {
            let (prompt, mut options) = self.prompt(source, lang)?;
            if pace == Pace::Slow {
                options.pace = gudok_speech::Pace::Slow;
            }
            all.push(self.speech.render(&prompt, &options, &self.media).await?);
        }
        Ok(all)
    }

    fn prompt(&self, source: &PromptSource, lang: &str) -> Result<(Prompt, RenderOptions), SpeechError> {
        let lang: LangTag = if lang.is_empty() { self.default_lang.clone() } else { lang.parse()? };
        let prompt = match source {
            PromptSource::Script(said) => prompt(said)?,
            PromptSource::Host(said) => self.host.prompt(said, &lang, &self.default_lang),
            PromptSource::Music(name) => {
                let name = name.as_deref().unwrap_or_default().to_owned();
                Prompt::new(vec![gudok_speech::Segment::Media(name)])
            }
        };
        Ok((prompt, RenderOptions { default_lang: lang, ..RenderOptions::default() }))
    }

    fn words(&self, source: &PromptSource, lang: &str) -> Result<String, SpeechError> {
        let (prompt, options) = self.prompt(source, lang)?;
        self.speech.words(&prompt, &options, &self.media)
    }

    /// Pauses, tones and recordings by their length, the rest by its words.
    fn lasts(&self, source: &PromptSource, lang: &str, words: &str) -> Duration {
        let PromptSource::Script(said) = source else { return spoken(words) };
        let lang =
            said.lang.as_deref().unwrap_or(lang).parse::<LangTag>().unwrap_or_else(|_| self.default_lang.clone());
        let (mut lasts, mut without) = (Duration::ZERO, gudok_core::prompt::Prompt::clone(said));
        without.segments.retain(|segment| {
            let known = match segment {
                Segment::Silence(silence) => Some(*silence),
                Segment::Tone(_) => Some(Duration::from_millis(TONE_MS)),
                Segment::Media(name) => {
                    let recording = self.media.recording(name, &lang);
                    recording.map(|recording| Duration::from_millis(recording.clip.duration_ms()))
                }
                _ => None,
            };
            lasts = lasts.saturating_add(known.unwrap_or_default());
            known.is_none()
        });
        if without.segments.len() == said.segments.len() {
            return spoken(words);
        }
        if without.segments.is_empty() {
            return lasts;
        }
        let rest = self.words(&PromptSource::Script(without.into()), lang.as_str()).unwrap_or_default();
        lasts.saturating_add(spoken(&rest))
    }
}

fn spoken(words: &str) -> Duration {
    let characters = u64::try_from(words.chars().count()).unwrap_or(u64::MAX);
    Duration::from_millis(characters.saturating_mul(MS_PER_CHARACTER))
}

impl PromptWords for SpokenWords {
    fn said(&self, source: &PromptSource, lang: &LanguageTag, _: &dyn Fn(&str) -> Duration) -> Said {
        if let PromptSource::Music(_) = source {
            return Said { text: "[music]".into(), lasts: Duration::MAX };
        }
        // What cannot be said fails in a call, too: the author is to see it.
        let text = self.words(source, lang).unwrap_or_else(|error| format!("[not said: {error}]"));
        let lasts = self.lasts(source, lang, &text);
        Said { text: text.into(), lasts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::prompt::{BargeIn, Case, Gender, HostPrompt};
    use gudok_plugin_host::bundle::{BundleLimits, PackPart, pack};

    fn bundle() -> Bundle {
        let manifest = "format = 1\nname = \"a\"\nversion = \"0.1.0\"\nkind = \"service\"\ninterface = \"0.1\"\nagency = \"b\"\n\
                        languages = [\"ru-RU\"]\n";
        let second = gudok_speech::Audio::new(vec![gudok_speech::Piece::Silence { ms: 1_500 }]).to_wav().unwrap();
        let parts = [
            ("manifest.toml", manifest.as_bytes().to_vec()),
            ("script.wasm", b"\0asm".to_vec()),
            ("media/ru-RU/welcome.wav", second),
        ];
        let parts = parts.map(|(place, bytes)| PackPart { place: place.into(), bytes }).to_vec();
        let packed = pack(parts, &BundleLimits::default()).unwrap();
        Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap()
    }

    #[test]
    fn prompts_are_said_as_callers_hear_them() {
        let words = SpokenWords::of(&bundle()).unwrap();
        let said = |source: &PromptSource| words.said(source, &"ru-RU".into(), &|_| Duration::ZERO);
        let number = Segment::Number { value: 21, gender: Gender::Feminine, case: Case::Nominative };
        let prompt = |segments| {
            let (lang, voice, barge_in) = (None, None, BargeIn::default());
            PromptSource::Script(gudok_core::prompt::Prompt { segments, lang, voice, barge_in, cacheable: true }.into())
        };
        let counted = said(&prompt(vec![Segment::Text("У вас".into()), number, Segment::Text("заявка.".into())]));
        assert_eq!(&*counted.text, "У вас двадцать одна заявка.");
        assert_eq!(counted.lasts, spoken("У вас двадцать одна заявка."));
        let recorded = said(&prompt(vec![
            Segment::Media("welcome".into()),
            Segment::Silence(Duration::from_millis(500)),
            Segment::Text("Алло".into()),
        ]));
        assert_eq!((&*recorded.text, recorded.lasts), ("[media:welcome] Алло", Duration::from_millis(2_000 + 4 * 70)));
        assert_eq!(&*said(&PromptSource::Host(HostPrompt::Goodbye)).text, "До свидания.");
        assert_eq!(said(&PromptSource::Music(None)).lasts, Duration::MAX);
    }
}
