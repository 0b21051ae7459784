//! `/tokens`

use super::PageParams;
use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, created, nothing, ok};
use crate::http::extract::{Json, Named, Params};
use crate::names::TokenName;
use crate::service::Page;
use crate::service::tokens::{self, MadeToken, NewToken, Token};
use axum::extract::State;

/// Tokens: one's own; admins and auditors see everybody's.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(PageParams),
    responses((status = 200, description = "A page", body = Page<Token>)))]
pub(crate) async fn list(State(admin): State<Admin>, who: Principal, Params(page): Params<PageParams>) -> Answer {
    ok(&tokens::list(&admin, &who, &page.query()).await?)
}

/// Makes a token.
///
/// It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, description = "Made", body = MadeToken)))]
pub(crate) async fn create(State(admin): State<Admin>, who: Principal, Json(new): Json<NewToken>) -> Answer {
    let made = tokens::create(&admin, &who, new).await?;
    created(&format!("/api/v1/tokens/{}", made.facts.id), &made)
}

/// Revokes a token, at once.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = TokenName, Path)),
    responses((status = 204, description = "Revoked")))]
pub(crate) async fn revoke(State(admin): State<Admin>, who: Principal, Named(id): Named<TokenName>) -> Answer {
    tokens::revoke(&admin, &who, &id).await?;
    nothing()
}
