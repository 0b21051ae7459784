//! How a host call can fail, and what that means for a script.

use crate::bindings::exports::gudok::ivr::script::{ResultCode, Summary};
use crate::bindings::gudok::ivr::types::{CallError, Field};

/// What every call to the host answers. `?` carries [`CallError::Ended`] out of `run`, which is the clean end of a call.
pub type Result<T> = core::result::Result<T, CallError>;

impl CallError {
    /// True when the call is over: save what must be saved and return.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Keeps only the end of the call as an error: for a step that a script can do without. Anything else is logged.
    ///
    /// # Errors
    /// [`CallError::Ended`].
    pub fn unless_ended<T>(result: Result<T>, doing_without: &str) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_end() => Err(error),
            Err(error) => {
                crate::host::warn(&format!("{doing_without}: {error}"));
                Ok(None)
            }
        }
    }
}

impl Summary {
    /// The call came to this; add fields with [`with`](Self::with).
    #[must_use]
    pub const fn new(code: ResultCode) -> Self {
        Self { code, fields: Vec::new() }
    }

    /// The caller got what they called for.
    #[must_use]
    pub const fn served() -> Self {
        Self::new(ResultCode::Served)
    }

    /// The caller was handed to somebody.
    #[must_use]
    pub const fn transferred() -> Self {
        Self::new(ResultCode::Transferred)
    }

    /// The caller was promised a callback.
    #[must_use]
    pub const fn callback_booked() -> Self {
        Self::new(ResultCode::CallbackBooked)
    }

    /// The caller left, or gave no answer.
    #[must_use]
    pub const fn abandoned() -> Self {
        Self::new(ResultCode::Abandoned)
    }

    /// The script cannot serve: the host lands the caller on the agency's fallback.
    #[must_use]
    pub const fn no_service() -> Self {
        Self::new(ResultCode::NoService)
    }

    /// Keeps a value with the call record. Nothing personal belongs here.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
    }
}
