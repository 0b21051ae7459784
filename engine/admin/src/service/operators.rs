//! Operators: those of the file and those that admins made, what each is doing, and orders to them.

mod phone;
mod sight;

pub(crate) use sight::Sight;

use super::commit::Routed;
use super::{Page, PageQuery, Revised, Source, check_len, check_revision, check_text, managed_by_file, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{OperatorDocument, PhoneDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{SKILL_LEVEL_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, OperatorName, QueueName, SkillName, TrunkName};
use crate::ports::OperatorRow;
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use gudok_core::centre::{LogoutReason, OperatorOrder, PauseReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Words that operators may give for a pause where nobody has said others.
pub const PAUSE_REASONS: [&str; 5] = ["break", "lunch", "meeting", "training", "technical"];

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Operator {
    /// The login; the user of that name sits at this desk. Never changes.
    pub name: String,
    /// As colleagues see it.
    pub shown_name: String,
    /// Where the telephone is; null: the file says it.
    pub phone: Option<Phone>,
    /// Queues that this operator serves.
    pub queues: Vec<String>,
    /// Levels from 1, by skill.
    pub skills: BTreeMap<String, u8>,
    /// Ready from the start without a login.
    pub always_ready: bool,
    /// Who says so.
    pub source: Source,
    /// What the operator is doing; null where the engine does not know the operator yet.
    pub now: Option<OperatorRow>,
}

/// Where an operator's telephone is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Phone {
    /// `registers` or `fixed`.
    pub kind: String,
    /// Of a registering one: it has a password, good in the present realm.
    pub has_password: bool,
    /// Of a fixed one: by which trunk.
    pub trunk: Option<String>,
    /// Of a fixed one: the user part there.
    pub address: Option<String>,
}

/// What an operator is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorBody {
    /// The login of the user who sits at this desk. In a change it may be left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<OperatorName>,
    /// As colleagues see it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub shown_name: String,
    /// Where the telephone is; it registers where this is missing.
    #[serde(default)]
    pub phone: Option<PhoneBody>,
    /// Of a registering telephone: its password, at least 12 characters. The present one stays where this is missing.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only, min_length = 12, max_length = 128)]
    pub phone_password: Option<Redacted>,
    /// Queues of the configuration's file.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub queues: Vec<QueueName>,
    /// Levels from 1 to 10, by skill.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, u8>)]
    pub skills: BTreeMap<SkillName, u8>,
    /// Ready from the start without a login.
    #[serde(default)]
    pub always_ready: bool,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub source: Option<Source>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only, value_type = Option<Object>)]
    pub now: Option<serde_json::Value>,
}

/// Where an operator's telephone is to be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneBody {
    /// Where it is.
    pub kind: PhoneKind,
    /// Of a fixed one: a trunk of the configuration's file.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub trunk: Option<TrunkName>,
    /// Of a fixed one: the user part there.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub address: Option<String>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub has_password: Option<bool>,
}

/// How a telephone is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneKind {
    /// It registers under the operator's name.
    #[default]
    Registers,
    /// It is at a fixed address.
    Fixed,
}

/// What an operator is to do.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateBody {
    /// Ready also logs in.
    pub state: StateWord,
    /// Of an own pause: why.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub reason: Option<String>,
}

/// What an operator is to do, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateWord {
    /// To be rung.
    Ready,
    /// Not to be rung.
    Pause,
    /// At work no more.
    LoggedOut,
}

/// One page of operators with what they are doing, by name.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<OperatorRow>, Problem> {
    let scope = who.may(Operation::OperatorsList)?;
    let only = scope.narrow(agency)?;
    let seen = Sight::of(admin, who, scope).await?;
    let mut rows = admin.engine().operators().await;
    rows.retain(|row| seen.sees(row) && only.as_deref().is_none_or(|only| seen.belongs(row, only)));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    page::of_sorted("operators", rows, query, |row| row.name.clone())
}

/// One operator.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, name: &OperatorName) -> Result<Revised<Operator>, Problem> {
    let scope = who.may(Operation::OperatorRead)?;
    let now = row(admin, name).await;
    let seen = Sight::of(admin, who, scope).await?;
    let known = now.clone().unwrap_or_else(|| OperatorRow { name: name.to_string(), ..OperatorRow::default() });
    if !seen.sees(&known) {
        return Err(Problem::not_found("operator", name));
    }
    if in_file(admin, name) {
        let now = now.ok_or_else(|| Problem::not_found("operator", name))?;
        return Ok(Revised { value: of_file(now), revision: 0 });
    }
    let kept = of_api(admin, name).await?;
    Ok(Revised { value: view(admin, &kept.id, kept.body, now), revision: kept.revision })
}

/// Makes an operator.
///
/// # Errors
/// `forbidden`, `exists`, `invalid-field`, `unknown-reference`; the engine's refusal.
pub async fn create(admin: &Admin, who: &Principal, body: OperatorBody) -> Result<Revised<Operator>, Problem> {
    who.may(Operation::OperatorCreate)?;
    let name = body.name.clone().ok_or_else(|| Problem::invalid("name", "An operator needs a name."))?;
    let document = checked(admin, &name, body, None)?;
    let _turn = admin.turn().await;
    if in_file(admin, &name) || kept(admin, &name).await?.is_some() {
        return Err(Problem::new(&codes::EXISTS, format!("There is an operator {name}.")).field("name"));
    }
    put(admin, who, &name, None, document, "operator.create").await
}

/// Changes an operator. A talk goes on under the old settings.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`, `precondition-required`, `unknown-reference`.
pub async fn update(
    admin: &Admin,
    who: &Principal,
    name: &OperatorName,
    body: OperatorBody,
    seen: Option<u64>,
) -> Result<Revised<Operator>, Problem> {
    who.may(Operation::OperatorUpdate)?;
    if body.name.as_ref().is_some_and(|given| given != name) {
        return Err(Problem::invalid("name", "An operator's name never changes."));
    }
    let _turn = admin.turn().await;
    let before = changeable(admin, name).await?;
    check_revision(seen, before.revision)?;
    let document = checked(admin, name, body, Some(&before.body))?;
    put(admin, who, name, Some((before.body, before.revision)), document, "operator.update").await
}

/// Deletes an operator; the user stays.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`.
pub async fn delete(admin: &Admin, who: &Principal, name: &OperatorName, seen: Option<u64>) -> Result<(), Problem> {
    who.may(Operation::OperatorDelete)?;
    let _turn = admin.turn().await;
    let before = changeable(admin, name).await?;
    super::check_revision_if_seen(seen, before.revision)?;
    let change = Routed {
        kind: kinds::OPERATOR,
        id: name.as_str(),
        before: Some((before.body, before.revision)),
        after: None,
        expires_ms: None,
        audit: who.audit("operator.delete", object(name), None),
        urgent: true,
    };
    change.commit(admin).await.map(|_| ())
}

/// Says what an operator is to do: a supervisor for one of the own agency, or the operator for oneself.
///
/// # Errors
/// `forbidden`, `not-found`, `invalid-field`; the engine's refusal.
pub async fn order(
    admin: &Admin,
    who: &Principal,
    name: &OperatorName,
    body: StateBody,
) -> Result<OperatorRow, Problem> {
    let scope = who.may(Operation::OperatorState)?;
    let row = row(admin, name).await.ok_or_else(|| Problem::not_found("operator", name))?;
    if !Sight::of(admin, who, scope).await?.sees(&row) {
        return Err(Problem::not_found("operator", name));
    }
    let own = name.as_str() == who.user;
    let order = match body.state {
        StateWord::Ready if row.state == "logged-out" => OperatorOrder::LogIn,
        StateWord::Ready => OperatorOrder::Ready,
        StateWord::Pause if own => OperatorOrder::Pause(own_reason(body.reason.as_deref())?),
        StateWord::Pause => OperatorOrder::Pause(PauseReason::Supervisor),
        StateWord::LoggedOut if own => OperatorOrder::LogOut(LogoutReason::Own),
        StateWord::LoggedOut => OperatorOrder::LogOut(LogoutReason::Supervisor),
    };
    tell(admin, who, name, order, "operator.state").await
}

/// An own pause's word.
pub(crate) fn own_reason(reason: Option<&str>) -> Result<PauseReason, Problem> {
    const CHARS_MAX: usize = 64;
    let word = reason.unwrap_or("break").trim();
    if word.is_empty() || matches!(word, "missed" | "unreachable" | "supervisor") {
        let problem = Problem::invalid("reason", "It is a word of the engine's own, or none.");
        return Err(problem.remedy(format!("Say {}.", PAUSE_REASONS.join(", "))));
    }
    check_text("reason", word, CHARS_MAX)?;
    Ok(PauseReason::Own(word.into()))
}

/// Gives an order. The audit first: an order that cannot be written down is not given.
pub(crate) async fn tell(
    admin: &Admin,
    who: &Principal,
    name: &OperatorName,
    order: OperatorOrder,
    action: &str,
) -> Result<OperatorRow, Problem> {
    let details = match &order {
        OperatorOrder::LogIn => serde_json::json!({ "state": "logged-in" }),
        OperatorOrder::Ready => serde_json::json!({ "state": "ready" }),
        OperatorOrder::Pause(reason) => serde_json::json!({ "state": "pause", "reason": word(reason) }),
        OperatorOrder::LogOut(_) => serde_json::json!({ "state": "logged-out" }),
        OperatorOrder::Reachable(reachable) => serde_json::json!({ "reachable": reachable }),
    };
    let draft = with_details(who.audit(action, object(name), None), details);
    admin.ledger().commit(Change::new().audit(draft).urgent()).await?;
    Ok(admin.engine().operator_order(who.actor(), core(name), order).await?)
}

fn word(reason: &PauseReason) -> &str {
    match reason {
        PauseReason::Own(word) => word,
        PauseReason::Missed => "missed",
        PauseReason::Unreachable => "unreachable",
        PauseReason::Supervisor => "supervisor",
    }
}

pub(crate) fn core(name: &OperatorName) -> gudok_core::ids::Operator {
    gudok_core::ids::Operator::new(name.as_str())
}

/// What the engine says of one operator.
pub(crate) async fn row(admin: &Admin, name: &OperatorName) -> Option<OperatorRow> {
    admin.engine().operators().await.into_iter().find(|row| row.name == name.as_str())
}

async fn put(
    admin: &Admin,
    who: &Principal,
    name: &OperatorName,
    before: Option<(OperatorDocument, u64)>,
    after: OperatorDocument,
    action: &str,
) -> Result<Revised<Operator>, Problem> {
    let secret = |document: &OperatorDocument| match &document.phone {
        PhoneDocument::Registers { secret } => secret.clone(),
        PhoneDocument::Fixed { .. } => None,
    };
    let password_changed = before.as_ref().and_then(|(before, _)| secret(before)) != secret(&after);
    let details = serde_json::json!({
        "shown_name": after.shown_name, "queues": after.queues, "skills": after.skills,
        "always_ready": after.always_ready, "phone_password_changed": password_changed,
    });
    let audit = with_details(who.audit(action, object(name), None), details);
    let change = Routed {
        kind: kinds::OPERATOR,
        id: name.as_str(),
        before,
        after: Some(after.clone()),
        expires_ms: None,
        audit,
        urgent: false,
    };
    let revision = change.commit(admin).await?;
    let now = row(admin, name).await;
    Ok(Revised { value: view(admin, name.as_str(), after, now), revision })
}

async fn kept(admin: &Admin, name: &OperatorName) -> Result<Option<Kept<OperatorDocument>>, Problem> {
    admin.ledger().get(kinds::OPERATOR, name.as_str()).await
}

async fn of_api(admin: &Admin, name: &OperatorName) -> Result<Kept<OperatorDocument>, Problem> {
    kept(admin, name).await?.ok_or_else(|| Problem::not_found("operator", name))
}

async fn changeable(admin: &Admin, name: &OperatorName) -> Result<Kept<OperatorDocument>, Problem> {
    if in_file(admin, name) {
        return Err(managed_by_file("The operator", name.as_str()));
    }
    of_api(admin, name).await
}

fn in_file(admin: &Admin, name: &OperatorName) -> bool {
    admin.engine().file().operators.iter().any(|known| known == name.as_str())
}

fn checked(
    admin: &Admin,
    name: &OperatorName,
    body: OperatorBody,
    before: Option<&OperatorDocument>,
) -> Result<OperatorDocument, Problem> {
    check_text("shown_name", &body.shown_name, TEXT_CHARS_MAX)?;
    check_len("queues", body.queues.len())?;
    check_len("skills", body.skills.len())?;
    let file = admin.engine().file();
    let unknown = |field: &str, what: &str| {
        Problem::new(&codes::UNKNOWN_REFERENCE, format!("The configuration's file has no such {what}.")).field(field)
    };
    if body.queues.iter().any(|queue| !file.queues.iter().any(|known| known == queue.as_str())) {
        return Err(unknown("queues", "queue"));
    }
    if body.skills.values().any(|level| !(1..=SKILL_LEVEL_MAX).contains(level)) {
        return Err(Problem::invalid("skills", format!("A level is 1 to {SKILL_LEVEL_MAX}.")));
    }
    let phone = body.phone.unwrap_or_default();
    let phone = match (phone.kind, phone.trunk, phone.address) {
        (PhoneKind::Registers, None, None) => {
            PhoneDocument::Registers { secret: phone::secret(admin, name, body.phone_password, before)? }
        }
        (PhoneKind::Registers, ..) => {
            return Err(Problem::invalid("phone", "A telephone that registers has neither trunk nor address."));
        }
        (PhoneKind::Fixed, Some(trunk), Some(address)) => {
            if !file.trunks.iter().any(|known| known == trunk.as_str()) {
                return Err(unknown("phone.trunk", "trunk"));
            }
            phone::check_address(&address)?;
            PhoneDocument::Fixed { trunk, address }
        }
        (PhoneKind::Fixed, ..) => {
            return Err(Problem::invalid("phone", "A telephone at a fixed address has trunk and address."));
        }
    };
    let OperatorBody { shown_name, queues, skills, always_ready, .. } = body;
    Ok(OperatorDocument { shown_name, phone, queues, skills, always_ready })
}

fn view(admin: &Admin, name: &str, document: OperatorDocument, now: Option<OperatorRow>) -> Operator {
    let phone = match document.phone {
        PhoneDocument::Registers { secret } => {
            let realm = admin.engine().registrar_realm();
            let has_password = secret.is_some_and(|secret| Some(secret.realm) == realm);
            Phone { kind: "registers".to_owned(), has_password, trunk: None, address: None }
        }
        PhoneDocument::Fixed { trunk, address } => Phone {
            kind: "fixed".to_owned(),
            has_password: false,
            trunk: Some(trunk.to_string()),
            address: Some(address),
        },
    };
    Operator {
        name: name.to_owned(),
        shown_name: document.shown_name,
        phone: Some(phone),
        queues: document.queues.iter().map(ToString::to_string).collect(),
        skills: document.skills.iter().map(|(skill, level)| (skill.to_string(), *level)).collect(),
        always_ready: document.always_ready,
        source: Source::Api,
        now,
    }
}

fn of_file(now: OperatorRow) -> Operator {
    Operator {
        name: now.name.clone(),
        shown_name: now.shown_name.clone(),
        phone: None,
        queues: now.queues.clone(),
        skills: now.skills.clone(),
        always_ready: false,
        source: Source::File,
        now: Some(now),
    }
}

fn object(name: &OperatorName) -> String {
    format!("operator:{name}")
}
