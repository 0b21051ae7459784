//! Coming in, going out, and the reader's language.

use super::context::Ctx;
use super::form::Form;
use super::texts::Lang;
use super::visit::{self, LANG_COOKIE, Outcome, Posted, html, own_path};
use crate::Admin;
use crate::auth::{Via, csrf};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::service::{logins, tokens, users};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::CookieJar;

/// Ties the log-in's form to the browser that asked for it, before there is a session.
const LOGIN_COOKIE: &str = "gudok_login";
/// A choice of language is kept so long.
const LANG_COOKIE_LIFE_S: u64 = 365 * 24 * 3600;

/// Where one comes in.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    /// Nobody can come in yet.
    pub(crate) first: bool,
}

/// `GET /console/login`
pub(crate) async fn show(State(admin): State<Admin>, request: Request) -> Response {
    let asked = visit::query(request.uri());
    let mut c = visit::nobody(&admin, request.headers(), "/console/login");
    let chosen = Lang::of(asked.value("lang"));
    if let Some(lang) = chosen {
        c.lang = lang;
    }
    let next = own_path(asked.value("next")).unwrap_or_default().to_owned();
    let mut response =
        page(&admin, &mut c, Form::default().with("next", next), StatusCode::OK, request.headers()).await;
    if let Some(lang) = chosen {
        let secure = if admin.config().tls { "; Secure" } else { "" };
        let cookie = format!(
            "{LANG_COOKIE}={}; Path=/console; Max-Age={LANG_COOKIE_LIFE_S}; HttpOnly; SameSite=Strict{secure}",
            lang.tag()
        );
        if let Ok(value) = cookie.parse() {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

async fn page(admin: &Admin, c: &mut Ctx, form: Form, status: StatusCode, headers: &HeaderMap) -> Response {
    let kept = login_cookie(headers);
    let cookie = kept.clone().unwrap_or_else(crate::auth::new_cookie);
    c.csrf = csrf::token_of(&cookie).reveal().to_owned();
    let first = users::are_none(admin).await.unwrap_or(false);
    let response = html(status, &LoginPage { c, form, first });
    if kept.is_some() {
        return response;
    }
    let secure = if admin.config().tls { "; Secure" } else { "" };
    let value = cookie.reveal();
    let cookie = format!("{LOGIN_COOKIE}={value}; Path=/console/login; HttpOnly; SameSite=Strict{secure}");
    (AppendHeaders([(header::SET_COOKIE, cookie)]), response).into_response()
}

fn login_cookie(headers: &HeaderMap) -> Option<Redacted> {
    let jar = CookieJar::from_headers(headers);
    jar.get(LOGIN_COOKIE).map(|cookie| Redacted::new(cookie.value().to_owned()))
}

/// `POST /console/login`
pub(crate) async fn enter(State(admin): State<Admin>, request: Request) -> Response {
    let headers = request.headers().clone();
    let address = crate::http::address_of(request.extensions());
    let mut c = visit::nobody(&admin, &headers, "/console/login");
    let foreign = csrf::look(request.method(), &headers).err();
    let form = match visit::read_form(request).await {
        Ok(form) => form,
        Err(problem) => return again(&admin, &mut c, Form::default(), &problem, &headers).await,
    };
    let expected = login_cookie(&headers).map(|cookie| csrf::token_of(&cookie));
    let ours = expected.is_some_and(|expected| csrf::is(form.value(csrf::CSRF_FIELD), &expected));
    if foreign.is_some() || !ours {
        return again(&admin, &mut c, form, &csrf::refused("The form is not this browser's."), &headers).await;
    }
    let from = logins::From { address, via: Via::Console };
    let password = Redacted::new(form.value("password").to_owned());
    let session = match logins::open_session(&admin, &from, &form.text("user"), password).await {
        Ok(session) => session,
        Err(problem) => return again(&admin, &mut c, form, &problem, &headers).await,
    };
    let to = own_path(form.value("next")).unwrap_or("/console/").to_owned();
    let cookie = csrf::set_cookie(&session.cookie, session.life_s, admin.config().tls);
    (AppendHeaders([(header::SET_COOKIE, cookie)]), visit::go(&to, None)).into_response()
}

async fn again(admin: &Admin, c: &mut Ctx, form: Form, problem: &Problem, headers: &HeaderMap) -> Response {
    // What was typed as a password is not written into the page again.
    let mut shown =
        Form::default().with("user", form.value("user")).with("next", form.value("next")).with("password", "");
    shown.refused(c.lang, &problem.clone().field("user"));
    let status = if problem.is(&codes::LOGIN_FAILED) { StatusCode::UNPROCESSABLE_ENTITY } else { problem.status() };
    page(admin, c, shown, status, headers).await
}

/// `POST /console/logout`
pub(crate) async fn leave(Posted { visit, .. }: Posted) -> Outcome {
    tokens::revoke_own(&visit.admin, &visit.me).await?;
    let cookie = csrf::clear_cookie(visit.admin.config().tls);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), visit::go("/console/login", None)).into_response())
}

/// `POST /console/language`
pub(crate) async fn choose(Posted { visit, form }: Posted) -> Outcome {
    if let Some(lang) = Lang::of(form.value("lang")) {
        users::choose_language(&visit.admin, &visit.me, lang.tag()).await?;
    }
    Ok(visit::go(own_path(form.value("back")).unwrap_or("/console/"), None))
}
