//! A campaign's call: what it begins with, what is heard on it, what it says of itself.

use super::contact::{AttemptEnd, AttemptId};
use super::settings::OnMachine;
use crate::ids::Queue;
use crate::leg::DialTarget;
use crate::privacy::PhoneNumber;
use std::sync::Arc;
use std::time::Duration;

/// A contact, as its script is told; the WIT's `contact`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CampaignContact {
    /// As the list has it.
    pub id: Arc<str>,
    /// E.164.
    pub number: PhoneNumber,
    /// Attempts that counted, and this one.
    pub attempt: u8,
    /// The list's other columns. Personal: never written down in clear.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
}

/// What a campaign's call begins with. Its attempt is claimed already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CampaignCall {
    /// Which attempt.
    pub attempt: AttemptId,
    /// For the script.
    pub contact: CampaignContact,
    /// Where the contact is dialled.
    pub target: DialTarget,
    /// How long it rings.
    pub ring_max: Duration,
    /// What becomes of an answering machine.
    pub on_machine: OnMachine,
    /// Operators that the script may hand over to at once: whoever enters this queue in this call stands at its head.
    pub queue: Option<Queue>,
}

/// What a campaign's call says of itself; for [`super::CampaignInput`], in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CampaignReport {
    /// It was answered.
    Answered,
    /// It is with an operator.
    Connected,
    /// It is over. Exactly once, and last.
    Ended(AttemptEnd),
}

/// What is listened for on a leg that we called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listen {
    /// Before the answer: [`Heard::Busy`] and [`Heard::Intercept`], once.
    Tones,
    /// From the answer on: who or what answered, once and within [`Listen::DECIDE_MAX`]; after [`Heard::Machine`] then
    /// [`Heard::Beep`] or [`Heard::GreetingOver`], once and within [`Listen::GREETING_MAX`].
    Answer,
    /// For nothing any more.
    Stop,
}

impl Listen {
    /// By then it is decided who answered.
    pub const DECIDE_MAX: Duration = Duration::from_millis(3_500);
    /// A greeting that is longer is taken for over.
    pub const GREETING_MAX: Duration = Duration::from_secs(40);
}

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Heard {
    /// A person.
    Human,
    /// An answering machine's greeting.
    Machine,
    /// Nobody said a word.
    Silence,
    /// A fax or modem (1,100 Hz or 2,100 Hz).
    Fax,
    /// The busy or congestion tone (ITU-T E.180; 425 Hz here).
    Busy,
    /// The special information tone before an intercept announcement (ITU-T E.180, 950, 1,400 and 1,800 Hz).
    Intercept,
    /// The machine's beep is over: speak now.
    Beep,
    /// The machine's greeting is over, and no beep came.
    GreetingOver,
}

impl Heard {
    /// The word for it in traces and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Silence => "silence",
            Self::Fax => "fax",
            Self::Busy => "busy",
            Self::Intercept => "intercept",
            Self::Beep => "beep",
            Self::GreetingOver => "greeting-over",
        }
    }
}
