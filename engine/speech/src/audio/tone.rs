//! Tones: the named ones of the Russian network (425 Hz) and an author's own.

use std::f64::consts::TAU;
use std::str::FromStr;

use super::{Clip, SAMPLE_RATE_HZ, to_i16};
use crate::error::shortened;

/// Steps of one tone.
const STEPS_MAX: usize = 16;
/// Length of one tone.
const TONE_MS_MAX: u32 = 30_000;
/// What a telephone line carries.
const FREQUENCY_HZ: std::ops::RangeInclusive<u32> = 200..=3_400;
/// Of full scale, both frequencies together: about -12 dBm0, a network tone's level.
const AMPLITUDE: f64 = 0.25;
/// Fade at both ends of a step, against clicks.
const FADE_SAMPLES: usize = SAMPLE_RATE_HZ as usize / 200;

/// A tone: steps of up to two frequencies and a length.
///
/// Named: `beep`, `dial`, `ringback`, `busy`, `congestion`, `sit`: one period each, for the player to repeat.
/// One's own: `425/350,0/350` is 425 Hz for 350 ms, then 350 ms of nothing; `350+440/1000` is two at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToneSpec {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    /// 0 is none.
    frequencies_hz: [u32; 2],
    ms: u32,
}

const NAMED: [(&str, &str); 6] = [
    ("beep", "1000/300"),
    ("dial", "425/3000"),
    ("ringback", "425/1000,0/4000"),
    ("busy", "425/350,0/350"),
    ("congestion", "425/175,0/175"),
    ("sit", "950/330,1400/330,1800/330,0/1000"),
];

impl FromStr for ToneSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let written = NAMED.iter().find(|(name, _)| *name == text).map_or(text, |(_, steps)| steps);
        let refused = || {
            format!(
                "`{}` is not a tone: name one of beep, dial, ringback, busy, congestion, sit, or write steps of Hz/ms such as \
                 425/350,0/350 (200 to 3400 Hz, at most {STEPS_MAX} steps and {TONE_MS_MAX} ms)",
                shortened(text)
            )
        };
        let steps: Vec<Step> =
            written.split(',').take(STEPS_MAX + 1).map(step).collect::<Option<_>>().ok_or_else(refused)?;
        let total_ms = steps.iter().fold(0_u32, |sum, step| sum.saturating_add(step.ms));
        if steps.len() > STEPS_MAX || total_ms == 0 || total_ms > TONE_MS_MAX {
            return Err(refused());
        }
        Ok(Self { steps })
    }
}

fn step(text: &str) -> Option<Step> {
    let (frequencies, ms) = text.trim().split_once('/')?;
    let ms = ms.parse().ok().filter(|ms| *ms > 0)?;
    let (first, second) = frequencies.split_once('+').unwrap_or((frequencies, "0"));
    let frequencies_hz: [u32; 2] = [first.parse().ok()?, second.parse().ok()?];
    let carried = frequencies_hz.iter().all(|hz| *hz == 0 || FREQUENCY_HZ.contains(hz));
    carried.then_some(Step { frequencies_hz, ms })
}

impl ToneSpec {
    /// The tone's sound.
    pub(crate) fn clip(&self) -> Clip {
        let mut samples = Vec::new();
        for step in &self.steps {
            step.append(&mut samples);
        }
        Clip::new(samples)
    }
}

impl Step {
    fn append(self, samples: &mut Vec<i16>) {
        let sounding = self.frequencies_hz.iter().filter(|hz| **hz > 0).count();
        let count = self.ms as usize * SAMPLE_RATE_HZ as usize / 1000;
        let Some(share) = u32::try_from(sounding)
            .ok()
            .filter(|sounding| *sounding > 0)
            .map(|sounding| AMPLITUDE / f64::from(sounding))
        else {
            samples.resize(samples.len() + count, 0);
            return;
        };
        for n in 0..count {
            #[expect(clippy::cast_precision_loss, reason = "at most 30 s of samples")]
            let (seconds, fade) =
                (n as f64 / f64::from(SAMPLE_RATE_HZ), (n.min(count - 1 - n) as f64 / FADE_SAMPLES as f64).min(1.0));
            let sum: f64 =
                self.frequencies_hz.iter().filter(|hz| **hz > 0).map(|hz| (TAU * f64::from(*hz) * seconds).sin()).sum();
            #[expect(clippy::cast_possible_truncation, reason = "f32 holds 16 bits of audio")]
            let sample = (sum * share * fade) as f32;
            samples.push(to_i16(sample));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_have_their_length_pitch_and_level() {
        let busy = "busy".parse::<ToneSpec>().unwrap().clip();
        assert_eq!(busy.duration_ms(), 700);
        let (tone, pause) = busy.samples().split_at(5_600);
        let periods = tone.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((147..=149).contains(&periods), "{periods} periods of 425 Hz in 350 ms");
        let peak = tone.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((8_000..=8_192).contains(&peak), "{peak}");
        assert!(pause.iter().all(|sample| *sample == 0));
        assert_eq!("350+440/1000".parse::<ToneSpec>().unwrap().clip().duration_ms(), 1000);
        assert_eq!(
            "ringback".parse::<ToneSpec>().unwrap().clip().key(),
            "425/1000,0/4000".parse::<ToneSpec>().unwrap().clip().key()
        );
    }

    #[test]
    fn what_no_line_carries_is_refused() {
        let long = vec!["425/1"; 17].join(",");
        for bad in [
            "",
            "bang",
            "425",
            "425/",
            "/350",
            "425/0",
            "100/100",
            "3401/100",
            "425/30001",
            "425/20000,425/20000",
            "1+2+3/5",
            "-425/10",
            &long,
        ] {
            assert!(bad.parse::<ToneSpec>().is_err(), "{bad}");
        }
    }
}
