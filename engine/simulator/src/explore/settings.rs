//! What is explored, and how far.

use crate::decide::CallOf;
use gudok_plugin_host::ports::DirectoryPort;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How exploring goes.
#[derive(Clone)]
pub struct ExploreSettings {
    /// How the call comes in, and into what.
    pub call: CallOf,
    /// How far it goes.
    pub bounds: Bounds,
    /// What is found.
    pub rules: Rules,
    /// Answers of back ends that scripts can work with. Without any, what is behind an answer that fits is not met, and the
    /// report says so.
    pub replies: Vec<ExampleReply>,
    /// Keys that fit questions of many digits: "12345678". Besides them, each length that the grammar takes is tried.
    pub entries: Vec<String>,
    /// What the directory knows; without one, an example that has two of everything ([`crate::ExampleDirectory`]).
    pub directory: Option<Arc<dyn DirectoryPort>>,
    /// In the command that replays: `gudok call --local TARGET … --keys …`.
    pub target: String,
    /// In that command: what the version was loaded with over its manifest's configuration. It stands there in clear.
    pub config: BTreeMap<String, String>,
}

impl ExploreSettings {
    /// The usual, for a script that is called so in commands ("." or "my-script.ivr").
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self {
            call: CallOf::default(),
            bounds: Bounds::default(),
            rules: Rules::default(),
            replies: Vec::new(),
            entries: Vec::new(),
            directory: None,
            target: target.into(),
            config: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for ExploreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExploreSettings")
            .field("bounds", &self.bounds)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// How far exploring goes. What is beyond is counted, and told with the bound that left it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// Calls.
    pub paths_max: u64,
    /// Decisions of one call.
    pub depth_max: u32,
    /// How often one place is looked at again on one way: a script that counts in secret shows it by then.
    pub visits_max: u8,
    /// Places.
    pub states_max: u32,
    /// Real time, of the whole.
    pub time_max_ms: u64,
    /// A caller who is still the script's after so long, in the call's time, is kept for ever.
    pub call_s_max: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            paths_max: 1_000_000,
            depth_max: 60,
            visits_max: 3,
            states_max: 100_000,
            time_max_ms: 60_000,
            call_s_max: 1_800,
        }
    }
}

/// What is found, where that is a matter of taste.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Nobody listens to a prompt that is longer.
    pub prompt_s_max: u16,
    /// A prompt that no key interrupts is no longer.
    pub uninterruptible_s_max: u16,
    /// From every question a person can be reached, by so many keys at most; zero where that is not asked for.
    pub keys_to_operator_max: u8,
}

impl Default for Rules {
    fn default() -> Self {
        Self { prompt_s_max: 60, uninterruptible_s_max: 8, keys_to_operator_max: 4 }
    }
}

/// An answer of a back end that a script can work with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExampleReply {
    /// Part of the address that is asked, "/offices"; empty for any.
    pub url_part: String,
    /// "200".
    pub status: u16,
    /// What is answered.
    pub body: String,
}

/// How far exploring has come, for whoever waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Calls so far.
    pub paths: u64,
    /// Places so far.
    pub states: u64,
    /// Decisions that are to be tried, as far as is known.
    pub open: u64,
    /// In how much real time.
    pub took: Duration,
}
