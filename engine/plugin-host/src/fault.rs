//! Why the host stopped a script, told to its author.

use crate::state::{CallState, Stop};
use gudok_core::ids::ScriptVersion;
use gudok_core::script::LandingCause;
use std::fmt::Write;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

/// What the author gets to see of a fault. Numbers and secrets are masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptFault {
    /// The landing's cause.
    pub cause: LandingCause,
    /// In words: the trap, or the limit by its name.
    pub message: String,
    /// Where the script was, innermost first, a frame a line; empty where it was nowhere.
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
    let message = match error.downcast_ref::<Stop>() {
        Some(stop) => stop.message.clone(),
        None => error.root_cause().to_string(),
    };
    ScriptFault {
        cause,
        message: state.scrub(&message),
        backtrace: error.downcast_ref::<WasmBacktrace>().map(symbolicated).unwrap_or_default(),
        version: state.version.id.clone(),
        step: state.step.clone(),
    }
}

/// Function, file and line where the component has debug information; function and offset elsewhere.
fn symbolicated(backtrace: &WasmBacktrace) -> String {
    const FRAMES_MAX: usize = 50;
    let mut text = String::new();
    for (index, frame) in backtrace.frames().iter().enumerate().take(FRAMES_MAX) {
        let number = frame.func_index();
        let name = frame.func_name().map_or_else(|| format!("function {number}"), str::to_owned);
        // Writing to a String cannot fail.
        let _ = write!(text, "{index}: {name}");
        for symbol in frame.symbols() {
            if let Some(name) = symbol.name() {
                let _ = write!(text, " {name}");
            }
            if let (Some(file), Some(line)) = (symbol.file(), symbol.line()) {
                let _ = write!(text, " at {file}:{line}");
            }
        }
        if frame.symbols().is_empty()
            && let Some(offset) = frame.module_offset()
        {
            let _ = write!(text, " at offset {offset:#x}");
        }
        text.push('\n');
    }
    text
}
