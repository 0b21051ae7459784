//! From the greeting to the goodbye.

use crate::TOPIC;
use crate::debt::Debt;
use crate::prepare::Identity;
use core::time::Duration;
use gudok_desk::{operators_of_campaign, part, talk_to_operator};
use gudok_sdk::prelude::*;

/// Of entering the digits.
const TRIES_MAX: u32 = 3;
/// Whoever asks for more is better off with an operator.
const TURNS_MAX: u32 = 8;
/// Who says that it does not suit is called again after so long.
const LATER_MINUTES: u32 = 3 * 60;
/// Whoever does not know the year of a grandfather's birth has to think.
const FIRST_KEY: Duration = Duration::from_secs(10);
const DIGITS: u8 = 4;

/// What may be chosen by whoever took the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taken {
    Listen,
    Again,
    SomebodyElse,
    Later,
    Operator,
    OptOut,
}

/// What may be chosen by who was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Understood,
    Again,
    Slower,
    Operator,
    OptOut,
}

/// Where the talk goes from a question.
enum Next {
    /// On.
    On,
    /// The end, and what came of it.
    End(Disposition),
}

pub(crate) fn talk(call: &Call, contact: &Contact) -> Result<Disposition> {
    let (Some(identity), Some(debt)) = (Identity::of(contact), Debt::of(contact)) else {
        // The list was another when this contact was prepared.
        gudok_sdk::error!("a contact without what prepare asks for");
        part(call, sorry(call))?;
        return Ok(Disposition::failed("the list lacks what is needed"));
    };
    if let Next::End(disposition) = greet(call, contact)? {
        return Ok(disposition);
    }
    if let Next::End(disposition) = check(call, &identity)? {
        return Ok(disposition);
    }
    match tell(call, contact, &debt) {
        // They know by then.
        Err(error) if error.is_end() => Ok(Disposition::Delivered),
        other => other,
    }
}

/// A message that anybody may hear.
pub(crate) fn on_machine(call: &Call) -> Result<Disposition> {
    gudok_sdk::host::step("machine");
    let where_to = phone().map(|number| {
        words!(call,
            "ru" => ["Вы можете позвонить нам по номеру", digits(number.clone()), ". Повторяю:", digits(number.clone()), "."],
            "en" => ["You can call us at", digits(number.clone()), ". I repeat:", digits(number.clone()), "."],
        )
    });
    let message = words!(call, "ru" => ["Здравствуйте."], "en" => ["Hello."])
        .with(sender(call))
        .with(words!(call,
            "ru" => ["У нас есть для вас сообщение. Личных сведений мы на автоответчике не оставляем."],
            "en" => ["We have a message for you. We leave no personal information on answering machines."],
        ))
        .with(where_to)
        .with(words!(call, "ru" => ["До свидания."], "en" => ["Goodbye."]));
    call.hangup(message.uninterrupted())?;
    Ok(Disposition::Voicemail)
}

/// Who calls, and whether anybody wants to listen.
fn greet(call: &Call, contact: &Contact) -> Result<Next> {
    let operators = operators_of_campaign();
    for turn in 0..TURNS_MAX {
        gudok_sdk::host::step("greeting");
        let hello = match turn {
            0 => words!(call, "ru" => ["Здравствуйте."], "en" => ["Hello."]),
            _ => Prompt::new(),
        };
        let question = hello.with(sender(call)).with(words!(call,
            "ru" => [
                "У нас есть личное сообщение. Чтобы прослушать его, нажмите", number(1),
                ". Если вы не тот, кому мы звоним, нажмите", number(3), ". Если сейчас неудобно, нажмите", number(4), ".",
            ],
            "en" => [
                "We have a personal message. To hear it, press", number(1), ". If it is not for you, press", number(3),
                ". If this is a bad moment, press", number(4), ".",
            ],
        ));
        let menu = Menu::new(with_general_keys(call, question, operators.is_some()))
            .on("1", Taken::Listen)
            .on("2", Taken::Again)
            .on("3", Taken::SomebodyElse)
            .on("4", Taken::Later)
            .on("9", Taken::OptOut)
            .no_match(no_such_choice(call));
        let menu = if operators.is_some() { menu.on("0", Taken::Operator) } else { menu };
        match menu.ask(call)? {
            Answer::Given(Taken::Listen) => return Ok(Next::On),
            Answer::Given(Taken::Again) => {}
            Answer::Given(Taken::SomebodyElse) => return somebody_else(call).map(Next::End),
            Answer::Given(Taken::Later) => return later(call).map(Next::End),
            Answer::Given(Taken::OptOut) => {
                if opts_out(call)? {
                    return Ok(Next::End(Disposition::DoNotCall));
                }
            }
            Answer::Given(Taken::Operator) => {
                if let Some(queue) = &operators
                    && talk_to_operator(call, queue, TOPIC, contact)?
                {
                    return talked(call).map(Next::End);
                }
            }
            Answer::NoInput | Answer::NoMatch | Answer::Global(_) => break,
        }
    }
    part(call, call_us(call))?;
    Ok(Next::End(Disposition::failed("nobody wanted to listen")))
}

/// Whether it is the right person: nothing private is said before.
fn check(call: &Call, identity: &Identity) -> Result<Next> {
    for attempt in 1..=TRIES_MAX {
        gudok_sdk::host::step("identity");
        let wrong =
            (attempt > 1).then(|| words!(call, "ru" => ["Цифры не совпали."], "en" => ["The digits do not match."]));
        let question = Prompt::new().with(wrong).with(match identity {
            Identity::BirthYear(_) => words!(call,
                "ru" => ["Чтобы мы знали, что говорим с вами, введите четыре цифры года вашего рождения."],
                "en" => ["So that we know it is you, enter the four digits of the year of your birth."],
            ),
            Identity::InnTail(_) => words!(call,
                "ru" => ["Чтобы мы знали, что говорим с вами, введите последние четыре цифры вашего И Н Н."],
                "en" => ["So that we know it is you, enter the last four digits of your taxpayer number."],
            ),
        });
        let question = question.with(words!(call,
            "ru" => [" Если сообщение не для вас, нажмите звёздочку."],
            "en" => [" If the message is not for you, press star."],
        ));
        let ask: Ask<String, ()> = Ask::digits(question, DIGITS..=DIGITS);
        match ask.sensitive().first_timeout(FIRST_KEY).attempts(2).global("*", ()).ask(call)? {
            Answer::Given(entered) if identity.fits(&entered) => return Ok(Next::On),
            Answer::Given(_) | Answer::NoMatch => gudok_sdk::host::count("identity-wrong", 1),
            Answer::Global(()) => return somebody_else(call).map(Next::End),
            Answer::NoInput => break,
        }
    }
    part(
        call,
        words!(call,
            "ru" => ["Без проверки мы не можем сообщить личные сведения."],
            "en" => ["Without this check we cannot tell you anything personal."],
        )
        .with(call_us(call)),
    )?;
    Ok(Next::End(Disposition::failed("identity not checked")))
}

/// The message itself, and what they say to it.
fn tell(call: &Call, contact: &Contact, debt: &Debt) -> Result<Disposition> {
    let operators = operators_of_campaign();
    let today = gudok_sdk::host::now().date;
    gudok_sdk::host::step("message");
    call.say(debt.words(call, today))?;
    for _ in 0..TURNS_MAX {
        gudok_sdk::host::step("confirm");
        let question = words!(call,
            "ru" => ["Если всё понятно, нажмите", number(1), ". Чтобы прослушать медленнее, нажмите", number(3), "."],
            "en" => ["If that is clear, press", number(1), ". To hear it slower, press", number(3), "."],
        );
        let menu = Menu::new(with_general_keys(call, question, operators.is_some()))
            .on("1", Told::Understood)
            .on("2", Told::Again)
            .on("3", Told::Slower)
            .on("9", Told::OptOut)
            .no_match(no_such_choice(call))
            .attempts(2);
        let menu = if operators.is_some() { menu.on("0", Told::Operator) } else { menu };
        match menu.ask(call)? {
            Answer::Given(Told::Understood) => {
                part(call, thanks(call))?;
                return Ok(Disposition::confirmed("understood"));
            }
            Answer::Given(Told::Slower) => {
                call.set_pace(Pace::Slow)?;
                call.say(debt.words(call, today))?;
            }
            Answer::Given(Told::Again) => {
                call.say(debt.words(call, today))?;
            }
            Answer::Given(Told::OptOut) => {
                if opts_out(call)? {
                    return Ok(Disposition::DoNotCall);
                }
            }
            Answer::Given(Told::Operator) => {
                if let Some(queue) = &operators
                    && talk_to_operator(call, queue, TOPIC, contact)?
                {
                    return talked(call);
                }
            }
            Answer::NoInput | Answer::NoMatch | Answer::Global(_) => break,
        }
    }
    part(call, thanks(call))?;
    Ok(Disposition::Delivered)
}

/// Asks once more: nine is quickly pressed. Whoever hangs up after saying yes has said it.
fn opts_out(call: &Call) -> Result<bool> {
    gudok_sdk::host::step("opt-out");
    let question = words!(call,
        "ru" => [
            "Вы отказываетесь от таких звонков. Если это верно, нажмите", number(1), ". Чтобы вернуться, нажмите", number(2), ".",
        ],
        "en" => ["You want no more such calls. If that is right, press", number(1), ". To go back, press", number(2), "."],
    );
    let sure: Ask<bool> = Ask::yes_no(question);
    if sure.attempts(2).ask(call)? != Answer::Given(true) {
        return Ok(false);
    }
    part(
        call,
        words!(call,
            "ru" => ["Ваш отказ принят. До свидания."],
            "en" => ["Your wish is noted. Goodbye."],
        ),
    )?;
    Ok(true)
}

fn somebody_else(call: &Call) -> Result<Disposition> {
    part(
        call,
        words!(call,
            "ru" => ["Извините за беспокойство. До свидания."],
            "en" => ["I am sorry to have disturbed you. Goodbye."],
        ),
    )?;
    Ok(Disposition::WrongPerson)
}

fn later(call: &Call) -> Result<Disposition> {
    part(
        call,
        words!(call,
            "ru" => ["Хорошо, мы перезвоним позже. До свидания."],
            "en" => ["Very well, we will call again later. Goodbye."],
        ),
    )?;
    Ok(Disposition::RetryAt(gudok_sdk::host::now().in_minutes(LATER_MINUTES)))
}

fn talked(call: &Call) -> Result<Disposition> {
    part(call, words!(call, "ru" => ["Спасибо. До свидания."], "en" => ["Thank you. Goodbye."]))?;
    Ok(Disposition::confirmed("talked to an operator"))
}

fn with_general_keys(call: &Call, question: Prompt, operator: bool) -> Prompt {
    let to_operator = operator.then(|| {
        words!(call,
            "ru" => [" Чтобы поговорить с оператором, нажмите", number(0), "."],
            "en" => [" To talk to an operator, press", number(0), "."],
        )
    });
    question
        .with(words!(call, "ru" => [" Повторить: нажмите", number(2), "."], "en" => [" To repeat, press", number(2), "."]))
        .with(to_operator)
        .with(words!(call,
            "ru" => [" Отказаться от таких звонков: нажмите", number(9), "."],
            "en" => [" For no more such calls, press", number(9), "."],
        ))
}

fn no_such_choice(call: &Call) -> Prompt {
    words!(call, "ru" => ["Такого варианта нет."], "en" => ["There is no such choice."])
}

fn thanks(call: &Call) -> Prompt {
    words!(call, "ru" => ["Спасибо за внимание. До свидания."], "en" => ["Thank you for listening. Goodbye."])
}

/// Where else to hear of it, and goodbye.
fn call_us(call: &Call) -> Prompt {
    let number = phone().map(|number| {
        words!(call,
            "ru" => ["Вы можете позвонить нам по номеру", digits(number.clone()), "."],
            "en" => ["You can call us at", digits(number.clone()), "."],
        )
    });
    Prompt::new().with(number).with(words!(call, "ru" => ["До свидания."], "en" => ["Goodbye."]))
}

fn sorry(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Извините, произошла ошибка. До свидания."],
        "en" => ["I am sorry, something went wrong. Goodbye."],
    )
}

fn sender(call: &Call) -> String {
    let (key, default) = match call.speaks("en") {
        true => ("sender_en", "This is an automatic call from the tax office."),
        false => ("sender", "Вам звонит автоинформатор налоговой инспекции."),
    };
    gudok_sdk::host::config(key).filter(|words| !words.trim().is_empty()).unwrap_or_else(|| default.to_owned())
}

fn phone() -> Option<String> {
    gudok_sdk::host::config("phone").filter(|number| !number.trim().is_empty())
}
