//! The machine's face: what it is told, and what it says.

use super::contact::{
    AttemptEnd, AttemptId, AttemptRecord, ContactNo, ContactSeed, ContactState, Disposition, OptOut, Plan, Spent,
};
use super::settings::{CampaignSettings, CampaignsSettings, OnMachine, RunState};
use crate::ids::{Agency, CallId, Campaign, Entry, Queue, Trunk};
use crate::privacy::PhoneNumber;
use crate::prompt::LanguageTag;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// One writing-down, in the order in which they are said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SaveId(pub u64);

/// What happens to campaigns.
#[derive(Clone, Debug)]
pub enum CampaignInput {
    /// What campaigns share is this from now on.
    Configured(Arc<CampaignsSettings>),
    /// A campaign is there, or is another: what it says holds for attempts that are not claimed yet. The run state counts
    /// for one that was not known; a known one keeps its own.
    Put(Arc<CampaignSettings>, RunState),
    /// A campaign is no more: its attempts are let go, and nothing is saved of it.
    Removed(Campaign),
    /// Contacts, by their places in order; at the start with what a former process left ([`ContactState::Claimed`] is then
    /// a crash). A place that is known already is ignored.
    Loaded(Campaign, Vec<ContactSeed>),
    /// Every contact of the campaign that there was at the start is loaded, and every opt-out: only now it may dial.
    Ready(Campaign),
    /// The answer to [`CampaignCommand::Prepare`]; an error where the contact cannot be read or its script failed.
    Prepared(AttemptId, Result<Plan, PrepareFailure>),
    /// A writing-down is durable, or failed: then the machine tries again.
    Saved(SaveId, Result<(), String>),
    /// The call of an attempt was answered.
    Answered(AttemptId),
    /// The call of an attempt is with an operator.
    Connected(AttemptId),
    /// The call of an attempt is over; said exactly once for each [`CampaignCommand::Dial`].
    Ended(AttemptId, AttemptEnd),
    /// Somebody does not want to be called any more; saved by the machine.
    OptedOut(OptOut),
    /// Opt-outs that a former process left.
    OptOutsLoaded(Vec<OptOut>),
    /// Somebody may be called again.
    OptedIn(OptOut),
    /// How busy the engine is. Said about once a second, and when it changes much.
    Load(Load),
    /// The wall clock was set: moments that were told before may lie an hour off.
    ClockMoved,
}

/// Why a contact could not be prepared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrepareFailure {
    /// Its script trapped, looped, or returned nothing.
    Script,
    /// No script is active for the campaign's entry.
    NoScript,
    /// The store does not answer, or there is no place for one more script: tried again.
    Store(String),
}

/// How busy the engine is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Inbound calls now.
    pub inbound_calls: u32,
    /// The engine drains, or is overloaded: nothing new is begun.
    pub closed: bool,
    /// By queue.
    pub queues: Vec<QueueLoad>,
}

/// One queue's operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueLoad {
    /// Which.
    pub queue: Queue,
    /// Open now.
    pub open: bool,
    /// Operators who are ready.
    pub ready: u32,
    /// Callers who wait there: they come first.
    pub waiting: u32,
}

/// What people say to a campaign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CampaignOrder {
    /// From draft.
    Start,
    /// Nothing new is dialled.
    Pause,
    /// From paused.
    Resume,
    /// For good. Calls that are on go on.
    Stop,
}

/// What people decide about one contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContactDecision {
    /// Of an unknown attempt: it is taken for made.
    TakeForMade,
    /// Of an unknown attempt, or of a contact that is done: once more.
    TryAgain,
    /// Never.
    Cancel,
}

/// Why nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CampaignRefusal {
    /// No such campaign.
    #[error("there is no campaign {0:?}")]
    Unknown(Campaign),
    /// No such contact.
    #[error("the campaign has no contact {}", .0.0)]
    NoContact(ContactNo),
    /// The order does not fit.
    #[error("the campaign is {state}: it can not be told to {order} now")]
    WrongState {
        /// [`RunState::as_str`].
        state: &'static str,
        /// "start".
        order: &'static str,
    },
    /// The decision does not fit.
    #[error("the contact is {0}: this can not be decided of it now")]
    WrongContact(&'static str),
    /// Nothing to do it with.
    #[error("the campaign has no contacts; import some first")]
    Empty,
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum CampaignCommand {
    /// Fetch the contact and ask its script; answered with [`CampaignInput::Prepared`].
    Prepare(AttemptId),
    /// Write down, in this order; answered with [`CampaignInput::Saved`].
    Save(SaveId, Box<CampaignSave>),
    /// Begin the call now: the claim is durable, and this is its slot. Answered with one [`CampaignInput::Ended`].
    Dial(Box<AttemptStart>),
    /// A campaign's figures are others. Said at most once for each input.
    Changed(Campaign),
}

/// One thing to be written down, in one transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum CampaignSave {
    /// A contact stands elsewhere; with its attempt, where there is one.
    Contact {
        /// Of which campaign.
        campaign: Campaign,
        /// Which.
        contact: ContactNo,
        /// Where it stands.
        state: ContactState,
        /// What was tried.
        spent: Spent,
        /// Claimed now, or over now.
        attempt: Option<AttemptRecord>,
        /// How it came to its end without an attempt: skipped, opted out, expired, cancelled.
        ended: Option<Disposition>,
    },
    /// A campaign runs, or does not.
    Run {
        /// Which.
        campaign: Campaign,
        /// Now.
        state: RunState,
        /// Why, where no person said so: "12 failures of its script in a row".
        reason: Option<Arc<str>>,
    },
    /// Somebody does not want to be called.
    OptOut(OptOut, Timestamp),
    /// Somebody may be called again.
    OptIn(OptOut, Timestamp),
}

/// One call to be begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptStart {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Its call.
    pub call: CallId,
    /// Whose.
    pub agency: Agency,
    /// Whose script, under that entry.
    pub entry: Entry,
    /// Where the contact has no language of its own.
    pub lang: LanguageTag,
    /// By which trunk.
    pub trunk: Trunk,
    /// The number that is shown.
    pub shown: Option<PhoneNumber>,
    /// How long it rings.
    pub ring_max: Duration,
    /// What becomes of an answering machine.
    pub on_machine: OnMachine,
    /// Operators that the script may hand over to at once.
    pub queue: Option<Queue>,
}
