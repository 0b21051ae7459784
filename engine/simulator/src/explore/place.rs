//! What is observable at a moment: two moments of which it is the same are taken for the same place.

use crate::decide::{AskedBy, Fetches, Moment, Promised, Question, Spoken, Stores, Transfers, Waits};
use gudok_core::input::Grammar;
use gudok_core::prompt::{Pace, PromptSource};
use gudok_core::script::TransferTarget;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A place of a dialog.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Place {
    /// The same for all that is observable being the same.
    pub(super) key: u64,
    /// What happens there.
    pub(super) moment: Moment,
}

impl Place {
    /// Of a moment of a call that has stored that.
    pub(super) fn of(moment: &Moment, stored: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        moment.name().hash(&mut hasher);
        stored.hash(&mut hasher);
        match moment {
            Moment::Asked(question) => hash_question(question, &mut hasher),
            Moment::Heard(spoken) => hash_spoken(spoken, &mut hasher),
            Moment::Records { duration_max, stop_keys } => (duration_max, stop_keys).hash(&mut hasher),
            Moment::Transfers(Transfers { target, mode, returns, step }) => {
                (kind_of(target), target.label(), *mode as u8, returns, step).hash(&mut hasher);
            }
            Moment::Waits(Waits { queue, wait_max, returns, step }) => {
                (queue, wait_max, returns, step).hash(&mut hasher);
            }
            Moment::Fetches(Fetches { method, url, body, step, .. }) => {
                (*method as u8, without_digits(url), step).hash(&mut hasher);
                without_digits(&String::from_utf8_lossy(body)).hash(&mut hasher);
            }
            Moment::Stores(Stores { bucket, key, writes, step }) => {
                (bucket, without_digits(key), writes, step).hash(&mut hasher);
            }
            Moment::Promises(promised) => match promised {
                Promised::Ticket(kind, to) => (0, kind.as_str(), to).hash(&mut hasher),
                Promised::Survey(name) => (1, name).hash(&mut hasher),
                Promised::Callback(queue) => (2, queue).hash(&mut hasher),
            },
            Moment::Directory(what) => what.hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// What a script asks is told of keys that a caller made up.
fn without_digits(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

const fn kind_of(target: &TransferTarget) -> u8 {
    match target {
        TransferTarget::Group(_) => 0,
        TransferTarget::Operator(_) => 1,
        TransferTarget::Extension(_) => 2,
        TransferTarget::Number(_) => 3,
        TransferTarget::Script(_) => 4,
    }
}

fn hash_question(question: &Question, hasher: &mut DefaultHasher) {
    hash_spoken(&question.said, hasher);
    hash_grammar(&question.grammar, hasher);
    for key in &question.global_keys {
        (&key.key, &key.value).hash(hasher);
    }
    let by = match question.by {
        AskedBy::Script => 0_u8,
        AskedBy::Collector => 1,
        AskedBy::Host => 2,
    };
    (by, question.sensitive, question.attempt, question.attempts, question.first_timeout).hash(hasher);
}

fn hash_spoken(spoken: &Spoken, hasher: &mut DefaultHasher) {
    for source in &spoken.sources {
        match source {
            PromptSource::Script(prompt) => prompt.hash(hasher),
            // What the host says of times and positions is another thing every minute.
            PromptSource::Host(said) => said.name().hash(hasher),
            PromptSource::Music(name) => name.hash(hasher),
        }
    }
    (&spoken.lang, spoken.pace == Pace::Slow, spoken.interruptible, &spoken.step).hash(hasher);
}

fn hash_grammar(grammar: &Grammar, hasher: &mut DefaultHasher) {
    match grammar {
        Grammar::Choices(choices) => {
            for choice in choices {
                (&choice.key, &choice.value).hash(hasher);
            }
        }
        Grammar::Digits { min, max, terminators } => (min, max, terminators).hash(hasher),
        other => format!("{other:?}").hash(hasher),
    }
}

/// What is said, without what is said before it is asked again.
pub(super) fn last_words(spoken: &Spoken) -> &[PromptSource] {
    let last = spoken.sources.len().saturating_sub(1);
    &spoken.sources[last..]
}

/// The place in the flow: whichever time it is asked, at whichever pace.
pub(super) fn flow_key(moment: &Moment) -> u64 {
    let mut hasher = DefaultHasher::new();
    moment.name().hash(&mut hasher);
    match moment {
        Moment::Asked(question) => {
            let said = &question.said;
            hash_spoken(&plain(said), &mut hasher);
            hash_grammar(&question.grammar, &mut hasher);
        }
        Moment::Heard(said) => hash_spoken(&plain(said), &mut hasher),
        other => Place::of(other, 0).hash(&mut hasher),
    }
    hasher.finish()
}

/// The step of the dialog that the script had named last.
pub(super) fn step_of(moment: &Moment) -> Option<String> {
    let step = match moment {
        Moment::Asked(question) => &question.said.step,
        Moment::Heard(said) => &said.step,
        Moment::Transfers(transfer) => &transfer.step,
        Moment::Waits(wait) => &wait.step,
        Moment::Fetches(fetch) => &fetch.step,
        Moment::Stores(store) => &store.step,
        _ => return None,
    };
    step.as_ref().map(ToString::to_string)
}

fn plain(said: &Spoken) -> Spoken {
    Spoken {
        text: Arc::from(""),
        sources: last_words(said).to_vec(),
        lang: Arc::clone(&said.lang),
        step: said.step.clone(),
        ..Spoken::default()
    }
}

/// The same number for the same thing, in every run.
pub(super) fn hash_of(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
