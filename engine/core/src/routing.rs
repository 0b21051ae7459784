//! Where calls go: dialled number to agency and script entry, transfer targets to addresses.

use crate::calendar::{Calendar, Status};
use crate::centre::CentreSettings;
use crate::ids::{Agency, Entry, Group, Queue, Trunk};
use crate::leg::DialTarget;
use crate::privacy::PhoneNumber;
use crate::prompt::{LanguageTag, Prompt};
use crate::script::TransferTarget;
use crate::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How one country writes its telephone numbers; data, so that no country is built in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberPlan {
    /// "7"
    pub country_code: String,
    /// What is dialled before a national number: "8".
    pub trunk_prefix: String,
    /// What is dialled before a country code: "00", "810".
    pub international_prefixes: Vec<String>,
    /// Digits of a national number without prefix: 10.
    pub national_len: usize,
}

/// Digits in an E.164 number without the plus, at most (ITU-T E.164, 6.2.1).
pub const E164_DIGITS_MAX: usize = 15;
/// Digits in an international number, at least: what is shorter is a local code.
pub const E164_DIGITS_MIN: usize = 8;

impl NumberPlan {
    /// A number as dialled or entered, as E.164 with a plus. None if it is not a whole number.
    #[must_use]
    pub fn normalise(&self, dialled: &str) -> Option<PhoneNumber> {
        let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
        let e164 = |digits: &str| {
            let fits = (E164_DIGITS_MIN..=E164_DIGITS_MAX).contains(&digits.len()) && !digits.starts_with('0');
            fits.then(|| PhoneNumber::new(&format!("+{digits}")))
        };
        if dialled.starts_with('+') {
            return e164(&digits);
        }
        for prefix in &self.international_prefixes {
            if let Some(rest) = digits.strip_prefix(prefix.as_str()).filter(|rest| rest.len() > self.national_len) {
                return e164(rest);
            }
        }
        let national = [self.trunk_prefix.as_str(), self.country_code.as_str()]
            .iter()
            .filter(|prefix| !prefix.is_empty())
            .find_map(|prefix| digits.strip_prefix(*prefix).filter(|rest| rest.len() == self.national_len))
            .or_else(|| (digits.len() == self.national_len).then_some(digits.as_str()))?;
        e164(&format!("{}{national}", self.country_code))
    }
}

/// Where a number leads.
#[derive(Clone, Debug)]
pub struct Route {
    /// Whose number it is.
    pub agency: Agency,
    /// Which script answers.
    pub entry: Entry,
    /// In which language the host's own prompts begin.
    pub lang: LanguageTag,
    /// The region or municipality that the number stands for, where it stands for one.
    pub area: Option<Arc<str>>,
    /// Who dials this number is called back by that queue; no script answers.
    pub callback: Option<Queue>,
}

/// Operators who are rung in order.
#[derive(Clone, Debug)]
pub struct GroupRoute {
    /// In the order in which they are rung.
    pub operators: Vec<OperatorRoute>,
    /// When they work.
    pub calendar: Arc<Calendar>,
}

/// One operator's address.
#[derive(Clone, Debug)]
pub struct OperatorRoute {
    /// The name under which scripts may ask for this operator.
    pub name: Arc<str>,
    /// Where to dial.
    pub target: DialTarget,
}

/// What an agency has besides its scripts.
#[derive(Clone, Debug)]
pub struct AgencyRoutes {
    /// Where a caller lands whose script failed.
    pub fallback: Group,
    /// Entries of other agencies that this one may hand callers to: "passport" of agency "mvd". Its own need no permission.
    pub reachable: BTreeMap<Arc<str>, (Agency, Entry)>,
    /// By which trunk numbers are dialled.
    pub outbound: Option<Trunk>,
    /// Where callers land who need an operator; the fallback group is rung where there is none.
    pub queue: Option<Queue>,
    /// What the host's own minimal menu tells callers when the agency's script fails; none: nothing but the apology.
    pub information: Option<Arc<Prompt>>,
}

/// The emergency announcement that callers hear first.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Its name, for records and pages.
    pub name: Arc<str>,
    /// What is said; never interruptible, whatever the prompt says.
    pub prompt: Arc<Prompt>,
    /// For numbers of these agencies …
    pub agencies: Vec<Agency>,
    /// … or of these regions and municipalities; "42" covers "42/zarechny" …
    pub areas: Vec<Arc<str>>,
    /// … or for these numbers, as dialled or in E.164. For everybody where all three are empty.
    pub numbers: Vec<Arc<str>>,
    /// Silent from then on.
    pub expires: Option<Timestamp>,
}

impl Overlay {
    /// For everybody, until it is taken away.
    #[must_use]
    pub fn for_all(name: &str, prompt: Arc<Prompt>) -> Self {
        Self {
            name: Arc::from(name),
            prompt,
            agencies: Vec::new(),
            areas: Vec::new(),
            numbers: Vec::new(),
            expires: None,
        }
    }

    /// Whether a caller of that number hears it.
    fn is_for(&self, dialled: &str, e164: Option<&str>, route: &Route) -> bool {
        let everybody = self.agencies.is_empty() && self.areas.is_empty() && self.numbers.is_empty();
        let of_number = |number: &Arc<str>| &**number == dialled || e164 == Some(&**number);
        let of_area = |area: &Arc<str>| {
            route
                .area
                .as_deref()
                .and_then(|own| own.strip_prefix(&**area))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        everybody
            || self.agencies.contains(&route.agency)
            || self.areas.iter().any(of_area)
            || self.numbers.iter().any(of_number)
    }
}

/// All routes of the engine, as one immutable value: a call keeps the one that it began with.
#[derive(Clone, Debug)]
pub struct Routes {
    /// How numbers are written here.
    pub plan: NumberPlan,
    /// By user part as dialled; "*" is any other.
    pub numbers: HashMap<Arc<str>, Route>,
    /// By name.
    pub agencies: BTreeMap<Agency, AgencyRoutes>,
    /// By name.
    pub groups: BTreeMap<Group, GroupRoute>,
    /// Short numbers of the centre's own telephones.
    pub extensions: BTreeMap<Arc<str>, DialTarget>,
    /// In force now; empty in good times.
    pub overlays: Vec<Overlay>,
    /// Queues, operators and peer centres.
    pub centre: Arc<CentreSettings>,
}

/// What a transfer target comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// These addresses, in order.
    Dial(Vec<DialTarget>),
    /// Another script takes over.
    Script(Agency, Entry),
    /// Nobody works now; from when, "06:00", where it is known.
    Closed(Option<Arc<str>>),
    /// No such target; says what to configure.
    NotFound(String),
}

impl Routes {
    /// Where a dialled number leads: an exact match first, then its E.164 form, then "*".
    #[must_use]
    pub fn route(&self, dialled: &str) -> Option<&Route> {
        self.numbers
            .get(dialled)
            .or_else(|| self.numbers.get(self.plan.normalise(dialled)?.reveal()))
            .or_else(|| self.numbers.get("*"))
    }

    /// What a script of `agency` reaches under `target` at `now`.
    #[must_use]
    pub fn resolve(&self, agency: &Agency, target: &TransferTarget, now: Timestamp) -> Resolution {
        match target {
            TransferTarget::Group(name) => self.resolve_group(name, now),
            TransferTarget::Operator(name) => self.resolve_operator(name, now),
            TransferTarget::Extension(name) => self.extensions.get(name).map_or_else(
                || Resolution::NotFound(format!("extension {name:?}; configure it under [extensions]")),
                |target| Resolution::Dial(vec![target.clone()]),
            ),
            TransferTarget::Number(number) => self.resolve_number(agency, number),
            TransferTarget::Script(name) => self.resolve_script(agency, name),
        }
    }

    /// Whether the operators of an agency's fallback group work at `now`.
    #[must_use]
    pub fn operators_status(&self, agency: &Agency, now: Timestamp) -> Status {
        self.agencies
            .get(agency)
            .and_then(|routes| self.groups.get(&routes.fallback))
            .map_or(Status::Closed { opens: None }, |group| group.calendar.status(now))
    }

    /// The announcement that a caller hears first who dialled a number and came to its route.
    #[must_use]
    pub fn overlay(&self, dialled: &str, route: &Route, now: Timestamp) -> Option<&Overlay> {
        if self.overlays.is_empty() {
            return None;
        }
        let e164 = self.plan.normalise(dialled);
        let e164 = e164.as_ref().map(PhoneNumber::reveal);
        self.overlays
            .iter()
            .find(|overlay| overlay.expires.is_none_or(|end| now < end) && overlay.is_for(dialled, e164, route))
    }

    /// Whether anybody works at `now` for whom callers of an agency wait: its queue's operators, or its fallback group's.
    #[must_use]
    pub fn attended(&self, agency: &Agency, now: Timestamp) -> bool {
        let queue = self.agencies.get(agency).and_then(|routes| self.centre.queues.get(routes.queue.as_ref()?));
        match queue {
            Some(queue) => queue.calendar.status(now) == Status::Open,
            None => self.operators_status(agency, now) == Status::Open,
        }
    }

    fn resolve_group(&self, name: &Group, now: Timestamp) -> Resolution {
        let Some(group) = self.groups.get(name) else {
            return Resolution::NotFound(format!("group {:?}; configure it under [groups]", name.as_str()));
        };
        match group.calendar.status(now) {
            Status::Open => Resolution::Dial(group.operators.iter().map(|operator| operator.target.clone()).collect()),
            Status::Closed { opens } => Resolution::Closed(opens.map(clock_time)),
        }
    }

    fn resolve_operator(&self, name: &Arc<str>, now: Timestamp) -> Resolution {
        let found = self.groups.values().find_map(|group| {
            group.operators.iter().find(|operator| operator.name == *name).map(|operator| (group, operator))
        });
        match found {
            None => Resolution::NotFound(format!("operator {name:?}; configure the operator in a group")),
            Some((group, operator)) => match group.calendar.status(now) {
                Status::Open => Resolution::Dial(vec![operator.target.clone()]),
                Status::Closed { opens } => Resolution::Closed(opens.map(clock_time)),
            },
        }
    }

    fn resolve_number(&self, agency: &Agency, number: &PhoneNumber) -> Resolution {
        let Some(trunk) = self.agencies.get(agency).and_then(|routes| routes.outbound.clone()) else {
            return Resolution::NotFound(format!(
                "no way out; configure `outbound` (a trunk) for the agency {:?}",
                agency.as_str()
            ));
        };
        match self.plan.normalise(number.reveal()) {
            Some(number) => Resolution::Dial(vec![DialTarget { trunk: Some(trunk), address: number }]),
            None => Resolution::NotFound(format!("{number} is not a whole telephone number")),
        }
    }

    fn resolve_script(&self, agency: &Agency, name: &Arc<str>) -> Resolution {
        match self.agencies.get(agency).and_then(|routes| routes.reachable.get(name)) {
            Some((agency, entry)) => Resolution::Script(agency.clone(), entry.clone()),
            None => Resolution::NotFound(format!(
                "script {name:?}; allow it under `reachable` of the agency {:?}",
                agency.as_str()
            )),
        }
    }
}

fn clock_time((_, time): (jiff::civil::Date, jiff::civil::Time)) -> Arc<str> {
    Arc::from(format!("{:02}:{:02}", time.hour(), time.minute()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> NumberPlan {
        NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into(), "00".into()],
            national_len: 10,
        }
    }

    #[test]
    fn an_overlay_reaches_its_agencies_areas_and_numbers_until_it_ends() {
        let prompt = Arc::new(Prompt {
            segments: Vec::new(),
            lang: None,
            voice: None,
            barge_in: crate::prompt::BargeIn::default(),
            cacheable: true,
        });
        let mut routes = Routes {
            plan: plan(),
            numbers: HashMap::new(),
            agencies: BTreeMap::new(),
            groups: BTreeMap::new(),
            extensions: BTreeMap::new(),
            overlays: Vec::new(),
            centre: Arc::default(),
        };
        let route = Route {
            agency: Agency::new("mfc"),
            entry: Entry::new("desk"),
            lang: Arc::from("ru"),
            area: Some(Arc::from("42/zarechny")),
            callback: None,
        };
        let end = Timestamp::from_millis(1_000);
        let everybody = || Overlay { expires: Some(end), ..Overlay::for_all("flood", Arc::clone(&prompt)) };
        let mut check = |overlay: Overlay, heard: bool| {
            routes.overlays = vec![overlay.clone()];
            let before = routes.overlay("89131234567", &route, Timestamp::from_millis(999));
            assert_eq!(before.is_some(), heard, "{overlay:?}");
            assert!(routes.overlay("89131234567", &route, end).is_none(), "it is over");
        };
        check(everybody(), true);
        check(Overlay { agencies: vec![Agency::new("mfc")], ..everybody() }, true);
        check(Overlay { agencies: vec![Agency::new("mvd")], ..everybody() }, false);
        check(Overlay { areas: vec![Arc::from("42")], ..everybody() }, true);
        check(Overlay { areas: vec![Arc::from("42/zarechny")], ..everybody() }, true);
        check(Overlay { areas: vec![Arc::from("4")], ..everybody() }, false);
        check(Overlay { areas: vec![Arc::from("42/zarechny/centre")], ..everybody() }, false);
        check(Overlay { numbers: vec![Arc::from("+79131234567")], ..everybody() }, true);
        check(Overlay { numbers: vec![Arc::from("89131234567")], ..everybody() }, true);
        check(Overlay { numbers: vec![Arc::from("122")], ..everybody() }, false);
        let either = Overlay { agencies: vec![Agency::new("mvd")], areas: vec![Arc::from("42")], ..everybody() };
        check(either, true);
    }

    #[test]
    fn numbers_of_the_country_become_e164() {
        let plan = plan();
        let check = |dialled: &str, expect: Option<&str>| {
            let found = plan.normalise(dialled);
            assert_eq!(found.as_ref().map(PhoneNumber::reveal), expect, "{dialled}");
        };
        check("89131234567", Some("+79131234567"));
        check("9131234567", Some("+79131234567"));
        check("79131234567", Some("+79131234567"));
        check("+7 (913) 123-45-67", Some("+79131234567"));
        check("810493012345678", Some("+493012345678"));
        check("00493012345678", Some("+493012345678"));
        check("8101234567", Some("+78101234567"));
        check("122", None);
        check("", None);
        check("+0123456789", None);
        check("анна", None);
        check("+1234567890123456", None);
    }
}
