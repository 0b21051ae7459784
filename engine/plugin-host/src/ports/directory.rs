//! The directory as scripts ask it.

use super::{BoxFuture, Nothing};
use gudok_core::ids::Agency;
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::{Date, LanguageTag};
use gudok_core::time::Timestamp;
use std::sync::Arc;

/// The WIT's `entry-kind`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum EntryKind {
    Office,
    Service,
    Document,
    Term,
    Official,
    Appeal,
    Faq,
}

/// What is common to all questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Whose script asks. What is in the directory is public; it decides nothing but whose calendar is meant.
    pub agency: Agency,
    /// Entries of this municipality first, then those that hold for all; none: only those that hold for all, and where
    /// there are none of those, any.
    pub municipality: Option<Arc<str>>,
    /// In which language; the centre's own where an entry is not there in it.
    pub lang: LanguageTag,
    /// At most so many answers, 1 to 20.
    pub answers_max: u8,
    /// At which moment it is asked.
    pub now: Timestamp,
}

/// Working hours of one weekday.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayHours {
    /// 1 is Monday.
    pub weekday: u8,
    /// Hour and minute.
    pub from: (u8, u8),
    /// Hour and minute; 0:00 is the day's end.
    pub to: (u8, u8),
}

/// The WIT's `office`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct Office {
    pub id: Arc<str>,
    pub version: u32,
    pub updated: Date,
    pub name: Arc<str>,
    pub spoken: Arc<str>,
    pub address: Arc<str>,
    pub phone: Option<PhoneNumber>,
    pub hours: Vec<DayHours>,
    pub open_now: bool,
    pub opens_next: Option<Timestamp>,
    pub fields: Vec<(Arc<str>, Arc<str>)>,
}

/// The WIT's `entry`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct DirectoryEntry {
    pub id: Arc<str>,
    pub version: u32,
    pub updated: Date,
    pub kind: EntryKind,
    pub title: Arc<str>,
    pub spoken: Arc<str>,
    pub fields: Vec<(Arc<str>, Arc<str>)>,
}

/// The WIT's `answer`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct FaqAnswer {
    pub id: Arc<str>,
    pub version: u32,
    pub updated: Date,
    pub title: Arc<str>,
    pub spoken: Arc<str>,
    /// 0 to 100.
    pub score: u8,
}

/// Why there is no answer. The texts reach the script: nothing of the host's own in them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No calendar of that name; names it.
    #[error("{0}")]
    NotFound(String),
    /// The question makes no sense; says why.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be read; says why.
    #[error("{0}")]
    Unavailable(String),
}

/// Reference data, by municipality.
pub trait DirectoryPort: Send + Sync {
    /// Offices that have all these values: `agency`, `id`, or any of the entry's own fields.
    fn find_offices(
        &self,
        query: Vec<(Arc<str>, Arc<str>)>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>>;
    /// Entries of a kind, on a topic (the entry's field `topic`) or on all.
    fn find_entries(
        &self,
        kind: EntryKind,
        topic: Option<Arc<str>>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>>;
    /// Full-text search, the best first.
    fn search_faq(&self, query: Arc<str>, scope: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>>;
    /// Whether a calendar of the agency, or else of the centre, is open at a moment.
    fn is_open<'a>(
        &'a self,
        agency: &'a Agency,
        calendar: &'a str,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>>;
}

/// For hosts without a directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory(pub Nothing);

impl NoDirectory {
    fn answer<'a, T: Send + 'a>(self) -> BoxFuture<'a, Result<T, DirectoryError>> {
        self.0.answer(|| DirectoryError::Unavailable("this host has no directory".into()))
    }
}

impl DirectoryPort for NoDirectory {
    fn find_offices(
        &self,
        _: Vec<(Arc<str>, Arc<str>)>,
        _: Scope,
    ) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>> {
        self.answer()
    }
    fn find_entries(
        &self,
        _: EntryKind,
        _: Option<Arc<str>>,
        _: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>> {
        self.answer()
    }
    fn search_faq(&self, _: Arc<str>, _: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>> {
        self.answer()
    }
    fn is_open<'a>(&'a self, _: &'a Agency, _: &'a str, _: Timestamp) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        self.answer()
    }
}
