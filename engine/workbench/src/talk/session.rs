//! One talk from its beginning to its end: a call, and where the author goes back, the same call again.

use super::Talk;
use super::console::{Console, Terminal, Typing, Voice};
use super::examples::Examples;
use super::save;
use super::sound::{Leftovers, Sound};
use super::talker::{Event, SoFar, Talker, Wish};
use super::told;
use super::trace;
use super::typed::{Command, Typed};
use super::words::UiLang;
use crate::conversation::run::{Bench, Trial};
use crate::conversation::{Conversation, Setting, of_call};
use crate::local::LocalHost;
use crate::out;
use crate::replays::JournalFile;
use crate::words::SpokenWords;
use anyhow::Context;
use gudok_core::script::{CallError, EndReason, ScriptEnd};
use gudok_plugin_host::Version;
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::journal::Journal;
use gudok_simulator::Report;
use gudok_simulator::decide::{CallOf, Decision, Decisions, Moment, world_of};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// A script that is called, and its author.
pub(super) struct Session {
    version: Arc<Version>,
    call: CallOf,
    words: Arc<SpokenWords>,
    talker: Arc<Mutex<Talker>>,
    json: bool,
    host: Arc<LocalHost>,
    bundle: Arc<Bundle>,
}

/// What a run came to, as far as it is known.
struct Ended {
    report: Report,
    /// The author left before its end.
    wish: Option<Wish>,
}

impl Session {
    /// Builds and loads what is called.
    ///
    /// # Errors
    /// Where it cannot be: it does not build, a host refuses it, or the command line asks for what is not there.
    pub(super) fn open(talk: &Talk<'_>) -> anyhow::Result<Self> {
        let ui = UiLang::of_environment();
        Self::with_console(talk, Box::new(Terminal::new(talk.json)), ui)
    }

    pub(super) fn with_console(talk: &Talk<'_>, console: Box<dyn Console>, ui: UiLang) -> anyhow::Result<Self> {
        let bundle = Arc::new(crate::project::bundle_of(talk.target)?);
        let call = talk.call();
        check(&bundle, &call)?;
        let host = Arc::new(LocalHost::open()?);
        let version = host.load(&bundle, talk.config())?;
        let words = Arc::new(SpokenWords::of(&bundle)?);
        let leftovers = Leftovers::default();
        end_on_ctrl_c(Arc::clone(&leftovers))?;
        let examples = Arc::new(Examples::of_folder(&tests_of(talk.target)));
        let sound = Sound::off(Arc::clone(&bundle), leftovers);
        let mut talker = Talker::new(console, ui, examples, sound);
        talker.ends = talk.options.end;
        talker.languages.clone_from(&version.manifest.languages);
        let talker = Arc::new(Mutex::new(talker));
        let mut session = Self { version, call, words, talker, json: talk.json, host, bundle };
        session.arrange_saving(of_call::settings(&session.call, &talk.config()));
        Ok(session)
    }

    /// Talks to the end.
    ///
    /// # Errors
    /// Where the decisions on the command line are none.
    pub(super) fn talk(&mut self, talk: &Talk<'_>) -> anyhow::Result<ExitCode> {
        let keys = talk.keys.unwrap_or_default();
        let mut decisions = keys.parse::<Decisions>().with_context(|| format!("--keys {keys:?}"))?.0;
        let mut silent = 0;
        self.welcome(talk);
        let ended = loop {
            let ended = self.run(decisions, silent);
            let wish = ended.wish.clone().unwrap_or_else(|| self.over(&ended.report));
            let mut talker = self.talker.lock();
            let taken = |count: usize| talker.taken.iter().take(count).map(|taken| taken.decision.clone()).collect();
            (decisions, silent) = match wish {
                Wish::Leave => break ended,
                Wish::Restart => (Vec::new(), 0),
                Wish::Lang(lang) => {
                    self.call.lang = Some(lang);
                    (Vec::new(), 0)
                }
                Wish::Back(steps) => {
                    let kept = talker.taken.len().saturating_sub(steps);
                    let steps = (talker.taken.len() - kept).to_string();
                    let decisions = taken(kept);
                    talker.tell("back-told", &[&steps]);
                    (decisions, kept)
                }
            };
        };
        self.farewell(&ended);
        if let Some(path) = &talk.options.journal {
            self.keep_journal(path, &ended)?;
        }
        Ok(exit_code(&ended))
    }

    /// Lets the call happen, from its beginning.
    fn run(&self, decisions: Vec<Decision>, silent: usize) -> Ended {
        let trace = {
            let mut talker = self.talker.lock();
            talker.begins(decisions, silent);
            trace::journal(&talker.trace)
        };
        let talker: gudok_simulator::decide::SharedDecider = Arc::<Mutex<Talker>>::clone(&self.talker);
        let words: Arc<dyn gudok_simulator::words::PromptWords> = Arc::<SpokenWords>::clone(&self.words);
        let world = world_of(&self.version, &self.call).words(words).journal(trace).decided_by(talker);
        let report = world.run();
        let wish = self.talker.lock().wish.take();
        Ended { report, wish }
    }

    /// The call is over: the author may look at it, keep it, or go back.
    fn over(&self, report: &Report) -> Wish {
        let mut talker = self.talker.lock();
        talker.place = None;
        let how = how_it_ended(report, talker.ui);
        if let Some(broken) = report.broken.first() {
            let seed = report.seed.to_string();
            talker.tell("broken", &[&seed, &broken.what]);
        }
        let left = talker.left();
        if !left.0.is_empty() {
            talker.tell("left", &[&left.to_string()]);
        }
        talker.tell("call-over", &[&how]);
        if talker.ends {
            return Wish::Leave;
        }
        loop {
            match talker.console.read(false) {
                Typing::Over => return Wish::Leave,
                Typing::TooLong => {}
                Typing::Line(line) => match Typed::read(&line) {
                    Typed::Command(command) => {
                        if command == Command::Keys {
                            talker.tell("call-over", &[&how]);
                        }
                        if let Some(wish) = talker.obeys(&command, false) {
                            return wish;
                        }
                    }
                    Typed::Usual | Typed::Happens(_) => talker.tell("call-over", &[&how]),
                },
            }
        }
    }

    fn welcome(&self, talk: &Talk<'_>) {
        let manifest = &self.version.manifest;
        let mut talker = self.talker.lock();
        let name = format!("{} {}", manifest.name, manifest.version);
        let at = self.call.at.map_or_else(|| "12:00".to_owned(), of_call::civil);
        talker.tell("welcome", &[&name, &at]);
        if talk.options.audio {
            let ui = talker.ui;
            for line in talker.sound.turn(Some(true), ui) {
                talker.console.show(Voice::Tool, &line);
            }
        }
    }

    fn farewell(&self, ended: &Ended) {
        let mut talker = self.talker.lock();
        let place = talker.place.take();
        if let Some(moment) = &place {
            let ui = talker.ui;
            let here = told::invitation(moment, &[], ui);
            let here = here.first().map_or("", |line| line.trim_start_matches("? "));
            talker.tell("leaves", &[here]);
        }
        let ui = talker.ui;
        let _ = talker.sound.turn(Some(false), ui);
        if self.json {
            let told = self.as_json(&talker, place.as_deref(), ended);
            drop(talker);
            print(&told);
        }
    }

    /// A world has one journal, and the author reads it as the call goes: the same call is run once more for the file.
    fn keep_journal(&self, path: &Path, ended: &Ended) -> anyhow::Result<()> {
        let mut decisions = save::decisions(&self.talker.lock().events);
        if ended.wish.is_some() {
            decisions.0.push(Decision::HangUp);
        }
        let file = Arc::new(JournalFile::new(path));
        let journal: Arc<dyn Journal> = Arc::<JournalFile>::clone(&file);
        let _ = run_aside(&self.version, &self.call, &self.words, decisions, Some(journal));
        file.written()?;
        let place = path.display().to_string();
        self.talker.lock().tell("journal-kept", &[&place, &place]);
        Ok(())
    }

    /// The talk for programs. Sensitive keys are stars, as on the screen.
    fn as_json(&self, talker: &Talker, place: Option<&Moment>, ended: &Ended) -> Value {
        let decisions: Vec<String> =
            talker.taken.iter().map(|taken| told::shown(&taken.decision, taken.sensitive)).collect();
        let lines: Vec<&str> = talker
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Line(line) => Some(line.as_str()),
                Event::Decided(..) => None,
            })
            .collect();
        let over = ended.wish.is_none();
        let run = ended.report.runs.last().filter(|_| over);
        let place = place.map(|moment| {
            let asked = match moment {
                Moment::Asked(question) => Some(question.said.text.to_string()),
                _ => None,
            };
            let may = told::keys(moment, &[], UiLang::English);
            json!({ "moment": moment.name(), "said": asked, "may": may.first() })
        });
        json!({
            "script": self.version.manifest.name,
            "version": self.version.manifest.version.to_string(),
            "decisions": decisions.join(" "),
            "hidden": talker.taken.iter().any(|taken| taken.sensitive && matches!(taken.decision, Decision::Keys(_))),
            "left": talker.left().to_string(),
            "lines": lines,
            "at": place,
            "over": over,
            "end": run.map(|run| end_words(&run.end)),
            "fields": run.map(|run| fields(&run.end)),
            "fault": run.and_then(|run| run.fault.clone()),
            "log": talker.trace.log(),
        })
    }

    /// What is saved is run again first, in a world of its own.
    fn arrange_saving(&mut self, settings: Vec<Setting>) {
        let (version, words) = (Arc::clone(&self.version), Arc::clone(&self.words));
        let (host, bundle) = (Arc::clone(&self.host), Arc::clone(&self.bundle));
        let call = self.call.clone();
        let ui = self.talker.lock().ui;
        let saver = move |so_far: &SoFar<'_>| {
            let place = so_far.path.display().to_string();
            let failing = |why: &str| ui.tell("saved-failing", &[&place, why]);
            let mut decisions = save::decisions(so_far.events);
            if so_far.open {
                decisions.0.push(Decision::HangUp);
            }
            let report = run_aside(&version, &call, &words, decisions, None);
            let conversation = save::conversation(so_far, settings.clone(), save::result(&report));
            let conversation = conversation.map_err(|error| failing(&error.to_string()))?;
            if let Some(why) = departure(&host, &bundle, &conversation).map_err(|error| failing(&error.to_string()))? {
                return Err(failing(&why));
            }
            save::keep(&so_far.path, &conversation, ui).map_err(|error| format!("{error:#}"))?;
            Ok(ui.tell("saved", &[&place]))
        };
        self.talker.lock().saver = Some(Box::new(saver));
    }
}

/// The same call once more, decided by that list. On a thread of its own: a script may be at work on this one.
fn run_aside(
    version: &Arc<Version>,
    call: &CallOf,
    words: &Arc<SpokenWords>,
    decisions: Decisions,
    journal: Option<Arc<dyn Journal>>,
) -> Report {
    let list = Arc::new(Mutex::new(gudok_simulator::decide::ByList::new(decisions)));
    let words: Arc<dyn gudok_simulator::words::PromptWords> = Arc::<SpokenWords>::clone(words);
    let mut world = world_of(version, call).words(words).decided_by(list);
    if let Some(journal) = journal {
        world = world.journal(journal);
    }
    std::thread::scope(|scope| scope.spawn(|| world.run()).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where a conversation departs from what it expects, tried as `gudok test` tries it; nowhere where it passes.
fn departure(host: &LocalHost, bundle: &Bundle, conversation: &Conversation) -> anyhow::Result<Option<String>> {
    let trial = Trial { conversation: conversation.clone(), file: String::new(), line: None, step_lines: Vec::new() };
    let bench = Bench::new(host, bundle)?;
    let tried = std::thread::scope(|scope| scope.spawn(|| bench.try_one(&trial)).join());
    let outcome = tried.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(outcome.departures.first().map(|departure| format!("{}; {}", departure.expected, departure.came)))
}

/// What the command line asks for is there.
fn check(bundle: &Bundle, call: &CallOf) -> anyhow::Result<()> {
    let manifest = &bundle.manifest;
    if let Some(lang) = call.lang.as_ref().filter(|lang| !manifest.languages.contains(lang)) {
        anyhow::bail!("--lang {lang}: {} speaks {}", manifest.name, manifest.languages.join(", "));
    }
    if let Some(entry) = &call.entry
        && !manifest.entries.is_empty()
        && !manifest.entries.contains(entry)
    {
        anyhow::bail!("--entry {entry}: {} may be active as {}", manifest.name, manifest.entries.join(", "));
    }
    let campaign = manifest.kind == gudok_plugin_host::manifest::Kind::Campaign;
    if !campaign && (!call.contact.is_empty() || call.callee.is_some()) {
        anyhow::bail!("--contact and --on-machine are for a campaign's script, and {} takes calls", manifest.name);
    }
    Ok(())
}

/// Where the conversations of a project are; a bundle in a project's `target` is the project's.
fn tests_of(target: &Path) -> PathBuf {
    let full = std::fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
    let folder = if full.is_dir() { Some(full.as_path()) } else { full.parent().and_then(Path::parent) };
    folder.map(|folder| folder.join("tests")).unwrap_or_default()
}

fn how_it_ended(report: &Report, ui: UiLang) -> String {
    let Some(run) = report.runs.last() else { return ui.say("not-run").to_owned() };
    let mut told = match &run.end {
        ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup)) => ui.say("hung-up").to_owned(),
        end => end_words(end),
    };
    let fields: Vec<String> = fields(&run.end).iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !fields.is_empty() {
        told.push_str(&format!(" ({})", fields.join(", ")));
    }
    if let Some(fault) = &run.fault {
        told.push_str(&format!(": {fault}"));
    }
    told
}

fn end_words(end: &ScriptEnd) -> String {
    match end {
        ScriptEnd::Returned(summary) => summary.code.to_string(),
        ScriptEnd::Informed(disposition) => disposition.as_str().to_owned(),
        ScriptEnd::Failed(error) => error.to_string(),
        ScriptEnd::Stopped(cause) => cause.as_str().to_owned(),
    }
}

fn fields(end: &ScriptEnd) -> Vec<(String, String)> {
    match end {
        ScriptEnd::Returned(summary) => {
            summary.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

fn exit_code(ended: &Ended) -> ExitCode {
    let over = ended.wish.is_none();
    let failed = |end: &ScriptEnd| match end {
        ScriptEnd::Stopped(_) => true,
        ScriptEnd::Failed(error) => !matches!(error, CallError::Ended(_)),
        ScriptEnd::Returned(_) | ScriptEnd::Informed(_) => false,
    };
    let stopped = ended.report.runs.iter().any(|run| failed(&run.end));
    if !ended.report.broken.is_empty() || (over && stopped) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Ctrl-C ends the program, with nothing left behind.
fn end_on_ctrl_c(leftovers: Leftovers) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("listening to Ctrl-C")?;
    let wait = move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            for folder in leftovers.lock().drain(..) {
                let _ = std::fs::remove_dir_all(folder);
            }
            print(&Value::Null);
            std::process::exit(0);
        }
    };
    std::thread::Builder::new().name("gudok-ctrl-c".into()).spawn(wait).context("listening to Ctrl-C")?;
    Ok(())
}

fn print(told: &Value) {
    if told.is_null() { out::line("") } else { out::line(&format!("{told:#}")) }
}
