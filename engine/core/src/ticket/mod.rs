//! Tickets: what a caller was promised that an agency will see, under a number that is read to the caller.
//!
//! The rules are here; keeping and delivering is the host's ([`crate::outbox`] says when to send).
//!
//! *Architecture Invariant:* a number is told only after the ticket, its number's count, its delivery and its
//! idempotency key are durable in one change; a number is never given twice.

mod number;

pub use number::{NUMBER_COUNT_DIGITS_MIN, TicketCounts, TicketNumber, TicketPrefixes};

use crate::ids::{Agency, CallId, Entry, Operator, ScriptName};
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Fields of one ticket.
pub const FIELDS_MAX: usize = 64;
/// Bytes of a field's name.
pub const FIELD_NAME_BYTES_MAX: usize = 64;
/// Bytes of a field's value.
pub const FIELD_VALUE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of all fields of a ticket together, so that it fits into one document.
pub const FIELDS_BYTES_MAX: usize = 24 * 1024;
/// Recordings of one ticket.
pub const RECORDINGS_MAX: usize = 8;
/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 256;

/// What a ticket is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TicketKind {
    /// Somebody complains (decree, p4.2).
    Complaint,
    /// Published information is wrong or out of date (decree, p4.3).
    OutdatedInformation,
    /// Somebody asks for something.
    Request,
}

impl TicketKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Complaint, Self::OutdatedInformation, Self::Request];

    /// The word for it, as scripts, webhooks and the API have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::OutdatedInformation => "outdated-information",
            Self::Request => "request",
        }
    }

    /// Reads what [`TicketKind::as_str`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for TicketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A recording that belongs to a ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TicketRecording {
    /// Its name inside its call.
    pub id: Arc<str>,
    /// Of the audio: what was recorded is what arrives.
    pub sha256: [u8; 32],
    /// Its length.
    pub duration: Duration,
}

/// An entry of the directory that a caller says is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongEntry {
    /// Its id.
    pub id: Arc<str>,
    /// The version that was read to the caller.
    pub version: u32,
}

/// Who wrote a ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TicketSource {
    /// A script, while its caller was there.
    Script {
        /// Whose script.
        agency: Agency,
        /// At which entry.
        entry: Entry,
        /// Which.
        script: ScriptName,
        /// In which version.
        version: Arc<str>,
        /// In which call.
        call: CallId,
    },
    /// An operator.
    Operator {
        /// Who.
        operator: Operator,
        /// Talking to whom, where it was in a call.
        call: Option<CallId>,
    },
}

impl TicketSource {
    /// In which call.
    #[must_use]
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Script { call, .. } => Some(*call),
            Self::Operator { call, .. } => *call,
        }
    }
}

/// What is submitted.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketDraft {
    /// About what.
    pub kind: TicketKind,
    /// To whom.
    pub to_agency: Agency,
    /// What was said and entered, in order. Shown to nobody but the agency and the centre's people.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
    /// What was recorded.
    pub recordings: Vec<TicketRecording>,
    /// What is wrong, where it is a notice of that.
    pub entry: Option<WrongEntry>,
    /// By whom.
    pub source: TicketSource,
}

impl fmt::Debug for TicketDraft {
    /// Without the fields' values: they are what the caller said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketDraft")
            .field("kind", &self.kind)
            .field("to_agency", &self.to_agency)
            .field("fields", &self.fields.len())
            .field("recordings", &self.recordings.len())
            .field("entry", &self.entry)
            .field("source", &self.source)
            .finish()
    }
}

/// A ticket that is registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Read to the caller.
    pub number: TicketNumber,
    /// Since when.
    pub registered: Timestamp,
    /// What was submitted.
    pub draft: TicketDraft,
}

/// Why a ticket is not registered. The texts are for authors and operators; callers hear an apology.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TicketRefusal {
    /// Too many fields, or too long ones.
    #[error(
        "a ticket has at most {FIELDS_MAX} fields of {FIELD_VALUE_BYTES_MAX} bytes, {FIELDS_BYTES_MAX} bytes together"
    )]
    Fields,
    /// Too many recordings.
    #[error("a ticket has at most {RECORDINGS_MAX} recordings")]
    Recordings,
    /// No key, or too long a one.
    #[error("an idempotency key has 1 to {KEY_BYTES_MAX} bytes")]
    Key,
    /// A notice of wrong information that does not say which.
    #[error("a ticket of kind outdated-information names the entry of the directory and its version")]
    NoEntry,
}

impl TicketDraft {
    /// Whether it is one that can be kept and delivered.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self, idempotency_key: &str) -> Result<(), TicketRefusal> {
        if !(1..=KEY_BYTES_MAX).contains(&idempotency_key.len()) {
            return Err(TicketRefusal::Key);
        }
        let too_long = |(name, value): &(Arc<str>, Arc<str>)| {
            name.is_empty() || name.len() > FIELD_NAME_BYTES_MAX || value.len() > FIELD_VALUE_BYTES_MAX
        };
        let bytes: usize = self.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.fields.len() > FIELDS_MAX || bytes > FIELDS_BYTES_MAX || self.fields.iter().any(too_long) {
            return Err(TicketRefusal::Fields);
        }
        if self.recordings.len() > RECORDINGS_MAX {
            return Err(TicketRefusal::Recordings);
        }
        if self.kind == TicketKind::OutdatedInformation && self.entry.is_none() {
            return Err(TicketRefusal::NoEntry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: TicketKind) -> TicketDraft {
        TicketDraft {
            kind,
            to_agency: Agency::new("mfc"),
            fields: vec![("address".into(), "улица 1".into())],
            recordings: Vec::new(),
            entry: None,
            source: TicketSource::Operator { operator: Operator::new("anna"), call: None },
        }
    }

    #[test]
    fn a_ticket_that_cannot_be_kept_is_refused_with_the_limit() {
        assert_eq!(draft(TicketKind::Complaint).check("k"), Ok(()));
        assert_eq!(draft(TicketKind::Complaint).check(""), Err(TicketRefusal::Key));
        assert_eq!(draft(TicketKind::Complaint).check(&"k".repeat(257)), Err(TicketRefusal::Key));
        assert_eq!(draft(TicketKind::OutdatedInformation).check("k"), Err(TicketRefusal::NoEntry));
        let mut long = draft(TicketKind::Request);
        long.fields = (0..7).map(|at| (Arc::from(format!("f{at}")), Arc::from("x".repeat(4_000)))).collect();
        assert_eq!(long.check("k"), Err(TicketRefusal::Fields));
        let mut many = draft(TicketKind::Request);
        many.recordings = vec![TicketRecording { id: "r".into(), sha256: [0; 32], duration: Duration::ZERO }; 9];
        assert_eq!(many.check("k"), Err(TicketRefusal::Recordings));
    }

    #[test]
    fn a_debug_line_shows_nothing_that_the_caller_said() {
        assert!(!format!("{:?}", draft(TicketKind::Complaint)).contains("улица"));
    }
}
