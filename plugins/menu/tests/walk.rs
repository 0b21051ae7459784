//! Walks through menus with a caller whose keys are written down, and compares what was heard.
#![allow(clippy::unwrap_used, clippy::panic)]

use gudok_menu::{Ask, Line, read, walk};
use gudok_sdk::{
    Answer, CallError, Date, Datetime, EndReason, Prompt, Result, ResultCode, Segment, Summary, TimeOfDay, Transfer,
    TransferOutcome,
};
use std::collections::VecDeque;

/// A caller: presses these keys in order ("" for silence) and hangs up when there are no more.
struct Caller {
    keys: VecDeque<&'static str>,
    transfers: VecDeque<TransferOutcome>,
    language: String,
    now: Datetime,
    /// What was said, asked and done, a line each.
    heard: Vec<String>,
    complaints: Vec<String>,
}

impl Caller {
    fn pressing(keys: &[&'static str]) -> Self {
        Self {
            keys: keys.iter().copied().collect(),
            transfers: VecDeque::new(),
            language: "ru-RU".to_owned(),
            now: at("2026-11-23", "02:30"),
            heard: Vec::new(),
            complaints: Vec::new(),
        }
    }

    fn transferred(mut self, outcome: TransferOutcome) -> Self {
        self.transfers.push_back(outcome);
        self
    }

    fn walks(&mut self, menu: &str) -> Result<Summary> {
        let tree = read(menu).unwrap_or_else(|faults| panic!("{faults:#?}"));
        walk(&tree, self)
    }

    fn heard(&self) -> String {
        self.heard.join("\n")
    }
}

impl Line for Caller {
    fn language(&self) -> String {
        self.language.clone()
    }

    fn now(&self) -> Datetime {
        self.now
    }

    fn step(&mut self, _: &str) {}

    fn set_language(&mut self, tag: &str) -> Result<()> {
        tag.clone_into(&mut self.language);
        Ok(())
    }

    fn say(&mut self, prompt: Prompt) -> Result<()> {
        self.heard.push(words(&prompt));
        Ok(())
    }

    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer<usize>> {
        self.heard.push(words(&ask.prompt));
        let key = self.keys.pop_front().ok_or(CallError::Ended(EndReason::CallerHangup))?;
        let place = |keys: &[&str]| keys.iter().position(|of| *of == key);
        Ok(match (key, place(&ask.keys), place(&ask.global_keys)) {
            ("", ..) => Answer::NoInput,
            (_, Some(place), _) => Answer::Given(place),
            (_, None, Some(place)) => Answer::Global(place),
            (_, None, None) => Answer::NoMatch,
        })
    }

    fn transfer(&mut self, _: Transfer) -> Result<TransferOutcome> {
        self.heard.push("(transfer)".to_owned());
        Ok(self.transfers.pop_front().unwrap_or(TransferOutcome::Moved))
    }

    fn hangup(&mut self, goodbye: Prompt) -> Result<()> {
        self.heard.push(format!("{} (hangup)", words(&goodbye)));
        Ok(())
    }

    fn complain(&mut self, what: &str) {
        self.complaints.push(what.to_owned());
    }
}

fn at(date: &str, time: &str) -> Datetime {
    Datetime { date: Date::parse(date).unwrap(), time: TimeOfDay::parse(time).unwrap(), utc_offset_minutes: 420 }
}

fn words(prompt: &Prompt) -> String {
    let words = prompt.segments.iter().map(|segment| match segment {
        Segment::Text(text) => text.clone(),
        Segment::Number(number) => number.value.to_string(),
        Segment::Time(time) => format!("{:02}:{:02}", time.hour, time.minute),
        Segment::Digits(digits) => digits.digits.clone(),
        other => format!("{other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

const MENU: &str = r##"
format = 1
start = "main"
languages = ["ru-RU", "en-US"]
[keys]
"*" = "@repeat"
"#" = "@back"
"0" = "operator"
[asking]
otherwise = "bye"
[nodes.main]
do = "menu"
say = { ru-RU = "Главное меню", en-US = "Main menu" }
choices = { "1" = "offices", "2" = "hours", "9" = "english", "*" = "bye" }
[nodes.offices]
do = "table"
table = "offices"
say = "Выберите:"
each = [{ value = "name" }, { value = "key" }]
then = "office"
[nodes.office]
do = "menu"
say = ["Работает с", { value = "opens" }, { if_known = "note", say = ["внимание", { value = "note" }] }]
choices = { "1" = "@start" }
[nodes.hours]
do = "hours"
hours = { daily = "06:00-24:00" }
exceptions = { "2026-01-01" = [] }
open = "operator"
closed = "night"
[nodes.night]
do = "say"
say = "Ночь"
then = "@back"
[nodes.english]
do = "language"
language = "@next"
then = "main"
[nodes.operator]
do = "transfer"
group = "operators"
closed = "closed"
failed = "failed"
[nodes.closed]
do = "say"
say = ["Закрыто", { if_known = "operators_open", say = ["до", { value = "operators_open" }] }]
then = "@back"
[nodes.failed]
do = "say"
say = "Занято"
then = "@back"
[nodes.bye]
do = "hangup"
say = "До свидания"
[[tables.offices]]
key = "3"
name = "Новокузнецк"
opens = [{ time = "08:30" }]
[[tables.offices]]
key = "4"
name = "Белово"
opens = [{ time = "09:00" }]
note = "ремонт"
"##;

#[track_caller]
fn check(mut caller: Caller, expect_code: &ResultCode, expect: &[&str]) {
    let summary = caller.walks(MENU).unwrap();
    assert_eq!(caller.heard(), expect.join("\n"));
    assert_eq!(&summary.code, expect_code);
}

#[test]
fn a_row_of_a_table_fills_what_is_said_next() {
    check(
        Caller::pressing(&["1", "3", "#", "4", "1", "*"]),
        &ResultCode::Served,
        &[
            "Главное меню",
            "Выберите: Новокузнецк 3 Белово 4",
            "Работает с 08:30",
            "Выберите: Новокузнецк 3 Белово 4",
            "Работает с 09:00 внимание ремонт",
            "Главное меню",
            "До свидания (hangup)",
        ],
    );
}

#[test]
fn closed_operators_tell_from_when_and_lead_back() {
    check(
        Caller::pressing(&["1", "3", "0", "*", "#", "#", "*"])
            .transferred(TransferOutcome::Closed(Some("06:00".into()))),
        &ResultCode::Served,
        &[
            "Главное меню",
            "Выберите: Новокузнецк 3 Белово 4",
            "Работает с 08:30",
            "(transfer)",
            "Закрыто до 06:00",
            "Работает с 08:30",
            "Работает с 08:30",
            "Выберите: Новокузнецк 3 Белово 4",
            "Главное меню",
            "До свидания (hangup)",
        ],
    );
}

#[test]
fn a_transfer_that_fails_leads_where_the_menu_says() {
    check(
        Caller::pressing(&["0", "0"]).transferred(TransferOutcome::Busy),
        &ResultCode::Transferred,
        &["Главное меню", "(transfer)", "Занято", "Главное меню", "(transfer)"],
    );
}

#[test]
fn the_language_is_spoken_from_there_on() {
    check(Caller::pressing(&["9", "*"]), &ResultCode::Served, &["Главное меню", "Main menu", "До свидания (hangup)"]);
}

#[test]
fn hours_decide_by_the_agencys_clock() {
    for (date, time, expect) in [
        ("2026-11-23", "02:30", "Ночь"),
        ("2026-11-23", "05:59", "Ночь"),
        ("2026-11-23", "06:00", "(transfer)"),
        ("2026-11-23", "23:59", "(transfer)"),
        ("2026-01-01", "12:00", "Ночь"),
    ] {
        let mut caller = Caller::pressing(&["2"]);
        caller.now = at(date, time);
        let _ = caller.walks(MENU);
        assert_eq!(caller.heard[1], expect, "{date} {time}");
    }
}

#[test]
fn silence_and_unknown_keys_lead_out() {
    check(Caller::pressing(&[""]), &ResultCode::Served, &["Главное меню", "До свидания (hangup)"]);
    check(Caller::pressing(&["7"]), &ResultCode::Served, &["Главное меню", "До свидания (hangup)"]);
}

#[test]
fn hanging_up_ends_the_walk() {
    let mut caller = Caller::pressing(&["1"]);
    assert_eq!(caller.walks(MENU), Err(CallError::Ended(EndReason::CallerHangup)));
}

#[test]
fn a_circle_without_a_question_ends() {
    let circle = "format = 1\nstart = \"a\"\nlanguages = [\"ru-RU\"]\n\
                  [nodes.a]\ndo = \"say\"\nsay = \"а\"\nthen = \"b\"\n[nodes.b]\ndo = \"say\"\nsay = \"б\"\nthen = \"a\"\n";
    let mut caller = Caller::pressing(&[]);
    assert_eq!(caller.walks(circle).unwrap().code, ResultCode::NoService);
    assert_eq!(caller.complaints.len(), 1);
}

#[test]
fn a_language_without_words_is_not_spoken() {
    for (spoken, expect) in [("ru", "ru"), ("en-GB", "en-GB"), ("de-DE", "ru-RU")] {
        let mut caller = Caller::pressing(&[]);
        spoken.clone_into(&mut caller.language);
        let _ = caller.walks(MENU);
        assert_eq!(caller.language, expect);
    }
}
