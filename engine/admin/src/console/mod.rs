//! The admins' console: pages by askama, kept up to date by htmx, without a build step. Every page works without
//! JavaScript; only live updating and charts need it.
//!
//! The pages call the services that the API calls, with the same [`Principal`](crate::Principal): what a role may not do
//! is not shown, and refused where somebody asks all the same. Forms carry the session's CSRF token, and are answered by
//! a redirect. The words are in `texts/`, one file per language.

mod agencies;
mod assets;
mod audit;
mod calls;
mod campaigns;
mod centre;
mod configuration;
mod confirm;
mod context;
mod deploying;
mod deployments;
mod entries;
mod flow;
mod form;
mod format;
mod journal;
mod lists;
mod live;
mod login;
mod logs;
mod multipart;
mod nav;
mod numbers;
mod outcomes;
mod overlays;
mod records;
mod report;
mod settings;
mod stream;
mod subjects;
mod texts;
mod tokens;
mod upload;
mod users;
mod versions;
mod visit;

#[cfg(test)]
mod tests;

use crate::Admin;
use crate::limits::BODY_BYTES_MAX;
use crate::problem::Problem;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};
use visit::{Outcome, Refused, Visit, go};

pub(crate) use visit::Reader;

/// Where bundles come in by a form.
const UPLOAD_PATH: &str = "/console/versions/upload";
/// Where a recorded announcement comes in by a form.
const EMERGENCY_PATH: &str = "/console/emergency";
/// Where tables of the directory come in by a form.
const IMPORT_PATH: &str = "/console/directory/import";

/// Whether a request is a form with a file, whose token is read by its page.
pub(crate) fn is_upload(uri: &Uri) -> bool {
    [UPLOAD_PATH, EMERGENCY_PATH, IMPORT_PATH].contains(&uri.path()) || campaigns::takes_list(uri.path())
}

/// The console's pages.
///
/// # Panics
/// Where a text is missing in a language: that is found by the first test, and never by a reader.
pub(crate) fn router(admin: &Admin) -> Router<Admin> {
    let faults = texts::faults();
    assert!(faults.is_empty(), "the console's texts have faults: {faults:?}");
    let pages = Router::new()
        .merge(calls_pages())
        .merge(script_pages())
        .merge(engine_pages())
        .merge(centre::pages())
        .merge(centre::papers())
        .merge(campaigns::pages())
        .route("/console/", get(home))
        .route("/console/{*rest}", get(nothing_here))
        .route("/console/logout", post(login::leave))
        .route("/console/language", post(login::choose))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // A file's size is limited where it is read, which says so in words.
        .route(UPLOAD_PATH, get(upload::blank).post(upload::upload))
        .route(EMERGENCY_PATH, get(centre::emergency::show).post(centre::emergency::start))
        .route(IMPORT_PATH, get(centre::directory::ask_import).post(centre::directory::import))
        .merge(campaigns::uploads())
        .layer(from_fn_with_state(admin.clone(), visit::known));
    let open = Router::new()
        .route("/console/login", get(login::show).post(login::enter))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(visit::anybody));
    Router::new()
        .merge(pages)
        .merge(open)
        .route("/", get(|| async { Redirect::to("/console/") }))
        .route("/console", get(|| async { Redirect::to("/console/") }))
        .route("/console/assets/{hash}/{*name}", get(assets::serve))
}

fn calls_pages() -> Router<Admin> {
    Router::new()
        .route("/console/calls", get(live::list))
        .route("/console/calls/stream", get(live::stream_calls))
        .route("/console/calls/{id}", get(live::show))
        .route("/console/calls/{id}/journal", get(journal::show))
        .route("/console/calls/{id}/hangup", get(live::ask_hangup).post(live::hang_up))
        .route("/console/calls/{id}/land", get(live::ask_land).post(live::land))
        .route("/console/records", get(records::list))
        .route("/console/overlays", get(overlays::list))
        .route("/console/overlays/new", get(overlays::blank).post(overlays::create))
        .route("/console/overlays/{name}", get(overlays::show).post(overlays::update))
        .route("/console/overlays/{name}/delete", get(overlays::ask_delete).post(overlays::delete))
}

fn script_pages() -> Router<Admin> {
    Router::new()
        .route("/console/deployments", get(entries::list))
        .route("/console/deployments/new", get(entries::blank).post(entries::deploy_new))
        .route("/console/deployments/{agency}/{entry}", get(entries::show).post(entries::deploy))
        .route("/console/deployments/{agency}/{entry}/stream", get(live::stream_deployment))
        .route("/console/deployments/{agency}/{entry}/release", post(entries::release))
        .route("/console/deployments/{agency}/{entry}/rollback", post(entries::roll_back))
        .route("/console/versions", get(versions::list))
        .route("/console/versions/{id}", get(versions::show))
        .route("/console/versions/{id}/flow", get(flow::show))
        .route("/console/versions/{id}/flow/picture", get(flow::picture))
        .route("/console/versions/{id}/approve", post(versions::approve))
        .route("/console/versions/{id}/refuse", post(versions::refuse))
        .route("/console/versions/{id}/delete", get(versions::ask_delete).post(versions::delete))
        .route("/console/agencies", get(agencies::list))
        .route("/console/agencies/new", get(agencies::blank).post(agencies::create))
        .route("/console/agencies/{agency}", get(agencies::show).post(agencies::update))
        .route("/console/agencies/{agency}/delete", get(agencies::ask_delete).post(agencies::delete))
        .route("/console/agencies/{agency}/entries/{entry}", get(settings::show).post(settings::set))
        .route("/console/agencies/{agency}/retention", post(agencies::retain))
        .route("/console/agencies/{agency}/keys", post(agencies::add_key))
        .route("/console/agencies/{agency}/keys/{key}/revoke", get(agencies::ask_revoke).post(agencies::revoke))
        .route("/console/numbers", get(numbers::list))
        .route("/console/numbers/new", get(numbers::blank).post(numbers::create))
        .route("/console/numbers/{number}", get(numbers::show).post(numbers::update))
        .route("/console/numbers/{number}/delete", get(numbers::ask_delete).post(numbers::delete))
}

fn engine_pages() -> Router<Admin> {
    Router::new()
        .route("/console/users", get(users::list))
        .route("/console/users/new", get(users::blank).post(users::create))
        .route("/console/users/{name}", get(users::show).post(users::update))
        .route("/console/users/{name}/delete", get(users::ask_delete).post(users::delete))
        .route("/console/tokens", get(tokens::list).post(tokens::create))
        .route("/console/tokens/{id}/revoke", get(tokens::ask_revoke).post(tokens::revoke))
        .route("/console/audit", get(audit::list))
        .route("/console/audit/verify", post(audit::verify))
        .route("/console/logs", get(logs::list))
        .route("/console/logs/stream", get(logs::stream))
        .route("/console/faults", get(logs::faults))
        .route("/console/subjects", get(subjects::show).post(subjects::ask))
        .route("/console/configuration", get(configuration::show))
        .route("/console/configuration/reload", post(configuration::reload))
}

/// No such page.
async fn nothing_here(uri: Uri) -> Outcome {
    let path: String = uri.path().chars().take(200).collect();
    Err(Refused::from(Problem::not_found("page", path)))
}

/// `GET /console/`: where the reader's role begins.
async fn home(visit: Visit) -> Outcome {
    Ok(go(nav::home(&visit.me), None))
}
