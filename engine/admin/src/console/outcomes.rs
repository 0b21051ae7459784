//! How calls ended, per version: totals, and minute by minute.

use super::context::Ctx;
use super::format;
use crate::service::deployments::{OutcomeStep, OutcomesOfVersion};

/// Steps of the charts.
pub(crate) const STEP_S: u32 = 60;
/// Minutes shown: a canary's watch and the hour before it.
const MINUTES_MAX: usize = 120;

/// A version's totals.
pub(crate) struct Total {
    pub(crate) label: String,
    pub(crate) calls: String,
    pub(crate) served: String,
    pub(crate) landed: String,
    pub(crate) trapped: String,
    pub(crate) abandoned: String,
    pub(crate) cpu: String,
}

/// A version's minute. Also read by the charts.
pub(crate) struct Minute {
    pub(crate) at_ms: u64,
    pub(crate) at: String,
    pub(crate) version: String,
    pub(crate) label: String,
    pub(crate) served: u64,
    pub(crate) landed: u64,
    pub(crate) abandoned: u64,
}

/// How calls ended.
#[derive(Default)]
pub(crate) struct Outcomes {
    pub(crate) totals: Vec<Total>,
    pub(crate) minutes: Vec<Minute>,
}

impl Outcomes {
    /// Totals in the given order; minutes newest first.
    pub(crate) fn of(c: &Ctx, versions: &[OutcomesOfVersion]) -> Self {
        let mut moments: Vec<u64> = versions.iter().flat_map(|v| v.series.iter().map(|point| point.at_ms)).collect();
        moments.sort_unstable_by(|a, b| b.cmp(a));
        moments.dedup();
        let oldest = moments.get(MINUTES_MAX - 1).copied().unwrap_or_default();
        let minutes_of = |version: &OutcomesOfVersion| {
            let shown = version.series.iter().filter(|point| point.at_ms >= oldest);
            let (id, label) = (version.version.clone(), version.label.clone());
            let minute = |point: &OutcomeStep| Minute {
                at_ms: point.at_ms,
                at: c.moment(point.at_ms).people,
                version: id.clone(),
                label: label.clone(),
                served: point.served,
                landed: point.landed,
                abandoned: point.abandoned,
            };
            shown.map(minute).collect::<Vec<_>>()
        };
        let mut minutes: Vec<Minute> = versions.iter().flat_map(minutes_of).collect();
        minutes.sort_by_key(|minute| std::cmp::Reverse(minute.at_ms));
        Self { totals: versions.iter().map(|version| Total::of(c, version)).collect(), minutes }
    }
}

impl Total {
    fn of(c: &Ctx, version: &OutcomesOfVersion) -> Self {
        let with_share =
            |part: u64| format!("{} ({})", format::number(c.lang, part), format::percent(c.lang, part, version.calls));
        Self {
            label: version.label.clone(),
            calls: format::number(c.lang, version.calls),
            served: with_share(version.served),
            landed: with_share(version.landed),
            trapped: with_share(version.trapped),
            abandoned: with_share(version.abandoned),
            cpu: format::decimal(c.lang, version.cpu_ms_mean, 2),
        }
    }
}
