//! INVITEs of theirs: taking, ringing, answering, refusing, CANCEL and ACK.

use std::sync::Arc;
use std::time::Instant;

use rsip::Method;

use super::call::{CallState, InviteIn, Phase, ReliableOut};
use super::commands::{Invitation, Output, Signal};
use super::session::{MIN_SE_S, session_expires};
use super::uac::TRANSCRIPT_PACKAGE;
use super::{ALLOW, Agent, CALLS_MAX, CallKey, EXTENSIONS, transaction_id};
use crate::message::{Message, Start};
use crate::oddity::{Oddity, OddityKind};
use crate::sdp::LocalMedia;
use crate::transaction::Peer;
use crate::uri;

/// How many headers of an INVITE are shown to whoever answers it.
const HEADERS_SHOWN_MAX: usize = 64;

impl Agent {
    /// An INVITE outside any dialog.
    pub(super) fn handle_invite(&mut self, now: Instant, id: &Arc<str>, peer: Peer, request: &Message) {
        if let Err(response) = self.admit(request) {
            self.respond(now, id, &response);
            return;
        }
        let replaces = match request.header("Replaces").map(|value| self.replaced(value)) {
            None => None,
            Some(Ok(key)) => Some(key),
            Some(Err(code)) => return self.respond_plain(now, id, request, code),
        };
        self.incoming_key += 2;
        let key = CallKey(self.incoming_key);
        let Ok(offer) = self.their_offer(key, request) else {
            return self.respond_plain(now, id, request, 488);
        };
        let mut call = CallState::new(key, Phase::Ringing, peer);
        call.call_id = request.call_id().to_owned();
        call.local_tag = self.tag();
        call.remote_tag = request.sender_tag().map(str::to_owned);
        call.local = without_tag(request.header("To").unwrap_or_default());
        call.remote = without_tag(request.header("From").unwrap_or_default());
        call.sdp_id = u64::from(rand::Rng::random::<u32>(&mut self.rng));
        call.cseq = rand::Rng::random_range(&mut self.rng, 1..10_000);
        call.replaces = replaces;
        let (cseq, _) = request.cseq().unwrap_or_default();
        call.remote_cseq = Some(cseq);
        call.learn_target(request, true);
        let invitation = invitation(request, replaces, offer.is_some());
        let (id, request) = (id.clone(), request.clone());
        if let Some(transaction) = self.servers.get_mut(&id) {
            transaction.call = Some(key);
        }
        let trying = Message::response_to(&request, 100, "Trying");
        self.respond(now, &id, &trying);
        call.invite_in = Some(InviteIn { id, request, cseq, offer, we_offered: false, answered: false });
        self.add_call(call);
        self.outputs.push_back(Output::Incoming(key, invitation));
    }

    /// Whether an INVITE may become a call; otherwise the response that says why not.
    fn admit(&mut self, request: &Message) -> Result<(), Message> {
        if self.calls.len() >= CALLS_MAX {
            return Err(self.response(request, 503));
        }
        if let Some(challenge) = self.config.challenge.clone()
            && !self.answers_challenge(request, "Proxy-Authorization", &challenge.users)
        {
            let mut response = self.response(request, 407);
            let value = self.new_challenge(&challenge.realm, challenge.algorithm);
            response.push("Proxy-Authenticate", value);
            return Err(response);
        }
        let strange: Vec<_> = request
            .list("Require")
            .into_iter()
            .filter(|e| !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)))
            .collect();
        if !strange.is_empty() {
            let mut response = self.response(request, 420);
            response.push("Unsupported", strange.join(", "));
            return Err(response);
        }
        if session_expires(request).is_some_and(|(s, _)| s < MIN_SE_S) && request.lists("Supported", "timer") {
            let mut response = self.response(request, 422);
            response.push("Min-SE", MIN_SE_S.to_string());
            return Err(response);
        }
        let merged = self.calls.values().any(|c| {
            c.phase == Phase::Ringing
                && c.call_id == request.call_id()
                && c.remote_tag.as_deref() == request.sender_tag()
                && c.remote_cseq == request.cseq().map(|(n, _)| n)
        });
        if merged {
            return Err(self.response(request, 482));
        }
        Ok(())
    }

    /// The call that a Replaces header names (RFC 3891 §3), or the status that refuses it.
    fn replaced(&self, value: &str) -> Result<CallKey, u16> {
        let call_id = value.split(';').next().unwrap_or_default().trim();
        let (Some(ours), Some(theirs)) = (uri::header_param(value, "to-tag"), uri::header_param(value, "from-tag"))
        else {
            return Err(400);
        };
        let key = self.dialogs.get(&(call_id.to_owned(), ours.to_owned())).ok_or(481_u16)?;
        let call = self.calls.get(key).ok_or(481_u16)?;
        if call.remote_tag.as_deref() != Some(theirs) {
            return Err(481);
        }
        match call.phase {
            Phase::Confirmed | Phase::Accepted if uri::header_param(value, "early-only").is_some() => Err(486),
            Phase::Confirmed | Phase::Accepted | Phase::Calling => Ok(*key),
            _ => Err(481),
        }
    }

    /// 180, or 183 with early media; reliably when the caller insists.
    pub(super) fn ring(&mut self, now: Instant, call: &mut CallState, early: Option<LocalMedia>) {
        let Some(invite) = call.invite_in.take() else { return };
        if call.phase == Phase::Ringing && call.reliable_out.is_none() {
            let mut response = self.dialog_response(call, &invite.request, if early.is_some() { 183 } else { 180 });
            let reliable = invite.request.lists("Require", "100rel")
                || (early.is_some() && invite.request.lists("Supported", "100rel"));
            let mut answered = invite.answered;
            if let (Some(media), Some(offer)) = (early, &invite.offer) {
                call.media = Some(media);
                if let Ok(answer) = self.our_answer(call, offer) {
                    response = response.with_body("application/sdp", answer);
                    answered = reliable;
                }
            }
            if reliable {
                let rseq = rand::Rng::random_range(&mut self.rng, 1..10_000);
                response.push("Require", "100rel");
                response.push("RSeq", u32::to_string(&rseq));
                let t1 = self.config.timing.t1;
                let peer = self.servers.get(&invite.id).map_or(call.peer, |t| t.peer);
                call.reliable_out = Some(ReliableOut {
                    rseq,
                    bytes: response.to_bytes().into(),
                    peer,
                    interval: t1,
                    resend_at: now + t1,
                    give_up_at: now + self.config.timing.give_up(),
                });
            }
            self.respond(now, &invite.id, &response);
            call.invite_in = Some(InviteIn { answered, ..invite });
        } else {
            call.invite_in = Some(invite);
        }
    }

    /// 200 OK, once a reliable provisional response that is under way has its PRACK (RFC 3262 §3).
    pub(super) fn answer(&mut self, now: Instant, call: &mut CallState, media: LocalMedia) {
        if call.reliable_out.is_some() {
            call.answer_with = Some(media);
            return;
        }
        let Some(mut invite) = call.invite_in.take().filter(|_| call.phase == Phase::Ringing) else { return };
        call.media = Some(media);
        let body = match &invite.offer {
            Some(_) if invite.answered => Ok(None),
            Some(offer) => self.our_answer(call, offer).map(Some),
            None => {
                invite.we_offered = true;
                Ok(Self::our_offer(call))
            }
        };
        let Ok(body) = body else {
            call.invite_in = Some(invite);
            self.reject(now, call, 488, &[]);
            return;
        };
        let mut response = self.dialog_response(call, &invite.request, 200);
        response.push("Recv-Info", TRANSCRIPT_PACKAGE);
        call.transcript = true;
        Self::session_answer(now, call, &invite.request, &mut response);
        if let Some(body) = body {
            response = response.with_body("application/sdp", body);
        }
        call.phase = Phase::Accepted;
        self.respond(now, &invite.id, &response);
        call.invite_in = Some(invite);
    }

    /// Refuses a ringing call.
    pub(super) fn reject(&mut self, now: Instant, call: &mut CallState, status: u16, headers: &[(String, String)]) {
        let Some(invite) = call.invite_in.take().filter(|_| call.phase == Phase::Ringing) else { return };
        let mut response = self.dialog_response(call, &invite.request, status);
        for (name, value) in headers {
            response.set(name, value.clone());
        }
        self.respond(now, &invite.id, &response);
        let ended = Self::ended(call, true, status);
        self.end(now, call, ended);
    }

    pub(super) fn handle_cancel(&mut self, now: Instant, id: &Arc<str>, branch: &str, request: &Message) {
        let invite = transaction_id(branch, Method::Invite);
        let Some(transaction) = self.servers.get(&invite) else {
            return self.respond_plain(now, id, request, 481);
        };
        let (call, finished) = (transaction.call, transaction.is_finished());
        let mut response = self.response(request, 200);
        if let Some(call) = call.and_then(|key| self.calls.get(&key)) {
            response.set("To", format!("{};tag={}", call.local, call.local_tag));
        }
        self.respond(now, id, &response);
        let Some(key) = call.filter(|_| !finished) else { return };
        self.with_call(key, |agent, call| {
            call.cause = request.header("Reason").map(str::to_owned);
            let Some(invite) = call.invite_in.take() else { return };
            let response = agent.dialog_response(call, &invite.request, 487);
            agent.respond(now, &invite.id, &response);
            if call.phase == Phase::Ringing {
                let ended = Self::ended(call, false, 487);
                agent.end(now, call, ended);
            }
        });
    }

    /// ACK: of a refusal by its branch, of a 2xx by its dialog and CSeq.
    pub(super) fn handle_ack(&mut self, now: Instant, branch: &str, message: &Message) {
        if let Some(transaction) = self.servers.get_mut(&transaction_id(branch, Method::Invite)) {
            transaction.handle_ack(now);
            if !transaction.accepted {
                return;
            }
            let odd = Oddity::new(OddityKind::BadHeader, "ACK of a 2xx with the INVITE's own branch");
            let call = self.call_of(message);
            self.odd(call, odd);
        }
        let Some(key) = self.call_of(message) else { return };
        self.with_call(key, |agent, call| agent.acknowledged(now, call, message));
    }

    fn acknowledged(&mut self, now: Instant, call: &mut CallState, message: &Message) {
        let cseq = message.cseq().map_or(0, |(n, _)| n);
        let Some(invite) = call.invite_in.take_if(|i| i.cseq == cseq) else { return };
        if let Some(transaction) = self.servers.get_mut(&invite.id) {
            transaction.handle_ack(now);
        }
        let fine = !invite.we_offered || self.their_answer(call, message);
        if call.phase != Phase::Accepted {
            return;
        }
        call.phase = Phase::Confirmed;
        if !fine {
            self.bye(now, call, Some("SIP;cause=488;text=\"No usable session description\""));
            return;
        }
        self.signal(call.key, Signal::Answered);
        if let Some(replaced) = call.replaces.take() {
            self.with_call(replaced, |agent, old| agent.hangup(now, old));
        }
        if call.hangup_asked {
            self.hangup(now, call);
        }
    }

    /// No ACK within 64·T1: the session is given up with BYE (RFC 3261 §13.3.1.4).
    pub(super) fn unacknowledged(&mut self, now: Instant, call: &mut CallState) {
        call.invite_in = None;
        if matches!(call.phase, Phase::Accepted | Phase::Confirmed) {
            call.phase = Phase::Confirmed;
            self.bye(now, call, Some("SIP;cause=408;text=\"No ACK\""));
        }
    }

    /// re-INVITE of theirs.
    pub(super) fn handle_reinvite(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        if call.invite_in.is_some() {
            let mut response = self.response(request, 500);
            response.push("Retry-After", "1");
            return self.respond(now, id, &response);
        }
        if call.invite_out.is_some() {
            return self.respond_plain(now, id, request, 491);
        }
        if call.phase != Phase::Confirmed {
            return self.respond_plain(now, id, request, 481);
        }
        let Ok(offer) = self.their_offer(call.key, request) else {
            return self.respond_plain(now, id, request, 488);
        };
        let body = match &offer {
            Some(offer) => self.our_answer(call, offer).map(Some),
            None => Ok(Self::our_offer(call)),
        };
        let Ok(body) = body else { return self.respond_plain(now, id, request, 488) };
        call.learn_target(request, false);
        let mut response = self.dialog_response(call, request, 200);
        Self::session_answer(now, call, request, &mut response);
        if let Some(body) = body {
            response = response.with_body("application/sdp", body);
        }
        if let Some(transaction) = self.servers.get_mut(id) {
            transaction.call = Some(call.key);
        }
        self.respond(now, id, &response);
        let (cseq, _) = request.cseq().unwrap_or_default();
        let direction = offer.as_ref().map_or_else(Default::default, |o| o.direction);
        call.invite_in = Some(InviteIn {
            id: id.clone(),
            request: request.clone(),
            cseq,
            we_offered: offer.is_none(),
            offer,
            answered: true,
        });
        if call.session.interval_s.is_some() {
            self.signal(call.key, Signal::Refreshed { by_us: false });
        }
        self.signal(call.key, Signal::PeerChange { direction });
    }

    /// A response with the dialog's tag and our Contact.
    pub(super) fn dialog_response(&mut self, call: &CallState, request: &Message, code: u16) -> Message {
        let mut response = Message::response_to(request, code, crate::message::reason_phrase(code));
        if code > 100 {
            response.set("To", format!("{};tag={}", call.local, call.local_tag));
        }
        response.push("Contact", self.contact(call.peer.tcp));
        response.push("User-Agent", super::USER_AGENT);
        if code < 300 {
            response.push("Allow", ALLOW);
            response.push("Supported", "100rel, replaces, timer");
        }
        response
    }

    /// PRACK of theirs (RFC 3262 §3).
    pub(super) fn handle_prack(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        let rack = request.header("RAck").unwrap_or_default();
        let expected = call.reliable_out.as_ref().zip(call.invite_in.as_ref());
        let fits = expected.is_some_and(|(r, i)| rack == format!("{} {} INVITE", r.rseq, i.cseq));
        if !fits {
            self.odd(Some(call.key), Oddity::new(OddityKind::BadReliableProvisional, "a PRACK that fits no response"));
            return self.respond_plain(now, id, request, 481);
        }
        call.reliable_out = None;
        self.respond_plain(now, id, request, 200);
        if let Some(media) = call.answer_with.take() {
            self.answer(now, call, media);
        }
    }
}

fn invitation(request: &Message, replaces: Option<CallKey>, offered: bool) -> Invitation {
    let request_uri = match &request.start {
        Start::Request { uri, .. } => uri.clone(),
        Start::Response { .. } => String::new(),
    };
    Invitation {
        from_uri: uri::addr_spec(request.header("From").unwrap_or_default()).to_owned(),
        request_uri,
        replaces,
        offered,
        headers: request.headers().take(HEADERS_SHOWN_MAX).map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
    }
}

/// A From or To value without its tag.
fn without_tag(value: &str) -> String {
    match value.rfind('>') {
        Some(close) => value[..=close].to_owned(),
        None => format!("<{}>", value.split(';').next().unwrap_or_default().trim()),
    }
}
