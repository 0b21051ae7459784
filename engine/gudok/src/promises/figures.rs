//! What promises count.

use gudok_core::ids::Agency;
use gudok_core::outbox::OutboxCounts;
use gudok_core::ticket::TicketKind;
use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Says what each is; once, at the start.
pub(super) fn describe() {
    describe_counter!("gudok_tickets_total", "Tickets registered, by agency and kind");
    describe_counter!("gudok_surveys_total", "Surveys answered, by agency");
    describe_counter!("gudok_delivery_attempts_total", "Sendings of tickets, by agency and outcome");
    describe_counter!("gudok_deliveries_total", "Tickets that were delivered or given up, by agency");
    describe_gauge!("gudok_outbox_waiting", "Tickets that wait to be sent");
    describe_gauge!("gudok_outbox_without_webhook", "Of these, tickets of agencies that have no webhook");
    describe_gauge!("gudok_outbox_sending", "Tickets on their way");
    describe_gauge!("gudok_directory_entries", "Entries of the directory");
}

pub(super) fn ticket_registered(agency: &Agency, kind: TicketKind) {
    counter!("gudok_tickets_total", "agency" => agency.to_string(), "kind" => kind.as_str()).increment(1);
}

pub(super) fn survey_answered(agency: &Agency) {
    counter!("gudok_surveys_total", "agency" => agency.to_string()).increment(1);
}

pub(super) fn delivery_attempted(agency: &Agency, accepted: bool) {
    let outcome = if accepted { "accepted" } else { "failed" };
    counter!("gudok_delivery_attempts_total", "agency" => agency.to_string(), "outcome" => outcome).increment(1);
}

pub(super) fn delivery_ended(agency: &Agency, dead: bool) {
    let end = if dead { "dead" } else { "delivered" };
    counter!("gudok_deliveries_total", "agency" => agency.to_string(), "end" => end).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
pub(super) fn outbox(counts: OutboxCounts) {
    gauge!("gudok_outbox_waiting").set(counts.waiting as f64);
    gauge!("gudok_outbox_without_webhook").set(counts.without_endpoint as f64);
    gauge!("gudok_outbox_sending").set(counts.sending as f64);
}
