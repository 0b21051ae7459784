//! The pages of campaigns: made, filled, tried dry, started, watched, decided about; and who does not want to be called.

pub(crate) mod contacts;
pub(crate) mod edit;
pub(crate) mod import;
pub(crate) mod live;
pub(crate) mod opt_outs;
pub(crate) mod view;

use crate::Admin;
use axum::Router;
use axum::routing::{get, post};

/// Where all of them begin.
const PAGE: &str = "/console/campaigns";

/// The pages, but for those that take files.
pub(super) fn pages() -> Router<Admin> {
    Router::new()
        .route("/console/campaigns", get(live::list))
        .route("/console/campaigns/stream", get(live::stream_all))
        .route("/console/campaigns/new", get(edit::blank).post(edit::create))
        .route("/console/campaigns/{name}", get(live::show))
        .route("/console/campaigns/{name}/stream", get(live::stream))
        .route("/console/campaigns/{name}/edit", get(edit::show).post(edit::update))
        .route("/console/campaigns/{name}/start", get(live::ask_start).post(live::start))
        .route("/console/campaigns/{name}/pause", post(live::pause))
        .route("/console/campaigns/{name}/resume", post(live::resume))
        .route("/console/campaigns/{name}/stop", get(live::ask_stop).post(live::stop))
        .route("/console/campaigns/{name}/delete", get(live::ask_delete).post(live::delete))
        .route("/console/campaigns/{name}/forecast", get(live::forecast))
        .route("/console/campaigns/{name}/copy", post(import::copy))
        .route("/console/campaigns/{name}/contacts", get(contacts::list).post(contacts::find))
        .route("/console/campaigns/{name}/contacts/{no}", get(contacts::show))
        .route("/console/campaigns/{name}/contacts/{no}/decide", post(contacts::decide))
        .route("/console/opt-outs", get(opt_outs::list).post(opt_outs::find))
        .route("/console/opt-outs/add", post(opt_outs::add))
        .route("/console/opt-outs/{id}/withdraw", get(opt_outs::ask_withdraw).post(opt_outs::withdraw))
}

/// The pages that take lists of any length.
pub(super) fn uploads() -> Router<Admin> {
    Router::new()
        .route("/console/campaigns/{name}/import", get(import::ask).post(import::take))
        .route("/console/opt-outs/import", get(opt_outs::ask_import).post(opt_outs::import))
}

/// Whether a path takes a list.
pub(super) fn takes_list(path: &str) -> bool {
    path == "/console/opt-outs/import"
        || path
            .strip_prefix("/console/campaigns/")
            .and_then(|rest| rest.strip_suffix("/import"))
            .is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::takes_list;

    #[test]
    fn only_lists_are_read_by_their_pages() {
        assert!(takes_list("/console/opt-outs/import") && takes_list("/console/campaigns/spring/import"));
        for path in
            ["/console/campaigns//import", "/console/campaigns/a/b/import", "/console/campaigns/import", "/import"]
        {
            assert!(!takes_list(path), "{path}");
        }
    }
}
