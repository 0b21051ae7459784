//! Compiling at load, in a child process with limits, and the cache of what it gave.
//!
//! A component can be made to take any compiler a very long time: that is not a fault of the compiler, so the compiler
//! runs where it can be killed. What comes back is machine code, which is believed only because we made it: it lies in a
//! folder of our own, in files of our own, beside its hash.

use crate::bundle::hex;
use crate::engine::{self, ScriptEngine};
use crate::error::{CompileRefusal, Error};
use crate::metering::Metering;
use crate::text::shown;
use parking_lot::{Mutex, MutexGuard};
use rustix::process::{Resource, Rlimit, setrlimit};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;
use wasmtime::Engine;
use wasmtime::component::Component;

/// How compiling is done, and how far it may go.
#[derive(Clone, Debug)]
pub struct CompileConfig {
    /// A program that calls [`compile_child_main`]: the gudok binary itself.
    pub program: PathBuf,
    /// What makes it do so: the hidden subcommand.
    pub args: Vec<OsString>,
    /// Address space of the child.
    pub memory_mib_max: u64,
    /// CPU of the child.
    pub cpu_s_max: u64,
    /// From its start to its end.
    pub wall_s_max: u64,
    /// Of the machine code.
    pub compiled_bytes_max: u64,
    /// Components that wait for their turn, one being compiled; the next is refused.
    pub waiting_max: usize,
    /// No call is beside it, and a person waits: the child takes every core and yields to nobody.
    pub eager: bool,
}

impl CompileConfig {
    /// The usual limits, with this program as the child.
    #[must_use]
    pub const fn new(program: PathBuf, args: Vec<OsString>) -> Self {
        Self {
            program,
            args,
            memory_mib_max: 4096,
            cpu_s_max: 120,
            wall_s_max: 180,
            compiled_bytes_max: 512 * 1024 * 1024,
            waiting_max: 16,
            eager: false,
        }
    }
}

const EXIT_REFUSED: u8 = 3;
/// Tells the child that the code is to count fuel.
const FUEL: &str = "fuel";
/// Tells the child that nobody's call is beside it.
const EAGER: &str = "eager";
const MESSAGE_BYTES_MAX: u64 = 16 * 1024;

/// The child yields to everything else on the machine: beside a thread of the engine it gets a seventieth of the core.
const NICENESS: i32 = 19;

/// The compile child: limits itself, reads a component from standard input, writes machine code to standard output.
/// `args` are what the host appended to its own: memory in MiB, CPU in seconds, `fuel` where that is counted, `eager` where no call
/// is beside it. For the gudok binary's hidden subcommand.
pub fn compile_child_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match compile_in_child(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to tell when standard error is gone.
            let _ = io::stderr().write_all(message.as_bytes());
            ExitCode::from(EXIT_REFUSED)
        }
    }
}

fn compile_in_child(args: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    let mut args = args.into_iter();
    let mut next = |what: &str| {
        let number = args.next().and_then(|arg| arg.to_str()?.parse::<u64>().ok());
        number.ok_or_else(|| format!("the argument {what} is missing"))
    };
    let memory_bytes = next("memory in MiB")?.saturating_mul(1024 * 1024);
    let cpu_s = next("CPU in seconds")?;
    let words: Vec<OsString> = args.collect();
    let says = |word: &str| words.iter().any(|arg| arg == word);
    let (metering, eager) = (if says(FUEL) { Metering::Fuel } else { Metering::Epochs }, says(EAGER));
    if !eager {
        // For all threads to come; only this one is there yet. No call is to wait for a compiler.
        rustix::process::nice(NICENESS).map_err(|error| format!("lowering its own priority: {error}"))?;
    }
    // Before a byte of the component is read.
    for (resource, limit) in
        [(Resource::As, memory_bytes), (Resource::Cpu, cpu_s), (Resource::Core, 0), (Resource::Fsize, 0)]
    {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })
            .map_err(|error| format!("limiting itself: {error}"))?;
    }
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component).map_err(|error| format!("reading the component: {error}"))?;
    let compiler = engine::compiler(metering, eager).map_err(|error| error.to_string())?;
    let code = compiler.precompile_component(&component).map_err(|error| format!("{error:#}"))?;
    io::stdout().lock().write_all(&code).map_err(|error| format!("writing the machine code: {error}"))
}

/// Runs the child over a component.
fn compile(component: &[u8], config: &CompileConfig, metering: Metering) -> Result<Vec<u8>, CompileRefusal> {
    let mut child = Command::new(&config.program)
        .args(&config.args)
        .args([config.memory_mib_max.to_string(), config.cpu_s_max.to_string()])
        .args((metering == Metering::Fuel).then_some(FUEL))
        .args(config.eager.then_some(EAGER))
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| CompileRefusal::NotStarted(error.to_string()))?;
    let result = talk_to(&mut child, component, config);
    if result.is_err() {
        // It may be gone already.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| CompileRefusal::NotStarted(error.to_string()))?;
    let (code, message) = result?;
    // First: a child whose pipe is closed on it complains of that.
    if code.len() as u64 > config.compiled_bytes_max {
        return Err(CompileRefusal::TooLarge { bytes_max: config.compiled_bytes_max });
    }
    if let Some(signal) = status.signal() {
        return Err(CompileRefusal::Killed { signal });
    }
    if !status.success() {
        return Err(CompileRefusal::Refused(in_one_line(&message)));
    }
    Ok(code)
}

/// What the child says of a stranger's component.
fn in_one_line(message: &[u8]) -> String {
    const LINES_MAX: usize = 20;
    let text = String::from_utf8_lossy(message);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES_MAX);
    lines.map(shown).collect::<Vec<_>>().join(", ")
}

type Said = (Vec<u8>, Vec<u8>);

/// Feeds the child and hears it out, on threads of their own so that no pipe blocks another; gives up in time.
fn talk_to(child: &mut Child, component: &[u8], config: &CompileConfig) -> Result<Said, CompileRefusal> {
    let gone = || CompileRefusal::NotStarted("its pipes are missing".into());
    let mut stdin = child.stdin.take().ok_or_else(gone)?;
    let stdout = child.stdout.take().ok_or_else(gone)?;
    let stderr = child.stderr.take().ok_or_else(gone)?;
    let bytes_max = config.compiled_bytes_max;
    let component = component.to_vec();
    // A child that stops reading is heard of by its exit status.
    std::thread::spawn(move || drop(stdin.write_all(&component)));
    let (heard, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let message = std::thread::spawn(move || read_up_to(stderr, MESSAGE_BYTES_MAX));
        let code = read_up_to(stdout, bytes_max + 1);
        // Nobody listens any more when the time is up.
        let _ = heard.send((code, message.join().unwrap_or_default()));
    });
    let seconds_max = config.wall_s_max;
    hear.recv_timeout(Duration::from_secs(seconds_max)).map_err(|_| CompileRefusal::TimedOut { seconds_max })
}

/// What can be read of a pipe, and at most so much.
fn read_up_to(pipe: impl Read, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error is judged by the exit status.
    let _ = pipe.take(bytes_max).read_to_end(&mut bytes);
    bytes
}

/// Machine code by what it was made from.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    /// One component is compiled at a time.
    turn: Mutex<()>,
    waiting: AtomicUsize,
}

impl CodeCache {
    /// In this folder, which is made for us alone if it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |what| move |error| Error::Io { path: folder.to_owned(), what, error };
        if !folder.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(failed("making the cache folder"))?;
        }
        let metadata = fs::symlink_metadata(folder).map_err(failed("looking at the cache folder"))?;
        if !metadata.is_dir() || !is_ours(&metadata) {
            let error = io::Error::other("it is not a folder of ours alone. Remove it, or chown and chmod 700 it");
            return Err(Error::Io { path: folder.to_owned(), what: "opening the cache", error });
        }
        Ok(Self { folder: folder.to_owned(), turn: Mutex::default(), waiting: AtomicUsize::new(0) })
    }

    /// The component, from the cache or compiled now.
    pub(crate) fn component(
        &self,
        scripts: &ScriptEngine,
        wasm: &[u8],
        config: &CompileConfig,
    ) -> Result<Component, ComponentRefusal> {
        let engine = &scripts.engine;
        let key = cache_key(engine, wasm);
        if let Some(component) = self.cached(engine, &key) {
            return Ok(component);
        }
        let _turn = self.turn(config.waiting_max).map_err(ComponentRefusal::Compile)?;
        // Who waited may find that another one made it.
        if let Some(component) = self.cached(engine, &key) {
            return Ok(component);
        }
        let code = compile(wasm, config, scripts.metering).map_err(ComponentRefusal::Compile)?;
        let component = deserialize(engine, &code).map_err(|error| ComponentRefusal::TooLarge(format!("{error:#}")))?;
        if let Err(error) = self.store(&key, &code) {
            tracing::warn!(folder = %self.folder.display(), %error, "compiled code is not cached: the next start compiles again");
        }
        Ok(component)
    }

    /// Waits until nobody else compiles.
    fn turn(&self, waiting_max: usize) -> Result<MutexGuard<'_, ()>, CompileRefusal> {
        if let Some(turn) = self.turn.try_lock() {
            return Ok(turn);
        }
        if self.waiting.fetch_add(1, Relaxed) >= waiting_max {
            self.waiting.fetch_sub(1, Relaxed);
            return Err(CompileRefusal::Busy { waiting_max });
        }
        let turn = self.turn.lock();
        self.waiting.fetch_sub(1, Relaxed);
        Ok(turn)
    }

    /// What is in the cache, if it is ours and as we left it. Anything else is removed and made anew.
    fn cached(&self, engine: &Engine, key: &str) -> Option<Component> {
        let path = self.folder.join(format!("{key}.cwasm"));
        if !path.exists() {
            return None;
        }
        let component =
            self.read_checked(key, &path).and_then(|code| deserialize(engine, &code).map_err(io::Error::other));
        component
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "compiled code in the cache is not what we left there: removed");
                // If it cannot be removed it is overwritten or found wrong again.
                let _ = fs::remove_file(&path);
            })
            .ok()
    }

    fn read_checked(&self, key: &str, path: &Path) -> io::Result<Vec<u8>> {
        let code = read_ours(path)?;
        let sum = read_ours(&self.folder.join(format!("{key}.sha256")))?;
        if sum == hex(&Sha256::digest(&code)).as_bytes() {
            Ok(code)
        } else {
            Err(io::Error::other("its hash is another"))
        }
    }

    fn store(&self, key: &str, code: &[u8]) -> io::Result<()> {
        self.write(&format!("{key}.sha256"), hex(&Sha256::digest(code)).as_bytes())?;
        self.write(&format!("{key}.cwasm"), code)
    }

    /// Under another name first: nobody ever finds half a file.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join(format!("{name}.{}.new", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, self.folder.join(name))
    }
}

/// Why there is no component.
#[derive(Debug)]
pub(crate) enum ComponentRefusal {
    Compile(CompileRefusal),
    TooLarge(String),
}

/// Reads a file that only we can have written.
fn read_ours(path: &Path) -> io::Result<Vec<u8>> {
    let file =
        OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_ours(&metadata) {
        return Err(io::Error::other("it is not a file of ours alone"));
    }
    let mut bytes = Vec::new();
    (&file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_ours(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0
}

/// By the component, the version of wasmtime and everything in the engine's configuration that changes code: wasmtime
/// hashes the last two for us.
fn cache_key(engine: &Engine, wasm: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}", hex(&Sha256::digest(wasm)), hasher.finish())
}

#[expect(unsafe_code, reason = "machine code has to be believed; it comes from our child or from our own checked file")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` was written by `precompile_component` of our own binary: either it came through the pipe of the
    // child that we started, or from a file that only we can write and whose hash is the one we noted.
    unsafe { Component::deserialize(engine, code) }
}
