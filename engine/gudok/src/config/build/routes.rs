//! Numbers, agencies, groups, calendars and overlays: where calls go.

use super::super::Faults;
use super::super::schema::{self, File};
use super::{centre, moment};
use gudok_core::calendar::{Calendar, Hours, ManualHours};
use gudok_core::ids::{Agency, Entry, Group, Queue, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::{BargeIn, Prompt, Segment};
use gudok_core::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Overlay, Route, Routes};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;

/// The entry of numbers without a script.
pub(super) const CALLBACK_ENTRY: &str = "callback";

/// All routes. What refers to nothing is a fault.
pub(super) fn routes(
    file: &File,
    folder: &Path,
    time_zone: &TimeZone,
    lang: &Arc<str>,
    faults: &mut Faults<'_>,
) -> Routes {
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
        overlays: overlays(file, folder, &names, lang, faults),
        centre: Arc::new(centre::settings(file, &names, &calendars, time_zone, faults)),
    }
}

/// What may be referred to.
pub(super) struct Names<'a> {
    pub(super) trunks: Vec<&'a str>,
    groups: Vec<&'a str>,
    pub(super) calendars: Vec<&'a str>,
    pub(super) agencies: Vec<&'a str>,
    pub(super) queues: Vec<&'a str>,
    pub(super) peers: Vec<&'a str>,
    entries: Vec<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(file: &'a File) -> Self {
        Self {
            trunks: file.trunk.iter().map(|trunk| trunk.name.get_ref().as_str()).collect(),
            groups: file.group.iter().map(|group| group.name.get_ref().as_str()).collect(),
            calendars: file.calendar.iter().map(|calendar| calendar.name.get_ref().as_str()).collect(),
            agencies: file.agency.iter().map(|agency| agency.name.get_ref().as_str()).collect(),
            queues: file.queue.iter().map(|queue| queue.name.get_ref().as_str()).collect(),
            peers: file.peer.iter().map(|peer| peer.name.get_ref().as_str()).collect(),
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
        check("queue", file.queue.iter().map(|queue| &queue.name).collect());
        check("operator", file.operator.iter().map(|operator| &operator.name).collect());
        check("peer", file.peer.iter().map(|peer| &peer.name).collect());
        check("number", file.number.iter().map(|number| &number.number).collect());
        for agency in &file.agency {
            check("script entry", agency.script.iter().map(|script| &script.entry).collect());
        }
        for trunk in file.trunk.iter().filter(|trunk| trunk.name.get_ref() == Trunk::REGISTERED) {
            faults.add(
                trunk.name.span(),
                format!("the trunk {:?} is the telephones' that register here", Trunk::REGISTERED),
                "give this trunk another name",
            );
        }
    }
}

pub(super) fn known(what: &str, name: &Spanned<String>, names: &[&str], faults: &mut Faults<'_>) {
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
        let manual = calendar.overridden.as_ref().and_then(|word| {
            let until = moment(&word.get_ref().until, word.span(), faults)?;
            Some(ManualHours { open: word.get_ref().open, until })
        });
        let made = Calendar::new(zone.clone(), week, exceptions).with_manual(manual);
        all.insert(calendar.name.get_ref().clone(), Arc::new(made));
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

pub(super) fn dial_target(
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
                queue: agency.queue.as_ref().map(|queue| {
                    known("queue", queue, &names.queues, faults);
                    Queue::new(queue.get_ref())
                }),
                information: agency.information.as_ref().map(|text| spoken(text, None)),
            },
        );
    }
    all
}

fn numbers(file: &File, names: &Names<'_>, lang: &Arc<str>, faults: &mut Faults<'_>) -> HashMap<Arc<str>, Route> {
    let mut all = HashMap::new();
    for number in &file.number {
        let agency = number.agency.get_ref();
        known("agency", &number.agency, &names.agencies, faults);
        let entry = entry(number, names, faults);
        if let Some(queue) = &number.callback {
            known("queue", queue, &names.queues, faults);
            let calls_back = file.queue.iter().any(|q| q.name.get_ref() == queue.get_ref() && q.callback.is_some());
            if names.queues.contains(&queue.get_ref().as_str()) && !calls_back {
                let message = format!("the queue {:?} calls nobody back", queue.get_ref());
                faults.add(queue.span(), message, "add `callback = { … }` to the [[queue]]");
            }
        }
        let lang = number.lang.as_deref().map_or_else(|| Arc::clone(lang), Arc::from);
        all.insert(
            Arc::from(number.number.get_ref().as_str()),
            Route {
                agency: Agency::new(agency),
                entry: Entry::new(entry),
                lang,
                area: number.area.as_deref().map(Arc::from),
                callback: number.callback.as_ref().map(|queue| Queue::new(queue.get_ref())),
            },
        );
    }
    all
}

/// The script behind a number; a callback number has none.
fn entry<'a>(number: &'a schema::Number, names: &Names<'_>, faults: &mut Faults<'_>) -> &'a str {
    let agency = number.agency.get_ref().as_str();
    let Some(entry) = &number.entry else {
        if number.callback.is_none() {
            let message = format!("the number {:?} leads to no script", number.number.get_ref());
            faults.add(number.number.span(), message, "add `entry`, or `callback` with a queue");
        }
        return CALLBACK_ENTRY;
    };
    let name = entry.get_ref().as_str();
    if names.agencies.contains(&agency) && !names.entries.contains(&(agency, name)) {
        faults.add(
            entry.span(),
            format!("the agency {agency:?} has no script at the entry {name:?}"),
            "add a [[agency.script]] with that entry",
        );
    }
    name
}

fn overlays(file: &File, folder: &Path, names: &Names<'_>, lang: &Arc<str>, faults: &mut Faults<'_>) -> Vec<Overlay> {
    let mut all = Vec::new();
    for (at, overlay) in file.overlay.iter().enumerate() {
        for agency in &overlay.agencies {
            known("agency", agency, &names.agencies, faults);
        }
        let lang = overlay.lang.as_deref().map_or_else(|| Arc::clone(lang), Arc::from);
        let prompt = match (&overlay.text, &overlay.recording) {
            (Some(text), None) => spoken(text, Some(lang)),
            (None, Some(recording)) => {
                let path = folder.join(recording.get_ref());
                if let Err(problem) = crate::overlays::check_sound(&path) {
                    faults.add(recording.span(), problem, "give a WAV file, 8 to 48 kHz, of at most two minutes");
                }
                recorded(&crate::overlays::file_sound(&path), lang)
            }
            _ => {
                faults.add(
                    overlay.recording.as_ref().map_or(0..0, Spanned::span),
                    format!("the overlay {} has neither text nor recording, or both", at + 1),
                    "say what callers hear: `text`, or `recording` with a WAV file",
                );
                continue;
            }
        };
        all.push(Overlay {
            name: overlay.name.as_deref().map_or_else(|| Arc::from(format!("file-{}", at + 1)), Arc::from),
            prompt,
            agencies: overlay.agencies.iter().map(|agency| Agency::new(agency.get_ref())).collect(),
            areas: overlay.areas.iter().map(|area| Arc::from(area.as_str())).collect(),
            numbers: overlay.numbers.iter().map(|number| Arc::from(number.as_str())).collect(),
            expires: overlay.expires.as_ref().and_then(|at| moment(at.get_ref(), at.span(), faults)),
        });
    }
    all
}

/// A text of the host's, as it is said; never interruptible.
pub(crate) fn spoken(text: &str, lang: Option<Arc<str>>) -> Arc<Prompt> {
    host_prompt(Segment::Text(text.to_owned()), lang)
}

/// A recording of the host's, by its name among the overlays' sounds.
pub(crate) fn recorded(sound: &str, lang: Arc<str>) -> Arc<Prompt> {
    host_prompt(Segment::Media(sound.to_owned()), Some(lang))
}

fn host_prompt(segment: Segment, lang: Option<Arc<str>>) -> Arc<Prompt> {
    Arc::new(Prompt { segments: vec![segment], lang, voice: None, barge_in: BargeIn::default(), cacheable: true })
}
