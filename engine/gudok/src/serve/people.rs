//! The centre as the people who work there see it, by the admins' room.

use super::port::Port;
use crate::call::Control;
use crate::centre::{self, callback_row, operator_row, peer_row, queue_row};
use crate::clock::millis;
use crate::director::{internal, refused};
use gudok_admin::ports::{
    Actor, BoxFuture, CALLBACKS_ENDED_MAX, CallbackBooking, CallbackRow, CallbackWhich, Centre, CheckedAudio, DeskCall,
    DeskField, DeskTarget, DirectoryHit, DirectorySearch, EngineRefusal, OperatorRow, PeerRow, QueueRow, TicketNumber,
    TicketOrder, WrapUp,
};
use gudok_core::call::Supervision;
use gudok_core::centre::{
    Callback, CallbackDecision, CallbackOrigin, CallbackRefusal, CallbackWish, CentreSettings, OperatorOrder,
    OperatorRefusal, OperatorState,
};
use gudok_core::ids::{Agency, CallId, CallbackId, Operator};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::Clock;
use gudok_store::{LedgerChange, Put, UtcMs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What operators say of calls that are over, by call.
const WRAP_UP_KIND: &str = "wrap-up";
const WRAP_UP_KEPT_MS: u64 = 365 * 24 * 3_600 * 1_000;
/// The screen's field that names a guide.
const TOPIC_FIELD: &str = "topic";

impl Centre for Port {
    fn operators(&self) -> BoxFuture<'_, Vec<OperatorRow>> {
        let (settings, of_file) = (self.settings(), self.of_file());
        Box::pin(async move {
            let look = self.centre().look(move |machine, _| {
                machine.operators().map(|view| operator_row(&view, &settings, &of_file)).collect()
            });
            look.await.unwrap_or_default()
        })
    }

    fn operator_order(
        &self,
        _actor: Actor,
        operator: Operator,
        order: OperatorOrder,
    ) -> BoxFuture<'_, Result<OperatorRow, EngineRefusal>> {
        Box::pin(async move {
            self.centre().order(operator.clone(), order).await.map_err(|refusal| of_operator(&refusal))?;
            self.operator(&operator).await.ok_or_else(|| of_operator(&OperatorRefusal::Unknown(operator)))
        })
    }

    fn registrar_realm(&self) -> Option<String> {
        Some(self.director.config().sip.registrar.as_ref()?.realm.clone())
    }

    fn queues(&self) -> BoxFuture<'_, Vec<QueueRow>> {
        let (settings, live) = (self.settings(), Arc::clone(&self.calls.host.live));
        Box::pin(async move {
            let look = self.centre().look(move |machine, now| {
                machine.queues(now).map(|view| queue_row(&view, &settings, machine, &live, now)).collect()
            });
            look.await.unwrap_or_default()
        })
    }

    fn peers(&self) -> BoxFuture<'_, Vec<PeerRow>> {
        let settings = self.settings();
        Box::pin(async move {
            let look = self
                .centre()
                .look(move |machine, now| machine.peers(now).map(|view| peer_row(&view, &settings)).collect());
            look.await.unwrap_or_default()
        })
    }

    fn callbacks(&self, which: CallbackWhich) -> BoxFuture<'_, Result<Vec<CallbackRow>, EngineRefusal>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            if which != CallbackWhich::Ended {
                let look = self.centre().look(|machine, _| {
                    let mut open: Vec<Callback> =
                        machine.callbacks().filter(|callback| !callback.state.is_over()).cloned().collect();
                    open.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
                    open
                });
                rows.extend(look.await.unwrap_or_default().iter().map(callback_row));
            }
            if which != CallbackWhich::Open {
                let host = &self.calls.host;
                let ended = centre::ended(&*host.store, &host.subjects, self.utc(), CALLBACKS_ENDED_MAX).await;
                rows.extend(ended.map_err(|error| internal("reading callbacks", error))?.iter().map(callback_row));
            }
            Ok(rows)
        })
    }

    fn callback(&self, id: CallbackId) -> BoxFuture<'_, Result<Option<CallbackRow>, EngineRefusal>> {
        Box::pin(async move { Ok(self.find(id).await?.as_ref().map(callback_row)) })
    }

    fn callback_book(&self, actor: Actor, wish: CallbackBooking) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        let lang = wish.lang.map_or_else(|| Arc::clone(&self.director.config().lang), Arc::from);
        let wish = CallbackWish {
            queue: wish.queue,
            agency: Agency::new(&wish.agency),
            number: wish.number,
            topic: Arc::from(wish.topic),
            lang,
            fields: Vec::new(),
            earliest: wish.earliest_ms.map(Timestamp::from_millis),
            call: CallId::from_random(rand::random()),
            origin: CallbackOrigin::Operator,
            waited_since: None,
            skills: Vec::new(),
        };
        Box::pin(async move {
            let receipt = self.centre().book(actor, wish).await.map_err(|refusal| of_callback(&refusal))?;
            let found = self.find(receipt.id.clone()).await?;
            found.as_ref().map(callback_row).ok_or_else(|| of_callback(&CallbackRefusal::NotFound(receipt.id)))
        })
    }

    fn callback_decide(
        &self,
        actor: Actor,
        id: CallbackId,
        decision: CallbackDecision,
    ) -> BoxFuture<'_, Result<CallbackRow, EngineRefusal>> {
        Box::pin(async move {
            let decided = self.centre().decide(actor, id, decision).await;
            decided.map(|callback| callback_row(&callback)).map_err(|refusal| of_callback(&refusal))
        })
    }

    fn callback_number(&self, id: CallbackId) -> BoxFuture<'_, Result<PhoneNumber, EngineRefusal>> {
        Box::pin(async move {
            let found = self.find(id.clone()).await?;
            found.map(|callback| callback.wish.number).ok_or_else(|| of_callback(&CallbackRefusal::NotFound(id)))
        })
    }

    fn desk(&self, operator: &Operator) -> BoxFuture<'_, Option<DeskCall>> {
        let operator = operator.clone();
        Box::pin(async move { self.desk_call(operator).await })
    }

    fn desk_transfer(
        &self,
        _actor: Actor,
        operator: Operator,
        target: DeskTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async move {
            let target = match &target {
                DeskTarget::Operator(colleague) => self.phone(colleague.as_str()),
                DeskTarget::Extension(number) => self.phone(number),
                DeskTarget::Queue(_) => return Err(EngineRefusal::not_served("transfers back into a queue")),
            };
            let target = target.ok_or_else(|| not_found("target", "There is no such telephone."))?;
            let call = self.call_of(&operator).await.ok_or_else(|| not_found("call", "The operator is in no call."))?;
            self.say(call, Control::GiveTo(target))
        })
    }

    fn desk_wrap_up(&self, operator: Operator, wrap_up: WrapUp) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async move {
            let call =
                self.call_of(&operator).await.ok_or_else(|| not_found("call", "There is no call to wrap up."))?;
            let body = serde_json::json!({
                "operator": operator.as_str(), "code": wrap_up.code, "note": wrap_up.note, "at_ms": self.utc().0,
            });
            let put = Put {
                kind: WRAP_UP_KIND.to_owned(),
                id: call.to_string(),
                body: body.to_string().into_bytes(),
                expires: Some(UtcMs(self.utc().0.saturating_add(WRAP_UP_KEPT_MS))),
            };
            let change = LedgerChange { puts: vec![put], urgent: true, ..LedgerChange::default() };
            let kept = self.calls.host.store.ledger_commit(change, self.utc()).await;
            kept.map(|_| ()).map_err(|error| internal("keeping a wrap-up", error))
        })
    }

    fn supervise(
        &self,
        _actor: Actor,
        call: CallId,
        how: Supervision,
        phone: DialTarget,
    ) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let said = self.say(call, Control::Supervise { target: phone, how });
        Box::pin(async move { said })
    }

    fn supervise_end(&self, _actor: Actor, call: CallId) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let said = self.say(call, Control::SuperviseEnd);
        Box::pin(async move { said })
    }

    fn phone(&self, name: &str) -> Option<DialTarget> {
        let routes = self.director.routes();
        let operator = routes.centre.operators.get(&Operator::new(name)).map(|operator| operator.target.clone());
        operator.or_else(|| routes.extensions.get(name).cloned())
    }

    fn search_directory(&self, search: DirectorySearch) -> BoxFuture<'_, Result<Vec<DirectoryHit>, EngineRefusal>> {
        Box::pin(async move { Ok(self.calls.host.books.directory.search(&search)) })
    }

    fn directory_changed(&self, _: Vec<String>) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async move {
            let read = self.calls.host.books.directory.load().await;
            read.map(|_| ()).map_err(|error| internal("reading the directory", error))
        })
    }

    fn ticket_submit(&self, actor: Actor, ticket: TicketOrder) -> BoxFuture<'_, Result<TicketNumber, EngineRefusal>> {
        Box::pin(self.calls.host.books.promises.submit(actor, ticket))
    }

    fn delivery_retry(&self, _: Actor, id: String) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(self.calls.host.books.promises.retry(id))
    }

    fn overlays_heard(&self) -> BTreeMap<String, u64> {
        self.calls.host.overlays.heard_counts()
    }

    fn check_audio(&self, audio: bytes::Bytes) -> BoxFuture<'_, Result<CheckedAudio, EngineRefusal>> {
        Box::pin(async move {
            let checked = tokio::task::spawn_blocking(move || crate::overlays::normal_sound(audio.to_vec())).await;
            let (wav, duration_ms) = checked.map_err(|error| internal("reading audio", error))?.map_err(|problem| {
                refused("audio-refused", 422, Some("recording"), problem, "send a WAV file of at most two minutes")
            })?;
            Ok(CheckedAudio { wav: wav.into(), duration_ms })
        })
    }
}

impl Port {
    fn centre(&self) -> &crate::centre::Centre {
        &self.calls.host.centre
    }

    fn settings(&self) -> Arc<CentreSettings> {
        Arc::clone(&self.director.routes().centre)
    }

    fn utc(&self) -> UtcMs {
        UtcMs(self.calls.host.clock.now().as_millis())
    }

    fn of_file(&self) -> impl Fn(&Operator) -> bool + Send + 'static {
        let config = self.director.config();
        move |name| config.facts.operators.iter().any(|known| known == name.as_str())
    }

    async fn operator(&self, operator: &Operator) -> Option<OperatorRow> {
        let (settings, of_file, operator) = (self.settings(), self.of_file(), operator.clone());
        let look = self.centre().look(move |machine, _| {
            let view = machine.operators().find(|view| view.operator == operator)?;
            Some(operator_row(&view, &settings, &of_file))
        });
        look.await.flatten()
    }

    /// An open one of the centre, or one of the ledger that is over.
    async fn find(&self, id: CallbackId) -> Result<Option<Callback>, EngineRefusal> {
        let wanted = id.clone();
        let open = self.centre().look(move |machine, _| machine.callback(&wanted).cloned()).await.flatten();
        if open.is_some() {
            return Ok(open);
        }
        let host = &self.calls.host;
        let kept = centre::kept(&*host.store, &host.subjects, &id, self.utc()).await;
        kept.map_err(|error| internal("reading a callback", error))
    }

    async fn state_of(&self, operator: Operator) -> Option<OperatorState> {
        let look = self
            .centre()
            .look(move |machine, _| machine.operators().find(|view| view.operator == operator).map(|view| view.state));
        look.await.flatten()
    }

    async fn call_of(&self, operator: &Operator) -> Option<CallId> {
        match self.state_of(operator.clone()).await? {
            OperatorState::Ringing { call, .. }
            | OperatorState::OnCall { call, .. }
            | OperatorState::WrapUp { call, .. } => Some(call),
            OperatorState::LoggedOut | OperatorState::Ready { .. } | OperatorState::Paused { .. } => None,
        }
    }

    async fn desk_call(&self, operator: Operator) -> Option<DeskCall> {
        let (call, since, state) = match self.state_of(operator).await? {
            OperatorState::Ringing { call, since } => (call, since, "ringing"),
            OperatorState::OnCall { call, since } => (call, since, "talking"),
            OperatorState::WrapUp { call, since, .. } => (call, since, "wrap-up"),
            OperatorState::LoggedOut | OperatorState::Ready { .. } | OperatorState::Paused { .. } => return None,
        };
        let live = &self.calls.host.live;
        let mut desk = DeskCall {
            call: call.to_string(),
            state: state.to_owned(),
            since_ms: since.as_millis(),
            ..DeskCall::default()
        };
        let Some(watch) = live.lately(call) else { return Some(desk) };
        let seen = watch.seen();
        let fields = watch.shown();
        let topic = fields.iter().find(|(name, _)| is_topic(name)).map(|(_, topic)| topic.to_string());
        let wait = watch.wait();
        desk.topic = topic.unwrap_or_default();
        desk.fields =
            fields.iter().map(|(name, value)| DeskField { name: name.to_string(), value: value.to_string() }).collect();
        desk.so_far = live.trace(call).map(|trace| trace.lines).unwrap_or_default();
        desk.so_far.retain(|line| line.agency.as_ref().is_none_or(|agency| *agency == seen.agency));
        desk.queue = wait.queue.map(|queue| queue.to_string()).unwrap_or_default();
        desk.waited_ms = wait.since.map_or(0, |from| millis(since.since(from)));
        desk.callback = wait.callback.map(|callback| callback.to_string());
        (desk.agency, desk.caller, desk.called) = (seen.agency, seen.caller, seen.called);
        (desk.lang, desk.script, desk.step) = (seen.lang, seen.script, seen.step);
        Some(desk)
    }

    fn say(&self, call: CallId, control: Control) -> Result<(), EngineRefusal> {
        if self.calls.host.live.say(call, control) { Ok(()) } else { Err(not_found("call", "The call is over.")) }
    }
}

/// "topic", as a script names it or as it goes to the operator's telephone: "X-Gudok-Topic".
fn is_topic(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("x-gudok-").unwrap_or(&name) == TOPIC_FIELD
}

fn not_found(field: &str, problem: &str) -> EngineRefusal {
    refused("not-found", 404, Some(field), problem, "Look again: it may be over by now.")
}

fn of_operator(problem: &OperatorRefusal) -> EngineRefusal {
    match problem {
        OperatorRefusal::Unknown(_) => {
            refused("not-found", 404, Some("operator"), problem.to_string(), "Add the operator.")
        }
        OperatorRefusal::LoggedOut(_) => refused("conflict", 409, Some("state"), problem.to_string(), "Log in first."),
    }
}

fn of_callback(problem: &CallbackRefusal) -> EngineRefusal {
    let (code, status, field) = match problem {
        CallbackRefusal::NotFound(_) => ("not-found", 404, "callback"),
        CallbackRefusal::WrongState { .. } => ("conflict", 409, "state"),
        CallbackRefusal::Store(_) => ("disk-low", 507, "callback"),
        CallbackRefusal::NoQueue(_) | CallbackRefusal::NeverOpen(_) => ("conflict", 409, "queue"),
        CallbackRefusal::NotDialable => ("conflict", 422, "number"),
        CallbackRefusal::TooFar(_) => ("conflict", 422, "earliest"),
        CallbackRefusal::TooMany(_) | CallbackRefusal::TooManyToNumber(_) => ("conflict", 409, "number"),
    };
    refused(code, status, Some(field), problem.to_string(), "See the queue's callback rules in docs/OPERATING.md.")
}
