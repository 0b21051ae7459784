//! Rows to a report.

use super::{
    CallRow, CallbackEnd, CallbackFacts, CallbackFigures, Counts, Funnel, FunnelKey, LABELS_MAX, NONE, OTHER,
    QueueFigures, Report, Scores, WAIT_EDGES_S, WAIT_LIMIT, WaitEnd, WaitRow,
};
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How a report is made.
#[derive(Clone, Debug)]
pub struct ReportSettings {
    /// Whose hours they are.
    pub zone: TimeZone,
    /// Of SL and SL2, for queues that say nothing else.
    pub service_level: Duration,
    /// By queue.
    pub service_levels: BTreeMap<Arc<str>, Duration>,
    /// Rows of other agencies are not counted; all where there is none.
    pub agency: Option<Arc<str>>,
}

/// Takes rows in any order, and keeps none of them.
#[derive(Clone, Debug)]
pub struct ReportBuilder {
    settings: ReportSettings,
    report: Report,
}

impl ReportBuilder {
    /// With nothing counted.
    #[must_use]
    pub fn new(settings: ReportSettings) -> Self {
        let report = Report { service_level: settings.service_level, ..Report::default() };
        Self { settings, report }
    }

    /// One call.
    pub fn call(&mut self, row: &CallRow) {
        if self.settings.agency.as_ref().is_some_and(|agency| *agency != row.agency) {
            return;
        }
        let report = &mut self.report;
        let (first, last) = report.span.unwrap_or((row.started, row.started));
        report.span = Some((first.min(row.started), last.max(row.started)));
        if let Some(wait) = &row.wait {
            let level = self.settings.service_levels.get(&wait.queue).copied().unwrap_or(self.settings.service_level);
            labelled(&mut report.queues, &wait.queue).add(wait, level);
            report.waits.add(wait, level);
        }
        if !row.inbound {
            report.outbound += 1;
            return;
        }
        let counts = counts_of(row);
        report.total.add(counts);
        report.overlay_heard += u64::from(row.overlay_heard);
        report.automatic += u64::from(row.automatic);
        let none = Arc::from(NONE);
        labelled(&mut report.by_agency, &row.agency).add(counts);
        labelled(&mut report.by_service, &row.service).add(counts);
        labelled(&mut report.by_area, row.area.as_ref().unwrap_or(&none)).add(counts);
        labelled(&mut report.by_outcome, &row.outcome).add(counts);
        report.by_hour[hour(&self.settings.zone, row.started)].add(counts);
        funnel(&mut report.funnels, row);
    }

    /// One callback that was promised.
    pub fn callback(&mut self, callback: &CallbackFacts) {
        if self.settings.agency.as_ref().is_some_and(|agency| *agency != callback.agency) {
            return;
        }
        self.report.callbacks.add(callback);
    }

    /// One answer to a survey's question. Answers in words have no score, and are not counted.
    pub fn survey(&mut self, survey: &Arc<str>, question: &Arc<str>, score: i32) {
        let key = (Arc::clone(survey), Arc::clone(question));
        if self.report.surveys.len() < LABELS_MAX || self.report.surveys.contains_key(&key) {
            self.report.surveys.entry(key).or_default().add(score);
        }
    }

    /// One quality mark on an operator's recording.
    pub fn mark(&mut self, operator: &Arc<str>, score: i32) {
        labelled(&mut self.report.marks, operator).add(score);
    }

    /// One ticket.
    pub fn ticket(&mut self, kind: &Arc<str>) {
        *labelled(&mut self.report.tickets, kind) += 1;
    }

    /// What it came to so far.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }
}

fn counts_of(row: &CallRow) -> Counts {
    Counts {
        calls: 1,
        served: u64::from(!row.abandoned && !row.landed),
        landed: u64::from(row.landed),
        abandoned: u64::from(row.abandoned),
        talk_s: row.talk.as_secs(),
    }
}

/// The count of a name; of [`OTHER`] where there are too many names.
fn labelled<'a, T: Default>(map: &'a mut BTreeMap<Arc<str>, T>, name: &Arc<str>) -> &'a mut T {
    let known = map.contains_key(name) || map.len() < LABELS_MAX;
    map.entry(if known { Arc::clone(name) } else { Arc::from(OTHER) }).or_default()
}

fn hour(zone: &TimeZone, at: Timestamp) -> usize {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    usize::try_from(zone.to_datetime(moment).hour()).unwrap_or(0).min(23)
}

fn funnel(funnels: &mut BTreeMap<FunnelKey, Funnel>, row: &CallRow) {
    let key = FunnelKey { agency: Arc::clone(&row.agency), entry: Arc::clone(&row.entry) };
    if funnels.len() >= LABELS_MAX && !funnels.contains_key(&key) {
        return;
    }
    let funnel = funnels.entry(key).or_default();
    funnel.calls += 1;
    for step in &row.steps {
        if let Some((_, count)) = funnel.steps.iter_mut().find(|(known, _)| known == step) {
            *count += 1;
        } else if funnel.steps.len() < LABELS_MAX {
            funnel.steps.push((Arc::clone(step), 1));
        }
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.served += other.served;
        self.landed += other.landed;
        self.abandoned += other.abandoned;
        self.talk_s = self.talk_s.saturating_add(other.talk_s);
    }
}

impl QueueFigures {
    fn add(&mut self, wait: &WaitRow, service_level: Duration) {
        let Some(end) = wait.end else { return };
        if end == WaitEnd::Refused {
            self.refused += 1;
            return;
        }
        self.offered += 1;
        let in_time = wait.waited <= service_level;
        self.ended_in_time += u64::from(in_time);
        match end {
            WaitEnd::Answered => {
                self.answered += 1;
                self.answered_in_time += u64::from(in_time);
            }
            WaitEnd::Peer => self.peer += 1,
            WaitEnd::Callback => self.callback += 1,
            WaitEnd::Abandoned => self.abandoned += 1,
            WaitEnd::Left | WaitEnd::Host | WaitEnd::Refused => self.left += 1,
        }
        let acted = wait.acted_after.is_some_and(|after| after <= WAIT_LIMIT);
        self.limit_kept += u64::from(wait.waited <= WAIT_LIMIT || acted);
        let class = WAIT_EDGES_S.iter().position(|edge| wait.waited <= Duration::from_secs(*edge));
        self.histogram[class.unwrap_or(WAIT_EDGES_S.len())] += 1;
        let waited_ms = u64::try_from(wait.waited.as_millis()).unwrap_or(u64::MAX);
        self.waited_ms = self.waited_ms.saturating_add(waited_ms);
        self.waited_ms_max = self.waited_ms_max.max(waited_ms);
    }
}

impl CallbackFigures {
    fn add(&mut self, callback: &CallbackFacts) {
        self.promised += 1;
        self.escalated += u64::from(callback.escalated);
        match callback.end {
            CallbackEnd::Connected { at } if at <= callback.due => self.kept += 1,
            CallbackEnd::Connected { .. } => self.late += 1,
            CallbackEnd::Open => self.open += 1,
            CallbackEnd::Unknown => self.unknown += 1,
            CallbackEnd::NotReached => self.not_reached += 1,
            CallbackEnd::Cancelled => self.cancelled += 1,
        }
    }
}

impl Scores {
    /// Together with others.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        for (mine, theirs) in self.of_five.iter_mut().zip(other.of_five) {
            *mine += theirs;
        }
    }
}
