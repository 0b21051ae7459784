//! Contacts, attempts, and what came of them.

use super::settings::ZoneNo;
use crate::ids::{Agency, CallId, Campaign};
use crate::time::Timestamp;
use std::sync::Arc;

/// A contact's place in its campaign's list, from 0. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContactNo(pub u32);

/// Stands for a telephone number: the same number has the same key, and from the key nobody finds the number. The host
/// makes it with a secret of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey(pub u128);

impl std::fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumberKey(…)")
    }
}

/// What the machine keeps of a contact: everything else is in the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContactSeed {
    /// Its place.
    pub no: ContactNo,
    /// Its number.
    pub number: NumberKey,
    /// Where it is.
    pub zone: ZoneNo,
    /// A window of its own: a place in [`super::CampaignSettings::windows`].
    pub window: Option<u8>,
    /// Where it stands.
    pub state: ContactState,
    /// What was tried.
    pub spent: Spent,
}

/// What was tried of a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Attempts that counted.
    pub attempts: u8,
    /// Of the last of its own days on which there was one …
    pub today: u8,
    /// … which was this, in days since the Unix epoch, in its own zone.
    pub day: u16,
    /// The last disposition, by its place in [`Disposition::KINDS`] …
    pub last: Option<u8>,
    /// … and how often in a row it came.
    pub in_a_row: u8,
    /// Claims, counted or not: the next attempt's number is one more.
    pub claims: u16,
}

/// Where a contact stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContactState {
    /// Waits for its turn.
    Waiting {
        /// Not before; none for at once.
        not_before: Option<Timestamp>,
    },
    /// Its attempt is durable, and it is being dialled or talked to.
    Claimed {
        /// In this call.
        call: CallId,
    },
    /// A crash cut its attempt off: a person decides.
    Unknown {
        /// Found when.
        since: Timestamp,
    },
    /// The end.
    Done {
        /// The last disposition's kind: [`Disposition::KINDS`] by place.
        disposition: u8,
        /// When.
        at: Timestamp,
    },
}

impl ContactState {
    /// The word for it in pages and the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Claimed { .. } => "claimed",
            Self::Unknown { .. } => "unknown",
            Self::Done { .. } => "done",
        }
    }
}

/// One attempt: one dial of one contact.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttemptId {
    /// Of which campaign.
    pub campaign: Campaign,
    /// Of which contact.
    pub contact: ContactNo,
    /// Which of its claims, from 1.
    pub nth: u16,
}

/// What a script says before dialling; the WIT's `plan`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Dial.
    Dial,
    /// Never; says why.
    Skip(Arc<str>),
    /// Not now.
    NotBefore(Timestamp),
}

/// Who or what answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum AnsweredBy {
    /// Nobody looked, or nobody knows.
    #[default]
    Unknown,
    /// A person.
    Human,
    /// An answering machine.
    Machine,
    /// A fax or modem.
    Fax,
}

impl AnsweredBy {
    /// The word for it in records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Fax => "fax",
        }
    }
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// Informed, says the script.
    Delivered,
    /// Informed, and confirmed with these words of the script: "understood".
    Confirmed(Arc<str>),
    /// Wants to hear nothing of it.
    Declined,
    /// The message is on an answering machine.
    Voicemail,
    /// Somebody else.
    WrongPerson,
    /// Asked to be called at another time.
    RetryAt(Timestamp),
    /// Asked never to be called again: an opt-out of the campaign's agency.
    DoNotCall,
    /// The script's own words for what went wrong: "identity not checked".
    Failed(Arc<str>),
    /// Answered, and hung up before the script was done.
    HungUp,
    /// Answered, and there was no operator in time.
    Abandoned,
    /// An answering machine, and nothing was left on it.
    Machine,
    /// A fax or modem.
    Fax,
    /// Busy: 486, 600, or the tone.
    Busy,
    /// Rang, and nobody answered.
    NoAnswer,
    /// Refused: 603 and the like.
    Rejected,
    /// No such number: 404, 484, 604, or the intercept tone.
    NoSuchNumber,
    /// The way out failed: 5xx, no route. Nobody was rung: does not count as an attempt.
    Unavailable,
    /// Claimed, and not dialled after all: paused, stopped, or out of the window meanwhile. Does not count.
    NotDialled,
    /// The script said so before dialling, and why. Nobody was rung.
    Skipped(Arc<str>),
    /// The script trapped, looped or was not there, before dialling or on the call.
    ScriptFailed,
    /// A crash cut it off.
    Unknown,
    /// Opted out meanwhile. Nobody was rung.
    OptedOut,
    /// The campaign's deadline has passed.
    Expired,
    /// A person took the contact off the list.
    Cancelled,
}

impl Disposition {
    /// Every kind; a place here is stored.
    pub const KINDS: [&'static str; 24] = [
        "delivered",
        "confirmed",
        "declined",
        "voicemail",
        "wrong-person",
        "retry-at",
        "do-not-call",
        "failed",
        "hung-up",
        "abandoned",
        "machine",
        "fax",
        "busy",
        "no-answer",
        "rejected",
        "no-such-number",
        "unavailable",
        "not-dialled",
        "skipped",
        "script-failed",
        "unknown",
        "opted-out",
        "expired",
        "cancelled",
    ];

    /// The place of its kind in [`Disposition::KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Delivered => 0,
            Self::Confirmed(_) => 1,
            Self::Declined => 2,
            Self::Voicemail => 3,
            Self::WrongPerson => 4,
            Self::RetryAt(_) => 5,
            Self::DoNotCall => 6,
            Self::Failed(_) => 7,
            Self::HungUp => 8,
            Self::Abandoned => 9,
            Self::Machine => 10,
            Self::Fax => 11,
            Self::Busy => 12,
            Self::NoAnswer => 13,
            Self::Rejected => 14,
            Self::NoSuchNumber => 15,
            Self::Unavailable => 16,
            Self::NotDialled => 17,
            Self::Skipped(_) => 18,
            Self::ScriptFailed => 19,
            Self::Unknown => 20,
            Self::OptedOut => 21,
            Self::Expired => 22,
            Self::Cancelled => 23,
        }
    }

    /// The word for it in records, metrics, results and retry rules.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        Self::KINDS[self.kind() as usize]
    }

    /// The script's own words with it.
    #[must_use]
    pub const fn words(&self) -> Option<&Arc<str>> {
        match self {
            Self::Confirmed(words) | Self::Failed(words) | Self::Skipped(words) => Some(words),
            _ => None,
        }
    }

    /// Somebody was, or may have been, rung: it counts against the limits of attempts.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(
            self,
            Self::Unavailable | Self::NotDialled | Self::Skipped(_) | Self::OptedOut | Self::Expired | Self::Cancelled
        )
    }
}

/// How an attempt's call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptEnd {
    /// What became of it.
    pub disposition: Disposition,
    /// Who or what answered; none where nobody did.
    pub answered_by: Option<AnsweredBy>,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// The final SIP status, where there was one.
    pub status: Option<u16>,
}

/// One attempt, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptRecord {
    /// Which.
    pub attempt: AttemptId,
    /// Its call.
    pub call: CallId,
    /// Durable since; the epoch itself where a crash cut it off and only the store knows: what it knows stays.
    pub claimed: Timestamp,
    /// Dialled when; none where it was not, or where a crash cut it off.
    pub dialled: Option<Timestamp>,
    /// Over when.
    pub ended: Option<Timestamp>,
    /// How; none while it goes on.
    pub end: Option<AttemptEnd>,
}

/// Whom somebody does not want to be called by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OptOutScope {
    /// By nobody.
    Global,
    /// By this agency.
    Agency(Agency),
}

/// Somebody does not want to be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptOut {
    /// Who.
    pub number: NumberKey,
    /// By whom.
    pub scope: OptOutScope,
    /// Not even in an emergency: the law says so.
    pub protected: bool,
}
