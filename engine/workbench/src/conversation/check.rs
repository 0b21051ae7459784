//! What a conversation may say: checked where it is read, from text or from JSON.

use super::{Conversation, Conversations, FORMAT, Setting, Step, fields};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Of one conversation.
pub const STEPS_MAX: usize = 1_000;
/// Of one file or program.
pub const CONVERSATIONS_MAX: usize = 10_000;
/// Methods that the interface has.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const PLANS: [&str; 3] = ["dial", "skip", "not-before"];
/// Of a number, as E.164 has it.
const NUMBER_DIGITS_MAX: usize = 15;

/// What is wrong with a value, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}. {remedy}")]
pub struct Problem {
    /// Why it cannot be so.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

fn problem(why: impl Into<String>, remedy: impl Into<String>) -> Result<(), Problem> {
    Err(Problem { why: why.into(), remedy: remedy.into() })
}

/// What a program printed.
///
/// # Errors
/// The first problem, with the conversation and the step it is in.
pub fn printed(all: &Conversations) -> Result<(), Problem> {
    if all.format != FORMAT {
        return problem(
            format!("the conversations are of format {}, and this gudok reads {FORMAT}", all.format),
            "Run `gudok build`: it brings the SDK that fits.",
        );
    }
    if all.conversations.len() > CONVERSATIONS_MAX {
        return problem(
            format!("there are {} conversations; at most {CONVERSATIONS_MAX} are tried", all.conversations.len()),
            "Divide them into several programs.",
        );
    }
    all.conversations.iter().try_for_each(conversation)
}

/// One that did not come from text.
///
/// # Errors
/// The first problem, with the step it is in.
pub fn conversation(one: &Conversation) -> Result<(), Problem> {
    let title = &one.title;
    if title.trim().is_empty()
        || title.trim() != title
        || title.contains('\n')
        || title.starts_with('=')
        || title.ends_with('=')
    {
        return problem(format!("{title:?} is no title"), "A title is one line: what the conversation shows.");
    }
    if one.steps.is_empty() {
        return problem(format!("nothing happens in {title:?}"), "Add steps: says, presses, then_result.");
    }
    if one.steps.len() > STEPS_MAX {
        return problem(format!("{title:?} has {} steps; {STEPS_MAX} are the most", one.steps.len()), "Divide it.");
    }
    let placed =
        |at: usize, problem: Problem| Problem { why: format!("{title:?}, {}: {}", at + 1, problem.why), ..problem };
    for (at, one) in one.settings.iter().enumerate() {
        setting(one).map_err(|problem| placed(at, problem))?;
    }
    for (at, one) in one.steps.iter().enumerate() {
        step(one).map_err(|problem| placed(at, problem))?;
    }
    if let Some(at) = one.steps.windows(2).position(|pair| pair[0].is_then() && !pair[1].is_then()) {
        let why = format!("{title:?}, {}: after what must be true then, nothing happens any more", at + 2);
        return problem(why, "Put what must be true at the end.");
    }
    Ok(())
}

pub(super) fn setting(setting: &Setting) -> Result<(), Problem> {
    match setting {
        Setting::At { time } => match moment(time) {
            Some(_) => Ok(()),
            None => problem(format!("{time:?} is no time"), "Write day and time: 2026-05-05 12:00"),
        },
        Setting::Zone { zone } => match TimeZone::get(zone) {
            Ok(_) => Ok(()),
            Err(_) => problem(format!("there is no time zone {zone:?}"), "Write it as the IANA does: Europe/Moscow"),
        },
        Setting::From { number } => {
            let digits = number.strip_prefix('+').unwrap_or_default();
            if (2..=NUMBER_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
                return Ok(());
            }
            problem(format!("{number:?} is no number"), "Write it as E.164, without blanks: +79990000001")
        }
        Setting::Language { language } => {
            let fits = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
            if language.split('-').all(fits) {
                return Ok(());
            }
            problem(format!("{language:?} is no language"), "Write a tag: ru-RU")
        }
        Setting::BackEndAnswers { method, path, status, .. } => request(method, path).and_then(|()| http(*status)),
        Setting::Withheld
        | Setting::Entry { .. }
        | Setting::Config { .. }
        | Setting::Secret { .. }
        | Setting::Stored { .. }
        | Setting::Contact { .. }
        | Setting::AnsweredByMachine
        | Setting::Seed { .. } => Ok(()),
    }
}

pub(super) fn step(step: &Step) -> Result<(), Problem> {
    match step {
        // Anything, as long as it is said.
        Step::Says { words } | Step::Asks { words } if words.contains('…') || words.contains("...") => Ok(()),
        Step::Says { words } | Step::Asks { words } | Step::ThenHeard { words } | Step::ThenNeverHeard { words } => {
            if words.chars().any(char::is_alphanumeric) {
                return Ok(());
            }
            problem("there are no words in it", "Write some of the words that are said: «Добрый день…»")
        }
        Step::Presses { keys } | Step::Interrupts { keys } => match keys.chars().find(|key| !fields::is_key(*key)) {
            _ if keys.is_empty() => problem("no key is pressed", "Write the keys: 1. Who presses none is silent."),
            Some(key) => problem(format!("a telephone has no key {key:?}"), "It has 0 to 9, * and #."),
            None => Ok(()),
        },
        Step::BackEndAnswers { method, path, status, .. } => request(method, path).and_then(|()| http(*status)),
        Step::BackEndFails { method, path, .. } | Step::BackEndNeverAnswers { method, path, .. } => {
            request(method, path)
        }
        Step::ThenPlan { plan } if !PLANS.contains(&plan.as_str()) => {
            problem(format!("prepare says no {plan:?}"), format!("It says one of {}.", PLANS.join(", ")))
        }
        _ => Ok(()),
    }
}

fn request(method: &str, path: &str) -> Result<(), Problem> {
    if !METHODS.contains(&method) {
        return problem(format!("{method:?} is no method"), format!("Write one of {}.", METHODS.join(", ")));
    }
    let begins = path.starts_with(['/', '…']) || path.starts_with("http://") || path.starts_with("https://");
    if !begins {
        return problem(format!("{path:?} is no path"), "Write it with its slash: /slots?day=5");
    }
    Ok(())
}

fn http(status: u16) -> Result<(), Problem> {
    if (200..600).contains(&status) {
        return Ok(());
    }
    problem(format!("{status} is no HTTP status of an answer"), "Write 200, 404, 500.")
}

/// "2026-05-05 12:00"
pub(super) fn moment(text: &str) -> Option<DateTime> {
    text.trim().replacen(' ', "T", 1).parse().ok()
}
