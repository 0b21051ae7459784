//! Small state that outlives a call. The agency is the call's, never the script's word.

use super::Bucket;
use crate::bindings::{storage, types};
use crate::host_call::{Room, WaitsFor};
use crate::ports::{BoxFuture, BucketId, CasAnswer, KeyRange, StorageError, StorageQuota};
use crate::state::CallState;
use gudok_core::script::CallError;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Resource, ResourceType};

type Answer<T> = Result<T, types::CallError>;

/// Keys that one `list-keys` answers at most.
const LIST_KEYS_MAX: u16 = 1_000;

pub(super) fn link(room: &mut Room<'_>) -> wasmtime::Result<()> {
    room.instance.resource("bucket", ResourceType::host::<Bucket>(), |mut store, slot| {
        store.data_mut().buckets.remove(slot);
        Ok(())
    })?;
    room.answers("[static]bucket.open", open)?;
    room.waits("[method]bucket.get", WaitsFor::Host, get)?;
    room.waits("[method]bucket.set", WaitsFor::Host, set)?;
    room.waits("[method]bucket.compare-and-set", WaitsFor::Host, compare_and_set)?;
    room.waits("[method]bucket.increment", WaitsFor::Host, increment)?;
    room.waits("[method]bucket.delete", WaitsFor::Host, delete)?;
    room.waits("[method]bucket.list-keys", WaitsFor::Host, list_keys)
}

fn open(state: &mut CallState, (name,): (String,)) -> Answer<Resource<Bucket>> {
    let bucket = state.reader().shared("name", &name)?;
    state.version.gate.bucket(&name)?;
    let id = BucketId { agency: state.info.agency.clone(), script: state.version.id.script.clone(), bucket };
    Ok(Resource::new_own(state.buckets.insert(id)))
}

/// The bucket behind a handle, and a key that is one.
fn place<'a>(state: &'a CallState, bucket: &Resource<Bucket>, key: &str) -> Result<&'a BucketId, CallError> {
    let max = state.limits().string_bytes_max;
    if key.is_empty() || key.len() > max as usize {
        return Err(CallError::Invalid(format!("key has {} bytes; it takes 1 to string_bytes_max = {max}", key.len())));
    }
    slot(state, bucket)
}

fn slot<'a>(state: &'a CallState, bucket: &Resource<Bucket>) -> Result<&'a BucketId, CallError> {
    state.buckets.get(bucket.rep()).ok_or_else(|| CallError::Internal("bucket-slot".into()))
}

fn quota(state: &CallState) -> StorageQuota {
    StorageQuota { bytes_max: u64::from(state.limits().storage_kib) * 1024 }
}

fn ttl(seconds: Option<u32>) -> Option<Duration> {
    seconds.map(|seconds| Duration::from_secs(seconds.into()))
}

impl From<StorageError> for types::CallError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Quota(what) => Self::Quota(format!("storage: {what}")),
            StorageError::Invalid(what) => Self::Invalid(format!("storage: {what}")),
            StorageError::Unavailable(what) => Self::Unavailable(format!("storage: {what}")),
        }
    }
}

fn get(
    state: &mut CallState,
    (bucket, key): (Resource<Bucket>, String),
) -> BoxFuture<'_, Answer<Option<storage::Entry>>> {
    Box::pin(async move {
        let bucket = place(state, &bucket, &key)?;
        let entry = state.ports.storage.get(bucket, &key).await?;
        Ok(entry.map(|entry| storage::Entry { value: entry.value, version: entry.version }))
    })
}

type SetParams = (Resource<Bucket>, String, Vec<u8>, Option<u32>);

fn set(state: &mut CallState, (bucket, key, value, ttl_seconds): SetParams) -> BoxFuture<'_, Answer<u64>> {
    Box::pin(async move {
        let bucket = place(state, &bucket, &key)?;
        Ok(state.ports.storage.set(bucket, &key, value, ttl(ttl_seconds), quota(state)).await?)
    })
}

type CasParams = (Resource<Bucket>, String, u64, Vec<u8>, Option<u32>);

fn compare_and_set(
    state: &mut CallState,
    (bucket, key, expected, value, ttl_seconds): CasParams,
) -> BoxFuture<'_, Result<u64, storage::CasError>> {
    Box::pin(async move {
        let bucket = place(state, &bucket, &key).map_err(|error| storage::CasError::Failed(error.into()))?;
        let storage = Arc::clone(&state.ports.storage);
        let answer = storage.compare_and_set(bucket, &key, expected, value, ttl(ttl_seconds), quota(state)).await;
        match answer.map_err(|error| storage::CasError::Failed(error.into()))? {
            CasAnswer::Written(version) => Ok(version),
            CasAnswer::Conflict(version) => Err(storage::CasError::Conflict(version)),
        }
    })
}

fn increment(
    state: &mut CallState,
    (bucket, key, delta): (Resource<Bucket>, String, i64),
) -> BoxFuture<'_, Answer<i64>> {
    Box::pin(async move {
        let bucket = place(state, &bucket, &key)?;
        Ok(state.ports.storage.increment(bucket, &key, delta, quota(state)).await?)
    })
}

fn delete(state: &mut CallState, (bucket, key): (Resource<Bucket>, String)) -> BoxFuture<'_, Answer<()>> {
    Box::pin(async move {
        let bucket = place(state, &bucket, &key)?;
        Ok(state.ports.storage.delete(bucket, &key).await?)
    })
}

type ListParams = (Resource<Bucket>, String, Option<String>, u16);

fn list_keys(state: &mut CallState, (bucket, prefix, after, limit): ListParams) -> BoxFuture<'_, Answer<Vec<String>>> {
    Box::pin(async move {
        let reader = state.reader();
        let prefix = reader.text("prefix", prefix)?;
        let after = after.map(|after| reader.text("after", after)).transpose()?;
        let bucket = slot(state, &bucket)?;
        let range = KeyRange { prefix, after, keys_max: limit.min(LIST_KEYS_MAX) };
        Ok(state.ports.storage.list_keys(bucket, range).await?)
    })
}
