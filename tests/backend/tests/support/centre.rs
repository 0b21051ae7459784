//! The centre's part: who keeps tickets and marks, and what the directory knows.

use gudok_core::ids::Agency;
use gudok_core::prompt::Date;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, DayHours, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, NewTicket, Office,
    PromiseError, PromisesPort, Scope, SurveyResult,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Keeps tickets and marks.
#[derive(Default)]
pub struct Register {
    pub tickets: Mutex<Vec<NewTicket>>,
    pub surveys: Mutex<Vec<SurveyResult>>,
    /// The disk is full.
    pub broken: AtomicBool,
}

impl Register {
    fn is_broken(&self) -> Result<(), PromiseError> {
        let broken = self.broken.load(Relaxed);
        if broken { Err(PromiseError::Unavailable("the disk is full".into())) } else { Ok(()) }
    }
}

impl PromisesPort for Register {
    fn submit_ticket(&self, ticket: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>> {
        let register = || {
            self.is_broken()?;
            let mut tickets = self.tickets.lock();
            let same = |kept: &NewTicket| kept.idempotency_key == ticket.idempotency_key;
            let place = tickets.iter().position(same).unwrap_or_else(|| {
                tickets.push(ticket.clone());
                tickets.len() - 1
            });
            Ok(format!("К-2026-{:06}", place + 123).into())
        };
        Box::pin(std::future::ready(register()))
    }

    fn submit_survey(&self, survey: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>> {
        let kept = self.is_broken().map(|()| self.surveys.lock().push(survey));
        Box::pin(std::future::ready(kept))
    }
}

/// Knows one office, in Novokuznetsk.
#[derive(Default)]
pub struct OneOffice {
    /// It is there.
    pub known: AtomicBool,
    /// It cannot be read.
    pub broken: AtomicBool,
}

impl OneOffice {
    fn offices(&self, scope: &Scope) -> Result<Vec<Office>, DirectoryError> {
        if self.broken.load(Relaxed) {
            return Err(DirectoryError::Unavailable("the directory cannot be read".into()));
        }
        if !self.known.load(Relaxed) || scope.municipality.as_deref() != Some("novokuznetsk") {
            return Ok(Vec::new());
        }
        Ok(vec![Office {
            id: "office-17".into(),
            version: 4,
            updated: Date { year: 2026, month: 11, day: 1 },
            name: "МФЦ Новокузнецка".into(),
            spoken: "".into(),
            address: "проспект Металлургов, дом 12".into(),
            phone: None,
            hours: (1..=5).map(|weekday| DayHours { weekday, from: (8, 0), to: (18, 0) }).collect(),
            open_now: false,
            opens_next: None,
            fields: Vec::new(),
        }])
    }
}

impl DirectoryPort for OneOffice {
    fn find_offices(
        &self,
        _: Vec<(Arc<str>, Arc<str>)>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>> {
        Box::pin(std::future::ready(self.offices(&scope)))
    }
    fn find_entries(
        &self,
        _: EntryKind,
        _: Option<Arc<str>>,
        _: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn search_faq(&self, _: Arc<str>, _: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn is_open<'a>(&'a self, _: &'a Agency, _: &'a str, _: Timestamp) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        Box::pin(std::future::ready(Ok(false)))
    }
}
