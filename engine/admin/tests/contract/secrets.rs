//! Secrets that were put in are searched for in everything that comes out.

use crate::cases::{live, make};
use crate::world::{CALLER, PASSWORD, World, ask};
use gudok_admin::access::{Operation, ROUTES, Route};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_repeats_a_secret() {
    let world = World::new().await;
    for agency in ["mfc", "zags"] {
        live(&world, agency).await;
    }
    let roles = json!([{ "role": "admin" }, { "role": "operator", "agency": "mfc" }]);
    let mut token = world.user("admin", roles).await;
    let (cookie, csrf) = world.session("root").await;
    let cookie_value = cookie.split_once('=').unwrap().1.to_owned();
    let digits = CALLER.trim_start_matches('+').to_owned();
    let mut seen = Vec::new();
    // An import's report shows clerks the cells of their own table that are wrong: that is what it is for.
    let silent = |route: &&Route| !matches!(route.operation, Operation::Events | Operation::DirectoryImport);
    for route in ROUTES.iter().filter(silent) {
        let case = make(&world, route.operation, "mfc", "admin").await;
        let good = world.send(case.ask.clone().token(&token)).await;
        seen.push((format!("{route:?}"), good));
        // The same in every wrong way: what is refused must not be repeated.
        let bodies = [
            json!({ "password": PASSWORD, "token": token, "number": CALLER, "user": PASSWORD, "name": PASSWORD }),
            json!({ "password": { "is": PASSWORD }, "number": [CALLER], "secrets": { "back-end": PASSWORD } }),
            json!([PASSWORD, token, CALLER]),
        ];
        for body in bodies {
            let wrong = ask(route.method.http().as_str(), case.ask.path.clone()).json(&body);
            seen.push((format!("{route:?}"), world.send(wrong.clone().token(&token)).await));
            let by_cookie = wrong.header("cookie", &cookie).header("x-csrf-token", PASSWORD);
            seen.push((format!("{route:?}"), world.send(by_cookie).await));
        }
        let broken = ask(route.method.http().as_str(), case.ask.path.clone());
        let broken = broken.bytes("application/json", format!("{{\"password\": \"{PASSWORD}\"").into_bytes());
        seen.push((format!("{route:?}"), world.send(broken.token(&token)).await));
        let mut query = case.ask.clone();
        query.path = format!("{}{}password={PASSWORD}", query.path, if query.path.contains('?') { "&" } else { "?" });
        seen.push((format!("{route:?}"), world.send(query.token(&token)).await));
        if matches!(route.operation, Operation::Logout) || !alive(&world, &token).await {
            token = world.log_in("admin").await;
        }
    }
    assert!(seen.len() > ROUTES.len() * 8);
    let hash = world.store.ledger_get("user", "root", gudok_store::UtcMs(0)).await.unwrap().unwrap();
    let hash: serde_json::Value = serde_json::from_slice(&hash.body).unwrap();
    let hash = hash["password"].as_str().unwrap();
    for (route, reply) in seen {
        let mut all = reply.text();
        for value in reply.headers.values() {
            all.push_str(value.to_str().unwrap_or_default());
        }
        for secret in [PASSWORD, hash, &digits, &cookie_value, &csrf, crate::engine::CONFIGURED_SECRET, "$argon2"] {
            assert!(!all.contains(secret), "{route} shows {secret}: {all}");
        }
    }
}

async fn alive(world: &World, token: &str) -> bool {
    world.send(ask("GET", "/api/v1/me").token(token)).await.status.is_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_ledger_nor_audit_holds_a_token_a_password_or_a_number() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let (cookie, _) = world.session("root").await;
    let made = ask("POST", "/api/v1/tokens").json(&json!({ "label": "ci" })).header("idempotency-key", "k");
    let made = world.root(made).await.expect(201).json()["token"].as_str().unwrap().to_owned();
    let request = json!({ "number": CALLER, "reason": "asked" });
    world.root(ask("POST", "/api/v1/subjects/export").header("idempotency-key", "e").json(&request)).await.expect(200);
    let root = world.root.clone();
    let folder = world.dir();
    let mut backup = Vec::new();
    let store = std::sync::Arc::clone(&world.store);
    let text = tokio::task::spawn_blocking(move || {
        store.export(&mut backup).unwrap();
        String::from_utf8_lossy(&backup).into_owned()
    })
    .await
    .unwrap();
    assert!(text.contains("token.create"), "the backup holds the ledger");
    let number = CALLER.trim_start_matches('+');
    for secret in [PASSWORD, &made, &root, cookie.split_once('=').unwrap().1, number] {
        assert!(!text.contains(secret), "{secret} is kept");
    }
    assert!(!folder.join("first-token").exists());
}
