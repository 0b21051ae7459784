//! What there is in a world of campaigns, written down before it runs.

use super::callees::Callees;
use super::numbers::{Number, key};
use super::report::CampaignsReport;
use super::stage::Stage;
use super::trouble::CampaignTrouble;
use gudok_core::campaign::{
    CampaignOrder, CampaignSettings, CampaignsSettings, NumberKey, OptOut, OptOutScope, ZoneNo,
};
use gudok_core::ids::{Campaign, Queue, Trunk};
use gudok_core::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A campaign with its list.
#[derive(Clone, Debug)]
pub struct SimCampaign {
    pub(super) settings: Arc<CampaignSettings>,
    pub(super) contacts: u32,
    pub(super) first_number: u32,
    pub(super) zones: Vec<ZoneNo>,
    pub(super) callees: Callees,
    pub(super) starts_after: Option<Duration>,
}

impl SimCampaign {
    /// So many contacts, spread over all zones, who are as people are; started at once.
    #[must_use]
    pub const fn new(settings: Arc<CampaignSettings>, contacts: u32) -> Self {
        Self {
            settings,
            contacts,
            first_number: 0,
            zones: Vec::new(),
            callees: Callees::USUAL,
            starts_after: Some(Duration::ZERO),
        }
    }

    /// Its numbers are counted from there: lists whose numbers overlap share people.
    #[must_use]
    pub const fn numbers_from(mut self, first: u32) -> Self {
        self.first_number = first;
        self
    }

    /// Its contacts are in these zones alone.
    #[must_use]
    pub fn in_zones(mut self, zones: Vec<ZoneNo>) -> Self {
        self.zones = zones;
        self
    }

    /// What its contacts do.
    #[must_use]
    pub const fn callees(mut self, callees: Callees) -> Self {
        self.callees = callees;
        self
    }

    /// Somebody starts it so long after the world's beginning; nobody does where that is none.
    #[must_use]
    pub const fn starts(mut self, after: Option<Duration>) -> Self {
        self.starts_after = after;
        self
    }
}

/// Something that happens by itself.
#[derive(Clone, Debug)]
pub enum Incident {
    /// Somebody says something to a campaign; a refusal is no fault.
    Order(Campaign, CampaignOrder),
    /// A campaign is edited.
    Edit(Arc<CampaignSettings>),
    /// What campaigns share is another from now on.
    Configure(Arc<CampaignsSettings>),
    /// More contacts, with numbers counted from there.
    Import {
        /// Into which campaign.
        campaign: Campaign,
        /// How many.
        contacts: u32,
        /// From which number on.
        first_number: u32,
    },
    /// Somebody opts out.
    OptOut(OptOut),
    /// Inbound calls are so many from now on.
    Inbound(u32),
    /// The engine drains or is overloaded, or no longer.
    Closed(bool),
    /// A trunk answers 503 for so long.
    TrunkFails(Trunk, Duration),
    /// The wall clock is set forward, or back.
    ClockMoves {
        /// Seconds; below zero for back.
        seconds: i64,
    },
    /// The engine is killed, and is back after so long.
    Dies(Duration),
}

/// Somebody who opts out by number.
#[must_use]
pub const fn opt_out(number: u32, scope: OptOutScope, protected: bool) -> OptOut {
    OptOut { number: number_key(number), scope, protected }
}

/// The key of the world's so-manieth number.
#[must_use]
pub const fn number_key(number: u32) -> NumberKey {
    key(Number(number))
}

/// A world of campaigns: the product's campaign machine, a store, and callees by dice. Calls are not gone through leg by leg:
/// what comes of each is drawn at its beginning, so that a million contacts take minutes. Whole calls are for
/// [`crate::World`].
///
/// ```
/// use gudok_simulator::campaigns::{CampaignWorld, Callees, SimCampaign, samples};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let shared = samples::shared(&["Etc/UTC"]);
/// let campaign = Arc::new(samples::campaign("reminder"));
/// let report = CampaignWorld::new(7, Arc::new(shared))
///     .campaign(SimCampaign::new(campaign, 20).callees(Callees::WILLING))
///     .lasts(Duration::from_hours(24))
///     .run();
/// assert_eq!(report.verdict().unwrap().done("confirmed"), 20);
/// ```
#[derive(Debug)]
pub struct CampaignWorld {
    pub(super) seed: u64,
    pub(super) shared: Arc<CampaignsSettings>,
    pub(super) begins: Timestamp,
    pub(super) lasts: Duration,
    pub(super) campaigns: Vec<SimCampaign>,
    pub(super) trouble: CampaignTrouble,
    pub(super) incidents: Vec<(Duration, Incident)>,
    pub(super) operators: Vec<(Queue, u32)>,
    pub(super) quiet: bool,
}

/// Tuesday, 5 May 2026, noon UTC.
const NOON: Timestamp = Timestamp::from_millis(1_777_982_400_000);

impl CampaignWorld {
    /// An empty world, at noon of a weekday. Everything that is left to chance comes from the seed.
    #[must_use]
    pub const fn new(seed: u64, shared: Arc<CampaignsSettings>) -> Self {
        Self {
            seed,
            shared,
            begins: NOON,
            lasts: Duration::from_hours(72),
            campaigns: Vec::new(),
            trouble: CampaignTrouble::NONE,
            incidents: Vec::new(),
            operators: Vec::new(),
            quiet: false,
        }
    }

    /// The world begins at that time.
    #[must_use]
    pub const fn begins_at(mut self, begins: Timestamp) -> Self {
        self.begins = begins;
        self
    }

    /// It ends after so long, or when everybody was called.
    #[must_use]
    pub const fn lasts(mut self, lasts: Duration) -> Self {
        self.lasts = lasts;
        self
    }

    /// A campaign with its list.
    #[must_use]
    pub fn campaign(mut self, campaign: SimCampaign) -> Self {
        self.campaigns.push(campaign);
        self
    }

    /// What goes wrong.
    #[must_use]
    pub const fn trouble(mut self, trouble: CampaignTrouble) -> Self {
        self.trouble = trouble;
        self
    }

    /// Something happens so long after the world's beginning.
    #[must_use]
    pub fn happens(mut self, after: Duration, incident: Incident) -> Self {
        self.incidents.push((after, incident));
        self
    }

    /// So many operators work for a queue, all the time.
    #[must_use]
    pub fn operators(mut self, queue: &str, operators: u32) -> Self {
        self.operators.push((Queue::new(queue), operators));
        self
    }

    /// Without a trace: for worlds of very many calls.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Lets it all happen, on this thread.
    #[must_use]
    pub fn run(self) -> CampaignsReport {
        Stage::new(self).run()
    }
}
