//! The tree as it is walked: every name resolved, every piece checked.

use gudok_sdk::{Date, IntoPrompt, Prompt, Segment, TimeOfDay, Transfer, choose};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A whole menu.
#[derive(Debug)]
pub struct Tree {
    pub(crate) start: NodeId,
    pub(crate) languages: Vec<Rc<str>>,
    /// Keys that work in every question that does not use them itself.
    pub(crate) keys: Vec<(String, Target)>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) tables: Vec<Vec<Row>>,
}

/// A node's place in [`Tree::nodes`].
pub(crate) type NodeId = usize;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) act: Act,
}

/// What happens at a node.
#[derive(Debug)]
pub(crate) enum Act {
    Menu {
        question: Question,
        choices: Vec<(String, Target)>,
    },
    /// A menu of a table's rows; the chosen row's cells become the values.
    Table {
        question: Question,
        each: Words,
        table: usize,
        then: Target,
    },
    Say {
        words: Words,
        uninterrupted: bool,
        then: Target,
    },
    Transfer {
        say: Words,
        to: Party,
        ring_timeout_ms: Option<u32>,
        show: Vec<(String, String)>,
        closed: Target,
        failed: Target,
    },
    /// Without a tag: the language after the one that is spoken.
    Language {
        tag: Option<String>,
        then: Target,
    },
    Hours {
        week: Week,
        open: Target,
        closed: Target,
    },
    Queue(Wait),
    Callback(Offer),
    Directory(Lookup),
    /// What was found last is wrong: a notice to its owner.
    Wrong {
        to: String,
        then: Target,
        failed: Target,
    },
    Complaint(Complaint),
    Survey(Survey),
    Pace {
        pace: PaceChange,
        then: Target,
    },
    Hangup {
        words: Words,
    },
}

/// Waiting for an operator.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) say: Words,
    pub(crate) queue: String,
    pub(crate) priority: u8,
    pub(crate) skills: Vec<(String, u8)>,
    pub(crate) music: Option<String>,
    pub(crate) show: Vec<(String, String)>,
    /// Where the caller goes on after the talk; none: the call ends with it.
    pub(crate) then: Option<Target>,
    pub(crate) closed: Target,
    pub(crate) full: Target,
    /// The queue is not to be had at all.
    pub(crate) failed: Target,
}

/// A callback that the host arranges.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) queue: String,
    pub(crate) topic: String,
    pub(crate) intro: Words,
    pub(crate) booked: Target,
    pub(crate) declined: Target,
    pub(crate) failed: Target,
}

/// A question to the directory. What is found becomes the values `found_…`.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) what: LookupOf,
    /// A municipality's code, or the cell that holds it.
    pub(crate) municipality: Option<Municipality>,
    pub(crate) then: Target,
    pub(crate) nothing: Target,
    pub(crate) failed: Target,
}

/// What is looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LookupOf {
    /// An office that has all these values.
    Office(Vec<(String, String)>),
    /// An entry of a kind, on a topic or on any.
    Entry(gudok_sdk::directory::EntryKind, Option<String>),
    /// The best answer to these words.
    Faq(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Municipality {
    Code(String),
    Cell(String),
}

/// A complaint in the caller's own voice.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) to: String,
    pub(crate) say: Words,
    /// Asked first, where it is there.
    pub(crate) consent: Words,
    pub(crate) seconds_max: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) then: Target,
    pub(crate) refused: Target,
    pub(crate) failed: Target,
}

/// One question of a survey, answered with a key from 1 on.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) question: Question,
    pub(crate) survey: String,
    /// The question's name.
    pub(crate) name: String,
    pub(crate) marks: u8,
    pub(crate) then: Target,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PaceChange {
    Slow,
    Normal,
    /// To the other one.
    Other,
}

impl Act {
    /// Whether the caller can come back to it.
    pub(crate) const fn is_question(&self) -> bool {
        matches!(self, Self::Menu { .. } | Self::Table { .. } | Self::Survey(_))
    }
}

/// What a menu and a table have in common.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) words: Words,
    pub(crate) asking: Asking,
    pub(crate) otherwise: Target,
}

/// How patiently is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) attempts: u8,
    pub(crate) first_timeout_ms: u32,
    pub(crate) digit_gap_ms: u32,
    // Most questions share the words of the whole menu.
    pub(crate) no_input: Rc<Words>,
    pub(crate) no_match: Rc<Words>,
}

/// Where a choice leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    Node(NodeId),
    /// The same question again.
    Repeat,
    /// The question before this one.
    Back,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Party {
    Group(String, Mode),
    Operator(String, Mode),
    Extension(String, Mode),
    Number(String, Mode),
    Script(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Bridge,
    BridgeAndBack,
    Attended,
    Blind,
}

impl Party {
    pub(crate) fn transfer(&self) -> Transfer {
        let (transfer, mode) = match self {
            Self::Group(name, mode) => (Transfer::to_group(name), *mode),
            Self::Operator(name, mode) => (Transfer::to_operator(name), *mode),
            Self::Extension(name, mode) => (Transfer::to_extension(name), *mode),
            Self::Number(number, mode) => (Transfer::to_number(number), *mode),
            Self::Script(entry) => (Transfer::to_script(entry), Mode::Bridge),
        };
        match mode {
            Mode::Bridge => transfer,
            Mode::BridgeAndBack => transfer.and_back(),
            Mode::Attended => transfer.attended(),
            Mode::Blind => transfer.blind(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) cells: Values,
}

/// What `{ value = "…" }` stands for.
pub(crate) type Values = BTreeMap<String, Words>;

/// The value that a table's key has while its rows are listed.
pub(crate) const KEY: &str = "key";
/// The value that a transfer to closed operators leaves: from when they work.
pub(crate) const OPERATORS_OPEN: &str = "operators_open";
/// The value that a notice or a complaint leaves: its registration number.
pub(crate) const TICKET_NUMBER: &str = "ticket_number";
/// The value that a booked callback leaves: until when the caller is called.
pub(crate) const CALLBACK_DUE: &str = "callback_due";
/// Values that a directory entry leaves begin so.
pub(crate) const FOUND: &str = "found_";

/// Whether a name is one that the menu sets by itself.
pub(crate) fn is_own_value(name: &str) -> bool {
    [OPERATORS_OPEN, TICKET_NUMBER, CALLBACK_DUE].contains(&name) || name.starts_with(FOUND)
}

/// What is said, by language. Empty for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// With the tag "" where the words are the same in every language.
    pub(crate) by_language: Vec<(Rc<str>, Vec<Piece>)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Segment(Segment),
    Value(String),
    /// Said only where the value is known.
    IfKnown(String, Vec<Piece>),
}

impl Words {
    pub(crate) fn of_any_language(pieces: Vec<Piece>) -> Self {
        Self { by_language: vec![(Rc::from(""), pieces)] }
    }

    pub(crate) fn prompt(&self, language: &str, values: &Values) -> Prompt {
        let mut prompt = Prompt::new();
        self.add_to(&mut prompt, language, values);
        prompt
    }

    /// A cell as plain text: a code.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.by_language.first()?.1.first()? {
            Piece::Segment(Segment::Text(text)) => Some(text),
            Piece::Segment(Segment::Digits(row)) => Some(&row.digits),
            _ => None,
        }
    }

    fn add_to(&self, prompt: &mut Prompt, language: &str, values: &Values) {
        let pieces = choose(language, &self.by_language).map(Vec::as_slice).unwrap_or_default();
        add_pieces(pieces, prompt, language, values);
    }
}

/// Values hold no values themselves (`read` sees to it), so this ends.
fn add_pieces(pieces: &[Piece], prompt: &mut Prompt, language: &str, values: &Values) {
    for piece in pieces {
        match piece {
            Piece::Segment(segment) => segment.clone().add_to(prompt),
            Piece::Value(name) => {
                if let Some(words) = values.get(name) {
                    words.add_to(prompt, language, values);
                }
            }
            Piece::IfKnown(name, pieces) if values.contains_key(name) => add_pieces(pieces, prompt, language, values),
            Piece::IfKnown(..) => {}
        }
    }
}

/// Opening hours: by weekday from Monday, and of single days. In minutes since midnight, the end not included.
#[derive(Debug, Default)]
pub(crate) struct Week {
    pub(crate) days: [Vec<(u16, u16)>; 7],
    pub(crate) exceptions: Vec<(Date, Vec<(u16, u16)>)>,
}

impl Week {
    pub(crate) fn is_open(&self, date: Date, time: TimeOfDay) -> bool {
        let exception = self.exceptions.iter().find(|(day, _)| *day == date).map(|(_, spans)| spans);
        let spans = exception.or_else(|| self.days.get(usize::from(date.weekday())));
        spans.is_some_and(|spans| spans.iter().any(|(from, to)| (*from..*to).contains(&time.minutes())))
    }
}
