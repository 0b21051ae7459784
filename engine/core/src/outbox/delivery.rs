//! One delivery and where it stands.

use crate::ids::Agency;
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A delivery's name: the ticket's, "AGENCY/NUMBER".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(Arc<str>);

impl DeliveryId {
    /// Takes the name as it is.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// A delivery, with everything that must survive the engine's end. What is delivered is not here: it is written once, in
/// the ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its name.
    pub id: DeliveryId,
    /// To whom.
    pub agency: Agency,
    /// Grows with every delivery of an agency.
    pub order: u64,
    /// Promised when.
    pub created: Timestamp,
    /// Attempts that ended.
    pub attempts: u32,
    /// When the first of them ended.
    pub first_attempt: Option<Timestamp>,
    /// What the agency answered last.
    pub status: Option<u16>,
    /// How the last failure went, in few words without paths, bodies and secrets.
    pub problem: Option<Arc<str>>,
    /// Where it stands.
    pub state: DeliveryState,
}

impl Delivery {
    /// A delivery that was just promised.
    #[must_use]
    pub fn new(id: DeliveryId, agency: Agency, order: u64, created: Timestamp) -> Self {
        let state = DeliveryState::Waiting { not_before: created };
        Self { id, agency, order, created, attempts: 0, first_attempt: None, status: None, problem: None, state }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// To be sent; not before the time given.
    Waiting {
        /// From then on.
        not_before: Timestamp,
    },
    /// The agency has it. The end.
    Delivered {
        /// Since when.
        at: Timestamp,
    },
    /// Nobody sends it any more, until a person says so.
    Dead {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: DeadReason,
    },
}

/// Why a delivery is dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeadReason {
    /// Tried for as long as the settings say.
    GivenUp,
    /// The agency wants no more of it (410).
    Refused,
}

impl DeadReason {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GivenUp => "given-up",
            Self::Refused => "refused",
        }
    }
}

/// How one sending went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendOutcome {
    /// The agency has it: a status from 200 to 299.
    Accepted {
        /// Which.
        status: u16,
    },
    /// Not now.
    Failed {
        /// What the agency answered, where it did.
        status: Option<u16>,
        /// In few words.
        problem: Arc<str>,
        /// What the agency asked for.
        retry_after: Option<Duration>,
    },
    /// Never (410).
    Gone {
        /// In few words.
        problem: Arc<str>,
    },
}
