//! A new version on its way into the engines that `gudok up` has started: by their API, as an admin's would go.

use super::super::up::Running;
use crate::commands::remote::{Client, Failure, Server, Write, normal_url};
use anyhow::{Context, anyhow};
use bytes::Bytes;
use serde_json::{Value, json};

/// What became of it in one engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reloaded {
    /// It takes new calls; so many calls go on with what they began with.
    Live { old_calls: u64 },
    /// It was live already.
    Same,
}

/// Puts a bundle live for every new call.
///
/// # Errors
/// Where the engine refuses it, or does not answer.
pub(super) async fn reload(running: &Running, bundle: &[u8]) -> Result<Reloaded, Failure> {
    let client = client(running)?;
    let file = Bytes::copy_from_slice(bundle);
    let query = [("agency", running.agency.clone()), ("allow_downgrade", "true".to_owned())];
    let taken = client.upload(&["bundles"], &query, file).await?.json()?;
    let id = taken["version"]["id"].as_str().ok_or_else(|| anyhow!("the engine gave the version no id"))?.to_owned();
    if taken["version"]["state"] == "waiting" {
        client.write(Write::post(&["versions", &id, "approve"]).body(json!({}))).await?;
    }
    let path = ["deployments", running.agency.as_str(), running.entry.as_str()];
    let now = client.find(&path).await?;
    let serving = now.as_ref().map(|answer| answer.json()).transpose()?.unwrap_or_default();
    if serving["stable"]["version"] == id.as_str() && serving["canary"].is_null() {
        return Ok(Reloaded::Same);
    }
    let order = json!({ "version": id, "share_percent": 100 });
    let etag = now.and_then(|answer| answer.etag);
    let deployed = client.write(Write::put(&path, order).if_match(etag)).await?.json()?;
    Ok(Reloaded::Live { old_calls: old_calls(&deployed, &id) })
}

fn client(running: &Running) -> Result<Client, Failure> {
    let token = std::fs::read_to_string(&running.token_file)
        .with_context(|| format!("reading {}", running.token_file.display()))?;
    Client::logged_in(&Server { url: normal_url(&running.url)?, token: Some(token.trim().to_owned()), ca: None })
}

/// Calls that are up with other versions.
fn old_calls(deployment: &Value, id: &str) -> u64 {
    let running = deployment["running"].as_array().into_iter().flatten();
    running.filter(|at| at["version"] != id).filter_map(|at| at["calls"].as_u64()).sum()
}
