//! RTCP: when to report, what to report, and what to learn from reports (RFC 3550, section 6).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rtcp_types::prelude::*;
use rtcp_types::{Bye, Compound, ReceiverReport, ReportBlock, Sdes, SdesChunk, SdesItem, SenderReport};

use crate::reception::Reception;
use crate::stats::Reject;
use crate::time::MediaTime;

/// The nominal interval between reports; each is spread over half to one and a half of it.
const INTERVAL_MS: u64 = 5_000;
/// The largest report we write.
pub(crate) const REPORT_BYTES_MAX: usize = 128;
/// Report blocks and packets read of one datagram.
const PACKETS_MAX: usize = 16;
/// Seconds between the NTP epoch (1900) and the Unix epoch.
const NTP_UNIX_OFFSET_S: u64 = 2_208_988_800;

/// When the next report is due after `now`; `random` is any number.
pub(crate) fn next_report(now: MediaTime, random: u32) -> MediaTime {
    now + Duration::from_millis(INTERVAL_MS / 2 + u64::from(random) % INTERVAL_MS)
}

/// What the sender part of a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderInfo {
    pub(crate) ntp: u64,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// The other side's last sender report, which our next report echoes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RemoteClock {
    middle_ntp: u32,
    heard_at: MediaTime,
}

/// What a received compound told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Learnt {
    /// The middle 32 bits of a sender report's NTP time.
    pub(crate) remote_middle_ntp: Option<u32>,
    /// Packets of ours that the other side misses.
    pub(crate) remote_packets_lost: Option<u32>,
    /// Round trip in milliseconds.
    pub(crate) round_trip_ms: Option<u32>,
}

/// Wall-clock time as NTP (64 bits, 32.32). Only reports need it; nothing is decided by it.
pub(crate) fn ntp_now() -> u64 {
    let since_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since_unix.subsec_nanos()) << 32) / 1_000_000_000;
    (since_unix.as_secs().wrapping_add(NTP_UNIX_OFFSET_S) << 32) | fraction
}

/// Writes a compound report: sender or receiver report, the canonical name, and a goodbye if `last`.
/// Gives the number of bytes, 0 if it could not be written.
pub(crate) fn write_report(
    out: &mut [u8; REPORT_BYTES_MAX],
    ssrc: u32,
    cname: &str,
    sender: Option<SenderInfo>,
    heard: Option<(Reception, RemoteClock)>,
    now: MediaTime,
    last: bool,
) -> usize {
    let block = heard.map(|(reception, clock)| report_block(&reception, clock, now));
    let mut compound = Compound::builder();
    if let Some(info) = sender {
        let mut report = SenderReport::builder(ssrc)
            .ntp_timestamp(info.ntp)
            .rtp_timestamp(info.timestamp)
            .packet_count(info.packets)
            .octet_count(info.octets);
        if let Some(block) = block {
            report = report.add_report_block(block);
        }
        compound = compound.add_packet(report);
    } else {
        let mut report = ReceiverReport::builder(ssrc);
        if let Some(block) = block {
            report = report.add_report_block(block);
        }
        compound = compound.add_packet(report);
    }
    let name = SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, cname));
    compound = compound.add_packet(Sdes::builder().add_chunk(name));
    if last {
        compound = compound.add_packet(Bye::builder().add_source(ssrc));
    }
    compound.write_into(out).unwrap_or(0)
}

/// Reads a compound from anybody. Only sender and receiver reports are looked into; the rest is skipped by its length.
pub(crate) fn read(datagram: &[u8], our_ssrc: u32, ntp_now: u64) -> Result<Learnt, Reject> {
    let mut learnt = Learnt::default();
    let mut rest = datagram;
    for _ in 0..PACKETS_MAX {
        let Some(header) = rest.first_chunk::<4>() else {
            return if rest.is_empty() && !datagram.is_empty() { Ok(learnt) } else { Err(Reject::Rtcp) };
        };
        let length = 4 * (usize::from(u16::from_be_bytes([header[2], header[3]])) + 1);
        if header[0] >> 6 != 2 || rest.len() < length {
            return Err(Reject::Rtcp);
        }
        let (packet, after) = rest.split_at(length);
        match header[1] {
            SenderReport::PACKET_TYPE => {
                let report = SenderReport::parse(packet).map_err(|_| Reject::Rtcp)?;
                learnt.remote_middle_ntp = Some(middle(report.ntp_timestamp()));
                report.report_blocks().for_each(|block| learn(&mut learnt, &block, our_ssrc, ntp_now));
            }
            ReceiverReport::PACKET_TYPE => {
                let report = ReceiverReport::parse(packet).map_err(|_| Reject::Rtcp)?;
                report.report_blocks().for_each(|block| learn(&mut learnt, &block, our_ssrc, ntp_now));
            }
            _ => {}
        }
        rest = after;
    }
    Err(Reject::Rtcp)
}

impl RemoteClock {
    pub(crate) fn hear(&mut self, middle_ntp: u32, now: MediaTime) {
        *self = Self { middle_ntp, heard_at: now };
    }
}

fn report_block(reception: &Reception, clock: RemoteClock, now: MediaTime) -> rtcp_types::ReportBlockBuilder {
    // A 24-bit signed field; what does not fit is clipped, as the RFC asks.
    let lost = reception.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
    let lost = u32::try_from(lost & 0xff_ffff).unwrap_or(0);
    let delay = match clock.middle_ntp {
        0 => 0,
        _ => u32::try_from((now - clock.heard_at).as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX),
    };
    ReportBlock::builder(reception.ssrc)
        .fraction_lost(reception.fraction_lost)
        .cumulative_lost(lost)
        .extended_sequence_number(reception.extended_sequence)
        .interarrival_jitter(reception.jitter_ticks)
        .last_sender_report_timestamp(clock.middle_ntp)
        .delay_since_last_sender_report_timestamp(delay)
}

fn learn(learnt: &mut Learnt, block: &ReportBlock<'_>, our_ssrc: u32, ntp_now: u64) {
    if block.ssrc() != our_ssrc {
        return;
    }
    let lost = block.cumulative_lost() & 0xff_ffff;
    learnt.remote_packets_lost = Some(if lost & 0x80_0000 == 0 { lost } else { 0 });
    let echoed = block.last_sender_report_timestamp();
    if echoed == 0 {
        return;
    }
    let away = middle(ntp_now).wrapping_sub(echoed);
    let trip = away.wrapping_sub(block.delay_since_last_sender_report_timestamp());
    // More than ten seconds is a clock that was set, or a lie.
    if trip < 10 << 16 {
        learnt.round_trip_ms = u32::try_from((u64::from(trip) * 1_000) >> 16).ok();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the middle 32 of 64 bits")]
const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: Reception =
        Reception { ssrc: 77, fraction_lost: 12, cumulative_lost: 5, extended_sequence: 70_000, jitter_ticks: 40 };

    #[test]
    fn a_report_tells_loss_and_round_trip() {
        let mut out = [0; REPORT_BYTES_MAX];
        let sent_ntp = 5_000u64 << 32;
        let mut clock = RemoteClock::default();
        clock.hear(middle(sent_ntp), MediaTime::from_ms(1_000));
        let sender = SenderInfo { ntp: sent_ntp, timestamp: 1, packets: 2, octets: 3 };
        // The other side holds our report for two seconds before it answers …
        let bytes =
            write_report(&mut out, 99, "x", Some(sender), Some((HEARD, clock)), MediaTime::from_ms(3_000), true);
        assert!(bytes > 0);
        // … and the answer is back 2.050 s after we sent.
        let learnt = read(&out[..bytes], 77, sent_ntp + (2_050 << 32) / 1_000).unwrap();
        assert_eq!(learnt.remote_packets_lost, Some(5));
        assert_eq!(learnt.remote_middle_ntp, Some(middle(sent_ntp)));
        assert!(learnt.round_trip_ms.is_some_and(|ms| (49..=51).contains(&ms)), "{learnt:?}");
        // A block about another source is not about us.
        assert_eq!(read(&out[..bytes], 78, sent_ntp).unwrap().remote_packets_lost, None);
    }

    #[test]
    fn the_library_understands_what_we_write() {
        let mut out = [0; REPORT_BYTES_MAX];
        let negative = Reception { cumulative_lost: -3, ..HEARD };
        let heard = Some((negative, RemoteClock::default()));
        let bytes = write_report(&mut out, 99, "name", None, heard, MediaTime::ZERO, true);
        let packets: Vec<_> = Compound::parse(&out[..bytes]).unwrap().map(Result::unwrap).collect();
        assert_eq!(packets.len(), 3);
        let rtcp_types::Packet::Rr(report) = &packets[0] else { unreachable!("{packets:?}") };
        assert_eq!(report.report_blocks().next().unwrap().cumulative_lost(), 0xff_fffd);
        assert_eq!(read(&out[..bytes], 77, 0).unwrap().remote_packets_lost, Some(0));
    }

    #[test]
    fn broken_compounds_are_refused_and_nothing_panics() {
        let mut out = [0; REPORT_BYTES_MAX];
        let bytes = write_report(&mut out, 9, "x", None, Some((HEARD, RemoteClock::default())), MediaTime::ZERO, false);
        assert_eq!(read(&[], 9, 0), Err(Reject::Rtcp));
        for cut in 1..bytes {
            let _ = read(&out[..cut], 9, 0);
        }
        assert_eq!(read(&out[..bytes - 1], 9, 0), Err(Reject::Rtcp));
        for at in 0..bytes {
            for value in [0, 1, 31, 0x7f, 0x9f, 0xa0, 0xff] {
                let mut hostile = out;
                hostile[at] = value;
                let _ = read(&hostile[..bytes], 77, 0);
            }
        }
        // A storm of empty packets in one datagram.
        let storm: Vec<u8> = [0x80, 210, 0, 0].repeat(300);
        assert_eq!(read(&storm, 9, 0), Err(Reject::Rtcp));
    }

    #[test]
    fn reports_are_spread_around_five_seconds() {
        for random in [0, 1, 2_499, 4_999, u32::MAX] {
            let due_ms = next_report(MediaTime::from_ms(100), random).ms() - 100;
            assert!((2_500..7_500).contains(&due_ms));
        }
    }
}
