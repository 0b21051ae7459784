//! The world at work: one loop over events, deadlines and scripts, on one thread and in one order.

use crate::call::{Happening, SimCall, Want};
use crate::caller::Caller;
use crate::checkers::Checkers;
use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::operator::Operator;
use crate::report::{BundleRun, Line, Report};
use crate::script::{ScriptCall, SimScript};
use crate::tasks::{PortRequest, Seen, SharedDesk, SimPort, TaskId, Tasks};
use crate::trouble::Trouble;
use gudok_core::call::Purpose;
use gudok_core::call::{CallLimits, CallStart, Input, ScriptRun};
use gudok_core::ids::{Agency, CallId, Entry, ScriptVersion, Trunk};
use gudok_core::leg::{DialTarget, IncomingCall};
use gudok_core::privacy::PhoneNumber;
use gudok_core::records::{LegRecord, Mode};
use gudok_core::routing::{Route, Routes};
use gudok_core::script::{CallError, EndReason, LandingCause, Request, ScriptEnd, TransferTarget};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::ports::{AnsweredBy, CallInfo, CallPort, Direction, Ports};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Times that scripts may be polled without the world's clock moving: one that never waits is a fault.
const POLLS_AT_ONE_MOMENT_MAX: u32 = 100_000;
/// Events of one run.
const EVENTS_MAX: u32 = 1_000_000;
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
}

/// What calls share, without the calls.
pub(crate) struct Props {
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) trouble: Trouble,
    pub(crate) records: Vec<LegRecord>,
    pub(crate) operators: BTreeMap<String, Operator>,
    pub(crate) recordings: BTreeMap<String, Duration>,
    pub(crate) routes: Arc<Routes>,
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
        self.lines.push(Line { at: self.now, call, text });
    }

    pub(crate) fn trace(&mut self, call: usize, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.trace, "{:?} #{} {text}", self.now, call + 1);
    }

    /// An operator's name, an extension, or a masked number.
    pub(crate) fn name_of(&self, target: &DialTarget) -> String {
        let operators = self.routes.groups.values().flat_map(|group| &group.operators);
        let operator = operators.into_iter().find(|operator| operator.target == *target);
        let extension = || self.routes.extensions.iter().find(|(_, known)| *known == target).map(|(name, _)| name);
        let name = operator.map(|operator| &operator.name).or_else(extension);
        name.map_or_else(|| target.address.masked(), ToString::to_string)
    }

    /// How somebody behaves: as told, else by answering.
    pub(crate) fn operator(&self, name: &str) -> Operator {
        self.operators.get(name).cloned().unwrap_or_else(Operator::answers)
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
    calls: Vec<SimCall>,
    scripts: BTreeMap<(Agency, Entry), Scripted>,
    limits: CallLimits,
    tasks: Tasks,
    checkers: Checkers,
    desk: SharedDesk,
    clock: VirtualClock,
    ports: Arc<Ports>,
    missing: Vec<String>,
}

/// With what a stage is set.
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) now: Timestamp,
    pub(crate) dice: Dice,
    pub(crate) trouble: Trouble,
    pub(crate) operators: BTreeMap<String, Operator>,
    pub(crate) recordings: BTreeMap<String, Duration>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) limits: CallLimits,
    pub(crate) scripts: BTreeMap<(Agency, Entry), Scripted>,
    pub(crate) deployments: Vec<(Duration, Agency, Entry, Scripted)>,
    pub(crate) drains: Vec<Duration>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) desk: SharedDesk,
    pub(crate) clock: VirtualClock,
    pub(crate) ports: Ports,
}

impl Stage {
    pub(crate) fn new(setting: Setting) -> Self {
        let mut props = Props {
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
        for after in setting.drains {
            props.at(setting.now + after, Event::Drains);
        }
        for caller in setting.callers {
            props.at(setting.now + caller.comes_after, Event::Comes(Box::new(caller)));
        }
        Self {
            seed: setting.seed,
            props,
            calls: Vec::new(),
            scripts: setting.scripts,
            limits: setting.limits,
            tasks: Tasks::new(),
            checkers: Checkers::default(),
            desk: setting.desk,
            clock: setting.clock,
            ports: Arc::new(setting.ports),
            missing: Vec::new(),
        }
    }

    /// Until every call is over, or a promise is broken.
    pub(crate) fn run(mut self) -> Report {
        for _ in 0..EVENTS_MAX {
            self.settle();
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
        Report {
            seed: self.seed,
            lines: self.props.lines,
            records: self.props.records,
            log,
            runs,
            missing: self.missing,
            trace: self.props.trace,
            broken: self.checkers.broken().to_vec(),
            steps: self.calls.iter().map(|call| call.steps).max().unwrap_or(0),
            ended: self.props.now,
        }
    }

    fn is_done(&self) -> bool {
        let to_come = self.props.events.values().any(|event| matches!(event, Event::Comes(_)));
        !to_come && self.calls.iter().all(SimCall::is_over)
    }

    fn next(&self) -> Option<Timestamp> {
        let event = self.props.events.keys().next().map(|(at, _)| *at);
        let deadline = self.calls.iter().filter_map(|call| call.machine.deadline()).min();
        [event, deadline, self.clock.next()].into_iter().flatten().min()
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
        for call in &mut self.calls {
            if call.machine.deadline().is_some_and(|deadline| deadline <= self.props.now) {
                call.timeout(&mut self.props, &mut self.checkers);
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Comes(caller) => self.comes(*caller),
            Event::Deploys(agency, entry, script) => drop(self.scripts.insert((agency, entry), script)),
            Event::Drains => {
                for call in self.calls.iter_mut().filter(|call| !call.is_over()) {
                    call.feed(Input::Land(LandingCause::Drained), &mut self.props, &mut self.checkers);
                }
            }
            Event::To(call, happening) => {
                if let Some(call) = self.calls.get_mut(call) {
                    call.happens(happening, &mut self.props, &mut self.checkers);
                }
            }
            Event::Stops(task) => self.tasks.stop(task),
        }
    }

    fn comes(&mut self, caller: Caller) {
        let number = self.calls.len();
        let Some(route) = self.props.routes.route(&caller.dials).cloned() else {
            self.props.line(number, "host rejects (404)".into());
            return;
        };
        let start = self.start_of(&caller, route);
        let call = SimCall::new(number, caller, start, &mut self.props, &mut self.checkers);
        self.calls.push(call);
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
                chain: None,
                wants_transcript: true,
            },
            overlay: routes.overlay(&caller.dials, &route, self.props.now).cloned(),
            purpose: Purpose::Script,
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
            } else {
                self.tasks.work_beside();
                if self.tasks.ready().is_none() {
                    return;
                }
            }
        }
        if let Some(call) = self.calls.first() {
            self.checkers.found(call.id(), "a script asks and asks, and never waits".into());
        }
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

    fn grant_wants(&mut self) {
        for number in 0..self.calls.len() {
            for want in std::mem::take(&mut self.calls[number].wants) {
                match want {
                    Want::Start { run, agency, entry } => self.start_script(number, run, &agency, &entry),
                    Want::End { run, reason } => self.end_script((number, run), reason),
                    Want::Stop { run } => self.tasks.stop((number, run)),
                }
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
                let work = script.run(ScriptCall { port, info });
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
        let machine = &self.calls[number].machine;
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
