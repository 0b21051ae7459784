//! Keys: their ids, their texts, and what an agency's keys are allowed to do.

use super::SignatureRefusal;
use gudok_core::privacy::Secret;
use gudok_core::time::Timestamp;
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use std::fmt;
use std::str::FromStr;

/// The id of a key: minisign's, 16 hexadecimal digits. It names a key and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u64);

impl KeyId {
    /// Minisign writes the eight bytes with the last one first.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self(u64::from_le_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = SignatureRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DIGITS: usize = 16;
        let well_formed = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = if well_formed { u64::from_str_radix(text, 16).ok() } else { None };
        id.map(Self).ok_or(SignatureRefusal::BadPublicKey { why: "its id is not 16 hexadecimal digits" })
    }
}

/// The public half of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    line: String,
    pub(super) inner: minisign::PublicKey,
}

/// Of the line: 42 bytes in base64.
const PUBLIC_LINE_LEN: usize = 56;
/// Of a whole file: a comment and the line.
const PUBLIC_FILE_BYTES_MAX: usize = 1024;

impl PublicKey {
    /// Reads the line that begins with `RW`, or the whole file `minisign.pub` around it.
    ///
    /// # Errors
    /// [`SignatureRefusal::BadPublicKey`].
    pub fn parse(text: &str) -> Result<Self, SignatureRefusal> {
        let bad = |why| SignatureRefusal::BadPublicKey { why };
        if text.len() > PUBLIC_FILE_BYTES_MAX {
            return Err(bad("it is too long"));
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = match (lines.next(), lines.next(), lines.next()) {
            (Some(line), None, _) => line,
            (Some(comment), Some(line), None) if comment.starts_with("untrusted comment:") => line,
            _ => return Err(bad("it is not one line, or a comment and one line")),
        };
        if line.len() != PUBLIC_LINE_LEN || !is_base64(line) {
            return Err(bad("its line is not 56 characters of base64"));
        }
        let inner = minisign::PublicKey::from_base64(line).map_err(|_| bad("its line is not base64"))?;
        if !inner.to_bytes().starts_with(b"Ed") {
            return Err(bad("it is of another algorithm"));
        }
        let id = KeyId::of(inner.keynum()).ok_or_else(|| bad("it has no id"))?;
        Ok(Self { id, line: line.to_owned(), inner })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The line, as it is kept and shown.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The file as minisign writes it.
    #[must_use]
    pub fn file(&self) -> String {
        format!("untrusted comment: minisign public key: {}\n{}\n", self.id, self.line)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

/// A key that may sign an agency's bundles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgencyKey {
    /// Whose bundles.
    pub agency: String,
    /// The key.
    pub key: PublicKey,
    /// Before this it signs nothing.
    pub not_before: Option<Timestamp>,
    /// From this moment on it signs nothing.
    pub expires: Option<Timestamp>,
    /// It signs nothing any more, and what it signed is not believed.
    pub revoked: bool,
}

impl AgencyKey {
    /// A key without an end.
    #[must_use]
    pub fn new(agency: &str, key: PublicKey) -> Self {
        Self { agency: agency.to_owned(), key, not_before: None, expires: None, revoked: false }
    }
}

/// A new pair of keys, as the two files that minisign would write.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// For the engine's admins, who add it to the agency.
    pub public: PublicKey,
    /// For the author alone.
    pub secret_file: Secret,
}

/// Makes a pair of keys. Without a password, whoever has the file can sign. With one, this takes a second and 32 MiB: it
/// is made hard to guess.
///
/// # Errors
/// [`SignatureRefusal::BadText`] of the comment, [`SignatureRefusal::NotMade`] where the system gives no randomness.
pub fn keygen(password: Option<&Secret>, comment: &str) -> Result<NewKey, SignatureRefusal> {
    let not_made = |error: minisign::PError| SignatureRefusal::NotMade { why: error.to_string() };
    if comment.chars().any(char::is_control) {
        return Err(SignatureRefusal::BadText { what: "comment" });
    }
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password.reveal().to_owned())),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let pair = pair.map_err(not_made)?;
    let public = PublicKey::parse(&pair.pk.to_base64())?;
    let comment = if comment.is_empty() { format!("gudok secret key {}", public.id()) } else { comment.to_owned() };
    let secret_file = pair.sk.to_box(Some(&comment)).map_err(not_made)?.into_string();
    Ok(NewKey { public, secret_file: Secret::new(&secret_file) })
}

/// What the line of a secret key begins with: algorithm, with or without password, kind of checksum.
const ENCRYPTED_BEGINS: &str = "RWRTY0Iy";
const PLAIN_BEGINS: &str = "RWQAAEIy";
const SECRET_FILE_BYTES_MAX: usize = 4096;

/// Opens a secret key. Asks nobody: a password that is needed and not given is an error.
pub(super) fn open_secret(file: &Secret, password: Option<&Secret>) -> Result<SecretKey, SignatureRefusal> {
    let bad = |why| SignatureRefusal::BadSecretKey { why };
    let text = file.reveal();
    if text.len() > SECRET_FILE_BYTES_MAX {
        return Err(bad("it is too long"));
    }
    let line = text.lines().nth(1).unwrap_or_default();
    let boxed = || SecretKeyBox::from(text.to_owned());
    if line.starts_with(PLAIN_BEGINS) {
        return boxed().into_unencrypted_secret_key().map_err(|_| bad("it is damaged"));
    }
    if !line.starts_with(ENCRYPTED_BEGINS) {
        return Err(bad("its second line is not a secret key"));
    }
    let password = password.ok_or(SignatureRefusal::PasswordNeeded)?;
    boxed().into_secret_key(Some(password.reveal().to_owned())).map_err(|error| match error.kind() {
        minisign::ErrorKind::Verify => SignatureRefusal::WrongPassword,
        _ => bad("it is damaged"),
    })
}

/// Nothing but the alphabet, and `=` at the end only.
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
