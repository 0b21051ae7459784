//! Takes into the program what authors need and no registry has: the SDKs, the interface, the templates of new projects, and
//! the module that walks all menus.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where it is, seen from this crate, and where it goes.
const TAKEN: [(&str, &str); 9] = [
    ("../../wit/v0.1.0", "wit"),
    ("../../wit/v0.1.0", "rust/wit/v0.1.0"),
    ("../../plugins/sdk", "rust/plugins/sdk"),
    ("../../plugins/Cargo.toml", "rust/plugins/Cargo.toml"),
    ("../../plugins/Cargo.lock", "rust/plugins/Cargo.lock"),
    ("../../plugins/menu", "rust/plugins/menu"),
    ("../../plugins/sdk-js", "js"),
    ("../../plugins/sdk-py", "py"),
    ("templates", "templates"),
];
/// Folders of what is made, installed or only for our own tests. A template's tests are its author's.
const LEFT_OUT: [&str; 6] = ["target", "node_modules", ".venv", "__pycache__", "dist", "examples"];
/// Where `scripts/build-plugins` leaves the menus' module.
const MENU: &str = "../../plugins/target/wasm32-unknown-unknown/release/gudok_menu.wasm";

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let crate_folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    let mut list = String::from("&[\n");
    for (from, to) in TAKEN {
        let tests_too = to == "templates";
        take(&crate_folder.join(from), to, tests_too, &mut list);
    }
    list.push(']');
    std::fs::write(out.join("files.rs"), list).expect("OUT_DIR can be written");
    // Without it the program builds, too, and makes the module from its sources when a menu is to be built.
    println!("cargo::rerun-if-changed={MENU}");
    let module = std::fs::read(crate_folder.join(MENU)).unwrap_or_default();
    std::fs::write(out.join("menu.wasm"), module).expect("OUT_DIR can be written");
}

/// A file, or all files of a folder, sorted, so that the same sources give the same program.
fn take(from: &Path, to: &str, tests_too: bool, list: &mut String) {
    if !from.exists() {
        return;
    }
    println!("cargo::rerun-if-changed={}", from.display());
    if from.is_file() {
        writeln!(list, "({to:?}, include_bytes!({from:?})),").expect("writing to a String cannot fail");
        return;
    }
    let Ok(entries) = std::fs::read_dir(from) else { return };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for name in names {
        let left_out = LEFT_OUT.contains(&name.as_str()) || name == "tests" && !tests_too || name.ends_with(".pyc");
        if !left_out {
            take(&from.join(&name), &format!("{to}/{name}"), tests_too, list);
        }
    }
}
