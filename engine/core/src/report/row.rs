//! What a report is made of: one row a call.

use crate::centre::{Callback, CallbackState, GivenUp};
use crate::ids::LegId;
use crate::records::{Direction, EndedBy, LegRecord, Mode, QueueOutcome};
use crate::script::TransferOutcome;
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The tag by which a script says which service a call was about.
const SERVICE_TAG: &str = "service";

/// One call: its first leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallRow {
    /// When it began.
    pub started: Timestamp,
    /// It came in; false: the centre made it.
    pub inbound: bool,
    /// Whose.
    pub agency: Arc<str>,
    /// Where the number led.
    pub entry: Arc<str>,
    /// About which service, where the script tagged it; else as the entry.
    pub service: Arc<str>,
    /// What the dialled number stands for.
    pub area: Option<Arc<str>>,
    /// What became of it: the script's own word, or `landed`, `abandoned`, `failed`.
    pub outcome: Arc<str>,
    /// The host took the caller over from a script.
    pub landed: bool,
    /// The caller hung up before anybody had served them.
    pub abandoned: bool,
    /// From answer to end.
    pub talk: Duration,
    /// Nobody worked.
    pub automatic: bool,
    /// The emergency announcement was heard to its end.
    pub overlay_heard: bool,
    /// The last wait for an operator.
    pub wait: Option<WaitRow>,
    /// Steps that the script named, each once.
    pub steps: Vec<Arc<str>>,
}

/// One wait for an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitRow {
    /// Where.
    pub queue: Arc<str>,
    /// For how long.
    pub waited: Duration,
    /// How long after its beginning the host first tried a peer centre or offered a callback.
    pub acted_after: Option<Duration>,
    /// How it ended; none where a crash cut it off.
    pub end: Option<WaitEnd>,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "as in the call record")]
pub enum WaitEnd {
    Answered,
    Peer,
    Callback,
    Abandoned,
    Left,
    Host,
    Refused,
}

/// What is known of how a call ended, before it is a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending<'a> {
    pub(super) result: Option<&'a str>,
    pub(super) landed: bool,
    pub(super) by_caller: bool,
    pub(super) wait: Option<WaitEnd>,
    pub(super) transferred: bool,
}

impl Ending<'_> {
    /// What became of the call, and whether its caller left unserved. One rule for records of every source.
    pub(super) fn outcome(self) -> (Arc<str>, bool) {
        let abandoned = match (self.wait, self.result) {
            (Some(WaitEnd::Abandoned), _) => true,
            // A caller who leaves while the script talks has been told something: only what says nothing is abandoned.
            (None, None) => self.by_caller && !self.transferred && !self.landed,
            (_, Some("abandoned")) => true,
            _ => false,
        };
        let word = match (self.result, self.wait) {
            _ if abandoned => "abandoned",
            (_, Some(WaitEnd::Answered)) => "operator",
            (_, Some(WaitEnd::Peer)) => "peer",
            (_, Some(WaitEnd::Callback)) => "callback",
            (Some(result), _) => result,
            (None, _) if self.transferred => "transferred",
            (None, _) if self.landed => "landed",
            _ => "ended",
        };
        (Arc::from(word), abandoned)
    }
}

impl CallRow {
    /// Of a call's first leg; none of any other. `area` and `steps` are known beside the machine.
    #[must_use]
    pub fn of_leg(record: &LegRecord, area: Option<Arc<str>>, steps: Vec<Arc<str>>) -> Option<Self> {
        if record.leg != LegId::FIRST {
            return None;
        }
        let wait = record.queue.as_ref().map(|wait| WaitRow {
            queue: Arc::from(wait.queue.as_str()),
            waited: whole_ms(wait.waited),
            acted_after: wait.acted.map(|acted| ms_between(wait.entered, acted)),
            end: wait.outcome.as_ref().map(|outcome| match outcome {
                QueueOutcome::Answered(_) => WaitEnd::Answered,
                QueueOutcome::Peer(_) => WaitEnd::Peer,
                QueueOutcome::Callback => WaitEnd::Callback,
                QueueOutcome::Abandoned => WaitEnd::Abandoned,
                QueueOutcome::Left => WaitEnd::Left,
                QueueOutcome::Host => WaitEnd::Host,
                QueueOutcome::Refused => WaitEnd::Refused,
            }),
        });
        let tag =
            |name: &str| record.tags.iter().rfind(|(known, _)| &**known == name).map(|(_, value)| Arc::clone(value));
        Some(Self::new(
            CallFigures {
                started: Timestamp::from_millis(record.started.as_millis()),
                inbound: record.direction == Direction::Inbound,
                agency: Arc::from(record.agency.as_str()),
                entry: Arc::from(record.entry.as_str()),
                service: tag(SERVICE_TAG),
                area,
                // As the call record has it: there a script's own tag of that name counts where the script says nothing.
                result: record.result.clone().or_else(|| tag("result")),
                landed: record.landing.is_some(),
                by_caller: record.ended_by == EndedBy::Party,
                transferred: record.transfer.as_ref().is_some_and(|transfer| took_the_caller(&transfer.outcome)),
                talk: record.answered.map_or(Duration::ZERO, |answered| ms_between(answered, record.ended)),
                automatic: record.mode == Mode::Automatic,
                overlay_heard: record.overlay_heard,
                wait,
            },
            steps,
        ))
    }

    /// From what any record of a call's first leg says.
    #[must_use]
    pub fn new(figures: CallFigures, steps: Vec<Arc<str>>) -> Self {
        let ending = Ending {
            result: figures.result.as_deref(),
            landed: figures.landed,
            by_caller: figures.by_caller,
            wait: figures.wait.as_ref().and_then(|wait| wait.end),
            transferred: figures.transferred,
        };
        let (outcome, abandoned) = ending.outcome();
        Self {
            started: figures.started,
            inbound: figures.inbound,
            service: figures.service.unwrap_or_else(|| Arc::clone(&figures.entry)),
            agency: figures.agency,
            entry: figures.entry,
            area: figures.area.filter(|area| !area.is_empty()),
            outcome,
            landed: figures.landed,
            abandoned,
            talk: figures.talk,
            automatic: figures.automatic,
            overlay_heard: figures.overlay_heard,
            wait: figures.wait,
            steps,
        }
    }
}

/// What a record of a call's first leg says, whoever keeps it; times in whole milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "as in the call record")]
pub struct CallFigures {
    pub started: Timestamp,
    pub inbound: bool,
    pub agency: Arc<str>,
    pub entry: Arc<str>,
    pub service: Option<Arc<str>>,
    pub area: Option<Arc<str>>,
    /// What the script said became of the caller.
    pub result: Option<Arc<str>>,
    pub landed: bool,
    /// The caller ended it.
    pub by_caller: bool,
    /// The last transfer took the caller.
    pub transferred: bool,
    pub talk: Duration,
    pub automatic: bool,
    pub overlay_heard: bool,
    pub wait: Option<WaitRow>,
}

const fn took_the_caller(outcome: &TransferOutcome) -> bool {
    matches!(outcome, TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_))
}

/// What became of a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallbackEnd {
    /// It waits for its turn, or is being made.
    Open,
    /// The caller talked to an operator.
    Connected {
        /// Since when.
        at: Timestamp,
    },
    /// Tried as often as may be.
    NotReached,
    /// By a person.
    Cancelled,
    /// Cut off by a crash: not decided yet, or taken for made.
    Unknown,
}

/// One callback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackFacts {
    /// Whose caller.
    pub agency: Arc<str>,
    /// Connected by then, or escalated.
    pub due: Timestamp,
    /// Supervisors were told that it was not kept in time.
    pub escalated: bool,
    /// What became of it.
    pub end: CallbackEnd,
}

impl From<&Callback> for CallbackFacts {
    fn from(callback: &Callback) -> Self {
        Self {
            agency: Arc::from(callback.wish.agency.as_str()),
            due: callback.due,
            escalated: callback.escalated.is_some(),
            end: match &callback.state {
                CallbackState::Connected { at } => CallbackEnd::Connected { at: *at },
                CallbackState::Waiting { .. } | CallbackState::Claimed => CallbackEnd::Open,
                CallbackState::Unknown { .. } => CallbackEnd::Unknown,
                CallbackState::GivenUp { reason, .. } => match reason {
                    GivenUp::NotReached => CallbackEnd::NotReached,
                    GivenUp::Cancelled { .. } => CallbackEnd::Cancelled,
                    GivenUp::Unknown => CallbackEnd::Unknown,
                },
            },
        }
    }
}

/// As records are kept: in milliseconds.
fn whole_ms(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn ms_between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(to.as_millis().saturating_sub(from.as_millis()))
}
