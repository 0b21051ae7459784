//! Between the machine's words and the store's.

use gudok_core::campaign::{
    AnsweredBy, AttemptEnd, AttemptRecord, ContactNo, ContactSeed, ContactState, Disposition, NumberKey, OptOut,
    OptOutScope, Spent, ZoneNo,
};
use gudok_core::ids::{Agency, CallId};
use gudok_core::time::Timestamp;
use gudok_store::{self as store, StoreError, UtcMs};

/// In whole milliseconds, as the store has moments.
pub(super) const fn utc(at: Timestamp) -> UtcMs {
    UtcMs(at.as_millis())
}

const fn moment(at: UtcMs) -> Timestamp {
    Timestamp::from_millis(at.0)
}

pub(crate) const fn number_to_store(number: NumberKey) -> store::NumberKey {
    store::NumberKey(number.0)
}

pub(crate) const fn number_to_core(number: store::NumberKey) -> NumberKey {
    NumberKey(number.0)
}

fn call_to_store(call: CallId) -> Result<store::CallId, StoreError> {
    store::CallId::new(&call.to_string())
}

/// A call's id that is none of ours is nobody's call.
fn call_to_core(call: &store::CallId) -> CallId {
    CallId::parse(call.as_str()).unwrap_or_else(|| CallId::from_random(0))
}

pub(super) fn state_to_store(state: ContactState) -> Result<store::ContactState, StoreError> {
    Ok(match state {
        ContactState::Waiting { not_before } => store::ContactState::Waiting { not_before: not_before.map(utc) },
        ContactState::Claimed { call } => store::ContactState::Claimed { call: call_to_store(call)? },
        ContactState::Unknown { since } => store::ContactState::Unknown { since: utc(since) },
        ContactState::Done { disposition, at } => store::ContactState::Done { disposition, at: utc(at) },
    })
}

fn state_to_core(state: &store::ContactState) -> ContactState {
    match state {
        store::ContactState::Waiting { not_before } => ContactState::Waiting { not_before: not_before.map(moment) },
        store::ContactState::Claimed { call } => ContactState::Claimed { call: call_to_core(call) },
        store::ContactState::Unknown { since } => ContactState::Unknown { since: moment(*since) },
        store::ContactState::Done { disposition, at } => {
            ContactState::Done { disposition: *disposition, at: moment(*at) }
        }
    }
}

pub(super) const fn spent_to_store(spent: Spent) -> store::Spent {
    store::Spent {
        attempts: spent.attempts,
        today: spent.today,
        day: spent.day,
        last: spent.last,
        in_a_row: spent.in_a_row,
        claims: spent.claims,
    }
}

const fn spent_to_core(spent: store::Spent) -> Spent {
    Spent {
        attempts: spent.attempts,
        today: spent.today,
        day: spent.day,
        last: spent.last,
        in_a_row: spent.in_a_row,
        claims: spent.claims,
    }
}

pub(super) fn seed_to_core(seed: &store::ContactSeed, zone: ZoneNo) -> ContactSeed {
    ContactSeed {
        no: ContactNo(seed.no),
        number: number_to_core(seed.number),
        zone,
        window: seed.window,
        state: state_to_core(&seed.state),
        spent: spent_to_core(seed.spent),
    }
}

pub(super) fn disposition_to_store(disposition: &Disposition) -> store::Disposition {
    store::Disposition {
        kind: disposition.kind(),
        words: disposition.words().map(ToString::to_string),
        at: match disposition {
            Disposition::RetryAt(at) => Some(utc(*at)),
            _ => None,
        },
    }
}

pub(super) fn attempt_to_store(record: &AttemptRecord) -> Result<store::Attempt, StoreError> {
    Ok(store::Attempt {
        nth: record.attempt.nth,
        call: call_to_store(record.call)?,
        claimed: utc(record.claimed),
        dialled: record.dialled.map(utc),
        ended: record.ended.map(utc),
        end: record.end.as_ref().map(end_to_store),
    })
}

fn end_to_store(end: &AttemptEnd) -> store::AttemptEnd {
    store::AttemptEnd {
        disposition: disposition_to_store(&end.disposition),
        answered_by: end.answered_by.map(answered_to_store),
        answered: end.answered.map(utc),
        status: end.status,
    }
}

const fn answered_to_store(by: AnsweredBy) -> store::AnsweredBy {
    match by {
        AnsweredBy::Unknown => store::AnsweredBy::Unknown,
        AnsweredBy::Human => store::AnsweredBy::Human,
        AnsweredBy::Machine => store::AnsweredBy::Machine,
        AnsweredBy::Fax => store::AnsweredBy::Fax,
    }
}

pub(super) fn scope_to_store(scope: &OptOutScope) -> Result<store::OptOutScope, StoreError> {
    Ok(match scope {
        OptOutScope::Global => store::OptOutScope::Global,
        OptOutScope::Agency(agency) => store::OptOutScope::Agency(store::AgencyId::new(agency.as_str())?),
    })
}

pub(super) fn opt_out_to_core(opt_out: &store::OptOut) -> OptOut {
    OptOut {
        number: number_to_core(opt_out.number),
        scope: match &opt_out.scope {
            store::OptOutScope::Global => OptOutScope::Global,
            store::OptOutScope::Agency(agency) => OptOutScope::Agency(Agency::new(agency.as_str())),
        },
        protected: opt_out.protected,
    }
}

/// The word for a disposition's kind as the store has it.
pub(super) fn kind_word(kind: u8) -> &'static str {
    Disposition::KINDS.get(usize::from(kind)).copied().unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_contact_is_read_back() {
        let at = Timestamp::from_millis(5_000);
        let states = [
            ContactState::Waiting { not_before: None },
            ContactState::Waiting { not_before: Some(at) },
            ContactState::Claimed { call: CallId::from_random(7) },
            ContactState::Unknown { since: at },
            ContactState::Done { disposition: Disposition::Busy.kind(), at },
        ];
        for state in states {
            assert_eq!(state_to_core(&state_to_store(state).unwrap()), state);
        }
        let spent = Spent { attempts: 1, today: 2, day: 3, last: Some(12), in_a_row: 4, claims: 5 };
        assert_eq!(spent_to_core(spent_to_store(spent)), spent);
        let kept = disposition_to_store(&Disposition::RetryAt(at));
        assert_eq!((kind_word(kept.kind), kept.at), ("retry-at", Some(UtcMs(5_000))));
        let kept = disposition_to_store(&Disposition::Confirmed("understood".into()));
        assert_eq!((kind_word(kept.kind), kept.words.as_deref()), ("confirmed", Some("understood")));
        assert_eq!(kind_word(200), "unknown");
    }
}
