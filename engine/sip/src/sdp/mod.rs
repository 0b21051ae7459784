//! SDP (RFC 8866) and the offer/answer model (RFC 3264), as far as one stream of telephone speech needs them.
//!
//! In: bodies as they come, tolerantly read. Out: [`MediaSpec`], plain data for the media room. The first audio line
//! that we can serve is taken; every other `m=` line is refused with port 0. SRTP is recognised ([`Profile`]) and
//! refused for now.

mod negotiation;
mod read;

pub(crate) use negotiation::Negotiation;

use std::net::SocketAddr;

/// Speech codecs that we negotiate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722 at 64 kbit/s; its RTP clock is 8,000 Hz (RFC 3551, section 4.5.2).
    G722,
}

impl Codec {
    /// The order that a trunk has unless it is told otherwise.
    pub const DEFAULT_ORDER: [Self; 3] = [Self::Pcma, Self::Pcmu, Self::G722];

    /// The encoding name of RFC 3551.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
        }
    }

    /// Its static payload type.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::DEFAULT_ORDER.into_iter().find(|codec| codec.as_str().eq_ignore_ascii_case(name))
    }

    fn by_payload_type(payload_type: u8) -> Option<Self> {
        Self::DEFAULT_ORDER.into_iter().find(|codec| codec.payload_type() == payload_type)
    }
}

/// The RTP profile of a media line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    /// RTP/AVP, and RTP/AVPF taken as such.
    Avp,
    /// RTP/SAVP and its kin. The place for SRTP: its keys (`a=crypto`, `a=fingerprint`) will go with it.
    Savp,
    Other,
}

/// A negotiated stream: what the media room needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MediaSpec {
    /// Where to send. With the unspecified address (the old way to hold) nothing is sent.
    pub remote: SocketAddr,
    /// What to speak.
    pub codec: Codec,
    /// Its payload type in this session.
    pub payload_type: u8,
    /// The payload type of telephone-event (RFC 4733), where negotiated.
    pub telephone_event: Option<u8>,
    /// We may send.
    pub send: bool,
    /// The far side may send.
    pub receive: bool,
    /// Speech in one packet that the far side wishes.
    pub ptime_ms: u16,
    /// RTP and RTCP share the port (RFC 5761).
    pub rtcp_mux: bool,
    /// Where RTCP goes, when said so (RFC 3605); else the next port up, or the same with `rtcp_mux`.
    pub rtcp: Option<SocketAddr>,
}

/// Why a description cannot be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum SdpError {
    #[error("not an SDP body")]
    Unreadable,
    #[error("no audio line that we can serve")]
    NoCommonMedia,
    #[error("an answer that does not fit our offer")]
    NotAnAnswer,
}
