//! A leg that we began, up to the answer.

use super::transaction::{Driven, Outcome, TxId};
use super::{Beginning, Events, Leg, State, Timer};
use crate::address::{host, parse_uri, percent_encoded};
use crate::chain::CHAIN_FIELD;
use crate::config::{Transport, TrunkConfig, has_unsafe_characters};
use crate::dialog::{Dialog, Remote};
use crate::identity::lists_package;
use crate::message::{
    Body, SDP, content_type, field, lists, push_capabilities, push_session_fields, sdp_body, session_fields,
};
use crate::sdp::Negotiation;
use crate::shared::{Places, Shared};
use crate::signalling::{DialRequest, LEG_EVENTS_MAX, LEG_INPUTS_MAX, LegHandle, SipEvent};
use crate::stats::Counter;
use crate::transport::Hop;
use gudok_core::ids::Trunk;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use rsipstack::sip::{Header, Method, Request, Response, Uri};
use rsipstack::transport::{SipAddr, SipConnection};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

/// Early dialogs of one call: forks that ring at the same time.
const EARLY_DIALOGS_MAX: usize = 8;
/// RFC 3261, section 21.4.21: what an INVITE would be answered that may go no further.
const TOO_MANY_HOPS: u16 = 483;
/// INVITEs again after 422.
const LONGER_SESSIONS_MAX: u8 = 3;
/// Header fields for the operator's screen: how many, their prefix, and their size.
const SCREEN_POP_MAX: usize = 16;
const SCREEN_POP_PREFIX: &str = "X-Gudok-";
const SCREEN_POP_BYTES_MAX: usize = 512;

/// Our INVITE has no final answer yet.
pub(super) struct Dialling {
    hop: Hop,
    local_media: SocketAddr,
    /// What the INVITE has beside the fields of every request.
    extra: Vec<Header>,
    early: Vec<Early>,
    rang: bool,
    /// A provisional response came, so CANCEL may be sent (RFC 3261, section 9.1).
    proceeding: bool,
    cancelled: bool,
    /// CANCEL for the INVITE as last sent.
    cancel: Option<(Request, Hop)>,
    longer_sessions: u8,
    /// What is left of a chain of centres.
    max_forwards: Option<u32>,
}

/// One fork before the answer.
struct Early {
    remote: Remote,
    rseq: Option<u32>,
    has_media: bool,
}

/// Where a call goes, and as whom.
struct Plan {
    trunk: Arc<TrunkConfig>,
    request_uri: Uri,
    hop: Hop,
    from: String,
    to: String,
    extra: Vec<Header>,
    /// The way to a telephone that registered here: all requests of the call go by it.
    flow: Option<(SipConnection, SipAddr)>,
    contact: String,
}

/// Calls out.
pub(crate) fn dial(shared: &Arc<Shared>, request: &DialRequest) -> (LegHandle, mpsc::Receiver<SipEvent>) {
    let (inputs, input_receiver) = mpsc::channel(LEG_INPUTS_MAX);
    let (events, event_receiver) = mpsc::channel(LEG_EVENTS_MAX);
    let facts = Arc::new(OnceLock::new());
    let handle = LegHandle::new(inputs.clone(), Arc::clone(&facts));
    let Prepared { plan, places, max_forwards } = match prepare(shared, request) {
        Ok(prepared) => prepared,
        Err((cause, status)) => {
            Events::new(events).end(cause, status);
            return (handle, event_receiver);
        }
    };
    let tag: u64 = rand::random();
    let transport = plan.hop.transport();
    let mut dialog = Dialog::of_dial(tag, &plan.from, &plan.to, plan.request_uri, transport, plan.contact);
    dialog.flow = plan.flow;
    let dialling = Dialling {
        hop: plan.hop,
        local_media: request.local_media,
        extra: plan.extra,
        early: Vec::new(),
        rang: false,
        proceeding: false,
        cancelled: false,
        cancel: None,
        longer_sessions: 0,
        max_forwards,
    };
    let beginning = Beginning {
        shared: Arc::clone(shared),
        media: Negotiation::new(Arc::clone(&plan.trunk.codecs), rand::random()),
        trunk: plan.trunk,
        tag,
        initial: None,
        dialog,
        facts,
        events,
        inputs: input_receiver,
        places,
        state: State::Dialling(Box::new(dialling)),
        wants_transcript: false,
    };
    shared.dialogs.insert(tag, inputs);
    shared.gate.counters.count(Counter::CallsOut);
    let mut leg = Leg::new(beginning);
    leg.send_invite();
    shared.runtime.spawn(leg.run());
    (handle, event_receiver)
}

/// A call that has its way and its places.
struct Prepared {
    plan: Plan,
    places: Places,
    max_forwards: Option<u32>,
}

fn prepare(shared: &Arc<Shared>, request: &DialRequest) -> Result<Prepared, (HangupCause, Option<u16>)> {
    let is_telephone = request.target.trunk.as_ref().is_some_and(|trunk| trunk.as_str() == Trunk::REGISTERED);
    let mut plan = if is_telephone {
        plan_registered(shared, request).ok_or((HangupCause::Unavailable, None))?
    } else {
        plan(shared, request).ok_or((HangupCause::NotFound, None))?
    };
    let mut places = shared.enter(&plan.trunk, request.share).map_err(|_| (HangupCause::AdmissionLimit, None))?;
    let chain = request.chain.as_ref().filter(|_| plan.trunk.peer);
    let Some((chain, value)) = chain.and_then(|chain| Some((chain, crate::chain::write(chain)?))) else {
        return Ok(Prepared { plan, places, max_forwards: None });
    };
    let (on_chain, max_forwards) = shared.chains.leave(chain).ok_or((HangupCause::Rejected, Some(TOO_MANY_HOPS)))?;
    places.chain = Some(on_chain);
    plan.extra.push(Header::Other(CHAIN_FIELD.to_owned(), value));
    Ok(Prepared { plan, places, max_forwards: Some(max_forwards) })
}

/// The way to a telephone that registers here. None where it is not there now.
fn plan_registered(shared: &Shared, request: &DialRequest) -> Option<Plan> {
    let user = request.target.address.reveal();
    let binding = shared.registrar.binding(user, crate::leg::now())?;
    let settings = shared.registrar.settings()?;
    let trunk = Arc::clone(&settings.trunk);
    let realm = &settings.config.realm;
    let (from, mut extra) = identity(request.caller.as_ref(), &trunk, realm);
    extra.extend(screen_pop(request));
    let contact = shared.transports.contact(binding.flow.0, Some(binding.flow.1.ip()), None);
    let flow = (binding.connection, binding.address);
    let hop = Hop::flow(flow.0.clone(), flow.1.clone());
    let to = format!("<sip:{}@{realm}>", percent_encoded(user));
    Some(Plan { trunk, request_uri: binding.contact, hop, from, to, extra, flow: Some(flow), contact })
}

fn plan(shared: &Shared, request: &DialRequest) -> Option<Plan> {
    let address = request.target.address.reveal();
    let trunk = match &request.target.trunk {
        Some(name) => Arc::clone(shared.gate.sources().trunk(name)?),
        None => Arc::new(TrunkConfig { session_timer: None, ..TrunkConfig::by_address("", Vec::new()) }),
    };
    let (mut request_uri, replaces) = target_uri(&request.target, &trunk)?;
    let hop = match &trunk.proxy {
        Some(proxy) => Hop::of_host(proxy, trunk.transport)?,
        None => Hop::of_uri(&request_uri, trunk.transport),
    };
    request_uri.headers.clear();
    let ours = || shared.transports.advertised(trunk.transport, None).ip().to_string();
    let domain = trunk
        .domain
        .clone()
        .or_else(|| host(&format!("sip:{}", trunk.proxy.as_deref()?)).map(str::to_owned))
        .unwrap_or_else(ours);
    let (from, mut extra) = identity(request.caller.as_ref(), &trunk, &domain);
    extra.extend(screen_pop(request));
    if let Some(replaces) = replaces {
        extra.push(Header::Replaces(replaces.into()));
        extra.push(Header::Require("replaces".into()));
    }
    let to = if address.contains(':') {
        format!("<{request_uri}>")
    } else {
        format!("<sip:{}@{domain}>", percent_encoded(address))
    };
    let contact = contact(shared, &trunk, hop.transport());
    Some(Plan { trunk, request_uri, hop, from, to, extra, flow: None, contact })
}

/// The URI that a target stands for, and the Replaces that it carries (a REFER of the peer for an attended transfer).
pub(super) fn target_uri(target: &DialTarget, trunk: &TrunkConfig) -> Option<(Uri, Option<String>)> {
    let address = target.address.reveal();
    if address.is_empty() || has_unsafe_characters(address) {
        return None;
    }
    let is_uri = ["sip:", "sips:", "tel:"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    let uri = if is_uri {
        parse_uri(address)?
    } else {
        parse_uri(&format!("sip:{}@{}", percent_encoded(address), trunk.host()?))?
    };
    let replaces = uri.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    let replaces = replaces.map(|(_, value)| crate::address::percent_decoded(value));
    Some((uri, replaces.filter(|value| !has_unsafe_characters(value))))
}

fn identity(caller: Option<&PhoneNumber>, trunk: &TrunkConfig, domain: &str) -> (String, Vec<Header>) {
    let shown = caller.or_else(|| trunk.registration.as_ref().map(|registration| &registration.user));
    match shown {
        Some(number) if !has_unsafe_characters(number.reveal()) => {
            let uri = format!("<sip:{}@{domain}>", percent_encoded(number.reveal()));
            let asserted = trunk.trusts_identity.then(|| Header::PAssertedIdentity(uri.as_str().into()));
            (uri, asserted.into_iter().collect())
        }
        _ => {
            let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned();
            (anonymous, vec![Header::Privacy("id".into())])
        }
    }
}

fn screen_pop(request: &DialRequest) -> impl Iterator<Item = Header> {
    let allowed = |name: &str, value: &str| {
        name.get(..SCREEN_POP_PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(SCREEN_POP_PREFIX))
            && name.bytes().all(crate::gate::scan::is_token)
            && !name.eq_ignore_ascii_case(CHAIN_FIELD)
            && value.len() <= SCREEN_POP_BYTES_MAX
            && !value.chars().any(char::is_control)
    };
    let fields = request.screen_pop.iter().filter(move |(name, value)| allowed(name, value));
    fields.take(SCREEN_POP_MAX).map(|(name, value)| Header::Other(name.to_string(), value.to_string()))
}

fn contact(shared: &Shared, trunk: &TrunkConfig, transport: Transport) -> String {
    let user = trunk.registration.as_ref().map(|registration| percent_encoded(registration.user.reveal()));
    shared.transports.contact(transport, None, user.as_deref())
}

impl Leg {
    fn send_invite(&mut self) {
        let (mut request, _) = self.dialog.request(&self.shared, Method::Invite);
        let State::Dialling(dialling) = &mut self.state else { return };
        let mut headers = Vec::with_capacity(12);
        push_capabilities(&mut headers);
        push_session_fields(&mut headers, self.session.request());
        headers.extend(dialling.extra.iter().cloned());
        headers.push(content_type(SDP));
        request.headers.extend(headers);
        request.body = self.media.offer(dialling.local_media).into_bytes();
        let via = self.shared.transports.via(&dialling.hop);
        set_via(&mut request, &via);
        if let Some(left) = dialling.max_forwards {
            set_max_forwards(&mut request, left);
        }
        let hop = dialling.hop.clone();
        self.start_client(TxId::Invite, request, hop);
    }

    fn dialling(&mut self) -> Option<&mut Dialling> {
        match &mut self.state {
            State::Dialling(dialling) => Some(dialling),
            _ => None,
        }
    }

    pub(super) fn on_invite(&mut self, driven: Driven, outcome: Outcome) {
        match outcome {
            Outcome::Response(response) => match response.status_code.code() {
                100..=199 => {
                    self.on_provisional(&driven, &response);
                    self.drive(driven);
                }
                200..=299 => self.on_answered(driven, &response),
                status => {
                    self.outstanding = self.outstanding.saturating_sub(1);
                    self.on_refused(status, &response);
                }
            },
            Outcome::Request(_) => self.drive(driven),
            Outcome::Over | Outcome::Unreachable => {
                self.outstanding = self.outstanding.saturating_sub(1);
                self.fail(HangupCause::Unavailable, None);
            }
        }
    }

    fn fail(&mut self, cause: HangupCause, status: Option<u16>) {
        self.timers.stop(Timer::Cancel);
        self.end(cause, status);
        self.state = State::Ending;
    }

    fn on_provisional(&mut self, driven: &Driven, response: &Response) {
        let remote = self.dialog.remote_of(&response.headers);
        let Some(dialling) = self.dialling() else { return };
        dialling.proceeding = true;
        if let (Some(invite), Some(hop)) = (driven.request(), driven.hop()) {
            dialling.cancel = Some((cancel_of(invite), hop));
        }
        if dialling.cancelled {
            return self.send_cancel();
        }
        if response.status_code.code() == 100 || remote.tag.is_none() {
            return;
        }
        let Some(at) = dialling.early_at(remote) else { return };
        if !self.take_reliable(at, response) {
            return;
        }
        self.take_early_media(at, response);
    }

    /// PRACKs a reliable response. False where it is a repetition, or not the next one.
    fn take_reliable(&mut self, at: usize, response: &Response) -> bool {
        if !lists(&response.headers, "Require", "100rel") {
            return true;
        }
        let rseq = field(&response.headers, "RSeq").and_then(|value| value.trim().parse::<u32>().ok());
        let invite_cseq = crate::dialog::cseq_of(&response.headers);
        let (Some(rseq), Some(invite_cseq)) = (rseq, invite_cseq) else { return true };
        let Some(early) = self.dialling().and_then(|dialling| dialling.early.get_mut(at)) else { return false };
        if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return false;
        }
        early.rseq = Some(rseq);
        let remote = early.remote.clone();
        let (mut prack, hop) = self.dialog.request_to(&self.shared, Method::PRack, &remote);
        prack.headers.push(Header::RAck(format!("{rseq} {invite_cseq} INVITE").into()));
        self.start_client(TxId::Prack, prack, hop);
        true
    }

    fn take_early_media(&mut self, at: usize, response: &Response) {
        let answer = match sdp_body(&response.headers, &response.body) {
            Body::Sdp(answer) => self.media.accept(answer).is_ok(),
            _ => false,
        };
        let Some(dialling) = self.dialling() else { return };
        let first_ring = !std::mem::replace(&mut dialling.rang, true);
        let first_media = answer && !dialling.early.iter().any(|early| early.has_media);
        if let Some(early) = dialling.early.get_mut(at) {
            early.has_media |= answer;
        }
        if answer {
            self.report_media();
        }
        if first_ring || first_media {
            self.tell(LegEvent::Ringing { early_media: answer });
        }
    }

    fn on_answered(&mut self, mut driven: Driven, response: &Response) {
        // The 2xx is acknowledged by the stack. The transaction stays, to see those of other forks.
        self.outstanding = self.outstanding.saturating_sub(1);
        driven.id = TxId::Accepted;
        self.drive(driven);
        let remote = self.dialog.remote_of(&response.headers);
        let cancelled = self.dialling().is_some_and(|dialling| dialling.cancelled);
        let had_media = self.dialling().is_some_and(|dialling| {
            dialling.early.iter().any(|early| early.has_media && early.remote.tag == remote.tag)
        });
        self.dialog.remote = remote;
        self.confirm_dialog();
        self.timers.stop(Timer::Cancel);
        self.state = State::Talking;
        self.peer_has_update = lists(&response.headers, "Allow", "UPDATE");
        self.session.answered(session_fields(&response.headers), super::now());
        if self.trunk.allows_transcript && lists_package(&response.headers) {
            self.transcripts.want();
        }
        let agreed = match sdp_body(&response.headers, &response.body) {
            Body::Sdp(answer) => self.media.accept(answer).is_ok(),
            _ => had_media,
        };
        if cancelled {
            // It was answered while our CANCEL was on its way (RFC 3261, section 15).
            return self.bye(HangupCause::EngineHangup);
        }
        if !agreed {
            self.shared.gate.counters.count(Counter::RefusedMedia);
            return self.bye(HangupCause::NoCommonMedia);
        }
        self.report_media();
        self.tell(LegEvent::Answered);
    }

    /// A 2xx after the first: of another fork, which is hung up, or a repetition.
    pub(super) fn on_fork(&mut self, driven: Driven, outcome: Outcome) {
        let Outcome::Response(response) = outcome else { return };
        let remote = self.dialog.remote_of(&response.headers);
        let is_new = remote.tag != self.dialog.remote.tag && !self.forks_ended.contains(&remote.tag);
        if is_new && response.status_code.code() < 300 && self.forks_ended.len() < EARLY_DIALOGS_MAX {
            let (bye, hop) = self.dialog.request_to(&self.shared, Method::Bye, &remote);
            self.forks_ended.push(remote.tag);
            self.start_client(TxId::Bye, bye, hop);
        }
        self.drive(driven);
    }

    fn on_refused(&mut self, status: u16, response: &Response) {
        let Some(dialling) = self.dialling() else { return };
        if status == 422 && !dialling.cancelled && dialling.longer_sessions < LONGER_SESSIONS_MAX {
            dialling.longer_sessions += 1;
            dialling.early.clear();
            if self.session.refused(session_fields(&response.headers).min_se_s) {
                return self.send_invite();
            }
        }
        // The stack says 408 itself where no answer came at all.
        let silent = self.dialling().is_some_and(|dialling| status == 408 && !dialling.proceeding);
        let cause = if silent { HangupCause::Unavailable } else { HangupCause::from_status(status) };
        self.fail(cause, Some(status));
    }

    pub(super) fn cancel(&mut self, cause: HangupCause) {
        let Some(dialling) = self.dialling() else { return };
        if std::mem::replace(&mut dialling.cancelled, true) {
            return;
        }
        self.end(cause, None);
        self.set_timer(Timer::Cancel, 64 * self.shared.t1);
        self.send_cancel();
    }

    /// Sends CANCEL, once a provisional response allows it.
    fn send_cancel(&mut self) {
        let Some((cancel, hop)) = self.dialling().and_then(|dialling| dialling.cancel.take()) else { return };
        let Some(dialling) = self.dialling() else { return };
        if dialling.proceeding {
            // No second one: the first is retransmitted by its own transaction.
            dialling.proceeding = false;
            self.start_client(TxId::Cancel, cancel, hop);
        }
    }
}

impl Dialling {
    /// The place of the early dialog, made where it is new. None where there are too many.
    fn early_at(&mut self, remote: Remote) -> Option<usize> {
        if let Some(at) = self.early.iter().position(|early| early.remote.tag == remote.tag) {
            return Some(at);
        }
        if self.early.len() >= EARLY_DIALOGS_MAX {
            return None;
        }
        self.early.push(Early { remote, rseq: None, has_media: false });
        Some(self.early.len() - 1)
    }
}

/// RFC 3261, section 9.1: the INVITE's Via, From, To, Call-ID and routes, its CSeq number.
fn cancel_of(invite: &Request) -> Request {
    let kept = |header: &&Header| {
        matches!(
            header,
            Header::Via(_)
                | Header::From(_)
                | Header::To(_)
                | Header::CallId(_)
                | Header::Route(_)
                | Header::MaxForwards(_)
        )
    };
    let mut headers: Vec<Header> = invite.headers.iter().filter(kept).cloned().collect();
    let number = crate::dialog::cseq_of(&invite.headers).unwrap_or_default();
    headers.push(Header::CSeq(format!("{number} CANCEL").into()));
    Request {
        method: Method::Cancel,
        uri: invite.uri.clone(),
        version: invite.version,
        headers: headers.into(),
        body: Vec::new(),
    }
}

fn set_max_forwards(request: &mut Request, left: u32) {
    for header in request.headers.iter_mut() {
        if let Header::MaxForwards(old) = header {
            *old = left.into();
        }
    }
}

fn set_via(request: &mut Request, via: &str) {
    for header in request.headers.iter_mut() {
        if let Header::Via(old) = header {
            old.replace(via);
        }
    }
}
