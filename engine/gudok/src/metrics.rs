//! What the engine counts. No number, call id or name of a person in a label; every label's values are a small closed
//! set, or names from the configuration.

use gudok_core::ids::Agency;
use gudok_core::records::{Direction, LegRecord};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Says what each is; once, at the start.
pub(crate) fn describe() {
    describe_counter!("gudok_calls_total", "Calls that came in, by agency and what became of them");
    describe_gauge!("gudok_calls_live", "Calls now");
    describe_counter!("gudok_calls_refused_total", "Calls refused before a script was asked, by reason");
    describe_counter!("gudok_legs_total", "Legs that ended, by direction and hangup cause");
    describe_histogram!("gudok_leg_seconds", "How long legs lasted");
    describe_counter!("gudok_landings_total", "Calls taken out of their script's hands, by agency and cause");
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
        counter!("gudok_calls_total", "agency" => name(&record.agency), "outcome" => outcome).increment(1);
        if let Some(cause) = record.landing {
            let agency = name(&record.agency);
            counter!("gudok_landings_total", "agency" => agency, "cause" => cause.as_str()).increment(1);
        }
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
