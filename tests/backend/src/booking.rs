//! Appointments at the public service centres: free times, holds that expire, confirmations. All of it is made up.

use crate::{Backend, lock};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const TIMES: [&str; 4] = ["09:00", "10:30", "14:00", "16:30"];
const DAYS: usize = 3;
/// A caller who takes longer than this to press a key has gone.
const HELD_FOR: Duration = Duration::from_secs(300);
const HOLDS_MAX: usize = 10_000;
const NAME_BYTES_MAX: usize = 64;

/// Who has which time.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// By their ids.
    holds: BTreeMap<String, Hold>,
    /// The same key is the same hold.
    by_key: BTreeMap<String, String>,
    /// By somebody else.
    taken: BTreeSet<String>,
    /// So many next wishes find that somebody else was faster.
    conflicts: usize,
    /// Every hold has expired that was taken before.
    expired_before: Option<Instant>,
}

#[derive(Debug)]
struct Hold {
    slot: String,
    since: Instant,
    state: HoldState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum HoldState {
    Held,
    Released,
    Confirmed { code: String },
}

/// An appointment that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Appointment {
    /// "novokuznetsk/passport/2026-11-24T09:00"
    pub slot: String,
    /// What the citizen shows.
    pub code: String,
}

impl Calendar {
    fn is_live(&self, hold: &Hold, now: Instant) -> bool {
        match hold.state {
            HoldState::Held => {
                now.duration_since(hold.since) < HELD_FOR && self.expired_before.is_none_or(|at| hold.since > at)
            }
            HoldState::Released => false,
            HoldState::Confirmed { .. } => true,
        }
    }

    fn is_free(&self, slot: &str, now: Instant) -> bool {
        !self.taken.contains(slot) && !self.holds.values().any(|hold| hold.slot == slot && self.is_live(hold, now))
    }

    fn hold(&mut self, slot: &str, key: Option<&str>, now: Instant) -> Result<String, StatusCode> {
        let before = key.and_then(|key| self.by_key.get(key)).cloned();
        if let Some(id) = before.filter(|id| self.holds.get(id).is_some_and(|hold| self.is_live(hold, now))) {
            return Ok(id);
        }
        if self.conflicts > 0 {
            self.conflicts -= 1;
            self.taken.insert(slot.to_owned());
        }
        if !self.is_free(slot, now) {
            return Err(StatusCode::CONFLICT);
        }
        if self.holds.len() >= HOLDS_MAX {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let id = format!("h-{}", self.holds.len() + 1);
        self.holds.insert(id.clone(), Hold { slot: slot.to_owned(), since: now, state: HoldState::Held });
        if let Some(key) = key {
            self.by_key.insert(key.to_owned(), id.clone());
        }
        Ok(id)
    }

    /// The code; the same however often it is asked for.
    fn confirm(&mut self, id: &str, now: Instant) -> Result<String, StatusCode> {
        let hold = self.holds.get(id).ok_or(StatusCode::NOT_FOUND)?;
        if let HoldState::Confirmed { code } = &hold.state {
            return Ok(code.clone());
        }
        if !self.is_live(hold, now) {
            return Err(StatusCode::GONE);
        }
        let number = id.trim_start_matches("h-").parse::<usize>().unwrap_or_default();
        let code = format!("{:04}", (4_784 + 37 * number) % 10_000);
        if let Some(hold) = self.holds.get_mut(id) {
            hold.state = HoldState::Confirmed { code: code.clone() };
        }
        Ok(code)
    }

    fn release(&mut self, id: &str) -> StatusCode {
        match self.holds.get_mut(id) {
            None => StatusCode::NOT_FOUND,
            Some(Hold { state: HoldState::Confirmed { .. }, .. }) => StatusCode::CONFLICT,
            Some(hold) => {
                hold.state = HoldState::Released;
                StatusCode::NO_CONTENT
            }
        }
    }
}

impl Backend {
    /// The appointments that were made.
    #[must_use]
    pub fn appointments(&self) -> Vec<Appointment> {
        let calendar = lock(&self.calendar);
        let made = calendar.holds.values().filter_map(|hold| match &hold.state {
            HoldState::Confirmed { code } => Some(Appointment { slot: hold.slot.clone(), code: code.clone() }),
            HoldState::Held | HoldState::Released => None,
        });
        made.collect()
    }

    /// How many times are held and not yet booked.
    #[must_use]
    pub fn held(&self) -> usize {
        let (calendar, now) = (lock(&self.calendar), Instant::now());
        let waits = |hold: &&Hold| hold.state == HoldState::Held && calendar.is_live(hold, now);
        calendar.holds.values().filter(waits).count()
    }

    /// So many next wishes for a time find that somebody else was faster.
    pub fn take_next(&self, times: usize) {
        lock(&self.calendar).conflicts = times;
    }

    /// Whatever is held now was held for too long.
    pub fn expire_holds(&self) {
        lock(&self.calendar).expired_before = Some(Instant::now());
    }
}

#[derive(Deserialize)]
pub(crate) struct SlotsWish {
    office: String,
    service: String,
    /// "2026-11-23": appointments begin on the day after.
    today: String,
}

pub(crate) async fn slots(State(backend): State<Backend>, Json(wish): Json<SlotsWish>) -> Response {
    let named = |name: &str| {
        (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let Some(days) = next_workdays(&wish.today).filter(|_| named(&wish.office) && named(&wish.service)) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    let (calendar, now) = (lock(&backend.calendar), Instant::now());
    let mut free = Vec::new();
    for date in &days {
        for time in TIMES {
            let id = format!("{}/{}/{date}T{time}", wish.office, wish.service);
            if calendar.is_free(&id, now) {
                free.push(json!({ "id": id, "date": date, "time": time }));
            }
        }
    }
    Json(json!({ "slots": free })).into_response()
}

#[derive(Deserialize)]
pub(crate) struct HoldWish {
    slot: String,
}

pub(crate) async fn hold(State(backend): State<Backend>, headers: HeaderMap, Json(wish): Json<HoldWish>) -> Response {
    if wish.slot.len() > 4 * NAME_BYTES_MAX || wish.slot.split('/').count() != 3 {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let held = lock(&backend.calendar).hold(&wish.slot, key, Instant::now());
    tracing::info!(slot = wish.slot, held = held.is_ok(), "hold");
    match held {
        Ok(hold) => {
            (StatusCode::CREATED, Json(json!({ "hold": hold, "expires_s": HELD_FOR.as_secs() }))).into_response()
        }
        Err(StatusCode::CONFLICT) => (StatusCode::CONFLICT, Json(json!({ "error": "taken" }))).into_response(),
        Err(status) => status.into_response(),
    }
}

#[derive(Deserialize)]
pub(crate) struct HoldOrder {
    hold: String,
}

pub(crate) async fn confirm(State(backend): State<Backend>, Json(order): Json<HoldOrder>) -> Response {
    let code = lock(&backend.calendar).confirm(&order.hold, Instant::now());
    tracing::info!(hold = order.hold, booked = code.is_ok(), "confirm");
    code.map_or_else(IntoResponse::into_response, |code| Json(json!({ "code": code })).into_response())
}

pub(crate) async fn release(State(backend): State<Backend>, Json(order): Json<HoldOrder>) -> StatusCode {
    tracing::info!(hold = order.hold, "release");
    lock(&backend.calendar).release(&order.hold)
}

/// The next days that are neither Saturday nor Sunday.
fn next_workdays(today: &str) -> Option<Vec<String>> {
    let mut day = Day::parse(today)?;
    let mut days = Vec::new();
    while days.len() < DAYS {
        day = day.next();
        if day.weekday() < 5 {
            days.push(format!("{:04}-{:02}-{:02}", day.year, day.month, day.day));
        }
    }
    Some(days)
}

#[derive(Clone, Copy)]
struct Day {
    year: u32,
    month: u32,
    day: u32,
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
        let day = Self { year: parts.next()??, month: parts.next()??, day: parts.next()?? };
        let valid = parts.next().is_none()
            && (1970..=9_999).contains(&day.year)
            && (1..=12).contains(&day.month)
            && (1..=day.days_of_month()).contains(&day.day);
        valid.then_some(day)
    }

    const fn days_of_month(self) -> u32 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400)) => 29,
            2 => 28,
            _ => 31,
        }
    }

    const fn next(self) -> Self {
        if self.day < self.days_of_month() {
            return Self { day: self.day + 1, ..self };
        }
        if self.month < 12 {
            return Self { month: self.month + 1, day: 1, ..self };
        }
        Self { year: self.year + 1, month: 1, day: 1 }
    }

    /// 0 is Monday. Zeller's congruence, with January and February counted to the year before.
    const fn weekday(self) -> u32 {
        let (month, year) = if self.month < 3 { (self.month + 12, self.year - 1) } else { (self.month, self.year) };
        (self.day + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400 + 5) % 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: &str = "a/b/2026-11-24T09:00";

    #[test]
    fn appointments_are_on_workdays() {
        let check = |today: &str, expected: [&str; 3]| assert_eq!(next_workdays(today).unwrap(), expected, "{today}");
        check("2026-11-23", ["2026-11-24", "2026-11-25", "2026-11-26"]); // a Monday
        check("2026-11-27", ["2026-11-30", "2026-12-01", "2026-12-02"]); // a Friday
        check("2026-12-31", ["2027-01-01", "2027-01-04", "2027-01-05"]);
        for bad in ["", "2026-02-30", "2026-13-01", "tomorrow", "2026-11-23-1"] {
            assert!(next_workdays(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_held_once_and_comes_back() {
        let (mut calendar, now) = (Calendar::default(), Instant::now());
        let first = calendar.hold(SLOT, Some("one"), now).unwrap();
        assert_eq!(calendar.hold(SLOT, Some("one"), now).unwrap(), first, "the same key is the same hold");
        assert_eq!(calendar.hold(SLOT, Some("two"), now), Err(StatusCode::CONFLICT));
        assert_eq!(calendar.release(&first), StatusCode::NO_CONTENT);
        assert_eq!(calendar.release(&first), StatusCode::NO_CONTENT, "given back once is given back");
        assert_eq!(calendar.confirm(&first, now), Err(StatusCode::GONE));
        let second = calendar.hold(SLOT, Some("two"), now).unwrap();
        assert_eq!(calendar.confirm(&second, now + HELD_FOR), Err(StatusCode::GONE), "it has expired");
        let third = calendar.hold(SLOT, Some("three"), now + HELD_FOR).unwrap();
        let code = calendar.confirm(&third, now + HELD_FOR).unwrap();
        assert_eq!(calendar.confirm(&third, now + 3 * HELD_FOR).unwrap(), code, "booked is booked");
        assert_eq!(calendar.release(&third), StatusCode::CONFLICT);
        assert_eq!(calendar.release("h-99"), StatusCode::NOT_FOUND);
    }

    #[test]
    fn somebody_else_is_faster_on_request() {
        let (mut calendar, now) = (Calendar { conflicts: 1, ..Calendar::default() }, Instant::now());
        assert_eq!(calendar.hold(SLOT, None, now), Err(StatusCode::CONFLICT));
        assert!(!calendar.is_free(SLOT, now), "and has it");
        assert!(calendar.hold("a/b/2026-11-24T10:30", None, now).is_ok());
    }
}
