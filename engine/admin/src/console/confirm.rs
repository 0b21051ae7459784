//! Are you sure? As a page, or in the dialog of the page that asks.

use super::context::Ctx;
use super::visit::{Visit, html};
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// A question before something that is not easily undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// Where the answer goes.
    pub(crate) action: String,
    /// Where "no" leads.
    pub(crate) back: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) yes: String,
    pub(crate) hidden: Vec<(String, String)>,
    /// Whether it takes something away.
    pub(crate) risky: bool,
    /// Whether it asks why.
    pub(crate) reason: bool,
    /// The part of the asking page that the answer goes into; the page goes on. Empty: the answer is a page.
    pub(crate) target: &'static str,
}

impl Ask {
    pub(crate) fn new(action: impl Into<String>, back: impl Into<String>) -> Self {
        Self { action: action.into(), back: back.into(), risky: true, ..Self::default() }
    }

    pub(crate) fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    pub(crate) fn yes(mut self, yes: impl Into<String>) -> Self {
        self.yes = yes.into();
        self
    }

    pub(crate) fn hidden(mut self, name: &str, value: impl Into<String>) -> Self {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }

    /// Where the question is asked in a page that goes on.
    pub(crate) fn into_part(mut self, target: &'static str) -> Self {
        self.target = target;
        self
    }

    pub(crate) fn calm(mut self) -> Self {
        self.risky = false;
        self
    }
}

/// The question as a page.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) ask: Ask,
}

/// The question alone.
#[derive(Template)]
#[template(path = "confirm_dialog.html")]
pub(crate) struct ConfirmDialog<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) ask: Ask,
}

/// Asks, in the way that the browser wants it.
pub(crate) fn confirm(visit: &Visit, headers: &HeaderMap, ask: Ask) -> Response {
    if headers.contains_key("hx-request") {
        html(StatusCode::OK, &ConfirmDialog { c: &visit.c, ask })
    } else {
        visit.page(&ConfirmPage { c: &visit.c, ask })
    }
}
