//! The centre: operators, queues, callbacks, the desk, promises in writing, overlays with sound.

use crate::cases::of;
use crate::centre_cases::{escaped, guide, ticket};
use crate::centre_engine::{OWED, operator, queue};
use crate::world::{CALLER, LIVE, PAST, World, ask};
use gudok_admin::ports::Event;
use serde_json::{Value, json};

async fn people(world: &World) -> (String, String) {
    let supervisor = world.user("supervisor", json!([{ "role": "supervisor", "agency": "mfc" }])).await;
    let operator = world.user("operator", json!([{ "role": "operator", "agency": "mfc" }])).await;
    (supervisor, operator)
}

fn names(reply: &Value) -> Vec<&str> {
    reply["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_operator_is_made_changed_and_deleted_and_the_password_is_kept_nowhere() {
    let world = World::new().await;
    let password = "a telephone's password";
    let body = json!({
        "name": "of-mfc", "shown_name": "Анна", "queues": ["help"], "skills": { "en": 2 }, "phone_password": password,
    });
    let made = world.root(ask("POST", "/api/v1/operators").json(&body)).await.expect(201);
    assert_eq!(
        made.json()["phone"],
        json!({ "kind": "registers", "has_password": true, "trunk": null, "address": null })
    );
    world.root(ask("POST", "/api/v1/operators").json(&body)).await.refused(409, "exists");
    let kept = world.store.ledger_get("operator", "of-mfc", gudok_store::UtcMs(0)).await.unwrap().unwrap();
    let kept: Value = serde_json::from_slice(&kept.body).unwrap();
    let secret = &kept["phone"]["registers"]["secret"];
    // printf "of-mfc:gudok.test:a telephone's password" | md5sum, and sha256sum
    assert_eq!(secret["ha1_md5"], "0a98fe58c2f607120538593d15bd2746");
    assert_eq!(secret["ha1_sha256"], "76402b2f77b39bf11caeaaa3fdfbe614bf9bfc27fdba791162a079547ccfc555");
    assert_eq!(secret["realm"], "gudok.test");
    assert!(!kept.to_string().contains(password), "{kept}");
    // What is shown may be sent back, and the password stays.
    let shown = world.root(ask("GET", "/api/v1/operators/of-mfc")).await.expect(200).json();
    let changed = world.change("/api/v1/operators/of-mfc", &shown).await.expect(200).json();
    assert_eq!(changed["phone"]["has_password"], true);
    let fixed = json!({ "phone": { "kind": "fixed", "trunk": "city", "address": "204" }, "queues": ["help"] });
    let changed = world.change("/api/v1/operators/of-mfc", &fixed).await.expect(200).json();
    assert_eq!((&changed["phone"]["address"], &changed["phone"]["has_password"]), (&json!("204"), &json!(false)));
    let bad = [
        (json!({ "queues": ["ghost"] }), "unknown-reference"),
        (json!({ "skills": { "en": 11 } }), "invalid-field"),
        (json!({ "skills": { "en": 0 } }), "invalid-field"),
        (json!({ "phone_password": "short" }), "invalid-field"),
        (json!({ "phone": { "kind": "fixed", "trunk": "ghost", "address": "204" } }), "unknown-reference"),
        (json!({ "phone": { "kind": "fixed", "trunk": "city", "address": "204@evil" } }), "invalid-field"),
        (json!({ "phone": { "kind": "registers", "trunk": "city" } }), "invalid-field"),
        (json!({ "name": "boris" }), "invalid-field"),
    ];
    for (body, code) in bad {
        world.change("/api/v1/operators/of-mfc", &body).await.refused(422, code);
    }
    let of_file = ask("PUT", "/api/v1/operators/desk-of-file").json(&json!({}));
    world.root(of_file).await.refused(409, "managed-by-file");
    world.root(ask("DELETE", "/api/v1/operators/of-mfc")).await.expect(204);
    world.root(ask("GET", "/api/v1/operators/of-mfc")).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_supervisor_leads_the_own_operators_and_an_operator_oneself() {
    let world = World::new().await;
    let (supervisor, anna) = people(&world).await;
    let all = world.send(ask("GET", "/api/v1/operators").token(&supervisor)).await.expect(200).json();
    assert!(names(&all).contains(&"of-mfc") && !names(&all).contains(&"of-zags"), "{all}");
    let own = world.send(ask("GET", "/api/v1/operators").token(&anna)).await.expect(200).json();
    assert_eq!(names(&own), ["operator"]);
    // One whose user works for the agency is the agency's, whatever queues there are.
    world.user("of-zags", json!([{ "role": "operator", "agency": "mfc" }])).await;
    let all = world.send(ask("GET", "/api/v1/operators").token(&supervisor)).await.expect(200).json();
    assert!(names(&all).contains(&"of-zags"), "{all}");
    let state = |who: &str, body: Value| ask("POST", format!("/api/v1/operators/{who}/state")).json(&body);
    let order = |token: &str, ask: crate::world::Ask| world.send(ask.token(token));
    order(&supervisor, state("of-mfc", json!({ "state": "pause", "reason": "lunch" }))).await.expect(202);
    order(&anna, state("operator", json!({ "state": "pause", "reason": "lunch" }))).await.expect(202);
    order(&supervisor, state("operator", json!({ "state": "logged-out" }))).await.expect(202);
    order(&supervisor, state("operator", json!({ "state": "ready" }))).await.expect(202);
    order(&anna, state("of-mfc", json!({ "state": "ready" }))).await.refused(404, "not-found");
    order(&anna, state("operator", json!({ "state": "pause", "reason": "missed" })))
        .await
        .refused(422, "invalid-field");
    let orders = world.engine.state.lock().centre_orders.clone();
    let expected =
        ["of-mfc Pause(Supervisor)", "operator Pause(Own(\"lunch\"))", "operator LogOut(Supervisor)", "operator LogIn"];
    assert_eq!(orders, expected);
}

#[tokio::test]
async fn of_a_common_queue_one_sees_the_own_callers() {
    let world = World::new().await;
    let (supervisor, _) = people(&world).await;
    let seen = world.send(ask("GET", "/api/v1/queues").token(&supervisor)).await.expect(200).json();
    assert_eq!(names(&seen), ["common", "help"]);
    let common = world.send(ask("GET", "/api/v1/queues/common").token(&supervisor)).await.expect(200).json();
    let waiting = common["waiting"].as_array().unwrap();
    assert_eq!((waiting.len(), &waiting[0]["agency"]), (1, &json!("mfc")));
    world.send(ask("GET", "/api/v1/queues/births").token(&supervisor)).await.refused(404, "not-found");
    let whole = world.root(ask("GET", "/api/v1/queues/common")).await.expect(200).json();
    assert_eq!(whole["waiting"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_callback_is_promised_to_a_whole_number_and_shown_masked() {
    let world = World::new().await;
    let (_, anna) = people(&world).await;
    let book = |body: Value| world.send(ask("POST", "/api/v1/callbacks").token(&anna).json(&body));
    let row = book(json!({ "queue": "help", "number": CALLER, "topic": "passport" })).await.expect(201);
    assert_eq!(row.header("location"), "/api/v1/callbacks/cb-mfc-new");
    assert!(!row.text().contains(CALLER.trim_start_matches('+')), "{}", row.text());
    // In a queue of the centre's own the only agency within reach is meant.
    book(json!({ "queue": "common", "number": CALLER })).await.expect(201);
    let root = |body: Value| world.root(ask("POST", "/api/v1/callbacks").json(&body));
    root(json!({ "queue": "common", "number": CALLER })).await.refused(422, "invalid-field");
    root(json!({ "queue": "help", "number": CALLER, "agency": "zags" })).await.refused(422, "invalid-field");
    root(json!({ "queue": "help", "number": CALLER, "agency": "ghost" })).await.refused(422, "unknown-reference");
    for bad in ["", "12", "8-800-flowers", "+7", "anna@example.org"] {
        let refused = book(json!({ "queue": "help", "number": bad })).await.refused(422, "invalid-field").json();
        assert_eq!(refused["field"], "number");
    }
    book(json!({ "queue": "births", "number": CALLER })).await.refused(422, "unknown-reference");
    book(json!({ "queue": "help", "number": CALLER, "agency": "zags" })).await.refused(403, "forbidden");
    let orders = world.engine.state.lock().centre_orders.clone();
    assert_eq!(orders, [format!("book help {CALLER}"), format!("book common {CALLER}")]);
}

#[tokio::test]
async fn who_looks_at_a_number_is_in_the_audit() {
    let world = World::new().await;
    let (supervisor, _) = people(&world).await;
    let before = world.audit_seq().await;
    let path = "/api/v1/callbacks/cb-mfc-1";
    let row = world.send(ask("GET", path).token(&supervisor)).await.expect(200);
    assert!(!row.text().contains(OWED.trim_start_matches('+')), "{}", row.text());
    assert!(world.audit_after(before).await.is_empty());
    let number = ask("GET", format!("{path}/number"));
    let number = world.send(number.token(&supervisor)).await.expect(200).json();
    assert_eq!(number["number"], OWED);
    let looks = world.audit_after(before).await;
    assert_eq!(looks, [("callback.number".into(), "callback:cb-mfc-1".into(), "supervisor".into())]);
    let auditor = world.user("auditor", json!([{ "role": "auditor" }])).await;
    world.send(ask("GET", format!("{path}/number")).token(&auditor)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_desk_shows_its_call_its_guide_and_where_callers_may_go() {
    let world = World::new().await;
    let (_, anna) = people(&world).await;
    let desk = || world.send(ask("GET", "/api/v1/desk").token(&anna));
    let shown = desk().await.expect(200).json();
    assert_eq!((&shown["operator"]["name"], &shown["call"]["fields"][0]["value"]), (&json!("operator"), &json!("7")));
    assert_eq!(shown["call"]["so_far"].as_array().unwrap().len(), 2, "another agency's part is not shown: {shown}");
    assert_eq!(shown["guide"], Value::Null);
    guide(&world, "mfc", "default").await;
    assert_eq!(desk().await.json()["guide"]["topic"], "default");
    let codes = json!({ "text": "Ask.", "wrap_up_codes": ["told", "sent"] });
    world.root(ask("PUT", "/api/v1/guides/mfc/passport").json(&codes)).await.expect(201);
    let shown = desk().await.json();
    assert_eq!((&shown["guide"]["topic"], &shown["wrap_up_codes"]), (&json!("passport"), &json!(["told", "sent"])));
    let targets: Vec<&str> =
        shown["transfer_to"].as_array().unwrap().iter().map(|to| to["target"].as_str().unwrap()).collect();
    assert!(targets.contains(&"operator:of-mfc") && targets.contains(&"queue:help"), "{targets:?}");
    assert!(!targets.contains(&"operator:operator") && !targets.contains(&"operator:of-zags"), "{targets:?}");
    let post =
        |path: &str, body: Value| world.send(ask("POST", format!("/api/v1/desk/{path}")).token(&anna).json(&body));
    post("wrap-up", json!({ "code": "lost" })).await.refused(422, "invalid-field");
    let note = "call +7 913 123-45-21 back";
    post("wrap-up", json!({ "code": "told", "note": note })).await.expect(204);
    post("transfer", json!({ "target": "operator:ghost" })).await.refused(422, "unknown-reference");
    post("transfer", json!({ "target": "extension:ghost" })).await.refused(422, "unknown-reference");
    post("transfer", json!({ "target": "+79990000000" })).await.refused(422, "invalid-field");
    post("transfer", json!({ "target": "operator:of-mfc" })).await.expect(204);
    let orders = world.engine.state.lock().centre_orders.clone();
    assert_eq!(orders, ["operator says told call +* *** ***-**-** back", "operator gives to Operator(\"of-mfc\")"]);
    // Whoever sits at no desk is told what to do.
    let other = world.user("vera", json!([{ "role": "operator", "agency": "mfc" }])).await;
    let refused = world.send(ask("GET", "/api/v1/desk").token(&other)).await.refused(404, "not-found").json();
    assert!(refused["remedy"].as_str().unwrap().contains("gudok operators add"));
    world.send(ask("POST", "/api/v1/desk/login").token(&other)).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_supervisor_takes_part_by_a_telephone_that_is_there() {
    let world = World::new().await;
    let (supervisor, _) = people(&world).await;
    let path = format!("/api/v1/calls/{}/supervise", of(&LIVE, "mfc"));
    let post = |body: Value| world.send(ask("POST", path.clone()).token(&supervisor).json(&body));
    post(json!({ "how": "listen", "phone": "ghost" })).await.refused(422, "unknown-reference");
    post(json!({ "how": "record" })).await.refused(422, "invalid-field");
    post(json!({ "how": "listen" })).await.expect(202);
    post(json!({ "how": "barge", "phone": "of-mfc" })).await.expect(202);
    world.send(ask("DELETE", path.clone()).token(&supervisor)).await.expect(204);
    let past = format!("/api/v1/calls/{}/supervise", of(&PAST, "mfc"));
    world.send(ask("DELETE", past).token(&supervisor)).await.refused(404, "not-found");
    let orders = world.engine.state.lock().centre_orders.clone();
    assert!(orders[0].starts_with("supervisor Listen") && orders[1].starts_with("supervisor Barge"), "{orders:?}");
    assert_eq!(orders.len(), 3);
}

#[tokio::test]
async fn tickets_are_listed_newest_first_and_a_dead_delivery_is_tried_again() {
    let world = World::new().await;
    let (_, anna) = people(&world).await;
    let first = ticket(&world, "mfc").await;
    let body = json!({ "kind": "request", "text": "Call me.", "number": CALLER, "idempotency_key": "k-1" });
    let post = || world.send(ask("POST", "/api/v1/tickets").token(&anna).json(&body));
    let second = post().await.expect(201).json()["number"].clone();
    assert_eq!(post().await.expect(201).json()["number"], second, "the same key, the same number");
    ticket(&world, "zags").await;
    let seen = world.send(ask("GET", "/api/v1/tickets").token(&anna)).await.expect(200);
    let items = seen.json()["items"].clone();
    let numbers: Vec<&str> = items.as_array().unwrap().iter().map(|item| item["number"].as_str().unwrap()).collect();
    assert_eq!(numbers, [second.as_str().unwrap(), first.as_str()]);
    assert!(!seen.text().contains(CALLER.trim_start_matches('+')), "{}", seen.text());
    let mut path = "/api/v1/tickets?limit=1".to_owned();
    let mut paged = Vec::new();
    while !path.is_empty() {
        let page = world.root(ask("GET", path)).await.expect(200).json();
        paged.push(page["items"][0]["number"].as_str().unwrap().to_owned());
        path = page["next"].as_str().map(|next| format!("/api/v1/tickets?limit=1&cursor={next}")).unwrap_or_default();
    }
    assert_eq!(paged.len(), 3);
    assert_eq!(paged[2], first);
    let kind = world.root(ask("GET", "/api/v1/tickets?kind=request")).await.expect(200).json();
    assert_eq!(kind["items"].as_array().unwrap().len(), 1);
    let dead = world.root(ask("GET", "/api/v1/deliveries?state=dead&agency=mfc")).await.expect(200).json();
    assert_eq!(dead["items"].as_array().unwrap().len(), 2);
    let retry = format!("/api/v1/deliveries/mfc/{}/retry", escaped(&first));
    let again = world.root(ask("POST", retry.clone())).await.expect(200).json();
    assert_eq!(again["state"], "waiting");
    world.root(ask("POST", retry)).await.refused(409, "conflict");
    world.root(ask("GET", "/api/v1/tickets/mfc/X-1")).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_recording_is_marked_once_and_corrected_knowingly() {
    let world = World::new().await;
    let path = format!("/api/v1/calls/{}/recordings/message/mark", of(&PAST, "mfc"));
    world.root(ask("GET", path.clone())).await.refused(404, "not-found");
    let put = |body: Value| ask("PUT", path.clone()).json(&body);
    for score in [0, 6, 255] {
        world.root(put(json!({ "score": score }))).await.refused(422, "invalid-field");
    }
    let note = "he said +7 913 123-45-21";
    let set = world.root(put(json!({ "score": 2, "note": note }))).await.expect(200);
    assert!(!set.text().contains("123"), "{}", set.text());
    world.root(put(json!({ "score": 5 }))).await.refused(428, "precondition-required");
    world.root(put(json!({ "score": 5 })).header("if-match", set.header("etag"))).await.expect(200);
    let ghost = path.replace("message", "ghost");
    world.root(ask("PUT", ghost).json(&json!({ "score": 5 }))).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_webhook_is_an_https_address_and_names_where_its_secret_lies() {
    let world = World::new().await;
    let path = "/api/v1/agencies/mfc/webhook";
    let put = |url: &str, secret: &str| world.root(ask("PUT", path).json(&json!({ "url": url, "secret": secret })));
    put("http://mfc.example/", "env:HOOK").await.refused(422, "invalid-field");
    put("https://u:p@mfc.example/", "env:HOOK").await.refused(422, "invalid-field");
    let refused = put("https://mfc.example/", "whsec_c2VjcmV0").await.refused(422, "invalid-field");
    assert!(!refused.text().contains("c2VjcmV0"));
    put("https://mfc.example/hook?key=1", "file:/etc/gudok/hook").await.expect(200);
    let entries = world.root(ask("GET", "/api/v1/audit?action=webhook")).await.expect(200).text();
    assert!(entries.contains("mfc.example") && !entries.contains("key=1"), "{entries}");
}

#[tokio::test]
async fn an_officer_speaks_to_a_region_by_a_recording_in_one_step() {
    let world = World::new().await;
    let officer = world.user("officer", json!([{ "role": "emergency-officer" }])).await;
    let record = |query: &str, audio: &[u8]| {
        let path = format!("/api/v1/overlays/flood/recording{query}");
        world.send(ask("POST", path).token(&officer).bytes("audio/wav", audio.to_vec()))
    };
    record("", b"no sound").await.refused(422, "invalid-field");
    record("", b"").await.refused(422, "invalid-field");
    record("?agencies=ghost", b"RIFF").await.refused(422, "unknown-reference");
    record("?numbers=five", b"RIFF").await.refused(400, "bad-query");
    let overlay = record("?areas=42,22&numbers=112", b"RIFF sound").await.expect(200).json();
    assert_eq!((&overlay["areas"], &overlay["numbers"]), (&json!(["42", "22"]), &json!(["112"])));
    let sha256 = overlay["recording"].as_str().unwrap().to_owned();
    let blob = gudok_store::BlobId::of(b"RIFF sound").to_hex();
    assert_eq!(sha256, blob);
    let shown = world.root(ask("GET", "/api/v1/overlays/flood")).await.expect(200).json();
    assert_eq!(shown["heard"], 212);
    // What is shown may be sent back, and keeps the sound; without it the text is spoken.
    world.change("/api/v1/overlays/flood", &shown).await.expect(200);
    let text = json!({ "text": "It falls.", "areas": ["42"] });
    let spoken = world.change("/api/v1/overlays/flood", &text).await.expect(200).json();
    assert_eq!((&spoken["recording"], &spoken["areas"]), (&Value::Null, &json!(["42"])));
    world
        .change("/api/v1/overlays/flood", &json!({ "text": "x", "recording": blob }))
        .await
        .refused(422, "invalid-field");
    world.change("/api/v1/overlays/flood", &json!({ "text": " " })).await.refused(422, "invalid-field");
}

#[tokio::test]
async fn events_of_the_centre_reach_whom_they_concern() {
    use futures_util::StreamExt;
    use tower::ServiceExt;
    let world = World::new().await;
    let (supervisor, anna) = people(&world).await;
    let open = async |token: &str| {
        let ask = ask("GET", "/api/v1/events?topics=operators,queues,callbacks").token(token);
        let response = world.router.clone().oneshot(ask.request()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_data_stream()
    };
    let (mut of_supervisor, mut of_anna) = (open(&supervisor).await, open(&anna).await);
    for (name, agency) in [("of-zags", "zags"), ("of-mfc", "mfc"), ("operator", "mfc")] {
        world.engine.tell(Event::Operator(Box::new(operator(name, agency))));
    }
    world.engine.tell(Event::Queue(Box::new(queue("births", Some("zags")))));
    world.engine.tell(Event::Queue(Box::new(queue("common", None))));
    for id in ["cb-zags-1", "cb-mfc-1"] {
        world.engine.tell(Event::Callback(Box::new(crate::centre_engine::callback(id).unwrap())));
    }
    let next = async |stream: &mut axum::body::BodyDataStream| loop {
        let text = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
        if !text.starts_with(':') {
            return text;
        }
    };
    for expected in ["\"name\":\"of-mfc\"", "\"name\":\"operator\"", "\"name\":\"common\"", "cb-mfc-1"] {
        let event = next(&mut of_supervisor).await;
        assert!(event.contains(expected) && !event.contains("zags"), "{expected}: {event}");
    }
    // An operator hears of the own desk only.
    for expected in ["\"name\":\"operator\"", "\"name\":\"common\"", "cb-mfc-1"] {
        let event = next(&mut of_anna).await;
        assert!(event.contains(expected), "{expected}: {event}");
    }
    let author = world.user("author", json!([{ "role": "author", "agency": "mfc" }])).await;
    let asked = ask("GET", "/api/v1/events?topics=queues").token(&author);
    world.send(asked).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_person_is_found_in_tickets_and_taken_out_of_them() {
    let world = World::new().await;
    let number = ticket(&world, "mfc").await;
    let body = json!({ "kind": "complaint", "agency": "mfc", "text": "Theirs.", "number": "+79990000001" });
    world.root(ask("POST", "/api/v1/tickets").json(&body)).await.expect(201);
    let request = json!({ "number": CALLER, "reason": "asked in writing" });
    let subject = |verb: &str| ask("POST", format!("/api/v1/subjects/{verb}")).json(&request);
    let export = world.root(subject("export")).await.expect(200).json();
    let tickets = export["tickets"].as_array().unwrap();
    assert_eq!((tickets.len(), &tickets[0]["number"]), (1, &json!(number)));
    let erased = world.root(subject("erase")).await.expect(200).json();
    assert_eq!((&erased["erased"]["tickets"], &erased["erased"]["callbacks"]), (&json!(1), &json!(0)));
    let export = world.root(subject("export")).await.expect(200).json();
    assert_eq!(export["tickets"], json!([]));
    let list = world.root(ask("GET", "/api/v1/tickets")).await.expect(200).json();
    let callers: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|ticket| ticket["caller"].as_str().unwrap()).collect();
    assert_eq!(callers.len(), 2);
    assert!(callers.contains(&"+7********01") && !callers.iter().any(|caller| caller.ends_with("21")), "{callers:?}");
}
