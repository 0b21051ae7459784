//! What must always hold, watched at every step of every call.
//!
//! - the machine's own contract ([`gudok_core::call::Contract`]): one record a leg, one answer a request, the overlay
//!   first, nobody bridged to a dead leg, no deadline that stands still
//! - no script touches another agency's storage, secrets or back ends
//! - a call ends on the script version that it began with, and its record says which

use gudok_core::call::{CallStart, Command, Contract, Input, ScriptRun};
use gudok_core::ids::{Agency, CallId, LegId, ScriptVersion};
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;

/// A promise that was broken, and in which call.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("call {call}: {what}")]
pub struct Broken {
    /// Whose.
    pub call: CallId,
    /// What.
    pub what: String,
}

/// All checkers of one world.
#[derive(Debug, Default)]
pub struct Checkers {
    calls: BTreeMap<CallId, Watched>,
    broken: Vec<Broken>,
}

#[derive(Debug)]
struct Watched {
    contract: Contract,
    runs: BTreeMap<ScriptRun, Run>,
}

#[derive(Debug)]
struct Run {
    agency: Agency,
    version: Option<ScriptVersion>,
}

impl Checkers {
    /// A call begins.
    pub fn call_began(&mut self, start: &CallStart) {
        let before = self.calls.insert(start.id, Watched { contract: Contract::new(start), runs: BTreeMap::new() });
        if before.is_some() {
            self.found(start.id, "two calls have this id".into());
        }
    }

    /// Before the machine is told.
    pub fn input(&mut self, call: CallId, input: &Input) {
        let Some(watched) = self.calls.get_mut(&call) else { return };
        watched.contract.input(input);
        if let Input::ScriptStarted { run, version } = input
            && let Some(run) = watched.runs.get_mut(run)
        {
            run.version.get_or_insert_with(|| version.clone());
        }
    }

    /// What the machine says.
    pub fn command(&mut self, call: CallId, command: &Command) {
        let Some(watched) = self.calls.get_mut(&call) else { return };
        let kept = watched.contract.command(command);
        match command {
            Command::StartScript { run, agency, .. } => {
                watched.runs.insert(*run, Run { agency: agency.clone(), version: None });
            }
            Command::LegEnded(record) if record.leg == LegId::FIRST => {
                let ran: Vec<_> = watched.runs.values().filter_map(|run| run.version.as_ref()).collect();
                if record.scripts.iter().collect::<Vec<_>>() != ran {
                    let what = format!("its record names {:?}, but {ran:?} ran", record.scripts);
                    self.found(call, what);
                }
            }
            _ => {}
        }
        if let Err(broken) = kept {
            self.found(call, broken.to_string());
        }
    }

    /// When the commands are drained.
    pub fn settled(&mut self, call: CallId, deadline: Option<Timestamp>) {
        let Some(watched) = self.calls.get_mut(&call) else { return };
        if let Err(broken) = watched.contract.settled(deadline) {
            self.found(call, broken.to_string());
        }
    }

    /// After the machine was told of its deadline.
    pub fn timed_out(&mut self, call: CallId, now: Timestamp, deadline: Option<Timestamp>) {
        let Some(watched) = self.calls.get_mut(&call) else { return };
        if let Err(broken) = watched.contract.timed_out(now, deadline) {
            self.found(call, broken.to_string());
        }
    }

    /// A script touches something that belongs to an agency.
    pub fn touches(&mut self, call: CallId, run: ScriptRun, owner: &Agency, what: &str) {
        let agency = self.calls.get(&call).and_then(|watched| watched.runs.get(&run)).map(|run| &run.agency);
        if agency != Some(owner) {
            let what = format!("a script of {agency:?} touches the {what} of {owner:?}");
            self.found(call, what);
        }
    }

    /// A version is at work in a run.
    pub fn works(&mut self, call: CallId, run: ScriptRun, version: &ScriptVersion) {
        let pinned =
            self.calls.get(&call).and_then(|watched| watched.runs.get(&run)).and_then(|run| run.version.as_ref());
        if pinned != Some(version) {
            let what = format!("{run:?} began on {pinned:?} and works on {version:?}");
            self.found(call, what);
        }
    }

    /// The world has come to rest: every call must be over.
    pub fn finish(&mut self) {
        let alive: Vec<_> =
            self.calls.iter().filter(|(_, watched)| !watched.contract.is_over()).map(|(call, _)| *call).collect();
        for call in alive {
            self.found(call, "the world came to rest, and this call is not over".into());
        }
    }

    /// A call is over, and nothing more comes of it: its record is checked, and forgotten.
    pub fn over(&mut self, call: CallId) {
        if self.calls.get(&call).is_some_and(|watched| watched.contract.is_over()) {
            self.calls.remove(&call);
        }
    }

    /// The engine was killed with this call in it: it promises nothing any more.
    pub fn lost(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    /// Something that another watcher found, where it found anything.
    pub fn found_if(&mut self, call: CallId, what: Option<String>) {
        if let Some(what) = what {
            self.found(call, what);
        }
    }

    /// Something that another watcher found.
    pub fn found(&mut self, call: CallId, what: String) {
        self.broken.push(Broken { call, what });
    }

    /// What was broken so far.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::ids::{Entry, ScriptName};

    const CALL: CallId = CallId::from_random(1);
    const RUN: ScriptRun = ScriptRun(0);

    fn version(text: &str) -> ScriptVersion {
        ScriptVersion { script: ScriptName::new("s"), version: text.into(), bundle_sha256: [0; 32] }
    }

    /// A call of agency `one` whose script began on 1.0.0.
    fn watching() -> Checkers {
        let mut checkers = Checkers::default();
        let contract = Contract::new(&crate::world::start_for_tests(CALL));
        checkers.calls.insert(CALL, Watched { contract, runs: BTreeMap::new() });
        let (agency, entry) = (Agency::new("one"), Entry::new("main"));
        checkers.command(CALL, &Command::StartScript { run: RUN, agency, entry });
        checkers.input(CALL, &Input::ScriptStarted { run: RUN, version: version("1.0.0") });
        checkers
    }

    #[test]
    fn what_breaks_a_promise_is_found_and_what_keeps_it_is_not() {
        let check = |break_it: fn(&mut Checkers), expect: Option<&str>| {
            let mut checkers = watching();
            break_it(&mut checkers);
            let found = checkers.broken().first().map(ToString::to_string);
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expect.unwrap_or_default()));
        };
        check(|checkers| checkers.touches(CALL, RUN, &Agency::new("one"), "secrets"), None);
        check(|checkers| checkers.touches(CALL, RUN, &Agency::new("two"), "secrets"), Some("touches the secrets"));
        check(|checkers| checkers.touches(CALL, ScriptRun(1), &Agency::new("one"), "secrets"), Some("touches"));
        check(|checkers| checkers.works(CALL, RUN, &version("1.0.0")), None);
        check(|checkers| checkers.works(CALL, RUN, &version("2.0.0")), Some("works on"));
        check(|checkers| checkers.command(CALL, &Command::Over), Some("broke a promise"));
        check(|checkers| checkers.settled(CALL, None), Some("no deadline"));
        check(Checkers::finish, Some("not over"));
    }
}
