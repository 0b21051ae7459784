//! The centre's books: the directory in and out, and reports.

use crate::centre_cases::{survey, ticket};
use crate::world::{BEGIN_MS, DAY_MS, World, ask};
use gudok_store::{
    AgencyId, CallId, Direction, EndedBy, HangupCause, LegBegan, LegEnded, Mode, Party, QueueResult, QueueWait, UtcMs,
};
use serde_json::{Value, json};

async fn import(world: &World, query: &str, table: &str) -> Value {
    let path = format!("/api/v1/directory/import?{query}");
    world.root(ask("POST", path).bytes("text/csv", table.as_bytes().to_vec())).await.expect(200).json()
}

const TABLE: &str = "id;kind;agency;title;hours;fields\n\
    mfc-1;office;mfc;Центр на Северной;mon-fri 09:00-18:00;service=passport\n\
    zags-1;office;zags;ЗАГС;;\n\
    mfc-2;shop;mfc;Второй;;\n\
    mfc-1;faq;mfc;Ещё раз;;\n\
    ghost-1;faq;ghost;Чей?;;\n\
    mfc-3;faq;mfc;Где паспорт?;always;\n";

#[tokio::test]
async fn an_import_takes_good_rows_and_says_what_is_wrong_with_the_others() {
    let world = World::new().await;
    let dry = import(&world, "format=csv&dry_run=true", TABLE).await;
    assert_eq!((&dry["dry_run"], &dry["rows"], &dry["added"]), (&json!(true), &json!(6), &json!(2)));
    let empty = world.root(ask("GET", "/api/v1/directory")).await.expect(200).json();
    assert_eq!(empty["items"], json!([]));
    let report = import(&world, "format=csv", TABLE).await;
    let problems = report["problems"].as_array().unwrap();
    let places: Vec<(u64, &str)> =
        problems.iter().map(|at| (at["row"].as_u64().unwrap(), at["field"].as_str().unwrap())).collect();
    assert_eq!(places, [(4, "kind"), (5, "id"), (6, "agency"), (7, "hours")]);
    assert!(problems.iter().all(|at| at["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())));
    let again = import(&world, "format=csv", TABLE).await;
    assert_eq!((&again["added"], &again["changed"], &again["unchanged"]), (&json!(0), &json!(0), &json!(2)));
    let changed = import(&world, "format=csv", &TABLE.replace("Центр на", "МФЦ на")).await;
    assert_eq!(changed["changed"], 1);
    let entry = world.root(ask("GET", "/api/v1/directory/mfc-1")).await.expect(200).json();
    assert_eq!((&entry["version"], &entry["fields"]["service"]), (&json!(2), &json!("passport")));
    // Who works for one agency writes for that one only.
    let author = world.user("author", json!([{ "role": "author", "agency": "zags" }])).await;
    let file = TABLE.replace("ЗАГС", "Загс").as_bytes().to_vec();
    let post = ask("POST", "/api/v1/directory/import?format=csv").token(&author).bytes("text/csv", file);
    let report = world.send(post).await.expect(200).json();
    assert_eq!((&report["added"], &report["changed"]), (&json!(0), &json!(1)), "{report}");
    for (kind, body) in [("text/html", "x"), ("", "x")] {
        let post = ask("POST", "/api/v1/directory/import?format=csv").bytes(kind, body.into());
        world.root(post).await.refused(415, "unsupported-type");
    }
}

#[tokio::test]
async fn what_is_exported_is_imported_as_it_was_however_long_it_is() {
    let world = World::new().await;
    let rows: String = (0..1_203).map(|n| format!("faq-{n:05};faq;mfc;Вопрос {n}?;;a={n}\n")).collect();
    let report = import(&world, "format=csv", &format!("id;kind;agency;title;hours;fields\n{rows}")).await;
    assert_eq!(report["added"], 1_203, "{report}");
    for format in ["csv", "json"] {
        let table = world.root(ask("GET", format!("/api/v1/directory/export?format={format}"))).await.expect(200);
        let kind = if format == "csv" { "text/csv" } else { "application/json" };
        let query = format!("/api/v1/directory/import?format={format}");
        let report = world.root(ask("POST", query).bytes(kind, table.body)).await.expect(200).json();
        assert_eq!((&report["unchanged"], &report["problems"]), (&json!(1_203), &json!([])), "{format}");
    }
    let none = world.root(ask("GET", "/api/v1/directory/export?format=json&agency=zags")).await.expect(200);
    assert_eq!(none.json(), json!([]));
    let none = world.root(ask("GET", "/api/v1/directory/export?agency=zags")).await.expect(200).text();
    assert!(none.starts_with("id,kind,agency") && none.lines().count() == 1, "{none}");
}

#[tokio::test]
async fn an_entry_is_changed_by_revision_and_each_change_is_a_version() {
    let world = World::new().await;
    let path = "/api/v1/directory/%D0%9C%D0%A4%D0%A6-1";
    let body = json!({ "kind": "office", "agency": "mfc", "title": "МФЦ", "hours": "пн-пт 09:00-18:00" });
    let made = world.root(ask("PUT", path).json(&body)).await.expect(201);
    assert_eq!(made.json()["id"], "МФЦ-1");
    world.root(ask("PUT", path).json(&body)).await.refused(428, "precondition-required");
    // The same again is no new version; what is shown may be sent back.
    let same = world.change(path, &made.json()).await.expect(200);
    assert_eq!((&same.json()["version"], same.header("etag")), (&json!(1), made.header("etag")));
    let mut other = body.clone();
    other["title"] = json!("МФЦ на Северной");
    assert_eq!(world.change(path, &other).await.expect(200).json()["version"], 2);
    let bad = [
        ("kind", json!("shop")),
        ("hours", json!("always")),
        ("phone", json!("Анна")),
        ("title", json!("")),
        ("lang", json!("русский")),
    ];
    for (field, value) in bad {
        let mut wrong = body.clone();
        wrong[field] = value;
        let refused = world.change(path, &wrong).await.refused(422, "invalid-field").json();
        assert_eq!(refused["field"], field, "{refused}");
    }
    let author = world.user("author", json!([{ "role": "author", "agency": "zags" }])).await;
    let mut theirs = body.clone();
    theirs["agency"] = json!("zags");
    // An id is nobody's to take over, and what others have under it is not shown.
    let taken = world.send(ask("PUT", path).token(&author).json(&theirs)).await.refused(409, "exists");
    assert!(!taken.text().contains("Северной"));
    world.send(ask("GET", path).token(&author)).await.refused(404, "not-found");
}

async fn call(world: &World, id: u32, agency: &str, wait: Option<(QueueResult, u64)>) {
    let call_id = CallId::new(&format!("{id:032x}")).unwrap();
    let began = LegBegan {
        call_id: call_id.clone(),
        leg: 0,
        parent: None,
        chain_id: call_id,
        agency: AgencyId::new(agency).unwrap(),
        entry: "main".into(),
        script: "desk".into(),
        script_version: "1.0.0".into(),
        direction: Direction::Inbound,
        caller: Party::withheld(),
        called: Party::own_number("100"),
        trunk: "city".into(),
        started_ms: UtcMs(BEGIN_MS - 100_000),
        mode: Mode::Attended,
        language: "ru-RU".into(),
        area: "42".into(),
        campaign: None,
    };
    let mut ended = LegEnded::new(UtcMs(BEGIN_MS - 1_000), HangupCause::Normal, EndedBy::Caller);
    ended.steps = vec!["menu".into()];
    ended.queue = wait.map(|(result, waited_ms)| QueueWait {
        queue: "help".into(),
        entered_ms: UtcMs(BEGIN_MS - 90_000),
        waited_ms,
        acted_ms: None,
        result: Some(result),
        by: "of-mfc".into(),
    });
    world.store.leg_ended(began.ended(ended)).unwrap();
    world.store.settled().await.unwrap();
}

fn period() -> String {
    let (from, until) = (BEGIN_MS - 60_000, BEGIN_MS);
    format!("from={}&until={}", gudok_admin::time::written(from), gudok_admin::time::written(until))
}

#[tokio::test]
async fn a_report_counts_what_is_within_reach_and_is_the_same_in_both_forms() {
    let world = World::new().await;
    for id in 0..1_500 {
        let wait = match id % 3 {
            0 => Some((QueueResult::Answered, 5_000)),
            1 => Some((QueueResult::Abandoned, 50_000)),
            _ => None,
        };
        call(&world, id, if id % 2 == 0 { "mfc" } else { "zags" }, wait).await;
    }
    let path = format!("/api/v1/reports?{}", period());
    let report = world.root(ask("GET", path.clone())).await.expect(200).json();
    assert_eq!(report["total"]["calls"], 1_500);
    let queue = &report["queues"][0];
    assert_eq!((&queue["offered"], &queue["answered"], &queue["abandoned"]), (&json!(1_000), &json!(500), &json!(500)));
    assert_eq!((queue["sl_percent"].as_f64(), queue["abandon_percent"].as_f64()), (Some(50.0), Some(50.0)));
    let supervisor = world.user("supervisor", json!([{ "role": "supervisor", "agency": "mfc" }])).await;
    let own = world.send(ask("GET", path.clone()).token(&supervisor)).await.expect(200).json();
    assert_eq!((&own["total"]["calls"], own["by_agency"].as_array().unwrap().len()), (&json!(750), 1));
    let theirs = ask("GET", format!("{path}&agency=zags")).token(&supervisor);
    world.send(theirs).await.refused(403, "forbidden");
    let csv = world.root(ask("GET", format!("{path}&format=csv&by=agency"))).await.expect(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.text().contains("mfc,750,") && csv.text().contains("zags,750,"), "{}", csv.text());
    let tables =
        ["service", "municipality", "hour", "outcome", "funnel", "queue", "callback", "survey", "mark", "ticket"];
    for by in tables {
        let csv = world.root(ask("GET", format!("{path}&format=csv&by={by}"))).await.expect(200).text();
        assert!(csv.contains("\r\n"), "{by}: {csv}");
    }
    let queues = world.root(ask("GET", format!("{path}&format=csv&by=queue"))).await.expect(200).text();
    assert!(queues.contains("help,1000,500,500,") && queues.contains("(all),1000,"), "{queues}");
}

#[tokio::test]
async fn a_report_is_shown_again_for_a_moment_and_then_made_anew() {
    let world = World::new().await;
    call(&world, 1, "mfc", None).await;
    let path = format!("/api/v1/reports?{}", period());
    let calls = async || world.root(ask("GET", path.clone())).await.expect(200).json()["total"]["calls"].as_u64();
    assert_eq!(calls().await, Some(1));
    call(&world, 2, "mfc", None).await;
    assert_eq!(calls().await, Some(1));
    world.engine.pass(10_000);
    assert_eq!(calls().await, Some(2));
}

#[tokio::test]
async fn a_report_has_surveys_marks_and_tickets_of_its_time() {
    let world = World::new().await;
    survey(&world, "mfc").await;
    survey(&world, "zags").await;
    ticket(&world, "mfc").await;
    let mark = format!("/api/v1/calls/{}/recordings/message/mark", crate::world::PAST[0].1);
    world.root(ask("PUT", mark).json(&json!({ "score": 4 }))).await.expect(200);
    world.engine.pass(60_000);
    let report = world.root(ask("GET", "/api/v1/reports?agency=mfc")).await.expect(200).json();
    assert_eq!((&report["surveys"][0]["count"], report["surveys"][0]["mean"].as_f64()), (&json!(1), Some(5.0)));
    assert_eq!((&report["tickets"]["complaint"], &report["marks"][0]["count"]), (&json!(1), &json!(1)));
    world.engine.pass(2 * DAY_MS);
    let later = world.root(ask("GET", "/api/v1/reports?agency=mfc")).await.expect(200).json();
    assert_eq!((&later["surveys"], &later["tickets"]), (&json!([]), &json!({})));
    for bad in [
        "from=yesterday",
        "from=2026-05-05T00:00:00Z&until=2026-05-04T00:00:00Z",
        "from=1980-01-01T00:00:00Z",
        "by=moon",
    ] {
        world.root(ask("GET", format!("/api/v1/reports?{bad}"))).await.expect(400);
    }
}
