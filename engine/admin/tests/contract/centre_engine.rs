//! The fake engine's centre: two agencies with an operator, a queue and a callback each, and a queue of the centre's own.

use crate::engine::FakeEngine;
use crate::world::{BEGIN_MS, LIVE};
use gudok_admin::documents::{DeliveryDocument, DeliveryState, TicketDocument, kinds};
use gudok_admin::ports::{
    Actor, AttemptRow, BoxFuture, CallbackBooking, CallbackRow, CallbackWhich, Centre, CheckedAudio, DeskCall,
    DeskField, DeskTarget, DirectoryHit, DirectorySearch, Engine, EngineRefusal, OperatorRow, PeerRow, QueueRow,
    TicketNumber, TicketOrder, TraceLine, WaitingRow, WrapUp,
};
use gudok_core::call::Supervision;
use gudok_core::centre::{CallbackDecision, OperatorOrder};
use gudok_core::ids::{CallId, CallbackId, Operator, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_store::{LedgerChange, LedgerQuery, Put, UtcMs};
use std::collections::BTreeMap;

/// What a callback's number is, in clear.
pub const OWED: &str = "+79990000042";
/// Users who sit at a desk, besides `of-mfc` and `of-zags`.
const DESKS: [&str; 4] = ["operator", "admin", "root", "desk-of-file"];

pub fn operator(name: &str, agency: &str) -> OperatorRow {
    OperatorRow {
        name: name.into(),
        shown_name: name.to_uppercase(),
        state: "ready".into(),
        since_ms: Some(1),
        reachable: true,
        queues: vec![queue_of(agency).into()],
        agencies: vec![agency.into()],
        of_file: name == "desk-of-file",
        ..OperatorRow::default()
    }
}

fn queue_of(agency: &str) -> &'static str {
    if agency == "mfc" { "help" } else { "births" }
}

pub fn queue(name: &str, agency: Option<&str>) -> QueueRow {
    let waiting = LIVE.into_iter().filter(|(of, _)| agency.is_none_or(|agency| agency == *of));
    let waiting = waiting.map(|(of, call)| WaitingRow {
        call: call.into(),
        agency: of.into(),
        since_ms: BEGIN_MS,
        caller: "+7********21".into(),
        ..WaitingRow::default()
    });
    QueueRow {
        name: name.into(),
        agency: agency.map(str::to_owned),
        open: true,
        waiting: waiting.collect(),
        ready: 1,
        calls_back: true,
        wait_ms_max: 40_000,
        ..QueueRow::default()
    }
}

/// A callback's id says whose it is: `cb-mfc-1`.
pub fn callback(id: &str) -> Option<CallbackRow> {
    let agency = id.strip_prefix("cb-")?.split('-').next().filter(|agency| ["mfc", "zags"].contains(agency))?;
    Some(CallbackRow {
        id: id.into(),
        queue: queue_of(agency).into(),
        agency: agency.into(),
        number: PhoneNumber::new(OWED).masked(),
        topic: "passport".into(),
        origin: "offer".into(),
        requested_ms: BEGIN_MS,
        due_ms: BEGIN_MS + 600_000,
        state: "waiting".into(),
        attempts: vec![AttemptRow { call: LIVE[0].1.into(), claimed_ms: BEGIN_MS, outcome: Some("busy".into()) }],
        ..CallbackRow::default()
    })
}

impl FakeEngine {
    fn operator_rows(&self) -> Vec<OperatorRow> {
        let desks = DESKS.into_iter().map(|name| operator(name, "mfc"));
        let all = desks.chain([operator("of-mfc", "mfc"), operator("of-zags", "zags")]);
        let states = self.state.lock().operator_states.clone();
        let now = all.map(|mut row| {
            if let Some(state) = states.get(&row.name) {
                state.clone_into(&mut row.state);
            }
            row
        });
        now.collect()
    }

    fn note(&self, what: String) {
        self.state.lock().centre_orders.push(what);
    }

    async fn put<T: serde::Serialize>(&self, documents: &[(&str, &str, &T)]) {
        let put = |(kind, id, body): &(&str, &str, &T)| Put {
            kind: (*kind).into(),
            id: (*id).into(),
            body: serde_json::to_vec(body).unwrap(),
            expires: None,
        };
        let change = LedgerChange { puts: documents.iter().map(put).collect(), ..LedgerChange::default() };
        self.store().ledger_commit(change, UtcMs(self.now_ms())).await.unwrap();
    }

    async fn register(&self, order: TicketOrder) -> TicketNumber {
        let count = {
            let mut state = self.state.lock();
            let next = state.tickets.len() + 1;
            *state.tickets.entry(order.idempotency_key.clone()).or_insert(next)
        };
        let number = format!("К-2026-{count:06}");
        let id = format!("{}/{number}", order.agency);
        let ticket = TicketDocument {
            agency: order.agency.parse().unwrap(),
            number: number.clone(),
            kind: order.kind,
            topic: order.topic,
            text: order.text,
            fields: order.fields,
            caller: order.number.map(|number| {
                let key = gudok_store::SubjectKey::new([7; 32]);
                gudok_store::Party::masked(number.reveal()).with_hash(&key, number.reveal())
            }),
            lang: "ru-RU".into(),
            municipality: None,
            entry: order.entry.as_ref().map(|(entry, _)| entry.clone()),
            entry_version: order.entry.map(|(_, version)| version),
            call: None,
            recordings: Vec::new(),
            created_ms: self.now_ms() + count as u64,
            created_by: "operator".into(),
            key_sha256: String::new(),
        };
        self.put(&[(kinds::TICKET, &id, &ticket)]).await;
        self.put(&[(kinds::DELIVERY, &id, &delivery(DeliveryState::Dead, self.now_ms()))]).await;
        TicketNumber { agency: order.agency, number }
    }
}

fn delivery(state: DeliveryState, now_ms: u64) -> DeliveryDocument {
    DeliveryDocument {
        state,
        key: "k".into(),
        attempts: 3,
        created_ms: now_ms,
        next_ms: None,
        deadline_ms: now_ms + 1,
        ended_ms: None,
        last_status: Some(500),
        last_error: Some("it fails".into()),
    }
}

impl Centre for FakeEngine {
    fn operators(&self) -> BoxFuture<'_, Vec<OperatorRow>> {
        let rows = self.operator_rows();
        Box::pin(async move { rows })
    }

    fn operator_order(
        &self,
        _: Actor,
        operator: Operator,
        order: OperatorOrder,
    ) -> BoxFuture<'_, Result<OperatorRow, EngineRefusal>> {
        let state = match &order {
            OperatorOrder::LogIn | OperatorOrder::Ready => "ready",
            OperatorOrder::Pause(_) => "paused",
            OperatorOrder::LogOut(_) => "logged-out",
            OperatorOrder::Reachable(_) => "reachable",
        };
        self.note(format!("{operator} {order:?}"));
        self.state.lock().operator_states.insert(operator.to_string(), state.into());
        let row = self.operator_rows().into_iter().find(|row| row.name == operator.as_str()).unwrap();
        Box::pin(async move { Ok(row) })
    }

    fn registrar_realm(&self) -> Option<String> {
        Some("gudok.test".into())
    }

    fn queues(&self) -> BoxFuture<'_, Vec<QueueRow>> {
        let rows = vec![queue("help", Some("mfc")), queue("births", Some("zags")), queue("common", None)];
        Box::pin(async move { rows })
    }

    fn peers(&self) -> BoxFuture<'_, Vec<PeerRow>> {
        Box::pin(async { vec![PeerRow { name: "altai".into(), calls_max: 10, ..PeerRow::default() }] })
    }

    fn callbacks(&self, which: CallbackWhich) -> BoxFuture<'_, Result<Vec<CallbackRow>, EngineRefusal>> {
        let open = ["cb-mfc-1", "cb-zags-1"].into_iter().filter_map(callback);
        let rows = if which == CallbackWhich::Ended { Vec::new() } else { open.collect() };
        Box::pin(async move { Ok(rows) })
    }

    fn callback(&self, id: CallbackId) -> BoxFuture<'_, Result<Option<CallbackRow>, EngineRefusal>> {
        let row = callback(id.as_str());
        Box::pin(async move { Ok(row) })
    }

    fn callback_book(&self, _: Actor, wish: CallbackBooking) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        self.note(format!("book {} {}", wish.queue, wish.number.reveal()));
        let mut row = callback(&format!("cb-{}-new", wish.agency)).unwrap();
        row.number = wish.number.masked();
        Box::pin(async move { Ok(row) })
    }

    fn callback_decide(
        &self,
        actor: Actor,
        id: CallbackId,
        decision: CallbackDecision,
    ) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        self.note(format!("{} {id} {decision:?}", actor.name));
        let row = callback(id.as_str()).unwrap();
        Box::pin(async move { Ok(row) })
    }

    fn callback_number(&self, _: CallbackId) -> BoxFuture<'_, Result<PhoneNumber, EngineRefusal>> {
        Box::pin(async { Ok(PhoneNumber::new(OWED)) })
    }

    fn desk(&self, operator: &Operator) -> BoxFuture<'_, Option<DeskCall>> {
        let call = DESKS.contains(&operator.as_str()).then(|| DeskCall {
            call: LIVE[0].1.into(),
            agency: "mfc".into(),
            state: "talking".into(),
            since_ms: BEGIN_MS,
            queue: "help".into(),
            caller: "+7********21".into(),
            topic: "passport".into(),
            fields: vec![DeskField { name: "office".into(), value: "7".into() }],
            so_far: [None, Some("mfc"), Some("zags")].map(line).to_vec(),
            ..DeskCall::default()
        });
        Box::pin(async move { call })
    }

    fn desk_transfer(
        &self,
        _: Actor,
        operator: Operator,
        target: DeskTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        self.note(format!("{operator} gives to {target:?}"));
        Box::pin(async { Ok(()) })
    }

    fn desk_wrap_up(&self, operator: Operator, wrap_up: WrapUp) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        self.note(format!("{operator} says {} {}", wrap_up.code, wrap_up.note));
        Box::pin(async { Ok(()) })
    }

    fn supervise(
        &self,
        actor: Actor,
        call: CallId,
        how: Supervision,
        phone: DialTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        self.note(format!("{} {how:?} {call} by {}", actor.name, phone.address));
        Box::pin(async { Ok(()) })
    }

    fn supervise_end(&self, actor: Actor, call: CallId) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        self.note(format!("{} leaves {call}", actor.name));
        Box::pin(async { Ok(()) })
    }

    fn phone(&self, name: &str) -> Option<DialTarget> {
        let known = name != "ghost";
        known.then(|| DialTarget { trunk: Some(Trunk::new(Trunk::REGISTERED)), address: PhoneNumber::new(name) })
    }

    /// Whatever has one of the words in its title.
    fn search_directory(&self, search: DirectorySearch) -> BoxFuture<'_, Result<Vec<DirectoryHit>, EngineRefusal>> {
        Box::pin(async move {
            let query = LedgerQuery { kind: kinds::DIRECTORY.into(), ..LedgerQuery::default() };
            let page = self.store().ledger_list(query, UtcMs(self.now_ms())).await.unwrap();
            let hits = page.documents.into_iter().filter(|document| {
                let text = String::from_utf8_lossy(&document.body).into_owned();
                search.text.split(' ').any(|word| text.contains(word))
            });
            Ok(hits.take(search.limit).map(|document| DirectoryHit { id: document.id, score: 1.0 }).collect())
        })
    }

    fn ticket_submit(&self, _: Actor, ticket: TicketOrder) -> BoxFuture<'_, Result<TicketNumber, EngineRefusal>> {
        Box::pin(async move { Ok(self.register(ticket).await) })
    }

    fn delivery_retry(&self, _: Actor, id: String) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async move {
            self.put(&[(kinds::DELIVERY, &id, &delivery(DeliveryState::Waiting, self.now_ms()))]).await;
            Ok(())
        })
    }

    fn overlays_heard(&self) -> BTreeMap<String, u64> {
        [("flood".to_owned(), 212)].into()
    }

    fn check_audio(&self, audio: bytes::Bytes) -> BoxFuture<'_, Result<CheckedAudio, EngineRefusal>> {
        let refused = EngineRefusal {
            code: "invalid-field",
            status: 422,
            field: Some("body".into()),
            problem: "It is no audio that is known.".into(),
            remedy: "Send WAV, MP3, Ogg or FLAC.".into(),
            report: None,
        };
        let checked = audio.starts_with(b"RIFF").then_some(CheckedAudio { wav: audio, duration_ms: 1_500 });
        Box::pin(async move { checked.ok_or(refused) })
    }
}

fn line(agency: Option<&str>) -> TraceLine {
    TraceLine {
        at_ms: 0,
        kind: "step".into(),
        text: format!("of {agency:?}"),
        took_ms: None,
        outcome: None,
        agency: agency.map(str::to_owned),
    }
}
