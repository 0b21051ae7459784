//! What people see of a campaign: how far it is, how fast, until when, and why nothing is dialled now.

use super::contact::{ContactSeed, Disposition};
use super::settings::RunState;
use crate::ids::{CallId, Trunk};
use crate::time::Timestamp;
use std::sync::Arc;

/// One count for each of [`Disposition::KINDS`], by place.
pub type ByDisposition = [u64; Disposition::KINDS.len()];

/// How a campaign stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Whether it works.
    pub run: RunState,
    /// Why it does or does not, where no person said so.
    pub reason: Option<Arc<str>>,
    /// Everybody on its list. The sum of those who wait, are in hand, unknown and done.
    pub contacts: u64,
    /// Wait for their turn, their time or their window.
    pub waiting: u64,
    /// Are being prepared, claimed, dialled, talked to, or written down.
    pub in_hand: u64,
    /// Were cut off by a crash, and wait for a person's word.
    pub unknown: u64,
    /// Will not be called any more.
    pub done: u64,
    /// Those who are done, by their last disposition.
    pub dispositions: ByDisposition,
    /// Attempts that counted, of all contacts.
    pub attempts: u64,
    /// How attempts ended since this process began; those that did not count are here, too.
    pub ends: ByDisposition,
    /// Calls now.
    pub calls: LiveCalls,
    /// Calls begun in the last minute.
    pub begun_last_minute: u64,
    /// Of those who answered in the last hour, how many got no operator in time, in thousandths; none where nobody answered,
    /// or no operators are wanted.
    pub abandoned_permille: Option<u16>,
    /// When a window opens next for somebody who waits, where none is open for any.
    pub next_opening: Option<Timestamp>,
    /// When everybody will be done, by the pace, the windows and what came of the calls so far. An estimate; none where the
    /// campaign does not run, or will never be done.
    pub ends_at: Option<Timestamp>,
    /// Why nothing is dialled at this moment; none where something is, or may be.
    pub why_idle: Option<WhyIdle>,
}

/// A campaign's calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LiveCalls {
    /// Dialled, and not answered.
    pub ringing: u64,
    /// Answered, and not with an operator.
    pub answered: u64,
    /// With an operator.
    pub connected: u64,
}

/// Why nothing is dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyIdle {
    /// It is being made.
    Draft,
    /// A person holds it, or its script failed too often.
    Paused,
    /// A person ended it.
    Stopped,
    /// Everybody is done, or its deadline has passed.
    Finished,
    /// Its contacts are still being read after the engine's start.
    Loading,
    /// It begins later.
    NotBefore(Timestamp),
    /// The engine drains, or is overloaded.
    EngineClosed,
    /// More inbound calls are on than campaigns may be beside.
    InboundBusy {
        /// Now.
        calls: u32,
        /// Campaigns work up to so many.
        calls_max: u32,
    },
    /// The trunk takes no campaign's calls.
    NoTrunk(Trunk),
    /// The trunk failed, and is left alone.
    TrunkResting {
        /// Until then.
        until: Timestamp,
    },
    /// The trunk failed, and one call shows whether it works again.
    TrunkProbed,
    /// Its own calls are as many as may be.
    CallsMax,
    /// Campaigns' calls on its trunk are as many as may be.
    TrunkCallsMax,
    /// All campaigns' calls together are as many as may be.
    EngineCallsMax,
    /// The operators' queue is closed, or is not there.
    QueueClosed,
    /// No operator is free for another call.
    NoOperators,
    /// No window is open for anybody who waits.
    WindowsClosed {
        /// One opens then; none within a year.
        opens: Option<Timestamp>,
    },
    /// Everybody who waits in an open window is to be tried again later.
    NothingDue {
        /// The first of them then.
        at: Option<Timestamp>,
    },
    /// Only contacts are left whose attempts a crash cut off: people decide about them.
    PeopleDecide,
    /// Everybody who is left is in hand.
    InHand,
    /// The next call's slot has not come.
    Paced {
        /// It comes then.
        until: Timestamp,
    },
    /// The store does not take what is to be written down.
    StoreFails,
    /// Its script, or the store, is being asked about the next contacts.
    Preparing,
}

impl WhyIdle {
    /// The word for it in the API and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Loading => "loading",
            Self::NotBefore(_) => "not-before",
            Self::EngineClosed => "engine-closed",
            Self::InboundBusy { .. } => "inbound-busy",
            Self::NoTrunk(_) => "no-trunk",
            Self::TrunkResting { .. } => "trunk-resting",
            Self::TrunkProbed => "trunk-probed",
            Self::CallsMax => "calls-max",
            Self::TrunkCallsMax => "trunk-calls-max",
            Self::EngineCallsMax => "engine-calls-max",
            Self::QueueClosed => "queue-closed",
            Self::NoOperators => "no-operators",
            Self::WindowsClosed { .. } => "windows-closed",
            Self::NothingDue { .. } => "nothing-due",
            Self::PeopleDecide => "people-decide",
            Self::InHand => "in-hand",
            Self::Paced { .. } => "paced",
            Self::StoreFails => "store-fails",
            Self::Preparing => "preparing",
        }
    }

    /// It ends by itself then.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::NotBefore(at) | Self::TrunkResting { until: at } | Self::Paced { until: at } => Some(*at),
            Self::WindowsClosed { opens: at } | Self::NothingDue { at } => *at,
            _ => None,
        }
    }
}

/// One contact, as the machine has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContactView {
    /// What the store has, or will have as soon as it is written down.
    pub seed: ContactSeed,
    /// What is going on with it now.
    pub stage: ContactStage,
}

/// What is going on with a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContactStage {
    /// Nothing.
    Standing,
    /// Its script is asked, or its slot is near: nothing is written down yet.
    Preparing,
    /// Its claim is being written down, or is, and its slot comes in a moment.
    Claimed,
    /// It rings.
    Ringing(CallId),
    /// It was answered.
    Answered(CallId),
    /// An operator talks to it.
    Connected(CallId),
    /// The call is over, and what came of it is being written down.
    Ending,
}

/// What would happen when: the dry run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forecast {
    /// Hours from the next whole hour backwards, in order; hours without a call are left out.
    pub hours: Vec<ForecastHour>,
    /// Contacts that were looked at.
    pub contacts: u64,
    /// Contacts that will be called at least once.
    pub called: u64,
    /// Calls in all, by what is assumed.
    pub calls: u64,
    /// The first call.
    pub first: Option<Timestamp>,
    /// The last first call: by then everybody was tried once.
    pub everybody_tried: Option<Timestamp>,
    /// The last call.
    pub last: Option<Timestamp>,
    /// Contacts that will never be called, and why.
    pub never: Vec<(NeverCalled, u64)>,
    /// What is assumed.
    pub assumed: ForecastAssumptions,
}

/// Calls in one hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForecastHour {
    /// It begins then.
    pub begins: Timestamp,
    /// First calls to somebody.
    pub first_calls: u64,
    /// Calls to somebody who was tried before.
    pub again: u64,
}

/// What a forecast assumes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForecastAssumptions {
    /// Of those who are called, so many thousandths are to be called again, if the retry rules let it.
    pub again_permille: u16,
    /// A call occupies its line for so many seconds.
    pub call_s: u16,
}

impl Default for ForecastAssumptions {
    fn default() -> Self {
        Self { again_permille: 450, call_s: 40 }
    }
}

/// Why somebody will never be called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NeverCalled {
    /// Is done already.
    Done,
    /// A crash cut an attempt off, and a person decides.
    Unknown,
    /// Does not want to be called.
    OptedOut,
    /// All attempts are made.
    NoAttemptsLeft,
    /// Is in a zone that the settings do not have.
    UnknownZone,
    /// No window opens within a year, or the contact's own window is not among the campaign's.
    NoWindow,
    /// The deadline, or the forecast's end, comes first.
    TooLate,
    /// The trunk takes no campaign's calls.
    NoTrunk,
}

impl NeverCalled {
    /// The word for it in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::OptedOut => "opted-out",
            Self::NoAttemptsLeft => "no-attempts-left",
            Self::UnknownZone => "unknown-zone",
            Self::NoWindow => "no-window",
            Self::TooLate => "too-late",
            Self::NoTrunk => "no-trunk",
        }
    }
}
