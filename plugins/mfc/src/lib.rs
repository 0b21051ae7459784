//! The information desk of the public service centres (MFC): addresses and hours by municipality.
//!
//! `data/offices.json` holds the offices; whoever keeps it needs no programmer.

mod offices;

use gudok_desk::{goodbye, to_operator};
use gudok_sdk::prelude::*;
use offices::{Directory, Office};

gudok_sdk::service!(run);

const DATA_FILE: &str = "offices.json";

fn run(call: &Call) -> Result<Summary> {
    let directory = match Directory::read(&gudok_sdk::host::data_text(DATA_FILE)?) {
        Ok(directory) => directory,
        Err(fault) => {
            gudok_sdk::error!("data/{DATA_FILE}: {fault}");
            return Ok(Summary::no_service());
        }
    };
    call.say(words!(call,
        "ru" => ["Справочная центров Мои документы."],
        "en" => ["Public service centres, information desk."],
    ))?;
    let mut told = 0_u32;
    let mut office = None;
    loop {
        let next = match office {
            None => ask_municipality(call, &directory)?,
            Some(office) => {
                told += 1;
                tell(call, office)?
            }
        };
        match next {
            Next::Tell(place) => office = directory.offices.get(place),
            Next::List => office = None,
            Next::Again => {}
            Next::Operator if to_operator(call, "mfc")? => return Ok(summary(Summary::transferred(), told)),
            Next::Operator if after_no_operator(call)? => {}
            Next::Operator | Next::Goodbye => return Ok(summary(goodbye(call)?, told)),
        }
    }
}

/// What the caller wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// The office at this place of the directory.
    Tell(usize),
    List,
    Again,
    Operator,
    Goodbye,
}

fn ask_municipality(call: &Call, directory: &Directory) -> Result<Next> {
    gudok_sdk::host::step("municipality");
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
        .no_match(words!(call, "ru" => ["Такого пункта нет."], "en" => ["There is no such choice."]))
        .global("0", Next::Operator)
        .global("*", Next::List);
    for (place, office) in directory.offices.iter().enumerate() {
        menu = menu.on(&office.key, Next::Tell(place));
    }
    Ok(match menu.ask(call)? {
        Answer::Given(next) | Answer::Global(next) => next,
        Answer::NoInput | Answer::NoMatch => Next::Operator,
    })
}

/// Tells address and hours, and asks what next in the same breath, so that a key interrupts it.
fn tell(call: &Call, office: &Office) -> Result<Next> {
    gudok_sdk::host::step("office");
    let now = gudok_sdk::host::now();
    let open = office.is_open(now.date, now.time);
    call.tag(&[("municipality", &office.municipality.ru)])?;
    let question = words!(call,
        "ru" => [
            &office.municipality.ru, ". Адрес:", &office.street.ru, ", дом", number(office.house), ".",
            office.hours_in_russian(),
            if open { "Сейчас центр открыт." } else { "Сейчас центр закрыт." },
            "Повторить: нажмите звёздочку. Другой город: нажмите решётку. Оператор: нажмите", number(0), ".",
        ],
        "en" => [
            &office.municipality.en, ". Address:", number(office.house), &office.street.en, ".",
            office.hours_in_english(),
            if open { "The centre is open now." } else { "The centre is closed now." },
            "To hear this again, press star. For another town, press hash. For an operator, press", number(0), ".",
        ],
    );
    let answer = Menu::new(question)
        .on("*", Next::Again)
        .on("#", Next::List)
        .global("0", Next::Operator)
        .attempts(2)
        .no_match(words!(call, "ru" => ["Такого пункта нет."], "en" => ["There is no such choice."]))
        .ask(call)?;
    Ok(match answer {
        Answer::Given(next) | Answer::Global(next) => next,
        Answer::NoInput | Answer::NoMatch => Next::Goodbye,
    })
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
