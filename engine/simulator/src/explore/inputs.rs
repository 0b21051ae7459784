//! What may be decided at a moment: every key, and whatever else may happen.

use super::settings::ExploreSettings;
use crate::decide::{AskedBy, BackEndChoice, Decision, DirectoryChoice, Moment, Question, QueueChoice, TransferChoice};
use gudok_core::input::Grammar;
use gudok_core::script::TransferTarget;
use std::time::Duration;

const KEYS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#"];
const MESSAGE: Duration = Duration::from_secs(5);
/// Digits that a caller makes up. No row in them stands for a number that is said anywhere.
const DIGITS: &str = "4827159360482715936048271593604827159360482715936048271593604827";

/// All that may be decided, what leads on first.
pub(super) fn inputs(moment: &Moment, settings: &ExploreSettings) -> Vec<Decision> {
    let mut all = match moment {
        Moment::Asked(question) if question.by == AskedBy::Host => host_keys(question),
        Moment::Asked(question) => keys(question, &settings.entries),
        Moment::Heard(_) => vec![Decision::GoOn, Decision::HangUp],
        Moment::Records { stop_keys, .. } => {
            let stop = stop_keys.chars().next().map(|key| Decision::Keys(key.into()));
            [Decision::Speak(MESSAGE)].into_iter().chain(stop).chain([Decision::HangUp]).collect()
        }
        Moment::Transfers(transfer) => {
            let applies = |choice: &TransferChoice| match (&transfer.target, choice) {
                (TransferTarget::Script(_), TransferChoice::Answered | TransferChoice::Failed) => true,
                (TransferTarget::Script(_), _) => false,
                (TransferTarget::Group(_), _) => true,
                (_, choice) => *choice != TransferChoice::Closed,
            };
            let goes = TransferChoice::ALL.into_iter().filter(applies).map(Decision::Transfer);
            goes.chain([Decision::HangUp]).collect()
        }
        Moment::Waits(_) => QueueChoice::ALL.into_iter().map(Decision::Queue).chain([Decision::HangUp]).collect(),
        Moment::Fetches(fetches) => {
            let fits = settings.replies.iter().filter(|reply| fetches.url.contains(&reply.url_part));
            let answers = fits.map(|reply| BackEndChoice::Answers(reply.status, reply.body.clone()));
            let fails = [
                BackEndChoice::Answers(200, "{}".into()),
                BackEndChoice::Answers(404, String::new()),
                BackEndChoice::Answers(500, String::new()),
                BackEndChoice::Unreachable,
                BackEndChoice::Hangs,
                BackEndChoice::Nonsense,
            ];
            answers.chain(fails).map(Decision::BackEnd).collect()
        }
        Moment::Stores(_) => vec![Decision::GoOn, Decision::NoStore],
        Moment::Promises(_) => vec![Decision::GoOn, Decision::NoPromise],
        Moment::Directory(_) => {
            let says = [DirectoryChoice::Nothing, DirectoryChoice::Unavailable].map(Decision::Directory);
            [Decision::GoOn].into_iter().chain(says).collect()
        }
    };
    let mut seen = Vec::new();
    all.retain(|decision| {
        let new = !seen.contains(decision);
        if new {
            seen.push(decision.clone());
        }
        new
    });
    all
}

/// Of the host's own dialog only whether it is entered: what it does then is no script's doing.
fn host_keys(question: &Question) -> Vec<Decision> {
    let key = match &question.grammar {
        Grammar::Phone => "89131234567#",
        _ => "1",
    };
    vec![Decision::Keys(key.into()), Decision::Silence]
}

fn keys(question: &Question, entries: &[String]) -> Vec<Decision> {
    let key = |keys: &str| Decision::Keys(keys.into());
    let mut all: Vec<Decision> = Vec::new();
    match &question.grammar {
        Grammar::Choices(choices) => all.extend(choices.iter().map(|choice| key(&choice.key))),
        grammar => {
            all.extend(entries.iter().filter(|entry| fits(entry, grammar)).map(|entry| key(entry)));
            all.extend(examples(grammar).iter().map(|keys| key(keys)));
        }
    }
    all.extend(question.global_keys.iter().map(|choice| key(&choice.key)));
    all.push(Decision::Silence);
    let single = matches!(question.grammar, Grammar::Choices(_) | Grammar::YesNo | Grammar::Digits { max: 1, .. });
    if single {
        all.extend(KEYS.map(key));
    } else {
        // Too few, and what no number has in it.
        all.extend([key("9"), key("*"), key("#"), key("0")]);
    }
    all.push(Decision::HangUp);
    all
}

/// Entries are offered to questions that take rows of digits of their length.
fn fits(entry: &str, grammar: &Grammar) -> bool {
    let len = entry.trim_end_matches('#').len();
    match grammar {
        Grammar::Digits { min, max, .. } => (usize::from(*min)..=usize::from(*max)).contains(&len),
        Grammar::Choices(_) | Grammar::YesNo | Grammar::FreeSpeech(_) => false,
        _ => true,
    }
}

/// What the grammar takes, and what is nearly so.
fn examples(grammar: &Grammar) -> Vec<String> {
    let row = |len: u8| DIGITS.chars().take(usize::from(len.max(1))).collect::<String>();
    let of = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect();
    match grammar {
        Grammar::Digits { min, max, terminators } => {
            let end = terminators.chars().next().map_or_else(String::new, String::from);
            if *max == 1 {
                return Vec::new();
            }
            let mut rows = vec![row(*min) + if min == max { "" } else { &end }];
            if min != max {
                rows.push(row((*max).min(20)) + if *max > 20 { &end } else { "" });
            }
            rows
        }
        Grammar::YesNo => of(&["1", "2"]),
        Grammar::Date => of(&["05051961", "31122099", "29022026"]),
        Grammar::Money => of(&["1500#", "12*50#"]),
        Grammar::Phone => of(&["89131234567#", "122#"]),
        Grammar::Snils => of(&["11223344595", "11223344596"]),
        Grammar::Inn => of(&["7707083893#", "7707083894#"]),
        Grammar::OmsPolicy => of(&["4561261212345467", "4561261212345464"]),
        Grammar::PostalCode => of(&["650000"]),
        Grammar::Choices(_) | Grammar::FreeSpeech(_) => Vec::new(),
    }
}

/// What of a question's inputs its grammar or its global keys know.
pub(super) fn is_announced(question: &Question, keys: &str) -> bool {
    let global = question.global_keys.iter().any(|choice| choice.key == keys);
    global
        || match &question.grammar {
            Grammar::Choices(choices) => choices.iter().any(|choice| choice.key == keys),
            Grammar::YesNo => matches!(keys, "1" | "2"),
            Grammar::Digits { min, max, .. } => {
                let digits = keys.trim_end_matches(['#', '*']);
                let len = digits.len();
                (usize::from(*min)..=usize::from(*max)).contains(&len) && digits.chars().all(|c| c.is_ascii_digit())
            }
            other => examples(other).first().is_some_and(|first| first == keys),
        }
}
