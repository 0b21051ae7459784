//! Keys: whose signature on a bundle counts. A key is revoked, never forgotten: an old signature must stay explicable.

use super::{Page, PageQuery, agencies, check_text, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{KeyDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::{LIST_LEN_MAX, TEXT_CHARS_MAX};
use crate::names::{AgencyName, KeyName};
use crate::ports::SigningKey;
use crate::problem::{Problem, codes};
use crate::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// "Ed", the key's id, the Ed25519 key.
const PUBLIC_KEY_BYTES: usize = 2 + 8 + 32;

/// A key that signs for an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Key {
    /// The minisign key's id, 16 hexadecimal digits.
    pub id: String,
    /// The minisign public key, base64.
    pub public_key: String,
    /// For people.
    pub comment: String,
    /// RFC 3339; signs nothing before.
    pub not_before: Option<String>,
    /// RFC 3339; signs nothing after.
    pub expires: Option<String>,
    /// RFC 3339; signs nothing any more.
    pub revoked: Option<String>,
}

/// A key to be added.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The base64 line of a minisign public key, or the whole of its `.pub` file.
    #[schema(min_length = 1, max_length = 1024)]
    pub public_key: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub comment: String,
    /// RFC 3339; signs nothing before.
    #[serde(default)]
    pub not_before: Option<String>,
    /// RFC 3339; signs nothing after.
    #[serde(default)]
    pub expires: Option<String>,
}

/// One page of an agency's keys.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    query: &PageQuery,
) -> Result<Page<Key>, Problem> {
    who.may_in(Operation::KeysList, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    let see = |kept: Kept<KeyDocument>| Some(view(&kept));
    page::of_documents(admin, kinds::KEY, &format!("{agency}/"), query, see).await
}

/// Adds a key.
///
/// # Errors
/// `forbidden`, `not-found`, `exists`, `invalid-field`.
pub async fn add(admin: &Admin, who: &Principal, agency: &AgencyName, new: NewKey) -> Result<Key, Problem> {
    who.may_in(Operation::KeyAdd, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    check_text("comment", &new.comment, TEXT_CHARS_MAX)?;
    let (id, public_key) = read_public_key(&new.public_key)?;
    let body = KeyDocument {
        public_key,
        comment: new.comment,
        not_before_ms: time::read_some("not_before", new.not_before.as_deref())?,
        expires_ms: time::read_some("expires", new.expires.as_deref())?,
        revoked_ms: None,
    };
    if body.not_before_ms.zip(body.expires_ms).is_some_and(|(from, until)| from >= until) {
        return Err(Problem::invalid("expires", "The key would end before it begins."));
    }
    let document = format!("{agency}/{id}");
    let kept = admin.ledger().all::<KeyDocument>(kinds::KEY, &format!("{agency}/")).await?;
    if kept.iter().any(|key| key.id == document) {
        let problem = Problem::new(&codes::EXISTS, format!("The key {id} is known; a revoked key stays revoked."));
        return Err(problem.field("public_key").remedy("Make a new key pair with `gudok keygen`."));
    }
    if kept.len() >= LIST_LEN_MAX {
        return Err(Problem::new(&codes::CONFLICTING, format!("The agency has {LIST_LEN_MAX} keys.")));
    }
    let details = serde_json::json!({ "comment": body.comment, "expires_ms": body.expires_ms });
    let draft = with_details(who.audit("key.add", format!("key:{document}"), Some(agency.as_str())), details);
    let change = Change::new().expect(kinds::KEY, &document, 0).put(kinds::KEY, &document, &body).audit(draft);
    let done = admin.ledger().commit(change).await?;
    Ok(view(&Kept { id: document, revision: done.revision(), body }))
}

/// Revokes a key: what it signed is refused from now on. What is live stays live.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn revoke(admin: &Admin, who: &Principal, agency: &AgencyName, key: &KeyName) -> Result<(), Problem> {
    who.may_in(Operation::KeyRevoke, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    let document = format!("{agency}/{}", key.canonical());
    let kept: Option<Kept<KeyDocument>> = admin.ledger().get(kinds::KEY, &document).await?;
    let Some(Kept { revision, mut body, .. }) = kept else { return Err(Problem::not_found("key", key)) };
    if body.revoked_ms.is_some() {
        return Ok(());
    }
    body.revoked_ms = Some(admin.now_ms());
    let draft = who.audit("key.revoke", format!("key:{document}"), Some(agency.as_str()));
    let change =
        Change::new().expect(kinds::KEY, &document, revision).put(kinds::KEY, &document, &body).audit(draft).urgent();
    admin.ledger().commit(change).await.map(|_| ())
}

/// An agency's keys, for a check.
pub(crate) async fn of_agency(admin: &Admin, agency: &AgencyName) -> Result<Vec<SigningKey>, Problem> {
    let kept = admin.ledger().all::<KeyDocument>(kinds::KEY, &format!("{agency}/")).await?;
    let key = |kept: Kept<KeyDocument>| SigningKey {
        id: id_of(&kept.id),
        public_key: kept.body.public_key,
        not_before_ms: kept.body.not_before_ms,
        expires_ms: kept.body.expires_ms,
        revoked: kept.body.revoked_ms.is_some(),
    };
    Ok(kept.into_iter().map(key).collect())
}

/// The key's id and its base64 line, from the line or the whole file.
fn read_public_key(text: &str) -> Result<(String, String), Problem> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with("untrusted comment:"));
    let bytes = line.and_then(|line| STANDARD.decode(line).ok());
    let bytes = bytes.filter(|bytes| bytes.len() == PUBLIC_KEY_BYTES && bytes.starts_with(b"Ed"));
    let (Some(line), Some(bytes)) = (line, bytes) else {
        let problem = Problem::invalid("public_key", "It is no minisign public key.");
        return Err(problem.remedy("Send the second line of the .pub file that `gudok keygen` or `minisign -G` wrote."));
    };
    // Minisign shows the id as a number that is stored with its lowest byte first.
    let id: Vec<u8> = bytes[2..10].iter().rev().copied().collect();
    Ok((crate::auth::hex(&id), line.to_owned()))
}

fn id_of(document: &str) -> String {
    document.rsplit('/').next().unwrap_or_default().to_owned()
}

fn view(kept: &Kept<KeyDocument>) -> Key {
    Key {
        id: id_of(&kept.id),
        public_key: kept.body.public_key.clone(),
        comment: kept.body.comment.clone(),
        not_before: kept.body.not_before_ms.map(time::written),
        expires: kept.body.expires_ms.map(time::written),
        revoked: kept.body.revoked_ms.map(time::written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_says_its_id_as_minisign_shows_it() {
        // From minisign's documentation: key id E7620F1842B4E81F.
        let line = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let (id, key) = read_public_key(line).unwrap();
        assert_eq!((id.as_str(), key.as_str()), ("e7620f1842b4e81f", line));
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{line}\n");
        assert_eq!(read_public_key(&file).unwrap().0, id);
        for bad in ["", "RWQ", "not base64 at all", &line[4..]] {
            assert!(read_public_key(bad).is_err(), "{bad:?}");
        }
    }
}
