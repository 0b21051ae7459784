//! Scripts in Rust: linear code that talks to its call as a compiled script does, for tests of the engine and of worlds.

use crate::tasks::SimPort;
use gudok_core::ids::Group;
use gudok_core::input::{Choice, CollectOptions, Grammar, Outcome, Retry, Value};
use gudok_core::prompt::{BargeIn, Prompt, Segment};
use gudok_core::script::{
    CallError, PlaybackEnd, RecordOptions, Recording, Reply, Request, ScriptEnd, Summary, TransferMode,
    TransferOptions, TransferOutcome, TransferTarget,
};
use gudok_plugin_host::ports::{BoxFuture, CallInfo, CallPort};
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
#[derive(Clone, Debug)]
pub struct ScriptCall {
    pub(crate) port: Arc<SimPort>,
    pub(crate) info: CallInfo,
}

/// Each method is the host call of its name; every one may end with an error, as the WIT says.
#[expect(clippy::missing_errors_doc, reason = "said above")]
impl ScriptCall {
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

    /// Says goodbye and hangs up.
    pub async fn hang_up(&self, goodbye: &str) -> Result<(), CallError> {
        self.request(Request::Hangup { goodbye: Some(prompt(goodbye)) }).await.map(drop)
    }
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
