//! Scripts' and people's ways in.

use super::register::Unregistered;
use super::{Origin, Promises};
use crate::clock::millis;
use gudok_admin::documents::{SurveyAnswerDocument, SurveyDocument, TicketDocument, TicketRecordingDocument, kinds};
use gudok_admin::names::AgencyName;
use gudok_admin::ports::{Actor, EngineRefusal, TicketNumber, TicketOrder};
use gudok_core::ids::CallId;
use gudok_core::privacy::PhoneNumber;
use gudok_core::ticket::{self, FIELDS_BYTES_MAX};
use gudok_plugin_host::ports::{
    BoxFuture, NewTicket, PromiseError, PromiseSource, PromisesPort, SurveyAnswer, SurveyResult, TicketKind,
};
use gudok_store::{LedgerChange, Party, Put, StoreError};
use std::str::FromStr;
use std::sync::Arc;

/// The fields by which a script says what the document has places of its own for.
const TOPIC_FIELD: &str = "topic";
const TEXT_FIELD: &str = "text";
/// Marks of a survey that are kept as marks.
const SCORE_MAX: i32 = 255;

impl PromisesPort for Promises {
    fn submit_ticket(&self, ticket: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>> {
        Box::pin(async move {
            let origin = Origin::Script {
                agency: ticket.source.agency.clone(),
                script: Arc::from(ticket.source.version.script.as_str()),
            };
            let (kind, document) = (kind_of(ticket.kind), self.of_script(&ticket)?);
            let number =
                self.register(&origin, &ticket.idempotency_key, kind, document).await.map_err(promise_error)?;
            Ok(number.into())
        })
    }

    fn submit_survey(&self, survey: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>> {
        Box::pin(async move {
            let source = &survey.source;
            let id = format!("{}/{}/{}", source.agency, source.call, survey.survey);
            let document = SurveyDocument {
                agency: name_of(source.agency.as_str())?,
                survey: survey.survey.to_string(),
                call: source.call.to_string(),
                at_ms: self.now().0,
                answers: survey.answers.iter().map(|answer| self.answer(source, answer)).collect::<Result<_, _>>()?,
            };
            let body = serde_json::to_vec(&document).map_err(|error| PromiseError::Invalid(error.to_string()))?;
            let put = Put { kind: kinds::SURVEY.to_owned(), id, body, expires: None };
            let change = LedgerChange { puts: vec![put], ..LedgerChange::default() };
            self.store.ledger_commit(change, self.now()).await.map_err(|error| of_store(&error))?;
            super::figures::survey_answered(&source.agency);
            Ok(())
        })
    }
}

impl Promises {
    fn of_script(&self, ticket: &NewTicket) -> Result<TicketDocument, PromiseError> {
        let source = &ticket.source;
        let recordings = ticket.recordings.iter().map(|id| self.recording(source.call, id));
        let (mut topic, mut text) = (String::new(), String::new());
        let mut fields = std::collections::BTreeMap::new();
        for (name, value) in &ticket.fields {
            match &**name {
                TOPIC_FIELD => topic = value.to_string(),
                TEXT_FIELD => text = value.to_string(),
                name if fields.insert(name.to_owned(), value.to_string()).is_none() => {}
                name => return Err(PromiseError::Invalid(format!("fields has {name:?} twice"))),
            }
        }
        check_fields(&fields, &topic, &text)?;
        if ticket.kind == TicketKind::OutdatedInformation && ticket.entry.is_none() {
            return Err(PromiseError::Invalid(ticket::TicketRefusal::NoEntry.to_string()));
        }
        Ok(TicketDocument {
            agency: name_of(ticket.to_agency.as_str())?,
            number: String::new(),
            kind: ticket.kind.as_str().to_owned(),
            topic,
            text,
            fields,
            caller: self.person(ticket.contact.as_ref(), source.caller.as_ref()),
            lang: source.lang.to_string(),
            municipality: ticket.municipality.as_ref().map(ToString::to_string),
            entry: ticket.entry.as_ref().map(|entry| entry.id.to_string()),
            entry_version: ticket.entry.as_ref().map(|entry| u64::from(entry.version)),
            call: Some(source.call.to_string()),
            recordings: recordings.collect::<Result<_, _>>()?,
            created_ms: 0,
            created_by: format!("script {} {}", source.version.script.as_str(), source.version.version),
            key_sha256: String::new(),
        })
    }

    /// Who wants the answer, sealed; or who called, masked: nobody is called back who did not ask for it.
    fn person(&self, contact: Option<&PhoneNumber>, caller: Option<&PhoneNumber>) -> Option<Party> {
        let canonical = |number: &PhoneNumber| self.plan.normalise(number.reveal());
        match (contact, caller) {
            (Some(contact), _) => {
                let number = canonical(contact).unwrap_or_else(|| contact.clone());
                self.subjects.sealed(&number)
            }
            (None, Some(caller)) => Some(self.subjects.party(caller, canonical(caller).as_ref())),
            (None, None) => None,
        }
    }

    /// A recording of that very call.
    fn recording(&self, call: CallId, id: &Arc<str>) -> Result<TicketRecordingDocument, PromiseError> {
        let found = self.live.watch(call).and_then(|watch| watch.recording(id));
        let found = found.ok_or_else(|| PromiseError::NotFound(format!("recording {id:?} is none of this call's")))?;
        Ok(TicketRecordingDocument {
            name: found.id.to_string(),
            sha256: crate::hex::hex(&found.sha256),
            duration_ms: millis(found.duration),
        })
    }

    fn answer(&self, source: &PromiseSource, answer: &SurveyAnswer) -> Result<SurveyAnswerDocument, PromiseError> {
        let score = answer.score.map(|score| match score {
            0..=SCORE_MAX => Ok(u8::try_from(score).unwrap_or(u8::MAX)),
            _ => Err(PromiseError::Invalid(format!("score is {score}; it is 0 to {SCORE_MAX}"))),
        });
        let mut text = answer.text.as_deref().unwrap_or_default().to_owned();
        if let Some(recording) = &answer.recording {
            let spoken = self.recording(source.call, recording)?;
            if text.is_empty() {
                text = format!("recording:{}", spoken.name);
            }
        }
        Ok(SurveyAnswerDocument { question: answer.question.to_string(), score: score.transpose()?, text })
    }

    /// A person registers a ticket for a caller.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub(crate) async fn submit(&self, actor: Actor, order: TicketOrder) -> Result<TicketNumber, EngineRefusal> {
        let invalid = |field: &str, problem: &str| refused("invalid-field", 422, Some(field), problem, "mend it");
        let kind =
            ticket::TicketKind::parse(&order.kind).ok_or_else(|| invalid("kind", "This is no kind of ticket."))?;
        let agency = AgencyName::from_str(&order.agency);
        let agency = agency.map_err(|_| invalid("agency", "This is no name of an agency."))?;
        check_fields(&order.fields, &order.topic, &order.text)
            .map_err(|error| invalid("fields", &error.to_string()))?;
        let document = TicketDocument {
            agency,
            number: String::new(),
            kind: kind.as_str().to_owned(),
            topic: order.topic,
            text: order.text,
            fields: order.fields,
            caller: self.person(order.number.as_ref(), None),
            lang: order.lang.unwrap_or_default(),
            municipality: None,
            entry: order.entry.as_ref().map(|(id, _)| id.clone()),
            entry_version: order.entry.as_ref().map(|(_, version)| *version),
            call: order.call.map(|call| call.to_string()),
            recordings: Vec::new(),
            created_ms: 0,
            created_by: actor.name.clone(),
            key_sha256: String::new(),
        };
        let origin = Origin::Person { name: actor.name, via: actor.via };
        let agency = order.agency;
        match self.register(&origin, &order.idempotency_key, kind, document).await {
            Ok(number) => Ok(TicketNumber { agency, number }),
            Err(Unregistered::Store(error)) => Err(crate::director::of_store("registering the ticket", &error)),
            Err(Unregistered::Key) => Err(invalid("idempotency_key", &Unregistered::Key.to_string())),
            Err(full @ Unregistered::Full(_)) => Err(refused(
                "conflict",
                409,
                None,
                &full.to_string(),
                "look at the deliveries that fail, and at their agencies' webhooks",
            )),
            Err(damaged @ Unregistered::Damaged(_)) => {
                Err(crate::director::internal("registering the ticket", damaged))
            }
        }
    }

    /// A delivery that was given up is tried again.
    ///
    /// # Errors
    /// Where there is none, or it was not given up.
    pub(crate) async fn retry(&self, id: String) -> Result<(), EngineRefusal> {
        use super::outbox::RetryRefusal;
        match self.outbox.retry(id).await {
            Ok(()) => Ok(()),
            Err(RetryRefusal::Unknown) => {
                Err(refused("not-found", 404, None, "There is no such delivery.", "look at the list of deliveries"))
            }
            Err(RetryRefusal::NotDead) => Err(refused(
                "conflict",
                409,
                None,
                "The delivery was not given up.",
                "wait: the engine tries it by itself",
            )),
            Err(RetryRefusal::Store(error)) => Err(crate::director::of_store("sending it again", &error)),
        }
    }
}

fn refused(code: &'static str, status: u16, field: Option<&str>, problem: &str, remedy: &str) -> EngineRefusal {
    EngineRefusal {
        code,
        status,
        field: field.map(str::to_owned),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
        report: None,
    }
}

fn check_fields(
    fields: &std::collections::BTreeMap<String, String>,
    topic: &str,
    text: &str,
) -> Result<(), PromiseError> {
    let bytes: usize =
        fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + topic.len() + text.len();
    if fields.len() > ticket::FIELDS_MAX || bytes > FIELDS_BYTES_MAX {
        return Err(PromiseError::Invalid(ticket::TicketRefusal::Fields.to_string()));
    }
    Ok(())
}

const fn kind_of(kind: TicketKind) -> ticket::TicketKind {
    match kind {
        TicketKind::Complaint => ticket::TicketKind::Complaint,
        TicketKind::OutdatedInformation => ticket::TicketKind::OutdatedInformation,
        TicketKind::Request => ticket::TicketKind::Request,
    }
}

fn name_of(agency: &str) -> Result<AgencyName, PromiseError> {
    AgencyName::from_str(agency).map_err(|_| PromiseError::NotFound(format!("agency {agency:?}")))
}

fn promise_error(error: Unregistered) -> PromiseError {
    match error {
        Unregistered::Key => PromiseError::Invalid(error.to_string()),
        Unregistered::Full(_) => PromiseError::Unavailable("tickets: too many wait for their agencies".into()),
        Unregistered::Store(error) => of_store(&error),
        Unregistered::Damaged(what) => {
            tracing::error!(what, "a document of the ledger is not understood; no ticket is registered");
            PromiseError::Unavailable("tickets: out of order".into())
        }
    }
}

/// In words that say nothing of the host's own.
fn of_store(error: &StoreError) -> PromiseError {
    match error {
        StoreError::DiskLow { .. } | StoreError::DiskFull { .. } => {
            PromiseError::Unavailable("the centre's disk is almost full; nothing new can be promised".into())
        }
        StoreError::Busy { .. } | StoreError::Stale { .. } => PromiseError::Unavailable("busy; try again".into()),
        StoreError::TooLarge { .. } => PromiseError::Invalid("it is too large to be kept".into()),
        error => {
            tracing::error!(%error, "a promise could not be written down");
            PromiseError::Unavailable("out of order".into())
        }
    }
}
