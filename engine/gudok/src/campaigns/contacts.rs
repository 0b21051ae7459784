//! Contacts: looked at, decided about, copied from another campaign.

use super::convert::number_to_core;
use super::orders::{durable, of_machine, unknown};
use super::views::{attempt_row, contact_row};
use super::{Campaigns, refused};
use crate::call::CallHost;
use crate::director::of_store;
use gudok_admin::ports::{ContactDetails, ContactRow, ContactRows, ContactsQuery, ContactsReport, EngineRefusal};
use gudok_core::campaign::{CampaignInput, ContactDecision, ContactNo, ContactSeed, ContactState, Disposition, Spent};
use gudok_core::ids::Campaign;
use gudok_plugin_host::ports::Clock;
use gudok_store::limits::CONTACTS_ADD_MAX;
use gudok_store::{AttemptQuery, Contact, ContactQuery, ContactStateKind, NewContact};

/// One page of contacts.
///
/// # Errors
/// Where a word of the query means nothing, or the store does not answer.
pub(crate) async fn page(host: &CallHost, name: Campaign, query: ContactsQuery) -> Result<ContactRows, EngineRefusal> {
    let number = match &query.number {
        None => None,
        Some(number) => match host.subjects.number_key(number) {
            Some(key) => Some(key),
            None => return Ok(ContactRows::default()),
        },
    };
    let wanted = ContactQuery {
        campaign: name.as_str().to_owned(),
        after: query.after,
        rows_max: query.rows_max,
        state: query.state.as_deref().map(state).transpose()?,
        disposition: query.disposition.as_deref().map(disposition).transpose()?,
        area: query.area,
        number,
    };
    let page = host.store.contacts_page(wanted).await.map_err(|error| of_store("reading contacts", &error))?;
    let more_after = page.more_after;
    Ok(ContactRows { rows: rows(&host.campaigns, name, page.contacts).await?, more_after })
}

/// In the words of their campaign.
async fn rows(campaigns: &Campaigns, name: Campaign, contacts: Vec<Contact>) -> Result<Vec<ContactRow>, EngineRefusal> {
    let wanted = name.clone();
    let rows = campaigns.ask(move |task| {
        let known = task.known.get(&wanted)?;
        Some(contacts.iter().map(|contact| contact_row(contact, known)).collect())
    });
    rows.await?.ok_or_else(|| unknown(&name))
}

fn state(word: &str) -> Result<ContactStateKind, EngineRefusal> {
    Ok(match word {
        "waiting" => ContactStateKind::Waiting,
        "claimed" => ContactStateKind::Claimed,
        "unknown" => ContactStateKind::Unknown,
        "done" => ContactStateKind::Done,
        _ => {
            let problem = format!("No contact stands at {word:?}.");
            let remedy = "Choose waiting, claimed, unknown or done.";
            return Err(refused("invalid-field", 422, Some("state"), problem, remedy));
        }
    })
}

fn disposition(word: &str) -> Result<u8, EngineRefusal> {
    let place = Disposition::KINDS.iter().position(|kind| *kind == word);
    place.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| {
        let remedy = format!("Choose of {}.", Disposition::KINDS.join(", "));
        refused("invalid-field", 422, Some("disposition"), format!("There is no disposition {word:?}."), remedy)
    })
}

/// One contact with its attempts.
///
/// # Errors
/// Where the store does not answer.
pub(crate) async fn details(host: &CallHost, name: Campaign, no: u32) -> Result<Option<ContactDetails>, EngineRefusal> {
    let kept = host.store.contact(name.as_str(), no).await.map_err(|error| of_store("reading a contact", &error))?;
    let Some(kept) = kept else { return Ok(None) };
    let tries = host.store.attempts(name.as_str(), AttemptQuery::Contact(no)).await;
    let tries = tries.map_err(|error| of_store("reading attempts", &error))?;
    let contact = rows(&host.campaigns, name, vec![kept]).await?.pop();
    let tries = tries.attempts.iter().map(|row| attempt_row(&row.what)).collect();
    Ok(contact.map(|contact| ContactDetails { contact, tries }))
}

/// A person decides about a contact; answered when it is durable.
///
/// # Errors
/// Where it does not fit.
pub(crate) async fn decide(
    host: &CallHost,
    name: Campaign,
    no: u32,
    decision: ContactDecision,
) -> Result<ContactRow, EngineRefusal> {
    let wanted = name.clone();
    let decided = host
        .campaigns
        .ask(move |task| task.durably(|machine, now| machine.decide(&wanted, ContactNo(no), decision, now)));
    durable(decided.await?.map_err(|refusal| of_machine(&refusal))?).await?;
    let found = details(host, name, no).await?;
    found.map(|found| found.contact).ok_or_else(|| of_machine(&gone(no)))
}

const fn gone(no: u32) -> gudok_core::campaign::CampaignRefusal {
    gudok_core::campaign::CampaignRefusal::NoContact(ContactNo(no))
}

/// Adds the contacts of another campaign, of these areas, or of all.
///
/// # Errors
/// Where one of the two is not there, or the store takes no more.
pub(crate) async fn copy(
    host: &CallHost,
    name: Campaign,
    from: Campaign,
    areas: Vec<String>,
) -> Result<ContactsReport, EngineRefusal> {
    if name == from {
        let problem = "A campaign has its own contacts already.";
        return Err(refused("invalid-field", 422, Some("from"), problem, "Name another campaign."));
    }
    let windows = windows(&host.campaigns, &name, &from).await?;
    let mut report = ContactsReport { charset: "utf-8".to_owned(), ..ContactsReport::default() };
    let areas: Vec<Option<String>> = if areas.is_empty() { vec![None] } else { areas.into_iter().map(Some).collect() };
    for area in areas {
        let mut after = None;
        loop {
            let query = ContactQuery {
                campaign: from.as_str().to_owned(),
                after,
                rows_max: CONTACTS_ADD_MAX,
                area: area.clone(),
                ..ContactQuery::default()
            };
            let page = host.store.contacts_page(query).await.map_err(|error| of_store("reading contacts", &error))?;
            let rows: Vec<NewContact> = page.contacts.into_iter().map(|contact| moved(contact.who, &windows)).collect();
            report.rows += rows.len() as u64;
            for row in &rows {
                *report.zones.entry(row.zone.clone()).or_default() += 1;
            }
            let new = add(host, &name, rows).await?;
            let added = new.iter().filter(|new| **new).count();
            report.added += added as u64;
            report.duplicates += (new.len() - added) as u64;
            match page.more_after {
                Some(more) => after = Some(more),
                None => break,
            }
        }
    }
    if report.duplicates > 0 {
        report.kinds.insert("duplicate-in-campaign".to_owned(), report.duplicates);
    }
    Ok(report)
}

/// A contact in another campaign: its own window goes with it by its name.
fn moved(who: NewContact, windows: &[Option<u8>]) -> NewContact {
    let window = who.window.and_then(|place| windows.get(usize::from(place)).copied().flatten());
    NewContact { window, ..who }
}

/// For each window of `from`, the place of the window of that name in `name`.
async fn windows(campaigns: &Campaigns, name: &Campaign, from: &Campaign) -> Result<Vec<Option<u8>>, EngineRefusal> {
    let (to, of) = (name.clone(), from.clone());
    let found = campaigns.ask(move |task| {
        let new = &task.known.get(&to).ok_or_else(|| unknown(&to))?.document.windows;
        let old = &task.known.get(&of).ok_or_else(|| unknown(&of))?.document.windows;
        let place = |name: &str| new.iter().position(|window| window.name.eq_ignore_ascii_case(name));
        Ok(old.iter().map(|window| u8::try_from(place(&window.name)?).ok()).collect())
    });
    found.await?
}

/// Adds some contacts, at most [`CONTACTS_ADD_MAX`], and lets the machine know. Answers for each, in their order, whether
/// it is new to the campaign.
///
/// # Errors
/// Where the store takes no more.
pub(super) async fn add(host: &CallHost, name: &Campaign, rows: Vec<NewContact>) -> Result<Vec<bool>, EngineRefusal> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let who: Vec<_> = rows.iter().map(|row| (number_to_core(row.number), row.zone.clone(), row.window)).collect();
    let added = host.store.contacts_add(name.as_str(), rows, super::convert::utc(host.clock.now())).await;
    let places = added.map_err(|error| of_store("adding contacts", &error))?.places;
    let is_new = places.iter().map(Option::is_some).collect();
    let new: Vec<_> = places.into_iter().zip(who).filter_map(|(place, who)| Some((place?, who))).collect();
    let campaign = name.clone();
    let told = host.campaigns.ask(move |task| {
        let mut new_zone = false;
        let seed = |(place, (number, zone, window)): (u32, (_, String, Option<u8>))| {
            let (zone, is_new) = task.zones.no(&zone);
            new_zone |= is_new;
            let state = ContactState::Waiting { not_before: None };
            ContactSeed { no: ContactNo(place), number, zone, window, state, spent: Spent::default() }
        };
        let seeds = new.into_iter().map(seed).collect();
        if new_zone {
            task.configure();
        }
        task.feed(CampaignInput::Loaded(campaign, seeds));
    });
    told.await?;
    Ok(is_new)
}
