//! What came of conversations, for people: what passed, where the rest departed, what was used.

use super::coverage::Coverage;
use super::matching::words;
use super::run::{Departure, Outcome, Told, Who};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Lines of a conversation before its departure.
const TOLD_MAX: usize = 14;
/// Rows of a table of what was used.
const ROWS_MAX: usize = 10;

/// Whether escape sequences are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colours(pub bool);

impl Colours {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// How each went: a line, and where it departed the conversation so far.
#[must_use]
pub fn outcomes(all: &[Outcome], verbose: bool, colours: Colours) -> String {
    let mut text = String::new();
    let mut file = "";
    let width = all.iter().map(|outcome| outcome.title.width()).max().unwrap_or(0);
    for outcome in all {
        if outcome.file != file {
            file = &outcome.file;
            let _ = writeln!(text, "{}", colours.strong(file));
        }
        let mark = if outcome.passed() { colours.good("✓") } else { colours.bad("✗") };
        let blanks = " ".repeat(width - outcome.title.width());
        let figures = format!(
            "{:>7} call  {:>9} CPU  {:>8}",
            seconds(outcome.call_ms),
            cpu(outcome.used.cpu_us),
            memory(outcome.used.memory_bytes)
        );
        let _ = writeln!(text, "  {mark} {}{blanks}  {}", outcome.title, colours.faint(&figures));
        if verbose && outcome.passed() {
            told(&mut text, &outcome.told, colours);
            logged(&mut text, &outcome.log, colours);
        }
        for (nth, departure) in outcome.departures.iter().enumerate() {
            // What must be true then is looked at when all was told.
            if nth == 0 {
                so_far(&mut text, outcome, departure, verbose, colours);
                if verbose {
                    logged(&mut text, &outcome.log, colours);
                }
            }
            departed(&mut text, outcome, departure, colours);
        }
    }
    text
}

fn so_far(text: &mut String, outcome: &Outcome, departure: &Departure, verbose: bool, colours: Colours) {
    let so_far = &outcome.told[..departure.told.min(outcome.told.len())];
    let from = if verbose { 0 } else { so_far.len().saturating_sub(TOLD_MAX) };
    if from > 0 {
        let _ = writeln!(text, "      {}", colours.faint(&format!("… {from} lines before (--verbose)")));
    }
    told(text, &so_far[from..], colours);
}

fn departed(text: &mut String, outcome: &Outcome, departure: &Departure, colours: Colours) {
    let place = departure.line.map(|line| format!("  {}:{line}", outcome.file)).unwrap_or_default();
    let _ = writeln!(text, "    {} {}{}", colours.bad("expected"), departure.expected, colours.faint(&place));
    let _ = writeln!(text, "    {} {}", colours.bad("but     "), departure.came);
    if let Some((expected, heard)) = &departure.words {
        compared(text, expected, heard, colours);
    }
    if let Some(remedy) = &departure.remedy {
        let _ = writeln!(text, "    {} {remedy}", colours.strong("help    "));
    }
    text.push('\n');
}

fn told(text: &mut String, lines: &[Told], colours: Colours) {
    for line in lines {
        let time = colours.faint(&format!("{:>7}", seconds(line.at_ms)));
        let who = format!("{:<8}", line.who.as_str());
        let said = if line.who == Who::World { colours.faint(&line.text) } else { line.text.clone() };
        let _ = writeln!(text, "    {time}  {}  {said}", colours.faint(&who));
    }
}

/// What the script told its author, all of it: a log line has no time of its own.
fn logged(text: &mut String, lines: &[String], colours: Colours) {
    for line in lines.iter().flat_map(|entry| entry.lines()) {
        let _ = writeln!(text, "             {}  {line}", colours.faint(&format!("{:<8}", "log")));
    }
}

/// Both below each other, and below them what is only in one.
fn compared(text: &mut String, expected: &str, heard: &str, colours: Colours) {
    // By words as they are heard: who compares punctuation looks at the wrong place.
    let shown = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (left, right) = (shown(expected), shown(heard));
    let key = |all: &[String]| -> Vec<String> { all.iter().map(|word| words(word).concat()).collect() };
    let (left_key, right_key) = (key(&left), key(&right));
    let left_refs: Vec<&str> = left_key.iter().map(String::as_str).collect();
    let right_refs: Vec<&str> = right_key.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&left_refs, &right_refs);
    let (mut first, mut second) = (Row::default(), Row::default());
    for change in diff.iter_all_changes() {
        match (change.tag(), change.old_index(), change.new_index()) {
            (ChangeTag::Equal, Some(old), Some(new)) => {
                first.level_with(&mut second);
                first.put(&left[old], None, colours);
                second.put(&right[new], None, colours);
            }
            (ChangeTag::Delete, Some(old), _) => first.put(&left[old], Some("31"), colours),
            (ChangeTag::Insert, _, Some(new)) => second.put(&right[new], Some("32"), colours),
            _ => {}
        }
    }
    for (name, row) in [("written ", first), ("heard   ", second)] {
        let _ = writeln!(text, "    {name} {}", row.text.trim_end());
        if !row.marks.trim().is_empty() && !colours.0 {
            let _ = writeln!(text, "             {}", row.marks.trim_end());
        }
    }
}

#[derive(Default)]
struct Row {
    text: String,
    marks: String,
    width: usize,
}

impl Row {
    fn put(&mut self, word: &str, colour: Option<&str>, colours: Colours) {
        let painted = colour.map_or_else(|| word.to_owned(), |code| colours.paint(code, word));
        let _ = write!(self.text, "{painted} ");
        let mark = if colour.is_some() { "~" } else { " " };
        let _ = write!(self.marks, "{} ", mark.repeat(word.width()));
        self.width += word.width() + 1;
    }

    /// What is the same stands below the same.
    fn level_with(&mut self, other: &mut Self) {
        let width = self.width.max(other.width);
        for row in [self, other] {
            let blanks = " ".repeat(width - row.width);
            row.text.push_str(&blanks);
            row.marks.push_str(&blanks);
            row.width = width;
        }
    }
}

/// What used the most, of conversations and of steps.
#[must_use]
pub fn usage(all: &[Outcome], colours: Colours) -> String {
    let mut text = String::new();
    let mut slowest: Vec<&Outcome> = all.iter().collect();
    slowest.sort_by(|a, b| (b.used.fuel, &a.title).cmp(&(a.used.fuel, &b.title)));
    let _ = writeln!(text, "{}", colours.strong("Most CPU, by conversation"));
    for outcome in slowest.iter().take(ROWS_MAX) {
        let (time, used) = (cpu(outcome.used.cpu_us), memory(outcome.used.memory_bytes));
        let calls = outcome.used.host_calls;
        let _ = writeln!(text, "  {time:>9}  {used:>9}  {calls:>4} host calls  {}", outcome.title);
    }
    let mut steps: BTreeMap<&str, (u64, u64, usize)> = BTreeMap::new();
    for step in all.iter().flat_map(|outcome| &outcome.used.steps) {
        let known = steps.entry(&step.name).or_default();
        known.0 = known.0.max(step.fuel);
        known.1 = known.1.max(step.cpu_us);
        known.2 = known.2.max(step.memory_bytes);
    }
    let mut steps: Vec<_> = steps.into_iter().collect();
    steps.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
    let _ = writeln!(text, "{}", colours.strong("Most CPU, by step (the most of one conversation)"));
    for (name, (_, cpu_us, bytes)) in steps.iter().take(ROWS_MAX) {
        let name = if name.is_empty() { "(before the first step)" } else { name };
        let _ = writeln!(text, "  {:>9}  {:>9}  {name}", cpu(*cpu_us), memory(*bytes));
    }
    text
}

/// What was reached, and what was not.
#[must_use]
pub fn coverage(coverage: &Coverage, colours: Colours) -> String {
    let mut text = String::new();
    let known = match coverage.explored_calls {
        Some(calls) => format!("of what {calls} calls of exploring found"),
        None => "of what the conversations met".to_owned(),
    };
    let _ = writeln!(text, "{} {} % {known}", colours.strong("Coverage"), coverage.percent);
    let missed: Vec<&str> = coverage.steps.iter().filter(|(_, done)| !**done).map(|(name, _)| name.as_str()).collect();
    let done = coverage.steps.len() - missed.len();
    let _ = writeln!(text, "  steps: {done} of {}{}", coverage.steps.len(), not_reached(&missed, colours));
    let missed: Vec<&str> =
        coverage.questions.iter().filter(|(_, one)| !one.asked).map(|(name, _)| name.as_str()).collect();
    let done = coverage.questions.len() - missed.len();
    let _ = writeln!(text, "  questions: {done} of {}{}", coverage.questions.len(), not_reached(&missed, colours));
    for (name, question) in coverage.questions.iter().filter(|(_, question)| !question.keys.is_empty()) {
        let missed: Vec<&str> = question.keys.iter().filter(|(_, done)| !**done).map(|(key, _)| key.as_str()).collect();
        let done = question.keys.len() - missed.len();
        let _ = writeln!(text, "  keys of {name}: {done} of {}{}", question.keys.len(), not_reached(&missed, colours));
    }
    text
}

fn not_reached(missed: &[&str], colours: Colours) -> String {
    if missed.is_empty() { String::new() } else { colours.bad(&format!("; not: {}", missed.join(", "))) }
}

/// How many passed.
#[must_use]
pub fn summary(all: &[Outcome], colours: Colours) -> String {
    let failed = all.iter().filter(|outcome| !outcome.passed()).count();
    let noun = if all.len() == 1 { "conversation" } else { "conversations" };
    let text = format!("{} {noun}: {} passed, {failed} failed", all.len(), all.len() - failed);
    if failed == 0 { colours.good(&text) } else { colours.bad(&text) }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

fn cpu(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}

fn memory(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::conversation::run::{Reached, Used};

    pub(crate) fn outcome(departures: Vec<Departure>) -> Outcome {
        Outcome {
            title: "Готов ли паспорт".into(),
            file: "tests/passport.talk".into(),
            line: Some(3),
            departures,
            told: vec![
                Told { at_ms: 80, who: Who::Script, text: "Добрый день.".into() },
                Told { at_ms: 2_480, who: Who::Caller, text: "1".into() },
            ],
            log: vec!["Step passport result".into(), "Warn passport no answer".into()],
            used: Used { fuel: 7_500_000, cpu_us: 1_250, memory_bytes: 1 << 20, host_calls: 4, steps: Vec::new() },
            reached: Reached::default(),
            call_ms: 12_340,
        }
    }

    #[test]
    fn a_departure_is_told_aligned_with_the_conversation_so_far() {
        let mut departure = Departure::new("скрипт говорит «Ваш паспорт готов»", "the script waits for keys").at(2);
        departure.line = Some(7);
        departure.words = Some(("Ваш паспорт готов…".into(), "Ваш паспорт ещё не готов.".into()));
        let text = outcomes(&[outcome(vec![departure])], false, Colours(false));
        assert_eq!(
            text,
            "tests/passport.talk
  ✗ Готов ли паспорт   12.3 s call   1.250 ms CPU  1024 KiB
      0.0 s  script    Добрый день.
      2.4 s  caller    1
    expected скрипт говорит «Ваш паспорт готов»  tests/passport.talk:7
    but      the script waits for keys
    written  Ваш паспорт        готов…
    heard    Ваш паспорт ещё не готов.
                         ~~~ ~~

"
        );
        let verbose = outcomes(&[outcome(vec![Departure::new("silence", "a word")])], true, Colours(false));
        let lines: Vec<&str> = verbose.lines().collect();
        assert_eq!(
            lines[3..6],
            [
                "      2.4 s  caller    1",
                "             log       Step passport result",
                "             log       Warn passport no answer"
            ]
        );
        let coloured = outcomes(&[outcome(Vec::new())], true, Colours(true));
        assert!(coloured.contains("\u{1b}[32m✓") && coloured.contains("Добрый день."), "{coloured}");
        assert_eq!(summary(&[outcome(Vec::new())], Colours(false)), "1 conversation: 1 passed, 0 failed");
    }
}
