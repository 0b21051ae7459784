//! Making and recognising secrets: 32 random bytes, of which only the hash is kept.

use crate::redacted::Redacted;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// How a token begins, so that scanners of leaked secrets know it.
const TOKEN_PREFIX: &str = "gdk_";
const SECRET_BYTES: usize = 32;
/// 32 bytes in base64url without padding.
const SECRET_CHARS: usize = 43;

/// A new token.
pub(crate) fn new_token() -> Redacted {
    Redacted::new(format!("{TOKEN_PREFIX}{}", random_text()))
}

/// A new session's cookie.
pub(crate) fn new_cookie() -> Redacted {
    Redacted::new(random_text())
}

fn random_text() -> String {
    let mut bytes = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a secret. It has 256 random bits: no salt and no slow hash are needed.
pub(crate) fn hash_of(secret: &Redacted) -> String {
    hex(&Sha256::digest(secret.reveal().as_bytes()))
}

/// The token of `Bearer gdk_…`; `None` where it is not one.
pub(super) fn token_of_header(value: &str) -> Option<Redacted> {
    let (scheme, token) = value.split_once(' ')?;
    let secret = token.trim().strip_prefix(TOKEN_PREFIX)?;
    let well_formed =
        secret.len() == SECRET_CHARS && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_token = scheme.eq_ignore_ascii_case("bearer") && well_formed;
    is_token.then(|| Redacted::new(format!("{TOKEN_PREFIX}{secret}")))
}

/// In lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_its_header_and_nothing_else_is() {
        let token = new_token();
        assert_eq!(token_of_header(&format!("Bearer {}", token.reveal())), Some(token.clone()));
        assert_eq!(token_of_header(&format!("bearer {}", token.reveal())), Some(token.clone()));
        for bad in ["", "Bearer", "Bearer ", "Bearer gdk_", "Basic gdk_x", "Bearer gdk_x", "Bearer хгдк"] {
            assert_eq!(token_of_header(bad), None, "{bad:?}");
        }
        assert_eq!(token_of_header(&format!("Basic {}", token.reveal())), None);
        assert_eq!(hash_of(&token).len(), 64);
        assert_ne!(new_token(), new_token());
    }
}
