//! Logging in, staying logged in, logging out.

use crate::engine::{Asked, Engine, Reply, Setting, run};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

fn answers(asked: &Asked) -> Reply {
    let token = asked.header("authorization").unwrap_or_default();
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/api/v1/login") if asked.json()["password"] == "correct horse" => Reply::json(
            201,
            &json!({
                "token": "gdk_secret", "expires": "2027-01-01T00:00:00Z", "user": "anna",
                "roles": [{ "role": "admin", "agency": null }],
            }),
        ),
        ("POST", "/api/v1/login") => {
            Reply::problem(401, "wrong-password", "the name or the password is wrong", None, "")
        }
        ("GET", "/api/v1/me") if token == "Bearer gdk_secret" || token == "Bearer gdk_first" => Reply::json(
            200,
            &json!({ "user": "anna", "roles": [{ "role": "admin" }, { "role": "author", "agency": "mfc" }] }),
        ),
        ("POST", "/api/v1/logout") if token == "Bearer gdk_secret" => Reply::nothing(204),
        _ => Reply::problem(401, "unauthenticated", "who are you?", None, ""),
    }
}

#[test]
fn a_login_is_kept_for_its_owner_only_and_ends_with_the_logout() {
    let engine = Engine::start(answers);
    let home = tempfile::tempdir().unwrap();
    let url = engine.url();
    let setting = Setting { stdin: "anna\ncorrect horse\n", ..Setting::at(home.path()) };
    let ran = run(&setting, &["login", "--url", &url, "--label", "test"]).fine();
    assert!(ran.stdout.contains("as anna until 2027-01-01 00:00:00"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("gdk_secret") && !format!("{ran:?}").contains("horse"), "{ran:?}");
    let asked = engine.one("POST", "/api/v1/login");
    assert_eq!(asked.json(), json!({ "user": "anna", "password": "correct horse", "label": "test" }));
    assert_eq!((asked.header("authorization"), asked.header("idempotency-key")), (None, None));

    let file = home.path().join("gudok/credentials.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);

    let here = Setting::at(home.path());
    let ran = run(&here, &["whoami"]).fine();
    assert!(ran.words().contains("roles admin, author:mfc"), "{ran:?}");
    run(&here, &["logout"]).fine();
    assert!(!std::fs::read_to_string(&file).unwrap().contains("gdk_secret"));
    assert_eq!(run(&here, &["whoami", "--url", &url]).code, 3);
}

#[test]
fn a_wrong_password_leaves_what_was_there() {
    let engine = Engine::start(answers);
    let home = tempfile::tempdir().unwrap();
    let setting = Setting { stdin: "wrong\n", ..Setting::at(home.path()) };
    let ran = run(&setting, &["login", "--url", &engine.url(), "--user", "anna"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("remedy: check the name and the password"), "{ran:?}");
    assert!(!home.path().join("gudok/credentials.json").exists());
}

#[test]
fn the_first_token_comes_from_a_file_and_is_tried_at_once() {
    let engine = Engine::start(answers);
    let home = tempfile::tempdir().unwrap();
    let (good, bad) = (home.path().join("first-token"), home.path().join("old-token"));
    std::fs::write(&good, "gdk_first\n").unwrap();
    std::fs::write(&bad, "gdk_old\n").unwrap();
    let here = Setting::at(home.path());
    let url = engine.url();
    let ran = run(&here, &["login", "--url", &url, "--token-file", bad.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let ran = run(&here, &["login", "--url", &url, "--token-file", good.to_str().unwrap(), "--json"]).fine();
    assert_eq!(ran.json()["user"], "anna");
    assert!(!ran.stdout.contains("gdk_first"), "{ran:?}");
    run(&here, &["whoami"]).fine();
}

#[test]
fn a_token_is_sent_to_no_other_engine() {
    let (mine, other) = (Engine::start(answers), Engine::start(answers));
    let home = tempfile::tempdir().unwrap();
    let setting = Setting { stdin: "correct horse\n", ..Setting::at(home.path()) };
    run(&setting, &["login", "--url", &mine.url(), "--user", "anna"]).fine();
    let ran = run(&Setting::at(home.path()), &["whoami", "--url", &other.url()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(other.asked().is_empty(), "{:?}", other.asked());
}
