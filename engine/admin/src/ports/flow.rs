//! A version's dialog, as it is found by exploring the version, and its picture.

use super::VersionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whose dialog is to be found, and how it is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowOrder {
    /// Of this version.
    pub version: VersionId,
    /// In colours: what differs from that one.
    pub against: Option<VersionId>,
    /// The language of the picture's own words: `ru`, `en`.
    pub lang: &'static str,
    /// Every place and every way, instead of what one follows with a finger.
    pub all: bool,
}

/// A version's dialog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowDrawing {
    /// Calls that were tried, each from its answer to its end.
    pub paths: u64,
    /// How fast.
    pub paths_per_second: f64,
    /// What was met, counted: `states`, `questions`, `prompts`, `steps`, `edges`, …
    pub covered: BTreeMap<String, u64>,
    /// What a bound left out, in sentences. Empty where everything was tried.
    pub left_out: Vec<String>,
    /// What no caller should meet.
    pub findings: Vec<FlowFinding>,
    /// The places of the picture, in order; the first is where a call begins.
    pub places: Vec<FlowPlace>,
    /// Compared with another version: what differs, a line each.
    pub differences: Vec<String>,
    /// The picture: SVG that takes its colours from `flow.css`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(ignore)]
    pub svg: String,
    /// The picture's style sheet, for where it stands alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(ignore)]
    pub style: String,
}

/// What no caller should meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowFinding {
    /// `dead-end`, `endless-loop`, …
    pub kind: String,
    /// The kind, for people.
    pub name: String,
    /// The shortest way there, as `--keys` takes it.
    #[serde(default)]
    pub keys: String,
    /// What is wrong, where, and what mends it.
    pub message: String,
    /// A command that lets one meet it.
    pub replay: String,
}

/// A place of a dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowPlace {
    /// Its anchor in the picture: `p3`.
    pub id: String,
    /// `start`, `question`, `message`, `operator`, `transfer`, `back-end`, `promise`, `recording`, `step`, `end`.
    pub kind: String,
    /// The kind, for people.
    pub kind_name: String,
    /// The script's name for the step.
    pub step: Option<String>,
    /// Few words.
    pub title: String,
    /// All that is said there.
    pub said: String,
    /// In which language.
    pub lang: String,
    /// What to do in a call to get there, as `--keys` takes it.
    pub keys: String,
    /// The command that gets there.
    pub replay: String,
    /// What is wrong there.
    pub findings: Vec<FlowFinding>,
    /// Where one goes from there.
    pub ways: Vec<FlowWay>,
    /// `same`, `added`, `removed`, `changed`.
    pub change: String,
    /// What was said there before, where that is something else.
    pub was: Option<String>,
}

/// Where one goes from a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowWay {
    /// The keys that take it; none where it is no matter of keys.
    pub keys: Vec<String>,
    /// What takes it, or what the keys stand for.
    pub text: String,
    /// The place where it leads.
    pub to: String,
    /// That place in few words.
    pub to_title: String,
    /// No caller wants to go it: silence, a wrong key, a system that fails.
    pub trouble: bool,
    /// `same`, `added`, `removed`.
    pub change: String,
}
