//! Recording of the call or of a message.

use super::{Call, Recorder, misfit};
use crate::bindings::{recording, types};
use crate::convert;
use crate::host_call::{Room, WaitsFor};
use crate::ports::BoxFuture;
use crate::state::CallState;
use gudok_core::script::{HandleId, RecordOptions, Reply, Request};
use wasmtime::component::Resource;

type Answer<T> = Result<T, types::CallError>;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.drops::<Recorder, _>("recorder", |state, handle| {
        // What was finished is kept already; the rest is discarded, whatever the answer.
        Box::pin(async move { drop(state.ask(Request::RecorderDrop(HandleId(handle))).await) })
    })?;
    room.waits("record-message", WaitsFor::Person, record_message)?;
    room.waits("start-recording", WaitsFor::Person, start_recording)?;
    room.waits("[method]recorder.pause", WaitsFor::Host, |state, (recorder,): (Resource<Recorder>,)| {
        done(state, Request::RecorderPause(HandleId(recorder.rep())))
    })?;
    room.waits("[method]recorder.resume", WaitsFor::Host, |state, (recorder,): (Resource<Recorder>,)| {
        done(state, Request::RecorderResume(HandleId(recorder.rep())))
    })?;
    room.waits("[method]recorder.finish", WaitsFor::Host, |state, (recorder,): (Resource<Recorder>,)| {
        recorded(state, Request::RecorderFinish(HandleId(recorder.rep())))
    })
}

fn done(state: &mut CallState, request: Request) -> BoxFuture<'_, Answer<()>> {
    Box::pin(state.ask_done(request))
}

fn recorded(state: &mut CallState, request: Request) -> BoxFuture<'_, Answer<recording::Recording>> {
    Box::pin(async move {
        match state.ask(request).await? {
            Reply::Recording(recording) => Ok(convert::recording(&recording)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn options(state: &CallState, options: recording::RecordOptions) -> Answer<Box<RecordOptions>> {
    // A question without words is no question.
    let asks_consent = options.consent_prompt.as_ref().is_some_and(|prompt| !prompt.segments.is_empty());
    state.version.gate.recording(asks_consent)?;
    let days_max = state.version.gate.retention_days_max();
    Ok(Box::new(state.reader().record(options, days_max)?))
}

fn record_message(
    state: &mut CallState,
    (_, wish): (Resource<Call>, recording::RecordOptions),
) -> BoxFuture<'_, Answer<recording::Recording>> {
    match options(state, wish) {
        Ok(options) => recorded(state, Request::RecordMessage(options)),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

fn start_recording(
    state: &mut CallState,
    (_, wish): (Resource<Call>, recording::RecordOptions),
) -> BoxFuture<'_, Answer<Resource<Recorder>>> {
    Box::pin(async move {
        let options = options(state, wish)?;
        match state.ask(Request::StartRecording(options)).await? {
            Reply::Handle(HandleId(handle)) => Ok(Resource::new_own(handle)),
            other => Err(misfit(&other).into()),
        }
    })
}
