//! Journals in the admins' words.

use super::replays::{Replayed, Replays};
use super::shelves::Place;
use crate::director::{internal, refused};
use gudok_admin::ports::{
    EngineRefusal, Journal, JournalRow, JournalStep, Rehearsal, RehearsalChange, RehearsalOrder, Replay, ReplayOn,
};
use gudok_core::ids::CallId;
use gudok_plugin_host::journal::{CallJournal, JournalEnd};
use gudok_plugin_host::replay::{ReplayReport, Verdict};
use gudok_store::SubjectHash;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Changes that a rehearsal tells one by one; the rest is counted.
const CHANGES_MAX: usize = 50;
/// Reasons why calls could not be run again.
const PROBLEMS_MAX: usize = 10;

impl Replays {
    /// The journals of a call, in their order.
    pub(crate) async fn rows(&self, call: CallId) -> Vec<JournalRow> {
        let Some(journals) = &self.journals else { return Vec::new() };
        let places = journals.of_call(call).await;
        (1..).zip(&places).map(|(run, place)| row(run, place)).collect()
    }

    /// Those of a person's calls.
    pub(crate) async fn of_subject(&self, subject: SubjectHash) -> Vec<JournalRow> {
        let Some(journals) = &self.journals else { return Vec::new() };
        let places = journals.of_subject(subject).await;
        places.iter().map(|(run, place)| row(*run, place)).collect()
    }

    /// One of them, masked.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub(crate) async fn journal(&self, call: CallId, run: u32) -> Result<Journal, EngineRefusal> {
        let (place, journal) = self.read(call, run).await?;
        let unread = |error| refused("conflict", 409, None, format!("the journal cannot be read: {error}"), DAMAGED);
        let steps = journal.steps().map_err(unread)?;
        let end = journal.end().map_err(unread)?;
        Ok(Journal { row: row(run, &place), end: in_words(&end), steps: same_shape::<_, Vec<JournalStep>>(&steps)? })
    }

    /// Runs one again.
    ///
    /// # Errors
    /// As [`Replays::journal`], and where the version is not there or the child did not finish.
    pub(crate) async fn replay(&self, call: CallId, run: u32, on: ReplayOn) -> Result<Replay, EngineRefusal> {
        let (_, journal) = self.read(call, run).await?;
        let agency = journal.header.agency.clone();
        let mut answer = self.run(&agency, &[journal], &on, true).await?;
        match answer.replayed.pop() {
            Some(Replayed::Report(report)) => same_shape(&*report),
            Some(Replayed::Not(why)) => Err(refused("conflict", 409, None, why, "replay it on another version")),
            None => Err(internal("replaying a call", "the child answered nothing")),
        }
    }

    /// Runs the last calls of a script on another version.
    ///
    /// # Errors
    /// Where there are none, and as [`Replays::replay`].
    pub(crate) async fn rehearse(&self, order: RehearsalOrder) -> Result<Rehearsal, EngineRefusal> {
        let kept = self.journals.as_ref().ok_or_else(|| EngineRefusal::not_served("journals of calls"))?;
        let places = kept.last(&order.agency, &order.script, order.last).await;
        let (mut journals, mut runs, mut problems) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut not_replayed = 0;
        for place in places {
            match kept.read(Arc::clone(&place)).await {
                Some(journal) => {
                    let of_call = kept.of_call(journal.header.call).await;
                    let run = of_call.iter().position(|known| Arc::ptr_eq(known, &place)).map_or(1, |at| at + 1);
                    runs.push(u32::try_from(run).unwrap_or(1));
                    journals.push(journal);
                }
                None => {
                    not_replayed += 1;
                    problems.insert("a journal is damaged".to_owned());
                }
            }
        }
        if journals.is_empty() {
            let why = format!("there is no journal of a call of {}/{}", order.agency, order.script);
            return Err(refused(
                "not-found",
                404,
                Some("script"),
                why,
                "let some calls end first; see [journal] in gudok.toml",
            ));
        }
        let answer = self.run(&order.agency, &journals, &order.on, false).await?;
        let mut rehearsal = Rehearsal {
            agency: order.agency.to_string(),
            script: order.script,
            version: answer.is.unwrap_or_default(),
            calls: 0,
            identical: 0,
            same_outcome: 0,
            journal_ends: 0,
            changed: 0,
            parted: 0,
            not_replayed,
            changes: Vec::new(),
            problems: Vec::new(),
        };
        let mut changes = BTreeMap::new();
        for (replayed, run) in answer.replayed.into_iter().zip(runs) {
            match replayed {
                Replayed::Report(report) => count(&mut rehearsal, &mut changes, &report, run)?,
                Replayed::Not(why) => {
                    rehearsal.not_replayed += 1;
                    problems.insert(why);
                }
            }
        }
        rehearsal.changes = changes.into_values().collect();
        rehearsal.changes.sort_by_key(|change| std::cmp::Reverse(change.calls));
        rehearsal.changes.truncate(CHANGES_MAX);
        rehearsal.problems = problems.into_iter().take(PROBLEMS_MAX).collect();
        Ok(rehearsal)
    }

    /// Overwrites a person's.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) async fn erase(&self, subject: SubjectHash) -> Result<u64, EngineRefusal> {
        match &self.journals {
            Some(journals) => journals.erase(subject).await.map_err(|error| internal("erasing journals", error)),
            None => Ok(0),
        }
    }

    async fn read(&self, call: CallId, run: u32) -> Result<(Arc<Place>, CallJournal), EngineRefusal> {
        let kept = self.journals.as_ref().ok_or_else(|| EngineRefusal::not_served("journals of calls"))?;
        let places = kept.of_call(call).await;
        let none = || {
            let why = format!("there is no journal {run} of the call {call}");
            refused("not-found", 404, Some("id"), why, "journals are kept as [journal] in gudok.toml says")
        };
        let place =
            usize::try_from(run).ok().and_then(|run| places.get(run.checked_sub(1)?).cloned()).ok_or_else(none)?;
        let journal = kept.read(Arc::clone(&place)).await;
        let journal = journal.ok_or_else(|| {
            refused(
                "conflict",
                409,
                Some("id"),
                "the journal is damaged, or was sealed with another node's key",
                DAMAGED,
            )
        })?;
        Ok((place, journal))
    }
}

const DAMAGED: &str = "take another call; of this one nothing is to be had";

fn count(
    rehearsal: &mut Rehearsal,
    changes: &mut BTreeMap<String, RehearsalChange>,
    report: &ReplayReport,
    run: u32,
) -> Result<(), EngineRefusal> {
    rehearsal.calls += 1;
    match report.verdict {
        Verdict::Identical => rehearsal.identical += 1,
        Verdict::SameOutcome => rehearsal.same_outcome += 1,
        Verdict::JournalEnds => rehearsal.journal_ends += 1,
        Verdict::OutcomeChanged => rehearsal.changed += 1,
        Verdict::Parted => rehearsal.parted += 1,
    }
    if !report.verdict.is_change() {
        return Ok(());
    }
    let what = what(report);
    if let Some(known) = changes.get_mut(&what) {
        known.calls += 1;
        return Ok(());
    }
    let change = RehearsalChange {
        verdict: report.verdict.as_str().to_owned(),
        what: what.clone(),
        calls: 1,
        example: report.call.clone(),
        run,
        parting: report.parting.as_ref().map(same_shape).transpose()?,
        changes: same_shape(&report.changes)?,
    };
    changes.insert(what, change);
    Ok(())
}

/// A change in words that are the same for every call that it concerns.
fn what(report: &ReplayReport) -> String {
    if let Some(parting) = &report.parting {
        let step = if parting.step.is_empty() { String::new() } else { format!(" in step {}", parting.step) };
        let function = |function: &Option<String>| function.clone().unwrap_or_else(|| "its end".to_owned());
        let (found, expected) = (function(&parting.found_function), function(&parting.expected_function));
        return format!("parts{step}: {found} where the call has {expected}: {}", parting.why);
    }
    // Codes are few; fields and tickets are each call's own.
    let told = report.changes.iter().map(|change| match change.what.as_str() {
        "result" | "disposition" | "end" => format!("{}: {} → {}", change.what, change.was, change.is),
        what => format!("other {what}"),
    });
    told.collect::<Vec<_>>().join("; ")
}

fn row(run: u32, place: &Place) -> JournalRow {
    let header = &place.header;
    JournalRow {
        call: header.call.to_string(),
        run,
        agency: header.agency.to_string(),
        entry: header.entry.to_string(),
        script: header.script.script.to_string(),
        version: crate::hex::hex(&header.script.bundle_sha256),
        label: header.script.version.to_string(),
        began_ms: header.began.as_millis(),
        ended_ms: header.ended.as_millis(),
        host_calls: header.host_calls,
        cut: header.is_cut,
    }
}

/// The admins' room has the same types for its documentation.
fn same_shape<T: serde::Serialize + ?Sized, U: DeserializeOwned>(value: &T) -> Result<U, EngineRefusal> {
    let failed = |error: serde_json::Error| internal("answering a replay", error);
    serde_json::from_value(serde_json::to_value(value).map_err(failed)?).map_err(failed)
}

fn in_words(end: &JournalEnd) -> String {
    match end {
        JournalEnd::Returned { code, .. } => code.clone(),
        JournalEnd::Informed { kind, .. } => kind.clone(),
        JournalEnd::Failed { kind, .. } => format!("error {kind}"),
        JournalEnd::Stopped(cause) => format!("stopped: {cause}"),
        JournalEnd::Dropped => "the engine let go of it".to_owned(),
    }
}
