//! A whole journal: what of it may be known without its key, what is sealed, and how it is opened again.

use super::recorded::{read, write};
use super::recorder::{Answered, LEN_BYTES};
use super::{Codec, Hides, codec, is_sensitive, line, redact, redact_numbers, withhold};
use crate::bindings::telephony;
use gudok_core::campaign::{CampaignContact, Disposition};
use gudok_core::ids::{Agency, CallId, Entry, ScriptName, ScriptVersion};
use gudok_core::privacy::PhoneNumber;
use gudok_core::script::{CallError, ScriptEnd};
use gudok_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The first bytes of a journal's file: what it is, and in which format.
const MAGIC: &[u8; 8] = b"gudokjn1";

/// What a call's script asked and was told, exactly. Its [`CallJournal::page`] holds what callers entered under sensitive
/// questions: it is sealed before it is written down.
#[derive(Clone)]
pub struct CallJournal {
    /// What may be known of it without its key.
    pub header: JournalHeader,
    pub(super) page: Vec<u8>,
}

impl fmt::Debug for CallJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallJournal").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Whose journal it is, and how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalHeader {
    /// The call.
    pub call: CallId,
    /// Its agency.
    pub agency: Agency,
    /// The entry that the number leads to.
    pub entry: Entry,
    /// The version that it ran on.
    pub script: ScriptVersion,
    /// When the script began.
    pub began: Timestamp,
    /// When it was over.
    pub ended: Timestamp,
    /// How many host calls it made; more than the journal has where it is cut.
    pub host_calls: u32,
    /// It was longer than it may be: the rest is not in it.
    pub is_cut: bool,
}

/// Why a journal cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JournalError {
    /// The bytes are not what this engine writes.
    #[error("it is no journal of this engine, or it is damaged: take it from the engine once more")]
    Damaged,
    /// There is a function in it that this engine has not.
    #[error("it has the host call {0}, which this engine does not know: read it with the engine that wrote it")]
    UnknownFunction(String),
}

/// How a script's run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum JournalEnd {
    /// `run` returned a summary.
    Returned {
        /// Its result code.
        code: String,
        /// Its fields.
        fields: Vec<(String, String)>,
    },
    /// A campaign's `run` returned what became of its contact.
    Informed {
        /// The disposition's kind.
        kind: String,
        /// The script's own words, or the moment to try again.
        words: String,
    },
    /// `run` returned an error.
    Failed {
        /// By its WIT name.
        kind: String,
        /// What it says.
        words: String,
    },
    /// The host stopped it, for this cause.
    Stopped(String),
    /// The engine let go of it in the middle.
    Dropped,
}

impl JournalEnd {
    pub(crate) fn of(end: &ScriptEnd) -> Self {
        let owned = |(name, value): &(Arc<str>, Arc<str>)| (name.to_string(), value.to_string());
        match end {
            ScriptEnd::Returned(summary) => {
                Self::Returned { code: summary.code.to_string(), fields: summary.fields.iter().map(owned).collect() }
            }
            ScriptEnd::Informed(disposition) => Self::Informed {
                kind: disposition.as_str().to_owned(),
                words: match disposition {
                    Disposition::RetryAt(at) => at.as_millis().to_string(),
                    other => other.words().map(ToString::to_string).unwrap_or_default(),
                },
            },
            ScriptEnd::Failed(error) => Self::Failed { kind: error_kind(error).to_owned(), words: error_words(error) },
            ScriptEnd::Stopped(cause) => Self::Stopped(cause.as_str().to_owned()),
        }
    }
}

fn error_kind(error: &CallError) -> &'static str {
    crate::host_call::outcome_name(Some(&error.clone().into()))
}

fn error_words(error: &CallError) -> String {
    match error {
        CallError::Ended(reason) => format!("{reason:?}"),
        CallError::Timeout => String::new(),
        CallError::Denied(text)
        | CallError::Quota(text)
        | CallError::Invalid(text)
        | CallError::NotFound(text)
        | CallError::BusyResource(text)
        | CallError::Unavailable(text)
        | CallError::Internal(text) => text.clone(),
    }
}

/// What a run began with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) info: telephony::CallInfo,
    /// Of a campaign.
    pub(crate) contact: Option<StartContact>,
}

/// Id, number, attempt, fields.
pub(crate) type StartContact = (String, String, u8, Vec<(String, String)>);

impl Start {
    pub(crate) fn contact(&self) -> Option<CampaignContact> {
        let (id, number, attempt, fields) = self.contact.as_ref()?;
        let shared = |(name, value): &(String, String)| (Arc::from(name.as_str()), Arc::from(value.as_str()));
        Some(CampaignContact {
            id: Arc::from(id.as_str()),
            number: PhoneNumber::new(number),
            attempt: *attempt,
            fields: fields.iter().map(shared).collect(),
        })
    }
}

/// What stands at a journal's end.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tail {
    pub(super) names: Vec<String>,
    /// Secrets that the script had in its hands.
    pub(super) hides: Vec<String>,
    pub(super) end: JournalEnd,
}

/// One host call, for people: everything personal is masked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JournalStep {
    /// From 1, without gaps.
    pub seq: u32,
    /// When it was answered, from the script's beginning.
    pub at_ms: u64,
    /// The dialog's step that the script had named by then; empty for none.
    pub step: String,
    /// As in the WIT: "telephony.call.say".
    pub function: String,
    /// What was asked and answered, in one line.
    pub line: String,
    /// A list with the arguments.
    pub args: Value,
    /// The result; none where the script was stopped in the middle of it.
    pub result: Option<Value>,
}

/// One host call to the bit: places in the page.
#[derive(Clone, Debug)]
pub(crate) struct RawEntry {
    pub(crate) function: Arc<str>,
    pub(crate) args: Range<usize>,
    pub(crate) answer: Option<(Answered, Range<usize>)>,
    /// When it was answered.
    pub(crate) at: Timestamp,
}

/// A journal that was read.
pub(crate) struct Opened {
    pub(crate) start: Start,
    pub(crate) entries: Vec<RawEntry>,
    pub(crate) hides: Vec<String>,
    pub(crate) end: JournalEnd,
}

impl CallJournal {
    /// The exact form, to be sealed.
    #[must_use]
    pub fn page(&self) -> &[u8] {
        &self.page
    }

    /// Puts together what was kept apart.
    #[must_use]
    pub const fn from_parts(header: JournalHeader, page: Vec<u8>) -> Self {
        Self { header, page }
    }

    /// The person whom the call was with: the caller, or whom the engine called. None where the number was withheld.
    #[must_use]
    pub fn person(&self) -> Option<PhoneNumber> {
        let start: Start = read(&mut self.page.as_slice()).ok()?;
        let number = match start.info.direction {
            telephony::Direction::Inbound => start.info.caller,
            telephony::Direction::Outbound => Some(start.info.called),
        };
        number.map(|number| PhoneNumber::new(&number))
    }

    /// Everything in one piece, in clear: for a pipe to a child, and for calls that nobody made.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let header = self.header.to_bytes();
        write(&header, &mut bytes);
        bytes.extend(&self.page);
        bytes
    }

    /// The other way.
    ///
    /// # Errors
    /// [`JournalError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, JournalError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(JournalError::Damaged)?;
        let header: Vec<u8> = read(&mut rest).map_err(|_| JournalError::Damaged)?;
        Ok(Self { header: JournalHeader::from_bytes(&header)?, page: rest.to_vec() })
    }

    /// How the script's run ended. Its words are the script's own.
    ///
    /// # Errors
    /// As [`CallJournal::steps`].
    pub fn end(&self) -> Result<JournalEnd, JournalError> {
        self.open().map(|opened| opened.end)
    }

    /// Its host calls for people: everything personal is masked.
    ///
    /// # Errors
    /// [`JournalError`] where it is not what this engine wrote.
    pub fn steps(&self) -> Result<Vec<JournalStep>, JournalError> {
        let opened = self.open()?;
        let mut masks = Masks::new(&opened);
        let told = |(seq, entry)| {
            let (args, result) = self.values(entry)?;
            let at_ms = (entry.at.as_micros().saturating_sub(self.header.began.as_micros())) / 1_000;
            Ok(masks.step(seq, at_ms, &entry.function, args, result))
        };
        (1..).zip(&opened.entries).map(told).collect()
    }

    pub(crate) fn open(&self) -> Result<Opened, JournalError> {
        open(&self.page, self.header.began).ok_or(JournalError::Damaged)
    }

    /// Arguments and result of a host call, as they were.
    pub(crate) fn values(&self, entry: &RawEntry) -> Result<(Value, Option<Value>), JournalError> {
        let unknown = || JournalError::UnknownFunction(entry.function.to_string());
        let Codec { args, result } = codec(&entry.function).ok_or_else(unknown)?;
        let bytes = |range: &Range<usize>| self.page.get(range.clone()).unwrap_or_default();
        let args = args(&mut bytes(&entry.args)).map_err(|_| JournalError::Damaged)?;
        let result = match &entry.answer {
            Some((Answered::Kept, range)) => Some(result(&mut bytes(range)).map_err(|_| JournalError::Damaged)?),
            Some((Answered::ByBundle, _)) => Some(Value::String("<of the bundle>".to_owned())),
            None => None,
        };
        Ok((args, result))
    }
}

fn open(page: &[u8], began: Timestamp) -> Option<Opened> {
    let place = |back: usize| {
        let at = page.len().checked_sub(back * LEN_BYTES)?;
        Some(u32::from_le_bytes(page.get(at..at + LEN_BYTES)?.try_into().ok()?) as usize)
    };
    let (entries_at, tail_at) = (place(2)?, place(1)?);
    let start: Start = read(&mut &*page).ok()?;
    let tail: Tail = read(&mut page.get(tail_at..)?).ok()?;
    let names: Vec<Arc<str>> = tail.names.iter().map(|name| Arc::from(name.as_str())).collect();
    let whole = page.get(..tail_at)?;
    let mut entries = Vec::new();
    let (mut at, mut answered_us) = (entries_at, began.as_micros());
    while at < tail_at {
        let mut rest = whole.get(at..)?;
        let name: usize = read(&mut rest).ok()?;
        let args = sized(&mut rest, tail_at)?;
        let answer = match rest.split_first() {
            None => None,
            Some((how, after)) => {
                let how = match how {
                    1 => Answered::Kept,
                    2 => Answered::ByBundle,
                    _ => return None,
                };
                rest = after;
                answered_us += read::<u64>(&mut rest).ok()?;
                Some((how, sized(&mut rest, tail_at)?))
            }
        };
        at = tail_at - rest.len();
        let function = Arc::clone(names.get(name)?);
        entries.push(RawEntry { function, args, answer, at: Timestamp::from_micros(answered_us) });
    }
    Some(Opened { start, entries, hides: tail.hides, end: tail.end })
}

/// The place of what stands next in a page that ends at `end`, behind its length.
fn sized(rest: &mut &[u8], end: usize) -> Option<Range<usize>> {
    let (len, after) = rest.split_at_checked(LEN_BYTES)?;
    let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
    let begins = end - after.len();
    *rest = after.get(len..)?;
    Some(begins..begins + len)
}

impl JournalHeader {
    /// For a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let script = (self.script.script.as_str(), &*self.script.version, self.script.bundle_sha256);
        let times = (self.began.as_micros(), self.ended.as_micros());
        let whose = (self.call.as_u128(), self.agency.as_str(), self.entry.as_str());
        write(&(whose, script, times, self.host_calls, self.is_cut), &mut bytes);
        bytes
    }

    /// The other way.
    ///
    /// # Errors
    /// [`JournalError::Damaged`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, JournalError> {
        type Whose<'a> = (u128, &'a str, &'a str);
        type Script<'a> = (&'a str, &'a str, [u8; 32]);
        let (whose, script, times, host_calls, is_cut): (Whose<'_>, Script<'_>, (u64, u64), u32, bool) =
            read(&mut bytes).map_err(|_| JournalError::Damaged)?;
        Ok(Self {
            call: CallId::from_random(whose.0),
            agency: Agency::new(whose.1),
            entry: Entry::new(whose.2),
            script: ScriptVersion {
                script: ScriptName::new(script.0),
                version: Arc::from(script.1),
                bundle_sha256: script.2,
            },
            began: Timestamp::from_micros(times.0),
            ended: Timestamp::from_micros(times.1),
            host_calls,
            is_cut,
        })
    }
}

/// Masks the host calls of one run, in their order: what a caller entered under a sensitive question is hidden in
/// everything that comes after it, too.
pub(crate) struct Masks {
    hides: Hides,
    step: String,
}

impl Masks {
    pub(crate) fn new(opened: &Opened) -> Self {
        let fields =
            opened.start.contact.iter().flat_map(|(.., fields)| fields.iter().map(|(_, value)| value.as_str()));
        Self { hides: Hides::new(opened.hides.iter().map(String::as_str), fields), step: String::new() }
    }

    pub(crate) fn step(
        &mut self,
        seq: u32,
        at_ms: u64,
        function: &str,
        mut args: Value,
        mut result: Option<Value>,
    ) -> JournalStep {
        let sensitive = is_sensitive(&args);
        self.learn(&args, result.as_ref());
        self.mask(&mut args, sensitive);
        if let Some(result) = &mut result {
            self.mask(result, sensitive);
        }
        let line = line(function, &args, result.as_ref());
        if function == "host.step" {
            self.step = args.get(0).and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        JournalStep { seq, at_ms, step: self.step.clone(), function: function.to_owned(), line, args, result }
    }

    /// Remembers what must be hidden of a host call that is not shown.
    pub(crate) fn learn(&mut self, args: &Value, result: Option<&Value>) {
        if let (true, Some(result)) = (is_sensitive(args), result) {
            self.hides.learn(result);
        }
    }

    /// Arguments as they may be shown.
    pub(crate) fn masked(&self, args: &Value) -> Value {
        let mut masked = args.clone();
        self.mask(&mut masked, is_sensitive(args));
        masked
    }

    fn mask(&self, value: &mut Value, sensitive: bool) {
        withhold(value);
        redact(value, sensitive, &|text| self.hides.hide(text));
        redact_numbers(value, &self.hides);
    }

    /// Any other text.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.hides.hide(text)
    }
}
