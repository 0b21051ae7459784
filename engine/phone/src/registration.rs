//! Staying registered: the phone of an operator.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::agent::Command;
use crate::error::PhoneError;
use crate::phone::{Phone, PhoneInner};

/// How long one REGISTER may take.
const ANSWER_MAX: Duration = Duration::from_secs(35);
/// After a failure it is tried again so much later.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStatus {
    /// No answer yet.
    Trying,
    /// In force, for so many seconds from the last refresh.
    Registered {
        /// What the registrar granted.
        expires_s: u32,
    },
    /// Refused, or 408 where no answer came. It is tried again.
    Failed {
        /// The answer.
        status: u16,
    },
}

/// A phone that stays registered. Dropped, it vanishes without a word: the registrar has to notice by itself.
#[derive(Debug)]
pub struct Registration {
    status: watch::Receiver<RegistrationStatus>,
    leave: Option<oneshot::Sender<oneshot::Sender<u16>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Registration {
    /// How it stands now.
    #[must_use]
    pub fn status(&self) -> RegistrationStatus {
        *self.status.borrow()
    }

    /// Waits until it is in force, and gives the seconds granted.
    ///
    /// # Errors
    /// When time runs out; the error says what came instead.
    pub async fn registered(&mut self, limit: Duration) -> Result<u32, PhoneError> {
        let is_registered = |status: &RegistrationStatus| matches!(status, RegistrationStatus::Registered { .. });
        let waited = tokio::time::timeout(limit, self.status.wait_for(is_registered)).await;
        match waited.map(|status| status.map(|status| *status)) {
            Ok(Ok(RegistrationStatus::Registered { expires_s })) => Ok(expires_s),
            Ok(_) => Err(PhoneError::Stopped),
            Err(_) => {
                let seen = format!("{:?}", self.status());
                Err(PhoneError::TimedOut { what: "a registration".into(), limit, seen })
            }
        }
    }

    /// Takes the registration back, and gives the status of that.
    ///
    /// # Errors
    /// When no answer comes in time, or the phone is gone.
    pub async fn end(mut self, limit: Duration) -> Result<u16, PhoneError> {
        let (sender, answer) = oneshot::channel();
        let asked = self.leave.take().is_some_and(|leave| leave.send(sender).is_ok());
        if !asked {
            return Err(PhoneError::Stopped);
        }
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(_)) => Err(PhoneError::Stopped),
            Err(_) => Err(PhoneError::TimedOut { what: "an answer".into(), limit, seen: "nothing".into() }),
        }
    }
}

impl Phone {
    /// Registers this phone, and goes on doing so in time, with the credentials of its configuration. Also given as
    /// [`crate::PhoneConfig::registrar_uri`].
    #[must_use]
    pub fn keep_registered(&self, registrar: &str, expires_s: u32) -> Registration {
        let (sender, status) = watch::channel(RegistrationStatus::Trying);
        let (leave, leaving) = oneshot::channel();
        let phone = Arc::downgrade(&self.inner);
        let task = tokio::spawn(keep(phone, registrar.to_owned(), expires_s, sender, leaving));
        Registration { status, leave: Some(leave), task }
    }
}

async fn keep(
    phone: Weak<PhoneInner>,
    registrar: String,
    expires_s: u32,
    status: watch::Sender<RegistrationStatus>,
    mut leaving: oneshot::Receiver<oneshot::Sender<u16>>,
) {
    loop {
        let Some((answer, granted_s)) = register(&phone, &registrar, expires_s).await else { return };
        let wait = if answer < 300 {
            let expires_s = granted_s.unwrap_or(expires_s);
            status.send_replace(RegistrationStatus::Registered { expires_s });
            // A fifth of the time is left for a refresh that has to be sent again.
            Duration::from_millis(u64::from(expires_s) * 800).max(Duration::from_millis(500))
        } else {
            status.send_replace(RegistrationStatus::Failed { status: answer });
            RETRY_AFTER
        };
        tokio::select! {
            leave = &mut leaving => {
                let Ok(told) = leave else { return };
                if let Some((answer, _)) = register(&phone, &registrar, 0).await {
                    // Whoever asked may have given up.
                    let _ = told.send(answer);
                }
                return;
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// One REGISTER. None where the phone is gone; 408 where nobody answers.
async fn register(phone: &Weak<PhoneInner>, registrar: &str, expires_s: u32) -> Option<(u16, Option<u32>)> {
    let phone = phone.upgrade()?;
    let Ok(peer) = phone.resolve(registrar).await else { return Some((408, None)) };
    let uri = registrar.to_owned();
    match phone.ask(ANSWER_MAX, |request| Command::Register { request, peer, uri, expires_s }).await {
        Ok(answer) => Some(answer),
        Err(PhoneError::Stopped) => None,
        Err(_) => Some((408, None)),
    }
}
