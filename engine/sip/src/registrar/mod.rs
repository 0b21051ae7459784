//! The registrar (RFC 3261, section 10): operators' telephones say where they are.
//!
//! One contact each, and the last one counts. A telephone is called where its REGISTER came from, over the same stream
//! where it is one, so that it may stand behind NAT. Whoever registers, or calls from a telephone's network, proves
//! itself by digest; the passwords are never written down, nor any `Authorization` field.
//!
//! What it deliberately is not: there are no location services behind it, no Path, no GRUU, no several contacts of one
//! user. Bindings are kept in memory: after a restart telephones are there again with their next REGISTER, which is
//! due after [`RegistrarConfig::expires_s_max`] at the latest.

mod bindings;
mod config;
mod register;
mod verify;

pub(crate) use bindings::{Binding, Flow};
pub use config::{DigestKind, RegistrarConfig, RegistrarSecret, RegistrarUser};
pub(crate) use register::{Answer, Arrival};
pub(crate) use verify::is_in;

use crate::address::{NameAddr, parse_uri};
use crate::config::{Transport, TrunkConfig};
use crate::leg::admit::{respond_apart, source_of};
use crate::leg::{now, sleep_until};
use crate::message::{response, response_base};
use crate::shared::Shared;
use crate::stats::Counter;
use arc_swap::ArcSwapOption;
use bindings::{Bindings, seconds_left};
use gudok_core::ids::Trunk;
use parking_lot::Mutex;
use rsipstack::sip::{Header, Headers, Request};
use rsipstack::transaction::transaction::Transaction;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A telephone came or went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrarEvent {
    /// It can be called. Comes again where the telephone is now somewhere else, not with each refresh.
    Registered {
        /// Whose: the name of a [`RegistrarUser`].
        user: Arc<str>,
    },
    /// It cannot: taken back, run out, its stream was closed, or the user was taken out of the settings.
    Gone {
        /// Whose.
        user: Arc<str>,
    },
}

/// A telephone that is there, for pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Telephone {
    /// Whose.
    pub user: Arc<str>,
    /// Where it is called.
    pub source: SocketAddr,
    /// How.
    pub transport: Transport,
    /// What is left of its registration.
    pub expires_in: Duration,
    /// What it calls itself (`User-Agent`).
    pub agent: Option<Arc<str>>,
}

/// Follows telephones. There is one reader: of two, each would hear a part.
///
/// Nothing is lost by a slow reader, and nothing piles up: it is told how things stand, not how they came about.
pub struct RegistrarEvents {
    shared: Arc<Shared>,
}

impl RegistrarEvents {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The next that came or went; none once the engine has stopped. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<RegistrarEvent> {
        loop {
            let registrar = &self.shared.registrar;
            let changed = registrar.untold.notified();
            if let Some(event) = registrar.next_event() {
                return Some(event);
            }
            tokio::select! {
                () = self.shared.stop.cancelled() => return None,
                () = changed => {}
            }
        }
    }
}

/// The configuration, made ready.
pub(crate) struct Settings {
    pub(crate) config: RegistrarConfig,
    users: HashMap<Arc<str>, verify::Known>,
    /// What telephones' calls are like.
    pub(crate) trunk: Arc<TrunkConfig>,
}

impl Settings {
    fn new(config: &RegistrarConfig) -> Self {
        let trunk = TrunkConfig {
            domain: Some(config.realm.clone()),
            codecs: Arc::clone(&config.codecs),
            ..TrunkConfig::by_address(Trunk::REGISTERED, Vec::new())
        };
        Self { users: verify::known(config), config: config.clone(), trunk: Arc::new(trunk) }
    }
}

/// What the registrar knows.
pub(crate) struct Registrar {
    settings: ArcSwapOption<Settings>,
    verifier: verify::Verifier,
    bindings: Mutex<Bindings>,
    /// There is something to tell the host.
    untold: Notify,
    /// The next binding to run out may be another one.
    rescheduled: Notify,
}

impl Registrar {
    pub(crate) fn new(config: Option<&RegistrarConfig>, now: Instant) -> Self {
        Self {
            settings: ArcSwapOption::from_pointee(config.map(Settings::new)),
            verifier: verify::Verifier::new(now),
            bindings: Mutex::default(),
            untold: Notify::new(),
            rescheduled: Notify::new(),
        }
    }

    /// Takes over settings. Telephones of users who are gone, or whose secret or networks are others now, have to come
    /// again.
    pub(crate) fn reload(&self, config: Option<&RegistrarConfig>) {
        let before = self.settings.load_full();
        let stays = |user: &str| {
            let (Some(before), Some(config)) = (&before, config) else { return false };
            let now = config.users.iter().find(|one| &*one.name == user);
            before.config.realm == config.realm
                && before.config.sources == config.sources
                && now == before.users.get(user).map(|known| &known.user)
        };
        self.settings.store(config.map(|config| Arc::new(Settings::new(config))));
        self.bindings.lock().retain(|user, _| stays(user));
        self.note_change();
    }

    pub(crate) fn settings(&self) -> Option<Arc<Settings>> {
        self.settings.load_full()
    }

    /// Where a user's telephone is now.
    pub(crate) fn binding(&self, user: &str, now: Instant) -> Option<Binding> {
        self.bindings.lock().of(user).filter(|binding| binding.is_usable(now)).cloned()
    }

    /// Whether a telephone is registered from there.
    pub(crate) fn has_flow(&self, flow: &Flow) -> bool {
        self.bindings.lock().has_flow(flow)
    }

    /// Whose call an INVITE of a telephone is; or the answer that asks for proof, or refuses.
    pub(crate) fn caller(&self, invite: &Request, arrival: &Arrival, now: Instant) -> Result<Arc<str>, Answer> {
        let settings = self.settings.load();
        let forbidden = || Answer { status: 403, headers: Vec::new(), counter: Counter::RegisterForbidden };
        let settings = settings.as_ref().ok_or_else(forbidden)?;
        let user = self.prove(settings, invite, arrival, now)?;
        let is_here = self.binding(&user.name, now).is_some();
        if is_here { Ok(Arc::clone(&user.name)) } else { Err(forbidden()) }
    }

    /// Forgets the bindings that have run out, and those whose stream is closed.
    pub(crate) fn sweep(&self, now: Instant) {
        if self.bindings.lock().retain(|_, binding| binding.is_usable(now)) > 0 {
            self.note_change();
        }
    }

    fn note_change(&self) {
        self.untold.notify_one();
        self.rescheduled.notify_one();
    }

    /// The telephones that are there, by name.
    pub(crate) fn telephones(&self, now: Instant) -> Vec<Telephone> {
        let bindings = self.bindings.lock();
        let usable = bindings.iter().filter(|(_, binding)| binding.is_usable(now));
        let mut all: Vec<Telephone> = usable
            .map(|(user, binding)| Telephone {
                user: Arc::clone(user),
                source: binding.flow.1,
                transport: binding.flow.0,
                expires_in: Duration::from_secs(seconds_left(binding, now)),
                agent: binding.agent.clone(),
            })
            .collect();
        all.sort_by(|a, b| a.user.cmp(&b.user));
        all
    }

    fn next_event(&self) -> Option<RegistrarEvent> {
        let mut bindings = self.bindings.lock();
        let (user, binding) = bindings.next_untold()?;
        Some(if binding.is_some() { RegistrarEvent::Registered { user } } else { RegistrarEvent::Gone { user } })
    }
}

/// How a request came. None where it cannot be told.
pub(crate) fn arrival(transaction: &Transaction) -> Option<Arrival> {
    let connection = transaction.connection.clone()?;
    let address = source_of(transaction)?;
    let transport = if connection.is_reliable() { Transport::Tcp } else { Transport::Udp };
    let source = address.get_socketaddr().ok()?;
    Some(Arrival { flow: (transport, source), connection, address })
}

/// Answers a REGISTER.
pub(crate) async fn take(shared: &Arc<Shared>, mut transaction: Box<Transaction>) {
    let Some(arrival) = arrival(&transaction) else { return };
    transaction.destination = Some(arrival.address.clone());
    let answer = shared.registrar.register(&transaction.original, &arrival, now());
    shared.gate.counters.count(answer.counter);
    let base = response_base(&transaction.original, Some(&crate::dialog::tag_text(rand::random())));
    respond_apart(shared, transaction, response(&base, answer.status, answer.headers, None)).await;
}

/// Forgets bindings when their time is over, until the engine stops.
pub(crate) async fn keep_time(shared: Arc<Shared>) {
    loop {
        let registrar = &shared.registrar;
        let next = registrar.bindings.lock().next_expiry();
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = registrar.rescheduled.notified() => {}
            () = sleep_until(next) => registrar.sweep(now()),
        }
    }
}

/// Makes the Contact of a telephone's answer lead where the telephone sends from. Behind NAT it names an address that
/// does not, and the stack sends its ACK of a 2xx to nowhere else.
pub(crate) fn point_contact_at(headers: &mut Headers, source: SocketAddr) {
    for header in headers.iter_mut() {
        let Header::Contact(contact) = header else { continue };
        let text = contact.value().to_owned();
        let address = NameAddr::read(&text);
        if let Some(mut uri) = parse_uri(address.uri)
            && uri.host_with_port != source.into()
        {
            uri.host_with_port = source.into();
            contact.replace(format!("<{uri}>{}", address.params));
        }
    }
}
