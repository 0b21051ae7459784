//! Where numbers lead: what the configuration file says, and what the ledger adds. The file goes first where both speak.

use super::Director;
use crate::config::{Config, registered, spoken};
use crate::overlays::SideOverlay;
use gudok_admin::documents::{AgencyDocument, NumberDocument, OperatorDocument, OverlayDocument, PhoneDocument, kinds};
use gudok_admin::ports::EngineRefusal;
use gudok_core::centre::{CentreSettings, OperatorSettings};
use gudok_core::ids::{Agency, Entry, Group, Operator, Queue, Skill, Trunk};
use gudok_core::leg::DialTarget;
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::routing::{AgencyRoutes, Overlay, Route, Routes};
use gudok_sip::{RegistrarSecret, RegistrarUser, SipConfig};
use gudok_store::BlobId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// No overlay ends by itself.
pub(super) const NEVER: u64 = u64::MAX;

impl Director {
    /// Puts file and ledger together anew. Calls that are up keep the routes that they began with.
    ///
    /// # Errors
    /// Where the ledger cannot be read; everything stays as it was.
    pub(crate) async fn merge_routes(&self) -> Result<(), EngineRefusal> {
        if self.without_store {
            self.merge_without_ledger().await;
            return Ok(());
        }
        let _one_at_a_time = self.merging.lock().await;
        let config = self.config();
        self.load_sounds(&config).await;
        let mut routes = Routes::clone(&config.routes);
        for (name, _, agency) in self.documents::<AgencyDocument>(kinds::AGENCY).await? {
            routes.agencies.entry(Agency::new(&name)).or_insert_with(|| agency_routes(&agency));
        }
        for slot in self.all_slots() {
            // Callers may be handed to every script of the same agency that takes calls.
            let takes_calls = slot.is_campaign() == Some(false);
            if let (Some(agency), true) = (routes.agencies.get_mut(&slot.agency), takes_calls) {
                let place = (slot.agency.clone(), slot.entry.clone());
                agency.reachable.entry(Arc::from(slot.entry.as_str())).or_insert(place);
            }
        }
        let operators = self.documents::<OperatorDocument>(kinds::OPERATOR).await?;
        let phones: Vec<RegistrarUser> = operators.iter().filter_map(|of| phone(&of.0, &of.2, &config.sip)).collect();
        self.phones.send_if_modified(|known| {
            let differs = **known != phones;
            if differs {
                *known = Arc::new(phones);
            }
            differs
        });
        add_operators(&mut routes, operators);
        for (number, _, document) in self.documents::<NumberDocument>(kinds::NUMBER).await? {
            let route = number_route(&document, &config.lang);
            if !routes.agencies.contains_key(&route.agency) {
                tracing::error!(number, agency = %route.agency, "a number leads to an agency that is not there");
                continue;
            }
            routes.numbers.entry(Arc::from(number.as_str())).or_insert(route);
        }
        self.take_campaigns_out(&mut routes);
        let overlays = self.documents::<OverlayDocument>(kinds::OVERLAY).await?;
        self.add_overlays(&mut routes, overlays, &config.lang).await;
        self.take_routes(routes);
        Ok(())
    }

    /// The file's routes, and the announcements that were in force when the store could still be read.
    pub(crate) async fn merge_without_ledger(&self) {
        let _one_at_a_time = self.merging.lock().await;
        let config = self.config();
        self.load_sounds(&config).await;
        let mut routes = Routes::clone(&config.routes);
        let overlays = Arc::clone(&self.overlays);
        let side = tokio::task::spawn_blocking(move || {
            let side = overlays.read()?;
            for hash in side.iter().filter_map(|overlay| overlay.recording.as_ref()) {
                if let Err(problem) = overlays.load(hash) {
                    tracing::error!(problem, "an announcement's recording is not to be had");
                }
            }
            Ok::<_, std::io::Error>(side)
        });
        let side = side.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        match side {
            Ok(side) => self.put_first(&mut routes, &side),
            Err(error) => tracing::error!(%error, "the announcements beside the store cannot be read"),
        }
        self.take_routes(routes);
    }

    /// Recordings that the file's announcements name.
    async fn load_sounds(&self, config: &Arc<Config>) {
        if config.overlay_sounds.is_empty() {
            return;
        }
        let (overlays, config) = (Arc::clone(&self.overlays), Arc::clone(config));
        let loaded = tokio::task::spawn_blocking(move || {
            for path in &config.overlay_sounds {
                if let Err(problem) = overlays.load_file(path) {
                    tracing::error!(problem, "an announcement's recording is not to be had");
                }
            }
        });
        // It fails only where the runtime stops.
        let _ = loaded.await;
    }

    fn take_routes(&self, routes: Routes) {
        let routes = Arc::new(routes);
        self.centre.send_replace(Arc::clone(&routes.centre));
        self.routes.store(routes);
    }

    /// An emergency officer's announcement goes before the file's. What is in force is written beside the store too.
    async fn add_overlays(&self, routes: &mut Routes, all: Vec<(String, u64, OverlayDocument)>, lang: &Arc<str>) {
        let mut side: Vec<SideOverlay> = Vec::new();
        for (name, _, document) in all {
            side.push(side_overlay(name, &document, lang));
        }
        for hash in side.iter().filter_map(|overlay| overlay.recording.as_ref()) {
            self.bring_sound(hash).await;
        }
        self.put_first(routes, &side);
        let (overlays, now) = (Arc::clone(&self.overlays), self.now().as_millis());
        side.retain(|overlay| overlay.expires_ms.is_none_or(|end| end > now));
        let written = tokio::task::spawn_blocking(move || overlays.write(&side)).await;
        if let Err(error) = written.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            tracing::warn!(%error, "the announcements in force are not written beside the store: they would not be heard without it");
        }
    }

    /// An announcement's recording into memory, from beside the store or from the store.
    async fn bring_sound(&self, hash: &str) {
        if self.overlays.has(hash) {
            return;
        }
        let (overlays, name) = (Arc::clone(&self.overlays), hash.to_owned());
        let beside = tokio::task::spawn_blocking(move || overlays.load(&name)).await;
        if matches!(beside, Ok(Ok(()))) {
            return;
        }
        let taken = match crate::hex::hash(hash) {
            Some(id) => match self.store.blob_read(BlobId::from_sha256(id)).await {
                Ok(wav) => {
                    let (overlays, name) = (Arc::clone(&self.overlays), hash.to_owned());
                    let taken = tokio::task::spawn_blocking(move || overlays.take(&name, &wav)).await;
                    taken.unwrap_or_else(|error| Err(error.to_string()))
                }
                Err(error) => Err(error.to_string()),
            },
            None => Err("its name is no hash".to_owned()),
        };
        if let Err(problem) = taken {
            tracing::error!(problem, recording = hash, "an announcement's recording is not to be had");
        }
    }

    fn put_first(&self, routes: &mut Routes, side: &[SideOverlay]) {
        let now = self.now().as_millis();
        let in_force = || side.iter().filter(|overlay| overlay.expires_ms.is_none_or(|end| end > now));
        let next_end = in_force().filter_map(|overlay| overlay.expires_ms).min().unwrap_or(NEVER);
        let mut all: Vec<Overlay> = in_force().map(SideOverlay::overlay).collect();
        all.append(&mut routes.overlays);
        routes.overlays = all;
        self.overlay_ends.store(next_end, Relaxed);
    }

    /// Whether an announcement's time is over.
    pub(super) fn overlay_is_over(&self) -> bool {
        self.overlay_ends.load(Relaxed) <= self.now().as_millis()
    }
}

/// Operators of the ledger beside the file's, whose word stands.
fn add_operators(routes: &mut Routes, all: Vec<(String, u64, OperatorDocument)>) {
    if all.is_empty() {
        return;
    }
    let mut centre = CentreSettings::clone(&routes.centre);
    for (login, _, document) in all {
        let name = Operator::new(&login);
        centre.operators.entry(name.clone()).or_insert_with(|| Arc::new(operator(name, &document)));
    }
    routes.centre = Arc::new(centre);
}

fn operator(name: Operator, document: &OperatorDocument) -> OperatorSettings {
    let shown = if document.shown_name.is_empty() { name.as_str() } else { document.shown_name.as_str() };
    OperatorSettings {
        shown_name: Arc::from(shown),
        target: match &document.phone {
            PhoneDocument::Registers { .. } => registered(name.as_str()),
            PhoneDocument::Fixed { trunk, address } => {
                DialTarget { trunk: Some(Trunk::new(trunk.as_str())), address: PhoneNumber::new(address) }
            }
        },
        queues: document.queues.iter().map(|queue| Queue::new(queue.as_str())).collect(),
        skills: document.skills.iter().map(|(skill, level)| (Skill::new(skill.as_str()), *level)).collect(),
        always_ready: document.always_ready,
        name,
    }
}

/// A telephone that registers, where its secret was made for this realm.
fn phone(login: &str, document: &OperatorDocument, sip: &SipConfig) -> Option<RegistrarUser> {
    let PhoneDocument::Registers { secret: Some(secret) } = &document.phone else { return None };
    if sip.registrar.as_ref().is_none_or(|registrar| registrar.realm != secret.realm) {
        tracing::warn!(operator = login, "a telephone's password was made for another realm: set it again");
        return None;
    }
    Some(RegistrarUser {
        name: Arc::from(login),
        secret: RegistrarSecret::Ha1 {
            md5: Some(Secret::new(&secret.ha1_md5)),
            sha256: Some(Secret::new(&secret.ha1_sha256)),
        },
        sources: Vec::new(),
    })
}

fn side_overlay(name: String, document: &OverlayDocument, lang: &Arc<str>) -> SideOverlay {
    SideOverlay {
        name,
        text: document.text.clone(),
        recording: document.recording.clone(),
        lang: document.lang.as_ref().map_or_else(|| lang.to_string(), |lang| lang.as_str().to_owned()),
        agencies: document.agencies.iter().map(|agency| agency.as_str().to_owned()).collect(),
        areas: document.areas.clone(),
        numbers: document.numbers.iter().map(|number| number.as_str().to_owned()).collect(),
        expires_ms: document.expires_ms,
    }
}

fn number_route(document: &NumberDocument, lang: &Arc<str>) -> Route {
    Route {
        agency: Agency::new(document.agency.as_str()),
        entry: Entry::new(document.entry.as_str()),
        lang: document.lang.as_ref().map_or_else(|| Arc::clone(lang), |lang| Arc::from(lang.as_str())),
        area: document.area.as_deref().map(Arc::from),
        callback: document.callback.as_ref().map(|queue| Queue::new(queue.as_str())),
    }
}

fn agency_routes(agency: &AgencyDocument) -> AgencyRoutes {
    let reachable: BTreeMap<Arc<str>, (Agency, Entry)> = agency
        .reachable
        .iter()
        .filter_map(|(name, place)| {
            let (agency, entry) = place.split_once('/')?;
            Some((Arc::from(name.as_str()), (Agency::new(agency), Entry::new(entry))))
        })
        .collect();
    AgencyRoutes {
        fallback: Group::new(agency.fallback.as_str()),
        reachable,
        outbound: agency.outbound.as_ref().map(|trunk| Trunk::new(trunk.as_str())),
        queue: agency.queue.as_ref().map(|queue| Queue::new(queue.as_str())),
        information: (!agency.information.is_empty()).then(|| spoken(&agency.information, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_says_of_queues_and_callbacks_is_in_the_routes() {
        let lang: Arc<str> = Arc::from("ru-RU");
        let number = json!({ "agency": "mfc", "entry": "desk", "area": "42/zarechny", "callback": "operators" });
        let route = number_route(&serde_json::from_value(number).unwrap(), &lang);
        assert_eq!(route.area.as_deref(), Some("42/zarechny"));
        assert_eq!((route.callback, route.lang), (Some(Queue::new("operators")), lang));
        let agency = json!({ "fallback": "operators", "queue": "operators", "information": "С девяти до шести." });
        let agency = agency_routes(&serde_json::from_value(agency).unwrap());
        assert_eq!(agency.queue, Some(Queue::new("operators")));
        assert!(agency.information.is_some());
        let plain = agency_routes(&serde_json::from_value(json!({ "fallback": "operators" })).unwrap());
        assert_eq!((plain.queue, plain.information.is_none()), (None, true));
    }
}
