//! What goes out: the tick of the pacer, and reports.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{DigitsOut, LINGER_TICKS, Outlet, Session};
use crate::codec::{FRAME_MS, FRAME_TICKS, TICKS_PER_MS};
use crate::detect::Missing;
use crate::dtmf::InBand;
use crate::event::{DigitSource, MediaEvent, PlaybackEnd};
use crate::link;
use crate::listener::{Listened, Pcm};
use crate::rtcp::{self, REPORT_BYTES_MAX, SenderInfo};
use crate::rtp::HEADER_BYTES;
use crate::stats;
use crate::telephone_event::PAYLOAD_BYTES;
use crate::time::MediaTime;
use crate::transform::TRANSFORM_BYTES_MAX;
use crate::transmit::{PACKET_TICKS_MAX, Stamp};

/// Collects frames of 20 ms into packets of another length.
pub(super) struct Packetizer {
    packet_ticks: usize,
    filled: usize,
    /// When the first tick of what is collected was due.
    began: MediaTime,
    buffer: [u8; PACKET_TICKS_MAX + FRAME_TICKS],
}

impl Packetizer {
    pub(super) const fn new(packet_ticks: usize) -> Self {
        Self { packet_ticks, filled: 0, began: MediaTime::ZERO, buffer: [0; PACKET_TICKS_MAX + FRAME_TICKS] }
    }

    pub(super) const fn packet_ticks(&self) -> usize {
        self.packet_ticks
    }
}

/// What a tick sent, as far as a recording wants to know.
enum Sent {
    Nothing,
    Frame([u8; FRAME_TICKS]),
    Peer(Pcm),
}

impl Session {
    /// The tick of 20 ms that was due at `slot`. False if there will be nothing to do in the next.
    pub(crate) fn tick(&mut self, slot: MediaTime, out: &mut impl Outlet) -> bool {
        let received = self.listen();
        let peer = self.bridge.as_mut().and_then(|leg| leg.pull());
        let linked = self.draw_linked(slot);
        let sent = self.transmit(slot, peer, linked, out);
        self.record_frame(received.as_ref(), sent);
        if self.wants_tick() {
            self.linger = LINGER_TICKS;
            return true;
        }
        self.linger = self.linger.saturating_sub(1);
        self.linger > 0
    }

    /// Whether there is anything to do at the next tick.
    pub(crate) fn wants_tick(&self) -> bool {
        // Silence is told too, and by a time: a detector counts every tick.
        if self.detector.is_some() {
            return true;
        }
        if self.recorder.as_ref().is_some_and(|recorder| recorder.is_running()) {
            return true;
        }
        if self.ear.as_ref().is_some_and(|ear| !ear.listener.is_idle()) {
            return true;
        }
        let Some(stream) = self.stream.as_ref().filter(|stream| stream.params.send) else { return false };
        self.has_own_voice()
            || self.packetizer.as_ref().is_some_and(|packetizer| packetizer.filled > 0)
            || self.links.as_ref().is_some_and(|links| links.wants_tick())
            || self.bridge.as_ref().is_some_and(|leg| !leg.relays(&stream.params) && !leg.ear_is_idle())
    }

    /// Whether this session speaks for itself, so that a bridged party has to wait.
    pub(super) fn has_own_voice(&self) -> bool {
        self.digits_out.is_some()
            || self.playback.as_ref().is_some_and(|playback| !playback.paused)
            || self.recorder.as_ref().is_some_and(|recorder| recorder.beep.is_some())
    }

    /// Sends the report; a goodbye with the `last`.
    pub(super) fn send_report(&mut self, now: MediaTime, out: &mut impl Outlet, last: bool) {
        let Some(stream) = &self.stream else { return };
        let destination = stream.params.rtcp_destination(stream.source.destination());
        let muxed = stream.params.rtcp_mux;
        let (packets, octets) = self.tx.totals();
        let timestamp = self.tx.timestamp_at(now);
        let sender = (packets > 0).then(|| SenderInfo { ntp: rtcp::ntp_now(), timestamp, packets, octets });
        let heard = self.rx.report().map(|reception| (reception, self.remote_clock));
        // A name that says nothing of the call or the machine (RFC 7022).
        let name = format!("{:08x}{:08x}", self.tx.ssrc(), self.key);
        let mut report = [0; REPORT_BYTES_MAX];
        let length = rtcp::write_report(&mut report, self.tx.ssrc(), &name, sender, heard, now, last);
        if length == 0 {
            return;
        }
        let buffer = out.buffer();
        buffer[..length].copy_from_slice(&report[..length]);
        let length = match &mut self.transform {
            Some(transform) => transform.protect_rtcp(&mut buffer[..length + TRANSFORM_BYTES_MAX], length),
            None => Some(length),
        };
        if let Some(length) = length {
            out.rtcp(self.port, muxed, length, destination);
            self.reports = self.reports.saturating_add(1);
        }
    }

    /// Sends the packet in the outlet's buffer.
    pub(super) fn dispatch(&mut self, length: usize, out: &mut impl Outlet) {
        // No RTP after the goodbye of signalling, even before the pacer has read the command.
        if self.counters.closed.load(Ordering::Relaxed) {
            return;
        }
        let Some(stream) = &self.stream else { return };
        let protected = match &mut self.transform {
            Some(transform) => transform.protect_rtp(&mut out.buffer()[..length + TRANSFORM_BYTES_MAX], length),
            None => Some(length),
        };
        let Some(protected) = protected else { return };
        if out.rtp(self.port, protected, stream.source.destination()) {
            stats::add(&self.counters.packets_sent, 1);
            stats::add(&self.counters.octets_sent, (length - HEADER_BYTES) as u64);
        } else {
            stats::add(&self.counters.send_failures, 1);
        }
    }

    /// The party's audio of this tick, and the keys in it.
    fn listen(&mut self) -> Option<Pcm> {
        let Some(ear) = self.ear.as_mut() else {
            self.detect(None);
            return None;
        };
        let mut pcm = [0; FRAME_TICKS];
        let listened = ear.listener.pull(&mut pcm);
        if let Some(detector) = &mut ear.detector {
            // At most a release and a press in 20 ms.
            let mut heard = [None; 2];
            let mut count = 0;
            let take = |change: InBand| {
                if let Some(place) = heard.get_mut(count) {
                    *place = Some(change);
                }
                count += 1;
            };
            match listened {
                Listened::Audio => detector.feed(&pcm, take),
                Listened::Lost | Listened::Idle => detector.feed_lost(FRAME_TICKS, take),
            }
            for change in heard.into_iter().flatten() {
                match change {
                    InBand::Pressed(digit) => self.press(digit, DigitSource::InBand),
                    InBand::Released(digit, ms) => self.tell_digit_ended(digit, ms, DigitSource::InBand),
                }
            }
        }
        self.detect(Some((listened, &pcm)));
        Some(pcm)
    }

    /// Hands a frame to whoever listens for who or what answers; `None` where the stream is not received.
    fn detect(&mut self, frame: Option<(Listened, &Pcm)>) {
        let Some(detector) = &mut self.detector else { return };
        let heard = match frame {
            Some((Listened::Audio, pcm)) => detector.feed(pcm),
            Some((Listened::Lost, _)) => detector.feed_missing(Missing::Lost),
            Some((Listened::Idle, _)) | None => detector.feed_missing(Missing::Unsent),
        };
        let (at_ms, done) = (detector.listened_ms(), detector.is_done());
        if let Some(what) = heard {
            self.tell(MediaEvent::Heard { what, at_ms });
        }
        if done {
            self.listen_for(None);
        }
    }

    fn record_frame(&mut self, received: Option<&Pcm>, sent: Sent) {
        let masked = self.masked;
        let linked = self.links.as_mut().and_then(|links| links.take_recorded());
        let Some(recorder) = self.recorder.as_mut().filter(|recorder| recorder.is_running()) else { return };
        let sent = match (sent, &self.stream) {
            (Sent::Frame(bytes), Some(stream)) => Some(recorder.decode_sent(stream.params.codec, &bytes)),
            (Sent::Peer(pcm), _) => Some(pcm),
            _ => None,
        };
        let sent = mixed(sent, linked).filter(|_| recorder.is_mixed());
        if let Some(reason) = recorder.feed(received.unwrap_or(&[0; FRAME_TICKS]), sent.as_ref(), masked) {
            self.end_recording(reason);
        }
    }

    /// This tick's voices of linked sessions, where packets that pass through the bridge do not carry them already.
    fn draw_linked(&mut self, slot: MediaTime) -> Option<Pcm> {
        let passes = self.links_pass(slot);
        let keep = self.recorder.as_ref().is_some_and(|recorder| recorder.is_mixed());
        let links = self.links.as_mut()?;
        let drawn = if passes { None } else { links.draw_frame(keep) };
        if links.is_empty() {
            self.links = None;
        }
        drawn
    }

    /// Whether packets have lately come that go through the bridge, and take the linked voices with them.
    fn links_pass(&self, slot: MediaTime) -> bool {
        let (Some(links), Some(stream), Some(leg)) = (&self.links, &self.stream, &self.bridge) else { return false };
        let patience = Duration::from_millis(u64::from(2 * stream.params.ptime_ms) + FRAME_MS);
        leg.relays(&stream.params) && !self.has_own_voice() && links.passed_at.is_some_and(|at| slot <= at + patience)
    }

    /// Sends this tick's packet, from whoever has the word: digits, the beep, the playback, the bridged party. Linked
    /// voices go with all but digits.
    fn transmit(&mut self, slot: MediaTime, peer: Option<Pcm>, linked: Option<Pcm>, out: &mut impl Outlet) -> Sent {
        let Some(stream) = self.stream.as_ref().filter(|stream| stream.params.send) else { return Sent::Nothing };
        let (codec, payload_type) = (stream.params.codec, stream.params.payload_type);
        if let Some(DigitsOut::Events(sender)) = self.digits_out.as_deref_mut() {
            let packet = sender.tick();
            let done = sender.is_done();
            let event_type = stream.params.telephone_event;
            if let (Some(packet), Some(event_type)) = (packet, event_type) {
                self.flush(slot, payload_type, out);
                self.break_relay();
                let stamp = self.tx.event(slot, packet.first);
                self.send(event_type, stamp, &packet.payload, out);
            }
            // Without telephone-event, which a re-INVITE may have taken away, the rest cannot be sent.
            if done || event_type.is_none() {
                self.finish_digits();
            }
            return Sent::Nothing;
        }
        let relays = self.bridge.as_ref().is_some_and(|leg| leg.relays(&stream.params));
        let mut frame = [0; FRAME_TICKS];
        if self.fill_own(codec, &mut frame) {
            self.break_relay();
            let own = frame;
            if let (Some(links), Some(linked)) = (&mut self.links, &linked) {
                links.mix_frame(codec, &mut frame, linked);
            }
            self.send_frame(slot, payload_type, &frame, out);
            return Sent::Frame(own);
        }
        // What is passed through is heard here for a recording only.
        let said = if relays { linked } else { mixed(peer, linked) };
        match (said, &mut self.bridge, &mut self.links) {
            (Some(pcm), Some(leg), _) if !relays => leg.encode(codec, &pcm, &mut frame),
            (Some(pcm), _, Some(links)) => links.encode(codec, &pcm, &mut frame),
            _ if peer.is_some() && relays => return peer.map_or(Sent::Nothing, Sent::Peer),
            _ => {
                self.flush(slot, payload_type, out);
                return Sent::Nothing;
            }
        }
        self.break_relay();
        self.send_frame(slot, payload_type, &frame, out);
        peer.map_or(Sent::Nothing, Sent::Peer)
    }

    /// Fills a frame with our own voice; false if we have nothing to say.
    fn fill_own(&mut self, codec: crate::codec::Codec, frame: &mut [u8; FRAME_TICKS]) -> bool {
        if let Some(DigitsOut::Tones(tones)) = self.digits_out.as_deref_mut() {
            if tones.fill(codec, frame) {
                return true;
            }
            self.finish_digits();
        }
        if let Some(recorder) = &mut self.recorder
            && let Some(beep) = &mut recorder.beep
        {
            if beep.fill(codec, frame) {
                return true;
            }
            recorder.beep = None;
            self.begin_recording();
        }
        if let Some(playback) = self.playback.as_mut().filter(|playback| !playback.paused) {
            if playback.fill(codec, frame) {
                return true;
            }
            // Told now, a tick after the last frame was sent: it has had its time to be heard.
            self.end_playback(PlaybackEnd::Finished);
        }
        false
    }

    fn send_frame(&mut self, slot: MediaTime, payload_type: u8, frame: &[u8; FRAME_TICKS], out: &mut impl Outlet) {
        let Some(packetizer) = &mut self.packetizer else {
            let stamp = self.tx.audio(slot, FRAME_TICKS);
            self.send(payload_type, stamp, frame, out);
            return;
        };
        if packetizer.filled == 0 {
            packetizer.began = slot;
        }
        packetizer.buffer[packetizer.filled..packetizer.filled + FRAME_TICKS].copy_from_slice(frame);
        packetizer.filled += FRAME_TICKS;
        self.send_collected(payload_type, out);
    }

    fn send_collected(&mut self, payload_type: u8, out: &mut impl Outlet) {
        let Some(mut packetizer) = self.packetizer.take() else { return };
        let ticks = packetizer.packet_ticks;
        while packetizer.filled >= ticks {
            let stamp = self.tx.audio(packetizer.began, ticks);
            self.send(payload_type, stamp, &packetizer.buffer[..ticks], out);
            packetizer.buffer.copy_within(ticks..packetizer.filled, 0);
            packetizer.filled -= ticks;
            packetizer.began = packetizer.began + std::time::Duration::from_millis((ticks / TICKS_PER_MS) as u64);
        }
        self.packetizer = Some(packetizer);
    }

    /// Sends what is left in the packetizer, filled up with silence: nothing more follows.
    fn flush(&mut self, _slot: MediaTime, payload_type: u8, out: &mut impl Outlet) {
        let Some(stream) = &self.stream else { return };
        let silence = stream.params.codec.silence();
        let Some(packetizer) = self.packetizer.as_mut().filter(|packetizer| packetizer.filled > 0) else { return };
        for tick in packetizer.filled..packetizer.packet_ticks {
            packetizer.buffer[tick] = silence[tick % FRAME_TICKS];
        }
        packetizer.filled = packetizer.filled.max(packetizer.packet_ticks);
        self.send_collected(payload_type, out);
    }

    fn send(&mut self, payload_type: u8, stamp: Stamp, payload: &[u8], out: &mut impl Outlet) {
        let buffer = out.buffer();
        if let Some((header, rest)) = buffer.split_first_chunk_mut::<HEADER_BYTES>() {
            self.tx.write_header(header, payload_type, stamp);
            rest[..payload.len()].copy_from_slice(payload);
            self.tx.count(payload.len());
            self.dispatch(HEADER_BYTES + payload.len(), out);
        }
    }

    fn break_relay(&mut self) {
        if let Some(leg) = &mut self.bridge {
            leg.break_relay();
        }
    }
}

fn mixed(one: Option<Pcm>, other: Option<Pcm>) -> Option<Pcm> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            link::add(&mut one, &other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}

const _: () = assert!(HEADER_BYTES + PACKET_TICKS_MAX + TRANSFORM_BYTES_MAX <= super::PACKET_BYTES_MAX);
const _: () = assert!(REPORT_BYTES_MAX + TRANSFORM_BYTES_MAX <= super::PACKET_BYTES_MAX);
const _: () = assert!(PAYLOAD_BYTES < FRAME_TICKS);
const _: () = assert!(
    HEADER_BYTES + crate::rtp::PAYLOAD_BYTES_MAX + TRANSFORM_BYTES_MAX <= super::PACKET_BYTES_MAX,
    "relayed packets fit"
);
