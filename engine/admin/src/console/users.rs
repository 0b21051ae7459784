//! Users: who may come in, and as what.

use super::confirm::{Ask, confirm};
use super::context::{Ctx, role_in_words};
use super::form::{Choice, Form};
use super::lists;
use super::texts::Lang;
use super::visit::{Outcome, Posted, Visit, go};
use crate::access::{Grant, Operation, Role};
use crate::limits::PASSWORD_CHARS_MIN;
use crate::names::{AgencyName, UserName};
use crate::redacted::Redacted;
use crate::service::users::{self as service, NewUser, User, UserUpdate};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;

/// Roles that a form has room for beyond those that the user has.
const SLOTS_MORE: usize = 2;
/// Roles that a form has room for.
const SLOTS_MAX: usize = 32;

/// A user in the list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) disabled: bool,
    pub(crate) may_edit: bool,
}

/// All users.
#[derive(Template)]
#[template(path = "users.html")]
pub(crate) struct UsersPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) may_create: bool,
    pub(crate) next: Option<String>,
}

/// Room for one role.
pub(crate) struct Slot {
    pub(crate) role: String,
    pub(crate) role_label: String,
    pub(crate) agency: String,
    pub(crate) agency_label: String,
}

/// One user, or a new one.
#[derive(Template)]
#[template(path = "user.html")]
pub(crate) struct UserPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) action: String,
    pub(crate) form: Form,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) password_hint: String,
    pub(crate) langs: Vec<Choice>,
    pub(crate) roles: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) may_delete: bool,
}

impl Row {
    pub(crate) fn of(c: &Ctx, user: User) -> Self {
        Self {
            name: user.name.to_string(),
            full_name: user.full_name,
            roles: user.roles.iter().map(|grant| role_in_words(c.lang, grant)).collect(),
            disabled: user.disabled,
            may_edit: c.may(Operation::UserUpdate),
        }
    }
}

impl<'a> UserPage<'a> {
    /// `user`: the one that is changed, at its revision.
    pub(crate) fn of(c: &'a Ctx, user: Option<(&User, u64)>, form: Form, agencies: &[String]) -> Self {
        let (min, none) = (PASSWORD_CHARS_MIN.to_string(), c.t("form.none"));
        let hint = if user.is_some() { "user.password.keep" } else { "user.password.hint" };
        let taken = (0..SLOTS_MAX).take_while(|at| !form.value(&role_field(*at)).is_empty()).count();
        let mut roles = vec![Choice::new("", none)];
        roles.extend(Role::ALL.map(|role| Choice::new(role.as_str(), c.t(&format!("role.{}", role.as_str())))));
        Self {
            heading: user.map_or_else(|| c.t("user.new").to_owned(), |(user, _)| user.name.to_string()),
            action: user
                .map_or_else(|| "/console/users/new".to_owned(), |(user, _)| format!("/console/users/{}", user.name)),
            is_new: user.is_none(),
            revision: user.map_or(0, |(_, revision)| revision),
            password_hint: c.w(hint, [("min", min.as_str())]),
            langs: Lang::ALL.map(|lang| Choice::new(lang.tag(), lang.name())).to_vec(),
            roles,
            agencies: Choice::or(none, agencies),
            slots: (0..(taken + SLOTS_MORE).min(SLOTS_MAX)).map(|at| Slot::of(c, at)).collect(),
            may_delete: user.is_some() && c.may(Operation::UserDelete),
            form: known(form),
            c,
        }
    }
}

/// Every field has a value, so that the summary of what is wrong can lead to it.
fn known(form: Form) -> Form {
    ["name", "full_name", "password", "lang", "roles"].into_iter().fold(form, |form, field| form.or(field, ""))
}

impl Slot {
    fn of(c: &Ctx, at: usize) -> Self {
        let n = (at + 1).to_string();
        Self {
            role: role_field(at),
            role_label: c.w("user.role.slot", [("n", n.as_str())]),
            agency: agency_field(at),
            agency_label: c.w("user.agency.slot", [("n", n.as_str())]),
        }
    }
}

fn role_field(at: usize) -> String {
    format!("role_{at}")
}

fn agency_field(at: usize) -> String {
    format!("agency_{at}")
}

/// The form as the user is.
fn form_of(user: &User) -> Form {
    let mut form = Form::new("").with("full_name", user.full_name.as_str()).with("lang", user.lang.as_str());
    form = form.with("disabled", if user.disabled { "true" } else { "" });
    for (at, grant) in user.roles.iter().enumerate().take(SLOTS_MAX) {
        let agency = grant.agency.as_ref().map_or("", AgencyName::as_str);
        form = form.with(&role_field(at), grant.role.as_str()).with(&agency_field(at), agency);
    }
    form
}

/// The roles that a form names.
fn grants(c: &Ctx, form: &mut Form) -> Vec<Grant> {
    use crate::access::AgencyOfRole::{Needed, Refused};
    let mut grants = Vec::new();
    for at in 0..SLOTS_MAX {
        let word = form.text(&role_field(at));
        let Some(role) = Role::ALL.into_iter().find(|role| role.as_str() == word) else { continue };
        let field = agency_field(at);
        let agency = if form.text(&field).is_empty() { None } else { form.parsed::<AgencyName>(c.lang, &field) };
        let name = c.t(&format!("role.{}", role.as_str()));
        match (role.agency(), &agency) {
            (Needed, None) => form.blame(c.lang, &field, "role-agency", &[("role", name)]),
            (Refused, Some(_)) => form.blame(c.lang, &field, "role-no-agency", &[("role", name)]),
            _ => grants.push(Grant { role, agency }),
        }
    }
    grants
}

fn password(form: &Form) -> Option<Redacted> {
    let password = form.value("password");
    (!password.is_empty()).then(|| Redacted::new(password.to_owned()))
}

/// `GET /console/users`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let page = service::list(&visit.admin, &visit.me, &query.page()).await?;
    let rows = page.items.into_iter().map(|user| Row::of(&visit.c, user)).collect();
    let next = query.next("/console/users", page.next.as_deref());
    Ok(visit.page(&UsersPage { c: &visit.c, rows, may_create: visit.c.may(Operation::UserCreate), next }))
}

/// `GET /console/users/new`
pub(crate) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::UserCreate)?;
    let form = Form::new("").with("lang", visit.c.lang.tag());
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.page(&UserPage::of(&visit.c, None, form, &agencies)))
}

/// `POST /console/users/new`
pub(crate) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name = form.parsed::<UserName>(c.lang, "name");
    let roles = grants(c, &mut form);
    if let Some(name) = name.filter(|_| !form.has_wrong()) {
        let new = NewUser {
            name,
            full_name: form.text("full_name"),
            roles,
            disabled: false,
            lang: form.text("lang"),
            password: password(&form),
        };
        match service::create(&visit.admin, &visit.me, new).await {
            Ok(_) => return Ok(go("/console/users", Some("created"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&UserPage::of(c, None, form, &agencies)))
}

/// `GET /console/users/{name}`
pub(crate) async fn show(visit: Visit, Path(name): Path<String>) -> Outcome {
    let name: UserName = name.parse()?;
    let user = service::read(&visit.admin, &visit.me, &name).await?;
    visit.me.may(Operation::UserUpdate)?;
    let agencies = lists::agencies(&visit).await?;
    let form = form_of(&user.value);
    Ok(visit.page(&UserPage::of(&visit.c, Some((&user.value, user.revision)), form, &agencies)))
}

/// `POST /console/users/{name}`
pub(crate) async fn update(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name: UserName = name.parse()?;
    let roles = grants(c, &mut form);
    if !form.has_wrong() {
        let update = UserUpdate {
            name: None,
            full_name: form.text("full_name"),
            roles,
            disabled: form.checked("disabled"),
            lang: form.text("lang"),
            password: password(&form),
            has_password: None,
        };
        match service::update(&visit.admin, &visit.me, &name, update, form.revision()).await {
            Ok(_) => return Ok(go("/console/users", Some("saved"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let user = service::read(&visit.admin, &visit.me, &name).await?;
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&UserPage::of(c, Some((&user.value, user.revision)), form, &agencies)))
}

/// `GET /console/users/{name}/delete`
pub(crate) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: UserName = name.parse()?;
    let user = service::read(&visit.admin, &visit.me, &name).await?;
    let here = format!("/console/users/{name}");
    let ask = Ask::new(format!("{here}/delete"), &here)
        .title(visit.c.w("user.delete.title", [("name", name.as_str())]))
        .text(visit.c.t("user.delete.text"))
        .yes(visit.c.t("user.delete"))
        .hidden("revision", user.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/users/{name}/delete`
pub(crate) async fn delete(Path(name): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &name.parse()?, form.revision()).await?;
    Ok(go("/console/users", Some("deleted")))
}
