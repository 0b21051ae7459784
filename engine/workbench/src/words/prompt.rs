//! From the machine's prompts to the speech room's: the same segments, in its words.

use gudok_core::prompt::{Case, DigitGrouping, Gender, NounForms, Prompt, Segment};
use gudok_speech as speech;
use gudok_speech::SpeechError;
use std::time::Duration;

/// A script's prompt for the speech room.
///
/// # Errors
/// Where a date, time, language or voice does not exist.
pub fn prompt(prompt: &Prompt) -> Result<speech::Prompt, SpeechError> {
    Ok(speech::Prompt {
        segments: prompt.segments.iter().map(segment).collect::<Result<_, _>>()?,
        lang: prompt.lang.as_deref().map(str::parse).transpose()?,
        voice: prompt.voice.as_deref().map(str::parse).transpose()?,
        cacheable: prompt.cacheable,
    })
}

fn segment(segment: &Segment) -> Result<speech::Segment, SpeechError> {
    Ok(match segment {
        Segment::Text(text) => speech::Segment::Text(text.clone()),
        Segment::Ssml(text) => speech::Segment::Ssml(text.clone()),
        Segment::Media(name) => speech::Segment::Media(name.clone()),
        Segment::Number { value, gender: g, case: c } => speech::Segment::Number(number(*value, *g, *c)),
        Segment::Ordinal { value, gender: g, case: c } => speech::Segment::Ordinal(number(*value, *g, *c)),
        Segment::Decimal { unscaled, scale } => {
            speech::Segment::Decimal(speech::DecimalSpec { unscaled: *unscaled, scale: *scale })
        }
        Segment::Counted { value, noun, case: c } => {
            speech::Segment::Counted(speech::Counted { value: *value, noun: noun_forms(noun), case: case(*c) })
        }
        Segment::Digits { digits, grouping: g } => {
            speech::Segment::Digits(speech::DigitsSpec { digits: digits.clone(), grouping: grouping(*g) })
        }
        Segment::Money { minor_units, currency } => {
            speech::Segment::Money(speech::Money { minor_units: *minor_units, currency: currency.clone() })
        }
        Segment::Date { value, case: c, say_year, say_weekday } => {
            let value = speech::Date::new(value.year, value.month, value.day).ok_or_else(|| no_such("date"))?;
            let (say_year, say_weekday) = (*say_year, *say_weekday);
            speech::Segment::Date(speech::DateSpec { value, case: case(*c), say_year, say_weekday })
        }
        Segment::Time { hour, minute } => {
            speech::Segment::Time(speech::TimeOfDay::new(*hour, *minute).ok_or_else(|| no_such("time"))?)
        }
        Segment::Duration(duration) => speech::Segment::Duration(millis(*duration)),
        Segment::Spell(text) => speech::Segment::Spell(text.clone()),
        Segment::Silence(duration) => speech::Segment::Silence(millis(*duration)),
        Segment::Tone(name) => speech::Segment::Tone(name.clone()),
    })
}

fn no_such(what: &'static str) -> SpeechError {
    SpeechError::Config { problem: format!("a {what} that does not exist") }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn number(value: i64, g: Gender, c: Case) -> speech::NumberSpec {
    speech::NumberSpec { value, gender: gender(g), case: case(c) }
}

const fn gender(gender: Gender) -> speech::Gender {
    match gender {
        Gender::Masculine => speech::Gender::Masculine,
        Gender::Feminine => speech::Gender::Feminine,
        Gender::Neuter => speech::Gender::Neuter,
    }
}

const fn case(case: Case) -> speech::Case {
    match case {
        Case::Nominative => speech::Case::Nominative,
        Case::Genitive => speech::Case::Genitive,
        Case::Dative => speech::Case::Dative,
        Case::Accusative => speech::Case::Accusative,
        Case::Instrumental => speech::Case::Instrumental,
        Case::Prepositional => speech::Case::Prepositional,
    }
}

const fn grouping(grouping: DigitGrouping) -> speech::DigitGrouping {
    match grouping {
        DigitGrouping::OneByOne => speech::DigitGrouping::OneByOne,
        DigitGrouping::Pairs => speech::DigitGrouping::Pairs,
        DigitGrouping::Triples => speech::DigitGrouping::Triples,
        DigitGrouping::Phone => speech::DigitGrouping::PhoneRu,
        DigitGrouping::Snils => speech::DigitGrouping::Snils,
        DigitGrouping::Auto => speech::DigitGrouping::Auto,
    }
}

fn noun_forms(noun: &NounForms) -> speech::NounForms {
    speech::NounForms {
        one: noun.one.clone(),
        few: noun.few.clone(),
        many: noun.many.clone(),
        other: noun.other.clone(),
        gender: gender(noun.gender),
    }
}
