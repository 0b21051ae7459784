//! The handlers: each reads a request, calls its service, writes an answer. They decide nothing.

pub(crate) mod agencies;
pub(crate) mod audit;
pub(crate) mod bundles;
pub(crate) mod callbacks;
pub(crate) mod calls;
pub(crate) mod campaigns;
pub(crate) mod cdrs;
pub(crate) mod configuration;
pub(crate) mod contacts;
pub(crate) mod deployments;
pub(crate) mod desk;
pub(crate) mod directory;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod guides;
pub(crate) mod journals;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod logs;
pub(crate) mod meta;
pub(crate) mod numbers;
pub(crate) mod operators;
pub(crate) mod opt_outs;
pub(crate) mod overlays;
pub(crate) mod queues;
pub(crate) mod recordings;
pub(crate) mod reports;
pub(crate) mod retention;
pub(crate) mod subjects;
pub(crate) mod supervision;
pub(crate) mod surveys;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod versions;
pub(crate) mod webhooks;

use crate::names::{AgencyName, ScriptName};
use crate::service::PageQuery;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl PageParams {
    fn query(self) -> PageQuery {
        PageQuery { cursor: self.cursor, limit: self.limit }
    }
}

/// Which page of a list, of one agency.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgencyPageParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Items in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl AgencyPageParams {
    fn split(self) -> (Option<AgencyName>, PageQuery) {
        (self.agency, PageQuery { cursor: self.cursor, limit: self.limit })
    }
}

/// Of one agency, of one script.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScriptParams {
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
    /// Of one script.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    script: Option<ScriptName>,
}
