//! Recordings, call records, subjects, retention: what is shown, to whom, how long, and that it is written down.

use crate::cases::of;
use crate::world::{BEGIN_MS, CALLER, PAST, World, ask};
use gudok_store::UtcMs;
use serde_json::{Value, json};

#[tokio::test]
async fn a_recording_is_played_whole_or_in_part_and_each_time_is_in_the_audit() {
    let world = World::new().await;
    let call = of(&PAST, "mfc");
    let list = world.root(ask("GET", format!("/api/v1/calls/{call}/recordings"))).await.expect(200).json();
    assert_eq!(list["items"][0]["name"], "message");
    let path = format!("/api/v1/calls/{call}/recordings/message");
    let before = world.audit_seq().await;
    let whole = world.root(ask("GET", path.clone())).await.expect(200);
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("audio/wav", "bytes"));
    assert_eq!(whole.text(), format!("RIFF of {call}"));
    let part = world.root(ask("GET", path.clone()).header("range", "bytes=0-3")).await.expect(206);
    assert_eq!(
        (part.text().as_str(), part.header("content-range")),
        ("RIFF", format!("bytes 0-3/{}", 8 + call.len()).as_str())
    );
    world.root(ask("GET", path.clone()).header("range", "bytes=900-")).await.refused(416, "range");
    let entries = world.audit_after(before).await;
    assert_eq!(entries.iter().filter(|(action, ..)| action == "recording.play").count(), 3, "{entries:?}");
    world.root(ask("GET", format!("/api/v1/calls/{call}/recordings/other"))).await.refused(404, "not-found");
    world.root(ask("GET", format!("/api/v1/calls/{}/recordings", "f".repeat(32)))).await.refused(404, "not-found");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_shown() {
    let world = World::new().await;
    // Below the reserve not even the audit is written.
    world.free_percent.store(1, std::sync::atomic::Ordering::SeqCst);
    let call = of(&PAST, "mfc");
    for path in [
        format!("/api/v1/calls/{call}/recordings/message"),
        format!("/api/v1/calls/{call}/trace"),
        format!("/api/v1/calls/{call}"),
        "/api/v1/cdrs".to_owned(),
        "/api/v1/cdrs?format=csv".to_owned(),
        "/api/v1/audit/export".to_owned(),
    ] {
        world.root(ask("GET", path)).await.refused(507, "disk-low");
    }
    world.root(ask("GET", "/api/v1/calls")).await.expect(200);
}

#[tokio::test]
async fn call_records_come_as_json_and_csv() {
    let world = World::new().await;
    let all = world.root(ask("GET", "/api/v1/cdrs")).await.expect(200).json();
    assert_eq!(all["cdrs"].as_array().unwrap().len(), 2);
    let one = world.root(ask("GET", "/api/v1/cdrs?limit=1")).await.expect(200).json();
    let next = one["next"].as_str().unwrap();
    let rest = world.root(ask("GET", format!("/api/v1/cdrs?limit=1&cursor={next}"))).await.expect(200).json();
    assert_ne!(one["cdrs"], rest["cdrs"]);
    let csv =
        world.root(ask("GET", "/api/v1/cdrs?format=csv&agency=mfc").header("accept", "text/csv")).await.expect(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text().lines().count(), 2);
    let call = of(&PAST, "zags");
    let of_call = world.root(ask("GET", format!("/api/v1/cdrs?call_id={call}"))).await.expect(200).json();
    assert_eq!(of_call["cdrs"][0]["began"]["agency"], "zags");
    let past = world.root(ask("GET", format!("/api/v1/calls/{call}"))).await.expect(200).json();
    assert_eq!(past["state"], "ended");
    for bad in ["from_ms=x", "limit=0", "agency=..", "call_id=7", "format=xml"] {
        world.root(ask("GET", format!("/api/v1/cdrs?{bad}"))).await.refused(400, "bad-query");
    }
    world.root(ask("GET", "/api/v1/cdrs?cursor=nonsense")).await.refused(400, "bad-cursor");
}

#[tokio::test]
async fn a_person_gets_what_is_kept_and_is_taken_out_of_it() {
    let world = World::new().await;
    let body = json!({ "number": CALLER, "reason": "asked in writing, no. 7" });
    let export = world.root(ask("POST", "/api/v1/subjects/export").json(&body)).await.expect(200).json();
    assert_eq!(export["cdrs"].as_array().unwrap().len(), 2);
    assert_eq!(export["recordings"].as_array().unwrap().len(), 2);
    let erased = world.root(ask("POST", "/api/v1/subjects/erase").json(&body)).await.expect(200).json();
    assert_eq!((erased["erased"]["cdrs"].as_u64(), erased["erased"]["recordings"].as_u64()), (Some(2), Some(2)));
    let again = world.root(ask("POST", "/api/v1/subjects/export").json(&body)).await.expect(200).json();
    assert_eq!(again["cdrs"], json!([]));
    let path = format!("/api/v1/calls/{}/recordings/message", of(&PAST, "mfc"));
    world.root(ask("GET", path)).await.refused(404, "not-found");
    let audit = world.root(ask("GET", "/api/v1/audit?action=subject.&order=oldest")).await.expect(200).json();
    let actions: Vec<&Value> =
        audit["items"].as_array().unwrap().iter().map(|entry| &entry["details"]["state"]).collect();
    assert_eq!(actions, [&Value::Null, &json!("begun"), &json!("done"), &Value::Null]);
    for (body, field) in [
        (json!({ "number": "122", "reason": "x" }), "number"),
        (json!({ "number": CALLER, "reason": " " }), "reason"),
        (json!({ "number": CALLER }), "reason"),
    ] {
        let problem = world.root(ask("POST", "/api/v1/subjects/erase").json(&body)).await.refused(422, "invalid-field");
        assert_eq!(problem.json()["field"], field);
    }
}

#[tokio::test]
async fn retention_is_set_by_days_and_what_went_is_named() {
    let world = World::new().await;
    let path = "/api/v1/agencies/mfc/retention";
    let default = world.root(ask("GET", path)).await.expect(200);
    assert_eq!((default.header("etag"), default.json()["recording_days"].as_u64()), ("\"0\"", Some(30)));
    let short = json!({ "cdr_days": 10, "recording_days": 2, "trace_days": 1 });
    world.root(ask("PUT", path).json(&short)).await.expect(200);
    world.root(ask("PUT", path).json(&short)).await.refused(428, "precondition-required");
    for field in ["cdr_days", "recording_days", "trace_days"] {
        let mut bad = short.clone();
        bad[field] = 0.into();
        let problem = world.change(path, &bad).await.refused(422, "invalid-field").json();
        assert_eq!(problem["field"], field);
    }
    // The engine carries it out; what it deleted is named as deleted, and not played.
    let made = world.engine.state.lock().routes_made;
    let longer = json!({ "cdr_days": 10, "recording_days": 3, "trace_days": 1 });
    world.change(path, &longer).await.expect(200);
    assert_eq!(world.engine.state.lock().routes_made, made + 1);
    let before = UtcMs(BEGIN_MS + 1);
    let mfc = gudok_store::AgencyId::new("mfc").unwrap();
    world.store.recordings_delete_before(Some(mfc), before, UtcMs(BEGIN_MS), 100).await.unwrap();
    let recording = format!("/api/v1/calls/{}/recordings", of(&PAST, "mfc"));
    let listed = world.root(ask("GET", recording.clone())).await.expect(200).json();
    assert!(listed["items"][0]["deleted"].is_string(), "{listed}");
    let gone = world.root(ask("GET", format!("{recording}/message"))).await.refused(404, "not-found").json();
    assert!(gone["remedy"].as_str().unwrap().contains("deleted at"), "{gone}");
}

#[tokio::test]
async fn the_audit_is_read_exported_and_verified() {
    let world = World::new().await;
    let page = world.root(ask("GET", "/api/v1/audit?limit=2")).await.expect(200).json();
    let newest = page["items"][0]["seq"].as_u64().unwrap();
    assert_eq!(page["items"][1]["seq"].as_u64(), Some(newest - 1));
    let next = page["next"].as_str().unwrap();
    let rest = world.root(ask("GET", format!("/api/v1/audit?limit=2&cursor={next}"))).await.expect(200).json();
    assert_eq!(rest["items"][0]["seq"].as_u64(), Some(newest - 2));
    let of_users = world.root(ask("GET", "/api/v1/audit?action=user.&order=oldest")).await.expect(200).json();
    assert_eq!(of_users["items"][0]["object"], "user:root");
    let of_mfc = world.root(ask("GET", "/api/v1/audit?agency=mfc")).await.expect(200).json();
    assert!(of_mfc["items"].as_array().unwrap().iter().all(|entry| entry["agency"] == "mfc"));
    let verified = world.root(ask("GET", "/api/v1/audit/verify")).await.expect(200).json();
    assert_eq!((verified["ok"].as_bool(), verified["entries"].as_u64()), (Some(true), Some(newest)));
    let export = world.root(ask("GET", "/api/v1/audit/export")).await.expect(200);
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let report = gudok_store::audit::verify_json_lines(&mut export.body.as_slice(), None, None).unwrap();
    assert!(report.is_whole() && report.entries == newest + 1, "{report:?}");
    let cut = export.text().replacen("user:root", "user:mallory", 1);
    let report = gudok_store::audit::verify_json_lines(&mut cut.as_bytes(), None, None).unwrap();
    assert!(!report.is_whole());
}

#[tokio::test]
async fn orders_reach_live_calls_and_only_them() {
    let world = World::new().await;
    let call = of(&crate::world::LIVE, "mfc");
    world.root(ask("POST", format!("/api/v1/calls/{call}/land"))).await.expect(202);
    world.root(ask("POST", format!("/api/v1/calls/{call}/hangup"))).await.expect(202);
    assert_eq!(world.engine.state.lock().orders, [(call.to_owned(), "land"), (call.to_owned(), "hangup")]);
    world.root(ask("POST", format!("/api/v1/calls/{}/land", of(&PAST, "mfc")))).await.refused(404, "not-found");
    world.past_call("mfc", &"5".repeat(32), BEGIN_MS).await;
}
