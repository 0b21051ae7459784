//! The one error type of this crate.

use std::net::SocketAddr;
use std::time::Duration;

/// What can go wrong when using the phone. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// A socket could not be bound.
    #[error("cannot bind {address}: {source}; choose another address or port 0")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No pair of free RTP and RTCP ports was found.
    #[error(
        "no free even/odd pair of UDP ports after {tries} tries: {source}; close other calls or raise the port range"
    )]
    NoMediaPort {
        /// How often a pair was tried.
        tries: u32,
        /// What the system said last.
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start the media thread: {0}; check the limit on threads")]
    MediaThread(std::io::Error),
    /// A target is no SIP URI that this phone can dial.
    #[error("{reason} in the SIP URI; write it as sip:user@host:port")]
    BadUri {
        /// What is wrong.
        reason: &'static str,
    },
    /// A host name did not resolve.
    #[error("the host of the SIP URI does not resolve: {0}; use an address, or check DNS")]
    Unresolved(String),
    /// The phone has been stopped.
    #[error("the phone has been stopped; start another one")]
    Stopped,
    /// Too many commands are waiting.
    #[error("more than {limit} commands are waiting for the phone; wait for calls to progress")]
    Busy {
        /// The limit that was hit.
        limit: usize,
    },
    /// Something awaited did not happen in time.
    #[error("{what} did not happen within {limit:?}; so far: {seen}")]
    TimedOut {
        /// What was awaited.
        what: String,
        /// How long.
        limit: Duration,
        /// What was seen instead.
        seen: String,
    },
    /// The call ended while something else was awaited.
    #[error("the call ended (status {status}) before {what}; so far: {seen}")]
    Ended {
        /// What was awaited.
        what: String,
        /// Final status of the INVITE, or 200 if the call was answered.
        status: u16,
        /// What was seen instead.
        seen: String,
    },
    /// A character that is no telephone key.
    #[error("{0:?} is no telephone key; use 0-9, *, #, A-D")]
    NotAKey(char),
    /// A WAV file could not be read or written.
    #[error("WAV file {path}: {reason}; use mono or stereo PCM, 8 to 48 kHz, at most {limit_s} s")]
    Wav {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
        /// The longest accepted audio in seconds.
        limit_s: u32,
    },
    /// A conversation script could not be understood.
    #[error("step {step} is no key; write keys separated by commas, like 1,3 or 1,*,12# (at most {limit} steps)")]
    BadKeys {
        /// Which one, counted from 1.
        step: usize,
        /// How many there may be.
        limit: usize,
    },
}
