//! A supervisor beside a bridge: who hears whom besides the two legs, and how voices are mixed.
//!
//! A session has a link with each session whose party it hears, or is heard by, outside of its bridge: a supervisor's has
//! one with the caller's and one with the operator's. Voices are added as linear samples that saturate.
//!
//! Where the bridge passes packets through untouched it goes on doing so: the supervisor's voice is added to each packet
//! on its way, which keeps its number, its time and its place. So nothing comes later than without a supervisor, and
//! nobody hears a gap where one begins to speak, changes the mode or leaves. Only where no packet comes (the other party
//! is silent, or on hold) does the tick send frames of its own. A voice that begins or ends within a sound is faded.

use std::collections::VecDeque;

use crate::bridge::{PeerRef, PeerStream};
use crate::codec::{Codec, Decoder, Encoder, FRAME_TICKS};
use crate::listener::{Listened, Listener, Pcm};
use crate::rtp::Packet;
use crate::time::MediaTime;

/// Links of one session: a supervisor's with the caller and the operator.
pub(crate) const LINKS_MAX: usize = 2;
/// Samples over which a voice is faded in and out: 10 ms.
const FADE_SAMPLES: i32 = 80;
/// Samples for a recording that wait for its tick: packets come a little before or after it.
const RECORDED_SAMPLES_MAX: usize = 10 * FRAME_TICKS;

/// How a supervisor takes part in a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Supervision {
    /// Hears both, and is heard by nobody.
    #[default]
    Listen,
    /// Hears both, and is heard by the operator.
    Whisper,
    /// Hears both, and is heard by both.
    Barge,
}

impl Supervision {
    /// How the caller and the operator hear the supervisor.
    pub(crate) const fn voice(self) -> (Hears, Hears) {
        match self {
            Self::Listen => (Hears::No, Hears::No),
            Self::Whisper => (Hears::No, Hears::Secretly),
            Self::Barge => (Hears::Openly, Hears::Openly),
        }
    }
}

/// Whether a session's party hears a linked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    No,
    /// The party does, recordings do not.
    Secretly,
    Openly,
}

/// A link as it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) peer: PeerRef,
    pub(crate) stream: Option<PeerStream>,
    /// The peer is handed what our party says.
    pub(crate) speaks: bool,
    pub(crate) hears: Hears,
}

/// One link at work.
struct Voice {
    link: Link,
    /// Ended; only its fading is left.
    leaving: bool,
    ear: Option<Listener>,
    ssrc: u32,
    /// The frame being drawn from, and how far.
    frame: Pcm,
    drawn: usize,
    frame_is_idle: bool,
    /// Of [`FADE_SAMPLES`].
    gain: i32,
}

/// The links of a session.
#[derive(Default)]
pub(crate) struct Links {
    voices: Vec<Voice>,
    decoder: Option<(Codec, Decoder)>,
    encoder: Option<(Codec, Encoder)>,
    /// What was openly heard and is not recorded yet.
    recorded: VecDeque<i16>,
    /// When a packet of the bridge last passed through the mix.
    pub(crate) passed_at: Option<MediaTime>,
}

impl Links {
    /// Makes a link, or changes it.
    pub(crate) fn set(&mut self, link: Link) {
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.link.peer == link.peer) {
            voice.link = link;
            voice.leaving = false;
            return;
        }
        if self.voices.iter().filter(|voice| !voice.leaving).count() >= LINKS_MAX
            && let Some(oldest) = self.voices.iter().find(|voice| !voice.leaving).map(|voice| voice.link.peer.key)
        {
            self.end(oldest);
        }
        self.voices.push(Voice::new(link));
    }

    /// Ends the link with a session.
    pub(crate) fn end(&mut self, peer_key: u64) {
        for voice in self.voices.iter_mut().filter(|voice| voice.link.peer.key == peer_key) {
            voice.link.hears = Hears::No;
            voice.link.speaks = false;
            voice.leaving = true;
        }
        self.tidy();
    }

    /// Nothing is left of them.
    pub(crate) fn is_empty(&self) -> bool {
        self.voices.is_empty()
    }

    /// The sessions that are linked.
    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerRef> {
        self.voices.iter().filter(|voice| !voice.leaving).map(|voice| voice.link.peer)
    }

    /// The sessions that are handed what our party says.
    pub(crate) fn listeners(&self) -> [Option<PeerRef>; LINKS_MAX] {
        let mut all = self.voices.iter().filter(|voice| voice.link.speaks).map(|voice| voice.link.peer);
        std::array::from_fn(|_| all.next())
    }

    pub(crate) fn set_stream(&mut self, peer_key: u64, stream: PeerStream) {
        for voice in self.voices.iter_mut().filter(|voice| voice.link.peer.key == peer_key) {
            voice.link.stream = Some(stream);
        }
    }

    /// Audio of a linked session's party.
    pub(crate) fn hear(&mut self, from: u64, now: MediaTime, packet: &Packet<'_>) {
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.link.peer.key == from) {
            voice.hear(now, packet);
        }
    }

    /// Whether somebody is, or still fades, in the mix: then packets do not pass untouched.
    pub(crate) fn is_audible(&self) -> bool {
        self.voices.iter().any(Voice::is_audible)
    }

    /// Whether somebody has something to say at the next tick.
    pub(crate) fn wants_tick(&self) -> bool {
        self.voices.iter().any(|voice| voice.is_audible() && !voice.is_idle())
    }

    /// The next 20 ms of all voices; `None` while they are silent. `keep` what is openly heard for a recording.
    pub(crate) fn draw_frame(&mut self, keep: bool) -> Option<Pcm> {
        if !self.wants_tick() {
            return None;
        }
        let mut pcm = [0; FRAME_TICKS];
        self.add(&mut pcm, keep);
        Some(pcm)
    }

    /// Adds the voices to a packet that passes by, in its place.
    pub(crate) fn mix_payload(&mut self, now: MediaTime, codec: Codec, payload: &mut [u8], keep: bool) {
        self.passed_at = Some(now);
        for chunk in payload.chunks_mut(FRAME_TICKS) {
            let mut room = [0; FRAME_TICKS];
            let pcm = &mut room[..chunk.len()];
            self.decoder(codec).decode(chunk, pcm);
            self.add(pcm, keep);
            self.encoder(codec).encode(pcm, chunk);
        }
    }

    /// Adds a frame of voices to an encoded one.
    pub(crate) fn mix_frame(&mut self, codec: Codec, frame: &mut [u8; FRAME_TICKS], voices: &Pcm) {
        let mut pcm = [0; FRAME_TICKS];
        self.decoder(codec).decode(frame, &mut pcm);
        add(&mut pcm, voices);
        self.encoder(codec).encode(&pcm, frame);
    }

    /// Encodes a frame of voices alone.
    pub(crate) fn encode(&mut self, codec: Codec, pcm: &Pcm, out: &mut [u8; FRAME_TICKS]) {
        self.encoder(codec).encode(pcm, out);
    }

    /// What is to be recorded in this tick.
    pub(crate) fn take_recorded(&mut self) -> Option<Pcm> {
        if self.recorded.is_empty() {
            return None;
        }
        let count = self.recorded.len().min(FRAME_TICKS);
        let mut pcm = [0; FRAME_TICKS];
        for (place, sample) in pcm.iter_mut().zip(self.recorded.drain(..count)) {
            *place = sample;
        }
        Some(pcm)
    }

    fn add(&mut self, pcm: &mut [i16], keep: bool) {
        let mut open = [0; FRAME_TICKS];
        let mut is_open = false;
        for voice in self.voices.iter_mut().filter(|voice| voice.is_audible()) {
            let mut said = [0; FRAME_TICKS];
            let said = &mut said[..pcm.len().min(FRAME_TICKS)];
            voice.draw(said);
            add(pcm, said);
            if voice.link.hears == Hears::Openly {
                is_open = true;
                add(&mut open, said);
            }
        }
        if !keep {
            self.recorded.clear();
        } else if is_open {
            self.recorded.extend(&open[..pcm.len().min(FRAME_TICKS)]);
            let surplus = self.recorded.len().saturating_sub(RECORDED_SAMPLES_MAX);
            self.recorded.drain(..surplus);
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        self.voices.retain(|voice| !voice.leaving || voice.is_audible());
    }

    fn decoder(&mut self, codec: Codec) -> &mut Decoder {
        if self.decoder.as_ref().is_some_and(|(known, _)| *known != codec) {
            self.decoder = None;
        }
        &mut self.decoder.get_or_insert_with(|| (codec, Decoder::new(codec))).1
    }

    fn encoder(&mut self, codec: Codec) -> &mut Encoder {
        if self.encoder.as_ref().is_some_and(|(known, _)| *known != codec) {
            self.encoder = None;
        }
        &mut self.encoder.get_or_insert_with(|| (codec, Encoder::new(codec))).1
    }
}

impl Voice {
    fn new(link: Link) -> Self {
        Self {
            link,
            leaving: false,
            ear: None,
            ssrc: 0,
            frame: [0; FRAME_TICKS],
            drawn: FRAME_TICKS,
            frame_is_idle: true,
            gain: 0,
        }
    }

    fn is_audible(&self) -> bool {
        self.link.hears != Hears::No || self.gain > 0
    }

    fn is_idle(&self) -> bool {
        self.drawn >= FRAME_TICKS && self.ear.as_ref().is_none_or(Listener::is_idle)
    }

    fn hear(&mut self, now: MediaTime, packet: &Packet<'_>) {
        let Some(stream) = self.link.stream.filter(|_| self.is_audible()) else { return };
        let ear = match &mut self.ear {
            Some(ear) if ear.codec() == stream.codec() => ear,
            slot => slot.insert(Listener::new(stream.codec())),
        };
        if self.ssrc != packet.ssrc {
            ear.reset();
            self.ssrc = packet.ssrc;
        }
        ear.push(now, packet.timestamp, packet.payload);
    }

    /// The next samples. Fading goes on only while there is something to fade.
    fn draw(&mut self, out: &mut [i16]) {
        let wanted = if self.link.hears == Hears::No { 0 } else { FADE_SAMPLES };
        for sample in out {
            if self.drawn >= FRAME_TICKS {
                self.pull();
            }
            if self.frame_is_idle {
                // There is nothing to hear, so a voice that leaves is gone, and one that comes begins softly.
                self.gain = self.gain.min(wanted);
            } else {
                self.gain += (wanted - self.gain).signum();
            }
            let said = i32::from(self.frame[self.drawn]) * self.gain / FADE_SAMPLES;
            // The gain is at most one.
            *sample = i16::try_from(said).unwrap_or(0);
            self.drawn += 1;
        }
        if !self.is_audible() {
            // Whoever is not listened to costs nothing.
            self.ear = None;
            self.drawn = FRAME_TICKS;
        }
    }

    fn pull(&mut self) {
        self.drawn = 0;
        let listened = self.ear.as_mut().map_or(Listened::Idle, |ear| ear.pull(&mut self.frame));
        self.frame_is_idle = listened == Listened::Idle;
        if self.frame_is_idle {
            self.frame = [0; FRAME_TICKS];
        }
    }
}

/// Adds samples; where they are too loud together they are cut off, not wrapped.
pub(crate) fn add(pcm: &mut [i16], more: &[i16]) {
    for (sample, more) in pcm.iter_mut().zip(more) {
        *sample = sample.saturating_add(*more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_voices_are_cut_off_and_not_wrapped() {
        let mut pcm = [30_000, -30_000, 1];
        add(&mut pcm, &[30_000, -30_000, 1]);
        assert_eq!(pcm, [i16::MAX, i16::MIN, 2]);
    }

    #[test]
    fn the_oldest_link_makes_room() {
        let link =
            |key| Link { peer: PeerRef { pacer: 0, index: 0, key }, stream: None, speaks: true, hears: Hears::Openly };
        let mut links = Links::default();
        for key in 1..=3 {
            links.set(link(key));
        }
        assert_eq!(links.peers().map(|peer| peer.key).collect::<Vec<_>>(), [2, 3]);
        links.end(3);
        assert_eq!(links.listeners().map(|peer| peer.map(|peer| peer.key)), [Some(2), None]);
        links.end(2);
        assert!(links.is_empty());
    }
}
