//! The samples' conversations: they pass, each of their expectations can fail, and a thousand runs are one. Without a harness,
//! because this program is the compile child, too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod departures;
mod mutations;

use gudok_plugin_host::bundle::Bundle;
use gudok_workbench::conversation::gather;
use gudok_workbench::conversation::report::{self, Colours};
use gudok_workbench::conversation::run::{Bench, Outcome, Trial};
use gudok_workbench::local::{COMPILE_SUBCOMMAND, LocalHost, read_bundle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) const SAMPLES: [&str; 8] =
    ["centre", "mfc", "passport", "kindergarten", "utilities", "survey", "flood", "tax"];
/// As many as a machine of the tests has.
const JOBS: usize = 2;
/// In CI; `GUDOK_REPEAT=1000` shows it for a thousand.
const REPEATS: usize = 20;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == COMPILE_SUBCOMMAND) {
        return gudok_plugin_host::compile_child_main(args);
    }
    // As a harness would: `cargo test NAME` runs what has that in its name, `--list` runs nothing.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = words.iter().find(|word| !word.starts_with('-'));
    let host = LocalHost::open_in(&root().join("target/test-cache")).unwrap();
    for (name, test) in TESTS {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            test(&host);
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

type Test = fn(&LocalHost);

const TESTS: [(&str, Test); 10] = [
    ("the_samples_hold_their_conversations", the_samples_hold_their_conversations),
    ("one_service_holds_the_same_conversations_in_three_languages", one_service_in_three_languages),
    ("every_expectation_can_fail", mutations::every_expectation_can_fail),
    ("every_run_is_the_same_to_the_last_byte", every_run_is_the_same_to_the_last_byte),
    ("a_departure_says_what_was_said_and_what_to_do", departures::a_departure_says_what_was_said_and_what_to_do),
    ("what_nobody_wrote_down_is_told_with_the_line_to_write", departures::what_nobody_wrote_down_is_told),
    ("a_script_that_is_stopped_says_why", departures::a_script_that_is_stopped_says_why),
    ("what_must_be_true_then_is_told_with_what_is", departures::what_must_be_true_then_is_told_with_what_is),
    ("a_program_s_conversations_are_tried_like_a_file_s", departures::a_programs_conversations_are_tried),
    ("settings_make_the_world", departures::settings_make_the_world),
];

pub(crate) fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

pub(crate) fn bundle(name: &str) -> Bundle {
    let path = root().join(format!("plugins/target/bundles/{name}-1.0.0.ivr"));
    read_bundle(&path).unwrap_or_else(|error| panic!("{error:#}; run scripts/build-plugins first"))
}

pub(crate) fn trials(name: &str) -> Vec<Trial> {
    let folder = root().join("plugins").join(name);
    let trials = gather::files(&folder.join(gather::FOLDER), &folder, false).unwrap_or_else(|error| panic!("{error}"));
    assert!(trials.len() >= 3, "{name} has {} conversations", trials.len());
    trials
}

/// One conversation as it is written, tried.
pub(crate) fn tried(host: &LocalHost, name: &str, text: &str) -> Outcome {
    let bundle = bundle(name);
    let bench = Bench::new(host, &bundle).unwrap();
    let written =
        gudok_workbench::conversation::parse("one.talk", text).unwrap_or_else(|errors| panic!("{:?}", errors.errors));
    let one = written.into_iter().next().unwrap();
    let trial = Trial {
        conversation: one.conversation,
        file: "one.talk".into(),
        line: Some(one.line),
        step_lines: one.step_lines,
    };
    bench.try_one(&trial).unwrap()
}

fn the_samples_hold_their_conversations(host: &LocalHost) {
    let mut failed = String::new();
    for name in SAMPLES {
        let bundle = bundle(name);
        let bench = Bench::new(host, &bundle).unwrap();
        let outcomes = bench.try_all(&trials(name), JOBS).unwrap();
        if !outcomes.iter().all(Outcome::passed) {
            failed.push_str(&report::outcomes(&outcomes, false, Colours(false)));
        }
        assert!(outcomes.iter().all(|outcome| outcome.used.fuel > 0 || outcome.told.is_empty()), "{name}");
    }
    assert!(failed.is_empty(), "\n{failed}");
}

/// `plugins/hours-js` and `hours-py` are in another language, and in nothing else another service than `plugins/hours`.
fn one_service_in_three_languages(host: &LocalHost) {
    for name in ["hours", "hours-js", "hours-py"] {
        let bundle = bundle(name);
        let bench = Bench::new(host, &bundle).unwrap();
        let outcomes = bench.try_all(&trials(name), JOBS).unwrap();
        let told = report::outcomes(&outcomes, false, Colours(false));
        assert!(outcomes.iter().all(Outcome::passed), "{name}:\n{told}");
    }
}

/// Whatever else the machine does, and in whatever order threads take the conversations.
fn every_run_is_the_same_to_the_last_byte(host: &LocalHost) {
    let repeats = std::env::var("GUDOK_REPEAT").ok().and_then(|text| text.parse().ok()).unwrap_or(REPEATS);
    for name in SAMPLES {
        let bundle = bundle(name);
        let trials = trials(name);
        let run = |jobs: usize| {
            let bench = Bench::new(host, &bundle).unwrap();
            let outcomes = bench.try_all(&trials, jobs).unwrap();
            // As a person reads it, and as a machine does.
            report::outcomes(&outcomes, true, Colours(false)) + &serde_json::to_string(&outcomes).unwrap()
        };
        let first = run(1);
        for time in 1..repeats {
            assert!(run(1 + time % 3) == first, "{name}: run {time} is another");
        }
        println!("{name}: {} conversations, {repeats} runs, {} bytes each, all the same", trials.len(), first.len());
    }
}
