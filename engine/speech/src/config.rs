//! The settings of this room, as they stand in the engine's configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::SpeechError;
use crate::lang::{LangTag, SpeechRate, VoiceName};
use crate::words::LanguageWords;

/// The longest pause of slow speech.
const SLOW_PAUSE_MS_MAX: u32 = 5_000;

/// All settings. Every field has a default: espeak-ng, no disk cache.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechConfig {
    /// Who speaks what is not recorded.
    pub tts: TtsConfig,
    /// Voices by language: `{"ru": "ru", "en": "en-us"}`. A language without one is passed to the provider as it is.
    pub voices: BTreeMap<LangTag, VoiceName>,
    /// Words of languages that have no grammar here, as data; see [`LanguageWords`].
    pub languages: BTreeMap<LangTag, LanguageWords>,
    /// Grammar for numbers and dates in a language that has neither a grammar nor words here. Without it they are given
    /// to the voice as figures.
    pub fallback_lang: Option<LangTag>,
    /// How callers who asked for it are spoken to.
    pub slow: SlowSpeech,
    /// What is kept, where and how much.
    pub cache: CacheConfig,
    /// How much is synthesised at a time.
    pub limits: TtsLimits,
}

/// The slow pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlowSpeech {
    /// Of the voice's own pace.
    pub rate: SpeechRate,
    /// Between a recording and what stands beside it. Recordings themselves are as they are.
    pub pause_ms: u32,
}

impl Default for SlowSpeech {
    fn default() -> Self {
        Self { rate: SpeechRate::percent(75), pause_ms: 500 }
    }
}

/// Who speaks what is not recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case", deny_unknown_fields)]
pub enum TtsConfig {
    /// A program that reads text and writes a WAV file: espeak-ng.
    Command(CommandConfig),
    /// A server that takes text and answers with a WAV file.
    Http(HttpConfig),
    /// Nobody: recordings only.
    None {
        /// What happens when a text is to be spoken all the same.
        #[serde(default)]
        when_asked: WhenAsked,
    },
}

impl Default for TtsConfig {
    fn default() -> Self {
        Self::Command(CommandConfig::default())
    }
}

/// What the provider `none` does with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAsked {
    /// Refuses it: [`SpeechError::TtsOff`].
    #[default]
    Error,
    /// Lets the call go on over silence of the estimated length.
    Silence,
}

/// A speech program. It gets the text on standard input and is never run by a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommandConfig {
    /// A program on the search path, or a path.
    pub command: String,
    /// Its arguments. `{voice}` and `{words_per_minute}` are filled in.
    pub args: Vec<String>,
    /// Pace of the voice at 100 %, for `{words_per_minute}`.
    pub words_per_minute: u16,
    /// The Debian package that has it, for the message when it is missing.
    pub package: String,
}

impl Default for CommandConfig {
    fn default() -> Self {
        // -b 1: the text is UTF-8. -z: no pause after the last sentence; pauses are the prompt's own.
        let args = ["--stdin", "--stdout", "-b", "1", "-z", "-v", "{voice}", "-s", "{words_per_minute}"];
        Self {
            command: "espeak-ng".to_owned(),
            args: args.map(str::to_owned).to_vec(),
            words_per_minute: 150, // espeak's own 175 is too fast for a telephone line.
            package: "espeak-ng".to_owned(),
        }
    }
}

/// A speech server: `POST url?lang=ru-RU&voice=irina&rate=100` with the text as body, a WAV file as answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// `http://` or `https://`.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    #[serde(default, skip_serializing)]
    pub token: Option<String>,
    /// True if the server reads SSML; it is then sent as `application/ssml+xml`.
    #[serde(default)]
    pub ssml: bool,
}

/// The token is never shown.
impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("HttpConfig").field("url", &self.url).field("token", &token).field("ssml", &self.ssml).finish()
    }
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Where speech outlives a restart; without a folder it does not.
    pub folder: Option<PathBuf>,
    /// Most bytes in the folder; the least recently used go first.
    pub disk_bytes_max: u64,
    /// Most bytes of samples in memory.
    pub memory_bytes_max: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { folder: None, disk_bytes_max: 2 << 30, memory_bytes_max: 128 << 20 }
    }
}

/// How much is synthesised at a time, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TtsLimits {
    /// Texts synthesised at once.
    pub concurrency_max: usize,
    /// Texts that wait for their turn; more are refused as busy.
    pub waiting_max: usize,
    /// How long a text waits for its turn.
    pub waiting_ms_max: u64,
    /// Time of one synthesis, waiting not counted.
    pub timeout_ms: u64,
    /// Length of one utterance.
    pub utterance_ms_max: u32,
}

impl TtsLimits {
    /// Largest answer that can still be an utterance within its limit: 48 kHz, 16 bit, one channel, and a header.
    pub(crate) fn answer_bytes_max(&self) -> u64 {
        u64::from(self.utterance_ms_max) * 48 * 2 + 4_096
    }
}

impl Default for TtsLimits {
    fn default() -> Self {
        Self {
            concurrency_max: 4,
            waiting_max: 256,
            waiting_ms_max: 10_000,
            timeout_ms: 10_000,
            utterance_ms_max: 10 * 60_000,
        }
    }
}

impl SpeechConfig {
    /// Finds settings that cannot work.
    ///
    /// # Errors
    /// [`SpeechError::Config`].
    pub fn check(&self) -> Result<(), SpeechError> {
        let refuse = |problem: &str| Err(SpeechError::Config { problem: problem.to_owned() });
        if self.limits.concurrency_max == 0 {
            return refuse("`limits.concurrency_max` is 0, so nothing could ever be spoken: at least 1");
        }
        if self.limits.timeout_ms == 0 || self.limits.utterance_ms_max == 0 {
            return refuse("`limits.timeout_ms` and `limits.utterance_ms_max` must be above 0");
        }
        if self.slow.pause_ms > SLOW_PAUSE_MS_MAX {
            return refuse("`slow.pause_ms` is above 5000: the caller would take the line for dead");
        }
        for (lang, words) in &self.languages {
            if matches!(lang.primary(), "ru" | "en") {
                return refuse("`languages` is for languages without a grammar: Russian and English have one");
            }
            if let Some(fault) = words.fault() {
                return refuse(&format!("`languages.{lang}`: {fault}"));
            }
        }
        match &self.tts {
            TtsConfig::Command(command) if command.command.trim().is_empty() => {
                refuse("`tts.command` is empty: name a program, such as espeak-ng")
            }
            TtsConfig::Command(command) if !(40..=400).contains(&command.words_per_minute) => {
                refuse("`tts.words_per_minute` is outside 40 to 400")
            }
            TtsConfig::Http(http) if !(http.url.starts_with("http://") || http.url.starts_with("https://")) => {
                refuse("`tts.url` must begin with http:// or https://")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_strict_and_secrets_stay_hidden() {
        let config: SpeechConfig = serde_json::from_str(
            r#"{"tts":{"provider":"http","url":"http://127.0.0.1:1/","token":"s3cret"},"voices":{"ru":"irina"},"cache":{"disk_bytes_max":1}}"#,
        )
        .unwrap();
        config.check().unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(!serde_json::to_string(&config).unwrap().contains("s3cret"));
        assert!(serde_json::from_str::<SpeechConfig>(r#"{"tts":{"provider":"command","comand":"x"}}"#).is_err());
        assert!(serde_json::from_str::<SpeechConfig>(r#"{"limits":{"concurrency":1}}"#).is_err());
        for bad in [
            r#"{"limits":{"concurrency_max":0}}"#,
            r#"{"limits":{"timeout_ms":0}}"#,
            r#"{"tts":{"provider":"command","command":" "}}"#,
            r#"{"tts":{"provider":"command","words_per_minute":4000}}"#,
            r#"{"tts":{"provider":"http","url":"ftp://x"}}"#,
        ] {
            assert!(serde_json::from_str::<SpeechConfig>(bad).unwrap().check().is_err(), "{bad}");
        }
    }
}
