//! What admins, and the configuration file, order: checked, written, switched.

use super::document::{HISTORY_MAX, Name, REASON_CHARS_MAX, Record};
use super::loading::{self, Loaded, Settings};
use super::refusal::{of_machine, of_store, refused};
use super::slot::{Kept, Live, Slot};
use super::{DEPLOYMENT_KIND, Director, crash, tell};
use gudok_admin::documents::{VersionDocument, VersionState};
use gudok_admin::ports::{self, Actor, DeployOrder, DeploymentStep, EngineRefusal};
use gudok_core::deployment::{
    DeploymentMachine, DeploymentRefusal, DeploymentState, Guard, NamedVersion, Share, TakenBack, VersionKey,
};
use gudok_core::ids::{Agency, Entry};
use gudok_core::time::Timestamp;
use gudok_store::{AuditDraft, Expected, LedgerChange, LedgerDone, Put, StoreError};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// A deployment's next step forward.
#[derive(Clone, Debug)]
pub(super) enum Forward {
    /// A version for everybody, or a share of callers.
    Deploy { version: NamedVersion, share: Share, guard: Guard, drain: Option<Duration> },
    /// The canary for everybody.
    Release,
}

impl Forward {
    fn apply(&self, machine: &mut DeploymentMachine, now: Timestamp) -> Result<(), DeploymentRefusal> {
        match self {
            Self::Deploy { version, share, guard, drain } => {
                machine.deploy(version.clone(), *share, *guard, *drain, now)
            }
            Self::Release => machine.release(now),
        }
    }

    const fn action(&self) -> &'static str {
        match self {
            Self::Deploy { share, .. } if !share.is_all() => "canary",
            Self::Deploy { .. } => "deploy",
            Self::Release => "release",
        }
    }
}

/// A step that was found in order, with everything that it needs; nobody else orders anything at its entry meanwhile.
pub(super) struct Plan {
    slot: Arc<Slot>,
    kept: OwnedMutexGuard<Kept>,
    forward: Forward,
    /// What a deployed version brings.
    brought: Option<Brought>,
    record: Record,
    step: DeploymentStep,
    audit: AuditDraft,
}

impl Plan {
    /// What the ledger has before it.
    pub(super) fn revision(&self) -> u64 {
        self.kept.revision
    }
}

/// A version that comes to an entry.
#[derive(Clone)]
pub(super) struct Brought {
    pub(super) key: VersionKey,
    pub(super) name: Name,
    pub(super) loaded: Arc<Loaded>,
    pub(super) settings: Arc<Settings>,
}

impl Brought {
    fn named(&self) -> NamedVersion {
        NamedVersion { key: self.key, label: Arc::from(self.name.label.as_str()) }
    }
}

impl Director {
    /// Puts a version live.
    pub(crate) async fn deploy(
        self: &Arc<Self>,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        order: DeployOrder,
    ) -> Result<ports::Deployment, EngineRefusal> {
        let share = Share::from_percent(order.share_percent).ok_or_else(|| {
            let problem = format!("{} is no share", order.share_percent);
            refused("conflict", 422, Some("share_percent"), problem, "choose 1 to 100")
        })?;
        let guard = tell::guard_from(&order.guard.unwrap_or_default())?;
        let version = self.version(&order.version).await?;
        check_version(&version, &agency, &entry)?;
        self.check_kind(&version, &agency, &entry, &self.routes())?;
        let settings = self.settings(&agency, &entry).await?;
        let brought = self.bring(&order.version, &version, &actor, &agency, &entry, settings).await?;
        crash::point("loaded");
        let slot = self.slot_or_new(&agency, &entry);
        let kept = Arc::clone(&slot.kept).lock_owned().await;
        check_revision(kept.revision, order.expected_revision)?;
        let drain = order.drain_s.map(|seconds| Duration::from_secs(seconds.into()));
        let forward = Forward::Deploy { version: brought.named(), share, guard, drain };
        let plan = self.plan(Arc::clone(&slot), kept, forward, Some(brought), &actor)?;
        self.go(vec![plan], Vec::new()).await.map_err(|(refusal, _)| refusal)?;
        self.merge_routes().await?;
        self.deployment_of(&slot)
    }

    /// The canary takes all calls.
    pub(crate) async fn release(
        self: &Arc<Self>,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        expected_revision: Option<u64>,
    ) -> Result<ports::Deployment, EngineRefusal> {
        let slot = self.known_slot(&agency, &entry)?;
        let kept = Arc::clone(&slot.kept).lock_owned().await;
        check_revision(kept.revision, expected_revision)?;
        let plan = self.plan(Arc::clone(&slot), kept, Forward::Release, None, &actor)?;
        self.go(vec![plan], Vec::new()).await.map_err(|(refusal, _)| refusal)?;
        self.deployment_of(&slot)
    }

    /// Back to the version before: at once, and then written down.
    pub(crate) async fn roll_back(
        self: &Arc<Self>,
        actor: Actor,
        agency: Agency,
        entry: Entry,
        reason: Option<String>,
        expected_revision: Option<u64>,
    ) -> Result<ports::Deployment, EngineRefusal> {
        let slot = self.known_slot(&agency, &entry)?;
        let mut kept = Arc::clone(&slot.kept).lock_owned().await;
        check_revision(kept.revision, expected_revision)?;
        let reason: String = reason.unwrap_or_default().chars().take(REASON_CHARS_MAX).collect();
        let now = self.now();
        let said = if reason.is_empty() { format!("by {}", actor.name) } else { reason };
        let changed = slot.change(&self.registry, |live| live.machine.roll_back(&said, now));
        let (taken, after) = changed.ok_or_else(|| nothing_here(&agency, &entry))?;
        self.after(&slot, after);
        let taken = taken.map_err(|refusal| of_machine(&refusal))?;
        crash::point("switched-back");
        let (step, audit) = taken_back(&slot, &taken, &actor);
        tracing::warn!(%agency, %entry, from = &*taken.from.label, to = &*taken.to.label, by = actor.name, "rolled back");
        if let Err(refusal) = self.write(&slot, &mut kept, vec![step.clone()], vec![audit.clone()]).await {
            self.write_later(Arc::clone(&slot), vec![step], vec![audit]);
            return Err(EngineRefusal {
                problem: format!("the roll-back is in force, and could not be written down: {}", refusal.problem),
                ..refusal
            });
        }
        self.deployment_of(&slot)
    }

    fn known_slot(&self, agency: &Agency, entry: &Entry) -> Result<Arc<Slot>, EngineRefusal> {
        self.slot(agency, entry).ok_or_else(|| nothing_here(agency, entry))
    }

    pub(super) fn deployment_of(&self, slot: &Arc<Slot>) -> Result<ports::Deployment, EngineRefusal> {
        tell::deployment(slot).ok_or_else(|| nothing_here(&slot.agency, &slot.entry))
    }

    /// A version made ready for an entry; the one that is loaded there already, where it is.
    async fn bring(
        &self,
        id: &str,
        version: &VersionDocument,
        actor: &Actor,
        agency: &Agency,
        entry: &Entry,
        settings: Arc<Settings>,
    ) -> Result<Brought, EngineRefusal> {
        let key = loading::key(id).ok_or_else(|| super::internal("reading a version", "its id is no hash"))?;
        let there = self.slot(agency, entry).and_then(|slot| {
            slot.look(|live| live.loaded.get(&key).filter(|_| live.settings == settings).cloned()).flatten()
        });
        let loaded = match there {
            Some(loaded) => loaded,
            None => self.load(id, version, &settings).await?,
        };
        Ok(Brought { key, name: name(version, actor), loaded, settings })
    }

    /// Looks whether a step can be taken, and what the ledger will have then.
    pub(super) fn plan(
        &self,
        slot: Arc<Slot>,
        kept: OwnedMutexGuard<Kept>,
        forward: Forward,
        brought: Option<Brought>,
        actor: &Actor,
    ) -> Result<Plan, EngineRefusal> {
        let now = self.now();
        let before = slot.look(|live| (live.machine.clone(), live.names.clone()));
        let from = before.as_ref().map(|(machine, _)| machine.state().stable.version.clone());
        let (state, mut names) = match before {
            Some((mut machine, names)) => {
                forward.apply(&mut machine, now).map_err(|refusal| of_machine(&refusal))?;
                (machine.state().clone(), names)
            }
            None => (first(&forward, now).ok_or_else(|| nothing_stable(&slot))?, BTreeMap::new()),
        };
        names.extend(brought.iter().map(|brought| (brought.key, brought.name.clone())));
        let to = match &forward {
            Forward::Deploy { version, .. } => version.clone(),
            Forward::Release => state.stable.version.clone(),
        };
        let share_percent = match &forward {
            Forward::Deploy { share, .. } => share.percent(),
            Forward::Release => 100,
        };
        let step = DeploymentStep {
            at: tell::time(now),
            by: actor.name.clone(),
            action: forward.action().to_owned(),
            from: from.as_ref().map(|from| from.key.to_string()),
            to: to.key.to_string(),
            share_percent,
            reason: None,
        };
        let audit = AuditDraft {
            actor: actor.name.clone(),
            via: actor.via.to_owned(),
            action: forward.action().to_owned(),
            object: slot.id(),
            agency: Some(slot.agency.to_string()),
            details: json!({
                "version": step.to, "label": &*to.label, "share_percent": share_percent,
                "from": step.from, "from_label": from.as_ref().map(|from| from.label.to_string()),
            }),
        };
        let mut history = kept.history.clone();
        history.insert(0, step.clone());
        let record = Record::new(&state, &names, &history);
        Ok(Plan { slot, kept, forward, brought, record, step, audit })
    }

    /// Writes the steps, all or none, then takes them. `puts` are written with them. Gives steps that could not be written
    /// back.
    pub(super) async fn go(
        self: &Arc<Self>,
        plans: Vec<Plan>,
        puts: Vec<Put>,
    ) -> Result<(), (EngineRefusal, Vec<Plan>)> {
        let change = match change_of(&plans, puts) {
            Ok(change) => change,
            Err(refusal) => return Err((refusal, plans)),
        };
        let LedgerDone { revisions, .. } = match self.store.ledger_commit(change, self.utc()).await {
            Ok(done) => done,
            Err(error) => return Err((of_store("deploying", &error), plans)),
        };
        crash::point("committed");
        for (plan, revision) in plans.into_iter().zip(revisions) {
            self.take(plan, revision).map_err(|refusal| (refusal, Vec::new()))?;
        }
        Ok(())
    }

    /// The step is written: new calls go by it from now on.
    pub(super) fn take(self: &Arc<Self>, plan: Plan, revision: u64) -> Result<(), EngineRefusal> {
        let Plan { slot, mut kept, forward, brought, step, .. } = plan;
        kept.revision = revision;
        kept.history.insert(0, step.clone());
        kept.history.truncate(HISTORY_MAX);
        let taken = self.switch(&slot, &forward, brought);
        slot.written(revision);
        crash::point("switched");
        tracing::info!(agency = %slot.agency, entry = %slot.entry, action = step.action, to = step.to, by = step.by, "deployed");
        self.tell_of(&slot);
        taken.map_err(|refusal| {
            // A verdict came between writing and switching; its own writing follows and is the last word.
            self.write_later(Arc::clone(&slot), Vec::new(), Vec::new());
            of_machine(&refusal)
        })
    }

    /// New calls go by the step from now on.
    fn switch(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        forward: &Forward,
        brought: Option<Brought>,
    ) -> Result<(), DeploymentRefusal> {
        let now = self.now();
        let changed = slot.change(&self.registry, |live| {
            if let Some(brought) = &brought {
                live.loaded.entry(brought.key).or_insert_with(|| Arc::clone(&brought.loaded));
                live.names.insert(brought.key, brought.name.clone());
            }
            let applied = forward.apply(&mut live.machine, now);
            (applied, live.strangers())
        });
        if let Some(((applied, strangers), mut after)) = changed {
            after.freed.extend(strangers);
            self.after(slot, after);
            return applied;
        }
        if let (Some(brought), Some(state)) = (brought, first(forward, now)) {
            slot.begin_with(&self.registry, Live::first(state, &brought));
        }
        Ok(())
    }

    /// Writes an entry down as it is now.
    pub(super) async fn write(
        &self,
        slot: &Slot,
        kept: &mut Kept,
        steps: Vec<DeploymentStep>,
        audit: Vec<AuditDraft>,
    ) -> Result<(), EngineRefusal> {
        let mut history = steps;
        history.extend(kept.history.iter().cloned());
        let Some(record) = slot.record(&history) else { return Ok(()) };
        let mut change = LedgerChange {
            expect: vec![Expected { kind: DEPLOYMENT_KIND.to_owned(), id: slot.id(), revision: kept.revision }],
            puts: vec![put(DEPLOYMENT_KIND, &slot.id(), &record)?],
            audit,
            urgent: true,
            ..LedgerChange::default()
        };
        let mut done = self.store.ledger_commit(change.clone(), self.utc()).await;
        if let Err(StoreError::Stale { actual, .. }) = done {
            // What calls go by is what is true.
            change.expect.iter_mut().for_each(|expected| expected.revision = actual);
            done = self.store.ledger_commit(change, self.utc()).await;
        }
        let done = done.map_err(|error| of_store("writing a deployment", &error))?;
        kept.revision = done.revisions.first().copied().unwrap_or(kept.revision);
        kept.history = record.history;
        slot.written(kept.revision);
        self.tell_of(slot);
        Ok(())
    }
}

fn change_of(plans: &[Plan], puts: Vec<Put>) -> Result<LedgerChange, EngineRefusal> {
    let mut change = LedgerChange::default();
    for plan in plans {
        let (kind, id): (String, String) = (DEPLOYMENT_KIND.to_owned(), plan.slot.id());
        change.puts.push(put(&kind, &id, &plan.record)?);
        change.expect.push(Expected { kind, id, revision: plan.revision() });
        change.audit.push(plan.audit.clone());
    }
    change.puts.extend(puts);
    Ok(change)
}

impl Live {
    pub(super) fn first(state: DeploymentState, brought: &Brought) -> Self {
        Self {
            machine: DeploymentMachine::new(state),
            loaded: [(brought.key, Arc::clone(&brought.loaded))].into(),
            names: [(brought.key, brought.name.clone())].into(),
            settings: Arc::clone(&brought.settings),
            revision: 0,
        }
    }

    /// Takes out what the machine does not know: a version that was brought and then not taken.
    fn strangers(&mut self) -> Vec<Arc<Loaded>> {
        let running: Vec<VersionKey> = self.machine.running().map(|running| running.version.key).collect();
        let taken = self.machine.state().last_rollback.iter().flat_map(|taken| [taken.from.key, taken.to.key]);
        let named: Vec<VersionKey> = running.iter().copied().chain(taken).collect();
        self.names.retain(|key, _| named.contains(key));
        let strangers: Vec<VersionKey> = self.loaded.keys().filter(|key| !running.contains(key)).copied().collect();
        strangers.iter().filter_map(|key| self.loaded.remove(key)).collect()
    }
}

/// The first version of an entry goes to everybody: there is nobody else to take the rest.
fn first(forward: &Forward, now: Timestamp) -> Option<DeploymentState> {
    match forward {
        Forward::Deploy { version, share, guard, drain } if share.is_all() => {
            Some(DeploymentState::first(version.clone(), *guard, *drain, now))
        }
        _ => None,
    }
}

/// What the history and the audit say of a version taken back.
pub(super) fn taken_back(slot: &Slot, taken: &TakenBack, actor: &Actor) -> (DeploymentStep, AuditDraft) {
    let action = if taken.automatic { "rollback.automatic" } else { "rollback" };
    let step = DeploymentStep {
        at: tell::time(taken.at),
        by: actor.name.clone(),
        action: action.to_owned(),
        from: Some(taken.from.key.to_string()),
        to: taken.to.key.to_string(),
        share_percent: 100,
        reason: Some(taken.reason.clone()),
    };
    let audit = AuditDraft {
        actor: actor.name.clone(),
        via: actor.via.to_owned(),
        action: action.to_owned(),
        object: slot.id(),
        agency: Some(slot.agency.to_string()),
        details: json!({
            "from": taken.from.key.to_string(), "from_label": &*taken.from.label,
            "version": taken.to.key.to_string(), "label": &*taken.to.label, "reason": taken.reason,
        }),
    };
    (step, audit)
}

pub(super) fn name(version: &VersionDocument, actor: &Actor) -> Name {
    Name { label: version.facts.version.clone(), script: version.facts.script.clone(), by: actor.name.clone() }
}

pub(super) fn put(kind: &str, id: &str, body: &impl serde::Serialize) -> Result<Put, EngineRefusal> {
    let body = serde_json::to_vec(body).map_err(|error| super::internal("writing a document", error))?;
    Ok(Put { kind: kind.to_owned(), id: id.to_owned(), body, expires: None })
}

fn check_revision(actual: u64, expected: Option<u64>) -> Result<(), EngineRefusal> {
    match expected {
        Some(expected) if expected != actual => Err(refused(
            "stale-revision",
            412,
            None,
            format!("the deployment is at revision {actual}, not {expected}: somebody has changed it"),
            "read it again and decide anew",
        )),
        _ => Ok(()),
    }
}

/// Whether a version may answer there.
pub(super) fn check_version(version: &VersionDocument, agency: &Agency, entry: &Entry) -> Result<(), EngineRefusal> {
    let facts = &version.facts;
    match version.state {
        VersionState::Checked | VersionState::Approved => {}
        VersionState::Waiting => {
            return Err(refused(
                "not-approved",
                409,
                Some("version"),
                format!("{} {} asks for rights that nobody has approved", facts.script, facts.version),
                "look at its difference and approve it",
            ));
        }
        VersionState::Refused => {
            let problem = format!("{} {} was refused", facts.script, facts.version);
            return Err(refused("not-approved", 409, Some("version"), problem, "upload another version"));
        }
    }
    if facts.agency != agency.as_str() {
        return Err(refused(
            "entry-not-allowed",
            422,
            Some("agency"),
            format!("{} {} is a bundle of the agency {:?}", facts.script, facts.version, facts.agency),
            "deploy it there",
        ));
    }
    if !facts.entries.is_empty() && !facts.entries.iter().any(|name| name == entry.as_str()) {
        return Err(refused(
            "entry-not-allowed",
            422,
            Some("entry"),
            format!("{} {} may be active under {} only", facts.script, facts.version, facts.entries.join(", ")),
            "deploy it there, or name the entry in its manifest",
        ));
    }
    Ok(())
}

fn nothing_here(agency: &Agency, entry: &Entry) -> EngineRefusal {
    let problem = format!("nothing is deployed at {agency}/{entry}");
    refused("not-found", 404, Some("entry"), problem, "deploy a version there first")
}

fn nothing_stable(slot: &Slot) -> EngineRefusal {
    let problem = format!("nothing is deployed at {} yet: there is nobody to take the other callers", slot.id());
    refused("conflict", 409, Some("share_percent"), problem, "deploy it to everybody, with share_percent = 100")
}
