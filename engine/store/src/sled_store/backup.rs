//! Backups: JSON Lines with a header that names the format, records, and an end with a count and a hash of all before.
//!
//! ```text
//! {"gudok_backup":1,"schema":3}
//! {"cdr":{…}}
//! {"leg":{…}}
//! {"agency":{"agency":"mfc","last_version":17}}
//! {"entry":{"agency":"mfc","script":"menu","bucket":"b","key":"k","version":7,"expires_ms":null,"value":"base64"}}
//! {"document":{"kind":"user","id":"anna","revision":7,"expires_ms":null,"body":"base64"}}
//! {"ledger":{"last_revision":9,"head":{"seq":3,"hash":"ab…"},"marks":[{"seq":3,"hash":"ab…","hmac":"ab…"}]}}
//! {"audit":{"seq":1,…}}
//! {"campaign":{"campaign":"flood","contacts":2,"ends":1}}
//! {"contact":{"campaign":"flood","no":0,"state":{"waiting":{"not_before":null}},"spent":{…},"zone":"Asia/Omsk","who":{…}}}
//! {"attempt":{"campaign":"flood","contact":0,"seq":1,"attempt":{…}}}
//! {"opt_out":{"number":"ab…","scope":"global","protected":false,"since_ms":1,"by":"script"}}
//! {"blob":{"sha256":"ab…","offset":0,"data":"base64","last":true}}
//! {"end":{"records":123,"sha256":"…"}}
//! ```
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::buckets::{Kept, NEVER_MS, Usage};
use super::core::{Core, read_failed};
use super::writer::Rows;
use super::{blobs, campaigns, chain, folder, keys, ledger, legs, schema};
use crate::audit::{HEAD_FILE, HeadMark, HeadMarks};
use crate::limits::BACKUP_LINE_BYTES_MAX;
use crate::{
    AgencyId, AuditEntry, AuditHead, BackupSummary, BlobId, Bucket, BucketName, Cdr, LegBegan, ScriptName, StoreError,
};

/// Version of the lines' format.
const FORMAT: u32 = 1;
/// Bytes of a blob on one line.
const BLOB_PART_BYTES: usize = 256 * 1024;
/// Rows handed to the writer at a time.
const IMPORT_ROWS: usize = 1_024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Cdr(Box<Cdr>),
    Leg(Box<LegBegan>),
    Agency { agency: AgencyId, last_version: u64 },
    Entry(EntryLine),
    Document(DocumentLine),
    Ledger(LedgerLine),
    Audit(Box<AuditEntry>),
    Campaign(campaigns::CampaignLine),
    Contact(Box<campaigns::ContactLine>),
    Attempt(Box<campaigns::AttemptLine>),
    OptOut(campaigns::OptOutLine),
    Blob(BlobLine),
    End { records: u64, sha256: BlobId },
}

#[derive(Serialize, Deserialize)]
struct Header {
    gudok_backup: u32,
    schema: u32,
}

#[derive(Serialize, Deserialize)]
struct EntryLine {
    agency: AgencyId,
    script: ScriptName,
    bucket: BucketName,
    key: String,
    version: u64,
    expires_ms: Option<u64>,
    value: String,
}

#[derive(Serialize, Deserialize)]
struct DocumentLine {
    kind: String,
    id: String,
    revision: u64,
    expires_ms: Option<u64>,
    body: String,
}

#[derive(Serialize, Deserialize)]
struct LedgerLine {
    last_revision: u64,
    head: AuditHead,
    marks: Vec<HeadMark>,
}

#[derive(Serialize, Deserialize)]
struct BlobLine {
    sha256: BlobId,
    offset: u64,
    data: String,
    last: bool,
}

struct Out<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    records: u64,
}

impl Out<'_> {
    fn line<T: Serialize>(&mut self, line: &T) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("writing", std::path::Path::new("the backup"), error);
        let mut bytes = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.records += 1;
        self.out.write_all(&bytes).map_err(failed)
    }
}

pub(super) fn export(core: &Core, out: &mut dyn Write) -> Result<BackupSummary, StoreError> {
    let mut out = Out { out, hash: Sha256::new(), records: 0 };
    let mut summary = BackupSummary::default();
    out.line(&Header { gudok_backup: FORMAT, schema: schema::SCHEMA })?;
    out.records = 0;
    // Blobs first: a record read later never names a blob that the backup lacks because retention ran between.
    for id in blobs::list(core)? {
        match blobs::verify(core, &id) {
            Ok(()) => {
                export_blob(core, &mut out, &id)?;
                summary.blobs += 1;
            }
            Err(StoreError::BlobDamaged { .. }) => summary.corrupt += 1,
            // Deleted by retention meanwhile.
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    // Before the audit's entries: those that are added meanwhile are behind this head.
    if let Some(line) = ledger_line(core)? {
        out.line(&Line::Ledger(line))?;
    }
    for tag in [keys::CDR, keys::MARKER, keys::USAGE, keys::ENTRY, keys::DOCUMENT, keys::AUDIT] {
        for row in core.db.scan_prefix([tag]) {
            let (key, value) = row.map_err(|error| read_failed(&error))?;
            match row_line(core, tag, &key, &value) {
                Ok(line) => {
                    match tag {
                        keys::CDR => summary.cdrs += 1,
                        keys::MARKER => summary.legs += 1,
                        keys::ENTRY => summary.entries += 1,
                        keys::DOCUMENT => summary.documents += 1,
                        keys::AUDIT => summary.audit += 1,
                        _ => {}
                    }
                    out.line(&line)?;
                }
                Err(_) => summary.corrupt += 1,
            }
        }
    }
    export_campaigns(core, &mut out, &mut summary)?;
    let end = Line::End { records: out.records, sha256: BlobId::from_sha256(out.hash.clone().finalize().into()) };
    out.line(&end)?;
    out.out.flush().map_err(|error| StoreError::io("writing", std::path::Path::new("the backup"), error))?;
    Ok(summary)
}

fn export_campaigns(core: &Core, out: &mut Out<'_>, summary: &mut BackupSummary) -> Result<(), StoreError> {
    for tag in campaigns::TAGS {
        for row in core.db.scan_prefix([tag]) {
            let (key, value) = row.map_err(|error| read_failed(&error))?;
            match campaigns::line(core, tag, &key, &value) {
                Ok(None) => {}
                Ok(Some(campaigns::Lines::Campaign(line))) => out.line(&Line::Campaign(line))?,
                Ok(Some(campaigns::Lines::Contact(line))) => {
                    summary.contacts += 1;
                    out.line(&Line::Contact(line))?;
                }
                Ok(Some(campaigns::Lines::Attempt(line))) => {
                    summary.attempts += 1;
                    out.line(&Line::Attempt(line))?;
                }
                Ok(Some(campaigns::Lines::OptOut(line))) => {
                    summary.opt_outs += 1;
                    out.line(&Line::OptOut(line))?;
                }
                Err(_) => summary.corrupt += 1,
            }
        }
    }
    Ok(())
}

fn row_line(core: &Core, tag: u8, key: &[u8], value: &[u8]) -> Result<Line, StoreError> {
    let damaged = || core.quarantine(key, value);
    Ok(match tag {
        keys::CDR => Line::Cdr(legs::decode(core, key, value)?),
        keys::MARKER => Line::Leg(legs::decode(core, key, value)?),
        keys::USAGE => {
            let usage = Usage::decode(core.open(key, value)?).ok_or_else(damaged)?;
            Line::Agency { agency: keys::read_agency(key).ok_or_else(damaged)?, last_version: usage.last_version }
        }
        keys::DOCUMENT => {
            let kept = Kept::decode(core.open(key, value)?).ok_or_else(damaged)?;
            let (kind, id) = keys::read_document(key).ok_or_else(damaged)?;
            Line::Document(DocumentLine {
                kind: kind.to_owned(),
                id: id.to_owned(),
                revision: kept.version,
                expires_ms: kept.mortal(),
                body: STANDARD.encode(&kept.value),
            })
        }
        keys::AUDIT => Line::Audit(Box::new(chain::decode(key, value).ok_or_else(damaged)?)),
        _ => {
            let kept = Kept::decode(core.open(key, value)?).ok_or_else(damaged)?;
            let (agency, script, bucket, name) = keys::read_entry(key).ok_or_else(damaged)?;
            Line::Entry(EntryLine {
                agency: AgencyId::new(agency)?,
                script: ScriptName::new(script)?,
                bucket: BucketName::new(bucket)?,
                key: name.to_owned(),
                version: kept.version,
                expires_ms: kept.mortal(),
                value: STANDARD.encode(&kept.value),
            })
        }
    })
}

/// What the ledger counts, and its head marks; none while nothing was ever written to it.
fn ledger_line(core: &Core) -> Result<Option<LedgerLine>, StoreError> {
    let last_revision = ledger::last_revision_kept(core);
    let head = chain::head(core)?;
    if last_revision == 0 && head.seq == 0 {
        return Ok(None);
    }
    let marks = HeadMarks::read(&core.options.path.join(HEAD_FILE))?;
    Ok(Some(LedgerLine { last_revision, head, marks: marks.map(|marks| marks.marks).unwrap_or_default() }))
}

fn export_blob(core: &Core, out: &mut Out<'_>, id: &BlobId) -> Result<(), StoreError> {
    let path = blobs::path(core, id);
    let read = |error| StoreError::io("reading", &path, error);
    let mut file = std::fs::File::open(&path).map_err(read)?;
    let mut offset = 0;
    loop {
        let mut part = Vec::with_capacity(BLOB_PART_BYTES);
        let len = Read::by_ref(&mut file).take(BLOB_PART_BYTES as u64).read_to_end(&mut part).map_err(read)?;
        let last = len < BLOB_PART_BYTES;
        out.line(&Line::Blob(BlobLine { sha256: *id, offset, data: STANDARD.encode(&part), last }))?;
        if last {
            return Ok(());
        }
        offset += len as u64;
    }
}

/// Hands rows to the writer; with the head marks that came along at the end.
type WriteRows<'a> = &'a dyn Fn(Rows, Option<Vec<HeadMark>>) -> Result<(), StoreError>;

pub(super) fn import(core: &Core, input: &mut dyn BufRead, write: WriteRows<'_>) -> Result<BackupSummary, StoreError> {
    let used = [keys::CDR, keys::MARKER, keys::USAGE, keys::ENTRY, keys::DOCUMENT, keys::AUDIT]
        .iter()
        .chain(&campaigns::TAGS)
        .any(|tag| core.db.scan_prefix([*tag]).next().is_some());
    if used || !core.legs.lock().live.is_empty() || !blobs::list(core)?.is_empty() {
        return Err(StoreError::NotEmpty);
    }
    let mut import = Import {
        core,
        write,
        lines: Lines { input, number: 0, hash: Sha256::new(), text: Vec::new() },
        rows: Vec::new(),
        usage: HashMap::new(),
        last_revision: 0,
        head: AuditHead::default(),
        marks: Vec::new(),
        summary: BackupSummary::default(),
        blob: None,
        records: 0,
    };
    import.header()?;
    (import.write)(vec![(keys::META_IMPORTING.to_vec(), Vec::new())], None)?;
    while !import.record()? {}
    import.flush_rows()?;
    let mut counts: Rows =
        import.usage.iter().map(|(agency, usage)| (keys::of_agency(keys::USAGE, agency), usage.encode())).collect();
    if import.last_revision > 0 {
        counts.push((keys::META_REVISION.to_vec(), import.last_revision.to_be_bytes().to_vec()));
    }
    if import.head.seq > 0 {
        counts.push((keys::META_AUDIT.to_vec(), chain::encode_head(&import.head)));
    }
    (import.write)(counts, Some(std::mem::take(&mut import.marks)))?;
    Ok(import.summary)
}

struct Import<'a> {
    core: &'a Core,
    write: WriteRows<'a>,
    lines: Lines<'a>,
    rows: Rows,
    usage: HashMap<AgencyId, Usage>,
    last_revision: u64,
    head: AuditHead,
    marks: Vec<HeadMark>,
    summary: BackupSummary,
    /// The blob under way: its hash, the file, the bytes so far and their hash.
    blob: Option<BlobInProgress>,
    records: u64,
}

struct BlobInProgress {
    id: BlobId,
    aside: std::path::PathBuf,
    file: std::fs::File,
    offset: u64,
    hash: Sha256,
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    number: u64,
    hash: Sha256,
    text: Vec<u8>,
}

impl Lines<'_> {
    /// The next line in `text`; the hash of all before it is the answer.
    fn next(&mut self) -> Result<BlobId, StoreError> {
        let before = BlobId::from_sha256(self.hash.clone().finalize().into());
        self.number += 1;
        self.text.clear();
        let input: &mut dyn BufRead = &mut *self.input;
        let read = input.take(BACKUP_LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut self.text);
        read.map_err(|error| StoreError::io("reading", std::path::Path::new("the backup"), error))?;
        if self.text.is_empty() {
            return Err(self.wrong("the backup ends without its last line: it was cut short; use another one"));
        }
        if self.text.len() > BACKUP_LINE_BYTES_MAX {
            return Err(self.wrong("the line is too long: this is not a backup, or it is damaged"));
        }
        self.hash.update(&self.text);
        Ok(before)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_slice(&self.text)
            .map_err(|error| self.wrong(&format!("{error}; the backup is damaged, use another one")))
    }

    fn wrong(&self, why: &str) -> StoreError {
        StoreError::Backup { line: self.number, why: why.to_owned() }
    }
}

impl Import<'_> {
    fn header(&mut self) -> Result<(), StoreError> {
        self.lines.next()?;
        let header: Header = self.lines.parse()?;
        if header.gudok_backup > FORMAT || header.schema > schema::SCHEMA {
            return Err(self.lines.wrong("the backup was made by a newer engine: import it with that one"));
        }
        Ok(())
    }

    /// Takes in one line. `true` at the end.
    fn record(&mut self) -> Result<bool, StoreError> {
        let before = self.lines.next()?;
        let line: Line = self.lines.parse()?;
        if self.blob.is_some() && !matches!(line, Line::Blob(_)) {
            return Err(self.lines.wrong("a blob is not whole: the backup is damaged, use another one"));
        }
        match line {
            Line::End { records, sha256 } => {
                if records != self.records || sha256 != before {
                    return Err(self.lines.wrong("count or hash do not agree: the backup is damaged, use another one"));
                }
                return Ok(true);
            }
            Line::Cdr(cdr) => {
                let ended = legs::Ended::of(&cdr)?;
                let rows = ended.rows().into_iter();
                self.rows.extend(
                    rows.map(|(key, borrowed, owned)| (key, if owned.is_empty() { borrowed.to_vec() } else { owned })),
                );
                self.summary.cdrs += 1;
            }
            Line::Leg(leg) => {
                let key = keys::tagged(keys::MARKER, &keys::leg(&leg.call_id, leg.leg));
                self.rows.push((key, legs::encode(&leg)?));
                self.summary.legs += 1;
            }
            Line::Agency { agency, last_version } => {
                let usage = self.usage.entry(agency).or_default();
                usage.last_version = usage.last_version.max(last_version);
            }
            Line::Entry(entry) => self.entry(entry)?,
            Line::Document(document) => self.document(&document)?,
            Line::Ledger(ledger) => {
                self.last_revision = self.last_revision.max(ledger.last_revision);
                self.note_head(ledger.head);
                self.marks = ledger.marks;
            }
            Line::Audit(entry) => {
                // Whether the chain is whole is for the check to say: a backup of a damaged audit must come back too.
                self.rows.push((keys::audit(entry.seq), legs::encode(&entry)?));
                self.note_head(entry.head());
                self.summary.audit += 1;
            }
            Line::Campaign(line) => line.rows(&mut self.rows)?,
            Line::Contact(line) => line.rows(&mut self.rows, &mut self.summary)?,
            Line::Attempt(line) => line.rows(&mut self.rows, &mut self.summary)?,
            Line::OptOut(line) => line.rows(&mut self.rows, &mut self.summary),
            Line::Blob(part) => self.blob_part(&part)?,
        }
        self.records += 1;
        if self.rows.len() >= IMPORT_ROWS {
            self.flush_rows()?;
        }
        Ok(false)
    }

    fn entry(&mut self, entry: EntryLine) -> Result<(), StoreError> {
        let value = STANDARD.decode(&entry.value).map_err(|error| self.lines.wrong(&format!("value: {error}")))?;
        let bucket = Bucket { agency: entry.agency, script: entry.script, bucket: entry.bucket };
        super::buckets::check_key(&bucket.agency, &entry.key, u64::MAX)?;
        if value.len() > crate::limits::VALUE_BYTES_MAX {
            return Err(self.lines.wrong("the value is too large: the backup is damaged, use another one"));
        }
        let key = keys::entry(&bucket, &entry.key);
        let expires_ms = entry.expires_ms.unwrap_or(u64::MAX);
        if entry.expires_ms.is_some() {
            self.rows.push((keys::expiry(&bucket.agency, expires_ms, &key), Vec::new()));
        }
        let usage = self.usage.entry(bucket.agency).or_default();
        usage.keys += 1;
        usage.bytes += (entry.key.len() + value.len()) as u64;
        usage.last_version = usage.last_version.max(entry.version);
        self.rows.push((key, Kept::encode(entry.version, expires_ms, &value)));
        self.summary.entries += 1;
        Ok(())
    }

    fn document(&mut self, document: &DocumentLine) -> Result<(), StoreError> {
        let body = STANDARD.decode(&document.body).map_err(|error| self.lines.wrong(&format!("body: {error}")))?;
        if body.len() > crate::limits::DOCUMENT_BYTES_MAX {
            return Err(self.lines.wrong("the document is too large: the backup is damaged, use another one"));
        }
        let key = ledger::document_key(&document.kind, &document.id)?;
        if let Some(expires_ms) = document.expires_ms {
            self.rows.push((keys::document_end(expires_ms, &key), Vec::new()));
        }
        self.last_revision = self.last_revision.max(document.revision);
        let expires_ms = document.expires_ms.unwrap_or(NEVER_MS);
        self.rows.push((key, Kept::encode(document.revision, expires_ms, &body)));
        self.summary.documents += 1;
        Ok(())
    }

    fn note_head(&mut self, head: AuditHead) {
        if head.seq > self.head.seq {
            self.head = head;
        }
    }

    fn blob_part(&mut self, part: &BlobLine) -> Result<(), StoreError> {
        let data = STANDARD.decode(&part.data).map_err(|error| self.lines.wrong(&format!("blob: {error}")))?;
        let mut blob = match self.blob.take() {
            Some(blob) => blob,
            None => {
                let aside = blobs::aside(self.core);
                let file =
                    std::fs::File::create_new(&aside).map_err(|error| StoreError::io("writing", &aside, error))?;
                BlobInProgress { id: part.sha256, aside, file, offset: 0, hash: Sha256::new() }
            }
        };
        if blob.id != part.sha256 || blob.offset != part.offset {
            return Err(self.lines.wrong("a blob's part is missing: the backup is damaged, use another one"));
        }
        blob.hash.update(&data);
        blob.offset += data.len() as u64;
        blob.file.write_all(&data).map_err(|error| StoreError::io("writing", &blob.aside, error))?;
        if !part.last {
            self.blob = Some(blob);
            return Ok(());
        }
        if BlobId::from_sha256(blob.hash.finalize().into()) != blob.id {
            return Err(self.lines.wrong("a blob does not have its hash: the backup is damaged, use another one"));
        }
        folder::sync_file(&blob.aside)?;
        blobs::place(self.core, &blob.aside, &blob.id)?;
        self.summary.blobs += 1;
        Ok(())
    }

    fn flush_rows(&mut self) -> Result<(), StoreError> {
        (self.write)(std::mem::take(&mut self.rows), None)
    }
}
