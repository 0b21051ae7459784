//! A callback as the ledger keeps it: the number masked, hashed and sealed, never in clear.

use crate::keys::Subjects;
use gudok_core::centre::{
    AttemptOutcome, Callback, CallbackAttempt, CallbackOrigin, CallbackState, CallbackWish, GivenUp, SkillWish,
};
use gudok_core::ids::{Agency, CallId, CallbackId, Queue, Skill};
use gudok_core::time::Timestamp;
use gudok_store::Party;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything that must survive the engine's end. Moments are microseconds since 1970, as the machine has them: what is
/// read back is what was written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CallbackDocument {
    queue: String,
    agency: String,
    number: Party,
    topic: String,
    lang: String,
    #[serde(default)]
    fields: Vec<(String, String)>,
    #[serde(default)]
    wished_us: Option<u64>,
    call: String,
    origin: Origin,
    #[serde(default)]
    waited_since_us: Option<u64>,
    #[serde(default)]
    skills: Vec<(String, u8)>,
    requested_us: u64,
    earliest_us: u64,
    due_us: u64,
    state: State,
    #[serde(default)]
    escalated_us: Option<u64>,
    #[serde(default)]
    attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    Script,
    Offer,
    Number,
    Operator,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
enum State {
    Waiting { not_before_us: u64 },
    Claimed,
    Connected { at_us: u64 },
    Unknown { since_us: u64 },
    NotReached { at_us: u64 },
    Cancelled { at_us: u64, by: String },
    TakenForMade { at_us: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    call: String,
    claimed_us: u64,
    #[serde(default)]
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Connected,
    NoAnswer,
    Busy,
    Rejected,
    Unavailable,
    Left,
    OperatorGone,
}

impl CallbackDocument {
    /// None where the number cannot be sealed: it is none.
    pub(super) fn of(callback: &Callback, subjects: &Subjects) -> Option<Self> {
        let wish = &callback.wish;
        let text = |text: &Arc<str>| text.to_string();
        Some(Self {
            queue: wish.queue.to_string(),
            agency: wish.agency.to_string(),
            number: subjects.sealed(&wish.number)?,
            topic: text(&wish.topic),
            lang: text(&wish.lang),
            fields: wish.fields.iter().map(|(name, value)| (text(name), text(value))).collect(),
            wished_us: wish.earliest.map(Timestamp::as_micros),
            call: wish.call.to_string(),
            origin: match wish.origin {
                CallbackOrigin::Script => Origin::Script,
                CallbackOrigin::Offer => Origin::Offer,
                CallbackOrigin::Number => Origin::Number,
                CallbackOrigin::Operator => Origin::Operator,
            },
            waited_since_us: wish.waited_since.map(Timestamp::as_micros),
            skills: wish.skills.iter().map(|wish| (wish.skill.to_string(), wish.level)).collect(),
            requested_us: callback.requested.as_micros(),
            earliest_us: callback.earliest.as_micros(),
            due_us: callback.due.as_micros(),
            state: state_of(&callback.state),
            escalated_us: callback.escalated.map(Timestamp::as_micros),
            attempts: callback.attempts.iter().map(attempt_of).collect(),
        })
    }

    /// The callback; none where the number was erased, or was sealed by another node's key.
    pub(super) fn callback(self, id: &str, subjects: &Subjects) -> Option<Callback> {
        let at = Timestamp::from_micros;
        let shared = |text: String| Arc::<str>::from(text);
        Some(Callback {
            id: CallbackId::new(id),
            wish: CallbackWish {
                queue: Queue::new(&self.queue),
                agency: Agency::new(&self.agency),
                number: subjects.reveal(&self.number)?,
                topic: shared(self.topic),
                lang: shared(self.lang),
                fields: self.fields.into_iter().map(|(name, value)| (shared(name), shared(value))).collect(),
                earliest: self.wished_us.map(at),
                call: CallId::parse(&self.call)?,
                origin: match self.origin {
                    Origin::Script => CallbackOrigin::Script,
                    Origin::Offer => CallbackOrigin::Offer,
                    Origin::Number => CallbackOrigin::Number,
                    Origin::Operator => CallbackOrigin::Operator,
                },
                waited_since: self.waited_since_us.map(at),
                skills: self
                    .skills
                    .iter()
                    .map(|(skill, level)| SkillWish { skill: Skill::new(skill), level: *level })
                    .collect(),
            },
            requested: at(self.requested_us),
            earliest: at(self.earliest_us),
            due: at(self.due_us),
            state: state(self.state),
            escalated: self.escalated_us.map(at),
            attempts: self.attempts.iter().map(attempt).collect::<Option<_>>()?,
        })
    }
}

fn state_of(state: &CallbackState) -> State {
    match state {
        CallbackState::Waiting { not_before } => State::Waiting { not_before_us: not_before.as_micros() },
        CallbackState::Claimed => State::Claimed,
        CallbackState::Connected { at } => State::Connected { at_us: at.as_micros() },
        CallbackState::Unknown { since } => State::Unknown { since_us: since.as_micros() },
        CallbackState::GivenUp { reason, at } => {
            let at_us = at.as_micros();
            match reason {
                GivenUp::NotReached => State::NotReached { at_us },
                GivenUp::Cancelled { by } => State::Cancelled { at_us, by: by.to_string() },
                GivenUp::Unknown => State::TakenForMade { at_us },
            }
        }
    }
}

fn state(state: State) -> CallbackState {
    let at = Timestamp::from_micros;
    let given_up = |reason, at_us| CallbackState::GivenUp { reason, at: at(at_us) };
    match state {
        State::Waiting { not_before_us } => CallbackState::Waiting { not_before: at(not_before_us) },
        State::Claimed => CallbackState::Claimed,
        State::Connected { at_us } => CallbackState::Connected { at: at(at_us) },
        State::Unknown { since_us } => CallbackState::Unknown { since: at(since_us) },
        State::NotReached { at_us } => given_up(GivenUp::NotReached, at_us),
        State::Cancelled { at_us, by } => given_up(GivenUp::Cancelled { by: Arc::from(by) }, at_us),
        State::TakenForMade { at_us } => given_up(GivenUp::Unknown, at_us),
    }
}

fn attempt_of(attempt: &CallbackAttempt) -> Attempt {
    Attempt {
        call: attempt.call.to_string(),
        claimed_us: attempt.claimed.as_micros(),
        outcome: attempt.outcome.map(|outcome| match outcome {
            AttemptOutcome::Connected => Outcome::Connected,
            AttemptOutcome::NoAnswer => Outcome::NoAnswer,
            AttemptOutcome::Busy => Outcome::Busy,
            AttemptOutcome::Rejected => Outcome::Rejected,
            AttemptOutcome::Unavailable => Outcome::Unavailable,
            AttemptOutcome::Left => Outcome::Left,
            AttemptOutcome::OperatorGone => Outcome::OperatorGone,
        }),
    }
}

fn attempt(attempt: &Attempt) -> Option<CallbackAttempt> {
    Some(CallbackAttempt {
        call: CallId::parse(&attempt.call)?,
        claimed: Timestamp::from_micros(attempt.claimed_us),
        outcome: attempt.outcome.map(|outcome| match outcome {
            Outcome::Connected => AttemptOutcome::Connected,
            Outcome::NoAnswer => AttemptOutcome::NoAnswer,
            Outcome::Busy => AttemptOutcome::Busy,
            Outcome::Rejected => AttemptOutcome::Rejected,
            Outcome::Unavailable => AttemptOutcome::Unavailable,
            Outcome::Left => AttemptOutcome::Left,
            Outcome::OperatorGone => AttemptOutcome::OperatorGone,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::NodeKey;
    use gudok_core::privacy::PhoneNumber;

    #[test]
    fn what_is_written_is_read_back_and_shows_no_number() {
        let dir = tempfile::tempdir().unwrap();
        let subjects = Subjects::new(&NodeKey::open(dir.path()).unwrap());
        let at = Timestamp::from_micros;
        let states = [
            CallbackState::Waiting { not_before: at(7) },
            CallbackState::Claimed,
            CallbackState::Connected { at: at(8) },
            CallbackState::Unknown { since: at(9) },
            CallbackState::GivenUp { reason: GivenUp::NotReached, at: at(10) },
            CallbackState::GivenUp { reason: GivenUp::Cancelled { by: Arc::from("anna") }, at: at(10) },
            CallbackState::GivenUp { reason: GivenUp::Unknown, at: at(10) },
        ];
        for state in states {
            let callback = Callback {
                id: CallbackId::new("cb-1"),
                wish: CallbackWish {
                    queue: Queue::new("general"),
                    agency: Agency::new("mfc"),
                    number: PhoneNumber::new("+79131234567"),
                    topic: Arc::from("паспорт"),
                    lang: Arc::from("ru-RU"),
                    fields: vec![(Arc::from("office"), Arc::from("1"))],
                    earliest: Some(at(3)),
                    call: CallId::from_random(5),
                    origin: CallbackOrigin::Offer,
                    waited_since: Some(at(1)),
                    skills: vec![SkillWish { skill: Skill::new("english"), level: 2 }],
                },
                requested: at(2),
                earliest: at(3),
                due: at(600),
                state,
                escalated: Some(at(601)),
                attempts: vec![
                    CallbackAttempt {
                        call: CallId::from_random(6),
                        claimed: at(4),
                        outcome: Some(AttemptOutcome::Busy),
                    },
                    CallbackAttempt { call: CallId::from_random(7), claimed: at(5), outcome: None },
                ],
            };
            let written = serde_json::to_string(&CallbackDocument::of(&callback, &subjects).unwrap()).unwrap();
            assert!(!written.contains("1234567"), "{written}");
            let read: CallbackDocument = serde_json::from_str(&written).unwrap();
            assert_eq!(read.callback("cb-1", &subjects).unwrap(), callback);
        }
    }
}
