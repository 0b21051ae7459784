//! Operators at their desks: telephones that answer, talk for a while and hang up; and a queue for them.

use anyhow::ensure;
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig, PhoneError, tone};
use gudok_sockets::{Api, ConfigBuilder};
use parking_lot::Mutex;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The queue of all stories.
pub const QUEUE: &str = "operators";
/// A talk's end is noticed at once; this is for a machine that is busy.
const END_MAX: Duration = Duration::from_secs(10);
/// Where telephones and centres are that are not of this centre: an address of their own tells them from its callers.
pub const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);
/// Further away.
pub const FURTHER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)), 0);
const HUM_MS: u32 = 60_000;

/// One talk, as the operator's telephone saw it.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// When the telephone rang.
    pub rang: Instant,
    /// For how long they talked.
    pub talked: Duration,
}

/// An operator who answers every call, talks, and hangs up.
pub struct Desk {
    /// The login.
    pub name: String,
    /// The telephone.
    pub phone: Arc<Phone>,
    talks: Arc<Mutex<Vec<Talk>>>,
    work: tokio::task::JoinHandle<()>,
}

impl Desk {
    /// At work under that login, talking so long with each caller.
    ///
    /// # Errors
    /// Where no sockets are to be had.
    pub async fn open(name: &str, talk: Duration) -> anyhow::Result<Self> {
        let options = CallOptions { microphone: tone(&[440.0], HUM_MS), ..CallOptions::default() };
        let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
        let phone = Arc::new(Phone::start(PhoneConfig { on_incoming, options, ..PhoneConfig::default() }).await?);
        let talks = Arc::new(Mutex::new(Vec::new()));
        let work = tokio::spawn(work(Arc::clone(&phone), Arc::clone(&talks), talk));
        Ok(Self { name: name.to_owned(), phone, talks, work })
    }

    /// As the configuration's file has it. Nobody is logged in yet.
    #[must_use]
    pub fn toml(&self) -> String {
        format!(
            "[[operator]]\nname = {:?}\naddress = \"sip:{}@{}\"\nqueues = [{QUEUE:?}]\n",
            self.name,
            self.name,
            self.phone.local_addr()
        )
    }

    /// Logs in, by a supervisor's hand.
    ///
    /// # Errors
    /// Where the engine refuses.
    pub async fn log_in(&self, api: &Api) -> anyhow::Result<()> {
        let answer = api.post(&format!("/operators/{}/state", self.name), &json!({"state": "ready"})).await?;
        ensure!(answer.status < 300, "{}: {}", answer.status, answer.body);
        Ok(())
    }

    /// Talks so far that are over.
    #[must_use]
    pub fn talks(&self) -> Vec<Talk> {
        self.talks.lock().clone()
    }

    /// Whether the telephone saw something that no well-behaved peer does.
    ///
    /// # Errors
    /// Where it did.
    pub fn was_well_treated(&self) -> anyhow::Result<()> {
        ensure!(self.phone.oddities().is_empty(), "{}: {:?}", self.name, self.phone.oddities());
        Ok(())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn work(phone: Arc<Phone>, talks: Arc<Mutex<Vec<Talk>>>, talk: Duration) {
    const SHIFT: Duration = Duration::from_secs(600);
    while let Ok(incoming) = phone.incoming(SHIFT).await {
        let (rang, call) = (Instant::now(), incoming.call());
        if call.answered(END_MAX).await.is_err() {
            continue;
        }
        let answered = Instant::now();
        if let Err(PhoneError::TimedOut { .. }) = call.wait_ended(talk).await {
            let _ = call.hangup();
            let _ = call.wait_ended(END_MAX).await;
        }
        talks.lock().push(Talk { rang, talked: answered.elapsed() });
    }
}

/// How a story's queue is set up.
#[derive(Debug, Clone, Copy)]
pub struct QueueRules<'a> {
    /// The limit on the wait.
    pub wait_s_max: u64,
    /// So long before it the host acts.
    pub act_before_s: u64,
    /// Of operators after a talk.
    pub wrap_up_s: u64,
    /// Peer centres in order.
    pub peers: &'a [&'a str],
    /// By which trunk callers are called back.
    pub callback_trunk: Option<&'a str>,
}

impl Default for QueueRules<'_> {
    fn default() -> Self {
        Self { wait_s_max: 40, act_before_s: 15, wrap_up_s: 1, peers: &[], callback_trunk: None }
    }
}

impl QueueRules<'_> {
    /// As the configuration's file has it.
    #[must_use]
    pub fn toml(&self) -> String {
        let callback = self.callback_trunk.map_or_else(String::new, |trunk| {
            format!("callback = {{ trunk = {trunk:?}, dialable = [\"+7\"], barred = [\"+7809\"] }}\n")
        });
        format!(
            "[[queue]]\nname = {QUEUE:?}\ncalendar = \"day\"\nwait_s_max = {}\nact_before_s = {}\nwrap_up_s = {}\n\
             announce_every_s = 10\npeers = {:?}\n{callback}",
            self.wait_s_max, self.act_before_s, self.wrap_up_s, self.peers
        )
    }
}

/// The sample centre with a queue and desks for it.
///
/// # Errors
/// Where a bundle was not built.
pub fn config(back_end: std::net::SocketAddr, rules: &QueueRules<'_>, desks: &[Desk]) -> anyhow::Result<ConfigBuilder> {
    let mut config = gudok_sockets::centre::config(back_end)?.agency("centre", &format!("queue = {QUEUE:?}"));
    config = config.extra(&rules.toml());
    for desk in desks {
        config = config.extra(&desk.toml());
    }
    Ok(config)
}
