//! Another version: it is answered as long as the journal has answers.

use super::lookups::{Found, Lookups};
use super::nowhere::Nowhere;
use super::questions::{Kind, Same, in_words, kind, same_turn};
use super::report::{Difference, end_words};
use super::{Asked, Followed, Over, Ran, stop};
use crate::host_call::Answer;
use crate::journal::{CallJournal, JournalEnd, JournalError, JournalStep, Masks, Opened};
use serde_json::{Value, json};
use std::sync::Arc;

/// Handles that the journal does not have begin here.
const HANDLE_MIN: u32 = 1 << 20;
/// Differences that are told; the rest is counted.
const DIFFERENCES_MAX: usize = 200;

/// A host call of the journal.
pub(super) struct Entry {
    pub(super) function: Arc<str>,
    pub(super) args: Value,
    /// None where the script was stopped in the middle of it.
    pub(super) result: Option<Value>,
    at_us: u64,
    kind: Kind,
    pub(super) used: bool,
}

impl Entry {
    #[cfg(test)]
    pub(super) fn of(function: &str, args: Value, result: Value) -> Self {
        Self { function: Arc::from(function), args, result: Some(result), at_us: 0, kind: kind(function), used: false }
    }

    pub(super) fn is_lookup(&self) -> bool {
        self.kind == Kind::Lookup
    }

    /// Why the call had ended by then, where this entry says so.
    fn ended(&self) -> Option<&Value> {
        self.result.as_ref()?.get("error")?.get("Ended")
    }
}

/// Follows a version through the journal of another.
pub(crate) struct Follow {
    entries: Vec<Entry>,
    end: JournalEnd,
    is_cut: bool,
    /// Prompts and turns before it are over.
    cursor: usize,
    /// The call has ended, for this reason.
    ended: Option<Value>,
    lookups: Lookups,
    nowhere: Arc<Nowhere>,
    masks: Masks,
    began_us: u64,
    handles: u32,
    asking: Option<(Arc<str>, Value)>,
    calls: Vec<Asked>,
    steps: Vec<JournalStep>,
    same_calls: u32,
    differences: Vec<Difference>,
    over: Option<Over>,
}

/// What a host call is answered with.
enum Decided {
    /// As the host does.
    Own,
    /// The first of these that the function can answer.
    OneOf(Vec<Value>),
    Parted {
        expected: Option<usize>,
        why: String,
    },
    JournalIsOver,
}

impl Follow {
    pub(super) fn new(journal: &CallJournal, opened: &Opened, nowhere: Arc<Nowhere>) -> Result<Self, JournalError> {
        let entry = |raw| {
            let (args, result) = journal.values(raw)?;
            let (function, at_us) = (Arc::clone(&raw.function), raw.at.as_micros());
            Ok(Entry { kind: kind(&function), function, args, result, at_us, used: false })
        };
        let entries: Vec<Entry> = opened.entries.iter().map(entry).collect::<Result<_, JournalError>>()?;
        let mut masks = Masks::new(opened);
        entries.iter().for_each(|entry| masks.learn(&entry.args, entry.result.as_ref()));
        Ok(Self {
            lookups: Lookups::new(&entries),
            entries,
            end: opened.end.clone(),
            is_cut: journal.header.is_cut,
            cursor: 0,
            ended: None,
            nowhere,
            masks,
            began_us: journal.header.began.as_micros(),
            handles: HANDLE_MIN,
            asking: None,
            calls: Vec::new(),
            steps: Vec::new(),
            same_calls: 0,
            differences: Vec::new(),
            over: None,
        })
    }

    pub(super) fn asked(&mut self, function: &Arc<str>, args: Value) {
        self.asking = Some((Arc::clone(function), args));
    }

    pub(super) fn answer<R: Answer>(&mut self, own: Option<R>) -> wasmtime::Result<R> {
        let Some((function, args)) = self.asking.take() else { return Err(stop()) };
        let refused = own.as_ref().is_some_and(|own| own.error().is_some());
        let own_json = own.as_ref().map(crate::journal::Recorded::to_json);
        let decided = self.decide(&function, &args, own_json.as_ref(), refused);
        let answer = match (decided, own) {
            (Decided::Own, Some(own)) => Ok(own),
            (Decided::OneOf(values), _) => {
                values.into_iter().find_map(R::from_json).ok_or_else(|| (None, "the journal has no answer".to_owned()))
            }
            (Decided::Own, None) => Err((None, "the journal has no answer".to_owned())),
            (Decided::Parted { expected, why }, _) => Err((expected, why)),
            (Decided::JournalIsOver, _) => {
                self.over = Some(Over::WithTheJournal);
                return Err(stop());
            }
        };
        match answer {
            Ok(answer) => {
                self.note(function, args, answer.to_json());
                Ok(answer)
            }
            Err((expected, why)) => {
                self.over = Some(Over::Parted { expected, found: Some((function, args)), why });
                Err(stop())
            }
        }
    }

    /// Keeps what was asked and answered.
    fn note(&mut self, function: Arc<str>, args: Value, result: Value) {
        let nth = self.calls.len();
        let is_same = |entry: &Entry| entry.function == function && entry.args == args;
        if self.same_calls as usize == nth && self.entries.get(nth).is_some_and(is_same) {
            self.same_calls += 1;
        }
        if let Some(reason) = result.get("error").and_then(|error| error.get("Ended")) {
            self.ended.get_or_insert(reason.clone());
        }
        self.lookups.learn(&function, &args, &result);
        let at_ms = self.nowhere.now_us().saturating_sub(self.began_us) / 1_000;
        let seq = u32::try_from(nth + 1).unwrap_or(u32::MAX);
        self.steps.push(self.masks.step(seq, at_ms, &function, args.clone(), Some(result.clone())));
        self.calls.push(Asked { function, args, result: Some(result) });
    }

    fn decide(&mut self, function: &str, args: &Value, own: Option<&Value>, refused: bool) -> Decided {
        let kind = kind(function);
        match kind {
            Kind::Own => self.decide_own(function, args),
            Kind::Moment => match self.take_near(function, None) {
                Some(result) => Decided::OneOf(vec![result]),
                None if own.is_some() => Decided::Own,
                None => Decided::OneOf(vec![self.ended.clone().unwrap_or_default()]),
            },
            // What the host refuses it refuses in a replay, too: the grants are those of the version that asks.
            _ if refused => {
                self.note_refusal(function, args, own);
                Decided::Own
            }
            Kind::Told => match self.take_near(function, Some(args)).or_else(|| self.take_near(function, None)) {
                Some(result) => Decided::OneOf(vec![result]),
                None => Decided::OneOf(self.told(function)),
            },
            Kind::Prompt => self.decide_prompt(function, args),
            Kind::Lookup => self.decide_lookup(function, args, own),
            Kind::Turn => self.decide_turn(function, args),
        }
    }

    fn decide_own(&self, function: &str, args: &Value) -> Decided {
        let same = |entry: &&Entry| &*entry.function == function && entry.args == *args;
        // No admin had set that secret: no host can know.
        let missing = self.entries.iter().find(same).filter(|_| function == "secrets.secret-named");
        match missing.and_then(|entry| entry.result.clone()).filter(|result| result.get("error").is_some()) {
            Some(result) => Decided::OneOf(vec![result]),
            None => Decided::Own,
        }
    }

    /// The answers that are right for what the host is only told.
    fn told(&self, function: &str) -> Vec<Value> {
        const WORK_AFTER_THE_END: [&str; 4] = ["host.log", "host.step", "host.count", "telephony.call.tag"];
        let mut answers = Vec::new();
        if let Some(reason) = self.ended.as_ref().filter(|_| !WORK_AFTER_THE_END.contains(&function)) {
            answers.push(json!({"error": {"Ended": reason}}));
        }
        answers.extend([json!({"ok": null}), Value::Null]);
        answers
    }

    fn decide_prompt(&mut self, function: &str, args: &Value) -> Decided {
        let found = self.find_near(function, Some(args)).or_else(|| self.find_near(function, None));
        if let Some(nth) = found {
            self.skip_to(nth);
            if self.ended.is_some() && self.entries[nth].ended().is_none() {
                return Decided::OneOf(self.heard(function));
            }
            if handleless(&self.entries[nth].args) != handleless(args) {
                self.differ(function, args, Some(nth), "says something else");
            }
            self.cursor = nth + 1;
            return match self.take(nth) {
                Some(result) => Decided::OneOf(vec![result]),
                None => Decided::JournalIsOver,
            };
        }
        if self.ended.is_none() {
            if self.is_over() && self.ends_early() {
                return Decided::JournalIsOver;
            }
            self.differ(function, args, None, "says what had not been said");
        }
        Decided::OneOf(self.heard(function))
    }

    /// The answers that are right for a prompt that the journal does not have: it was heard to its end.
    fn heard(&mut self, function: &str) -> Vec<Value> {
        let mut answers = Vec::new();
        if let Some(reason) = &self.ended {
            answers.push(json!({"error": {"Ended": reason}}));
        }
        if function == "telephony.call.play-background" {
            self.handles += 1;
            answers.push(json!({"ok": self.handles}));
        }
        answers.push(json!({"ok": {"finished": true, "interrupted_by": null, "at": 0}}));
        answers.push(json!({"ok": null}));
        answers
    }

    fn decide_lookup(&mut self, function: &str, args: &Value, own: Option<&Value>) -> Decided {
        match self.lookups.find(&self.entries, function, args, own) {
            Found::Entry(nth) => {
                if self.entries[nth].args.get(2) != args.get(2) && function == "storage.bucket.set" {
                    self.differ(function, args, None, "stores another value");
                }
                match self.take(nth) {
                    Some(result) => Decided::OneOf(vec![result]),
                    None => Decided::JournalIsOver,
                }
            }
            Found::Answer { result, differs } => {
                if let Some(what) = differs {
                    self.differ(function, args, None, what);
                }
                Decided::OneOf(vec![result])
            }
            Found::Own(nth) => {
                self.entries[nth].used = true;
                Decided::Own
            }
            Found::Nothing => {
                Decided::Parted { expected: self.next_turn(), why: "this was not asked in the call".to_owned() }
            }
        }
    }

    fn decide_turn(&mut self, function: &str, args: &Value) -> Decided {
        let Some(nth) = self.next_turn() else {
            // The caller may have hung up in one of the last prompts.
            self.skip_to(self.entries.len());
            return match (&self.ended, function) {
                (Some(reason), _) => Decided::OneOf(vec![json!({"error": {"Ended": reason}}), Value::Null]),
                // To hang up needs no answer of anybody.
                (None, "telephony.call.hangup") => {
                    self.ended = Some(json!("ScriptHangup"));
                    self.differ(function, args, None, "hangs up where it had only come to its end");
                    Decided::OneOf(vec![json!({"ok": null})])
                }
                (None, _) if self.ends_early() => Decided::JournalIsOver,
                (None, _) => Decided::Parted {
                    expected: None,
                    why: format!("the call had come to its end: {}", end_words(&self.end)),
                },
            };
        };
        self.skip_to(nth);
        if let Some(reason) = self.ended.clone().filter(|_| self.entries[nth].ended().is_none()) {
            return Decided::OneOf(vec![json!({"error": {"Ended": reason}}), Value::Null]);
        }
        let entry = &self.entries[nth];
        if *entry.function != *function {
            return Decided::Parted { expected: Some(nth), why: "asks something else".to_owned() };
        }
        let Some(result) = &entry.result else { return Decided::JournalIsOver };
        match same_turn(function, &entry.args, args, result) {
            Same::Answer { result, differs } => {
                if let Some(what) = differs {
                    self.differ(function, args, Some(nth), &what);
                }
                self.cursor = nth + 1;
                self.take(nth);
                Decided::OneOf(vec![result])
            }
            Same::Another(why) => Decided::Parted { expected: Some(nth), why },
        }
    }

    /// The next thing in the journal that somebody was asked in turn.
    fn next_turn(&self) -> Option<usize> {
        (self.cursor..self.entries.len()).find(|nth| self.entries[*nth].kind == Kind::Turn && !self.entries[*nth].used)
    }

    /// An entry of that function before the next turn; with `args`, one with just these.
    fn find_near(&self, function: &str, args: Option<&Value>) -> Option<usize> {
        let end = self.next_turn().unwrap_or(self.entries.len());
        (self.cursor..end).find(|nth| {
            let entry = &self.entries[*nth];
            let same_args = |args: &&Value| handleless(&entry.args) == handleless(args);
            !entry.used && &*entry.function == function && args.is_none_or(|args| same_args(&args))
        })
    }

    fn take_near(&mut self, function: &str, args: Option<&Value>) -> Option<Value> {
        self.find_near(function, args).and_then(|nth| self.take(nth))
    }

    /// Takes an entry's answer, and with it its time.
    fn take(&mut self, nth: usize) -> Option<Value> {
        let entry = &mut self.entries[nth];
        entry.used = true;
        self.nowhere.set_now(entry.at_us.max(self.nowhere.now_us()));
        entry.result.clone()
    }

    /// Prompts that the version leaves out. Whoever hung up while one of them played has hung up.
    fn skip_to(&mut self, nth: usize) {
        for at in self.cursor..nth {
            let entry = &mut self.entries[at];
            if entry.kind != Kind::Prompt || entry.used {
                continue;
            }
            entry.used = true;
            if let Some(reason) = entry.ended().cloned() {
                self.ended.get_or_insert(reason);
            }
            let was = in_words(&self.entries[at].function, &self.masks.masked(&self.entries[at].args));
            self.tell(format!("leaves out: {was}"));
        }
        self.cursor = self.cursor.max(nth);
    }

    fn is_over(&self) -> bool {
        self.entries[self.cursor..].iter().all(|entry| entry.used || matches!(entry.kind, Kind::Told | Kind::Moment))
    }

    /// The journal has less than the call had, or the host stopped the script.
    const fn ends_early(&self) -> bool {
        self.is_cut || matches!(self.end, JournalEnd::Stopped(_) | JournalEnd::Dropped)
    }

    /// The host refuses: in the journal, it may have refused the same.
    fn note_refusal(&mut self, function: &str, args: &Value, own: Option<&Value>) {
        let refused = |entry: &Entry| entry.result.as_ref().is_some_and(|result| result.get("error").is_some());
        let same = self.find_near_turn(function);
        match same.filter(|nth| refused(&self.entries[*nth]) && self.entries[*nth].args == *args) {
            Some(nth) => {
                self.take(nth);
                self.cursor = self.cursor.max(nth + 1);
            }
            None => {
                let why = own.and_then(|own| own.get("error")).map(crate::journal::plain).unwrap_or_default();
                self.differ(function, args, None, &format!("is refused ({why})"));
            }
        }
    }

    fn find_near_turn(&self, function: &str) -> Option<usize> {
        self.next_turn().filter(|nth| &*self.entries[*nth].function == function)
    }

    /// Tells what is different in this host call.
    fn differ(&mut self, function: &str, args: &Value, was: Option<usize>, what: &str) {
        let is = in_words(function, &self.masks.masked(args));
        let was = was.map(|nth| in_words(&self.entries[nth].function, &self.masks.masked(&self.entries[nth].args)));
        let what = self.masks.hide(what);
        self.tell(match was {
            Some(was) if was != is => format!("{what}: {is}; it was: {was}"),
            _ => format!("{what}: {is}"),
        });
    }

    fn tell(&mut self, what: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            let seq = u32::try_from(self.calls.len() + 1).unwrap_or(u32::MAX);
            let step = self.steps.last().map(|step| step.step.clone()).unwrap_or_default();
            self.differences.push(Difference { seq, step, what });
        }
    }

    pub(super) fn finish(mut self, end: JournalEnd) -> Ran {
        let over = self.over.take().unwrap_or_else(|| match self.next_turn().filter(|_| self.ended.is_none()) {
            Some(nth) if !is_refusal(&self.entries[nth]) => Over::Parted {
                expected: Some(nth),
                found: None,
                why: format!("comes to its end ({}) where it had gone on", end_words(&end)),
            },
            _ => Over::Ended(end),
        });
        let followed = Followed { calls: self.calls, steps: self.steps, differences: self.differences };
        Ran { same_calls: self.same_calls, followed: Some(followed), over }
    }
}

/// Nobody was asked: the host refused.
fn is_refusal(entry: &Entry) -> bool {
    let error = entry.result.as_ref().and_then(|result| result.get("error"));
    error.is_some_and(|error| ["Denied", "Invalid", "Quota"].iter().any(|kind| error.get(kind).is_some()))
}

/// Arguments without the handle that they begin with: two versions may number their things in another way.
fn handleless(args: &Value) -> &[Value] {
    match args.as_array().map(Vec::as_slice) {
        Some([Value::Number(_), rest @ ..]) => rest,
        Some(all) => all,
        None => &[],
    }
}
