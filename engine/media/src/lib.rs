//! The media room: RTP on its own threads.
//!
//! A [`MediaEngine`] owns a few pacer threads. A [`Session`] is the media of one leg of a call: it has a local port,
//! is told by signalling what was negotiated ([`StreamParams`]), plays clips, hears and sends digits, records, and is
//! bridged with another session; a supervisor's may listen to a bridge and speak into it ([`MediaEngine::supervise`]).
//! What happens is told through an [`EventSink`].
//!
//! What this is not: it knows no SIP, no calls and no scripts, decodes no files, and runs on no async runtime. A busy
//! script or a slow store cannot delay a packet, because nothing here waits for them. Echo cancellation, conferences
//! beyond two parties and their supervisor, video and SRTP are not here; SRTP has its place in [`PacketTransform`].
//!
//! # How it is built
//! The deciding part has no sockets and no clock: telephone-event and in-band receivers, source lock, jitter buffer,
//! talkspurt clock, timer wheel, RTCP and the session that joins them take the time as an argument and are tested on
//! made packets. Around it stands a thin driver (`pacer.rs`) that owns sockets and time.
//!
//! - Clips are encoded once for each codec and shared; a playing call costs a header and a copy.
//! - A session belongs to one pacer thread and is touched by no other: no lock lies on the way of a packet.
//! - One 20 ms wheel of twenty slots spreads calls over the period. Packets are stamped with their slot's time, so a
//!   late pacer catches up with right timestamps and never jumps them.
//! - A supervisor's voice is added to the packets of a bridge as they pass: nothing comes later for it (`link.rs`).
//! - An idle session has no timer tick, sends nothing, and holds no buffers: jitter buffers, decoders and detectors
//!   exist only while somebody listens.
//! - Packets are sent with `sendto` on unconnected sockets. Connecting them showed no gain beyond the noise
//!   where it was measured, and would have made the kernel drop the very packets symmetric RTP has to learn from.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, clippy::cast_sign_loss))]

mod bridge;
mod clip;
mod clock;
mod codec;
mod command;
pub mod detect;
mod digit;
mod dtmf;
mod engine;
mod error;
mod event;
mod jitter;
mod link;
mod listener;
mod pacer;
mod params;
mod playback;
mod ports;
mod reception;
mod record;
mod rtcp;
mod rtp;
mod session;
mod source;
mod stats;
mod telephone_event;
mod time;
mod transform;
mod transmit;
mod wheel;
mod writer;

pub use bridge::{BridgeOptions, LegOptions};
pub use clip::{CLIP_DURATION_MS_MAX, Clip, TONE_DURATION_MS_MAX};
pub use codec::Codec;
pub use detect::{HeardKind, ListenFor};
pub use digit::{Digit, KeySet};
pub use engine::{DIGIT_DURATION_MS, DIGIT_GAP_MS, DIGITS_MAX, MediaConfig, MediaEngine, Session};
pub use error::MediaError;
pub use event::{DigitSource, EventSink, MediaEvent, PlaybackEnd, PlaybackId, Recorded, RecordingEnd, RecordingId};
pub use link::Supervision;
pub use params::StreamParams;
pub use playback::{BargeIn, PLAYLIST_ITEMS_MAX, PlayItem, Playlist, SILENCE_MS_MAX};
pub use record::{RECORDING_MS_MAX, RecordSource, RecordingSpec};
pub use stats::{EngineStats, Reject, SessionStats};
pub use transform::{PacketTransform, TRANSFORM_BYTES_MAX};
pub use writer::RECORDINGS_MAX;
