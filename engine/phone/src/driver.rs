//! The signalling task: carries messages between sockets and the agent, and the agent's signals to the calls.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::agent::{Agent, CallKey, Command, Invitation, Output, Signal};
use crate::call::{self, Call, IncomingCall};
use crate::message::MESSAGE_BYTES_MAX;
use crate::phone::{BINDINGS_MAX, OnIncoming, OnRefer, PhoneInner, ToDriver};
use crate::shared::CallShared;
use crate::tcp::{TcpEvent, TcpLinks};
use crate::transaction::Peer;

/// Messages taken from one source before others get their turn.
const BATCH: usize = 64;
/// How many messages of all TCP connections wait for the task.
const TCP_EVENTS_MAX: usize = 1_024;
/// Looks at the clock at least this often.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// The signalling task of one phone.
pub(crate) struct Driver {
    agent: Agent,
    udp: UdpSocket,
    listener: TcpListener,
    tcp: TcpLinks,
    tcp_events: mpsc::Receiver<TcpEvent>,
    commands: mpsc::Receiver<ToDriver>,
    incoming: mpsc::Sender<IncomingCall>,
    calls: HashMap<CallKey, Arc<CallShared>>,
    requests: HashMap<u64, oneshot::Sender<(u16, Option<u32>)>>,
    phone: Weak<PhoneInner>,
    stop: Arc<Notify>,
}

enum Woken {
    Udp,
    Tcp(Option<TcpEvent>),
    Accepted(std::io::Result<(TcpStream, SocketAddr)>),
    Command(Option<ToDriver>),
    Clock,
    Stop,
}

impl Driver {
    pub(crate) fn new(
        agent: Agent,
        udp: UdpSocket,
        listener: TcpListener,
        commands: mpsc::Receiver<ToDriver>,
        incoming: mpsc::Sender<IncomingCall>,
        phone: &Arc<PhoneInner>,
    ) -> Self {
        let (sender, tcp_events) = mpsc::channel(TCP_EVENTS_MAX);
        Self {
            agent,
            udp,
            listener,
            tcp: TcpLinks::new(sender),
            tcp_events,
            commands,
            incoming,
            calls: HashMap::new(),
            requests: HashMap::new(),
            phone: Arc::downgrade(phone),
            stop: phone.stop.clone(),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut buffer = vec![0; MESSAGE_BYTES_MAX];
        loop {
            let deadline = self.agent.deadline().unwrap_or_else(|| Instant::now() + IDLE_MAX);
            let woken = tokio::select! {
                () = self.stop.notified() => Woken::Stop,
                command = self.commands.recv() => Woken::Command(command),
                _ = self.udp.readable() => Woken::Udp,
                event = self.tcp_events.recv() => Woken::Tcp(event),
                accepted = self.listener.accept() => Woken::Accepted(accepted),
                () = tokio::time::sleep_until(deadline.into()) => Woken::Clock,
            };
            match woken {
                Woken::Stop | Woken::Command(None) => return,
                Woken::Command(Some(command)) => self.commanded(command),
                Woken::Udp => self.read_udp(&mut buffer),
                Woken::Tcp(Some(event)) => self.tcp_event(event),
                Woken::Accepted(Ok((stream, addr))) => self.tcp.accept(stream, addr),
                Woken::Tcp(None) | Woken::Accepted(Err(_)) | Woken::Clock => {}
            }
            self.agent.handle_timeout(Instant::now());
            self.drain().await;
        }
    }

    fn commanded(&mut self, command: ToDriver) {
        let now = Instant::now();
        match command {
            ToDriver::Agent(command) => self.agent.handle_command(now, command),
            ToDriver::Dial(shared, dial) => {
                let key = shared.key;
                self.calls.insert(key, shared);
                self.agent.handle_command(now, Command::Dial { key, dial });
            }
            ToDriver::Ask(request, answer, command) => {
                self.requests.insert(request, answer);
                self.agent.handle_command(now, command);
            }
        }
    }

    fn read_udp(&mut self, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            // An ICMP refusal of an earlier send shows up here as an error; the timers deal with it.
            let Ok((length, addr)) = self.udp.try_recv_from(buffer) else { return };
            self.agent.handle_message(Instant::now(), Peer { addr, tcp: false }, &buffer[..length]);
        }
    }

    fn tcp_event(&mut self, event: TcpEvent) {
        match event {
            TcpEvent::Message(addr, bytes) => {
                self.agent.handle_message(Instant::now(), Peer { addr, tcp: true }, &bytes);
            }
            TcpEvent::Odd(oddity) => {
                if let Some(phone) = self.phone.upgrade() {
                    phone.oddities.lock().push(oddity);
                }
            }
            TcpEvent::Closed(addr) => self.tcp.closed(addr),
        }
    }

    async fn drain(&mut self) {
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Send { peer, bytes } if peer.tcp => self.tcp.send(peer.addr, bytes),
                Output::Send { peer, bytes } => {
                    if let Err(error) = self.udp.send_to(&bytes, peer.addr).await {
                        tracing::debug!(%error, "a datagram is lost");
                    }
                }
                Output::Call(key, signal) => self.signalled(key, &signal),
                Output::Incoming(key, invitation) => self.invited(key, invitation),
                Output::Request { request, status, expires_s } => {
                    if let Some(answer) = self.requests.remove(&request) {
                        // Whoever asked may have stopped waiting.
                        let _ = answer.send((status, expires_s));
                    }
                }
                Output::Registered(binding) => {
                    let Some(phone) = self.phone.upgrade() else { return };
                    let mut bindings = phone.bindings.lock();
                    if bindings.len() < BINDINGS_MAX {
                        bindings.push(binding);
                    }
                    drop(bindings);
                    phone.registered.notify_waiters();
                }
                Output::Odd(oddity) => {
                    if let Some(phone) = self.phone.upgrade() {
                        phone.oddities.lock().push(oddity);
                    }
                }
            }
        }
    }

    fn signalled(&mut self, key: CallKey, signal: &Signal) {
        let Some(shared) = self.calls.get(&key).cloned() else { return };
        let ended = matches!(signal, Signal::Ended(_));
        let refer = match signal {
            Signal::Refer { target, replaces } => Some((target.clone(), replaces.clone())),
            _ => None,
        };
        shared.signalled(signal);
        if ended {
            self.calls.remove(&key);
        }
        if let Some((target, replaces)) = refer {
            self.referred(shared, target, replaces);
        }
    }

    fn invited(&mut self, key: CallKey, invitation: Invitation) {
        let Some(phone) = self.phone.upgrade() else { return };
        let options = phone.config.options.clone();
        let shared = CallShared::new(key, options, Some(invitation), self.phone.clone(), phone.commands.clone());
        self.calls.insert(key, shared.clone());
        let now = Instant::now();
        match &phone.config.on_incoming {
            OnIncoming::Ask => {}
            OnIncoming::Answer { after } if after.is_zero() => self.answer(now, &shared),
            OnIncoming::Answer { after } => {
                self.agent.handle_command(now, Command::Ring { key, early: None });
                let (after, shared) = (*after, shared.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    if let Err(error) = call::answer(&shared) {
                        tracing::warn!(%error, "an incoming call cannot be answered");
                    }
                });
            }
            OnIncoming::Ring => self.agent.handle_command(now, Command::Ring { key, early: None }),
            OnIncoming::Reject { status, retry_after_s } => {
                let headers = retry_after_s.iter().map(|s| ("Retry-After".to_owned(), s.to_string())).collect();
                self.agent.handle_command(now, Command::Reject { key, status: *status, headers });
            }
            OnIncoming::Redirect(uri) => {
                let headers = vec![("Contact".to_owned(), format!("<{uri}>"))];
                self.agent.handle_command(now, Command::Reject { key, status: 302, headers });
            }
        }
        if self.incoming.try_send(IncomingCall { call: Call { shared } }).is_err()
            && phone.config.on_incoming == OnIncoming::Ask
        {
            let headers = Vec::new();
            self.agent.handle_command(now, Command::Reject { key, status: 486, headers });
        }
    }

    fn answer(&mut self, now: Instant, shared: &Arc<CallShared>) {
        let key = shared.key;
        match shared.open_media() {
            Ok(media) => self.agent.handle_command(now, Command::Answer { key, media }),
            Err(error) => {
                tracing::warn!(%error, "an incoming call cannot be answered");
                let headers = Vec::new();
                self.agent.handle_command(now, Command::Reject { key, status: 503, headers });
            }
        }
    }

    fn referred(&mut self, shared: Arc<CallShared>, target: String, replaces: Option<String>) {
        let Some(phone) = self.phone.upgrade() else { return };
        let key = shared.key;
        match phone.config.on_refer {
            OnRefer::Refuse(status) => {
                self.agent.handle_command(Instant::now(), Command::AnswerRefer { key, status });
            }
            OnRefer::Follow => {
                self.agent.handle_command(Instant::now(), Command::AnswerRefer { key, status: 202 });
                // Resolving may take time; the task must not wait for it.
                tokio::spawn(async move {
                    let options = phone.config.options.clone();
                    match phone.dial(&target, options, Some(key), replaces).await {
                        Ok(call) => {
                            shared.look(|p| p.transferred = Some(call.shared));
                            shared.wake();
                        }
                        Err(error) => {
                            tracing::warn!(%error, "a transfer cannot be followed");
                            // A phone that is stopped or busy has nothing to report with.
                            let _ = shared.order(Command::TransferFailed { key, status: 400 });
                        }
                    }
                });
            }
        }
    }
}
