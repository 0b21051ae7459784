//! The engine from start to stop: rooms are opened in order, calls are taken, signals are heeded.

mod campaigns;
mod keeping;
mod people;
mod port;
mod reload;
mod rooms;
mod signals;
mod sweep;
mod telephones;

use crate::call::{self, CallHost, Control};
use crate::campaigns::{Attempting, CampaignStart};
use crate::check::Checker;
use crate::config::Config;
use crate::flow::Flows;
use crate::journals::Replays;
use crate::metrics;
use anyhow::Context;
use gudok_admin::ports::{Actor, Engine};
use gudok_admin::{Admin, AdminConfig};
use gudok_core::call::{CallStart, Purpose};
use gudok_core::centre::CallbackStart;
use gudok_core::ids::{CallId, Entry, Trunk};
use gudok_core::leg::IncomingCall;
use gudok_core::records::Mode;
use gudok_core::routing::Route;
use gudok_plugin_host::ports::Clock;
use gudok_sip::IncomingLeg;
use metrics_exporter_prometheus::PrometheusHandle;
use port::Port;
use reload::Reloading;
use rooms::Rooms;
pub(crate) use rooms::speech;
use signals::Signal;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Unknown numbers that are logged, each once; beyond them they are only counted.
const UNKNOWN_NUMBERS_LOGGED_MAX: usize = 1_024;
/// Packets this late for [`LATE_LOOKS_MAX`] looks in a row, and nobody new is let in: who is in hears clearly.
const LATENESS_US_MAX: u64 = 30_000;
const LATE_LOOKS_MAX: u32 = 30;
const LATENESS_LOOK_EVERY: Duration = Duration::from_millis(100);
/// Whoever dials the callback number may hang up for so long; then we answer and say so.
const CALLBACK_NUMBER_RING_MAX: Duration = Duration::from_secs(8);
/// As the records of callbacks' calls name it.
const CALLBACK_ENTRY: &str = "callback";
const OVERLOAD_RETRY_AFTER: Duration = Duration::from_secs(2);
/// After the drain deadline, calls get so long to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

/// What `gudok serve` is told.
#[derive(Debug)]
pub(crate) struct Options {
    /// The configuration's file.
    pub(crate) config: PathBuf,
    /// The moment at which the engine's clock begins; the machine's own where none is given.
    pub(crate) at: Option<jiff::Timestamp>,
    /// The end of standard input stops it.
    pub(crate) while_stdin: bool,
}

/// Runs the engine until it is told to stop.
///
/// # Errors
/// Where a room cannot be opened; nothing was answered then.
pub(crate) async fn serve(options: Options, config: Config, prometheus: PrometheusHandle) -> anyhow::Result<()> {
    let mut signals = signals::listen(options.while_stdin)?;
    let drain_max = config.drain_max;
    let rooms = Rooms::open(Arc::new(config), options.at).await?;
    let (control, _) = watch::channel(None);
    let calls = Arc::new(Calls {
        host: Arc::clone(&rooms.host),
        limits: rooms.call_limits,
        live: AtomicUsize::new(0),
        inbound: AtomicUsize::new(0),
        over: tokio::sync::Notify::new(),
        control,
        unknown: parking_lot::Mutex::new(HashSet::new()),
        overloaded: AtomicBool::new(false),
    });
    let ready = Arc::new(AtomicBool::new(true));
    let reloading = Arc::new(Reloading::new(
        options.config,
        Arc::clone(&rooms.host.director),
        Arc::clone(&rooms.sip),
        rooms.host.campaigns.clone(),
        Arc::clone(&rooms.host.store),
        Arc::clone(&rooms.host.clock),
    ));
    let sweeping = Arc::new(tokio::sync::Notify::new());
    let port = port(&rooms, &calls, &reloading, prometheus, &ready, &sweeping);
    let admin = serve_admins(&rooms, port).await?;
    tokio::spawn(take_calls(Arc::clone(&calls), rooms.incoming));
    tokio::spawn(call_back(Arc::clone(&calls), rooms.callbacks));
    tokio::spawn(campaigns::inform(Arc::clone(&calls), rooms.campaign_starts));
    tokio::spawn(campaigns::tell_load(Arc::clone(&calls)));
    tokio::spawn(telephones::follow(rooms.sip.registrar_events(), rooms.host.centre.clone()));
    tokio::spawn(telephones::keep_known(Arc::clone(&rooms.host.director), Arc::clone(&rooms.sip)));
    tokio::spawn(sweep::expired(Arc::clone(&rooms.host)));
    tokio::spawn(sweep::keep_traces(Arc::clone(&rooms.host), rooms.landed));
    tokio::spawn(sweep::retention_of_all(Arc::clone(&rooms.host), Arc::clone(&rooms.host.director), sweeping));
    tokio::spawn(crate::campaigns::telling::tell(Arc::clone(&rooms.host)));
    tokio::spawn(crate::campaigns::retention::sweep(Arc::clone(&rooms.host)));
    tokio::spawn(watch_lateness(Arc::clone(&calls)));
    announce(&rooms.sip_addresses, admin.as_ref().map(|(_, address)| *address));
    while signals.next().await == Signal::Reload {
        // What is wrong with the file is in the log.
        let _ = reloading.reload(Actor { name: "file".to_owned(), via: "file" }).await;
        if let Some((admin, _)) = &admin
            && let Err(problem) = admin.reload_certificate().await
        {
            tracing::error!(%problem, "the certificate was not reloaded");
        }
    }
    ready.store(false, Ordering::Release);
    drain(&calls, &rooms.sip, drain_max, &mut signals).await;
    rooms.sip.shutdown().await;
    if let Some((admin, _)) = admin {
        admin.shut_down();
    }
    if let Some(journals) = &rooms.host.journals {
        journals.settled().await;
    }
    let settled = rooms.host.store.settled().await;
    settled.context("the last call records could not be kept")?;
    tracing::info!("stopped");
    Ok(())
}

/// All calls of the engine.
struct Calls {
    host: Arc<CallHost>,
    limits: gudok_core::call::CallLimits,
    live: AtomicUsize,
    /// Of these, calls that came in: campaigns make room for them.
    inbound: AtomicUsize,
    over: tokio::sync::Notify,
    control: watch::Sender<Option<Control>>,
    unknown: parking_lot::Mutex<HashSet<String>>,
    /// The pacers cannot keep up with the calls there are.
    overloaded: AtomicBool,
}

async fn take_calls(calls: Arc<Calls>, mut incoming: mpsc::Receiver<IncomingLeg>) {
    while let Some(leg) = incoming.recv().await {
        calls.take(leg);
    }
}

/// Begins the calls of callbacks whose turn it is.
async fn call_back(calls: Arc<Calls>, mut callbacks: mpsc::Receiver<Box<CallbackStart>>) {
    while let Some(start) = callbacks.recv().await {
        calls.call_back(start);
    }
}

impl Calls {
    fn take(self: &Arc<Self>, leg: IncomingLeg) {
        if self.overloaded.load(Ordering::Relaxed) {
            metrics::call_refused("media-overload");
            leg.leg.reject(503, Some(OVERLOAD_RETRY_AFTER));
            return;
        }
        let routes = self.host.director.routes();
        let now = self.host.clock.now();
        let Some(route) = routes.route(leg.call.called.reveal()).cloned() else {
            self.unknown_number(leg.call.called.reveal());
            leg.leg.reject(404, None);
            return;
        };
        let mode = if routes.attended(&route.agency, now) { Mode::Attended } else { Mode::Automatic };
        let overlay = routes.overlay(leg.call.called.reveal(), &route, now).cloned();
        let start = CallStart {
            id: CallId::from_random(rand::random()),
            incoming: leg.call.clone(),
            // A callback number is for those who cannot pay to listen: nothing is said there.
            overlay: overlay.filter(|_| route.callback.is_none()),
            purpose: purpose(&route),
            agency: route.agency,
            entry: route.entry,
            lang: route.lang,
            routes,
            mode,
            limits: self.limits,
        };
        self.run(Some(leg), start, None);
    }

    /// A callback's call: the first leg is ours to dial.
    fn call_back(self: &Arc<Self>, callback: Box<CallbackStart>) {
        let routes = self.host.director.routes();
        let now = self.host.clock.now();
        let agency = callback.wish.agency.clone();
        let start = CallStart {
            id: callback.call,
            incoming: IncomingCall {
                trunk: callback.target.trunk.clone().unwrap_or_else(|| Trunk::new("")),
                caller: callback.shown.clone(),
                called: callback.wish.number.clone(),
                diversion: None,
                headers: Vec::new(),
                chain: None,
                wants_transcript: false,
            },
            overlay: None,
            entry: Entry::new(CALLBACK_ENTRY),
            lang: Arc::clone(&callback.wish.lang),
            mode: if routes.attended(&agency, now) { Mode::Attended } else { Mode::Automatic },
            agency,
            purpose: Purpose::Callback(callback),
            routes,
            limits: self.limits,
        };
        self.run(None, start, None);
    }

    /// A campaign's call: its contact is claimed, and dialled at once.
    fn inform(self: &Arc<Self>, campaign: CampaignStart) {
        let CampaignStart { start: of, call, lang, attempting } = campaign;
        let routes = self.host.director.routes();
        let now = self.host.clock.now();
        let start = CallStart {
            id: of.call,
            incoming: IncomingCall {
                trunk: of.trunk,
                caller: of.shown,
                called: call.contact.number.clone(),
                diversion: None,
                headers: Vec::new(),
                chain: None,
                wants_transcript: false,
            },
            overlay: None,
            entry: of.entry,
            lang,
            mode: if routes.attended(&of.agency, now) { Mode::Attended } else { Mode::Automatic },
            agency: of.agency,
            purpose: Purpose::Campaign(Box::new(call)),
            routes,
            limits: self.limits,
        };
        self.run(None, start, Some(attempting));
    }

    fn run(self: &Arc<Self>, leg: Option<IncomingLeg>, start: CallStart, attempting: Option<Attempting>) {
        let span = tracing::info_span!("call", id = %start.id, agency = %start.agency, entry = %start.entry);
        let (calls, control) = (Arc::clone(self), self.control.subscribe());
        self.live.fetch_add(1, Ordering::AcqRel);
        let inbound = leg.is_some();
        self.inbound.fetch_add(usize::from(inbound), Ordering::AcqRel);
        metrics::call_began();
        let task = async move {
            let _counted = Counted { calls: Arc::clone(&calls), inbound };
            // Whatever becomes of this task: the campaign hears of the attempt's end.
            let _attempting = attempting;
            call::run(Arc::clone(&calls.host), leg, start, control).await;
        };
        tokio::spawn(tracing::Instrument::instrument(task, span));
    }

    /// One line a number, that says what to configure.
    fn unknown_number(&self, number: &str) {
        metrics::call_refused("unknown-number");
        let mut unknown = self.unknown.lock();
        if unknown.len() < UNKNOWN_NUMBERS_LOGGED_MAX && unknown.insert(number.to_owned()) {
            let shown: String = number.chars().filter(|c| !c.is_control()).take(32).collect();
            tracing::warn!(
                number = shown,
                "a call to a number that leads nowhere was answered 404; add a [[number]] for it, or number = \"*\" for any"
            );
        }
    }
}

/// What a number's calls are for.
fn purpose(route: &Route) -> Purpose {
    match &route.callback {
        Some(queue) => Purpose::CallbackNumber { queue: queue.clone(), ring_max: CALLBACK_NUMBER_RING_MAX },
        None => Purpose::Script,
    }
}

/// Counts a call out, whatever became of its task.
struct Counted {
    calls: Arc<Calls>,
    inbound: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::call_ended();
        self.calls.inbound.fetch_sub(usize::from(self.inbound), Ordering::AcqRel);
        if self.calls.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.calls.over.notify_waiters();
        }
    }
}

impl Calls {
    /// Done when no call is left, or the time is up.
    async fn all_over(&self, patience: Duration) -> bool {
        let empty = async {
            loop {
                let over = self.over.notified();
                if self.live.load(Ordering::Acquire) == 0 {
                    return;
                }
                over.await;
            }
        };
        tokio::time::timeout(patience, empty).await.is_ok()
    }
}

fn port(
    rooms: &Rooms,
    calls: &Arc<Calls>,
    reloading: &Arc<Reloading>,
    prometheus: PrometheusHandle,
    ready: &Arc<AtomicBool>,
    sweep: &Arc<tokio::sync::Notify>,
) -> Arc<dyn Engine> {
    let (host, sip) = (Arc::clone(&rooms.host), Arc::clone(&rooms.sip));
    Arc::new(Port {
        director: Arc::clone(&rooms.host.director),
        calls: Arc::clone(calls),
        reloading: Arc::clone(reloading),
        checker: Checker::new(rooms.cache_dir.join("compiled")),
        flows: Flows::new(&rooms.cache_dir),
        replays: Replays::new(
            rooms.host.journals.clone(),
            Arc::clone(&rooms.host.director),
            rooms.cache_dir.join("compiled"),
        ),
        prometheus,
        refresh: Box::new(move || rooms::refresh_gauges(&host, &sip)),
        ready: Arc::clone(ready),
        sweep: Arc::clone(sweep),
    })
}

/// Opens the admins' way in, where the configuration has one.
async fn serve_admins(rooms: &Rooms, port: Arc<dyn Engine>) -> anyhow::Result<Option<(Admin, std::net::SocketAddr)>> {
    let config = &rooms.config;
    let Some(listen) = config.http.listen else { return Ok(None) };
    let listener = std::net::TcpListener::bind(listen)
        .with_context(|| format!("[http] listen = {listen}: choose a free address"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let admin = Admin::new(
        AdminConfig {
            loopback: listen.ip().is_loopback(),
            tls: config.http.tls.is_some(),
            hosts: config.http.hosts.clone(),
            zone: config.time_zone.clone(),
            unsigned_allowed: config.admin.unsigned_allowed,
            two_person: config.admin.two_person,
            emergency_two_person: config.admin.emergency_two_person,
            space: rooms.space,
            ..AdminConfig::new(&config.store.dir, rooms.subject_key.clone())
        },
        Arc::clone(&rooms.host.store),
        port,
    );
    match admin.first_token().await {
        Ok(Some(path)) => {
            tracing::warn!(file = %path.display(), "there are no users yet: log in with the token in this file, and make the first admin");
        }
        Ok(None) => {}
        Err(problem) => tracing::error!(%problem, "the first token was not made: nobody can log in yet"),
    }
    let tls = config
        .http
        .tls
        .as_ref()
        .map(|files| gudok_admin::Tls { certificate: files.certificate.clone(), key: files.key.clone() });
    let serving = admin.clone();
    tokio::spawn(async move {
        if let Err(error) = serving.serve(listener, tls).await {
            tracing::error!(%error, "the admins' listener stopped");
        }
    });
    Ok(Some((admin, address)))
}

/// SIGTERM: campaigns begin nothing more, new calls get 503, current ones finish, until the deadline or a second signal.
async fn drain(calls: &Arc<Calls>, sip: &gudok_sip::SipEngine, drain_max: Duration, signals: &mut signals::Signals) {
    calls.host.campaigns.drain();
    sip.set_draining(true);
    calls.host.scripts.drain();
    tracing::info!(calls = calls.live.load(Ordering::Acquire), "draining");
    let impatient = async { while signals.next().await != Signal::Stop {} };
    tokio::select! {
        _ = calls.all_over(drain_max) => {}
        () = impatient => tracing::warn!("told twice to stop"),
    }
    calls.control.send_replace(Some(Control::DrainDeadline));
    if !calls.all_over(GOODBYE_MAX).await {
        tracing::error!(calls = calls.live.load(Ordering::Acquire), "calls were left");
    }
}

/// The limit of admission is a number that somebody chose; this is what the machine says of it.
async fn watch_lateness(calls: Arc<Calls>) {
    let mut looks = 0;
    let mut tick = tokio::time::interval(LATENESS_LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let late = calls.host.media.stats().lateness_us_recent > LATENESS_US_MAX;
        looks = if late { looks + 1 } else { 0 };
        let overloaded = looks >= LATE_LOOKS_MAX;
        if calls.overloaded.swap(overloaded, Ordering::Relaxed) != overloaded {
            tracing::warn!(overloaded, "media lateness decides whether new calls are let in");
        }
    }
}

/// The one line on standard output: for people, and for programs that start the engine.
fn announce(sip: &[(&'static str, std::net::SocketAddr)], http: Option<std::net::SocketAddr>) {
    let mut line = String::from("gudok: ready");
    for (transport, address) in sip {
        line.push_str(&format!(" {transport}={address}"));
    }
    if let Some(http) = http {
        line.push_str(&format!(" http={http}"));
    }
    // Whoever reads no further may be gone: calls are taken all the same.
    let _ = writeln!(std::io::stdout(), "{line}");
}
