//! Who stands behind a bundle: signatures in minisign's format (ed25519).
//!
//! The file `signature` in a bundle is what `minisign -S` writes about SHA256SUMS. Its trusted comment, which is signed
//! too, says for which script it was made: `gudok:AGENCY/NAME@VERSION`, and until when if it ends:
//! ` expires:UNIX_SECONDS`. So a signature is good for one script version of one agency and for nothing else.
//!
//! [`verify`] believes nothing that it reads: any bytes are an answer of [`SignatureRefusal`], never a panic.

mod key;
mod refusal;
#[cfg(test)]
mod tests;

pub use key::{AgencyKey, KeyId, NewKey, PublicKey, keygen};
pub use refusal::{SignatureRefusal, SignedPart};

use crate::bundle::Bundle;
use crate::manifest::Manifest;
use gudok_core::privacy::Secret;
use gudok_core::time::Timestamp;
use key::{is_base64, open_secret};
use minisign::SignatureBox;
use std::io::Cursor;
use std::time::Duration;

/// What a signature is about.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The bundle's SHA256SUMS.
    pub sums: &'a [u8],
    /// The bundle's file `signature`.
    pub signature: Option<&'a [u8]>,
    /// Whose script.
    pub agency: &'a str,
    /// Which.
    pub name: &'a str,
    /// Which version of it.
    pub version: &'a semver::Version,
}

impl<'a> From<&'a Bundle> for Signed<'a> {
    fn from(bundle: &'a Bundle) -> Self {
        Self {
            sums: &bundle.sums,
            signature: bundle.signature.as_deref(),
            agency: &bundle.manifest.agency,
            name: &bundle.manifest.name,
            version: &bundle.manifest.version,
        }
    }
}

impl Signed<'_> {
    /// As trusted comments have it.
    fn subject(&self) -> String {
        subject(self.agency, self.name, &self.version.to_string())
    }
}

fn subject(agency: &str, name: &str, version: &str) -> String {
    format!("gudok:{agency}/{name}@{version}")
}

/// Signs SHA256SUMS of a script version. The answer is the text of the bundle's file `signature`.
///
/// # Errors
/// Of the secret key and its password, and [`SignatureRefusal::BadText`] where a name has spaces or worse in it.
pub fn sign(
    sums: &[u8],
    agency: &str,
    name: &str,
    version: &str,
    expires: Option<Timestamp>,
    secret_file: &Secret,
    password: Option<&Secret>,
) -> Result<String, SignatureRefusal> {
    for (what, text) in [("agency", agency), ("name", name), ("version", version)] {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SignatureRefusal::BadText { what });
        }
    }
    let secret = open_secret(secret_file, password)?;
    let not_made = |error: minisign::PError| SignatureRefusal::NotMade { why: error.to_string() };
    let public = minisign::PublicKey::from_secret_key(&secret).map_err(not_made)?;
    let mut comment = subject(agency, name, version);
    if let Some(expires) = expires {
        use std::fmt::Write;
        // Writing to a String cannot fail.
        let _ = write!(comment, "{EXPIRES}{}", seconds(expires));
    }
    let untrusted = "signature of a gudok bundle";
    let signature =
        minisign::sign(Some(&public), &secret, Cursor::new(sums), Some(&comment), Some(untrusted)).map_err(not_made)?;
    Ok(signature.into_string())
}

/// Checks a bundle's signature against the keys of its agency; keys of other agencies in the list are passed over.
/// Answers with the key that signed.
///
/// # Errors
/// Every way in which a signature can be wrong.
pub fn verify(signed: Signed<'_>, keys: &[AgencyKey], now: Timestamp) -> Result<KeyId, SignatureRefusal> {
    let signature = read(signed.signature.ok_or(SignatureRefusal::Missing)?)?;
    let unreadable = |why| SignatureRefusal::Unreadable { why };
    let id = KeyId::of(signature.keynum()).ok_or_else(|| unreadable("it names no key"))?;
    let key = who_signed(&signature, id, &signed, keys)?;
    if key.revoked {
        return Err(SignatureRefusal::KeyRevoked { key: id });
    }
    if let Some(not_before) = key.not_before.filter(|not_before| now < *not_before) {
        return Err(SignatureRefusal::KeyNotYetValid { key: id, not_before_s: seconds(not_before) });
    }
    if let Some(expires) = key.expires.filter(|expires| *expires <= now) {
        return Err(SignatureRefusal::KeyExpired { key: id, expired_s: seconds(expires) });
    }
    let comment = signature.trusted_comment().map_err(|_| unreadable("its trusted comment is not UTF-8"))?;
    let (found, expires_s) = read_comment(&comment)?;
    let expected = signed.subject();
    if found != expected {
        return Err(SignatureRefusal::OtherScript { found: found.to_owned(), expected });
    }
    match expires_s.filter(|expires_s| *expires_s <= seconds(now)) {
        Some(expired_s) => Err(SignatureRefusal::Expired { expired_s }),
        None => Ok(id),
    }
}

/// Ids are drawn by whoever makes a key, so two keys may have the same.
fn who_signed<'k>(
    signature: &SignatureBox,
    id: KeyId,
    signed: &Signed<'_>,
    keys: &'k [AgencyKey],
) -> Result<&'k AgencyKey, SignatureRefusal> {
    let mut refusal = SignatureRefusal::UnknownKey { key: id };
    for key in keys.iter().filter(|key| key.agency == signed.agency && key.key.id() == id) {
        match minisign::verify(&key.key.inner, signature, Cursor::new(signed.sums), true, false, false) {
            Ok(()) => return Ok(key),
            // minisign has no types for the two; a test holds the word.
            Err(error) if error.to_string().contains("Comment") => {
                refusal = SignatureRefusal::Forged { key: id, part: SignedPart::Comment };
            }
            Err(_) => refusal = SignatureRefusal::Forged { key: id, part: SignedPart::Sums },
        }
    }
    Err(refusal)
}

/// Of the whole file. Minisign's are about 300 bytes.
const SIGNATURE_BYTES_MAX: usize = 2048;
/// 74 bytes in base64: algorithm, key id, signature.
const SIGNATURE_LINE_LEN: usize = 100;
/// 64 bytes in base64: the signature of the trusted comment.
const COMMENT_SIGNATURE_LINE_LEN: usize = 88;

/// Reads a signature strictly: the four lines that minisign writes, each as long as it is. What the library behind would
/// take for granted is checked before it sees a byte.
fn read(bytes: &[u8]) -> Result<SignatureBox, SignatureRefusal> {
    let unreadable = |why| SignatureRefusal::Unreadable { why };
    if bytes.len() > SIGNATURE_BYTES_MAX {
        return Err(unreadable("it is too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    let lines: Vec<&str> = text.lines().collect();
    let [comment, signature, trusted, comment_signature] = lines.as_slice() else {
        return Err(unreadable("it is not of four lines"));
    };
    if !comment.starts_with("untrusted comment: ") || !trusted.starts_with("trusted comment: ") {
        return Err(unreadable("its first or third line is not a comment"));
    }
    let is_exactly = |line: &str, length| line.len() == length && is_base64(line);
    if !is_exactly(signature, SIGNATURE_LINE_LEN) || signature.ends_with("==") || !signature.ends_with('=') {
        return Err(unreadable("its second line is not a signature"));
    }
    if !is_exactly(comment_signature, COMMENT_SIGNATURE_LINE_LEN) || !comment_signature.ends_with("==") {
        return Err(unreadable("its fourth line is not a signature"));
    }
    let signature =
        SignatureBox::from_string(text).map_err(|_| unreadable("its lines are not what minisign writes"))?;
    if signature.is_prehashed() { Ok(signature) } else { Err(SignatureRefusal::Legacy) }
}

const EXPIRES: &str = " expires:";

/// Takes `gudok:AGENCY/NAME@VERSION expires:SECONDS` apart.
fn read_comment(comment: &str) -> Result<(&str, Option<u64>), SignatureRefusal> {
    const CHARS_SHOWN_MAX: usize = 120;
    let bad = || SignatureRefusal::BadComment { found: comment.chars().take(CHARS_SHOWN_MAX).collect() };
    let (subject, expires_s) = match comment.split_once(EXPIRES) {
        Some((subject, seconds)) => {
            let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
            let seconds: u64 = if digits { seconds.parse().map_err(|_| bad())? } else { return Err(bad()) };
            (subject, Some(seconds))
        }
        None => (comment, None),
    };
    let well_formed = subject.starts_with("gudok:") && subject.bytes().all(|byte| byte.is_ascii_graphic());
    if well_formed { Ok((subject, expires_s)) } else { Err(bad()) }
}

/// A version that was taken in before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownVersion {
    /// Of the same agency and script.
    pub version: semver::Version,
    /// Its content.
    pub content_sha256: [u8; 32],
    /// Whether callers ever had it.
    pub released: bool,
}

/// Refuses what was signed once and must not come back by itself: other content under a version that is known, and a
/// version that is not newer than the newest released one.
///
/// # Errors
/// [`SignatureRefusal::OtherContent`]; [`SignatureRefusal::Downgrade`] unless that is allowed.
pub fn check_replay(
    manifest: &Manifest,
    content_sha256: &[u8; 32],
    known: &[KnownVersion],
    allow_downgrade: bool,
) -> Result<(), SignatureRefusal> {
    let script = || format!("{} {}", manifest.name, manifest.version);
    let version = &manifest.version;
    if known.iter().any(|known| known.version == *version && known.content_sha256 != *content_sha256) {
        return Err(SignatureRefusal::OtherContent { script: script() });
    }
    let newest = known.iter().filter(|known| known.released).max_by(|a, b| a.version.cmp_precedence(&b.version));
    match newest {
        Some(newest)
            if !allow_downgrade
                && newest.content_sha256 != *content_sha256
                && version.cmp_precedence(&newest.version).is_le() =>
        {
            Err(SignatureRefusal::Downgrade { script: script(), newest: newest.version.to_string() })
        }
        _ => Ok(()),
    }
}

const fn seconds(at: Timestamp) -> u64 {
    at.as_millis() / 1_000
}

/// A moment for people.
fn utc(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(|| format!("second {seconds}"), |at| at.to_string())
}

/// From seconds since the Unix epoch, as keys and comments have them.
#[must_use]
pub fn at_second(seconds: u64) -> Timestamp {
    Timestamp::default() + Duration::from_secs(seconds)
}
