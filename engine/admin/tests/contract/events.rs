//! Events: what is seen by whom, and for how long.

use crate::engine::{live_call, log_line};
use crate::world::{World, ask};
use axum::body::BodyDataStream;
use futures_util::StreamExt;
use gudok_admin::ports::Event;
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt;

struct Reader {
    body: BodyDataStream,
}

impl Reader {
    async fn open(world: &World, token: &str, query: &str, resumed: bool) -> Self {
        let mut ask = ask("GET", format!("/api/v1/events{query}")).token(token);
        if resumed {
            ask = ask.header("last-event-id", "1-1");
        }
        let response = world.router.clone().oneshot(ask.request()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream() }
    }

    /// The next event that is no comment.
    async fn next(&mut self) -> Option<String> {
        loop {
            let text = String::from_utf8(self.body.next().await?.unwrap().to_vec()).unwrap();
            if !text.starts_with(':') {
                return Some(text);
            }
        }
    }
}

#[tokio::test]
async fn one_sees_what_is_within_reach() {
    let world = World::new().await;
    let author = world.user("author", json!([{ "role": "author", "agency": "mfc" }])).await;
    let operator = world.user("operator", json!([{ "role": "operator", "agency": "mfc" }])).await;
    let mut of_author = Reader::open(&world, &author, "", false).await;
    let mut of_operator = Reader::open(&world, &operator, "", false).await;
    let mut of_root = Reader::open(&world, &world.root, "?topics=logs&agency=zags", false).await;
    for agency in ["zags", "mfc"] {
        world.engine.tell(Event::Log(log_line(agency)));
        world.engine.tell(Event::Call(live_call(&"1".repeat(32), agency)));
        world.engine.tell(Event::CallEnded(live_call(&"1".repeat(32), agency)));
    }
    let (log, call, ended) =
        (of_author.next().await.unwrap(), of_author.next().await.unwrap(), of_author.next().await.unwrap());
    assert!(log.contains("event: log") && log.contains("\"agency\":\"mfc\"") && log.contains("id: "), "{log}");
    assert!(call.contains("event: call") && !call.contains("ended"), "{call}");
    assert!(ended.contains("\"ended\":true"), "{ended}");
    // An operator may not read logs.
    assert!(of_operator.next().await.unwrap().contains("event: call"));
    let log = of_root.next().await.unwrap();
    assert!(log.contains("\"agency\":\"zags\""), "{log}");
    let asked = ask("GET", "/api/v1/events?topics=logs").token(&operator);
    world.send(asked).await.refused(403, "forbidden");
    let asked = ask("GET", "/api/v1/events?agency=zags").token(&operator);
    world.send(asked).await.refused(403, "forbidden");
    world.root(ask("GET", "/api/v1/events?topics=weather")).await.refused(400, "bad-query");
}

#[tokio::test]
async fn who_was_slow_or_away_is_told() {
    let world = World::new().await;
    let mut slow = Reader::open(&world, &world.root, "?topics=logs", false).await;
    for _ in 0..200 {
        world.engine.tell(Event::Log(log_line("mfc")));
    }
    let lagged = slow.next().await.unwrap();
    assert!(lagged.contains("event: lagged") && lagged.contains("\"missed\":136"), "{lagged}");
    assert!(slow.next().await.unwrap().contains("event: log"));
    let mut back = Reader::open(&world, &world.root, "?topics=logs", true).await;
    assert!(back.next().await.unwrap().contains("\"missed\":null"));
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_with_the_room() {
    let world = World::new().await;
    let token = world.user("anna", json!([{ "role": "auditor" }])).await;
    let mut stream = Reader::open(&world, &token, "", false).await;
    let mut other = Reader::open(&world, &world.root, "", false).await;
    world.send(ask("POST", "/api/v1/logout").token(&token)).await.expect(204);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(16)).await;
    tokio::time::resume();
    assert_eq!(stream.next().await, None);
    world.admin.shut_down();
    assert_eq!(other.next().await, None);
}

#[tokio::test]
async fn streams_are_counted_and_given_back() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(Reader::open(&world, &world.root, "", false).await);
    }
    world.root(ask("GET", "/api/v1/events")).await.refused(429, "too-many");
    open.pop();
    Reader::open(&world, &world.root, "", false).await;
}
