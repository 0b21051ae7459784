//! Operators of a queue, counted.

use gudok_core::campaign::QueueLoad;
use gudok_core::ids::Queue;

/// Operators of one queue.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    queue: Queue,
    operators: u32,
    busy: u32,
}

impl Desk {
    pub(super) const fn new(queue: Queue, operators: u32) -> Self {
        Self { queue, operators, busy: 0 }
    }

    pub(super) const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Takes one, if one is free.
    pub(super) const fn takes(&mut self) -> bool {
        let free = self.busy < self.operators;
        if free {
            self.busy += 1;
        }
        free
    }

    pub(super) const fn gives_back(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    pub(super) fn load(&self) -> QueueLoad {
        QueueLoad { queue: self.queue.clone(), open: true, ready: self.operators - self.busy, waiting: 0 }
    }
}
