//! The directory of a world, as it is decided.

use crate::decide::{Decision, DirectoryChoice, Moment, SharedDecider};
use crate::tasks::SharedDesk;
use gudok_core::ids::Agency;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, Office, Scope,
};
use std::future::ready;
use std::sync::Arc;

/// A directory that answers, or does not, as is decided.
pub(crate) struct DecidedDirectory {
    pub(crate) directory: Arc<dyn DirectoryPort>,
    pub(crate) desk: SharedDesk,
    pub(crate) decider: SharedDecider,
}

impl DecidedDirectory {
    /// The answer that was decided; none for the usual one.
    fn decided<T>(&self, what: &'static str, nothing: T) -> Option<Result<T, DirectoryError>> {
        match self.decider.lock().decide(&Moment::Directory(what)) {
            Decision::Directory(DirectoryChoice::Nothing) => Some(Ok(nothing)),
            Decision::Directory(DirectoryChoice::Unavailable) => {
                Some(Err(DirectoryError::Unavailable("decided so".into())))
            }
            Decision::HangUp => {
                self.desk.lock().leaves = true;
                None
            }
            _ => None,
        }
    }
}

impl DirectoryPort for DecidedDirectory {
    fn find_offices(
        &self,
        query: Vec<(Arc<str>, Arc<str>)>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>> {
        match self.decided("offices", Vec::new()) {
            Some(answer) => Box::pin(ready(answer)),
            None => self.directory.find_offices(query, scope),
        }
    }

    fn find_entries(
        &self,
        kind: EntryKind,
        topic: Option<Arc<str>>,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>> {
        match self.decided("entries", Vec::new()) {
            Some(answer) => Box::pin(ready(answer)),
            None => self.directory.find_entries(kind, topic, scope),
        }
    }

    fn search_faq(&self, query: Arc<str>, scope: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>> {
        match self.decided("faq", Vec::new()) {
            Some(answer) => Box::pin(ready(answer)),
            None => self.directory.search_faq(query, scope),
        }
    }

    fn is_open<'a>(
        &'a self,
        agency: &'a Agency,
        calendar: &'a str,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        match self.decided("calendar", false) {
            Some(answer) => Box::pin(ready(answer)),
            None => self.directory.is_open(agency, calendar, at),
        }
    }
}
