//! What an enemy may pack. Each row breaks a good bundle in one way and names what must be said about it.

use super::*;
use std::io::Write;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

const MANIFEST_TEXT: &str = "format = 1\nname = \"trial\"\nversion = \"1.0.0\"\nkind = \"service\"\ninterface = \"0.1\"\n\
    agency = \"one\"\nlanguages = [\"ru-RU\"]\n";
const NAME: &str = "trial-1.0.0.ivr";

fn limits() -> BundleLimits {
    BundleLimits {
        file_bytes_max: 1 << 20,
        unpacked_bytes_max: 1 << 22,
        entry_bytes_max: 1 << 21,
        entries_max: 20,
        ..BundleLimits::default()
    }
}

type Files = Vec<(&'static str, Vec<u8>)>;

fn good() -> Files {
    vec![
        ("manifest.toml", MANIFEST_TEXT.into()),
        ("script.wasm", b"\0asm\x0d\0\x01\0".to_vec()),
        ("media/ru-RU/welcome.wav", b"RIFF".to_vec()),
        ("data/menu.json", b"{}".to_vec()),
    ]
}

fn sums(files: &Files) -> Vec<u8> {
    let line = |(name, bytes): &(&str, Vec<u8>)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
    files.iter().filter(|(name, _)| *name != SIGNATURE).map(line).collect::<String>().into_bytes()
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

fn zip(files: &Files) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A bundle of these files, with right sums.
fn summed(mut files: Files) -> Vec<u8> {
    files.push((SUMS, sums(&files)));
    zip(&files)
}

fn with(name: &'static str, bytes: &[u8]) -> Files {
    let mut files = good();
    files.retain(|(other, _)| *other != name);
    files.push((name, bytes.to_vec()));
    files
}

fn without(name: &str) -> Files {
    let mut files = good();
    files.retain(|(other, _)| *other != name);
    files
}

fn check_named(file_name: &str, bytes: &[u8], says: &str) {
    match Bundle::from_bytes(file_name, bytes, &limits()) {
        Ok(_) => panic!("accepted, but should say {says:?}"),
        Err(refusal) => {
            let text = refusal.to_string();
            assert!(text.contains(says), "{text:?} does not say {says:?}");
        }
    }
}

fn check(bytes: &[u8], says: &str) {
    check_named(NAME, bytes, says);
}

/// The place of the first bytes of that kind, for breaking them.
fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

fn patched(at: impl Fn(&[u8]) -> usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = summed(good());
    let at = at(&bytes);
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

const HEADER: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

#[test]
fn a_good_bundle_is_read() {
    let bundle = Bundle::from_bytes(NAME, &summed(good()), &limits()).unwrap();
    assert_eq!(bundle.manifest.name, "trial");
    assert_eq!(bundle.media_names().into_iter().collect::<Vec<_>>(), ["welcome"]);
    assert_eq!(&*bundle.data["menu.json"], b"{}");
    assert_eq!(bundle.content_sha256, <[u8; 32]>::from(Sha256::digest(sums(&good()))));
    let mut signed = good();
    signed.push((SIGNATURE, b"trust me".to_vec()));
    assert!(Bundle::from_bytes(NAME, &summed(signed), &limits()).unwrap().signature.is_some());
}

#[test]
fn what_is_not_a_zip_is_refused() {
    check(b"", "not a ZIP file");
    check(b"GIF89a, padded to be longer than an end record", "not a ZIP file");
    let whole = summed(good());
    check(&whole[..whole.len() - 1], "not a ZIP file");
    check(&whole[..whole.len() / 2], "not a ZIP file");
    check(&whole[1..], "directory is broken");
    check(&[b"#!/bin/sh\n".as_slice(), &whole].concat(), "directory is broken");
    check(&[&whole, b"more".as_slice()].concat(), "not a ZIP file");
    check(&[&whole, whole.as_slice()].concat(), "directory is broken");
}

#[test]
fn a_broken_directory_is_refused() {
    let end = |offset: usize| move |bytes: &[u8]| find(bytes, END) + offset;
    let header = |offset: usize| move |bytes: &[u8]| find(bytes, HEADER) + offset;
    check(&patched(end(4), &[1, 0]), "several volumes");
    check(&patched(end(8), &[4, 0]), "several volumes");
    check(&patched(end(8), &[4, 0, 4, 0]), "more than the end record counts");
    check(&patched(end(8), &[6, 0, 6, 0]), "an entry is cut off");
    check(&patched(end(8), &[200, 0, 200, 0]), "entries_max");
    check(&patched(end(16), &[0xff; 4]), "ZIP64");
    check(&patched(end(16), &[0; 4]), "does not lie between");
    check(&patched(end(20), &[4, 0]), "an archive comment");
    check(&patched(header(0), b"XX"), "does not begin as it must");
    check(&patched(header(8), &[1, 0]), "encryption");
    check(&patched(header(10), &[12, 0]), "a compression other than deflate");
    check(&patched(header(20), &[0xff; 4]), "ZIP64");
    check(&patched(header(28), &[0xff, 0xff]), "an entry is cut off");
    check(&patched(header(42), &[0xff, 0xff, 0xff, 0x7f]), "before the first file");
    check(&patched(|_| 0, b"XX"), "no file where the directory says");
    check(&patched(|bytes| find(bytes, b"manifest.toml"), b"manifesto"), "another name than the directory");
}

#[test]
fn files_that_share_bytes_are_refused() {
    // The second header points where the first one does, and calls itself the same in both places.
    let mut files = good();
    files.push(("data/a", b"1".to_vec()));
    files.push(("data/b", b"2".to_vec()));
    let mut bytes = summed(files);
    let headers: Vec<usize> = (0..bytes.len() - 4).filter(|at| &bytes[*at..*at + 4] == HEADER).collect();
    let of = |name: &[u8], bytes: &[u8]| *headers.iter().find(|at| bytes[**at + 46..].starts_with(name)).unwrap();
    let (a, b) = (of(b"data/a", &bytes), of(b"data/b", &bytes));
    let size = [0, 1, 0, 0];
    let offset: [u8; 4] = bytes[a + 42..a + 46].try_into().unwrap();
    let own_header = u32::from_le_bytes(offset) as usize;
    bytes[a + 20..a + 24].copy_from_slice(&size);
    check(&bytes, "other sizes");
    bytes[own_header + 18..own_header + 22].copy_from_slice(&size);
    check(&bytes, "shares bytes");
    bytes[b + 42..b + 46].copy_from_slice(&offset);
    check(&bytes, "data/");
}

#[test]
fn names_that_lead_out_or_astray_are_refused() {
    for name in [
        "../etc/passwd",
        "data/../../x",
        "data/./x",
        ".hidden",
        "data/.git",
        "data//x",
        "data\\x",
        "data/C:x",
        "data/я",
        "data/a b",
        "data/\u{0}x",
    ] {
        check(&summed(with(name, b"x")), "its name");
    }
    check(&summed(with("/etc/passwd", b"x")), "is absolute");
    check(&summed(with("data/x/", b"")), "not a plain file");
    let long: &'static str = Box::leak(format!("data/{}", "x".repeat(300)).into_boxed_str());
    check(&summed(with(long, b"x")), "name_bytes_max");
    let not_utf8 = {
        let mut bytes = summed(with("data/caf", b"x"));
        while let Some(at) = bytes.windows(8).position(|window| window == b"data/caf") {
            bytes[at + 7] = 0xff;
        }
        bytes
    };
    check(&not_utf8, "not UTF-8");
    check(&summed(with("DATA/menu.json", b"x")), "is there twice");
    check(&summed(with("Manifest.toml", b"x")), "is there twice");
}

#[test]
fn one_name_twice_is_refused() {
    // The writer refuses it too, so the name is patched in afterwards.
    let mut bytes = summed(with("data/menu.jsox", b"evil"));
    while let Some(at) = bytes.windows(14).position(|window| window == b"data/menu.jsox") {
        bytes[at + 13] = b'n';
    }
    check(&bytes, "data/menu.json is there twice");
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("data/link", "/etc/passwd", options()).unwrap();
    check(&zip.finish().unwrap().into_inner(), "not a plain file");
}

#[test]
fn what_is_too_much_is_refused() {
    check(&vec![0; (1 << 20) + 1], "file_bytes_max");
    let zeros = vec![0; 1 << 21];
    check(&summed(with("media/ru-RU/a.wav", &zeros)), "ratio_max");
    check(&summed(with("media/ru-RU/a.wav", &vec![0; (1 << 21) + 1])), "entry_bytes_max");
    check(&summed(with("data/big", &zeros)), "data_bytes_max");
    check(&summed(with("manifest.toml", &zeros)), "manifest_bytes_max");
    let half = |name| (name, vec![0; 1 << 20]);
    let many = ["data/1", "data/2", "data/3", "data/4", "data/5"].map(half);
    check(&summed([good(), many.to_vec()].concat()), "unpacked_bytes_max");
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];
    let files = names.map(|name| (&*Box::leak(format!("data/{name}").into_boxed_str()), Vec::new()));
    check(&summed([good(), files.to_vec()].concat()), "entries_max");
}

#[test]
fn what_lies_about_its_size_is_refused() {
    let at = |bytes: &[u8]| find(bytes, HEADER) + 24;
    check(&patched(at, &[1, 0, 0, 0]), "does not unpack");
    check(&patched(at, &[0, 1, 0, 0]), "does not unpack");
    let contents = |bytes: &[u8]| find(bytes, b"manifest.toml") + 20;
    check(&patched(contents, &[0x55; 8]), "does not unpack");
}

#[test]
fn missing_and_unexpected_files_are_refused() {
    check(&zip(&good()), "no SHA256SUMS");
    check(&summed(without(MANIFEST)), "no manifest.toml");
    check(&summed(without(COMPONENT)), "no script.wasm");
    check(&zip(&Vec::new()), "no SHA256SUMS");
    for name in
        ["README", "media/welcome.wav", "media/ru-RU/x.exe", "media/ru-RU/deep/x.wav", "script.wasm.bak", "data"]
    {
        check(&summed(with(name, b"x")), "has no place in a bundle");
    }
    check(&summed(with("media/en-US/hello.wav", b"x")), "the language en-US is not in the manifest");
    check(&summed(with("media/ru-RU/welcome.mp3", b"x")), "twice for ru-RU");
    let two = MANIFEST_TEXT.replace("[\"ru-RU\"]", "[\"ru-RU\", \"en-US\"]");
    check(&summed(with(MANIFEST, two.as_bytes())), "Add media/en-US/welcome.wav");
    let wants = format!("{MANIFEST_TEXT}media = [\"goodbye\"]\n");
    check(&summed(with(MANIFEST, wants.as_bytes())), "Add media/ru-RU/goodbye.wav");
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let with_sums = |change: &dyn Fn(String) -> String| {
        let mut files = good();
        let text = String::from_utf8(sums(&files)).unwrap();
        files.push((SUMS, change(text).into_bytes()));
        zip(&files)
    };
    let first_line_gone = |text: String| text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    check(&with_sums(&first_line_gone), "manifest.toml is not named in SHA256SUMS");
    check(&with_sums(&|text| format!("{text}{}  data/gone\n", "0".repeat(64))), "names data/gone, which is not there");
    check(&with_sums(&|text| text.replace("  data/menu", "  data/manu")), "data/manu.json, which is not there");
    check(&with_sums(&|text| format!("{}{}", text, text.lines().next().unwrap())), "a second time");
    check(&with_sums(&|text| text.replacen(|c: char| c.is_ascii_hexdigit(), "g", 1)), "line 1: not 64");
    check(&with_sums(&|text| text.replace("  ", " ")), "no two spaces");
    check(&with_sums(&|_| "short".into()), "too short");
    check(&with_sums(&|_| "ж".repeat(70)), "SHA256SUMS line 1");
    let mut files = good();
    let honest = sums(&files);
    files[1].1 = b"\0asm evil".to_vec();
    files.push((SUMS, honest));
    check(&zip(&files), "script.wasm does not match its sum");
}

#[test]
fn the_file_is_named_as_its_manifest_says() {
    for name in ["other-1.0.0.ivr", "trial-1.0.1.ivr", "trial-1.0.0.zip", "", "trial.ivr"] {
        check_named(name, &summed(good()), "its manifest says trial-1.0.0.ivr");
    }
}

#[test]
fn packing_is_deterministic_and_reads_back() {
    let parts = |files: Files| {
        files.into_iter().map(|(place, bytes)| PackPart { place: place.into(), bytes }).collect::<Vec<_>>()
    };
    let mut shuffled = good();
    shuffled.reverse();
    let (one, two) = (pack(parts(good()), &limits()).unwrap(), pack(parts(shuffled), &limits()).unwrap());
    assert_eq!(one.file_name, NAME);
    assert_eq!(one.bytes, two.bytes);
    let bundle = Bundle::from_bytes(&one.file_name, &one.bytes, &limits()).unwrap();
    assert_eq!(bundle.content_sha256, one.content_sha256);
    // What compresses too well is stored, and so is not taken for a bomb.
    let mut quiet = good();
    quiet.push(("media/ru-RU/silence.wav", vec![0; (1 << 20) - 40_000]));
    let roomy = BundleLimits { file_bytes_max: 1 << 22, ratio_free_bytes: 1024, ..limits() };
    assert!(pack(parts(quiet), &roomy).is_ok());
    assert!(matches!(pack(parts(without(COMPONENT)), &limits()), Err(BundleRefusal::MissingFile { .. })));
}

#[test]
fn a_folder_is_packed_as_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in good() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(folder.path().join(".DS_Store"), "x").unwrap();
    std::fs::write(folder.path().join(SUMS), "stale").unwrap();
    let packed = pack_dir(folder.path(), &limits()).unwrap();
    let path = folder.path().join(&packed.file_name);
    std::fs::write(&path, &packed.bytes).unwrap();
    assert_eq!(Bundle::open(&path, &limits()).unwrap().content_sha256, packed.content_sha256);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("data/link")).unwrap();
    let error = pack_dir(folder.path(), &limits()).unwrap_err().to_string();
    assert!(error.contains("data/link"), "{error}");
    let error = Bundle::open(&folder.path().join("none.ivr"), &limits()).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
    let error = Bundle::open(folder.path(), &limits()).unwrap_err().to_string();
    assert!(error.contains("not a plain file"), "{error}");
}

#[test]
fn no_single_byte_makes_the_reader_panic() {
    let good = summed(good());
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            // Some bytes (times, unused flags) say nothing: what is accepted has the same content.
            if let Ok(bundle) = Bundle::from_bytes(NAME, &bytes, &limits()) {
                assert_eq!(bundle.content_sha256, Bundle::from_bytes(NAME, &good, &limits()).unwrap().content_sha256);
            }
        }
    }
}
