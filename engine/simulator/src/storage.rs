//! Agency storage in memory, by the rules of the port.

use crate::clock::VirtualClock;
use crate::decide::{Decision, Moment, SharedDecider, Stores};
use crate::report::SimStored;
use crate::tasks::SharedDesk;
use gudok_core::time::Timestamp;
use gudok_plugin_host::ports::{
    BoxFuture, BucketId, CasAnswer, Clock, KeyRange, StorageEntry, StorageError, StoragePort, StorageQuota,
};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

/// What all scripts of a world keep.
pub(crate) struct SimStorage {
    pub(crate) clock: VirtualClock,
    pub(crate) desk: SharedDesk,
    pub(crate) buckets: Mutex<HashMap<BucketId, Bucket>>,
    pub(crate) decider: Option<SharedDecider>,
}

pub(crate) type Bucket = BTreeMap<String, Kept>;

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    value: Arc<[u8]>,
    version: u64,
    until: Option<Timestamp>,
}

impl Kept {
    /// Written before the world began.
    pub(crate) fn from_before(value: &[u8]) -> Self {
        Self { value: value.into(), version: 1, until: None }
    }
}

impl SimStorage {
    /// Storage works, as far as nobody decides otherwise.
    fn decided(&self, id: &BucketId, key: &str, writes: bool) -> Result<(), StorageError> {
        let Some(decider) = &self.decider else { return Ok(()) };
        let step = self.desk.lock().step.clone();
        let stores = Stores { bucket: Arc::clone(&id.bucket), key: key.to_owned(), writes, step };
        match decider.lock().decide(&Moment::Stores(stores)) {
            Decision::NoStore => Err(StorageError::Unavailable("decided so".into())),
            Decision::HangUp => {
                self.desk.lock().leaves = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What is kept now, by bucket and key.
    pub(crate) fn kept(&self) -> Vec<SimStored> {
        let now = self.clock.now();
        let buckets = self.buckets.lock();
        let lives = |kept: &Kept| kept.until.is_none_or(|until| until > now);
        let mut all: Vec<SimStored> = buckets
            .iter()
            .flat_map(|(id, bucket)| bucket.iter().map(move |(key, kept)| (id, key, kept)))
            .filter(|(.., kept)| lives(kept))
            .map(|(id, key, kept)| SimStored { bucket: id.clone(), key: key.clone(), value: kept.value.to_vec() })
            .collect();
        let place =
            |one: &SimStored| (one.bucket.agency.clone(), one.bucket.script.clone(), Arc::clone(&one.bucket.bucket));
        all.sort_by(|one, other| (place(one), &one.key).cmp(&(place(other), &other.key)));
        all
    }

    /// Works on a bucket, from which what has run out is gone.
    fn with<T>(&self, id: &BucketId, work: impl FnOnce(&mut Bucket) -> T) -> T {
        self.desk.lock().touches(&id.agency, &format!("bucket {}", id.bucket));
        let now = self.clock.now();
        let mut buckets = self.buckets.lock();
        for (_, bucket) in buckets.iter_mut().filter(|(other, _)| of_one_script(other, id)) {
            bucket.retain(|_, kept| kept.until.is_none_or(|until| until > now));
        }
        work(buckets.entry(id.clone()).or_default())
    }

    /// Writes, unless the script keeps too much by then in all its buckets.
    fn write(
        &self,
        id: &BucketId,
        key: &str,
        quota: StorageQuota,
        make: impl FnOnce(&Bucket) -> Result<Write, StorageError>,
    ) -> Result<u64, StorageError> {
        let elsewhere: usize = {
            let buckets = self.buckets.lock();
            buckets.iter().filter(|(other, _)| of_one_script(other, id) && *other != id).map(|(_, b)| size(b, "")).sum()
        };
        self.with(id, |bucket| {
            let Write { value, ttl } = make(bucket)?;
            let bytes = u64::try_from(elsewhere + size(bucket, key) + key.len() + value.len()).unwrap_or(u64::MAX);
            if bytes > quota.bytes_max {
                return Err(StorageError::Quota(format!("storage_bytes_max = {}", quota.bytes_max)));
            }
            let version = version_of(bucket, key) + 1;
            let until = ttl.map(|ttl| self.clock.now() + ttl);
            bucket.insert(key.into(), Kept { value: value.into(), version, until });
            Ok(version)
        })
    }
}

struct Write {
    value: Vec<u8>,
    ttl: Option<Duration>,
}

fn of_one_script(one: &BucketId, other: &BucketId) -> bool {
    (&one.agency, &one.script) == (&other.agency, &other.script)
}

/// Keys and values, but for that key's.
fn size(bucket: &Bucket, but: &str) -> usize {
    bucket.iter().filter(|(key, _)| *key != but).map(|(key, kept)| key.len() + kept.value.len()).sum()
}

fn version_of(bucket: &Bucket, key: &str) -> u64 {
    bucket.get(key).map_or(0, |kept| kept.version)
}

impl StoragePort for SimStorage {
    fn get<'a>(&'a self, id: &'a BucketId, key: &'a str) -> BoxFuture<'a, Result<Option<StorageEntry>, StorageError>> {
        if let Err(error) = self.decided(id, key, false) {
            return Box::pin(ready(Err(error)));
        }
        let entry = |kept: &Kept| StorageEntry { value: kept.value.to_vec(), version: kept.version };
        Box::pin(ready(Ok(self.with(id, |bucket| bucket.get(key).map(entry)))))
    }

    fn set<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        if let Err(error) = self.decided(id, key, true) {
            return Box::pin(ready(Err(error)));
        }
        Box::pin(ready(self.write(id, key, quota, |_| Ok(Write { value, ttl }))))
    }

    fn compare_and_set<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        expected: u64,
        value: Vec<u8>,
        ttl: Option<Duration>,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<CasAnswer, StorageError>> {
        if let Err(error) = self.decided(id, key, true) {
            return Box::pin(ready(Err(error)));
        }
        let there = self.with(id, |bucket| version_of(bucket, key));
        if there != expected {
            return Box::pin(ready(Ok(CasAnswer::Conflict(there))));
        }
        let written = self.write(id, key, quota, |_| Ok(Write { value, ttl }));
        Box::pin(ready(written.map(CasAnswer::Written)))
    }

    fn increment<'a>(
        &'a self,
        id: &'a BucketId,
        key: &'a str,
        delta: i64,
        quota: StorageQuota,
    ) -> BoxFuture<'a, Result<i64, StorageError>> {
        if let Err(error) = self.decided(id, key, true) {
            return Box::pin(ready(Err(error)));
        }
        let invalid = |why: &str| StorageError::Invalid(why.into());
        let mut sum = 0;
        let written = self.write(id, key, quota, |bucket| {
            let text = bucket.get(key).map_or(Ok("0"), |kept| std::str::from_utf8(&kept.value));
            let before: Option<i64> = text.ok().and_then(|text| text.parse().ok());
            let before = before.ok_or_else(|| invalid("the value is not a decimal number"))?;
            sum = before.checked_add(delta).ok_or_else(|| invalid("the sum is out of range"))?;
            Ok(Write { value: sum.to_string().into_bytes(), ttl: None })
        });
        Box::pin(ready(written.map(|_| sum)))
    }

    fn delete<'a>(&'a self, id: &'a BucketId, key: &'a str) -> BoxFuture<'a, Result<(), StorageError>> {
        if let Err(error) = self.decided(id, key, true) {
            return Box::pin(ready(Err(error)));
        }
        self.with(id, |bucket| bucket.remove(key));
        Box::pin(ready(Ok(())))
    }

    fn list_keys<'a>(&'a self, id: &'a BucketId, range: KeyRange) -> BoxFuture<'a, Result<Vec<String>, StorageError>> {
        if let Err(error) = self.decided(id, &range.prefix, false) {
            return Box::pin(ready(Err(error)));
        }
        let wanted = |key: &&String| {
            key.starts_with(&range.prefix) && range.after.as_ref().is_none_or(|after| key.as_str() > after.as_str())
        };
        let keys =
            self.with(id, |bucket| bucket.keys().filter(wanted).take(usize::from(range.keys_max)).cloned().collect());
        Box::pin(ready(Ok(keys)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::ids::{Agency, ScriptName};
    use std::task::{Context, Poll, Waker};

    const QUOTA: StorageQuota = StorageQuota { bytes_max: 20 };

    fn now<T>(mut answer: BoxFuture<'_, T>) -> T {
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("storage in memory waits for nobody"),
        }
    }

    fn bucket(name: &str) -> BucketId {
        BucketId { agency: Agency::new("one"), script: ScriptName::new("s"), bucket: name.into() }
    }

    #[test]
    fn storage_keeps_the_rules_of_its_port() {
        let clock = VirtualClock::new(Timestamp::from_millis(1), jiff::tz::TimeZone::UTC);
        let storage =
            SimStorage { clock: clock.clone(), desk: SharedDesk::default(), buckets: Mutex::default(), decider: None };
        let (a, b) = (&bucket("a"), &bucket("b"));
        let second = Duration::from_secs(1);
        assert_eq!(now(storage.set(a, "key", b"12345".to_vec(), Some(second), QUOTA)), Ok(1));
        assert_eq!(now(storage.compare_and_set(a, "key", 0, vec![], None, QUOTA)), Ok(CasAnswer::Conflict(1)));
        assert_eq!(now(storage.compare_and_set(a, "new", 0, vec![], None, QUOTA)), Ok(CasAnswer::Written(1)));
        // The quota is the script's, over all its buckets; writing over a key counts it once.
        assert!(matches!(now(storage.set(b, "key", vec![0; 10], None, QUOTA)), Err(StorageError::Quota(_))));
        assert_eq!(now(storage.set(a, "key", vec![0; 14], Some(second), QUOTA)), Ok(2));
        let range = KeyRange { prefix: String::new(), after: None, keys_max: 9 };
        assert_eq!(now(storage.list_keys(a, range)), Ok(vec!["key".to_owned(), "new".to_owned()]));
        clock.advance(Timestamp::from_millis(1) + second);
        assert_eq!(now(storage.get(a, "key")), Ok(None));
        assert_eq!(now(storage.increment(b, "count", 5, QUOTA)), Ok(5));
        assert_eq!(now(storage.increment(b, "count", -7, QUOTA)), Ok(-2));
        assert!(matches!(now(storage.increment(a, "new", 1, QUOTA)), Err(StorageError::Invalid(_))));
        assert_eq!(now(storage.delete(a, "new")), Ok(()));
        assert_eq!(now(storage.get(a, "new")), Ok(None));
    }
}
