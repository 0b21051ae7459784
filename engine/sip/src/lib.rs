//! The signalling room: SIP trunks, registrations and dialogs, turned into leg events.
//!
//! [`SipEngine::start`] opens the listeners; [`IncomingLeg`]s come out, [`Signalling::dial`] makes outgoing ones. Each
//! leg is commanded by a [`LegHandle`] and followed by its [`SipEvent`]s; negotiated media is plain data
//! ([`MediaSpec`]) for the media room, which this crate does not know.
//!
//! Parsing, transactions and their timers are rsipstack's. Ours are: the gate before it (`gate`), dialogs and all that
//! RFC 3261 calls the transaction user (`leg`), offer and answer (`sdp`), session timers (`session_timer`), digest,
//! registrations.
//!
//! The telephones of operators register here (`registrar`); calls from and to them go by the trunk named
//! [`gudok_core::ids::Trunk::REGISTERED`].
//!
//! What it deliberately is not: a proxy; a call machine (that is `gudok_core`); a media engine. It has no
//! TLS and no SRTP yet: [`Transport::Tls`] is refused at the start, RTP/SAVP with 488.
//!
//! rsipstack writes whole messages, with telephone numbers, to its log: the host must filter it out with [`LOG_FILTER`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod address;
mod chain;
mod config;
mod dialog;
mod digest;
mod engine;
mod error;
mod framing;
mod gate;
mod identity;
mod leg;
mod message;
mod registrar;
mod registration;
mod sdp;
mod session_timer;
mod shared;
mod signalling;
mod stats;
mod transport;

pub use config::{
    Credentials, Limits, Listener, RegistrationConfig, SessionTimerConfig, SipConfig, Transport, TrunkConfig,
    UnknownSource,
};
pub use engine::SipEngine;
pub use error::SipError;
pub use ipnet::IpNet;
pub use registrar::{
    DigestKind, RegistrarConfig, RegistrarEvent, RegistrarEvents, RegistrarSecret, RegistrarUser, Telephone,
};
pub use registration::RegistrationState;
pub use sdp::{Codec, MediaSpec};
pub use signalling::{DetachedLeg, DialRequest, IncomingLeg, LegHandle, LegOrder, Share, Signalling, SipEvent};
pub use stats::{Counter, SipStats};

/// A `tracing` filter directive that every host must apply: the stack logs raw messages.
pub const LOG_FILTER: &str = "rsipstack=off";
