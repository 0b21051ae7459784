//! `gudok up`: an engine on this machine with a script on a number, a telephone for whoever it rings, and the author on the
//! phone with it. Everything is on loopback, and gone when the author leaves.

mod engine;
mod file;
mod running;
mod telephone;

pub(super) use running::Running;

use super::source::{Built, Source};
use crate::commands::arguments::pair;
use crate::commands::call;
use crate::commands::remote::{Client, Failure, Outcome, Remote, Screen, Server, Write, anonymous, write_secret};
use anyhow::{Context, anyhow};
use clap::Args;
use engine::Engine;
use file::{EngineFile, Scripted};
use gudok_plugin_host::manifest::Kind;
use rand::Rng;
use running::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::signal::unix::{SignalKind, signal};

/// Who the author is to the engine.
const USER: &str = "author";
/// Stands for a secret that the author has not given.
const NO_SECRET: &str = "not-a-secret";

/// What `gudok up` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A project's folder, or a bundle's file.
    #[arg(value_name = "PROJECT|FILE.ivr", default_value = ".")]
    path: PathBuf,
    /// The number that leads to the script.
    #[arg(long, default_value = "100")]
    number: String,
    /// The engine's SIP port; any free one where it is 0.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The port of console and API; any free one where it is 0.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    http_port: u16,
    /// Press these keys, each when the script asks, and end when the call does: 1,3 or 12#,0
    #[arg(long, conflicts_with = "no_phone")]
    keys: Option<String>,
    /// Only the engine, until Ctrl-C: call it by another telephone.
    #[arg(long)]
    no_phone: bool,
    /// Keep what is heard: WAV, mono, 8 kHz.
    #[arg(long, value_name = "OUT.wav", conflicts_with = "no_phone")]
    record: Option<PathBuf>,
    /// Another script's bundle, that callers may be handed to. May be given several times.
    #[arg(long, value_name = "FILE.ivr")]
    with: Vec<PathBuf>,
    /// A setting over the manifest's. May be given several times.
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = pair)]
    config: Vec<(String, String)>,
    /// A secret that the manifest names, in a file. May be given several times.
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = pair)]
    secrets: Vec<(String, String)>,
    /// Where the engine is, as one line of JSON on standard output; nothing else is written there.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let remote = Remote { json: arguments.json, ..Remote::default() };
    anonymous(&remote, async |screen| up(screen, arguments, begun).await)
}

async fn up(screen: &Screen, arguments: &Arguments, begun: Instant) -> Outcome {
    let mut terminate = signal(SignalKind::terminate())?;
    let opening = open(screen, arguments);
    let mut up = tokio::select! {
        up = opening => up?,
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    up.told(screen, begun);
    let uri = up.uri();
    let outcome = tokio::select! {
        outcome = phone(screen, arguments, uri, begun) => outcome,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        death = up.engine.died() => Err(death.into()),
    };
    up.engine.stop().await;
    outcome
}

/// All that is up. The folder goes last.
struct Up {
    engine: Engine,
    running: Running,
    password: String,
    label: String,
    speaks: bool,
    _place: Place,
}

async fn open(screen: &Screen, arguments: &Arguments) -> Result<Up, Failure> {
    let source = Source::at(&arguments.path)?;
    let building = source.clone();
    let building = move || {
        let built = building.build()?;
        building.check_menu(&built)?;
        anyhow::Ok(built)
    };
    let built = tokio::task::spawn_blocking(building).await.context("building")??;
    let mut others = Vec::new();
    for path in &arguments.with {
        others.push(Source::at(path)?.build()?);
    }
    let manifest = &built.bundle.manifest;
    let campaign = manifest.kind == Kind::Campaign;
    let place = Place::make(&source.engines()?, std::process::id())?;
    let speaks = telephone::speaks().await;
    let lang = manifest.languages.first().map_or("ru-RU", String::as_str);
    let telephone = telephone::start(lang, &place.file("."), speaks, *screen).await?;
    let secrets = secrets(&place, arguments, &built, &others, screen)?;
    let config: BTreeMap<String, String> = arguments.config.iter().cloned().collect();
    let script = Scripted { bundle: &built.path, manifest };
    let (agency, entry) = (manifest.agency.clone(), script.entry().to_owned());
    let file = EngineFile {
        script,
        others: others.iter().map(|other| Scripted { bundle: &other.path, manifest: &other.bundle.manifest }).collect(),
        number: &arguments.number,
        sip_port: arguments.port,
        http_port: arguments.http_port,
        telephone,
        config: &config,
        secrets: &secrets,
        store: place.file("store"),
        time_zone: &zone(),
        speaks,
        process: std::process::id(),
    };
    let path = place.file("gudok.toml");
    std::fs::write(&path, file.text()).with_context(|| format!("writing {}", path.display()))?;
    let engine = Engine::start(&path, place.file("engine.log")).await?;
    let url = format!("http://{}", engine.http);
    let password = password();
    let token = author(&url, &place.file("store/first-token"), &password).await?;
    let token_file = place.file("token");
    write_secret(&token_file, token.as_bytes())?;
    let running = Running {
        pid: std::process::id(),
        sip: engine.sip,
        url,
        number: (!campaign).then(|| arguments.number.clone()),
        agency,
        entry,
        token_file,
    };
    place.tell(&running)?;
    let label = format!("{} {}", manifest.name, manifest.version);
    Ok(Up { engine, running, password, label, speaks, _place: place })
}

impl Up {
    fn uri(&self) -> Option<String> {
        Some(format!("sip:{}@{}", self.running.number.as_ref()?, self.running.sip))
    }

    fn told(&self, screen: &Screen, begun: Instant) {
        let running = &self.running;
        let took = begun.elapsed();
        if screen.json {
            let told = json!({
                "pid": running.pid, "sip": running.sip, "uri": self.uri(), "url": running.url, "user": USER,
                "agency": running.agency, "entry": running.entry, "token_file": running.token_file,
                "ready_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
            screen.raw(&told.to_string());
            return;
        }
        let (url, token) = (&running.url, running.token_file.display());
        match self.uri() {
            Some(uri) => screen.line(&format!("{} answers {uri} ({:.1} s)", self.label, took.as_secs_f32())),
            None => screen.line(&format!(
                "{} is at {}/{} ({:.1} s). A campaign's script takes no calls: gudok campaigns makes a campaign of it, and \
                 gudok call --local talks with it",
                self.label,
                running.agency,
                running.entry,
                took.as_secs_f32()
            )),
        }
        screen.line(&format!("  console     {url}   user {USER}, password {}", self.password));
        screen.line(&format!("  commands    gudok login --url {url} --token-file {token}"));
        screen.line("  changes     gudok watch, in another terminal");
        if !self.speaks {
            screen.line(
                "  silent      espeak-ng is not there: prompts are told, not heard. gudok doctor says what mends it",
            );
        }
    }
}

/// The author on the phone, call after call; or nobody, until the program is told to end.
async fn phone(screen: &Screen, arguments: &Arguments, uri: Option<String>, begun: Instant) -> Outcome {
    let Some(uri) = uri.filter(|_| !arguments.no_phone) else {
        screen.note("Ctrl-C ends it");
        return std::future::pending().await;
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut first = Some(begun);
    loop {
        let call = call::Arguments::to(uri.clone(), arguments.keys.clone(), arguments.record.clone(), arguments.json);
        let code = call::call(&call, &mut lines, first.take()).await?;
        if arguments.keys.is_some() {
            return Ok(code);
        }
        screen.note("Enter calls again; q ends it");
        if leaves(&mut lines).await? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

async fn leaves(lines: &mut Lines<BufReader<Stdin>>) -> anyhow::Result<bool> {
    Ok(lines.next_line().await?.is_none_or(|line| matches!(line.trim(), "q" | "quit")))
}

/// A file for every secret that a manifest names: the author's, or one that says that it is none.
fn secrets(
    place: &Place,
    arguments: &Arguments,
    built: &Built,
    others: &[Built],
    screen: &Screen,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let given: BTreeMap<&str, &str> =
        arguments.secrets.iter().map(|(name, file)| (name.as_str(), file.as_str())).collect();
    let manifests = std::iter::once(built).chain(others).map(|built| &built.bundle.manifest);
    let names: Vec<&String> =
        manifests.flat_map(|manifest| &manifest.capabilities.secrets).flat_map(|rights| &rights.names).collect();
    if let Some(unknown) = given.keys().find(|name| !names.iter().any(|known| known == *name)) {
        anyhow::bail!("--secret {unknown}: the manifest names no such secret");
    }
    let mut files = BTreeMap::new();
    for name in names {
        let file = match given.get(name.as_str()) {
            Some(file) => std::path::absolute(file).with_context(|| format!("--secret {name}={file}"))?,
            None => {
                screen.note(&format!("the secret {name} is {NO_SECRET:?}: --secret {name}=FILE gives another"));
                let file = place.file(&format!("secret-{name}"));
                std::fs::write(&file, NO_SECRET).with_context(|| format!("writing {}", file.display()))?;
                file
            }
        };
        files.insert(name.clone(), file);
    }
    Ok(files)
}

/// Makes the author a user of the engine, and gives a token that lasts longer than the engine's first one.
async fn author(url: &str, first_token: &Path, password: &str) -> Result<String, Failure> {
    let token = std::fs::read_to_string(first_token).context("reading the engine's first token")?;
    let url = crate::commands::remote::normal_url(url)?;
    let server = Server { url, token: Some(token.trim().to_owned()), ca: None };
    let roles = json!([{ "role": "admin", "agency": null }]);
    let user = json!({
        "name": USER, "full_name": USER, "roles": roles, "disabled": false, "lang": "en", "password": password,
    });
    Client::new(&server)?.write(Write::post(&["users"]).body(user)).await?;
    let login = json!({ "user": USER, "password": password, "label": "gudok up" });
    let anybody = Server { token: None, ..server };
    let answer = Client::new(&anybody)?.write(Write::post(&["login"]).body(login).without_key()).await?;
    let given: Value = answer.json()?;
    Ok(given["token"].as_str().ok_or_else(|| anyhow!("the engine gave no token"))?.to_owned())
}

/// Words that nobody guesses, and that a person can type.
fn password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    const LENGTH: usize = 14;
    let mut rng = rand::rng();
    (0..LENGTH).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

/// The author's own, by its name.
fn zone() -> String {
    jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}
