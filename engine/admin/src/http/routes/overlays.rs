//! `/overlays`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::OverlayName;
use crate::service::Page;
use crate::service::overlays::{self, Overlay, OverlayBody};
use axum::extract::State;

/// Emergency announcements that admins set; those of the file are in `/configuration`.
#[utoipa::path(get, path = "/api/v1/overlays", tag = "overlays", params(PageParams),
    responses((status = 200, description = "A page", body = Page<Overlay>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&overlays::list(&admin, &who, &page.query()).await?)
}

/// One emergency announcement.
#[utoipa::path(get, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    responses((status = 200, description = "The overlay", body = Overlay)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(name): Named<OverlayName>) -> Answer {
    revised(&overlays::read(&admin, &who, &name).await?)
}

/// Sets an emergency announcement, new or present. Every caller hears it first, from the next call on.
#[utoipa::path(put, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    request_body = OverlayBody, responses((status = 200, description = "Changed", body = Overlay),
        (status = 201, description = "Made", body = Overlay)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OverlayName>,
    Seen(seen): Seen,
    Json(body): Json<OverlayBody>,
) -> Answer {
    let set = overlays::set(&admin, &who, &name, body, seen).await?;
    if seen.is_some_and(|seen| seen > 0) {
        revised(&set)
    } else {
        created_revised(&format!("/api/v1/overlays/{name}"), &set)
    }
}

/// Takes an emergency announcement away.
#[utoipa::path(delete, path = "/api/v1/overlays/{name}", tag = "overlays", params(("name" = OverlayName, Path)),
    responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<OverlayName>,
    Seen(seen): Seen,
) -> Answer {
    overlays::delete(&admin, &who, &name, seen).await?;
    nothing()
}
