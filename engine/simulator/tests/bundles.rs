//! The sample agencies' compiled bundles in a world: the real component, the real host, virtual everything else.
//!
//! A program of its own, without the usual test harness: the script host compiles in a child process, and this program is
//! that child too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, ScriptHost, Version, compile_child_main};
use gudok_simulator::{BackEnd, Caller, Report, World};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const COMPILE_CHILD: &str = "compile-child";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_CHILD) {
        return compile_child_main(args);
    }
    let folder = tempfile::tempdir().unwrap();
    let scripts = Scripts::load(folder.path());
    for (name, test) in TESTS {
        test(&scripts);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

type Test = fn(&Scripts);

const TESTS: [(&str, Test); 4] = [
    ("a_menu_leads_from_agency_to_agency", a_menu_leads_from_agency_to_agency),
    ("a_back_end_that_hangs_leads_to_an_operator", a_back_end_that_hangs_leads_to_an_operator),
    ("a_loop_lands_its_caller", a_loop_lands_its_caller),
    ("a_bundles_run_is_replayed_byte_for_byte", a_bundles_run_is_replayed_byte_for_byte),
];

/// What is loaded once for all.
struct Scripts {
    centre: Arc<Version>,
    mfc: Arc<Version>,
    passport: Arc<Version>,
    hostile: Arc<Version>,
}

impl Scripts {
    fn load(folder: &Path) -> Self {
        let child = CompileConfig::new(std::env::current_exe().unwrap(), vec![COMPILE_CHILD.into()]);
        let mut config = HostConfig::new(folder.join("cache"), child);
        config.instances_max = 16;
        let host = ScriptHost::start(config).unwrap();
        let load = |name: &str, settings: &[(&str, &str)]| {
            let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/target/bundles");
            let file = format!("{name}-1.0.0.ivr");
            let bytes = std::fs::read(bundles.join(&file));
            let bytes = bytes.unwrap_or_else(|error| panic!("{file}: {error}; run scripts/build-plugins first"));
            let bundle = Bundle::from_bytes(&file, &bytes, &BundleLimits::default()).unwrap();
            let config: BTreeMap<String, String> =
                settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            host.load(&bundle, &Admission { config, ..Admission::as_declared() }).unwrap()
        };
        Self {
            centre: load("centre", &[]),
            mfc: load("mfc", &[]),
            passport: load("passport", &[]),
            hostile: load("hostile", &[("attack", "loop")]),
        }
    }

    fn world(&self, seed: u64) -> World {
        World::new(seed)
            .number("122", "region", "main")
            .operators("operators", &["anna"])
            .bundle("region", "main", Arc::clone(&self.centre))
            .bundle("mfc", "info", Arc::clone(&self.mfc))
            .bundle("migration", "passport", Arc::clone(&self.passport))
            .reaches("region", "mfc", ("mfc", "info"))
            .reaches("region", "passport", ("migration", "passport"))
            .secret("migration", "back-end", "Bearer secret")
    }
}

/// One conversation, shown where something is wrong with it.
fn check(report: &Report, parts: &[&str]) {
    report.verdict().unwrap_or_else(|failure| panic!("{failure}"));
    let mut rest = &*report.transcript();
    let whole = report.timed_transcript();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in\n{whole}{:?}", report.log));
        rest = &rest[at..];
    }
}

fn a_menu_leads_from_agency_to_agency(scripts: &Scripts) {
    let report = scripts.world(1).caller(Caller::dials("122").presses("1").presses("3").presses("#").hangs_up()).run();
    let parts = ["host: Здравствуйте", "caller: 1", "host: Выберите город", "caller: 3", "Адрес: ", "caller: #"];
    check(&report, &parts);
    let ran: Vec<_> = report.records[0].scripts.iter().map(|version| version.script.as_str()).collect();
    assert_eq!(ran, ["centre", "mfc"]);
}

fn a_back_end_that_hangs_leads_to_an_operator(scripts: &Scripts) {
    let caller = || Caller::dials("122").presses("2").presses("12345678").presses("4321");
    let world = |back_end| scripts.world(1).back_end("http://127.0.0.1:8090", back_end).caller(caller());
    let report = world(BackEnd::hangs()).run();
    check(&report, &["caller: 2", "Извините", "host → anna", "caller ↔ anna"]);
    // The time that the script gives its back end passes in the world, not here.
    let at = |text: &str| report.lines.iter().rfind(|line| line.text.starts_with(text)).unwrap().at;
    assert!(at("host: Извините").since(at("caller: *")).as_secs() >= 3, "{}", report.timed_transcript());
    check(&world(BackEnd::always(503, "")).run(), &["Извините", "host → anna"]);
    // Numbers that lead to documents are in neither transcript nor trace.
    assert!(!report.transcript().contains("12345678") && !report.trace.contains("12345678"));
}

fn a_loop_lands_its_caller(scripts: &Scripts) {
    let world = World::new(1).number("666", "bad", "loop").operators("operators", &["anna"]);
    let report = world.bundle("bad", "loop", Arc::clone(&scripts.hostile)).caller(Caller::dials("666")).run();
    check(&report, &["script: stopped (cpu)", "host: [apology]", "host → anna", "caller ↔ anna"]);
}

fn a_bundles_run_is_replayed_byte_for_byte(scripts: &Scripts) {
    let run = |seed| {
        let caller = Caller::dials("122").presses("1").interrupts("1").stays_silent();
        scripts.world(seed).trouble(gudok_simulator::Trouble::bad_day()).caller(caller).run()
    };
    for seed in 0..10 {
        let (one, two) = (run(seed), run(seed));
        check(&one, &[]);
        assert_eq!(one.trace, two.trace, "seed {seed}");
    }
}
