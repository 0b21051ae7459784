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
            item("/console/desk", "nav.desk", Operation::DeskRead),
            item("/console/calls", "nav.live", Operation::CallsList),
            item("/console/records", "nav.records", Operation::CdrsList),
        ],
    ),
    (
        "nav.centre",
        &[
            item("/console/floor", "nav.floor", Operation::PeersList),
            item("/console/callbacks", "nav.callbacks", Operation::CallbacksList),
            item("/console/emergency", "nav.emergency", Operation::OverlaysList),
            item("/console/campaigns", "nav.campaigns", Operation::CampaignsList),
            item("/console/opt-outs", "nav.opt-outs", Operation::OptOutAdd),
            item("/console/tickets", "nav.tickets", Operation::TicketsList),
            item("/console/directory", "nav.directory", Operation::DirectoryList),
            item("/console/guides", "nav.guides", Operation::GuidesList),
            item("/console/reports", "nav.reports", Operation::ReportRead),
            item("/console/surveys", "nav.surveys", Operation::SurveysList),
        ],
    ),
    (
        "nav.scripts",
        &[
            item("/console/deployments", "nav.deployments", Operation::DeploymentsList),
            item("/console/versions", "nav.versions", Operation::VersionsList),
            item("/console/logs", "nav.logs", Operation::LogsList),
            item("/console/faults", "nav.faults", Operation::FaultsList),
            item("/console/agencies", "nav.agencies", Operation::AgenciesList),
            item("/console/numbers", "nav.numbers", Operation::NumbersList),
        ],
    ),
    (
        "nav.engine",
        &[
            item("/console/users", "nav.users", Operation::UsersList),
            item("/console/tokens", "nav.tokens", Operation::TokensList),
            item("/console/subjects", "nav.subjects", Operation::SubjectExport),
            item("/console/audit", "nav.audit", Operation::AuditList),
            item("/console/configuration", "nav.configuration", Operation::ConfigurationRead),
        ],
    ),
];
/// Pages of the menu that are reached from another one of it.
const BELOW: &[(&str, &str)] = &[
    ("/console/deliveries", "/console/tickets"),
    ("/console/operators", "/console/floor"),
    ("/console/overlays", "/console/emergency"),
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
    let items = MENU.iter().flat_map(|(_, items)| items.iter()).map(|item| (item.href, item.href));
    let mut places = items.chain(BELOW.iter().copied());
    places.find(|(href, _)| path.starts_with(href)).map_or("", |(_, place)| place)
}

/// Where somebody begins: the first page that the role may open.
pub(crate) fn home(me: &Principal) -> &'static str {
    for_reader(me).first().and_then(|group| group.items.first()).map_or("/console/tokens", |item| item.href)
}
