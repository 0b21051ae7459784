//! Promises as scripts make them: tickets and surveys. Callbacks are the centre's, and go by the call's machine.

use super::{BoxFuture, Nothing};
use gudok_core::ids::{Agency, CallId, ScriptVersion};
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::LanguageTag;
use std::sync::Arc;

/// In which call, and by whose script, something is promised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromiseSource {
    /// The call.
    pub call: CallId,
    /// Whose script.
    pub agency: Agency,
    /// The script.
    pub version: ScriptVersion,
    /// Who calls; none where it was withheld.
    pub caller: Option<PhoneNumber>,
    /// In which language the caller is spoken to.
    pub lang: LanguageTag,
}

/// The WIT's `ticket-kind`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum TicketKind {
    Complaint,
    OutdatedInformation,
    Request,
}

impl TicketKind {
    /// As the WIT writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::OutdatedInformation => "outdated-information",
            Self::Request => "request",
        }
    }
}

/// An entry of the directory, as the caller heard it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryVersion {
    /// The entry.
    pub id: Arc<str>,
    /// Which of its versions.
    pub version: u32,
}

/// A ticket that passed the gate and its limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTicket {
    /// Who registers it.
    pub source: PromiseSource,
    /// What it is.
    pub kind: TicketKind,
    /// Whom it is for.
    pub to_agency: Agency,
    /// What it is about; a municipality's code.
    pub municipality: Option<Arc<str>>,
    /// At which number the caller wants the answer. E.164.
    pub contact: Option<PhoneNumber>,
    /// Names and values, as the script wrote them: what a person entered, so not for logs.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
    /// Ids of recordings. Whether they are of this call is for the port to look at.
    pub recordings: Vec<Arc<str>>,
    /// Which entry is wrong.
    pub entry: Option<EntryVersion>,
    /// The same key of the same agency's script is the same ticket.
    pub idempotency_key: Arc<str>,
}

/// The WIT's `survey-answer`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SurveyAnswer {
    /// The question's name.
    pub question: Arc<str>,
    /// A mark.
    pub score: Option<i32>,
    /// In words.
    pub text: Option<Arc<str>>,
    /// Spoken: a recording of this call.
    pub recording: Option<Arc<str>>,
}

/// The answers of one caller to one survey; a later one of the same call takes its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SurveyResult {
    /// In which call.
    pub source: PromiseSource,
    /// Which survey, by its name in the grant.
    pub survey: Arc<str>,
    /// The answers.
    pub answers: Vec<SurveyAnswer>,
}

/// Why nothing is promised. The texts reach the script: nothing of the host's own in them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PromiseError {
    /// A recording, agency or entry that is not there; names it.
    #[error("{0}")]
    NotFound(String),
    /// An allowance is used up; names it.
    #[error("{0}")]
    Quota(String),
    /// It makes no sense; says why.
    #[error("{0}")]
    Invalid(String),
    /// It could not be written down; says why.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps promises. What it answers is durable.
pub trait PromisesPort: Send + Sync {
    /// Registers a ticket and answers its registration number, "К-2026-000123".
    fn submit_ticket(&self, ticket: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>>;
    /// Keeps the answers to a survey.
    fn submit_survey(&self, survey: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>>;
}

/// For hosts that promise nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPromises(pub Nothing);

impl NoPromises {
    fn answer<'a, T: Send + 'a>(self) -> BoxFuture<'a, Result<T, PromiseError>> {
        self.0.answer(|| PromiseError::Unavailable("this host keeps no promises".into()))
    }
}

impl PromisesPort for NoPromises {
    fn submit_ticket(&self, _: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>> {
        self.answer()
    }
    fn submit_survey(&self, _: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>> {
        self.answer()
    }
}
