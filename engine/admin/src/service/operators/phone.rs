//! Where an operator's telephone is, and what the registrar knows it by.

use crate::Admin;
use crate::auth::hex;
use crate::documents::{OperatorDocument, PhoneDocument, PhoneSecretDocument};
use crate::limits::{PHONE_PASSWORD_BYTES_MAX, PHONE_PASSWORD_CHARS_MIN};
use crate::names::OperatorName;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use md5::Md5;
use sha2::{Digest, Sha256};

/// A user part that needs no escaping (RFC 3261, 25.1).
pub(super) fn check_address(address: &str) -> Result<(), Problem> {
    const CHARS_MAX: usize = 64;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'_' | b'.' | b'*');
    if address.is_empty() || address.len() > CHARS_MAX || !address.bytes().all(legal) {
        let detail = format!("It is letters, digits, +, -, _, dot and *, at most {CHARS_MAX} characters.");
        return Err(Problem::invalid("phone.address", detail));
    }
    Ok(())
}

/// What the registrar knows the telephone by; the password itself is kept nowhere.
pub(super) fn secret(
    admin: &Admin,
    name: &OperatorName,
    password: Option<Redacted>,
    before: Option<&OperatorDocument>,
) -> Result<Option<PhoneSecretDocument>, Problem> {
    let Some(password) = password else {
        return Ok(match before.map(|before| &before.phone) {
            Some(PhoneDocument::Registers { secret }) => secret.clone(),
            Some(PhoneDocument::Fixed { .. }) | None => None,
        });
    };
    let text = password.reveal();
    let chars = text.chars().count();
    if chars < PHONE_PASSWORD_CHARS_MIN || text.len() > PHONE_PASSWORD_BYTES_MAX || text.chars().any(char::is_control) {
        let detail =
            format!("It has {PHONE_PASSWORD_CHARS_MIN} characters at least, {PHONE_PASSWORD_BYTES_MAX} bytes at most.");
        return Err(Problem::invalid("phone_password", detail));
    }
    let realm = admin.engine().registrar_realm().ok_or_else(|| {
        let problem = Problem::new(&codes::NOT_SERVED, "No telephones register at this engine.");
        problem.field("phone_password").remedy("Write [registrar] realm into gudok.toml first.")
    })?;
    let line = Redacted::new(format!("{name}:{realm}:{text}"));
    Ok(Some(PhoneSecretDocument {
        realm,
        ha1_md5: hex(&Md5::digest(line.reveal())),
        ha1_sha256: hex(&Sha256::digest(line.reveal())),
    }))
}
