//! `/login`, `/logout`, `/me`

use crate::Admin;
use crate::auth::{Principal, Via};
use crate::http::answer::{Answer, nothing, ok, with_status};
use crate::http::extract::Json;
use crate::http::gate::address_of;
use crate::service::logins::{self, From, LoggedIn, Login, Me};
use crate::service::tokens;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode};

/// A token for a password.
///
/// At most five a minute for one user from one address.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = Login,
    responses((status = 201, description = "Logged in", body = LoggedIn),
        (status = 401, description = "`login-failed`", body = crate::problem::ProblemBody, content_type = "application/problem+json")))]
pub(crate) async fn login(
    State(admin): State<Admin>,
    extensions: Extensions,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Answer {
    let from = From { address: address_of(&extensions), via: Via::of(&headers) };
    with_status(StatusCode::CREATED, &logins::log_in(&admin, &from, login).await?)
}

/// Ends the token or session that the request came with.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses((status = 204, description = "Logged out")))]
pub(crate) async fn logout(State(admin): State<Admin>, who: Principal) -> Answer {
    tokens::revoke_own(&admin, &who).await?;
    nothing()
}

/// Who one is.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses((status = 200, description = "You", body = Me)))]
pub(crate) async fn me(who: Principal) -> Answer {
    ok(&logins::me(&who)?)
}
