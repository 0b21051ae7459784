//! A talk as a test: what was said, pressed and answered, and what the script made of it. It is run before it is kept, so
//! that what is kept passes.

use super::talker::{Event, SoFar};
use super::told;
use super::words::UiLang;
use crate::conversation::of_decisions::{asks, said, step};
use crate::conversation::{self, Conversation, Setting, Step, Tongue};
use anyhow::{Context, bail};
use gudok_core::script::ScriptEnd;
use gudok_simulator::Report;
use gudok_simulator::decide::{BackEndChoice, Decision, Decisions, Moment};
use std::path::Path;

/// Of an example's title where the author gives none.
const TITLE_CHARS_MAX: usize = 60;

/// The conversation that a talk was.
///
/// # Errors
/// Where something happened that no conversation can say.
pub(super) fn conversation(
    so_far: &SoFar<'_>,
    settings: Vec<Setting>,
    result: Option<&ScriptEnd>,
) -> anyhow::Result<Conversation> {
    let mut steps = steps(so_far.events)?;
    if so_far.open {
        if so_far.asked {
            asks(&mut steps);
        }
        steps.push(Step::HangsUp);
    }
    match result {
        Some(ScriptEnd::Returned(summary)) => steps.push(Step::ThenResult { code: summary.code.to_string() }),
        Some(ScriptEnd::Informed(disposition)) => {
            steps.push(Step::ThenResult { code: disposition.as_str().to_owned() });
        }
        _ => {}
    }
    let title = so_far.title.clone().unwrap_or_else(|| title(so_far.events));
    Ok(Conversation { title, settings, steps })
}

/// Adds a conversation to a file, which may be new.
///
/// # Errors
/// Where the file is none of conversations, has one of that title, or cannot be written.
pub(super) fn keep(path: &Path, conversation: &Conversation, ui: UiLang) -> anyhow::Result<()> {
    let tongue = match ui {
        UiLang::English => Tongue::English,
        UiLang::Russian => Tongue::Russian,
    };
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let name = path.to_string_lossy();
    let known = conversation::parse(&name, &before)?;
    if known.iter().any(|known| known.conversation.title == conversation.title) {
        bail!("{}", ui.tell("save-there", &[&name, &conversation.title]));
    }
    let gap = if before.trim().is_empty() { "" } else { "\n" };
    let text = format!("{before}{gap}{}", conversation.to_text(tongue));
    // What was written is what is read.
    let read = conversation::parse(&name, &text)?;
    if read.last().map(|last| &last.conversation) != Some(conversation) {
        bail!("{}", ui.tell("saved-failing", &[&name, &conversation.title]));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// How the script of a run ended, if it did by itself.
pub(super) fn result(report: &Report) -> Option<&ScriptEnd> {
    report.runs.last().map(|run| &run.end)
}

/// What was pressed, as a title.
fn title(events: &[Event]) -> String {
    let decisions = events.iter().filter_map(|event| match event {
        Event::Decided(moment, decision) => match (&**moment, decision) {
            (Moment::Asked(question), keys @ Decision::Keys(_)) => Some(told::shown(keys, question.sensitive)),
            (_, Decision::BackEnd(BackEndChoice::Answers(status, _))) => Some(format!("back-end {status}")),
            (_, other) => Some(other.to_string()),
        },
        Event::Line(_) => None,
    });
    let words: String = decisions.collect::<Vec<_>>().join(", ").chars().take(TITLE_CHARS_MAX).collect();
    if words.is_empty() { "hangs up at once".to_owned() } else { words }
}

fn steps(events: &[Event]) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    for event in events {
        match event {
            Event::Line(line) => steps.extend(said(line)),
            Event::Decided(moment, decision) => {
                if let Moment::Asked(_) = **moment {
                    asks(&mut steps);
                }
                let Some(step) = step(moment, decision) else { bail!("no conversation says {decision}") };
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

/// What was decided in a run, for one more of the same kind.
pub(super) fn decisions(events: &[Event]) -> Decisions {
    let decided = events.iter().filter_map(|event| match event {
        Event::Decided(_, decision) => Some(decision.clone()),
        Event::Line(_) => None,
    });
    Decisions(decided.collect())
}
