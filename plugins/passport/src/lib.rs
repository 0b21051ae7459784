//! Passport readiness: asks for the application's number and its check digits, has the agency's back end verify them,
//! and tells how the application stands.
//!
//! Nothing is told, not even whether the application exists, before the back end has verified both. After three wrong
//! tries, and whenever the back end does not answer as it should, a person takes over.

mod application;

use application::Application;
use core::time::Duration;
use gudok_desk::{Afterwards, afterwards, back_end_apology, goodbye, land, to_operator};
use gudok_sdk::prelude::*;
use serde::Serialize;

gudok_sdk::service!(run);

const TOPIC: &str = "passport";
/// The secret whose text is the whole Authorization header.
const SECRET: &str = "back-end";
const TRIES_MAX: u32 = 3;
const NUMBER_DIGITS: u8 = 8;
const CHECK_DIGITS: u8 = 4;
/// A caller takes longer silence for a dropped call.
const BACK_END_PATIENCE: Duration = Duration::from_secs(4);

/// What the back end is asked. In the body, not in the address: addresses are written to logs.
#[derive(Serialize)]
struct Inquiry {
    application: String,
    check: String,
}

fn run(call: &Call) -> Result<Summary> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    call.say(words!(call,
        "ru" => ["Готовность паспорта."],
        "en" => ["The state of your passport application."],
    ))?;
    for attempt in 1..=TRIES_MAX {
        let Some(inquiry) = ask(call)? else {
            return land(call, TOPIC, Prompt::new());
        };
        match look_up(call, &inquiry) {
            Ok(Some(application)) => return tell(call, &application),
            Ok(None) => {
                gudok_sdk::host::count("not-verified", 1);
                gudok_sdk::info!("not verified"; attempt = attempt);
                if attempt < TRIES_MAX {
                    call.say(not_verified(call))?;
                }
            }
            Err(error) if error.is_end() => return Err(error),
            Err(error) => {
                gudok_sdk::host::count("back-end-failed", 1);
                gudok_sdk::warn!("back end: {error}");
                return land(call, TOPIC, back_end_apology(call));
            }
        }
    }
    land(call, TOPIC, not_verified(call))
}

/// Asks for both numbers; none where the caller enters nothing that fits, or wants a person.
fn ask(call: &Call) -> Result<Option<Inquiry>> {
    gudok_sdk::host::step("application");
    let number_question = words!(call,
        "ru" => ["Введите", number(NUMBER_DIGITS).case(Case::Accusative), "цифр номера заявления. Для оператора нажмите звёздочку."],
        "en" => ["Enter the", number(NUMBER_DIGITS), "digits of the application. For an operator, press star."],
    );
    let Some(application) = row(call, number_question, NUMBER_DIGITS)? else { return Ok(None) };
    gudok_sdk::host::step("check");
    let check_question = words!(call,
        "ru" => ["Введите", number(CHECK_DIGITS).case(Case::Accusative), "контрольные цифры с расписки."],
        "en" => ["Enter the", number(CHECK_DIGITS), "check digits of your receipt."],
    );
    let Some(check) = row(call, check_question, CHECK_DIGITS)? else { return Ok(None) };
    Ok(Some(Inquiry { application, check }))
}

fn row(call: &Call, question: Prompt, length: u8) -> Result<Option<String>> {
    let answer: Answer<String, ()> = Ask::digits(question, length..=length)
        .sensitive()
        .global("*", ())
        .no_input(words!(call, "ru" => ["Я ничего не услышал."], "en" => ["I have not heard anything."]))
        .no_match(words!(call, "ru" => ["Цифр не хватает."], "en" => ["There are digits missing."]))
        .ask(call)?;
    Ok(match answer {
        Answer::Given(digits) => Some(digits),
        Answer::Global(()) | Answer::NoInput | Answer::NoMatch => None,
    })
}

/// The application; none where the back end does not know it under these check digits.
fn look_up(call: &Call, inquiry: &Inquiry) -> Result<Option<Application>> {
    gudok_sdk::host::step("look-up");
    let url = format!("{}/passport/applications", gudok_sdk::host::config_required("back_end")?);
    let response = Request::post(url, inquiry)?
        .secret(SECRET)?
        .timeout(BACK_END_PATIENCE)
        .send_while(call, words!(call, "ru" => ["Минуту, проверяю."], "en" => ["One moment, please."]))?;
    if response.status == 404 {
        return Ok(None);
    }
    response.success()?.json().map(Some)
}

fn tell(call: &Call, application: &Application) -> Result<Summary> {
    loop {
        gudok_sdk::host::step("result");
        call.say(application.told(call.speaks("en")))?;
        match afterwards(call)? {
            Afterwards::Again => {}
            Afterwards::Goodbye => return goodbye(call),
            Afterwards::Operator => {
                if let Some(summary) = to_operator(call, TOPIC)? {
                    return Ok(summary);
                }
            }
        }
    }
}

fn not_verified(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Номер заявления и контрольные цифры не совпадают."],
        "en" => ["The number of the application and the check digits do not match."],
    )
}
