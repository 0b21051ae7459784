//! A ZIP writer that lies on request: every field of every record may be something else.

use sha2::{Digest, Sha256};

/// One file, and what is said of it.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    /// In its own header; the same where it is none.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) local_flags: Option<u16>,
    /// Upper half of the external attributes: type and rights, as Unix has them.
    pub(crate) mode: u32,
    /// What the directory says its bytes are when unpacked.
    pub(crate) unpacked: Option<u32>,
    pub(crate) packed: Option<u32>,
    pub(crate) crc: Option<u32>,
    pub(crate) extra: Vec<u8>,
    pub(crate) local_extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) disk: u16,
    /// Where the directory says it begins.
    pub(crate) offset: Option<u32>,
    /// Behind its bytes, before the next file.
    pub(crate) behind: Vec<u8>,
    /// Not in the directory.
    pub(crate) hidden: bool,
    /// Sizes and checksum are left out of its own header.
    pub(crate) sizes_later: bool,
}

impl Entry {
    pub(crate) fn new(name: impl Into<Vec<u8>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), mode: 0o100_644, ..Self::default() }
    }

    fn sizes(&self) -> [u32; 3] {
        let len = u32::try_from(self.bytes.len()).unwrap();
        let crc = self.crc.unwrap_or_else(|| crc32(&self.bytes));
        [crc, self.packed.unwrap_or(len), self.unpacked.unwrap_or(len)]
    }

    /// What stands behind a file whose sizes are left out of its header.
    pub(crate) fn described(mut self, marked: bool) -> Self {
        let mark: &[u8] = if marked { b"PK\x07\x08" } else { b"" };
        self.behind = [mark.to_vec(), self.sizes().iter().flat_map(|size| size.to_le_bytes()).collect()].concat();
        self.flags |= 1 << 3;
        self.sizes_later = true;
        self
    }
}

/// A whole archive.
#[derive(Clone, Default)]
pub(crate) struct Raw {
    pub(crate) entries: Vec<Entry>,
    pub(crate) prefix: Vec<u8>,
    pub(crate) before_directory: Vec<u8>,
    pub(crate) before_end: Vec<u8>,
    pub(crate) suffix: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) count: Option<u16>,
    pub(crate) directory_at: Option<u32>,
    pub(crate) directory_len: Option<u32>,
}

impl Raw {
    /// With a SHA256SUMS that is right about every file.
    pub(crate) fn summed(mut self) -> Self {
        let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut sums = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.hidden) {
            sums.extend(format!("{}  ", hex(&entry.bytes)).into_bytes());
            sums.extend(&entry.name);
            sums.push(b'\n');
        }
        self.entries.push(Entry::new("SHA256SUMS", sums));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut directory = Vec::new();
        let mut listed = 0_u16;
        for entry in &self.entries {
            let at = u32::try_from(out.len()).unwrap();
            let sizes = entry.sizes();
            let name = entry.local_name.as_ref().unwrap_or(&entry.name);
            out.extend(b"PK\x03\x04");
            shorts(&mut out, &[20, entry.local_flags.unwrap_or(entry.flags), entry.method, 0, 33]);
            wides(&mut out, &if entry.sizes_later { [0; 3] } else { sizes });
            shorts(&mut out, &[len(name), len(&entry.local_extra)]);
            out.extend([name, &entry.local_extra, &entry.bytes, &entry.behind].into_iter().flatten());
            if entry.hidden {
                continue;
            }
            listed += 1;
            directory.extend(b"PK\x01\x02");
            shorts(&mut directory, &[0x0314, 20, entry.flags, entry.method, 0, 33]);
            wides(&mut directory, &sizes);
            shorts(&mut directory, &[len(&entry.name), len(&entry.extra), len(&entry.comment), entry.disk, 0]);
            wides(&mut directory, &[entry.mode << 16, entry.offset.unwrap_or(at)]);
            directory.extend([&entry.name, &entry.extra, &entry.comment].into_iter().flatten());
        }
        out.extend(&self.before_directory);
        let at = u32::try_from(out.len()).unwrap();
        out.extend(&directory);
        out.extend(&self.before_end);
        let directory_len = u32::try_from(directory.len() + self.before_end.len()).unwrap();
        let count = self.count.unwrap_or(listed);
        out.extend(b"PK\x05\x06");
        shorts(&mut out, &[0, 0, count, count]);
        wides(&mut out, &[self.directory_len.unwrap_or(directory_len), self.directory_at.unwrap_or(at)]);
        shorts(&mut out, &[len(&self.comment)]);
        out.extend(&self.comment);
        out.extend(&self.suffix);
        out
    }
}

fn len(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap()
}

fn shorts(out: &mut Vec<u8>, values: &[u16]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn wides(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}
