//! What passes between a script and the machine: one request at a time, and its answer. The capability gate, quotas and
//! the journal stand before it, in the plugin host.

use crate::campaign::Disposition;
use crate::centre::{CallbackReceipt, SkillWish};
use crate::ids::{CallbackId, Group, Peer, Queue};
use crate::input::{CollectOptions, Outcome};
use crate::privacy::{Keys, PhoneNumber};
use crate::prompt::{LanguageTag, Pace, Prompt};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Why a call came to its end, as a script is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum EndReason {
    CallerHangup,
    FarEndHangup,
    HostLimit,
    DrainTimeout,
    AdminKill,
    MediaLost,
    ScriptHangup,
    Moved,
}

/// Why a host call gave no result; the WIT's `call-error`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum CallError {
    #[error("the call is over ({0:?})")]
    Ended(EndReason),
    #[error("not granted: {0}")]
    Denied(String),
    #[error("allowance used up: {0}")]
    Quota(String),
    #[error("invalid: {0}")]
    Invalid(String),
    #[error("not found: {0}")]
    NotFound(String),
    #[error("busy: {0}")]
    BusyResource(String),
    #[error("no answer in time")]
    Timeout,
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("host fault {0}")]
    Internal(String),
}

/// A background playback or recording of one call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct HandleId(pub u32);

/// Why an incoming call is refused by its script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum RejectCause {
    Busy,
    Declined,
    Unavailable,
    NotInService,
}

/// How a recording is made; the WIT's `record-options`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct RecordOptions {
    pub duration_max: Duration,
    pub silence_stop: Duration,
    pub beep: bool,
    pub stop_keys: String,
    pub consent_prompt: Option<Arc<Prompt>>,
    pub retention_days: u16,
}

/// What ended a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum StoppedBy {
    Max,
    Silence,
    Key,
    Hangup,
    Script,
}

/// A finished recording.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct Recording {
    pub id: Arc<str>,
    pub duration: Duration,
    pub stopped_by: StoppedBy,
    pub sha256: [u8; 32],
}

/// To whom a caller is handed; the WIT's `target`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum TransferTarget {
    Group(Group),
    Operator(Arc<str>),
    Extension(Arc<str>),
    Number(PhoneNumber),
    Script(Arc<str>),
}

impl TransferTarget {
    /// For writing down: names as they are, numbers masked.
    #[must_use]
    pub fn label(&self) -> Arc<str> {
        match self {
            Self::Group(name) => Arc::from(name.as_str()),
            Self::Operator(name) | Self::Extension(name) | Self::Script(name) => Arc::clone(name),
            Self::Number(number) => Arc::from(number.masked()),
        }
    }
}

/// How a caller is handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum TransferMode {
    Blind,
    Attended,
    Bridge,
}

/// The WIT's `transfer-options`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct TransferOptions {
    pub mode: TransferMode,
    pub ring_timeout: Duration,
    pub music: Option<Arc<str>>,
    pub whisper: Option<Arc<Prompt>>,
    pub screen_pop: Vec<(Arc<str>, Arc<str>)>,
    pub return_on_end: bool,
}

/// The WIT's `transfer-outcome`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum TransferOutcome {
    Moved,
    BridgedThenReturned(Duration),
    Busy,
    NoAnswer,
    Rejected(u16),
    Unavailable,
    /// From when somebody works again, "06:00", where the calendar knows.
    Closed(Option<Arc<str>>),
}

/// Where a playback stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct PlaybackEnd {
    pub finished: bool,
    pub interrupted_by: Option<char>,
    pub at: Duration,
}

/// How a caller is to wait; the WIT's `queue-options`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct QueueWish {
    pub queue: Queue,
    pub priority: u8,
    pub skills: Vec<SkillWish>,
    pub music: Option<Arc<str>>,
    /// The script's own patience; none for the queue's rule alone.
    pub wait_max: Option<Duration>,
    pub screen_pop: Vec<(Arc<str>, Arc<str>)>,
    pub announce: bool,
    pub return_on_end: bool,
}

/// What happens to a waiting caller; the WIT's `queue-event`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum QueueEvent {
    Position(u32),
    EstimatedWait(Duration),
    Key(char),
    Answered(crate::ids::Operator),
    Returned(Duration),
    Callback(CallbackId),
    Peer(Peer),
    /// From when somebody works again, "06:00", where the calendar knows.
    Closed(Option<Arc<str>>),
    Full,
    TimedOut,
}

/// A callback that a script books by itself; the WIT's `callback-request`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct CallbackRequest {
    pub queue: Queue,
    pub number: crate::privacy::PhoneNumber,
    pub topic: Arc<str>,
    pub earliest: Option<Timestamp>,
    pub fields: Vec<(Arc<str>, Arc<str>)>,
}

/// A callback that the host offers in its own words: own number or another, read back, confirmed; the WIT's
/// `callback-offer`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub struct CallbackOffer {
    pub queue: Queue,
    pub topic: Arc<str>,
    pub fields: Vec<(Arc<str>, Arc<str>)>,
    /// Said instead of the host's own first words.
    pub intro: Option<Arc<Prompt>>,
}

/// What a script asks of its call.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "documented in the WIT")]
pub enum Request {
    Answer,
    EarlyMedia,
    Reject(RejectCause),
    Hangup {
        goodbye: Option<Arc<Prompt>>,
    },
    /// Answered with [`Reply::EndReason`], at once.
    Ended,
    SetLanguage(LanguageTag),
    SetPace(Pace),
    Say(Arc<Prompt>),
    PlayBackground {
        prompt: Arc<Prompt>,
        loop_forever: bool,
    },
    PlayerWait(HandleId),
    PlayerPause(HandleId),
    PlayerResume(HandleId),
    PlayerSeek(HandleId, Duration),
    PlayerStop(HandleId),
    /// The script let go of it; answered with [`Reply::Done`] in any case.
    PlayerDrop(HandleId),
    Collect(Box<CollectOptions>),
    NextKey {
        timeout: Duration,
    },
    FlushKeys,
    SendDtmf(Keys),
    Wait(Duration),
    Tag(Vec<(Arc<str>, Arc<str>)>),
    RecordMessage(Box<RecordOptions>),
    StartRecording(Box<RecordOptions>),
    RecorderPause(HandleId),
    RecorderResume(HandleId),
    RecorderFinish(HandleId),
    /// The script let go of it; what was not finished is discarded.
    RecorderDrop(HandleId),
    Transfer {
        target: TransferTarget,
        options: Box<TransferOptions>,
    },
    /// The caller waits from now on; answered with [`Reply::Handle`]. One wait at a time.
    Enqueue(Box<QueueWish>),
    /// The next thing that happens to the wait; answered with [`Reply::QueueEvent`].
    QueueNext {
        handle: HandleId,
        timeout: Duration,
    },
    /// The caller leaves the queue and is called back, keeping the place; none: at the calling number. Answered with
    /// [`Reply::Callback`].
    QueueConvert {
        handle: HandleId,
        number: Option<crate::privacy::PhoneNumber>,
    },
    /// The caller waits no more.
    QueueLeave(HandleId),
    /// Answered with [`Reply::Callback`].
    BookCallback(Box<CallbackRequest>),
    /// Answered with [`Reply::CallbackOffered`].
    OfferCallback(Box<CallbackOffer>),
}

/// The answer to a [`Request`] that succeeded.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "each belongs to the request of its name")]
pub enum Reply {
    Done,
    Playback(PlaybackEnd),
    Handle(HandleId),
    EndReason(Option<EndReason>),
    Outcome(Outcome),
    Key(Option<char>),
    Recording(Recording),
    Transfer(TransferOutcome),
    /// None: the time is up.
    QueueEvent(Option<QueueEvent>),
    Callback(CallbackReceipt),
    /// None: the caller wants none.
    CallbackOffered(Option<CallbackReceipt>),
}

/// What became of the caller, in the script's own words; the WIT's `summary`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// `served`, `transferred`, …, or the text of `custom`.
    pub code: Arc<str>,
    /// Kept with the call record.
    pub fields: Vec<(Arc<str>, Arc<str>)>,
}

/// Why the host took a call out of its script's hands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum LandingCause {
    /// The script trapped: unreachable, out of bounds, division by zero, a panic.
    Trap,
    /// It used more CPU between two host calls than it may: an endless loop.
    Cpu,
    /// It asked for more memory or table space than it may.
    Memory,
    /// Its stack ran over.
    Stack,
    /// A host call, or the whole call, took longer than it may.
    Timeout,
    /// It made more host calls, or wrote more log, than it may.
    Quota,
    /// It could not be started: no instance free, refused, or not there.
    Refused,
    /// It returned an error.
    Error,
    /// It returned before it ever answered the call, or saying `no-service`.
    Abandoned,
    /// Its version was replaced, and the time that its calls were given is over. No fault of the script.
    Drained,
    /// An admin took the caller out of its hands. No fault of the script.
    Admin,
}

impl LandingCause {
    /// The word for it in call records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Timeout => "timeout",
            Self::Quota => "quota",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::Abandoned => "abandoned",
            Self::Drained => "drained",
            Self::Admin => "admin",
        }
    }

    /// The script was stopped for something that it did.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        match self {
            Self::Trap | Self::Cpu | Self::Memory | Self::Stack | Self::Timeout | Self::Quota => true,
            Self::Refused | Self::Error | Self::Abandoned | Self::Drained | Self::Admin => false,
        }
    }

    /// The script did nothing wrong: the host takes the caller on for reasons of its own.
    #[must_use]
    pub const fn is_taken_over(self) -> bool {
        matches!(self, Self::Drained | Self::Admin)
    }
}

/// How a script's run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScriptEnd {
    /// `run` returned a summary.
    Returned(Summary),
    /// A campaign's `run` returned what became of its contact.
    Informed(Disposition),
    /// `run` returned an error (`ended` is the normal way to go when the caller has left).
    Failed(CallError),
    /// The host stopped it. The backtrace is kept for the author, not here.
    Stopped(LandingCause),
}
