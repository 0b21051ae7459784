//! The interface is documented once, in `wit/v0.1.0`. From there come the typed lower layer of the JavaScript and the Python
//! SDK and the reference page; Rust's comes by wit-bindgen. `GUDOK_WRITE=1 cargo test -p gudok-workbench --test interface`
//! writes them; without it, the test says what is out of date.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test and its tool")]

mod javascript;
mod python;
mod reference;
mod wit;

use std::path::{Path, PathBuf};

const HOW: &str = "GUDOK_WRITE=1 cargo test -p gudok-workbench --test interface";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every generated file with its text.
fn generated() -> Vec<(PathBuf, String)> {
    let wit = wit::Interface::read(&root().join("wit/v0.1.0"));
    let mut files = vec![
        ("plugins/sdk-js/src/interface.d.ts".into(), javascript::declarations(&wit)),
        ("docs/INTERFACE.md".into(), reference::page(&wit)),
    ];
    files.extend(
        python::modules(&wit).into_iter().map(|(name, text)| (format!("plugins/sdk-py/interface/{name}"), text)),
    );
    files.into_iter().map(|(name, text)| (root().join(name), text)).collect()
}

#[test]
fn what_is_generated_from_the_interface_is_up_to_date() {
    let write = std::env::var_os("GUDOK_WRITE").is_some();
    let mut stale = Vec::new();
    for (path, text) in generated() {
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        if there == text {
            continue;
        }
        if write {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            eprintln!("wrote {}", path.display());
        } else {
            let line = there.lines().zip(text.lines()).take_while(|(there, new)| there == new).count() + 1;
            stale.push(format!("{}, from line {line}", path.display()));
        }
    }
    assert!(stale.is_empty(), "out of date: {}. Run {HOW}", stale.join("; "));
}

#[test]
fn every_function_of_the_interface_is_on_the_reference_page() {
    let wit = wit::Interface::read(&root().join("wit/v0.1.0"));
    let page = reference::page(&wit);
    let mut functions = 0;
    for (name, interface) in wit.interfaces() {
        for function in interface.functions.values() {
            let heading = format!("#### {}\n", wit.heading(function));
            assert!(page.contains(&heading), "{name}: {heading}");
            functions += 1;
        }
    }
    assert!(functions > 60, "only {functions} functions were found");
}
