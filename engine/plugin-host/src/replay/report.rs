//! What a replay says: how far both went the same, where they parted, and what came of it. Everything in it is masked.

use super::outcome::{Change, Exactly, Outcome};
use super::questions::in_words;
use super::{Asked, Over, Ran};
use crate::journal::{CallJournal, JournalEnd, JournalError, JournalStep, Masks, Opened};
use crate::version::Version;
use gudok_core::ids::ScriptVersion;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// How a replay compares with its call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every host call and the end are the same to the bit.
    Identical,
    /// The same came of it, on another way.
    SameOutcome,
    /// As far as the journal goes; it was cut off.
    JournalEnds,
    /// Something else came of it.
    OutcomeChanged,
    /// The version asks something that the journal has no answer for.
    Parted,
}

impl Verdict {
    /// Whether something else came of the call, or may have.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::OutcomeChanged | Self::Parted)
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::SameOutcome => "same-outcome",
            Self::JournalEnds => "journal-ends",
            Self::OutcomeChanged => "outcome-changed",
            Self::Parted => "parted",
        }
    }
}

/// A version by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VersionName {
    /// The script.
    pub script: String,
    /// As its manifest has it.
    pub version: String,
    /// Its bundle's hash, in hexadecimal.
    pub bundle: String,
}

impl VersionName {
    fn of(id: &ScriptVersion) -> Self {
        Self {
            script: id.script.to_string(),
            version: id.version.to_string(),
            bundle: crate::bundle::hex(&id.bundle_sha256),
        }
    }
}

impl fmt::Display for VersionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({:.8})", self.script, self.version, self.bundle)
    }
}

/// Where a version parts from the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parting {
    /// At which host call of the replay, from 1.
    pub seq: u32,
    /// In which step of the dialog; empty for none.
    pub step: String,
    /// What the journal has there; none where it has nothing more.
    pub expected: Option<String>,
    /// The host function of that.
    pub expected_function: Option<String>,
    /// What the version asks; none where it comes to its end.
    pub found: Option<String>,
    /// The host function of that.
    pub found_function: Option<String>,
    /// In words.
    pub why: String,
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = "nothing";
        let step = if self.step.is_empty() { String::new() } else { format!(", step {}", self.step) };
        let (expected, found) = (self.expected.as_deref().unwrap_or(none), self.found.as_deref().unwrap_or(none));
        write!(f, "at host call {}{step}: {}. The call: {expected}. The replay: {found}", self.seq, self.why)
    }
}

/// Something that a version does in another way, without parting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// At which host call of the replay, from 1.
    pub seq: u32,
    /// In which step of the dialog.
    pub step: String,
    /// In words.
    pub what: String,
}

/// What a replay says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReplayReport {
    /// The call.
    pub call: String,
    /// Its agency.
    pub agency: String,
    /// Its entry.
    pub entry: String,
    /// The version that it ran on.
    pub was: VersionName,
    /// The version of the replay.
    pub is: VersionName,
    /// How they compare.
    pub verdict: Verdict,
    /// Host calls that were the same from the beginning.
    pub same_calls: u32,
    /// Host calls of the call.
    pub host_calls: u32,
    /// Where they part.
    pub parting: Option<Parting>,
    /// What is different without parting.
    pub differences: Vec<Difference>,
    /// What came of the call.
    pub outcome: Outcome,
    /// What came of the replay; none where they part.
    pub replayed: Option<Outcome>,
    /// What of that is not as it was.
    pub changes: Vec<Change>,
    /// The replay's host calls.
    pub steps: Vec<JournalStep>,
}

pub(super) fn report(
    version: &Arc<Version>,
    journal: &CallJournal,
    opened: &Opened,
    is_same: bool,
    ran: Ran,
) -> Result<ReplayReport, JournalError> {
    let masks = || {
        let mut masks = Masks::new(opened);
        let values = opened.entries.iter().map(|entry| journal.values(entry));
        values.filter_map(Result::ok).for_each(|(args, result)| masks.learn(&args, result.as_ref()));
        masks
    };
    let mut calls = Vec::with_capacity(opened.entries.len());
    for entry in &opened.entries {
        let (args, result) = journal.values(entry)?;
        calls.push(Asked { function: Arc::clone(&entry.function), args, result });
    }
    let was = Exactly::of(&calls, &opened.end, masks());
    let mut steps = journal.steps()?;
    if is_same {
        steps.truncate(ran.same_calls as usize);
    }
    let (replayed_calls, differences) = match ran.followed {
        Some(followed) => {
            steps = followed.steps;
            (Some(followed.calls), followed.differences)
        }
        None => (None, Vec::new()),
    };
    let replayed = |end: &JournalEnd| Exactly::of(replayed_calls.as_deref().unwrap_or(&calls), end, masks());
    let mut report = ReplayReport {
        call: journal.header.call.to_string(),
        agency: journal.header.agency.to_string(),
        entry: journal.header.entry.to_string(),
        was: VersionName::of(&journal.header.script),
        is: VersionName::of(&version.id),
        verdict: Verdict::JournalEnds,
        same_calls: ran.same_calls,
        host_calls: journal.header.host_calls,
        parting: None,
        differences,
        outcome: was.shown(),
        replayed: None,
        changes: Vec::new(),
        steps,
    };
    match ran.over {
        Over::Ended(end) => {
            let is = replayed(&end);
            report.changes = was.changes(&is);
            report.replayed = Some(is.shown());
            let whole = ran.same_calls as usize == calls.len() && !journal.header.is_cut;
            report.verdict = match report.changes.is_empty() {
                true if whole && end == opened.end => Verdict::Identical,
                true => Verdict::SameOutcome,
                false if cut_short(&opened.end) => Verdict::JournalEnds,
                false => Verdict::OutcomeChanged,
            };
        }
        Over::WithTheJournal => {
            let stopped = matches!(opened.end, JournalEnd::Stopped(_)) && !journal.header.is_cut;
            if stopped && ran.same_calls as usize >= calls.len() - usize::from(is_unanswered(&calls)) {
                // The host stopped it there, and there the replay was stopped.
                report.verdict = Verdict::Identical;
            }
        }
        Over::Parted { expected, found, why } => {
            let masks = masks();
            let expected = expected.and_then(|nth| calls.get(nth));
            report.verdict = Verdict::Parted;
            report.parting = Some(Parting {
                seq: u32::try_from(report.steps.len() + 1).unwrap_or(u32::MAX),
                step: report.steps.last().map(|step| step.step.clone()).unwrap_or_default(),
                expected: expected.map(|call| in_words(&call.function, &masks.masked(&call.args))),
                expected_function: expected.map(|call| call.function.to_string()),
                found_function: found.as_ref().map(|(function, _)| function.to_string()),
                found: found.map(|(function, args)| in_words(&function, &masks.masked(&args))),
                why: masks.hide(&why),
            });
        }
    }
    Ok(report)
}

/// The call did not come to an end of its own.
const fn cut_short(end: &JournalEnd) -> bool {
    matches!(end, JournalEnd::Dropped)
}

fn is_unanswered(calls: &[Asked]) -> bool {
    calls.last().is_some_and(|call| call.result.is_none())
}

/// An end in a few words.
pub(super) fn end_words(end: &JournalEnd) -> String {
    match end {
        JournalEnd::Returned { code, .. } => code.clone(),
        JournalEnd::Informed { kind, .. } => kind.clone(),
        JournalEnd::Failed { kind, .. } => format!("error {kind}"),
        JournalEnd::Stopped(cause) => format!("stopped: {cause}"),
        JournalEnd::Dropped => "the engine let go of it".to_owned(),
    }
}
