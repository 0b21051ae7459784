//! Coming in by password: a token for programs, a session for the console.

use super::check_text;
use super::tokens::{Life, Wanted, make};
use crate::Admin;
use crate::access::{Grant, Operation};
use crate::auth::{Credential, Principal, Via, csrf, hash_of, new_cookie};
use crate::documents::{SessionDocument, UserDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{LOGIN_TOKEN_LIFE, SESSION_LIFE, TEXT_CHARS_MAX};
use crate::names::UserName;
use crate::problem::{Problem, codes};
use crate::redacted::{Redacted, show_once};
use crate::time;
use gudok_store::{AuditDraft, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    #[schema(max_length = 64)]
    pub user: String,
    /// The password.
    #[schema(value_type = String, format = Password, write_only, max_length = 256)]
    pub password: Redacted,
    /// What the token is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub label: Option<String>,
}

/// Who came in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoggedIn {
    /// `gdk_` and 43 characters, shown this once.
    #[serde(serialize_with = "show_once")]
    #[schema(value_type = String)]
    pub token: Redacted,
    /// RFC 3339; void from then on.
    pub expires: String,
    /// The user's name.
    pub user: String,
    /// What the user may be.
    pub roles: Vec<Grant>,
}

/// Who one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Me {
    /// The user's name.
    pub user: String,
    /// For people.
    pub full_name: String,
    /// What this token or session may be.
    pub roles: Vec<Grant>,
    /// The token's label; null for a session.
    pub token_label: Option<String>,
    /// The console's language.
    pub lang: String,
}

/// Where a log-in comes from.
#[derive(Clone, Debug)]
pub struct From {
    /// The address, as text.
    pub address: String,
    /// By which way.
    pub via: Via,
}

/// A session that began.
#[derive(Debug)]
pub struct NewSession {
    /// For [`csrf::set_cookie`].
    pub cookie: Redacted,
    /// It lives so long.
    pub life_s: u64,
    /// Who came in.
    pub principal: Principal,
}

/// A token for a password.
///
/// # Errors
/// `login-failed`, `rate-limited`, `busy`.
pub async fn log_in(admin: &Admin, from: &From, login: Login) -> Result<LoggedIn, Problem> {
    let label = login.label.unwrap_or_else(|| "log-in".to_owned());
    check_text("label", &label, TEXT_CHARS_MAX)?;
    let user = recognise(admin, from, &login.user, login.password).await?;
    let draft = draft(&user.id, from, "login");
    let life = Life { expires: None, default: LOGIN_TOKEN_LIFE };
    let wanted = Wanted { label, roles: None, life, by_login: true };
    let made = make(admin, &user.id, user.body.generation, wanted, draft).await?;
    Ok(LoggedIn { token: made.token, expires: made.facts.expires, user: user.id, roles: user.body.roles })
}

/// A session of the console for a password.
///
/// # Errors
/// `login-failed`, `rate-limited`, `busy`.
pub async fn open_session(admin: &Admin, from: &From, user: &str, password: Redacted) -> Result<NewSession, Problem> {
    let user = recognise(admin, from, user, password).await?;
    let cookie = new_cookie();
    let hash = hash_of(&cookie);
    let created_ms = admin.now_ms();
    let expires_ms = created_ms.saturating_add(time::ms(SESSION_LIFE));
    let body = SessionDocument { user: user.id.clone(), generation: user.body.generation, created_ms, expires_ms };
    let draft =
        with_details(draft(&user.id, from, "login"), serde_json::json!({ "session": true, "expires_ms": expires_ms }));
    let change = Change::new()
        .expect(kinds::SESSION, &hash, 0)
        .put_until(kinds::SESSION, &hash, &body, Some(UtcMs(expires_ms)))
        .audit(draft)
        .urgent();
    admin.ledger().commit(change).await?;
    let principal = Principal {
        user: user.id,
        full_name: user.body.full_name,
        roles: user.body.roles,
        via: Via::Console,
        credential: Credential::Session { hash, csrf: csrf::token_of(&cookie) },
        lang: user.body.lang,
    };
    Ok(NewSession { cookie, life_s: SESSION_LIFE.as_secs(), principal })
}

/// Who one is.
///
/// # Errors
/// `forbidden` for who has no role at all.
pub fn me(who: &Principal) -> Result<Me, Problem> {
    who.may(Operation::Me)?;
    let token_label = match &who.credential {
        Credential::Token { label, .. } => Some(label.clone()),
        Credential::Session { .. } => None,
    };
    Ok(Me {
        user: who.user.clone(),
        full_name: who.full_name.clone(),
        roles: who.roles.clone(),
        token_label,
        lang: who.lang.clone(),
    })
}

async fn recognise(admin: &Admin, from: &From, user: &str, password: Redacted) -> Result<Kept<UserDocument>, Problem> {
    // What cannot be a name is counted and hashed all the same: the answer and its time say nothing about who exists.
    let name = user.parse::<UserName>().ok();
    let known = name.as_ref().map_or("", UserName::as_str);
    admin.rates().login(known, &from.address)?;
    let kept: Option<Kept<UserDocument>> = match &name {
        Some(name) => admin.ledger().get(kinds::USER, name.as_str()).await?,
        None => None,
    };
    let hash = kept.as_ref().and_then(|kept| kept.body.password.clone());
    let right = admin.passwords().verify(password, hash).await?;
    match kept {
        Some(kept) if right && !kept.body.disabled => Ok(kept),
        kept => Err(failed(admin, from, kept.map(|kept| kept.id)).await),
    }
}

/// The attempt goes to the audit. A name that is nobody's does not: people type passwords into the wrong field.
async fn failed(admin: &Admin, from: &From, user: Option<String>) -> Problem {
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    let change = Change::new().audit(draft(&user, from, "login.failed"));
    if let Err(problem) = admin.ledger().commit(change).await {
        tracing::warn!(%problem, "a failed log-in could not be written to the audit");
    }
    Problem::new(&codes::LOGIN_FAILED, "The log-in was refused.")
}

fn draft(user: &str, from: &From, action: &str) -> AuditDraft {
    AuditDraft {
        actor: user.to_owned(),
        via: from.via.as_str().to_owned(),
        action: action.to_owned(),
        object: format!("user:{user}"),
        agency: None,
        details: serde_json::json!({ "address": from.address }),
    }
}
