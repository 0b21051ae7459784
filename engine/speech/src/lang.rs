//! Names that come from scripts and settings: languages, voices, speech rates. All checked on the way in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{SpeechError, shortened};

/// A language, optionally with a script and a region: `ru`, `ru-RU`, `uz-Latn-UZ`. Kept in canonical case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LangTag(String);

impl LangTag {
    /// Russian as spoken in Russia: the default everywhere.
    #[must_use]
    pub fn russian() -> Self {
        Self("ru-RU".to_owned())
    }

    /// English, no region.
    #[must_use]
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `ru` of `ru-RU`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl FromStr for LangTag {
    type Err = SpeechError;

    fn from_str(tag: &str) -> Result<Self, SpeechError> {
        let refused = || SpeechError::LanguageTag { tag: shortened(tag) };
        let mut canonical = String::with_capacity(tag.len());
        for (place, part) in tag.split('-').enumerate() {
            let alphabetic = part.bytes().all(|b| b.is_ascii_alphabetic());
            let region = part.len() == 2 && alphabetic || part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
            match place {
                0 if alphabetic && (2..=3).contains(&part.len()) => canonical.push_str(&part.to_ascii_lowercase()),
                1 if alphabetic && part.len() == 4 => {
                    canonical.push('-');
                    canonical.push_str(&part[..1].to_ascii_uppercase());
                    canonical.push_str(&part[1..].to_ascii_lowercase());
                }
                1 | 2 if region => {
                    canonical.push('-');
                    canonical.push_str(&part.to_ascii_uppercase());
                }
                _ => return Err(refused()),
            }
        }
        Ok(Self(canonical))
    }
}

impl TryFrom<String> for LangTag {
    type Error = SpeechError;
    fn try_from(tag: String) -> Result<Self, SpeechError> {
        tag.parse()
    }
}

impl From<LangTag> for String {
    fn from(tag: LangTag) -> Self {
        tag.0
    }
}

impl fmt::Display for LangTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A voice's name as the speech provider knows it. It may become an argument of a command, so its alphabet is small.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VoiceName(String);

impl VoiceName {
    /// Longest name taken.
    pub const BYTES_MAX: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VoiceName {
    type Err = SpeechError;

    fn from_str(name: &str) -> Result<Self, SpeechError> {
        let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'.'));
        if starts_well && plain && name.len() <= Self::BYTES_MAX {
            return Ok(Self(name.to_owned()));
        }
        Err(SpeechError::Config {
            problem: format!(
                "`{}` is not a voice name: use Latin letters, digits and - _ + . only, starting with a letter or digit",
                shortened(name)
            ),
        })
    }
}

impl TryFrom<String> for VoiceName {
    type Error = SpeechError;
    fn try_from(name: String) -> Result<Self, SpeechError> {
        name.parse()
    }
}

impl From<VoiceName> for String {
    fn from(name: VoiceName) -> Self {
        name.0
    }
}

/// How fast speech is, in percent of the voice's own pace: 100 is normal, 70 is a patient "slow mode".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpeechRate(u16);

impl SpeechRate {
    /// The voice's own pace.
    pub const NORMAL: Self = Self(100);
    /// Slowest that stays intelligible.
    pub const PERCENT_MIN: u16 = 50;
    /// Fastest that stays intelligible.
    pub const PERCENT_MAX: u16 = 200;

    /// A rate in percent, brought into the range that stays intelligible.
    #[must_use]
    pub fn percent(percent: u16) -> Self {
        Self(percent.clamp(Self::PERCENT_MIN, Self::PERCENT_MAX))
    }

    /// The rate in percent.
    #[must_use]
    pub fn as_percent(self) -> u16 {
        self.0.clamp(Self::PERCENT_MIN, Self::PERCENT_MAX)
    }

    /// This rate taken `other` times: a slow passage within slow speech.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = u32::from(self.as_percent()) * u32::from(other.as_percent()) / 100;
        Self::percent(u16::try_from(product).unwrap_or(Self::PERCENT_MAX))
    }
}

impl Default for SpeechRate {
    fn default() -> Self {
        Self::NORMAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_canonical_or_refused() {
        for (given, kept) in
            [("ru", "ru"), ("RU-ru", "ru-RU"), ("uz-LATN-uz", "uz-Latn-UZ"), ("cjs-ru", "cjs-RU"), ("es-419", "es-419")]
        {
            assert_eq!(given.parse::<LangTag>().unwrap().as_str(), kept);
        }
        for bad in ["", "r", "russian", "ru_RU", "ru-", "ru-RU-RU-RU", "../ru", "ру", "ru-R1", "1u"] {
            assert!(bad.parse::<LangTag>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_voice_cannot_become_an_option_or_a_path() {
        for good in ["ru", "en-us+f3", "ru_RU-irina-medium.onnx"] {
            assert!(good.parse::<VoiceName>().is_ok(), "{good}");
        }
        for bad in ["", "-v", "../x", "a/b", "a b", "a;b", ".x", "голос"] {
            assert!(bad.parse::<VoiceName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_stay_intelligible() {
        assert_eq!(SpeechRate::percent(10).as_percent(), 50);
        assert_eq!(SpeechRate::percent(70).times(SpeechRate::percent(80)).as_percent(), 56);
        assert_eq!(SpeechRate::percent(200).times(SpeechRate::percent(200)).as_percent(), 200);
    }
}
