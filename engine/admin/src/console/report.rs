//! A bundle's check and what would change, in words.

use super::context::Ctx;
use super::format;
use crate::ports::{BundleReport, Change, CheckStep, Difference};

/// One step of the check.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) result: String,
    pub(crate) tone: &'static str,
    pub(crate) took: String,
    pub(crate) field: Option<String>,
    pub(crate) problem: Option<String>,
    pub(crate) remedy: Option<String>,
}

/// One change.
pub(crate) struct Changed {
    pub(crate) name: String,
    pub(crate) change: String,
    pub(crate) tone: &'static str,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// Changes of one kind.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) changes: Vec<Changed>,
}

/// All that changes.
pub(crate) struct Diff {
    pub(crate) against: String,
    pub(crate) new_rights: bool,
    pub(crate) groups: Vec<Group>,
}

/// A bundle's check.
pub(crate) struct Report {
    pub(crate) steps: Vec<Step>,
    pub(crate) difference: Option<Diff>,
}

impl Report {
    /// `against`: the name of the version compared with, where it is known.
    pub(crate) fn of(c: &Ctx, report: &BundleReport, difference: Option<&Difference>, against: Option<&str>) -> Self {
        let difference = difference.or(report.difference.as_ref());
        Self {
            steps: report.steps.iter().map(|step| Step::of(c, step)).collect(),
            difference: difference.map(|difference| Diff::of(c, difference, against)),
        }
    }
}

impl Step {
    fn of(c: &Ctx, step: &CheckStep) -> Self {
        let tone = match step.result.as_str() {
            "ok" => "good",
            "failed" => "bad",
            _ => "off",
        };
        Self {
            name: c.word("report.step", &step.step),
            result: c.word("report.result", &step.result),
            tone,
            took: format::took(c.lang, step.took_ms),
            field: step.field.clone(),
            problem: step.problem.clone(),
            remedy: step.remedy.clone(),
        }
    }
}

impl Diff {
    fn of(c: &Ctx, difference: &Difference, against: Option<&str>) -> Self {
        let against = match (&difference.against, against) {
            (None, _) => c.t("difference.first").to_owned(),
            (Some(_), Some(name)) => c.w("difference.against", [("version", name)]),
            (Some(id), None) => c.w("difference.against", [("version", id.get(..12).unwrap_or(id))]),
        };
        let groups = [
            ("difference.group.capabilities", &difference.capabilities),
            ("difference.group.limits", &difference.limits),
            ("difference.group.menus", &difference.menus),
            ("difference.group.media", &difference.media),
            ("difference.group.numbers", &difference.numbers),
            ("difference.group.config", &difference.config),
        ];
        let groups = groups.into_iter().filter(|(_, changes)| !changes.is_empty()).map(|(title, changes)| Group {
            title: c.t(title),
            changes: changes.iter().map(|change| Changed::of(c, change)).collect(),
        });
        Self { against, new_rights: difference.new_rights, groups: groups.collect() }
    }
}

impl Changed {
    fn of(c: &Ctx, change: &Change) -> Self {
        let tone = match change.change.as_str() {
            "added" => "info",
            "widened" => "warn",
            "removed" | "narrowed" => "off",
            _ => "good",
        };
        Self {
            name: change.name.clone(),
            change: c.word("difference.change", &change.change),
            tone,
            from: change.from.clone(),
            to: change.to.clone(),
        }
    }
}
