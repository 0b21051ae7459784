//! Five hundred hostile archives and names: each is refused, or is the harmless bundle that it looks like. Nothing is
//! written anywhere, nothing panics, and no archive costs more time or memory than its limits say.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod names;
mod raw;

use gudok_plugin_host::Finding;
use gudok_plugin_host::bundle::{Bundle, BundleLimits, BundleRefusal};
use raw::{Entry, Raw};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CASES_MIN: usize = 500;
const CASE_MAX: Duration = Duration::from_secs(5);
/// Over what the process had before: the largest case unpacks to `unpacked_bytes_max` of the test's limits.
const MEMORY_GROWTH_MAX_KIB: u64 = 200 * 1024;
const NAME: &str = "trial-1.0.0.ivr";
const MANIFEST: &str = "format = 1\nname = \"trial\"\nversion = \"1.0.0\"\nkind = \"service\"\ninterface = \"0.1\"\n\
    agency = \"one\"\nlanguages = [\"ru-RU\"]\n";

fn good() -> Raw {
    let entries = vec![
        Entry::new("manifest.toml", MANIFEST),
        Entry::new("script.wasm", b"\0asm\x0d\0\x01\0"),
        Entry::new("media/ru-RU/welcome.wav", "RIFF"),
        Entry::new("data/menu.json", "{}"),
    ];
    Raw { entries, ..Raw::default() }
}

fn limits() -> BundleLimits {
    const MIB: u64 = 1 << 20;
    BundleLimits { file_bytes_max: 16 * MIB, unpacked_bytes_max: 64 * MIB, ..BundleLimits::default() }
}

/// The cases, each once, and what became of them.
#[derive(Default)]
struct Zoo {
    seen: BTreeSet<Vec<u8>>,
    refused: usize,
    harmless: usize,
}

impl Zoo {
    /// Refused in words, or harmless.
    fn any(&mut self, what: &str, bytes: &[u8]) -> Option<Bundle> {
        if !self.seen.insert(bytes.to_vec()) {
            return None;
        }
        let began = Instant::now();
        let read = Bundle::from_bytes(NAME, bytes, &limits());
        assert!(began.elapsed() < CASE_MAX, "{what} took {:?}", began.elapsed());
        match read {
            Ok(bundle) => {
                self.harmless += 1;
                assert_harmless(what, &bundle);
                Some(bundle)
            }
            Err(refusal) => {
                self.refused += 1;
                assert_told(what, &refusal);
                None
            }
        }
    }

    fn refused(&mut self, what: &str, raw: &Raw) {
        assert!(self.any(what, &raw.bytes()).is_none(), "{what}: accepted");
    }

    /// Accepted with the very content of the good one, or refused.
    fn same_or_refused(&mut self, what: &str, bytes: &[u8], content: &[u8; 32]) {
        if let Some(bundle) = self.any(what, bytes) {
            assert_eq!(&bundle.content_sha256, content, "{what}");
        }
    }
}

/// Joined to any folder, on any system, its names stay below it.
fn assert_harmless(what: &str, bundle: &Bundle) {
    let data = bundle.data.keys().map(|name| format!("data/{name}"));
    let media = bundle.media.iter().map(|(name, media)| format!("media/{}/{}.{}", name.lang, name.name, media.ending));
    for place in data.chain(media) {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
        assert!(place.bytes().all(legal), "{what}: {place:?}");
        assert!(!place.split('/').any(|part| part.is_empty() || part.starts_with('.')), "{what}: {place:?}");
        assert!(place.len() <= limits().name_bytes_max, "{what}: {place:?}");
    }
}

fn assert_told(what: &str, refusal: &BundleRefusal) {
    let finding = Finding::from(refusal);
    let told = !finding.field.is_empty() && !finding.problem.is_empty() && finding.remedy.len() > 5;
    assert!(told, "{what}: {finding:?}");
    // It ends in logs and on an admin's screen.
    assert!(!refusal.to_string().chars().any(|c| c.is_control() && c != '\n'), "{what}: {refusal}");
}

fn hostile_names(zoo: &mut Zoo) {
    for name in names::names() {
        let mut raw = good();
        raw.entries.push(Entry::new(name.clone(), "x"));
        zoo.any(&format!("the name {:?}", String::from_utf8_lossy(&name)), &raw.summed().bytes());
        // The directory says something harmless, and the file's own header does not; and the other way round.
        let mut raw = good();
        raw.entries.push(Entry { local_name: Some(name.clone()), ..Entry::new("data/fine", "x") });
        if name != b"data/fine" {
            zoo.refused(&format!("the own name {:?}", String::from_utf8_lossy(&name)), &raw.summed());
        }
    }
}

fn one(change: impl FnOnce(&mut Raw)) -> Raw {
    let mut raw = good().summed();
    change(&mut raw);
    raw
}

fn with(entry: Entry) -> Raw {
    let mut raw = good();
    raw.entries.push(entry);
    raw.summed()
}

fn hostile_entries(zoo: &mut Zoo) {
    let fine = || Entry::new("data/x", "12345678");
    for mode in [0o120_777, 0o040_755, 0o060_644, 0o020_644, 0o010_644, 0o140_644, 0o160_000, 0o170_000, 0o030_000] {
        zoo.refused(&format!("mode {mode:o}"), &with(Entry { mode, ..fine() }));
    }
    for flag in 0..16 {
        let (flags, local_flags) = (1 << flag, Some(0));
        zoo.any(&format!("flag {flag}"), &with(Entry { flags, ..fine() }).bytes());
        zoo.refused(&format!("flag {flag} in one place"), &with(Entry { flags, local_flags, ..fine() }));
    }
    for method in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 19, 20, 93, 94, 95, 96, 97, 98, 99, 0xffff] {
        zoo.refused(&format!("method {method}"), &with(Entry { method, ..fine() }));
    }
    for size in [0, 1, 7, 9, 4_096, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff] {
        zoo.refused(&format!("unpacked {size}"), &with(Entry { unpacked: Some(size), ..fine() }));
        zoo.refused(&format!("packed {size}"), &with(Entry { packed: Some(size), ..fine() }));
        let both = Entry { unpacked: Some(size), packed: Some(size), ..fine() };
        zoo.refused(&format!("both sizes {size}"), &with(both));
        zoo.refused(&format!("offset {size}"), &with(Entry { offset: Some(size), ..fine() }));
    }
    zoo.refused("another checksum", &with(Entry { crc: Some(7), ..fine() }));
    zoo.refused("a comment", &with(Entry { comment: b"hello".to_vec(), ..fine() }));
    zoo.refused("another volume", &with(Entry { disk: 1, ..fine() }));
    let extras: [(&str, &[u8]); 9] = [
        ("zip64", b"\x01\x00\x10\x00\x00\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00"),
        ("an empty zip64", b"\x01\x00\x00\x00"),
        ("a second name", b"\x75\x70\x09\x00\x01\x00\x00\x00\x00evil"),
        ("a second name behind a time", b"\x55\x54\x01\x00\x00\x75\x70\x00\x00"),
        ("cut off", b"\x55\x54\x05\x00\x00"),
        ("too short", b"\x55\x54"),
        ("longer than the file", b"\x55\x54\xff\xff"),
        ("one byte", b"\0"),
        ("a row of nothing and a byte", b"\x55\x54\x00\x00\x01"),
    ];
    for (what, extra) in extras {
        zoo.refused(&format!("extra: {what}"), &with(Entry { extra: extra.to_vec(), ..fine() }));
        zoo.refused(&format!("own extra: {what}"), &with(Entry { local_extra: extra.to_vec(), ..fine() }));
    }
    assert!(zoo.any("a time", &with(Entry { extra: b"\x55\x54\x01\x00\x00".to_vec(), ..fine() }).bytes()).is_some());
    for marked in [true, false] {
        assert!(zoo.any("a descriptor", &with(fine().described(marked)).bytes()).is_some());
        let mut lies = fine().described(marked);
        *lies.behind.last_mut().unwrap() = 1;
        zoo.refused("a descriptor that lies", &with(lies));
        let mut longer = fine().described(marked);
        longer.behind.push(0);
        zoo.refused("a descriptor with more behind it", &with(longer));
        let unflagged = Entry { flags: 0, ..fine().described(marked) };
        zoo.refused("a descriptor that nobody announced", &with(unflagged));
        let sizes_there = Entry { sizes_later: false, behind: Vec::new(), ..fine().described(marked) };
        zoo.any("an announced descriptor that is not there", &with(sizes_there).bytes());
    }
    for behind in [b"x".to_vec(), vec![0; 12], vec![0; 16], vec![0; 4_096]] {
        zoo.refused("bytes of nobody", &with(Entry { behind, ..fine() }));
    }
    let hidden = Entry { hidden: true, ..Entry::new("data/secret", "only a reader from the beginning sees this") };
    zoo.refused("a file that is not in the directory", &with(hidden.clone()));
    zoo.refused("a manifest that is not in the directory", &with(Entry { name: b"manifest.toml".to_vec(), ..hidden }));
}

fn hostile_directories(zoo: &mut Zoo) {
    type Part = fn(&mut Raw) -> &mut Vec<u8>;
    let parts: [(&str, Part); 5] = [
        ("prefix", |raw| &mut raw.prefix),
        ("before the directory", |raw| &mut raw.before_directory),
        ("before the end", |raw| &mut raw.before_end),
        ("suffix", |raw| &mut raw.suffix),
        ("comment", |raw| &mut raw.comment),
    ];
    let end = good().summed().bytes();
    let zip64_end = [b"PK\x06\x06\x2c".to_vec(), vec![0; 51], b"PK\x06\x07".to_vec(), vec![0; 16]].concat();
    let fillings = [
        b"x".to_vec(),
        b"PK\x03\x04".to_vec(),
        b"PK\x01\x02".to_vec(),
        b"PK\x05\x06".to_vec(),
        vec![0; 22],
        vec![0; 70_000 % 65_000],
        b"#!/bin/sh\n".to_vec(),
        b"MZ".to_vec(),
        b"%PDF-1.7\n".to_vec(),
        b"\x7fELF".to_vec(),
        end[end.len() - 22..].to_vec(),
        zip64_end,
    ];
    for (place, of) in parts {
        for filling in &fillings {
            zoo.refused(&format!("{place}: {} bytes", filling.len()), &one(|raw| of(raw).extend(filling)));
        }
    }
    for count in [0, 1, 4, 6, 7, 255, 4_097, 0x7fff, 0xffff] {
        zoo.refused(&format!("count {count}"), &one(|raw| raw.count = Some(count)));
    }
    for at in [0, 1, 100, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff] {
        zoo.refused(&format!("directory at {at}"), &one(|raw| raw.directory_at = Some(at)));
        zoo.refused(&format!("directory of {at}"), &one(|raw| raw.directory_len = Some(at)));
    }
    for twice in ["manifest.toml", "script.wasm", "data/menu.json", "SHA256SUMS", "media/ru-RU/welcome.wav"] {
        zoo.refused(&format!("{twice} twice"), &one(|raw| raw.entries.push(Entry::new(twice, "evil"))));
        zoo.refused(&format!("{twice} twice, first"), &one(|raw| raw.entries.insert(0, Entry::new(twice, "evil"))));
        let upper = twice.to_uppercase();
        zoo.refused(&format!("{upper} too"), &one(|raw| raw.entries.push(Entry::new(upper.clone(), "evil"))));
        zoo.refused(&format!("no {twice}"), &one(|raw| raw.entries.retain(|entry| entry.name != twice.as_bytes())));
    }
    for (other, offset) in [(1, 0), (2, 0), (3, 0), (4, 0), (3, 31), (4, 40)] {
        zoo.refused("bytes of two files", &one(|raw| raw.entries[other].offset = Some(offset)));
    }
    let (a, b) = (good().summed().bytes(), with(Entry::new("data/x", "1")).bytes());
    for (what, bytes) in [("twice the same", [a.clone(), a.clone()].concat()), ("one in the other", [a, b].concat())] {
        assert!(zoo.any(what, &bytes).is_none(), "{what}");
    }
}

fn hostile_sums(zoo: &mut Zoo) {
    let text = |raw: &Raw| String::from_utf8(raw.entries.last().unwrap().bytes.clone()).unwrap();
    let honest = text(&good().summed());
    let first = honest.lines().next().unwrap().to_owned();
    let zeros = "0".repeat(64);
    let changed = [
        String::new(),
        "\n".to_owned(),
        format!("\n{honest}"),
        format!("\u{feff}{honest}"),
        honest.replace("  ", " "),
        honest.replace("  ", "\t"),
        honest.replace("  ", "  ./"),
        honest.replace("  ", "  /"),
        honest.replace("data/", "data//"),
        honest.replace("data/", "../data/"),
        format!("{honest}{first}\n"),
        format!("{honest}{zeros}  ../../etc/passwd\n"),
        format!("{honest}{zeros}  SHA256SUMS\n"),
        format!("{honest}{zeros}  signature\n"),
        format!("{honest}{zeros}  \n"),
        honest.lines().skip(1).collect::<Vec<_>>().join("\n"),
        honest[..honest.len() / 2].to_owned(),
        honest.replace('a', "b"),
        format!("\\{honest}"),
        honest.replace('\n', " \n"),
        honest.replace('\n', "\0\n"),
        "ж".repeat(70),
        "x".repeat(1 << 20),
        format!("{zeros}  manifest.toml\n").repeat(1_000),
        honest.replace("manifest.toml", "MANIFEST.TOML"),
    ];
    for sums in changed {
        let what = format!("sums {:?}", sums.chars().take(40).collect::<String>());
        zoo.refused(&what, &one(|raw| raw.entries.last_mut().unwrap().bytes = sums.into_bytes()));
    }
    let manifests = [
        MANIFEST.replace("trial", "../trial"),
        MANIFEST.replace("trial", "/trial"),
        MANIFEST.replace("trial", "tri/al"),
        MANIFEST.replace("trial", "tri\\u0000al"),
        MANIFEST.replace("trial", "TRIAL"),
        MANIFEST.replace("1.0.0", "../1.0.0"),
        MANIFEST.replace("1.0.0", "1.0.0-../../x"),
        MANIFEST.replace("1.0.0", "1"),
        MANIFEST.replace("one", "../one"),
        MANIFEST.replace("ru-RU", "../ru"),
        MANIFEST.replace("ru-RU", ""),
        format!("{MANIFEST}entries = [\"../x\"]"),
        format!("{MANIFEST}extra = 1"),
        format!("{MANIFEST}{MANIFEST}"),
        format!("\u{feff}\u{feff}{MANIFEST}"),
        String::new(),
        format!("{MANIFEST}[config]\n{}", "x = \"y\"\n".repeat(2)),
        format!("{MANIFEST}media = {}", "[".repeat(10_000)),
        format!("{MANIFEST}[{}]", "a.".repeat(5_000)),
        format!("{MANIFEST}# {}", "x".repeat(70_000)),
        "\0".repeat(100),
    ];
    for manifest in manifests {
        let mut raw = good();
        raw.entries[0].bytes = manifest.clone().into_bytes();
        zoo.refused(&format!("manifest {:?}", manifest.chars().rev().take(40).collect::<String>()), &raw.summed());
    }
}

/// Bombs, by way of the `zip` crate's compressor.
fn bombs(zoo: &mut Zoo) {
    use std::io::Write;
    let pack = |files: &mut dyn Iterator<Item = (String, usize)>| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, len) in files {
            zip.start_file(
                name,
                zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated),
            )
            .unwrap();
            zip.write_all(&vec![0; len]).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let mut bomb = |what: &str, files: &mut dyn Iterator<Item = (String, usize)>| {
        assert!(zoo.any(what, &pack(files)).is_none(), "{what}");
    };
    const MIB: usize = 1 << 20;
    bomb("one large file", &mut std::iter::once(("media/ru-RU/a.wav".to_owned(), 63 * MIB)));
    bomb("too large a file", &mut std::iter::once(("media/ru-RU/a.wav".to_owned(), 65 * MIB)));
    bomb("a large manifest", &mut std::iter::once(("manifest.toml".to_owned(), MIB)));
    bomb("a large component", &mut std::iter::once(("script.wasm".to_owned(), 33 * MIB)));
    bomb("many files of the free size", &mut (0..60).map(|n| (format!("data/x{n}"), MIB)));
    bomb("more than all may be", &mut (0..70).map(|n| (format!("data/x{n}"), MIB)));
    bomb("too many files", &mut (0..4_097).map(|n| (format!("data/x{n}"), 0)));
    bomb("as many files as a ZIP holds", &mut (0..65_534).map(|n| (format!("data/x{n}"), 0)));
    // A stream that gives more than anybody says, and less.
    let mut honest = pack(&mut std::iter::once(("data/x".to_owned(), 10_000)));
    for size in [9_999_u32, 10_001, 1, 0] {
        for at in
            (0..honest.len() - 4).filter(|at| honest[*at..*at + 4] == 10_000_u32.to_le_bytes()).collect::<Vec<_>>()
        {
            honest[at..at + 4].copy_from_slice(&size.to_le_bytes());
        }
        zoo.any("a stream of another length", &honest);
        honest = pack(&mut std::iter::once(("data/x".to_owned(), 10_000)));
    }
}

/// Every field of every record, set to what readers trip over.
fn lying_fields(zoo: &mut Zoo) {
    let whole = good().summed().bytes();
    let content = Bundle::from_bytes(NAME, &whole, &limits()).unwrap().content_sha256;
    let records: [(&[u8], usize); 3] = [(b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22)];
    for (mark, len) in records {
        let places = (0..whole.len() - 4).filter(|at| &whole[*at..*at + 4] == mark);
        for place in places.collect::<Vec<_>>() {
            for field in (place..place + len).step_by(2) {
                for value in [[0, 0], [1, 0], [0xff, 0x7f], [0xff, 0xff]] {
                    let mut bytes = whole.clone();
                    bytes[field..field + 2].copy_from_slice(&value);
                    zoo.same_or_refused(&format!("{mark:?} + {}", field - place), &bytes, &content);
                }
            }
        }
    }
}

/// Cuts, flips and splices, by a seed.
fn mutations(zoo: &mut Zoo) {
    const MUTATIONS: usize = 2_000;
    let whole = good().summed().bytes();
    let content = Bundle::from_bytes(NAME, &whole, &limits()).unwrap().content_sha256;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for count in 0..MUTATIONS {
        let mut bytes = whole.clone();
        match count % 4 {
            0 => bytes.truncate(dice(whole.len())),
            1 => {
                let (from, to) = (dice(whole.len()), dice(whole.len()));
                let len = dice(whole.len() - from.max(to)).min(64);
                bytes.copy_within(from..from + len, to);
            }
            2 => drop(bytes.drain(..dice(whole.len())).collect::<Vec<_>>()),
            _ => {
                for _ in 0..=dice(8) {
                    let at = dice(whole.len());
                    bytes[at] = u8::try_from(dice(256)).unwrap();
                }
            }
        }
        zoo.same_or_refused(&format!("mutation {count}"), &bytes, &content);
    }
}

fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(tree(&path));
        }
        all.push(path);
    }
    all.sort();
    all
}

/// The most memory that this process ever had.
fn memory_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn five_hundred_hostile_archives_do_no_harm() {
    // Deep enough for `../../..` to stay within reach of the comparison.
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("a/b/c/inbox");
    std::fs::create_dir_all(&inbox).unwrap();
    std::env::set_current_dir(&inbox).unwrap();
    let before = tree(folder.path());
    let peak_before = memory_peak_kib();
    let mut zoo = Zoo::default();
    assert!(zoo.any("the good one", &good().summed().bytes()).is_some());
    hostile_names(&mut zoo);
    hostile_entries(&mut zoo);
    hostile_directories(&mut zoo);
    hostile_sums(&mut zoo);
    let by_table = zoo.seen.len();
    assert!(by_table >= CASES_MIN, "{by_table} cases by the table");
    lying_fields(&mut zoo);
    mutations(&mut zoo);
    zoo.seen.clear();
    bombs(&mut zoo);
    let growth_kib = memory_peak_kib() - peak_before;
    assert!(growth_kib < MEMORY_GROWTH_MAX_KIB, "{growth_kib} KiB more");
    assert_eq!(tree(folder.path()), before, "nothing was written");
    assert!(zoo.refused > 1_500 && zoo.harmless > 0, "{} refused, {} harmless", zoo.refused, zoo.harmless);
    eprintln!("{by_table} by the table; in all {} refused, {} harmless; {growth_kib} KiB", zoo.refused, zoo.harmless);
}
