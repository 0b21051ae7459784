//! Sessions on made time: what goes in, what comes out.

use std::f64::consts::TAU;
use std::sync::mpsc;

use parking_lot::Mutex;

use super::*;
use crate::bridge::{Handed, LegOptions, PeerRef};
use crate::clip::{Clip, digit_tone};
use crate::codec::{Codec, Decoder, Encoder};
use crate::digit::KeySet;
use crate::playback::{BargeIn, PlayItem, Playlist, Program};
use crate::record::{RecordSource, RecordingSpec};
use crate::rtp::{self, HEADER_BYTES, Packet};
use crate::stats::Reject;
use crate::writer::{Listening, WriterHandle};

const CALLER: ([u8; 4], u16) = ([192, 0, 2, 7], 4_000);

#[derive(Debug, Clone)]
struct Sent {
    bytes: Vec<u8>,
    to: SocketAddr,
}

impl Sent {
    fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).unwrap()
    }
}

struct Network {
    buffer: [u8; PACKET_BYTES_MAX],
    rtp: Vec<Sent>,
    rtcp: Vec<Sent>,
}

impl Outlet for Network {
    fn buffer(&mut self) -> &mut [u8; PACKET_BYTES_MAX] {
        &mut self.buffer
    }

    fn rtp(&mut self, _port: u32, length: usize, to: SocketAddr) -> bool {
        self.rtp.push(Sent { bytes: self.buffer[..length].to_vec(), to });
        true
    }

    fn rtcp(&mut self, _port: u32, _muxed: bool, length: usize, to: SocketAddr) {
        self.rtcp.push(Sent { bytes: self.buffer[..length].to_vec(), to });
    }
}

/// A session with its network, its clock and its log.
struct Rig {
    session: Session,
    network: Network,
    now_ms: u64,
    events: Arc<Mutex<Vec<MediaEvent>>>,
    sequence: u16,
}

impl Rig {
    fn new() -> Self {
        let events = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&events);
        let session = Session::new(Birth {
            label: 1,
            key: 1,
            port: 0,
            events: Arc::new(move |_, event| log.lock().push(event)),
            counters: Arc::default(),
            rtp_timeout: Duration::from_secs(5),
            random: (0xabcd, 65_500, u32::MAX - 1_000, 3),
        });
        let network = Network { buffer: [0; PACKET_BYTES_MAX], rtp: vec![], rtcp: vec![] };
        Self { session, network, now_ms: 10_000, events, sequence: 0 }
    }

    fn configured(params: StreamParams) -> Self {
        let mut rig = Self::new();
        rig.session.configure(rig.now(), params);
        rig
    }

    fn now(&self) -> MediaTime {
        MediaTime::from_ms(self.now_ms)
    }

    /// Ticks for a time.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.session.tick(self.now(), &mut self.network);
            self.now_ms += 20;
        }
    }

    fn play(&mut self, id: u64, playlist: &Playlist, barge_in: BargeIn) {
        let program = Program::new(playlist).unwrap();
        Codec::ALL.into_iter().for_each(|codec| program.encode(codec));
        self.session.play(Box::new(Playback::new(PlaybackId(id), Arc::new(program), barge_in)));
    }

    fn receive(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8], from: SocketAddr) {
        let mut datagram = datagram(payload_type, marker, self.sequence, timestamp, payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.session.handle_rtp(self.now(), &mut datagram, from);
    }

    /// The caller presses a key: 80 ms of telephone-event.
    fn press(&mut self, key: char) {
        let mut sender = EventSender::new(Digit::from_char(key), 80, 40);
        let timestamp = self.now().ticks();
        while let Some(packet) = sender.tick() {
            self.receive(101, packet.first, timestamp, &packet.payload, caller());
            self.run(20);
        }
    }

    /// The caller speaks: 20 ms of audio at each tick.
    fn speak(&mut self, codec: Codec, pcm: &[i16]) {
        let mut encoder = Encoder::new(codec);
        for frame in pcm.chunks_exact(160) {
            let mut payload = [0; 160];
            encoder.encode(frame, &mut payload);
            self.receive(codec.static_payload_type(), false, self.now().ticks(), &payload, caller());
            self.run(20);
        }
    }

    fn told(&self) -> Vec<MediaEvent> {
        std::mem::take(&mut self.events.lock())
    }

    fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.network.rtp)
    }
}

fn caller() -> SocketAddr {
    CALLER.into()
}

fn params() -> StreamParams {
    StreamParams::new(caller(), Codec::Pcma).with_telephone_event(101)
}

fn datagram(payload_type: u8, marker: bool, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0; HEADER_BYTES];
    rtp::write_header(datagram.first_chunk_mut().unwrap(), payload_type, marker, sequence, timestamp, 0x5151);
    datagram.extend_from_slice(payload);
    datagram
}

fn tone(frequency_hz: f64, ms: usize) -> Vec<i16> {
    (0..ms * 8).map(|n| (8_000.0 * (TAU * frequency_hz * n as f64 / 8_000.0).sin()) as i16).collect()
}

fn clip_ms(ms: usize) -> Playlist {
    Playlist::clip(Arc::new(Clip::from_pcm(8_000, tone(440.0, ms)).unwrap()))
}

/// The power of a frequency in audio, as a share of the whole.
fn share_of(pcm: &[i16], frequency_hz: f64) -> f64 {
    let (mut re, mut im, mut energy) = (0.0, 0.0, 1.0);
    for (n, sample) in pcm.iter().enumerate() {
        let (sin, cos) = (TAU * frequency_hz * n as f64 / 8_000.0).sin_cos();
        re += f64::from(*sample) * cos;
        im += f64::from(*sample) * sin;
        energy += f64::from(*sample).powi(2);
    }
    2.0 * (re * re + im * im) / (energy * pcm.len() as f64)
}

fn decode(codec: Codec, packets: &[Sent]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    let mut pcm = vec![];
    for sent in packets {
        let payload = sent.packet().payload;
        let mut frame = vec![0; payload.len()];
        decoder.decode(payload, &mut frame);
        pcm.extend(frame);
    }
    pcm
}

#[test]
fn a_prompt_is_sent_whole_without_a_timestamp_gap_and_ends_after_its_time() {
    let mut rig = Rig::configured(params());
    rig.play(5, &clip_ms(30_000), BargeIn::None);
    rig.run(30_000);
    assert_eq!(rig.told(), []);
    rig.run(20);
    assert_eq!(
        rig.told(),
        [MediaEvent::PlaybackEnded { id: PlaybackId(5), played_ms: 30_000, reason: PlaybackEnd::Finished }]
    );
    let sent = rig.sent();
    assert_eq!(sent.len(), 1_500);
    assert!(sent.iter().enumerate().all(|(n, s)| s.packet().marker == (n == 0) && s.to == caller()));
    for pair in sent.windows(2) {
        let (a, b) = (pair[0].packet(), pair[1].packet());
        assert_eq!(b.timestamp.wrapping_sub(a.timestamp), 160);
        assert_eq!(b.sequence.wrapping_sub(a.sequence), 1);
    }
    assert_eq!(rig.session.counters.snapshot().packets_sent, 1_500);
}

#[test]
fn barge_in_stops_the_audio_with_the_first_packet_of_the_digit() {
    let mut rig = Rig::configured(params());
    rig.play(1, &clip_ms(5_000), BargeIn::Keys(KeySet::from_keys("12").unwrap()));
    rig.run(500);
    rig.press('9');
    assert!(rig.session.wants_tick(), "a key that is not named does not stop it");
    rig.told();
    let sent = rig.sent().len();
    let first_of_two = datagram(101, true, 900, 77_000, &[2, 10, 0, 160]);
    rig.session.handle_rtp(rig.now(), &mut first_of_two.clone(), caller());
    rig.run(1_000);
    assert_eq!((sent > 0, rig.sent().len()), (true, 0));
    let told = rig.told();
    assert!(matches!(told[0], MediaEvent::Digit { digit, source: DigitSource::TelephoneEvent } if digit.as_char() == '2'));
    let interrupted = PlaybackEnd::Interrupted(Digit::from_char('2').unwrap());
    assert!(matches!(told[1], MediaEvent::PlaybackEnded { reason, .. } if reason == interrupted), "{told:?}");
}

#[test]
fn hold_keeps_the_place_and_resume_goes_on() {
    let mut rig = Rig::configured(params());
    rig.play(1, &clip_ms(1_000), BargeIn::None);
    rig.run(400);
    rig.session.configure(rig.now(), StreamParams { send: false, ..params() });
    rig.run(5_000);
    assert_eq!(rig.sent().len(), 20);
    rig.session.configure(rig.now(), params());
    rig.run(1_000);
    let sent = rig.sent();
    assert_eq!(sent.len(), 30);
    assert!(sent[0].packet().marker);
    assert_eq!(rig.told().len(), 1);
}

#[test]
fn pause_resume_seek_and_stop() {
    let mut rig = Rig::configured(params());
    let id = PlaybackId(1);
    rig.play(1, &clip_ms(2_000), BargeIn::None);
    rig.run(200);
    rig.session.set_paused(id, true);
    rig.run(1_000);
    assert_eq!(rig.sent().len(), 10);
    rig.session.set_paused(PlaybackId(9), false);
    rig.run(100);
    assert_eq!(rig.sent().len(), 0, "another playback's name");
    rig.session.set_paused(id, false);
    rig.session.seek(id, 1_900);
    rig.run(500);
    assert_eq!(rig.sent().len(), 5);
    assert!(matches!(rig.told()[..], [MediaEvent::PlaybackEnded { played_ms: 300, .. }]));
    rig.play(2, &clip_ms(2_000), BargeIn::None);
    rig.play(3, &clip_ms(2_000), BargeIn::None);
    rig.session.stop(PlaybackId(3));
    let ids: Vec<_> = rig.told().into_iter().map(|event| match event {
        MediaEvent::PlaybackEnded { id, reason: PlaybackEnd::Stopped, .. } => id.0,
        other => unreachable!("{other:?}"),
    }).collect();
    assert_eq!(ids, [2, 3]);
}

#[test]
fn packet_times_other_than_twenty_milliseconds() {
    for (ptime_ms, packets) in [(10, 20), (30, 7), (40, 5), (60, 4)] {
        let mut rig = Rig::configured(StreamParams { ptime_ms, ..params() });
        rig.play(1, &clip_ms(200), BargeIn::None);
        rig.run(400);
        let sent = rig.sent();
        assert_eq!(sent.len(), packets, "{ptime_ms} ms");
        for pair in sent.windows(2) {
            assert_eq!(pair[1].packet().timestamp.wrapping_sub(pair[0].packet().timestamp), ptime_ms * 8);
        }
        assert!(sent.iter().all(|s| s.packet().payload.len() == ptime_ms as usize * 8));
        assert_eq!(sent.iter().filter(|s| s.packet().marker).count(), 1);
    }
}

#[test]
fn a_codec_that_changes_in_mid_play_goes_on_in_the_new_one() {
    let mut rig = Rig::configured(params());
    rig.play(1, &clip_ms(1_000), BargeIn::None);
    rig.run(400);
    rig.session.configure(rig.now(), StreamParams::new(caller(), Codec::G722).with_telephone_event(101));
    rig.run(1_000);
    let types: Vec<_> = rig.sent().iter().map(|s| s.packet().payload_type).collect();
    assert_eq!(types, [[8; 20].as_slice(), &[9; 30]].concat());
}

#[test]
fn digits_are_sent_as_events_and_the_prompt_waits() {
    let mut rig = Rig::configured(params());
    rig.play(1, &clip_ms(200), BargeIn::None);
    rig.run(100);
    let digits = "5#".chars().filter_map(Digit::from_char);
    rig.session.send_digits(DigitsOut::Events(EventSender::new(digits, 100, 80)));
    rig.run(1_000);
    let sent = rig.sent();
    let events: Vec<_> = sent.iter().filter(|s| s.packet().payload_type == 101).collect();
    assert_eq!(events.len(), 2 * 7);
    assert_eq!(sent.len() - events.len(), 10);
    assert_eq!(events.iter().filter(|s| s.packet().marker).count(), 2);
    assert!(events.iter().take(7).all(|s| s.packet().timestamp == events[0].packet().timestamp));
    for pair in sent.windows(2) {
        assert_eq!(pair[1].packet().sequence.wrapping_sub(pair[0].packet().sequence), 1);
        assert!(pair[1].packet().timestamp.wrapping_sub(pair[0].packet().timestamp) < 1_600);
    }
    assert!(matches!(rig.told()[..], [MediaEvent::DigitsSent, MediaEvent::PlaybackEnded { .. }]));
}

#[test]
fn digits_go_in_band_and_are_heard_in_band_where_there_is_no_telephone_event() {
    for codec in Codec::ALL {
        let mut sender = Rig::configured(StreamParams::new(caller(), codec));
        let digits: Vec<_> = "159*".chars().filter_map(Digit::from_char).collect();
        let tones = tones(&digits, 80, 80).unwrap();
        tones.encode_now(codec);
        sender.session.send_digits(DigitsOut::Tones(tones));
        sender.run(1_000);
        assert_eq!(sender.told(), [MediaEvent::DigitsSent]);

        let mut hearer = Rig::configured(StreamParams::new(caller(), codec));
        for sent in sender.sent() {
            let packet = sent.packet();
            hearer.receive(packet.payload_type, packet.marker, packet.timestamp, packet.payload, caller());
            hearer.run(20);
        }
        hearer.run(500);
        let heard: String = hearer
            .told()
            .iter()
            .filter_map(|event| match event {
                MediaEvent::Digit { digit, source: DigitSource::InBand } => Some(digit.as_char()),
                _ => None,
            })
            .collect();
        assert_eq!(heard, "159*", "{codec:?}");
        assert!(!hearer.session.wants_tick(), "an idle line costs nothing");
    }
}

#[test]
fn in_band_digits_survive_loss() {
    let mut rig = Rig::configured(StreamParams::new(caller(), Codec::Pcma));
    let mut pcm = vec![0; 1_600];
    for _ in 0..20 {
        pcm.extend(digit_tone(Digit::from_char('6').unwrap(), 120, 100));
    }
    let mut encoder = Encoder::new(Codec::Pcma);
    for (n, frame) in pcm.chunks_exact(160).enumerate() {
        let mut payload = [0; 160];
        encoder.encode(frame, &mut payload);
        if n % 17 != 5 {
            let mut datagram = datagram(8, false, n as u16, n as u32 * 160, &payload);
            rig.session.handle_rtp(rig.now(), &mut datagram, caller());
        }
        rig.run(20);
    }
    rig.run(500);
    let presses = rig.told().iter().filter(|event| matches!(event, MediaEvent::Digit { .. })).count();
    assert_eq!(presses, 20);
}

#[test]
fn an_unconfigured_session_refuses_and_counts() {
    let mut rig = Rig::new();
    rig.receive(8, false, 0, &[0; 160], caller());
    assert_eq!(rig.session.counters.snapshot().rejected_by(Reject::NotReceiving), 1);
    assert!(!rig.session.wants_tick());
    rig.play(1, &clip_ms(100), BargeIn::None);
    assert!(!rig.session.wants_tick(), "waits for its parameters");
    rig.session.configure(rig.now(), params());
    rig.run(200);
    assert_eq!(rig.sent().len(), 5);
}

#[test]
fn hostile_packets_are_counted_by_kind_and_change_nothing() {
    let mut rig = Rig::configured(params());
    rig.receive(8, false, 0, &[0; 160], caller());
    let stranger = SocketAddr::from(([203, 0, 113, 9], 9_999));
    for n in 0..50 {
        rig.receive(8, false, n, &[0; 160], stranger);
        rig.receive(101, true, n * 5_000, &[1, 10, 0, 160], stranger);
    }
    rig.receive(34, false, 0, &[0; 160], caller());
    rig.receive(101, true, 0, &[200, 10, 0, 160], caller());
    for length in 0..64 {
        for fill in [0x00, 0x80, 0x90, 0xbf, 0xff] {
            rig.session.handle_rtp(rig.now(), &mut vec![fill; length], caller());
            rig.session.handle_rtcp(rig.now(), &mut vec![fill; length], caller());
        }
    }
    let stats = rig.session.counters.snapshot();
    assert_eq!(stats.rejected_by(Reject::Source), 100);
    assert!(stats.rejected_by(Reject::PayloadType) >= 1);
    assert_eq!(stats.rejected_by(Reject::Event), 1);
    assert!(stats.rejected_by(Reject::TooShort) > 50 && stats.rejected_by(Reject::Rtcp) > 50);
    assert_eq!(rig.told(), []);
    rig.play(1, &clip_ms(20), BargeIn::None);
    rig.run(20);
    assert_eq!(rig.sent()[0].to, caller());
}

#[test]
fn audio_follows_the_caller_through_a_nat_and_to_a_new_address() {
    let mut rig = Rig::configured(params());
    let real = SocketAddr::from(([198, 51, 100, 3], 61_000));
    for n in 0..5 {
        rig.receive(8, false, n * 160, &[0; 160], real);
    }
    rig.play(1, &clip_ms(1_000), BargeIn::None);
    rig.run(100);
    assert!(rig.sent().iter().all(|sent| sent.to == real));
    // The same address named again keeps what was learnt; another one is another place.
    rig.session.configure(rig.now(), params());
    rig.run(100);
    assert!(rig.sent().iter().all(|sent| sent.to == real));
    let moved = SocketAddr::from(([198, 51, 100, 4], 5_000));
    rig.session.configure(rig.now(), StreamParams { remote: moved, ..params() });
    rig.run(100);
    assert!(rig.sent().iter().all(|sent| sent.to == moved));
}

#[test]
fn lost_media_is_told_once_and_its_return_too() {
    let mut rig = Rig::configured(params());
    rig.receive(8, false, 0, &[0; 160], caller());
    rig.now_ms += 4_999;
    rig.session.handle_timeout(rig.now(), &mut rig.network);
    assert_eq!(rig.told(), []);
    rig.now_ms += 1;
    rig.session.handle_timeout(rig.now(), &mut rig.network);
    rig.now_ms += 60_000;
    rig.session.handle_timeout(rig.now(), &mut rig.network);
    assert_eq!(rig.told(), [MediaEvent::MediaLost { silent_ms: 5_000 }]);
    rig.receive(8, false, 160, &[0; 160], caller());
    rig.receive(8, false, 320, &[0; 160], caller());
    assert_eq!(rig.told(), [MediaEvent::MediaResumed]);
    // Held by us: silence is right.
    rig.session.configure(rig.now(), StreamParams { receive: false, ..params() });
    rig.now_ms += 60_000;
    rig.session.handle_timeout(rig.now(), &mut rig.network);
    assert_eq!(rig.told(), []);
}

#[test]
fn an_idle_session_sends_no_reports_and_an_active_one_does() {
    let mut rig = Rig::configured(params());
    let mut timeouts = 0;
    while rig.now_ms < 70_000 {
        let at = rig.session.handle_timeout(rig.now(), &mut rig.network).unwrap();
        rig.now_ms = at.ms().max(rig.now_ms + 1);
        timeouts += 1;
    }
    assert!(rig.network.rtcp.is_empty() && timeouts < 40, "{timeouts}");
    rig.play(1, &clip_ms(100), BargeIn::None);
    rig.run(200);
    rig.now_ms += 8_000;
    rig.session.handle_timeout(rig.now(), &mut rig.network);
    rig.session.close(rig.now(), &mut rig.network);
    assert_eq!(rig.network.rtcp.len(), 2, "a report and a goodbye");
    assert_eq!(rig.network.rtcp[0].to.port(), 4_001);
    assert_eq!(rig.network.rtcp[0].bytes[1], 200);
}

#[test]
fn nothing_is_sent_once_the_handle_is_closed() {
    let mut rig = Rig::configured(params());
    rig.play(1, &clip_ms(1_000), BargeIn::None);
    rig.run(100);
    rig.sent();
    rig.session.counters.closed.store(true, Ordering::Relaxed);
    rig.run(500);
    assert!(rig.sent().is_empty());
    rig.session.close(rig.now(), &mut rig.network);
    assert!(matches!(rig.told()[..], [MediaEvent::PlaybackEnded { reason: PlaybackEnd::Closed, .. }]));
}

/// A transform that turns every bit and adds a tag.
struct Turn;

impl PacketTransform for Turn {
    fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        buffer[12..length].iter_mut().for_each(|byte| *byte = !*byte);
        buffer[length..length + 4].copy_from_slice(b"gtag");
        Some(length + 4)
    }

    fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let length = packet.len().checked_sub(4).filter(|length| packet[*length..] == *b"gtag")?;
        packet[12.min(length)..length].iter_mut().for_each(|byte| *byte = !*byte);
        Some(length)
    }

    fn protect_rtcp(&mut self, _buffer: &mut [u8], length: usize) -> Option<usize> {
        Some(length)
    }

    fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        Some(packet.len())
    }
}

#[test]
fn a_transform_sees_every_packet_both_ways() {
    let mut rig = Rig::configured(params());
    rig.session.set_transform(Some(Box::new(Turn)));
    rig.play(1, &clip_ms(20), BargeIn::None);
    rig.run(20);
    let sent = rig.sent().remove(0);
    assert_eq!(sent.bytes.len(), 12 + 160 + 4);
    rig.session.handle_rtp(rig.now(), &mut sent.bytes.clone(), caller());
    rig.receive(8, false, 0, &[0; 160], caller());
    let stats = rig.session.counters.snapshot();
    assert_eq!((stats.packets_received, stats.rejected_by(Reject::Transform)), (1, 1));
}

/// Two sessions on one clock; what one accepts is handed to the other.
struct Bridged {
    a: Rig,
    b: Rig,
}

impl Bridged {
    fn new(a: StreamParams, b: StreamParams, options: LegOptions) -> Self {
        let (mut a, mut b) = (Rig::configured(a), Rig::configured(b));
        let peer = |key| PeerRef { pacer: 0, index: 0, key };
        a.session.bridge(BridgeLeg::new(peer(2), b.session.peer_stream(), options));
        b.session.bridge(BridgeLeg::new(peer(1), a.session.peer_stream(), LegOptions::default()));
        Self { a, b }
    }

    /// A packet from a's party.
    fn from_a(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let mut datagram = datagram(payload_type, marker, self.a.sequence, timestamp, payload);
        self.a.sequence = self.a.sequence.wrapping_add(1);
        let now = self.a.now();
        if let Some(handed) = self.a.session.handle_rtp(now, &mut datagram, caller()) {
            self.b.session.handle_peer(now, &handed, &mut self.b.network);
        }
    }

    fn tick(&mut self) {
        self.a.run(20);
        self.b.run(20);
    }

    fn speak(&mut self, codec: Codec, pcm: &[i16]) {
        let mut encoder = Encoder::new(codec);
        for frame in pcm.chunks_exact(160) {
            let mut payload = [0; 160];
            encoder.encode(frame, &mut payload);
            self.from_a(codec.static_payload_type(), false, self.a.now().ticks(), &payload);
            self.tick();
        }
    }

    fn press(&mut self, key: char) {
        let mut sender = EventSender::new(Digit::from_char(key), 80, 40);
        let timestamp = self.a.now().ticks();
        while let Some(packet) = sender.tick() {
            self.from_a(101, packet.first, timestamp, &packet.payload);
            self.tick();
        }
    }
}

#[test]
fn a_bridge_of_one_codec_passes_payloads_untouched_under_its_own_numbers() {
    let event_type = StreamParams { telephone_event: Some(96), ..params() };
    let mut bridged = Bridged::new(params(), event_type, LegOptions::default());
    for n in 0..50u8 {
        bridged.from_a(8, n == 0, u32::from(n) * 160, &[n; 160]);
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
        let audio: Vec<_> = sent.iter().filter(|s| s.packet().payload_type == to.static_payload_type()).cloned().collect();
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

/// A recording of a rig, and what lies on disk in the end.
struct Taping {
    folder: tempfile::TempDir,
    writer: WriterHandle,
    ended: mpsc::Receiver<MediaEvent>,
}

impl Taping {
    fn start(rig: &mut Rig, change: impl FnOnce(&mut RecordingSpec)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _thread) = WriterHandle::start().unwrap();
        let mut spec = RecordingSpec::new(folder.path().join("r.wav"), 60_000);
        change(&mut spec);
        let (sender, ended) = mpsc::channel();
        let events = move |_, event| {
            let _ = sender.send(event);
        };
        let listening = Listening { session: 1, id: RecordingId(3), events: Arc::new(events) };
        let job = writer.begin(spec.path.clone(), listening).unwrap();
        let beep = spec.beep.then(|| {
            let program = Program::new(&clip_ms(200)).unwrap();
            Codec::ALL.into_iter().for_each(|codec| program.encode(codec));
            Box::new(Playback::new(PlaybackId(0), Arc::new(program), BargeIn::None))
        });
        rig.session.record(Box::new(Recorder::new(RecordingId(3), &spec, beep, writer.clone(), job)));
        Self { folder, writer, ended }
    }

    fn end(self) -> (crate::event::Recorded, Vec<i16>) {
        let MediaEvent::RecordingEnded(recorded) = self.ended.recv().unwrap() else { unreachable!() };
        let path = self.folder.path().join("r.wav");
        let pcm = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
        self.writer.stop();
        (recorded, pcm)
    }
}

#[test]
fn a_message_is_recorded_after_the_beep_until_silence() {
    let mut rig = Rig::configured(params());
    let taping = Taping::start(&mut rig, |spec| {
        spec.beep = true;
        spec.silence_stop_ms = Some(1_000);
    });
    rig.speak(Codec::Pcma, &tone(300.0, 180));
    assert_eq!((rig.told(), rig.sent().len()), (vec![], 9));
    rig.run(60);
    assert_eq!(rig.told(), [MediaEvent::RecordingStarted { id: RecordingId(3) }]);
    rig.sent();
    rig.speak(Codec::Pcma, &tone(600.0, 2_000));
    rig.run(2_000);
    let (recorded, pcm) = taping.end();
    assert_eq!(recorded.stopped_by, RecordingEnd::Silence);
    assert!((2_900..=3_300).contains(&recorded.duration_ms), "{}", recorded.duration_ms);
    assert_eq!(pcm.len() as u64, recorded.duration_ms * 8);
    assert!(share_of(&pcm[2_400..14_400], 600.0) > 0.9);
    assert!(!rig.session.wants_tick());
}

#[test]
fn a_key_the_greatest_duration_or_the_hang_up_end_a_recording() {
    let mut rig = Rig::configured(params());
    let taping = Taping::start(&mut rig, |spec| spec.stop_keys = KeySet::from_keys("#").unwrap());
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.press('1');
    rig.press('#');
    assert_eq!(taping.end().0.stopped_by, RecordingEnd::Key(Digit::from_char('#').unwrap()));

    let taping = Taping::start(&mut rig, |spec| spec.duration_ms_max = 300);
    rig.run(1_000);
    let (recorded, pcm) = taping.end();
    assert_eq!((recorded.stopped_by, pcm.len()), (RecordingEnd::DurationMax, 2_400));

    let taping = Taping::start(&mut rig, |_| {});
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.session.close(rig.now(), &mut rig.network);
    let (recorded, _) = taping.end();
    assert_eq!((recorded.stopped_by, recorded.duration_ms), (RecordingEnd::Closed, 500));
}

#[test]
fn masked_audio_is_silence_and_paused_audio_is_left_out() {
    let mut rig = Rig::configured(params());
    let taping = Taping::start(&mut rig, |_| {});
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.session.set_masked(true);
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.session.set_masked(false);
    rig.session.set_recording_paused(RecordingId(3), true);
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.session.set_recording_paused(RecordingId(3), false);
    rig.speak(Codec::Pcma, &tone(600.0, 500));
    rig.session.finish_recording(RecordingId(3));
    let (recorded, pcm) = taping.end();
    assert_eq!(recorded.duration_ms, 1_500);
    assert!(pcm[4_000..8_000].iter().all(|sample| *sample == 0));
    assert!(pcm[2_000..3_500].iter().any(|sample| *sample > 5_000));
    assert!(pcm[9_000..].iter().any(|sample| *sample > 5_000));
}

#[test]
fn a_discarded_recording_is_not_told() {
    let mut rig = Rig::configured(params());
    let taping = Taping::start(&mut rig, |_| {});
    rig.run(500);
    rig.session.discard_recording(RecordingId(3));
    taping.writer.stop();
    assert!(taping.ended.recv().is_err(), "the writer is gone and has told nothing");
    assert_eq!(std::fs::read_dir(taping.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_mixed_recording_has_both_parties_of_a_bridge_and_the_prompt() {
    for (codec_b, kind) in [(Codec::Pcma, "relayed"), (Codec::Pcmu, "transcoded")] {
        let params_b = StreamParams::new(caller(), codec_b).with_telephone_event(101);
        let mut bridged = Bridged::new(params(), params_b, LegOptions::default());
        let taping = Taping::start(&mut bridged.b, |spec| spec.source = RecordSource::Mixed);
        let (speech_a, speech_b) = (tone(500.0, 1_000), tone(1_100.0, 1_000));
        let mut encoder = Encoder::new(codec_b);
        for (frame_a, frame_b) in speech_a.chunks_exact(160).zip(speech_b.chunks_exact(160)) {
            let mut payload = [0; 160];
            encoder.encode(frame_b, &mut payload);
            let now = bridged.b.now().ticks();
            bridged.b.receive(codec_b.static_payload_type(), false, now, &payload, caller());
            bridged.speak(Codec::Pcma, frame_a);
        }
        bridged.b.play(1, &clip_ms(400), BargeIn::None);
        bridged.b.run(400);
        bridged.b.session.finish_recording(RecordingId(3));
        let (_, pcm) = taping.end();
        let middle = &pcm[2_400..7_200];
        assert!(share_of(middle, 500.0) > 0.4 && share_of(middle, 1_100.0) > 0.4, "{kind}");
        assert!(share_of(&pcm[9_600..11_200], 440.0) > 0.9, "{kind}: the prompt");
    }
}

#[test]
fn sessions_are_small() {
    // An idle session: no buffers, no decoders, no detectors.
    assert!(size_of::<Session>() < 1_024, "{} bytes", size_of::<Session>());
}
