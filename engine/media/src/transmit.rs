//! The sending side of a stream: sequence numbers, timestamps and talkspurts.

use crate::codec::{FRAME_TICKS, TICKS_PER_MS};
use crate::rtp::{self, HEADER_BYTES};
use crate::time::MediaTime;

/// The longest packet we send as audio: 60 ms.
pub(crate) const PACKET_TICKS_MAX: usize = 60 * TICKS_PER_MS;

/// What a header needs to know about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
}

/// One outgoing RTP source.
///
/// A timestamp is the schedule's clock at the packet's slot, never the time at which it happened to be sent. So a late
/// pacer catches up with the right timestamps, frames in a row are exactly a frame apart, and after a pause the
/// timestamp has moved with the clock, as RFC 3551 (4.1) asks of a talkspurt.
#[derive(Debug, Clone)]
pub(crate) struct TransmitStream {
    ssrc: u32,
    sequence_next: u16,
    /// Added to the schedule's clock.
    offset: u32,
    /// Timestamp behind the last packet's audio; `None` before the first.
    end: Option<u32>,
    packets: u32,
    octets: u32,
    /// An event keeps the timestamp of its first packet.
    event_timestamp: u32,
}

impl TransmitStream {
    pub(crate) const fn new(ssrc: u32, sequence: u16, offset: u32) -> Self {
        Self { ssrc, sequence_next: sequence, offset, end: None, packets: 0, octets: 0, event_timestamp: 0 }
    }

    pub(crate) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets and octets sent, for sender reports.
    pub(crate) const fn totals(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// The RTP clock at a time.
    pub(crate) const fn timestamp_at(&self, at: MediaTime) -> u32 {
        at.ticks().wrapping_add(self.offset)
    }

    /// Stamps a packet of `ticks` of audio whose first tick is due at `slot`.
    pub(crate) fn audio(&mut self, slot: MediaTime, ticks: usize) -> Stamp {
        let due = self.timestamp_at(slot);
        let (timestamp, marker) = match self.end {
            Some(end) if due == end => (due, false),
            // The clock never goes back: a slot moved to earlier in the period keeps the stream's own time.
            Some(end) if due.wrapping_sub(end).cast_signed() < 0 => {
                self.offset = self.offset.wrapping_add(end.wrapping_sub(due));
                (end, true)
            }
            _ => (due, true),
        };
        self.stamp(timestamp, marker, ticks)
    }

    /// Stamps a telephone-event packet.
    pub(crate) fn event(&mut self, slot: MediaTime, first: bool) -> Stamp {
        let due = self.timestamp_at(slot);
        if first {
            self.event_timestamp = match self.end {
                Some(end) if due.wrapping_sub(end).cast_signed() < 0 => end,
                _ => due,
            };
        }
        let event_timestamp = self.event_timestamp;
        let stamp = self.stamp(event_timestamp, first, 0);
        // Audio goes on behind the event, on the clock.
        let behind = due.wrapping_add(ticks(FRAME_TICKS));
        self.end = Some(match self.end {
            Some(end) if behind.wrapping_sub(end).cast_signed() < 0 => end,
            _ => behind,
        });
        stamp
    }

    /// Where a relayed stream continues this one: the next sequence number, and the timestamp at `now`.
    pub(crate) fn junction(&self, now: MediaTime) -> (u16, u32) {
        let due = self.timestamp_at(now);
        let timestamp = match self.end {
            Some(end) if due.wrapping_sub(end).cast_signed() < 0 => end,
            _ => due,
        };
        (self.sequence_next, timestamp)
    }

    /// Takes note of a relayed packet, whose numbers are the other side's moved to ours.
    pub(crate) fn relayed(&mut self, sequence: u16, timestamp: u32, octets: usize, audio: bool) {
        if sequence.wrapping_sub(self.sequence_next).cast_signed() >= 0 {
            self.sequence_next = sequence.wrapping_add(1);
        }
        let end = timestamp.wrapping_add(if audio { ticks(octets) } else { 0 });
        if self.end.is_none_or(|before| end.wrapping_sub(before).cast_signed() > 0) {
            self.end = Some(end);
        }
        self.count(octets);
    }

    /// Writes the header for a stamp.
    pub(crate) fn write_header(&self, out: &mut [u8; HEADER_BYTES], payload_type: u8, stamp: Stamp) {
        rtp::write_header(out, payload_type, stamp.marker, stamp.sequence, stamp.timestamp, self.ssrc);
    }

    /// Counts a packet that is sent.
    pub(crate) fn count(&mut self, octets: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(ticks(octets));
    }

    fn stamp(&mut self, timestamp: u32, marker: bool, audio_ticks: usize) -> Stamp {
        let sequence = self.sequence_next;
        self.sequence_next = sequence.wrapping_add(1);
        if audio_ticks > 0 {
            self.end = Some(timestamp.wrapping_add(ticks(audio_ticks)));
        }
        Stamp { sequence, timestamp, marker }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a packet's length, or modulo 2^32 as RFC 3550 counts octets")]
const fn ticks(octets: usize) -> u32 {
    octets as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> MediaTime {
        MediaTime::from_ms(ms)
    }

    #[test]
    fn frames_in_a_row_have_one_marker_and_no_gaps() {
        let mut stream = TransmitStream::new(1, 65_530, u32::MAX - 800);
        let stamps: Vec<_> = (0..20).map(|n| stream.audio(ms(1_000 + n * 20), 160)).collect();
        assert!(stamps[0].marker && stamps[1..].iter().all(|stamp| !stamp.marker));
        for pair in stamps.windows(2) {
            assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 160);
            assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
        }
    }

    #[test]
    fn after_a_pause_the_timestamp_has_followed_the_clock() {
        let mut stream = TransmitStream::new(1, 0, 0);
        stream.audio(ms(1_000), 160);
        let resumed = stream.audio(ms(6_007), 160);
        assert_eq!(resumed, Stamp { sequence: 1, timestamp: 6_007 * 8, marker: true });
    }

    #[test]
    fn an_earlier_slot_never_turns_the_timestamp_back() {
        let mut stream = TransmitStream::new(1, 0, 0);
        stream.audio(ms(1_000), 160);
        let next = stream.audio(ms(1_013), 160);
        assert_eq!(next.timestamp, 1_020 * 8);
        let after = stream.audio(ms(1_033), 160);
        assert_eq!((after.timestamp, after.marker), (1_040 * 8, false));
    }

    #[test]
    fn an_event_keeps_its_timestamp_and_audio_goes_on_behind_it() {
        let mut stream = TransmitStream::new(1, 0, 0);
        stream.audio(ms(980), 160);
        let stamps: Vec<_> = (0..5).map(|n| stream.event(ms(1_000 + n * 20), n == 0)).collect();
        assert!(stamps.iter().all(|stamp| stamp.timestamp == 8_000));
        assert!(stamps[0].marker && stamps[1..].iter().all(|stamp| !stamp.marker));
        assert_eq!(stamps[4].sequence, 5);
        let audio = stream.audio(ms(1_100), 160);
        assert_eq!((audio.timestamp, audio.marker), (8_800, false));
    }

    #[test]
    fn a_relayed_stream_is_continued() {
        let mut stream = TransmitStream::new(1, 10, 0);
        stream.audio(ms(1_000), 160);
        let (sequence, timestamp) = stream.junction(ms(1_500));
        assert_eq!((sequence, timestamp), (11, 12_000));
        for n in 0..5u16 {
            stream.relayed(sequence + n, timestamp + u32::from(n) * 160, 160, true);
        }
        // Ours again, though the relayed one was ahead of the clock.
        let own = stream.audio(ms(1_590), 160);
        assert_eq!((own.sequence, own.timestamp), (16, 12_800));
    }
}
