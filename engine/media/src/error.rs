//! The errors of the media room. Each says what to do next.

use std::net::IpAddr;

/// Why the media engine refused something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The configuration of the engine cannot work.
    #[error("media configuration: {0}")]
    Config(&'static str),
    /// The address to bind is not usable on this machine.
    #[error(
        "cannot bind a media socket on {bind}: {source}; check that `bind` is an address of this machine and that the port range is free"
    )]
    Bind {
        /// The address asked for.
        bind: IpAddr,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// A thread or another resource of the operating system was refused.
    #[error("the operating system refused {what}: {source}; check `ulimit -n` and `ulimit -u`")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// All ports are in use or resting after their last call.
    #[error("no free media port: {in_use} in use, {resting} resting; widen the port range or admit fewer calls")]
    PortsExhausted {
        /// Ports held by open sessions.
        in_use: usize,
        /// Ports that rest after a call, so that a late packet is not taken for the next call's.
        resting: usize,
    },
    /// The limit of sessions is reached.
    #[error("{limit} media sessions are open, which is the limit; refuse the call (503) or raise `sessions_max`")]
    SessionsExhausted {
        /// The limit that was reached.
        limit: usize,
    },
    /// The command queue of a pacer is full.
    #[error("the media thread has {limit} commands waiting; the machine is overloaded, admit fewer calls")]
    Busy {
        /// The length of the queue.
        limit: usize,
    },
    /// The engine has been shut down.
    #[error("the media engine has stopped; start a new one")]
    Stopped,
    /// A stream parameter makes no sense.
    #[error("stream parameters: {0}")]
    InvalidParams(&'static str),
    /// A playlist, clip, digit string or recording is not acceptable.
    #[error("{0}")]
    InvalidRequest(&'static str),
}
