//! What goes into the agent besides messages, and what comes out of it.

use std::sync::Arc;

use super::{Binding, CallKey};
use crate::oddity::Oddity;
use crate::sdp::{Direction, LocalMedia, Negotiated};
use crate::transaction::Peer;

/// An order to the agent.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Command {
    Dial {
        key: CallKey,
        dial: Box<Dial>,
    },
    /// Ring an incoming call; with media, as early media (183).
    Ring {
        key: CallKey,
        early: Option<LocalMedia>,
    },
    Answer {
        key: CallKey,
        media: LocalMedia,
    },
    /// Refuse an incoming call with this status and these headers.
    Reject {
        key: CallKey,
        status: u16,
        headers: Vec<(String, String)>,
    },
    /// CANCEL, BYE or 487, whichever fits.
    Hangup {
        key: CallKey,
    },
    Reinvite {
        key: CallKey,
        change: LocalChange,
    },
    Info {
        key: CallKey,
        content_type: String,
        body: String,
        package: Option<String>,
    },
    Refer {
        key: CallKey,
        target: String,
        replaces: Option<CallKey>,
    },
    /// The call that a REFER asked for could not even be dialled.
    TransferFailed {
        key: CallKey,
        status: u16,
    },
    /// Accept (202) or refuse a REFER that the peer sent.
    AnswerRefer {
        key: CallKey,
        status: u16,
    },
    Register {
        request: u64,
        peer: Peer,
        uri: String,
        expires_s: u32,
    },
    Options {
        request: u64,
        peer: Peer,
        uri: String,
    },
}

/// What an outgoing call needs.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Dial {
    pub(crate) peer: Peer,
    pub(crate) uri: String,
    /// User part of From; the phone's own when empty.
    pub(crate) from_user: String,
    pub(crate) media: LocalMedia,
    /// INVITE without a session description.
    pub(crate) late_offer: bool,
    pub(crate) require_100rel: bool,
    pub(crate) offer_100rel: bool,
    /// Recv-Info: gudok-transcript.
    pub(crate) transcript: bool,
    pub(crate) session_expires_s: Option<u32>,
    /// A Replaces header.
    pub(crate) replaces: Option<String>,
    /// The call whose REFER this one follows.
    pub(crate) referred_by: Option<CallKey>,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a re-INVITE of ours changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalChange {
    pub(crate) direction: Option<Direction>,
    pub(crate) media_addr: Option<std::net::SocketAddr>,
    /// Send no offer; answer theirs in the ACK.
    pub(crate) late_offer: bool,
}

/// What the agent wants done, or has to tell.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Output {
    Send {
        peer: Peer,
        bytes: Arc<[u8]>,
    },
    Call(CallKey, Signal),
    Incoming(CallKey, Invitation),
    /// A request outside a dialog is answered.
    Request {
        request: u64,
        status: u16,
        expires_s: Option<u32>,
    },
    Registered(Binding),
    Odd(Oddity),
}

/// What an incoming call shows before it is answered.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Invitation {
    pub(crate) from_uri: String,
    pub(crate) request_uri: String,
    pub(crate) replaces: Option<CallKey>,
    /// Whether the INVITE carried a session description.
    pub(crate) offered: bool,
    /// Names and values of all headers.
    pub(crate) headers: Vec<(String, String)>,
}

impl Invitation {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What happened in a call.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Signal {
    /// The Call-ID of a call that we dial.
    CallId(String),
    /// A provisional response.
    Progress {
        status: u16,
        reliable: bool,
    },
    /// Media may flow, or must flow otherwise.
    Media(Negotiated),
    /// Both sides know that the call is answered.
    Answered,
    /// Our re-INVITE is answered with this status.
    Reinvited {
        status: u16,
    },
    /// The peer re-INVITEd or sent UPDATE; this is its direction.
    PeerChange {
        direction: Direction,
    },
    /// A digit in INFO.
    Digit(char),
    /// A body of the gudok-transcript package.
    Transcript(String),
    /// Our INFO is answered.
    InfoAnswered {
        status: u16,
    },
    /// The peer asks us to dial.
    Refer {
        target: String,
        replaces: Option<String>,
    },
    /// Our REFER is answered.
    ReferAnswered {
        status: u16,
    },
    /// How far the transfer that we asked for has come.
    ReferProgress {
        status: u16,
    },
    /// The session was refreshed, by us or by the peer.
    Refreshed {
        by_us: bool,
    },
    /// We sent BYE; RTP may still arrive until it is answered.
    ByeSent,
    Ended(Ended),
    Odd(Oddity),
}

/// How a call ended.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Ended {
    pub(crate) by_us: bool,
    /// 200 after an answer, else the INVITE's final status.
    pub(crate) status: u16,
    /// The Reason header of BYE or CANCEL, or what gave us cause.
    pub(crate) cause: Option<String>,
    /// Contacts of a redirection, or Retry-After of a refusal.
    pub(crate) contacts: Vec<String>,
    pub(crate) retry_after_s: Option<u32>,
}
