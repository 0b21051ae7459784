//! Coming in: the first token, passwords, tokens, rates.

use crate::world::{PASSWORD, World, ask};
use gudok_admin::RateLimits;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

fn login(user: &str, password: &str) -> crate::world::Ask {
    ask("POST", "/api/v1/login").json(&json!({ "user": user, "password": password }))
}

#[tokio::test]
async fn the_first_token_makes_the_first_admin_and_dies() {
    let world = World::bare(|_| {});
    let path = world.admin.first_token().await.unwrap().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    assert!(first.starts_with("gdk_"));
    // A second start finds it valid and leaves it.
    assert_eq!(world.admin.first_token().await.unwrap().unwrap(), path);
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), first);
    let me = world.send(ask("GET", "/api/v1/me").token(&first)).await.expect(200).json();
    assert_eq!(me["user"], "first-token");
    let own = ask("POST", "/api/v1/tokens").token(&first).json(&json!({ "label": "more" }));
    world.send(own).await.refused(422, "invalid-field");
    // Somebody who is no admin does not end it.
    let clerk = json!({ "name": "clerk", "roles": [{ "role": "auditor" }] });
    world.send(ask("POST", "/api/v1/users").token(&first).json(&clerk)).await.expect(201);
    world.send(ask("GET", "/api/v1/me").token(&first)).await.expect(200);
    let root = json!({ "name": "root", "password": PASSWORD, "roles": [{ "role": "admin" }] });
    world.send(ask("POST", "/api/v1/users").token(&first).json(&root)).await.expect(201);
    world.send(ask("GET", "/api/v1/me").token(&first)).await.refused(401, "unauthenticated");
    assert!(!path.exists());
    assert_eq!(world.admin.first_token().await.unwrap(), None);
}

#[tokio::test]
async fn an_old_first_token_is_replaced() {
    let world = World::bare(|_| {});
    let path = world.admin.first_token().await.unwrap().unwrap();
    let first = std::fs::read_to_string(&path).unwrap();
    world.engine.pass(25 * 3_600_000);
    world.send(ask("GET", "/api/v1/me").token(first.trim())).await.refused(401, "unauthenticated");
    world.admin.first_token().await.unwrap();
    let second = std::fs::read_to_string(&path).unwrap();
    assert_ne!(first, second);
    world.send(ask("GET", "/api/v1/me").token(second.trim())).await.expect(200);
}

#[tokio::test]
async fn the_file_of_a_killed_start_is_taken_away() {
    let world = World::new().await;
    let path = world.dir().join("first-token");
    std::fs::write(&path, "gdk_old\n").unwrap();
    assert_eq!(world.admin.first_token().await.unwrap(), None);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_failed_log_in_says_nothing_of_why() {
    let world = World::new().await;
    world.user("off", json!([])).await;
    let off = json!({ "roles": [], "disabled": true });
    world.change("/api/v1/users/off", &off).await.expect(200);
    world.root(ask("POST", "/api/v1/users").json(&json!({ "name": "silent" }))).await.expect(201);
    let mut said = Vec::new();
    for (user, password) in [("root", "wrong"), ("ghost", PASSWORD), ("off", PASSWORD), ("silent", ""), ("A Б", "x")] {
        let problem = world.send(login(user, password)).await.refused(401, "login-failed").json();
        said.push(problem["detail"].clone());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    let entries = world.audit_after(0).await;
    let failed: Vec<_> = entries.iter().filter(|(action, ..)| action == "login.failed").collect();
    assert_eq!(failed.len(), 5);
    assert!(failed.iter().all(|(_, object, _)| !object.contains("ghost")), "{failed:?}");
}

#[tokio::test]
async fn log_ins_are_slowed_down_by_user_and_address() {
    let world = World::with(|config| {
        config.rates = RateLimits { requests_burst: 1_000_000, ..RateLimits::default() };
    })
    .await;
    // One log-in was made with the world.
    for _ in 0..4 {
        world.send(login("root", "wrong")).await.refused(401, "login-failed");
    }
    let refused = world.send(login("root", PASSWORD)).await.refused(429, "rate-limited");
    assert_eq!(refused.header("retry-after"), "12");
    world.send(login("other", "wrong")).await.refused(401, "login-failed");
    world.engine.pass(12_001);
    world.send(login("root", PASSWORD)).await.expect(201);
    world.send(login("root", PASSWORD)).await.refused(429, "rate-limited");
}

#[tokio::test]
async fn requests_are_slowed_down_by_token() {
    let world = World::with(|config| {
        config.rates = RateLimits { logins_per_min: 100, strangers_per_s: 3, ..RateLimits::default() };
    })
    .await;
    let token = world.log_in("root").await;
    for _ in 0..200 {
        world.send(ask("GET", "/api/v1/me").token(&token)).await.expect(200);
    }
    let refused = world.send(ask("GET", "/api/v1/me").token(&token)).await.refused(429, "rate-limited");
    assert_eq!(refused.header("retry-after"), "1");
    world.send(ask("GET", "/api/v1/me").token(&world.root)).await.expect(200);
    world.engine.pass(1_000);
    world.send(ask("GET", "/api/v1/me").token(&token)).await.expect(200);
    for _ in 0..3 {
        world.send(ask("GET", "/api/v1/me")).await.refused(401, "unauthenticated");
    }
    world.send(ask("GET", "/api/v1/me")).await.refused(429, "rate-limited");
}

#[tokio::test]
async fn a_token_is_never_more_than_its_user_and_its_maker() {
    let world = World::new().await;
    let roles = json!([{ "role": "author", "agency": "mfc" }, { "role": "supervisor" }]);
    let token = world.user("anna", roles).await;
    let make = |token: &str, roles: serde_json::Value| {
        ask("POST", "/api/v1/tokens").token(token).json(&json!({ "label": "narrow", "roles": roles }))
    };
    world.send(make(&token, json!([{ "role": "admin" }]))).await.refused(422, "invalid-field");
    world.send(make(&token, json!([{ "role": "author", "agency": "zags" }]))).await.refused(422, "invalid-field");
    world.send(make(&token, json!([{ "role": "author" }]))).await.refused(422, "invalid-field");
    let narrow = world.send(make(&token, json!([{ "role": "supervisor", "agency": "mfc" }]))).await.expect(201).json();
    let narrow = narrow["token"].as_str().unwrap();
    let me = world.send(ask("GET", "/api/v1/me").token(narrow)).await.expect(200).json();
    assert_eq!(me["roles"], json!([{ "role": "supervisor", "agency": "mfc" }]));
    world.send(make(narrow, json!([{ "role": "supervisor" }]))).await.refused(422, "invalid-field");
    // What a narrow token makes is as narrow, where nothing is said.
    let child = ask("POST", "/api/v1/tokens").token(narrow).json(&json!({ "label": "child" }));
    let child = world.send(child).await.expect(201).json();
    assert_eq!(child["roles"], json!([{ "role": "supervisor", "agency": "mfc" }]));
    // What the user loses, the token loses.
    let less = json!({ "roles": [{ "role": "author", "agency": "mfc" }] });
    world.change("/api/v1/users/anna", &less).await.expect(200);
    let me = world.send(ask("GET", "/api/v1/me").token(narrow)).await.expect(200).json();
    assert_eq!(me["roles"], json!([]));
    let others = ask("POST", "/api/v1/tokens").token(&token).json(&json!({ "label": "x", "user": "root" }));
    world.send(others).await.refused(403, "forbidden");
}

#[tokio::test]
async fn who_logs_in_often_keeps_the_newest_log_ins() {
    let world = World::new().await;
    world.user("anna", json!([{ "role": "auditor" }])).await;
    let made = ask("POST", "/api/v1/tokens").json(&json!({ "label": "ci", "user": "anna" }));
    let made = world.root(made).await.expect(201).json()["token"].as_str().unwrap().to_owned();
    let mut tokens = Vec::new();
    for _ in 0..51 {
        world.engine.pass(1);
        tokens.push(world.log_in("anna").await);
    }
    let me = |token: &str| world.send(ask("GET", "/api/v1/me").token(token));
    me(&tokens[0]).await.refused(401, "unauthenticated");
    me(&tokens[1]).await.expect(200);
    me(&tokens[50]).await.expect(200);
    me(&made).await.expect(200);
}

#[tokio::test]
async fn somebody_can_always_administer() {
    let world = World::new().await;
    for body in [json!({ "roles": [] }), json!({ "roles": [{ "role": "admin" }], "disabled": true })] {
        world.change("/api/v1/users/root", &body).await.refused(409, "last-admin");
    }
    world.root(ask("DELETE", "/api/v1/users/root")).await.refused(409, "last-admin");
    world.user("second", json!([{ "role": "admin" }])).await;
    world.root(ask("DELETE", "/api/v1/users/root")).await.expect(204);
}

#[tokio::test]
async fn a_user_makes_sense() {
    let world = World::new().await;
    let mut refused = Vec::new();
    let bodies = [
        (json!({ "name": "Anna" }), "name"),
        (json!({ "name": "../etc" }), "name"),
        (json!({ "name": "engine" }), "name"),
        (json!({ "name": "anna", "password": "short" }), "password"),
        (json!({ "name": "annaannaanna", "password": "annaannaanna" }), "password"),
        (json!({ "name": "anna", "lang": "de" }), "lang"),
        (json!({ "name": "anna", "roles": [{ "role": "author" }] }), "roles[0].agency"),
        (json!({ "name": "anna", "roles": [{ "role": "admin", "agency": "mfc" }] }), "roles[0].agency"),
        (json!({ "name": "anna", "roles": [{ "role": "king" }] }), "roles[0].role"),
        (json!({ "name": "anna", "surname": "x" }), "surname"),
        (json!({ "roles": [] }), "name"),
        (json!({ "name": "anna", "full_name": "x".repeat(501) }), "full_name"),
        (json!({ "name": "anna", "full_name": "a\u{7}b" }), "full_name"),
    ];
    for (body, field) in bodies {
        let problem = world.root(ask("POST", "/api/v1/users").json(&body)).await.refused(422, "invalid-field").json();
        assert_eq!(problem["field"], field, "{problem}");
        refused.push(problem);
    }
    let unknown = json!({ "name": "anna", "roles": [{ "role": "operator", "agency": "nowhere" }] });
    world.root(ask("POST", "/api/v1/users").json(&unknown)).await.refused(422, "unknown-reference");
    world.root(ask("POST", "/api/v1/users").json(&json!({ "name": "root" }))).await.refused(409, "exists");
}
