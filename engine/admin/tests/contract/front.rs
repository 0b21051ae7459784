//! What every request meets first: limits of the head, hosts, types, methods; and what every answer carries.

use crate::world::{World, ask};
use gudok_admin::access::ROUTES;
use serde_json::json;

#[tokio::test]
async fn what_is_too_much_is_refused_in_words() {
    let world = World::new().await;
    let long = format!("/api/v1/users?cursor={}", "x".repeat(9_000));
    world.root(ask("GET", long)).await.refused(414, "uri-too-long");
    let many = (0..70).fold(ask("GET", "/api/v1/me"), |ask, n| ask.header(&format!("x-{n}"), "y"));
    world.root(many).await.refused(431, "headers-too-large");
    let large = ask("GET", "/api/v1/me").header("x-large", "y".repeat(17_000));
    world.root(large).await.refused(431, "headers-too-large");
    let body = json!({ "name": "anna", "full_name": "x".repeat(300_000) });
    world.root(ask("POST", "/api/v1/users").json(&body)).await.refused(413, "too-large");
    let keyed = ask("POST", "/api/v1/users").json(&body).header("idempotency-key", "k");
    world.root(keyed).await.refused(413, "too-large");
}

#[tokio::test]
async fn types_and_methods_are_what_the_documentation_says() {
    let world = World::new().await;
    let text = ask("POST", "/api/v1/users").bytes("text/plain", b"{}".to_vec());
    world.root(text).await.refused(415, "unsupported-type");
    let untyped = ask("POST", "/api/v1/users");
    world.root(untyped).await.refused(415, "unsupported-type");
    world.root(ask("POST", "/api/v1/users").bytes("application/json", vec![0xff])).await.refused(400, "bad-json");
    world.root(ask("GET", "/api/v1/users").header("accept", "text/html")).await.refused(406, "not-acceptable");
    world.root(ask("GET", "/api/v1/users").header("accept", "application/json;q=0")).await.expect(200);
    world.root(ask("GET", "/api/v1/users").header("accept", "text/html, */*;q=0.1")).await.expect(200);
    world.root(ask("GET", "/metrics").header("accept", "application/json")).await.refused(406, "not-acceptable");
    for method in ["PATCH", "OPTIONS", "TRACE", "DELETE", "PROPFIND"] {
        let refused = world.root(ask(method, "/api/v1/users")).await.refused(405, "method-not-allowed");
        let allow = refused.header("allow").to_owned();
        assert!(allow.contains("GET") && allow.contains("POST"), "{method}: {allow}");
    }
    world.root(ask("GET", "/api/v1/nothing")).await.refused(404, "not-found");
    world.send(ask("GET", "/api/v2")).await.refused(404, "not-found");
    let head = world.root(ask("HEAD", "/api/v1/users")).await.expect(200);
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_refused_everywhere() {
    let world = World::new().await;
    // Nobody but its operator reaches a desk.
    let roles = serde_json::json!([{ "role": "admin" }, { "role": "operator", "agency": "mfc" }]);
    let token = world.user("anna", roles).await;
    for route in ROUTES {
        let path = route.path.replace("{agency}", "mfc").replace("{entry}", "main").replace("{name}", "root");
        let path = path.replace("{id}", "0123456789abcdef").replace("{number}", "100").replace("{key}", "0");
        let unknown = ask(route.method.http().as_str(), format!("{path}?agenci=mfc"));
        let refused = world.send(unknown.token(&token)).await.refused(400, "bad-query").json();
        assert_eq!(refused["field"], "agenci", "{route:?}");
    }
}

#[tokio::test]
async fn another_sites_name_for_this_machine_is_not_ours() {
    let world = World::with(|config| config.hosts = vec!["gudok.example.org".into()]).await;
    let with = |host: &str| {
        let mut request = ask("GET", "/api/v1/openapi.json").request();
        request.headers_mut().insert("host", host.parse().unwrap());
        world.send_raw(request)
    };
    for host in ["127.0.0.1:8070", "localhost", "[::1]:8070", "gudok.example.org", "GUDOK.example.org:443"] {
        with(host).await.expect(200);
    }
    for host in
        ["evil.example", "evil.example:8070", "127.0.0.1.evil.example", "192.0.2.7", "localhost.evil.example", ""]
    {
        let refused = with(host).await.refused(421, "misdirected");
        assert_eq!(refused.json()["field"], "Host");
    }
    let absolute = ask("GET", "http://evil.example/api/v1/openapi.json");
    world.send(absolute).await.refused(421, "misdirected");
}

#[tokio::test]
async fn health_needs_no_token_on_loopback_and_one_elsewhere() {
    let world = World::new().await;
    for path in ["/health", "/ready", "/metrics"] {
        world.send(ask("GET", path)).await.expect(200);
    }
    world.engine.state.lock().not_ready = true;
    world.send(ask("GET", "/ready")).await.refused(503, "not-ready");
    let world = World::with(|config| {
        config.loopback = false;
        config.tls = true;
    })
    .await;
    let operator = world.user("operator", json!([{ "role": "operator", "agency": "mfc" }])).await;
    for path in ["/health", "/ready", "/metrics"] {
        world.send(ask("GET", path)).await.refused(401, "unauthenticated");
        let reply = world.root(ask("GET", path)).await.expect(200);
        assert!(reply.header("strict-transport-security").starts_with("max-age="));
    }
    world.send(ask("GET", "/health").token(&operator)).await.expect(200);
    world.send(ask("GET", "/metrics").token(&operator)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn every_answer_keeps_browsers_safe() {
    let world = World::new().await;
    for path in ["/api/v1/me", "/api/v1/users", "/api/docs/", "/api/docs/problems", "/nothing", "/health"] {
        let reply = world.root(ask("GET", path)).await;
        let policy = reply.header("content-security-policy").to_owned();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), value, "{path}");
        }
        assert_eq!(reply.header("x-request-id").len(), 16, "{path}");
    }
}

#[tokio::test]
async fn the_documentation_comes_from_here_alone() {
    let world = World::new().await;
    assert_eq!(world.send(ask("GET", "/api/docs")).await.expect(308).header("location"), "/api/docs/");
    let index = world.send(ask("GET", "/api/docs/")).await.expect(200);
    assert!(index.header("content-type").starts_with("text/html"));
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let file = world.send(ask("GET", format!("/api/docs/{file}"))).await.expect(200);
        assert!(!file.body.is_empty());
    }
    let initializer = world.send(ask("GET", "/api/docs/swagger-initializer.js")).await.text();
    assert!(initializer.contains("/api/v1/openapi.json"), "{initializer}");
    world.send(ask("GET", "/api/docs/none.js")).await.refused(404, "not-found");
    let problems = world.send(ask("GET", "/api/docs/problems")).await.expect(200).text();
    for code in gudok_admin::problem::codes::ALL {
        assert!(problems.contains(&format!("id=\"{}\"", code.code)), "{}", code.code);
    }
}
