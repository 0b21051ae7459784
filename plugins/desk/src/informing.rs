//! What campaigns' scripts have in common: an operator for who was called, and a goodbye that changes nothing any more.

use crate::apology;
use crate::operator::Nobody;
use gudok_sdk::prelude::*;

/// How long who was called waits for an operator, at most: we have called them, and not they us.
const PATIENCE: core::time::Duration = core::time::Duration::from_secs(60);

/// The queue that who was called may be handed to: the configuration names it, and it is granted.
#[must_use]
pub fn operators_of_campaign() -> Option<String> {
    let queue = gudok_sdk::host::config("operators").filter(|queue| !queue.trim().is_empty())?;
    gudok_sdk::host::granted("queues").then_some(queue)
}

/// Connects who was called with an operator of that queue, who sees what it is about, and answers whether they talked.
/// Where there is nobody, says so.
///
/// # Errors
/// The end of the call: they hung up before anybody answered.
pub fn talk_to_operator(call: &Call, queue: &str, topic: &str, contact: &Contact) -> Result<bool> {
    gudok_sdk::host::step("operator");
    call.say(words!(call,
        "ru" => ["Соединяю с оператором. Пожалуйста, не кладите трубку."],
        "en" => ["I am connecting you to an operator. Please hold the line."],
    ))?;
    let waited = call
        .queue(queue)
        .show("topic", topic)
        .show("contact", contact.id.as_str())
        .patience(PATIENCE)
        .and_back()
        .wait();
    let nobody = match CallError::unless_ended(waited, "the queue of the operators")? {
        Some(QueueOutcome::Returned { .. } | QueueOutcome::Callback(_) | QueueOutcome::Peer(_)) => return Ok(true),
        Some(QueueOutcome::Closed(opens)) => Nobody::Closed(opens),
        Some(QueueOutcome::Full | QueueOutcome::TimedOut) | None => Nobody::Busy,
    };
    call.say(apology(call, nobody))?;
    Ok(false)
}

/// Says goodbye and hangs up. Everything is said by then: who hangs up first changes nothing.
///
/// # Errors
/// As every host call, but for the end of the call.
pub fn part(call: &Call, words: Prompt) -> Result<()> {
    match call.hangup(words) {
        Err(error) if error.is_end() => Ok(()),
        other => other,
    }
}
