//! The centre of a world: the product's own machine, with a ledger that takes its time, loses nothing that it acknowledged,
//! and survives the engine.

use crate::dice::Dice;
use crate::trouble::Trouble;
use gudok_core::centre::{
    Callback, CallbackOrder, CentreCommand, CentreInput, CentreMachine, CentreSettings, OperatorOrder, QueueOrder,
    SaveId,
};
use gudok_core::ids::{CallId, CallbackId, Operator};
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What a call has for the centre.
#[derive(Clone, Debug)]
pub(crate) enum ToCentre {
    Queue(CallId, QueueOrder),
    Callback(CallId, CallbackOrder),
    Over(CallId),
}

/// A writing-down under way.
#[derive(Clone, Debug)]
pub(crate) struct Saving {
    pub(crate) save: SaveId,
    pub(crate) result: Result<(), String>,
    pub(crate) callback: Box<Callback>,
}

/// The centre.
#[derive(Debug)]
pub(crate) struct SimCentre {
    settings: Arc<CentreSettings>,
    /// None while the engine is down.
    machine: Option<CentreMachine>,
    /// Which life of the engine this is: what was under way in another comes too late.
    pub(crate) life: u32,
    dice: Dice,
    /// What is durable.
    pub(crate) ledger: BTreeMap<CallbackId, Callback>,
    /// Being written down, in order.
    saving: VecDeque<Saving>,
    at_work: BTreeSet<Operator>,
    pub(crate) gone: BTreeSet<Operator>,
    /// It was decided that no callback can be written down now.
    pub(crate) nothing_is_kept: bool,
}

impl SimCentre {
    pub(crate) fn new(settings: Arc<CentreSettings>, mut dice: Dice, now: Timestamp) -> Self {
        let machine = CentreMachine::new(Arc::clone(&settings), seed(&mut dice), now);
        Self {
            settings,
            machine: Some(machine),
            life: 0,
            dice,
            ledger: BTreeMap::new(),
            saving: VecDeque::new(),
            at_work: BTreeSet::new(),
            gone: BTreeSet::new(),
            nothing_is_kept: false,
        }
    }

    pub(crate) fn machine(&self) -> Option<&CentreMachine> {
        self.machine.as_ref()
    }

    pub(crate) fn hear(&mut self, told: ToCentre, now: Timestamp) {
        let input = match told {
            ToCentre::Queue(call, order) => CentreInput::Queue(call, order),
            ToCentre::Callback(call, order) => CentreInput::Callback(call, order),
            ToCentre::Over(call) => CentreInput::CallOver(call),
        };
        if let Some(machine) = &mut self.machine {
            machine.handle(input, now);
        }
    }

    pub(crate) fn order(&mut self, operator: &Operator, order: OperatorOrder, now: Timestamp) {
        match &order {
            OperatorOrder::LogIn => drop(self.at_work.insert(operator.clone())),
            OperatorOrder::LogOut(_) => drop(self.at_work.remove(operator)),
            OperatorOrder::Reachable(true) => drop(self.gone.remove(operator)),
            OperatorOrder::Reachable(false) => drop(self.gone.insert(operator.clone())),
            _ => {}
        }
        if let Some(machine) = &mut self.machine {
            // Whoever is not at work is told so by the page; here nobody reads it.
            drop(machine.order(operator, order, now));
        }
    }

    /// Everybody comes to work.
    pub(crate) fn everybody_logs_in(&mut self, now: Timestamp) {
        for operator in self.settings.operators.keys().cloned().collect::<Vec<_>>() {
            self.order(&operator, OperatorOrder::LogIn, now);
        }
    }

    pub(crate) fn poll_command(&mut self) -> Option<CentreCommand> {
        self.machine.as_mut()?.poll_command()
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.machine.as_ref()?.deadline()
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(machine) = &mut self.machine {
            machine.handle_timeout(now);
        }
    }

    /// Begins to write a callback down. Writings come to their end in their order.
    pub(crate) fn save(&mut self, save: SaveId, callback: Box<Callback>, trouble: &Trouble) -> Duration {
        let failed = self.dice.percent(trouble.failing_saves_percent) || self.nothing_is_kept;
        let result = if failed { Err("the disk is full".to_owned()) } else { Ok(()) };
        let after = self.dice.up_to(trouble.slow_saves_max);
        self.saving.push_back(Saving { save, result, callback });
        after
    }

    /// A writing-down comes to its end: the oldest.
    pub(crate) fn saved(&mut self, now: Timestamp) {
        let Some(saving) = self.saving.pop_front() else { return };
        if saving.result.is_ok() {
            self.ledger.insert(saving.callback.id.clone(), *saving.callback);
        }
        if let Some(machine) = &mut self.machine {
            machine.handle(CentreInput::Saved(saving.save, saving.result), now);
        }
    }

    /// The engine is gone. What was being written down is on the disk, or is not, up to some place.
    pub(crate) fn goes_down(&mut self) {
        self.life += 1;
        self.machine = None;
        for saving in std::mem::take(&mut self.saving) {
            if self.dice.percent(50) {
                break;
            }
            if saving.result.is_ok() {
                self.ledger.insert(saving.callback.id.clone(), *saving.callback);
            }
        }
    }

    /// The engine is back, and operators log in again.
    pub(crate) fn comes_up(&mut self, now: Timestamp) {
        let mut machine = CentreMachine::new(Arc::clone(&self.settings), seed(&mut self.dice), now);
        machine.handle(CentreInput::Recovered(self.ledger.values().cloned().collect()), now);
        self.machine = Some(machine);
        for operator in self.at_work.clone() {
            self.order(&operator, OperatorOrder::LogIn, now);
        }
    }
}

fn seed(dice: &mut Dice) -> u128 {
    u128::from(dice.roll()) << 64 | u128::from(dice.roll())
}
