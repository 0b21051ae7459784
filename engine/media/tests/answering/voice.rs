//! Speech, made by espeak-ng and kept under `target/`, so that only the first run pays for it.

use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::dice::Dice;

/// What espeak-ng writes before its samples, and their rate.
const WAV_HEADER_BYTES: usize = 44;
const ESPEAK_HZ: u32 = 22_050;

/// One utterance's recipe.
#[derive(Debug, Clone)]
pub(crate) struct Utterance {
    /// espeak-ng's voice with its variant: `ru+f3`.
    pub(crate) voice: String,
    pub(crate) words_a_minute: u32,
    /// 0 to 99.
    pub(crate) pitch: u32,
    /// Between words, in 10 ms.
    pub(crate) gap: u32,
    pub(crate) text: String,
}

/// Timbres that sound like people.
const VARIANTS: [&str; 24] = [
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "Alex", "Andrea", "adam", "belinda",
    "david", "Denis", "john", "linda", "Michael", "paul", "robert", "steph",
];

impl Utterance {
    /// Somebody's way of saying this, in this language.
    pub(crate) fn by_somebody(dice: &mut Dice, language: &str, text: String, words_a_minute: (f64, f64)) -> Self {
        Self {
            voice: format!("{language}+{}", dice.pick(&VARIANTS)),
            words_a_minute: dice.between(words_a_minute.0, words_a_minute.1) as u32,
            pitch: dice.between(20.0, 80.0) as u32,
            gap: dice.between(0.0, 3.0) as u32,
            text,
        }
    }

    /// The same person says something else.
    pub(crate) fn again(&self, text: String) -> Self {
        Self { text, ..self.clone() }
    }

    /// The speech: 8 kHz, between −1 and 1, without silence before and after.
    pub(crate) fn speak(&self) -> Vec<f32> {
        let path = self.path();
        if let Ok(bytes) = std::fs::read(&path) {
            return bytes
                .chunks_exact(2)
                .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
                .collect();
        }
        let samples = trimmed(&self.synthesise());
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        // Written aside first: another process may read it.
        let part = path.with_extension(format!("{}.part", std::process::id()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(&part, &path).unwrap();
        samples.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
    }

    fn path(&self) -> PathBuf {
        let recipe = format!("{}|{}|{}|{}|{}", self.voice, self.words_a_minute, self.pitch, self.gap, self.text);
        let hash = Sha256::digest(recipe.as_bytes());
        let name: String = hash[..10].iter().map(|byte| format!("{byte:02x}")).collect();
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("answering").join(format!("{name}.s16"))
    }

    fn synthesise(&self) -> Vec<i16> {
        let output = Command::new("espeak-ng")
            .args(["-v", &self.voice, "-s", &self.words_a_minute.to_string(), "-p", &self.pitch.to_string()])
            .args(["-g", &self.gap.to_string(), "--stdout", "--", &self.text])
            .output()
            .expect("espeak-ng speaks: scripts/install-deps installs it");
        assert!(
            output.status.success() && output.stdout.len() > WAV_HEADER_BYTES,
            "espeak-ng: {:?} {self:?}",
            output.status
        );
        let samples: Vec<i16> = output.stdout[WAV_HEADER_BYTES..]
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        audio_codec::resample(&samples, ESPEAK_HZ, 8_000)
    }
}

fn trimmed(samples: &[i16]) -> Vec<i16> {
    let loud = |sample: &i16| sample.unsigned_abs() > 250;
    let from = samples.iter().position(loud).unwrap_or(0);
    let to = samples.iter().rposition(loud).map_or(0, |at| at + 1);
    samples[from..to.max(from)].to_vec()
}
