//! One call as the agent sees it: dialog, pending INVITEs, media agreed on, session timer.

use std::sync::Arc;
use std::time::Instant;

use rsip::Method;

use super::commands::{Ended, LocalChange};
use super::session::SessionTimer;
use super::{ALLOW, Agent, CallKey, Signal, USER_AGENT};
use crate::message::Message;
use crate::oddity::{Oddity, OddityKind};
use crate::sdp::{self, Description, LocalMedia, Negotiated};
use crate::transaction::{Owner, Peer, Purpose};
use crate::uri;

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our INVITE has no final response yet.
    Calling,
    /// As before, and we have given up.
    Cancelling,
    /// Their INVITE has no final response yet.
    Ringing,
    /// We sent 2xx and wait for ACK.
    Accepted,
    Confirmed,
    /// We sent BYE.
    Closing,
    Ended,
}

/// An INVITE or re-INVITE of ours without a final response.
#[cfg_attr(test, derive(Debug))]
pub(super) struct InviteOut {
    pub(super) id: Arc<str>,
    pub(super) purpose: Purpose,
    /// Whether it carried our offer.
    pub(super) offered: bool,
    /// An answer came in a reliable provisional response.
    pub(super) answered: bool,
    pub(super) provisional: bool,
    pub(super) cancelled: bool,
    pub(super) change: LocalChange,
    /// A refresh, not a change asked for by the user.
    pub(super) refresh: bool,
    /// RSeq of the last reliable provisional response.
    pub(super) rseq: Option<u32>,
}

/// An INVITE or re-INVITE of theirs that is not acknowledged yet.
#[cfg_attr(test, derive(Debug))]
pub(super) struct InviteIn {
    pub(super) id: Arc<str>,
    pub(super) request: Message,
    pub(super) cseq: u32,
    pub(super) offer: Option<Description>,
    /// Our 2xx carried the offer; ACK must answer it.
    pub(super) we_offered: bool,
    /// Our answer went out in a reliable provisional response.
    pub(super) answered: bool,
}

/// A reliable provisional response that waits for its PRACK (RFC 3262).
#[cfg_attr(test, derive(Debug))]
pub(super) struct ReliableOut {
    pub(super) rseq: u32,
    pub(super) bytes: Arc<[u8]>,
    pub(super) peer: Peer,
    pub(super) interval: std::time::Duration,
    pub(super) resend_at: Instant,
    pub(super) give_up_at: Instant,
}

/// The state of one call.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct CallState {
    pub(crate) key: CallKey,
    pub(super) phase: Phase,
    pub(super) call_id: String,
    /// We made the Call-ID: after a glare we wait longer (RFC 3261 §14.1).
    pub(super) owns_call_id: bool,
    pub(super) local_tag: String,
    pub(super) remote_tag: Option<String>,
    /// From or To of ours, without tag.
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) remote_target: String,
    pub(super) routes: Vec<String>,
    pub(super) peer: Peer,
    pub(super) cseq: u32,
    pub(super) remote_cseq: Option<u32>,
    pub(super) media: Option<LocalMedia>,
    pub(super) sdp_id: u64,
    pub(super) sdp_version: u64,
    pub(super) agreed: Option<Negotiated>,
    pub(super) transcript: bool,
    pub(super) invite_out: Option<InviteOut>,
    pub(super) invite_in: Option<InviteIn>,
    pub(super) reliable_out: Option<ReliableOut>,
    /// The answer that waits for a PRACK.
    pub(super) answer_with: Option<LocalMedia>,
    pub(super) session: SessionTimer,
    pub(super) peer_allows_update: bool,
    /// When to try a re-INVITE again after 491.
    pub(super) retry: Option<(Instant, LocalChange)>,
    /// A REFER of theirs that waits for our decision.
    pub(super) refer_in: Option<(Arc<str>, Message)>,
    /// We report the progress of a transfer to this peer.
    pub(super) notifying: bool,
    /// The call whose REFER made us dial.
    pub(super) referred_by: Option<CallKey>,
    pub(super) replaces: Option<CallKey>,
    pub(super) hangup_asked: bool,
    pub(super) cause: Option<String>,
}

impl CallState {
    pub(super) fn new(key: CallKey, phase: Phase, peer: Peer) -> Self {
        Self {
            key,
            phase,
            call_id: String::new(),
            owns_call_id: false,
            local_tag: String::new(),
            remote_tag: None,
            local: String::new(),
            remote: String::new(),
            remote_target: String::new(),
            routes: Vec::new(),
            peer,
            cseq: 0,
            remote_cseq: None,
            media: None,
            sdp_id: 0,
            sdp_version: 0,
            agreed: None,
            transcript: false,
            invite_out: None,
            invite_in: None,
            reliable_out: None,
            answer_with: None,
            session: SessionTimer::default(),
            peer_allows_update: false,
            retry: None,
            refer_in: None,
            notifying: false,
            referred_by: None,
            replaces: None,
            hangup_asked: false,
            cause: None,
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    pub(super) fn dialog_id(&self) -> (String, String) {
        (self.call_id.clone(), self.local_tag.clone())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let reliable = self.reliable_out.as_ref().map(|r| r.resend_at.min(r.give_up_at));
        let retry = self.retry.as_ref().map(|(at, _)| *at);
        [self.session.deadline(), reliable, retry].into_iter().flatten().min()
    }

    /// Learns where the peer wants further requests (RFC 3261 §12.1).
    pub(super) fn learn_target(&mut self, message: &Message, routes_too: bool) {
        if let Some(target) = message.contact_uri() {
            self.remote_target = target.to_owned();
        }
        if routes_too {
            self.routes = message.list("Record-Route");
            if message.method().is_none() {
                self.routes.reverse();
            }
        }
        self.peer_allows_update = message.lists("Allow", "UPDATE") || self.peer_allows_update;
    }
}

impl Agent {
    /// A request inside the call's dialog, with everything but Via.
    pub(super) fn in_dialog(&self, call: &CallState, method: Method, cseq: u32) -> Message {
        let mut message = Message::request(method, &call.remote_target);
        message.push("Max-Forwards", "70");
        for route in &call.routes {
            message.push("Route", route.clone());
        }
        message.push("From", format!("{};tag={}", call.local, call.local_tag));
        match &call.remote_tag {
            Some(tag) => message.push("To", format!("{};tag={tag}", call.remote)),
            None => message.push("To", call.remote.clone()),
        }
        message.push("Call-ID", call.call_id.clone());
        message.push("CSeq", format!("{cseq} {method}"));
        if matches!(method, Method::Invite | Method::Update | Method::Refer | Method::Notify) {
            message.push("Contact", self.contact(call.peer.tcp));
        }
        if matches!(method, Method::Invite | Method::Update) {
            message.push("Allow", ALLOW);
            message.push("Supported", "100rel, replaces, timer");
        }
        message.push("User-Agent", USER_AGENT);
        message
    }

    /// Sends a request inside the dialog under the next CSeq.
    pub(super) fn send_in_dialog(
        &mut self,
        now: Instant,
        call: &mut CallState,
        purpose: Purpose,
        method: Method,
        fill: impl FnOnce(&mut Message),
    ) -> Arc<str> {
        call.cseq += 1;
        let mut message = self.in_dialog(call, method, call.cseq);
        fill(&mut message);
        let peer = self.call_hop(call);
        self.send_request(now, Owner::Call(call.key, purpose), peer, message)
    }

    /// Where requests inside the dialog go: the first route, else the remote target.
    pub(super) fn call_hop(&self, call: &CallState) -> Peer {
        let uri = call.routes.first().map_or(call.remote_target.as_str(), |r| uri::addr_spec(r));
        self.next_hop(uri, call.peer)
    }

    pub(super) fn our_offer(call: &mut CallState) -> Option<String> {
        let media = call.media.as_ref()?;
        call.sdp_version += 1;
        Some(sdp::offer(media, call.sdp_id, call.sdp_version))
    }

    /// Answers the peer's offer and tells the media.
    pub(super) fn our_answer(&mut self, call: &mut CallState, offer: &Description) -> Result<String, &'static str> {
        let media = call.media.as_ref().ok_or("no media of our own")?;
        call.sdp_version += 1;
        let (text, agreed) = offer.answer(media, call.sdp_id, call.sdp_version)?;
        self.agree(call, agreed);
        Ok(text)
    }

    /// Takes the peer's answer to our offer.
    pub(super) fn their_answer(&mut self, call: &mut CallState, message: &Message) -> bool {
        let Some(media) = &call.media else { return false };
        let agreed = match message.body_of("application/sdp") {
            Some(text) => Description::parse(text).and_then(|d| d.negotiate(media)),
            None => Err("no session description where an answer is due"),
        };
        match agreed {
            Ok(agreed) => {
                self.agree(call, agreed);
                true
            }
            Err(what) => {
                self.odd(Some(call.key), Oddity::new(OddityKind::BadSessionDescription, what));
                false
            }
        }
    }

    /// The peer's offer in a message, if there is one.
    pub(super) fn their_offer(&mut self, key: CallKey, message: &Message) -> Result<Option<Description>, ()> {
        let Some(text) = message.body_of("application/sdp") else { return Ok(None) };
        Description::parse(text).map(Some).map_err(|what| {
            self.odd(Some(key), Oddity::new(OddityKind::BadSessionDescription, what));
        })
    }

    fn agree(&mut self, call: &mut CallState, agreed: Negotiated) {
        if call.agreed != Some(agreed) {
            call.agreed = Some(agreed);
            self.signal(call.key, Signal::Media(agreed));
        }
    }

    /// The call is over; nothing more is sent for it.
    pub(super) fn end(&mut self, now: Instant, call: &mut CallState, ended: Ended) {
        if call.is_ended() {
            return;
        }
        call.phase = Phase::Ended;
        // A 2xx to their re-INVITE needs no ACK any more.
        if let Some(transaction) = call.invite_in.take().and_then(|invite| self.servers.get_mut(&invite.id)) {
            transaction.handle_ack(now);
        }
        if let Some(parent) = call.referred_by.take()
            && ended.status != 200
        {
            self.report_transfer(now, parent, ended.status);
        }
        self.signal(call.key, Signal::Ended(ended));
    }

    pub(super) fn ended(call: &CallState, by_us: bool, status: u16) -> Ended {
        Ended { by_us, status, cause: call.cause.clone(), contacts: Vec::new(), retry_after_s: None }
    }
}
