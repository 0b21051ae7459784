//! The pacer: one thread that owns its sessions and does everything for them.
//!
//! Each turn it takes commands, works off the slots of the wheel that are due, serves timers, and reads what has
//! arrived. While there is anything to send it sleeps to absolute deadlines, at most two milliseconds at a time, and
//! looks at the sockets between: many packets for one wake-up. When there is nothing, it waits in epoll and costs
//! nothing. As sessions belong to one thread there is no lock between a packet and its session.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::time::Timespec;

use crate::bridge::{BridgeLeg, Handed, PeerRef};
use crate::clock::Clock;
use crate::command::{Command, PacerHandle, PeerPacket, Request, Seat};
use crate::ports::{PortTable, WAKER};
use crate::rtp::DATAGRAM_BYTES_MAX;
use crate::session::{Outlet, PACKET_BYTES_MAX, Session};
use crate::stats::{self, PacerCounters};
use crate::time::MediaTime;
use crate::wheel::{Due, Wheel};

/// Commands taken in one turn: a storm of them must not delay a slot.
const COMMANDS_PER_TURN_MAX: usize = 512;
/// Slots worked off before sockets are looked at again: one round of the wheel.
const SLOTS_PER_TURN_MAX: usize = 20;
/// Sockets read in one turn.
const READS_PER_TURN_MAX: usize = 256;
/// The longest sleep while sessions are active: bounds how late a packet is read.
const NAP: Duration = Duration::from_millis(2);
/// How long a pacer stays awake after a command, expecting more: a wake-up costs more than a few empty looks.
const AWAKE_AFTER_COMMAND: Duration = Duration::from_millis(20);
/// The longest wait in epoll.
const PARKED_MAX: Duration = Duration::from_secs(1);
/// The priority asked for; refused without `CAP_SYS_NICE`, and then the default has to do.
const NICE: i32 = -15;
/// A slot this late is counted.
const LATE: Duration = Duration::from_millis(20);

/// What all pacers share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) table: Arc<PortTable>,
    pub(crate) pacers: Vec<PacerHandle>,
}

/// Sends from the table's sockets.
struct SocketOutlet {
    table: Arc<PortTable>,
    epoll: Arc<OwnedFd>,
    counters: Arc<PacerCounters>,
    buffer: Box<[u8; PACKET_BYTES_MAX]>,
}

impl Outlet for SocketOutlet {
    fn buffer(&mut self) -> &mut [u8; PACKET_BYTES_MAX] {
        &mut self.buffer
    }

    fn rtp(&mut self, port: u32, length: usize, to: SocketAddr) -> bool {
        let Some(sockets) = self.table.at(port) else { return false };
        stats::add(&self.counters.packets_sent, 1);
        sockets.rtp.send_to(&self.buffer[..length], to).is_ok()
    }

    fn rtcp(&mut self, port: u32, muxed: bool, length: usize, to: SocketAddr) {
        let socket =
            if muxed { self.table.at(port).map(|sockets| &sockets.rtp) } else { self.table.rtcp(port, &self.epoll) };
        if let Some(socket) = socket {
            // A report that is lost is followed by another.
            let _ = socket.send_to(&self.buffer[..length], to);
        }
    }
}

/// The thread's state.
pub(crate) struct Pacer {
    me: usize,
    shared: Arc<Shared>,
    seat: Seat,
    /// By the place of the session's port in the table.
    sessions: Vec<Option<Box<Session>>>,
    wheel: Wheel,
    timers: BinaryHeap<Reverse<(MediaTime, u32)>>,
    out: SocketOutlet,
    counters: Arc<PacerCounters>,
    awake_until: MediaTime,
    second_began: MediaTime,
    stopping: bool,
}

impl Pacer {
    pub(crate) fn new(me: usize, shared: Arc<Shared>, seat: Seat) -> Self {
        let counters = Arc::clone(&shared.pacers[me].counters);
        let out = SocketOutlet {
            table: Arc::clone(&shared.table),
            epoll: Arc::clone(&seat.epoll),
            counters: Arc::clone(&counters),
            buffer: Box::new([0; PACKET_BYTES_MAX]),
        };
        Self {
            me,
            sessions: (0..shared.table.len()).map(|_| None).collect(),
            wheel: Wheel::new(shared.clock.now()),
            timers: BinaryHeap::new(),
            out,
            counters,
            awake_until: MediaTime::ZERO,
            second_began: MediaTime::ZERO,
            stopping: false,
            shared,
            seat,
        }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "media thread keeps the default priority");
        }
        while !self.stopping {
            self.turn();
        }
        let now = self.shared.clock.now();
        for port in 0..self.sessions.len() {
            self.close(u32::try_from(port).unwrap_or(u32::MAX), now);
        }
    }

    fn turn(&mut self) {
        self.take_commands();
        self.fire_slots();
        let now = self.shared.clock.now();
        self.serve_timers(now);
        let due = self.wheel.deadline();
        if due.is_some() || now < self.awake_until {
            let read = self.read_sockets(Some(Duration::ZERO));
            if read < READS_PER_TURN_MAX {
                let nap_end = now + NAP;
                self.shared.clock.sleep_until(due.map_or(nap_end, |due| due.min(nap_end)));
            }
        } else {
            self.park(now);
        }
    }

    /// Waits in epoll until a packet, a timer or a command comes.
    fn park(&mut self, now: MediaTime) {
        self.seat.parked.store(true, Ordering::SeqCst);
        // A command sent before the flag was seen would wait for nothing.
        if self.seat.commands.is_empty() {
            let timer = self.timers.peek().map_or(PARKED_MAX, |Reverse((at, _))| *at - now);
            self.read_sockets(Some(timer.min(PARKED_MAX)));
        }
        self.seat.parked.store(false, Ordering::SeqCst);
    }

    fn take_commands(&mut self) {
        for _ in 0..COMMANDS_PER_TURN_MAX {
            let Ok(command) = self.seat.commands.try_recv() else { return };
            let now = self.shared.clock.now();
            self.awake_until = now + AWAKE_AFTER_COMMAND;
            self.obey(command, now);
        }
    }

    fn obey(&mut self, command: Command, now: MediaTime) {
        match command {
            Command::Open(session) => {
                let port = session.port();
                if let Some(place) = self.sessions.get_mut(port as usize) {
                    *place = Some(session);
                }
            }
            Command::Session { port, request } => self.request(port, request, now),
            Command::Peer { to, from, packet } => {
                let packet = *packet;
                self.hand_to(to, from, &packet.handed(), now);
            }
            Command::Close { port } => self.close(port, now),
            Command::Stop => self.stopping = true,
        }
    }

    fn request(&mut self, port: u32, request: Request, now: MediaTime) {
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { return };
        match request {
            Request::Configure(params) => {
                session.configure(now, params);
                self.tell_peers_of_stream(port);
            }
            Request::Play(playback) => session.play(playback),
            Request::Stop(id) => session.stop(id),
            Request::Pause(id, paused) => session.set_paused(id, paused),
            Request::Seek(id, to_ms) => session.seek(id, to_ms),
            Request::Digits(digits) => session.send_digits(digits),
            Request::Record(recorder) => session.record(recorder),
            Request::PauseRecording(id, paused) => session.set_recording_paused(id, paused),
            Request::FinishRecording(id) => session.finish_recording(id),
            Request::DiscardRecording(id) => session.discard_recording(id),
            Request::Mask(masked) => session.set_masked(masked),
            Request::Transform(transform) => session.set_transform(transform),
            Request::Listen(detector) => session.listen_for(detector),
            Request::Bridge { peer, stream, options } => {
                self.leave_bridge(port);
                if let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) {
                    session.bridge(BridgeLeg::new(peer, stream, options));
                }
                self.tell_peers_of_stream(port);
            }
            Request::Unbridge { peer_key, told } => session.unbridge(peer_key, told),
            Request::Link(link) => {
                session.link(link);
                self.tell_peers_of_stream(port);
            }
            Request::Unlink { peer_key: Some(key) } => session.unlink(key),
            Request::Unlink { peer_key: None } => self.leave_links(port),
            Request::PeerStream { peer_key, stream } => session.set_peer_stream(peer_key, stream),
        }
        self.attend(port, now);
    }

    /// Puts a session in the wheel if it has work, and its timer in the heap.
    fn attend(&mut self, port: u32, now: MediaTime) {
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { return };
        if session.slot.is_none() && session.wants_tick() {
            session.slot = Some(self.wheel.add(port, now));
        }
        if let Some(deadline) = session.deadline()
            && session.timer.is_none_or(|armed| deadline < armed)
        {
            session.timer = Some(deadline);
            self.timers.push(Reverse((deadline, port)));
        }
    }

    fn fire_slots(&mut self) {
        let mut now = self.shared.clock.now();
        for _ in 0..SLOTS_PER_TURN_MAX {
            let Some(due) = self.wheel.next_due(now) else { break };
            self.fire(due);
            now = self.shared.clock.now();
            self.note_lateness(now, due.at);
        }
        self.counters.sessions_active.store(self.wheel.members() as u64, Ordering::Relaxed);
        self.counters.schedule_jumps.store(self.wheel.jumps(), Ordering::Relaxed);
    }

    fn fire(&mut self, due: Due) {
        let mut members = self.wheel.take(due.slot);
        members.retain(|port| {
            let Some(session) = self.sessions.get_mut(*port as usize).and_then(Option::as_mut) else { return false };
            let stays = session.tick(due.at, &mut self.out);
            if !stays {
                session.slot = None;
            }
            stays
        });
        self.wheel.put_back(due.slot, members);
    }

    fn note_lateness(&mut self, now: MediaTime, due: MediaTime) {
        let late = now - due;
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let counters = &self.counters;
        if now - self.second_began >= Duration::from_secs(1) {
            self.second_began = now;
            counters
                .lateness_us_last_second
                .store(counters.lateness_us_this_second.load(Ordering::Relaxed), Ordering::Relaxed);
            counters.lateness_us_this_second.store(0, Ordering::Relaxed);
        }
        for worst in [&counters.lateness_us_this_second, &counters.lateness_us_worst] {
            worst.store(worst.load(Ordering::Relaxed).max(late_us), Ordering::Relaxed);
        }
        if late > LATE {
            stats::add(&counters.slots_late, 1);
        }
    }

    fn serve_timers(&mut self, now: MediaTime) {
        while let Some(Reverse((at, port))) = self.timers.peek().copied() {
            if at > now {
                return;
            }
            self.timers.pop();
            let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { continue };
            // An entry of an earlier session on this port, or one that was overtaken.
            if session.timer != Some(at) {
                continue;
            }
            session.timer = session.handle_timeout(now, &mut self.out);
            if let Some(next) = session.timer {
                self.timers.push(Reverse((next, port)));
            }
        }
    }

    /// Reads what has arrived; the number of sockets that had something.
    fn read_sockets(&mut self, timeout: Option<Duration>) -> usize {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut room = [const { MaybeUninit::<epoll::Event>::uninit() }; READS_PER_TURN_MAX];
        let Ok((ready, _)) = epoll::wait(&self.seat.epoll, &mut room, timeout.as_ref()) else { return 0 };
        let now = self.shared.clock.now();
        let table = Arc::clone(&self.shared.table);
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        for event in ready.iter() {
            let token = event.data.u64();
            if token == WAKER {
                let _ = rustix::io::read(&*self.seat.waker, &mut [0; 8]);
                continue;
            }
            let (port, rtcp) = PortTable::from_token(token);
            let socket = if rtcp { table.rtcp_if_open(port) } else { table.at(port).map(|sockets| &sockets.rtp) };
            if let Some(socket) = socket {
                self.read_one(socket, &mut buffer, port, rtcp, now);
            }
        }
        ready.len()
    }

    /// Reads one datagram. If there are more, epoll says so again: sockets take turns.
    fn read_one(
        &mut self,
        socket: &UdpSocket,
        buffer: &mut [u8; DATAGRAM_BYTES_MAX + 1],
        port: u32,
        rtcp: bool,
        now: MediaTime,
    ) {
        let (length, from) = match socket.recv_from(buffer) {
            Ok(received) => received,
            // Reading also takes a pending error off the socket, such as a port that is closed over there.
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::trace!(%error, "a media socket reported an error");
                }
                return;
            }
        };
        stats::add(&self.counters.datagrams_received, 1);
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else {
            stats::add(&self.counters.strays, 1);
            return;
        };
        let datagram = &mut buffer[..length];
        let handed = if rtcp {
            session.handle_rtcp(now, datagram, from);
            None
        } else {
            session.handle_rtp(now, datagram, from)
        };
        if let Some(handed) = handed {
            let (key, listeners) = (session.key, session.listeners());
            let peer = session.bridge_leg().map(|leg| leg.peer);
            if let Some(peer) = peer {
                self.hand_to(peer, key, &handed, now);
            }
            if matches!(handed, Handed::Audio(_)) {
                for listener in listeners.into_iter().flatten() {
                    self.hand_to(listener, key, &handed, now);
                }
            }
        }
        self.attend(port, now);
    }

    fn close(&mut self, port: u32, now: MediaTime) {
        self.leave_bridge(port);
        self.leave_links(port);
        let Some(mut session) = self.sessions.get_mut(port as usize).and_then(Option::take) else { return };
        if let Some(slot) = session.slot {
            self.wheel.remove(port, slot);
        }
        session.close(now, &mut self.out);
        self.shared.pacers[self.me].pool.give_back(port, now);
    }

    /// Takes a session out of its bridge and tells the other leg.
    fn leave_bridge(&mut self, port: u32) {
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { return };
        let Some(peer) = session.bridge_leg().map(|leg| leg.peer) else { return };
        let key = session.key;
        session.unbridge(None, false);
        self.ask_peer(peer, Request::Unbridge { peer_key: Some(key), told: true });
    }

    /// Ends a session's links, with those that it is linked with.
    fn leave_links(&mut self, port: u32) {
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { return };
        let key = session.key;
        let peers: Vec<PeerRef> = session.linked().collect();
        for peer in peers {
            if let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) {
                session.unlink(peer.key);
            }
            self.ask_peer(peer, Request::Unlink { peer_key: Some(key) });
        }
    }

    fn tell_peers_of_stream(&mut self, port: u32) {
        let Some(session) = self.sessions.get_mut(port as usize).and_then(Option::as_mut) else { return };
        let Some(stream) = session.peer_stream() else { return };
        let peer_key = session.key;
        let bridged = session.bridge_leg().map(|leg| leg.peer);
        let peers: Vec<PeerRef> = bridged.into_iter().chain(session.linked()).collect();
        for peer in peers {
            self.ask_peer(peer, Request::PeerStream { peer_key, stream });
        }
    }

    /// Asks something of a session that may live on another pacer. It must check keys: the port may be another's.
    fn ask_peer(&mut self, peer: PeerRef, request: Request) {
        if peer.pacer == self.me {
            let now = self.shared.clock.now();
            self.request(peer.index, request, now);
        } else if let Some(pacer) = self.shared.pacers.get(peer.pacer) {
            // A full queue there means overload; the leg then learns of the change with its next packet's silence.
            let _ = pacer.send(Command::Session { port: peer.index, request });
        }
    }

    /// Hands a packet of the session with the key `from` to the other leg of its bridge, or to a linked session.
    fn hand_to(&mut self, to: PeerRef, from: u64, handed: &Handed<'_>, now: MediaTime) {
        if to.pacer != self.me {
            if let Some(pacer) = self.shared.pacers.get(to.pacer) {
                let packet = Box::new(PeerPacket::of(handed));
                // Audio that finds the queue full is lost, as on an overloaded network.
                let _ = pacer.send(Command::Peer { to, from, packet });
            }
            return;
        }
        let Some(session) = self.sessions.get_mut(to.index as usize).and_then(Option::as_mut) else { return };
        if session.key == to.key {
            session.handle_peer(now, from, handed, &mut self.out);
            self.attend(to.index, now);
        }
    }
}
