//! One version of a script, ready for calls.

use crate::bindings::ServicePre;
use crate::bindings::campaign::CampaignScriptPre;
use crate::engine::ScriptEngine;
use crate::gate::Gate;
use crate::manifest::{Kind, Limits, Manifest};
use crate::state::CallState;
use gudok_core::ids::ScriptVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// One version of a script, loaded, linked and limited. A call holds it from start to end; when the last one lets go,
/// its code is freed.
pub struct Version {
    /// Name, version and content hash.
    pub id: ScriptVersion,
    /// As its bundle has it.
    pub manifest: Manifest,
    /// What it may use.
    pub limits: Limits,
    /// What it may do.
    pub gate: Gate,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) data: BTreeMap<String, Arc<[u8]>>,
    pub(crate) media_names: BTreeSet<String>,
    pub(crate) entrance: Entrance,
    pub(crate) grace: Duration,
    pub(crate) engine: Arc<ScriptEngine>,
    /// Under how many entries it is active.
    pub(crate) active: AtomicU32,
    pub(crate) was_active: AtomicBool,
    pub(crate) draining: Arc<AtomicBool>,
}

/// What of a script the host calls.
pub(crate) enum Entrance {
    /// `script.run`, for services and menus.
    Service(ServicePre<CallState>),
    /// `campaign.prepare` and `campaign.run`.
    Campaign(CampaignScriptPre<CallState>),
}

impl Version {
    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.manifest.kind
    }

    /// A data file of its bundle, by its name under `data/`.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        self.data.get(name).map(AsRef::as_ref)
    }

    /// True once a newer version took its place everywhere, or the engine is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed) || (self.was_active.load(Relaxed) && self.active.load(Relaxed) == 0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").field("id", &self.id).finish_non_exhaustive()
    }
}
