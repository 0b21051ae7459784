//! The first callers of a version that is about to go live: scripted ones, in the simulator. A campaign's script has its
//! first contacts instead (`campaign`).
//!
//! Callers who say nothing, press each first key, press nonsense, hang up at once, and meet back ends that fail. Whoever is
//! served is served as in life: the machine, the host and the compiled script are the product's own; time is virtual, CPU
//! is bounded, and no socket is opened. What is looked for is what no caller may meet: a script that the host has to stop,
//! one that returns an error or returns without having served, one that never lets go of its caller.
//!
//! Deliberately not here: whether what is said is right. That is the author's test.

pub(crate) mod campaign;

use crate::back_end::BackEnd;
use crate::callee::Callee;
use crate::caller::Caller;
use crate::decide::routes_of;
use crate::report::{BundleRun, Report};
use crate::world::World;
use gudok_core::calendar::Calendar;
use gudok_core::call::CallLimits;
use gudok_core::campaign::Disposition;
use gudok_core::ids::{Agency, Entry, Group, ScriptVersion, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Routes};
use gudok_core::script::{CallError, LandingCause, ScriptEnd};
use gudok_plugin_host::Version;
use gudok_plugin_host::manifest::{Capabilities, Kind};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What the callers dial; no number that anybody has.
const DIALLED: &str = "smoke";
/// Where a caller lands whose script failed, where no routes say otherwise.
const FALLBACK: &str = "operators";
/// What stands for every secret.
pub(crate) const SECRET: &str = "not-a-secret";
/// Of a call that went wrong: its last lines, up to there.
const LINES_TOLD_MAX: usize = 8;
/// Who has no number to be called at.
const WITHHELD: &str = "silence, number withheld";
const KEYS: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"];

/// With what a smoke run goes.
#[derive(Clone, Debug)]
pub struct SmokeSettings {
    /// The engine's own routes, so that a group that nobody configured is found before a caller is sent there. Without them
    /// everything that the manifest names is there.
    pub routes: Option<Routes>,
    /// Everything that is left to chance comes from it.
    pub seed: u64,
    /// A caller who is still the script's after so long (in the world's time) is kept for ever.
    pub call_duration_max: Duration,
    /// Real CPU of all callers together.
    pub cpu_max: Duration,
    /// Callers beyond this do not call.
    pub callers_max: usize,
    /// So many callers with a fault are enough to know.
    pub faults_max: usize,
}

impl Default for SmokeSettings {
    fn default() -> Self {
        Self {
            routes: None,
            seed: 1,
            call_duration_max: Duration::from_mins(30),
            cpu_max: Duration::from_secs(20),
            callers_max: 250,
            faults_max: 8,
        }
    }
}

/// How a smoke run went.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SmokeReport {
    /// Who called; of a campaign's script, in how many ways its contacts took the call. None where it dialled nobody.
    pub callers: usize,
    /// What no caller may meet; each problem once, with the first caller who met it.
    pub faults: Vec<SmokeFault>,
    /// Real CPU of all scripts together.
    pub cpu: Duration,
}

/// What no caller may meet.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{keys}: {problem}")]
pub struct SmokeFault {
    /// What the caller did: "silence", "1", "1 12345678 4321, back end: never answers".
    pub keys: String,
    /// What is wrong with how the call went.
    pub problem: String,
    /// How the call went until then: its last lines.
    pub told: Vec<String>,
    /// What the script told its author in that call, steps included: the last lines.
    pub log: Vec<String>,
}

impl SmokeFault {
    /// The step that the script named last.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.log.iter().rev().find_map(|line| line.strip_prefix("Step ")?.split_once(' ')).map(|(_, step)| step)
    }

    /// What a Rust script said as it panicked, and where: file, line, column.
    #[must_use]
    pub fn panic(&self) -> Option<(String, (&str, usize, usize))> {
        let line = self.log.iter().rev().find(|line| line.contains(" panicked at "))?;
        let (_, rest) = line.split_once(" panicked at ")?;
        let (place, message) = rest.split_once(":\n").unwrap_or((rest, ""));
        let mut parts = place.rsplitn(3, ':');
        let (column, row, file) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        Some((message.trim().to_owned(), (file, row, column)))
    }
}

/// How back ends behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BackEnds {
    Unreachable,
    NeverAnswer,
    Fail,
    TalkNonsense,
}

struct Smoker {
    keys: String,
    caller: Caller,
    /// Of a campaign: who takes the call, and of which row of the list alone.
    takes: Option<(Callee, Option<usize>)>,
    back_ends: BackEnds,
    /// Hangs up, and is served nothing by that.
    leaves: bool,
    /// Beyond the first keys: tried as long as half of the CPU is left.
    extra: bool,
}

/// Lets the first callers of a version call, one after another, on this thread. Not from within a tokio runtime: use a
/// thread that may block.
#[must_use]
pub fn run(version: &Arc<Version>, agency: &Agency, entry: &Entry, settings: &SmokeSettings) -> SmokeReport {
    if version.kind() == Kind::Campaign {
        return campaign::run(version, agency, entry, settings);
    }
    let capabilities = &version.manifest.capabilities;
    let smokers = smokers(|| Caller::dials(DIALLED), capabilities.fetch.is_some());
    let (mut report, judge) = smoke(version, agency, settings, smokers, |routes, smoker| {
        world(version, (agency, entry), routes, smoker, settings)
            .number(DIALLED, agency.as_str(), entry.as_str())
            .caller(smoker.caller.clone())
    });
    if report.faults.is_empty() && report.callers > 0 && !judge.served {
        let problem = "the script sends every caller on as no-service, and serves nobody".into();
        report.faults.push(SmokeFault { keys: "all of them".into(), problem, told: Vec::new(), log: Vec::new() });
    }
    report
}

/// Lets one after another go through a world of his own.
fn smoke<'a>(
    version: &'a Version,
    agency: &Agency,
    settings: &'a SmokeSettings,
    smokers: Vec<Smoker>,
    world: impl Fn(&Routes, &Smoker) -> World,
) -> (SmokeReport, Judge<'a>) {
    let mut report = SmokeReport::default();
    let capabilities = &version.manifest.capabilities;
    let routes = settings.routes.clone().unwrap_or_else(|| routes_of(capabilities, agency));
    let routes = Routes { overlays: Vec::new(), ..routes };
    let mut judge = Judge {
        id: &version.id,
        fetches: capabilities.fetch.is_some(),
        settings,
        ran: false,
        served: false,
        asked: false,
    };
    let mut faulty = 0;
    for smoker in smokers.into_iter().take(settings.callers_max) {
        let enough = smoker.extra && (!judge.asked || report.cpu > settings.cpu_max / 2);
        if enough || faulty >= settings.faults_max {
            break;
        }
        if report.cpu > settings.cpu_max {
            if faulty > 0 {
                break;
            }
            let callers = report.callers;
            let problem = format!("{callers} callers took {:?} of CPU; allowed are {:?}", report.cpu, settings.cpu_max);
            report.faults.push(SmokeFault { keys: "all of them".into(), problem, told: Vec::new(), log: Vec::new() });
            break;
        }
        let went = world(&routes, &smoker).run();
        report.callers += 1;
        report.cpu += went.runs.iter().map(|run| run.cpu).sum();
        let Some(problem) = judge.problem(&smoker, &went) else { continue };
        faulty += 1;
        if report.faults.iter().all(|known| known.problem != problem) {
            report.faults.push(SmokeFault {
                keys: smoker.keys,
                problem,
                told: last_lines(&went),
                log: last_of(went.log),
            });
        }
    }
    (report, judge)
}

/// What is the same for whoever comes.
fn world(
    version: &Arc<Version>,
    (agency, entry): (&Agency, &Entry),
    routes: &Routes,
    smoker: &Smoker,
    settings: &SmokeSettings,
) -> World {
    let limits = CallLimits { call_duration_max: settings.call_duration_max, ..CallLimits::default() };
    let mut world = World::new(settings.seed).routes(routes.clone()).limits(limits).bundle(
        agency.as_str(),
        entry.as_str(),
        Arc::clone(version),
    );
    for name in version.manifest.capabilities.secrets.iter().flat_map(|secrets| &secrets.names) {
        world = world.secret(agency.as_str(), name, SECRET);
    }
    match smoker.back_ends {
        BackEnds::Unreachable => world,
        BackEnds::NeverAnswer => world.every_back_end(BackEnd::hangs()),
        BackEnds::Fail => world.every_back_end(BackEnd::always(500, "")),
        BackEnds::TalkNonsense => world.every_back_end(BackEnd::always(200, "{\"\u{0}]")),
    }
}

/// Who calls, or is called, the most telling first.
fn smokers(caller: impl Fn() -> Caller, fetches: bool) -> Vec<Smoker> {
    let new = |keys: &str, caller| Smoker {
        keys: keys.into(),
        caller,
        takes: None,
        back_ends: BackEnds::Unreachable,
        leaves: false,
        extra: false,
    };
    let leaving = |keys: &str, caller: Caller| Smoker { leaves: true, ..new(keys, caller.hangs_up()) };
    let pressing = |rows: &[&str]| rows.iter().fold(caller(), |caller, row| caller.presses(row));
    let mut smokers =
        vec![new("silence", caller()), leaving("hangs up at once", caller()), new(WITHHELD, caller().anonymous())];
    smokers.extend(KEYS.map(|key| new(key, pressing(&[key]))));
    let nonsense: [&[&str]; 3] = [&["D"; 6], &["99999999999999999999"; 6], &["*#*#"; 6]];
    smokers.extend(nonsense.map(|rows| new(&rows.join(" "), pressing(rows))));
    smokers.push(new("types ahead 12345678901234567890", caller().types_ahead("12345678901234567890")));
    smokers.extend(KEYS.map(|key| leaving(&format!("{key}, then hangs up"), pressing(&[key]))));
    if fetches {
        let kinds = [
            (BackEnds::Unreachable, "is not there"),
            (BackEnds::NeverAnswer, "never answers"),
            (BackEnds::Fail, "answers 500"),
            (BackEnds::TalkNonsense, "answers nonsense"),
        ];
        for (back_ends, what) in kinds {
            smokers.extend(KEYS.map(|key| {
                let rows = [key, "12345678", "4321", "1", "1", "#"];
                Smoker { back_ends, ..new(&format!("{}, back end: {what}", rows.join(" ")), pressing(&rows)) }
            }));
        }
    }
    for first in KEYS {
        smokers.extend(
            KEYS.map(|second| Smoker { extra: true, ..new(&format!("{first} {second}"), pressing(&[first, second])) }),
        );
    }
    smokers
}

struct Judge<'a> {
    id: &'a ScriptVersion,
    fetches: bool,
    settings: &'a SmokeSettings,
    /// It ran at all: a campaign's script may skip everybody.
    ran: bool,
    /// Somebody got something.
    served: bool,
    /// Somebody was asked for a key.
    asked: bool,
}

impl Judge<'_> {
    fn problem(&mut self, smoker: &Smoker, went: &Report) -> Option<String> {
        if let Some(broken) = went.broken.first() {
            return Some(broken.what.clone());
        }
        let own = || went.runs.iter().filter(|run| run.version == *self.id);
        if let Some(problem) = own().find_map(|run| self.bad_end(run, went)) {
            return Some(problem);
        }
        if let Some(what) = went.missing.first() {
            return Some(format!("the script hands its caller to who is not there: {what}"));
        }
        let kept = |limit: Duration| went.records.iter().any(|leg| leg.ended.since(leg.started) >= limit);
        if kept(self.settings.call_duration_max) {
            let minutes = self.settings.call_duration_max.as_secs() / 60;
            return Some(format!("the script still had its caller after {minutes} minutes"));
        }
        if let Some(problem) = campaign::not_prepared(went) {
            return Some(problem);
        }
        let no_service = |run: &BundleRun| matches!(&run.end, ScriptEnd::Returned(end) if &*end.code == "no-service");
        let ran = own().next().is_some();
        let not_informed =
            |run: &BundleRun| matches!(run.end, ScriptEnd::Informed(Disposition::Failed(_)) | ScriptEnd::Failed(_));
        let told_nobody = smoker.takes.is_some() && own().all(not_informed);
        self.ran |= ran;
        self.served |= ran && !told_nobody && !own().any(no_service) && !smoker.leaves;
        self.asked |= went.lines.iter().any(|line| line.text.starts_with("caller: "));
        None
    }

    fn bad_end(&self, run: &BundleRun, went: &Report) -> Option<String> {
        match &run.end {
            ScriptEnd::Stopped(cause) => {
                let why = run.fault.as_deref().unwrap_or("without a word");
                Some(format!("the script was stopped ({}): {why}", cause.as_str()))
            }
            // The caller has left; or an answer that a back end owes, which the landing makes good.
            ScriptEnd::Failed(CallError::Ended(_)) | ScriptEnd::Informed(_) => None,
            ScriptEnd::Failed(CallError::Unavailable(_) | CallError::Timeout) if self.fetches => None,
            ScriptEnd::Failed(error) => Some(format!("the script returned an error: {error}")),
            ScriptEnd::Returned(end) if &*end.code == "no-service" => None,
            ScriptEnd::Returned(end) => {
                let abandoned = went.records.iter().any(|leg| leg.landing == Some(LandingCause::Abandoned));
                abandoned.then(|| format!("the script returned {:?} without having served its caller", end.code))
            }
        }
    }
}

/// A world in which everything is there that the manifest names, but the queues: [`routes_of`] has those, too.
pub(crate) fn routes_for(capabilities: &Capabilities, agency: &Agency) -> Routes {
    let at = |user: &str| DialTarget { trunk: None, address: PhoneNumber::new(user) };
    let calendar = Arc::new(Calendar::always_open(TimeZone::UTC));
    let group = |operators: &[String]| GroupRoute {
        operators: operators.iter().map(|name| OperatorRoute { name: Arc::from(&**name), target: at(name) }).collect(),
        calendar: Arc::clone(&calendar),
    };
    let transfer = capabilities.transfer.clone().unwrap_or_default();
    let mut groups = BTreeMap::from([(Group::new(FALLBACK), group(&["operator".into()]))]);
    for name in &transfer.groups {
        groups.insert(Group::new(name), group(&[format!("{name}-operator")]));
    }
    groups.entry(Group::new("named")).or_insert_with(|| group(&transfer.operators));
    let elsewhere = |name: &String| (Arc::from(&**name), (Agency::new("elsewhere"), Entry::new(name)));
    let own = AgencyRoutes {
        fallback: Group::new(FALLBACK),
        reachable: transfer.scripts.iter().map(elsewhere).collect(),
        outbound: Some(Trunk::new("simulator")),
        queue: None,
        information: None,
    };
    Routes {
        plan: NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into()],
            national_len: 10,
        },
        numbers: HashMap::new(),
        agencies: BTreeMap::from([(agency.clone(), own)]),
        groups,
        extensions: transfer.extensions.iter().map(|name| (Arc::from(&**name), at(name))).collect(),
        overlays: Vec::new(),
        centre: Arc::default(),
    }
}

/// The last lines of a script's log.
fn last_of(mut log: Vec<String>) -> Vec<String> {
    log.split_off(log.len().saturating_sub(LINES_TOLD_MAX))
}

/// Up to where the script failed: how its caller was landed then is not its author's business.
fn last_lines(went: &Report) -> Vec<String> {
    let failed = went.lines.iter().position(|line| line.text.starts_with("script: "));
    let end = failed.map_or(went.lines.len(), |place| place + 1);
    let lines = &went.lines[end.saturating_sub(LINES_TOLD_MAX)..end];
    lines.iter().map(|line| line.text.clone()).collect()
}
