//! A call's script once more, answered from its journal: without a caller, without sockets, and in no time.
//!
//! On the version that the call ran on, every host call must be the same to the bit, and so must be the end. Another
//! version is followed: prompts may differ, the same question gets the same answer, and where it asks something that the
//! journal has no answer for, the two part.
//!
//! - `exact`: the same version
//! - `follow`: another version; `questions` says which questions are the same, `lookups` what is looked up in no order
//! - `outcome`: what came of the call, and what of that changed
//! - `nowhere`: ports that lead nowhere

mod exact;
mod follow;
mod lookups;
mod nowhere;
mod outcome;
mod questions;
mod report;

pub use outcome::{Change, Outcome};
pub use report::{Difference, Parting, ReplayReport, Verdict, VersionName};

use crate::control::{Control, Metered};
use crate::host_call::Answer;
use crate::journal::{CallJournal, JournalEnd, JournalError, JournalStep, Recorded};
use crate::ports::BoxFuture;
use crate::run::{CallStart, end_of, execute, store};
use crate::state::{CallState, Stop};
use crate::version::Version;
use exact::Exact;
use follow::Follow;
use gudok_core::privacy::Secret;
use gudok_core::script::{LandingCause, ScriptEnd};
use nowhere::Nowhere;
use serde_json::Value;
use std::sync::Arc;
use std::task::Poll;

/// Runs a call's script again. Must be polled on a tokio runtime; it waits for nothing. The script's limits on CPU, memory
/// and host calls hold as in a call.
///
/// # Errors
/// [`JournalError`] where the journal cannot be read.
pub async fn replay(version: &Arc<Version>, journal: &CallJournal) -> Result<ReplayReport, JournalError> {
    let opened = journal.open()?;
    let nowhere = Arc::new(Nowhere::new(journal, &opened)?);
    let is_same = version.id.bundle_sha256 == journal.header.script.bundle_sha256;
    let replayer = match is_same {
        true => Replayer::Exact(Box::new(Exact::new(journal, &opened))),
        false => Replayer::Follow(Box::new(Follow::new(journal, &opened, Arc::clone(&nowhere))?)),
    };
    let contact = opened.start.contact();
    let info = nowhere::info(&opened.start, journal.header.call);
    let start =
        CallStart { info, contact: None, call: Arc::clone(&nowhere) as _, ports: nowhere.ports(), journal: None };
    let control = Arc::new(Control::default());
    let mut store = store(version, start, contact.as_ref(), &control);
    store.data_mut().known_secrets = opened.hides.iter().map(|text| Secret::new(text)).collect();
    store.data_mut().replay = Some(Box::new(replayer));
    let work = execute(version, &mut store, contact.as_ref());
    let metering = version.engine.metering;
    let result = Metered { inner: Box::pin(work), control: Arc::clone(&control), metering }.await;
    let end = match result {
        Ok(returned) => JournalEnd::of(&end_of(returned, store.data())),
        Err(error) => JournalEnd::of(&ScriptEnd::Stopped(crate::fault::cause_of(&error))),
    };
    let ran = match store.data_mut().replay.take().map(|replay| *replay) {
        Some(Replayer::Exact(exact)) => exact.finish(end),
        Some(Replayer::Follow(follow)) => follow.finish(end),
        None => return Err(JournalError::Damaged),
    };
    report::report(version, journal, &opened, is_same, ran)
}

/// Answers a script's host calls in the host's place.
pub(crate) enum Replayer {
    Exact(Box<Exact>),
    Follow(Box<Follow>),
}

/// What a replay comes to.
pub(crate) struct Ran {
    /// Host calls that were the same from the beginning, without a gap.
    same_calls: u32,
    /// What it asked and was told; none where it is what the journal has, as far as `same_calls` goes.
    followed: Option<Followed>,
    over: Over,
}

/// What another version asked and was told.
pub(crate) struct Followed {
    calls: Vec<Asked>,
    /// The same for people.
    steps: Vec<JournalStep>,
    differences: Vec<Difference>,
}

/// A host call of the replay.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    function: Arc<str>,
    args: Value,
    result: Option<Value>,
}

/// How a replay ended.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Over {
    /// The script came to an end of its own, or a limit did it.
    Ended(JournalEnd),
    /// The journal has nothing more, and knows why.
    WithTheJournal,
    /// The two part.
    Parted {
        /// Which entry of the journal was next, from 0.
        expected: Option<usize>,
        /// What the script asked instead; none where it came to its end.
        found: Option<(Arc<str>, Value)>,
        why: String,
    },
}

impl Replayer {
    fn asked(&mut self, function: &Arc<str>, params: &impl Recorded) -> wasmtime::Result<()> {
        match self {
            Self::Exact(exact) => exact.asked(function, params),
            Self::Follow(follow) => {
                follow.asked(function, params.to_json());
                Ok(())
            }
        }
    }

    /// Whether the host's own answer is wanted first: what it refuses, and what the bundle says.
    fn wants_own(&self) -> bool {
        match self {
            Self::Exact(exact) => exact.wants_own(),
            Self::Follow(_) => true,
        }
    }

    fn answer<R: Answer>(&mut self, own: Option<R>) -> wasmtime::Result<R> {
        match (self, own) {
            (Self::Exact(exact), Some(own)) => {
                exact.took_own();
                Ok(own)
            }
            (Self::Exact(exact), None) => exact.answer(),
            (Self::Follow(follow), own) => follow.answer(own),
        }
    }
}

/// Stops the script: the replay knows why.
fn stop() -> wasmtime::Error {
    Stop::error(LandingCause::Refused, "the replay is over".to_owned())
}

/// A host call that would wait.
pub(crate) async fn waits<P, R, F>(
    state: &mut CallState,
    function: &Arc<str>,
    params: P,
    body: F,
) -> wasmtime::Result<R>
where
    P: Recorded + Send + 'static,
    R: Answer,
    F: for<'a> Fn(&'a mut CallState, P) -> BoxFuture<'a, R> + Send + Sync,
{
    let Some(mut replay) = state.replay.take() else { return Err(stop()) };
    let asked = replay.asked(function, &params);
    let own = match asked.is_ok() && replay.wants_own() {
        // What is answered without waiting is the host's own word; the rest leads to a port, and the ports lead nowhere.
        true => at_once(body(state, params)).await,
        false => None,
    };
    let answer = asked.and_then(|()| replay.answer(own));
    state.replay = Some(replay);
    answer
}

/// A host call that is answered at once.
pub(crate) fn answers<P, R, F>(state: &mut CallState, function: &Arc<str>, params: P, body: &F) -> wasmtime::Result<R>
where
    P: Recorded,
    R: Answer,
    F: Fn(&mut CallState, P) -> R,
{
    let Some(mut replay) = state.replay.take() else { return Err(stop()) };
    let asked = replay.asked(function, &params);
    let own = (asked.is_ok() && replay.wants_own()).then(|| body(state, params));
    let answer = asked.and_then(|()| replay.answer(own));
    state.replay = Some(replay);
    answer
}

async fn at_once<R>(mut work: BoxFuture<'_, R>) -> Option<R> {
    std::future::poll_fn(|cx| {
        Poll::Ready(match work.as_mut().poll(cx) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        })
    })
    .await
}
