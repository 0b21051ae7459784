//! The one thread that writes. It takes what waits, decides each operation in order, applies the result, makes it
//! durable with one flush and one fdatasync, and only then answers. One writer makes compare-and-set, quotas and
//! versions linearizable without locks, and shares one fsync among all who wait.
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::core::{Core, Queue};
use super::tx::{Fail, Step, Tx};
use super::{blobs, buckets, campaigns, chain, erase, keys, ledger, legs};
use crate::audit::HeadMark;
use crate::space::SpaceLevel;
use crate::{
    AgencyId, AuditHead, BlobId, ContactsAdded, Deleted, Erased, LedgerDone, LegId, NumberKey, OptOutScope, StoreError,
    SubjectHash, Swept, UtcMs,
};

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
pub(super) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What the writer is asked to do.
pub(super) enum Write {
    LegBegan {
        leg: Vec<u8>,
        payload: Vec<u8>,
    },
    LegEnded(Box<legs::Ended>),
    Settled(Reply<()>),
    Recover {
        now: UtcMs,
        reply: Reply<Vec<LegId>>,
    },
    Deletion(Deletion),
    Ledger(Box<ledger::Change>, Reply<LedgerDone>),
    LedgerSweep {
        now: UtcMs,
        rows_max: usize,
        reply: Reply<Swept>,
    },
    Set(Box<buckets::Change<buckets::Set>>, Reply<u64>),
    Increment(Box<buckets::Change<i64>>, Reply<i64>),
    Delete(Box<buckets::Change<()>>, Reply<bool>),
    Sweep {
        now: UtcMs,
        rows_max: usize,
        reply: Reply<Swept>,
    },
    ContactsAdd(Box<campaigns::Add>, Reply<ContactsAdded>),
    Contact(Box<campaigns::Change>, Reply<()>),
    OptOuts(campaigns::OptOutRows, Reply<u64>),
    OptOutDelete {
        number: NumberKey,
        scope: OptOutScope,
        reply: Reply<bool>,
    },
    /// Rows of a backup, already encoded.
    Import {
        rows: Rows,
        /// Its end, with the head marks that came with it.
        end: Option<Vec<HeadMark>>,
        reply: Reply<()>,
    },
}

/// What goes: records, recordings, persons, files.
pub(super) enum Deletion {
    Cdrs {
        agency: Option<AgencyId>,
        before: UtcMs,
        rows_max: usize,
        reply: Reply<Deleted>,
    },
    Recordings {
        agency: Option<AgencyId>,
        before: UtcMs,
        now: UtcMs,
        rows_max: usize,
        reply: Reply<Deleted>,
    },
    Subject {
        subject: SubjectHash,
        records: Vec<Vec<u8>>,
        contacts: Vec<campaigns::Place>,
        now: UtcMs,
        reply: Reply<Erased>,
    },
    Campaign {
        campaign: String,
        rows_max: usize,
        reply: Reply<Swept>,
    },
    /// The files of doomed blobs are gone.
    BlobsGone {
        blobs: Vec<BlobId>,
        reply: Reply<()>,
    },
}

pub(super) struct Writer {
    core: Arc<Core>,
    queue: Queue,
    /// Legs whose begin-marker is in the database.
    markers: HashSet<Vec<u8>>,
    /// Blobs whose file is gone; their rows go with the next commit.
    deleted_blobs: Vec<BlobId>,
    mark: chain::MarkFile,
    space_before: SpaceLevel,
}

/// Called when a commit is durable, or with why it is not.
type Answer = Box<dyn FnOnce(Option<&str>) + Send>;

#[derive(Default)]
struct Done {
    answers: Vec<Answer>,
    /// Answers that wait for the head mark too.
    marked_answers: Vec<Answer>,
    /// The audit's head after this commit, if it changed.
    head: Option<AuditHead>,
    /// Head marks of a backup that this commit ends.
    imported_marks: Option<Vec<HeadMark>>,
    /// Legs whose record this commit holds.
    ended: Vec<Vec<u8>>,
    cdrs: u64,
}

impl Writer {
    /// Reads what a former process left: begin-markers, blobs to delete, the audit's head mark.
    pub(super) fn new(core: Arc<Core>, queue: Queue) -> Result<Self, StoreError> {
        let deleted_blobs = blobs::tidy(&core)?;
        let markers = legs::markers(&core.db)?;
        let mark = chain::MarkFile::open(&core)?;
        Ok(Self { core, queue, markers, deleted_blobs, mark, space_before: SpaceLevel::Enough })
    }

    pub(super) fn run(mut self) {
        let soon = Duration::from_millis(self.core.options.soon_ms_max);
        let mut writes = Vec::new();
        while self.queue.take(soon, &mut writes) {
            self.commit(&mut writes);
            writes.clear();
        }
    }

    fn commit(&mut self, writes: &mut Vec<Write>) {
        let began = Instant::now();
        let count = writes.len() as u64;
        let mut done = Done::default();
        // sled answers some failures of the disk with a panic.
        let work = std::panic::AssertUnwindSafe(|| self.write(writes, &mut done));
        let result = match std::panic::catch_unwind(work) {
            Ok(result) => result,
            Err(_) => Err("the database panicked".to_owned()),
        };
        if let Err(why) = &result {
            self.core.fail(why);
        }
        if result.is_ok() {
            // After a failure these entries stay unreadable: they may not be on disk.
            self.core.undurable.lock().clear();
        }
        {
            let mut legs = self.core.legs.lock();
            for leg in &done.ended {
                legs.settling.remove(leg);
            }
        }
        if result.is_ok() {
            let counters = &self.core.counters;
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            counters.commits.fetch_add(1, Relaxed);
            counters.writes.fetch_add(count, Relaxed);
            counters.cdrs.fetch_add(done.cdrs, Relaxed);
            counters.commit_us_last.store(took_us, Relaxed);
            counters.commit_us_max.fetch_max(took_us, Relaxed);
        }
        let core = Arc::clone(&self.core);
        let why = core.failed.get().map(String::as_str);
        for answer in done.answers {
            answer(why);
        }
        if result.is_ok() {
            self.mark_head(done.head, done.imported_marks.as_deref());
        }
        for answer in done.marked_answers {
            answer(why);
        }
    }

    /// Writes the audit's head mark when the commit is durable.
    fn mark_head(&mut self, head: Option<AuditHead>, imported: Option<&[HeadMark]>) {
        let head = match (head, imported) {
            (Some(head), _) => Ok(head),
            (None, Some(_)) => chain::head(&self.core),
            (None, None) => return,
        };
        let marked = head.and_then(|head| {
            self.mark.adopt(&self.core, imported.unwrap_or_default())?;
            self.mark.write(&head);
            Ok(())
        });
        if let Err(error) = marked {
            tracing::error!(%error, "the audit's head mark could not be written; trying again with the next entry");
        }
    }

    /// Decides and applies all writes, then makes them durable.
    fn write(&mut self, writes: &mut Vec<Write>, done: &mut Done) -> Result<(), String> {
        let core = Arc::clone(&self.core);
        let space = core.space();
        self.report_space(space);
        let ending = legs::ending(writes);
        let failed = core.failed.get().cloned();
        let mut tx = Tx::new(&core, &mut self.markers);
        for blob in self.deleted_blobs.drain(..) {
            tx.delete(blobs::doomed_key(&blob));
        }
        let mut fatal = failed.map_or_else(|| tx.finish().map_err(|error| format!("writing: {error}")), Err);
        for write in writes.drain(..) {
            // After a failure the rest is still answered: refused.
            let step = if fatal.is_ok() { decide(&mut tx, write, space, &ending, done) } else { refuse(write, done) };
            if let Err(error) = step {
                fatal = Err(format!("writing: {error}"));
            }
        }
        fatal?;
        tx.apply().map_err(|error| format!("writing: {error}"))?;
        core.db.flush().map_err(|error| format!("flushing: {error}"))?;
        core.log.sync_data().map_err(|error| format!("fdatasync: {error}"))
    }

    fn report_space(&mut self, space: SpaceLevel) {
        self.core.disk_full.store(matches!(space, SpaceLevel::Full(_)), Relaxed);
        if std::mem::discriminant(&space) == std::mem::discriminant(&self.space_before) {
            return;
        }
        self.space_before = space;
        match space {
            SpaceLevel::Enough => tracing::info!("enough of the disk is free again"),
            SpaceLevel::Low(percent) => {
                tracing::error!(percent, "the disk is low: nothing new is promised to callers; free space");
            }
            SpaceLevel::Full(percent) => {
                tracing::error!(percent, "the disk is full: call records are being lost; free space now");
            }
        }
    }
}

fn decide(
    tx: &mut Tx<'_>,
    write: Write,
    space: SpaceLevel,
    ending: &HashSet<Vec<u8>>,
    done: &mut Done,
) -> Result<(), sled::Error> {
    match write {
        Write::LegBegan { leg, payload } => {
            let step = legs::began(tx, &leg, &payload, space, ending);
            settle(tx, step, &mut done.answers, None)
        }
        Write::LegEnded(ended) => {
            done.ended.push(ended.leg.clone());
            let step = legs::ended(tx, &ended, space);
            match &step {
                Ok(()) => done.cdrs += 1,
                Err(_) => {
                    tx.core.counters.cdrs_refused.fetch_add(1, Relaxed);
                }
            }
            settle(tx, step, &mut done.answers, None)
        }
        Write::Settled(reply) => settle(tx, Ok(()), &mut done.answers, Some(reply)),
        Write::Recover { now, reply } => {
            let step = legs::recover(tx, now, space);
            done.cdrs += step.as_ref().map_or(0, |legs| legs.len() as u64);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Deletion(deletion) => delete(tx, deletion, &mut done.answers),
        Write::Ledger(change, reply) => {
            let step = ledger::commit(tx, &change, space);
            if let Some(last) = step.as_ref().ok().and_then(|committed| committed.audit.last()) {
                done.head = Some(last.head());
            }
            settle(tx, step, &mut done.marked_answers, Some(reply))
        }
        Write::LedgerSweep { now, rows_max, reply } => {
            let step = ledger::sweep(tx, now, rows_max);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Set(change, reply) => {
            let step = buckets::set(tx, &change, space);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Increment(change, reply) => {
            let step = buckets::increment(tx, &change, space);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Delete(change, reply) => {
            let step = buckets::delete(tx, &change);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Sweep { now, rows_max, reply } => {
            let step = buckets::sweep(tx, now, rows_max);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::ContactsAdd(add, reply) => {
            let step = campaigns::add(tx, &add, space);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Contact(change, reply) => {
            let step = campaigns::write(tx, &change, space);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::OptOuts(opt_outs, reply) => {
            let step = campaigns::opt_outs_put(tx, &opt_outs, space);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::OptOutDelete { number, scope, reply } => {
            let step = campaigns::opt_out_delete(tx, number, &scope);
            settle(tx, step, &mut done.answers, Some(reply))
        }
        Write::Import { rows, end, reply } => {
            for (key, value) in rows {
                tx.put(key, &value);
            }
            if end.is_some() {
                tx.delete(keys::META_IMPORTING.to_vec());
                done.imported_marks = end;
            }
            settle(tx, Ok(()), &mut done.marked_answers, Some(reply))
        }
    }
}

fn delete(tx: &mut Tx<'_>, deletion: Deletion, answers: &mut Vec<Answer>) -> Result<(), sled::Error> {
    match deletion {
        Deletion::Cdrs { agency, before, rows_max, reply } => {
            let step = erase::cdrs_before(tx, agency.as_ref(), before, rows_max);
            settle(tx, step, answers, Some(reply))
        }
        Deletion::Recordings { agency, before, now, rows_max, reply } => {
            let step = erase::recordings_before(tx, agency.as_ref(), before, now, rows_max);
            settle(tx, step, answers, Some(reply))
        }
        Deletion::Subject { subject, records, contacts, now, reply } => {
            let step = erase::erase(tx, &subject, &records, &contacts, now);
            settle(tx, step, answers, Some(reply))
        }
        Deletion::Campaign { campaign, rows_max, reply } => {
            let step = campaigns::erase_campaign(tx, &campaign, rows_max);
            settle(tx, step, answers, Some(reply))
        }
        Deletion::BlobsGone { blobs, reply } => {
            blobs.iter().for_each(|blob| tx.delete(blobs::doomed_key(blob)));
            settle(tx, Ok(()), answers, Some(reply))
        }
    }
}

/// Keeps or forgets what the operation drafted, and remembers its answer for when the commit is durable.
fn settle<T: Send + 'static>(
    tx: &mut Tx<'_>,
    step: Step<T>,
    answers: &mut Vec<Answer>,
    reply: Option<Reply<T>>,
) -> Result<(), sled::Error> {
    let (result, fatal) = match step {
        Ok(answer) => (Ok(answer), tx.finish()),
        Err(Fail::Refused(error)) => {
            tx.forget();
            tx.core.counters.count(&error);
            (Err(error), Ok(()))
        }
        Err(Fail::Fatal(error)) => {
            tx.forget();
            (Err(StoreError::Failed { why: error.to_string() }), Err(error))
        }
    };
    if let Some(reply) = reply {
        answers.push(Box::new(move |why| {
            let failed = why.map(|why| StoreError::Failed { why: why.to_owned() });
            // Nobody may be listening any more: the call hung up.
            let _unheard = reply.send(failed.map_or(result, Err));
        }));
    }
    fatal
}

/// Answers a write that comes after a failure.
fn refuse(write: Write, done: &mut Done) -> Result<(), sled::Error> {
    fn later<T: Send + 'static>(reply: Reply<T>) -> Answer {
        Box::new(move |why| {
            let why = why.unwrap_or("an earlier write failed").to_owned();
            let _unheard = reply.send(Err(StoreError::Failed { why }));
        })
    }
    let answer = match write {
        Write::LegBegan { .. } => return Ok(()),
        Write::LegEnded(ended) => {
            done.ended.push(ended.leg);
            return Ok(());
        }
        Write::Settled(reply) | Write::Deletion(Deletion::BlobsGone { reply, .. }) | Write::Import { reply, .. } => {
            later(reply)
        }
        Write::Recover { reply, .. } => later(reply),
        Write::Deletion(Deletion::Cdrs { reply, .. } | Deletion::Recordings { reply, .. }) => later(reply),
        Write::Deletion(Deletion::Subject { reply, .. }) => later(reply),
        Write::Ledger(_, reply) => later(reply),
        Write::Set(_, reply) | Write::OptOuts(_, reply) => later(reply),
        Write::Increment(_, reply) => later(reply),
        Write::Delete(_, reply) | Write::OptOutDelete { reply, .. } => later(reply),
        Write::Sweep { reply, .. }
        | Write::LedgerSweep { reply, .. }
        | Write::Deletion(Deletion::Campaign { reply, .. }) => later(reply),
        Write::ContactsAdd(_, reply) => later(reply),
        Write::Contact(_, reply) => later(reply),
    };
    done.answers.push(answer);
    Ok(())
}
