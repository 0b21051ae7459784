//! The store's ledger, in the documents of this room: reading by type, and commits that name what they rely on.

use crate::auth::Principal;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::problem::{Problem, codes};
use gudok_store::{AuditDraft, AuditEntry, Expected, LedgerChange, LedgerQuery, Put, Store, UtcMs};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A document as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    /// Its name within the kind.
    pub(crate) id: String,
    /// Grows with every change.
    pub(crate) revision: u64,
    /// What it says.
    pub(crate) body: T,
}

/// A page of documents.
#[derive(Clone, Debug)]
pub(crate) struct KeptPage<T> {
    /// The documents.
    pub(crate) documents: Vec<Kept<T>>,
    /// There may be more after this id.
    pub(crate) more_after: Option<String>,
}

/// The ledger at one moment of the engine's clock.
#[derive(Clone)]
pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    now: UtcMs,
}

impl Ledger {
    pub(crate) fn new(store: Arc<dyn Store>, now: UtcMs) -> Self {
        Self { store, now }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<Kept<T>>, Problem> {
        let document = self.store.ledger_get(kind, id, self.now).await?;
        document.map(|document| read(kind, document.id, document.revision, &document.body)).transpose()
    }

    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        kind: &str,
        prefix: &str,
        after: Option<String>,
        rows_max: usize,
    ) -> Result<KeptPage<T>, Problem> {
        let query = LedgerQuery { kind: kind.to_owned(), prefix: prefix.to_owned(), after, rows_max };
        let page = self.store.ledger_list(query, self.now).await?;
        let documents = page.documents.into_iter();
        let documents = documents.map(|document| read(kind, document.id, document.revision, &document.body));
        Ok(KeptPage { documents: documents.collect::<Result<_, _>>()?, more_after: page.more_after })
    }

    /// All documents of a kind whose id begins so; for kinds that are few.
    pub(crate) async fn all<T: DeserializeOwned>(&self, kind: &str, prefix: &str) -> Result<Vec<Kept<T>>, Problem> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(kind, prefix, after, 0).await?;
            all.extend(page.documents);
            match page.more_after {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, Problem> {
        let done = self.store.ledger_commit(change.ready()?, self.now).await?;
        Ok(Committed { revisions: done.revisions, audit: done.audit })
    }
}

fn read<T: DeserializeOwned>(kind: &str, id: String, revision: u64, body: &[u8]) -> Result<Kept<T>, Problem> {
    match serde_json::from_slice(body) {
        Ok(body) => Ok(Kept { id, revision, body }),
        Err(error) => Err(Problem::internal("reading the ledger", format!("{kind}:{id}: {error}"))),
    }
}

/// What a commit did.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The new revisions, in the order of the puts.
    pub(crate) revisions: Vec<u64>,
    /// The audit's new entries.
    pub(crate) audit: Vec<AuditEntry>,
}

impl Committed {
    /// The revision of the only document that was put.
    pub(crate) fn revision(&self) -> u64 {
        self.revisions.first().copied().unwrap_or_default()
    }
}

/// A commit being put together.
#[derive(Debug, Default)]
pub(crate) struct Change {
    change: LedgerChange,
    /// A document that could not be written, by what was wrong with it.
    fault: Option<Problem>,
}

impl Change {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Relies on a document being at this revision; 0: on there being none.
    pub(crate) fn expect(mut self, kind: &str, id: &str, revision: u64) -> Self {
        self.change.expect.push(Expected { kind: kind.to_owned(), id: id.to_owned(), revision });
        self
    }

    pub(crate) fn put<T: Serialize>(self, kind: &str, id: &str, body: &T) -> Self {
        self.put_until(kind, id, body, None)
    }

    /// Puts a document that is gone from a moment on.
    pub(crate) fn put_until<T: Serialize>(mut self, kind: &str, id: &str, body: &T, expires: Option<UtcMs>) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) if body.len() <= DOCUMENT_BYTES_MAX => {
                self.change.puts.push(Put { kind: kind.to_owned(), id: id.to_owned(), body, expires });
            }
            Ok(body) => {
                let detail = format!("As JSON it has {} bytes; at most {DOCUMENT_BYTES_MAX} are kept.", body.len());
                self.fault = Some(Problem::new(&codes::TOO_LARGE, detail));
            }
            Err(error) => self.fault = Some(Problem::internal("writing a document", error)),
        }
        self
    }

    pub(crate) fn delete(mut self, kind: &str, id: &str) -> Self {
        self.change.deletes.push((kind.to_owned(), id.to_owned()));
        self
    }

    pub(crate) fn audit(mut self, draft: AuditDraft) -> Self {
        self.change.audit.push(draft);
        self
    }

    /// Goes on when the disk is low: what takes away, what brings people in to help, and the audit of looks.
    pub(crate) fn urgent(mut self) -> Self {
        self.change.urgent = true;
        self
    }

    fn ready(self) -> Result<LedgerChange, Problem> {
        match self.fault {
            Some(problem) => Err(problem),
            None => Ok(self.change),
        }
    }
}

impl Principal {
    /// An entry for the audit of what this principal does.
    pub(crate) fn audit(&self, action: &str, object: impl Into<String>, agency: Option<&str>) -> AuditDraft {
        AuditDraft {
            actor: self.user.clone(),
            via: self.via.as_str().to_owned(),
            action: action.to_owned(),
            object: object.into(),
            agency: agency.map(str::to_owned),
            details: serde_json::json!({}),
        }
    }
}

/// Adds facts to an entry for the audit: never a secret, never a caller's number.
pub(crate) fn with_details(mut draft: AuditDraft, details: serde_json::Value) -> AuditDraft {
    match (&mut draft.details, details) {
        (serde_json::Value::Object(present), serde_json::Value::Object(more)) => present.extend(more),
        (present, details) => *present = details,
    }
    draft
}
