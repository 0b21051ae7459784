//! What is asked of a pacer, and how others reach it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::OwnedFd;

use crate::bridge::{Handed, LegOptions, PeerRef, PeerStream};
use crate::detect::Detector;
use crate::digit::Digit;
use crate::error::MediaError;
use crate::event::{PlaybackId, RecordingId};
use crate::link::Link;
use crate::params::StreamParams;
use crate::playback::Playback;
use crate::ports::{PortPool, PortTable, WAKER};
use crate::record::Recorder;
use crate::rtp::Packet;
use crate::session::{DigitsOut, Session};
use crate::stats::PacerCounters;
use crate::transform::PacketTransform;

/// Commands that may wait for a pacer.
const COMMANDS_WAITING_MAX: usize = 65_536;

/// What a session's handle asks of the pacer.
pub(crate) enum Command {
    Open(Box<Session>),
    Session {
        port: u32,
        request: Request,
    },
    /// From another pacer: a packet of a bridged leg.
    Peer {
        to: PeerRef,
        /// The key of the session whose party sent it.
        from: u64,
        packet: Box<PeerPacket>,
    },
    Close {
        port: u32,
    },
    Stop,
}

/// A request to one session.
pub(crate) enum Request {
    Configure(StreamParams),
    Play(Box<Playback>),
    Stop(PlaybackId),
    Pause(PlaybackId, bool),
    Seek(PlaybackId, u64),
    Digits(DigitsOut),
    Record(Box<Recorder>),
    PauseRecording(RecordingId, bool),
    FinishRecording(RecordingId),
    DiscardRecording(RecordingId),
    Mask(bool),
    Transform(Option<Box<dyn PacketTransform>>),
    /// Listen for this from now on; for nothing, if `None`.
    Listen(Option<Box<Detector>>),
    Bridge {
        peer: PeerRef,
        stream: Option<PeerStream>,
        options: LegOptions,
    },
    /// Leave the bridge, if it is the one with this peer; any, if `None`. `told` if the peer has left it.
    Unbridge {
        peer_key: Option<u64>,
        told: bool,
    },
    /// Hear another session beside the bridge, and be heard by it; anew, where there is a link with it already.
    Link(Link),
    /// End the link with this peer; all, telling the peers, if `None`.
    Unlink {
        peer_key: Option<u64>,
    },
    /// The peer's stream has changed.
    PeerStream {
        peer_key: u64,
        stream: PeerStream,
    },
}

/// A packet on its way to a leg of another pacer.
pub(crate) struct PeerPacket {
    kind: PeerKind,
    marker: bool,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: Vec<u8>,
}

enum PeerKind {
    Audio,
    Event(Option<Digit>),
    Withheld,
}

/// How others reach a pacer.
pub(crate) struct PacerHandle {
    commands: Sender<Command>,
    /// Set while the pacer waits in epoll and must be woken.
    parked: Arc<AtomicBool>,
    waker: Arc<OwnedFd>,
    pub(crate) pool: Arc<PortPool>,
    pub(crate) counters: Arc<PacerCounters>,
}

impl PacerHandle {
    pub(crate) fn send(&self, command: Command) -> Result<(), MediaError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => MediaError::Busy { limit: COMMANDS_WAITING_MAX },
            TrySendError::Disconnected(_) => MediaError::Stopped,
        })?;
        self.wake();
        Ok(())
    }

    /// For what must not be lost: a port would be gone for ever. Waits if the queue is full, which is why nothing that
    /// ends sessions may be done on a pacer's thread while it is: an event sink only passes events on.
    pub(crate) fn send_surely(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.wake();
        }
    }

    fn wake(&self) {
        if self.parked.swap(false, Ordering::SeqCst) {
            // The counter of an eventfd cannot overflow by ones.
            let _ = rustix::io::write(&*self.waker, &1u64.to_ne_bytes());
        }
    }
}

/// A pacer's own part, made before its thread and handed to it.
pub(crate) struct Seat {
    pub(crate) commands: Receiver<Command>,
    pub(crate) parked: Arc<AtomicBool>,
    pub(crate) waker: Arc<OwnedFd>,
    pub(crate) epoll: Arc<OwnedFd>,
}

/// Makes the two ends of a pacer.
pub(crate) fn seat(
    table: &Arc<PortTable>,
    rest_ms: u64,
    pacer: usize,
    pacers: usize,
) -> Result<(PacerHandle, Seat), MediaError> {
    let system = |what| move |error: rustix::io::Errno| MediaError::System { what, source: error.into() };
    let epoll = Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system("an epoll set"))?);
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    let waker = Arc::new(eventfd(0, flags).map_err(system("an eventfd"))?);
    epoll::add(&epoll, &waker, epoll::EventData::new_u64(WAKER), epoll::EventFlags::IN)
        .map_err(system("an epoll registration"))?;
    let (sender, receiver) = crossbeam_channel::bounded(COMMANDS_WAITING_MAX);
    let parked = Arc::new(AtomicBool::new(false));
    let handle = PacerHandle {
        commands: sender,
        parked: Arc::clone(&parked),
        waker: Arc::clone(&waker),
        pool: Arc::new(PortPool::new(Arc::clone(table), Arc::clone(&epoll), rest_ms, pacer, pacers)),
        counters: Arc::default(),
    };
    Ok((handle, Seat { commands: receiver, parked, waker, epoll }))
}

impl PeerPacket {
    pub(crate) fn of(handed: &Handed<'_>) -> Self {
        let copy = |kind, packet: &Packet<'_>| Self {
            kind,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            payload: packet.payload.to_vec(),
        };
        match handed {
            Handed::Audio(packet) => copy(PeerKind::Audio, packet),
            Handed::Event(packet, pressed) => copy(PeerKind::Event(*pressed), packet),
            Handed::Withheld(ssrc) => Self {
                kind: PeerKind::Withheld,
                marker: false,
                sequence: 0,
                timestamp: 0,
                ssrc: *ssrc,
                payload: Vec::new(),
            },
        }
    }

    pub(crate) fn handed(&self) -> Handed<'_> {
        let packet = Packet {
            payload_type: 0,
            marker: self.marker,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            payload: &self.payload,
        };
        match self.kind {
            PeerKind::Audio => Handed::Audio(packet),
            PeerKind::Event(pressed) => Handed::Event(packet, pressed),
            PeerKind::Withheld => Handed::Withheld(self.ssrc),
        }
    }
}
