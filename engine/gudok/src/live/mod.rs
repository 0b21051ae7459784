//! Calls as their admins see them: who is up and in which step, what happened in each, and a way to reach into one.
//!
//! Everything here has a limit: lines of one call, bytes of all live calls together, calls that are remembered after
//! their end, lines of the scripts' log. Nothing here is touched by a packet; a host call of a script costs a look-up
//! and a line.

mod log;
mod trace;
mod words;

pub(crate) use log::ScriptLog;
pub(crate) use trace::TraceKind;
pub(crate) use words::{Asked, key_words, prompt_words};

use crate::call::Control;
use crate::keep::CallFacts;
use gudok_admin::ports::{self, Event};
use gudok_core::ids::{Agency, CallId, CallbackId, Entry, Queue, ScriptVersion};
use gudok_core::prompt::LanguageTag;
use gudok_core::script::Recording;
use gudok_core::time::Timestamp;
use parking_lot::{Mutex, RwLock};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::{broadcast, mpsc};
use trace::TraceBuffer;

/// Things said to one call that wait for its task.
const CONTROLS_MAX: usize = 4;
/// Traces of ended calls in memory, by number and by size.
const ENDED_CALLS_MAX: usize = 2_000;
const ENDED_BYTES_MAX: usize = 32 << 20;
/// Traces of all live calls together.
const LIVE_BYTES_MAX: usize = 64 << 20;
/// Traces of landed calls that wait to be kept.
const KEPT_QUEUE_MAX: usize = 256;
/// Steps that a call record names.
const STEPS_MAX: usize = 64;
/// Events that a slow listener may lag behind.
const EVENTS_MAX: usize = 4_096;

/// All calls that are up, and the last ones that were.
pub(crate) struct LiveCalls {
    calls: RwLock<HashMap<CallId, Arc<CallWatch>>>,
    ended: Mutex<Ended>,
    shared: Arc<Shared>,
    to_keep: mpsc::Sender<ports::Trace>,
}

/// What every call's watch needs.
struct Shared {
    events: broadcast::Sender<Event>,
    lines_max: usize,
    /// Bytes of all live traces.
    bytes: AtomicUsize,
}

#[derive(Default)]
struct Ended {
    calls: VecDeque<Arc<CallWatch>>,
    bytes: usize,
}

/// How a call is known when it begins.
pub(crate) struct Beginning {
    pub(crate) id: CallId,
    pub(crate) agency: Agency,
    pub(crate) entry: Entry,
    /// Masked.
    pub(crate) caller: String,
    pub(crate) called: String,
    pub(crate) lang: LanguageTag,
    /// What the dialled number stands for.
    pub(crate) area: Option<Arc<str>>,
    pub(crate) at: Timestamp,
}

/// How a caller waits, or waited, for an operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wait {
    pub(crate) queue: Option<Queue>,
    pub(crate) since: Option<Timestamp>,
    /// The callback that the call fulfils.
    pub(crate) callback: Option<CallbackId>,
}

/// Where a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallState {
    /// Whom we call rings, or has just answered.
    Dialling,
    /// The overlay is being said.
    Announcement,
    /// The script has it.
    Script,
    /// The caller waits for an operator.
    Queued,
    /// The caller talks to somebody.
    Bridged,
    /// The host has taken it over.
    Landed,
}

impl CallState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dialling => "dialling",
            Self::Announcement => "announcement",
            Self::Script => "script",
            Self::Queued => "queued",
            Self::Bridged => "bridged",
            Self::Landed => "landed",
        }
    }
}

impl LiveCalls {
    /// None yet. The receiver gets the traces of landed calls, to be kept.
    pub(crate) fn new(lines_max: usize) -> (Arc<Self>, mpsc::Receiver<ports::Trace>) {
        let (to_keep, kept) = mpsc::channel(KEPT_QUEUE_MAX);
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let shared = Arc::new(Shared { events, lines_max, bytes: AtomicUsize::new(0) });
        (Arc::new(Self { calls: RwLock::default(), ended: Mutex::default(), shared, to_keep }), kept)
    }

    /// A call is up. What is said to it comes by the receiver.
    pub(crate) fn began(self: &Arc<Self>, call: Beginning) -> (Watched, mpsc::Receiver<Control>) {
        let (control, said) = mpsc::channel(CONTROLS_MAX);
        let watch = Arc::new(CallWatch {
            id: call.id,
            since: call.at,
            caller: call.caller,
            called: call.called,
            area: call.area,
            control,
            now: Mutex::new(Now {
                agencies: vec![call.agency],
                entry: call.entry,
                version: None,
                versions: Vec::new(),
                step: String::new(),
                steps: Vec::new(),
                recordings: Vec::new(),
                fields: Vec::new(),
                wait: Wait::default(),
                state: CallState::Announcement,
                lang: call.lang,
                trace: TraceBuffer::default(),
                landed: false,
                over: false,
            }),
            shared: Arc::clone(&self.shared),
        });
        self.calls.write().insert(call.id, Arc::clone(&watch));
        watch.tell();
        (Watched { calls: Arc::clone(self), watch }, said)
    }

    /// A call that is up.
    pub(crate) fn watch(&self, call: CallId) -> Option<Arc<CallWatch>> {
        self.calls.read().get(&call).cloned()
    }

    /// A call that is up, or was lately.
    pub(crate) fn lately(&self, call: CallId) -> Option<Arc<CallWatch>> {
        self.watch(call).or_else(|| self.ended.lock().calls.iter().rev().find(|watch| watch.id == call).cloned())
    }

    /// Those that are up; of one agency, or all.
    pub(crate) fn list(&self, agency: Option<&Agency>) -> Vec<ports::LiveCall> {
        let watches: Vec<Arc<CallWatch>> = self.calls.read().values().cloned().collect();
        let mut all: Vec<ports::LiveCall> = watches
            .iter()
            .filter(|watch| agency.is_none_or(|agency| watch.now.lock().agency() == Some(agency)))
            .map(|watch| watch.seen())
            .collect();
        all.sort_by(|a, b| (a.since_ms, &a.id).cmp(&(b.since_ms, &b.id)));
        all
    }

    /// Says something to a call; false where it is over, or has heard enough.
    pub(crate) fn say(&self, call: CallId, control: Control) -> bool {
        self.watch(call).is_some_and(|watch| watch.control.try_send(control).is_ok())
    }

    /// Says something to every call that a version runs now, at one entry.
    pub(crate) fn say_to_version(&self, agency: &Agency, entry: &Entry, hash: &[u8; 32], control: &Control) -> usize {
        let watches: Vec<Arc<CallWatch>> = self.calls.read().values().cloned().collect();
        let on_it = |watch: &&Arc<CallWatch>| {
            let now = watch.now.lock();
            now.state != CallState::Landed
                && now.agency() == Some(agency)
                && now.entry == *entry
                && now.version.as_ref().is_some_and(|version| version.bundle_sha256 == *hash)
        };
        watches.iter().filter(on_it).filter(|watch| watch.control.try_send(control.clone()).is_ok()).count()
    }

    /// What happened in a call that is up, or was lately.
    pub(crate) fn trace(&self, call: CallId) -> Option<ports::Trace> {
        if let Some(watch) = self.watch(call) {
            return Some(watch.trace(true));
        }
        self.lately(call).map(|watch| watch.trace(false))
    }

    /// Traces of these calls are forgotten.
    pub(crate) fn forget(&self, calls: &[CallId]) {
        let mut ended = self.ended.lock();
        ended.calls.retain(|watch| !calls.contains(&watch.id));
        ended.bytes = ended.calls.iter().map(|watch| watch.now.lock().trace.bytes()).sum();
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Tells everybody who listens.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.shared.events.receiver_count() > 0 {
            let _ = self.shared.events.send(event());
        }
    }

    fn ended(&self, watch: &Arc<CallWatch>) {
        self.calls.write().remove(&watch.id);
        let (bytes, landed) = {
            let mut now = watch.now.lock();
            now.over = true;
            now.trace.shrink();
            self.shared.bytes.fetch_sub(now.trace.bytes(), Relaxed);
            (now.trace.bytes(), now.landed)
        };
        self.tell(|| Event::CallEnded(watch.seen()));
        if landed && self.to_keep.try_send(watch.trace(false)).is_err() {
            crate::metrics::trace_not_kept();
        }
        let mut ended = self.ended.lock();
        ended.calls.push_back(Arc::clone(watch));
        ended.bytes += bytes;
        while ended.calls.len() > ENDED_CALLS_MAX || ended.bytes > ENDED_BYTES_MAX {
            let Some(oldest) = ended.calls.pop_front() else { break };
            ended.bytes = ended.bytes.saturating_sub(oldest.now.lock().trace.bytes());
        }
    }
}

/// A call's place in the table, for as long as its task lives.
pub(crate) struct Watched {
    calls: Arc<LiveCalls>,
    watch: Arc<CallWatch>,
}

impl std::ops::Deref for Watched {
    type Target = CallWatch;
    fn deref(&self) -> &CallWatch {
        &self.watch
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.calls.ended(&self.watch);
    }
}

/// One call that is up.
pub(crate) struct CallWatch {
    id: CallId,
    since: Timestamp,
    caller: String,
    called: String,
    area: Option<Arc<str>>,
    control: mpsc::Sender<Control>,
    now: Mutex<Now>,
    shared: Arc<Shared>,
}

struct Now {
    /// Every agency that had the caller, in order; the last one has the caller now.
    agencies: Vec<Agency>,
    entry: Entry,
    version: Option<ScriptVersion>,
    versions: Vec<ScriptVersion>,
    step: String,
    /// Each once, in the order in which they were first reached.
    steps: Vec<String>,
    /// Kept so far: what a script may give away with a ticket.
    recordings: Vec<Recording>,
    /// What the script shows the operator.
    fields: Vec<(Arc<str>, Arc<str>)>,
    wait: Wait,
    state: CallState,
    lang: LanguageTag,
    trace: TraceBuffer,
    landed: bool,
    /// Its task is done: what a script still says is not heard.
    over: bool,
}

impl Now {
    fn agency(&self) -> Option<&Agency> {
        self.agencies.last()
    }
}

impl CallWatch {
    /// A script runs now.
    pub(crate) fn script_began(&self, agency: &Agency, entry: &Entry, version: &ScriptVersion, at: Timestamp) {
        {
            let mut now = self.now.lock();
            if now.agency() != Some(agency) {
                now.agencies.push(agency.clone());
            }
            now.entry = entry.clone();
            now.version = Some(version.clone());
            now.versions.push(version.clone());
            now.state = CallState::Script;
            now.step.clear();
            let text = format!("{agency}/{entry}: {} {} begins", version.script, version.version);
            self.write(&mut now, at, TraceKind::Script, text, None, None);
        }
        self.tell();
    }

    /// The dialog is in another step.
    pub(crate) fn step(&self, name: &str, at: Timestamp) {
        {
            let mut now = self.now.lock();
            now.step.clear();
            now.step.extend(name.chars().take(trace::STEP_CHARS_MAX));
            let step = now.step.clone();
            if now.steps.len() < STEPS_MAX && !now.steps.contains(&step) {
                now.steps.push(step.clone());
            }
            self.write(&mut now, at, TraceKind::Step, step, None, None);
        }
        self.tell();
    }

    /// A recording is in the store.
    pub(crate) fn recorded(&self, recording: Recording) {
        self.now.lock().recordings.push(recording);
    }

    /// A recording of this call that is in the store.
    pub(crate) fn recording(&self, id: &str) -> Option<Recording> {
        self.now.lock().recordings.iter().find(|recording| &*recording.id == id).cloned()
    }

    /// What belongs into the call's records besides what its machine knows.
    pub(crate) fn facts(&self) -> CallFacts {
        CallFacts { area: self.area.clone(), steps: self.now.lock().steps.clone(), overlay: None }
    }

    /// The call is somewhere else.
    pub(crate) fn state(&self, state: CallState) {
        {
            let mut now = self.now.lock();
            if now.state == state {
                return;
            }
            now.state = state;
            now.landed |= state == CallState::Landed;
        }
        self.tell();
    }

    /// What the script shows the operator who is rung.
    pub(crate) fn fields(&self, fields: &[(Arc<str>, Arc<str>)]) {
        self.now.lock().fields = fields.to_vec();
    }

    /// The caller waits, or a callback is what the call is for.
    pub(crate) fn waits(&self, wait: Wait) {
        self.now.lock().wait = wait;
    }

    /// How the caller waited last.
    pub(crate) fn wait(&self) -> Wait {
        self.now.lock().wait.clone()
    }

    /// What the script showed the operator who was rung last.
    pub(crate) fn shown(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.now.lock().fields.clone()
    }

    /// The caller has chosen another language.
    pub(crate) fn lang(&self, lang: &LanguageTag) {
        let mut now = self.now.lock();
        if now.lang != *lang {
            now.lang = Arc::clone(lang);
        }
    }

    /// One line of the trace.
    pub(crate) fn line(&self, at: Timestamp, kind: TraceKind, text: impl Into<String>) {
        self.write(&mut self.now.lock(), at, kind, text.into(), None, None);
    }

    /// One line with how long it took and how it went.
    pub(crate) fn outcome(
        &self,
        at: Timestamp,
        kind: TraceKind,
        text: impl Into<String>,
        took: std::time::Duration,
        outcome: &'static str,
    ) {
        let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.write(&mut self.now.lock(), at, kind, text.into(), Some(took_ms), Some(outcome));
    }

    fn write(
        &self,
        now: &mut Now,
        at: Timestamp,
        kind: TraceKind,
        text: String,
        took_ms: Option<u32>,
        outcome: Option<&'static str>,
    ) {
        if now.over {
            return;
        }
        let room = self.shared.bytes.load(Relaxed) < LIVE_BYTES_MAX;
        let at_ms = u32::try_from(at.since(self.since).as_millis()).unwrap_or(u32::MAX);
        let lines_max = if room { self.shared.lines_max } else { 0 };
        let part = u8::try_from(now.agencies.len().saturating_sub(1)).unwrap_or(u8::MAX);
        let bytes = now.trace.push(lines_max, (at_ms, part), kind, text, took_ms, outcome);
        self.shared.bytes.fetch_add(bytes, Relaxed);
    }

    fn tell(&self) {
        if self.shared.events.receiver_count() > 0 {
            let _ = self.shared.events.send(Event::Call(self.seen()));
        }
    }

    /// As admins see it.
    pub(crate) fn seen(&self) -> ports::LiveCall {
        let now = self.now.lock();
        let version = now.version.as_ref();
        ports::LiveCall {
            id: self.id.to_string(),
            agency: now.agency().map(ToString::to_string).unwrap_or_default(),
            entry: now.entry.as_str().to_owned(),
            script: version.map(|version| version.script.as_str().to_owned()).unwrap_or_default(),
            version: version.map(|version| crate::hex::hex(&version.bundle_sha256)).unwrap_or_default(),
            label: version.map(|version| version.version.to_string()).unwrap_or_default(),
            caller: self.caller.clone(),
            called: self.called.clone(),
            since_ms: self.since.as_millis(),
            step: now.step.clone(),
            state: now.state.as_str().to_owned(),
            lang: now.lang.to_string(),
        }
    }

    fn trace(&self, live: bool) -> ports::Trace {
        let now = self.now.lock();
        ports::Trace {
            id: self.id.to_string(),
            live,
            agency: now.agency().map(ToString::to_string).unwrap_or_default(),
            entry: now.entry.as_str().to_owned(),
            versions: now.versions.iter().map(|version| crate::hex::hex(&version.bundle_sha256)).collect(),
            began_ms: self.since.as_millis(),
            lines: now.trace.lines(&now.agencies),
            dropped: now.trace.dropped(),
        }
    }
}

#[cfg(test)]
mod tests;
