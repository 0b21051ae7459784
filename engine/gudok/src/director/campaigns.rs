//! Entries of campaigns: their scripts are deployed as others are, asked before dialling, and reached by no number.

use super::Director;
use super::refusal::refused;
use crate::scripts::PrepareAsk;
use gudok_admin::documents::VersionDocument;
use gudok_admin::ports::EngineRefusal;
use gudok_core::campaign::{Plan, PrepareFailure};
use gudok_core::deployment::{CallEnd, VersionKey};
use gudok_core::ids::{Agency, Entry};
use gudok_core::routing::Routes;
use gudok_core::script::LandingCause;
use gudok_plugin_host::manifest::Kind;
use std::sync::Arc;
use std::time::Duration;

impl Director {
    /// Asks the script that is active for a campaign about a contact. Which version that is, is decided as for a call: who
    /// would be the canary's is the canary's here too.
    ///
    /// What a script says before dialling is no call of its version, and counts for nothing; a failure does, so that a
    /// version that cannot prepare is taken back like one that cannot talk.
    ///
    /// # Errors
    /// Where no campaign's script is active there, or it failed, or no place was free for it.
    pub(crate) async fn prepare(self: &Arc<Self>, ask: PrepareAsk) -> Result<Plan, PrepareFailure> {
        let (agency, entry) = (ask.agency.clone(), ask.entry.clone());
        let sticky = self.sticky.sticky(Some(ask.contact.number.reveal()), &agency, &entry);
        let version = self.registry.current(&agency, &entry, sticky);
        let version = version.filter(|version| version.kind() == Kind::Campaign).ok_or(PrepareFailure::NoScript)?;
        let key = VersionKey(version.id.bundle_sha256);
        let report = self.scripts.prepare(version, ask).await;
        if report.plan == Err(PrepareFailure::Script) {
            let cause = report.fault.map_or(LandingCause::Trap, |fault| fault.cause);
            self.prepare_failed(&agency, &entry, key, cause, Duration::from_micros(report.cpu_us));
        }
        report.plan
    }

    /// Whether a version is of the kind that its entry is for: an entry is called, or it calls.
    pub(super) fn check_kind(
        &self,
        version: &VersionDocument,
        agency: &Agency,
        entry: &Entry,
        routes: &Routes,
    ) -> Result<(), EngineRefusal> {
        let facts = &version.facts;
        let campaign = facts.kind == Kind::Campaign.as_str();
        let is_campaign = self.slot(agency, entry).and_then(|slot| slot.is_campaign());
        match is_campaign.filter(|is_campaign| *is_campaign != campaign) {
            Some(true) => {
                let problem =
                    format!("{agency}/{entry} is a campaign's entry, and {} is a {}", facts.script, facts.kind);
                let remedy = "deploy it under another entry: campaigns that call by this one need their script";
                return Err(refused("entry-not-allowed", 409, Some("entry"), problem, remedy));
            }
            Some(false) => {
                let problem = format!("{agency}/{entry} takes calls, and {} is a campaign", facts.script);
                let remedy = "deploy it under an entry of its own";
                return Err(refused("entry-not-allowed", 409, Some("entry"), problem, remedy));
            }
            None => {}
        }
        let leads_here = routes.numbers.iter().find(|(_, route)| route.agency == *agency && route.entry == *entry);
        match leads_here {
            Some((number, _)) if campaign => {
                let problem =
                    format!("the number {number} leads to {agency}/{entry}, and {} is a campaign", facts.script);
                let remedy = "lead the number elsewhere first, or deploy the campaign under an entry of its own";
                Err(refused("entry-not-allowed", 409, Some("entry"), problem, remedy))
            }
            _ => Ok(()),
        }
    }

    /// Nobody gets to a campaign's script by calling. Deploying sees to that; what a file says later is told in the log.
    pub(super) fn take_campaigns_out(&self, routes: &mut Routes) {
        let slots = self.all_slots();
        let campaigns: Vec<(&Agency, &Entry)> = slots
            .iter()
            .filter(|slot| slot.is_campaign() == Some(true))
            .map(|slot| (&slot.agency, &slot.entry))
            .collect();
        if campaigns.is_empty() {
            return;
        }
        let of_campaign = |agency: &Agency, entry: &Entry| campaigns.contains(&(agency, entry));
        routes.numbers.retain(|number, route| {
            let leads_to_campaign = of_campaign(&route.agency, &route.entry);
            if leads_to_campaign {
                tracing::error!(%number, agency = %route.agency, entry = %route.entry, "a number leads to a campaign's entry, which takes no calls; lead it elsewhere");
            }
            !leads_to_campaign
        });
        for agency in routes.agencies.values_mut() {
            agency.reachable.retain(|_, (agency, entry)| !of_campaign(agency, entry));
        }
    }

    fn prepare_failed(
        self: &Arc<Self>,
        agency: &Agency,
        entry: &Entry,
        key: VersionKey,
        cause: LandingCause,
        cpu: Duration,
    ) {
        let (Some(slot), now) = (self.slot(agency, entry), self.now()) else { return };
        let changed = slot.change(&self.registry, |live| {
            if live.loaded.contains_key(&key) {
                live.machine.call_began(key, now);
                live.machine.call_ended(key, CallEnd::Landed { cause }, cpu, now);
            }
        });
        if let Some(((), after)) = changed {
            self.after(&slot, after);
        }
    }
}
