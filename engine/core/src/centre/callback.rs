//! Callbacks: promises to call somebody, and what became of them.

use super::waiting::{Offer, SkillWish};
use crate::ids::{Agency, CallId, CallbackId, Queue};
use crate::leg::DialTarget;
use crate::privacy::PhoneNumber;
use crate::prompt::LanguageTag;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What a caller, a script or an operator asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackWish {
    /// By which queue's operators.
    pub queue: Queue,
    /// Whose caller.
    pub agency: Agency,
    /// Whom to call. E.164.
    pub number: PhoneNumber,
    /// In a few words, for the operator.
    pub topic: Arc<str>,
    /// In which language the caller is spoken to.
    pub lang: LanguageTag,
    /// What the caller entered so far; for the operator's screen.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
    /// Not before; from the queue's opening where that is later.
    pub earliest: Option<Timestamp>,
    /// The call in which it was asked for.
    pub call: CallId,
    /// How it was asked for.
    pub origin: CallbackOrigin,
    /// The place in the queue that is kept: since when the caller has waited.
    pub waited_since: Option<Timestamp>,
    /// As in the queue.
    pub skills: Vec<SkillWish>,
}

impl CallbackWish {
    /// A later `earliest` is refused.
    pub const AHEAD_MAX: Duration = Duration::from_hours(14 * 24);
}

/// How a callback was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CallbackOrigin {
    /// A script asked.
    Script,
    /// The host's offer was taken: in a queue, in a landing, or where a script let the host ask.
    Offer,
    /// The callback number was dialled.
    Number,
    /// An operator or supervisor entered it.
    Operator,
}

/// What the caller is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackReceipt {
    /// The promise.
    pub id: CallbackId,
    /// By then.
    pub due: Timestamp,
}

/// Why a callback is not promised. The text is for authors and operators; callers hear an apology.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallbackRefusal {
    /// No such queue, or it calls nobody back.
    #[error("the queue {0:?} calls nobody back; configure `callback` for it")]
    NoQueue(Queue),
    /// Not a number that may be called.
    #[error("this number is not one that is called back; see `dialable` and `barred` of the queue's callback rules")]
    NotDialable,
    /// As many are open as may be.
    #[error("{0} callbacks are open already, as many as the queue's `open_max`")]
    TooMany(usize),
    /// To this number.
    #[error("{0} callbacks to this number are open already, as many as `per_number_max`")]
    TooManyToNumber(usize),
    /// It could not be written down, so it is not promised.
    #[error("the store keeps nothing new now: {0}")]
    Store(String),
    /// The queue's calendar knows no opening, so nobody would ever call.
    #[error("the queue {0:?} never opens; see its calendar")]
    NeverOpen(Queue),
    /// Later than may be promised: [`CallbackWish::AHEAD_MAX`].
    #[error("a callback is promised for the next {0} days at most")]
    TooFar(u64),
    /// Of a decision: no callback of that name is known.
    #[error("there is no callback {0:?}, or it was over long ago")]
    NotFound(CallbackId),
    /// Of a decision: it does not fit where the callback stands.
    #[error("the callback is {state}: this can not be decided of it now")]
    WrongState {
        /// [`CallbackState::as_str`], or "being called".
        state: &'static str,
    },
}

/// A promise, with everything that must survive the engine's end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    /// Its name.
    pub id: CallbackId,
    /// What was asked for.
    pub wish: CallbackWish,
    /// When.
    pub requested: Timestamp,
    /// Not before.
    pub earliest: Timestamp,
    /// Connected by then, or escalated.
    pub due: Timestamp,
    /// Where it stands.
    pub state: CallbackState,
    /// The due time passed before it was connected.
    pub escalated: Option<Timestamp>,
    /// What was tried, the last at the end.
    pub attempts: Vec<CallbackAttempt>,
}

/// Where a callback stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallbackState {
    /// Waits for its turn; not before the time given.
    Waiting {
        /// From then on.
        not_before: Timestamp,
    },
    /// The caller is being dialled, or is on the line and waits: the attempt's claim is durable.
    Claimed,
    /// The caller talked to an operator. The end.
    Connected {
        /// Since when.
        at: Timestamp,
    },
    /// The engine went down in the middle of an attempt: nobody knows whether the caller was reached.
    Unknown {
        /// Found when.
        since: Timestamp,
    },
    /// Nobody will call any more. The end.
    GivenUp {
        /// Why.
        reason: GivenUp,
        /// When.
        at: Timestamp,
    },
}

impl CallbackState {
    /// The word for it in pages, metrics and the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Claimed => "claimed",
            Self::Connected { .. } => "connected",
            Self::Unknown { .. } => "unknown",
            Self::GivenUp { .. } => "given-up",
        }
    }

    /// Nothing more comes of it by itself, nor by anybody's waiting: connected, or given up.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Connected { .. } | Self::GivenUp { .. })
    }
}

/// Why a callback was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GivenUp {
    /// Every attempt was made.
    NotReached,
    /// A person said so.
    Cancelled {
        /// Who.
        by: Arc<str>,
    },
    /// The attempt cut off by a crash is taken for made, by rule.
    Unknown,
}

/// One attempt to reach the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackAttempt {
    /// In this call.
    pub call: CallId,
    /// Claimed when.
    pub claimed: Timestamp,
    /// How it went; none while it is going on, or where a crash cut it off.
    pub outcome: Option<AttemptOutcome>,
}

/// How an attempt went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AttemptOutcome {
    /// They talked.
    Connected,
    /// The caller did not answer.
    NoAnswer,
    /// Was busy.
    Busy,
    /// Refused, or no such number.
    Rejected,
    /// The way out failed; does not count as an attempt, since nobody was rung.
    Unavailable,
    /// The caller answered, and left before an operator came.
    Left,
    /// The operator left before the caller was dialled; does not count as an attempt.
    OperatorGone,
}

/// What becomes of an attempt that a crash cut off. It is never dialled again by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownRule {
    /// It is shown to operators and supervisors, who decide; escalated at its due time like any other.
    #[default]
    Ask,
    /// It is taken for made.
    GiveUp,
}

/// What the host is to do for a callback whose turn it is: one call to be begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackStart {
    /// The promise.
    pub callback: CallbackId,
    /// The call's id, drawn by the host beforehand.
    pub call: CallId,
    /// What was asked for.
    pub wish: CallbackWish,
    /// The operator to be dialled first; none: the caller is dialled first, and waits at the head.
    pub operator: Option<Offer>,
    /// How long the caller's telephone rings.
    pub ring_max: Duration,
    /// Where the caller is dialled.
    pub target: DialTarget,
    /// The number that the caller is shown.
    pub shown: Option<PhoneNumber>,
}
