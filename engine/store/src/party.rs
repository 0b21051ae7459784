//! A telephone number as it may be kept: masked, with a keyed hash for finding a person's own records again.
//! The clear number never enters a record; where the law asks for it, it is kept sealed by whoever holds the key.
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::{hex, unhex};

/// Digits up to which a number is an extension or a short code, not a person's number.
const SHORT_DIGITS_MAX: usize = 4;
/// Digits from which the country stays visible.
const LONG_DIGITS_MIN: usize = 10;

/// One party of a leg.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What people may see.
    shown: String,
    /// For look-up by the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<SubjectHash>,
    /// Ciphertext of the clear number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl Party {
    /// No caller identification.
    #[must_use]
    pub fn withheld() -> Self {
        Self { shown: "withheld".to_owned(), hash: None, sealed: None }
    }

    /// A person's number: kept as `+7********21`. Four digits or fewer are an extension and stay; a name keeps its
    /// first letter.
    #[must_use]
    pub fn masked(clear: &str) -> Self {
        Self { shown: mask(clear), hash: None, sealed: None }
    }

    /// A number that belongs to the centre or an agency: public, kept whole.
    #[must_use]
    pub fn own_number(number: &str) -> Self {
        Self { shown: number.to_owned(), hash: None, sealed: None }
    }

    /// Adds the hash by which the subject's records are found. Give it the number in one canonical form (E.164).
    #[must_use]
    pub fn with_hash(mut self, key: &SubjectKey, canonical: &str) -> Self {
        self.hash = Some(key.hash(canonical));
        self
    }

    /// Adds the sealed clear number.
    #[must_use]
    pub fn with_sealed(mut self, sealed: Sealed) -> Self {
        self.sealed = Some(sealed);
        self
    }

    /// What people may see.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The subject's hash, if one was made.
    #[must_use]
    pub fn hash(&self) -> Option<&SubjectHash> {
        self.hash.as_ref()
    }

    /// The sealed clear number, if one is kept.
    #[must_use]
    pub fn sealed(&self) -> Option<&Sealed> {
        self.sealed.as_ref()
    }

    /// A party who asked to be forgotten.
    #[must_use]
    pub fn erased() -> Self {
        Self { shown: "erased".to_owned(), hash: None, sealed: None }
    }

    /// Without the sealed number, for exports.
    pub(crate) fn unsealed(&self) -> Self {
        Self { sealed: None, ..self.clone() }
    }

    pub(crate) fn clamp(&mut self, bytes_max: usize) -> bool {
        let cut = crate::cdr::clamp_text(&mut self.shown, bytes_max);
        let too_long = self.sealed.as_ref().is_some_and(|sealed| sealed.0.len() > Sealed::BYTES_MAX);
        if too_long {
            self.sealed = None;
        }
        cut || too_long
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A centre's own number is public, but a log line needs no more of it than of anyone else's.
        write!(f, "Party({})", mask(&self.shown))
    }
}

/// The key of [`SubjectHash`]: 32 secret bytes. Without it nobody can try all numbers against the records.
#[derive(Clone)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// The key's bytes come from the configuration's secret.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The hash of a canonical number.
    #[must_use]
    pub fn hash(&self, canonical: &str) -> SubjectHash {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(canonical.as_bytes());
        SubjectHash(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(…)")
    }
}

/// HMAC-SHA-256 of a canonical number: finds a person's records without keeping the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubjectHash([u8; 32]);

impl SubjectHash {
    /// In hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectHash(…)")
    }
}

impl Serialize for SubjectHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for SubjectHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a subject's hash is 64 hexadecimal digits"))
    }
}

/// A clear number encrypted elsewhere. This room cannot open it, and it leaves only in backups.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Longest ciphertext kept.
    pub const BYTES_MAX: usize = 1_024;

    /// Takes ciphertext, never a clear number.
    #[must_use]
    pub fn from_ciphertext(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The ciphertext.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Hides what identifies a person and keeps what an operator needs to tell two calls apart.
fn mask(clear: &str) -> String {
    let clear = clear.trim();
    if clear.is_empty() {
        return "withheld".to_owned();
    }
    let digits = clear.chars().filter(char::is_ascii_digit).count();
    let has_letters = clear.chars().any(|c| !c.is_ascii_digit() && !"+-() .*#".contains(c));
    if has_letters {
        return clear.chars().take(1).chain("***".chars()).collect();
    }
    if digits <= SHORT_DIGITS_MAX {
        return clear.to_owned();
    }
    let head = match (digits >= LONG_DIGITS_MIN, clear.starts_with('+')) {
        (true, true) => 1,
        _ => 0,
    };
    let mut seen = 0;
    let mut shown = String::from(if clear.starts_with('+') { "+" } else { "" });
    for digit in clear.chars().filter(char::is_ascii_digit) {
        seen += 1;
        shown.push(if seen <= head || seen > digits - 2 { digit } else { '*' });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_persons_and_keeps_extensions() {
        for (clear, expect) in [
            ("+79131234521", "+7********21"),
            ("8 (913) 123-45-21", "*********21"),
            ("711234", "****34"),
            ("101", "101"),
            ("+7+7+7+7", "+7+7+7+7"),
            ("alice", "a***"),
            ("Иван Петров 79131234567", "И***"),
            ("+79131234567x", "+***"),
            ("withheld", "w***"),
            ("", "withheld"),
            ("  ", "withheld"),
        ] {
            assert_eq!(Party::masked(clear).shown(), expect, "{clear:?}");
        }
    }

    #[test]
    fn nothing_prints_a_number_a_key_or_a_seal() {
        let key = SubjectKey::new([7; 32]);
        let party = Party::own_number("+73842000000")
            .with_hash(&key, "+79131234567")
            .with_sealed(Sealed::from_ciphertext(b"+79131234567".to_vec()));
        let debug = format!("{party:?} {key:?} {:?} {:?}", party.hash(), party.sealed());
        assert!(
            !debug.contains("3842") && !debug.contains("913") && !debug.contains('7'.to_string().repeat(2).as_str()),
            "{debug}"
        );
    }

    #[test]
    fn hash_is_hmac_sha256_as_others_compute_it() {
        // RFC 4231, test case 2, has a 4-byte key; padded with zeros to 32 bytes it is the same HMAC key.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = SubjectKey::new(key).hash("what do ya want for nothing?");
        assert_eq!(hash.to_hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
