//! Conversations tried: each in a world of its own with virtual time, on as many threads as wanted, the same every time.
//!
//! Whatever decides how a conversation goes is written in it or follows from its seed: the clock is virtual, chance is seeded,
//! CPU is counted by what the script executed ([`LocalHost`]). So a conversation that failed once fails always.

mod judge;
mod told;
mod verdict;

pub use told::{Departure, Told, Who};

use super::{Conversation, Setting, check};
use crate::local::LocalHost;
use crate::words::SpokenWords;
use gudok_core::time::Timestamp;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::{StepUse, Version};
use gudok_simulator::decide::{CallOf, SharedDecider, world_of};
use gudok_simulator::words::PromptWords;
use gudok_simulator::{Callee, Caller, World};
use jiff::tz::TimeZone;
use judge::Judge;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A conversation that is to be tried, and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// What is expected.
    pub conversation: Conversation,
    /// In which file.
    pub file: String,
    /// The line of its title, from 1; none where a program printed it.
    pub line: Option<usize>,
    /// The line of each of its steps.
    pub step_lines: Vec<usize>,
}

/// How a conversation went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// What it is to show.
    pub title: String,
    /// In which file.
    pub file: String,
    /// The line of its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where it departed from what is expected; nowhere where it passed.
    pub departures: Vec<Departure>,
    /// What was said and done.
    pub told: Vec<Told>,
    /// What the script told its author: steps, log lines, why it was stopped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What the script used.
    pub used: Used,
    /// What of the script was reached.
    pub reached: Reached,
    /// How long the call was, as a caller's watch has it.
    pub call_ms: u64,
}

impl Outcome {
    /// All was as expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.departures.is_empty()
    }
}

/// What a script used in one conversation. CPU is reckoned from what it executed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Used {
    /// Instructions, about.
    pub fuel: u64,
    /// What that stands for.
    pub cpu_us: u64,
    /// Linear memory.
    pub memory_bytes: usize,
    /// Host calls.
    pub host_calls: u32,
    /// By the steps that the script named.
    pub steps: Vec<UsedByStep>,
}

/// What a script used in one of its steps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UsedByStep {
    /// Its name; empty before the first.
    pub name: String,
    /// Instructions, about.
    pub fuel: u64,
    /// What that stands for.
    pub cpu_us: u64,
    /// Linear memory at its end.
    pub memory_bytes: usize,
}

impl From<&StepUse> for UsedByStep {
    fn from(step: &StepUse) -> Self {
        Self { name: step.name.to_string(), fuel: step.fuel, cpu_us: step.cpu_us(), memory_bytes: step.memory_bytes }
    }
}

/// What of a script was reached.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Reached {
    /// Steps that it named.
    pub steps: BTreeSet<String>,
    /// Questions that it asked: by their step and words, the keys that they take, and those that were pressed.
    pub questions: BTreeMap<String, Keys>,
}

/// Keys of a question.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Keys {
    /// That it takes, one by one; none where it takes rows of digits.
    pub taken: BTreeSet<String>,
    /// That were pressed, of these.
    pub pressed: BTreeSet<String>,
}

/// A script that conversations are tried with.
pub struct Bench<'a> {
    host: &'a LocalHost,
    bundle: &'a Bundle,
    words: Arc<dyn PromptWords>,
    /// By the configuration that conversations set.
    versions: Mutex<BTreeMap<BTreeMap<String, String>, Arc<Version>>>,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("script", &self.bundle.manifest.name).finish_non_exhaustive()
    }
}

impl<'a> Bench<'a> {
    /// For that bundle.
    ///
    /// # Errors
    /// Where a recording cannot be heard.
    pub fn new(host: &'a LocalHost, bundle: &'a Bundle) -> anyhow::Result<Self> {
        let words = Arc::new(SpokenWords::of(bundle)?);
        Ok(Self { host, bundle, words, versions: Mutex::default() })
    }

    /// Tries one, on this thread. Not from within a tokio runtime.
    ///
    /// # Errors
    /// Where the host does not load the bundle with the configuration that the conversation sets.
    pub fn try_one(&self, trial: &Trial) -> anyhow::Result<Outcome> {
        let conversation = &trial.conversation;
        let version = self.version(conversation.config())?;
        let judge = Arc::new(Mutex::new(Judge::new(conversation)));
        let world = world(&version, conversation, Arc::clone(&self.words));
        let report = world.decided_by(Arc::clone(&judge) as SharedDecider).run();
        let mut judge = judge.lock();
        Ok(verdict::outcome(trial, &mut judge, &report, &version))
    }

    /// Tries all of them, so many at once, and gives what came of it in their order.
    ///
    /// # Errors
    /// The first that [`Bench::try_one`] has.
    pub fn try_all(&self, trials: &[Trial], jobs: usize) -> anyhow::Result<Vec<Outcome>> {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, trials.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Relaxed);
                        let Some(trial) = trials.get(at) else { return };
                        let outcome = self.try_one(trial);
                        outcomes.lock().insert(at, outcome);
                    }
                });
            }
        });
        outcomes.into_inner().into_values().collect()
    }

    /// The script with that configuration over its own.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn version(&self, config: BTreeMap<String, String>) -> anyhow::Result<Arc<Version>> {
        // One at a time: the second would compile the same again.
        let mut versions = self.versions.lock();
        if let Some(version) = versions.get(&config) {
            return Ok(Arc::clone(version));
        }
        let version = self.host.load(self.bundle, config.clone())?;
        versions.insert(config, Arc::clone(&version));
        Ok(version)
    }
}

/// The world that a conversation's settings describe.
fn world(version: &Arc<Version>, conversation: &Conversation, words: Arc<dyn PromptWords>) -> World {
    let mut call = CallOf::default();
    let mut zone = TimeZone::UTC;
    let mut at = None;
    for setting in &conversation.settings {
        match setting {
            Setting::At { time } => at = check::moment(time),
            Setting::Zone { zone: name } => zone = TimeZone::get(name).unwrap_or(TimeZone::UTC),
            Setting::From { number } => call.caller = Some(number.clone()),
            Setting::Withheld => call.anonymous = true,
            Setting::Language { language } => call.lang = Some(language.clone()),
            Setting::Entry { entry } => call.entry = Some(entry.clone()),
            Setting::Contact { name, value } => call.contact.push((name.clone(), value.clone())),
            Setting::AnsweredByMachine => call.callee = Some(Callee::answering_machine()),
            Setting::Seed { seed } => call.seed = *seed,
            Setting::Config { .. }
            | Setting::Secret { .. }
            | Setting::Stored { .. }
            | Setting::BackEndAnswers { .. } => {}
        }
    }
    if version.kind() == gudok_plugin_host::manifest::Kind::Campaign && call.callee.is_none() {
        call.callee = Some(Callee::person(Caller::called()));
    }
    let moment = at.and_then(|at| at.to_zoned(zone.clone()).ok());
    call.at = moment.and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok()).map(Timestamp::from_millis);
    let (agency, _) = call.place(version);
    let mut world = world_of(version, &call).zone(zone).words(words);
    for setting in &conversation.settings {
        world = match setting {
            Setting::Secret { name, value } => world.secret(agency.as_str(), name, value),
            Setting::Stored { bucket, key, value } => {
                world.keeps(agency.as_str(), &version.manifest.name, bucket, key, &told::bytes(value))
            }
            _ => world,
        };
    }
    world
}
