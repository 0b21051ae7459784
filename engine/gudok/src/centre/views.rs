//! The centre in the admins' words.

use crate::clock::millis;
use crate::live::LiveCalls;
use gudok_admin::ports::{AttemptRow, CallbackRow, OperatorRow, PeerRow, QueueRow, WaitingRow};
use gudok_core::centre::{
    AttemptOutcome, Callback, CallbackDecision, CallbackOrigin, CallbackState, CentreMachine, CentreSettings, GivenUp,
    OperatorState, OperatorView, PauseReason, PeerView, QueueView,
};
use gudok_core::ids::Operator;
use gudok_core::time::Timestamp;
use std::collections::BTreeSet;

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(super) const fn decision_word(decision: &CallbackDecision) -> &'static str {
    match decision {
        CallbackDecision::Cancel { .. } => "cancel",
        CallbackDecision::TryAgain => "try-again",
        CallbackDecision::TakeAsConnected => "connected",
    }
}

/// One operator.
pub(crate) fn operator_row(
    view: &OperatorView,
    settings: &CentreSettings,
    of_file: &dyn Fn(&Operator) -> bool,
) -> OperatorRow {
    let (since, until, reason, call) = match &view.state {
        OperatorState::LoggedOut => (None, None, None, None),
        OperatorState::Ready { since } => (Some(*since), None, None, None),
        OperatorState::Ringing { call, since } | OperatorState::OnCall { call, since } => {
            (Some(*since), None, None, Some(*call))
        }
        OperatorState::WrapUp { call, since, until } => (Some(*since), Some(*until), None, Some(*call)),
        OperatorState::Paused { reason, since } => (Some(*since), None, Some(pause_word(reason)), None),
    };
    let agencies: BTreeSet<String> = view
        .queues
        .iter()
        .filter_map(|queue| settings.queues.get(queue)?.agency.as_ref())
        .map(ToString::to_string)
        .collect();
    let skills = settings
        .operators
        .get(&view.operator)
        .map(|operator| operator.skills.iter().map(|(skill, level)| (skill.to_string(), *level)).collect());
    OperatorRow {
        name: view.operator.to_string(),
        shown_name: view.shown_name.to_string(),
        state: view.state.as_str().to_owned(),
        since_ms: since.map(Timestamp::as_millis),
        until_ms: until.map(Timestamp::as_millis),
        reason,
        call: call.map(|call| call.to_string()),
        reachable: view.reachable,
        queues: view.queues.iter().map(ToString::to_string).collect(),
        agencies: agencies.into_iter().collect(),
        skills: skills.unwrap_or_default(),
        answered: view.answered,
        missed: view.missed,
        of_file: of_file(&view.operator),
    }
}

fn pause_word(reason: &PauseReason) -> String {
    match reason {
        PauseReason::Own(word) => word.to_string(),
        PauseReason::Missed => "missed".to_owned(),
        PauseReason::Unreachable => "unreachable".to_owned(),
        PauseReason::Supervisor => "supervisor".to_owned(),
    }
}

/// One queue, with its line.
pub(crate) fn queue_row(
    view: &QueueView,
    settings: &CentreSettings,
    machine: &CentreMachine,
    live: &LiveCalls,
    now: Timestamp,
) -> QueueRow {
    let waiting = view.waiting.iter().map(|waiting| {
        let mut row = WaitingRow {
            call: waiting.call.to_string(),
            since_ms: waiting.since.as_millis(),
            priority: waiting.priority,
            callback: waiting.callback.as_ref().map(ToString::to_string),
            acted_ms: waiting.acted.map(Timestamp::as_millis),
            ..WaitingRow::default()
        };
        let callback = waiting.callback.as_ref().and_then(|id| machine.callback(id));
        if let Some(callback) = callback {
            row.agency = callback.wish.agency.to_string();
            row.lang = callback.wish.lang.to_string();
            row.caller = callback.wish.number.masked();
        } else if let Some(watch) = live.watch(waiting.call) {
            let seen = watch.seen();
            (row.agency, row.lang, row.caller) = (seen.agency, seen.lang, seen.caller);
        }
        row
    });
    let mut row = QueueRow {
        name: view.queue.to_string(),
        open: view.open,
        waiting: waiting.collect(),
        expected_wait_ms: view.expected_wait.map(millis),
        logged_in: count(view.logged_in),
        ready: count(view.ready),
        ..QueueRow::default()
    };
    if let Some(queue) = settings.queues.get(&view.queue) {
        row.agency = queue.agency.as_ref().map(ToString::to_string);
        row.opens_ms = (!view.open).then(|| queue.calendar.opens_at(now)).flatten().map(Timestamp::as_millis);
        row.waiting_max = count(queue.waiting_max);
        row.wait_ms_max = millis(queue.wait_max);
        row.service_level_ms = millis(queue.service_level);
        row.calls_back = queue.callback.is_some();
        row.peers = queue.peers.iter().map(ToString::to_string).collect();
    }
    row
}

/// One peer centre.
pub(crate) fn peer_row(view: &PeerView, settings: &CentreSettings) -> PeerRow {
    let areas = settings.peers.get(&view.peer).map(|peer| peer.areas.iter().map(ToString::to_string).collect());
    PeerRow {
        name: view.peer.to_string(),
        areas: areas.unwrap_or_default(),
        calls: count(view.calls),
        calls_max: count(view.calls_max),
        rests_until_ms: view.rests_until.map(Timestamp::as_millis),
    }
}

/// One callback.
pub(crate) fn callback_row(callback: &Callback) -> CallbackRow {
    let wish = &callback.wish;
    let (state_at, given_up, cancelled_by) = match &callback.state {
        CallbackState::Waiting { not_before } => (Some(*not_before), None, None),
        CallbackState::Claimed => (callback.attempts.last().map(|attempt| attempt.claimed), None, None),
        CallbackState::Connected { at } => (Some(*at), None, None),
        CallbackState::Unknown { since } => (Some(*since), None, None),
        CallbackState::GivenUp { reason, at } => match reason {
            GivenUp::NotReached => (Some(*at), Some("not-reached"), None),
            GivenUp::Cancelled { by } => (Some(*at), Some("cancelled"), Some(by.to_string())),
            GivenUp::Unknown => (Some(*at), Some("unknown"), None),
        },
    };
    CallbackRow {
        id: callback.id.to_string(),
        queue: wish.queue.to_string(),
        agency: wish.agency.to_string(),
        number: wish.number.masked(),
        topic: wish.topic.to_string(),
        lang: wish.lang.to_string(),
        fields: wish.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        origin: match wish.origin {
            CallbackOrigin::Script => "script",
            CallbackOrigin::Offer => "offer",
            CallbackOrigin::Number => "number",
            CallbackOrigin::Operator => "operator",
        }
        .to_owned(),
        requested_ms: callback.requested.as_millis(),
        earliest_ms: callback.earliest.as_millis(),
        due_ms: callback.due.as_millis(),
        state: callback.state.as_str().to_owned(),
        state_ms: state_at.map(Timestamp::as_millis),
        given_up: given_up.map(str::to_owned),
        cancelled_by,
        escalated_ms: callback.escalated.map(Timestamp::as_millis),
        attempts: callback
            .attempts
            .iter()
            .map(|attempt| AttemptRow {
                call: attempt.call.to_string(),
                claimed_ms: attempt.claimed.as_millis(),
                outcome: attempt.outcome.map(|outcome| outcome_word(outcome).to_owned()),
            })
            .collect(),
    }
}

const fn outcome_word(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Connected => "connected",
        AttemptOutcome::NoAnswer => "no-answer",
        AttemptOutcome::Busy => "busy",
        AttemptOutcome::Rejected => "rejected",
        AttemptOutcome::Unavailable => "unavailable",
        AttemptOutcome::Left => "left",
        AttemptOutcome::OperatorGone => "operator-gone",
    }
}
