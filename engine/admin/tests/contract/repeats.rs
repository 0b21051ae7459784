//! A write that is sent twice is done once.

use crate::world::{Ask, World, ask};
use serde_json::json;

fn with_key(ask: Ask) -> Ask {
    ask.header("idempotency-key", "6b1d6f0e-0001")
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_again() {
    let world = World::new().await;
    let body = json!({ "name": "mvd", "fallback": "operators" });
    let make = || with_key(ask("POST", "/api/v1/agencies").json(&body));
    let first = world.root(make()).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let before = world.audit_seq().await;
    let again = world.root(make()).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((again.body.clone(), again.header("etag")), (first.body.clone(), first.header("etag")));
    assert_eq!((again.header("location"), again.header("content-type")), ("/api/v1/agencies/mvd", "application/json"));
    assert_eq!(world.audit_seq().await, before);
    // Another request under the same key is none.
    let other = json!({ "name": "mvd2", "fallback": "operators" });
    let reused = world.root(with_key(ask("POST", "/api/v1/agencies").json(&other))).await;
    assert_eq!(reused.refused(422, "idempotency-key-reused").json()["field"], "Idempotency-Key");
    world.root(with_key(ask("DELETE", "/api/v1/agencies/mvd"))).await.refused(422, "idempotency-key-reused");
    // Another user's key is another key.
    let second = world.user("second", json!([{ "role": "admin" }])).await;
    world.send(make().token(&second)).await.refused(409, "exists");
    // It is forgotten after a day.
    world.engine.pass(crate::world::DAY_MS + 1);
    let token = world.log_in("root").await;
    world.send(make().token(&token)).await.refused(409, "exists");
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let world = World::new().await;
    let body = json!({ "number": "700", "agency": "mfc", "entry": "main" });
    let make = || with_key(ask("POST", "/api/v1/numbers").json(&body));
    world.root(make()).await.refused(422, "unknown-reference");
    crate::cases::live(&world, "mfc").await;
    world.root(make()).await.expect(201);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_not_kept() {
    let world = World::new().await;
    let make = || with_key(ask("POST", "/api/v1/tokens").json(&json!({ "label": "ci" })));
    let token = world.root(make()).await.expect(201).json()["token"].as_str().unwrap().to_owned();
    let again = world.root(make()).await.refused(409, "done-already");
    assert!(!again.text().contains(&token));
    let tokens = world.root(ask("GET", "/api/v1/tokens?limit=1000")).await.expect(200).json();
    let of_ci = tokens["items"].as_array().unwrap().iter().filter(|token| token["label"] == "ci").count();
    assert_eq!(of_ci, 1);
}

#[tokio::test]
async fn an_upload_is_recognised_by_its_bytes() {
    let world = World::new().await;
    let bundle = world.bundle("mfc", "desk", "1.0.0", &json!({}));
    let upload = |bytes: &[u8]| {
        let request = ask("POST", "/api/v1/bundles?agency=mfc");
        with_key(request.bytes("application/octet-stream", bytes.to_vec()))
    };
    let first = world.root(upload(&bundle)).await.expect(201);
    let again = world.root(upload(&bundle)).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &first.body));
    let other = world.bundle("mfc", "desk", "2.0.0", &json!({}));
    world.root(upload(&other)).await.refused(422, "idempotency-key-reused");
}

#[tokio::test]
async fn a_key_is_a_short_visible_text() {
    let world = World::new().await;
    for bad in ["", " ", "a b", &"x".repeat(129), "ключ"] {
        let body = json!({ "name": "mvd", "fallback": "operators" });
        let mut request = ask("POST", "/api/v1/agencies").json(&body).token(&world.root).request();
        request.headers_mut().insert("idempotency-key", axum::http::HeaderValue::from_bytes(bad.as_bytes()).unwrap());
        world.send_raw(request).await.refused(400, "bad-header");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_the_same_at_the_same_moment_are_done_once() {
    let world = World::new().await;
    let make = || {
        let bundle = json!({ "agency": "mfc", "script": "desk", "version": "1.0.0", "capabilities": {} });
        let request = ask("POST", "/api/v1/bundles?agency=mfc");
        world.root(with_key(request.bytes("application/octet-stream", bundle.to_string().into_bytes())))
    };
    let (a, b) = tokio::join!(make(), make());
    for reply in [&a, &b] {
        assert!(matches!(reply.status.as_u16(), 201 | 409), "{}", reply.text());
    }
    assert!(a.status.as_u16() == 201 || b.status.as_u16() == 201);
    let uploads = world.audit_after(0).await.into_iter().filter(|(action, ..)| action == "bundle.upload").count();
    assert_eq!(uploads, 1);
}
