//! The timer wheel of a pacer: twenty slots of a millisecond, each holding the sessions whose frame is due in it.

use crate::codec::FRAME_MS;
use crate::time::MediaTime;

#[expect(clippy::cast_possible_truncation, reason = "twenty")]
const SLOTS: usize = FRAME_MS as usize;
/// A pacer that is further behind than this was not slow but stopped (a suspended machine): it goes on from now
/// instead of sending seconds of packets at once.
const BEHIND_MS_MAX: u64 = 5_000;

/// A place in the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u8);

/// A slot that is due: its place, and the time it was due at, which is the time its packets are stamped with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) slot: Slot,
    pub(crate) at: MediaTime,
}

/// Keeps the schedule. Deadlines are absolute: a late pacer works off the slots it missed one by one, in order.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: [Vec<u32>; SLOTS],
    /// Bit for each slot with members.
    occupied: u32,
    /// The millisecond whose slot is next.
    cursor_ms: u64,
    jumps: u64,
}

impl Wheel {
    pub(crate) fn new(now: MediaTime) -> Self {
        Self { slots: Default::default(), occupied: 0, cursor_ms: now.ms() + 1, jumps: 0 }
    }

    /// Adds a session: to the slot with the fewest members, so that packets are spread over the period; among equals
    /// to the one that comes first.
    pub(crate) fn add(&mut self, member: u32, now: MediaTime) -> Slot {
        if self.occupied == 0 {
            self.cursor_ms = self.cursor_ms.max(now.ms() + 1);
        }
        let first = self.cursor_ms;
        let slot = (first..first + FRAME_MS).map(slot_of).min_by_key(|slot| self.slots[slot.index()].len());
        let slot = slot.unwrap_or(slot_of(first));
        self.slots[slot.index()].push(member);
        self.occupied |= 1 << slot.0;
        slot
    }

    /// Removes a session.
    pub(crate) fn remove(&mut self, member: u32, slot: Slot) {
        let members = &mut self.slots[slot.index()];
        if let Some(at) = members.iter().position(|known| *known == member) {
            members.swap_remove(at);
        }
        self.note(slot);
    }

    /// The next slot that is due at `now`, if any. Its members are then taken with [`Wheel::take`] and given back with
    /// [`Wheel::put_back`].
    pub(crate) fn next_due(&mut self, now: MediaTime) -> Option<Due> {
        let next_ms = self.next_occupied_ms()?;
        if now.ms() < next_ms {
            return None;
        }
        let next_ms = if now.ms() - next_ms > BEHIND_MS_MAX {
            self.jumps += 1;
            self.cursor_ms = now.ms();
            self.next_occupied_ms()?
        } else {
            next_ms
        };
        self.cursor_ms = next_ms + 1;
        (next_ms <= now.ms()).then_some(Due { slot: slot_of(next_ms), at: MediaTime::from_ms(next_ms) })
    }

    pub(crate) fn take(&mut self, slot: Slot) -> Vec<u32> {
        std::mem::take(&mut self.slots[slot.index()])
    }

    pub(crate) fn put_back(&mut self, slot: Slot, mut members: Vec<u32>) {
        // Sessions that were added meanwhile.
        members.append(&mut self.slots[slot.index()]);
        self.slots[slot.index()] = members;
        self.note(slot);
    }

    /// When the next occupied slot is due.
    pub(crate) fn deadline(&self) -> Option<MediaTime> {
        self.next_occupied_ms().map(MediaTime::from_ms)
    }

    /// Sessions in the wheel.
    pub(crate) fn members(&self) -> usize {
        self.slots.iter().map(Vec::len).sum()
    }

    /// Times the schedule was abandoned.
    pub(crate) const fn jumps(&self) -> u64 {
        self.jumps
    }

    fn note(&mut self, slot: Slot) {
        if self.slots[slot.index()].is_empty() {
            self.occupied &= !(1 << slot.0);
        } else {
            self.occupied |= 1 << slot.0;
        }
    }

    fn next_occupied_ms(&self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        (self.cursor_ms..self.cursor_ms + FRAME_MS).find(|ms| self.occupied & (1 << slot_of(*ms).0) != 0)
    }
}

impl Slot {
    const fn index(self) -> usize {
        self.0 as usize
    }
}

const fn slot_of(ms: u64) -> Slot {
    Slot((ms % FRAME_MS) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> MediaTime {
        MediaTime::from_ms(ms)
    }

    /// Fires everything that is due; (time it was due, member).
    fn fire(wheel: &mut Wheel, now_ms: u64) -> Vec<(u64, u32)> {
        let mut fired = vec![];
        while let Some(due) = wheel.next_due(ms(now_ms)) {
            let members = wheel.take(due.slot);
            fired.extend(members.iter().map(|member| (due.at.ms(), *member)));
            wheel.put_back(due.slot, members);
        }
        fired
    }

    #[test]
    fn members_are_spread_evenly() {
        let mut wheel = Wheel::new(ms(1_000));
        for member in 0..2_000 {
            wheel.add(member, ms(1_000));
        }
        assert!(wheel.slots.iter().all(|members| members.len() == 100));
    }

    #[test]
    fn everybody_is_due_every_twenty_milliseconds() {
        let mut wheel = Wheel::new(ms(0));
        for member in 0..60 {
            wheel.add(member, ms(0));
        }
        let fired: Vec<_> = (0..=1_000).flat_map(|now| fire(&mut wheel, now)).collect();
        for member in 0..60 {
            let times: Vec<_> = fired.iter().filter(|(_, m)| *m == member).map(|(at, _)| *at).collect();
            assert_eq!(times.len(), 50);
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 20));
        }
    }

    #[test]
    fn a_late_pacer_catches_up_slot_by_slot() {
        let mut wheel = Wheel::new(ms(0));
        wheel.add(7, ms(0));
        fire(&mut wheel, 10);
        let caught_up = fire(&mut wheel, 1_010);
        assert_eq!(caught_up.len(), 50);
        assert!(caught_up.windows(2).all(|pair| pair[1].0 - pair[0].0 == 20));
        assert_eq!(wheel.jumps(), 0);
    }

    #[test]
    fn a_stopped_machine_does_not_send_a_minute_at_once() {
        let mut wheel = Wheel::new(ms(0));
        wheel.add(7, ms(0));
        fire(&mut wheel, 10);
        assert!(fire(&mut wheel, 60_000).len() <= 1);
        assert_eq!(wheel.jumps(), 1);
        assert!((4..=5).contains(&fire(&mut wheel, 60_100).len()));
    }

    #[test]
    fn an_empty_wheel_keeps_no_debt() {
        let mut wheel = Wheel::new(ms(0));
        let slot = wheel.add(1, ms(0));
        wheel.remove(1, slot);
        assert_eq!(wheel.deadline(), None);
        wheel.add(2, ms(50_000));
        assert_eq!(fire(&mut wheel, 50_001), [(50_001, 2)]);
        assert_eq!((wheel.members(), wheel.jumps()), (1, 0));
    }
}
