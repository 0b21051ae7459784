//! Operators: what they are doing, and what they or their supervisors say.

use crate::ids::{CallId, Operator};
use crate::time::Timestamp;
use std::sync::Arc;

/// What an operator is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorState {
    /// Not at work.
    LoggedOut,
    /// Free for the next caller.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// Being rung.
    Ringing {
        /// For whom.
        call: CallId,
        /// Since when.
        since: Timestamp,
    },
    /// Talking.
    OnCall {
        /// With whom.
        call: CallId,
        /// Since when.
        since: Timestamp,
    },
    /// Writing up the last call.
    WrapUp {
        /// Which.
        call: CallId,
        /// Since when.
        since: Timestamp,
        /// Then ready again.
        until: Timestamp,
    },
    /// Logged in, not to be rung.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when.
        since: Timestamp,
    },
}

impl OperatorState {
    /// The word for it in pages, metrics and the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::LoggedOut => "logged-out",
            Self::Ready { .. } => "ready",
            Self::Ringing { .. } => "ringing",
            Self::OnCall { .. } => "on-call",
            Self::WrapUp { .. } => "wrap-up",
            Self::Paused { .. } => "paused",
        }
    }
}

/// Why an operator is not rung.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PauseReason {
    /// In the operator's own word, from the list that admins keep: "lunch".
    Own(Arc<str>),
    /// Did not answer too often in a row.
    Missed,
    /// The telephone's registration has gone.
    Unreachable,
    /// A supervisor said so.
    Supervisor,
}

/// Why an operator is logged out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum LogoutReason {
    /// Own word.
    Own,
    /// Logged in elsewhere: the last login counts.
    Elsewhere,
    /// A supervisor said so.
    Supervisor,
    /// Taken out of the settings.
    Removed,
}

/// What an operator, or a supervisor for one, says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorOrder {
    /// At work, and ready. A second login takes the first one's place.
    LogIn,
    /// Ready again: ends a pause or a wrap-up.
    Ready,
    /// Not to be rung. While on a call, it begins after it.
    Pause(PauseReason),
    /// At work no more. While on a call, after it.
    LogOut(LogoutReason),
    /// The telephone's registration came (true) or went (false); from the SIP room. Remembered also of a name that the
    /// settings do not know yet, though that is refused.
    Reachable(bool),
}

/// Why an order does nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OperatorRefusal {
    /// Nobody of that name.
    #[error("there is no operator {0:?}; add one in the settings")]
    Unknown(Operator),
    /// Not at work.
    #[error("operator {0:?} is not logged in; log in first")]
    LoggedOut(Operator),
}
