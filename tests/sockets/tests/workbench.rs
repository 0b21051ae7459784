//! From nothing to a call, by the binary alone: in an empty home, with a cache of its own, each template in each language is made,
//! built, tested, explored, signed, deployed to a running engine, and called. How long it took to the first heard prompt is
//! printed, build included; the first of a language pays for its compiler's first build. What needs a tool that this machine
//! has not (node, python) is told as skipped, by `gudok doctor`'s word.
#![allow(clippy::print_stderr, reason = "how long each step took")]

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig};
use gudok_sockets::clients::Sipp;
use gudok_sockets::home::{Home, Made};
use gudok_sockets::parties::{NOON, PATIENCE, caller};
use gudok_sockets::{Api, Campaign, ConfigBuilder, Engine};
use serde_json::json;
use std::time::{Duration, Instant};

/// Templates and languages, the cold builds first.
const PROJECTS: [(&str, &str); 9] = [
    ("service", "rust"),
    ("service", "typescript"),
    ("service", "python"),
    ("service", "javascript"),
    ("campaign", "rust"),
    ("campaign", "typescript"),
    ("campaign", "javascript"),
    ("campaign", "python"),
    ("menu", ""),
];
const AGENCY: &str = "offices";
/// Other people's telephone.
const LISTENER: &str = include_str!("scenarios/listener.xml");
/// Where telephones are that the engine calls.
const ELSEWHERE: &str = "127.0.0.2:0";

/// One project's way.
struct Way {
    name: String,
    /// From `gudok new` to the end of `gudok build`.
    built: Duration,
    /// From `gudok new` to the first words in a caller's ear.
    heard: Duration,
    words: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_nothing_to_a_call_in_every_template_and_language() -> anyhow::Result<()> {
    let town = town().await?;
    let engine = Engine::start_at(&config(&town), Some(NOON)).await?;
    let api = engine.api()?;
    let home = Home::empty(&engine, &api)?;
    home.make_key("author").await?;
    api.add_key(AGENCY, &home.public_key("author")?).await?;
    let (mut ways, mut skipped) = (Vec::new(), Vec::new());
    for (at, (template, language)) in PROJECTS.into_iter().enumerate() {
        let what = format!("{template} in {language}");
        let way = Visit { engine: &engine, api: &api, home: &home, town: &town, at };
        match way.go(template, language).await.with_context(|| format!("{what}: {}", engine.log()))? {
            Ok(way) => ways.push(way),
            Err(why) => skipped.push(format!("{what}: {why}")),
        }
    }
    for way in &ways {
        let (built, heard) = (way.built.as_secs_f64(), way.heard.as_secs_f64());
        eprintln!("{:<24} built in {built:6.1} s, heard after {heard:6.1} s: {}", way.name, way.words);
    }
    for why in &skipped {
        eprintln!("skipped: {why}");
    }
    ensure!(ways.iter().any(|way| way.name.contains("rust")), "without Rust nothing was shown: {skipped:?}");
    Ok(())
}

/// Where no language is compiled, on a busy machine.
const BUILD_MAX: Duration = Duration::from_secs(180);
/// Of the call in which a fault is found, and of its conversation.
const NIGHT: (&str, &str) = ("2026-05-05T02:30:00+07:00", "2026-05-04 19:30");

#[tokio::test]
async fn what_exploring_finds_is_kept_as_conversations_of_the_same_call() -> anyhow::Result<()> {
    let home = Home::without_engine()?;
    let folder = home.new_project("nobody", "menu", "", AGENCY).await?.folder;
    std::fs::remove_dir_all(folder.join("tests"))?;
    let menu = folder.join("data/menu.toml");
    let whole = std::fs::read_to_string(&menu)?;
    let without_operator = whole.replace("\"0\" = \"operator\"\n", "");
    ensure!(whole != without_operator, "the template has another key for its operator");
    std::fs::write(&menu, without_operator)?;
    let mut explore = home.command("gudok");
    explore.current_dir(&folder).args(["explore", "--at", NIGHT.0, "--save-test", "found.talk"]);
    let explored = explore.output().await?;
    ensure!(explored.status.code() == Some(1), "{explored:?}");
    let found = std::fs::read_to_string(folder.join("found.talk"))?;
    ensure!(found.contains(NIGHT.1), "{found}");
    std::fs::create_dir(folder.join("tests"))?;
    std::fs::rename(folder.join("found.talk"), folder.join("tests/found.talk"))?;
    home.run(&folder, &["test"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_faulty_menu_is_not_put_on_a_number() -> anyhow::Result<()> {
    let home = Home::without_engine()?;
    let folder = home.new_project("faulty", "menu", "", AGENCY).await?.folder;
    let menu = folder.join("data/menu.toml");
    let whole = std::fs::read_to_string(&menu)?;
    std::fs::write(&menu, whole.replace("start = \"welcome\"", "start = \"nowhere\""))?;
    let mut up = home.command("gudok");
    let running = up.current_dir(&folder).args(["up", "--no-phone"]).output();
    let told = tokio::time::timeout(BUILD_MAX, running).await.context("it is up with a faulty menu")??;
    let said = String::from_utf8_lossy(&told.stderr);
    ensure!(told.status.code() == Some(1) && said.contains("menu.toml") && said.contains("nowhere"), "{told:?}");
    Ok(())
}

fn config(town: &Phone) -> ConfigBuilder {
    let mut more = format!(
        "[[queue]]\nname = \"operators\"\ncalendar = \"day\"\n[[agency]]\nname = {AGENCY:?}\nfallback = \"operators\"\n"
    );
    more.push_str(&format!(
        "[[trunk]]\nname = \"city\"\nproxy = \"{}\"\ntranscript = true\ncampaigns = {{ calls_max = 10, calls_per_s_max = 10 }}\n\
         [campaigns]\ncalls_max = 10\ncalls_per_s_max = 10\n",
        town.local_addr()
    ));
    ConfigBuilder::new().extra(&more)
}

fn number(at: usize) -> String {
    format!("{}", 200 + at)
}

fn entry(template: &str, at: usize) -> String {
    format!("{template}-{at}")
}

async fn town() -> anyhow::Result<Phone> {
    let on_incoming = OnIncoming::Answer { after: Duration::from_millis(100) };
    let config = PhoneConfig { bind: ELSEWHERE.parse()?, on_incoming, ..PhoneConfig::default() };
    Ok(Phone::start(config).await?)
}

/// What a project's way needs.
struct Visit<'a> {
    engine: &'a Engine,
    api: &'a Api,
    home: &'a Home,
    town: &'a Phone,
    at: usize,
}

impl Visit<'_> {
    /// All of the way; or what this machine has not.
    async fn go(&self, template: &str, language: &str) -> anyhow::Result<Result<Way, String>> {
        let began = Instant::now();
        let name = format!("{template}-{}", if language.is_empty() { "data" } else { language });
        let made = self.home.new_project(&name, template, language, AGENCY).await?;
        if let Some(why) = self.home.lacks(&made).await? {
            return Ok(Err(why));
        }
        self.home.run(&made.folder, &["build"]).await?;
        let built = began.elapsed();
        self.home.run(&made.folder, &["test"]).await?;
        self.home.run(&made.folder, &["explore"]).await?;
        let bundle = made.bundle()?;
        self.home.run(&made.folder, &["sign", &bundle, "--key", &self.home.secret_key("author")]).await?;
        let entry = entry(template, self.at);
        let place = format!("{AGENCY}/{entry}");
        self.home.run(&made.folder, &["deploy", &bundle, &place, "--approve"]).await?;
        let (words, heard) = if template == "campaign" {
            self.is_called(&made, &entry, began).await?
        } else {
            self.home.run(&made.folder, &["number", "set", &number(self.at), &place]).await?;
            self.calls(began).await?
        };
        Ok(Ok(Way { name, built, heard, words }))
    }

    /// Somebody calls, hears the first words and hangs up; then a telephone that is not ours has a whole call.
    async fn calls(&self, began: Instant) -> anyhow::Result<(String, Duration)> {
        let phone = caller().await?;
        let call = phone.call(&self.engine.uri(&number(self.at)), CallOptions::default()).await?;
        let words = call.heard("", PATIENCE).await?;
        let heard = began.elapsed();
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
        Sipp::start(LISTENER, &[&self.engine.sip.to_string(), "-s", &number(self.at)])?.finished().await?;
        Ok((words, heard))
    }

    /// The campaign calls one contact, who hears the first words and hangs up.
    async fn is_called(&self, made: &Made, entry: &str, began: Instant) -> anyhow::Result<(String, Duration)> {
        let document = json!({
            "agency": AGENCY, "entry": entry, "trunk": "city", "window": "mon-sun 00:00-24:00", "calls_per_s_max": 5,
            "calls_max": 1, "ring_s": 10, "attempts_max": 1, "attempts_per_day_max": 1, "retries": {},
            "on_machine": "ignore", "script_failures_max": 0,
        });
        let campaign = Campaign::make(self.api, entry, &document).await?;
        campaign.import(&made.contacts(&format!("+791355500{:02}", self.at))?).await?;
        campaign.order("start").await?;
        let rung = self.town.incoming(PATIENCE).await?;
        let call = rung.call();
        call.answered(PATIENCE).await?;
        let words = call.heard("", PATIENCE).await?;
        let heard = began.elapsed();
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
        campaign.finished(PATIENCE).await?;
        Ok((words, heard))
    }
}
