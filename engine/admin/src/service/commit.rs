//! Changes that the engine must take over at once: routes are made anew after the commit, and where the engine refuses
//! them, the change is taken back, so that what is kept is what is in force.

use crate::Admin;
use crate::auth::Principal;
use crate::ledger::{Change, Committed, with_details};
use crate::ports::EngineRefusal;
use crate::problem::Problem;
use gudok_store::AuditDraft;
use serde::Serialize;

/// One document of the ledger, changed, with what it was before.
pub(crate) struct Routed<'a, T> {
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
    /// What it was, and at which revision.
    pub(crate) before: Option<(T, u64)>,
    /// What it becomes; `None`: it is deleted.
    pub(crate) after: Option<T>,
    /// When it ends by itself.
    pub(crate) expires_ms: Option<u64>,
    /// For the audit.
    pub(crate) audit: AuditDraft,
    /// Goes on when the disk is low.
    pub(crate) urgent: bool,
}

impl<T: Serialize> Routed<'_, T> {
    /// Commits, and has the engine take it over.
    ///
    /// # Errors
    /// Of the ledger; the engine's refusal, and then nothing has changed.
    pub(crate) async fn commit(self, admin: &Admin) -> Result<u64, Problem> {
        let revision = self.before.as_ref().map_or(0, |(_, revision)| *revision);
        let done = admin.ledger().commit(self.change(self.after.as_ref(), revision, self.audit.clone())).await?;
        let Err(refusal) = admin.engine().ledger_changed().await else { return Ok(done.revision()) };
        self.take_back(admin, &done, &refusal).await?;
        Err(refusal.into())
    }

    fn change(&self, body: Option<&T>, revision: u64, audit: AuditDraft) -> Change {
        let change = Change::new().expect(self.kind, self.id, revision).audit(audit);
        let change = if self.urgent { change.urgent() } else { change };
        match body {
            Some(body) => change.put_until(self.kind, self.id, body, self.expires_ms.map(gudok_store::UtcMs)),
            None => change.delete(self.kind, self.id),
        }
    }

    async fn take_back(&self, admin: &Admin, done: &Committed, refusal: &EngineRefusal) -> Result<(), Problem> {
        tracing::warn!(kind = self.kind, id = self.id, problem = %refusal.problem, "the engine refused a change; it is taken back");
        let details = serde_json::json!({
            "taken_back": done.audit.first().map(|entry| entry.seq),
            "problem": refusal.problem,
        });
        let audit = with_details(self.audit.clone(), details);
        let before = self.before.as_ref().map(|(body, _)| body);
        let change = self.change(before, done.revision(), audit).urgent();
        admin.ledger().commit(change).await?;
        admin.engine().ledger_changed().await.map_err(Problem::from)
    }
}

/// A commit without document: somebody looked.
///
/// # Errors
/// Of the ledger. What was to be seen is not shown then.
pub(crate) async fn looked(admin: &Admin, who: &Principal, look: Look<'_>) -> Result<(), Problem> {
    let draft = with_details(who.audit(look.action, look.object, look.agency), look.details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await.map(|_| ())
}

/// What somebody looked at.
pub(crate) struct Look<'a> {
    pub(crate) action: &'a str,
    pub(crate) object: String,
    pub(crate) agency: Option<&'a str>,
    pub(crate) details: serde_json::Value,
}
