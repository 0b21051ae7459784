//! The centre: who waits, who works, and who is owed a call.
//!
//! One machine for the whole engine. A call's machine says that its caller waits ([`QueueOrder`]); the centre says which
//! operator to ring, which peer centre to try, and when the wait has been long enough ([`QueueNotice`]). It rings nobody
//! itself: legs belong to calls. Callbacks wait in the same queues, at their head.
//!
//! *Architecture Invariant:* nobody waits past the queue's limit without an operator, a peer centre, or the offer of a
//! callback; the limit is a timer that acts, whatever the script does.
//!
//! *Architecture Invariant:* a caller is dialled for a callback only after the claim on the attempt is durable, and an
//! attempt whose outcome is unknown is never dialled again by itself.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `settings`, `operator`, `waiting`, `callback`, `face` | the words that calls, pages and the host share with the centre |
//! | `machine` | what the machine is told, and in which order what follows |
//! | `line` | who waits, in which order, and what the operator should be good at |
//! | `entering` | how callers come into the line and leave it; positions; patience |
//! | `board` | what each operator is doing |
//! | `ringing` | whom to ring for whom; how rings and talks end |
//! | `limit` | the forty seconds: peer centres, then the offer of a callback |
//! | `peers` | peer centres: order, capacity, failure memory |
//! | `book`, `callbacks` | what is promised; how it is written down, claimed, tried, escalated, recovered |
//! | `estimate` | the expected wait |
//! | `timers` | all timers, in one enum |
//! | `views` | the centre as people see it |
//! | `contract` | what the machine promises, as a checker from outside |

mod board;
mod book;
mod callback;
mod callbacks;
pub mod contract;
mod entering;
mod estimate;
mod face;
mod limit;
mod line;
mod machine;
mod names;
mod operator;
mod peers;
mod ringing;
mod settings;
mod timers;
mod views;
mod waiting;

#[cfg(test)]
mod tests;

pub use callback::{
    AttemptOutcome, Callback, CallbackAttempt, CallbackOrigin, CallbackReceipt, CallbackRefusal, CallbackStart,
    CallbackState, CallbackWish, GivenUp, UnknownRule,
};
pub use face::{
    CallbackDecision, CallbackOrder, CentreCommand, CentreInput, OperatorView, PeerView, QueueView, SaveId, WaitingView,
};
pub use machine::CentreMachine;
pub use operator::{LogoutReason, OperatorOrder, OperatorRefusal, OperatorState, PauseReason};
pub use settings::{
    CallbackRules, CentreSettings, DialFirst, OperatorSettings, PeerSettings, QueueSettings, RingStrategy,
    SkillRelaxation,
};
pub use waiting::{
    LeaveReason, Offer, OfferId, OfferOutcome, PeerRoute, QueueNotice, QueueOrder, SkillWish, WaitRefusal, Waiting,
};
