//! Seeded secrets, searched for wherever the engine writes or says something: its log at its most talkative, traces,
//! faults, records, metrics, the audit, every route of the API asked well and badly, and the store's files.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, Phone};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{Api, Author, ConfigBuilder, Draft, Engine, SampleBackend, bundle};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that our crates have to say.
const TALKATIVE: &str = "info,gudok=trace,gudok_admin=trace,gudok_core=trace,gudok_media=trace,gudok_plugin_host=trace,\
                         gudok_sip=trace,gudok_speech=trace,gudok_store=trace";
const AGENCY: &str = "tax";
const PLACE: &str = "tax/desk";
const NUMBER: &str = "400";
/// A script that is stopped for a fault, so that there are faults to be read.
const FAULTY: &str = "401";

/// A secret, and what it is.
struct Seed {
    what: &'static str,
    text: String,
}

const CALLER: &str = "+79135550142";
const APPLICATION: &str = "12345678";
const WRONG_APPLICATION: &str = "84613957";
const CHECK: &str = "1234";
const BACK_END: &str = "Bearer seeded-for-the-back-end-5f1e";
const OF_THE_FILE: &str = "seeded-in-a-file-of-the-configuration-77c0";
const PASSWORD: &str = "seeded-password-of-anna-91b2";
const NEXT_PASSWORD: &str = "seeded-next-password-of-anna-2d4c";
const WRONG_PASSWORD: &str = "seeded-wrong-password-0a6e";
const MISPLACED: &str = "seeded-where-it-does-not-belong-e3d8";
const WRONG_TOKEN: &str = "gdk_seededtokenthatnobodyhasmade0000000000000000";

struct Town {
    engine: Engine,
    /// Anna, whom the first token made an admin.
    anna: Api,
    /// A token that a program has.
    program: Api,
    seeds: Vec<Seed>,
    author: Author,
    _others: (SampleBackend, Phone, tempfile::TempDir),
}

impl Town {
    async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let secret = folder.path().join("back-end");
        std::fs::write(&secret, BACK_END)?;
        let of_the_file = folder.path().join("of-the-file");
        std::fs::write(&of_the_file, OF_THE_FILE)?;
        let back_end = SampleBackend::start_wanting(Some(&secret)).await?;
        let operator = parties::operator().await?;
        let (at, dir) = (back_end.address, folder.path());
        let config = ConfigBuilder::new()
            .operator("anna", operator.local_addr())
            .script("hostile", "loop", bundle("hostile")?, "approve = \"as-declared\"")
            .number(FAULTY, "hostile", "loop")
            .script(
                "migration",
                "passport",
                bundle("passport")?,
                &format!("approve = \"as-declared\"\nsecrets = {{ back-end = {of_the_file:?} }}"),
            )
            .fetch_allowed(at)
            .extra(&format!("[admin]\nsecrets_dir = {dir:?}\n"))
            .log(TALKATIVE);
        let engine = Engine::start_at(&config, Some(NOON)).await?;
        let first = engine.api()?;
        let author = Author::of(AGENCY)?;
        let anna = people(&first).await?;
        agency(&anna, &author, at).await?;
        let token = anna.post("/tokens", &json!({ "label": "a program's" })).await?.expect(201)?.json();
        let program = anna.with_token(token["token"].as_str().context("no token")?);
        let seed = |what, text: &str| Seed { what, text: text.to_owned() };
        let secret_key = author.secret_file().lines().nth(1).context("a secret key has two lines")?.to_owned();
        let seeds = vec![
            seed("the back end's secret", BACK_END),
            seed("the back end's secret without its scheme", &BACK_END["Bearer ".len()..]),
            seed("the configuration file's secret", OF_THE_FILE),
            seed("a password", PASSWORD),
            seed("the next password", NEXT_PASSWORD),
            seed("a wrong password", WRONG_PASSWORD),
            seed("a secret in the wrong place", MISPLACED),
            seed("a wrong token", &WRONG_TOKEN["gdk_".len()..]),
            seed("the first token", &first.token["gdk_".len()..]),
            seed("the token of a log-in", &anna.token["gdk_".len()..]),
            seed("a program's token", &program.token["gdk_".len()..]),
            seed("the key that signs", &secret_key),
            seed("the caller's number", &CALLER[1..]),
            seed("the caller's national number", &CALLER[2..]),
            seed("a number that was entered", APPLICATION),
            seed("another number that was entered", WRONG_APPLICATION),
        ];
        Ok(Self { engine, anna, program, seeds, author, _others: (back_end, operator, folder) })
    }

    /// Looks for every seed in a text. Nothing may be said twice: the message has the seed's name and not the seed.
    fn search(&self, place: &str, text: &str) -> anyhow::Result<()> {
        self.search_but(place, text, &[])
    }

    fn search_but(&self, place: &str, text: &str, but: &[&str]) -> anyhow::Result<()> {
        for Seed { what, text: seed } in self.seeds.iter().filter(|seed| !but.contains(&seed.what)) {
            let Some(at) = text.find(seed.as_str()) else { continue };
            let before: String = text[..at].chars().rev().take(160).collect::<Vec<_>>().into_iter().rev().collect();
            anyhow::bail!("{what} is in {place}, behind: {before}");
        }
        Ok(())
    }
}

/// Makes the users: log-ins that succeed and that do not.
async fn people(first: &Api) -> anyhow::Result<Api> {
    let anna = json!({
        "name": "anna", "full_name": "Anna", "roles": [{ "role": "admin" }], "disabled": false, "lang": "en",
        "password": PASSWORD,
    });
    first.post("/users", &anna).await?.expect(201)?;
    let nobody = first.with_token("");
    let given = nobody.post("/login", &json!({ "user": "anna", "password": PASSWORD })).await?.expect(201)?.json();
    let anna = first.with_token(given["token"].as_str().context("no token")?);
    nobody.post("/login", &json!({ "user": "anna", "password": WRONG_PASSWORD })).await?.expect(401)?;
    nobody.post("/login", &json!({ "user": WRONG_PASSWORD, "password": PASSWORD })).await?.expect(401)?;
    first.with_token(WRONG_TOKEN).get("/me").await?.expect(401)?;
    Ok(anna)
}

/// Makes an agency by API alone: key, settings with a secret, version, deployment, number.
async fn agency(api: &Api, author: &Author, back_end: std::net::SocketAddr) -> anyhow::Result<()> {
    let agency = json!({ "name": AGENCY, "title": "Taxes", "fallback": "operators" });
    api.post("/agencies", &agency).await?.expect(201)?;
    api.add_key(AGENCY, author.public_key()).await?;
    let settings = json!({
        "config": { "back_end": format!("http://{back_end}") }, "secrets": { "back-end": "file:back-end" },
    });
    let request = api.request("PUT", &format!("/agencies/{AGENCY}/entries/desk")).json(&settings);
    let set = api.send(request).await?;
    ensure!(matches!(set.status, 200 | 201), "{}: {}", set.status, set.body);
    let id = api.publish(AGENCY, &author.bundle(&Draft::of("passport")?)?).await?;
    api.deploy(PLACE, &json!({ "version": id })).await?;
    let number = json!({ "number": NUMBER, "agency": AGENCY, "entry": "desk" });
    api.post("/numbers", &number).await?.expect(201).map(drop)
}

/// A caller enters an application's number and its check digits.
async fn inquire(phone: &Phone, uri: &str, application: &str) -> anyhow::Result<Call> {
    let options = CallOptions { from_user: CALLER.to_owned(), ..CallOptions::default() };
    let call = phone.call(uri, options).await?;
    for keys in [application, CHECK] {
        call.collecting(PATIENCE).await?;
        call.press(keys)?;
    }
    Ok(call)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_said_or_written_anywhere() -> anyhow::Result<()> {
    let town = Town::open().await?;
    let phone = parties::caller().await?;
    let uri = town.engine.uri(NUMBER);
    let served = inquire(&phone, &uri, APPLICATION).await?;
    served.heard("Ваш паспорт готов", PATIENCE).await?;
    let wrong = inquire(&phone, &uri, WRONG_APPLICATION).await?;
    wrong.heard("не совпадают", PATIENCE).await?;
    // Looked at while they talk, too.
    let ids = traces(&town, "live calls").await?;
    ensure!(ids.len() == 2, "{ids:?}");
    for call in [served, wrong] {
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
    }
    let faulty = phone.call(&town.engine.uri(FAULTY), CallOptions::default()).await?;
    faulty.heard("Приносим извинения", PATIENCE).await?;
    faulty.hangup()?;
    faulty.wait_ended(PATIENCE).await?;
    until("three records", async || Ok(town.anna.cdrs().await?.iter().filter(|r| r["began"]["leg"] == 0).count() == 3))
        .await?;

    misplace(&town).await?;
    let asked = walk(&town, &ids).await?;
    let metrics = gudok_sockets::http::get(town.engine.http, "/metrics").await?.body;
    ensure!(metrics.contains("gudok_script_events_total"), "there is something to look through");
    town.search("the metrics", &metrics)?;
    subject(&town).await?;
    new_password(&town).await?;
    let log = town.engine.log();
    ensure!(log.contains("TRACE") && log.contains("passport"), "there is something to look through");
    town.search("the log", &log)?;
    let files = store_files(&town)?;
    eprintln!("{asked} answers, {} KiB of log and {files} files of the store were searched", log.len() / 1024);
    Ok(())
}

/// The traces of the calls that there are.
async fn traces(town: &Town, what: &str) -> anyhow::Result<Vec<String>> {
    let calls = town.program.list("/calls").await?;
    town.search(what, &Value::from(calls.clone()).to_string())?;
    let mut ids = Vec::new();
    for call in calls {
        let id = call["id"].as_str().context("a call without id")?.to_owned();
        let trace = town.program.get(&format!("/calls/{id}/trace")).await?.expect(200)?;
        ensure!(trace.body.contains("\"lines\""), "{}", trace.body);
        town.search("a trace", &trace.body)?;
        ids.push(id);
    }
    Ok(ids)
}

/// Secrets where they do not belong: refusals say what is wrong and not what was there.
async fn misplace(town: &Town) -> anyhow::Result<()> {
    let secret_file = town.author.secret_file();
    let api = &town.anna;
    let requests = [
        (
            "a secret key as a public one",
            api.request("POST", &format!("/agencies/{AGENCY}/keys")).json(&json!({ "public_key": secret_file })),
        ),
        ("an unknown field", api.request("POST", "/users").json(&json!({ "name": "boris", "pasword": MISPLACED }))),
        (
            "a field of another type",
            api.request("POST", "/users").json(&json!({ "name": "boris", "roles": MISPLACED })),
        ),
        (
            "a name",
            api.request("POST", "/users").json(&json!({ "name": MISPLACED.to_uppercase(), "password": MISPLACED })),
        ),
        (
            "no JSON",
            api.request("POST", "/users")
                .body("application/json", format!("{{\"password\": \"{MISPLACED}").into_bytes()),
        ),
        ("a parameter", api.request("GET", &format!("/users?token={MISPLACED}"))),
        ("a cursor", api.request("GET", &format!("/users?cursor={MISPLACED}"))),
        (
            "a secret instead of its place",
            api.request("PUT", &format!("/agencies/{AGENCY}/entries/desk"))
                .header("If-Match", "\"1\"")
                .json(&json!({ "secrets": { "back-end": MISPLACED } })),
        ),
        ("a bundle", api.upload_request(AGENCY, MISPLACED.as_bytes())),
        (
            "a header",
            api.request("GET", "/me")
                .header("X-Password", MISPLACED)
                .header("Cookie", &format!("gudok_session={MISPLACED}")),
        ),
        (
            "another way to log in",
            api.with_token("").request("GET", "/me").header("Authorization", &format!("Basic {MISPLACED}")),
        ),
    ];
    for (what, request) in requests {
        let answer = api.send(request).await.with_context(|| what.to_owned())?;
        town.search(&format!("the answer to {what}"), &format!("{}\n{}", answer.head, answer.body))?;
    }
    // A path is repeated to who asked for it, and to nobody else: the log is searched later.
    api.get(&format!("/{MISPLACED}")).await?.expect(404).map(drop)
}

/// Every route of the API's own description, asked for what there is and badly.
async fn walk(town: &Town, calls: &[String]) -> anyhow::Result<usize> {
    const A_MOMENT: Duration = Duration::from_millis(500);
    let api = &town.program;
    let document = api.read("/openapi.json").await?;
    let versions = api.list("/versions").await?;
    let version = versions[0]["id"].as_str().context("no version")?.to_owned();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().context("no paths")? {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let id = if path.starts_with("/calls") { calls[0].as_str() } else { version.as_str() };
        let path = [
            ("{agency}", AGENCY),
            ("{entry}", "desk"),
            ("{id}", id),
            ("{number}", NUMBER),
            ("{key}", "0000000000000000"),
        ]
        .iter()
        .fold(path.to_owned(), |path, (hole, with)| path.replace(hole, with));
        let path = path.replace("{name}", if path.starts_with("/users") { "anna" } else { "none" });
        for method in methods.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase()) {
            asked += 1;
            let request =
                if path.starts_with('/') && document["paths"].get(&path).is_some() && !path.starts_with("/api") {
                    gudok_sockets::http::Request::new(&method, &path)
                } else {
                    api.request(&method, &path)
                };
            if path == "/events" {
                let begun = request.begun(api.server, A_MOMENT).await?;
                town.search("the events", &begun)?;
                continue;
            }
            let body = json!({ "password": MISPLACED, "secret": MISPLACED });
            let request = if method == "GET" { request } else { request.json(&body) };
            let answer = api.send(request).await?;
            ensure!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.body);
            town.search(&format!("{method} {path}"), &format!("{}\n{}", answer.head, answer.body))?;
        }
    }
    for path in ["/cdrs?format=csv", "/audit/export", "/audit?limit=1000", "/configuration", "/faults", "/logs"] {
        asked += 1;
        let answer = town.anna.get(path).await?.expect(200)?;
        ensure!(!answer.body.is_empty(), "{path} is empty");
        town.search(path, &answer.body)?;
    }
    Ok(asked)
}

/// What the centre has of a person is found, and the question is not kept with their number in it.
async fn subject(town: &Town) -> anyhow::Result<()> {
    let body = json!({ "number": CALLER, "reason": "they asked" });
    let export = town.anna.post("/subjects/export", &body).await?.expect(200)?;
    let found = export.json()["cdrs"].as_array().map_or(0, Vec::len);
    ensure!(found == 2, "{found} records of the caller: {}", export.body);
    town.search_but("an export", &export.body, &["the caller's number", "the caller's national number"])?;
    let audit = town.anna.audit().await?;
    ensure!(audit.iter().any(|entry| entry["action"] == "subject.export"), "who asked for it is not in the audit");
    town.search("the audit", &Value::from(audit).to_string())
}

/// A password is changed, and nobody says so in words.
async fn new_password(town: &Town) -> anyhow::Result<()> {
    let seen = town.anna.get("/users/anna").await?.expect(200)?;
    town.search("a user", &seen.body)?;
    let body = json!({
        "name": "anna", "full_name": "Anna", "roles": [{ "role": "admin" }], "disabled": false, "lang": "en",
        "password": NEXT_PASSWORD,
    });
    let etag = seen.header("etag").context("no ETag")?;
    let request = town.anna.request("PUT", "/users/anna").header("If-Match", etag).json(&body);
    let answer = town.anna.send(request).await?.expect(200)?;
    town.search("a changed user", &answer.body)
}

/// The store's files, but those that are there to hold a secret: the node's key and the token of the first start.
fn store_files(town: &Town) -> anyhow::Result<usize> {
    let mut files = Vec::new();
    gather(&town.engine.store(), &mut files)?;
    ensure!(!files.is_empty(), "the store is somewhere else");
    for file in &files {
        let bytes = std::fs::read(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        town.search(&format!("the store's file {name}"), &String::from_utf8_lossy(&bytes))?;
    }
    Ok(files.len())
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != "first-token") {
            files.push(path);
        }
    }
    Ok(())
}
