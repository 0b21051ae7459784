//! The admins' API as a client sees it that knows nothing of the engine's code: paths, JSON, tokens.

use crate::http::{Answer, Request};
use crate::parties::until;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// Items of a list in one answer.
const PAGE_ITEMS: usize = 1_000;

/// A client with a token.
#[derive(Debug, Clone)]
pub struct Api {
    /// Where the engine listens.
    pub server: SocketAddr,
    /// What it shows.
    pub token: String,
}

impl Api {
    /// A client with a token that one has.
    #[must_use]
    pub const fn new(server: SocketAddr, token: String) -> Self {
        Self { server, token }
    }

    /// The same engine, asked by somebody else.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { server: self.server, token: token.to_owned() }
    }

    /// A new user with these roles, logged in. The first one must be an admin: the token of the first start ends with it.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn person(&self, name: &str, roles: &Value) -> anyhow::Result<Self> {
        let password = format!("the-password-of-{name}-71c4");
        let user = json!({
            "name": name, "full_name": name, "roles": roles, "disabled": false, "lang": "en", "password": password,
        });
        self.post("/users", &user).await?.expect(201)?;
        let login = json!({ "user": name, "password": password });
        let given = self.with_token("").post("/login", &login).await?.expect(201)?.json();
        Ok(self.with_token(given["token"].as_str().context("no token")?))
    }

    /// A request with the token; the path begins behind `/api/v1`.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("/api/v1{path}"));
        if self.token.is_empty() { request } else { request.header("Authorization", &format!("Bearer {}", self.token)) }
    }

    /// Sends what [`Api::request`] began.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn send(&self, request: Request) -> anyhow::Result<Answer> {
        request.send(self.server).await
    }

    /// Sends it again for as long as the answer is 429, when that says: a client has only so many requests a second.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn send_patiently(&self, request: Request) -> anyhow::Result<Answer> {
        loop {
            let answer = self.send(request.clone()).await?;
            if answer.status != 429 {
                return Ok(answer);
            }
            let wait_s = answer.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(wait_s)).await;
        }
    }

    /// GET, patiently.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send_patiently(self.request("GET", path)).await
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.request("POST", path).json(body)).await
    }

    /// What a path shows.
    ///
    /// # Errors
    /// Where it shows nothing.
    pub async fn read(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.get(path).await?.expect(200)?.json())
    }

    /// All items of a list, page by page; `path` has no query or ends in one.
    ///
    /// # Errors
    /// Where the engine does not answer, or there is no such list.
    pub async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        self.pages(path, "items").await
    }

    /// All call records, page by page.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn cdrs(&self) -> anyhow::Result<Vec<Value>> {
        self.pages("/cdrs", "cdrs").await
    }

    async fn pages(&self, path: &str, items: &str) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let mut page = format!("{path}{joint}limit={PAGE_ITEMS}");
            if let Some(cursor) = cursor {
                page.push_str(&format!("&cursor={cursor}"));
            }
            let mut page = self.read(&page).await?;
            all.append(page[items].as_array_mut().with_context(|| format!("{path} has no {items}"))?);
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
    }

    /// Lets a key sign for an agency.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn add_key(&self, agency: &str, public_key: &str) -> anyhow::Result<Value> {
        let body = json!({ "public_key": public_key, "comment": "a test's" });
        Ok(self.post(&format!("/agencies/{agency}/keys"), &body).await?.expect(201)?.json())
    }

    /// Uploads a bundle, whatever comes of it.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn upload(&self, agency: &str, bundle: &[u8]) -> anyhow::Result<Answer> {
        self.send(self.upload_request(agency, bundle)).await
    }

    /// An upload that is not sent yet.
    #[must_use]
    pub fn upload_request(&self, agency: &str, bundle: &[u8]) -> Request {
        let request = self.request("POST", &format!("/bundles?agency={agency}"));
        request.body("application/octet-stream", bundle.to_vec())
    }

    /// Uploads a bundle that is to be taken, approves its rights where it asks for new ones, and gives the version's id.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn publish(&self, agency: &str, bundle: &[u8]) -> anyhow::Result<String> {
        let taken = self.upload(agency, bundle).await?;
        ensure!(matches!(taken.status, 200 | 201), "{}: {}", taken.status, taken.body);
        let version = &taken.json()["version"];
        let id = version["id"].as_str().with_context(|| taken.body.clone())?.to_owned();
        if version["state"] == "waiting" {
            self.post(&format!("/versions/{id}/approve"), &json!({})).await?.expect(200)?;
        }
        Ok(id)
    }

    /// The deployment at an entry, with its ETag.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn deployment(&self, place: &str) -> anyhow::Result<(Value, String)> {
        let answer = self.get(&format!("/deployments/{place}")).await?.expect(200)?;
        let etag = answer.header("etag").context("a deployment without ETag")?.to_owned();
        Ok((answer.json(), etag))
    }

    /// A deployment that is not asked for yet; `order` has at least the version. Made for the revision that is there now.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn deploy_request(&self, place: &str, order: &Value) -> anyhow::Result<Request> {
        let path = format!("/deployments/{place}");
        let request = self.request("PUT", &path).json(order);
        let now = self.get(&path).await?;
        Ok(match now.header("etag").filter(|_| now.status == 200) {
            Some(etag) => request.header("If-Match", etag),
            None => request,
        })
    }

    /// Puts a version live; `order` has at least the version. Gives the deployment.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn deploy(&self, place: &str, order: &Value) -> anyhow::Result<Value> {
        Ok(self.send(self.deploy_request(place, order).await?).await?.expect(200)?.json())
    }

    /// The label of the version that takes new calls at an entry.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn stable(&self, place: &str) -> anyhow::Result<String> {
        let (deployment, _) = self.deployment(place).await?;
        Ok(deployment["stable"]["label"].as_str().context("a deployment without a version")?.to_owned())
    }

    /// The audit, oldest first.
    ///
    /// # Errors
    /// Where the engine does not answer.
    pub async fn audit(&self) -> anyhow::Result<Vec<Value>> {
        let mut entries = self.list("/audit").await?;
        entries.sort_by_key(|entry| entry["seq"].as_u64());
        Ok(entries)
    }

    /// Looks whether the audit's chain is whole, and gives its length.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn audit_is_whole(&self) -> anyhow::Result<u64> {
        let report = self.read("/audit/verify").await?;
        ensure!(report["ok"] == true && report["faults"] == json!([]), "{report}");
        report["entries"].as_u64().with_context(|| report.to_string())
    }

    /// Waits until a deployment is as it should be, and gives it.
    ///
    /// # Errors
    /// Where it never is.
    pub async fn deployment_is(&self, place: &str, what: &str, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let mut seen = Value::Null;
        until(what, async || {
            seen = self.deployment(place).await?.0;
            Ok(is(&seen))
        })
        .await
        .with_context(|| seen.to_string())?;
        Ok(seen)
    }
}
