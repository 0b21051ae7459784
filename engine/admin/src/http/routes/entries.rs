//! `/agencies/{agency}/entries/{entry}`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, revised};
use crate::http::extract::{Json, Named, Seen};
use crate::names::{AgencyName, EntryName};
use crate::service::entries::{self, EntryBody, EntrySettings};
use axum::extract::State;

/// What an entry's script is given besides its grants.
#[utoipa::path(get, path = "/api/v1/agencies/{agency}/entries/{entry}", tag = "agencies",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)),
    responses((status = 200, description = "Settings", body = EntrySettings)))]
pub(crate) async fn read(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Named<(AgencyName, EntryName)>,
) -> Answer {
    revised(&entries::read(&admin, &who, &agency, &entry).await?)
}

/// Sets what an entry's script is given; secrets by where they lie, never by value.
#[utoipa::path(put, path = "/api/v1/agencies/{agency}/entries/{entry}", tag = "agencies",
    params(("agency" = AgencyName, Path), ("entry" = EntryName, Path)),
    request_body = EntryBody, responses((status = 200, description = "Set", body = EntrySettings)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named((agency, entry)): Named<(AgencyName, EntryName)>,
    Seen(seen): Seen,
    Json(body): Json<EntryBody>,
) -> Answer {
    revised(&entries::set(&admin, &who, &agency, &entry, body, seen).await?)
}
