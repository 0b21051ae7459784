//! Campaigns as lines of a backup.
use serde::{Deserialize, Serialize};

use super::super::core::{Core, read_failed};
use super::super::writer::Rows;
use super::super::{envelope, keys};
use super::code::{Count, Stand, Tried, Who};
use super::{code, rows, write};
use crate::{
    Attempt, BackupSummary, ContactState, Disposition, Happened, NewContact, NumberKey, OptOut, OptOutScope, Spent,
    StoreError, UtcMs,
};

#[derive(Serialize, Deserialize)]
pub(in super::super) struct CampaignLine {
    campaign: String,
    contacts: u32,
    ends: u64,
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct ContactLine {
    campaign: String,
    no: u32,
    state: ContactState,
    spent: Spent,
    zone: String,
    /// None where the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    who: Option<WhoLine>,
}

#[derive(Serialize, Deserialize)]
struct WhoLine {
    added_ms: UtcMs,
    #[serde(flatten)]
    contact: NewContact,
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct AttemptLine {
    campaign: String,
    contact: u32,
    /// None while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<Attempt>,
    /// An end without an attempt: when, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<(UtcMs, Disposition)>,
}

#[derive(Serialize, Deserialize)]
pub(in super::super) struct OptOutLine {
    number: NumberKey,
    scope: OptOutScope,
    protected: bool,
    since_ms: UtcMs,
    by: String,
}

/// One row of these tables as a line.
pub(in super::super) enum Lines {
    Campaign(CampaignLine),
    Contact(Box<ContactLine>),
    Attempt(Box<AttemptLine>),
    OptOut(OptOutLine),
}

/// The line of a row; none where another row's line has what it says.
pub(in super::super) fn line(core: &Core, tag: u8, key: &[u8], raw: &[u8]) -> Result<Option<Lines>, StoreError> {
    let damaged = || core.quarantine(key, raw);
    let payload = || envelope::open(key, raw).ok_or_else(damaged);
    Ok(match tag {
        keys::CAMPAIGN => {
            let count = Count::decode(payload()?).ok_or_else(damaged)?;
            let (campaign, _) = rows::read_campaign(key).ok_or_else(damaged)?;
            let campaign = campaign.to_owned();
            Some(Lines::Campaign(CampaignLine { campaign, contacts: count.contacts, ends: count.ends }))
        }
        keys::STAND => contact_line(core, key, raw)?.map(|line| Lines::Contact(Box::new(line))),
        keys::ATTEMPT => {
            let (campaign, contact, nth) = rows::read_attempt(key).ok_or_else(damaged)?;
            let tried = Tried::decode(payload()?, nth).ok_or_else(damaged)?;
            let seq = (tried.seq > 0).then_some(tried.seq);
            let (attempt, ended) = match tried.what {
                Happened::Attempt(attempt) => (Some(attempt), None),
                Happened::Ended { at, disposition } => (None, Some((at, disposition))),
            };
            let campaign = campaign.to_owned();
            Some(Lines::Attempt(Box::new(AttemptLine { campaign, contact, seq, attempt, ended })))
        }
        keys::OPT_OUT => {
            let (number, scope) = rows::read_opt_out(key).ok_or_else(damaged)?;
            let read = code::read_opt_out(number, scope, payload()?).ok_or_else(damaged)?;
            let OptOut { number, scope, protected, since, by } = read;
            Some(Lines::OptOut(OptOutLine { number, scope, protected, since_ms: since, by }))
        }
        // In the contact's line, and in the attempt's.
        _ => None,
    })
}

fn contact_line(core: &Core, key: &[u8], raw: &[u8]) -> Result<Option<ContactLine>, StoreError> {
    let (campaign, no) = rows::read_contact(key).ok_or_else(|| core.quarantine(key, raw))?;
    let stand = write::stand(core, campaign, no, raw)?;
    let who = if stand.erased {
        None
    } else {
        let key = rows::of_contact(keys::CONTACT, campaign, no);
        // The campaign is being erased.
        let Some(raw) = core.db.get(&key).map_err(|error| read_failed(&error))? else { return Ok(None) };
        let who = envelope::open(&key, &raw).and_then(Who::decode).ok_or_else(|| core.quarantine(&key, &raw))?;
        Some(WhoLine { added_ms: who.added, contact: who.contact })
    };
    let Stand { state, spent, zone, .. } = stand;
    Ok(Some(ContactLine { campaign: campaign.to_owned(), no, state, spent, zone, who }))
}

impl CampaignLine {
    pub(in super::super) fn rows(self, into: &mut Rows) -> Result<(), StoreError> {
        rows::check_campaign(&self.campaign)?;
        let count = Count { contacts: self.contacts, ends: self.ends };
        into.push((rows::of_campaign(keys::CAMPAIGN, &self.campaign), count.encode()));
        Ok(())
    }
}

impl ContactLine {
    pub(in super::super) fn rows(self, into: &mut Rows, summary: &mut BackupSummary) -> Result<(), StoreError> {
        rows::check_campaign(&self.campaign)?;
        let stand_key = rows::of_contact(keys::STAND, &self.campaign, self.no);
        let mut stand = Stand {
            number: NumberKey::default(),
            zone: self.zone,
            window: None,
            spent: self.spent,
            state: self.state,
            erased: self.who.is_none(),
        };
        if let Some(WhoLine { added_ms, contact }) = self.who {
            write::check_contact(&contact)?;
            (stand.number, stand.window) = (contact.number, contact.window);
            into.push((rows::number(&self.campaign, contact.number), code::place(self.no).to_vec()));
            let who = Who { added: added_ms, contact };
            into.push((rows::of_contact(keys::CONTACT, &self.campaign, self.no), who.encode()));
        }
        into.push((stand_key, stand.encode()));
        summary.contacts += 1;
        Ok(())
    }
}

impl AttemptLine {
    pub(in super::super) fn rows(self, into: &mut Rows, summary: &mut BackupSummary) -> Result<(), StoreError> {
        rows::check_campaign(&self.campaign)?;
        let (nth, what) = match (self.attempt, self.ended) {
            (Some(attempt), _) => (attempt.nth, Happened::Attempt(attempt)),
            (None, Some((at, disposition))) => (0, Happened::Ended { at, disposition }),
            (None, None) => return Ok(()),
        };
        let seq = self.seq.unwrap_or_default();
        if seq > 0 {
            into.push((rows::end(&self.campaign, seq), code::ended(self.contact, nth)));
        }
        into.push((rows::attempt(&self.campaign, self.contact, nth), Tried { seq, what }.encode()));
        summary.attempts += 1;
        Ok(())
    }
}

impl OptOutLine {
    pub(in super::super) fn rows(self, into: &mut Rows, summary: &mut BackupSummary) {
        let key = rows::opt_out(self.number, &self.scope);
        let Self { number, scope, protected, since_ms, by } = self;
        into.push((key, code::opt_out(&OptOut { number, scope, protected, since: since_ms, by })));
        summary.opt_outs += 1;
    }
}
