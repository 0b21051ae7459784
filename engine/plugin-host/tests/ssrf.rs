//! A script reaches the internet, and of everything else only what an admin opened: whatever the spelling, by name, by
//! redirect and by names that are answered otherwise the next moment.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod support;

use gudok_core::ids::Agency;
use gudok_core::script::{CallError, ScriptEnd};
use gudok_plugin_host::Admission;
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::http::{HttpConfig, HttpFetch, NameResolver};
use gudok_plugin_host::ports::{
    BoxFuture, FetchError, FetchMethod, FetchPort, FetchRequest, OriginRule, Ports, Voucher,
};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const VECTORS_MIN: usize = 200;

/// Counts who connects, and answers every request of a connection with the same text.
struct Counter {
    port: u16,
    connects: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Counter {
    async fn at(address: &str, answer: impl Into<Arc<Mutex<String>>>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connects, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (connected, requested, answer) = (Arc::clone(&connects), Arc::clone(&requests), answer.into());
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { return };
                connected.fetch_add(1, SeqCst);
                let (requested, answer) = (Arc::clone(&requested), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut bytes = vec![0; 16_384];
                    while socket.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                        requested.fetch_add(1, SeqCst);
                        let answer = answer.lock().unwrap().clone();
                        if socket.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, connects, requests, task }
    }

    async fn start() -> Self {
        Self::at("127.0.0.1:0", said(OK)).await
    }

    fn counts(&self) -> (usize, usize) {
        (self.connects.load(SeqCst), self.requests.load(SeqCst))
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn said(answer: &str) -> Arc<Mutex<String>> {
    Arc::new(Mutex::new(answer.to_owned()))
}

/// Answers every name from a list of answers, the last of them for ever.
#[derive(Default)]
struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = answers.iter().rev().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(parsed.collect()), asked: AtomicUsize::new(0) })
    }
}

impl NameResolver for Names {
    fn resolve(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Box::pin(std::future::ready(Ok(answer.unwrap_or_default())))
    }
}

fn client(allowed: &[&str], names: &Arc<Names>) -> HttpFetch {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let config = HttpConfig { allowed, ..HttpConfig::default() };
    HttpFetch::with_resolver(config, Arc::clone(names) as Arc<dyn NameResolver>).unwrap()
}

fn request(url: reqwest::Url, rule: OriginRule) -> FetchRequest {
    FetchRequest {
        agency: Agency::new("one"),
        method: FetchMethod::Get,
        url,
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::from_secs(5),
        authorization: None,
        response_bytes_max: 1_000,
        origins: rule,
    }
}

/// Whatever the author declared was approved as declared.
fn by_author() -> OriginRule {
    OriginRule::new(|_| Some(Voucher::Author))
}

fn by_admin() -> OriginRule {
    OriginRule::new(|_| Some(Voucher::Admin))
}

const V4: [Ipv4Addr; 22] = [
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 255, 255, 254),
    Ipv4Addr::new(0, 0, 0, 0),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(10, 255, 255, 255),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(172, 31, 255, 254),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 0, 1),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(198, 51, 100, 1),
    Ipv4Addr::new(203, 0, 113, 1),
    Ipv4Addr::new(198, 18, 0, 1),
    Ipv4Addr::new(224, 0, 0, 251),
    Ipv4Addr::new(240, 0, 0, 1),
    Ipv4Addr::new(255, 255, 255, 255),
    Ipv4Addr::new(192, 88, 99, 1),
];

const V6: [&str; 20] = [
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff05::2",
    "2001:db8::1",
    "3fff::1",
    "2001:2::1",
    "2001:10::1",
    "2001::1",
    "100::1",
    "5f00::1",
    "4000::1",
    "64:ff9b:1::1",
];

/// What no name means, whoever wrote it.
const HOME_AND_ASTRAY: [&str; 16] = [
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "169.254.169.254",
    "fe80::1",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
    "0.0.0.0",
    "::",
    "224.0.0.251",
    "255.255.255.255",
];

/// What anybody thought of to write an IPv4 address otherwise.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let whole = u32::from(address);
    let (low16, low24) = (whole & 0xffff, whole & 0xff_ffff);
    let (high, low) = (whole >> 16, whole & 0xffff);
    let dotted = address.to_string();
    let wide = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c }).collect()
    };
    vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{whole}"),
        format!("0x{whole:x}"),
        format!("0X{whole:08X}"),
        format!("0{whole:o}"),
        format!("{a}.{low24}"),
        format!("{a}.{b}.{low16}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0{a:03o}.0x{b:02x}.{c}.{d}"),
        wide(&dotted),
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        dotted.replace('.', "%2e"),
        dotted.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        format!("public.example@{dotted}"),
        format!("public.example:80@{dotted}"),
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{dotted}]"),
        format!("[::{dotted}]"),
        format!("[::ffff:0:{dotted}]"),
        format!("[64:ff9b::{dotted}]"),
        format!("[64:ff9b:1::{dotted}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("[::ffff:{dotted}%25lo]"),
    ]
}

/// Hosts as they may stand in a URL, each of which leads to where no script may go.
fn hosts() -> BTreeSet<String> {
    let mut hosts: BTreeSet<String> = V4.into_iter().flat_map(spellings).collect();
    hosts.extend(V6.iter().map(|address| format!("[{address}]")));
    hosts.extend(V6.iter().map(|address| format!("[{address}%25eth0]")));
    hosts.extend(["0", "0x0", "127.1", "0x7f.1", "①②⑦.⓪.⓪.①", "127.0.0.1\\@public.example"].map(str::to_owned));
    hosts
}

#[tokio::test]
async fn no_spelling_of_an_address_leads_inside() {
    let inside = Counter::start().await;
    let fetch = client(&[], &Names::answering(&[&["127.0.0.1"]]));
    let (mut refused, mut not_urls) = (0, 0);
    for host in hosts() {
        for path in ["", "/latest/meta-data", "/?url=http://public.example/", "#@public.example/"] {
            let Ok(url) = reqwest::Url::parse(&format!("http://{host}:{}{path}", inside.port)) else {
                not_urls += 1;
                continue;
            };
            let error = fetch.fetch(request(url, by_author())).await.unwrap_err();
            assert!(matches!(error, FetchError::Forbidden { .. }), "{host}{path}: {error:?}");
            refused += 1;
        }
    }
    assert!(refused >= VECTORS_MIN && not_urls < refused / 4, "{refused} refused, {not_urls} are no URLs");
    assert_eq!(inside.counts(), (0, 0), "{refused} vectors");
    eprintln!("{refused} URLs refused, {not_urls} are no URLs, 0 connects");
}

#[tokio::test]
async fn no_name_leads_inside() {
    let inside = Counter::start().await;
    let v4 = V4.iter().flat_map(|address| {
        let [high, low] = [u32::from(*address) >> 16, u32::from(*address) & 0xffff];
        [
            address.to_string(),
            format!("::ffff:{address}"),
            format!("64:ff9b::{address}"),
            format!("2002:{high:x}:{low:x}::1"),
        ]
    });
    let mut vectors = 0;
    for address in v4.chain(V6.map(str::to_owned)) {
        let names = Names::answering(&[&[&address]]);
        for name in [
            "public.example",
            "localhost",
            "localhost.",
            "a.localhost",
            "metadata.google.internal",
            "127.0.0.1.nip.example",
        ] {
            let url = format!("http://{name}:{}/", inside.port).parse().unwrap();
            let error = client(&[], &names).fetch(request(url, by_author())).await.unwrap_err();
            assert!(matches!(error, FetchError::Forbidden { .. }), "{name} at {address}: {error:?}");
            vectors += 1;
        }
    }
    // A name that an admin wrote may lead into his networks, and neither home nor astray.
    for address in HOME_AND_ASTRAY {
        let url = format!("http://public.example:{}/", inside.port).parse().unwrap();
        let error = client(&[], &Names::answering(&[&[address]])).fetch(request(url, by_admin())).await.unwrap_err();
        assert!(matches!(error, FetchError::Forbidden { .. }), "{address}: {error:?}");
        vectors += 1;
    }
    assert!(vectors >= VECTORS_MIN, "{vectors}");
    assert_eq!(inside.counts(), (0, 0), "{vectors} vectors");
    eprintln!("{vectors} names refused, 0 connects");
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    let inside = Counter::start().await;
    let answer = said("");
    let outside = Counter::at("127.0.0.1:0", Arc::clone(&answer)).await;
    let port = outside.port;
    // The first origin is opened by an admin; everything else is granted by the author's manifest.
    let rule = OriginRule::new(move |url| {
        let opened = url.port() == Some(port) && url.host_str() == Some("127.0.0.1");
        Some(if opened { Voucher::Admin } else { Voucher::Author })
    });
    let fetch = client(&[], &Names::answering(&[&["127.0.0.1"]]));
    let start: reqwest::Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let names = ["public.example", "localhost", "user:password@localhost"].map(str::to_owned);
    let mut vectors = 0;
    for host in hosts().into_iter().chain(names) {
        for location in [format!("http://{host}:{}/", inside.port), format!("//{host}:{}", inside.port)] {
            if !location.is_ascii() || start.join(&location).is_err() {
                continue;
            }
            *answer.lock().unwrap() =
                format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let error = fetch.fetch(request(start.clone(), rule.clone())).await.unwrap_err();
            assert!(matches!(error, FetchError::Forbidden { .. }), "{location}: {error:?}");
            vectors += 1;
        }
    }
    assert!(vectors >= VECTORS_MIN, "{vectors}");
    assert_eq!(inside.counts(), (0, 0), "{vectors} vectors");
    assert_eq!(outside.counts().1, vectors);
    eprintln!("{vectors} redirects refused, 0 connects");
    for location in ["file:///etc/passwd", "gopher://127.0.0.1/", "data:text/plain,x", "ftp://127.0.0.1/"] {
        *answer.lock().unwrap() = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let error = fetch.fetch(request(start.clone(), rule.clone())).await.unwrap_err();
        assert!(matches!(error, FetchError::RedirectNotGranted { .. }), "{location}: {error:?}");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_address_that_is_connected() {
    let opened = Counter::start().await;
    let inside = Counter::at(&format!("127.0.0.2:{}", opened.port), said(OK)).await;
    let allowed = format!("127.0.0.1:{}", opened.port);
    let url = || format!("http://rebinds.example:{}/", opened.port).parse().unwrap();
    let names = Names::answering(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let fetch = client(&[&allowed], &names);
    for _ in 0..3 {
        assert_eq!(fetch.fetch(request(url(), by_author())).await.unwrap().body, b"ok");
    }
    assert_eq!(names.asked.load(SeqCst), 1, "what was checked is kept, connecting asks nobody");
    // Asked anew, the name leads elsewhere, and nobody follows.
    let error = client(&[&allowed], &names).fetch(request(url(), by_author())).await.unwrap_err();
    assert!(matches!(error, FetchError::Forbidden { .. }), "{error:?}");
    // A name with a good and a bad address is known by the good one alone.
    let both = Names::answering(&[&["127.0.0.2", "127.0.0.1", "10.0.0.1"]]);
    for _ in 0..20 {
        assert!(client(&[&allowed], &both).fetch(request(url(), by_author())).await.is_ok());
    }
    let none = Names::answering(&[&[]]);
    let error = client(&[&allowed], &none).fetch(request(url(), by_author())).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
    assert_eq!(inside.counts(), (0, 0));
}

#[tokio::test]
async fn a_connection_that_one_may_use_another_may_not() {
    let inside = Counter::start().await;
    let fetch = client(&[], &Names::answering(&[&["127.0.0.1"]]));
    for host in ["127.0.0.1", "localhost"] {
        let url: reqwest::Url = format!("http://{host}:{}/", inside.port).parse().unwrap();
        let before = inside.counts().1;
        for _ in 0..2 {
            assert_eq!(fetch.fetch(request(url.clone(), by_admin())).await.unwrap().body, b"ok");
        }
        // The connection is still open, and the name is known.
        let error = fetch.fetch(request(url, by_author())).await.unwrap_err();
        assert!(matches!(error, FetchError::Forbidden { .. }), "{error:?}");
        assert_eq!(inside.counts().1, before + 2);
    }
    assert_eq!(inside.counts().0, 2, "connections stay open for the next request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_word_opens_exactly_what_he_wrote() {
    let inside = Counter::start().await;
    let url = format!("http://127.0.0.1:{}", inside.port);
    let data = format!("(data (i32.const 3000) \"{url}\")");
    let wat = guest(FETCH, &data, &get(&url, "(i32.const 0) (i32.const 0)"));
    let wasm = component(&wat, "service");
    let bench = Bench::new(2);
    let literal = format!("[capabilities]\nfetch = {{ origins = [\"{url}\"] }}");
    let by_key =
        format!("[capabilities]\nfetch = {{ origins = [\"config:back_end\"] }}\n[config]\nback_end = \"{url}\"");
    let set = [("back_end".to_owned(), url.clone())];
    let port = inside.port;
    let runs = async |extra: &str, admission: Admission, allowed: &[&str]| {
        let version = bench.host.load(&bundle(&manifest(extra), wasm.clone()), &admission).unwrap();
        let fetch = Arc::new(client(allowed, &Names::answering(&[&["127.0.0.1"]])));
        let start = start(FakeCall::then(Then::Done), Ports { fetch, ..ports() }, None);
        gudok_plugin_host::run(version, start).1.await.end
    };
    let as_declared = Admission::as_declared;
    let with_config = || Admission { config: set.clone().into(), ..as_declared() };
    let only =
        |toml: &str| Admission { approval: Approval::Only(Box::new(toml::from_str(toml).unwrap())), ..as_declared() };
    let refused = |end: ScriptEnd| {
        let ScriptEnd::Failed(CallError::Denied(why)) = &end else { panic!("{end:?}") };
        assert!(why.contains("this machine, which no admin allowed"), "{why}");
    };
    let served = |end: ScriptEnd| assert!(matches!(end, ScriptEnd::Returned(_)), "{end:?}");
    refused(runs(&literal, as_declared(), &[]).await);
    refused(runs(&by_key, as_declared(), &[]).await);
    refused(runs(&literal, with_config(), &[]).await);
    refused(runs(&literal, as_declared(), &["127.0.0.1:1"]).await);
    assert_eq!(inside.counts(), (0, 0), "an author's word, literal or by default, leads nowhere");
    served(runs(&by_key, with_config(), &[]).await);
    served(runs(&literal, only(&format!("fetch = {{ origins = [\"{url}\"] }}")), &[]).await);
    served(runs(&literal, as_declared(), &[&format!("127.0.0.1:{port}")]).await);
    served(runs(&literal, as_declared(), &[&format!("127.0.0.0/8:{port}")]).await);
    assert_eq!(inside.counts().1, 4);
}
