//! Limits and sense of a prompt, checked before anything is spoken: scripts are not trusted.

use super::{Counted, Prompt, Segment};
use crate::audio::ToneSpec;
use crate::error::{SpeechError, shortened};
use crate::{media, ssml};

/// What one prompt may ask for.
pub mod limits {
    /// Segments in a prompt.
    pub const SEGMENTS_MAX: usize = 200;
    /// Characters of one text or SSML segment.
    pub const TEXT_CHARS_MAX: usize = 4_000;
    /// Digits of one digits segment.
    pub const DIGITS_MAX: usize = 64;
    /// Characters of one spelled segment.
    pub const SPELL_CHARS_MAX: usize = 64;
    /// Digits after the point of a decimal.
    pub const DECIMAL_SCALE_MAX: u8 = 9;
    /// Characters of one form of a counted noun.
    pub const NOUN_CHARS_MAX: usize = 100;
    /// Milliseconds of one silence.
    pub const SILENCE_MS_MAX: u32 = 60_000;
}

impl Prompt {
    /// Checks every segment against the limits and the grammar of what it names.
    ///
    /// # Errors
    /// [`SpeechError::Segment`] with the segment's number, or [`SpeechError::TooManySegments`].
    pub fn check(&self) -> Result<(), SpeechError> {
        if self.segments.len() > limits::SEGMENTS_MAX {
            return Err(SpeechError::TooManySegments { count: self.segments.len(), max: limits::SEGMENTS_MAX });
        }
        for (place, segment) in self.segments.iter().enumerate() {
            fault_of(segment).map_err(|problem| SpeechError::Segment {
                segment: place + 1,
                kind: segment.kind(),
                problem,
            })?;
        }
        Ok(())
    }
}

fn fault_of(segment: &Segment) -> Result<(), String> {
    match segment {
        Segment::Text(text) => at_most(text.chars().count(), limits::TEXT_CHARS_MAX, "characters"),
        Segment::Ssml(text) => {
            at_most(text.chars().count(), limits::TEXT_CHARS_MAX, "characters")?;
            ssml::parse(text).map(drop)
        }
        Segment::Media(name) => media::check_name(name),
        Segment::Decimal(decimal) => {
            at_most(decimal.scale.into(), limits::DECIMAL_SCALE_MAX.into(), "digits after the point")
        }
        Segment::Counted(counted) => noun_fault(counted),
        Segment::Digits(spec) => digits_fault(&spec.digits),
        Segment::Money(money) => {
            if money.currency.len() == 3 && money.currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Ok(());
            }
            Err(format!(
                "`{}` is not a currency: write its three capital letters, such as RUB",
                shortened(&money.currency)
            ))
        }
        Segment::Spell(text) => at_most(text.chars().count(), limits::SPELL_CHARS_MAX, "characters"),
        Segment::Silence(ms) => {
            if *ms <= limits::SILENCE_MS_MAX {
                return Ok(());
            }
            Err(format!(
                "{ms} ms of silence are over the limit of {}: the caller would hang up",
                limits::SILENCE_MS_MAX
            ))
        }
        Segment::Tone(tone) => tone.parse::<ToneSpec>().map(drop),
        Segment::Number(_) | Segment::Ordinal(_) | Segment::Date(_) | Segment::Time(_) | Segment::Duration(_) => Ok(()),
    }
}

fn at_most(count: usize, max: usize, unit: &str) -> Result<(), String> {
    if count <= max { Ok(()) } else { Err(format!("{count} {unit} are over the limit of {max}: shorten or split it")) }
}

fn noun_fault(counted: &Counted) -> Result<(), String> {
    let noun = &counted.noun;
    if noun.one.trim().is_empty() {
        return Err("the noun has no form `one`: give at least that, such as \"заявка\"".to_owned());
    }
    [&noun.one, &noun.few, &noun.many, &noun.other]
        .into_iter()
        .try_for_each(|form| at_most(form.chars().count(), limits::NOUN_CHARS_MAX, "characters of a noun"))
}

/// The digits are not repeated in the message: they may be a caller's.
fn digits_fault(digits: &str) -> Result<(), String> {
    let mut said = 0;
    for (place, symbol) in digits.chars().enumerate() {
        match symbol {
            '0'..='9' | '*' | '#' => said += 1,
            '+' if said == 0 => said += 1,
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => {
                return Err(format!(
                    "character {} is not a digit: use 0-9, *, #, a leading + and spaces, - . ( )",
                    place + 1
                ));
            }
        }
    }
    if said == 0 {
        return Err("there is no digit to say: leave the segment out instead".to_owned());
    }
    at_most(said, limits::DIGITS_MAX, "digits")
}

#[cfg(test)]
mod tests {
    use crate::{Prompt, SpeechError};

    fn refused(json: &str, place: &str, remedy: &str) {
        let message = Prompt::from_json(json).unwrap_err().to_string();
        assert!(message.contains(place) && message.contains(remedy), "{json}\n -> {message}");
    }

    #[test]
    fn json_reads_back_as_it_was_written() {
        let json = r##"{"segments":[{"text":"Здравствуйте."},{"number":{"value":21,"gender":"feminine","case":"genitive"}},
            {"ordinal":{"value":5,"gender":"neuter"}},{"decimal":{"unscaled":314,"scale":2}},
            {"counted":{"value":2,"noun":{"one":"заявка","few":"заявки","many":"заявок","gender":"feminine"}}},
            {"digits":{"digits":"+7 (913) 000-11-22","grouping":"phone-ru"}},{"money":{"minor_units":-0,"currency":"RUB"}},
            {"date":{"value":"2026-05-05","say_year":true}},{"time":"08:30"},{"duration":125000},{"spell":"АБ1"},
            {"silence":300},{"tone":"beep"},{"media":"welcome"},{"ssml":"<speak>Да</speak>"}],"lang":"ru-RU"}"##;
        let prompt = Prompt::from_json(json).unwrap();
        assert_eq!(prompt.segments.len(), 15);
        assert!(prompt.cacheable);
        let again = Prompt::from_json(&serde_json::to_string(&prompt).unwrap()).unwrap();
        assert_eq!(again, prompt);
        assert_eq!(Prompt::from_json("[]").unwrap().segments.len(), 0);
    }

    #[test]
    fn a_refusal_names_the_place_and_the_remedy() {
        refused("[", "line 1 column 1", "not JSON");
        refused("7", "the whole", "list of segments");
        refused("{}", "the whole", "write {\"segments\"");
        refused(r#"{"segments":{}}"#, "the whole", "not a list");
        refused(r#"{"segments":[],"language":"ru"}"#, "the whole", "`lang`");
        refused(r#"{"segments":[],"lang":"russian"}"#, "the whole", "such as `ru`");
        refused(r#"[{"text":"a"},"b"]"#, "segment 2", "write {\"text\"");
        refused(r#"[{"text":"a","tone":"beep"}]"#, "segment 1", "exactly one key");
        refused(r#"[{"texte":"a"}]"#, "segment 1 (`texte`)", "`text`");
        refused(r#"[{"number":{"value":1,"genre":"feminine"}}]"#, "segment 1 (`number`)", "`gender`");
        refused(r#"[{"number":{"value":1.5}}]"#, "segment 1 (`number`)", "`decimal`");
        refused(r#"[{"number":{"value":1,"case":"vocative"}}]"#, "segment 1 (`number`)", "`nominative`");
        refused(r#"[{"date":{"value":"2026-02-30"}}]"#, "segment 1 (`date`)", "year-month-day");
        refused(r#"[{"time":"24:00"}]"#, "segment 1 (`time`)", "23:59");
        refused(r#"[{"digits":{"digits":"12a"}}]"#, "segment 1 (`digits`)", "0-9");
        refused(r#"[{"digits":{"digits":"- "}}]"#, "segment 1 (`digits`)", "leave the segment out");
        refused(r#"[{"money":{"minor_units":1,"currency":"rub"}}]"#, "segment 1 (`money`)", "RUB");
        refused(r#"[{"silence":60001}]"#, "segment 1 (`silence`)", "limit of 60000");
        refused(r#"[{"silence":-1}]"#, "segment 1 (`silence`)", "u32");
        refused(r#"[{"decimal":{"unscaled":1,"scale":10}}]"#, "segment 1 (`decimal`)", "limit of 9");
        refused(r#"[{"media":"../../etc/passwd"}]"#, "segment 1 (`media`)", "name");
        refused(r#"[{"tone":"bang"}]"#, "segment 1 (`tone`)", "beep");
        refused(r#"[{"ssml":"<speak><audio src='x'/></speak>"}]"#, "segment 1 (`ssml`)", "audio");
        refused(r#"[{"counted":{"value":1,"noun":{"one":" "}}}]"#, "segment 1 (`counted`)", "`one`");
        refused(&format!(r#"[{{"text":"{}"}}]"#, "я".repeat(4_001)), "segment 1 (`text`)", "split");
        assert_eq!(
            Prompt::from_json(&format!("[{}]", vec![r#"{"silence":1}"#; 201].join(","))).unwrap_err(),
            SpeechError::TooManySegments { count: 201, max: 200 }
        );
    }

    #[test]
    fn debug_shows_nothing_private() {
        let prompt =
            Prompt::from_json(r#"[{"digits":{"digits":"89130001122"}},{"spell":"ИВАНОВ"},{"text":"код 4455"}]"#)
                .unwrap();
        let shown = format!("{prompt:?}");
        for secret in ["8913", "1122", "ИВАНОВ", "4455"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
