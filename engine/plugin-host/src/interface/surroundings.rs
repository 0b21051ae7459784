//! The interface `host`: log, steps, time, randomness, configuration. Granted to every script.

use super::FOR_EVERYBODY;
use crate::bindings::{host, types};
use crate::convert;
use crate::host_call::Room;
use crate::manifest::Capability;
use crate::ports::LogLevel;
use crate::state::CallState;

/// Of a step's or an event's name; longer is cut.
const NAME_CHARS_MAX: usize = 64;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.answers("log", log)?;
    room.answers("step", |state: &mut CallState, (name,): (String,)| {
        let name: String = state.scrub(&name).chars().take(NAME_CHARS_MAX).collect();
        state.ports.sink.step(state.source(), &name);
        state.step = name;
    })?;
    room.answers("count", |state: &mut CallState, (event, by): (String, u32)| {
        // An event's name becomes a label of a metric: from a closed alphabet, so that no number of a person gets there.
        let legal = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.');
        let event: String = event.chars().filter(|c| legal(*c)).take(NAME_CHARS_MAX).collect();
        state.ports.sink.count(state.source(), &event, by);
    })?;
    room.answers("now-millis", |state: &mut CallState, (): ()| state.ports.clock.now().as_millis())?;
    room.answers("now-local", |state: &mut CallState, (): ()| {
        let clock = &state.ports.clock;
        convert::datetime(clock.local(&state.info.agency, clock.now()))
    })?;
    room.answers("random-u64", |state: &mut CallState, (): ()| state.ports.random.next_u64())?;
    room.answers("config", |state: &mut CallState, (key,): (String,)| state.version.config.get(&key).cloned())?;
    room.answers("data", |state: &mut CallState, (name,): (String,)| {
        state.version.data.get(&name).map(|data| data.to_vec())
    })?;
    room.answers("granted", |state: &mut CallState, (name,): (String,)| {
        FOR_EVERYBODY.contains(&name.as_str())
            || Capability::from_name(&name).is_some_and(|capability| state.version.gate.grants(capability))
    })?;
    room.answers("draining", |state: &mut CallState, (): ()| state.version.is_draining())
}

fn log(state: &mut CallState, (level, message, fields): (host::Level, String, Vec<types::Field>)) {
    let limits = state.limits();
    let (lines_max, bytes_max) = (limits.log_lines_max, limits.log_line_bytes_max as usize);
    if state.usage.log_lines >= lines_max {
        state.usage.log_lines_dropped += 1;
        return;
    }
    state.usage.log_lines += 1;
    let mut bytes_left = bytes_max;
    // Scrubbed before it is cut: half a secret is not recognised.
    let message = cut(state.scrub(&message), &mut bytes_left);
    let mut shown = Vec::new();
    for field in fields {
        if bytes_left == 0 {
            break;
        }
        let name = cut(state.scrub(&field.name), &mut bytes_left);
        let value = cut(state.scrub(&field.value), &mut bytes_left);
        shown.push((name, value));
    }
    let level = match level {
        host::Level::Trace => LogLevel::Trace,
        host::Level::Debug => LogLevel::Debug,
        host::Level::Info => LogLevel::Info,
        host::Level::Warn => LogLevel::Warn,
        host::Level::Error => LogLevel::Error,
    };
    state.ports.sink.log(state.source(), level, &message, &shown);
}

/// As much of a text as fits into what is left, in whole characters.
fn cut(mut text: String, bytes_left: &mut usize) -> String {
    text.truncate(text.floor_char_boundary(*bytes_left));
    *bytes_left -= text.len();
    text
}
