//! Sessions on made time: what goes in, what comes out.

use std::f64::consts::TAU;

use parking_lot::Mutex;

use super::*;
use crate::clip::{Clip, digit_tone};
use crate::codec::{Codec, Decoder, Encoder};
use crate::digit::KeySet;
use crate::playback::{BargeIn, Playlist, Program};
use crate::rtp::{self, HEADER_BYTES, Packet};
use crate::stats::Reject;

mod bridging;
mod recording;
mod supervising;

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
    assert!(
        matches!(told[0], MediaEvent::Digit { digit, source: DigitSource::TelephoneEvent } if digit.as_char() == '2')
    );
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
    let ids: Vec<_> = rig
        .told()
        .into_iter()
        .map(|event| match event {
            MediaEvent::PlaybackEnded { id, reason: PlaybackEnd::Stopped, .. } => id.0,
            other => unreachable!("{other:?}"),
        })
        .collect();
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

#[test]
fn sessions_are_small() {
    // An idle session: no buffers, no decoders, no detectors.
    assert!(size_of::<Session>() < 1_024, "{} bytes", size_of::<Session>());
}

#[test]
fn silence_is_told_even_if_nothing_is_sent_and_the_ear_is_given_back() {
    let mut rig = Rig::configured(params());
    rig.session.listen_for(Detector::new(crate::ListenFor::Answer).map(Box::new));
    assert!(rig.session.wants_tick());
    rig.run(3_480);
    assert_eq!(rig.told(), []);
    rig.run(20);
    assert_eq!(rig.told(), [MediaEvent::Heard { what: crate::HeardKind::Silence, at_ms: 3_500 }]);
    assert!(rig.session.ear.is_none() && rig.session.detector.is_none());
}

#[test]
fn the_busy_tone_is_heard_through_every_codec() {
    let beat = [Clip::tone([425.0, 0.0], 350).unwrap(), Clip::tone([0.0, 0.0], 350).unwrap()];
    let tone: Vec<i16> = std::iter::repeat_n(beat.iter().flat_map(Clip::samples).copied(), 5).flatten().collect();
    for codec in Codec::ALL {
        let mut rig = Rig::configured(StreamParams::new(caller(), codec).with_telephone_event(101));
        rig.session.listen_for(Detector::new(crate::ListenFor::Tones).map(Box::new));
        rig.speak(codec, &tone);
        let told = rig.told();
        assert!(
            matches!(told[..], [MediaEvent::Heard { what: crate::HeardKind::Busy, at_ms: 1_400..2_000 }]),
            "{codec:?} {told:?}"
        );
    }
}
