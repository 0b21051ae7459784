//! A script host on this machine: for the author's tools, which run scripts and have no engine.

use anyhow::Context;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::{Admission, CompileConfig, HostConfig, Metering, ScriptHost, Version};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The hidden subcommand that makes a program the compile child. Every program that opens a [`LocalHost`] has it.
pub const COMPILE_SUBCOMMAND: &str = "compile-child";

/// Scripts at once: conversations are tried in parallel, a few a core.
const INSTANCES_MAX: u32 = 256;

/// A script host whose compiled code is kept in the author's cache folder.
#[derive(Debug)]
pub struct LocalHost {
    host: ScriptHost,
}

impl LocalHost {
    /// Opens it. The program that runs must know [`COMPILE_SUBCOMMAND`].
    ///
    /// # Errors
    /// Where wasmtime or the cache folder are not to be had.
    pub fn open() -> anyhow::Result<Self> {
        Self::open_in(&cache_folder()?)
    }

    /// The same with its compiled code in that folder.
    ///
    /// # Errors
    /// Where wasmtime or the folder are not to be had.
    pub fn open_in(cache: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        let mut compile = CompileConfig::new(program, vec![COMPILE_SUBCOMMAND.into()]);
        // The author waits for it.
        compile.eager = true;
        let mut config = HostConfig::new(cache.join("compiled"), compile);
        config.instances_max = INSTANCES_MAX;
        // The same run is the same run, whatever else this machine does.
        config.metering = Metering::Fuel;
        let host = ScriptHost::start(config).context("starting the script host")?;
        Ok(Self { host })
    }

    /// The host itself.
    #[must_use]
    pub const fn host(&self) -> &ScriptHost {
        &self.host
    }

    /// Loads a bundle with these settings over its own, with every right that its manifest asks for.
    ///
    /// # Errors
    /// What a host refuses, in its words.
    pub fn load(&self, bundle: &Bundle, config: BTreeMap<String, String>) -> anyhow::Result<Arc<Version>> {
        let admission = Admission { config, ..Admission::as_declared() };
        Ok(self.host.load(bundle, &admission)?)
    }
}

/// Reads a bundle's file.
///
/// # Errors
/// Where it cannot be read, or is no bundle.
pub fn read_bundle(path: &Path) -> anyhow::Result<Bundle> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Bundle::from_bytes(name, &bytes, &BundleLimits::default()).with_context(|| format!("{}", path.display()))
}

/// Where the author's tools keep what they can make again: `$GUDOK_CACHE`, `$XDG_CACHE_HOME/gudok` or `~/.cache/gudok`.
///
/// # Errors
/// Where none of them is set.
pub fn cache_folder() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("GUDOK_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("gudok")))
        .or_else(|| Some(variable("HOME")?.join(".cache/gudok")))
        .context("no place for a cache: set GUDOK_CACHE to a folder")
}
