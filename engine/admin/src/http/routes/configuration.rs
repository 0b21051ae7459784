//! `/configuration`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::service::configuration::{self, Configuration, Reloaded};
use axum::extract::State;
use axum::http::{HeaderValue, header};

/// The configuration in force, without secrets. Its ETag is the file's hash.
#[utoipa::path(get, path = "/api/v1/configuration", tag = "configuration",
    responses((status = 200, description = "In force", body = Configuration)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal) -> Answer {
    let configuration = configuration::read(&admin, &who)?;
    let mut response = ok(&configuration)?;
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", configuration.file_sha256)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

/// Reads the configuration's file anew, as SIGHUP does. A file with faults changes nothing.
#[utoipa::path(post, path = "/api/v1/configuration/reload", tag = "configuration",
    responses((status = 200, description = "In force", body = Reloaded)))]
pub(crate) async fn reload(State(admin): State<Admin>, who: Principal) -> Answer {
    ok(&configuration::reload(&admin, &who).await?)
}
