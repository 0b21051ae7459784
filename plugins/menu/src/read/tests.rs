//! Each fault names its line, its place and the remedy.

use super::read;

const GOOD: &str = r##"format = 1
start = "main"
languages = ["ru-RU", "en-US"]

[keys]
"*" = "@repeat"

[asking]
attempts = 2
otherwise = "bye"
no_input = { ru-RU = "Я вас не слышу.", en-US = "I cannot hear you." }

[nodes.main]
do = "menu"
say = { ru-RU = ["Дом", { number = 45, case = "genitive" }], en-US = "House" }
choices = { "1" = "offices", "2" = "open", "0" = "operator" }

[nodes.offices]
do = "table"
table = "offices"
say = { ru-RU = "Где?", en-US = "Where?" }
each = [{ value = "name" }, { value = "key" }]
then = "told"

[nodes.told]
do = "say"
say = [{ value = "opens" }, { if_known = "note", say = ["Внимание:", { value = "note" }] }]
then = "@back"

[nodes.open]
do = "hours"
hours = { mon-fri = "08:30-19:00", sat = ["09:00-12:00", "13:00-24:00"] }
exceptions = { "2026-01-01" = [] }
open = "operator"
closed = "@start"

[nodes.operator]
do = "transfer"
group = "operators"
failed = "bye"

[nodes.bye]
do = "hangup"

[[tables.offices]]
key = "3"
name = { ru-RU = "Новокузнецк", en-US = "Novokuznetsk" }
opens = [{ time = "08:30" }]
"##;

#[test]
fn a_good_menu_is_read() {
    let tree = read(GOOD).unwrap();
    assert_eq!(tree.languages.iter().map(|tag| &**tag).collect::<Vec<_>>(), ["ru-RU", "en-US"]);
    assert_eq!(tree.nodes.len(), 6);
    assert_eq!(tree.tables.iter().map(Vec::len).sum::<usize>(), 1);
}

#[test]
fn a_fault_names_line_place_and_remedy() {
    let check = |from: &str, to: &str, line: usize, place: &str, says: &str| {
        assert!(GOOD.contains(from), "{from}");
        let faults = read(&GOOD.replacen(from, to, 1)).unwrap_err();
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        let found = faults.iter().any(|fault| fault.line == line && fault.place == place && fault.what.contains(says));
        assert!(found, "{from} -> {to}: {told:#?}");
    };
    check("format = 1", "format = 2", 1, "", "format = 1");
    check("start = \"main\"", "start = \"mian\"", 1, "", "\"mian\"");
    check("[\"ru-RU\", \"en-US\"]", "[]", 1, "", "at least one");
    check("\"*\" = \"@repeat\"", "\"*\" = \"@again\"", 6, "keys.*", "@repeat");
    check("\"*\" =", "\"11\" =", 6, "keys.11", "no key");
    check("attempts = 2", "attempts = 0", 9, "asking.attempts", "from 1 to 10");
    check("otherwise = \"bye\"", "otherwise = \"end\"", 10, "asking.otherwise", "no node");
    check("otherwise = \"bye\"\n", "", 12, "nodes.main", "has no otherwise");
    check(", en-US = \"I cannot hear you.\"", "", 11, "asking.no_input", "en-US");
    check("en-US = \"I cannot hear you.\"", "de-DE = \"\"", 11, "asking.no_input.de-DE", "languages");
    check("do = \"menu\"", "do = \"manu\"", 13, "nodes.main", "menu, table");
    check("number = 45", "number = \"45\"", 15, "nodes.main.say.ru-RU.2.number", "whole number");
    check("number = 45", "numbr = 45", 15, "nodes.main.say.ru-RU.2", "no piece");
    check("\"genitive\"", "\"genetive\"", 15, "nodes.main.say.ru-RU.2.case", "genitive");
    check("case = ", "cas = ", 15, "nodes.main.say.ru-RU.2", "\"cas\"");
    check("[\"Дом\"", "[\"Дом 45\"", 15, "nodes.main.say.ru-RU.1", "{ number = 45 }");
    check("\"2\" = \"open\"", "\"2\" = \"opne\"", 16, "nodes.main.choices.2", "\"opne\"");
    check("\"2\" = \"open\"", "\"x\" = \"open\"", 16, "nodes.main.choices.x", "no key");
    check("table = \"offices\"", "table = \"office\"", 20, "nodes.offices.table", "known are offices");
    check("then = \"@back\"", "then = 5", 28, "nodes.told.then", "a text");
    check("mon-fri = \"08:30-19:00\"", "mon-fry = \"08:30-19:00\"", 32, "nodes.open.hours.mon-fry", "weekday");
    check("\"08:30-19:00\"", "\"19:00-08:30\"", 32, "nodes.open.hours.mon-fri", "08:30-19:00");
    check("sat = ", "fri = ", 32, "nodes.open.hours.mon-fri", "another line");
    check("\"2026-01-01\"", "\"2026-02-30\"", 33, "nodes.open.exceptions.2026-02-30", "no date");
    check("group = \"operators\"\n", "", 37, "nodes.operator", "exactly one of");
    check("group = \"operators\"", "group = \"a\"\nscript = \"b\"", 37, "nodes.operator", "exactly one of");
    check("failed = \"bye\"\n", "", 37, "nodes.operator", "has no failed");
    check("do = \"hangup\"", "do = \"hangup\"\nsing = true", 44, "nodes.bye", "\"sing\"");
    check("key = \"3\"", "key = \"three\"", 46, "tables.offices.1.key", "no key");
    check("time = \"08:30\"", "time = \"8.30\"", 48, "tables.offices.1.opens.1.time", "08:30");
    check("opens = [{ t", "operators_open = [{ t", 48, "tables.offices.1.operators_open", "nodes set");
    check("[{ time = \"08:30\" }]", "[{ value = \"name\" }]", 48, "tables.offices.1.opens.1", "values itself");
    check("start = \"main\"", "start = ", 2, "", "");
}

#[test]
fn services_are_checked_too() {
    let check = |node: &str, says: &str| {
        let text = format!("{GOOD}\n[nodes.new]\n{node}\n");
        let told: Vec<_> = read(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|fault| fault.contains("nodes.new") && fault.contains(says)), "{node}: {told:#?}");
    };
    check("do = \"queue\"\nfailed = \"bye\"", "has no queue");
    check("do = \"queue\"\nqueue = \"q\"", "has no failed");
    check("do = \"queue\"\nqueue = \"q\"\nfailed = \"bye\"\npriority = 10", "from 0 to 9");
    check("do = \"queue\"\nqueue = \"q\"\nfailed = \"bye\"\nskills = { en = 11 }", "from 1 to 10");
    check("do = \"callback\"\nqueue = \"q\"\nbooked = \"bye\"", "has no declined");
    check("do = \"callback\"\nqueue = \"q\"\nbooked = \"by\"\ndeclined = \"bye\"", "no node");
    check("do = \"directory\"\nthen = \"bye\"\nfailed = \"bye\"", "exactly one of office, entry, faq");
    check("do = \"directory\"\nfaq = \"a\"\nentry = \"term\"\nthen = \"bye\"\nfailed = \"bye\"", "exactly one");
    check("do = \"directory\"\nentry = \"price\"\nthen = \"bye\"\nfailed = \"bye\"", "document");
    let both = "municipality = \"a\"\nmunicipality_of = \"b\"";
    check(&format!("do = \"directory\"\nfaq = \"a\"\n{both}\nthen = \"bye\"\nfailed = \"bye\""), "not both");
    check("do = \"wrong\"\nthen = \"bye\"\nfailed = \"bye\"", "has no to");
    check("do = \"complaint\"\nto = \"a\"\nthen = \"bye\"\nfailed = \"bye\"\nseconds_max = 3600", "from 1 to 300");
    check("do = \"survey\"\nsurvey = \"s\"\nsay = \"?\"\nthen = \"bye\"", "has no question");
    check("do = \"survey\"\nsurvey = \"s\"\nsay = \"?\"\nquestion = \"q\"\nthen = \"bye\"\nmarks = 10", "from 2 to 9");
    check("do = \"pace\"\nthen = \"bye\"", "has no pace");
    check("do = \"pace\"\npace = \"fast\"\nthen = \"bye\"", "slow, normal");
}

#[test]
fn all_faults_are_told_at_once() {
    let text = GOOD.replace("@back", "@bakc").replace("08:30-19:00", "late").replace("format = 1", "format = 7");
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 28, 32], "{faults:#?}");
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    for text in [
        "",
        "\u{0}",
        "[",
        "nodes = 1",
        "format = 1\nnodes = {}\nlanguages = 3\nstart = []",
        "[[nodes]]",
        "[nodes]\na = []",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_digit_is_found_wherever_it_stands() {
    for byte in 0..=u8::MAX {
        for letters in ["", "a", "Здравств", "Здравствуйте, "] {
            let text = format!("{letters}{}{letters}", char::from(byte));
            assert_eq!(super::words::has_digit(&text), byte.is_ascii_digit(), "{text:?}");
        }
    }
}
