//! How the console writes numbers, times and sizes: in the reader's language, in the node's time zone.

use super::texts::Lang;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Between groups of three digits in Russian; narrow spaces are missing in many fonts.
const NO_BREAK: char = '\u{a0}';

/// "1 234 567" or "1,234,567".
#[must_use]
pub(crate) fn number(lang: Lang, number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(if lang == Lang::Ru { NO_BREAK } else { ',' });
        }
        written.push(digit);
    }
    written
}

/// "12,5" or "12.5"; no more digits than asked for, none where they are zeros.
#[must_use]
pub(crate) fn decimal(lang: Lang, number: f64, digits_max: usize) -> String {
    let written = format!("{number:.digits_max$}");
    let written = match written.split_once('.') {
        Some(_) => written.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => written,
    };
    if lang == Lang::Ru { written.replace('.', ",") } else { written }
}

/// A share of a whole, "12,5 %"; a dash where there is no whole.
#[must_use]
pub(crate) fn percent(lang: Lang, part: u64, whole: u64) -> String {
    if whole == 0 {
        return "—".to_owned();
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^52")]
    let share = part as f64 * 100.0 / whole as f64;
    of_hundred(lang, share)
}

/// "12,5 %" or "12.5%".
#[must_use]
pub(crate) fn of_hundred(lang: Lang, percent: f64) -> String {
    let written = decimal(lang, percent, 1);
    if lang == Lang::Ru { format!("{written}{NO_BREAK}%") } else { format!("{written}%") }
}

/// "1,4 МБ" or "1.4 MB", by thousands.
#[must_use]
pub(crate) fn bytes(lang: Lang, bytes: u64) -> String {
    let units = if lang == Lang::Ru { ["Б", "КБ", "МБ", "ГБ"] } else { ["B", "kB", "MB", "GB"] };
    #[allow(clippy::cast_precision_loss, reason = "sizes of files stay far below 2^52")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1_000.0;
        unit += 1;
    }
    let digits_max = usize::from(unit > 0 && size < 100.0);
    format!("{}{NO_BREAK}{}", decimal(lang, size, digits_max), units[unit])
}

/// "0:07", "12:34", "1:02:03".
#[must_use]
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A moment within a call: "0:07.250".
#[must_use]
pub(crate) fn offset(lang: Lang, ms: u32) -> String {
    let mark = if lang == Lang::Ru { ',' } else { '.' };
    format!("{}{mark}{:03}", duration(u64::from(ms)), ms % 1_000)
}

/// How long something took: "3 мс", "1,25 с".
#[must_use]
pub(crate) fn took(lang: Lang, ms: u64) -> String {
    let (short, long) = if lang == Lang::Ru { ("мс", "с") } else { ("ms", "s") };
    if ms < 1_000 {
        return format!("{ms}{NO_BREAK}{short}");
    }
    #[allow(clippy::cast_precision_loss, reason = "a call's steps last minutes")]
    let seconds = ms as f64 / 1_000.0;
    format!("{}{NO_BREAK}{long}", decimal(lang, seconds, 2))
}

/// A moment, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// RFC 3339, for `<time datetime>`.
    pub(crate) machine: String,
    /// "25.11.2025 14:05:09" or "25 Nov 2025 14:05:09", in the node's time zone.
    pub(crate) people: String,
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.people)
    }
}

/// A moment by milliseconds since 1970.
#[must_use]
pub(crate) fn moment(lang: Lang, zone: &TimeZone, ms: u64) -> Moment {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    written(lang, zone, at)
}

/// A moment by its RFC 3339 text; what is no moment stays as it is.
#[must_use]
pub(crate) fn moment_of(lang: Lang, zone: &TimeZone, rfc3339: &str) -> Moment {
    rfc3339.parse::<Timestamp>().map_or_else(
        |_| Moment { machine: rfc3339.to_owned(), people: rfc3339.to_owned() },
        |at| written(lang, zone, at),
    )
}

fn written(lang: Lang, zone: &TimeZone, at: Timestamp) -> Moment {
    let form = if lang == Lang::Ru { "%d.%m.%Y %H:%M:%S" } else { "%-d %b %Y %H:%M:%S" };
    let people = at.to_zoned(zone.clone()).strftime(form).to_string();
    Moment { machine: at.to_string(), people }
}

/// Only the time of day: "14:05:09".
#[must_use]
pub(crate) fn clock(zone: &TimeZone, ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The time of day to the minute, as it is told to callers: "14:05".
#[must_use]
pub(crate) fn hour(zone: &TimeZone, ms: u64) -> String {
    let clock = clock(zone, ms);
    clock.get(..5).unwrap_or_default().to_owned()
}

/// A moment as `<input type="datetime-local">` has it.
#[must_use]
pub(crate) fn local_input(zone: &TimeZone, ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// What came out of `<input type="datetime-local">`, as milliseconds since 1970.
#[must_use]
pub(crate) fn of_local_input(zone: &TimeZone, text: &str) -> Option<u64> {
    let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
    let at = civil.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond();
    u64::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_language_has_them() {
        assert_eq!(number(Lang::Ru, 1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(number(Lang::En, 1_234_567), "1,234,567");
        assert_eq!(number(Lang::En, 999), "999");
        assert_eq!(decimal(Lang::Ru, 2.50, 2), "2,5");
        assert_eq!(decimal(Lang::En, 3.0, 1), "3");
        assert_eq!(percent(Lang::Ru, 1, 8), "12,5\u{a0}%");
        assert_eq!(percent(Lang::En, 1, 8), "12.5%");
        assert_eq!(percent(Lang::En, 0, 0), "—");
        assert_eq!(bytes(Lang::Ru, 1_440_000), "1,4\u{a0}МБ");
        assert_eq!(bytes(Lang::En, 999), "999\u{a0}B");
        assert_eq!(bytes(Lang::En, 999_700), "1\u{a0}MB");
        assert_eq!(duration(3_723_000), "1:02:03");
        assert_eq!(duration(754_999), "12:34");
        assert_eq!(offset(Lang::Ru, 7_250), "0:07,250");
        assert_eq!(took(Lang::En, 1_250), "1.25\u{a0}s");
    }

    #[test]
    fn times_are_the_nodes() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let at = moment_of(Lang::Ru, &zone, "2025-11-25T07:05:09Z");
        assert_eq!(at.people, "25.11.2025 14:05:09");
        assert_eq!(at.machine, "2025-11-25T07:05:09Z");
        assert_eq!(moment_of(Lang::En, &zone, "2025-11-25T07:05:09Z").people, "25 Nov 2025 14:05:09");
        assert_eq!(moment_of(Lang::En, &zone, "soon").people, "soon");
        let ms = of_local_input(&zone, "2025-11-25T14:05").unwrap();
        assert_eq!(local_input(&zone, ms), "2025-11-25T14:05");
        assert_eq!(clock(&zone, ms), "14:05:00");
        assert_eq!(of_local_input(&zone, "yesterday"), None);
        assert_eq!(moment(Lang::En, &TimeZone::UTC, u64::MAX).machine, Timestamp::MAX.to_string());
    }
}
