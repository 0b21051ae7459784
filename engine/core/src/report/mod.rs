//! What a day came to: counts of calls by agency, service, municipality, hour and outcome, the funnel of script steps, the
//! service levels, the waits, the callbacks, and what callers thought of it (decree, p3 and p5).
//!
//! [`ReportBuilder`] takes rows one by one, in any order and in bounded memory; the engine makes them of call records, the
//! simulator of the records of its legs ([`CallRow::of_leg`]): the same rows make the same report.
//!
//! For a queue, of `offered` waits (those let in: refused ones and those cut off by a crash do not count):
//!
//! - **SL** = answered by an operator within the service level / offered.
//! - **SL2** = ended in any other way than waiting on, within the service level / offered: answered by an operator or a peer
//!   centre, given a callback, gone by a key of the script, or hung up.
//! - **abandon rate** = hung up while waiting / offered.
//! - **limit kept** = waits that ended within 40 s, or in which the engine had tried a peer centre or offered a callback by
//!   then / offered (decree, p5).

mod build;
mod row;
mod table;

#[cfg(test)]
mod tests;

pub use build::{ReportBuilder, ReportSettings};
pub use row::{CallFigures, CallRow, CallbackEnd, CallbackFacts, WaitEnd, WaitRow};

use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Nobody waits longer without an operator, a peer centre, or the offer of a callback (decree, p5).
pub const WAIT_LIMIT: Duration = Duration::from_secs(40);
/// Upper ends of the classes of the wait histogram; the last class is open.
pub const WAIT_EDGES_S: [u64; 7] = [5, 10, 20, 30, 40, 60, 120];
/// Different names in one dimension (services, steps, outcomes); beyond them everything is [`OTHER`].
pub const LABELS_MAX: usize = 1_000;
/// What is beyond [`LABELS_MAX`].
pub const OTHER: &str = "(other)";
/// The name of what has none.
pub const NONE: &str = "-";

/// Calls of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All of them.
    pub calls: u64,
    /// The script did its work, or an operator did.
    pub served: u64,
    /// The host took the caller over from a script.
    pub landed: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
    /// Seconds from answer to end, together.
    pub talk_s: u64,
}

/// One queue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueFigures {
    /// Waits that were let in.
    pub offered: u64,
    /// Answered by an operator.
    pub answered: u64,
    /// Of these, within the service level.
    pub answered_in_time: u64,
    /// Ended in any way within the service level.
    pub ended_in_time: u64,
    /// Taken by a peer centre.
    pub peer: u64,
    /// Ended with the promise of a callback.
    pub callback: u64,
    /// Hung up while waiting.
    pub abandoned: u64,
    /// Taken out by the script or the engine.
    pub left: u64,
    /// Not let in: closed or full.
    pub refused: u64,
    /// Ended, or acted upon, within [`WAIT_LIMIT`].
    pub limit_kept: u64,
    /// Waits by [`WAIT_EDGES_S`]; the last is beyond all edges.
    pub histogram: [u64; WAIT_EDGES_S.len() + 1],
    /// All waits together.
    pub waited_ms: u64,
    /// The longest.
    pub waited_ms_max: u64,
}

impl QueueFigures {
    /// SL, in percent; none where nobody was offered.
    #[must_use]
    pub fn sl_percent(&self) -> Option<f64> {
        percent(self.answered_in_time, self.offered)
    }

    /// SL2, in percent.
    #[must_use]
    pub fn sl2_percent(&self) -> Option<f64> {
        percent(self.ended_in_time, self.offered)
    }

    /// Abandon rate, in percent.
    #[must_use]
    pub fn abandon_percent(&self) -> Option<f64> {
        percent(self.abandoned, self.offered)
    }

    /// How often the limit of 40 s was kept, in percent.
    #[must_use]
    pub fn limit_kept_percent(&self) -> Option<f64> {
        percent(self.limit_kept, self.offered)
    }

    /// The mean wait.
    #[must_use]
    pub fn waited_ms_mean(&self) -> Option<u64> {
        self.waited_ms.checked_div(self.offered)
    }
}

/// All callbacks that were promised in the time of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallbackFigures {
    /// Promised.
    pub promised: u64,
    /// The caller talked to an operator by the time that was promised.
    pub kept: u64,
    /// Later than that.
    pub late: u64,
    /// Their time passed before they were connected; supervisors were told. Kept late, given up, or still open.
    pub escalated: u64,
    /// Tried as often as may be, and not reached.
    pub not_reached: u64,
    /// Cancelled by a person.
    pub cancelled: u64,
    /// Cut off by a crash, and not decided yet, or taken for made.
    pub unknown: u64,
    /// Wait for their turn, or are being made.
    pub open: u64,
}

/// A mean of scores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scores {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// How often each score from 1 to 5 was given.
    pub of_five: [u64; 5],
}

impl Scores {
    /// One more.
    pub fn add(&mut self, score: i32) {
        self.count += 1;
        self.sum = self.sum.saturating_add(i64::from(score));
        let place = usize::try_from(score).ok().and_then(|score| score.checked_sub(1));
        if let Some(count) = place.and_then(|place| self.of_five.get_mut(place)) {
            *count += 1;
        }
    }

    /// The mean.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean for people; no count here comes near 2^52")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

/// Where a funnel's steps belong: agency and entry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FunnelKey {
    /// Whose.
    pub agency: Arc<str>,
    /// At which entry.
    pub entry: Arc<str>,
}

/// How far callers came at one entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Funnel {
    /// Calls that came there.
    pub calls: u64,
    /// Calls that reached each step, in the order in which the steps were first seen.
    pub steps: Vec<(Arc<str>, u64)>,
}

/// What a time came to. Plain data: [`std::fmt::Display`] draws it as tables, the API gives the same as JSON.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The first call's beginning, and the last one's.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The service level of SL and SL2.
    pub service_level: Duration,
    /// Calls that came in.
    pub total: Counts,
    /// Calls that the centre made: callbacks.
    pub outbound: u64,
    /// Calls in which the emergency announcement was heard to its end.
    pub overlay_heard: u64,
    /// Calls of times at which nobody worked.
    pub automatic: u64,
    /// Calls in by agency.
    pub by_agency: BTreeMap<Arc<str>, Counts>,
    /// By the service that the script tagged, or the entry.
    pub by_service: BTreeMap<Arc<str>, Counts>,
    /// By the municipality or region of the dialled number.
    pub by_area: BTreeMap<Arc<str>, Counts>,
    /// By the hour in which they came, in the centre's zone.
    pub by_hour: [Counts; 24],
    /// By what became of them.
    pub by_outcome: BTreeMap<Arc<str>, Counts>,
    /// How far callers came.
    pub funnels: BTreeMap<FunnelKey, Funnel>,
    /// Every queue in which somebody waited.
    pub queues: BTreeMap<Arc<str>, QueueFigures>,
    /// All queues together.
    pub waits: QueueFigures,
    /// Callbacks promised.
    pub callbacks: CallbackFigures,
    /// Answers to surveys, by survey and question.
    pub surveys: BTreeMap<(Arc<str>, Arc<str>), Scores>,
    /// Quality marks on recordings, by operator.
    pub marks: BTreeMap<Arc<str>, Scores>,
    /// Tickets registered, by kind.
    pub tickets: BTreeMap<Arc<str>, u64>,
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for people; no count here comes near 2^52")]
fn percent(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 * 100.0 / of as f64)
}
