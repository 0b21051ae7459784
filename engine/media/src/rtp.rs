//! RTP packets (RFC 3550, section 5.1): parsing what comes, writing what goes.

use crate::stats::Reject;

/// Bytes of the header we send: no contributing sources, no extension.
pub(crate) const HEADER_BYTES: usize = 12;
/// The largest datagram we read; what is longer is refused.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 1_500;
/// The largest payload we take as audio: 120 ms.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 960;

/// A received packet, its payload still in the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses a datagram from anybody.
    pub(crate) fn parse(datagram: &'a [u8]) -> Result<Self, Reject> {
        if datagram.len() < HEADER_BYTES {
            return Err(Reject::TooShort);
        }
        if datagram.len() > DATAGRAM_BYTES_MAX {
            return Err(Reject::TooLong);
        }
        if datagram[0] >> 6 != 2 {
            return Err(Reject::NotRtp);
        }
        let packet = rtp_types::RtpPacket::parse(datagram).map_err(|_| Reject::Malformed)?;
        let padding = usize::from(packet.padding().unwrap_or(0));
        // Not the library's `payload()`: the bounds are checked here, whatever it does about padding.
        let end = datagram.len().checked_sub(padding).ok_or(Reject::Malformed)?;
        let payload = datagram.get(packet.payload_offset()..end).ok_or(Reject::Malformed)?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Reject::TooLong);
        }
        Ok(Self {
            payload_type: packet.payload_type(),
            marker: packet.marker_bit(),
            sequence: packet.sequence_number(),
            timestamp: packet.timestamp(),
            ssrc: packet.ssrc(),
            payload,
        })
    }
}

/// Whether a datagram on an RTP port is RTCP (RFC 5761, section 4).
pub(crate) fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|second| (192..=223).contains(second))
}

/// Writes a header into the first [`HEADER_BYTES`] of `out`.
pub(crate) fn write_header(
    out: &mut [u8; HEADER_BYTES],
    payload_type: u8,
    marker: bool,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
) {
    out[0] = 0x80;
    out[1] = payload_type | u8::from(marker) << 7;
    out[2..4].copy_from_slice(&sequence.to_be_bytes());
    out[4..8].copy_from_slice(&timestamp.to_be_bytes());
    out[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, second: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, second, 0, 7, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn what_we_write_we_read() {
        let mut bytes = [0; HEADER_BYTES + 3];
        let (header, payload) = bytes.split_first_chunk_mut().unwrap();
        write_header(header, 101, true, 65_535, 0xffff_ff00, 42);
        payload.copy_from_slice(b"abc");
        let expected = Packet {
            payload_type: 101,
            marker: true,
            sequence: 65_535,
            timestamp: 0xffff_ff00,
            ssrc: 42,
            payload: b"abc",
        };
        assert_eq!(Packet::parse(&bytes), Ok(expected));
    }

    #[test]
    fn extensions_sources_and_padding_are_skipped() {
        let check = |bytes: &[u8], payload: &[u8]| assert_eq!(Packet::parse(bytes).unwrap().payload, payload);
        check(&packet(0x81, 8, &[0, 0, 0, 1, 9, 9]), &[9, 9]);
        check(&packet(0x90, 8, &[0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9]), &[9]);
        check(&packet(0xa0, 8, &[9, 9, 0, 0, 3]), &[9, 9]);
        check(&packet(0xa0, 8, &[1]), &[]);
    }

    #[test]
    fn broken_packets_are_refused_by_kind() {
        let check = |bytes: &[u8], kind: Reject| assert_eq!(Packet::parse(bytes), Err(kind), "{bytes:?}");
        check(&[], Reject::TooShort);
        check(&packet(0x80, 8, &[])[..11], Reject::TooShort);
        check(&packet(0x40, 8, &[]), Reject::NotRtp);
        check(&packet(0x8f, 8, &[0; 8]), Reject::Malformed);
        check(&packet(0x90, 8, &[0, 0, 0xff, 0xff]), Reject::Malformed);
        check(&packet(0x90, 8, &[0, 0]), Reject::Malformed);
        check(&packet(0xa0, 8, &[9, 0]), Reject::Malformed);
        check(&packet(0xa0, 8, &[9, 200]), Reject::Malformed);
        check(&packet(0xa0, 8, &[]), Reject::Malformed);
        check(&packet(0x80, 8, &[0; PAYLOAD_BYTES_MAX + 1]), Reject::TooLong);
        check(&packet(0x80, 8, &[0; DATAGRAM_BYTES_MAX]), Reject::TooLong);
    }

    /// Every two-byte start, every short length, with a few fillings: nothing panics.
    #[test]
    fn no_bytes_panic() {
        for fill in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut bytes = [fill; 64];
            for first in 0..=u8::MAX {
                for second in [0, 8, 101, 200, 255] {
                    (bytes[0], bytes[1]) = (first, second);
                    for length in 0..bytes.len() {
                        let _ = Packet::parse(&bytes[..length]);
                        let _ = is_rtcp(&bytes[..length]);
                    }
                }
            }
        }
    }
}
