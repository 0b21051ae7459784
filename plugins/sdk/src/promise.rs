//! Promises: callbacks, tickets, surveys. Each is durable when it answers: say nothing of it before. Needs the capability
//! "promises".

use crate::bindings::gudok::ivr::promises;
pub use crate::bindings::gudok::ivr::promises::TicketKind;
pub use crate::bindings::gudok::ivr::types::Promise;
use crate::bindings::gudok::ivr::types::{Datetime, Field};
use crate::prompt::{Grouping, IntoPrompt, Segment, spell};
use crate::{Call, Prompt, Result};

/// A callback that the host arranges with the caller in its own words: own number or another, read back, confirmed.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<Summary> {
/// match call.offer_callback("operators").topic("паспорт").ask()? {
///     Some(_) => Ok(Summary::callback_booked()),
///     None => Ok(Summary::served()),
/// }
/// # }
/// ```
pub struct CallbackOffer<'call> {
    call: &'call Call,
    offer: promises::CallbackOffer,
}

impl Call {
    /// Offers the caller to be called back by that queue's operators; nothing happens before [`CallbackOffer::ask`].
    #[must_use]
    pub fn offer_callback(&self, queue: &str) -> CallbackOffer<'_> {
        let offer =
            promises::CallbackOffer { queue: queue.to_owned(), topic: String::new(), fields: Vec::new(), intro: None };
        CallbackOffer { call: self, offer }
    }

    /// A key under which this call promises something once: the same for the same purpose, however often it is tried.
    #[must_use]
    pub fn promise_key(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.info().id)
    }
}

impl CallbackOffer<'_> {
    /// For the operator, in a few words.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.offer.topic);
        self
    }

    /// For the operator's screen.
    #[must_use]
    pub fn show(mut self, name: &str, value: impl Into<String>) -> Self {
        self.offer.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// Said before the choice, instead of the host's own first words.
    #[must_use]
    pub fn intro(mut self, words: impl IntoPrompt) -> Self {
        self.offer.intro = Some(words.into_prompt());
        self
    }

    /// Asks the caller; none wants none. The caller has been told by when.
    ///
    /// # Errors
    /// As every host call; what is not granted is [`Denied`](crate::CallError::Denied), and the caller heard nothing.
    pub fn ask(self) -> Result<Option<Promise>> {
        promises::offer_callback(self.call.raw(), &self.offer)
    }
}

/// A callback that the script has agreed with the caller by itself.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<()> {
/// let promise = Callback::by("operators", "+79131234567").topic("справка").request()?;
/// call.say(prompt!["Мы перезвоним до", time(promise.due.time)])?;
/// # Ok(()) }
/// ```
pub struct Callback(promises::CallbackRequest);

impl Callback {
    /// By that queue's operators, at this number, "+7…".
    #[must_use]
    pub fn by(queue: &str, number: &str) -> Self {
        Self(promises::CallbackRequest {
            queue: queue.to_owned(),
            number: number.to_owned(),
            topic: String::new(),
            earliest: None,
            fields: Vec::new(),
        })
    }

    /// For the operator, in a few words.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.0.topic);
        self
    }

    /// Not before.
    #[must_use]
    pub const fn not_before(mut self, moment: Datetime) -> Self {
        self.0.earliest = Some(moment);
        self
    }

    /// For the operator's screen.
    #[must_use]
    pub fn show(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// Books it, and answers by when.
    ///
    /// # Errors
    /// As every host call; [`Denied`](crate::CallError::Denied), [`Invalid`](crate::CallError::Invalid),
    /// [`Quota`](crate::CallError::Quota) where it is not promised.
    pub fn request(self) -> Result<Promise> {
        promises::request_callback(&self.0)
    }
}

/// What an agency has to answer to: registered under a number, and delivered to the agency at least once.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script(call: &Call) -> Result<()> {
/// let number = Ticket::complaint("utilities").field("address", "4217").submit(call, "complaint")?;
/// call.say(prompt!["Номер обращения:", registration_number(&number)])?;
/// # Ok(()) }
/// ```
pub struct Ticket(promises::Ticket);

impl Ticket {
    /// A complaint to that agency.
    #[must_use]
    pub fn complaint(agency: &str) -> Self {
        Self::new(TicketKind::Complaint, agency)
    }

    /// A request to that agency.
    #[must_use]
    pub fn request(agency: &str) -> Self {
        Self::new(TicketKind::Request, agency)
    }

    /// An entry of the directory is wrong, in the version that the caller heard.
    #[must_use]
    pub fn outdated(agency: &str, entry: &str, version: u32) -> Self {
        let mut ticket = Self::new(TicketKind::OutdatedInformation, agency);
        ticket.0.directory_entry = Some(promises::EntryVersion { id: entry.to_owned(), version });
        ticket
    }

    fn new(kind: TicketKind, agency: &str) -> Self {
        Self(promises::Ticket {
            kind,
            to_agency: agency.to_owned(),
            municipality: None,
            contact: None,
            fields: Vec::new(),
            recordings: Vec::new(),
            directory_entry: None,
        })
    }

    /// Code of the municipality that it is about.
    #[must_use]
    pub fn municipality(mut self, code: &str) -> Self {
        self.0.municipality = Some(code.to_owned());
        self
    }

    /// At which number the caller wants the answer, "+7…".
    #[must_use]
    pub fn contact(mut self, number: Option<&str>) -> Self {
        self.0.contact = number.map(str::to_owned);
        self
    }

    /// Whatever else the agency needs.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }

    /// A recording of this call, by its id.
    #[must_use]
    pub fn recording(mut self, id: &str) -> Self {
        self.0.recordings.push(id.to_owned());
        self
    }

    /// Registers it, and answers the registration number. In one call, the same purpose is the same ticket.
    ///
    /// # Errors
    /// As every host call; [`Denied`](crate::CallError::Denied) for an agency that is not granted.
    pub fn submit(self, call: &Call, purpose: &str) -> Result<String> {
        promises::submit_ticket(&self.0, &call.promise_key(purpose))
    }
}

/// The answers of one caller to one survey.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// # fn script() -> Result<()> {
/// Survey::new("talk").score("operator", 5).submit()
/// # }
/// ```
pub struct Survey {
    name: String,
    answers: Vec<promises::SurveyAnswer>,
}

impl Survey {
    /// No answers yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), answers: Vec::new() }
    }

    /// A mark.
    #[must_use]
    pub fn score(self, question: &str, score: i32) -> Self {
        self.answer(question, Some(score), None)
    }

    /// A recording of this call.
    #[must_use]
    pub fn recording(self, question: &str, id: &str) -> Self {
        self.answer(question, None, Some(id.to_owned()))
    }

    fn answer(mut self, question: &str, score: Option<i32>, recording: Option<String>) -> Self {
        self.answers.push(promises::SurveyAnswer { question: question.to_owned(), score, text: None, recording });
        self
    }

    /// Keeps the answers; later ones of the same call take their place.
    ///
    /// # Errors
    /// As every host call; [`Denied`](crate::CallError::Denied) for a survey that is not granted.
    pub fn submit(self) -> Result<()> {
        promises::submit_survey(&self.name, &self.answers)
    }
}

/// A registration number for the ear: letters are spelled, digits said one by one: "К-2026-000123".
#[must_use]
pub fn registration_number(number: &str) -> Prompt {
    let mut said = Prompt::new();
    for part in number.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        let piece = if part.bytes().all(|byte| byte.is_ascii_digit()) { one_by_one(part) } else { spell(part) };
        said = said.with(piece);
    }
    said.private()
}

fn one_by_one(row: &str) -> Segment {
    Segment::Digits(crate::bindings::gudok::ivr::prompts::DigitsSpec {
        digits: row.to_owned(),
        grouping: Grouping::OneByOne,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_number_is_read_digit_by_digit() {
        let said = registration_number("К-2026-000123");
        assert_eq!(said.segments, [spell("К"), one_by_one("2026"), one_by_one("000123")]);
        assert!(!said.cacheable, "it is said once");
    }
}
