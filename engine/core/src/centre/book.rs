//! The book of callbacks: what is promised, where each stands, and what may be promised.

use super::callback::{AttemptOutcome, Callback, CallbackRefusal, CallbackState, CallbackWish, GivenUp, UnknownRule};
use super::face::SaveId;
use super::settings::{CallbackRules, QueueSettings};
use crate::ids::{CallId, CallbackId, Queue};
use crate::privacy::PhoneNumber;
use crate::routing::{E164_DIGITS_MAX, E164_DIGITS_MIN};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Callbacks that are over and can still be looked at and decided about; older ones are in the store only.
const OVER_KEPT_MAX: usize = 1_000;
/// Attempts of one callback, those included that do not count.
pub(super) const ATTEMPTS_KEPT_MAX: usize = 20;
/// Characters of a topic; the rest is cut off.
const TOPIC_CHARS_MAX: usize = 200;
/// Fields for the operator's screen; more are left out.
const FIELDS_MAX: usize = 32;
/// Characters of a field's name and value; the rest is cut off.
const FIELD_CHARS_MAX: usize = 256;
/// Wished skills; more are left out.
const SKILLS_MAX: usize = 16;

/// What is going on with a callback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It is being written down for the first time: nothing is promised yet. The call that asked, while it lives.
    Booking(Option<CallId>),
    /// Nothing: it waits for its turn, for its time, or for a person's word; or it is over.
    Standing,
    /// A call was begun for it; nobody was dialled for a claim.
    Begun(CallId),
    /// The claim is being written down: the caller may not be dialled yet.
    Claiming(CallId),
    /// The claim is durable: the caller is dialled, or is on the line.
    Claimed(CallId),
}

/// One callback.
///
/// *Invariant:* its state is `Claimed` in the stages `Claiming` and `Claimed` and in no other; it stands in the line only in
/// the stage `Standing` with the state `Waiting`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) callback: Callback,
    pub(super) stage: Stage,
}

impl Entry {
    /// The call that is under way for it.
    pub(super) const fn call(&self) -> Option<CallId> {
        match self.stage {
            Stage::Booking(_) | Stage::Standing => None,
            Stage::Begun(call) | Stage::Claiming(call) | Stage::Claimed(call) => Some(call),
        }
    }

    /// Attempts in which the caller was rung.
    pub(super) fn attempts_counted(&self) -> usize {
        let counts = |outcome: Option<AttemptOutcome>| {
            !matches!(outcome, Some(AttemptOutcome::OperatorGone | AttemptOutcome::Unavailable))
        };
        self.callback.attempts.iter().filter(|attempt| counts(attempt.outcome)).count()
    }

    /// The last attempt has ended so.
    pub(super) fn end_attempt(&mut self, outcome: AttemptOutcome) {
        if let Some(attempt) = self.callback.attempts.last_mut() {
            attempt.outcome = Some(outcome);
        }
    }

    /// An attempt was cut off: what its queue's rule makes of it.
    pub(super) fn cut_off(&mut self, rule: UnknownRule, now: Timestamp) {
        self.stage = Stage::Standing;
        self.callback.state = match rule {
            UnknownRule::Ask => CallbackState::Unknown { since: now },
            UnknownRule::GiveUp => CallbackState::GivenUp { reason: GivenUp::Unknown, at: now },
        };
    }
}

/// What a writing-down is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Saving {
    /// The promise.
    Booking(CallbackId),
    /// The claim on an attempt in that call.
    Claim(CallbackId, CallId),
    /// Anything else: tried again until it is written.
    Change(CallbackId),
}

/// All callbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// Not over.
    open: BTreeMap<CallbackId, Entry>,
    /// Over, the latest.
    over: BTreeMap<CallbackId, Callback>,
    over_order: VecDeque<CallbackId>,
    of_call: BTreeMap<CallId, CallbackId>,
    savings: BTreeMap<SaveId, Saving>,
    saves: u64,
}

impl Book {
    pub(super) fn insert(&mut self, entry: Entry) {
        self.open.insert(entry.callback.id.clone(), entry);
    }

    /// An open one.
    pub(super) fn entry(&self, id: &CallbackId) -> Option<&Entry> {
        self.open.get(id)
    }

    /// An open one; [`Book::settle`] it afterwards.
    pub(super) fn entry_mut(&mut self, id: &CallbackId) -> Option<&mut Entry> {
        self.open.get_mut(id)
    }

    /// The one for which a call is under way.
    pub(super) fn of_call(&self, call: CallId) -> Option<CallbackId> {
        self.of_call.get(&call).cloned()
    }

    pub(super) fn begin(&mut self, id: &CallbackId, call: CallId) {
        if let Some(entry) = self.open.get_mut(id) {
            entry.stage = Stage::Begun(call);
            self.of_call.insert(call, id.clone());
        }
    }

    pub(super) fn end_call(&mut self, call: CallId) {
        self.of_call.remove(&call);
    }

    pub(super) fn remove(&mut self, id: &CallbackId) -> Option<Entry> {
        self.open.remove(id)
    }

    /// Those that are over go where they no longer cost anything.
    pub(super) fn settle(&mut self, id: &CallbackId) {
        if self.open.get(id).is_some_and(|entry| entry.callback.state.is_over())
            && let Some(entry) = self.open.remove(id)
        {
            self.put_over(entry.callback);
        }
    }

    pub(super) fn put_over(&mut self, callback: Callback) {
        self.over_order.push_back(callback.id.clone());
        self.over.insert(callback.id.clone(), callback);
        while self.over_order.len() > OVER_KEPT_MAX {
            if let Some(oldest) = self.over_order.pop_front() {
                self.over.remove(&oldest);
            }
        }
    }

    /// One that was over is open again.
    pub(super) fn reopen(&mut self, id: &CallbackId) {
        if let Some(callback) = self.over.remove(id) {
            self.over_order.retain(|over| over != id);
            self.insert(Entry { callback, stage: Stage::Standing });
        }
    }

    /// A promised one, open or over.
    pub(super) fn get(&self, id: &CallbackId) -> Option<&Callback> {
        let promised = |entry: &&Entry| !matches!(entry.stage, Stage::Booking(_));
        self.open.get(id).filter(promised).map(|entry| &entry.callback).or_else(|| self.over.get(id))
    }

    pub(super) fn knows(&self, id: &CallbackId) -> bool {
        self.open.contains_key(id) || self.over.contains_key(id)
    }

    pub(super) fn callbacks(&self) -> impl Iterator<Item = &Callback> {
        let promised = self.open.values().filter(|entry| !matches!(entry.stage, Stage::Booking(_)));
        promised.map(|entry| &entry.callback).chain(self.over.values())
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.open.values_mut()
    }

    pub(super) fn save(&mut self, saving: Saving) -> SaveId {
        let save = SaveId(self.saves);
        self.saves += 1;
        self.savings.insert(save, saving);
        save
    }

    pub(super) fn saved(&mut self, save: SaveId) -> Option<Saving> {
        self.savings.remove(&save)
    }

    /// Those of a queue that wait or are under way, the ones that are being written down included; unknown ones wait for a
    /// person, and do not count.
    pub(super) fn count(&self, queue: &Queue) -> usize {
        self.counted().filter(|callback| callback.wish.queue == *queue).count()
    }

    fn counted(&self) -> impl Iterator<Item = &Callback> {
        let counts = |state: &CallbackState| matches!(state, CallbackState::Waiting { .. } | CallbackState::Claimed);
        self.open.values().map(|entry| &entry.callback).filter(move |callback| counts(&callback.state))
    }

    /// Callers of a queue who are being dialled first, or were told so, and are not in the line yet: each wants an operator
    /// soon.
    pub(super) fn under_way(&self, queue: &Queue, in_line: impl Fn(CallId) -> bool) -> usize {
        let of_queue = self.open.values().filter(|entry| entry.callback.wish.queue == *queue);
        of_queue.filter_map(Entry::call).filter(|call| !in_line(*call)).count()
    }

    /// What may be promised: from when on, and until when.
    pub(super) fn check(
        &self,
        wish: &CallbackWish,
        queue: Option<&QueueSettings>,
        now: Timestamp,
    ) -> Result<(Timestamp, Timestamp), CallbackRefusal> {
        let no_queue = || CallbackRefusal::NoQueue(wish.queue.clone());
        let queue = queue.ok_or_else(no_queue)?;
        let rules = queue.callback.as_ref().ok_or_else(no_queue)?;
        if !dialable(rules, &wish.number) {
            return Err(CallbackRefusal::NotDialable);
        }
        let open = self.count(&wish.queue);
        if open >= rules.open_max {
            return Err(CallbackRefusal::TooMany(open));
        }
        let to_number = self.counted().filter(|callback| callback.wish.number == wish.number).count();
        if to_number >= rules.per_number_max {
            return Err(CallbackRefusal::TooManyToNumber(to_number));
        }
        let never = || CallbackRefusal::NeverOpen(wish.queue.clone());
        let wished = wish.earliest.unwrap_or(now).max(now);
        let too_far = CallbackRefusal::TooFar(CallbackWish::AHEAD_MAX.as_secs() / (24 * 60 * 60));
        if wished.since(now) > CallbackWish::AHEAD_MAX {
            return Err(too_far);
        }
        let earliest = queue.calendar.opens_at(wished).ok_or_else(never)?;
        Ok((earliest, earliest + rules.within))
    }
}

/// Whether a number may be called back by these rules: whole, let by a prefix, and barred by none.
pub(super) fn dialable(rules: &CallbackRules, number: &PhoneNumber) -> bool {
    let number = number.reveal();
    let whole = number.strip_prefix('+').is_some_and(|digits| {
        (E164_DIGITS_MIN..=E164_DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| number.starts_with(prefix.as_str()));
    whole && begins(&rules.dialable) && !begins(&rules.barred)
}

/// A wish with everything in it cut to its limit: a promise is worth more than a long text.
pub(super) fn bounded(mut wish: CallbackWish) -> CallbackWish {
    wish.topic = cut(&wish.topic, TOPIC_CHARS_MAX);
    wish.fields.truncate(FIELDS_MAX);
    for (name, value) in &mut wish.fields {
        *name = cut(name, FIELD_CHARS_MAX);
        *value = cut(value, FIELD_CHARS_MAX);
    }
    wish.skills.truncate(SKILLS_MAX);
    wish
}

fn cut(text: &Arc<str>, chars_max: usize) -> Arc<str> {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => Arc::from(&text[..at]),
        None => Arc::clone(text),
    }
}
