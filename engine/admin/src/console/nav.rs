//! The menu: every page that has a list of its own, and who may open it.

use crate::access::Operation;
use crate::auth::Principal;

/// A part of the menu.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its heading, as a key.
    pub(crate) title: &'static str,
    /// What is in it.
    pub(crate) items: Vec<Item>,
}

/// A line of the menu.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Where it leads.
    pub(crate) href: &'static str,
    /// Its words, as a key.
    pub(crate) text: &'static str,
    /// Who may do this sees it.
    operation: Operation,
}

const fn item(href: &'static str, text: &'static str, operation: Operation) -> Item {
    Item { href, text, operation }
}

const MENU: &[(&str, &[Item])] = &[
    (
        "nav.calls",
        &[
            item("/console/calls", "nav.live", Operation::CallsList),
            item("/console/records", "nav.records", Operation::CdrsList),
            item("/console/overlays", "nav.overlays", Operation::OverlaysList),
        ],
    ),
    (
        "nav.scripts",
        &[
            item("/console/deployments", "nav.deployments", Operation::DeploymentsList),
            item("/console/versions", "nav.versions", Operation::VersionsList),
            item("/console/agencies", "nav.agencies", Operation::AgenciesList),
            item("/console/numbers", "nav.numbers", Operation::NumbersList),
        ],
    ),
    (
        "nav.engine",
        &[
            item("/console/users", "nav.users", Operation::UsersList),
            item("/console/tokens", "nav.tokens", Operation::TokensList),
            item("/console/audit", "nav.audit", Operation::AuditList),
            item("/console/configuration", "nav.configuration", Operation::ConfigurationRead),
        ],
    ),
];

/// What of the menu somebody may open.
pub(crate) fn for_reader(me: &Principal) -> Vec<Group> {
    let group = |(title, items): &(&'static str, &[Item])| Group {
        title,
        items: items.iter().filter(|item| me.may(item.operation).is_ok()).copied().collect(),
    };
    MENU.iter().map(group).filter(|group| !group.items.is_empty()).collect()
}

/// Which of the menu's pages a path belongs to.
pub(crate) fn place_of(path: &str) -> &'static str {
    let items = MENU.iter().flat_map(|(_, items)| items.iter());
    items.map(|item| item.href).find(|href| path.starts_with(href)).unwrap_or_default()
}

/// Where somebody begins: the first page that the role may open.
pub(crate) fn home(me: &Principal) -> &'static str {
    for_reader(me).first().and_then(|group| group.items.first()).map_or("/console/tokens", |item| item.href)
}
