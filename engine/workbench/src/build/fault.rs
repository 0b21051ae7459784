//! What is wrong with an author's project, told as a good compiler tells it: the place, the reason, the remedy.

use serde::Serialize;
use std::fmt::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// Whose fault it is: decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultOf {
    /// The script's, its manifest's, its recordings': exit code 1.
    Script,
    /// This machine's: something is not installed, a disk is full. Exit code 2.
    Machine,
}

/// What is wrong, and what to do about it. It is handed on by `?` through everything, so it is small; what is in it is read
/// through it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Fault(Box<Told>);

impl Deref for Fault {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

/// What a fault says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Told {
    /// Whose it is.
    pub of: FaultOf,
    /// What was being looked at: "manifest", "compile", "imports", "media", "smoke", "tools".
    pub step: &'static str,
    /// The reason: a sentence without its full stop.
    pub problem: String,
    /// Where.
    pub place: Option<Place>,
    /// What a compiler said, as it said it, or the last lines of a call.
    pub said: Vec<String>,
    /// What else is to be known, a sentence each.
    pub notes: Vec<String>,
    /// What to do, a sentence or a command each; the likeliest first.
    pub remedies: Vec<String>,
}

/// A place in a file of the project.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// As the author would write it: "manifest.toml".
    pub file: PathBuf,
    /// From 1 on; 0 is the whole file.
    pub line: usize,
    /// From 1 on; 0 is the whole line.
    pub column: usize,
    /// How many characters are meant.
    pub length: usize,
    /// The line itself, where it is known.
    pub text: String,
    /// What is to be said of the part that is meant: "did you mean `memory_mib`?".
    pub label: String,
}

impl Place {
    /// A whole file.
    #[must_use]
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), line: 0, column: 0, length: 0, text: String::new(), label: String::new() }
    }

    /// A line of a text.
    #[must_use]
    pub fn line(file: impl Into<PathBuf>, text: &str, line: usize) -> Self {
        let shown = line.checked_sub(1).and_then(|index| text.lines().nth(index)).unwrap_or_default();
        Self { line, text: shown.to_owned(), ..Self::file(file) }
    }

    /// A part of a text, by its bytes.
    #[must_use]
    pub fn span(file: impl Into<PathBuf>, text: &str, span: std::ops::Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        let begins = before.rfind('\n').map_or(0, |at| at + 1);
        let column = 1 + before.get(begins..).unwrap_or_default().chars().count();
        let meant = text.get(span).and_then(|meant| meant.lines().next()).unwrap_or_default();
        Self { column, length: meant.chars().count().max(1), ..Self::line(file, text, line) }
    }

    /// The first place where a word stands on its line, marked.
    #[must_use]
    pub fn marking(mut self, word: &str) -> Self {
        if let Some(at) = self.text.find(word).filter(|_| !word.is_empty()) {
            self.column = 1 + self.text[..at].chars().count();
            self.length = word.chars().count();
        }
        self
    }

    /// With words beside what is marked.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }
}

impl Fault {
    /// Of the script.
    #[must_use]
    pub fn of_script(step: &'static str, problem: impl Into<String>) -> Self {
        Self::new(FaultOf::Script, step, problem.into())
    }

    /// Of this machine.
    #[must_use]
    pub fn of_machine(step: &'static str, problem: impl Into<String>) -> Self {
        Self::new(FaultOf::Machine, step, problem.into())
    }

    fn new(of: FaultOf, step: &'static str, problem: String) -> Self {
        let (said, notes, remedies) = (Vec::new(), Vec::new(), Vec::new());
        Self(Box::new(Told { of, step, problem, place: None, said, notes, remedies }))
    }

    /// At a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// With one more remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedies.push(remedy.into());
        self
    }

    /// With one more note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// With what a compiler said.
    #[must_use]
    pub fn said(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.0.said.extend(lines);
        self
    }

    /// The exit code that tells it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.of {
            FaultOf::Script => 1,
            FaultOf::Machine => 2,
        }
    }

    /// For a terminal.
    #[must_use]
    pub fn rendered(&self, colour: bool) -> String {
        let paint = |code: &'static str| if colour { code } else { "" };
        let (red, blue, green, bold, end) =
            (paint("\x1b[1;31m"), paint("\x1b[1;34m"), paint("\x1b[1;32m"), paint("\x1b[1m"), paint("\x1b[0m"));
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{red}error{end}{bold}: {}{end}", self.problem);
        let margin = match &self.place {
            Some(place) => frame(&mut out, place, (red, blue, end)),
            None => 1,
        };
        let bar = |out: &mut String, sign: &str, text: &str| {
            for (index, line) in text.lines().enumerate() {
                let sign = if index == 0 { sign } else { " " };
                let _ = writeln!(out, "{:margin$} {blue}{sign}{end} {line}", "");
            }
        };
        for line in self.said.iter().flat_map(|said| said.lines()) {
            bar(&mut out, "|", line);
        }
        for note in &self.notes {
            bar(&mut out, "=", &wrapped(&format!("note: {note}")));
        }
        for remedy in &self.remedies {
            bar(&mut out, "=", &format!("{green}help{end}: {remedy}"));
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// A long sentence on several lines; a command is never broken.
fn wrapped(text: &str) -> String {
    const WIDTH_CHARS: usize = 100;
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH_CHARS {
            lines.push(String::from("     "));
            width = 5;
        }
        if let Some(line) = lines.last_mut() {
            if width > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        width += 1 + length;
    }
    lines.join("\n")
}

/// The line and what is meant on it; gives how wide the margin is.
fn frame(out: &mut String, place: &Place, (red, blue, end): (&str, &str, &str)) -> usize {
    let number = place.line.to_string();
    let margin = number.len();
    let colon = |number: usize| if number > 0 { format!(":{number}") } else { String::new() };
    let column = if place.line > 0 { colon(place.column) } else { String::new() };
    let _ = writeln!(out, "{:margin$}{blue}-->{end} {}{}{column}", "", place.file.display(), colon(place.line));
    if place.line == 0 || place.text.is_empty() {
        return margin;
    }
    let text = place.text.replace('\t', " ");
    let _ = writeln!(out, "{:margin$} {blue}|{end}", "");
    let _ = writeln!(out, "{blue}{number} |{end} {}", text.trim_end());
    if place.column > 0 {
        let gap = " ".repeat(place.column - 1);
        let marks = "^".repeat(place.length.max(1));
        let label = if place.label.is_empty() { String::new() } else { format!(" {}", place.label) };
        let _ = writeln!(out, "{:margin$} {blue}|{end} {gap}{red}{marks}{label}{end}", "");
    }
    margin
}

/// Plain, whole: for whoever shows it as an error.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.rendered(false);
        f.write_str(text.strip_prefix("error: ").unwrap_or(&text))
    }
}

impl std::error::Error for Fault {}

/// What the system says of a file.
pub(crate) fn io(step: &'static str, doing: &str, path: &Path, error: &std::io::Error) -> Fault {
    let remedy = match error.kind() {
        std::io::ErrorKind::NotFound => "Check the path",
        std::io::ErrorKind::PermissionDenied => "Check who may read and write there",
        std::io::ErrorKind::StorageFull => "Make room on the disk; `gudok doctor` says how large the cache is",
        _ => "Check the disk and the path, and try again",
    };
    Fault::of_machine(step, format!("{doing} {}: {error}", path.display())).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_shown_as_compilers_do() {
        let text = "format = 1\nmemory_pib = 8\n";
        let fault = Fault::of_script("manifest", "manifest.toml has no field `memory_pib`")
            .at(Place::span("manifest.toml", text, 11..21).label("did you mean `memory_mib`?"))
            .note("[limits] says how much a script may use")
            .remedy("Write `memory_mib`");
        let expect = "\
error: manifest.toml has no field `memory_pib`
 --> manifest.toml:2:1
  |
2 | memory_pib = 8
  | ^^^^^^^^^^ did you mean `memory_mib`?
  = note: [limits] says how much a script may use
  = help: Write `memory_mib`";
        assert_eq!(fault.rendered(false), expect);
        assert_eq!(format!("error: {fault}"), expect);
        assert!(fault.rendered(true).contains("\u{1b}[1;31merror"));
    }

    #[test]
    fn a_place_counts_characters_and_not_bytes() {
        let place = Place::span("a", "x\nдва три\n", 2 + 7..2 + 13);
        assert_eq!((place.line, place.column, place.length), (2, 5, 3));
        let place = Place::line("a", "x\nдва три\n", 2).marking("три");
        assert_eq!((place.line, place.column, place.length), (2, 5, 3));
        let beyond = Place::span("a", "x", 7..9);
        assert_eq!((beyond.line, beyond.length), (1, 1));
    }
}
