//! The machine's face: what it is told, what it says, and its limits.

use crate::campaign::{CampaignCall, CampaignReport, Heard, Listen};
use crate::centre::{CallbackOrder, CallbackReceipt, CallbackRefusal, CallbackStart, QueueNotice, QueueOrder};
use crate::ids::{Agency, CallId, Entry, LegId, Queue, ScriptVersion};
use crate::leg::{DialTarget, IncomingCall, LegCommand, LegEvent};
use crate::prompt::{LanguageTag, Pace, PromptSource};
use crate::records::{LegRecord, Mode};
use crate::routing::{Overlay, Routes};
use crate::script::{CallError, EndReason, LandingCause, Reply, Request, ScriptEnd, StoppedBy};
use std::sync::Arc;
use std::time::Duration;

/// The limits of one call. A script's wish above one is answered with `invalid`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallLimits {
    /// From INVITE to the end.
    pub call_duration_max: Duration,
    /// How long a caller may have us on hold.
    pub hold_max: Duration,
    /// From the caller's end to the script's.
    pub grace_max: Duration,
    /// What the host gets on top before the machine stops waiting for it.
    pub grace_slack: Duration,
    /// For the first key of a collect.
    pub first_key_timeout_max: Duration,
    /// From key to key.
    pub inter_digit_timeout_max: Duration,
    /// `wait`, and `next` of a collector.
    pub wait_max: Duration,
    /// For one target of a transfer to answer.
    pub ring_timeout_max: Duration,
    /// For a REFER to come to its end.
    pub refer_timeout: Duration,
    /// Of one recording.
    pub recording_duration_max: Duration,
    /// Keys that nothing has asked for yet; what is above is dropped.
    pub keys_ahead_max: usize,
    /// Background players a script holds at once.
    pub players_max: usize,
    /// Tags of one call.
    pub tags_max: usize,
    /// Characters of a tag's name or value.
    pub tag_chars_max: usize,
    /// How often a landed caller's operators are rung through.
    pub landing_rounds_max: u8,
    /// For one operator to answer a landed caller.
    pub landing_ring_timeout: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            call_duration_max: Duration::from_hours(4),
            hold_max: Duration::from_mins(10),
            grace_max: Duration::from_secs(2),
            grace_slack: Duration::from_secs(1),
            first_key_timeout_max: Duration::from_mins(2),
            inter_digit_timeout_max: Duration::from_secs(30),
            wait_max: Duration::from_mins(10),
            ring_timeout_max: Duration::from_mins(3),
            refer_timeout: Duration::from_secs(64),
            recording_duration_max: Duration::from_mins(30),
            keys_ahead_max: 64,
            players_max: 4,
            tags_max: 64,
            tag_chars_max: 256,
            landing_rounds_max: 3,
            landing_ring_timeout: Duration::from_secs(20),
        }
    }
}

/// With what a call begins.
#[derive(Clone, Debug)]
pub struct CallStart {
    /// Drawn at random by the host.
    pub id: CallId,
    /// What came in.
    pub incoming: IncomingCall,
    /// Whose number was dialled.
    pub agency: Agency,
    /// Which script answers.
    pub entry: Entry,
    /// In which language the host's prompts begin.
    pub lang: LanguageTag,
    /// The routes at that time; the call keeps them.
    pub routes: Arc<Routes>,
    /// Whether operators work now.
    pub mode: Mode,
    /// What everybody hears first.
    pub overlay: Option<Overlay>,
    /// What the call is for.
    pub purpose: Purpose,
    /// The host's.
    pub limits: CallLimits,
}

/// What a call is for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Purpose {
    /// The script answers.
    #[default]
    Script,
    /// Somebody dials the callback number: it rings, and whoever hangs up, or holds on until we answer, is called back.
    CallbackNumber {
        /// By whom.
        queue: Queue,
        /// The caller's own wish to hold on: then we answer, say so, and hang up.
        ring_max: Duration,
    },
    /// We call somebody back: the first leg is outbound, and there is nothing of it before its [`LegCommand::Dial`]. In
    /// `incoming`, `caller` is the number that we show and `called` the number that we call; `trunk` is the way out. The
    /// first leg has a record in any case, without `rang` where the caller was not dialled.
    Callback(Box<CallbackStart>),
    /// We call a contact of a campaign: the first leg is outbound as with a callback, and the campaign's script runs once it
    /// is answered. The attempt is claimed already.
    Campaign(Box<CampaignCall>),
}

/// How a supervisor takes part in a talk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Supervision {
    /// Hears both, is heard by nobody.
    Listen,
    /// Hears both, is heard by the operator.
    Whisper,
    /// Hears both, is heard by both.
    Barge,
}

/// Which of a call's scripts, counted from 0: a caller handed from script to script meets several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScriptRun(pub u16);

/// One playback of one call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaybackId(pub u32);

/// One recording of one call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordingId(pub u32);

/// By which way a key came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// RFC 4733 or a tone: the media room has stopped an interruptible prompt already.
    Media,
    /// SIP INFO.
    Info,
}

/// What the media room tells of a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaEvent {
    /// A key went down: 0–9, `*`, `#`, A–D.
    Key {
        /// Which.
        key: char,
        /// How it came.
        source: KeySource,
    },
    /// A playback is over.
    PlaybackEnded {
        /// Which.
        playback: PlaybackId,
        /// To its end.
        finished: bool,
        /// The key that interrupted it.
        interrupted_by: Option<char>,
        /// How much was heard.
        at: Duration,
    },
    /// A playback could not be made; says why, for the script.
    PlaybackFailed {
        /// Which.
        playback: PlaybackId,
        /// The speech room's reason.
        error: CallError,
    },
    /// A recording is complete and safe.
    RecordingEnded {
        /// Which.
        recording: RecordingId,
        /// Its name in the store.
        name: Arc<str>,
        /// Of the audio.
        duration: Duration,
        /// By what.
        stopped_by: StoppedBy,
        /// Of the file.
        sha256: [u8; 32],
    },
    /// A recording could not be made.
    RecordingFailed {
        /// Which.
        recording: RecordingId,
        /// Why, for the script.
        error: CallError,
    },
    /// The keys that we were told to send are out.
    KeysSent,
    /// What [`MediaCommand::Listen`] asked for.
    Heard(Heard),
    /// No RTP for longer than the trunk allows.
    Lost,
}

/// How a recording is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingPlan {
    /// Longer is cut.
    pub duration_max: Duration,
    /// So much silence ends it; none for never.
    pub silence_stop: Option<Duration>,
    /// A beep first.
    pub beep: bool,
    /// Keys that end it.
    pub stop_keys: String,
    /// Both sides, or only the leg's own.
    pub both_sides: bool,
    /// Days to keep it.
    pub retention_days: u16,
}

/// What the media room is told to do with a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaCommand {
    /// Plays these one after another. To a slow caller prompts come twice in `sources`.
    Play {
        /// Under that name.
        playback: PlaybackId,
        /// What.
        sources: Vec<PromptSource>,
        /// In that language where a prompt names none.
        lang: LanguageTag,
        /// A key stops it, in the media room, before we hear of the key.
        barge_in: bool,
        /// Over and over.
        loop_forever: bool,
        /// How fast.
        pace: Pace,
    },
    /// Stops a playback; it still reports its end.
    Stop(PlaybackId),
    /// Holds a playback where it is.
    Pause(PlaybackId),
    /// Goes on with it.
    Resume(PlaybackId),
    /// Goes to a place in it.
    Seek(PlaybackId, Duration),
    /// Starts a recording.
    Record(RecordingId, RecordingPlan),
    /// Leaves a gap in a recording.
    PauseRecording(RecordingId),
    /// Goes on with it.
    ResumeRecording(RecordingId),
    /// Ends it and keeps it.
    FinishRecording(RecordingId),
    /// Ends it and throws it away.
    DiscardRecording(RecordingId),
    /// While true, whatever is recorded of this leg is silence: sensitive keys are being entered.
    Mask(bool),
    /// Listens for who or what answers.
    Listen(Listen),
    /// Sends keys to the party.
    SendKeys(crate::privacy::Keys),
}

/// What a caller's agent that asked for a transcript is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TranscriptLine {
    /// These prompts begin.
    Prompt {
        /// In order.
        sources: Vec<PromptSource>,
        /// In that language where a prompt names none.
        lang: LanguageTag,
    },
    /// Keys are waited for.
    Collect,
    /// A key stopped the prompt.
    Interrupted,
    /// The call is with a person now.
    Bridged,
}

/// What happens to a call.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// SIP says.
    Leg(LegId, LegEvent),
    /// The media room says.
    Media(LegId, MediaEvent),
    /// The script asked for by [`Command::StartScript`] runs, in this version.
    ScriptStarted {
        /// Which run.
        run: ScriptRun,
        /// Pinned for the run's life.
        version: ScriptVersion,
    },
    /// A script asks; one at a time.
    ScriptRequest {
        /// Which run.
        run: ScriptRun,
        /// What.
        request: Request,
    },
    /// A script's run is over. Also the answer to [`Command::StartScript`] where it could not be started.
    ScriptEnded {
        /// Which run.
        run: ScriptRun,
        /// How.
        end: ScriptEnd,
    },
    /// Take the call out of the script's hands: its version is drained, or an admin said so.
    Land(LandingCause),
    /// The centre says of the waiting caller. In the order in which it said so; what comes too late is answered or ignored
    /// as it must be, so that nothing need be filtered on the way.
    Queue(QueueNotice),
    /// The answer to [`CallbackOrder::Book`]. Waited for up to ten seconds, also by a call whose caller is gone: its
    /// [`Command::Over`] comes only then, so that its record names the callback.
    CallbackBooked(Result<CallbackReceipt, CallbackRefusal>),
    /// The answer to [`CallbackOrder::Claim`]: true where the claim is durable and the caller may be dialled.
    CallbackClaimed(bool),
    /// A supervisor takes part: the telephone is dialled, and joins the talk; one supervisor a call. Ignored where nobody
    /// talks now, or a supervisor is there or being rung: whoever asks looks at the call first.
    Supervise {
        /// The supervisor's telephone.
        target: DialTarget,
        /// How.
        how: Supervision,
    },
    /// The supervisor takes part in another way.
    SuperviseHow(Supervision),
    /// The supervisor leaves.
    SuperviseEnd,
    /// An admin ends the call.
    Kill,
    /// The engine stops now.
    DrainDeadline,
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// By SIP.
    Leg(LegId, LegCommand),
    /// By the media room.
    Media(LegId, MediaCommand),
    /// The two hear each other.
    Bridge(LegId, LegId),
    /// They no longer do.
    Unbridge(LegId, LegId),
    /// A supervisor's leg takes part in the talk of the first leg with another. Said again for the same leg where `how`
    /// changes, and (after [`Command::Unsupervise`]) where the operator has passed the caller on. Both legs are bridged to
    /// each other at that moment.
    Supervise {
        /// The supervisor's.
        leg: LegId,
        /// The operator's.
        operator: LegId,
        /// How.
        how: Supervision,
    },
    /// The supervisor's leg no longer does. Before the [`Command::Unbridge`] of the talk; the leg may be gone already.
    Unsupervise(LegId),
    /// For the centre's machine: of the waiting caller. Hand it over in order, as [`crate::centre::CentreInput::Queue`] with
    /// this call's id; a call that is over needs [`crate::centre::CentreInput::CallOver`] besides, after [`Command::Over`].
    ///
    /// An operator's leg is dialled for each offer, and its end or answer said with `OfferEnded`; with `Answered`, a
    /// [`Command::Bridge`] follows at once (for a callback with the operator first: when the caller has answered), and
    /// `TalkOver` when that operator is free again: at the end of the talk, or when the caller was passed on.
    Queue(QueueOrder),
    /// For the centre's machine: of a callback; as [`crate::centre::CentreInput::Callback`]. `Book` is answered with
    /// [`Input::CallbackBooked`], `Claim` with [`Input::CallbackClaimed`]. In a callback's own call, `Ended` comes exactly
    /// once: `Connected` with the bridge, anything else at the call's end.
    Callback(CallbackOrder),
    /// Of a campaign's attempt, for [`crate::campaign::CampaignInput`]; in order.
    Campaign(CampaignReport),
    /// Starts the script that is active for an entry now.
    StartScript {
        /// Under that name.
        run: ScriptRun,
        /// Whose.
        agency: Agency,
        /// Which.
        entry: Entry,
    },
    /// Answers the script's request.
    Reply {
        /// Which run.
        run: ScriptRun,
        /// The answer.
        result: Result<Reply, CallError>,
    },
    /// The call is over for the script; its grace begins.
    EndScript {
        /// Which run.
        run: ScriptRun,
        /// Why.
        reason: EndReason,
    },
    /// The script's run is to be stopped at once; its end is not waited for.
    StopScript {
        /// Which run.
        run: ScriptRun,
    },
    /// For the caller's agent that asked for it.
    Transcript(TranscriptLine),
    /// A leg began: from here on a crash leaves a record of it.
    LegBegan(Box<LegRecord>),
    /// A leg is over: its record, to be kept.
    LegEnded(Box<LegRecord>),
    /// Nothing comes any more; the machine can be dropped.
    Over,
}
