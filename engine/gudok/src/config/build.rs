//! From the file as written to what the engine runs on: every name resolved, every value in its range.

use super::Faults;
use super::schema::{self, File, LogFormat};
use gudok_core::calendar::{Calendar, Hours};
use gudok_core::call::CallLimits;
use gudok_core::ids::{Agency, Entry, Group, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::prompt::{BargeIn, Prompt, Segment};
use gudok_core::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Overlay, Route, Routes};
use gudok_plugin_host::gate::Approval;
use gudok_sip::{Codec, Credentials, Limits, Listener, RegistrationConfig, SessionTimerConfig, SipConfig, Transport};
use gudok_sip::{TrunkConfig, UnknownSource};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// What the engine runs on.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) time_zone: TimeZone,
    pub(crate) lang: Arc<str>,
    pub(crate) drain_max: Duration,
    pub(crate) log: LogFormat,
    pub(crate) sip: SipConfig,
    pub(crate) media: MediaSettings,
    pub(crate) speech: SpeechSettings,
    pub(crate) http: HttpConfig,
    pub(crate) store: StoreSettings,
    pub(crate) scripts: schema::Scripts,
    pub(crate) call_limits: CallLimits,
    pub(crate) routes: Arc<Routes>,
    pub(crate) entries: Vec<EntryConfig>,
    pub(crate) host_prompts: BTreeMap<String, schema::HostPrompts>,
}

/// For the media room.
#[derive(Debug)]
pub(crate) struct MediaSettings {
    pub(crate) bind: IpAddr,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) pacer_threads: usize,
    pub(crate) rtp_timeout: Duration,
}

/// For the speech room.
#[derive(Debug)]
pub(crate) struct SpeechSettings {
    pub(crate) provider: ProviderConfig,
    pub(crate) cache_mib_max: u64,
    pub(crate) media_dir: Option<PathBuf>,
}

/// Who speaks what nobody recorded.
#[derive(Debug)]
pub(crate) enum ProviderConfig {
    EspeakNg { command: Option<PathBuf> },
    Http { url: String },
    None,
}

/// Health and metrics.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    pub(crate) listen: Option<SocketAddr>,
}

/// For the store.
#[derive(Debug)]
pub(crate) struct StoreSettings {
    pub(crate) dir: PathBuf,
    pub(crate) free_percent_min: u8,
}

/// One script behind one entry.
#[derive(Debug)]
pub(crate) struct EntryConfig {
    pub(crate) agency: Agency,
    pub(crate) entry: Entry,
    pub(crate) bundle: PathBuf,
    pub(crate) approval: Approval,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// None where there were faults that leave nothing to go on with.
pub(super) fn build(file: File, folder: &Path, faults: &mut Faults<'_>) -> Option<Config> {
    let lang: Arc<str> = Arc::from(file.node.lang.as_str());
    let time_zone = time_zone(&file.node.time_zone, faults);
    let trunk_names: Vec<&str> = file.trunk.iter().map(|trunk| trunk.name.get_ref().as_str()).collect();
    let names = Names {
        trunks: trunk_names,
        groups: file.group.iter().map(|group| group.name.get_ref().as_str()).collect(),
        calendars: file.calendar.iter().map(|calendar| calendar.name.get_ref().as_str()).collect(),
        entries: file
            .agency
            .iter()
            .flat_map(|agency| {
                agency.script.iter().map(|script| (agency.name.get_ref().as_str(), script.entry.get_ref().as_str()))
            })
            .collect(),
        agencies: file.agency.iter().map(|agency| agency.name.get_ref().as_str()).collect(),
    };
    names.check_unique(&file, faults);
    let calendars = calendars(&file, &time_zone, faults);
    let routes = Routes {
        plan: NumberPlan {
            country_code: file.numbering.country_code.clone(),
            trunk_prefix: file.numbering.trunk_prefix.clone(),
            international_prefixes: file.numbering.international_prefixes.clone(),
            national_len: file.numbering.national_len,
        },
        numbers: numbers(&file, &names, &lang, faults),
        agencies: agencies(&file, &names, faults),
        groups: groups(&file, &names, &calendars, &time_zone, faults),
        extensions: file
            .extension
            .iter()
            .map(|extension| {
                let target = dial_target(&extension.address, extension.trunk.as_ref(), &names, faults);
                (Arc::from(extension.number.as_str()), target)
            })
            .collect(),
        overlays: overlays(&file, &names, &lang, faults),
    };
    let sip = sip(&file, folder, faults);
    let ports = ports(&file.media.ports, faults);
    let speech = speech(&file.speech, folder, faults);
    let entries = entries(&file, folder, faults);
    let http = http(&file.http, faults);
    Some(Config {
        time_zone,
        lang,
        drain_max: Duration::from_secs(file.node.drain_s_max),
        log: file.node.log,
        sip: sip?,
        media: MediaSettings {
            bind: file.media.bind,
            ports: ports?,
            pacer_threads: file.media.pacer_threads.clamp(1, 64),
            rtp_timeout: Duration::from_secs(file.media.rtp_timeout_s.max(1)),
        },
        speech: speech?,
        http,
        store: StoreSettings {
            dir: folder.join(&file.store.dir),
            free_percent_min: file.store.free_percent_min.min(90),
        },
        scripts: file.scripts,
        call_limits: call_limits(&file.call),
        routes: Arc::new(routes),
        entries,
        host_prompts: file.prompts,
    })
}

/// What may be referred to.
struct Names<'a> {
    trunks: Vec<&'a str>,
    groups: Vec<&'a str>,
    calendars: Vec<&'a str>,
    agencies: Vec<&'a str>,
    entries: Vec<(&'a str, &'a str)>,
}

impl Names<'_> {
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

fn time_zone(name: &Spanned<String>, faults: &mut Faults<'_>) -> TimeZone {
    TimeZone::get(name.get_ref()).unwrap_or_else(|_| {
        faults.add(
            name.span(),
            format!("no time zone is called {:?}", name.get_ref()),
            "use a name of the time-zone database, such as \"Asia/Novosibirsk\"; on Debian it comes with the package tzdata",
        );
        TimeZone::UTC
    })
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
            Route { agency: Agency::new(agency), entry: Entry::new(entry), lang },
        );
    }
    if file.number.is_empty() {
        faults.add(0..0, "no number leads anywhere", "add a [[number]] with agency and entry");
    }
    all
}

fn overlays(file: &File, names: &Names<'_>, lang: &Arc<str>, faults: &mut Faults<'_>) -> Vec<Overlay> {
    let mut all = Vec::new();
    for overlay in &file.overlay {
        for agency in &overlay.agencies {
            known("agency", agency, &names.agencies, faults);
        }
        let prompt = Prompt {
            segments: vec![Segment::Text(overlay.text.clone())],
            lang: Some(overlay.lang.as_deref().map_or_else(|| Arc::clone(lang), Arc::from)),
            voice: None,
            barge_in: BargeIn::default(),
            cacheable: true,
        };
        let agencies = overlay.agencies.iter().map(|agency| Agency::new(agency.get_ref())).collect();
        all.push(Overlay { prompt: Arc::new(prompt), agencies });
    }
    all
}

fn entries(file: &File, folder: &Path, faults: &mut Faults<'_>) -> Vec<EntryConfig> {
    let mut all = Vec::new();
    for agency in &file.agency {
        for script in &agency.script {
            let bundle = folder.join(script.bundle.get_ref());
            if !bundle.is_file() {
                faults.add(
                    script.bundle.span(),
                    format!("no bundle is at {}", bundle.display()),
                    "build it (scripts/build-plugins), or correct the path; it is relative to this file",
                );
            }
            let mut secrets = BTreeMap::new();
            for (name, file) in &script.secrets {
                if let Some(secret) = secret(file, folder, faults) {
                    secrets.insert(name.clone(), secret);
                }
            }
            all.push(EntryConfig {
                agency: Agency::new(agency.name.get_ref()),
                entry: Entry::new(script.entry.get_ref()),
                bundle,
                approval: approval(script.approve.as_ref(), faults),
                config: script.config.clone(),
                secrets,
            });
        }
    }
    all
}

fn approval(approve: Option<&Spanned<toml::Value>>, faults: &mut Faults<'_>) -> Approval {
    const REMEDY: &str = "write \"as-declared\", or a table of capabilities as in a manifest (docs/BUNDLE.md)";
    let Some(approve) = approve else { return Approval::Only(Box::default()) };
    match approve.get_ref() {
        toml::Value::String(word) if word == "as-declared" => Approval::AsDeclared,
        toml::Value::Table(table) => match table.clone().try_into() {
            Ok(capabilities) => Approval::Only(Box::new(capabilities)),
            Err(error) => {
                faults.add(approve.span(), format!("no capabilities: {}", error.message()), REMEDY);
                Approval::Only(Box::default())
            }
        },
        other => {
            faults.add(approve.span(), format!("{other:?} approves nothing"), REMEDY);
            Approval::Only(Box::default())
        }
    }
}

fn secret(file: &Spanned<PathBuf>, folder: &Path, faults: &mut Faults<'_>) -> Option<Secret> {
    match std::fs::read_to_string(folder.join(file.get_ref())) {
        Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
        Err(error) => {
            let message = format!("cannot read the secret's file {}: {error}", file.get_ref().display());
            faults.add(file.span(), message, "create it, readable by the engine's user only (chmod 600)");
            None
        }
    }
}

fn sip(file: &File, folder: &Path, faults: &mut Faults<'_>) -> Option<SipConfig> {
    let listeners: Vec<Listener> = file.sip.listen.iter().filter_map(|listen| listener(listen, faults)).collect();
    let trunks = file.trunk.iter().map(|trunk| sip_trunk(trunk, folder, faults)).collect();
    let limits = &file.sip.limits;
    let config = SipConfig {
        listeners,
        advertised: file.sip.advertised,
        user_agent: concat!("gudok/", env!("CARGO_PKG_VERSION")).to_owned(),
        trunks,
        unknown_source: match file.sip.unknown_source {
            schema::UnknownSource::Refuse => UnknownSource::Refuse,
            schema::UnknownSource::Drop => UnknownSource::Drop,
        },
        limits: Limits {
            calls_max: limits.calls_max,
            calls_per_s_max: limits.calls_per_s_max,
            retry_after: Duration::from_secs(limits.retry_after_s),
            source_messages_per_s_max: limits.source_messages_per_s_max,
            ..Limits::default()
        },
    };
    if let Err(error) = config.check() {
        faults.add(0..0, error.to_string(), "correct it under [sip] or in the [[trunk]]");
        return None;
    }
    Some(config)
}

fn listener(text: &Spanned<String>, faults: &mut Faults<'_>) -> Option<Listener> {
    let parsed = text.get_ref().split_once("://").and_then(|(scheme, address)| {
        let transport = match scheme {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return None,
        };
        Some(Listener { transport, address: address.parse().ok()? })
    });
    if parsed.is_none() {
        let message = format!("{:?} is nothing to listen on", text.get_ref());
        faults.add(text.span(), message, "write \"udp://127.0.0.1:5060\" or \"tcp://[::1]:5060\"");
    }
    parsed
}

fn sip_trunk(trunk: &schema::Trunk, folder: &Path, faults: &mut Faults<'_>) -> TrunkConfig {
    let mut sources = Vec::new();
    for source in &trunk.sources {
        let text = source.get_ref();
        match text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Into::into)) {
            Some(network) => sources.push(network),
            None => {
                let message = format!("{text:?} is no address or network");
                faults.add(source.span(), message, "write \"192.0.2.7\" or \"192.0.2.0/24\"");
            }
        }
    }
    if sources.is_empty() && trunk.proxy.is_none() {
        let message = format!("the trunk {:?} has neither sources nor a proxy", trunk.name.get_ref());
        faults.add(trunk.name.span(), message, "say where its calls come from (`sources`) or go to (`proxy`)");
    }
    let password = trunk.password_file.as_ref().and_then(|file| secret(file, folder, faults));
    let credentials = trunk.username.as_deref().zip(password);
    let defaults = TrunkConfig::by_address(trunk.name.get_ref(), sources);
    TrunkConfig {
        proxy: trunk.proxy.clone(),
        transport: match trunk.transport {
            schema::TrunkTransport::Udp => Transport::Udp,
            schema::TrunkTransport::Tcp => Transport::Tcp,
        },
        domain: trunk.domain.clone(),
        credentials: credentials
            .map(|(username, password)| Credentials { username: PhoneNumber::new(username), password }),
        registration: trunk
            .register
            .as_deref()
            .map(|user| RegistrationConfig { user: PhoneNumber::new(user), expires_s: trunk.register_expires_s }),
        trusts_identity: trunk.trusts_identity,
        script_headers: trunk.script_headers.iter().map(|name| Arc::from(name.as_str())).collect(),
        codecs: trunk.codecs.as_ref().map_or(defaults.codecs, |names| codecs(names, faults)),
        allows_transcript: trunk.transcript,
        session_timer: match trunk.session_expires_s {
            None => defaults.session_timer,
            Some(0) => None,
            Some(expires_s) => Some(SessionTimerConfig { expires_s, ..SessionTimerConfig::default() }),
        },
        calls_max: trunk.calls_max,
        name: defaults.name,
        sources: defaults.sources,
    }
}

fn codecs(names: &[Spanned<String>], faults: &mut Faults<'_>) -> Arc<[Codec]> {
    let mut all = Vec::new();
    for name in names {
        match name.get_ref().to_ascii_uppercase().as_str() {
            "PCMA" => all.push(Codec::Pcma),
            "PCMU" => all.push(Codec::Pcmu),
            "G722" => all.push(Codec::G722),
            _ => faults.add(name.span(), format!("{:?} is no codec", name.get_ref()), "use PCMA, PCMU or G722"),
        }
    }
    all.into()
}

fn ports(text: &Spanned<String>, faults: &mut Faults<'_>) -> Option<RangeInclusive<u16>> {
    let parsed: Option<Range<u16>> = text
        .get_ref()
        .split_once('-')
        .and_then(|(from, to)| Some(from.trim().parse().ok()?..to.trim().parse().ok()?))
        .filter(|ports: &Range<u16>| ports.start >= 1024 && ports.end > ports.start);
    if parsed.is_none() {
        let message = format!("{:?} is no range of ports", text.get_ref());
        faults.add(text.span(), message, "write \"20000-29999\"; a call takes two ports, from 1024 upwards");
    }
    parsed.map(|ports| ports.start..=ports.end)
}

fn speech(speech: &schema::Speech, folder: &Path, faults: &mut Faults<'_>) -> Option<SpeechSettings> {
    let provider = match speech.provider {
        schema::SpeechProvider::EspeakNg => ProviderConfig::EspeakNg { command: speech.command.clone() },
        schema::SpeechProvider::None => ProviderConfig::None,
        schema::SpeechProvider::Http => match &speech.url {
            Some(url) => ProviderConfig::Http { url: url.get_ref().clone() },
            None => {
                faults.add(0..0, "the speech provider \"http\" has no url", "add `url` under [speech]");
                return None;
            }
        },
    };
    Some(SpeechSettings {
        provider,
        cache_mib_max: speech.cache_mib_max,
        media_dir: speech.media_dir.as_ref().map(|dir| folder.join(dir)),
    })
}

fn http(http: &schema::Http, faults: &mut Faults<'_>) -> HttpConfig {
    if let Some(listen) = http.listen.as_ref().filter(|listen| !listen.get_ref().ip().is_loopback()) {
        faults.add(
            listen.span(),
            format!("{} is not on loopback, and this is plain HTTP", listen.get_ref()),
            "listen on 127.0.0.1 and put a proxy with TLS in front",
        );
    }
    HttpConfig { listen: http.listen.as_ref().map(|listen| *listen.get_ref()) }
}

fn call_limits(call: &schema::Call) -> CallLimits {
    let defaults = CallLimits::default();
    CallLimits {
        call_duration_max: call.duration_s_max.map_or(defaults.call_duration_max, Duration::from_secs),
        landing_ring_timeout: call.landing_ring_s.map_or(defaults.landing_ring_timeout, Duration::from_secs),
        landing_rounds_max: call.landing_rounds_max.unwrap_or(defaults.landing_rounds_max),
        ..defaults
    }
}
