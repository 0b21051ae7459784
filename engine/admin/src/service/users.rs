//! Users: who may come in, and as what.

use super::{Page, PageQuery, Revised, agencies, check_len, check_revision, check_text, page};
use crate::Admin;
use crate::access::{AgencyOfRole, Grant, Operation, Role};
use crate::auth::{FIRST_TOKEN_USER, Principal};
use crate::documents::{TokenDocument, UserDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{TEXT_CHARS_MAX, TOKENS_PER_USER_MAX, USERS_MAX};
use crate::names::UserName;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Names that the audit gives to what is no person.
const RESERVED: [&str; 5] = [FIRST_TOKEN_USER, "file", "engine", "api", "unknown"];

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// Unique; never changes.
    pub name: UserName,
    /// For people.
    pub full_name: String,
    /// What the user may be.
    pub roles: Vec<Grant>,
    /// May not come in.
    pub disabled: bool,
    /// The console's language: `ru` or `en`.
    pub lang: String,
    /// Whether the user can log in by password.
    pub has_password: bool,
}

/// A user to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Unique; never changes.
    pub name: UserName,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub full_name: String,
    /// What the user may be.
    #[serde(default)]
    pub roles: Vec<Grant>,
    /// May not come in.
    #[serde(default)]
    pub disabled: bool,
    /// The console's language: `ru` or `en`.
    #[serde(default = "russian")]
    #[schema(pattern = "^(ru|en)$")]
    pub lang: String,
    /// At least 8 characters. Without one the user comes in by tokens only.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only, min_length = 8, max_length = 256)]
    pub password: Option<Redacted>,
}

/// What a user becomes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// Where it is given, the name in the path.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<UserName>,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub full_name: String,
    /// What the user may be.
    pub roles: Vec<Grant>,
    /// May not come in.
    #[serde(default)]
    pub disabled: bool,
    /// The console's language: `ru` or `en`.
    #[serde(default = "russian")]
    #[schema(pattern = "^(ru|en)$")]
    pub lang: String,
    /// A new password: all tokens and sessions of the user are void then. The present one stays where this is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only, min_length = 8, max_length = 256)]
    pub password: Option<Redacted>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub has_password: Option<bool>,
}

fn russian() -> String {
    "ru".to_owned()
}

/// One page of users, by name.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(admin: &Admin, who: &Principal, query: &PageQuery) -> Result<Page<User>, Problem> {
    who.may(Operation::UsersList)?;
    page::of_documents(admin, kinds::USER, "", query, |kept: Kept<UserDocument>| view(&kept).ok()).await
}

/// One user.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, name: &UserName) -> Result<Revised<User>, Problem> {
    who.may(Operation::UserRead)?;
    let kept = kept(admin, name).await?;
    Ok(Revised { value: view(&kept)?, revision: kept.revision })
}

/// Makes a user. The first admin ends the first token.
///
/// # Errors
/// `forbidden`, `exists`, `invalid-field`, `unknown-reference`.
pub async fn create(admin: &Admin, who: &Principal, new: NewUser) -> Result<Revised<User>, Problem> {
    who.may(Operation::UserCreate)?;
    let name = new.name;
    if RESERVED.contains(&name.as_str()) {
        return Err(Problem::invalid("name", "The name is the engine's own.").remedy("Choose another name."));
    }
    check(admin, &new.full_name, &new.roles, &new.lang).await?;
    let password = hashed(admin, &name, new.password).await?;
    let body = UserDocument {
        full_name: new.full_name,
        roles: new.roles,
        disabled: new.disabled,
        lang: new.lang,
        password,
        generation: rand::random(),
    };
    let _turn = admin.turn().await;
    let users = admin.ledger().all::<UserDocument>(kinds::USER, "").await?;
    if users.iter().any(|user| user.id == name.as_str()) {
        return Err(Problem::new(&codes::EXISTS, format!("There is a user {name}.")).field("name"));
    }
    if users.len() >= USERS_MAX {
        return Err(Problem::new(
            &codes::CONFLICTING,
            format!("There are {USERS_MAX} users; there is no room for more."),
        ));
    }
    let draft = with_details(who.audit("user.create", object(&name), None), facts(&body));
    let mut change =
        Change::new().expect(kinds::USER, name.as_str(), 0).put(kinds::USER, name.as_str(), &body).audit(draft);
    let ends_first_token = is_admin(&body);
    if ends_first_token {
        for token in tokens_of(admin, FIRST_TOKEN_USER).await? {
            change = change.delete(kinds::TOKEN, &token.id);
        }
    }
    let done = admin.ledger().commit(change).await?;
    if ends_first_token {
        admin.remove_first_token_file();
    }
    let kept = Kept { id: name.to_string(), revision: done.revision(), body };
    Ok(Revised { value: view(&kept)?, revision: kept.revision })
}

/// Changes a user.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `precondition-required`, `last-admin`, `invalid-field`.
pub async fn update(
    admin: &Admin,
    who: &Principal,
    name: &UserName,
    update: UserUpdate,
    seen: Option<u64>,
) -> Result<Revised<User>, Problem> {
    who.may(Operation::UserUpdate)?;
    if update.name.is_some_and(|given| given != *name) {
        return Err(
            Problem::invalid("name", "A user's name never changes.").remedy("Make a new user, delete this one.")
        );
    }
    check(admin, &update.full_name, &update.roles, &update.lang).await?;
    let password = hashed(admin, name, update.password).await?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?;
    check_revision(seen, before.revision)?;
    let password_changed = password.is_some();
    let body = UserDocument {
        full_name: update.full_name,
        roles: update.roles,
        disabled: update.disabled,
        lang: update.lang,
        password: password.or(before.body.password.clone()),
        generation: if password_changed { rand::random() } else { before.body.generation },
    };
    if is_admin(&before.body) && !is_admin(&body) {
        another_admin(admin, name).await?;
    }
    let mut details = facts(&body);
    details["password_changed"] = password_changed.into();
    let draft = with_details(who.audit("user.update", object(name), None), details);
    let change = Change::new()
        .expect(kinds::USER, name.as_str(), before.revision)
        .put(kinds::USER, name.as_str(), &body)
        .audit(draft);
    // Shutting somebody out must work on a full disk too.
    let change = if body.disabled || password_changed { change.urgent() } else { change };
    let done = admin.ledger().commit(change).await?;
    let kept = Kept { id: name.to_string(), revision: done.revision(), body };
    Ok(Revised { value: view(&kept)?, revision: kept.revision })
}

/// Chooses the language that the console speaks with oneself.
///
/// # Errors
/// `forbidden`, `invalid-field`, `stale-revision` where an admin changes the same user at the same moment.
pub async fn choose_language(admin: &Admin, who: &Principal, lang: &str) -> Result<(), Problem> {
    who.may(Operation::Me)?;
    if !matches!(lang, "ru" | "en") {
        return Err(Problem::invalid("lang", "The console speaks ru and en."));
    }
    let name: UserName = who.user.parse()?;
    let Kept { revision, mut body, .. } = kept(admin, &name).await?;
    lang.clone_into(&mut body.lang);
    let draft = with_details(who.audit("user.update", object(&name), None), serde_json::json!({ "lang": lang }));
    let change =
        Change::new().expect(kinds::USER, name.as_str(), revision).put(kinds::USER, name.as_str(), &body).audit(draft);
    admin.ledger().commit(change).await.map(|_| ())
}

/// Whether there is nobody yet who could come in by password.
///
/// # Errors
/// Of the ledger.
pub async fn are_none(admin: &Admin) -> Result<bool, Problem> {
    let page = admin.ledger().page::<UserDocument>(kinds::USER, "", None, 1).await?;
    Ok(page.documents.is_empty())
}

/// Deletes a user, with all tokens.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `last-admin`.
pub async fn delete(admin: &Admin, who: &Principal, name: &UserName, seen: Option<u64>) -> Result<(), Problem> {
    who.may(Operation::UserDelete)?;
    let _turn = admin.turn().await;
    let before = kept(admin, name).await?;
    super::check_revision_if_seen(seen, before.revision)?;
    if is_admin(&before.body) {
        another_admin(admin, name).await?;
    }
    let draft = with_details(who.audit("user.delete", object(name), None), facts(&before.body));
    let mut change = Change::new()
        .expect(kinds::USER, name.as_str(), before.revision)
        .delete(kinds::USER, name.as_str())
        .audit(draft)
        .urgent();
    for token in tokens_of(admin, name.as_str()).await?.iter().take(TOKENS_PER_USER_MAX) {
        change = change.delete(kinds::TOKEN, &token.id);
    }
    admin.ledger().commit(change).await.map(|_| ())
}

async fn kept(admin: &Admin, name: &UserName) -> Result<Kept<UserDocument>, Problem> {
    let kept = admin.ledger().get(kinds::USER, name.as_str()).await?;
    kept.ok_or_else(|| Problem::not_found("user", name))
}

pub(crate) async fn tokens_of(admin: &Admin, user: &str) -> Result<Vec<Kept<TokenDocument>>, Problem> {
    let all = admin.ledger().all::<TokenDocument>(kinds::TOKEN, "").await?;
    Ok(all.into_iter().filter(|token| token.body.user == user).collect())
}

fn view(kept: &Kept<UserDocument>) -> Result<User, Problem> {
    Ok(User {
        name: kept.id.parse()?,
        full_name: kept.body.full_name.clone(),
        roles: kept.body.roles.clone(),
        disabled: kept.body.disabled,
        lang: kept.body.lang.clone(),
        has_password: kept.body.password.is_some(),
    })
}

fn object(name: &UserName) -> String {
    format!("user:{name}")
}

fn facts(user: &UserDocument) -> serde_json::Value {
    serde_json::json!({ "roles": user.roles, "disabled": user.disabled })
}

fn is_admin(user: &UserDocument) -> bool {
    !user.disabled && user.roles.iter().any(|grant| grant.role == Role::Admin)
}

async fn another_admin(admin: &Admin, than: &UserName) -> Result<(), Problem> {
    let users = admin.ledger().all::<UserDocument>(kinds::USER, "").await?;
    if users.iter().any(|user| user.id != than.as_str() && is_admin(&user.body)) {
        return Ok(());
    }
    Err(Problem::new(&codes::LAST_ADMIN, format!("{than} is the only enabled admin.")))
}

async fn hashed(admin: &Admin, name: &UserName, password: Option<Redacted>) -> Result<Option<String>, Problem> {
    let Some(password) = password else { return Ok(None) };
    crate::auth::check_password(&password, name)?;
    admin.passwords().hash(password).await.map(Some)
}

async fn check(admin: &Admin, full_name: &str, roles: &[Grant], lang: &str) -> Result<(), Problem> {
    check_text("full_name", full_name, TEXT_CHARS_MAX)?;
    if !matches!(lang, "ru" | "en") {
        return Err(Problem::invalid("lang", "The console speaks ru and en."));
    }
    check_grants(admin, roles).await
}

/// Grants that make sense: an agency where the role needs one, and one that exists.
pub(crate) async fn check_grants(admin: &Admin, roles: &[Grant]) -> Result<(), Problem> {
    check_len("roles", roles.len())?;
    for (at, grant) in roles.iter().enumerate() {
        let (field, role) = (format!("roles[{at}].agency"), grant.role.as_str());
        match (grant.role.agency(), &grant.agency) {
            (AgencyOfRole::Needed, None) => {
                return Err(Problem::invalid(field, format!("The role {role} is of one agency; name it.")));
            }
            (AgencyOfRole::Refused, Some(_)) => {
                return Err(Problem::invalid(
                    field,
                    format!("The role {role} reaches all agencies; leave agency out."),
                ));
            }
            (_, Some(agency)) if !agencies::exists(admin, agency).await? => {
                let problem = Problem::new(&codes::UNKNOWN_REFERENCE, "There is no such agency.");
                return Err(problem.field(field));
            }
            _ => {}
        }
    }
    Ok(())
}
