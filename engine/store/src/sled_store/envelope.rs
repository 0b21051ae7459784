//! What every kept value is wrapped in: the schema of its payload, and a checksum over key, schema and payload. A
//! value that was torn, flipped or put under another key is found out before it is believed.

/// Schema of the payloads written now.
const PAYLOAD_SCHEMA: u8 = 1;
/// Schema (1), CRC-32 (4).
pub(super) const HEADER_BYTES: usize = 5;

pub(super) fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.push(PAYLOAD_SCHEMA);
    value.extend_from_slice(&checksum(key, PAYLOAD_SCHEMA, payload).to_le_bytes());
    value.extend_from_slice(payload);
    value
}

/// The payload, or `None` when the value is damaged.
pub(super) fn open<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (&schema, rest) = value.split_first()?;
    let (crc, payload) = rest.split_first_chunk::<4>()?;
    let sound = schema == PAYLOAD_SCHEMA && u32::from_le_bytes(*crc) == checksum(key, schema, payload);
    sound.then_some(payload)
}

fn checksum(key: &[u8], schema: u8, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(&[schema]);
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_and_any_cut_is_found() {
        let value = seal(b"key", b"payload");
        assert_eq!(open(b"key", &value), Some(&b"payload"[..]));
        assert_eq!(open(b"kez", &value), None);
        for at in 0..value.len() {
            assert_eq!(open(b"key", &value[..at]), None, "cut at {at}");
            for bit in 0..8 {
                let mut bad = value.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(open(b"key", &bad), None, "bit {bit} of {at}");
            }
        }
    }
}
