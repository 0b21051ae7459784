//! How a script's CPU is counted: live, by the clock; where a run must be the same every time, by what it executed.
//!
//! An epoch is checked at every loop and call, and costs next to nothing; when it is up, the thread's CPU clock is read. Two
//! runs of one script then differ by what else the machine does. Fuel is counted with every instruction: two runs use the same
//! to the last unit, on any machine, so that a limit is met in the same place, or never. Tests, exploration and replay use it.

use crate::control::Control;
use crate::manifest::Limits;
use crate::state::CallState;
use std::sync::Arc;
use wasmtime::{AsContextMut, StoreContextMut};

/// How CPU is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Metering {
    /// By the clock.
    #[default]
    Epochs,
    /// By what was executed.
    Fuel,
}

/// What stands for a millisecond of CPU where fuel is counted. Measured against live code on 2 shared vCPU (`examples/fuel.rs`,
/// units a millisecond): arithmetic 10.0 million, memory 7.0, calls 6.0, divisions and floats 1.9. Scripts mostly move memory
/// and call. The host's own work in a host call costs no fuel.
pub const FUEL_PER_MS: u64 = 6_000_000;

/// What a script used between two names of steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepUse {
    /// As the script named it; empty before the first.
    pub name: Arc<str>,
    /// What it executed.
    pub fuel: u64,
    /// Linear memory at its end.
    pub memory_bytes: usize,
    /// Host calls.
    pub host_calls: u32,
}

impl StepUse {
    /// The CPU that this fuel stands for, in microseconds.
    #[must_use]
    pub const fn cpu_us(&self) -> u64 {
        fuel_us(self.fuel)
    }
}

/// The CPU that fuel stands for, in microseconds.
#[must_use]
pub const fn fuel_us(fuel: u64) -> u64 {
    fuel.saturating_mul(1_000) / FUEL_PER_MS
}

/// The account of one run, where fuel is counted.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Before the step that is under way.
    used: u64,
    /// For the step that is under way.
    given: u64,
    /// Which limit that was.
    by_call: bool,
    /// By name, in order of appearance.
    uses: Vec<StepUse>,
    name: Arc<str>,
    host_calls: u32,
}

impl Meter {
    /// The allowance of the next step.
    fn give(&mut self, limits: &Limits) -> u64 {
        let step = u64::from(limits.cpu_ms_per_step) * FUEL_PER_MS;
        let left = (u64::from(limits.cpu_ms_per_call) * FUEL_PER_MS).saturating_sub(self.used);
        self.by_call = left < step;
        self.given = left.min(step);
        self.given
    }

    fn take(&mut self, left: u64, memory_bytes: usize, host_calls: u32) {
        let fuel = self.given.saturating_sub(left);
        self.given = 0;
        self.used = self.used.saturating_add(fuel);
        let calls = host_calls.saturating_sub(self.host_calls);
        self.host_calls = host_calls;
        match self.uses.iter().position(|one| one.name == self.name) {
            Some(place) => {
                let known = &mut self.uses[place];
                known.fuel = known.fuel.saturating_add(fuel);
                known.memory_bytes = memory_bytes;
                known.host_calls = known.host_calls.saturating_add(calls);
            }
            // A script that makes up names is not to fill the memory with them.
            None if self.uses.len() < STEPS_MAX => {
                self.uses.push(StepUse { name: Arc::clone(&self.name), fuel, memory_bytes, host_calls: calls });
            }
            None => {}
        }
    }

    /// The limit that was met.
    pub(crate) fn over(&self, limits: &Limits) -> String {
        match self.by_call {
            true => over("cpu_ms_per_call", limits.cpu_ms_per_call),
            false => over("cpu_ms_per_step", limits.cpu_ms_per_step),
        }
    }
}

/// Steps of one run that are told apart.
const STEPS_MAX: usize = 1_000;

/// What the author is told of a script that is over a limit of its CPU.
pub(crate) fn over(what: &str, max: u32) -> String {
    format!("it used more CPU than {what} = {max} allows; an endless loop?")
}

/// A host call was answered: the script's next step begins.
pub(crate) fn begin_step(store: &mut StoreContextMut<'_, CallState>) {
    let Some(mut meter) = store.data_mut().meter.take() else {
        store.data().control.end_step();
        store.as_context_mut().set_epoch_deadline(1);
        return;
    };
    let left = store.get_fuel().unwrap_or_default();
    let state = store.data_mut();
    meter.take(left, state.usage.memory_bytes, state.usage.host_calls);
    if *meter.name != *state.step {
        meter.name = Arc::from(state.step.as_str());
    }
    let given = meter.give(state.limits());
    state.meter = Some(meter);
    set_fuel(store, given);
}

/// The run begins, or goes on after it was prepared.
pub(crate) fn begin(store: &mut StoreContextMut<'_, CallState>) {
    let state = store.data_mut();
    let mut meter = Box::<Meter>::default();
    let given = meter.give(state.limits());
    state.meter = Some(meter);
    set_fuel(store, given);
}

fn set_fuel(store: &mut StoreContextMut<'_, CallState>, fuel: u64) {
    // It fails only where the engine counts none, and then there is no meter.
    let _ = store.set_fuel(fuel);
}

/// What a run used of its CPU.
pub(crate) struct CpuUse {
    pub(crate) cpu_us: u64,
    pub(crate) fuel: Option<u64>,
    pub(crate) steps: Vec<StepUse>,
}

/// The run is over.
pub(crate) fn end(mut store: StoreContextMut<'_, CallState>, control: &Control) -> CpuUse {
    let left = store.get_fuel().unwrap_or_default();
    let state = store.data_mut();
    let Some(mut meter) = state.meter.take() else {
        return CpuUse { cpu_us: control.cpu_used_ns() / 1_000, fuel: None, steps: Vec::new() };
    };
    meter.take(left, state.usage.memory_bytes, state.usage.host_calls);
    CpuUse { cpu_us: fuel_us(meter.used), fuel: Some(meter.used), steps: meter.uses }
}
