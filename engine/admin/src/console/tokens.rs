//! Tokens: how programs come in.

use super::confirm::{Ask, confirm};
use super::context::Ctx;
use super::form::Form;
use super::format::Moment;
use super::lists;
use super::visit::{Outcome, Posted, Visit, go};
use crate::access::{Operation, Scope};
use crate::names::TokenName;
use crate::service::tokens::{self as service, NewToken, Token};
use crate::time;
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;

/// A token's life where its maker does not say.
const DAYS_FIRST: &str = "90";
const DAYS_MAX: u32 = 365;
const DAY_MS: u64 = 24 * 3600 * 1_000;
/// Of a token's id, so many characters are shown in the list.
const SHORT_ID_CHARS: usize = 8;

/// A token in the list.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) label: String,
    pub(crate) user: String,
    pub(crate) created: Moment,
    pub(crate) expires: Moment,
    pub(crate) last_used: Option<Moment>,
    pub(crate) may_revoke: bool,
}

impl Row {
    pub(crate) fn of(c: &Ctx, token: Token) -> Self {
        let scope = c.me.as_ref().and_then(|me| me.may(Operation::TokenRevoke).ok());
        let own = c.me.as_ref().is_some_and(|me| me.user == token.user);
        Self {
            short: token.id.as_str().chars().take(SHORT_ID_CHARS).collect(),
            id: token.id.to_string(),
            created: c.moment_of(&token.created),
            expires: c.moment_of(&token.expires),
            last_used: token.last_used.as_deref().map(|at| c.moment_of(at)),
            may_revoke: scope.is_some_and(|scope| own || scope == Scope::Everything),
            label: token.label,
            user: token.user,
        }
    }
}

/// The reader's tokens, or everybody's.
#[derive(Template)]
#[template(path = "tokens.html")]
pub(crate) struct TokensPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_create: bool,
    /// A token that was made just now, the only time that it is shown.
    pub(crate) fresh: Option<String>,
}

async fn page<'a>(visit: &'a Visit, query: &lists::Asked, form: Form) -> Result<TokensPage<'a>, super::visit::Refused> {
    let page = service::list(&visit.admin, &visit.me, &query.page()).await?;
    Ok(TokensPage {
        c: &visit.c,
        form: form.or("label", "").or("days", DAYS_FIRST),
        rows: page.items.into_iter().map(|token| Row::of(&visit.c, token)).collect(),
        next: query.next("/console/tokens", page.next.as_deref()),
        may_create: visit.c.may(Operation::TokenCreate),
        fresh: None,
    })
}

/// `GET /console/tokens`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    Ok(visit.page(&page(&visit, &query, Form::new("")).await?))
}

/// `POST /console/tokens`
pub(crate) async fn create(query: lists::Asked, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let label = form.filled(c.lang, "label");
    let days = form.whole(c.lang, "days", (1, DAYS_MAX));
    if form.has_wrong() {
        return Ok(visit.again(&page(&visit, &query, form).await?));
    }
    let expires = days.map(|days| time::written(c.now_ms.saturating_add(u64::from(days) * DAY_MS)));
    match service::create(&visit.admin, &visit.me, NewToken { label, user: None, roles: None, expires }).await {
        Ok(made) => {
            let mut page = page(&visit, &query, Form::new("")).await?;
            page.fresh = Some(made.token.reveal().to_owned());
            Ok(visit.page(&page))
        }
        Err(problem) => {
            form.refused(c.lang, &problem);
            Ok(visit.again(&page(&visit, &query, form).await?))
        }
    }
}

/// `GET /console/tokens/{id}/revoke`
pub(crate) async fn ask_revoke(visit: Visit, headers: HeaderMap, Path(id): Path<String>) -> Outcome {
    let id: TokenName = id.parse()?;
    let label: String = id.as_str().chars().take(SHORT_ID_CHARS).collect();
    let ask = Ask::new(format!("/console/tokens/{id}/revoke"), "/console/tokens")
        .title(visit.c.w("token.revoke.title", [("label", label.as_str())]))
        .text(visit.c.t("token.revoke.text"))
        .yes(visit.c.t("token.revoke"));
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/tokens/{id}/revoke`
pub(crate) async fn revoke(Path(id): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    service::revoke(&visit.admin, &visit.me, &id.parse()?).await?;
    Ok(go("/console/tokens", Some("revoked")))
}
