//! The centre at work, as its people see it.

use super::samples::NOW_MS;
use crate::books::{
    CallbackView, CountsView, DirectoryDocument, FunnelStepView, FunnelView, ImportProblem, ImportReport, QueueView,
    ReportView, ScoresView, WaitClassView,
};
use crate::console::centre::desk::Found;
use crate::console::context::Ctx;
use crate::console::versions::Fact;
use crate::ports::{
    AttemptRow, CallbackRow, DeskCall, DeskField, OperatorRow, PeerRow, QueueRow, TraceLine, WaitingRow,
};

use crate::documents::DeliveryState;
use crate::service::deliveries::Delivery;
use crate::service::desk::{Desk, DeskQueue, TransferTo};
use crate::service::directory::Entry;
use crate::service::guides::Guide;
use crate::service::marks::Mark;
use crate::service::overlays::Overlay;
use crate::service::surveys::{Survey, SurveyAnswer};
use crate::service::tickets::{Ticket, TicketRecording};
use std::collections::BTreeMap;

const SECOND_MS: u64 = 1_000;

fn ago(seconds: u64) -> u64 {
    NOW_MS - seconds * SECOND_MS
}

pub(super) fn call_id(digit: char) -> String {
    digit.to_string().repeat(32)
}

pub(super) fn operator(name: &str, shown_name: &str, state: &str, seconds: u64) -> OperatorRow {
    OperatorRow {
        name: name.into(),
        shown_name: shown_name.into(),
        state: state.into(),
        since_ms: (state != "logged-out").then(|| ago(seconds)),
        until_ms: (state == "wrap-up").then_some(NOW_MS + 12 * SECOND_MS),
        reason: (state == "paused").then(|| "lunch".to_owned()),
        call: matches!(state, "ringing" | "on-call" | "wrap-up").then(|| call_id('a')),
        reachable: true,
        queues: vec!["common".into(), "mfc".into()],
        agencies: vec!["mfc".into()],
        answered: 27,
        missed: 1,
        ..OperatorRow::default()
    }
}

pub(super) fn operators() -> Vec<OperatorRow> {
    vec![
        operator("anna", "Анна Петрова", "on-call", 84),
        operator("boris", "Борис Ким", "ready", 12),
        operator("vera", "Вера Смирнова", "wrap-up", 18),
        operator("galina", "Галина Лю", "paused", 640),
        OperatorRow { reachable: false, ..operator("daria", "Дарья Орлова", "ready", 4_000) },
        operator("egor", "Егор Новый", "logged-out", 0),
    ]
}

fn waits(digit: char, seconds: u64) -> WaitingRow {
    WaitingRow {
        call: call_id(digit),
        agency: "mfc".into(),
        since_ms: ago(seconds),
        priority: 0,
        lang: "ru-RU".into(),
        caller: "+7********21".into(),
        callback: None,
        acted_ms: None,
    }
}

pub(super) fn queues() -> Vec<QueueRow> {
    let queue = |name: &str, agency: Option<&str>, waiting| QueueRow {
        name: name.into(),
        agency: agency.map(str::to_owned),
        open: true,
        opens_ms: None,
        waiting,
        expected_wait_ms: Some(24_000),
        logged_in: 5,
        ready: 2,
        waiting_max: 50,
        wait_ms_max: 40_000,
        service_level_ms: 20_000,
        calls_back: true,
        peers: vec!["tomsk".into()],
    };
    let busy = vec![
        WaitingRow { acted_ms: Some(ago(6)), ..waits('1', 51) },
        WaitingRow { priority: 5, ..waits('2', 43) },
        WaitingRow { lang: "en-GB".into(), ..waits('3', 33) },
        WaitingRow { caller: String::new(), ..waits('4', 8) },
        WaitingRow { callback: Some("c1".into()), ..waits('5', 200) },
    ];
    vec![
        queue("common", None, busy),
        queue("mfc", Some("mfc"), vec![waits('6', 5)]),
        QueueRow { open: false, opens_ms: Some(NOW_MS + 3_600_000), ..queue("night", None, Vec::new()) },
    ]
}

pub(super) fn peers() -> Vec<PeerRow> {
    let peer = |name: &str, calls, rests_until_ms| PeerRow {
        name: name.into(),
        areas: vec!["70".into()],
        calls,
        calls_max: 10,
        rests_until_ms,
    };
    vec![peer("tomsk", 3, None), peer("altai", 10, None), peer("omsk", 0, Some(NOW_MS + 90_000))]
}

pub(super) fn callback(id: &str, state: &str, due_s: i64) -> CallbackRow {
    let attempt = |outcome: Option<&str>| AttemptRow {
        call: call_id('d'),
        claimed_ms: ago(120),
        outcome: outcome.map(str::to_owned),
    };
    CallbackRow {
        id: id.into(),
        queue: "common".into(),
        agency: "mfc".into(),
        number: "+7********44".into(),
        topic: "Запись на приём <завтра>".into(),
        lang: "ru-RU".into(),
        origin: "offer".into(),
        requested_ms: ago(500),
        earliest_ms: ago(500),
        due_ms: NOW_MS.saturating_add_signed(due_s * 1_000),
        state: state.into(),
        state_ms: Some(ago(100)),
        given_up: (state == "given-up").then(|| "not-reached".to_owned()),
        escalated_ms: (due_s < 0).then_some(NOW_MS),
        attempts: if state == "waiting" { vec![attempt(Some("busy"))] } else { vec![attempt(None)] },
        ..CallbackRow::default()
    }
}

pub(super) fn callbacks() -> Vec<CallbackRow> {
    vec![
        callback("c1", "waiting", -42),
        callback("c2", "unknown", 61),
        callback("c3", "claimed", 200),
        CallbackRow { topic: String::new(), ..callback("c4", "waiting", 480) },
        callback("c5", "given-up", -4_000),
        callback("c6", "waiting", 500),
    ]
}

pub(super) fn desk_call(state: &str) -> DeskCall {
    let line = |at_ms, kind: &str, text: &str| TraceLine {
        agency: None,
        at_ms,
        kind: kind.into(),
        text: text.into(),
        took_ms: None,
        outcome: None,
    };
    let field = |name: &str, value: &str| DeskField { name: name.into(), value: value.into() };
    DeskCall {
        call: call_id('a'),
        agency: "mfc".into(),
        state: state.into(),
        since_ms: ago(if state == "ringing" { 3 } else { 74 }),
        queue: "common".into(),
        waited_ms: 23_400,
        caller: "+7********21".into(),
        called: "+73842000000".into(),
        lang: "ru-RU".into(),
        script: "mfc-desk".into(),
        step: "Запись на приём, выбор дня".into(),
        topic: "booking".into(),
        fields: vec![
            field("service", "Замена паспорта"),
            field("application", "••••••12"),
            field("office", "Заречный, пр. Ермакова, 9"),
        ],
        so_far: vec![
            line(21, "step", "Приветствие"),
            line(25, "say", "Здравствуйте!"),
            line(3_150, "step", "Меню услуг"),
            line(6_902, "key", "1"),
            line(6_910, "step", "Запись на приём, выбор дня"),
            line(21_000, "key", "0"),
        ],
        callback: None,
    }
}

pub(super) fn guide() -> Guide {
    Guide {
        agency: "mfc".into(),
        topic: "booking".into(),
        title: "Запись на приём".into(),
        text: "«Многофункциональный центр, здравствуйте. Меня зовут …»\n\n\
               Спросите, какая услуга нужна и в каком отделении.\n\n\
               Предложите два ближайших времени, повторите выбранное и назовите код записи.\n\n\
               Записать: https://mfc.example/slots\n\n\
               «Чем ещё помочь?»"
            .into(),
        wrap_up_codes: vec!["solved".into(), "записан".into()],
        updated: "2025-11-21T03:00:00Z".into(),
        updated_by: "anna".into(),
    }
}

pub(super) fn desk(state: &str, call: Option<&str>) -> Desk {
    let call = call.map(desk_call);
    let to = |target: &str, shown_name: &str, free| TransferTo {
        target: target.into(),
        shown_name: shown_name.into(),
        free,
    };
    Desk {
        operator: operator("anna", "Анна Петрова", state, 74),
        guide: call.as_ref().map(|_| guide()),
        call,
        queues: vec![DeskQueue {
            name: "common".into(),
            open: true,
            waiting: 4,
            longest_since_ms: Some(ago(43)),
            ready: 2,
        }],
        transfer_to: vec![to("operator:boris", "Борис Ким", true), to("queue:common", "common", false)],
        pause_reasons: ["break", "lunch", "meeting"].map(str::to_owned).to_vec(),
        wrap_up_codes: ["solved", "ticket", "passed-on"].map(str::to_owned).to_vec(),
    }
}

pub(super) fn delivery(state: DeliveryState) -> Delivery {
    let at = |waits: bool, at: &str| (waits == (state == DeliveryState::Waiting)).then(|| at.to_owned());
    Delivery {
        agency: "jkh".into(),
        number: "T-2025-000123".into(),
        state,
        attempts: 4,
        created: "2025-11-25T05:00:00Z".into(),
        next: at(true, "2025-11-25T07:10:00Z"),
        deadline: Some("2025-11-28T05:00:00Z".into()),
        ended: at(false, "2025-11-25T06:00:00Z"),
        last_status: Some(503),
        last_error: Some("the receiver answered <h1>503</h1>".into()),
    }
}

pub(super) fn ticket(delivery: Option<Delivery>) -> Ticket {
    Ticket {
        agency: "jkh".into(),
        number: "T-2025-000123".into(),
        kind: "complaint".into(),
        topic: "Нет воды".into(),
        text: "Во дворе третий день нет воды.\n<b>Просит перезвонить.</b>".into(),
        fields: [("address".to_owned(), "ул. Кирова, 1".to_owned())].into(),
        caller: "+7********21".into(),
        lang: "ru-RU".into(),
        municipality: Some("severny".into()),
        entry: Some("jkh-1".into()),
        entry_version: Some(3),
        call: Some(call_id('a')),
        recordings: vec![TicketRecording { name: "complaint".into(), sha256: "0".repeat(64), duration_ms: 42_000 }],
        created: "2025-11-25T05:00:00Z".into(),
        created_by: "anna".into(),
        delivery,
    }
}

pub(super) fn survey() -> Survey {
    let answer =
        |question: &str, score, text: &str| SurveyAnswer { question: question.into(), score, text: text.into() };
    Survey {
        agency: "mfc".into(),
        survey: "after-call".into(),
        call: call_id('b'),
        at: "2025-11-25T06:00:00Z".into(),
        answers: vec![answer("politeness", Some(5), ""), answer("solved", None, "yes")],
    }
}

pub(super) fn mark() -> Mark {
    Mark {
        call: call_id('a'),
        recording: "talk".into(),
        agency: "mfc".into(),
        score: 4,
        note: "Спокойно и ясно.".into(),
        operator: None,
        by: "vera".into(),
        at: "2025-11-25T06:40:00Z".into(),
    }
}

pub(super) fn overlay(name: &str, recorded: bool) -> Overlay {
    Overlay {
        name: name.into(),
        text: if recorded {
            String::new()
        } else {
            "Вода в Томи поднимается. Пункт сбора — школа № 5.".into()
        },
        lang: (!recorded).then(|| "ru-RU".to_owned()),
        agencies: if recorded { vec!["jkh".into()] } else { Vec::new() },
        areas: if recorded { vec!["severny".into()] } else { Vec::new() },
        numbers: Vec::new(),
        recording: recorded.then(|| "0".repeat(64)),
        recording_ms: if recorded { 21_000 } else { 0 },
        heard: 1_342,
        since: Some("2025-11-25T05:00:00Z".into()),
        expires: (!recorded).then(|| "2025-11-25T11:00:00Z".to_owned()),
    }
}

fn counts(name: &str, calls: u64) -> CountsView {
    let (landed, abandoned) = (calls / 19, calls / 14);
    CountsView { name: name.into(), calls, served: calls - landed - abandoned, landed, abandoned, talk_s: calls * 94 }
}

fn queue_figures(queue: &str, offered: u64) -> QueueView {
    let parts = [52_u64, 21, 12, 6, 4, 3, 1, 1];
    let edges = [Some(5), Some(10), Some(20), Some(30), Some(40), Some(60), Some(120), None];
    let classes = edges.into_iter().zip(parts);
    QueueView {
        queue: queue.into(),
        offered,
        answered: offered * 87 / 100,
        sl_percent: Some(84.6),
        sl2_percent: Some(91.25),
        abandon_percent: Some(4.1),
        limit_kept_percent: Some(99.2),
        waited_ms_mean: Some(11_400),
        waited_ms_max: 58_000,
        histogram: classes.map(|(until_s, part)| WaitClassView { until_s, waits: offered * part / 100 }).collect(),
        ..QueueView::default()
    }
}

pub(super) fn report() -> ReportView {
    let hour = |hour: u64| counts(&format!("{hour:02}"), if hour < 6 { 3 + hour } else { 60 + (hour * 37) % 71 });
    let step = |step: &str, calls| FunnelStepView { step: step.into(), calls };
    let score = |name: &str, question: &str| ScoresView {
        name: name.into(),
        question: question.into(),
        count: 41,
        mean: Some(4.44),
        of_five: vec![1, 0, 3, 13, 24],
    };
    ReportView {
        first_ms: Some(NOW_MS - 14 * 3_600_000),
        last_ms: Some(NOW_MS),
        service_level_s: 20,
        total: counts("", 2_140),
        outbound: 61,
        overlay_heard: 12,
        automatic: 40,
        by_agency: vec![counts("mfc", 1_200), counts("mvd", 640), counts("jkh", 300)],
        by_service: vec![counts("passport", 700), counts("booking", 520), counts("(other)", 20)],
        by_municipality: vec![counts("severny", 1_500), counts("-", 640)],
        by_hour: (0..24).map(hour).collect(),
        by_outcome: vec![counts("served", 1_900), counts("abandoned", 140), counts("landed", 100)],
        funnels: vec![FunnelView {
            agency: "mfc".into(),
            entry: "main".into(),
            calls: 1_200,
            steps: vec![step("Приветствие", 1_200), step("Меню услуг", 1_080), step("Запись, выбор дня", 430)],
        }],
        queues: vec![queue_figures("common", 900), queue_figures("mfc", 240)],
        waits: queue_figures("", 1_140),
        callbacks: CallbackView { promised: 61, kept: 57, late: 2, escalated: 3, open: 1, ..CallbackView::default() },
        surveys: vec![score("after-call", "politeness")],
        marks: vec![score("anna", "")],
        tickets: BTreeMap::from([("complaint".to_owned(), 12), ("outdated-information".to_owned(), 3)]),
    }
}

pub(super) fn entry() -> Entry {
    Entry {
        id: "mfc-nk-1".into(),
        entry: DirectoryDocument {
            kind: "office".into(),
            agency: "mfc".into(),
            municipality: Some("zarechny".into()),
            title: "Многофункциональный центр, Заречный".into(),
            spoken: "Проспект Ермакова, дом девять.".into(),
            address: Some("пр. Ермакова, 9".into()),
            hours: Some("mon-fri 08:00-20:00".into()),
            lang: "ru-RU".into(),
            version: 4,
            updated: "2025-11-21".into(),
            ..DirectoryDocument::default()
        },
    }
}

pub(super) fn imported(bad: bool) -> ImportReport {
    let problem = |row, field: &str, value: &str| ImportProblem {
        row,
        field: field.into(),
        value: value.into(),
        problem: "is no kind of entry".into(),
        remedy: "write office, service, document, term, official, appeal or faq".into(),
    };
    let problems = vec![problem(4, "kind", "<офис>"), problem(17, "hours", "с утра")];
    ImportReport {
        dry_run: true,
        rows: 120,
        added: 12,
        changed: 3,
        problems: if bad { problems } else { Vec::new() },
        ..ImportReport::default()
    }
}

pub(super) fn found(c: &Ctx) -> Vec<Found> {
    let fact = |key: &str, value: &str| Fact { name: c.t(key).into(), value: value.into() };
    vec![
        Found {
            id: "mfc-nk-1".into(),
            version: 4,
            title: "МФЦ, Заречный, Центральный район".into(),
            lang: "ru".into(),
            spoken: "Проспект Ермакова, дом девять. Ежедневно с восьми до двадцати.".into(),
            text: "пр. Ермакова, 9. Приём документов на паспорт, регистрацию, пособия.".into(),
            facts: vec![
                fact("search.phone", "+7 3843 00-00-00"),
                fact("search.address", "пр. Ермакова, 9"),
                fact("search.hours", "пн–вс 08:00–20:00"),
            ],
            of: c.w("search.of", [("owner", "mfc"), ("version", "4"), ("updated", "21.11.2025")]),
            may_blame: true,
        },
        Found {
            id: "faq-12".into(),
            version: 1,
            title: "Сколько делают паспорт?".into(),
            lang: "ru".into(),
            spoken: "Десять дней, если обращаетесь по месту жительства.".into(),
            text: String::new(),
            facts: Vec::new(),
            of: c.w("search.of", [("owner", "mvd"), ("version", "1"), ("updated", "01.11.2025")]),
            may_blame: true,
        },
    ]
}
