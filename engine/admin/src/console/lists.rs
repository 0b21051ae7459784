//! What pages with lists share: filters, cursors, and the names to choose from.

use super::form::{Choice, Form};
use super::visit::{Visit, encoded, query};
use crate::Admin;
use crate::problem::Problem;
use crate::service::{PageQuery, Source, agencies as service};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

/// Rows of a page: what one looks through without losing the place.
const ROWS: usize = 50;
/// Agencies to choose from.
const AGENCIES_MAX: usize = 1_000;

/// What a list was asked for: filters and a cursor.
pub(crate) struct Asked(pub(crate) Form);

impl FromRequestParts<Admin> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Admin) -> Result<Self, Infallible> {
        Ok(Self(query(&parts.uri)))
    }
}

impl Asked {
    pub(crate) fn page(&self) -> PageQuery {
        let cursor = self.0.text("cursor");
        PageQuery { cursor: (!cursor.is_empty()).then_some(cursor), limit: Some(ROWS) }
    }

    /// A filter, where something was written into it.
    pub(crate) fn filter(&self, name: &str) -> Option<String> {
        let text = self.0.text(name);
        (!text.is_empty()).then_some(text)
    }

    /// Where the next page is, with the same filters.
    pub(crate) fn next(&self, path: &str, cursor: Option<&str>) -> Option<String> {
        let cursor = cursor?;
        let mut href = format!("{path}?");
        for (name, value) in
            self.0.pairs().filter(|(name, value)| !matches!(*name, "cursor" | "notice") && !value.is_empty())
        {
            href.push_str(&format!("{}={}&", encoded(name), encoded(value)));
        }
        href.push_str(&format!("cursor={}", encoded(cursor)));
        Some(href)
    }
}

/// The agencies that the reader may see, by name.
pub(crate) async fn agencies(visit: &Visit) -> Result<Vec<String>, Problem> {
    let query = PageQuery { cursor: None, limit: Some(AGENCIES_MAX) };
    let page = service::list(&visit.admin, &visit.me, &query).await?;
    Ok(page.items.into_iter().map(|agency| agency.name).collect())
}

/// The same, to filter a list by.
pub(crate) async fn agency_filter(visit: &Visit) -> Result<Vec<Choice>, Problem> {
    Ok(Choice::or(visit.c.t("list.any"), agencies(visit).await?))
}

/// Who says it, as texts have it.
pub(crate) fn source(source: Source) -> &'static str {
    match source {
        Source::File => "file",
        Source::Api => "api",
    }
}
