//! From an INVITE to a leg: what is refused before there is one, and what a leg begins with.

use super::incoming::{Demand, Offered};
use super::transaction::TxId;
use super::{Beginning, Input, Leg, PeerRequest, State, transport_of};
use crate::chain::{OnChain, Said as SaidOfChain};
use crate::config::{Transport, TrunkConfig};
use crate::dialog::Dialog;
use crate::gate::admission::Refused;
use crate::identity::incoming_call;
use crate::message::{Body, SDP, lists, response, response_base, sdp_body, session_fields, unsupported};
use crate::registrar::{Arrival, arrival};
use crate::sdp::{MediaSpec, Negotiation};
use crate::session_timer::{Said, SessionTimer};
use crate::shared::Shared;
use crate::signalling::{IncomingLeg, LEG_EVENTS_MAX, LEG_INPUTS_MAX, LegHandle, Share};
use crate::stats::Counter;
use gudok_core::leg::Chain;
use gudok_core::privacy::PhoneNumber;
use rsipstack::sip::{Header, Request, Response};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipConnection;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

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
pub(crate) async fn take(
    shared: &Arc<Shared>,
    mut transaction: Box<Transaction>,
    incoming: &mpsc::Sender<IncomingLeg>,
) {
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
    let arrival = arrival(slot).ok_or_else(|| Refusal::counted(400, Counter::BadHeader))?;
    let source = arrival.flow.1;
    let origin = origin_of(shared, slot, &arrival)?;
    let trunk = &origin.trunk;
    let read = read_invite(&slot.original, trunk)?;
    let place = incoming.try_reserve().map_err(|_| Refusal::counted(503, Counter::RefusedHostBusy))?;
    let mut places = shared.enter(trunk, Share::Calls).map_err(|refused| refusal_of(shared, refused))?;
    let chain = chain_of(shared, slot, trunk)?;
    let (chain, on_chain) = chain.map_or((None, None), |(chain, on_chain)| (Some(chain), Some(on_chain)));
    places.chain = on_chain;
    let tag: u64 = rand::random();
    let initial = shared.dialogs.note_initial(&slot.original, tag);
    let initial = Some(initial.ok_or_else(|| Refusal::counted(482, Counter::RefusedMerged))?);

    let (inputs, input_receiver) = mpsc::channel(LEG_INPUTS_MAX);
    let (events, event_receiver) = mpsc::channel(LEG_EVENTS_MAX);
    let facts = Arc::new(OnceLock::new());
    let dialog = dialog_of(shared, slot, &origin, tag, source);
    let mut call = incoming_call(&slot.original, trunk);
    call.chain = chain;
    if let Some(user) = &origin.telephone {
        // Whose telephone it is has been proved; what it calls itself has not.
        call.caller = Some(PhoneNumber::new(user));
    }
    let sip_call_id: Arc<str> = Arc::from(dialog.call_id.as_str());
    let offered = Offered::new(slot, &dialog, read.offer, read.said, read.demand, shared.t1);
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
    leg.expect_an_answer();
    shared.dialogs.insert(tag, inputs.clone());
    let handle = LegHandle::new(inputs, facts);
    let incoming = IncomingLeg { call, sip_call_id, source, offer: read.preview, leg: handle, events: event_receiver };
    Ok(Begun { leg, incoming, place })
}

/// Where a call comes from.
struct Origin {
    trunk: Arc<TrunkConfig>,
    /// The user of a telephone that registers here.
    telephone: Option<Arc<str>>,
}

/// A trunk's source is believed for its address; a telephone has to prove itself. Where both are behind one address, a
/// telephone is known by the way that it registered.
fn origin_of(shared: &Arc<Shared>, slot: &Transaction, arrival: &Arrival) -> Result<Origin, Refusal> {
    let source = arrival.flow.1.ip();
    let trunk = shared.gate.sources().trunk_of(source).cloned();
    match trunk {
        Some(trunk) if !shared.registrar.has_flow(&arrival.flow) => return Ok(Origin { trunk, telephone: None }),
        None if !shared.gate.is_telephones(source) => return Err(Refusal::counted(403, Counter::UnknownSource)),
        _ => {}
    }
    let user = shared.registrar.caller(&slot.original, arrival, super::now()).map_err(|answer| Refusal {
        status: answer.status,
        headers: answer.headers,
        counter: Some(answer.counter),
    })?;
    let settings = shared.registrar.settings().ok_or_else(|| Refusal::counted(403, Counter::UnknownSource))?;
    // The gate has not asked for it: it did not know who this is.
    let key = shared.dialogs.key_of(&slot.original);
    shared.gate.admission.decide(key, super::now()).map_err(|refused| refusal_of(shared, refused))?;
    Ok(Origin { trunk: Arc::clone(&settings.trunk), telephone: Some(user) })
}

fn refusal_of(shared: &Shared, refused: Refused) -> Refusal {
    Refusal {
        status: 503,
        headers: vec![Header::RetryAfter(shared.gate.limits().retry_after.as_secs().max(1).to_string().into())],
        counter: Some(match refused {
            Refused::Limit => Counter::RefusedLimit,
            Refused::Draining => Counter::RefusedDraining,
        }),
    }
}

/// The call's way through other centres, of a trunk that leads to one.
fn chain_of(shared: &Shared, slot: &Transaction, trunk: &TrunkConfig) -> Result<Option<(Chain, OnChain)>, Refusal> {
    if !trunk.peer {
        return Ok(None);
    }
    let headers = &slot.original.headers;
    match crate::chain::read(headers) {
        SaidOfChain::Nothing => Ok(None),
        SaidOfChain::Malformed => {
            shared.gate.counters.count(Counter::ChainBad);
            Ok(None)
        }
        SaidOfChain::Chain(chain) => match shared.chains.arrive(&chain, headers) {
            Some(on_chain) => Ok(Some((chain, on_chain))),
            None => Err(Refusal::counted(482, Counter::RefusedLoop)),
        },
    }
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

fn dialog_of(shared: &Shared, transaction: &Transaction, origin: &Origin, tag: u64, source: SocketAddr) -> Dialog {
    let trunk = &origin.trunk;
    let connection = transaction.connection.as_ref();
    let transport = connection.map_or(Transport::Udp, transport_of);
    // A telephone may be behind NAT: its Contact need not lead anywhere.
    let keeps_flow = transport == Transport::Tcp || origin.telephone.is_some();
    let flow = connection.filter(|_| keeps_flow).cloned().zip(transaction.destination.clone());
    let user =
        trunk.registration.as_ref().map(|registration| crate::address::percent_encoded(registration.user.reveal()));
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

impl Input {
    /// Puts a request into a leg's queue, unless orders would have no room then.
    pub(crate) fn offer(leg: &mpsc::Sender<Self>, transaction: Box<Transaction>) -> Result<(), Box<Transaction>> {
        match leg.try_reserve() {
            Ok(place) if leg.capacity() > LEG_INPUTS_MAX / 4 => {
                place.send(Self::Request(PeerRequest(transaction)));
                Ok(())
            }
            _ => Err(transaction),
        }
    }
}
