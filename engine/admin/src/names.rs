//! Names as they come in paths, queries and bodies: each is checked once, where it enters, and means one thing only.
//!
//! None of them may be a path on a disk: no slashes, no dots at the beginning, no control characters.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $field:literal, $pattern:literal, $len_max:literal, $check:expr, $says:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Problem;
            fn from_str(text: &str) -> Result<Self, Problem> {
                let check: fn(&str) -> bool = $check;
                if !text.is_empty() && text.len() <= $len_max && check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Problem::invalid($field, $says))
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = Problem;
            fn try_from(text: String) -> Result<Self, Problem> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(None::<SchemaFormat>)
                    .pattern(Some($pattern))
                    .min_length(Some(1))
                    .max_length(Some($len_max))
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    };
}

/// The rule of manifests: `a-z`, `0-9` and `-`, beginning with a letter.
fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(legal)
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_user(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(legal)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    text == "*" || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What the engine or an agency counts: beginning with a letter or a digit.
fn is_id(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.starts_with('-') && text.bytes().all(legal)
}

/// Tables come from elsewhere with ids in any letters; what could be a path or hides itself is none.
fn is_entry_id(text: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\') || is_hidden(c);
    !text.starts_with('.') && !text.contains(bad)
}

/// Marks that turn the order of letters or cannot be seen.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A registration number has the prefix of its kind in the centre's own letters: "К-2026-000123".
fn is_registration(text: &str) -> bool {
    !text.starts_with('-') && text.chars().all(|c| c.is_alphanumeric() || c == '-')
}

/// What a recording may be called: as scripts name them, and nothing that could be a path.
fn is_file_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.starts_with('.') && text.bytes().all(legal)
}

name!(
    /// A tenant.
    AgencyName, "agency", "^[a-z][a-z0-9-]*$", 64, is_name,
    "An agency's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// Where a number leads inside an agency.
    EntryName, "entry", "^[a-z][a-z0-9-]*$", 64, is_name,
    "An entry's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A script by name, without version.
    ScriptName, "script", "^[a-z][a-z0-9-]*$", 64, is_name,
    "A script's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A user.
    UserName, "user", "^[a-z][a-z0-9._-]*$", 64, is_user,
    "A user's name is a-z, 0-9, dot, _ and -, beginning with a letter, at most 64 characters."
);
name!(
    /// An overlay.
    OverlayName, "overlay", "^[a-z][a-z0-9-]*$", 64, is_name,
    "An overlay's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A number as dialled; `*` is any other.
    Number, "number", "^(\\*|\\+?[0-9]+)$", 32, is_number,
    "A number is digits as dialled, with a plus before them or not, at most 32; * is any other number."
);
name!(
    /// A version: the hash of its bundle's content.
    VersionHash, "version", "^[0-9a-f]{64}$", 64, |text| is_hex(text, 64),
    "A version's id is 64 hexadecimal digits in lower case."
);
name!(
    /// A call.
    CallName, "call", "^[0-9a-f]{32}$", 32, |text| is_hex(text, 32),
    "A call's id is 32 hexadecimal digits in lower case."
);
name!(
    /// A signing key, by its minisign key id.
    KeyName, "key", "^[0-9a-fA-F]{16}$", 16, |text| is_hex(&text.to_ascii_lowercase(), 16),
    "A key's id is 16 hexadecimal digits."
);
name!(
    /// A token, by the beginning of its hash.
    TokenName, "token", "^[0-9a-f]{16}$", 16, |text| is_hex(text, 16),
    "A token's id is 16 hexadecimal digits in lower case."
);
name!(
    /// A recording inside its call.
    RecordingName, "recording", "^[A-Za-z0-9_-][A-Za-z0-9._-]*$", 128, is_file_name,
    "A recording's name is letters, digits, dot, _ and -, not beginning with a dot, at most 128 characters."
);
name!(
    /// A group of operators, as the configuration's file names it.
    GroupName, "fallback", "^[^\\s/\\\\]+$", 64, |text| !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '\\'),
    "A group's name is the one in the configuration's file, at most 64 bytes."
);
name!(
    /// A trunk, as the configuration's file names it.
    TrunkName, "outbound", "^[^\\s/\\\\]+$", 64, |text| !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '\\'),
    "A trunk's name is the one in the configuration's file, at most 64 bytes."
);
name!(
    /// An operator, by login: the user of that name.
    OperatorName, "operator", "^[a-z][a-z0-9._-]*$", 64, is_user,
    "An operator's name is a user's: a-z, 0-9, dot, _ and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A queue.
    QueueName, "queue", "^[a-z][a-z0-9-]*$", 64, is_name,
    "A queue's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A campaign; unique in the engine.
    CampaignName, "campaign", "^[a-z][a-z0-9-]*$", 64, is_name,
    "A campaign's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// Somebody who does not want to be called, by the key of the number.
    OptOutName, "opt_out", "^[0-9a-f]{32}$", 32, |text| is_hex(text, 32),
    "An opt-out's id is 32 hexadecimal digits in lower case."
);
name!(
    /// Something that an operator is good at.
    SkillName, "skill", "^[a-z][a-z0-9-]*$", 64, is_name,
    "A skill's name is a-z, 0-9 and -, beginning with a letter, at most 64 characters."
);
name!(
    /// A callback.
    CallbackName, "callback", "^[a-z0-9][a-z0-9-]*$", 64, is_id,
    "A callback's id is a-z, 0-9 and -, at most 64 characters."
);
name!(
    /// What a caller is about: the name of an operator's guide.
    TopicName, "topic", "^[a-z0-9][a-z0-9-]*$", 64, is_id,
    "A topic's name is a-z, 0-9 and -, at most 64 characters."
);
name!(
    /// A ticket's registration number.
    TicketName, "number", "^[0-9A-Za-zА-Яа-я][0-9A-Za-zА-Яа-я-]*$", 64, is_registration,
    "A registration number is letters, digits and -, at most 64 bytes."
);
name!(
    /// An entry of the directory.
    DirectoryId, "id", "^[^\\s/\\\\.][^\\s/\\\\]*$", 128, is_entry_id,
    "An entry's id has no blanks, slashes or control characters and does not begin with a dot, at most 128 bytes."
);
name!(
    /// A language tag (BCP 47).
    Lang, "lang", "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", 35, is_lang,
    "A language is a tag such as ru-RU (BCP 47)."
);

/// What the API's description says of names, each under its own.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    fn named<T: utoipa::ToSchema>() -> (String, RefOr<Schema>) {
        (T::name().into_owned(), T::schema())
    }
    vec![
        named::<AgencyName>(),
        named::<EntryName>(),
        named::<ScriptName>(),
        named::<UserName>(),
        named::<OverlayName>(),
        named::<Number>(),
        named::<VersionHash>(),
        named::<CallName>(),
        named::<KeyName>(),
        named::<TokenName>(),
        named::<RecordingName>(),
        named::<GroupName>(),
        named::<TrunkName>(),
        named::<OperatorName>(),
        named::<QueueName>(),
        named::<CampaignName>(),
        named::<OptOutName>(),
        named::<SkillName>(),
        named::<CallbackName>(),
        named::<TopicName>(),
        named::<TicketName>(),
        named::<DirectoryId>(),
        named::<Lang>(),
    ]
}

fn is_lang(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl AgencyName {
    /// As the core has it.
    #[must_use]
    pub fn to_core(&self) -> gudok_core::ids::Agency {
        gudok_core::ids::Agency::new(&self.0)
    }
}

impl CampaignName {
    /// As the core has it.
    #[must_use]
    pub fn to_core(&self) -> gudok_core::ids::Campaign {
        gudok_core::ids::Campaign::new(&self.0)
    }
}

impl EntryName {
    /// As the core has it.
    #[must_use]
    pub fn to_core(&self) -> gudok_core::ids::Entry {
        gudok_core::ids::Entry::new(&self.0)
    }
}

impl KeyName {
    /// Minisign shows ids in upper case; they are kept in one way.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_be_a_path() {
        let hostile = [
            "",
            ".",
            "..",
            "../etc",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "a\0b",
            "a\nb",
            "%2e%2e",
            "a b",
            "\u{202e}a",
            "C:",
            "~",
        ];
        for text in hostile {
            assert!(text.parse::<AgencyName>().is_err(), "{text:?}");
            assert!(text.parse::<EntryName>().is_err(), "{text:?}");
            assert!(text.parse::<UserName>().is_err(), "{text:?}");
            assert!(text.parse::<OverlayName>().is_err(), "{text:?}");
            assert!(text.parse::<VersionHash>().is_err(), "{text:?}");
            assert!(text.parse::<CallName>().is_err(), "{text:?}");
            assert!(text.parse::<Number>().is_err(), "{text:?}");
            assert!(text.parse::<RecordingName>().is_err(), "{text:?}");
        }
        assert!("a".repeat(65).parse::<AgencyName>().is_err());
        assert!("*".parse::<Number>().is_ok() && "+73842000000".parse::<Number>().is_ok());
        assert!("ru-RU".parse::<Lang>().is_ok() && "ru_RU".parse::<Lang>().is_err());
    }
}
