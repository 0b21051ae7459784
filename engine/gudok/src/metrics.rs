//! What the engine counts. No number, call id or name of a person in a label; every label's values are a small closed
//! set, or names from the configuration.

use gudok_core::centre::{Callback, QueueView};
use gudok_core::ids::Agency;
use gudok_core::records::{Direction, LegRecord, QueueOutcome, QueueRecord};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Says what each is; once, at the start.
pub(crate) fn describe() {
    describe_counter!("gudok_calls_total", "Calls that came in, by agency and what became of them");
    describe_gauge!("gudok_calls_live", "Calls now");
    describe_counter!("gudok_journals_kept_total", "Journals of calls that were kept");
    describe_counter!("gudok_journal_bytes_total", "Bytes of journals that were kept, sealed");
    describe_counter!(
        "gudok_journals_dropped_total",
        "Journals of calls that were dropped so that no call waits, by reason"
    );
    describe_gauge!("gudok_journals", "Journals of calls on the disk");
    describe_gauge!("gudok_journals_bytes", "What journals take on the disk");
    describe_counter!("gudok_calls_refused_total", "Calls refused before a script was asked, by reason");
    describe_counter!("gudok_legs_total", "Legs that ended, by direction and hangup cause");
    describe_histogram!("gudok_leg_seconds", "How long legs lasted");
    describe_counter!("gudok_landings_total", "Calls taken out of their script's hands, by agency and cause");
    describe_gauge!("gudok_queue_waiting", "Who waits, callbacks included, by queue");
    describe_gauge!("gudok_queue_ready", "Operators ready for the next caller, by queue");
    describe_histogram!("gudok_heard_seconds", "What was heard on calls that we made, and after how long");
    describe_histogram!("gudok_queue_wait_seconds", "How long callers waited, by queue and how the wait ended");
    describe_counter!(
        "gudok_queue_service_level_total",
        "Waits by queue: offered, and answered within the service level"
    );
    describe_gauge!("gudok_operators", "Operators by what they are doing");
    describe_gauge!("gudok_callbacks", "Callbacks that are not over, by where they stand");
    describe_gauge!("gudok_callbacks_overdue", "Callbacks that are not over and were not kept in time");
    describe_counter!("gudok_callbacks_escalated_total", "Callbacks that were not kept in time");
    describe_counter!("gudok_callbacks_not_kept_total", "Callbacks that could not be written down");
    describe_counter!("gudok_centre_words_late_total", "Words between calls and the centre that found no room at once");
    describe_counter!(
        "gudok_overlays_heard_total",
        "Callers who heard an emergency announcement to its end, by its name"
    );
    describe_gauge!("gudok_degraded", "1 while the engine runs without its store");
    describe_counter!("gudok_records_spooled_total", "Call records kept beside the store, which did not take them");
    describe_gauge!("gudok_versions_loaded", "Script versions in memory, of all entries together");
    describe_counter!("gudok_traces_not_kept_total", "Traces of landed calls that there was no room to keep");
    describe_counter!("gudok_rollbacks_total", "Versions that the engine took back by itself, by agency");
    describe_counter!("gudok_deployment_alarms_total", "Versions that do badly with none to go back to, by agency");
    describe_counter!("gudok_prompts_failed_total", "Prompts that could not be played");
    describe_counter!("gudok_records_refused_total", "Call records that the store did not take");
    describe_counter!("gudok_media_events_dropped_total", "Media events that found a call's inbox full");
    describe_counter!("gudok_leg_orders_refused_total", "Orders that a leg had no room for");
    describe_counter!("gudok_script_events_total", "Events that scripts count");
    describe_counter!("gudok_host_calls_total", "Host calls of scripts, by function and outcome");
    describe_histogram!("gudok_host_call_seconds", "How long host calls took");
    describe_histogram!("gudok_script_cpu_seconds", "CPU that one call's script used");
}

/// A journal is on its shelf.
pub(crate) fn journal_kept(bytes: u64) {
    counter!("gudok_journals_kept_total").increment(1);
    counter!("gudok_journal_bytes_total").increment(bytes);
}

/// A journal was dropped, so that no call waits: "queue", "disk", "seal".
pub(crate) fn journal_dropped(reason: &'static str) {
    counter!("gudok_journals_dropped_total", "reason" => reason).increment(1);
}

pub(crate) fn call_began() {
    gauge!("gudok_calls_live").increment(1.0);
}

pub(crate) fn call_ended() {
    gauge!("gudok_calls_live").decrement(1.0);
}

pub(crate) fn call_refused(reason: &'static str) {
    counter!("gudok_calls_refused_total", "reason" => reason).increment(1);
}

pub(crate) fn leg_ended(record: &LegRecord) {
    let direction = match record.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    counter!("gudok_legs_total", "direction" => direction, "cause" => record.cause.as_str()).increment(1);
    histogram!("gudok_leg_seconds").record(record.ended.since(record.started).as_secs_f64());
    if record.leg == gudok_core::ids::LegId::FIRST {
        let outcome = match (record.landing, record.answered) {
            (Some(_), _) => "landed",
            (None, Some(_)) => "served",
            (None, None) => "unanswered",
        };
        // Calls that came in: a campaign that nobody answers is no sign of trouble.
        if record.campaign.is_none() {
            counter!("gudok_calls_total", "agency" => name(&record.agency), "outcome" => outcome).increment(1);
        }
        if let Some(cause) = record.landing {
            let agency = name(&record.agency);
            counter!("gudok_landings_total", "agency" => agency, "cause" => cause.as_str()).increment(1);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
fn set(name: &'static str, label: (&'static str, String), count: usize) {
    gauge!(name, label.0 => label.1).set(count as f64);
}

/// A queue's line is another.
pub(crate) fn queue(view: &QueueView) {
    set("gudok_queue_waiting", ("queue", view.queue.to_string()), view.waiting.len());
    set("gudok_queue_ready", ("queue", view.queue.to_string()), view.ready);
}

/// What each operator does now.
pub(crate) fn operators(states: impl Iterator<Item = &'static str>) {
    const STATES: [&str; 6] = ["logged-out", "ready", "ringing", "on-call", "wrap-up", "paused"];
    let mut counts = [0; STATES.len()];
    for state in states {
        if let Some(at) = STATES.iter().position(|known| *known == state) {
            counts[at] += 1;
        }
    }
    for (state, count) in STATES.iter().zip(counts) {
        set("gudok_operators", ("state", (*state).to_owned()), count);
    }
}

/// Where the callbacks stand.
pub(crate) fn callbacks<'a>(all: impl Iterator<Item = &'a Callback>) {
    const STATES: [&str; 3] = ["waiting", "claimed", "unknown"];
    let (mut counts, mut overdue) = ([0; STATES.len()], 0);
    for callback in all {
        let state = callback.state.as_str();
        if let Some(at) = STATES.iter().position(|known| *known == state) {
            counts[at] += 1;
            overdue += usize::from(callback.escalated.is_some());
        }
    }
    for (state, count) in STATES.iter().zip(counts) {
        set("gudok_callbacks", ("state", (*state).to_owned()), count);
    }
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
    gauge!("gudok_callbacks_overdue").set(overdue as f64);
}

pub(crate) fn callback_escalated() {
    counter!("gudok_callbacks_escalated_total").increment(1);
}

pub(crate) fn callback_not_kept() {
    counter!("gudok_callbacks_not_kept_total").increment(1);
}

pub(crate) fn centre_word_late() {
    counter!("gudok_centre_words_late_total").increment(1);
}

pub(crate) fn overlay_heard(name: &str) {
    counter!("gudok_overlays_heard_total", "overlay" => name.to_owned()).increment(1);
}

pub(crate) fn degraded(degraded: bool) {
    gauge!("gudok_degraded").set(if degraded { 1.0 } else { 0.0 });
}

pub(crate) fn record_spooled() {
    counter!("gudok_records_spooled_total").increment(1);
}

/// Something was heard on a leg that we called, so long after we began to listen.
pub(crate) fn heard(what: &'static str, after: std::time::Duration) {
    histogram!("gudok_heard_seconds", "what" => what).record(after.as_secs_f64());
}

/// A wait for an operator has ended, in a queue with that service level.
pub(crate) fn waited(wait: &QueueRecord, service_level: std::time::Duration) {
    let queue = || wait.queue.to_string();
    let outcome = match &wait.outcome {
        Some(QueueOutcome::Answered(_)) => "answered",
        Some(QueueOutcome::Peer(_)) => "peer",
        Some(QueueOutcome::Callback) => "callback",
        Some(QueueOutcome::Abandoned) => "abandoned",
        Some(QueueOutcome::Left) => "left",
        Some(QueueOutcome::Host) | None => "host",
        Some(QueueOutcome::Refused) => "refused",
    };
    histogram!("gudok_queue_wait_seconds", "queue" => queue(), "outcome" => outcome).record(wait.waited.as_secs_f64());
    if outcome != "refused" {
        counter!("gudok_queue_service_level_total", "queue" => queue(), "what" => "offered").increment(1);
    }
    if outcome == "answered" && wait.waited <= service_level {
        counter!("gudok_queue_service_level_total", "queue" => queue(), "what" => "answered-within").increment(1);
    }
}

pub(crate) fn trace_not_kept() {
    counter!("gudok_traces_not_kept_total").increment(1);
}

pub(crate) fn rolled_back(agency: &Agency) {
    counter!("gudok_rollbacks_total", "agency" => name(agency)).increment(1);
}

pub(crate) fn deployment_alarm(agency: &Agency) {
    counter!("gudok_deployment_alarms_total", "agency" => name(agency)).increment(1);
}

pub(crate) fn record_refused() {
    counter!("gudok_records_refused_total").increment(1);
}

pub(crate) fn prompt_failed() {
    counter!("gudok_prompts_failed_total").increment(1);
}

pub(crate) fn media_event_dropped() {
    counter!("gudok_media_events_dropped_total").increment(1);
}

pub(crate) fn leg_order_refused() {
    counter!("gudok_leg_orders_refused_total").increment(1);
}

pub(crate) fn script_event(agency: &Agency, event: &str, by: u32) {
    counter!("gudok_script_events_total", "agency" => name(agency), "event" => event.to_owned())
        .increment(u64::from(by));
}

pub(crate) fn host_call(function: &str, outcome: &'static str, took: std::time::Duration) {
    counter!("gudok_host_calls_total", "function" => function.to_owned(), "outcome" => outcome).increment(1);
    histogram!("gudok_host_call_seconds", "function" => function.to_owned()).record(took.as_secs_f64());
}

pub(crate) fn script_cpu(seconds: f64) {
    histogram!("gudok_script_cpu_seconds").record(seconds);
}

fn name(agency: &Agency) -> String {
    agency.as_str().to_owned()
}
