//! What the host sees: legs to command, events to follow. The host knows these types and nothing of SIP.

use crate::dialog::DialogFacts;
use crate::leg::Input;
use crate::sdp::MediaSpec;
use gudok_core::ids::Trunk;
use gudok_core::leg::{Chain, DialTarget, IncomingCall, LegEvent};
use gudok_core::privacy::PhoneNumber;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// Orders and requests that wait for one leg. Above, orders are refused ([`LegHandle::order`]), requests answered 503.
pub(crate) const LEG_INPUTS_MAX: usize = 64;
/// Events of one leg that wait for the host.
pub(crate) const LEG_EVENTS_MAX: usize = 32;

/// An incoming call, for the host to take.
#[derive(Debug)]
pub struct IncomingLeg {
    /// Who calls whom.
    pub call: IncomingCall,
    /// The Call-ID header field, for the call record.
    pub sip_call_id: Arc<str>,
    /// Where the INVITE came from.
    pub source: SocketAddr,
    /// What the offer would come to; none where the INVITE had none (then we offer in the 200).
    pub offer: Option<MediaSpec>,
    /// To command it.
    pub leg: LegHandle,
    /// To follow it. Dropped before the end, the leg is hung up.
    pub events: mpsc::Receiver<SipEvent>,
}

/// What happens on a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SipEvent {
    /// For the call machine. After [`LegEvent::Ended`] nothing comes.
    Leg(LegEvent),
    /// Newly negotiated media. Before the leg is answered: early media.
    Media(MediaSpec),
    /// A digit by INFO (`application/dtmf-relay`, `application/dtmf`).
    Digit {
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
        /// How long it was pressed, where said.
        duration_ms: Option<u16>,
    },
    /// A transcript did not arrive; the call is not affected.
    TranscriptFailed {
        /// The answer's status; none where it was dropped for want of room or no answer came.
        status: Option<u16>,
    },
}

/// A call out.
#[derive(Clone, Debug)]
pub struct DialRequest {
    /// Where to.
    pub target: DialTarget,
    /// Whose number is shown.
    pub caller: Option<PhoneNumber>,
    /// Header fields for the operator's screen; only names that begin with `X-Gudok-` are sent.
    pub screen_pop: Vec<(Arc<str>, Arc<str>)>,
    /// The call's way through several centres, this one counted: sent to a trunk that is a peer's, and to no other.
    pub chain: Option<Chain>,
    /// Our media address, for the offer.
    pub local_media: SocketAddr,
    /// Whose place it takes.
    pub share: Share,
}

/// Whose place a call takes, in the engine and on its trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Share {
    /// Of the calls that the limits are for.
    #[default]
    Calls,
    /// Of a campaign's: one that is free now, and that is still free for a call of the others. No call that comes in is
    /// refused because of it.
    Campaigns,
}

/// Makes calls. Object-safe, so that a test can stand in for the engine.
pub trait Signalling: Send + Sync {
    /// Calls out. Every failure, also an immediate one, comes as [`LegEvent::Ended`].
    fn dial(&self, request: DialRequest) -> (LegHandle, mpsc::Receiver<SipEvent>);

    /// Whether whom we call by this trunk may ask for the transcript. Who did not ask gets none.
    fn allows_transcript(&self, trunk: &Trunk) -> bool {
        let _ = trunk;
        false
    }
}

/// An order to a leg. See [`gudok_core::leg::LegCommand`]: one that does not fit the leg's state does nothing.
#[derive(Clone, Debug)]
pub enum LegOrder {
    /// 180.
    Ring,
    /// 183 with SDP.
    EarlyMedia {
        /// Our media address.
        local: SocketAddr,
    },
    /// 200 with SDP.
    Answer {
        /// Our media address.
        local: SocketAddr,
    },
    /// A final refusal.
    Reject {
        /// 300 to 699.
        status: u16,
        /// For 503.
        retry_after: Option<Duration>,
    },
    /// BYE, CANCEL or 480, whichever the state asks for.
    Hangup,
    /// REFER.
    Refer {
        /// Where to.
        target: DialTarget,
    },
    /// REFER with Replaces.
    ReferReplacing {
        /// The leg whose dialog is taken over.
        other: LegHandle,
    },
    /// NOTIFY about the transfer that the party asked for.
    ReferOutcome {
        /// 100, or the final status.
        status: u16,
    },
    /// INFO with a piece of the transcript.
    Transcript {
        /// A JSON text.
        json: String,
    },
}

/// Commands one leg. Cheap to clone; nothing blocks.
#[derive(Clone, Debug)]
pub struct LegHandle {
    inputs: mpsc::Sender<Input>,
    dialog: Arc<OnceLock<DialogFacts>>,
}

impl LegHandle {
    pub(crate) fn new(inputs: mpsc::Sender<Input>, dialog: Arc<OnceLock<DialogFacts>>) -> Self {
        Self { inputs, dialog }
    }

    /// A handle without an engine behind it, and what reads its orders: for tests of the host.
    #[must_use]
    pub fn detached() -> (Self, DetachedLeg) {
        let (sender, inputs) = mpsc::channel(LEG_INPUTS_MAX);
        (Self::new(sender, Arc::default()), DetachedLeg { inputs })
    }

    /// Gives an order. False where the leg is over or has 64 orders waiting.
    pub fn order(&self, order: LegOrder) -> bool {
        self.inputs.try_send(Input::Order(order)).is_ok()
    }

    /// 180 to an incoming leg.
    pub fn ring(&self) -> bool {
        self.order(LegOrder::Ring)
    }

    /// 183 with SDP to an incoming leg; reliable where the peer has 100rel.
    pub fn early_media(&self, local: SocketAddr) -> bool {
        self.order(LegOrder::EarlyMedia { local })
    }

    /// 200 with SDP to an incoming leg.
    pub fn answer(&self, local: SocketAddr) -> bool {
        self.order(LegOrder::Answer { local })
    }

    /// A final refusal to an incoming leg.
    pub fn reject(&self, status: u16, retry_after: Option<Duration>) -> bool {
        self.order(LegOrder::Reject { status, retry_after })
    }

    /// BYE, CANCEL or a refusal.
    pub fn hangup(&self) -> bool {
        self.order(LegOrder::Hangup)
    }

    /// REFER: the party dials the target itself.
    pub fn refer(&self, target: DialTarget) -> bool {
        self.order(LegOrder::Refer { target })
    }

    /// REFER with Replaces: the party takes over the dialog of `other`.
    pub fn refer_replacing(&self, other: &Self) -> bool {
        self.order(LegOrder::ReferReplacing { other: other.clone() })
    }

    /// How the transfer goes on that the party asked for.
    pub fn refer_outcome(&self, status: u16) -> bool {
        self.order(LegOrder::ReferOutcome { status })
    }

    /// A piece of the transcript, where the INVITE asked for it.
    pub fn send_transcript(&self, json: String) -> bool {
        self.order(LegOrder::Transcript { json })
    }

    /// The confirmed dialog, for Replaces.
    pub(crate) fn dialog(&self) -> Option<&DialogFacts> {
        self.dialog.get()
    }
}

/// The other end of [`LegHandle::detached`].
#[derive(Debug)]
pub struct DetachedLeg {
    inputs: mpsc::Receiver<Input>,
}

impl DetachedLeg {
    /// The next order; none when all handles are gone.
    pub async fn next(&mut self) -> Option<LegOrder> {
        loop {
            if let Input::Order(order) = self.inputs.recv().await? {
                return Some(order);
            }
        }
    }
}
