//! What passes between a call with a waiting caller and the centre.

use crate::ids::{Agency, CallbackId, Operator, Peer, Queue, Skill};
use crate::leg::DialTarget;
use crate::prompt::LanguageTag;
use crate::script::TransferOutcome;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// One ring of one operator for one caller; never repeats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OfferId(pub u64);

/// A caller who waits. One a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Where.
    pub queue: Queue,
    /// Whose caller.
    pub agency: Agency,
    /// 0 is the lowest.
    pub priority: u8,
    /// What the operator should be good at.
    pub skills: Vec<SkillWish>,
    /// The call's language.
    pub lang: LanguageTag,
    /// The script's own patience, if shorter than the queue's limit: then [`QueueNotice::TimedOut`], and the wait is over.
    pub wait_max: Option<Duration>,
    /// The callback that this wait fulfils: its caller goes to the head.
    pub callback: Option<CallbackId>,
    /// We have called this caller, and an operator was meant to be free: before everybody who has called us.
    pub called: bool,
    /// Of the dialled numbers' areas, for localisation; none where it is not known.
    pub area: Option<Arc<str>>,
    /// The call has come through so many centres already.
    pub hops: u8,
}

/// A wished skill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SkillWish {
    /// Which.
    pub skill: Skill,
    /// At least so good; from 1.
    pub level: u8,
}

/// What a call tells the centre.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueOrder {
    /// The caller waits from now on.
    Enter(Box<Waiting>),
    /// An operator who was rung is not to be had, or has answered: then they talk, and the wait is over. Said of every
    /// [`QueueNotice::Offer`] once, also after [`QueueNotice::Withdraw`] (then [`OfferOutcome::Withdrawn`], or `Answered`
    /// where the answer was faster): until it is said the operator is rung for nobody else.
    OfferEnded {
        /// Which ring.
        offer: OfferId,
        /// How.
        outcome: OfferOutcome,
    },
    /// The talk with the operator is over.
    TalkOver,
    /// A peer centre that was tried, and how it went. `Moved` is said as soon as it has answered: the place in the queue
    /// is given up, and the call counts as being there until [`super::CentreInput::CallOver`], another
    /// [`QueueOrder::Enter`], or `BridgedThenReturned`, which says that the caller is back and waits nowhere. Anything else
    /// is a failure: the caller has kept the place, and the next peer is tried.
    PeerTried {
        /// Which.
        peer: Peer,
        /// How it went.
        outcome: TransferOutcome,
    },
    /// The host has offered a callback to the caller, who heard it: the limit is kept.
    CallbackOffered,
    /// The caller waits no more.
    Leave(LeaveReason),
}

/// Why a caller left a queue without an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum LeaveReason {
    /// Hung up.
    Abandoned,
    /// Will be called back.
    Callback,
    /// A peer centre has them.
    Peer,
    /// The script took them out (a key, its own patience).
    Script,
    /// The host did: a limit, an admin, the engine's end.
    Host,
}

/// How one ring of one operator went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum OfferOutcome {
    Answered,
    Busy,
    NoAnswer,
    Rejected,
    Unavailable,
    /// The call took it back: the caller is gone, or somebody else answered.
    Withdrawn,
}

/// An operator to be rung for a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Which ring.
    pub id: OfferId,
    /// Who.
    pub operator: Operator,
    /// Where.
    pub target: DialTarget,
    /// For how long.
    pub ring_max: Duration,
}

/// A peer centre to be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerRoute {
    /// Which.
    pub peer: Peer,
    /// Where.
    pub target: DialTarget,
    /// For how long.
    pub ring_max: Duration,
}

/// What the centre tells a call with a waiting caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueNotice {
    /// The caller is in. Then again whenever it is time to say it, where the queue announces.
    Position {
        /// From 1.
        position: u32,
        /// What the wait will be, where there is enough to go by.
        expected_wait: Option<Duration>,
        /// It is time to say it.
        announce: bool,
    },
    /// Ring this operator.
    Offer(Offer),
    /// Stop ringing: somebody else has the caller, or the operator is gone.
    Withdraw(OfferId),
    /// Try this peer centre: the wait is coming to its limit, or nobody works here. Answered with
    /// [`QueueOrder::PeerTried`].
    TryPeer(PeerRoute),
    /// The wait is coming to its limit, and no peer is to be had: offer a callback now. `false`: this queue calls nobody
    /// back; say that it takes longer.
    OfferCallback {
        /// The queue calls back.
        possible: bool,
    },
    /// The script's own patience is at its end; the caller is out of the queue.
    TimedOut,
    /// Not let in, or put out.
    Refused(WaitRefusal),
}

/// Why a caller is not let into a queue, or put out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WaitRefusal {
    /// No such queue; says what to configure.
    Unknown(String),
    /// As many wait as may.
    Full,
    /// Nobody works now; from when, where it is known. Who waits when a queue closes is served on until the limit comes,
    /// and is then put out with this where no peer centre takes the caller: the host says the opening and offers a callback.
    Closed {
        /// The moment of the opening.
        opens: Option<Timestamp>,
    },
}
