//! The engine as its users see it, over loopback sockets. What needs made time is tested inside the crate.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gudok_media::{
    BargeIn, BridgeOptions, Clip, Codec, Digit, MediaConfig, MediaEngine, MediaError, MediaEvent, PlaybackEnd,
    PlaybackId, Playlist, RecordingEnd, RecordingId, RecordingSpec, Reject, Session, StreamParams, Supervision,
};

/// Long enough for a loaded machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

fn engine(ports: RangeInclusive<u16>, pacer_threads: usize) -> MediaEngine {
    MediaEngine::start(MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports,
        pacer_threads,
        ports_warm: 2,
        ..MediaConfig::default()
    })
    .unwrap()
}

/// A telephone: a socket, and the session that serves it.
struct Phone {
    socket: UdpSocket,
    session: Session,
    events: Receiver<MediaEvent>,
}

impl Phone {
    fn call(engine: &MediaEngine, codec: Codec) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (sender, events) = channel();
        let sink = move |_: u64, event: MediaEvent| {
            let _ = sender.send(event);
        };
        let session = engine.open(7, Arc::new(sink)).unwrap();
        let params = StreamParams::new(socket.local_addr().unwrap(), codec).with_telephone_event(101);
        session.configure(params).unwrap();
        Self { socket, session, events }
    }

    fn event(&self) -> MediaEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 1_500];
        let length = self.socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    fn send(&self, payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) {
        let mut packet = vec![0x80, payload_type];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([1, 2, 3, 4]);
        packet.extend(payload);
        self.socket.send_to(&packet, self.session.local_addr()).unwrap();
    }

    fn press(&self, key: char, timestamp: u32) {
        self.send(101, 1, timestamp, &[Digit::from_char(key).unwrap().event(), 10, 0, 160]);
    }
}

fn clip(ms: u32) -> Playlist {
    Playlist::clip(Arc::new(Clip::tone([440.0, 0.0], ms).unwrap()))
}

#[test]
fn a_prompt_arrives_whole_and_a_digit_stops_the_next() {
    let engine = engine(22_000..=22_019, 1);
    let phone = Phone::call(&engine, Codec::Pcma);
    let began = Instant::now();
    phone.session.play(PlaybackId(1), &clip(200), BargeIn::None).unwrap();
    let packets: Vec<_> = (0..10).map(|_| phone.receive()).collect();
    assert!(packets.iter().all(|packet| packet.len() == 172 && packet[1] & 0x7f == 8));
    let ended = MediaEvent::PlaybackEnded { id: PlaybackId(1), played_ms: 200, reason: PlaybackEnd::Finished };
    assert_eq!(phone.event(), ended);
    assert!(began.elapsed() >= Duration::from_millis(200));

    phone.session.play(PlaybackId(2), &clip(60_000), BargeIn::AnyDigit).unwrap();
    phone.receive();
    phone.press('5', 800);
    assert!(matches!(phone.event(), MediaEvent::Digit { digit, .. } if digit.as_char() == '5'));
    assert!(matches!(
        phone.event(),
        MediaEvent::PlaybackEnded { reason: PlaybackEnd::Interrupted(_), played_ms, .. } if played_ms < 60_000
    ));
    let stats = phone.session.close();
    assert!(stats.packets_sent >= 11 && stats.packets_received == 1 && stats.digits == 1, "{stats:?}");
}

#[test]
fn two_parties_talk_through_a_bridge_on_one_pacer_and_across_two() {
    for (ports, pacers) in [(22_020..=22_039, 1), (22_040..=22_059, 2)] {
        let engine = engine(ports, pacers);
        for codec_b in [Codec::Pcma, Codec::Pcmu] {
            let (a, b) = (Phone::call(&engine, Codec::Pcma), Phone::call(&engine, codec_b));
            engine.bridge(&a.session, &b.session, BridgeOptions::default()).unwrap();
            for n in 0..20u16 {
                a.send(8, n, u32::from(n) * 160, &[0x55; 160]);
                b.send(codec_b.static_payload_type(), n, u32::from(n) * 160, &[0x11; 160]);
            }
            assert_eq!(b.receive()[1] & 0x7f, codec_b.static_payload_type());
            assert_eq!(a.receive()[1] & 0x7f, 8);
            // The one hangs up, the other is told.
            drop(a.session);
            assert_eq!(b.event(), MediaEvent::BridgeEnded);
        }
    }
}

#[test]
fn a_supervisor_listens_whispers_barges_and_leaves_on_one_pacer_and_across_two() {
    const MOMENT: Duration = Duration::from_millis(1);
    for (ports, pacers) in [(22_130..=22_149, 1), (22_150..=22_169, 2)] {
        let engine = engine(ports, pacers);
        let phones = [(); 3].map(|()| Phone::call(&engine, Codec::Pcma));
        let [caller, operator, supervisor] = &phones;
        engine.bridge(&caller.session, &operator.session, BridgeOptions::default()).unwrap();
        let supervise = |how| engine.supervise(&supervisor.session, &caller.session, &operator.session, how).unwrap();
        let mut sequence = 0;
        // The loudest of what comes to each of the three while `speaker` speaks; A-law codes grow louder towards 0x2a.
        let mut loudest = |speaker: usize, until: &dyn Fn([bool; 3]) -> bool| {
            let began = Instant::now();
            loop {
                let mut heard = [false; 3];
                for _ in 0..10 {
                    for (at, phone) in phones.iter().enumerate() {
                        let payload = if at == speaker { [0x25; 160] } else { [0xd5; 160] };
                        phone.send(8, sequence, u32::from(sequence) * 160, &payload);
                    }
                    sequence += 1;
                    // One after another, until it is time for the next packet.
                    let next = Instant::now() + Duration::from_millis(20);
                    for (at, phone) in phones.iter().enumerate() {
                        let mut buffer = [0; 1_500];
                        loop {
                            let left = if at == 2 { next.saturating_duration_since(Instant::now()) } else { MOMENT };
                            phone.socket.set_read_timeout(Some(left.max(MOMENT))).unwrap();
                            let Ok(length) = phone.socket.recv(&mut buffer) else { break };
                            heard[at] |= length == 172 && buffer[100..172].iter().all(|byte| byte & 0x70 == 0x20);
                        }
                    }
                }
                if until(heard) {
                    return;
                }
                assert!(began.elapsed() < PATIENCE, "{speaker} speaks, {heard:?} hear");
            }
        };
        supervise(Supervision::Listen);
        loudest(0, &|heard| heard == [false, true, true]);
        loudest(1, &|heard| heard == [true, false, true]);
        loudest(2, &|heard| heard == [false; 3]);
        supervise(Supervision::Whisper);
        loudest(2, &|heard| heard == [false, true, false]);
        supervise(Supervision::Barge);
        loudest(2, &|heard| heard == [true, true, false]);
        engine.unsupervise(&supervisor.session).unwrap();
        loudest(2, &|heard| heard == [false; 3]);
        loudest(0, &|heard| heard == [false, true, false]);
        let same = engine.supervise(&caller.session, &caller.session, &operator.session, Supervision::Listen);
        assert!(matches!(same, Err(MediaError::InvalidRequest(_))));
        // Who hangs up takes the link along; the others go on.
        supervise(Supervision::Barge);
        let [caller, operator, supervisor] = phones;
        drop(operator.session);
        assert_eq!(caller.event(), MediaEvent::BridgeEnded);
        drop(supervisor);
        drop(caller);
    }
}

#[test]
fn a_message_lies_on_disk_with_its_hash_when_the_caller_hangs_up() {
    let engine = engine(22_060..=22_079, 1);
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::call(&engine, Codec::Pcmu);
    let path = folder.path().join("message.wav");
    phone.session.record(RecordingId(4), &RecordingSpec::new(&path, 60_000)).unwrap();
    assert_eq!(phone.event(), MediaEvent::RecordingStarted { id: RecordingId(4) });
    let Phone { session, events, .. } = phone;
    drop(session);
    let MediaEvent::RecordingEnded(recorded) = events.recv_timeout(PATIENCE).unwrap() else { panic!() };
    assert_eq!((recorded.stopped_by, &recorded.path), (RecordingEnd::Closed, &path));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), recorded.bytes);
}

#[test]
fn ports_are_even_used_again_and_run_out_with_a_clear_error() {
    let engine = engine(22_080..=22_085, 1);
    let open = || engine.open(1, Arc::new(|_: u64, _: MediaEvent| {}));
    let sessions: Vec<_> = (0..3).map(|_| open().unwrap()).collect();
    let ports: Vec<_> = sessions.iter().map(|session| session.local_addr().port()).collect();
    assert!(ports.iter().all(|port| port % 2 == 0));
    assert!(matches!(open(), Err(MediaError::PortsExhausted { in_use: 3, .. })));
    drop(sessions);
    let deadline = Instant::now() + PATIENCE;
    let again = loop {
        match open() {
            Ok(session) => break session,
            Err(MediaError::PortsExhausted { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    assert!(ports.contains(&again.local_addr().port()));
    assert_eq!(engine.stats().sessions_open, 1);
}

#[test]
fn sessions_beyond_the_limit_are_refused() {
    let config = MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: 22_090..=22_099,
        sessions_max: 1,
        ..MediaConfig::default()
    };
    let engine = MediaEngine::start(config).unwrap();
    let open = || engine.open(1, Arc::new(|_: u64, _: MediaEvent| {}));
    let first = open().unwrap();
    assert!(matches!(open(), Err(MediaError::SessionsExhausted { limit: 1 })));
    drop(first);
    open().unwrap();
}

#[test]
fn garbage_from_the_network_is_counted_and_the_call_goes_on() {
    let engine = engine(22_100..=22_109, 1);
    let phone = Phone::call(&engine, Codec::Pcma);
    let to = phone.session.local_addr();
    for length in 0..200usize {
        let garbage: Vec<u8> = (0..length).map(|n| u8::try_from((n * 37 + length * 11) % 256).unwrap()).collect();
        phone.socket.send_to(&garbage, to).unwrap();
    }
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    stranger.send_to(&[0x80; 172], to).unwrap();
    phone.press('1', 1);
    assert!(matches!(phone.event(), MediaEvent::Digit { .. }));
    let stats = phone.session.stats();
    assert!(stats.rejected_total() >= 150 && stats.rejected_by(Reject::TooShort) >= 11, "{stats:?}");
}

#[test]
fn silence_of_the_network_is_told() {
    let config = MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: 22_110..=22_119,
        rtp_timeout: Duration::from_millis(50),
        ..MediaConfig::default()
    };
    let engine = MediaEngine::start(config).unwrap();
    let phone = Phone::call(&engine, Codec::Pcma);
    assert!(matches!(phone.event(), MediaEvent::MediaLost { silent_ms: 50.. }));
    phone.send(8, 1, 160, &[0xd5; 160]);
    assert_eq!(phone.event(), MediaEvent::MediaResumed);
}

#[test]
fn impossible_configurations_are_refused() {
    let check = |change: fn(&mut MediaConfig)| {
        let mut config = MediaConfig { bind: Ipv4Addr::LOCALHOST.into(), ..MediaConfig::default() };
        change(&mut config);
        assert!(MediaEngine::start(config).is_err());
    };
    check(|config| config.pacer_threads = 0);
    check(|config| config.ports = 10_001..=10_001);
    // An address of the documentation's network is nobody's.
    check(|config| config.bind = Ipv4Addr::new(192, 0, 2, 1).into());
}

#[test]
fn the_engine_stops_when_its_last_handle_goes() {
    let engine = engine(22_120..=22_129, 1);
    let phone = Phone::call(&engine, Codec::Pcma);
    phone.session.play(PlaybackId(1), &clip(60_000), BargeIn::None).unwrap();
    phone.receive();
    let local: SocketAddr = phone.session.local_addr();
    drop((engine, phone));
    // The threads are gone and the sockets with them.
    UdpSocket::bind(local).unwrap();
}
