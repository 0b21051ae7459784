//! When people work: opening hours in the centre's time zone, with holidays and moved days as data.

use crate::time::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How far ahead [`Calendar::status`] looks for the next opening.
pub const OPENS_NEXT_LOOKAHEAD_DAYS_MAX: u32 = 370;

/// A stretch of one day, from its first moment to the one that it no longer holds. `to` at midnight means the day's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours {
    from: Time,
    to: Time,
}

/// Why a stretch of hours was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the hours from {from} to {to} end before they begin; hours over midnight are written as two stretches")]
pub struct BackwardHours {
    from: Time,
    to: Time,
}

impl Hours {
    /// The whole day.
    pub const ALL_DAY: Self = Self { from: Time::midnight(), to: Time::midnight() };

    /// From and to; `to` at midnight means the day's end.
    ///
    /// # Errors
    /// Where they end before they begin.
    pub fn new(from: Time, to: Time) -> Result<Self, BackwardHours> {
        if to == Time::midnight() || from < to { Ok(Self { from, to }) } else { Err(BackwardHours { from, to }) }
    }

    /// The day and time of the first moment that it no longer holds.
    fn end_on(self, date: Date) -> (Date, Time) {
        if self.to == Time::midnight() { (date.tomorrow().unwrap_or(date), Time::midnight()) } else { (date, self.to) }
    }

    /// Its first moment.
    #[must_use]
    pub const fn from(self) -> Time {
        self.from
    }

    /// The moment at which it no longer holds; midnight is the day's end.
    #[must_use]
    pub const fn to(self) -> Time {
        self.to
    }

    fn contains(self, time: Time) -> bool {
        time >= self.from && (self.to == Time::midnight() || time < self.to)
    }
}

/// Weekly hours with exceptions by date.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// Monday first.
    week: [Vec<Hours>; 7],
    exceptions: BTreeMap<Date, Vec<Hours>>,
    manual: Option<ManualHours>,
}

/// A person's word against the calendar, up to a moment: "open till nine today", "closed at once".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManualHours {
    /// Open, or closed.
    pub open: bool,
    /// From then on the calendar counts again.
    pub until: Timestamp,
}

/// Whether somebody works at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Somebody does.
    Open,
    /// Nobody does.
    Closed {
        /// The day and time at which somebody does again, if it is known.
        opens: Option<(Date, Time)>,
    },
}

impl Calendar {
    /// A calendar that is always open.
    #[must_use]
    pub fn always_open(zone: TimeZone) -> Self {
        Self::new(zone, std::array::from_fn(|_| vec![Hours::ALL_DAY]), BTreeMap::new())
    }

    /// From weekly hours, Monday first, and the dates that differ.
    #[must_use]
    pub fn new(zone: TimeZone, mut week: [Vec<Hours>; 7], mut exceptions: BTreeMap<Date, Vec<Hours>>) -> Self {
        for hours in week.iter_mut().chain(exceptions.values_mut()) {
            hours.sort_by_key(|stretch| stretch.from);
        }
        Self { zone, week, exceptions, manual: None }
    }

    /// The same with a person's word against it, or without one.
    #[must_use]
    pub fn with_manual(mut self, manual: Option<ManualHours>) -> Self {
        self.manual = manual;
        self
    }

    /// The person's word that counts at `now`.
    #[must_use]
    pub fn manual(&self, now: Timestamp) -> Option<ManualHours> {
        self.manual.filter(|manual| now < manual.until)
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        match self.manual(now) {
            Some(manual) => manual.open,
            None => {
                let local = self.local(now);
                self.hours_on(local.date()).iter().any(|hours| hours.contains(local.time()))
            }
        }
    }

    /// The first moment from `now` on at which it is open: `now` itself where it is.
    #[must_use]
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return Some(now);
        }
        self.changes_at(now)
    }

    /// The next moment after `now` at which open becomes closed, or closed open; none within
    /// [`OPENS_NEXT_LOOKAHEAD_DAYS_MAX`] days.
    #[must_use]
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.is_open(now);
        let mut from = now;
        if let Some(manual) = self.manual(now) {
            if self.is_open(manual.until) != open {
                return Some(manual.until);
            }
            from = manual.until;
        }
        if self.never_changes() {
            return None;
        }
        let mut day = self.local(from).date();
        for _ in 0..=OPENS_NEXT_LOOKAHEAD_DAYS_MAX {
            let mut edges = self.edges(day);
            edges.sort_unstable();
            if let Some(edge) = edges.into_iter().find(|edge| *edge > from && self.is_open(*edge) != open) {
                return Some(edge);
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        None
    }

    /// Open at every hour of every day, but for a person's word: a year of days need not be looked through for that.
    fn never_changes(&self) -> bool {
        self.exceptions.is_empty() && self.week.iter().all(|day| day[..] == [Hours::ALL_DAY])
    }

    /// The moment at which a clock in this calendar's zone shows that day and time; where clocks skip it, as much later as
    /// they skip, and of two the first.
    #[must_use]
    pub fn moment(&self, date: Date, time: Time) -> Timestamp {
        let moment = self.zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible();
        timestamp(moment.unwrap_or(jiff::Timestamp::MAX))
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.is_open(now) {
            return Status::Open;
        }
        if self.manual(now).is_some() {
            let opens = self.opens_at(now).map(|moment| self.local(moment));
            return Status::Closed { opens: opens.map(|local| (local.date(), local.time())) };
        }
        let local = self.local(now);
        let today = self.hours_on(local.date());
        if let Some(later) = today.iter().find(|hours| hours.from > local.time()) {
            return Status::Closed { opens: Some((local.date(), later.from)) };
        }
        let mut day = local.date();
        for _ in 0..OPENS_NEXT_LOOKAHEAD_DAYS_MAX {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            if let Some(first) = self.hours_on(day).first() {
                return Status::Closed { opens: Some((day, first.from)) };
            }
        }
        Status::Closed { opens: None }
    }

    /// The civil time at `now` in this calendar's zone.
    #[must_use]
    pub fn local(&self, now: Timestamp) -> jiff::civil::DateTime {
        let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let moment = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
        self.zone.to_datetime(moment)
    }

    /// Moments of a day at which open may become closed, or closed open: where its hours begin and end, twice where clocks
    /// show that time twice, and where the clocks are changed.
    fn edges(&self, day: Date) -> Vec<Timestamp> {
        let times = self.hours_on(day).iter().flat_map(|hours| [(day, hours.from), hours.end_on(day)]);
        let mut edges = Vec::new();
        for (date, time) in times {
            let shown = self.zone.to_ambiguous_timestamp(date.to_datetime(time));
            edges.extend(shown.earlier().ok().map(timestamp));
            edges.extend(shown.later().ok().map(timestamp));
        }
        let midnight = |date: Date| self.zone.to_ambiguous_timestamp(date.to_datetime(Time::midnight())).earlier().ok();
        if let (Some(begin), Some(end)) = (midnight(day), day.tomorrow().ok().and_then(midnight)) {
            let changes = self.zone.following(begin).map(|change| change.timestamp());
            edges.extend(changes.take_while(|at| *at <= end).map(timestamp));
        }
        edges
    }

    fn hours_on(&self, date: Date) -> &[Hours] {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.exceptions.get(&date).unwrap_or(&self.week[weekday])
    }
}

fn timestamp(moment: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(u64::try_from(moment.as_microsecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn seven_hours_east() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(7))
    }

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(moment.as_microsecond().try_into().unwrap())
    }

    fn day_shift() -> Calendar {
        let hours = Hours::new(time(6, 0, 0, 0), Time::midnight()).unwrap();
        let mut exceptions = BTreeMap::new();
        exceptions.insert(date(2026, 1, 1), vec![]);
        Calendar::new(seven_hours_east(), std::array::from_fn(|_| vec![hours]), exceptions)
    }

    #[test]
    fn night_is_closed_until_six() {
        let check = |moment: &str, expect: Status| assert_eq!(day_shift().status(at(moment)), expect, "{moment}");
        let opens = |d, t| Status::Closed { opens: Some((d, t)) };
        check("2026-05-05T02:30:00+07:00", opens(date(2026, 5, 5), time(6, 0, 0, 0)));
        check("2026-05-05T05:59:59+07:00", opens(date(2026, 5, 5), time(6, 0, 0, 0)));
        check("2026-05-05T06:00:00+07:00", Status::Open);
        check("2026-05-05T23:59:59+07:00", Status::Open);
        check("2026-01-01T12:00:00+07:00", opens(date(2026, 1, 2), time(6, 0, 0, 0)));
    }

    #[test]
    fn a_calendar_without_hours_never_opens() {
        let never = Calendar::new(seven_hours_east(), std::array::from_fn(|_| Vec::new()), BTreeMap::new());
        assert_eq!(never.status(at("2026-05-05T12:00:00+07:00")), Status::Closed { opens: None });
    }

    #[test]
    fn hours_must_run_forward() {
        assert!(Hours::new(time(18, 0, 0, 0), time(9, 0, 0, 0)).is_err());
        assert!(Hours::new(time(9, 0, 0, 0), time(9, 0, 0, 0)).is_err());
    }

    #[test]
    fn a_person_s_word_counts_until_its_time() {
        let closed = ManualHours { open: false, until: at("2026-05-05T20:00:00+07:00") };
        let calendar = day_shift().with_manual(Some(closed));
        let noon = at("2026-05-05T12:00:00+07:00");
        assert_eq!(calendar.status(noon), Status::Closed { opens: Some((date(2026, 5, 5), time(20, 0, 0, 0))) });
        assert_eq!(calendar.opens_at(noon), Some(closed.until));
        assert!(calendar.is_open(closed.until));
        // Closed past midnight: then the night goes on.
        let closed = ManualHours { open: false, until: at("2026-05-06T01:00:00+07:00") };
        let calendar = day_shift().with_manual(Some(closed));
        assert_eq!(calendar.opens_at(noon), Some(at("2026-05-06T06:00:00+07:00")));
        assert_eq!(calendar.changes_at(noon), Some(at("2026-05-06T06:00:00+07:00")));
        // Open on a holiday, until the evening.
        let open = ManualHours { open: true, until: at("2026-01-01T18:00:00+07:00") };
        let calendar = day_shift().with_manual(Some(open));
        assert!(calendar.is_open(at("2026-01-01T12:00:00+07:00")));
        assert_eq!(calendar.changes_at(at("2026-01-01T12:00:00+07:00")), Some(open.until));
        assert!(!calendar.is_open(open.until));
    }

    #[test]
    fn a_moved_day_has_the_hours_of_the_day_that_it_stands_for() {
        let office = Hours::new(time(9, 0, 0, 0), time(18, 0, 0, 0)).unwrap();
        let mut week: [Vec<Hours>; 7] = std::array::from_fn(|_| vec![office]);
        (week[5], week[6]) = (vec![], vec![]);
        // The Friday is off, and the Saturday before is worked for it.
        let exceptions = BTreeMap::from([(date(2026, 5, 8), vec![]), (date(2026, 5, 2), vec![office])]);
        let calendar = Calendar::new(seven_hours_east(), week, exceptions);
        assert!(calendar.is_open(at("2026-05-02T10:00:00+07:00")));
        assert!(!calendar.is_open(at("2026-05-03T10:00:00+07:00")));
        assert_eq!(calendar.opens_at(at("2026-05-07T18:00:00+07:00")), Some(at("2026-05-11T09:00:00+07:00")));
    }

    /// `SplitMix64`: small, and the same everywhere.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, sides: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) % sides
        }

        /// None, one or two stretches on whole quarters of an hour, also ones that touch or overlap.
        fn hours(&mut self) -> Vec<Hours> {
            let quarter = |of: u64| {
                let (hour, minute) = (i8::try_from(of / 4).unwrap(), i8::try_from(of % 4 * 15).unwrap());
                time(hour, minute, 0, 0)
            };
            let mut all = Vec::new();
            for _ in 0..self.below(3) {
                let from = self.below(95);
                let to = from + 1 + self.below(96 - from);
                let to = if to >= 96 { Time::midnight() } else { quarter(to) };
                all.push(Hours::new(quarter(from), to).unwrap());
            }
            all
        }
    }

    #[test]
    fn changes_are_where_a_look_at_every_quarter_of_an_hour_finds_them() {
        const QUARTER: std::time::Duration = std::time::Duration::from_mins(15);
        const QUARTERS: u32 = 4 * 24 * 12;
        let mut found = 0;
        for seed in 0..400 {
            let mut dice = Dice(seed);
            // Clocks go forward in Berlin on the 29th of March, and back on the 25th of October.
            let (begin, month) =
                if dice.below(2) == 0 { (at("2026-03-22T00:00:00Z"), 3) } else { (at("2026-10-19T00:00:00Z"), 10) };
            let zones = [
                seven_hours_east(),
                TimeZone::get("Asia/Krasnoyarsk").unwrap(),
                TimeZone::get("Europe/Berlin").unwrap(),
            ];
            let zone = zones[usize::try_from(dice.below(3)).unwrap()].clone();
            let week = std::array::from_fn(|_| dice.hours());
            let exceptions = (0..dice.below(3))
                .map(|_| (date(2026, month, i8::try_from(20 + dice.below(11)).unwrap()), dice.hours()))
                .collect();
            let until = begin + QUARTER * u32::try_from(dice.below(700)).unwrap();
            let manual = (dice.below(3) == 0).then(|| ManualHours { open: dice.below(2) == 0, until });
            let calendar = Calendar::new(zone, week, exceptions).with_manual(manual);
            let looks: Vec<_> = (0..QUARTERS).map(|n| begin + QUARTER * n).collect();
            let open: Vec<_> = looks.iter().map(|look| calendar.is_open(*look)).collect();
            for from in (0..looks.len() - 4 * 24 * 3).step_by(7) {
                let changes = (from + 1..looks.len()).find(|later| open[*later] != open[from]);
                let opens = (from..looks.len()).find(|later| open[*later]);
                let end = *looks.last().unwrap();
                let check = |said: Option<Timestamp>, seen: Option<usize>, what: &str| {
                    let said = said.filter(|said| *said <= end);
                    assert_eq!(said, seen.map(|seen| looks[seen]), "seed {seed}, {what} from {:?}", looks[from]);
                };
                check(calendar.changes_at(looks[from]), changes, "changes");
                check(calendar.opens_at(looks[from]), opens, "opens");
                let is_open = calendar.status(looks[from]) == Status::Open;
                assert_eq!(is_open, open[from], "seed {seed}");
                found += usize::from(changes.is_some());
            }
        }
        assert!(found > 10_000, "{found}");
    }
}
