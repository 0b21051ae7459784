//! An engine of paper: as much HTTP as the command line needs, one thread a connection, every request remembered.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Without query.
    pub(crate) path: String,
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The connection is dropped instead.
    dropped: bool,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let kind = if status >= 400 { "application/problem+json" } else { "application/json" };
        Self::bytes(status, kind, body.to_string().as_bytes())
    }

    pub(crate) fn bytes(status: u16, kind: &'static str, body: &[u8]) -> Self {
        let headers = vec![("Content-Type", kind.to_owned())];
        Self { status, headers, body: body.to_vec(), dropped: false }
    }

    pub(crate) fn nothing(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn dropped() -> Self {
        Self { dropped: true, ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn problem(status: u16, code: &str, detail: &str, field: Option<&str>, remedy: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({
                "type": format!("/api/docs/problems#{code}"), "title": "No", "status": status, "code": code,
                "detail": detail, "field": field, "remedy": remedy,
            }),
        )
    }
}

type Answers = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The engine.
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Engine {
    pub(crate) fn start(answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&asked);
        let answers: Arc<Answers> = Arc::new(answers);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, answers) = (Arc::clone(&remembered), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &asked, &*answers));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The one request of that kind.
    pub(crate) fn one(&self, method: &str, path: &str) -> Asked {
        let mut found: Vec<Asked> = self.asked().into_iter().filter(|asked| asked.is(method, path)).collect();
        assert_eq!(found.len(), 1, "{method} {path}: {:?}", self.asked());
        found.remove(0)
    }

    /// Runs `gudok` as somebody who is logged in there.
    pub(crate) fn gudok(&self, arguments: &[&str]) -> Ran {
        let home = tempfile::tempdir().unwrap();
        run(&Setting { url: Some(&self.url()), token: Some("gdk_test"), ..Setting::at(home.path()) }, arguments)
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, answers: &Answers) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let Some(request) = read(&mut reader) else { return };
    asked.lock().unwrap().push(request.clone());
    let reply = answers(&request);
    if reply.dropped {
        return;
    }
    let mut head =
        format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Asked { method, path, query, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Where a command runs.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    /// XDG_CONFIG_HOME, and the working directory.
    pub(crate) home: &'a Path,
    pub(crate) url: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    pub(crate) stdin: &'a str,
}

impl<'a> Setting<'a> {
    pub(crate) fn at(home: &'a Path) -> Self {
        Self { home, url: None, token: None, stdin: "" }
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// It did what it was told.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Its output with single spaces.
    pub(crate) fn words(&self) -> String {
        let lines = self.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the real binary.
pub(crate) fn run(setting: &Setting<'_>, arguments: &[&str]) -> Ran {
    run_program(setting, env!("CARGO_BIN_EXE_gudok"), arguments)
}

/// Runs another program around it.
pub(crate) fn run_program(setting: &Setting<'_>, program: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("XDG_CONFIG_HOME", setting.home).env("TZ", "UTC").current_dir(setting.home);
    command.envs(setting.url.map(|url| ("GUDOK_URL", url))).envs(setting.token.map(|token| ("GUDOK_TOKEN", token)));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing closes it before we have written.
    let _ = child.stdin.take().unwrap().write_all(setting.stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A bundle in that folder, packed by the tool itself: a component as small as they come, and so much data.
pub(crate) fn packed(folder: &Path, version: &str, data: &[u8]) -> String {
    let source = folder.join("source");
    std::fs::create_dir_all(source.join("data")).unwrap();
    let manifest = format!(
        "format = 1\nname = \"passport\"\nversion = \"{version}\"\nkind = \"service\"\ninterface = \"0.1\"\n\
         agency = \"migration\"\nlanguages = [\"ru-RU\"]\n"
    );
    std::fs::write(source.join("manifest.toml"), manifest).unwrap();
    // The preamble of a component.
    std::fs::write(source.join("script.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    if !data.is_empty() {
        std::fs::write(source.join("data/data.bin"), data).unwrap();
    }
    run(&Setting::at(folder), &["bundle", "pack", "source", "--out", "."]).fine();
    format!("passport-{version}.ivr")
}
