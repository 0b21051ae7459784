//! Keeps the outbox's addresses as file and ledger have them.

use super::{Promises, Webhook};
use crate::director::Director;
use gudok_admin::documents::{WebhookDocument, kinds};
use gudok_core::ids::Agency;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Addresses are looked at so often: an agency's new one takes so long at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Promises {
    /// Looks at the addresses for as long as the process lives. Nothing is sent before they could be read once.
    pub(crate) async fn follow(self: Arc<Self>, director: Arc<Director>) {
        let mut known = None;
        loop {
            match webhooks(&director).await {
                Ok(webhooks) => {
                    if known.as_ref() != Some(&webhooks) {
                        self.take_webhooks(webhooks.clone());
                        known = Some(webhooks);
                    }
                }
                Err(problem) => {
                    tracing::error!(problem, "the agencies' webhooks cannot be read; they stay as they were");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The file's, and in their place the ledger's.
pub(crate) async fn webhooks(director: &Director) -> Result<HashMap<Agency, Webhook>, String> {
    let config = director.config();
    let of_file = config.webhooks.iter();
    let mut all: HashMap<Agency, Webhook> = of_file
        .map(|(agency, webhook)| (agency.clone(), Webhook::new(webhook.url.clone(), webhook.secret.clone())))
        .collect();
    let documents = director.documents::<WebhookDocument>(kinds::WEBHOOK).await.map_err(|refusal| refusal.problem)?;
    for (agency, _, document) in documents {
        let agency = Agency::new(&agency);
        all.remove(&agency);
        if !document.enabled {
            continue;
        }
        match crate::director::secret(&config.admin.secrets_dir, &document.secret) {
            Ok(secret) => {
                all.insert(agency, Webhook::new(document.url, secret));
            }
            Err(problem) => {
                tracing::error!(%agency, problem, "the secret of the agency's webhook is not to be had; its tickets wait");
            }
        }
    }
    Ok(all)
}
