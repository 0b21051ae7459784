//! A leg's end of a bridge: what it does with the other leg's packets.
//!
//! Each leg hands the packets it accepts to the other one, on the same pacer or another. If both speak the same codec
//! at the same packet time, the packet goes out at once with our numbers in its header, untouched otherwise. If not,
//! it goes through a jitter buffer, is decoded, and encoded again at the leg's next tick.

use crate::codec::{Codec, Encoder, FRAME_TICKS};
use crate::digit::Digit;
use crate::listener::{Listened, Listener, Pcm};
use crate::params::StreamParams;
use crate::rtp::Packet;
use crate::time::MediaTime;
use crate::transmit::TransmitStream;

/// Where the other leg lives. The key tells it from a later session on the same port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerRef {
    pub(crate) pacer: usize,
    pub(crate) index: u32,
    pub(crate) key: u64,
}

/// What becomes of the digits of one leg of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegOptions {
    /// Pass them to the other leg.
    pub relay_digits: bool,
    /// Tell them as events.
    pub report_digits: bool,
}

impl Default for LegOptions {
    /// Both.
    fn default() -> Self {
        Self { relay_digits: true, report_digits: true }
    }
}

/// How two legs are bridged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BridgeOptions {
    /// Digits pressed by the first session's party.
    pub first: LegOptions,
    /// Digits pressed by the second session's party.
    pub second: LegOptions,
}

/// What a leg must know of the other's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerStream {
    codec: Codec,
    ptime_ms: u32,
}

impl PeerStream {
    pub(crate) const fn of(params: &StreamParams) -> Self {
        Self { codec: params.codec, ptime_ms: params.ptime_ms }
    }

    pub(crate) const fn codec(self) -> Codec {
        self.codec
    }
}

/// What a leg hands to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handed<'a> {
    /// Audio.
    Audio(Packet<'a>),
    /// A telephone-event packet that is to be passed on, and the digit if it began a press.
    Event(Packet<'a>, Option<Digit>),
    /// A packet that is kept back; the numbers of the others close up over it.
    Withheld(u32),
}

/// Moves one source's numbers to ours.
#[derive(Debug, Clone, Copy)]
struct Relay {
    ssrc: u32,
    first_sequence: u16,
    sequence_shift: u16,
    timestamp_shift: u32,
    begun: bool,
}

/// One leg's end of a bridge.
pub(crate) struct BridgeLeg {
    pub(crate) peer: PeerRef,
    pub(crate) options: LegOptions,
    peer_stream: Option<PeerStream>,
    relay: Option<Relay>,
    /// Listens to the other leg, where it is transcoded or recorded.
    ear: Option<Listener>,
    ear_ssrc: u32,
    encoder: Option<(Codec, Encoder)>,
}

/// A packet to send with these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
}

impl BridgeLeg {
    pub(crate) const fn new(peer: PeerRef, peer_stream: Option<PeerStream>, options: LegOptions) -> Self {
        Self { peer, options, peer_stream, relay: None, ear: None, ear_ssrc: 0, encoder: None }
    }

    /// The other leg's stream has changed.
    pub(crate) fn set_peer_stream(&mut self, stream: PeerStream) {
        self.peer_stream = Some(stream);
        self.relay = None;
    }

    /// Whether packets can go through untouched.
    pub(crate) fn relays(&self, own: &StreamParams) -> bool {
        self.peer_stream == Some(PeerStream::of(own))
    }

    /// Our own voice has been sent in between: the relayed stream must be joined to it anew.
    pub(crate) fn break_relay(&mut self) {
        self.relay = None;
    }

    /// The other leg's packet that is not passed on.
    pub(crate) fn withhold(&mut self, ssrc: u32) {
        if let Some(relay) = self.relay.as_mut().filter(|relay| relay.ssrc == ssrc) {
            relay.sequence_shift = relay.sequence_shift.wrapping_sub(1);
        }
    }

    /// Our numbers for the other leg's packet; `None` if it is older than the junction.
    pub(crate) fn translate(&mut self, tx: &TransmitStream, now: MediaTime, packet: &Packet<'_>) -> Option<Moved> {
        let relay = match &mut self.relay {
            Some(relay) if relay.ssrc == packet.ssrc => relay,
            slot => {
                let (sequence, timestamp) = tx.junction(now);
                slot.insert(Relay {
                    ssrc: packet.ssrc,
                    first_sequence: packet.sequence,
                    sequence_shift: sequence.wrapping_sub(packet.sequence),
                    timestamp_shift: timestamp.wrapping_sub(packet.timestamp),
                    begun: false,
                })
            }
        };
        if packet.sequence.wrapping_sub(relay.first_sequence).cast_signed() < 0 {
            // Older than the junction, or half a round of sequence numbers has passed since it.
            if packet.sequence.wrapping_sub(relay.first_sequence) > u16::MAX - 1_000 {
                return None;
            }
            relay.first_sequence = packet.sequence.wrapping_sub(1_000);
        }
        let marker = packet.marker || !relay.begun;
        relay.begun = true;
        Some(Moved {
            sequence: packet.sequence.wrapping_add(relay.sequence_shift),
            timestamp: packet.timestamp.wrapping_add(relay.timestamp_shift),
            marker,
        })
    }

    /// Gives audio of the other leg to our ear.
    pub(crate) fn hear(&mut self, now: MediaTime, packet: &Packet<'_>) {
        let Some(stream) = self.peer_stream else { return };
        let ear = match &mut self.ear {
            Some(ear) if ear.codec() == stream.codec => ear,
            slot => slot.insert(Listener::new(stream.codec)),
        };
        if self.ear_ssrc != packet.ssrc {
            ear.reset();
            self.ear_ssrc = packet.ssrc;
        }
        ear.push(now, packet.timestamp, packet.payload);
    }

    /// Whether the ear has anything to hear.
    pub(crate) fn ear_is_idle(&self) -> bool {
        self.ear.as_ref().is_none_or(Listener::is_idle)
    }

    /// The next 20 ms of the other leg; `None` while it is silent.
    pub(crate) fn pull(&mut self) -> Option<Pcm> {
        let mut pcm = [0; FRAME_TICKS];
        match self.ear.as_mut()?.pull(&mut pcm) {
            Listened::Idle => None,
            Listened::Audio | Listened::Lost => Some(pcm),
        }
    }

    /// Encodes the other leg's audio for ours.
    pub(crate) fn encode(&mut self, codec: Codec, pcm: &Pcm, out: &mut [u8; FRAME_TICKS]) {
        let encoder = match &mut self.encoder {
            Some((known, encoder)) if *known == codec => encoder,
            slot => &mut slot.insert((codec, Encoder::new(codec))).1,
        };
        encoder.encode(pcm, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerRef = PeerRef { pacer: 0, index: 0, key: 0 };

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Packet<'static> {
        Packet { payload_type: 8, marker: false, sequence, timestamp, ssrc, payload: &[0; 160] }
    }

    #[test]
    fn gaps_and_order_are_kept_and_numbers_are_ours() {
        let mut leg = BridgeLeg::new(PEER, None, LegOptions::default());
        let tx = TransmitStream::new(1, 500, 0);
        let now = MediaTime::from_ms(1_000);
        let moved: Vec<_> = [10u16, 12, 11, 14]
            .into_iter()
            .map(|n| leg.translate(&tx, now, &packet(9, n, u32::from(n) * 160)).unwrap())
            .collect();
        assert_eq!(moved.iter().map(|m| m.sequence).collect::<Vec<_>>(), [500, 502, 501, 504]);
        assert_eq!(moved.iter().map(|m| m.timestamp).collect::<Vec<_>>(), [8_000, 8_320, 8_160, 8_640]);
        assert_eq!(moved.iter().filter(|m| m.marker).count(), 1);
        assert_eq!(leg.translate(&tx, now, &packet(9, 9, 1_440)), None);
    }

    #[test]
    fn a_withheld_packet_leaves_no_gap() {
        let mut leg = BridgeLeg::new(PEER, None, LegOptions::default());
        let tx = TransmitStream::new(1, 500, 0);
        leg.translate(&tx, MediaTime::ZERO, &packet(9, 10, 0));
        leg.withhold(9);
        assert_eq!(leg.translate(&tx, MediaTime::ZERO, &packet(9, 12, 320)).unwrap().sequence, 501);
    }

    #[test]
    fn a_long_call_passes_the_wrap_of_sequence_numbers() {
        let mut leg = BridgeLeg::new(PEER, None, LegOptions::default());
        let mut tx = TransmitStream::new(1, 500, 0);
        for n in 0..200_000u32 {
            let number = packet(9, n as u16, n * 160);
            let moved = leg.translate(&tx, MediaTime::ZERO, &number).expect("no packet of the stream is dropped");
            assert_eq!(moved.sequence, (n as u16).wrapping_add(500));
            tx.relayed(moved.sequence, moved.timestamp, 160, true);
        }
    }
}
