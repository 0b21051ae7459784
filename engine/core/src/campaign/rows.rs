//! The contacts of one campaign, packed: a million of them have to fit beside calls.

use super::contact::{ContactNo, ContactSeed, ContactState, NumberKey, Spent};
use super::settings::ZoneNo;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Rows that are allocated together: places come in order, and a place out of order costs no more than this.
const PAGE_ROWS: usize = 256;
/// No window of its own.
const NO_WINDOW: u8 = u8::MAX;
/// No disposition yet.
const NO_DISPOSITION: u8 = u8::MAX;

/// Where a contact stands, without what only calls in hand need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Waits, or is in hand.
    Waiting,
    /// A crash cut its attempt off.
    Unknown,
    /// The end.
    Done,
}

/// One contact, in [`Row::BYTES`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Two halves: sixteen bytes that need not stand on a multiple of sixteen.
    number: [u64; 2],
    /// Not before, unknown since, or done at; the epoch for none.
    at: Timestamp,
    day: u16,
    claims: u16,
    zone: u16,
    attempts: u8,
    today: u8,
    in_a_row: u8,
    last: u8,
    window: u8,
    disposition: u8,
    place: Option<Place>,
}

impl Row {
    /// What one costs.
    pub(super) const BYTES: usize = size_of::<Self>();

    const EMPTY: Self = Self {
        number: [0; 2],
        at: Timestamp::from_micros(0),
        day: 0,
        claims: 0,
        zone: 0,
        attempts: 0,
        today: 0,
        in_a_row: 0,
        last: NO_DISPOSITION,
        window: NO_WINDOW,
        disposition: NO_DISPOSITION,
        place: None,
    };

    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn of(seed: &ContactSeed) -> Self {
        let mut row = Self {
            number: [(seed.number.0 >> 64) as u64, seed.number.0 as u64],
            zone: seed.zone.0,
            window: seed.window.unwrap_or(NO_WINDOW),
            ..Self::EMPTY
        };
        row.spend(seed.spent);
        match seed.state {
            ContactState::Waiting { not_before } => row.wait(not_before),
            // What a crash left: the machine decides at once what becomes of it.
            ContactState::Claimed { .. } => row.wait(None),
            ContactState::Unknown { since } => row.unknown(since),
            ContactState::Done { disposition, at } => row.done(disposition, at),
        }
        row
    }

    pub(super) const fn number(&self) -> NumberKey {
        NumberKey((self.number[0] as u128) << 64 | self.number[1] as u128)
    }

    pub(super) const fn zone(&self) -> ZoneNo {
        ZoneNo(self.zone)
    }

    pub(super) fn window(&self) -> Option<u8> {
        Some(self.window).filter(|window| *window != NO_WINDOW)
    }

    pub(super) fn place(&self) -> Place {
        self.place.unwrap_or(Place::Done)
    }

    /// For one that waits.
    pub(super) fn not_before(&self) -> Option<Timestamp> {
        Some(self.at).filter(|at| at.as_micros() > 0)
    }

    /// For one that is done.
    pub(super) const fn disposition(&self) -> u8 {
        self.disposition
    }

    pub(super) fn wait(&mut self, not_before: Option<Timestamp>) {
        (self.place, self.at) = (Some(Place::Waiting), not_before.unwrap_or_default());
    }

    pub(super) fn unknown(&mut self, since: Timestamp) {
        (self.place, self.at) = (Some(Place::Unknown), since);
    }

    pub(super) fn done(&mut self, disposition: u8, at: Timestamp) {
        (self.place, self.at, self.disposition) = (Some(Place::Done), at, disposition);
    }

    pub(super) fn spent(&self) -> Spent {
        Spent {
            attempts: self.attempts,
            today: self.today,
            day: self.day,
            last: Some(self.last).filter(|last| *last != NO_DISPOSITION),
            in_a_row: self.in_a_row,
            claims: self.claims,
        }
    }

    pub(super) fn spend(&mut self, spent: Spent) {
        self.attempts = spent.attempts;
        self.today = spent.today;
        self.day = spent.day;
        self.last = spent.last.unwrap_or(NO_DISPOSITION);
        self.in_a_row = spent.in_a_row;
        self.claims = spent.claims;
    }

    /// As it stands when nothing is in hand.
    pub(super) fn state(&self) -> ContactState {
        match self.place() {
            Place::Waiting => ContactState::Waiting { not_before: self.not_before() },
            Place::Unknown => ContactState::Unknown { since: self.at },
            Place::Done => ContactState::Done { disposition: self.disposition, at: self.at },
        }
    }

    pub(super) fn seed(&self, no: ContactNo) -> ContactSeed {
        ContactSeed {
            no,
            number: self.number(),
            zone: self.zone(),
            window: self.window(),
            state: self.state(),
            spent: self.spent(),
        }
    }
}

/// All of one campaign's.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pages: BTreeMap<u32, Box<[Row]>>,
    len: u64,
}

impl Rows {
    /// False where the place is known already.
    pub(super) fn insert(&mut self, seed: &ContactSeed) -> bool {
        let (page, place) = split(seed.no);
        let page = self.pages.entry(page).or_insert_with(|| vec![Row::EMPTY; PAGE_ROWS].into_boxed_slice());
        let new = page[place].place.is_none();
        if new {
            page[place] = Row::of(seed);
            self.len += 1;
        }
        new
    }

    pub(super) fn get(&self, no: ContactNo) -> Option<&Row> {
        let (page, place) = split(no);
        self.pages.get(&page).map(|page| &page[place]).filter(|row| row.place.is_some())
    }

    pub(super) fn get_mut(&mut self, no: ContactNo) -> Option<&mut Row> {
        let (page, place) = split(no);
        self.pages.get_mut(&page).map(|page| &mut page[place]).filter(|row| row.place.is_some())
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ContactNo, &Row)> {
        let of_page = |(page, rows)| {
            let first: u32 = page * PAGE_ROWS_U32;
            (first..).map(ContactNo).zip(rows)
        };
        let pages = self.pages.iter().map(|(page, rows)| (*page, rows.iter()));
        pages.flat_map(of_page).filter(|(_, row): &(ContactNo, &Row)| row.place.is_some())
    }

    pub(super) fn bytes(&self) -> usize {
        self.pages.len() * PAGE_ROWS * Row::BYTES
    }
}

const PAGE_ROWS_U32: u32 = 256;

const fn split(no: ContactNo) -> (u32, usize) {
    (no.0 / PAGE_ROWS_U32, (no.0 % PAGE_ROWS_U32) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_small_and_gives_back_what_it_was_given() {
        const { assert!(Row::BYTES <= 40) };
        let spent = Spent { attempts: 3, today: 2, day: 20_000, last: Some(12), in_a_row: 2, claims: 700 };
        let seed = ContactSeed {
            no: ContactNo(70_000),
            number: NumberKey(u128::MAX / 3),
            zone: ZoneNo(9),
            window: Some(1),
            state: ContactState::Waiting { not_before: Some(Timestamp::from_millis(5)) },
            spent,
        };
        let mut rows = Rows::default();
        assert!(rows.insert(&seed));
        assert!(!rows.insert(&seed), "a place is given once");
        assert_eq!(rows.get(ContactNo(70_000)).unwrap().seed(ContactNo(70_000)), seed);
        assert!(rows.get(ContactNo(70_001)).is_none());
        assert_eq!(rows.iter().map(|(no, _)| no).collect::<Vec<_>>(), [ContactNo(70_000)]);
        assert_eq!(rows.len(), 1);
    }
}
