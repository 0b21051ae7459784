//! Listening to a received stream: jitter buffer, decoder, and something to say for what was lost.

use crate::codec::{Codec, Decoder, FRAME_TICKS};
use crate::jitter::{JitterBuffer, Pulled};
use crate::time::MediaTime;

/// Lost frames in a row that are covered by the fading repetition of the last one.
const CONCEALED_FRAMES_MAX: u32 = 3;

/// A frame of linear audio at 8 kHz.
pub(crate) type Pcm = [i16; FRAME_TICKS];

/// What a frame is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listened {
    /// Heard.
    Audio,
    /// Lost; the frame holds a guess.
    Lost,
    /// Nobody speaks into the stream; the frame is silent.
    Idle,
}

/// Turns packets into a frame of linear audio at each tick.
pub(crate) struct Listener {
    codec: Codec,
    jitter: JitterBuffer,
    decoder: Decoder,
    last: Pcm,
    lost_frames: u32,
}

impl Listener {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            jitter: JitterBuffer::new(),
            decoder: Decoder::new(codec),
            last: [0; FRAME_TICKS],
            lost_frames: 0,
        }
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether there will be nothing to hear until another packet comes.
    pub(crate) fn is_idle(&self) -> bool {
        self.jitter.is_idle()
    }

    pub(crate) fn push(&mut self, now: MediaTime, timestamp: u32, payload: &[u8]) {
        self.jitter.push(now.ticks(), timestamp, payload);
    }

    /// Another source begins: its clock has nothing to do with the last one's.
    pub(crate) fn reset(&mut self) {
        self.jitter.reset();
    }

    /// The next 20 ms.
    pub(crate) fn pull(&mut self, pcm: &mut Pcm) -> Listened {
        let mut bytes = *self.codec.silence();
        match self.jitter.pull(&mut bytes) {
            Pulled::Audio | Pulled::Partial => {
                self.decoder.decode(&bytes, pcm);
                self.last = *pcm;
                self.lost_frames = 0;
                Listened::Audio
            }
            Pulled::Missing => {
                self.lost_frames += 1;
                if self.lost_frames > CONCEALED_FRAMES_MAX {
                    self.last = [0; FRAME_TICKS];
                }
                self.last.iter_mut().for_each(|sample| *sample /= 2);
                *pcm = self.last;
                Listened::Lost
            }
            Pulled::Idle => {
                *pcm = [0; FRAME_TICKS];
                Listened::Idle
            }
        }
    }
}
