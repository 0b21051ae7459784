//! A leg that the peer began, up to the ACK.

use super::transaction::{Driven, Outcome, Responder, TxId};
use super::{Beginning, Input, Leg, State, Timer, now, transport_of};
use crate::config::{Transport, TrunkConfig};
use crate::dialog::Dialog;
use crate::gate::admission::Refused;
use crate::identity::incoming_call;
use crate::message::{
    Body, SDP, field, lists, push_session_fields, response, response_base, sdp_body, session_fields, unsupported,
};
use crate::sdp::{MediaSpec, Negotiation};
use crate::session_timer::{Said, SessionTimer};
use crate::shared::Shared;
use crate::signalling::{IncomingLeg, LEG_EVENTS_MAX, LEG_INPUTS_MAX, LegHandle};
use crate::stats::Counter;
use gudok_core::leg::{HangupCause, LegEvent};
use rsipstack::sip::{Header, Method, Request, Response};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipConnection;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// 100 after this, where nothing else was sent.
const TRYING_AFTER: Duration = Duration::from_millis(150);
/// A provisional response is repeated this often (RFC 3261, section 13.3.1.1).
const PROGRESS_EVERY: Duration = Duration::from_secs(60);
/// Reliable responses that wait for the one before them.
const RELIABLE_WAITING_MAX: usize = 4;

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
enum Demand {
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

/// Why an INVITE is refused before there is a leg.
pub(crate) struct Refusal {
    status: u16,
    headers: Vec<Header>,
    counter: Option<Counter>,
}

impl Refusal {
    fn counted(status: u16, counter: Counter) -> Self {
        Self { status, headers: Vec::new(), counter: Some(counter) }
    }
}

/// Makes a leg of an INVITE, and hands it to the host.
pub(crate) async fn take(shared: &Arc<Shared>, mut transaction: Box<Transaction>, incoming: &mpsc::Sender<IncomingLeg>) {
    if let Some(source) = source_of(&transaction) {
        // Answers go where the request came from (RFC 3581); the stack need not read the Via again.
        transaction.destination = Some(source.clone());
    }
    match begin(shared, &transaction, incoming) {
        Ok(begun) => {
            shared.gate.counters.count(Counter::CallsIn);
            let mut leg = begun.leg;
            leg.start_server(TxId::Invited, transaction);
            begun.place.send(begun.incoming);
            shared.runtime.spawn(leg.run());
        }
        Err(refusal) => {
            if let Some(counter) = refusal.counter {
                shared.gate.counters.count(counter);
            }
            let base = response_base(&transaction.original, Some(&crate::dialog::tag_text(rand::random())));
            // Dropped after that: the stack keeps the answer for retransmissions, and absorbs the ACK.
            respond_apart(shared, transaction, response(&base, refusal.status, refusal.headers, None)).await;
        }
    }
}

/// Answers a request for which there is no leg. A stream whose peer does not read must not hold up the others.
pub(crate) async fn respond_apart(shared: &Shared, mut transaction: Box<Transaction>, response: Response) {
    if transaction.connection.as_ref().is_some_and(SipConnection::is_reliable) {
        shared.runtime.spawn(async move { transaction.respond(response).await });
    } else {
        // Where sending fails the peer asks again.
        let _ = transaction.respond(response).await;
    }
}

/// A leg that is about to run.
struct Begun<'a> {
    leg: Leg,
    incoming: IncomingLeg,
    place: mpsc::Permit<'a, IncomingLeg>,
}

fn begin<'a>(
    shared: &Arc<Shared>,
    slot: &Transaction,
    incoming: &'a mpsc::Sender<IncomingLeg>,
) -> Result<Begun<'a>, Refusal> {
    let source = slot.destination.as_ref().and_then(|address| address.get_socketaddr().ok());
    let source = source.ok_or_else(|| Refusal::counted(400, Counter::BadHeader))?;
    let sources = shared.gate.sources();
    let trunk = sources.trunk_of(source.ip()).ok_or_else(|| Refusal::counted(403, Counter::UnknownSource))?;
    let read = read_invite(&slot.original, trunk)?;
    let place = incoming.try_reserve().map_err(|_| Refusal::counted(503, Counter::RefusedHostBusy))?;
    let places = shared.enter(trunk).map_err(|refused| Refusal {
        status: 503,
        headers: vec![Header::RetryAfter(shared.gate.limits().retry_after.as_secs().max(1).to_string().into())],
        counter: Some(match refused {
            Refused::Limit => Counter::RefusedLimit,
            Refused::Draining => Counter::RefusedDraining,
        }),
    })?;
    let tag: u64 = rand::random();
    let initial = shared.dialogs.note_initial(&slot.original, tag);
    let initial = Some(initial.ok_or_else(|| Refusal::counted(482, Counter::RefusedMerged))?);

    let (inputs, input_receiver) = mpsc::channel(LEG_INPUTS_MAX);
    let (events, event_receiver) = mpsc::channel(LEG_EVENTS_MAX);
    let facts = Arc::new(OnceLock::new());
    let dialog = dialog_of(shared, slot, trunk, tag, source);
    let call = incoming_call(&slot.original, trunk);
    let sip_call_id: Arc<str> = Arc::from(dialog.call_id.as_str());
    let base = response_base(&slot.original, Some(&dialog.local_tag));
    let offered = Offered {
        responder: Responder::new(slot, base),
        invite_cseq: crate::dialog::cseq_of(&slot.original.headers).unwrap_or_default(),
        offer: read.offer,
        said: read.said,
        rel: Rel { demand: read.demand, rseq: rand::random_range(1..1 << 20), t1: shared.t1, unacknowledged: None, waiting: VecDeque::new() },
        progress: None,
        sdp: Sdp::Nothing,
        answer_due: None,
    };
    let beginning = Beginning {
        shared: Arc::clone(shared),
        trunk: Arc::clone(trunk),
        tag,
        initial,
        dialog,
        facts: Arc::clone(&facts),
        media: read.media,
        events,
        inputs: input_receiver,
        places,
        state: State::Offered(Box::new(offered)),
        wants_transcript: call.wants_transcript,
    };
    let mut leg = Leg::new(beginning);
    leg.peer_has_update = lists(&slot.original.headers, "Allow", "UPDATE");
    leg.set_timer(Timer::Trying, TRYING_AFTER);
    shared.dialogs.insert(tag, inputs.clone());
    let handle = LegHandle::new(inputs, facts);
    let incoming = IncomingLeg { call, sip_call_id, source, offer: read.preview, leg: handle, events: event_receiver };
    Ok(Begun { leg, incoming, place })
}

/// What an INVITE says, as far as a leg needs it.
struct Read {
    media: Negotiation,
    offer: Option<Vec<u8>>,
    preview: Option<MediaSpec>,
    said: Said,
    demand: Demand,
}

fn read_invite(invite: &Request, trunk: &TrunkConfig) -> Result<Read, Refusal> {
    let headers = &invite.headers;
    let unknown = unsupported(headers);
    if !unknown.is_empty() {
        let headers = vec![Header::Unsupported(unknown.join(", ").into())];
        return Err(Refusal { status: 420, headers, counter: Some(Counter::RefusedExtension) });
    }
    let offer = match sdp_body(headers, &invite.body) {
        Body::None => None,
        Body::Sdp(body) => Some(body.to_vec()),
        Body::Other => {
            let headers = vec![Header::Accept(SDP.into())];
            return Err(Refusal { status: 415, headers, counter: Some(Counter::BadContentType) });
        }
    };
    let media = Negotiation::new(Arc::clone(&trunk.codecs), rand::random());
    let preview = offer.as_deref().map(|offer| media.preview(offer)).transpose();
    let preview = preview.map_err(|_| Refusal::counted(488, Counter::RefusedMedia))?;
    let said = session_fields(headers);
    SessionTimer::new(trunk.session_timer).check(said).map_err(|too_small| Refusal {
        status: 422,
        headers: vec![Header::MinSE(too_small.min_se_s.to_string().into())],
        counter: Some(Counter::RefusedSessionInterval),
    })?;
    let demand = match (lists(headers, "Require", "100rel"), lists(headers, "Supported", "100rel")) {
        (true, _) => Demand::Required,
        (false, true) => Demand::Supported,
        _ => Demand::No,
    };
    Ok(Read { media, offer, preview, said, demand })
}

fn dialog_of(shared: &Shared, transaction: &Transaction, trunk: &TrunkConfig, tag: u64, source: SocketAddr) -> Dialog {
    let connection = transaction.connection.as_ref();
    let transport = connection.map_or(Transport::Udp, transport_of);
    let flow = connection.filter(|_| transport == Transport::Tcp).cloned().zip(transaction.destination.clone());
    let user = trunk.registration.as_ref().map(|registration| crate::address::percent_encoded(registration.user.reveal()));
    let contact = shared.transports.contact(transport, Some(source.ip()), user.as_deref());
    Dialog::of_invite(&transaction.original, tag, source, transport, flow, contact)
}

/// Where a request came from: a stream knows; for a datagram the Via was stamped with it on arrival.
pub(crate) fn source_of(transaction: &Transaction) -> Option<rsipstack::transport::SipAddr> {
    use rsipstack::sip::prelude::HeadersExt;
    let connection = transaction.connection.as_ref()?;
    if connection.is_reliable() {
        return connection.get_remote_addr().cloned();
    }
    let via = transaction.original.via_header().ok()?;
    let (transport, addr) = SipConnection::parse_target_from_via(via).ok()?;
    Some(rsipstack::transport::SipAddr { r#type: Some(transport), addr })
}

impl Leg {
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
        self.unacknowledged = Some(Unacknowledged { rseq: self.rseq, response, interval: self.t1, give_up_at: now + 64 * self.t1 });
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

impl Input {
    /// Puts a request into a leg's queue, unless orders would have no room then.
    pub(crate) fn offer(leg: &mpsc::Sender<Self>, transaction: Box<Transaction>) -> Result<(), Box<Transaction>> {
        match leg.try_reserve() {
            Ok(place) if leg.capacity() > LEG_INPUTS_MAX / 4 => {
                place.send(Self::Request(super::PeerRequest(transaction)));
                Ok(())
            }
            _ => Err(transaction),
        }
    }
}
