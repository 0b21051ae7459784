//! `/callbacks`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::{AgencyName, CallbackName};
use crate::ports::CallbackRow;
use crate::service::callbacks::{self, CallbackBody, CallbackNumber, CallbackState};
use crate::service::{Page, PageQuery};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which callbacks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackParams {
    /// In which state; open ones where it is missing.
    #[param(inline)]
    state: Option<CallbackState>,
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

/// Callbacks, those due first at the beginning; numbers are masked.
#[utoipa::path(get, path = "/api/v1/callbacks", tag = "callbacks", params(CallbackParams),
    responses((status = 200, description = "A page", body = Page<CallbackRow>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(params): Params<CallbackParams>) -> Answer {
    let page = PageQuery { cursor: params.cursor, limit: params.limit };
    let state = params.state.unwrap_or_default();
    ok(&callbacks::list(&admin, &who, state, params.agency.as_ref(), &page).await?)
}

/// Promises a callback for a caller; durable when it is answered.
#[utoipa::path(post, path = "/api/v1/callbacks", tag = "callbacks", request_body = CallbackBody,
    responses((status = 201, description = "Promised", body = CallbackRow)))]
pub(crate) async fn book(State(admin): State<Admin>, who: Principal, Json(body): Json<CallbackBody>) -> Answer {
    let row = callbacks::book(&admin, &who, body).await?;
    created(&format!("/api/v1/callbacks/{}", row.id), &row)
}

/// One callback.
#[utoipa::path(get, path = "/api/v1/callbacks/{id}", tag = "callbacks", params(("id" = CallbackName, Path)),
    responses((status = 200, description = "The callback", body = CallbackRow)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(id): Named<CallbackName>) -> Answer {
    ok(&callbacks::read(&admin, &who, &id).await?)
}

/// The number of a callback in clear, for somebody who must dial it by hand. The audit names who looked.
#[utoipa::path(get, path = "/api/v1/callbacks/{id}/number", tag = "callbacks", params(("id" = CallbackName, Path)),
    responses((status = 200, description = "The number", body = CallbackNumber)))]
pub(crate) async fn number(State(admin): State<Admin>, who: Principal, Named(id): Named<CallbackName>) -> Answer {
    ok(&callbacks::reveal(&admin, &who, &id).await?)
}

/// Nobody calls any more.
#[utoipa::path(post, path = "/api/v1/callbacks/{id}/cancel", tag = "callbacks", params(("id" = CallbackName, Path)),
    responses((status = 200, description = "Cancelled", body = CallbackRow)))]
pub(crate) async fn cancel(State(admin): State<Admin>, who: Principal, Named(id): Named<CallbackName>) -> Answer {
    ok(&callbacks::cancel(&admin, &who, &id).await?)
}

/// Of an unknown or given-up one: once more.
#[utoipa::path(post, path = "/api/v1/callbacks/{id}/try-again", tag = "callbacks", params(("id" = CallbackName, Path)),
    responses((status = 200, description = "Waits again", body = CallbackRow)))]
pub(crate) async fn try_again(State(admin): State<Admin>, who: Principal, Named(id): Named<CallbackName>) -> Answer {
    ok(&callbacks::try_again(&admin, &who, &id).await?)
}

/// Of an unknown one: the caller was reached.
#[utoipa::path(post, path = "/api/v1/callbacks/{id}/connected", tag = "callbacks", params(("id" = CallbackName, Path)),
    responses((status = 200, description = "Kept", body = CallbackRow)))]
pub(crate) async fn connected(State(admin): State<Admin>, who: Principal, Named(id): Named<CallbackName>) -> Answer {
    ok(&callbacks::take_as_connected(&admin, &who, &id).await?)
}
