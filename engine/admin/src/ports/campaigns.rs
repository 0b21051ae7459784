//! What the admins' room asks of campaigns: what people decide, contacts in, what is going on, results out, opt-outs.
//!
//! Every function has a body that refuses, so that an engine without campaigns can be built; `engine/gudok` carries them
//! out.
//!
//! What the room does itself, before it asks: roles and agencies, names that exist, the meaning of a campaign's document
//! ([`crate::books::campaign_settings`]), the second officer of an emergency, the audit of orders, imports and looks. A
//! campaign's document is written by the engine, with the room's entry of the audit in the same commit.

use super::{Actor, BoxFuture, EngineRefusal};
use crate::documents::CampaignDocument;
use bytes::Bytes;
use futures_util::Stream;
use gudok_core::campaign::{CampaignOrder, ContactDecision};
use gudok_core::ids::Campaign;
use gudok_core::privacy::PhoneNumber;
use gudok_store::AuditDraft;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::pin::Pin;
use utoipa::ToSchema;

/// Bytes as they come or go; an error ends them.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Campaigns, seen by the people who make and watch them.
pub trait Campaigns: Send + Sync + 'static {
    /// What a campaign may be made of; none: this engine has no campaigns.
    fn campaign_facts(&self) -> Option<CampaignFacts> {
        None
    }
    /// Every campaign, by name, with its figures now.
    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<CampaignRow>, EngineRefusal>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// One campaign.
    fn campaign(&self, name: Campaign) -> BoxFuture<'_, Result<Option<CampaignRow>, EngineRefusal>> {
        let _ = name;
        Box::pin(async { Ok(None) })
    }
    /// Makes a campaign, or changes what is decided about it; answered when it is durable. A new one is a draft; one
    /// that runs goes on by the new word, except for attempts that are claimed already. Refuses with `stale-revision`
    /// where [`CampaignWrite::expected_revision`] is not the campaign's, `invalid-field` with the field where trunk,
    /// queue or zone are not there.
    fn campaign_put(&self, write: CampaignWrite) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        let _ = write;
        refuse()
    }
    /// Takes a campaign away with its contacts, attempts and results; the opt-outs stay. Refuses with `conflict` while it
    /// runs.
    fn campaign_remove(&self, name: Campaign, audit: AuditDraft) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        let _ = (name, audit);
        refuse()
    }
    /// Start, pause, resume, stop; answered when it is durable. Refuses with `conflict` where it does not fit.
    fn campaign_order(
        &self,
        actor: Actor,
        name: Campaign,
        order: CampaignOrder,
    ) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        let _ = (actor, name, order);
        refuse()
    }
    /// What happened over time, oldest first: attempts that ended, by disposition, in steps of so many seconds.
    fn campaign_series(&self, name: Campaign, step_s: u32) -> BoxFuture<'_, Result<CampaignSeries, EngineRefusal>> {
        let _ = (name, step_s);
        refuse()
    }
    /// What would happen when, if the campaign went on from now with the contacts that it has, by the document given (or
    /// by its own where there is none): the dry run of an edit.
    fn campaign_forecast(
        &self,
        name: Campaign,
        document: Option<Box<CampaignDocument>>,
    ) -> BoxFuture<'_, Result<CampaignForecast, EngineRefusal>> {
        let _ = (name, document);
        refuse()
    }

    /// Takes a list of contacts, as its bytes come: good rows are added, bad ones are reported. A number that the
    /// campaign has already is not added again, so that a list may be sent twice. With `dry_run` nothing is kept, and the
    /// report has a forecast. What was taken before the bytes broke off stays.
    fn contacts_import(
        &self,
        actor: Actor,
        name: Campaign,
        import: ContactsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        let _ = (actor, name, import, bytes);
        refuse()
    }
    /// Adds the contacts of another campaign, of these areas (of all where the list is empty): lists for emergencies are
    /// kept ready in a campaign that is never started.
    fn contacts_copy(
        &self,
        actor: Actor,
        name: Campaign,
        from: Campaign,
        areas: Vec<String>,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        let _ = (actor, name, from, areas);
        refuse()
    }
    /// One page of contacts, in the list's order.
    fn contacts(&self, name: Campaign, query: ContactsQuery) -> BoxFuture<'_, Result<ContactRows, EngineRefusal>> {
        let _ = (name, query);
        refuse()
    }
    /// One contact with its attempts; none where there is none.
    fn contact(&self, name: Campaign, no: u32) -> BoxFuture<'_, Result<Option<ContactDetails>, EngineRefusal>> {
        let _ = (name, no);
        refuse()
    }
    /// A person decides about a contact; answered when it is durable.
    fn contact_decide(
        &self,
        actor: Actor,
        name: Campaign,
        no: u32,
        decision: ContactDecision,
    ) -> BoxFuture<'_, Result<ContactRow, EngineRefusal>> {
        let _ = (actor, name, no, decision);
        refuse()
    }

    /// Attempts that ended, in the order of their ends, as a table: masked numbers and the list's own ids. After a cursor
    /// where one is given ([`ResultsQuery::after`]).
    fn campaign_results(
        &self,
        name: Campaign,
        query: ResultsQuery,
    ) -> BoxFuture<'_, Result<ByteStream, EngineRefusal>> {
        let _ = (name, query);
        refuse()
    }

    /// One page of opt-outs.
    fn opt_outs(&self, query: OptOutsQuery) -> BoxFuture<'_, Result<OptOutRows, EngineRefusal>> {
        let _ = query;
        refuse()
    }
    /// Notes that somebody does not want to be called; counts at once, in campaigns that run too. Answered when it is
    /// durable. One that is there already keeps its moment.
    fn opt_out_put(&self, actor: Actor, order: OptOutOrder) -> BoxFuture<'_, Result<OptOutRow, EngineRefusal>> {
        let _ = (actor, order);
        refuse()
    }
    /// Somebody may be called again. False where there is no such opt-out.
    fn opt_out_delete(
        &self,
        actor: Actor,
        key: String,
        agency: Option<String>,
    ) -> BoxFuture<'_, Result<bool, EngineRefusal>> {
        let _ = (actor, key, agency);
        refuse()
    }
    /// Takes a list of numbers (column `number`) that must not be called.
    fn opt_outs_import(
        &self,
        actor: Actor,
        import: OptOutsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        let _ = (actor, import, bytes);
        refuse()
    }
    /// The key under which a number's opt-outs are kept; none where it is not a whole number.
    fn opt_out_key(&self, number: &str) -> Option<String> {
        let _ = number;
        None
    }
}

fn refuse<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, EngineRefusal>> {
    Box::pin(async move { Err(EngineRefusal::not_served("campaigns")) })
}

/// What a campaign may be made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CampaignFacts {
    /// Trunks that the file lets campaigns use.
    pub trunks: Vec<CampaignTrunk>,
    /// Queues whose operators may be connected.
    pub queues: Vec<String>,
    /// Zones that contacts may be in.
    pub zones: Vec<String>,
    /// Calls of all campaigns begun in any second.
    pub calls_per_s_max: u32,
    /// Calls of all campaigns at once.
    pub calls_max: u32,
}

/// What campaigns may use of a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CampaignTrunk {
    /// Its name.
    pub name: String,
    /// Calls begun in any second.
    pub calls_per_s_max: u32,
    /// Calls at once.
    pub calls_max: u32,
}

/// A campaign to be written.
#[derive(Clone, Debug)]
pub struct CampaignWrite {
    /// Its name.
    pub name: Campaign,
    /// What is decided.
    pub document: CampaignDocument,
    /// The revision that the person saw; 0: it is new.
    pub expected_revision: u64,
    /// Who, for what the engine notes besides.
    pub actor: Actor,
    /// Goes into the audit in the same commit.
    pub audit: AuditDraft,
}

/// A campaign, with what is going on in it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CampaignRow {
    /// Its name: unique in the engine.
    pub name: String,
    /// Grows when what is decided about it changes, and then only.
    pub revision: u64,
    /// What is decided.
    pub document: CampaignDocument,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
    /// By whom.
    pub created_by: String,
    /// What is going on.
    pub figures: CampaignFigures,
}

/// What is going on in a campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CampaignFigures {
    /// `draft`, `running`, `paused`, `stopped`, `finished`.
    pub state: String,
    /// Since when, milliseconds since 1970.
    pub state_ms: u64,
    /// Why, where no person said so: `12 failures of its script in a row`.
    pub reason: Option<String>,
    /// Its contacts are still being read after a start of the engine: counts grow, nothing is dialled.
    pub loading: bool,
    /// Contacts.
    pub contacts: u64,
    /// By where they stand: `waiting`, `in-hand`, `unknown`, `done`.
    pub states: BTreeMap<String, u64>,
    /// Of those that are done: by their last disposition.
    pub dispositions: BTreeMap<String, u64>,
    /// Attempts that counted.
    pub attempts: u64,
    /// Calls that are on.
    pub live_calls: u32,
    /// Calls begun per second, over the last minute.
    pub calls_per_s: f64,
    /// With operators: people who answered and got none in time, in thousandths, over the last hour.
    pub abandoned_permille: Option<u16>,
    /// Why nothing is dialled now; null: it is.
    pub idle: Option<CampaignIdle>,
    /// When the next contact's window opens, where all are closed; milliseconds since 1970.
    pub next_window_ms: Option<u64>,
    /// When it will be over, as it goes; milliseconds since 1970.
    pub ends_ms: Option<u64>,
}

/// Why a campaign dials nothing now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignIdle {
    /// For programs: the words of [`gudok_core::campaign::WhyIdle`].
    pub code: String,
    /// What it is about: a trunk's name, a queue's; empty where the code says it all.
    pub about: String,
    /// Until when, where it is known; milliseconds since 1970.
    pub until_ms: Option<u64>,
}

/// What happened over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignSeries {
    /// The length of a step.
    pub step_s: u32,
    /// Oldest first; steps in which nothing happened may be missing.
    pub points: Vec<CampaignPoint>,
}

/// One step of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignPoint {
    /// Its beginning, milliseconds since 1970.
    pub at_ms: u64,
    /// Attempts that ended in it, by disposition.
    pub dispositions: BTreeMap<String, u64>,
}

/// What would happen when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignForecast {
    /// From when on it was reckoned, milliseconds since 1970.
    pub from_ms: u64,
    /// Contacts that it was reckoned for.
    pub contacts: u64,
    /// First attempts and further ones by hour, oldest first; hours in which nothing happens may be missing.
    pub hours: Vec<ForecastHour>,
    /// The first call, milliseconds since 1970; null: there is none.
    pub first_ms: Option<u64>,
    /// The last call that was reckoned.
    pub last_ms: Option<u64>,
    /// Contacts that are never dialled, by why: the words of [`gudok_core::campaign::NeverCalled`].
    pub never: BTreeMap<String, u64>,
    /// Contacts by their zone.
    pub zones: BTreeMap<String, u64>,
    /// What it takes for granted, for people: how many answer, how long they talk.
    pub assumptions: Vec<String>,
}

/// One hour of a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForecastHour {
    /// Its beginning, milliseconds since 1970.
    pub at_ms: u64,
    /// First attempts.
    pub first: u64,
    /// Further attempts, if as many as assumed are not reached.
    pub again: u64,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListFormat {
    /// Comma or semicolon, the first row names the columns.
    #[default]
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// A list of contacts that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactsImport {
    /// How it is written.
    pub format: ListFormat,
    /// Nothing is kept; the report has a forecast.
    pub dry_run: bool,
}

/// A list of numbers that must not be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOutsImport {
    /// How it is written.
    pub format: ListFormat,
    /// By this agency; by nobody where it is missing.
    pub agency: Option<String>,
    /// Not even in an emergency: the law says so.
    pub protected: bool,
    /// Nothing is kept.
    pub dry_run: bool,
}

/// How a list was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactsReport {
    /// Nothing was kept.
    pub dry_run: bool,
    /// Rows that were read, without the heading.
    pub rows: u64,
    /// Contacts that were added, or would be.
    pub added: u64,
    /// Rows that were not taken because the list or the campaign has their number already.
    pub duplicates: u64,
    /// Rows that were not taken because something is wrong with them.
    pub bad: u64,
    /// All rows that were not taken, by what is wrong: `number-empty`, `number-letters`, `number-short`, `duplicate-in-file`,
    /// `duplicate-in-campaign`, `zone-unknown`, …
    pub kinds: BTreeMap<String, u64>,
    /// The first of them.
    pub problems: Vec<RowProblem>,
    /// How it was read: `utf-8`, `windows-1251`.
    pub charset: String,
    /// Columns that go to the script, as the list has them.
    pub fields: Vec<String>,
    /// Contacts by their zone.
    pub zones: BTreeMap<String, u64>,
    /// Of a dry run: what would happen when.
    pub forecast: Option<CampaignForecast>,
}

/// What is wrong with a row. Never its number in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowProblem {
    /// From 1, the heading included.
    pub line: u64,
    /// The column's name; empty where it is the row itself.
    pub column: String,
    /// As in [`ContactsReport::kinds`].
    pub kind: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// Which contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactsQuery {
    /// After this place.
    pub after: Option<u32>,
    /// At most so many.
    pub rows_max: usize,
    /// `waiting`, `claimed`, `unknown`, `done`.
    pub state: Option<String>,
    /// Done, with this as their last disposition.
    pub disposition: Option<String>,
    /// Of this area.
    pub area: Option<String>,
    /// With this number.
    pub number: Option<PhoneNumber>,
}

/// One page of contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactRows {
    /// The contacts.
    pub rows: Vec<ContactRow>,
    /// There may be more after this place. A filter may leave a page short, or empty, where there is more.
    pub more_after: Option<u32>,
}

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactRow {
    /// Its place in the campaign's list, from 0.
    pub no: u32,
    /// As the list has it.
    pub id: String,
    /// Masked.
    pub number: String,
    /// Its time zone.
    pub zone: String,
    /// Its own window, by name.
    pub window: Option<String>,
    /// BCP 47.
    pub lang: Option<String>,
    /// A region's or municipality's code.
    pub area: Option<String>,
    /// `waiting`, `claimed`, `unknown`, `done`.
    pub state: String,
    /// Of a waiting one: not before. Else: since when. Milliseconds since 1970.
    pub state_ms: Option<u64>,
    /// Of one that is done: its last disposition.
    pub disposition: Option<String>,
    /// Attempts that counted.
    pub attempts: u8,
}

/// A contact with its attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactDetails {
    /// The contact.
    #[serde(flatten)]
    pub contact: ContactRow,
    /// What was tried, the last at the end.
    pub tries: Vec<ContactAttempt>,
}

/// One attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactAttempt {
    /// From 1.
    pub nth: u16,
    /// In this call.
    pub call: String,
    /// Durable since, milliseconds since 1970.
    pub claimed_ms: u64,
    /// Dialled when.
    pub dialled_ms: Option<u64>,
    /// Answered when.
    pub answered_ms: Option<u64>,
    /// Over when.
    pub ended_ms: Option<u64>,
    /// What became of it; null while it goes on, or where a crash cut it off.
    pub disposition: Option<String>,
    /// The script's own words with it.
    pub words: Option<String>,
    /// `human`, `machine`, `fax`, `unknown`; null: nobody answered.
    pub answered_by: Option<String>,
    /// The final SIP status.
    pub status: Option<u16>,
}

/// Which results, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultsQuery {
    /// How they are written.
    pub format: ListFormat,
    /// After this one: the column `cursor` of the last line that somebody has.
    pub after: Option<u64>,
}

/// Which opt-outs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOutsQuery {
    /// By these agencies, and global ones where [`OptOutsQuery::global`] says so; of all where it is missing.
    pub agencies: Option<Vec<String>>,
    /// Global ones too.
    pub global: bool,
    /// Of this number ([`Campaigns::opt_out_key`]).
    pub key: Option<String>,
    /// After this one: [`OptOutRows::more_after`].
    pub after: Option<String>,
    /// At most so many.
    pub rows_max: usize,
}

/// One page of opt-outs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOutRows {
    /// The opt-outs.
    pub rows: Vec<OptOutRow>,
    /// There may be more after this.
    pub more_after: Option<String>,
}

/// Somebody who does not want to be called. The number itself is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptOutRow {
    /// The key of the number, 32 hexadecimal digits.
    pub id: String,
    /// By this agency; null: by nobody.
    pub agency: Option<String>,
    /// Not even in an emergency: the law says so.
    pub protected: bool,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// Where it comes from: `campaign NAME`, a user's name, `import`.
    pub source: String,
    /// Why, in words.
    pub reason: String,
}

/// An opt-out to be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOutOrder {
    /// Who. E.164.
    pub number: PhoneNumber,
    /// By this agency; by nobody where it is missing.
    pub agency: Option<String>,
    /// Not even in an emergency.
    pub protected: bool,
    /// Why, in words; never a number.
    pub reason: String,
}
