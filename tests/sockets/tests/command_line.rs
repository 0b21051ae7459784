//! The whole life of a script's versions by the command line alone, against the real engine: from the first token to the
//! check of a stopped engine's audit. Nothing here speaks HTTP itself.

use anyhow::{Context, ensure};
use gudok_sockets::desk::{AGENCY, PLACE, draft};
use gudok_sockets::parties::{self, PATIENCE};
use gudok_sockets::{ConfigBuilder, Desk, Draft, Engine, program, root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const PASSWORD: &str = "correct horse battery";

/// Somebody at a terminal of their own, whose file of credentials is theirs.
struct Person {
    home: TempDir,
    url: String,
}

/// What a command came to.
struct Said {
    code: i32,
    out: String,
    complaint: String,
}

impl Said {
    fn fine(self) -> anyhow::Result<String> {
        ensure!(self.code == 0, "exit code {}: {}{}", self.code, self.out, self.complaint);
        Ok(self.out)
    }

    fn json(self) -> anyhow::Result<Value> {
        let out = self.fine()?;
        serde_json::from_str(&out).with_context(|| out.clone())
    }

    /// It was refused, with these words.
    fn refused(self, words: &str) -> anyhow::Result<()> {
        ensure!(self.code == 1 && self.complaint.contains(words), "{}: {}{}", self.code, self.out, self.complaint);
        Ok(())
    }
}

impl Person {
    fn new(desk: &Desk) -> anyhow::Result<Self> {
        Ok(Self { home: tempfile::tempdir()?, url: format!("http://{}", desk.engine.http) })
    }

    fn at(url: String) -> anyhow::Result<Self> {
        Ok(Self { home: tempfile::tempdir()?, url })
    }

    async fn gudok(&self, arguments: &[&str]) -> anyhow::Result<Said> {
        self.types("", arguments).await
    }

    async fn types(&self, lines: &str, arguments: &[&str]) -> anyhow::Result<Said> {
        let mut command = Command::new(program("gudok")?);
        command.args(arguments).current_dir(self.home.path()).env("XDG_CONFIG_HOME", self.home.path());
        command.env_remove("GUDOK_URL").env_remove("GUDOK_TOKEN").kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // A command that asks nothing may be over already.
        let _ = child.stdin.take().context("its input")?.write_all(lines.as_bytes()).await;
        let output = child.wait_with_output().await?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Said { code: output.status.code().unwrap_or(-1), out: String::from_utf8(output.stdout)?, complaint })
    }

    async fn fine(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.gudok(arguments).await?.fine().with_context(|| arguments.join(" "))
    }

    async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let arguments = [arguments, &["--json"]].concat();
        self.gudok(&arguments).await?.json().with_context(|| arguments.join(" "))
    }

    /// Comes in as the first admin, by the file that the engine wrote.
    async fn becomes_admin(&self, desk: &Desk) -> anyhow::Result<()> {
        let token = desk.engine.store().join("first-token");
        self.fine(&["login", "--url", &self.url, "--token-file", text(&token)?]).await?;
        let add = ["user", "add", "anna", "--role", "admin", "--full-name", "Анна"];
        self.types(&format!("{PASSWORD}\n"), &add).await?.fine()?;
        ensure!(!token.exists(), "the first token outlives the first admin");
        ensure!(self.gudok(&["whoami"]).await?.code == 3, "the first token still works");
        self.types(&format!("{PASSWORD}\n"), &["login", "--user", "anna"]).await?.fine()?;
        ensure!(self.json(&["whoami"]).await?["user"] == "anna", "somebody else is logged in");
        Ok(())
    }

    /// Writes a bundle without signature, under its proper name.
    fn packs(&self, version: u32, draft: &Draft) -> anyhow::Result<PathBuf> {
        let file = self.home.path().join(format!("probe-1.0.{version}.ivr"));
        std::fs::write(&file, draft.unsigned()?)?;
        Ok(file)
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_lives_its_whole_life_by_the_command_line() -> anyhow::Result<()> {
    let mut desk = Desk::open(Some(parties::NOON)).await?;
    let anna = Person::new(&desk)?;
    anna.becomes_admin(&desk).await?;

    // Signed by nobody, by a stranger, and by somebody whom the agency knows.
    let file = anna.packs(2, &draft(2)?)?;
    let deploy = ["deploy", text(&file)?, PLACE, "--share", "10", "--guard", "sample_min=1000"];
    anna.gudok(&deploy).await?.refused("signature failed")?;
    anna.fine(&["keygen", "author", "--no-password"]).await?;
    anna.fine(&["sign", text(&file)?, "--key", "author.key", "--expires", "1d"]).await?;
    anna.fine(&["verify", text(&file)?, "--key", "author.pub"]).await?;
    anna.gudok(&deploy).await?.refused("signature failed")?;
    anna.fine(&["key", "add", "author.pub", "--agency", AGENCY, "--comment", "the author's"]).await?;
    let deployed = anna.json(&deploy).await?;
    ensure!(deployed["canary"]["label"] == "1.0.2" && deployed["stable"]["label"] == "1.0.1", "{deployed}");

    // The share grows, the guard stays.
    let grown = anna.json(&["canary", PLACE, "--share", "50"]).await?;
    ensure!(grown["canary"]["share_percent"] == 50 && grown["guard"]["sample_min"] == 1000, "{grown}");
    let released = anna.json(&["release", PLACE]).await?;
    ensure!(released["canary"].is_null() && released["stable"]["label"] == "1.0.2", "{released}");

    a_call_is_seen_and_landed(&desk, &anna).await?;

    let back = anna.json(&["rollback", PLACE, "--reason", "complaints"]).await?;
    ensure!(back["stable"]["label"] == "1.0.1" && back["last_rollback"]["reason"] == "complaints", "{back}");
    let history = anna.fine(&["deployments", PLACE, "--history"]).await?;
    for word in ["canary", "release", "rollback", "complaints", "anna"] {
        ensure!(history.contains(word), "{word}: {history}");
    }
    anna.fine(&["versions", "difference", "1.0.2", "--against", "1.0.1", "--agency", AGENCY]).await?;
    let versions = anna.fine(&["versions", "--agency", AGENCY]).await?;
    ensure!(versions.contains("probe 1.0.1") && versions.contains("probe 1.0.2"), "{versions}");

    the_audit_holds(&mut desk, &anna).await
}

/// Who calls is in the list, and is handed to the landing.
async fn a_call_is_seen_and_landed(desk: &Desk, anna: &Person) -> anyhow::Result<()> {
    let phone = parties::caller().await?;
    let (call, version) = desk.call(&phone).await?;
    ensure!(version == 2, "the caller got {version}");
    let live = anna.json(&["calls", "--agency", AGENCY]).await?;
    let id = live["items"][0]["id"].as_str().with_context(|| live.to_string())?.to_owned();
    ensure!(anna.fine(&["calls"]).await?.contains(&id), "the table has another call");
    let trace = anna.fine(&["trace", &id]).await?;
    ensure!(trace.contains(&id) && trace.contains("Версия 2"), "{trace}");
    anna.fine(&["calls", "land", &id]).await?;
    call.wait_ended(PATIENCE).await?;
    let trace = anna.fine(&["trace", &id, "-f"]).await?;
    ensure!(trace.contains("over"), "{trace}");
    anna.gudok(&["calls", "land", &id]).await?.refused("remedy")
}

/// Online, in an export, and in the store of the stopped engine; and nowhere once an entry was edited.
async fn the_audit_holds(desk: &mut Desk, anna: &Person) -> anyhow::Result<()> {
    let audit = anna.json(&["audit", "--actor", "anna", "--limit", "1000"]).await?;
    let entries = audit["items"].as_array().context("no entries")?;
    for action in ["login", "key.add", "bundle.upload", "canary", "release", "call.land", "trace.read", "rollback"] {
        let of_it = entries.iter().find(|entry| entry["action"] == action).with_context(|| format!("no {action}"))?;
        ensure!(of_it["via"] == "cli", "{of_it}");
    }
    anna.fine(&["audit", "verify"]).await?;
    anna.fine(&["audit", "export", "--out", "audit.jsonl"]).await?;
    let export = anna.home.path().join("audit.jsonl");
    let verify = ["audit", "verify", "--file", "audit.jsonl"];
    let whole = anna.json(&verify).await?;
    let written = std::fs::read_to_string(&export)?;
    ensure!(whole["entries"].as_u64() == Some(written.lines().count() as u64), "{whole}");
    std::fs::write(&export, written.replacen("complaints", "compliments", 1))?;
    ensure!(anna.gudok(&verify).await?.code == 1, "an edited export passes");
    anna.fine(&["logout"]).await?;
    ensure!(anna.gudok(&["whoami"]).await?.code == 3, "logged out, and still somebody");
    let config = desk.engine.config.clone();
    let stopped = ["audit", "verify", "--config", text(&config)?];
    ensure!(anna.gudok(&stopped).await?.code == 1, "the store is the running engine's");
    desk.engine.signal("TERM").await?;
    desk.engine.ended().await?;
    let report = anna.json(&stopped).await?;
    ensure!(report["ok"] == true && report["entries"].as_u64() > whole["entries"].as_u64(), "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rights_wait_until_somebody_approves_them() -> anyhow::Result<()> {
    let desk = Desk::open(Some(parties::NOON)).await?;
    let wider = draft(3)?.edit("buckets = [\"probe\"]", "buckets = [\"probe\", \"more\"]")?;
    let anna = Person::new(&desk)?;
    let file = anna.home.path().join("probe-1.0.3.ivr");
    std::fs::write(&file, desk.author.bundle(&wider)?)?;
    anna.becomes_admin(&desk).await?;
    // The author may hand it in and may not let it through.
    let author = Person::new(&desk)?;
    let add = ["user", "add", "boris", "--role", "author:probe"];
    anna.types(&format!("{PASSWORD}\n"), &add).await?.fine()?;
    let login = ["login", "--url", &author.url, "--user", "boris"];
    author.types(&format!("{PASSWORD}\n"), &login).await?.fine()?;
    let taken = author.json(&["versions", "upload", text(&file)?, "--agency", AGENCY]).await?;
    ensure!(taken["version"]["state"] == "waiting", "{taken}");
    author.gudok(&["approve", "1.0.3", "--agency", AGENCY]).await?.refused("forbidden")?;
    author.gudok(&["deploy", "1.0.3", PLACE, "--approve"]).await?.refused("waits for an admin's approval")?;
    anna.gudok(&["deploy", "1.0.3", PLACE]).await?.refused("gudok approve")?;

    let shown = anna.fine(&["versions", "difference", "1.0.3", "--against", "1.0.1", "--agency", AGENCY]).await?;
    ensure!(shown.contains("storage") && shown.contains("widened"), "{shown}");
    anna.fine(&["approve", "1.0.3", "--agency", AGENCY, "--reason", "asked for by the agency"]).await?;
    author.gudok(&["deploy", "1.0.3", PLACE]).await?.refused("forbidden")?;
    let deployed = anna.json(&["deploy", "1.0.3", PLACE]).await?;
    ensure!(deployed["stable"]["label"] == "1.0.3", "{deployed}");
    let phone = parties::caller().await?;
    let (call, version) = desk.call(&phone).await?;
    ensure!(version == 3, "{version}");
    call.hangup()?;
    call.wait_ended(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agency_needs_is_made_by_the_command_line() -> anyhow::Result<()> {
    let desk = Desk::open(Some(parties::NOON)).await?;
    let anna = Person::new(&desk)?;
    anna.becomes_admin(&desk).await?;
    anna.fine(&["agency", "add", "tax", "--title", "Налоги", "--fallback", "operators"]).await?;
    anna.gudok(&["agency", "set", AGENCY, "--title", "x"]).await?.refused("managed-by-file")?;
    anna.fine(&["agency", "set", "tax", "--recording-consent", "true"]).await?;
    anna.fine(&["entry", "set", "tax/reminder", "--config", "office=1"]).await?;
    anna.fine(&["entry", "set", "tax/reminder", "--config", "city=2", "--unset-config", "office"]).await?;
    let entry = anna.json(&["entry", "show", "tax/reminder"]).await?;
    ensure!(entry["config"]["city"] == "2" && entry["config"]["office"].is_null(), "{entry}");
    anna.fine(&["number", "set", "7001", "tax/reminder", "--lang", "ru-RU"]).await?;
    anna.gudok(&["number", "set", "7001", "tax/other"]).await?.refused("Deploy a version there first")?;
    anna.fine(&["entry", "set", "tax/other", "--config", "office=3"]).await?;
    anna.fine(&["number", "set", "7001", "tax/other"]).await?;
    let number = anna.json(&["number", "show", "7001"]).await?;
    ensure!(number["entry"] == "other" && number["lang"] == "ru-RU", "{number}");
    anna.gudok(&["agency", "delete", "tax"]).await?.refused("remedy")?;
    anna.fine(&["number", "delete", "7001"]).await?;
    anna.fine(&["retention", "set", "tax", "--recording-days", "60"]).await?;
    anna.fine(&["retention", "set", "tax", "--trace-days", "7"]).await?;
    let retention = anna.json(&["retention", "show", "tax"]).await?;
    ensure!(retention["recording_days"] == 60 && retention["trace_days"] == 7, "{retention}");
    anna.fine(&["overlay", "set", "flood", "--text", "Вода.", "--lang", "ru-RU", "--agency", "tax", "--expires", "2h"])
        .await?;
    anna.fine(&["overlay", "set", "flood", "--text", "Вода уходит."]).await?;
    ensure!(anna.fine(&["overlay", "list"]).await?.contains("Вода уходит."), "another announcement");
    anna.fine(&["overlay", "delete", "flood"]).await?;
    let token = anna.home.path().join("token");
    let create = ["token", "create", "--label", "ci", "--role", "admin", "--expires", "1d", "--out", text(&token)?];
    anna.fine(&create).await?;
    let ci = Person::new(&desk)?;
    ci.fine(&["login", "--url", &ci.url, "--token-file", text(&token)?]).await?;
    let tokens = anna.json(&["token", "list"]).await?;
    let made = tokens["items"].as_array().and_then(|all| all.iter().find(|token| token["label"] == "ci"));
    anna.fine(&["token", "revoke", made.and_then(|token| token["id"].as_str()).context("no such token")?]).await?;
    ensure!(ci.gudok(&["whoami"]).await?.code == 3, "a revoked token works");
    anna.fine(&["subject", "export", "79131234567", "--reason", "a test", "--out", "subject.json"]).await?;
    let erased = anna.json(&["subject", "erase", "79131234567", "--reason", "a test", "--yes"]).await?;
    ensure!(erased["erased"]["cdrs"] == 0, "{erased}");
    anna.fine(&["configuration", "show"]).await?;
    anna.fine(&["configuration", "reload"]).await?;
    anna.fine(&["agency", "delete", "tax"]).await?;
    Ok(())
}

/// The centre, besides the file's queue: operators, promises, the directory, reports, an announcement with sound.
#[tokio::test(flavor = "multi_thread")]
async fn the_centre_is_run_by_the_command_line() -> anyhow::Result<()> {
    const QUEUE: &str = "[[queue]]\nname = \"help\"\nagency = \"probe\"\ncalendar = \"day\"\n\
        callback = { trunk = \"local\", dialable = [\"+7\"] }\n[registrar]\nrealm = \"gudok.test\"\nsources = [\"127.0.0.0/8\"]\n";
    let desk = Desk::open_with(Some(parties::NOON), |config| config.extra(QUEUE)).await?;
    let anna = Person::new(&desk)?;
    anna.becomes_admin(&desk).await?;

    let add =
        ["operators", "add", "vera", "--shown-name", "Вера", "--queue", "help", "--skill", "en=2", "--phone-password"];
    anna.types("a telephone's password\n", &add).await?.fine()?;
    anna.gudok(&["operators", "add", "galina", "--queue", "ghost"]).await?.refused("unknown-reference")?;
    anna.fine(&["operators", "state", "vera", "ready"]).await?;
    let operators = anna.fine(&["operators"]).await?;
    ensure!(operators.contains("vera") && operators.contains("Вера"), "{operators}");
    anna.fine(&["operators", "state", "vera", "pause"]).await?;
    let vera = anna.json(&["operators", "show", "vera"]).await?;
    ensure!(vera["now"]["state"] == "paused" && vera["phone"]["has_password"] == true, "{vera}");
    let queue = anna.json(&["queues", "show", "help"]).await?;
    ensure!(queue["open"] == true && queue["logged_in"] == 1, "{queue}");

    let booked = anna.json(&["callbacks", "book", "help", "8 913 123-45-67", "--topic", "паспорт"]).await?;
    let callback = booked["id"].as_str().context("no id")?;
    ensure!(!booked.to_string().contains("9131234567"), "a number in clear: {booked}");
    let number = anna.fine(&["callbacks", "number", callback]).await?;
    ensure!(number.trim() == "+79131234567", "{number}");
    anna.gudok(&["callbacks", "book", "help", "+4915112345678"]).await?.refused("dialable")?;
    anna.fine(&["callbacks", "cancel", callback]).await?;
    let ended = anna.json(&["callbacks", "--state", "given-up"]).await?;
    ensure!(ended["items"][0]["cancelled_by"] == "anna", "{ended}");

    let ticket = ["tickets", "add", "complaint", "--agency", AGENCY, "--text", "Холодно.", "--key", "k-1"];
    let registered = anna.fine(&ticket).await?;
    ensure!(anna.fine(&ticket).await? == registered, "the same key gave another number");
    let shown = anna.json(&["tickets", "show", registered.trim()]).await?;
    ensure!(
        shown["text"] == "Холодно." && shown["created_by"].as_str().is_some_and(|by| by.contains("anna")),
        "{shown}"
    );

    let table = anna.home.path().join("offices.csv");
    let rows =
        "id;kind;agency;title;text\nfaq-1;faq;probe;Где получить паспорт?;В окне пять.\nfaq-2;shop;probe;Что?;\n";
    std::fs::write(&table, rows)?;
    let import = anna.gudok(&["directory", "import", text(&table)?]).await?;
    ensure!(import.code == 1 && import.out.contains("is no kind of entry"), "{}{}", import.out, import.complaint);
    let found = anna.fine(&["directory", "search", "получение", "паспортов"]).await?;
    ensure!(found.contains("faq-1"), "{found}");
    anna.fine(&["directory", "export", "all.csv"]).await?;
    anna.fine(&["directory", "import", "all.csv"]).await?;

    let guide = anna.home.path().join("guide.txt");
    std::fs::write(&guide, "Спросите номер окна.\n")?;
    anna.fine(&["guide", "set", "probe/default", "--file", text(&guide)?, "--code", "told"]).await?;
    ensure!(anna.fine(&["guide", "show", "probe/default"]).await?.contains("номер окна"), "another guide");
    let sound = anna.home.path().join("warning.wav");
    std::fs::write(&sound, silence())?;
    let overlay = anna.json(&["overlay", "record", "flood", text(&sound)?, "--area", "42", "--expires", "1h"]).await?;
    ensure!(overlay["recording_ms"] == 1_000 && overlay["areas"][0] == "42", "{overlay}");
    let report = anna.json(&["reports"]).await?;
    ensure!(report["tickets"]["complaint"] == 1 && report["callbacks"]["cancelled"] == 1, "{report}");
    let csv = anna.fine(&["reports", "--by", "ticket", "--csv"]).await?;
    ensure!(csv.contains("complaint,1"), "{csv}");
    anna.fine(&["operators", "delete", "vera"]).await?;
    Ok(())
}

/// A second of it: WAV, 8 kHz, 16 bit, mono.
fn silence() -> Vec<u8> {
    const BYTES: u32 = 16_000;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + BYTES).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(BYTES.to_le_bytes());
    wav.resize(wav.len() + BYTES as usize, 0);
    wav
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_believed_where_it_is_named() -> anyhow::Result<()> {
    let folder = root().join("engine/admin/tests/contract/tls");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let tls = format!("tls = {{ certificate = {certificate:?}, key = {key:?} }}");
    let engine = Engine::start(&ConfigBuilder::new().http(&tls)).await?;
    let anna = Person::at(format!("https://{}", engine.http))?;
    let token = engine.store().join("first-token");
    let login = ["login", "--url", &anna.url, "--token-file", text(&token)?];
    let stranger = anna.gudok(&login).await?;
    ensure!(stranger.code == 3 && !stranger.complaint.contains("gdk_"), "{}{}", stranger.out, stranger.complaint);
    anna.fine(&[&login[..], &["--ca", text(&certificate)?]].concat()).await?;
    // The authority is remembered with the login.
    ensure!(anna.json(&["whoami"]).await?["user"] == "first-token", "somebody else");
    let plain = Person::at(format!("http://{}", engine.http))?;
    let login = ["login", "--url", &plain.url, "--token-file", text(&token)?];
    ensure!(plain.gudok(&login).await?.code != 0, "plain HTTP is answered");
    Ok(())
}
