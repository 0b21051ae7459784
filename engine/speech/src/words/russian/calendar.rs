//! Days, times of day and spans of time.

use super::{Forms, Triple, ordinal, with_noun};
use crate::prompt::{Case, DateSpec, Gender, NumberSpec, TimeOfDay};

/// "вторник, пятое мая две тысячи двадцать шестого года": weekday and day stand in the case, the rest does not change.
pub(super) fn date(spec: DateSpec) -> String {
    let mut words = String::new();
    if spec.say_weekday {
        words.push_str(WEEKDAYS[spec.value.days_from_monday() % WEEKDAYS.len()][spec.case as usize]);
        words.push_str(", ");
    }
    let day = NumberSpec { value: spec.value.day(), gender: Gender::Neuter, case: spec.case };
    words.push_str(&ordinal::words(day));
    words.push(' ');
    words.push_str(MONTHS[(spec.value.month() + MONTHS.len() - 1) % MONTHS.len()]);
    if spec.say_year {
        let year = NumberSpec { value: spec.value.year(), gender: Gender::Masculine, case: Case::Genitive };
        words.push(' ');
        words.push_str(&ordinal::words(year));
        words.push_str(" года");
    }
    words
}

/// "восемь часов тридцать минут"; at the full hour without minutes.
pub(super) fn time(time: TimeOfDay) -> String {
    let hours = with_noun(time.hour().into(), Gender::Masculine, HOURS);
    if time.minute() == 0 {
        return hours;
    }
    format!("{hours} {}", with_noun(time.minute().into(), Gender::Feminine, MINUTES))
}

/// "один час две минуты": what is zero is left out, except when all is.
pub(super) fn duration(ms: u32) -> String {
    let seconds = u64::from(ms.saturating_add(500) / 1000);
    let parts = [
        (seconds / 86_400, Gender::Masculine, DAYS),
        (seconds / 3_600 % 24, Gender::Masculine, HOURS),
        (seconds / 60 % 60, Gender::Feminine, MINUTES),
        (seconds % 60, Gender::Feminine, SECONDS),
    ];
    let said: Vec<String> =
        parts.into_iter().filter(|(n, ..)| *n > 0).map(|(n, gender, forms)| with_noun(n, gender, forms)).collect();
    if said.is_empty() { with_noun(0, Gender::Feminine, SECONDS) } else { said.join(" ") }
}

const DAYS: Triple = ["день", "дня", "дней"];
const HOURS: Triple = ["час", "часа", "часов"];
const MINUTES: Triple = ["минута", "минуты", "минут"];
const SECONDS: Triple = ["секунда", "секунды", "секунд"];

const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// From Monday.
const WEEKDAYS: [Forms; 7] = [
    ["понедельник", "понедельника", "понедельнику", "понедельник", "понедельником", "понедельнике"],
    ["вторник", "вторника", "вторнику", "вторник", "вторником", "вторнике"],
    ["среда", "среды", "среде", "среду", "средой", "среде"],
    ["четверг", "четверга", "четвергу", "четверг", "четвергом", "четверге"],
    ["пятница", "пятницы", "пятнице", "пятницу", "пятницей", "пятнице"],
    ["суббота", "субботы", "субботе", "субботу", "субботой", "субботе"],
    ["воскресенье", "воскресенья", "воскресенью", "воскресенье", "воскресеньем", "воскресенье"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::Date;

    #[test]
    fn dates_in_every_case() {
        // 5 May 2026 is a Tuesday.
        for (case, expect) in [
            (Case::Nominative, "вторник, пятое мая две тысячи двадцать шестого года"),
            (Case::Genitive, "вторника, пятого мая две тысячи двадцать шестого года"),
            (Case::Dative, "вторнику, пятому мая две тысячи двадцать шестого года"),
            (Case::Accusative, "вторник, пятое мая две тысячи двадцать шестого года"),
            (Case::Instrumental, "вторником, пятым мая две тысячи двадцать шестого года"),
            (Case::Prepositional, "вторнике, пятом мая две тысячи двадцать шестого года"),
        ] {
            let value = Date::new(2026, 5, 5).unwrap();
            assert_eq!(date(DateSpec { value, case, say_year: true, say_weekday: true }), expect);
        }
    }

    #[test]
    fn days_months_and_years() {
        for ((year, month, day), expect) in [
            ((2000, 1, 1), "первого января двухтысячного года"),
            ((1900, 2, 3), "третьего февраля тысяча девятисотого года"),
            ((1985, 3, 8), "восьмого марта тысяча девятьсот восемьдесят пятого года"),
            ((2001, 9, 11), "одиннадцатого сентября две тысячи первого года"),
            ((2010, 12, 31), "тридцать первого декабря две тысячи десятого года"),
            ((2024, 2, 29), "двадцать девятого февраля две тысячи двадцать четвёртого года"),
            ((1000, 10, 20), "двадцатого октября тысячного года"),
            ((1007, 11, 23), "двадцать третьего ноября тысяча седьмого года"),
            ((9999, 8, 30), "тридцатого августа девять тысяч девятьсот девяносто девятого года"),
        ] {
            let value = Date::new(year, month, day).unwrap();
            assert_eq!(date(DateSpec { value, case: Case::Genitive, say_year: true, say_weekday: false }), expect);
        }
        for (year, month, day) in
            [(0, 1, 1), (2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 4, 31), (10_000, 1, 1), (65_535, 1, 1)]
        {
            assert_eq!(Date::new(year, month, day), None);
        }
    }

    #[test]
    fn times_of_day() {
        for ((hour, minute), expect) in [
            ((8, 30), "восемь часов тридцать минут"),
            ((0, 5), "ноль часов пять минут"),
            ((1, 1), "один час одна минута"),
            ((21, 22), "двадцать один час двадцать две минуты"),
            ((2, 11), "два часа одиннадцать минут"),
            ((14, 0), "четырнадцать часов"),
            ((23, 59), "двадцать три часа пятьдесят девять минут"),
        ] {
            assert_eq!(time(TimeOfDay::new(hour, minute).unwrap()), expect);
        }
        assert_eq!(TimeOfDay::new(24, 0), None);
        assert_eq!(TimeOfDay::new(0, 60), None);
    }

    #[test]
    fn durations() {
        for (ms, expect) in [
            (0, "ноль секунд"),
            (499, "ноль секунд"),
            (500, "одна секунда"),
            (40_000, "сорок секунд"),
            (125_000, "две минуты пять секунд"),
            (3_600_000, "один час"),
            (5_401_000, "один час тридцать минут одна секунда"),
            (93_600_000, "один день два часа"),
            (u32::MAX, "сорок девять дней семнадцать часов две минуты сорок семь секунд"),
        ] {
            assert_eq!(duration(ms), expect, "{ms}");
        }
    }
}
