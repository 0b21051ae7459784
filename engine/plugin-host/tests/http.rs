//! Back ends that hang, lie, ramble and send astray: each gives a typed error in time.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use gudok_core::ids::Agency;
use gudok_core::privacy::Secret;
use gudok_plugin_host::http::{HttpConfig, HttpFetch};
use gudok_plugin_host::ports::{FetchError, FetchMethod, FetchPort, FetchRequest, FetchResponse, OriginRule, Voucher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that answers every connection with the same bytes, and keeps what it was asked.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
enum Behave {
    Say(Vec<u8>),
    /// Says it, and keeps the connection open.
    SayAndHang(Vec<u8>),
    /// Says it over and over.
    Ramble(Vec<u8>),
}

impl Server {
    async fn start(behave: Behave) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { return };
                let (kept, behave) = (Arc::clone(&kept), behave.clone());
                tokio::spawn(async move {
                    let mut request = vec![0; 16_384];
                    let length = socket.read(&mut request).await.unwrap_or(0);
                    kept.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
                    match behave {
                        Behave::Say(bytes) => drop(socket.write_all(&bytes).await),
                        Behave::SayAndHang(bytes) => {
                            let _ = socket.write_all(&bytes).await;
                            std::future::pending::<()>().await;
                        }
                        Behave::Ramble(bytes) => while socket.write_all(&bytes).await.is_ok() {},
                    }
                });
            }
        });
        Self { port, heard, task }
    }

    async fn saying(text: &str) -> Self {
        Self::start(Behave::Say(text.as_bytes().to_vec())).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn request(url: &str) -> FetchRequest {
    FetchRequest {
        agency: Agency::new("one"),
        method: FetchMethod::Get,
        url: url.parse().unwrap(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::from_millis(2_000),
        authorization: None,
        response_bytes_max: 1_000,
        origins: OriginRule::new(|_| Some(Voucher::Admin)),
    }
}

fn client() -> HttpFetch {
    HttpFetch::new(HttpConfig::default()).unwrap()
}

async fn get(url: &str) -> Result<FetchResponse, FetchError> {
    client().fetch(request(url)).await
}

async fn check(behave: Behave, expect: impl Fn(&FetchError) -> bool) {
    let server = Server::start(behave).await;
    let error = get(&server.url("/secret-path?token=hunter2")).await.unwrap_err();
    assert!(expect(&error), "{error:?}");
    assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("secret-path"), "{error}");
}

fn say(text: &str) -> Behave {
    Behave::Say(text.as_bytes().to_vec())
}

#[tokio::test]
async fn an_answer_is_an_answer() {
    let server = Server::saying("HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nx-a: b\r\n\r\nнеbye").await;
    let answer = get(&server.url("/x")).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (404, 3), "what is over the announced length is not read");
    assert!(answer.headers.contains(&("x-a".into(), "b".into())));
}

#[tokio::test]
async fn rubbish_is_told_from_silence() {
    let broken = |error: &FetchError| matches!(error, FetchError::Broken { .. });
    let timeout = |error: &FetchError| matches!(error, FetchError::Timeout);
    let too_large = |error: &FetchError| matches!(error, FetchError::TooLarge { .. });
    check(say("hello, I am not HTTP\r\n\r\n"), broken).await;
    check(say(""), broken).await;
    check(say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"), broken).await;
    check(say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"), broken).await;
    check(say("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello"), broken).await;
    check(say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), broken).await;
    check(say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), broken).await;
    check(say("HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n"), too_large).await;
    check(say(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1_001))), too_large).await;
    let fields: String = (0..99).map(|n| format!("x-{n}: {}\r\n", "y".repeat(400))).collect();
    check(say(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")), too_large).await;
    check(Behave::SayAndHang(Vec::new()), timeout).await;
    check(Behave::SayAndHang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel".to_vec()), timeout).await;
    check(Behave::Ramble(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), too_large).await;
    check(Behave::Ramble(b"x".to_vec()), |error| broken(error) || timeout(error)).await;
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    // Port 0 is nobody's; a port that was given back may be another test's by now.
    let error = get("http://127.0.0.1:0/").await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
    // TLS with somebody who has none.
    let server = Server::saying("HTTP/1.1 200 OK\r\n\r\n").await;
    let error = get(&format!("https://127.0.0.1:{}/", server.port)).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn redirects_stay_within_the_grant() {
    let end = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let way = Server::saying(&redirect(&end.url("/there"))).await;
    let mut asked = request(&way.url("/"));
    asked.authorization = Some(Secret::new("Bearer hunter2"));
    asked.headers.push(("x-mine".into(), "yes".into()));
    assert_eq!(client().fetch(asked.clone()).await.unwrap().body, b"ok");
    assert!(way.heard.lock().unwrap()[0].contains("authorization: Bearer hunter2"));
    let heard = end.heard.lock().unwrap().concat();
    assert!(heard.contains("x-mine") && !heard.contains("hunter2"), "the secret goes to its own origin only: {heard}");

    let own = way.port;
    asked.origins = OriginRule::new(move |url| (url.port() == Some(own)).then_some(Voucher::Admin));
    let error = client().fetch(asked.clone()).await.unwrap_err();
    assert_eq!(error, FetchError::RedirectNotGranted { origin: format!("http://127.0.0.1:{}", end.port) });
    asked.method = FetchMethod::Post;
    assert_eq!(client().fetch(asked).await.unwrap().status, 302, "what may not be repeated is not");

    let circle = Server::saying(&redirect("/again")).await;
    let error = get(&circle.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Broken { why: "it redirects without end", .. }), "{error:?}");
    assert_eq!(circle.heard.lock().unwrap().len(), 6);
    let file = Server::saying(&redirect("file:///etc/passwd")).await;
    let mut asked = request(&file.url("/"));
    asked.origins = OriginRule::new(|url| (url.scheme() == "http").then_some(Voucher::Admin));
    assert!(matches!(client().fetch(asked).await, Err(FetchError::RedirectNotGranted { .. })));
}

#[tokio::test]
async fn an_agency_has_only_so_many_requests_on_their_way() {
    let server = Server::start(Behave::SayAndHang(Vec::new())).await;
    let client = HttpFetch::new(HttpConfig { concurrent_per_agency_max: 1, ..HttpConfig::default() }).unwrap();
    let url = server.url("/");
    let first = tokio::spawn(client.fetch(request(&url)));
    while server.heard.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.fetch(request(&url)).await, Err(FetchError::Busy { max: 1 }));
    let mut other = request(&url);
    other.agency = Agency::new("two");
    other.timeout = Duration::from_millis(50);
    assert_eq!(client.fetch(other).await, Err(FetchError::Timeout), "another agency is not in its way");
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let mut again = request(&url);
    again.timeout = Duration::from_millis(50);
    assert_eq!(client.fetch(again).await, Err(FetchError::Timeout), "a cancelled request gives its place back");
}

#[tokio::test]
async fn a_secret_that_is_no_header_is_not_repeated() {
    let server = Server::saying("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut asked = request(&server.url("/"));
    asked.authorization = Some(Secret::new("hunter2\r\nx-evil: 1"));
    let error = client().fetch(asked).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(server.heard.lock().unwrap().is_empty());
}
