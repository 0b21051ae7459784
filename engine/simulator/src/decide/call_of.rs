//! One call to one bundle, in a world that has all that its manifest names, and a directory that knows two of everything: the
//! same for whoever tries a script alone.

use super::everything;
use crate::callee::{Callee, Sort};
use crate::caller::Caller;
use crate::campaigns::samples;
use crate::example_directory::ExampleDirectory;
use crate::informing::SimContact;
use crate::smoke;
use crate::world::World;
use gudok_core::ids::{Agency, Entry};
use gudok_core::routing::Routes;
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::manifest::Kind;
use std::sync::Arc;
use std::time::Duration;

/// What the caller dials; no number that anybody has.
const DIALLED: &str = "100";
/// How long there are campaigns in the world: who is put off for longer is not called in it.
const CAMPAIGN_LASTS: Duration = Duration::from_hours(6);

/// How a call comes in, or goes out, and into what.
#[derive(Clone, Debug, Default)]
pub struct CallOf {
    /// Which entry; the manifest's first where there is none.
    pub entry: Option<String>,
    /// In which language; the manifest's first where there is none.
    pub lang: Option<String>,
    /// When; noon of a weekday where there is none.
    pub at: Option<Timestamp>,
    /// From which number (E.164); none: one of the world's own.
    pub caller: Option<String>,
    /// The caller's number is withheld.
    pub anonymous: bool,
    /// Everything that is left to chance comes from it.
    pub seed: u64,
    /// The engine's own routes. Without them, everything that the manifest names is there.
    pub routes: Option<Routes>,
    /// Of a campaign's script: the columns of the contact who is called.
    pub contact: Vec<(String, String)>,
    /// Of a campaign's script: who takes the call; a person where nobody is named.
    pub callee: Option<Callee>,
}

impl CallOf {
    /// Whose script it is, and under which entry it is called.
    #[must_use]
    pub fn place(&self, version: &Version) -> (Agency, Entry) {
        let manifest = &version.manifest;
        let entry = self.entry.clone().or_else(|| manifest.entries.first().cloned());
        (Agency::new(&manifest.agency), Entry::new(entry.as_deref().unwrap_or("main")))
    }

    /// An answering machine takes the call.
    #[must_use]
    pub fn is_on_machine(&self) -> bool {
        self.callee.as_ref().is_some_and(|callee| matches!(callee.sort, Sort::Machine { .. }))
    }
}

/// A world with that call in it. Whoever wants to decide adds [`World::decided_by`]; without it the caller says nothing and
/// listens to the end.
#[must_use]
pub fn world_of(version: &Arc<Version>, call: &CallOf) -> World {
    let (agency, entry) = call.place(version);
    let manifest = &version.manifest;
    let routes = call.routes.clone().unwrap_or_else(|| everything::routes_of(&manifest.capabilities, &agency));
    let mut world = World::new(call.seed).routes(routes).directory(Arc::new(ExampleDirectory));
    if let Some(at) = call.at {
        world = world.starts_at(at);
    }
    world = world.bundle(agency.as_str(), entry.as_str(), Arc::clone(version));
    for name in manifest.capabilities.secrets.iter().flat_map(|secrets| &secrets.names) {
        world = world.secret(agency.as_str(), name, smoke::SECRET);
    }
    if version.kind() == Kind::Campaign {
        let callee = call.callee.clone().unwrap_or_else(|| Callee::person(Caller::called()));
        let contact = SimContact::new("+70000000001", callee);
        let contact = call.contact.iter().fold(contact, |contact, (name, value)| contact.field(name, value));
        return world.campaigns(samples::shared(&["Etc/UTC"]), CAMPAIGN_LASTS).campaign(
            smoke::campaign::campaign(&agency, &entry),
            Duration::ZERO,
            vec![contact],
        );
    }
    let mut caller = Caller::dials(DIALLED);
    if let Some(number) = &call.caller {
        caller = caller.from(number);
    }
    if call.anonymous {
        caller = caller.anonymous();
    }
    let lang = call.lang.clone().or_else(|| manifest.languages.first().cloned());
    world = world.number(DIALLED, agency.as_str(), entry.as_str()).caller(caller);
    match lang {
        Some(lang) => world.lang(DIALLED, &lang),
        None => world,
    }
}
