//! Story 11, tax reminder. A verified callee hears the right forms ("1 рубль, 2 рубля, 5 рублей"); 9 opts out. Nothing
//! outside the callee's local hours; an opted-out number is never dialled again; a restart never dials twice.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, IncomingCall, OnIncoming, Phone, PhoneConfig, PhoneError};
use gudok_sockets::campaigns::{Campaign, counts};
use gudok_sockets::parties::PATIENCE;
use gudok_sockets::{ConfigBuilder, Engine, bundle};
use gudok_stories::Line;
use gudok_stories::desks::ELSEWHERE;
use serde_json::json;
use std::time::Duration;

/// Ten seconds before anybody may be called whose clock is the centre's, and an hour and ten seconds before the others.
const BEFORE_NINE: &str = "2026-05-05T08:59:50+07:00";
/// Nine o'clock by the centre's clock, in milliseconds since 1970.
const NINE_MS: u64 = 1_777_946_400_000;
/// Nine o'clock an hour further west.
const TEN: &str = "2026-05-05T10:00:05+07:00";
/// Long enough for another call to come, if one were to come.
const NOBODY_CALLS: Duration = Duration::from_secs(4);

/// number, id, debt, due, birth_year, zone: the last one lives an hour further west.
const LIST: &str = "number,id,debt,due,birth_year,zone\n\
                    +79135550101,one,\"1,00\",2026-05-20,1985,\n\
                    +79135550102,two,\"2,00\",2026-05-20,1971,\n\
                    +79135550103,stranger,\"3,00\",2026-05-20,1990,\n\
                    +79135550105,five,\"5,00\",2026-05-20,1964,\n\
                    +79135550121,west,\"21,00\",2026-05-20,2001,Asia/Omsk\n";

struct Town {
    phone: Phone,
}

impl Town {
    async fn open() -> anyhow::Result<Self> {
        let microphone = gudok_sockets::farm::spoken("Алло?").await?;
        let options = CallOptions { microphone, record: true, ..CallOptions::default() };
        let on_incoming = OnIncoming::Answer { after: Duration::from_millis(300) };
        Ok(Self {
            phone: Phone::start(PhoneConfig { bind: ELSEWHERE, on_incoming, options, ..PhoneConfig::default() })
                .await?,
        })
    }

    /// The next call must be for that number.
    async fn rings(&self, number: &str, engine: &Engine) -> anyhow::Result<Line> {
        let rung = self.phone.incoming(PATIENCE).await.with_context(|| engine.log())?;
        ensure!(is_for(&rung, number), "{} is called instead of {number}", rung.request_uri());
        rung.call().answered(PATIENCE).await?;
        Ok(Line(rung.call()))
    }

    async fn stays_silent(&self) -> anyhow::Result<()> {
        let rung = self.phone.incoming(NOBODY_CALLS).await;
        ensure!(matches!(rung, Err(PhoneError::TimedOut { .. })), "somebody is called: {rung:?}");
        Ok(())
    }
}

fn is_for(rung: &IncomingCall, number: &str) -> bool {
    rung.request_uri().contains(number)
}

fn config(town: &Town) -> anyhow::Result<ConfigBuilder> {
    Ok(ConfigBuilder::new().script("tax", "reminder", bundle("tax")?, "approve = \"as-declared\"").extra(&format!(
        "[campaigns]\ncalls_max = 10\n\n\
         [[trunk]]\nname = \"city\"\nproxy = \"{}\"\ntranscript = true\ncampaigns = {{ calls_max = 1, calls_per_s_max = 5 }}\n",
        town.phone.local_addr()
    )))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debtor_hears_the_right_forms_in_the_right_hours_once_and_may_refuse() -> anyhow::Result<()> {
    let town = Town::open().await?;
    let engine = Engine::start_at(&config(&town)?, Some(BEFORE_NINE)).await?;
    let document = json!({
        "agency": "tax", "entry": "reminder", "trunk": "city", "window": "mon-fri 09:00-20:00", "calls_max": 1,
        "calls_per_s_max": 5, "ring_s": 20, "attempts_max": 3, "attempts_per_day_max": 2, "unknown": "ask",
    });
    let campaign = Campaign::make(&engine.api()?, "reminder", &document).await?;
    let report = campaign.import(LIST).await?;
    ensure!(report["added"] == 5 && report["bad"] == 0, "{report}");
    campaign.order("start").await?;
    let idle = campaign.figures().await?;
    ensure!(idle["idle"]["code"] == "windows-closed" && idle["next_window_ms"] == NINE_MS, "{idle}");

    // One ruble; and no more such calls.
    let line = town.rings("+79135550101", &engine).await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("года вашего рождения", "1985").await?;
    let debt = line.hears("Сумма вашей задолженности").await?;
    ensure!(debt.contains("один рубль"), "{debt}");
    line.asked("Если всё понятно", "9").await?;
    line.asked("Вы отказываетесь", "1").await?;
    line.hears("Ваш отказ принят").await?;
    line.ended().await?;

    // Two rubles, understood.
    let line = town.rings("+79135550102", &engine).await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("года вашего рождения", "1971").await?;
    let debt = line.hears("Сумма вашей задолженности").await?;
    ensure!(debt.contains("два рубля"), "{debt}");
    line.asked("Если всё понятно", "1").await?;
    line.ended().await?;

    // Somebody who does not know the year hears nothing of it.
    let line = town.rings("+79135550103", &engine).await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("года вашего рождения", "1900").await?;
    line.asked("Цифры не совпали", "1901").await?;
    line.asked("Цифры не совпали", "1902").await?;
    line.hears("Без проверки").await?;
    line.ended().await?;
    ensure!(!line.said().contains("рубл") && !line.said().contains("адолженност"), "{}", line.said());

    // Five rubles; and the engine dies in the middle of the call.
    let line = town.rings("+79135550105", &engine).await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("года вашего рождения", "1964").await?;
    let debt = line.hears("Сумма вашей задолженности").await?;
    ensure!(debt.contains("пять рублей"), "{debt}");
    for no in 0..4 {
        let contact = campaign.contact(no).await?;
        let claimed = contact["tries"][0]["claimed_ms"].as_u64().with_context(|| contact.to_string())?;
        ensure!(claimed >= NINE_MS, "called before nine: {contact}");
    }
    let west = campaign.contact(4).await?;
    ensure!(west["state"] == "waiting" && west["tries"] == json!([]), "called before nine by its own clock: {west}");
    let engine = engine.kill_and_restart_at(TEN).await?;
    line.0.hangup().ok();

    // An hour later it is nine there, too. Nobody else is called.
    let campaign = campaign.again(&engine.api()?);
    let line = town.rings("+79135550121", &engine).await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("года вашего рождения", "2001").await?;
    let debt = line.hears("Сумма вашей задолженности").await?;
    ensure!(debt.contains("двадцать один рубль"), "{debt}");
    line.asked("Если всё понятно", "1").await?;
    line.ended().await?;
    town.stays_silent().await?;
    let figures = campaign.figures().await?;
    ensure!(counts(&figures["states"]).get("unknown") == Some(&1), "the call that was cut off is shown: {figures}");
    let cut = campaign.contact(3).await?;
    ensure!(cut["state"] == "unknown" && cut["tries"].as_array().is_some_and(|tries| tries.len() == 1), "{cut}");

    refused_is_refused(&town, &engine, &document).await?;
    let written = format!("{}{}", engine.log(), campaign.api.read("/cdrs").await?);
    ensure!(!written.contains("913555"), "a number in clear");
    ensure!(town.phone.oddities().is_empty(), "{:?}", town.phone.oddities());
    Ok(())
}

/// Who has opted out of the agency's calls is not called by its next campaign.
async fn refused_is_refused(town: &Town, engine: &Engine, document: &serde_json::Value) -> anyhow::Result<()> {
    let again = Campaign::make(&engine.api()?, "again", document).await?;
    again.import("number,debt,due,birth_year\n89135550101,\"7,00\",2026-05-20,1985\n").await?;
    again.order("start").await?;
    let figures = again.finished(PATIENCE).await?;
    ensure!(counts(&figures["dispositions"]).get("opted-out") == Some(&1), "{figures}");
    town.stays_silent().await?;
    let opt_outs = again.api.list("/opt-outs").await?;
    ensure!(opt_outs.len() == 1 && opt_outs[0]["agency"] == "tax", "{opt_outs:?}");
    Ok(())
}
