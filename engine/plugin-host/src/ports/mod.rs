//! What the embedder gives a script's call: the real host, the simulator and tests each bring their own.

mod directory;
mod fetch;
mod promises;
mod storage;
mod system;

pub use directory::{
    DayHours, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, NoDirectory, Office, Scope,
};
pub use fetch::{FetchError, FetchMethod, FetchPort, FetchRequest, FetchResponse, OriginRule, Voucher};
pub use promises::{
    EntryVersion, NewTicket, NoPromises, PromiseError, PromiseSource, PromisesPort, SurveyAnswer, SurveyResult,
    TicketKind,
};
pub use storage::{BucketId, CasAnswer, KeyRange, NoStorage, StorageEntry, StorageError, StoragePort, StorageQuota};
pub use system::{SystemClock, SystemRandom};

use gudok_core::ids::{Agency, CallId, Entry, ScriptVersion};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::prompt::LanguageTag;
use gudok_core::script::{CallError, Reply, Request};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A future in a box, as ports give it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a port answers that has nothing behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Nothing {
    /// That it is unavailable: the host has none.
    #[default]
    Unavailable,
    /// Never anything: somebody else answers in its place.
    Never,
}

impl Nothing {
    fn answer<'a, T: Send + 'a, E: Send + 'a>(self, unavailable: impl FnOnce() -> E) -> BoxFuture<'a, Result<T, E>> {
        match self {
            Self::Unavailable => Box::pin(std::future::ready(Err(unavailable()))),
            Self::Never => Box::pin(std::future::pending()),
        }
    }
}

/// The call that a script talks to: the machine of gudok-core stands behind it.
pub trait CallPort: Send + Sync {
    /// Carries a request out; one at a time. After the call's end, whatever blocks answers [`CallError::Ended`].
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>>;
}

/// The time, real or virtual.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// A moment as the agency's wall clock shows it.
    fn local(&self, agency: &Agency, at: Timestamp) -> LocalTime;
    /// Done after so long.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// What a wall clock shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "self-explaining")]
pub struct LocalTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub utc_offset_minutes: i16,
}

/// Randomness, real or from a seed.
pub trait Random: Send + Sync {
    /// 64 random bits.
    fn next_u64(&self) -> u64;
}

/// The secrets that admins keep.
pub trait SecretsPort: Send + Sync {
    /// A secret of an agency by its name.
    fn secret(&self, agency: &Agency, name: &str) -> Option<Secret>;
}

impl SecretsPort for BTreeMap<(Agency, String), Secret> {
    fn secret(&self, agency: &Agency, name: &str) -> Option<Secret> {
        self.get(&(agency.clone(), name.to_owned())).cloned()
    }
}

/// How loud a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the field's names")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Whose call something happened in.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The call.
    pub call: CallId,
    /// Its agency.
    pub agency: &'a Agency,
    /// Its script.
    pub version: &'a ScriptVersion,
}

/// Where what a script tells its author goes. Numbers and secrets are masked before it gets here.
pub trait ScriptSink: Send + Sync {
    /// A line for the author.
    fn log(&self, source: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]);
    /// A step of the dialog began.
    fn step(&self, _source: Source<'_>, _name: &str) {}
    /// A counter of the script's own.
    fn count(&self, _source: Source<'_>, _event: &str, _by: u32) {}
    /// A host call is over: "ok", or the error that it was answered with by its WIT name, or "stopped" where the script was
    /// stopped in the middle of it ("timeout", where it was stopped for that). For metrics and traces: `function` and `outcome` come from small closed sets.
    fn host_call(&self, _source: Source<'_>, _function: &str, _outcome: &'static str, _took: Duration) {}
}

/// A sink that hands lines to `tracing`, target `gudok::script`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink;

impl ScriptSink for TracingSink {
    fn log(&self, source: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        macro_rules! line {
            ($level:ident) => {
                tracing::event!(
                    target: "gudok::script",
                    tracing::Level::$level,
                    call = %source.call,
                    agency = %source.agency,
                    script = %source.version.script,
                    version = %source.version.version,
                    ?fields,
                    "{message}"
                )
            };
        }
        match level {
            LogLevel::Trace => line!(TRACE),
            LogLevel::Debug => line!(DEBUG),
            LogLevel::Info => line!(INFO),
            LogLevel::Warn => line!(WARN),
            LogLevel::Error => line!(ERROR),
        }
    }
}

/// Which way a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Who took an outbound call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum AnsweredBy {
    Unknown,
    Human,
    Machine,
    Fax,
}

/// What a script is told of its call.
#[derive(Clone, Debug)]
pub struct CallInfo {
    /// The call.
    pub id: CallId,
    /// Which way it goes.
    pub direction: Direction,
    /// None where it was withheld.
    pub caller: Option<PhoneNumber>,
    /// What was dialled.
    pub called: PhoneNumber,
    /// Who diverted the call here.
    pub diversion: Option<PhoneNumber>,
    /// The call's language at the start.
    pub lang: LanguageTag,
    /// Whose script this is. Decides which storage and which secrets it sees.
    pub agency: Agency,
    /// The entry that the number leads to.
    pub entry: Entry,
    /// Who took an outbound call.
    pub answered_by: AnsweredBy,
    /// Headers that the trunk lets through.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

/// The ports that calls share.
#[derive(Clone)]
pub struct Ports {
    /// Agency storage.
    pub storage: Arc<dyn StoragePort>,
    /// HTTP.
    pub fetch: Arc<dyn FetchPort>,
    /// Tickets and surveys.
    pub promises: Arc<dyn PromisesPort>,
    /// Reference data.
    pub directory: Arc<dyn DirectoryPort>,
    /// Secrets.
    pub secrets: Arc<dyn SecretsPort>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Logs, steps, counters, metrics.
    pub sink: Arc<dyn ScriptSink>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
