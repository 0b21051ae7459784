//! Where agencies' tickets go: what the file says, and what the ledger says in its place.

use gudok_core::outbox::Endpoint;
use gudok_core::privacy::Secret;
use std::fmt;

/// One agency's tickets on their way at once.
const SENDING_MAX: usize = 8;

/// One agency's webhook.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Webhook {
    /// Where.
    pub(crate) url: String,
    /// Signs.
    pub(crate) secret: Secret,
    /// One after another, in the order of their numbers.
    pub(crate) ordered: bool,
}

impl Webhook {
    /// In no promised order.
    pub(crate) const fn new(url: String, secret: Secret) -> Self {
        Self { url, secret, ordered: false }
    }

    pub(super) const fn endpoint(&self) -> Endpoint {
        Endpoint { ordered: self.ordered, sending_max: SENDING_MAX }
    }
}

impl fmt::Debug for Webhook {
    /// Without its path, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("ordered", &self.ordered).finish_non_exhaustive()
    }
}
