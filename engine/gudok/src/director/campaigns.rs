//! Entries of campaigns: their scripts are deployed as others are, asked before dialling, and reached by no number.

use super::Director;
use crate::scripts::PrepareAsk;
use gudok_core::campaign::{Plan, PrepareFailure};
use gudok_core::deployment::{CallEnd, VersionKey};
use gudok_core::ids::{Agency, Entry};
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
