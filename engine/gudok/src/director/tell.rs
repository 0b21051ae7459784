//! Deployments in the admins' words.

use super::document::Name;
use super::refusal::refused;
use super::slot::{Seen, Slot};
use gudok_admin::ports::{
    self, Deployment, EngineRefusal, LiveVersion, OutcomeCounts, OutcomePoint, RollBack, RunningVersion,
};
use gudok_core::deployment::{Counts, Guard, NamedVersion, VersionKey, VersionOutcomes};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

const ALL_PERCENT: u8 = 100;
const POINTS_MAX: f64 = 100.0;
const CPU_TIMES_MAX: f64 = 1_000.0;
const WATCH_S_MAX: u32 = 30 * 24 * 3_600;
const SAMPLE_MAX: u32 = 1_000_000;

/// RFC 3339.
pub(super) fn time(at: Timestamp) -> String {
    let at = i64::try_from(at.as_millis()).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// What is live at an entry.
pub(super) fn deployment(slot: &Slot) -> Option<Deployment> {
    let Seen { state, running, names, revision } = slot.seen()?;
    let canary_percent = state.canary.as_ref().map_or(0, |canary| canary.share.percent());
    let live = |version: &NamedVersion, since: Timestamp, share_percent: u8| {
        let name = name_of(&names, version);
        LiveVersion {
            version: version.key.to_string(),
            label: name.label,
            script: name.script,
            since: time(since),
            by: name.by,
            share_percent,
        }
    };
    let running =
        running.into_iter().filter(|running| running.calls > 0 || !running.draining).map(|running| RunningVersion {
            version: running.version.key.to_string(),
            label: name_of(&names, &running.version).label,
            calls: running.calls,
            draining: running.draining,
            deadline: running.deadline.map(time),
        });
    Some(Deployment {
        agency: slot.agency.to_string(),
        entry: slot.entry.to_string(),
        revision,
        state: state.as_str().to_owned(),
        stable: live(&state.stable.version, state.stable.since, ALL_PERCENT - canary_percent),
        canary: state.canary.as_ref().map(|canary| live(&canary.version, canary.since, canary.share.percent())),
        last_good: state.last_good().map(|good| {
            let since = state.earlier.iter().find(|earlier| earlier.live.version.key == good.key);
            live(good, since.map_or_else(Timestamp::default, |earlier| earlier.live.since), 0)
        }),
        guard: guard(&state.guard),
        running: running.collect(),
        last_rollback: state.last_rollback.as_ref().map(|taken| RollBack {
            at: time(taken.at),
            from: taken.from.key.to_string(),
            to: taken.to.key.to_string(),
            reason: taken.reason.clone(),
            automatic: taken.automatic,
        }),
    })
}

/// A version's name; as the machine knows it where the names have none.
fn name_of(names: &BTreeMap<VersionKey, Name>, version: &NamedVersion) -> Name {
    let unknown = || Name { label: version.label.to_string(), ..Name::default() };
    names.get(&version.key).cloned().unwrap_or_else(unknown)
}

/// How calls ended.
pub(super) fn outcomes(all: Vec<VersionOutcomes>) -> Vec<ports::VersionOutcomes> {
    let told = |outcomes: VersionOutcomes| ports::VersionOutcomes {
        version: outcomes.version.key.to_string(),
        label: outcomes.version.label.to_string(),
        total: counts(&outcomes.total),
        cpu_ms_mean: outcomes.total.cpu_mean().as_secs_f64() * 1_000.0,
        series: outcomes
            .series
            .iter()
            .map(|point| OutcomePoint { at_ms: point.at.as_millis(), counts: counts(&point.counts) })
            .collect(),
    };
    all.into_iter().map(told).collect()
}

const fn counts(counts: &Counts) -> OutcomeCounts {
    OutcomeCounts {
        calls: counts.calls,
        served: counts.served,
        landed: counts.landed,
        trapped: counts.trapped,
        abandoned: counts.abandoned,
    }
}

fn guard(guard: &Guard) -> ports::Guard {
    let percent = |permille: u32| f64::from(permille) / 10.0;
    ports::Guard {
        sample_min: guard.sample_min,
        trap_percent_over: percent(guard.trap_permille_over),
        landing_percent_over: percent(guard.landing_permille_over),
        abandon_percent_over: percent(guard.abandon_permille_over),
        cpu_times_max: f64::from(guard.cpu_permille_max) / 1_000.0,
        watch_s: u32::try_from(guard.watch.as_secs()).unwrap_or(u32::MAX),
    }
}

/// A guard as an admin wrote it.
///
/// # Errors
/// The first figure that is out of its range.
pub(super) fn guard_from(guard: &ports::Guard) -> Result<Guard, EngineRefusal> {
    let out_of_range = |field: &str, problem: String, remedy: &str| {
        Err(refused("conflict", 422, Some(field), problem, remedy.to_owned()))
    };
    if !(1..=SAMPLE_MAX).contains(&guard.sample_min) {
        let problem = format!("a sample of {} is not to be had", guard.sample_min);
        return out_of_range("guard.sample_min", problem, "choose 1 to 1000000");
    }
    if !(1..=WATCH_S_MAX).contains(&guard.watch_s) {
        let problem = format!("{} s is no time to watch for", guard.watch_s);
        return out_of_range("guard.watch_s", problem, "choose 1 second to 30 days");
    }
    for (field, points) in [
        ("guard.trap_percent_over", guard.trap_percent_over),
        ("guard.landing_percent_over", guard.landing_percent_over),
        ("guard.abandon_percent_over", guard.abandon_percent_over),
    ] {
        if !(0.0..=POINTS_MAX).contains(&points) {
            return out_of_range(field, format!("{points} is no number of percentage points"), "choose 0 to 100");
        }
    }
    if !(1.0..=CPU_TIMES_MAX).contains(&guard.cpu_times_max) {
        let problem = format!("{} times is no limit", guard.cpu_times_max);
        return out_of_range("guard.cpu_times_max", problem, "choose 1 to 1000");
    }
    Ok(Guard {
        sample_min: guard.sample_min,
        trap_permille_over: thousandths(guard.trap_percent_over * 10.0),
        landing_permille_over: thousandths(guard.landing_percent_over * 10.0),
        abandon_permille_over: thousandths(guard.abandon_percent_over * 10.0),
        cpu_permille_max: thousandths(guard.cpu_times_max * 1_000.0),
        watch: Duration::from_secs(guard.watch_s.into()),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 to 1,000,000")]
fn thousandths(value: f64) -> u32 {
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_goes_there_and_back() {
        let written = ports::Guard::default();
        let read = guard_from(&written).unwrap();
        assert_eq!(read, Guard::default());
        assert_eq!(guard(&read), written);
        let check = |guard: ports::Guard, field: &str| {
            assert_eq!(guard_from(&guard).unwrap_err().field.as_deref(), Some(field));
        };
        check(ports::Guard { sample_min: 0, ..written }, "guard.sample_min");
        check(ports::Guard { trap_percent_over: f64::NAN, ..written }, "guard.trap_percent_over");
        check(ports::Guard { abandon_percent_over: -1.0, ..written }, "guard.abandon_percent_over");
        check(ports::Guard { cpu_times_max: f64::INFINITY, ..written }, "guard.cpu_times_max");
        check(ports::Guard { watch_s: u32::MAX, ..written }, "guard.watch_s");
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time(Timestamp::from_millis(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
    }
}
