//! Nodes, their targets and keys.

use super::Defaults;
use super::fields::{At, Fields};
use super::hours;
use super::services;
use super::words::{Allow, one_of, words};
use crate::model::{Act, Asking, Mode, Node, NodeId, Party, Question, Target, Words};
use std::rc::Rc;

/// What a name may stand for. Nodes and tables are numbered by their place here.
pub(super) struct Names {
    pub(super) nodes: Vec<String>,
    pub(super) tables: Vec<String>,
    pub(super) languages: Vec<Rc<str>>,
    /// What is said in every language alike has none.
    pub(super) no_language: Rc<str>,
}

const KINDS: &str =
    "menu, table, say, transfer, queue, callback, directory, wrong, complaint, survey, pace, language, hours, hangup";
const KEYS_MAX: usize = 8;
const TIMEOUT_MS_MAX: i64 = 60_000;
const RING_TIMEOUT_MS_MAX: i64 = 120_000;

impl Names {
    pub(super) fn node(&self, name: &str) -> Option<NodeId> {
        // A table's names stand in their order.
        self.nodes.binary_search_by(|node| node.as_str().cmp(name)).ok()
    }
}

pub(super) fn node(
    name: &str,
    mut fields: Fields<'_, '_>,
    names: &Names,
    defaults: &Defaults,
    start: Option<NodeId>,
) -> Option<Node> {
    let act = match fields.required("do")?.text()? {
        "menu" => menu(&mut fields, names, defaults, start),
        "table" => table(&mut fields, names, defaults, start),
        "say" => Some(Act::Say {
            words: spoken(&mut fields, "say", names),
            uninterrupted: fields.optional("uninterrupted").and_then(|at| at.truth()).unwrap_or(false),
            then: target(&fields.required("then")?, names, start)?,
        }),
        "transfer" => transfer(&mut fields, names, start),
        "queue" => services::queue(&mut fields, names, start),
        "callback" => services::callback(&mut fields, names, start),
        "directory" => services::directory(&mut fields, names, start),
        "wrong" => services::wrong(&mut fields, names, start),
        "complaint" => services::complaint(&mut fields, names, start),
        "survey" => services::survey(&mut fields, names, defaults, start),
        "pace" => services::pace(&mut fields, names, start),
        "language" => language(&mut fields, names, start),
        "hours" => {
            let exceptions = fields.optional("exceptions");
            let week = fields.required("hours").and_then(|at| hours::week(&at, exceptions));
            let open = fields.required("open").and_then(|at| target(&at, names, start));
            let closed = fields.required("closed").and_then(|at| target(&at, names, start));
            Some(Act::Hours { week: week?, open: open?, closed: closed? })
        }
        "hangup" => Some(Act::Hangup { words: optional_words(&mut fields, "say", names).unwrap_or_default() }),
        other => {
            fields.fault(format!("do is {other:?}; one of {KINDS}"));
            return None;
        }
    };
    fields.finish();
    Some(Node { name: name.to_owned(), act: act? })
}

fn menu(fields: &mut Fields<'_, '_>, names: &Names, defaults: &Defaults, start: Option<NodeId>) -> Option<Act> {
    let question = question(fields, names, defaults, start);
    let choices = targets(&fields.required("choices")?.fields()?, names, start, KEYS_MAX);
    if choices.is_empty() {
        fields.fault("choices is empty; give at least one key");
    }
    Some(Act::Menu { question: question?, choices })
}

fn table(fields: &mut Fields<'_, '_>, names: &Names, defaults: &Defaults, start: Option<NodeId>) -> Option<Act> {
    let question = question(fields, names, defaults, start);
    let each = spoken(fields, "each", names);
    let at = fields.required("table")?;
    let name = at.text()?;
    let table = names.tables.iter().position(|table| table == name);
    if table.is_none() {
        at.fault(format!("there is no table {name:?}; known are {}", list(&names.tables)));
    }
    let then = fields.required("then").and_then(|at| target(&at, names, start));
    Some(Act::Table { question: question?, each, table: table?, then: then? })
}

pub(super) fn question(
    fields: &mut Fields<'_, '_>,
    names: &Names,
    defaults: &Defaults,
    start: Option<NodeId>,
) -> Option<Question> {
    let words = spoken(fields, "say", names);
    let (asking, otherwise) = asking(fields, names, defaults, start);
    if otherwise.is_none() && !fields.has("otherwise") {
        fields.fault("has no otherwise: where to go when nothing fits. Give it here or under [asking]");
    }
    Some(Question { words, asking, otherwise: otherwise? })
}

/// Reads how patiently is asked, over the defaults.
pub(super) fn asking(
    fields: &mut Fields<'_, '_>,
    names: &Names,
    defaults: &Defaults,
    start: Option<NodeId>,
) -> (Asking, Option<Target>) {
    let mut asking = defaults.asking.clone();
    let attempts = fields.optional("attempts").and_then(|at| at.integer(1..=10));
    asking.attempts = attempts.and_then(|value| u8::try_from(value).ok()).unwrap_or(asking.attempts);
    let mut patience = |key, of: &mut u32| {
        let value = fields.optional(key).and_then(|at| at.integer(500..=TIMEOUT_MS_MAX));
        *of = value.and_then(|value| u32::try_from(value).ok()).unwrap_or(*of);
    };
    patience("first_timeout_ms", &mut asking.first_timeout_ms);
    patience("digit_gap_ms", &mut asking.digit_gap_ms);
    asking.no_input = optional_words(fields, "no_input", names).map_or(asking.no_input, Rc::new);
    asking.no_match = optional_words(fields, "no_match", names).map_or(asking.no_match, Rc::new);
    let otherwise = fields.optional("otherwise").and_then(|at| target(&at, names, start));
    (asking, otherwise.or(defaults.otherwise))
}

fn transfer(fields: &mut Fields<'_, '_>, names: &Names, start: Option<NodeId>) -> Option<Act> {
    let say = optional_words(fields, "say", names).unwrap_or_default();
    let to = party(fields);
    let ring_timeout_ms = fields.optional("ring_timeout_ms").and_then(|at| at.integer(1_000..=RING_TIMEOUT_MS_MAX));
    let show = texts(fields, "show");
    let failed = fields.required("failed").and_then(|at| target(&at, names, start))?;
    let closed = fields.optional("closed").and_then(|at| target(&at, names, start)).unwrap_or(failed);
    let ring_timeout_ms = ring_timeout_ms.and_then(|value| u32::try_from(value).ok());
    Some(Act::Transfer { say, to: to?, ring_timeout_ms, show, closed, failed })
}

/// Names and their texts.
pub(super) fn texts(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<(String, String)> {
    let texts = fields.optional(key).and_then(|at| at.fields());
    let texts = texts.iter().flat_map(Fields::each);
    texts.filter_map(|(name, at)| Some((name.to_owned(), at.text()?.to_owned()))).collect()
}

fn party(fields: &mut Fields<'_, '_>) -> Option<Party> {
    let modes = [
        ("bridge", Mode::Bridge),
        ("bridge-and-back", Mode::BridgeAndBack),
        ("attended", Mode::Attended),
        ("blind", Mode::Blind),
    ];
    let mode = one_of(fields, "mode", &modes).unwrap_or(Mode::Bridge);
    let mut parties = Vec::new();
    for (key, make) in [
        ("group", Party::Group as fn(String, Mode) -> Party),
        ("operator", Party::Operator),
        ("extension", Party::Extension),
        ("number", Party::Number),
        ("script", |entry, _| Party::Script(entry)),
    ] {
        if let Some(name) = fields.optional(key).and_then(|at| at.text()) {
            parties.push(make(name.to_owned(), mode));
        }
    }
    if parties.len() != 1 {
        fields.fault("name exactly one of group, operator, extension, number, script");
        return None;
    }
    parties.pop()
}

fn language(fields: &mut Fields<'_, '_>, names: &Names, start: Option<NodeId>) -> Option<Act> {
    let at = fields.required("language")?;
    let tag = at.text()?;
    if tag != "@next" && !names.languages.iter().any(|language| **language == *tag) {
        at.fault(format!("{tag:?} is not @next or one of the languages {}", names.languages.join(", ")));
    }
    let then = target(&fields.required("then")?, names, start)?;
    Some(Act::Language { tag: (tag != "@next").then(|| tag.to_owned()), then })
}

/// Keys and where they lead.
pub(super) fn targets(
    fields: &Fields<'_, '_>,
    names: &Names,
    start: Option<NodeId>,
    keys_max: usize,
) -> Vec<(String, Target)> {
    let mut targets = Vec::new();
    for (key, at) in fields.each() {
        if !is_key_row(key) || key.len() > keys_max {
            at.fault(format!("{key:?} is no key; write 1 to {keys_max} of 0-9 * #"));
        } else if let Some(target) = target(&at, names, start) {
            targets.push((key.to_owned(), target));
        }
    }
    targets
}

pub(super) fn key_row<'doc>(at: &At<'doc, '_>) -> Option<&'doc str> {
    let key = at.text()?;
    if is_key_row(key) && key.len() <= KEYS_MAX {
        return Some(key);
    }
    at.fault(format!("{key:?} is no key; write 1 to {KEYS_MAX} of 0-9 * #"));
    None
}

fn is_key_row(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b'#'))
}

pub(super) fn target(at: &At<'_, '_>, names: &Names, start: Option<NodeId>) -> Option<Target> {
    match at.text()? {
        "@repeat" => Some(Target::Repeat),
        "@back" => Some(Target::Back),
        "@start" => start.map(Target::Node),
        name => {
            let node = names.node(name);
            if node.is_none() {
                let known = list(&names.nodes);
                at.fault(format!("there is no node {name:?}; known are @repeat, @back, @start, {known}"));
            }
            node.map(Target::Node)
        }
    }
}

fn spoken(fields: &mut Fields<'_, '_>, key: &'static str, names: &Names) -> Words {
    fields.required(key).map(|at| words(&at, names, Allow::Values)).unwrap_or_default()
}

pub(super) fn optional_words(fields: &mut Fields<'_, '_>, key: &'static str, names: &Names) -> Option<Words> {
    fields.optional(key).map(|at| words(&at, names, Allow::Values))
}

fn list(names: &[String]) -> String {
    names.join(", ")
}
