//! A leg that the peer began, up to the ACK.

use super::transaction::{Driven, Outcome, Responder};
use super::{Leg, State, Timer, now};
use crate::dialog::Dialog;
use crate::message::{Body, SDP, field, push_session_fields, response, response_base, sdp_body};
use crate::session_timer::Said;
use crate::stats::Counter;
use gudok_core::leg::{HangupCause, LegEvent};
use rsipstack::sip::{Header, Method, Request, Response};
use rsipstack::transaction::transaction::Transaction;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// 100 after this, where nothing else was sent.
const TRYING_AFTER: Duration = Duration::from_millis(150);
/// A provisional response is repeated this often (RFC 3261, section 13.3.1.1).
const PROGRESS_EVERY: Duration = Duration::from_secs(60);
/// Reliable responses that wait for the one before them.
const RELIABLE_WAITING_MAX: usize = 4;

/// The first RSeq is below this.
const FIRST_RSEQ_MAX: u32 = 1 << 20;

/// An INVITE that has no final answer yet.
pub(super) struct Offered {
    responder: Responder,
    invite_cseq: u32,
    offer: Option<Vec<u8>>,
    said: Said,
    rel: Rel,
    /// The last provisional response.
    progress: Option<Response>,
    sdp: Sdp,
    /// An answer that waits for a PRACK.
    answer_due: Option<SocketAddr>,
}

/// Whether the peer has 100rel, and whether it insists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    No,
    Supported,
    Required,
}

/// Reliable responses (RFC 3262).
struct Rel {
    demand: Demand,
    t1: Duration,
    rseq: u32,
    unacknowledged: Option<Unacknowledged>,
    waiting: VecDeque<Response>,
}

struct Unacknowledged {
    rseq: u32,
    response: Response,
    interval: Duration,
    give_up_at: Instant,
}

/// How far offer and answer have come before the 200.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sdp {
    Nothing,
    /// In a response that may be lost: the 200 repeats it.
    Shown,
    /// In a reliable one that is not acknowledged.
    Sent,
    /// Done: the 200 goes without.
    Done,
}

/// The 200 is sent.
pub(super) struct Answered {
    /// Our 200 had the offer; the ACK brings the answer.
    late_offer: bool,
    /// BYE as soon as the ACK is there.
    pub(super) hang_up: bool,
}

impl Offered {
    /// `offer` is the INVITE's SDP, `t1` the first interval of reliable responses.
    pub(super) fn new(
        invite: &Transaction,
        dialog: &Dialog,
        offer: Option<Vec<u8>>,
        said: Said,
        demand: Demand,
        t1: Duration,
    ) -> Self {
        let rseq = rand::random_range(1..FIRST_RSEQ_MAX);
        Self {
            responder: Responder::new(invite, response_base(&invite.original, Some(&dialog.local_tag))),
            invite_cseq: crate::dialog::cseq_of(&invite.original.headers).unwrap_or_default(),
            offer,
            said,
            rel: Rel { demand, t1, rseq, unacknowledged: None, waiting: VecDeque::new() },
            progress: None,
            sdp: Sdp::Nothing,
            answer_due: None,
        }
    }
}

impl Leg {
    /// Says 100 if the host takes its time.
    pub(super) fn expect_an_answer(&mut self) {
        self.set_timer(Timer::Trying, TRYING_AFTER);
    }

    fn offered(&mut self) -> Option<&mut Offered> {
        match &mut self.state {
            State::Offered(offered) => Some(offered),
            _ => None,
        }
    }

    pub(super) fn send_trying(&mut self) {
        if let Some(offered) = self.offered() {
            offered.responder.send(response(offered.responder.base(), 100, Vec::new(), None));
        }
    }

    pub(super) fn ring(&mut self) {
        let headers = self.dialog_fields();
        let Some(offered) = self.offered().filter(|offered| offered.progress.is_none()) else { return };
        let ringing = response(offered.responder.base(), 180, headers, None);
        let reliably = offered.rel.demand == Demand::Required;
        self.send_progress(ringing, reliably);
    }

    pub(super) fn start_early_media(&mut self, local: SocketAddr) {
        let headers = self.dialog_fields();
        let State::Offered(offered) = &mut self.state else { return };
        let reliably = offered.rel.demand != Demand::No;
        // An offer of ours needs a response that cannot be lost.
        if offered.sdp != Sdp::Nothing || (offered.offer.is_none() && !reliably) {
            return;
        }
        let body = match &offered.offer {
            Some(offer) => self.media.answer(offer, local),
            None => Ok(self.media.offer(local)),
        };
        let Ok(body) = body else { return };
        offered.sdp = if reliably { Sdp::Sent } else { Sdp::Shown };
        let progress = response(offered.responder.base(), 183, headers, Some((SDP, body)));
        self.send_progress(progress, reliably);
        self.report_media();
    }

    fn send_progress(&mut self, progress: Response, reliably: bool) {
        let now = now();
        let Some(offered) = self.offered() else { return };
        offered.progress = Some(progress.clone());
        if reliably {
            offered.rel.send(&offered.responder, progress, now);
            if let Some(sent) = &offered.rel.unacknowledged {
                let interval = sent.interval;
                self.set_timer(Timer::Reliable, interval);
            }
        } else {
            offered.responder.send(progress);
        }
        self.timers.stop(Timer::Trying);
        self.set_timer(Timer::Progress, PROGRESS_EVERY);
    }

    pub(super) fn repeat_progress(&mut self) {
        let Some(offered) = self.offered() else { return };
        // One that is not acknowledged is repeated by its own timer; a reliable one needs no repetition.
        if let Some(progress) = &offered.progress
            && offered.rel.demand != Demand::Required
            && offered.rel.unacknowledged.is_none()
            && field(&progress.headers, "RSeq").is_none()
        {
            offered.responder.send(progress.clone());
        }
        self.set_timer(Timer::Progress, PROGRESS_EVERY);
    }

    pub(super) fn repeat_reliable(&mut self, now: Instant) {
        let Some(offered) = self.offered() else { return };
        let Some(sent) = &mut offered.rel.unacknowledged else { return };
        if now >= sent.give_up_at {
            return self.refuse(504, Vec::new(), HangupCause::ProtocolError);
        }
        offered.responder.send(sent.response.clone());
        sent.interval *= 2;
        let interval = sent.interval;
        self.set_timer(Timer::Reliable, interval);
    }

    /// A PRACK: the status for it, and the body of its answer.
    pub(super) fn acknowledge(&mut self, prack: &Request) -> (u16, Option<String>) {
        let now = now();
        let State::Offered(offered) = &mut self.state else { return (481, None) };
        let Some(acknowledged) = offered.rel.acknowledge(prack, offered.invite_cseq) else { return (481, None) };
        self.timers.stop(Timer::Reliable);
        let mut body = None;
        let had_sdp = !acknowledged.response.body.is_empty();
        if let Body::Sdp(sdp) = sdp_body(&prack.headers, &prack.body) {
            if had_sdp && offered.offer.is_none() {
                if self.media.accept(sdp).is_err() {
                    self.refuse(488, Vec::new(), HangupCause::NoCommonMedia);
                    return (200, None);
                }
            } else if let Some(local) = self.media.local_address() {
                match self.media.answer(sdp, local) {
                    Ok(answer) => body = Some(answer),
                    Err(_) => return (488, None),
                }
            }
        }
        if had_sdp {
            offered.sdp = Sdp::Done;
        }
        if let Some(next) = offered.rel.waiting.pop_front() {
            offered.rel.send(&offered.responder, next, now);
            self.timers.set(Timer::Reliable, now + self.shared.t1);
        }
        let answer_due = offered.answer_due.take();
        self.report_media();
        if let Some(local) = answer_due {
            self.answer(local);
        }
        (200, body)
    }

    /// Whether an offer in an UPDATE can be answered before the call is.
    pub(super) fn early_offer_is_settled(&self) -> bool {
        matches!(&self.state, State::Offered(offered) if offered.sdp == Sdp::Done)
    }

    pub(super) fn answer(&mut self, local: SocketAddr) {
        let mut headers = self.dialog_fields();
        let State::Offered(offered) = &mut self.state else { return };
        if offered.sdp == Sdp::Sent {
            // RFC 3262, section 3: no 2xx while a reliable response with SDP is not acknowledged.
            offered.answer_due = Some(local);
            return;
        }
        let late_offer = offered.offer.is_none() && offered.sdp != Sdp::Done;
        let body = match &offered.offer {
            _ if offered.sdp == Sdp::Done => None,
            Some(offer) => match self.media.answer(offer, local) {
                Ok(body) => Some(body),
                Err(_) => return self.refuse(488, Vec::new(), HangupCause::NoCommonMedia),
            },
            None => Some(self.media.offer(local)),
        };
        // Too small an interval was refused at the door.
        let say = self.session.requested(offered.said, now()).unwrap_or_default();
        push_session_fields(&mut headers, say);
        if self.trunk.allows_transcript {
            // RFC 6086, section 4.2: we take no packages, and say so.
            headers.push(Header::Other("Recv-Info".into(), String::new()));
        }
        offered.responder.send(response(offered.responder.base(), 200, headers, body.map(|body| (SDP, body))));
        self.state = State::Answered(Answered { late_offer, hang_up: false });
        self.stop_ringing();
        self.confirm_dialog();
        self.report_media();
    }

    pub(super) fn reject(&mut self, status: u16, retry_after: Option<Duration>) {
        let status = if (300..700).contains(&status) { status } else { 480 };
        let retry_after = retry_after.map(|after| Header::RetryAfter(after.as_secs().max(1).to_string().into()));
        let cause = if status == 503 { HangupCause::AdmissionLimit } else { HangupCause::EngineHangup };
        self.refuse(status, retry_after.into_iter().collect(), cause);
    }

    /// A final refusal, and the end of the leg.
    pub(super) fn refuse(&mut self, status: u16, headers: Vec<Header>, cause: HangupCause) {
        let Some(offered) = self.offered() else { return };
        offered.responder.send(response(offered.responder.base(), status, headers, None));
        self.state = State::Ending;
        self.stop_ringing();
        self.end(cause, Some(status));
    }

    fn stop_ringing(&mut self) {
        for timer in [Timer::Trying, Timer::Progress, Timer::Reliable] {
            self.timers.stop(timer);
        }
    }

    pub(super) fn on_invited(&mut self, driven: Driven, outcome: Outcome) {
        match outcome {
            Outcome::Request(request) if request.method == Method::Ack => {
                self.outstanding = self.outstanding.saturating_sub(1);
                self.on_ack(&request);
            }
            Outcome::Request(request) => {
                // The stack has answered the CANCEL itself.
                if request.method == Method::Cancel {
                    self.refuse(487, Vec::new(), HangupCause::Cancelled);
                }
                self.drive(driven);
            }
            _ => {
                self.outstanding = self.outstanding.saturating_sub(1);
                if matches!(self.state, State::Answered(_)) {
                    // 64 × T1 without ACK (RFC 3261, section 13.3.1.4).
                    self.bye(HangupCause::ProtocolError);
                }
            }
        }
    }

    fn on_ack(&mut self, ack: &Request) {
        let State::Answered(answered) = &self.state else { return };
        let (late_offer, hang_up) = (answered.late_offer, answered.hang_up);
        self.state = State::Talking;
        self.forget_initial();
        if late_offer {
            let accepted = match sdp_body(&ack.headers, &ack.body) {
                Body::Sdp(answer) => self.media.accept(answer).is_ok(),
                _ => false,
            };
            if !accepted {
                self.shared.gate.counters.count(Counter::RefusedMedia);
                return self.bye(HangupCause::NoCommonMedia);
            }
        }
        if hang_up {
            return self.bye(HangupCause::EngineHangup);
        }
        self.report_media();
        self.tell(LegEvent::Answered);
        self.send_next_transcript();
    }
}

impl Rel {
    /// Sends a response reliably, after those before it.
    fn send(&mut self, responder: &Responder, mut response: Response, now: Instant) {
        if self.unacknowledged.is_some() {
            if self.waiting.len() < RELIABLE_WAITING_MAX {
                self.waiting.push_back(response);
            }
            return;
        }
        self.rseq += 1;
        response.headers.push(Header::Require("100rel".into()));
        response.headers.push(Header::RSeq(self.rseq.to_string().into()));
        responder.send(response.clone());
        self.unacknowledged =
            Some(Unacknowledged { rseq: self.rseq, response, interval: self.t1, give_up_at: now + 64 * self.t1 });
    }

    /// `RAck: rseq cseq method`.
    fn acknowledge(&mut self, prack: &Request, invite_cseq: u32) -> Option<Unacknowledged> {
        let mut words = field(&prack.headers, "RAck")?.split_ascii_whitespace();
        let rseq: u32 = words.next()?.parse().ok()?;
        let cseq: u32 = words.next()?.parse().ok()?;
        let is_invite = words.next()?.eq_ignore_ascii_case("INVITE");
        let fits = |sent: &Unacknowledged| sent.rseq == rseq && cseq == invite_cseq && is_invite;
        if self.unacknowledged.as_ref().is_some_and(fits) { self.unacknowledged.take() } else { None }
    }
}
