//! Справочная: часы работы и адрес; на ноль, и всякий раз, когда что-то не вышло, отвечает оператор.

use gudok_sdk::host::{data_text, now, step};
use gudok_sdk::prelude::*;
use serde::Deserialize;

gudok_sdk::service!(run);

/// Сколько вопросов за один звонок: у всякого круга есть конец.
const QUESTIONS_MAX: u32 = 10;

/// Что лежит в data/office.json.
#[derive(Deserialize)]
struct Office {
    address: String,
    /// С понедельника по воскресенье; null значит выходной.
    hours: [Option<(String, String)>; 7],
}

#[derive(Clone)]
enum Wish {
    Hours,
    Address,
}

/// Отсюда начинается звонок. Всё, что `talk` не смог сам, делает оператор.
fn run(call: &Call) -> Result<Summary> {
    talk(call).or_operator(call, "operators")
}

fn talk(call: &Call) -> Talk<Summary> {
    let office = office()?;
    call.say("Здравствуйте. Это справочная.")?;
    for _ in 0..QUESTIONS_MAX {
        let wish = Ask::choice("Что вы хотите узнать? Поговорить с оператором: ноль.")
            .item("1", "Часы работы", Wish::Hours)
            .item("2", "Адрес", Wish::Address)
            .global("0", ())
            .step("menu")
            .ask(call)?
            .given()?;
        step("answer");
        call.say(match wish {
            Wish::Hours => hours_today(&office),
            Wish::Address => prompt!["Адрес:", office.address.as_str(), "."],
        })?;
        if !wants_more(call)? {
            break;
        }
    }
    call.hangup("Спасибо за звонок. До свидания.")?;
    Ok(Summary::served())
}

/// Кто молчит или нажал не то, всё уже услышал: с ним прощаются.
fn wants_more(call: &Call) -> Talk<bool> {
    let answer = Ask::choice("Поговорить с оператором: ноль.")
        .item("1", "Узнать что-то ещё", ())
        .global("0", ())
        .attempts(1)
        .step("more")
        .ask(call)?;
    match answer {
        Answer::NoInput | Answer::NoMatch => Ok(false),
        answer => answer.given().map(|()| true),
    }
}

/// Время говорят числами: «с девяти часов до восемнадцати часов» выговорит сам гудок.
fn hours_today(office: &Office) -> Prompt {
    let today = &office.hours[usize::from(now().date.weekday()) % office.hours.len()];
    let times = today.as_ref().and_then(|(from, to)| Some((TimeOfDay::parse(from)?, TimeOfDay::parse(to)?)));
    match times {
        Some((from, to)) => prompt!["Сегодня мы работаем с", time(from), "до", time(to), "."],
        None => prompt!["Сегодня выходной."],
    }
}

fn office() -> Result<Office> {
    let text = data_text("office.json")?;
    serde_json::from_str(&text).map_err(|error| CallError::Invalid(format!("data/office.json: {error}")))
}
