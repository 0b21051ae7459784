//! Which types each host function has, so that a journal can be read where its script is not.

use super::recorded::{Recorded, Unreadable};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// How one function's host calls are read.
#[derive(Clone, Copy)]
pub(crate) struct Codec {
    pub(crate) args: fn(&mut &[u8]) -> Result<Value, Unreadable>,
    pub(crate) result: fn(&mut &[u8]) -> Result<Value, Unreadable>,
}

/// By the function's name. Filled where the functions are bound, so that none can be forgotten.
pub(crate) type Codecs = BTreeMap<Arc<str>, Codec>;

impl Codec {
    pub(crate) fn of<P: Recorded, R: Recorded>() -> Self {
        Self { args: read_json::<P>, result: read_json::<R> }
    }
}

/// All functions that can be bound.
static ALL: LazyLock<Codecs> = LazyLock::new(|| {
    let all = crate::engine::compiler(crate::metering::Metering::Epochs, false)
        .ok()
        .and_then(|engine| crate::interface::codecs(&engine).ok());
    all.unwrap_or_else(|| {
        tracing::error!("the functions of the interface cannot be listed: no journal can be read");
        Codecs::new()
    })
});

/// How a function's host calls are read; none where there is no such function.
pub(crate) fn codec(function: &str) -> Option<Codec> {
    ALL.get(function).copied()
}

fn read_json<T: Recorded>(page: &mut &[u8]) -> Result<Value, Unreadable> {
    T::read(page).map(|value| value.to_json())
}
