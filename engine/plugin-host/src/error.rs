//! What can go wrong before a script runs. Each error tells the person what to do next.

use crate::bundle::BundleRefusal;
use std::path::PathBuf;

/// Why a bundle, a script or the host itself was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle is not what it should be.
    #[error("{}: {refusal}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        refusal: BundleRefusal,
    },
    /// The script asks for what this host does not let it have.
    #[error("script {script}: {refusal}")]
    Load {
        /// Name and version.
        script: String,
        /// Why.
        refusal: LoadRefusal,
    },
    /// A file or folder of the host's own.
    #[error("{}: {what}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// WebAssembly cannot run here.
    #[error(
        "the WebAssembly engine does not start: {0}. Check that the address space is not limited (ulimit -v) and lower instances_max"
    )]
    Engine(String),
    /// HTTP cannot be spoken here.
    #[error("the HTTP client does not start: {0}")]
    Http(String),
    /// The thread or runtime for scripts does not start.
    #[error("the runtime for scripts does not start: {0}")]
    Runtime(std::io::Error),
}

/// Why a bundle that is well-formed cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadRefusal {
    /// Built for another interface.
    #[error(
        "script.wasm imports `{import}`, of another version of the interface; this host speaks {have}. Build the script against wit/v{have}"
    )]
    InterfaceVersion {
        /// The import's name.
        import: String,
        /// What this host has.
        have: &'static str,
    },
    /// Not declared in the manifest.
    #[error(
        "script.wasm imports `{import}`, but manifest.toml does not declare the capability `{capability}`. Add it under [capabilities], or do not import it"
    )]
    NotDeclared {
        /// The import's name.
        import: String,
        /// The capability.
        capability: &'static str,
    },
    /// Declared, but no admin said yes.
    #[error(
        "script.wasm imports `{import}`, but the capability `{capability}` is not approved for this agency. Approve it in the host's configuration, or deploy a version that does without"
    )]
    NotApproved {
        /// The import's name.
        import: String,
        /// The capability.
        capability: &'static str,
    },
    /// Something that no script gets.
    #[error(
        "script.wasm imports `{import}`, which no script gets: only interfaces of gudok:ivr are offered, no WASI. Build without it (docs/AUTHORING.md)"
    )]
    ForbiddenImport {
        /// The import's name.
        import: String,
    },
    /// An origin in the configuration that is none.
    #[error(
        "manifest.toml asks for the origin that the configuration has under `{key}`, and {}. Set it in the host's configuration, under config of the script, to scheme, host and port only: \"https://api.example.org\"",
        found.as_ref().map_or_else(|| "there is nothing".to_owned(), |found| format!("that is {found:?}"))
    )]
    OriginOfConfig {
        /// The key.
        key: String,
        /// What is there.
        found: Option<String>,
    },
    /// The kind in the manifest and the export do not match.
    #[error(
        "manifest.toml says kind = \"{kind}\", but script.wasm does not export `{export}`. Correct the kind, or build the component for the world of that kind"
    )]
    MissingExport {
        /// As the manifest has it.
        kind: &'static str,
        /// What that kind exports.
        export: String,
    },
    /// Not a component, or a broken one.
    #[error(
        "script.wasm is not a valid component: {0}. A core module becomes a component by `gudok bundle pack --componentize` or `wasm-tools component new`"
    )]
    NotAComponent(String),
    /// Its imports have the right names and the wrong types.
    #[error("script.wasm does not fit the interface: {0}. Build it against wit/v0.1.0")]
    TypeMismatch(String),
    /// Larger than a slot of the pool.
    #[error(
        "script.wasm does not fit the host's limits: {0}. What `gudok build` makes fits, with an interpreter in it or without: build with its tools, and join fewer components"
    )]
    TooLarge(String),
    /// The compile child failed or was stopped.
    #[error("script.wasm does not compile: {0}")]
    Compile(CompileRefusal),
}

/// What became of the compile child.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompileRefusal {
    /// Longer than the wall clock allows.
    #[error("it took longer than compile_wall_s_max = {seconds_max} s. Make the component smaller, or raise the limit")]
    TimedOut {
        /// The limit.
        seconds_max: u64,
    },
    /// Killed by the kernel: memory or CPU.
    #[error(
        "the compiler was stopped by signal {signal} at its limits (compile_memory_mib_max, compile_cpu_s_max). Make the component smaller, or raise them"
    )]
    Killed {
        /// Which.
        signal: i32,
    },
    /// It said no.
    #[error("{0}")]
    Refused(String),
    /// It could not be started.
    #[error("the compile child does not start: {0}. Check the path of the gudok binary")]
    NotStarted(String),
    /// Too many wait for the compiler.
    #[error("{waiting_max} components wait for the compiler already (waiting_max). Try again later")]
    Busy {
        /// The limit.
        waiting_max: usize,
    },
    /// It gave more than it may.
    #[error(
        "the machine code is over compiled_bytes_max = {bytes_max}. Make the component smaller, or raise the limit"
    )]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
}
