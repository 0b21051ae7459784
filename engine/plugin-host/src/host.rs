//! The host of all scripts: loads bundles, checks what they ask for, compiles and links them.

use crate::bindings::ServicePre;
use crate::bindings::campaign::CampaignScriptPre;
use crate::bundle::Bundle;
use crate::compile::{CodeCache, CompileConfig, ComponentRefusal};
use crate::engine::ScriptEngine;
use crate::error::{Error, LoadRefusal};
use crate::gate::{Approval, Gate};
use crate::interface;
use crate::manifest::{Capability, Kind, Limits, Manifest, UnknownOrigin};
use crate::metering::Metering;
use crate::state::CallState;
use crate::surface::{Surface, check_grant, our_interface};
use crate::text::shown;
use crate::version::{Entrance, Version};
use gudok_core::ids::{ScriptName, ScriptVersion};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

/// How scripts are hosted.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Scripts that run at once; the next call lands, cause `refused`.
    pub instances_max: u32,
    /// Instances whose memory stays warm after their call.
    pub warm_instances_max: u32,
    /// What no script gets more than.
    pub caps: Limits,
    /// From the end of a call to the end of its script.
    pub grace: Duration,
    /// Where machine code is kept.
    pub cache_folder: PathBuf,
    /// How it is made.
    pub compile: CompileConfig,
    /// How CPU is counted.
    pub metering: Metering,
}

impl HostConfig {
    /// The usual, for 1,000 scripts at once.
    #[must_use]
    pub const fn new(cache_folder: PathBuf, compile: CompileConfig) -> Self {
        Self {
            instances_max: 1_000,
            warm_instances_max: 100,
            caps: Limits::caps_default(),
            grace: Duration::from_secs(2),
            cache_folder,
            compile,
            metering: Metering::Epochs,
        }
    }
}

/// What the host's configuration says of a script: the admin's word and the script's settings.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What it may do, out of what it asks for.
    pub approval: Approval,
    /// Goes over the manifest's defaults. Only an admin may have written it: an origin in it that the script is granted by
    /// its key (`config:KEY`) may lead into private networks and to this machine.
    pub config: BTreeMap<String, String>,
    /// The agency's rule: nothing is recorded without the caller's consent.
    pub consent_required: bool,
}

impl Admission {
    /// Everything that is declared, and no settings.
    #[must_use]
    pub const fn as_declared() -> Self {
        Self { approval: Approval::AsDeclared, config: BTreeMap::new(), consent_required: false }
    }
}

/// The host of all scripts.
#[derive(Debug)]
pub struct ScriptHost {
    engine: Arc<ScriptEngine>,
    cache: CodeCache,
    config: HostConfig,
    draining: Arc<AtomicBool>,
}

impl ScriptHost {
    /// Starts the engine and its pool. Says in the log if the kernel allows too few mappings for it.
    ///
    /// # Errors
    /// [`Error::Engine`], [`Error::Runtime`], [`Error::Io`] of the cache folder.
    pub fn start(config: HostConfig) -> Result<Self, Error> {
        if let Err(warning) = crate::engine::check_map_count(config.instances_max) {
            tracing::warn!(%warning, "not every script will find room");
        }
        let engine =
            ScriptEngine::start(config.instances_max, config.warm_instances_max, &config.caps, config.metering)?;
        let cache = CodeCache::open(&config.cache_folder)?;
        Ok(Self { engine, cache, config, draining: Arc::default() })
    }

    /// Tells every script that asks that the engine is stopping.
    pub fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Makes a bundle ready for calls. Takes as long as compiling does (seconds, the first time): call it on a thread that
    /// may block.
    ///
    /// # Errors
    /// [`Error::Load`] with the reason.
    pub fn load(&self, bundle: &Bundle, admission: &Admission) -> Result<Arc<Version>, Error> {
        let manifest = &bundle.manifest;
        let script = format!("{} {}", manifest.name, manifest.version);
        let refused = |refusal| Error::Load { script: script.clone(), refusal };
        let gate = gate(manifest, admission).map_err(refused)?;
        let surface = Surface::read(&bundle.component).map_err(refused)?;
        surface.check_interface(manifest.kind).map_err(refused)?;
        surface.check_grants(&gate, manifest.kind).map_err(refused)?;
        let component = self.cache.component(&self.engine, &bundle.component, &self.config.compile);
        let component = component.map_err(|refusal| {
            refused(match refusal {
                ComponentRefusal::Compile(refusal) => LoadRefusal::Compile(refusal),
                ComponentRefusal::TooLarge(why) => LoadRefusal::TooLarge(why),
            })
        })?;
        check_secrets(&component, &self.engine.engine, &gate).map_err(refused)?;
        let linker = interface::linker(&self.engine.engine, &gate, manifest.kind)
            .map_err(|error| Error::Engine(format!("{error:#}")))?;
        let entrance = link(&linker, &component, manifest.kind).map_err(refused)?;
        Ok(Arc::new(Version {
            id: ScriptVersion {
                script: ScriptName::new(&manifest.name),
                version: manifest.version.to_string().into(),
                bundle_sha256: bundle.content_sha256,
            },
            manifest: manifest.clone(),
            limits: Limits::of(&manifest.limits, &self.config.caps),
            gate,
            config: config(manifest, admission),
            data: crate::data::with_trees(&bundle.data),
            media_names: bundle.media_names().into_iter().map(str::to_owned).collect(),
            entrance,
            grace: self.config.grace,
            engine: Arc::clone(&self.engine),
            active: AtomicU32::new(0),
            was_active: AtomicBool::new(false),
            draining: Arc::clone(&self.draining),
        }))
    }
}

/// What the script reads: the admin's settings over the author's defaults.
fn config(manifest: &Manifest, admission: &Admission) -> BTreeMap<String, String> {
    let mut config = manifest.config.clone();
    config.extend(admission.config.clone());
    config
}

/// The gate, with the origins that the configuration has. What an admin approves by its key, the admin has set: an
/// author's default is no admin's word.
pub(crate) fn gate(manifest: &Manifest, admission: &Admission) -> Result<Gate, LoadRefusal> {
    let unknown = |UnknownOrigin { key, found }| LoadRefusal::OriginOfConfig { key, found };
    let declared = manifest.capabilities.with_origins_of(&config(manifest, admission)).map_err(unknown)?;
    let approval = match &admission.approval {
        Approval::AsDeclared => Approval::AsDeclared,
        Approval::Only(approved) => {
            Approval::Only(Box::new(approved.with_origins_of(&admission.config).map_err(unknown)?))
        }
    };
    let set_by_admin = manifest.capabilities.origins_set_in(&admission.config);
    Ok(Gate::new(&declared, &approval).vouch(set_by_admin).require_consent(admission.consent_required))
}

fn link(linker: &Linker<CallState>, component: &Component, kind: Kind) -> Result<Entrance, LoadRefusal> {
    let mismatch = |error: wasmtime::Error| LoadRefusal::TypeMismatch(shown(&format!("{error:#}")));
    let instance = linker.instantiate_pre(component).map_err(mismatch)?;
    match kind {
        Kind::Service | Kind::Menu => ServicePre::new(instance).map(Entrance::Service).map_err(mismatch),
        Kind::Campaign => CampaignScriptPre::new(instance).map(Entrance::Campaign).map_err(mismatch),
    }
}

/// A component with `fetch` names the interface `secrets` for its type; its function it may have only by grant.
fn check_secrets(component: &Component, engine: &wasmtime::Engine, gate: &Gate) -> Result<(), LoadRefusal> {
    for (name, item) in component.component_type().imports(engine) {
        if our_interface(name).is_none_or(|(interface, _)| interface != "secrets") {
            continue;
        }
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let functions = instance.exports(engine).any(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        if functions {
            check_grant(name, Capability::Secrets, gate)?;
        }
    }
    Ok(())
}
