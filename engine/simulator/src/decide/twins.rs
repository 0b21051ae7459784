//! Groups and queues beside those that there are: the same, but closed or full, so that the machine itself finds them so.

use gudok_core::calendar::{Calendar, Hours};
use gudok_core::ids::{Group, Queue};
use gudok_core::routing::{GroupRoute, Routes};
use gudok_core::script::TransferTarget;
use gudok_core::time::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Days on which nothing is open: enough for any call.
const CLOSED_DAYS: i64 = 3;

// No name of a configuration has a blank or a bracket.
pub(super) fn closed_group(group: &Group) -> Group {
    Group::new(&format!("{group} (closed)"))
}

pub(super) fn closed_queue(queue: &Queue) -> Queue {
    Queue::new(&format!("{queue} (closed)"))
}

pub(super) fn full_queue(queue: &Queue) -> Queue {
    Queue::new(&format!("{queue} (full)"))
}

pub(super) fn no_queue(queue: &Queue) -> Queue {
    Queue::new(&format!("{queue} (gone)"))
}

/// Somebody of the same kind who is not there.
pub(super) fn nobody(target: &TransferTarget) -> TransferTarget {
    match target {
        TransferTarget::Script(name) => TransferTarget::Script(format!("{name} (gone)").into()),
        other => TransferTarget::Group(Group::new(&format!("{} (gone)", other.label()))),
    }
}

/// With the twins of all groups and queues.
pub(crate) fn add(routes: &mut Routes, now: Timestamp) {
    let closed = Arc::new(closed_now(now));
    let twins: Vec<(Group, GroupRoute)> = routes
        .groups
        .iter()
        .map(|(name, route)| (closed_group(name), GroupRoute { calendar: Arc::clone(&closed), ..route.clone() }))
        .collect();
    routes.groups.extend(twins);
    if routes.centre.queues.is_empty() {
        return;
    }
    let centre = Arc::make_mut(&mut routes.centre);
    for (name, queue) in centre.queues.clone() {
        let mut shut = (*queue).clone();
        (shut.name, shut.calendar) = (closed_queue(&name), Arc::clone(&closed));
        let mut full = (*queue).clone();
        (full.name, full.waiting_max) = (full_queue(&name), 0);
        centre.queues.insert(shut.name.clone(), Arc::new(shut));
        centre.queues.insert(full.name.clone(), Arc::new(full));
    }
}

/// From nine to six, but not today.
fn closed_now(now: Timestamp) -> Calendar {
    let at = |hour| Time::constant(hour, 0, 0, 0);
    let hours = Hours::new(at(9), at(18)).ok();
    let week = std::array::from_fn(|_| hours.into_iter().collect());
    let always = Calendar::always_open(TimeZone::UTC);
    let today = always.local(now).date();
    let days = (-1..CLOSED_DAYS).filter_map(|day| today.checked_add(jiff::Span::new().days(day)).ok());
    Calendar::new(TimeZone::UTC, week, days.map(|day| (day, Vec::new())).collect::<BTreeMap<_, _>>())
}
