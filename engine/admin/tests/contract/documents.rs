//! Documents and their revisions: two admins, the file's word, what stands on what.

use crate::cases::live;
use crate::world::{World, ask};
use serde_json::json;

#[tokio::test]
async fn of_two_admins_the_second_is_told() {
    let world = World::new().await;
    let path = "/api/v1/agencies/mfc";
    let etag = world.root(ask("GET", path)).await.expect(200).header("etag").to_owned();
    let change = |title: &str| ask("PUT", path).json(&json!({ "fallback": "operators", "title": title }));
    world.root(change("no revision")).await.refused(428, "precondition-required");
    world.root(change("first").header("if-match", &etag)).await.expect(200);
    let stale = world.root(change("second").header("if-match", &etag)).await.refused(412, "stale-revision");
    assert_eq!(stale.json()["field"], "If-Match");
    let present = world.root(ask("GET", path)).await.expect(200);
    assert_eq!(present.json()["title"], "first");
    world.root(change("second").header("if-match", present.header("etag"))).await.expect(200);
    for bad in ["*", "7", "\"x\"", "W/\"1\"", "\"1\", \"2\"", "\"\"", "\"-1\"", "\"99999999999999999999\""] {
        world.root(change("x").header("if-match", bad)).await.refused(400, "bad-header");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_the_same_moment_one_wins() {
    let world = World::new().await;
    let path = "/api/v1/agencies/mfc/retention";
    let put = |days: u32| {
        let body = json!({ "cdr_days": days, "recording_days": 1, "trace_days": 1 });
        world.root(ask("PUT", path).if_match(0).json(&body))
    };
    let (a, b) = tokio::join!(put(10), put(20));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn what_the_file_says_is_shown_and_not_changed() {
    let world = World::new().await;
    let agency = world.root(ask("GET", "/api/v1/agencies/filed")).await.expect(200).json();
    assert_eq!(agency["source"], "file");
    let body = json!({ "fallback": "operators" });
    let put = ask("PUT", "/api/v1/agencies/filed").if_match(0).json(&body);
    let refused = world.root(put).await.refused(409, "managed-by-file");
    assert!(refused.json()["remedy"].as_str().unwrap().contains("gudok.toml"));
    world.root(ask("DELETE", "/api/v1/agencies/filed")).await.refused(409, "managed-by-file");
    let number = json!({ "agency": "filed", "entry": "main" });
    world.root(ask("PUT", "/api/v1/numbers/100").if_match(0).json(&number)).await.refused(409, "managed-by-file");
    world.root(ask("DELETE", "/api/v1/numbers/100")).await.refused(409, "managed-by-file");
    let entry = ask("PUT", "/api/v1/agencies/filed/entries/main").if_match(0).json(&json!({}));
    world.root(entry).await.refused(409, "managed-by-file");
    let taken = json!({ "number": "100", "agency": "filed", "entry": "main" });
    world.root(ask("POST", "/api/v1/numbers").json(&taken)).await.refused(409, "exists");
    let taken = json!({ "name": "filed", "fallback": "operators" });
    world.root(ask("POST", "/api/v1/agencies").json(&taken)).await.refused(409, "exists");
}

#[tokio::test]
async fn a_reference_leads_somewhere() {
    let world = World::new().await;
    let unknown = |path: &str, body: serde_json::Value| world.root(ask("POST", path).json(&body));
    let agencies = "/api/v1/agencies";
    let problem =
        unknown(agencies, json!({ "name": "x", "fallback": "ghosts" })).await.refused(422, "unknown-reference");
    assert!(problem.json()["remedy"].as_str().unwrap().contains("operators"));
    let outbound = json!({ "name": "x", "fallback": "operators", "outbound": "ghost" });
    unknown(agencies, outbound).await.refused(422, "unknown-reference");
    let reachable = json!({ "name": "x", "fallback": "operators", "reachable": { "passport": "mvd" } });
    unknown(agencies, reachable).await.refused(422, "invalid-field");
    let numbers = "/api/v1/numbers";
    unknown(numbers, json!({ "number": "5", "agency": "ghost", "entry": "main" }))
        .await
        .refused(422, "unknown-reference");
    unknown(numbers, json!({ "number": "5", "agency": "mfc", "entry": "ghost" }))
        .await
        .refused(422, "unknown-reference");
    unknown(numbers, json!({ "number": "five", "agency": "mfc", "entry": "main" })).await.refused(422, "invalid-field");
}

#[tokio::test]
async fn what_others_stand_on_stays() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let number = json!({ "number": "700", "agency": "mfc", "entry": "main", "lang": "en-US" });
    world.root(ask("POST", "/api/v1/numbers").json(&number)).await.expect(201);
    world.root(ask("DELETE", "/api/v1/agencies/mfc")).await.refused(409, "in-use");
    let body = json!({ "fallback": "operators", "reachable": { "births": "zags/main" } });
    world.change("/api/v1/agencies/mfc", &body).await.expect(200);
    world.engine.state.lock().calls.clear();
    world.root(ask("DELETE", "/api/v1/agencies/zags")).await.refused(409, "in-use");
    world.root(ask("DELETE", "/api/v1/numbers/700")).await.expect(204);
    world.root(ask("DELETE", "/api/v1/agencies/mfc")).await.expect(204);
    world.root(ask("DELETE", "/api/v1/agencies/zags")).await.expect(204);
}

#[tokio::test]
async fn what_the_engine_refuses_is_taken_back() {
    let world = World::new().await;
    let before = world.audit_seq().await;
    world.engine.state.lock().refuse_routes = true;
    let body = json!({ "fallback": "operators", "title": "refused" });
    world.change("/api/v1/agencies/mfc", &body).await.refused(409, "conflict");
    let present = world.root(ask("GET", "/api/v1/agencies/mfc")).await.expect(200);
    assert_eq!(present.json()["title"], "");
    let entries = world.audit_after(before).await;
    assert_eq!(entries.iter().filter(|(action, ..)| action == "agency.update").count(), 2, "{entries:?}");
    world.engine.state.lock().refuse_routes = true;
    let body = json!({ "name": "fresh", "fallback": "operators" });
    world.root(ask("POST", "/api/v1/agencies").json(&body)).await.refused(409, "conflict");
    world.root(ask("GET", "/api/v1/agencies/fresh")).await.refused(404, "not-found");
    world.root(ask("POST", "/api/v1/agencies").json(&body)).await.expect(201);
}

#[tokio::test]
async fn routes_are_made_anew_after_each_change_of_them() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let made = || world.engine.state.lock().routes_made;
    let before = made();
    let number = json!({ "number": "700", "agency": "mfc", "entry": "main" });
    world.root(ask("POST", "/api/v1/numbers").json(&number)).await.expect(201);
    world.root(ask("PUT", "/api/v1/overlays/flood").json(&json!({ "text": "Water rises." }))).await.expect(201);
    let entry = ask("PUT", "/api/v1/agencies/mfc/entries/main").json(&json!({ "config": { "a": "b" } }));
    world.root(entry).await.expect(200);
    assert_eq!(made(), before + 3);
}

#[tokio::test]
async fn overlays_are_set_on_a_full_disk_and_end_by_themselves() {
    let world = World::new().await;
    let officer = world.user("officer", json!([{ "role": "emergency-officer" }])).await;
    world.free_percent.store(5, std::sync::atomic::Ordering::SeqCst);
    let ends = gudok_admin::time::written(crate::world::BEGIN_MS + 60_000);
    let body = json!({ "text": "Water rises.", "agencies": ["mfc"], "lang": "ru-RU", "expires": ends });
    world.send(ask("PUT", "/api/v1/overlays/flood").token(&officer).json(&body)).await.expect(201);
    let change = ask("PUT", "/api/v1/overlays/flood").token(&officer).json(&json!({ "text": "It falls." }));
    world.send(change.clone()).await.refused(428, "precondition-required");
    let etag = world.etag("/api/v1/overlays/flood").await;
    world.send(change.header("if-match", etag)).await.expect(200);
    world.send(ask("DELETE", "/api/v1/overlays/flood").token(&officer)).await.expect(204);
    world.send(ask("PUT", "/api/v1/overlays/flood").token(&officer).json(&body)).await.expect(201);
    world.engine.pass(60_001);
    world.send(ask("GET", "/api/v1/overlays/flood").token(&officer)).await.refused(404, "not-found");
    let past = ask("PUT", "/api/v1/overlays/late").token(&officer).json(&body);
    world.send(past).await.refused(422, "invalid-field");
}

#[tokio::test]
async fn lists_come_in_pages_that_join() {
    let world = World::new().await;
    for n in 0..7 {
        world.root(ask("POST", "/api/v1/users").json(&json!({ "name": format!("user-{n}") }))).await.expect(201);
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/users?limit=3".to_owned();
    loop {
        let page = world.root(ask("GET", path)).await.expect(200).json();
        names.extend(page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/users?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names.len(), 8);
    assert!(names.is_sorted());
    for bad in ["limit=0", "limit=1001", "limit=x", "limit=-1", "limti=3", "limit=3&limit=4", "cursor", "%"] {
        world.root(ask("GET", format!("/api/v1/users?{bad}"))).await.expect(400);
    }
    world.root(ask("GET", "/api/v1/users?cursor=abc")).await.refused(400, "bad-cursor");
}

#[tokio::test]
async fn keys_are_revoked_and_never_forgotten() {
    let world = World::new().await;
    let line = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let keys = "/api/v1/agencies/mfc/keys";
    let add = ask("POST", keys).json(&json!({ "public_key": line, "comment": "build server" }));
    let key = world.root(add.clone()).await.expect(201).json();
    assert_eq!(key["id"], "e7620f1842b4e81f");
    world.root(add.clone()).await.refused(409, "exists");
    world.root(ask("DELETE", format!("{keys}/E7620F1842B4E81F"))).await.expect(204);
    world.root(ask("DELETE", format!("{keys}/e7620f1842b4e81f"))).await.expect(204);
    let listed = world.root(ask("GET", keys)).await.expect(200).json();
    assert!(listed["items"][0]["revoked"].is_string(), "{listed}");
    world.root(add).await.refused(409, "exists");
    world.root(ask("DELETE", format!("{keys}/0000000000000000"))).await.refused(404, "not-found");
    world.root(ask("POST", keys).json(&json!({ "public_key": "nonsense" }))).await.refused(422, "invalid-field");
    world.root(ask("GET", "/api/v1/agencies/ghost/keys")).await.refused(404, "not-found");
}
