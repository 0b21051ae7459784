//! Exploring compiled scripts: each fault that `plugins/faulty` can have is found with the keys that lead to it, and the
//! samples have none.
//!
//! A program of its own, without the usual test harness: the script host compiles in a child process, and this program is
//! that child too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, ScriptHost, Version, compile_child_main};
use gudok_simulator::decide::CallOf;
use gudok_simulator::explore::{
    Bounds, ExampleReply, ExploreReport, ExploreSettings, Finding, FindingKind as Kind, explore,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const COMPILE_CHILD: &str = "compile-child";
/// Calls of one sample: what is beyond is said by the report.
const PATHS_MAX: u64 = 20_000;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_CHILD) {
        return compile_child_main(args);
    }
    let folder = tempfile::tempdir().unwrap();
    let child = CompileConfig::new(std::env::current_exe().unwrap(), vec![COMPILE_CHILD.into()]);
    let host = ScriptHost::start(HostConfig::new(folder.path().join("cache"), child)).unwrap();
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, test) in TESTS.into_iter().filter(|(name, _)| name.contains(&only)) {
        test(&host);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

type Test = (&'static str, fn(&ScriptHost));

const TESTS: [Test; 3] = [
    ("each_planted_fault_is_found", each_planted_fault_is_found),
    ("samples_have_no_faults", samples_have_no_faults),
    ("the_same_is_found_again", the_same_is_found_again),
];

fn load(host: &ScriptHost, name: &str, settings: &[(&str, &str)]) -> Arc<Version> {
    let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/target/bundles");
    let file = format!("{name}-1.0.0.ivr");
    let bytes = std::fs::read(bundles.join(&file));
    let bytes = bytes.unwrap_or_else(|error| panic!("{file}: {error}; run scripts/build-plugins first"));
    let bundle = Bundle::from_bytes(&file, &bytes, &BundleLimits::default()).unwrap();
    let config: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    host.load(&bundle, &Admission { config, ..Admission::as_declared() }).unwrap()
}

fn explored(version: &Arc<Version>, entry: Option<&str>, replies: &[(&str, &str)]) -> ExploreReport {
    let reply = |(url_part, body): &(&str, &str)| ExampleReply {
        url_part: (*url_part).to_owned(),
        status: 200,
        body: (*body).to_owned(),
    };
    let settings = ExploreSettings {
        call: CallOf { entry: entry.map(str::to_owned), ..CallOf::default() },
        bounds: Bounds { paths_max: PATHS_MAX, visits_max: 2, ..Bounds::default() },
        replies: replies.iter().map(reply).collect(),
        ..ExploreSettings::new("faulty-1.0.0.ivr")
    };
    explore(version, &settings, &mut |_| ControlFlow::Continue(()))
}

fn told(findings: &[Finding]) -> String {
    findings.iter().map(|one| format!("{} [{}] {}\n", one.kind.as_str(), one.keys, one.message)).collect()
}

/// The fault, its kind, and the shortest keys that lead to it.
const PLANTED: [(&str, Kind, &str); 28] = [
    ("trap", Kind::Trap, "1"),
    ("cpu", Kind::Cpu, "1"),
    ("memory", Kind::Memory, "1"),
    ("quota", Kind::Quota, "1"),
    ("returned-error", Kind::ReturnedError, "1"),
    ("back-end-error", Kind::UnhandledBackEndError, "2 4827 back-end:unreachable"),
    ("back-end-nonsense", Kind::UnhandledBackEndError, "2 4827 back-end:200:{}"),
    ("transfer-busy", Kind::UnhandledTransferOutcome, "0 transfer:busy"),
    ("transfer-closed", Kind::UnhandledTransferOutcome, "0 transfer:closed"),
    ("store-error", Kind::UnhandledStoreError, "1 store:unavailable"),
    ("returned-without-serving", Kind::ReturnedWithoutServing, ""),
    ("dead-end", Kind::DeadEnd, "1"),
    ("endless-loop", Kind::EndlessLoop, "1"),
    ("ignores-hang-up", Kind::IgnoresHangUp, "1 go-on go-on hang-up"),
    ("no-operator", Kind::NoWayToOperator, ""),
    ("no-input", Kind::NoInputUnhandled, "silence silence silence"),
    ("no-match", Kind::NoMatchUnhandled, "4 4 4"),
    ("silent-question", Kind::SilentQuestion, "9"),
    ("key-dead", Kind::KeyDead, "3"),
    ("key-unannounced", Kind::KeyUnannounced, "7"),
    ("uninterruptible", Kind::UninterruptiblePrompt, ""),
    ("too-long", Kind::TooLongPrompt, ""),
    ("missing-text", Kind::MissingText, "9 2"),
    ("missing-media", Kind::MissingMedia, "1"),
    ("sensitive-spoken", Kind::SensitiveSpoken, "2 4827"),
    ("sensitive-logged", Kind::SensitiveLogged, "2 4827"),
    ("promise-not-told", Kind::PromiseNotTold, "3"),
    ("third-time", Kind::Trap, "9 9 9"),
];

fn each_planted_fault_is_found(host: &ScriptHost) {
    let mut wrong = String::new();
    for (fault, kind, keys) in PLANTED {
        let version = load(host, "faulty", &[("fault", fault)]);
        let report = explored(&version, None, &[("applications", "3")]);
        let found = report.findings.iter().filter(|one| one.kind == kind).min_by_key(|one| one.keys.0.len());
        let by_keys = found.map(|one| one.keys.to_string());
        let short = |keys: &str| keys.split_whitespace().count();
        let good = by_keys.as_deref().is_some_and(|found| short(found) <= short(keys));
        println!("     {fault}: {by_keys:?}, {} findings in {} calls", report.findings.len(), report.paths);
        if !good {
            wrong += &format!("{fault}: wanted {} by {keys:?}, found\n{}", kind.as_str(), told(&report.findings));
        } else if let Some(found) = found {
            assert!(found.replay.starts_with("gudok call --local faulty-1.0.0.ivr --keys "), "{found:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let report = explored(&load(host, "faulty", &[]), None, &[("applications", "3")]);
    assert!(report.findings.is_empty(), "{}", told(&report.findings));
}

fn samples_have_no_faults(host: &ScriptHost) {
    let mut wrong = String::new();
    for (name, entry) in [
        ("centre", "main"),
        ("mfc", "info"),
        ("passport", "passport"),
        ("kindergarten", "queue"),
        ("utilities", "main"),
        ("survey", "main"),
        ("flood", "main"),
        ("tax", "main"),
    ] {
        let report = explored(&load(host, name, &[]), Some(entry), &[]);
        println!(
            "     {name}: {} calls, {} places, {} findings",
            report.paths,
            report.covered.states,
            report.findings.len()
        );
        assert!(report.paths > 10 && report.covered.states > 3, "{name}: {:?}", report.covered);
        if !report.findings.is_empty() {
            wrong += &format!("{name}:\n{}", told(&report.findings));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn the_same_is_found_again(host: &ScriptHost) {
    let version = load(host, "faulty", &[("fault", "transfer-busy")]);
    let without_times = || {
        let mut report = explored(&version, None, &[("applications", "3")]);
        (report.took_ms, report.paths_per_second, report.covered.cpu_us_max) = (0, 0.0, 0);
        report
    };
    assert_eq!(without_times(), without_times());
}
