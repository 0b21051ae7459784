//! A talk as a test: what was said, pressed and answered, and what the script made of it. It is run before it is kept, so
//! that what is kept passes.

use super::examples::path_of;
use super::talker::{Event, SoFar};
use super::told;
use super::words::UiLang;
use crate::conversation::{self, Conversation, Setting, Step, Tongue};
use anyhow::{Context, bail};
use gudok_core::script::ScriptEnd;
use gudok_simulator::Report;
use gudok_simulator::decide::{
    BackEndChoice, Decision, Decisions, DirectoryChoice, Fetches, Moment, QueueChoice, TransferChoice,
};
use serde_json::Value;
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
            Event::Line(line) => {
                if let Some(words) = line.strip_prefix("host: ") {
                    steps.push(Step::Says { words: words.to_owned() });
                }
            }
            Event::Decided(moment, decision) => {
                if let Moment::Asked(_) = **moment {
                    asks(&mut steps);
                }
                steps.push(step(moment, decision)?);
            }
        }
    }
    Ok(steps)
}

/// What was said last was a question.
fn asks(steps: &mut [Step]) {
    if let Some(last) = steps.last_mut()
        && let Step::Says { words } = last
    {
        *last = Step::Asks { words: std::mem::take(words) };
    }
}

fn step(moment: &Moment, decision: &Decision) -> anyhow::Result<Step> {
    Ok(match (moment, decision) {
        (_, Decision::Keys(keys)) => Step::Presses { keys: keys.clone() },
        (_, Decision::Ahead(keys)) => Step::Interrupts { keys: keys.clone() },
        (_, Decision::Silence) => Step::Silent,
        (_, Decision::HangUp) => Step::HangsUp,
        (_, Decision::Speak(time)) => Step::Speaks { seconds: u32::try_from(time.as_secs()).unwrap_or(u32::MAX) },
        (_, Decision::Transfer(choice)) => match choice {
            TransferChoice::Answered => Step::OperatorAnswers { seconds: None },
            TransferChoice::Busy => Step::OperatorBusy,
            TransferChoice::NoAnswer => Step::OperatorSilent,
            TransferChoice::Rejected => Step::OperatorRejects,
            TransferChoice::Unavailable => Step::OperatorUnreachable,
            TransferChoice::Closed => Step::OperatorsClosed,
            TransferChoice::Failed => Step::OperatorMissing,
        },
        (_, Decision::Queue(choice)) => match choice {
            QueueChoice::Answered => Step::QueueAnswers { seconds: None },
            QueueChoice::Nobody => Step::QueueNobody,
            QueueChoice::Closed => Step::QueueClosed,
            QueueChoice::Full => Step::QueueFull,
            QueueChoice::Failed => Step::QueueMissing,
        },
        (Moment::Fetches(request), Decision::BackEnd(choice)) => back_end(request, choice),
        (_, Decision::NoStore) => Step::StorageUnavailable,
        (_, Decision::NoPromise) => Step::PromisesUnavailable,
        (_, Decision::Directory(choice)) => match choice {
            DirectoryChoice::Unavailable => Step::DirectoryUnavailable,
            DirectoryChoice::Nothing => Step::DirectoryKnowsNothing,
        },
        (_, other) => bail!("no conversation says {other}"),
    })
}

fn back_end(request: &Fetches, choice: &BackEndChoice) -> Step {
    let (method, path) = (told::method(request.method).to_owned(), path_of(&request.url).to_owned());
    match choice {
        BackEndChoice::Answers(status, body) => {
            let body = (!body.is_empty()).then(|| body_of(body));
            Step::BackEndAnswers { method, path, sent: None, status: *status, body }
        }
        BackEndChoice::Nonsense => {
            let body = Some(Value::String("{]".to_owned()));
            Step::BackEndAnswers { method, path, sent: None, status: 200, body }
        }
        BackEndChoice::Unreachable => Step::BackEndFails { method, path, sent: None },
        BackEndChoice::Hangs => Step::BackEndNeverAnswers { method, path, sent: None },
    }
}

/// As JSON where it is some: an author reads that.
fn body_of(body: &str) -> Value {
    serde_json::from_str(body)
        .ok()
        .filter(|value: &Value| !value.is_string())
        .unwrap_or_else(|| Value::String(body.to_owned()))
}

/// What was decided in a run, for one more of the same kind.
pub(super) fn decisions(events: &[Event]) -> Decisions {
    let decided = events.iter().filter_map(|event| match event {
        Event::Decided(_, decision) => Some(decision.clone()),
        Event::Line(_) => None,
    });
    Decisions(decided.collect())
}
