//! `/agencies/{agency}/webhook`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, nothing, revised};
use crate::http::extract::{Json, Named, Seen};
use crate::names::AgencyName;
use crate::service::webhooks::{self, Webhook, WebhookBody};
use axum::extract::State;

/// Where an agency's tickets are delivered.
#[utoipa::path(get, path = "/api/v1/agencies/{agency}/webhook", tag = "agencies", params(("agency" = AgencyName, Path)),
    responses((status = 200, description = "The webhook", body = Webhook)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(agency): Named<AgencyName>) -> Answer {
    revised(&webhooks::read(&admin, &who, &agency).await?)
}

/// Says where an agency's tickets are delivered, in place of the file. What waits is delivered there.
#[utoipa::path(put, path = "/api/v1/agencies/{agency}/webhook", tag = "agencies", params(("agency" = AgencyName, Path)),
    request_body = WebhookBody, responses((status = 200, description = "Set", body = Webhook)))]
pub(crate) async fn set(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Seen(seen): Seen,
    Json(body): Json<WebhookBody>,
) -> Answer {
    revised(&webhooks::set(&admin, &who, &agency, body, seen).await?)
}

/// Takes an agency's webhook away: the file's counts again.
#[utoipa::path(delete, path = "/api/v1/agencies/{agency}/webhook", tag = "agencies",
    params(("agency" = AgencyName, Path)), responses((status = 204, description = "Taken away")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(agency): Named<AgencyName>,
    Seen(seen): Seen,
) -> Answer {
    webhooks::delete(&admin, &who, &agency, seen).await?;
    nothing()
}
