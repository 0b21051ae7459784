//! Campaigns and contacts in the admins' words.

use super::convert::kind_word;
use super::task::Known;
use gudok_admin::ports::{CampaignFigures, CampaignIdle, CampaignRow, ContactAttempt, ContactRow};
use gudok_core::campaign::{CampaignMode, Figures, WhyIdle};
use gudok_core::ids::Campaign;
use gudok_core::time::Timestamp;
use gudok_store::{self as store, Contact, ContactState, Happened};
use std::collections::BTreeMap;

/// Where contacts stand, as pages and metrics say it.
pub(super) const STATES: [&str; 4] = ["waiting", "claimed", "unknown", "done"];

pub(super) fn campaign_row(campaign: &Campaign, known: &Known, figures: &Figures) -> CampaignRow {
    CampaignRow {
        name: campaign.to_string(),
        revision: known.revision,
        document: (*known.document).clone(),
        created_ms: known.run.created_ms,
        created_by: known.run.created_by.clone(),
        figures: campaign_figures(known, figures),
    }
}

fn campaign_figures(known: &Known, figures: &Figures) -> CampaignFigures {
    let calls = figures.calls;
    let counts = [figures.waiting, figures.in_hand, figures.unknown, figures.done];
    #[expect(clippy::cast_precision_loss, reason = "calls of one minute come nowhere near 2^52")]
    let calls_per_s = figures.begun_last_minute as f64 / 60.0;
    CampaignFigures {
        state: figures.run.as_str().to_owned(),
        state_ms: known.run.since_ms,
        reason: figures.reason.as_ref().map(ToString::to_string),
        loading: matches!(figures.why_idle, Some(WhyIdle::Loading)),
        contacts: figures.contacts,
        states: STATES.iter().map(|state| (*state).to_owned()).zip(counts).collect(),
        dispositions: by_word(&figures.dispositions),
        attempts: figures.attempts,
        live_calls: u32::try_from(calls.ringing + calls.answered + calls.connected).unwrap_or(u32::MAX),
        calls_per_s,
        abandoned_permille: figures.abandoned_permille,
        idle: figures.why_idle.as_ref().map(|why| idle(why, known)),
        next_window_ms: figures.next_opening.map(Timestamp::as_millis),
        ends_ms: figures.ends_at.map(Timestamp::as_millis),
    }
}

/// Counts by their words; what did not happen is left out.
pub(super) fn by_word(counts: &[u64]) -> BTreeMap<String, u64> {
    let counted = (0_u8..).zip(counts).filter(|(_, count)| **count > 0);
    counted.map(|(kind, count)| (kind_word(kind).to_owned(), *count)).collect()
}

fn idle(why: &WhyIdle, known: &Known) -> CampaignIdle {
    let about = match why {
        WhyIdle::NoTrunk(trunk) => trunk.to_string(),
        WhyIdle::TrunkResting { .. } | WhyIdle::TrunkProbed | WhyIdle::TrunkCallsMax => {
            known.settings.trunk.to_string()
        }
        WhyIdle::QueueClosed | WhyIdle::NoOperators => match &known.settings.mode {
            CampaignMode::Operators { queue, .. } => queue.to_string(),
            CampaignMode::Agentless => String::new(),
        },
        _ => String::new(),
    };
    CampaignIdle { code: why.as_str().to_owned(), about, until_ms: why.until().map(Timestamp::as_millis) }
}

/// A contact as the store has it.
pub(super) fn contact_row(contact: &Contact, known: &Known) -> ContactRow {
    let (state, state_ms, disposition) = match &contact.state {
        ContactState::Waiting { not_before } => ("waiting", not_before.map(|at| at.0), None),
        ContactState::Claimed { .. } => ("claimed", None, None),
        ContactState::Unknown { since } => ("unknown", Some(since.0), None),
        ContactState::Done { disposition, at } => ("done", Some(at.0), Some(kind_word(*disposition).to_owned())),
    };
    let window = contact.who.window.and_then(|place| known.document.windows.get(usize::from(place)));
    ContactRow {
        no: contact.no,
        id: contact.who.id.clone(),
        number: contact.who.masked.clone(),
        zone: contact.who.zone.clone(),
        window: window.map(|window| window.name.clone()),
        lang: contact.who.lang.clone(),
        area: contact.who.area.clone(),
        state: state.to_owned(),
        state_ms,
        disposition,
        attempts: contact.spent.attempts,
    }
}

/// An attempt, or an end without one, as people see it.
pub(super) fn attempt_row(what: &Happened) -> ContactAttempt {
    match what {
        Happened::Attempt(attempt) => {
            let end = attempt.end.as_ref();
            ContactAttempt {
                nth: attempt.nth,
                call: attempt.call.as_str().to_owned(),
                claimed_ms: attempt.claimed.0,
                dialled_ms: attempt.dialled.map(|at| at.0),
                answered_ms: end.and_then(|end| end.answered).map(|at| at.0),
                ended_ms: attempt.ended.map(|at| at.0),
                disposition: end.map(|end| kind_word(end.disposition.kind).to_owned()),
                words: end.and_then(|end| end.disposition.words.clone()),
                answered_by: end.and_then(|end| end.answered_by).map(store::AnsweredBy::as_str).map(str::to_owned),
                status: end.and_then(|end| end.status),
            }
        }
        Happened::Ended { at, disposition } => ContactAttempt {
            ended_ms: Some(at.0),
            claimed_ms: at.0,
            disposition: Some(kind_word(disposition.kind).to_owned()),
            words: disposition.words.clone(),
            ..ContactAttempt::default()
        },
    }
}
