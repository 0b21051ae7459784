//! The sample agencies' compiled bundles in a world: the real component, the real host, virtual everything else.
//!
//! A program of its own, without the usual test harness: the script host compiles in a child process, and this program is
//! that child too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use gudok_core::ids::{Agency, Entry};
use gudok_core::routing::{NumberPlan, Routes};
use gudok_plugin_host::bundle::{self, Bundle, BundleLimits};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, ScriptHost, Version, compile_child_main};
use gudok_simulator::smoke::{self, SmokeFault, SmokeReport, SmokeSettings};
use gudok_simulator::{BackEnd, Caller, Report, World};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[path = "bundles/replays.rs"]
mod replays;
#[path = "bundles/stories.rs"]
mod stories;

const COMPILE_CHILD: &str = "compile-child";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_CHILD) {
        return compile_child_main(args);
    }
    let folder = tempfile::tempdir().unwrap();
    let scripts = Scripts::load(folder.path());
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, test) in TESTS.into_iter().filter(|(name, _)| name.contains(&only)) {
        test(&scripts);
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

type Test = fn(&Scripts);

const TESTS: [(&str, Test); 18] = [
    ("a_menu_leads_from_agency_to_agency", a_menu_leads_from_agency_to_agency),
    ("a_back_end_that_hangs_leads_to_an_operator", a_back_end_that_hangs_leads_to_an_operator),
    ("a_loop_lands_its_caller", a_loop_lands_its_caller),
    ("a_bundles_run_is_replayed_byte_for_byte", a_bundles_run_is_replayed_byte_for_byte),
    (
        "a_thousand_journaled_calls_are_identical_on_the_same_version",
        replays::a_thousand_journaled_calls_are_identical_on_the_same_version,
    ),
    ("calls_on_another_script_part_and_say_where", replays::calls_on_another_script_part_and_say_where),
    ("the_first_callers_find_nothing_wrong_with_the_samples", the_first_callers_find_nothing_wrong_with_the_samples),
    ("the_first_callers_find_every_attack", the_first_callers_find_every_attack),
    ("an_attack_that_is_withstood_is_no_fault", an_attack_that_is_withstood_is_no_fault),
    ("what_a_smoke_run_may_cost_is_bounded", what_a_smoke_run_may_cost_is_bounded),
    ("a_fault_behind_two_keys_is_found", a_fault_behind_two_keys_is_found),
    ("routes_that_lead_nowhere_are_found", routes_that_lead_nowhere_are_found),
    ("story_10_flood_warning", stories::story_10_flood_warning),
    ("story_11_tax_reminder", stories::story_11_tax_reminder),
    ("story_11_survives_a_kill_at_any_moment", stories::story_11_survives_a_kill_at_any_moment),
    ("the_first_contacts_find_nothing_wrong_with_the_samples", the_first_contacts_find_nothing_wrong_with_the_samples),
    ("the_first_contacts_find_what_fails_for_one_of_them", the_first_contacts_find_what_fails_for_one_of_them),
    ("a_campaign_that_calls_nobody_is_told_of", a_campaign_that_calls_nobody_is_told_of),
];

/// What is loaded once for all.
struct Scripts {
    host: ScriptHost,
    centre: Arc<Version>,
    mfc: Arc<Version>,
    passport: Arc<Version>,
    kindergarten: Arc<Version>,
    utilities: Arc<Version>,
    hostile: Arc<Version>,
    flood: Arc<Version>,
    tax: Arc<Version>,
}

impl Scripts {
    fn load(folder: &Path) -> Self {
        let child = CompileConfig::new(std::env::current_exe().unwrap(), vec![COMPILE_CHILD.into()]);
        let mut config = HostConfig::new(folder.join("cache"), child);
        config.instances_max = 256;
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
        let [centre, mfc] = ["centre", "mfc"].map(|name| load(name, &[]));
        let [passport, kindergarten, utilities] = ["passport", "kindergarten", "utilities"].map(|name| load(name, &[]));
        let hostile = load("hostile", &[("attack", "loop")]);
        let [flood, tax] = ["flood", "tax"].map(|name| load(name, &[]));
        Self { host, centre, mfc, passport, kindergarten, utilities, hostile, flood, tax }
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

fn smoke(version: &Arc<Version>, entry: &str, settings: &SmokeSettings) -> SmokeReport {
    smoke::run(version, &Agency::new(&version.manifest.agency), &Entry::new(entry), settings)
}

fn the_first_callers_find_nothing_wrong_with_the_samples(scripts: &Scripts) {
    for (version, entry, callers) in [
        (&scripts.centre, "main", 175),
        (&scripts.mfc, "info", 223),
        (&scripts.mfc, "booking", 223),
        (&scripts.utilities, "main", 175),
        (&scripts.passport, "passport", 223),
        (&scripts.kindergarten, "queue", 223),
    ] {
        let report = smoke(version, entry, &SmokeSettings::default());
        assert_eq!(report.faults, [], "{}", version.id.script);
        println!("     {}: {} callers, {:?} of CPU", version.id.script, report.callers, report.cpu);
        assert_eq!(report.callers, callers, "{}", version.id.script);
    }
}

/// What is found is found by whom it says, and told with the last lines of the call.
fn the_first_callers_find_every_attack(scripts: &Scripts) {
    // One of them takes seconds of CPU from each of its callers.
    let settings = SmokeSettings { cpu_max: Duration::from_secs(4), ..SmokeSettings::default() };
    for (attack, keys, problem) in [
        ("loop", "silence", "stopped (cpu): it used more CPU than cpu_ms_per_step = 100 allows"),
        ("memory", "silence", "stopped (memory): "),
        ("memory-slow", "silence", "stopped (memory): "),
        ("recursion", "silence", "stopped (stack): "),
        ("large-frames", "silence", "stopped (trap): "),
        ("panic", "silence", "stopped (trap): "),
        ("storm", "silence", "stopped (quota): it made more than host_calls_max = "),
        ("huge-text", "silence", "stopped (quota): "),
        ("spin-between-prompts", "silence", "stopped (cpu): "),
        ("linger", "silence", "stopped (cpu): "),
        ("no-answer", "silence", "returned \"harmless\" without having served its caller"),
        ("an-entry-that-it-does-not-have", "all of them", "serves nobody"),
    ] {
        let report = smoke(&scripts.hostile, attack, &settings);
        let found = |fault: &SmokeFault| fault.keys == keys && fault.problem.contains(problem);
        assert!(report.faults.iter().any(found), "{attack}: {report:#?}");
        let told = report.faults.iter().all(|fault| !fault.told.is_empty() || keys == "all of them");
        assert!(told, "{attack}: {report:#?}");
    }
}

fn an_attack_that_is_withstood_is_no_fault(scripts: &Scripts) {
    for attack in
        ["log-flood", "many-segments", "long-text", "many-choices", "silent-return", "foreign-bucket", "foreign-origin"]
    {
        let report = smoke(&scripts.hostile, attack, &SmokeSettings::default());
        assert_eq!(report.faults, [], "{attack}");
    }
}

fn what_a_smoke_run_may_cost_is_bounded(scripts: &Scripts) {
    // However bad it is, it is not tried for ever.
    let report = smoke(&scripts.hostile, "loop", &SmokeSettings::default());
    assert_eq!((report.callers, report.faults.len()), (9, 1), "{report:#?}");
    assert!(report.cpu < Duration::from_secs(4), "{report:#?}");
    let settings = SmokeSettings { callers_max: 5, ..SmokeSettings::default() };
    assert_eq!(smoke(&scripts.centre, "main", &settings).callers, 5);
    let settings = SmokeSettings { cpu_max: Duration::ZERO, ..SmokeSettings::default() };
    let report = smoke(&scripts.centre, "main", &settings);
    assert!(report.callers < 3 && report.faults[0].problem.contains("of CPU; allowed are 0"), "{report:#?}");
}

/// Presses "1" and then "3" to meet the fault.
const RARE_FAULT: &str = r#"(module
  (import "gudok:ivr/telephony@0.1.0" "[method]call.answer" (func $answer (param i32 i32)))
  (import "gudok:ivr/telephony@0.1.0" "[method]call.digits" (func $digits (param i32) (result i32)))
  (import "gudok:ivr/telephony@0.1.0" "[method]collector.next" (func $next (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  ;; The next key, or 0.
  (func $key (param $keys i32) (result i32)
    (call $next (local.get $keys) (i32.const 5000) (i32.const 2048))
    (if (i32.or (i32.load8_u (i32.const 2048)) (i32.eqz (i32.load8_u (i32.const 2052)))) (then (return (i32.const 0))))
    (i32.load (i32.const 2056)))
  (func (export "gudok:ivr/script@0.1.0#run") (param $call i32) (result i32)
    (local $keys i32)
    (call $answer (local.get $call) (i32.const 2048))
    (local.set $keys (call $digits (local.get $call)))
    (if (i32.eq (call $key (local.get $keys)) (i32.const 49))
      (then (if (i32.eq (call $key (local.get $keys)) (i32.const 51)) (then (unreachable)))))
    (i32.const 1024)))"#;

fn a_fault_behind_two_keys_is_found(scripts: &Scripts) {
    let manifest = "format = 1\nname = \"rare\"\nversion = \"1.0.0\"\nkind = \"service\"\ninterface = \"0.1\"\n\
                    agency = \"one\"\nlanguages = [\"ru-RU\"]\n";
    let parts = [("manifest.toml", manifest.as_bytes().to_vec()), ("script.wasm", component(RARE_FAULT))];
    let parts = parts.map(|(place, bytes)| bundle::PackPart { place: place.into(), bytes }).to_vec();
    let packed = bundle::pack(parts, &BundleLimits::default()).unwrap();
    let read = Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap();
    let version = scripts.host.load(&read, &Admission::as_declared()).unwrap();
    let report = smoke(&version, "main", &SmokeSettings::default());
    assert_eq!(report.faults.len(), 1, "{report:#?}");
    let fault = &report.faults[0];
    assert_eq!(fault.keys, "1 3");
    assert!(fault.problem.starts_with("the script was stopped (trap): "), "{fault}");
    assert_eq!(fault.told, ["caller: 1", "caller: 3", "script: stopped (trap)"]);
}

fn component(wat: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1.0")).unwrap();
    let world = resolve.select_world(&[package], Some("service")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    bundle::componentize(&module).unwrap()
}

/// A group that nobody configured is found before a caller is sent there.
fn routes_that_lead_nowhere_are_found(scripts: &Scripts) {
    let plan = NumberPlan {
        country_code: "7".into(),
        trunk_prefix: "8".into(),
        international_prefixes: Vec::new(),
        national_len: 10,
    };
    let routes = Routes {
        plan,
        numbers: HashMap::new(),
        agencies: BTreeMap::new(),
        groups: BTreeMap::new(),
        extensions: BTreeMap::new(),
        overlays: Vec::new(),
        centre: Arc::default(),
    };
    let settings = SmokeSettings { routes: Some(routes), ..SmokeSettings::default() };
    for version in [&scripts.centre, &scripts.mfc, &scripts.passport, &scripts.kindergarten] {
        let report = smoke(version, "main", &settings);
        let problem =
            "the script hands its caller to who is not there: group \"operators\"; configure it under [groups]";
        assert!(report.faults.iter().any(|fault| fault.problem == problem), "{report:#?}");
    }
}

/// A campaign's bundle with another list of first contacts; none for its own.
fn campaign(scripts: &Scripts, name: &str, list: Option<&str>) -> Arc<Version> {
    let file = format!("{name}-1.0.0.ivr");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/target/bundles").join(&file);
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{file}: {error}; run scripts/build-plugins first"));
    let mut bundle = Bundle::from_bytes(&file, &bytes, &BundleLimits::default()).unwrap();
    if let Some(list) = list {
        bundle.data.insert("contacts.jsonl".into(), list.as_bytes().into());
    }
    scripts.host.load(&bundle, &Admission::as_declared()).unwrap()
}

fn the_first_contacts_find_nothing_wrong_with_the_samples(scripts: &Scripts) {
    for (name, contacts_min) in [("flood", 60), ("tax", 100)] {
        let report = smoke(&campaign(scripts, name, None), "inform", &SmokeSettings::default());
        assert_eq!(report.faults, [], "{name}");
        assert!(report.callers >= contacts_min, "{name}: {} callers", report.callers);
        println!("{name}: {} ways to take the call, {:?} of CPU", report.callers, report.cpu);
    }
}

fn the_first_contacts_find_what_fails_for_one_of_them(scripts: &Scripts) {
    for (attack, problem) in [
        ("prepare-panic", "prepare failed: "),
        ("prepare-loop", "prepare failed: it used more CPU than cpu_ms_per_step = 100 allows"),
        ("prepare-memory", "prepare failed: it asked for "),
        ("prepare-no-day", "prepare failed: prepare answered not-before: "),
        ("run-panic", "stopped (trap): "),
        ("run-loop", "stopped (cpu): "),
        ("run-memory", "stopped (memory): "),
        ("run-error", "returned an error: invalid: the script's own fault"),
        ("run-no-day", "returned an error: invalid: datetime is no moment"),
        ("run-linger", "stopped (cpu): "),
    ] {
        let list = format!("{{}}\n{{\"attack\": \"{attack}\"}}\n{{}}\n");
        let version = campaign(scripts, "hostile-campaign", Some(&list));
        let report = smoke(&version, "inform", &SmokeSettings { faults_max: 4, ..SmokeSettings::default() });
        let found = report.faults.iter().any(|fault| fault.problem.contains(problem));
        assert!(found, "{attack}: {report:#?}");
    }
    let report = smoke(&campaign(scripts, "hostile-campaign", None), "inform", &SmokeSettings::default());
    assert_eq!(report.faults, [], "who names no attack is informed");
}

fn a_campaign_that_calls_nobody_is_told_of(scripts: &Scripts) {
    let of = |list: &str| smoke(&campaign(scripts, "tax", Some(list)), "inform", &SmokeSettings::default());
    let report = of("{\"debt\": \"0\", \"due\": \"2026-12-01\"}\n{}\n");
    assert!(report.faults[0].problem.starts_with("prepare skips every contact of the list"), "{report:#?}");
    let report = of("debt;due\n5;2026-12-01\n");
    assert!(report.faults[0].problem.starts_with("line 1 is no object"), "{report:#?}");
    // Rows that nobody can be identified by are not dialled; one that can be is.
    let report = of("{}\n{\"debt\": 5, \"due\": \"2026-12-01\", \"inn_tail\": \"0042\"}\n");
    assert_eq!(report.faults, [], "{report:#?}");
}
