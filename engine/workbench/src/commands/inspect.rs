//! `gudok inspect`: what a bundle may do, in plain words.

use super::screen::{line, note};
use crate::inspect::{Inspected, Tongue, inspect};
use crate::project::Project;
use crate::publish::{OciPlace, pull};
use anyhow::Context;
use clap::Args;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::signature::{AgencyKey, PublicKey};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// What `gudok inspect` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A bundle's file, a project's folder, or a place in a registry: oci://HOST/REPOSITORY:TAG.
    #[arg(value_name = "FILE|DIR|oci://…", default_value = ".")]
    what: String,
    /// Who may have signed it: a public key's file; may be given several times.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<std::path::PathBuf>,
    /// In which language; as the system is set where nobody says.
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Carries it out.
pub fn main(arguments: &Arguments) -> ExitCode {
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("gudok: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments) -> anyhow::Result<()> {
    let tongue = arguments.lang.unwrap_or_else(Tongue::of_environment);
    let (bytes, pinned) = fetch(&arguments.what)?;
    let bundle = Bundle::from_upload(&bytes, &BundleLimits::default())
        .with_context(|| format!("{} is no bundle that can be used", arguments.what))?;
    let keys = keys(&arguments.keys, &bundle.manifest.agency)?;
    let inspected = inspect(&bundle, bytes.len() as u64, &keys, jiff::Timestamp::now(), tongue);
    if arguments.json {
        line(&format!("{:#}", as_json(&bundle, &inspected, pinned.as_deref(), bytes.len())));
        return Ok(());
    }
    for text in inspected.lines(tongue) {
        line(&text);
    }
    if let Some(pinned) = pinned {
        line("");
        line(&pinned);
    }
    Ok(())
}

/// The file's bytes; where it came from a registry, its place by its digest.
fn fetch(what: &str) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    if OciPlace::is_meant(what) {
        let place: OciPlace = what.parse()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pulled = runtime.block_on(pull(&place))?;
        return Ok((pulled.bytes, Some(pulled.pinned)));
    }
    let path = Path::new(what);
    if path.is_dir() {
        let built = Project::open(path)?.build(&mut crate::build::OnScreen::new())?;
        let bytes = std::fs::read(&built.path).with_context(|| format!("reading {}", built.path.display()))?;
        return Ok((bytes, None));
    }
    Ok((std::fs::read(path).with_context(|| format!("reading {what}"))?, None))
}

fn keys(files: &[std::path::PathBuf], agency: &str) -> anyhow::Result<Vec<AgencyKey>> {
    let read = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let key = PublicKey::parse(&text).with_context(|| format!("{}", file.display()))?;
        Ok(AgencyKey::new(agency, key))
    };
    files.iter().map(read).collect()
}

fn as_json(bundle: &Bundle, inspected: &Inspected, pinned: Option<&str>, bytes: usize) -> serde_json::Value {
    let manifest = &bundle.manifest;
    let hash: String = bundle.content_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "agency": manifest.agency,
        "name": manifest.name,
        "version": manifest.version.to_string(),
        "kind": manifest.kind.as_str(),
        "interface": manifest.interface,
        "languages": manifest.languages,
        "entries": manifest.entries,
        "content_sha256": hash,
        "bytes": bytes,
        "component_bytes": bundle.component.len(),
        "capabilities": manifest.capabilities,
        "limits": manifest.limits,
        "media": bundle.media.keys().map(|name| format!("{}/{}", name.lang, name.name)).collect::<Vec<_>>(),
        "data": bundle.data.keys().collect::<Vec<_>>(),
        "pinned": pinned,
        "words": inspected,
    })
}
