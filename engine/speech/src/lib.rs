//! The speech room: prompt segments to words, words to sound.
//!
//! A script hands over data ("21, feminine, genitive") and never inflected text; this crate finds the words in the
//! caller's language, prefers recordings, has the rest spoken by a synthesiser, and keeps what was spoken. It does not
//! play anything, encodes for no codec, knows no call and nothing else of the engine.
//!
//! - [`Prompt`] and [`Segment`]: what is to be said. [`Prompt::from_json`] reads it strictly.
//! - [`Language`], [`Languages`]: grammar. A third language is data ([`LanguageWords`]),
//!   or one implementation, added by [`Languages::with`].
//! - [`MediaSource`], [`MediaLibrary`]: recordings, a bundle's own.
//! - [`TtsProvider`]: who speaks the rest: a command ([`CommandTts`], espeak-ng), a server ([`HttpTts`]), nobody ([`NoTts`]).
//! - [`Speech`]: the room. [`Speech::render`] gives [`Audio`]: 16 kHz, mono, 16 bit, in pieces that carry a content
//!   key, so that a caller encodes each once. [`Speech::words`] gives the transcript.
//!
//! # Prompts in JSON
//! A list of segments, or an object with `segments` and, where wanted, `lang`, `voice` and `cacheable`. Fields that are
//! not known are refused.
//!
//! ```
//! let prompt = gudok_speech::Prompt::from_json(r##"{
//!   "lang": "ru-RU",
//!   "segments": [
//!     {"media": "welcome"},
//!     {"text": "У вас"},
//!     {"counted": {"value": 21, "noun": {"one": "заявка", "few": "заявки", "many": "заявок", "gender": "feminine"}}},
//!     {"text": "."},
//!     {"number": {"value": 21, "gender": "feminine", "case": "genitive"}},
//!     {"ordinal": {"value": 5, "gender": "neuter"}},
//!     {"decimal": {"unscaled": 314, "scale": 2}},
//!     {"digits": {"digits": "0512", "grouping": "pairs"}},
//!     {"money": {"minor_units": 12345, "currency": "RUB"}},
//!     {"date": {"value": "2026-05-05", "case": "genitive", "say_year": true, "say_weekday": false}},
//!     {"time": "08:30"},
//!     {"duration": 125000},
//!     {"spell": "АБ12"},
//!     {"silence": 500},
//!     {"tone": "beep"},
//!     {"ssml": "<speak>Запишите. <break time='500ms'/><say-as interpret-as='digits'>0512</say-as></speak>"}
//!   ]
//! }"##)?;
//! assert_eq!(prompt.segments.len(), 16);
//! # Ok::<(), gudok_speech::SpeechError>(())
//! ```
//!
//! `gender`: masculine (the default), feminine, neuter. `case`: nominative (the default), genitive, dative, accusative,
//! instrumental, prepositional. `grouping`: one-by-one, pairs, triples, phone-ru, snils, auto (the default).
//! `duration` and `silence` are milliseconds. Of a noun's forms only `one` must be there. Tones: [`ToneSpec`]; SSML:
//! [`ssml`].
//!
//! # Recorded words
//! A number that a bundle has recorded is not synthesised. Looked up are, in this order, the whole number as
//! `numbers/21`, `numbers/21.feminine`, `numbers/21.feminine.genitive`, `ordinals/5.neuter` (masculine and nominative
//! are not written), then every single word of the segment as `words/двадцать`, `words/одна`: all of them, or the
//! segment is synthesised. This holds for every segment with a grammar: money is `words/рубля`, a date `words/мая`.
//!
//! # Languages
//! Russian and English have a grammar. Text, SSML without `say-as`, recordings and tones need none, so a script may
//! speak any language that the synthesiser has. Of a third language an admin may give words as data
//! ([`LanguageWords`]: months, nouns of time and money, numbers); what is missing, and all of a language that nobody has
//! given words of, is said in [`SpeechConfig::fallback_lang`] if that is set, or else handed to the voice as figures
//! ([`DataLanguage`]). Nouns are chosen by CLDR's plural rules in every language. No prompt fails for its language.
//!
//! # What is kept
//! Every utterance in memory, and on disk if a folder is set. `digits` and `spell`, which are likely a person's, never
//! reach the disk; a prompt with `"cacheable": false` is kept nowhere.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation))]

mod audio;
mod cache;
mod config;
mod error;
mod lang;
mod media;
mod plan;
mod prompt;
mod speech;
pub mod ssml;
mod tts;
mod words;

pub use audio::{Audio, Clip, ContentKey, Piece, SAMPLE_RATE_HZ, ToneSpec};
pub use config::{CacheConfig, CommandConfig, HttpConfig, SlowSpeech, SpeechConfig, TtsConfig, TtsLimits, WhenAsked};
pub use error::{ErrorClass, SpeechError};
pub use lang::{LangTag, SpeechRate, VoiceName};
pub use media::{MediaLibrary, MediaLimits, MediaSource, NoMedia, Recording};
pub use prompt::{
    Case, Counted, Date, DateSpec, DecimalSpec, DigitGrouping, DigitsSpec, Gender, Money, NounForms, NumberSpec,
    Prompt, Segment, TimeOfDay, limits,
};
pub use speech::{Pace, PrerenderReport, RenderOptions, Speech, SpeechStats};
pub use tts::{CommandTts, HttpTts, Markup, NoTts, Spoken, SpokenFuture, TtsProvider, Utterance};
pub use words::{CurrencyWords, DataLanguage, English, Language, LanguageWords, Languages, Russian};
