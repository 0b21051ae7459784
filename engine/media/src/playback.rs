//! Playlists and their playing: a position in pre-encoded audio.

use std::sync::Arc;

use crate::clip::Clip;
use crate::codec::{Codec, FRAME_TICKS, TICKS_PER_MS};
use crate::digit::{Digit, KeySet};
use crate::error::MediaError;
use crate::event::PlaybackId;

/// The most items of a playlist. A text is cut into segments; a thousand is more than any.
pub const PLAYLIST_ITEMS_MAX: usize = 1_024;
/// The longest silence inside a playlist.
pub const SILENCE_MS_MAX: u32 = 60_000;

/// One item of a playlist.
#[derive(Debug, Clone)]
pub enum PlayItem {
    /// A clip.
    Clip(Arc<Clip>),
    /// Silence, sent as packets.
    Silence {
        /// Its length; at most [`SILENCE_MS_MAX`].
        ms: u32,
    },
    /// A tone of one or two frequencies.
    Tone {
        /// Frequencies in hertz; 0 leaves one out.
        frequencies_hz: [f32; 2],
        /// Its length; at most [`crate::TONE_DURATION_MS_MAX`].
        ms: u32,
    },
}

/// What to play, one item after another without a gap.
#[derive(Debug, Clone, Default)]
pub struct Playlist {
    /// The items.
    pub items: Vec<PlayItem>,
    /// Start again after the last item, for ever: music on hold.
    pub repeat_forever: bool,
}

impl Playlist {
    /// A playlist of one clip.
    #[must_use]
    pub fn clip(clip: Arc<Clip>) -> Self {
        Self { items: vec![PlayItem::Clip(clip)], repeat_forever: false }
    }
}

/// Which digits stop a playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BargeIn {
    /// None: the text is heard to its end.
    #[default]
    None,
    /// Any digit.
    AnyDigit,
    /// These digits.
    Keys(KeySet),
}

impl BargeIn {
    pub(crate) const fn stops_at(self, digit: Digit) -> bool {
        match self {
            Self::None => false,
            Self::AnyDigit => true,
            Self::Keys(keys) => keys.contains(digit),
        }
    }
}

/// An item ready for a pacer.
#[derive(Debug, Clone)]
enum Segment {
    Clip(Arc<Clip>),
    Silence { ticks: usize },
}

impl Segment {
    fn ticks(&self) -> usize {
        match self {
            Self::Clip(clip) => clip.ticks(),
            Self::Silence { ticks } => *ticks,
        }
    }
}

/// A playlist made ready: tones rendered, and encoded for a codec by whoever calls [`Program::encode`].
#[derive(Debug)]
pub(crate) struct Program {
    segments: Vec<Segment>,
    ticks: u64,
    repeat_forever: bool,
}

impl Program {
    pub(crate) fn new(playlist: &Playlist) -> Result<Self, MediaError> {
        if playlist.items.len() > PLAYLIST_ITEMS_MAX {
            return Err(MediaError::InvalidRequest(
                "a playlist has at most 1,024 items; join clips or play it in parts",
            ));
        }
        let segments = playlist.items.iter().map(segment).collect::<Result<Vec<_>, _>>()?;
        let ticks: u64 = segments.iter().map(|segment| segment.ticks() as u64).sum();
        if playlist.repeat_forever && ticks == 0 {
            return Err(MediaError::InvalidRequest("an empty playlist cannot repeat for ever; give it a clip"));
        }
        Ok(Self { segments, ticks, repeat_forever: playlist.repeat_forever })
    }

    /// Encodes what is not encoded yet. May take long; never called by a pacer.
    pub(crate) fn encode(&self, codec: Codec) {
        for segment in &self.segments {
            if let Segment::Clip(clip) = segment {
                let _ = clip.encoded(codec);
            }
        }
    }
}

fn segment(item: &PlayItem) -> Result<Segment, MediaError> {
    match item {
        PlayItem::Clip(clip) => Ok(Segment::Clip(Arc::clone(clip))),
        PlayItem::Silence { ms } if *ms <= SILENCE_MS_MAX => {
            Ok(Segment::Silence { ticks: *ms as usize * TICKS_PER_MS })
        }
        PlayItem::Silence { .. } => Err(MediaError::InvalidRequest("a silence lasts at most a minute; pause instead")),
        PlayItem::Tone { frequencies_hz, ms } => Ok(Segment::Clip(Arc::new(Clip::tone(*frequencies_hz, *ms)?))),
    }
}

/// A program being played.
#[derive(Debug)]
pub(crate) struct Playback {
    pub(crate) id: PlaybackId,
    pub(crate) barge_in: BargeIn,
    pub(crate) paused: bool,
    program: Arc<Program>,
    segment: usize,
    /// Ticks into the segment.
    offset: usize,
    played_ticks: u64,
}

impl Playback {
    pub(crate) const fn new(id: PlaybackId, program: Arc<Program>, barge_in: BargeIn) -> Self {
        Self { id, barge_in, paused: false, program, segment: 0, offset: 0, played_ticks: 0 }
    }

    /// Fills a frame with what comes next, padding the end with silence. False if there was nothing left.
    pub(crate) fn fill(&mut self, codec: Codec, out: &mut [u8; FRAME_TICKS]) -> bool {
        let mut filled = 0;
        while filled < FRAME_TICKS {
            let Some(segment) = self.program.segments.get(self.segment) else {
                if !self.program.repeat_forever {
                    break;
                }
                self.segment = 0;
                continue;
            };
            let left = segment.ticks().saturating_sub(self.offset);
            let take = left.min(FRAME_TICKS - filled);
            if take == 0 {
                (self.segment, self.offset) = (self.segment + 1, 0);
                continue;
            }
            let into = &mut out[filled..filled + take];
            match segment {
                // A codec that changed in mid-play is encoded by the caller of `configure` before this is asked.
                Segment::Clip(clip) => match clip.encoded_if_ready(codec) {
                    Some(bytes) => into.copy_from_slice(&bytes[self.offset..self.offset + take]),
                    None => into.copy_from_slice(&codec.silence()[..take]),
                },
                Segment::Silence { .. } => into.copy_from_slice(&codec.silence()[..take]),
            }
            self.offset += take;
            filled += take;
        }
        out[filled..].copy_from_slice(&codec.silence()[filled..]);
        self.played_ticks += filled as u64;
        filled > 0
    }

    /// Encodes the program here and now: right for a single digit, and for nothing longer.
    pub(crate) fn encode_now(&self, codec: Codec) {
        self.program.encode(codec);
    }

    /// What was played so far, in milliseconds, rounded to the nearest.
    pub(crate) const fn played_ms(&self) -> u64 {
        (self.played_ticks + TICKS_PER_MS as u64 / 2) / TICKS_PER_MS as u64
    }

    /// Goes to a place in the program, counted from its beginning; behind its end if it is shorter.
    pub(crate) fn seek(&mut self, to_ms: u64) {
        let mut ticks = to_ms.saturating_mul(TICKS_PER_MS as u64);
        if self.program.repeat_forever {
            ticks %= self.program.ticks.max(1);
        }
        self.segment = 0;
        self.offset = 0;
        for segment in &self.program.segments {
            let length = segment.ticks() as u64;
            if ticks < length {
                self.offset = usize::try_from(ticks).unwrap_or(usize::MAX);
                return;
            }
            ticks -= length;
            self.segment += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(samples: Vec<i16>) -> Arc<Clip> {
        Arc::new(Clip::from_pcm(8_000, samples).unwrap())
    }

    fn playback(items: Vec<PlayItem>, repeat_forever: bool) -> Playback {
        let program = Program::new(&Playlist { items, repeat_forever }).unwrap();
        program.encode(Codec::Pcmu);
        Playback::new(PlaybackId(1), Arc::new(program), BargeIn::None)
    }

    fn play(playback: &mut Playback, frames_max: usize) -> Vec<u8> {
        let mut bytes = vec![];
        let mut frame = [0; FRAME_TICKS];
        for _ in 0..frames_max {
            if !playback.fill(Codec::Pcmu, &mut frame) {
                break;
            }
            bytes.extend(frame);
        }
        bytes
    }

    #[test]
    fn clips_join_without_a_gap_inside_a_frame() {
        let (a, b) = (clip(vec![1_000; 250]), clip(vec![-1_000; 100]));
        let items = vec![PlayItem::Clip(a.clone()), PlayItem::Silence { ms: 10 }, PlayItem::Clip(b.clone())];
        let mut playback = playback(items, false);
        let bytes = play(&mut playback, 100);
        let expected = [&a.encoded(Codec::Pcmu)[..], &[0xff; 80], &b.encoded(Codec::Pcmu)[..], &[0xff; 50]].concat();
        assert_eq!(bytes, expected);
        // 430 ticks are 53.75 ms.
        assert_eq!(playback.played_ms(), 54);
    }

    #[test]
    fn an_empty_playlist_ends_at_once() {
        assert!(play(&mut playback(vec![], false), 10).is_empty());
        assert!(
            play(&mut playback(vec![PlayItem::Clip(clip(vec![])), PlayItem::Silence { ms: 0 }], false), 10).is_empty()
        );
        let endless_nothing = Playlist { items: vec![PlayItem::Silence { ms: 0 }], repeat_forever: true };
        assert!(Program::new(&endless_nothing).is_err());
    }

    #[test]
    fn music_on_hold_goes_round_without_a_seam() {
        let ramp: Vec<i16> = (0..100).map(|n| n * 300).collect();
        let music = clip(ramp);
        let mut playback = playback(vec![PlayItem::Clip(music.clone())], true);
        let bytes = play(&mut playback, 1_000);
        assert_eq!(bytes.len(), 160_000);
        let encoded = music.encoded(Codec::Pcmu);
        assert!(bytes.iter().zip(encoded.iter().cycle()).all(|(a, b)| a == b));
    }

    #[test]
    fn seeking_goes_where_it_is_told() {
        let ramp: Vec<i16> = (0..8_000).map(|n| n * 4).collect();
        let long = clip(ramp);
        for (to_ms, expected) in [(0, Some(0)), (500, Some(4_000)), (999, Some(7_992)), (1_000, None), (u64::MAX, None)]
        {
            let mut playback = playback(vec![PlayItem::Clip(long.clone())], false);
            play(&mut playback, 3);
            playback.seek(to_ms);
            let bytes = play(&mut playback, 1);
            let expected = expected.map(|at: usize| long.encoded(Codec::Pcmu)[at]);
            assert_eq!(bytes.first().copied(), expected, "{to_ms} ms");
        }
    }

    #[test]
    fn barge_in() {
        let [one, hash] = ['1', '#'].map(|key| Digit::from_char(key).unwrap());
        let keys = BargeIn::Keys(KeySet::from_keys("#").unwrap());
        assert!(!BargeIn::None.stops_at(one) && BargeIn::AnyDigit.stops_at(one));
        assert!(!keys.stops_at(one) && keys.stops_at(hash));
    }

    #[test]
    fn oversized_playlists_are_refused() {
        let items = vec![PlayItem::Silence { ms: 1 }; PLAYLIST_ITEMS_MAX + 1];
        assert!(Program::new(&Playlist { items, repeat_forever: false }).is_err());
        let items = vec![PlayItem::Silence { ms: SILENCE_MS_MAX + 1 }];
        assert!(Program::new(&Playlist { items, repeat_forever: false }).is_err());
    }
}
