//! Opening hours: `mon-fri = "08:30-19:00"`, single days by date.

use super::fields::{At, Fields};
use crate::model::Week;
use gudok_sdk::{Date, TimeOfDay};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MIDNIGHT_MIN: u16 = 24 * 60;

pub(super) fn week(at: &At<'_, '_>, exceptions: Option<At<'_, '_>>) -> Option<Week> {
    let mut week = Week::default();
    for (key, value) in at.fields()?.each() {
        let Some((from, to)) = days(key) else {
            value.fault(format!("{key:?} is no weekday; write mon, mon-fri or daily"));
            continue;
        };
        let spans = spans(&value);
        for day in week.days.iter_mut().skip(from).take(to + 1 - from) {
            if !day.is_empty() {
                value.fault(format!("{key:?} names a day that another line names too"));
            }
            day.clone_from(&spans);
        }
    }
    for (key, value) in exceptions.and_then(|at| at.fields()).as_ref().map(Fields::each).unwrap_or_default() {
        match Date::parse(key) {
            Some(date) => week.exceptions.push((date, spans(&value))),
            None => value.fault(format!("{key:?} is no date; write it like \"2026-01-01\"")),
        }
    }
    Some(week)
}

fn days(key: &str) -> Option<(usize, usize)> {
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    match key.split_once('-') {
        _ if key == "daily" => Some((0, 6)),
        Some((from, to)) => Some((day(from)?, day(to)?)).filter(|(from, to)| from <= to),
        None => day(key).map(|day| (day, day)),
    }
}

/// One span in a text, several or none in a list.
fn spans(at: &At<'_, '_>) -> Vec<(u16, u16)> {
    if at.is_text() {
        return span(at).into_iter().collect();
    }
    at.list().unwrap_or_default().iter().filter_map(span).collect()
}

fn span(at: &At<'_, '_>) -> Option<(u16, u16)> {
    let parse = |text: &str| match text {
        "24:00" => Some(MIDNIGHT_MIN),
        text => TimeOfDay::parse(text).map(|time| time.minutes()),
    };
    let span = at.text()?.split_once('-').and_then(|(from, to)| Some((parse(from)?, parse(to)?)));
    let span = span.filter(|(from, to)| from < to);
    if span.is_none() {
        at.fault("is no span of hours; write it like \"08:30-19:00\"");
    }
    span
}
