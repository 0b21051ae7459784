//! Writes the benchmark's recordings: tone sweeps whose every 20 ms differ, so that a lost or doubled packet is heard.
//! The same bytes every time. `clips FOLDER`

use std::f64::consts::TAU;
use std::path::PathBuf;

const RATE_HZ: u32 = 8_000;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder)?;
    for (name, seconds, pitch_hz) in [("p1", 1, 660.0), ("p3", 3, 440.0), ("p30", 30, 330.0)] {
        std::fs::write(folder.join(format!("{name}.wav")), wav(seconds, pitch_hz))?;
    }
    Ok(())
}

fn wav(seconds: u32, pitch_hz: f64) -> Vec<u8> {
    let samples = (0..RATE_HZ * seconds).flat_map(|index| sample(f64::from(index), pitch_hz).to_le_bytes());
    let bytes = RATE_HZ * seconds * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    // PCM, one channel
    wav.extend(1u16.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend(RATE_HZ.to_le_bytes());
    wav.extend((RATE_HZ * 2).to_le_bytes());
    wav.extend(2u16.to_le_bytes());
    wav.extend(16u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    wav.extend(samples);
    wav
}

#[expect(clippy::cast_possible_truncation, reason = "at most 9,000 either way")]
fn sample(index: f64, pitch_hz: f64) -> i16 {
    let at = |hz: f64| (TAU * hz * index / f64::from(RATE_HZ)).sin();
    let pitch_hz = pitch_hz * (1.0 + 0.3 * at(0.7));
    (9_000.0 * at(pitch_hz) * (0.6 + 0.4 * at(3.0))) as i16
}
