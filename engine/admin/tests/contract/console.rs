//! The console's pages as a browser asks for them, without a script: who sees what, what a form does, what is said when it
//! goes wrong.

use crate::engine::live_call;
use crate::world::{Ask, LIVE, PASSWORD, PAST, Reply, World, ask};
use axum::body::BodyDataStream;
use futures_util::StreamExt;
use gudok_admin::ports::Event;
use serde_json::json;
use tower::ServiceExt;

/// Somebody with a session.
pub(crate) struct Reader {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Reader {
    pub(crate) async fn of(world: &World, name: &str, roles: serde_json::Value) -> Self {
        world.user(name, roles).await;
        let (cookie, csrf) = world.session(name).await;
        Self { cookie, csrf }
    }

    pub(crate) async fn root(world: &World) -> Self {
        let (cookie, csrf) = world.session("root").await;
        Self { cookie, csrf }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        ask(method, path).header("cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, world: &World, path: &str) -> Reply {
        world.send(self.ask("GET", path)).await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = ("csrf", self.csrf.as_str());
        let fields = fields.iter().copied().chain([csrf]);
        let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        world.send(form(self.ask("POST", path), &fields.join("&"))).await
    }
}

pub(crate) fn form(ask: Ask, body: &str) -> Ask {
    ask.bytes("application/x-www-form-urlencoded", body.as_bytes().to_vec())
}

pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A form with a file, as browsers send it.
fn multipart(ask: Ask, fields: &[(&str, &str)], file: Option<&[u8]>) -> Ask {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let name = if file.is_some() { "desk.ivr" } else { "" };
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"bundle\"; filename=\"{name}\"\r\n");
    body.extend(head.bytes());
    body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
    body.extend(file.unwrap_or_default());
    body.extend(b"\r\n--b--\r\n");
    ask.bytes("multipart/form-data; boundary=b", body)
}

#[track_caller]
pub(crate) fn goes_to(reply: &Reply, place: &str) {
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, place), "{}", reply.text());
}

#[track_caller]
pub(crate) fn is_page(reply: &Reply) {
    let (text, policy) = (reply.text(), reply.header("content-security-policy"));
    assert!(reply.header("content-type").starts_with("text/html"), "{text}");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(text.contains("</html>") && !text.contains('⟦'), "{text}");
    assert_eq!(reply.header("cache-control"), "no-store");
}

/// The revision that a page's form would send.
fn revision_of(page: &str) -> String {
    page.split("name=\"revision\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn furnished() -> World {
    let world = World::new().await;
    let first = world.version("mfc", "desk", "1.0.0").await;
    world.deploy("mfc", "main", &first, 100).await;
    world
}

#[tokio::test]
async fn every_page_answers_every_role() {
    let world = furnished().await;
    let version = world.version("mfc", "desk", "1.1.0").await;
    world.root(ask("PUT", "/api/v1/overlays/flood").json(&json!({ "text": "Вода." }))).await.expect(201);
    let number = json!({ "number": "200", "agency": "mfc", "entry": "main" });
    world.root(ask("POST", "/api/v1/numbers").json(&number)).await.expect(201);
    let pages = [
        "calls".to_owned(),
        format!("calls/{}", LIVE[0].1),
        format!("calls/{}", PAST[0].1),
        format!("calls/{}/hangup", LIVE[0].1),
        format!("calls/{}/land", LIVE[0].1),
        "records".into(),
        "records?agency=mfc&from=2026-05-01T00%3A00".into(),
        "records?from=soon".into(),
        "overlays".into(),
        "overlays/new".into(),
        "overlays/flood".into(),
        "overlays/flood/delete".into(),
        "deployments".into(),
        "deployments/new".into(),
        "deployments/mfc/main".into(),
        "versions".into(),
        "versions/upload".into(),
        format!("versions/{version}"),
        format!("versions/{version}/delete"),
        format!("versions/{version}/flow"),
        format!("versions/{version}/flow?compare=1&all=1&show=1"),
        "agencies".into(),
        "agencies/new".into(),
        "agencies/mfc".into(),
        "agencies/filed".into(),
        "agencies/mfc/entries/main".into(),
        "agencies/mfc/delete".into(),
        "numbers".into(),
        "numbers/new".into(),
        "numbers/200".into(),
        "numbers/200/delete".into(),
        "users".into(),
        "users/new".into(),
        "users/root".into(),
        "users/root/delete".into(),
        "tokens".into(),
        "audit".into(),
        "audit?actor=root&action=user.create".into(),
        "configuration".into(),
        "floor".into(),
        "floor?agency=mfc".into(),
        "callbacks".into(),
        "callbacks?state=ended".into(),
        format!("calls/{}/supervise", LIVE[0].1),
        "emergency".into(),
        "emergency/flood/end".into(),
        "tickets".into(),
        "tickets?kind=complaint".into(),
        "deliveries".into(),
        "directory".into(),
        "directory/new".into(),
        "directory/import".into(),
        "guides".into(),
        "guides/new".into(),
        "reports".into(),
        "reports?from=soon".into(),
        "surveys".into(),
        "logs".into(),
        "faults".into(),
        "subjects".into(),
    ];
    let people = [
        ("root", None, None),
        ("a", Some("author"), Some("mfc")),
        ("s", Some("supervisor"), Some("mfc")),
        ("o", Some("operator"), Some("zags")),
        ("u", Some("auditor"), None),
        ("e", Some("emergency-officer"), None),
    ];
    for (name, role, agency) in people {
        let reader = match role {
            None => Reader::root(&world).await,
            Some(role) => Reader::of(&world, name, json!([{ "role": role, "agency": agency }])).await,
        };
        let mut seen = 0;
        for page in &pages {
            let reply = reader.get(&world, &format!("/console/{page}")).await;
            let status = reply.status.as_u16();
            assert!(matches!(status, 200 | 403 | 404), "{name} at {page}: {status} {}", reply.text());
            is_page(&reply);
            seen += usize::from(status == 200);
        }
        assert_eq!(seen == pages.len(), role.is_none(), "{name} sees {seen} pages of {}", pages.len());
        assert!(seen > 3, "{name} sees {seen} pages");
    }
}

#[tokio::test]
async fn strangers_are_led_to_the_log_in_and_back() {
    let world = World::new().await;
    let reply = world.send(ask("GET", "/console/deployments/mfc/main?x=1")).await;
    goes_to(&reply, "/console/login?next=/console/deployments/mfc/main%3Fx%3D1");
    goes_to(&world.send(ask("GET", "/")).await, "/console/");
    let fragment = ask("GET", "/console/calls").header("hx-request", "true");
    assert_eq!(world.send(fragment).await.header("hx-redirect"), "/console/login");

    let page = world.send(ask("GET", "/console/login").header("accept-language", "en-GB,en;q=0.9")).await.expect(200);
    is_page(&page);
    assert!(page.text().contains("Log in") && page.text().contains("lang=\"en\""));
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(page.header("set-cookie").contains("HttpOnly; SameSite=Strict"));
    let csrf = page.text().split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let enter = |user: &str, password: &str, csrf: &str, next: &str| {
        let fields = [("user", user), ("password", password), ("csrf", csrf), ("next", next)];
        let body = fields.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
        form(ask("POST", "/console/login").header("cookie", &cookie), &body)
    };
    let wrong = world.send(enter("root", "wrong-password", &csrf, "/console/users")).await.expect(422);
    is_page(&wrong);
    assert!(wrong.text().contains("id=\"user-wrong\"") && wrong.text().contains("value=\"/console/users\""));
    assert!(!wrong.text().contains("wrong-password"), "the password is in the page");
    world.send(enter("root", PASSWORD, "another", "")).await.expect(403);
    let foreign = enter("root", PASSWORD, &csrf, "").header("origin", "https://evil.example");
    world.send(foreign).await.expect(403);
    for (next, place) in [("/console/users", "/console/users"), ("//evil.example", "/console/"), ("", "/console/")] {
        let reply = world.send(enter("root", PASSWORD, &csrf, next)).await;
        goes_to(&reply, place);
        assert!(reply.header("set-cookie").starts_with("gudok_session="), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn forms_without_their_token_do_nothing() {
    let world = furnished().await;
    let reader = Reader::root(&world).await;
    let before = world.audit_seq().await;
    for path in
        ["users/new", "deployments/mfc/main/rollback", "agencies/mfc/delete", "audit/verify", "logout", "language"]
    {
        for body in ["", "csrf=", "csrf=AAAA"] {
            let reply = world.send(form(reader.ask("POST", &format!("/console/{path}")), body)).await.expect(403);
            is_page(&reply);
        }
    }
    let bundle = world.bundle("mfc", "desk", "1.1.0", &json!({}));
    for fields in [vec![("agency", "mfc")], vec![("csrf", "AAAA"), ("agency", "mfc")]] {
        let reply = world.send(multipart(reader.ask("POST", "/console/versions/upload"), &fields, Some(&bundle))).await;
        is_page(&reply.expect(403));
    }
    assert_eq!(world.audit_seq().await, before, "something was done");
}

#[tokio::test]
async fn a_bundle_comes_in_by_the_form_and_goes_live() {
    let world = furnished().await;
    let reader = Reader::root(&world).await;
    let bundle = world.bundle("mfc", "desk", "1.1.0", &json!({ "http": {} }));
    let upload = |fields: &[(&str, &str)], file: Option<&[u8]>| {
        let mut all = vec![("csrf", reader.csrf.as_str())];
        all.extend_from_slice(fields);
        multipart(reader.ask("POST", "/console/versions/upload"), &all, file)
    };
    let none = world.send(upload(&[("agency", "mfc")], None)).await.expect(422);
    assert!(none.text().contains("id=\"bundle-wrong\""));
    let others = world.send(upload(&[("agency", "zags")], Some(&bundle))).await.expect(422);
    is_page(&others);
    assert!(
        others.text().contains("It is another agency") && others.text().contains("report-title"),
        "{}",
        others.text()
    );
    let taken = world.send(upload(&[("agency", "mfc")], Some(&bundle))).await;
    let place = taken.header("location").to_owned();
    goes_to(&taken, &place);
    let version = place.trim_start_matches("/console/versions/").trim_end_matches("?notice=uploaded").to_owned();

    let page = reader.get(&world, &place).await.expect(200);
    assert!(page.text().contains("id=\"approve\""), "{}", page.text());
    let deploy = |share: &str, revision: &str| {
        vec![("version", version.clone()), ("share_percent", share.to_owned()), ("revision", revision.to_owned())]
    };
    let here = "/console/deployments/mfc/main";
    let post = async |path: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        reader.post(&world, path, &fields).await
    };
    let waiting = post(here, &deploy("10", "1")).await.expect(422);
    assert!(waiting.text().contains("id=\"deploy-version-wrong\""), "{}", waiting.text());
    let approved = reader.post(&world, &format!("/console/versions/{version}/approve"), &[("reason", "да")]).await;
    goes_to(&approved, &format!("/console/versions/{version}?notice=approved"));
    let wrong = post(here, &deploy("101", "1")).await.expect(422);
    is_page(&wrong);
    assert!(wrong.text().contains("id=\"deploy-share_percent-wrong\"") && wrong.text().contains("value=\"101\""));
    let stale = post(here, &deploy("10", "77")).await.expect(422);
    assert!(stale.text().contains("изменил кто-то другой"), "{}", stale.text());
    goes_to(&post(here, &deploy("10", "1")).await, &format!("{here}?notice=deployed"));
    let page = reader.get(&world, here).await.expect(200).text();
    assert!(page.contains("1.1.0") && page.contains("10\u{a0}%") && page.contains("id=\"release\""), "{page}");
    goes_to(&post(&format!("{here}/release"), &[]).await, &format!("{here}?notice=released"));
    goes_to(
        &post(&format!("{here}/rollback"), &[("reason", "проба".into())]).await,
        &format!("{here}?notice=rolled_back"),
    );
    let again = post(&format!("{here}/release"), &[]).await.expect(422);
    is_page(&again);
    let done: Vec<String> = world.audit_after(0).await.into_iter().map(|(action, ..)| action).collect();
    for action in ["bundle.refuse", "bundle.upload", "version.approve", "deploy", "release", "rollback"] {
        assert!(done.iter().any(|one| one == action), "{action} is not in {done:?}");
    }
}

#[tokio::test]
async fn what_is_kept_is_made_changed_and_taken_away_by_forms() {
    let world = furnished().await;
    let reader = Reader::root(&world).await;
    let agency = [("name", "jkh"), ("title", "ЖКХ"), ("fallback", "operators"), ("reachable", "pass = mfc/main")];
    goes_to(&reader.post(&world, "/console/agencies/new", &agency).await, "/console/agencies/jkh?notice=created");
    let again = reader.post(&world, "/console/agencies/new", &agency).await.expect(422);
    assert!(again.text().contains("id=\"name-wrong\""), "{}", again.text());
    let bad = [("name", "X"), ("fallback", "nobody"), ("reachable", "nonsense")];
    let bad = reader.post(&world, "/console/agencies/new", &bad).await.expect(422);
    assert!(bad.text().contains("id=\"name-wrong\"") && bad.text().contains("id=\"reachable-wrong\""));
    let days = [("cdr_days", "100"), ("recording_days", "0"), ("trace_days", "3"), ("revision", "0")];
    let wrong = reader.post(&world, "/console/agencies/jkh/retention", &days).await.expect(422);
    assert!(wrong.text().contains("id=\"retention-recording_days-wrong\""));
    let days = [("cdr_days", "100"), ("recording_days", "9"), ("trace_days", "3"), ("revision", "0")];
    goes_to(&reader.post(&world, "/console/agencies/jkh/retention", &days).await, "/console/agencies/jkh?notice=saved");
    let key =
        [("public_key", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"), ("expires", "2027-01-01T00:00")];
    goes_to(&reader.post(&world, "/console/agencies/jkh/keys", &key).await, "/console/agencies/jkh?notice=saved");
    assert!(reader.get(&world, "/console/agencies/jkh").await.text().contains("e7620f1842b4e81f"));
    let revoke = "/console/agencies/jkh/keys/e7620f1842b4e81f/revoke";
    is_page(&reader.get(&world, revoke).await.expect(200));
    goes_to(&reader.post(&world, revoke, &[]).await, "/console/agencies/jkh?notice=revoked");

    let settings = "/console/agencies/jkh/entries/main";
    let wrong = [("config", "nonsense"), ("secrets", "key = the secret itself"), ("revision", "0")];
    let wrong = reader.post(&world, settings, &wrong).await.expect(422);
    assert!(wrong.text().contains("id=\"config-wrong\""), "{}", wrong.text());
    let set = [("config", "greeting = Добрый день\nopen = yes"), ("secrets", "key = env:KEY"), ("revision", "0")];
    goes_to(&reader.post(&world, settings, &set).await, "/console/agencies/jkh?notice=saved");
    assert!(reader.get(&world, settings).await.text().contains("greeting = Добрый день\nopen = yes"));

    let number = [("number", "+73842000000"), ("agency", "mfc"), ("entry", "main"), ("lang", "")];
    goes_to(&reader.post(&world, "/console/numbers/new", &number).await, "/console/numbers?notice=created");
    let page = reader.get(&world, "/console/numbers/%2B73842000000").await.expect(200).text();
    let revision = revision_of(&page);
    let changed = [("agency", "mfc"), ("entry", "main"), ("lang", "ru-RU"), ("revision", revision.as_str())];
    goes_to(&reader.post(&world, "/console/numbers/%2B73842000000", &changed).await, "/console/numbers?notice=saved");
    let stale = reader.post(&world, "/console/numbers/%2B73842000000", &changed).await.expect(422);
    assert!(stale.text().contains("изменил кто-то другой"));
    let filed = [("agency", "mfc"), ("entry", "main"), ("revision", "0")];
    let filed = reader.post(&world, "/console/numbers/100", &filed).await.expect(422);
    assert!(filed.text().contains("gudok.toml"), "{}", filed.text());
    goes_to(
        &reader.post(&world, "/console/numbers/%2B73842000000/delete", &[]).await,
        "/console/numbers?notice=deleted",
    );

    let overlay = [("name", "flood"), ("text", "Вода."), ("agencies", "mfc"), ("agencies", "jkh")];
    goes_to(&reader.post(&world, "/console/overlays/new", &overlay).await, "/console/overlays?notice=created");
    let taken = reader.post(&world, "/console/overlays/new", &overlay).await.expect(422);
    assert!(taken.text().contains("id=\"name-wrong\""));
    assert!(reader.get(&world, "/console/overlays").await.text().contains("mfc, jkh"));
    goes_to(&reader.post(&world, "/console/overlays/flood/delete", &[]).await, "/console/overlays?notice=deleted");
}

#[tokio::test]
async fn people_and_their_tokens_are_kept_by_forms() {
    let world = World::new().await;
    let reader = Reader::root(&world).await;
    let boris = [
        ("name", "boris"),
        ("full_name", "Борис"),
        ("password", "a-long-password-1"),
        ("lang", "en"),
        ("role_0", "author"),
        ("agency_0", "mfc"),
        ("role_1", ""),
        ("agency_1", ""),
    ];
    goes_to(&reader.post(&world, "/console/users/new", &boris).await, "/console/users?notice=created");
    let wrong = [("name", "vera"), ("password", "short"), ("lang", "ru"), ("role_0", "operator"), ("agency_0", "")];
    let wrong = reader.post(&world, "/console/users/new", &wrong).await.expect(422);
    assert!(wrong.text().contains("id=\"agency_0-wrong\"") && !wrong.text().contains("short"), "{}", wrong.text());
    let short = [("name", "vera"), ("password", "short"), ("lang", "ru")];
    let short = reader.post(&world, "/console/users/new", &short).await.expect(422);
    assert!(short.text().contains("id=\"password-wrong\""), "{}", short.text());
    let seen = revision_of(&reader.get(&world, "/console/users/root").await.text());
    let last = [("full_name", ""), ("lang", "ru"), ("revision", seen.as_str())];
    let last = reader.post(&world, "/console/users/root", &last).await.expect(422);
    assert!(last.text().contains("администраторов не останется"), "{}", last.text());

    let made = reader.post(&world, "/console/tokens", &[("label", "сборка"), ("days", "30")]).await.expect(200);
    let token = made.text().split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(world.send(ask("GET", "/api/v1/me").token(&token)).await.expect(200).json()["user"], "root");
    assert!(!reader.get(&world, "/console/tokens").await.text().contains(&token), "it is shown twice");
    let empty = reader.post(&world, "/console/tokens", &[("label", ""), ("days", "1000")]).await.expect(422);
    assert!(empty.text().contains("id=\"label-wrong\"") && empty.text().contains("id=\"days-wrong\""));

    // The language is the reader's, and stays.
    assert!(reader.get(&world, "/console/users").await.text().contains("<html lang=\"ru\""));
    let choose = [("lang", "en"), ("back", "/console/users")];
    goes_to(&reader.post(&world, "/console/language", &choose).await, "/console/users");
    let english = reader.get(&world, "/console/users").await.text();
    assert!(english.contains("<html lang=\"en\"") && english.contains("<h1>Users</h1>"));
    let whole = reader.post(&world, "/console/audit/verify", &[]).await.expect(200);
    assert!(whole.text().contains("The audit is whole"), "{}", whole.text());
    let out = reader.post(&world, "/console/logout", &[]).await;
    goes_to(&out, "/console/login");
    goes_to(&reader.get(&world, "/console/users").await, "/console/login?next=/console/users");
}

#[tokio::test]
async fn a_call_is_ended_after_a_question() {
    let world = World::new().await;
    let reader = Reader::root(&world).await;
    let id = LIVE[0].1;
    let path = format!("/console/calls/{id}/hangup");
    let fragment = world.send(reader.ask("GET", &path).header("hx-request", "true")).await.expect(200);
    assert!(fragment.text().contains("dialog-title") && !fragment.text().contains("<html"));
    is_page(&reader.get(&world, &path).await.expect(200));
    goes_to(&reader.post(&world, &path, &[]).await, "/console/calls?notice=hangup");
    goes_to(&reader.post(&world, &format!("/console/calls/{id}/land"), &[]).await, "/console/calls?notice=land");
    assert_eq!(world.engine.state.lock().orders, [(id.to_owned(), "hangup"), (id.to_owned(), "land")]);
    let over = format!("/console/calls/{}/hangup", "9".repeat(32));
    goes_to(&reader.post(&world, &over, &[]).await, "/console/calls?notice=call_over");
    let supervisor = Reader::of(&world, "vera", json!([{ "role": "supervisor", "agency": "zags" }])).await;
    goes_to(&supervisor.post(&world, &path, &[]).await, "/console/calls?notice=call_over");
    assert_eq!(world.engine.state.lock().orders.len(), 2, "another agency's call");
}

#[tokio::test]
async fn a_live_page_is_told_what_changed_and_no_more_when_its_reader_is_gone() {
    let world = World::new().await;
    let reader = Reader::of(&world, "vera", json!([{ "role": "supervisor", "agency": "mfc" }])).await;
    let response = world.router.clone().oneshot(reader.ask("GET", "/console/calls/stream").request()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let call = live_call(&"5".repeat(32), "mfc");
    world.engine.state.lock().calls.push(call.clone());
    world.engine.tell(Event::Call(live_call(&"6".repeat(32), "zags")));
    world.engine.tell(Event::Call(call.clone()));
    let told = until_told(&mut stream, "call-5555").await;
    assert!(told.contains("event: count\ndata: 2 звонка") && !told.contains(LIVE[1].1), "{told}");
    world.root(ask("DELETE", "/api/v1/users/vera")).await.expect(204);
    world.engine.tell(Event::CallEnded(call));
    assert!(stream.next().await.is_none_or(|end| end.is_err()), "it goes on");
}

async fn until_told(stream: &mut BodyDataStream, words: &str) -> String {
    let mut told = String::new();
    while !told.contains(words) {
        told.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
    }
    told
}

#[tokio::test]
async fn what_is_not_there_is_said_on_a_page() {
    let world = World::new().await;
    let reader = Reader::root(&world).await;
    for path in ["nothing", "users/nobody", "deployments/mfc/nothing", "versions/x", "calls/x", "agencies/..%2Fetc"] {
        let reply = reader.get(&world, &format!("/console/{path}")).await;
        assert!((400..500).contains(&reply.status.as_u16()), "{path}: {}", reply.status);
        is_page(&reply);
    }
    // Who lists in a language that is no language of ours gets one that is.
    let reply = world.send(ask("GET", "/console/login?lang=en").header("accept-language", "ru")).await.expect(200);
    assert!(reply.text().contains("Log in"));
    assert!(
        reply.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with("gudok_lang=en"))
    );
}
