//! What goes on: live calls, traces and logs by server-sent events.

use crate::engine::{Engine, Reply};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

fn stream(events: &[(&str, Value)]) -> Reply {
    let mut wire = String::from(": heartbeat\n\n");
    for (at, (event, data)) in events.iter().enumerate() {
        wire.push_str(&format!("id: {at}\nevent: {event}\ndata: {data}\n\n"));
    }
    Reply::bytes(200, "text/event-stream", wire.as_bytes())
}

fn call(id: &str, state: &str, step: &str) -> Value {
    json!({
        "id": id, "agency": "mfc", "entry": "desk", "label": "1.0.0", "caller": "+7913•••67", "called": "122",
        "since_ms": 1_777_923_000_000_u64, "state": state, "step": step, "lang": "ru-RU",
    })
}

#[test]
fn calls_are_followed_until_the_engine_refuses() {
    // The second connection is refused: the token was revoked meanwhile.
    let connections = AtomicUsize::new(0);
    let engine = Engine::start(move |asked| match asked.path.as_str() {
        "/api/v1/calls" => Reply::json(200, &json!({ "items": [call("a1", "script", "menu")], "next": null })),
        _ if connections.fetch_add(1, Ordering::SeqCst) == 0 => {
            let mut ended = call("a1", "script", "menu");
            ended["ended"] = true.into();
            stream(&[("call", call("b2", "landed", "ask\u{1b}[31m")), ("call", ended)])
        }
        _ => Reply::problem(401, "unauthenticated", "the token was revoked", None, ""),
    });
    let ran = engine.gudok(&["calls", "-f", "--agency", "mfc"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "a1 mfc/desk 1.0.0 +7913•••67 script menu\nb2 mfc/desk 1.0.0 +7913•••67 landed ask\\u{1b}[31m\n\
         a1 mfc/desk 1.0.0 +7913•••67 ended menu\n"
    );
    let events: Vec<_> = engine.asked().into_iter().filter(|asked| asked.path == "/api/v1/events").collect();
    assert_eq!(events[0].query, "topics=calls&agency=mfc");
    assert_eq!(events[1].header("last-event-id"), Some("1"), "it goes on behind what it has seen");
}

#[test]
fn logs_are_the_last_lines_and_then_what_comes() {
    let line = |script: &str, message: &str| json!({ "at": "2026-05-05T00:00:00Z", "level": "info", "agency": "mfc", "script": script, "label": "1.0.0", "call": "a1", "message": message });
    let connections = AtomicUsize::new(0);
    let engine = Engine::start(move |asked| match asked.path.as_str() {
        "/api/v1/logs" => Reply::json(200, &json!({ "items": [line("desk", "first")] })),
        _ if connections.fetch_add(1, Ordering::SeqCst) == 0 => {
            stream(&[("log", line("other", "not mine")), ("log", line("desk", "second"))])
        }
        _ => Reply::problem(403, "forbidden", "no more", None, ""),
    });
    let ran = engine.gudok(&["logs", "-f", "--script", "desk"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let messages: Vec<&str> = ran.stdout.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(messages, ["first", "second"]);
    assert!(ran.stdout.starts_with("2026-05-05 00:00:00 info  mfc desk 1.0.0 a1 first"), "{ran:?}");
}

#[test]
fn a_trace_is_followed_to_the_end_of_the_call() {
    let looks = AtomicUsize::new(0);
    let engine = Engine::start(move |asked| match asked.path.as_str() {
        "/api/v1/events" => stream(&[("call", call("other", "script", "x")), ("call", call("a1", "script", "bye"))]),
        _ => {
            let mut lines = vec![json!({ "at_ms": 0, "kind": "leg", "text": "answered" })];
            let over = looks.fetch_add(1, Ordering::SeqCst) > 0;
            if over {
                lines.push(json!({ "at_ms": 1_250, "kind": "step", "text": "bye", "outcome": "served" }));
            }
            Reply::json(
                200,
                &json!({ "id": "a1", "live": !over, "agency": "mfc", "entry": "desk", "versions": ["aa"],
                    "began_ms": 1_777_923_000_000_u64, "lines": lines, "dropped": 0 }),
            )
        }
    });
    let ran = engine.gudok(&["trace", "a1", "-f"]).fine();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "a1 at mfc/desk, began 2026-05-04 19:30:00, still up; versions: aa");
    assert_eq!(lines[1..], ["  0:00.000  leg     answered", "  0:01.250  step    bye · served"]);
    let ran = engine.gudok(&["trace", "a1", "--json"]).fine();
    assert_eq!(ran.json()["lines"].as_array().unwrap().len(), 2);
}

#[test]
fn a_canary_is_watched_until_it_is_taken_back() {
    let looks = AtomicUsize::new(0);
    let live = |id: &str, label: &str| json!({ "version": id, "label": label, "share_percent": 10 });
    let engine = Engine::start(move |asked| {
        if asked.path.ends_with("/outcomes") {
            let row = json!({ "version": "new", "label": "2.0.0", "total": { "calls": 3, "landed": 3, "trapped": 3 } });
            return Reply::json(200, &json!({ "versions": [row] }));
        }
        let over = looks.fetch_add(1, Ordering::SeqCst) > 1;
        let mut deployment = json!({
            "agency": "mfc", "entry": "desk", "state": "canary", "stable": live("old", "1.0.0"),
            "canary": live("new", "2.0.0"),
        });
        if over {
            deployment["canary"] = Value::Null;
            deployment["state"] = "stable".into();
            let reason = "3 of 3 calls trapped";
            deployment["last_rollback"] = json!({ "from": "new", "to": "old", "automatic": true, "reason": reason });
        }
        Reply::json(200, &deployment)
    });
    let ran = engine.gudok(&["canary", "mfc/desk", "--watch"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.words().contains("mfc/desk: canary, 10 % of callers"), "{ran:?}");
    assert!(ran.words().contains("canary 2.0.0 (new) 0 3 0 3 (100.0 %) 3 (100.0 %) 0"), "{ran:?}");
    assert!(ran.stderr.contains("rolled back:") && ran.stderr.contains("3 of 3 calls trapped"), "{ran:?}");
    let shown = ran.stdout.matches("mfc/desk: canary").count();
    assert_eq!(shown, 1, "what has not changed is not repeated: {ran:?}");
}
