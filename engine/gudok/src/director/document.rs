//! A deployment as the ledger keeps it: JSON under the kind `deployment`, id `AGENCY/ENTRY`.
//!
//! The machine's state is plain data without serde; here it has its written form, with what the machine does not need and
//! people do: who put a version there, of which script it is, and what happened before.

use crate::clock::millis;
use crate::hex;
use gudok_admin::ports::DeploymentStep;
use gudok_core::deployment::{
    Baseline, Canary, Counts, DeploymentState, Earlier, Guard, LiveVersion, NamedVersion, Phase, Share, TakenBack,
    VersionKey,
};
use gudok_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Steps of an entry's history that are kept; the audit has all of them.
pub(super) const HISTORY_MAX: usize = 64;
/// Characters of a reason.
pub(super) const REASON_CHARS_MAX: usize = 500;

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    stable: LiveRecord,
    phase: PhaseRecord,
    canary: Option<CanaryRecord>,
    #[serde(default)]
    earlier: Vec<EarlierRecord>,
    guard: GuardRecord,
    drain_ms: Option<u64>,
    last_rollback: Option<TakenBackRecord>,
    /// By hash.
    names: BTreeMap<String, Name>,
    /// Newest first.
    #[serde(default)]
    pub(super) history: Vec<DeploymentStep>,
}

/// What people want to know of a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Name {
    /// As in its manifest: "1.2.0".
    pub(crate) label: String,
    /// The script's name.
    pub(crate) script: String,
    /// Who put it there.
    pub(crate) by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LiveRecord {
    version: String,
    since_ms: u64,
    baseline: Option<BaselineRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BaselineRecord {
    label: String,
    counts: CountsRecord,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct CountsRecord {
    calls: u64,
    served: u64,
    landed: u64,
    trapped: u64,
    abandoned: u64,
    moved: u64,
    cpu_us: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CanaryRecord {
    version: String,
    since_ms: u64,
    share_permille: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct EarlierRecord {
    live: LiveRecord,
    good: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum PhaseRecord {
    Watching { until_ms: u64 },
    Restored { until_ms: u64 },
    Good,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct GuardRecord {
    sample_min: u32,
    trap_permille_over: u32,
    landing_permille_over: u32,
    abandon_permille_over: u32,
    cpu_permille_max: u32,
    watch_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TakenBackRecord {
    at_ms: u64,
    from: String,
    to: String,
    reason: String,
    automatic: bool,
}

/// Why a document is none.
#[derive(Debug, thiserror::Error)]
#[error("the deployment's document is damaged: {0}")]
pub(crate) struct Damaged(String);

impl Record {
    /// Of a state, with the names of its versions and its history.
    pub(super) fn new(state: &DeploymentState, names: &BTreeMap<VersionKey, Name>, history: &[DeploymentStep]) -> Self {
        let mut referenced: Vec<VersionKey> = state.referenced().map(|version| version.key).collect();
        referenced.extend(state.last_rollback.iter().flat_map(|taken| [taken.from.key, taken.to.key]));
        let named = |key: &VersionKey| names.get(key).map(|name| (key.to_string(), name.clone()));
        Self {
            stable: live_record(&state.stable),
            phase: match state.phase {
                Phase::Watching { until } => PhaseRecord::Watching { until_ms: until.as_millis() },
                Phase::Restored { until } => PhaseRecord::Restored { until_ms: until.as_millis() },
                Phase::Good => PhaseRecord::Good,
            },
            canary: state.canary.as_ref().map(|canary| CanaryRecord {
                version: canary.version.key.to_string(),
                since_ms: canary.since.as_millis(),
                share_permille: canary.share.permille(),
            }),
            earlier: state
                .earlier
                .iter()
                .map(|earlier| EarlierRecord { live: live_record(&earlier.live), good: earlier.good })
                .collect(),
            guard: guard_record(&state.guard),
            drain_ms: state.drain.map(millis),
            last_rollback: state.last_rollback.as_ref().map(|taken| TakenBackRecord {
                at_ms: taken.at.as_millis(),
                from: taken.from.key.to_string(),
                to: taken.to.key.to_string(),
                reason: taken.reason.chars().take(REASON_CHARS_MAX).collect(),
                automatic: taken.automatic,
            }),
            names: referenced.iter().filter_map(named).collect(),
            history: history.iter().take(HISTORY_MAX).cloned().collect(),
        }
    }

    /// Back to what the machine begins with.
    ///
    /// # Errors
    /// Where a hash, or the share, is none.
    pub(super) fn state(&self) -> Result<DeploymentState, Damaged> {
        Ok(DeploymentState {
            stable: self.live(&self.stable)?,
            phase: match self.phase {
                PhaseRecord::Watching { until_ms } => Phase::Watching { until: Timestamp::from_millis(until_ms) },
                PhaseRecord::Restored { until_ms } => Phase::Restored { until: Timestamp::from_millis(until_ms) },
                PhaseRecord::Good => Phase::Good,
            },
            canary: self.canary.as_ref().map(|canary| self.canary_state(canary)).transpose()?,
            earlier: self
                .earlier
                .iter()
                .map(|earlier| Ok(Earlier { live: self.live(&earlier.live)?, good: earlier.good }))
                .collect::<Result<_, Damaged>>()?,
            guard: Guard {
                sample_min: self.guard.sample_min,
                trap_permille_over: self.guard.trap_permille_over,
                landing_permille_over: self.guard.landing_permille_over,
                abandon_permille_over: self.guard.abandon_permille_over,
                cpu_permille_max: self.guard.cpu_permille_max,
                watch: Duration::from_millis(self.guard.watch_ms),
            },
            drain: self.drain_ms.map(Duration::from_millis),
            last_rollback: self.last_rollback.as_ref().map(|taken| self.taken_back(taken)).transpose()?,
        })
    }

    /// The versions' names, by their keys.
    pub(super) fn names(&self) -> BTreeMap<VersionKey, Name> {
        self.names.iter().filter_map(|(hash, name)| Some((VersionKey(hex::hash(hash)?), name.clone()))).collect()
    }

    fn canary_state(&self, canary: &CanaryRecord) -> Result<Canary, Damaged> {
        let share = Share::from_permille(canary.share_permille);
        Ok(Canary {
            version: self.named(&canary.version)?,
            since: Timestamp::from_millis(canary.since_ms),
            share: share.ok_or_else(|| Damaged(format!("{} is no share", canary.share_permille)))?,
        })
    }

    fn taken_back(&self, taken: &TakenBackRecord) -> Result<TakenBack, Damaged> {
        Ok(TakenBack {
            at: Timestamp::from_millis(taken.at_ms),
            from: self.named(&taken.from)?,
            to: self.named(&taken.to)?,
            reason: taken.reason.clone(),
            automatic: taken.automatic,
        })
    }

    fn live(&self, live: &LiveRecord) -> Result<LiveVersion, Damaged> {
        Ok(LiveVersion {
            version: self.named(&live.version)?,
            since: Timestamp::from_millis(live.since_ms),
            baseline: live.baseline.as_ref().map(|baseline| Baseline {
                label: Arc::from(baseline.label.as_str()),
                counts: counts(baseline.counts),
            }),
        })
    }

    fn named(&self, hash: &str) -> Result<NamedVersion, Damaged> {
        let key = VersionKey(hex::hash(hash).ok_or_else(|| Damaged(format!("{hash:?} is no version")))?);
        let label = self.names.get(hash).map_or("", |name| name.label.as_str());
        Ok(NamedVersion { key, label: Arc::from(label) })
    }
}

fn live_record(live: &LiveVersion) -> LiveRecord {
    LiveRecord {
        version: live.version.key.to_string(),
        since_ms: live.since.as_millis(),
        baseline: live.baseline.as_ref().map(|baseline| BaselineRecord {
            label: baseline.label.to_string(),
            counts: counts_record(&baseline.counts),
        }),
    }
}

const fn counts_record(counts: &Counts) -> CountsRecord {
    CountsRecord {
        calls: counts.calls,
        served: counts.served,
        landed: counts.landed,
        trapped: counts.trapped,
        abandoned: counts.abandoned,
        moved: counts.moved,
        cpu_us: counts.cpu_us,
    }
}

const fn counts(record: CountsRecord) -> Counts {
    Counts {
        calls: record.calls,
        served: record.served,
        landed: record.landed,
        trapped: record.trapped,
        abandoned: record.abandoned,
        moved: record.moved,
        cpu_us: record.cpu_us,
    }
}

fn guard_record(guard: &Guard) -> GuardRecord {
    GuardRecord {
        sample_min: guard.sample_min,
        trap_permille_over: guard.trap_permille_over,
        landing_permille_over: guard.landing_permille_over,
        abandon_permille_over: guard.abandon_permille_over,
        cpu_permille_max: guard.cpu_permille_max,
        watch_ms: millis(guard.watch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(byte: u8, label: &str) -> NamedVersion {
        NamedVersion { key: VersionKey([byte; 32]), label: Arc::from(label) }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let at = Timestamp::from_millis(1_000);
        let mut state = DeploymentState::first(named(1, "1.0.0"), Guard::default(), Some(Duration::from_secs(60)), at);
        state.phase = Phase::Restored { until: Timestamp::from_millis(9_000) };
        let calls = Counts { calls: 7, trapped: 1, landed: 2, served: 5, cpu_us: 1_234, ..Counts::default() };
        state.earlier = vec![Earlier {
            live: LiveVersion {
                version: named(3, "0.9.0"),
                since: at,
                baseline: Some(Baseline { label: Arc::from("0.8.0"), counts: calls }),
            },
            good: true,
        }];
        state.canary = Share::from_percent(10).map(|share| Canary { version: named(2, "1.1.0"), since: at, share });
        state.last_rollback = Some(TakenBack {
            at,
            from: named(4, "1.0.1"),
            to: named(1, "1.0.0"),
            reason: "2 of 20".into(),
            automatic: true,
        });
        let name = |label: &str| Name { label: label.into(), script: "desk".into(), by: "anna".into() };
        let labels = [(1, "1.0.0"), (2, "1.1.0"), (3, "0.9.0"), (4, "1.0.1"), (5, "unused")];
        let names = labels.map(|(byte, label)| (VersionKey([byte; 32]), name(label))).into();
        let record = Record::new(&state, &names, &[]);
        let read: Record = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.state().unwrap(), state);
        assert_eq!(read.names().len(), 4, "a version that nobody refers to is forgotten");
    }

    #[test]
    fn a_damaged_document_is_no_deployment() {
        let state = DeploymentState::first(named(1, "1"), Guard::default(), None, Timestamp::default());
        let mut record = Record::new(&state, &BTreeMap::new(), &[]);
        record.stable.version = "11".into();
        assert!(record.state().is_err());
    }
}
