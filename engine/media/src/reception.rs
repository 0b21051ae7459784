//! Reception statistics of one source (RFC 3550, appendices A.1, A.3 and A.8).

#![expect(clippy::cast_possible_truncation, reason = "lengths of packets and frames, and the modular clock of RTP")]

use crate::codec::TICKS_PER_MS;

/// Packets that may be missing before a sequence number counts as a jump.
const DROPOUT_MAX: u16 = 3_000;
/// How old a reordered packet may be.
const MISORDER_MAX: u16 = 100;

/// What a report block says about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reception {
    pub(crate) ssrc: u32,
    pub(crate) fraction_lost: u8,
    pub(crate) cumulative_lost: i64,
    pub(crate) extended_sequence: u32,
    pub(crate) jitter_ticks: u32,
}

/// Follows the sequence numbers and the jitter of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceptionStats {
    ssrc: u32,
    started: bool,
    base_extended: u32,
    highest_extended: u32,
    /// The number after one that came from nowhere: if it is next, the sender has restarted.
    restart_sequence: Option<u16>,
    received: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: u32,
    /// Sixteen times the jitter.
    jitter_scaled: u32,
}

impl ReceptionStats {
    /// Takes note of a packet; false if its sequence number came from nowhere and it is to be dropped.
    /// The second of two such packets in a row is taken for a restart.
    pub(crate) fn receive(&mut self, ssrc: u32, sequence: u16, timestamp: u32, arrival_ticks: u32) -> bool {
        if !self.started || ssrc != self.ssrc {
            self.restart(ssrc, sequence, timestamp, arrival_ticks);
            return true;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the sequence number is the low half")]
        let ahead = sequence.wrapping_sub(self.highest_extended as u16);
        if ahead < DROPOUT_MAX {
            self.highest_extended = self.highest_extended.wrapping_add(u32::from(ahead));
        } else if ahead.wrapping_neg() > MISORDER_MAX {
            if self.restart_sequence == Some(sequence) {
                self.restart(ssrc, sequence, timestamp, arrival_ticks);
                return true;
            }
            self.restart_sequence = Some(sequence.wrapping_add(1));
            return false;
        }
        self.restart_sequence = None;
        self.received = self.received.wrapping_add(1);
        let transit = arrival_ticks.wrapping_sub(timestamp);
        let deviation = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs().min(8_000);
        self.transit = transit;
        self.jitter_scaled = self.jitter_scaled + deviation - ((self.jitter_scaled + 8) >> 4);
        true
    }

    pub(crate) fn lost(&self) -> i64 {
        if self.started { i64::from(self.expected()) - i64::from(self.received) } else { 0 }
    }

    pub(crate) fn jitter_us(&self) -> u32 {
        (self.jitter_scaled >> 4) * (1_000 / TICKS_PER_MS as u32)
    }

    /// The figures for a report block; begins a new interval for the fraction lost.
    pub(crate) fn report(&mut self) -> Option<Reception> {
        if !self.started {
            return None;
        }
        let expected = self.expected();
        let expected_interval = expected.wrapping_sub(self.expected_prior);
        let received_interval = self.received.wrapping_sub(self.received_prior);
        (self.expected_prior, self.received_prior) = (expected, self.received);
        let lost_interval = u64::from(expected_interval.saturating_sub(received_interval));
        let fraction = (lost_interval << 8).checked_div(u64::from(expected_interval)).unwrap_or(0);
        Some(Reception {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: self.lost(),
            extended_sequence: self.highest_extended,
            jitter_ticks: self.jitter_scaled >> 4,
        })
    }

    fn expected(&self) -> u32 {
        self.highest_extended.wrapping_sub(self.base_extended).wrapping_add(1)
    }

    fn restart(&mut self, ssrc: u32, sequence: u16, timestamp: u32, arrival_ticks: u32) {
        *self = Self {
            ssrc,
            started: true,
            base_extended: u32::from(sequence),
            highest_extended: u32::from(sequence),
            received: 1,
            transit: arrival_ticks.wrapping_sub(timestamp),
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(stats: &mut ReceptionStats, sequences: impl IntoIterator<Item = u16>) -> usize {
        sequences.into_iter().filter(|s| stats.receive(1, *s, u32::from(*s) * 160, u32::from(*s) * 160 + 7)).count()
    }

    #[test]
    fn loss_is_counted_across_the_wrap() {
        let mut stats = ReceptionStats::default();
        feed(&mut stats, (65_500..=65_535).chain(0..64).filter(|s| s % 10 != 0));
        let report = stats.report().unwrap();
        assert_eq!(report.cumulative_lost, 10);
        assert_eq!(report.extended_sequence, 65_536 + 63);
        // 10 of the 99 that were expected since 65501.
        assert_eq!(report.fraction_lost, 25);
        feed(&mut stats, 64..80);
        assert_eq!(stats.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn reordering_is_no_loss() {
        let mut stats = ReceptionStats::default();
        feed(&mut stats, [1, 3, 2, 5, 4, 6]);
        assert_eq!(stats.lost(), 0);
    }

    #[test]
    fn a_number_from_nowhere_is_dropped_and_a_restart_is_followed() {
        let mut stats = ReceptionStats::default();
        feed(&mut stats, 0..50);
        assert_eq!(feed(&mut stats, [30_000]), 0);
        assert_eq!(feed(&mut stats, [50, 51]), 2);
        assert_eq!(feed(&mut stats, [40_000, 40_001, 40_002]), 2);
        assert_eq!(stats.lost(), 0);
    }

    #[test]
    fn jitter_follows_the_rfc() {
        let mut stats = ReceptionStats::default();
        for n in 0..500u32 {
            let late = if n % 2 == 0 { 0 } else { 80 };
            stats.receive(1, n as u16, n * 160, n * 160 + late);
        }
        // Every transit differs from the one before by 10 ms.
        assert!((9_000..=10_000).contains(&stats.jitter_us()), "{}", stats.jitter_us());
    }
}
