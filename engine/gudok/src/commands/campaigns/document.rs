//! A campaign's file: TOML or JSON, both of the API's form.

use super::super::remote::Failure;
use anyhow::Context;
use serde_json::{Map, Value};
use std::io::Read as _;
use std::path::Path;

/// A file of a campaign has at most so many bytes.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024;

/// Every field, with its default and its meaning.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

/// Reads a campaign's file; JSON where its first character says so.
pub(super) fn read(path: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(DOCUMENT_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path);
        let file = file.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        file.take(DOCUMENT_BYTES_MAX + 1).read_to_string(&mut text)
    };
    read.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    if text.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(Failure::Usage(format!("{}: a campaign's file has at most 256 KiB", path.display())));
    }
    parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn parse(text: &str) -> Result<Value, String> {
    let value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        json_of(toml::Value::Table(text.parse::<toml::Table>().map_err(|error| error.to_string())?))
    };
    if value.is_object() { Ok(value) } else { Err("it is no document".to_owned()) }
}

/// TOML as JSON; a date is the text that it is.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json_of).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, json_of(value))).collect())
        }
    }
}

/// As a TOML file.
pub(super) fn written(document: &Value) -> Result<String, Failure> {
    let text = toml::to_string_pretty(&without_nulls(document)).context("writing the campaign's file")?;
    Ok(text)
}

/// TOML has no null: what is not there is left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Sets one field, by its dotted name. The value is TOML where it can be, else text; nothing takes the field away.
pub(super) fn set(document: &mut Value, field: &str, value: &str) -> Result<(), Failure> {
    let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    let value = match parsed {
        Some(value) => json_of(value),
        None => value.into(),
    };
    let mut at = document;
    let mut parts = field.split('.').peekable();
    while let Some(part) = parts.next() {
        let object = match at {
            Value::Object(object) => object,
            Value::Null => {
                *at = Value::Object(Map::new());
                let Value::Object(object) = at else { break };
                object
            }
            _ => return Err(Failure::Usage(format!("--set {field}: there are no fields below {part}"))),
        };
        if parts.peek().is_none() {
            if value == Value::String(String::new()) {
                object.remove(part);
            } else {
                object.insert(part.to_owned(), value);
            }
            return Ok(());
        }
        at = object.entry(part.to_owned()).or_insert(Value::Null);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_admin::books::campaign_settings;
    use gudok_admin::documents::CampaignDocument;
    use serde_json::json;

    #[test]
    fn the_example_is_a_campaign_with_the_defaults_that_it_names() {
        let document = parse(EXAMPLE).unwrap();
        let example: CampaignDocument = serde_json::from_value(document.clone()).unwrap();
        campaign_settings("spring", &example, &"ru-RU".into()).unwrap();
        let short = json!({
            "agency": document["agency"], "entry": document["entry"], "trunk": document["trunk"],
            "title": document["title"],
        });
        let short: CampaignDocument = serde_json::from_value(short).unwrap();
        assert_eq!(example, short, "the example shows other values than the defaults");
    }

    #[test]
    fn a_file_may_be_toml_or_json_and_comes_back() {
        let toml = "agency = \"tax\"\nstarts = 2026-05-04T09:00:00+07:00\n[retries.busy]\nafter_s = 60\n";
        let document = parse(toml).unwrap();
        assert_eq!(document["starts"], "2026-05-04T09:00:00+07:00");
        assert_eq!(parse(&document.to_string()).unwrap(), document);
        assert_eq!(parse(&written(&document).unwrap()).unwrap(), document);
        for wrong in ["agency", "{", "agency = "] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_field_is_set_by_its_name() {
        let mut document = json!({ "agency": "tax", "lang": "ru-RU" });
        set(&mut document, "calls_per_s_max", "3").unwrap();
        set(&mut document, "retries.busy.after_s", "900").unwrap();
        set(&mut document, "window", "daily 10:00-12:00").unwrap();
        set(&mut document, "confirm", "true").unwrap();
        set(&mut document, "lang", "").unwrap();
        let expected = json!({
            "agency": "tax", "calls_per_s_max": 3, "retries": { "busy": { "after_s": 900 } },
            "window": "daily 10:00-12:00", "confirm": true,
        });
        assert_eq!(document, expected);
        assert!(set(&mut document, "agency.name", "x").is_err());
    }
}
