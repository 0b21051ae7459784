//! Walks through menus with a caller whose keys are written down, and compares what was heard.
#![allow(clippy::unwrap_used, clippy::panic)]

use gudok_menu::{Ask, Booking, Line, LookupOf, Message, Notice, Told, Waiting, advice, read, walk};
use gudok_sdk::{
    Answer, CallError, Date, Datetime, EndReason, Prompt, QueueOutcome, Result, ResultCode, Segment, Summary,
    TimeOfDay, Transfer, TransferOutcome, prompt,
};
use std::collections::VecDeque;

/// A caller: presses these keys in order ("" for silence) and hangs up when there are no more.
struct Caller {
    keys: VecDeque<&'static str>,
    transfers: VecDeque<TransferOutcome>,
    waits: VecDeque<Option<QueueOutcome>>,
    booking: Booking,
    /// The store takes tickets.
    registers: bool,
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
            waits: VecDeque::new(),
            booking: Booking::Declined,
            registers: true,
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

    fn waited(mut self, outcome: Option<QueueOutcome>) -> Self {
        self.waits.push_back(outcome);
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

    fn queue(&mut self, wait: Waiting<'_>) -> Result<Option<QueueOutcome>> {
        let (queue, priority, skills, back) = (wait.queue, wait.priority, wait.skills, wait.and_back);
        self.heard.push(format!("(queue {queue} {priority} {skills:?} back {back})"));
        self.waits.pop_front().ok_or(CallError::Ended(EndReason::CallerHangup))
    }

    fn offer_callback(&mut self, queue: &str, topic: &str, _: Option<Prompt>) -> Result<Booking> {
        self.heard.push(format!("(callback by {queue}: {topic})"));
        Ok(self.booking)
    }

    fn look_up(&mut self, what: &LookupOf, municipality: Option<&str>) -> Result<Option<Option<Told>>> {
        self.heard.push(format!("(look up {what:?} in {municipality:?})"));
        let told = Told {
            id: "mfc-17".to_owned(),
            version: 3,
            words: Some(prompt!["улица Кирова"]),
            open: Some(Prompt::new()),
            ..Told::default()
        };
        Ok(match municipality {
            Some("nowhere") => None,
            Some("42") => Some(Some(told)),
            _ => Some(None),
        })
    }

    fn notify(&mut self, notice: Notice<'_>) -> Result<Option<String>> {
        self.heard.push(format!("(notice to {} on {} {})", notice.to, notice.entry, notice.version));
        Ok(self.registers.then(|| "И-2026-000007".to_owned()))
    }

    fn record(&mut self, message: &Message<'_>) -> Result<Option<Option<String>>> {
        self.heard.push(format!("(record {} s)", message.seconds_max));
        Ok(Some(self.keys.pop_front().filter(|key| *key != "no").map(str::to_owned)))
    }

    fn complaint(&mut self, message: &Message<'_>, recording: &str) -> Result<Option<String>> {
        self.heard.push(format!("(complaint to {} {:?} with {recording})", message.to, message.fields));
        Ok(self.registers.then(|| "К-2026-000123".to_owned()))
    }

    fn mark(&mut self, survey: &str, question: &str, score: i32) -> Result<()> {
        self.heard.push(format!("(mark {survey} {question} {score})"));
        Ok(())
    }

    fn set_pace(&mut self, slow: bool) -> Result<()> {
        self.heard.push(format!("(slow {slow})"));
        Ok(())
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
        Segment::Spell(text) => text.clone(),
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

const CENTRE: &str = r##"
format = 1
start = "main"
languages = ["ru-RU"]
[asking]
otherwise = "operator"
[nodes.main]
do = "menu"
say = "Меню"
choices = { "1" = "towns", "2" = "complaint", "8" = "slower", "0" = "operator" }
[nodes.slower]
do = "pace"
pace = "@other"
then = "main"
[nodes.towns]
do = "table"
table = "towns"
say = "Город"
each = { value = "name" }
then = "office"
[nodes.office]
do = "directory"
office = { agency = "mfc" }
municipality_of = "code"
then = "told"
nothing = "unknown"
failed = "operator"
[nodes.told]
do = "menu"
say = [{ value = "found_words" }, { if_known = "found_open", say = "открыто" }, { if_known = "found_closed", say = "закрыто" }]
choices = { "7" = "wrong", "1" = "@back" }
[nodes.unknown]
do = "say"
say = "Не знаю"
then = "main"
[nodes.wrong]
do = "wrong"
to = "mfc"
then = "noted"
failed = "operator"
[nodes.noted]
do = "say"
say = ["Спасибо, номер", { value = "ticket_number" }]
then = "told"
[nodes.complaint]
do = "complaint"
to = "utilities"
say = "Говорите"
seconds_max = 60
fields = { topic = "heating" }
then = "registered"
refused = "main"
failed = "operator"
[nodes.registered]
do = "say"
say = ["Номер", { value = "ticket_number" }]
then = "main"
[nodes.operator]
do = "queue"
queue = "operators"
priority = 2
skills = { passports = 3 }
then = "mark"
closed = "night"
full = "night"
failed = "group"
[nodes.group]
do = "transfer"
group = "operators"
failed = "bye"
[nodes.mark]
do = "survey"
survey = "talk"
question = "operator"
say = "Оцените"
otherwise = "bye"
then = "bye"
[nodes.night]
do = "callback"
queue = "operators"
topic = "справка"
booked = "booked"
declined = "main"
[nodes.booked]
do = "hangup"
say = [{ if_known = "operators_open", say = ["с", { value = "operators_open" }] }, "до", { value = "callback_due" }]
[nodes.bye]
do = "hangup"
say = "До свидания"
[[tables.towns]]
key = "1"
name = "Белово"
code = [{ digits = "42" }]
[[tables.towns]]
key = "2"
name = "Топки"
code = "topki"
[[tables.towns]]
key = "3"
name = "Юрга"
code = "nowhere"
"##;

#[track_caller]
fn centre(mut caller: Caller, expect_code: &ResultCode, expect: &[&str]) {
    let summary = caller.walks(CENTRE).unwrap();
    assert_eq!(caller.heard(), expect.join("\n"));
    assert_eq!(&summary.code, expect_code);
}

fn returned() -> Option<QueueOutcome> {
    Some(QueueOutcome::Returned { operator: "anna".to_owned(), talked: core::time::Duration::from_secs(30) })
}

#[test]
fn after_the_talk_comes_the_survey() {
    centre(
        Caller::pressing(&["0", "4"]).waited(returned()),
        &ResultCode::Served,
        &[
            "Меню",
            "(queue operators 2 [(\"passports\", 3)] back true)",
            "Оцените",
            "(mark talk operator 4)",
            "До свидания (hangup)",
        ],
    );
}

#[test]
fn at_night_a_caller_leaves_a_number() {
    let mut caller = Caller::pressing(&[""]).waited(Some(QueueOutcome::Closed(TimeOfDay::parse("06:00"))));
    caller.booking = Booking::Booked(at("2026-11-23", "06:10"));
    centre(
        caller,
        &ResultCode::Served,
        &[
            "Меню",
            "(queue operators 2 [(\"passports\", 3)] back true)",
            "(callback by operators: справка)",
            "с 06:00 до 06:10 (hangup)",
        ],
    );
}

#[test]
fn a_queue_that_is_not_there_leads_to_the_group() {
    let heard = ["Меню", "(queue operators 2 [(\"passports\", 3)] back true)", "(transfer)"];
    centre(Caller::pressing(&["0"]).waited(None), &ResultCode::Transferred, &heard);
}

#[test]
fn who_took_the_offer_is_called_back() {
    let waits = "(queue operators 2 [(\"passports\", 3)] back true)";
    let callback = Some(QueueOutcome::Callback("c-1".to_owned()));
    centre(Caller::pressing(&["0"]).waited(callback), &ResultCode::CallbackBooked, &["Меню", waits]);
    let peer = Some(QueueOutcome::Peer("tomsk".to_owned()));
    centre(Caller::pressing(&["0"]).waited(peer), &ResultCode::Transferred, &["Меню", waits]);
}

#[test]
fn what_was_told_can_be_wrong() {
    let looked_up = "(look up Office([(\"agency\", \"mfc\")]) in Some(\"42\"))";
    let mut caller = Caller::pressing(&["1", "1", "7", "0"]);
    let ended = caller.walks(CENTRE);
    assert_eq!(ended, Err(CallError::Ended(EndReason::CallerHangup)));
    let expect = [
        "Меню",
        "Город Белово Топки Юрга",
        looked_up,
        "улица Кирова открыто",
        "(notice to mfc on mfc-17 3)",
        "Спасибо, номер И 2026 000007",
        "улица Кирова открыто",
        "(queue operators 2 [(\"passports\", 3)] back true)",
    ];
    assert_eq!(caller.heard(), expect.join("\n"));
}

#[test]
fn a_notice_that_cannot_be_kept_leads_to_a_person() {
    let mut caller = Caller::pressing(&["1", "1", "7"]);
    caller.registers = false;
    let _ = caller.walks(CENTRE);
    assert!(
        caller.heard().ends_with("(notice to mfc on mfc-17 3)\n(queue operators 2 [(\"passports\", 3)] back true)")
    );
}

#[test]
fn nothing_found_and_no_directory_are_two_things() {
    for (town, expect) in [("2", "Не знаю\nМеню"), ("3", "(queue operators")] {
        let mut caller = Caller::pressing(&["1", town]);
        let _ = caller.walks(CENTRE);
        let heard = caller.heard();
        let after = heard.split_once("(look up").and_then(|(_, rest)| rest.split_once('\n')).unwrap().1;
        assert!(after.starts_with(expect), "{heard}");
    }
}

#[test]
fn a_complaint_is_read_back() {
    let mut caller = Caller::pressing(&["2", "recording-1", "2", "no"]);
    let _ = caller.walks(CENTRE);
    let expect = [
        "Меню",
        "Говорите",
        "(record 60 s)",
        "(complaint to utilities [(\"topic\", \"heating\")] with recording-1)",
        "Номер К 2026 000123",
        "Меню",
        "Говорите",
        "(record 60 s)",
        "Меню",
    ];
    assert_eq!(caller.heard(), expect.join("\n"));
}

#[test]
fn slow_is_a_switch() {
    let mut caller = Caller::pressing(&["8", "8"]);
    let _ = caller.walks(CENTRE);
    assert_eq!(caller.heard(), "Меню\n(slow true)\nМеню\n(slow false)\nМеню");
}

#[test]
fn who_presses_nothing_reaches_a_person() {
    assert_eq!(advice(&read(CENTRE).unwrap()), [""; 0]);
    let hung_up = advice(&read(MENU).unwrap());
    assert!(matches!(&hung_up[..], [one] if one.contains("nodes.bye") && one.contains("hung up")), "{hung_up:?}");
    let circle = CENTRE.replacen("otherwise = \"operator\"", "otherwise = \"@repeat\"", 1);
    let told = advice(&read(&circle).unwrap());
    assert!(matches!(&told[..], [one] if one.contains("never gets out")), "{told:?}");
}
