//! Appointments at the public service centres, against the sample back end with its conflicts and faults (story 5).
//! `scripts/build-plugins` has to run before.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gudok_core::script::{CallError, QueueEvent, ScriptEnd};
use gudok_plugin_host::RunReport;
use gudok_sample_backend::{Fault, FaultKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Caller, Centre};

const HOLDS: &str = "/mfc/holds";
const CONFIRM: &str = "/mfc/confirm";
const SLOTS: &str = "/mfc/slots";
/// Three confirmations without an answer, and some more for a busy machine.
const LANDED_WITHIN: Duration = Duration::from_secs(16);

/// Service 1, town 3, the first day, the second time.
const TO_THE_READ_BACK: [&str; 4] = ["1", "3", "1", "2"];
const FIRST: &str = "novokuznetsk/passport/2026-11-24T10:30";

fn entering(more: &[&str]) -> Caller {
    Caller::entering(&[&TO_THE_READ_BACK, more].concat())
}

fn operator() -> [QueueEvent; 1] {
    [QueueEvent::Closed(None)]
}

fn breaks(centre: &Centre, route: &str, kind: FaultKind, times: usize) {
    centre.backend.break_down(&Fault { route: route.to_owned(), kind, times, ms: 300 }).unwrap();
}

async fn books(centre: &Centre, caller: Caller) -> (RunReport, String) {
    let version = centre.load("mfc").unwrap();
    let caller = Arc::new(caller);
    let report = centre.call(&version, "booking", &caller).await;
    (report, caller.heard())
}

fn slots(centre: &Centre) -> Vec<String> {
    centre.backend.appointments().into_iter().map(|made| made.slot).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_chosen_read_back_and_booked_once() {
    let centre = Centre::new().await;
    let (report, heard) = books(&centre, entering(&["1", "#"])).await;
    let code = centre.backend.appointments()[0].code.clone();
    for said in [
        "Запись на приём. Выберите услугу. Паспорт гражданина : нажмите <1> .",
        "Минуту, смотрю свободное время.",
        "Выберите день. <2026-11-24> : нажмите <1> .",
        "Выберите время. <09:00> : нажмите <1> . <10:30> : нажмите <2> .",
        "Вы записываетесь: Паспорт гражданина , Новокузнецк , <2026-11-24> , <10:30> .",
        &format!("Код записи: <digits {code}> . Повторяю код: <digits {code}> ."),
        "До свидания.\n(hangup)",
    ] {
        assert!(heard.contains(said), "{said}\n{heard}");
    }
    let ScriptEnd::Returned(summary) = &report.end else { panic!("{report:?}") };
    assert_eq!(&*summary.code, "served");
    assert!(summary.fields.contains(&("booked".into(), "yes".into())));
    assert_eq!(slots(&centre), [FIRST]);
    assert_eq!((centre.backend.held(), centre.backend.seen("/mfc/release")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_information_desk_the_town_is_known() {
    let centre = Centre::new().await;
    let version = centre.load("mfc").unwrap();
    let caller = Arc::new(Caller::entering(&["3", "5", "2", "2", "1", "1", "#"]));
    let report = centre.call(&version, "desk", &caller).await;
    assert_eq!(slots(&centre), ["novokuznetsk/residence/2026-11-25T09:00"], "{}", caller.heard());
    assert!(matches!(report.end, ScriptEnd::Returned(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_taken_meanwhile_leads_to_the_next() {
    let centre = Centre::new().await;
    centre.backend.take_next(2);
    // The next one is offered, taken too, and the one after that is booked.
    let (_, heard) = books(&centre, entering(&["1", "1", "1", "#"])).await;
    assert!(heard.contains("Это время только что заняли. Ближайшее свободное: <2026-11-24> , <14:00> ."), "{heard}");
    assert!(heard.contains("Это время только что заняли. Ближайшее свободное: <2026-11-24> , <16:30> ."), "{heard}");
    assert_eq!(slots(&centre), ["novokuznetsk/passport/2026-11-24T16:30"]);
    // Somebody who is always too late gets a person.
    centre.backend.take_next(100);
    let (_, heard) = books(&centre, entering(&["1"; 8]).waited(&operator())).await;
    assert!(heard.contains("Свободного времени сейчас нет.\nСоединяю с оператором."), "{heard}");
    assert_eq!(slots(&centre).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_half_way_gives_the_time_back() {
    let centre = Centre::new().await;
    for steps in 0..=TO_THE_READ_BACK.len() {
        let (report, heard) = books(&centre, Caller::entering(&TO_THE_READ_BACK[..steps])).await;
        assert!(matches!(report.end, ScriptEnd::Failed(CallError::Ended(_))), "{steps}: {report:?}");
        assert_eq!(centre.backend.held(), 0, "{steps}: {heard}");
    }
    assert_eq!(centre.backend.seen("/mfc/release"), 1, "it was held once, and given back once");
    assert!(slots(&centre).is_empty());
    // Whoever hangs up while the code is said has the appointment.
    let (report, _) = books(&centre, entering(&["1"])).await;
    assert!(matches!(report.end, ScriptEnd::Failed(CallError::Ended(_))), "{report:?}");
    assert_eq!(slots(&centre), [FIRST]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_choice_gives_the_time_back_too() {
    let centre = Centre::new().await;
    let (_, heard) = books(&centre, entering(&["#", "2", "1", "1", "#"])).await;
    assert_eq!(slots(&centre), ["novokuznetsk/passport/2026-11-25T09:00"], "{heard}");
    assert_eq!((centre.backend.held(), centre.backend.seen("/mfc/release")), (0, 1));
    let (_, heard) = books(&centre, entering(&["0"]).waited(&operator())).await;
    assert!(heard.contains("(queue operators, topic mfc"), "{heard}");
    assert_eq!(centre.backend.held(), 0, "an operator finds the time free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_whose_answer_is_lost_books_once() {
    let centre = Centre::new().await;
    breaks(&centre, CONFIRM, FaultKind::LostAnswer, 1);
    let (_, heard) = books(&centre, entering(&["1", "#"])).await;
    assert!(heard.contains("Код записи: <digits"), "{heard}");
    assert_eq!(slots(&centre), [FIRST]);
    assert_eq!(centre.backend.seen(CONFIRM), 2);
    // Where it stays lost, nobody says that it was booked, and nothing is given back that may be booked.
    breaks(&centre, CONFIRM, FaultKind::LostAnswer, 3);
    let (_, heard) = books(&centre, Caller::entering(&["1", "3", "1", "1", "1"]).waited(&operator())).await;
    assert!(!heard.contains("Код записи"), "{heard}");
    assert!(heard.contains("записать вас автоматически не получилось.\nСоединяю с оператором."), "{heard}");
    assert_eq!((slots(&centre).len(), centre.backend.seen("/mfc/release")), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_the_booking_system_a_person_helps_in_time() {
    let centre = Centre::new().await;
    let kinds = [FaultKind::Hang, FaultKind::Status500, FaultKind::Garbage, FaultKind::HalfBody, FaultKind::Redirect];
    for kind in kinds {
        for route in [SLOTS, HOLDS] {
            breaks(&centre, route, kind, 1);
            let began = Instant::now();
            let (_, heard) = books(&centre, entering(&["1", "#"]).waited(&operator())).await;
            assert!(began.elapsed() < LANDED_WITHIN, "{route} {kind:?} took {:?}", began.elapsed());
            assert!(heard.contains("автоматически не получилось.\nСоединяю с оператором."), "{route} {kind:?} {heard}");
        }
    }
    assert!(slots(&centre).is_empty());
    // What is only slow is waited for.
    for route in [SLOTS, HOLDS, CONFIRM] {
        breaks(&centre, route, FaultKind::Slow, 1);
    }
    let (_, heard) = books(&centre, entering(&["1", "#"])).await;
    assert!(heard.contains("Код записи: <digits"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_held_for_too_long_is_chosen_again() {
    let centre = Centre::new().await;
    let version = centre.load("mfc").unwrap();
    // Nothing tells the back end that time has passed but its own clock: here, a fault that lets it expire.
    breaks(&centre, CONFIRM, FaultKind::Expire, 1);
    let caller = Arc::new(entering(&["1", "1", "3", "1", "#"]));
    centre.call(&version, "booking", &caller).await;
    let heard = caller.heard();
    assert!(heard.contains("время ожидания вышло, и запись не сохранилась.\nВыберите день."), "{heard}");
    assert_eq!(slots(&centre), ["novokuznetsk/passport/2026-11-24T14:00"]);
}
