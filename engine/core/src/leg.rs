//! One party's side of a call, as the machine sees it: what SIP tells of it, and what SIP is told to do.
//!
//! SDP is not here: the host negotiates media when it carries out a command. INFO digits reach the machine as media
//! events, whichever way they came.

use crate::ids::{LegId, Trunk};
use crate::privacy::PhoneNumber;
use std::sync::Arc;
use std::time::Duration;

/// Why a leg ended. The SIP status, where there is one, goes to the call record beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum HangupCause {
    /// The party hung up an answered call.
    PartyHangup,
    /// The party gave up before the answer (CANCEL).
    Cancelled,
    /// We hung up: script, machine or limit.
    EngineHangup,
    /// The call was moved away by REFER.
    Transferred,
    /// Busy (486, 600).
    Busy,
    /// Rang, and nobody answered (408, 480, 487 after our CANCEL).
    NoAnswer,
    /// Refused (403, 603 and the like).
    Rejected,
    /// No such number, or no route to it (404, 484, 604).
    NotFound,
    /// The far side could not serve (5xx), or could not be reached.
    Unavailable,
    /// No codec in common (488, 606).
    NoCommonMedia,
    /// Above the admission limit, or draining (503).
    AdmissionLimit,
    /// No RTP for longer than the trunk allows.
    MediaLost,
    /// The session timer ran out (RFC 4028).
    SessionExpired,
    /// A signalling fault: the peer broke the protocol, or the transport failed.
    ProtocolError,
    /// Ended by an admin.
    AdminKill,
    /// Ended because the engine's drain deadline passed.
    DrainTimeout,
    /// The engine itself went down during the leg; found at the next start.
    Crash,
}

impl HangupCause {
    /// The word for it in call records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartyHangup => "party-hangup",
            Self::Cancelled => "cancelled",
            Self::EngineHangup => "engine-hangup",
            Self::Transferred => "transferred",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Rejected => "rejected",
            Self::NotFound => "not-found",
            Self::Unavailable => "unavailable",
            Self::NoCommonMedia => "no-common-media",
            Self::AdmissionLimit => "admission-limit",
            Self::MediaLost => "media-lost",
            Self::SessionExpired => "session-expired",
            Self::ProtocolError => "protocol-error",
            Self::AdminKill => "admin-kill",
            Self::DrainTimeout => "drain-timeout",
            Self::Crash => "crash",
        }
    }

    /// What a final SIP status of 300 and above means (RFC 3261, section 21).
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            408 | 480 | 487 => Self::NoAnswer,
            404 | 410 | 484 | 604 => Self::NotFound,
            488 | 606 | 415 => Self::NoCommonMedia,
            300..=499 | 603 | 607 => Self::Rejected,
            _ => Self::Unavailable,
        }
    }
}

/// An INVITE that came in and passed the gate: what the machine begins with.
#[derive(Clone, Debug)]
pub struct IncomingCall {
    /// The trunk that it came by.
    pub trunk: Trunk,
    /// None where it was withheld (RFC 3323, or `anonymous`).
    pub caller: Option<PhoneNumber>,
    /// The user part that was dialled.
    pub called: PhoneNumber,
    /// Who diverted the call here (RFC 5806).
    pub diversion: Option<PhoneNumber>,
    /// Headers that the trunk's configuration lets through to scripts.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// The call has come through other centres; only believed of a peer centre's trunk.
    pub chain: Option<Chain>,
    /// The caller's agent asked for `gudok-transcript` (RFC 6086, `Recv-Info`), and the trunk allows it.
    pub wants_transcript: bool,
}

/// One call's way through several centres: the header field `X-Gudok-Chain: <id>;hops=<n>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// The id of the first centre's call: every centre's records carry it. At most [`Chain::ID_CHARS_MAX`] of `0-9a-z-`.
    pub id: Arc<str>,
    /// Centres passed so far; 1 after the first.
    pub hops: u8,
}

impl Chain {
    /// Longer ids are not believed.
    pub const ID_CHARS_MAX: usize = 64;
    /// A call that has come so far goes to no further centre.
    pub const HOPS_MAX: u8 = 3;
}

/// Where an outbound leg goes: one address on one trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DialTarget {
    /// The trunk to go by; none for the address itself.
    pub trunk: Option<Trunk>,
    /// A SIP URI, or the user part where a trunk is named.
    pub address: PhoneNumber,
}

/// What SIP tells of a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LegEvent {
    /// An outbound leg rings (180), or sends early media (183).
    Ringing {
        /// The far side sends sound of its own.
        early_media: bool,
    },
    /// An outbound leg was answered, and its media is negotiated. For an incoming leg: the ACK came.
    Answered,
    /// The party put us on hold (RFC 3264, `sendonly` or `inactive`).
    Held,
    /// The party took us off hold.
    Resumed,
    /// The party asks that the other one be transferred (REFER).
    TransferRequested {
        /// Where to.
        target: DialTarget,
    },
    /// How a REFER that we sent goes on (RFC 3515, message/sipfrag); final from 200 upwards. A refused REFER is its status.
    ReferProgress {
        /// The status of the far side's own attempt.
        status: u16,
    },
    /// The leg is over. Nothing comes after it.
    Ended {
        /// Why.
        cause: HangupCause,
        /// The SIP status behind it, where there was one.
        status: Option<u16>,
    },
}

/// What SIP is told to do with a leg. Each is idempotent: one that no longer fits the leg's state does nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LegCommand {
    /// 180 to an incoming leg.
    Ring,
    /// 183 with SDP to an incoming leg; reliable where the peer asks for it (RFC 3262).
    StartEarlyMedia,
    /// 200 with SDP to an incoming leg.
    Answer,
    /// A final refusal to an incoming leg.
    Reject {
        /// 4xx to 6xx.
        status: u16,
        /// For 503: when to come back.
        retry_after: Option<Duration>,
    },
    /// Calls out; makes the leg.
    Dial {
        /// Where to.
        target: DialTarget,
        /// Whose number is shown.
        caller: Option<PhoneNumber>,
        /// Header fields for the operator's screen, `X-Gudok-…`.
        screen_pop: Vec<(Arc<str>, Arc<str>)>,
        /// Where the leg goes to another centre: the way so far, this centre counted.
        chain: Option<Chain>,
    },
    /// BYE, CANCEL or a refusal, whichever the leg's state asks for.
    Hangup,
    /// How the transfer that the party asked for ([`LegEvent::TransferRequested`]) goes on: NOTIFY with message/sipfrag,
    /// final from 200 upwards.
    ReferOutcome {
        /// 100, or the final status.
        status: u16,
    },
    /// REFER: the party is to dial the target itself.
    Refer {
        /// Where to.
        target: DialTarget,
    },
    /// REFER with Replaces (RFC 3891): the party is to take over the other leg's dialog.
    ReferReplacing {
        /// The leg whose dialog is taken over.
        other: LegId,
    },
}
