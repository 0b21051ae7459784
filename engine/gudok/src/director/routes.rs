//! Where numbers lead: what the configuration file says, and what the ledger adds. The file goes first where both speak.

use super::Director;
use crate::config::overlay_prompt;
use gudok_admin::documents::{AgencyDocument, NumberDocument, OverlayDocument, kinds};
use gudok_admin::ports::EngineRefusal;
use gudok_core::ids::{Agency, Entry, Group, Trunk};
use gudok_core::routing::{AgencyRoutes, Overlay, Route, Routes};
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
        let _one_at_a_time = self.merging.lock().await;
        let config = self.config();
        let mut routes = Routes::clone(&config.routes);
        for (name, _, agency) in self.documents::<AgencyDocument>(kinds::AGENCY).await? {
            routes.agencies.entry(Agency::new(&name)).or_insert_with(|| agency_routes(&agency));
        }
        for slot in self.all_slots() {
            // Callers may be handed to every script of the same agency.
            if let (Some(agency), true) = (routes.agencies.get_mut(&slot.agency), slot.seen().is_some()) {
                let place = (slot.agency.clone(), slot.entry.clone());
                agency.reachable.entry(Arc::from(slot.entry.as_str())).or_insert(place);
            }
        }
        for (number, _, document) in self.documents::<NumberDocument>(kinds::NUMBER).await? {
            let lang = document.lang.as_ref().map_or_else(|| Arc::clone(&config.lang), |lang| Arc::from(lang.as_str()));
            let route = Route {
                agency: Agency::new(document.agency.as_str()),
                entry: Entry::new(document.entry.as_str()),
                lang,
                area: None,
                callback: None,
            };
            if !routes.agencies.contains_key(&route.agency) {
                tracing::error!(number, agency = %route.agency, "a number leads to an agency that is not there");
                continue;
            }
            routes.numbers.entry(Arc::from(number.as_str())).or_insert(route);
        }
        let overlays = self.documents::<OverlayDocument>(kinds::OVERLAY).await?;
        self.add_overlays(&mut routes, overlays, &config.lang);
        self.routes.store(Arc::new(routes));
        Ok(())
    }

    /// An emergency officer's announcement goes before the file's.
    fn add_overlays(&self, routes: &mut Routes, overlays: Vec<(String, u64, OverlayDocument)>, lang: &Arc<str>) {
        let now = self.now().as_millis();
        let mut next_end = NEVER;
        let mut all = Vec::new();
        for (_, _, overlay) in overlays {
            if let Some(end) = overlay.expires_ms {
                if end <= now {
                    continue;
                }
                next_end = next_end.min(end);
            }
            let lang = overlay.lang.as_ref().map_or_else(|| Arc::clone(lang), |lang| Arc::from(lang.as_str()));
            all.push(Overlay {
                prompt: overlay_prompt(&overlay.text, lang),
                agencies: overlay.agencies.iter().map(|agency| Agency::new(agency.as_str())).collect(),
            });
        }
        all.append(&mut routes.overlays);
        routes.overlays = all;
        self.overlay_ends.store(next_end, Relaxed);
    }

    /// Whether an announcement's time is over.
    pub(super) fn overlay_is_over(&self) -> bool {
        self.overlay_ends.load(Relaxed) <= self.now().as_millis()
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
        queue: None,
        information: None,
    }
}
