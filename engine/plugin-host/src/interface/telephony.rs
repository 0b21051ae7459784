//! The call itself: granted to every script.

use super::{Call, Collector, Player, misfit};
use crate::bindings::{input, prompts, telephony, types};
use crate::convert;
use crate::host_call::{Room, WaitsFor};
use crate::ports::BoxFuture;
use crate::state::CallState;
use gudok_core::privacy::Keys;
use gudok_core::script::{HandleId, Reply, Request};
use std::sync::Arc;
use wasmtime::component::{Resource, ResourceType};

type Answer<T> = Result<T, types::CallError>;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    // There is nothing to release: the call's end is the machine's business.
    room.instance.resource("call", ResourceType::host::<Call>(), |_, _| Ok(()))?;
    room.instance.resource("collector", ResourceType::host::<Collector>(), |_, _| Ok(()))?;
    room.drops::<Player, _>("player", |state, handle| {
        // A player that is gone already is as good as dropped.
        Box::pin(async move { drop(state.ask(Request::PlayerDrop(HandleId(handle))).await) })
    })?;

    room.answers("[method]call.info", |state: &mut CallState, (_,): (Resource<Call>,)| {
        convert::call_info(&state.info, &state.version.id.version)
    })?;
    room.waits("[method]call.answer", WaitsFor::Person, |state, (_,): (Resource<Call>,)| done(state, Request::Answer))?;
    room.waits("[method]call.early-media", WaitsFor::Host, |state, (_,): (Resource<Call>,)| {
        done(state, Request::EarlyMedia)
    })?;
    room.waits(
        "[method]call.reject",
        WaitsFor::Host,
        |state, (_, cause): (Resource<Call>, telephony::RejectCause)| {
            done(state, Request::Reject(convert::reject_cause(cause)))
        },
    )?;
    room.waits("[method]call.hangup", WaitsFor::Person, hangup)?;
    room.waits("[method]call.ended", WaitsFor::Host, ended)?;
    room.waits("[method]call.set-language", WaitsFor::Host, set_language)?;
    room.waits("[method]call.set-pace", WaitsFor::Host, |state, (_, pace): (Resource<Call>, telephony::Pace)| {
        done(state, Request::SetPace(convert::pace(pace)))
    })?;
    room.waits("[method]call.say", WaitsFor::Person, say)?;
    room.waits("[method]call.play-background", WaitsFor::Host, play_background)?;
    room.waits("[method]call.collect", WaitsFor::Person, collect)?;
    room.answers("[method]call.digits", |_: &mut CallState, (_,): (Resource<Call>,)| {
        Resource::<Collector>::new_own(0)
    })?;
    room.waits("[method]call.send-dtmf", WaitsFor::Person, send_dtmf)?;
    room.waits("[method]call.wait", WaitsFor::Person, |state, (_, duration): (Resource<Call>, u32)| {
        done(state, Request::Wait(convert::millis(duration)))
    })?;
    room.waits("[method]call.tag", WaitsFor::Host, tag)?;

    room.waits("[method]player.wait", WaitsFor::Person, |state, (player,): (Resource<Player>,)| {
        playback(state, Request::PlayerWait(handle(&player)))
    })?;
    room.waits("[method]player.pause", WaitsFor::Host, |state, (player,): (Resource<Player>,)| {
        done(state, Request::PlayerPause(handle(&player)))
    })?;
    room.waits("[method]player.resume", WaitsFor::Host, |state, (player,): (Resource<Player>,)| {
        done(state, Request::PlayerResume(handle(&player)))
    })?;
    room.waits("[method]player.seek", WaitsFor::Host, |state, (player, at): (Resource<Player>, u32)| {
        done(state, Request::PlayerSeek(handle(&player), convert::millis(at)))
    })?;
    room.waits("[method]player.stop", WaitsFor::Host, |state, (player,): (Resource<Player>,)| {
        playback(state, Request::PlayerStop(handle(&player)))
    })?;
    room.waits("[method]collector.next", WaitsFor::Person, next_key)?;
    room.waits("[method]collector.flush", WaitsFor::Host, flush_keys)
}

fn handle<T: 'static>(resource: &Resource<T>) -> HandleId {
    HandleId(resource.rep())
}

fn done(state: &mut CallState, request: Request) -> BoxFuture<'_, Answer<()>> {
    Box::pin(state.ask_done(request))
}

fn playback(state: &mut CallState, request: Request) -> BoxFuture<'_, Answer<telephony::PlaybackEnd>> {
    Box::pin(async move {
        match state.ask(request).await? {
            Reply::Playback(end) => Ok(convert::playback_end(end)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn hangup(state: &mut CallState, (_, goodbye): (Resource<Call>, Option<prompts::Prompt>)) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        let goodbye = goodbye.map(|prompt| state.reader().prompt(prompt)).transpose()?;
        state.ask_done(Request::Hangup { goodbye }).await
    })
}

fn ended(state: &mut CallState, (_,): (Resource<Call>,)) -> BoxFuture<'_, Option<types::EndReason>> {
    Box::pin(async move {
        let reason = match state.ask(Request::Ended).await {
            Ok(Reply::EndReason(reason)) => reason,
            Err(gudok_core::script::CallError::Ended(reason)) => Some(reason),
            Ok(other) => {
                misfit(&other);
                None
            }
            Err(_) => None,
        };
        reason.or(state.control.ended()).map(convert::end_reason)
    })
}

fn set_language(state: &mut CallState, (_, lang): (Resource<Call>, String)) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        let lang = state.reader().lang(&lang)?;
        state.ask_done(Request::SetLanguage(Arc::clone(&lang))).await?;
        state.lang = lang;
        Ok(())
    })
}

fn say(
    state: &mut CallState,
    (_, what): (Resource<Call>, prompts::Prompt),
) -> BoxFuture<'_, Answer<telephony::PlaybackEnd>> {
    match state.reader().prompt(what) {
        Ok(prompt) => playback(state, Request::Say(prompt)),
        Err(error) => Box::pin(std::future::ready(Err(error.into()))),
    }
}

fn play_background(
    state: &mut CallState,
    (_, what, loop_forever): (Resource<Call>, prompts::Prompt, bool),
) -> BoxFuture<'_, Answer<Resource<Player>>> {
    Box::pin(async move {
        let prompt = state.reader().prompt(what)?;
        match state.ask(Request::PlayBackground { prompt, loop_forever }).await? {
            Reply::Handle(HandleId(handle)) => Ok(Resource::new_own(handle)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn collect(
    state: &mut CallState,
    (_, options): (Resource<Call>, input::CollectOptions),
) -> BoxFuture<'_, Answer<input::Outcome>> {
    Box::pin(async move {
        let options = Box::new(state.reader().collect(options)?);
        match state.ask(Request::Collect(options)).await? {
            Reply::Outcome(outcome) => Ok(convert::outcome(outcome)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn send_dtmf(state: &mut CallState, (_, keys): (Resource<Call>, String)) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        let keys = state.reader().text("keys", keys)?;
        state.ask_done(Request::SendDtmf(Keys::new(keys))).await
    })
}

fn tag(state: &mut CallState, (_, fields): (Resource<Call>, Vec<types::Field>)) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        let fields = state.reader().fields("fields", &fields)?;
        state.ask_done(Request::Tag(fields)).await
    })
}

fn next_key(state: &mut CallState, (_, timeout): (Resource<Collector>, u32)) -> BoxFuture<'_, Answer<Option<char>>> {
    Box::pin(async move {
        match state.ask(Request::NextKey { timeout: convert::millis(timeout) }).await? {
            Reply::Key(key) => Ok(key),
            other => Err(misfit(&other).into()),
        }
    })
}

fn flush_keys(state: &mut CallState, (_,): (Resource<Collector>,)) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        // When the call is over there is nothing to forget.
        let _ = state.ask(Request::FlushKeys).await;
    })
}
