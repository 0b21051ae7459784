//! What comes in: RTP, RTCP, and the other leg's packets.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use super::{DigitsOut, Outlet, Session};
use crate::bridge::Handed;
use crate::clip::{Clip, digit_tone};
use crate::digit::Digit;
use crate::engine::{DIGIT_DURATION_MS, DIGIT_GAP_MS, DIGITS_MAX};
use crate::event::{DigitSource, MediaEvent, PlaybackId};
use crate::playback::{BargeIn, PlayItem, Playback, Playlist, Program};
use crate::rtp::{self, HEADER_BYTES, Packet};
use crate::source::Verdict;
use crate::stats::{self, Reject};
use crate::telephone_event::EventSender;
use crate::time::MediaTime;
use crate::{rtcp, telephone_event};

/// Comfort noise (RFC 3389), which some send in pauses: heard as silence.
const COMFORT_NOISE: u8 = 13;

impl Session {
    /// Takes a datagram from the RTP port. Gives what the bridged leg is to have, if there is one.
    pub(crate) fn handle_rtp<'a>(
        &mut self,
        now: MediaTime,
        datagram: &'a mut [u8],
        from: SocketAddr,
    ) -> Option<Handed<'a>> {
        if rtp::is_rtcp(datagram) && self.stream.as_ref().is_some_and(|stream| stream.params.rtcp_mux) {
            self.handle_rtcp(now, datagram, from);
            return None;
        }
        match self.accept(now, datagram, from) {
            Ok(handed) => handed.filter(|_| self.bridge.is_some() || self.links.is_some()),
            Err(kind) => {
                self.counters.reject(kind);
                None
            }
        }
    }

    /// Takes a datagram from the RTCP port.
    pub(crate) fn handle_rtcp(&mut self, now: MediaTime, datagram: &mut [u8], from: SocketAddr) {
        match self.learn(now, datagram, from) {
            Ok(()) => {}
            Err(kind) => self.counters.reject(kind),
        }
    }

    /// Takes what the other leg of the bridge, or a linked session, hands over; `from` is its key.
    pub(crate) fn handle_peer(&mut self, now: MediaTime, from: u64, handed: &Handed<'_>, out: &mut impl Outlet) {
        let Some(leg) = self.bridge.as_mut().filter(|leg| leg.peer.key == from) else {
            if let (Some(links), Handed::Audio(packet)) = (&mut self.links, handed) {
                links.hear(from, now, packet);
            }
            return;
        };
        let Some(stream) = &self.stream else { return };
        if !stream.params.send {
            leg.break_relay();
            return;
        }
        let relays = leg.relays(&stream.params);
        match handed {
            Handed::Withheld(ssrc) => leg.withhold(*ssrc),
            Handed::Audio(packet) => {
                let mixed = self.recorder.as_ref().is_some_and(|recorder| recorder.is_mixed());
                if !relays || mixed {
                    leg.hear(now, packet);
                }
                if relays {
                    self.relay(now, packet, stream.params.payload_type, true, out);
                }
            }
            Handed::Event(packet, pressed) => match (stream.params.telephone_event, pressed) {
                (Some(payload_type), _) if relays => self.relay(now, packet, payload_type, false, out),
                (_, Some(digit)) => self.pass_digit_on(*digit),
                _ => {}
            },
        }
    }

    fn accept<'a>(
        &mut self,
        now: MediaTime,
        datagram: &'a mut [u8],
        from: SocketAddr,
    ) -> Result<Option<Handed<'a>>, Reject> {
        let stream = self.stream.as_mut().ok_or(Reject::NotReceiving)?;
        let length = match &mut self.transform {
            Some(transform) => transform.unprotect_rtp(datagram).ok_or(Reject::Transform)?,
            None => datagram.len(),
        };
        let packet = Packet::parse(datagram.get(..length).ok_or(Reject::Transform)?)?;
        let is_event = stream.params.telephone_event == Some(packet.payload_type);
        let is_audio = stream.params.payload_type == packet.payload_type;
        if !is_event && !is_audio && packet.payload_type != COMFORT_NOISE {
            return Err(Reject::PayloadType);
        }
        match stream.source.judge(now, from, packet.ssrc, packet.sequence) {
            Verdict::Accept => {}
            Verdict::Probation => return Err(Reject::Probation),
            Verdict::Reject => return Err(Reject::Source),
        }
        if !stream.params.receive {
            return Err(Reject::NotReceiving);
        }
        if !self.rx.receive(packet.ssrc, packet.sequence, packet.timestamp, now.ticks()) {
            return Err(Reject::Sequence);
        }
        self.note_arrival(now, &packet);
        if is_event {
            return self.accept_event(now, packet).map(Some);
        }
        if !is_audio {
            return Ok(Some(Handed::Withheld(packet.ssrc)));
        }
        if let Some(ear) = &mut self.ear {
            if ear.ssrc != packet.ssrc {
                ear.listener.reset();
                ear.ssrc = packet.ssrc;
            }
            ear.listener.push(now, packet.timestamp, packet.payload);
        }
        Ok(Some(Handed::Audio(packet)))
    }

    fn note_arrival(&mut self, now: MediaTime, packet: &Packet<'_>) {
        stats::add(&self.counters.packets_received, 1);
        stats::add(&self.counters.octets_received, packet.payload.len() as u64);
        self.counters.packets_lost.store(self.rx.lost(), Ordering::Relaxed);
        self.counters.jitter_us.store(self.rx.jitter_us(), Ordering::Relaxed);
        self.heard_at = now;
        if std::mem::take(&mut self.lost) {
            self.tell(MediaEvent::MediaResumed);
        }
    }

    fn accept_event<'a>(&mut self, now: MediaTime, packet: Packet<'a>) -> Result<Handed<'a>, Reject> {
        let heard = self.event_receiver.handle(now, packet.ssrc, packet.timestamp, packet.marker, packet.payload)?;
        if let Some(end) = heard.ended {
            self.tell_digit_ended(end.digit, end.duration_ms, DigitSource::TelephoneEvent);
        }
        if let Some(digit) = heard.pressed {
            self.press(digit, DigitSource::TelephoneEvent);
        }
        if self.bridge.as_ref().is_some_and(|leg| leg.options.relay_digits) {
            Ok(Handed::Event(packet, heard.pressed))
        } else {
            Ok(Handed::Withheld(packet.ssrc))
        }
    }

    /// Sends the other leg's packet on, under our numbers.
    fn relay(&mut self, now: MediaTime, packet: &Packet<'_>, payload_type: u8, audio: bool, out: &mut impl Outlet) {
        if self.has_own_voice() {
            return;
        }
        let Some(moved) = self.bridge.as_mut().and_then(|leg| leg.translate(&self.tx, now, packet)) else { return };
        let end = HEADER_BYTES + packet.payload.len();
        let buffer = out.buffer();
        if let Some((header, rest)) = buffer.split_first_chunk_mut::<HEADER_BYTES>()
            && let Some(room) = rest.get_mut(..packet.payload.len())
        {
            rtp::write_header(header, payload_type, moved.marker, moved.sequence, moved.timestamp, self.tx.ssrc());
            room.copy_from_slice(packet.payload);
            if let (Some(links), Some(stream)) = (&mut self.links, &self.stream)
                && audio
                && links.is_audible()
            {
                let keep = self.recorder.as_ref().is_some_and(|recorder| recorder.is_mixed());
                links.mix_payload(now, stream.params.codec, room, keep);
            }
            self.tx.relayed(moved.sequence, moved.timestamp, packet.payload.len(), audio);
            self.dispatch(end, out);
        }
    }

    /// Presses a key of the other leg's party again, towards ours.
    fn pass_digit_on(&mut self, digit: Digit) {
        let Some(stream) = &self.stream else { return };
        if let Some(DigitsOut::Events(sender)) = self.digits_out.as_deref_mut() {
            if sender.waiting() < DIGITS_MAX {
                sender.push(digit);
            }
            return;
        }
        if self.digits_out.is_some() {
            return;
        }
        let digits = if stream.params.telephone_event.is_some() {
            Some(DigitsOut::Events(EventSender::new([digit], DIGIT_DURATION_MS, DIGIT_GAP_MS)))
        } else {
            tones(&[digit], DIGIT_DURATION_MS, DIGIT_GAP_MS).map(|playback| {
                playback.encode_now(stream.params.codec);
                DigitsOut::Tones(playback)
            })
        };
        self.digits_out = digits.map(Box::new);
    }

    fn learn(&mut self, now: MediaTime, datagram: &mut [u8], from: SocketAddr) -> Result<(), Reject> {
        let stream = self.stream.as_ref().ok_or(Reject::NotReceiving)?;
        if !stream.source.may_report(from) {
            return Err(Reject::Source);
        }
        let length = match &mut self.transform {
            Some(transform) => transform.unprotect_rtcp(datagram).ok_or(Reject::Transform)?,
            None => datagram.len(),
        };
        let datagram = datagram.get(..length).ok_or(Reject::Transform)?;
        let learnt = rtcp::read(datagram, self.tx.ssrc(), rtcp::ntp_now())?;
        if let Some(middle_ntp) = learnt.remote_middle_ntp {
            self.remote_clock.hear(middle_ntp, now);
        }
        if let Some(lost) = learnt.remote_packets_lost {
            self.counters.remote_packets_lost.store(lost, Ordering::Relaxed);
        }
        if let Some(trip_ms) = learnt.round_trip_ms {
            self.counters.round_trip_ms.store(trip_ms, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Digits as tones, each followed by a pause. Not encoded yet.
pub(crate) fn tones(digits: &[Digit], duration_ms: u32, gap_ms: u32) -> Option<Playback> {
    let mut samples = vec![];
    for digit in digits {
        samples.extend(digit_tone(*digit, duration_ms, gap_ms));
    }
    let clip = Clip::from_pcm(8_000, samples).ok()?;
    let playlist = Playlist { items: vec![PlayItem::Clip(clip.into())], repeat_forever: false };
    let program = Program::new(&playlist).ok()?;
    Some(Playback::new(PlaybackId(0), program.into(), BargeIn::None))
}

const _: () = assert!(telephone_event::PAYLOAD_BYTES <= rtp::PAYLOAD_BYTES_MAX);
