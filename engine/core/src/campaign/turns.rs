//! Whose turn it is: contacts in order, by the zones and the window that they share.
//!
//! Nobody looks through a list of contacts when time passes: those who share zones and a window stand in one class, and
//! a class knows when it opens and when its next one comes due.

use super::contact::ContactNo;
use super::rows::{Place, Row, Rows};
use super::settings::{CampaignSettings, CampaignsSettings, Urgency, ZoneNo};
use super::windows::Hours;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Those who share their zones and their window.
///
/// *Invariant:* a contact that waits and is not in hand stands in one of these at least, and in `later` no later than its
/// time. One that does not wait any more may stand there still: whoever takes it looks.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) zone: ZoneNo,
    pub(super) window: Option<u8>,
    pub(super) hours: Hours,
    /// Never tried.
    fresh: VecDeque<u32>,
    /// Tried before, and due again; or given back unrung, at the front.
    due: VecDeque<u32>,
    later: BinaryHeap<Reverse<(Timestamp, u32)>>,
}

impl Class {
    fn new(zone: ZoneNo, window: Option<u8>, hours: Hours) -> Self {
        Self { zone, window, hours, fresh: VecDeque::new(), due: VecDeque::new(), later: BinaryHeap::new() }
    }

    /// Those whose time has come.
    fn ripen(&mut self, now: Timestamp) {
        while let Some(Reverse((at, no))) = self.later.peek().copied()
            && at <= now
        {
            self.later.pop();
            self.due.push_back(no);
        }
    }

    fn has_turns(&self) -> bool {
        !self.fresh.is_empty() || !self.due.is_empty()
    }

    fn is_empty(&self) -> bool {
        !self.has_turns() && self.later.is_empty()
    }

    fn next_later(&self) -> Option<Timestamp> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// How many never tried, how many due.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.fresh.len() as u64, self.due.len() as u64)
    }

    /// When the others come due, in no order.
    pub(super) fn later(&self) -> impl Iterator<Item = Timestamp> {
        self.later.iter().map(|Reverse((at, _))| *at)
    }
}

/// Why nobody has a turn now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoTurn {
    /// Nobody stands here.
    Empty,
    /// No window of those who stand here is open.
    Closed {
        /// One opens then.
        opens: Option<Timestamp>,
    },
    /// In the open windows nobody is due.
    NotDue {
        /// The first then.
        at: Option<Timestamp>,
    },
}

/// All classes of a campaign.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    index: BTreeMap<(ZoneNo, Option<u8>), usize>,
    classes: Vec<Class>,
}

impl Turns {
    /// Everybody anew, by other settings. Looks at every contact: for an edit, never for the time that passes.
    pub(super) fn rebuild(
        &mut self,
        rows: &Rows,
        in_hand: impl Fn(ContactNo) -> bool,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
    ) {
        *self = Self::default();
        for (no, row) in rows.iter().filter(|(no, row)| row.place() == Place::Waiting && !in_hand(*no)) {
            self.put(no, row, settings, shared);
        }
    }

    /// Other windows, the same lists.
    pub(super) fn reopen(&mut self, settings: &CampaignSettings, shared: &CampaignsSettings) {
        for class in &mut self.classes {
            class.hours = hours(settings, shared, class.zone, class.window);
        }
    }

    /// One stands, from its own time on.
    pub(super) fn put(&mut self, no: ContactNo, row: &Row, settings: &CampaignSettings, shared: &CampaignsSettings) {
        let class = self.class(row.zone(), row.window(), settings, shared);
        match row.not_before() {
            Some(at) => class.later.push(Reverse((at, no.0))),
            None if row.spent().claims == 0 => class.fresh.push_back(no.0),
            None => class.due.push_back(no.0),
        }
    }

    /// One stands, from another time on than its own.
    pub(super) fn put_later(
        &mut self,
        no: ContactNo,
        row: &Row,
        at: Timestamp,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
    ) {
        self.class(row.zone(), row.window(), settings, shared).later.push(Reverse((at, no.0)));
    }

    /// One comes next again.
    pub(super) fn put_front(
        &mut self,
        no: ContactNo,
        row: &Row,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
    ) {
        self.class(row.zone(), row.window(), settings, shared).due.push_front(no.0);
    }

    /// Whose turn it is: of the open windows the one that closes first. Those who were tried before come first, since their
    /// time is promised; in an emergency everybody is tried once before anybody is tried again.
    pub(super) fn take(&mut self, urgency: Urgency, now: Timestamp) -> Result<ContactNo, NoTurn> {
        let mut best: Option<(Timestamp, usize)> = None;
        let (mut opens, mut due, mut any_open, mut empty) = (None::<Timestamp>, None::<Timestamp>, false, true);
        for (nth, class) in self.classes.iter_mut().enumerate() {
            if class.is_empty() {
                continue;
            }
            empty = false;
            if !class.hours.is_open(now) {
                // Where no opening is known yet, it is looked for again then.
                opens = earlier(opens, Some(class.hours.changes_at(now)));
                continue;
            }
            any_open = true;
            class.ripen(now);
            if class.has_turns() {
                let closes = class.hours.changes_at(now);
                if best.is_none_or(|(first, _)| closes < first) {
                    best = Some((closes, nth));
                }
            } else {
                due = earlier(due, class.next_later());
            }
        }
        let Some((_, nth)) = best else {
            return Err(match (empty, any_open) {
                (true, _) => NoTurn::Empty,
                (false, true) => NoTurn::NotDue { at: earlier(due, opens) },
                (false, false) => NoTurn::Closed { opens },
            });
        };
        let class = &mut self.classes[nth];
        let fresh_first = urgency != Urgency::Ordinary;
        let no = if fresh_first {
            class.fresh.pop_front().or_else(|| class.due.pop_front())
        } else {
            class.due.pop_front().or_else(|| class.fresh.pop_front())
        };
        no.map(ContactNo).ok_or(NoTurn::Empty)
    }

    /// The same question without taking.
    pub(super) fn look(&self, now: Timestamp) -> Option<NoTurn> {
        let (mut opens, mut due, mut any_open, mut empty) = (None::<Timestamp>, None::<Timestamp>, false, true);
        for class in self.classes.iter().filter(|class| !class.is_empty()) {
            empty = false;
            if !class.hours.seen_at(now).0 {
                opens = earlier(opens, class.hours.seen_opening(now));
                continue;
            }
            any_open = true;
            let next = class.next_later();
            if class.has_turns() || next.is_some_and(|at| at <= now) {
                return None;
            }
            due = earlier(due, next);
        }
        Some(match (empty, any_open) {
            (true, _) => NoTurn::Empty,
            (false, true) => NoTurn::NotDue { at: earlier(due, opens) },
            (false, false) => NoTurn::Closed { opens },
        })
    }

    /// Whether somebody may be called now by the hours alone.
    pub(super) fn is_open(
        &mut self,
        row: &Row,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
        now: Timestamp,
    ) -> bool {
        self.class(row.zone(), row.window(), settings, shared).hours.is_open(now)
    }

    pub(super) fn classes(&self) -> &[Class] {
        &self.classes
    }

    pub(super) fn bytes(&self) -> usize {
        let of = |class: &Class| {
            (class.fresh.capacity() + class.due.capacity()) * size_of::<u32>()
                + class.later.capacity() * size_of::<(Timestamp, u32)>()
        };
        self.classes.iter().map(of).sum()
    }

    fn class(
        &mut self,
        zone: ZoneNo,
        window: Option<u8>,
        settings: &CampaignSettings,
        shared: &CampaignsSettings,
    ) -> &mut Class {
        let nth = *self.index.entry((zone, window)).or_insert_with(|| {
            self.classes.push(Class::new(zone, window, hours(settings, shared, zone, window)));
            self.classes.len() - 1
        });
        &mut self.classes[nth]
    }
}

/// The hours of a class.
pub(super) fn hours(
    settings: &CampaignSettings,
    shared: &CampaignsSettings,
    zone: ZoneNo,
    window: Option<u8>,
) -> Hours {
    if settings.urgency != Urgency::Ordinary {
        return Hours::always();
    }
    let window = match window {
        None => Some(&settings.window),
        Some(own) => settings.windows.get(usize::from(own)),
    };
    match (window, shared.zones.get(usize::from(zone.0))) {
        (Some(window), Some(zone)) => Hours::new(window, zone, shared),
        _ => Hours::never(),
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
