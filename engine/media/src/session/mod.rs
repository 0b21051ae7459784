//! One session: the media of one leg of a call.
//!
//! A session is a machine without sockets and clocks. Its pacer owns it and is the only one to touch it: datagrams,
//! commands and ticks go in with the time, packets go out through an [`Outlet`], events through the sink. So there is
//! no lock on the way of a packet, and the tests below drive it on made time.

mod receive;
mod send;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::bridge::{BridgeLeg, PeerRef, PeerStream};
use crate::detect::Detector;
use crate::digit::Digit;
use crate::dtmf::InBandDetector;
use crate::event::{DigitSource, EventSink, MediaEvent, PlaybackEnd, PlaybackId, RecordingEnd, RecordingId};
use crate::link::{LINKS_MAX, Link, Links};
use crate::listener::Listener;
use crate::params::StreamParams;
use crate::playback::Playback;
use crate::reception::ReceptionStats;
use crate::record::Recorder;
use crate::rtcp::{self, RemoteClock};
use crate::source::SourceLock;
use crate::stats::SessionCounters;
use crate::telephone_event::{EventReceiver, EventSender};
use crate::time::MediaTime;
use crate::transform::PacketTransform;
use crate::transmit::TransmitStream;
use crate::wheel::Slot;
use send::Packetizer;

pub(crate) use receive::tones;

/// Bytes of the buffer a packet is built in.
pub(crate) const PACKET_BYTES_MAX: usize = 1_536;
/// Ticks without anything to do before a session leaves the wheel: prompts in a row keep their slot.
const LINGER_TICKS: u8 = 10;

/// Takes packets to the network.
pub(crate) trait Outlet {
    /// The buffer in which the next packet is built.
    fn buffer(&mut self) -> &mut [u8; PACKET_BYTES_MAX];
    /// Sends the first `length` bytes of the buffer from a port; false if the system would not take them.
    fn rtp(&mut self, port: u32, length: usize, to: SocketAddr) -> bool;
    /// Sends RTCP from the port above, or from the RTP port if `muxed`.
    fn rtcp(&mut self, port: u32, muxed: bool, length: usize, to: SocketAddr);
}

/// Digits being sent, by the way the other side understands.
pub(crate) enum DigitsOut {
    Events(EventSender),
    /// Tones in the audio.
    Tones(Playback),
}

/// A configured stream.
struct Stream {
    params: StreamParams,
    source: SourceLock,
}

/// Hears the party's audio, where somebody wants it.
struct Ear {
    listener: Listener,
    ssrc: u32,
    detector: Option<Box<InBandDetector>>,
}

/// See the module's documentation.
pub(crate) struct Session {
    pub(crate) label: u64,
    /// Tells this session from others on the same port.
    pub(crate) key: u64,
    /// The place of its local port in the table of ports.
    port: u32,
    pub(crate) slot: Option<Slot>,
    /// When the pacer will next call [`Session::handle_timeout`].
    pub(crate) timer: Option<MediaTime>,
    events: Arc<dyn EventSink>,
    pub(crate) counters: Arc<SessionCounters>,
    stream: Option<Stream>,
    tx: TransmitStream,
    packetizer: Option<Box<Packetizer>>,
    rx: ReceptionStats,
    event_receiver: EventReceiver,
    ear: Option<Box<Ear>>,
    playback: Option<Box<Playback>>,
    digits_out: Option<Box<DigitsOut>>,
    /// Whether the end of `digits_out` is to be told.
    digits_asked: bool,
    recorder: Option<Box<Recorder>>,
    /// Listens for who or what answers.
    detector: Option<Box<Detector>>,
    masked: bool,
    bridge: Option<Box<BridgeLeg>>,
    /// Who is heard and hears beside the bridge.
    links: Option<Box<Links>>,
    transform: Option<Box<dyn PacketTransform>>,
    linger: u8,
    rtp_timeout: Duration,
    /// When RTP was last heard, or began to be expected.
    heard_at: MediaTime,
    lost: bool,
    report_due: MediaTime,
    /// Packets sent and received at the last report: nothing new, no report.
    reported: (u32, u64),
    reports: u32,
    remote_clock: RemoteClock,
    /// Randomness given at birth, stirred for each report's interval.
    seed: u32,
}

/// What a session is born with.
pub(crate) struct Birth {
    pub(crate) label: u64,
    pub(crate) key: u64,
    pub(crate) port: u32,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) counters: Arc<SessionCounters>,
    pub(crate) rtp_timeout: Duration,
    /// Random: source, first sequence number, timestamp offset, report intervals (RFC 3550 wants them unguessable).
    pub(crate) random: (u32, u16, u32, u32),
}

impl Session {
    pub(crate) fn new(birth: Birth) -> Self {
        let (ssrc, sequence, offset, seed) = birth.random;
        Self {
            label: birth.label,
            key: birth.key,
            port: birth.port,
            slot: None,
            timer: None,
            events: birth.events,
            counters: birth.counters,
            stream: None,
            tx: TransmitStream::new(ssrc, sequence, offset),
            packetizer: None,
            rx: ReceptionStats::default(),
            event_receiver: EventReceiver::default(),
            ear: None,
            playback: None,
            digits_out: None,
            digits_asked: false,
            recorder: None,
            detector: None,
            masked: false,
            bridge: None,
            links: None,
            transform: None,
            linger: 0,
            rtp_timeout: birth.rtp_timeout,
            heard_at: MediaTime::ZERO,
            lost: false,
            report_due: MediaTime::ZERO,
            reported: (0, 0),
            reports: 0,
            remote_clock: RemoteClock::default(),
            seed,
        }
    }

    /// The place of its local port in the table of ports.
    pub(crate) const fn port(&self) -> u32 {
        self.port
    }

    /// Applies what was negotiated, at first or anew.
    pub(crate) fn configure(&mut self, now: MediaTime, params: StreamParams) {
        let before = self.stream.take();
        let source = match before {
            Some(Stream { params: old, source })
                if old.remote == params.remote && old.symmetric == params.symmetric =>
            {
                source
            }
            _ => SourceLock::new(params.remote, params.symmetric),
        };
        if self.report_due == MediaTime::ZERO {
            self.report_due = rtcp::next_report(now, self.next_random());
        }
        // The silence of a hold is not counted.
        self.heard_at = now;
        self.lost = false;
        if params.ptime_ms == 20 {
            self.packetizer = None;
        } else if self.packetizer.as_ref().is_none_or(|packetizer| packetizer.packet_ticks() != params.packet_ticks()) {
            self.packetizer = Some(Box::new(Packetizer::new(params.packet_ticks())));
        }
        if let Some(leg) = &mut self.bridge {
            leg.break_relay();
        }
        self.stream = Some(Stream { params, source });
        self.arrange_ear();
    }

    /// What a bridged leg must know of this one's stream.
    pub(crate) fn peer_stream(&self) -> Option<PeerStream> {
        self.stream.as_ref().map(|stream| PeerStream::of(&stream.params))
    }

    pub(crate) fn play(&mut self, playback: Box<Playback>) {
        self.end_playback(PlaybackEnd::Stopped);
        self.playback = Some(playback);
    }

    /// Stops a playback, if it is the one that plays.
    pub(crate) fn stop(&mut self, id: PlaybackId) {
        if self.playing(id).is_some() {
            self.end_playback(PlaybackEnd::Stopped);
        }
    }

    pub(crate) fn set_paused(&mut self, id: PlaybackId, paused: bool) {
        if let Some(playback) = self.playing(id) {
            playback.paused = paused;
        }
    }

    pub(crate) fn seek(&mut self, id: PlaybackId, to_ms: u64) {
        if let Some(playback) = self.playing(id) {
            playback.seek(to_ms);
        }
    }

    /// Sends digits; those of an earlier command that still wait are dropped.
    pub(crate) fn send_digits(&mut self, digits: DigitsOut) {
        self.finish_digits();
        self.digits_out = Some(Box::new(digits));
        self.digits_asked = true;
    }

    pub(crate) fn record(&mut self, recorder: Box<Recorder>) {
        self.end_recording(RecordingEnd::Finished);
        self.recorder = Some(recorder);
        self.arrange_ear();
        self.begin_recording();
    }

    pub(crate) fn set_recording_paused(&mut self, id: RecordingId, paused: bool) {
        if let Some(recorder) = self.recording(id) {
            recorder.paused = paused;
        }
    }

    pub(crate) fn finish_recording(&mut self, id: RecordingId) {
        if self.recording(id).is_some() {
            self.end_recording(RecordingEnd::Finished);
        }
    }

    pub(crate) fn discard_recording(&mut self, id: RecordingId) {
        if self.recording(id).is_some() {
            self.recorder = None;
            self.arrange_ear();
        }
    }

    /// While masked, recordings get silence.
    pub(crate) fn set_masked(&mut self, masked: bool) {
        self.masked = masked;
    }

    pub(crate) fn set_transform(&mut self, transform: Option<Box<dyn PacketTransform>>) {
        self.transform = transform;
    }

    /// Listens for who or what answers, in place of what was listened for; for nothing, if `None`.
    pub(crate) fn listen_for(&mut self, detector: Option<Box<Detector>>) {
        self.detector = detector;
        self.arrange_ear();
    }

    pub(crate) fn bridge(&mut self, leg: BridgeLeg) {
        self.bridge = Some(Box::new(leg));
    }

    pub(crate) fn bridge_leg(&mut self) -> Option<&mut BridgeLeg> {
        self.bridge.as_deref_mut()
    }

    /// Leaves its bridge, if it is the one with this peer; `told` by an event if the peer ended it.
    pub(crate) fn unbridge(&mut self, peer_key: Option<u64>, told: bool) {
        if peer_key.is_some_and(|key| self.bridge.as_ref().is_none_or(|leg| leg.peer.key != key)) {
            return;
        }
        if self.bridge.take().is_some() && told {
            self.tell(MediaEvent::BridgeEnded);
        }
    }

    /// Makes or changes a link.
    pub(crate) fn link(&mut self, link: Link) {
        self.links.get_or_insert_default().set(link);
    }

    /// Ends the link with a session.
    pub(crate) fn unlink(&mut self, peer_key: u64) {
        if let Some(links) = &mut self.links {
            links.end(peer_key);
            if links.is_empty() {
                self.links = None;
            }
        }
    }

    pub(crate) fn linked(&self) -> impl Iterator<Item = PeerRef> {
        self.links.iter().flat_map(|links| links.peers())
    }

    /// Who is handed what our party says, beside the bridge.
    pub(crate) fn listeners(&self) -> [Option<PeerRef>; LINKS_MAX] {
        self.links.as_ref().map_or([None; LINKS_MAX], |links| links.listeners())
    }

    /// The stream of the bridged or of a linked session has changed.
    pub(crate) fn set_peer_stream(&mut self, peer_key: u64, stream: PeerStream) {
        if let Some(leg) = self.bridge_leg().filter(|leg| leg.peer.key == peer_key) {
            leg.set_peer_stream(stream);
        }
        if let Some(links) = &mut self.links {
            links.set_stream(peer_key, stream);
        }
    }

    /// Ends everything. Only a goodbye by RTCP is still sent.
    pub(crate) fn close(&mut self, now: MediaTime, out: &mut impl Outlet) {
        if self.reports > 0 {
            self.send_report(now, out, true);
        }
        self.end_playback(PlaybackEnd::Closed);
        self.end_recording(RecordingEnd::Closed);
    }

    /// Does what is due and tells when it wants to be called again.
    pub(crate) fn handle_timeout(&mut self, now: MediaTime, out: &mut impl Outlet) -> Option<MediaTime> {
        if let Some(end) = self.event_receiver.expire(now) {
            self.tell_digit_ended(end.digit, end.duration_ms, DigitSource::TelephoneEvent);
        }
        if let Some(at) = self.loss_deadline()
            && at <= now
        {
            self.lost = true;
            self.tell(MediaEvent::MediaLost { silent_ms: now.ms_since(self.heard_at) });
        }
        if self.stream.is_some() && self.report_due <= now {
            let traffic = (self.tx.totals().0, self.counters.packets_received.load(Ordering::Relaxed));
            if traffic != self.reported {
                self.reported = traffic;
                self.send_report(now, out, false);
            }
            self.report_due = rtcp::next_report(now, self.next_random());
        }
        self.deadline()
    }

    /// When the next thing is due.
    pub(crate) fn deadline(&self) -> Option<MediaTime> {
        let report = self.stream.as_ref().map(|_| self.report_due);
        [report, self.loss_deadline(), self.event_receiver.deadline()].into_iter().flatten().min()
    }

    fn loss_deadline(&self) -> Option<MediaTime> {
        let expected = self.stream.as_ref().is_some_and(|stream| stream.params.receive);
        (expected && !self.lost && !self.rtp_timeout.is_zero()).then(|| self.heard_at + self.rtp_timeout)
    }

    /// Listens to the party's audio if somebody wants it, and not if nobody does.
    fn arrange_ear(&mut self) {
        let Some(stream) = self.stream.as_ref().filter(|stream| stream.params.receive) else {
            self.ear = None;
            return;
        };
        let in_band = stream.params.telephone_event.is_none();
        if !in_band && self.recorder.is_none() && self.detector.is_none() {
            self.ear = None;
            return;
        }
        let codec = stream.params.codec;
        let ear = match self.ear.take() {
            Some(ear) if ear.listener.codec() == codec => ear,
            _ => Box::new(Ear { listener: Listener::new(codec), ssrc: 0, detector: None }),
        };
        let ear = self.ear.insert(ear);
        if !in_band {
            ear.detector = None;
        } else if ear.detector.is_none() {
            ear.detector = Some(Box::new(InBandDetector::new()));
        }
    }

    /// A key went down: tell it, and stop what it stops.
    fn press(&mut self, digit: Digit, source: DigitSource) {
        self.counters.digits.store(self.counters.digits.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
        if self.reports_digits() {
            self.tell(MediaEvent::Digit { digit, source });
        }
        if self.playback.as_ref().is_some_and(|playback| playback.barge_in.stops_at(digit)) {
            self.end_playback(PlaybackEnd::Interrupted(digit));
        }
        if self.recorder.as_ref().is_some_and(|recorder| recorder.stops_at(digit)) {
            self.end_recording(RecordingEnd::Key(digit));
        }
    }

    fn tell_digit_ended(&self, digit: Digit, duration_ms: u32, source: DigitSource) {
        if self.reports_digits() {
            self.tell(MediaEvent::DigitEnded { digit, duration_ms, source });
        }
    }

    fn reports_digits(&self) -> bool {
        self.bridge.as_ref().is_none_or(|leg| leg.options.report_digits)
    }

    fn end_playback(&mut self, reason: PlaybackEnd) {
        if let Some(playback) = self.playback.take() {
            self.tell(MediaEvent::PlaybackEnded { id: playback.id, played_ms: playback.played_ms(), reason });
        }
    }

    fn end_recording(&mut self, reason: RecordingEnd) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.finish(reason);
            self.arrange_ear();
        }
    }

    /// Tells the beginning of a recording, once its beep is over.
    fn begin_recording(&mut self) {
        if let Some(recorder) = &mut self.recorder
            && recorder.begins()
        {
            let id = recorder.id;
            self.tell(MediaEvent::RecordingStarted { id });
        }
    }

    fn finish_digits(&mut self) {
        self.digits_out = None;
        if std::mem::take(&mut self.digits_asked) {
            self.tell(MediaEvent::DigitsSent);
        }
    }

    fn playing(&mut self, id: PlaybackId) -> Option<&mut Playback> {
        self.playback.as_deref_mut().filter(|playback| playback.id == id)
    }

    fn recording(&mut self, id: RecordingId) -> Option<&mut Recorder> {
        self.recorder.as_deref_mut().filter(|recorder| recorder.id == id)
    }

    fn tell(&self, event: MediaEvent) {
        self.events.media_event(self.label, event);
    }

    fn next_random(&mut self) -> u32 {
        // A linear congruence is random enough to keep reports apart.
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.seed >> 8
    }
}
