//! Which script version answers which call: deployments, carried out.
//!
//! `gudok_core::deployment` decides; this room loads versions off the calls' path, keeps deployments in the store's ledger
//! together with their audit entries, switches new calls, feeds the machine with how calls ended, and carries out what
//! it decides.
//!
//! The order of things, so that `kill -9` at any moment leaves the old deployment or the new one:
//!
//! - **forward** (deploy, release): load, then commit, then switch. A version that calls get is always written down.
//! - **back** (by an admin or by itself): switch, then commit, urgently. Who is in trouble is helped first; after a crash
//!   between the two the version that was taken back is judged again.
//!
//! *Architecture Invariant:* a call that begins takes one lock of its entry for the time of a look-up, and waits for no
//! disk, no compiler and no admin.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `campaigns` | entries of campaigns: asked before dialling, reached by no number |
//! | `slot` | one entry: machine, loaded versions |
//! | `orders` | deploy, release, roll back: checked, written, switched |
//! | `decisions` | what machines decide by themselves, and their timers |
//! | `document` | a deployment as the ledger keeps it |
//! | `recovery` | from the ledger to machines, at the start |
//! | `seeds` | bundles that the configuration file names |
//! | `versions` | versions in the ledger and their bundles in the store |
//! | `loading`, `loader` | from a bundle to something that runs, on threads of their own |
//! | `settings` | what an entry's scripts are given |
//! | `routes` | where numbers lead: file and ledger together |
//! | `tell` | all of it in the admins' words |

mod campaigns;
mod crash;
mod decisions;
mod document;
mod loader;
mod loading;
mod orders;
mod recovery;
mod refusal;
mod routes;
pub(crate) mod seeds;
mod settings;
mod slot;
mod tell;
mod versions;

pub(crate) use loader::Loader;
pub(crate) use loading::{Loaded, recordings};
pub(crate) use refusal::{internal, of_store, refused};
pub(crate) use settings::secret;

/// As the ledger knows deployments.
use gudok_admin::documents::kinds::DEPLOYMENT as DEPLOYMENT_KIND;

use crate::clock::EngineClock;
use crate::config::Config;
use crate::keys::StickyKey;
use crate::live::LiveCalls;
use crate::overlays::Overlays;
use crate::scripts::Scripts;
use arc_swap::ArcSwap;
use decisions::Decision;
use gudok_admin::ports::{self, DeploymentStep, EngineRefusal};
use gudok_core::centre::CentreSettings;
use gudok_core::deployment::{CallEnd, VersionKey};
use gudok_core::ids::{Agency, Entry, ScriptVersion};
use gudok_core::routing::Routes;
use gudok_core::time::Timestamp;
use gudok_plugin_host::Registry;
use gudok_plugin_host::ports::Clock;
use gudok_sip::{RegistrarUser, SipConfig};
use gudok_speech::MediaSource;
use gudok_store::{Store, UtcMs};
use parking_lot::RwLock;
use slot::{After, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What the director works with.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<EngineClock>,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) live: Arc<LiveCalls>,
    pub(crate) loader: Loader,
    pub(crate) sticky: StickyKey,
    pub(crate) config: Arc<Config>,
    pub(crate) overlays: Arc<Overlays>,
    /// There is no ledger: the file's word is all there is.
    pub(crate) without_store: bool,
}

/// All deployments of this node.
pub(crate) struct Director {
    store: Arc<dyn Store>,
    clock: Arc<EngineClock>,
    scripts: Arc<Scripts>,
    live: Arc<LiveCalls>,
    loader: Loader,
    sticky: StickyKey,
    /// The file in force.
    config: ArcSwap<Config>,
    routes: ArcSwap<Routes>,
    /// Queues, operators and peers, for the centre: told of every change.
    centre: watch::Sender<Arc<CentreSettings>>,
    overlays: Arc<Overlays>,
    /// There is no ledger.
    without_store: bool,
    /// Telephones of the ledger's operators that register; told of every change.
    phones: watch::Sender<Arc<Vec<RegistrarUser>>>,
    registry: Registry,
    slots: RwLock<BTreeMap<(Agency, Entry), Arc<Slot>>>,
    decisions: mpsc::UnboundedSender<Decision>,
    /// File and ledger are put together by one at a time.
    merging: tokio::sync::Mutex<()>,
    /// When the next overlay of the ledger ends; milliseconds since 1970.
    overlay_ends: AtomicU64,
}

impl Director {
    /// Nothing is live yet: see [`Director::recover`] and [`Director::seed`].
    pub(crate) fn start(parts: Parts) -> Arc<Self> {
        let (decisions, decided) = mpsc::unbounded_channel();
        let director = Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            scripts: parts.scripts,
            live: parts.live,
            loader: parts.loader,
            sticky: parts.sticky,
            routes: ArcSwap::new(Arc::clone(&parts.config.routes)),
            centre: watch::Sender::new(Arc::clone(&parts.config.routes.centre)),
            overlays: parts.overlays,
            without_store: parts.without_store,
            phones: watch::Sender::new(Arc::default()),
            config: ArcSwap::new(parts.config),
            registry: Registry::default(),
            slots: RwLock::default(),
            decisions,
            merging: tokio::sync::Mutex::default(),
            overlay_ends: AtomicU64::new(routes::NEVER),
        });
        tokio::spawn(decisions::carry_out(Arc::downgrade(&director), decided));
        tokio::spawn(decisions::keep_time(Arc::downgrade(&director)));
        director
    }

    /// Which version a call gets, and keeps. None where nothing is live at the entry.
    pub(crate) fn pin(self: &Arc<Self>, agency: &Agency, entry: &Entry, caller: Option<&str>) -> Option<Pinned> {
        let slot = self.slot(agency, entry)?;
        let sticky = self.sticky.sticky(caller, agency, entry);
        let (key, loaded) = slot.begin(sticky, self.clock.now())?;
        Some(Pinned { loaded, ticket: RunTicket { director: Arc::clone(self), slot, key, open: true } })
    }

    /// Where calls go now.
    pub(crate) fn routes(&self) -> Arc<Routes> {
        self.routes.load_full()
    }

    /// Queues, operators and peers, now and after every change.
    pub(crate) fn centre(&self) -> watch::Receiver<Arc<CentreSettings>> {
        self.centre.subscribe()
    }

    /// The SIP room's settings by a file, with the telephones of the ledger's operators.
    pub(crate) fn sip_config(&self, config: &Config) -> SipConfig {
        let mut sip = config.sip.clone();
        if let Some(registrar) = &mut sip.registrar {
            let of_file = |user: &&RegistrarUser| config.facts.operators.iter().any(|name| **name == *user.name);
            let more: Vec<RegistrarUser> = self.phones.borrow().iter().filter(|user| !of_file(user)).cloned().collect();
            registrar.users.extend(more);
        }
        sip
    }

    /// Tells of every change of the ledger's telephones.
    pub(crate) fn phones(&self) -> watch::Receiver<Arc<Vec<RegistrarUser>>> {
        self.phones.subscribe()
    }

    /// The file in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// Another file is in force: settings, secrets and routes follow it.
    pub(crate) async fn take_config(self: &Arc<Self>, config: Arc<Config>) -> Result<(), EngineRefusal> {
        self.config.store(config);
        self.merge_routes().await?;
        if self.without_store { Ok(()) } else { self.refresh().await }
    }

    /// Agencies, numbers, entries or overlays in the ledger have changed.
    pub(crate) async fn ledger_changed(self: &Arc<Self>) -> Result<(), EngineRefusal> {
        // Routes first: an emergency announcement waits for no compiler.
        self.merge_routes().await?;
        self.refresh().await
    }

    /// Every entry that has a deployment; of one agency, or of all.
    pub(crate) fn deployments(&self, agency: Option<&Agency>) -> Vec<ports::Deployment> {
        let of_agency = |slot: &Arc<Slot>| agency.is_none_or(|agency| slot.agency == *agency);
        self.all_slots().iter().filter(|slot| of_agency(slot)).filter_map(|slot| tell::deployment(slot)).collect()
    }

    /// One entry's.
    pub(crate) fn deployment(&self, agency: &Agency, entry: &Entry) -> Option<ports::Deployment> {
        tell::deployment(&*self.slot(agency, entry)?)
    }

    /// What happened at an entry, newest first.
    pub(crate) async fn history(&self, agency: &Agency, entry: &Entry) -> Result<Vec<DeploymentStep>, EngineRefusal> {
        match self.slot(agency, entry) {
            Some(slot) => Ok(slot.kept.lock().await.history.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// How calls ended, per version, in steps of time.
    pub(crate) fn outcomes(&self, agency: &Agency, entry: &Entry, step_s: u32) -> Vec<ports::VersionOutcomes> {
        let Some(slot) = self.slot(agency, entry) else { return Vec::new() };
        tell::outcomes(slot.outcomes(Timestamp::default(), Duration::from_secs(step_s.max(1).into())))
    }

    /// Versions in memory: those that take calls, those that may again, those whose last call is not over.
    pub(crate) fn versions_loaded(&self) -> usize {
        self.all_slots().iter().filter_map(|slot| slot.look(|live| live.loaded.len())).sum()
    }

    fn slot(&self, agency: &Agency, entry: &Entry) -> Option<Arc<Slot>> {
        // Two shared strings: cloning them copies no text.
        self.slots.read().get(&(agency.clone(), entry.clone())).cloned()
    }

    fn slot_or_new(&self, agency: &Agency, entry: &Entry) -> Arc<Slot> {
        let mut slots = self.slots.write();
        let new = || Slot::new(agency.clone(), entry.clone());
        Arc::clone(slots.entry((agency.clone(), entry.clone())).or_insert_with(new))
    }

    fn all_slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().values().cloned().collect()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn utc(&self) -> UtcMs {
        UtcMs(self.now().as_millis())
    }

    /// Hands on what is left to do after something happened to a machine.
    fn after(&self, slot: &Arc<Slot>, after: After) {
        if !after.freed.is_empty() {
            let freed = after.freed;
            self.loader.spawn(move || drop(freed));
        }
        if !after.commands.is_empty() {
            // The receiver lives as long as the director does.
            let _ = self.decisions.send(Decision { slot: Arc::clone(slot), commands: after.commands });
        }
    }
}

/// A version that a call has got.
pub(crate) struct Pinned {
    loaded: Arc<Loaded>,
    ticket: RunTicket,
}

impl Pinned {
    /// Which.
    pub(crate) fn version(&self) -> ScriptVersion {
        self.loaded.version.id.clone()
    }

    /// Its recordings.
    pub(crate) fn media(&self) -> Arc<dyn MediaSource> {
        Arc::clone(&self.loaded.media)
    }

    /// To be run; the ticket says how it ended.
    pub(crate) fn into_parts(self) -> (Arc<gudok_plugin_host::Version>, RunTicket) {
        (Arc::clone(&self.loaded.version), self.ticket)
    }
}

/// One run of a version, until somebody says how it ended.
pub(crate) struct RunTicket {
    director: Arc<Director>,
    slot: Arc<Slot>,
    key: VersionKey,
    open: bool,
}

impl RunTicket {
    /// It is over. If the version is to be taken back for it, new calls go elsewhere when this returns.
    pub(crate) fn ended(mut self, end: CallEnd, cpu: Duration) {
        self.close(end, cpu);
    }

    fn close(&mut self, end: CallEnd, cpu: Duration) {
        self.open = false;
        let director = &self.director;
        let after = self.slot.ended(&director.registry, self.key, end, cpu, director.now());
        director.after(&self.slot, after);
    }
}

impl Drop for RunTicket {
    fn drop(&mut self) {
        if self.open {
            // Nobody could say: the engine is stopping, or its own fault ended the run. The version did nothing wrong.
            self.close(CallEnd::Landed { cause: gudok_core::script::LandingCause::Admin }, Duration::ZERO);
        }
    }
}

impl std::fmt::Debug for RunTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunTicket").field("version", &self.key).finish_non_exhaustive()
    }
}
