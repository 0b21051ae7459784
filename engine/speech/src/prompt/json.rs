//! Reads a prompt from JSON, strictly: every refusal names the segment and the remedy.

use serde_json::Value;

use super::{Prompt, Segment};
use crate::error::{SpeechError, shortened};

/// Longest JSON text read, in bytes.
const JSON_BYTES_MAX: usize = 256 * 1024;

const KINDS: &str =
    "text, ssml, media, number, ordinal, decimal, counted, digits, money, date, time, duration, spell, silence, tone";

impl Prompt {
    /// Reads a list of segments, or an object with `segments` and, if wanted, `lang`, `voice` and `cacheable`.
    ///
    /// # Errors
    /// [`SpeechError::Json`], [`SpeechError::Segment`] or [`SpeechError::TooManySegments`], naming place and remedy.
    pub fn from_json(text: &str) -> Result<Self, SpeechError> {
        if text.len() > JSON_BYTES_MAX {
            return Err(whole_prompt(format!("{} bytes are over the limit of {JSON_BYTES_MAX}: split it", text.len())));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| SpeechError::Json {
            place: format!("line {} column {}", error.line(), error.column()),
            problem: format!("not JSON: {error}"),
        })?;
        Self::from_json_value(value)
    }

    /// As [`Prompt::from_json`], from JSON that is already parsed.
    ///
    /// # Errors
    /// As [`Prompt::from_json`].
    pub fn from_json_value(value: Value) -> Result<Self, SpeechError> {
        let (segments, frame) = match value {
            Value::Array(segments) => (segments, Value::Object(serde_json::Map::new())),
            Value::Object(mut frame) => match frame.remove("segments") {
                Some(Value::Array(segments)) => (segments, Value::Object(frame)),
                Some(_) => {
                    return Err(whole_prompt("`segments` is not a list: write [{\"text\": \"…\"}, …]".to_owned()));
                }
                None => {
                    return Err(whole_prompt(
                        "an object without `segments`: write {\"segments\": […], \"lang\": \"ru-RU\"}, or a bare list of segments".to_owned(),
                    ));
                }
            },
            _ => return Err(whole_prompt("neither a list of segments nor an object with `segments`".to_owned())),
        };
        let mut prompt = frame_of(frame)?;
        for (place, segment) in segments.into_iter().enumerate() {
            prompt.segments.push(segment_of(place + 1, segment)?);
        }
        prompt.check()?;
        Ok(prompt)
    }
}

/// Everything but the segments: so that a fault in `lang` is not blamed on a segment.
fn frame_of(mut frame: Value) -> Result<Prompt, SpeechError> {
    if let Some(fields) = frame.as_object_mut() {
        fields.insert("segments".to_owned(), Value::Array(Vec::new()));
    }
    serde_json::from_value(frame).map_err(|error| whole_prompt(error.to_string()))
}

fn segment_of(place: usize, value: Value) -> Result<Segment, SpeechError> {
    let kind = match value.as_object() {
        Some(object) if object.len() == 1 => object.keys().next().map(|key| shortened(key)).unwrap_or_default(),
        Some(object) => {
            return Err(SpeechError::Json {
                place: format!("segment {place}"),
                problem: format!("a segment has exactly one key, this has {}: one of {KINDS}", object.len()),
            });
        }
        None => {
            return Err(SpeechError::Json {
                place: format!("segment {place}"),
                problem: format!("not an object: write {{\"text\": \"…\"}}, or another of {KINDS}"),
            });
        }
    };
    serde_json::from_value(value)
        .map_err(|error| SpeechError::Json { place: format!("segment {place} (`{kind}`)"), problem: error.to_string() })
}

fn whole_prompt(problem: String) -> SpeechError {
    SpeechError::Json { place: "the whole".to_owned(), problem }
}
