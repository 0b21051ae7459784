//! Tokens: how programs come in. A token is shown once, when it is made; its hash is what is kept.

use super::users::{check_grants, tokens_of};
use super::{Page, PageQuery, check_text, page};
use crate::Admin;
use crate::access::{Grant, Operation, Scope};
use crate::auth::{Credential, FIRST_TOKEN_USER, Principal, covers, hash_of, new_token};
use crate::documents::{TokenDocument, UserDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{
    LOGIN_TOKENS_PER_USER_MAX, TEXT_CHARS_MAX, TOKEN_LIFE_DEFAULT, TOKEN_LIFE_MAX, TOKENS_PER_USER_MAX,
};
use crate::names::{TokenName, UserName};
use crate::problem::{Problem, codes};
use crate::redacted::{Redacted, show_once};
use crate::time;
use gudok_store::UtcMs;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// So much of its hash names a token.
const ID_CHARS: usize = 16;

/// A token, without what makes it one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Token {
    /// Names it, and does not open anything.
    pub id: TokenName,
    /// What its maker called it.
    pub label: String,
    /// Whose.
    pub user: String,
    /// Less than the user's roles, where it is said; null: all that the user has.
    pub roles: Option<Vec<Grant>>,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339; void from then on.
    pub expires: String,
    /// RFC 3339, to the hour; null: never.
    pub last_used: Option<String>,
}

/// A token to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// For people: where it will be used.
    #[schema(max_length = 500)]
    pub label: String,
    /// For another user; admins only. One's own where it is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserName>,
    /// Less than the user's roles.
    #[serde(default)]
    pub roles: Option<Vec<Grant>>,
    /// RFC 3339; at most 366 days from now, 90 where it is missing.
    #[serde(default)]
    pub expires: Option<String>,
}

/// A token that was made: the only time that it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// `gdk_` and 43 characters. It is kept nowhere: write it down now.
    #[serde(serialize_with = "show_once")]
    #[schema(value_type = String)]
    pub token: Redacted,
    /// What it is.
    #[serde(flatten)]
    pub facts: Token,
}

/// One page of tokens: one's own, or everybody's.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<Token>, Problem> {
    let scope = who.may(Operation::TokensList)?;
    let see = |kept: Kept<TokenDocument>| {
        let visible = scope == Scope::Everything || kept.body.user == who.user;
        visible.then(|| view(&kept).ok()).flatten()
    };
    page::of_documents(admin, kinds::TOKEN, "", query, see).await
}

/// Makes a token.
///
/// # Errors
/// `forbidden`, `unknown-reference`, `invalid-field`.
pub async fn create(admin: &Admin, who: &Principal, new: NewToken) -> Result<MadeToken, Problem> {
    let scope = who.may(Operation::TokenCreate)?;
    check_text("label", &new.label, TEXT_CHARS_MAX)?;
    let user = new.user.as_ref().map_or(who.user.as_str(), UserName::as_str);
    if user != who.user && scope != Scope::Everything {
        return Err(Problem::new(&codes::FORBIDDEN, "Only admins make tokens for others.").field("user"));
    }
    if user == FIRST_TOKEN_USER {
        let problem = Problem::invalid("user", "The first token makes no tokens for itself.");
        return Err(problem.remedy("Make the first admin with POST /api/v1/users, and name that user here."));
    }
    let kept: Option<Kept<UserDocument>> = admin.ledger().get(kinds::USER, user).await?;
    let kept = kept.ok_or_else(|| Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such user.").field("user"))?;
    let roles = roles_of(admin, who, user, &kept.body, new.roles).await?;
    let life = Life { expires: new.expires, default: TOKEN_LIFE_DEFAULT };
    let draft = who.audit("token.create", String::new(), None);
    let wanted = Wanted { label: new.label, roles, life, by_login: false };
    make(admin, user, kept.body.generation, wanted, draft).await
}

/// What a token may: never more than its user, and never more than the token that made it.
async fn roles_of(
    admin: &Admin,
    who: &Principal,
    user: &str,
    document: &UserDocument,
    wanted: Option<Vec<Grant>>,
) -> Result<Option<Vec<Grant>>, Problem> {
    let own = user == who.user;
    let limit = if own { &who.roles } else { &document.roles };
    let Some(wanted) = wanted else {
        return Ok((own && who.roles != document.roles).then(|| who.roles.clone()));
    };
    check_grants(admin, &wanted).await?;
    if let Some(at) = wanted.iter().position(|grant| !covers(limit, grant)) {
        let problem = Problem::invalid(format!("roles[{at}]"), "A token may not do more than its user and its maker.");
        return Err(problem.remedy("Leave the role out, or give it to the user first."));
    }
    Ok(Some(wanted))
}

/// A token that is wanted.
pub(super) struct Wanted {
    pub(super) label: String,
    pub(super) roles: Option<Vec<Grant>>,
    pub(super) life: Life,
    /// A log-in makes it.
    pub(super) by_login: bool,
}

/// How long it lives.
pub(super) struct Life {
    pub(super) expires: Option<String>,
    pub(super) default: Duration,
}

/// Makes it, with its entry in the audit.
pub(super) async fn make(
    admin: &Admin,
    user: &str,
    generation: u64,
    wanted: Wanted,
    mut draft: gudok_store::AuditDraft,
) -> Result<MadeToken, Problem> {
    let created_ms = admin.now_ms();
    let expires_ms = match time::read_some("expires", wanted.life.expires.as_deref())? {
        None => created_ms.saturating_add(time::ms(wanted.life.default)),
        Some(at) if at > created_ms && at <= created_ms.saturating_add(time::ms(TOKEN_LIFE_MAX)) => at,
        Some(_) => {
            let days = TOKEN_LIFE_MAX.as_secs() / 86_400;
            return Err(Problem::invalid("expires", format!("A token ends in the future, within {days} days.")));
        }
    };
    let ended = make_room(admin, user, wanted.by_login).await?;
    let token = new_token();
    let hash = hash_of(&token);
    let body = TokenDocument {
        label: wanted.label,
        user: user.to_owned(),
        roles: wanted.roles,
        generation,
        by_login: wanted.by_login,
        created_ms,
        expires_ms,
        last_used_ms: None,
    };
    let details = serde_json::json!({
        "token": &hash[..ID_CHARS], "user": user, "label": body.label, "roles": body.roles, "expires_ms": expires_ms,
        "ended": ended.iter().map(|id| &id[..ID_CHARS]).collect::<Vec<_>>(),
    });
    if draft.object.is_empty() {
        draft.object = format!("token:{}", &hash[..ID_CHARS]);
    }
    let draft = with_details(draft, details);
    // An admin must be able to come in and help when the disk is full.
    let change = Change::new()
        .expect(kinds::TOKEN, &hash, 0)
        .put_until(kinds::TOKEN, &hash, &body, Some(UtcMs(expires_ms)))
        .audit(draft)
        .urgent();
    let change = ended.iter().fold(change, |change, id| change.delete(kinds::TOKEN, id));
    let done = admin.ledger().commit(change).await?;
    let facts = view(&Kept { id: hash, revision: done.revision(), body })?;
    Ok(MadeToken { token, facts })
}

/// Who logs in often is not locked out by old log-ins; who makes tokens is told that there are too many.
async fn make_room(admin: &Admin, user: &str, by_login: bool) -> Result<Vec<String>, Problem> {
    let mut tokens = tokens_of(admin, user).await?;
    tokens.retain(|token| token.body.by_login == by_login);
    if !by_login && tokens.len() >= TOKENS_PER_USER_MAX {
        let problem = Problem::new(&codes::CONFLICTING, format!("{user} has {TOKENS_PER_USER_MAX} tokens."));
        return Err(problem.remedy("Revoke those that nobody uses."));
    }
    let too_many = if by_login { (tokens.len() + 1).saturating_sub(LOGIN_TOKENS_PER_USER_MAX) } else { 0 };
    tokens.sort_by_key(|token| (token.body.created_ms, token.revision));
    Ok(tokens.into_iter().take(too_many).map(|token| token.id).collect())
}

/// Revokes a token.
///
/// # Errors
/// `not-found`.
pub async fn revoke(admin: &Admin, who: &Principal, id: &TokenName) -> Result<(), Problem> {
    let scope = who.may(Operation::TokenRevoke)?;
    let found = admin.ledger().all::<TokenDocument>(kinds::TOKEN, id.as_str()).await?;
    let token = found.into_iter().find(|token| scope == Scope::Everything || token.body.user == who.user);
    let token = token.ok_or_else(|| Problem::not_found("token", id))?;
    revoke_kept(admin, who, &token).await
}

/// Revokes the credential that the request came with.
///
/// # Errors
/// Of the ledger.
pub async fn revoke_own(admin: &Admin, who: &Principal) -> Result<(), Problem> {
    who.may(Operation::Logout)?;
    match &who.credential {
        Credential::Session { hash, .. } => {
            let draft = who.audit("logout", format!("user:{}", who.user), None);
            let change = Change::new().delete(kinds::SESSION, hash).audit(draft).urgent();
            admin.ledger().commit(change).await.map(|_| ())
        }
        Credential::Token { hash, .. } => {
            let kept = admin.ledger().get(kinds::TOKEN, hash).await?;
            match kept {
                Some(kept) => revoke_kept(admin, who, &kept).await,
                None => Ok(()),
            }
        }
    }
}

async fn revoke_kept(admin: &Admin, who: &Principal, token: &Kept<TokenDocument>) -> Result<(), Problem> {
    let draft = who.audit("token.revoke", format!("token:{}", &token.id[..ID_CHARS]), None);
    let draft = with_details(draft, serde_json::json!({ "user": token.body.user, "label": token.body.label }));
    let change = Change::new().delete(kinds::TOKEN, &token.id).audit(draft).urgent();
    admin.ledger().commit(change).await.map(|_| ())
}

fn view(kept: &Kept<TokenDocument>) -> Result<Token, Problem> {
    let id = kept.id.get(..ID_CHARS).unwrap_or_default().parse()?;
    Ok(Token {
        id,
        label: kept.body.label.clone(),
        user: kept.body.user.clone(),
        roles: kept.body.roles.clone(),
        created: time::written(kept.body.created_ms),
        expires: time::written(kept.body.expires_ms),
        last_used: kept.body.last_used_ms.map(time::written),
    })
}
