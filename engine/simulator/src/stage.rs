//! The world at work: one loop over events, deadlines and scripts, on one thread and in one order.

use crate::agenda::Agenda;
use crate::call::{Happening, SimCall, Want};
use crate::caller::Caller;
use crate::centre::SimCentre;
use crate::centre_checkers::CentreCheckers;
use crate::checkers::Checkers;
use crate::clock::VirtualClock;
use crate::crowd::Crowd;
use crate::decide::SharedDecider;
use crate::dice::Dice;
use crate::informing::{CampaignPlan, Informing};
use crate::operator::Operator as Behaviour;
use crate::post::{Answer, Post};
use crate::props::Props;
use crate::report::Report;
use crate::script::SimScript;
use crate::storage::SimStorage;
use crate::tasks::{PortRequest, Seen, SharedDesk, TaskId, Tasks, beside};
use crate::trouble::Trouble;
use crate::words::PromptWords;
use gudok_core::call::{CallLimits, CallStart, Input, Purpose, ScriptRun};
use gudok_core::campaign::{AnsweredBy as CalleeIs, AttemptId, CampaignOrder, OptOut};
use gudok_core::centre::{Callback, CallbackState, OperatorOrder};
use gudok_core::ids::{Agency, CallId, CallbackId, Campaign, Entry, Operator, ScriptVersion, Trunk};
use gudok_core::leg::IncomingCall;
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::Mode;
use gudok_core::routing::{Overlay, Route, Routes};
use gudok_core::script::{CallError, EndReason, LandingCause, Request, ScriptEnd, TransferTarget};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::journal::Journal;
use gudok_plugin_host::ports::{AnsweredBy, CallInfo, Direction, Ports};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Times that scripts may be polled without the world's clock moving: one that never waits is a fault.
const POLLS_AT_ONE_MOMENT_MAX: u32 = 100_000;
/// Events of one run.
const EVENTS_MAX: u64 = 1_000_000;
/// Of one without a transcript, which may be a whole day of a region.
const EVENTS_QUIET_MAX: u64 = 100_000_000;
/// How long whoever holds on at the callback number hears it ring.
const CALLBACK_NUMBER_RINGS: Duration = Duration::from_secs(20);
/// From the end of a call to the end of a script in Rust, as the real host has it for compiled ones.
const GRACE: Duration = Duration::from_secs(2);

/// A script that is active somewhere.
#[derive(Clone)]
pub(crate) enum Scripted {
    InRust { version: ScriptVersion, script: Arc<dyn SimScript> },
    Bundle(Arc<Version>),
}

/// What happens by itself.
pub(crate) enum Event {
    Comes(Box<Caller>),
    Deploys(Agency, Entry, Scripted),
    Drains,
    To(usize, Happening),
    /// A script in Rust has had its grace.
    Stops(TaskId),
    /// The oldest callback that is being written down is, in that life of the engine.
    Saved(u32),
    /// An operator, or a supervisor for one, says something.
    Operator(Operator, OperatorOrder),
    /// The engine is killed, and is back after so long.
    Dies(Duration),
    Lives,
    /// An emergency officer starts an announcement.
    Announces(Box<Overlay>),
    /// A contact is fetched, in that life of the engine, and its script is asked.
    Asks(u32, AttemptId),
    /// The oldest writing of campaigns is done, in that life of the engine.
    CampaignSaved(u32),
    Orders(Campaign, CampaignOrder),
    OptsOut(OptOut),
    /// Campaigns begin nothing more, and the world ends.
    CampaignsEnd,
    /// An agency's answer to a delivery, in that life of the engine.
    Answers(u32, Answer),
}

/// A world at work.
pub(crate) struct Stage {
    pub(crate) seed: u64,
    pub(crate) props: Props,
    pub(crate) calls: Crowd,
    pub(crate) centre: SimCentre,
    pub(crate) centre_checkers: CentreCheckers,
    /// Writings come to their end in their order.
    pub(crate) last_saved: Timestamp,
    pub(crate) callbacks: Vec<CallbackId>,
    pub(crate) escalated: u32,
    pub(crate) lost: u32,
    pub(crate) scripts: BTreeMap<(Agency, Entry), Scripted>,
    pub(crate) limits: CallLimits,
    pub(crate) tasks: Tasks,
    pub(crate) checkers: Checkers,
    pub(crate) desk: SharedDesk,
    pub(crate) post: Arc<Mutex<Post>>,
    pub(crate) clock: VirtualClock,
    pub(crate) ports: Arc<Ports>,
    pub(crate) missing: Vec<String>,
    pub(crate) callees: BTreeMap<String, Caller>,
    pub(crate) informing: Informing,
    pub(crate) journal: Option<Arc<dyn Journal>>,
    pub(crate) storage: Arc<SimStorage>,
    until_script_is_over: bool,
    /// How the first call's script ended.
    script_end: Option<ScriptEnd>,
}

/// With what a stage is set.
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) trouble: Trouble,
    pub(crate) operators: BTreeMap<String, Behaviour>,
    pub(crate) recordings: BTreeMap<String, Duration>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) quiet: bool,
    pub(crate) logged_in: bool,
    pub(crate) operators_do: Vec<(Duration, Operator, OperatorOrder)>,
    pub(crate) deaths: Vec<(Duration, Duration)>,
    pub(crate) announcements: Vec<(Duration, Overlay)>,
    pub(crate) limits: CallLimits,
    pub(crate) scripts: BTreeMap<(Agency, Entry), Scripted>,
    pub(crate) deployments: Vec<(Duration, Agency, Entry, Scripted)>,
    pub(crate) drains: Vec<Duration>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) callees: BTreeMap<String, Caller>,
    pub(crate) campaigns: CampaignPlan,
    pub(crate) desk: SharedDesk,
    pub(crate) post: Arc<Mutex<Post>>,
    pub(crate) clock: VirtualClock,
    pub(crate) ports: Ports,
    pub(crate) decider: Option<SharedDecider>,
    pub(crate) words: Arc<dyn PromptWords>,
    pub(crate) journal: Option<Arc<dyn Journal>>,
    pub(crate) storage: Arc<SimStorage>,
    pub(crate) until_script_is_over: bool,
    pub(crate) beside: Option<Arc<Runtime>>,
}

impl Stage {
    pub(crate) fn new(mut setting: Setting) -> Self {
        let settings = Arc::clone(&setting.routes.centre);
        let mut centre = SimCentre::new(Arc::clone(&settings), setting.dice.split(), setting.now);
        if setting.logged_in {
            centre.everybody_logs_in(setting.now);
        }
        let informing = Informing::new(&setting.campaigns, setting.dice.split(), setting.quiet, setting.now);
        let mut props = Props {
            to_centre: VecDeque::new(),
            to_campaigns: Vec::new(),
            unreachable: BTreeSet::new(),
            quiet: setting.quiet,
            now: setting.now,
            dice: setting.dice,
            trouble: setting.trouble,
            records: Vec::new(),
            operators: setting.operators,
            recordings: setting.recordings,
            routes: setting.routes,
            events: Agenda::new(),
            lines: Vec::new(),
            decider: setting.decider,
            words: setting.words,
            desk: Arc::clone(&setting.desk),
            trace: String::new(),
        };
        for (after, agency, entry, script) in setting.deployments {
            props.at(setting.now + after, Event::Deploys(agency, entry, script));
        }
        for (after, operator, order) in setting.operators_do {
            props.at(setting.now + after, Event::Operator(operator, order));
        }
        for (after, overlay) in setting.announcements {
            props.at(setting.now + after, Event::Announces(Box::new(overlay)));
        }
        for (after, down) in setting.deaths {
            props.at(setting.now + after, Event::Dies(down));
        }
        for after in setting.drains {
            props.at(setting.now + after, Event::Drains);
        }
        setting.campaigns.events(setting.now, &mut props);
        for caller in setting.callers {
            props.at(setting.now + caller.comes_after, Event::Comes(Box::new(caller)));
        }
        let mut stage = Self {
            seed: setting.seed,
            props,
            calls: Crowd::default(),
            centre,
            centre_checkers: CentreCheckers::new(settings),
            last_saved: setting.now,
            callbacks: Vec::new(),
            escalated: 0,
            lost: 0,
            scripts: setting.scripts,
            limits: setting.limits,
            tasks: Tasks::new(setting.beside.or_else(beside)),
            checkers: Checkers::default(),
            desk: setting.desk,
            post: setting.post,
            clock: setting.clock,
            ports: Arc::new(setting.ports),
            missing: Vec::new(),
            callees: setting.callees,
            informing,
            journal: setting.journal,
            storage: setting.storage,
            until_script_is_over: setting.until_script_is_over,
            script_end: None,
        };
        stage.informing.begins(setting.campaigns, stage.props.now);
        stage
    }

    /// Until every call is over, or a promise is broken.
    pub(crate) fn run(mut self) -> Report {
        let events_max = if self.props.quiet { EVENTS_QUIET_MAX } else { EVENTS_MAX };
        for _ in 0..events_max {
            self.settle();
            self.look_at_centre();
            if !self.checkers.broken().is_empty() || self.is_done() || self.is_over_for_its_script() {
                break;
            }
            let Some(at) = self.next() else { break };
            self.advance(at);
        }
        let landing = self.calls.get(0).and_then(|call| call.machine.landing());
        let landing = landing.or_else(|| self.props.records.iter().find_map(|leg| leg.landing));
        if !self.until_script_is_over {
            if self.checkers.broken().is_empty() {
                self.checkers.finish();
            }
            self.campaigns_add_up();
        }
        let mut desk = std::mem::take(&mut *self.desk.lock());
        let (tickets, surveys) = {
            let post = self.post.lock();
            (post.tickets(), post.surveys())
        };
        Report {
            seed: self.seed,
            lines: self.props.lines,
            records: self.props.records,
            log: std::mem::take(&mut desk.log),
            runs: std::mem::take(&mut desk.runs),
            named: std::mem::take(&mut desk.named),
            requests: std::mem::take(&mut desk.asked_back_ends),
            host_calls: std::mem::take(&mut desk.host_calls),
            missing: self.missing,
            trace: self.props.trace,
            broken: self.checkers.broken().to_vec(),
            steps: self.calls.steps_max(),
            ended: self.props.now,
            callbacks: self.centre.ledger.values().cloned().collect(),
            connected_callbacks: self.centre_checkers.connected(),
            escalated: self.escalated,
            lost: self.lost,
            script_end: self.script_end,
            landing,
            stored: self.storage.kept(),
            tickets,
            surveys,
            campaigns: self.informing.outcomes(self.props.now),
            attempts: self.informing.attempts,
        }
    }

    /// The first call is out of its script's hands, where nothing else is of interest.
    fn is_over_for_its_script(&self) -> bool {
        self.until_script_is_over && self.script_end.is_some() && self.tasks.is_empty()
    }

    /// Nobody calls, nobody is to come, and nobody is owed a call.
    fn is_done(&self) -> bool {
        if !self.calls.is_empty() || !self.informing.is_done() {
            return false;
        }
        let must_come =
            |event: &Event| matches!(event, Event::Comes(_) | Event::Lives | Event::Saved(_) | Event::Orders(..));
        let to_come = self.props.events.any(must_come);
        let now = self.props.now;
        let owed = || self.centre.machine().is_some_and(|machine| machine.callbacks().any(|one| is_open(one, now)));
        // What became of an attempt that a death cut off may have to be written down again.
        let half_kept = || self.centre.ledger.values().any(|kept| matches!(kept.state, CallbackState::Claimed));
        !to_come && !owed() && !half_kept() && self.post.lock().open() == 0
    }

    fn next(&self) -> Option<Timestamp> {
        let event = self.props.events.next();
        let post = self.post.lock().deadline();
        let campaigns = self.informing.office.deadline();
        [event, self.calls.next_deadline(), self.clock.next(), self.centre.deadline(), post, campaigns]
            .into_iter()
            .flatten()
            .min()
    }

    /// Goes on to the next moment and lets one thing happen: an event first, else deadlines.
    fn advance(&mut self, at: Timestamp) {
        self.props.now = self.props.now.max(at);
        self.clock.advance(self.props.now);
        if let Some(event) = self.props.events.pop_due(self.props.now) {
            self.happens(event);
            return;
        }
        for number in self.calls.due(self.props.now) {
            if let Some(call) = self.calls.get_mut(number) {
                call.timeout(&mut self.props, &mut self.checkers);
            }
        }
        if self.centre.deadline().is_some_and(|deadline| deadline <= self.props.now) {
            self.centre.handle_timeout(self.props.now);
        }
        self.campaigns_timeout();
        let mut post = self.post.lock();
        if post.deadline().is_some_and(|deadline| deadline <= self.props.now) {
            post.handle_timeout(self.props.now);
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Comes(caller) => self.comes(*caller),
            Event::Deploys(agency, entry, script) => drop(self.scripts.insert((agency, entry), script)),
            Event::Drains => {
                for number in self.calls.live() {
                    self.feed(number, Input::Land(LandingCause::Drained));
                }
            }
            Event::To(call, happening) => {
                if let Some(call) = self.calls.get_mut(call) {
                    call.happens(happening, &mut self.props, &mut self.checkers);
                }
            }
            Event::Stops(task) => self.tasks.stop(task),
            Event::Saved(life) => {
                if life == self.centre.life {
                    self.centre.saved(self.props.now);
                }
            }
            Event::Operator(operator, order) => {
                match order {
                    OperatorOrder::Reachable(true) => drop(self.props.unreachable.remove(&operator)),
                    OperatorOrder::Reachable(false) => drop(self.props.unreachable.insert(operator.clone())),
                    _ => {}
                }
                self.centre.order(&operator, order, self.props.now);
            }
            Event::Dies(down) => self.dies(down),
            Event::Lives => {
                self.props.line(0, "(the engine is back)".into());
                self.centre.comes_up(self.props.now);
                self.campaigns_live();
                self.post.lock().restarts(self.props.now);
            }
            Event::Announces(overlay) => {
                let mut routes = Routes::clone(&self.props.routes);
                routes.overlays.push(*overlay);
                self.props.routes = Arc::new(routes);
            }
            Event::Asks(life, attempt) => self.asks(life, attempt),
            Event::CampaignSaved(life) => self.campaign_saved(life),
            Event::Orders(campaign, order) => self.orders(&campaign, order),
            Event::OptsOut(opt_out) => self.opts_out(opt_out),
            Event::CampaignsEnd => self.informing.ending = true,
            Event::Answers(life, answer) => {
                if life == self.centre.life {
                    self.post.lock().answered(answer, self.props.now);
                }
            }
        }
    }

    fn comes(&mut self, caller: Caller) {
        let number = self.calls.next_number();
        let route = self.props.routes.route(&caller.dials).cloned();
        let (Some(route), true) = (route, self.centre.machine().is_some()) else {
            let answer = if self.centre.machine().is_some() { "host rejects (404)" } else { "nobody answers" };
            self.props.line(number, answer.into());
            self.calls.add_none();
            return;
        };
        let start = self.start_of(&caller, route);
        self.centre_checkers.call_began(start.id, &start.purpose);
        let call = SimCall::new(number, caller, start, &mut self.props, &mut self.checkers);
        self.calls.add(call);
    }

    fn start_of(&mut self, caller: &Caller, route: Route) -> CallStart {
        let routes = Arc::clone(&self.props.routes);
        let (high, low) = (self.props.dice.roll(), self.props.dice.roll());
        let open = routes.attended(&route.agency, self.props.now);
        CallStart {
            id: CallId::from_random(u128::from(high) << 64 | u128::from(low)),
            incoming: IncomingCall {
                trunk: Trunk::new("simulator"),
                caller: caller.number.clone(),
                called: PhoneNumber::new(&caller.dials),
                diversion: None,
                headers: Vec::new(),
                chain: caller.chain.clone(),
                wants_transcript: true,
            },
            overlay: routes.overlay(&caller.dials, &route, self.props.now).cloned(),
            purpose: match route.callback {
                Some(queue) => Purpose::CallbackNumber { queue, ring_max: CALLBACK_NUMBER_RINGS },
                None => Purpose::Script,
            },
            agency: route.agency,
            entry: route.entry,
            lang: route.lang,
            mode: if open { Mode::Attended } else { Mode::Automatic },
            limits: self.limits,
            routes,
        }
    }

    /// Lets scripts and machines talk until both wait for time to pass.
    fn settle(&mut self) {
        for _ in 0..POLLS_AT_ONE_MOMENT_MAX {
            self.grant_wants();
            let request = self.desk.lock().requests.pop_front();
            if let Some(request) = request {
                self.hear(request);
            } else if let Some(task) = self.tasks.ready() {
                self.poll(task);
            } else if self.exchange() | self.campaigns_exchange() {
                // Calls and the centre have spoken.
            } else {
                self.tasks.work_beside();
                if self.tasks.ready().is_none() {
                    return;
                }
            }
        }
        self.checkers.found(CallId::from_random(0), "a script asks and asks, and never waits".into());
    }

    fn hear(&mut self, PortRequest { task: (call, run), request, slot }: PortRequest) {
        if self.calls.get(call).is_none_or(SimCall::is_over) {
            slot.answer(Err(CallError::Ended(EndReason::Moved)));
            return;
        }
        let request = self.decided(call, request);
        let wants_key = matches!(request, Request::NextKey { .. });
        // Scripts come and go by deployments; people and telephones are there or are not.
        let to_people =
            matches!(&request, Request::Transfer { target, .. } if !matches!(target, TransferTarget::Script(_)));
        let answer = to_people.then(|| Arc::clone(&slot));
        let Some(call) = self.calls.get_mut(call) else { return };
        call.asks(run, slot);
        if wants_key {
            call.key_is_wanted();
        }
        call.feed(Input::ScriptRequest { run, request }, &mut self.props, &mut self.checkers);
        self.missing.extend(answer.and_then(|answer| answer.not_found()));
    }

    fn poll(&mut self, id @ (call, run): TaskId) {
        let by = self.calls.get(call).map(|call| (call.id(), run));
        {
            let mut desk = self.desk.lock();
            (desk.current, desk.number_of_current) = (by, call);
        }
        let end = self.tasks.poll(id);
        let seen = {
            let mut desk = self.desk.lock();
            desk.current = None;
            std::mem::take(&mut desk.seen)
        };
        for seen in seen {
            match seen {
                Seen::Touched { by: (call, run), owner, what } => self.checkers.touches(call, run, &owner, &what),
                Seen::Worked { by: (call, run), version } => self.checkers.works(call, run, &version),
            }
        }
        self.caller_leaves(call);
        if let Some(end) = end {
            if call == 0 && run == ScriptRun(0) {
                self.script_end = Some(end.clone());
            }
            self.feed(call, Input::ScriptEnded { run, end });
        }
    }

    pub(crate) fn feed(&mut self, call: usize, input: Input) {
        if let Some(call) = self.calls.get_mut(call) {
            call.feed(input, &mut self.props, &mut self.checkers);
        }
    }

    pub(crate) fn feed_id(&mut self, call: CallId, input: Input) {
        if let Some(number) = self.calls.number_of(call) {
            self.feed(number, input);
        }
    }

    fn grant_wants(&mut self) {
        while let Some(number) = self.calls.take_touched() {
            let (wants, said) = match self.calls.get_mut(number) {
                Some(call) => (std::mem::take(&mut call.wants), std::mem::take(&mut call.said)),
                None => (Vec::new(), Vec::new()),
            };
            let id = self.calls.get(number).map(SimCall::id);
            for (command, id) in said.iter().filter_map(|command| Some((command, id?))) {
                let broken = self.centre_checkers.command(id, command, &self.centre.ledger, self.props.now);
                self.checkers.found_if(id, broken);
            }
            let busy = !wants.is_empty();
            for want in wants {
                match want {
                    Want::Start { run, agency, entry } => self.start_script(number, run, &agency, &entry),
                    Want::End { run, reason } => self.end_script((number, run), reason),
                    Want::Stop { run } => self.tasks.stop((number, run)),
                }
            }
            self.calls.untouched(number, busy);
            if let Some(id) = id
                && self.calls.look_at(number)
            {
                self.checkers.over(id);
            }
        }
    }

    fn end_script(&mut self, task: TaskId, reason: EndReason) {
        match self.tasks.control(task) {
            Some(control) => control.end(reason),
            None => self.props.at(self.props.now + GRACE, Event::Stops(task)),
        }
    }

    pub(crate) fn info(&self, number: usize, agency: &Agency, entry: &Entry) -> CallInfo {
        let Some(machine) = self.calls.get(number).map(|call| &call.machine) else { return nobody(agency, entry) };
        let incoming = machine.incoming();
        let answered_by = match machine.answered_by() {
            CalleeIs::Unknown => AnsweredBy::Unknown,
            CalleeIs::Human => AnsweredBy::Human,
            CalleeIs::Machine => AnsweredBy::Machine,
            CalleeIs::Fax => AnsweredBy::Fax,
        };
        CallInfo {
            id: machine.id(),
            direction: if machine.campaign().is_some() { Direction::Outbound } else { Direction::Inbound },
            caller: incoming.caller.clone(),
            called: incoming.called.clone(),
            diversion: incoming.diversion.clone(),
            lang: Arc::clone(machine.lang()),
            agency: agency.clone(),
            entry: entry.clone(),
            answered_by,
            headers: Vec::new(),
        }
    }
}

/// Somebody is still owed a call, or a decision about one.
fn is_open(callback: &Callback, now: Timestamp) -> bool {
    /// After its due time a callback goes on being tried, while there is anybody who could; the world need not.
    const WATCHED_FOR: Duration = Duration::from_hours(1);
    match callback.state {
        CallbackState::Claimed => true,
        CallbackState::Waiting { .. } => now <= callback.due + WATCHED_FOR,
        _ => false,
    }
}

/// Of a call that is over already.
fn nobody(agency: &Agency, entry: &Entry) -> CallInfo {
    CallInfo {
        id: CallId::from_random(0),
        direction: Direction::Inbound,
        caller: None,
        called: PhoneNumber::new(""),
        diversion: None,
        lang: Arc::from("ru-RU"),
        agency: agency.clone(),
        entry: entry.clone(),
        answered_by: AnsweredBy::Unknown,
        headers: Vec::new(),
    }
}
