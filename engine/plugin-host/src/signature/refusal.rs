//! Every reason not to believe a signature.

use super::{KeyId, utc};

/// Why a signature, or a key, is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself what it is, by its message and its fields' names")]
pub enum SignatureRefusal {
    #[error("the bundle has no signature. Sign it with `gudok sign`, by a key that an admin added to the agency")]
    Missing,
    #[error("the file signature is not a minisign signature: {why}. Sign the bundle again with `gudok sign`")]
    Unreadable { why: &'static str },
    #[error(
        "the signature is of minisign's old kind, without prehashing. Sign again with `gudok sign` or minisign 0.10"
    )]
    Legacy,
    #[error(
        "it is signed by the key {key}, which is none of the agency's. Sign with one of its keys, or let an admin add this one"
    )]
    UnknownKey { key: KeyId },
    #[error(
        "it says to be signed by the key {key}, but that key did not sign {part} as it stands: it was changed after signing, or the signature is forged. Get the bundle from its author again"
    )]
    Forged { key: KeyId, part: SignedPart },
    #[error("the key {key} that signed it was revoked. Sign with another key of the agency")]
    KeyRevoked { key: KeyId },
    #[error("the key {key} that signed it is valid from {} only. Wait, or sign with another key of the agency", utc(*not_before_s))]
    KeyNotYetValid { key: KeyId, not_before_s: u64 },
    #[error("the key {key} that signed it expired at {}. Sign with another key of the agency, or let an admin add a new one", utc(*expired_s))]
    KeyExpired { key: KeyId, expired_s: u64 },
    #[error("the signature expired at {}. Sign the bundle again", utc(*expired_s))]
    Expired { expired_s: u64 },
    #[error(
        "the signature's trusted comment {found:?} is not of the form gudok:AGENCY/NAME@VERSION. Sign with `gudok sign`"
    )]
    BadComment { found: String },
    #[error("the signature is for {found}, and this is {expected}. Sign this bundle itself")]
    OtherScript { found: String, expected: String },
    #[error(
        "{script} was taken in before, with other content. A version's content never changes: raise `version` in manifest.toml"
    )]
    OtherContent { script: String },
    #[error(
        "{script} is not newer than {newest}, which was released before. Raise `version` in manifest.toml, or say that going back is meant (allow_downgrade)"
    )]
    Downgrade { script: String, newest: String },
    #[error("this is not a minisign public key: {why}. Give the line that begins with RW, of 56 characters")]
    BadPublicKey { why: &'static str },
    #[error("this is not a minisign secret key: {why}. Give the file that `gudok keygen` wrote")]
    BadSecretKey { why: &'static str },
    #[error("the secret key is protected by a password. Give it")]
    PasswordNeeded,
    #[error("the password does not open the secret key. Give the one that it was made with")]
    WrongPassword,
    #[error("{what} has a character that no comment may have. Use one line of text")]
    BadText { what: &'static str },
    #[error("the signature cannot be made: {why}. Try again; if it stays so, make a new key with `gudok keygen`")]
    NotMade { why: String },
}

/// What a signature of minisign covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignedPart {
    /// The sums of the bundle's files, and by them the files.
    Sums,
    /// The trusted comment.
    Comment,
}

impl std::fmt::Display for SignedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sums => crate::bundle::SUMS,
            Self::Comment => "the trusted comment",
        })
    }
}

impl SignatureRefusal {
    /// What the refusal is about: a file of the bundle, or what was given.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::BadPublicKey { .. } => "public_key",
            Self::BadSecretKey { .. } => "secret_key",
            Self::PasswordNeeded | Self::WrongPassword => "password",
            Self::OtherContent { .. } | Self::Downgrade { .. } => "version",
            Self::BadText { what } => what,
            _ => crate::bundle::SIGNATURE,
        }
    }
}
