//! Tones that mean something: of the network (ITU-T E.180) and of faxes (ITU-T T.30, V.25).

use super::HeardKind;
use super::tone::{Burst, ToneEar};

/// Busy and congestion: one frequency, on and off for the same time. Russia's busy is 350 ms, its congestion 175.
const BUSY_HZ: std::ops::RangeInclusive<f32> = 400.0..=450.0;
const BUSY_ON_MS: std::ops::RangeInclusive<u32> = 120..=600;
/// How much bursts and pauses of one cadence differ.
const CADENCE_MS_MAX: u32 = 60;
/// The three tones of special information, with the deviations that networks allow themselves.
const INTERCEPT_HZ: [std::ops::RangeInclusive<f32>; 3] = [890.0..=1_010.0, 1_340.0..=1_460.0, 1_740.0..=1_850.0];
const INTERCEPT_ON_MS: std::ops::RangeInclusive<u32> = 180..=460;
const INTERCEPT_PAUSE_MS_MAX: u32 = 80;
/// How much of the third tone is waited for.
const INTERCEPT_LAST_MS: u32 = 160;
/// A calling fax: 0.5 s, every 3.5 s.
const CNG_HZ: std::ops::RangeInclusive<f32> = 1_062.0..=1_138.0;
const CNG_MS: u32 = 420;
/// An answering fax or modem: 2.6 to 4 s.
const CED_HZ: std::ops::RangeInclusive<f32> = 2_075.0..=2_125.0;
const CED_MS: u32 = 420;

/// Whether a tone may be the busy tone: then its end is no beep's.
pub(super) fn may_be_busy(hz: f32) -> bool {
    BUSY_HZ.contains(&hz)
}

/// The signal that sounds now.
pub(super) fn heard(tones: &ToneEar) -> Option<HeardKind> {
    let now = tones.sounding()?;
    let [.., before, last] = tones.bursts();
    if is_cadence(before, last, &now) {
        return Some(HeardKind::Busy);
    }
    let rising = [before, last, &now];
    let intercept = rising.iter().zip(&INTERCEPT_HZ).all(|(burst, range)| range.contains(&burst.hz))
        && INTERCEPT_ON_MS.contains(&before.ms)
        && INTERCEPT_ON_MS.contains(&last.ms)
        && last.pause_ms <= INTERCEPT_PAUSE_MS_MAX
        && now.pause_ms <= INTERCEPT_PAUSE_MS_MAX
        && now.ms >= INTERCEPT_LAST_MS;
    if intercept {
        return Some(HeardKind::Intercept);
    }
    let fax = (CNG_HZ.contains(&now.hz) && now.ms >= CNG_MS) || (CED_HZ.contains(&now.hz) && now.ms >= CED_MS);
    fax.then_some(HeardKind::Fax)
}

/// Two bursts and the beginning of a third, at one frequency and in one beat.
fn is_cadence(before: &Burst, last: &Burst, now: &Burst) -> bool {
    let near = |a: u32, b: u32| a.abs_diff(b) <= CADENCE_MS_MAX;
    [before, last, now].iter().all(|burst| BUSY_HZ.contains(&burst.hz))
        && BUSY_ON_MS.contains(&before.ms)
        && near(before.ms, last.ms)
        && near(last.pause_ms, now.pause_ms)
        && near(last.ms, last.pause_ms)
}
