//! An independent SIP and RTP caller, for people at a terminal, tests and load.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod agent;
mod auth;
mod call;
mod conversation;
mod driver;
mod error;
mod media;
mod message;
mod oddity;
mod phone;
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
pub use conversation::{Conversation, ConversationReport, KeyStep, Trigger};
pub use error::PhoneError;
pub use media::{DigitMethod, DigitStats, LATE_MS, MediaStats, read_wav, tone, write_wav};
pub use oddity::{ODDITIES_MAX, Oddity, OddityKind};
pub use phone::{OnIncoming, OnRefer, Phone, PhoneConfig, Transport};
pub use sdp::{Codec, Direction};
pub use transaction::Timing;
pub use transcript::{TranscriptEvent, TranscriptKind};
