//! The part of the contract that is between a call and the centre: rings, talks, waits, callbacks, supervisors.

use super::contract::{Kept, promise};
use super::input::{CallStart, Input, Purpose};
use crate::centre::{AttemptOutcome, CallbackOrder, OfferId, OfferOutcome, QueueNotice, QueueOrder};
use crate::ids::LegId;
use crate::script::{Request, TransferOutcome};
use std::collections::BTreeSet;

/// What is known of one call's dealings with the centre.
#[derive(Debug)]
pub(super) struct CentreContract {
    /// Rings that the centre waits to hear of.
    offers: BTreeSet<OfferId>,
    /// The caller waits.
    waits: bool,
    /// The limit has come, and the host has not acted yet.
    owed: bool,
    /// What excuses it: a callback is being offered or written down already.
    offering: bool,
    /// A callback is being written down, perhaps since before the wait.
    booking: bool,
    /// The centre takes an operator for talking in this call.
    operator_talks: bool,
    supervisor: Option<LegId>,
    attempt: Option<Attempt>,
}

/// A callback's attempt.
#[derive(Debug, Default)]
struct Attempt {
    claimed: bool,
    granted: bool,
    dialled: bool,
    told: bool,
}

impl CentreContract {
    pub(super) fn new(start: &CallStart) -> Self {
        let (attempt, offers) = match &start.purpose {
            Purpose::Callback(start) => {
                (Some(Attempt::default()), start.operator.iter().map(|offer| offer.id).collect())
            }
            Purpose::Script | Purpose::CallbackNumber { .. } | Purpose::Campaign(_) => (None, BTreeSet::new()),
        };
        Self {
            offers,
            waits: false,
            owed: false,
            offering: false,
            booking: false,
            operator_talks: false,
            supervisor: None,
            attempt,
        }
    }

    pub(super) fn input(&mut self, input: &Input) {
        match input {
            Input::Queue(QueueNotice::Offer(offer)) => {
                self.offers.insert(offer.id);
            }
            Input::Queue(QueueNotice::Refused(_) | QueueNotice::TimedOut) => {
                self.waits = false;
                self.owed = false;
            }
            Input::Queue(QueueNotice::TryPeer(_) | QueueNotice::OfferCallback { .. }) => {
                self.owed = self.waits && !self.offering;
                // Once is what is promised.
                self.offering = true;
            }
            Input::ScriptRequest { request: Request::OfferCallback(_) | Request::BookCallback(_), .. }
            | Input::ScriptRequest { request: Request::QueueConvert { .. }, .. } => self.offering = true,
            Input::CallbackBooked(_) => self.booking = false,
            Input::CallbackClaimed(true) => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.granted = attempt.claimed;
                }
            }
            _ => {}
        }
    }

    /// The caller hears something, or somebody.
    pub(super) const fn acted(&mut self) {
        self.owed = false;
    }

    pub(super) fn queue(&mut self, order: &QueueOrder) -> Kept {
        match order {
            QueueOrder::Enter(_) => {
                self.offering = self.booking;
                promise(!std::mem::replace(&mut self.waits, true), || "into the queue, and in it already".into())
            }
            QueueOrder::OfferEnded { offer, outcome } => {
                promise(self.offers.remove(offer), || format!("{offer:?} ended twice, or was never made"))?;
                if *outcome != OfferOutcome::Answered {
                    return Ok(());
                }
                self.waits = false;
                let before = std::mem::replace(&mut self.operator_talks, true);
                promise(!before, || "two operators talk at once".into())
            }
            QueueOrder::TalkOver => {
                let talked = std::mem::replace(&mut self.operator_talks, false);
                promise(talked, || "a talk is over that nobody began".into())
            }
            QueueOrder::PeerTried { outcome, .. } => {
                self.waits &= *outcome != TransferOutcome::Moved;
                Ok(())
            }
            QueueOrder::CallbackOffered => promise(self.waits, || "offered to somebody who does not wait".into()),
            QueueOrder::Leave(reason) => {
                // The centre forgets the rings of whoever leaves.
                self.offers.clear();
                promise(std::mem::replace(&mut self.waits, false), || format!("left ({reason:?}) without waiting"))
            }
        }
    }

    pub(super) fn callback(&mut self, order: &CallbackOrder, talks: bool) -> Kept {
        self.booking |= matches!(order, CallbackOrder::Book(_));
        let Some(attempt) = &mut self.attempt else {
            return promise(matches!(order, CallbackOrder::Book(_)), || "an attempt of no callback".into());
        };
        match order {
            CallbackOrder::Book(_) => promise(false, || "a callback out of a callback".into()),
            CallbackOrder::Claim(_) => {
                let before = std::mem::replace(&mut attempt.claimed, true);
                promise(!before && !attempt.told, || "claimed twice".into())
            }
            CallbackOrder::Ended { outcome, .. } => {
                let first = !std::mem::replace(&mut attempt.told, true);
                promise(first, || "an attempt ended twice".into())?;
                let connected = *outcome == AttemptOutcome::Connected;
                promise(connected == talks, || format!("{outcome:?}, and they talk: {talks}"))
            }
        }
    }

    /// The caller's leg is told something. A callback's is not there before it was dialled, and is dialled once, on a claim.
    pub(super) fn of_caller(&mut self, dials: bool) -> Kept {
        let Some(attempt) = &mut self.attempt else {
            return promise(!dials, || "dials whoever has called".into());
        };
        if dials {
            promise(attempt.granted && !attempt.told, || "dials a caller without a claim".into())?;
            let again = std::mem::replace(&mut attempt.dialled, true);
            return promise(!again, || "dials a caller twice".into());
        }
        promise(attempt.dialled, || "something for a caller who was not dialled".into())
    }

    pub(super) fn caller_is_there(&self) -> bool {
        self.attempt.as_ref().is_none_or(|attempt| attempt.dialled)
    }

    pub(super) fn supervise(&mut self, leg: LegId) -> Kept {
        let other = self.supervisor.replace(leg).filter(|before| *before != leg);
        promise(other.is_none(), || format!("{leg:?} and {other:?} listen at once"))
    }

    pub(super) fn unsupervise(&mut self, leg: LegId) -> Kept {
        promise(self.supervisor.take() == Some(leg), || format!("{leg:?} stops listening, and did not"))
    }

    /// Caller and operator are parted.
    pub(super) fn parted(&self) -> Kept {
        promise(self.supervisor.is_none(), || "a supervisor listens to nobody".into())
    }

    pub(super) fn settled(&self, caller_gone: bool) -> Kept {
        promise(!self.owed || caller_gone, || "the limit of the wait has come, and the host does nothing".into())
    }

    pub(super) fn over(&self) -> Kept {
        let offers = &self.offers;
        promise(offers.is_empty(), || format!("over, and {offers:?} ring as far as the centre knows"))?;
        promise(!self.waits, || "over, and the centre thinks that the caller waits".into())?;
        promise(!self.operator_talks, || "over, and the operator is not free".into())?;
        promise(self.attempt.as_ref().is_none_or(|attempt| attempt.told), || "over, and nobody said how it went".into())
    }
}
