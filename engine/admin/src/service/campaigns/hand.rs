//! In whose hands a campaign is: an emergency is the emergency officer's alone, everything else everybody else's; and
//! where the configuration says so, two officers start an emergency.

use crate::Admin;
use crate::access::{Operation, Reach, Role};
use crate::auth::FIRST_TOKEN_USER;
use crate::auth::Principal;
use crate::documents::{Approval, CampaignApprovalDocument, kinds};
use crate::ledger::Kept;
use crate::names::CampaignName;
use crate::ports::CampaignRow;
use crate::problem::{Problem, codes};

/// What the table cannot say: it knows routes, and an emergency is in the document.
pub(super) fn check_hand(who: &Principal, operation: Operation, agency: &str, emergency: bool) -> Result<(), Problem> {
    if emergency {
        if who.has(Role::EmergencyOfficer) {
            return Ok(());
        }
        let problem = Problem::new(&codes::FORBIDDEN, "A campaign of an emergency is the emergency officer's alone.");
        return Err(problem.field("emergency").remedy("Ask an emergency officer; an admin gives that role."));
    }
    let route = operation.route();
    let reaches = who.roles.iter().filter(|grant| grant.role != Role::EmergencyOfficer).any(|grant| {
        let of = grant.agency.as_ref().is_none_or(|of| of.as_str() == agency);
        match route.reach_of(grant.role) {
            Reach::All => true,
            Reach::Own => of,
            Reach::Me | Reach::No => false,
        }
    });
    if reaches {
        return Ok(());
    }
    let problem = Problem::new(&codes::FORBIDDEN, "The emergency officer works with campaigns of emergencies only.");
    Err(problem.field("emergency").remedy("Make it a campaign of an emergency, or ask an author or an admin."))
}

/// The words of those who want to start it, with this one's.
pub(super) fn said(
    who: &Principal,
    kept: Option<&Kept<CampaignApprovalDocument>>,
    row: &CampaignRow,
    now_ms: u64,
) -> Result<CampaignApprovalDocument, Problem> {
    if who.user == FIRST_TOKEN_USER {
        let problem = Problem::new(&codes::FORBIDDEN, "Where two people must agree, the first token is none of them.");
        return Err(problem.remedy("Make users with the role emergency-officer."));
    }
    let mut approvals = kept.map(|kept| kept.body.approvals.clone()).unwrap_or_default();
    if approvals.iter().any(|approval| approval.by == who.user) {
        let problem = Problem::new(&codes::ALREADY_APPROVED, "Your word is there; a second officer's is missing.");
        return Err(problem.remedy("Another emergency officer starts it too."));
    }
    approvals.push(Approval { by: who.user.clone(), at_ms: now_ms });
    Ok(CampaignApprovalDocument::about(row, approvals))
}

/// Of what is kept under the name, about this campaign as it is or not.
pub(super) async fn revision(admin: &Admin, name: &CampaignName) -> Result<u64, Problem> {
    let kept = admin.ledger().get::<CampaignApprovalDocument>(kinds::CAMPAIGN_APPROVAL, name.as_str()).await?;
    Ok(kept.map_or(0, |kept| kept.revision))
}

impl CampaignApprovalDocument {
    fn about(row: &CampaignRow, approvals: Vec<Approval>) -> Self {
        Self { revision: row.revision, created_ms: row.created_ms, contacts: row.figures.contacts, approvals }
    }

    /// Whoever said yes said it to this campaign with these contacts, and to no other.
    pub(super) fn is_about(&self, row: &CampaignRow) -> bool {
        (self.revision, self.created_ms, self.contacts) == (row.revision, row.created_ms, row.figures.contacts)
    }
}
