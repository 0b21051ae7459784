//! From the ledger to machines, at the start: whatever was live is live again, as far as it can be loaded.

use super::document::Record;
use super::loading::{Loaded, Settings};
use super::orders::taken_back;
use super::slot::{Live, Slot};
use super::{DEPLOYMENT_KIND, Director};
use gudok_admin::ports::{Actor, EngineRefusal};
use gudok_core::deployment::{DeploymentMachine, DeploymentState, Phase, TakenBack, VersionKey};
use gudok_core::ids::{Agency, Entry};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Director {
    /// Brings back every deployment of the ledger. One that cannot be brought back is logged: its callers land, the other
    /// entries' callers do not notice.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<(), EngineRefusal> {
        for (id, revision, record) in self.documents::<Record>(DEPLOYMENT_KIND).await? {
            let Some((agency, entry)) = id.split_once('/') else { continue };
            let slot = self.slot_or_new(&Agency::new(agency), &Entry::new(entry));
            {
                let mut kept = slot.kept.lock().await;
                (kept.revision, kept.history) = (revision, record.history.clone());
            }
            if let Err(problem) = self.recover_one(&slot, &record, revision).await {
                tracing::error!(
                    agency,
                    entry,
                    problem,
                    "what was deployed there could not be brought back; its callers land"
                );
            }
        }
        Ok(())
    }

    async fn recover_one(self: &Arc<Self>, slot: &Arc<Slot>, record: &Record, revision: u64) -> Result<(), String> {
        let mut state = record.state().map_err(|error| error.to_string())?;
        let settings = self.settings(&slot.agency, &slot.entry).await.map_err(|refusal| refusal.problem)?;
        let loaded = self.load_all(&state, &settings).await;
        let taken = without_missing(&mut state, &loaded, self.now())?;
        let live = Live { machine: DeploymentMachine::new(state), loaded, names: record.names(), settings, revision };
        slot.begin_with(&self.registry, live);
        if let Some(taken) = taken {
            tracing::error!(agency = %slot.agency, entry = %slot.entry, from = &*taken.from.label, to = &*taken.to.label, reason = taken.reason, "rolled back at the start");
            let engine = Actor { name: "engine".to_owned(), via: "engine" };
            let (step, audit) = taken_back(slot, &taken, &engine);
            self.write_later(Arc::clone(slot), vec![step], vec![audit]);
        }
        Ok(())
    }

    /// Every version that may get a call, as far as it can be loaded.
    async fn load_all(&self, state: &DeploymentState, settings: &Arc<Settings>) -> BTreeMap<VersionKey, Arc<Loaded>> {
        let mut loaded = BTreeMap::new();
        for version in state.referenced() {
            let id = version.key.to_string();
            let found = match self.version(&id).await {
                Ok(document) => self.load(&id, &document, settings).await,
                Err(refusal) => Err(refusal),
            };
            match found {
                Ok(version_loaded) => {
                    loaded.insert(version.key, version_loaded);
                }
                Err(refusal) => {
                    tracing::error!(
                        version = id,
                        label = &*version.label,
                        problem = refusal.problem,
                        "a version cannot be loaded"
                    );
                }
            }
        }
        loaded
    }

    /// The entries' settings, or the host's, have changed: what is live is loaded anew where that matters. What cannot be
    /// loaded with the new settings goes on with the old ones.
    pub(super) async fn refresh(self: &Arc<Self>) -> Result<(), EngineRefusal> {
        self.merge_secrets().await?;
        let mut failed = None;
        for slot in self.all_slots() {
            let Some((state, old)) = slot.look(|live| (live.machine.state().clone(), Arc::clone(&live.settings)))
            else {
                continue;
            };
            let settings = match self.settings(&slot.agency, &slot.entry).await {
                Ok(settings) => settings,
                Err(refusal) => {
                    tracing::warn!(agency = %slot.agency, entry = %slot.entry, problem = refusal.problem, "its settings stay as they were");
                    continue;
                }
            };
            if settings == old {
                continue;
            }
            let _kept = Arc::clone(&slot.kept).lock_owned().await;
            let loaded = self.load_all(&state, &settings).await;
            if loaded.contains_key(&state.stable.version.key) {
                let freed = slot.reloaded(&self.registry, loaded, settings);
                self.loader.spawn(move || drop(freed));
            } else {
                failed = Some(slot.id());
            }
        }
        match failed {
            None => Ok(()),
            Some(id) => Err(super::refusal::refused(
                "load-failed",
                422,
                Some("config"),
                format!("what is live at {id} cannot be loaded with its new settings, and goes on with the old ones"),
                "look into the engine's log for the reason, and correct the entry's config or secrets",
            )),
        }
    }
}

/// Takes out of a state what could not be loaded. Where that is the stable version, an earlier one serves instead.
fn without_missing<V>(
    state: &mut DeploymentState,
    loaded: &BTreeMap<VersionKey, V>,
    now: Timestamp,
) -> Result<Option<TakenBack>, String> {
    const REASON: &str = "it could not be loaded at the start of the engine";
    let mut taken = None;
    state.earlier.retain(|earlier| loaded.contains_key(&earlier.live.version.key));
    if !loaded.contains_key(&state.stable.version.key) {
        let back = state.earlier.pop().ok_or("no version of it can be loaded")?;
        let from = std::mem::replace(&mut state.stable, back.live).version;
        let to = state.stable.version.clone();
        state.phase = if back.good { Phase::Good } else { Phase::Watching { until: now + state.guard.watch } };
        taken = Some(TakenBack { at: now, from, to, reason: REASON.to_owned(), automatic: true });
    }
    if let Some(canary) = state.canary.take_if(|canary| !loaded.contains_key(&canary.version.key)) {
        let to = state.stable.version.clone();
        taken = Some(TakenBack { at: now, from: canary.version, to, reason: REASON.to_owned(), automatic: true });
    }
    if let Some(taken) = &taken {
        state.last_rollback = Some(taken.clone());
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::deployment::{Canary, Earlier, Guard, LiveVersion, NamedVersion, Share};

    fn named(byte: u8) -> NamedVersion {
        NamedVersion { key: VersionKey([byte; 32]), label: Arc::from(format!("{byte}.0.0")) }
    }

    /// Version 2 is live, 3 its canary, 1 was before.
    fn state() -> DeploymentState {
        let at = Timestamp::from_millis(1);
        let mut state = DeploymentState::first(named(2), Guard::default(), None, at);
        state.canary = Share::from_percent(10).map(|share| Canary { version: named(3), since: at, share });
        state.earlier =
            vec![Earlier { live: LiveVersion { version: named(1), since: at, baseline: None }, good: true }];
        state
    }

    fn with(loaded: &[u8]) -> (Result<Option<TakenBack>, String>, DeploymentState) {
        let mut state = state();
        let loaded = loaded.iter().map(|byte| (VersionKey([*byte; 32]), ())).collect();
        (without_missing(&mut state, &loaded, Timestamp::from_millis(2)), state)
    }

    #[test]
    fn what_can_be_loaded_serves_and_the_rest_is_taken_back() {
        let (taken, all) = with(&[1, 2, 3]);
        assert_eq!((taken, &all), (Ok(None), &state()));
        let (taken, no_canary) = with(&[1, 2]);
        let taken = taken.unwrap().unwrap();
        assert!(taken.automatic && taken.from == named(3) && taken.to == named(2) && no_canary.canary.is_none());
        assert_eq!(no_canary.last_rollback, Some(taken));
        let (taken, back) = with(&[1]);
        assert_eq!((back.stable.version, back.earlier.len(), back.phase), (named(1), 0, Phase::Good));
        assert!(taken.unwrap().is_some());
        assert!(with(&[3]).0.is_err(), "a canary alone takes nobody");
    }
}
