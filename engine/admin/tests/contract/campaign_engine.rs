//! The fake engine's campaigns: documents in memory, contacts by count, and lists that are read to their end.

use crate::engine::FakeEngine;
use crate::world::BEGIN_MS;
use futures_util::StreamExt;
use gudok_admin::documents::CampaignDocument;
use gudok_admin::ports::{
    Actor, BoxFuture, ByteStream, CampaignFacts, CampaignForecast, CampaignPoint, CampaignRow, CampaignSeries,
    CampaignTrunk, CampaignWrite, Campaigns, ContactAttempt, ContactDetails, ContactRow, ContactRows, ContactsImport,
    ContactsQuery, ContactsReport, Engine, EngineRefusal, ForecastHour, ListFormat, OptOutOrder, OptOutRow, OptOutRows,
    OptOutsImport, OptOutsQuery, ResultsQuery,
};
use gudok_core::campaign::{CampaignOrder, ContactDecision};
use gudok_core::ids::Campaign;
use gudok_store::{AuditDraft, LedgerChange, UtcMs};
use std::collections::BTreeMap;

/// What the fake engine knows of campaigns.
#[derive(Default)]
pub struct FakeCampaigns {
    pub rows: BTreeMap<String, CampaignRow>,
    pub opt_outs: Vec<OptOutRow>,
    /// Bytes of the largest piece of a list, and of all.
    pub piece_bytes_max: usize,
    pub bytes: u64,
}

impl FakeEngine {
    /// A campaign that was made before, with a contact.
    pub fn campaign_of(&self, name: &str, agency: &str, emergency: bool, state: &str) {
        let document = serde_json::json!({
            "agency": agency, "entry": "main", "trunk": "city", "emergency": emergency,
        });
        let mut row = row(name, serde_json::from_value(document).unwrap(), 1, "root");
        row.figures.contacts = 1;
        row.figures.state = state.into();
        self.state.lock().campaigns.rows.insert(name.into(), row);
    }

    pub fn opt_out_of(&self, key: &str, agency: Option<&str>) {
        let row = opt_out(key, agency);
        self.state.lock().campaigns.opt_outs.push(row);
    }

    fn row(&self, name: &Campaign) -> Result<CampaignRow, EngineRefusal> {
        self.state.lock().campaigns.rows.get(name.as_str()).cloned().ok_or_else(|| refused("not-found", 404))
    }

    async fn audited(&self, audit: AuditDraft) {
        let change = LedgerChange { audit: vec![audit], ..LedgerChange::default() };
        self.store().ledger_commit(change, UtcMs(self.now_ms())).await.unwrap();
    }

    async fn drained(&self, mut bytes: ByteStream) -> Result<u64, EngineRefusal> {
        let mut lines = 0;
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|_| refused("conflict", 409))?;
            lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
            let mut state = self.state.lock();
            state.campaigns.bytes += piece.len() as u64;
            state.campaigns.piece_bytes_max = state.campaigns.piece_bytes_max.max(piece.len());
        }
        Ok(lines)
    }
}

fn refused(code: &'static str, status: u16) -> EngineRefusal {
    let (problem, remedy) = ("The engine does not do that.".to_owned(), "Do something else.".to_owned());
    EngineRefusal { code, status, field: None, problem, remedy, report: None }
}

fn row(name: &str, document: CampaignDocument, revision: u64, by: &str) -> CampaignRow {
    let mut row = CampaignRow {
        name: name.into(),
        revision,
        document,
        created_ms: BEGIN_MS,
        created_by: by.into(),
        figures: gudok_admin::ports::CampaignFigures::default(),
    };
    row.figures.state = "draft".into();
    row
}

fn contact(no: u32) -> ContactRow {
    ContactRow {
        no,
        id: format!("list-{no}"),
        number: "+7913*****21".into(),
        zone: "Asia/Omsk".into(),
        state: if no == 1 { "unknown" } else { "waiting" }.into(),
        state_ms: Some(BEGIN_MS),
        attempts: 1,
        ..ContactRow::default()
    }
}

fn opt_out(key: &str, agency: Option<&str>) -> OptOutRow {
    OptOutRow {
        id: key.into(),
        agency: agency.map(str::to_owned),
        protected: false,
        since_ms: BEGIN_MS,
        source: "root".into(),
        reason: "asked so".into(),
    }
}

fn report(rows: u64, dry_run: bool) -> ContactsReport {
    let forecast = dry_run.then(|| forecast(rows));
    ContactsReport { dry_run, rows, added: rows, charset: "utf-8".into(), forecast, ..ContactsReport::default() }
}

fn forecast(contacts: u64) -> CampaignForecast {
    let hours = vec![ForecastHour { at_ms: BEGIN_MS, first: contacts, again: 0 }];
    CampaignForecast { from_ms: BEGIN_MS, contacts, hours, first_ms: Some(BEGIN_MS), ..CampaignForecast::default() }
}

impl Campaigns for FakeEngine {
    fn campaign_facts(&self) -> Option<CampaignFacts> {
        let trunks = vec![CampaignTrunk { name: "city".into(), calls_per_s_max: 5, calls_max: 20 }];
        Some(CampaignFacts { trunks, queues: vec!["help".into()], ..CampaignFacts::default() })
    }

    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<CampaignRow>, EngineRefusal>> {
        let rows = self.state.lock().campaigns.rows.values().cloned().collect();
        Box::pin(async move { Ok(rows) })
    }

    fn campaign(&self, name: Campaign) -> BoxFuture<'_, Result<Option<CampaignRow>, EngineRefusal>> {
        let found = self.row(&name).ok();
        Box::pin(async move { Ok(found) })
    }

    fn campaign_put(&self, write: CampaignWrite) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        Box::pin(async move {
            let before = self.row(&write.name).ok();
            let present = before.as_ref().map_or(0, |row| row.revision);
            if present != write.expected_revision {
                return Err(refused("stale-revision", 412));
            }
            self.audited(write.audit).await;
            let mut row = row(write.name.as_str(), write.document, present + 1, &write.actor.name);
            if let Some(before) = before {
                row.figures = before.figures;
            }
            self.state.lock().campaigns.rows.insert(write.name.to_string(), row.clone());
            Ok(row)
        })
    }

    fn campaign_remove(&self, name: Campaign, audit: AuditDraft) -> BoxFuture<'_, Result<(), EngineRefusal>> {
        Box::pin(async move {
            if self.row(&name)?.figures.state == "running" {
                return Err(refused("conflict", 409));
            }
            self.audited(audit).await;
            self.state.lock().campaigns.rows.remove(name.as_str());
            Ok(())
        })
    }

    fn campaign_order(
        &self,
        _: Actor,
        name: Campaign,
        order: CampaignOrder,
    ) -> BoxFuture<'_, Result<CampaignRow, EngineRefusal>> {
        Box::pin(async move {
            let mut row = self.row(&name)?;
            let (from, to) = match order {
                CampaignOrder::Start => (["draft", "draft"], "running"),
                CampaignOrder::Pause => (["running", "running"], "paused"),
                CampaignOrder::Resume => (["paused", "paused"], "running"),
                CampaignOrder::Stop => (["running", "paused"], "stopped"),
            };
            if !from.contains(&row.figures.state.as_str()) {
                return Err(refused("conflict", 409));
            }
            row.figures.state = to.into();
            self.state.lock().campaigns.rows.insert(name.to_string(), row.clone());
            Ok(row)
        })
    }

    fn campaign_series(&self, _: Campaign, step_s: u32) -> BoxFuture<'_, Result<CampaignSeries, EngineRefusal>> {
        let dispositions = BTreeMap::from([("confirmed".to_owned(), 3), ("busy".to_owned(), 1)]);
        let points = vec![CampaignPoint { at_ms: BEGIN_MS, dispositions }];
        Box::pin(async move { Ok(CampaignSeries { step_s, points }) })
    }

    fn campaign_forecast(
        &self,
        name: Campaign,
        _: Option<Box<CampaignDocument>>,
    ) -> BoxFuture<'_, Result<CampaignForecast, EngineRefusal>> {
        let found = self.row(&name).map(|row| forecast(row.figures.contacts));
        Box::pin(async move { found })
    }

    fn contacts_import(
        &self,
        _: Actor,
        name: Campaign,
        import: ContactsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(async move {
            let rows = self.drained(bytes).await?;
            if !import.dry_run {
                let mut state = self.state.lock();
                state.campaigns.rows.get_mut(name.as_str()).unwrap().figures.contacts += rows;
            }
            Ok(report(rows, import.dry_run))
        })
    }

    fn contacts_copy(
        &self,
        _: Actor,
        _: Campaign,
        _: Campaign,
        areas: Vec<String>,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(async move { Ok(report(areas.len() as u64, false)) })
    }

    fn contacts(&self, _: Campaign, query: ContactsQuery) -> BoxFuture<'_, Result<ContactRows, EngineRefusal>> {
        let from = query.after.map_or(0, |after| after + 1);
        let all: Vec<ContactRow> = (from..3).map(contact).collect();
        let rows: Vec<ContactRow> = all.iter().take(query.rows_max).cloned().collect();
        let more_after = rows.last().filter(|_| rows.len() < all.len()).map(|last| last.no);
        Box::pin(async move { Ok(ContactRows { rows, more_after }) })
    }

    fn contact(&self, _: Campaign, no: u32) -> BoxFuture<'_, Result<Option<ContactDetails>, EngineRefusal>> {
        let tried = ContactAttempt { nth: 1, call: "1".repeat(32), claimed_ms: BEGIN_MS, ..ContactAttempt::default() };
        let found = (no < 3).then(|| ContactDetails { contact: contact(no), tries: vec![tried] });
        Box::pin(async move { Ok(found) })
    }

    fn contact_decide(
        &self,
        _: Actor,
        _: Campaign,
        no: u32,
        _: ContactDecision,
    ) -> BoxFuture<'_, Result<ContactRow, EngineRefusal>> {
        Box::pin(async move { if no < 3 { Ok(contact(no)) } else { Err(refused("not-found", 404)) } })
    }

    fn campaign_results(&self, _: Campaign, query: ResultsQuery) -> BoxFuture<'_, Result<ByteStream, EngineRefusal>> {
        let text = match query.format {
            ListFormat::Csv => "cursor,id,disposition\n1,list-1,confirmed\n",
            ListFormat::Jsonl => "{\"cursor\":1,\"id\":\"list-1\",\"disposition\":\"confirmed\"}\n",
        };
        let stream: ByteStream = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from(text))]));
        Box::pin(async move { Ok(stream) })
    }

    fn opt_outs(&self, query: OptOutsQuery) -> BoxFuture<'_, Result<OptOutRows, EngineRefusal>> {
        let mut rows = self.state.lock().campaigns.opt_outs.clone();
        rows.retain(|row| {
            let of = match (&row.agency, &query.agencies) {
                (Some(agency), Some(agencies)) => agencies.contains(agency),
                (Some(_), None) => true,
                (None, _) => query.global,
            };
            of && query.key.as_ref().is_none_or(|key| *key == row.id)
        });
        Box::pin(async move { Ok(OptOutRows { rows, more_after: None }) })
    }

    fn opt_out_put(&self, _: Actor, order: OptOutOrder) -> BoxFuture<'_, Result<OptOutRow, EngineRefusal>> {
        let key = self.opt_out_key(order.number.reveal()).unwrap();
        let row = OptOutRow { protected: order.protected, ..opt_out(&key, order.agency.as_deref()) };
        self.state.lock().campaigns.opt_outs.push(row.clone());
        Box::pin(async move { Ok(row) })
    }

    fn opt_out_delete(
        &self,
        _: Actor,
        key: String,
        agency: Option<String>,
    ) -> BoxFuture<'_, Result<bool, EngineRefusal>> {
        let mut state = self.state.lock();
        let before = state.campaigns.opt_outs.len();
        state.campaigns.opt_outs.retain(|row| row.id != key || row.agency != agency);
        let was_there = state.campaigns.opt_outs.len() < before;
        Box::pin(async move { Ok(was_there) })
    }

    fn opt_outs_import(
        &self,
        _: Actor,
        import: OptOutsImport,
        bytes: ByteStream,
    ) -> BoxFuture<'_, Result<ContactsReport, EngineRefusal>> {
        Box::pin(async move { Ok(report(self.drained(bytes).await?, import.dry_run)) })
    }

    fn opt_out_key(&self, number: &str) -> Option<String> {
        // Backwards: a key in which nobody reads the number.
        let digits: String = number.chars().rev().filter(char::is_ascii_digit).collect();
        Some(format!("{digits:0>32}"))
    }
}
