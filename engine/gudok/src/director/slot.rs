//! One entry: its deployment's machine, the versions that are loaded for it, and what the ledger has of it.

use super::document::{Name, Record};
use super::loading::{Loaded, Settings};
use gudok_admin::ports::DeploymentStep;
use gudok_core::deployment::{
    CallEnd, DeploymentCommand, DeploymentMachine, DeploymentState, RunningVersion, VersionKey, VersionOutcomes,
};
use gudok_core::ids::{Agency, Entry};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Registry;
use gudok_plugin_host::manifest::Kind;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One entry of one agency.
pub(super) struct Slot {
    pub(super) agency: Agency,
    pub(super) entry: Entry,
    /// None before the first deployment. Held for an instant only: a call that begins takes it.
    live: Mutex<Option<Live>>,
    /// Held while an order is decided and written: one at a time.
    pub(super) kept: Arc<tokio::sync::Mutex<Kept>>,
}

/// What the ledger has.
#[derive(Default)]
pub(super) struct Kept {
    /// The document's; 0 where there is none.
    pub(super) revision: u64,
    /// Newest first.
    pub(super) history: Vec<DeploymentStep>,
}

/// What is live.
pub(super) struct Live {
    pub(super) machine: DeploymentMachine,
    pub(super) loaded: BTreeMap<VersionKey, Arc<Loaded>>,
    pub(super) names: BTreeMap<VersionKey, Name>,
    /// With which all of it was loaded.
    pub(super) settings: Arc<Settings>,
    /// As far as it is written.
    pub(super) revision: u64,
}

/// What is to be done after something happened to a machine, by whoever has the time.
#[derive(Default)]
pub(super) struct After {
    pub(super) commands: Vec<DeploymentCommand>,
    /// To be let go of where that may take a while.
    pub(super) freed: Vec<Arc<Loaded>>,
}

/// An entry as it is now.
pub(super) struct Seen {
    pub(super) state: DeploymentState,
    pub(super) running: Vec<RunningVersion>,
    pub(super) names: BTreeMap<VersionKey, Name>,
    pub(super) revision: u64,
}

impl Slot {
    pub(super) fn new(agency: Agency, entry: Entry) -> Arc<Self> {
        Arc::new(Self { agency, entry, live: Mutex::new(None), kept: Arc::default() })
    }

    /// As the ledger names it.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.agency, self.entry)
    }

    /// A call begins: which version it gets, which it keeps.
    pub(super) fn begin(&self, sticky: u64, now: Timestamp) -> Option<(VersionKey, Arc<Loaded>)> {
        let mut live = self.live.lock();
        let live = live.as_mut()?;
        let key = live.machine.choose(sticky);
        let loaded = Arc::clone(live.loaded.get(&key)?);
        live.machine.call_began(key, now);
        Some((key, loaded))
    }

    /// A run is over. What the machine decides is in force when this returns.
    pub(super) fn ended(
        &self,
        registry: &Registry,
        key: VersionKey,
        end: CallEnd,
        cpu: Duration,
        now: Timestamp,
    ) -> After {
        self.change(registry, |live| live.machine.call_ended(key, end, cpu, now))
            .map_or_else(After::default, |(_, after)| after)
    }

    /// Does something to what is live, and switches new calls to what comes of it. None where nothing is live.
    pub(super) fn change<R>(&self, registry: &Registry, change: impl FnOnce(&mut Live) -> R) -> Option<(R, After)> {
        let mut guard = self.live.lock();
        let live = guard.as_mut()?;
        let before = live.takers();
        let answer = change(live);
        let mut after = After::default();
        while let Some(command) = live.machine.poll_command() {
            if let DeploymentCommand::Released { version } = command {
                after.freed.extend(live.loaded.remove(&version));
            }
            after.commands.push(command);
        }
        if live.takers() != before {
            self.publish(live, registry);
        }
        Some((answer, after))
    }

    /// Something is live for the first time, or anew after a restart.
    pub(super) fn begin_with(&self, registry: &Registry, live: Live) {
        let mut guard = self.live.lock();
        self.publish(&live, registry);
        *guard = Some(live);
    }

    /// Every loaded version takes the place of the one with the same key: the entry's settings have changed.
    pub(super) fn reloaded(
        &self,
        registry: &Registry,
        loaded: BTreeMap<VersionKey, Arc<Loaded>>,
        settings: Arc<Settings>,
    ) -> Vec<Arc<Loaded>> {
        let mut guard = self.live.lock();
        let Some(live) = guard.as_mut() else { return Vec::new() };
        let mut freed = Vec::new();
        for (key, new) in loaded {
            if let Some(old) = live.loaded.get_mut(&key) {
                freed.push(std::mem::replace(old, new));
            }
        }
        live.settings = settings;
        self.publish(live, registry);
        freed
    }

    fn publish(&self, live: &Live, registry: &Registry) {
        let state = live.machine.state();
        let version = |key: VersionKey| live.loaded.get(&key).map(|loaded| Arc::clone(&loaded.version));
        let Some(stable) = version(state.stable.version.key) else {
            registry.deactivate(&self.agency, &self.entry);
            return;
        };
        let canary = state.canary.as_ref().and_then(|canary| Some((version(canary.version.key)?, canary.share)));
        registry.activate_split(&self.agency, &self.entry, stable, canary);
    }

    /// Looks at what is live.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Live) -> R) -> Option<R> {
        self.live.lock().as_ref().map(look)
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        self.look(|live| Seen {
            state: live.machine.state().clone(),
            running: live.machine.running().collect(),
            names: live.names.clone(),
            revision: live.revision,
        })
    }

    /// What is to be written of it now.
    pub(super) fn record(&self, history: &[DeploymentStep]) -> Option<Record> {
        self.look(|live| Record::new(live.machine.state(), &live.names, history))
    }

    /// The ledger has it now.
    pub(super) fn written(&self, revision: u64) {
        if let Some(live) = self.live.lock().as_mut() {
            live.revision = revision;
        }
    }

    /// Whether its script is a campaign's, which calls and is not called; none before the first deployment.
    pub(super) fn is_campaign(&self) -> Option<bool> {
        self.look(|live| {
            let stable = live.loaded.get(&live.machine.state().stable.version.key)?;
            Some(stable.version.kind() == Kind::Campaign)
        })
        .flatten()
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.look(|live| live.machine.deadline()).flatten()
    }

    pub(super) fn outcomes(&self, since: Timestamp, step: Duration) -> Vec<VersionOutcomes> {
        self.look(|live| live.machine.outcomes(since, step)).unwrap_or_default()
    }
}

impl Live {
    /// Who takes new calls, and how they are divided.
    fn takers(&self) -> (VersionKey, Option<(VersionKey, u16)>) {
        let state = self.machine.state();
        let canary = state.canary.as_ref().map(|canary| (canary.version.key, canary.share.permille()));
        (state.stable.version.key, canary)
    }
}
