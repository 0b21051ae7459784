//! A visit to a page: who comes, what the form says, and what is answered when it goes wrong.

use super::context::Ctx;
use super::form::{Form, wrong_of};
use super::texts::Lang;
use crate::Admin;
use crate::auth::{Principal, authenticate, csrf};
use crate::limits::BODY_BYTES_MAX;
use crate::problem::{Problem, codes};
use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tracing::Instrument;

/// Scripts, styles and letters are ours; nothing is inline, nothing comes from elsewhere, nobody frames us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
     img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// Said by htmx with its requests.
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
/// The language of those who are not known yet.
pub(crate) const LANG_COOKIE: &str = "gudok_lang";
/// Longest path that one comes back to.
const BACK_CHARS_MAX: usize = 1_024;

/// What a page answers.
pub(crate) type Outcome = Result<Response, Refused>;

/// A service's refusal on its way to a page. The middleware writes it, in the reader's language.
#[derive(Debug)]
pub(crate) struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.0.status().into_response();
        response.extensions_mut().insert(RefusedWith(self.0));
        response
    }
}

#[derive(Clone)]
struct RefusedWith(Problem);

/// Who visits.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) admin: Admin,
    pub(crate) me: Principal,
    pub(crate) c: Ctx,
    /// What the reader was recognised by.
    credentials: HeaderMap,
}

impl Visit {
    /// Recognises the reader again, for pages that stay open.
    pub(crate) async fn still_known(&mut self) -> Result<(), Problem> {
        self.me = authenticate(&self.admin, &self.credentials).await?;
        self.c.me = Some(self.me.clone());
        self.c.now_ms = self.admin.now_ms();
        Ok(())
    }

    /// A page.
    pub(crate) fn page(&self, template: &impl Template) -> Response {
        html(StatusCode::OK, template)
    }

    /// A form with something wrong in it.
    pub(crate) fn again(&self, template: &impl Template) -> Response {
        html(StatusCode::UNPROCESSABLE_ENTITY, template)
    }
}

impl FromRequestParts<Admin> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Admin) -> Result<Self, Refused> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| {
            Refused(Problem::internal("opening a page", "a page stands before the console's middleware"))
        })
    }
}

/// A form that was sent, with the token that shows that it is ours.
pub(crate) struct Posted {
    pub(crate) visit: Visit,
    pub(crate) form: Form,
}

impl FromRequest<Admin> for Posted {
    type Rejection = Refused;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, admin).await?;
        let check = csrf::look(&parts.method, &parts.headers)?;
        let form = read_form(Request::from_parts(parts, body)).await?;
        verify(&check, form.value(csrf::CSRF_FIELD))?;
        Ok(Self { visit, form })
    }
}

/// Compares what a form carries with what it must.
pub(crate) fn verify(check: &csrf::Check, found: &str) -> Result<(), Problem> {
    match check {
        csrf::Check::Passed => Ok(()),
        csrf::Check::Needs(expected) if csrf::is(found, expected) => Ok(()),
        csrf::Check::Needs(_) => Err(csrf::refused("The form's csrf field is not this session's.")),
    }
}

/// Reads a body of name-value pairs. How large it may be is the router's limit.
pub(crate) async fn read_form(request: Request) -> Result<Form, Problem> {
    match axum::Form::<Vec<(String, String)>>::from_request(request, &()).await {
        Ok(axum::Form(pairs)) => Ok(Form::of(pairs)),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Problem::new(&codes::TOO_LARGE, format!("A form has at most {BODY_BYTES_MAX} bytes.")))
        }
        Err(rejection) => Err(Problem::new(&codes::UNSUPPORTED_TYPE, rejection.body_text())),
    }
}

/// The pairs of a query; none where it cannot be read.
pub(crate) fn query(uri: &Uri) -> Form {
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs.map(|pairs| Form::of(pairs.0)).unwrap_or_default()
}

/// Writes a page.
pub(crate) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => Refused(Problem::internal("writing a page", error)).into_response(),
    }
}

/// After a form was carried out: the browser asks for a page, so that reloading sends nothing twice.
pub(crate) fn go(to: &str, notice: Option<&str>) -> Response {
    let mark = if to.contains('?') { '&' } else { '?' };
    let to = notice.map_or_else(|| to.to_owned(), |notice| format!("{to}{mark}notice={notice}"));
    Redirect::to(&to).into_response()
}

/// Stands before every page that needs a reader.
pub(crate) async fn known(State(admin): State<Admin>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let back = request.uri().path_and_query().map_or_else(|| path.clone(), |whole| whole.as_str().to_owned());
    let fragment = request.headers().contains_key(HX_REQUEST);
    let me = match enter(&admin, request.headers()).await {
        Ok(me) => me,
        Err(problem) if problem.is(&codes::UNAUTHENTICATED) => {
            let address = crate::http::address_of(request.extensions());
            return match admin.rates().stranger(&address) {
                Ok(()) => to_login(&request, fragment, &back),
                Err(problem) => dressed(refusal(&nobody(&admin, request.headers(), &path), &problem, fragment)),
            };
        }
        Err(problem) => {
            let c = nobody(&admin, request.headers(), &path);
            return dressed(refusal(&c, &problem, fragment));
        }
    };
    let lang = Lang::of(&me.lang).unwrap_or_else(|| lang_of(request.headers()));
    let mut c = Ctx::of(me.clone(), lang, admin.config().zone.clone(), &back, admin.now_ms());
    c.notice = notice_of(request.uri());
    let credentials = [header::COOKIE, header::AUTHORIZATION].into_iter();
    let credentials =
        credentials.filter_map(|name| Some((name.clone(), request.headers().get(name)?.clone()))).collect();
    request.extensions_mut().insert(Visit { admin, me, c: c.clone(), credentials });
    let response = carried_out(request, next).await;
    match response.extensions().get::<RefusedWith>() {
        Some(RefusedWith(problem)) => dressed(refusal(&c, problem, fragment)),
        None => dressed(response),
    }
}

/// A page ends with its reader. A write that was begun is brought to its end, whether somebody still waits or not.
async fn carried_out(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let task = tokio::spawn(next.run(request).in_current_span());
    let carried_out = task.await.map_err(|error| Refused(Problem::internal("carrying out a form", error)));
    carried_out.unwrap_or_else(IntoResponse::into_response)
}

async fn enter(admin: &Admin, headers: &HeaderMap) -> Result<Principal, Problem> {
    let me = authenticate(admin, headers).await?;
    admin.rates().request(me.credential.hash())?;
    Ok(me)
}

fn to_login(request: &Request, fragment: bool, back: &str) -> Response {
    let next = if request.method().is_safe() { encoded(back) } else { String::new() };
    let to = format!("/console/login?next={next}");
    if fragment {
        // htmx follows a redirect within the fragment; this one is for the whole window.
        return (StatusCode::NO_CONTENT, [(HeaderName::from_static("hx-redirect"), "/console/login")]).into_response();
    }
    Redirect::to(&to).into_response()
}

/// Stands before the pages that need none.
pub(crate) async fn anybody(request: Request, next: Next) -> Response {
    dressed(next.run(request).await)
}

/// Somebody whose request is refused before it reaches a page.
pub(crate) struct Reader {
    headers: HeaderMap,
    path: String,
    fragment: bool,
}

impl Reader {
    /// Of a request for a page; nothing for programs.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        let headers = request.headers();
        let kept = [header::COOKIE, header::ACCEPT_LANGUAGE].into_iter();
        (path == "/console" || path.starts_with("/console/")).then(|| Self {
            headers: kept.filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect(),
            path: path.to_owned(),
            fragment: headers.contains_key(HX_REQUEST),
        })
    }

    /// Why, in words.
    pub(crate) fn is_told(&self, admin: &Admin, problem: &Problem) -> Response {
        dressed(refusal(&nobody(admin, &self.headers, &self.path), problem, self.fragment))
    }
}

/// What the page of a refusal shows.
#[derive(Template)]
#[template(path = "failed.html")]
pub(crate) struct FailedPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) title: String,
    pub(crate) problem: String,
    pub(crate) remedy: String,
    pub(crate) back: &'static str,
}

/// The same, in a page that goes on.
#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedFragment {
    problem: String,
    remedy: String,
}

fn refusal(c: &Ctx, problem: &Problem, fragment: bool) -> Response {
    let wrong = wrong_of(c.lang, problem);
    let back = if c.here.is_empty() { "/console/" } else { c.here };
    if fragment {
        // The page that asked stays as it is, and says above why.
        let mut response = html(problem.status(), &RefusedFragment { problem: wrong.problem, remedy: wrong.remedy });
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("hx-retarget"), HeaderValue::from_static("#refused"));
        headers.insert(HeaderName::from_static("hx-reswap"), HeaderValue::from_static("innerHTML show:top"));
        return response;
    }
    let title = c.t("form.wrong").to_owned();
    let page = FailedPage { c, title, problem: wrong.problem, remedy: wrong.remedy, back };
    html(problem.status(), &page)
}

fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
    response
}

/// A page for somebody who is not known.
pub(crate) fn nobody(admin: &Admin, headers: &HeaderMap, path: &str) -> Ctx {
    Ctx::of_nobody(lang_of(headers), admin.config().zone.clone(), path, admin.now_ms())
}

/// The language that was chosen before, or that the browser asks for.
fn lang_of(headers: &HeaderMap) -> Lang {
    let jar = axum_extra::extract::CookieJar::from_headers(headers);
    let chosen = jar.get(LANG_COOKIE).and_then(|cookie| Lang::of(cookie.value()));
    let asked = || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(Lang::accepted);
    chosen.or_else(asked).unwrap_or(Lang::Ru)
}

/// What was just done, where it is one of ours: nobody puts words on our pages by a link.
fn notice_of(uri: &Uri) -> Option<String> {
    let key = format!("notice.{}", query(uri).value("notice"));
    Lang::Ru.find(&key).map(|_| key)
}

/// A path of ours to come back to; nobody is led elsewhere by a link.
pub(crate) fn own_path(path: &str) -> Option<&str> {
    let ours = path == "/console" || path.starts_with("/console/");
    let plain = path.len() <= BACK_CHARS_MAX && path.is_ascii() && !path.contains(['\\', '\r', '\n', '\t']);
    (ours && plain).then_some(path)
}

/// As a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => written.push(char::from(byte)),
            _ => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(own_path("/console/deployments/mfc/desk?x=1"), Some("/console/deployments/mfc/desk?x=1"));
        for path in
            ["", "/", "//evil.example", "https://evil.example/console/", "/console\\..", "/consolex", "/console/\r\nx"]
        {
            assert_eq!(own_path(path), None, "{path:?}");
        }
    }

    #[test]
    fn notices_are_ours() {
        let notice = |query: &str| notice_of(&format!("/console/x?{query}").parse().unwrap());
        assert_eq!(notice("notice=saved"), Some("notice.saved".into()));
        assert_eq!(notice("notice=You%20won"), None);
        assert_eq!(notice("a=b"), None);
    }

    #[test]
    fn queries_are_read_as_they_are_written() {
        let read = query(&"/x?a=1&b=%D0%B4%D0%B0+%26&a=2&c=".parse().unwrap());
        assert_eq!((read.value("a"), read.value("b"), read.value("c")), ("1", "да &", ""));
        assert_eq!(read.all("a"), ["1", "2"]);
        assert_eq!(encoded("/console/records?agency=mfc&x=да"), "/console/records%3Fagency%3Dmfc%26x%3D%D0%B4%D0%B0");
    }
}
