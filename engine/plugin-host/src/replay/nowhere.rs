//! Ports that lead nowhere: what is asked of them never comes. A replay answers in their place.

use crate::bindings::telephony;
use crate::journal::{CallJournal, JournalError, Opened, Start};
use crate::ports::{
    AnsweredBy, BoxFuture, CallInfo, CallPort, Clock, Direction, FetchError, FetchPort, FetchRequest, FetchResponse,
    LocalTime, LogLevel, NoDirectory, NoPromises, NoStorage, Nothing, Ports, Random, ScriptSink, SecretsPort, Source,
    SystemClock,
};
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::script::{CallError, Reply, Request};
use gudok_core::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The ports that have more to do than to stay silent, in one. Its time is that of the journal's last answer.
pub(crate) struct Nowhere {
    now_us: AtomicU64,
    /// In the agency's zone, as the journal shows it.
    zone: SystemClock,
    /// For what the journal has no random number of.
    seed: AtomicU64,
}

impl Nowhere {
    pub(super) fn new(journal: &CallJournal, opened: &Opened) -> Result<Self, JournalError> {
        let mut offset_minutes = 0;
        for entry in opened.entries.iter().filter(|entry| &*entry.function == "host.now-local") {
            let (_, result) = journal.values(entry)?;
            offset_minutes = result.as_ref().and_then(|at| at["utc_offset_minutes"].as_i64()).unwrap_or_default();
        }
        let seconds = i32::try_from(offset_minutes * 60).unwrap_or_default();
        let zone =
            jiff::tz::Offset::from_seconds(seconds).map_or(jiff::tz::TimeZone::UTC, jiff::tz::Offset::to_time_zone);
        let (high, low) = (journal.header.call.as_u128() >> 64, journal.header.call.as_u128());
        #[expect(clippy::cast_possible_truncation, reason = "a seed of 64 bits is made of 128")]
        let seed = high as u64 ^ low as u64;
        Ok(Self {
            now_us: AtomicU64::new(journal.header.began.as_micros()),
            zone: SystemClock::new(zone, BTreeMap::new()),
            seed: AtomicU64::new(seed),
        })
    }

    pub(super) fn ports(self: &Arc<Self>) -> Arc<Ports> {
        Arc::new(Ports {
            storage: Arc::new(NoStorage(Nothing::Never)),
            fetch: Arc::clone(self) as _,
            promises: Arc::new(NoPromises(Nothing::Never)),
            directory: Arc::new(NoDirectory(Nothing::Never)),
            secrets: Arc::clone(self) as _,
            clock: Arc::clone(self) as _,
            random: Arc::clone(self) as _,
            sink: Arc::clone(self) as _,
        })
    }

    pub(super) fn set_now(&self, at_us: u64) {
        self.now_us.store(at_us, Relaxed);
    }

    pub(super) fn now_us(&self) -> u64 {
        self.now_us.load(Relaxed)
    }
}

/// What the script was told of its call.
pub(super) fn info(start: &Start, call: CallId) -> CallInfo {
    let info = &start.info;
    let number = |number: &String| PhoneNumber::new(number);
    CallInfo {
        id: call,
        direction: match info.direction {
            telephony::Direction::Inbound => Direction::Inbound,
            telephony::Direction::Outbound => Direction::Outbound,
        },
        caller: info.caller.as_ref().map(number),
        called: number(&info.called),
        diversion: info.diversion.as_ref().map(number),
        lang: Arc::from(info.lang.as_str()),
        agency: Agency::new(&info.agency),
        entry: Entry::new(&info.entry),
        answered_by: match info.answered_by {
            telephony::AnsweredBy::Unknown => AnsweredBy::Unknown,
            telephony::AnsweredBy::Human => AnsweredBy::Human,
            telephony::AnsweredBy::Machine => AnsweredBy::Machine,
            telephony::AnsweredBy::Fax => AnsweredBy::Fax,
        },
        headers: info.headers.iter().map(|field| (Arc::from(&*field.name), Arc::from(&*field.value))).collect(),
    }
}

fn never<'a, T: Send + 'a>() -> BoxFuture<'a, T> {
    Box::pin(std::future::pending())
}

impl CallPort for Nowhere {
    fn request(&self, _: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        never()
    }
}

impl Clock for Nowhere {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now_us())
    }
    fn local(&self, agency: &Agency, at: Timestamp) -> LocalTime {
        self.zone.local(agency, at)
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        never()
    }
}

impl Random for Nowhere {
    /// SplitMix64: the same call draws the same numbers, whenever it is replayed.
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.seed.fetch_add(STEP, Relaxed).wrapping_add(STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

impl SecretsPort for Nowhere {
    /// A handle that opens nothing: requests go nowhere.
    fn secret(&self, _: &Agency, _: &str) -> Option<Secret> {
        Some(Secret::new(""))
    }
}

impl ScriptSink for Nowhere {
    fn log(&self, _: Source<'_>, _: LogLevel, _: &str, _: &[(String, String)]) {}
}

impl FetchPort for Nowhere {
    fn fetch(&self, _: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        never()
    }
}

/// A bucket's or a secret's name, where an argument has it.
pub(super) fn text_at(args: &Value, nth: usize) -> Option<&str> {
    args.get(nth).and_then(Value::as_str)
}
