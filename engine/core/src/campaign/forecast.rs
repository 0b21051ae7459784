//! What would happen when: the dry run, and the estimate of the end.
//!
//! A stream of contacts runs through quarters of an hour, by classes of the same zones and window; no contact is followed
//! by itself. What comes again is a share of what was called, after the wait that the rules say.

use super::contact::{ContactSeed, ContactState};
use super::figures::{Forecast, ForecastAssumptions, ForecastHour, NeverCalled};
use super::retry;
use super::settings::{CampaignSettings, CampaignsSettings, Urgency, ZoneNo};
use super::turns::{Class, hours};
use super::windows::Hours;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const STEP_MS: u64 = 15 * 60 * 1_000;
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// Looked ahead so far.
const STEPS_MAX: u64 = 31 * 24 * 4;
/// Contacts are counted in thousandths: a share of few is still something.
const MILLI: u64 = 1_000;
/// Rounds of trying again that are told apart.
const ROUNDS_MAX: usize = 16;

/// How many calls there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    per_s: u64,
    at_once: u64,
}

impl Lines {
    pub(super) fn new(campaign: &CampaignSettings, shared: &CampaignsSettings) -> Self {
        let trunk = shared.trunks.get(&campaign.trunk);
        let least = |own: u32, trunk: u32, all: u32| u64::from(own.min(trunk).min(all));
        Self {
            per_s: least(
                campaign.pace.calls_per_s_max,
                trunk.map_or(0, |trunk| trunk.calls_per_s_max),
                shared.calls_per_s_max,
            ),
            at_once: least(campaign.pace.calls_max, trunk.map_or(0, |trunk| trunk.calls_max), shared.calls_max),
        }
    }

    /// Thousandths of calls in so long.
    fn milli_in(self, span: Duration, assumed: ForecastAssumptions) -> u64 {
        /// The pace keeps a guard of a twentieth.
        const GUARDED_PERCENT: u64 = 95;
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let by_pace = self.per_s * ms * GUARDED_PERCENT / 100;
        let by_lines = self.at_once * ms / u64::from(assumed.call_s.max(1));
        by_pace.min(by_lines)
    }
}

/// Who waits in one class, in thousandths, by the round of trying.
#[derive(Debug)]
struct Stream {
    hours: Hours,
    ready: [u64; ROUNDS_MAX],
    later: BTreeMap<u64, [u64; ROUNDS_MAX]>,
}

impl Stream {
    fn new(hours: Hours) -> Self {
        Self { hours, ready: [0; ROUNDS_MAX], later: BTreeMap::new() }
    }

    fn waits(&self) -> u64 {
        self.ready.iter().sum()
    }

    /// When somebody of it may be called, who may not now.
    fn wakes(&mut self, now: Timestamp) -> Option<Timestamp> {
        let opens = if self.waits() > 0 { self.hours.opens_at(now) } else { None };
        let due = self.later.keys().next().map(|step| Timestamp::from_millis(step * STEP_MS));
        match (opens, due) {
            (Some(opens), Some(due)) => Some(opens.min(due)),
            (opens, due) => opens.or(due),
        }
    }
}

/// Everybody who is to be called.
#[derive(Debug)]
pub(super) struct Demand<'a> {
    campaign: &'a CampaignSettings,
    shared: &'a CampaignsSettings,
    begins: u64,
    streams: BTreeMap<(ZoneNo, Option<u8>), Stream>,
    never: BTreeMap<NeverCalled, u64>,
    contacts: u64,
}

impl<'a> Demand<'a> {
    pub(super) fn new(campaign: &'a CampaignSettings, shared: &'a CampaignsSettings, now: Timestamp) -> Self {
        let begins = campaign.starts.map_or(now, |starts| starts.max(now)).as_millis() / STEP_MS;
        Self { campaign, shared, begins, streams: BTreeMap::new(), never: BTreeMap::new(), contacts: 0 }
    }

    /// One contact.
    pub(super) fn add(&mut self, seed: &ContactSeed, forbidden: bool) {
        self.contacts += 1;
        let not_before = match seed.state {
            ContactState::Done { .. } => return self.never(NeverCalled::Done),
            ContactState::Unknown { .. } => return self.never(NeverCalled::Unknown),
            ContactState::Waiting { not_before } => not_before,
            ContactState::Claimed { .. } => None,
        };
        if forbidden {
            return self.never(NeverCalled::OptedOut);
        }
        if seed.spent.attempts >= retry::attempts_max(self.campaign) {
            return self.never(NeverCalled::NoAttemptsLeft);
        }
        let ordinary = self.campaign.urgency == Urgency::Ordinary;
        if ordinary && usize::from(seed.zone.0) >= self.shared.zones.len() {
            return self.never(NeverCalled::UnknownZone);
        }
        let round = usize::from(seed.spent.attempts).min(ROUNDS_MAX - 1);
        self.put((seed.zone, seed.window), round, not_before, MILLI);
    }

    fn never(&mut self, why: NeverCalled) {
        *self.never.entry(why).or_default() += 1;
    }

    /// Everybody who stands in a class.
    pub(super) fn add_class(&mut self, class: &Class) {
        let key = (class.zone, class.window);
        let (fresh, due) = class.counts();
        self.put(key, 0, None, fresh * MILLI);
        self.put(key, 1, None, due * MILLI);
        self.contacts += fresh + due;
        for at in class.later() {
            self.put(key, 1, Some(at), MILLI);
            self.contacts += 1;
        }
    }

    /// Those who are called at this moment: as if they stood in the first class.
    pub(super) fn add_in_hand(&mut self, count: u64) {
        let Some(key) = self.streams.keys().next().copied() else {
            if count > 0 {
                let stream = Stream::new(Hours::always());
                self.streams.insert((ZoneNo(0), None), stream);
                self.put((ZoneNo(0), None), 1, None, count * MILLI);
            }
            return;
        };
        self.put(key, 1, None, count * MILLI);
    }

    fn put(&mut self, key: (ZoneNo, Option<u8>), round: usize, not_before: Option<Timestamp>, milli: u64) {
        if milli == 0 {
            return;
        }
        let (campaign, shared) = (self.campaign, self.shared);
        let stream = self.streams.entry(key).or_insert_with(|| Stream::new(hours(campaign, shared, key.0, key.1)));
        match not_before.map(|at| at.as_millis() / STEP_MS).filter(|step| *step > self.begins) {
            Some(step) => stream.later.entry(step).or_insert([0; ROUNDS_MAX])[round] += milli,
            None => stream.ready[round] += milli,
        }
    }
}

/// What comes again, and after how many steps.
struct Again {
    permille: u64,
    steps: u64,
    rounds: usize,
}

impl Again {
    fn new(campaign: &CampaignSettings, assumed: ForecastAssumptions) -> Self {
        let rules = &campaign.retries.rules;
        let rule = rules.get("no-answer").or_else(|| rules.values().min_by_key(|rule| rule.after));
        let mut after = rule.map(|rule| rule.after + rule.jitter / 2).unwrap_or_default();
        if campaign.urgency == Urgency::Ordinary && retry::attempts_per_day_max(campaign) == 1 {
            after = after.max(Duration::from_hours(24));
        }
        let retries = rule.map_or(0, |rule| usize::from(rule.attempts_max));
        Self {
            permille: if rule.is_some() { u64::from(assumed.again_permille.min(999)) } else { 0 },
            steps: (u64::try_from(after.as_millis()).unwrap_or(u64::MAX) / STEP_MS).max(1),
            rounds: usize::from(retry::attempts_max(campaign)).min(retries + 1).min(ROUNDS_MAX),
        }
    }
}

/// Runs through the steps.
pub(super) fn forecast(
    mut demand: Demand<'_>,
    campaign: &CampaignSettings,
    lines: Lines,
    assumed: ForecastAssumptions,
    now: Timestamp,
) -> Forecast {
    let mut forecast = Forecast { contacts: demand.contacts, assumed, ..Forecast::default() };
    let again = Again::new(campaign, assumed);
    let reachable = demand.shared.trunks.contains_key(&campaign.trunk);
    let begins = campaign.starts.map_or(now, |starts| starts.max(now));
    let mut called_once = 0;
    let mut calls_milli: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut tried: BTreeSet<(ZoneNo, Option<u8>)> = BTreeSet::new();
    let mut next_step = demand.begins;
    let end = demand.begins + STEPS_MAX;
    while next_step < end {
        let step = next_step;
        next_step += 1;
        let from = Timestamp::from_millis(step * STEP_MS).max(begins);
        let to = Timestamp::from_millis((step + 1) * STEP_MS);
        let to = campaign.deadline.map_or(to, |deadline| deadline.min(to));
        let left = demand.streams.values().any(|stream| stream.waits() > 0 || !stream.later.is_empty());
        if !reachable || to <= from || !left {
            break;
        }
        // Whose window closes first is called first, as the machine does.
        let mut open: Vec<_> = demand
            .streams
            .iter_mut()
            .filter_map(|(key, stream)| {
                while let Some(due) = stream.later.first_entry().filter(|due| *due.key() <= step) {
                    let of = due.remove();
                    stream.ready.iter_mut().zip(of).for_each(|(ready, more)| *ready += more);
                }
                let opens = stream.hours.opens_at(from).filter(|opens| *opens < to && stream.waits() > 0)?;
                let closes = stream.hours.changes_at(opens);
                Some((closes, *key, opens, stream))
            })
            .collect();
        if open.is_empty() {
            match demand.streams.values_mut().filter_map(|stream| stream.wakes(from)).min() {
                Some(wakes) => next_step = next_step.max(wakes.as_millis() / STEP_MS),
                None => break,
            }
            continue;
        }
        open.sort_by_key(|(closes, key, ..)| (*closes, *key));
        let mut room = lines.milli_in(to.since(from), assumed);
        let whole = room;
        for (closes, key, opens, stream) in open {
            let mut own = lines.milli_in(closes.min(to).since(opens), assumed).min(room);
            let before = own;
            for round in (0..ROUNDS_MAX).rev() {
                let called = stream.ready[round].min(own);
                if called == 0 {
                    continue;
                }
                own -= called;
                stream.ready[round] -= called;
                let of_hour = calls_milli.entry(from.as_millis() / HOUR_MS).or_default();
                if round == 0 {
                    called_once += called;
                    of_hour.0 += called;
                } else {
                    of_hour.1 += called;
                }
                if round + 1 < again.rounds {
                    let comes = called * again.permille / MILLI;
                    if comes > 0 {
                        stream.later.entry(step + again.steps).or_insert([0; ROUNDS_MAX])[round + 1] += comes;
                    }
                }
                let share = u32::try_from((whole - room + before - own) * MILLI / whole.max(1)).unwrap_or(0);
                let until = opens.max(from + to.since(from) * share / 1_000);
                forecast.first = Some(forecast.first.map_or(opens, |first| first.min(opens)));
                forecast.last = Some(until);
                if round == 0 {
                    forecast.everybody_tried = Some(until);
                }
            }
            room -= before - own;
            tried.insert(key);
        }
    }
    close(&mut forecast, demand, called_once, reachable, &tried);
    let hour = |(hour, (first, again)): (u64, (u64, u64))| ForecastHour {
        begins: Timestamp::from_millis(hour * HOUR_MS),
        first_calls: rounded(first),
        again: rounded(again),
    };
    forecast.calls = rounded(calls_milli.values().map(|(first, again)| first + again).sum());
    forecast.hours = calls_milli.into_iter().map(hour).collect();
    forecast
}

/// Who was not called, and why.
fn close(
    forecast: &mut Forecast,
    demand: Demand<'_>,
    called_once: u64,
    reachable: bool,
    tried: &BTreeSet<(ZoneNo, Option<u8>)>,
) {
    let mut never = demand.never;
    for (key, stream) in demand.streams {
        let whole = |milli: u64| milli / MILLI;
        let of_round = |round: usize| stream.ready[round] + stream.later.values().map(|of| of[round]).sum::<u64>();
        let untried = whole(of_round(0));
        let ever = stream.hours.seen_opening(Timestamp::from_millis(demand.begins * STEP_MS)).is_some();
        let why = match (reachable, ever) {
            (false, _) => NeverCalled::NoTrunk,
            (true, false) => NeverCalled::NoWindow,
            (true, true) => NeverCalled::TooLate,
        };
        let left = if tried.contains(&key) { untried } else { untried + whole((1..ROUNDS_MAX).map(of_round).sum()) };
        if left > 0 {
            *never.entry(why).or_default() += left;
        }
    }
    let nobody: u64 = never.values().sum();
    forecast.called = forecast.contacts.saturating_sub(nobody).max(rounded(called_once));
    forecast.never = never.into_iter().collect();
}

const fn rounded(milli: u64) -> u64 {
    (milli + MILLI / 2) / MILLI
}
