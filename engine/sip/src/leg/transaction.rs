//! The transactions of a leg. The stack's `Transaction::receive` must not be cut off half-way, so each one runs in a
//! future of its own, and the leg waits for all of them at once.

use crate::config::Credentials;
use crate::dialog::next_cseq;
use crate::digest::Challenge;
use crate::message::fields;
use crate::shared::Shared;
use crate::transport::{Hop, connect};
use rsipstack::sip::{Header, Request, Response, SipMessage};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::{Transaction, TransactionEvent, TransactionEventSender};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// Challenges answered for one request: the first, and those that only call the nonce stale.
const CHALLENGES_MAX: u8 = 3;

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TxId {
    /// The INVITE that began an incoming leg.
    Invited,
    /// A re-INVITE of the peer.
    Reinvited,
    /// Our INVITE.
    Invite,
    /// Our INVITE after its 2xx: it stays to see 2xx of other forks.
    Accepted,
    Reinvite,
    Update,
    Bye,
    Cancel,
    Prack,
    Refer,
    Notify,
    Info,
    Register,
}

/// What came of it.
pub(crate) enum Outcome {
    /// ACK or CANCEL, for server transactions.
    Request(Box<Request>),
    Response(Box<Response>),
    /// It ended without a message.
    Over,
    /// Its request could not be sent.
    Unreachable,
}

/// A transaction with what is needed to drive it.
pub(crate) struct Driven {
    pub(crate) id: TxId,
    transaction: Option<Box<Transaction>>,
    client: Option<Box<Client>>,
}

struct Client {
    shared: Arc<Shared>,
    unsent: Option<Request>,
    hop: Hop,
    credentials: Option<Credentials>,
    cseq: Arc<AtomicU32>,
    challenges: u8,
}

impl Driven {
    pub(crate) fn server(id: TxId, transaction: Box<Transaction>) -> Self {
        Self { id, transaction: Some(transaction), client: None }
    }

    pub(crate) fn client(
        id: TxId,
        shared: Arc<Shared>,
        request: Request,
        hop: Hop,
        credentials: Option<Credentials>,
        cseq: Arc<AtomicU32>,
    ) -> Self {
        let client = Client { shared, unsent: Some(request), hop, credentials, cseq, challenges: 0 };
        Self { id, transaction: None, client: Some(Box::new(client)) }
    }

    /// The request that the transaction is about.
    pub(crate) fn request(&self) -> Option<&Request> {
        self.transaction.as_ref().map(|transaction| &transaction.original)
    }

    /// Where our request went.
    pub(crate) fn hop(&self) -> Option<Hop> {
        let transaction = self.transaction.as_ref()?;
        let pair = transaction.connection.clone().zip(transaction.destination.clone());
        pair.map(|(connection, address)| Hop::flow(connection, address))
    }

    async fn send(&mut self) -> Option<()> {
        let client = self.client.as_mut()?;
        let request = client.unsent.take()?;
        let (connection, address) = connect(&client.shared, &client.hop).await?;
        let key = TransactionKey::from_request(&request, TransactionRole::Client).ok()?;
        let endpoint = Arc::clone(&client.shared.endpoint);
        let mut transaction = Box::new(Transaction::new_client(key, request, endpoint, Some(connection)));
        transaction.destination = Some(address);
        transaction.send().await.ok()?;
        self.transaction = Some(transaction);
        Some(())
    }

    /// Makes the request anew with credentials, where the response asks for them and there are some.
    fn answer_challenge(&mut self, response: &Response) -> bool {
        let status = response.status_code.code();
        let (Some(client), Some(transaction)) = (self.client.as_mut(), self.transaction.as_ref()) else { return false };
        let Some(credentials) = client.credentials.as_ref().filter(|_| matches!(status, 401 | 407)) else {
            return false;
        };
        let (asks, answers): (_, fn(String) -> Header) = match status {
            401 => ("WWW-Authenticate", |value| Header::Authorization(value.into())),
            _ => ("Proxy-Authenticate", |value| Header::ProxyAuthorization(value.into())),
        };
        let Some(challenge) = Challenge::best(fields(&response.headers, asks)) else { return false };
        client.challenges += 1;
        if client.challenges > CHALLENGES_MAX
            || (client.challenges > 1 && !challenge.stale && answered_this(&transaction.original, status))
        {
            return false;
        }
        let mut request = transaction.original.clone();
        let cnonce = format!("{:016x}", rand::random::<u64>());
        let (method, uri) = (request.method.to_string(), request.uri.to_string());
        let answer = answers(challenge.answer(credentials, &method, &uri, &cnonce));
        let number = next_cseq(&client.cseq);
        let via = client.shared.transports.via(&client.hop);
        for header in request.headers.iter_mut() {
            match header {
                Header::Via(old) => old.replace(via.as_str()),
                Header::CSeq(old) => old.replace(format!("{number} {method}")),
                _ => {}
            }
        }
        request.headers.unique_push(answer);
        client.unsent = Some(request);
        true
    }
}

/// Whether a request carried credentials for this kind of challenge already: then they were refused.
fn answered_this(request: &Request, status: u16) -> bool {
    request.headers.iter().any(|header| match header {
        Header::Authorization(_) => status == 401,
        Header::ProxyAuthorization(_) => status == 407,
        _ => false,
    })
}

/// Runs until there is something for the leg.
pub(crate) async fn drive(mut driven: Driven) -> (Driven, Outcome) {
    loop {
        if driven.client.as_ref().is_some_and(|client| client.unsent.is_some()) && driven.send().await.is_none() {
            return (driven, Outcome::Unreachable);
        }
        let Some(transaction) = driven.transaction.as_mut() else { return (driven, Outcome::Unreachable) };
        match transaction.receive().await {
            None => return (driven, Outcome::Over),
            Some(SipMessage::Request(request)) => return (driven, Outcome::Request(Box::new(request))),
            Some(SipMessage::Response(response)) => {
                if !driven.answer_challenge(&response) {
                    return (driven, Outcome::Response(Box::new(response)));
                }
            }
        }
    }
}

/// Answers a server INVITE transaction that is being driven.
pub(crate) struct Responder {
    sender: TransactionEventSender,
    base: Vec<Header>,
}

impl Responder {
    pub(crate) fn new(transaction: &Transaction, base: Vec<Header>) -> Self {
        Self { sender: transaction.tu_sender.clone(), base }
    }

    pub(crate) fn base(&self) -> &[Header] {
        &self.base
    }

    pub(crate) fn send(&self, response: Response) {
        // The transaction is gone only when the leg is.
        let _ = self.sender.send(TransactionEvent::Respond(response));
    }
}
