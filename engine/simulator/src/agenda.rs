//! What is to happen, in the order in which it will: by time, then as it was written down.

use gudok_core::time::Timestamp;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What is to happen. It keeps its room when it is emptied: worlds are made by the thousand.
pub(crate) struct Agenda<E> {
    heap: BinaryHeap<Item<E>>,
    written: u64,
}

struct Item<E> {
    at: Timestamp,
    number: u64,
    event: E,
}

impl<E> Agenda<E> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), written: 0 }
    }

    pub(crate) fn at(&mut self, at: Timestamp, event: E) {
        self.heap.push(Item { at, number: self.written, event });
        self.written += 1;
    }

    /// When the next happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|item| item.at)
    }

    /// The next, where it is time for it.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<E> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|item| item.event)
    }

    /// Whether any of it is that.
    pub(crate) fn any(&self, is: impl Fn(&E) -> bool) -> bool {
        self.heap.iter().any(|item| is(&item.event))
    }
}

/// The heap's greatest is what happens first.
impl<E> Ord for Item<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl<E> PartialOrd for Item<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Item<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Item<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_one_moment_comes_in_the_order_in_which_it_was_written_down() {
        let moment = Timestamp::from_millis;
        let mut agenda = Agenda::new();
        for (at, event) in [(20, 'c'), (10, 'a'), (30, 'e'), (10, 'b'), (20, 'd')] {
            agenda.at(moment(at), event);
        }
        assert_eq!(agenda.pop_due(moment(9)), None);
        let due: String = std::iter::from_fn(|| agenda.pop_due(moment(20))).collect();
        assert_eq!((due.as_str(), agenda.next()), ("abcd", Some(moment(30))));
        assert!(agenda.any(|event| *event == 'e') && !agenda.any(|event| *event == 'a'));
    }
}
