//! Recordings, from the caller's voice to the file.

use std::sync::mpsc;

use super::bridging::Bridged;
use super::*;
use crate::bridge::LegOptions;
use crate::record::{RecordSource, RecordingSpec};
use crate::writer::{Listening, WriterHandle};

/// A recording of a rig, and what lies on disk in the end.
pub(super) struct Taping {
    folder: tempfile::TempDir,
    writer: WriterHandle,
    ended: mpsc::Receiver<MediaEvent>,
}

impl Taping {
    pub(super) fn start(rig: &mut Rig, change: impl FnOnce(&mut RecordingSpec)) -> Self {
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

    pub(super) fn end(self) -> (crate::event::Recorded, Vec<i16>) {
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
