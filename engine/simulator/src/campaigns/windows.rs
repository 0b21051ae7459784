//! When somebody may be called, worked out once more and in another way than the machine does: a checker that asked the
//! machine's own rule would find nothing.

use gudok_core::campaign::{CallWindow, ZoneRule};
use gudok_core::time::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Days from the Unix epoch to a date.
pub(super) fn day_number(date: Date) -> u16 {
    let epoch = Date::constant(1970, 1, 1);
    u16::try_from((date - epoch).get_days()).unwrap_or_default()
}

/// What clocks there show.
pub(super) fn local(zone: &TimeZone, wall: Timestamp) -> DateTime {
    let micros = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX);
    zone.to_datetime(jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX))
}

/// Whether it is within the window in every zone where the number may be.
pub(super) fn is_open(window: &CallWindow, holidays: &[Date], rule: &ZoneRule, wall: Timestamp) -> bool {
    rule.zones.iter().all(|zone| {
        let now = local(zone, wall);
        let weekday = usize::try_from(now.date().weekday().to_monday_zero_offset()).unwrap_or_default();
        let hours = window.exceptions.get(&now.date()).unwrap_or(&window.week[weekday]);
        let within = |from: Time, to: Time| from <= now.time() && (to == Time::midnight() || now.time() < to);
        !holidays.contains(&now.date()) && hours.iter().any(|hours| within(hours.from(), hours.to()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::calendar::Hours;
    use jiff::civil::{date, time};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[test]
    fn a_window_is_open_where_it_is_open_everywhere() {
        let hours = vec![Hours::new(time(9, 0, 0, 0), time(21, 0, 0, 0)).unwrap()];
        let window = CallWindow {
            week: std::array::from_fn(|day| if day < 6 { hours.clone() } else { Vec::new() }),
            exceptions: BTreeMap::from([(date(2026, 5, 10), hours.clone()), (date(2026, 5, 6), Vec::new())]),
        };
        let at = |text: &str| {
            let moment: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap())
        };
        let check = |hours: &[i8], text: &str, expect: bool| {
            let zones = hours.iter().map(|hours| TimeZone::fixed(jiff::tz::offset(*hours))).collect();
            let rule = ZoneRule { name: Arc::from("z"), zones };
            assert_eq!(is_open(&window, &[date(2026, 5, 9)], &rule, at(text)), expect, "{hours:?} {text}");
        };
        check(&[7], "2026-05-05T02:00:00Z", true);
        check(&[7], "2026-05-05T01:59:59Z", false);
        check(&[7], "2026-05-05T13:59:59Z", true);
        check(&[7], "2026-05-05T14:00:00Z", false);
        check(&[3, 7], "2026-05-05T02:00:00Z", false);
        check(&[3, 7], "2026-05-05T06:00:00Z", true);
        // A day off, a holiday, a Sunday that is worked, one that is not.
        check(&[0], "2026-05-06T12:00:00Z", false);
        check(&[0], "2026-05-09T12:00:00Z", false);
        check(&[0], "2026-05-10T12:00:00Z", true);
        check(&[0], "2026-05-17T12:00:00Z", false);
        assert_eq!(day_number(date(1970, 1, 2)), 1);
        assert_eq!(local(&TimeZone::fixed(jiff::tz::offset(7)), at("2026-05-05T20:00:00Z")).date(), date(2026, 5, 6));
    }
}
