//! The information desk: address and hours by municipality.

use crate::TOPIC;
use crate::booking;
use crate::offices::{Directory, Office, hours_in_english, hours_in_russian, week_of};
use gudok_desk::{goodbye, note_wrong, to_operator};
use gudok_sdk::directory::{Office as Listed, Query};
use gudok_sdk::prelude::*;

/// What the caller wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// The office at this place of the directory.
    Tell(usize),
    List,
    Again,
    Booking,
    /// What was told is wrong.
    Wrong,
    Operator,
    Goodbye,
}

pub(crate) fn run(call: &Call, directory: &Directory) -> Result<Summary> {
    call.say(words!(call,
        "ru" => ["Справочная центров Мои документы."],
        "en" => ["Public service centres, information desk."],
    ))?;
    let mut told = 0_u32;
    let mut office = None;
    loop {
        let next = match office {
            None => ask_municipality(call, directory)?,
            Some(office) => {
                told += 1;
                tell(call, directory, office)?
            }
        };
        match next {
            Next::Tell(place) => office = directory.offices.get(place),
            Next::List => office = None,
            Next::Again | Next::Wrong => {}
            Next::Booking => return booking::run(call, directory, office).map(|over| summary(over, told)),
            Next::Operator => {
                if let Some(over) = to_operator(call, TOPIC)? {
                    return Ok(summary(over, told));
                }
                if !after_no_operator(call)? {
                    return Ok(summary(goodbye(call)?, told));
                }
            }
            Next::Goodbye => return Ok(summary(goodbye(call)?, told)),
        }
    }
}

fn ask_municipality(call: &Call, directory: &Directory) -> Result<Next> {
    gudok_sdk::host::step("municipality");
    let menu = municipalities(call, directory, Next::Tell).global("0", Next::Operator).global("*", Next::List);
    Ok(match menu.ask(call)? {
        Answer::Given(next) | Answer::Global(next) => next,
        Answer::NoInput | Answer::NoMatch => Next::Operator,
    })
}

/// "Choose a town", with a value for each.
pub(crate) fn municipalities<T>(call: &Call, directory: &Directory, value: impl Fn(usize) -> T) -> Menu<T> {
    let mut question = words!(call, "ru" => ["Выберите город."], "en" => ["Choose a town."]);
    for office in &directory.offices {
        question = question.with(words!(call,
            "ru" => [&office.municipality.ru, ": нажмите", office.said_key(), "."],
            "en" => ["For", &office.municipality.en, ", press", office.said_key(), "."],
        ));
    }
    let question = question.with(words!(call,
        "ru" => ["Оператор: нажмите", number(0), "."],
        "en" => ["For an operator, press", number(0), "."],
    ));
    let mut menu = Menu::new(question)
        .no_input(words!(call, "ru" => ["Я не услышал ваш выбор."], "en" => ["I have not heard your choice."]))
        .no_match(words!(call, "ru" => ["Такого пункта нет."], "en" => ["There is no such choice."]));
    for (place, office) in directory.offices.iter().enumerate() {
        menu = menu.on(&office.key, value(place));
    }
    menu
}

/// Tells address and hours, and asks what next in the same breath, so that a key interrupts it.
fn tell(call: &Call, directory: &Directory, office: &Office) -> Result<Next> {
    gudok_sdk::host::step("office");
    call.tag(&[("municipality", &office.municipality.ru)])?;
    let listed = listed(call, office)?;
    let told = match &listed {
        Some(listed) => from_centre(call, listed),
        None => from_bundle(call, office),
    };
    let question = told.with(words!(call,
        "ru" => [
            "Повторить: нажмите звёздочку. Другой город: нажмите решётку. Записаться на приём: нажмите", number(5),
            ". Сведения неверны: нажмите", number(7), ". Оператор: нажмите", number(0), ".",
        ],
        "en" => [
            "To hear this again, press star. For another town, press hash. To book an appointment, press", number(5),
            ". If this is wrong, press", number(7), ". For an operator, press", number(0), ".",
        ],
    ));
    let answer = Menu::new(question)
        .on("*", Next::Again)
        .on("#", Next::List)
        .on("5", Next::Booking)
        .on("7", Next::Wrong)
        .global("0", Next::Operator)
        .attempts(2)
        .no_match(words!(call, "ru" => ["Такого пункта нет."], "en" => ["There is no such choice."]))
        .ask(call)?;
    let next = match answer {
        Answer::Given(next) | Answer::Global(next) => next,
        Answer::NoInput | Answer::NoMatch => Next::Goodbye,
    };
    if next == Next::Wrong {
        let (entry, version) =
            listed.map_or_else(|| (office.entry(), directory.version), |listed| (listed.id, listed.version));
        note_wrong(call, TOPIC, &entry, version)?;
    }
    Ok(next)
}

/// What the centre's directory knows of it; none where that knows nothing, or is not to be had.
fn listed(call: &Call, office: &Office) -> Result<Option<Listed>> {
    if !gudok_sdk::host::granted("directory") {
        return Ok(None);
    }
    let found = Query::of(call).municipality(&office.code).limit(1).offices(&[("agency", TOPIC)]);
    let found = CallError::unless_ended(found, "directory")?.unwrap_or_default();
    Ok(found.into_iter().find(|office| !office.address.is_empty()))
}

fn from_bundle(call: &Call, office: &Office) -> Prompt {
    let now = gudok_sdk::host::now();
    let open = office.is_open(now.date, now.time);
    words!(call,
        "ru" => [
            &office.municipality.ru, ". Адрес:", &office.street.ru, ", дом", number(office.house), ".",
            office.hours_in_russian(), is_open(call, open),
        ],
        "en" => [
            &office.municipality.en, ". Address:", number(office.house), &office.street.en, ".",
            office.hours_in_english(), is_open(call, open),
        ],
    )
}

fn from_centre(call: &Call, office: &Listed) -> Prompt {
    let week = || week_of(&office.hours);
    let known = !office.hours.is_empty();
    words!(call,
        "ru" => [
            &office.name, ". Адрес:", &office.address, ".", known.then(|| hours_in_russian(week())),
            is_open(call, office.open_now),
        ],
        "en" => [
            &office.name, ". Address:", &office.address, ".", known.then(|| hours_in_english(week())),
            is_open(call, office.open_now),
        ],
    )
}

fn is_open(call: &Call, open: bool) -> &'static str {
    match (call.speaks("en"), open) {
        (false, true) => "Сейчас центр открыт.",
        (false, false) => "Сейчас центр закрыт.",
        (true, true) => "The centre is open now.",
        (true, false) => "The centre is closed now.",
    }
}

/// Whether the caller wants to go on without an operator.
fn after_no_operator(call: &Call) -> Result<bool> {
    let answer = Menu::new(words!(call,
        "ru" => ["Вернуться к справке: нажмите", number(1), ". Закончить разговор: нажмите", number(2), "."],
        "en" => ["To go back to the information, press", number(1), ". To end the call, press", number(2), "."],
    ))
    .on("1", true)
    .on("2", false)
    .attempts(2)
    .ask(call)?;
    Ok(answer == Answer::Given(true))
}

fn summary(summary: Summary, told: u32) -> Summary {
    summary.with("offices_told", told.to_string())
}
