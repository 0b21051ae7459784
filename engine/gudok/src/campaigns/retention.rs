//! Campaigns that ended long ago are taken away, with their contacts and results. Opt-outs stay.

use super::orders;
use crate::call::CallHost;
use gudok_core::campaign::RunState;
use gudok_core::ids::Campaign;
use gudok_plugin_host::ports::Clock;
use gudok_store::AuditDraft;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Campaigns are looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Takes away what is kept no longer, for as long as the engine lives.
pub(crate) async fn sweep(host: Arc<CallHost>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // By a rehearsal's clock everything is old.
        let kept = host.director.config().campaigns.kept.filter(|_| !host.clock.is_rehearsal());
        if let Some(kept) = kept {
            sweep_once(&host, kept).await;
        }
    }
}

/// One look.
async fn sweep_once(host: &CallHost, kept: Duration) {
    let Ok(rows) = orders::all(&host.campaigns).await else { return };
    let before_ms = host.clock.now().as_millis().saturating_sub(crate::clock::millis(kept));
    for row in rows.into_iter().filter(|row| is_over(&row.figures.state) && row.figures.state_ms < before_ms) {
        let audit = AuditDraft {
            actor: "engine".to_owned(),
            via: "engine".to_owned(),
            action: "retention.deleted".to_owned(),
            object: format!("campaign:{}", row.name),
            agency: Some(row.document.agency.to_string()),
            details: json!({ "kind": "campaign", "contacts": row.figures.contacts, "before_ms": before_ms }),
        };
        if let Err(refusal) = orders::remove(host, Campaign::new(&row.name), audit).await {
            tracing::error!(campaign = row.name, problem = refusal.problem, "an old campaign was not taken away");
        }
    }
}

fn is_over(state: &str) -> bool {
    state == RunState::Finished.as_str() || state == RunState::Stopped.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_over_is_taken_away() {
        let over = [RunState::Finished, RunState::Stopped];
        for state in [RunState::Draft, RunState::Running, RunState::Paused, RunState::Finished, RunState::Stopped] {
            assert_eq!(is_over(state.as_str()), over.contains(&state), "{}", state.as_str());
        }
    }
}
