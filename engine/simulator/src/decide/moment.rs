//! The moments at which something is left open.

use gudok_core::input::{Choice, Grammar};
use gudok_core::prompt::{LanguageTag, Pace, PromptSource};
use gudok_core::script::{TransferMode, TransferTarget};
use gudok_plugin_host::ports::{FetchMethod, TicketKind};
use std::sync::Arc;
use std::time::Duration;

/// Something is left open.
#[derive(Clone, PartialEq, Debug)]
pub enum Moment {
    /// The caller is asked for keys.
    Asked(Question),
    /// The caller hears something that asks for nothing.
    Heard(Spoken),
    /// The caller may speak: a message is recorded, for so long at most.
    Records {
        /// Longer is cut.
        duration_max: Duration,
        /// Keys that end it.
        stop_keys: String,
    },
    /// The caller is to be handed over.
    Transfers(Transfers),
    /// The caller is to wait in a queue.
    Waits(Waits),
    /// A back end is asked.
    Fetches(Fetches),
    /// Storage is read or written.
    Stores(Stores),
    /// A ticket, a survey's answers or a callback is to be promised.
    Promises(Promised),
    /// The directory is asked: "offices", "entries", "faq", "calendar".
    Directory(&'static str),
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskedBy {
    /// The script, by `collect`.
    Script,
    /// The script, key by key, by a collector.
    Collector,
    /// The host: about a callback, or the agency's information.
    Host,
}

/// What the caller is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// In which words, with what is said first where it is asked again.
    pub said: Spoken,
    /// By whom.
    pub by: AskedBy,
    /// What counts as an answer.
    pub grammar: Grammar,
    /// Keys that lead elsewhere.
    pub global_keys: Vec<Choice>,
    /// No key of the answer is written down.
    pub sensitive: bool,
    /// From 1.
    pub attempt: u8,
    /// So many in all.
    pub attempts: u8,
    /// Something is said before it is asked again after silence.
    pub says_on_no_input: bool,
    /// Something is said before it is asked again after nonsense.
    pub says_on_no_match: bool,
    /// Until silence is taken for one.
    pub first_timeout: Duration,
}

/// What is said.
#[derive(Clone, PartialEq, Debug)]
pub struct Spoken {
    /// In words.
    pub text: Arc<str>,
    /// As the machine has it.
    pub sources: Vec<PromptSource>,
    /// In that language where a prompt names none.
    pub lang: LanguageTag,
    /// How fast.
    pub pace: Pace,
    /// For how long.
    pub lasts: Duration,
    /// A key interrupts it.
    pub interruptible: bool,
    /// The step of the dialog that the script named last.
    pub step: Option<Arc<str>>,
}

impl Default for Spoken {
    /// Nothing is said.
    fn default() -> Self {
        Self {
            text: Arc::from(""),
            sources: Vec::new(),
            lang: Arc::from(""),
            pace: Pace::Normal,
            lasts: Duration::ZERO,
            interruptible: true,
            step: None,
        }
    }
}

/// A transfer that a script asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Transfers {
    /// To whom.
    pub target: TransferTarget,
    /// How.
    pub mode: TransferMode,
    /// The script goes on afterwards.
    pub returns: bool,
    /// The step of the dialog that the script named last.
    pub step: Option<Arc<str>>,
}

/// A wait that a script asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waits {
    /// In which queue.
    pub queue: Arc<str>,
    /// The script's own patience.
    pub wait_max: Option<Duration>,
    /// The script goes on afterwards.
    pub returns: bool,
    /// The step of the dialog that the script named last.
    pub step: Option<Arc<str>>,
}

/// A request to a back end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetches {
    /// How.
    pub method: FetchMethod,
    /// Where, with what is asked: `https://mfc.example/offices?city=3`.
    pub url: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// The script waits so long.
    pub timeout: Duration,
    /// The step of the dialog that the script named last.
    pub step: Option<Arc<str>>,
}

/// A look into storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stores {
    /// Which bucket.
    pub bucket: Arc<str>,
    /// Which key; a prefix where keys are listed.
    pub key: String,
    /// It changes something.
    pub writes: bool,
    /// The step of the dialog that the script named last.
    pub step: Option<Arc<str>>,
}

/// What is to be promised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Promised {
    /// A ticket for that agency.
    Ticket(TicketKind, Arc<str>),
    /// Answers to that survey.
    Survey(Arc<str>),
    /// A callback by that queue.
    Callback(Arc<str>),
}

impl Moment {
    /// In a word: `asked`, `heard`, `records`, `transfers`, `waits`, `fetches`, `stores`, `promises`, `directory`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Asked(_) => "asked",
            Self::Heard(_) => "heard",
            Self::Records { .. } => "records",
            Self::Transfers(_) => "transfers",
            Self::Waits(_) => "waits",
            Self::Fetches(_) => "fetches",
            Self::Stores(_) => "stores",
            Self::Promises(_) => "promises",
            Self::Directory(_) => "directory",
        }
    }
}
