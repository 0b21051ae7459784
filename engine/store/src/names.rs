//! Names under which things are kept. Each is checked once, where it enters the room.
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::StoreError;
use crate::limits::{CALL_ID_BYTES_MAX, NAME_BYTES_MAX};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $bytes_max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// # Errors
            /// [`StoreError::BadName`] when it is empty or too long.
            pub fn new(name: &str) -> Result<Self, StoreError> {
                check_name($what, name, $bytes_max)?;
                Ok(Self(name.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = StoreError;
            fn from_str(name: &str) -> Result<Self, StoreError> {
                Self::new(name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::new(&name).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// A tenant that owns numbers, scripts and storage.
    AgencyId, "agency", NAME_BYTES_MAX
}
name! {
    /// An agency's script.
    ScriptName, "script", NAME_BYTES_MAX
}
name! {
    /// A named part of a script's storage.
    BucketName, "bucket", NAME_BYTES_MAX
}
name! {
    /// Our id of a call, chosen by the caller of this room. Ids that sort by time keep the index pages that are being
    /// written few, and writing cheap.
    CallId, "call id", CALL_ID_BYTES_MAX
}

pub(crate) fn check_name(what: &'static str, name: &str, bytes_max: usize) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::BadName { what, why: "must not be empty".to_owned() });
    }
    if name.len() > bytes_max {
        return Err(StoreError::BadName {
            what,
            why: format!("has {} bytes, at most {bytes_max} are allowed", name.len()),
        });
    }
    Ok(())
}

/// A blob's name: the SHA-256 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The name of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// From a hash computed elsewhere.
    #[must_use]
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    pub fn as_sha256(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash in lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// # Errors
    /// [`StoreError::BadName`] unless it is 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, StoreError> {
        let bytes = unhex(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| StoreError::BadName {
            what: "blob",
            why: "must be a SHA-256 in 64 hexadecimal digits".to_owned(),
        })
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({})", self.to_hex())
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).map_err(serde::de::Error::custom)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Some(digits?.chunks_exact(2).map(|pair| (pair[0] << 4) | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back_what_it_wrote_and_refuses_the_rest() {
        let id = BlobId::of(b"gudok");
        assert_eq!(BlobId::from_hex(&id.to_hex()).unwrap(), id);
        for bad in ["", "0", "zz", "é0", &"0".repeat(63), &"0".repeat(66)] {
            assert!(BlobId::from_hex(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_have_a_length() {
        assert!(AgencyId::new("").is_err());
        assert!(AgencyId::new(&"a".repeat(NAME_BYTES_MAX)).is_ok());
        assert!(AgencyId::new(&"a".repeat(NAME_BYTES_MAX + 1)).is_err());
        assert!(serde_json::from_str::<AgencyId>("\"\"").is_err());
    }
}
