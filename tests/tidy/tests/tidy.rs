//! The house rules, as tests. Each says what to do when it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use gudok_tidy::{files_below, root, text_of};
use std::collections::{BTreeMap, BTreeSet};

/// Which of our crates may use which (docs/ARCHITECTURE.md, "Who may import whom"). Test gear is free.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("gudok-core", &[]),
    ("gudok-media", &[]),
    ("gudok-speech", &[]),
    ("gudok-store", &[]),
    ("gudok-phone", &[]),
    ("gudok-sip", &["gudok-core"]),
    ("gudok-plugin-host", &["gudok-core"]),
    ("gudok-admin", &["gudok-core", "gudok-store"]),
    ("gudok-simulator", &["gudok-core", "gudok-plugin-host"]),
    ("gudok-workbench", &["gudok-core", "gudok-plugin-host", "gudok-simulator", "gudok-speech"]),
    (
        "gudok",
        &[
            "gudok-admin",
            "gudok-core",
            "gudok-media",
            "gudok-phone",
            "gudok-plugin-host",
            "gudok-simulator",
            "gudok-sip",
            "gudok-speech",
            "gudok-store",
            "gudok-workbench",
        ],
    ),
];

/// Lines that a module of ours may have.
const MODULE_LINES_MAX: usize = 600;

struct Manifest {
    name: String,
    ours: BTreeSet<String>,
    foreign: BTreeSet<String>,
}

fn manifests() -> Vec<Manifest> {
    let mut all = Vec::new();
    for folder in ["engine", "tests", "plugins"] {
        for path in files_below(&root().join(folder), &["Cargo.toml"]) {
            let manifest: toml::Table = text_of(&path).parse().unwrap();
            let Some(package) = manifest.get("package") else { continue };
            let name = package["name"].as_str().unwrap().to_owned();
            let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
            let names: BTreeSet<String> = dependencies.into_iter().flat_map(|table| table.keys().cloned()).collect();
            let (ours, foreign) = names.into_iter().partition(|name| name.starts_with("gudok"));
            all.push(Manifest { name, ours, foreign });
        }
    }
    assert!(all.len() >= MAY_IMPORT.len(), "the crates were not found");
    all
}

#[test]
fn crates_import_only_whom_they_may() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for manifest in manifests() {
        let Some(allowed) = table.get(manifest.name.as_str()) else { continue };
        for import in &manifest.ours {
            assert!(
                allowed.contains(&import.as_str()),
                "{} imports {import}: see \"Who may import whom\" in docs/ARCHITECTURE.md",
                manifest.name
            );
        }
    }
}

#[test]
fn the_core_stands_on_nothing_with_io() {
    let core = manifests().into_iter().find(|manifest| manifest.name == "gudok-core").unwrap();
    let allowed: BTreeSet<String> = ["bm25", "jiff", "rust-stemmers", "thiserror"].map(String::from).into();
    assert_eq!(core.foreign, allowed, "the core takes time, sockets, randomness and serde from nobody");
    for path in files_below(&root().join("engine/core/src"), &[".rs"]) {
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let text = text_of(&path);
        for word in ["Instant::now", "SystemTime::now", "std::net", "std::thread", "tokio", "wasmtime", "std::fs"] {
            let used = text.lines().any(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(!used, "{} uses {word}; take it as an argument", path.display());
        }
    }
}

#[test]
fn modules_fit_in_the_head() {
    let mut large = Vec::new();
    for folder in ["engine", "tests", "plugins"] {
        for path in files_below(&root().join(folder), &[".rs"]) {
            let lines = text_of(&path).lines().count();
            if lines > MODULE_LINES_MAX {
                large.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    assert!(large.is_empty(), "split along the domain:\n{}", large.join("\n"));
}

#[test]
fn docs_name_every_crate_and_dependency() {
    let architecture = text_of(&root().join("docs/ARCHITECTURE.md"));
    let dependencies = text_of(&root().join("docs/DEPENDENCIES.md"));
    for manifest in manifests() {
        assert!(
            architecture.contains(&format!("`{}`", manifest.name)),
            "docs/ARCHITECTURE.md says nothing of {}",
            manifest.name
        );
        for name in &manifest.foreign {
            assert!(
                dependencies.contains(&format!("| `{name}` |")),
                "docs/DEPENDENCIES.md has no line for {name}, which {} uses",
                manifest.name
            );
        }
    }
}

#[test]
fn docs_name_every_metric_and_every_problem() {
    let operating = text_of(&root().join("docs/OPERATING.md"));
    for path in files_below(&root().join("engine"), &[".rs"]) {
        for call in ["counter!(\"", "gauge!(\"", "histogram!(\"", "set(\""] {
            let text = text_of(&path);
            let names = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            for name in names.filter(|name| name.starts_with("gudok_")) {
                assert!(operating.contains(&format!("`{name}")), "docs/OPERATING.md says nothing of {name}");
            }
        }
    }
    let api = text_of(&root().join("docs/API.md"));
    let codes = text_of(&root().join("engine/admin/src/problem/codes.rs"));
    let codes: Vec<&str> = codes
        .lines()
        .filter_map(|line| line.trim().split_once(" = \""))
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .filter_map(|(_, rest)| rest.split('"').next())
        .collect();
    assert!(codes.len() > 20, "the codes were not found: {codes:?}");
    for code in codes {
        assert!(api.contains(&format!("`{code}`")), "docs/API.md says nothing of the problem {code}");
    }
}

#[test]
fn no_region_is_built_in() {
    for path in files_below(&root().join("engine"), &[".rs", ".toml", ".md", ".wit"]) {
        let text = text_of(&path).to_lowercase();
        for word in ["kemerovo", "кемеров", "novokuznetsk", "новокузнецк", "кузбасс"] {
            assert!(!text.contains(word), "{} names {word}: it belongs to plugins/ or the demo's data", path.display());
        }
    }
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let architecture = text_of(&root().join("docs/ARCHITECTURE.md"));
    let section =
        architecture.split("## Invariants").nth(1).expect("docs/ARCHITECTURE.md has a section \"Invariants\"");
    let section = section.split("\n## ").next().unwrap();
    let mut code = String::new();
    for folder in ["engine", "tests"] {
        for path in files_below(&root().join(folder), &[".rs"]) {
            code.push_str(&text_of(&path));
        }
    }
    let mut held = 0;
    for row in section.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()) {
        let tests: Vec<&str> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test beside the invariant: {row}");
        for test in tests {
            let name = test.rsplit("::").next().unwrap();
            assert!(code.contains(&format!("fn {name}(")), "the test {name} beside an invariant does not exist");
        }
        held += 1;
    }
    assert_eq!(held, 12, "design has nine invariants, the centre two more, and campaigns one");
}

#[test]
fn the_twelve_stories_have_a_file_each() {
    let files = files_below(&root().join("tests/stories/tests"), &[".rs"]);
    for number in 1..=12 {
        let prefix = format!("story_{number:02}_");
        let found = files.iter().any(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix));
        assert!(found, "tests/stories/tests has no {prefix}….rs");
    }
}

#[test]
fn nothing_is_left_for_later() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore"), concat!("XX", "X")];
    for folder in ["engine", "plugins", "tests", "scripts", "wit"] {
        for path in files_below(&root().join(folder), &[".rs", ".wit", ".toml", ".sh"]) {
            let text = text_of(&path);
            for word in words {
                assert!(
                    !text.contains(word),
                    "{} has a {word}: finish it, or write it into the issue's note",
                    path.display()
                );
            }
        }
    }
}
