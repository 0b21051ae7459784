//! Calls in the terminal, as an author has them: the program, lines on its standard input, and what it prints.
#![allow(clippy::unwrap_used, clippy::panic)]

use gudok_plugin_host::journal::CallJournal;
use gudok_simulator::Dice;
use gudok_workbench::conversation;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The sample agencies that take calls.
const SAMPLES: [&str; 6] = ["centre", "mfc", "passport", "kindergarten", "utilities", "survey"];
/// What happens in a talk: keys that mean something, keys that do not, and everything else that may be decided.
const HAPPENINGS: [&str; 12] =
    ["1", "2", "3", "0", "9", "*", "#", "1234#", "silence", "transfer:busy", "queue:nobody", "back-end:500"];
/// Talks with one sample.
const TALKS: u64 = 4;
/// Decisions of one talk.
const STEPS: usize = 4;

/// A program, and a cache of its own that all tests share: a script is compiled once.
fn author(arguments: &[&str], lines: &[u8], envs: &[(&str, &str)]) -> Output {
    let mut program = std::env::current_exe().unwrap();
    // Tests lie in target/debug/deps, examples beside that folder.
    program.pop();
    program.pop();
    let cache = program.join("workbench-test-cache");
    let mut command = Command::new(program.join("examples/author"));
    command.args(arguments).env("GUDOK_CACHE", cache).env("LC_ALL", "C").env("TMPDIR", std::env::temp_dir());
    command.envs(envs.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who has heard enough reads no more.
    let _ = child.stdin.take().unwrap().write_all(lines);
    child.wait_with_output().unwrap()
}

fn bundle(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/target/bundles");
    let path = folder.join(format!("{name}-1.0.0.ivr"));
    assert!(path.is_file(), "{}: run scripts/build-plugins first", path.display());
    path.to_str().unwrap().to_owned()
}

/// A call with a sample and these lines typed; what it printed.
fn talk(name: &str, more: &[&str], lines: &str) -> String {
    let bundle = bundle(name);
    let mut arguments = vec!["call", "--local", &bundle];
    arguments.extend(more);
    let output = author(&arguments, lines.as_bytes(), &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || output.status.code() == Some(1), "{:?}: {errors}", output.status);
    assert!(!errors.contains("panicked"), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn talk_as_json(name: &str, more: &[&str], lines: &str) -> Value {
    let mut arguments = vec!["--json"];
    arguments.extend(more);
    serde_json::from_str(&talk(name, &arguments, lines)).unwrap()
}

/// What a call came to: everything but how it was typed.
fn place(told: &Value) -> (Value, Value, Value, Value) {
    (told["decisions"].clone(), told["lines"].clone(), told["at"].clone(), told["log"].clone())
}

fn happenings(seed: u64) -> Vec<&'static str> {
    let mut dice = Dice::new(seed);
    (0..STEPS).map(|_| HAPPENINGS[usize::try_from(dice.roll() % HAPPENINGS.len() as u64).unwrap()]).collect()
}

#[test]
fn going_back_and_trying_another_key_is_calling_anew_with_it() {
    for (at, name) in SAMPLES.into_iter().enumerate() {
        for seed in 0..TALKS {
            let seed = seed + 100 * at as u64;
            // What is typed at its moment is taken; what does not fit is refused, and no step. So the talk itself says what
            // was decided, and whoever calls anew with that must come to the same place.
            let tried = happenings(seed).join("\n");
            let first = talk_as_json(name, &[], &format!("{tried}\n"));
            let decisions = first["decisions"].as_str().unwrap().to_owned();
            if first["hidden"] == true {
                // Stars call nobody anew; but back and forth is as good.
                let again = format!("{tried}\nback 99\n{tried}\n");
                assert_eq!(place(&talk_as_json(name, &[], &again)), place(&first), "{name} {seed}: {again:?}");
                continue;
            }
            let anew = talk_as_json(name, &["--end", "--keys", &decisions], "");
            assert_eq!(place(&anew), place(&first), "{name} {seed}: {decisions}");

            let steps: Vec<&str> = decisions.split(' ').filter(|word| !word.is_empty()).collect();
            if first["over"] == true || steps.len() < 2 {
                continue;
            }
            // Two back, and along the same way again, and another way.
            let again = format!("{tried}\nback 2\n{}\n", steps[steps.len() - 2..].join("\n"));
            assert_eq!(place(&talk_as_json(name, &[], &again)), place(&first), "{name} {seed}: {again:?}");
            let other = talk_as_json(name, &[], &format!("{tried}\nback 2\nsilence\n"));
            let decided = other["decisions"].as_str().unwrap().to_owned();
            assert_eq!(other["hidden"], false);
            let anew = talk_as_json(name, &["--end", "--keys", &decided], "");
            assert_eq!(place(&anew), place(&other), "{name} {seed}: {decided}");
        }
    }
}

#[test]
fn a_call_is_told_as_a_caller_hears_it_and_asks_what_may_be_pressed() {
    let told = talk("centre", &[], "?\nkeys\n1\nlog\nwhy\nquit\n");
    for words in [
        "  < Здравствуйте",
        "нажмите один",
        "? ",
        "> 1",
        "caller: 1",
        "back [N]",
        "may be pressed",
        "the call is left here",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let russian = {
        let bundle = bundle("centre");
        let output = author(&["call", "--local", &bundle], "?\n1\n".as_bytes(), &[("LC_ALL", "ru_RU.UTF-8")]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(russian.contains("звонящий: 1") && russian.contains("на шаг назад"), "{russian}");
}

#[test]
fn decisions_on_the_command_line_come_first_and_the_author_goes_on() {
    let on = talk_as_json("centre", &["--keys", "silence"], "silence\n");
    assert_eq!(on["decisions"], "silence silence");
    let there = talk_as_json("centre", &["--keys", "silence silence", "--end"], "1\n1\n");
    assert_eq!(place(&there), place(&on));
    assert_eq!(there["over"], false);
    let handed = talk_as_json("centre", &["--keys", "1"], "busy\n");
    assert_eq!(handed["decisions"], "1 transfer:busy");
    let bundle = bundle("centre");
    let wrong = author(&["call", "--local", &bundle, "--keys", "1 sideways"], b"", &[]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(told.contains("sideways") && told.contains("write keys"), "{told}");
}

#[test]
fn a_talk_that_is_saved_passes_whenever_it_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = 0;
    for (at, name) in SAMPLES.into_iter().enumerate() {
        let tests = folder.path().join(name);
        for seed in 0..TALKS {
            let path = tests.join(format!("{seed}.talk"));
            let tried = happenings(1_000 + seed + 100 * at as u64).join("\n");
            let told = talk(name, &[], &format!("{tried}\nsave {} Talk {seed}\n", path.display()));
            assert!(!told.contains("is not kept: run again"), "{name} {seed}\n{told}");
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {told}"));
            let written = conversation::parse(name, &text).unwrap();
            assert_eq!(written.len(), 1, "{text}");
            let again = talk(name, &[], &format!("{tried}\nsave {} Talk {seed}\n", path.display()));
            assert!(again.contains("choose another title"), "{again}");
            kept += 1;
        }
        let output = author(&["test", &bundle(name), "--tests", tests.to_str().unwrap()], b"", &[]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(kept, SAMPLES.len() as u64 * TALKS);
}

#[test]
fn whatever_is_typed_the_call_goes_on() {
    let mut hostile: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00\x01".to_vec(),
        vec![b'1'; 100_000],
        "back -5\nback 99999999999999999999\nback 0".into(),
        "save\nsave /proc/nowhere/x.talk\nsave \u{0}".into(),
        "lang\nlang xx-XX\naudio sideways".into(),
        "transfer:\nqueue:x\nback-end:99\nspeak:-1\nspeak:99999999999".into(),
        "\u{1b}[2J\u{202e}go-on go-on".into(),
        "ABCD*#".repeat(20).into_bytes(),
        "1 2 3 4 5 6 7 8 9 0 ".repeat(300).into_bytes(),
        "restart\nrestart\nback 3\nkeys\nlog\nwhy".into(),
    ];
    let mut dice = Dice::new(7);
    for _ in 0..5 {
        hostile.push((0..2_000).map(|_| u8::try_from(dice.roll() % 256).unwrap()).collect());
    }
    for lines in hostile {
        let mut all = lines.clone();
        all.extend(b"\nrestart\nkeys\nquit\n");
        let bundle = bundle("passport");
        let output = author(&["call", "--local", &bundle], &all, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code().is_some_and(|code| code <= 1) && errors.is_empty(),
            "{:?}: {errors}",
            output.status
        );
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!told.contains('\u{1b}') && !told.contains('\u{202e}'), "a terminal would obey: {told:?}");
    }
}

#[test]
fn who_types_nothing_leaves_the_call_where_it_is() {
    let told = talk("mfc", &[], "");
    assert!(told.contains("the call is left here"), "{told}");
    let told = talk_as_json("mfc", &[], "");
    assert_eq!((told["over"].as_bool(), told["decisions"].as_str()), (Some(false), Some("")));
    assert!(told["at"]["may"].is_string(), "{told}");
}

#[test]
fn a_call_leaves_its_journal_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("call.journal");
    let told = talk("mfc", &["--keys", "1", "--end", "--journal", file.to_str().unwrap()], "");
    assert!(told.contains("gudok replay"), "{told}");
    let journal = CallJournal::from_bytes(&std::fs::read(&file).unwrap()).unwrap();
    let steps = gudok_workbench::replays::steps(&journal).unwrap();
    let asked = |function: &str| steps.iter().filter(|step| step["function"] == function).count();
    assert!(asked("telephony.call.collect") > 1 && asked("directory.find-offices") == 1, "{steps:?}");
}

#[test]
fn sensitive_keys_and_numbers_are_not_shown() {
    let told = talk("passport", &["--from", "+79131234567"], "1\n45127788990011\nlog\nwhy\nquit\n");
    assert!(!told.contains("79131234567"), "{told}");
    let json = talk_as_json("passport", &["--from", "+79131234567"], "1\n45127788990011\n").to_string();
    assert!(!json.contains("79131234567"), "{json}");
}

#[test]
fn sound_is_kept_where_nothing_plays_and_goes_to_a_player_where_one_does() {
    let players = tempfile::tempdir().unwrap();
    let heard = players.path().join("heard");
    let bundle = bundle("survey");
    let path = std::env::var("PATH").unwrap();
    // A player that says what it was given, and where.
    let player = players.path().join("aplay");
    std::fs::write(&player, format!("#!/bin/sh\nhead -c 4 \"$2\" >> {0}\necho \" $2\" >> {0}\n", heard.display()))
        .unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&player).status().unwrap();
    let with = format!("{}:{path}", players.path().display());
    let output = author(&["call", "--local", &bundle, "--audio"], b"audio\naudio off\nquit\n", &[("PATH", &with)]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("audio is on: ") && told.contains("audio is off"), "{told}");
}
