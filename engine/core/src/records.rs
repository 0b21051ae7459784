//! What remains of a call: one record a leg, made by the machine when the leg is over.

use crate::campaign::{AnsweredBy, AttemptId, Disposition};
use crate::ids::{Agency, CallId, CallbackId, Entry, LegId, Operator, Peer, Queue, ScriptVersion, Trunk};
use crate::leg::HangupCause;
use crate::privacy::PhoneNumber;
use crate::prompt::LanguageTag;
use crate::script::{EndReason, LandingCause, Recording, TransferMode, TransferOutcome};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Who called whom, seen from the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Whether operators could be asked for when the call began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Operators work.
    Attended,
    /// The centre runs by itself, as at night.
    Automatic,
}

/// Who ended a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// The party of this leg.
    Party,
    /// The engine: its script, its limits, its admin.
    Engine,
}

/// How the caller was last handed over, or was not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferRecord {
    /// By which way.
    pub mode: TransferMode,
    /// To whom: a group's or operator's name, or a masked number.
    pub to: Arc<str>,
    /// How it went.
    pub outcome: TransferOutcome,
}

/// The record of one leg. It is final: nothing is added after it was handed out.
#[derive(Clone, PartialEq, Debug)]
pub struct LegRecord {
    /// The call that the leg belongs to.
    pub call: CallId,
    /// Which leg; 0 is the caller's.
    pub leg: LegId,
    /// Inbound for the caller's.
    pub direction: Direction,
    /// Whose number was called.
    pub agency: Agency,
    /// Where the number led.
    pub entry: Entry,
    /// Every script version that ran, in order; on the first leg only.
    pub scripts: Vec<ScriptVersion>,
    /// By which trunk.
    pub trunk: Option<Trunk>,
    /// The calling number; none where withheld.
    pub caller: Option<PhoneNumber>,
    /// The called number or address.
    pub called: PhoneNumber,
    /// When the INVITE came or went.
    pub started: Timestamp,
    /// When it rang.
    pub rang: Option<Timestamp>,
    /// When it was answered.
    pub answered: Option<Timestamp>,
    /// When it was over.
    pub ended: Timestamp,
    /// Why.
    pub cause: HangupCause,
    /// The SIP status behind it.
    pub status: Option<u16>,
    /// By whom.
    pub ended_by: EndedBy,
    /// Attended or automatic.
    pub mode: Mode,
    /// The language at the end.
    pub lang: LanguageTag,
    /// What the script said became of the caller.
    pub result: Option<Arc<str>>,
    /// Why the host took the call out of the script's hands.
    pub landing: Option<LandingCause>,
    /// How the last transfer went.
    pub transfer: Option<TransferRecord>,
    /// What scripts attached.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// What was recorded.
    pub recordings: Vec<Recording>,
    /// The emergency announcement was heard to its end.
    pub overlay_heard: bool,
    /// The last wait for an operator; on the first leg only.
    pub queue: Option<QueueRecord>,
    /// The callback that the call fulfils, or that was promised in it.
    pub callback: Option<CallbackId>,
    /// The first centre's call, where the call came through other centres.
    pub chain: Option<Arc<str>>,
    /// Whom the call informs, where it is a campaign's; on the first leg only.
    pub campaign: Option<Box<CampaignRecord>>,
}

/// A campaign's attempt, as the record of its contact's leg has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CampaignRecord {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Who or what answered; none where nobody did.
    pub answered_by: Option<AnsweredBy>,
    /// What became of it; none while it goes on.
    pub disposition: Option<Disposition>,
}

/// One wait for an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRecord {
    /// Where.
    pub queue: Queue,
    /// Since when.
    pub entered: Timestamp,
    /// For how long: to the answer, to the promise of a callback, to the peer's answer, or to the end.
    pub waited: Duration,
    /// When the host first offered a callback or tried a peer centre.
    pub acted: Option<Timestamp>,
    /// How it ended; none while it goes on.
    pub outcome: Option<QueueOutcome>,
}

/// How a wait ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueOutcome {
    /// An operator answered.
    Answered(Operator),
    /// A peer centre answered.
    Peer(Peer),
    /// A callback was promised.
    Callback,
    /// The caller hung up.
    Abandoned,
    /// The script took the caller out.
    Left,
    /// The host did.
    Host,
    /// Not let in: closed or full.
    Refused,
}

impl LegRecord {
    /// The end as a script would be told it.
    #[must_use]
    pub const fn end_reason(cause: HangupCause) -> EndReason {
        match cause {
            HangupCause::EngineHangup => EndReason::ScriptHangup,
            HangupCause::Transferred => EndReason::Moved,
            HangupCause::MediaLost => EndReason::MediaLost,
            HangupCause::AdminKill => EndReason::AdminKill,
            HangupCause::DrainTimeout => EndReason::DrainTimeout,
            _ => EndReason::CallerHangup,
        }
    }
}
