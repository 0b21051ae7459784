//! The API's documentation, without anything from elsewhere: Swagger UI as it was vendored, and the page of codes.

use crate::problem::{Problem, codes};
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use utoipa_swagger_ui::Config;

/// Swagger UI places style elements; it gets that right, and still no script but our own.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/api/docs`
pub(super) async fn to_index() -> Redirect {
    Redirect::permanent("/api/docs/")
}

/// `/api/docs/`
pub(super) async fn index() -> Result<Response, Problem> {
    serve("index.html")
}

/// `/api/docs/{file}`
pub(super) async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    serve(&file)
}

fn serve(file: &str) -> Result<Response, Problem> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let config = Config::new(["/api/v1/openapi.json"]).validator_url("none");
        Arc::new(config.default_models_expand_depth(0).display_request_duration(true))
    });
    let found = utoipa_swagger_ui::serve(file, Arc::clone(config));
    let found = found.map_err(|error| Problem::internal("reading Swagger UI", error))?;
    let found = found.ok_or_else(|| Problem::not_found("page of the documentation", "of this name"))?;
    let mut response = found.bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&found.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if found.gzpipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SWAGGER_POLICY));
    Ok(response)
}

/// `/api/docs/problems`: where a refusal's `type` leads.
pub(super) async fn problems() -> Html<String> {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Gudok: refusals</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body><h1>Refusals</h1>\
         <p>Every refusal of the API is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is stable; \
         <code>detail</code> says what is wrong, <code>field</code> where, <code>remedy</code> what to do.</p><dl>",
    );
    for code in codes::ALL {
        // Writing into a String cannot fail. The texts are ours and hold no markup but quotes.
        let _ = write!(
            page,
            "<dt id=\"{0}\"><code>{0}</code> ({1})</dt><dd>{2}. {3}</dd>",
            code.code,
            code.status.as_u16(),
            escaped(code.title),
            escaped(code.remedy)
        );
    }
    page.push_str("</dl></body></html>");
    Html(page)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
