//! What a person was promised: tickets and callbacks, found by the same hash as call records.

use crate::Admin;
use crate::auth::Principal;
use crate::documents::kinds;
use crate::ledger::{Change, Kept};
use crate::problem::Problem;
use gudok_core::centre::CallbackDecision;
use gudok_core::ids::CallbackId;
use gudok_store::{Party, SubjectHash};
use serde_json::Value;

/// Documents read in one step.
const STEP_ROWS: usize = 500;

/// Documents of a kind, and their field with the person.
pub(super) type Promises = (&'static str, &'static str);
/// What was promised in writing.
pub(super) const TICKETS: Promises = (kinds::TICKET, "caller");
/// Calls that were promised.
pub(super) const CALLBACKS: Promises = (kinds::CALLBACK, "number");

/// A person's documents, without the sealed number.
pub(super) async fn shown(admin: &Admin, promises: Promises, subject: SubjectHash) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::new();
    for mut kept in of_subject(admin, promises, subject).await? {
        if let Some(party) = kept.body[promises.1].as_object_mut() {
            party.remove("sealed");
        }
        kept.body["id"] = kept.id.into();
        all.push(kept.body);
    }
    Ok(all)
}

/// Takes the person out of the documents, and says how many there were.
pub(super) async fn erase(
    admin: &Admin,
    who: &Principal,
    promises: Promises,
    subject: SubjectHash,
) -> Result<u64, Problem> {
    let (kind, field) = promises;
    let mut count = 0;
    for mut kept in of_subject(admin, promises, subject).await? {
        if promises == CALLBACKS {
            // The engine holds an open one in memory and would write it down again; one that is over does not mind.
            let decision = CallbackDecision::Cancel { by: who.user.as_str().into() };
            if admin.engine().callback_decide(who.actor(), CallbackId::new(&kept.id), decision).await.is_ok() {
                match admin.ledger().get::<Value>(kind, &kept.id).await? {
                    Some(present) => kept = present,
                    None => continue,
                }
            }
        }
        let erased = serde_json::to_value(Party::erased());
        kept.body[field] = erased.map_err(|error| Problem::internal("erasing a person", error))?;
        let change = Change::new().expect(kind, &kept.id, kept.revision).put(kind, &kept.id, &kept.body).urgent();
        admin.ledger().commit(change).await?;
        count += 1;
    }
    Ok(count)
}

async fn of_subject(admin: &Admin, promises: Promises, subject: SubjectHash) -> Result<Vec<Kept<Value>>, Problem> {
    let (kind, field) = promises;
    let theirs = |kept: &Kept<Value>| {
        let party: Option<Party> = serde_json::from_value(kept.body[field].clone()).ok();
        party.is_some_and(|party| party.hash() == Some(&subject))
    };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = admin.ledger().page::<Value>(kind, "", after, STEP_ROWS).await?;
        all.extend(page.documents.into_iter().filter(theirs));
        after = page.more_after;
        if after.is_none() {
            return Ok(all);
        }
    }
}
