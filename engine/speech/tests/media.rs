//! Recordings in every format that authors have: 440 Hz made by sox, files in `tests/data`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use gudok_speech::{LangTag, MediaLibrary, MediaLimits, MediaSource};

#[test]
fn every_format_becomes_the_same_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let files = [
        ("tone.mp3", 250),
        ("tone.ogg", 250),
        ("tone.flac", 250),
        ("alaw.wav", 250),
        ("stereo24.wav", 50),
        ("float.wav", 50),
    ];
    for (file, expected_ms) in files {
        let library = MediaLibrary::load_files(&folder, &[file], &MediaLimits::default()).unwrap();
        let name = file.split('.').next().unwrap();
        let clip = library.recording(name, &LangTag::russian()).unwrap().clip;
        // MP3 comes in frames of 26 ms, and its encoder puts two around the sound.
        assert!(clip.duration_ms().abs_diff(expected_ms) <= 65, "{file}: {} ms", clip.duration_ms());
        let centre = clip.samples().len() / 2;
        let middle = &clip.samples()[centre - 240..centre + 240];
        let periods = middle.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((13..=14).contains(&periods), "{file}: {periods} periods of 440 Hz in 30 ms");
        let peak = middle.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!((10_500..12_800).contains(&peak), "{file}: peak {peak}, not 9 dB below full scale");
    }
}

#[test]
fn a_file_cut_or_bent_anywhere_is_refused_or_taken_but_never_panics() {
    for file in ["tone.mp3", "tone.ogg", "tone.flac", "alaw.wav"] {
        let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)).unwrap();
        for step in 0..60 {
            let at = step * whole.len() / 60;
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            for bytes in [whole[..at].to_vec(), bent] {
                let _ = MediaLibrary::default().add(file, bytes, &MediaLimits::default());
            }
        }
    }
}
