//! Reports: from call records to the core's rows, and from the core's figures to JSON.

use gudok_core::report::{
    CallFigures, CallRow, CallbackFigures, Counts, QueueFigures, Report, Scores, WAIT_EDGES_S, WaitEnd, WaitRow,
};
use gudok_core::time::Timestamp;
use gudok_store::{Cdr, Direction, EndedBy, Mode, QueueResult, QueueWait, TransferResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// The row of a call's first leg; none of any other leg.
#[must_use]
pub fn row_of_cdr(cdr: &Cdr) -> Option<CallRow> {
    let (began, ended) = (&cdr.began, &cdr.ended);
    if began.leg != 0 {
        return None;
    }
    let tag = |name: &str| ended.tags.get(name).map(|value| Arc::from(value.as_str()));
    let figures = CallFigures {
        started: Timestamp::from_millis(began.started_ms.0),
        inbound: began.direction == Direction::Inbound,
        agency: Arc::from(began.agency.to_string()),
        entry: Arc::from(began.entry.as_str()),
        service: tag("service"),
        area: (!began.area.is_empty()).then(|| Arc::from(began.area.as_str())),
        result: tag("result"),
        landed: ended.landing.is_some(),
        by_caller: matches!(ended.ended_by, EndedBy::Caller | EndedBy::Callee),
        transferred: ended.transfer.as_ref().is_some_and(|transfer| transfer.result == TransferResult::Connected),
        talk: Duration::from_millis(cdr.talk_ms()),
        automatic: began.mode == Mode::Automatic,
        overlay_heard: ended.tags.get("overlay").is_some_and(|heard| heard == "heard"),
        wait: ended.queue.as_ref().map(wait_of),
    };
    Some(CallRow::new(figures, ended.steps.iter().map(|step| Arc::from(step.as_str())).collect()))
}

fn wait_of(wait: &QueueWait) -> WaitRow {
    WaitRow {
        queue: Arc::from(wait.queue.as_str()),
        waited: Duration::from_millis(wait.waited_ms),
        acted_after: wait.acted_ms.map(|acted| Duration::from_millis(acted.since(wait.entered_ms))),
        end: wait.result.map(|result| match result {
            QueueResult::Answered => WaitEnd::Answered,
            QueueResult::Peer => WaitEnd::Peer,
            QueueResult::Callback => WaitEnd::Callback,
            QueueResult::Abandoned => WaitEnd::Abandoned,
            QueueResult::Left => WaitEnd::Left,
            QueueResult::Host => WaitEnd::Host,
            QueueResult::Refused => WaitEnd::Refused,
        }),
    }
}

/// A report. SL = answered within the service level / offered; SL2 = ended in any way within it / offered; see
/// docs/OPERATING.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// The first call's beginning, milliseconds since 1970.
    pub first_ms: Option<u64>,
    /// The last call's.
    pub last_ms: Option<u64>,
    /// The service level of SL and SL2.
    pub service_level_s: u64,
    /// Calls in.
    pub total: CountsView,
    /// Calls that the centre made.
    pub outbound: u64,
    /// Calls in which the emergency announcement was heard to its end.
    pub overlay_heard: u64,
    /// Calls while nobody worked.
    pub automatic: u64,
    /// Calls in by agency.
    pub by_agency: Vec<CountsView>,
    /// By the service that the script tagged, or the entry.
    pub by_service: Vec<CountsView>,
    /// By the municipality of the dialled number.
    pub by_municipality: Vec<CountsView>,
    /// By the hour of the centre's day, "00" to "23"; hours without calls too.
    pub by_hour: Vec<CountsView>,
    /// By what became of them.
    pub by_outcome: Vec<CountsView>,
    /// How far callers came.
    pub funnels: Vec<FunnelView>,
    /// Every queue in which somebody waited.
    pub queues: Vec<QueueView>,
    /// All queues together.
    pub waits: QueueView,
    /// Callbacks promised.
    pub callbacks: CallbackView,
    /// Means of surveys' scores.
    pub surveys: Vec<ScoresView>,
    /// Means of quality marks by operator.
    pub marks: Vec<ScoresView>,
    /// Tickets registered, by kind.
    pub tickets: BTreeMap<String, u64>,
}

/// Calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountsView {
    /// Of what.
    pub name: String,
    /// All of them.
    pub calls: u64,
    /// Neither landed nor abandoned.
    pub served: u64,
    /// The host took the caller over from a script.
    pub landed: u64,
    /// The caller hung up before being served.
    pub abandoned: u64,
    /// Seconds from answer to end, together.
    pub talk_s: u64,
}

/// How far callers came at one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunnelView {
    /// Whose.
    pub agency: String,
    /// At which entry.
    pub entry: String,
    /// Calls that came there.
    pub calls: u64,
    /// In the order in which the steps were first seen.
    pub steps: Vec<FunnelStepView>,
}

/// One step of a funnel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunnelStepView {
    /// As the script named it.
    pub step: String,
    /// Calls that reached it.
    pub calls: u64,
}

/// One queue's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Which; empty for all together.
    pub queue: String,
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
    /// Not let in.
    pub refused: u64,
    /// Ended, or acted upon, within 40 s.
    pub limit_kept: u64,
    /// `answered_in_time` of `offered`.
    pub sl_percent: Option<f64>,
    /// `ended_in_time` of `offered`.
    pub sl2_percent: Option<f64>,
    /// `abandoned` of `offered`.
    pub abandon_percent: Option<f64>,
    /// `limit_kept` of `offered`.
    pub limit_kept_percent: Option<f64>,
    /// The mean wait.
    pub waited_ms_mean: Option<u64>,
    /// The longest wait.
    pub waited_ms_max: u64,
    /// Waits by length.
    pub histogram: Vec<WaitClassView>,
}

/// One class of the wait histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitClassView {
    /// Up to so many seconds; null for the last, open class.
    pub until_s: Option<u64>,
    /// Waits.
    pub waits: u64,
}

/// Callbacks promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallbackView {
    /// All of them.
    pub promised: u64,
    /// Connected by the time that was promised.
    pub kept: u64,
    /// Connected later.
    pub late: u64,
    /// Not connected by then; supervisors were told.
    pub escalated: u64,
    /// Tried as often as may be.
    pub not_reached: u64,
    /// By a person.
    pub cancelled: u64,
    /// Cut off by a crash.
    pub unknown: u64,
    /// Wait, or are being made.
    pub open: u64,
}

/// Means of scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoresView {
    /// The survey; or the operator.
    pub name: String,
    /// The question; empty for marks.
    pub question: String,
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: Option<f64>,
    /// How often 1, 2, 3, 4 and 5 were given.
    pub of_five: Vec<u64>,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        let all =
            |map: &BTreeMap<Arc<str>, Counts>| map.iter().map(|(name, counts)| counts_view(name, counts)).collect();
        let hours = report.by_hour.iter().enumerate();
        Self {
            first_ms: report.span.map(|(first, _)| first.as_millis()),
            last_ms: report.span.map(|(_, last)| last.as_millis()),
            service_level_s: report.service_level.as_secs(),
            total: counts_view("", &report.total),
            outbound: report.outbound,
            overlay_heard: report.overlay_heard,
            automatic: report.automatic,
            by_agency: all(&report.by_agency),
            by_service: all(&report.by_service),
            by_municipality: all(&report.by_area),
            by_hour: hours.map(|(hour, counts)| counts_view(&format!("{hour:02}"), counts)).collect(),
            by_outcome: all(&report.by_outcome),
            funnels: report
                .funnels
                .iter()
                .map(|(key, funnel)| FunnelView {
                    agency: key.agency.to_string(),
                    entry: key.entry.to_string(),
                    calls: funnel.calls,
                    steps: funnel
                        .steps
                        .iter()
                        .map(|(step, calls)| FunnelStepView { step: step.to_string(), calls: *calls })
                        .collect(),
                })
                .collect(),
            queues: report.queues.iter().map(|(name, figures)| queue_view(name, figures)).collect(),
            waits: queue_view("", &report.waits),
            callbacks: callback_view(report.callbacks),
            surveys: report
                .surveys
                .iter()
                .map(|((name, question), scores)| scores_view(name, question, scores))
                .collect(),
            marks: report.marks.iter().map(|(name, scores)| scores_view(name, "", scores)).collect(),
            tickets: report.tickets.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        }
    }
}

fn counts_view(name: &str, counts: &Counts) -> CountsView {
    let Counts { calls, served, landed, abandoned, talk_s } = *counts;
    CountsView { name: name.to_owned(), calls, served, landed, abandoned, talk_s }
}

fn queue_view(name: &str, figures: &QueueFigures) -> QueueView {
    let edges = WAIT_EDGES_S.iter().copied().map(Some).chain([None]);
    QueueView {
        queue: name.to_owned(),
        offered: figures.offered,
        answered: figures.answered,
        answered_in_time: figures.answered_in_time,
        ended_in_time: figures.ended_in_time,
        peer: figures.peer,
        callback: figures.callback,
        abandoned: figures.abandoned,
        left: figures.left,
        refused: figures.refused,
        limit_kept: figures.limit_kept,
        sl_percent: figures.sl_percent(),
        sl2_percent: figures.sl2_percent(),
        abandon_percent: figures.abandon_percent(),
        limit_kept_percent: figures.limit_kept_percent(),
        waited_ms_mean: figures.waited_ms_mean(),
        waited_ms_max: figures.waited_ms_max,
        histogram: edges.zip(figures.histogram).map(|(until_s, waits)| WaitClassView { until_s, waits }).collect(),
    }
}

const fn callback_view(figures: CallbackFigures) -> CallbackView {
    let CallbackFigures { promised, kept, late, escalated, not_reached, cancelled, unknown, open } = figures;
    CallbackView { promised, kept, late, escalated, not_reached, cancelled, unknown, open }
}

fn scores_view(name: &str, question: &str, scores: &Scores) -> ScoresView {
    ScoresView {
        name: name.to_owned(),
        question: question.to_owned(),
        count: scores.count,
        mean: scores.mean(),
        of_five: scores.of_five.to_vec(),
    }
}

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "a figure for people")]
mod tests {
    use super::*;
    use gudok_core::report::{ReportBuilder, ReportSettings};
    use gudok_store::{
        AgencyId, CallId, CdrQuery, HangupCause, LegBegan, LegEnded, Party, SledStore, Store, StoreOptions, UtcMs,
    };

    const RECORDS: u64 = 50_000;
    /// What the store's writer takes before somebody must wait for it.
    const AT_ONCE: u64 = 10_000;

    fn cdr(at: u64) -> Cdr {
        let call_id = CallId::new(&format!("{at:032x}")).unwrap();
        let started_ms = UtcMs(1_777_914_000_000 + at * 1_728);
        let began = LegBegan {
            call_id: call_id.clone(),
            leg: 0,
            parent: None,
            chain_id: call_id,
            agency: AgencyId::new(["mfc", "water", "roads"][usize::try_from(at % 3).unwrap()]).unwrap(),
            entry: "desk".into(),
            script: "menu".into(),
            script_version: "1.0.0".into(),
            direction: Direction::Inbound,
            caller: Party::masked("+79131234567"),
            called: Party::own_number("122"),
            trunk: "local".into(),
            started_ms,
            mode: Mode::Attended,
            language: "ru-RU".into(),
            area: format!("place-{}", at % 20),
            campaign: None,
        };
        let waited_ms = at % 45_000;
        let ended_ms = UtcMs(started_ms.0 + 60_000 + waited_ms);
        let mut ended = LegEnded::new(ended_ms, HangupCause::Normal, EndedBy::Caller);
        ended.answered_ms = Some(started_ms);
        ended.tags =
            [("result".to_owned(), "served".to_owned()), ("service".to_owned(), format!("s{}", at % 50))].into();
        ended.steps = ["menu", "service", "desk"].map(Into::into).into();
        ended.queue = Some(QueueWait {
            queue: format!("q{}", at % 5),
            entered_ms: started_ms,
            waited_ms,
            acted_ms: (waited_ms > 35_000).then(|| UtcMs(started_ms.0 + 35_000)),
            result: Some(if at.is_multiple_of(10) { QueueResult::Abandoned } else { QueueResult::Answered }),
            by: String::new(),
        });
        began.ended(ended)
    }

    #[test]
    fn a_day_of_fifty_thousand_calls_is_reported_from_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(StoreOptions::at(folder.path().join("records"))).unwrap();
        for at in 0..RECORDS {
            store.leg_ended(cdr(at)).unwrap();
            if at % AT_ONCE == 0 {
                store.settled().wait().unwrap();
            }
        }
        store.settled().wait().unwrap();
        let begun = std::time::Instant::now();
        let mut builder = ReportBuilder::new(ReportSettings {
            zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(7)),
            service_level: Duration::from_secs(20),
            service_levels: BTreeMap::new(),
            agency: None,
        });
        let mut query = CdrQuery::default();
        loop {
            let page = store.cdrs(query.clone()).wait().unwrap();
            page.cdrs.iter().filter_map(row_of_cdr).for_each(|row| builder.call(&row));
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
        let view = ReportView::from(&builder.finish());
        println!("{RECORDS} call records, {:?}", begun.elapsed());
        assert_eq!((view.total.calls, view.by_municipality.len(), view.queues.len()), (RECORDS, 20, 5));
        assert_eq!((view.waits.offered, view.waits.abandoned), (RECORDS, RECORDS / 10));
        assert_eq!(view.waits.histogram.iter().map(|class| class.waits).sum::<u64>(), RECORDS);
        assert_eq!(view.waits.limit_kept_percent, Some(100.0), "who waited longer was offered something by then");
        assert_eq!(view.by_hour.iter().map(|hour| hour.calls).sum::<u64>(), RECORDS);
    }
}
