//! What can go wrong where the caller of this crate must act.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// The configuration cannot work.
    #[error("SIP configuration: {0}")]
    Config(String),
    /// A listener could not be opened.
    #[error("cannot listen on {address}: {source}; is the port taken, or the address not of this machine?")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
