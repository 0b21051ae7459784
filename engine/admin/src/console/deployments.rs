//! What serves at each entry.

use super::context::Ctx;
use super::deploying;
use super::form::{Choice, Form};
use super::format::{self, Moment};
use super::outcomes::Outcomes;
use crate::access::Operation;
use crate::ports::{Deployment, DeploymentStep, LiveVersion, VersionId};
use askama::Template;
use std::collections::BTreeMap;

/// Of a version's hash, so many digits name it where its label is not known.
const SHORT_ID_CHARS: usize = 12;

/// Steps of the history that are shown.
const HISTORY_ROWS: usize = 50;

/// An entry in the list.
pub(crate) struct Row<'a> {
    pub(crate) d: &'a Deployment,
    pub(crate) state: String,
    pub(crate) tone: &'static str,
    pub(crate) since: Moment,
    pub(crate) calls: u64,
}

impl<'a> Row<'a> {
    pub(crate) fn of(c: &Ctx, d: &'a Deployment) -> Self {
        let newest = d.canary.as_ref().unwrap_or(&d.stable);
        Self {
            d,
            state: state_of(c, d),
            tone: tone_of(d),
            since: c.moment_of(&newest.since),
            calls: d.running.iter().map(|running| u64::from(running.calls)).sum(),
        }
    }
}

fn state_of(c: &Ctx, d: &Deployment) -> String {
    c.word("deployment.state", &d.state)
}

fn tone_of(d: &Deployment) -> &'static str {
    match d.state.as_str() {
        "stable" => "good",
        "canary" => "info",
        _ => "warn",
    }
}

/// Every entry.
#[derive(Template)]
#[template(path = "deployments.html")]
pub(crate) struct DeploymentsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) may_deploy: bool,
}

/// A version that has calls.
pub(crate) struct Running<'a> {
    pub(crate) version: &'a str,
    pub(crate) label: &'a str,
    pub(crate) calls: u32,
    pub(crate) draining: bool,
    pub(crate) deadline: Option<Moment>,
}

/// The last time that a version was taken back.
pub(crate) struct Back {
    pub(crate) title: String,
    pub(crate) reason: String,
    pub(crate) at: Moment,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What serves at an entry now.
pub(crate) struct Now<'a> {
    pub(crate) d: &'a Deployment,
    pub(crate) state: String,
    pub(crate) tone: &'static str,
    pub(crate) stable_percent: u8,
    pub(crate) canary_percent: u8,
    pub(crate) share_text: String,
    pub(crate) stable_since: Moment,
    pub(crate) canary_since: Moment,
    /// Where it is another than the one that serves.
    pub(crate) last_good: Option<&'a LiveVersion>,
    pub(crate) running: Vec<Running<'a>>,
    pub(crate) last_rollback: Option<Back>,
}

impl<'a> Now<'a> {
    pub(crate) fn of(c: &Ctx, d: &'a Deployment, labels: &BTreeMap<VersionId, String>) -> Self {
        let canary_percent = d.canary.as_ref().map_or(0, |canary| canary.share_percent.min(100));
        let stable_percent = 100 - canary_percent;
        let share_text = match &d.canary {
            None => c.w("deployment.share.all", [("stable", d.stable.label.as_str())]),
            Some(canary) => c.w(
                "deployment.share",
                [
                    ("stable", d.stable.label.as_str()),
                    ("stable_share", &c.percent_of(stable_percent)),
                    ("canary", &canary.label),
                    ("canary_share", &c.percent_of(canary_percent)),
                ],
            ),
        };
        let name = |id: &VersionId| label_of(d, labels, id);
        let last_rollback = d.last_rollback.as_ref().map(|back| {
            let key =
                if back.automatic { "deployment.rolled_back.automatic" } else { "deployment.rolled_back.by_hand" };
            Back {
                title: c.w(key, [("from", name(&back.from).as_str())]),
                reason: back.reason.clone(),
                at: c.moment_of(&back.at),
                from: name(&back.from),
                to: name(&back.to),
            }
        });
        let running = d.running.iter().map(|running| Running {
            version: &running.version,
            label: &running.label,
            calls: running.calls,
            draining: running.draining,
            deadline: running.deadline.as_deref().map(|at| c.moment_of(at)),
        });
        Self {
            d,
            state: state_of(c, d),
            tone: tone_of(d),
            stable_percent,
            canary_percent,
            share_text,
            stable_since: c.moment_of(&d.stable.since),
            canary_since: c.moment_of(d.canary.as_ref().map_or("", |canary| &canary.since)),
            last_good: d.last_good.as_ref().filter(|good| good.version != d.stable.version),
            running: running.collect(),
            last_rollback,
        }
    }
}

/// A version's label, from what is known: the deployment itself, or the list of versions; else its hash, shortened.
fn label_of(d: &Deployment, labels: &BTreeMap<VersionId, String>, id: &VersionId) -> String {
    let live = [Some(&d.stable), d.canary.as_ref(), d.last_good.as_ref()];
    let live = live.into_iter().flatten().find(|live| live.version == *id).map(|live| live.label.clone());
    let running = || d.running.iter().find(|running| running.version == *id).map(|running| running.label.clone());
    let known = live.or_else(running).or_else(|| labels.get(id).cloned());
    known.unwrap_or_else(|| id.chars().take(SHORT_ID_CHARS).collect())
}

/// One change of a deployment, in words.
pub(crate) struct Step {
    pub(crate) at: Moment,
    pub(crate) by: String,
    pub(crate) action: String,
    pub(crate) tone: &'static str,
    pub(crate) versions: String,
    pub(crate) reason: String,
}

impl Step {
    pub(crate) fn of(c: &Ctx, d: &Deployment, labels: &BTreeMap<VersionId, String>, step: &DeploymentStep) -> Self {
        let tone = match step.action.as_str() {
            "deploy" | "release" => "good",
            "canary" => "info",
            "rollback" => "warn",
            "rollback.automatic" => "bad",
            _ => "off",
        };
        let share = format::percent(c.lang, u64::from(step.share_percent), 100);
        let to = label_of(d, labels, &step.to);
        let versions = match &step.from {
            Some(from) if *from != step.to => {
                let from = label_of(d, labels, from);
                c.w("history.from_to", [("from", from.as_str()), ("to", to.as_str()), ("share", share.as_str())])
            }
            _ => c.w("history.to", [("to", to.as_str()), ("share", share.as_str())]),
        };
        Self {
            at: c.moment_of(&step.at),
            by: step.by.clone(),
            action: c.word("action", &step.action),
            tone,
            versions,
            reason: step.reason.clone().unwrap_or_default(),
        }
    }
}

/// One entry.
#[derive(Template)]
#[template(path = "deployment.html")]
pub(crate) struct DeploymentPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) now: Now<'a>,
    pub(crate) form: Form,
    pub(crate) versions: Vec<Choice>,
    pub(crate) may_deploy: bool,
    pub(crate) release_text: String,
    pub(crate) rollback_text: Option<String>,
    pub(crate) outcomes: Outcomes,
    pub(crate) history: Vec<Step>,
}

/// What an entry's page is made of.
pub(crate) struct Facts<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) history: &'a [DeploymentStep],
    pub(crate) outcomes: Outcomes,
    /// Versions that may be deployed here.
    pub(crate) choices: Vec<Choice>,
    /// Labels of versions by id.
    pub(crate) labels: BTreeMap<VersionId, String>,
}

impl<'a> DeploymentPage<'a> {
    pub(crate) fn of(c: &'a Ctx, facts: Facts<'a>, form: Form) -> Self {
        let d = facts.deployment;
        Self {
            c,
            now: Now::of(c, d, &facts.labels),
            form: deploying::filled(form, &d.guard),
            versions: facts.choices,
            may_deploy: c.may_in(Operation::Deploy, &d.agency),
            release_text: release_text(c, d.canary.as_ref()),
            rollback_text: rollback_text(c, d, &facts.labels, facts.history),
            outcomes: facts.outcomes,
            history: facts.history.iter().take(HISTORY_ROWS).map(|step| Step::of(c, d, &facts.labels, step)).collect(),
        }
    }
}

fn release_text(c: &Ctx, canary: Option<&LiveVersion>) -> String {
    let Some(canary) = canary else { return String::new() };
    let share = c.percent_of(canary.share_percent);
    c.w("release.text", [("version", canary.label.as_str()), ("share", share.as_str())])
}

/// What a roll-back would do; nothing where there is nothing to go back to.
fn rollback_text(
    c: &Ctx,
    d: &Deployment,
    labels: &BTreeMap<VersionId, String>,
    history: &[DeploymentStep],
) -> Option<String> {
    let from = d.stable.label.as_str();
    if let Some(canary) = &d.canary {
        return Some(c.w("rollback.text.canary", [("from", canary.label.as_str()), ("to", from)]));
    }
    match Before::of(&d.stable.version, history) {
        Before::Nothing => None,
        Before::Unknown => Some(c.w("rollback.text.before", [("from", from)])),
        Before::Version(to) => {
            let to = label_of(d, labels, &to);
            Some(c.w("rollback.text.stable", [("from", from), ("to", to.as_str())]))
        }
    }
}

/// Which version served before the one that serves now, told from the history as the engine's machine keeps it.
#[derive(Debug, PartialEq, Eq)]
enum Before {
    /// There was none, or it was taken back.
    Nothing,
    Version(VersionId),
    /// The history does not reach back far enough.
    Unknown,
}

impl Before {
    /// `history`: newest first.
    fn of(stable: &VersionId, history: &[DeploymentStep]) -> Self {
        let mut earlier: Vec<&VersionId> = Vec::new();
        let mut serving: Option<&VersionId> = None;
        for step in history.iter().rev() {
            match step.action.as_str() {
                "canary" => serving = serving.or(step.from.as_ref()),
                "deploy" | "release" if serving != Some(&step.to) => {
                    earlier.extend(serving.or(step.from.as_ref()).filter(|from| **from != step.to));
                    serving = Some(&step.to);
                }
                // A canary that is taken back leaves the stable version where it is.
                "rollback" | "rollback.automatic" if serving == step.from.as_ref() => {
                    while earlier.pop().is_some_and(|one| *one != step.to) {}
                    serving = Some(&step.to);
                }
                _ => {}
            }
        }
        match (serving == Some(stable), earlier.last()) {
            (true, Some(version)) => Self::Version((*version).clone()),
            (true, None) => Self::Nothing,
            (false, _) => Self::Unknown,
        }
    }
}

/// What serves now, for the stream.
#[derive(Template)]
#[template(path = "deployment_now.html")]
pub(crate) struct NowFragment<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) now: Now<'a>,
}

/// Versions with calls, for the stream.
#[derive(Template)]
#[template(path = "running.html")]
pub(crate) struct RunningFragment<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) now: Now<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_before_is_told_from_the_history() {
        let check = |steps: &[(&str, &str, &str)], stable: &str, expect: Before| {
            let step = |(action, from, to): &(&str, &str, &str)| DeploymentStep {
                at: String::new(),
                by: String::new(),
                action: (*action).into(),
                from: (!from.is_empty()).then(|| (*from).to_owned()),
                to: (*to).into(),
                share_percent: 100,
                reason: None,
            };
            // Written oldest first, as one reads.
            let history: Vec<DeploymentStep> = steps.iter().rev().map(step).collect();
            assert_eq!(Before::of(&stable.to_owned(), &history), expect, "{steps:?}");
        };
        let version = |id: &str| Before::Version(id.into());
        let first = ("deploy", "", "1");
        check(&[first], "1", Before::Nothing);
        check(&[first, ("deploy", "1", "2")], "2", version("1"));
        check(&[first, ("canary", "1", "2"), ("release", "1", "2")], "2", version("1"));
        check(&[first, ("canary", "1", "2"), ("rollback.automatic", "2", "1")], "1", Before::Nothing);
        check(&[first, ("deploy", "1", "2"), ("rollback", "2", "1")], "1", Before::Nothing);
        check(&[first, ("deploy", "1", "2"), ("deploy", "2", "3"), ("rollback", "3", "2")], "2", version("1"));
        check(
            &[first, ("deploy", "1", "2"), ("deploy", "2", "3"), ("rollback.automatic", "3", "1")],
            "1",
            Before::Nothing,
        );
        check(&[], "1", Before::Unknown);
        check(&[first], "2", Before::Unknown);
    }
}
