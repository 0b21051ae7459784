//! Where telephones are now: one contact each, the last one counts.

use crate::config::Transport;
use rsipstack::sip::Uri;
use rsipstack::transport::{SipAddr, SipConnection};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which way a message came: for a datagram the address, for a stream the peer of the connection.
pub(crate) type Flow = (Transport, SocketAddr);

/// One telephone's contact.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// As the telephone named it.
    pub(crate) contact: Uri,
    /// Which REGISTER it came by: a later one of the same Call-ID must have a higher number.
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) expires_at: Instant,
    /// Where the REGISTER came from. Calls go there, whatever the contact says: behind NAT it says nothing.
    pub(crate) flow: Flow,
    pub(crate) connection: SipConnection,
    pub(crate) address: SipAddr,
    /// User-Agent, for people.
    pub(crate) agent: Option<Arc<str>>,
}

impl Binding {
    /// A datagram finds its way as long as the binding lasts; a stream may have been closed.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        self.expires_at > now && self.connection.cancel_token().is_none_or(|token| !token.is_cancelled())
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Bindings {
    by_user: HashMap<Arc<str>, Binding>,
    /// How many telephones are behind each.
    flows: HashMap<Flow, usize>,
    /// Users of whom the host is to be told.
    untold: BTreeSet<Arc<str>>,
}

impl Bindings {
    pub(super) fn of(&self, user: &str) -> Option<&Binding> {
        self.by_user.get(user)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Binding)> {
        self.by_user.iter()
    }

    pub(super) fn has_flow(&self, flow: &Flow) -> bool {
        self.flows.contains_key(flow)
    }

    /// Notes where a telephone is. The host hears of it where it was not there before, or is somewhere else now.
    pub(super) fn bind(&mut self, user: &Arc<str>, binding: Binding) {
        let (flow, contact) = (binding.flow, binding.contact.to_string());
        *self.flows.entry(flow).or_insert(0) += 1;
        let before = self.by_user.insert(Arc::clone(user), binding);
        if let Some(before) = &before {
            self.leave(before.flow);
        }
        if before.is_none_or(|before| before.flow != flow || before.contact.to_string() != contact) {
            self.untold.insert(Arc::clone(user));
        }
    }

    pub(super) fn unbind(&mut self, user: &str) -> bool {
        let Some((user, binding)) = self.by_user.remove_entry(user) else { return false };
        self.leave(binding.flow);
        self.untold.insert(user);
        true
    }

    /// Takes out whoever is no longer wanted.
    pub(super) fn retain(&mut self, keep: impl Fn(&str, &Binding) -> bool) -> usize {
        let gone: Vec<Arc<str>> = self
            .by_user
            .iter()
            .filter(|(user, binding)| !keep(user, binding))
            .map(|(user, _)| Arc::clone(user))
            .collect();
        gone.iter().filter(|user| self.unbind(user)).count()
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.by_user.values().map(|binding| binding.expires_at).min()
    }

    /// The next user of whom the host does not know yet, and whether the telephone is there.
    pub(super) fn next_untold(&mut self) -> Option<(Arc<str>, Option<&Binding>)> {
        let user = self.untold.pop_first()?;
        let binding = self.by_user.get(&user);
        Some((user, binding))
    }

    fn leave(&mut self, flow: Flow) {
        if let Some(count) = self.flows.get_mut(&flow) {
            *count -= 1;
            if *count == 0 {
                self.flows.remove(&flow);
            }
        }
    }
}

/// Whole seconds that are left, at least 1 of a binding that is in force.
pub(super) fn seconds_left(binding: &Binding, now: Instant) -> u64 {
    let left = binding.expires_at.saturating_duration_since(now);
    (left + Duration::from_millis(999)).as_secs()
}
