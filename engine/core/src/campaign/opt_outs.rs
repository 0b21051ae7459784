//! Who does not want to be called.

use super::contact::{NumberKey, OptOut, OptOutScope};
use super::settings::{CampaignSettings, Urgency};
use std::collections::BTreeMap;

/// By number and scope; true where the law protects it.
#[derive(Clone, Debug, Default)]
pub(super) struct OptOuts(BTreeMap<(NumberKey, OptOutScope), bool>);

impl OptOuts {
    /// True where this is news. What the law protects stays protected, whoever says it again.
    pub(super) fn add(&mut self, opt_out: &OptOut) -> bool {
        let known = self.0.entry((opt_out.number, opt_out.scope.clone()));
        match known {
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(opt_out.protected);
                true
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let news = opt_out.protected && !*known.get();
                if news {
                    known.insert(true);
                }
                news
            }
        }
    }

    /// True where there was one.
    pub(super) fn remove(&mut self, opt_out: &OptOut) -> bool {
        self.0.remove(&(opt_out.number, opt_out.scope.clone())).is_some()
    }

    /// As it stands.
    pub(super) fn get(&self, number: NumberKey, scope: &OptOutScope) -> Option<bool> {
        self.0.get(&(number, scope.clone())).copied()
    }

    /// Whether a campaign may not call somebody.
    pub(super) fn forbid(&self, number: NumberKey, settings: &CampaignSettings) -> bool {
        let over = settings.urgency == Urgency::Emergency { over_opt_outs: true };
        let forbids = |scope: OptOutScope| self.0.get(&(number, scope)).is_some_and(|protected| *protected || !over);
        forbids(OptOutScope::Global) || forbids(OptOutScope::Agency(settings.agency.clone()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
