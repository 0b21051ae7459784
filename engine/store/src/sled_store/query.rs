//! Reading call records and keys page by page.
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::core::{Core, read_failed};
use super::{buckets, keys, legs};
use crate::limits::{LIST_KEYS_MAX, PAGE_ROWS_MAX, SCAN_ROWS_MAX};
use crate::names::{hex, unhex};
use crate::{AgencyId, Bucket, Cdr, CdrCursor, CdrPage, CdrQuery, KeyPage, KeyQuery, StoreError, UtcMs};

/// Where a record stands in the order of all: end, then the rest of its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ended_ms: u64,
    /// The agency as in the key, its length before it.
    agency: Vec<u8>,
    leg: Vec<u8>,
}

impl Place {
    fn of(key: &[u8]) -> Option<Self> {
        let (agency, ended_ms, leg) = keys::read_cdr(key)?;
        Some(Self { ended_ms, agency: keys::of_agency(keys::CDR, &agency), leg: leg.to_vec() })
    }

    fn key(&self) -> Vec<u8> {
        [&self.agency[..], &self.ended_ms.to_be_bytes(), &self.leg].concat()
    }

    fn cursor(&self) -> CdrCursor {
        CdrCursor(hex(&self.key()))
    }

    fn read(cursor: &CdrCursor) -> Result<Self, StoreError> {
        let place = unhex(&cursor.0).and_then(|key| {
            let place = Place::of(&key)?;
            keys::read_leg(&place.leg)?;
            Some(place)
        });
        place.ok_or_else(|| StoreError::BadName {
            what: "cursor",
            why: "is not one that a page gave out; begin without one".to_owned(),
        })
    }
}

pub(super) fn cdrs(core: &Core, query: &CdrQuery) -> Result<CdrPage, StoreError> {
    let after = query.cursor.as_ref().map(Place::read).transpose()?;
    match &query.call_id {
        Some(_) => of_call(core, query, after.as_ref()),
        None => by_time(core, query, after.as_ref()),
    }
}

struct Page<'a> {
    query: &'a CdrQuery,
    rows_max: usize,
    scanned: usize,
    page: CdrPage,
}

impl<'a> Page<'a> {
    fn new(query: &'a CdrQuery) -> Self {
        let rows_max = if query.rows_max == 0 { PAGE_ROWS_MAX } else { query.rows_max.min(PAGE_ROWS_MAX) };
        Self { query, rows_max, scanned: 0, page: CdrPage::default() }
    }

    /// Takes a row in if it is asked for. `true` when the page ends with it.
    fn take(&mut self, core: &Core, key: &[u8], value: &[u8]) -> bool {
        self.scanned += 1;
        match legs::decode::<Cdr>(core, key, value) {
            Ok(cdr) if matches(self.query, &cdr) => self.page.cdrs.push(cdr),
            Ok(_) => {}
            Err(_) => self.page.corrupt += 1,
        }
        self.page.cdrs.len() >= self.rows_max || self.scanned >= SCAN_ROWS_MAX
    }
}

fn matches(query: &CdrQuery, cdr: &Cdr) -> bool {
    let ended = cdr.ended.ended_ms;
    let subject = query.subject.as_ref();
    ended >= query.from
        && query.until.is_none_or(|until| ended < until)
        && query.agency.as_ref().is_none_or(|agency| *agency == cdr.began.agency)
        && subject.is_none_or(|hash| cdr.began.caller.hash() == Some(hash) || cdr.began.called.hash() == Some(hash))
}

/// The legs of one call, through their index.
fn of_call(core: &Core, query: &CdrQuery, after: Option<&Place>) -> Result<CdrPage, StoreError> {
    let Some(call) = &query.call_id else { return Ok(CdrPage::default()) };
    let mut page = Page::new(query);
    for row in core.db.scan_prefix(keys::legs_of_call(call)) {
        let (index_key, index_value) = row.map_err(|error| read_failed(&error))?;
        let leg = &index_key[1..];
        if after.is_some_and(|after| leg <= &after.leg[..]) {
            continue;
        }
        let place = core.open(&index_key, &index_value).ok().and_then(keys::read_leg_payload);
        let Some((agency, ended_ms)) = place else {
            page.page.corrupt += 1;
            continue;
        };
        let key = keys::cdr(&agency, ended_ms, leg);
        let Some(value) = core.db.get(&key).map_err(|error| read_failed(&error))? else { continue };
        if page.take(core, &key, &value) {
            page.page.next = Place::of(&key).map(|place| place.cursor());
            break;
        }
    }
    Ok(page.page)
}

/// Records of one agency, or of all merged, by their end.
fn by_time(core: &Core, query: &CdrQuery, after: Option<&Place>) -> Result<CdrPage, StoreError> {
    let agencies = match &query.agency {
        Some(agency) => vec![agency.clone()],
        None => legs::agencies_of(core, keys::CDR).map_err(|error| read_failed(&error))?,
    };
    let mut rows: Vec<_> = agencies.iter().map(|agency| core.db.range(range(agency, query, after))).collect();
    let mut heads = BinaryHeap::new();
    let mut page = Page::new(query);
    for (n, rows) in rows.iter_mut().enumerate() {
        heads.extend(head(rows, n)?.map(Reverse));
    }
    while let Some(Reverse((place, n, value))) = heads.pop() {
        if page.take(core, &place.key(), &value) {
            page.page.next = Some(place.cursor());
            break;
        }
        heads.extend(head(&mut rows[n], n)?.map(Reverse));
    }
    Ok(page.page)
}

/// An agency's records within the times asked for and after the cursor.
fn range(agency: &AgencyId, query: &CdrQuery, after: Option<&Place>) -> std::ops::Range<Vec<u8>> {
    let prefix = keys::of_agency(keys::CDR, agency);
    let mut from = keys::cdrs_from(agency, query.from.0);
    if let Some(after) = after {
        let behind_cursor = match prefix.cmp(&after.agency) {
            std::cmp::Ordering::Equal => [after.key(), vec![0]].concat(),
            // Within one millisecond agencies follow each other.
            std::cmp::Ordering::Greater => keys::cdrs_from(agency, after.ended_ms),
            std::cmp::Ordering::Less => keys::cdrs_from(agency, after.ended_ms.saturating_add(1)),
        };
        from = from.max(behind_cursor);
    }
    let until = query.until.map_or_else(|| keys::behind(&prefix), |until| keys::cdrs_from(agency, until.0));
    let until = until.max(from.clone());
    from..until
}

type Head = (Place, usize, Vec<u8>);

fn head(rows: &mut sled::Iter, n: usize) -> Result<Option<Head>, StoreError> {
    for row in rows {
        let (key, value) = row.map_err(|error| read_failed(&error))?;
        if let Some(place) = Place::of(&key) {
            return Ok(Some((place, n, value.to_vec())));
        }
    }
    Ok(None)
}

/// A page of keys, and whether a key on it is not durable yet.
pub(super) fn list_keys(
    core: &Core,
    bucket: &Bucket,
    query: &KeyQuery,
    now: UtcMs,
) -> Result<(KeyPage, bool), StoreError> {
    let inside = keys::bucket(bucket);
    let prefix = keys::entry(bucket, &query.prefix);
    let mut from = prefix.clone();
    if let Some(after) = &query.after {
        from = from.max([&inside[..], after.as_bytes(), &[0]].concat());
    }
    let end = keys::behind(&prefix).max(from.clone());
    let keys_max = if query.keys_max == 0 { LIST_KEYS_MAX } else { query.keys_max.min(LIST_KEYS_MAX) };
    let mut page = KeyPage::default();
    let mut last = None;
    for (scanned, row) in core.db.range(from..end).enumerate() {
        if page.keys.len() >= keys_max || scanned >= SCAN_ROWS_MAX {
            page.more_after = last;
            break;
        }
        let (key, raw) = row.map_err(|error| read_failed(&error))?;
        let Some((_, _, _, name)) = keys::read_entry(&key) else { continue };
        // A damaged entry is listed: its agency can see it and delete it.
        if buckets::read(core, &key, &raw).map_or(true, |kept| kept.visible(now)) {
            page.keys.push(name.to_owned());
        }
        last = Some(name.to_owned());
    }
    Ok((page, core.is_undurable(&inside)))
}
