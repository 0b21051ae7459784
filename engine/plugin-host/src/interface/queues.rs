//! Waiting for an operator. The queue's own limit is the centre's: it acts whatever the script does.

use super::{Call, QueueTicket, misfit};
use crate::bindings::{queues, types};
use crate::convert::{self, e164, to_millis};
use crate::host_call::{Room, WaitsFor};
use crate::ports::BoxFuture;
use crate::state::CallState;
use gudok_core::centre::SkillWish;
use gudok_core::ids::{Queue, Skill};
use gudok_core::script::{CallError, HandleId, QueueEvent, QueueWish, Reply, Request};
use wasmtime::component::Resource;

type Answer<T> = Result<T, types::CallError>;

/// The highest priority of a waiting caller.
const PRIORITY_MAX: u8 = 9;
/// Wished skills of one caller.
const SKILLS_MAX: usize = 16;
/// The highest level of a skill.
const SKILL_LEVEL_MAX: u8 = 10;
/// Of a queue's or a skill's name.
const NAME_BYTES_MAX: usize = 64;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.drops::<QueueTicket, _>("queue-ticket", |state, handle| {
        // A wait that is over is as good as left.
        Box::pin(async move { drop(state.ask(Request::QueueLeave(HandleId(handle))).await) })
    })?;
    // An unanswered call is answered first, and that takes its time.
    room.waits("enqueue", WaitsFor::Person, enqueue)?;
    room.waits("[method]queue-ticket.next-event", WaitsFor::Person, next_event)?;
    room.waits("[method]queue-ticket.convert-to-callback", WaitsFor::Host, convert_to_callback)?;
    room.waits("[method]queue-ticket.leave", WaitsFor::Host, leave)
}

fn enqueue(
    state: &mut CallState,
    (_, options): (Resource<Call>, queues::QueueOptions),
) -> BoxFuture<'_, Answer<Resource<QueueTicket>>> {
    Box::pin(async move {
        let wish = wish(state, options)?;
        state.version.gate.queue(&wish.queue)?;
        match state.ask(Request::Enqueue(Box::new(wish))).await? {
            Reply::Handle(HandleId(handle)) => Ok(Resource::new_own(handle)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn wish(state: &CallState, options: queues::QueueOptions) -> Result<QueueWish, CallError> {
    let reader = state.reader();
    if options.priority > PRIORITY_MAX {
        return Err(CallError::Invalid(format!("priority is {}; the highest is {PRIORITY_MAX}", options.priority)));
    }
    if options.skills.len() > SKILLS_MAX {
        return Err(CallError::Invalid(format!("skills has {} elements; at most {SKILLS_MAX}", options.skills.len())));
    }
    if let Some(music) = &options.music {
        reader.media(music)?;
    }
    Ok(QueueWish {
        queue: Queue::new(&name("queue", options.queue)?),
        priority: options.priority,
        skills: options.skills.into_iter().map(skill).collect::<Result<_, _>>()?,
        music: options.music.map(Into::into),
        wait_max: (options.max_wait > 0).then(|| convert::millis(options.max_wait)),
        screen_pop: reader.fields("screen-pop", &options.screen_pop)?,
        announce: options.announce,
        return_on_end: options.return_on_end,
    })
}

fn skill(wish: queues::SkillWish) -> Result<SkillWish, CallError> {
    if !(1..=SKILL_LEVEL_MAX).contains(&wish.level) {
        return Err(CallError::Invalid(format!("a skill's level is {}; it is 1 to {SKILL_LEVEL_MAX}", wish.level)));
    }
    Ok(SkillWish { skill: Skill::new(&name("skill", wish.name)?), level: wish.level })
}

/// A name of the centre's settings.
pub(super) fn name(what: &str, text: String) -> Result<String, CallError> {
    if (1..=NAME_BYTES_MAX).contains(&text.len()) {
        return Ok(text);
    }
    Err(CallError::Invalid(format!("{what} has {} bytes; a name has 1 to {NAME_BYTES_MAX}", text.len())))
}

fn next_event(
    state: &mut CallState,
    (ticket, timeout): (Resource<QueueTicket>, u32),
) -> BoxFuture<'_, Answer<Option<queues::QueueEvent>>> {
    Box::pin(async move {
        let (handle, timeout) = (HandleId(ticket.rep()), convert::millis(timeout));
        match state.ask(Request::QueueNext { handle, timeout }).await? {
            Reply::QueueEvent(event) => Ok(event.map(to_wit)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn to_wit(event: QueueEvent) -> queues::QueueEvent {
    match event {
        QueueEvent::Position(position) => queues::QueueEvent::Position(position),
        QueueEvent::EstimatedWait(wait) => queues::QueueEvent::EstimatedWait(to_millis(wait)),
        QueueEvent::Key(key) => queues::QueueEvent::Key(key),
        QueueEvent::Answered(operator) => queues::QueueEvent::Answered(operator.to_string()),
        QueueEvent::Returned(talked) => queues::QueueEvent::Returned(to_millis(talked)),
        QueueEvent::Callback(id) => queues::QueueEvent::Callback(id.to_string()),
        QueueEvent::Peer(peer) => queues::QueueEvent::Peer(peer.to_string()),
        QueueEvent::Closed(opens) => queues::QueueEvent::Closed(opens.map(|opens| opens.to_string())),
        QueueEvent::Full => queues::QueueEvent::Full,
        QueueEvent::TimedOut => queues::QueueEvent::TimedOut,
    }
}

fn convert_to_callback(
    state: &mut CallState,
    (ticket, number): (Resource<QueueTicket>, Option<String>),
) -> BoxFuture<'_, Answer<types::Promise>> {
    Box::pin(async move {
        let number = number.map(|number| e164(&number)).transpose()?;
        if let Some(number) = &number {
            state.version.gate.dialable(number)?;
        }
        match state.ask(Request::QueueConvert { handle: HandleId(ticket.rep()), number }).await? {
            Reply::Callback(receipt) => Ok(state.promise(&receipt)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn leave(state: &mut CallState, (ticket,): (Resource<QueueTicket>,)) -> BoxFuture<'_, ()> {
    // Whoever waits no more has left.
    Box::pin(async move { drop(state.ask(Request::QueueLeave(HandleId(ticket.rep()))).await) })
}
