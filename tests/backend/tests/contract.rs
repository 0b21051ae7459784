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
