//! `/agencies/{agency}/keys`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created, nothing, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::{AgencyName, KeyName};
use crate::service::Page;
use crate::service::keys::{self, Key, NewKey};
use axum::extract::State;

/// An agency's signing keys, revoked ones too.
#[utoipa::path(get, path = "/api/v1/agencies/{agency}/keys", tag = "keys", params(("agency" = AgencyName, Path), PageParams),
    responses((status = 200, description = "A page", body = Page<Key>)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Params(page): Params<PageParams>,
) -> Answer {
    ok(&keys::list(&admin, &who, &agency, &page.query()).await?)
}

/// Adds a signing key.
#[utoipa::path(post, path = "/api/v1/agencies/{agency}/keys", tag = "keys", params(("agency" = AgencyName, Path)),
    request_body = NewKey, responses((status = 201, description = "Added", body = Key)))]
pub(crate) async fn add(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Json(new): Json<NewKey>,
) -> Answer {
    let key = keys::add(&admin, &who, &agency, new).await?;
    created(&format!("/api/v1/agencies/{agency}/keys/{}", key.id), &key)
}

/// Revokes a signing key. It stays in the list.
#[utoipa::path(delete, path = "/api/v1/agencies/{agency}/keys/{key}", tag = "keys",
    params(("agency" = AgencyName, Path), ("key" = KeyName, Path)), responses((status = 204, description = "Revoked")))]
pub(crate) async fn revoke(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, key)): Named<(AgencyName, KeyName)>,
) -> Answer {
    keys::revoke(&admin, &who, &agency, &key).await?;
    nothing()
}
