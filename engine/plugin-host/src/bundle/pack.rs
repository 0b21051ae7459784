//! Writing bundles: the same content gives the same bytes.

use super::{BundleLimits, BundleRefusal, COMPONENT, MANIFEST, SIGNATURE, SUMS, hex};
use crate::bundle::Bundle;
use crate::error::Error;
use crate::manifest::Manifest;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// One file that goes into a bundle.
#[derive(Clone, Debug)]
pub struct PackPart {
    /// Its place in the bundle: "data/menu.json".
    pub place: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A bundle ready to be written.
#[derive(Clone, Debug)]
pub struct Packed {
    /// `NAME-VERSION.ivr`, by the manifest.
    pub file_name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA256SUMS: what is to be signed.
    pub sums: Arc<[u8]>,
    /// The content hash.
    pub content_sha256: [u8; 32],
}

/// Packs a bundle, writes SHA256SUMS into it, and reads it again as a host would: what is packed can be loaded. A part
/// called `signature` goes in as it is.
///
/// # Errors
/// Whatever a host would refuse about it.
pub fn pack(parts: Vec<PackPart>, limits: &BundleLimits) -> Result<Packed, BundleRefusal> {
    let mut files = BTreeMap::new();
    for part in parts {
        if files.contains_key(&part.place) {
            return Err(BundleRefusal::DuplicateName { place: part.place });
        }
        files.insert(part.place, part.bytes);
    }
    files.remove(SUMS);
    let manifest = files.get(MANIFEST).ok_or(BundleRefusal::MissingFile { place: MANIFEST })?;
    let file_name = Manifest::parse(manifest)?.file_name();
    let sums: String = files
        .iter()
        .filter(|(place, _)| *place != SIGNATURE)
        .map(|(place, bytes)| format!("{}  {place}\n", hex(&Sha256::digest(bytes))))
        .collect();
    files.insert(SUMS.to_owned(), sums.into_bytes());
    packed(file_name, &files, limits)
}

/// The same bundle under another version, where content that is tried has to be told from what was tried before. A signature
/// goes: it was for the other one.
///
/// # Errors
/// Whatever a host would refuse about the bundle, or about that version.
pub fn with_version(bundle: &[u8], version: &str, limits: &BundleLimits) -> Result<Packed, BundleRefusal> {
    let mut files = super::unpack(bundle, limits)?;
    files.remove(SIGNATURE);
    let manifest = files.get(MANIFEST).ok_or(BundleRefusal::MissingFile { place: MANIFEST })?;
    let text = String::from_utf8_lossy(manifest).into_owned();
    // The first is the bundle's own: what stands in tables comes after it.
    let sets =
        |line: &&str| line.trim_start().strip_prefix("version").is_some_and(|rest| rest.trim_start().starts_with('='));
    if let Some(line) = text.lines().find(sets) {
        files.insert(MANIFEST.to_owned(), text.replacen(line, &format!("version = {version:?}"), 1).into_bytes());
    }
    pack(files.into_iter().map(|(place, bytes)| PackPart { place, bytes }).collect(), limits)
}

/// Puts a signature into a bundle, in the place of any that is there. What the signature covers stays as it is.
///
/// # Errors
/// Whatever a host would refuse about the bundle.
pub fn with_signature(bundle: &[u8], signature: &str, limits: &BundleLimits) -> Result<Packed, BundleRefusal> {
    let file_name = Bundle::from_upload(bundle, limits)?.manifest.file_name();
    let mut files = super::unpack(bundle, limits)?;
    files.insert(SIGNATURE.to_owned(), signature.as_bytes().to_vec());
    packed(file_name, &files, limits)
}

fn packed(
    file_name: String,
    files: &BTreeMap<String, Vec<u8>>,
    limits: &BundleLimits,
) -> Result<Packed, BundleRefusal> {
    let bytes = write_zip(files).map_err(|error| BundleRefusal::Unreadable(error.to_string()))?;
    let read_back = Bundle::from_bytes(&file_name, &bytes, limits)?;
    Ok(Packed { file_name, bytes, sums: read_back.sums, content_sha256: read_back.content_sha256 })
}

/// Packs a folder laid out like a bundle. A SHA256SUMS in it is written anew; hidden files are left out.
///
/// # Errors
/// Whatever a host would refuse about it, or what the system says of the folder.
pub fn pack_dir(folder: &Path, limits: &BundleLimits) -> Result<Packed, Error> {
    let mut parts = Vec::new();
    collect(folder, "", limits, &mut parts)?;
    pack(parts, limits).map_err(|refusal| Error::Bundle { path: folder.to_owned(), refusal })
}

fn collect(folder: &Path, prefix: &str, limits: &BundleLimits, parts: &mut Vec<PackPart>) -> Result<(), Error> {
    let failed = |what| move |error| Error::Io { path: folder.to_owned(), what, error };
    for entry in std::fs::read_dir(folder).map_err(failed("listing the folder"))? {
        let entry = entry.map_err(failed("listing the folder"))?;
        let refused = |refusal| Error::Bundle { path: entry.path(), refusal };
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            refused(BundleRefusal::BadName { place: name.to_string_lossy().into_owned(), why: "is not UTF-8" })
        })?;
        if name.starts_with('.') {
            continue;
        }
        let place = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(failed("looking at a file"))?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{place}/"), limits, parts)?;
            continue;
        }
        if !kind.is_file() {
            return Err(refused(BundleRefusal::NotAFile { place }));
        }
        if parts.len() >= limits.entries_max {
            return Err(refused(BundleRefusal::TooManyEntries {
                count: parts.len() + 1,
                count_max: limits.entries_max,
            }));
        }
        let bytes = std::fs::read(entry.path()).map_err(failed("reading a file"))?;
        parts.push(PackPart { place, bytes });
    }
    Ok(())
}

fn write_zip(files: &BTreeMap<String, Vec<u8>>) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The manifest first, so that `head` and curious people find it; everything else by name.
    let (first, rest): (Vec<_>, Vec<_>) = files.iter().partition(|(place, _)| *place == MANIFEST);
    for (place, bytes) in first.into_iter().chain(rest) {
        let deflated = write_one(&mut Cursor::new(Vec::new()), place, bytes, CompressionMethod::Deflated)?;
        // Compressed recordings do not shrink; a file that shrinks too well would be taken for a bomb.
        let worth_it = deflated < bytes.len() as u64
            && bytes.len() as u64 / deflated.max(1) < BundleLimits::default().ratio_max / 2
            || place == COMPONENT;
        let method = if worth_it { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        zip.start_file(place, options(method))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// How many bytes a file takes when packed that way.
fn write_one(
    sink: &mut Cursor<Vec<u8>>,
    place: &str,
    bytes: &[u8],
    method: CompressionMethod,
) -> zip::result::ZipResult<u64> {
    let mut zip = zip::ZipWriter::new(sink);
    zip.start_file(place, options(method))?;
    zip.write_all(bytes)?;
    Ok(zip.finish()?.get_ref().len() as u64)
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    // The default time is 1980-01-01, the earliest that ZIP knows: no clock in the file.
    SimpleFileOptions::default().compression_method(method).unix_permissions(0o644)
}
