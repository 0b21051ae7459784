//! Bundles, versions, approvals and deployments.

use crate::cases::{live, public_key};
use crate::world::{Ask, World, ask};
use serde_json::json;
use std::sync::atomic::Ordering;

fn upload(agency: &str, more: &str, bytes: Vec<u8>) -> Ask {
    ask("POST", format!("/api/v1/bundles?agency={agency}{more}")).bytes("application/octet-stream", bytes)
}

fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        found.push(path.display().to_string());
        if path.is_dir() {
            found.extend(files_below(&path));
        }
    }
    found
}

#[tokio::test]
async fn a_bundle_becomes_a_version_and_comes_back() {
    let world = World::new().await;
    let bundle = world.bundle("mfc", "desk", "1.0.0", &json!({}));
    let taken = world.root(upload("mfc", "", bundle.clone())).await.expect(201);
    let version = &taken.json()["version"];
    assert_eq!((version["state"].as_str(), version["uploaded_by"].as_str()), (Some("checked"), Some("root")));
    let path = format!("/api/v1/versions/{}", version["id"].as_str().unwrap());
    assert_eq!(taken.header("location"), path);
    let back = world.root(ask("GET", format!("{path}/bundle"))).await.expect(200);
    assert_eq!(back.body, bundle);
    assert_eq!(back.header("content-disposition"), "attachment; filename=\"desk-1.0.0.ivr\"");
    // The same bytes again are the same version.
    world.root(upload("mfc", "", bundle)).await.expect(200);
    let page = world.root(ask("GET", "/api/v1/versions?agency=mfc&script=desk")).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(files_below(&world.dir().join("uploads")), Vec::<String>::new());
    world.root(ask("DELETE", path.clone())).await.expect(204);
    world.root(ask("GET", path)).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_bad_bundle_is_refused_with_its_report_and_leaves_nothing() {
    let world = World::with(|config| config.unsigned_allowed = false).await;
    let key = json!({ "public_key": public_key(1) });
    world.root(ask("POST", "/api/v1/agencies/mfc/keys").json(&key)).await.expect(201);
    let signed = |by: &str| {
        let body =
            json!({ "agency": "mfc", "script": "desk", "version": "1.0.0", "capabilities": {}, "signed_by": by });
        body.to_string().into_bytes()
    };
    let other = json!({ "agency": "zags", "script": "desk", "version": "1.0.0" }).to_string().into_bytes();
    for (bytes, step) in [
        (b"PK not at all".to_vec(), "archive"),
        (other, "manifest"),
        (world.bundle("mfc", "desk", "1.0.0", &json!({})), "signature"),
        (signed("00000000000000ff"), "signature"),
    ] {
        let before = world.audit_seq().await;
        let refused = world.root(upload("mfc", "", bytes)).await.refused(422, "bundle-refused").json();
        assert_eq!(refused["report"]["steps"][0]["step"], step, "{refused}");
        assert_eq!(world.audit_after(before).await[0].0, "bundle.refuse");
    }
    world.root(upload("mfc", "", signed("0000000000000001"))).await.expect(201);
    world.root(ask("DELETE", "/api/v1/agencies/mfc/keys/0000000000000001")).await.expect(204);
    let again = json!({
        "agency": "mfc", "script": "desk", "version": "2.0.0", "capabilities": {}, "signed_by": "0000000000000001",
    });
    let again = upload("mfc", "", again.to_string().into_bytes());
    world.root(again).await.refused(422, "bundle-refused");
    assert_eq!(files_below(&world.dir().join("uploads")), Vec::<String>::new());
    let page = world.root(ask("GET", "/api/v1/versions")).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_that_a_client_says_becomes_a_path() {
    let world = World::new().await;
    let outside = || std::fs::read_dir(world.folder.path()).unwrap().count();
    assert_eq!(outside(), 1);
    let names = ["..%2F..%2Fetc", "%2Fetc%2Fpasswd", "a%2Fb", "..", "a%00b", "%2e%2e%5c", "C%3A%5C", "~root"];
    for name in names {
        world.root(upload(name, "", b"x".to_vec())).await.refused(400, "bad-query");
        for path in [
            format!("/api/v1/agencies/{name}"),
            format!("/api/v1/users/{name}"),
            format!("/api/v1/versions/{name}/bundle"),
            format!("/api/v1/calls/{name}/recordings/message"),
            format!("/api/v1/calls/33333333333333333333333333333333/recordings/{name}"),
            format!("/api/v1/overlays/{name}"),
            format!("/api/docs/{name}"),
        ] {
            let reply = world.root(ask("GET", path.clone())).await;
            assert!(matches!(reply.status.as_u16(), 400 | 404), "{path}: {}", reply.text());
        }
    }
    let named = upload("mfc", "", world.bundle("mfc", "desk", "1.0.0", &json!({})))
        .header("content-disposition", "attachment; filename=\"../../../../tmp/evil.ivr\"");
    world.root(named).await.expect(201);
    let uploads = files_below(&world.dir().join("uploads"));
    assert_eq!(uploads, Vec::<String>::new());
    assert_eq!(outside(), 1, "something was written outside of the store");
    assert!(!files_below(world.folder.path()).iter().any(|path| path.contains("evil")));
}

#[tokio::test]
async fn the_same_version_twice_and_an_older_one_are_refused() {
    let world = World::new().await;
    let id = world.version("mfc", "desk", "1.1.0").await;
    world.deploy("mfc", "main", &id, 100).await;
    let again = world.bundle("mfc", "desk", "1.1.0", &json!({}));
    world.root(upload("mfc", "", again.clone())).await.refused(409, "version-exists");
    world.root(upload("mfc", "&allow_downgrade=true", again)).await.refused(409, "version-exists");
    let older = world.bundle("mfc", "desk", "1.0.9", &json!({}));
    world.root(upload("mfc", "", older.clone())).await.refused(409, "downgrade");
    world.root(upload("mfc", "&allow_downgrade=false", older.clone())).await.refused(409, "downgrade");
    world.root(upload("mfc", "&allow_downgrade=true", older)).await.expect(201);
    // Another script's and another agency's versions are their own.
    world.root(upload("mfc", "", world.bundle("mfc", "other", "1.0.0", &json!({})))).await.expect(201);
    world.root(upload("zags", "", world.bundle("zags", "desk", "1.0.0", &json!({})))).await.expect(201);
    world.root(upload("mfc", "", world.bundle("mfc", "desk", "1.2.0", &json!({})))).await.expect(201);
}

#[tokio::test]
async fn an_upload_has_its_limits() {
    let world = World::with(|config| config.bundle_bytes_max = 1_000).await;
    world.root(upload("mfc", "", vec![b'x'; 1_001])).await.refused(413, "too-large");
    world.root(upload("mfc", "", Vec::new())).await.refused(422, "invalid-field");
    let json = ask("POST", "/api/v1/bundles?agency=mfc").json(&json!({}));
    world.root(json).await.refused(415, "unsupported-type");
    world.root(upload("ghost", "", b"x".to_vec())).await.refused(404, "not-found");
    let nobody = ask("POST", "/api/v1/bundles").bytes("application/octet-stream", b"x".to_vec());
    assert_eq!(world.root(nobody).await.refused(400, "bad-query").json()["field"], "agency");
    // Announced is enough to be refused.
    let announced = upload("mfc", "", b"x".to_vec()).header("content-length", "1000000");
    world.root(announced).await.refused(413, "too-large");
}

#[tokio::test]
async fn a_low_disk_refuses_uploads_and_lets_calls_be_looked_after() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let token = world.root(ask("POST", "/api/v1/tokens").json(&json!({ "label": "x" }))).await.expect(201).json();
    world.free_percent.store(9, Ordering::SeqCst);
    let bundle = world.bundle("mfc", "desk", "2.0.0", &json!({}));
    world.root(upload("mfc", "", bundle.clone())).await.refused(507, "disk-low");
    assert_eq!(files_below(&world.dir().join("uploads")), Vec::<String>::new());
    let agency = json!({ "name": "late", "fallback": "operators" });
    world.root(ask("POST", "/api/v1/agencies").json(&agency)).await.refused(507, "disk-low");
    // Looking, going back, shutting out and coming in go on.
    world.root(ask("POST", "/api/v1/deployments/mfc/main/rollback")).await.expect(200);
    world.root(ask("GET", "/api/v1/cdrs")).await.expect(200);
    world.log_in("root").await;
    let id = token["id"].as_str().unwrap();
    world.root(ask("DELETE", format!("/api/v1/tokens/{id}"))).await.expect(204);
    world.free_percent.store(50, Ordering::SeqCst);
    world.root(upload("mfc", "", bundle)).await.expect(201);
}

#[tokio::test]
async fn new_rights_wait_for_an_admin() {
    let world = World::new().await;
    let fetch = json!({ "fetch": { "origins": ["https://api.example.org"] } });
    let first = world.version_with("mfc", "desk", "1.0.0", &fetch).await;
    let path = format!("/api/v1/versions/{first}");
    assert_eq!(world.root(ask("GET", path.clone())).await.json()["state"], "waiting");
    let deploy = |version: &str| ask("PUT", "/api/v1/deployments/mfc/main").json(&json!({ "version": version }));
    world.root(deploy(&first)).await.refused(409, "not-approved");
    let approve = ask("POST", format!("{path}/approve")).json(&json!({ "reason": "read" }));
    let approved = world.root(approve.clone()).await.expect(200).json();
    assert_eq!((approved["state"].as_str(), approved["approvals"][0]["by"].as_str()), (Some("approved"), Some("root")));
    world.root(approve).await.refused(409, "conflict");
    world.root(deploy(&first)).await.expect(200);
    // Measured against the approved one, the same rights are no new ones.
    let mut same = json!({ "agency": "mfc", "script": "desk", "version": "1.1.0", "capabilities": fetch });
    same["new_rights"] = false.into();
    let taken = world.root(upload("mfc", "", same.to_string().into_bytes())).await.expect(201).json();
    assert_eq!(taken["version"]["state"], "checked");
    assert_eq!(taken["report"]["difference"]["against"], first);
}

#[tokio::test]
async fn two_people_must_agree_where_it_is_asked_for() {
    let world = World::with(|config| config.two_person = true).await;
    let id = world.version_with("mfc", "desk", "1.0.0", &json!({ "fetch": {} })).await;
    let path = format!("/api/v1/versions/{id}");
    let approve = || ask("POST", format!("{path}/approve"));
    let half = world.root(approve()).await.expect(200).json();
    assert_eq!(half["state"], "waiting");
    world.root(approve().json(&json!(null))).await.refused(409, "already-approved");
    let second = world.user("second", json!([{ "role": "admin" }])).await;
    let whole = world.send(approve().token(&second)).await.expect(200).json();
    assert_eq!(whole["state"], "approved");
    // One agency may ask for it alone.
    let world = World::new().await;
    let body = json!({ "fallback": "operators", "two_person": true });
    world.change("/api/v1/agencies/mfc", &body).await.expect(200);
    for (agency, state) in [("mfc", "waiting"), ("zags", "approved")] {
        let id = world.version_with(agency, "desk", "1.0.0", &json!({ "fetch": {} })).await;
        let answer = world.root(ask("POST", format!("/api/v1/versions/{id}/approve"))).await.expect(200).json();
        assert_eq!(answer["state"], state);
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_not_of_what_serves() {
    let world = World::new().await;
    let bundle = world.bundle("mfc", "greedy", "1.0.0", &json!({ "fetch": {} }));
    let taken = world.root(upload("mfc", "", bundle.clone())).await.expect(201).json();
    let path = format!("/api/v1/versions/{}", taken["version"]["id"].as_str().unwrap());
    world
        .root(ask("POST", format!("{path}/refuse")).json(&json!({ "because": "x" })))
        .await
        .refused(422, "invalid-field");
    let refuse = ask("POST", format!("{path}/refuse")).json(&json!({ "reason": "asks for too much" }));
    let refused = world.root(refuse.clone()).await.expect(200).json();
    assert_eq!(refused["refused"]["reason"], "asks for too much");
    world.root(refuse).await.refused(409, "conflict");
    world.root(ask("POST", format!("{path}/approve"))).await.refused(409, "not-approved");
    world.root(upload("mfc", "", bundle)).await.refused(409, "not-approved");
    let live = live(&world, "mfc").await;
    let serving = format!("/api/v1/versions/{}", live["stable"]["version"].as_str().unwrap());
    world.root(ask("POST", format!("{serving}/refuse"))).await.refused(409, "in-use");
    world.root(ask("DELETE", serving.clone())).await.refused(409, "in-use");
    let shown = world.root(ask("GET", serving)).await.expect(200).json();
    assert_eq!(shown["deployed_at"], json!(["main"]));
}

#[tokio::test]
async fn a_deployment_is_changed_by_who_saw_it() {
    let world = World::new().await;
    let path = "/api/v1/deployments/mfc/main";
    world.root(ask("GET", path)).await.refused(404, "not-found");
    let (one, two) = (world.version("mfc", "desk", "1.0.0").await, world.version("mfc", "desk", "2.0.0").await);
    let deploy =
        |version: &str, share: u8| ask("PUT", path).json(&json!({ "version": version, "share_percent": share }));
    world.root(deploy(&one, 100).if_match(3)).await.refused(412, "stale-revision");
    let first = world.root(deploy(&one, 100)).await.expect(200);
    assert_eq!(first.header("etag"), "\"1\"");
    world.root(deploy(&two, 10)).await.refused(428, "precondition-required");
    let canary = world.root(deploy(&two, 10).if_match(1)).await.expect(200).json();
    assert_eq!(canary["canary"]["share_percent"], 10);
    world.root(deploy(&two, 50).if_match(1)).await.refused(412, "stale-revision");
    world.root(ask("POST", format!("{path}/release")).if_match(1)).await.refused(412, "stale-revision");
    let released = world.root(ask("POST", format!("{path}/release")).if_match(2)).await.expect(200).json();
    assert_eq!(released["stable"]["label"], "2.0.0");
    world.root(ask("POST", format!("{path}/release"))).await.refused(409, "no-canary");
    let back = ask("POST", format!("{path}/rollback")).json(&json!({ "reason": "callers complain" }));
    assert_eq!(world.root(back).await.expect(200).json()["stable"]["label"], "1.0.0");
    let history = world.root(ask("GET", format!("{path}/history"))).await.expect(200).json();
    assert_eq!(history["items"][0]["action"], "deploy");
    let early = format!("{path}/outcomes?from=1960-01-01T00:00:00Z");
    assert_eq!(world.root(ask("GET", early)).await.refused(400, "bad-query").json()["field"], "from");
    let outcomes = format!("{path}/outcomes?step_s=60&from=2026-05-04T19:30:00Z");
    let outcomes = world.root(ask("GET", outcomes)).await.expect(200).json();
    let version = &outcomes["versions"][0];
    assert_eq!((version["served"].as_u64(), version["series"].as_array().unwrap().len()), (Some(8), 1), "{outcomes}");
}

#[tokio::test]
async fn a_deployment_that_makes_no_sense_is_refused_by_field() {
    let world = World::new().await;
    let id = world.version("mfc", "desk", "1.0.0").await;
    let bound =
        json!({ "agency": "mfc", "script": "night", "version": "1.0.0", "capabilities": {}, "entries": ["night"] });
    let bound = world.root(upload("mfc", "", bound.to_string().into_bytes())).await.expect(201).json();
    let path = "/api/v1/deployments/mfc/main";
    let put = |body: serde_json::Value| world.root(ask("PUT", path).json(&body));
    put(json!({ "version": bound["version"]["id"] })).await.refused(409, "entry-not-allowed");
    put(json!({ "version": "f".repeat(64) })).await.refused(422, "unknown-version");
    let of_other = world.version("zags", "desk", "1.0.0").await;
    put(json!({ "version": of_other })).await.refused(422, "unknown-version");
    for (body, field) in [
        (json!({ "version": "short" }), "version"),
        (json!({ "version": id, "share_percent": 0 }), "share_percent"),
        (json!({ "version": id, "share_percent": 101 }), "share_percent"),
        (json!({ "version": id, "share_percent": 1000 }), "share_percent"),
        (json!({ "version": id, "drain_s": 0 }), "drain_s"),
        (json!({ "version": id, "guard": { "sample_min": 0 } }), "guard.sample_min"),
        (json!({ "version": id, "guard": { "trap_percent_over": 101 } }), "guard.trap_percent_over"),
        (json!({ "version": id, "guard": { "cpu_times_max": 0.5 } }), "guard.cpu_times_max"),
        (json!({ "version": id, "guard": { "typo": 1 } }), "guard.typo"),
        (json!({ "version": id, "share": 10 }), "share"),
    ] {
        assert_eq!(put(body).await.refused(422, "invalid-field").json()["field"], field);
    }
    world
        .root(ask("PUT", "/api/v1/deployments/ghost/main").json(&json!({ "version": id })))
        .await
        .refused(404, "not-found");
}
