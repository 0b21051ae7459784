//! A contact's turn has come: it is opened, and its script asked.

use super::keep::Book;
use crate::scripts::PrepareAsk;
use futures_util::future::BoxFuture;
use gudok_core::campaign::{AttemptId, CampaignContact, CampaignSettings, Plan, PrepareFailure};
use gudok_core::ids::CallId;
use gudok_core::prompt::LanguageTag;
use gudok_store::StoreError;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Open contacts that wait for their slot; beyond them the oldest are read once more when they are dialled.
const HELD_MAX: usize = 8_192;

/// The way to the scripts.
pub(crate) type AskScript = Arc<dyn Fn(PrepareAsk) -> BoxFuture<'static, Result<Plan, PrepareFailure>> + Send + Sync>;

/// Whom we are about to call.
#[derive(Clone)]
pub(super) struct OpenContact {
    pub(super) contact: CampaignContact,
    /// Its own language.
    pub(super) lang: Option<LanguageTag>,
}

/// Open contacts by their attempt.
#[derive(Default)]
pub(super) struct Held {
    contacts: HashMap<AttemptId, OpenContact>,
    order: VecDeque<AttemptId>,
}

impl Held {
    pub(super) fn put(&mut self, attempt: AttemptId, contact: OpenContact) {
        self.order.push_back(attempt.clone());
        self.contacts.insert(attempt, contact);
        while self.order.len() > HELD_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.contacts.remove(&oldest);
            }
        }
    }

    pub(super) fn take(&mut self, attempt: &AttemptId) -> Option<OpenContact> {
        self.contacts.remove(attempt)
    }
}

/// A contact of the store, opened. `counted`: attempts that counted. None where its person was erased.
///
/// # Errors
/// Where the store does not answer, or the contact was sealed by another node's key.
pub(super) async fn open(book: &Book, attempt: &AttemptId, counted: u8) -> Result<Option<OpenContact>, PrepareFailure> {
    let read = book.store.contact(attempt.campaign.as_str(), attempt.contact.0).await;
    let Some(kept) = read.map_err(|error: StoreError| PrepareFailure::Store(error.to_string()))? else {
        return Ok(None);
    };
    let clear = book.subjects.open_contact(&kept.who.sealed).ok_or_else(|| {
        PrepareFailure::Store("the contact was sealed with another node's key; bring that key back".to_owned())
    })?;
    let fields = clear.fields.into_iter().map(|(name, value)| (Arc::from(name), Arc::from(value)));
    let contact = CampaignContact {
        id: Arc::from(kept.who.id),
        number: clear.number,
        attempt: counted.saturating_add(1),
        fields: fields.collect(),
    };
    Ok(Some(OpenContact { contact, lang: kept.who.lang.map(LanguageTag::from) }))
}

/// Opens a contact and asks its script.
///
/// # Errors
/// As [`open`]; where no script is active, or it failed.
pub(super) async fn ask(
    book: &Book,
    scripts: &(dyn Fn(PrepareAsk) -> BoxFuture<'static, Result<Plan, PrepareFailure>> + Send + Sync),
    attempt: &AttemptId,
    counted: u8,
    campaign: &CampaignSettings,
) -> Result<(Plan, Option<OpenContact>), PrepareFailure> {
    let Some(open) = open(book, attempt, counted).await? else {
        return Ok((Plan::Skip(Arc::from("erased")), None));
    };
    let ask = PrepareAsk {
        call: CallId::from_random(rand::random()),
        contact: open.contact.clone(),
        agency: campaign.agency.clone(),
        entry: campaign.entry.clone(),
        lang: open.lang.clone().unwrap_or_else(|| campaign.lang.clone()),
    };
    let plan = scripts(ask).await?;
    Ok((plan, Some(open)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::campaign::ContactNo;
    use gudok_core::ids::Campaign;
    use gudok_core::privacy::PhoneNumber;

    #[test]
    fn open_contacts_do_not_pile_up() {
        let attempt = |no| AttemptId { campaign: Campaign::new("flood"), contact: ContactNo(no), nth: 1 };
        let open = || OpenContact {
            contact: CampaignContact {
                id: Arc::from("7"),
                number: PhoneNumber::new("+79131234567"),
                attempt: 1,
                fields: Vec::new(),
            },
            lang: None,
        };
        let mut held = Held::default();
        let max = u32::try_from(HELD_MAX).unwrap();
        for no in 0..=max {
            held.put(attempt(no), open());
        }
        assert!(held.take(&attempt(0)).is_none(), "the oldest is let go");
        assert!(held.take(&attempt(max)).is_some());
        assert!(held.take(&attempt(max)).is_none());
        assert!(held.contacts.len() < HELD_MAX && held.order.len() <= HELD_MAX);
    }
}
