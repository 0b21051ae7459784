//! One call's run of its script: from the instance to the end and its reason.

use crate::bindings::campaign::Disposition as WitDisposition;
use crate::bindings::exports::gudok::ivr::script::{ResultCode, Summary as WitSummary};
use crate::control::{Control, Metered};
use crate::convert;
use crate::fault::{ScriptFault, cause_of, fault_of};
use crate::host_call::cut_off;
use crate::interface::Call;
use crate::journal::{Journal, JournalEnd, Recorder, Start, Wants};
use crate::metering::{self, Metering, StepUse};
use crate::ports::{BoxFuture, CallInfo, CallPort, Clock, Ports};
use crate::state::{CallState, Personal, Slots, Stop, Usage};
use crate::version::{Entrance, Version};
use gudok_core::campaign::{CampaignContact, Disposition};
use gudok_core::script::{CallError, EndReason, LandingCause, ScriptEnd, Summary};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::Resource;
use wasmtime::{AsContextMut, Store, UpdateDeadline};

/// What a run begins with.
#[derive(Clone)]
pub struct CallStart {
    /// What the script is told of the call.
    pub info: CallInfo,
    /// Of a campaign: whom it has reached. Only a campaign's script is told, and it is not run without.
    pub contact: Option<CampaignContact>,
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
    /// CPU; where fuel is counted, what that stands for.
    pub cpu_us: u64,
    /// What it executed, where fuel is counted.
    pub fuel: Option<u64>,
    /// The same by the steps that it named, in order of appearance.
    pub steps: Vec<StepUse>,
    /// Linear memory; it never shrinks, so this is the most there was.
    pub memory_bytes_max: usize,
    /// Host calls.
    pub host_calls: u32,
    /// Lines to the author's log that were over the allowance.
    pub log_lines_dropped: u32,
}

/// Reaches into a run from outside.
#[derive(Clone, Debug)]
pub struct RunControl(pub(crate) Arc<Control>);

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

async fn drive(version: Arc<Version>, mut start: CallStart, control: Arc<Control>) -> RunReport {
    let ports = Arc::clone(&start.ports);
    let contact = start.contact.take();
    let limit =
        WallLimit { name: "wall_s_per_call", value: version.limits.wall_s_per_call, time: version.limits.wall() };
    let mut store = store(&version, start, contact.as_ref(), &control);
    let work = execute(&version, &mut store, contact.as_ref());
    let work = Metered { inner: Box::pin(work), control: Arc::clone(&control), metering: version.engine.metering };
    let result = supervise(work, &version, &control, &*ports.clock, limit).await;
    let usage = store.data().usage;
    let (end, fault) = match result {
        Ok(returned) => (end_of(returned, store.data()), None),
        Err(error) => {
            let cause = cause_of(&error);
            cut_off(store.data_mut(), "stopped");
            (ScriptEnd::Stopped(cause), Some(fault_of(&error, cause, store.data())))
        }
    };
    store.data_mut().hand_journal_over(JournalEnd::of(&end));
    let cpu = metering::end(store.as_context_mut(), &control);
    RunReport {
        end,
        fault,
        cpu_us: cpu.cpu_us,
        fuel: cpu.fuel,
        steps: cpu.steps,
        memory_bytes_max: usage.memory_bytes,
        host_calls: usage.host_calls,
        log_lines_dropped: usage.log_lines_dropped,
    }
}

/// An instance's store, before there is an instance.
pub(crate) fn store(
    version: &Arc<Version>,
    start: CallStart,
    contact: Option<&CampaignContact>,
    control: &Arc<Control>,
) -> Store<CallState> {
    let limits = version.limits;
    let wants = start.journal.as_ref().map(|journal| journal.wants());
    let recorder = match wants {
        Some(Wants::Whole { bytes_max }) => Some(recorder(version, &start, contact, bytes_max)),
        Some(Wants::Entries) | None => None,
    };
    let state = CallState {
        version: Arc::clone(version),
        lang: Arc::clone(&start.info.lang),
        info: start.info,
        call: start.call,
        ports: start.ports,
        entries: start.journal.clone().filter(|_| wants == Some(Wants::Entries)),
        keeper: start.journal.filter(|_| recorder.is_some()),
        recorder,
        replay: None,
        control: Arc::clone(control),
        usage: Usage::default(),
        step: String::new(),
        waits_in: None,
        buckets: Slots::default(),
        secrets: Slots::default(),
        fetches: Slots::default(),
        known_secrets: Vec::new(),
        personal: contact.map(Personal::of).unwrap_or_default(),
        preparing: false,
        meter: None,
    };
    let mut store = Store::new(&version.engine.engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.host_call_bytes());
    store.set_max_component_handles(limits.handles_max as usize);
    if version.engine.metering == Metering::Fuel {
        metering::begin(&mut store.as_context_mut());
        return store;
    }
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

/// Begins a journal with what the script is told.
fn recorder(
    version: &Version,
    start: &CallStart,
    contact: Option<&CampaignContact>,
    bytes_max: usize,
) -> Box<Recorder> {
    let owned = |(name, value): &(Arc<str>, Arc<str>)| (name.to_string(), value.to_string());
    let told = |contact: &CampaignContact| {
        let fields = contact.fields.iter().map(owned).collect();
        (contact.id.to_string(), contact.number.reveal().to_owned(), contact.attempt, fields)
    };
    let told = Start { info: convert::call_info(&start.info, &version.id.version), contact: contact.map(told) };
    Box::new(Recorder::new(&told, start.ports.clock.now(), bytes_max))
}

/// Called at every tick of the epoch that the script is running in.
fn check_cpu(state: &CallState) -> wasmtime::Result<()> {
    const NS_PER_MS: u64 = 1_000_000;
    let (used_ns, step_ns) = state.control.cpu_now_ns();
    let limits = state.limits();
    let over = |what: &str, max: u32| Err(Stop::error(LandingCause::Cpu, metering::over(what, max)));
    if step_ns > u64::from(limits.cpu_ms_per_step) * NS_PER_MS {
        return over("cpu_ms_per_step", limits.cpu_ms_per_step);
    }
    if used_ns > u64::from(limits.cpu_ms_per_call) * NS_PER_MS {
        return over("cpu_ms_per_call", limits.cpu_ms_per_call);
    }
    Ok(())
}

/// What a script returned of itself.
pub(crate) enum Returned {
    Summary(Result<WitSummary, CallError>),
    Disposition(Result<WitDisposition, CallError>),
}

pub(crate) async fn execute(
    version: &Version,
    store: &mut Store<CallState>,
    contact: Option<&CampaignContact>,
) -> wasmtime::Result<Returned> {
    let call = Resource::<Call>::new_own(0);
    match (&version.entrance, contact) {
        (Entrance::Service(service), None) => {
            let script = service.instantiate_async(&mut *store).await?;
            let summary = script.gudok_ivr_script().call_run(&mut *store, call).await?;
            Ok(Returned::Summary(summary.map_err(CallError::from)))
        }
        (Entrance::Campaign(campaign), Some(contact)) => {
            let script = campaign.instantiate_async(&mut *store).await?;
            let contact = convert::contact(contact);
            let disposition = script.gudok_ivr_campaign().call_run(&mut *store, call, &contact).await?;
            Ok(Returned::Disposition(disposition.map_err(CallError::from)))
        }
        (Entrance::Campaign(_), None) => {
            Err(Stop::error(LandingCause::Refused, "a campaign takes no calls from outside".into()))
        }
        (Entrance::Service(_), Some(_)) => {
            Err(Stop::error(LandingCause::Refused, "it is no campaign's script, and is told of no contact".into()))
        }
    }
}

pub(crate) fn end_of(returned: Returned, state: &CallState) -> ScriptEnd {
    match returned {
        Returned::Summary(Ok(summary)) => ScriptEnd::Returned(core_summary(&summary, state)),
        Returned::Disposition(Ok(disposition)) => match core_disposition(disposition, state) {
            Ok(disposition) => ScriptEnd::Informed(disposition),
            Err(error) => ScriptEnd::Failed(error),
        },
        Returned::Summary(Err(error)) | Returned::Disposition(Err(error)) => ScriptEnd::Failed(own_words(error, state)),
    }
}

/// How long a script may take in all, and what the limit is called.
#[derive(Clone, Copy)]
pub(crate) struct WallLimit {
    pub(crate) name: &'static str,
    pub(crate) value: u32,
    pub(crate) time: Duration,
}

/// Lets the script work until it is done, its time or its grace is up, or somebody stops it.
pub(crate) async fn supervise<T, F: Future<Output = wasmtime::Result<T>>>(
    mut work: Metered<F>,
    version: &Version,
    control: &Control,
    clock: &dyn Clock,
    limit: WallLimit,
) -> wasmtime::Result<T> {
    // Most scripts of a test bench are done at the first look, and need no timer.
    if let std::task::Poll::Ready(result) = futures_poll_once(&mut work).await {
        return result;
    }
    let mut wall = clock.sleep(limit.time);
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
            () = &mut wall => return stop(format!("it took longer than {} = {}", limit.name, limit.value)),
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

/// What a campaign's script says of its contact. Its own words are kept with the results, where no number belongs.
fn core_disposition(disposition: WitDisposition, state: &CallState) -> Result<Disposition, CallError> {
    Ok(match disposition {
        WitDisposition::Delivered => Disposition::Delivered,
        WitDisposition::Confirmed(words) => Disposition::Confirmed(short_words(&words, state)),
        WitDisposition::Declined => Disposition::Declined,
        WitDisposition::Voicemail => Disposition::Voicemail,
        WitDisposition::WrongPerson => Disposition::WrongPerson,
        WitDisposition::RetryAt(at) => Disposition::RetryAt(convert::timestamp(at)?),
        WitDisposition::DoNotCall => Disposition::DoNotCall,
        WitDisposition::Failed(words) => Disposition::Failed(short_words(&words, state)),
    })
}

/// Words of a campaign's script as they are kept.
pub(crate) fn short_words(words: &str, state: &CallState) -> Arc<str> {
    state.scrub(words).chars().take(OWN_WORDS_CHARS_MAX).collect::<String>().into()
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
