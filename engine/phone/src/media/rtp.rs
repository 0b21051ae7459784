//! RTP packets and telephone-events, read and written by ourselves (RFC 3550 §5.1, RFC 4733 §2.3).

/// Bytes of an RTP header without extensions.
pub(crate) const HEADER_BYTES: usize = 12;

/// The header of a received packet, and where its payload lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

/// Reads a packet; `None` when it is no RTP.
pub(crate) fn parse(packet: &[u8]) -> Option<(RtpHeader, &[u8])> {
    let header = packet.get(..HEADER_BYTES)?;
    if header[0] >> 6 != 2 {
        return None;
    }
    let mut start = HEADER_BYTES + 4 * usize::from(header[0] & 0x0F);
    if header[0] & 0x10 != 0 {
        let words = packet.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    let mut end = packet.len();
    if header[0] & 0x20 != 0 {
        let padding = usize::from(*packet.last()?);
        end = end.checked_sub(padding).filter(|_| padding > 0)?;
    }
    let payload = packet.get(start..end)?;
    Some((
        RtpHeader {
            payload_type: header[1] & 0x7F,
            marker: header[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([header[2], header[3]]),
            timestamp: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ssrc: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        },
        payload,
    ))
}

/// Writes a packet into `out`, which is emptied first.
pub(crate) fn write(out: &mut Vec<u8>, header: RtpHeader, payload: &[u8]) {
    out.clear();
    out.push(0x80);
    out.push(header.payload_type | if header.marker { 0x80 } else { 0 });
    out.extend_from_slice(&header.sequence.to_be_bytes());
    out.extend_from_slice(&header.timestamp.to_be_bytes());
    out.extend_from_slice(&header.ssrc.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A telephone-event payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TelephoneEvent {
    pub(crate) event: u8,
    pub(crate) end: bool,
    /// In units of the RTP timestamp.
    pub(crate) duration: u16,
}

impl TelephoneEvent {
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low] = *payload.first_chunk::<4>()?;
        Some(Self { event, end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }

    pub(crate) fn to_bytes(self) -> [u8; 4] {
        // -10 dBm0, the usual volume.
        const VOLUME: u8 = 10;
        let [high, low] = self.duration.to_be_bytes();
        [self.event, VOLUME | if self.end { 0x80 } else { 0 }, high, low]
    }
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// The event code of a key.
pub(crate) fn event_of(key: char) -> Option<u8> {
    let index = KEYS.iter().position(|k| char::from(*k) == key.to_ascii_uppercase())?;
    u8::try_from(index).ok()
}

/// The key of an event code.
pub(crate) fn key_of(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).map(|k| char::from(*k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_survive_the_way() {
        let header = RtpHeader { payload_type: 101, marker: true, sequence: 65_535, timestamp: u32::MAX, ssrc: 7 };
        let event = TelephoneEvent { event: 11, end: true, duration: 960 };
        let mut packet = Vec::new();
        write(&mut packet, header, &event.to_bytes());
        let (got, payload) = parse(&packet).unwrap();
        assert_eq!((got, TelephoneEvent::parse(payload)), (header, Some(event)));
    }

    #[test]
    fn extensions_and_padding_are_skipped_and_lies_refused() {
        let mut packet = Vec::new();
        let header = RtpHeader { payload_type: 8, marker: false, sequence: 1, timestamp: 2, ssrc: 3 };
        write(&mut packet, header, &[0, 0, 0, 1, 9, 9, 9, 9, 5, 6, 7, 2, 2]);
        packet[0] |= 0x30;
        assert_eq!(parse(&packet).unwrap().1, [5, 6, 7]);
        *packet.last_mut().unwrap() = 200;
        assert_eq!(parse(&packet), None, "more padding than packet");
        packet[0] = 0x9F;
        assert_eq!(parse(&packet), None, "sources beyond the end");
        for n in 0..HEADER_BYTES {
            assert_eq!(parse(&packet[..n]), None);
        }
    }

    #[test]
    fn keys() {
        for key in "0123456789*#ABCD".chars() {
            assert_eq!(event_of(key).and_then(key_of), Some(key));
        }
        assert_eq!((event_of('d'), event_of('x'), key_of(16)), (Some(15), None, None));
    }
}
