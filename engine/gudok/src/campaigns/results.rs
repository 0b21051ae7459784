//! What came of attempts, as a table that may be read while the campaign runs: in the order of the ends, each with a
//! number by which the next reading goes on. Numbers are masked; contacts are named by the list's own ids.

use super::convert::kind_word;
use super::orders::unknown;
use super::views::attempt_row;
use crate::call::CallHost;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use gudok_admin::ports::{ByteStream, ContactAttempt, EngineRefusal, ListFormat, ResultsQuery};
use gudok_core::ids::Campaign;
use gudok_store::{AttemptQuery, AttemptRow, Contact, Store, StoreError, UtcMs};
use serde::Serialize;
use std::sync::Arc;

/// Contacts that are read beside each other.
const READ_AT_ONCE_MAX: usize = 64;
/// The table's columns. A later version only adds columns at the end.
const COLUMNS: [&str; 15] = [
    "cursor",
    "id",
    "number",
    "area",
    "attempt",
    "call",
    "claimed_utc",
    "dialled_utc",
    "answered_utc",
    "ended_utc",
    "disposition",
    "words",
    "answered_by",
    "sip_status",
    "contact",
];

/// One line of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ResultLine {
    /// Grows from line to line: where the next reading goes on.
    pub(super) cursor: u64,
    /// As the list has it.
    pub(super) id: String,
    /// Masked.
    pub(super) number: String,
    pub(super) area: Option<String>,
    /// From 1; 0 where nobody was dialled.
    pub(super) attempt: u16,
    pub(super) call: String,
    pub(super) claimed_utc: Option<String>,
    pub(super) dialled_utc: Option<String>,
    pub(super) answered_utc: Option<String>,
    pub(super) ended_utc: Option<String>,
    pub(super) disposition: String,
    pub(super) words: Option<String>,
    pub(super) answered_by: Option<String>,
    pub(super) sip_status: Option<u16>,
    /// The contact's place in the campaign.
    pub(super) contact: u32,
}

impl ResultLine {
    fn of(row: &AttemptRow, contact: Option<&Contact>) -> Self {
        let seen = attempt_row(&row.what);
        let utc = |ms: Option<u64>| ms.map(|ms| UtcMs(ms).to_rfc3339());
        let ContactAttempt { nth, call, claimed_ms, dialled_ms, answered_ms, ended_ms, disposition, .. } = seen;
        Self {
            cursor: row.seq.unwrap_or_default(),
            id: contact.map(|contact| contact.who.id.clone()).unwrap_or_default(),
            number: contact.map(|contact| contact.who.masked.clone()).unwrap_or_default(),
            area: contact.and_then(|contact| contact.who.area.clone()),
            attempt: nth,
            call,
            claimed_utc: utc(Some(claimed_ms)),
            dialled_utc: utc(dialled_ms),
            answered_utc: utc(answered_ms),
            ended_utc: utc(ended_ms),
            disposition: disposition.unwrap_or_else(|| kind_word(u8::MAX).to_owned()),
            words: seen.words,
            answered_by: seen.answered_by,
            sip_status: seen.status,
            contact: row.contact,
        }
    }

    fn cells(self) -> [String; COLUMNS.len()] {
        [
            self.cursor.to_string(),
            self.id,
            self.number,
            self.area.unwrap_or_default(),
            self.attempt.to_string(),
            self.call,
            self.claimed_utc.unwrap_or_default(),
            self.dialled_utc.unwrap_or_default(),
            self.answered_utc.unwrap_or_default(),
            self.ended_utc.unwrap_or_default(),
            self.disposition,
            self.words.unwrap_or_default(),
            self.answered_by.unwrap_or_default(),
            self.sip_status.map(|status| status.to_string()).unwrap_or_default(),
            self.contact.to_string(),
        ]
    }
}

/// A page of results, and after what the next begins.
///
/// # Errors
/// Where the store does not answer.
pub(super) async fn page(
    store: &dyn Store,
    name: &Campaign,
    after: u64,
    rows_max: usize,
) -> Result<(Vec<ResultLine>, Option<u64>), StoreError> {
    let page = store.attempts(name.as_str(), AttemptQuery::Ends { after, rows_max }).await?;
    let lines = stream::iter(page.attempts)
        .map(|row| async move {
            let contact = store.contact(name.as_str(), row.contact).await?;
            Ok::<_, StoreError>(ResultLine::of(&row, contact.as_ref()))
        })
        .buffered(READ_AT_ONCE_MAX)
        .try_collect()
        .await?;
    Ok((lines, page.more_after))
}

/// The table, written as it is read.
///
/// # Errors
/// Where there is no such campaign.
pub(crate) async fn table(host: &CallHost, name: Campaign, query: ResultsQuery) -> Result<ByteStream, EngineRefusal> {
    let wanted = name.clone();
    if !host.campaigns.ask(move |task| task.known.contains_key(&wanted)).await? {
        return Err(unknown(&name));
    }
    let reading =
        Reading { store: Arc::clone(&host.store), name, format: query.format, after: query.after, header: true };
    Ok(Box::pin(stream::try_unfold(Some(reading), |reading| async move {
        let Some(reading) = reading else { return Ok(None) };
        reading.next().await.map(Some)
    })))
}

/// Where a table's writing is.
struct Reading {
    store: Arc<dyn Store>,
    name: Campaign,
    format: ListFormat,
    after: Option<u64>,
    /// The columns' names are yet to be written.
    header: bool,
}

impl Reading {
    async fn next(mut self) -> std::io::Result<(Bytes, Option<Self>)> {
        let read = page(&*self.store, &self.name, self.after.unwrap_or_default(), 0).await;
        let (lines, more_after) = read.map_err(std::io::Error::other)?;
        let bytes = match self.format {
            ListFormat::Csv => csv(lines, self.header)?,
            ListFormat::Jsonl => jsonl(&lines)?,
        };
        (self.header, self.after) = (false, more_after);
        Ok((bytes, more_after.map(|_| self)))
    }
}

fn csv(lines: Vec<ResultLine>, header: bool) -> std::io::Result<Bytes> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if header {
        table.write_record(COLUMNS).map_err(std::io::Error::from)?;
    }
    for line in lines {
        table.write_record(line.cells().map(disarmed)).map_err(std::io::Error::from)?;
    }
    table.into_inner().map(Bytes::from).map_err(|error| std::io::Error::other(error.to_string()))
}

/// What a spreadsheet would take for a formula gets a `'` before it; ids and words come from others. A masked number
/// begins with a plus and is none.
fn disarmed(cell: String) -> String {
    let masked = cell.starts_with('+') && cell[1..].chars().all(|c| c.is_ascii_digit() || c == '*');
    if !masked && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

fn jsonl(lines: &[ResultLine]) -> std::io::Result<Bytes> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    Ok(Bytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_columns_once_and_no_formula() {
        let line = ResultLine {
            cursor: 7,
            id: "=HYPERLINK(\"x\")".into(),
            number: "+7*******21".into(),
            words: Some("понял; повторил".into()),
            disposition: "confirmed".into(),
            ..ResultLine::default()
        };
        let first = csv(vec![line.clone()], true).unwrap();
        let text = String::from_utf8(first.to_vec()).unwrap();
        let mut rows = text.split("\r\n");
        assert_eq!(rows.next().unwrap().split(',').count(), COLUMNS.len());
        let row = rows.next().unwrap();
        assert!(row.starts_with("7,\"'=HYPERLINK(\"\"x\"\")\",+7*******21,"), "{row}");
        let second = csv(vec![line.clone()], false).unwrap();
        assert!(!second.starts_with(b"cursor"));
        let lines = jsonl(&[line.clone(), line]).unwrap();
        let parsed: serde_json::Value =
            serde_json::from_slice(lines.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        let names: Vec<_> = parsed.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|column| names.iter().any(|name| name == column)), "{names:?}");
    }
}
