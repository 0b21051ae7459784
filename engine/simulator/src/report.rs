//! What came of a run.

use crate::campaigns::CampaignOutcome;
use crate::checkers::Broken;
use crate::informing::SimAttempt;
use crate::post::SimTicket;
use gudok_core::call::ScriptRun;
use gudok_core::centre::Callback;
use gudok_core::ids::{Campaign, ScriptVersion};
use gudok_core::records::LegRecord;
use gudok_core::script::{LandingCause, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::StepUse;
use gudok_plugin_host::ports::{BucketId, FetchMethod, SurveyResult};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// One line of a transcript.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// `host: …`, `caller: 1`, `host → anna`.
    pub text: String,
}

/// How a compiled script's run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BundleRun {
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// Which of its scripts.
    pub run: ScriptRun,
    /// In which version.
    pub version: ScriptVersion,
    /// How.
    pub end: ScriptEnd,
    /// Why, where the host stopped it.
    pub fault: Option<String>,
    /// CPU; where fuel is counted, what that stands for.
    pub cpu: Duration,
    /// What it executed, where fuel is counted.
    pub fuel: Option<u64>,
    /// The same by the steps that it named.
    pub steps: Vec<StepUse>,
    /// Linear memory.
    pub memory_bytes_max: usize,
    /// Host calls.
    pub host_calls: u32,
}

/// A step of a dialog that a script named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedStep {
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// Its name.
    pub name: Arc<str>,
}

/// A host call that was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimHostCall {
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// In which step.
    pub step: Option<Arc<str>>,
    /// "telephony.call.say".
    pub function: Arc<str>,
    /// "ok", or the error's name in the WIT.
    pub outcome: &'static str,
}

/// A request that reached, or should have reached, a back end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimRequest {
    /// In which call, counted from 0 as they came.
    pub call: usize,
    /// How.
    pub method: FetchMethod,
    /// Where.
    pub url: String,
    /// What was sent.
    pub body: Vec<u8>,
    /// What was answered; none where nobody did.
    pub status: Option<u16>,
}

/// What a script keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimStored {
    /// In which bucket.
    pub bucket: BucketId,
    /// Under which key.
    pub key: String,
    /// What.
    pub value: Vec<u8>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Replays the run.
    pub seed: u64,
    /// What was said and done, as people would tell it. Sensitive keys are stars.
    pub lines: Vec<Line>,
    /// The call records, in the order in which legs ended.
    pub records: Vec<LegRecord>,
    /// What scripts told their authors.
    pub log: Vec<String>,
    /// Steps that scripts named, in order.
    pub named: Vec<NamedStep>,
    /// Requests to back ends, in order.
    pub requests: Vec<SimRequest>,
    /// Host calls that were answered with an error; all of them where [`crate::World::keeps_host_calls`] was asked for.
    pub host_calls: Vec<SimHostCall>,
    /// How the first call's script ended.
    pub script_end: Option<ScriptEnd>,
    /// Why the host took the first call out of its script's hands; none where it did not.
    pub landing: Option<LandingCause>,
    /// What scripts keep at the end, by bucket and key.
    pub stored: Vec<SimStored>,
    /// How compiled scripts ended, in that order; one that was stopped from outside is not among them.
    pub runs: Vec<BundleRun>,
    /// Groups, operators, telephones that scripts would have handed callers to, and that are not there.
    pub missing: Vec<String>,
    /// Every input and command with its time: two runs with one seed have the same, byte for byte.
    pub trace: String,
    /// Promises that were broken; the run stops at the first.
    pub broken: Vec<Broken>,
    /// Things that happened to the call with the most of them, while its caller was there.
    pub steps: u32,
    /// When the last call was over.
    pub ended: Timestamp,
    /// Callbacks as they stand at the end; long-finished ones may be gone.
    pub callbacks: Vec<Callback>,
    /// Callbacks whose callers have talked.
    pub connected_callbacks: usize,
    /// Callbacks that supervisors were told of.
    pub escalated: u32,
    /// Calls that were cut off by the engine's end.
    pub lost: u32,
    /// Tickets that were registered.
    pub tickets: Vec<SimTicket>,
    /// Answers to surveys.
    pub surveys: Vec<SurveyResult>,
    /// How campaigns ended.
    pub campaigns: BTreeMap<Campaign, CampaignOutcome>,
    /// Attempts of campaigns, in the order in which they were dialled.
    pub attempts: Vec<SimAttempt>,
}

/// A run that broke a promise.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}\nseed {seed}; the end of the trace:\n{tail}")]
pub struct Failure {
    /// What was broken.
    pub what: String,
    /// Replays it.
    pub seed: u64,
    /// The last lines of the trace.
    pub tail: String,
}

impl Report {
    /// The transcript without times, a line each; with several calls each line begins with its call's number, `#1 `.
    #[must_use]
    pub fn transcript(&self) -> String {
        let several = self.lines.iter().any(|line| line.call > 0);
        let show = |line: &Line| if several { format!("#{} {}", line.call + 1, line.text) } else { line.text.clone() };
        self.lines.iter().map(show).collect::<Vec<_>>().join("\n")
    }

    /// The transcript with seconds since the first line.
    #[must_use]
    pub fn timed_transcript(&self) -> String {
        let start = self.lines.first().map(|line| line.at).unwrap_or_default();
        let mut text = String::new();
        for line in &self.lines {
            let since = line.at.since(start);
            // Writing to a string does not fail.
            let _ = writeln!(text, "{:7.1} #{} {}", since.as_secs_f32(), line.call + 1, line.text);
        }
        text
    }

    /// Whether every promise was kept.
    ///
    /// # Errors
    /// The first that was not, with the seed and the end of the trace.
    pub fn verdict(&self) -> Result<&Self, Failure> {
        const TAIL_LINES: usize = 40;
        let Some(broken) = self.broken.first() else { return Ok(self) };
        let lines: Vec<&str> = self.trace.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        Err(Failure { what: broken.to_string(), seed: self.seed, tail })
    }

    /// For tests: every promise was kept, and the transcript is that.
    ///
    /// # Panics
    /// Where either is not so.
    #[expect(clippy::panic, reason = "it is an assertion")]
    pub fn check(&self, transcript: &str) {
        if let Err(failure) = self.verdict() {
            panic!("{failure}");
        }
        assert_eq!(self.transcript(), transcript, "seed {}", self.seed);
    }
}
