//! Reference data that admins import: offices, services, frequent questions, by municipality. Needs the capability
//! "directory".
//!
//! ```
//! # use gudok_sdk::prelude::*;
//! # use gudok_sdk::directory::Query;
//! # fn script(call: &Call) -> Result<()> {
//! let offices = Query::of(call).municipality("novokuznetsk").offices(&[("agency", "mfc")])?;
//! for office in &offices {
//!     call.say(prompt![&office.name, &office.address])?;
//! }
//! # Ok(()) }
//! ```

use crate::bindings::gudok::ivr::directory;
pub use crate::bindings::gudok::ivr::directory::{Answer as Found, DayHours, Entry, EntryKind, Office};
use crate::call::fields;
use crate::{Call, Datetime, Result};

/// Answers of one question where the script does not say.
const LIMIT_DEFAULT: u8 = 5;

/// A question to the directory.
#[derive(Clone, Debug)]
pub struct Query {
    lang: String,
    municipality: Option<String>,
    limit: u8,
}

impl Query {
    /// In the language that the caller is spoken to in.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { lang: call.language(), municipality: None, limit: LIMIT_DEFAULT }
    }

    /// For that municipality, by its code; what holds for all is found too.
    #[must_use]
    pub fn municipality(mut self, code: &str) -> Self {
        self.municipality = Some(code.to_owned());
        self
    }

    /// At most so many answers, 1 to 20.
    #[must_use]
    pub const fn limit(mut self, answers: u8) -> Self {
        self.limit = answers;
        self
    }

    /// Offices that have all these values.
    ///
    /// # Errors
    /// As every host call.
    pub fn offices(&self, having: &[(&str, &str)]) -> Result<Vec<Office>> {
        directory::find_offices(&fields(having), self.municipality.as_deref(), &self.lang, self.limit)
    }

    /// Entries of that kind, on a topic or on all.
    ///
    /// # Errors
    /// As every host call.
    pub fn entries(&self, kind: EntryKind, topic: Option<&str>) -> Result<Vec<Entry>> {
        directory::find_entries(kind, topic, self.municipality.as_deref(), &self.lang, self.limit)
    }

    /// Frequent questions by their words, the best first.
    ///
    /// # Errors
    /// As every host call.
    pub fn faq(&self, words: &str) -> Result<Vec<Found>> {
        directory::search_faq(words, &self.lang, self.municipality.as_deref(), self.limit)
    }
}

/// Whether a calendar of this agency or of the centre is open at a moment.
///
/// # Errors
/// As every host call; [`NotFound`](crate::CallError::NotFound) where there is none of that name.
pub fn is_open(calendar: &str, at: Datetime) -> Result<bool> {
    directory::is_open(calendar, at)
}
