//! Times as the API writes them: RFC 3339 in UTC.

use crate::problem::Problem;
use gudok_store::UtcMs;
use std::time::Duration;

/// A moment as it is written: `2026-05-04T19:30:00.000Z`.
#[must_use]
pub fn written(ms: u64) -> String {
    UtcMs(ms).to_rfc3339()
}

/// A moment as it was written.
///
/// # Errors
/// `invalid-field`.
pub fn read(field: &str, text: &str) -> Result<u64, Problem> {
    let stamp = text.parse::<jiff::Timestamp>().ok();
    stamp
        .and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok())
        .ok_or_else(|| Problem::invalid(field, "A time is RFC 3339, such as 2026-05-04T19:30:00Z, from 1970 on."))
}

/// A moment that may be missing.
///
/// # Errors
/// `invalid-field`.
pub fn read_some(field: &str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    text.map(|text| read(field, text)).transpose()
}

/// In milliseconds.
pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(read("at", &written(1_777_923_000_123)).unwrap(), 1_777_923_000_123);
        assert_eq!(read("at", "2026-05-05T02:30:00+07:00").unwrap(), read("at", "2026-05-04T19:30:00Z").unwrap());
        assert!(read("at", "yesterday").is_err() && read("at", "1960-01-01T00:00:00Z").is_err());
    }
}
