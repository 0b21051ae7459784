//! A campaign's script is asked about a contact, before dialling: dial, not now, or never.

use crate::bindings::campaign::Plan as WitPlan;
use crate::control::{Control, Metered};
use crate::convert;
use crate::fault::{ScriptFault, cause_of, fault_of};
use crate::host_call::cut_off;
use crate::journal::Journal;
use crate::metering;
use crate::ports::{AnsweredBy, BoxFuture, CallInfo, CallPort, Direction, Ports};
use crate::run::{CallStart, RunControl, WallLimit, short_words, store, supervise};
use crate::state::{CallState, Stop};
use crate::version::{Entrance, Version};
use gudok_core::campaign::{CampaignContact, Plan, PrepareFailure};
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::prompt::LanguageTag;
use gudok_core::script::{CallError, LandingCause, Reply, Request};
use std::fmt;
use std::sync::Arc;
use wasmtime::{AsContextMut, Store};

/// What asking begins with.
#[derive(Clone)]
pub struct PrepareStart {
    /// Under which id its log and journal stand: the call's, if there is to be one.
    pub call: CallId,
    /// Whom it is asked about.
    pub contact: CampaignContact,
    /// Whose script this is. Decides which storage and which secrets it sees.
    pub agency: Agency,
    /// Under which entry it is active.
    pub entry: Entry,
    /// In which language the call is to begin.
    pub lang: LanguageTag,
    /// All but the call, which there is not yet.
    pub ports: Arc<Ports>,
    /// Where its host calls are written down, one by one: there is no call to be replayed.
    pub journal: Option<Arc<dyn Journal>>,
}

impl fmt::Debug for PrepareStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PrepareStart");
        shown
            .field("call", &self.call)
            .field("agency", &self.agency)
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

/// What a script said before dialling, and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrepareReport {
    /// For the campaign's machine.
    pub plan: Result<Plan, PrepareFailure>,
    /// For the author, where the script failed.
    pub fault: Option<ScriptFault>,
    /// CPU.
    pub cpu_us: u64,
    /// Host calls.
    pub host_calls: u32,
}

/// Prepares the asking. As with [`crate::run()`], nothing happens until the future is polled, and dropping it stops the
/// script. It takes at most `prepare_ms_max`; its CPU and memory have the limits of a call.
pub fn prepare(
    version: Arc<Version>,
    start: PrepareStart,
) -> (RunControl, impl Future<Output = PrepareReport> + Send + 'static) {
    let control = Arc::new(Control::default());
    (RunControl(Arc::clone(&control)), drive(version, start, control))
}

async fn drive(version: Arc<Version>, start: PrepareStart, control: Arc<Control>) -> PrepareReport {
    let clock = Arc::clone(&start.ports.clock);
    let limits = &version.limits;
    let limit = WallLimit { name: "prepare_ms_max", value: limits.prepare_ms_max, time: limits.prepare() };
    let contact = start.contact.clone();
    let mut store = store(&version, without_call(start), Some(&contact), &control);
    store.data_mut().preparing = true;
    store.data_mut().recorder = None;
    let work = ask(&version, &mut store, &contact);
    let work = Metered { inner: Box::pin(work), control: Arc::clone(&control), metering: version.engine.metering };
    let result = supervise(work, &version, &control, &*clock, limit).await;
    let planned = result.and_then(|plan| core_plan(plan, store.data()));
    let host_calls = store.data().usage.host_calls;
    let (plan, fault) = match planned {
        Ok(plan) => (Ok(plan), None),
        Err(error) => {
            let cause = cause_of(&error);
            cut_off(store.data_mut(), "stopped");
            let fault = fault_of(&error, cause, store.data());
            (Err(failure(cause, &version, &fault)), Some(fault))
        }
    };
    let cpu_us = metering::end(store.as_context_mut(), &control).cpu_us;
    PrepareReport { plan, fault, cpu_us, host_calls }
}

/// A script that could not be started has done nothing wrong.
fn failure(cause: LandingCause, version: &Version, fault: &ScriptFault) -> PrepareFailure {
    match (&version.entrance, cause) {
        (Entrance::Service(_), _) => PrepareFailure::NoScript,
        (Entrance::Campaign(_), LandingCause::Refused) => PrepareFailure::Store(fault.message.clone()),
        (Entrance::Campaign(_), _) => PrepareFailure::Script,
    }
}

async fn ask(version: &Version, store: &mut Store<CallState>, contact: &CampaignContact) -> wasmtime::Result<WitPlan> {
    let Entrance::Campaign(campaign) = &version.entrance else {
        return Err(Stop::error(LandingCause::Refused, "it is no campaign's script, and prepares nothing".into()));
    };
    let script = campaign.instantiate_async(&mut *store).await?;
    script.gudok_ivr_campaign().call_prepare(&mut *store, &convert::contact(contact)).await
}

fn core_plan(plan: WitPlan, state: &CallState) -> wasmtime::Result<Plan> {
    Ok(match plan {
        WitPlan::Dial => Plan::Dial,
        WitPlan::Skip(why) => Plan::Skip(short_words(&why, state)),
        WitPlan::NotBefore(at) => Plan::NotBefore(
            convert::timestamp(at)
                .map_err(|error| Stop::error(LandingCause::Error, format!("prepare answered not-before: {error}")))?,
        ),
    })
}

fn without_call(start: PrepareStart) -> CallStart {
    CallStart {
        info: CallInfo {
            id: start.call,
            direction: Direction::Outbound,
            caller: None,
            called: start.contact.number.clone(),
            diversion: None,
            lang: start.lang,
            agency: start.agency,
            entry: start.entry,
            answered_by: AnsweredBy::Unknown,
            headers: Vec::new(),
        },
        contact: None,
        call: Arc::new(NoCall),
        ports: start.ports,
        journal: start.journal,
    }
}

/// Stands where the call will be.
struct NoCall;

impl CallPort for NoCall {
    fn request(&self, _: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(std::future::ready(Err(no_call())))
    }
}

/// The answer to whatever needs a call.
pub(crate) fn no_call() -> CallError {
    CallError::Denied("in prepare there is no call yet: do it in run".to_owned())
}
