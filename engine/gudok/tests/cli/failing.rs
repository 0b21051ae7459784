//! Exit codes, what is told, and what is tried again.

use crate::engine::{Engine, Reply, Setting, run};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_refusal_is_told_with_field_and_remedy_and_exit_code_1() {
    let engine = Engine::start(|asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &json!({ "number": "122", "agency": "mfc", "entry": "desk" })).with("ETag", "\"3\""),
        _ => Reply::problem(409, "managed-by-file", "122 is in gudok.toml", Some("number"), "edit gudok.toml, reload"),
    });
    let ran = engine.gudok(&["number", "set", "122", "mfc/other"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.stderr,
        "gudok: 122 is in gudok.toml (409 managed-by-file)\n  field:  number\n  remedy: edit gudok.toml, reload\n"
    );
    assert!(ran.stdout.is_empty(), "{ran:?}");
    let ran = engine.gudok(&["number", "delete", "122", "--json"]);
    assert_eq!((ran.code, ran.json()["code"].as_str()), (1, Some("managed-by-file")));
    assert!(ran.stderr.contains("remedy: edit gudok.toml"), "{ran:?}");
}

#[test]
fn nobody_there_and_nobody_logged_in_are_exit_code_3() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&Setting::at(home.path()), &["versions"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("gudok login"), "{ran:?}");

    // Port 1 of this machine: nobody listens there.
    let nobody = Setting { url: Some("http://127.0.0.1:1"), token: Some("gdk_x"), ..Setting::at(home.path()) };
    let ran = run(&nobody, &["versions"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("does not answer") && !ran.stderr.contains("gdk_x"), "{ran:?}");

    let engine = Engine::start(|_| Reply::problem(401, "unauthenticated", "the token is not known", None, ""));
    let ran = engine.gudok(&["whoami"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("gudok login"), "{ran:?}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_asks_nobody() {
    let engine = Engine::start(|_| Reply::nothing(500));
    for wrong in [
        &["deploy", "x.ivr"][..],
        &["deploy", "x.ivr", "mfc/desk", "--share", "0"],
        &["deploy", "x.ivr", "mfc/desk", "--guard", "speed=1"],
        &["deploy", "x.ivr", "mfc"],
        &["deploy", "x.ivr", "--agency", "mfc"],
        &["rollback"],
        &["canary", "mfc/desk", "--share", "100"],
        &["user", "add", "anna"],
        &["entry", "set", "mfc/desk", "--secret", "back-end=hunter2"],
        &["retention", "set", "mfc"],
        &["subject", "erase", "+79130000000", "--reason", "asked"],
        &["versions", "--limit", "1001"],
        &["audit", "verify", "--head", "x"],
        &["whoami", "--url", "http://centre.example"],
    ] {
        let ran = engine.gudok(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
        assert!(!ran.stderr.is_empty(), "{wrong:?}");
    }
    assert!(engine.asked().is_empty(), "{:?}", engine.asked());
}

#[test]
fn a_broken_connection_is_tried_once_more_with_the_same_key() {
    let tries = AtomicUsize::new(0);
    let engine = Engine::start(move |asked| match (asked.method.as_str(), tries.fetch_add(1, Ordering::SeqCst)) {
        ("POST", 0) => Reply::dropped(),
        _ => Reply::json(201, &json!({ "name": "mfc", "fallback": "operators", "source": "api" })),
    });
    engine.gudok(&["agency", "add", "mfc", "--fallback", "operators"]).fine();
    let asked = engine.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let keys: Vec<&str> = asked.iter().map(|asked| asked.header("idempotency-key").unwrap()).collect();
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].len() <= 128);
    assert_eq!(asked[0].body, asked[1].body);
    let agent = asked[0].header("user-agent").unwrap();
    assert_eq!(agent, concat!("gudok-cli/", env!("CARGO_PKG_VERSION")));
    assert_eq!(asked[0].header("authorization"), Some("Bearer gdk_test"));

    let always = Engine::start(|_| Reply::dropped());
    let ran = always.gudok(&["agency", "add", "mfc"]);
    assert_eq!((ran.code, always.asked().len()), (3, 2), "{ran:?}");
}

#[test]
fn an_answer_that_is_no_json_is_a_fault_and_no_panic() {
    let engine = Engine::start(|_| Reply::bytes(200, "text/html", b"<html>a proxy's page</html>"));
    for command in [&["versions"][..], &["whoami"], &["deployments", "mfc/desk"], &["audit", "verify"]] {
        let ran = engine.gudok(command);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("no JSON"), "{ran:?}");
    }
}

#[test]
fn json_of_other_shapes_is_no_panic() {
    for body in [json!(null), json!([]), json!({ "items": [1, "x", null, {}] }), json!({ "items": 7 }), json!("x")] {
        let answer = body.clone();
        let engine = Engine::start(move |_| Reply::json(200, &answer));
        for command in [
            &["versions"][..],
            &["whoami"],
            &["deployments"],
            &["deployments", "mfc/desk"],
            &["deployments", "mfc/desk", "--history"],
            &["canary", "mfc/desk"],
            &["calls"],
            &["trace", "3f"],
            &["logs"],
            &["audit"],
            &["audit", "verify"],
            &["user", "list"],
            &["key", "list", "--agency", "mfc"],
            &["overlay", "show", "x"],
            &["retention", "show", "mfc"],
            &["entry", "show", "mfc/desk"],
            &["versions", "show", "1.2.0"],
            &["deploy", "1.2.0", "mfc/desk"],
            &["rollback", "mfc/desk"],
            &["canary", "mfc/desk", "--share", "5"],
            &["user", "set", "anna", "--lang", "ru"],
            &["number", "set", "122", "mfc/desk"],
            &["agency", "set", "mfc", "--title", "x"],
            &["entry", "set", "mfc/desk", "--config", "a=b"],
            &["retention", "set", "mfc", "--cdr-days", "1"],
            &["overlay", "set", "x", "--text", "y"],
            &["token", "create", "--label", "x", "--out", "t"],
            &["configuration", "show"],
            &["configuration", "reload"],
        ] {
            let ran = engine.gudok(command);
            assert!(matches!(ran.code, 0 | 1), "{command:?} of {body}: {ran:?}");
            assert!(!ran.stderr.contains("panicked"), "{command:?} of {body}: {ran:?}");
        }
    }
}
