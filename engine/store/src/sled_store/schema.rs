//! The schema of the whole store: checked at every opening, migrated step by step, never guessed.
use std::path::Path;

use super::{envelope, keys};
use crate::{Cdr, StoreError};

/// Schema written by this engine.
pub(super) const SCHEMA: u32 = 3;

/// Brings a store from one schema to the next. It may run twice: after a crash the step is repeated.
pub(super) struct Migration {
    /// The schema it starts from; it leads to the next.
    pub(super) from: u32,
    pub(super) run: fn(&sled::Db) -> sled::Result<()>,
}

/// All steps, in order.
pub(super) const MIGRATIONS: &[Migration] =
    &[Migration { from: 1, run: index_recordings }, Migration { from: 2, run: begin_campaigns }];

/// Schema 3 adds campaigns, which begin empty: an engine that does not know them must not open the store, because it
/// would leave them out of its backups and keep erased persons in them.
fn begin_campaigns(_: &sled::Db) -> sled::Result<()> {
    Ok(())
}

/// Schema 2 adds the ledger, which begins empty, and an index of the records that have recordings.
fn index_recordings(db: &sled::Db) -> sled::Result<()> {
    for row in db.scan_prefix([keys::CDR]) {
        let (key, value) = row?;
        let cdr = envelope::open(&key, &value).and_then(|payload| serde_json::from_slice::<Cdr>(payload).ok());
        if cdr.is_some_and(|cdr| !cdr.ended.recordings.is_empty()) {
            let recorded = keys::retagged(keys::RECORDED, &key);
            let row = envelope::seal(&recorded, &[]);
            db.insert(recorded, row)?;
        }
    }
    Ok(())
}

/// Checks the schema and migrates up to `known`. Answers with whether anything changed.
pub(super) fn check(path: &Path, db: &sled::Db, known: u32, migrations: &[Migration]) -> Result<bool, StoreError> {
    let unreadable = |error: sled::Error| StoreError::Unreadable { path: path.to_owned(), why: error.to_string() };
    if db.contains_key(keys::META_IMPORTING).map_err(unreadable)? {
        return Err(StoreError::ImportUnfinished { path: path.to_owned() });
    }
    let not_a_store = |why: &str| StoreError::NotAStore { path: path.to_owned(), why: why.to_owned() };
    let mut found = match db.get(keys::META_SCHEMA).map_err(unreadable)? {
        None if db.is_empty() => {
            write(db, known).map_err(unreadable)?;
            return Ok(true);
        }
        None => return Err(not_a_store("its database has rows and no schema")),
        Some(value) => {
            read(&value).ok_or_else(|| not_a_store("its schema cannot be read; if it is one, restore a backup"))?
        }
    };
    if found > known {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
    }
    let mut changed = false;
    while found < known {
        let Some(step) = migrations.iter().find(|step| step.from == found) else {
            return Err(not_a_store(&format!(
                "its schema {found} is older than any that this engine can bring up to date"
            )));
        };
        tracing::info!(from = found, to = found + 1, "bringing the store up to date");
        (step.run)(db).map_err(unreadable)?;
        found += 1;
        // Not durable yet: a crash repeats the step.
        write(db, found).map_err(unreadable)?;
        changed = true;
    }
    Ok(changed)
}

fn write(db: &sled::Db, schema: u32) -> sled::Result<()> {
    db.insert(keys::META_SCHEMA, envelope::seal(keys::META_SCHEMA, &schema.to_be_bytes())).map(|_| ())
}

fn read(value: &[u8]) -> Option<u32> {
    let payload = envelope::open(keys::META_SCHEMA, value)?;
    payload.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db() -> (tempfile::TempDir, sled::Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::Config::new().path(folder.path()).flush_every_ms(None).open().unwrap();
        (folder, db)
    }

    #[test]
    fn migrates_step_by_step_and_only_once() {
        fn first(db: &sled::Db) -> sled::Result<()> {
            db.insert("x", "1").map(|_| ())
        }
        fn second(db: &sled::Db) -> sled::Result<()> {
            db.insert("x", [&db.get("x")?.unwrap_or_default()[..], b"2"].concat()).map(|_| ())
        }
        let (folder, db) = db();
        let steps = [Migration { from: 1, run: first }, Migration { from: 2, run: second }];
        assert!(check(folder.path(), &db, 1, &steps).unwrap());
        assert!(!check(folder.path(), &db, 1, &steps).unwrap());
        assert!(check(folder.path(), &db, 3, &steps).unwrap());
        assert!(!check(folder.path(), &db, 3, &steps).unwrap());
        assert_eq!(db.get("x").unwrap().unwrap(), "12");
        let error = check(folder.path(), &db, 2, &steps).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 3, known: 2, .. }));
        assert!(error.to_string().contains("start the newer engine"), "{error}");
        assert!(matches!(check(folder.path(), &db, 4, &steps), Err(StoreError::NotAStore { .. })));
    }

    #[test]
    fn a_database_without_a_schema_is_not_ours() {
        let (folder, db) = db();
        db.insert("someone", "else").unwrap();
        assert!(matches!(check(folder.path(), &db, SCHEMA, MIGRATIONS), Err(StoreError::NotAStore { .. })));
    }
}
