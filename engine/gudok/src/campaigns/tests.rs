//! The task on a real store; scripts and telephones are the test's.

use super::keep::{Book, RunDocument};
use super::results;
use super::task::CampaignStart;
use super::{Campaigns, Parts, start};
use crate::clock::EngineClock;
use crate::config::CampaignsConfig;
use crate::keys::{ClearContact, NodeKey, Subjects};
use crate::live::LiveCalls;
use gudok_admin::documents::kinds;
use gudok_admin::ports::CampaignFigures;
use gudok_core::campaign::{
    AnsweredBy, AttemptEnd, AttemptId, CampaignOrder, CampaignReport, CampaignsSettings, ContactDecision, ContactNo,
    Disposition, Load, Plan, TrunkShare,
};
use gudok_core::ids::{Campaign, Trunk};
use gudok_core::privacy::PhoneNumber;
use gudok_plugin_host::ports::Clock;
use gudok_store::{LedgerChange, NewContact, Put, SledStore, StoreOptions};
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(120);
const STARTS_MAX: usize = 1_024;

struct Life {
    campaigns: Campaigns,
    book: Book,
    starts: mpsc::Receiver<Box<CampaignStart>>,
}

fn shared() -> CampaignsConfig {
    let share = TrunkShare { calls_max: 5_000, calls_per_s_max: 2_000, rest_after_failure: Duration::from_secs(10) };
    let settings = CampaignsSettings {
        trunks: BTreeMap::from([(Trunk::new("city"), share)]),
        calls_max: 5_000,
        calls_per_s_max: 2_000,
        inbound_calls_max: 1_000,
        ..CampaignsSettings::default()
    };
    CampaignsConfig { settings: Arc::new(settings), zones_file: None, zone: Arc::from("UTC"), kept: None }
}

/// What is kept, and what works with it.
fn book(dir: &Path) -> Book {
    let key = NodeKey::open(dir).unwrap();
    Book {
        store: Arc::new(SledStore::open(StoreOptions::at(dir.join("records"))).unwrap()),
        clock: EngineClock::new(TimeZone::UTC, None),
        subjects: Subjects::new(&key),
    }
}

fn begin(book: Book) -> Life {
    let (live, _) = LiveCalls::new(10);
    let (to_start, starts) = mpsc::channel(STARTS_MAX);
    let campaigns = start(Parts {
        store: Arc::clone(&book.store),
        clock: Arc::clone(&book.clock),
        subjects: book.subjects.clone(),
        live,
        scripts: Arc::new(|ask| {
            // One contact's columns make its script say no.
            let skips = ask.contact.fields.iter().any(|(name, _)| &**name == "skip");
            let plan = if skips { Plan::Skip(Arc::from("paid")) } else { Plan::Dial };
            Box::pin(std::future::ready(Ok(plan)))
        }),
        lang: Arc::from("ru-RU"),
        config: shared(),
        starts: to_start,
        without_store: false,
    });
    Life { campaigns, book, starts }
}

fn number(no: u32) -> PhoneNumber {
    PhoneNumber::new(&format!("+7900{no:07}"))
}

fn new_contact(subjects: &Subjects, no: u32, fields: &[(&str, &str)]) -> NewContact {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let clear = ClearContact { number: number(no), fields };
    NewContact {
        id: format!("id-{no}"),
        number: subjects.number_key(&clear.number).unwrap(),
        sealed: subjects.seal_contact(&clear).unwrap(),
        masked: clear.number.masked(),
        zone: "Asia/Omsk".to_owned(),
        window: None,
        lang: None,
        area: None,
    }
}

/// A campaign that a former process made, and its contacts.
async fn left(book: &Book, contacts: u32, calls_max: u32) -> Campaign {
    let name = Campaign::new("tax");
    let document = json!({
        "agency": "tax", "entry": "reminder", "trunk": "city", "window": "24/7",
        "calls_per_s_max": 2_000, "calls_max": calls_max,
    });
    let put = Put {
        kind: kinds::CAMPAIGN.to_owned(),
        id: name.to_string(),
        body: document.to_string().into_bytes(),
        expires: None,
    };
    let run = RunDocument::draft(book.now(), "anna").put(&name).unwrap();
    let change = LedgerChange { puts: vec![put, run], ..LedgerChange::default() };
    book.store.ledger_commit(change, book.utc()).await.unwrap();
    for from in (0..contacts).step_by(500) {
        let rows = (from..contacts.min(from + 500)).map(|no| new_contact(&book.subjects, no, &[])).collect();
        book.store.contacts_add(name.as_str(), rows, book.utc()).await.unwrap();
    }
    name
}

impl Life {
    async fn figures(&self, name: &Campaign) -> Option<CampaignFigures> {
        let name = name.clone();
        self.campaigns.ask(move |task| task.row(&name, task.book.now())).await.unwrap().map(|row| row.figures)
    }

    /// Waits until a campaign stands so.
    async fn until(&self, name: &Campaign, what: &str, is: impl Fn(&CampaignFigures) -> bool) -> CampaignFigures {
        let begun = Instant::now();
        loop {
            let figures = self.figures(name).await;
            if let Some(figures) = figures.clone().filter(|figures| is(figures)) {
                return figures;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: {figures:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn order(&self, name: &Campaign, order: CampaignOrder) {
        let name = name.clone();
        let said = self.campaigns.ask(move |task| task.durably(|machine, now| machine.order(&name, order, now)));
        super::orders::durable(said.await.unwrap().unwrap()).await.unwrap();
    }

    async fn started(&self, name: &Campaign, contacts: u64) {
        self.campaigns.load(Load::default());
        let ready = |figures: &CampaignFigures| figures.contacts == contacts && !figures.loading;
        self.until(name, "read", ready).await;
        self.order(name, CampaignOrder::Start).await;
    }

    async fn dialled(&mut self) -> Box<CampaignStart> {
        tokio::time::timeout(PATIENCE, self.starts.recv()).await.unwrap().unwrap()
    }
}

fn end(book: &Book, disposition: Disposition) -> CampaignReport {
    let answered = Some(book.clock.now());
    CampaignReport::Ended(AttemptEnd { disposition, answered_by: Some(AnsweredBy::Human), answered, status: Some(200) })
}

#[expect(clippy::print_stdout, reason = "a figure for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_on_a_list_is_called_once_and_what_came_of_it_is_kept() {
    const CONTACTS: u32 = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let book = book(dir.path());
    let name = left(&book, CONTACTS, 1_000).await;
    let rows = vec![new_contact(&book.subjects, CONTACTS, &[("skip", "yes"), ("name", "Анна")])];
    book.store.contacts_add(name.as_str(), rows, book.utc()).await.unwrap();
    let mut life = begin(book);
    life.started(&name, u64::from(CONTACTS) + 1).await;
    let begun = Instant::now();
    let mut numbers = HashSet::new();
    for _ in 0..CONTACTS {
        let called = life.dialled().await;
        assert_eq!(called.call.target.trunk, Some(Trunk::new("city")));
        assert_eq!(called.call.target.address, called.call.contact.number);
        assert_eq!(called.call.contact.attempt, 1);
        assert!(numbers.insert(called.call.contact.number.reveal().to_owned()), "somebody was called twice");
        life.campaigns.report(called.call.attempt.clone(), CampaignReport::Answered);
        life.campaigns.report(called.call.attempt.clone(), end(&life.book, Disposition::Delivered));
    }
    let figures = life.until(&name, "all done", |figures| figures.state == "finished").await;
    let took = begun.elapsed();
    println!("{CONTACTS} attempts with claims, calls and ends in {took:.1?}");
    assert_eq!(figures.states["done"], u64::from(CONTACTS) + 1);
    assert_eq!(figures.dispositions, BTreeMap::from([("delivered".into(), 3_000), ("skipped".into(), 1)]));
    let (mut lines, mut after) = (Vec::new(), Some(0));
    while let Some(from) = after {
        let (some, more) = results::page(&*life.book.store, &name, from, 0).await.unwrap();
        lines.extend(some);
        after = more;
    }
    assert_eq!(lines.len(), CONTACTS as usize + 1);
    assert!(lines.is_sorted_by_key(|line| line.cursor));
    assert!(lines.iter().all(|line| line.id.starts_with("id-") && line.number.contains('*')), "{:?}", lines[0]);
    let skipped = lines.iter().find(|line| line.disposition == "skipped").unwrap();
    assert_eq!((skipped.words.as_deref(), skipped.attempt), (Some("paid"), 0));
    let of_one = name.clone();
    let series = life.campaigns.ask(move |task| task.known[&of_one].series.steps(3_600)).await.unwrap();
    let delivered: u64 = series.points.iter().filter_map(|point| point.dispositions.get("delivered")).sum();
    assert_eq!(delivered, u64::from(CONTACTS));
}

#[test]
fn what_a_crash_cut_off_is_unknown_and_dialled_by_nobody() {
    const CONTACTS: u32 = 120;
    const CUT_OFF: u32 = 40;
    let dir = tempfile::tempdir().unwrap();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let cut_off: HashSet<AttemptId> = first.block_on(async {
        let book = book(dir.path());
        let name = left(&book, CONTACTS, CUT_OFF).await;
        let mut life = begin(book);
        life.started(&name, CONTACTS.into()).await;
        let mut all = HashSet::new();
        for _ in 0..CUT_OFF {
            let called = life.dialled().await;
            all.insert(called.call.attempt.clone());
            // The process dies with the call.
            Box::leak(called);
        }
        all
    });
    // Everything in it stops where it is.
    first.shutdown_timeout(Duration::from_secs(10));
    runtime().block_on(async {
        let name = Campaign::new("tax");
        let mut life = begin(reopened(dir.path()).await);
        life.campaigns.load(Load::default());
        let figures = life.until(&name, "read", |figures| figures.states["unknown"] == u64::from(CUT_OFF)).await;
        assert_eq!((figures.state.as_str(), figures.contacts), ("running", u64::from(CONTACTS)));
        for _ in 0..CONTACTS - CUT_OFF {
            let called = life.dialled().await;
            let again = cut_off.iter().any(|cut| cut.contact == called.call.attempt.contact);
            assert!(!again, "dialled again by itself: {:?}", called.call.attempt);
            life.campaigns.report(called.call.attempt.clone(), end(&life.book, Disposition::Delivered));
        }
        let one = cut_off.iter().next().unwrap().clone();
        let (of, no) = (name.clone(), one.contact);
        let decided = life
            .campaigns
            .ask(move |task| task.durably(|machine, now| machine.decide(&of, no, ContactDecision::TryAgain, now)));
        super::orders::durable(decided.await.unwrap().unwrap()).await.unwrap();
        let called = life.dialled().await;
        assert_eq!((called.call.attempt.contact, called.call.attempt.nth), (one.contact, 2));
        life.campaigns.report(called.call.attempt.clone(), end(&life.book, Disposition::Delivered));
        let left = u64::from(CUT_OFF) - 1;
        life.until(&name, "the rest waits for people", |figures| {
            figures.states["unknown"] == left && figures.states["done"] == u64::from(CONTACTS) - left
        })
        .await;
        let of = name.clone();
        let refused = life.campaigns.ask(move |task| {
            let told = task.durably(|machine, now| machine.decide(&of, ContactNo(9_999), ContactDecision::Cancel, now));
            told.is_err()
        });
        assert!(refused.await.unwrap(), "nobody is on the list at that place");
    });
}

/// The store is let go by the threads of the life before only when they end.
async fn reopened(dir: &Path) -> Book {
    let begun = Instant::now();
    loop {
        match SledStore::open(StoreOptions::at(dir.join("records"))) {
            Ok(store) => {
                return Book {
                    store: Arc::new(store),
                    clock: EngineClock::new(TimeZone::UTC, None),
                    subjects: Subjects::new(&NodeKey::open(dir).unwrap()),
                };
            }
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
