//! What an author reads when a conversation goes another way.

use crate::{bundle, tried};
use gudok_workbench::conversation::gather::printed_trials;
use gudok_workbench::conversation::report::{Colours, outcomes};
use gudok_workbench::conversation::run::{Bench, Outcome};
use gudok_workbench::local::LocalHost;

/// The one departure, in words.
fn departure(outcome: &Outcome) -> String {
    assert_eq!(outcome.departures.len(), 1, "{outcome:#?}");
    let text = outcomes(std::slice::from_ref(outcome), false, Colours(false));
    // From what was expected on.
    let at = text.find("    expected ").unwrap();
    text[at..].trim_end().to_owned()
}

pub(crate) fn a_departure_says_what_was_said_and_what_to_do(host: &LocalHost) {
    let outcome = tried(
        host,
        "kindergarten",
        "== Другое место\nскрипт спрашивает «Введите шесть…»\nабонент нажимает 123456\nскрипт спрашивает «Введите день…»\n\
         абонент нажимает 05052023\nсистема POST /kindergarten/places отвечает 200 {\"place\": 21}\n\
         скрипт говорит «Ваш номер в очереди: двадцать второй.»\nскрипт спрашивает «…»\nабонент нажимает #\n",
    );
    assert_eq!(
        departure(&outcome),
        "    expected скрипт говорит «Ваш номер в очереди: двадцать второй.»  one.talk:7
    but      the script waits for keys
    written  Ваш номер в очереди: двадцать второй.
                                           ~~~~~~~
    heard    Ваш номер в очереди: двадцать первый.
                                           ~~~~~~~"
    );
    // Only a part of the words is written.
    let part = tried(
        host,
        "kindergarten",
        "== Часть\nскрипт говорит «Очередь»\nскрипт спрашивает «…»\nабонент кладёт трубку\n",
    );
    assert!(departure(&part).contains("help     These words are a part of it: put … where words are left out."));
    // What the caller does was forgotten.
    let forgotten = tried(
        host,
        "kindergarten",
        "== Забыто\nскрипт спрашивает «Введите шесть…»\nскрипт спрашивает «Введите день…»\nабонент кладёт трубку\n",
    );
    assert!(departure(&forgotten).contains("say before this line what the caller does"), "{}", departure(&forgotten));
}

pub(crate) fn what_nobody_wrote_down_is_told(host: &LocalHost) {
    let text = "== Без системы\nскрипт спрашивает «Введите шесть…»\nабонент нажимает 123456\nскрипт спрашивает «Введите день…»\n\
                абонент нажимает 05052023\nскрипт говорит «Ваш номер…»\n";
    let told = departure(&tried(host, "kindergarten", text));
    assert!(told.contains("but      the script asks its back end POST /kindergarten/places {\"application\":\"123456\",\"born\":\"2023-05-05\"}"), "{told}");
    assert!(told.contains("система POST /kindergarten/places отвечает 200 {…}"), "{told}");
    // Other words than were sent.
    let sent = text.replace(
        "скрипт говорит",
        "система POST /kindergarten/places получает {\"born\": \"2024-01-01\"} и отвечает 404\nскрипт говорит",
    );
    let told = departure(&tried(host, "kindergarten", &sent));
    assert!(told.contains("it was sent {\"application\":\"123456\",\"born\":\"2023-05-05\"}"), "{told}");
    // The call is over before.
    let over = tried(
        host,
        "kindergarten",
        "== Рано\nскрипт спрашивает «Введите шесть…»\nабонент кладёт трубку\nсистема POST /kindergarten/places отвечает 200\n",
    );
    assert!(departure(&over).contains("but      the call is over"), "{}", departure(&over));
}

pub(crate) fn a_script_that_is_stopped_says_why(host: &LocalHost) {
    let outcome = tried(host, "hostile", "== A loop\nentry: loop\nthen result is served\n");
    let told = departure(&outcome);
    assert!(told.contains("it was stopped (cpu): it used more CPU than cpu_ms_per_step = 100 allows"), "{told}");
    let outcome = tried(host, "hostile", "== A panic\nentry: panic\nthen result is stopped\n");
    assert!(outcome.passed(), "who expects it says so: {:?}", outcome.departures);
}

pub(crate) fn what_must_be_true_then_is_told_with_what_is(host: &LocalHost) {
    let outcome = tried(
        host,
        "survey",
        "== Marks\nscript says «…»\nqueue answers and talks 10 seconds\nscript asks «…»\ncaller presses 3\n\
         then result is no-operator\nthen marks/3 was stored as 2\nthen step nowhere was reached\nthen survey talk has operator = 4\n\
         then the caller heard «плохо»\nthen at most 2 seconds\nthen memory under 1 KiB\nthen no callback was promised\nthen no ticket was registered\n",
    );
    let came: Vec<&str> = outcome.departures.iter().map(|departure| departure.came.as_str()).collect();
    assert_eq!(came.len(), 7, "{came:?}");
    assert_eq!(came[..2], ["the result is served", "stored: 1"]);
    assert!(came[2].starts_with("reached: operator, mark, thanks"), "{came:?}");
    assert_eq!(came[3], "operator = 3");
    assert!(
        came[4].starts_with("heard last: ") && came[5].starts_with("the call took ") && came[6].ends_with(" KiB"),
        "{came:?}"
    );
    // Each at its line.
    let lines: Vec<usize> = outcome.departures.iter().filter_map(|departure| departure.line).collect();
    assert_eq!(lines, [6, 7, 8, 9, 10, 11, 12]);
}

pub(crate) fn a_programs_conversations_are_tried(host: &LocalHost) {
    let printed = r#"{"format": 1, "conversations": [{"title": "Printed", "settings": [{"setting": "language", "language": "en-US"}],
        "steps": [{"step": "says", "words": "Hello. I am connecting you to an operator."}, {"step": "queue-full"},
                  {"step": "then-result", "code": "no-operator"}]}]}"#;
    let bundle = bundle("survey");
    let outcomes = Bench::new(host, &bundle)
        .unwrap()
        .try_all(&printed_trials("tests/conversations.py", printed).unwrap(), 1)
        .unwrap();
    assert!(outcomes[0].passed(), "{:?}", outcomes[0].departures);
    let refused = printed_trials("tests/conversations.py", "Hello").unwrap_err().to_string();
    assert!(refused.contains("tests/conversations.py prints no conversations"), "{refused}");
}

pub(crate) fn settings_make_the_world(host: &LocalHost) {
    // Beforehand, by another number, in another language.
    let outcome = tried(
        host,
        "survey",
        "== World\nlanguage: en-US\nfrom: withheld\nstored marks/5: 41\nscript says \"Hello…\"\nqueue answers and talks 90 seconds\n\
         script asks \"How was the talk?…\"\ncaller presses 5\nthen marks/5 was stored as 42\nthen at most 140 seconds\n",
    );
    assert!(outcome.passed(), "{:?}", outcome.departures);
    assert!(outcome.call_ms > 90_000, "the talk takes its time: {}", outcome.call_ms);
    // A Sunday where the offices are is another day than one in UTC, and the offices' hours are.
    let hours = |time: &str| {
        let text =
            "== Hours\ntime\nzone: Asia/Krasnoyarsk\nentry: info\nlanguage: ru-RU\nscript asks \"Выберите город…\"\n\
             caller presses 1\ndirectory knows nothing\nscript asks \"…\"\ncaller hangs up\n"
                .to_string();
        let outcome = tried(host, "mfc", &text.replace("\ntime\n", &format!("\nat: {time}\n")));
        assert!(outcome.passed(), "{:?}", outcome.departures);
        outcome.told.iter().map(|told| told.text.clone()).collect::<Vec<_>>().join("\n")
    };
    assert_ne!(hours("2026-05-05 12:00"), hours("2026-05-05 23:00"), "open, and closed");
}
