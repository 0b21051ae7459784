//! Reference data: checks here, the data behind [`crate::ports::DirectoryPort`].

use crate::bindings::{directory, types};
use crate::convert::{self, timestamp, wit_date};
use crate::host_call::{Room, WaitsFor};
use crate::ports::{BoxFuture, DayHours, DirectoryEntry, DirectoryError, EntryKind, FaqAnswer, Office, Scope};
use crate::state::CallState;
use gudok_core::script::CallError;
use std::sync::Arc;

type Answer<T> = Result<T, types::CallError>;

/// Of one question.
const ANSWERS_MAX: u8 = 20;
/// Of the words searched for.
const QUERY_BYTES_MAX: usize = 256;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.waits("find-offices", WaitsFor::Host, find_offices)?;
    room.waits("find-entries", WaitsFor::Host, find_entries)?;
    room.waits("search-faq", WaitsFor::Host, search_faq)?;
    room.waits("is-open", WaitsFor::Host, is_open)
}

type OfficeParams = (Vec<types::Field>, Option<String>, String, u8);

fn find_offices(
    state: &mut CallState,
    (query, municipality, lang, limit): OfficeParams,
) -> BoxFuture<'_, Answer<Vec<directory::Office>>> {
    Box::pin(async move {
        let scope = scope(state, municipality.as_deref(), &lang, limit)?;
        let query = state.reader().fields("query", &query)?;
        let offices = state.ports.directory.find_offices(query, scope).await?;
        Ok(offices.into_iter().map(|found| office(state, found)).collect())
    })
}

type EntryParams = (directory::EntryKind, Option<String>, Option<String>, String, u8);

fn find_entries(
    state: &mut CallState,
    (kind, topic, municipality, lang, limit): EntryParams,
) -> BoxFuture<'_, Answer<Vec<directory::Entry>>> {
    Box::pin(async move {
        let scope = scope(state, municipality.as_deref(), &lang, limit)?;
        let topic = topic.map(|topic| state.reader().shared("topic", &topic)).transpose()?;
        let entries = state.ports.directory.find_entries(kind_to_port(kind), topic, scope).await?;
        Ok(entries.iter().map(entry).collect())
    })
}

type SearchParams = (String, String, Option<String>, u8);

fn search_faq(
    state: &mut CallState,
    (query, lang, municipality, limit): SearchParams,
) -> BoxFuture<'_, Answer<Vec<directory::Answer>>> {
    Box::pin(async move {
        if query.len() > QUERY_BYTES_MAX {
            let why = format!("query has {} bytes; at most {QUERY_BYTES_MAX}", query.len());
            return Err(CallError::Invalid(why).into());
        }
        let scope = scope(state, municipality.as_deref(), &lang, limit)?;
        let answers = state.ports.directory.search_faq(query.into(), scope).await?;
        Ok(answers.iter().map(answer).collect())
    })
}

fn is_open(state: &mut CallState, (calendar, at): (String, types::Datetime)) -> BoxFuture<'_, Answer<bool>> {
    Box::pin(async move {
        state.version.gate.directory()?;
        let calendar = state.reader().text("calendar", calendar)?;
        let at = timestamp(at)?;
        Ok(state.ports.directory.is_open(&state.info.agency, &calendar, at).await?)
    })
}

fn scope(state: &CallState, municipality: Option<&str>, lang: &str, limit: u8) -> Result<Scope, CallError> {
    state.version.gate.directory()?;
    if !(1..=ANSWERS_MAX).contains(&limit) {
        return Err(CallError::Invalid(format!("limit is {limit}; it is 1 to {ANSWERS_MAX}")));
    }
    let reader = state.reader();
    Ok(Scope {
        agency: state.info.agency.clone(),
        municipality: municipality.map(|code| reader.shared("municipality", code)).transpose()?,
        lang: reader.lang(lang)?,
        answers_max: limit,
        now: state.ports.clock.now(),
    })
}

const fn kind_to_port(kind: directory::EntryKind) -> EntryKind {
    match kind {
        directory::EntryKind::Office => EntryKind::Office,
        directory::EntryKind::Service => EntryKind::Service,
        directory::EntryKind::Document => EntryKind::Document,
        directory::EntryKind::Term => EntryKind::Term,
        directory::EntryKind::Official => EntryKind::Official,
        directory::EntryKind::Appeal => EntryKind::Appeal,
        directory::EntryKind::Faq => EntryKind::Faq,
    }
}

const fn kind_to_wit(kind: EntryKind) -> directory::EntryKind {
    match kind {
        EntryKind::Office => directory::EntryKind::Office,
        EntryKind::Service => directory::EntryKind::Service,
        EntryKind::Document => directory::EntryKind::Document,
        EntryKind::Term => directory::EntryKind::Term,
        EntryKind::Official => directory::EntryKind::Official,
        EntryKind::Appeal => directory::EntryKind::Appeal,
        EntryKind::Faq => directory::EntryKind::Faq,
    }
}

fn office(state: &CallState, office: Office) -> directory::Office {
    let local = |at| convert::datetime(state.ports.clock.local(&state.info.agency, at));
    directory::Office {
        id: office.id.to_string(),
        version: office.version,
        updated: wit_date(office.updated),
        name: office.name.to_string(),
        spoken: office.spoken.to_string(),
        address: office.address.to_string(),
        phone: office.phone.map(|number| number.reveal().to_owned()),
        hours: office.hours.into_iter().map(day_hours).collect(),
        open_now: office.open_now,
        opens_next: office.opens_next.map(local),
        fields: fields(&office.fields),
    }
}

fn day_hours(hours: DayHours) -> directory::DayHours {
    let time = |(hour, minute)| types::TimeOfDay { hour, minute };
    directory::DayHours { weekday: hours.weekday, from: time(hours.from), to: time(hours.to) }
}

fn entry(entry: &DirectoryEntry) -> directory::Entry {
    directory::Entry {
        id: entry.id.to_string(),
        version: entry.version,
        updated: wit_date(entry.updated),
        kind: kind_to_wit(entry.kind),
        title: entry.title.to_string(),
        spoken: entry.spoken.to_string(),
        fields: fields(&entry.fields),
    }
}

fn answer(answer: &FaqAnswer) -> directory::Answer {
    directory::Answer {
        id: answer.id.to_string(),
        version: answer.version,
        updated: wit_date(answer.updated),
        title: answer.title.to_string(),
        spoken: answer.spoken.to_string(),
        score: answer.score.min(100),
    }
}

fn fields(fields: &[(Arc<str>, Arc<str>)]) -> Vec<types::Field> {
    fields.iter().map(|(name, value)| types::Field { name: name.to_string(), value: value.to_string() }).collect()
}

impl From<DirectoryError> for types::CallError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound(what) => Self::NotFound(what),
            DirectoryError::Invalid(what) => Self::Invalid(what),
            DirectoryError::Unavailable(what) => Self::Unavailable(what),
        }
    }
}
