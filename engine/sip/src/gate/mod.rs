//! What stands before the stack: every datagram and every stream message passes here first. It drops, answers or
//! repairs, so that rsipstack sees only what it handles; `docs/ARCHITECTURE.md` lists its known gaps.
//!
//! The gate holds no sockets and no clock: bytes, source and `now` in, a verdict out.

pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod scan;
pub(crate) mod sources;

use crate::config::{Limits, SipConfig, Transport, UnknownSource};
use crate::registrar::is_in;
use crate::stats::{Counter, Counters};
use admission::{Admission, KeyedRate, Refused, rate_limiter};
use answer::{ALLOW, Refusal, STATELESS_TAG_PREFIX};
use arc_swap::ArcSwap;
use governor::DefaultDirectRateLimiter;
use ipnet::IpNet;
use scan::{Fault, Scan, StartLine, scan};
use sources::Sources;
use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// Sources whose rate is watched at one time.
const SOURCES_MAX: usize = 10_000;
/// Messages of a source that belongs to no trunk, in a second: enough for a peer that we dialled by its address.
const UNKNOWN_SOURCE_MESSAGES_PER_S_MAX: u32 = 200;
/// RFC 8489: where STUN's magic cookie stands.
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const STUN_HEADER_BYTES: usize = 20;

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// To the stack.
    Pass(Cow<'a, [u8]>),
    /// These bytes go back to the source.
    Answer(Vec<u8>),
    /// Nothing.
    Silent,
}

/// The gate.
pub(crate) struct Gate {
    pub(crate) admission: Admission,
    pub(crate) counters: Counters,
    sources: ArcSwap<Sources>,
    /// Where telephones may come from that register here.
    telephones: ArcSwap<Vec<IpNet>>,
    unknown_source: ArcSwap<UnknownSource>,
    limits: ArcSwap<Limits>,
    known_rate: KeyedRate<IpAddr>,
    unknown_rate: KeyedRate<IpAddr>,
    unknown_answers: DefaultDirectRateLimiter,
    /// Keys the stateless tags and the memory of decisions: not to be guessed by a peer.
    hasher: RandomState,
    server: String,
}

impl Gate {
    pub(crate) fn new(config: &SipConfig, sources: Sources) -> Self {
        Self {
            admission: Admission::new(&config.limits),
            counters: Counters::default(),
            sources: ArcSwap::from_pointee(sources),
            telephones: ArcSwap::from_pointee(telephone_networks(config)),
            unknown_source: ArcSwap::from_pointee(config.unknown_source),
            limits: ArcSwap::from_pointee(config.limits),
            known_rate: KeyedRate::new(config.limits.source_messages_per_s_max, SOURCES_MAX),
            unknown_rate: KeyedRate::new(UNKNOWN_SOURCE_MESSAGES_PER_S_MAX, SOURCES_MAX),
            unknown_answers: rate_limiter(config.limits.unknown_answers_per_s_max),
            hasher: RandomState::new(),
            server: config.user_agent.clone(),
        }
    }

    pub(crate) fn reload(&self, config: &SipConfig, sources: Sources) {
        self.admission.reload(&config.limits);
        self.sources.store(Arc::new(sources));
        self.telephones.store(Arc::new(telephone_networks(config)));
        self.unknown_source.store(Arc::new(config.unknown_source));
        self.limits.store(Arc::new(config.limits));
    }

    pub(crate) fn sources(&self) -> Arc<Sources> {
        self.sources.load_full()
    }

    pub(crate) fn replace_sources(&self, sources: Sources) {
        self.sources.store(Arc::new(sources));
    }

    /// Whether telephones that register here may come from there.
    pub(crate) fn is_telephones(&self, source: IpAddr) -> bool {
        is_in(&self.telephones.load(), source)
    }

    pub(crate) fn limits(&self) -> Arc<Limits> {
        self.limits.load_full()
    }

    /// Judges one message. `is_dialog` tells whether a To tag is one of ours.
    pub(crate) fn check<'a>(
        &self,
        message: &'a [u8],
        source: SocketAddr,
        transport: Transport,
        now: Instant,
        is_dialog: &dyn Fn(&[u8]) -> bool,
    ) -> Verdict<'a> {
        if let Some(verdict) = self.check_keep_alive(message) {
            return verdict;
        }
        let known = self.sources.load().trunk_of(source.ip()).is_some();
        let origin = Origin { known, telephones: self.is_telephones(source.ip()) };
        let rate = if known { &self.known_rate } else { &self.unknown_rate };
        if !rate.allows(&source.ip(), now) {
            return self.silent(Counter::SourceRate);
        }
        let mut scan = match scan(message) {
            Ok(scan) => scan,
            Err(fault) => return self.silent(counter_of(fault)),
        };
        if message.len() > self.limits.load().message_bytes_max {
            scan.fault = Some(Fault::Size);
        }
        match scan.start {
            StartLine::Response { .. } => self.check_response(&scan, message, transport),
            StartLine::Request { method, .. } => {
                if !known
                    && !origin.telephones
                    && !scan.to_tag().is_some_and(is_dialog)
                    && let Some(verdict) = self.check_unknown(&scan, method, source)
                {
                    return verdict;
                }
                self.check_request(&scan, method, message, (source, origin), transport, now)
            }
        }
    }

    /// The answer to a request that passed, but that the stack could not read after all.
    pub(crate) fn answer_unreadable(&self, message: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
        self.counters.count(Counter::BadForStack);
        let scan = scan(message).ok()?;
        let answerable = matches!(scan.start, StartLine::Request { method, .. } if method != b"ACK");
        answerable.then(|| self.build(&scan, &Refusal::plain(400), source))
    }

    fn check_keep_alive<'a>(&self, message: &'a [u8]) -> Option<Verdict<'a>> {
        if message.iter().all(u8::is_ascii_whitespace) || message == [0] {
            self.counters.count(Counter::KeepAlive);
            // RFC 5626, section 3.5.1: a double CR LF is a ping.
            let is_ping = message == b"\r\n\r\n";
            return Some(if is_ping { Verdict::Answer(b"\r\n".to_vec()) } else { Verdict::Silent });
        }
        let is_stun = message.len() >= STUN_HEADER_BYTES && message[0] < 4 && message[4..8] == STUN_COOKIE;
        is_stun.then(|| self.silent(Counter::KeepAlive))
    }

    fn check_response<'a>(&self, scan: &Scan<'a>, message: &'a [u8], transport: Transport) -> Verdict<'a> {
        // A response cannot be answered; one that is cut short is as good as lost (RFC 3261, section 18.3).
        if scan.fault.is_some() {
            return self.silent(Counter::BadResponse);
        }
        self.pass(scan, message, transport)
    }

    fn check_unknown<'a>(&self, scan: &Scan<'a>, method: &[u8], source: SocketAddr) -> Option<Verdict<'a>> {
        // The ACK of our own 403 counts with it.
        if method == b"ACK" {
            return Some(Verdict::Silent);
        }
        self.counters.count(Counter::UnknownSource);
        let answers = **self.unknown_source.load() == UnknownSource::Refuse && self.unknown_answers.check().is_ok();
        Some(if answers { Verdict::Answer(self.build(scan, &Refusal::plain(403), source)) } else { Verdict::Silent })
    }

    fn check_request<'a>(
        &self,
        scan: &Scan<'a>,
        method: &[u8],
        message: &'a [u8],
        (source, origin): (SocketAddr, Origin),
        transport: Transport,
        now: Instant,
    ) -> Verdict<'a> {
        if let Some(fault) = scan.fault {
            self.counters.count(counter_of(fault));
            // ACK is never answered.
            let due = method != b"ACK" && !scan.via.is_empty();
            let refusal = Refusal::plain(status_of(fault));
            return if due { Verdict::Answer(self.build(scan, &refusal, source)) } else { Verdict::Silent };
        }
        match method {
            // Whoever may be anybody takes no place from a trunk's calls until it has proved who it is.
            b"INVITE" if scan.to_tag().is_none() && !origin.known => {
                if self.admission.is_draining() {
                    return self.answer(Counter::RefusedDraining, scan, &self.service_unavailable(), source);
                }
            }
            b"INVITE" if scan.to_tag().is_none() => {
                if let Err(refused) = self.decide(scan, now) {
                    let counter = match refused {
                        Refused::Limit => Counter::RefusedLimit,
                        Refused::Draining => Counter::RefusedDraining,
                    };
                    return self.answer(counter, scan, &self.service_unavailable(), source);
                }
            }
            b"ACK" if scan.to_tag().is_some_and(|tag| tag.first() == Some(&STATELESS_TAG_PREFIX)) => {
                return Verdict::Silent;
            }
            b"OPTIONS" if scan.to_tag().is_none() => {
                let refusal = if self.admission.is_draining() {
                    self.service_unavailable()
                } else {
                    let headers = format!(
                        "Allow: {ALLOW}\r\nAccept: application/sdp\r\nAccept-Encoding: identity\r\n\
                         Supported: 100rel, timer\r\n"
                    );
                    Refusal { status: 200, headers }
                };
                return self.answer(Counter::Options, scan, &refusal, source);
            }
            b"INVITE" | b"ACK" | b"BYE" | b"CANCEL" | b"OPTIONS" | b"INFO" | b"PRACK" | b"UPDATE" | b"REFER"
            | b"NOTIFY" => {}
            b"REGISTER" if origin.telephones => {}
            b"REGISTER" | b"SUBSCRIBE" | b"PUBLISH" | b"MESSAGE" => {
                return self.answer(Counter::MethodRefused, scan, &Refusal::with(405, "Allow", ALLOW), source);
            }
            _ => return self.answer(Counter::MethodRefused, scan, &Refusal::with(501, "Allow", ALLOW), source),
        }
        self.pass(scan, message, transport)
    }

    fn decide(&self, scan: &Scan<'_>, now: Instant) -> Result<(), Refused> {
        let key = self.hasher.hash_one((scan.call_id, scan.branch(), scan.cseq_number()));
        self.admission.decide(key, now)
    }

    fn service_unavailable(&self) -> Refusal {
        let retry_after_s = self.limits.load().retry_after.as_secs().max(1);
        Refusal::with(503, "Retry-After", &retry_after_s.to_string())
    }

    fn answer<'a>(&self, counter: Counter, scan: &Scan<'_>, refusal: &Refusal, source: SocketAddr) -> Verdict<'a> {
        self.counters.count(counter);
        Verdict::Answer(self.build(scan, refusal, source))
    }

    fn build(&self, scan: &Scan<'_>, refusal: &Refusal, source: SocketAddr) -> Vec<u8> {
        answer::build(scan, refusal, source, &self.server, &self.hasher)
    }

    fn pass<'a>(&self, scan: &Scan<'a>, message: &'a [u8], transport: Transport) -> Verdict<'a> {
        self.counters.count(Counter::Received);
        // Without Content-Length the stack takes the body for empty; on a stream there is none then (section 18.3).
        let lacks_length = scan.content_length.is_none() && transport == Transport::Udp && !scan.body.is_empty();
        if scan.needs_repair || lacks_length {
            self.counters.count(Counter::Repaired);
            return Verdict::Pass(Cow::Owned(repair(scan, message)));
        }
        Verdict::Pass(Cow::Borrowed(scan::skip_blank_lines(message)))
    }

    fn silent<'a>(&self, counter: Counter) -> Verdict<'a> {
        self.counters.count(counter);
        Verdict::Silent
    }
}

/// Whose a source is. Both may be true: a trunk and telephones behind one address.
#[derive(Clone, Copy)]
struct Origin {
    /// A trunk's.
    known: bool,
    /// Telephones may be there.
    telephones: bool,
}

fn telephone_networks(config: &SipConfig) -> Vec<IpNet> {
    let Some(registrar) = &config.registrar else { return Vec::new() };
    let mut all = registrar.sources.clone();
    all.extend(registrar.users.iter().flat_map(|user| &user.sources));
    all.sort_unstable();
    all.dedup();
    all
}

/// Rewrites the head: UTF-8, no control characters, CR LF, a Content-Length that is true. The body stays as it is.
fn repair(scan: &Scan<'_>, message: &[u8]) -> Vec<u8> {
    let message = scan::skip_blank_lines(message);
    let head = &message[..message.len() - scan.body.len()];
    let mut out = Vec::with_capacity(message.len() + 64);
    for line in scan::physical_lines(head) {
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        out.extend(text.bytes().map(|b| if scan::is_foreign_control(b) { b' ' } else { b }));
        out.extend_from_slice(b"\r\n");
    }
    if scan.content_length.is_none() {
        let _ = write!(out, "Content-Length: {}\r\n", scan.body.len());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(scan.body);
    out
}

const fn counter_of(fault: Fault) -> Counter {
    match fault {
        Fault::Size => Counter::BadSize,
        Fault::StartLine => Counter::BadStartLine,
        Fault::Version => Counter::BadVersion,
        Fault::UriScheme => Counter::BadUriScheme,
        Fault::Header => Counter::BadHeader,
        Fault::MissingHeader => Counter::MissingHeader,
        Fault::RepeatedHeader => Counter::RepeatedHeader,
        Fault::ContentLength => Counter::BadContentLength,
        Fault::CSeq => Counter::BadCSeq,
        Fault::Response => Counter::BadResponse,
    }
}

const fn status_of(fault: Fault) -> u16 {
    match fault {
        Fault::Size => 513,
        Fault::Version => 505,
        Fault::UriScheme => 416,
        _ => 400,
    }
}

#[cfg(test)]
mod tests;
