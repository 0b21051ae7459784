//! Queues, operators, peer centres and telephones that register: who waits, who works, who else can help.

use super::super::Faults;
use super::super::schema::{self, File};
use super::routes::{Names, dial_target, known};
use super::secret;
use super::sip::networks;
use gudok_core::calendar::Calendar;
use gudok_core::centre::{
    CallbackRules, CentreSettings, DialFirst, OperatorSettings, PeerSettings, QueueSettings, RingStrategy,
    SkillRelaxation, UnknownRule,
};
use gudok_core::ids::{Agency, Operator, Peer, Queue, Skill, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_sip::{DigestKind, IpNet};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// "… waiting of at most 40 seconds": decree 1931 of 27 November 2023, point 5.
const WAIT_S_MAX: u64 = 40;
/// "… called back within 10 minutes": the same point.
const CALLBACK_WITHIN_S_MAX: u64 = 600;
const DECREE: &str = "decree 1931, point 5";
/// What a queue's telephone may ring; longer is a mistake, since the whole wait is shorter.
const RING_S_MAX: u64 = 40;
const SERVICE_LEVEL_S_MAX: u64 = 600;
/// Callers of one queue at once.
const WAITING_MAX: usize = 10_000;

/// Telephones that register here.
#[derive(Clone, Debug)]
pub(super) struct RegistrarSettings {
    pub(crate) realm: String,
    pub(crate) sources: Vec<IpNet>,
    pub(crate) expires_s_min: u32,
    pub(crate) expires_s_max: u32,
    /// None: as the SIP room has it.
    pub(crate) digests: Option<Vec<DigestKind>>,
    /// By login.
    pub(crate) passwords: BTreeMap<String, Secret>,
}

/// All of it. What refers to nothing is a fault.
pub(super) fn settings(
    file: &File,
    names: &Names<'_>,
    calendars: &BTreeMap<String, Arc<Calendar>>,
    zone: &TimeZone,
    faults: &mut Faults<'_>,
) -> CentreSettings {
    let queues = file.queue.iter().map(|queue| {
        let settings = Arc::new(self::queue(queue, names, calendars, zone, faults));
        (settings.name.clone(), settings)
    });
    let queues = queues.collect();
    let operators = file.operator.iter().map(|operator| {
        let settings = Arc::new(self::operator(operator, file, names, faults));
        (settings.name.clone(), settings)
    });
    let operators = operators.collect();
    let peers = file.peer.iter().map(|peer| {
        let settings = Arc::new(self::peer(peer, names, faults));
        (settings.name.clone(), settings)
    });
    CentreSettings { queues, operators, peers: peers.collect() }
}

fn queue(
    queue: &schema::Queue,
    names: &Names<'_>,
    calendars: &BTreeMap<String, Arc<Calendar>>,
    zone: &TimeZone,
    faults: &mut Faults<'_>,
) -> QueueSettings {
    if let Some(agency) = &queue.agency {
        known("agency", agency, &names.agencies, faults);
    }
    if let Some(calendar) = &queue.calendar {
        known("calendar", calendar, &names.calendars, faults);
    }
    for peer in &queue.peers {
        known("peer", peer, &names.peers, faults);
    }
    check_times(queue, faults);
    let calendar = queue.calendar.as_ref().and_then(|name| calendars.get(name.get_ref()).cloned());
    QueueSettings {
        name: Queue::new(queue.name.get_ref()),
        agency: queue.agency.as_ref().map(|agency| Agency::new(agency.get_ref())),
        calendar: calendar.unwrap_or_else(|| Arc::new(Calendar::always_open(zone.clone()))),
        strategy: match queue.strategy {
            schema::Strategy::LongestIdle => RingStrategy::LongestIdle,
            schema::Strategy::RoundRobin => RingStrategy::RoundRobin,
            schema::Strategy::RingAll => RingStrategy::RingAll,
        },
        waiting_max: *queue.waiting_max.get_ref(),
        wait_max: Duration::from_secs(*queue.wait_s_max.get_ref()),
        act_before: Duration::from_secs(*queue.act_before_s.get_ref()),
        offer_again_after: Duration::from_secs(queue.offer_again_after_s.max(1)),
        announce_every: Duration::from_secs(queue.announce_every_s),
        ring_max: Duration::from_secs(*queue.ring_s_max.get_ref()),
        wrap_up: Duration::from_secs(queue.wrap_up_s),
        misses_max: queue.misses_max,
        relax: relaxations(&queue.relax, faults),
        peers: queue.peers.iter().map(|peer| Peer::new(peer.get_ref())).collect(),
        callback: queue.callback.as_ref().map(|rules| callback(rules, names, faults)),
        service_level: Duration::from_secs(*queue.service_level_s.get_ref()),
    }
}

/// The decree's limits, and what makes no sense.
fn check_times(queue: &schema::Queue, faults: &mut Faults<'_>) {
    let decree = format!("nobody may wait longer than {WAIT_S_MAX} s without an operator or an offer ({DECREE})");
    within(&queue.wait_s_max, (1, WAIT_S_MAX), "wait_s_max", &decree, faults);
    within(&queue.ring_s_max, (1, RING_S_MAX), "ring_s_max", "a telephone rings for some seconds", faults);
    let level = "the service level counts who was answered within it";
    within(&queue.service_level_s, (1, SERVICE_LEVEL_S_MAX), "service_level_s", level, faults);
    let (wait_s, act_before_s) = ((*queue.wait_s_max.get_ref()).clamp(1, WAIT_S_MAX), *queue.act_before_s.get_ref());
    if act_before_s > wait_s {
        // Where nobody wrote it, the fault is on what was written.
        let written = [&queue.act_before_s, &queue.wait_s_max].map(Spanned::span);
        let at = written.into_iter().find(|at| !at.is_empty()).unwrap_or_default();
        faults.add(
            at,
            format!("act_before_s = {act_before_s} is more than wait_s_max = {wait_s}: the host would act before anybody waits"),
            format!("choose act_before_s = 0 to {wait_s}; an offer takes some 10 s to say"),
        );
    }
    if !(1..=WAITING_MAX).contains(queue.waiting_max.get_ref()) {
        let message = format!("waiting_max = {} is not to be had", queue.waiting_max.get_ref());
        faults.add(queue.waiting_max.span(), message, format!("choose 1 to {WAITING_MAX}"));
    }
}

fn within(value: &Spanned<u64>, (from, to): (u64, u64), name: &str, why: &str, faults: &mut Faults<'_>) {
    if !(from..=to).contains(value.get_ref()) {
        let message = format!("{name} = {} is not to be had: {why}", value.get_ref());
        faults.add(value.span(), message, format!("choose {from} to {to}"));
    }
}

fn relaxations(relax: &[Spanned<schema::Relaxation>], faults: &mut Faults<'_>) -> Vec<SkillRelaxation> {
    let mut all: Vec<SkillRelaxation> = Vec::new();
    for step in relax {
        let (after, levels) = (Duration::from_secs(step.get_ref().after_s), step.get_ref().levels);
        if all.last().is_some_and(|last| last.after >= after || last.levels >= levels) {
            faults.add(
                step.span(),
                "each step of relax comes later than the one before it, and takes off more",
                "order the steps by after_s: [{ after_s = 10, levels = 1 }, { after_s = 20, levels = 2 }]",
            );
        }
        all.push(SkillRelaxation { after, levels });
    }
    all
}

fn callback(rules: &Spanned<schema::CallbackRules>, names: &Names<'_>, faults: &mut Faults<'_>) -> CallbackRules {
    let (at, rules) = (rules.span(), rules.get_ref());
    known("trunk", &rules.trunk, &names.trunks, faults);
    if !(1..=CALLBACK_WITHIN_S_MAX).contains(rules.within_s.get_ref()) {
        let message = format!(
            "within_s = {} is not to be had: who is promised a callback is called within {CALLBACK_WITHIN_S_MAX} s ({DECREE})",
            rules.within_s.get_ref()
        );
        faults.add(rules.within_s.span(), message, format!("choose 1 to {CALLBACK_WITHIN_S_MAX}"));
    }
    if rules.dialable.is_empty() {
        faults.add(at, "callback.dialable is empty: nobody could be called back", "write dialable = [\"+7\"]");
    }
    for prefix in rules.dialable.iter().chain(&rules.barred) {
        let digits = prefix.get_ref().strip_prefix('+');
        if !digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())) {
            let message = format!("{:?} is no prefix of E.164 numbers", prefix.get_ref());
            faults.add(prefix.span(), message, "write \"+7\" or \"+7809\"");
        }
    }
    let prefixes = |all: &[Spanned<String>]| all.iter().map(|prefix| prefix.get_ref().clone()).collect();
    CallbackRules {
        dial_first: match rules.dial_first {
            schema::DialFirst::Operator => DialFirst::Operator,
            schema::DialFirst::Caller => DialFirst::Caller,
        },
        within: Duration::from_secs(*rules.within_s.get_ref()),
        attempts_max: rules.attempts_max.max(1),
        retry_after: Duration::from_secs(rules.retry_after_s.max(1)),
        ring_max: Duration::from_secs(rules.ring_s_max.clamp(1, 180)),
        unknown: match rules.unknown {
            schema::Unknown::Ask => UnknownRule::Ask,
            schema::Unknown::GiveUp => UnknownRule::GiveUp,
        },
        open_max: rules.open_max,
        per_number_max: rules.per_number_max.max(1),
        trunk: Trunk::new(rules.trunk.get_ref()),
        shown: rules.shown.as_deref().map(PhoneNumber::new),
        dialable: prefixes(&rules.dialable),
        barred: prefixes(&rules.barred),
    }
}

fn operator(
    operator: &schema::QueueOperator,
    file: &File,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> OperatorSettings {
    let login = operator.name.get_ref();
    for queue in &operator.queues {
        known("queue", queue, &names.queues, faults);
    }
    if operator.skills.values().any(|level| *level == 0) {
        let message = format!("a skill of the operator {login:?} has level 0, which is the same as none");
        faults.add(operator.name.span(), message, "levels begin at 1; leave out a skill that is not there");
    }
    let target = match &operator.address {
        Some(address) => dial_target(address, operator.trunk.as_ref(), names, faults),
        None => {
            if file.registrar.is_none() {
                faults.add(
                    operator.name.span(),
                    format!("the operator {login:?} has no telephone: it has no address, and nothing registers here"),
                    "give an address = \"sip:user@host:port\", or add [registrar] realm = \"centre.example\"",
                );
            } else if operator.password_file.is_none() {
                faults.add(
                    operator.name.span(),
                    format!("the telephone of the operator {login:?} registers and has no password"),
                    "add a password_file, or the telephone's fixed address",
                );
            }
            registered(login)
        }
    };
    OperatorSettings {
        name: Operator::new(login),
        shown_name: Arc::from(operator.shown_name.as_deref().unwrap_or(login)),
        target,
        queues: operator.queues.iter().map(|queue| Queue::new(queue.get_ref())).collect(),
        skills: operator.skills.iter().map(|(skill, level)| (Skill::new(skill), *level)).collect(),
        always_ready: operator.always_ready,
    }
}

/// Wherever the telephone of this login has registered.
pub(crate) fn registered(login: &str) -> DialTarget {
    DialTarget { trunk: Some(Trunk::new(Trunk::REGISTERED)), address: PhoneNumber::new(login) }
}

fn peer(peer: &schema::Peer, names: &Names<'_>, faults: &mut Faults<'_>) -> PeerSettings {
    PeerSettings {
        name: Peer::new(peer.name.get_ref()),
        target: dial_target(&peer.address, peer.trunk.as_ref(), names, faults),
        calls_max: peer.calls_max,
        ring_max: Duration::from_secs(peer.ring_s_max.max(1)),
        rest_after_failure: Duration::from_secs(peer.rest_after_failure_s),
        areas: peer.areas.iter().map(|area| Arc::from(area.as_str())).collect(),
    }
}

fn digests(names: &[Spanned<String>], faults: &mut Faults<'_>) -> Vec<DigestKind> {
    let mut all = Vec::new();
    for name in names {
        let text = name.get_ref();
        match [DigestKind::Sha256, DigestKind::Md5].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text)) {
            Some(kind) => all.push(kind),
            None => {
                faults.add(name.span(), format!("{text:?} is no digest of telephones"), "write \"SHA-256\" or \"MD5\"");
            }
        }
    }
    all
}

/// What the telephones that register need; none where none may.
pub(super) fn registrar(file: &File, folder: &Path, faults: &mut Faults<'_>) -> Option<RegistrarSettings> {
    let passwords: BTreeMap<String, Secret> = file
        .operator
        .iter()
        .filter_map(|operator| {
            let password = secret(operator.password_file.as_ref()?, folder, faults)?;
            Some((operator.name.get_ref().clone(), password))
        })
        .collect();
    let registrar = file.registrar.as_ref()?;
    if registrar.sources.is_empty() {
        faults.add(
            registrar.realm.span(),
            "[registrar] has no sources: no telephone may come from anywhere",
            "name the networks of the operators' telephones: sources = [\"10.1.0.0/16\"]",
        );
    }
    let sources = networks(&registrar.sources, faults);
    Some(RegistrarSettings {
        realm: registrar.realm.get_ref().clone(),
        sources,
        expires_s_min: registrar.expires_s_min,
        expires_s_max: registrar.expires_s_max,
        digests: registrar.digests.as_ref().map(|names| digests(names, faults)),
        passwords,
    })
}
