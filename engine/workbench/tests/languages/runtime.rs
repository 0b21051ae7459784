//! What a script sees around it: time, chance and a console of the host's, its own errors with the author's lines, and its state
//! fresh with each call.

use crate::faults::project;
use gudok_simulator::Report;
use gudok_simulator::decide::{CallOf, world_of};
use gudok_workbench::build::Silent;
use gudok_workbench::local::{LocalHost, read_bundle};
use std::collections::BTreeMap;

/// Chance is drawn as letters: digits are masked in the log.
const TYPESCRIPT: &str = r#"import { host, service } from "gudok";

let calls = 0;

export default service((call) => {
  calls += 1;
  console.log("calls", calls, { a: [1] });
  console.log("now", Date.now() === host.nowMillis(), new Date().getTime() === Date.now());
  const draw = () => "abcdefghijklmnop".charAt(Math.floor(Math.random() * 16));
  console.log("chance", draw(), draw(), draw(), draw(), draw());
  call.say("Здравствуйте.");
  broken(call.info.entry as unknown as { name: { first: string } });
});

function broken(value: { name: { first: string } }): void {
  console.log(value.name.first);
}
"#;

const PYTHON: &str = r#"import random
import time
import traceback
from gudok import host, service

calls = 0


@service
def run(call):
    global calls
    calls += 1
    print("calls", calls, {"a": [1]})
    try:
        broken(call)
    except AttributeError:
        print(traceback.format_exc())
    print("now", abs(time.time() * 1000 - host.now_millis()) < 1)
    print("chance", *[random.choice("abcdefghijklmnop") for _ in range(5)])
    call.say("Здравствуйте.")
    broken(None)


def broken(value):
    print(value.name)
"#;

pub(crate) fn tests() -> Vec<(String, Box<dyn Fn()>)> {
    let test = |name: &str, file: &'static str, source: &'static str, error: &'static str, place: &'static str| {
        let run = move || a_script_has_the_host_around_it(file, source, error, place);
        (format!("a_script_in_{name}_has_the_host_around_it"), Box::new(run) as Box<dyn Fn()>)
    };
    vec![
        test(
            "typescript",
            "src/main.ts",
            TYPESCRIPT,
            "TypeError: cannot read property 'first'",
            "src/main.ts:16 in broken",
        ),
        test("python", "src/main.py", PYTHON, "AttributeError: 'NoneType' object", "src/main.py:25 in broken"),
    ]
}

fn a_script_has_the_host_around_it(file: &str, source: &str, error: &str, place: &str) {
    let (_folder, project) = project(file, source, "");
    let built = project.build(&mut Silent).unwrap_or_else(|fault| panic!("{fault}"));
    let host = LocalHost::open().unwrap();
    let version = host.load(&read_bundle(&built.path).unwrap(), BTreeMap::new()).unwrap();
    let call = |seed| -> Report { world_of(&version, &CallOf { seed, ..CallOf::default() }).run() };
    let (first, again, other) = (call(1), call(1), call(2));
    let log = first.log.join("\n");
    assert!(log.contains("calls 1"), "{log}");
    assert!(log.contains("now true") || log.contains("now True"), "{log}");
    assert!(!log.contains("false") && !log.contains("False"), "{log}");
    assert!(log.contains(&format!("uncaught {error}")), "{log}");
    assert!(log.contains(place), "the place is told as the author knows it: {log}");
    assert_eq!(first.log, again.log, "a call is the same when it is run again: state is fresh, chance is the host's");
    let chance = |report: &Report| report.log.iter().find(|line| line.contains("chance")).cloned().unwrap_or_default();
    assert_ne!(chance(&first), chance(&other), "chance is the call's, not the build's");
    assert!(first.broken.is_empty(), "{:?}", first.broken);
}
