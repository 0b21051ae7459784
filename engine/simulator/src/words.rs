//! Prompts as plain text, for transcripts: numbers as digits, dates as ISO 8601, recordings by their name in brackets.
//!
//! What a caller really hears, with gender, case and plural forms, is the speech room's work; `gudok say --text` shows it.

use gudok_core::prompt::{HostPrompt, LanguageTag, Prompt, PromptSource, Segment};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// How prompts sound in a world, put into words. A world without any of its own has [`PlainWords`].
pub trait PromptWords: Send + Sync {
    /// What is said and for how long; `recording` knows how long a recording of a bundle lasts.
    fn said(&self, source: &PromptSource, lang: &LanguageTag, recording: &dyn Fn(&str) -> Duration) -> Said;
}

/// One prompt in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// As it is read.
    pub text: Arc<str>,
    /// How long it takes to say. Music never ends.
    pub lasts: Duration,
}

/// Plainly, in no time and without a voice: as [`source`] has it, and as long as a calm voice would take.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainWords;

impl PromptWords for PlainWords {
    fn said(&self, source: &PromptSource, _: &LanguageTag, recording: &dyn Fn(&str) -> Duration) -> Said {
        Said { text: self::source(source).into(), lasts: duration(source, recording) }
    }
}

/// The same words, looked up where they were put together before: for very many runs of one script.
pub(crate) struct KnownWords {
    words: Arc<dyn PromptWords>,
    known: Mutex<HashMap<u64, Said>>,
}

impl KnownWords {
    pub(crate) fn of(words: Arc<dyn PromptWords>) -> Self {
        Self { words, known: Mutex::default() }
    }
}

impl PromptWords for KnownWords {
    fn said(&self, source: &PromptSource, lang: &LanguageTag, recording: &dyn Fn(&str) -> Duration) -> Said {
        let PromptSource::Script(prompt) = source else { return self.words.said(source, lang, recording) };
        let mut hasher = DefaultHasher::new();
        (prompt, lang).hash(&mut hasher);
        let key = hasher.finish();
        if let Some(said) = self.known.lock().get(&key) {
            return said.clone();
        }
        let said = self.words.said(source, lang, recording);
        self.known.lock().insert(key, said.clone());
        said
    }
}

/// What is said, in order, in these words, and how long it takes.
pub(crate) fn all_said(
    words: &dyn PromptWords,
    sources: &[PromptSource],
    lang: &LanguageTag,
    recording: &dyn Fn(&str) -> Duration,
) -> Said {
    if let [one] = sources {
        return words.said(one, lang, recording);
    }
    let said: Vec<Said> = sources.iter().map(|source| words.said(source, lang, recording)).collect();
    Said {
        text: joined(said.iter().map(|said| said.text.to_string())).into(),
        lasts: said.iter().fold(Duration::ZERO, |sum, said| sum.saturating_add(said.lasts)),
    }
}

/// What is said, in order.
#[must_use]
pub fn sources(sources: &[PromptSource]) -> String {
    joined(sources.iter().map(source))
}

/// What one prompt says.
#[must_use]
pub fn prompt(prompt: &Prompt) -> String {
    joined(prompt.segments.iter().map(segment))
}

/// What one piece of a prompt says; nothing for silence.
#[must_use]
pub fn segment(segment: &Segment) -> String {
    match segment {
        Segment::Text(text) => text.trim().to_owned(),
        Segment::Ssml(markup) => without_tags(markup),
        Segment::Media(name) | Segment::Tone(name) => format!("[{name}]"),
        Segment::Number { value, .. } => value.to_string(),
        Segment::Ordinal { value, .. } => format!("{value}."),
        Segment::Decimal { unscaled, scale } => decimal(*unscaled, *scale),
        Segment::Counted { value, noun, .. } => {
            let form = if *value == 1 { &noun.one } else { &noun.many };
            format!("{value} {form}")
        }
        Segment::Digits { digits, .. } => digits.clone(),
        Segment::Money { minor_units, currency } => format!("{} {currency}", decimal(*minor_units, 2)),
        Segment::Date { value, .. } => format!("{:04}-{:02}-{:02}", value.year, value.month, value.day),
        Segment::Time { hour, minute } => format!("{hour:02}:{minute:02}"),
        Segment::Duration(duration) => format!("{} s", duration.as_secs()),
        Segment::Spell(text) => text.chars().map(String::from).collect::<Vec<_>>().join(" "),
        Segment::Silence(_) => String::new(),
    }
}

/// How long it would take to say so: text at an even pace, recordings by `recording`.
fn duration(source: &PromptSource, recording: &dyn Fn(&str) -> Duration) -> Duration {
    match source {
        PromptSource::Script(prompt) => prompt.segments.iter().map(|piece| segment_duration(piece, recording)).sum(),
        PromptSource::Host(_) => spoken(&self::source(source)),
        PromptSource::Music(_) => Duration::MAX,
    }
}

fn segment_duration(piece: &Segment, recording: &dyn Fn(&str) -> Duration) -> Duration {
    const TONE: Duration = Duration::from_millis(400);
    match piece {
        Segment::Silence(silence) => *silence,
        Segment::Tone(_) => TONE,
        Segment::Media(name) => recording(name),
        other => spoken(&segment(other)),
    }
}

fn spoken(text: &str) -> Duration {
    /// A calm voice.
    const MS_PER_CHARACTER: u32 = 70;
    Duration::from_millis(u64::from(MS_PER_CHARACTER)) * u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// What is said, by the script, by the host, or as music.
#[must_use]
pub fn source(source: &PromptSource) -> String {
    match source {
        PromptSource::Script(script) => prompt(script),
        PromptSource::Host(said) => host(said),
        PromptSource::Music(_) => "[music]".into(),
    }
}

/// The host's words by their name, with what they tell.
fn host(said: &HostPrompt) -> String {
    match said {
        HostPrompt::OperatorsClosed { opens: Some(opens) } => format!("[closed until {opens}]"),
        HostPrompt::OperatorsClosed { opens: None } => "[closed]".into(),
        HostPrompt::QueuePosition { position, minutes: Some(minutes) } => {
            format!("[position {position}, {minutes} min]")
        }
        HostPrompt::QueuePosition { position, minutes: None } => format!("[position {position}]"),
        HostPrompt::CallbackOffer { own_number: false } => "[callback offer, number unknown]".into(),
        HostPrompt::CallbackReadBack { number } => format!("[callback read back {number}]"),
        HostPrompt::CallbackPromised { by, date: None } => format!("[callback promised by {by}]"),
        HostPrompt::CallbackPromised { by, date: Some(date) } => {
            format!("[callback promised by {by} of {:04}-{:02}-{:02}]", date.year, date.month, date.day)
        }
        HostPrompt::CallbackWhisper { number, topic } => format!("[callback to {number}: {topic}]"),
        other => format!("[{}]", other.name()),
    }
}

/// With spaces between, but for a full stop that stands by itself.
fn joined(pieces: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        if !text.is_empty() && !piece.starts_with(['.', ',', ':', ';', '!', '?']) {
            text.push(' ');
        }
        text.push_str(&piece);
    }
    text
}

fn decimal(unscaled: i64, scale: u8) -> String {
    /// More than any i64 has.
    const SCALE_MAX: u8 = 19;
    let scale = usize::from(scale.min(SCALE_MAX));
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn without_tags(markup: &str) -> String {
    let mut depth = 0_u32;
    let mut text = String::new();
    for character in markup.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            other if depth == 0 => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::prompt::{Case, Date, DigitGrouping};

    #[test]
    fn pieces_read_plainly() {
        let check = |piece: Segment, expect: &str| assert_eq!(segment(&piece), expect);
        check(Segment::Text(" Добрый день. ".into()), "Добрый день.");
        check(Segment::Ssml("<speak>Ждите <break time='1s'/> ответа</speak>".into()), "Ждите ответа");
        check(Segment::Media("welcome".into()), "[welcome]");
        check(Segment::Money { minor_units: -123_456, currency: "RUB".into() }, "-1234.56 RUB");
        check(Segment::Decimal { unscaled: 5, scale: 3 }, "0.005");
        check(Segment::Decimal { unscaled: i64::MIN, scale: 255 }, "-0.9223372036854775808");
        check(Segment::Time { hour: 8, minute: 5 }, "08:05");
        check(Segment::Spell("МФЦ".into()), "М Ф Ц");
        check(Segment::Digits { digits: "0042".into(), grouping: DigitGrouping::Auto }, "0042");
        let value = Date { year: 2026, month: 5, day: 5 };
        check(Segment::Date { value, case: Case::Genitive, say_year: true, say_weekday: false }, "2026-05-05");
        check(Segment::Silence(Duration::from_secs(1)), "");
    }
}
