//! Who is asking: tokens, sessions, passwords, and the first token of all.

pub mod csrf;
mod first_token;
mod passwords;
mod secrets;

pub(crate) use first_token::FIRST_TOKEN_USER;
pub use passwords::PasswordCost;
pub(crate) use passwords::{Passwords, check as check_password};
pub(crate) use secrets::{hash_of, hex, new_cookie, new_token};

use crate::Admin;
use crate::access::{Grant, Role};
use crate::documents::{SessionDocument, TokenDocument, UserDocument, kinds};
use crate::ledger::{Change, Kept};
use crate::limits::LAST_USED_EVERY;
use crate::ports::Actor;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use gudok_store::UtcMs;

/// The console's cookie.
pub const SESSION_COOKIE: &str = "gudok_session";
/// How the command line names itself.
const CLI_AGENT: &str = "gudok-cli";

/// Somebody who was recognised, and what that person may do. Everything in the services asks for one.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user's name; `first-token` before there are users.
    pub user: String,
    /// For people.
    pub full_name: String,
    /// What the user may be, narrowed to what the token may.
    pub roles: Vec<Grant>,
    /// Which way the request came, for the audit.
    pub via: Via,
    /// What it was recognised by.
    pub credential: Credential,
    /// The console's language: `ru` or `en`.
    pub lang: String,
}

/// Which way a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The HTTP API.
    Api,
    /// The console.
    Console,
    /// The command line.
    Cli,
}

impl Via {
    /// As the audit has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Cli => "cli",
        }
    }

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        if agent.is_some_and(|agent| agent.starts_with(CLI_AGENT)) { Self::Cli } else { Self::Api }
    }
}

/// What somebody was recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token.
    Token {
        /// Its SHA-256, in hexadecimal.
        hash: String,
        /// What its maker called it.
        label: String,
    },
    /// A session of the console.
    Session {
        /// The cookie's SHA-256, in hexadecimal.
        hash: String,
        /// What its writes must carry.
        csrf: Redacted,
    },
}

impl Credential {
    /// Its hash: what its rate is counted under.
    #[must_use]
    pub fn hash(&self) -> &str {
        match self {
            Self::Token { hash, .. } | Self::Session { hash, .. } => hash,
        }
    }
}

impl Principal {
    /// As the engine wants it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.user.clone(), via: self.via.as_str() }
    }

    /// What a session's writes must carry; empty for a token.
    #[must_use]
    pub fn csrf(&self) -> &str {
        match &self.credential {
            Credential::Session { csrf, .. } => csrf.reveal(),
            Credential::Token { .. } => "",
        }
    }

    /// Whether it has a role, wherever.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|grant| grant.role == role)
    }
}

/// Recognises who sent these header fields.
///
/// # Errors
/// `unauthenticated`, in the same words whatever is wrong with the credential.
pub async fn authenticate(admin: &Admin, headers: &HeaderMap) -> Result<Principal, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(secrets::token_of_header).ok_or_else(unauthenticated)?;
        return by_token(admin, &token, Via::of(headers)).await;
    }
    match session_cookie(headers) {
        Some(cookie) => by_session(admin, &cookie).await,
        None => Err(Problem::new(&codes::UNAUTHENTICATED, "The request has no token and no session.")),
    }
}

/// The session's cookie, as it came.
#[must_use]
pub fn session_cookie(headers: &HeaderMap) -> Option<Redacted> {
    let jar = axum_extra::extract::CookieJar::from_headers(headers);
    jar.get(SESSION_COOKIE).map(|cookie| Redacted::new(cookie.value().to_owned()))
}

async fn by_token(admin: &Admin, token: &Redacted, via: Via) -> Result<Principal, Problem> {
    let hash = hash_of(token);
    let kept: Option<Kept<TokenDocument>> = admin.ledger().get(kinds::TOKEN, &hash).await?;
    let kept = kept.filter(|kept| kept.body.expires_ms > admin.now_ms()).ok_or_else(unauthenticated)?;
    let credential = Credential::Token { hash, label: kept.body.label.clone() };
    let principal = if kept.body.user == FIRST_TOKEN_USER {
        first_token::principal(credential, via)
    } else {
        let user = user_of(admin, &kept.body.user, kept.body.generation).await?;
        let roles = narrowed(user.roles, kept.body.roles.as_deref());
        let user_name = kept.body.user.clone();
        Principal { user: user_name, full_name: user.full_name, roles, via, credential, lang: user.lang }
    };
    remember_use(admin, kept);
    Ok(principal)
}

async fn by_session(admin: &Admin, cookie: &Redacted) -> Result<Principal, Problem> {
    let hash = hash_of(cookie);
    let kept: Option<Kept<SessionDocument>> = admin.ledger().get(kinds::SESSION, &hash).await?;
    let session = kept.filter(|kept| kept.body.expires_ms > admin.now_ms()).ok_or_else(unauthenticated)?.body;
    let user = user_of(admin, &session.user, session.generation).await?;
    let credential = Credential::Session { hash, csrf: csrf::token_of(cookie) };
    Ok(Principal {
        user: session.user,
        full_name: user.full_name,
        roles: user.roles,
        via: Via::Console,
        credential,
        lang: user.lang,
    })
}

async fn user_of(admin: &Admin, name: &str, generation: u64) -> Result<UserDocument, Problem> {
    let user: Option<Kept<UserDocument>> = admin.ledger().get(kinds::USER, name).await?;
    let valid = user.filter(|user| !user.body.disabled && user.body.generation == generation);
    valid.map(|user| user.body).ok_or_else(unauthenticated)
}

fn unauthenticated() -> Problem {
    let detail = "The token or session is unknown, expired or revoked, or its user is disabled.";
    Problem::new(&codes::UNAUTHENTICATED, detail)
}

/// What a token may: of its own roles, those that its user still has.
fn narrowed(user: Vec<Grant>, token: Option<&[Grant]>) -> Vec<Grant> {
    let Some(token) = token else { return user };
    token.iter().filter(|grant| covers(&user, grant)).cloned().collect()
}

/// Whether grants reach as far as one grant: the same role, in the same agency or in all.
pub(crate) fn covers(grants: &[Grant], wanted: &Grant) -> bool {
    grants.iter().any(|grant| grant.role == wanted.role && (grant.agency.is_none() || grant.agency == wanted.agency))
}

/// Notes that a token was used: in memory each time, in the ledger now and then.
fn remember_use(admin: &Admin, kept: Kept<TokenDocument>) {
    let now = admin.now_ms();
    let every = u64::try_from(LAST_USED_EVERY.as_millis()).unwrap_or(u64::MAX);
    if kept.body.last_used_ms.is_some_and(|last| now.saturating_sub(last) < every) {
        return;
    }
    let Kept { id, revision, mut body } = kept;
    body.last_used_ms = Some(now);
    let expires = Some(UtcMs(body.expires_ms));
    let change = Change::new().expect(kinds::TOKEN, &id, revision).put_until(kinds::TOKEN, &id, &body, expires);
    let ledger = admin.ledger();
    // Nobody waits for it, and a token that was revoked meanwhile stays revoked: the commit expects the revision seen.
    tokio::spawn(async move { ledger.commit(change).await.map(|_| ()) });
}

impl FromRequestParts<Admin> for Principal {
    type Rejection = Problem;

    /// The gate has recognised the request already where it stands before the handler.
    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Problem> {
        match parts.extensions.get::<Self>() {
            Some(principal) => Ok(principal.clone()),
            None => authenticate(admin, &parts.headers).await,
        }
    }
}

impl OptionalFromRequestParts<Admin> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Option<Self>, Problem> {
        match <Self as FromRequestParts<Admin>>::from_request_parts(parts, admin).await {
            Ok(principal) => Ok(Some(principal)),
            Err(problem) if problem.is(&codes::UNAUTHENTICATED) => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}
