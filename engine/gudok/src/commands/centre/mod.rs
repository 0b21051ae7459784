//! What the people of the centre do with a running engine: operators, queues, callbacks, tickets, the directory, reports.

pub(crate) mod callbacks;
pub(crate) mod directory;
pub(crate) mod guides;
pub(crate) mod operators;
pub(crate) mod queues;
pub(crate) mod reports;
pub(crate) mod supervise;
pub(crate) mod tickets;

use super::remote::{Failure, fields, is_interactive};
use jiff::Timestamp;
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// The agency to look at, where one was named.
fn of_agency(agency: Option<&String>) -> Vec<(&'static str, String)> {
    agency.map(|agency| ("agency", agency.clone())).into_iter().collect()
}

/// How long ago, or how long until: "-1:05".
fn until(value: &Value, now: Timestamp) -> String {
    let Some(moment) = fields::timestamp(value) else { return String::new() };
    let seconds = moment.duration_since(now).as_secs();
    let (sign, seconds) = if seconds < 0 { ("-", -seconds) } else { ("", seconds) };
    format!("{sign}{}:{:02}", seconds / 60, seconds % 60)
}

/// A file's text; `-` is standard input.
fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{} is not UTF-8", path.display())))
}

/// A file's bytes; `-` is standard input.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())));
    }
    if is_interactive() {
        return Err(Failure::Usage("nothing comes on standard input".into()));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_due_is_told_from_what_is_overdue() {
        let now: Timestamp = "2026-05-04T19:30:00Z".parse().unwrap();
        assert_eq!(until(&json!("2026-05-04T19:31:05Z"), now), "1:05");
        assert_eq!(until(&json!("2026-05-04T19:28:55Z"), now), "-1:05");
        assert_eq!(until(&Value::Null, now), "");
    }
}
