//! A bundle beside its next version: what is told, and what needs an admin.

use super::*;
use crate::bundle::{BundleLimits, PackPart, pack};

const BASE: &str = r#"format = 1
name = "desk"
version = "1.0.0"
kind = "menu"
interface = "0.1"
agency = "mfc"
languages = ["ru-RU"]
entries = ["main"]

[capabilities]
storage = { buckets = ["a", "b"] }
fetch = { origins = ["https://x.example", "config:back_end"] }
transfer = { groups = ["first"], numbers = ["+7495"], modes = ["bridge"] }
recording = { retention_days_max = 30 }
secrets = { names = ["token"] }

[limits]
memory_mib = 8

[config]
back_end = "https://default.example"
office = "1"
"#;
const MENU: &str = r#"start = "main"
[nodes.main]
do = "menu"
choices = { "1" = "hours", "2" = "bye" }
say = ["Справка", { number = 1 }]
[nodes.hours]
do = "say"
say = "С восьми"
then = "bye"
[nodes.bye]
do = "hangup"
[[tables.offices]]
key = "1"
name = "Север"
[[tables.offices]]
key = "2"
name = "Юг"
"#;

fn bundle_of(manifest: &str, files: &[(&str, &str)]) -> Bundle {
    let part = |(place, text): &(&str, &str)| PackPart { place: (*place).to_owned(), bytes: text.as_bytes().to_vec() };
    let fixed = [("manifest.toml", manifest), ("script.wasm", "\0asm")];
    let parts = fixed.iter().chain(files).map(part).collect();
    let packed = pack(parts, &BundleLimits::default()).unwrap();
    Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap()
}

fn base() -> Bundle {
    bundle_of(BASE, &[("data/menu.toml", MENU), ("data/list.json", "[]"), ("media/ru-RU/hello.wav", "RIFF")])
}

/// `name change from → to`, a line each.
fn lines(changes: &[Changed]) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let line = |changed: &Changed| {
        format!("{} {} {} → {}", changed.name, changed.change.as_str(), text(&changed.from), text(&changed.to))
    };
    changes.iter().map(line).collect()
}

#[test]
fn the_same_bundle_is_no_difference() {
    assert_eq!(between(Some(&base()), &base()), Difference::default());
}

#[test]
fn what_comes_where_nothing_was_is_all_new() {
    let difference = between(None, &base());
    assert!(difference.new_rights);
    let rights = lines(&difference.capabilities);
    assert_eq!(rights[0], "recording added - → retention_days_max: 30");
    assert_eq!(rights[1], "transfer added - → groups: first; numbers: +7495; modes: bridge");
    assert_eq!(rights[2], "storage added - → buckets: a, b");
    assert!(rights[3].contains("config:back_end (if not configured: https://default.example), https://x.example"));
    assert_eq!(rights[4], "secrets added - → names: token");
    assert_eq!(lines(&difference.limits), ["memory_mib narrowed 32 → 8"]);
    assert_eq!(lines(&difference.menus), ["menu added - → 3 nodes"]);
    assert_eq!(difference.media[0].name, "ru-RU/hello");
    assert_eq!(lines(&difference.numbers), ["entries added - → main"]);
    assert!(lines(&difference.general).contains(&"version added - → 1.0.0".to_owned()));
    let plain = BASE.split("\n[capabilities]").next().unwrap();
    assert!(!between(None, &bundle_of(plain, &[])).new_rights);
}

#[test]
fn rights_are_wider_or_narrower() {
    let check = |from: &str, to: &str, expect: &[&str], new_rights: bool| {
        assert!(BASE.contains(from), "{from}");
        let difference = between(Some(&base()), &bundle_of(&BASE.replacen(from, to, 1), &[]));
        assert_eq!(lines(&difference.capabilities), expect, "{from} → {to}");
        assert_eq!(difference.new_rights, new_rights, "{from} → {to}");
    };
    check(r#"["a", "b"]"#, r#"["b", "a"]"#, &[], false);
    check(r#"["a", "b"]"#, r#"["a"]"#, &["storage.buckets narrowed a, b → a"], false);
    check(r#"["a", "b"]"#, r#"["a", "c"]"#, &["storage.buckets widened a, b → a, c"], true);
    check(r#"["+7495"]"#, r#"["+74951"]"#, &["transfer.numbers narrowed +7495 → +74951"], false);
    check(r#"["+7495"]"#, r#"["+7495", "+74951"]"#, &[], false);
    check(r#"["+7495"]"#, r#"["+7"]"#, &["transfer.numbers widened +7495 → +7"], true);
    check(r#"["+7495"]"#, r#"["+7495", "+7384"]"#, &["transfer.numbers widened +7495 → +7384, +7495"], true);
    check(r#"["bridge"]"#, r#"["bridge", "blind"]"#, &["transfer.modes widened bridge → blind, bridge"], true);
    check(r#"groups = ["first"], "#, "", &["transfer.groups narrowed first → nobody"], false);
    check("max = 30", "max = 7", &["recording.retention_days_max narrowed 30 → 7"], false);
    check("max = 30", "max = 90", &["recording.retention_days_max widened 30 → 90"], true);
    check(
        "max = 30",
        "max = 30, consent_required = true",
        &["recording.consent_required narrowed false → true"],
        false,
    );
    check(r#"["token"]"#, r#"["token"], reveal = true"#, &["secrets.reveal widened false → true"], true);
    check("secrets = { names = [\"token\"] }\n", "", &["secrets removed names: token → -"], false);
    check("[limits]", "queues = {}\n[limits]", &["queues added - → granted"], true);
    let other_default = "fetch.origins widened config:back_end (if not configured: https://default.example), \
                         https://x.example → config:back_end (if not configured: https://evil.example), https://x.example";
    check("https://default", "https://evil", &[other_default], true);
    // To ask again for consent no more is a right.
    let strict = bundle_of(&BASE.replace("max = 30", "max = 30, consent_required = true"), &[]);
    assert!(between(Some(&strict), &base()).new_rights);
}

#[test]
fn limits_entries_config_and_files_are_told() {
    let changed = BASE
        .replace("memory_mib = 8", "memory_mib = 16\nhttp_requests_max = 5")
        .replace("entries = [\"main\"]", "entries = []")
        .replace("office = \"1\"", "office = \"2\"\nextra = \"a\u{202e}b\"")
        .replace("1.0.0", "1.1.0");
    let files = [("media/ru-RU/hello.wav", "RIFX"), ("media/ru-RU/bye.ogg", "OggS"), ("data/menu.toml", MENU)];
    let difference = between(Some(&base()), &bundle_of(&changed, &files));
    assert_eq!(lines(&difference.limits), ["memory_mib widened 8 → 16", "http_requests_max narrowed 100 → 5"]);
    assert_eq!(lines(&difference.numbers), ["entries changed main → any"]);
    assert_eq!(lines(&difference.config), ["extra added - → a\\u{202e}b", "office changed 1 → 2"]);
    let told: Vec<_> = difference.media.iter().map(|changed| (changed.name.as_str(), changed.change)).collect();
    assert_eq!(told, [("ru-RU/bye", Change::Added), ("ru-RU/hello", Change::Changed)]);
    assert_eq!(difference.data[0].change, Change::Removed);
    assert_eq!(lines(&difference.general), ["version changed 1.0.0 → 1.1.0"]);
    assert!(!difference.new_rights && difference.menus.is_empty());
}

#[test]
fn menus_are_told_node_by_node() {
    let check = |from: &str, to: &str, expect: &[&str]| {
        assert!(MENU.contains(from), "{from}");
        let menu = MENU.replacen(from, to, 1);
        let difference = between(Some(&base()), &bundle_of(BASE, &[("data/menu.toml", &menu)]));
        assert_eq!(lines(&difference.menus), expect);
    };
    check("С восьми", "С девяти", &["nodes.hours.say changed С восьми → С девяти"]);
    check(
        "\"2\" = \"bye\"",
        "\"3\" = \"bye\"",
        &["nodes.main.choices.2 removed bye → -", "nodes.main.choices.3 added - → bye"],
    );
    check("number = 1", "number = 2", &["nodes.main.say[1].number changed 1 → 2"]);
    check(
        "[\"Справка\", { number = 1 }]",
        "[\"Да\"]",
        &["nodes.main.say changed [\"Справка\",{\"number\":1}] → [\"Да\"]"],
    );
    check(
        "\nkey = \"2\"\nname = \"Юг\"",
        "\nkey = \"3\"\nname = \"Юг\"",
        &[
            "tables.offices.2 removed {\"key\":\"2\",\"name\":\"Юг\"} → -",
            "tables.offices.3 added - → {\"key\":\"3\",\"name\":\"Юг\"}",
        ],
    );
    check("[nodes.bye]", "[nodes.\"a.b\"]\ndo = \"say\"\n[nodes.bye]", &["nodes.\"a.b\" added - → {\"do\":\"say\"}"]);
    check(
        "start = \"main\"",
        "start = ",
        &["menu changed 3 nodes → cannot be read: string values must be quoted, expected literal string"],
    );
}

#[test]
fn a_menu_that_is_made_to_flood_is_cut() {
    let nodes: String = (0..2_000).map(|n| format!("[nodes.n{n}]\ndo = \"{}\"\n", "x".repeat(400))).collect();
    let menu = format!("{MENU}{nodes}");
    let difference = between(Some(&base()), &bundle_of(BASE, &[("data/menu.toml", &menu)]));
    assert_eq!(difference.menus.len(), 501);
    assert_eq!(difference.menus[500].to.as_deref(), Some("1500 more changes"));
    assert!(difference.menus.iter().flat_map(|changed| &changed.to).all(|text| text.chars().count() <= 320));
    let deep = format!("a = {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let difference = between(Some(&base()), &bundle_of(BASE, &[("data/menu.toml", &deep)]));
    assert!(difference.menus[0].to.as_deref().unwrap().contains("cannot be read"));
}
