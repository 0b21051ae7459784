//! Whoever decides in a local call: first a list of what is decided already, then the author, moment by moment.

use super::console::{Console, LINE_BYTES_MAX, Typing, Voice};
use super::examples::Examples;
use super::sound::Sound;
use super::told;
use super::trace::Trace;
use super::typed::{self, Command, HELP, Typed};
use super::words::UiLang;
use gudok_simulator::Line;
use gudok_simulator::decide::{Decider, Decision, Decisions, Moment, Spoken};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// Of a word that nobody understands, so much is said again.
const WORD_CHARS_SHOWN: usize = 40;

/// One thing that happened in the call.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Event {
    /// As the transcript has it.
    Line(String),
    /// Something was decided.
    Decided(Box<Moment>, Decision),
}

/// What was decided, and whether it may be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Taken {
    pub(super) decision: Decision,
    pub(super) sensitive: bool,
}

/// Why a call is left before its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    Back(usize),
    Restart,
    Lang(String),
    /// The author leaves, or types no more.
    Leave,
}

/// A talk so far, for whoever keeps it.
pub(super) struct SoFar<'a> {
    pub(super) events: &'a [Event],
    /// It is not over yet.
    pub(super) open: bool,
    /// The caller is asked for keys.
    pub(super) asked: bool,
    pub(super) path: PathBuf,
    pub(super) title: Option<String>,
}

/// Keeps a talk as a test.
///
/// # Errors
/// In words for the author.
pub(super) type Saver = Box<dyn Fn(&SoFar<'_>) -> Result<String, String> + Send>;

/// The author at the telephone.
pub(super) struct Talker {
    pub(super) console: Box<dyn Console>,
    pub(super) ui: UiLang,
    /// Decided already, in the order in which their moments come.
    pending: VecDeque<Decision>,
    pub(super) taken: Vec<Taken>,
    pub(super) events: Vec<Event>,
    /// So many decisions are run again without a word.
    silent: usize,
    /// The run is left, whatever it asks.
    pub(super) wish: Option<Wish>,
    /// Where the list ends, the call is left.
    pub(super) ends: bool,
    pub(super) trace: Arc<Trace>,
    /// Host calls before the last decision.
    traced: usize,
    pub(super) examples: Arc<Examples>,
    pub(super) sound: Sound,
    pub(super) saver: Option<Saver>,
    /// The languages that the script speaks.
    pub(super) languages: Vec<String>,
    /// Where the call stands: the question, in words.
    pub(super) place: Option<Box<Moment>>,
}

impl Talker {
    pub(super) fn new(console: Box<dyn Console>, ui: UiLang, examples: Arc<Examples>, sound: Sound) -> Self {
        Self {
            console,
            ui,
            pending: VecDeque::new(),
            taken: Vec::new(),
            events: Vec::new(),
            silent: 0,
            wish: None,
            ends: false,
            trace: Arc::default(),
            traced: 0,
            examples,
            sound,
            saver: None,
            languages: Vec::new(),
            place: None,
        }
    }

    /// A new call, in which that is decided already; `silent` of it without a word.
    pub(super) fn begins(&mut self, decisions: Vec<Decision>, silent: usize) {
        self.silent = silent.min(decisions.len());
        self.pending = decisions.into();
        self.taken.clear();
        self.events.clear();
        self.wish = None;
        self.place = None;
        self.trace = Arc::default();
        self.traced = 0;
    }

    pub(super) fn left(&self) -> Decisions {
        Decisions(self.pending.iter().cloned().collect())
    }

    pub(super) fn tell(&mut self, key: &'static str, filling: &[&str]) {
        let text = self.ui.tell(key, filling);
        self.console.show(Voice::Tool, &text);
    }

    /// Something is run again of which the author has seen all.
    fn is_silent(&self) -> bool {
        self.taken.len() < self.silent
    }

    fn take(&mut self, moment: &Moment, decision: Decision) -> Decision {
        let sensitive = matches!(moment, Moment::Asked(question) if question.sensitive);
        self.taken.push(Taken { decision: decision.clone(), sensitive });
        self.traced = self.trace.count();
        decision
    }

    /// What comes of a moment for which something is pending, or nothing is to be asked.
    fn decided_already(&mut self, moment: &Moment) -> Option<Decision> {
        let next = match self.pending.front() {
            Some(next) if next.fits(moment) => self.pending.pop_front(),
            // Something else is to come first: it goes the usual way, which is written down so that it does so again.
            Some(_) => told::usual(moment, &[]),
            None => return told::usual(moment, &[]).is_none().then_some(Decision::GoOn),
        };
        Some(match next {
            Some(decision) => self.take(moment, decision),
            None => Decision::GoOn,
        })
    }

    /// Asks the author.
    fn asks(&mut self, moment: &Moment) -> Decision {
        self.place = Some(Box::new(moment.clone()));
        if self.ends {
            return self.leaves(Wish::Leave);
        }
        let examples = match moment {
            Moment::Fetches(fetches) => self.examples.of(fetches),
            _ => Vec::new(),
        };
        for line in told::invitation(moment, &examples, self.ui) {
            self.console.show(Voice::Tool, &line);
        }
        loop {
            let hidden = matches!(moment, Moment::Asked(question) if question.sensitive);
            let line = match self.console.read(hidden) {
                Typing::Line(line) => line,
                Typing::TooLong => {
                    self.tell("too-long", &[&LINE_BYTES_MAX.to_string()]);
                    continue;
                }
                Typing::Over => return self.leaves(Wish::Leave),
            };
            self.sound.stop();
            match Typed::read(&line) {
                Typed::Usual => {
                    if let Some(usual) = told::usual(moment, &examples) {
                        return self.take(moment, usual);
                    }
                }
                Typed::Happens(words) => {
                    if let Some(decision) = self.happens(&words, moment, &examples) {
                        return self.take(moment, decision);
                    }
                }
                Typed::Command(Command::Keys) => {
                    for line in told::keys(moment, &examples, self.ui) {
                        self.console.show(Voice::Tool, &line);
                    }
                }
                Typed::Command(command) => {
                    if let Some(wish) = self.obeys(&command, true) {
                        return self.leaves(wish);
                    }
                }
            }
        }
    }

    /// The first of these is for now, the rest for later; none where that is not so.
    fn happens(&mut self, words: &[String], moment: &Moment, examples: &[Decision]) -> Option<Decision> {
        let mut all: VecDeque<Decision> = match typed::decisions(words, moment, examples) {
            Ok(all) => all.into(),
            Err(error) => {
                let word: String = error.word.chars().take(WORD_CHARS_SHOWN).collect();
                self.tell("not-understood", &[&word]);
                return None;
            }
        };
        let first = all.pop_front()?;
        if first == Decision::GoOn {
            self.pending = all;
            return told::usual(moment, examples);
        }
        if !first.fits(moment) {
            let here = told::possible(moment, self.ui);
            self.tell("not-here", &[&first.to_string(), &here]);
            return None;
        }
        self.pending = all;
        Some(first)
    }

    /// Does what a command says that needs no moment; gives why the call is left, where it is.
    pub(super) fn obeys(&mut self, command: &Command, open: bool) -> Option<Wish> {
        match command {
            Command::Help => self.help(),
            Command::Keys => {}
            Command::Back(_) if self.taken.is_empty() => self.tell("nothing-before", &[]),
            Command::Back(steps) => return Some(Wish::Back(*steps)),
            Command::Restart => return Some(Wish::Restart),
            Command::Quit => return Some(Wish::Leave),
            Command::Lang(Some(lang)) if self.languages.contains(lang) => return Some(Wish::Lang(lang.clone())),
            Command::Lang(_) => {
                let languages = self.languages.join(", ");
                self.tell("lang-which", &[&languages]);
            }
            Command::Log => self.lines(self.trace.log(), "no-log"),
            Command::Why => self.lines(self.trace.since(self.traced), "no-why"),
            Command::Audio(on) => {
                for line in self.sound.turn(*on, self.ui) {
                    self.console.show(Voice::Tool, &line);
                }
            }
            Command::Save { path: None, .. } => self.tell("save-where", &[]),
            Command::Save { path: Some(path), title } => {
                let told = self.save(path, title.as_deref(), open);
                self.console.show(Voice::Tool, &told);
            }
        }
        None
    }

    fn save(&self, path: &str, title: Option<&str>, open: bool) -> String {
        let Some(saver) = &self.saver else { return String::new() };
        let so_far = SoFar {
            events: &self.events,
            open,
            asked: matches!(self.place.as_deref(), Some(Moment::Asked(_))),
            path: PathBuf::from(path),
            title: title.map(str::to_owned),
        };
        saver(&so_far).unwrap_or_else(|why| why)
    }

    fn lines(&mut self, lines: Vec<String>, none: &'static str) {
        if lines.is_empty() {
            self.tell(none, &[]);
        }
        for line in lines {
            self.console.show(Voice::Tool, &format!("    {line}"));
        }
    }

    fn help(&mut self) {
        self.tell("help", &[]);
        for (command, key) in HELP {
            let text = format!("    {command:<10} {}", self.ui.say(key));
            self.console.show(Voice::Tool, &text);
        }
    }

    fn leaves(&mut self, wish: Wish) -> Decision {
        self.wish = Some(wish);
        Decision::HangUp
    }
}

impl Decider for Talker {
    fn decide(&mut self, moment: &Moment) -> Decision {
        if self.wish.is_some() {
            return Decision::HangUp;
        }
        if let Some(spoken) = spoken(moment).filter(|_| !self.is_silent()) {
            for line in self.sound.plays(spoken, self.ui) {
                self.console.show(Voice::Tool, &line);
            }
        }
        let decision = match self.decided_already(moment) {
            Some(decision) => decision,
            None => self.asks(moment),
        };
        if self.wish.is_none() && decision != Decision::GoOn {
            self.events.push(Event::Decided(Box::new(moment.clone()), decision.clone()));
        }
        decision
    }

    fn line(&mut self, line: &Line) {
        if self.wish.is_some() {
            return;
        }
        self.events.push(Event::Line(line.text.clone()));
        if self.is_silent() {
            return;
        }
        match line.text.strip_prefix("host: ") {
            Some(words) => self.console.show(Voice::Script, words),
            None => self.console.show(Voice::World, &told::line(&line.text, self.ui)),
        }
    }
}

/// What is heard at a moment.
fn spoken(moment: &Moment) -> Option<&Spoken> {
    match moment {
        Moment::Heard(spoken) => Some(spoken),
        Moment::Asked(question) => Some(&question.said),
        _ => None,
    }
}
