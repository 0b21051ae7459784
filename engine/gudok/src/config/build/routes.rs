//! Numbers, agencies, groups, calendars and overlays: where calls go.

use super::super::Faults;
use super::super::schema::File;
use gudok_core::calendar::{Calendar, Hours};
use gudok_core::ids::{Agency, Entry, Group, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::{BargeIn, Prompt, Segment};
use gudok_core::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Overlay, Route, Routes};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use toml::Spanned;

/// All routes. What refers to nothing is a fault.
pub(super) fn routes(file: &File, time_zone: &TimeZone, lang: &Arc<str>, faults: &mut Faults<'_>) -> Routes {
    let names = Names::of(file);
    names.check_unique(file, faults);
    let calendars = calendars(file, time_zone, faults);
    Routes {
        plan: NumberPlan {
            country_code: file.numbering.country_code.clone(),
            trunk_prefix: file.numbering.trunk_prefix.clone(),
            international_prefixes: file.numbering.international_prefixes.clone(),
            national_len: file.numbering.national_len,
        },
        numbers: numbers(file, &names, lang, faults),
        agencies: agencies(file, &names, faults),
        groups: groups(file, &names, &calendars, time_zone, faults),
        extensions: file
            .extension
            .iter()
            .map(|extension| {
                let target = dial_target(&extension.address, extension.trunk.as_ref(), &names, faults);
                (Arc::from(extension.number.as_str()), target)
            })
            .collect(),
        overlays: overlays(file, &names, lang, faults),
        centre: Arc::default(),
    }
}

struct Names<'a> {
    trunks: Vec<&'a str>,
    groups: Vec<&'a str>,
    calendars: Vec<&'a str>,
    agencies: Vec<&'a str>,
    entries: Vec<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(file: &'a File) -> Self {
        Self {
            trunks: file.trunk.iter().map(|trunk| trunk.name.get_ref().as_str()).collect(),
            groups: file.group.iter().map(|group| group.name.get_ref().as_str()).collect(),
            calendars: file.calendar.iter().map(|calendar| calendar.name.get_ref().as_str()).collect(),
            agencies: file.agency.iter().map(|agency| agency.name.get_ref().as_str()).collect(),
            entries: file
                .agency
                .iter()
                .flat_map(|agency| {
                    let name = agency.name.get_ref().as_str();
                    agency.script.iter().map(move |script| (name, script.entry.get_ref().as_str()))
                })
                .collect(),
        }
    }

    fn check_unique(&self, file: &File, faults: &mut Faults<'_>) {
        let mut check = |what: &str, names: Vec<&Spanned<String>>| {
            for (at, name) in names.iter().enumerate() {
                if names[..at].iter().any(|other| other.get_ref() == name.get_ref()) {
                    faults.add(
                        name.span(),
                        format!("the {what} {:?} is there twice", name.get_ref()),
                        "rename one of them",
                    );
                }
            }
        };
        check("trunk", file.trunk.iter().map(|trunk| &trunk.name).collect());
        check("calendar", file.calendar.iter().map(|calendar| &calendar.name).collect());
        check("group", file.group.iter().map(|group| &group.name).collect());
        check("agency", file.agency.iter().map(|agency| &agency.name).collect());
        check("number", file.number.iter().map(|number| &number.number).collect());
        for agency in &file.agency {
            check("script entry", agency.script.iter().map(|script| &script.entry).collect());
        }
    }
}

fn known(what: &str, name: &Spanned<String>, names: &[&str], faults: &mut Faults<'_>) {
    if !names.contains(&name.get_ref().as_str()) {
        let there =
            if names.is_empty() { "there is none yet".into() } else { format!("there is {}", names.join(", ")) };
        let remedy = format!("add a [[{what}]] with that name, or use another: {there}");
        faults.add(name.span(), format!("no {what} is called {:?}", name.get_ref()), remedy);
    }
}

fn calendars(file: &File, zone: &TimeZone, faults: &mut Faults<'_>) -> BTreeMap<String, Arc<Calendar>> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let mut all = BTreeMap::new();
    for calendar in &file.calendar {
        let mut week: [Vec<Hours>; 7] = Default::default();
        for (day, stretches) in &calendar.hours {
            let hours = hours(stretches, faults);
            match DAYS.iter().position(|name| name == day) {
                Some(at) => week[at] = hours,
                None if day == "daily" => {
                    for (at, name) in DAYS.iter().enumerate() {
                        if !calendar.hours.contains_key(*name) {
                            week[at].clone_from(&hours);
                        }
                    }
                }
                None => faults.add(
                    stretches.span(),
                    format!("{day:?} is no day"),
                    "use mon, tue, wed, thu, fri, sat, sun or daily",
                ),
            }
        }
        let mut exceptions = BTreeMap::new();
        for (date, stretches) in &calendar.exceptions {
            match date.parse() {
                Ok(date) => {
                    exceptions.insert(date, hours(stretches, faults));
                }
                Err(_) => faults.add(stretches.span(), format!("{date:?} is no date"), "write it as 2026-01-31"),
            }
        }
        all.insert(calendar.name.get_ref().clone(), Arc::new(Calendar::new(zone.clone(), week, exceptions)));
    }
    all
}

fn hours(stretches: &Spanned<Vec<String>>, faults: &mut Faults<'_>) -> Vec<Hours> {
    let mut all = Vec::new();
    for stretch in stretches.get_ref() {
        let parsed = stretch.split_once('-').and_then(|(from, to)| {
            let to = if to.trim() == "24:00" { Time::midnight() } else { clock(to)? };
            Hours::new(clock(from)?, to).ok()
        });
        match parsed {
            Some(hours) => all.push(hours),
            None => faults.add(
                stretches.span(),
                format!("{stretch:?} are no hours"),
                "write them as \"06:00-24:00\"; hours over midnight are two stretches",
            ),
        }
    }
    all
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn dial_target(
    address: &Spanned<String>,
    trunk: Option<&Spanned<String>>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> DialTarget {
    if let Some(trunk) = trunk {
        known("trunk", trunk, &names.trunks, faults);
    } else if !address.get_ref().starts_with("sip:") {
        faults.add(
            address.span(),
            format!("{:?} is not an address", address.get_ref()),
            "write \"sip:user@host:port\", or name the `trunk` that knows this user part",
        );
    }
    DialTarget { trunk: trunk.map(|trunk| Trunk::new(trunk.get_ref())), address: PhoneNumber::new(address.get_ref()) }
}

fn groups(
    file: &File,
    names: &Names<'_>,
    calendars: &BTreeMap<String, Arc<Calendar>>,
    zone: &TimeZone,
    faults: &mut Faults<'_>,
) -> BTreeMap<Group, GroupRoute> {
    let mut all = BTreeMap::new();
    for group in &file.group {
        if let Some(calendar) = &group.calendar {
            known("calendar", calendar, &names.calendars, faults);
        }
        let calendar = group
            .calendar
            .as_ref()
            .and_then(|name| calendars.get(name.get_ref()).cloned())
            .unwrap_or_else(|| Arc::new(Calendar::always_open(zone.clone())));
        let operators = group
            .operators
            .iter()
            .map(|operator| OperatorRoute {
                name: Arc::from(operator.name.as_str()),
                target: dial_target(&operator.address, operator.trunk.as_ref(), names, faults),
            })
            .collect();
        all.insert(Group::new(group.name.get_ref()), GroupRoute { operators, calendar });
    }
    all
}

fn agencies(file: &File, names: &Names<'_>, faults: &mut Faults<'_>) -> BTreeMap<Agency, AgencyRoutes> {
    let mut all = BTreeMap::new();
    for agency in &file.agency {
        known("group", &agency.fallback, &names.groups, faults);
        if let Some(trunk) = &agency.outbound {
            known("trunk", trunk, &names.trunks, faults);
        }
        let mut reachable: BTreeMap<Arc<str>, (Agency, Entry)> = agency
            .script
            .iter()
            .map(|script| {
                let entry = script.entry.get_ref();
                (Arc::from(entry.as_str()), (Agency::new(agency.name.get_ref()), Entry::new(entry)))
            })
            .collect();
        for (name, place) in &agency.reachable {
            match place.get_ref().split_once('/').filter(|place| names.entries.contains(place)) {
                Some((agency, entry)) => {
                    reachable.insert(Arc::from(name.as_str()), (Agency::new(agency), Entry::new(entry)));
                }
                None => faults.add(
                    place.span(),
                    format!("no script is at {:?}", place.get_ref()),
                    "write \"agency/entry\" of a script that is configured",
                ),
            }
        }
        all.insert(
            Agency::new(agency.name.get_ref()),
            AgencyRoutes {
                fallback: Group::new(agency.fallback.get_ref()),
                reachable,
                outbound: agency.outbound.as_ref().map(|trunk| Trunk::new(trunk.get_ref())),
                queue: None,
                information: None,
            },
        );
    }
    all
}

fn numbers(file: &File, names: &Names<'_>, lang: &Arc<str>, faults: &mut Faults<'_>) -> HashMap<Arc<str>, Route> {
    let mut all = HashMap::new();
    for number in &file.number {
        let (agency, entry) = (number.agency.get_ref(), number.entry.get_ref());
        known("agency", &number.agency, &names.agencies, faults);
        if names.agencies.contains(&agency.as_str()) && !names.entries.contains(&(agency, entry)) {
            faults.add(
                number.entry.span(),
                format!("the agency {agency:?} has no script at the entry {entry:?}"),
                "add a [[agency.script]] with that entry",
            );
        }
        let lang = number.lang.as_deref().map_or_else(|| Arc::clone(lang), Arc::from);
        all.insert(
            Arc::from(number.number.get_ref().as_str()),
            Route { agency: Agency::new(agency), entry: Entry::new(entry), lang, area: None, callback: None },
        );
    }
    all
}

fn overlays(file: &File, names: &Names<'_>, lang: &Arc<str>, faults: &mut Faults<'_>) -> Vec<Overlay> {
    let mut all = Vec::new();
    for overlay in &file.overlay {
        for agency in &overlay.agencies {
            known("agency", agency, &names.agencies, faults);
        }
        let lang = overlay.lang.as_deref().map_or_else(|| Arc::clone(lang), Arc::from);
        let agencies = overlay.agencies.iter().map(|agency| Agency::new(agency.get_ref())).collect();
        all.push(Overlay { prompt: overlay_prompt(&overlay.text, lang), agencies });
    }
    all
}

/// An announcement's text, as it is said.
pub(crate) fn overlay_prompt(text: &str, lang: Arc<str>) -> Arc<Prompt> {
    Arc::new(Prompt {
        segments: vec![Segment::Text(text.to_owned())],
        lang: Some(lang),
        voice: None,
        barge_in: BargeIn::default(),
        cacheable: true,
    })
}
