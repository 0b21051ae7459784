//! The SIP user agent without sockets, clocks or threads: messages, commands and `now` in, outputs and the next deadline out.
//!
//! `handle_*` feeds it, `poll` drains what it wants done, `deadline` says when `handle_timeout` is due. The
//! phone drives it over real sockets; tests drive it on a virtual clock.

mod call;
mod commands;
mod dialog_requests;
mod outside;
mod session;
#[cfg(test)]
mod tests;
mod timers;
mod uac;
mod uas;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rsip::Method;

pub(crate) use call::CallState;
pub(crate) use commands::{Command, Dial, Ended, Invitation, LocalChange, Output, Signal};
pub use outside::{Binding, RegistrarConfig};

use crate::auth::{Algorithm, Challenge, Credentials};
use crate::message::{Message, Start, reason_phrase};
use crate::oddity::{Oddity, OddityKind};
use crate::transaction::{ClientTransaction, Due, Heard, Owner, Peer, ServerTransaction, Timing};
use crate::uri;
use timers::{TimerKey, Timers};

/// How many calls one phone holds at once.
pub(crate) const CALLS_MAX: usize = 50_000;
/// How many transactions of either kind are remembered at once.
const TRANSACTIONS_MAX: usize = 500_000;
/// How many of our own challenges may be outstanding.
const CHALLENGES_MAX: usize = 256;
/// What we understand in Require.
const EXTENSIONS: [&str; 4] = ["100rel", "replaces", "timer", "norefersub"];
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY";
const USER_AGENT: &str = "gudok-phone";

/// Names one call of one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallKey(pub(crate) u64);

/// Who must prove who they are before we take their call.
#[derive(Debug, Clone)]
pub struct ChallengeConfig {
    /// The realm we name.
    pub realm: String,
    /// Who is let in.
    pub users: Vec<Credentials>,
    /// The hash we ask for.
    pub algorithm: Algorithm,
}

#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct AgentConfig {
    /// What Via and Contact say.
    pub(crate) advertised: SocketAddr,
    pub(crate) user: String,
    pub(crate) credentials: Option<Credentials>,
    /// Where every request goes, whatever its URI says.
    pub(crate) outbound_proxy: Option<SocketAddr>,
    pub(crate) timing: Timing,
    pub(crate) challenge: Option<ChallengeConfig>,
    pub(crate) registrar: Option<RegistrarConfig>,
    pub(crate) seed: u64,
}

/// The user agent. See the module's documentation.
pub(crate) struct Agent {
    config: AgentConfig,
    rng: StdRng,
    calls: HashMap<CallKey, CallState>,
    /// Call-ID and our tag.
    dialogs: HashMap<(String, String), CallKey>,
    clients: HashMap<Arc<str>, ClientTransaction>,
    servers: HashMap<Arc<str>, ServerTransaction>,
    timers: Timers,
    outputs: VecDeque<Output>,
    challenges: VecDeque<Challenge>,
    /// Call-ID and next CSeq of our REGISTERs, by registrar.
    registered_at: HashMap<String, (String, u32)>,
    incoming_key: u64,
}

impl Agent {
    pub(crate) fn new(config: AgentConfig) -> Self {
        Self {
            rng: StdRng::seed_from_u64(config.seed),
            config,
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            timers: Timers::default(),
            outputs: VecDeque::new(),
            challenges: VecDeque::new(),
            registered_at: HashMap::new(),
            incoming_key: 0,
        }
    }

    /// What the agent wants done next.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `handle_timeout` is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// One complete message from a peer.
    pub(crate) fn handle_message(&mut self, now: Instant, peer: Peer, raw: &[u8]) {
        // Keep-alives of RFC 5626 §4.4.1 and the zero bytes some peers send.
        if raw.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return;
        }
        match Message::parse(raw) {
            Ok((message, oddities)) => {
                let call = self.call_of(&message);
                for oddity in oddities {
                    self.odd(call, oddity);
                }
                match message.start {
                    Start::Request { method, .. } => self.handle_request(now, peer, raw, &message, method),
                    Start::Response { .. } => self.handle_response(now, raw, &message),
                }
            }
            Err(oddity) => self.odd(None, oddity),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop_due(now) {
            match &key {
                TimerKey::Client(id) => self.client_timeout(now, id),
                TimerKey::Server(id) => self.server_timeout(now, id),
                TimerKey::Call(call) => self.with_call(*call, |agent, call| agent.call_timeout(now, call)),
            }
        }
    }

    fn client_timeout(&mut self, now: Instant, id: &Arc<str>) {
        let Some(transaction) = self.clients.get_mut(id) else { return };
        let (owner, peer) = (transaction.owner, transaction.peer);
        match transaction.handle_timeout(now) {
            Due::Nothing => {}
            Due::Resend(bytes) => self.outputs.push_back(Output::Send { peer, bytes }),
            Due::Gone => {
                self.clients.remove(id);
            }
            Due::GaveUp => {
                self.clients.remove(id);
                match owner {
                    Owner::Call(key, purpose) => {
                        self.with_call(key, |agent, call| agent.unanswered(now, call, purpose));
                    }
                    Owner::Request(request) => {
                        self.outputs.push_back(Output::Request { request, status: 408, expires_s: None });
                    }
                }
            }
        }
        self.timers.arm(TimerKey::Client(id.clone()), self.clients.get(id).and_then(ClientTransaction::deadline));
    }

    fn server_timeout(&mut self, now: Instant, id: &Arc<str>) {
        let Some(transaction) = self.servers.get_mut(id) else { return };
        let (call, peer) = (transaction.call, transaction.peer);
        match transaction.handle_timeout(now) {
            Due::Nothing => {}
            Due::Resend(bytes) => self.outputs.push_back(Output::Send { peer, bytes }),
            Due::Gone => {
                self.servers.remove(id);
            }
            Due::GaveUp => {
                self.servers.remove(id);
                self.odd(call, Oddity::new(OddityKind::NoAck, "the final response was never acknowledged"));
                if let Some(key) = call {
                    self.with_call(key, |agent, call| agent.unacknowledged(now, call));
                }
            }
        }
        self.timers.arm(TimerKey::Server(id.clone()), self.servers.get(id).and_then(ServerTransaction::deadline));
    }

    fn handle_request(&mut self, now: Instant, peer: Peer, raw: &[u8], message: &Message, method: Method) {
        let Some(branch) = message.branch() else { return };
        if method == Method::Ack {
            self.handle_ack(now, branch, message);
            return;
        }
        let id = transaction_id(branch, method);
        if let Some(transaction) = self.servers.get(&id) {
            let (response, same) = transaction.handle_request(raw);
            let (call, peer) = (transaction.call, transaction.peer);
            if !same {
                self.odd(call, Oddity::new(OddityKind::RetransmissionDiffers, format!("{method} again, other bytes")));
            }
            if let Some(bytes) = response {
                self.outputs.push_back(Output::Send { peer, bytes });
            }
            return;
        }
        if self.servers.len() >= TRANSACTIONS_MAX || message.call_id().is_empty() || message.cseq().is_none() {
            return;
        }
        let transaction = ServerTransaction::new(peer, method == Method::Invite, raw, self.config.timing);
        self.servers.insert(id.clone(), transaction);
        match method {
            Method::Cancel => self.handle_cancel(now, &id, branch, message),
            Method::Invite if message.to_tag().is_none() => self.handle_invite(now, &id, peer, message),
            _ if message.to_tag().is_none() => self.handle_outside(now, &id, message, method),
            _ => self.handle_in_dialog(now, &id, message, method),
        }
    }

    fn handle_response(&mut self, now: Instant, raw: &[u8], message: &Message) {
        let (Some(branch), Some((number, method))) = (message.branch(), message.cseq()) else { return };
        let id: Arc<str> = format!("{branch}|{method}").into();
        let Some(transaction) = self.clients.get(&id) else {
            let call = self.call_of(message);
            self.odd(call, Oddity::new(OddityKind::StrayResponse, format!("{} to {method}", message.code())));
            return;
        };
        let owner = transaction.owner;
        if number != transaction.cseq {
            self.odd(owner_call(owner), Oddity::new(OddityKind::BadCseq, "the response has another CSeq"));
            return;
        }
        if self.forked(now, &id, message) {
            return;
        }
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        let heard = transaction.handle_response(now, message.code(), raw);
        self.timers.arm(TimerKey::Client(id.clone()), transaction.deadline());
        match heard {
            Heard::New => self.new_response(now, &id, owner, message),
            Heard::Again { ack, same } => {
                if let Some((peer, bytes)) = ack {
                    self.outputs.push_back(Output::Send { peer, bytes });
                }
                if !same {
                    let detail = format!("{} to {method} again, other bytes", message.code());
                    self.odd(owner_call(owner), Oddity::new(OddityKind::RetransmissionDiffers, detail));
                }
            }
        }
    }

    fn new_response(&mut self, now: Instant, id: &Arc<str>, owner: Owner, message: &Message) {
        match owner {
            Owner::Call(key, purpose) => {
                self.with_call(key, |agent, call| agent.call_response(now, call, id, purpose, message));
            }
            Owner::Request(request) => self.outside_response(now, id, request, message),
        }
    }

    /// Runs `work` on a call, then removes it when it has ended and arms its timers otherwise.
    fn with_call(&mut self, key: CallKey, work: impl FnOnce(&mut Self, &mut CallState)) {
        let Some(mut call) = self.calls.remove(&key) else { return };
        work(self, &mut call);
        if call.is_ended() {
            self.dialogs.remove(&call.dialog_id());
        } else {
            self.timers.arm(TimerKey::Call(key), call.deadline());
            self.calls.insert(key, call);
        }
    }

    fn add_call(&mut self, call: CallState) {
        self.dialogs.insert(call.dialog_id(), call.key);
        self.timers.arm(TimerKey::Call(call.key), call.deadline());
        self.calls.insert(call.key, call);
    }

    fn signal(&mut self, key: CallKey, signal: Signal) {
        self.outputs.push_back(Output::Call(key, signal));
    }

    fn odd(&mut self, call: Option<CallKey>, oddity: Oddity) {
        self.outputs.push_back(match call {
            Some(key) => Output::Call(key, Signal::Odd(oddity)),
            None => Output::Odd(oddity),
        });
    }

    /// The call that a message belongs to, if it belongs to one.
    fn call_of(&self, message: &Message) -> Option<CallKey> {
        let ours = if message.method().is_some() { message.to_tag() } else { message.sender_tag() };
        self.dialogs.get(&(message.call_id().to_owned(), ours?.to_owned())).copied()
    }

    /// Sends a request as a client transaction and returns the transaction's id.
    fn send_request(&mut self, now: Instant, owner: Owner, peer: Peer, mut message: Message) -> Arc<str> {
        let branch = format!("z9hG4bK{:016x}", self.rng.random::<u64>());
        message.set("Via", self.via(peer, &branch));
        self.send_request_as_is(now, owner, peer, message)
    }

    /// As `send_request`, for a message that has its Via already.
    fn send_request_as_is(&mut self, now: Instant, owner: Owner, peer: Peer, message: Message) -> Arc<str> {
        let branch = message.branch().unwrap_or_default();
        let id = transaction_id(branch, message.method().unwrap_or(Method::Options));
        let transaction = ClientTransaction::new(now, owner, peer, message, self.config.timing);
        self.outputs.push_back(Output::Send { peer, bytes: transaction.bytes() });
        if self.clients.len() < TRANSACTIONS_MAX {
            self.timers.arm(TimerKey::Client(id.clone()), transaction.deadline());
            self.clients.insert(id.clone(), transaction);
        }
        id
    }

    fn via(&self, peer: Peer, branch: &str) -> String {
        let transport = if peer.tcp { "TCP" } else { "UDP" };
        format!("SIP/2.0/{transport} {};branch={branch};rport", self.config.advertised)
    }

    fn contact(&self, tcp: bool) -> String {
        let transport = if tcp { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}{transport}>", self.config.user, self.config.advertised)
    }

    /// Answers a request through its server transaction.
    fn respond(&mut self, now: Instant, id: &Arc<str>, response: &Message) {
        let Some(transaction) = self.servers.get_mut(id) else { return };
        let bytes: Arc<[u8]> = response.to_bytes().into();
        transaction.respond(now, response.code(), bytes.clone());
        self.timers.arm(TimerKey::Server(id.clone()), transaction.deadline());
        self.outputs.push_back(Output::Send { peer: transaction.peer, bytes });
    }

    /// Answers with a status and nothing else.
    fn respond_plain(&mut self, now: Instant, id: &Arc<str>, request: &Message, code: u16) {
        let response = self.response(request, code);
        self.respond(now, id, &response);
    }

    /// A response that has a To tag, as all but 100 must.
    fn response(&mut self, request: &Message, code: u16) -> Message {
        let mut response = Message::response_to(request, code, reason_phrase(code));
        if code > 100 && request.to_tag().is_none() {
            let tag = self.tag();
            response.set("To", format!("{};tag={tag}", request.header("To").unwrap_or_default()));
        }
        response.push("User-Agent", USER_AGENT);
        response
    }

    fn tag(&mut self) -> String {
        format!("{:016x}", self.rng.random::<u64>())
    }

    /// A challenge that a later request may answer.
    fn new_challenge(&mut self, realm: &str, algorithm: Algorithm) -> String {
        let challenge = Challenge::new(realm, algorithm, &mut self.rng);
        let value = challenge.header_value();
        if self.challenges.len() >= CHALLENGES_MAX {
            self.challenges.pop_front();
        }
        self.challenges.push_back(challenge);
        value
    }

    fn answers_challenge(&self, message: &Message, header: &str, users: &[Credentials]) -> bool {
        let method = message.method().map(|m| m.to_string()).unwrap_or_default();
        message.header(header).is_some_and(|value| self.challenges.iter().any(|c| c.verify(value, &method, users)))
    }

    /// The request of a challenged transaction, with credentials, or `None` when there is no use in trying again.
    fn with_credentials(&mut self, id: &Arc<str>, response: &Message, cseq: u32) -> Option<(Peer, Message)> {
        let (asks, answers) = match response.code() {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let credentials = self.config.credentials.clone()?;
        let challenge = response.list_of_challenges(asks).iter().find_map(|value| Challenge::parse(value))?;
        let transaction = self.clients.get(id)?;
        let mut message = transaction.message.clone();
        if message.header(answers).is_some() && !challenge.stale {
            return None;
        }
        let Start::Request { method, uri } = &message.start else { return None };
        let (method, uri) = (method.to_string(), uri.clone());
        let value = challenge.answer(&credentials, &method, &uri, &mut self.rng);
        message.set(answers, value);
        message.set("CSeq", format!("{cseq} {method}"));
        Some((transaction.peer, message))
    }

    /// Where a request for this URI goes.
    fn next_hop(&self, uri: &str, otherwise: Peer) -> Peer {
        let target = uri::Target::parse(uri).ok();
        let tcp = target.as_ref().map_or(otherwise.tcp, |t| t.tcp);
        if let Some(addr) = self.config.outbound_proxy {
            return Peer { addr, tcp };
        }
        match target.and_then(|t| t.socket_addr()) {
            Some(addr) => Peer { addr, tcp },
            None => otherwise,
        }
    }
}

fn transaction_id(branch: &str, method: Method) -> Arc<str> {
    format!("{branch}|{method}").into()
}

fn owner_call(owner: Owner) -> Option<CallKey> {
    match owner {
        Owner::Call(key, _) => Some(key),
        Owner::Request(_) => None,
    }
}
