//! The machine: what it is told, and what follows in which order.

use super::contact::{ContactNo, ContactSeed};
use super::face::{CampaignCommand, CampaignInput, CampaignOrder, CampaignRefusal, ContactDecision};
use super::figures::{ContactView, Figures, Forecast, ForecastAssumptions};
use super::settings::{CampaignSettings, CampaignsSettings};
use crate::ids::Campaign;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// All campaigns. See the module's page.
///
/// Tell it what happens ([`CampaignMachine::handle`], [`CampaignMachine::order`], [`CampaignMachine::decide`]); after each,
/// drain [`CampaignMachine::poll_command`], then ask for the [`CampaignMachine::deadline`] and call
/// [`CampaignMachine::handle_timeout`] when it has come.
#[derive(Debug)]
pub struct CampaignMachine {
    settings: Arc<CampaignsSettings>,
    commands: VecDeque<CampaignCommand>,
}

impl CampaignMachine {
    /// No campaigns yet. Ids of calls, and chance in retries, are drawn from the seed: random in a real engine, and never the
    /// same twice.
    #[must_use]
    pub fn new(settings: Arc<CampaignsSettings>, seed: u128, now: Timestamp) -> Self {
        let _ = (seed, now);
        Self { settings, commands: VecDeque::new() }
    }

    /// Something happened.
    pub fn handle(&mut self, input: CampaignInput, now: Timestamp) {
        let _ = now;
        if let CampaignInput::Configured(settings) = input {
            self.settings = settings;
        }
    }

    /// Somebody says something to a campaign.
    ///
    /// # Errors
    /// [`CampaignRefusal::Unknown`], [`CampaignRefusal::WrongState`] or [`CampaignRefusal::Empty`]; then nothing has changed.
    pub fn order(&mut self, campaign: &Campaign, order: CampaignOrder, now: Timestamp) -> Result<(), CampaignRefusal> {
        let _ = (order, now);
        Err(CampaignRefusal::Unknown(campaign.clone()))
    }

    /// Somebody decides about a contact.
    ///
    /// # Errors
    /// [`CampaignRefusal::Unknown`], [`CampaignRefusal::NoContact`] or [`CampaignRefusal::WrongContact`]; then nothing has
    /// changed.
    pub fn decide(
        &mut self,
        campaign: &Campaign,
        contact: ContactNo,
        decision: ContactDecision,
        now: Timestamp,
    ) -> Result<(), CampaignRefusal> {
        let _ = (contact, decision, now);
        Err(CampaignRefusal::Unknown(campaign.clone()))
    }

    /// The deadline has come, or may have.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// When [`CampaignMachine::handle_timeout`] wants to be called at the latest. None: nothing comes due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The next thing to be done.
    pub fn poll_command(&mut self) -> Option<CampaignCommand> {
        self.commands.pop_front()
    }

    /// What campaigns share.
    #[must_use]
    pub const fn settings(&self) -> &Arc<CampaignsSettings> {
        &self.settings
    }

    /// All campaigns, by name.
    pub fn campaigns(&self) -> impl Iterator<Item = &Arc<CampaignSettings>> {
        std::iter::empty()
    }

    /// How a campaign stands; none where there is none of that name. Looks at no contact: cheap.
    #[must_use]
    pub fn figures(&self, campaign: &Campaign, now: Timestamp) -> Option<Figures> {
        let _ = (campaign, now);
        None
    }

    /// One contact.
    #[must_use]
    pub fn contact(&self, campaign: &Campaign, contact: ContactNo) -> Option<ContactView> {
        let _ = (campaign, contact);
        None
    }

    /// The dry run of a list that need not be here: what would happen when, if the campaign began at `now` and had the lines
    /// for itself. By windows, opt-outs, pace and retries; looks at every contact once.
    pub fn plan(
        &self,
        campaign: &CampaignSettings,
        contacts: impl IntoIterator<Item = ContactSeed>,
        assumed: ForecastAssumptions,
        now: Timestamp,
    ) -> Forecast {
        let _ = (campaign, contacts.into_iter(), now);
        Forecast { assumed, ..Forecast::default() }
    }

    /// The same for the contacts that are here.
    #[must_use]
    pub fn forecast(&self, campaign: &Campaign, assumed: ForecastAssumptions, now: Timestamp) -> Option<Forecast> {
        let _ = (campaign, assumed, now);
        None
    }
}
