//! The room with a real store in a folder of its own, a fake engine, and people in every role.

use crate::engine::{FakeEngine, live_call};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use gudok_admin::ports::{Trace, TraceLine};
use gudok_admin::{Admin, AdminConfig, PasswordCost, RateLimits};
use gudok_store::{
    AgencyId, AuditQuery, CallId, Direction, EndedBy, FreeSpace, HangupCause, LegBegan, LegEnded, Mode, Party,
    Recording, SledStore, SpaceNow, Store, StoreOptions, SubjectKey, UtcMs,
};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tower::ServiceExt;

/// 2026-05-04T19:30:00Z
pub const BEGIN_MS: u64 = 1_777_923_000_000;
pub const DAY_MS: u64 = 86_400_000;
pub const PASSWORD: &str = "seeded-password-3141592653";
/// A caller whose number must never be seen.
pub const CALLER: &str = "+79131234521";
/// The live call of each agency.
pub const LIVE: [(&str, &str); 2] =
    [("mfc", "11111111111111111111111111111111"), ("zags", "22222222222222222222222222222222")];
/// The past call of each agency, with a recording `message`.
pub const PAST: [(&str, &str); 2] =
    [("mfc", "33333333333333333333333333333333"), ("zags", "44444444444444444444444444444444")];

pub struct World {
    pub admin: Admin,
    pub engine: Arc<FakeEngine>,
    pub store: Arc<dyn Store>,
    pub router: Router,
    pub free_percent: Arc<AtomicU64>,
    pub root: String,
    counter: AtomicUsize,
    pub folder: tempfile::TempDir,
}

struct Disk(Arc<AtomicU64>);

impl FreeSpace for Disk {
    fn probe(&self, _: &Path) -> std::io::Result<SpaceNow> {
        Ok(SpaceNow { free_bytes: self.0.load(Ordering::SeqCst) << 30, total_bytes: 100 << 30 })
    }
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/api/docs/problems#{code}"));
        for field in ["title", "detail", "remedy"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {problem}");
        }
        self
    }
}

/// A request being put together.
#[derive(Clone)]
pub struct Ask {
    pub method: Method,
    pub path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub fn ask(method: &str, path: impl Into<String>) -> Ask {
    let method = method.parse().unwrap();
    Ask { method, path: path.into(), headers: vec![("host".into(), "127.0.0.1:8070".into())], body: Vec::new() }
}

impl Ask {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub fn bytes(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", kind)
    }

    pub fn if_match(self, revision: u64) -> Self {
        self.header("if-match", format!("\"{revision}\""))
    }

    pub fn request(self) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(Body::from(self.body)).unwrap()
    }
}

impl World {
    /// A room with the agencies `mfc` and `zags`, calls of both, and an admin called root.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut AdminConfig)) -> Self {
        let mut world = Self::bare(change);
        let file = world.admin.first_token().await.unwrap().unwrap();
        let first = std::fs::read_to_string(file).unwrap().trim().to_owned();
        let root = json!({ "name": "root", "password": PASSWORD, "roles": [{ "role": "admin" }] });
        world.send(ask("POST", "/api/v1/users").token(&first).json(&root)).await.expect(201);
        world.root = world.log_in("root").await;
        for agency in ["mfc", "zags"] {
            let body = json!({ "name": agency, "fallback": "operators" });
            world.root(ask("POST", "/api/v1/agencies").json(&body)).await.expect(201);
        }
        world.calls().await;
        world
    }

    /// A room in which nobody is yet.
    pub fn bare(change: impl FnOnce(&mut AdminConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("store");
        let free_percent = Arc::new(AtomicU64::new(50));
        let probe: Arc<dyn FreeSpace> = Arc::new(Disk(Arc::clone(&free_percent)));
        let options = StoreOptions { probe: Arc::clone(&probe), ..StoreOptions::at(&dir) };
        let store: Arc<dyn Store> = Arc::new(SledStore::open(options).unwrap());
        let engine = Arc::new(FakeEngine::new(Arc::clone(&store), BEGIN_MS));
        let mut config = AdminConfig::new(&dir, SubjectKey::new([7; 32]));
        config.password_cost = PasswordCost { memory_kib: 64, passes: 1 };
        config.unsigned_allowed = true;
        config.probe = probe;
        // The clock stands still in tests: without room, a long test would be one burst.
        config.rates = RateLimits {
            requests_per_s: 1,
            requests_burst: 1_000_000,
            logins_per_min: 1_000,
            logins_per_address_per_min: 1_000,
            strangers_per_s: 1_000_000,
        };
        change(&mut config);
        let admin = Admin::new(config, Arc::clone(&store), engine.clone());
        let router = admin.router();
        let (root, counter) = (String::new(), AtomicUsize::new(0));
        Self { admin, engine, store, router, free_percent, root, counter, folder }
    }

    pub async fn send(&self, ask: Ask) -> Reply {
        self.send_raw(ask.request()).await
    }

    pub async fn send_raw(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// As root.
    pub async fn root(&self, ask: Ask) -> Reply {
        let token = self.root.clone();
        self.send(ask.token(&token)).await
    }

    /// The ETag of a document, as root sees it.
    pub async fn etag(&self, path: &str) -> String {
        self.root(ask("GET", path)).await.expect(200).header("etag").to_owned()
    }

    /// Changes a document as it is now.
    pub async fn change(&self, path: &str, body: &Value) -> Reply {
        let etag = self.etag(path).await;
        self.root(ask("PUT", path).header("if-match", etag).json(body)).await
    }

    pub async fn log_in(&self, user: &str) -> String {
        let body = json!({ "user": user, "password": PASSWORD });
        let reply = self.send(ask("POST", "/api/v1/login").json(&body)).await.expect(201);
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    /// The store's folder; the only thing in a folder of the test's own.
    pub fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }

    /// A number that was not given out before.
    pub fn fresh(&self) -> usize {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// Makes a user and answers with a token.
    pub async fn user(&self, name: &str, roles: Value) -> String {
        let body = json!({ "name": name, "password": PASSWORD, "roles": roles });
        self.root(ask("POST", "/api/v1/users").json(&body)).await.expect(201);
        self.log_in(name).await
    }

    /// Makes a user with a session and answers with its cookie header and its CSRF token.
    pub async fn session(&self, user: &str) -> (String, String) {
        use gudok_admin::auth::Via;
        use gudok_admin::redacted::Redacted;
        use gudok_admin::service::logins::{From, open_session};
        let from = From { address: "local".into(), via: Via::Console };
        let session = open_session(&self.admin, &from, user, Redacted::new(PASSWORD.into())).await.unwrap();
        (format!("gudok_session={}", session.cookie.reveal()), session.principal.csrf().to_owned())
    }

    pub fn bundle(&self, agency: &str, script: &str, version: &str, capabilities: &Value) -> Vec<u8> {
        json!({ "agency": agency, "script": script, "version": version, "capabilities": capabilities, "n": self.fresh() })
            .to_string()
            .into_bytes()
    }

    /// Uploads a bundle that asks for nothing, and answers with its id.
    pub async fn version(&self, agency: &str, script: &str, version: &str) -> String {
        self.version_with(agency, script, version, &json!({})).await
    }

    pub async fn version_with(&self, agency: &str, script: &str, version: &str, capabilities: &Value) -> String {
        let bundle = self.bundle(agency, script, version, capabilities);
        let path = format!("/api/v1/bundles?agency={agency}&allow_downgrade=true");
        let reply = self.root(ask("POST", path).bytes("application/octet-stream", bundle)).await.expect(201);
        reply.json()["version"]["id"].as_str().unwrap().to_owned()
    }

    /// Puts a version live and answers with the deployment.
    pub async fn deploy(&self, agency: &str, entry: &str, version: &str, share: u8) -> Value {
        let path = format!("/api/v1/deployments/{agency}/{entry}");
        let present = self.root(ask("GET", path.clone())).await.json();
        let mut put = ask("PUT", path).json(&json!({ "version": version, "share_percent": share }));
        if let Some(revision) = present["revision"].as_u64() {
            put = put.if_match(revision);
        }
        self.root(put).await.expect(200).json()
    }

    /// The audit's entries after a number, oldest first: action, object and actor.
    pub async fn audit_after(&self, seq: u64) -> Vec<(String, String, String)> {
        let page = self.store.audit(AuditQuery { from_seq: seq + 1, ..AuditQuery::default() }).await.unwrap();
        page.entries.into_iter().map(|entry| (entry.draft.action, entry.draft.object, entry.draft.actor)).collect()
    }

    pub async fn audit_seq(&self) -> u64 {
        self.store.audit_head().await.unwrap().seq
    }

    async fn calls(&self) {
        for (agency, id) in LIVE {
            self.engine.state.lock().calls.push(live_call(id, agency));
        }
        for (agency, id) in LIVE.into_iter().chain(PAST) {
            self.engine.state.lock().traces.insert(id.into(), trace(id, agency));
        }
        for (agency, id) in PAST {
            self.past_call(agency, id, BEGIN_MS).await;
        }
    }

    pub async fn past_call(&self, agency: &str, id: &str, ended_ms: u64) {
        let audio = format!("RIFF of {id}").into_bytes();
        let blob = self.store.blob_put(audio).await.unwrap();
        let key = SubjectKey::new([7; 32]);
        let began = LegBegan {
            call_id: CallId::new(id).unwrap(),
            leg: 0,
            parent: None,
            chain_id: CallId::new(id).unwrap(),
            agency: AgencyId::new(agency).unwrap(),
            entry: "main".into(),
            script: "desk".into(),
            script_version: "1.0.0".into(),
            direction: Direction::Inbound,
            caller: Party::masked(CALLER).with_hash(&key, CALLER),
            called: Party::own_number("100"),
            trunk: "city".into(),
            started_ms: UtcMs(ended_ms - 10_000),
            mode: Mode::Attended,
            language: "ru-RU".into(),
            area: String::new(),
            campaign: None,
        };
        let mut ended = LegEnded::new(UtcMs(ended_ms), HangupCause::Normal, EndedBy::Caller);
        ended.recordings = vec![Recording { id: "message".into(), sha256: blob, duration_ms: 1_000, deleted_ms: None }];
        self.store.leg_ended(began.ended(ended)).unwrap();
        self.store.settled().await.unwrap();
    }
}

fn trace(id: &str, agency: &str) -> Trace {
    let line =
        TraceLine { at_ms: 0, kind: "say".into(), text: "Hello".into(), took_ms: None, outcome: None, agency: None };
    Trace {
        id: id.into(),
        live: false,
        agency: agency.into(),
        entry: "main".into(),
        versions: vec!["f".repeat(64)],
        began_ms: 1,
        lines: vec![line],
        dropped: 0,
    }
}
