//! When a version is worse than it may be, and the sentence that says so.

use super::{Baseline, Counts};
use std::fmt::Write as _;
use std::time::Duration;

const PERMILLE: u64 = 1_000;
/// One caller's call may be chance.
const BAD_CALLS_MIN: u64 = 2;
/// What is within three standard deviations of the usual may be chance; squared.
const CHANCE: u128 = 9;
/// Of callers who hang up before being served, where no version before says what is usual here.
const ABANDON_USUAL_PERMILLE: u32 = 300;
/// A mean below is never too much, however little it was before.
const CPU_MEAN_UNNOTICED: Duration = Duration::from_millis(5);

/// When a version is taken back by itself. Rates are in thousandths, and points above what it is compared with; what may be
/// chance is not held against a version, so with few calls it must be worse than that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Ended calls before anything is judged.
    pub sample_min: u32,
    /// Calls whose script was stopped by a fault.
    pub trap_permille_over: u32,
    /// Calls that the host landed, for whatever reason.
    pub landing_permille_over: u32,
    /// Callers who hung up before being served.
    pub abandon_permille_over: u32,
    /// Mean CPU of a call, in thousandths of what it is compared with.
    pub cpu_permille_max: u32,
    /// A released version is watched so long before it is good.
    pub watch: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            sample_min: 20,
            trap_permille_over: 20,
            landing_permille_over: 50,
            abandon_permille_over: 200,
            cpu_permille_max: 3_000,
            watch: Duration::from_hours(1),
        }
    }
}

/// One of the rates.
struct Rate {
    bad: fn(&Counts) -> u64,
    over_permille: u32,
    usual_permille: u32,
    were: &'static str,
}

impl Guard {
    /// Ended calls before anything is judged; never none.
    pub(super) fn sample(&self) -> u64 {
        u64::from(self.sample_min.max(1))
    }

    /// Why the version that had these calls is worse than it may be. None while it has fewer than `calls_min`.
    pub(super) fn fault(&self, counts: &Counts, usual: Option<&Baseline>, calls_min: u64) -> Option<String> {
        if counts.judged() < calls_min.max(1) {
            return None;
        }
        self.rates().iter().find_map(|rate| self.too_many(rate, counts, usual)).or_else(|| self.too_slow(counts, usual))
    }

    fn rates(&self) -> [Rate; 3] {
        [
            Rate {
                bad: |counts| counts.trapped,
                over_permille: self.trap_permille_over,
                usual_permille: 0,
                were: "were stopped by a fault of the script",
            },
            Rate {
                bad: |counts| counts.landed,
                over_permille: self.landing_permille_over,
                usual_permille: 0,
                were: "were landed",
            },
            Rate {
                bad: |counts| counts.abandoned,
                over_permille: self.abandon_permille_over,
                usual_permille: ABANDON_USUAL_PERMILLE,
                were: "were abandoned",
            },
        ]
    }

    fn too_many(&self, rate: &Rate, counts: &Counts, usual: Option<&Baseline>) -> Option<String> {
        let (bad, calls) = ((rate.bad)(counts), counts.judged());
        if bad < BAD_CALLS_MIN.min(self.sample()) {
            return None;
        }
        let before = usual.map(|usual| &usual.counts);
        let (bad_before, calls_before) = before.map_or((0, 0), |before| ((rate.bad)(before), before.judged()));
        // Few calls before say little: they are filled up with usual ones.
        let filled = self.sample().saturating_sub(calls_before);
        let usual_of = calls_before + filled;
        let usual_permille = bad_before * PERMILLE + filled * u64::from(rate.usual_permille);
        let allowed_permille = usual_permille + u64::from(rate.over_permille) * usual_of;
        let whole = usual_of * PERMILLE;
        if !is_more((bad, calls), (allowed_permille, whole)) || may_be_chance((bad, calls), (usual_permille, whole)) {
            return None;
        }
        let mut reason = format!("{bad} of {calls} calls {} ({} %)", rate.were, percent(bad, calls));
        let taken = percent(usual_permille, whole);
        // Writing to a string never fails.
        let _ = match usual.filter(|_| calls_before > 0) {
            None => write!(reason, " with no calls to compare with ({taken} % is taken as usual)"),
            Some(usual) if filled > 0 => write!(
                reason,
                " against {bad_before} of {calls_before} on {}, too few to go by ({taken} % is taken as usual)",
                usual.label
            ),
            Some(usual) => write!(reason, " against {bad_before} of {calls_before} ({taken} %) on {}", usual.label),
        };
        let _ = write!(reason, "; allowed: {} points more", percent(u64::from(rate.over_permille), PERMILLE));
        Some(reason)
    }

    /// CPU is compared only with a version that had enough calls: without one, no mean is known to be too much.
    fn too_slow(&self, counts: &Counts, usual: Option<&Baseline>) -> Option<String> {
        let usual = usual.filter(|usual| usual.counts.judged() >= self.sample())?;
        let (mean, before) = (counts.cpu_mean(), usual.counts.cpu_mean());
        let allowed = before.as_micros() * u128::from(self.cpu_permille_max) / u128::from(PERMILLE);
        if mean <= CPU_MEAN_UNNOTICED || mean.as_micros() <= allowed {
            return None;
        }
        Some(format!(
            "{} calls took {} ms of CPU each on average against {} ms on {}; allowed: {} times as much",
            counts.judged(),
            thousandths(mean.as_micros()),
            thousandths(before.as_micros()),
            usual.label,
            thousandths(u128::from(self.cpu_permille_max)),
        ))
    }
}

/// Whether the first share, as part and whole, is larger.
fn is_more(one: (u64, u64), other: (u64, u64)) -> bool {
    u128::from(one.0) * u128::from(other.1) > u128::from(other.0) * u128::from(one.1)
}

/// Whether so many bad calls are within what chance makes of the usual share.
fn may_be_chance((bad, calls): (u64, u64), (part, whole): (u64, u64)) -> bool {
    let [bad, calls, part, whole] = [bad, calls, part, whole].map(u128::from);
    let above = (bad * whole).saturating_sub(calls * part);
    let variance = (calls * part).saturating_mul(whole.saturating_sub(part));
    above.saturating_mul(above) <= variance.saturating_mul(CHANCE)
}

/// "48", "0.5", "0": tenths only where they matter.
fn percent(part: u64, whole: u64) -> String {
    let rounded = |scale: u128| (u128::from(part) * scale + u128::from(whole) / 2) / u128::from(whole.max(1));
    let tenths = rounded(1_000);
    if tenths >= 100 { rounded(100).to_string() } else { decimal(tenths) }
}

/// Thousandths as a number with at most one decimal.
fn thousandths(value: u128) -> String {
    decimal((value + 50) / 100)
}

fn decimal(tenths: u128) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}
