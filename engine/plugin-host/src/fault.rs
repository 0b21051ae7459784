//! Why the host stopped a script, told to its author.

use crate::state::{CallState, Stop};
use gudok_core::ids::ScriptVersion;
use gudok_core::script::LandingCause;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

/// What the author gets to see of a fault. Numbers and secrets are masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptFault {
    /// The landing's cause.
    pub cause: LandingCause,
    /// In words: the trap, or the limit by its name.
    pub message: String,
    /// Where the script was, innermost first; empty where it was nowhere.
    pub backtrace: String,
    /// Which version.
    pub version: ScriptVersion,
    /// The dialog's step that the script named last; empty for none.
    pub step: String,
}

/// What kind of fault an error of wasmtime is.
pub(crate) fn cause_of(error: &wasmtime::Error) -> LandingCause {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.cause;
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return LandingCause::Refused;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => LandingCause::Stack,
        Some(Trap::AllocationTooLarge) => LandingCause::Memory,
        Some(Trap::OutOfFuel) => LandingCause::Cpu,
        Some(_) => LandingCause::Trap,
        // wasmtime has no types for these two limits; tests hold the words.
        None if says(error, "fuel allocated for hostcalls") || says(error, "handle limit") => LandingCause::Quota,
        None => LandingCause::Trap,
    }
}

fn says(error: &wasmtime::Error, words: &str) -> bool {
    error.chain().any(|cause| cause.to_string().contains(words))
}

pub(crate) fn fault_of(error: &wasmtime::Error, cause: LandingCause, state: &CallState) -> ScriptFault {
    let message = match (error.downcast_ref::<Stop>(), error.downcast_ref::<Trap>(), &state.meter) {
        (Some(stop), ..) => stop.message.clone(),
        (None, Some(Trap::OutOfFuel), Some(meter)) => meter.over(state.limits()),
        (None, ..) => error.root_cause().to_string(),
    };
    ScriptFault {
        cause,
        message: state.scrub(&message),
        backtrace: error.downcast_ref::<WasmBacktrace>().map(symbolicated).unwrap_or_default(),
        version: state.version.id.clone(),
        step: state.step.clone(),
    }
}

/// By function, and by file and line where the component has debug information.
fn symbolicated(backtrace: &WasmBacktrace) -> String {
    const LINES_MAX: usize = 100;
    // The first line is a heading. wasmtime demangles names in its own rendering only.
    let text = backtrace.to_string();
    let lines = text.lines().skip(1).take(LINES_MAX).map(str::trim_end);
    lines.flat_map(|line| [line, "\n"]).collect()
}
