//! An entry of the directory.

use super::OpeningHours;
use crate::ids::Agency;
use crate::prompt::{DigitGrouping, LanguageTag, Segment};
use jiff::civil::Date;
use std::fmt;
use std::sync::Arc;

/// What an entry is about (decree, p4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntryKind {
    /// A place to go to.
    Office,
    /// What an agency does for people.
    Service,
    /// A paper that is needed or given.
    Document,
    /// How long something takes.
    Term,
    /// Who is responsible.
    Official,
    /// How to complain.
    Appeal,
    /// A frequent question and its answer.
    Faq,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Office, Self::Service, Self::Document, Self::Term, Self::Official, Self::Appeal, Self::Faq];

    /// The word for it in tables, scripts and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Service => "service",
            Self::Document => "document",
            Self::Term => "term",
            Self::Official => "official",
            Self::Appeal => "appeal",
            Self::Faq => "faq",
        }
    }

    /// Reads what [`EntryKind::as_str`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry of the directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryEntry {
    /// Its name, the same in every version.
    pub id: Arc<str>,
    /// From 1; grows with every change.
    pub version: u32,
    /// The day of the last change.
    pub updated: Date,
    /// About what.
    pub kind: EntryKind,
    /// Whose.
    pub agency: Agency,
    /// For whom: a municipality's code; everywhere where there is none.
    pub municipality: Option<Arc<str>>,
    /// Who answers for it, for notices that it is wrong.
    pub owner: Arc<str>,
    /// In a few words; a question, for frequent ones.
    pub title: Arc<str>,
    /// What is said instead of title, address, text and phone, where it is not empty.
    pub spoken: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Of an office or an official.
    pub phone: Option<Arc<str>>,
    /// Of an office.
    pub address: Option<Arc<str>>,
    /// When it is open.
    pub hours: Option<OpeningHours>,
    /// Anything else, by name: `service=passport`.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
    /// The texts' language.
    pub lang: LanguageTag,
}

impl DirectoryEntry {
    /// What is said of it.
    #[must_use]
    pub fn spoken(&self) -> Vec<Segment> {
        if !self.spoken.is_empty() {
            return vec![Segment::Text(self.spoken.to_string())];
        }
        let texts = [Some(&self.title), self.address.as_ref(), Some(&self.text)];
        let texts: Vec<&str> =
            texts.into_iter().flatten().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        let mut segments = vec![Segment::Text(texts.iter().map(|text| sentence(text)).collect::<Vec<_>>().join(" "))];
        if let Some(phone) = &self.phone {
            segments.push(Segment::Digits { digits: phone.to_string(), grouping: DigitGrouping::Phone });
        }
        segments
    }

    /// The same as one text, for whoever takes no segments.
    #[must_use]
    pub fn spoken_text(&self) -> String {
        let parts = self.spoken().into_iter().map(|segment| match segment {
            Segment::Text(text) => text,
            Segment::Digits { digits, .. } => sentence(&digits),
            _ => String::new(),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// Whether another one says the same, whatever its version and day.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let mut other = other.clone();
        (other.version, other.updated) = (self.version, self.updated);
        *self == other
    }

    /// A field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
    }
}

/// With a full stop at the end, where a voice breathes.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}
