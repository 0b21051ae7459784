//! The codecs against what the ITU wrote: G.711 exhaustively, G.722 by round trip.

use std::f64::consts::TAU;

use super::*;

/// The level a G.711 code stands for, by the formula of the Recommendation, not by a table.
fn alaw_level(code: u8) -> i32 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

fn ulaw_level(code: u8) -> i32 {
    let code = !code;
    let (exponent, mantissa) = (i32::from(code >> 4 & 7), i32::from(code & 15));
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

fn encode_one(codec: Codec, sample: i16) -> u8 {
    let mut out = [0];
    Encoder::new(codec).encode(&[sample], &mut out);
    out[0]
}

fn decode_one(codec: Codec, byte: u8) -> i32 {
    let mut out = [0];
    Decoder::new(codec).decode(&[byte], &mut out);
    i32::from(out[0])
}

#[test]
fn g711_decodes_every_code_to_the_level_of_the_recommendation() {
    for code in 0..=u8::MAX {
        assert_eq!(decode_one(Codec::Pcma, code), alaw_level(code), "A-law {code:#04x}");
        assert_eq!(decode_one(Codec::Pcmu, code), ulaw_level(code), "µ-law {code:#04x}");
    }
}

/// A sample lies in the quantizing interval of its code: at most half its step from the level. (Not "nearest level":
/// at the edges of segments the decision values of the Recommendation are not midway.)
#[test]
fn g711_encodes_every_sample_into_the_interval_of_the_recommendation() {
    for sample in i16::MIN..=i16::MAX {
        let wanted = i32::from(sample);
        let a = encode_one(Codec::Pcma, sample);
        let step = 16 << ((a ^ 0x55) >> 4 & 7).saturating_sub(1);
        assert!((alaw_level(a) - wanted).abs() <= step / 2, "A-law of {sample}: {}", alaw_level(a));
        let u = encode_one(Codec::Pcmu, sample);
        let step = 8 << (!u >> 4 & 7);
        // Beyond 8159 of 8192 µ-law is overloaded.
        let wanted = wanted.clamp(-32_635, 32_635);
        assert!((ulaw_level(u) - wanted).abs() <= step / 2, "µ-law of {sample}: {}", ulaw_level(u));
    }
}

#[test]
fn g711_codes_survive_a_round_trip() {
    for code in 0..=u8::MAX {
        let a = i16::try_from(alaw_level(code)).unwrap();
        assert_eq!(encode_one(Codec::Pcma, a), code);
        let u = i16::try_from(ulaw_level(code)).unwrap();
        // µ-law has two zeros: the negative one is never sent.
        assert_eq!(encode_one(Codec::Pcmu, u), if code == 0x7f { 0xff } else { code });
    }
}

/// The digital milliwatt: one period of 1 kHz at 0 dBm0, ITU-T G.711 tables 5 and 6.
#[test]
fn the_digital_milliwatt_is_the_published_one() {
    const ALAW: [u8; 8] = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4];
    const ULAW: [u8; 8] = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e];
    // 0 dBm0 is 3.14 dB below the overload point of A-law and 3.17 dB below that of µ-law.
    let below = |overload: f64, db: f64| overload / 10f64.powf(db / 20.0);
    #[expect(clippy::approx_constant, reason = "decibels, not the circle's constant")]
    let (peak_a, peak_u) = (below(32_768.0, 3.14), below(4.0 * 8_159.0, 3.17));
    for (codec, published, peak) in [(Codec::Pcma, ALAW, peak_a), (Codec::Pcmu, ULAW, peak_u)] {
        for (n, code) in published.into_iter().enumerate() {
            let phase = TAU * (n as f64 + 0.5) / 8.0;
            // The published period begins with the negative half-wave.
            let sample = (-peak * phase.sin()) as i16;
            assert_eq!(encode_one(codec, sample), code, "{codec:?} sample {n}");
        }
    }
}

fn tone(frequency_hz: f64, sample_rate: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| (8_000.0 * (TAU * frequency_hz * n as f64 / sample_rate).sin()) as i16).collect()
}

/// Signal to noise in decibels at the delay that fits best (the QMF delays by some samples).
fn snr_db(sent: &[i16], heard: &[i16]) -> f64 {
    let settle = 400;
    (0..40)
        .map(|delay| {
            let (mut signal, mut noise) = (0.0, 0.0);
            for n in settle..sent.len() - delay {
                let (s, h) = (f64::from(sent[n]), f64::from(heard[n + delay]));
                signal += s * s;
                noise += (s - h) * (s - h);
            }
            10.0 * (signal / noise.max(1.0)).log10()
        })
        .fold(f64::MIN, f64::max)
}

#[test]
fn g722_narrowband_round_trip_keeps_the_signal() {
    for frequency_hz in [300.0, 1_000.0, 2_500.0] {
        let pcm = tone(frequency_hz, 8_000.0, 4_000);
        let mut bytes = vec![0; pcm.len()];
        Encoder::new(Codec::G722).encode(&pcm, &mut bytes);
        let mut heard = vec![0; pcm.len()];
        Decoder::new(Codec::G722).decode(&bytes, &mut heard);
        // The filters delay by a fraction of a sample, so the tone is looked for, not the waveform.
        let heard = &heard[800..];
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (n, sample) in heard.iter().enumerate() {
            let (sin, cos) = (TAU * frequency_hz * n as f64 / 8_000.0).sin_cos();
            re += f64::from(*sample) * cos;
            im += f64::from(*sample) * sin;
            energy += f64::from(*sample).powi(2);
        }
        let tone = 2.0 * (re * re + im * im) / heard.len() as f64;
        let snr = 10.0 * (tone / (energy - tone)).log10();
        assert!(snr > 25.0, "{frequency_hz} Hz: {snr:.1} dB");
        let level_db = 10.0 * (tone / heard.len() as f64 / (8_000.0f64.powi(2) / 2.0)).log10();
        assert!(level_db.abs() < 0.5, "{frequency_hz} Hz: {level_db:.2} dB");
    }
}

#[test]
fn g722_wideband_round_trip_keeps_what_g711_cannot_carry() {
    for frequency_hz in [1_000.0, 3_000.0, 5_500.0] {
        let pcm = tone(frequency_hz, 16_000.0, 8_000);
        let bytes = encode_g722_wideband(&pcm);
        assert_eq!(bytes.len(), pcm.len() / 2);
        let mut heard = vec![0; pcm.len()];
        let mut decoder = G722Decoder::with_options(Bitrate::Mode1_64000, false, false);
        decoder.decode_into(&bytes, &mut heard).unwrap();
        let snr = snr_db(&pcm, &heard);
        assert!(snr > 12.0, "{frequency_hz} Hz: {snr:.1} dB");
    }
}

#[test]
fn wideband_g722_is_heard_by_a_narrowband_decoder() {
    let wide = tone(1_000.0, 16_000.0, 8_000);
    let mut heard = vec![0; 4_000];
    Decoder::new(Codec::G722).decode(&encode_g722_wideband(&wide), &mut heard);
    let power = |pcm: &[i16]| pcm.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / pcm.len() as f64;
    let ratio_db = 10.0 * (power(&heard[800..]) / power(&wide[1_600..])).log10();
    assert!(ratio_db.abs() < 1.5, "{ratio_db:.2} dB");
}

#[test]
fn silence_is_silent() {
    for codec in Codec::ALL {
        let mut pcm = [0; FRAME_TICKS];
        let mut decoder = Decoder::new(codec);
        for _ in 0..10 {
            decoder.decode(codec.silence(), &mut pcm);
        }
        assert!(pcm.iter().all(|sample| sample.abs() <= 24), "{codec:?} {pcm:?}");
    }
}
