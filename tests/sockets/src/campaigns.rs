//! Campaigns as the people see them who make and watch them.

use crate::api::Api;
use crate::parties::until_within;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// One campaign, through the admins' API.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// By whom.
    pub api: Api,
    /// Its name.
    pub name: String,
}

impl Campaign {
    /// Makes one.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn make(api: &Api, name: &str, document: &Value) -> anyhow::Result<Self> {
        let request = api.request("PUT", &format!("/campaigns/{name}")).json(document);
        let made = api.send_patiently(request).await?;
        ensure!(made.status == 201, "{}: {}", made.status, made.body);
        Ok(Self { api: api.clone(), name: name.to_owned() })
    }

    /// The same, after the engine was started again.
    #[must_use]
    pub fn again(&self, api: &Api) -> Self {
        Self { api: api.clone(), name: self.name.clone() }
    }

    /// Changes something that is decided about it.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn edit(&self, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let path = format!("/campaigns/{}", self.name);
        let now = self.api.get(&path).await?.expect(200)?;
        let etag = now.header("etag").context("a campaign without ETag")?.to_owned();
        let mut document = now.json()["document"].clone();
        change(&mut document);
        let request = self.api.request("PUT", &path).header("If-Match", &etag).json(&document);
        self.api.send_patiently(request).await?.expect(200).map(drop)
    }

    /// Takes a list as CSV, and gives the report.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn import(&self, csv: &str) -> anyhow::Result<Value> {
        self.take(csv.as_bytes().to_vec(), false).await
    }

    /// What would become of a list, as CSV; keeps nothing of it.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn dry_run(&self, csv: &[u8]) -> anyhow::Result<Value> {
        self.take(csv.to_vec(), true).await
    }

    async fn take(&self, csv: Vec<u8>, dry_run: bool) -> anyhow::Result<Value> {
        let path = format!("/campaigns/{}/contacts?format=csv&dry_run={dry_run}", self.name);
        let request = self.api.request("POST", &path).body("text/csv", csv);
        Ok(self.api.send_patiently(request).await?.expect(200)?.json())
    }

    /// `start`, `pause`, `resume` or `stop`.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn order(&self, word: &str) -> anyhow::Result<Value> {
        let request = self.api.request("POST", &format!("/campaigns/{}/{word}", self.name)).json(&json!({}));
        Ok(self.api.send_patiently(request).await?.expect(200)?.json())
    }

    /// What is going on.
    ///
    /// # Errors
    /// Where there is no such campaign.
    pub async fn figures(&self) -> anyhow::Result<Value> {
        Ok(self.api.read(&format!("/campaigns/{}", self.name)).await?["figures"].clone())
    }

    /// Waits until the figures are as they should be, and gives them.
    ///
    /// # Errors
    /// Where they never are; with the last ones.
    pub async fn until(&self, limit: Duration, what: &str, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut seen = Value::Null;
        until_within(limit, what, async || {
            seen = self.figures().await?;
            Ok(is(&seen))
        })
        .await
        .with_context(|| seen.to_string())?;
        Ok(seen)
    }

    /// Waits until it is over.
    ///
    /// # Errors
    /// Where it never is; with the last figures.
    pub async fn finished(&self, limit: Duration) -> anyhow::Result<Value> {
        self.until(limit, "the campaign is finished", |figures| figures["state"] == "finished").await
    }

    /// All its contacts.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn contacts(&self) -> anyhow::Result<Vec<Value>> {
        self.api.list(&format!("/campaigns/{}/contacts", self.name)).await
    }

    /// One contact with what was tried.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn contact(&self, no: u64) -> anyhow::Result<Value> {
        self.api.read(&format!("/campaigns/{}/contacts/{no}", self.name)).await
    }

    /// Every attempt that ended, as JSON.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn results(&self) -> anyhow::Result<Vec<Value>> {
        let answer = self.api.get(&format!("/campaigns/{}/results?format=jsonl", self.name)).await?.expect(200)?;
        answer.body.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

/// A field of the figures that counts by word.
#[must_use]
pub fn counts(of: &Value) -> BTreeMap<String, u64> {
    let all = of.as_object().into_iter().flatten();
    all.filter_map(|(word, count)| Some((word.clone(), count.as_u64()?))).collect()
}
