//! Two sessions on one clock.

use super::*;
use crate::bridge::{LegOptions, PeerRef};

/// What one session accepts is handed to the other.
pub(super) struct Bridged {
    pub(super) a: Rig,
    pub(super) b: Rig,
}

impl Bridged {
    pub(super) fn new(a: StreamParams, b: StreamParams, options: LegOptions) -> Self {
        let (mut a, mut b) = (Rig::configured(a), Rig::configured(b));
        let peer = |key| PeerRef { pacer: 0, index: 0, key };
        a.session.bridge(BridgeLeg::new(peer(2), b.session.peer_stream(), options));
        b.session.bridge(BridgeLeg::new(peer(1), a.session.peer_stream(), LegOptions::default()));
        Self { a, b }
    }

    /// A packet from a's party.
    fn party_a(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let mut datagram = datagram(payload_type, marker, self.a.sequence, timestamp, payload);
        self.a.sequence = self.a.sequence.wrapping_add(1);
        let now = self.a.now();
        if let Some(handed) = self.a.session.handle_rtp(now, &mut datagram, caller()) {
            self.b.session.handle_peer(now, 1, &handed, &mut self.b.network);
        }
    }

    fn tick(&mut self) {
        self.a.run(20);
        self.b.run(20);
    }

    pub(super) fn speak(&mut self, codec: Codec, pcm: &[i16]) {
        let mut encoder = Encoder::new(codec);
        for frame in pcm.chunks_exact(160) {
            let mut payload = [0; 160];
            encoder.encode(frame, &mut payload);
            self.party_a(codec.static_payload_type(), false, self.a.now().ticks(), &payload);
            self.tick();
        }
    }

    fn press(&mut self, key: char) {
        let mut sender = EventSender::new(Digit::from_char(key), 80, 40);
        let timestamp = self.a.now().ticks();
        while let Some(packet) = sender.tick() {
            self.party_a(101, packet.first, timestamp, &packet.payload);
            self.tick();
        }
    }
}

#[test]
fn a_bridge_of_one_codec_passes_payloads_untouched_under_its_own_numbers() {
    let event_type = StreamParams { telephone_event: Some(96), ..params() };
    let mut bridged = Bridged::new(params(), event_type, LegOptions::default());
    for n in 0..50u8 {
        bridged.party_a(8, n == 0, u32::from(n) * 160, &[n; 160]);
        assert_eq!(bridged.b.network.rtp.len(), usize::from(n) + 1, "at once, not at a tick");
        bridged.tick();
    }
    bridged.press('7');
    let sent = bridged.b.sent();
    for (n, s) in sent.iter().take(50).enumerate() {
        assert_eq!(s.packet().payload, [n as u8; 160]);
        assert_eq!((s.packet().ssrc, s.packet().payload_type), (0xabcd, 8));
    }
    assert!(sent.windows(2).all(|p| p[1].packet().sequence.wrapping_sub(p[0].packet().sequence) == 1));
    assert!(sent[50..].iter().all(|s| s.packet().payload_type == 96 && s.packet().payload[0] == 7));
    assert!(matches!(bridged.a.told()[0], MediaEvent::Digit { .. }));
    assert!(!bridged.b.session.wants_tick(), "a relay needs no ticks");
}

#[test]
fn digits_of_a_leg_can_be_kept_from_the_other_and_from_the_log() {
    let options = LegOptions { relay_digits: false, report_digits: false };
    let mut bridged = Bridged::new(params(), params(), options);
    bridged.speak(Codec::Pcma, &tone(500.0, 100));
    bridged.press('7');
    bridged.speak(Codec::Pcma, &tone(500.0, 100));
    let sent = bridged.b.sent();
    assert_eq!(sent.len(), 10);
    assert!(sent.windows(2).all(|p| p[1].packet().sequence.wrapping_sub(p[0].packet().sequence) == 1));
    assert_eq!(bridged.a.told(), []);
}

#[test]
fn a_bridge_of_two_codecs_transcodes() {
    for (from, to) in [(Codec::Pcma, Codec::Pcmu), (Codec::G722, Codec::Pcma), (Codec::Pcmu, Codec::G722)] {
        let params = |codec| StreamParams::new(caller(), codec).with_telephone_event(101);
        let mut bridged = Bridged::new(params(from), params(to), LegOptions::default());
        bridged.speak(from, &tone(700.0, 1_000));
        bridged.press('4');
        for _ in 0..30 {
            bridged.tick();
        }
        let sent = bridged.b.sent();
        let audio: Vec<_> =
            sent.iter().filter(|s| s.packet().payload_type == to.static_payload_type()).cloned().collect();
        assert!(audio.len() >= 48, "{from:?} to {to:?}: {} packets", audio.len());
        let pcm = decode(to, &audio[..48]);
        assert!(share_of(&pcm[1_600..6_400], 700.0) > 0.95, "{from:?} to {to:?}");
        // The digit is pressed anew.
        let events: Vec<_> = sent.iter().filter(|s| s.packet().payload_type == 101).collect();
        assert!(events.len() >= 5 && events.iter().all(|s| s.packet().payload[0] == 4));
        assert!(!bridged.b.session.wants_tick(), "nobody speaks any more");
    }
}

#[test]
fn a_digit_becomes_a_tone_for_a_party_without_telephone_event() {
    let mut bridged = Bridged::new(params(), StreamParams::new(caller(), Codec::Pcma), LegOptions::default());
    bridged.press('5');
    for _ in 0..20 {
        bridged.tick();
    }
    let pcm = decode(Codec::Pcma, &bridged.b.sent());
    assert!(share_of(&pcm[..800], 770.0) > 0.4 && share_of(&pcm[..800], 1_336.0) > 0.4);
}

#[test]
fn a_prompt_goes_before_the_other_party_and_the_streams_join() {
    let mut bridged = Bridged::new(params(), params(), LegOptions::default());
    bridged.speak(Codec::Pcma, &tone(500.0, 200));
    bridged.b.play(1, &clip_ms(200), BargeIn::None);
    bridged.speak(Codec::Pcma, &tone(500.0, 600));
    let sent = bridged.b.sent();
    assert!((38..=41).contains(&sent.len()), "{}", sent.len());
    for pair in sent.windows(2) {
        let (a, b) = (pair[0].packet(), pair[1].packet());
        assert_eq!(b.sequence.wrapping_sub(a.sequence), 1);
        assert!((1..=480).contains(&b.timestamp.wrapping_sub(a.timestamp)), "{} {}", a.timestamp, b.timestamp);
    }
}

#[test]
fn leaving_a_bridge_is_told_only_by_the_right_peer() {
    let mut bridged = Bridged::new(params(), params(), LegOptions::default());
    bridged.a.session.unbridge(Some(77), true);
    assert_eq!(bridged.a.told(), []);
    bridged.a.session.unbridge(Some(2), true);
    assert_eq!(bridged.a.told(), [MediaEvent::BridgeEnded]);
    bridged.b.session.unbridge(Some(1), false);
    assert_eq!(bridged.b.told(), []);
}
