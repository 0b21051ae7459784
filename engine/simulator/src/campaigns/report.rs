//! What came of campaigns.

use crate::report::Failure;
use gudok_core::campaign::{Disposition, Figures, RunState};
use gudok_core::ids::{Campaign, Trunk};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What came of a world of campaigns.
#[derive(Clone, Debug)]
pub struct CampaignsReport {
    /// Replays the run.
    pub seed: u64,
    /// How each campaign ended.
    pub campaigns: BTreeMap<Campaign, CampaignOutcome>,
    /// Calls of all campaigns.
    pub engine: LineUse,
    /// Calls by trunk.
    pub trunks: BTreeMap<Trunk, LineUse>,
    /// Things that the machine was told or said.
    pub steps: u64,
    /// Writings that were made.
    pub written: u64,
    /// Writings that failed.
    pub failed: u64,
    /// How often the engine was killed.
    pub deaths: u32,
    /// From the world's beginning to its end, by the stopwatch.
    pub lasted: Duration,
    /// What the wall clock showed then.
    pub ended: Timestamp,
    /// Every input and command: two runs with one seed have the same, byte for byte. Empty in a quiet world.
    pub trace: String,
    /// The same in one number, in a quiet world too.
    pub digest: u64,
    /// Promises that were broken; the run stops at the first.
    pub broken: Vec<String>,
}

/// Calls of a campaign, a trunk, or all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LineUse {
    /// In all.
    pub calls: u64,
    /// The most that were begun in any second.
    pub per_second_peak: u32,
    /// The most at once.
    pub at_once_peak: u32,
}

/// How a campaign ended.
#[derive(Clone, Debug)]
pub struct CampaignOutcome {
    /// Whether it works still.
    pub run: RunState,
    /// As the machine has them at the end; none where the engine was down then.
    pub figures: Option<Figures>,
    /// Its calls.
    pub line: LineUse,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that a crash cut off.
    pub lost: u64,
    /// Ends of attempts, by the kind of their disposition: every one that there was.
    pub ends: [u64; Disposition::KINDS.len()],
    /// Its first and last call, by the stopwatch since the beginning.
    pub between: Option<(Duration, Duration)>,
}

impl CampaignOutcome {
    /// Ends with that disposition.
    #[must_use]
    pub fn ends(&self, disposition: &str) -> u64 {
        place(disposition).map_or(0, |place| self.ends[place])
    }

    /// Contacts that are done with that disposition.
    #[must_use]
    pub fn done(&self, disposition: &str) -> u64 {
        let figures = self.figures.as_ref();
        place(disposition).and_then(|place| Some(figures?.dispositions[place])).unwrap_or_default()
    }
}

fn place(disposition: &str) -> Option<usize> {
    Disposition::KINDS.iter().position(|kind| *kind == disposition)
}

impl CampaignsReport {
    /// Whether every promise was kept.
    ///
    /// # Errors
    /// The first that was not, with the seed and the end of the trace.
    pub fn verdict(&self) -> Result<&Self, Failure> {
        const TAIL_LINES: usize = 40;
        let Some(broken) = self.broken.first() else { return Ok(self) };
        let lines: Vec<&str> = self.trace.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        Err(Failure { what: broken.clone(), seed: self.seed, tail })
    }

    /// Contacts of all campaigns that are done with that disposition.
    #[must_use]
    pub fn done(&self, disposition: &str) -> u64 {
        self.campaigns.values().map(|campaign| campaign.done(disposition)).sum()
    }

    /// One campaign.
    #[must_use]
    pub fn campaign(&self, name: &str) -> Option<&CampaignOutcome> {
        self.campaigns.get(&Campaign::new(name))
    }
}

impl fmt::Display for CampaignsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, campaign) in &self.campaigns {
            let LineUse { calls, per_second_peak, at_once_peak } = campaign.line;
            writeln!(
                f,
                "{name}: {}; {calls} calls, at most {per_second_peak}/s and {at_once_peak} at once",
                campaign.run.as_str()
            )?;
            if let Some((first, last)) = campaign.between {
                let hours = |time: Duration| time.as_secs_f64() / 3_600.0;
                writeln!(f, "  first call after {:.2} h, last after {:.2} h", hours(first), hours(last))?;
            }
            if let Some(figures) = &campaign.figures {
                let Figures { contacts, waiting, in_hand, unknown, done, .. } = figures;
                writeln!(
                    f,
                    "  {contacts} contacts: {done} done, {waiting} wait, {in_hand} in hand, {unknown} unknown"
                )?;
            }
            for (place, kind) in Disposition::KINDS.iter().enumerate() {
                let done = campaign.figures.as_ref().map_or(0, |figures| figures.dispositions[place]);
                if campaign.ends[place] > 0 || done > 0 {
                    writeln!(f, "  {kind:<15} {:>9} attempts {done:>9} contacts", campaign.ends[place])?;
                }
            }
        }
        let LineUse { calls, per_second_peak, at_once_peak } = self.engine;
        writeln!(
            f,
            "all: {calls} calls, at most {per_second_peak}/s and {at_once_peak} at once; {} steps",
            self.steps
        )?;
        write!(f, "{} writings, {} failed; killed {} times", self.written, self.failed, self.deaths)
    }
}
