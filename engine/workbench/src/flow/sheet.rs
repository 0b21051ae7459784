//! What is drawn: places in a dialog, and the ways between them. Made of a discovered flow ([`super::fold`]), and of two
//! ([`super::difference`]); drawn by the neighbours, which know nothing of exploring.

use super::words::Lang;
use serde::Serialize;

/// A dialog, ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Whose dialog.
    pub title: String,
    /// What was looked at, in words.
    pub subtitle: String,
    /// In order of discovery; the first is where a call begins.
    pub places: Vec<Place>,
    /// Between places, by their index.
    pub ways: Vec<Way>,
    /// What the picture leaves out, in words.
    pub notes: Vec<String>,
    /// It shows what differs between two versions.
    pub compares: bool,
}

/// What a place looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A call comes in.
    Start,
    /// The caller is asked.
    Question,
    /// The caller is told.
    #[default]
    Message,
    /// A person, or a queue for one.
    Operator,
    /// A script hands the caller on to something else than an operator.
    Transfer,
    /// An agency's system is asked.
    BackEnd,
    /// Something is promised: a callback, a ticket.
    Promise,
    /// The caller speaks, and is recorded.
    Recording,
    /// Everything of one step, as one place.
    Step,
    /// The call is over.
    End,
}

impl Shape {
    /// All, in the order of the legend.
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::Question,
        Self::Message,
        Self::BackEnd,
        Self::Operator,
        Self::Transfer,
        Self::Promise,
        Self::Recording,
        Self::Step,
        Self::End,
    ];

    /// In the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Question => "question",
            Self::Message => "message",
            Self::Operator => "operator",
            Self::Transfer => "transfer",
            Self::BackEnd => "back-end",
            Self::Promise => "promise",
            Self::Recording => "recording",
            Self::Step => "step",
            Self::End => "end",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Start => lang.of("Звонок", "A call"),
            Self::Question => lang.of("Вопрос", "Question"),
            Self::Message => lang.of("Сообщение", "Message"),
            Self::Operator => lang.of("Оператор", "Operator"),
            Self::Transfer => lang.of("Перевод", "Hand-over"),
            Self::BackEnd => lang.of("Запрос в систему", "Asks a system"),
            Self::Promise => lang.of("Обещание", "Promise"),
            Self::Recording => lang.of("Запись голоса", "Recording"),
            Self::Step => lang.of("Шаг", "Step"),
            Self::End => lang.of("Конец звонка", "End of the call"),
        }
    }
}

/// What became of something between two versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing.
    #[default]
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its words are others.
    Changed,
}

impl Change {
    /// In the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Same => lang.of("без изменений", "as it was"),
            Self::Added => lang.of("новое", "new"),
            Self::Removed => lang.of("убрано", "gone"),
            Self::Changed => lang.of("изменено", "changed"),
        }
    }
}

/// A place in a dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// What it looks like.
    pub shape: Shape,
    /// The script's name for the step that it is in.
    pub step: Option<String>,
    /// Few words.
    pub title: String,
    /// All that is said there.
    pub said: String,
    /// The language that it is said in; empty where none is known.
    pub lang: String,
    /// What to do in a call to get there, as `--keys` takes it.
    pub keys: String,
    /// The command that gets there.
    pub replay: String,
    /// What is wrong there.
    pub flaws: Vec<Flaw>,
    /// Ways that are told in the place instead of being drawn.
    pub links: Vec<Link>,
    /// Between two versions.
    pub change: Change,
    /// What was said there before, where that is something else.
    pub was: Option<String>,
    /// How many places of the discovered flow are one here.
    pub of: usize,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// What kind of: `dead-end`.
    pub kind: String,
    /// The kind, for people.
    pub name: String,
    /// In words.
    pub message: String,
    /// The command that shows it.
    pub replay: String,
}

/// A way that is told in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What takes it.
    pub labels: Vec<Label>,
    /// The place where it leads.
    pub to: usize,
    /// No caller wants to go it.
    pub trouble: bool,
    /// Between two versions.
    pub change: Change,
}

/// A way from place to place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// From this place.
    pub from: usize,
    /// To that one.
    pub to: usize,
    /// What takes it.
    pub labels: Vec<Label>,
    /// The way that most go.
    pub usual: bool,
    /// No caller wants to go it: silence, a wrong key, a system that fails.
    pub trouble: bool,
    /// Between two versions.
    pub change: Change,
}

/// What takes a way: a key, or an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The keys; none where it is no matter of keys.
    pub key: Option<String>,
    /// What it stands for; empty where nobody says.
    pub text: String,
}

impl Label {
    /// A key and what it stands for.
    #[must_use]
    pub fn key(key: &str, text: &str) -> Self {
        Self { key: Some(key.to_owned()), text: text.to_owned() }
    }

    /// What is shown of what it stands for: a mere number, as SDKs count the items of a menu, tells nobody anything.
    #[must_use]
    pub fn told(&self) -> &str {
        let number = self.text.bytes().all(|byte| byte.is_ascii_digit());
        if self.key.is_some() && number { "" } else { &self.text }
    }

    /// An outcome.
    #[must_use]
    pub fn outcome(text: &str) -> Self {
        Self { key: None, text: text.to_owned() }
    }
}
