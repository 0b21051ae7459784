//! From text to conversations, with errors that show the place, the reason and the remedy.

use super::fields::{Kind, PATTERNS, Pattern, Wants, Went, example};
use super::keywords::{REMARK, TITLE, Tongue};
use super::{Conversation, Setting, Step, check};
use crate::nearest::nearest;
use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::ops::Range;
use std::sync::Arc;

/// Of one file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// More of them say nothing new.
const ERRORS_MAX: usize = 20;
/// Forms that an error shows.
const FORMS_SHOWN_MAX: usize = 6;

/// A conversation, and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    /// What it says.
    pub conversation: Conversation,
    /// The line of its title, from 1.
    pub line: usize,
    /// The line of each of its steps, from 1.
    pub step_lines: Vec<usize>,
}

/// Everything that is wrong with a file of conversations.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
#[error("{} is not understood", source_code.name())]
#[diagnostic()]
pub struct TalkErrors {
    #[source_code]
    source_code: NamedSource<Arc<str>>,
    /// Each place by itself.
    #[related]
    pub errors: Vec<TalkError>,
}

/// One place in a file that is not understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Diagnostic)]
#[error("{reason}")]
#[diagnostic()]
pub struct TalkError {
    /// Why.
    pub reason: String,
    /// What to do.
    #[help]
    pub remedy: Option<String>,
    /// What stands at the place.
    pub label: String,
    /// Where.
    #[label("{label}")]
    pub span: SourceSpan,
}

/// Reads a file of conversations.
///
/// # Errors
/// All places that are not understood, up to a limit.
pub fn parse(name: &str, text: &str) -> Result<Vec<Written>, TalkErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut reader = Reader { text: &text, errors: Vec::new(), all: Vec::new(), shared: Vec::new(), began: false };
    if text.len() > FILE_BYTES_MAX {
        let reason = format!("the file has {} bytes; at most {FILE_BYTES_MAX} are read", text.len());
        reader.error(0..0, reason, "here", Some("Divide it into several files.".into()));
    } else {
        for span in lines(&text) {
            reader.line(span);
        }
        reader.end_one();
        reader.titles_differ();
    }
    let Reader { errors, all, .. } = reader;
    if errors.is_empty() {
        return Ok(all.into_iter().map(|draft| draft.written).collect());
    }
    let source_code = NamedSource::new(name, Arc::from(text.as_str()));
    Err(TalkErrors { source_code, errors })
}

/// What is said as one line: with the lines below that are set in.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    let (mut at, mut open) = (0, false);
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let continues = open && line.starts_with([' ', '\t']);
        match all.last_mut() {
            _ if line.trim().is_empty() || line.starts_with(REMARK) => open = false,
            Some(last) if continues => last.end = end,
            _ => {
                open = !line.trim_start().starts_with(TITLE);
                all.push(start + (line.len() - line.trim_start().len())..end);
            }
        }
    }
    all
}

struct Reader<'a> {
    text: &'a str,
    errors: Vec<TalkError>,
    all: Vec<Draft>,
    /// Settings before the first title hold for all of the file.
    shared: Vec<Setting>,
    began: bool,
}

struct Draft {
    title: Range<usize>,
    written: Written,
    /// A line of it was not understood.
    faulty: bool,
}

impl Reader<'_> {
    fn line(&mut self, span: Range<usize>) {
        let line = &self.text[span.clone()];
        if let Some(title) = line.strip_prefix(TITLE) {
            self.title(span, title.trim().trim_end_matches('=').trim());
            return;
        }
        match best(line) {
            Ok((pattern, fields)) if pattern.setting => self.setting(span, pattern, fields),
            Ok((pattern, fields)) => self.step(span, pattern, fields),
            Err(miss) => {
                self.began = true;
                let (at, label) = (span.start + miss.at, miss.label(line));
                let length = line[miss.at..].split_whitespace().next().map_or(0, str::len);
                self.error(at..at + length, miss.reason(line), &label, Some(miss.remedy(line)));
            }
        }
    }

    fn title(&mut self, span: Range<usize>, title: &str) {
        self.began = true;
        self.end_one();
        if title.is_empty() {
            let remedy = format!("Say in a few words what it shows: `{TITLE} A passport that is ready`");
            self.error(span.clone(), "a conversation without a title".into(), "no title", Some(remedy));
        }
        let conversation = Conversation { settings: self.shared.clone(), ..Conversation::new(title) };
        let line = self.line_number(span.start);
        let written = Written { conversation, line, step_lines: Vec::new() };
        self.all.push(Draft { title: span, written, faulty: false });
    }

    fn setting(&mut self, span: Range<usize>, pattern: &Pattern, fields: Map<String, Value>) {
        let Some(setting) = self.typed::<Setting>(&span, "setting", pattern, fields) else { return };
        if let Err(problem) = check::setting(&setting) {
            self.error(span, problem.why, "here", Some(problem.remedy));
            return;
        }
        match self.all.last_mut() {
            None => self.shared.push(setting),
            Some(draft) if draft.written.conversation.steps.is_empty() => {
                draft.written.conversation.settings.push(setting);
            }
            Some(_) => {
                let remedy = "Move this line up, to just below the title.".into();
                let reason = "a setting says how the world is before the call, and the call has begun".into();
                self.error(span, reason, "comes too late", Some(remedy));
            }
        }
    }

    fn step(&mut self, span: Range<usize>, pattern: &Pattern, fields: Map<String, Value>) {
        self.began = true;
        let Some(step) = self.typed::<Step>(&span, "step", pattern, fields) else { return };
        if let Err(problem) = check::step(&step) {
            self.error(span, problem.why, "here", Some(problem.remedy));
            return;
        }
        let line = self.line_number(span.start);
        let Some(draft) = self.all.last_mut() else {
            let remedy = format!("Write a title above it: `{TITLE} What the conversation shows`");
            self.error(span, "this belongs to no conversation".into(), "no title above", Some(remedy));
            return;
        };
        let steps = &mut draft.written.conversation.steps;
        if steps.last().is_some_and(Step::is_then) && !step.is_then() {
            let remedy = "Move it up, before the first of these lines; or begin another conversation.".into();
            let reason = "after what must be true then, nothing happens any more".into();
            self.error(span, reason, "comes too late", Some(remedy));
            return;
        }
        steps.push(step);
        draft.written.step_lines.push(line);
    }

    fn typed<T: DeserializeOwned>(
        &mut self,
        span: &Range<usize>,
        tag: &str,
        pattern: &Pattern,
        mut fields: Map<String, Value>,
    ) -> Option<T> {
        fields.insert(tag.to_owned(), pattern.row.id.into());
        match serde_json::from_value(Value::Object(fields)) {
            Ok(typed) => Some(typed),
            Err(error) => {
                // A number that is too large for what it says.
                let remedy = format!("It is written so: {}", pattern.shown());
                self.error(span.clone(), error.to_string(), "here", Some(remedy));
                None
            }
        }
    }

    fn end_one(&mut self) {
        let Some(draft) = self.all.last() else {
            if self.began || self.text.trim().is_empty() || !self.errors.is_empty() {
                return;
            }
            let remedy = format!("Write a title: `{TITLE} What the conversation shows`");
            return self.error(0..0, "there is no conversation in it".into(), "here", Some(remedy));
        };
        if draft.written.conversation.steps.is_empty() && !draft.faulty {
            let remedy =
                "Say what happens, one thing a line: script says \"…\", caller presses 1, then result is served".into();
            let span = draft.title.clone();
            self.error(span, "nothing happens in this conversation".into(), "only a title", Some(remedy));
        }
    }

    fn titles_differ(&mut self) {
        let mut seen = std::collections::BTreeMap::new();
        let titles: Vec<_> =
            self.all.iter().map(|draft| (draft.title.clone(), draft.written.conversation.title.clone())).collect();
        for (span, title) in titles {
            if let Some(first) = seen.get(&title) {
                let reason = format!("two conversations are called {title:?}; the first is in line {first}");
                self.error(span, reason, "the second", Some("Say in the title what is different.".into()));
            } else {
                seen.insert(title, self.line_number(span.start));
            }
        }
    }

    fn line_number(&self, at: usize) -> usize {
        1 + self.text[..at].matches('\n').count()
    }

    fn error(&mut self, span: Range<usize>, reason: String, label: &str, remedy: Option<String>) {
        if let Some(draft) = self.all.last_mut() {
            draft.faulty = true;
        }
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(TalkError { reason, remedy, label: label.to_owned(), span: span.into() });
        }
    }
}

/// Where a line goes another way than every pattern.
struct Miss {
    at: usize,
    /// The patterns that come furthest, and what each wants there.
    wanted: Vec<(&'static Pattern, Wants)>,
}

fn best(line: &str) -> Result<(&'static Pattern, Map<String, Value>), Miss> {
    let mut miss = Miss { at: 0, wanted: Vec::new() };
    for pattern in PATTERNS.iter() {
        match pattern.read(line) {
            Went::Through(fields) => return Ok((pattern, fields)),
            Went::Until { at, wants } => {
                if at > miss.at {
                    miss = Miss { at, wanted: Vec::new() };
                }
                if at == miss.at {
                    miss.wanted.push((pattern, wants));
                }
            }
        }
    }
    Err(miss)
}

impl Miss {
    /// The word that stands there.
    fn found<'l>(&self, line: &'l str) -> &'l str {
        line[self.at..].split_whitespace().next().unwrap_or_default()
    }

    fn tongue(&self, line: &str) -> Tongue {
        let letters = |line: &str| line.chars().find(|c| c.is_alphabetic()).is_some_and(|c| !c.is_ascii());
        if letters(line) { Tongue::Russian } else { Tongue::English }
    }

    fn label(&self, line: &str) -> String {
        if self.found(line).is_empty() { "the line ends here".into() } else { "not understood from here".into() }
    }

    fn reason(&self, line: &str) -> String {
        let sense = self.wanted.iter().find_map(|(_, wants)| match wants {
            Wants::Sense(_, why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = sense {
            return why;
        }
        let found = self.found(line);
        if self.at == 0 {
            return format!("no line begins with {found:?}");
        }
        let before = line[..self.at].split_whitespace().last().unwrap_or_default();
        let tongue = self.tongue(line);
        let mut wanted: Vec<String> = Vec::new();
        for (_, wants) in &self.wanted {
            let shown = match wants {
                Wants::Word(forms) => format!("`{}`", forms[0]),
                Wants::Mark(mark) => format!("`{mark}`"),
                Wants::Field(name, kind) => kind_shown(name, *kind, tongue),
                Wants::Nothing => "the end of the line".into(),
                Wants::Sense(_, why) => why.clone(),
            };
            if !wanted.contains(&shown) && wanted.len() < FORMS_SHOWN_MAX {
                wanted.push(shown);
            }
        }
        let wanted = wanted.join(" or ");
        if found.is_empty() {
            return format!("after {before:?} something is missing: {wanted}");
        }
        format!("after {before:?} comes {wanted}, not {found:?}")
    }

    /// The word that was meant, if one is near; and how such lines are written.
    fn remedy(&self, line: &str) -> String {
        let found = self.found(line).trim_end_matches(':').to_lowercase();
        let words = self.wanted.iter().filter_map(|(_, wants)| match wants {
            Wants::Word(forms) => Some(*forms),
            _ => None,
        });
        if !found.is_empty()
            && let Some(word) = nearest(&found, words.flatten().copied())
        {
            return format!("Did you mean `{word}`?");
        }
        let tongue = self.tongue(line);
        let mut forms: Vec<String> = Vec::new();
        for (pattern, _) in self.wanted.iter().filter(|(pattern, _)| pattern.tongue == tongue) {
            let shown = pattern.shown();
            // One of each row: the shortest says enough.
            match forms.iter_mut().find(|known| known.starts_with(&shown) || shown.starts_with(known.as_str())) {
                Some(known) if known.len() > shown.len() => *known = shown,
                Some(_) => {}
                None => forms.push(shown),
            }
        }
        if self.at == 0 {
            let begin = match tongue {
                Tongue::English => {
                    "script says \"…\", caller presses 1, back end GET /path answers 200, then result is served"
                }
                Tongue::Russian => {
                    "скрипт говорит «…», абонент нажимает 1, система GET /path отвечает 200, тогда итог served"
                }
            };
            return format!("Lines are written so: {begin}. A remark begins with #, a title with {TITLE}");
        }
        let more = forms.len().saturating_sub(FORMS_SHOWN_MAX);
        forms.truncate(FORMS_SHOWN_MAX);
        let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
        format!("It is written so:\n{}{more}", forms.join("\n"))
    }
}

fn kind_shown(name: &'static str, kind: Kind, tongue: Tongue) -> String {
    match kind {
        Kind::Quoted => format!("what is said, in quotation marks: {}", example(name, kind, tongue)),
        Kind::Keys => "keys: 1".into(),
        Kind::Number | Kind::Mebi => format!("a number ({name})"),
        Kind::Json | Kind::Data => "JSON: {…}".into(),
        Kind::Slot => "a place: BUCKET/KEY".into(),
        Kind::Token | Kind::Name | Kind::Rest => format!("the {name}"),
    }
}
