//! The world at work: one loop over events, deadlines and scripts, on one thread and in one order.

use crate::call::{Happening, SimCall, Want};
use crate::caller::Caller;
use crate::centre::{SimCentre, ToCentre};
use crate::centre_checkers::CentreCheckers;
use crate::checkers::Checkers;
use crate::clock::VirtualClock;
use crate::crowd::Crowd;
use crate::dice::Dice;
use crate::operator::Operator as Behaviour;
use crate::post::{Answer, Post};
use crate::report::{BundleRun, Line, Report};
use crate::script::{ScriptCall, SimScript};
use crate::tasks::{PortRequest, Seen, SharedDesk, SimPort, TaskId, Tasks};
use crate::trouble::Trouble;
use gudok_core::call::{CallLimits, CallStart, Input, Purpose, ScriptRun};
use gudok_core::centre::{Callback, CallbackStart, CallbackState, CentreCommand, OperatorOrder};
use gudok_core::ids::{Agency, CallId, CallbackId, Entry, Operator, ScriptVersion, Trunk};
use gudok_core::leg::{DialTarget, IncomingCall};
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::{LegRecord, Mode};
use gudok_core::routing::{Overlay, Route, Routes};
use gudok_core::script::{CallError, EndReason, LandingCause, Request, ScriptEnd, TransferTarget};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::ports::{AnsweredBy, CallInfo, CallPort, Direction, Ports};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

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
enum Event {
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
    /// An agency's answer to a delivery, in that life of the engine.
    Answers(u32, Answer),
}

/// What calls share, without the calls.
pub(crate) struct Props {
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) trouble: Trouble,
    pub(crate) records: Vec<LegRecord>,
    pub(crate) operators: BTreeMap<String, Behaviour>,
    pub(crate) recordings: BTreeMap<String, Duration>,
    pub(crate) routes: Arc<Routes>,
    /// What calls have for the centre, in order.
    pub(crate) to_centre: VecDeque<ToCentre>,
    /// Telephones of operators that are gone from the net.
    pub(crate) unreachable: BTreeSet<Operator>,
    /// No transcript and no trace: for worlds of very many calls.
    pub(crate) quiet: bool,
    events: BTreeMap<(Timestamp, u64), Event>,
    next_event: u64,
    lines: Vec<Line>,
    trace: String,
}

impl Props {
    /// Something happens to a call after a while.
    pub(crate) fn plan(&mut self, after: Duration, call: usize, happening: Happening) {
        self.at(self.now + after, Event::To(call, happening));
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    pub(crate) fn line(&mut self, call: usize, text: String) {
        if self.quiet {
            return;
        }
        self.lines.push(Line { at: self.now, call, text });
    }

    pub(crate) fn trace(&mut self, call: usize, text: std::fmt::Arguments<'_>) {
        if self.quiet {
            return;
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.trace, "{:?} #{} {text}", self.now, call + 1);
    }

    /// An operator's name, an extension, or a masked number.
    pub(crate) fn name_of(&self, target: &DialTarget) -> String {
        let operators = self.routes.groups.values().flat_map(|group| &group.operators);
        let operator = operators.into_iter().find(|operator| operator.target == *target);
        let extension = || self.routes.extensions.iter().find(|(_, known)| *known == target).map(|(name, _)| name);
        let name = operator.map(|operator| &operator.name).or_else(extension);
        let centre = &self.routes.centre;
        let of_queue = || {
            let operator = centre.operators.values().find(|operator| operator.target == *target);
            operator.map(|operator| operator.name.to_string())
        };
        let peer = || centre.peers.values().find(|peer| peer.target == *target).map(|peer| peer.name.to_string());
        name.map(ToString::to_string).or_else(of_queue).or_else(peer).unwrap_or_else(|| target.address.masked())
    }

    /// How somebody behaves: as told, else by answering.
    pub(crate) fn operator(&mut self, name: &str) -> Behaviour {
        if self.unreachable.iter().any(|gone| gone.as_str() == name) {
            return Behaviour::rejects(480);
        }
        let behaviour = self.operators.get(name).cloned().unwrap_or_else(Behaviour::answers);
        behaviour.as_it_happens(&mut self.dice)
    }

    pub(crate) fn recording(&self, name: &str) -> Duration {
        const UNKNOWN: Duration = Duration::from_secs(2);
        self.recordings.get(name).copied().unwrap_or(UNKNOWN)
    }
}

/// A world at work.
pub(crate) struct Stage {
    pub(crate) seed: u64,
    props: Props,
    calls: Crowd,
    pub(crate) centre: SimCentre,
    pub(crate) centre_checkers: CentreCheckers,
    /// Writings come to their end in their order.
    last_saved: Timestamp,
    callbacks: Vec<CallbackId>,
    escalated: u32,
    lost: u32,
    scripts: BTreeMap<(Agency, Entry), Scripted>,
    limits: CallLimits,
    tasks: Tasks,
    checkers: Checkers,
    desk: SharedDesk,
    post: Arc<Mutex<Post>>,
    clock: VirtualClock,
    ports: Arc<Ports>,
    missing: Vec<String>,
    callees: BTreeMap<String, Caller>,
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
    pub(crate) desk: SharedDesk,
    pub(crate) post: Arc<Mutex<Post>>,
    pub(crate) clock: VirtualClock,
    pub(crate) ports: Ports,
}

impl Stage {
    pub(crate) fn new(mut setting: Setting) -> Self {
        let settings = Arc::clone(&setting.routes.centre);
        let mut centre = SimCentre::new(Arc::clone(&settings), setting.dice.split(), setting.now);
        if setting.logged_in {
            centre.everybody_logs_in(setting.now);
        }
        let mut props = Props {
            to_centre: VecDeque::new(),
            unreachable: BTreeSet::new(),
            quiet: setting.quiet,
            now: setting.now,
            dice: setting.dice,
            trouble: setting.trouble,
            records: Vec::new(),
            operators: setting.operators,
            recordings: setting.recordings,
            routes: setting.routes,
            events: BTreeMap::new(),
            next_event: 0,
            lines: Vec::new(),
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
        for caller in setting.callers {
            props.at(setting.now + caller.comes_after, Event::Comes(Box::new(caller)));
        }
        Self {
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
            tasks: Tasks::new(),
            checkers: Checkers::default(),
            desk: setting.desk,
            post: setting.post,
            clock: setting.clock,
            ports: Arc::new(setting.ports),
            missing: Vec::new(),
            callees: setting.callees,
        }
    }

    /// Until every call is over, or a promise is broken.
    pub(crate) fn run(mut self) -> Report {
        let events_max = if self.props.quiet { EVENTS_QUIET_MAX } else { EVENTS_MAX };
        for _ in 0..events_max {
            self.settle();
            self.look_at_centre();
            if !self.checkers.broken().is_empty() || self.is_done() {
                break;
            }
            let Some(at) = self.next() else { break };
            self.advance(at);
        }
        if self.checkers.broken().is_empty() {
            self.checkers.finish();
        }
        let (log, runs) = {
            let mut desk = self.desk.lock();
            (std::mem::take(&mut desk.log), std::mem::take(&mut desk.runs))
        };
        let (tickets, surveys) = {
            let post = self.post.lock();
            (post.tickets(), post.surveys())
        };
        Report {
            seed: self.seed,
            lines: self.props.lines,
            records: self.props.records,
            log,
            runs,
            missing: self.missing,
            trace: self.props.trace,
            broken: self.checkers.broken().to_vec(),
            steps: self.calls.steps_max(),
            ended: self.props.now,
            callbacks: self.centre.ledger.values().cloned().collect(),
            connected_callbacks: self.centre_checkers.connected(),
            escalated: self.escalated,
            lost: self.lost,
            tickets,
            surveys,
        }
    }

    /// Nobody calls, nobody is to come, and nobody is owed a call.
    fn is_done(&self) -> bool {
        if !self.calls.is_empty() {
            return false;
        }
        let to_come =
            self.props.events.values().any(|event| matches!(event, Event::Comes(_) | Event::Lives | Event::Saved(_)));
        let now = self.props.now;
        let owed = || self.centre.machine().is_some_and(|machine| machine.callbacks().any(|one| is_open(one, now)));
        !to_come && !owed() && self.post.lock().open() == 0
    }

    fn next(&self) -> Option<Timestamp> {
        let event = self.props.events.keys().next().map(|(at, _)| *at);
        let post = self.post.lock().deadline();
        [event, self.calls.next_deadline(), self.clock.next(), self.centre.deadline(), post].into_iter().flatten().min()
    }

    /// Goes on to the next moment and lets one thing happen: an event first, else deadlines.
    fn advance(&mut self, at: Timestamp) {
        self.props.now = self.props.now.max(at);
        self.clock.advance(self.props.now);
        let due = self.props.events.first_key_value().is_some_and(|((at, _), _)| *at <= self.props.now);
        if due {
            if let Some((_, event)) = self.props.events.pop_first() {
                self.happens(event);
            }
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
                self.post.lock().restarts(self.props.now);
            }
            Event::Announces(overlay) => {
                let mut routes = Routes::clone(&self.props.routes);
                routes.overlays.push(*overlay);
                self.props.routes = Arc::new(routes);
            }
            Event::Answers(life, answer) => {
                if life == self.centre.life {
                    self.post.lock().answered(answer, self.props.now);
                }
            }
        }
    }

    /// The engine is killed: every call is cut off, and what was not durable is forgotten.
    fn dies(&mut self, down: Duration) {
        self.props.line(0, "(the engine is killed)".into());
        for number in self.calls.live() {
            let Some(call) = self.calls.get_mut(number) else { continue };
            let id = call.id();
            let runs = call.runs();
            for run in runs {
                self.tasks.stop((number, run));
            }
            self.checkers.lost(id);
            self.centre_checkers.call_lost(id);
            self.calls.lose(number);
            self.lost += 1;
        }
        self.desk.lock().requests.clear();
        self.props.to_centre.clear();
        self.centre.goes_down();
        self.props.at(self.props.now + down, Event::Lives);
    }

    /// What calls have for the centre, and what the centre has for them. True where there was any of it.
    fn exchange(&mut self) -> bool {
        let mut any = false;
        while let Some(told) = self.props.to_centre.pop_front() {
            any = true;
            self.centre.hear(told, self.props.now);
        }
        while let Some(command) = self.centre.poll_command() {
            any = true;
            self.carry_out(command);
        }
        if self.centre.machine().is_some() {
            let answers = self.post.lock().drain(self.props.now);
            for answer in answers {
                self.props.at(self.props.now + answer.after, Event::Answers(self.centre.life, answer));
            }
        }
        any
    }

    fn carry_out(&mut self, command: CentreCommand) {
        match command {
            CentreCommand::Notice(call, notice) => {
                self.centre_checkers.notice(call, &notice);
                self.feed_id(call, Input::Queue(notice));
            }
            CentreCommand::Save { save, callback } => {
                let after = self.centre.save(save, callback, &self.props.trouble);
                self.last_saved = self.last_saved.max(self.props.now + after);
                self.props.at(self.last_saved, Event::Saved(self.centre.life));
            }
            CentreCommand::Booked { call, result } => {
                if let Ok(receipt) = &result {
                    let broken = self.centre_checkers.promised(&receipt.id, receipt.due, &self.centre.ledger);
                    self.checkers.found_if(call, broken);
                    self.callbacks.push(receipt.id.clone());
                }
                self.feed_id(call, Input::CallbackBooked(result));
            }
            CentreCommand::Claimed { call, granted } => self.feed_id(call, Input::CallbackClaimed(granted)),
            CentreCommand::Start(start) => self.calls_back(*start),
            CentreCommand::Escalated(_) => self.escalated += 1,
            CentreCommand::OperatorChanged(_) | CentreCommand::QueueChanged(_) | CentreCommand::CallbackChanged(_) => {}
        }
    }

    /// Somebody is called back.
    fn calls_back(&mut self, start: CallbackStart) {
        let number = self.calls.next_number();
        let name = start.wish.number.masked();
        let caller = self.callees.get(&name).cloned().unwrap_or_else(|| Caller::dials(""));
        let call_start = CallStart {
            id: start.call,
            incoming: IncomingCall {
                trunk: start.target.trunk.clone().unwrap_or_else(|| Trunk::new("simulator")),
                caller: start.shown.clone(),
                called: start.wish.number.clone(),
                diversion: None,
                headers: Vec::new(),
                chain: None,
                wants_transcript: true,
            },
            overlay: None,
            agency: start.wish.agency.clone(),
            entry: Entry::new("callback"),
            lang: start.wish.lang.clone(),
            mode: Mode::Attended,
            limits: self.limits,
            routes: Arc::clone(&self.props.routes),
            purpose: Purpose::Callback(Box::new(start)),
        };
        self.centre_checkers.call_began(call_start.id, &call_start.purpose);
        let call = SimCall::new(number, caller, call_start, &mut self.props, &mut self.checkers);
        self.calls.add(call);
    }

    /// What the calls have said of the centre, and what is due.
    fn look_at_centre(&mut self) {
        if let Some(machine) = self.centre.machine()
            && let Some((call, broken)) = self.centre_checkers.look(machine, &self.centre.ledger, self.props.now)
        {
            self.checkers.found(call.unwrap_or(CallId::from_random(0)), broken);
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
            } else if self.exchange() {
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
        let Some(call) = self.calls.get_mut(call).filter(|call| !call.is_over()) else {
            slot.answer(Err(CallError::Ended(EndReason::Moved)));
            return;
        };
        let wants_key = matches!(request, Request::NextKey { .. });
        // Scripts come and go by deployments; people and telephones are there or are not.
        let to_people =
            matches!(&request, Request::Transfer { target, .. } if !matches!(target, TransferTarget::Script(_)));
        let answer = to_people.then(|| Arc::clone(&slot));
        call.asks(run, slot);
        if wants_key {
            call.key_is_wanted();
        }
        call.feed(Input::ScriptRequest { run, request }, &mut self.props, &mut self.checkers);
        self.missing.extend(answer.and_then(|answer| answer.not_found()));
    }

    fn poll(&mut self, id @ (call, run): TaskId) {
        let by = self.calls.get(call).map(|call| (call.id(), run));
        self.desk.lock().current = by;
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
        if let Some(end) = end {
            self.feed(call, Input::ScriptEnded { run, end });
        }
    }

    fn feed(&mut self, call: usize, input: Input) {
        if let Some(call) = self.calls.get_mut(call) {
            call.feed(input, &mut self.props, &mut self.checkers);
        }
    }

    fn feed_id(&mut self, call: CallId, input: Input) {
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

    fn start_script(&mut self, number: usize, run: ScriptRun, agency: &Agency, entry: &Entry) {
        let Some(script) = self.scripts.get(&(agency.clone(), entry.clone())).cloned() else {
            self.feed(number, Input::ScriptEnded { run, end: ScriptEnd::Stopped(LandingCause::Refused) });
            return;
        };
        let port = Arc::new(SimPort { task: (number, run), desk: Arc::clone(&self.desk) });
        let info = self.info(number, agency, entry);
        let version = match script {
            Scripted::InRust { version, script } => {
                let work = script.run(ScriptCall {
                    port,
                    info,
                    version: version.clone(),
                    promises: Arc::clone(&self.ports.promises),
                });
                let future = Box::pin(async move { work.await.unwrap_or_else(ScriptEnd::Failed) });
                self.tasks.start((number, run), future, None);
                version
            }
            Scripted::Bundle(version) => self.start_bundle((number, run), version, port, info),
        };
        self.feed(number, Input::ScriptStarted { run, version });
    }

    fn start_bundle(
        &mut self,
        task: TaskId,
        version: Arc<Version>,
        call: Arc<dyn CallPort>,
        info: CallInfo,
    ) -> ScriptVersion {
        let id = version.id.clone();
        let desk = Arc::clone(&self.desk);
        let start = gudok_plugin_host::CallStart { info, call, ports: Arc::clone(&self.ports), journal: None };
        let (control, work) = gudok_plugin_host::run(version, start);
        let ran = id.clone();
        let future = Box::pin(async move {
            let report = work.await;
            let mut desk = desk.lock();
            let fault = report.fault.map(|fault| fault.message);
            desk.log.extend(fault.iter().map(|message| format!("Fault {message}")));
            let (call, run) = task;
            let cpu = Duration::from_micros(report.cpu_us);
            desk.runs.push(BundleRun { call, run, version: ran, end: report.end.clone(), fault, cpu });
            report.end
        });
        self.tasks.start(task, future, Some(control));
        id
    }

    fn end_script(&mut self, task: TaskId, reason: EndReason) {
        match self.tasks.control(task) {
            Some(control) => control.end(reason),
            None => self.props.at(self.props.now + GRACE, Event::Stops(task)),
        }
    }

    fn info(&self, number: usize, agency: &Agency, entry: &Entry) -> CallInfo {
        let Some(machine) = self.calls.get(number).map(|call| &call.machine) else { return nobody(agency, entry) };
        let incoming = machine.incoming();
        CallInfo {
            id: machine.id(),
            direction: Direction::Inbound,
            caller: incoming.caller.clone(),
            called: incoming.called.clone(),
            diversion: incoming.diversion.clone(),
            lang: Arc::clone(machine.lang()),
            agency: agency.clone(),
            entry: entry.clone(),
            answered_by: AnsweredBy::Unknown,
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
