//! A strict reading of a ZIP file's directory, before any byte is unpacked.
//!
//! ZIP readers disagree about odd files: bytes before and after, two entries of one name, entries that share bytes. What
//! they could disagree about is refused here, so that the bundle we check is the bundle that any other tool sees.

use super::{BundleLimits, BundleRefusal};
use std::collections::HashSet;

/// One file of the archive, as its directory tells it.
#[derive(Debug)]
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
    offset: u64,
    flags: u16,
    method: u16,
    crc: u32,
}

const END_LEN: usize = 22;
const HEADER_LEN: usize = 46;
const LOCAL_LEN: usize = 30;
const END_MAGIC: u32 = 0x0605_4b50;
const HEADER_MAGIC: u32 = 0x0201_4b50;
const LOCAL_MAGIC: u32 = 0x0403_4b50;
const FLAG_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Sizes and checksum stand behind the file's bytes, and not in its own header.
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const DESCRIPTOR_MAGIC: u32 = 0x0807_4b50;
/// What other readers take for the size or the name in the place of what stands in the header.
const EXTRA_ZIP64: u16 = 0x0001;
const EXTRA_UNICODE_NAME: u16 = 0x7075;
/// A whole archive that is smaller than this is not looked at for `ratio_max`.
const ARCHIVE_RATIO_FREE_BYTES: u64 = 32 * 1024 * 1024;
const METHOD_STORED: u16 = 0;
const METHOD_DEFLATED: u16 = 8;
const UNIX_TYPE_MASK: u32 = 0o170_000;
const UNIX_REGULAR: u32 = 0o100_000;

/// Reads the directory and checks everything in it that does not need unpacking.
pub(super) fn read(file: &[u8], limits: &BundleLimits) -> Result<Vec<DirectoryEntry>, BundleRefusal> {
    let end_at =
        file.len().checked_sub(END_LEN).ok_or(BundleRefusal::NotAZip("it is shorter than an empty ZIP file"))?;
    if u32_at(file, end_at) != Some(END_MAGIC) {
        return Err(BundleRefusal::NotAZip("the end record is not at its end (a comment, bytes behind it, or a cut)"));
    }
    let field = |offset: usize| u16_at(file, end_at + offset).unwrap_or(u16::MAX);
    let wide = |offset: usize| u32_at(file, end_at + offset).unwrap_or(u32::MAX);
    if field(4) != 0 || field(6) != 0 || field(8) != field(10) {
        return Err(unsupported("the end record", "several volumes"));
    }
    if field(20) != 0 {
        return Err(unsupported("the end record", "an archive comment"));
    }
    let (count, size, start) = (usize::from(field(10)), wide(12) as usize, wide(16) as usize);
    if field(10) == u16::MAX || wide(12) == u32::MAX || wide(16) == u32::MAX {
        return Err(unsupported("the end record", "ZIP64"));
    }
    if start.checked_add(size) != Some(end_at) {
        return Err(BundleRefusal::BrokenDirectory("it does not lie between the files and the end record"));
    }
    if count > limits.entries_max {
        return Err(BundleRefusal::TooManyEntries { count, count_max: limits.entries_max });
    }
    let mut entries = Vec::with_capacity(count);
    let mut at = start;
    for _ in 0..count {
        let (entry, next) = read_header(file.get(..end_at).unwrap_or_default(), at, limits)?;
        entries.push(entry);
        at = next;
    }
    if at != end_at {
        return Err(BundleRefusal::BrokenDirectory("it holds more than the end record counts"));
    }
    check_names(&entries)?;
    check_sizes(&entries, file.len() as u64, limits)?;
    check_layout(file, &entries, start as u64)?;
    Ok(entries)
}

fn read_header(file: &[u8], at: usize, limits: &BundleLimits) -> Result<(DirectoryEntry, usize), BundleRefusal> {
    const CUT: BundleRefusal = BundleRefusal::BrokenDirectory("an entry is cut off");
    let header = file.get(at..).and_then(|rest| rest.get(..HEADER_LEN)).ok_or(CUT)?;
    if u32_at(header, 0) != Some(HEADER_MAGIC) {
        return Err(BundleRefusal::BrokenDirectory("an entry does not begin as it must"));
    }
    let short = |offset: usize| u16_at(header, offset).unwrap_or(0);
    let wide = |offset: usize| u32_at(header, offset).unwrap_or(0);
    let name_end = at + HEADER_LEN + usize::from(short(28));
    let next = name_end + usize::from(short(30)) + usize::from(short(32));
    let raw_name = file.get(at + HEADER_LEN..name_end).ok_or(CUT)?;
    if next > file.len() {
        return Err(CUT);
    }
    let name = check_name(raw_name, limits)?;
    if short(8) & FLAG_ENCRYPTED != 0 {
        return Err(unsupported(&name, "encryption"));
    }
    if !matches!(short(10), METHOD_STORED | METHOD_DEFLATED) {
        return Err(unsupported(&name, "a compression other than deflate"));
    }
    if short(32) != 0 {
        return Err(unsupported(&name, "a comment of a file"));
    }
    if short(34) != 0 {
        return Err(unsupported(&name, "several volumes"));
    }
    check_extra(file.get(name_end..next).unwrap_or_default(), &name)?;
    if wide(20) == u32::MAX || wide(24) == u32::MAX || wide(42) == u32::MAX {
        return Err(unsupported(&name, "ZIP64"));
    }
    let unix_type = (wide(38) >> 16) & UNIX_TYPE_MASK;
    if unix_type != 0 && unix_type != UNIX_REGULAR {
        return Err(BundleRefusal::NotAFile { place: name });
    }
    if short(10) == METHOD_STORED && wide(20) != wide(24) {
        return Err(BundleRefusal::Damaged { place: name, why: "stored, but of two sizes".into() });
    }
    let entry = DirectoryEntry {
        name,
        packed_bytes: wide(20).into(),
        bytes: wide(24).into(),
        offset: wide(42).into(),
        flags: short(8),
        method: short(10),
        crc: wide(16),
    };
    Ok((entry, next))
}

/// Extra fields are a row of id, length, bytes. Times and owners say nothing to us.
fn check_extra(mut extra: &[u8], name: &str) -> Result<(), BundleRefusal> {
    while !extra.is_empty() {
        let damaged = || BundleRefusal::Damaged { place: name.to_owned(), why: "an extra field is cut off".into() };
        let (id, len) = (u16_at(extra, 0).ok_or_else(damaged)?, u16_at(extra, 2).ok_or_else(damaged)?);
        match id {
            EXTRA_ZIP64 => return Err(unsupported(name, "ZIP64")),
            EXTRA_UNICODE_NAME => return Err(unsupported(name, "a second name")),
            _ => extra = extra.get(4 + usize::from(len)..).ok_or_else(damaged)?,
        }
    }
    Ok(())
}

/// The name, if it is one that means the same on every system.
fn check_name(raw: &[u8], limits: &BundleLimits) -> Result<String, BundleRefusal> {
    let bad = |why| BundleRefusal::BadName { place: raw.escape_ascii().to_string(), why };
    let name = std::str::from_utf8(raw).map_err(|_| bad("is not UTF-8"))?;
    if name.is_empty() {
        return Err(bad("is empty"));
    }
    if name.len() > limits.name_bytes_max {
        return Err(bad("is too long (name_bytes_max)"));
    }
    if name.starts_with('/') {
        return Err(bad("is absolute"));
    }
    if let Some(folder) = name.strip_suffix('/') {
        return Err(BundleRefusal::NotAFile { place: folder.to_owned() });
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/')) {
        return Err(bad("has characters that not every system takes"));
    }
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Err(bad("has an empty, hidden or parent folder in it"));
    }
    Ok(name.to_owned())
}

fn check_names(entries: &[DirectoryEntry]) -> Result<(), BundleRefusal> {
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        if !seen.insert(entry.name.to_ascii_lowercase()) {
            return Err(BundleRefusal::DuplicateName { place: entry.name.clone() });
        }
    }
    Ok(())
}

fn check_sizes(entries: &[DirectoryEntry], file_bytes: u64, limits: &BundleLimits) -> Result<(), BundleRefusal> {
    let mut total = 0_u64;
    for entry in entries {
        let (bytes_max, limit) = limits.of_entry(&entry.name);
        if entry.bytes > bytes_max {
            return Err(BundleRefusal::EntryTooLarge {
                place: entry.name.clone(),
                bytes: entry.bytes,
                bytes_max,
                limit,
            });
        }
        if entry.bytes > limits.ratio_free_bytes && entry.bytes / entry.packed_bytes.max(1) > limits.ratio_max {
            return Err(BundleRefusal::Bomb { place: entry.name.clone(), ratio_max: limits.ratio_max });
        }
        total += entry.bytes;
        if total > limits.unpacked_bytes_max {
            return Err(BundleRefusal::UnpacksTooLarge { bytes_max: limits.unpacked_bytes_max });
        }
    }
    // Many small files that unpack well are a bomb like one large one.
    if total > ARCHIVE_RATIO_FREE_BYTES && total / file_bytes.max(1) > limits.ratio_max {
        return Err(BundleRefusal::Bomb { place: "(all together)".to_owned(), ratio_max: limits.ratio_max });
    }
    Ok(())
}

/// Each file has bytes of its own, before the directory, under the name that the directory gives it, and there are no other
/// bytes: a reader that goes through the file from its beginning sees the same files.
fn check_layout(file: &[u8], entries: &[DirectoryEntry], directory_start: u64) -> Result<(), BundleRefusal> {
    let mut by_offset: Vec<&DirectoryEntry> = entries.iter().collect();
    by_offset.sort_by_key(|entry| entry.offset);
    if by_offset.first().is_some_and(|first| first.offset != 0) {
        return Err(BundleRefusal::NotAZip("bytes stand before the first file"));
    }
    for (index, entry) in by_offset.iter().enumerate() {
        let broken = |why: &str| BundleRefusal::Damaged { place: entry.name.clone(), why: why.into() };
        let end = check_local(file, entry)?;
        let next = by_offset.get(index + 1).map_or(directory_start, |next| next.offset);
        let between = next.checked_sub(end).ok_or_else(|| BundleRefusal::Overlap { place: entry.name.clone() })?;
        let between = usize::try_from(end).ok().and_then(|end| file.get(end..)?.get(..usize::try_from(between).ok()?));
        let between = between.ok_or_else(|| broken("it ends outside the file"))?;
        let described = entry.flags & FLAG_DESCRIPTOR != 0 && is_descriptor(between, entry);
        if !described && !between.is_empty() {
            return Err(broken("bytes behind it belong to no file"));
        }
    }
    Ok(())
}

/// A file's own header says what the directory says. Answers with where its bytes end.
fn check_local(file: &[u8], entry: &DirectoryEntry) -> Result<u64, BundleRefusal> {
    let broken = |why: &str| BundleRefusal::Damaged { place: entry.name.clone(), why: why.into() };
    let outside = || broken("it begins outside the file");
    let at = usize::try_from(entry.offset).map_err(|_| outside())?;
    let local = file.get(at..).and_then(|rest| rest.get(..LOCAL_LEN)).ok_or_else(outside)?;
    if u32_at(local, 0) != Some(LOCAL_MAGIC) {
        return Err(broken("there is no file where the directory says"));
    }
    let short = |offset: usize| u16_at(local, offset).unwrap_or(0);
    let wide = |offset: usize| u64::from(u32_at(local, offset).unwrap_or(0));
    let name_at = at + LOCAL_LEN;
    let extra_at = name_at + usize::from(short(26));
    let bytes_at = extra_at + usize::from(short(28));
    if file.get(name_at..extra_at) != Some(entry.name.as_bytes()) {
        return Err(broken("its own header has another name than the directory"));
    }
    if short(6) != entry.flags || short(8) != entry.method {
        return Err(broken("its own header has other flags or another compression than the directory"));
    }
    check_extra(file.get(extra_at..bytes_at).ok_or_else(outside)?, &entry.name)?;
    let sizes = [wide(14), wide(18), wide(22)];
    let same = sizes == [u64::from(entry.crc), entry.packed_bytes, entry.bytes];
    let left_out = entry.flags & FLAG_DESCRIPTOR != 0 && sizes == [0, 0, 0];
    if !same && !left_out {
        return Err(broken("its own header has other sizes or another checksum than the directory"));
    }
    Ok(bytes_at as u64 + entry.packed_bytes)
}

/// What stands behind the bytes of a file that was written without knowing its size: with a mark or without.
fn is_descriptor(between: &[u8], entry: &DirectoryEntry) -> bool {
    const DESCRIPTOR_LEN: usize = 12;
    let marked = u32_at(between, 0) == Some(DESCRIPTOR_MAGIC) && between.len() == DESCRIPTOR_LEN + 4;
    let fields = if marked { between.get(4..).unwrap_or_default() } else { between };
    let wide = |offset: usize| u32_at(fields, offset).map(u64::from);
    fields.len() == DESCRIPTOR_LEN
        && wide(0) == Some(u64::from(entry.crc))
        && wide(4) == Some(entry.packed_bytes)
        && wide(8) == Some(entry.bytes)
}

fn unsupported(place: &str, feature: &'static str) -> BundleRefusal {
    BundleRefusal::UnsupportedZip { place: place.to_owned(), feature }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.get(..2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.get(..4)?.try_into().ok()?))
}
