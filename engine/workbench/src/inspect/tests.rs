use super::*;
use gudok_plugin_host::bundle::{BundleLimits, PackPart, pack, with_signature};
use gudok_plugin_host::signature::{self, PublicKey};

const MANIFEST: &str = r#"
format = 1
name = "desk"
version = "1.2.0"
kind = "service"
interface = "0.1"
agency = "clinic"
languages = ["ru-RU"]
"#;

/// A component that names these interfaces and is none otherwise: nothing here runs it.
fn bundle(manifest: &str, interfaces: &[&str]) -> Bundle {
    let component: String = interfaces.iter().map(|name| format!("gudok:ivr/{name}@0.1.0 ")).collect();
    let part = |place: &str, bytes: &[u8]| PackPart { place: place.to_owned(), bytes: bytes.to_vec() };
    let parts = vec![
        part("manifest.toml", format!("{MANIFEST}{manifest}").as_bytes()),
        part("script.wasm", component.as_bytes()),
    ];
    let packed = pack(parts, &BundleLimits::default()).unwrap();
    Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn lines(bundle: &Bundle, tongue: Tongue) -> String {
    let inspected = inspect(bundle, 2048, &[], now(), tongue);
    let lines = inspected.lines(tongue);
    // The hash is as it is.
    lines.iter().filter(|line| !line.contains("sha256")).map(|line| format!("{line}\n")).collect()
}

const WIDE: &str = r#"
[capabilities]
transfer = { groups = ["operators"], numbers = ["+7"], modes = ["bridge"] }
queues = { names = ["operators"] }
promises = { callback_queues = ["operators"], dialable = ["+7384"] }
recording = { retention_days_max = 365 }
storage = { buckets = ["visits"] }
fetch = { origins = ["https://api.example.org", "config:back_end"] }
secrets = { names = ["back-end"] }

[limits]
memory_mib = 128

[config]
back_end = "http://10.0.0.1:8080"
"#;

#[test]
fn a_bundle_is_told_in_russian() {
    let used = ["transfer", "queues", "promises", "recording", "fetch", "secrets"];
    let told = lines(&bundle(WIDE, &used), Tongue::Russian);
    crate::told::expect_told("inspect/told/wide.ru.txt", &told);
}

#[test]
fn a_bundle_is_told_in_english() {
    let used = ["transfer", "queues", "promises", "recording", "fetch", "secrets"];
    let told = lines(&bundle(WIDE, &used), Tongue::English);
    crate::told::expect_told("inspect/told/wide.en.txt", &told);
}

#[test]
fn a_bundle_that_asks_for_nothing_says_so() {
    let told = lines(&bundle("", &[]), Tongue::Russian);
    assert!(told.contains("- вести сам разговор, и больше ничего"), "{told}");
    assert!(told.contains("никуда не ведёт звонящего"), "{told}");
}

#[test]
fn who_signed_is_told_as_far_as_it_is_known() {
    let plain = bundle("", &[]);
    let (key, other) = (signature::keygen(None, "").unwrap(), signature::keygen(None, "").unwrap());
    let expires = Some(signature::at_second(1_800_086_400));
    let text = signature::sign(&plain.sums, "clinic", "desk", "1.2.0", expires, &key.secret_file, None).unwrap();
    let parts = |bundle: &Bundle| -> Vec<u8> {
        let part = |place: &str, bytes: &[u8]| PackPart { place: place.to_owned(), bytes: bytes.to_vec() };
        let parts = vec![part("manifest.toml", MANIFEST.as_bytes()), part("script.wasm", &bundle.component)];
        pack(parts, &BundleLimits::default()).unwrap().bytes
    };
    let signed = with_signature(&parts(&plain), &text, &BundleLimits::default()).unwrap();
    let signed = Bundle::from_bytes(&signed.file_name, &signed.bytes, &BundleLimits::default()).unwrap();
    let of = |public: &PublicKey| vec![AgencyKey::new("clinic", public.clone())];
    let check = |bundle: &Bundle, keys: &[AgencyKey], says: &str, unusual: &str| {
        let inspected = inspect(bundle, 1, keys, now(), Tongue::English);
        assert!(inspected.signed.iter().any(|line| line.contains(says)), "{inspected:?}");
        assert_eq!(inspected.unusual.iter().any(|line| line.contains(unusual)), !unusual.is_empty(), "{inspected:?}");
    };
    check(&plain, &[], "there is none", "it is not signed");
    check(&signed, &[], "it says to be signed by the key", "ends soon");
    check(&signed, &of(&key.public), "and it is right", "ends soon");
    check(&signed, &of(&other.public), "the signature is not good", "not good");
    check(&signed, &of(&key.public), "it is for gudok:clinic/desk@1.2.0", "ends soon");
}
