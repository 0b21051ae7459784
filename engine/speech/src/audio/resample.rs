//! Any rate to 16 kHz. Quality over speed: it happens once a clip, off the call's path.

use rubato::{FftFixedIn, Resampler};

use super::SAMPLE_RATE_HZ;

/// Frames handled at a time.
const CHUNK_FRAMES: usize = 1024;

/// Resamples one channel; length and start stay where they were.
pub(super) fn resample(samples: Vec<f32>, from_hz: u32) -> Result<Vec<f32>, String> {
    if from_hz == SAMPLE_RATE_HZ {
        return Ok(samples);
    }
    let mut resampler = FftFixedIn::<f32>::new(from_hz as usize, SAMPLE_RATE_HZ as usize, CHUNK_FRAMES, 1, 1)
        .map_err(|error| error.to_string())?;
    let delay = resampler.output_delay();
    let rounded = (samples.len() as u64 * u64::from(SAMPLE_RATE_HZ) + u64::from(from_hz) / 2) / u64::from(from_hz);
    let wanted = usize::try_from(rounded).map_err(|error| error.to_string())?;

    let mut out = Vec::with_capacity(wanted + delay + CHUNK_FRAMES);
    let mut rest = samples.as_slice();
    // The filter of an odd rate holds up to a second and more: it is fed silence until all has come out, but not for ever.
    let rounds_max = (samples.len() + 4 * from_hz as usize) / CHUNK_FRAMES + 16;
    for _ in 0..rounds_max {
        if out.len() >= wanted + delay {
            break;
        }
        let take = resampler.input_frames_next();
        let produced = if rest.len() >= take {
            let (chunk, tail) = rest.split_at(take);
            rest = tail;
            resampler.process(&[chunk], None)
        } else {
            // The last frames, then nothing: what the filter still holds comes out.
            let chunk = std::mem::take(&mut rest);
            let last = [chunk];
            resampler.process_partial((!chunk.is_empty()).then_some(last.as_slice()), None)
        };
        let [produced] = produced.map_err(|error| error.to_string())?.try_into().unwrap_or_default();
        out.extend(produced);
    }
    if out.len() < wanted + delay {
        return Err("the resampler stopped early".to_owned());
    }
    out.drain(..delay);
    out.truncate(wanted);
    Ok(out)
}
