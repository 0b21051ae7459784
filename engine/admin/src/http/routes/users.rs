//! `/users`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created_revised, nothing, ok, revised};
use crate::http::extract::{Json, Named, Params, Seen};
use crate::names::UserName;
use crate::service::Page;
use crate::service::users::{self, NewUser, User, UserUpdate};
use axum::extract::State;

/// Users, by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(PageParams),
    responses((status = 200, description = "A page", body = Page<User>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&users::list(&admin, &who, &page.query()).await?)
}

/// Makes a user.
///
/// The first admin ends the first token.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, description = "Made", body = User)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(new): Json<NewUser>) -> Answer {
    let made = users::create(&admin, &who, new).await?;
    created_revised(&format!("/api/v1/users/{}", made.value.name), &made)
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{name}", tag = "users", params(("name" = UserName, Path)),
    responses((status = 200, description = "The user", body = User)))]
pub(crate) async fn read(State(admin): State<Admin>, who: Principal, Named(name): Named<UserName>) -> Answer {
    revised(&users::read(&admin, &who, &name).await?)
}

/// Changes a user.
///
/// A new password ends all tokens and sessions of the user; without one the present password stays.
#[utoipa::path(put, path = "/api/v1/users/{name}", tag = "users", params(("name" = UserName, Path)),
    request_body = UserUpdate, responses((status = 200, description = "Changed", body = User)))]
pub(crate) async fn update(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<UserName>,
    Seen(seen): Seen,
    Json(update): Json<UserUpdate>,
) -> Answer {
    revised(&users::update(&admin, &who, &name, update, seen).await?)
}

/// Deletes a user, with all tokens.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "users", params(("name" = UserName, Path)),
    responses((status = 204, description = "Deleted")))]
pub(crate) async fn delete(
    State(admin): State<Admin>,
    who: Principal,
    Named(name): Named<UserName>,
    Seen(seen): Seen,
) -> Answer {
    users::delete(&admin, &who, &name, seen).await?;
    nothing()
}
