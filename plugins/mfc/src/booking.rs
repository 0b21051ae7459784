//! An appointment: service, town, day, time; the time is held, read back, and confirmed.

use crate::TOPIC;
use crate::desk::municipalities;
use crate::hold::{Hold, Slot, slots};
use crate::offices::{Directory, Name, Office};
use gudok_desk::{Afterwards, afterwards, goodbye, land, to_operator};
use gudok_sdk::prelude::*;
use serde::Deserialize;

const SERVICES: &str = "services.json";
/// More choices than this are not for the ear.
const DAYS_MAX: usize = 3;
const TIMES_MAX: usize = 4;
/// Times that were taken in front of the caller; then a person helps.
const CONFLICTS_MAX: u32 = 5;

#[derive(Deserialize)]
struct Service {
    /// One of 1 to 9.
    key: String,
    id: String,
    name: Name,
}

/// What the caller says to a question here.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Picked {
    Place(usize),
    /// Another day or time.
    Other,
    Operator,
}

/// Why there is no appointment.
enum Without {
    /// The caller wants a person, or none of it.
    Operator,
    NothingFree,
    BackEnd(CallError),
}

impl From<CallError> for Without {
    fn from(error: CallError) -> Self {
        Self::BackEnd(error)
    }
}

type Tried<T> = core::result::Result<T, Without>;

pub(crate) fn run(call: &Call, directory: &Directory, office: Option<&Office>) -> Result<Summary> {
    let text = gudok_sdk::host::data_text(SERVICES)?;
    let services: Vec<Service> = match serde_json::from_str(&text) {
        Ok(services) => services,
        Err(fault) => {
            gudok_sdk::error!("data/{SERVICES}: {fault}");
            return Ok(Summary::no_service());
        }
    };
    match book(call, &services, directory, office) {
        Ok((slot, code)) => tell(call, &slot, &code),
        Err(Without::Operator) => land(call, TOPIC, Prompt::new()),
        Err(Without::NothingFree) => land(
            call,
            TOPIC,
            words!(call,
                "ru" => ["Свободного времени сейчас нет."],
                "en" => ["There is no free time now."],
            ),
        ),
        Err(Without::BackEnd(error)) if error.is_end() => Err(error),
        Err(Without::BackEnd(error)) => {
            gudok_sdk::host::count("back-end-failed", 1);
            gudok_sdk::warn!("back end: {error}");
            let apology = words!(call,
                "ru" => ["Извините, записать вас автоматически не получилось."],
                "en" => ["I am sorry, your appointment could not be booked automatically."],
            );
            land(call, TOPIC, apology)
        }
    }
}

fn book(call: &Call, services: &[Service], directory: &Directory, office: Option<&Office>) -> Tried<(Slot, String)> {
    let service = ask_service(call, services)?;
    let office = match office {
        Some(office) => office,
        None => ask_office(call, directory)?,
    };
    call.tag(&[("service", &service.id), ("municipality", &office.municipality.ru)])?;
    gudok_sdk::host::step("slots");
    let free = slots(call, &office.code, &service.id)?;
    let mut next = pick(call, &free)?;
    let mut conflicts = 0;
    loop {
        let slot = free.get(next).ok_or(Without::NothingFree)?;
        gudok_sdk::host::step("hold");
        let Some(hold) = Hold::take(call, slot)? else {
            gudok_sdk::host::count("slot-taken", 1);
            conflicts += 1;
            if conflicts == CONFLICTS_MAX {
                return Err(Without::NothingFree);
            }
            next = after_conflict(call, &free, next)?;
            continue;
        };
        if !confirmed(call, service, office, slot)? {
            drop(hold);
            next = pick(call, &free)?;
            continue;
        }
        gudok_sdk::host::step("confirm");
        match hold.confirm()? {
            Some(code) => return Ok((slot.clone(), code)),
            None => {
                call.say(words!(call,
                    "ru" => ["К сожалению, время ожидания вышло, и запись не сохранилась."],
                    "en" => ["Unfortunately, that took too long, and the time was given away."],
                ))?;
                next = pick(call, &free)?;
            }
        }
    }
}

fn ask_service<'data>(call: &Call, services: &'data [Service]) -> Tried<&'data Service> {
    gudok_sdk::host::step("service");
    let mut question =
        words!(call, "ru" => ["Запись на приём. Выберите услугу."], "en" => ["Appointments. Choose a service."]);
    for service in services {
        question = question.with(option(call, &service.name, &service.key));
    }
    let keys = services.iter().map(|service| service.key.as_str());
    let place = ask(call, question.with(or_operator(call)), keys, None)?;
    services.get(place).ok_or(Without::Operator)
}

fn ask_office<'data>(call: &Call, directory: &'data Directory) -> Tried<&'data Office> {
    gudok_sdk::host::step("municipality");
    let answer = municipalities(call, directory, Picked::Place).global("0", Picked::Operator).ask(call)?;
    match answer {
        Answer::Given(Picked::Place(place)) => directory.offices.get(place).ok_or(Without::Operator),
        _ => Err(Without::Operator),
    }
}

/// A day, then a time of it.
fn pick(call: &Call, free: &[Slot]) -> Tried<usize> {
    let mut days: Vec<Date> = Vec::new();
    for slot in free {
        if !days.contains(&slot.date) && days.len() < DAYS_MAX {
            days.push(slot.date);
        }
    }
    if days.is_empty() {
        return Err(Without::NothingFree);
    }
    loop {
        gudok_sdk::host::step("day");
        let mut question = words!(call, "ru" => ["Выберите день."], "en" => ["Choose a day."]);
        for (key, day) in (1_u8..).zip(&days) {
            let said = date(*day).without_year().with_weekday();
            question = question.with(words!(call,
                "ru" => [said.clone(), ": нажмите", number(key), "."],
                "en" => ["For", said.clone(), ", press", number(key), "."],
            ));
        }
        let keys: Vec<String> = (1..=days.len()).map(|key| key.to_string()).collect();
        let day = ask(call, question.with(or_operator(call)), keys.iter().map(String::as_str), None)?;
        let day = days.get(day).ok_or(Without::Operator)?;
        if let Some(place) = ask_time(call, free, *day)? {
            return Ok(place);
        }
    }
}

/// The time's place among the free ones; none for another day.
fn ask_time(call: &Call, free: &[Slot], day: Date) -> Tried<Option<usize>> {
    gudok_sdk::host::step("time");
    let times: Vec<usize> = (0..free.len()).filter(|place| free[*place].date == day).take(TIMES_MAX).collect();
    let mut question = words!(call, "ru" => ["Выберите время."], "en" => ["Choose a time."]);
    for (key, place) in (1_u8..).zip(&times) {
        let said = time(free[*place].time);
        question = question.with(words!(call,
            "ru" => [said.clone(), ": нажмите", number(key), "."],
            "en" => ["For", said.clone(), ", press", number(key), "."],
        ));
    }
    let question = question.with(words!(call,
        "ru" => ["Другой день: нажмите решётку."],
        "en" => ["For another day, press hash."],
    ));
    let keys: Vec<String> = (1..=times.len()).map(|key| key.to_string()).collect();
    let keys = keys.iter().map(String::as_str);
    match ask_or(call, question.with(or_operator(call)), keys, Some("#"))? {
        Picked::Place(place) => Ok(times.get(place).copied()),
        Picked::Other => Ok(None),
        Picked::Operator => Err(Without::Operator),
    }
}

/// Somebody was faster: the next free time after it is offered.
fn after_conflict(call: &Call, free: &[Slot], taken: usize) -> Tried<usize> {
    gudok_sdk::host::step("slot-taken");
    let next = taken + 1;
    let slot = free.get(next).ok_or(Without::NothingFree)?;
    let (day, at) = (date(slot.date).without_year().with_weekday(), time(slot.time));
    let question = words!(call,
        "ru" => [
            "Это время только что заняли. Ближайшее свободное:", day.clone(), ",", at.clone(),
            ". Записать вас на него: нажмите", number(1), ". Выбрать другое: нажмите решётку.",
        ],
        "en" => [
            "That time has just been taken. The next free one is", day.clone(), ",", at.clone(),
            ". To take it, press", number(1), ". To choose another, press hash.",
        ],
    );
    match ask_or(call, question.with(or_operator(call)), ["1"].into_iter(), Some("#"))? {
        Picked::Place(_) => Ok(next),
        Picked::Other => pick(call, free),
        Picked::Operator => Err(Without::Operator),
    }
}

/// Read back; false for another day or time.
fn confirmed(call: &Call, service: &Service, office: &Office, slot: &Slot) -> Tried<bool> {
    gudok_sdk::host::step("read-back");
    let (day, at) = (date(slot.date).without_year().with_weekday(), time(slot.time));
    let question = words!(call,
        "ru" => [
            "Вы записываетесь:", &service.name.ru, ",", &office.municipality.ru, ",", day.clone(), ",", at.clone(),
            ". Подтвердить: нажмите", number(1), ". Выбрать другое время: нажмите решётку.",
        ],
        "en" => [
            "Your appointment:", &service.name.en, ",", &office.municipality.en, ",", day.clone(), ",", at.clone(),
            ". To confirm, press", number(1), ". To choose another time, press hash.",
        ],
    );
    match ask_or(call, question.with(or_operator(call)), ["1"].into_iter(), Some("#"))? {
        Picked::Place(_) => Ok(true),
        Picked::Other => Ok(false),
        Picked::Operator => Err(Without::Operator),
    }
}

fn tell(call: &Call, slot: &Slot, code: &str) -> Result<Summary> {
    loop {
        gudok_sdk::host::step("code");
        let (day, at) = (date(slot.date).without_year().with_weekday(), time(slot.time));
        let said = words!(call,
            "ru" => ["Вы записаны:", day.clone(), ",", at.clone(), ". Код записи:", registration_number(code), ". Повторяю код:", registration_number(code), "."],
            "en" => ["You are booked:", day.clone(), ",", at.clone(), ". Your code is", registration_number(code), ". The code again:", registration_number(code), "."],
        );
        call.say(said.private())?;
        match afterwards(call)? {
            Afterwards::Again => {}
            Afterwards::Goodbye => return goodbye(call).map(|over| over.with("booked", "yes")),
            Afterwards::Operator => {
                if let Some(over) = to_operator(call, TOPIC)? {
                    return Ok(over.with("booked", "yes"));
                }
            }
        }
    }
}

fn ask<'key>(
    call: &Call,
    question: Prompt,
    keys: impl Iterator<Item = &'key str>,
    other: Option<&str>,
) -> Tried<usize> {
    match ask_or(call, question, keys, other)? {
        Picked::Place(place) => Ok(place),
        Picked::Other | Picked::Operator => Err(Without::Operator),
    }
}

/// Who presses nothing, or nothing that fits, wants a person.
fn ask_or<'key>(
    call: &Call,
    question: Prompt,
    keys: impl Iterator<Item = &'key str>,
    other: Option<&str>,
) -> Tried<Picked> {
    let menu = keys.enumerate().fold(Menu::new(question), |menu, (place, key)| menu.on(key, Picked::Place(place)));
    let menu = match other {
        Some(key) => menu.on(key, Picked::Other),
        None => menu,
    };
    let answer = menu
        .global("0", Picked::Operator)
        .no_input(words!(call, "ru" => ["Я не услышал ваш выбор."], "en" => ["I have not heard your choice."]))
        .no_match(words!(call, "ru" => ["Такого пункта нет."], "en" => ["There is no such choice."]))
        .ask(call)?;
    Ok(match answer {
        Answer::Given(picked) | Answer::Global(picked) => picked,
        Answer::NoInput | Answer::NoMatch => Picked::Operator,
    })
}

fn option(call: &Call, name: &Name, key: &str) -> Prompt {
    let key = number(key.parse::<u8>().unwrap_or_default());
    words!(call,
        "ru" => [&name.ru, ": нажмите", key.clone(), "."],
        "en" => ["For", &name.en, ", press", key.clone(), "."],
    )
}

fn or_operator(call: &Call) -> Prompt {
    words!(call,
        "ru" => ["Оператор: нажмите", number(0), "."],
        "en" => ["For an operator, press", number(0), "."],
    )
}
