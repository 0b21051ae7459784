//! Before there are users, the engine writes a token for the first admin into a file beside its store.

use super::{Credential, Principal, Via, hash_of, new_token};
use crate::Admin;
use crate::access::{Grant, Role};
use crate::documents::{TokenDocument, UserDocument, kinds};
use crate::ledger::{Change, Kept, with_details};
use crate::limits::FIRST_TOKEN_LIFE;
use crate::problem::Problem;
use crate::redacted::Redacted;
use gudok_store::{AuditDraft, UtcMs};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Who holds the first token; no user may be called so.
pub(crate) const FIRST_TOKEN_USER: &str = "first-token";
const FILE_NAME: &str = "first-token";
const LABEL: &str = "the first start";

/// Whoever holds the first token.
pub(super) fn principal(credential: Credential, via: Via) -> Principal {
    Principal {
        user: FIRST_TOKEN_USER.to_owned(),
        full_name: String::new(),
        roles: vec![Grant { role: Role::Admin, agency: None }],
        via,
        credential,
        lang: "en".to_owned(),
    }
}

impl Admin {
    /// Where the first token lies: written now where there are no users and no valid one lies there already. `None`
    /// where there are users; the file of an earlier start is removed then.
    ///
    /// # Errors
    /// Of the ledger, and of writing the file.
    pub async fn first_token(&self) -> Result<Option<PathBuf>, Problem> {
        let path = self.config().store_dir.join(FILE_NAME);
        let users = self.ledger().page::<UserDocument>(kinds::USER, "", None, 1).await?;
        if !users.documents.is_empty() {
            self.remove_first_token_file();
            return Ok(None);
        }
        if self.first_token_is_valid(&path).await? {
            return Ok(Some(path));
        }
        let token = new_token();
        let mut change = Change::new();
        for old in self.ledger().all::<TokenDocument>(kinds::TOKEN, "").await? {
            if old.body.user == FIRST_TOKEN_USER {
                change = change.delete(kinds::TOKEN, &old.id);
            }
        }
        let created_ms = self.now_ms();
        let expires_ms = created_ms.saturating_add(u64::try_from(FIRST_TOKEN_LIFE.as_millis()).unwrap_or(u64::MAX));
        let document = TokenDocument {
            label: LABEL.to_owned(),
            user: FIRST_TOKEN_USER.to_owned(),
            roles: None,
            generation: 0,
            by_login: false,
            created_ms,
            expires_ms,
            last_used_ms: None,
        };
        let hash = hash_of(&token);
        let draft = AuditDraft {
            actor: "engine".to_owned(),
            via: "engine".to_owned(),
            action: "token.create".to_owned(),
            object: format!("token:{}", &hash[..16]),
            agency: None,
            details: serde_json::json!({}),
        };
        let draft = with_details(draft, serde_json::json!({ "user": FIRST_TOKEN_USER, "expires_ms": expires_ms }));
        let change = change.put_until(kinds::TOKEN, &hash, &document, Some(UtcMs(expires_ms))).audit(draft).urgent();
        self.ledger().commit(change).await?;
        write(&path, &token).map_err(|error| Problem::internal("writing the first token's file", error))?;
        Ok(Some(path))
    }

    async fn first_token_is_valid(&self, path: &Path) -> Result<bool, Problem> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(false) };
        let hash = hash_of(&Redacted::new(text.trim().to_owned()));
        let kept: Option<Kept<TokenDocument>> = self.ledger().get(kinds::TOKEN, &hash).await?;
        Ok(kept.is_some_and(|kept| kept.body.user == FIRST_TOKEN_USER && kept.body.expires_ms > self.now_ms()))
    }

    /// The file is of no use once its token is void.
    pub(crate) fn remove_first_token_file(&self) {
        let path = self.config().store_dir.join(FILE_NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "the first token is void, but its file could not be removed");
            }
            _ => {}
        }
    }
}

/// Readable by the engine's user only, and whole or not there at all.
fn write(path: &Path, token: &Redacted) -> std::io::Result<()> {
    let aside = path.with_extension("new");
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    writeln!(file, "{}", token.reveal())?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}
