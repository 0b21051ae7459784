//! What there is in a world, written down before it runs.

mod run;

use crate::back_end::BackEnd;
use crate::caller::Caller;
use crate::decide::SharedDecider;
use crate::informing::{CampaignPlan, Planned, SimContact};
use crate::operator::Operator;
use crate::script::{SimScript, prompt};
use crate::stage::Scripted;
use crate::storage::{Bucket, Kept};
use crate::trouble::Trouble;
use crate::words::{PlainWords, PromptWords};
use gudok_core::calendar::Calendar;
use gudok_core::call::CallLimits;
use gudok_core::campaign::{CampaignOrder, CampaignSettings, CampaignsSettings, NumberKey, OptOut};
use gudok_core::centre::{CentreSettings, OperatorOrder};
use gudok_core::ids::{Agency, Campaign, Entry, Group, ScriptName, ScriptVersion};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Overlay, Route, Routes};
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::journal::Journal;
use gudok_plugin_host::ports::{BucketId, DirectoryPort, NoDirectory};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Where callers land unless [`World::fallback`] says otherwise.
const FALLBACK: &str = "operators";
/// Tuesday, 5 May 2026, noon UTC.
const NOON: Timestamp = Timestamp::from_millis(1_777_982_400_000);

/// A world: callers, operators, scripts and what they reach. See the crate's page for an example.
///
/// Numbers are written as in Russia (8 and +7), it is noon of a weekday in UTC, and operators always work, unless told
/// otherwise.
#[derive(Clone)]
pub struct World {
    seed: u64,
    now: Timestamp,
    zone: TimeZone,
    routes: Arc<Routes>,
    /// The routes have their twins: see [`crate::decide`].
    has_twins: bool,
    limits: CallLimits,
    trouble: Trouble,
    operators: BTreeMap<String, Operator>,
    recordings: BTreeMap<String, Duration>,
    scripts: BTreeMap<(Agency, Entry), Scripted>,
    deployments: Vec<(Duration, Agency, Entry, Scripted)>,
    drains: Vec<Duration>,
    callers: Vec<Caller>,
    callees: BTreeMap<String, Caller>,
    quiet: bool,
    logged_in: bool,
    operators_do: Vec<(Duration, gudok_core::ids::Operator, OperatorOrder)>,
    deaths: Vec<(Duration, Duration)>,
    announcements: Vec<(Duration, Overlay)>,
    back_ends: BTreeMap<String, BackEnd>,
    other_back_ends: Option<BackEnd>,
    secrets: BTreeMap<(Agency, String), Secret>,
    campaigns: CampaignPlan,
    decider: Option<SharedDecider>,
    words: Arc<dyn PromptWords>,
    directory: Arc<dyn DirectoryPort>,
    journal: Option<Arc<dyn Journal>>,
    keeps_host_calls: bool,
    kept: HashMap<BucketId, Bucket>,
    until_script_is_over: bool,
    beside: Option<Arc<Runtime>>,
}

impl World {
    /// An empty world. Everything that is left to chance comes from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let plan = NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into()],
            national_len: 10,
        };
        Self {
            seed,
            now: NOON,
            zone: TimeZone::UTC,
            has_twins: false,
            routes: Arc::new(Routes {
                plan,
                numbers: HashMap::new(),
                agencies: BTreeMap::new(),
                groups: BTreeMap::new(),
                extensions: BTreeMap::new(),
                overlays: Vec::new(),
                centre: Arc::default(),
            }),
            limits: CallLimits::default(),
            trouble: Trouble::NONE,
            operators: BTreeMap::new(),
            recordings: BTreeMap::new(),
            scripts: BTreeMap::new(),
            deployments: Vec::new(),
            drains: Vec::new(),
            callers: Vec::new(),
            callees: BTreeMap::new(),
            quiet: false,
            logged_in: true,
            operators_do: Vec::new(),
            deaths: Vec::new(),
            announcements: Vec::new(),
            back_ends: BTreeMap::new(),
            other_back_ends: None,
            secrets: BTreeMap::new(),
            campaigns: CampaignPlan::default(),
            decider: None,
            words: Arc::new(PlainWords),
            directory: Arc::new(NoDirectory::default()),
            journal: None,
            keeps_host_calls: false,
            kept: HashMap::new(),
            until_script_is_over: false,
            beside: None,
        }
    }

    /// Takes these routes as they are, as from a configuration. Put it first: numbers, groups and scripts add to them.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        (self.routes, self.has_twins) = (Arc::new(routes), false);
        self
    }

    /// The world begins at that time.
    #[must_use]
    pub const fn starts_at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// What wall clocks show. Calendars have a zone of their own.
    #[must_use]
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// The limits of every call.
    #[must_use]
    pub const fn limits(mut self, limits: CallLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What goes wrong.
    #[must_use]
    pub const fn trouble(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }

    /// A dialled number leads to that entry of that agency.
    #[must_use]
    pub fn number(mut self, dialled: &str, agency: &str, entry: &str) -> Self {
        let agency = Agency::new(agency);
        self.agency(&agency);
        let route = Route { agency, entry: Entry::new(entry), lang: Arc::from("ru-RU"), area: None, callback: None };
        self.routes_mut().numbers.insert(Arc::from(dialled), route);
        self
    }

    /// A group of operators who always work. The group `operators` is where callers land.
    #[must_use]
    pub fn operators(self, group: &str, names: &[&str]) -> Self {
        let calendar = Calendar::always_open(TimeZone::UTC);
        self.operators_working(group, names, calendar)
    }

    /// A group of operators who work at these hours.
    #[must_use]
    pub fn operators_working(mut self, group: &str, names: &[&str], calendar: Calendar) -> Self {
        let operators = names.iter().map(|name| OperatorRoute { name: Arc::from(*name), target: at(name) }).collect();
        self.routes_mut().groups.insert(Group::new(group), GroupRoute { operators, calendar: Arc::new(calendar) });
        self
    }

    /// A telephone of the centre.
    #[must_use]
    pub fn extension(mut self, number: &str) -> Self {
        self.routes_mut().extensions.insert(Arc::from(number), at(number));
        self
    }

    /// How an operator, an extension, or whoever answers a number (by its masked form) behaves. Without it: answers.
    #[must_use]
    pub fn operator(mut self, name: &str, behaves: Operator) -> Self {
        self.operators.insert(name.into(), behaves);
        self
    }

    /// Where an agency's callers land.
    #[must_use]
    pub fn fallback(mut self, agency: &str, group: &str) -> Self {
        self.agency(&Agency::new(agency)).fallback = Group::new(group);
        self
    }

    /// A script of one agency may hand callers to an entry of another, under that name.
    #[must_use]
    pub fn reaches(mut self, agency: &str, name: &str, (other, entry): (&str, &str)) -> Self {
        let place = (Agency::new(other), Entry::new(entry));
        self.agency(&Agency::new(agency)).reachable.insert(Arc::from(name), place);
        self
    }

    /// An emergency announcement for everybody.
    #[must_use]
    pub fn overlay(mut self, text: &str) -> Self {
        self.routes_mut().overlays.push(Overlay::for_all("simulated", prompt(text)));
        self
    }

    /// A recording of a bundle, and how long it lasts. One that is not named lasts two seconds.
    #[must_use]
    pub fn recording(mut self, name: &str, lasts: Duration) -> Self {
        self.recordings.insert(name.into(), lasts);
        self
    }

    /// A script in Rust, version 1.0.0.
    #[must_use]
    pub fn script(mut self, agency: &str, entry: &str, script: impl SimScript) -> Self {
        let scripted = in_rust(entry, "1.0.0", script);
        self.enter(agency, entry, scripted);
        self
    }

    /// A script in Rust that other worlds have too.
    pub(crate) fn shared_script(mut self, agency: &str, entry: &str, script: &Arc<dyn SimScript>) -> Self {
        let version =
            ScriptVersion { script: ScriptName::new(entry), version: Arc::from("1.0.0"), bundle_sha256: [0; 32] };
        self.enter(agency, entry, Scripted::InRust { version, script: Arc::clone(script) });
        self
    }

    /// A compiled script: what the real host loaded.
    #[must_use]
    pub fn bundle(mut self, agency: &str, entry: &str, version: Arc<Version>) -> Self {
        self.enter(agency, entry, Scripted::Bundle(version));
        self
    }

    /// After so long, new calls take another version.
    #[must_use]
    pub fn deploys(
        mut self,
        after: Duration,
        agency: &str,
        entry: &str,
        version: &str,
        script: impl SimScript,
    ) -> Self {
        let scripted = in_rust(entry, version, script);
        self.deployments.push((after, Agency::new(agency), Entry::new(entry), scripted));
        self
    }

    /// After so long, the time of all calls that are up then is over: whoever is still with a script moves to an operator.
    #[must_use]
    pub fn drains(mut self, after: Duration) -> Self {
        self.drains.push(after);
        self
    }

    /// A back end at an origin: `https://mfc.example`.
    #[must_use]
    pub fn back_end(mut self, origin: &str, back_end: BackEnd) -> Self {
        self.back_ends.insert(origin.into(), back_end);
        self
    }

    /// The back end at every origin that has none of its own.
    #[must_use]
    pub fn every_back_end(mut self, back_end: BackEnd) -> Self {
        self.other_back_ends = Some(back_end);
        self
    }

    /// A secret that an admin keeps for an agency.
    #[must_use]
    pub fn secret(mut self, agency: &str, name: &str, text: &str) -> Self {
        self.secrets.insert((Agency::new(agency), name.into()), Secret::new(text));
        self
    }

    /// Somebody calls.
    #[must_use]
    pub fn caller(mut self, caller: Caller) -> Self {
        self.callers.push(caller);
        self
    }

    /// Queues, operators and peer centres. Operators come to work at the world's beginning; how each behaves when rung is
    /// said by [`World::operator`].
    #[must_use]
    pub fn centre(mut self, settings: CentreSettings) -> Self {
        self.routes_mut().centre = Arc::new(settings);
        self
    }

    /// Operators of queues do not come to work by themselves.
    #[must_use]
    pub const fn nobody_at_work(mut self) -> Self {
        self.logged_in = false;
        self
    }

    /// After so long, an operator of a queue (or a supervisor for one) says something.
    #[must_use]
    pub fn operator_does(mut self, after: Duration, operator: &str, order: OperatorOrder) -> Self {
        self.operators_do.push((after, gudok_core::ids::Operator::new(operator), order));
        self
    }

    /// After so long, the engine is killed, and is back after a while: calls are cut off, and what was durable goes on.
    #[must_use]
    pub fn engine_dies(mut self, after: Duration, back_after: Duration) -> Self {
        self.deaths.push((after, back_after));
        self
    }

    /// Whoever dials this number is called back by that queue.
    #[must_use]
    pub fn callback_number(mut self, dialled: &str, agency: &str, queue: &str) -> Self {
        self = self.number(dialled, agency, "callback");
        if let Some(route) = self.routes_mut().numbers.get_mut(dialled) {
            route.callback = Some(gudok_core::ids::Queue::new(queue));
        }
        self
    }

    /// After so long, and for so long, everybody who calls hears that first.
    #[must_use]
    pub fn announces(mut self, after: Duration, lasts: Duration, text: &str) -> Self {
        let mut overlay = Overlay::for_all("emergency", prompt(text));
        overlay.expires = Some(self.now + after + lasts);
        self.announcements.push((after, overlay));
        self
    }

    /// A number stands for a region or municipality.
    #[must_use]
    pub fn area(mut self, dialled: &str, area: &str) -> Self {
        if let Some(route) = self.routes_mut().numbers.get_mut(dialled) {
            route.area = Some(Arc::from(area));
        }
        self
    }

    /// Where an agency's landed callers wait, and what they may hear first.
    #[must_use]
    pub fn landing(mut self, agency: &str, queue: Option<&str>, information: Option<&str>) -> Self {
        let routes = self.agency(&Agency::new(agency));
        routes.queue = queue.map(gudok_core::ids::Queue::new);
        routes.information = information.map(prompt);
        self
    }

    /// What somebody does who is called back at that number (E.164); how they answer is said by [`World::operator`] under
    /// the number's masked form.
    #[must_use]
    pub fn callee(mut self, number: &str, does: Caller) -> Self {
        self.callees.insert(PhoneNumber::new(number).masked(), does);
        self
    }

    /// What campaigns share, and for how long after its beginning the world has campaigns.
    #[must_use]
    pub fn campaigns(mut self, shared: CampaignsSettings, lasts: Duration) -> Self {
        (self.campaigns.shared, self.campaigns.lasts) = (shared, lasts);
        self
    }

    /// A campaign with its list, started so long after the world's beginning. Its script is the one that is active under
    /// its entry.
    #[must_use]
    pub fn campaign(mut self, settings: CampaignSettings, starts_after: Duration, contacts: Vec<SimContact>) -> Self {
        self.campaigns.planned.push(Planned { settings: Arc::new(settings), contacts, starts_after });
        self
    }

    /// After so long, somebody says something to a campaign.
    #[must_use]
    pub fn campaign_is_told(mut self, after: Duration, campaign: &str, order: CampaignOrder) -> Self {
        self.campaigns.orders.push((after, Campaign::new(campaign), order));
        self
    }

    /// After so long, whoever has that number on a list opts out.
    #[must_use]
    pub fn opts_out(mut self, after: Duration, number: &str, opt_out: fn(NumberKey) -> OptOut) -> Self {
        self.campaigns.opt_outs.push((after, PhoneNumber::new(number), opt_out));
        self
    }

    /// Where nothing is written down of what somebody does, this decides: see [`crate::decide`].
    #[must_use]
    pub fn decided_by(mut self, decider: SharedDecider) -> Self {
        self.decider = Some(decider);
        self
    }

    /// How prompts are put into words, and how long they last.
    #[must_use]
    pub fn words(mut self, words: Arc<dyn PromptWords>) -> Self {
        self.words = words;
        self
    }

    /// What the directory knows; without it, it cannot be asked.
    #[must_use]
    pub fn directory(mut self, directory: Arc<dyn DirectoryPort>) -> Self {
        self.directory = directory;
        self
    }

    /// Where compiled scripts' host calls are written down, with what they asked and were told.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// A script has kept that before the world begins.
    #[must_use]
    pub fn keeps(mut self, agency: &str, script: &str, bucket: &str, key: &str, value: &[u8]) -> Self {
        let (agency, script) = (Agency::new(agency), ScriptName::new(script));
        let id = BucketId { agency, script, bucket: bucket.into() };
        self.kept.entry(id).or_default().insert(key.to_owned(), Kept::from_before(value));
        self
    }

    /// Compiled scripts' host calls are in the report.
    #[must_use]
    pub const fn keeps_host_calls(mut self) -> Self {
        self.keeps_host_calls = true;
        self
    }

    /// Who dials this number is spoken to in that language at first.
    #[must_use]
    pub fn lang(mut self, dialled: &str, lang: &str) -> Self {
        if let Some(route) = self.routes_mut().numbers.get_mut(dialled) {
            route.lang = Arc::from(lang);
        }
        self
    }

    /// Without transcript and trace: for worlds of very many calls.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    fn enter(&mut self, agency: &str, entry: &str, script: Scripted) {
        let (agency, place) = (Agency::new(agency), Entry::new(entry));
        let reachable = &mut self.agency(&agency).reachable;
        reachable.entry(Arc::from(entry)).or_insert((agency.clone(), place.clone()));
        self.scripts.insert((agency, place), script);
    }

    fn routes_mut(&mut self) -> &mut Routes {
        self.has_twins = false;
        Arc::make_mut(&mut self.routes)
    }

    fn agency(&mut self, agency: &Agency) -> &mut AgencyRoutes {
        self.routes_mut().agencies.entry(agency.clone()).or_insert_with(|| AgencyRoutes {
            fallback: Group::new(FALLBACK),
            reachable: BTreeMap::new(),
            outbound: None,
            queue: None,
            information: None,
        })
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("seed", &self.seed).field("callers", &self.callers.len()).finish_non_exhaustive()
    }
}

fn in_rust(entry: &str, version: &str, script: impl SimScript) -> Scripted {
    let version = ScriptVersion { script: ScriptName::new(entry), version: Arc::from(version), bundle_sha256: [0; 32] };
    Scripted::InRust { version, script: Arc::new(script) }
}

fn at(user: &str) -> DialTarget {
    DialTarget { trunk: None, address: PhoneNumber::new(user) }
}

/// A call as checkers meet it.
#[cfg(test)]
pub(crate) fn start_for_tests(id: gudok_core::ids::CallId) -> gudok_core::call::CallStart {
    gudok_core::call::CallStart {
        id,
        incoming: gudok_core::leg::IncomingCall {
            trunk: gudok_core::ids::Trunk::new("simulator"),
            caller: None,
            called: PhoneNumber::new("122"),
            diversion: None,
            headers: Vec::new(),
            chain: None,
            wants_transcript: false,
        },
        agency: Agency::new("one"),
        entry: Entry::new("main"),
        lang: Arc::from("ru-RU"),
        routes: World::new(0).routes,
        mode: gudok_core::records::Mode::Attended,
        overlay: None,
        purpose: gudok_core::call::Purpose::Script,
        limits: CallLimits::default(),
    }
}
