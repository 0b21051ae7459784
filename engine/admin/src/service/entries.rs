//! Entries: what an entry's script is given besides its grants. Secrets are named by where they lie, never by value.

use super::{Revised, Source, agencies, check_len, check_revision, commit::Routed, managed_by_file};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{EntryDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::limits::CONFIG_VALUE_CHARS_MAX;
use crate::names::{AgencyName, EntryName};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const SECRET_PATH_CHARS_MAX: usize = 1_024;
const KEY_CHARS_MAX: usize = 128;

/// What an entry's script is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntrySettings {
    /// Over the manifest's defaults.
    pub config: BTreeMap<String, String>,
    /// Where each secret lies: `env:NAME` or `file:PATH`.
    pub secrets: BTreeMap<String, String>,
    /// Who says so.
    pub source: Source,
}

/// What an entry's script is to be given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryBody {
    /// Over the manifest's defaults. Not for secrets.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Where each secret lies: `env:NAME` or `file:PATH`. Never the secret itself.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Ignored: what a GET shows may be sent back.
    #[serde(default)]
    #[schema(read_only)]
    pub source: Option<Source>,
}

/// One entry's.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
) -> Result<Revised<EntrySettings>, Problem> {
    who.may_in(Operation::EntryRead, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    let kept = kept(admin, agency, entry).await?;
    let source = if in_file(admin, agency, entry) { Source::File } else { Source::Api };
    let (body, revision) = kept.map_or_else(|| (EntryDocument::default(), 0), |kept| (kept.body, kept.revision));
    Ok(Revised { value: view(body, source), revision })
}

/// Sets one entry's. New calls get it.
///
/// # Errors
/// `forbidden`, `not-found`, `managed-by-file`, `stale-revision`, `precondition-required`, `invalid-field`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    entry: &EntryName,
    body: EntryBody,
    seen: Option<u64>,
) -> Result<Revised<EntrySettings>, Problem> {
    who.may_in(Operation::EntrySet, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    if in_file(admin, agency, entry) {
        return Err(managed_by_file("The entry", &document(agency, entry)));
    }
    check(&body)?;
    let _turn = admin.turn().await;
    let before = kept(admin, agency, entry).await?;
    check_revision(seen, before.as_ref().map_or(0, |kept| kept.revision))?;
    let after = EntryDocument { config: body.config, secrets: body.secrets };
    let id = document(agency, entry);
    // Names only: a configured value may be an address that is nobody's business, and a secret's place too.
    let details = serde_json::json!({
        "config": after.config.keys().collect::<Vec<_>>(), "secrets": after.secrets.keys().collect::<Vec<_>>(),
    });
    let audit = with_details(who.audit("entry.set", format!("entry:{id}"), Some(agency.as_str())), details);
    let value = view(after.clone(), Source::Api);
    let before = before.map(|kept| (kept.body, kept.revision));
    let (kind, id) = (kinds::ENTRY, id.as_str());
    let change = Routed { kind, id, before, after: Some(after), expires_ms: None, audit, urgent: false };
    Ok(Revised { value, revision: change.commit(admin).await? })
}

async fn kept(admin: &Admin, agency: &AgencyName, entry: &EntryName) -> Result<Option<Kept<EntryDocument>>, Problem> {
    admin.ledger().get(kinds::ENTRY, &document(agency, entry)).await
}

fn document(agency: &AgencyName, entry: &EntryName) -> String {
    format!("{agency}/{entry}")
}

fn in_file(admin: &Admin, agency: &AgencyName, entry: &EntryName) -> bool {
    let entries = admin.engine().file().entries;
    entries.iter().any(|(of, name)| of == agency.as_str() && name == entry.as_str())
}

fn view(document: EntryDocument, source: Source) -> EntrySettings {
    EntrySettings { config: document.config, secrets: document.secrets, source }
}

fn check(body: &EntryBody) -> Result<(), Problem> {
    check_len("config", body.config.len())?;
    check_len("secrets", body.secrets.len())?;
    for (key, value) in &body.config {
        check_key("config", key)?;
        if value.chars().count() > CONFIG_VALUE_CHARS_MAX {
            let detail = format!("A value has at most {CONFIG_VALUE_CHARS_MAX} characters.");
            return Err(Problem::invalid(format!("config.{key}"), detail));
        }
    }
    for (name, place) in &body.secrets {
        check_key("secrets", name)?;
        if !is_place(place) {
            // The value is not repeated: somebody may have written the secret itself.
            let problem = Problem::invalid(format!("secrets.{name}"), "A secret is named by where it lies.");
            return Err(problem.remedy("Write env:NAME or file:/PATH; put the secret there on the engine's machine."));
        }
    }
    Ok(())
}

fn check_key(field: &str, key: &str) -> Result<(), Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !key.chars().all(legal) {
        let detail = format!("A key is letters, digits, dot, _ and -, at most {KEY_CHARS_MAX} characters.");
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

pub(crate) fn is_place(place: &str) -> bool {
    if let Some(name) = place.strip_prefix("env:") {
        return name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.len() <= KEY_CHARS_MAX
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    }
    place.strip_prefix("file:").is_some_and(|path| {
        !path.is_empty() && path.len() <= SECRET_PATH_CHARS_MAX && !path.chars().any(char::is_control)
    })
}
