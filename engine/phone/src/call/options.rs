//! How a call is made, what happens in it, and what remains of it.

use std::time::Duration;

use crate::media::{DigitMethod, MediaStats};
use crate::oddity::Oddity;
use crate::sdp::{Codec, Direction};
use crate::transcript::TranscriptEvent;

/// What a digit lasts unless told otherwise, in ms.
const DIGIT_MS: u32 = 100;
/// The pause after a digit unless told otherwise, in ms.
const DIGIT_GAP_MS: u32 = 80;

/// How a call treats reliable provisional responses (RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliable {
    /// Not offered.
    No,
    /// Offered; the peer decides.
    #[default]
    Supported,
    /// Demanded of the peer.
    Required,
}

/// How a call is made, or taken.
#[derive(Clone)]
pub struct CallOptions {
    /// User part of From; the phone's own when empty.
    pub from_user: String,
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// Offer RFC 4733 telephone-events.
    pub telephone_event: bool,
    /// How digits are sent.
    pub digits: DigitMethod,
    /// What a digit lasts, in ms.
    pub digit_ms: u32,
    /// The pause after a digit, in ms.
    pub digit_gap_ms: u32,
    /// INVITE without a session description.
    pub late_offer: bool,
    /// PRACK and 100rel.
    pub reliable: Reliable,
    /// Ask for the engine's transcript.
    pub transcript: bool,
    /// Ask for a session timer (RFC 4028), in seconds.
    pub session_expires_s: Option<u32>,
    /// More headers of the INVITE.
    pub headers: Vec<(String, String)>,
    /// Send silence while there is nothing to say.
    pub uplink: bool,
    /// What is said once media flows: mono at 8 kHz.
    pub microphone: Vec<i16>,
    /// Keep what is heard.
    pub record: bool,
}

// Numbers may be in the From user and in headers, so neither is shown.
impl std::fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallOptions")
            .field("codecs", &self.codecs)
            .field("digits", &self.digits)
            .field("late_offer", &self.late_offer)
            .field("reliable", &self.reliable)
            .finish_non_exhaustive()
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            from_user: String::new(),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            telephone_event: true,
            digits: DigitMethod::Auto,
            digit_ms: DIGIT_MS,
            digit_gap_ms: DIGIT_GAP_MS,
            late_offer: false,
            reliable: Reliable::Supported,
            transcript: true,
            session_expires_s: None,
            headers: Vec::new(),
            uplink: true,
            microphone: Vec::new(),
            record: false,
        }
    }
}

/// Something that happened in a call, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEvent {
    /// A provisional response.
    Progress(u16),
    /// The call is answered.
    Answered,
    /// The engine told what it plays or collects.
    Transcript(TranscriptEvent),
    /// A digit came; `Call::digits` has it.
    Digit,
    /// Sound began or stopped.
    Sound,
    /// The peer changed the direction of media (hold, resume).
    PeerDirection(Direction),
    /// The peer asked us to dial someone.
    TransferAsked,
    /// How far the transfer that we asked for has come.
    TransferProgress(u16),
    /// The call is over.
    Ended {
        /// 200 after an answer, else the INVITE's final status.
        status: u16,
        /// Whether we ended it.
        by_us: bool,
    },
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// This phone.
    Us,
    /// The other side.
    Peer,
}

/// What remains of a call.
#[derive(Clone)]
pub struct EndReport {
    /// Who ended it.
    pub by: Party,
    /// 200 after an answer, else the INVITE's final status.
    pub status: u16,
    /// The Reason header of BYE or CANCEL.
    pub cause: Option<String>,
    /// Contacts of a redirection.
    pub contacts: Vec<String>,
    /// Retry-After of a refusal, in seconds.
    pub retry_after_s: Option<u32>,
    /// From answer to end.
    pub talked: Option<Duration>,
    /// What was measured of the media.
    pub stats: MediaStats,
    /// What the engine said it played and collected.
    pub transcript: Vec<TranscriptEvent>,
    /// What was heard: mono at 8 kHz, if recording was asked for.
    pub recording: Vec<i16>,
    /// What the peer did wrong.
    pub oddities: Vec<Oddity>,
}

// Contacts may hold numbers, and a recording is long.
impl std::fmt::Debug for EndReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndReport")
            .field("by", &self.by)
            .field("status", &self.status)
            .field("cause", &self.cause)
            .field("retry_after_s", &self.retry_after_s)
            .field("talked", &self.talked)
            .field("stats", &self.stats)
            .field("transcript", &self.transcript)
            .field("oddities", &self.oddities)
            .finish_non_exhaustive()
    }
}

/// A change of our session description.
#[derive(Debug, Clone, Default)]
pub struct Reinvite {
    /// A new direction.
    pub direction: Option<Direction>,
    /// Receive on other ports.
    pub move_media: bool,
    /// Send no offer; answer theirs in the ACK.
    pub late_offer: bool,
}
