//! One call's media: receives, measures, records, sends.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio_codec::Decoder;
use audio_codec::g722::G722Decoder;
use audio_codec::pcma::PcmaDecoder;
use audio_codec::pcmu::PcmuDecoder;
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::meter::{Meter, Noticed};
use super::rtp::{self, RtpHeader, TelephoneEvent};
use super::send::{Made, PACKET_MS, Sender};
use super::wav::{self, Recorder};
use super::{Heard, MediaPorts};
use crate::oddity::{Oddity, OddityKind};
use crate::sdp::{Codec, Negotiated};

/// How long after a call's end its ports are watched for RTP that should not come.
const WATCH_MS: u64 = 120;
/// RTP this soon after the end was under way already: one packet interval.
const RTP_AFTER_BYE_GRACE_MS: u64 = 20;
/// A sample above this is no silence.
const AUDIBLE_PEAK: u16 = 256;
/// Packets read in one go before anything else gets its turn.
const READ_BATCH: usize = 64;
/// The longest RTP packet that is read, in bytes.
const PACKET_BYTES_MAX: usize = 2_048;
/// By how many packets the sender may catch up after it was held up.
const CATCH_UP_MAX: u32 = 5;
/// Oddities of media that one call reports.
const ODDITIES_MAX: u32 = 32;
/// Starts of events that are remembered to drop repeated packets.
const EVENTS_REMEMBERED: usize = 8;

/// Orders to a call's media.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum MediaCommand {
    Agreed(Negotiated),
    Answered(Instant),
    Press {
        keys: String,
        event: bool,
        duration_ms: u32,
        gap_ms: u32,
    },
    Speak(Arc<[i16]>),
    /// A digit went out as INFO: measure from now.
    DigitSent(Instant),
    /// Receive and send on other ports from now on.
    Move(MediaPorts),
    /// The call is over.
    Closed(Instant),
}

/// What media has to tell.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum MediaEvent {
    Digit(char),
    /// Audio began or may have stopped: whoever waits for sound or silence should look again.
    Sound,
    Odd(Oddity),
    Finished,
}

/// Who is told.
pub(crate) trait MediaSink: Send + Sync {
    fn media_event(&self, event: MediaEvent);
}

#[derive(Debug, Clone)]
pub(crate) struct MediaOptions {
    pub(crate) record: bool,
    /// Send silence while there is nothing to say.
    pub(crate) uplink: bool,
    pub(crate) microphone: Vec<i16>,
    pub(crate) seed: u64,
}

/// The media of one call.
pub(crate) struct MediaSession {
    rtp: std::net::UdpSocket,
    rtcp: std::net::UdpSocket,
    commands: mpsc::Receiver<MediaCommand>,
    sink: Arc<dyn MediaSink>,
    heard: Arc<Mutex<Heard>>,
    state: State,
}

struct State {
    agreed: Option<Negotiated>,
    payload_types: Vec<u8>,
    event_types: Vec<u8>,
    meter: Meter,
    sender: Sender,
    decoders: [Option<Box<dyn Decoder>>; 3],
    recorder: Option<Recorder>,
    events: VecDeque<(u32, u32, bool)>,
    closed_at: Option<Instant>,
    oddities: u32,
    was_audible: bool,
}

impl MediaSession {
    pub(crate) fn new(
        ports: MediaPorts,
        options: MediaOptions,
        commands: mpsc::Receiver<MediaCommand>,
        sink: Arc<dyn MediaSink>,
        heard: Arc<Mutex<Heard>>,
    ) -> Self {
        let seed = options.seed.to_be_bytes();
        let ssrc = u32::from_be_bytes([seed[0], seed[1], seed[2], seed[3]]);
        let sequence = u16::from_be_bytes([seed[4], seed[5]]);
        let mut sender = Sender::new(ssrc, sequence, ssrc.rotate_left(7), options.uplink);
        if !options.microphone.is_empty() {
            sender.speak(options.microphone.into());
        }
        let state = State {
            agreed: None,
            payload_types: Vec::new(),
            event_types: Vec::new(),
            meter: Meter::default(),
            sender,
            decoders: [None, None, None],
            recorder: options.record.then(|| Recorder::new(Instant::now())),
            events: VecDeque::new(),
            closed_at: None,
            oddities: 0,
            was_audible: false,
        };
        Self { rtp: ports.rtp, rtcp: ports.rtcp, commands, sink, heard, state }
    }

    /// Runs until the call has ended and its ports were watched a little longer.
    pub(crate) async fn run(self) {
        let Self { rtp, rtcp, mut commands, sink, heard, mut state } = self;
        let (Ok(mut rtp), Ok(mut rtcp)) = (UdpSocket::from_std(rtp), UdpSocket::from_std(rtcp)) else {
            heard.lock().finished = true;
            sink.media_event(MediaEvent::Finished);
            return;
        };
        let mut next_send = tokio::time::Instant::now();
        let mut packet = Vec::with_capacity(256);
        let mut ordered = true;
        loop {
            let watch_end = state.closed_at.map(|at| at + Duration::from_millis(WATCH_MS));
            let wake = watch_end.map_or(next_send, |end| next_send.min(end.into()));
            tokio::select! {
                biased;
                command = commands.recv(), if ordered => match command {
                    Some(MediaCommand::Closed(at)) => {
                        // What is in the socket already came before the end. Tokio only reads what its reactor has
                        // seen, and yielding lets it look.
                        tokio::task::yield_now().await;
                        state.receive(&rtp, &sink, &heard);
                        state.closed_at.get_or_insert(at.max(Instant::now()));
                    }
                    Some(MediaCommand::Move(ports)) => {
                        if let (Ok(new_rtp), Ok(new_rtcp)) = (UdpSocket::from_std(ports.rtp), UdpSocket::from_std(ports.rtcp)) {
                            (rtp, rtcp) = (new_rtp, new_rtcp);
                        }
                    }
                    Some(command) => state.command(command),
                    None => {
                        ordered = false;
                        state.closed_at.get_or_insert_with(Instant::now);
                    }
                },
                _ = rtp.readable() => state.receive(&rtp, &sink, &heard),
                _ = rtcp.readable() => state.receive_rtcp(&rtcp),
                () = tokio::time::sleep_until(wake) => {}
            }
            let now = Instant::now();
            if state.closed_at.is_some_and(|at| now >= at + Duration::from_millis(WATCH_MS)) {
                break;
            }
            state.send_due(&rtp, &mut next_send, &mut packet);
            state.publish(now, &sink, &heard);
        }
        let mut report = heard.lock();
        report.stats = state.meter.report(state.closed_at);
        report.recording = state.recorder.as_ref().map(|r| r.samples().to_vec()).unwrap_or_default();
        report.finished = true;
        drop(report);
        sink.media_event(MediaEvent::Finished);
    }
}

impl State {
    fn command(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Agreed(agreed) => {
                if let Some(old) = self.agreed
                    && (old.remote, old.codec, old.receive) != (agreed.remote, agreed.codec, agreed.receive)
                {
                    self.meter.renegotiated();
                }
                if !self.payload_types.contains(&agreed.payload_type) {
                    self.payload_types.push(agreed.payload_type);
                }
                if let Some(pt) = agreed.telephone_event.filter(|pt| !self.event_types.contains(pt)) {
                    self.event_types.push(pt);
                }
                self.sender.use_codec(agreed.codec);
                self.agreed = Some(agreed);
            }
            MediaCommand::Answered(at) => self.meter.answered(at),
            MediaCommand::Press { keys, event, duration_ms, gap_ms } => {
                for key in keys.chars() {
                    self.sender.press(key, event, duration_ms, gap_ms);
                }
            }
            MediaCommand::Speak(samples) => self.sender.speak(samples),
            MediaCommand::DigitSent(at) => self.meter.digit_sent(at),
            // `run` has done these: they concern the sockets.
            MediaCommand::Closed(_) | MediaCommand::Move(_) => {}
        }
    }

    fn send_due(&mut self, socket: &UdpSocket, next_send: &mut tokio::time::Instant, packet: &mut Vec<u8>) {
        let now = tokio::time::Instant::now();
        let interval = Duration::from_millis(PACKET_MS.into());
        let mut made = 0;
        while *next_send <= now {
            *next_send += interval;
            made += 1;
            if made > CATCH_UP_MAX {
                *next_send = now + interval;
            }
            let Some(agreed) = self.agreed.filter(|a| a.send && self.closed_at.is_none()) else { continue };
            let Some(remote) = agreed.remote else { continue };
            match self.sender.tick(&agreed, packet) {
                Made::Nothing => continue,
                Made::DigitStart => self.meter.digit_sent(Instant::now()),
                Made::Packet => {}
            }
            // A full or refusing socket loses the packet, as a network would.
            if socket.try_send_to(packet, remote).is_ok() {
                self.meter.stats.packets_sent += 1;
            }
        }
    }

    fn receive(&mut self, socket: &UdpSocket, sink: &Arc<dyn MediaSink>, heard: &Mutex<Heard>) {
        let mut buffer = [0; PACKET_BYTES_MAX];
        for _ in 0..READ_BATCH {
            let Ok((length, from)) = socket.try_recv_from(&mut buffer) else { return };
            let at = Instant::now();
            self.packet(at, &buffer[..length], from, sink, heard);
        }
    }

    fn receive_rtcp(&mut self, socket: &UdpSocket) {
        let mut buffer = [0; PACKET_BYTES_MAX];
        for _ in 0..READ_BATCH {
            if socket.try_recv_from(&mut buffer).is_err() {
                return;
            }
            self.meter.stats.rtcp_packets += 1;
        }
    }

    fn packet(&mut self, at: Instant, bytes: &[u8], from: SocketAddr, sink: &Arc<dyn MediaSink>, heard: &Mutex<Heard>) {
        if let Some(closed_at) = self.closed_at {
            self.meter.after_bye(at);
            let late = at.saturating_duration_since(closed_at);
            if late > Duration::from_millis(RTP_AFTER_BYE_GRACE_MS) {
                self.odd(sink, OddityKind::RtpAfterBye, format!("{} ms after the end", late.as_millis()));
            }
            return;
        }
        let Some((header, payload)) = rtp::parse(bytes) else {
            self.meter.stats.bad_packets += 1;
            self.odd(sink, OddityKind::BadRtp, format!("{} bytes that are no RTP", bytes.len()));
            return;
        };
        let foreign = self.agreed.and_then(|a| a.remote).is_some_and(|r| r.ip() != from.ip());
        if self.event_types.contains(&header.payload_type) {
            self.meter.event(at, header);
            self.event(header, payload, sink);
        } else if self.payload_types.contains(&header.payload_type) && !foreign && !payload.is_empty() {
            self.audio(at, header, payload, sink, heard);
        } else if self.agreed.is_some() {
            self.meter.stats.bad_packets += 1;
            let detail = format!("payload type {}, {} bytes", header.payload_type, payload.len());
            self.odd(sink, OddityKind::BadRtp, detail);
        }
    }

    fn audio(
        &mut self,
        at: Instant,
        header: RtpHeader,
        payload: &[u8],
        sink: &Arc<dyn MediaSink>,
        heard: &Mutex<Heard>,
    ) {
        let codec = match header.payload_type {
            0 => Codec::Pcmu,
            8 => Codec::Pcma,
            9 => Codec::G722,
            _ => self.agreed.map_or(Codec::Pcma, |a| a.codec),
        };
        let audio = self.decode(codec, payload);
        let audible = audio.iter().any(|s| s.unsigned_abs() > AUDIBLE_PEAK);
        let ticks = u32::try_from(payload.len()).unwrap_or_default();
        let noticed = self.meter.audio(at, header, ticks, audible);
        match noticed {
            Noticed::Old => return,
            Noticed::TimestampJump => self.odd(sink, OddityKind::TimestampJump, "without a marker".to_owned()),
            Noticed::SsrcChange => self.odd(sink, OddityKind::SsrcChanged, "without a new offer".to_owned()),
            Noticed::Nothing | Noticed::Spurt => {}
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.hear(at, noticed != Noticed::Nothing, &wav::resample(&audio, codec.sample_rate(), wav::RATE_HZ));
        }
        if audible {
            let mut heard = heard.lock();
            heard.first_audible.get_or_insert(at);
            heard.last_audible = Some(at);
        }
        if audible != self.was_audible {
            self.was_audible = audible;
            sink.media_event(MediaEvent::Sound);
        }
    }

    fn decode(&mut self, codec: Codec, payload: &[u8]) -> Vec<i16> {
        let slot = match codec {
            Codec::Pcma => &mut self.decoders[0],
            Codec::Pcmu => &mut self.decoders[1],
            Codec::G722 => &mut self.decoders[2],
        };
        slot.get_or_insert_with(|| match codec {
            Codec::Pcma => Box::new(PcmaDecoder::new()),
            Codec::Pcmu => Box::new(PcmuDecoder::new()),
            Codec::G722 => Box::new(G722Decoder::new()),
        })
        .decode(payload)
    }

    /// A digit counts once, at its first end packet, or when the next one begins without one.
    fn event(&mut self, header: RtpHeader, payload: &[u8], sink: &Arc<dyn MediaSink>) {
        let Some(event) = TelephoneEvent::parse(payload) else {
            self.odd(sink, OddityKind::BadTelephoneEvent, "shorter than 4 bytes".to_owned());
            return;
        };
        let duration = u32::from(event.duration);
        let known = self.events.iter_mut().find(|(timestamp, ..)| *timestamp == header.timestamp);
        match known {
            Some((_, _, true)) => return,
            Some((_, longest, ended)) => {
                let shrinks = duration < *longest && event.end;
                *longest = duration.max(*longest);
                *ended = event.end;
                if shrinks {
                    self.odd(sink, OddityKind::BadTelephoneEvent, "its duration shrinks".to_owned());
                }
            }
            None => {
                if self.events.back().is_some_and(|(.., ended)| !ended) {
                    self.odd(sink, OddityKind::BadTelephoneEvent, "an event without an end".to_owned());
                }
                if self.events.len() >= EVENTS_REMEMBERED {
                    self.events.pop_front();
                }
                self.events.push_back((header.timestamp, duration, event.end));
            }
        }
        if event.end
            && let Some(digit) = rtp::key_of(event.event)
        {
            sink.media_event(MediaEvent::Digit(digit));
        }
    }

    fn publish(&mut self, now: Instant, sink: &Arc<dyn MediaSink>, heard: &Mutex<Heard>) {
        let mut heard = heard.lock();
        heard.stats.packets = self.meter.stats.packets;
        heard.stats.packets_sent = self.meter.stats.packets_sent;
        let silent = heard.last_audible.is_some_and(|at| now.duration_since(at) > Duration::from_millis(60));
        drop(heard);
        if silent && self.was_audible {
            self.was_audible = false;
            sink.media_event(MediaEvent::Sound);
        }
    }

    fn odd(&mut self, sink: &Arc<dyn MediaSink>, kind: OddityKind, detail: String) {
        self.oddities += 1;
        if self.oddities <= ODDITIES_MAX {
            sink.media_event(MediaEvent::Odd(Oddity::new(kind, detail)));
        }
    }
}
