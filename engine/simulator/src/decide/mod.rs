//! Whoever decides what is left open in a world: what a caller presses, how a transfer goes, what a back end answers.
//!
//! Without a decider everybody does as written down ([`crate::Caller`], [`crate::Operator`], [`crate::BackEnd`]). A world
//! that has one ([`crate::World::decided_by`]) asks it wherever that says nothing: callers without steps left, and whoever a
//! script turns to. The same decisions replay the same run, so that a list of them ([`Decisions`]) is a conversation that
//! can be kept, shown and run again: `1 3 silence transfer:busy hang-up`.
//!
//! A decider is only asked. What its decision does to the call is the product's own doing: `gudok-core`'s machine rings,
//! waits, refuses and lands as it would in life.

mod at_work;
mod call_of;
mod everything;
mod list;
mod moment;
mod token;
mod twins;

pub(crate) use at_work::Open;
pub(crate) use twins::add as add_twins;

pub use call_of::{CallOf, world_of};
pub use everything::routes_of;
pub use list::{ByList, Decisions};
pub use moment::{AskedBy, Fetches, Moment, Promised, Question, Spoken, Stores, Transfers, Waits};
pub use token::{BackEndChoice, Decision, DirectoryChoice, NoDecision, QueueChoice, TransferChoice};

use crate::report::Line;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Decides.
pub trait Decider: Send {
    /// What happens at this moment. What does not fit it ([`Decision::fits`]) is taken for [`Decision::GoOn`].
    fn decide(&mut self, moment: &Moment) -> Decision;

    /// For how long somebody talks who was just decided to answer; as long as is usual where there is none.
    fn talks(&mut self) -> Option<Duration> {
        None
    }

    /// A line of the transcript, as it comes: "host: Good day.".
    fn line(&mut self, _line: &Line) {}
}

/// A decider as a world and its owner share it.
pub type SharedDecider = Arc<Mutex<dyn Decider>>;
