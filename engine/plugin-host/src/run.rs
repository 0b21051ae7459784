//! One call's run of its script: from the instance to the end and its reason.

use crate::bindings::exports::gudok::ivr::script::{ResultCode, Summary as WitSummary};
use crate::control::{Control, Metered};
use crate::fault::{ScriptFault, cause_of, fault_of};
use crate::host_call::cut_off;
use crate::interface::Call;
use crate::journal::Journal;
use crate::ports::{BoxFuture, CallInfo, CallPort, Clock, Ports};
use crate::state::{CallState, Slots, Stop, Usage};
use crate::version::Version;
use gudok_core::script::{CallError, EndReason, LandingCause, ScriptEnd, Summary};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime::{Store, UpdateDeadline};

/// What a run begins with.
#[derive(Clone)]
pub struct CallStart {
    /// What the script is told of the call.
    pub info: CallInfo,
    /// The call's machine.
    pub call: Arc<dyn CallPort>,
    /// Everything else.
    pub ports: Arc<Ports>,
    /// Where its host calls are written down.
    pub journal: Option<Arc<dyn Journal>>,
}

impl fmt::Debug for CallStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStart").field("info", &self.info).finish_non_exhaustive()
    }
}

/// How a run ended, and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunReport {
    /// For the call's machine.
    pub end: ScriptEnd,
    /// For the author, where the host stopped the script.
    pub fault: Option<ScriptFault>,
    /// CPU.
    pub cpu_us: u64,
    /// Linear memory; it never shrinks, so this is the most there was.
    pub memory_bytes_max: usize,
    /// Host calls.
    pub host_calls: u32,
    /// Lines to the author's log that were over the allowance.
    pub log_lines_dropped: u32,
}

/// Reaches into a run from outside.
#[derive(Clone, Debug)]
pub struct RunControl(Arc<Control>);

impl RunControl {
    /// The call is over for the script: its grace begins. The first reason stays.
    pub fn end(&self, reason: EndReason) {
        self.0.end(reason);
    }

    /// Stops the script at once, at its next look at the clock or in the middle of a host call.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// Prepares a run. Nothing happens until the future is polled; it may be polled anywhere, so that the simulator drives it
/// on a thread of its own. Dropping it stops the script.
pub fn run(version: Arc<Version>, start: CallStart) -> (RunControl, impl Future<Output = RunReport> + Send + 'static) {
    let control = Arc::new(Control::default());
    (RunControl(Arc::clone(&control)), drive(version, start, control))
}

async fn drive(version: Arc<Version>, start: CallStart, control: Arc<Control>) -> RunReport {
    let ports = Arc::clone(&start.ports);
    let mut store = store(&version, start, &control);
    let work = Metered { inner: Box::pin(execute(&version, &mut store)), control: Arc::clone(&control) };
    let result = supervise(work, &version, &control, &*ports.clock).await;
    let usage = store.data().usage;
    let (end, fault) = match result {
        Ok(Ok(summary)) => (ScriptEnd::Returned(core_summary(&summary, store.data())), None),
        Ok(Err(error)) => (ScriptEnd::Failed(own_words(error, store.data())), None),
        Err(error) => {
            let cause = cause_of(&error);
            cut_off(store.data_mut(), "stopped");
            (ScriptEnd::Stopped(cause), Some(fault_of(&error, cause, store.data())))
        }
    };
    RunReport {
        end,
        fault,
        cpu_us: control.cpu_used_ns() / 1_000,
        memory_bytes_max: usage.memory_bytes,
        host_calls: usage.host_calls,
        log_lines_dropped: usage.log_lines_dropped,
    }
}

fn store(version: &Arc<Version>, start: CallStart, control: &Arc<Control>) -> Store<CallState> {
    let limits = version.limits;
    let state = CallState {
        version: Arc::clone(version),
        lang: Arc::clone(&start.info.lang),
        info: start.info,
        call: start.call,
        ports: start.ports,
        journal: start.journal,
        control: Arc::clone(control),
        usage: Usage::default(),
        step: String::new(),
        waits_in: None,
        buckets: Slots::default(),
        secrets: Slots::default(),
        fetches: Slots::default(),
        known_secrets: Vec::new(),
    };
    let mut store = Store::new(&version.engine.engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.host_call_bytes());
    store.set_max_component_handles(limits.handles_max as usize);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        let state = context.data();
        check_cpu(state)?;
        // Let the others on this thread have their turn. Not by tokio's own yield: that one puts the script where it is
        // taken first again, before everybody who waits.
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Called at every tick of the epoch that the script is running in.
fn check_cpu(state: &CallState) -> wasmtime::Result<()> {
    const NS_PER_MS: u64 = 1_000_000;
    let (used_ns, step_ns) = state.control.cpu_now_ns();
    let limits = state.limits();
    let over = |what: &str, max: u32| {
        let message = format!("it used more CPU than {what} = {max} allows; an endless loop?");
        Err(Stop::error(LandingCause::Cpu, message))
    };
    if step_ns > u64::from(limits.cpu_ms_per_step) * NS_PER_MS {
        return over("cpu_ms_per_step", limits.cpu_ms_per_step);
    }
    if used_ns > u64::from(limits.cpu_ms_per_call) * NS_PER_MS {
        return over("cpu_ms_per_call", limits.cpu_ms_per_call);
    }
    Ok(())
}

type Ran = wasmtime::Result<Result<WitSummary, CallError>>;

async fn execute(version: &Version, store: &mut Store<CallState>) -> Ran {
    let refused = || Stop::error(LandingCause::Refused, "a campaign takes no calls from outside".into());
    let service = version.service.as_ref().ok_or_else(refused)?;
    let script = service.instantiate_async(&mut *store).await?;
    let summary = script.gudok_ivr_script().call_run(&mut *store, Resource::<Call>::new_own(0)).await?;
    Ok(summary.map_err(CallError::from))
}

/// Lets the script work until it is done, its time or its grace is up, or somebody stops it.
async fn supervise<F: Future<Output = Ran>>(
    mut work: Metered<F>,
    version: &Version,
    control: &Control,
    clock: &dyn Clock,
) -> Ran {
    // Most scripts of a test bench are done at the first look, and need no timer.
    if let std::task::Poll::Ready(result) = futures_poll_once(&mut work).await {
        return result;
    }
    let mut wall = clock.sleep(version.limits.wall());
    let mut grace: Option<BoxFuture<'static, ()>> = None;
    loop {
        let stop = |message: String| Err(Stop::error(LandingCause::Timeout, message));
        let grace_over = async {
            match &mut grace {
                Some(grace) => grace.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = control.changed() => {}
            result = std::pin::Pin::new(&mut work) => return result,
            () = grace_over => {
                return stop(format!("it went on for more than {} ms after the end of its call", version.grace.as_millis()));
            }
            () = &mut wall => return stop(format!("it took longer than wall_s_per_call = {}", version.limits.wall_s_per_call)),
        }
        if control.is_stopped() {
            return stop("it was stopped from outside".into());
        }
        if control.ended().is_some() && grace.is_none() {
            grace = Some(clock.sleep(version.grace));
        }
    }
}

async fn futures_poll_once<F: Future + Unpin>(work: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *work).poll(cx))).await
}

/// Of one text that a script says of itself at its end.
const OWN_WORDS_CHARS_MAX: usize = 256;

/// An error as the script returned it: its texts are its own, and go into logs.
fn own_words(error: CallError, state: &CallState) -> CallError {
    let clean = |text: String| state.scrub(&text).chars().take(OWN_WORDS_CHARS_MAX).collect();
    match error {
        CallError::Denied(text) => CallError::Denied(clean(text)),
        CallError::Quota(text) => CallError::Quota(clean(text)),
        CallError::Invalid(text) => CallError::Invalid(clean(text)),
        CallError::NotFound(text) => CallError::NotFound(clean(text)),
        CallError::BusyResource(text) => CallError::BusyResource(clean(text)),
        CallError::Unavailable(text) => CallError::Unavailable(clean(text)),
        CallError::Internal(text) => CallError::Internal(clean(text)),
        whole @ (CallError::Ended(_) | CallError::Timeout) => whole,
    }
}

fn core_summary(summary: &WitSummary, state: &CallState) -> Summary {
    // What a script says of itself goes into a record that is kept: not more than fits there.
    const FIELDS_MAX: usize = 64;
    let short = |text: &str| -> Arc<str> {
        state.without_secrets(text).chars().take(OWN_WORDS_CHARS_MAX).collect::<String>().into()
    };
    Summary {
        code: match &summary.code {
            ResultCode::Served => "served".into(),
            ResultCode::Transferred => "transferred".into(),
            ResultCode::Queued => "queued".into(),
            ResultCode::CallbackBooked => "callback-booked".into(),
            ResultCode::Abandoned => "abandoned".into(),
            ResultCode::NoService => "no-service".into(),
            ResultCode::Custom(text) => short(text),
        },
        fields: summary.fields.iter().take(FIELDS_MAX).map(|field| (short(&field.name), short(&field.value))).collect(),
    }
}
