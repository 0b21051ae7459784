//! Journals of calls over the engine's own store: replayed identically, rehearsed on another version, sealed on the disk,
//! whole after `kill -9`, erased with their person.

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, Phone};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{Api, Draft, Engine, SampleBackend, bundles, centre, program};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::process::Command;

const CALLER: &str = "+79135550142";
const ANOTHER: &str = "+79135550177";
const APPLICATION: &str = "12345678";
/// What callers press, question by question, and what they hear at the end.
const CALLS: [(&str, &[&str], &str); 4] = [
    (CALLER, &["1", "3"], "Адрес"),
    (CALLER, &["2", APPLICATION, "4321"], "паспорт"),
    (ANOTHER, &["4"], "Жалобы на"),
    (ANOTHER, &["9"], "Татар теле"),
];

struct Town {
    engine: Engine,
    api: Api,
    _back_end: SampleBackend,
}

impl Town {
    async fn open() -> anyhow::Result<Self> {
        let back_end = SampleBackend::start().await?;
        let config = centre::config(back_end.address)?.extra("[admin]\nunsigned = \"allow\"\n");
        let engine = Engine::start_at(&config, Some(NOON)).await?;
        let api = engine.api()?;
        Ok(Self { engine, api, _back_end: back_end })
    }

    /// Everybody calls once. The ids of their calls, in their order.
    async fn calls(&self) -> anyhow::Result<Vec<String>> {
        let phone = parties::caller().await?;
        let mut ids = Vec::new();
        for (from, keys, hears) in CALLS {
            let call = talk(&phone, &self.engine.uri(centre::NUMBER), from, keys).await?;
            call.heard(hears, PATIENCE).await?;
            call.hangup()?;
            call.wait_ended(PATIENCE).await?;
            let known = ids.clone();
            until("the call's record", async || Ok(fresh(&self.api, &known).await?.is_some())).await?;
            ids.push(fresh(&self.api, &ids).await?.context("no record")?);
        }
        Ok(ids)
    }

    /// Every file of the journals.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for shelf in std::fs::read_dir(self.engine.store().join("journals"))? {
            for file in std::fs::read_dir(shelf?.path())? {
                files.push(file?.path());
            }
        }
        Ok(files)
    }

    fn search(&self, text: &str) -> anyhow::Result<usize> {
        let mut found = 0;
        for file in self.files()? {
            let bytes = std::fs::read(&file)?;
            found += bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
        }
        Ok(found)
    }
}

async fn talk(phone: &Phone, uri: &str, from: &str, keys: &[&str]) -> anyhow::Result<Call> {
    let call = phone.call(uri, CallOptions { from_user: from.to_owned(), ..CallOptions::default() }).await?;
    for keys in keys {
        call.collecting(PATIENCE).await?;
        call.press(keys)?;
    }
    Ok(call)
}

/// The call of a record that is not known yet.
async fn fresh(api: &Api, known: &[String]) -> anyhow::Result<Option<String>> {
    let records = api.cdrs().await?;
    let ids = records.iter().filter_map(|record| record["began"]["call_id"].as_str());
    Ok(ids.map(str::to_owned).find(|id| !known.contains(id)))
}

async fn replay(api: &Api, call: &str, query: &str) -> anyhow::Result<Value> {
    Ok(api.send(api.request("POST", &format!("/calls/{call}/replay{query}"))).await?.expect(200)?.json())
}

/// The centre's menu with other keys.
fn other_centre() -> anyhow::Result<Draft> {
    let files = bundles::parts("centre")?;
    let menu = String::from_utf8(files["data/menu.toml"].clone())?;
    let other = menu.replacen("choices = { \"1\" = \"mfc\"", "choices = { \"6\" = \"mfc\"", 1);
    ensure!(menu != other, "the menu has another shape");
    Ok(Draft::of("centre")?.version("1.1.0")?.file("data/menu.toml", other))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_replayed_rehearsed_sealed_and_survive_kill_9() -> anyhow::Result<()> {
    let mut town = Town::open().await?;
    let ids = town.calls().await?;

    // What people see of it is masked, and what is on the disk is sealed.
    let journal = town.api.read(&format!("/calls/{}/journal?run=2", ids[1])).await?;
    ensure!(journal["script"] == "passport" && journal["steps"][0]["seq"] == 1, "{journal:#}");
    for personal in [APPLICATION, "4321", &CALLER[2..], "sample-token"] {
        ensure!(!journal.to_string().contains(personal), "{personal} is shown: {journal:#}");
        ensure!(town.search(personal)? == 0, "{personal} is on the disk");
    }

    // Each script of each call, the same to the bit.
    let mut replays = 0_u32;
    for id in &ids {
        for run in 1..=2 {
            let answer = town.api.send(town.api.request("POST", &format!("/calls/{id}/replay?run={run}"))).await?;
            if answer.status == 404 && run > 1 {
                continue;
            }
            let report = answer.expect(200)?.json();
            ensure!(report["verdict"] == "identical", "{report:#}");
            replays += 1;
        }
    }
    ensure!(replays as usize > ids.len(), "{replays}: some callers were handed to another script");
    ensure!(town.engine.metric("gudok_journals_kept_total").await? >= f64::from(replays), "each is counted");

    rehearse(&town, &ids).await?;
    command_line(&town, &ids[0]).await?;

    // A kill in the middle of a call takes that call's journal and no other.
    let phone = parties::caller().await?;
    let cut_off = talk(&phone, &town.engine.uri(centre::NUMBER), CALLER, &["1"]).await?;
    town.engine = town.engine.kill_and_restart_at(NOON).await?;
    drop(cut_off);
    town.api = Api::new(town.engine.http, town.api.token.clone());
    for id in &ids {
        ensure!(replay(&town.api, id, "").await?["verdict"] == "identical", "{id} after kill -9");
    }
    let actions = town.api.audit().await?;
    for action in ["journal.read", "journal.replay", "journal.rehearse"] {
        ensure!(actions.iter().any(|entry| entry["action"] == action), "{action} is not in the audit");
    }

    flip_and_erase(&town, &ids).await
}

async fn rehearse(town: &Town, ids: &[String]) -> anyhow::Result<()> {
    let path = "/agencies/centre/rehearsals?script=centre&last=50";
    let same = Draft::of("centre")?.version("1.0.1")?.unsigned()?;
    let request = |bundle: Vec<u8>| town.api.request("POST", path).body("application/octet-stream", bundle);
    let unchanged = town.api.send(request(same)).await?.expect(200)?.json();
    ensure!(unchanged["calls"] == ids.len() && unchanged["changed"] == 0 && unchanged["parted"] == 0, "{unchanged:#}");

    let other = other_centre()?.unsigned()?;
    let changed = town.api.send(request(other.clone())).await?.expect(200)?.json();
    ensure!(changed["parted"] == 1 && changed["version"] == "1.1.0", "{changed:#}");
    let change = &changed["changes"][0];
    ensure!(change["example"] == ids[0].as_str() && change["parting"]["expected"].is_string(), "{change:#}");
    ensure!(change["what"].as_str().is_some_and(|what| what.contains("telephony.call.collect")), "{change:#}");
    // The same by the id of a version that was taken in.
    let id = town.api.publish("centre", &other).await?;
    let by_id = town.api.send(town.api.request("POST", &format!("{path}&version={id}"))).await?.expect(200)?.json();
    ensure!(by_id["changes"] == changed["changes"], "{by_id:#}");
    let report = replay(&town.api, &ids[0], &format!("?run=1&version={id}")).await?;
    ensure!(report["verdict"] == "parted" && report["parting"]["step"] == change["parting"]["step"], "{report:#}");
    // Who may not upload may not let a bundle of his own at callers' answers; a bundle of others is refused.
    let foreign = Draft::of("passport")?.unsigned()?;
    town.api.send(request(foreign)).await?.expect(422)?;
    let supervisor = json!([{ "role": "supervisor", "agency": "centre" }]);
    let supervisor = town.api.person("olga", &supervisor).await?;
    let path = format!("/calls/{}/replay", ids[0]);
    supervisor.send(supervisor.request("POST", &path)).await?.expect(200)?;
    let with_bundle = supervisor.request("POST", &path).body("application/octet-stream", other);
    supervisor.send(with_bundle).await?.expect(403)?;
    Ok(())
}

/// The same by the command line: step by step from a pipe, and an exit code for CI.
async fn command_line(town: &Town, call: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("centre-1.1.0.ivr");
    std::fs::write(&file, other_centre()?.unsigned()?)?;
    let run = |arguments: Vec<String>| {
        let mut command = Command::new(program("gudok").unwrap_or_default());
        command.args(arguments).env("GUDOK_URL", format!("http://{}", town.engine.http));
        command.env("GUDOK_TOKEN", &town.api.token).env("HOME", folder.path()).kill_on_drop(true);
        command
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let same = run(words(&["replay", call])).output().await?;
    let text = String::from_utf8_lossy(&same.stdout).into_owned();
    ensure!(
        same.status.code() == Some(0) && text.contains("identical"),
        "{text}{}",
        String::from_utf8_lossy(&same.stderr)
    );
    let rehearsed = run(words(&["rehearse", "centre/centre", &file.display().to_string(), "--json"])).output().await?;
    let told: Value = serde_json::from_slice(&rehearsed.stdout)?;
    ensure!(rehearsed.status.code() == Some(1) && told["parted"] == 1, "{told:#}");
    let mut stepping = run(words(&["replay", call, "--step"]));
    let mut child = stepping.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"n\np\n3\nq\n").await?;
    drop(stdin);
    let walked = child.wait_with_output().await?;
    let text = String::from_utf8_lossy(&walked.stdout).into_owned();
    let places: Vec<&str> =
        text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split(' ').next()).collect();
    ensure!(places == ["[1", "[2", "[1", "[3"], "{text}");
    Ok(())
}

async fn flip_and_erase(town: &Town, ids: &[String]) -> anyhow::Result<()> {
    // One bit of the last record's seal, in the file of the passport's script.
    let rows = town.api.read(&format!("/calls/{}/journal?run=2", ids[1])).await?;
    let bundle = rows["version"].as_str().context("no version")?[..16].to_owned();
    let files = town.files()?;
    let file = files.iter().find(|file| file.display().to_string().contains(&bundle)).context("no such shelf")?;
    let whole = std::fs::read(file)?;
    let mut flipped = whole.clone();
    *flipped.last_mut().context("an empty file")? ^= 1;
    std::fs::write(file, &flipped)?;
    let path = format!("/calls/{}/replay?run=2", ids[1]);
    let refused = town.api.send(town.api.request("POST", &path)).await?.expect(409)?;
    ensure!(refused.body.contains("damaged"), "{}", refused.body);
    std::fs::write(file, &whole)?;
    ensure!(replay(&town.api, &ids[1], "?run=2").await?["verdict"] == "identical", "mended");

    let body = json!({ "number": CALLER, "reason": "asked in writing" });
    let export = town.api.post("/subjects/export", &body).await?.expect(200)?.json();
    ensure!(export["journals"].as_array().is_some_and(|rows| rows.len() >= 4), "{export:#}");
    let erased = town.api.post("/subjects/erase", &body).await?.expect(200)?.json();
    ensure!(erased["erased"]["journals"].as_u64() >= Some(4), "two calls of two scripts each: {erased:#}");
    town.api.get(&format!("/calls/{}/journal", ids[1])).await?.expect(404)?;
    ensure!(std::fs::read(file)? != whole, "its place on the disk is overwritten");
    ensure!(replay(&town.api, &ids[3], "").await?["verdict"] == "identical", "others stay");
    Ok(())
}
