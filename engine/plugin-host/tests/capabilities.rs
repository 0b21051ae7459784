//! What is granted is linked; what is not is refused at load, by name; parameters are checked at every call.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::script::{CallError, Reply, Request, ScriptEnd, TransferOutcome, TransferTarget};
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::manifest::Capabilities;
use gudok_plugin_host::ports::{
    BoxFuture, BucketId, CasAnswer, FetchResponse, KeyRange, Ports, StorageEntry, StorageError, StoragePort,
    StorageQuota,
};
use gudok_plugin_host::{Admission, Error, LoadRefusal};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

fn refusal(bench: &Bench, wasm: Vec<u8>, extra: &str, approval: Approval) -> LoadRefusal {
    let admission = Admission { approval, ..Admission::as_declared() };
    match bench.host.load(&bundle(&manifest(extra), wasm), &admission) {
        Err(Error::Load { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

fn only(toml: &str) -> Approval {
    let capabilities: Capabilities = toml::from_str(toml).unwrap();
    Approval::Only(Box::new(capabilities))
}

const OPEN: &str = r#"(import "gudok:ivr/storage@0.1.0" "[static]bucket.open" (func $open (param i32 i32 i32)))"#;
const STORAGE: &str = "[capabilities]\nstorage = { buckets = [\"attempts\"] }";

#[test]
fn what_is_not_granted_is_not_linked() {
    let bench = Bench::new(2);
    let wasm = component(&guest(OPEN, "", ""), "service");
    let check = |extra: &str, approval: Approval, expect: &str| {
        let refusal = refusal(&bench, wasm.clone(), extra, approval);
        let text = refusal.to_string();
        assert!(text.contains("gudok:ivr/storage@0.1.0") && text.contains(expect), "{text}");
    };
    check("", Approval::AsDeclared, "does not declare the capability `storage`");
    check("", only("storage = { buckets = [\"attempts\"] }"), "does not declare");
    check(STORAGE, only(""), "not approved");
    check(STORAGE, only("fetch = { origins = [\"https://x.example\"] }"), "not approved");
    assert!(bench.host.load(&bundle(&manifest(STORAGE), wasm), &admission()).is_ok());
}

#[test]
fn forbidden_imports_and_wrong_shapes_are_refused() {
    let bench = Bench::new(2);
    let check = |wat: &str, expect: &str| {
        let wasm = wat::parse_str(wat).unwrap();
        let text = refusal(&bench, wasm, "", Approval::AsDeclared).to_string();
        assert!(text.contains(expect), "{text}");
    };
    check(
        "(component (import \"wasi:filesystem/types@0.2.0\" (instance)))",
        "`wasi:filesystem/types@0.2.0`, which no script gets",
    );
    check("(component (import \"print\" (func)))", "`print`, which no script gets");
    check("(component (import \"gudok:ivr/wiretap@0.1.0\" (instance)))", "wiretap@0.1.0`, which no script gets");
    check("(component (import \"gudok:ivr/host@0.2.0\" (instance)))", "another version of the interface");
    check("(component)", "does not export `gudok:ivr/script@0.1.0`");
    check("(module)", "not a valid component");
    check("(component (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))", "does not fit the interface");
    let of_campaign = "(component (instance $i) (export \"gudok:ivr/campaign@0.1.0\" (instance $i)))";
    check(of_campaign, "kind = \"service\", but script.wasm does not export");
    let import = "(import \"gudok:ivr/host@0.1.0\" (instance (export \"now-millis\" (func (result string)))))";
    let wrong_type = format!("(component {import} (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))");
    check(&wrong_type, "does not fit the interface");
    let import = "(import \"gudok:ivr/host@0.1.0\" (instance (export \"listen-in\" (func))))";
    let unknown = format!("(component {import} (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))");
    check(&unknown, "listen-in");
    // Bytes that only begin like a component.
    let mut cut = wat::parse_str(of_campaign).unwrap();
    cut.truncate(cut.len() - 3);
    let text = refusal(&bench, cut, "", Approval::AsDeclared).to_string();
    assert!(text.contains("not a valid component"), "{text}");
}

const SECRET_NAMED: &str = r#"(import "gudok:ivr/secrets@0.1.0" "secret-named" (func $secret (param i32 i32 i32)))"#;
const REVEAL: &str = r#"(import "gudok:ivr/secrets-reveal@0.1.0" "reveal" (func $reveal (param i32 i32)))"#;
const FETCH_RIGHTS: &str = "[capabilities]\nfetch = { origins = [\"https://x.example\"] }";

#[test]
fn fetch_brings_the_type_of_a_secret_and_no_secret() {
    let bench = Bench::new(2);
    bench.load(&guest(FETCH, "", ""), FETCH_RIGHTS);
    let with_secrets = component(&guest(&format!("{FETCH} {SECRET_NAMED}"), "", ""), "service");
    let refused = refusal(&bench, with_secrets, FETCH_RIGHTS, Approval::AsDeclared);
    assert!(matches!(refused, LoadRefusal::NotDeclared { capability: "secrets", .. }), "{refused:?}");
    let reveal = component(&guest(&format!("{SECRET_NAMED} {REVEAL}"), "", ""), "service");
    let refused = refusal(&bench, reveal, "[capabilities]\nsecrets = { names = [\"token\"] }", Approval::AsDeclared);
    assert!(matches!(refused, LoadRefusal::NotDeclared { capability: "secrets-reveal", .. }), "{refused:?}");
}

#[test]
fn the_host_puts_the_secret_into_the_request() {
    let url = "https://x.example/status";
    let data = format!("(data (i32.const 3000) \"{url}\") (data (i32.const 3200) \"token\")");
    let body = format!(
        "(call $secret (i32.const 3200) (i32.const 5) (global.get $ret)) (if (call $failed) (then (return (call $fail)))) {}
         (return (call $custom (i32.load offset=16 (global.get $ret)) (i32.load offset=20 (global.get $ret))))",
        get(url, "(i32.const 1) (i32.load offset=4 (global.get $ret))")
    );
    let extra = format!("{FETCH_RIGHTS}\nsecrets = {{ names = [\"token\"] }}");
    let version = Bench::new(2).load(&guest(&format!("{FETCH} {SECRET_NAMED}"), &data, &body), &extra);
    let response = FetchResponse { status: 200, headers: Vec::new(), body: "готов".into() };
    let fetch = Arc::new(CannedFetch(Ok(response), Mutex::default()));
    let report = run_paused(
        &version,
        start(FakeCall::then(Then::Done), Ports { fetch: Arc::clone(&fetch) as _, ..ports() }, None),
    );
    let ScriptEnd::Returned(summary) = &report.end else { panic!("{report:?}") };
    assert_eq!(&*summary.code, "готов");
    let requests = fetch.1.lock().unwrap();
    assert_eq!(requests[0].authorization.as_ref().unwrap().reveal(), "Bearer hunter2-hunter2");
    assert!(!format!("{requests:?}").contains("hunter2") && !format!("{requests:?}").contains("status"));
}

#[test]
fn an_origin_outside_the_grant_is_denied_and_never_asked() {
    let check = |url: &str, expect: fn(&CallError) -> bool| {
        let data = format!("(data (i32.const 3000) \"{url}\")");
        let version = Bench::new(2).load(&guest(FETCH, &data, &get(url, "(i32.const 0) (i32.const 0)")), FETCH_RIGHTS);
        let fetch = Arc::new(CannedFetch(Err(gudok_plugin_host::ports::FetchError::Timeout), Mutex::default()));
        let report = run_paused(
            &version,
            start(FakeCall::then(Then::Done), Ports { fetch: Arc::clone(&fetch) as _, ..ports() }, None),
        );
        let ScriptEnd::Failed(error) = &report.end else { panic!("{report:?}") };
        assert!(expect(error), "{url}: {error:?}");
        assert!(fetch.1.lock().unwrap().is_empty());
    };
    let denied = |error: &CallError| matches!(error, CallError::Denied(_));
    let invalid = |error: &CallError| matches!(error, CallError::Invalid(_));
    check("https://y.example/", denied);
    check("http://x.example/", denied);
    check("https://x.example:444/", denied);
    check("https://me:pass@x.example/", invalid);
    check("file:///etc/passwd", invalid);
    check("no url", invalid);
}

#[test]
fn an_origin_of_the_configuration_is_the_one_that_is_configured() {
    const RIGHTS: &str =
        "[capabilities]\nfetch = { origins = [\"config:back_end\"] }\n[config]\nback_end = \"https://default.example\"";
    let bench = Bench::new(2);
    let ends = |url: &str, approval: Approval, config: &[(&str, &str)]| {
        let data = format!("(data (i32.const 3000) \"{url}\")");
        let wasm = component(&guest(FETCH, &data, &get(url, "(i32.const 0) (i32.const 0)")), "service");
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let version =
            bench.host.load(&bundle(&manifest(RIGHTS), wasm), &Admission { approval, config, consent_required: false });
        match version {
            Ok(version) => format!("{:?}", run_simply(&version).end),
            Err(error) => error.to_string(),
        }
    };
    let check = |url: &str, approval: Approval, config: &[(&str, &str)], expect: &str| {
        let end = ends(url, approval, config);
        assert!(end.contains(expect), "{url}: {end}");
    };
    let set: &[(&str, &str)] = &[("back_end", "http://192.0.2.7:8090")];
    // What the back end then says is a time-out: the request went out.
    check("https://default.example/", Approval::AsDeclared, &[], "Timeout");
    check("http://192.0.2.7:8090/", Approval::AsDeclared, set, "Timeout");
    check("https://default.example/", Approval::AsDeclared, set, "Denied");
    check("http://192.0.2.7:8091/", Approval::AsDeclared, set, "Denied");
    let by_key = || only("fetch = { origins = [\"config:back_end\"] }");
    check("http://192.0.2.7:8090/", by_key(), set, "Timeout");
    check("https://default.example/", by_key(), &[], "under `back_end`, and there is nothing");
    check("http://192.0.2.7:8090/", only("fetch = { origins = [\"https://default.example\"] }"), set, "Denied");
    check("http://192.0.2.7:8090/", Approval::AsDeclared, &[("back_end", "192.0.2.7")], "that is \"192.0.2.7\"");
    check("http://192.0.2.7:8090/", Approval::AsDeclared, &[("back_end", "https://*.example")], "Set it in the host's");
}

#[test]
fn secrets_stay_out_of_logs_and_faults() {
    let log = r#"(import "gudok:ivr/host@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
                 (import "gudok:ivr/host@0.1.0" "step" (func $step (param i32 i32)))"#;
    let reveal_and_log = "(call $secret (i32.const 3200) (i32.const 5) (global.get $ret)) (if (call $failed) (then (return (call $fail))))
        (call $reveal (i32.load offset=4 (global.get $ret)) (global.get $ret)) (if (call $failed) (then (return (call $fail))))
        (call $log (i32.const 4) (i32.load offset=4 (global.get $ret)) (i32.load offset=8 (global.get $ret)) (i32.const 0) (i32.const 0))
        (call $step (i32.load offset=4 (global.get $ret)) (i32.load offset=8 (global.get $ret)))
        (unreachable)";
    let wat = guest(&format!("{SECRET_NAMED} {REVEAL} {log}"), "(data (i32.const 3200) \"token\")", reveal_and_log);
    let version = Bench::new(2).load(&wat, "[capabilities]\nsecrets = { names = [\"token\"], reveal = true }");
    let told = Arc::new(Told::default());
    let report = run_paused(
        &version,
        start(FakeCall::then(Then::Done), Ports { sink: Arc::clone(&told) as _, ..ports() }, None),
    );
    assert_eq!(told.lines.lock().unwrap().len(), 1);
    assert_eq!(*told.steps.lock().unwrap(), ["<secret>"]);
    let written = format!("{report:?} {:?}", told.lines.lock().unwrap());
    assert!(written.contains("<secret>") && !written.contains("hunter2"), "{written}");
    assert_eq!(report.fault.unwrap().step, "<secret>");
}

#[test]
fn secrets_stay_out_of_what_a_script_says_at_its_end() {
    let reveal = "(call $secret (i32.const 3200) (i32.const 5) (global.get $ret)) (if (call $failed) (then (return (call $fail))))
        (call $reveal (i32.load offset=4 (global.get $ret)) (global.get $ret)) (if (call $failed) (then (return (call $fail))))";
    let bench = Bench::new(2);
    let check = |end: &str| {
        let imports = format!("{SECRET_NAMED} {REVEAL}");
        let wat = guest(&imports, "(data (i32.const 3200) \"token\")", &format!("{reveal} {end}"));
        let version = bench.load(&wat, "[capabilities]\nsecrets = { names = [\"token\"], reveal = true }");
        let end = format!("{:?}", run_simply(&version).end);
        assert!(end.contains("<secret>") && !end.contains("hunter2"), "{end}");
    };
    check("(return (call $custom (i32.load offset=4 (global.get $ret)) (i32.load offset=8 (global.get $ret))))");
    // As an error of its own: the case `denied`, with that text.
    check(
        "(i32.store8 (i32.const 4096) (i32.const 1)) (i64.store offset=4 align=4 (i32.const 4096) (i64.load offset=4 align=4 (global.get $ret)))
         (return (call $fail_at (i32.const 4096)))",
    );
}

#[test]
fn a_bucket_is_the_agencys_and_granted_by_name() {
    let set = r#"(import "gudok:ivr/storage@0.1.0" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    let data = "(data (i32.const 3000) \"attemptsother\")";
    let body =
        "(call $open (i32.const 3000) (i32.const 8) (global.get $ret)) (if (call $failed) (then (return (call $fail))))
        (call $set (i32.load offset=4 (global.get $ret)) (i32.const 3000) (i32.const 3) (i32.const 3000) (i32.const 4)
          (i32.const 1) (i32.const 60) (global.get $ret))
        (if (call $failed) (then (return (call $fail_at (i32.const 2056)))))
        (call $open (i32.const 3008) (i32.const 5) (global.get $ret)) (if (call $failed) (then (return (call $fail))))";
    let version = Bench::new(2).load(&guest(&format!("{OPEN} {set}"), data, body), STORAGE);
    let storage = Arc::new(Recorder::default());
    let report = run_paused(
        &version,
        start(FakeCall::then(Then::Done), Ports { storage: Arc::clone(&storage) as _, ..ports() }, None),
    );
    assert_eq!(report.end, ScriptEnd::Failed(CallError::Denied("storage: bucket \"other\"".into())));
    let written = storage.0.lock().unwrap();
    assert_eq!(*written, ["one/trial/attempts att=Some([97, 116, 116, 101]) ttl Some(60s) of 1048576"]);
}

#[test]
fn storage_that_fails_is_unavailable_to_the_script() {
    let get = r#"(import "gudok:ivr/storage@0.1.0" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))"#;
    let body =
        "(call $open (i32.const 3000) (i32.const 8) (global.get $ret)) (if (call $failed) (then (return (call $fail))))
        (call $get (i32.load offset=4 (global.get $ret)) (i32.const 3000) (i32.const 3) (global.get $ret))
        (if (call $failed) (then (return (call $fail_at (i32.const 2056)))))";
    let version =
        Bench::new(2).load(&guest(&format!("{OPEN} {get}"), "(data (i32.const 3000) \"attempts\")", body), STORAGE);
    let report = run_simply(&version);
    let ScriptEnd::Failed(CallError::Unavailable(what)) = report.end else { panic!("{report:?}") };
    assert!(what.starts_with("storage: "));
}

const TRANSFER: &str = r#"(import "gudok:ivr/transfer@0.1.0" "transfer" (func $transfer (param i32 i32)))"#;

#[test]
fn a_caller_is_handed_only_to_whom_the_grant_names() {
    let body = "(i32.store (i32.const 4096) (local.get $call)) (i32.store offset=8 (i32.const 4096) (i32.const 3000))
        (i32.store offset=12 (i32.const 4096) (i32.const 9))
        (call $transfer (i32.const 4096) (global.get $ret)) (if (call $failed) (then (return (call $fail))))";
    let extra = "[capabilities]\ntransfer = { groups = [\"operators\"], modes = [\"blind\"] }";
    let bench = Bench::new(2);
    let check = |group: &str| {
        let data = format!("(data (i32.const 3000) \"{group}\")");
        let call = FakeCall::answering([Ok(Reply::Transfer(TransferOutcome::Moved))]);
        let version = bench.load(&guest(TRANSFER, &data, body), extra);
        let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
        (report.end, call.asked())
    };
    let (end, asked) = check("operators");
    assert!(matches!(end, ScriptEnd::Returned(_)), "{end:?}");
    assert!(
        matches!(&asked[..], [Request::Transfer { target: TransferTarget::Group(group), .. }] if group.as_str() == "operators")
    );
    let (end, asked) = check("directors");
    assert_eq!(end, ScriptEnd::Failed(CallError::Denied("transfer: group \"directors\"".into())));
    assert!(asked.is_empty());
}

/// Writes down what is written.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl StoragePort for Recorder {
    fn get<'a>(&'a self, _: &'a BucketId, _: &'a str) -> BoxFuture<'a, Result<Option<StorageEntry>, StorageError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    fn set<'a>(
        &'a self,
        bucket: &'a BucketId,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        let BucketId { agency, script, bucket } = bucket;
        let line = format!("{agency}/{script}/{bucket} {key}={:?} ttl {ttl:?} of {}", Some(value), quota.bytes_max);
        self.0.lock().unwrap().push(line);
        Box::pin(std::future::ready(Ok(1)))
    }
    fn compare_and_set<'a>(
        &'a self,
        _: &'a BucketId,
        _: &'a str,
        _: u64,
        _: Vec<u8>,
        _: Option<Duration>,
        _: StorageQuota,
    ) -> BoxFuture<'a, Result<CasAnswer, StorageError>> {
        Box::pin(std::future::ready(Ok(CasAnswer::Conflict(9))))
    }
    fn increment<'a>(
        &'a self,
        _: &'a BucketId,
        _: &'a str,
        delta: i64,
        _: StorageQuota,
    ) -> BoxFuture<'a, Result<i64, StorageError>> {
        Box::pin(std::future::ready(Ok(delta)))
    }
    fn delete<'a>(&'a self, _: &'a BucketId, _: &'a str) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn list_keys<'a>(&'a self, _: &'a BucketId, _: KeyRange) -> BoxFuture<'a, Result<Vec<String>, StorageError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

const RECORD: &str = r#"(import "gudok:ivr/recording@0.1.0" "record-message" (func $message (param i32 i32)))
    (import "gudok:ivr/recording@0.1.0" "start-recording" (func $both (param i32 i32)))
    (import "gudok:ivr/recording@0.1.0" "[resource-drop]recorder" (func (param i32)))"#;
/// The options begin at 4100: the consent prompt's presence at 24 behind the call, its segments at 28.
const NO_PROMPT: &str = "";
const EMPTY_PROMPT: &str = "(i32.store8 (i32.const 4120) (i32.const 1))";
const PROMPT: &str = "(i32.store8 (i32.const 4120) (i32.const 1)) (i32.store (i32.const 4124) (i32.const 5000))
    (i32.store (i32.const 4128) (i32.const 1)) (i32.store (i32.const 5008) (i32.const 3000)) (i32.store (i32.const 5012) (i32.const 6))";

#[test]
fn nothing_is_recorded_without_consent_where_consent_is_the_rule() {
    let bench = Bench::new(2);
    let check = |function: &str, prompt: &str, extra: &str, admission: Admission, recorded: bool| {
        let what = format!("{function} {prompt} {extra} {admission:?}");
        let body = format!(
            "(i32.store (i32.const 4096) (local.get $call)) {prompt} (call ${function} (i32.const 4096) (global.get $ret))
             (if (call $failed) (then (return (call $fail))))"
        );
        let wasm = component(&guest(RECORD, "(data (i32.const 3000) \"may we\")", &body), "service");
        let version = bench.host.load(&bundle(&manifest(extra), wasm), &admission).unwrap();
        // What the machine then says does not matter here: it was asked.
        let call = FakeCall::then(Then::Fail(CallError::Timeout));
        let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
        assert_eq!(call.asked().len(), usize::from(recorded), "{what}");
        let ScriptEnd::Failed(error) = report.end else { panic!("{what}") };
        assert_eq!(matches!(&error, CallError::Denied(why) if why.contains("consent")), !recorded, "{what}: {error:?}");
        assert_eq!(error == CallError::Timeout, recorded, "{what}: {error:?}");
    };
    let free = "[capabilities]\nrecording = {}";
    let strict = "[capabilities]\nrecording = { consent_required = true }";
    let agency = || Admission { consent_required: true, ..Admission::as_declared() };
    let admin = || Admission { approval: only("recording = { consent_required = true }"), ..Admission::as_declared() };
    for function in ["message", "both"] {
        check(function, NO_PROMPT, free, Admission::as_declared(), true);
        check(function, PROMPT, strict, Admission::as_declared(), true);
        check(function, PROMPT, free, agency(), true);
        check(function, PROMPT, free, admin(), true);
        for prompt in [NO_PROMPT, EMPTY_PROMPT] {
            check(function, prompt, strict, Admission::as_declared(), false);
            check(function, prompt, free, agency(), false);
            check(function, prompt, free, admin(), false);
        }
    }
}
