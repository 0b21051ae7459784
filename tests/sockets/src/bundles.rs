//! Bundles for tests: those of the sample agencies, and others made of them that no packer would let through.

use anyhow::Context;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The origin that the sample agencies' manifests name.
const BACK_END: &str = "http://127.0.0.1:8090";
/// What the sample back end wants.
const AUTHORIZATION: &str = "Bearer sample-token";

/// The files of a bundle by their places.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of a built bundle, without its sums.
///
/// # Errors
/// Where it was not built.
pub fn parts(name: &str) -> anyhow::Result<Files> {
    let mut archive = zip::ZipArchive::new(Cursor::new(std::fs::read(crate::bundle(name)?)?))?;
    let mut files = Files::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        files.insert(file.name().to_owned(), bytes);
    }
    files.remove("SHA256SUMS");
    Ok(files)
}

/// A ZIP file with these files in this order, whatever they are called.
///
/// # Errors
/// Where ZIP cannot say it.
pub fn zipped<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> anyhow::Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (place, bytes) in files {
        writer.start_file(place, zip::write::SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A hash in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A sample agency's bundle with other files in it, sums and name made to fit. Nothing is checked: whatever the change
/// makes is what a host is given.
///
/// # Errors
/// Where the bundle was not built, or the folder cannot be written to.
pub fn changed(name: &str, folder: &Path, change: impl FnOnce(&mut Files)) -> anyhow::Result<PathBuf> {
    let mut files = parts(name)?;
    change(&mut files);
    let mut sums = String::new();
    for (place, bytes) in &files {
        writeln!(sums, "{}  {place}", sha256(bytes))?;
    }
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    let bundle = zipped(files.iter().map(|(place, bytes)| (place.as_str(), bytes.as_slice())))?;
    let manifest = String::from_utf8_lossy(files.get("manifest.toml").context("no manifest is left")?).into_owned();
    let path = folder.join(format!("{}-{}.ivr", field(&manifest, "name")?, field(&manifest, "version")?));
    std::fs::write(&path, bundle)?;
    Ok(path)
}

/// Writes something else into a bundle's manifest.
pub fn edit_manifest(files: &mut Files, from: &str, to: &str) {
    if let Some(manifest) = files.get_mut("manifest.toml") {
        let text = String::from_utf8_lossy(manifest);
        debug_assert!(text.contains(from), "{from} is not in {text}");
        *manifest = text.replace(from, to).into_bytes();
    }
}

/// A sample agency whose back end is there, and the TOML that its script needs: approval and secret.
///
/// # Errors
/// Where the bundle was not built, or the folder cannot be written to.
pub fn with_back_end(name: &str, at: SocketAddr, folder: &Path) -> anyhow::Result<(PathBuf, String)> {
    let origin = format!("http://{at}");
    let bundle = changed(name, folder, |files| edit_manifest(files, BACK_END, &origin))?;
    let secret = folder.join("back-end");
    std::fs::write(&secret, AUTHORIZATION)?;
    let secrets = format!("secrets = {{ back-end = {secret:?} }}");
    Ok((bundle, format!("approve = \"as-declared\"\nconfig = {{ back_end = {origin:?} }}\n{secrets}")))
}

fn field<'a>(manifest: &'a str, name: &str) -> anyhow::Result<&'a str> {
    let line = manifest.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix("= \""));
    Ok(line.with_context(|| format!("the manifest has no {name}"))?.trim_end_matches('"'))
}
