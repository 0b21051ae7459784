//! The loop that owns the machine.

use super::keep::Book;
use super::{Centre, Decided, Said, views};
use crate::clock::EngineClock;
use crate::keys::Subjects;
use crate::live::LiveCalls;
use crate::metrics;
use futures_util::stream::{FuturesUnordered, StreamExt};
use gudok_admin::ports::{Actor, Event};
use gudok_core::call::Input;
use gudok_core::centre::{
    Callback, CallbackOrder, CallbackReceipt, CallbackRefusal, CallbackStart, CallbackWish, CentreCommand, CentreInput,
    CentreMachine, CentreSettings, SaveId,
};
use gudok_core::ids::{CallId, CallbackId, Operator, Queue};
use gudok_plugin_host::ports::Clock;
use gudok_store::{AuditDraft, Store};
use serde_json::json;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// What the task works with.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<EngineClock>,
    pub(crate) subjects: Subjects,
    pub(crate) live: Arc<LiveCalls>,
    pub(crate) settings: watch::Receiver<Arc<CentreSettings>>,
    /// Operators that the file has.
    pub(crate) of_file: Arc<dyn Fn(&Operator) -> bool + Send + Sync>,
    /// What a former process left.
    pub(crate) recovered: Vec<Callback>,
    /// Calls that are to be begun.
    pub(crate) starts: mpsc::Sender<Box<CallbackStart>>,
}

/// Starts the task, with what a former process left.
pub(crate) fn start(parts: Parts) -> Centre {
    let (centre, said) = Centre::new();
    tokio::spawn(run(centre.clone(), said, parts));
    centre
}

type Saving = Pin<Box<dyn Future<Output = (SaveId, Result<(), String>)> + Send>>;

/// An answer that waits for a callback to be durable.
struct Promise {
    /// The last writing-down that it waits for.
    save: SaveId,
    callback: CallbackId,
    answer: Decided,
}

struct Task {
    centre: Centre,
    machine: CentreMachine,
    settings: Arc<CentreSettings>,
    book: Book,
    live: Arc<LiveCalls>,
    of_file: Arc<dyn Fn(&Operator) -> bool + Send + Sync>,
    starts: mpsc::Sender<Box<CallbackStart>>,
    saving: FuturesUnordered<Saving>,
    /// Callbacks that the ledger has, or will have: they were promised.
    promised: HashSet<CallbackId>,
    /// Bookings of people, by the id that stands for their call.
    bookings: HashMap<CallId, oneshot::Sender<Result<CallbackReceipt, CallbackRefusal>>>,
    decisions: Vec<Promise>,
    /// Goes into the audit with the next writing-down.
    audit: Option<AuditDraft>,
    /// Of the last feeding: what was written down of which callback.
    last_save: Option<(SaveId, CallbackId)>,
}

async fn run(centre: Centre, mut said: mpsc::Receiver<Said>, mut parts: Parts) {
    let now = parts.clock.now();
    let settings = Arc::clone(&parts.settings.borrow_and_update());
    let mut task = Task {
        centre,
        machine: CentreMachine::new(Arc::clone(&settings), rand::random(), now),
        settings,
        book: Book { store: parts.store, clock: parts.clock, subjects: parts.subjects },
        live: parts.live,
        of_file: parts.of_file,
        starts: parts.starts,
        saving: FuturesUnordered::new(),
        promised: parts.recovered.iter().map(|callback| callback.id.clone()).collect(),
        bookings: HashMap::new(),
        decisions: Vec::new(),
        audit: None,
        last_save: None,
    };
    if !parts.recovered.is_empty() {
        tracing::info!(callbacks = parts.recovered.len(), "callbacks of before the start go on");
    }
    task.feed(CentreInput::Recovered(parts.recovered));
    task.show_all();
    let mut timer = pin!(tokio::time::sleep_until(tokio::time::Instant::now()));
    let mut timer_for = None;
    loop {
        let deadline = task.machine.deadline();
        if let Some(deadline) = deadline.filter(|_| deadline != timer_for) {
            timer.as_mut().reset(task.book.clock.instant(deadline));
        }
        timer_for = deadline;
        tokio::select! {
            Some((save, saved)) = task.saving.next() => task.saved(save, &saved),
            Some(said) = said.recv() => task.said(said),
            Ok(()) = parts.settings.changed() => {
                task.settings = Arc::clone(&parts.settings.borrow_and_update());
                task.feed(CentreInput::Configured(Arc::clone(&task.settings)));
                task.show_all();
            }
            () = timer.as_mut(), if deadline.is_some() => {
                timer_for = None;
                task.machine.handle_timeout(task.book.clock.now());
                task.carry_out();
            }
            else => return,
        }
    }
}

impl Task {
    fn feed(&mut self, input: CentreInput) {
        self.machine.handle(input, self.book.clock.now());
        self.carry_out();
    }

    fn said(&mut self, said: Said) {
        let now = self.book.clock.now();
        match said {
            Said::Queue(call, order) => self.feed(CentreInput::Queue(call, order)),
            Said::Callback(call, order) => self.feed(CentreInput::Callback(call, order)),
            Said::CallOver(call) => self.feed(CentreInput::CallOver(call)),
            Said::Order { operator, order, answer } => {
                let answered = self.machine.order(&operator, order, now);
                self.carry_out();
                // Whoever asked may have gone, here and below.
                let _ = answer.send(answered);
            }
            Said::Book { actor, wish, answer } => self.book(&actor, wish, answer),
            Said::Decide { actor, callback, decision, answer } => {
                let details = json!({ "decision": views::decision_word(&decision) });
                self.audit = Some(draft(&actor, "callback.decide", &callback, details));
                self.last_save = None;
                let decided = self.machine.decide(&callback, decision, now);
                self.carry_out();
                self.audit = None;
                self.decided(callback, decided, answer);
            }
            Said::Look(look) => look(&self.machine, now),
        }
    }

    /// A person's booking goes the way of a call's, under an id of its own.
    fn book(
        &mut self,
        actor: &Actor,
        wish: Box<CallbackWish>,
        answer: oneshot::Sender<Result<CallbackReceipt, CallbackRefusal>>,
    ) {
        let (call, queue) = (wish.call, wish.queue.clone());
        let mut audit = draft(actor, "callback.book", &CallbackId::new(""), json!({ "queue": queue.as_str() }));
        audit.agency = Some(wish.agency.to_string());
        self.audit = Some(audit);
        self.bookings.insert(call, answer);
        self.feed(CentreInput::Callback(call, CallbackOrder::Book(wish)));
        self.audit = None;
    }

    fn decided(&mut self, callback: CallbackId, decided: Result<(), CallbackRefusal>, answer: Decided) {
        let save = self.last_save.take().filter(|(_, of)| *of == callback);
        match (decided, save) {
            (Err(refusal), _) => {
                let _ = answer.send(Err(refusal));
            }
            (Ok(()), Some((save, _))) => self.decisions.push(Promise { save, callback, answer }),
            (Ok(()), None) => self.answer(&callback, answer),
        }
    }

    fn answer(&self, callback: &CallbackId, answer: Decided) {
        let found = self.machine.callback(callback).cloned();
        let _ = answer.send(found.ok_or_else(|| CallbackRefusal::NotFound(callback.clone())));
    }

    fn saved(&mut self, save: SaveId, saved: &Result<(), String>) {
        if let Err(problem) = saved {
            metrics::callback_not_kept();
            tracing::error!(problem, "a callback was not written down");
        }
        self.feed(CentreInput::Saved(save, saved.clone()));
        if saved.is_err() {
            let machine = &self.machine;
            self.promised.retain(|id| machine.callback(id).is_some_and(|callback| !callback.state.is_over()));
        }
        let (done, waiting): (Vec<_>, Vec<_>) = self.decisions.drain(..).partition(|promise| promise.save == save);
        self.decisions = waiting;
        for promise in done {
            match saved {
                Ok(()) => self.answer(&promise.callback, promise.answer),
                Err(problem) => {
                    let _ = promise.answer.send(Err(CallbackRefusal::Store(problem.clone())));
                }
            }
        }
    }

    /// Does what the machine says, until it says nothing more.
    fn carry_out(&mut self) {
        let (mut operators, mut queues, mut callbacks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        while let Some(command) = self.machine.poll_command() {
            match command {
                CentreCommand::Notice(call, notice) => self.centre.tell(call, Input::Queue(notice)),
                CentreCommand::Save { save, callback } => self.save(save, &callback),
                CentreCommand::Booked { call, result } => match self.bookings.remove(&call) {
                    Some(answer) => {
                        let _ = answer.send(result);
                    }
                    None => self.centre.tell(call, Input::CallbackBooked(result)),
                },
                CentreCommand::Claimed { call, granted } => self.centre.tell(call, Input::CallbackClaimed(granted)),
                CentreCommand::Start(start) => self.start(start),
                CentreCommand::Escalated(callback) => {
                    metrics::callback_escalated();
                    tracing::warn!(callback = %callback, "a callback was not kept in time; supervisors see it");
                    callbacks.insert(callback);
                }
                CentreCommand::OperatorChanged(operator) => {
                    operators.insert(operator);
                }
                CentreCommand::QueueChanged(queue) => {
                    queues.insert(queue);
                }
                CentreCommand::CallbackChanged(callback) => {
                    callbacks.insert(callback);
                }
            }
        }
        self.show(&operators, &queues, &callbacks);
    }

    fn save(&mut self, save: SaveId, callback: &Callback) {
        self.last_save = Some((save, callback.id.clone()));
        let promised = !self.promised.insert(callback.id.clone());
        let audit = self.audit.take().map(|mut audit| {
            audit.object = format!("callback:{}", callback.id);
            audit.agency = Some(callback.wish.agency.to_string());
            audit
        });
        if callback.state.is_over() {
            self.promised.remove(&callback.id);
        }
        match self.book.write(callback, audit, promised) {
            Ok(written) => {
                self.saving.push(Box::pin(async move { (save, written.await.map_err(|error| error.to_string())) }));
            }
            Err(problem) => self.saving.push(Box::pin(std::future::ready((save, Err(problem))))),
        }
    }

    fn start(&mut self, start: Box<CallbackStart>) {
        let call = start.call;
        if self.starts.try_send(start).is_err() {
            tracing::error!("a callback's call could not be begun: too many begin at once");
            self.machine.handle(CentreInput::CallOver(call), self.book.clock.now());
        }
    }

    /// Tells whoever watches, and brings the gauges up to date.
    fn show(&self, operators: &BTreeSet<Operator>, queues: &BTreeSet<Queue>, callbacks: &BTreeSet<CallbackId>) {
        let now = self.book.clock.now();
        if !operators.is_empty() {
            metrics::operators(self.machine.operators().map(|view| view.state.as_str()));
            for view in self.machine.operators().filter(|view| operators.contains(&view.operator)) {
                self.live
                    .tell(|| Event::Operator(Box::new(views::operator_row(&view, &self.settings, &*self.of_file))));
            }
        }
        if !queues.is_empty() {
            for view in self.machine.queues(now).filter(|view| queues.contains(&view.queue)) {
                metrics::queue(&view);
                let row = || views::queue_row(&view, &self.settings, &self.machine, &self.live, now);
                self.live.tell(|| Event::Queue(Box::new(row())));
            }
        }
        if !callbacks.is_empty() {
            metrics::callbacks(self.machine.callbacks());
            for callback in callbacks.iter().filter_map(|id| self.machine.callback(id)) {
                self.live.tell(|| Event::Callback(Box::new(views::callback_row(callback))));
            }
        }
    }

    fn show_all(&self) {
        let operators = self.machine.operators().map(|view| view.operator).collect();
        let queues = self.machine.queues(self.book.clock.now()).map(|view| view.queue).collect();
        self.show(&operators, &queues, &BTreeSet::new());
        metrics::callbacks(self.machine.callbacks());
    }
}

fn draft(actor: &Actor, action: &str, callback: &CallbackId, details: serde_json::Value) -> AuditDraft {
    AuditDraft {
        actor: actor.name.clone(),
        via: actor.via.to_owned(),
        action: action.to_owned(),
        object: format!("callback:{callback}"),
        agency: None,
        details,
    }
}
