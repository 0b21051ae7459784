//! What machines decide by themselves: written down, told, carried out. And their timers.

use super::orders::taken_back;
use super::slot::Slot;
use super::{Director, tell};
use crate::call::Control;
use crate::metrics;
use gudok_admin::ports::{Actor, DeploymentStep, Event};
use gudok_core::deployment::{DeploymentCommand, TakenBack, VersionKey};
use gudok_core::script::LandingCause;
use gudok_store::AuditDraft;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two looks at what comes due.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two attempts to write down what is in force already.
const WRITE_AGAIN_MIN: Duration = Duration::from_millis(500);
const WRITE_AGAIN_MAX: Duration = Duration::from_secs(30);

/// What an entry's machine has decided.
pub(super) struct Decision {
    pub(super) slot: Arc<Slot>,
    pub(super) commands: Vec<DeploymentCommand>,
}

/// Carries decisions out, one after another, until there is no director.
pub(super) async fn carry_out(director: Weak<Director>, mut decided: mpsc::UnboundedReceiver<Decision>) {
    while let Some(Decision { slot, commands }) = decided.recv().await {
        let Some(director) = director.upgrade() else { return };
        for command in commands {
            director.decided(&slot, command).await;
        }
        director.tell_of(&slot);
    }
}

/// Tells machines when something comes due, until there is no director.
pub(super) async fn keep_time(director: Weak<Director>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let Some(director) = director.upgrade() else { return };
        let now = director.now();
        for slot in director.all_slots() {
            if slot.deadline().is_some_and(|deadline| deadline <= now)
                && let Some(((), after)) = slot.change(&director.registry, |live| live.machine.handle_timeout(now))
            {
                director.after(&slot, after);
            }
        }
        if director.overlay_is_over()
            && let Err(refusal) = director.merge_routes().await
        {
            tracing::error!(problem = refusal.problem, "an announcement whose time is over could not be taken out");
        }
    }
}

impl Director {
    async fn decided(self: &Arc<Self>, slot: &Arc<Slot>, command: DeploymentCommand) {
        match command {
            DeploymentCommand::RollBack { from, to, reason } => self.rolled_back(slot, from, to, reason).await,
            DeploymentCommand::MoveToOperator { version } => {
                let said = Control::Land(LandingCause::Drained);
                let moved = self.live.say_to_version(&slot.agency, &slot.entry, &version.0, &said);
                tracing::warn!(agency = %slot.agency, entry = %slot.entry, %version, calls = moved, "the drain deadline has passed: its calls move to an operator");
            }
            DeploymentCommand::Alarm { version, reason } => {
                metrics::deployment_alarm(&slot.agency);
                tracing::error!(agency = %slot.agency, entry = %slot.entry, %version, reason, "a version does badly, and there is none to go back to; deploy another");
            }
            DeploymentCommand::Good { version } => {
                tracing::info!(agency = %slot.agency, entry = %slot.entry, %version, "the version has proved good");
                self.write_or_later(slot, Vec::new(), Vec::new()).await;
            }
            DeploymentCommand::Released { version } => {
                tracing::info!(agency = %slot.agency, entry = %slot.entry, %version, "the version's last call is over: released");
            }
        }
    }

    async fn rolled_back(self: &Arc<Self>, slot: &Arc<Slot>, from: VersionKey, to: VersionKey, reason: String) {
        metrics::rolled_back(&slot.agency);
        let named = |key: VersionKey| {
            let label = slot.look(|live| live.names.get(&key).map(|name| Arc::from(name.label.as_str()))).flatten();
            gudok_core::deployment::NamedVersion { key, label: label.unwrap_or_else(|| Arc::from("")) }
        };
        let taken = TakenBack { at: self.now(), from: named(from), to: named(to), reason, automatic: true };
        tracing::error!(agency = %slot.agency, entry = %slot.entry, from = &*taken.from.label, to = &*taken.to.label, reason = taken.reason, "rolled back by itself");
        let engine = Actor { name: "engine".to_owned(), via: "engine" };
        let (step, audit) = taken_back(slot, &taken, &engine);
        self.write_or_later(slot, vec![step], vec![audit]).await;
    }

    async fn write_or_later(self: &Arc<Self>, slot: &Arc<Slot>, steps: Vec<DeploymentStep>, audit: Vec<AuditDraft>) {
        let mut kept = Arc::clone(&slot.kept).lock_owned().await;
        if self.write(slot, &mut kept, steps.clone(), audit.clone()).await.is_err() {
            self.write_later(Arc::clone(slot), steps, audit);
        }
    }

    /// Tries until the ledger has what is in force.
    pub(super) fn write_later(self: &Arc<Self>, slot: Arc<Slot>, steps: Vec<DeploymentStep>, audit: Vec<AuditDraft>) {
        let director = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut pause = WRITE_AGAIN_MIN;
            loop {
                tokio::time::sleep(pause).await;
                let Some(director) = director.upgrade() else { return };
                let mut kept = Arc::clone(&slot.kept).lock_owned().await;
                if director.write(&slot, &mut kept, steps.clone(), audit.clone()).await.is_ok() {
                    return;
                }
                pause = (pause * 2).min(WRITE_AGAIN_MAX);
            }
        });
    }

    /// Tells whoever listens that a deployment has changed.
    pub(super) fn tell_of(&self, slot: &Slot) {
        if let Some(deployment) = tell::deployment(slot) {
            self.live.tell(|| Event::Deployment(Box::new(deployment)));
        }
    }
}
