//! Waiting for an operator. Needs the capability "queues".
//!
//! The queue's limit on the wait is the host's: shortly before it, the caller is put through to a peer centre or offered
//! a callback, whatever the script does. The script hears of it as an outcome.

use crate::bindings::gudok::ivr::queues;
pub use crate::bindings::gudok::ivr::queues::QueueEvent;
use crate::bindings::gudok::ivr::types::{Field, Promise};
use crate::call::millis;
use crate::{Call, Result, TimeOfDay};
use core::ops::ControlFlow;
use core::time::Duration;

/// How long one look at the queue lasts; then comes the next.
const LOOK_MS: u32 = 60_000;

/// A wait before it begins; see [`Call::queue`].
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<Summary> {
/// let outcome = call.queue("operators").priority(5).skill("en", 1).show("topic", "passport").and_back().wait()?;
/// match outcome {
///     QueueOutcome::Returned { .. } => call.hangup("Спасибо за звонок. До свидания.")?,
///     QueueOutcome::Callback(_) => return Ok(Summary::callback_booked()),
///     QueueOutcome::Closed(_) => call.hangup("Операторы сейчас не работают. До свидания.")?,
///     _ => call.hangup("Все операторы заняты. Позвоните, пожалуйста, позже.")?,
/// }
/// # Ok(Summary::served()) }
/// ```
pub struct Queue<'call> {
    call: &'call Call,
    options: queues::QueueOptions,
}

/// How a wait ended. Who talks to an operator and does not come back ends the call instead: then it is
/// [`CallError::Ended`](crate::CallError::Ended).
#[derive(Clone, PartialEq, Debug)]
pub enum QueueOutcome {
    /// They talked, and the caller is back; only with [`Queue::and_back`].
    Returned {
        /// With whom.
        operator: String,
        /// For how long.
        talked: Duration,
    },
    /// The caller took the host's offer and will be called back; the call is over. The promise's id.
    Callback(String),
    /// A peer centre of that name took the caller.
    Peer(String),
    /// Nobody works now; from when, where that is known.
    Closed(Option<TimeOfDay>),
    /// As many wait as may.
    Full,
    /// The script's own patience is over.
    TimedOut,
}

impl Call {
    /// Lets the caller wait for an operator of that queue: nothing happens before [`Queue::wait`] or [`Queue::enter`].
    #[must_use]
    pub fn queue(&self, name: &str) -> Queue<'_> {
        let options = queues::QueueOptions {
            queue: name.to_owned(),
            priority: 0,
            skills: Vec::new(),
            music: None,
            max_wait: 0,
            screen_pop: Vec::new(),
            announce: true,
            return_on_end: false,
        };
        Queue { call: self, options }
    }
}

impl Queue<'_> {
    /// 0 is the lowest, 9 the highest.
    #[must_use]
    pub const fn priority(mut self, priority: u8) -> Self {
        self.options.priority = priority;
        self
    }

    /// The operator should be at least so good at it; 1 is the lowest level.
    #[must_use]
    pub fn skill(mut self, name: &str, level: u8) -> Self {
        self.options.skills.push(queues::SkillWish { name: name.to_owned(), level });
        self
    }

    /// A recording of the bundle to wait with.
    #[must_use]
    pub fn music(mut self, name: &str) -> Self {
        self.options.music = Some(name.to_owned());
        self
    }

    /// The script's own patience, if shorter than the queue's.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.max_wait = millis(patience).max(1);
        self
    }

    /// Shown to the operator. What was entered under a sensitive question does not belong here.
    #[must_use]
    pub fn show(mut self, name: &str, value: impl Into<String>) -> Self {
        self.options.screen_pop.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// Several values at once that are shown to the operator.
    #[must_use]
    pub fn screen_pop(self, values: &[(&str, &str)]) -> Self {
        values.iter().fold(self, |queue, (name, value)| queue.show(name, *value))
    }

    /// The host does not say position and expected wait: the script does.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.options.announce = false;
        self
    }

    /// When the operator hangs up, the caller comes back to the script.
    #[must_use]
    pub const fn and_back(mut self) -> Self {
        self.options.return_on_end = true;
        self
    }

    /// Begins the wait; the script follows it by itself.
    ///
    /// # Errors
    /// As every host call; [`Denied`](crate::CallError::Denied) for a queue that is not granted,
    /// [`NotFound`](crate::CallError::NotFound) for one that is not there.
    pub fn enter(self) -> Result<QueueTicket> {
        queues::enqueue(self.call.raw(), &self.options).map(QueueTicket)
    }

    /// Waits to the end, with the host's music and announcements.
    ///
    /// # Errors
    /// As [`enter`](Self::enter).
    pub fn wait(self) -> Result<QueueOutcome> {
        let outcome = self.wait_with(|_, _| Ok(ControlFlow::Continue(())))?;
        Ok(outcome.unwrap_or(QueueOutcome::TimedOut))
    }

    /// Waits to the end and tells `on` of everything that happens before: it may say something, ask, or end the wait
    /// (convert it to a callback, leave) and break off; then there is no outcome.
    ///
    /// # Errors
    /// As [`enter`](Self::enter), and those of `on`.
    pub fn wait_with(
        self,
        mut on: impl FnMut(&QueueTicket, &QueueEvent) -> Result<ControlFlow<()>>,
    ) -> Result<Option<QueueOutcome>> {
        let ticket = self.enter()?;
        let mut operator = String::new();
        loop {
            let Some(event) = ticket.next(Duration::from_millis(LOOK_MS.into()))? else { continue };
            match over(&event, &mut operator) {
                Some(outcome) => return Ok(Some(outcome)),
                None if on(&ticket, &event)?.is_break() => return Ok(None),
                None => {}
            }
        }
    }
}

/// How the wait ended, if it did.
fn over(event: &QueueEvent, operator: &mut String) -> Option<QueueOutcome> {
    Some(match event {
        QueueEvent::Position(_) | QueueEvent::EstimatedWait(_) | QueueEvent::Key(_) => return None,
        QueueEvent::Answered(name) => {
            operator.clone_from(name);
            return None;
        }
        QueueEvent::Returned(talked) => QueueOutcome::Returned {
            operator: core::mem::take(operator),
            talked: Duration::from_millis((*talked).into()),
        },
        QueueEvent::Callback(promise) => QueueOutcome::Callback(promise.clone()),
        QueueEvent::Peer(name) => QueueOutcome::Peer(name.clone()),
        QueueEvent::Closed(opens) => QueueOutcome::Closed(opens.as_deref().and_then(TimeOfDay::parse)),
        QueueEvent::Full => QueueOutcome::Full,
        QueueEvent::TimedOut => QueueOutcome::TimedOut,
    })
}

/// A place in a queue. Dropping it leaves the queue.
pub struct QueueTicket(queues::QueueTicket);

impl QueueTicket {
    /// The next thing that happens; none when the time is up.
    ///
    /// # Errors
    /// As every host call; [`NotFound`](crate::CallError::NotFound) once the wait is over.
    pub fn next(&self, patience: Duration) -> Result<Option<QueueEvent>> {
        self.0.next_event(millis(patience))
    }

    /// Keeps the place and lets the caller go, who is called back at the calling number.
    ///
    /// # Errors
    /// As every host call; [`Invalid`](crate::CallError::Invalid) where the caller has no number or the queue calls nobody back.
    pub fn call_back(&self) -> Result<Promise> {
        self.0.convert_to_callback(None)
    }

    /// The same at another number, "+7…", which the grant has to allow: `dialable` of the capability "promises".
    ///
    /// # Errors
    /// As [`call_back`](Self::call_back); [`Denied`](crate::CallError::Denied).
    pub fn call_back_at(&self, number: &str) -> Result<Promise> {
        self.0.convert_to_callback(Some(number))
    }

    /// The caller waits no more.
    pub fn leave(&self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_that_came_back_names_its_operator() {
        let mut operator = String::new();
        assert_eq!(over(&QueueEvent::Position(1), &mut operator), None);
        assert_eq!(over(&QueueEvent::Answered("anna".to_owned()), &mut operator), None);
        let expected = QueueOutcome::Returned { operator: "anna".to_owned(), talked: Duration::from_secs(2) };
        assert_eq!(over(&QueueEvent::Returned(2_000), &mut operator), Some(expected));
    }

    #[test]
    fn an_opening_time_is_a_time_or_not_known() {
        let closed = |opens: Option<&str>| over(&QueueEvent::Closed(opens.map(str::to_owned)), &mut String::new());
        assert_eq!(closed(Some("06:00")), Some(QueueOutcome::Closed(TimeOfDay::parse("06:00"))));
        assert_eq!(closed(Some("soon")), Some(QueueOutcome::Closed(None)));
        assert_eq!(closed(None), Some(QueueOutcome::Closed(None)));
    }
}
