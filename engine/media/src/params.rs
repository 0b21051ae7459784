//! What signalling negotiated for a stream.

use std::net::SocketAddr;

use crate::codec::{Codec, TICKS_PER_MS};
use crate::error::MediaError;

/// The outcome of an SDP negotiation, for one stream. Given to [`crate::Session::configure`] as often as it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamParams {
    /// Where the other side wants its RTP.
    pub remote: SocketAddr,
    /// Where it wants its RTCP; `None` is the port above (RFC 3550), or the same with `rtcp_mux`.
    pub remote_rtcp: Option<SocketAddr>,
    /// The codec, both ways.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of telephone-event; `None` if it was not negotiated, and digits are looked for in the audio.
    pub telephone_event: Option<u8>,
    /// Whether to send: false while the other side holds the call.
    pub send: bool,
    /// Whether to receive: false while we hold the call.
    pub receive: bool,
    /// Milliseconds of audio in each packet sent: 10, 20, 30, 40 or 60.
    pub ptime_ms: u32,
    /// RTP and RTCP share the port (RFC 5761).
    pub rtcp_mux: bool,
    /// Follow the other side to the address it really sends from. False believes the signalled address only.
    pub symmetric: bool,
}

impl StreamParams {
    /// Parameters as most calls have them: static payload type, 20 ms, both ways, symmetric, no telephone-event.
    #[must_use]
    pub const fn new(remote: SocketAddr, codec: Codec) -> Self {
        Self {
            remote,
            remote_rtcp: None,
            codec,
            payload_type: codec.static_payload_type(),
            telephone_event: None,
            send: true,
            receive: true,
            ptime_ms: 20,
            rtcp_mux: false,
            symmetric: true,
        }
    }

    /// These, with telephone-event at a payload type.
    #[must_use]
    pub const fn with_telephone_event(mut self, payload_type: u8) -> Self {
        self.telephone_event = Some(payload_type);
        self
    }

    pub(crate) const fn packet_ticks(&self) -> usize {
        self.ptime_ms as usize * TICKS_PER_MS
    }

    pub(crate) fn rtcp_destination(&self, rtp_destination: SocketAddr) -> SocketAddr {
        if self.rtcp_mux {
            return rtp_destination;
        }
        let mut rtcp = self.remote_rtcp.unwrap_or(rtp_destination);
        if self.remote_rtcp.is_none() {
            rtcp.set_port(rtcp.port().saturating_add(1));
        }
        rtcp
    }

    pub(crate) fn check(&self, ipv4: bool) -> Result<(), MediaError> {
        if self.remote.port() == 0 {
            return Err(MediaError::InvalidParams("the remote port is 0: the stream was refused, do not configure it"));
        }
        if self.remote.is_ipv4() != ipv4 {
            return Err(MediaError::InvalidParams("the remote address is of another IP version than the media socket"));
        }
        if ![10, 20, 30, 40, 60].contains(&self.ptime_ms) {
            return Err(MediaError::InvalidParams("ptime must be 10, 20, 30, 40 or 60 ms; take the nearest"));
        }
        // 64 to 95 would be taken for RTCP (RFC 5761, section 4).
        let valid = |payload_type: u8| payload_type < 64 || (96..128).contains(&payload_type);
        if !valid(self.payload_type) || !self.telephone_event.is_none_or(valid) {
            return Err(MediaError::InvalidParams("a payload type is 0 to 63 or 96 to 127"));
        }
        if self.telephone_event == Some(self.payload_type) {
            return Err(MediaError::InvalidParams("audio and telephone-event share a payload type"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let good = StreamParams::new(SocketAddr::from(([192, 0, 2, 1], 4_000)), Codec::Pcma).with_telephone_event(101);
        good.check(true).unwrap();
        let check = |change: fn(&mut StreamParams)| {
            let mut params = good.clone();
            change(&mut params);
            assert!(params.check(true).is_err(), "{params:?}");
        };
        check(|params| params.remote.set_port(0));
        check(|params| params.remote = SocketAddr::from(([0; 16], 4_000)));
        check(|params| params.ptime_ms = 25);
        check(|params| params.payload_type = 72);
        check(|params| params.payload_type = 200);
        check(|params| params.telephone_event = Some(8));
    }

    #[test]
    fn rtcp_goes_where_it_belongs() {
        let mut params = StreamParams::new(SocketAddr::from(([192, 0, 2, 1], 4_000)), Codec::Pcma);
        assert_eq!(params.rtcp_destination(params.remote).port(), 4_001);
        params.remote_rtcp = Some(SocketAddr::from(([192, 0, 2, 9], 77)));
        assert_eq!(params.rtcp_destination(params.remote).port(), 77);
        params.rtcp_mux = true;
        assert_eq!(params.rtcp_destination(params.remote).port(), 4_000);
    }
}
