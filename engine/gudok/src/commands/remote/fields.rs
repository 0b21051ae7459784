//! Reading the API's JSON for a table. A field that is not there is an empty cell: an older command speaks with a newer
//! engine.

use super::output::{Cell, Paint};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

/// Digits of a version's id that are shown; enough to tell versions apart, and `gudok` takes them for the whole id.
pub(crate) const ID_SHOWN: usize = 12;

/// A field as text; a list with commas.
pub(crate) fn text(value: &Value, field: &str) -> String {
    words(&value[field])
}

/// A value as text.
pub(crate) fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A field as a cell.
pub(crate) fn cell(value: &Value, field: &str) -> Cell {
    Cell::new(text(value, field))
}

/// The first of these fields that is there.
pub(crate) fn first<'a>(value: &'a Value, fields: &[&str]) -> &'a Value {
    fields.iter().map(|field| &value[*field]).find(|found| !found.is_null()).unwrap_or(&Value::Null)
}

/// A count, 0 where there is none.
pub(crate) fn count(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

/// A moment: RFC 3339, or milliseconds since 1970.
pub(crate) fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(ms) => Timestamp::from_millisecond(ms.as_i64()?).ok(),
        _ => None,
    }
}

/// A moment as this machine's clock on the wall has it.
pub(crate) fn local(value: &Value) -> String {
    timestamp(value).map_or_else(|| words(value), |moment| on_the_wall(moment, &TimeZone::system()))
}

fn on_the_wall(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A field as a moment.
pub(crate) fn moment(value: &Value, field: &str) -> Cell {
    Cell::new(local(&value[field]))
}

/// How long ago, "3:05".
pub(crate) fn age(value: &Value, now: Timestamp) -> String {
    let Some(since) = timestamp(value) else { return String::new() };
    let seconds = now.duration_since(since).as_secs().max(0);
    if seconds < 3_600 {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

/// A version's id, short.
pub(crate) fn short(id: &str) -> &str {
    id.get(..ID_SHOWN).unwrap_or(id)
}

/// A text whose hashes are short: for reading, not for copying.
pub(crate) fn with_short_hashes(text: &str) -> String {
    const HASH_DIGITS: usize = 64;
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let is_hash = word.len() == HASH_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        short.push_str(if is_hash { &word[..ID_SHOWN] } else { word });
        let separator = behind.chars().next().map_or(0, char::len_utf8);
        short.push_str(&behind[..separator]);
        rest = &behind[separator..];
    }
    short
}

/// A live version of a deployment: "1.2.0 (3f2a…)".
pub(crate) fn label(live: &Value) -> String {
    match (live["label"].as_str(), live["version"].as_str()) {
        (Some(label), Some(id)) => format!("{label} ({})", short(id)),
        (None, Some(id)) => short(id).to_owned(),
        (label, None) => label.unwrap_or_default().to_owned(),
    }
}

/// Roles as people write them: "admin, author:mfc".
pub(crate) fn roles(value: &Value) -> String {
    let one = |role: &Value| match (role["role"].as_str(), role["agency"].as_str()) {
        (Some(name), Some(agency)) => format!("{name}:{agency}"),
        (Some(name), None) => name.to_owned(),
        _ => words(role),
    };
    value.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// A share of a whole, "12.5 %".
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// "yes", or nothing.
pub(crate) fn yes(value: &Value, field: &str, paint: Paint) -> Cell {
    Cell::new(if value[field] == true { "yes" } else { "" }).paint(paint)
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    const KIB: u64 = 1_024;
    if bytes < KIB * KIB {
        format!("{} KiB", bytes.div_ceil(KIB))
    } else {
        format!("{:.1} MiB", bytes as f64 / (KIB * KIB) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_read_in_both_forms() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        for value in [json!("2026-05-04T19:30:00Z"), json!(1_777_923_000_000_u64)] {
            assert_eq!(on_the_wall(timestamp(&value).unwrap(), &zone), "2026-05-05 02:30:00");
        }
        assert_eq!(local(&json!("soon")), "soon");
    }

    #[test]
    fn ages_and_shares_are_short() {
        let now: Timestamp = "2026-05-04T19:30:00Z".parse().unwrap();
        assert_eq!(age(&json!("2026-05-04T19:26:55Z"), now), "3:05");
        assert_eq!(age(&json!("2026-05-04T17:26:55Z"), now), "2:03:05");
        assert_eq!(age(&Value::Null, now), "");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(0, 0), "");
    }

    #[test]
    fn hashes_are_short_in_a_text() {
        let hash = "8637b1e5f50cdfad6fd81dbd286aa0c20a5bfb9bf0fdf36540f26726fd238fc2";
        assert_eq!(with_short_hashes(&format!("version:{hash} → «{hash}»")), "version:8637b1e5f50c → «8637b1e5f50c»");
        assert_eq!(with_short_hashes("mfc/desk, ничего"), "mfc/desk, ничего");
    }

    #[test]
    fn roles_are_read_with_their_agency() {
        let given = json!([{"role": "admin", "agency": null}, {"role": "author", "agency": "mfc"}]);
        assert_eq!(roles(&given), "admin, author:mfc");
    }
}
