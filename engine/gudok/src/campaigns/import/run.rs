//! From the stream to the store: the bytes go to a thread that reads them, its batches go to the store, and both wait for
//! each other, so that a list of any size takes little memory.

use super::number::Number;
use super::report::{finish, note, note_in_campaign};
use super::rows::{Rules, Taker};
use super::table::{Row, Table};
use super::{Bad, Prefixes, Unreadable};
use crate::call::CallHost;
use crate::campaigns::forecast::{reckon, seeds_of};
use crate::campaigns::orders::unknown;
use crate::campaigns::zones::Zones;
use crate::campaigns::{contacts as kept, opt_outs as out, refused};
use crate::director::internal;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use gudok_admin::ports::{Actor, ByteStream, ContactsImport, ContactsReport, EngineRefusal, ListFormat, OptOutsImport};
use gudok_core::campaign::{CampaignSettings, ContactNo, ContactSeed, ContactState, Spent};
use gudok_core::ids::Campaign;
use gudok_store::NewContact;
use gudok_store::limits::{CONTACTS_ADD_MAX, OPT_OUTS_PUT_MAX};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pieces of the stream that wait for their reader.
const PIECES_MAX: usize = 4;
/// Batches that wait for the store.
const BATCHES_MAX: usize = 4;

/// Takes a list of contacts.
///
/// # Errors
/// Where there is no such campaign, the list cannot be read, or the store takes no more: what was taken before stays.
pub(crate) async fn contacts(
    host: &CallHost,
    name: Campaign,
    import: ContactsImport,
    bytes: ByteStream,
) -> Result<ContactsReport, EngineRefusal> {
    let wanted = name.clone();
    let known = host.campaigns.ask(move |task| {
        let known = task.known.get(&wanted)?;
        let windows: Vec<_> = known.document.windows.iter().map(|window| window.name.clone()).collect();
        Some((windows, Arc::clone(&known.settings)))
    });
    let (windows, settings) = known.await?.ok_or_else(|| unknown(&name))?;
    let mut taker = Taker::new(rules(host, windows).await?);
    let take = move |line, row| taker.contact(line, row);
    if import.dry_run {
        return rehearse(host, &name, settings, import.format, bytes, take).await;
    }
    let mut added = ContactsReport::default();
    let mut reading = Reading::start(import.format, bytes, CONTACTS_ADD_MAX, take);
    while let Some(batch) = reading.next().await {
        let (lines, rows): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let zones: Vec<_> = rows.iter().map(|row| row.zone.clone()).collect();
        let new = kept::add(host, &name, rows).await?;
        for ((line, zone), new) in lines.into_iter().zip(zones).zip(new) {
            if new {
                added.added += 1;
                *added.zones.entry(zone).or_default() += 1;
            } else {
                note_in_campaign(&mut added, line);
            }
        }
    }
    Ok(joined(reading.end().await?, added))
}

/// The dry run: nothing is kept; what would be kept is reckoned with.
async fn rehearse(
    host: &CallHost,
    name: &Campaign,
    settings: Arc<CampaignSettings>,
    format: ListFormat,
    bytes: ByteStream,
    take: impl FnMut(u64, Row) -> Result<NewContact, Bad> + Send + 'static,
) -> Result<ContactsReport, EngineRefusal> {
    let mut zones = Zones::default();
    let mut seeds = seeds_of(host, name, &mut zones).await?;
    let known: HashSet<u128> = seeds.iter().map(|seed| seed.number.0).collect();
    let mut next = seeds.iter().map(|seed| seed.no.0 + 1).max().unwrap_or_default();
    let mut added = ContactsReport::default();
    let mut reading = Reading::start(format, bytes, CONTACTS_ADD_MAX, take);
    while let Some(batch) = reading.next().await {
        for (line, row) in batch {
            if known.contains(&row.number.0) {
                note_in_campaign(&mut added, line);
                continue;
            }
            added.added += 1;
            let zone = zones.no(&row.zone).0;
            *added.zones.entry(row.zone).or_default() += 1;
            let number = crate::campaigns::convert::number_to_core(row.number);
            let state = ContactState::Waiting { not_before: None };
            let window = row.window;
            seeds.push(ContactSeed { no: ContactNo(next), number, zone, window, state, spent: Spent::default() });
            next = next.saturating_add(1);
        }
    }
    let read = reading.end().await?;
    let forecast = reckon(host, settings, zones, seeds).await?;
    Ok(ContactsReport { dry_run: true, forecast: Some(forecast), ..joined(read, added) })
}

/// Takes a list of numbers that must not be called.
///
/// # Errors
/// As [`contacts`].
pub(crate) async fn opt_outs(
    host: &CallHost,
    actor: &Actor,
    import: OptOutsImport,
    bytes: ByteStream,
) -> Result<ContactsReport, EngineRefusal> {
    let mut taker = Taker::new(rules(host, Vec::new()).await?);
    let take = move |_, row| taker.number(&row).map(|(Number { number, .. }, _)| number);
    let by = format!("{}: import", actor.name);
    let mut added = ContactsReport::default();
    let mut reading = Reading::start(import.format, bytes, OPT_OUTS_PUT_MAX, take);
    while let Some(batch) = reading.next().await {
        if import.dry_run {
            added.added += batch.len() as u64;
            continue;
        }
        let mut rows = Vec::with_capacity(batch.len());
        for (_, number) in &batch {
            rows.push(out::opt_out(host, number, import.agency.as_deref(), import.protected, by.clone())?);
        }
        let all = rows.len() as u64;
        let new = out::put_all(host, rows).await?;
        added.added += new;
        added.duplicates += all - new;
        if all > new {
            *added.kinds.entry("duplicate-opt-out".to_owned()).or_default() += all - new;
        }
    }
    Ok(ContactsReport { dry_run: import.dry_run, ..joined(reading.end().await?, added) })
}

async fn rules(host: &CallHost, windows: Vec<String>) -> Result<Rules, EngineRefusal> {
    let config = host.director.config();
    let prefixes = match config.campaigns.zones_file.clone() {
        None => Prefixes::default(),
        Some(path) => {
            let read = tokio::task::spawn_blocking(move || Prefixes::open(&path)).await;
            let read = read.map_err(|error| internal("reading the table of zones", error))?;
            read.map_err(|error| {
                let remedy = "Mend the file that zones_file in [campaigns] names.";
                refused("invalid-field", 422, None, format!("The table of zones cannot be read: {error:#}."), remedy)
            })?
        }
    };
    Ok(Rules {
        plan: host.director.routes().plan.clone(),
        prefixes: Arc::new(prefixes),
        zone: Arc::clone(&config.campaigns.zone),
        windows,
        subjects: host.subjects.clone(),
    })
}

/// What the reader and the store said of the rows.
fn joined(mut read: ContactsReport, stored: ContactsReport) -> ContactsReport {
    read.added += stored.added;
    read.duplicates += stored.duplicates;
    for (kind, count) in stored.kinds {
        *read.kinds.entry(kind).or_default() += count;
    }
    read.problems.extend(stored.problems);
    read.zones = stored.zones;
    finish(&mut read);
    read.problems.truncate(super::PROBLEMS_MAX);
    read
}

/// A list that is read on a thread of its own. Dropping it ends the reading.
pub(super) struct Reading<T> {
    batches: mpsc::Receiver<Vec<(u64, T)>>,
    reader: JoinHandle<Result<ContactsReport, Unreadable>>,
}

impl<T: Send + 'static> Reading<T> {
    /// Begins: what `take` makes of the rows comes out in batches of at most `rows_max`.
    pub(super) fn start(
        format: ListFormat,
        mut bytes: ByteStream,
        rows_max: usize,
        take: impl FnMut(u64, Row) -> Result<T, Bad> + Send + 'static,
    ) -> Self {
        let (pieces, incoming) = mpsc::channel(PIECES_MAX);
        let (done, batches) = mpsc::channel(BATCHES_MAX);
        tokio::spawn(async move {
            while let Some(piece) = bytes.next().await {
                // The reader has ended: it says why.
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
        });
        let reader = tokio::task::spawn_blocking(move || read(format, Pieces::new(incoming), rows_max, take, &done));
        Self { batches, reader }
    }

    /// The next batch, with each row's line; none when all is read.
    pub(super) async fn next(&mut self) -> Option<Vec<(u64, T)>> {
        self.batches.recv().await
    }

    /// What became of the rows that are in no batch.
    ///
    /// # Errors
    /// Where the list could not be read to its end.
    pub(super) async fn end(self) -> Result<ContactsReport, EngineRefusal> {
        let Self { batches, reader } = self;
        drop(batches);
        let read = reader.await.map_err(|error| internal("reading a list", error))?;
        read.map_err(|Unreadable { problem, remedy }| refused("invalid-field", 422, None, problem, remedy))
    }
}

/// The reader's thread. Ends early where nobody keeps what it reads.
fn read<T>(
    format: ListFormat,
    input: impl std::io::Read,
    rows_max: usize,
    mut take: impl FnMut(u64, Row) -> Result<T, Bad>,
    batches: &mpsc::Sender<Vec<(u64, T)>>,
) -> Result<ContactsReport, Unreadable> {
    let mut table = Table::open(format, input)?;
    let mut report = ContactsReport::default();
    let mut batch = Vec::with_capacity(rows_max);
    while let Some(one) = table.next()? {
        report.rows += 1;
        match one.row.and_then(|row| take(one.line, row)) {
            Ok(taken) => batch.push((one.line, taken)),
            Err(bad) => note(&mut report, one.line, bad),
        }
        if batch.len() >= rows_max && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(report);
        }
    }
    if !batch.is_empty() {
        let _nobody_keeps = batches.blocking_send(batch);
    }
    table.charset().as_str().clone_into(&mut report.charset);
    report.fields = table.fields();
    Ok(report)
}

/// The stream, for the reader's thread.
struct Pieces {
    incoming: mpsc::Receiver<std::io::Result<Bytes>>,
    piece: Bytes,
}

impl Pieces {
    const fn new(incoming: mpsc::Receiver<std::io::Result<Bytes>>) -> Self {
        Self { incoming, piece: Bytes::new() }
    }
}

impl std::io::Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.incoming.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let len = self.piece.len().min(into.len());
        self.piece.copy_to_slice(&mut into[..len]);
        Ok(len)
    }
}
