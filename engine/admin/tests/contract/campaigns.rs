//! Campaigns through the API: whose hands an emergency is in, what an edit may change, lists of any length.

use crate::cases::live;
use crate::console::{Reader, goes_to, is_page};
use crate::console_centre::with_file;
use crate::world::{World, ask};
use futures_util::StreamExt;
use serde_json::{Value, json};

fn document(agency: &str) -> Value {
    json!({ "agency": agency, "entry": "main", "trunk": "city" })
}

async fn officer(world: &World, name: &str) -> String {
    world.user(name, json!([{ "role": "emergency-officer" }])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_the_officers_alone_and_nothing_else_is() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let officer = officer(&world, "officer").await;
    let author = world.user("author", json!([{ "role": "author", "agency": "mfc" }])).await;
    let emergency = json!({ "agency": "mfc", "entry": "main", "trunk": "city", "emergency": true });
    let put = |body: &Value| ask("PUT", "/api/v1/campaigns/flood").json(body);
    for token in [&world.root, &author] {
        let refused = world.send(put(&emergency).token(token)).await.refused(403, "forbidden");
        assert_eq!(refused.json()["field"], "emergency");
    }
    world.send(put(&document("mfc")).token(&officer)).await.refused(403, "forbidden");
    let made = world.send(put(&emergency).token(&officer)).await.expect(201);
    let etag = made.header("etag").to_owned();
    // Nobody takes it over by calling it ordinary, and nobody makes an ordinary one an emergency.
    let take = put(&document("mfc")).header("if-match", &etag);
    world.send(take.clone().token(&author)).await.refused(403, "forbidden");
    world.send(take.token(&officer)).await.refused(403, "forbidden");
    for (method, path) in [
        ("POST", "/start"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/stop"),
        ("DELETE", ""),
        ("POST", "/contacts?format=csv"),
    ] {
        let request = ask(method, format!("/api/v1/campaigns/flood{path}")).bytes("text/csv", b"number\n".to_vec());
        world.root(request).await.refused(403, "forbidden");
    }
    world.root(ask("GET", "/api/v1/campaigns/flood")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_start_an_emergency_where_the_configuration_says_so() {
    let world = World::with(|config| config.emergency_two_person = true).await;
    live(&world, "mfc").await;
    let (anna, boris) = (officer(&world, "anna").await, officer(&world, "boris").await);
    world.engine.campaign_of("flood", "mfc", true, "draft");
    let start = || ask("POST", "/api/v1/campaigns/flood/start");
    let asked = world.send(start().token(&anna)).await.expect(202).json();
    assert_eq!((&asked["figures"]["state"], &asked["approvals"][0]["by"]), (&json!("draft"), &json!("anna")));
    assert_eq!(asked["approvals_needed"], 2);
    world.send(start().token(&anna)).await.refused(409, "already-approved");
    // One more contact: whoever said yes has not said it to this list.
    let list = ask("POST", "/api/v1/campaigns/flood/contacts?format=csv").bytes("text/csv", b"number\n".to_vec());
    world.send(list.token(&anna)).await.expect(200);
    let asked = world.send(start().token(&boris)).await.expect(202).json();
    assert_eq!(asked["approvals"].as_array().unwrap().len(), 1, "{asked}");
    let started = world.send(start().token(&anna)).await.expect(200).json();
    assert_eq!(started["figures"]["state"], "running");
    let actions: Vec<String> = world.audit_after(0).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions.iter().filter(|action| *action == "campaign.start-asked").count(), 2);
    assert_eq!(actions.iter().filter(|action| *action == "campaign.start").count(), 1);
    // An ordinary one needs no second person.
    world.engine.campaign_of("spring", "mfc", false, "draft");
    world.root(ask("POST", "/api/v1/campaigns/spring/start")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_without_a_script_or_without_people() {
    let world = World::new().await;
    world.engine.campaign_of("spring", "mfc", false, "draft");
    let refused = world.root(ask("POST", "/api/v1/campaigns/spring/start")).await.refused(409, "conflict");
    assert_eq!(refused.json()["field"], "entry");
    live(&world, "mfc").await;
    world.root(ask("PUT", "/api/v1/campaigns/empty").json(&document("mfc"))).await.expect(201);
    let refused = world.root(ask("POST", "/api/v1/campaigns/empty/start")).await.refused(409, "conflict");
    assert!(refused.json()["remedy"].as_str().unwrap().contains("Import"), "{}", refused.text());
    world.root(ask("POST", "/api/v1/campaigns/spring/start")).await.expect(200);
    world.root(ask("POST", "/api/v1/campaigns/spring/start")).await.refused(409, "conflict");
    world.root(ask("DELETE", "/api/v1/campaigns/spring")).await.refused(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_names_its_revision_and_keeps_what_contacts_refer_to() {
    let world = World::new().await;
    let path = "/api/v1/campaigns/spring";
    let mut body = document("mfc");
    body["windows"] = json!([{ "name": "late", "hours": "daily 18:00-21:00" }]);
    world.root(ask("PUT", path).json(&body)).await.expect(201);
    world.root(ask("PUT", path).json(&body)).await.refused(428, "precondition-required");
    world.root(ask("PUT", path).if_match(7).json(&body)).await.refused(412, "stale-revision");
    let list = ask("POST", format!("{path}/contacts?format=csv")).bytes("text/csv", b"number\n1\n".to_vec());
    world.root(list).await.expect(200);
    body["windows"] = json!([{ "name": "early", "hours": "daily 10:00-12:00" }]);
    let refused = world.change(path, &body).await.refused(422, "invalid-field");
    assert_eq!(refused.json()["field"], "windows");
    body["windows"] = json!([{ "name": "late", "hours": "24/7" }, { "name": "early", "hours": "24/7" }]);
    world.change(path, &body).await.expect(200);
    body["agency"] = json!("zags");
    assert_eq!(world.change(path, &body).await.refused(422, "invalid-field").json()["field"], "agency");
    body["agency"] = json!("mfc");
    body["deadline"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(world.change(path, &body).await.refused(422, "invalid-field").json()["field"], "deadline");
    // A name belongs to one agency; who may not see the other one's campaign is not told more than that.
    let author = world.user("author", json!([{ "role": "author", "agency": "zags" }])).await;
    world.send(ask("PUT", path).token(&author).json(&document("zags"))).await.refused(409, "exists");
    world.send(ask("GET", path).token(&author)).await.refused(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_any_length_passes_piece_by_piece() {
    const PIECES: u64 = 4_096;
    const PIECE: usize = 64 * 1024;
    let world = World::new().await;
    world.engine.campaign_of("spring", "mfc", false, "draft");
    let token = world.root.clone();
    let piece = bytes::Bytes::from([b"+79990000001\n".as_slice(); PIECE / 13].concat());
    let rows = PIECES * (PIECE / 13) as u64;
    let pieces = futures_util::stream::iter(0..PIECES).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/api/v1/campaigns/spring/contacts?format=csv")
        .header("host", "127.0.0.1:8070")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "text/csv");
    let reply = world.send_raw(request.body(axum::body::Body::from_stream(pieces)).unwrap()).await.expect(200).json();
    assert_eq!(reply["rows"], rows);
    let state = world.engine.state.lock();
    assert!(state.campaigns.bytes > 250 * 1024 * 1024, "{}", state.campaigns.bytes);
    assert!(state.campaigns.piece_bytes_max <= PIECE, "{}", state.campaigns.piece_bytes_max);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_breaks_off_says_so_and_numbers_stay_out_of_the_audit() {
    let world = World::new().await;
    world.engine.campaign_of("spring", "mfc", false, "draft");
    let token = world.root.clone();
    let pieces = [Ok(bytes::Bytes::from("number\n+79130001122\n")), Err(std::io::Error::other("gone"))];
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/api/v1/campaigns/spring/contacts?format=csv")
        .header("host", "127.0.0.1:8070")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "text/csv");
    let body = axum::body::Body::from_stream(futures_util::stream::iter(pieces));
    world.send_raw(request.body(body).unwrap()).await.refused(408, "timeout");
    let json = ask("POST", "/api/v1/campaigns/spring/contacts?format=csv").json(&json!([]));
    world.root(json).await.refused(415, "unsupported-type");
    let find = ask("POST", "/api/v1/campaigns/spring/contacts/find").json(&json!({ "number": "+79130001122" }));
    world.root(find).await.expect(200);
    let body = json!({ "number": "+79130001122", "agency": "mfc", "reason": "called from 8 913 000 11 22" });
    world.root(ask("POST", "/api/v1/opt-outs").json(&body)).await.expect(201);
    let page = world.store.audit(gudok_store::AuditQuery::default()).await.unwrap();
    let text = format!("{:?}", page.entries);
    assert!(text.contains("opt-out.add") && !text.contains("+7913000") && !text.contains("913 000 11"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opt_outs_are_of_ones_own_agency_and_are_taken_back_with_a_reason() {
    let world = World::new().await;
    let author = world.user("author", json!([{ "role": "author", "agency": "mfc" }])).await;
    let operator = world.user("operator", json!([{ "role": "operator", "agency": "mfc" }])).await;
    let body = |agency: Value| json!({ "number": "+79990000001", "agency": agency, "reason": "asked so" });
    let add = |agency: Value| ask("POST", "/api/v1/opt-outs").json(&body(agency));
    world.send(add(json!("zags")).token(&author)).await.refused(403, "forbidden");
    let refused = world.send(add(Value::Null).token(&author)).await.refused(422, "invalid-field");
    assert_eq!(refused.json()["field"], "agency");
    world.send(add(json!("mfc")).token(&operator)).await.expect(201);
    world.root(add(Value::Null)).await.expect(201);
    let own = world.send(ask("GET", "/api/v1/opt-outs").token(&author)).await.expect(200).json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
    let all = world.root(ask("GET", "/api/v1/opt-outs")).await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let id = own["items"][0]["id"].as_str().unwrap();
    let withdraw = |reason: &str| {
        ask("POST", format!("/api/v1/opt-outs/{id}/withdraw")).json(&json!({ "agency": "mfc", "reason": reason }))
    };
    world.send(withdraw("wrote so").token(&operator)).await.refused(403, "forbidden");
    world.send(withdraw("  ").token(&author)).await.refused(422, "invalid-field");
    world.send(withdraw("wrote so on 3 May").token(&author)).await.expect(204);
    world.send(withdraw("wrote so on 3 May").token(&author)).await.refused(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_lives_in_the_console() {
    let world = World::new().await;
    live(&world, "mfc").await;
    let anna = Reader::of(&world, "anna", json!([{ "role": "author", "agency": "mfc" }])).await;
    let page = anna.get(&world, "/console/campaigns/new").await.expect(200);
    is_page(&page);
    // The form as it is shown first, with what only a person knows.
    let text = page.text();
    let mut fields: Vec<(String, String)> = Vec::new();
    for field in
        ["window", "calls_per_s_max", "calls_max", "priority", "ring_s", "attempts_max", "attempts_per_day_max"]
            .into_iter()
            .chain(["script_failures_max"])
    {
        let value = text.split(&format!("name=\"{field}\"")).nth(1).unwrap().split("value=\"").nth(1).unwrap();
        fields.push((field.to_owned(), value.split('"').next().unwrap().to_owned()));
    }
    let own =
        [("name", "spring"), ("agency", "mfc"), ("entry", "main"), ("trunk", "city"), ("retries", "busy = 10m 5m 3")];
    fields.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let sent: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    goes_to(&anna.post(&world, "/console/campaigns/new", &sent).await, "/console/campaigns/spring?notice=created");
    let again = anna.post(&world, "/console/campaigns/new", &sent).await.expect(422);
    assert!(again.text().contains("id=\"name-wrong\""), "{}", again.text());

    let list = b"number\n+79990000001\n";
    let import = "/console/campaigns/spring/import";
    let dry = with_file(&world, &anna, import, &[("format", "csv"), ("dry_run", "true")], ("file", list)).await;
    is_page(&dry.expect(200));
    let asked = || world.engine.state.lock().campaigns.rows["spring"].figures.contacts;
    assert_eq!(asked(), 0, "a dry run keeps nothing");
    with_file(&world, &anna, import, &[("format", "csv")], ("file", list)).await.expect(200);
    assert_eq!(asked(), 2);
    with_file(&world, &anna, import, &[("format", "csv")], ("file", b"")).await.expect(422);

    goes_to(
        &anna.post(&world, "/console/campaigns/spring/start", &[]).await,
        "/console/campaigns/spring?notice=campaign_started",
    );
    for path in
        ["", "/spring", "/spring/edit", "/spring/forecast", "/spring/contacts?state=unknown", "/spring/contacts/1"]
    {
        is_page(&anna.get(&world, &format!("/console/campaigns{path}")).await.expect(200));
    }
    let decide = [("decision", "take-for-made"), ("list", "true")];
    let decided = anna.post(&world, "/console/campaigns/spring/contacts/1/decide", &decide).await;
    goes_to(&decided, "/console/campaigns/spring/contacts?state=unknown&notice=saved");
    goes_to(
        &anna.post(&world, "/console/campaigns/spring/pause", &[]).await,
        "/console/campaigns/spring?notice=campaign_paused",
    );
    let add = [("number", "+79990000042"), ("agency", "mfc"), ("reason", "asked so")];
    goes_to(&anna.post(&world, "/console/opt-outs/add", &add).await, "/console/opt-outs?notice=opted_out");
    let found = anna.post(&world, "/console/opt-outs", &[("number", "+79990000042")]).await.expect(200);
    assert!(found.text().contains("asked so") && !found.text().contains("9990000042"), "{}", found.text());
    // Without the session's token nothing is read of a list.
    let strange = anna.ask("POST", import).bytes("multipart/form-data; boundary=b", b"--b--\r\n".to_vec());
    assert_eq!(world.send(strange).await.status.as_u16(), 403);
}
