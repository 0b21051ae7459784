//! A call that waits to be answered.

use std::sync::Arc;

use super::Call;
use crate::agent::Command;
use crate::error::PhoneError;
use crate::media::MediaCommand;
use crate::shared::CallShared;

/// A call that waits to be answered.
pub struct IncomingCall {
    pub(crate) call: Call,
}

impl std::fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming{:?}", self.call)
    }
}

impl IncomingCall {
    /// The URI in From.
    #[must_use]
    pub fn from_uri(&self) -> &str {
        self.call.shared.invitation.as_ref().map_or("", |i| &i.from_uri)
    }

    /// The request URI.
    #[must_use]
    pub fn request_uri(&self) -> &str {
        self.call.shared.invitation.as_ref().map_or("", |i| &i.request_uri)
    }

    /// The user of the request URI: the number that was called.
    #[must_use]
    pub fn user(&self) -> &str {
        let (_, rest) = self.request_uri().split_once(':').unwrap_or_default();
        rest.split_once('@').map_or("", |(user, _)| user.split(';').next().unwrap_or_default())
    }

    /// A header of the INVITE.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.call.shared.invitation.as_ref()?.header(name)
    }

    /// Whether it is to take the place of a call we have (Replaces).
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.call.shared.invitation.as_ref().is_some_and(|i| i.replaces.is_some())
    }

    /// Whether the INVITE carried an offer.
    #[must_use]
    pub fn offered(&self) -> bool {
        self.call.shared.invitation.as_ref().is_some_and(|i| i.offered)
    }

    /// 180 Ringing.
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn ring(&self) -> Result<(), PhoneError> {
        self.call.shared.order(Command::Ring { key: self.call.shared.key, early: None })
    }

    /// 183 with early media: these samples, mono at 8 kHz. `answer` later keeps the same ports.
    ///
    /// # Errors
    /// When the phone is stopped or busy, or no port is free.
    pub fn early_media(&self, samples: impl Into<Arc<[i16]>>) -> Result<Call, PhoneError> {
        let early = Some(self.call.shared.open_media()?);
        self.call.shared.order_media(MediaCommand::Speak(samples.into()))?;
        self.call.shared.order(Command::Ring { key: self.call.shared.key, early })?;
        Ok(self.call.clone())
    }

    /// 200 OK.
    ///
    /// # Errors
    /// When the phone is stopped or busy, or no port is free.
    pub fn answer(&self) -> Result<Call, PhoneError> {
        answer(&self.call.shared)?;
        Ok(self.call.clone())
    }

    /// Refuses with a status: 486, 603, 503, …
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn reject(&self, status: u16) -> Result<(), PhoneError> {
        self.reject_with(status, Vec::new())
    }

    /// Sends the caller elsewhere (302).
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn redirect(&self, uri: &str) -> Result<(), PhoneError> {
        self.reject_with(302, vec![("Contact".to_owned(), format!("<{uri}>"))])
    }

    fn reject_with(&self, status: u16, headers: Vec<(String, String)>) -> Result<(), PhoneError> {
        let status = status.clamp(300, 699);
        self.call.shared.order(Command::Reject { key: self.call.shared.key, status, headers })
    }

    /// The call, to watch it without answering.
    #[must_use]
    pub fn call(&self) -> Call {
        self.call.clone()
    }
}

pub(crate) fn answer(shared: &Arc<CallShared>) -> Result<(), PhoneError> {
    let media = shared.open_media()?;
    shared.order(Command::Answer { key: shared.key, media })
}
