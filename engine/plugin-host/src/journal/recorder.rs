//! One buffer a call, filled as its host calls come. Nothing here waits, and nothing is copied twice.
//!
//! A page: `Start`, then the entries, then `Tail`. An entry: the function by its place in the tail's names, the length of
//! its arguments, the arguments; and once it is answered: how, the time since the answer before in µs, the length of the
//! result, the result. Lengths are 4 bytes, little-endian, so that they can be filled in afterwards.

use super::kept::{CallJournal, JournalEnd, JournalHeader, Start, Tail};
use super::recorded::{Recorded, write};
use gudok_core::ids::{Agency, CallId, Entry, ScriptVersion};
use gudok_core::time::Timestamp;
use std::sync::Arc;

/// Enough for most calls: a buffer that grows is copied.
const BYTES_AT_FIRST: usize = 4 * 1024;
/// Of a length.
pub(super) const LEN_BYTES: usize = 4;

/// How a host call was answered, and what of it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answered {
    /// The result is in the journal.
    Kept = 1,
    /// The script's own bundle has the answer, and the journal knows which bundle that is.
    ByBundle = 2,
}

/// Of one run.
pub(crate) struct Recorder {
    page: Vec<u8>,
    bytes_max: usize,
    entries_at: usize,
    /// Names of functions; an entry has the place in it.
    names: Vec<Arc<str>>,
    host_calls: u32,
    began: Timestamp,
    last_answer: Timestamp,
    /// Where the entry under way begins.
    under_way: Option<usize>,
    is_cut: bool,
}

/// Whose run it was.
pub(crate) struct Whose {
    pub(crate) call: CallId,
    pub(crate) agency: Agency,
    pub(crate) entry: Entry,
    pub(crate) script: ScriptVersion,
}

impl Recorder {
    pub(crate) fn new(start: &Start, began: Timestamp, bytes_max: usize) -> Self {
        let mut page = Vec::with_capacity(BYTES_AT_FIRST.min(bytes_max));
        write(start, &mut page);
        let entries_at = page.len();
        Self {
            page,
            bytes_max,
            entries_at,
            names: Vec::new(),
            host_calls: 0,
            began,
            last_answer: began,
            under_way: None,
            is_cut: false,
        }
    }

    /// A host call came.
    pub(crate) fn asked(&mut self, function: &Arc<str>, args: &impl Recorded) {
        self.host_calls += 1;
        if self.is_cut {
            return;
        }
        let begins = self.page.len();
        let place = self.names.iter().position(|name| Arc::ptr_eq(name, function)).unwrap_or_else(|| {
            self.names.push(Arc::clone(function));
            self.names.len() - 1
        });
        write(&place, &mut self.page);
        with_len(&mut self.page, |page| args.write(page));
        self.under_way = Some(begins);
        self.check_len(begins);
    }

    /// It is answered.
    pub(crate) fn answered(&mut self, how: Answered, result: &impl Recorded, at: Timestamp) {
        let Some(begins) = self.under_way.take() else { return };
        self.page.push(how as u8);
        write(&at.as_micros().saturating_sub(self.last_answer.as_micros()), &mut self.page);
        self.last_answer = at;
        with_len(&mut self.page, |page| {
            if how == Answered::Kept {
                result.write(page);
            }
        });
        self.check_len(begins);
    }

    /// An entry is in it whole or not at all, and after the first one that does not fit there is none.
    fn check_len(&mut self, begins: usize) {
        if self.page.len() > self.bytes_max {
            self.page.truncate(begins);
            self.under_way = None;
            self.is_cut = true;
        }
    }

    /// The script is over.
    pub(crate) fn finish(mut self, whose: Whose, end: JournalEnd, hides: Vec<String>, at: Timestamp) -> CallJournal {
        let tail_at = self.page.len();
        let names = self.names.iter().map(ToString::to_string).collect();
        write(&Tail { names, hides, end }, &mut self.page);
        let header = JournalHeader {
            call: whose.call,
            agency: whose.agency,
            entry: whose.entry,
            script: whose.script,
            began: self.began,
            ended: at,
            host_calls: self.host_calls,
            is_cut: self.is_cut,
        };
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).to_le_bytes();
        self.page.extend(place(self.entries_at));
        self.page.extend(place(tail_at));
        CallJournal { header, page: self.page }
    }
}

/// Appends what `fill` writes, its length before it.
fn with_len(page: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let len_at = page.len();
    page.extend([0; LEN_BYTES]);
    fill(page);
    let len = u32::try_from(page.len() - len_at - LEN_BYTES).unwrap_or(u32::MAX);
    page[len_at..len_at + LEN_BYTES].copy_from_slice(&len.to_le_bytes());
}
