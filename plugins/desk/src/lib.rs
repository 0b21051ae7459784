//! What the desks of the sample agencies have in common: how a caller gets to an operator, what they hear where there is
//! none, and how they are asked afterwards. Their texts are Russian first, English second.
//!
//! What it is not: part of the SDK. An agency that wants other words writes its own.

mod informing;
mod operator;

pub use informing::{operators_of_campaign, part, talk_to_operator};
pub use operator::{land, looked_after, to_operator};

use operator::apology;

use gudok_sdk::prelude::*;

/// The languages that these desks have words in, the first where the caller speaks none of them.
pub const LANGUAGES: [&str; 2] = ["ru-RU", "en-US"];

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

/// Notes that something told is wrong, and reads the registration number; where that cannot be, says so. The caller goes
/// on with the script.
///
/// # Errors
/// The end of the call.
pub fn note_wrong(call: &Call, agency: &str, entry: &str, version: u32) -> Result<()> {
    gudok_sdk::host::step("wrong");
    let ticket = Ticket::outdated(agency, entry, version).submit(call, &format!("wrong-{entry}"));
    let Some(number) = CallError::unless_ended(ticket, "notice of wrong information")? else {
        call.say(words!(call,
            "ru" => ["Извините, записать замечание сейчас не удалось. Оператор может принять его: нажмите", number(0), "."],
            "en" => ["I am sorry, your remark cannot be noted now. An operator can take it: press", number(0), "."],
        ))?;
        return Ok(());
    };
    gudok_sdk::host::count("wrong-information", 1);
    call.say(words!(call,
        "ru" => ["Спасибо. Мы передали, что эти сведения неверны. Номер замечания:", registration_number(&number), "."],
        "en" => ["Thank you. We have passed on that this is wrong. The number of your remark:", registration_number(&number), "."],
    ))?;
    Ok(())
}

/// Asks for a mark from one to five, if surveys are granted, and says goodbye. Whatever becomes of the mark, the caller is
/// thanked and not asked again.
///
/// # Errors
/// The end of the call.
pub fn survey(call: &Call) -> Result<Summary> {
    const MARKS: i32 = 5;
    if !gudok_sdk::host::granted("promises") {
        return goodbye(call);
    }
    gudok_sdk::host::step("mark");
    let question = words!(call,
        "ru" => ["Оцените, пожалуйста, разговор: нажмите цифру от одного до пяти, где пять значит хорошо."],
        "en" => ["How was the talk? Please press a digit from one to five; five means good."],
    );
    let menu = (1..=MARKS).fold(Menu::new(question).attempts(2), |menu, mark| menu.on(&mark.to_string(), mark));
    if let Answer::Given(mark) = menu.ask(call)? {
        CallError::unless_ended(Survey::new("talk").score("operator", mark).submit(), "survey")?;
        gudok_sdk::host::step("thanks");
        call.say(words!(call, "ru" => ["Спасибо за оценку."], "en" => ["Thank you for your mark."]))?;
    }
    goodbye(call)
}
