//! A caller, an operator and a supervisor on one clock: who hears whom, and that nobody notices a change.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::recording::Taping;
use super::*;
use crate::bridge::{BridgeLeg, Handed, LegOptions, PeerRef};
use crate::link::{Hears, Link, Supervision};
use crate::record::RecordSource;

const CALLER_HZ: f64 = 400.0;
const OPERATOR_HZ: f64 = 900.0;
const SUPERVISOR_HZ: f64 = 1_700.0;
const KEYS: [u64; 3] = [1, 2, 3];
const CALLER_AT: usize = 0;
const OPERATOR_AT: usize = 1;
const SUPERVISOR_AT: usize = 2;

/// What each party hears of (caller, operator, supervisor).
type Heard = [[bool; 3]; 3];

const fn heard(how: Option<Supervision>) -> Heard {
    let (caller_hears, operator_hears, supervisor_hears) = match how {
        None => (false, false, false),
        Some(Supervision::Listen) => (false, false, true),
        Some(Supervision::Whisper) => (false, true, true),
        Some(Supervision::Barge) => (true, true, true),
    };
    [[false, true, caller_hears], [true, false, operator_hears], [supervisor_hears, supervisor_hears, false]]
}

/// The three of them, as the pacer joins them.
struct Talk {
    rigs: [Rig; 3],
    encoders: [Encoder; 3],
    codecs: [Codec; 3],
    spoken: [usize; 3],
}

fn peer(at: usize) -> PeerRef {
    PeerRef { pacer: 0, index: 0, key: KEYS[at] }
}

impl Talk {
    fn new(codecs: [Codec; 3]) -> Self {
        let params = |codec| StreamParams::new(caller(), codec).with_telephone_event(101);
        let mut rigs = codecs.map(|codec| Rig::configured(params(codec)));
        for (at, other) in [(CALLER_AT, OPERATOR_AT), (OPERATOR_AT, CALLER_AT)] {
            let stream = rigs[other].session.peer_stream();
            rigs[at].session.bridge(BridgeLeg::new(peer(other), stream, LegOptions::default()));
        }
        Self { rigs, encoders: codecs.map(Encoder::new), codecs, spoken: [0; 3] }
    }

    /// As `MediaEngine::supervise` and `unsupervise` ask for it.
    fn supervise(&mut self, how: Option<Supervision>) {
        let Some(how) = how else {
            for (at, key) in [(CALLER_AT, 3), (OPERATOR_AT, 3), (SUPERVISOR_AT, 1), (SUPERVISOR_AT, 2)] {
                self.rigs[at].session.unlink(key);
            }
            return;
        };
        let (to_caller, to_operator) = how.voice();
        let mut link = |at: usize, with: usize, speaks, hears| {
            let stream = self.rigs[with].session.peer_stream();
            self.rigs[at].session.link(Link { peer: peer(with), stream, speaks, hears });
        };
        link(SUPERVISOR_AT, CALLER_AT, to_caller != Hears::No, Hears::Openly);
        link(SUPERVISOR_AT, OPERATOR_AT, to_operator != Hears::No, Hears::Openly);
        link(CALLER_AT, SUPERVISOR_AT, true, to_caller);
        link(OPERATOR_AT, SUPERVISOR_AT, true, to_operator);
    }

    /// One party sends 20 ms.
    fn say(&mut self, at: usize, pcm: &[i16]) {
        let mut payload = [0; 160];
        self.encoders[at].encode(pcm, &mut payload);
        let (now, codec) = (self.rigs[at].now(), self.codecs[at]);
        let rig = &mut self.rigs[at];
        let mut datagram = datagram(codec.static_payload_type(), false, rig.sequence, now.ticks(), &payload);
        rig.sequence = rig.sequence.wrapping_add(1);
        let handed = rig.session.handle_rtp(now, &mut datagram, caller());
        let listeners = rig.session.listeners();
        let bridged = rig.session.bridge_leg().map(|leg| leg.peer);
        let Some(handed) = handed else { return };
        let is_audio = matches!(handed, Handed::Audio(_));
        let to = bridged.into_iter().chain(listeners.into_iter().flatten().filter(|_| is_audio));
        for to in to.collect::<Vec<_>>() {
            let other = KEYS.iter().position(|key| *key == to.key).unwrap();
            let Rig { session, network, .. } = &mut self.rigs[other];
            session.handle_peer(now, KEYS[at], &handed, network);
        }
    }

    fn tick(&mut self) {
        for rig in &mut self.rigs {
            rig.run(20);
        }
    }

    /// All that `speak` speak for so long, each with a tone.
    fn talk(&mut self, speak: [bool; 3], ms: usize) {
        for _ in 0..ms / 20 {
            for (at, hz) in [CALLER_HZ, OPERATOR_HZ, SUPERVISOR_HZ].into_iter().enumerate() {
                let from = self.spoken[at];
                self.spoken[at] += 160;
                let sample = |n: usize| (6_000.0 * (TAU * hz * (from + n) as f64 / 8_000.0).sin()) as i16;
                let pcm: Vec<i16> = (0..160).map(sample).collect();
                if speak[at] {
                    self.say(at, &pcm);
                }
            }
            self.tick();
        }
    }

    /// What each has been sent since the last time.
    fn sent(&mut self) -> [Vec<Sent>; 3] {
        std::array::from_fn(|at| self.rigs[at].sent())
    }

    /// Who is heard in what was sent lately, once changes have settled.
    fn hear(&mut self, speak: [bool; 3]) -> Heard {
        self.talk(speak, 200);
        self.sent();
        self.talk(speak, 400);
        let sent = self.sent();
        std::array::from_fn(|at| {
            let pcm = decode(self.codecs[at], &sent[at]);
            // The first packets of a decoder without a past are not worth much.
            let pcm = pcm.get(320..).unwrap_or_default();
            [CALLER_HZ, OPERATOR_HZ, SUPERVISOR_HZ].map(|hz| !pcm.is_empty() && share_of(pcm, hz) > 0.1)
        })
    }
}

const MODES: [Option<Supervision>; 4] =
    [None, Some(Supervision::Listen), Some(Supervision::Whisper), Some(Supervision::Barge)];

#[test]
fn everybody_hears_whom_the_mode_says_whatever_the_codecs_and_the_order() {
    let mut random = StdRng::seed_from_u64(41);
    let mut codecs = vec![];
    for a in Codec::ALL {
        for b in Codec::ALL {
            codecs.extend(Codec::ALL.map(|s| [a, b, s]));
        }
    }
    for codecs in codecs {
        let mut talk = Talk::new(codecs);
        for step in 0..8 {
            let how = MODES[random.random_range(0..MODES.len())];
            talk.supervise(how);
            assert_eq!(talk.hear([true; 3]), heard(how), "{codecs:?}, step {step}: {how:?}");
        }
    }
}

#[test]
fn silence_and_hold_of_one_take_nothing_from_the_others() {
    let mut random = StdRng::seed_from_u64(42);
    for round in 0..40 {
        let codecs = std::array::from_fn(|_| Codec::ALL[random.random_range(0..3)]);
        let mut talk = Talk::new(codecs);
        for _ in 0..4 {
            let how = MODES[random.random_range(0..MODES.len())];
            talk.supervise(how);
            // On hold the caller's telephone takes nothing and sends nothing; else it may just keep still.
            let on_hold = random.random_bool(0.3);
            let params = StreamParams {
                send: !on_hold,
                receive: !on_hold,
                ..StreamParams::new(caller(), codecs[CALLER_AT]).with_telephone_event(101)
            };
            let now = talk.rigs[CALLER_AT].now();
            talk.rigs[CALLER_AT].session.configure(now, params);
            let speak: [bool; 3] = std::array::from_fn(|at| random.random_bool(0.6) && !(at == CALLER_AT && on_hold));
            let mut expect = heard(how);
            for row in &mut expect {
                for (hears, speaks) in row.iter_mut().zip(speak) {
                    *hears &= speaks;
                }
            }
            if on_hold {
                expect[CALLER_AT] = [false; 3];
            }
            assert_eq!(talk.hear(speak), expect, "round {round}, {codecs:?}, {how:?}, {speak:?}, hold {on_hold}");
        }
    }
}

#[test]
fn nothing_comes_later_than_without_a_supervisor() {
    let mut talk = Talk::new([Codec::Pcma; 3]);
    talk.supervise(Some(Supervision::Whisper));
    talk.talk([true; 3], 400);
    talk.sent();
    for _ in 0..50 {
        talk.say(SUPERVISOR_AT, &tone(SUPERVISOR_HZ, 20));
        talk.say(CALLER_AT, &tone(CALLER_HZ, 20));
        assert_eq!(talk.rigs[OPERATOR_AT].network.rtp.len(), 1, "at once, not at a tick");
        talk.tick();
        assert_eq!(talk.sent()[OPERATOR_AT].len(), 1, "and nothing twice");
    }
}

#[test]
fn a_change_leaves_no_gap_in_numbers_or_time() {
    let mut random = StdRng::seed_from_u64(43);
    for codecs in [[Codec::Pcma; 3], [Codec::Pcmu, Codec::Pcmu, Codec::Pcma], [Codec::Pcma, Codec::Pcmu, Codec::G722]] {
        let mut talk = Talk::new(codecs);
        talk.talk([true; 3], 400);
        talk.sent();
        let mut sent: [Vec<Sent>; 3] = std::array::from_fn(|_| vec![]);
        for _ in 0..60 {
            talk.supervise(MODES[random.random_range(0..MODES.len())]);
            talk.talk([true; 3], 20 * random.random_range(1..12));
            for (all, new) in sent.iter_mut().zip(talk.sent()) {
                all.extend(new);
            }
        }
        for at in [CALLER_AT, OPERATOR_AT] {
            for pair in sent[at].windows(2) {
                let (a, b) = (pair[0].packet(), pair[1].packet());
                assert_eq!(b.sequence.wrapping_sub(a.sequence), 1, "{codecs:?}");
                assert_eq!(b.timestamp.wrapping_sub(a.timestamp), 160, "{codecs:?}");
                assert!(!b.marker && a.payload.len() == 160, "{codecs:?}");
            }
        }
    }
}

#[test]
fn untouched_audio_passes_through_the_mix_unchanged() {
    let mut talk = Talk::new([Codec::Pcma; 3]);
    talk.talk([true, true, false], 200);
    let mut plain = Talk::new([Codec::Pcma; 3]);
    plain.talk([true, true, false], 200);
    talk.supervise(Some(Supervision::Barge));
    talk.sent();
    plain.sent();
    talk.talk([true, true, false], 400);
    plain.talk([true, true, false], 400);
    let (mixed, plain) = (talk.sent(), plain.sent());
    for at in [CALLER_AT, OPERATOR_AT] {
        let payloads = |sent: &[Sent]| sent.iter().map(|s| s.packet().payload.to_vec()).collect::<Vec<_>>();
        assert_eq!(payloads(&mixed[at]), payloads(&plain[at]));
    }
}

/// The greatest step from sample to sample.
fn steepest(pcm: &[i16]) -> i32 {
    pcm.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap_or(0)
}

#[test]
fn a_voice_that_begins_or_leaves_within_a_sound_does_not_click() {
    // A low tone, so that a cut anywhere but at its zero is far steeper than it is itself; 4.25 periods a frame, so that
    // frames do not begin at the same place of it.
    const LOW_HZ: f64 = 212.5;
    let natural = (6_000.0 * TAU * LOW_HZ / 8_000.0) as i32 + 400;
    for codecs in [[Codec::Pcma; 3], [Codec::Pcma, Codec::Pcmu, Codec::Pcma], [Codec::Pcmu, Codec::Pcmu, Codec::G722]] {
        let mut talk = Talk::new(codecs);
        let mut said = 0;
        let mut step = |talk: &mut Talk, ms: usize| {
            for _ in 0..ms / 20 {
                talk.say(CALLER_AT, &[0; 160]);
                talk.say(OPERATOR_AT, &[0; 160]);
                let sample = |n: usize| (6_000.0 * (TAU * LOW_HZ * n as f64 / 8_000.0).sin()) as i16;
                talk.say(SUPERVISOR_AT, &(said..said + 160).map(sample).collect::<Vec<_>>());
                said += 160;
                talk.tick();
            }
        };
        step(&mut talk, 400);
        talk.sent();
        let mut sent = vec![];
        for (turn, how) in [
            Some(Supervision::Whisper),
            Some(Supervision::Barge),
            Some(Supervision::Listen),
            Some(Supervision::Barge),
            None,
            Some(Supervision::Whisper),
            None,
        ]
        .into_iter()
        .cycle()
        .take(21)
        .enumerate()
        {
            talk.supervise(how);
            step(&mut talk, 200 + 20 * (turn % 5));
            let [_, operator, _] = talk.sent();
            sent.extend(operator);
        }
        let pcm = decode(codecs[OPERATOR_AT], &sent);
        assert!(steepest(&pcm) <= natural, "{codecs:?}: {} over {natural}", steepest(&pcm));
        assert!(pcm.iter().any(|sample| *sample > 5_000), "it was heard at all");
    }
}

#[test]
fn a_recording_has_the_supervisor_only_where_both_hear_it() {
    for codecs in [[Codec::Pcma; 3], [Codec::Pcma, Codec::Pcmu, Codec::G722]] {
        for (at, how, expect) in [
            (CALLER_AT, Supervision::Listen, false),
            (CALLER_AT, Supervision::Whisper, false),
            (OPERATOR_AT, Supervision::Whisper, false),
            (CALLER_AT, Supervision::Barge, true),
            (OPERATOR_AT, Supervision::Barge, true),
        ] {
            let mut talk = Talk::new(codecs);
            talk.talk([true; 3], 200);
            talk.supervise(Some(how));
            let taping = Taping::start(&mut talk.rigs[at], |spec| spec.source = RecordSource::Mixed);
            talk.talk([true; 3], 2_000);
            talk.rigs[at].session.finish_recording(RecordingId(3));
            let (_, pcm) = taping.end();
            let middle = &pcm[4_800..12_800];
            let has = [CALLER_HZ, OPERATOR_HZ, SUPERVISOR_HZ].map(|hz| share_of(middle, hz) > 0.1);
            assert_eq!(has, [true, true, expect], "{codecs:?}, {how:?}, session {at}");
        }
    }
}

#[test]
fn a_whisper_goes_over_music_and_not_into_its_recording() {
    let mut talk = Talk::new([Codec::Pcma; 3]);
    talk.supervise(Some(Supervision::Whisper));
    talk.rigs[OPERATOR_AT].play(1, &clip_ms(5_000), BargeIn::None);
    let taping = Taping::start(&mut talk.rigs[OPERATOR_AT], |spec| spec.source = RecordSource::Mixed);
    talk.talk([false, false, true], 400);
    talk.sent();
    talk.talk([false, false, true], 1_000);
    let pcm = decode(Codec::Pcma, &talk.sent()[OPERATOR_AT]);
    assert!(share_of(&pcm, SUPERVISOR_HZ) > 0.1 && share_of(&pcm, 440.0) > 0.1);
    talk.rigs[OPERATOR_AT].session.finish_recording(RecordingId(3));
    let (_, pcm) = taping.end();
    assert!(share_of(&pcm[4_000..9_000], SUPERVISOR_HZ) < 0.01 && share_of(&pcm[4_000..9_000], 440.0) > 0.9);
}

#[test]
fn packets_of_other_lengths_are_mixed_in_their_places() {
    for ptime_ms in [10_u32, 30, 60] {
        for codec in Codec::ALL {
            let mut talk = Talk::new([codec; 3]);
            for at in [CALLER_AT, OPERATOR_AT] {
                let now = talk.rigs[at].now();
                let params = StreamParams { ptime_ms, ..StreamParams::new(caller(), codec).with_telephone_event(101) };
                talk.rigs[at].session.configure(now, params);
            }
            let stream = |talk: &Talk, at: usize| talk.rigs[at].session.peer_stream().unwrap();
            let (of_caller, of_operator) = (stream(&talk, CALLER_AT), stream(&talk, OPERATOR_AT));
            talk.rigs[CALLER_AT].session.set_peer_stream(2, of_operator);
            talk.rigs[OPERATOR_AT].session.set_peer_stream(1, of_caller);
            talk.supervise(Some(Supervision::Whisper));
            let mut encoder = Encoder::new(codec);
            let ticks = ptime_ms as usize * 8;
            let mut due = 0;
            for ms in (0..1_200_u32).step_by(20) {
                talk.say(SUPERVISOR_AT, &tone(SUPERVISOR_HZ, 20));
                while due <= ms {
                    let pcm: Vec<i16> = tone(CALLER_HZ, ptime_ms as usize);
                    let mut payload = vec![0; ticks];
                    encoder.encode(&pcm, &mut payload);
                    let now = talk.rigs[CALLER_AT].now();
                    let rig = &mut talk.rigs[CALLER_AT];
                    let kind = codec.static_payload_type();
                    let mut datagram = datagram(kind, false, rig.sequence, due * 8, &payload);
                    rig.sequence += 1;
                    let handed = rig.session.handle_rtp(now, &mut datagram, caller()).unwrap();
                    let Rig { session, network, .. } = &mut talk.rigs[OPERATOR_AT];
                    session.handle_peer(now, 1, &handed, network);
                    due += ptime_ms;
                }
                talk.tick();
            }
            let sent = talk.sent();
            let sent = &sent[OPERATOR_AT];
            assert!(sent.iter().all(|s| s.packet().payload.len() == ticks), "{ptime_ms} ms, {codec:?}");
            let pcm = decode(codec, sent);
            let middle = &pcm[pcm.len() / 2..];
            assert!(
                share_of(middle, SUPERVISOR_HZ) > 0.2 && share_of(middle, CALLER_HZ) > 0.2,
                "{ptime_ms} ms, {codec:?}"
            );
        }
    }
}

#[test]
fn who_is_alone_again_costs_nothing() {
    let mut talk = Talk::new([Codec::Pcma; 3]);
    talk.supervise(Some(Supervision::Barge));
    talk.talk([true; 3], 400);
    talk.supervise(None);
    talk.talk([true, true, false], 200);
    for _ in 0..30 {
        talk.tick();
    }
    for rig in &talk.rigs {
        assert!(!rig.session.wants_tick() && rig.session.links.is_none());
    }
}
