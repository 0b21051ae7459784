//! What the plugin host found, in the admins' words.

use crate::clock::millis;
use gudok_admin::ports::{Change, CheckStep, Difference, VersionId};
use gudok_plugin_host::check::{Outcome, Step};
use gudok_plugin_host::difference::{self, Changed};

/// What changes.
pub(crate) fn difference(against: Option<VersionId>, found: &difference::Difference) -> Difference {
    // The component, languages and data files have no column of their own: they are media of the bundle to whoever reads it.
    let media = found.general.iter().chain(&found.media).chain(&found.data);
    Difference {
        against,
        capabilities: changes(found.capabilities.iter()),
        limits: changes(found.limits.iter()),
        menus: changes(found.menus.iter()),
        media: changes(media),
        numbers: changes(found.numbers.iter()),
        config: changes(found.config.iter()),
        new_rights: found.new_rights,
    }
}

fn changes<'a>(found: impl Iterator<Item = &'a Changed>) -> Vec<Change> {
    let told = |changed: &Changed| Change {
        name: changed.name.clone(),
        change: changed.change.as_str().to_owned(),
        from: changed.from.clone(),
        to: changed.to.clone(),
    };
    found.map(told).collect()
}

/// One step.
pub(super) fn step(step: &Step) -> CheckStep {
    let (field, problem, remedy) = match &step.outcome {
        Outcome::Ok => (None, None, None),
        Outcome::Skipped(why) => (None, Some(why.clone()), None),
        Outcome::Failed(finding) => {
            (Some(finding.field.clone()), Some(finding.problem.clone()), Some(finding.remedy.clone()))
        }
    };
    CheckStep {
        step: step.name.as_str().to_owned(),
        result: step.outcome.as_str().to_owned(),
        field,
        problem,
        remedy,
        took_ms: millis(step.took),
    }
}
