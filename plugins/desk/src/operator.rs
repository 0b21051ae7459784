//! From a script to a person: a queue, or a group where there is no queue; at night, a callback.

use gudok_sdk::prelude::*;

/// The queue, and the group of operators, where the configuration has no `operators`.
const OPERATORS_DEFAULT: &str = "operators";

/// Why nobody is to be had.
#[derive(Clone, Copy)]
pub(crate) enum Nobody {
    Closed(Option<TimeOfDay>),
    Busy,
}

/// Connects the caller with an operator, who sees what it is about. Answers the script's summary where the call is over or
/// somebody else's; none where nobody was to be had and the caller wants no callback: the caller was told why not, and from
/// when there is somebody.
///
/// # Errors
/// The end of the call. A queue or group that is not granted or not there counts as busy, and the author is told.
pub fn to_operator(call: &Call, topic: &str) -> Result<Option<Summary>> {
    gudok_sdk::host::step("operator");
    call.say(words!(call,
        "ru" => ["Соединяю с оператором."],
        "en" => ["I am connecting you to an operator."],
    ))?;
    let operators = gudok_sdk::host::config("operators").unwrap_or_else(|| OPERATORS_DEFAULT.to_owned());
    let waited = call.queue(&operators).show("topic", topic).and_back().wait();
    let nobody = match CallError::unless_ended(waited, "the queue of the operators")? {
        Some(QueueOutcome::Returned { .. }) => return crate::survey(call).map(Some),
        Some(QueueOutcome::Callback(_)) => return Ok(Some(Summary::callback_booked())),
        Some(QueueOutcome::Peer(_)) => return Ok(Some(Summary::transferred())),
        Some(QueueOutcome::Closed(opens)) => Nobody::Closed(opens),
        Some(QueueOutcome::Full | QueueOutcome::TimedOut) => Nobody::Busy,
        None => match to_group(call, &operators, topic)? {
            Ok(summary) => return Ok(Some(summary)),
            Err(nobody) => nobody,
        },
    };
    call.say(apology(call, nobody))?;
    leave_number(call, &operators, topic)
}

/// For a centre without queues.
fn to_group(call: &Call, group: &str, topic: &str) -> Result<core::result::Result<Summary, Nobody>> {
    let outcome = Transfer::to_group(group).show("topic", topic).of(call);
    Ok(match CallError::unless_ended(outcome, "transfer to the operators")? {
        Some(TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_)) => Ok(Summary::transferred()),
        Some(TransferOutcome::Closed(opens)) => Err(Nobody::Closed(opens.as_deref().and_then(TimeOfDay::parse))),
        _ => Err(Nobody::Busy),
    })
}

/// The host asks for the number and says by when; the caller who wants that is done here.
fn leave_number(call: &Call, queue: &str, topic: &str) -> Result<Option<Summary>> {
    gudok_sdk::host::step("leave-number");
    let offered = call.offer_callback(queue).topic(topic).ask();
    match CallError::unless_ended(offered, "offer of a callback")?.flatten() {
        Some(_) => {
            call.hangup(
                words!(call, "ru" => ["Спасибо за звонок. До свидания."], "en" => ["Thank you for calling. Goodbye."]),
            )?;
            Ok(Some(Summary::callback_booked()))
        }
        None => Ok(None),
    }
}

/// Apologises, connects the caller with an operator and ends the script's part. Where there is none, says goodbye.
///
/// # Errors
/// The end of the call.
pub fn land(call: &Call, topic: &str, words: Prompt) -> Result<Summary> {
    if !words.segments.is_empty() {
        call.say(words)?;
    }
    if let Some(summary) = to_operator(call, topic)? {
        return Ok(summary);
    }
    call.hangup(words!(call,
        "ru" => ["Позвоните, пожалуйста, позже. До свидания."],
        "en" => ["Please call again later. Goodbye."],
    ))?;
    Ok(Summary::new(ResultCode::Custom("no-operator".to_owned())))
}

/// Looks after the caller of a talk that could not go on: whoever is still there gets to an operator, after an apology where
/// a back end failed.
///
/// # Errors
/// The end of the call.
pub fn looked_after(call: &Call, topic: &str, talk: Talk<Summary>) -> Result<Summary> {
    match talk {
        Ok(summary) => Ok(summary),
        Err(Failure::Ended(reason)) => Err(CallError::Ended(reason)),
        Err(Failure::Unavailable(error)) => {
            gudok_sdk::host::count("back-end-failed", 1);
            gudok_sdk::warn!("back end: {error}");
            land(call, topic, crate::back_end_apology(call))
        }
        Err(Failure::Operator | Failure::NoAnswer | Failure::NotAccepted) => land(call, topic, Prompt::new()),
    }
}

pub(crate) fn apology(call: &Call, nobody: Nobody) -> Prompt {
    match nobody {
        Nobody::Busy => words!(call,
            "ru" => ["Сейчас все операторы заняты."],
            "en" => ["All operators are busy now."],
        ),
        Nobody::Closed(opens) => {
            let from = opens.map(|opens| {
                words!(call,
                    "ru" => ["Они начинают работу в", time(opens), "."],
                    "en" => ["They start at", time(opens), "."],
                )
            });
            words!(call,
                "ru" => ["Операторы сейчас не работают."],
                "en" => ["The operators are not at work now."],
            )
            .with(from)
        }
    }
}
