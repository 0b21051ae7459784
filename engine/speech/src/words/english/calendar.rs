//! Days, times of day and spans of time.

use super::numerals::{ordinal, positive};
use crate::prompt::{DateSpec, TimeOfDay};

/// "Tuesday, May fifth, twenty twenty-six".
pub(super) fn date(spec: DateSpec) -> String {
    let mut words = String::new();
    if spec.say_weekday {
        words.push_str(WEEKDAYS[spec.value.days_from_monday() % WEEKDAYS.len()]);
        words.push_str(", ");
    }
    words.push_str(MONTHS[(spec.value.month() + MONTHS.len() - 1) % MONTHS.len()]);
    words.push(' ');
    words.push_str(&ordinal(spec.value.day()));
    if spec.say_year {
        words.push_str(", ");
        words.push_str(&year(spec.value.year().unsigned_abs()));
    }
    words
}

/// "eight thirty a.m."; the two twelves are named.
pub(super) fn time(time: TimeOfDay) -> String {
    match (time.hour(), time.minute()) {
        (0, 0) => return "twelve midnight".to_owned(),
        (12, 0) => return "twelve noon".to_owned(),
        _ => {}
    }
    let half = if time.hour() < 12 { "a.m." } else { "p.m." };
    let hour = positive(match time.hour() % 12 {
        0 => 12,
        hour => hour.into(),
    });
    match time.minute() {
        0 => format!("{hour} {half}"),
        minute @ 1..=9 => format!("{hour} oh {} {half}", positive(minute.into())),
        minute => format!("{hour} {} {half}", positive(minute.into())),
    }
}

/// "one hour two minutes": what is zero is left out, except when all is.
pub(super) fn duration(ms: u32) -> String {
    let seconds = u64::from(ms.saturating_add(500) / 1000);
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{} {unit}{}", positive(n), if n == 1 { "" } else { "s" }))
        .collect();
    if said.is_empty() { "zero seconds".to_owned() } else { said.join(" ") }
}

/// 1985 is "nineteen eighty-five", 1905 "nineteen oh five", 2005 "two thousand five".
fn year(year: u64) -> String {
    let (century, rest) = (year / 100, year % 100);
    match rest {
        _ if year < 1000 || year % 1000 < 10 => positive(year),
        0 => format!("{} hundred", positive(century)),
        1..=9 => format!("{} oh {}", positive(century), positive(rest)),
        _ => format!("{} {}", positive(century), positive(rest)),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{Case, Date};

    #[test]
    fn dates() {
        for ((y, m, d), expect) in [
            ((2026, 5, 5), "Tuesday, May fifth, twenty twenty-six"),
            ((2005, 1, 31), "Monday, January thirty-first, two thousand five"),
            ((2000, 2, 29), "Tuesday, February twenty-ninth, two thousand"),
            ((1985, 12, 1), "Sunday, December first, nineteen eighty-five"),
            ((1905, 7, 22), "Saturday, July twenty-second, nineteen oh five"),
            ((1900, 1, 1), "Monday, January first, nineteen hundred"),
        ] {
            let value = Date::new(y, m, d).unwrap();
            assert_eq!(date(DateSpec { value, case: Case::Nominative, say_year: true, say_weekday: true }), expect);
        }
    }

    #[test]
    fn times_and_durations() {
        for ((hour, minute), expect) in [
            ((8, 30), "eight thirty a.m."),
            ((0, 0), "twelve midnight"),
            ((0, 5), "twelve oh five a.m."),
            ((12, 0), "twelve noon"),
            ((12, 45), "twelve forty-five p.m."),
            ((23, 0), "eleven p.m."),
        ] {
            assert_eq!(time(TimeOfDay::new(hour, minute).unwrap()), expect);
        }
        assert_eq!(duration(3_661_000), "one hour one minute one second");
        assert_eq!(duration(172_800_000), "two days");
        assert_eq!(duration(0), "zero seconds");
    }
}
