//! Passwords by argon2id, away from the threads that answer requests, few at a time: hashing is work that anybody may
//! ask for, and the cores belong to calls.

use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_HASHES_MAX, PASSWORD_HASHES_WAITING_MAX};
use crate::names::UserName;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngCore;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// What OWASP asks for: 19 MiB, two passes.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// Hashes and verifies.
pub(crate) struct Passwords {
    cost: PasswordCost,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The hash of a password that nobody has: an unknown user costs as much time as a known one.
    nobody: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        Self {
            cost,
            turns: Arc::new(Semaphore::new(PASSWORD_HASHES_MAX)),
            waiting: Arc::new(Semaphore::new(PASSWORD_HASHES_WAITING_MAX)),
            nobody: Arc::new(OnceLock::new()),
        }
    }

    /// The PHC string to be kept.
    ///
    /// # Errors
    /// `busy`, `internal`.
    pub(crate) async fn hash(&self, password: Redacted) -> Result<String, Problem> {
        let cost = self.cost;
        self.work(move || hash(cost, &password)).await?
    }

    /// Whether a password is the one kept; against nobody's where none is kept.
    ///
    /// # Errors
    /// `busy`, `internal`.
    pub(crate) async fn verify(&self, password: Redacted, kept: Option<String>) -> Result<bool, Problem> {
        let (cost, nobody) = (self.cost, Arc::clone(&self.nobody));
        let verify = move || -> Result<bool, Problem> {
            let known = kept.is_some();
            let kept = match kept {
                Some(kept) => kept,
                None => match nobody.get() {
                    Some(kept) => kept.clone(),
                    None => {
                        let made = hash(cost, &super::new_cookie())?;
                        nobody.get_or_init(|| made).clone()
                    }
                },
            };
            let kept =
                PasswordHash::new(&kept).map_err(|error| Problem::internal("reading a password's hash", error))?;
            let right = Argon2::default().verify_password(password.reveal().as_bytes(), &kept).is_ok();
            Ok(right && known)
        };
        self.work(verify).await?
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::new(&codes::BUSY, "Too many log-ins at a time.").retry_after_s(1);
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| Problem::internal("hashing a password", error))
    }
}

fn hash(cost: PasswordCost, password: &Redacted) -> Result<String, Problem> {
    const LANES: u32 = 1;
    let failed = |error: String| Problem::internal("hashing a password", error);
    let params = Params::new(cost.memory_kib, cost.passes, LANES, None).map_err(|error| failed(error.to_string()))?;
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|error| failed(error.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.reveal().as_bytes(), &salt).map_err(|error| failed(error.to_string()))?;
    Ok(hash.to_string())
}

/// What a password must be. Length is what counts; rules on kinds of characters make people write it down.
///
/// # Errors
/// `invalid-field`; the password is not in it.
pub(crate) fn check(password: &Redacted, user: &UserName) -> Result<(), Problem> {
    let text = password.reveal();
    if text.chars().count() < PASSWORD_CHARS_MIN || text.len() > PASSWORD_BYTES_MAX {
        let detail =
            format!("A password has {PASSWORD_CHARS_MIN} characters or more, and at most {PASSWORD_BYTES_MAX} bytes.");
        return Err(Problem::invalid("password", detail));
    }
    if text.eq_ignore_ascii_case(user.as_str()) {
        return Err(Problem::invalid("password", "A password is not the user's name."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_nobodys_is_not() {
        let passwords = Passwords::new(PasswordCost { memory_kib: 64, passes: 1 });
        let secret = || Redacted::new("correct horse".into());
        let kept = passwords.hash(secret()).await.unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"));
        assert!(passwords.verify(secret(), Some(kept.clone())).await.unwrap());
        assert!(!passwords.verify(Redacted::new("wrong horse".into()), Some(kept)).await.unwrap());
        assert!(!passwords.verify(secret(), None).await.unwrap());
    }
}
