//! What must happen by itself: what has expired goes, and what is kept too long is deleted, with an entry in the audit
//! that says what.

use super::{agencies, retention};
use crate::Admin;
use crate::ledger::{Change, with_details};
use crate::limits::{STEP_ROWS_MAX, STEPS_MAX};
use crate::problem::Problem;
use gudok_store::{AgencyId, AuditDraft, Deleted, UtcMs};

const DAY_MS: u64 = 86_400_000;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Documents of the ledger that had expired.
    pub documents: u64,
    /// Call records past their retention.
    pub cdrs: u64,
    /// Recordings past their retention.
    pub recordings: u64,
}

impl Admin {
    /// One round of housekeeping, in small steps; what is left is for the next round. The engine calls it every minute.
    ///
    /// # Errors
    /// Of the store.
    pub async fn housekeep(&self) -> Result<Tidied, Problem> {
        self.rates().tidy();
        let mut tidied = Tidied::default();
        for _ in 0..STEPS_MAX {
            let swept = self.store().ledger_sweep(self.now(), STEP_ROWS_MAX).await?;
            tidied.documents += swept.removed;
            if !swept.more {
                break;
            }
        }
        for agency in agencies::all(self).await? {
            let deleted = delete_past_retention(self, &agency.name).await?;
            tidied.cdrs += deleted.cdrs;
            tidied.recordings += deleted.recordings;
        }
        Ok(tidied)
    }
}

async fn delete_past_retention(admin: &Admin, agency: &str) -> Result<Deleted, Problem> {
    let (kept, _) = retention::of_agency(admin, agency).await?;
    let id = AgencyId::new(agency)?;
    let before = |days: u32| UtcMs(admin.now_ms().saturating_sub(u64::from(days) * DAY_MS));
    let mut all = Deleted::default();
    for _ in 0..STEPS_MAX {
        let before = before(kept.recording_days);
        let step = admin.store().recordings_delete_before(Some(id.clone()), before, admin.now(), STEP_ROWS_MAX).await?;
        if !add(&mut all, &step) {
            break;
        }
    }
    for _ in 0..STEPS_MAX {
        let step = admin.store().cdrs_delete_before(Some(id.clone()), before(kept.cdr_days), STEP_ROWS_MAX).await?;
        if !add(&mut all, &step) {
            break;
        }
    }
    if all.cdrs + all.recordings > 0 {
        let draft = AuditDraft {
            actor: "engine".to_owned(),
            via: "engine".to_owned(),
            action: "retention.deleted".to_owned(),
            object: format!("agency:{agency}"),
            agency: Some(agency.to_owned()),
            details: serde_json::json!({}),
        };
        let details = serde_json::json!({
            "cdrs": all.cdrs, "recordings": all.recordings, "files": all.blobs, "files_stuck": all.blobs_stuck,
            "cdr_days": kept.cdr_days, "recording_days": kept.recording_days,
        });
        admin.ledger().commit(Change::new().audit(with_details(draft, details)).urgent()).await?;
    }
    Ok(all)
}

/// Counts a step, and says whether there is more.
fn add(all: &mut Deleted, step: &Deleted) -> bool {
    all.cdrs += step.cdrs;
    all.recordings += step.recordings;
    all.blobs += step.blobs;
    all.blobs_stuck += step.blobs_stuck;
    step.more
}
