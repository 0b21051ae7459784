//! Whether somebody may be dialled at a moment: everything that can be asked is asked.

use super::{CampaignCheckers, Moment};
use crate::campaigns::windows;
use gudok_core::campaign::{AttemptId, AttemptStart, CampaignSettings, OptOutScope, RunState, Urgency};
use std::sync::Arc;

impl CampaignCheckers {
    /// Somebody is to be dialled now.
    pub(crate) fn dials(&mut self, start: &AttemptStart, now: Moment) {
        if let Err(broken) = self.may_dial(start, now) {
            self.found(format!("{} contact {}: {broken}", start.attempt.campaign, start.attempt.contact.0));
        }
    }

    fn may_dial(&mut self, start: &AttemptStart, now: Moment) -> Result<(), String> {
        let AttemptId { campaign, contact: no, nth } = &start.attempt;
        let watch = self.campaigns.get_mut(campaign).ok_or("the campaign is not there")?;
        let contact = watch.contacts.get_mut(no.0 as usize).ok_or("is not there")?;
        let live = watch.live.get_mut(&no.0).filter(|live| live.nth == *nth).ok_or("dialled without a claim")?;
        if !live.durable || live.call != start.call || live.dialled.is_some() || live.told.is_some() {
            return Err(format!("claim {nth} is dialled as {}, and is {live:?}", start.call));
        }
        live.dialled = Some(now);
        if !watch.ready || watch.run != RunState::Running {
            return Err(format!("is dialled while its campaign is {}", watch.run.as_str()));
        }
        if self.load.closed || self.load.inbound_calls > self.shared.inbound_calls_max {
            return Err(format!("is dialled while the engine's load is {:?}", self.load));
        }
        let both = [Arc::clone(&live.settings), Arc::clone(&watch.settings)];
        let zone = self.shared.zones.get(contact.zone as usize).ok_or("is in no zone")?;
        let emergency = |settings: &CampaignSettings| matches!(settings.urgency, Urgency::Emergency { .. });
        let open = |settings: &CampaignSettings| {
            let own = contact.window.and_then(|window| settings.windows.get(window as usize));
            emergency(settings)
                || windows::is_open(own.unwrap_or(&settings.window), &self.shared.holidays, zone, now.wall)
        };
        if !both.iter().any(|settings| open(settings)) {
            return Err(format!("is dialled outside its window, at {:?}", windows::local(&zone.zones[0], now.wall)));
        }
        let in_time = |settings: &CampaignSettings| {
            settings.deadline.is_none_or(|deadline| now.wall < deadline)
                && settings.starts.is_none_or(|starts| now.wall >= starts)
        };
        if !both.iter().any(|settings| in_time(settings)) {
            return Err("is dialled before the campaign's beginning or after its deadline".into());
        }
        for scope in [OptOutScope::Global, OptOutScope::Agency(start.agency.clone())] {
            let over =
                |settings: &CampaignSettings| matches!(settings.urgency, Urgency::Emergency { over_opt_outs: true });
            if let Some(protected) = self.opt_outs.get(&(contact.number, scope))
                && (*protected || !both.iter().all(|settings| over(settings)))
            {
                return Err("is dialled after an opt-out".into());
            }
        }
        // One's own days begin with one's own midnight, in the first of one's zones.
        let today = windows::day_number(windows::local(&zone.zones[0], now.wall).date());
        contact.is_dialled(&both, today)?;
        let number = &mut self.numbers[contact.number.0 as usize];
        if std::mem::replace(&mut number.in_call, true) {
            return Err("is dialled while its number is in another call".into());
        }
        let emergency = both.iter().any(|settings| emergency(settings));
        (number.today, number.day) = (if number.day == today { number.today + 1 } else { 1 }, today);
        let a_day = self.shared.attempts_per_number_per_day_max;
        if !emergency && a_day > 0 && number.today > a_day {
            return Err(format!("its number is dialled for the {}th time today", number.today));
        }
        self.in_pace(start, &both, now)
    }

    fn in_pace(&mut self, start: &AttemptStart, both: &[Arc<CampaignSettings>; 2], now: Moment) -> Result<(), String> {
        let share = self.shared.trunks.get(&start.trunk).ok_or("its trunk takes no campaigns")?;
        let watch = self.campaigns.get_mut(&start.attempt.campaign).ok_or("the campaign is not there")?;
        let most = |pick: fn(&CampaignSettings) -> u32| both.iter().map(|settings| pick(settings)).max().unwrap_or(0);
        let own = (most(|settings| settings.pace.calls_per_s_max), most(|settings| settings.pace.calls_max));
        let trunk = self.trunks.entry(start.trunk.clone()).or_default();
        let lines = [
            ("campaign", &mut watch.line, own),
            ("trunk", trunk, (share.calls_per_s_max, share.calls_max)),
            ("engine", &mut self.engine, (self.shared.calls_per_s_max, self.shared.calls_max)),
        ];
        let mut broken = None;
        for (whose, line, (per_second_max, live_max)) in lines {
            let (in_a_second, live) = line.begins(now.stopwatch);
            if in_a_second > per_second_max {
                broken = Some(format!("is the {whose}'s call {in_a_second} in a second, of {per_second_max}"));
            } else if live > live_max {
                broken = Some(format!("is the {whose}'s call {live} at once, of {live_max}"));
            }
        }
        broken.map_or(Ok(()), Err)
    }
}
