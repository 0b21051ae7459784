//! What a trace says of a prompt and of a key. It is read by people who are not the caller, and kept: values that a
//! script reads out to its caller, and keys that are more than a choice in a menu, are not in it.

use gudok_core::input::{CollectOptions, Grammar};
use gudok_core::privacy::mask_digit_runs;
use gudok_core::prompt::{Prompt, PromptSource, Segment};
use std::fmt::Write;

/// Of one prompt.
const PROMPT_CHARS_MAX: usize = 300;

/// What is asked now, as far as keys are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Asked {
    /// Nothing: whatever the keys are meant for is not known yet.
    #[default]
    Nothing,
    /// A choice: its keys tell nothing of the caller.
    Choice,
    /// Anything else.
    Entry,
}

impl Asked {
    /// By a question.
    pub(crate) const fn by(options: &CollectOptions) -> Self {
        match options.grammar {
            Grammar::Choices(_) | Grammar::YesNo if !options.sensitive => Self::Choice,
            _ => Self::Entry,
        }
    }
}

/// A key, or that there was one.
pub(crate) fn key_words(asked: Asked, key: char) -> String {
    match asked {
        Asked::Choice => key.to_string(),
        Asked::Nothing | Asked::Entry => "•".to_owned(),
    }
}

/// Prompts, in words.
pub(crate) fn prompt_words(sources: &[PromptSource]) -> String {
    let mut words = String::new();
    for source in sources {
        if !words.is_empty() {
            words.push(' ');
        }
        match source {
            PromptSource::Script(prompt) => script_words(prompt, &mut words),
            PromptSource::Host(prompt) => {
                words.push('[');
                words.push_str(prompt.name());
                words.push(']');
            }
            PromptSource::Music(_) => words.push_str("[music]"),
        }
        if words.len() > PROMPT_CHARS_MAX * 4 {
            break;
        }
    }
    words
}

fn script_words(prompt: &Prompt, words: &mut String) {
    for (at, segment) in prompt.segments.iter().enumerate() {
        if at > 0 {
            words.push(' ');
        }
        if words.len() > PROMPT_CHARS_MAX * 4 {
            return;
        }
        // Writing to a String cannot fail.
        let _ = match segment {
            Segment::Text(text) => write!(words, "{}", masked(text)),
            Segment::Ssml(_) => write!(words, "[ssml]"),
            Segment::Media(name) => write!(words, "[{name}]"),
            // A menu's keys; anything larger may be the caller's own.
            Segment::Number { value: value @ 0..=9, .. } => write!(words, "{value}"),
            Segment::Number { .. } | Segment::Ordinal { .. } | Segment::Decimal { .. } => write!(words, "[number]"),
            Segment::Counted { noun, .. } => write!(words, "[number] {}", noun.many),
            Segment::Digits { .. } | Segment::Spell(_) => write!(words, "[digits]"),
            Segment::Money { .. } => write!(words, "[amount]"),
            Segment::Date { .. } => write!(words, "[date]"),
            Segment::Time { hour, minute } => write!(words, "{hour:02}:{minute:02}"),
            Segment::Duration(duration) => write!(words, "[{} s]", duration.as_secs()),
            Segment::Silence(_) => Ok(()),
            Segment::Tone(_) => write!(words, "[tone]"),
        };
    }
}

fn masked(text: &str) -> String {
    mask_digit_runs(&text.chars().take(PROMPT_CHARS_MAX).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::prompt::HostPrompt;
    use gudok_core::prompt::{BargeIn, DigitGrouping};
    use std::sync::Arc;

    #[test]
    fn what_is_read_out_to_the_caller_is_not_written_down() {
        let prompt = Prompt {
            segments: vec![
                Segment::Text("Ваш номер 8 913 123-45-67, заявление".into()),
                Segment::Digits { digits: "4207123456".into(), grouping: DigitGrouping::Auto },
                Segment::Spell("АБ123".into()),
                Segment::Media("thanks".into()),
            ],
            lang: None,
            voice: None,
            barge_in: BargeIn::default(),
            cacheable: true,
        };
        let words = prompt_words(&[PromptSource::Script(Arc::new(prompt)), PromptSource::Host(HostPrompt::Apology)]);
        assert_eq!(words, "Ваш номер * *** ***-**-**, заявление [digits] [digits] [thanks] [apology]");
    }

    #[test]
    fn only_a_choice_shows_its_key() {
        assert_eq!(key_words(Asked::Choice, '3'), "3");
        assert_eq!(key_words(Asked::Entry, '3'), "•");
        assert_eq!(key_words(Asked::Nothing, '3'), "•");
    }
}
