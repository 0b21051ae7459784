//! What the desks of the sample agencies have in common: how a caller gets to an operator, and what they hear where
//! there is none. Their texts are Russian first, English second.
//!
//! What it is not: part of the SDK. An agency that wants other words writes its own.

use gudok_sdk::prelude::*;

/// The group of operators where the configuration has no `operators`.
const GROUP_DEFAULT: &str = "operators";

/// Connects the caller with an operator, who sees what it is about. True if the caller is with somebody; otherwise the
/// caller was told why not, and from when there is somebody.
///
/// # Errors
/// The end of the call. A group that is not granted or not there counts as busy, and the author is told.
pub fn to_operator(call: &Call, topic: &str) -> Result<bool> {
    gudok_sdk::host::step("operator");
    call.say(words!(call,
        "ru" => ["Соединяю с оператором."],
        "en" => ["I am connecting you to an operator."],
    ))?;
    let group = gudok_sdk::host::config("operators").unwrap_or_else(|| GROUP_DEFAULT.to_owned());
    let outcome = Transfer::to_group(&group).show("topic", topic).of(call);
    match CallError::unless_ended(outcome, "transfer to the operators")? {
        Some(TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_)) => return Ok(true),
        Some(TransferOutcome::Closed(opens)) => {
            call.say(closed(call, opens.as_deref().and_then(TimeOfDay::parse)))?;
        }
        _ => {
            call.say(words!(call,
                "ru" => ["Сейчас все операторы заняты."],
                "en" => ["All operators are busy now."],
            ))?;
        }
    }
    Ok(false)
}

/// Apologises, connects the caller with an operator and ends the script's part. Where there is none, says goodbye.
///
/// # Errors
/// The end of the call.
pub fn land(call: &Call, topic: &str, apology: Prompt) -> Result<Summary> {
    call.say(apology)?;
    if to_operator(call, topic)? {
        return Ok(Summary::transferred());
    }
    call.hangup(words!(call,
        "ru" => ["Позвоните, пожалуйста, позже. До свидания."],
        "en" => ["Please call again later. Goodbye."],
    ))?;
    Ok(Summary::new(ResultCode::Custom("no-operator".to_owned())))
}

/// What a caller hears when a back end does not answer as it should.
#[must_use]
pub fn back_end_apology(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Извините, сведения сейчас получить не удалось."],
        "en" => ["I am sorry, the information is not available now."],
    )
}

/// Says goodbye and hangs up.
///
/// # Errors
/// The end of the call.
pub fn goodbye(call: &Call) -> Result<Summary> {
    call.hangup(words!(call,
        "ru" => ["Спасибо за звонок. До свидания."],
        "en" => ["Thank you for calling. Goodbye."],
    ))?;
    Ok(Summary::served())
}

/// The end of a desk: again, an operator, or goodbye.
///
/// # Errors
/// The end of the call.
pub fn afterwards(call: &Call) -> Result<Afterwards> {
    let answer = Menu::new(words!(call,
        "ru" => ["Повторить: нажмите", number(1), ". Поговорить с оператором: нажмите", number(0),
            ". Закончить разговор: нажмите решётку."],
        "en" => ["To hear this again, press", number(1), ". To talk to an operator, press", number(0),
            ". To end the call, press hash."],
    ))
    .on("1", Afterwards::Again)
    .global("*", Afterwards::Again)
    .global("0", Afterwards::Operator)
    .global("#", Afterwards::Goodbye)
    .attempts(2)
    .ask(call)?;
    Ok(match answer {
        Answer::Given(next) | Answer::Global(next) => next,
        Answer::NoInput | Answer::NoMatch => Afterwards::Goodbye,
    })
}

/// What a caller wants who was told something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Afterwards {
    Again,
    Operator,
    Goodbye,
}

fn closed(call: &Call, opens: Option<TimeOfDay>) -> Prompt {
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
