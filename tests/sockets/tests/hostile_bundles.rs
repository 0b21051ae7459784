//! Bundles that nobody should take, handed in by the API: archives that want out of their folder, archives that are none,
//! signatures that are forged, expired, somebody else's or for something else, and old versions. All are refused with what
//! is wrong and what to do; nothing is written outside the store's folder, and nothing stays in it.
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use gudok_core::time::Timestamp;
use gudok_sockets::bundles::{sha256, zipped};
use gudok_sockets::desk::{AGENCY, PLACE, draft};
use gudok_sockets::http::Answer;
use gudok_sockets::{Author, Desk, Draft, Engine};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The API takes so many uploads at a time.
const UPLOADS_AT_ONCE: usize = 2;
/// Names of files in archives; each is tried.
const NAMES_MIN: usize = 500;

/// Ways out of a folder.
const WAYS: [&str; 24] = [
    "../",
    "../../",
    "../../../../../../../../",
    "/",
    "//",
    "./",
    "./../",
    "data/../",
    "data/../../",
    "data/./",
    "data//",
    "media/ru-RU/../../../",
    "..\\",
    "data\\..\\..\\",
    "\\",
    "\\\\127.0.0.1\\share\\",
    "C:\\",
    "C:/",
    "file:///",
    "~/",
    "%2e%2e/",
    "..%2f..%2f",
    "..;/",
    "\u{2024}\u{2024}/",
];

/// What such a file would be good for.
const TARGETS: [&str; 22] = [
    "gudok.toml",
    "first-token",
    "audit-head",
    "store/first-token",
    "store/audit-head",
    "uploads/upload-1.ivr",
    "db",
    "records/db",
    "engine.log",
    "etc/passwd",
    "etc/cron.d/gudok",
    "root/.ssh/authorized_keys",
    "tmp/gudok",
    "proc/self/mem",
    "dev/shm/gudok",
    "manifest.toml",
    "script.wasm",
    "SHA256SUMS",
    "signature",
    ".hidden",
    "con",
    "nul\0.txt",
];

/// In every hostile name, so that it would be found wherever it were written.
fn mark() -> String {
    format!("escaped-{}", std::process::id())
}

/// A good bundle with one file more, whatever it is called.
fn with_file(author: &Author, name: &str) -> anyhow::Result<Vec<u8>> {
    author.bundle(&draft(2)?.file(name, "out"))
}

/// A good bundle's files, in their order, for archives that no packer makes.
fn good_files() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let bundle = draft(2)?.agency(AGENCY)?.unsigned()?;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bundle))?;
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes)?;
        files.push((file.name().to_owned(), bytes));
    }
    Ok(files)
}

/// Archives that are spoilt in another way than by a name.
fn archives() -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    const ENTRIES: usize = 5_000;
    const BOMB_BYTES: usize = 40 * 1024 * 1024;
    let files = good_files()?;
    let packed = |files: &[(String, Vec<u8>)]| zipped(files.iter().map(|(name, bytes)| (&**name, &**bytes)));
    let good = packed(&files)?;
    let with = |name: &str, bytes: Vec<u8>| {
        let mut more = files.clone();
        more.push((name.to_owned(), bytes));
        packed(&more)
    };
    let link = |target: &str, name: &str| -> anyhow::Result<Vec<u8>> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (place, bytes) in &files {
            writer.start_file(place.as_str(), options)?;
            std::io::Write::write_all(&mut writer, bytes)?;
        }
        writer.add_symlink(name, target, options)?;
        Ok(writer.finish()?.into_inner())
    };
    let mut deflated_bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    deflated_bomb.start_file("data/bomb", options)?;
    std::io::Write::write_all(&mut deflated_bomb, &vec![0; BOMB_BYTES])?;
    let many: Vec<(String, Vec<u8>)> = (0..ENTRIES).map(|at| (format!("data/{at}"), Vec::new())).collect();
    let patched = |find: &[u8], put: &[u8]| -> anyhow::Result<Vec<u8>> {
        let mut bytes = good.clone();
        let at = bytes.windows(find.len()).position(|window| window == find).context("nothing to patch")?;
        bytes[at..at + put.len()].copy_from_slice(put);
        Ok(bytes)
    };
    Ok(vec![
        ("half of it", good[..good.len() / 2].to_vec()),
        ("its tail only", good[good.len() / 2..].to_vec()),
        ("one byte", vec![b'P']),
        ("no archive", b"#!/bin/sh\nrm -rf /\n".to_vec()),
        ("another kind of archive", [b"\x1f\x8b\x08\0".to_vec(), vec![0; 2_000]].concat()),
        ("more behind it", [good.clone(), vec![0; 10]].concat()),
        ("more before it", [vec![0; 10], good.clone()].concat()),
        ("twice in a row", [good.clone(), good.clone()].concat()),
        ("a name twice", with("script.wasm", b"other".to_vec()).or_else(|_| patched(b"data/", b"DATA/"))?),
        ("a name in capitals", with("DATA/LINE.TXT", b"other".to_vec())?),
        ("a folder", with("data/folder/", Vec::new())?),
        ("a link out", link("../../../../etc/passwd", "data/link")?),
        ("a link to a file", link("manifest.toml", "data/link")?),
        ("a bomb", deflated_bomb.finish()?.into_inner()),
        ("thousands of files", packed(&many)?),
        (
            "encrypted",
            patched(b"PK\x01\x02\x2e\x03\x14\0\0\0", b"PK\x01\x02\x2e\x03\x14\0\x01\0")
                .or_else(|_| patched(b"PK\x01\x02", b"PK\x01\x03"))?,
        ),
        ("without a directory", patched(b"PK\x05\x06", b"PK\x05\x07")?),
        ("without sums", packed(&files.iter().filter(|(name, _)| name != "SHA256SUMS").cloned().collect::<Vec<_>>())?),
        ("a file that the sums leave out", with("data/extra.txt", b"extra".to_vec())?),
        ("nothing in it", zipped([])?),
    ])
}

/// Everything below a folder, with sizes; what grows by itself is left out.
fn listing(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(facts) if facts.is_dir() => folders.push(path),
                Ok(facts) => drop(found.insert(path, facts.len())),
                Err(_) => {}
            }
        }
    }
    found
}

/// The engine's folder without its log and without what its database writes.
fn outside(engine: &Engine) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let (folder, store) = (engine.config.parent().context("no folder")?.to_owned(), engine.store());
    let mut all = listing(&folder);
    all.retain(|path, _| !path.starts_with(&store) && !path.ends_with("engine.log"));
    Ok(all)
}

/// The store's files that are not its database: bundles, recordings, uploads.
fn blobs(engine: &Engine) -> BTreeSet<PathBuf> {
    let all = listing(&engine.store()).into_keys();
    all.filter(|path| path.components().any(|part| part.as_os_str() == "blobs" || part.as_os_str() == "uploads"))
        .collect()
}

/// A file with the mark in its name, in the places that the names lead to.
fn escaped(engine: &Engine) -> anyhow::Result<Vec<PathBuf>> {
    let mark = mark();
    let mut folders: BTreeSet<PathBuf> =
        ["/", "/tmp", "/etc", "/root", "/dev/shm", "/etc/cron.d"].map(PathBuf::from).into();
    folders.extend(std::env::current_dir()?.ancestors().map(Path::to_owned));
    folders.extend(engine.config.ancestors().map(Path::to_owned));
    let flat = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let deep = listing(engine.config.parent().context("no folder")?).into_keys();
    let deep = deep.chain(listing(&gudok_sockets::root().join("target/test-cache")).into_keys());
    Ok(flat.map(|entry| entry.path()).chain(deep).filter(|path| path.to_string_lossy().contains(&mark)).collect())
}

/// Refused as a bundle, with a problem that says what to do.
fn refused(what: &str, answer: &Answer) -> anyhow::Result<String> {
    let problem = answer.json();
    ensure!(matches!(answer.status, 409 | 413 | 422), "{what}: {} {}", answer.status, answer.body);
    for field in ["code", "detail", "remedy"] {
        ensure!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {field}: {problem}");
    }
    Ok(problem["code"].as_str().unwrap_or_default().to_owned())
}

/// Uploads all of them, as many at a time as may be, and wants each to be refused.
async fn all_are_refused(desk: &Desk, bundles: Vec<(String, Vec<u8>)>) -> anyhow::Result<usize> {
    let uploads = futures_util::stream::iter(bundles).map(|(what, bundle)| async move {
        let upload = desk.api.upload_request(AGENCY, &bundle);
        let answer = desk.api.send_patiently(upload).await.with_context(|| what.clone())?;
        refused(&what, &answer)
    });
    let answers: Vec<anyhow::Result<String>> = uploads.buffer_unordered(UPLOADS_AT_ONCE).collect().await;
    let count = answers.len();
    for answer in answers {
        let code = answer?;
        ensure!(code == "bundle-refused", "refused as {code}");
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_archive_and_no_name_gets_out_of_the_store() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let (before, blobs_before) = (outside(&desk.engine)?, blobs(&desk.engine));
    let versions_before = desk.api.list("/versions").await?;
    let mut bundles = Vec::new();
    for way in WAYS {
        for target in TARGETS {
            let name = format!("{way}{target}-{}", mark());
            bundles.push((name.clone(), with_file(&desk.author, &name)?));
        }
    }
    let named = bundles.len();
    for (what, archive) in archives()? {
        bundles.push((what.to_owned(), archive));
    }
    ensure!(bundles.len() >= NAMES_MIN, "{} archives", bundles.len());
    let count = all_are_refused(&desk, bundles).await?;
    eprintln!("{count} archives refused, {named} for a name in them");
    ensure!(escaped(&desk.engine)?.is_empty(), "written outside: {:?}", escaped(&desk.engine)?);
    ensure!(outside(&desk.engine)? == before, "something outside the store has changed");
    ensure!(blobs(&desk.engine) == blobs_before, "something of a refused bundle is kept");
    ensure!(desk.api.list("/versions").await? == versions_before, "a refused bundle is a version");
    let refusals = desk.api.audit().await?.iter().filter(|entry| entry["action"] == "bundle.refuse").count();
    ensure!(refusals == count, "{refusals} of {count} refusals are in the audit");
    desk.api.audit_is_whole().await?;
    // The same author's good bundle is still taken.
    let id = desk.publish(2).await?;
    desk.api.deploy(PLACE, &json!({ "version": id })).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_api() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let call = "0".repeat(32);
    for path in [
        "/versions/..%2f..%2ffirst-token",
        "/versions/..%2f..%2ffirst-token/bundle",
        "/versions/%2fetc%2fpasswd/bundle",
        &format!("/calls/{call}/recordings/..%2f..%2f..%2ffirst-token"),
        &format!("/calls/{call}/recordings/%2e%2e%2ffirst-token"),
        "/calls/..%2f..%2ffirst-token/trace",
        "/agencies/..%2f..%2fstore/keys",
        "/agencies/%2e%2e/entries/%2e%2e",
        "/deployments/..%2f/..%2f",
        "/overlays/..%2f..%2ffirst-token",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/..\\..\\..\\etc\\passwd",
    ] {
        let answer = desk.api.get(path).await.with_context(|| path.to_owned())?;
        ensure!(matches!(answer.status, 400 | 404), "{path}: {} {}", answer.status, answer.body);
        ensure!(!answer.body.contains(&desk.api.token) && !answer.body.contains("root:"), "{path}: {}", answer.body);
    }
    for agency in ["..%2f..%2fstore", "%2e%2e", "/etc", "probe%00", "probe/../other"] {
        let upload = desk.api.upload(agency, &desk.bundle(2)?).await?;
        ensure!(matches!(upload.status, 400 | 404), "{agency}: {} {}", upload.status, upload.body);
    }
    Ok(())
}

/// Deployed versions, keys of several kinds, and somebody else's.
struct Signers {
    desk: Desk,
    other_agency: Author,
    unknown: Author,
    expired: Author,
    not_yet: Author,
    revoked: Author,
}

impl Signers {
    async fn gather() -> anyhow::Result<Self> {
        let desk = Desk::open_with(None, |config| {
            // Another agency, with a script and a key of its own.
            let bench = gudok_sockets::bundle("bench").unwrap_or_default();
            config.script("bench", "sig", bench, "approve = \"as-declared\"")
        })
        .await?;
        let new = || Author::of(AGENCY);
        let signers = Self {
            other_agency: Author::of("bench")?,
            unknown: new()?,
            expired: new()?,
            not_yet: new()?,
            revoked: new()?,
            desk,
        };
        let api = &signers.desk.api;
        api.add_key("bench", signers.other_agency.public_key()).await?;
        let keys = format!("/agencies/{AGENCY}/keys");
        let expired = json!({ "public_key": signers.expired.public_key(), "expires": "2001-01-01T00:00:00Z" });
        api.post(&keys, &expired).await?.expect(201)?;
        let not_yet = json!({ "public_key": signers.not_yet.public_key(), "not_before": "2999-01-01T00:00:00Z" });
        api.post(&keys, &not_yet).await?.expect(201)?;
        api.add_key(AGENCY, signers.revoked.public_key()).await?;
        let revoke = api.request("DELETE", &format!("{keys}/{}", signers.revoked.key_id()));
        ensure!(api.send(revoke).await?.status < 300);
        Ok(signers)
    }

    /// Bundles whose signature is not what it should be, and what the refusal must say.
    fn bad_ones(&self) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
        let (author, second) = (&self.desk.author, draft(2)?);
        let signature_of = |bundle: &[u8]| -> anyhow::Result<String> {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bundle))?;
            Ok(std::io::read_to_string(archive.by_name("signature")?)?)
        };
        let good = signature_of(&author.bundle(&second)?)?;
        let lines: Vec<&str> = good.lines().collect();
        let with_line = |at: usize, line: &str| {
            let mut other: Vec<&str> = lines.clone();
            other[at] = line;
            other.join("\n") + "\n"
        };
        // One character of the signature, and one of the comment's.
        let flipped = |at: usize| {
            let line = lines[at];
            let place = line.len() / 2;
            let other = if line.as_bytes()[place] == b'A' { "B" } else { "A" };
            with_line(at, &format!("{}{other}{}", &line[..place], &line[place + 1..]))
        };
        let third = signature_of(&author.bundle(&draft(3)?)?)?;
        let past = Timestamp::from_millis(1_000_000_000_000);
        Ok(vec![
            ("none at all", second.unsigned()?),
            ("an empty one", second.with_signature("")?),
            ("rubbish", second.with_signature("trust me\n")?),
            ("cut off", second.with_signature(&lines[..2].join("\n"))?),
            ("forged", second.with_signature(&flipped(1))?),
            ("a forged comment", second.with_signature(&flipped(3))?),
            (
                "a comment that was changed",
                second.with_signature(&with_line(2, "trusted comment: gudok:probe/probe@9.9.9"))?,
            ),
            ("another version's", second.with_signature(&third)?),
            ("expired", author.signed(&second, AGENCY, Some(past))?),
            ("for another agency", author.signed(&second, "bench", None)?),
            (
                "for another script",
                author
                    .signed(&second.clone().name("other")?, AGENCY, None)
                    .and_then(|bundle| second.with_signature(&signature_of(&bundle)?))?,
            ),
            ("of another agency's key", self.other_agency.signed(&second, AGENCY, None)?),
            ("of a key that nobody knows", self.unknown.bundle(&second)?),
            ("of a key that has expired", self.expired.bundle(&second)?),
            ("of a key that is not valid yet", self.not_yet.bundle(&second)?),
            ("of a key that was revoked", self.revoked.bundle(&second)?),
            ("of another content", second.clone().file("data/line.txt", "Версия 2!").with_signature(&good)?),
        ])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signature_but_the_right_one_counts() -> anyhow::Result<()> {
    let signers = Signers::gather().await?;
    let desk = &signers.desk;
    let versions_before = desk.api.list("/versions").await?;
    for (what, bundle) in signers.bad_ones()? {
        let answer = desk.api.upload(AGENCY, &bundle).await.with_context(|| what.to_owned())?;
        let code = refused(what, &answer)?;
        let report = &answer.json()["report"];
        let steps = report["steps"].as_array().with_context(|| format!("{what}: {}", answer.body))?;
        let failed = steps.iter().find(|step| step["result"] == "failed").with_context(|| what.to_owned())?;
        ensure!(code == "bundle-refused" && failed["step"] == "signature", "{what}: {}", answer.body);
        ensure!(!failed["problem"].is_null() && !failed["remedy"].is_null(), "{what}: {failed}");
    }
    ensure!(desk.api.list("/versions").await? == versions_before, "a refused bundle is a version");
    // Somebody else's bundle, properly signed by them, is nobody's here.
    let of_bench = signers.other_agency.bundle(&Draft::of("bench")?.version("1.0.1")?)?;
    refused("another agency's bundle", &desk.api.upload(AGENCY, &of_bench).await?)?;
    desk.publish(2).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_replaced_does_not_come_back_by_itself() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let (second, third) = (desk.publish(2).await?, desk.bundle(3)?);
    let newer = desk.publish(4).await?;
    desk.api.deploy(PLACE, &json!({ "version": newer })).await?;
    let older = desk.api.upload(AGENCY, &third).await?;
    ensure!(refused("an older version", &older)? == "downgrade", "{older:?}");
    // The same bundle again is the same version; the same name with another content is not.
    let again = desk.api.upload(AGENCY, &desk.bundle(2)?).await?.expect(200)?.json();
    ensure!(again["version"]["id"] == second.as_str(), "{again}");
    let other = desk.author.bundle(&draft(4)?.file("data/line.txt", "Версия 4!"))?;
    let other = desk.api.upload(AGENCY, &other).await?;
    ensure!(refused("other content", &other)? == "version-exists", "{other:?}");
    // Whoever means it says so.
    let request = desk.api.request("POST", &format!("/bundles?agency={AGENCY}&allow_downgrade=true"));
    let meant = desk.api.send(request.body("application/octet-stream", third)).await?.expect(201)?;
    ensure!(sha256(draft(3)?.agency(AGENCY)?.sums()?.as_bytes()) == meant.json()["version"]["id"], "{meant:?}");
    // A request that comes again, as it was recorded, does nothing again.
    let before = desk.api.audit().await?.len();
    let order = desk.api.deploy_request(PLACE, &json!({ "version": second })).await?;
    let order = order.header("Idempotency-Key", "once");
    let first = desk.api.send(order.clone()).await?.expect(200)?;
    let replayed = desk.api.send(order).await?.expect(200)?;
    ensure!(replayed.header("idempotency-replayed") == Some("true") && replayed.body == first.body, "{replayed:?}");
    ensure!(desk.api.audit().await?.len() == before + 1, "it was done twice");
    Ok(())
}

/// How long an upload may pause: a client that says nothing for longer is let go, and others go on meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_off_upload_leaves_nothing() -> anyhow::Result<()> {
    const PAUSE: Duration = Duration::from_millis(300);
    let desk = Desk::open(None).await?;
    let bundle = desk.bundle(2)?;
    let blobs_before = blobs(&desk.engine);
    for cut in [0, 1, bundle.len() / 2, bundle.len() - 1] {
        let head = format!(
            "POST /api/v1/bundles?agency={AGENCY} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            desk.api.server,
            desk.api.token,
            bundle.len()
        );
        let mut stream = tokio::net::TcpStream::connect(desk.api.server).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, &bundle[..cut]).await?;
        // Until the engine has had the time to read it.
        let mut nothing = [0];
        let _ = tokio::time::timeout(PAUSE, tokio::io::AsyncReadExt::read(&mut stream, &mut nothing)).await;
        drop(stream);
    }
    gudok_sockets::parties::until("nothing is left", async || Ok(blobs(&desk.engine) == blobs_before)).await?;
    desk.publish(2).await.map(drop)
}
