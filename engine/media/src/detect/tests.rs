//! Made tones and made levels; recordings of speech are in the crate's `tests/answering`.

use super::*;
use crate::clip::tone_samples;

/// Frames of a tone and of silence, in turn.
fn pattern(parts: &[([f32; 2], u32)]) -> Vec<i16> {
    parts.iter().flat_map(|(hz, ms)| tone_samples(*hz, *ms, -15.0)).collect()
}

/// What is heard, and when, in this audio followed by silence.
fn hear(listen_for: ListenFor, samples: &[i16], silence_ms: u32) -> Vec<(HeardKind, u32)> {
    let mut detector = Detector::new(listen_for).unwrap();
    let mut samples = samples.to_vec();
    samples.resize(samples.len() + silence_ms as usize * 8, 8);
    let mut heard = vec![];
    for frame in samples.chunks_exact(FRAME_TICKS) {
        if let Some(what) = detector.feed(frame.try_into().unwrap()) {
            heard.push((what, detector.listened_ms()));
        }
    }
    heard
}

fn kinds(heard: &[(HeardKind, u32)]) -> Vec<HeardKind> {
    heard.iter().map(|(what, _)| *what).collect()
}

const OFF: [f32; 2] = [0.0, 0.0];

#[test]
fn silence_is_told_when_the_time_is_over() {
    assert_eq!(hear(ListenFor::Answer, &[], 5_000), [(HeardKind::Silence, DECIDE_MS_MAX)]);
    assert_eq!(hear(ListenFor::Tones, &[], 60_000), []);
    assert!(Detector::new(ListenFor::Stop).is_none());
}

#[test]
fn busy_and_congestion_are_heard_before_and_after_the_answer() {
    for (on_ms, limit_ms) in [(350, 1_700), (300, 1_500), (400, 2_000), (175, 1_000), (500, 2_300)] {
        let tone = pattern(&[([425.0, 0.0], on_ms), (OFF, on_ms)].repeat(6));
        for listen_for in [ListenFor::Tones, ListenFor::Answer] {
            let heard = hear(listen_for, &tone, 0);
            assert_eq!(kinds(&heard), [HeardKind::Busy], "{on_ms} {listen_for:?}");
            assert!(heard[0].1 <= limit_ms, "{on_ms}: {heard:?}");
        }
    }
}

#[test]
fn the_ringing_tone_is_not_busy() {
    for (on_ms, off_ms) in [(1_000, 4_000), (800, 3_200)] {
        let tone = pattern(&[([425.0, 0.0], on_ms), (OFF, off_ms)].repeat(6));
        assert_eq!(hear(ListenFor::Tones, &tone, 0), [], "{on_ms}/{off_ms}");
    }
}

#[test]
fn an_intercept_is_heard_with_the_deviations_of_networks() {
    for tones in [[950.0, 1_400.0, 1_800.0], [913.8, 1_370.6, 1_776.7], [985.2, 1_428.5, 1_776.7]] {
        for pause_ms in [0, 30] {
            let parts: Vec<_> = tones.iter().flat_map(|hz| [([*hz, 0.0], 330), (OFF, pause_ms)]).collect();
            assert_eq!(kinds(&hear(ListenFor::Answer, &pattern(&parts), 0)), [HeardKind::Intercept], "{tones:?}");
        }
    }
    let falling = pattern(&[([1_800.0, 0.0], 330), ([1_400.0, 0.0], 330), ([950.0, 0.0], 330)]);
    assert!(!kinds(&hear(ListenFor::Tones, &falling, 0)).contains(&HeardKind::Intercept));
}

#[test]
fn faxes_are_heard() {
    let cng = pattern(&[(OFF, 300), ([1_100.0, 0.0], 500)]);
    let ced = pattern(&[(OFF, 1_800), ([2_100.0, 0.0], 2_600)]);
    assert_eq!(hear(ListenFor::Answer, &cng, 3_000).first().unwrap().0, HeardKind::Fax);
    assert_eq!(kinds(&hear(ListenFor::Answer, &ced, 0)), [HeardKind::Fax]);
    assert_eq!(hear(ListenFor::Tones, &ced, 0), [], "not before the answer");
}

#[test]
fn a_machine_that_only_beeps() {
    let beep = pattern(&[(OFF, 400), ([1_000.0, 0.0], 300)]);
    assert_eq!(kinds(&hear(ListenFor::Answer, &beep, 3_000)), [HeardKind::Machine, HeardKind::Beep]);
}
