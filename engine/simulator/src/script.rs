//! Scripts in Rust: linear code that talks to its call as a compiled script does, for tests of the engine and of worlds.

use crate::tasks::SimPort;
use gudok_core::campaign::AnsweredBy;
use gudok_core::centre::CallbackReceipt;
use gudok_core::ids::{Agency, Group, Queue, ScriptVersion};
use gudok_core::input::{Choice, CollectOptions, Grammar, Outcome, Retry, Value};
use gudok_core::prompt::{BargeIn, Prompt, Segment};
use gudok_core::script::{
    CallError, CallbackOffer, HandleId, PlaybackEnd, QueueEvent, QueueWish, RecordOptions, Recording, Reply, Request,
    ScriptEnd, Summary, TransferMode, TransferOptions, TransferOutcome, TransferTarget,
};
use gudok_plugin_host::ports::{
    self, BoxFuture, CallInfo, CallPort, EntryVersion, NewTicket, PromiseSource, PromisesPort, TicketKind,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A script in Rust. A closure that takes a [`ScriptCall`] and gives a future is one:
///
/// ```
/// use gudok_simulator::{ScriptCall, returned};
///
/// let script = |call: ScriptCall| async move {
///     call.say("Good day.").await?;
///     Ok(returned("served"))
/// };
/// # fn is_one(_: impl gudok_simulator::SimScript) {}
/// # is_one(script);
/// ```
pub trait SimScript: Send + Sync + 'static {
    /// Runs for one call. An error is the script's own, as when `run` of the WIT returns one; to trap or loop, return
    /// [`ScriptEnd::Stopped`].
    fn run(&self, call: ScriptCall) -> BoxFuture<'static, Result<ScriptEnd, CallError>>;
}

impl<F, R> SimScript for F
where
    F: Fn(ScriptCall) -> R + Send + Sync + 'static,
    R: Future<Output = Result<ScriptEnd, CallError>> + Send + 'static,
{
    fn run(&self, call: ScriptCall) -> BoxFuture<'static, Result<ScriptEnd, CallError>> {
        Box::pin(self(call))
    }
}

/// The end of a script that returned, with that result code.
#[must_use]
pub fn returned(code: &str) -> ScriptEnd {
    ScriptEnd::Returned(Summary { code: Arc::from(code), fields: Vec::new() })
}

/// A text that keys interrupt. One that begins with `!` is heard to its end, without the `!`.
#[must_use]
pub fn prompt(text: &str) -> Arc<Prompt> {
    let spoken = text.strip_prefix('!');
    Arc::new(Prompt {
        segments: vec![Segment::Text(spoken.unwrap_or(text).into())],
        lang: None,
        voice: None,
        barge_in: BargeIn { dtmf: spoken.is_none(), speech: false },
        cacheable: true,
    })
}

/// A script's call.
#[derive(Clone)]
pub struct ScriptCall {
    pub(crate) port: Arc<SimPort>,
    pub(crate) info: CallInfo,
    pub(crate) version: ScriptVersion,
    pub(crate) promises: Arc<dyn PromisesPort>,
}

impl fmt::Debug for ScriptCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptCall").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Each method is the host call of its name; every one may end with an error, as the WIT says.
#[expect(clippy::missing_errors_doc, reason = "said above")]
impl ScriptCall {
    /// Who or what took a call of a campaign.
    #[must_use]
    pub const fn answered_by(&self) -> AnsweredBy {
        match self.info.answered_by {
            ports::AnsweredBy::Unknown => AnsweredBy::Unknown,
            ports::AnsweredBy::Human => AnsweredBy::Human,
            ports::AnsweredBy::Machine => AnsweredBy::Machine,
            ports::AnsweredBy::Fax => AnsweredBy::Fax,
        }
    }

    /// What the script is told of its call.
    #[must_use]
    pub const fn info(&self) -> &CallInfo {
        &self.info
    }

    /// Any request.
    pub async fn request(&self, request: Request) -> Result<Reply, CallError> {
        self.port.request(request).await
    }

    /// Answers the caller.
    pub async fn answer(&self) -> Result<(), CallError> {
        self.request(Request::Answer).await.map(drop)
    }

    /// Says a text; see [`prompt`].
    pub async fn say(&self, text: &str) -> Result<PlaybackEnd, CallError> {
        match self.request(Request::Say(prompt(text))).await? {
            Reply::Playback(end) => Ok(end),
            other => Err(misfit(&other)),
        }
    }

    /// Asks for one of these keys, three times; none where there is no answer.
    pub async fn ask(&self, text: &str, choices: &[(&str, &str)]) -> Result<Option<String>, CallError> {
        let choice = |(key, value): &(&str, &str)| Choice {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            phrases: Vec::new(),
        };
        let grammar = Grammar::Choices(choices.iter().map(choice).collect());
        Ok(match self.collect(question(text, grammar)).await? {
            Outcome::Ok(collected) => match collected.value {
                Value::Text(value) => Some(value),
                _ => None,
            },
            Outcome::Global(value) => Some(value),
            Outcome::NoInput | Outcome::NoMatch(_) => None,
        })
    }

    /// Asks.
    pub async fn collect(&self, options: CollectOptions) -> Result<Outcome, CallError> {
        match self.request(Request::Collect(Box::new(options))).await? {
            Reply::Outcome(outcome) => Ok(outcome),
            other => Err(misfit(&other)),
        }
    }

    /// The next key.
    pub async fn next_key(&self, timeout: Duration) -> Result<Option<char>, CallError> {
        match self.request(Request::NextKey { timeout }).await? {
            Reply::Key(key) => Ok(key),
            other => Err(misfit(&other)),
        }
    }

    /// Lets time pass.
    pub async fn wait(&self, time: Duration) -> Result<(), CallError> {
        self.request(Request::Wait(time)).await.map(drop)
    }

    /// Attaches a field to the call record.
    pub async fn tag(&self, name: &str, value: &str) -> Result<(), CallError> {
        self.request(Request::Tag(vec![(Arc::from(name), Arc::from(value))])).await.map(drop)
    }

    /// Records a message of at most a minute.
    pub async fn record_message(&self) -> Result<Recording, CallError> {
        let options = RecordOptions {
            duration_max: Duration::from_mins(1),
            silence_stop: Duration::from_secs(3),
            beep: true,
            stop_keys: "#".into(),
            consent_prompt: None,
            retention_days: 30,
        };
        match self.request(Request::RecordMessage(Box::new(options))).await? {
            Reply::Recording(recording) => Ok(recording),
            other => Err(misfit(&other)),
        }
    }

    /// Connects with a group of operators and comes back when they have talked.
    pub async fn transfer_to_group(&self, group: &str) -> Result<TransferOutcome, CallError> {
        self.transfer(TransferTarget::Group(Group::new(group)), TransferMode::Bridge).await
    }

    /// Hands the caller over to another script that this one may reach. On success the call is no longer ours.
    pub async fn transfer_to_script(&self, name: &str) -> Result<TransferOutcome, CallError> {
        self.transfer(TransferTarget::Script(Arc::from(name)), TransferMode::Bridge).await
    }

    /// Hands the caller over; comes back on everything but `moved`.
    pub async fn transfer(&self, target: TransferTarget, mode: TransferMode) -> Result<TransferOutcome, CallError> {
        let options = TransferOptions {
            mode,
            ring_timeout: Duration::from_secs(20),
            music: None,
            whisper: None,
            screen_pop: Vec::new(),
            return_on_end: true,
        };
        match self.request(Request::Transfer { target, options: Box::new(options) }).await? {
            Reply::Transfer(outcome) => Ok(outcome),
            other => Err(misfit(&other)),
        }
    }

    /// The caller waits for an operator of that queue, and the call ends with their talk. Comes back with how the wait
    /// ended otherwise; none where the script's patience did.
    pub async fn wait_in_queue(&self, queue: &str) -> Result<Option<QueueEvent>, CallError> {
        /// The host's own limit acts long before.
        const PATIENCE: Duration = Duration::from_mins(5);
        let handle = self.enqueue(queue).await?;
        loop {
            let event = match self.request(Request::QueueNext { handle, timeout: PATIENCE }).await? {
                Reply::QueueEvent(event) => event,
                other => return Err(misfit(&other)),
            };
            match event {
                Some(QueueEvent::Position(_) | QueueEvent::EstimatedWait(_) | QueueEvent::Key(_)) => {}
                Some(QueueEvent::Answered(_) | QueueEvent::Peer(_)) => {}
                other => return Ok(other),
            }
        }
    }

    /// The caller waits from now on.
    pub async fn enqueue(&self, queue: &str) -> Result<HandleId, CallError> {
        let wish = QueueWish {
            queue: Queue::new(queue),
            priority: 0,
            skills: Vec::new(),
            music: None,
            wait_max: None,
            screen_pop: Vec::new(),
            announce: true,
            return_on_end: false,
        };
        match self.request(Request::Enqueue(Box::new(wish))).await? {
            Reply::Handle(handle) => Ok(handle),
            other => Err(misfit(&other)),
        }
    }

    /// Leaves the offer of a callback to the host; none where the caller wants none.
    pub async fn offer_callback(&self, queue: &str, topic: &str) -> Result<Option<CallbackReceipt>, CallError> {
        let offer = CallbackOffer { queue: Queue::new(queue), topic: topic.into(), fields: Vec::new(), intro: None };
        match self.request(Request::OfferCallback(Box::new(offer))).await? {
            Reply::CallbackOffered(receipt) => Ok(receipt),
            other => Err(misfit(&other)),
        }
    }

    /// Registers a ticket for an agency and answers its number. The key makes it the same ticket however often it is
    /// registered.
    pub async fn submit_ticket(
        &self,
        kind: TicketKind,
        to: &str,
        ticket: TicketParts<'_>,
    ) -> Result<Arc<str>, CallError> {
        let source = PromiseSource {
            call: self.info.id,
            agency: self.info.agency.clone(),
            version: self.version.clone(),
            caller: self.info.caller.clone(),
            lang: Arc::clone(&self.info.lang),
        };
        let (entry, recordings) = (ticket.entry, ticket.recordings.iter().map(|id| Arc::from(*id)).collect());
        let ticket = NewTicket {
            source,
            kind,
            to_agency: Agency::new(to),
            municipality: None,
            contact: self.info.caller.clone(),
            fields: ticket.fields.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect(),
            recordings,
            entry: entry.map(|(id, version)| EntryVersion { id: id.into(), version }),
            idempotency_key: ticket.key.into(),
        };
        self.promises.submit_ticket(ticket).await.map_err(|error| CallError::Unavailable(error.to_string()))
    }

    /// Says goodbye and hangs up.
    pub async fn hang_up(&self, goodbye: &str) -> Result<(), CallError> {
        self.request(Request::Hangup { goodbye: Some(prompt(goodbye)) }).await.map(drop)
    }
}

/// What a ticket says.
#[derive(Clone, Copy, Debug, Default)]
pub struct TicketParts<'a> {
    /// The idempotency key.
    pub key: &'a str,
    /// Names and values.
    pub fields: &'a [(&'a str, &'a str)],
    /// Ids of recordings.
    pub recordings: &'a [&'a str],
    /// Which entry of the directory is wrong, and in which version.
    pub entry: Option<(&'a str, u32)>,
}

/// Three attempts, 5 s for the first key, 3 s for the next.
fn question(text: &str, grammar: Grammar) -> CollectOptions {
    CollectOptions {
        grammar,
        dtmf: true,
        speech: false,
        prompt: Some(prompt(text)),
        first_timeout: Duration::from_secs(5),
        inter_digit: Duration::from_secs(3),
        retry: Retry { attempts: 3, no_input: None, no_match: None },
        sensitive: false,
        global_keys: Vec::new(),
    }
}

fn misfit(reply: &Reply) -> CallError {
    CallError::Internal(format!("an answer to another question: {reply:?}"))
}
