//! Requests inside a dialog other than INVITE, both ways, and the commands of the user.

use std::sync::Arc;
use std::time::Instant;

use rsip::Method;

use super::call::{CallState, Phase};
use super::commands::{Command, Ended, Signal};
use super::uac::TRANSCRIPT_PACKAGE;
use super::{ALLOW, Agent, CallKey};
use crate::message::{Message, reason_phrase};
use crate::oddity::{Oddity, OddityKind};
use crate::transaction::{Owner, Purpose};
use crate::uri;

impl Agent {
    /// An order of the user. Orders for calls that are over are dropped: their end has been told.
    pub(crate) fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Dial { key, dial } => self.dial(now, key, &dial),
            Command::Ring { key, early } => self.with_call(key, |agent, call| agent.ring(now, call, early)),
            Command::Answer { key, media } => self.with_call(key, |agent, call| agent.answer(now, call, media)),
            Command::Reject { key, status, headers } => {
                self.with_call(key, |agent, call| agent.reject(now, call, status, &headers));
            }
            Command::Hangup { key } => self.with_call(key, |agent, call| agent.hangup(now, call)),
            Command::Reinvite { key, change } => {
                self.with_call(key, |agent, call| agent.reinvite(now, call, change, false));
            }
            Command::Info { key, content_type, body, package } => self.with_call(key, |agent, call| {
                agent.send_in_dialog(now, call, Purpose::Info, Method::Info, |m| {
                    if let Some(package) = package {
                        m.push("Info-Package", package);
                    }
                    m.set("Content-Type", content_type);
                    m.body = body.into_bytes();
                });
            }),
            Command::Refer { key, target, replaces } => self.refer(now, key, &target, replaces),
            Command::AnswerRefer { key, status } => {
                self.with_call(key, |agent, call| agent.answer_refer(now, call, status));
            }
            Command::TransferFailed { key, status } => self.report_transfer(now, key, status),
            Command::Register { request, peer, uri, expires_s } => self.register(now, request, peer, &uri, expires_s),
            Command::Options { request, peer, uri } => self.options(now, request, peer, &uri),
        }
    }

    /// Ends a call in whatever way its phase asks for.
    pub(super) fn hangup(&mut self, now: Instant, call: &mut CallState) {
        call.hangup_asked = true;
        match call.phase {
            Phase::Calling => {
                call.phase = Phase::Cancelling;
                self.cancel(now, call);
            }
            Phase::Ringing => self.reject(now, call, 603, &[]),
            Phase::Confirmed => self.bye(now, call, None),
            // BYE must wait for the ACK (RFC 3261 §15).
            Phase::Accepted | Phase::Cancelling | Phase::Closing | Phase::Ended => {}
        }
    }

    pub(super) fn bye(&mut self, now: Instant, call: &mut CallState, reason: Option<&str>) {
        if call.phase != Phase::Confirmed {
            return;
        }
        call.phase = Phase::Closing;
        call.session.stop();
        call.retry = None;
        call.cause = reason.map(str::to_owned);
        self.send_in_dialog(now, call, Purpose::Bye, Method::Bye, |m| {
            if let Some(reason) = reason {
                m.push("Reason", reason);
            }
        });
        self.signal(call.key, Signal::ByeSent);
    }

    fn refer(&mut self, now: Instant, key: CallKey, target: &str, replaces: Option<CallKey>) {
        let replaces = replaces.and_then(|other| self.calls.get(&other)).and_then(|other| {
            let theirs = other.remote_tag.as_ref()?;
            Some(format!("{};to-tag={theirs};from-tag={}", other.call_id, other.local_tag))
        });
        let refer_to = match replaces {
            Some(replaces) => format!("<{target}?Replaces={}>", uri::escape(&replaces)),
            None => format!("<{target}>"),
        };
        self.with_call(key, |agent, call| {
            let referrer = call.local.clone();
            agent.send_in_dialog(now, call, Purpose::Refer, Method::Refer, |m| {
                m.push("Refer-To", refer_to);
                m.push("Referred-By", referrer);
            });
        });
    }

    fn answer_refer(&mut self, now: Instant, call: &mut CallState, status: u16) {
        let Some((id, request)) = call.refer_in.take() else { return };
        let response = self.dialog_response(call, &request, status);
        self.respond(now, &id, &response);
        if (200..300).contains(&status) {
            call.notifying = true;
            self.notify(now, call, 100);
        }
    }

    /// Tells the one who sent REFER how the call that it asked for goes.
    pub(super) fn report_transfer(&mut self, now: Instant, referred: CallKey, status: u16) {
        self.with_call(referred, |agent, call| {
            if call.notifying && call.phase == Phase::Confirmed {
                agent.notify(now, call, status);
            }
        });
    }

    fn notify(&mut self, now: Instant, call: &mut CallState, status: u16) {
        let done = status >= 200;
        call.notifying = !done;
        self.send_in_dialog(now, call, Purpose::Notify, Method::Notify, |m| {
            m.push("Event", "refer");
            let state = if done { "terminated;reason=noresource" } else { "active;expires=60" };
            m.push("Subscription-State", state);
            m.set("Content-Type", "message/sipfrag;version=2.0");
            m.body = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)).into_bytes();
        });
    }

    /// A request inside a dialog, other than ACK and CANCEL.
    pub(super) fn handle_in_dialog(&mut self, now: Instant, id: &Arc<str>, request: &Message, method: Method) {
        let Some(key) = self.call_of(request) else {
            self.odd(None, Oddity::new(OddityKind::OutsideDialog, format!("{method} for a dialog that is not there")));
            return self.respond_plain(now, id, request, 481);
        };
        self.with_call(key, |agent, call| {
            if call.remote_tag.as_deref() != request.sender_tag() {
                let odd = Oddity::new(OddityKind::OutsideDialog, format!("{method} with another From tag"));
                agent.odd(Some(key), odd);
                return agent.respond_plain(now, id, request, 481);
            }
            let (number, _) = request.cseq().unwrap_or_default();
            if call.remote_cseq.is_some_and(|last| number <= last) {
                agent.odd(
                    Some(key),
                    Oddity::new(OddityKind::BadCseq, format!("{method} with a CSeq that is not higher")),
                );
                return agent.respond_plain(now, id, request, 500);
            }
            call.remote_cseq = Some(number);
            agent.take_in_dialog(now, call, id, request, method);
        });
    }

    fn take_in_dialog(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message, method: Method) {
        match method {
            Method::Invite => self.handle_reinvite(now, call, id, request),
            Method::Bye => self.handle_bye(now, call, id, request),
            Method::Info => self.handle_info(now, call, id, request),
            Method::PRack => self.handle_prack(now, call, id, request),
            Method::Update => self.handle_update(now, call, id, request),
            Method::Refer => self.handle_refer(now, call, id, request),
            Method::Notify => self.handle_notify(now, call, id, request),
            Method::Options => {
                let response = self.dialog_response(call, request, 200);
                self.respond(now, id, &response);
            }
            _ => {
                self.odd(Some(call.key), Oddity::new(OddityKind::NotAllowed, format!("{method} in a dialog")));
                let mut response = self.response(request, 405);
                response.push("Allow", ALLOW);
                self.respond(now, id, &response);
            }
        }
    }

    fn handle_bye(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        self.respond_plain(now, id, request, 200);
        if let Some(invite) = call.invite_in.take() {
            // BYE before the ACK of our 2xx, or against our own ringing.
            if call.phase == Phase::Ringing {
                let response = self.dialog_response(call, &invite.request, 487);
                self.respond(now, &invite.id, &response);
            } else if let Some(transaction) = self.servers.get_mut(&invite.id) {
                transaction.handle_ack(now);
            }
        }
        let cause = request.header("Reason").map(str::to_owned);
        let by_us = call.phase == Phase::Closing;
        let status = if matches!(call.phase, Phase::Ringing | Phase::Calling | Phase::Cancelling) { 487 } else { 200 };
        self.end(now, call, Ended { cause, ..Self::ended(call, by_us, status) });
    }

    fn handle_info(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        let code = match request.header("Info-Package") {
            Some(package) if package.eq_ignore_ascii_case(TRANSCRIPT_PACKAGE) && call.transcript => {
                match request.body_of("application/json") {
                    Some(body) => self.signal(call.key, Signal::Transcript(body.to_owned())),
                    None => {
                        self.odd(
                            Some(call.key),
                            Oddity::new(OddityKind::BadHeader, "a transcript that is no JSON body"),
                        );
                    }
                }
                200
            }
            Some(_) => {
                self.odd(Some(call.key), Oddity::new(OddityKind::NotAllowed, "an Info-Package we did not ask for"));
                469
            }
            None => match info_digit(request) {
                Some(digit) => {
                    self.signal(call.key, Signal::Digit(digit));
                    200
                }
                None if request.body.is_empty() => 200,
                None => 415,
            },
        };
        let response = self.dialog_response(call, request, code);
        self.respond(now, id, &response);
    }

    fn handle_update(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        if call.invite_out.is_some() && !request.body.is_empty() {
            return self.respond_plain(now, id, request, 491);
        }
        let Ok(offer) = self.their_offer(call.key, request) else {
            return self.respond_plain(now, id, request, 488);
        };
        let mut response = self.dialog_response(call, request, 200);
        if let Some(offer) = offer {
            let Ok(answer) = self.our_answer(call, &offer) else {
                return self.respond_plain(now, id, request, 488);
            };
            response = response.with_body("application/sdp", answer);
            self.signal(call.key, Signal::PeerChange { direction: offer.direction });
        }
        call.learn_target(request, false);
        Self::session_answer(now, call, request, &mut response);
        self.respond(now, id, &response);
        self.signal(call.key, Signal::Refreshed { by_us: false });
    }

    fn handle_refer(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        let targets = request.list("Refer-To");
        let [refer_to] = targets.as_slice() else {
            self.odd(Some(call.key), Oddity::new(OddityKind::BadHeader, "REFER needs exactly one Refer-To"));
            return self.respond_plain(now, id, request, 400);
        };
        if call.refer_in.is_some() || call.notifying {
            return self.respond_plain(now, id, request, 491);
        }
        let (target, replaces) = uri::refer_target(refer_to);
        call.refer_in = Some((id.clone(), request.clone()));
        self.signal(call.key, Signal::Refer { target, replaces });
    }

    fn handle_notify(&mut self, now: Instant, call: &mut CallState, id: &Arc<str>, request: &Message) {
        let about_refer = request.header("Event").is_some_and(|e| e.split(';').next() == Some("refer"));
        let status = request
            .body_of("message/sipfrag")
            .and_then(|frag| frag.strip_prefix("SIP/2.0 ")?.get(..3)?.parse::<u16>().ok());
        match status.filter(|_| about_refer) {
            Some(status) => {
                self.respond_plain(now, id, request, 200);
                self.signal(call.key, Signal::ReferProgress { status });
            }
            None => {
                self.odd(Some(call.key), Oddity::new(OddityKind::NotAllowed, "NOTIFY that reports no transfer"));
                self.respond_plain(now, id, request, 489);
            }
        }
    }

    /// A response to a request of ours inside a dialog.
    pub(super) fn call_response(
        &mut self,
        now: Instant,
        call: &mut CallState,
        id: &Arc<str>,
        purpose: Purpose,
        response: &Message,
    ) {
        let code = response.code();
        match purpose {
            Purpose::Invite | Purpose::Reinvite => return self.invite_response(now, call, id, purpose, response),
            _ if code < 200 => return,
            _ => {}
        }
        if matches!(code, 401 | 407)
            && let Some((peer, message)) = self.with_credentials(id, response, call.cseq + 1)
        {
            call.cseq += 1;
            self.send_request(now, Owner::Call(call.key, purpose), peer, message);
            return;
        }
        match purpose {
            Purpose::Bye => {
                let ended = Self::ended(call, true, 200);
                self.end(now, call, ended);
            }
            Purpose::Update => self.update_answered(now, call, response),
            Purpose::Info => self.signal(call.key, Signal::InfoAnswered { status: code }),
            Purpose::Refer => self.signal(call.key, Signal::ReferAnswered { status: code }),
            Purpose::Prack | Purpose::Notify | Purpose::Cancel if code >= 300 && code != 481 => {
                let odd = Oddity::new(OddityKind::NotAllowed, format!("{purpose:?} refused with {code}"));
                self.odd(Some(call.key), odd);
            }
            _ => {}
        }
    }

    /// A request of ours that was never answered.
    pub(super) fn unanswered(&mut self, now: Instant, call: &mut CallState, purpose: Purpose) {
        let silent = Oddity::new(OddityKind::NoAnswer, format!("{purpose:?} was never answered"));
        self.odd(Some(call.key), silent);
        match purpose {
            Purpose::Invite => {
                call.invite_out = None;
                let ended = Self::ended(call, true, 408);
                self.end(now, call, ended);
            }
            Purpose::Reinvite => {
                call.invite_out = None;
                self.signal(call.key, Signal::Reinvited { status: 408 });
                self.bye(now, call, Some("SIP;cause=408;text=\"re-INVITE unanswered\""));
            }
            Purpose::Update => self.bye(now, call, Some("SIP;cause=408;text=\"UPDATE unanswered\"")),
            Purpose::Bye => {
                let ended = Self::ended(call, true, 200);
                self.end(now, call, ended);
            }
            Purpose::Info => self.signal(call.key, Signal::InfoAnswered { status: 408 }),
            Purpose::Refer => self.signal(call.key, Signal::ReferAnswered { status: 408 }),
            Purpose::Cancel | Purpose::Prack | Purpose::Notify => {}
        }
    }
}

/// A digit of application/dtmf-relay or application/dtmf.
fn info_digit(request: &Message) -> Option<char> {
    if let Some(body) = request.body_of("application/dtmf-relay") {
        let field = |name: &str| {
            body.lines()
                .filter_map(|l| l.split_once('='))
                .find(|(n, _)| n.trim().eq_ignore_ascii_case(name))
                .map(|(_, v)| v.trim())
        };
        return field("Signal")?.chars().next().and_then(as_key);
    }
    request.body_of("application/dtmf")?.trim().chars().next().and_then(as_key)
}

fn as_key(c: char) -> Option<char> {
    let c = c.to_ascii_uppercase();
    matches!(c, '0'..='9' | '*' | '#' | 'A'..='D').then_some(c)
}
