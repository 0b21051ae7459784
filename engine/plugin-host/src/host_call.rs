//! The one place that every host call passes: quota, CPU step, wall clock, trace, metrics and journal.
//!
//! What is not granted never gets here: it is not linked. Parameters are checked in [`crate::gate`].

use crate::bindings::{storage, types};
use crate::journal::{Answered, Codec, Codecs, JournalEntry, Recorded, is_sensitive, redact, withhold};
use crate::metering;
use crate::ports::{BoxFuture, Clock};
use crate::replay;
use crate::state::{CallState, Stop};
use gudok_core::script::LandingCause;
use serde_json::Value;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower, ResourceType};

/// For whom a host call waits: how long it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WaitsFor {
    /// The host itself: `host_call_ms_max`.
    Host,
    /// A person, who takes time: only the call's own wall clock.
    Person,
    /// A back end: `http_ms_max`, and `host_call_ms_max` on top for the host.
    BackEnd,
}

/// A result that a host function gives.
pub(crate) trait Answer: Recorded + Send + 'static {
    type Lowered: ComponentNamedList + Lower + Send + 'static;
    fn lowered(self) -> Self::Lowered;
    /// Why there is none, if there is none.
    fn error(&self) -> Option<&types::CallError> {
        None
    }
}

impl Answer for () {
    type Lowered = ();
    fn lowered(self) {}
}

macro_rules! plain_answers {
    ($($type:ty),* $(,)?) => {
        $(impl Answer for $type {
            type Lowered = (Self,);
            fn lowered(self) -> (Self,) {
                (self,)
            }
        })*
    };
}
plain_answers!(
    bool,
    u64,
    Option<String>,
    Option<Vec<u8>>,
    Option<types::EndReason>,
    types::Datetime,
    crate::bindings::telephony::CallInfo,
    wasmtime::component::Resource<crate::interface::Collector>,
);

impl<T> Answer for Result<T, types::CallError>
where
    T: Recorded + wasmtime::component::ComponentType + Lower + Send + 'static,
{
    type Lowered = (Self,);
    fn lowered(self) -> (Self,) {
        (self,)
    }
    fn error(&self) -> Option<&types::CallError> {
        self.as_ref().err()
    }
}

impl Answer for Result<u64, storage::CasError> {
    type Lowered = (Self,);
    fn lowered(self) -> (Self,) {
        (self,)
    }
    fn error(&self) -> Option<&types::CallError> {
        match self {
            Err(storage::CasError::Failed(error)) => Some(error),
            Ok(_) | Err(storage::CasError::Conflict(_)) => None,
        }
    }
}

/// One interface being linked.
pub(crate) struct Room<'a> {
    pub(crate) interface: &'static str,
    pub(crate) instance: LinkerInstance<'a, CallState>,
    /// How the host calls of this room's functions are read again.
    pub(crate) codecs: &'a mut Codecs,
}

impl Room<'_> {
    /// Binds a function that may wait.
    pub(crate) fn waits<P, R, F>(&mut self, name: &str, waits_for: WaitsFor, body: F) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + Recorded + Send + 'static,
        R: Answer,
        F: for<'a> Fn(&'a mut CallState, P) -> BoxFuture<'a, R> + Copy + Send + Sync + 'static,
    {
        let function = self.function_name::<P, R>(name);
        self.instance.func_wrap_async(name, move |mut store: StoreContextMut<'_, CallState>, params: P| {
            let function = Arc::clone(&function);
            Box::new(async move {
                let entered = enter(store.data_mut(), &function, &params)?;
                if store.data().replay.is_some() {
                    let answer = replay::waits(store.data_mut(), &function, params, body).await?;
                    leave(&mut store, &function, entered, &answer);
                    return Ok(answer.lowered());
                }
                store.data_mut().waits_in = Some((Arc::clone(&function), entered.began));
                let wait_max = wait_max(store.data(), waits_for);
                let ports = Arc::clone(&store.data().ports);
                let answer = bounded(body(store.data_mut(), params), &*ports.clock, wait_max, &function).await;
                let answer = answer.inspect_err(|_| cut_off(store.data_mut(), "timeout"))?;
                leave(&mut store, &function, entered, &answer);
                Ok(answer.lowered())
            })
        })
    }

    /// Binds a function that answers at once.
    pub(crate) fn answers<P, R, F>(&mut self, name: &str, body: F) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + Recorded + 'static,
        R: Answer,
        F: Fn(&mut CallState, P) -> R + Send + Sync + 'static,
    {
        let function = self.function_name::<P, R>(name);
        self.instance.func_wrap(name, move |mut store: StoreContextMut<'_, CallState>, params: P| {
            let entered = enter(store.data_mut(), &function, &params)?;
            let answer = match store.data().replay.is_some() {
                true => replay::answers(store.data_mut(), &function, params, &body)?,
                false => body(store.data_mut(), params),
            };
            leave(&mut store, &function, entered, &answer);
            Ok(answer.lowered())
        })
    }

    /// Declares a resource, and what the host does when the script lets go of one.
    pub(crate) fn drops<T: 'static, F>(&mut self, name: &str, body: F) -> wasmtime::Result<()>
    where
        F: for<'a> Fn(&'a mut CallState, u32) -> BoxFuture<'a, ()> + Copy + Send + Sync + 'static,
    {
        let function = self.function_name::<(u32,), ()>(&format!("{name}.drop"));
        self.instance.resource_async(name, ResourceType::host::<T>(), move |mut store, handle| {
            let function = Arc::clone(&function);
            Box::new(async move {
                let entered = enter(store.data_mut(), &function, &(handle,))?;
                if store.data().replay.is_some() {
                    let done = replay::waits(store.data_mut(), &function, (handle,), move |state, (handle,)| {
                        body(state, handle)
                    });
                    done.await?;
                    leave(&mut store, &function, entered, &());
                    return Ok(());
                }
                store.data_mut().waits_in = Some((Arc::clone(&function), entered.began));
                let wait_max = wait_max(store.data(), WaitsFor::Host);
                let ports = Arc::clone(&store.data().ports);
                let done = bounded(body(store.data_mut(), handle), &*ports.clock, wait_max, &function).await;
                done.inspect_err(|_| cut_off(store.data_mut(), "timeout"))?;
                leave(&mut store, &function, entered, &());
                Ok(())
            })
        })
    }

    /// As the WIT has it: "telephony.call.say". From now on its host calls can be read again.
    fn function_name<P: Recorded, R: Recorded>(&mut self, name: &str) -> Arc<str> {
        let name = name.trim_start_matches("[method]").trim_start_matches("[static]");
        let function: Arc<str> = format!("{}.{name}", self.interface).into();
        self.codecs.insert(Arc::clone(&function), Codec::of::<P, R>());
        function
    }
}

/// Its answer stands in the bundle, as it was packed.
const DATA_OF_THE_BUNDLE: &str = "host.data";

/// A host call on its way.
struct Entered {
    began: Instant,
    /// Only where somebody wants each entry.
    args: Option<Value>,
}

fn enter(state: &mut CallState, function: &Arc<str>, params: &impl Recorded) -> wasmtime::Result<Entered> {
    state.usage.host_calls += 1;
    let max = state.limits().host_calls_max;
    if state.usage.host_calls > max {
        return Err(Stop::error(LandingCause::Quota, format!("it made more than host_calls_max = {max} host calls")));
    }
    if let Some(recorder) = &mut state.recorder {
        recorder.asked(function, params);
    }
    Ok(Entered { began: Instant::now(), args: state.entries.is_some().then(|| params.to_json()) })
}

fn leave(store: &mut StoreContextMut<'_, CallState>, function: &Arc<str>, entered: Entered, answer: &impl Answer) {
    let state = store.data_mut();
    state.waits_in = None;
    let outcome = outcome_name(answer.error());
    if let Some(types::CallError::Ended(reason)) = answer.error() {
        state.control.end(crate::convert::end_reason_to_core(*reason));
    }
    let took = entered.began.elapsed();
    state.ports.sink.host_call(state.source(), function, outcome, took);
    tracing::trace!(target: "gudok::host_call", call = %state.info.id, %function, outcome, took_us = took.as_micros(), "host call");
    if state.recorder.is_some() {
        let at = state.ports.clock.now();
        // A file of the bundle is not written down with every call: the journal knows which bundle it was.
        let how = if &**function == DATA_OF_THE_BUNDLE { Answered::ByBundle } else { Answered::Kept };
        state.recorder.iter_mut().for_each(|recorder| recorder.answered(how, answer, at));
    }
    if let (Some(journal), Some(mut args)) = (&state.entries, entered.args) {
        let sensitive = is_sensitive(&args);
        let mut result = answer.to_json();
        let scrub = |text: &str| state.scrub(text);
        withhold(&mut args);
        redact(&mut args, sensitive, &scrub);
        redact(&mut result, sensitive, &scrub);
        let at = state.ports.clock.now();
        journal.record(JournalEntry { call: state.info.id, seq: state.usage.host_calls, at, function, args, result });
    }
    metering::begin_step(store);
}

/// The script is over, and is in the middle of a host call: that is told like one that was answered.
pub(crate) fn cut_off(state: &mut CallState, outcome: &'static str) {
    let Some((function, began)) = state.waits_in.take() else { return };
    let took = began.elapsed();
    state.ports.sink.host_call(state.source(), &function, outcome, took);
    tracing::trace!(target: "gudok::host_call", call = %state.info.id, %function, outcome, took_us = took.as_micros(), "host call");
}

pub(crate) const fn outcome_name(error: Option<&types::CallError>) -> &'static str {
    match error {
        None => "ok",
        Some(types::CallError::Ended(_)) => "ended",
        Some(types::CallError::Denied(_)) => "denied",
        Some(types::CallError::Quota(_)) => "quota",
        Some(types::CallError::Invalid(_)) => "invalid",
        Some(types::CallError::NotFound(_)) => "not-found",
        Some(types::CallError::BusyResource(_)) => "busy-resource",
        Some(types::CallError::Timeout) => "timeout",
        Some(types::CallError::Unavailable(_)) => "unavailable",
        Some(types::CallError::Internal(_)) => "internal",
    }
}

fn wait_max(state: &CallState, waits_for: WaitsFor) -> Option<Duration> {
    let host = Duration::from_millis(state.limits().host_call_ms_max.into());
    match waits_for {
        WaitsFor::Host => Some(host),
        WaitsFor::Person => None,
        WaitsFor::BackEnd => Some(host + Duration::from_millis(state.limits().http_ms_max.into())),
    }
}

/// Waits so long and no longer. What is answered at once costs no timer.
async fn bounded<R>(
    mut work: BoxFuture<'_, R>,
    clock: &dyn Clock,
    wait_max: Option<Duration>,
    function: &str,
) -> wasmtime::Result<R> {
    let Some(wait_max) = wait_max else {
        return Ok(work.await);
    };
    let at_once = std::future::poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
    if let Poll::Ready(answer) = at_once {
        return Ok(answer);
    }
    tokio::select! {
        biased;
        answer = work => Ok(answer),
        () = clock.sleep(wait_max) => {
            let message = format!("{function} took longer than {} ms (host_call_ms_max)", wait_max.as_millis());
            Err(Stop::error(LandingCause::Timeout, message))
        }
    }
}
