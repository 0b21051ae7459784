//! One leg: a task that owns a dialog, its media negotiation and its transactions.
//!
//! It waits for the earliest of: an order of the host, a request of the peer, news of one of its transactions, its own
//! deadline. [`crate::signalling`] is what the host sees of it.

pub(crate) mod admit;
mod in_dialog;
mod incoming;
mod outgoing;
mod refer;
mod refresh;
mod timers;
pub(crate) mod transaction;
mod transcript;

use crate::config::{Transport, TrunkConfig};
use crate::dialog::{Dialog, DialogFacts};
use crate::message::{response, response_base};
use crate::sdp::{MediaSpec, Negotiation};
use crate::session_timer::{Due, SessionTimer};
use crate::shared::{Places, Shared};
use crate::signalling::{LegOrder, SipEvent};
use crate::stats::Counter;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use gudok_core::leg::{HangupCause, LegEvent};
use rsipstack::sip::{Header, Method, Request};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::SipConnection;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use timers::{Timer, Timers};
use tokio::sync::mpsc;
use transaction::{Driven, Outcome, TxId, drive};

pub(crate) use outgoing::dial;

/// What a leg's queue holds.
#[derive(Debug)]
pub(crate) enum Input {
    Order(LegOrder),
    Request(PeerRequest),
}

/// A request of the peer, with its transaction.
pub(crate) struct PeerRequest(pub(crate) Box<Transaction>);

impl std::fmt::Debug for PeerRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.original.method)
    }
}

/// Where the leg stands. Each state holds what only it needs.
enum State {
    /// An INVITE of the peer waits for its final answer.
    Offered(Box<incoming::Offered>),
    /// The 200 is sent; the ACK has not come.
    Answered(incoming::Answered),
    /// Our INVITE waits for its final answer.
    Dialling(Box<outgoing::Dialling>),
    Talking,
    /// Only transactions are left to finish.
    Ending,
}

/// A leg.
pub(crate) struct Leg {
    shared: Arc<Shared>,
    trunk: Arc<TrunkConfig>,
    tag: u64,
    /// The key under which the INVITE is noted for merged requests.
    initial: Option<u64>,
    dialog: Dialog,
    facts: Arc<OnceLock<DialogFacts>>,
    media: Negotiation,
    /// What the host was told last.
    reported: Option<MediaSpec>,
    session: SessionTimer,
    events: Events,
    inputs: mpsc::Receiver<Input>,
    transactions: FuturesUnordered<BoxFuture<'static, (Driven, Outcome)>>,
    /// Of these, how many the leg must see through before it is over.
    outstanding: usize,
    timers: Timers,
    places: Option<Places>,
    state: State,
    /// The peer's Allow lists UPDATE.
    peer_has_update: bool,
    /// Tags of forks that answered after the first one did, and were hung up.
    forks_ended: Vec<Option<String>>,
    refresh: refresh::Refresh,
    refers: refer::Refers,
    transcripts: transcript::Transcripts,
}

/// What a new leg begins with.
struct Beginning {
    shared: Arc<Shared>,
    trunk: Arc<TrunkConfig>,
    tag: u64,
    initial: Option<u64>,
    dialog: Dialog,
    facts: Arc<OnceLock<DialogFacts>>,
    media: Negotiation,
    events: mpsc::Sender<SipEvent>,
    inputs: mpsc::Receiver<Input>,
    places: Places,
    state: State,
    wants_transcript: bool,
}

impl Leg {
    fn new(begin: Beginning) -> Self {
        let session = SessionTimer::new(begin.trunk.session_timer);
        Self {
            shared: begin.shared,
            trunk: begin.trunk,
            tag: begin.tag,
            initial: begin.initial,
            dialog: begin.dialog,
            facts: begin.facts,
            media: begin.media,
            reported: None,
            session,
            events: Events::new(begin.events),
            inputs: begin.inputs,
            transactions: FuturesUnordered::new(),
            outstanding: 0,
            timers: Timers::default(),
            places: Some(begin.places),
            state: begin.state,
            peer_has_update: false,
            forks_ended: Vec::new(),
            refresh: refresh::Refresh::default(),
            refers: refer::Refers::default(),
            transcripts: transcript::Transcripts::new(begin.wants_transcript),
        }
    }

    /// Runs the leg to its end.
    async fn run(mut self) {
        while !self.is_over() {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some((driven, outcome)) = self.transactions.next(), if !self.transactions.is_empty() => {
                    self.on_outcome(driven, outcome);
                }
                Some(input) = self.inputs.recv() => match input {
                    Input::Order(order) => self.on_order(order),
                    Input::Request(PeerRequest(transaction)) => self.on_request(transaction).await,
                },
                () = self.events.host_gone() => self.hang_up(HangupCause::EngineHangup),
                () = sleep_until(deadline), if deadline.is_some() => self.on_deadline(),
            }
        }
        self.shared.dialogs.remove(self.tag);
        self.forget_initial();
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Ending) && self.outstanding == 0
    }

    fn deadline(&self) -> Option<Instant> {
        let session = self.session.deadline().filter(|_| matches!(self.state, State::Talking));
        [self.timers.next(), session].into_iter().flatten().min()
    }

    fn on_order(&mut self, order: LegOrder) {
        match order {
            LegOrder::Ring => self.ring(),
            LegOrder::EarlyMedia { local } => self.start_early_media(local),
            LegOrder::Answer { local } => self.answer(local),
            LegOrder::Reject { status, retry_after } => self.reject(status, retry_after),
            LegOrder::Hangup => self.hang_up(HangupCause::EngineHangup),
            LegOrder::Refer { target } => self.refer(&target),
            LegOrder::ReferReplacing { other } => self.refer_replacing(&other),
            LegOrder::ReferOutcome { status } => self.refer_outcome(status),
            LegOrder::Transcript { json } => self.queue_transcript(json),
        }
    }

    fn on_outcome(&mut self, driven: Driven, outcome: Outcome) {
        match driven.id {
            TxId::Invited => self.on_invited(driven, outcome),
            TxId::Reinvited => self.on_reinvited(driven, outcome),
            TxId::Invite => self.on_invite(driven, outcome),
            TxId::Accepted => self.on_fork(driven, outcome),
            TxId::Reinvite | TxId::Update => self.on_refreshed(driven, &outcome),
            TxId::Refer => self.on_refer_answer(driven, outcome),
            TxId::Info => self.on_transcript_answer(driven, outcome),
            TxId::Bye | TxId::Cancel | TxId::Prack | TxId::Notify | TxId::Register => {
                self.settle(driven, &outcome);
            }
        }
    }

    fn on_deadline(&mut self) {
        let now = now();
        while let Some(timer) = self.timers.poll(now) {
            match timer {
                Timer::Trying => self.send_trying(),
                Timer::Progress => self.repeat_progress(),
                Timer::Reliable => self.repeat_reliable(now),
                Timer::Glare => self.refresh_session(),
                Timer::Refer => self.refer_timed_out(),
                Timer::Cancel => self.drop_transactions(),
                Timer::Transcript => self.transcript_timed_out(),
            }
        }
        if matches!(self.state, State::Talking) {
            match self.session.poll(now) {
                Some(Due::Refresh) => self.refresh_session(),
                Some(Due::Expire) => {
                    self.shared.gate.counters.count(Counter::SessionExpired);
                    self.hang_up(HangupCause::SessionExpired);
                }
                None => {}
            }
        }
    }

    /// Ends the leg from our side, in the way that its state asks for.
    fn hang_up(&mut self, cause: HangupCause) {
        self.timers.stop(Timer::Progress);
        let cause = if self.refers.transferred { HangupCause::Transferred } else { cause };
        match &mut self.state {
            State::Offered(_) => self.refuse(480, Vec::new(), cause),
            // RFC 3261, section 15: no BYE before the ACK.
            State::Answered(answered) => {
                answered.hang_up = true;
                self.end(cause, None);
            }
            State::Dialling(_) => self.cancel(cause),
            State::Talking => self.bye(cause),
            State::Ending => {}
        }
    }

    fn bye(&mut self, cause: HangupCause) {
        let (request, hop) = self.dialog.request(&self.shared, Method::Bye);
        self.start_client(TxId::Bye, request, hop);
        self.end(cause, None);
        self.state = State::Ending;
    }

    /// Tells the host that the leg is over, once, and gives its places back.
    fn end(&mut self, cause: HangupCause, status: Option<u16>) {
        self.events.end(cause, status);
        self.places = None;
        self.transcripts.stop();
        self.forget_initial();
    }

    /// Drops whatever is under way: the peer has ended the dialog, or is not to be waited for any longer.
    fn drop_transactions(&mut self) {
        self.transactions.clear();
        self.outstanding = 0;
        self.state = State::Ending;
    }

    fn forget_initial(&mut self) {
        if let Some(key) = self.initial.take() {
            self.shared.dialogs.forget_initial(key);
        }
    }

    fn tell(&mut self, event: LegEvent) {
        self.report(SipEvent::Leg(event));
    }

    /// A host that has no room for what a call cannot do without is not going to catch up.
    fn report(&mut self, event: SipEvent) {
        if !self.events.report(event) {
            self.shared.gate.counters.count(Counter::EventDropped);
            self.hang_up(HangupCause::EngineHangup);
        }
    }

    /// Tells the host of newly agreed media, and of hold and resume once the call is up.
    fn report_media(&mut self) {
        let Some(spec) = self.media.agreed() else { return };
        let before = self.reported.replace(spec);
        if before == Some(spec) {
            return;
        }
        self.report(SipEvent::Media(spec));
        if let (State::Talking, Some(before)) = (&self.state, before) {
            match (before.send, spec.send) {
                (true, false) => self.tell(LegEvent::Held),
                (false, true) => self.tell(LegEvent::Resumed),
                _ => {}
            }
        }
    }

    fn confirm_dialog(&mut self) {
        if let Some(facts) = self.dialog.facts() {
            // Set once: a dialog is confirmed once.
            let _ = self.facts.set(facts);
        }
    }

    fn start_client(&mut self, id: TxId, request: Request, hop: crate::transport::Hop) {
        let credentials = self.trunk.credentials.clone();
        let cseq = Arc::clone(&self.dialog.cseq);
        self.outstanding += 1;
        self.drive(Driven::client(id, Arc::clone(&self.shared), request, hop, credentials, cseq));
    }

    fn start_server(&mut self, id: TxId, transaction: Box<Transaction>) {
        self.outstanding += 1;
        self.drive(Driven::server(id, transaction));
    }

    fn drive(&mut self, driven: Driven) {
        self.transactions.push(Box::pin(drive(driven)));
    }

    /// Goes on with a transaction that is not finished, else takes it off the list. True where it is finished.
    fn settle(&mut self, driven: Driven, outcome: &Outcome) -> bool {
        if let Outcome::Response(response) = outcome
            && response.status_code.code() < 200
        {
            self.drive(driven);
            return false;
        }
        self.outstanding = self.outstanding.saturating_sub(1);
        true
    }

    /// Answers a request of the peer at once.
    async fn reply(
        &mut self,
        transaction: &mut Transaction,
        status: u16,
        more: Vec<Header>,
        body: Option<(&str, String)>,
    ) {
        let base = response_base(&transaction.original, Some(&self.dialog.local_tag));
        // Where sending fails the transaction layer has it in its log, and the peer asks again.
        let _ = transaction.respond(response(&base, status, more, body)).await;
    }

    /// Contact and what we can do: in every answer that makes or refreshes the dialog.
    fn dialog_fields(&self) -> Vec<Header> {
        let mut headers = Vec::with_capacity(8);
        headers.push(Header::Contact(self.dialog.contact.as_str().into()));
        crate::message::push_capabilities(&mut headers);
        headers.push(Header::Server(self.shared.user_agent.as_str().into()));
        headers
    }

    fn set_timer(&mut self, timer: Timer, after: Duration) {
        self.timers.set(timer, now() + after);
    }
}

/// The way to the host, gone once the leg has ended. One place is kept for the end, so that it always arrives.
struct Events(Option<(mpsc::Sender<SipEvent>, mpsc::OwnedPermit<SipEvent>)>);

impl Events {
    fn new(sender: mpsc::Sender<SipEvent>) -> Self {
        let end = sender.clone().try_reserve_owned().ok();
        Self(end.map(|end| (sender, end)))
    }

    /// False where the host has no room.
    fn report(&self, event: SipEvent) -> bool {
        self.0.as_ref().is_none_or(|(sender, _)| sender.try_send(event).is_ok())
    }

    /// Whether there is room to spare: digits are dropped before anything else.
    fn has_room(&self) -> bool {
        self.0.as_ref().is_some_and(|(sender, _)| sender.capacity() > crate::signalling::LEG_EVENTS_MAX / 4)
    }

    fn end(&mut self, cause: HangupCause, status: Option<u16>) {
        if let Some((_, place)) = self.0.take() {
            place.send(SipEvent::Leg(LegEvent::Ended { cause, status }));
        }
    }

    /// Waits until the host drops the leg before its end.
    async fn host_gone(&self) {
        match &self.0 {
            Some((sender, _)) => sender.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// Now, on tokio's clock: a test may hold it still.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(crate) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// How a connection travels.
fn transport_of(connection: &SipConnection) -> Transport {
    if connection.is_reliable() { Transport::Tcp } else { Transport::Udp }
}
