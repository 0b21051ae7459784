//! Measures one received RTP stream: loss, gaps, lateness, jumps, and how soon it stops after a digit.
//!
//! Lateness is counted as the project's load tools do: a packet is late by how far it lies behind its RTP
//! timestamp schedule, counted from the talkspurt's earliest packet.

use std::time::{Duration, Instant};

use super::rtp::RtpHeader;

/// A packet later than this against its schedule is late.
pub const LATE_MS: f64 = 40.0;
/// A pause longer than this ends the run of packets that a digit cut off.
const RUN_GAP: Duration = Duration::from_millis(100);
/// How many digits of one call are reported on.
const DIGITS_MAX: usize = 256;
/// RTP clock of every codec here.
const CLOCK_HZ: f64 = 8_000.0;

/// What was measured of one call's media.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaStats {
    /// Audio packets received.
    pub packets: u64,
    /// Packets that the sequence numbers say are missing.
    pub lost: u64,
    /// Packets that came behind a later one, or twice.
    pub reordered: u64,
    /// Talkspurts: starts, marked packets, and continuations after a jump.
    pub talkspurts: u64,
    /// Timestamp jumps that no marker announced.
    pub discontinuities: u64,
    /// Changes of SSRC.
    pub ssrc_changes: u64,
    /// Longest time between two packets in sequence inside a talkspurt, in ms.
    pub gap_max_ms: f64,
    /// The most that a packet lay behind its schedule, in ms.
    pub late_max_ms: f64,
    /// Packets more than [`LATE_MS`] behind their schedule.
    pub late_packets: u64,
    /// Telephone-event packets received.
    pub event_packets: u64,
    /// Datagrams that are no RTP of a negotiated payload type.
    pub bad_packets: u64,
    /// RTCP packets received.
    pub rtcp_packets: u64,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received after the call had ended.
    pub packets_after_bye: u64,
    /// From the last audio packet to the end of the call, in ms; negative when it came after.
    pub last_packet_before_bye_ms: Option<f64>,
    /// From the call's answer to its first audio packet, in ms; negative for early media.
    pub first_packet_after_answer_ms: Option<f64>,
    /// How the audio reacted to each digit that was sent, in order.
    pub digits: Vec<DigitStats>,
}

/// How the received audio reacted to a digit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DigitStats {
    /// From the digit's first packet to the last packet of the talkspurt that was playing, in ms. 0 when none played.
    pub last_packet_after_ms: f64,
    /// The same for the last packet that was not silence.
    pub last_audible_after_ms: f64,
}

/// What one packet showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noticed {
    Nothing,
    /// The first packet of a talkspurt.
    Spurt,
    Old,
    TimestampJump,
    SsrcChange,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    header: RtpHeader,
    ticks: u32,
    at: Instant,
    spurt_at: Instant,
    spurt_timestamp: u32,
    event: bool,
}

#[derive(Debug, Clone, Copy)]
struct DigitRun {
    sent_at: Instant,
    packet: Option<Instant>,
    audible: Option<Instant>,
    packets_over: bool,
    audible_over: bool,
}

/// The meter. Give it every packet in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) stats: MediaStats,
    last: Option<Last>,
    runs: Vec<DigitRun>,
    answered_at: Option<Instant>,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
    expect_change: bool,
}

impl Meter {
    pub(crate) fn answered(&mut self, at: Instant) {
        self.answered_at.get_or_insert(at);
    }

    /// A new session description: source and timestamps may start anew.
    pub(crate) fn renegotiated(&mut self) {
        self.expect_change = true;
    }

    /// One audio packet of `ticks` timestamp units.
    pub(crate) fn audio(&mut self, at: Instant, header: RtpHeader, ticks: u32, audible: bool) -> Noticed {
        self.stats.packets += 1;
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        let noticed = self.place(at, header, ticks);
        if let Some(run) = self.runs.last_mut() {
            let new_spurt = matches!(noticed, Noticed::Spurt | Noticed::TimestampJump | Noticed::SsrcChange);
            run.packet(at, new_spurt, audible);
        }
        noticed
    }

    fn place(&mut self, at: Instant, header: RtpHeader, ticks: u32) -> Noticed {
        let expect_change = std::mem::take(&mut self.expect_change);
        let Some(last) = self.last else { return self.spurt(at, header, ticks, Noticed::Spurt) };
        if last.header.ssrc != header.ssrc {
            self.stats.ssrc_changes += 1;
            let noticed = if expect_change { Noticed::Spurt } else { Noticed::SsrcChange };
            return self.spurt(at, header, ticks, noticed);
        }
        let step = header.sequence.wrapping_sub(last.header.sequence);
        if step == 0 || step >= 0x8000 {
            self.stats.reordered += 1;
            // It was counted as lost when the later one came.
            self.stats.lost = self.stats.lost.saturating_sub(u64::from(step != 0));
            return Noticed::Old;
        }
        self.stats.lost += u64::from(step - 1);
        let advance = header.timestamp.wrapping_sub(last.header.timestamp);
        if header.marker || last.event || expect_change {
            return self.spurt(at, header, ticks, Noticed::Spurt);
        }
        if advance != last.ticks.wrapping_mul(u32::from(step)) {
            self.stats.discontinuities += 1;
            return self.spurt(at, header, ticks, Noticed::TimestampJump);
        }
        if step == 1 {
            self.stats.gap_max_ms = self.stats.gap_max_ms.max(ms(at.duration_since(last.at)));
        }
        let due_s = f64::from(header.timestamp.wrapping_sub(last.spurt_timestamp)) / CLOCK_HZ;
        let due = last.spurt_at + Duration::from_secs_f64(due_s);
        let mut spurt_at = last.spurt_at;
        if at < due {
            spurt_at -= due - at;
        } else {
            let late = ms(at - due);
            self.stats.late_max_ms = self.stats.late_max_ms.max(late);
            self.stats.late_packets += u64::from(late > LATE_MS);
        }
        self.last = Some(Last { header, ticks, at, spurt_at, event: false, ..last });
        Noticed::Nothing
    }

    fn spurt(&mut self, at: Instant, header: RtpHeader, ticks: u32, noticed: Noticed) -> Noticed {
        self.stats.talkspurts += 1;
        let spurt_timestamp = header.timestamp;
        self.last = Some(Last { header, ticks, at, spurt_at: at, spurt_timestamp, event: false });
        noticed
    }

    /// One telephone-event packet: it takes part in the sequence, not in the schedule.
    pub(crate) fn event(&mut self, at: Instant, header: RtpHeader) {
        self.stats.event_packets += 1;
        if let Some(last) = &mut self.last
            && last.header.ssrc == header.ssrc
        {
            let step = header.sequence.wrapping_sub(last.header.sequence);
            if step == 0 || step >= 0x8000 {
                self.stats.reordered += 1;
                return;
            }
            self.stats.lost += u64::from(step - 1);
            *last = Last { header, at, event: true, ..*last };
        }
    }

    /// The first packet of a digit went out.
    pub(crate) fn digit_sent(&mut self, at: Instant) {
        if self.runs.len() < DIGITS_MAX {
            self.runs.push(DigitRun {
                sent_at: at,
                packet: None,
                audible: None,
                packets_over: false,
                audible_over: false,
            });
        }
    }

    pub(crate) fn after_bye(&mut self, at: Instant) {
        self.stats.packets_after_bye += 1;
        self.last_at = Some(at);
    }

    /// What was measured, with the end of the call where it has one.
    pub(crate) fn report(&self, ended_at: Option<Instant>) -> MediaStats {
        let mut stats = self.stats.clone();
        stats.last_packet_before_bye_ms = ended_at.zip(self.last_at).map(|(end, last)| signed_ms(end, last));
        stats.first_packet_after_answer_ms = self.first_at.zip(self.answered_at).map(|(first, a)| signed_ms(first, a));
        stats.digits = self.runs.iter().map(DigitRun::report).collect();
        stats
    }
}

impl DigitRun {
    fn packet(&mut self, at: Instant, new_spurt: bool, audible: bool) {
        let paused = |last: Option<Instant>, sent_at| at.duration_since(last.unwrap_or(sent_at)) > RUN_GAP;
        self.packets_over |= new_spurt || paused(self.packet, self.sent_at);
        self.audible_over |= new_spurt || paused(self.audible, self.sent_at);
        if !self.packets_over {
            self.packet = Some(at);
        }
        if audible && !self.audible_over {
            self.audible = Some(at);
        }
    }

    fn report(&self) -> DigitStats {
        let after = |at: Option<Instant>| at.map_or(0.0, |at| ms(at.duration_since(self.sent_at)));
        DigitStats { last_packet_after_ms: after(self.packet), last_audible_after_ms: after(self.audible) }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn signed_ms(later: Instant, earlier: Instant) -> f64 {
    match later.checked_duration_since(earlier) {
        Some(d) => ms(d),
        None => -ms(earlier.duration_since(later)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stream {
        meter: Meter,
        start: Instant,
    }

    impl Stream {
        fn new() -> Self {
            Self { meter: Meter::default(), start: Instant::now() }
        }

        fn packet(&mut self, at_ms: u64, sequence: u16, timestamp: u32, marker: bool) -> Noticed {
            let header = RtpHeader { payload_type: 8, marker, sequence, timestamp, ssrc: 1 };
            self.meter.audio(self.start + Duration::from_millis(at_ms), header, 160, true)
        }
    }

    #[test]
    fn a_clean_stream_is_clean_even_when_numbers_wrap() {
        let mut s = Stream::new();
        for i in 0..100_u16 {
            let timestamp = (u32::MAX - 800).wrapping_add(160 * u32::from(i));
            s.packet(u64::from(i) * 20, 65_500_u16.wrapping_add(i), timestamp, i == 0);
        }
        let r = s.meter.report(None);
        assert_eq!(
            (r.packets, r.lost, r.reordered, r.discontinuities, r.late_packets, r.talkspurts),
            (100, 0, 0, 0, 0, 1)
        );
        assert!((r.gap_max_ms - 20.0).abs() < 0.01 && r.late_max_ms < 0.01, "{r:?}");
    }

    #[test]
    fn lateness_counts_from_the_earliest_packet() {
        let mut s = Stream::new();
        // The first packet itself is 50 ms late: the second shows it by being on time.
        s.packet(50, 1, 0, true);
        s.packet(50, 2, 160, false);
        s.packet(50, 3, 320, false);
        s.packet(60, 4, 480, false);
        s.packet(125, 5, 640, false);
        let r = s.meter.report(None);
        assert!((r.late_max_ms - 45.0).abs() < 0.1, "{r:?}");
        assert_eq!(r.late_packets, 1);
        assert!((r.gap_max_ms - 65.0).abs() < 0.01);
    }

    #[test]
    fn loss_reordering_and_jumps() {
        let mut s = Stream::new();
        assert_eq!(s.packet(0, 1, 0, true), Noticed::Spurt);
        assert_eq!(s.packet(40, 3, 320, false), Noticed::Nothing);
        assert_eq!(s.meter.stats.lost, 1);
        assert_eq!(s.packet(41, 2, 160, false), Noticed::Old);
        assert_eq!(s.meter.stats.lost, 0, "it came after all");
        assert_eq!(s.packet(60, 4, 9_000, false), Noticed::TimestampJump);
        assert_eq!(s.packet(900, 5, 50_000, true), Noticed::Spurt, "a marker announces it");
        s.meter.renegotiated();
        assert_eq!(s.packet(920, 6, 70, false), Noticed::Spurt);
        let other = RtpHeader { payload_type: 8, marker: false, sequence: 7, timestamp: 0, ssrc: 2 };
        assert_eq!(s.meter.audio(s.start + Duration::from_secs(1), other, 160, true), Noticed::SsrcChange);
    }

    #[test]
    fn a_digit_stops_a_prompt() {
        let mut s = Stream::new();
        for i in 0..10_u16 {
            s.packet(u64::from(i) * 20, i, 160 * u32::from(i), i == 0);
            if i == 4 {
                s.meter.digit_sent(s.start + Duration::from_millis(85));
            }
        }
        // The next prompt is not the one that the digit stopped.
        s.packet(600, 10, 5_000, true);
        let r = s.meter.report(Some(s.start + Duration::from_millis(590)));
        assert!((r.digits[0].last_packet_after_ms - 95.0).abs() < 0.01, "{r:?}");
        assert!((r.last_packet_before_bye_ms.unwrap() + 10.0).abs() < 0.01);
        // Nothing was playing.
        s.meter.digit_sent(s.start + Duration::from_secs(3));
        s.packet(5_000, 11, 90_000, true);
        assert_eq!(s.meter.report(None).digits[1], DigitStats::default());
    }
}
