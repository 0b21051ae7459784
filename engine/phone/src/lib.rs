//! An independent SIP and RTP caller, for people at a terminal, tests and load.
//!
//! It shares no code with the engine, on purpose: another parser (rsip 0.4), other dialogs and other RTP catch
//! misreadings that shared ones would hide. It is strict: what no well-behaved peer does is kept as an [`Oddity`],
//! and tests assert that there are none.
//!
//! - [`Phone`] binds the sockets. It dials ([`Phone::call`]), takes calls ([`Phone::incoming`], or by itself as
//!   [`OnIncoming`] says), follows or refuses transfers, registers (once, or for as long as it lives: [`Registration`]), and plays registrar or challenging proxy.
//! - [`Call`] is one call: press keys, wait for prompts, hold, refer, hang up. Every wait has a time limit.
//!   [`EndReport`] says how it ended, with [`MediaStats`], the transcript and the oddities.
//! - [`Behaviour`] is a callee: what it does with a call, for [`Phone::answer_calls`] and the thousands that a campaign
//!   calls.
//! - [`Conversation`] presses keys by script, when the engine asks for them.
//! - [`relay::LossyRelay`] stands between two ends and loses, doubles and reorders their datagrams by a seed.
//!
//! Inside, `agent` is the whole SIP user agent without sockets or clocks; `driver` carries its messages;
//! `media` runs RTP on threads of its own.
//!
//! What it deliberately is not: a softphone (no sound card), a proxy, or a SIP stack for others. No TLS, no SRTP,
//! no IPv6 literals in Via (rsip cannot read them), one audio stream a call.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod agent;
mod auth;
mod call;
mod callee;
mod conversation;
mod driver;
mod error;
mod media;
mod message;
mod oddity;
mod phone;
mod registration;
pub mod relay;
mod sdp;
mod shared;
mod tcp;
mod transaction;
mod transcript;
mod uri;

pub use agent::{Binding, ChallengeConfig, RegistrarConfig};
pub use auth::{Algorithm, Credentials};
pub use call::{Call, CallEvent, CallOptions, EndReport, IncomingCall, Party, Reinvite, Reliable};
pub use callee::{Answer, AnswerKeys, Behaviour, CalleeReport, Sound, When};
pub use conversation::{Conversation, ConversationReport, KeyStep, Trigger};
pub use error::PhoneError;
pub use media::{DigitMethod, DigitStats, LATE_MS, MediaStats, read_wav, tone, write_wav};
pub use oddity::{ODDITIES_MAX, Oddity, OddityKind};
pub use phone::{OnIncoming, OnRefer, Phone, PhoneConfig, Transport};
pub use registration::{Registration, RegistrationStatus};
pub use sdp::{Codec, Direction};
pub use transaction::Timing;
pub use transcript::{TranscriptEvent, TranscriptKind};
