//! Small values that outlive a call, as JSON. Needs the capability "storage" for the bucket.
//!
//! ```
//! # use gudok_sdk::prelude::*;
//! # use gudok_sdk::storage::Bucket;
//! # fn script() -> Result<()> {
//! let seats = Bucket::open("seats")?;
//! let left: u32 = seats.update("monday", None, |left| left.unwrap_or(10u32).saturating_sub(1))?;
//! # Ok(()) }
//! ```

use crate::Result;
use crate::bindings::gudok::ivr::storage;
use crate::bindings::gudok::ivr::types::CallError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How often an update is tried before it is given up: each failure means that another call's update succeeded.
pub const UPDATE_ATTEMPTS_MAX: u32 = 16;

/// A bucket of the agency's. Every write is durable when it answers.
pub struct Bucket(storage::Bucket);

impl Bucket {
    /// Opens a bucket that the manifest names.
    ///
    /// # Errors
    /// [`CallError::Denied`] for one that it does not.
    pub fn open(name: &str) -> Result<Self> {
        storage::Bucket::open(name).map(Self)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if another type was stored, and as every host call.
    pub fn value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.0.get(key)?.map(|entry| decode(key, &entry.value)).transpose()
    }

    /// Writes, whatever was there; kept for so many seconds, or for good.
    ///
    /// # Errors
    /// [`CallError::Quota`] when the agency's space is full, and as every host call.
    pub fn set<T: Serialize>(&self, key: &str, value: &T, ttl_seconds: Option<u32>) -> Result<()> {
        self.0.set(key, &encode(value)?, ttl_seconds).map(drop)
    }

    /// Changes a value so that no other call's change is lost, and answers the new one. `change` may run several times.
    ///
    /// # Errors
    /// [`CallError::BusyResource`] after too many conflicts, and as every host call.
    pub fn update<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        ttl_seconds: Option<u32>,
        mut change: impl FnMut(Option<T>) -> T,
    ) -> Result<T> {
        for _ in 0..UPDATE_ATTEMPTS_MAX {
            let entry = self.0.get(key)?;
            let version = entry.as_ref().map_or(0, |entry| entry.version);
            let value = change(entry.map(|entry| decode(key, &entry.value)).transpose()?);
            match self.0.compare_and_set(key, version, &encode(&value)?, ttl_seconds) {
                Ok(_) => return Ok(value),
                Err(storage::CasError::Conflict(_)) => {}
                Err(storage::CasError::Failed(error)) => return Err(error),
            }
        }
        Err(CallError::BusyResource(format!("key {key}: changed {UPDATE_ATTEMPTS_MAX} times meanwhile")))
    }

    /// Adds to a decimal number, and answers the sum.
    ///
    /// # Errors
    /// As every host call.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        self.0.increment(key, delta)
    }

    /// Forgets a key; one that is not there is forgotten already.
    ///
    /// # Errors
    /// As every host call.
    pub fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key)
    }

    /// The bucket as wit-bindgen made it.
    #[must_use]
    pub const fn raw(&self) -> &storage::Bucket {
        &self.0
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| CallError::Invalid(format!("value: {error}")))
}

fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T> {
    serde_json::from_slice(value).map_err(|error| CallError::Invalid(format!("key {key} holds another type: {error}")))
}
