//! Reading contacts, seeds, attempts and opt-outs, page by page.
use super::super::core::{Core, read_failed};
use super::super::{envelope, keys};
use super::code::{self, Count, Stand, Tried, Who};
use super::erase::place_of;
use super::{rows, write};
use crate::limits::{CONTACTS_SCAN_ROWS_MAX, PAGE_ROWS_MAX, SEEDS_PAGE_ROWS_MAX};
use crate::{
    AttemptPage, AttemptQuery, AttemptRow, CampaignSize, Contact, ContactPage, ContactQuery, ContactSeed, ContactState,
    OptOutPage, OptOutQuery, SeedPage, StoreError,
};

fn rows_max(asked: usize, limit: usize) -> usize {
    if asked == 0 { limit } else { asked.min(limit) }
}

/// The rows of a table after a place.
fn after(tag: u8, campaign: &str, after: Option<u32>) -> std::ops::Range<Vec<u8>> {
    let prefix = rows::of_campaign(tag, campaign);
    let from = match after {
        None => prefix.clone(),
        Some(no) => [&rows::of_contact(tag, campaign, no)[..], &[0]].concat(),
    };
    from..keys::behind(&prefix)
}

pub(in super::super) fn contact(core: &Core, campaign: &str, no: u32) -> Result<Option<Contact>, StoreError> {
    let key = rows::of_contact(keys::STAND, campaign, no);
    let Some(raw) = core.db.get(&key).map_err(|error| read_failed(&error))? else { return Ok(None) };
    let stand = write::stand(core, campaign, no, &raw)?;
    whole(core, campaign, no, stand)
}

/// A contact from where it stands and who it is; none where its person was erased.
fn whole(core: &Core, campaign: &str, no: u32, stand: Stand) -> Result<Option<Contact>, StoreError> {
    if stand.erased {
        return Ok(None);
    }
    let key = rows::of_contact(keys::CONTACT, campaign, no);
    // Erased between the two looks.
    let Some(raw) = core.db.get(&key).map_err(|error| read_failed(&error))? else { return Ok(None) };
    let who = envelope::open(&key, &raw).and_then(Who::decode).ok_or_else(|| core.quarantine(&key, &raw))?;
    Ok(Some(Contact { no, who: who.contact, added: who.added, state: stand.state, spent: stand.spent }))
}

pub(in super::super) fn contacts(core: &Core, query: &ContactQuery) -> Result<ContactPage, StoreError> {
    let mut page = ContactPage::default();
    if let Some(number) = query.number {
        let no = place_of(core, &query.campaign, number)?.filter(|no| query.after.is_none_or(|after| *no > after));
        let found = no.map(|no| contact(core, &query.campaign, no)).transpose()?.flatten();
        page.contacts.extend(found.filter(|found| stands(query, &found.state) && is_in(query, found)));
        return Ok(page);
    }
    let rows_max = rows_max(query.rows_max, PAGE_ROWS_MAX);
    for (scanned, row) in core.db.range(after(keys::STAND, &query.campaign, query.after)).enumerate() {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some((_, no)) = rows::read_contact(&key) else { continue };
        if page.contacts.len() >= rows_max || scanned >= CONTACTS_SCAN_ROWS_MAX {
            // The contact before this one was the last that was looked at.
            page.more_after = Some(no.saturating_sub(1));
            break;
        }
        let found = write::stand(core, &query.campaign, no, &raw).and_then(|stand| {
            if stands(query, &stand.state) { whole(core, &query.campaign, no, stand) } else { Ok(None) }
        });
        match found {
            Ok(found) => page.contacts.extend(found.filter(|found| is_in(query, found))),
            Err(StoreError::Corrupt { .. }) => page.corrupt += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

fn stands(query: &ContactQuery, state: &ContactState) -> bool {
    let disposition = match state {
        ContactState::Done { disposition, .. } => Some(*disposition),
        _ => None,
    };
    query.state.is_none_or(|kind| kind == state.kind())
        && query.disposition.is_none_or(|kind| disposition == Some(kind))
}

/// "42" covers "42/zarechny".
fn is_in(query: &ContactQuery, contact: &Contact) -> bool {
    let Some(area) = &query.area else { return true };
    let own = contact.who.area.as_deref().unwrap_or_default();
    own.strip_prefix(area.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(in super::super) fn seeds(
    core: &Core,
    campaign: &str,
    from: Option<u32>,
    asked: usize,
) -> Result<SeedPage, StoreError> {
    let rows_max = rows_max(asked, SEEDS_PAGE_ROWS_MAX);
    let mut page = SeedPage::default();
    for row in core.db.range(after(keys::STAND, campaign, from)) {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some((_, no)) = rows::read_contact(&key) else { continue };
        if page.seeds.len() >= rows_max {
            page.more_after = Some(no.saturating_sub(1));
            break;
        }
        let stand = match write::stand(core, campaign, no, &raw) {
            Ok(stand) => stand,
            Err(StoreError::Corrupt { .. }) => {
                page.corrupt += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some(zone) = zone_place(&mut page.zones, stand.zone) else {
            // More zones than a place can name: the rest is for the next page.
            page.more_after = Some(no.saturating_sub(1));
            break;
        };
        let Stand { number, window, state, spent, .. } = stand;
        page.seeds.push(ContactSeed { no, number, zone, window, state, spent });
    }
    Ok(page)
}

/// A zone's place in the page; neighbours are often in the same one.
fn zone_place(zones: &mut Vec<String>, zone: String) -> Option<u16> {
    let at = zones.iter().rposition(|known| *known == zone).unwrap_or_else(|| {
        zones.push(zone);
        zones.len() - 1
    });
    u16::try_from(at).ok()
}

/// A page of attempts, and whether an end of the campaign is not durable yet.
pub(in super::super) fn attempts(
    core: &Core,
    campaign: &str,
    query: AttemptQuery,
) -> Result<(AttemptPage, bool), StoreError> {
    let page = match query {
        AttemptQuery::Contact(no) => attempts_of(core, campaign, no)?,
        AttemptQuery::Ends { after, rows_max } => ends(core, campaign, after, rows_max)?,
    };
    Ok((page, core.is_undurable(&rows::of_campaign(keys::END, campaign))))
}

fn attempts_of(core: &Core, campaign: &str, contact: u32) -> Result<AttemptPage, StoreError> {
    let mut page = AttemptPage::default();
    for row in core.db.scan_prefix(rows::of_contact(keys::ATTEMPT, campaign, contact)) {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some((_, _, nth)) = rows::read_attempt(&key) else { continue };
        take_attempt(core, &mut page, &key, &raw, (contact, nth));
    }
    Ok(page)
}

fn ends(core: &Core, campaign: &str, after: u64, asked: usize) -> Result<AttemptPage, StoreError> {
    let rows_max = rows_max(asked, PAGE_ROWS_MAX);
    let mut page = AttemptPage::default();
    let prefix = rows::of_campaign(keys::END, campaign);
    let from = rows::end(campaign, after.saturating_add(1));
    for (scanned, row) in core.db.range(from..keys::behind(&prefix)).enumerate() {
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some(seq) = rows::read_end(&key) else { continue };
        if scanned >= rows_max {
            page.more_after = Some(seq - 1);
            break;
        }
        let Some((no, nth)) = envelope::open(&key, &raw).and_then(code::read_ended) else {
            core.quarantine(&key, &raw);
            page.corrupt += 1;
            continue;
        };
        let row = rows::attempt(campaign, no, nth);
        // Erased meanwhile.
        let Some(raw) = core.db.get(&row).map_err(|error| read_failed(&error))? else { continue };
        take_attempt(core, &mut page, &row, &raw, (no, nth));
        // It has ended otherwise meanwhile: then it comes under its new number.
        page.attempts.pop_if(|row| row.seq.is_some_and(|now| now != seq));
    }
    Ok(page)
}

fn take_attempt(core: &Core, page: &mut AttemptPage, key: &[u8], raw: &[u8], (contact, nth): (u32, u16)) {
    match envelope::open(key, raw).and_then(|payload| Tried::decode(payload, nth)) {
        Some(tried) => {
            let seq = (tried.seq > 0).then_some(tried.seq);
            page.attempts.push(AttemptRow { contact, seq, what: tried.what });
        }
        None => {
            core.quarantine(key, raw);
            page.corrupt += 1;
        }
    }
}

pub(in super::super) fn size(core: &Core, campaign: &str) -> Result<CampaignSize, StoreError> {
    let key = rows::of_campaign(keys::CAMPAIGN, campaign);
    let Some(raw) = core.db.get(&key).map_err(|error| read_failed(&error))? else {
        return Ok(CampaignSize::default());
    };
    let count = envelope::open(&key, &raw).and_then(Count::decode).ok_or_else(|| core.quarantine(&key, &raw))?;
    Ok(CampaignSize { contacts: count.contacts, ends: count.ends })
}

pub(in super::super) fn opt_outs(core: &Core, query: &OptOutQuery) -> Result<OptOutPage, StoreError> {
    let rows_max = rows_max(query.rows_max, PAGE_ROWS_MAX);
    let prefix = query.number.map_or_else(|| vec![keys::OPT_OUT], rows::opt_outs_of);
    let mut from = prefix.clone();
    if let Some((number, scope)) = &query.after {
        from = from.max([&rows::opt_out(*number, scope)[..], &[0]].concat());
    }
    let end = keys::behind(&prefix).max(from.clone());
    let mut page = OptOutPage::default();
    let mut last = None;
    for (scanned, row) in core.db.range(from..end).enumerate() {
        if page.opt_outs.len() >= rows_max || scanned >= CONTACTS_SCAN_ROWS_MAX {
            page.more_after = last;
            break;
        }
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some((number, scope)) = rows::read_opt_out(&key) else { continue };
        last = Some((number, scope.clone()));
        if query.scope.as_ref().is_some_and(|asked| *asked != scope) {
            continue;
        }
        match envelope::open(&key, &raw).and_then(|payload| code::read_opt_out(number, scope, payload)) {
            Some(opt_out) => page.opt_outs.push(opt_out),
            None => {
                core.quarantine(&key, &raw);
                page.corrupt += 1;
            }
        }
    }
    Ok(page)
}
