//! Address and working hours of an office, by town, and how many people wait there now.

use core::time::Duration;
use gudok_sdk::host::{config_required, data_text, now, step};
use gudok_sdk::prelude::*;
use serde::Deserialize;

gudok_sdk::service!(run);

const PERSON: Noun = Noun::new("человек", "человека", "человек", "человека", Gender::Masculine);
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Deserialize)]
struct Office {
    id: String,
    key: String,
    town: String,
    address: String,
    /// From Monday; none is a day off.
    hours: Vec<Option<(String, String)>>,
}

#[derive(Deserialize)]
struct Queue {
    waiting: u32,
}

#[derive(Clone)]
enum More {
    Again,
    OtherTown,
}

fn run(call: &Call) -> Result<Summary> {
    talk(call).or_land(call, &Landing::at("operators").topic("hours"))
}

fn talk(call: &Call) -> Talk<Summary> {
    call.say("Здравствуйте. Это справочная о часах работы.")?;
    let mut office = choose_office(call)?;
    loop {
        tell(call, &office)?;
        let more = Ask::choice("Для оператора нажмите ноль.")
            .item("1", "Повторить", More::Again)
            .item("2", "Другой город", More::OtherTown)
            .global("0", ())
            .attempts(1)
            .step("more")
            .ask(call)?;
        match more {
            Answer::NoInput | Answer::NoMatch => {
                call.hangup("До свидания.")?;
                return Ok(Summary::served().with("office", office.id));
            }
            answer => {
                if let More::OtherTown = answer.given()? {
                    office = choose_office(call)?;
                }
            }
        }
    }
}

fn choose_office(call: &Call) -> Talk<Office> {
    let offices: Vec<Office> = serde_json::from_str(&data_text("offices.json")?)
        .map_err(|error| CallError::Invalid(format!("data/offices.json: {error}")))?;
    let question = "Выберите город. Для оператора нажмите ноль.";
    let towns = Ask::choice(question).global("0", ()).no_match("Такого города нет.").step("town");
    let towns = offices.into_iter().fold(towns, |towns, office| {
        let (key, town) = (office.key.clone(), office.town.clone());
        towns.item(&key, town, office)
    });
    towns.ask(call)?.given()
}

fn tell(call: &Call, office: &Office) -> Result<()> {
    step("office");
    let said = prompt![format!("{}. Адрес: {}.", office.town, office.address), hours_today(office), waiting(office)?];
    call.say(said).map(drop)
}

fn hours_today(office: &Office) -> Prompt {
    let today = office.hours.get(usize::from(now().date.weekday())).cloned().flatten();
    let times = today.and_then(|(from, to)| Some((TimeOfDay::parse(&from)?, TimeOfDay::parse(&to)?)));
    match times {
        Some((from, to)) => prompt!["Часы работы сегодня:", time(from), "—", time(to), "."],
        None => prompt!["Сегодня выходной."],
    }
}

/// How many people wait there now; nothing where the back end does not say.
fn waiting(office: &Office) -> Result<Option<Prompt>> {
    let asked = || -> Result<Queue> {
        let url = format!("{}/offices/{}/queue", config_required("back_end")?, office.id);
        Request::get(url).timeout(PATIENCE).send()?.success()?.json()
    };
    let queue = CallError::unless_ended(asked(), "people waiting")?;
    Ok(queue.map(|queue| prompt!["Сейчас в очереди", counted(queue.waiting, PERSON), "."]))
}
