//! The script's surroundings: log, steps, counters, clock, configuration, data files.

use crate::bindings::gudok::ivr::host;
pub use crate::bindings::gudok::ivr::host::{Level, count, draining, granted, now_local, now_millis, random_u64, step};
use crate::bindings::gudok::ivr::types::{CallError, Datetime};
use crate::{Result, call::fields};

/// Writes a line to the author's log.
pub fn log(level: Level, message: &str, values: &[(&str, &str)]) {
    host::log(level, message, &fields(values));
}

/// Something the author wants to know.
pub fn info(message: &str) {
    log(Level::Info, message, &[]);
}

/// Something that went wrong and was got over.
pub fn warn(message: &str) {
    log(Level::Warn, message, &[]);
}

/// Something that a caller suffered from.
pub fn error(message: &str) {
    log(Level::Error, message, &[]);
}

/// A value of the script's configuration.
#[must_use]
pub fn config(key: &str) -> Option<String> {
    host::config(key)
}

/// A value that the script cannot do without.
///
/// # Errors
/// [`CallError::NotFound`], which tells the admin what to configure.
pub fn config_required(key: &str) -> Result<String> {
    config(key)
        .ok_or_else(|| CallError::NotFound(format!("configuration value {key}: set it where the script is deployed")))
}

/// A file of the bundle, by its name under `data/`; none where there is none of that name. `NAME.toml.tree` is what
/// `NAME.toml` says, parsed by the host, as the WIT has it.
#[must_use]
pub fn data(name: &str) -> Option<Vec<u8>> {
    host::data(name)
}

/// A text file of the bundle, by its name under `data/`.
///
/// # Errors
/// [`CallError::NotFound`] if there is none, [`CallError::Invalid`] if it is not UTF-8.
pub fn data_text(name: &str) -> Result<String> {
    let bytes = host::data(name).ok_or_else(|| CallError::NotFound(format!("data/{name} in the bundle")))?;
    String::from_utf8(bytes).map_err(|error| CallError::Invalid(format!("data/{name} is not UTF-8: {error}")))
}

/// The moment in the agency's time zone.
#[must_use]
pub fn now() -> Datetime {
    now_local()
}

/// Logs at info level: `info!("told the hours of {place}"; attempt = n)`. The values after the semicolon are kept as
/// fields. `debug!`, `warn!` and `error!` are the same for their levels.
#[macro_export]
macro_rules! info {
    ($($rest:tt)+) => { $crate::log_at!(Info, $($rest)+) };
}

/// Logs at debug level; see [`info!`].
#[macro_export]
macro_rules! debug {
    ($($rest:tt)+) => { $crate::log_at!(Debug, $($rest)+) };
}

/// Logs at warn level; see [`info!`].
#[macro_export]
macro_rules! warn {
    ($($rest:tt)+) => { $crate::log_at!(Warn, $($rest)+) };
}

/// Logs at error level; see [`info!`].
#[macro_export]
macro_rules! error {
    ($($rest:tt)+) => { $crate::log_at!(Error, $($rest)+) };
}

/// What [`info!`] and its like stand on.
#[doc(hidden)]
#[macro_export]
macro_rules! log_at {
    ($level:ident, $text:literal $(, $argument:expr)* $(; $($name:ident = $value:expr),+)? $(,)?) => {
        $crate::host::log(
            $crate::host::Level::$level,
            &::std::format!($text $(, $argument)*),
            &[$($((::core::stringify!($name), &*::std::string::ToString::to_string(&$value))),+)?],
        )
    };
}
