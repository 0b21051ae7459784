//! Refusals as RFC 9457 has them: each says what is wrong, in which field, and what to do.

pub mod codes;

pub use codes::Code;

use crate::ports::{BundleReport, EngineRefusal};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gudok_store::StoreError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use utoipa::ToSchema;

/// The media type of a refusal.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Where the codes are explained.
pub const PROBLEMS_PAGE: &str = "/api/docs/problems";

/// A refusal. What it shows is for the client; what only the log may know never enters it.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Cow<'static, str>,
    status: StatusCode,
    title: Cow<'static, str>,
    detail: String,
    field: Option<String>,
    remedy: Cow<'static, str>,
    correlation: Option<String>,
    report: Option<Box<BundleReport>>,
    retry_after_s: Option<u64>,
}

/// A refusal as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for all refusals of the code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: String,
    /// What is wrong here.
    pub detail: String,
    /// The field, parameter or header at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// What to do.
    pub remedy: String,
    /// Found in the engine's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub correlation: Option<String>,
    /// Of a bundle: every step of its check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub report: Option<BundleReport>,
}

impl Problem {
    /// A refusal with what is wrong, for the client's eyes: never a secret, never a caller's number.
    #[must_use]
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code: Cow::Borrowed(code.code),
            status: code.status,
            title: Cow::Borrowed(code.title),
            detail: detail.into(),
            field: None,
            remedy: Cow::Borrowed(code.remedy),
            correlation: None,
            report: None,
            retry_after_s: None,
        }))
    }

    /// A field whose value cannot be used.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(&codes::INVALID, detail).field(field)
    }

    /// There is no such thing, or it is not for those eyes: both look the same.
    #[must_use]
    pub fn not_found(what: &str, name: impl fmt::Display) -> Self {
        Self::new(&codes::NOT_FOUND, format!("There is no {what} {name} that you may see."))
    }

    /// A failure of ours. The cause goes to the log under a number that the client is told.
    #[must_use]
    pub fn internal(doing: &str, cause: impl fmt::Display) -> Self {
        let correlation = format!("{:016x}", rand::random::<u64>());
        tracing::error!(correlation, doing, %cause, "an admin's request failed");
        let mut problem = Self::new(&codes::INTERNAL, format!("The engine failed while {doing}."));
        problem.0.correlation = Some(correlation);
        problem
    }

    /// Names the field, parameter or header.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Says better what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.0.remedy = remedy.into();
        self
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// Every step of a bundle's check.
    #[must_use]
    pub fn report(mut self, report: BundleReport) -> Self {
        self.0.report = Some(Box::new(report));
        self
    }

    /// Stable, for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether it is of that kind.
    #[must_use]
    pub fn is(&self, code: &Code) -> bool {
        self.0.code == code.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The same for all refusals of the code.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// What is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The field at fault.
    #[must_use]
    pub fn at(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What to do.
    #[must_use]
    pub fn what_to_do(&self) -> &str {
        &self.0.remedy
    }

    /// Where to look in the log.
    #[must_use]
    pub fn correlation(&self) -> Option<&str> {
        self.0.correlation.as_deref()
    }

    /// Every step of the check, where a bundle was refused.
    #[must_use]
    pub fn steps(&self) -> Option<&BundleReport> {
        self.0.report.as_deref()
    }

    /// As it is written.
    #[must_use]
    pub fn body(&self) -> ProblemBody {
        let parts = &*self.0;
        ProblemBody {
            kind: format!("{PROBLEMS_PAGE}#{}", parts.code),
            title: parts.title.to_string(),
            status: parts.status.as_u16(),
            code: parts.code.to_string(),
            detail: parts.detail.clone(),
            field: parts.field.clone(),
            remedy: parts.remedy.to_string(),
            correlation: parts.correlation.clone(),
            report: parts.report.as_deref().cloned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.0.code, self.0.detail, self.0.remedy)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        metrics::counter!("gudok_http_problems_total", "code" => self.0.code.to_string()).increment(1);
        let text = serde_json::to_string(&self.body()).unwrap_or_default();
        let mut response = (self.0.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"gudok\""));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            "stale" => Self::new(&codes::STALE, "The document was changed by somebody else a moment ago."),
            "busy" => Self::new(&codes::BUSY, "The disk is slower than the work.").retry_after_s(1),
            "disk_low" | "disk_full" => Self::new(&codes::DISK_LOW, "Too little of the disk is free."),
            "blob_missing" => Self::new(&codes::NOT_FOUND, "Its bytes are not kept here any more."),
            "bad_name" => Self::new(&codes::INVALID, error.to_string()),
            "too_large" => Self::new(&codes::TOO_LARGE, error.to_string()),
            _ => Self::internal("working with the store", error),
        }
    }
}

impl From<EngineRefusal> for Problem {
    fn from(refusal: EngineRefusal) -> Self {
        if refusal.code == codes::INTERNAL.code && refusal.status == codes::BUSY.status.as_u16() {
            return Self::new(&codes::BUSY, refusal.problem).retry_after_s(1);
        }
        if refusal.code == codes::INTERNAL.code {
            return Self::internal("asking the engine", refusal.problem);
        }
        let status = StatusCode::from_u16(refusal.status).ok().filter(|status| status.as_u16() >= 400);
        let known = codes::find(refusal.code);
        let code = known.unwrap_or(&codes::CONFLICTING);
        let mut problem = Self::new(code, refusal.problem);
        if known.is_none() {
            problem.0.code = Cow::Borrowed(refusal.code);
            problem.0.status = status.unwrap_or(code.status);
        }
        problem.0.field = refusal.field;
        problem.0.report = refusal.report;
        if !refusal.remedy.is_empty() {
            problem.0.remedy = Cow::Owned(refusal.remedy);
        }
        problem
    }
}
