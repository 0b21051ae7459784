//! The jitter buffer, used only where audio is listened to: in-band digits, recording, transcoding.
//!
//! A ring of bytes addressed by RTP timestamp. As a byte is a tick in every codec here, packets of any length fill it
//! and frames of 20 ms are drawn from it. Which milliseconds are there is kept in a bitmap, so a packet that comes
//! late, twice or in another order just lands in its place.

#![expect(clippy::cast_possible_truncation, reason = "lengths of packets and frames, and the modular clock of RTP")]

use crate::codec::{FRAME_TICKS, TICKS_PER_MS};

/// The ring: 512 ms.
const RING_TICKS: usize = 4_096;
const RING_MS: usize = RING_TICKS / TICKS_PER_MS;
/// Milliseconds of a frame.
const FRAME_MS: usize = FRAME_TICKS / TICKS_PER_MS;
/// The least and the most audio held back against jitter.
const DELAY_MS_MIN: u32 = 40;
const DELAY_MS_MAX: u32 = 240;
/// Frames over which the least fill is observed before surplus delay is dropped.
const OBSERVED_FRAMES: u32 = 100;
/// Surplus that is tolerated before a frame is dropped to catch up.
const SURPLUS_MS_MAX: u32 = 40;
/// Empty frames after which the stream counts as paused, and starts anew with a full delay.
const EMPTY_FRAMES_MAX: u32 = 10;
/// Packets in a row behind the play-out point that mean the clock of the sender has moved.
const LATE_PACKETS_MAX: u8 = 8;

/// What a pull gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// A frame of audio.
    Audio,
    /// A frame of which some was lost; what is missing is left untouched in the output.
    Partial,
    /// A frame that was lost.
    Missing,
    /// Nothing: the stream has not begun, is filling up, or has paused.
    Idle,
}

/// See the module's documentation.
pub(crate) struct JitterBuffer {
    ring: Box<[u8; RING_TICKS]>,
    present: [u64; RING_MS / 64],
    /// Timestamp of the next tick to draw; meaningful while `running` or `primed`.
    read: u32,
    /// Timestamp behind the newest tick.
    newest: u32,
    state: State,
    jitter_ticks: u32,
    transit: Option<u32>,
    late_in_row: u8,
    frames_observed: u32,
    fill_least_ticks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No stream.
    Empty,
    /// Filling up to the delay; so many frames have been asked for meanwhile.
    Filling {
        frames: u32,
    },
    Running {
        empty_frames: u32,
    },
}

impl JitterBuffer {
    pub(crate) fn new() -> Self {
        Self {
            ring: Box::new([0; RING_TICKS]),
            present: [0; RING_MS / 64],
            read: 0,
            newest: 0,
            state: State::Empty,
            jitter_ticks: 0,
            transit: None,
            late_in_row: 0,
            frames_observed: 0,
            fill_least_ticks: u32::MAX,
        }
    }

    /// Forgets the stream: another source, another codec, a resumed call.
    pub(crate) fn reset(&mut self) {
        self.state = State::Empty;
        self.present = [0; RING_MS / 64];
        self.transit = None;
        self.late_in_row = 0;
    }

    /// Whether a pull would give nothing but `Idle` until the next packet.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Empty
    }

    /// Takes a packet that arrived at `arrival_ticks` of the local 8 kHz clock.
    pub(crate) fn push(&mut self, arrival_ticks: u32, timestamp: u32, payload: &[u8]) {
        let length = payload.len().min(RING_TICKS / 2);
        if length == 0 {
            return;
        }
        self.observe_jitter(arrival_ticks, timestamp);
        if self.state == State::Empty {
            self.start(timestamp);
        }
        let ahead = timestamp.wrapping_sub(self.read).cast_signed();
        if ahead < 0 {
            self.late_in_row += 1;
            if self.late_in_row < LATE_PACKETS_MAX {
                return;
            }
            self.start(timestamp);
        } else if ahead.cast_unsigned() as usize + length > RING_TICKS {
            // The sender jumped, or nobody drew for half a second.
            self.start(timestamp);
        }
        self.late_in_row = 0;
        self.write(timestamp, &payload[..length]);
    }

    /// Draws the next 20 ms.
    pub(crate) fn pull(&mut self, out: &mut [u8; FRAME_TICKS]) -> Pulled {
        match self.state {
            State::Empty => return Pulled::Idle,
            State::Filling { frames } => {
                let waited_ms = frames * FRAME_MS as u32;
                if self.fill_ticks() < self.delay_ms() * TICKS_PER_MS as u32 && waited_ms < self.delay_ms() {
                    self.state = State::Filling { frames: frames + 1 };
                    return Pulled::Idle;
                }
                self.state = State::Running { empty_frames: 0 };
            }
            State::Running { .. } => {}
        }
        self.drop_surplus();
        let present_ms = self.draw(out);
        let empty_frames = match self.state {
            State::Running { empty_frames } if present_ms == 0 => empty_frames + 1,
            _ => 0,
        };
        if empty_frames > EMPTY_FRAMES_MAX {
            self.reset();
            return Pulled::Idle;
        }
        self.state = State::Running { empty_frames };
        match present_ms {
            FRAME_MS => Pulled::Audio,
            0 => Pulled::Missing,
            _ => Pulled::Partial,
        }
    }

    /// How long audio is held back at this jitter.
    fn delay_ms(&self) -> u32 {
        (20 + 3 * self.jitter_ticks / TICKS_PER_MS as u32).clamp(DELAY_MS_MIN, DELAY_MS_MAX)
    }

    fn fill_ticks(&self) -> u32 {
        u32::try_from(self.newest.wrapping_sub(self.read).cast_signed()).unwrap_or(0)
    }

    fn start(&mut self, timestamp: u32) {
        self.present = [0; RING_MS / 64];
        self.read = timestamp;
        self.newest = timestamp;
        self.state = State::Filling { frames: 0 };
        self.frames_observed = 0;
        self.fill_least_ticks = u32::MAX;
    }

    fn write(&mut self, timestamp: u32, payload: &[u8]) {
        for (n, byte) in payload.iter().enumerate() {
            let tick = timestamp.wrapping_add(n as u32) as usize % RING_TICKS;
            self.ring[tick] = *byte;
        }
        // A millisecond counts as present if its first tick is; packets begin and end on whole ones.
        for n in (0..payload.len()).step_by(TICKS_PER_MS) {
            let ms = timestamp.wrapping_add(n as u32) as usize % RING_TICKS / TICKS_PER_MS;
            self.present[ms / 64] |= 1 << (ms % 64);
        }
        let end = timestamp.wrapping_add(payload.len() as u32);
        if end.wrapping_sub(self.newest).cast_signed() > 0 {
            self.newest = end;
        }
    }

    /// Copies what is there of the next frame and moves on; the number of milliseconds that were there.
    fn draw(&mut self, out: &mut [u8; FRAME_TICKS]) -> usize {
        let mut present_ms = 0;
        for (n, chunk) in out.chunks_exact_mut(TICKS_PER_MS).enumerate() {
            let from = self.read.wrapping_add((n * TICKS_PER_MS) as u32);
            let ms = from as usize % RING_TICKS / TICKS_PER_MS;
            let bit = 1 << (ms % 64);
            if self.present[ms / 64] & bit == 0 {
                continue;
            }
            self.present[ms / 64] &= !bit;
            present_ms += 1;
            for (k, byte) in chunk.iter_mut().enumerate() {
                *byte = self.ring[from.wrapping_add(k as u32) as usize % RING_TICKS];
            }
        }
        self.read = self.read.wrapping_add(FRAME_TICKS as u32);
        present_ms
    }

    /// If for two seconds more was held back than jitter asks for, leave a frame out: the sender's clock is faster, or
    /// a burst came after a stall.
    fn drop_surplus(&mut self) {
        self.fill_least_ticks = self.fill_least_ticks.min(self.fill_ticks());
        self.frames_observed += 1;
        if self.frames_observed < OBSERVED_FRAMES {
            return;
        }
        let wanted_ticks = (self.delay_ms() + SURPLUS_MS_MAX) * TICKS_PER_MS as u32;
        if self.fill_least_ticks > wanted_ticks && self.fill_least_ticks != u32::MAX {
            self.draw(&mut [0; FRAME_TICKS]);
        }
        self.frames_observed = 0;
        self.fill_least_ticks = u32::MAX;
    }

    fn observe_jitter(&mut self, arrival_ticks: u32, timestamp: u32) {
        let transit = arrival_ticks.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let deviation = transit.wrapping_sub(before).cast_signed().unsigned_abs().min(RING_TICKS as u32);
            // Quick to rise, slow to fall.
            self.jitter_ticks = if deviation > self.jitter_ticks {
                self.jitter_ticks + (deviation - self.jitter_ticks) / 4
            } else {
                self.jitter_ticks - (self.jitter_ticks - deviation) / 32
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Plays packets (arrival in ms, number of the 20 ms packet) and gives the numbers heard, one for each 20 ms.
    fn play(packets: &[(u32, u32)], until_ms: u32) -> Vec<Option<u32>> {
        let mut arriving = packets.to_vec();
        arriving.sort_unstable();
        let mut arriving = arriving.into_iter().peekable();
        let mut buffer = JitterBuffer::new();
        let mut heard = vec![];
        for now_ms in (0..until_ms).step_by(20) {
            while let Some((at_ms, number)) = arriving.next_if(|(at_ms, _)| *at_ms <= now_ms) {
                buffer.push(at_ms * 8, 5_000u32.wrapping_add(number * 160), &[number as u8; 160]);
            }
            let mut out = [255; FRAME_TICKS];
            match buffer.pull(&mut out) {
                Pulled::Idle => {}
                Pulled::Missing | Pulled::Partial => heard.push(None),
                Pulled::Audio => {
                    assert!(out.iter().all(|byte| *byte == out[0]));
                    heard.push(Some(u32::from(out[0])));
                }
            }
        }
        heard
    }

    fn numbers(heard: &[Option<u32>]) -> Vec<u32> {
        heard.iter().copied().flatten().collect()
    }

    #[test]
    fn a_steady_stream_is_heard_whole_after_a_short_delay() {
        let packets: Vec<_> = (0..100).map(|n| (n * 20, n)).collect();
        let heard = play(&packets, 2_200);
        assert_eq!(numbers(&heard), (0..100).collect::<Vec<_>>());
        assert!(heard[..100].iter().all(Option::is_some));
    }

    #[test]
    fn reordering_and_duplication_are_undone() {
        let mut packets: Vec<_> = (0..100).map(|n| (n * 20 + if n % 3 == 0 { 35 } else { 0 }, n)).collect();
        packets.extend(packets.clone());
        let heard = play(&packets, 2_300);
        let numbers = numbers(&heard);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(numbers.len() >= 97, "{} of 100", numbers.len());
    }

    #[test]
    fn loss_is_told_in_its_place() {
        let packets: Vec<_> = (0..20).filter(|n| n % 5 != 4).map(|n| (n * 20, n)).collect();
        let heard = play(&packets, 460);
        for (n, frame) in heard.iter().take(19).enumerate() {
            let n = n as u32;
            assert_eq!(*frame, (n % 5 != 4).then_some(n));
        }
    }

    #[test]
    fn a_paused_stream_goes_idle_and_begins_anew_wherever_its_clock_is() {
        let mut packets: Vec<_> = (0..10).map(|n| (n * 20, n)).collect();
        packets.extend((0..10).map(|n| (5_000 + n * 20, 100 + n)));
        let heard = play(&packets, 6_000);
        assert_eq!(numbers(&heard), (0..10).chain(100..110).collect::<Vec<_>>());
        assert!(heard.len() < 10 + 10 + 2 * 12, "{}", heard.len());
    }

    #[test]
    fn a_faster_sender_does_not_build_up_delay() {
        let mut buffer = JitterBuffer::new();
        // 1 % fast, for two minutes: 1.2 s too much, in a ring of half a second.
        let (mut sent, mut heard) = (0u32, 0u32);
        for frame in 0..6_000u32 {
            while sent * 198 <= frame * 200 {
                buffer.push(sent * 158, sent * 160, &[1; 160]);
                sent += 1;
            }
            let mut out = [0; FRAME_TICKS];
            heard += u32::from(buffer.pull(&mut out) == Pulled::Audio);
            assert!(buffer.fill_ticks() < 250 * 8, "{} ms behind", buffer.fill_ticks() / 8);
        }
        assert!(heard > 5_900, "{heard}");
    }

    #[test]
    fn packets_of_any_length_fill_frames_of_twenty_milliseconds() {
        for ptime_ms in [10u32, 30, 60] {
            let mut buffer = JitterBuffer::new();
            let mut frames = 0;
            for now_ms in (0..3_000u32).step_by(10) {
                if now_ms % ptime_ms == 0 {
                    buffer.push(now_ms * 8, now_ms * 8, &vec![7; ptime_ms as usize * 8]);
                }
                if now_ms % 20 == 0 {
                    frames += u32::from(buffer.pull(&mut [0; FRAME_TICKS]) == Pulled::Audio);
                }
            }
            assert!(frames >= 143, "{ptime_ms} ms: {frames}");
        }
    }

    #[test]
    fn a_bursty_network_is_ridden_out() {
        let mut random = StdRng::seed_from_u64(9);
        let packets: Vec<_> = (0..250).map(|n| (n * 20 + random.random_range(0..50), n)).collect();
        let heard = play(&packets, 5_500);
        assert!(numbers(&heard).len() >= 240, "{}", numbers(&heard).len());
    }

    #[test]
    fn hostile_timestamps_do_no_harm() {
        let mut random = StdRng::seed_from_u64(10);
        let mut buffer = JitterBuffer::new();
        for _ in 0..20_000 {
            let payload = vec![0; random.random_range(0..2_000)];
            buffer.push(random.random(), random.random(), &payload);
            buffer.pull(&mut [0; FRAME_TICKS]);
        }
    }
}
