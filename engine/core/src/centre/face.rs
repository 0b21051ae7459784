//! The machine's face: what it is told, what it says, and how it shows itself.

use super::callback::{AttemptOutcome, Callback, CallbackReceipt, CallbackRefusal, CallbackStart, CallbackWish};
use super::operator::OperatorState;
use super::settings::CentreSettings;
use super::waiting::{QueueNotice, QueueOrder};
use crate::ids::{CallId, CallbackId, Operator, Peer, Queue};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What a call (or an operator's page) tells the centre about callbacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallbackOrder {
    /// Promise one. Answered with [`CentreCommand::Booked`] once it is durable.
    Book(Box<CallbackWish>),
    /// The caller is about to be dialled. Answered with [`CentreCommand::Claimed`] once that is durable.
    Claim(CallbackId),
    /// The attempt is over. Without a claim before it, nothing was tried. [`AttemptOutcome::Connected`] is said as soon as
    /// caller and operator talk, not after it: a crash in the middle of the talk must not make it unknown. What is said
    /// after it changes nothing.
    Ended {
        /// Which.
        callback: CallbackId,
        /// How.
        outcome: AttemptOutcome,
    },
}

/// One writing-down; never repeats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SaveId(pub u64);

/// What happens to the centre. Operators' orders and people's decisions about callbacks have methods of their own, since
/// they are answered at once.
#[derive(Clone, Debug)]
pub enum CentreInput {
    /// Other settings.
    Configured(Arc<CentreSettings>),
    /// A call says of its waiting caller.
    Queue(CallId, QueueOrder),
    /// A call says of a callback.
    Callback(CallId, CallbackOrder),
    /// A call is over, whatever was left unsaid.
    CallOver(CallId),
    /// The answer to [`CentreCommand::Save`]; the error's text for the log and the author.
    Saved(SaveId, Result<(), String>),
    /// At the start: what a former process left. Claimed ones become unknown, by their queue's rule.
    Recovered(Vec<Callback>),
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CentreCommand {
    /// Tell the call.
    Notice(CallId, QueueNotice),
    /// Write this callback down, in place of what there was under its id; in the order of the commands. Answered with
    /// [`CentreInput::Saved`].
    Save {
        /// Which writing-down.
        save: SaveId,
        /// What.
        callback: Box<Callback>,
    },
    /// Tell the call that asked: the callback is durable, or is not promised.
    Booked {
        /// Whom.
        call: CallId,
        /// What.
        result: Result<CallbackReceipt, CallbackRefusal>,
    },
    /// Tell the call: the caller may be dialled, or may not.
    Claimed {
        /// Whom.
        call: CallId,
        /// Whether.
        granted: bool,
    },
    /// Begin a call for a callback whose turn it is. Its failure to begin is [`CentreInput::CallOver`].
    Start(Box<CallbackStart>),
    /// A callback was not kept in time: tell the supervisors.
    Escalated(CallbackId),
    /// An operator's state is another.
    OperatorChanged(Operator),
    /// A queue's line is another.
    QueueChanged(Queue),
    /// A callback's state is another.
    CallbackChanged(CallbackId),
}

/// What a person decides about a callback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallbackDecision {
    /// Nobody calls any more.
    Cancel {
        /// Who says so.
        by: Arc<str>,
    },
    /// Of an unknown or given-up one: try once more.
    TryAgain,
    /// Of an unknown one: the caller was reached.
    TakeAsConnected,
}

/// A queue, as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueView {
    /// Its name.
    pub queue: Queue,
    /// Who waits, the next first; callbacks too.
    pub waiting: Vec<WaitingView>,
    /// What a new caller's wait will be, where there is enough to go by.
    pub expected_wait: Option<Duration>,
    /// Operators of this queue who are at work.
    pub logged_in: usize,
    /// Of these, ready.
    pub ready: usize,
    /// Operators work by the calendar.
    pub open: bool,
}

/// Who waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingView {
    /// In which call; for a callback not yet begun, in which it was asked for.
    pub call: CallId,
    /// Since when.
    pub since: Timestamp,
    /// As given.
    pub priority: u8,
    /// Nobody is on the line: a callback's place.
    pub callback: Option<CallbackId>,
    /// The host has acted: a peer was tried, or a callback offered.
    pub acted: Option<Timestamp>,
}

/// An operator, as people see them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorView {
    /// The login.
    pub operator: Operator,
    /// As colleagues see it.
    pub shown_name: Arc<str>,
    /// What they are doing.
    pub state: OperatorState,
    /// The telephone can be rung, as far as is known.
    pub reachable: bool,
    /// Queues that they serve.
    pub queues: Vec<Queue>,
    /// Callers talked to since login.
    pub answered: u32,
    /// Rings missed since login.
    pub missed: u32,
}

/// A peer centre, as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerView {
    /// Its name.
    pub peer: Peer,
    /// Calls there, those being dialled included.
    pub calls: usize,
    /// As many may be there.
    pub calls_max: usize,
    /// It failed, and is left alone until then.
    pub rests_until: Option<Timestamp>,
}
