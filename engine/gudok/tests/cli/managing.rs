//! Users, tokens, numbers, agencies, entries, keys, overlays, retention, subjects: documents that are changed whole, at the
//! revision that was seen.

use crate::engine::{Engine, Reply, Setting, run};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

/// Answers GET with a document at revision 4, and anything else with what was sent.
fn holding(document: Value) -> Engine {
    Engine::start(move |asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &document).with("ETag", "\"4\""),
        "DELETE" => Reply::nothing(204),
        _ => Reply::json(200, &asked.json()).with("ETag", "\"5\""),
    })
}

/// Has nothing yet.
fn empty() -> Engine {
    Engine::start(|asked| match asked.method.as_str() {
        "GET" => Reply::problem(404, "not-found", "there is no such thing", None, ""),
        _ => Reply::json(201, &asked.json()),
    })
}

#[test]
fn a_user_is_changed_at_the_revision_that_was_seen() {
    let engine =
        holding(json!({ "name": "anna", "full_name": "Анна", "roles": [{ "role": "auditor", "agency": null }] }));
    let ran =
        engine.gudok(&["user", "set", "anna", "--role", "author:mfc", "--role", "operator:mfc", "--disable"]).fine();
    assert!(ran.words().contains("roles author:mfc, operator:mfc"), "{ran:?}");
    let put = engine.one("PUT", "/api/v1/users/anna");
    assert_eq!(put.header("if-match"), Some("\"4\""));
    let roles = json!([{ "role": "author", "agency": "mfc" }, { "role": "operator", "agency": "mfc" }]);
    assert_eq!(put.json(), json!({ "name": "anna", "full_name": "Анна", "roles": roles, "disabled": true }));
}

#[test]
fn a_password_is_a_line_and_is_never_shown() {
    let engine = empty();
    let home = tempfile::tempdir().unwrap();
    let url = engine.url();
    let setting =
        Setting { url: Some(&url), token: Some("gdk_test"), stdin: "correct horse\n", ..Setting::at(home.path()) };
    let ran = run(&setting, &["user", "add", "anna", "--role", "admin", "--full-name", "Анна"]).fine();
    assert!(!format!("{ran:?}").contains("horse"), "{ran:?}");
    let body = engine.one("POST", "/api/v1/users").json();
    assert_eq!(body["password"], "correct horse");
    assert_eq!(body["roles"], json!([{ "role": "admin", "agency": null }]));
    let nobody = Setting { stdin: "", ..setting };
    assert_eq!(run(&nobody, &["user", "add", "bob", "--role", "admin"]).code, 2);
}

#[test]
fn a_new_token_is_printed_once_or_kept_in_a_file() {
    let engine = Engine::start(|_| Reply::json(201, &json!({ "id": "t1", "token": "gdk_new", "label": "ci" })));
    let ran = engine.gudok(&["token", "create", "--label", "ci", "--expires", "30d", "--role", "author:mfc"]).fine();
    assert_eq!(ran.stdout, "gdk_new\n");
    let asked = &engine.asked()[0];
    assert!(asked.json()["expires"].as_str().unwrap().ends_with('Z'), "{asked:?}");
    assert!(asked.header("idempotency-key").is_some(), "a second try makes no second token");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let ran = engine.gudok(&["token", "create", "--label", "ci", "--out", file.to_str().unwrap()]).fine();
    assert!(!format!("{ran:?}").contains("gdk_new"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "gdk_new");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_number_that_is_new_is_made_and_an_old_one_is_changed() {
    let engine = empty();
    engine.gudok(&["number", "set", "*", "mfc/desk", "--lang", "ru-RU"]).fine();
    let made = engine.one("POST", "/api/v1/numbers").json();
    assert_eq!(made, json!({ "number": "*", "agency": "mfc", "entry": "desk", "lang": "ru-RU" }));
    let engine = holding(json!({ "number": "+73842000000", "agency": "mfc", "entry": "desk", "lang": "ru-RU" }));
    engine.gudok(&["number", "set", "+73842000000", "migration/passport"]).fine();
    let put = engine.one("PUT", "/api/v1/numbers/+73842000000");
    assert_eq!((put.header("if-match"), &put.json()["lang"]), (Some("\"4\""), &json!("ru-RU")));
    engine.gudok(&["number", "delete", "+73842000000"]).fine();
    assert_eq!(engine.one("DELETE", "/api/v1/numbers/+73842000000").header("if-match"), Some("\"4\""));
}

#[test]
fn a_name_is_one_segment_of_the_path() {
    let engine = empty();
    engine.gudok(&["agency", "show", "../users"]);
    engine.gudok(&["user", "show", "a/b?c#d"]);
    let paths: Vec<String> = engine.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/api/v1/agencies/..%2Fusers", "/api/v1/users/a%2Fb%3Fc%23d"]);
}

#[test]
fn an_entry_gets_settings_and_places_of_secrets() {
    let engine = empty();
    let set = ["entry", "set", "mfc/desk", "--config", "office=2", "--secret", "back-end=file:/etc/gudok/back-end"];
    let ran = engine.gudok(&set).fine();
    let put = engine.one("PUT", "/api/v1/agencies/mfc/entries/desk");
    assert_eq!(
        put.json(),
        json!({ "config": { "office": "2" }, "secrets": { "back-end": "file:/etc/gudok/back-end" } })
    );
    assert!(ran.words().contains("secret back-end file:/etc/gudok/back-end"), "{ran:?}");
}

#[test]
fn keys_are_added_listed_and_revoked() {
    let engine = Engine::start(|asked| match asked.method.as_str() {
        "GET" => Reply::json(
            200,
            &json!({ "items": [{ "id": "A1B2C3D4E5F60718", "comment": "anna", "expires": "2027-01-01T00:00:00Z" },
                { "id": "0000000000000001", "comment": "old", "revoked": "2026-01-01T00:00:00Z" }], "next": null }),
        ),
        "DELETE" => Reply::nothing(204),
        _ => Reply::json(201, &json!({ "id": "A1B2C3D4E5F60718" })),
    });
    let ran = engine
        .gudok(&[
            "key",
            "add",
            "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
            "--agency",
            "mfc",
            "--expires",
            "365d",
        ])
        .fine();
    assert_eq!(ran.stdout, "A1B2C3D4E5F60718 signs for mfc\n");
    let ran = engine.gudok(&["key", "list", "--agency", "mfc"]).fine();
    assert!(ran.words().contains("0000000000000001 2026-01-01 00:00:00 old"), "{ran:?}");
    engine.gudok(&["key", "revoke", "A1B2C3D4E5F60718", "--agency", "mfc"]).fine();
    engine.one("DELETE", "/api/v1/agencies/mfc/keys/A1B2C3D4E5F60718");
}

#[test]
fn an_overlay_is_put_and_taken_away() {
    let engine = empty();
    let set = [
        "overlay",
        "set",
        "flood",
        "--text",
        "Вода поднимается",
        "--lang",
        "ru-RU",
        "--agency",
        "mfc",
        "--expires",
        "2h",
    ];
    engine.gudok(&set).fine();
    let put = engine.one("PUT", "/api/v1/overlays/flood").json();
    assert_eq!((&put["text"], &put["agencies"]), (&json!("Вода поднимается"), &json!(["mfc"])));
    assert!(put["expires"].is_string());
}

#[test]
fn retention_and_subjects() {
    let engine = Engine::start(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", _) => {
            Reply::json(200, &json!({ "cdr_days": 365, "recording_days": 90, "trace_days": 30 })).with("ETag", "\"1\"")
        }
        ("POST", "/api/v1/subjects/export") => Reply::json(200, &json!({ "cdrs": [{ "call": "a1" }] })),
        ("POST", _) => Reply::json(200, &json!({ "erased": { "cdrs": 3, "recordings": 1, "traces": 2 } })),
        _ => Reply::json(200, &asked.json()),
    });
    let ran = engine.gudok(&["retention", "set", "mfc", "--recording-days", "60"]).fine();
    assert!(ran.words().contains("recordings 60 days"), "{ran:?}");
    assert_eq!(engine.one("PUT", "/api/v1/agencies/mfc/retention").json()["cdr_days"], 365);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("subject.json");
    let export = ["subject", "export", "+79130000000", "--reason", "her request", "--out", file.to_str().unwrap()];
    let ran = engine.gudok(&export).fine();
    assert!(ran.stdout.is_empty(), "{ran:?}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("a1"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = engine.gudok(&["subject", "erase", "+79130000000", "--reason", "her request", "--yes"]).fine();
    assert!(ran.words().contains("recordings 1"), "{ran:?}");
}

#[test]
fn a_list_says_how_to_go_on() {
    let engine = Engine::start(|_| Reply::json(200, &json!({ "items": [{ "name": "anna" }], "next": "c2" })));
    let ran = engine.gudok(&["user", "list", "--limit", "1", "--cursor", "c1"]).fine();
    assert!(ran.stderr.contains("--cursor c2"), "{ran:?}");
    assert_eq!(engine.one("GET", "/api/v1/users").query, "limit=1&cursor=c1");
    let ran = engine.gudok(&["user", "list", "--json"]).fine();
    assert_eq!(ran.stdout, "{\"items\":[{\"name\":\"anna\"}],\"next\":\"c2\"}\n", "unchanged");
}
