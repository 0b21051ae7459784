//! The engine from start to stop: rooms are opened in order, calls are taken, signals are heeded.

mod rooms;
mod signals;

use crate::call::{self, CallHost, Control};
use crate::config::{self, Config};
use crate::http;
use crate::metrics;
use anyhow::Context;
use gudok_core::calendar::Status;
use gudok_core::call::CallStart;
use gudok_core::ids::CallId;
use gudok_core::records::Mode;
use gudok_core::routing::Routes;
use gudok_plugin_host::ports::Clock;
use gudok_sip::IncomingLeg;
use metrics_exporter_prometheus::PrometheusHandle;
use rooms::Rooms;
pub(crate) use rooms::speech;
use signals::Signal;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Unknown numbers that are logged, each once; beyond them they are only counted.
const UNKNOWN_NUMBERS_LOGGED_MAX: usize = 1_024;
/// Swept from the store in one step.
const SWEEP_ROWS_MAX: usize = 500;
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Packets this late for [`LATE_LOOKS_MAX`] looks in a row, and nobody new is let in: who is in hears clearly.
const LATENESS_US_MAX: u64 = 30_000;
const LATE_LOOKS_MAX: u32 = 30;
const LATENESS_LOOK_EVERY: Duration = Duration::from_millis(100);
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
}

/// Runs the engine until it is told to stop.
///
/// # Errors
/// Where a room cannot be opened; nothing was answered then.
pub(crate) async fn serve(options: Options, config: Config, prometheus: PrometheusHandle) -> anyhow::Result<()> {
    let mut signals = signals::listen()?;
    let drain_max = config.drain_max;
    let rooms = Rooms::open(config, options.at).await?;
    let (control, _) = watch::channel(None);
    let calls = Arc::new(Calls {
        host: Arc::clone(&rooms.host),
        routes: arc_swap::ArcSwap::new(Arc::clone(&rooms.routes)),
        limits: rooms.call_limits,
        live: AtomicUsize::new(0),
        over: tokio::sync::Notify::new(),
        control,
        unknown: parking_lot::Mutex::new(HashSet::new()),
        overloaded: AtomicBool::new(false),
    });
    let ready = Arc::new(AtomicBool::new(true));
    let http_address = serve_http(&rooms, prometheus, Arc::clone(&ready)).await?;
    tokio::spawn(take_calls(Arc::clone(&calls), rooms.incoming));
    tokio::spawn(sweep(Arc::clone(&rooms.host)));
    tokio::spawn(watch_lateness(Arc::clone(&calls)));
    announce(&rooms.sip_addresses, http_address);
    while signals.next().await == Signal::Reload {
        reload(&options.config, &calls, &rooms.sip).await;
    }
    ready.store(false, Ordering::Release);
    drain(&calls, &rooms.sip, drain_max, &mut signals).await;
    rooms.sip.shutdown().await;
    let settled = rooms.host.store.settled().await;
    settled.context("the last call records could not be kept")?;
    tracing::info!("stopped");
    Ok(())
}

/// All calls of the engine.
struct Calls {
    host: Arc<CallHost>,
    routes: arc_swap::ArcSwap<Routes>,
    limits: gudok_core::call::CallLimits,
    live: AtomicUsize,
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

impl Calls {
    fn take(self: &Arc<Self>, leg: IncomingLeg) {
        if self.overloaded.load(Ordering::Relaxed) {
            metrics::call_refused("media-overload");
            leg.leg.reject(503, Some(OVERLOAD_RETRY_AFTER));
            return;
        }
        let routes = self.routes.load_full();
        let now = self.host.clock.now();
        let Some(route) = routes.route(leg.call.called.reveal()).cloned() else {
            self.unknown_number(leg.call.called.reveal());
            leg.leg.reject(404, None);
            return;
        };
        let mode = match routes.operators_status(&route.agency, now) {
            Status::Open => Mode::Attended,
            Status::Closed { .. } => Mode::Automatic,
        };
        let start = CallStart {
            id: CallId::from_random(rand::random()),
            incoming: leg.call.clone(),
            overlay: routes.overlay(&route.agency).cloned(),
            agency: route.agency,
            entry: route.entry,
            lang: route.lang,
            routes,
            mode,
            limits: self.limits,
        };
        let span = tracing::info_span!("call", id = %start.id, agency = %start.agency, entry = %start.entry);
        let (calls, control) = (Arc::clone(self), self.control.subscribe());
        self.live.fetch_add(1, Ordering::AcqRel);
        metrics::call_began();
        let task = async move {
            let _counted = Counted(Arc::clone(&calls));
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

/// Counts a call out, whatever became of its task.
struct Counted(Arc<Calls>);

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::call_ended();
        if self.0.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.over.notify_waiters();
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

async fn serve_http(
    rooms: &Rooms,
    prometheus: PrometheusHandle,
    ready: Arc<AtomicBool>,
) -> anyhow::Result<Option<std::net::SocketAddr>> {
    let Some(listen) = rooms.http_listen else { return Ok(None) };
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("[http] listen = {listen}: choose a free address"))?;
    let address = listener.local_addr()?;
    let (host, sip) = (Arc::clone(&rooms.host), Arc::clone(&rooms.sip));
    let refresh = Arc::new(move || rooms::refresh_gauges(&host, &sip));
    let router = http::router(http::Http {
        store: Arc::clone(&rooms.host.store),
        scripts: Arc::clone(&rooms.host.scripts),
        prometheus,
        ready,
        refresh,
    });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the HTTP listener stopped");
        }
    });
    Ok(Some(address))
}

/// SIGHUP: routes and trunks anew; scripts that changed become active for new calls. What is wrong changes nothing.
async fn reload(path: &Path, calls: &Arc<Calls>, sip: &gudok_sip::SipEngine) {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("the configuration was not reloaded: {:?}", miette::Report::new(error));
            return;
        }
    };
    let scripts = Arc::clone(&calls.host.scripts);
    let entries = config.entries;
    let loaded = tokio::task::spawn_blocking(move || scripts.load(&entries)).await;
    match loaded {
        Ok(Ok(())) => {
            if let Err(error) = sip.reload(&config.sip) {
                tracing::error!(%error, "the trunks were not reloaded; listeners need a restart");
                return;
            }
            calls.routes.store(config.routes);
            tracing::info!("configuration reloaded");
        }
        Ok(Err(error)) => tracing::error!("the scripts were not reloaded: {error:#}"),
        Err(error) => tracing::error!(%error, "the scripts were not reloaded"),
    }
}

/// SIGTERM: new calls get 503, current ones finish, until the deadline or a second signal.
async fn drain(calls: &Arc<Calls>, sip: &gudok_sip::SipEngine, drain_max: Duration, signals: &mut signals::Signals) {
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

/// Expired storage of scripts is removed in small steps.
async fn sweep(host: Arc<CallHost>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let now = gudok_store::UtcMs(host.clock.now().as_millis());
        while let Ok(swept) = host.store.buckets_sweep(now, SWEEP_ROWS_MAX).await {
            if !swept.more {
                break;
            }
        }
    }
}

/// The one line on standard output: for people, and for programs that start the engine.
#[expect(clippy::print_stdout, reason = "this line is the program's output; all else is its log")]
fn announce(sip: &[(&'static str, std::net::SocketAddr)], http: Option<std::net::SocketAddr>) {
    let mut line = String::from("gudok: ready");
    for (transport, address) in sip {
        line.push_str(&format!(" {transport}={address}"));
    }
    if let Some(http) = http {
        line.push_str(&format!(" http={http}"));
    }
    println!("{line}");
}
