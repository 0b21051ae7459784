//! Guides: what operators say and ask, by topic.

use super::{Page, PageQuery, Revised, agencies, check_len, check_revision, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{GuideDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{GUIDE_CHARS_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, TopicName};
use crate::problem::Problem;
use crate::time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The guide that is shown where a topic has none of its own.
pub const DEFAULT_TOPIC: &str = "default";
/// Longest code of a wrap-up.
const CODE_CHARS_MAX: usize = 64;

/// What an operator says and asks on a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Guide {
    /// Whose callers.
    pub agency: String,
    /// What they are about; `default` for everything that has no guide of its own.
    pub topic: String,
    /// For the page.
    pub title: String,
    /// Plain text, paragraphs divided by empty lines.
    pub text: String,
    /// Codes that an operator may choose in the wrap-up; any where it is empty.
    pub wrap_up_codes: Vec<String>,
    /// RFC 3339.
    pub updated: String,
    /// By whom.
    pub updated_by: String,
}

/// What a guide is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuideBody {
    /// For the page.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub title: String,
    /// Plain text, paragraphs divided by empty lines.
    #[schema(max_length = 20000)]
    pub text: String,
    /// Codes that an operator may choose in the wrap-up; any where it is empty.
    #[serde(default)]
    pub wrap_up_codes: Vec<String>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub agency: Option<String>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only)]
    pub topic: Option<String>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only)]
    pub updated: Option<String>,
    /// Ignored.
    #[serde(default)]
    #[schema(read_only)]
    pub updated_by: Option<String>,
}

/// One page of guides, by agency and topic.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<Guide>, Problem> {
    let scope = who.may(Operation::GuidesList)?;
    let prefix = scope.narrow(agency)?.map(|only| format!("{only}/")).unwrap_or_default();
    let see = |kept: Kept<GuideDocument>| {
        let agency = kept.id.split('/').next().unwrap_or_default();
        scope.includes(agency).then(|| view(&kept.id, &kept.body))
    };
    page::of_documents(admin, kinds::GUIDE, &prefix, query, see).await
}

/// One guide.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    topic: &TopicName,
) -> Result<Revised<Guide>, Problem> {
    who.may_in(Operation::GuideRead, agency.as_str())?;
    let kept = kept(admin, agency, topic).await?.ok_or_else(|| Problem::not_found("guide", topic))?;
    Ok(Revised { value: view(&kept.id, &kept.body), revision: kept.revision })
}

/// Sets a guide, new or present.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `precondition-required`, `invalid-field`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    topic: &TopicName,
    body: GuideBody,
    seen: Option<u64>,
) -> Result<Revised<Guide>, Problem> {
    who.may_in(Operation::GuideSet, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    check_text("title", &body.title, TEXT_CHARS_MAX)?;
    check_text("text", &body.text, GUIDE_CHARS_MAX)?;
    check_len("wrap_up_codes", body.wrap_up_codes.len())?;
    for code in &body.wrap_up_codes {
        check_text("wrap_up_codes", code, CODE_CHARS_MAX)?;
        if code.trim().is_empty() {
            return Err(Problem::invalid("wrap_up_codes", "A code says something."));
        }
    }
    let before = kept(admin, agency, topic).await?.map_or(0, |kept| kept.revision);
    check_revision(seen, before)?;
    let document = GuideDocument {
        title: body.title,
        text: body.text,
        wrap_up_codes: body.wrap_up_codes,
        updated_ms: admin.now_ms(),
        updated_by: who.user.clone(),
    };
    let id = id(agency, topic);
    let details = serde_json::json!({ "title": document.title, "chars": document.text.chars().count() });
    let draft = with_details(who.audit("guide.set", format!("guide:{id}"), Some(agency.as_str())), details);
    let change = Change::new().expect(kinds::GUIDE, &id, before).put(kinds::GUIDE, &id, &document).audit(draft);
    let done = admin.ledger().commit(change).await?;
    Ok(Revised { value: view(&id, &document), revision: done.revision() })
}

/// Takes a guide away.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`.
pub async fn delete(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    topic: &TopicName,
    seen: Option<u64>,
) -> Result<(), Problem> {
    who.may_in(Operation::GuideDelete, agency.as_str())?;
    let before = kept(admin, agency, topic).await?.ok_or_else(|| Problem::not_found("guide", topic))?;
    super::check_revision_if_seen(seen, before.revision)?;
    let id = id(agency, topic);
    let draft = who.audit("guide.delete", format!("guide:{id}"), Some(agency.as_str()));
    let change = Change::new().expect(kinds::GUIDE, &id, before.revision).delete(kinds::GUIDE, &id).audit(draft);
    admin.ledger().commit(change).await.map(|_| ())
}

/// The guide for a call on a desk: of its topic, else the agency's default.
pub(crate) async fn for_desk(admin: &Admin, agency: &str, topic: &str) -> Result<Option<Guide>, Problem> {
    for topic in [topic, DEFAULT_TOPIC] {
        if topic.parse::<TopicName>().is_err() {
            continue;
        }
        let id = format!("{agency}/{topic}");
        if let Some(kept) = admin.ledger().get::<GuideDocument>(kinds::GUIDE, &id).await? {
            return Ok(Some(view(&kept.id, &kept.body)));
        }
    }
    Ok(None)
}

async fn kept(admin: &Admin, agency: &AgencyName, topic: &TopicName) -> Result<Option<Kept<GuideDocument>>, Problem> {
    admin.ledger().get(kinds::GUIDE, &id(agency, topic)).await
}

fn id(agency: &AgencyName, topic: &TopicName) -> String {
    format!("{agency}/{topic}")
}

fn view(id: &str, document: &GuideDocument) -> Guide {
    let (agency, topic) = id.split_once('/').unwrap_or((id, ""));
    Guide {
        agency: agency.to_owned(),
        topic: topic.to_owned(),
        title: document.title.clone(),
        text: document.text.clone(),
        wrap_up_codes: document.wrap_up_codes.clone(),
        updated: time::written(document.updated_ms),
        updated_by: document.updated_by.clone(),
    }
}
