//! `gudok bundle`: makes and reads bundles.

use anyhow::Context;
use clap::Subcommand;
use gudok_plugin_host::bundle::{BundleLimits, PackPart, componentize, pack};
use gudok_workbench::commands::inspect;
use gudok_workbench::out::line;
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
    /// The same as `gudok inspect`.
    Inspect(inspect::Arguments),
}

pub(crate) fn main(command: &Command) -> ExitCode {
    match command {
        Command::Pack { dir, module, out } => super::told(pack_dir(dir, module.as_deref(), out)),
        Command::Inspect(arguments) => inspect::main(arguments),
    }
}

/// The files of a bundle's folder that go into it; a crate's own files (src, Cargo.toml) do not.
const FOLDERS: [&str; 2] = ["media", "data"];

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
    line(&format!("{} ({} KiB)", file.display(), packed.bytes.len().div_ceil(1024)));
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
