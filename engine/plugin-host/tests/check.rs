//! The check before a bundle goes live: every step told, and nothing compiled that is refused anyway.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::time::Timestamp;
use gudok_plugin_host::Admission;
use gudok_plugin_host::bundle::{self, BundleLimits, Packed};
use gudok_plugin_host::check::{Candidate, Checked, Outcome, StepName, Trust, check};
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::manifest::Capabilities;
use gudok_plugin_host::signature::{AgencyKey, KnownVersion, NewKey, keygen, sign};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use std::sync::LazyLock;
use std::time::Duration;
use support::*;

const OPEN: &str = r#"(import "gudok:ivr/storage@0.1.0" "[static]bucket.open" (func $open (param i32 i32 i32)))"#;
const STORAGE: &str = "[capabilities]\nstorage = { buckets = [\"attempts\"] }";

static AS_DECLARED: LazyLock<Admission> = LazyLock::new(Admission::as_declared);
static LIMITS: LazyLock<BundleLimits> = LazyLock::new(BundleLimits::default);

/// With right sums, and whatever else is wrong with it.
fn zip_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(bytes))).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in
        files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).chain([("SHA256SUMS", sums.as_bytes())])
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn storage_guest() -> Vec<u8> {
    component(&guest(OPEN, "", ""), "service")
}

fn bytes_of(manifest: &str, wasm: Vec<u8>) -> Vec<u8> {
    zip_of(&[("manifest.toml", manifest.as_bytes().to_vec()), ("script.wasm", wasm)])
}

fn good() -> Packed {
    let parts = vec![
        part("manifest.toml", manifest(STORAGE)),
        part("script.wasm", storage_guest()),
        part("media/ru-RU/welcome.wav", "RIFF"),
    ];
    bundle::pack(parts, &LIMITS).unwrap()
}

fn signed(packed: &Packed, keys: &NewKey) -> Packed {
    let text = sign(&packed.sums, "one", "trial", "1.0.0", None, &keys.secret_file, None).unwrap();
    bundle::with_signature(&packed.bytes, &text, &LIMITS).unwrap()
}

struct Desk {
    bench: Bench,
    keys: NewKey,
    trusted: Vec<AgencyKey>,
}

impl Desk {
    fn new() -> Self {
        let keys = keygen(None, "").unwrap();
        let trusted = vec![AgencyKey::new("one", keys.public.clone())];
        Self { bench: Bench::new(4), keys, trusted }
    }

    fn candidate<'a>(&'a self, bytes: &'a [u8]) -> Candidate<'a> {
        Candidate {
            bytes,
            file_name: None,
            agency: "one",
            trust: Trust::Signed(&self.trusted),
            known: &[],
            allow_downgrade: false,
            admission: &AS_DECLARED,
            limits: &LIMITS,
            now: Timestamp::from_millis(1_700_000_000_000),
        }
    }

    fn check(&self, candidate: &Candidate<'_>) -> Checked {
        check(&self.bench.host, candidate)
    }

    /// Whether anything was compiled.
    fn compiled(&self) -> bool {
        std::fs::read_dir(self.bench.folder.path().join("cache")).unwrap().next().is_some()
    }
}

fn outcomes(checked: &Checked) -> Vec<(&'static str, &'static str)> {
    checked.steps.iter().map(|step| (step.name.as_str(), step.outcome.as_str())).collect()
}

#[test]
fn a_good_bundle_passes_every_step() {
    let desk = Desk::new();
    let bundle = signed(&good(), &desk.keys);
    let checked = desk.check(&Candidate { file_name: Some("trial-1.0.0.ivr"), ..desk.candidate(&bundle.bytes) });
    let all = ["archive", "manifest", "signature", "interface", "grants", "media", "compile"];
    assert_eq!(outcomes(&checked), all.map(|name| (name, "ok")));
    assert!(checked.passed());
    assert_eq!(checked.signed_by, Some(desk.keys.public.id()));
    assert_eq!(checked.bundle.unwrap().content_sha256, bundle.content_sha256);
    run_simply(checked.version.as_ref().unwrap());
    assert!(checked.steps.last().unwrap().took > Duration::ZERO);
    assert_eq!(bundle.content_sha256, good().content_sha256, "signing changes no content");
    // Nor does it write sums anew that somebody made by hand, in another order.
    let by_hand = bytes_of(&manifest(STORAGE), storage_guest());
    let before = bundle::Bundle::from_upload(&by_hand, &LIMITS).unwrap();
    let text = sign(&before.sums, "one", "trial", "1.0.0", None, &desk.keys.secret_file, None).unwrap();
    let signed = bundle::with_signature(&by_hand, &text, &LIMITS).unwrap();
    assert_eq!(signed.content_sha256, before.content_sha256);
    assert!(desk.check(&desk.candidate(&signed.bytes)).passed());
}

#[test]
fn unsigned_bundles_pass_only_where_an_admin_says_so() {
    let desk = Desk::new();
    let (plain, stranger) = (good(), signed(&good(), &keygen(None, "").unwrap()));
    let outcome = |checked: &Checked| checked.steps[2].outcome.clone();
    let Outcome::Failed(finding) = outcome(&desk.check(&desk.candidate(&plain.bytes))) else { panic!() };
    assert!(finding.field == "signature" && finding.remedy.contains("gudok sign"), "{finding:?}");
    assert!(!desk.compiled(), "nobody's component is compiled before it is known who signed it");
    let checked = desk.check(&Candidate { trust: Trust::UnsignedToo(&[]), ..desk.candidate(&plain.bytes) });
    assert!(matches!(outcome(&checked), Outcome::Skipped(_)) && checked.passed());
    let checked = desk.check(&Candidate { trust: Trust::UnsignedToo(&[]), ..desk.candidate(&stranger.bytes) });
    assert!(!checked.passed(), "one that is there must be right");
    let checked = desk.check(&Candidate { trust: Trust::File, ..desk.candidate(&stranger.bytes) });
    assert!(checked.passed() && checked.signed_by.is_none());
}

#[test]
fn every_failure_is_told_at_once() {
    let desk = Desk::new();
    // Unsigned, imports what is not declared, and lacks a recording.
    let bytes = bytes_of(&manifest("media = [\"missing\"]"), storage_guest());
    let checked = desk.check(&desk.candidate(&bytes));
    let expect = [
        ("archive", "ok"),
        ("manifest", "ok"),
        ("signature", "failed"),
        ("interface", "ok"),
        ("grants", "failed"),
        ("media", "failed"),
        ("compile", "skipped"),
    ];
    assert_eq!(outcomes(&checked), expect);
    let fields: Vec<&str> = checked.findings().map(|(_, finding)| finding.field.as_str()).collect();
    assert_eq!(fields, ["signature", "capabilities.storage", "missing"]);
    assert!(checked.findings().all(|(_, finding)| finding.remedy.starts_with(char::is_uppercase)));
    assert!(!desk.compiled() && checked.bundle.is_none() && checked.version.is_none());
}

#[test]
fn each_step_refuses_what_is_its_own() {
    let desk = Desk::new();
    let check = |name: StepName, field: &str, candidate: Candidate<'_>| {
        let checked = desk.check(&Candidate { trust: Trust::File, ..candidate });
        let findings: Vec<_> = checked.findings().collect();
        assert_eq!(findings.len(), 1, "{name:?} {findings:?}");
        assert_eq!((findings[0].0, findings[0].1.field.as_str()), (name, field), "{findings:?}");
        assert!(!checked.passed() && checked.version.is_none());
        assert_eq!(checked.steps.len(), 7);
    };
    let whole = good().bytes;
    let candidate = || desk.candidate(&whole);
    check(StepName::Archive, "bundle", desk.candidate(b"no zip"));
    check(StepName::Archive, "bundle", desk.candidate(&whole[..whole.len() - 9]));
    let newer = bytes_of(&manifest("").replace("\"0.1\"", "\"9.9\""), storage_guest());
    check(StepName::Manifest, "interface", desk.candidate(&newer));
    check(StepName::Manifest, "file name", Candidate { file_name: Some("x.ivr"), ..candidate() });
    check(StepName::Manifest, "agency", Candidate { agency: "two", ..candidate() });
    let known =
        |version: &str| [KnownVersion { version: version.parse().unwrap(), content_sha256: [7; 32], released: true }];
    check(StepName::Signature, "version", Candidate { known: &known("1.0.0"), ..candidate() });
    check(StepName::Signature, "version", Candidate { known: &known("2.0.0"), ..candidate() });
    let component = |text: &str| bytes_of(&manifest(""), wat::parse_str(text).unwrap());
    check(StepName::Interface, "script.wasm", desk.candidate(&component("(component (import \"print\" (func)))")));
    check(StepName::Interface, "kind", desk.candidate(&component("(component)")));
    // Found only when it is linked.
    let empty = component("(component (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))");
    check(StepName::Interface, "script.wasm", desk.candidate(&empty));
    let nothing: Capabilities = toml::from_str("").unwrap();
    let admission = Admission { approval: Approval::Only(Box::new(nothing)), ..Admission::as_declared() };
    check(StepName::Grants, "capabilities.storage", Candidate { admission: &admission, ..candidate() });
    let plain = || support::component(&guest("", "", ""), "service");
    let fetches = bytes_of(&manifest("[capabilities]\nfetch = { origins = [\"config:back_end\"] }"), plain());
    check(StepName::Grants, "config.back_end", desk.candidate(&fetches));
    let silent = bytes_of(&manifest("media = [\"hello\"]"), plain());
    check(StepName::Media, "hello", desk.candidate(&silent));
    let broken = component(
        "(component (core module (func (result i32))) (instance $i) (export \"gudok:ivr/script@0.1.0\" (instance $i)))",
    );
    check(StepName::Compile, "script.wasm", desk.candidate(&broken));
}

#[test]
fn going_back_is_possible_when_it_is_meant() {
    let desk = Desk::new();
    let bundle = signed(&good(), &desk.keys);
    let known = [KnownVersion { version: "2.0.0".parse().unwrap(), content_sha256: [7; 32], released: true }];
    let candidate = Candidate { known: &known, ..desk.candidate(&bundle.bytes) };
    assert!(!desk.check(&candidate).passed());
    assert!(desk.check(&Candidate { allow_downgrade: true, ..candidate }).passed());
}
