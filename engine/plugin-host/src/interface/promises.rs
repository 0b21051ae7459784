//! Promises: callbacks by the call's machine and the centre, tickets and surveys by [`crate::ports::PromisesPort`].

use super::queues::name;
use super::{Call, misfit};
use crate::bindings::{promises, types};
use crate::convert::{e164, timestamp};
use crate::host_call::{Room, WaitsFor};
use crate::ports::{
    BoxFuture, EntryVersion, NewTicket, PromiseError, PromiseSource, SurveyAnswer, SurveyResult, TicketKind,
};
use crate::state::CallState;
use gudok_core::centre::CallbackReceipt;
use gudok_core::ids::{Agency, Queue};
use gudok_core::script::{CallError, CallbackOffer, CallbackRequest, Reply, Request};
use std::sync::Arc;
use wasmtime::component::Resource;

type Answer<T> = Result<T, types::CallError>;

/// Of a callback's topic.
const TOPIC_BYTES_MAX: usize = 256;
/// Of a ticket's idempotency key.
const KEY_BYTES_MAX: usize = 128;
/// Recordings of one ticket.
const RECORDINGS_MAX: usize = 8;
/// Answers of one survey.
const ANSWERS_MAX: usize = 32;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.waits("request-callback", WaitsFor::Host, request_callback)?;
    room.waits("offer-callback", WaitsFor::Person, offer_callback)?;
    room.waits("submit-ticket", WaitsFor::Host, submit_ticket)?;
    room.waits("submit-survey", WaitsFor::Host, submit_survey)
}

impl CallState {
    /// A callback's receipt, its time as the agency's clock shows it.
    pub(super) fn promise(&self, receipt: &CallbackReceipt) -> types::Promise {
        let due = self.ports.clock.local(&self.info.agency, receipt.due);
        types::Promise { id: receipt.id.to_string(), due: crate::convert::datetime(due) }
    }

    /// What is promised is promised in a call; before dialling there is none.
    fn in_a_call(&self) -> Result<(), CallError> {
        if self.preparing { Err(crate::prepare::no_call()) } else { Ok(()) }
    }

    fn promise_source(&self) -> PromiseSource {
        PromiseSource {
            call: self.info.id,
            agency: self.info.agency.clone(),
            version: self.version.id.clone(),
            caller: self.info.caller.clone(),
            lang: Arc::clone(&self.lang),
        }
    }
}

fn request_callback(
    state: &mut CallState,
    (request,): (promises::CallbackRequest,),
) -> BoxFuture<'_, Answer<types::Promise>> {
    Box::pin(async move {
        let queue = Queue::new(&name("queue", request.queue)?);
        let number = e164(&request.number)?;
        state.version.gate.callback_queue(&queue)?;
        state.version.gate.dialable(&number)?;
        let request = CallbackRequest {
            queue,
            number,
            topic: topic(&request.topic)?,
            earliest: request.earliest.map(timestamp).transpose()?,
            fields: state.reader().fields("fields", &request.fields)?,
        };
        match state.ask(Request::BookCallback(Box::new(request))).await? {
            Reply::Callback(receipt) => Ok(state.promise(&receipt)),
            other => Err(misfit(&other).into()),
        }
    })
}

fn offer_callback(
    state: &mut CallState,
    (_, offer): (Resource<Call>, promises::CallbackOffer),
) -> BoxFuture<'_, Answer<Option<types::Promise>>> {
    Box::pin(async move {
        let queue = Queue::new(&name("queue", offer.queue)?);
        state.version.gate.callback_queue(&queue)?;
        let reader = state.reader();
        let offer = CallbackOffer {
            queue,
            topic: topic(&offer.topic)?,
            fields: reader.fields("fields", &offer.fields)?,
            intro: offer.intro.map(|intro| reader.prompt(intro)).transpose()?,
        };
        match state.ask(Request::OfferCallback(Box::new(offer))).await? {
            Reply::CallbackOffered(receipt) => Ok(receipt.map(|receipt| state.promise(&receipt))),
            other => Err(misfit(&other).into()),
        }
    })
}

fn topic(text: &str) -> Result<Arc<str>, CallError> {
    if text.len() > TOPIC_BYTES_MAX {
        return Err(CallError::Invalid(format!("topic has {} bytes; at most {TOPIC_BYTES_MAX}", text.len())));
    }
    Ok(Arc::from(text))
}

fn submit_ticket(state: &mut CallState, (ticket, key): (promises::Ticket, String)) -> BoxFuture<'_, Answer<String>> {
    Box::pin(async move {
        let ticket = new_ticket(state, ticket, key)?;
        let number = state.ports.promises.submit_ticket(ticket).await?;
        Ok(number.to_string())
    })
}

fn new_ticket(state: &CallState, ticket: promises::Ticket, key: String) -> Result<NewTicket, CallError> {
    state.in_a_call()?;
    let reader = state.reader();
    let to_agency = name("to-agency", ticket.to_agency)?;
    state.version.gate.ticket_agency(&to_agency)?;
    if !(1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Err(CallError::Invalid(format!("idempotency-key has {} bytes; 1 to {KEY_BYTES_MAX}", key.len())));
    }
    if ticket.recordings.len() > RECORDINGS_MAX {
        let count = ticket.recordings.len();
        return Err(CallError::Invalid(format!("recordings has {count} elements; at most {RECORDINGS_MAX}")));
    }
    let entry = |entry: promises::EntryVersion| {
        Ok::<_, CallError>(EntryVersion { id: reader.shared("directory-entry", &entry.id)?, version: entry.version })
    };
    let recordings = ticket.recordings.iter().map(|id| reader.shared("recordings", id));
    Ok(NewTicket {
        source: state.promise_source(),
        kind: match ticket.kind {
            promises::TicketKind::Complaint => TicketKind::Complaint,
            promises::TicketKind::OutdatedInformation => TicketKind::OutdatedInformation,
            promises::TicketKind::Request => TicketKind::Request,
        },
        to_agency: Agency::new(&to_agency),
        municipality: ticket.municipality.map(|code| reader.shared("municipality", &code)).transpose()?,
        contact: ticket.contact.map(|number| e164(&number)).transpose()?,
        fields: reader.fields("fields", &ticket.fields)?,
        recordings: recordings.collect::<Result<_, _>>()?,
        entry: ticket.directory_entry.map(entry).transpose()?,
        idempotency_key: key.into(),
    })
}

fn submit_survey(
    state: &mut CallState,
    (survey, answers): (String, Vec<promises::SurveyAnswer>),
) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        state.in_a_call()?;
        let survey = name("survey", survey)?;
        state.version.gate.survey(&survey)?;
        if answers.len() > ANSWERS_MAX {
            let count = answers.len();
            return Err(CallError::Invalid(format!("answers has {count} elements; at most {ANSWERS_MAX}")).into());
        }
        let reader = state.reader();
        let answer = |answer: promises::SurveyAnswer| {
            Ok::<_, CallError>(SurveyAnswer {
                question: name("question", answer.question)?.into(),
                score: answer.score,
                text: answer.text.map(|text| reader.shared("text", &text)).transpose()?,
                recording: answer.recording.map(|id| reader.shared("recording", &id)).transpose()?,
            })
        };
        let answers = answers.into_iter().map(answer).collect::<Result<_, _>>()?;
        let result = SurveyResult { source: state.promise_source(), survey: survey.into(), answers };
        Ok(state.ports.promises.submit_survey(result).await?)
    })
}

impl From<PromiseError> for types::CallError {
    fn from(error: PromiseError) -> Self {
        match error {
            PromiseError::NotFound(what) => Self::NotFound(what),
            PromiseError::Quota(what) => Self::Quota(what),
            PromiseError::Invalid(what) => Self::Invalid(what),
            PromiseError::Unavailable(what) => Self::Unavailable(what),
        }
    }
}
