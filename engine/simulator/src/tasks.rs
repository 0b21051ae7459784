//! Scripts at work, all on one thread: polled when they were woken, in a fixed order.

use crate::report::{BundleRun, NamedStep, SimHostCall, SimRequest};
use gudok_core::call::ScriptRun;
use gudok_core::campaign::{AttemptId, Plan, PrepareFailure};
use gudok_core::ids::{Agency, CallId, ScriptVersion};
use gudok_core::script::{CallError, Reply, Request, ScriptEnd};
use gudok_plugin_host::RunControl;
use gudok_plugin_host::ports::{BoxFuture, CallPort, LogLevel, ScriptSink, Source};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use tokio::runtime::{Builder, Runtime};

/// Which script of which call.
pub(crate) type TaskId = (usize, ScriptRun);

/// What scripts and their ports leave for the world to see.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Whose script is at work.
    pub(crate) current: Option<(CallId, ScriptRun)>,
    /// In which call, counted from 0 as they came.
    pub(crate) number_of_current: usize,
    pub(crate) requests: VecDeque<PortRequest>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) log: Vec<String>,
    /// Steps that scripts named.
    pub(crate) named: Vec<NamedStep>,
    /// The last of them.
    pub(crate) step: Option<Arc<str>>,
    /// Requests to back ends.
    pub(crate) asked_back_ends: Vec<SimRequest>,
    /// Host calls, where they are kept.
    pub(crate) host_calls: Vec<SimHostCall>,
    pub(crate) keeps_host_calls: bool,
    /// A port was told that its caller leaves.
    pub(crate) leaves: bool,
    pub(crate) runs: Vec<BundleRun>,
    /// What campaigns' scripts said before dialling.
    pub(crate) plans: Vec<(AttemptId, Result<Plan, PrepareFailure>)>,
}

/// For the checkers.
#[derive(Debug)]
pub(crate) enum Seen {
    Touched { by: (CallId, ScriptRun), owner: Agency, what: String },
    Worked { by: (CallId, ScriptRun), version: ScriptVersion },
}

pub(crate) type SharedDesk = Arc<Mutex<Desk>>;

impl Desk {
    pub(crate) fn touches(&mut self, owner: &Agency, what: &str) {
        if let Some(by) = self.current {
            self.seen.push(Seen::Touched { by, owner: owner.clone(), what: what.into() });
        }
    }
}

/// A request that waits for the machine.
#[derive(Debug)]
pub(crate) struct PortRequest {
    pub(crate) task: TaskId,
    pub(crate) request: Request,
    pub(crate) slot: Arc<Slot>,
}

/// Where the answer goes.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    result: Option<Result<Reply, CallError>>,
    waiting: Option<Waker>,
}

impl Slot {
    /// What was asked for and is not there, where that is the answer.
    pub(crate) fn not_found(&self) -> Option<String> {
        match &self.0.lock().result {
            Some(Err(CallError::NotFound(what))) => Some(what.clone()),
            _ => None,
        }
    }

    pub(crate) fn answer(&self, result: Result<Reply, CallError>) {
        let waker = {
            let mut slot = self.0.lock();
            slot.result = Some(result);
            slot.waiting.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Answer(Arc<Slot>);

impl Future for Answer {
    type Output = Result<Reply, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.0.lock();
        match slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                slot.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A script's way to its call.
#[derive(Debug)]
pub(crate) struct SimPort {
    pub(crate) task: TaskId,
    pub(crate) desk: SharedDesk,
}

impl CallPort for SimPort {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        let slot = Arc::new(Slot::default());
        self.desk.lock().requests.push_back(PortRequest { task: self.task, request, slot: Arc::clone(&slot) });
        Box::pin(Answer(slot))
    }
}

/// What scripts tell their authors goes to the report; which version is at work, to the checkers.
#[derive(Debug)]
pub(crate) struct DeskSink(pub(crate) SharedDesk);

impl DeskSink {
    fn works(&self, source: Source<'_>) {
        let mut desk = self.0.lock();
        if let Some((call, run)) = desk.current.filter(|(call, _)| *call == source.call) {
            desk.seen.push(Seen::Worked { by: (call, run), version: source.version.clone() });
        }
    }
}

impl ScriptSink for DeskSink {
    fn log(&self, source: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        self.works(source);
        let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        self.0.lock().log.push(format!("{level:?} {} {message}{fields}", source.version.script));
    }

    fn step(&self, source: Source<'_>, name: &str) {
        self.works(source);
        let mut desk = self.0.lock();
        let call = desk.number_of_current;
        let name: Arc<str> = Arc::from(name);
        desk.step = Some(Arc::clone(&name));
        desk.log.push(format!("Step {} {name}", source.version.script));
        desk.named.push(NamedStep { call, name });
    }

    fn host_call(&self, source: Source<'_>, function: &str, outcome: &'static str, _: std::time::Duration) {
        self.works(source);
        let mut desk = self.0.lock();
        if desk.keeps_host_calls || !matches!(outcome, "ok" | "ended") {
            let (call, step) = (desk.number_of_current, desk.step.clone());
            desk.host_calls.push(SimHostCall { call, step, function: Arc::from(function), outcome });
        }
    }
}

/// What a script host needs beside its scripts. Without it a compiled script's `fetch` answers with a fault of the host;
/// nothing else misses it.
pub(crate) fn beside() -> Option<Arc<Runtime>> {
    Builder::new_current_thread().build().ok().map(Arc::new)
}

/// All scripts at work.
pub(crate) struct Tasks {
    scripts: BTreeMap<TaskId, Task>,
    /// What the script host starts beside a script, such as HTTP on its way. Driven by hand, and without clock or sockets.
    beside: Option<Arc<Runtime>>,
}

struct Task {
    future: BoxFuture<'static, ScriptEnd>,
    control: Option<RunControl>,
    woken: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Tasks {
    pub(crate) const fn new(beside: Option<Arc<Runtime>>) -> Self {
        Self { scripts: BTreeMap::new(), beside }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// Lets what runs beside the scripts get as far as it can.
    pub(crate) fn work_beside(&self) {
        /// Rounds through all that is ready: each may make something else ready.
        const ROUNDS: u32 = 4;
        if let Some(beside) = self.beside.as_ref().filter(|beside| beside.metrics().num_alive_tasks() > 0) {
            beside.block_on(async {
                for _ in 0..ROUNDS {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    pub(crate) fn start(&mut self, id: TaskId, future: BoxFuture<'static, ScriptEnd>, control: Option<RunControl>) {
        self.scripts.insert(id, Task { future, control, woken: Arc::new(Flag(AtomicBool::new(true))) });
    }

    /// The first that was woken.
    pub(crate) fn ready(&self) -> Option<TaskId> {
        self.scripts.iter().find(|(_, task)| task.woken.0.load(SeqCst)).map(|(id, _)| *id)
    }

    /// Lets it work; its end, if that came.
    pub(crate) fn poll(&mut self, id: TaskId) -> Option<ScriptEnd> {
        let _entered = self.beside.as_deref().map(Runtime::enter);
        let task = self.scripts.get_mut(&id)?;
        task.woken.0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&task.woken));
        match task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(end) => {
                self.scripts.remove(&id);
                Some(end)
            }
            Poll::Pending => None,
        }
    }

    pub(crate) fn control(&self, id: TaskId) -> Option<&RunControl> {
        self.scripts.get(&id)?.control.as_ref()
    }

    /// Stops it: a future that is dropped works no more.
    pub(crate) fn stop(&mut self, id: TaskId) {
        self.scripts.remove(&id);
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.scripts.keys()).finish()
    }
}
