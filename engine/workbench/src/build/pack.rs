//! From WebAssembly and a project's folders to the bundle's file.

use super::fault::{Fault, io};
use super::{foreign, limits, refused};
use crate::project::{Language, Project};
use gudok_plugin_host::bundle::{Bundle, COMPONENT, MANIFEST, PackPart, componentize, pack};
use std::io::Write;
use std::path::{Path, PathBuf};

const STEP: &str = "pack";
/// The folders that go into a bundle whole.
const FOLDERS: [&str; 2] = ["media", "data"];
/// What a core module begins with, as a component does: the fifth byte tells them apart.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

pub(super) struct PackedProject {
    pub(super) path: PathBuf,
    pub(super) bundle: Bundle,
    pub(super) bytes: u64,
    pub(super) unchanged: bool,
    pub(super) warnings: Vec<Fault>,
}

/// Packs it, and writes the file if it is another than the one that is there.
pub(super) fn pack_project(project: &Project, wasm: &[u8]) -> Result<PackedProject, Fault> {
    let source = match project.language {
        Language::Rust => "Cargo.toml",
        Language::JavaScript | Language::TypeScript => "package.json",
        Language::Python => "pyproject.toml",
        Language::Menu => "data/menu.toml",
    };
    if wasm.starts_with(CORE_MODULE) {
        foreign::look(wasm, source)?;
    }
    let component = componentize(wasm).map_err(|why| refused::not_a_script(&why, source, project))?;
    let mut parts = vec![PackPart { place: COMPONENT.to_owned(), bytes: component }];
    let manifest = project.folder.join(MANIFEST);
    let bytes = std::fs::read(&manifest).map_err(|error| io(STEP, "reading", &manifest, &error))?;
    parts.push(PackPart { place: MANIFEST.to_owned(), bytes });
    let mut left_out = Vec::new();
    for folder in FOLDERS {
        collect(&project.folder, folder, &mut parts, &mut left_out)?;
    }
    let packed = pack(parts, &limits()).map_err(|refusal| refused::packing(&refusal, project))?;
    let bundle = Bundle::from_bytes(&packed.file_name, &packed.bytes, &limits())
        .map_err(|refusal| refused::packing(&refusal, project))?;
    let path = project.target().join(&packed.file_name);
    let unchanged = std::fs::read(&path).is_ok_and(|there| there == packed.bytes);
    if !unchanged {
        write(&path, &packed.bytes)?;
    }
    let warnings = left_out.iter().map(|name| hidden(name)).collect();
    Ok(PackedProject { path, bundle, bytes: packed.bytes.len() as u64, unchanged, warnings })
}

fn hidden(name: &str) -> Fault {
    Fault::of_script(STEP, format!("{name} is hidden, and is not in the bundle"))
        .remedy("Rename it, if the script needs it; else take it out of the folder")
}

/// Every file of a folder by its place; what editors and systems leave there is left out.
fn collect(root: &Path, place: &str, parts: &mut Vec<PackPart>, left_out: &mut Vec<String>) -> Result<(), Fault> {
    let folder = root.join(place);
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |error: &std::io::Error| io(STEP, "listing", &folder, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        match name.into_string() {
            Ok(name) => names.push(name),
            Err(name) => {
                return Err(Fault::of_script(STEP, format!("{place}/{} is not UTF-8", name.to_string_lossy()))
                    .remedy("Rename it: names are of a-z A-Z 0-9 . _ -"));
            }
        }
    }
    names.sort();
    for name in names {
        let inner = format!("{place}/{name}");
        if name.starts_with('.') {
            // What keeps an empty folder in git is nobody's loss.
            if name != ".gitkeep" {
                left_out.push(inner);
            }
            continue;
        }
        if root.join(&inner).is_dir() {
            collect(root, &inner, parts, left_out)?;
            continue;
        }
        let path = root.join(&inner);
        let bytes = std::fs::read(&path).map_err(|error| io(STEP, "reading", &path, &error))?;
        parts.push(PackPart { place: inner, bytes });
    }
    Ok(())
}

/// The old file or the new one, at any moment: somebody may be reading it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |error: &std::io::Error| io(STEP, "writing", path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}
