//! What a call sends: microphone or silence, digits as RFC 4733 events or in-band tones.

use std::collections::VecDeque;
use std::sync::Arc;

use audio_codec::Encoder;
use audio_codec::g722::G722Encoder;
use audio_codec::pcma::PcmaEncoder;
use audio_codec::pcmu::PcmuEncoder;

use super::rtp::{self, RtpHeader, TelephoneEvent};
use super::wav;
use crate::sdp::{Codec, Negotiated};

/// Timestamp units, and samples at 8 kHz, of one packet.
pub(super) const PACKET_TICKS: u32 = 160;
/// Milliseconds of one packet.
pub(super) const PACKET_MS: u32 = 20;
/// How often the last packet of an event is sent (RFC 4733 §2.5.1.4).
const END_PACKETS: u32 = 3;
/// How many keys may wait to be sent.
const KEYS_MAX: usize = 128;

/// How a digit is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigitMethod {
    /// RFC 4733 when the peer agreed to it, else in-band.
    #[default]
    Auto,
    /// RFC 4733 events.
    Event,
    /// Tones in the audio.
    InBand,
    /// SIP INFO with application/dtmf-relay.
    Info,
}

#[derive(Debug)]
enum Digit {
    /// Code, ticks lasted so far, ticks in all, end packets sent, timestamp of its start.
    Event {
        code: u8,
        lasted: u32,
        total: u32,
        ends: u32,
        timestamp: u32,
    },
    Tone {
        samples: Vec<i16>,
        at: usize,
        begun: bool,
    },
    Gap {
        packets: u32,
    },
}

/// Makes one RTP packet every 20 ms.
pub(super) struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    talking: bool,
    encoder: Box<dyn Encoder>,
    codec: Codec,
    silence: Vec<u8>,
    /// What is said, shared with others who say it, and how far it was.
    microphone: Option<(Arc<[i16]>, usize)>,
    uplink: bool,
    digits: VecDeque<Digit>,
}

/// What `Sender::tick` made.
pub(super) enum Made {
    Nothing,
    Packet,
    /// The first packet of a digit.
    DigitStart,
}

impl Sender {
    pub(super) fn new(ssrc: u32, sequence: u16, timestamp: u32, uplink: bool) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            talking: false,
            encoder: encoder(Codec::Pcma),
            codec: Codec::Pcma,
            silence: silence(Codec::Pcma),
            microphone: None,
            uplink,
            digits: VecDeque::new(),
        }
    }

    pub(super) fn use_codec(&mut self, codec: Codec) {
        if codec != self.codec {
            self.codec = codec;
            self.encoder = encoder(codec);
            self.silence = silence(codec);
        }
    }

    /// Speaks into the microphone; what was still being said is cut off.
    pub(super) fn speak(&mut self, samples: Arc<[i16]>) {
        self.microphone = Some((samples, 0));
    }

    pub(super) fn press(&mut self, key: char, event: bool, duration_ms: u32, gap_ms: u32) {
        if self.digits.len() >= 2 * KEYS_MAX {
            return;
        }
        let Some(code) = rtp::event_of(key) else { return };
        let duration_ms = duration_ms.clamp(PACKET_MS, 6_000);
        self.digits.push_back(if event {
            Digit::Event { code, lasted: 0, total: duration_ms * (PACKET_TICKS / PACKET_MS), ends: 0, timestamp: 0 }
        } else {
            Digit::Tone { samples: wav::digit_tone(key, duration_ms), at: 0, begun: false }
        });
        self.digits.push_back(Digit::Gap { packets: (gap_ms / PACKET_MS).max(1) });
    }

    /// The next 20 ms. `out` holds the packet unless there is none.
    pub(super) fn tick(&mut self, agreed: &Negotiated, out: &mut Vec<u8>) -> Made {
        let made = match self.digits.front_mut() {
            Some(Digit::Event { .. }) if agreed.telephone_event.is_some() => self.event(agreed, out),
            Some(Digit::Event { .. }) => {
                self.digits.pop_front();
                self.audio(agreed, out)
            }
            Some(Digit::Tone { .. }) => self.in_band(agreed, out),
            Some(Digit::Gap { packets }) => {
                *packets = packets.saturating_sub(1);
                if *packets == 0 {
                    self.digits.pop_front();
                }
                self.audio(agreed, out)
            }
            None => self.audio(agreed, out),
        };
        self.timestamp = self.timestamp.wrapping_add(PACKET_TICKS);
        made
    }

    fn event(&mut self, agreed: &Negotiated, out: &mut Vec<u8>) -> Made {
        let now = self.timestamp;
        let Some(Digit::Event { code, lasted, total, ends, timestamp }) = self.digits.front_mut() else {
            return Made::Nothing;
        };
        let first = *lasted == 0;
        if first {
            *timestamp = now;
        }
        *lasted = (*lasted + PACKET_TICKS).min(*total);
        let end = *lasted == *total;
        if end {
            *ends += 1;
        }
        let duration = u16::try_from(*lasted).unwrap_or(u16::MAX);
        let event = TelephoneEvent { event: *code, end, duration };
        let (started, done) = (*timestamp, *ends >= END_PACKETS);
        if done {
            self.digits.pop_front();
        }
        let header = RtpHeader {
            payload_type: agreed.telephone_event.unwrap_or_default(),
            marker: first,
            sequence: self.next_sequence(),
            timestamp: started,
            ssrc: self.ssrc,
        };
        rtp::write(out, header, &event.to_bytes());
        self.talking = false;
        if first { Made::DigitStart } else { Made::Packet }
    }

    fn in_band(&mut self, agreed: &Negotiated, out: &mut Vec<u8>) -> Made {
        let Some(Digit::Tone { samples, at, begun }) = self.digits.front_mut() else { return Made::Nothing };
        let first = !std::mem::replace(begun, true);
        let end = (*at + PACKET_TICKS as usize).min(samples.len());
        let mut frame = samples[*at..end].to_vec();
        *at = end;
        if end == samples.len() {
            self.digits.pop_front();
        }
        frame.resize(PACKET_TICKS as usize, 0);
        let payload = self.encode(&frame);
        self.write(agreed, out, &payload);
        if first { Made::DigitStart } else { Made::Packet }
    }

    fn audio(&mut self, agreed: &Negotiated, out: &mut Vec<u8>) -> Made {
        if let Some((samples, at)) = &mut self.microphone {
            let rest = &samples[*at..];
            let count = (PACKET_TICKS as usize).min(rest.len());
            let mut frame = rest[..count].to_vec();
            *at += count;
            if *at == samples.len() {
                self.microphone = None;
            }
            if count > 0 {
                frame.resize(PACKET_TICKS as usize, 0);
                let payload = self.encode(&frame);
                self.write(agreed, out, &payload);
                return Made::Packet;
            }
        }
        if !self.uplink {
            self.talking = false;
            return Made::Nothing;
        }
        let payload = std::mem::take(&mut self.silence);
        self.write(agreed, out, &payload);
        self.silence = payload;
        Made::Packet
    }

    fn encode(&mut self, frame: &[i16]) -> Vec<u8> {
        match self.codec {
            Codec::G722 => self.encoder.encode(&wav::resample(frame, wav::RATE_HZ, 16_000)),
            Codec::Pcma | Codec::Pcmu => self.encoder.encode(frame),
        }
    }

    fn write(&mut self, agreed: &Negotiated, out: &mut Vec<u8>, payload: &[u8]) {
        let header = RtpHeader {
            payload_type: agreed.payload_type,
            marker: !std::mem::replace(&mut self.talking, true),
            sequence: self.next_sequence(),
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        rtp::write(out, header, payload);
    }

    fn next_sequence(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

fn encoder(codec: Codec) -> Box<dyn Encoder> {
    match codec {
        Codec::Pcma => Box::new(PcmaEncoder::new()),
        Codec::Pcmu => Box::new(PcmuEncoder::new()),
        Codec::G722 => Box::new(G722Encoder::new()),
    }
}

fn silence(codec: Codec) -> Vec<u8> {
    let samples = PACKET_TICKS as usize * if codec == Codec::G722 { 2 } else { 1 };
    encoder(codec).encode(&vec![0; samples])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed() -> Negotiated {
        Negotiated {
            remote: None,
            codec: Codec::Pcma,
            payload_type: 8,
            telephone_event: Some(101),
            send: true,
            receive: true,
        }
    }

    #[test]
    fn an_event_as_rfc_4733_wants_it() {
        let mut sender = Sender::new(1, 99, 1_000, true);
        sender.press('#', true, 60, 40);
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for _ in 0..8 {
            sender.tick(&agreed(), &mut out);
            let (h, payload) = rtp::parse(&out).unwrap();
            let event = (h.payload_type == 101).then(|| TelephoneEvent::parse(payload).unwrap());
            seen.push((h.sequence, h.timestamp, h.marker, event.map(|e| (e.event, e.end, e.duration))));
        }
        assert_eq!(
            seen,
            [
                (100, 1_000, true, Some((11, false, 160))),
                (101, 1_000, false, Some((11, false, 320))),
                (102, 1_000, false, Some((11, true, 480))),
                (103, 1_000, false, Some((11, true, 480))),
                (104, 1_000, false, Some((11, true, 480))),
                (105, 1_800, true, None),
                (106, 1_960, false, None),
                (107, 2_120, false, None),
            ]
        );
    }

    #[test]
    fn without_uplink_only_digits_and_speech_are_sent() {
        let mut sender = Sender::new(1, 0, 0, false);
        let mut out = Vec::new();
        assert!(matches!(sender.tick(&agreed(), &mut out), Made::Nothing));
        sender.speak(vec![1_000; 200].into());
        assert!(matches!(sender.tick(&agreed(), &mut out), Made::Packet));
        assert!(matches!(sender.tick(&agreed(), &mut out), Made::Packet));
        assert!(matches!(sender.tick(&agreed(), &mut out), Made::Nothing));
        sender.press('5', false, 100, 20);
        assert!(matches!(sender.tick(&agreed(), &mut out), Made::DigitStart));
    }

    #[test]
    fn a_queue_of_keys_has_an_end() {
        let mut sender = Sender::new(1, 0, 0, false);
        for _ in 0..10_000 {
            sender.press('1', true, 100, 100);
        }
        assert!(sender.digits.len() <= 2 * KEYS_MAX);
    }
}
