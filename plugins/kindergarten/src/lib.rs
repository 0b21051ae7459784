//! Kindergarten queue: asks for the application's number and the child's birthday, has the agency's back end verify
//! them, and tells the place in the queue.

use core::time::Duration;
use gudok_desk::{Afterwards, afterwards, goodbye, looked_after, to_operator};
use gudok_sdk::prelude::*;
use serde::{Deserialize, Serialize};

gudok_sdk::service!(run);

const TOPIC: &str = "kindergarten";
/// The secret whose text is the whole Authorization header.
const SECRET: &str = "back-end";
const TRIES_MAX: u32 = 3;
const NUMBER_DIGITS: u8 = 6;
/// A caller takes longer silence for a dropped call.
const BACK_END_PATIENCE: Duration = Duration::from_secs(4);

/// What the back end is asked. In the body, not in the address: addresses are written to logs.
#[derive(Serialize)]
struct Inquiry {
    application: String,
    /// "2023-05-05"
    born: String,
}

/// What it answers.
#[derive(Debug, Deserialize)]
struct Queue {
    /// From 1.
    place: u32,
}

fn run(call: &Call) -> Result<Summary> {
    call.speak_one_of(&gudok_desk::LANGUAGES)?;
    call.say(words!(call,
        "ru" => ["Очередь в детский сад."],
        "en" => ["The queue for kindergartens."],
    ))?;
    looked_after(call, TOPIC, talk(call))
}

fn talk(call: &Call) -> Talk<Summary> {
    let queue = retry(call, TRIES_MAX, not_verified(call), |_| look_up(call, &ask(call)?))?;
    tell(call, &queue)
}

/// Asks for both.
fn ask(call: &Call) -> Talk<Inquiry> {
    let number_question = words!(call,
        "ru" => ["Введите", number(NUMBER_DIGITS).case(Case::Accusative), "цифр номера заявления. Для оператора нажмите звёздочку."],
        "en" => ["Enter the", number(NUMBER_DIGITS), "digits of the application. For an operator, press star."],
    );
    let birthday_question = words!(call,
        "ru" => ["Введите день рождения ребёнка: две цифры дня, две цифры месяца, четыре цифры года."],
        "en" => ["Enter the child's birthday: two digits for the day, two for the month, four for the year."],
    );
    let no_such_day = words!(call, "ru" => ["Такого дня нет."], "en" => ["There is no such day."]);
    let (application, born) = Form::new()
        .ask(Ask::digits(number_question, NUMBER_DIGITS..=NUMBER_DIGITS).sensitive().step("application"))
        .ask(Ask::date(birthday_question).no_match(no_such_day).sensitive().step("birthday"))
        .operator("*")
        .fill(call)?;
    let born = format!("{:04}-{:02}-{:02}", born.year, born.month, born.day);
    Ok(Inquiry { application, born })
}

/// The place in the queue; none where the back end does not know the application under this birthday.
fn look_up(call: &Call, inquiry: &Inquiry) -> Talk<Option<Queue>> {
    gudok_sdk::host::step("look-up");
    let url = format!("{}/kindergarten/places", gudok_sdk::host::config_required("back_end")?);
    let response = Request::post(url, inquiry)?
        .secret(SECRET)?
        .timeout(BACK_END_PATIENCE)
        .send_while(call, words!(call, "ru" => ["Минуту, проверяю."], "en" => ["One moment, please."]))?;
    let Some(response) = response.found()? else { return Ok(None) };
    let queue: Queue = response.json()?;
    if queue.place == 0 {
        return Err(CallError::Unavailable("the back end answered place 0; places count from 1".to_owned()).into());
    }
    Ok(Some(queue))
}

fn tell(call: &Call, queue: &Queue) -> Talk<Summary> {
    loop {
        gudok_sdk::host::step("result");
        call.say(told(call, queue))?;
        match afterwards(call)? {
            Afterwards::Again => {}
            Afterwards::Goodbye => return Ok(goodbye(call)?),
            Afterwards::Operator => {
                if let Some(summary) = to_operator(call, TOPIC)? {
                    return Ok(summary);
                }
            }
        }
    }
}

fn told(call: &Call, queue: &Queue) -> Prompt {
    words!(call,
        "ru" => ["Ваш номер в очереди:", ordinal(queue.place), "."],
        "en" => ["Your place in the queue is the", ordinal(queue.place), "."],
    )
    .private()
}

fn not_verified(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Номер заявления и день рождения не совпадают."],
        "en" => ["The number of the application and the birthday do not match."],
    )
}
