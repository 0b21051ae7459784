//! Promises on a real store, with an agency's system on a real socket.

use super::*;
use crate::keys::NodeKey;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gudok_admin::documents::{DeliveryDocument, DeliveryState, SurveyDocument, TicketDocument, kinds};
use gudok_core::ids::{CallId, ScriptName, ScriptVersion};
use gudok_core::outbox::Backoff;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_plugin_host::http::{HttpConfig, NameResolver};
use gudok_plugin_host::ports::{
    BoxFuture, EntryVersion, NewTicket, PromiseError, PromiseSource, PromisesPort, SurveyAnswer, SurveyResult,
    TicketKind,
};
use gudok_store::{LedgerQuery, SledStore, StoreOptions};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_secs(120);

/// An agency's system.
#[derive(Default)]
struct Agencies {
    /// Requests by key.
    asked: HashMap<String, u32>,
    /// Those that were taken: key, and the ticket's number and agency.
    taken: Vec<(String, String)>,
    bodies: Vec<serde_json::Value>,
    /// Of ten requests, so many are answered 500.
    fails_of_10: u64,
    asked_in_all: u64,
}

type Shared = Arc<Mutex<Agencies>>;

async fn hook(State(agencies): State<Shared>, headers: HeaderMap, body: axum::body::Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (key, now_s) = (text("webhook-id"), text("webhook-timestamp").parse().unwrap_or(0));
    if text("webhook-signature") != webhook::signature(&Secret::new(SECRET), &key, now_s, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let mut all = agencies.lock();
    *all.asked.entry(key.clone()).or_insert(0) += 1;
    all.asked_in_all += 1;
    // The same faults in every run.
    let dice = all.asked_in_all.wrapping_mul(6_364_136_223_846_793_005) >> 33;
    if dice % 10 < all.fails_of_10 {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let ticket = format!("{}/{}", body["data"]["agency"].as_str().unwrap(), body["data"]["number"].as_str().unwrap());
    all.taken.push((key, ticket));
    if all.bodies.len() < 10 {
        all.bodies.push(body);
    }
    StatusCode::NO_CONTENT
}

/// The agencies' system on a free port of this machine.
async fn agencies(fails_of_10: u64) -> (Shared, String) {
    let shared = Arc::new(Mutex::new(Agencies { fails_of_10, ..Agencies::default() }));
    let router = axum::Router::new().route("/hook", post(hook)).with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (shared, url)
}

fn open(dir: &Path) -> Arc<dyn Store> {
    Arc::new(SledStore::open(StoreOptions::at(dir.join("records"))).unwrap())
}

/// Every name is this machine's: as a name server would say that somebody else has taken over.
struct Rebound;

impl NameResolver for Rebound {
    fn resolve(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::ready(Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])))
    }
}

fn promises(dir: &Path, store: Arc<dyn Store>) -> Arc<Promises> {
    let zone = TimeZone::fixed(jiff::tz::offset(7));
    let (live, _) = LiveCalls::new(10);
    let plan = NumberPlan {
        country_code: "7".into(),
        trunk_prefix: "8".into(),
        international_prefixes: Vec::new(),
        national_len: 10,
    };
    let backoff = Backoff { first: Duration::from_millis(2), max: Duration::from_millis(20) };
    Promises::start(Parts {
        store,
        clock: EngineClock::new(zone.clone(), None),
        live,
        subjects: Subjects::new(&NodeKey::open(dir).unwrap()),
        plan,
        zone,
        http: HttpFetch::with_resolver(HttpConfig::default(), Arc::new(Rebound)).unwrap(),
        settings: OutboxSettings { backoff, ..OutboxSettings::default() },
    })
}

fn webhooks(url: &str, agencies: &[&str]) -> HashMap<Agency, Webhook> {
    agencies.iter().map(|name| (Agency::new(name), Webhook::new(url.to_owned(), Secret::new(SECRET)))).collect()
}

fn source() -> PromiseSource {
    PromiseSource {
        call: CallId::from_random(7),
        agency: Agency::new("desk"),
        version: ScriptVersion {
            script: ScriptName::new("complaints"),
            version: "1.2.0".into(),
            bundle_sha256: [7; 32],
        },
        caller: Some(PhoneNumber::new("+79131234567")),
        lang: "ru-RU".into(),
    }
}

fn ticket(agency: &str, key: &str) -> NewTicket {
    NewTicket {
        source: source(),
        kind: TicketKind::Complaint,
        to_agency: Agency::new(agency),
        municipality: Some("north".into()),
        contact: Some(PhoneNumber::new("+79137654321")),
        fields: vec![("topic".into(), "вода".into()), ("address".into(), "код 17".into())],
        recordings: Vec::new(),
        entry: None,
        idempotency_key: key.into(),
    }
}

async fn documents<T: DeserializeOwned>(store: &Arc<dyn Store>, kind: &str) -> Vec<(String, T)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let query = LedgerQuery { kind: kind.to_owned(), after, ..LedgerQuery::default() };
        let page = store.ledger_list(query, UtcMs(1)).await.unwrap();
        all.extend(page.documents.iter().map(|kept| (kept.id.clone(), serde_json::from_slice(&kept.body).unwrap())));
        match page.more_after {
            Some(more) => after = Some(more),
            None => return all,
        }
    }
}

/// Waits until something is so; the outbox works on a clock of its own.
async fn eventually(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is().await {
        assert!(begun.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[allow(clippy::print_stdout, reason = "a figure for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tickets_reach_an_agency_that_fails_half_of_the_time_each_once() {
    const TICKETS: usize = 10_000;
    const AGENCIES: [&str; 4] = ["mfc", "water", "heat", "roads"];
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let promises = promises(folder.path(), Arc::clone(&store));
    let (agencies, url) = agencies(5).await;
    promises.take_webhooks(webhooks(&url, &AGENCIES));
    let begun = std::time::Instant::now();
    let submit = |at: usize| {
        let promises = Arc::clone(&promises);
        async move {
            let agency = AGENCIES[at % AGENCIES.len()];
            let number = promises.submit_ticket(ticket(agency, &format!("call-{at}"))).await.unwrap();
            format!("{agency}/{number}")
        }
    };
    let mut promised = BTreeSet::new();
    for chunk in (0..TICKETS).collect::<Vec<_>>().chunks(500) {
        let made = futures_util::future::join_all(chunk.iter().map(|at| submit(*at))).await;
        for id in made {
            assert!(promised.insert(id.clone()), "{id} was given twice");
        }
    }
    let registered = begun.elapsed();
    eventually("all are taken", async || agencies.lock().taken.len() >= TICKETS).await;
    eventually("all are written down", async || {
        let all = documents::<DeliveryDocument>(&store, kinds::DELIVERY).await;
        all.iter().all(|(_, delivery)| delivery.state == DeliveryState::Delivered)
    })
    .await;
    let all = agencies.lock();
    let taken: BTreeSet<&String> = all.taken.iter().map(|(_, ticket)| ticket).collect();
    let keys: BTreeSet<&String> = all.taken.iter().map(|(key, _)| key).collect();
    assert_eq!(
        (all.taken.len(), taken.len(), keys.len()),
        (TICKETS, TICKETS, TICKETS),
        "each once, under a key of its own"
    );
    assert!(promised.iter().all(|ticket| taken.contains(ticket)));
    assert!(all.asked_in_all > 15_000, "half of the requests failed: {}", all.asked_in_all);
    println!(
        "{TICKETS} tickets registered in {registered:?}, delivered by {} requests in {:?}",
        all.asked_in_all,
        begun.elapsed()
    );
}

#[test]
fn what_was_promised_before_the_end_is_delivered_after_it() {
    const TICKETS: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outside = runtime();
    let (agencies, url) = outside.block_on(agencies(7));
    let mut numbers = BTreeSet::new();
    // Two lives that end in the middle of their work, and one that does not.
    for life in 0..3 {
        let inside = runtime();
        let store = open(folder.path());
        inside.block_on(async {
            let promises = promises(folder.path(), Arc::clone(&store));
            promises.take_webhooks(webhooks(&url, &["mfc"]));
            for at in 0..TICKETS / 3 {
                let new = ticket("mfc", &format!("{life}-{at}"));
                assert!(numbers.insert(promises.submit_ticket(new).await.unwrap()));
            }
            if life == 2 {
                eventually("all are written down", async || {
                    let all = documents::<DeliveryDocument>(&store, kinds::DELIVERY).await;
                    all.len() == TICKETS && all.iter().all(|(_, delivery)| delivery.state == DeliveryState::Delivered)
                })
                .await;
            }
        });
        inside.shutdown_timeout(Duration::from_secs(5));
        drop(store);
    }
    let all = agencies.lock();
    let taken: BTreeSet<String> = all.taken.iter().map(|(_, ticket)| ticket.clone()).collect();
    let keys: BTreeSet<&String> = all.taken.iter().map(|(key, _)| key).collect();
    assert_eq!((numbers.len(), taken.len(), keys.len()), (TICKETS, TICKETS, TICKETS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_ticket_and_another_origin_meets_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let promises = promises(folder.path(), Arc::clone(&store));
    let submit = |ticket| {
        let promises = Arc::clone(&promises);
        async move { promises.submit_ticket(ticket).await.unwrap() }
    };
    let at_once = futures_util::future::join_all((0..20).map(|_| submit(ticket("mfc", "call-1")))).await;
    assert!(at_once.iter().all(|number| *number == at_once[0]), "{at_once:?}");
    assert_eq!(submit(ticket("mfc", "call-1")).await, at_once[0]);
    let mut other = ticket("mfc", "call-1");
    other.source.agency = Agency::new("another");
    assert_ne!(submit(other).await, at_once[0]);
    assert_eq!(documents::<TicketDocument>(&store, kinds::TICKET).await.len(), 2);
    let year = jiff::Timestamp::now().to_zoned(TimeZone::fixed(jiff::tz::offset(7))).year();
    assert!(at_once[0].starts_with(&format!("К-{year}-0000")), "{}", at_once[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_says_what_the_agency_needs_and_keeps_the_number_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let promises = promises(folder.path(), Arc::clone(&store));
    let (agencies, url) = agencies(0).await;
    let mut wrong = ticket("mfc", "k");
    wrong.kind = TicketKind::OutdatedInformation;
    assert!(matches!(promises.submit_ticket(wrong.clone()).await, Err(PromiseError::Invalid(_))));
    wrong.entry = Some(EntryVersion { id: "mfc-1".into(), version: 4 });
    let number = promises.submit_ticket(wrong).await.unwrap();
    assert!(number.starts_with("И-"));
    let kept = store.ledger_get(kinds::TICKET, &format!("mfc/{number}"), UtcMs(1)).await.unwrap().unwrap();
    let text = String::from_utf8(kept.body).unwrap();
    assert!(!text.contains("7654321") && !text.contains("1234567"), "{text}");
    let mut recorded = ticket("mfc", "k2");
    recorded.recordings = vec!["somebody-elses".into()];
    assert!(matches!(promises.submit_ticket(recorded).await, Err(PromiseError::NotFound(_))));

    // Without a webhook it waits; then it comes.
    promises.take_webhooks(webhooks(&url, &["mfc"]));
    eventually("it is taken", async || !agencies.lock().taken.is_empty()).await;
    let body = agencies.lock().bodies[0].clone();
    assert_eq!(body["type"], "ticket.registered");
    let data = &body["data"];
    assert_eq!((data["contact"].as_str(), data["topic"].as_str()), (Some("+79137654321"), Some("вода")));
    assert_eq!((&data["entry"]["id"], &data["entry"]["version"]), (&"mfc-1".into(), &4.into()));
    assert_eq!(data["fields"]["address"], "код 17");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_leads_where_no_admin_points_is_not_connected() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let promises = promises(folder.path(), Arc::clone(&store));
    let (agencies, url) = agencies(0).await;
    promises.take_webhooks(webhooks(&url.replace("127.0.0.1", "agency.example"), &["mfc"]));
    promises.submit_ticket(ticket("mfc", "k")).await.unwrap();
    eventually("it is tried", async || {
        let all = documents::<DeliveryDocument>(&store, kinds::DELIVERY).await;
        all[0].1.attempts > 0
    })
    .await;
    let all = documents::<DeliveryDocument>(&store, kinds::DELIVERY).await;
    let problem = all[0].1.last_error.clone().unwrap();
    assert!(problem.contains("no admin allowed") && !problem.contains("/hook"), "{problem}");
    assert!(all[0].1.state == DeliveryState::Waiting && agencies.lock().asked_in_all == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_answers_a_survey_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let promises = promises(folder.path(), Arc::clone(&store));
    let survey = |score| SurveyResult {
        source: source(),
        survey: "after".into(),
        answers: vec![SurveyAnswer { question: "quality".into(), score: Some(score), text: None, recording: None }],
    };
    promises.submit_survey(survey(2)).await.unwrap();
    promises.submit_survey(survey(5)).await.unwrap();
    let all = documents::<SurveyDocument>(&store, kinds::SURVEY).await;
    assert_eq!((all.len(), all[0].1.answers[0].score), (1, Some(5)));
    assert!(matches!(promises.submit_survey(survey(-1)).await, Err(PromiseError::Invalid(_))));
}
