//! Three clients that know nothing of each other complete the centre's main menu: SIPp with digits from a capture,
//! baresip with audio files, and the engine's own telephone at the terminal.

use anyhow::{Context, ensure};
use gudok_phone::tone;
use gudok_sockets::clients::{Baresip, Sipp};
use gudok_sockets::parties::{NOON, until};
use gudok_sockets::{Engine, SampleBackend, centre, program};
use serde_json::Value;
use tokio::process::Command;

/// Calls, presses 1 and 3 with the digits that SIPp's package has as captures of RFC 4733, and hangs up.
const SIPP_CALLER: &str = include_str!("scenarios/menu_caller.xml");
const SIPP_CAPTURES: &str = "/usr/share/sip-tester";
/// Samples louder than this are no noise of a codec.
const AUDIBLE: u16 = 500;

struct Centre {
    engine: Engine,
    _back_end: SampleBackend,
}

impl Centre {
    async fn open() -> anyhow::Result<Self> {
        let back_end = SampleBackend::start().await?;
        let config = centre::config(back_end.address)?.log("info,gudok::script=debug");
        Ok(Self { engine: Engine::start_at(&config, Some(NOON)).await?, _back_end: back_end })
    }

    /// Waits until the script has come to that step.
    async fn reached(&self, step: &str) -> anyhow::Result<()> {
        until(step, async || Ok(self.engine.log().contains(&format!("\"{step}\"")))).await
    }

    /// The only call's record: it went through the menu to the desk, and to Novokuznetsk there.
    async fn completed(&self) -> anyhow::Result<()> {
        let records = self.engine.cdrs().await?;
        let [record] = records.as_slice() else { anyhow::bail!("one call, one record: {records:?}") };
        ensure!(record["began"]["script"] == "mfc", "{record}");
        ensure!(record["ended"]["tags"]["municipality"] == "Новокузнецк", "{record}");
        ensure!(record["ended"]["cause"] == "normal" && record["ended"]["ended_by"] == "caller", "{record}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_completes_the_menu_with_captured_digits() -> anyhow::Result<()> {
    let centre = Centre::open().await?;
    let scenario = SIPP_CALLER.replace("[captures]", SIPP_CAPTURES);
    let sipp = Sipp::start(&scenario, &[&centre.engine.sip.to_string(), "-s", centre::NUMBER])?;
    sipp.finished().await?;
    centre.completed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_completes_the_menu_and_hears_it() -> anyhow::Result<()> {
    const BYTES_OF_A_SECOND: u64 = 16_000;
    let centre = Centre::open().await?;
    let mut baresip = Baresip::start(&tone(&[300.0], 30_000)).await?;
    baresip.command("dial", &centre.engine.uri(centre::NUMBER)).await?;
    baresip.event("CALL_ESTABLISHED").await?;
    centre.reached("main").await?;
    baresip.command("sndcode", "1").await?;
    centre.reached("municipality").await?;
    baresip.command("sndcode", "3").await?;
    centre.reached("office").await?;
    let before = baresip.kept_bytes()?;
    until("the address is heard", async || Ok(baresip.kept_bytes()? > before + 2 * BYTES_OF_A_SECOND)).await?;
    baresip.command("hangup", "").await?;
    baresip.event("CALL_CLOSED").await?;
    let heard = baresip.heard().await?;
    let audible = heard.iter().filter(|sample| sample.unsigned_abs() > AUDIBLE).count();
    ensure!(audible > heard.len() / 10, "{audible} of {} samples are audible", heard.len());
    centre.completed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_terminal_telephone_completes_the_menu_and_tells_what_it_heard() -> anyhow::Result<()> {
    let centre = Centre::open().await?;
    let mut command = Command::new(program("gudok")?);
    command.args(["call", &centre.engine.uri(centre::NUMBER), "--keys", "1,3", "--json", "--hang-up-after-ms", "2000"]);
    command.args(["--expect", "Здравствуйте", "--expect", "Выберите город", "--expect", "дом семьдесят один"]);
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(0), "{}: {text} {}", output.status, String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_str(&text).with_context(|| text.to_string())?;
    ensure!(told["complete"] == true && told["status"] == 200 && told["ended_by"] == "us", "{told}");
    ensure!(told["oddities"] == serde_json::json!([]) && told["packets_lost"] == 0, "{told}");
    let said: Vec<&str> =
        told["transcript"].as_array().context("no transcript")?.iter().filter_map(Value::as_str).collect();
    let order =
        ["Здравствуйте", "Мои документы: нажмите один", "Справочная центров", "Выберите город", "Новокузнецк. Адрес"];
    let mut rest = said.iter();
    for words in order {
        ensure!(rest.any(|prompt| prompt.contains(words)), "{words:?} is not in its place in {said:?}");
    }
    centre.completed().await
}
