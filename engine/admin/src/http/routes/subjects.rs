//! `/subjects`

use crate::Admin;
use crate::auth::Principal;
use crate::http::answer::{Answer, ok};
use crate::http::extract::Json;
use crate::service::subjects::{self, SubjectErased, SubjectExport, SubjectRequest};
use axum::extract::State;

/// What is kept about a person.
#[utoipa::path(post, path = "/api/v1/subjects/export", tag = "subjects", request_body = SubjectRequest,
    responses((status = 200, description = "Everything", body = SubjectExport)))]
pub(crate) async fn export(State(admin): State<Admin>, who: Principal, Json(request): Json<SubjectRequest>) -> Answer {
    ok(&subjects::export(&admin, &who, request).await?)
}

/// Takes a person out of what is kept.
#[utoipa::path(post, path = "/api/v1/subjects/erase", tag = "subjects", request_body = SubjectRequest,
    responses((status = 200, description = "Erased", body = SubjectErased)))]
pub(crate) async fn erase(State(admin): State<Admin>, who: Principal, Json(request): Json<SubjectRequest>) -> Answer {
    ok(&subjects::erase(&admin, &who, request).await?)
}
