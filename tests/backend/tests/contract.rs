//! What the back end promises to the sample agencies, and each fault as a client meets it.
#![allow(clippy::unwrap_used, clippy::panic)]

use gudok_sample_backend::{Backend, Fault, FaultKind, serve};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

const PASSPORT: &str = "/passport/applications";
const KINDERGARTEN: &str = "/kindergarten/places";

struct World {
    backend: Backend,
    base: String,
    client: reqwest::Client,
}

impl World {
    async fn new() -> Self {
        // A second installation answers with an error and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let backend = Backend::new("Bearer right");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = backend.clone();
        tokio::spawn(async move { serve(listener, &served).await });
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { backend, base, client }
    }

    fn request(&self, route: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{route}", self.base))
            .header("authorization", "Bearer right")
            .header("content-type", "application/json")
            .body(body.to_string())
            .timeout(Duration::from_millis(500))
    }

    fn breaks(&self, kind: FaultKind) {
        let fault = Fault { route: KINDERGARTEN.to_owned(), kind, times: 1, ms: 5_000 };
        self.backend.break_down(&fault).unwrap();
    }
}

fn place_of_21() -> Value {
    json!({ "application": "123456", "born": "2023-05-05" })
}

#[tokio::test]
async fn who_asks_how_many_wait_is_told_without_a_secret() {
    let world = World::new().await;
    for (office, expected) in [("kemerovo", Some(json!({ "waiting": 21 }))), ("nowhere", None)] {
        let answer = world.client.get(format!("{}/offices/{office}/queue", world.base)).send().await.unwrap();
        assert_eq!(answer.status() == 200, expected.is_some(), "{office}");
        let body = serde_json::from_str::<Value>(&answer.text().await.unwrap()).ok();
        assert_eq!(body, expected, "{office}");
    }
}

#[tokio::test]
async fn who_knows_both_numbers_is_told() {
    let world = World::new().await;
    for (route, body, expect) in [
        (
            PASSPORT,
            json!({"application": "12345678", "check": "1234"}),
            Ok(json!({"state": "ready", "since": "2026-05-05"})),
        ),
        (PASSPORT, json!({"application": "12345678", "check": "4321"}), Err(404)),
        (PASSPORT, json!({"application": "87654321", "check": "1234"}), Err(404)),
        (PASSPORT, json!({"application": "12345678"}), Err(422)),
        (KINDERGARTEN, place_of_21(), Ok(json!({"place": 21}))),
        (KINDERGARTEN, json!({"application": "123456", "born": "2023-05-06"}), Err(404)),
    ] {
        let response = world.request(route, &body).send().await.unwrap();
        let status = response.status().as_u16();
        let told: Result<Value, u16> = match status {
            200 => Ok(serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()),
            status => Err(status),
        };
        assert_eq!(told, expect, "{route} {body}");
    }
    assert_eq!(world.backend.seen(PASSPORT), 4);
}

#[tokio::test]
async fn nobody_is_told_without_the_secret() {
    let world = World::new().await;
    for header in ["Bearer wrong", "right", ""] {
        let request = world.client.post(format!("{}{KINDERGARTEN}", world.base)).header("authorization", header);
        let response = request.body(place_of_21().to_string()).send().await.unwrap();
        assert_eq!(response.status(), 401, "{header:?}");
    }
}

#[tokio::test]
async fn every_fault_is_what_it_says_once() {
    let world = World::new().await;
    for kind in [FaultKind::Hang, FaultKind::Slow, FaultKind::LieLength, FaultKind::HalfBody, FaultKind::Flood] {
        world.breaks(kind);
        let answered = async { world.request(KINDERGARTEN, &place_of_21()).send().await?.bytes().await };
        assert!(answered.await.is_err(), "{kind:?} gave a whole answer");
    }
    for (kind, status) in [(FaultKind::Status500, 500), (FaultKind::Redirect, 307), (FaultKind::Garbage, 200)] {
        world.breaks(kind);
        let response = world.request(KINDERGARTEN, &place_of_21()).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let body = response.bytes().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "{kind:?} answered JSON");
    }
    let well = world.request(KINDERGARTEN, &place_of_21()).send().await.unwrap();
    assert_eq!(well.status(), 200);
}

#[tokio::test]
async fn a_slow_answer_is_whole() {
    let world = World::new().await;
    let fault = Fault { route: KINDERGARTEN.to_owned(), kind: FaultKind::Slow, times: 1, ms: 50 };
    world.backend.break_down(&fault).unwrap();
    assert_eq!(world.request(KINDERGARTEN, &place_of_21()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_are_asked_for_over_http_and_taken_back() {
    let world = World::new().await;
    let faults = format!("{}/faults", world.base);
    let ask = |body: Value| {
        world.client.post(&faults).header("content-type", "application/json").body(body.to_string()).send()
    };
    assert_eq!(ask(json!({"route": KINDERGARTEN, "kind": "500", "times": 2})).await.unwrap().status(), 204);
    assert_eq!(ask(json!({"route": KINDERGARTEN, "kind": "sulk"})).await.unwrap().status(), 422);
    assert_eq!(ask(json!({"route": KINDERGARTEN, "kind": "hang", "times": 0})).await.unwrap().status(), 422);
    assert_eq!(world.request(KINDERGARTEN, &place_of_21()).send().await.unwrap().status(), 500);
    assert_eq!(world.client.delete(&faults).send().await.unwrap().status(), 204);
    assert_eq!(world.request(KINDERGARTEN, &place_of_21()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_time_is_held_confirmed_once_or_given_back() {
    let world = World::new().await;
    let ask = async |route: &str, body: Value, key: Option<&str>| {
        let mut request = world.request(route, &body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap_or_default())
    };
    let wish = json!({"office": "novokuznetsk", "service": "passport", "today": "2026-11-23"});
    let (status, free) = ask("/mfc/slots", wish.clone(), None).await;
    assert_eq!((status, free["slots"].as_array().unwrap().len()), (200, 12));
    assert_eq!(free["slots"][0]["date"], "2026-11-24");
    let slot = json!({ "slot": free["slots"][0]["id"] });
    let (status, held) = ask("/mfc/holds", slot.clone(), Some("call-1")).await;
    assert_eq!(status, 201);
    assert_eq!(ask("/mfc/holds", slot.clone(), Some("call-1")).await, (201, held.clone()));
    assert_eq!(ask("/mfc/holds", slot.clone(), Some("call-2")).await, (409, json!({"error": "taken"})));
    assert_eq!(ask("/mfc/slots", wish, None).await.1["slots"].as_array().unwrap().len(), 11);
    let order = json!({ "hold": held["hold"] });
    let (status, booked) = ask("/mfc/confirm", order.clone(), None).await;
    assert_eq!((status, booked["code"].as_str().unwrap().len()), (200, 4));
    assert_eq!(ask("/mfc/confirm", order.clone(), None).await, (200, booked));
    assert_eq!(ask("/mfc/release", order, None).await.0, 409);
    assert_eq!(world.backend.appointments().len(), 1);
    world.backend.take_next(1);
    let other = json!({ "slot": free["slots"][1]["id"] });
    assert_eq!(ask("/mfc/holds", other, None).await.0, 409);
    let third = json!({ "slot": free["slots"][2]["id"] });
    let (_, held) = ask("/mfc/holds", third, None).await;
    assert_eq!(world.backend.held(), 1);
    world.backend.expire_holds();
    assert_eq!(world.backend.held(), 0);
    assert_eq!(ask("/mfc/confirm", json!({ "hold": held["hold"] }), None).await.0, 410);
    assert_eq!(ask("/mfc/slots", json!({"office": "../x", "service": "a", "today": "2026-11-23"}), None).await.0, 422);
}

#[tokio::test]
async fn an_answer_that_is_lost_was_carried_out() {
    let world = World::new().await;
    let fault = Fault { route: "/mfc/holds".to_owned(), kind: FaultKind::LostAnswer, times: 1, ms: 0 };
    world.backend.break_down(&fault).unwrap();
    let wish = json!({ "slot": "a/b/2026-11-24T09:00" });
    assert_eq!(world.request("/mfc/holds", &wish).send().await.unwrap().status(), 500);
    assert_eq!(world.backend.held(), 1);
}

#[tokio::test]
async fn the_webhook_takes_what_is_signed_once_under_its_key() {
    use base64::Engine;
    use hmac::Mac;
    let mut world = World::new().await;
    let backend = Backend::new("Bearer right").webhook_secret("a secret of plain text\n");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.base = format!("http://{}", listener.local_addr().unwrap());
    let served = backend.clone();
    tokio::spawn(async move { serve(listener, &served).await });
    let deliver = async |id: &str, body: &str, secret: &str| {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{id}.1795375800.{body}").as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        let request = world.client.post(format!("{}/webhook", world.base)).header("webhook-id", id);
        let request = request.header("webhook-timestamp", "1795375800");
        request
            .header("webhook-signature", format!("v1,{signature}"))
            .body(body.to_owned())
            .send()
            .await
            .unwrap()
            .status()
    };
    let right = "a secret of plain text";
    assert_eq!(deliver("k-1", "{\"a\":1}", right).await, 204);
    assert_eq!(deliver("k-1", "{\"a\":1}", right).await, 204);
    assert_eq!(deliver("k-2", "{\"a\":2}", right).await, 204);
    assert_eq!(deliver("k-2", "{\"a\":3}", right).await, 204);
    assert_eq!(deliver("k-3", "{\"a\":1}", "another").await, 401);
    backend
        .make_flaky(gudok_sample_backend::Flaky {
            route: "/webhook".to_owned(),
            kind: FaultKind::Status500,
            percent: 100,
            seed: 1,
        })
        .unwrap();
    assert_eq!(deliver("k-4", "{}", right).await, 500);
    let inbox = backend.inbox();
    assert_eq!((inbox.keys, inbox.deliveries, inbox.changed, inbox.refused), (2, 4, 1, 1));
    assert_eq!(backend.delivery("k-1").unwrap().body, Some(json!({"a": 1})));
}
