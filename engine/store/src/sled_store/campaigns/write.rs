//! What the writer does with contacts, attempts and opt-outs.
use super::super::core::Core;
use super::super::tx::{Fail, Step, Tx};
use super::super::{envelope, keys};
use super::code::{self, Count, Stand, Tried, Who};
use super::rows;
use crate::cdr::clamp_text;
use crate::limits::{
    CAMPAIGN_CONTACTS_MAX, CONTACT_SEALED_BYTES_MAX, CONTACT_TEXT_BYTES_MAX, CONTACTS_ADD_MAX, OPT_OUTS_PUT_MAX,
};
use crate::space::SpaceLevel;
use crate::{
    ContactState, ContactWrite, ContactsAdded, Disposition, Happened, NewContact, NumberKey, OptOut, OptOutScope,
    StoreError, UtcMs,
};

/// Contacts within all limits, encoded by who hands them over.
pub(in super::super) struct Add {
    campaign: String,
    rows: Vec<AddRow>,
    bytes: usize,
}

struct AddRow {
    number: NumberKey,
    who: Vec<u8>,
    stand: Vec<u8>,
}

impl Add {
    pub(in super::super) fn new(campaign: &str, contacts: Vec<NewContact>, now: UtcMs) -> Result<Self, StoreError> {
        rows::check_campaign(campaign)?;
        check_count("contacts added at once", contacts.len(), CONTACTS_ADD_MAX)?;
        let mut add = Self { campaign: campaign.to_owned(), rows: Vec::with_capacity(contacts.len()), bytes: 0 };
        for contact in contacts {
            check_contact(&contact)?;
            let stand = Stand::of(&contact).encode();
            let number = contact.number;
            let who = Who { added: now, contact }.encode();
            add.bytes += who.len() + stand.len() + size_of::<AddRow>();
            add.rows.push(AddRow { number, who, stand });
        }
        Ok(add)
    }

    pub(in super::super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn check_count(what: &'static str, count: usize, max: usize) -> Result<(), StoreError> {
    if count > max {
        let why = format!("are {count}, at most {max} are allowed: hand them over in several steps");
        return Err(StoreError::BadName { what, why });
    }
    Ok(())
}

pub(super) fn check_contact(contact: &NewContact) -> Result<(), StoreError> {
    let (lang, area) = (contact.lang.as_deref(), contact.area.as_deref());
    let texts = [
        ("a contact's id", Some(contact.id.as_str())),
        ("a contact's masked number", Some(&contact.masked)),
        ("a contact's zone", Some(&contact.zone)),
        ("a contact's language", lang),
        ("a contact's area", area),
    ];
    for (what, text) in texts {
        let bytes = text.map_or(0, str::len);
        if bytes > CONTACT_TEXT_BYTES_MAX {
            return Err(StoreError::TooLarge { what, bytes, limit: CONTACT_TEXT_BYTES_MAX });
        }
    }
    let bytes = contact.sealed.0.len();
    if bytes > CONTACT_SEALED_BYTES_MAX {
        return Err(StoreError::TooLarge {
            what: "a contact's sealed part (number and fields)",
            bytes,
            limit: CONTACT_SEALED_BYTES_MAX,
        });
    }
    Ok(())
}

/// Adds contacts; each is whole, and the steps in which the database takes them are short.
pub(in super::super) fn add(tx: &mut Tx<'_>, add: &Add, space: SpaceLevel) -> Step<ContactsAdded> {
    tx.core.check_promise(space)?;
    let mut count = count(tx, &add.campaign)?;
    let after = count.contacts.saturating_add(u32::try_from(add.rows.len()).unwrap_or(u32::MAX));
    if after > CAMPAIGN_CONTACTS_MAX {
        let why = format!(
            "{} has {} contacts, and at most {CAMPAIGN_CONTACTS_MAX} can be kept: make another campaign for the rest",
            add.campaign, count.contacts
        );
        return Err(Fail::Refused(StoreError::BadName { what: "campaign", why }));
    }
    let mut added = ContactsAdded { places: Vec::with_capacity(add.rows.len()) };
    for row in &add.rows {
        let number = rows::number(&add.campaign, row.number);
        if tx.exists(&number)? {
            added.places.push(None);
            continue;
        }
        let no = count.contacts;
        count.contacts += 1;
        tx.put(number, &code::place(no));
        tx.put(rows::of_contact(keys::CONTACT, &add.campaign, no), &row.who);
        tx.put(rows::of_contact(keys::STAND, &add.campaign, no), &row.stand);
        tx.put(rows::of_campaign(keys::CAMPAIGN, &add.campaign), &count.encode());
        tx.finish()?;
        added.places.push(Some(no));
    }
    Ok(added)
}

/// What is counted of a campaign. Where its row is damaged, it is counted anew.
pub(super) fn count(tx: &mut Tx<'_>, campaign: &str) -> Step<Count> {
    let key = rows::of_campaign(keys::CAMPAIGN, campaign);
    let Some(raw) = tx.raw(&key)? else { return Ok(Count::default()) };
    if let Some(count) = envelope::open(&key, &raw).and_then(Count::decode) {
        return Ok(count);
    }
    tx.core.quarantine(&key, &raw);
    tx.apply()?;
    let last = |tag| tx.core.db.scan_prefix(rows::of_campaign(tag, campaign)).keys().next_back().transpose();
    let contacts = last(keys::STAND)?.and_then(|key| rows::read_contact(&key).map(|(_, no)| no + 1));
    let ends = last(keys::END)?.and_then(|key| rows::read_end(&key));
    Ok(Count { contacts: contacts.unwrap_or_default(), ends: ends.unwrap_or_default() })
}

/// A [`ContactWrite`] whose names can be used.
pub(in super::super) struct Change {
    write: ContactWrite,
    now: UtcMs,
}

impl Change {
    pub(in super::super) fn new(mut write: ContactWrite, now: UtcMs) -> Result<Self, StoreError> {
        rows::check_campaign(&write.campaign)?;
        let dispositions = [
            write.attempt.as_mut().and_then(|attempt| attempt.end.as_mut()).map(|end| &mut end.disposition),
            write.ended.as_mut(),
        ];
        for words in dispositions.into_iter().flatten().filter_map(|disposition| disposition.words.as_mut()) {
            clamp_text(words, CONTACT_TEXT_BYTES_MAX);
        }
        Ok(Self { write, now })
    }

    pub(in super::super) fn bytes(&self) -> usize {
        let words = |disposition: &Disposition| disposition.words.as_ref().map_or(0, String::len);
        let end = self.write.attempt.as_ref().and_then(|attempt| attempt.end.as_ref());
        size_of::<Self>()
            + self.write.campaign.len()
            + end.map_or(0, |end| words(&end.disposition))
            + self.write.ended.as_ref().map_or(0, words)
    }
}

/// One claim, or one end.
pub(in super::super) fn write(tx: &mut Tx<'_>, change: &Change, space: SpaceLevel) -> Step<()> {
    let ContactWrite { campaign, no, state, spent, attempt, ended } = &change.write;
    let claim = matches!(state, ContactState::Claimed { .. });
    if claim {
        tx.core.check_promise(space)?;
    } else {
        tx.core.check_record(space)?;
    }
    let key = rows::of_contact(keys::STAND, campaign, *no);
    let Some(raw) = tx.raw(&key)? else {
        let (campaign, contact) = (campaign.clone(), *no);
        return Err(Fail::Refused(StoreError::NoContact { campaign, contact }));
    };
    let stand = stand(tx.core, campaign, *no, &raw)?;
    if stand.erased {
        // The person is gone, and nothing is written of them any more.
        return Ok(());
    }
    if let Some(attempt) = attempt {
        let row = rows::attempt(campaign, *no, attempt.nth);
        if claim && tx.exists(&row)? {
            let (campaign, contact, nth) = (campaign.clone(), *no, attempt.nth);
            return Err(Fail::Refused(StoreError::AlreadyClaimed { campaign, contact, nth }));
        }
        let over = attempt.ended.is_some() || attempt.end.is_some();
        put_tried(tx, campaign, *no, attempt.nth, Happened::Attempt(attempt.clone()), over)?;
    }
    if let Some(disposition) = ended {
        let what = Happened::Ended { at: change.now, disposition: disposition.clone() };
        put_tried(tx, campaign, *no, 0, what, true)?;
    }
    let stand = Stand { state: state.clone(), spent: *spent, ..stand };
    tx.put(key, &stand.encode());
    Ok(())
}

/// Writes an attempt, and numbers its end. The same end again keeps its number; another one gets a new number, so that
/// whoever follows the ends sees it.
fn put_tried(tx: &mut Tx<'_>, campaign: &str, no: u32, nth: u16, what: Happened, over: bool) -> Step<()> {
    let key = rows::attempt(campaign, no, nth);
    let before = tx.raw(&key)?.and_then(|raw| envelope::open(&key, &raw).and_then(|row| Tried::decode(row, nth)));
    if before.as_ref().is_some_and(|before| before.what == what && (before.seq > 0) == over) {
        return Ok(());
    }
    if let Some(before) = before.filter(|before| before.seq > 0) {
        tx.delete(rows::end(campaign, before.seq));
    }
    let mut seq = 0;
    if over {
        let mut count = count(tx, campaign)?;
        count.ends += 1;
        seq = count.ends;
        tx.put(rows::of_campaign(keys::CAMPAIGN, campaign), &count.encode());
        tx.put(rows::end(campaign, seq), &code::ended(no, nth));
    }
    tx.put(key, &Tried { seq, what }.encode());
    Ok(())
}

/// Where a contact stands. A damaged row is set aside and made anew from who it is: nobody knows whether an attempt was
/// under way, so a person decides.
pub(super) fn stand(core: &Core, campaign: &str, no: u32, raw: &[u8]) -> Result<Stand, StoreError> {
    let key = rows::of_contact(keys::STAND, campaign, no);
    if let Some(stand) = envelope::open(&key, raw).and_then(Stand::decode) {
        return Ok(stand);
    }
    let damaged = core.quarantine(&key, raw);
    let who_key = rows::of_contact(keys::CONTACT, campaign, no);
    let Some(who) = core.read(&who_key)?.and_then(|payload| Who::decode(&payload)) else { return Err(damaged) };
    let mut claims = 0;
    for row in core.db.scan_prefix(rows::of_contact(keys::ATTEMPT, campaign, no)).keys() {
        let row = row.map_err(|error| super::super::core::read_failed(&error))?;
        claims = rows::read_attempt(&row).map_or(claims, |(_, _, nth)| claims.max(nth));
    }
    let mut stand = Stand::of(&who.contact);
    stand.state = ContactState::Unknown { since: who.added };
    stand.spent.claims = claims;
    stand.spent.attempts = u8::try_from(claims).unwrap_or(u8::MAX);
    Ok(stand)
}

/// Opt-outs within all limits.
pub(in super::super) struct OptOutRows(Vec<OptOut>);

impl OptOutRows {
    pub(in super::super) fn new(mut opt_outs: Vec<OptOut>) -> Result<Self, StoreError> {
        check_count("opt-outs kept at once", opt_outs.len(), OPT_OUTS_PUT_MAX)?;
        for opt_out in &mut opt_outs {
            clamp_text(&mut opt_out.by, CONTACT_TEXT_BYTES_MAX);
        }
        Ok(Self(opt_outs))
    }

    pub(in super::super) fn bytes(&self) -> usize {
        self.0.iter().map(|opt_out| opt_out.by.len() + size_of::<OptOut>()).sum()
    }
}

/// Keeps opt-outs. They protect people: a low disk does not stop them.
pub(in super::super) fn opt_outs_put(tx: &mut Tx<'_>, opt_outs: &OptOutRows, space: SpaceLevel) -> Step<u64> {
    tx.core.check_record(space)?;
    let mut new = 0;
    for opt_out in &opt_outs.0 {
        let key = rows::opt_out(opt_out.number, &opt_out.scope);
        let mut row = opt_out.clone();
        match tx.raw(&key)? {
            None => new += 1,
            Some(raw) => {
                let before = envelope::open(&key, &raw)
                    .and_then(|payload| code::read_opt_out(opt_out.number, opt_out.scope.clone(), payload));
                match before {
                    Some(before) => {
                        row.since = before.since;
                        row.protected |= before.protected;
                    }
                    None => {
                        tx.core.quarantine(&key, &raw);
                    }
                }
            }
        }
        tx.put(key, &code::opt_out(&row));
        tx.finish()?;
    }
    Ok(new)
}

pub(in super::super) fn opt_out_delete(tx: &mut Tx<'_>, number: NumberKey, scope: &OptOutScope) -> Step<bool> {
    let key = rows::opt_out(number, scope);
    let there = tx.exists(&key)?;
    if there {
        tx.delete(key);
    }
    Ok(there)
}
