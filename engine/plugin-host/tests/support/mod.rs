//! Guests in WebAssembly text, a call that answers by script, and a host to run them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "each test file takes what it needs")]

use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::script::{CallError, Reply, Request};
use gudok_core::time::Timestamp;
use gudok_plugin_host::bundle::{self, Bundle, BundleLimits, PackPart};
use gudok_plugin_host::journal::Journal;
use gudok_plugin_host::ports::{
    AnsweredBy, BoxFuture, CallInfo, CallPort, Clock, Direction, FetchError, FetchPort, FetchRequest, FetchResponse,
    LocalTime, LogLevel, NoDirectory, NoPromises, NoStorage, Ports, Random, ScriptSink, Source,
};
use gudok_plugin_host::{Admission, CallStart, CompileConfig, HostConfig, RunReport, ScriptHost, Version};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const TELEPHONY: &str = "gudok:ivr/telephony@0.1.0";
pub const HOST: &str = "gudok:ivr/host@0.1.0";

/// A script whose `run` is that body. `$result` is a zeroed place for its result: zeros mean `served` without fields.
/// `$ret` is where host calls put theirs. `$fail` makes the error at `$ret` the script's own.
pub fn guest(imports: &str, data: &str, body: &str) -> String {
    format!(
        r#"(module
  {imports}
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (global $result i32 (i32.const 1024))
  (global $ret i32 (i32.const 2048))
  {data}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 3))))
  (func $failed (result i32) (i32.load8_u (global.get $ret)))
  (func $fail_at (param i32) (result i32)
    (i32.store8 (global.get $result) (i32.const 1))
    (i64.store offset=4 align=4 (global.get $result) (i64.load align=4 (local.get 0)))
    (i32.store offset=12 (global.get $result) (i32.load offset=8 (local.get 0)))
    (global.get $result))
  (func $fail (result i32) (call $fail_at (i32.add (global.get $ret) (i32.const 4))))
  (func $custom (param i32 i32) (result i32)
    (i32.store8 offset=4 (global.get $result) (i32.const 6))
    (i32.store offset=8 (global.get $result) (local.get 0))
    (i32.store offset=12 (global.get $result) (local.get 1))
    (global.get $result))
  (func $run (export "gudok:ivr/script@0.1.0#run") (param $call i32) (result i32)
    {body}
    (global.get $result)))"#
    )
}

pub const WAIT: &str = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.wait" (func $wait (param i32 i32 i32)))"#;
pub const CALL_WAIT: &str = "(call $wait (local.get $call) (i32.const 1000) (global.get $ret)) (if (call $failed) (then (return (call $fail))))";

pub const FETCH: &str = r#"(import "gudok:ivr/fetch@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// GET of the URL at 3000, with the secret whose handle is on the stack, if there is one.
pub fn get(url: &str, auth: &str) -> String {
    format!(
        "(call $send (i32.const 0) (i32.const 3000) (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 5000) (i32.const 0) (i32.const 0) (i32.const 0) {auth} (global.get $ret))
         (if (call $failed) (then (return (call $fail))))",
        url.len()
    )
}

/// The core module as a component of that world.
pub fn component(wat: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1.0")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    bundle::componentize(&module).unwrap()
}

pub fn manifest(extra: &str) -> String {
    format!(
        "format = 1\nname = \"trial\"\nversion = \"1.0.0\"\nkind = \"service\"\ninterface = \"0.1\"\nagency = \"one\"\n\
         languages = [\"ru-RU\"]\n{extra}"
    )
}

pub fn part(place: &str, bytes: impl Into<Vec<u8>>) -> PackPart {
    PackPart { place: place.into(), bytes: bytes.into() }
}

/// A bundle that went through packing and reading.
pub fn bundle(manifest: &str, component: Vec<u8>) -> Bundle {
    let parts = vec![
        part("manifest.toml", manifest),
        part("script.wasm", component),
        part("media/ru-RU/welcome.wav", "RIFF"),
        part("data/words.txt", "слова"),
    ];
    let packed = bundle::pack(parts, &BundleLimits::default()).unwrap();
    Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap()
}

/// A host with a pool for so many.
pub struct Bench {
    pub host: ScriptHost,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new(instances_max: u32) -> Self {
        Self::with(|config| config.instances_max = instances_max)
    }

    pub fn with(change: impl FnOnce(&mut HostConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = HostConfig::new(folder.path().join("cache"), CompileConfig::new(compile_child(), Vec::new()));
        config.instances_max = 16;
        change(&mut config);
        Self { host: ScriptHost::start(config).unwrap(), folder }
    }

    /// Loads a guest, all that it declares approved.
    pub fn load(&self, wat: &str, extra: &str) -> Arc<Version> {
        self.host.load(&bundle(&manifest(extra), component(wat, "service")), &admission()).unwrap()
    }
}

pub fn admission() -> Admission {
    Admission::as_declared()
}

pub fn compile_child() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_gudok-compile-child") {
        return path.into();
    }
    // Examples lie beside the binary's folder.
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("gudok-compile-child")
}

/// A call that answers from a list, then always the same way.
#[derive(Default)]
pub struct FakeCall {
    pub answers: Mutex<VecDeque<Result<Reply, CallError>>>,
    pub then: Mutex<Then>,
    pub asked: Mutex<Vec<Request>>,
}

#[derive(Clone, Default)]
pub enum Then {
    #[default]
    Done,
    Hang,
    Fail(CallError),
}

impl FakeCall {
    pub fn then(then: Then) -> Arc<Self> {
        Arc::new(Self { then: Mutex::new(then), ..Self::default() })
    }

    pub fn answering(answers: impl IntoIterator<Item = Result<Reply, CallError>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl CallPort for FakeCall {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let then = self.then.lock().unwrap().clone();
        match (answer, then) {
            (Some(answer), _) => Box::pin(std::future::ready(answer)),
            (None, Then::Done) => Box::pin(std::future::ready(Ok(Reply::Done))),
            (None, Then::Fail(error)) => Box::pin(std::future::ready(Err(error))),
            (None, Then::Hang) => Box::pin(std::future::pending()),
        }
    }
}

/// Tokio's clock, which tests pause; a fixed moment.
pub struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_123)
    }
    fn local(&self, _: &Agency, _: Timestamp) -> LocalTime {
        LocalTime { year: 2026, month: 5, day: 5, hour: 8, minute: 30, utc_offset_minutes: 420 }
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

pub struct Seven;

impl Random for Seven {
    fn next_u64(&self) -> u64 {
        7
    }
}

/// Keeps what scripts tell.
#[derive(Default)]
pub struct Told {
    pub lines: Mutex<Vec<String>>,
    pub steps: Mutex<Vec<String>>,
    pub counts: Mutex<Vec<(String, u32)>>,
    pub calls: Mutex<Vec<(String, &'static str)>>,
}

impl ScriptSink for Told {
    fn log(&self, _: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        self.lines.lock().unwrap().push(format!("{level:?} {message} {fields:?}"));
    }
    fn step(&self, _: Source<'_>, name: &str) {
        self.steps.lock().unwrap().push(name.into());
    }
    fn count(&self, _: Source<'_>, event: &str, by: u32) {
        self.counts.lock().unwrap().push((event.into(), by));
    }
    fn host_call(&self, _: Source<'_>, function: &str, outcome: &'static str, _: Duration) {
        self.calls.lock().unwrap().push((function.into(), outcome));
    }
}

/// HTTP that always answers the same.
pub struct CannedFetch(pub Result<FetchResponse, FetchError>, pub Mutex<Vec<FetchRequest>>);

impl FetchPort for CannedFetch {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        self.1.lock().unwrap().push(request);
        Box::pin(std::future::ready(self.0.clone()))
    }
}

pub fn ports() -> Ports {
    let secrets: BTreeMap<(Agency, String), Secret> =
        [((Agency::new("one"), "token".to_owned()), Secret::new("Bearer hunter2-hunter2"))].into();
    Ports {
        storage: Arc::new(NoStorage::default()),
        fetch: Arc::new(CannedFetch(Err(FetchError::Timeout), Mutex::default())),
        promises: Arc::new(NoPromises::default()),
        directory: Arc::new(NoDirectory::default()),
        secrets: Arc::new(secrets),
        clock: Arc::new(TestClock),
        random: Arc::new(Seven),
        sink: Arc::new(Told::default()),
    }
}

pub fn info() -> CallInfo {
    CallInfo {
        id: CallId::from_random(1),
        direction: Direction::Inbound,
        caller: Some(PhoneNumber::new("+79131234567")),
        called: PhoneNumber::new("+73842000000"),
        diversion: None,
        lang: "ru-RU".into(),
        agency: Agency::new("one"),
        entry: Entry::new("main"),
        answered_by: AnsweredBy::Unknown,
        headers: Vec::new(),
    }
}

pub fn start(call: Arc<dyn CallPort>, ports: Ports, journal: Option<Arc<dyn Journal>>) -> CallStart {
    CallStart { info: info(), contact: None, call, ports: Arc::new(ports), journal }
}

/// Runs it on this thread, in virtual time: what waits for a timer waits no time.
pub fn run_paused(version: &Arc<Version>, start: CallStart) -> RunReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(gudok_plugin_host::run(Arc::clone(version), start).1)
}

/// The same with a call that answers everything with "done".
pub fn run_simply(version: &Arc<Version>) -> RunReport {
    run_paused(version, start(FakeCall::then(Then::Done), ports(), None))
}
