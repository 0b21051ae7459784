//! INVITEs of ours: dialling, provisional responses, ACK, CANCEL, re-INVITE.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use rsip::Method;

use super::call::{CallState, InviteOut, Phase};
use super::commands::{Dial, Ended, LocalChange, Output, Signal};
use super::session::MIN_SE_S;
use super::{Agent, CALLS_MAX, CallKey};
use crate::message::{Message, Start};
use crate::oddity::{Oddity, OddityKind};
use crate::transaction::{Owner, Purpose};
use crate::uri;

/// The Info Package in which the engine says what it plays and collects (RFC 6086).
pub(crate) const TRANSCRIPT_PACKAGE: &str = "gudok-transcript";

impl Agent {
    pub(super) fn dial(&mut self, now: Instant, key: CallKey, dial: &Dial) {
        if self.calls.len() >= CALLS_MAX {
            let ended = Ended { by_us: true, status: 503, cause: None, contacts: vec![], retry_after_s: None };
            self.signal(key, Signal::Ended(ended));
            return;
        }
        let mut call = CallState::new(key, Phase::Calling, dial.peer);
        call.owns_call_id = true;
        call.call_id = format!("{}@{}", self.tag(), self.config.advertised.ip());
        self.signal(key, Signal::CallId(call.call_id.clone()));
        call.local_tag = self.tag();
        let user = if dial.from_user.is_empty() { &self.config.user } else { &dial.from_user };
        call.local = format!("<sip:{user}@{}>", self.config.advertised);
        call.remote = format!("<{}>", dial.uri.split('?').next().unwrap_or_default());
        call.remote_target = dial.uri.clone();
        call.cseq = self.rng.random_range(1..10_000);
        call.media = Some(dial.media.clone());
        call.sdp_id = self.rng.random_range(1..u64::from(u32::MAX));
        call.transcript = dial.transcript;
        call.referred_by = dial.referred_by;
        call.session.interval_s = dial.session_expires_s;
        let mut message = self.in_dialog(&call, Method::Invite, call.cseq);
        if !dial.offer_100rel {
            message.set("Supported", "replaces, timer");
        }
        if dial.require_100rel {
            message.push("Require", "100rel");
        }
        if dial.transcript {
            message.push("Recv-Info", TRANSCRIPT_PACKAGE);
        }
        if let Some(interval_s) = dial.session_expires_s {
            message.push("Session-Expires", interval_s.to_string());
        }
        if let Some(replaces) = &dial.replaces {
            message.push("Replaces", replaces.clone());
        }
        for (name, value) in &dial.headers {
            message.push(name, value.clone());
        }
        if !dial.late_offer
            && let Some(offer) = Self::our_offer(&mut call)
        {
            message = message.with_body("application/sdp", offer);
        }
        let peer = self.config.outbound_proxy.map_or(dial.peer, |addr| crate::transaction::Peer { addr, ..dial.peer });
        let id = self.send_request(now, Owner::Call(key, Purpose::Invite), peer, message);
        call.invite_out = Some(invite_out(id, Purpose::Invite, !dial.late_offer, LocalChange::default(), false));
        self.add_call(call);
    }

    /// Sends a re-INVITE, or remembers to once the pending one is through.
    pub(super) fn reinvite(&mut self, now: Instant, call: &mut CallState, change: LocalChange, refresh: bool) {
        if call.phase != Phase::Confirmed {
            return;
        }
        if call.invite_out.is_some() || call.invite_in.is_some() {
            call.retry = Some((now + Duration::from_millis(200), change));
            return;
        }
        if let Some(media) = &mut call.media {
            media.direction = change.direction.unwrap_or(media.direction);
            media.addr = change.media_addr.unwrap_or(media.addr);
        }
        let offer = if change.late_offer { None } else { Self::our_offer(call) };
        let offered = offer.is_some();
        let interval_s = call.session.interval_s;
        let id = self.send_in_dialog(now, call, Purpose::Reinvite, Method::Invite, |m| {
            if let Some(interval_s) = interval_s {
                m.push("Session-Expires", format!("{interval_s};refresher=uac"));
            }
            if let Some(offer) = offer {
                m.set("Content-Type", "application/sdp");
                m.body = offer.into_bytes();
            }
        });
        call.invite_out = Some(invite_out(id, Purpose::Reinvite, offered, change, refresh));
    }

    pub(super) fn invite_response(
        &mut self,
        now: Instant,
        call: &mut CallState,
        id: &Arc<str>,
        purpose: Purpose,
        response: &Message,
    ) {
        if call.invite_out.as_ref().is_none_or(|out| out.id != *id) {
            return;
        }
        match response.code() {
            code @ 100..=199 => self.invite_progress(now, call, id, code, response),
            200..=299 if purpose == Purpose::Invite => self.invite_accepted(now, call, id, response),
            200..=299 => self.reinvite_accepted(now, call, id, response),
            _ => {
                self.ack_refusal(id, response);
                if !self.try_again(now, call, id, purpose, response) {
                    self.invite_refused(now, call, purpose, response);
                }
            }
        }
    }

    fn invite_progress(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, code: u16, response: &Message) {
        let Some(out) = &mut call.invite_out else { return };
        out.provisional = true;
        let (purpose, offered) = (out.purpose, out.offered);
        if call.phase == Phase::Cancelling {
            self.cancel(now, call);
            return;
        }
        if code == 100 || purpose != Purpose::Invite {
            return;
        }
        if let Some(tag) = response.to_tag() {
            self.learn_tag(call, tag);
            call.learn_target(response, true);
        }
        let reliable = response.lists("Require", "100rel");
        let mut answer = None;
        if reliable && !self.reliable_in_order(call, response) {
            return;
        }
        if !response.body.is_empty() {
            if offered {
                let fine = self.their_answer(call, response);
                if let Some(out) = &mut call.invite_out {
                    out.answered |= fine && reliable;
                }
            } else if reliable && let Ok(Some(offer)) = self.their_offer(call.key, response) {
                answer = self.our_answer(call, &offer).ok();
                if let Some(out) = &mut call.invite_out {
                    out.answered = true;
                }
            }
        }
        if reliable {
            self.prack(now, call, id, response, answer);
        }
        if let Some(parent) = call.referred_by {
            self.report_transfer(now, parent, code);
        }
        self.signal(call.key, Signal::Progress { status: code, reliable });
    }

    /// Whether a reliable provisional response is the next one (RFC 3262 §4).
    fn reliable_in_order(&mut self, call: &mut CallState, response: &Message) -> bool {
        let rseq = response.header("RSeq").and_then(|v| v.trim().parse::<u32>().ok());
        let last = call.invite_out.as_ref().and_then(|out| out.rseq);
        let what = match (rseq, last) {
            (None, _) => "a reliable provisional response without RSeq",
            (Some(rseq), Some(last)) if rseq <= last => return false, // A retransmission; its PRACK is under way.
            (Some(rseq), Some(last)) if rseq != last.wrapping_add(1) => "RSeq out of order",
            (Some(_), _) => {
                if let Some(out) = &mut call.invite_out {
                    out.rseq = rseq;
                }
                return true;
            }
        };
        self.odd(Some(call.key), Oddity::new(OddityKind::BadReliableProvisional, what));
        false
    }

    fn prack(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, response: &Message, answer: Option<String>) {
        let rseq = call.invite_out.as_ref().and_then(|out| out.rseq).unwrap_or_default();
        let cseq = self.clients.get(id).map_or(0, |t| t.cseq);
        debug_assert!(response.code() < 200);
        self.send_in_dialog(now, call, Purpose::Prack, Method::PRack, |m| {
            m.push("RAck", format!("{rseq} {cseq} INVITE"));
            if let Some(answer) = answer {
                m.set("Content-Type", "application/sdp");
                m.body = answer.into_bytes();
            }
        });
    }

    fn invite_accepted(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, response: &Message) {
        let Some(out) = call.invite_out.take() else { return };
        match response.to_tag() {
            Some(tag) => self.learn_tag(call, tag),
            None => return,
        }
        if response.contact_uri().is_none() {
            self.odd(Some(call.key), Oddity::new(OddityKind::BadHeader, "2xx to INVITE without Contact"));
        }
        call.learn_target(response, true);
        let (answer, fine) = self.settle_media(call, &out, response);
        self.ack_success(call, id, answer);
        let wanted = call.phase == Phase::Calling;
        call.phase = Phase::Confirmed;
        self.session_accepted(now, call, response);
        if !wanted || call.hangup_asked || !fine {
            self.bye(now, call, (!fine).then_some("SIP;cause=488;text=\"No usable session description\""));
            return;
        }
        self.signal(call.key, Signal::Answered);
        if let Some(parent) = call.referred_by.take() {
            self.report_transfer(now, parent, 200);
        }
    }

    fn reinvite_accepted(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, response: &Message) {
        let Some(out) = call.invite_out.take() else { return };
        if response.to_tag() != call.remote_tag.as_deref() {
            self.odd(Some(call.key), Oddity::new(OddityKind::ToTagChanged, "2xx to a re-INVITE"));
        }
        call.learn_target(response, false);
        let (answer, _) = self.settle_media(call, &out, response);
        self.ack_success(call, id, answer);
        self.session_accepted(now, call, response);
        self.signal(
            call.key,
            if out.refresh { Signal::Refreshed { by_us: true } } else { Signal::Reinvited { status: response.code() } },
        );
    }

    /// Takes the answer in a 2xx, or makes ours for its offer; the flag says whether media can flow.
    fn settle_media(&mut self, call: &mut CallState, out: &InviteOut, response: &Message) -> (Option<String>, bool) {
        if out.offered {
            let fine = (out.answered && response.body.is_empty()) || self.their_answer(call, response);
            return (None, fine);
        }
        if out.answered {
            return (None, true);
        }
        match self.their_offer(call.key, response) {
            Ok(Some(offer)) => {
                let answer = self.our_answer(call, &offer);
                if let Err(what) = answer {
                    self.odd(Some(call.key), Oddity::new(OddityKind::BadSessionDescription, what));
                }
                let fine = answer.is_ok();
                (answer.ok(), fine)
            }
            Ok(None) => {
                let what = "no offer in the 2xx to an INVITE without one";
                self.odd(Some(call.key), Oddity::new(OddityKind::BadSessionDescription, what));
                (None, false)
            }
            Err(()) => (None, false),
        }
    }

    /// ACK of a 2xx: a request of the dialog, sent again for every retransmission of the 2xx.
    fn ack_success(&mut self, call: &CallState, id: &Arc<str>, answer: Option<String>) {
        let Some(transaction) = self.clients.get(id) else { return };
        let mut ack = self.in_dialog(call, Method::Ack, transaction.cseq);
        let peer = self.call_hop(call);
        let branch = format!("z9hG4bK{:016x}", self.rng.random::<u64>());
        ack.push("Via", self.via(peer, &branch));
        if let Some(answer) = answer {
            ack = ack.with_body("application/sdp", answer);
        }
        self.send_ack(id, peer, &ack);
    }

    /// ACK of a refusal: part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    fn ack_refusal(&mut self, id: &Arc<str>, response: &Message) {
        let Some(transaction) = self.clients.get(id) else { return };
        let invite = &transaction.message;
        let Start::Request { uri, .. } = &invite.start else { return };
        let mut ack = Message::request(Method::Ack, uri);
        for name in ["Via", "Max-Forwards", "From", "Call-ID"] {
            ack.push(name, invite.header(name).unwrap_or_default());
        }
        for route in invite.list("Route") {
            ack.push("Route", route);
        }
        ack.push("To", response.header("To").unwrap_or_default());
        ack.push("CSeq", format!("{} ACK", transaction.cseq));
        let peer = transaction.peer;
        self.send_ack(id, peer, &ack);
    }

    fn send_ack(&mut self, id: &Arc<str>, peer: crate::transaction::Peer, ack: &Message) {
        let bytes: Arc<[u8]> = ack.to_bytes().into();
        if let Some(transaction) = self.clients.get_mut(id) {
            transaction.acknowledge(peer, bytes.clone());
        }
        self.outputs.push_back(Output::Send { peer, bytes });
    }

    /// Sends the INVITE anew with credentials, a longer session interval, or after a glare.
    fn try_again(
        &mut self,
        now: Instant,
        call: &mut CallState,
        id: &Arc<str>,
        purpose: Purpose,
        response: &Message,
    ) -> bool {
        if call.phase == Phase::Cancelling || call.hangup_asked {
            return false;
        }
        let again = match response.code() {
            401 | 407 => self.with_credentials(id, response, call.cseq + 1),
            422 => {
                let min_s = response.header("Min-SE").and_then(|v| v.split(';').next()?.trim().parse().ok());
                let min_s: u32 = min_s.unwrap_or(MIN_SE_S);
                let longer = call.session.interval_s.is_some_and(|s| s < min_s);
                call.session.interval_s = Some(min_s);
                self.clients.get(id).filter(|_| longer).map(|t| {
                    let mut message = t.message.clone();
                    message.set("Session-Expires", min_s.to_string());
                    message.set("Min-SE", min_s.to_string());
                    message.set("CSeq", format!("{} INVITE", call.cseq + 1));
                    (t.peer, message)
                })
            }
            491 if purpose == Purpose::Reinvite => {
                // RFC 3261 §14.1: the owner of the Call-ID waits longer.
                let ms = if call.owns_call_id {
                    self.rng.random_range(2_100..4_000)
                } else {
                    self.rng.random_range(0..2_000)
                };
                let Some(out) = call.invite_out.take() else { return false };
                call.retry = Some((now + Duration::from_millis(ms), out.change));
                return true;
            }
            _ => None,
        };
        let (Some((peer, message)), Some(out)) = (again, &mut call.invite_out) else { return false };
        call.cseq += 1;
        out.id = self.send_request(now, Owner::Call(call.key, purpose), peer, message);
        out.provisional = false;
        call.remote_tag = call.remote_tag.take().filter(|_| purpose == Purpose::Reinvite);
        true
    }

    fn invite_refused(&mut self, now: Instant, call: &mut CallState, purpose: Purpose, response: &Message) {
        let code = response.code();
        call.invite_out = None;
        if purpose == Purpose::Reinvite {
            self.signal(call.key, Signal::Reinvited { status: code });
            if matches!(code, 408 | 481) {
                self.bye(now, call, None);
            }
            return;
        }
        let contacts = response.list("Contact").iter().map(|c| uri::addr_spec(c).to_owned()).collect();
        let retry_after_s = response
            .header("Retry-After")
            .and_then(|v| v.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()));
        let by_us = call.phase == Phase::Cancelling;
        let cause = response.header("Reason").map(str::to_owned);
        self.end(now, call, Ended { by_us, status: code, cause, contacts, retry_after_s });
    }

    /// CANCEL, once; the INVITE must have had a provisional response (RFC 3261 §9.1).
    pub(super) fn cancel(&mut self, now: Instant, call: &mut CallState) {
        let Some(out) = &mut call.invite_out else { return };
        if !out.provisional || out.cancelled {
            return;
        }
        out.cancelled = true;
        let Some(invite) = self.clients.get_mut(&out.id) else { return };
        invite.expect_end(now);
        let (peer, cseq) = (invite.peer, invite.cseq);
        self.timers.arm(super::TimerKey::Client(out.id.clone()), invite.deadline());
        let Start::Request { uri, .. } = &invite.message.start else { return };
        let mut message = Message::request(Method::Cancel, uri);
        for name in ["Via", "Max-Forwards", "From", "To", "Call-ID"] {
            message.push(name, invite.message.header(name).unwrap_or_default());
        }
        for route in invite.message.list("Route") {
            message.push("Route", route);
        }
        message.push("CSeq", format!("{cseq} CANCEL"));
        self.send_request_as_is(now, Owner::Call(call.key, Purpose::Cancel), peer, message);
    }

    /// A second 2xx from another branch of a fork: acknowledged and ended at once (RFC 3261 §13.2.2.4).
    pub(super) fn forked(&mut self, now: Instant, id: &Arc<str>, response: &Message) -> bool {
        let Some(transaction) = self.clients.get(id) else { return false };
        let Owner::Call(key, Purpose::Invite) = transaction.owner else { return false };
        let (Some(tag), Some(call)) = (response.to_tag(), self.calls.get(&key)) else { return false };
        let other = call.remote_tag.as_deref() != Some(tag);
        if !(200..300).contains(&response.code()) || !transaction.is_completed() || !other {
            return false;
        }
        let cseq = transaction.cseq;
        let mut fork = CallState::new(CallKey(0), Phase::Confirmed, call.peer);
        fork.call_id.clone_from(&call.call_id);
        fork.local_tag.clone_from(&call.local_tag);
        fork.local.clone_from(&call.local);
        fork.remote.clone_from(&call.remote);
        fork.remote_tag = Some(tag.to_owned());
        fork.cseq = cseq;
        fork.learn_target(response, true);
        let mut ack = self.in_dialog(&fork, Method::Ack, cseq);
        let peer = self.call_hop(&fork);
        let branch = format!("z9hG4bK{:016x}", self.rng.random::<u64>());
        ack.push("Via", self.via(peer, &branch));
        self.outputs.push_back(Output::Send { peer, bytes: ack.to_bytes().into() });
        self.send_in_dialog(now, &mut fork, Purpose::Bye, Method::Bye, |_| {});
        self.odd(Some(key), Oddity::new(OddityKind::ToTagChanged, "a second 2xx from another branch"));
        true
    }

    fn learn_tag(&mut self, call: &mut CallState, tag: &str) {
        if call.remote_tag.as_deref().is_some_and(|known| known != tag) {
            self.odd(Some(call.key), Oddity::new(OddityKind::ToTagChanged, "between responses to one INVITE"));
        }
        call.remote_tag = Some(tag.to_owned());
    }
}

fn invite_out(id: Arc<str>, purpose: Purpose, offered: bool, change: LocalChange, refresh: bool) -> InviteOut {
    InviteOut {
        id,
        purpose,
        offered,
        answered: false,
        provisional: false,
        cancelled: false,
        change,
        refresh,
        rseq: None,
    }
}
