//! What the centre gives the sample agencies (queues, callbacks, surveys, the directory, the pace of speech), as their
//! callers meet it. `scripts/build-plugins` has to run before.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gudok_core::ids::{CallbackId, Operator, Peer};
use gudok_core::prompt::Segment;
use gudok_core::script::{CallError, QueueEvent, ScriptEnd, StoppedBy};
use gudok_plugin_host::RunReport;
use gudok_plugin_host::ports::TicketKind;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use support::{Caller, Centre};

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn summary(report: &RunReport) -> &str {
    match &report.end {
        ScriptEnd::Returned(summary) => &summary.code,
        other => panic!("{other:?} {:?}", report.fault),
    }
}

#[track_caller]
fn was_cut_off(report: &RunReport) {
    assert!(matches!(report.end, ScriptEnd::Failed(CallError::Ended(_))), "{report:?}");
}

fn talked() -> [QueueEvent; 3] {
    [QueueEvent::Position(1), QueueEvent::Answered(Operator::new("anna")), QueueEvent::Returned(30 * SECOND)]
}

fn closed() -> [QueueEvent; 1] {
    [QueueEvent::Closed(Some("06:00".into()))]
}

async fn calls(centre: &Centre, agency: &str, entry: &str, caller: Caller) -> (RunReport, String) {
    let version = centre.load(agency).unwrap();
    let caller = Arc::new(caller);
    let report = centre.call(&version, entry, &caller).await;
    (report, caller.heard())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_operator_comes_the_survey() {
    let centre = Centre::new().await;
    for (agency, entries) in [
        ("centre", &["0", "4"][..]),
        ("mfc", &["0", "4"]),
        ("passport", &["*", "4"]),
        ("kindergarten", &["*", "4"]),
        ("utilities", &["*", "4"]),
    ] {
        let (report, heard) = calls(&centre, agency, agency, Caller::entering(entries).waited(&talked())).await;
        assert!(heard.contains("Соединяю с оператором.\n(queue operators, topic "), "{agency}: {heard}");
        assert!(heard.contains("Оцените, пожалуйста, разговор"), "{agency}: {heard}");
        assert!(heard.ends_with("До свидания.\n(hangup)"), "{agency}: {heard}");
        assert_eq!(summary(&report), "served", "{agency}");
        let survey = centre.register.surveys.lock().pop().unwrap();
        assert_eq!((&*survey.survey, survey.answers[0].score), ("talk", Some(4)), "{agency}");
        assert_eq!(&*survey.answers[0].question, "operator");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_cannot_be_kept_costs_the_caller_nothing() {
    let centre = Centre::new().await;
    centre.register.broken.store(true, Relaxed);
    for agency in ["centre", "mfc"] {
        let (report, heard) = calls(&centre, agency, "main", Caller::entering(&["0", "5"]).waited(&talked())).await;
        assert!(heard.contains("Спасибо за оценку"), "{heard}");
        assert_eq!(summary(&report), "served");
    }
}

/// Story 1.
#[tokio::test(flavor = "multi_thread")]
async fn at_night_a_caller_hears_from_when_and_leaves_a_number() {
    let centre = Centre::new().await;
    let caller = || Caller::entering(&["3", "0"]).waited(&closed()).wanting_a_callback();
    let (report, heard) = calls(&centre, "mfc", "desk", caller()).await;
    for said in [
        "Новокузнецк . Адрес: улица Кирова , дом <71> .",
        "Операторы сейчас не работают. Они начинают работу в <06:00> .\n(callback by operators: mfc)\n",
    ] {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    assert!(heard.ends_with("До свидания.\n(hangup)"), "{heard}");
    assert_eq!(summary(&report), "callback-booked");
    let (report, heard) =
        calls(&centre, "centre", "main", Caller::entering(&["0"]).waited(&closed()).wanting_a_callback()).await;
    assert!(heard.contains("Они начинают работу в <06:00> .\n(callback by operators: главное меню)"), "{heard}");
    assert_eq!(summary(&report), "served");
    // Who wants none goes on by themselves.
    let (_, heard) = calls(&centre, "centre", "main", Caller::entering(&["0", "1"]).waited(&closed())).await;
    assert!(heard.ends_with("Повторить: нажмите звёздочку."), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_offer_ends_the_scripts_part() {
    let centre = Centre::new().await;
    let waits = [
        (QueueEvent::Callback(CallbackId::new("c-1")), "callback-booked"),
        (QueueEvent::Peer(Peer::new("tomsk")), "transferred"),
    ];
    for agency in ["centre", "mfc", "survey"] {
        for (event, code) in &waits {
            let caller = Caller::entering(&["0"]).waited(std::slice::from_ref(event));
            let (report, _) = calls(&centre, agency, agency, caller).await;
            assert_eq!(summary(&report), *code, "{agency} {event:?}");
        }
        // Whoever hangs up in the queue, or talks to the end of the call, ends the script cleanly.
        let (report, _) = calls(&centre, agency, agency, Caller::entering(&["0"]).waited(&[])).await;
        was_cut_off(&report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_offers_a_callback_too() {
    let centre = Centre::new().await;
    let caller = Caller::entering(&["0"]).waited(&[QueueEvent::Full]).wanting_a_callback();
    let (report, heard) = calls(&centre, "mfc", "desk", caller).await;
    assert!(heard.contains("Сейчас все операторы заняты.\n(callback by operators: mfc)"), "{heard}");
    assert_eq!(summary(&report), "callback-booked");
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_and_pace_are_chosen_by_key() {
    let centre = Centre::new().await;
    let (_, heard) = calls(&centre, "centre", "main", Caller::entering(&["9", "3", "8", "8"])).await;
    let order = ["(language tt-RU)", "Балалар бакчасына чират:", "(pace Slow)", "(pace Normal)"];
    let mut rest = heard.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part} in its place in {heard}"));
        rest = &rest[at..];
    }
    // A script without words in the caller's language speaks Russian, and says so to the host's voice.
    let (_, heard) = calls(&centre, "mfc", "desk", Caller::entering(&["3"]).speaking("tt-RU")).await;
    assert!(heard.starts_with("(language ru-RU)\nСправочная"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presses_nothing_waits_for_a_person() {
    let centre = Centre::new().await;
    for (agency, silences) in [("centre", 3), ("mfc", 3), ("passport", 3), ("kindergarten", 3), ("utilities", 3)] {
        let entries = vec![""; silences + 2];
        let (_, heard) = calls(&centre, agency, agency, Caller::entering(&entries).waited(&talked())).await;
        assert!(heard.contains("(queue operators"), "{agency}: {heard}");
    }
}

/// Story 9.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_wrong_is_noted_with_id_and_version() {
    let centre = Centre::new().await;
    let mark = |known: bool| {
        centre.directory.known.store(known, Relaxed);
        calls(&centre, "mfc", "desk", Caller::entering(&["3", "7", "", ""]))
    };
    let (report, heard) = mark(true).await;
    for said in [
        "МФЦ Новокузнецка . Адрес: проспект Металлургов, дом 12 .",
        "С понедельника по пятницу открытие: <08:00> , закрытие: <18:00> . С субботы по воскресенье закрыто.",
        "Сейчас центр закрыт.",
        "Номер замечания: Spell(\"К\") <digits 2026> <digits 000123> .",
    ] {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    assert_eq!(summary(&report), "served");
    let (_, heard) = mark(false).await;
    assert!(heard.contains("улица Кирова , дом <71>"), "{heard}");
    let tickets = centre.register.tickets.lock().clone();
    assert_eq!(tickets.len(), 2);
    for (ticket, entry, version) in [(&tickets[0], "office-17", 4), (&tickets[1], "mfc-novokuznetsk", 1)] {
        assert_eq!((ticket.kind, ticket.to_agency.as_str()), (TicketKind::OutdatedInformation, "mfc"));
        let named = ticket.entry.as_ref().unwrap();
        assert_eq!((&*named.id, named.version), (entry, version));
    }
    centre.register.broken.store(true, Relaxed);
    let (_, heard) = mark(true).await;
    assert!(heard.contains("записать замечание сейчас не удалось. Оператор может принять его"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_directory_the_desk_knows_what_its_bundle_says() {
    let centre = Centre::new().await;
    centre.directory.broken.store(true, Relaxed);
    let (_, heard) = calls(&centre, "mfc", "desk", Caller::entering(&["3"])).await;
    assert!(heard.contains("улица Кирова , дом <71>"), "{heard}");
}

/// Story 8.
#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_recorded_registered_and_read_back() {
    let centre = Centre::new().await;
    let caller = Arc::new(Caller::entering(&["4217#", "2", "4218#", "1", "1", "#"]));
    let version = centre.load("utilities").unwrap();
    let report = centre.call(&version, "main", &caller).await;
    let heard = caller.heard();
    for said in [
        "Код адреса: <digits 4217> .",
        "Ваше сообщение будет записано",
        "(message of 60 s at most)",
        "Номер: Spell(\"К\") <digits 2026> <digits 000123> . Повторяю: Spell(\"К\") <digits 2026> <digits 000123> .",
    ] {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    assert_eq!(summary(&report), "served");
    assert_eq!(caller.sensitive.lock()[..4], [true; 4], "the code and its read-back");
    let one_by_one = |segment: &Segment| matches!(segment, Segment::Digits { grouping, .. } if *grouping == gudok_core::prompt::DigitGrouping::OneByOne);
    let number = caller.prompts.lock().iter().rfind(|prompt| prompt.segments.iter().any(one_by_one)).cloned().unwrap();
    assert!(!number.cacheable, "a number that is said once is not kept on disk");
    let tickets = centre.register.tickets.lock();
    let [ticket] = &tickets[..] else { panic!("{tickets:?}") };
    assert_eq!((ticket.kind, ticket.to_agency.as_str()), (TicketKind::Complaint, "utilities"));
    assert_eq!(ticket.recordings, ["recording-1".into()]);
    assert_eq!(ticket.contact.as_ref().unwrap().reveal(), "+79131234567");
    assert_eq!(ticket.fields[0], ("address_code".into(), "4218".into()));
    assert_eq!(ticket.fields[1].1.len(), 64, "the audio's hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_ends_sensibly_wherever_it_ends() {
    let centre = Centre::new().await;
    let count = || centre.register.tickets.lock().len();
    // Whoever hangs up before the message is gone; who has spoken is registered.
    for entries in [&[][..], &["4217#"], &["4217#", "1"]] {
        let (report, _) = calls(&centre, "utilities", "main", Caller::entering(entries)).await;
        was_cut_off(&report);
    }
    assert_eq!(count(), 0);
    let spoken = Caller::entering(&["4217#", "1", "1"]).speaking_for(20 * SECOND, StoppedBy::Hangup);
    let (report, _) = calls(&centre, "utilities", "main", spoken).await;
    was_cut_off(&report);
    assert_eq!(count(), 1, "the message was left, so it counts");
    let cough = Caller::entering(&["4217#", "1", "1"]).speaking_for(SECOND / 2, StoppedBy::Hangup);
    let (report, _) = calls(&centre, "utilities", "main", cough).await;
    assert_eq!(summary(&report), "abandoned");
    let silent = Caller::entering(&["4217#", "1", "1", "1", "1", ""]).speaking_for(SECOND / 2, StoppedBy::Silence);
    let (_, heard) = calls(&centre, "utilities", "main", silent.waited(&talked())).await;
    assert!(heard.matches("Сообщения не слышно.").count() == 3 && heard.contains("(queue operators"), "{heard}");
    let no = Caller::entering(&["4217#", "1", "2", ""]).waited(&talked());
    let (_, heard) = calls(&centre, "utilities", "main", no).await;
    assert!(heard.contains("записи не будет. Оператор примет жалобу с ваших слов.\nСоединяю"), "{heard}");
    assert!(!heard.contains("(message"), "nothing is recorded without a yes");
    assert_eq!(count(), 1);
    centre.register.broken.store(true, Relaxed);
    let full = Caller::entering(&["4217#", "1", "1", ""]).waited(&talked());
    let (_, heard) = calls(&centre, "utilities", "main", full).await;
    assert!(heard.contains("принять сообщение сейчас не удалось.\nСоединяю"), "{heard}");
    assert!(!heard.contains("зарегистрировано"), "{heard}");
}
