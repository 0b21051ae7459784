//! The version that the call ran on: every host call must be the one that the journal has, to the bit.

use super::{Over, Ran, stop};
use crate::journal::{Answered, CallJournal, JournalEnd, Opened, RawEntry, Recorded};
use std::sync::Arc;

/// Answers a script from its own journal.
pub(crate) struct Exact {
    page: Vec<u8>,
    entries: Vec<RawEntry>,
    end: JournalEnd,
    is_cut: bool,
    /// The next entry.
    next: usize,
    /// Arguments, written as they are in the journal.
    scratch: Vec<u8>,
    over: Option<Over>,
}

impl Exact {
    pub(super) fn new(journal: &CallJournal, opened: &Opened) -> Self {
        Self {
            page: journal.page().to_vec(),
            entries: opened.entries.clone(),
            end: opened.end.clone(),
            is_cut: journal.header.is_cut,
            next: 0,
            scratch: Vec::new(),
            over: None,
        }
    }

    pub(super) fn asked(&mut self, function: &Arc<str>, params: &impl Recorded) -> wasmtime::Result<()> {
        let Some(entry) = self.entries.get(self.next) else {
            return Err(match self.ends_early() {
                true => self.stop_with(Over::WithTheJournal),
                false => self.part(None, function, params, "the script goes on where it had come to its end"),
            });
        };
        self.scratch.clear();
        params.write(&mut self.scratch);
        let is_same = entry.function == *function && self.page.get(entry.args.clone()) == Some(&self.scratch);
        if !is_same {
            let why = if entry.function == *function {
                "the same host call with other arguments"
            } else {
                "another host call"
            };
            return Err(self.part(Some(self.next), function, params, why));
        }
        if entry.answer.is_none() {
            self.next += 1;
            return Err(self.stop_with(Over::WithTheJournal));
        }
        Ok(())
    }

    pub(super) fn wants_own(&self) -> bool {
        let answer = self.entries.get(self.next).and_then(|entry| entry.answer.as_ref());
        matches!(answer, Some((Answered::ByBundle, _)))
    }

    /// The host's own answer was taken.
    pub(super) const fn took_own(&mut self) {
        self.next += 1;
    }

    pub(super) fn answer<R: Recorded>(&mut self) -> wasmtime::Result<R> {
        let range = self.entries.get(self.next).and_then(|entry| entry.answer.as_ref()).map(|(_, range)| range.clone());
        let bytes = range.and_then(|range| self.page.get(range));
        match bytes.map(|mut bytes| R::read(&mut bytes)) {
            Some(Ok(answer)) => {
                self.next += 1;
                Ok(answer)
            }
            _ => {
                let why = "the journal's answer cannot be read".to_owned();
                Err(self.stop_with(Over::Parted { expected: Some(self.next), found: None, why }))
            }
        }
    }

    pub(super) fn finish(self, end: JournalEnd) -> Ran {
        let over = match self.over {
            Some(over) => over,
            None if self.next < self.entries.len() => Over::Parted {
                expected: Some(self.next),
                found: None,
                why: format!("the script came to its end ({}) where it had gone on", super::report::end_words(&end)),
            },
            None => Over::Ended(end),
        };
        let same_calls = u32::try_from(self.next).unwrap_or(u32::MAX);
        Ran { same_calls, followed: None, over }
    }

    /// The journal has less than the call had, or the host stopped the script between two host calls.
    const fn ends_early(&self) -> bool {
        self.is_cut || matches!(self.end, JournalEnd::Stopped(_) | JournalEnd::Dropped)
    }

    fn part(
        &mut self,
        expected: Option<usize>,
        function: &Arc<str>,
        params: &impl Recorded,
        why: &str,
    ) -> wasmtime::Error {
        let found = Some((Arc::clone(function), params.to_json()));
        self.stop_with(Over::Parted { expected, found, why: why.to_owned() })
    }

    fn stop_with(&mut self, over: Over) -> wasmtime::Error {
        self.over.get_or_insert(over);
        stop()
    }
}
