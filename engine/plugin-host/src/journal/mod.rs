//! The journal: what a script asked and what it was told, in order.
//!
//! There are two forms of it. For people, each host call as JSON with everything personal masked: [`JournalStep`],
//! [`JournalEntry`]. For a replay, each host call to the bit: [`CallJournal`]. The exact form holds what callers entered
//! under sensitive questions; whoever keeps it seals it, and shows the other form only.
//!
//! - `recorded`: values of host calls, written and read
//! - `recorder`: one buffer a call, filled as its host calls come
//! - `kept`: a whole journal, written down and opened again
//! - `codecs`: which types each host function has, so that a journal can be read without its script
//! - `redact`: what of a host call may be shown
//! - `told`: a host call in one line

mod codecs;
mod kept;
mod recorded;
mod recorder;
mod redact;
mod told;

pub(crate) use codecs::{Codec, Codecs, codec};
pub use kept::{CallJournal, JournalEnd, JournalError, JournalHeader, JournalStep};
pub(crate) use kept::{Masks, Opened, RawEntry, Start};
pub(crate) use recorded::Recorded;
pub(crate) use recorder::{Answered, Recorder, Whose};
pub(crate) use redact::{Hides, is_sensitive, redact, redact_numbers, withhold};
pub(crate) use told::{asked, line, plain};

use gudok_core::ids::CallId;
use gudok_core::time::Timestamp;
use serde_json::Value;

/// Takes the host calls of one call. Called on the script's thread: hand over and return.
pub trait Journal: Send + Sync {
    /// In which form it wants them.
    fn wants(&self) -> Wants {
        Wants::Entries
    }

    /// A host call is over. Only where [`Wants::Entries`] are wanted.
    fn record(&self, _entry: JournalEntry<'_>) {}

    /// The script is over, and this is what it asked and was told. Only where the [`Wants::Whole`] is wanted. Its exact
    /// form is not fit to be written down in clear.
    fn keep(&self, _journal: CallJournal) {}
}

/// In which form a journal is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// Each host call as it comes, redacted.
    Entries,
    /// All of them at the end, exactly.
    Whole {
        /// What comes later is left out, and the journal says so.
        bytes_max: usize,
    },
}

/// One host call.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalEntry<'a> {
    /// The call.
    pub call: CallId,
    /// From 1, without gaps.
    pub seq: u32,
    /// When it was answered; virtual in the simulator.
    pub at: Timestamp,
    /// As in the WIT: "telephony.call.say".
    pub function: &'a str,
    /// A list with the arguments, redacted.
    pub args: Value,
    /// The result, redacted.
    pub result: Value,
}
