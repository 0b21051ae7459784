//! Values of host calls as a journal has them.

use crate::bindings::{
    directory, fetch, input, promises, prompts, queues, recording, storage, telephony, transfer, types,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmtime::component::Resource;

/// What can stand in a journal: exactly, in postcard's format, and as JSON for people. Redaction comes after it, in one
/// place: [`super::redact()`].
pub(crate) trait Recorded: Sized {
    fn to_json(&self) -> Value;
    /// The other way; none where it is JSON of something else.
    fn from_json(value: Value) -> Option<Self>;
    /// Appends it.
    fn write(&self, page: &mut Vec<u8>);
    /// Takes from the page what [`Recorded::write`] appended.
    fn read(page: &mut &[u8]) -> Result<Self, Unreadable>;
}

/// What stands there is nothing that this engine wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable;

/// Appends a value in postcard's format.
pub(crate) fn write(value: &(impl Serialize + ?Sized), page: &mut Vec<u8>) {
    // Memory takes whatever comes, and what the WIT has serializes.
    let _ = postcard::serialize_with_flavor(value, Page(page));
}

/// Takes a value of postcard's format.
pub(crate) fn read<'a, T: Deserialize<'a>>(page: &mut &'a [u8]) -> Result<T, Unreadable> {
    let (value, rest) = postcard::take_from_bytes(page).map_err(|_| Unreadable)?;
    *page = rest;
    Ok(value)
}

/// Appends what postcard writes.
struct Page<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Page<'_> {
    type Output = ();

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

macro_rules! recorded_by_serde {
    ($($type:ty),* $(,)?) => {
        $(impl Recorded for $type {
            fn to_json(&self) -> Value {
                serde_json::to_value(self).unwrap_or(Value::Null)
            }

            fn from_json(value: Value) -> Option<Self> {
                serde_json::from_value(value).ok()
            }

            fn write(&self, page: &mut Vec<u8>) {
                write(self, page);
            }

            fn read(page: &mut &[u8]) -> Result<Self, Unreadable> {
                read(page)
            }
        })*
    };
}

recorded_by_serde!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    i64,
    String,
    Vec<u8>,
    Vec<String>,
    Vec<types::Field>,
    types::CallError,
    types::EndReason,
    types::Datetime,
    types::Promise,
    prompts::Prompt,
    input::CollectOptions,
    input::Outcome,
    telephony::CallInfo,
    telephony::PlaybackEnd,
    telephony::RejectCause,
    telephony::Pace,
    queues::QueueOptions,
    queues::QueueEvent,
    promises::CallbackRequest,
    promises::CallbackOffer,
    promises::Ticket,
    Vec<promises::SurveyAnswer>,
    directory::EntryKind,
    Vec<directory::Office>,
    Vec<directory::Entry>,
    Vec<directory::Answer>,
    recording::RecordOptions,
    recording::Recording,
    transfer::Target,
    transfer::TransferOptions,
    transfer::TransferOutcome,
    storage::Entry,
    storage::CasError,
    fetch::Request,
    fetch::Response,
    crate::bindings::host::Level,
);

impl<T: 'static> Recorded for Resource<T> {
    fn to_json(&self) -> Value {
        Value::from(self.rep())
    }

    fn from_json(value: Value) -> Option<Self> {
        u32::from_json(value).map(Self::new_own)
    }

    fn write(&self, page: &mut Vec<u8>) {
        write(&self.rep(), page);
    }

    fn read(page: &mut &[u8]) -> Result<Self, Unreadable> {
        read(page).map(Self::new_own)
    }
}

impl<T: Recorded> Recorded for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Recorded::to_json)
    }

    fn from_json(value: Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }

    fn write(&self, page: &mut Vec<u8>) {
        page.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(page);
        }
    }

    fn read(page: &mut &[u8]) -> Result<Self, Unreadable> {
        if bool::read(page)? { T::read(page).map(Some) } else { Ok(None) }
    }
}

impl<T: Recorded, E: Recorded> Recorded for Result<T, E> {
    fn to_json(&self) -> Value {
        let (name, value) = match self {
            Ok(value) => ("ok", value.to_json()),
            Err(error) => ("error", error.to_json()),
        };
        Value::Object([(name.to_owned(), value)].into_iter().collect())
    }

    fn from_json(value: Value) -> Option<Self> {
        let Value::Object(mut sides) = value else { return None };
        match (sides.remove("ok"), sides.remove("error")) {
            (Some(value), None) => T::from_json(value).map(Ok),
            (None, Some(error)) => E::from_json(error).map(Err),
            _ => None,
        }
    }

    fn write(&self, page: &mut Vec<u8>) {
        page.push(u8::from(self.is_ok()));
        match self {
            Ok(value) => value.write(page),
            Err(error) => error.write(page),
        }
    }

    fn read(page: &mut &[u8]) -> Result<Self, Unreadable> {
        if bool::read(page)? { T::read(page).map(Ok) } else { E::read(page).map(Err) }
    }
}

macro_rules! recorded_tuple {
    ($($name:ident)+) => {
        impl<$($name: Recorded),+> Recorded for ($($name,)+) {
            #[expect(non_snake_case, reason = "one name for the type and its value")]
            fn to_json(&self) -> Value {
                let ($($name,)+) = self;
                Value::Array(vec![$($name.to_json()),+])
            }

            fn from_json(value: Value) -> Option<Self> {
                let Value::Array(items) = value else { return None };
                let mut items = items.into_iter();
                Some(($($name::from_json(items.next()?)?,)+))
            }

            #[expect(non_snake_case, reason = "one name for the type and its value")]
            fn write(&self, page: &mut Vec<u8>) {
                let ($($name,)+) = self;
                $($name.write(page);)+
            }

            fn read(page: &mut &[u8]) -> Result<Self, Unreadable> {
                Ok(($($name::read(page)?,)+))
            }
        }
    };
}
recorded_tuple!(A);
recorded_tuple!(A B);
recorded_tuple!(A B C);
recorded_tuple!(A B C D);
recorded_tuple!(A B C D E);
