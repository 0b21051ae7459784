//! Writing answers.

use crate::problem::Problem;
use crate::service::Revised;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What handlers answer.
pub(crate) type Answer = Result<Response, Problem>;

pub(crate) fn ok<T: Serialize>(value: &T) -> Answer {
    with_status(StatusCode::OK, value)
}

pub(crate) fn with_status<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    let text = serde_json::to_string(value).map_err(|error| Problem::internal("writing an answer", error))?;
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Something that was made, and where it is.
pub(crate) fn created<T: Serialize>(location: &str, value: &T) -> Answer {
    let mut response = with_status(StatusCode::CREATED, value)?;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// A document with its ETag.
pub(crate) fn revised<T: Serialize>(document: &Revised<T>) -> Answer {
    Ok(with_etag(ok(&document.value)?, document.revision))
}

/// A document that was made, with its ETag.
pub(crate) fn created_revised<T: Serialize>(location: &str, document: &Revised<T>) -> Answer {
    Ok(with_etag(created(location, &document.value)?, document.revision))
}

pub(crate) fn nothing() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn with_etag(mut response: Response, revision: u64) -> Response {
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}
