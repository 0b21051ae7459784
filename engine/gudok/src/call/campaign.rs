//! A campaign's call, as its task has it: the contact for the script, what the campaign is told, what is shown of it.

use super::{CallHost, CallTask};
use crate::campaigns::Attempting;
use crate::live::TraceKind;
use crate::metrics;
use gudok_core::call::{CallStart, Purpose, ScriptRun};
use gudok_core::campaign::{AnsweredBy, CampaignContact, CampaignReport, Heard};
use gudok_core::ids::LegId;
use gudok_plugin_host::ports;
use gudok_sip::Share;
use std::time::Duration;

/// The attempt that a call is; while the guard lives, its campaign waits for its end.
pub(super) fn attempting(host: &CallHost, start: &CallStart) -> Option<Attempting> {
    match &start.purpose {
        Purpose::Campaign(call) => Some(host.campaigns.begin(call.attempt.clone())),
        Purpose::Script | Purpose::CallbackNumber { .. } | Purpose::Callback(_) => None,
    }
}

/// The called number as admins see it: whom the centre calls is a person, whose number is masked.
pub(super) fn called(start: &CallStart) -> String {
    match &start.purpose {
        Purpose::Campaign(_) | Purpose::Callback(_) => start.incoming.called.masked(),
        Purpose::Script | Purpose::CallbackNumber { .. } => start.incoming.called.reveal().to_owned(),
    }
}

/// For the script.
pub(super) const fn answered_by(who: AnsweredBy) -> ports::AnsweredBy {
    match who {
        AnsweredBy::Unknown => ports::AnsweredBy::Unknown,
        AnsweredBy::Human => ports::AnsweredBy::Human,
        AnsweredBy::Machine => ports::AnsweredBy::Machine,
        AnsweredBy::Fax => ports::AnsweredBy::Fax,
    }
}

/// Whom we call may follow the words that they hear, where their trunk lets them.
pub(super) fn offer_transcript(host: &CallHost, start: &mut CallStart) {
    if let Purpose::Callback(_) | Purpose::Campaign(_) = start.purpose {
        start.incoming.wants_transcript = host.signalling.allows_transcript(&start.incoming.trunk);
    }
}

impl CallTask {
    /// Whose places the call's legs take: an operator's too, where it is a campaign that has called.
    pub(super) fn share(&self) -> Share {
        if self.machine.campaign().is_some() { Share::Campaigns } else { Share::Calls }
    }

    /// Which way the call goes, for its script.
    pub(super) fn direction(&self) -> ports::Direction {
        if self.machine.campaign().is_some() { ports::Direction::Outbound } else { ports::Direction::Inbound }
    }

    /// The contact, for the campaign's own script; one that the callee is handed to hears of nobody.
    pub(super) fn contact_for(&self, run: ScriptRun) -> Option<CampaignContact> {
        self.machine.campaign().filter(|_| run == ScriptRun(0)).map(|call| call.contact.clone())
    }

    /// What the call says of itself goes to its campaign, which never makes it wait.
    pub(super) fn campaign_report(&self, report: CampaignReport) {
        let Some(call) = self.machine.campaign() else { return };
        if let CampaignReport::Ended(end) = &report {
            let words = end.disposition.as_str();
            let by = end.answered_by.map_or("nobody", AnsweredBy::as_str);
            self.note(TraceKind::Host, format!("the attempt ends: {words}, answered by {by}"));
        }
        self.host.campaigns.report(call.attempt.clone(), report);
    }

    /// Something was heard on a leg that we called.
    pub(super) fn note_heard(&self, leg: LegId, heard: Heard, at_ms: u32) {
        let what = heard.as_str();
        metrics::heard(what, Duration::from_millis(u64::from(at_ms)));
        self.note(TraceKind::Leg, format!("leg {}: {what} is heard after {at_ms} ms", leg.0));
    }
}
