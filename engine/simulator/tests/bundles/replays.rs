//! A thousand journaled calls of all samples, with varied callers and back ends, each replayed on its own version.

use crate::Scripts;
use gudok_plugin_host::Version;
use gudok_plugin_host::journal::{CallJournal, Journal, JournalEnd, Wants};
use gudok_plugin_host::replay::{ReplayReport, Verdict, replay};
use gudok_simulator::{BackEnd, Caller, Dice, Trouble, World};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const CALLS: usize = 1_000;
/// Of one world.
const CALLERS: u64 = 12;
/// What callers press.
const KEYS: [&str; 16] = [
    "1",
    "2",
    "3",
    "4",
    "0",
    "*",
    "#",
    "9",
    "12",
    "1#",
    "12345678",
    "4321",
    "05052026",
    "89131234567#",
    "11223344595",
    "7",
];
const BACK_END: &str = "http://127.0.0.1:8090";

#[derive(Default)]
struct Shelf(Mutex<Vec<CallJournal>>);

impl Journal for Shelf {
    fn wants(&self) -> Wants {
        Wants::Whole { bytes_max: 1 << 20 }
    }
    fn keep(&self, journal: CallJournal) {
        self.0.lock().push(journal);
    }
}

pub(crate) fn a_thousand_journaled_calls_are_identical_on_the_same_version(scripts: &Scripts) {
    let shelf = Arc::new(Shelf::default());
    let mut dice = Dice::new(7);
    while shelf.0.lock().len() < CALLS {
        let report = world(scripts, &mut dice).journal(Arc::clone(&shelf) as _).run();
        report.verdict().unwrap_or_else(|failure| panic!("{failure}"));
    }
    let journals: Vec<CallJournal> = std::mem::take(&mut *shelf.0.lock());
    let versions = versions(scripts);
    let (mut host_calls, mut bytes) = (0, 0);
    let (mut ends, mut functions) = (BTreeMap::<String, u32>::new(), BTreeMap::<String, u32>::new());
    for journal in journals.iter().take(CALLS) {
        let report = replayed(&versions[&journal.header.script.bundle_sha256], journal);
        assert_eq!(report.verdict, Verdict::Identical, "{report:#?}");
        assert!(report.parting.is_none() && report.differences.is_empty());
        host_calls += u64::from(report.host_calls);
        bytes += journal.page().len();
        *ends.entry(kind(&journal.end().unwrap())).or_default() += 1;
        report.steps.iter().for_each(|step| *functions.entry(step.function.clone()).or_default() += 1);
    }
    // What is compared is not the same call a thousand times.
    assert!(ends.len() > 5, "{ends:?}");
    assert!(functions.len() > 15, "{functions:?}");
    println!(
        "     {CALLS} identical: {host_calls} host calls, {bytes} bytes; ends {ends:?}; {} functions",
        functions.len()
    );
}

/// The same calls on another version of another script: they part, and nobody's number or document is in what is said.
pub(crate) fn calls_on_another_script_part_and_say_where(scripts: &Scripts) {
    let shelf = Arc::new(Shelf::default());
    let caller = Caller::dials("122").from("+79131234567").presses("2").presses("12345678").presses("4321").hangs_up();
    let back_end = BackEnd::always(200, "{\"ready\": true}");
    let report = scripts.world(1).back_end(BACK_END, back_end).caller(caller).journal(Arc::clone(&shelf) as _).run();
    report.verdict().unwrap_or_else(|failure| panic!("{failure}"));
    let journals = shelf.0.lock();
    let passport = journals.iter().find(|journal| journal.header.script.script.as_str() == "passport").unwrap();
    let report = replayed(&scripts.utilities, passport);
    let parting = report.parting.clone().unwrap_or_else(|| panic!("{report:#?}"));
    assert_eq!(report.verdict, Verdict::Parted);
    assert!(parting.found.is_some() && !parting.why.is_empty(), "{parting:?}");
    let own = replayed(&scripts.passport, passport);
    assert_eq!(own.verdict, Verdict::Identical, "{own:#?}");
    for said in [format!("{report:?}"), format!("{own:?}")] {
        for personal in ["12345678", "4321", "9131234567"] {
            assert!(!said.contains(personal), "{personal} in {said}");
        }
    }
}

fn world(scripts: &Scripts, dice: &mut Dice) -> World {
    let mut world = scripts
        .world(dice.roll())
        .number("200", "mfc", "booking")
        .number("300", "utilities", "main")
        .number("400", "kindergarten", "queue")
        .number("500", "bad", "loop")
        .bundle("mfc", "booking", Arc::clone(&scripts.mfc))
        .bundle("utilities", "main", Arc::clone(&scripts.utilities))
        .bundle("kindergarten", "queue", Arc::clone(&scripts.kindergarten))
        .bundle("bad", "loop", Arc::clone(&scripts.hostile))
        .every_back_end(back_end(dice));
    if dice.percent(20) {
        world = world.trouble(Trouble::bad_day());
    }
    if dice.percent(20) {
        world = world.nobody_at_work();
    }
    for nth in 0..CALLERS {
        let number = match dice.roll() % 40 {
            0..16 => "122",
            16..24 => "200",
            24..32 => "300",
            32..39 => "400",
            // Stopped by the host.
            _ => "500",
        };
        world = world.caller(caller(dice, number).after(Duration::from_secs(20 * nth)));
    }
    world
}

fn caller(dice: &mut Dice, number: &str) -> Caller {
    let caller = Caller::dials(number);
    let mut caller = match dice.percent(20) {
        true => caller.anonymous(),
        false => caller.from(&format!("+7913{:07}", dice.roll() % 10_000_000)),
    };
    for _ in 0..dice.roll() % 8 {
        let keys = KEYS[usize::try_from(dice.roll() % 16).unwrap()];
        caller = match dice.roll() % 8 {
            0 => caller.stays_silent(),
            1 => caller.interrupts(keys),
            2 => caller.types_ahead(keys),
            3 => caller.speaks(Duration::from_secs(3)),
            _ => caller.presses(keys),
        };
    }
    caller.hangs_up()
}

fn back_end(dice: &mut Dice) -> BackEnd {
    match dice.roll() % 5 {
        0 => BackEnd::hangs(),
        1 => BackEnd::always(503, ""),
        2 => BackEnd::always(404, "{}"),
        3 => BackEnd::always(200, "{\"ready\": true, \"slots\": [\"2026-05-06T10:00\"]}")
            .after(Duration::from_millis(700)),
        _ => BackEnd::always(200, "nonsense"),
    }
}

fn versions(scripts: &Scripts) -> BTreeMap<[u8; 32], Arc<Version>> {
    let all =
        [&scripts.centre, &scripts.mfc, &scripts.passport, &scripts.kindergarten, &scripts.utilities, &scripts.hostile];
    all.into_iter().map(|version| (version.id.bundle_sha256, Arc::clone(version))).collect()
}

fn replayed(version: &Arc<Version>, journal: &CallJournal) -> ReplayReport {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(replay(version, journal)).unwrap()
}

fn kind(end: &JournalEnd) -> String {
    match end {
        JournalEnd::Returned { code, .. } => code.clone(),
        JournalEnd::Informed { kind, .. } => kind.clone(),
        JournalEnd::Failed { kind, words } => format!("{kind} {words}"),
        JournalEnd::Stopped(cause) => format!("stopped {cause}"),
        JournalEnd::Dropped => "dropped".to_owned(),
    }
}
