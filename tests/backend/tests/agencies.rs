//! The sample agencies, built as they are deployed, in the real script host, against this back end and a caller whose
//! keys are written down. `scripts/build-plugins` has to run before.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gudok_core::prompt::{Prompt, Segment};
use gudok_core::script::{ScriptEnd, TransferOutcome};
use gudok_plugin_host::RunReport;
use gudok_sample_backend::{Fault, FaultKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Caller, Centre};

const PASSPORT: &str = "/passport/applications";
const KINDERGARTEN: &str = "/kindergarten/places";
/// The back end's patience in the scripts, and some more for a busy machine.
const LANDED_WITHIN: Duration = Duration::from_secs(8);

#[track_caller]
fn summary(report: &RunReport) -> &str {
    match &report.end {
        ScriptEnd::Returned(summary) => &summary.code,
        other => panic!("{other:?} {:?}", report.fault),
    }
}

fn has_date(prompt: &Prompt) -> bool {
    prompt.segments.iter().any(|segment| matches!(segment, Segment::Date { .. }))
}

fn night() -> TransferOutcome {
    TransferOutcome::Closed(Some("06:00".into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_menu_leads_to_the_agencies() {
    let centre = Centre::new().await;
    let menu = centre.load("centre").unwrap();
    for (key, script) in [("1", "mfc"), ("2", "passport"), ("3", "kindergarten"), ("4", "utilities"), ("5", "booking")]
    {
        let caller = Arc::new(Caller::entering(&[key]));
        let report = centre.call(&menu, "main", &caller).await;
        assert!(caller.heard().ends_with(&format!("(transfer to script {script})")), "{}", caller.heard());
        assert_eq!(summary(&report), "transferred");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_menu_speaks_three_languages_and_knows_the_night() {
    let centre = Centre::new().await;
    let menu = centre.load("centre").unwrap();
    let caller = Arc::new(Caller::entering(&["9", "2", "0", "2"]).transferred(night()));
    let report = centre.call(&menu, "main", &caller).await;
    let heard = caller.heard();
    for said in ["Здравствуйте.", "For addresses and opening hours", "They start at <06:00> .", "Goodbye.\n(hangup)"]
    {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    assert_eq!(summary(&report), "served");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_presses_nothing_gets_a_person() {
    let centre = Centre::new().await;
    let menu = centre.load("centre").unwrap();
    let caller = Arc::new(Caller::entering(&["", "7", ""]));
    let report = centre.call(&menu, "main", &caller).await;
    assert!(caller.heard().ends_with("(transfer to group operators)"), "{}", caller.heard());
    assert_eq!(summary(&report), "transferred");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_with_a_fault_says_where_and_serves_nobody() {
    let centre = Centre::new().await;
    let menu = centre.load_with("centre", |place, bytes| {
        if place == "data/menu.toml" {
            *bytes = String::from_utf8_lossy(bytes).replace("\"1\" = \"mfc\"", "\"1\" = \"mcf\"").into_bytes();
        }
    });
    let caller = Arc::new(Caller::entering(&["1"]));
    let report = centre.call(&menu.unwrap(), "main", &caller).await;
    assert_eq!(summary(&report), "no-service");
    let lines = centre.told.lines.lock().join("\n");
    assert!(lines.contains("nodes.main.choices.1: there is no node \"mcf\""), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mfc_tells_address_and_hours_and_from_when_operators_work() {
    let centre = Centre::new().await;
    let mfc = centre.load("mfc").unwrap();
    let caller = Arc::new(Caller::entering(&["3", "0", "2"]).transferred(night()));
    let report = centre.call(&mfc, "mfc", &caller).await;
    let heard = caller.heard();
    for said in [
        "Новокузнецк . Адрес: улица Кирова , дом <71> .",
        "С понедельника по пятницу открытие: <08:30> , закрытие: <19:00> .",
        "Сейчас центр закрыт.",
        "Операторы сейчас не работают. Они начинают работу в <06:00> .",
        "До свидания.\n(hangup)",
    ] {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    assert_eq!(summary(&report), "served");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mfc_speaks_english_to_who_does() {
    let centre = Centre::new().await;
    let mfc = centre.load("mfc").unwrap();
    let caller = Arc::new(Caller::entering(&["4"]).speaking("en-US"));
    centre.call(&mfc, "mfc", &caller).await;
    assert!(caller.heard().contains("Belovo . Address: <44> Sovetskaya Street ."), "{}", caller.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_caller_hears_how_the_passport_stands() {
    let centre = Centre::new().await;
    let passport = centre.load("passport").unwrap();
    for (application, check, said) in [
        ("12345678", "1234", "Ваш паспорт готов. Его можно получить с <2026-05-05> ."),
        ("23456789", "2345", "Ваш паспорт ещё не готов. Ожидаемый день готовности: <2026-12-01> ."),
        ("34567890", "3456", "Ваш паспорт выдан <2026-04-21> ."),
    ] {
        let caller = Arc::new(Caller::entering(&[application, check, "#"]));
        let report = centre.call(&passport, "passport", &caller).await;
        assert!(caller.heard().contains(said), "{}", caller.heard());
        assert_eq!(summary(&report), "served");
        assert_eq!(caller.sensitive.lock()[..2], [true, true]);
        let told = caller.prompts.lock().iter().find(|prompt| has_date(prompt)).cloned().unwrap();
        assert!(!told.cacheable, "a result must not be kept on disk");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_tries_lead_to_an_operator_and_disclose_nothing() {
    let centre = Centre::new().await;
    let passport = centre.load("passport").unwrap();
    let caller = Arc::new(Caller::entering(&["12345678", "0000", "87654321", "1234", "12345678", "4321", "1234"]));
    let report = centre.call(&passport, "passport", &caller).await;
    let heard = caller.heard();
    assert_eq!(heard.matches("Номер заявления и контрольные цифры не совпадают.").count(), 3, "{heard}");
    assert!(!heard.contains("Ваш паспорт"), "{heard}");
    assert!(heard.ends_with("(transfer to group operators)"), "{heard}");
    assert_eq!(summary(&report), "transferred");
    assert_eq!(centre.backend.seen(PASSPORT), 3);
    let lines = centre.told.lines.lock().join("\n");
    assert!(!lines.contains("12345678") && !lines.contains("0000"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_too_few_digits_lead_to_an_operator_without_a_look_up() {
    let centre = Centre::new().await;
    let passport = centre.load("passport").unwrap();
    for entries in [["", "", ""], ["123", "12#", "1"]] {
        let caller = Arc::new(Caller::entering(&entries));
        centre.call(&passport, "passport", &caller).await;
        assert!(caller.heard().ends_with("(transfer to group operators)"), "{}", caller.heard());
    }
    assert_eq!(centre.backend.seen(PASSPORT), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_in_the_queue_is_an_ordinal() {
    let centre = Centre::new().await;
    let kindergarten = centre.load("kindergarten").unwrap();
    let caller = Arc::new(Caller::entering(&["123456", "05052023", "#"]));
    let report = centre.call(&kindergarten, "kindergarten", &caller).await;
    assert!(caller.heard().contains("Ваш номер в очереди: <21th> ."), "{}", caller.heard());
    assert_eq!(summary(&report), "served");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_the_back_end_the_caller_lands_in_time() {
    let centre = Centre::new().await;
    let kindergarten = centre.load("kindergarten").unwrap();
    for kind in [
        FaultKind::Hang,
        FaultKind::LieLength,
        FaultKind::HalfBody,
        FaultKind::Flood,
        FaultKind::Status500,
        FaultKind::Garbage,
        FaultKind::Redirect,
    ] {
        let fault = Fault { route: KINDERGARTEN.to_owned(), kind, times: 1, ms: 0 };
        centre.backend.break_down(&fault).unwrap();
        let caller = Arc::new(Caller::entering(&["123456", "05052023"]));
        let began = Instant::now();
        let report = centre.call(&kindergarten, "kindergarten", &caller).await;
        assert!(began.elapsed() < LANDED_WITHIN, "{kind:?} took {:?}", began.elapsed());
        let heard = caller.heard();
        let end =
            "Извините, сведения сейчас получить не удалось.\nСоединяю с оператором.\n(transfer to group operators)";
        assert!(heard.ends_with(end), "{kind:?}: {heard}");
        assert_eq!(summary(&report), "transferred");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_night_a_failing_back_end_ends_politely() {
    let centre = Centre::new().await;
    let passport = centre.load("passport").unwrap();
    let fault = Fault { route: PASSPORT.to_owned(), kind: FaultKind::Status500, times: 1, ms: 0 };
    centre.backend.break_down(&fault).unwrap();
    let caller = Arc::new(Caller::entering(&["12345678", "1234"]).transferred(night()));
    let report = centre.call(&passport, "passport", &caller).await;
    let heard = caller.heard();
    assert!(heard.contains("Они начинают работу в <06:00> ."), "{heard}");
    assert!(heard.ends_with("Позвоните, пожалуйста, позже. До свидания.\n(hangup)"), "{heard}");
    assert_eq!(summary(&report), "no-operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_anywhere_is_a_clean_end() {
    let centre = Centre::new().await;
    for (agency, entries) in [
        ("centre", &[][..]),
        ("mfc", &["3"]),
        ("passport", &["12345678"]),
        ("passport", &["12345678", "1234"]),
        ("kindergarten", &["123456"]),
    ] {
        let version = centre.load(agency).unwrap();
        let caller = Arc::new(Caller::entering(entries));
        let report = centre.call(&version, agency, &caller).await;
        assert!(
            matches!(report.end, ScriptEnd::Failed(gudok_core::script::CallError::Ended(_))),
            "{agency}: {report:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_benchmarks_scripts_do_what_their_names_say() {
    let centre = Centre::new().await;
    let bench = centre.load("bench").unwrap();
    for (entry, keys, expect) in [
        ("sig", &[][..], "(hangup)"),
        ("ivr", &["1"], "<media p3>\n<media p1>\n(hangup)"),
        ("ivr", &["2"], "<media p3>\n(hangup)"),
        ("l30", &[], "<media p30>\n(hangup)"),
        ("wait", &[], "(hangup)"),
    ] {
        let caller = Arc::new(Caller::entering(keys));
        let report = centre.call(&bench, entry, &caller).await;
        assert_eq!(caller.heard(), expect, "{entry}");
        assert_eq!(summary(&report), "served");
    }
}
