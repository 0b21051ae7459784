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

pub(crate) use bindings::{Binding, Flow};
pub use config::{DigestKind, RegistrarConfig, RegistrarSecret, RegistrarUser};

use crate::config::Transport;
use crate::shared::Shared;
use bindings::{Bindings, seconds_left};
use parking_lot::Mutex;
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

/// What the registrar knows.
#[derive(Default)]
pub(crate) struct Registrar {
    bindings: Mutex<Bindings>,
    /// There is something to tell the host.
    untold: Notify,
}

impl Registrar {
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
