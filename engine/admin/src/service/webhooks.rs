//! Webhooks: where an agency's tickets are delivered.

use super::commit::Routed;
use super::{Revised, agencies, check_revision, entries};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{WebhookDocument, kinds};
use crate::ledger::{Kept, with_details};
use crate::names::AgencyName;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest address.
const URL_CHARS_MAX: usize = 2_000;

/// Where an agency's tickets are delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Webhook {
    /// `https://…`
    pub url: String,
    /// Where the secret of the signature lies: `env:NAME` or `file:PATH`.
    pub secret: String,
    /// Nothing is sent while false; tickets wait.
    pub enabled: bool,
}

/// Where an agency's tickets are to be delivered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookBody {
    /// `https://…`, without credentials.
    #[schema(pattern = "^https://[^@]+$", max_length = 2000)]
    pub url: String,
    /// Where the secret of the signature lies: `env:NAME` or `file:PATH`, never its value.
    #[schema(max_length = 512)]
    pub secret: String,
    /// Nothing is sent while false; tickets wait.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// One agency's. What the file says is in `/configuration`.
///
/// # Errors
/// `forbidden`, `not-found`.
pub async fn read(admin: &Admin, who: &Principal, agency: &AgencyName) -> Result<Revised<Webhook>, Problem> {
    who.may_in(Operation::WebhookRead, agency.as_str())?;
    let kept = kept(admin, agency).await?.ok_or_else(|| Problem::not_found("webhook of the agency", agency))?;
    Ok(Revised { value: view(&kept.body), revision: kept.revision })
}

/// Sets one agency's, in place of the file's. What waits is delivered there.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`, `precondition-required`, `invalid-field`.
pub async fn set(
    admin: &Admin,
    who: &Principal,
    agency: &AgencyName,
    body: WebhookBody,
    seen: Option<u64>,
) -> Result<Revised<Webhook>, Problem> {
    who.may_in(Operation::WebhookSet, agency.as_str())?;
    agencies::must_exist(admin, agency).await?;
    check_url(&body.url)?;
    if !entries::is_place(&body.secret) {
        // The value is not repeated: somebody may have written the secret itself.
        let problem = Problem::invalid("secret", "A secret is named by where it lies.");
        return Err(problem.remedy("Write env:NAME or file:/PATH; put the secret there on the engine's machine."));
    }
    let _turn = admin.turn().await;
    let before = kept(admin, agency).await?;
    check_revision(seen, before.as_ref().map_or(0, |kept| kept.revision))?;
    let after = WebhookDocument { url: body.url, secret: body.secret, enabled: body.enabled };
    // The host only: a path may be a secret of the agency's.
    let details = serde_json::json!({ "host": host(&after.url), "enabled": after.enabled });
    let audit = with_details(who.audit("webhook.set", object(agency), Some(agency.as_str())), details);
    let value = view(&after);
    let before = before.map(|kept| (kept.body, kept.revision));
    let (kind, id) = (kinds::WEBHOOK, agency.as_str());
    let change = Routed { kind, id, before, after: Some(after), expires_ms: None, audit, urgent: false };
    Ok(Revised { value, revision: change.commit(admin).await? })
}

/// Takes one agency's away: the file's counts again.
///
/// # Errors
/// `forbidden`, `not-found`, `stale-revision`.
pub async fn delete(admin: &Admin, who: &Principal, agency: &AgencyName, seen: Option<u64>) -> Result<(), Problem> {
    who.may_in(Operation::WebhookDelete, agency.as_str())?;
    let _turn = admin.turn().await;
    let before = kept(admin, agency).await?.ok_or_else(|| Problem::not_found("webhook of the agency", agency))?;
    super::check_revision_if_seen(seen, before.revision)?;
    let change = Routed {
        kind: kinds::WEBHOOK,
        id: agency.as_str(),
        before: Some((before.body, before.revision)),
        after: None,
        expires_ms: None,
        audit: who.audit("webhook.delete", object(agency), Some(agency.as_str())),
        urgent: true,
    };
    change.commit(admin).await.map(|_| ())
}

/// What an address must look like; whether it may be reached is seen when it is.
fn check_url(url: &str) -> Result<(), Problem> {
    let bad = |detail: String| Err(Problem::invalid("url", detail));
    if url.len() > URL_CHARS_MAX {
        return bad(format!("It has at most {URL_CHARS_MAX} characters."));
    }
    if !url.starts_with("https://") || url.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return bad("It is an https address without blanks; tickets do not go over the network in clear.".to_owned());
    }
    let host = host(url);
    if host.is_empty() || host.contains('@') || host.contains('\\') || url.contains('#') {
        return bad("It names a host, without user, password and fragment.".to_owned());
    }
    Ok(())
}

fn host(url: &str) -> &str {
    let rest = url.trim_start_matches("https://");
    rest.split(['/', '?']).next().unwrap_or_default()
}

async fn kept(admin: &Admin, agency: &AgencyName) -> Result<Option<Kept<WebhookDocument>>, Problem> {
    admin.ledger().get(kinds::WEBHOOK, agency.as_str()).await
}

fn view(document: &WebhookDocument) -> Webhook {
    Webhook { url: document.url.clone(), secret: document.secret.clone(), enabled: document.enabled }
}

fn object(agency: &AgencyName) -> String {
    format!("webhook:{agency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_no_credentials() {
        for good in ["https://mfc.example/hook", "https://mfc.example:8443?x=1", "https://[2001:db8::1]/"] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        let bad = ["http://mfc.example", "https://", "https://user:pass@mfc.example/", "https://a b", "ftp://x", ""];
        for bad in bad.into_iter().chain(["https://x/#y", "https://x\\@y", "https://почта.example"]) {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
