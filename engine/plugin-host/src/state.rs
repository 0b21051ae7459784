//! What one call's store holds, and its memory limit.

use crate::control::Control;
use crate::journal::{Journal, JournalEnd, Recorder, Whose};
use crate::manifest::Limits;
use crate::metering::Meter;
use crate::ports::{BucketId, CallInfo, CallPort, Ports, Source};
use crate::replay::Replayer;
use crate::version::Version;
use gudok_core::campaign::CampaignContact;
use gudok_core::privacy::{Secret, mask_digit_runs};
use gudok_core::prompt::LanguageTag;
use gudok_core::script::LandingCause;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinHandle;
use wasmtime::ResourceLimiter;

/// Everything that a script's host functions work on.
pub(crate) struct CallState {
    pub(crate) version: Arc<Version>,
    pub(crate) info: CallInfo,
    /// What the script set last; the call's at first.
    pub(crate) lang: LanguageTag,
    pub(crate) call: Arc<dyn CallPort>,
    pub(crate) ports: Arc<Ports>,
    /// Who wants each host call as it comes.
    pub(crate) entries: Option<Arc<dyn Journal>>,
    /// The journal that is being kept, and for whom.
    pub(crate) recorder: Option<Box<Recorder>>,
    pub(crate) keeper: Option<Arc<dyn Journal>>,
    /// Answers host calls in the host's place.
    pub(crate) replay: Option<Box<Replayer>>,
    pub(crate) control: Arc<Control>,
    pub(crate) usage: Usage,
    /// The dialog's step that the script named last.
    pub(crate) step: String,
    /// The host call that it waits in, and since when.
    pub(crate) waits_in: Option<(Arc<str>, Instant)>,
    pub(crate) buckets: Slots<BucketId>,
    pub(crate) secrets: Slots<Secret>,
    pub(crate) fetches: Slots<Fetch>,
    /// Secrets that the script has in its hands: they are kept out of its log and errors.
    pub(crate) known_secrets: Vec<Secret>,
    /// What it is told of a person: kept out of its log and errors too.
    pub(crate) personal: Personal,
    /// A campaign's script before dialling: there is no call to promise anything in.
    pub(crate) preparing: bool,
    /// Where fuel is counted.
    pub(crate) meter: Option<Box<Meter>>,
}

/// What a campaign's script is told of its contact, so that it is not written down.
#[derive(Default)]
pub(crate) struct Personal(Vec<Arc<str>>);

impl Personal {
    /// Shorter values say little of a person, and stand in many a word.
    const CHARS_MIN: usize = 4;

    pub(crate) fn of(contact: &CampaignContact) -> Self {
        let values = contact.fields.iter().map(|(_, value)| Arc::clone(value));
        let mut values: Vec<Arc<str>> = values.filter(|value| value.chars().count() >= Self::CHARS_MIN).collect();
        // A longer value may hold a shorter one.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    fn hide(&self, text: &mut String) {
        for value in self.0.iter().filter(|value| !value.is_empty()) {
            if text.contains(&**value) {
                *text = text.replace(&**value, "<contact>");
            }
        }
    }
}

/// What a run has used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) host_calls: u32,
    pub(crate) log_lines: u32,
    pub(crate) log_lines_dropped: u32,
    pub(crate) http_requests: u32,
    pub(crate) memory_bytes: usize,
}

/// A request on its way. Dropping it cancels.
pub(crate) struct Fetch {
    /// None once the answer was taken.
    pub(crate) task: Option<JoinHandle<Result<crate::ports::FetchResponse, crate::ports::FetchError>>>,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Why the host stopped a script; travels through wasmtime as an error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Stop {
    pub(crate) cause: LandingCause,
    pub(crate) message: String,
}

impl Stop {
    pub(crate) fn error(cause: LandingCause, message: String) -> wasmtime::Error {
        wasmtime::Error::new(Self { cause, message })
    }
}

impl CallState {
    pub(crate) fn limits(&self) -> &Limits {
        &self.version.limits
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source { call: self.info.id, agency: &self.info.agency, version: &self.version.id }
    }

    /// The script is over: its journal goes to whoever keeps it.
    pub(crate) fn hand_journal_over(&mut self, end: JournalEnd) {
        let (Some(recorder), Some(keeper)) = (self.recorder.take(), self.keeper.take()) else { return };
        let whose = Whose {
            call: self.info.id,
            agency: self.info.agency.clone(),
            entry: self.info.entry.clone(),
            script: self.version.id.clone(),
        };
        let hides = self.known_secrets.iter().map(|secret| secret.reveal().to_owned()).collect();
        keeper.keep(recorder.finish(whose, end, hides, self.ports.clock.now()));
    }

    /// Free text of a script as it may be written down: without long digit runs and without secrets.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut clean = self.without_secrets(text);
        self.personal.hide(&mut clean);
        mask_digit_runs(&clean)
    }

    /// The same for what may hold numbers: a script's own words for the call record.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in self.known_secrets.iter().map(Secret::reveal) {
            if !secret.is_empty() && clean.contains(secret) {
                clean = clean.replace(secret, "<secret>");
            }
        }
        clean
    }
}

impl Drop for CallState {
    /// The engine may let go of a script in the middle: what it did until then is worth keeping.
    fn drop(&mut self) {
        self.hand_journal_over(JournalEnd::Dropped);
    }
}

impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.usage.memory_bytes.saturating_sub(current).saturating_add(desired);
        if total > self.limits().memory_bytes() {
            let max = self.limits().memory_mib;
            let message = format!("it asked for {} KiB of memory; memory_mib = {max}", total / 1024);
            return Err(Stop::error(LandingCause::Memory, message));
        }
        self.usage.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let max = self.limits().table_elements_max;
        if desired > max as usize {
            let message = format!("it asked for a table of {desired} elements; table_elements_max = {max}");
            return Err(Stop::error(LandingCause::Memory, message));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        crate::engine::CORE_INSTANCES_PER_SCRIPT_MAX as usize
    }

    fn tables(&self) -> usize {
        crate::engine::TABLES_PER_SCRIPT_MAX as usize
    }

    fn memories(&self) -> usize {
        crate::engine::MEMORIES_PER_SCRIPT_MAX as usize
    }
}

/// Things that a script holds by handle. Freed places are used again.
pub(crate) struct Slots<T>(Vec<Option<T>>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Slots<T> {
    /// Keeps it, and says under which number. At most `handles_max` live at once: wasmtime counts handles.
    pub(crate) fn insert(&mut self, thing: T) -> u32 {
        let free = self.0.iter().position(Option::is_none).unwrap_or_else(|| {
            self.0.push(None);
            self.0.len() - 1
        });
        self.0[free] = Some(thing);
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.0.get_mut(number as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        self.0.get_mut(number as usize)?.take()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }
}
