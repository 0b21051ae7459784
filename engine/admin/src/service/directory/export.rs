//! The directory out into a table, piece by piece.

use super::{EntryFilter, entry_of};
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::books::{DirectoryDocument, TableFormat, write_table};
use crate::documents::kinds;
use crate::problem::Problem;
use bytes::Bytes;
use futures_util::{Stream, stream};
use gudok_core::directory::DirectoryEntry;

/// Entries in one step of an export.
const EXPORT_STEP_ROWS: usize = 500;

/// Every entry within reach as a table, in steps.
///
/// # Errors
/// `forbidden`.
pub fn export(
    admin: &Admin,
    who: &Principal,
    filter: EntryFilter,
    format: TableFormat,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static, Problem> {
    let scope = who.may(Operation::DirectoryExport)?;
    let only = scope.narrow(filter.agency.as_ref())?;
    let from = Export { admin: admin.clone(), scope, only, filter, format, next: Next::Begin };
    Ok(stream::try_unfold(from, |mut export| async move {
        let chunk = export.step().await.map_err(|problem| std::io::Error::other(problem.to_string()))?;
        Ok(chunk.map(|chunk| (chunk, export)))
    }))
}

struct Export {
    admin: Admin,
    scope: Scope,
    only: Option<String>,
    filter: EntryFilter,
    format: TableFormat,
    next: Next,
}

enum Next {
    Begin,
    After(String, bool),
    End,
}

impl Export {
    async fn step(&mut self) -> Result<Option<Bytes>, Problem> {
        let (after, first) = match std::mem::replace(&mut self.next, Next::End) {
            Next::Begin => (None, true),
            Next::After(id, first) => (Some(id), first),
            Next::End => return Ok(None),
        };
        let page = self.admin.ledger().page::<DirectoryDocument>(kinds::DIRECTORY, "", after, EXPORT_STEP_ROWS).await?;
        let mut entries = Vec::new();
        for kept in page.documents.iter().filter(|kept| self.fits(&kept.body)) {
            entries.push(entry_of(&kept.id, &kept.body)?);
        }
        let last = page.more_after.is_none();
        let chunk = chunk(self.format, &entries, first, last)?;
        let still_first = first && entries.is_empty();
        if let Some(more) = page.more_after {
            self.next = Next::After(more, still_first);
        }
        Ok(Some(chunk))
    }

    fn fits(&self, entry: &DirectoryDocument) -> bool {
        self.scope.includes(&entry.agency)
            && self.only.as_ref().is_none_or(|only| *only == entry.agency)
            && self.filter.kind.is_none_or(|kind| kind.as_str() == entry.kind)
    }
}

/// A piece of a table: the header only at its beginning, brackets and commas where JSON has them.
fn chunk(format: TableFormat, entries: &[DirectoryEntry], first: bool, last: bool) -> Result<Bytes, Problem> {
    let failed = |error: std::io::Error| Problem::internal("writing a table", error);
    let written = write_table(format, entries).map_err(failed)?;
    match format {
        TableFormat::Csv if first && (last || !entries.is_empty()) => Ok(written.into()),
        TableFormat::Csv if first => Ok(Bytes::new()),
        TableFormat::Csv => {
            let header = written.iter().position(|byte| *byte == b'\n').map_or(written.len(), |end| end + 1);
            Ok(Bytes::from(written).slice(header..))
        }
        TableFormat::Json => {
            let text = String::from_utf8_lossy(&written);
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']').trim();
            let (open, close) = (if first && !inner.is_empty() { "[\n" } else { "" }, if last { "\n]\n" } else { "" });
            let comma = if first || inner.is_empty() { "" } else { ",\n" };
            let open = if first && last && inner.is_empty() { "[" } else { open };
            Ok(Bytes::from(format!("{open}{comma}{inner}{close}")))
        }
    }
}
