//! Whatever comes in, from the network, from agencies, from back ends, from the disk: the engine refuses it in words,
//! counts it, and goes on.

use anyhow::{Context, ensure};
use gudok_phone::{Call, CallOptions, Phone};
use gudok_sockets::bundles::{self, Files};
use gudok_sockets::parties::{self, NOON, PATIENCE, until};
use gudok_sockets::{ConfigBuilder, Engine, SampleBackend, bundle, http};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

const APPROVED: &str = "approve = \"as-declared\"";

fn bench() -> anyhow::Result<ConfigBuilder> {
    Ok(ConfigBuilder::new().script("bench", "ivr", bundle("bench")?, "").number("100", "bench", "ivr"))
}

/// A conversation as it should be.
async fn normal_call(engine: &Engine) -> anyhow::Result<()> {
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("100"), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    call.press("1")?;
    call.heard("p1", PATIENCE).await?;
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.status == 200 && end.oddities.is_empty(), "{end:?}");
    Ok(())
}

/// The sum of a metric over all its labels that contain `part`.
async fn counted(engine: &Engine, name: &str, part: &str) -> anyhow::Result<f64> {
    let page = http::get(engine.http, "/metrics").await?.body;
    let lines = page.lines().filter(|line| line.starts_with(name) && line.contains(part));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 9 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

/// In the manner of RFC 4475: valid where it can be, and odd.
const SEEDS: [&str; 6] = [
    "INVITE sip:unknown@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKseed;rport\r\nMax-Forwards: 70\r\n\
     From: \"A\" <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:unknown@127.0.0.1>\r\nCall-ID: seed@h\r\nCSeq: 1 INVITE\r\n\
     Contact: <sip:a@127.0.0.1:9>\r\nContent-Type: application/sdp\r\nContent-Length: OFFER",
    "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
     from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n\
     Call-ID: seed.0ha0isndaksdj@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=z9hG4bKseed\r\n\
     s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\nRoute: <sip:services.example.com;lr>\r\nm:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam = newvalue\r\n\r\n",
    "OPTIONS sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@127.0.0.1 SIP/2.0\r\n\
     Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKseed\r\nTo: \"BEL:\\\x07 NUL:\\\0\" <sip:1@127.0.0.1>\r\nFrom: token1~` token2'+_ token3*%!.- <sip:a@127.0.0.1>;tag=_\r\n\
     Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\nCSeq: 139122385 OPTIONS\r\nMax-Forwards: 255\r\nExtensionHeader: \u{fffd}\r\n\r\n",
    "SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKseed\r\nCall-ID: unreason.1234@h\r\n\
     CSeq: 35 INVITE\r\nFrom: sip:user@example.com;tag=11141343\r\nTo: sip:user@example.edu;tag=2229\r\nContent-Length: 154\r\n\r\n",
    "REFER sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKseed\r\nMax-Forwards: 0\r\nFrom: <sip:a@h>;tag=2\r\n\
     To: <sip:100@127.0.0.1>;tag=3\r\nCall-ID: r@h\r\nCSeq: 2 REFER\r\nRefer-To: <sip:b@h?Replaces=%41%4>\r\nContact: *\r\nContent-Length: 0\r\n\r\n",
    "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKseed;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\n\
     To: <sip:100@127.0.0.1>\r\nCall-ID: seed2@h\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nRequire: 100rel, xyzzy\r\nSession-Expires: 1;refresher=uas\r\n\
     Content-Type: multipart/mixed;boundary=x\r\nContent-Length: 99999\r\n\r\n--x\r\n",
];

fn seed(number: u32) -> String {
    let text = SEEDS[number as usize % SEEDS.len()];
    let text = text.replace("OFFER", &format!("{}\r\n\r\n{OFFER}", OFFER.len()));
    text.replace("seed", &format!("seed{number}"))
}

/// A message with some bytes changed, dropped, repeated, or of another method.
fn mutate(random: &mut StdRng, number: u32) -> Vec<u8> {
    const METHODS: [&str; 8] = ["INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK", "X"];
    const ODD: [&[u8]; 9] = [b"\r\n", b"\0", b"%", b";;", b"<>", b"\"", b"999999999999999999999", b"\xff\xfe", b":"];
    let method = METHODS[random.random_range(0..METHODS.len())];
    let mut bytes = seed(number).replacen("INVITE", method, random.random_range(0..3)).into_bytes();
    for _ in 0..random.random_range(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..5) {
            0 => bytes[at] = random.random(),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + random.random_range(0..40)).min(bytes.len()))),
            3 => {
                let piece = bytes[at..(at + 60).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.splice(at..at, ODD[random.random_range(0..ODD.len())].iter().copied())),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_sip_stops_nothing_and_is_counted() -> anyhow::Result<()> {
    const BY_UDP: u32 = 600;
    const BY_TCP: u32 = 100;
    let engine = Engine::start(&bench()?).await?;
    let before = counted(&engine, "gudok_sip_events", "event=\"bad-").await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut random = StdRng::seed_from_u64(4475);
    for number in 0..BY_UDP {
        let bytes = match number % 6 {
            0 => (0..random.random_range(0..1_500)).map(|_| random.random()).collect(),
            1 => seed(number).into_bytes(),
            _ => mutate(&mut random, number),
        };
        socket.send_to(&bytes, engine.sip).await?;
        tokio::task::yield_now().await;
    }
    for number in 0..BY_TCP {
        let mut stream = TcpStream::connect(engine.sip_tcp).await?;
        // The engine may have enough of it before we have sent everything.
        let _ = stream.write_all(&mutate(&mut random, number)).await;
    }
    normal_call(&engine).await?;
    let after = counted(&engine, "gudok_sip_events", "event=\"bad-").await?;
    ensure!(after >= before + 50.0, "{before} bad messages before, {after} after");
    ensure!(!engine.log().contains("panicked"), "{}", engine.log());
    Ok(())
}

/// Sends one message and gives the status of its final answer.
async fn answer_to(engine: &Engine, message: &str) -> anyhow::Result<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let here = socket.local_addr()?.to_string();
    socket.send_to(message.replace("HERE", &here).as_bytes(), engine.sip).await?;
    let mut buffer = vec![0; 65_535];
    loop {
        let length = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await.context("no answer")??;
        let text = String::from_utf8_lossy(&buffer[..length]);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        if status >= 200 {
            return Ok(status);
        }
    }
}

fn request(method: &str, number: u32, cseq: &str, more: &str) -> String {
    format!(
        "{method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP HERE;branch=z9hG4bKr{number};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: request{number}@h\r\n{cseq}\
         Contact: <sip:a@HERE>\r\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_requests_are_answered_where_an_answer_is_due() -> anyhow::Result<()> {
    let engine = Engine::start(&bench()?).await?;
    let invite = |number, sdp: &str| {
        let more = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
        request("INVITE", number, "CSeq: 1 INVITE\r\n", &more)
    };
    let no_body = "Content-Length: 0\r\n\r\n";
    for (what, message, expected) in [
        ("OPTIONS", request("OPTIONS", 1, "CSeq: 1 OPTIONS\r\n", no_body), &[200][..]),
        ("without CSeq", request("OPTIONS", 2, "", no_body), &[400]),
        ("CSeq of another method", request("OPTIONS", 3, "CSeq: 1 INVITE\r\n", no_body), &[400]),
        ("CSeq too large", request("OPTIONS", 4, "CSeq: 99999999999 OPTIONS\r\n", no_body), &[400]),
        ("unknown method", request("DANCE", 5, "CSeq: 1 DANCE\r\n", no_body), &[405, 501]),
        ("BYE of no dialog", request("BYE", 6, "CSeq: 1 BYE\r\n", no_body), &[400, 481]),
        ("SDP of rubbish", invite(7, "\u{fffd}\0\0 rubbish"), &[400, 488]),
        ("SDP without media", invite(8, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"), &[400, 488]),
        ("SDP of version 9", invite(9, &OFFER.replace("v=0", "v=9")), &[400, 488]),
        ("SDP with a port that is none", invite(10, &OFFER.replace("audio 9 ", "audio 99999 ")), &[400, 488]),
        ("SDP without an address", invite(11, &OFFER.replace("c=IN IP4 127.0.0.1\r\n", "")), &[400, 488]),
        ("no codec that we have", invite(12, &OFFER.replace(" 8 101", " 18").replace("8 PCMA", "18 G729")), &[488]),
        (
            "another body",
            request("INVITE", 13, "CSeq: 1 INVITE\r\n", "Content-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"),
            &[415],
        ),
    ] {
        let status = answer_to(&engine, &message).await.context(what)?;
        ensure!(expected.contains(&status), "{what}: {status} instead of {expected:?}");
    }
    normal_call(&engine).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_media_ports_takes_no_call_over() -> anyhow::Result<()> {
    const ROUNDS: usize = 40;
    const PORTS: u16 = 64;
    let engine = Engine::start(&bench()?).await?;
    let text = std::fs::read_to_string(&engine.config)?;
    let first: u16 = text
        .lines()
        .find_map(|line| line.strip_prefix("ports = \"")?.split('-').next()?.parse().ok())
        .context("the media ports")?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("100"), CallOptions::default()).await?;
    call.audible(PATIENCE).await?;
    let before = engine.metric("gudok_media_datagrams_received").await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut random = StdRng::seed_from_u64(3550);
    for _ in 0..ROUNDS {
        for port in first..first + PORTS {
            let mut bytes: Vec<u8> = (0..random.random_range(0..300)).map(|_| random.random()).collect();
            // Half of it looks like RTP of a kind that was agreed on.
            if random.random_bool(0.5) && bytes.len() > 2 {
                bytes[0] = 0x80;
                bytes[1] = [8, 101, 0xE5, 200][random.random_range(0..4)];
            }
            // Where no call is, the system says so.
            let _ = socket.send_to(&bytes, SocketAddr::from(([127, 0, 0, 1], port))).await;
        }
    }
    call.press("1")?;
    call.heard("p1", PATIENCE).await?;
    let end = call.wait_ended(PATIENCE).await?;
    ensure!(end.status == 200 && end.oddities.is_empty() && end.stats.lost == 0, "{end:?}");
    let after = engine.metric("gudok_media_datagrams_received").await?;
    ensure!(after > before + 100.0, "the rubbish did not come in: {before}, then {after}");
    normal_call(&engine).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_number_gets_404_and_one_line_that_says_what_to_do() -> anyhow::Result<()> {
    let engine = Engine::start(&bench()?).await?;
    let phone = parties::caller().await?;
    for _ in 0..3 {
        let end = phone.call(&engine.uri("555"), CallOptions::default()).await?.wait_ended(PATIENCE).await?;
        ensure!(end.status == 404, "{end:?}");
    }
    let log = engine.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("leads nowhere")).collect();
    ensure!(lines.len() == 1 && lines[0].contains("555") && lines[0].contains("[[number]]"), "{lines:?}");
    ensure!(counted(&engine, "gudok_calls_refused_total", "unknown-number").await? == 3.0, "not counted");
    normal_call(&engine).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_script_is_refused_before_anybody_calls() -> anyhow::Result<()> {
    let refusal = Engine::start(&bench()?.number("200", "bench", "nowhere")).await.err().context("it started")?;
    let refusal = format!("{refusal:#}");
    for part in ["no script at the entry \"nowhere\"", "add a [[agency.script]]", "gudok.toml:"] {
        ensure!(refusal.contains(part), "{part} is not in: {refusal}");
    }
    Ok(())
}

/// A bundle out of `probe`, with one thing changed.
fn spoilt(folder: &Path, change: impl FnOnce(&mut Files)) -> anyhow::Result<PathBuf> {
    bundles::changed("probe", folder, change)
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bundles_are_refused_with_reason_and_place() -> anyhow::Result<()> {
    const TOO_LARGE: u64 = 257 * 1024 * 1024;
    let folders = std::iter::repeat_with(tempfile::tempdir).take(8).collect::<Result<Vec<_>, _>>()?;
    let at = |number: usize| folders[number].path();
    let good = std::fs::read(bundle("probe")?)?;
    let cut_off = at(0).join("probe-1.0.0.ivr");
    std::fs::write(&cut_off, &good[..good.len() / 2])?;
    let too_large = at(1).join("probe-1.0.0.ivr");
    std::fs::File::create(&too_large)?.set_len(TOO_LARGE)?;
    let tampered = at(2).join("probe-1.0.0.ivr");
    let in_clear = good.windows(9).position(|bytes| bytes == b"SHA256SUM").context("no sums")?;
    let mut bytes = good;
    bytes[in_clear / 2] ^= 0xFF;
    std::fs::write(&tampered, bytes)?;
    let manifest =
        |from: &'static str, to: &'static str| move |files: &mut Files| bundles::edit_manifest(files, from, to);
    let cases = [
        (cut_off, vec!["is not a ZIP file, or is cut off"]),
        (too_large, vec!["at most", "file_bytes_max"]),
        (tampered, vec![]),
        (
            spoilt(at(3), manifest("interface = \"0.1\"", "interface = \"9.9\""))?,
            vec!["manifest.toml line", "interface"],
        ),
        (
            spoilt(at(4), manifest("[capabilities]", "[capabilities]\nteleport = {}"))?,
            vec!["manifest.toml line", "teleport"],
        ),
        (
            spoilt(at(5), manifest("languages", "media = [\"welcome\"]\nlanguages"))?,
            vec!["media welcome is missing for ru-RU", "media/ru-RU/welcome.wav"],
        ),
        (spoilt(at(6), |files| drop(files.insert("script.wasm".into(), b"\0asm rubbish".to_vec())))?, vec![]),
        (
            spoilt(at(7), |files| {
                bundles::edit_manifest(files, "languages", "media = [\"welcome\"]\nlanguages");
                files.insert("media/ru-RU/welcome.wav".into(), b"RIFF rubbish".to_vec());
            })?,
            vec!["media/ru-RU/welcome.wav"],
        ),
    ];
    for (path, parts) in cases {
        let config =
            ConfigBuilder::new().script("probe", "tell", path.clone(), APPROVED).number("100", "probe", "tell");
        let refusal = Engine::start(&config).await.err().with_context(|| format!("{} was taken", path.display()))?;
        let refusal = format!("{refusal:#}");
        for part in parts.into_iter().chain([&*path.to_string_lossy()]) {
            ensure!(refusal.contains(part), "{part} is not in: {refusal}");
        }
    }
    Ok(())
}

/// Enters both numbers of an application that is ready.
async fn inquire(phone: &Phone, uri: &str) -> anyhow::Result<Call> {
    let call = phone.call(uri, CallOptions::default()).await?;
    for keys in ["12345678", "1234"] {
        call.collecting(PATIENCE).await?;
        call.press(keys)?;
    }
    call.heard("Минуту", PATIENCE).await?;
    Ok(call)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_that_fails_is_told_to_the_script_in_time() -> anyhow::Result<()> {
    const FAULTS: [&str; 7] = ["hang", "lie-length", "garbage", "500", "half-body", "flood", "redirect"];
    /// The script's four seconds, and a busy machine.
    const TOLD_WITHIN: Duration = Duration::from_secs(7);
    let (folder, operator, back_end) =
        (tempfile::tempdir()?, parties::operator().await?, SampleBackend::start().await?);
    let (passport, extra) = bundles::with_back_end("passport", back_end.address, folder.path())?;
    let config = ConfigBuilder::new()
        .operator("anna", operator.local_addr())
        .script("migration", "passport", passport, &extra)
        .number("100", "migration", "passport");
    let engine = Engine::start_at(&config, Some(NOON)).await?;
    let phone = parties::caller().await?;
    for fault in FAULTS {
        back_end.fault(&format!("{{\"route\":\"/passport/applications\",\"kind\":\"{fault}\"}}")).await?;
    }
    let uri = engine.uri("100");
    let suffering = (0..FAULTS.len()).map(|_| async {
        let call = inquire(&phone, &uri).await?;
        let asked = Instant::now();
        call.heard("сведения сейчас получить не удалось", PATIENCE).await?;
        let took = asked.elapsed();
        ensure!(took < TOLD_WITHIN, "told after {took:?}");
        parties::bridged(&call).await?;
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
        Ok(())
    });
    futures_util::future::try_join_all(suffering).await?;
    ensure!(counted(&engine, "gudok_script_events_total", "back-end-failed").await? == 7.0, "not counted");
    let records = engine.cdrs().await?;
    ensure!(
        records.iter().all(|record| record["ended"]["landing"].is_null()),
        "the script landed nobody: {records:#?}"
    );
    // The faults are used up: the next caller is served.
    let call = inquire(&phone, &uri).await?;
    call.heard("готов", PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_new_promises_and_no_call() -> anyhow::Result<()> {
    let config = bench()?.script("probe", "keep", bundle("probe")?, APPROVED).number("200", "probe", "keep");
    // No disk that is in use has nine tenths free.
    let engine = Engine::start(&config.clone().free_percent_min(100)).await?;
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri("200"), CallOptions::default()).await?;
    let heard = call.heard("записано", PATIENCE).await?;
    ensure!(heard.contains("Не записано") && heard.contains("disk is almost full"), "{heard}");
    call.wait_ended(PATIENCE).await?;
    normal_call(&engine).await?;
    until("both calls are on record", async || Ok(engine.cdrs().await?.len() == 2)).await?;
    ensure!(engine.metric("gudok_store_refused_space").await? >= 1.0, "not counted");
    let with_space = Engine::start(&config).await?;
    let call = phone.call(&with_space.uri("200"), CallOptions::default()).await?;
    call.heard("Записано", PATIENCE).await?;
    Ok(())
}
