//! Operators whose telephones register at the real binary: baresip, the phone, SIPp. They are rung where they are, the last
//! of two counts, and who vanishes costs a caller one ring.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, Credentials, OnIncoming, Phone, PhoneConfig, RegistrationStatus, Transport, tone};
use gudok_sockets::clients::{Baresip, Sipp, free_port};
use gudok_sockets::parties::{NOON, PATIENCE, bridged, caller, until};
use gudok_sockets::{ConfigBuilder, Engine, SampleBackend, centre};
use std::time::Duration;
use tempfile::TempDir;

const SIPP_REGISTER: &str = include_str!("scenarios/register.xml");
const SIPP_OPERATOR: &str = include_str!("scenarios/operator.xml");
/// Counted by the SIP room.
const WRONG: &str = "gudok_sip_events{event=\"digest-wrong\"}";
/// How long an operator is rung, in seconds: short, for those who are not there.
const RING_S: u64 = 2;

/// The sample centre with operators whose telephones register; each one's password is the login, twice.
struct Centre {
    engine: Engine,
    _back_end: SampleBackend,
    _passwords: TempDir,
}

impl Centre {
    async fn open(operators: &[&str], registrar: &str) -> anyhow::Result<Self> {
        let (back_end, passwords) = (SampleBackend::start().await?, tempfile::tempdir()?);
        let mut tables = format!(
            "[registrar]\nrealm = \"centre.example\"\nsources = [\"127.0.0.0/8\"]\n{registrar}\n\n\
             [[queue]]\nname = \"operators\"\nring_s_max = {RING_S}\nwrap_up_s = 0\nmisses_max = 0\n\n"
        );
        for name in operators {
            let file = passwords.path().join(name);
            std::fs::write(&file, password(name))?;
            tables.push_str(&format!(
                "[[operator]]\nname = {name:?}\npassword_file = {file:?}\nqueues = [\"operators\"]\nalways_ready = true\n\n"
            ));
        }
        let config: ConfigBuilder = centre::config(back_end.address)?.extra(&tables);
        let engine = Engine::start_at(&config, Some(NOON)).await?;
        Ok(Self { engine, _back_end: back_end, _passwords: passwords })
    }

    /// Somebody calls and asks for an operator; gives the call once they are put through.
    async fn ask_for_an_operator(&self, phone: &Phone) -> anyhow::Result<gudok_phone::Call> {
        let options = CallOptions { microphone: tone(&[600.0], 60_000), ..CallOptions::default() };
        let call = phone.call(&self.engine.uri(centre::NUMBER), options).await?;
        call.heard("Мои документы", PATIENCE).await?;
        call.press("0")?;
        bridged(&call).await?;
        Ok(call)
    }

    /// A telephone that registers, and answers at once.
    async fn telephone(&self, name: &str, transport: Transport) -> anyhow::Result<Phone> {
        let at = if transport == Transport::Tcp { self.engine.sip_tcp } else { self.engine.sip };
        let phone = Phone::start(PhoneConfig {
            user: name.to_owned(),
            transport,
            credentials: Some(Credentials::new(name, password(name))),
            registrar_uri: Some(format!("sip:{at}")),
            register_expires_s: 100,
            on_incoming: OnIncoming::Answer { after: Duration::ZERO },
            options: CallOptions { microphone: tone(&[440.0], 60_000), ..CallOptions::default() },
            ..PhoneConfig::default()
        })
        .await?;
        ensure!(phone.wait_registered(PATIENCE).await? == 100, "what was wished for is granted");
        Ok(phone)
    }
}

fn password(name: &str) -> String {
    format!("{name}{name}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_telephone_of_an_operator_is_rung_by_datagram_and_by_stream() -> anyhow::Result<()> {
    let centre = Centre::open(&["anna"], "").await?;
    let phone = caller().await?;
    for transport in [Transport::Udp, Transport::Tcp] {
        let first = centre.telephone("anna", transport).await?;
        let second = centre.telephone("anna", transport).await?;
        let call = centre.ask_for_an_operator(&phone).await?;
        let taken = second.incoming(PATIENCE).await?;
        ensure!(first.incoming(Duration::ZERO).await.is_err(), "the first one is forgotten");
        call.hangup()?;
        taken.call().wait_ended(PATIENCE).await?;
        ensure!(second.unregister(PATIENCE).await? == 200, "it takes leave");
        ensure!(second.oddities().is_empty(), "{:?}", second.oddities());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_vanishes_costs_a_caller_one_ring_and_baresip_takes_the_call() -> anyhow::Result<()> {
    let centre = Centre::open(&["anna", "boris"], "digests = [\"MD5\"]").await?;
    let phone = caller().await?;
    let gone = centre.telephone("anna", Transport::Udp).await?;
    // Without a word: its socket is closed, its registration stands.
    drop(gone);
    let account = format!(
        "<sip:boris@{}>;auth_user=boris;auth_pass={};regint=60;answermode=auto;audio_codecs=PCMA",
        centre.engine.sip,
        password("boris")
    );
    let mut baresip = Baresip::start_as(&account, &tone(&[300.0], 60_000)).await?;
    baresip.event("REGISTER_OK").await?;
    for _ in 0..2 {
        let call = centre.ask_for_an_operator(&phone).await?;
        baresip.event("CALL_ESTABLISHED").await?;
        call.hangup()?;
        baresip.event("CALL_CLOSED").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_registers_is_rung_and_hangs_up() -> anyhow::Result<()> {
    let centre = Centre::open(&["clara"], "digests = [\"MD5\"]").await?;
    let (port, server) = (free_port()?, centre.engine.sip.to_string());
    let scenario =
        SIPP_REGISTER.replace("[password]", &password("clara")).replace("username=[service]", "username=clara");
    Sipp::start_at(port, &scenario, &[&server, "-s", "clara"])?.finished().await?;
    let operator = Sipp::start_at(port, SIPP_OPERATOR, &[&server])?;
    let phone = caller().await?;
    let call = centre.ask_for_an_operator(&phone).await?;
    operator.finished().await?;
    call.wait_ended(PATIENCE).await.context("the caller's call goes on without the operator")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_counted_and_not_written_down() -> anyhow::Result<()> {
    let centre = Centre::open(&["anna"], "").await?;
    let thief = Phone::start(PhoneConfig {
        user: "anna".to_owned(),
        credentials: Some(Credentials::new("anna", "guessed-by-somebody")),
        ..PhoneConfig::default()
    })
    .await?;
    let mut refused = thief.keep_registered(&format!("sip:{}", centre.engine.sip), 100);
    until("it is counted", async || Ok(centre.engine.metric(WRONG).await? >= 1.0)).await?;
    ensure!(refused.registered(Duration::ZERO).await.is_err(), "it is not registered");
    ensure!(!matches!(refused.status(), RegistrationStatus::Registered { .. }), "{:?}", refused.status());
    let log = centre.engine.log();
    for secret in ["guessed-by-somebody", &password("anna"), "response=", "nonce="] {
        ensure!(!log.contains(secret), "{secret} is in the log");
    }
    Ok(())
}
