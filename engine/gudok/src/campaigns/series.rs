//! How attempts ended, minute by minute.

use super::convert::kind_word;
use gudok_admin::ports::{CampaignPoint, CampaignSeries};
use gudok_core::campaign::Disposition;
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;

const MINUTE_MS: u64 = 60_000;
/// Minutes in which something ended, of one campaign: a fortnight without a pause. The oldest are let go.
const MINUTES_MAX: usize = 14 * 24 * 60;

/// Ends by minute and disposition.
#[derive(Debug, Default)]
pub(super) struct Series(BTreeMap<u64, [u32; Disposition::KINDS.len()]>);

impl Series {
    pub(super) fn add(&mut self, at: Timestamp, kind: u8) {
        let counts = self.0.entry(at.as_millis() / MINUTE_MS).or_default();
        if let Some(count) = counts.get_mut(usize::from(kind)) {
            *count = count.saturating_add(1);
        }
        while self.0.len() > MINUTES_MAX {
            self.0.pop_first();
        }
    }

    /// In steps of so many seconds, whole minutes.
    pub(super) fn steps(&self, step_s: u32) -> CampaignSeries {
        let minutes = u64::from(step_s.div_ceil(60).max(1));
        let mut points: Vec<CampaignPoint> = Vec::new();
        for (minute, counts) in &self.0 {
            let at_ms = minute / minutes * minutes * MINUTE_MS;
            if points.last().is_none_or(|point| point.at_ms != at_ms) {
                points.push(CampaignPoint { at_ms, ..CampaignPoint::default() });
            }
            let Some(point) = points.last_mut() else { continue };
            for (kind, count) in (0_u8..).zip(counts).filter(|(_, count)| **count > 0) {
                *point.dispositions.entry(kind_word(kind).to_owned()).or_default() += u64::from(*count);
            }
        }
        CampaignSeries { step_s: u32::try_from(minutes * 60).unwrap_or(u32::MAX), points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_put_together_and_the_oldest_let_go() {
        let mut series = Series::default();
        let at = |minute: u64| Timestamp::from_millis(minute * MINUTE_MS + 1);
        for minute in [10, 10, 11, 14, 25] {
            series.add(at(minute), Disposition::Busy.kind());
        }
        series.add(at(25), Disposition::Delivered.kind());
        let steps = series.steps(300);
        let seen: Vec<_> =
            steps.points.iter().map(|point| (point.at_ms / MINUTE_MS, point.dispositions["busy"])).collect();
        assert_eq!((steps.step_s, seen), (300, vec![(10, 4), (25, 1)]));
        assert_eq!(steps.points[1].dispositions["delivered"], 1);
        assert_eq!(series.steps(1).points.len(), 4);
        for minute in 0..=MINUTES_MAX as u64 {
            series.add(at(100 + minute), 0);
        }
        assert_eq!(series.0.len(), MINUTES_MAX);
        assert_eq!(series.0.first_key_value().map(|(minute, _)| *minute), Some(101));
    }
}
