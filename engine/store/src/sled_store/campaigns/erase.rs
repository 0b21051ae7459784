//! What the writer does when campaigns and persons go.
use super::super::core::{Core, read_failed};
use super::super::tx::{Step, Tx};
use super::super::{envelope, keys};
use super::code::{Stand, Tried};
use super::rows::{self, Place};
use super::{code, write};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{ContactState, DISPOSITION_CANCELLED, Erased, NumberKey, StoreError, Swept, UtcMs};

/// Rows between two looks whether the store is being closed.
const ROWS_PER_LOOK: usize = 1_024;

/// A person's contacts in all campaigns: one in each at most. And whether there may be more than `rows_max`.
pub(in super::super) fn contacts_of(
    core: &Core,
    number: NumberKey,
    rows_max: usize,
) -> Result<(Vec<Place>, bool), StoreError> {
    let mut found = Vec::new();
    let mut from = vec![keys::NUMBER];
    while let Some(row) = core.db.range(from.clone()..vec![keys::NUMBER + 1]).next() {
        let (key, _) = row.map_err(|error| read_failed(&error))?;
        let Some((campaign, _)) = rows::read_campaign(&key) else {
            from = [&key[..], &[0]].concat();
            continue;
        };
        let place = match place_of(core, campaign, number) {
            Err(StoreError::Corrupt { .. }) => searched(core, campaign, number)?,
            place => place?,
        };
        if let Some(no) = place {
            if found.len() >= rows_max.clamp(1, SWEEP_ROWS_MAX) {
                return Ok((found, true));
            }
            found.push(Place { campaign: campaign.to_owned(), no });
        }
        from = keys::behind(&rows::of_campaign(keys::NUMBER, campaign));
    }
    Ok((found, false))
}

/// A number's place in a campaign.
pub(super) fn place_of(core: &Core, campaign: &str, number: NumberKey) -> Result<Option<u32>, StoreError> {
    let key = rows::number(campaign, number);
    let Some(raw) = core.db.get(&key).map_err(|error| read_failed(&error))? else { return Ok(None) };
    envelope::open(&key, &raw)
        .and_then(code::read_place)
        .map_or_else(|| Err(core.quarantine(&key, &raw)), |no| Ok(Some(no)))
}

/// A number's place where its row is damaged.
fn searched(core: &Core, campaign: &str, number: NumberKey) -> Result<Option<u32>, StoreError> {
    for (n, row) in core.db.scan_prefix(rows::of_campaign(keys::STAND, campaign)).enumerate() {
        if n % ROWS_PER_LOOK == 0 {
            core.check_open()?;
        }
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let stand = envelope::open(&key, &raw).and_then(Stand::decode);
        if stand.is_some_and(|stand| stand.number == number) {
            return Ok(rows::read_contact(&key).map(|(_, no)| no));
        }
    }
    Ok(None)
}

/// Erases a person from campaigns. Their places stay, done.
pub(in super::super) fn erase_persons(
    tx: &mut Tx<'_>,
    number: NumberKey,
    contacts: &[Place],
    now: UtcMs,
    erased: &mut Erased,
) -> Step<()> {
    tx.apply()?;
    for Place { campaign, no } in contacts {
        let key = rows::of_contact(keys::STAND, campaign, *no);
        // The campaign was erased meanwhile.
        let Some(raw) = tx.raw(&key)? else { continue };
        let before = envelope::open(&key, &raw).and_then(Stand::decode);
        let done = match before.as_ref().map(|stand| &stand.state) {
            Some(done @ ContactState::Done { .. }) => done.clone(),
            _ => ContactState::Done { disposition: DISPOSITION_CANCELLED, at: now },
        };
        let gone = Stand {
            number: NumberKey::default(),
            zone: before.as_ref().map(|stand| stand.zone.clone()).unwrap_or_default(),
            window: None,
            spent: before.map(|stand| stand.spent).unwrap_or_default(),
            state: done,
            erased: true,
        };
        tx.put(key, &gone.encode());
        tx.delete(rows::of_contact(keys::CONTACT, campaign, *no));
        tx.delete(rows::number(campaign, number));
        erased.attempts += delete_attempts(tx, campaign, *no)?;
        erased.contacts.push((campaign.clone(), *no));
        tx.finish()?;
    }
    Ok(())
}

/// Deletes a contact's attempts and their ends: how many.
fn delete_attempts(tx: &mut Tx<'_>, campaign: &str, no: u32) -> Step<u64> {
    let core = tx.core;
    let mut count = 0;
    // Rows of this commit are there too: the caller has applied what was before.
    for row in core.db.scan_prefix(rows::of_contact(keys::ATTEMPT, campaign, no)) {
        let (key, raw) = row?;
        let nth = rows::read_attempt(&key).map_or(0, |(_, _, nth)| nth);
        let tried = envelope::open(&key, &raw).and_then(|payload| Tried::decode(payload, nth));
        if let Some(tried) = tried.filter(|tried| tried.seq > 0) {
            tx.delete(rows::end(campaign, tried.seq));
        }
        tx.delete(key.to_vec());
        count += 1;
    }
    Ok(count)
}

/// One step of erasing a campaign: contacts with their attempts first, then whatever damage left, then its count.
pub(in super::super) fn erase_campaign(tx: &mut Tx<'_>, campaign: &str, rows_max: usize) -> Step<Swept> {
    tx.apply()?;
    let core = tx.core;
    let rows_max = rows_max.clamp(1, SWEEP_ROWS_MAX) as u64;
    let mut swept = Swept::default();
    for row in core.db.scan_prefix(rows::of_campaign(keys::STAND, campaign)) {
        if swept.removed >= rows_max {
            swept.more = true;
            return Ok(swept);
        }
        let (key, raw) = row?;
        if let Some((_, no)) = rows::read_contact(&key) {
            if let Ok(stand) = write::stand(core, campaign, no, &raw) {
                tx.delete(rows::number(campaign, stand.number));
            }
            tx.delete(rows::of_contact(keys::CONTACT, campaign, no));
            swept.removed += delete_attempts(tx, campaign, no)?;
        }
        tx.delete(key.to_vec());
        tx.finish()?;
        swept.removed += 1;
    }
    tx.apply()?;
    for tag in [keys::CONTACT, keys::NUMBER, keys::ATTEMPT, keys::END, keys::CAMPAIGN] {
        for key in core.db.scan_prefix(rows::of_campaign(tag, campaign)).keys() {
            if swept.removed >= rows_max {
                swept.more = true;
                return Ok(swept);
            }
            tx.delete(key?.to_vec());
            tx.finish()?;
            swept.removed += u64::from(tag != keys::CAMPAIGN);
        }
    }
    Ok(swept)
}
