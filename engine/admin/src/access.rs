//! Who may do what: every route and every role in one table.
//!
//! The router is built from [`ROUTES`], so a route without a row cannot exist; the services ask the same rows, so that
//! the console, which calls them without a route, is held to the same. A test walks every row with every role.

use crate::auth::Principal;
use crate::http::routes as at;
use crate::problem::{Problem, codes};
use axum::http::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::UtoipaMethodRouter;

/// What a user may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the engine.
    Admin,
    /// Writes an agency's scripts.
    Author,
    /// Watches over an agency's calls, or everybody's.
    Supervisor,
    /// Talks to an agency's callers.
    Operator,
    /// Reads everything, changes nothing.
    Auditor,
    /// Speaks to every caller in an emergency.
    EmergencyOfficer,
}

impl Role {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Self; 6] =
        [Self::Admin, Self::Author, Self::Supervisor, Self::Operator, Self::Auditor, Self::EmergencyOfficer];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Author => "author",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::EmergencyOfficer => "emergency-officer",
        }
    }

    /// Whether a grant of it may, must or must not name an agency.
    #[must_use]
    pub const fn agency(self) -> AgencyOfRole {
        match self {
            Self::Author | Self::Operator => AgencyOfRole::Needed,
            Self::Supervisor => AgencyOfRole::Allowed,
            Self::Admin | Self::Auditor | Self::EmergencyOfficer => AgencyOfRole::Refused,
        }
    }

    const fn column(self) -> usize {
        self as usize
    }
}

/// Whether a role belongs to one agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgencyOfRole {
    /// Always.
    Needed,
    /// Where it is said; else it reaches all.
    Allowed,
    /// Never: it reaches all.
    Refused,
}

/// A role that a user has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Which.
    pub role: Role,
    /// In which agency; in all where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<crate::names::AgencyName>,
}

/// How far a role reaches at a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Not at all.
    No,
    /// To what is the user's own: tokens, the desk.
    Me,
    /// To what is the agency's of the grant; to all where the grant names none.
    Own,
    /// To everything.
    All,
}

/// Who is asked for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everybody.
    Signed,
    /// Nobody.
    Open,
    /// Whoever comes from elsewhere; on a loopback listener nobody.
    Local,
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Route {
    /// What it does.
    pub operation: Operation,
    /// Its method.
    pub method: Verb,
    /// Its path, as axum and OpenAPI write it.
    pub path: &'static str,
    /// Who is asked for a credential.
    pub gate: Gate,
    /// How far each role reaches, in the order of [`Role::ALL`].
    pub reach: [Reach; 6],
    /// Makes its handler and its documentation.
    pub(crate) mount: fn() -> UtoipaMethodRouter<crate::Admin>,
}

/// An HTTP method that can stand in a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes, or does.
    Post,
    /// Changes, or makes under a name.
    Put,
    /// Takes away.
    Delete,
}

impl Verb {
    /// As HTTP has it.
    #[must_use]
    pub const fn http(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    /// Whether it may change something.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

impl Route {
    /// How far a role reaches here.
    #[must_use]
    pub const fn reach_of(&self, role: Role) -> Reach {
        self.reach[role.column()]
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method.http(), self.path)
    }
}

macro_rules! table {
    ($($operation:ident $method:ident $path:literal $gate:ident $($handler:ident)::+
       $admin:ident $author:ident $supervisor:ident $operator:ident $auditor:ident $emergency:ident;)+) => {
        /// What can be asked of the admins' room; the name of a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($method), " ", $path, "`")] $operation),+
        }

        /// Every route, and how far every role reaches there.
        pub const ROUTES: &[Route] = &[$(Route {
            operation: Operation::$operation,
            method: Verb::$method,
            path: $path,
            gate: Gate::$gate,
            reach: [
                Reach::$admin, Reach::$author, Reach::$supervisor, Reach::$operator, Reach::$auditor, Reach::$emergency,
            ],
            mount: || utoipa_axum::routes!($($handler)::+),
        }),+];
    };
}

// A new route goes here and nowhere else. `Me`: tokens of one's own, one's own desk. Reading is wide, changing is narrow: admins deploy,
// authors upload and make campaigns, supervisors lead calls and hear recordings, the emergency officer speaks to everybody:
// by overlays, and by campaigns of emergencies (that a campaign is one is in its document: service::campaigns looks).
table! {
//  operation             method path                                                     gate   handler                       admin author superv operat audit  emerg
    Login                 Post   "/api/v1/login"                                          Open   at::login::login              All   All    All    All    All    All;
    Logout                Post   "/api/v1/logout"                                         Signed at::login::logout             Me    Me     Me     Me     Me     Me;
    Me                    Get    "/api/v1/me"                                             Signed at::login::me                 Me    Me     Me     Me     Me     Me;
    UsersList             Get    "/api/v1/users"                                          Signed at::users::list               All   No     No     No     All    No;
    UserCreate            Post   "/api/v1/users"                                          Signed at::users::create             All   No     No     No     No     No;
    UserRead              Get    "/api/v1/users/{name}"                                   Signed at::users::read               All   No     No     No     All    No;
    UserUpdate            Put    "/api/v1/users/{name}"                                   Signed at::users::update             All   No     No     No     No     No;
    UserDelete            Delete "/api/v1/users/{name}"                                   Signed at::users::delete             All   No     No     No     No     No;
    TokensList            Get    "/api/v1/tokens"                                         Signed at::tokens::list              All   Me     Me     Me     All    Me;
    TokenCreate           Post   "/api/v1/tokens"                                         Signed at::tokens::create            All   Me     Me     Me     Me     Me;
    TokenRevoke           Delete "/api/v1/tokens/{id}"                                    Signed at::tokens::revoke            All   Me     Me     Me     Me     Me;
    AgenciesList          Get    "/api/v1/agencies"                                       Signed at::agencies::list            All   Own    Own    Own    All    All;
    AgencyCreate          Post   "/api/v1/agencies"                                       Signed at::agencies::create          All   No     No     No     No     No;
    AgencyRead            Get    "/api/v1/agencies/{agency}"                              Signed at::agencies::read            All   Own    Own    Own    All    All;
    AgencyUpdate          Put    "/api/v1/agencies/{agency}"                              Signed at::agencies::update          All   No     No     No     No     No;
    AgencyDelete          Delete "/api/v1/agencies/{agency}"                              Signed at::agencies::delete          All   No     No     No     No     No;
    KeysList              Get    "/api/v1/agencies/{agency}/keys"                         Signed at::keys::list                All   Own    No     No     All    No;
    KeyAdd                Post   "/api/v1/agencies/{agency}/keys"                         Signed at::keys::add                 All   No     No     No     No     No;
    KeyRevoke             Delete "/api/v1/agencies/{agency}/keys/{key}"                   Signed at::keys::revoke              All   No     No     No     No     No;
    RetentionRead         Get    "/api/v1/agencies/{agency}/retention"                    Signed at::retention::read           All   Own    Own    No     All    No;
    RetentionSet          Put    "/api/v1/agencies/{agency}/retention"                    Signed at::retention::set            All   No     No     No     No     No;
    NumbersList           Get    "/api/v1/numbers"                                        Signed at::numbers::list             All   Own    Own    Own    All    All;
    NumberCreate          Post   "/api/v1/numbers"                                        Signed at::numbers::create           All   No     No     No     No     No;
    NumberRead            Get    "/api/v1/numbers/{number}"                               Signed at::numbers::read             All   Own    Own    Own    All    All;
    NumberUpdate          Put    "/api/v1/numbers/{number}"                               Signed at::numbers::update           All   No     No     No     No     No;
    NumberDelete          Delete "/api/v1/numbers/{number}"                               Signed at::numbers::delete           All   No     No     No     No     No;
    EntryRead             Get    "/api/v1/agencies/{agency}/entries/{entry}"              Signed at::entries::read             All   Own    No     No     All    No;
    EntrySet              Put    "/api/v1/agencies/{agency}/entries/{entry}"              Signed at::entries::set              All   No     No     No     No     No;
    BundleUpload          Post   "/api/v1/bundles"                                        Signed at::bundles::upload           All   Own    No     No     No     No;
    VersionsList          Get    "/api/v1/versions"                                       Signed at::versions::list            All   Own    Own    No     All    No;
    VersionRead           Get    "/api/v1/versions/{id}"                                  Signed at::versions::read            All   Own    Own    No     All    No;
    VersionDelete         Delete "/api/v1/versions/{id}"                                  Signed at::versions::delete          All   Own    No     No     No     No;
    VersionDifference     Get    "/api/v1/versions/{id}/difference"                       Signed at::versions::difference      All   Own    Own    No     All    No;
    VersionFlow           Get    "/api/v1/versions/{id}/flow"                             Signed at::versions::flow            All   Own    Own    No     All    No;
    VersionFlowPicture    Get    "/api/v1/versions/{id}/flow.svg"                         Signed at::versions::flow_picture    All   Own    Own    No     All    No;
    VersionApprove        Post   "/api/v1/versions/{id}/approve"                          Signed at::versions::approve         All   No     No     No     No     No;
    VersionRefuse         Post   "/api/v1/versions/{id}/refuse"                           Signed at::versions::refuse          All   No     No     No     No     No;
    VersionBundle         Get    "/api/v1/versions/{id}/bundle"                           Signed at::versions::bundle          All   Own    No     No     All    No;
    DeploymentsList       Get    "/api/v1/deployments"                                    Signed at::deployments::list         All   Own    Own    Own    All    No;
    DeploymentRead        Get    "/api/v1/deployments/{agency}/{entry}"                   Signed at::deployments::read         All   Own    Own    Own    All    No;
    Deploy                Put    "/api/v1/deployments/{agency}/{entry}"                   Signed at::deployments::deploy       All   No     No     No     No     No;
    Release               Post   "/api/v1/deployments/{agency}/{entry}/release"           Signed at::deployments::release      All   No     No     No     No     No;
    RollBack              Post   "/api/v1/deployments/{agency}/{entry}/rollback"          Signed at::deployments::roll_back    All   No     No     No     No     No;
    DeploymentHistory     Get    "/api/v1/deployments/{agency}/{entry}/history"           Signed at::deployments::history      All   Own    Own    Own    All    No;
    DeploymentOutcomes    Get    "/api/v1/deployments/{agency}/{entry}/outcomes"          Signed at::deployments::outcomes     All   Own    Own    Own    All    No;
    CallsList             Get    "/api/v1/calls"                                          Signed at::calls::list               All   Own    Own    Own    All    No;
    CallRead              Get    "/api/v1/calls/{id}"                                     Signed at::calls::read               All   Own    Own    Own    All    No;
    CallHangUp            Post   "/api/v1/calls/{id}/hangup"                              Signed at::calls::hang_up            All   No     Own    No     No     No;
    CallLand              Post   "/api/v1/calls/{id}/land"                                Signed at::calls::land               All   No     Own    No     No     No;
    CallTrace             Get    "/api/v1/calls/{id}/trace"                               Signed at::calls::trace              All   Own    Own    No     All    No;
    CallJournal           Get    "/api/v1/calls/{id}/journal"                             Signed at::journals::read            All   Own    Own    No     All    No;
    CallReplay            Post   "/api/v1/calls/{id}/replay"                              Signed at::journals::replay          All   Own    Own    No     No     No;
    Rehearse              Post   "/api/v1/agencies/{agency}/rehearsals"                   Signed at::journals::rehearse        All   Own    No     No     No     No;
    RecordingsList        Get    "/api/v1/calls/{id}/recordings"                          Signed at::recordings::list          All   No     Own    No     All    No;
    RecordingPlay         Get    "/api/v1/calls/{id}/recordings/{name}"                   Signed at::recordings::play          All   No     Own    No     All    No;
    CdrsList              Get    "/api/v1/cdrs"                                           Signed at::cdrs::list                All   No     Own    No     All    No;
    FaultsList            Get    "/api/v1/faults"                                         Signed at::faults::list              All   Own    Own    No     All    No;
    AuditList             Get    "/api/v1/audit"                                          Signed at::audit::list               All   No     No     No     All    No;
    AuditExport           Get    "/api/v1/audit/export"                                   Signed at::audit::export             All   No     No     No     All    No;
    AuditVerify           Get    "/api/v1/audit/verify"                                   Signed at::audit::verify             All   No     No     No     All    No;
    ConfigurationRead     Get    "/api/v1/configuration"                                  Signed at::configuration::read       All   No     No     No     All    No;
    ConfigurationReload   Post   "/api/v1/configuration/reload"                           Signed at::configuration::reload     All   No     No     No     No     No;
    OverlaysList          Get    "/api/v1/overlays"                                       Signed at::overlays::list            All   All    All    All    All    All;
    OverlayRead           Get    "/api/v1/overlays/{name}"                                Signed at::overlays::read            All   All    All    All    All    All;
    OverlaySet            Put    "/api/v1/overlays/{name}"                                Signed at::overlays::set             All   No     No     No     No     All;
    OverlayDelete         Delete "/api/v1/overlays/{name}"                                Signed at::overlays::delete          All   No     No     No     No     All;
    SubjectExport         Post   "/api/v1/subjects/export"                                Signed at::subjects::export          All   No     No     No     No     No;
    SubjectErase          Post   "/api/v1/subjects/erase"                                 Signed at::subjects::erase           All   No     No     No     No     No;
    Events                Get    "/api/v1/events"                                         Signed at::events::stream            All   Own    Own    Own    All    No;
    LogsList              Get    "/api/v1/logs"                                           Signed at::logs::list                All   Own    Own    No     All    No;
    OperatorsList         Get    "/api/v1/operators"                                      Signed at::operators::list           All   No     Own    Me     All    No;
    OperatorCreate        Post   "/api/v1/operators"                                      Signed at::operators::create         All   No     No     No     No     No;
    OperatorRead          Get    "/api/v1/operators/{name}"                               Signed at::operators::read           All   No     Own    Me     All    No;
    OperatorUpdate        Put    "/api/v1/operators/{name}"                               Signed at::operators::update         All   No     No     No     No     No;
    OperatorDelete        Delete "/api/v1/operators/{name}"                               Signed at::operators::delete         All   No     No     No     No     No;
    OperatorState         Post   "/api/v1/operators/{name}/state"                         Signed at::operators::state          All   No     Own    Me     No     No;
    QueuesList            Get    "/api/v1/queues"                                         Signed at::queues::list              All   No     Own    Own    All    No;
    QueueRead             Get    "/api/v1/queues/{queue}"                                 Signed at::queues::read              All   No     Own    Own    All    No;
    PeersList             Get    "/api/v1/peers"                                          Signed at::queues::peers             All   No     All    No     All    No;
    CallbacksList         Get    "/api/v1/callbacks"                                      Signed at::callbacks::list           All   No     Own    Own    All    No;
    CallbackBook          Post   "/api/v1/callbacks"                                      Signed at::callbacks::book           All   No     Own    Own    No     No;
    CallbackRead          Get    "/api/v1/callbacks/{id}"                                 Signed at::callbacks::read           All   No     Own    Own    All    No;
    CallbackNumber        Get    "/api/v1/callbacks/{id}/number"                          Signed at::callbacks::number         All   No     Own    Own    No     No;
    CallbackCancel        Post   "/api/v1/callbacks/{id}/cancel"                          Signed at::callbacks::cancel         All   No     Own    Own    No     No;
    CallbackTryAgain      Post   "/api/v1/callbacks/{id}/try-again"                       Signed at::callbacks::try_again      All   No     Own    Own    No     No;
    CallbackConnected     Post   "/api/v1/callbacks/{id}/connected"                       Signed at::callbacks::connected      All   No     Own    Own    No     No;
    DeskRead              Get    "/api/v1/desk"                                           Signed at::desk::read                No    No     No     Me     No     No;
    DeskLogin             Post   "/api/v1/desk/login"                                     Signed at::desk::login               No    No     No     Me     No     No;
    DeskReady             Post   "/api/v1/desk/ready"                                     Signed at::desk::ready               No    No     No     Me     No     No;
    DeskPause             Post   "/api/v1/desk/pause"                                     Signed at::desk::pause               No    No     No     Me     No     No;
    DeskLogout            Post   "/api/v1/desk/logout"                                    Signed at::desk::logout              No    No     No     Me     No     No;
    DeskWrapUp            Post   "/api/v1/desk/wrap-up"                                   Signed at::desk::wrap_up             No    No     No     Me     No     No;
    DeskTransfer          Post   "/api/v1/desk/transfer"                                  Signed at::desk::transfer            No    No     No     Me     No     No;
    Supervise             Post   "/api/v1/calls/{id}/supervise"                           Signed at::supervision::begin        All   No     Own    No     No     No;
    SuperviseEnd          Delete "/api/v1/calls/{id}/supervise"                           Signed at::supervision::end          All   No     Own    No     No     No;
    MarkRead              Get    "/api/v1/calls/{id}/recordings/{name}/mark"              Signed at::recordings::mark          All   No     Own    No     All    No;
    MarkSet               Put    "/api/v1/calls/{id}/recordings/{name}/mark"              Signed at::recordings::set_mark      All   No     Own    No     No     No;
    TicketsList           Get    "/api/v1/tickets"                                        Signed at::tickets::list             All   No     Own    Own    All    No;
    TicketCreate          Post   "/api/v1/tickets"                                        Signed at::tickets::create           All   No     Own    Own    No     No;
    TicketRead            Get    "/api/v1/tickets/{agency}/{number}"                      Signed at::tickets::read             All   No     Own    Own    All    No;
    DeliveriesList        Get    "/api/v1/deliveries"                                     Signed at::tickets::deliveries       All   No     Own    No     All    No;
    DeliveryRetry         Post   "/api/v1/deliveries/{agency}/{number}/retry"             Signed at::tickets::retry            All   No     Own    No     No     No;
    WebhookRead           Get    "/api/v1/agencies/{agency}/webhook"                      Signed at::webhooks::read            All   Own    Own    No     All    No;
    WebhookSet            Put    "/api/v1/agencies/{agency}/webhook"                      Signed at::webhooks::set             All   No     No     No     No     No;
    WebhookDelete         Delete "/api/v1/agencies/{agency}/webhook"                      Signed at::webhooks::delete          All   No     No     No     No     No;
    GuidesList            Get    "/api/v1/guides"                                         Signed at::guides::list              All   Own    Own    Own    All    No;
    GuideRead             Get    "/api/v1/guides/{agency}/{topic}"                        Signed at::guides::read              All   Own    Own    Own    All    No;
    GuideSet              Put    "/api/v1/guides/{agency}/{topic}"                        Signed at::guides::set               All   Own    Own    No     No     No;
    GuideDelete           Delete "/api/v1/guides/{agency}/{topic}"                        Signed at::guides::delete            All   Own    Own    No     No     No;
    DirectoryList         Get    "/api/v1/directory"                                      Signed at::directory::list           All   Own    Own    Own    All    No;
    DirectorySearch       Get    "/api/v1/directory/search"                               Signed at::directory::search         All   Own    Own    Own    All    No;
    DirectoryExport       Get    "/api/v1/directory/export"                               Signed at::directory::export         All   Own    Own    Own    All    No;
    DirectoryImport       Post   "/api/v1/directory/import"                               Signed at::directory::import         All   Own    Own    No     No     No;
    DirectoryRead         Get    "/api/v1/directory/{id}"                                 Signed at::directory::read           All   Own    Own    Own    All    No;
    DirectorySet          Put    "/api/v1/directory/{id}"                                 Signed at::directory::set            All   Own    Own    No     No     No;
    DirectoryDelete       Delete "/api/v1/directory/{id}"                                 Signed at::directory::delete         All   Own    Own    No     No     No;
    ReportRead            Get    "/api/v1/reports"                                        Signed at::reports::read             All   Own    Own    No     All    No;
    SurveysList           Get    "/api/v1/surveys"                                        Signed at::surveys::list             All   Own    Own    No     All    No;
    OverlayRecord         Post   "/api/v1/overlays/{name}/recording"                      Signed at::overlays::record          All   No     No     No     No     All;
    CampaignFacts         Get    "/api/v1/campaign-facts"                                 Signed at::campaigns::facts             All   Own    Own    No     All    All;
    CampaignsList         Get    "/api/v1/campaigns"                                      Signed at::campaigns::list              All   Own    Own    No     All    All;
    CampaignRead          Get    "/api/v1/campaigns/{name}"                               Signed at::campaigns::read              All   Own    Own    No     All    All;
    CampaignSet           Put    "/api/v1/campaigns/{name}"                               Signed at::campaigns::set               All   Own    No     No     No     All;
    CampaignDelete        Delete "/api/v1/campaigns/{name}"                               Signed at::campaigns::delete            All   Own    No     No     No     All;
    CampaignStart         Post   "/api/v1/campaigns/{name}/start"                         Signed at::campaigns::start             All   Own    No     No     No     All;
    CampaignPause         Post   "/api/v1/campaigns/{name}/pause"                         Signed at::campaigns::pause             All   Own    Own    No     No     All;
    CampaignResume        Post   "/api/v1/campaigns/{name}/resume"                        Signed at::campaigns::resume            All   Own    Own    No     No     All;
    CampaignStop          Post   "/api/v1/campaigns/{name}/stop"                          Signed at::campaigns::stop              All   Own    Own    No     No     All;
    CampaignSeries        Get    "/api/v1/campaigns/{name}/series"                        Signed at::campaigns::series            All   Own    Own    No     All    All;
    CampaignForecast      Get    "/api/v1/campaigns/{name}/forecast"                      Signed at::campaigns::forecast          All   Own    Own    No     All    All;
    CampaignForecastOf    Post   "/api/v1/campaigns/{name}/forecast"                      Signed at::campaigns::forecast_of       All   Own    No     No     No     All;
    ContactsList          Get    "/api/v1/campaigns/{name}/contacts"                      Signed at::contacts::list               All   Own    Own    No     All    All;
    ContactsImport        Post   "/api/v1/campaigns/{name}/contacts"                      Signed at::contacts::import             All   Own    No     No     No     All;
    ContactsCopy          Post   "/api/v1/campaigns/{name}/contacts/copy"                 Signed at::contacts::copy               All   Own    No     No     No     All;
    ContactsFind          Post   "/api/v1/campaigns/{name}/contacts/find"                 Signed at::contacts::find               All   Own    Own    No     No     All;
    ContactRead           Get    "/api/v1/campaigns/{name}/contacts/{no}"                 Signed at::contacts::read               All   Own    Own    No     All    All;
    ContactDecide         Post   "/api/v1/campaigns/{name}/contacts/{no}/decide"          Signed at::contacts::decide             All   Own    Own    No     No     All;
    CampaignResults       Get    "/api/v1/campaigns/{name}/results"                       Signed at::contacts::results            All   Own    Own    No     All    All;
    OptOutsList           Get    "/api/v1/opt-outs"                                       Signed at::opt_outs::list               All   Own    Own    No     All    All;
    OptOutAdd             Post   "/api/v1/opt-outs"                                       Signed at::opt_outs::add                All   Own    Own    Own    No     No;
    OptOutsFind           Post   "/api/v1/opt-outs/find"                                  Signed at::opt_outs::find               All   Own    Own    No     No     No;
    OptOutWithdraw        Post   "/api/v1/opt-outs/{id}/withdraw"                         Signed at::opt_outs::withdraw           All   Own    No     No     No     No;
    OptOutsImport         Post   "/api/v1/opt-outs/import"                                Signed at::opt_outs::import             All   Own    No     No     No     No;
    OpenApi               Get    "/api/v1/openapi.json"                                   Open   at::meta::openapi             All   All    All    All    All    All;
    Health                Get    "/health"                                                Local  at::meta::health              All   All    All    All    All    All;
    Ready                 Get    "/ready"                                                 Local  at::meta::ready               All   All    All    All    All    All;
    Metrics               Get    "/metrics"                                               Local  at::meta::metrics             All   No     No     No     All    No;
}

impl Operation {
    /// Its row.
    #[must_use]
    pub fn route(self) -> &'static Route {
        // The enum and the table come from the same lines, in the same order.
        &ROUTES[self as usize]
    }
}

/// What somebody reaches with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Everything,
    /// What is of these agencies.
    Agencies(BTreeSet<String>),
    /// What is the user's own.
    Me,
}

impl Scope {
    /// Whether something of that agency is within reach.
    #[must_use]
    pub fn includes(&self, agency: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Agencies(agencies) => agencies.contains(agency),
            Self::Me => false,
        }
    }

    /// One agency, where the client asked for it or nothing else is within reach; `None`: look at all and filter.
    ///
    /// # Errors
    /// `forbidden`, where the agency asked for is out of reach.
    pub fn narrow(&self, asked: Option<&crate::names::AgencyName>) -> Result<Option<String>, Problem> {
        match (self, asked) {
            (_, Some(agency)) if self.includes(agency.as_str()) => Ok(Some(agency.to_string())),
            (_, Some(agency)) => Err(forbidden().field("agency").with_agency(agency.as_str())),
            (Self::Agencies(agencies), None) if agencies.len() == 1 => Ok(agencies.first().cloned()),
            (_, None) => Ok(None),
        }
    }
}

impl Principal {
    /// What this principal reaches with an operation.
    ///
    /// # Errors
    /// `forbidden`, where no role reaches anything.
    pub fn may(&self, operation: Operation) -> Result<Scope, Problem> {
        let route = operation.route();
        let mut agencies = BTreeSet::new();
        let mut me = false;
        for grant in &self.roles {
            match (route.reach_of(grant.role), &grant.agency) {
                (Reach::All, _) | (Reach::Own, None) => return Ok(Scope::Everything),
                (Reach::Own, Some(agency)) => {
                    agencies.insert(agency.to_string());
                }
                (Reach::Me, _) => me = true,
                (Reach::No, _) => {}
            }
        }
        // What is everybody's own needs no role.
        me |= route.reach.iter().all(|reach| *reach == Reach::Me);
        match (agencies.is_empty(), me) {
            (false, _) => Ok(Scope::Agencies(agencies)),
            (true, true) => Ok(Scope::Me),
            (true, false) => Err(forbidden()),
        }
    }

    /// Whether this principal may do it in that agency, which the request named.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_in(&self, operation: Operation, agency: &str) -> Result<(), Problem> {
        if self.may(operation)?.includes(agency) { Ok(()) } else { Err(forbidden().with_agency(agency)) }
    }

    /// Whether this principal may see something that was named by its id and turns out to be of that agency. Who may
    /// not is not told that it exists.
    ///
    /// # Errors
    /// `forbidden` where no role reaches anything, `not-found` else.
    pub fn sees(&self, operation: Operation, agency: &str, what: &str, id: &str) -> Result<(), Problem> {
        if self.may(operation)?.includes(agency) { Ok(()) } else { Err(Problem::not_found(what, id)) }
    }
}

fn forbidden() -> Problem {
    Problem::new(&codes::FORBIDDEN, "None of your roles reaches this.")
}

impl Problem {
    fn with_agency(self, agency: &str) -> Self {
        self.remedy(format!("Ask an admin for a role in the agency {agency}, or use a token of a user who has one."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_operations_place_and_once() {
        let mut seen = BTreeSet::new();
        for (at, route) in ROUTES.iter().enumerate() {
            assert_eq!(route.operation as usize, at);
            assert!(seen.insert((route.method.http().to_string(), route.path)), "{route:?} is there twice");
        }
    }

    /// What operators do for callers of their agency, besides their own desk.
    const OPERATORS_WORK: [Operation; 6] = [
        Operation::CallbackBook,
        Operation::CallbackCancel,
        Operation::CallbackTryAgain,
        Operation::CallbackConnected,
        Operation::TicketCreate,
        Operation::OptOutAdd,
    ];

    #[test]
    fn auditors_and_operators_change_nothing_of_others() {
        for route in ROUTES.iter().filter(|route| route.method.writes() && route.gate == Gate::Signed) {
            assert!(route.reach_of(Role::Auditor) <= Reach::Me, "{route:?} lets an auditor write");
            let operator = route.reach_of(Role::Operator);
            if OPERATORS_WORK.contains(&route.operation) {
                assert_eq!(operator, Reach::Own, "{route:?} is an operator's work in the own agency");
            } else {
                assert!(operator <= Reach::Me, "{route:?} lets an operator write");
            }
        }
    }

    #[test]
    fn a_desk_is_its_operators_alone() {
        let desk = ROUTES.iter().filter(|route| route.path.starts_with("/api/v1/desk"));
        for route in desk {
            for role in Role::ALL {
                let reach = if role == Role::Operator { Reach::Me } else { Reach::No };
                assert_eq!(route.reach_of(role), reach, "{route:?} by {role:?}");
            }
        }
    }
}
