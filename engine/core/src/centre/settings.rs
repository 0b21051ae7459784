//! What admins say of queues, operators and peer centres: data, replaced as a whole.

use super::callback::UnknownRule;
use crate::calendar::Calendar;
use crate::ids::{Agency, Operator, Peer, Queue, Skill, Trunk};
use crate::leg::DialTarget;
use crate::privacy::PhoneNumber;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// All of it. The machine is given a new one whole; who waits goes on waiting under the new rules.
#[derive(Clone, Debug, Default)]
pub struct CentreSettings {
    /// By name.
    pub queues: BTreeMap<Queue, Arc<QueueSettings>>,
    /// By login.
    pub operators: BTreeMap<Operator, Arc<OperatorSettings>>,
    /// By name.
    pub peers: BTreeMap<Peer, Arc<PeerSettings>>,
}

/// One queue.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// Its name.
    pub name: Queue,
    /// Whose it is; the centre's own where there is none.
    pub agency: Option<Agency>,
    /// When operators work. Closed, nobody is let in and nobody is rung.
    pub calendar: Arc<Calendar>,
    /// Whom to ring first.
    pub strategy: RingStrategy,
    /// Callers who wait at once; one more is told that it is full.
    pub waiting_max: usize,
    /// By then every caller has an operator, a peer centre or the offer of a callback. At most 40 s (decree, p5).
    pub wait_max: Duration,
    /// How long before `wait_max` the host begins to act, so that the offer has been said by then.
    pub act_before: Duration,
    /// After an offer that the caller did not take, the next comes so much later.
    pub offer_again_after: Duration,
    /// Position and expected wait are said so often; zero for never.
    pub announce_every: Duration,
    /// How long one operator's telephone rings.
    pub ring_max: Duration,
    /// After a talk, an operator is left alone for so long.
    pub wrap_up: Duration,
    /// An operator who did not answer so many times in a row is paused; zero for never.
    pub misses_max: u8,
    /// Demands on skills fall with time, in this order.
    pub relax: Vec<SkillRelaxation>,
    /// Where callers overflow to, in order.
    pub peers: Vec<Peer>,
    /// How callers are called back; none: not at all.
    pub callback: Option<CallbackRules>,
    /// The service level counts who was answered within so long.
    pub service_level: Duration,
}

/// Whom to ring first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RingStrategy {
    /// Who has been without a call for longest.
    #[default]
    LongestIdle,
    /// One after another, by name, from where the last round stopped.
    RoundRobin,
    /// Every ready one at once, up to a limit of the machine; the first who answers has the caller.
    RingAll,
}

/// After so long in the queue, every wished level counts for so much less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SkillRelaxation {
    /// From the caller's entry.
    pub after: Duration,
    /// Levels to take off each wish; a wish that falls to zero asks for nothing.
    pub levels: u8,
}

/// How a queue's callers are called back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackRules {
    /// Who is dialled first.
    pub dial_first: DialFirst,
    /// From the request (or from the opening, where it was made at night) to the connection. At most 10 minutes (decree, p5).
    pub within: Duration,
    /// How often a caller is tried who does not answer.
    pub attempts_max: u8,
    /// Between two attempts.
    pub retry_after: Duration,
    /// How long the caller's telephone rings.
    pub ring_max: Duration,
    /// What becomes of an attempt that a crash cut off.
    pub unknown: UnknownRule,
    /// Callbacks that wait or are under way at once, against toll fraud; one more is refused.
    pub open_max: usize,
    /// Open callbacks to one number.
    pub per_number_max: usize,
    /// By which trunk callers are dialled.
    pub trunk: Trunk,
    /// The number that they are shown; the trunk's own where there is none.
    pub shown: Option<PhoneNumber>,
    /// E.164 prefixes that may be called back, "+7"; empty for none.
    pub dialable: Vec<String>,
    /// E.164 prefixes that may not, though one above would let them: "+7809".
    pub barred: Vec<String>,
}

/// Who is dialled first in a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DialFirst {
    /// The operator, who hears who is called; then the caller, who never waits.
    #[default]
    Operator,
    /// The caller, who then waits at the queue's head.
    Caller,
}

/// One operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorSettings {
    /// The login.
    pub name: Operator,
    /// As colleagues see it.
    pub shown_name: Arc<str>,
    /// Where the telephone is: a fixed address, or on the trunk named [`crate::ids::Trunk::REGISTERED`] for one that registers.
    pub target: DialTarget,
    /// Queues that this operator serves.
    pub queues: Vec<Queue>,
    /// Levels from 1; a skill that is missing has level 0.
    pub skills: BTreeMap<Skill, u8>,
    /// Ready from the start without a login: a fixed telephone that nobody works a page beside.
    pub always_ready: bool,
}

/// Another region's centre.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerSettings {
    /// Its name.
    pub name: Peer,
    /// Where its callers are sent.
    pub target: DialTarget,
    /// Calls there at once.
    pub calls_max: usize,
    /// How long it rings.
    pub ring_max: Duration,
    /// After a failure it is left alone for so long.
    pub rest_after_failure: Duration,
    /// Region or municipality codes that it answers for: "localisation"; empty where it only takes overflow.
    pub areas: Vec<Arc<str>>,
}
