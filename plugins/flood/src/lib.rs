//! A flood warning: said at once and to its end, once more on request, slower on request, and confirmed with a key. An
//! answering machine gets it twice.
//!
//! Columns of the list, all of them optional: `message`, `assembly` (where people gather), `level_cm` (by how much the
//! water is expected to rise). There is nothing private in it: whoever takes the call is to hear it.

use core::time::Duration;
use gudok_desk::{operators_of_campaign, part, talk_to_operator};
use gudok_sdk::prelude::*;

gudok_sdk::campaign!(prepare, run);

const TOPIC: &str = "flood";
const CENTIMETRE: Noun = Noun::new("сантиметр", "сантиметра", "сантиметров", "сантиметра", Gender::Masculine);
const CENTIMETRE_EN: Noun = Noun::plain("centimetre", "centimetres");
/// Higher is a slip in the list.
const LEVEL_CM_MAX: i64 = 3_000;
/// Whoever asks for more has heard it well enough to act.
const REPEATS_MAX: u32 = 5;
/// Between the two times on an answering machine.
const PAUSE: Duration = Duration::from_secs(1);
/// What a confirmed warning is called in the results.
const UNDERSTOOD: &str = "understood";

/// What is said after the warning was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Understood,
    Again,
    Slower,
    Operator,
}

fn prepare(contact: &Contact) -> Plan {
    match contact.field("level_cm").map(|_| level(contact)) {
        Some(None) => Plan::skip("the column level_cm has no whole number of centimetres"),
        Some(Some(_)) | None => Plan::Dial,
    }
}

fn run(call: &Call, contact: &Contact) -> Result<Disposition> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    let warning = warning(call, contact);
    if call.is_on_machine() {
        return on_machine(call, &warning);
    }
    gudok_sdk::host::step("warning");
    // To its end: who presses a key at the first word has understood nothing yet. The key counts afterwards.
    call.say(warning.clone().uninterrupted())?;
    match talk(call, contact, &warning) {
        // They have heard it.
        Err(error) if error.is_end() => Ok(Disposition::Delivered),
        other => other,
    }
}

/// From the first time that the warning was heard to its end.
fn talk(call: &Call, contact: &Contact, warning: &Prompt) -> Result<Disposition> {
    let operators = operators_of_campaign();
    for _ in 0..=REPEATS_MAX {
        gudok_sdk::host::step("confirm");
        match ask(call, operators.is_some())? {
            Answer::Given(Said::Understood) => return understood(call),
            Answer::Given(Said::Slower) => {
                call.set_pace(Pace::Slow)?;
                call.say(warning.clone())?;
            }
            Answer::Given(Said::Operator) => {
                if let Some(queue) = &operators
                    && talk_to_operator(call, queue, TOPIC, contact)?
                {
                    return understood(call);
                }
            }
            Answer::Given(Said::Again) => {
                call.say(warning.clone())?;
            }
            // Whether anybody listened is not known: it was said, and it is tried again.
            Answer::NoInput | Answer::NoMatch | Answer::Global(_) => break,
        }
    }
    gudok_sdk::host::count("not-confirmed", 1);
    part(
        call,
        words!(call,
            "ru" => ["Пожалуйста, будьте осторожны. До свидания."],
            "en" => ["Please take care. Goodbye."],
        ),
    )?;
    Ok(Disposition::Delivered)
}

fn ask(call: &Call, operator: bool) -> Result<Answer<Said>> {
    let to_operator = operator.then(|| {
        words!(call,
            "ru" => [" Чтобы поговорить с оператором, нажмите", number(0), "."],
            "en" => [" To talk to an operator, press", number(0), "."],
        )
    });
    let question = words!(call,
        "ru" => [
            "Если вы поняли предупреждение, нажмите", number(1), ". Чтобы прослушать его ещё раз, нажмите", number(2),
            ". Чтобы прослушать медленнее, нажмите", number(3), ".",
        ],
        "en" => [
            "If you have understood the warning, press", number(1), ". To hear it again, press", number(2),
            ". To hear it slower, press", number(3), ".",
        ],
    );
    let menu = Menu::new(question.with(to_operator))
        .on("1", Said::Understood)
        .on("2", Said::Again)
        .on("3", Said::Slower)
        .no_match(words!(call, "ru" => ["Такого варианта нет."], "en" => ["There is no such choice."]));
    let menu = if operator { menu.on("0", Said::Operator) } else { menu };
    menu.ask(call)
}

fn understood(call: &Call) -> Result<Disposition> {
    part(
        call,
        words!(call,
            "ru" => ["Спасибо, ответ принят. Пожалуйста, предупредите соседей. До свидания."],
            "en" => ["Thank you, your answer is noted. Please warn your neighbours. Goodbye."],
        ),
    )?;
    Ok(Disposition::confirmed(UNDERSTOOD))
}

/// Twice, for who begins to listen in the middle; nobody is asked.
fn on_machine(call: &Call, warning: &Prompt) -> Result<Disposition> {
    gudok_sdk::host::step("machine");
    let twice = words!(call,
        "ru" => [warning, silence(PAUSE), "Повторяю.", warning, "До свидания."],
        "en" => [warning, silence(PAUSE), "I repeat.", warning, "Goodbye."],
    );
    call.hangup(twice.uninterrupted())?;
    Ok(Disposition::Voicemail)
}

/// The whole of it, for any ear.
fn warning(call: &Call, contact: &Contact) -> Prompt {
    let in_english = call.speaks("en");
    let message = contact.field("message").map(str::to_owned).or_else(|| config(message_key(in_english)));
    let rise = level(contact).map(|level| {
        words!(call,
            "ru" => ["Вода может подняться на", counted(level, CENTIMETRE), "."],
            "en" => ["The water may rise by", counted(level, CENTIMETRE_EN), "."],
        )
    });
    let assembly = contact.field("assembly").map(str::to_owned).or_else(|| config("assembly")).map(
        |place| words!(call, "ru" => ["Место сбора:", &place, "."], "en" => ["The assembly point is", &place, "."]),
    );
    let phone = config("phone").map(|number| {
        words!(call,
            "ru" => ["Телефон для справок:", digits(number.clone()), "."],
            "en" => ["For questions, call", digits(number.clone()), "."],
        )
    });
    words!(call,
        "ru" => ["Внимание! Предупреждение об опасности."],
        "en" => ["Attention! This is an emergency warning."],
    )
    .with(message)
    .with(rise)
    .with(assembly)
    .with(phone)
}

const fn message_key(in_english: bool) -> &'static str {
    if in_english { "message_en" } else { "message" }
}

fn config(key: &str) -> Option<String> {
    gudok_sdk::host::config(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn level(contact: &Contact) -> Option<i64> {
    contact.whole("level_cm").filter(|level| (1..=LEVEL_CM_MAX).contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(level: Option<&str>) -> Contact {
        let field = |value: &str| gudok_sdk::bindings::gudok::ivr::types::Field {
            name: "level_cm".to_owned(),
            value: value.to_owned(),
        };
        Contact {
            id: "1".to_owned(),
            number: "+79130000000".to_owned(),
            attempt: 1,
            attributes: level.map(field).into_iter().collect(),
        }
    }

    #[test]
    fn a_slip_in_the_list_warns_of_no_nonsense() {
        let check = |level: Option<&str>, dials: bool| {
            assert_eq!(matches!(prepare(&contact(level)), Plan::Dial), dials, "{level:?}");
        };
        check(None, true);
        check(Some(""), true);
        check(Some("21"), true);
        check(Some("3000"), true);
        check(Some("3001"), false);
        check(Some("0"), false);
        check(Some("метр"), false);
    }
}
