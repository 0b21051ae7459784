//! `gudok bundle`: makes and reads bundles.

use anyhow::Context;
use clap::Subcommand;
use gudok_plugin_host::bundle::{Bundle, BundleLimits, PackPart, componentize, pack};
use gudok_plugin_host::manifest::Capabilities;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `gudok bundle` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Packs a folder with manifest.toml, media/ and data/ and a WebAssembly module into NAME-VERSION.ivr.
    Pack {
        /// The folder.
        dir: PathBuf,
        /// A core module (it is made into a component) or a component; the folder's script.wasm where none is given.
        #[arg(long)]
        module: Option<PathBuf>,
        /// Where the bundle goes.
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
    /// Says what a bundle is and what it may do.
    Inspect {
        /// The bundle.
        bundle: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn main(command: &Command) -> ExitCode {
    super::told(match command {
        Command::Pack { dir, module, out } => pack_dir(dir, module.as_deref(), out),
        Command::Inspect { bundle, json } => inspect(bundle, *json),
    })
}

/// The files of a bundle's folder that go into it; a crate's own files (src, Cargo.toml) do not.
const FOLDERS: [&str; 2] = ["media", "data"];

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn pack_dir(dir: &Path, module: Option<&Path>, out: &Path) -> anyhow::Result<ExitCode> {
    let mut parts = vec![part(dir, "manifest.toml")?];
    let module = module.map_or_else(|| dir.join("script.wasm"), Path::to_owned);
    let wasm = std::fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
    let component = componentize(&wasm).map_err(|why| anyhow::anyhow!("{}: {why}", module.display()))?;
    parts.push(PackPart { place: "script.wasm".into(), bytes: component });
    for folder in FOLDERS {
        collect(dir, folder, &mut parts)?;
    }
    let packed = pack(parts, &BundleLimits::default()).with_context(|| format!("packing {}", dir.display()))?;
    std::fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let file = out.join(&packed.file_name);
    std::fs::write(&file, &packed.bytes).with_context(|| format!("writing {}", file.display()))?;
    println!("{} ({} KiB)", file.display(), packed.bytes.len().div_ceil(1024));
    Ok(ExitCode::SUCCESS)
}

fn part(dir: &Path, place: &str) -> anyhow::Result<PackPart> {
    let path = dir.join(place);
    let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(PackPart { place: place.to_owned(), bytes })
}

fn collect(dir: &Path, folder: &str, parts: &mut Vec<PackPart>) -> anyhow::Result<()> {
    let path = dir.join(folder);
    if !path.is_dir() {
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).with_context(|| format!("listing {}", path.display()))? {
        let name = entry?.file_name();
        let name = name.to_str().with_context(|| format!("a name in {} is not UTF-8", path.display()))?;
        names.push(format!("{folder}/{name}"));
    }
    names.sort();
    for name in names {
        if dir.join(&name).is_dir() {
            collect(dir, &name, parts)?;
        } else {
            parts.push(part(dir, &name)?);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn inspect(path: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::open(path, &BundleLimits::default())?;
    let manifest = &bundle.manifest;
    let hash = crate::hex::hex(&bundle.content_sha256);
    let media: Vec<String> = bundle.media.keys().map(|name| format!("{}/{}", name.lang, name.name)).collect();
    let data: Vec<&String> = bundle.data.keys().collect();
    let capabilities = in_words(&manifest.capabilities);
    if json {
        let answer = serde_json::json!({
            "name": manifest.name,
            "version": manifest.version.to_string(),
            "kind": manifest.kind.as_str(),
            "agency": manifest.agency,
            "languages": manifest.languages,
            "content_sha256": hash,
            "component_bytes": bundle.component.len(),
            "capabilities": capabilities,
            "media": media,
            "data": data,
        });
        println!("{answer:#}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} {}, a {} of the agency {}", manifest.name, manifest.version, manifest.kind.as_str(), manifest.agency);
    println!("  languages     {}", manifest.languages.join(", "));
    println!("  content       sha256 {hash}");
    println!("  component     {} KiB", bundle.component.len().div_ceil(1024));
    println!("  recordings    {}", media.len());
    println!("  data files    {}", data.len());
    println!("  asks for      {}", if capabilities.is_empty() { "nothing beyond the call itself" } else { "" });
    for line in capabilities {
        println!("    {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// What a bundle asks for, a line each, in words that an admin can approve or refuse.
fn in_words(capabilities: &Capabilities) -> Vec<String> {
    let mut lines = Vec::new();
    let list = |names: &[String]| names.join(", ");
    if let Some(rights) = &capabilities.recording {
        lines.push(format!("recording: record callers, kept {} days at most", rights.retention_days_max));
    }
    if let Some(rights) = &capabilities.transfer {
        let targets = [
            ("groups", &rights.groups),
            ("operators", &rights.operators),
            ("extensions", &rights.extensions),
            ("numbers beginning", &rights.numbers),
            ("scripts", &rights.scripts),
        ];
        let named: Vec<String> = targets
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} {}", list(names)))
            .collect();
        lines.push(format!("transfer: hand callers to {}", named.join("; ")));
    }
    if let Some(rights) = &capabilities.queues {
        lines.push(format!("queues: put callers into {}", list(&rights.names)));
    }
    if capabilities.directory.is_some() {
        lines.push("directory: read the centre's reference data".into());
    }
    if let Some(rights) = &capabilities.promises {
        let promised = [
            ("callbacks by the queues", &rights.callback_queues),
            ("callbacks to numbers beginning", &rights.dialable),
            ("tickets to", &rights.ticket_agencies),
            ("answers to the surveys", &rights.surveys),
        ];
        let named: Vec<String> = promised
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} {}", list(names)))
            .collect();
        lines.push(format!("promises: {}", named.join("; ")));
    }
    if let Some(rights) = &capabilities.storage {
        lines.push(format!("storage: keep data in the buckets {}", list(&rights.buckets)));
    }
    if let Some(rights) = &capabilities.fetch {
        lines.push(format!("fetch: send HTTP requests to {}", list(&rights.origins)));
    }
    if let Some(rights) = &capabilities.secrets {
        let reveal = if rights.reveal { ", and read their text" } else { ", without seeing them" };
        lines.push(format!("secrets: use {}{reveal}", list(&rights.names)));
    }
    lines
}
