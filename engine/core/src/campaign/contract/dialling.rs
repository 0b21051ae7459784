//! Who may be dialled, and when: everything that must hold at the moment of a call.

use super::{Contract, Kept, Live, Person, STEP_MAX, broken, ordinary, promise};
use crate::campaign::contact::{ContactState, OptOutScope};
use crate::campaign::face::AttemptStart;
use crate::campaign::settings::{CampaignMode, CampaignSettings, CampaignsSettings, RunState, Urgency, ZoneNo};
use crate::time::Timestamp;
use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

impl Contract {
    pub(super) fn dialled(&mut self, start: &AttemptStart, now: Timestamp) -> Kept {
        let attempt = &start.attempt;
        let shared = std::sync::Arc::clone(&self.shared);
        let Some(known) = self.campaigns.get(&attempt.campaign) else {
            return broken(format!("{attempt:?} is dialled, and its campaign is gone"));
        };
        let settings = std::sync::Arc::clone(&known.settings);
        let Some(person) = known.people.get(&attempt.contact) else {
            return broken(format!("{attempt:?} is dialled, and is on no list"));
        };
        let number = person.number;
        let runs = known.run == RunState::Running && known.ready;
        promise(runs, || format!("{attempt:?} is dialled, and the campaign is {:?}", known.run))?;
        let begun = settings.starts.is_none_or(|starts| starts <= now);
        let over = settings.deadline.is_some_and(|deadline| deadline <= now);
        promise(begun && !over, || format!("{attempt:?} is dialled before its time, or after"))?;
        promise(!self.load.closed, || format!("{attempt:?} is dialled, and the engine is closed"))?;
        promise(self.load.inbound_calls <= shared.inbound_calls_max, || {
            format!("{attempt:?} is dialled beside {} inbound calls", self.load.inbound_calls)
        })?;
        person_may_be_dialled(person, start, &settings, &shared, now)?;
        let ordinary = ordinary(&settings) && person.under.as_deref().is_none_or(ordinary);
        let per_day = u32::from(shared.attempts_per_number_per_day_max);
        let day = day(&shared, person.zone, now);
        let of_number = self.days.get(&number).filter(|(of, _)| *of >= day).map_or(0, |(_, count)| *count);
        promise(!ordinary || per_day == 0 || of_number < per_day, || {
            format!("{attempt:?} is dialled, and its number had {of_number} attempts today")
        })?;
        let over = settings.urgency == Urgency::Emergency { over_opt_outs: true };
        for scope in [OptOutScope::Global, OptOutScope::Agency(settings.agency.clone())] {
            let forbids = self.opt_outs.get(&(number, scope)).is_some_and(|protected| *protected || !over);
            promise(!forbids, || format!("{attempt:?} is dialled, and does not want to be"))?;
        }
        let talks = self.calls.iter().find(|(_, live)| live.number == number);
        promise(talks.is_none(), || format!("{attempt:?} is dialled, and is in {talks:?}"))?;
        let live = Live { number, trunk: start.trunk.clone(), queue: start.queue.clone() };
        let new = self.calls.insert(attempt.clone(), live).is_none();
        promise(new, || format!("{attempt:?} is dialled twice"))?;
        self.limits_hold(start, &settings, &shared, now)?;
        if let Some(known) = self.campaigns.get_mut(&attempt.campaign)
            && let Some(person) = known.people.get_mut(&attempt.contact)
        {
            person.dialled.insert(attempt.nth);
        }
        Ok(())
    }

    /// Calls at once, and calls begun in any second.
    fn limits_hold(
        &mut self,
        start: &AttemptStart,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
        now: Timestamp,
    ) -> Kept {
        let attempt = &start.attempt;
        let Some(share) = shared.trunks.get(&start.trunk) else {
            return broken(format!("{attempt:?} is dialled by {:?}, which takes no campaign's calls", start.trunk));
        };
        let of_campaign = self.calls.keys().filter(|live| live.campaign == attempt.campaign && self.is_of(live));
        // The call itself is not known as the campaign's yet.
        let of_campaign = of_campaign.count() + 1;
        let of_trunk = self.calls.values().filter(|live| live.trunk == start.trunk).count();
        for (calls, max, whose) in [
            (of_campaign, settings.pace.calls_max, "the campaign"),
            (of_trunk, share.calls_max, "the trunk"),
            (self.calls.len(), shared.calls_max, "the engine"),
        ] {
            promise(calls <= max as usize, || format!("{attempt:?} makes {calls} calls of {whose}, of {max}"))?;
        }
        let way = self.trunks.entry(start.trunk.clone()).or_default();
        let rests = way.rests_until.is_some_and(|until| now < until);
        promise(!rests, || format!("{attempt:?} is dialled by a trunk that rests until {:?}", way.rests_until))?;
        let known = self.campaigns.get_mut(&attempt.campaign);
        let of_campaign = known.map(|known| (&mut known.begun, settings.pace.calls_per_s_max, "the campaign"));
        let of_trunk = (&mut way.begun, share.calls_per_s_max, "the trunk");
        let of_engine = (&mut self.begun, shared.calls_per_s_max, "the engine");
        for (begun, max, whose) in of_campaign.into_iter().chain([of_trunk, of_engine]) {
            let seen = seen(begun, self.passed);
            promise(seen <= max as usize, || format!("{attempt:?} is call {seen} of {whose} in a second, of {max}"))?;
        }
        let CampaignMode::Operators { lines_per_operator_tenths_max, .. } = settings.mode else { return Ok(()) };
        let Some(queue) = start.queue.as_ref() else { return Ok(()) };
        let told = self.load.queues.iter().rev().find(|told| told.queue == *queue);
        let taken = self.taken.get(queue).copied().unwrap_or(0);
        let free = told.map_or(0, |told| told.ready.saturating_sub(told.waiting).saturating_sub(taken));
        let lines = self.calls.values().filter(|live| live.queue.as_ref() == Some(queue)).count();
        let most = (free * u32::from(lines_per_operator_tenths_max) / 10).max(free);
        let open = told.is_some_and(|told| told.open);
        promise(open && lines <= most as usize, || {
            format!("{attempt:?} is line {lines} for {free} operators, open: {open}")
        })
    }
}

fn person_may_be_dialled(
    person: &Person,
    start: &AttemptStart,
    settings: &CampaignSettings,
    shared: &CampaignsSettings,
    now: Timestamp,
) -> Kept {
    let attempt = &start.attempt;
    let claimed = person.claim == Some((attempt.nth, start.call, true));
    let state = ContactState::Claimed { call: start.call };
    promise(claimed && person.state == state, || {
        format!("{attempt:?} is dialled without a durable claim: {person:?}")
    })?;
    promise(!person.dialled.contains(&attempt.nth), || format!("{attempt:?} is dialled twice"))?;
    promise(!person.held, || format!("{attempt:?} is dialled again by itself after a crash"))?;
    let under = person.under.as_deref().unwrap_or(settings);
    let max = u32::from(under.retries.attempts_max.max(1));
    promise(person.attempts < max, || format!("{attempt:?} is attempt {} of {max}", person.attempts + 1))?;
    if !ordinary(settings) {
        return Ok(());
    }
    let per_day = u32::from(under.retries.attempts_per_day_max.max(1));
    let day = day(shared, person.zone, now);
    promise(!ordinary(under) || person.day < day || person.today < per_day, || {
        format!("{attempt:?} is one too many of its day")
    })?;
    promise(is_open(person, settings, shared, now), || format!("{attempt:?} is dialled outside its window"))
}

/// Calls begun in the last second, this one included.
fn seen(begun: &mut VecDeque<Duration>, passed: Duration) -> usize {
    while begun.front().is_some_and(|at| *at + SECOND <= passed) {
        begun.pop_front();
    }
    begun.push_back(passed);
    debug_assert!(STEP_MAX > SECOND);
    begun.len()
}

/// Whether a person may be called by the hours: read off the local clock in each zone, not from changes of it.
fn is_open(person: &Person, settings: &CampaignSettings, shared: &CampaignsSettings, now: Timestamp) -> bool {
    let window = match person.window {
        None => Some(&settings.window),
        Some(own) => settings.windows.get(usize::from(own)),
    };
    let (Some(window), Some(rule)) = (window, shared.zones.get(usize::from(person.zone.0))) else { return false };
    let open_in = |zone: &TimeZone| {
        let local = zone.to_datetime(moment(now));
        let weekday = usize::try_from(local.date().weekday().to_monday_zero_offset()).unwrap_or(0);
        let hours = window.exceptions.get(&local.date()).unwrap_or(&window.week[weekday]);
        let to_midnight = |to: Time| to == Time::midnight();
        let inside = hours.iter().any(|h| h.from() <= local.time() && (to_midnight(h.to()) || local.time() < h.to()));
        inside && !shared.holidays.contains(&local.date())
    };
    !rule.zones.is_empty() && rule.zones.iter().all(open_in)
}

/// The day where somebody is, counted from the epoch.
pub(super) fn day(shared: &CampaignsSettings, zone: ZoneNo, now: Timestamp) -> i64 {
    let utc = TimeZone::UTC;
    let zone = shared.zones.get(usize::from(zone.0)).and_then(|rule| rule.zones.first()).unwrap_or(&utc);
    const EPOCH: Date = date(1970, 1, 1);
    let local = zone.to_datetime(moment(now)).date();
    local.since(EPOCH).map_or(0, |span| i64::from(span.get_days()))
}

fn moment(now: Timestamp) -> jiff::Timestamp {
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
}
