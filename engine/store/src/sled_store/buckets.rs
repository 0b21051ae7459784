//! What the writer does with agencies' buckets.
use super::core::Core;
use super::tx::{Fail, Step, Tx};
use super::{envelope, keys, legs};
use crate::limits::{KEY_BYTES_MAX, SWEEP_ON_QUOTA_ROWS_MAX, SWEEP_ROWS_MAX, VALUE_BYTES_MAX};
use crate::space::SpaceLevel;
use crate::{AgencyId, Bucket, Quota, QuotaKind, StoreError, Swept, UtcMs};

/// An entry that lives for good.
pub(super) const NEVER_MS: u64 = u64::MAX;
/// Version and end of life.
const ENTRY_HEADER_BYTES: usize = 16;

/// One operation on one key.
pub(super) struct Change<T> {
    pub(super) agency: AgencyId,
    /// The row's key.
    pub(super) key: Vec<u8>,
    /// Bytes of the key as the agency sees it.
    pub(super) key_bytes: u64,
    pub(super) quota: Quota,
    pub(super) now: UtcMs,
    pub(super) what: T,
}

pub(super) struct Set {
    /// The version that must be there.
    pub(super) expected: Option<u64>,
    pub(super) value: Vec<u8>,
    pub(super) expires_ms: u64,
}

impl<T> Change<T> {
    pub(super) fn new(bucket: &Bucket, key: &str, quota: Quota, now: UtcMs, what: T) -> Result<Self, StoreError> {
        check_key(&bucket.agency, key, quota.key_bytes_max)?;
        Ok(Self {
            agency: bucket.agency.clone(),
            key: keys::entry(bucket, key),
            key_bytes: key.len() as u64,
            quota,
            now,
            what,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.key.len() + size_of::<Self>()
    }
}

pub(super) fn check_key(agency: &AgencyId, key: &str, quota: u64) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::BadName { what: "key", why: "must not be empty".to_owned() });
    }
    within(agency, QuotaKind::KeyBytes, quota.min(KEY_BYTES_MAX as u64), key.len() as u64)
}

pub(super) fn check_value(agency: &AgencyId, value: &[u8], quota: Quota) -> Result<(), StoreError> {
    let limit = quota.value_bytes_max.min(VALUE_BYTES_MAX as u64);
    within(agency, QuotaKind::ValueBytes, limit, value.len() as u64)
}

fn within(agency: &AgencyId, quota: QuotaKind, limit: u64, needed: u64) -> Result<(), StoreError> {
    if needed <= limit {
        return Ok(());
    }
    Err(StoreError::Quota { agency: agency.to_string(), quota, limit, needed })
}

/// When an entry set now with this time to live ends.
pub(super) fn expires_ms(now: UtcMs, ttl: Option<std::time::Duration>) -> u64 {
    let Some(ttl) = ttl else { return NEVER_MS };
    let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(NEVER_MS);
    now.0.saturating_add(ttl_ms)
}

/// An entry's payload in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) version: u64,
    pub(super) expires_ms: u64,
    pub(super) value: Vec<u8>,
}

impl Kept {
    pub(super) fn visible(&self, now: UtcMs) -> bool {
        self.expires_ms == NEVER_MS || now.0 < self.expires_ms
    }

    /// End of life, if it has one.
    pub(super) fn mortal(&self) -> Option<u64> {
        (self.expires_ms != NEVER_MS).then_some(self.expires_ms)
    }

    pub(super) fn encode(version: u64, expires_ms: u64, value: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(ENTRY_HEADER_BYTES + value.len());
        payload.extend_from_slice(&version.to_be_bytes());
        payload.extend_from_slice(&expires_ms.to_be_bytes());
        payload.extend_from_slice(value);
        payload
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let (version, rest) = payload.split_first_chunk::<8>()?;
        let (expires_ms, value) = rest.split_first_chunk::<8>()?;
        let (version, expires_ms) = (u64::from_be_bytes(*version), u64::from_be_bytes(*expires_ms));
        Some(Self { version, expires_ms, value: value.to_vec() })
    }
}

/// Reads an entry, visible or not.
pub(super) fn read(core: &Core, key: &[u8], raw: &[u8]) -> Result<Kept, StoreError> {
    envelope::open(key, raw).and_then(Kept::decode).ok_or_else(|| core.quarantine(key, raw))
}

/// What an agency uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) bytes: u64,
    pub(super) keys: u64,
    /// The last version given out; it only grows.
    pub(super) last_version: u64,
}

impl Usage {
    pub(super) fn encode(self) -> Vec<u8> {
        [self.bytes, self.keys, self.last_version].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let (numbers, rest) = payload.as_chunks::<8>();
        let [bytes, keys, last_version] =
            numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect::<Vec<_>>()[..]
        else {
            return None;
        };
        rest.is_empty().then_some(Self { bytes, keys, last_version })
    }

    fn without(self, bytes: u64) -> Self {
        Self { bytes: self.bytes.saturating_sub(bytes), keys: self.keys.saturating_sub(1), ..self }
    }
}

/// What stands under a key: the entry if it is sound, and what it counts for.
struct Found {
    kept: Option<Result<Kept, StoreError>>,
    value_bytes: u64,
}

fn find<T>(tx: &Tx<'_>, change: &Change<T>) -> Step<Found> {
    let Some(raw) = tx.raw(&change.key)? else { return Ok(Found { kept: None, value_bytes: 0 }) };
    let value_bytes = raw.len().saturating_sub(envelope::HEADER_BYTES + ENTRY_HEADER_BYTES) as u64;
    Ok(Found { kept: Some(read(tx.core, &change.key, &raw)), value_bytes })
}

impl Found {
    fn version_at(self, now: UtcMs) -> Result<u64, StoreError> {
        match self.kept {
            None => Ok(0),
            Some(Ok(kept)) => Ok(if kept.visible(now) { kept.version } else { 0 }),
            Some(Err(error)) => Err(error),
        }
    }
}

pub(super) fn set(tx: &mut Tx<'_>, change: &Change<Set>, space: SpaceLevel) -> Step<u64> {
    tx.core.check_promise(space)?;
    if let Some(expected) = change.what.expected {
        let actual = find(tx, change)?.version_at(change.now)?;
        if actual != expected {
            return Err(Fail::Refused(StoreError::Conflict { actual }));
        }
    }
    write_entry(tx, change, &change.what.value, change.what.expires_ms)
}

pub(super) fn increment(tx: &mut Tx<'_>, change: &Change<i64>, space: SpaceLevel) -> Step<i64> {
    tx.core.check_promise(space)?;
    let before = match find(tx, change)?.kept {
        Some(Err(error)) => return Err(Fail::Refused(error)),
        Some(Ok(kept)) if kept.visible(change.now) => Some(kept),
        _ => None,
    };
    let expires_ms = before.as_ref().map_or(NEVER_MS, |kept| kept.expires_ms);
    let number = match before {
        None => 0,
        Some(kept) => {
            std::str::from_utf8(&kept.value).ok().and_then(|text| text.parse().ok()).ok_or(StoreError::NotANumber)?
        }
    };
    let sum: i64 = i64::checked_add(number, change.what).ok_or(StoreError::Overflow)?;
    let value = sum.to_string().into_bytes();
    check_value(&change.agency, &value, change.quota)?;
    write_entry(tx, change, &value, expires_ms)?;
    Ok(sum)
}

/// Puts an entry under its agency's quota and gives it the agency's next version.
fn write_entry<T>(tx: &mut Tx<'_>, change: &Change<T>, value: &[u8], expires_ms: u64) -> Step<u64> {
    let mut after = room(tx, change, value);
    if matches!(after, Err(Fail::Refused(StoreError::Quota { .. }))) {
        // What has ended must not stand in the way of what is alive.
        let swept = sweep_agency(tx, &change.agency, change.now, SWEEP_ON_QUOTA_ROWS_MAX)?;
        if swept.removed > 0 {
            after = room(tx, change, value);
        }
    }
    let mut usage = after?;
    usage.last_version += 1;
    forget_expiry(tx, change)?;
    if expires_ms != NEVER_MS {
        tx.put(keys::expiry(&change.agency, expires_ms, &change.key), &[]);
    }
    tx.put(change.key.clone(), &Kept::encode(usage.last_version, expires_ms, value));
    tx.put(keys::of_agency(keys::USAGE, &change.agency), &usage.encode());
    Ok(usage.last_version)
}

/// The agency's usage with the entry in it, if its quota allows.
fn room<T>(tx: &mut Tx<'_>, change: &Change<T>, value: &[u8]) -> Step<Usage> {
    let before = usage(tx, &change.agency)?;
    let found = find(tx, change)?;
    let rest = if found.kept.is_some() { before.without(change.key_bytes + found.value_bytes) } else { before };
    let after = Usage {
        bytes: rest.bytes + change.key_bytes + value.len() as u64,
        keys: rest.keys + 1,
        last_version: before.last_version,
    };
    // A quota that was lowered does not stop a write that takes no more than before.
    if after.keys > before.keys {
        within(&change.agency, QuotaKind::Keys, change.quota.keys_max, after.keys)?;
    }
    if after.bytes > before.bytes {
        within(&change.agency, QuotaKind::Bytes, change.quota.bytes_max, after.bytes)?;
    }
    Ok(after)
}

/// Deletes the row that would have ended the entry which is being replaced.
fn forget_expiry<T>(tx: &mut Tx<'_>, change: &Change<T>) -> Step<()> {
    if let Some(Ok(kept)) = find(tx, change)?.kept
        && let Some(expires_ms) = kept.mortal()
    {
        tx.delete(keys::expiry(&change.agency, expires_ms, &change.key));
    }
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, change: &Change<()>) -> Step<bool> {
    let found = find(tx, change)?;
    let was_there = match &found.kept {
        None => return Ok(false),
        Some(Ok(kept)) => kept.visible(change.now),
        Some(Err(_)) => true,
    };
    let rest = usage(tx, &change.agency)?.without(change.key_bytes + found.value_bytes);
    forget_expiry(tx, change)?;
    tx.delete(change.key.clone());
    tx.put(keys::of_agency(keys::USAGE, &change.agency), &rest.encode());
    Ok(was_there)
}

/// Removes what has ended, agency by agency.
pub(super) fn sweep(tx: &mut Tx<'_>, now: UtcMs, rows_max: usize) -> Step<Swept> {
    tx.apply()?;
    let rows_max = rows_max.min(SWEEP_ROWS_MAX);
    let mut swept = Swept::default();
    for agency in legs::agencies_of(tx.core, keys::EXPIRY)? {
        let left = rows_max.saturating_sub(usize::try_from(swept.removed).unwrap_or(usize::MAX));
        let of_agency = sweep_agency(tx, &agency, now, left)?;
        swept.removed += of_agency.removed;
        swept.more |= of_agency.more;
        if swept.more {
            break;
        }
    }
    Ok(swept)
}

/// Removes what has ended of one agency: an operation of its own inside the commit.
fn sweep_agency(tx: &mut Tx<'_>, agency: &AgencyId, now: UtcMs, rows_max: usize) -> Step<Swept> {
    tx.apply()?;
    let prefix = keys::of_agency(keys::EXPIRY, agency);
    let mut end = prefix.clone();
    end.extend_from_slice(&now.0.saturating_add(1).to_be_bytes());
    let mut swept = Swept::default();
    for row in tx.core.db.range(prefix..end) {
        if swept.removed >= rows_max as u64 {
            swept.more = true;
            break;
        }
        let (key, _) = row?;
        remove_ended(tx, agency, &key, now)?;
        tx.finish()?;
        swept.removed += 1;
    }
    tx.apply()?;
    Ok(swept)
}

fn remove_ended(tx: &mut Tx<'_>, agency: &AgencyId, expiry: &[u8], now: UtcMs) -> Step<()> {
    tx.delete(expiry.to_vec());
    let Some((_, entry)) = keys::read_expiry(expiry) else { return Ok(()) };
    let Some(raw) = tx.raw(&entry)? else { return Ok(()) };
    // A damaged entry stays for its agency to see.
    let Ok(kept) = read(tx.core, &entry, &raw) else { return Ok(()) };
    if kept.visible(now) {
        return Ok(());
    }
    let key_bytes = keys::read_entry(&entry).map_or(0, |parts| parts.3.len());
    let rest = usage(tx, agency)?.without((key_bytes + kept.value.len()) as u64);
    tx.delete(entry);
    tx.put(keys::of_agency(keys::USAGE, agency), &rest.encode());
    Ok(())
}

/// What the agency uses; counted anew when the count is damaged.
fn usage(tx: &mut Tx<'_>, agency: &AgencyId) -> Step<Usage> {
    let key = keys::of_agency(keys::USAGE, agency);
    let Some(raw) = tx.raw(&key)? else { return Ok(Usage::default()) };
    if let Some(usage) = envelope::open(&key, &raw).and_then(Usage::decode) {
        return Ok(usage);
    }
    tx.core.quarantine(&key, &raw);
    let mut usage = Usage::default();
    for row in tx.core.db.scan_prefix(keys::of_agency(keys::ENTRY, agency)) {
        let (key, raw) = row?;
        let key_bytes = keys::read_entry(&key).map_or(0, |parts| parts.3.len());
        usage.keys += 1;
        usage.bytes += (key_bytes + raw.len().saturating_sub(envelope::HEADER_BYTES + ENTRY_HEADER_BYTES)) as u64;
        // Deleted keys may have had higher versions: leap over them rather than repeat one.
        let version = envelope::open(&key, &raw).and_then(Kept::decode).map_or(0, |kept| kept.version);
        usage.last_version = usage.last_version.max(version);
    }
    usage.last_version += VERSIONS_SKIPPED_ON_RECOUNT;
    Ok(usage)
}

/// No agency writes this often between two of its remaining keys' versions.
const VERSIONS_SKIPPED_ON_RECOUNT: u64 = 1 << 40;
