//! The pages of the people who work at the centre: the operator's desk, the supervisor's floor, the emergency officer's
//! page, and what they look things up in.

pub(crate) mod callbacks;
pub(crate) mod desk;
mod desk_forms;
mod desk_page;
pub(crate) mod directory;
pub(crate) mod emergency;
pub(crate) mod floor;
pub(crate) mod guides;
pub(crate) mod marks;
mod operators;
pub(crate) mod reports;
pub(crate) mod supervise;
pub(crate) mod surveys;
pub(crate) mod tickets;

use crate::Admin;
use axum::Router;
use axum::routing::{get, post};

/// The pages of those who talk to callers, and of those who watch over them.
pub(super) fn pages() -> Router<Admin> {
    Router::new()
        .route("/console/desk", get(desk_page::show))
        .route("/console/desk/stream", get(desk_page::stream))
        .route("/console/desk/guide", get(desk_page::guide))
        .route("/console/desk/search", get(desk_page::search))
        .route("/console/desk/login", post(desk_forms::log_in))
        .route("/console/desk/ready", post(desk_forms::ready))
        .route("/console/desk/pause", post(desk_forms::pause))
        .route("/console/desk/logout", post(desk_forms::log_out))
        .route("/console/desk/wrap-up", post(desk_forms::wrap_up))
        .route("/console/desk/transfer", post(desk_forms::transfer))
        .route("/console/desk/ticket", post(desk_forms::ticket))
        .route("/console/desk/wrong", post(desk_forms::wrong))
        .route("/console/desk/callback", post(desk_forms::promise))
        .route("/console/floor", get(floor::show))
        .route("/console/floor/stream", get(floor::stream))
        .route("/console/operators/{name}/ready", post(operators::ready))
        .route("/console/operators/{name}/pause", post(operators::pause))
        .route("/console/operators/{name}/logout", get(operators::ask_log_out).post(operators::log_out))
        .route("/console/callbacks", get(callbacks::list))
        .route("/console/callbacks/stream", get(callbacks::stream))
        .route("/console/callbacks/{id}/connected", post(callbacks::connected))
        .route("/console/callbacks/{id}/try-again", post(callbacks::try_again))
        .route("/console/callbacks/{id}/cancel", get(callbacks::ask_cancel).post(callbacks::cancel))
        .route("/console/calls/{id}/supervise", get(supervise::show).post(supervise::begin))
        .route("/console/calls/{id}/supervise/end", post(supervise::end))
        .route("/console/calls/{id}/recordings/{name}/mark", post(marks::set))
}

/// What is promised, said and answered.
pub(super) fn papers() -> Router<Admin> {
    Router::new()
        .route("/console/directory", get(directory::list))
        .route("/console/directory/new", get(directory::blank).post(directory::create))
        .route("/console/directory/{id}", get(directory::show).post(directory::update))
        .route("/console/directory/{id}/delete", get(directory::ask_delete).post(directory::delete))
        .route("/console/reports", get(reports::show))
        .route("/console/tickets", get(tickets::list))
        .route("/console/tickets/{agency}/{number}", get(tickets::show))
        .route("/console/tickets/{agency}/{number}/retry", post(tickets::retry))
        .route("/console/deliveries", get(tickets::deliveries))
        .route("/console/surveys", get(surveys::list))
        .route("/console/guides", get(guides::list))
        .route("/console/guides/new", get(guides::blank).post(guides::create))
        .route("/console/guides/{agency}/{topic}", get(guides::show).post(guides::update))
        .route("/console/guides/{agency}/{topic}/delete", get(guides::ask_delete).post(guides::delete))
        .route("/console/emergency/{name}/end", get(emergency::ask_end).post(emergency::end))
}
