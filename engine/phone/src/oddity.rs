//! What a peer did that no well-behaved peer does. Tests assert that there is none.

/// How many oddities one call (or the phone) keeps; later ones are only counted.
pub const ODDITIES_MAX: usize = 256;

/// The kind of an oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OddityKind {
    /// The bytes are no SIP message to rsip.
    Unparseable,
    /// A header that must be there is missing, or cannot be read.
    BadHeader,
    /// Content-Length does not agree with the body.
    WrongContentLength,
    /// A CSeq that goes backwards, or does not belong to its transaction.
    BadCseq,
    /// A From or To tag is missing.
    MissingTag,
    /// The To tag of a dialog changed.
    ToTagChanged,
    /// A retransmission whose bytes differ from the first transmission.
    RetransmissionDiffers,
    /// A request for a dialog that does not exist.
    OutsideDialog,
    /// A response for no transaction of ours.
    StrayResponse,
    /// A body that is no session description where one is due, or one we cannot use.
    BadSessionDescription,
    /// A reliable provisional response out of order, or a PRACK that fits none.
    BadReliableProvisional,
    /// A final response was never acknowledged.
    NoAck,
    /// A request was never answered.
    NoAnswer,
    /// A session was not refreshed in time.
    SessionExpired,
    /// A method, package or content type that we did not allow.
    NotAllowed,
    /// RTP after the call's BYE.
    RtpAfterBye,
    /// The RTP source changed its SSRC without a new session description.
    SsrcChanged,
    /// RTP timestamps jumped inside a talkspurt.
    TimestampJump,
    /// A datagram on the RTP port that is no RTP of a negotiated payload type.
    BadRtp,
    /// A telephone-event that RFC 4733 does not allow (duration shrinks, no end).
    BadTelephoneEvent,
}

/// One oddity. The detail never holds a number, a digit or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// What kind.
    pub kind: OddityKind,
    /// For people: what exactly.
    pub detail: String,
}

impl Oddity {
    pub(crate) fn new(kind: OddityKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.detail)
    }
}

/// A bounded list of oddities.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oddities {
    list: Vec<Oddity>,
    left_off: u64,
}

impl Oddities {
    pub(crate) fn push(&mut self, oddity: Oddity) {
        if self.list.len() < ODDITIES_MAX {
            self.list.push(oddity);
        } else {
            self.left_off += 1;
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<Oddity> {
        self.list.clone()
    }
}
