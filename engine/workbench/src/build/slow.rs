//! What the simulator's first callers met, told to the author: which keys, which step, which place, what to do.

use super::fault::{Fault, Place};
use crate::project::{Language, Project};
use gudok_plugin_host::manifest::{Kind, Limits};
use gudok_simulator::smoke::{SmokeFault, SmokeReport};

const STEP: &str = "smoke";
/// Lines of a call that are told.
const LINES_TOLD: usize = 8;

/// The fault that speaks for a smoke run that went badly.
pub(super) fn of_smoke(report: &SmokeReport, project: &Project) -> Option<Fault> {
    let first = report.faults.first()?;
    let others: Vec<&SmokeFault> = report.faults.iter().skip(1).collect();
    let fault = of_caller(first, project);
    Some(
        others
            .iter()
            .fold(fault, |fault, other| fault.note(format!("and with the keys \"{}\": {}", other.keys, other.problem))),
    )
}

/// Of one caller.
pub(super) fn of_caller(met: &SmokeFault, project: &Project) -> Fault {
    let stopped = |limit: &str| met.problem.contains(limit);
    let step = met.step().map(|step| format!(" at the step \"{step}\"")).unwrap_or_default();
    let who = if project.manifest.kind == Kind::Campaign { "contact" } else { "caller" };
    let fault = |what: String| with_call(Fault::of_script(STEP, what), met, who);
    let limit = |name: &str| project.limit(name);
    if stopped("cpu_ms_per_step") {
        return fault(format!(
            "the script is slow{step}: over {} ms of CPU between two host calls",
            limit("cpu_ms_per_step")
        ))
        .note("nobody hears anything while a script computes")
        .remedy("An endless loop? Give it an end that does not depend on the caller")
        .remedy("Much work? Do it when building and put the result into data/; read large files by parts")
        .remedy("Is the same text parsed again and again? Parse it once, outside the loop")
        .remedy(raise("cpu_ms_per_step", &limit("cpu_ms_per_step")));
    }
    if stopped("cpu_ms_per_call") {
        return fault(format!("the script is slow{step}: over {} ms of CPU in one call", limit("cpu_ms_per_call")))
            .note("whatever is asked again after every wrong key costs again")
            .remedy("Let a question that nobody answers end: at most three attempts, then an operator or goodbye")
            .remedy(raise("cpu_ms_per_call", &limit("cpu_ms_per_call")));
    }
    if stopped("callers took") {
        return fault(format!("the script is slow: {}", met.problem))
            .remedy("Measure it step by step: `gudok test` tells the CPU of each");
    }
    if stopped("memory_mib") {
        return fault(format!("the script wants more memory{step} than it asks for: {} MiB", limit("memory_mib")))
            .remedy("Does something grow with every question? Keep what the next step needs, and drop the rest")
            .remedy(raise("memory_mib", &limit("memory_mib")));
    }
    if let Some(name) =
        ["host_calls_max", "handles_max", "wall_s_per_call", "prepare_ms_max"].into_iter().find(|name| stopped(name))
    {
        return fault(format!("the script goes over its limit {name}{step}"))
            .note(met.problem.clone())
            .remedy("Does it ask, or wait, for ever? Give every loop around a question an end")
            .remedy(raise(name, &limit(name)));
    }
    if let Some((message, place)) = met.panic() {
        let place = Place { label: String::new(), ..source_line(place.0, place.1, place.2, project) };
        return fault(format!("the script panicked{step}: {message}"))
            .at(place)
            .remedy("Answer with an error instead: `?` ends the call gracefully, and the caller is landed");
    }
    if stopped("the script was stopped") {
        return fault(format!("the host had to stop the script{step}: {}", met.problem))
            .remedy("Call it with the same keys: `gudok call --local . --keys \"…\"`");
    }
    let remedy = if met.problem.contains("without having served") {
        "Answer the caller before `run` returns: say something, hand them over, or return `Summary::no_service()`"
    } else if met.problem.contains("returned an error") {
        "Match the error where it comes from: lead the caller on, or to an operator; only `ended` may leave `run` by `?`"
    } else if met.problem.contains("still had its caller") {
        "Give every loop around a question an end: at most three attempts, then an operator or goodbye"
    } else if met.problem.contains("who is not there") {
        "Name a group, queue or operator that the centre has, and ask for it under [capabilities]"
    } else {
        "Call it in the simulator with the same keys: `gudok call --local .`"
    };
    fault(met.problem.clone()).remedy(remedy)
}

fn with_call(fault: Fault, met: &SmokeFault, who: &str) -> Fault {
    let lines = &met.told[met.told.len().saturating_sub(LINES_TOLD)..];
    fault.note(format!("a {who} of the simulator did this: {}", met.keys)).said(lines.iter().cloned())
}

fn raise(limit: &str, now: &str) -> String {
    let cap = Limits::caps_default();
    let cap = named(&cap, limit).map(|cap| format!(", at most {cap}")).unwrap_or_default();
    format!("Or ask for more in manifest.toml under [limits]: {limit} = … (now {now}{cap})")
}

/// A place that a panic names, with its line.
fn source_line(file: &str, line: usize, column: usize, project: &Project) -> Place {
    let text = std::fs::read_to_string(project.folder.join(file)).unwrap_or_default();
    Place { column, length: 1, ..Place::line(file, &text, line) }
}

/// The limits that this build's callers may have met: the words of a limit are the host's.
impl Project {
    fn limit(&self, name: &str) -> String {
        let limits = Limits::of(&self.manifest.limits, &Limits::caps_default());
        named(&limits, name).map(|value| value.to_string()).unwrap_or_default()
    }

    /// Whether a menu's data is what is wrong, and not a program.
    pub(super) fn is_menu(&self) -> bool {
        self.language == Language::Menu
    }
}

fn named(limits: &Limits, name: &str) -> Option<u64> {
    limits.rows().into_iter().find(|(of, _)| *of == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::read_manifest;
    use crate::told::expect_told;
    use std::path::Path;

    fn told(problem: &str, log: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("manifest.toml");
        let text = "format = 1\nname = \"desk\"\nversion = \"0.1.0\"\nkind = \"service\"\ninterface = \"0.1\"\n\
                    agency = \"clinic\"\nlanguages = [\"ru-RU\"]\n[limits]\nmemory_mib = 8\n";
        std::fs::write(&manifest, text).unwrap();
        let project = Project {
            folder: folder.path().to_owned(),
            language: Language::Rust,
            manifest: read_manifest(&manifest, Path::new("manifest.toml")).unwrap(),
        };
        let met = SmokeFault {
            keys: "1 2".to_owned(),
            problem: problem.to_owned(),
            told: vec!["host: Здравствуйте.".to_owned(), "caller: 1".to_owned()],
            log: log.iter().map(|line| (*line).to_owned()).collect(),
        };
        let report = SmokeReport { faults: vec![met], ..SmokeReport::default() };
        of_smoke(&report, &project).unwrap().rendered(false)
    }

    #[test]
    fn every_limit_is_told_with_the_step_and_what_to_do() {
        let steps = ["Step desk menu", "Info desk hello", "Step desk answer", "Info desk more"];
        let stopped = |cause: &str, what: &str| format!("the script was stopped ({cause}): {what}");
        let over = |limit: &str| format!("it used more CPU than {limit} allows; an endless loop?");
        let check = |file: &str, problem: &str, log: &[&str]| {
            expect_told(&format!("build/told/{file}.txt"), &told(problem, log));
        };
        check("smoke-step", &stopped("cpu", &over("cpu_ms_per_step = 100")), &steps);
        check("smoke-call", &stopped("cpu", &over("cpu_ms_per_call = 5000")), &[]);
        check("smoke-memory", &stopped("memory", "it asked for 9000 KiB of memory; memory_mib = 8"), &steps);
        check("smoke-host-calls", &stopped("quota", "it made more host calls than host_calls_max = 20000"), &steps);
        check("smoke-trap", &stopped("trap", "wasm trap: integer divide by zero"), &steps);
        let panic = "Error desk panicked at src/lib.rs:3:5:\nno such office";
        check("smoke-panic", &stopped("trap", "wasm `unreachable`"), &[steps[0], panic]);
        check("smoke-error", "the script returned an error: not-found: data/office.json in the bundle", &steps);
        check("smoke-unserved", "the script returned \"served\" without having served its caller", &[]);
        check("smoke-kept", "the script still had its caller after 30 minutes", &steps);
    }
}
