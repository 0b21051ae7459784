//! What must be true then: judged when the call is over.

use super::super::{Expected, Step};
use super::judge::Judge;
use super::told::{Departure, is_value};
use super::{Outcome, Trial, Used, UsedByStep};
use gudok_core::campaign::Disposition;
use gudok_core::ids::LegId;
use gudok_core::script::{CallError, ScriptEnd};
use gudok_plugin_host::manifest::Kind;
use gudok_plugin_host::ports::TicketKind;
use gudok_plugin_host::{Version, fuel_us};
use gudok_simulator::{BundleRun, Report};
use std::sync::Arc;
use std::time::Duration;

/// Words that were said, shown at most.
const SAID_SHOWN_MAX: usize = 3;

pub(super) fn outcome(trial: &Trial, judge: &mut Judge, report: &Report, version: &Arc<Version>) -> Outcome {
    let seen = Seen { report, version, judge_said: &judge.said.clone(), connected: &judge.connected.clone() };
    let faulty = seen.faulty();
    judge.ends("the call is over");
    let mut departures: Vec<Departure> = Vec::new();
    // A script that was stopped explains why what was expected did not come.
    departures.extend(faulty.filter(|_| !expects_fault(trial)));
    departures.extend(judge.departure.take());
    if departures.is_empty() {
        let steps = trial.conversation.steps.iter().enumerate();
        let thens = steps.filter(|(_, step)| step.is_then());
        departures.extend(thens.filter_map(|(at, step)| {
            let (came, remedy) = seen.missing(step)?;
            let mut departure = Departure::new(judge.shown(step), came).at(at);
            departure.remedy = remedy;
            Some(departure)
        }));
        departures.extend(seen.plan(trial));
    }
    for departure in &mut departures {
        departure.line = departure.step.and_then(|step| trial.step_lines.get(step).copied());
        departure.told = departure.told.min(judge.told.len());
    }
    let mut reached = judge.reached.clone();
    reached.steps.extend(report.named.iter().filter(|named| named.call == 0).map(|named| named.name.to_string()));
    Outcome {
        title: trial.conversation.title.clone(),
        file: trial.file.clone(),
        line: trial.line,
        departures,
        told: std::mem::take(&mut judge.told),
        log: report.log.clone(),
        used: seen.used(),
        reached,
        call_ms: u64::try_from(seen.lasted().as_millis()).unwrap_or(u64::MAX),
    }
}

/// Whoever expects a script to fail says so by its result.
fn expects_fault(trial: &Trial) -> bool {
    let expects = |step: &Step| matches!(step, Step::ThenResult { code } if code.starts_with("error") || code.starts_with("stopped"));
    trial.conversation.steps.iter().any(expects)
}

/// What is there to be looked at, when the call is over.
struct Seen<'a> {
    report: &'a Report,
    version: &'a Version,
    judge_said: &'a [String],
    connected: &'a [String],
}

type Missing = Option<(String, Option<String>)>;

fn missing(came: impl Into<String>) -> Missing {
    Some((came.into(), None))
}

impl Seen<'_> {
    fn runs(&self) -> impl Iterator<Item = &BundleRun> {
        self.report.runs.iter().filter(|run| run.version == self.version.id && run.call == 0)
    }

    fn end(&self) -> Option<&ScriptEnd> {
        self.runs().last().map(|run| &run.end)
    }

    /// A script that the host had to stop, or that returned an error nobody expects.
    fn faulty(&self) -> Option<Departure> {
        if let Some(broken) = self.report.broken.first() {
            return Some(Departure::new("that every promise is kept", broken.to_string()));
        }
        let prepare =
            self.report.log.iter().find_map(|line| line.strip_prefix("Fault ")).filter(|_| self.end().is_none());
        if let Some(why) = prepare {
            return Some(Departure::new("that prepare answers", format!("it failed: {why}")));
        }
        let run = self.runs().last()?;
        match &run.end {
            ScriptEnd::Stopped(cause) => {
                let why = run.fault.as_deref().unwrap_or("without a word");
                Some(
                    Departure::new(
                        "that the script goes through",
                        format!("it was stopped ({}): {why}", cause.as_str()),
                    )
                    .remedy("`gudok test --verbose` shows what it logged."),
                )
            }
            ScriptEnd::Failed(error) if !matches!(error, CallError::Ended(_)) => Some(
                Departure::new("that the script goes through", format!("it returned an error: {error}"))
                    .remedy("Where that is right, say so: then result is error"),
            ),
            _ => None,
        }
    }

    fn result(&self) -> String {
        match self.end() {
            None => "none: the script did not come to its end".into(),
            Some(ScriptEnd::Returned(summary)) => summary.code.to_string(),
            Some(ScriptEnd::Informed(disposition)) => disposition.as_str().to_owned(),
            Some(ScriptEnd::Failed(CallError::Ended(_))) => "ended".into(),
            Some(ScriptEnd::Failed(_)) => "error".into(),
            Some(ScriptEnd::Stopped(_)) => "stopped".into(),
        }
    }

    fn fields(&self) -> Vec<(String, String)> {
        match self.end() {
            Some(ScriptEnd::Returned(summary)) => {
                summary.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
            }
            Some(ScriptEnd::Informed(Disposition::Confirmed(words) | Disposition::Failed(words))) => {
                vec![("words".to_owned(), words.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn lasted(&self) -> Duration {
        let legs = self.report.records.iter().filter(|leg| leg.leg == LegId::FIRST);
        legs.min_by_key(|leg| leg.started).map(|leg| leg.ended.since(leg.started)).unwrap_or_default()
    }

    fn used(&self) -> Used {
        let mut used = Used::default();
        for run in self.runs() {
            used.fuel += run.fuel.unwrap_or_default();
            used.memory_bytes = used.memory_bytes.max(run.memory_bytes_max);
            used.host_calls += run.host_calls;
            used.steps.extend(run.steps.iter().map(UsedByStep::from));
        }
        used.cpu_us = fuel_us(used.fuel);
        used
    }

    /// Of a campaign: what `prepare` said.
    fn plan(&self, trial: &Trial) -> Option<Departure> {
        let expects = trial.conversation.steps.iter().any(|step| matches!(step, Step::ThenPlan { .. }));
        if expects || self.version.kind() != Kind::Campaign {
            return None;
        }
        let plan = self.planned();
        (plan != "dial").then(|| {
            Departure::new("that the contact is dialled", format!("prepare says {plan}")).remedy(
                "Where that is right, say so: then prepare says skip. Columns are settings: contact NAME: VALUE",
            )
        })
    }

    fn planned(&self) -> &'static str {
        if !self.report.attempts.is_empty() {
            return "dial";
        }
        let done = |kind: &str| self.report.campaigns.values().any(|outcome| outcome.done(kind) > 0);
        if done("skipped") { "skip" } else { "not-before" }
    }

    /// What came instead of what must be true then; nothing where it is true.
    fn missing(&self, step: &Step) -> Missing {
        match step {
            Step::ThenResult { code } => self.is_result(code),
            Step::ThenField { name, value } => {
                let fields = self.fields();
                let found = fields.iter().find(|(found, _)| found == name);
                match found {
                    Some((_, found)) if found == value => None,
                    Some((_, found)) => missing(format!("{name} = {found}")),
                    None if fields.is_empty() => missing("the result has no fields"),
                    None => missing(format!("the result has {}", joined(fields.iter().map(|(name, _)| name.as_str())))),
                }
            }
            Step::ThenReached { name } if !self.names(name) => {
                let named = joined(self.report.named.iter().map(|named| &*named.name));
                let came =
                    if named.is_empty() { "the script named no step".into() } else { format!("reached: {named}") };
                missing(came)
            }
            Step::ThenNotReached { name } if self.names(name) => missing("it was reached"),
            Step::ThenStored { bucket, key, value } => {
                let found = self.stored(bucket, key);
                match (found, value) {
                    (None, _) => {
                        let stored = self.report.stored.iter();
                        let keys: Vec<String> =
                            stored.map(|one| format!("{}/{}", one.bucket.bucket, one.key)).collect();
                        missing(if keys.is_empty() {
                            "nothing is stored".into()
                        } else {
                            format!("stored: {}", joined(keys.iter().map(String::as_str)))
                        })
                    }
                    (Some(found), Some(value)) if !is_value(found, value) => {
                        missing(format!("stored: {}", String::from_utf8_lossy(found)))
                    }
                    (Some(_), _) => None,
                }
            }
            Step::ThenNotStored { bucket, key } => self
                .stored(bucket, key)
                .and_then(|found| missing(format!("stored: {}", String::from_utf8_lossy(found)))),
            Step::ThenTicket { kind, agency } => self.is_registered(kind, agency.as_deref()),
            Step::ThenNoTicket => {
                let ticket = self.report.tickets.first()?;
                missing(format!("registered: {} for {}", ticket_kind(ticket.ticket.kind), ticket.ticket.to_agency))
            }
            Step::ThenCallback { queue } => {
                let queues: Vec<&str> = self.report.callbacks.iter().map(|one| one.wish.queue.as_str()).collect();
                match queue {
                    None if queues.is_empty() => missing("none is promised"),
                    Some(queue) if !queues.contains(&queue.as_str()) => missing(if queues.is_empty() {
                        "none is promised".into()
                    } else {
                        format!("promised by {}", joined(queues))
                    }),
                    _ => None,
                }
            }
            Step::ThenNoCallback => {
                let callback = self.report.callbacks.first()?;
                missing(format!("promised by {}", callback.wish.queue))
            }
            Step::ThenSurvey { survey, question, score } => self.is_marked(survey, question, *score),
            Step::ThenConnected { name } => {
                if self.connected.contains(name) {
                    return None;
                }
                let known = joined(self.connected.iter().map(String::as_str));
                missing(if known.is_empty() { "to nobody".into() } else { format!("connected to {known}") })
            }
            Step::ThenHeard { words } if !self.heard(words) => {
                let said = self.judge_said;
                let shown = &said[said.len().saturating_sub(SAID_SHOWN_MAX)..];
                missing(format!(
                    "heard last: {}",
                    shown.iter().map(|said| format!("«{said}»")).collect::<Vec<_>>().join(", ")
                ))
            }
            Step::ThenNeverHeard { words } if self.heard(words) => missing("it was heard"),
            Step::ThenAtMost { seconds } => {
                let lasted = self.lasted();
                (lasted > Duration::from_secs((*seconds).into()))
                    .then(|| (format!("the call took {:.1} seconds", lasted.as_secs_f64()), None))
            }
            Step::ThenCpu { ms } => {
                let cpu_us = self.used().cpu_us;
                (cpu_us >= u64::from(*ms) * 1_000)
                    .then(|| (format!("{}.{:03} ms", cpu_us / 1_000, cpu_us % 1_000), None))
            }
            Step::ThenMemory { kib } => {
                let used = self.used().memory_bytes / 1024;
                (used >= *kib as usize).then(|| (format!("{used} KiB"), None))
            }
            Step::ThenPlan { plan } => {
                let planned = self.planned();
                if plan == planned { None } else { missing(format!("prepare says {planned}")) }
            }
            _ => None,
        }
    }

    fn is_result(&self, code: &str) -> Missing {
        let result = self.result();
        if result == code {
            return None;
        }
        let remedy = (result == "ended").then(|| {
            "The caller hung up: the script waited for keys, and the conversation says nothing more of what the caller does.".to_owned()
        });
        Some((format!("the result is {result}"), remedy))
    }

    fn is_registered(&self, kind: &str, agency: Option<&str>) -> Missing {
        let tickets = &self.report.tickets;
        let fits = |found: &gudok_simulator::SimTicket| {
            ticket_kind(found.ticket.kind) == kind
                && agency.is_none_or(|agency| found.ticket.to_agency.as_str() == agency)
        };
        if tickets.iter().any(fits) {
            return None;
        }
        let known: Vec<String> = tickets
            .iter()
            .map(|found| format!("{} for {}", ticket_kind(found.ticket.kind), found.ticket.to_agency))
            .collect();
        missing(if known.is_empty() {
            "no ticket is registered".into()
        } else {
            format!("registered: {}", known.join(", "))
        })
    }

    fn is_marked(&self, survey: &str, question: &str, score: i64) -> Missing {
        let surveys = self.report.surveys.iter().filter(|found| &*found.survey == survey);
        let answers: Vec<_> = surveys.flat_map(|found| &found.answers).collect();
        match answers.iter().find(|answer| &*answer.question == question) {
            Some(answer) if answer.score.map(i64::from) == Some(score) => None,
            Some(answer) => {
                missing(answer.score.map_or_else(|| "no mark".into(), |score| format!("{question} = {score}")))
            }
            None => missing("no such mark was given"),
        }
    }

    fn names(&self, name: &str) -> bool {
        self.report.named.iter().any(|named| &*named.name == name)
    }

    fn stored(&self, bucket: &str, key: &str) -> Option<&[u8]> {
        let stored = self.report.stored.iter();
        stored.into_iter().find(|one| *one.bucket.bucket == *bucket && one.key == key).map(|one| one.value.as_slice())
    }

    fn heard(&self, words: &str) -> bool {
        let expected = Expected::new(words).anywhere();
        self.judge_said.iter().any(|said| expected.is_said_in(said))
    }
}

const fn ticket_kind(kind: TicketKind) -> &'static str {
    match kind {
        TicketKind::Complaint => "complaint",
        TicketKind::OutdatedInformation => "outdated-information",
        TicketKind::Request => "request",
    }
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all.join(", ")
}
