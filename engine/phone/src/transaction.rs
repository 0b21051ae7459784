//! SIP transactions without sockets or clocks (RFC 3261 §17 with RFC 6026's Accepted state).
//!
//! A transaction is told what arrives and what time it is; it says what to send again and when it wants
//! to be asked next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rsip::Method;

use crate::agent::CallKey;
use crate::message::Message;

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer {
    pub(crate) addr: SocketAddr,
    pub(crate) tcp: bool,
}

/// The timers of RFC 3261 §17.1.1.1, so that tests can shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Estimate of the round trip.
    pub t1: Duration,
    /// Longest interval between retransmissions.
    pub t2: Duration,
    /// How long a message stays in the network.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timing {
    pub(crate) fn give_up(&self) -> Duration {
        self.t1 * 64
    }
}

/// Whose transaction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Call(CallKey, Purpose),
    /// A request outside any dialog; the number is the asker's.
    Request(u64),
}

/// What an in-dialog request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Invite,
    Reinvite,
    Update,
    Bye,
    Cancel,
    Prack,
    Info,
    Refer,
    Notify,
}

/// What a transaction wants after its timer ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send these bytes again.
    Resend(Arc<[u8]>),
    /// No answer (client) or no ACK (server); the transaction is over.
    GaveUp,
    /// The transaction is over, as it should be.
    Gone,
}

/// What a response means to the one who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// New: hand it to the dialog.
    New,
    /// Seen before: send the ACK again, if there is one.
    Again {
        ack: Option<(Peer, Arc<[u8]>)>,
        /// Whether the bytes are those of the first time.
        same: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientPhase {
    Calling,
    Proceeding,
    /// A final response is there; retransmissions of it are absorbed.
    Completed,
}

/// A request that we sent.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct ClientTransaction {
    pub(crate) owner: Owner,
    pub(crate) peer: Peer,
    pub(crate) cseq: u32,
    /// The request itself, to be sent anew with credentials.
    pub(crate) message: Message,
    invite: bool,
    request: Arc<[u8]>,
    phase: ClientPhase,
    interval: Duration,
    resend_at: Option<Instant>,
    over_at: Option<Instant>,
    /// Final response and, for INVITE, the ACK that answers it.
    last: Option<Arc<[u8]>>,
    ack: Option<(Peer, Arc<[u8]>)>,
    timing: Timing,
}

impl ClientTransaction {
    pub(crate) fn new(now: Instant, owner: Owner, peer: Peer, message: Message, timing: Timing) -> Self {
        Self {
            owner,
            peer,
            cseq: message.cseq().map_or(0, |(number, _)| number),
            invite: message.method() == Some(Method::Invite),
            request: message.to_bytes().into(),
            message,
            phase: ClientPhase::Calling,
            interval: timing.t1,
            resend_at: (!peer.tcp).then(|| now + timing.t1),
            over_at: Some(now + timing.give_up()),
            last: None,
            ack: None,
            timing,
        }
    }

    pub(crate) fn bytes(&self) -> Arc<[u8]> {
        self.request.clone()
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.phase == ClientPhase::Completed
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.resend_at, self.over_at].into_iter().flatten().min()
    }

    pub(crate) fn handle_response(&mut self, now: Instant, code: u16, raw: &[u8]) -> Heard {
        if self.phase == ClientPhase::Completed {
            if code < 200 {
                return Heard::Again { ack: None, same: true };
            }
            return Heard::Again { ack: self.ack.clone(), same: self.last.as_deref() == Some(raw) };
        }
        if code < 200 {
            self.phase = ClientPhase::Proceeding;
            if self.invite {
                // The callee may ring as long as it likes.
                self.resend_at = None;
                self.over_at = None;
            } else {
                self.interval = self.timing.t2;
            }
            return Heard::New;
        }
        self.phase = ClientPhase::Completed;
        self.last = Some(raw.into());
        self.resend_at = None;
        self.over_at = Some(now + if self.invite { self.timing.give_up() } else { self.timing.t4 });
        Heard::New
    }

    /// Keeps the ACK, to be sent again whenever the final response is.
    pub(crate) fn acknowledge(&mut self, peer: Peer, ack: Arc<[u8]>) {
        self.ack = Some((peer, ack));
    }

    /// After CANCEL the INVITE must end within 64·T1 (RFC 3261 §9.1).
    pub(crate) fn expect_end(&mut self, now: Instant) {
        if self.phase != ClientPhase::Completed {
            self.over_at = Some(now + self.timing.give_up());
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.over_at.is_some_and(|at| at <= now) {
            return if self.phase == ClientPhase::Completed { Due::Gone } else { Due::GaveUp };
        }
        if self.resend_at.is_some_and(|at| at <= now) {
            self.interval *= 2;
            if !self.invite {
                self.interval = self.interval.min(self.timing.t2);
            }
            self.resend_at = Some(now + self.interval);
            return Due::Resend(self.request.clone());
        }
        Due::Nothing
    }
}

/// A request that we received.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct ServerTransaction {
    pub(crate) peer: Peer,
    pub(crate) call: Option<CallKey>,
    invite: bool,
    request: Arc<[u8]>,
    response: Option<Arc<[u8]>>,
    finished: bool,
    /// The final response was a 2xx: its ACK belongs to the dialog.
    pub(crate) accepted: bool,
    acked: bool,
    interval: Duration,
    resend_at: Option<Instant>,
    over_at: Option<Instant>,
    timing: Timing,
}

impl ServerTransaction {
    pub(crate) fn new(peer: Peer, invite: bool, request: &[u8], timing: Timing) -> Self {
        Self {
            peer,
            call: None,
            invite,
            request: request.into(),
            response: None,
            finished: false,
            accepted: false,
            acked: false,
            interval: timing.t1,
            resend_at: None,
            over_at: None,
            timing,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.resend_at, self.over_at].into_iter().flatten().min()
    }

    /// The same request again: what to answer, and whether its bytes are the same.
    pub(crate) fn handle_request(&self, raw: &[u8]) -> (Option<Arc<[u8]>>, bool) {
        (self.response.clone(), *self.request == *raw)
    }

    pub(crate) fn respond(&mut self, now: Instant, code: u16, response: Arc<[u8]>) {
        self.response = Some(response);
        if code < 200 || self.finished {
            return;
        }
        self.finished = true;
        self.accepted = code < 300;
        self.over_at = Some(now + self.timing.give_up());
        // A 2xx is sent again over TCP too (RFC 3261 §13.3.1.4).
        if self.invite && (!self.peer.tcp || code < 300) {
            self.resend_at = Some(now + self.interval);
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn handle_ack(&mut self, now: Instant) {
        if !self.acked && self.finished {
            self.acked = true;
            self.resend_at = None;
            // Stay to absorb retransmissions of the request that are still under way.
            self.over_at = Some(now + self.timing.t4);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.over_at.is_some_and(|at| at <= now) {
            return if self.invite && !self.acked { Due::GaveUp } else { Due::Gone };
        }
        if self.resend_at.is_some_and(|at| at <= now) {
            self.interval = (self.interval * 2).min(self.timing.t2);
            self.resend_at = Some(now + self.interval);
            return self.response.clone().map_or(Due::Nothing, Due::Resend);
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(tcp: bool) -> Peer {
        Peer { addr: "127.0.0.1:5060".parse().expect("an address"), tcp }
    }

    fn client(now: Instant, invite: bool, tcp: bool) -> ClientTransaction {
        let mut message = Message::request(if invite { Method::Invite } else { Method::Options }, "sip:a@h");
        message.push("CSeq", "1 X");
        ClientTransaction::new(now, Owner::Request(0), peer(tcp), message, Timing::default())
    }

    /// Milliseconds of each retransmission until the transaction ends.
    fn resends(start: Instant, mut due: impl FnMut(Instant) -> Due) -> (Vec<u128>, Due) {
        let mut times = Vec::new();
        for ms in (0..40_000).step_by(100) {
            let now = start + Duration::from_millis(ms);
            match due(now) {
                Due::Resend(_) => times.push(now.duration_since(start).as_millis()),
                Due::Nothing => {}
                end => return (times, end),
            }
        }
        (times, Due::Nothing)
    }

    #[test]
    fn retransmission_schedules() {
        let start = Instant::now();
        let mut t = client(start, true, false);
        let got = resends(start, |now| t.handle_timeout(now));
        assert_eq!(got, (vec![500, 1_500, 3_500, 7_500, 15_500, 31_500], Due::GaveUp));
        let mut t = client(start, false, false);
        let got = resends(start, |now| t.handle_timeout(now));
        assert_eq!(got.0, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        let mut t = client(start, false, true);
        assert_eq!(resends(start, |now| t.handle_timeout(now)), (vec![], Due::GaveUp));
    }

    #[test]
    fn ringing_has_no_end_but_cancel_has() {
        let start = Instant::now();
        let mut t = client(start, true, false);
        assert_eq!(t.handle_response(start, 180, b"r"), Heard::New);
        assert_eq!(t.deadline(), None);
        t.expect_end(start);
        assert_eq!(t.handle_timeout(start + Duration::from_secs(32)), Due::GaveUp);
    }

    #[test]
    fn repeated_finals_get_the_ack_again_and_other_bytes_are_seen() {
        let start = Instant::now();
        let mut t = client(start, true, false);
        assert_eq!(t.handle_response(start, 200, b"ok"), Heard::New);
        let ack: Arc<[u8]> = (*b"ack").into();
        t.acknowledge(peer(false), ack.clone());
        let ack = (peer(false), ack);
        assert_eq!(t.handle_response(start, 200, b"ok"), Heard::Again { ack: Some(ack.clone()), same: true });
        assert_eq!(t.handle_response(start, 200, b"OK"), Heard::Again { ack: Some(ack), same: false });
        assert_eq!(t.handle_timeout(start + Duration::from_secs(33)), Due::Gone);
    }

    #[test]
    fn server_repeats_until_acked() {
        let start = Instant::now();
        let answer: Arc<[u8]> = (*b"ok").into();
        let mut t = ServerTransaction::new(peer(false), true, b"q", Timing::default());
        t.respond(start, 200, answer.clone());
        let got = resends(start, |now| t.handle_timeout(now));
        assert_eq!(got, (vec![500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500], Due::GaveUp));
        let mut t = ServerTransaction::new(peer(false), true, b"q", Timing::default());
        t.respond(start, 486, answer.clone());
        t.handle_ack(start);
        assert_eq!(t.handle_request(b"q"), (Some(answer.clone()), true));
        assert_eq!(t.handle_request(b"x"), (Some(answer), false));
        assert_eq!(resends(start, |now| t.handle_timeout(now)), (vec![], Due::Gone));
    }
}
