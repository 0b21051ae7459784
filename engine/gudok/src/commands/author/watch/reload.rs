//! A new version on its way into the engines that `gudok up` has started: by their API, as an admin's would go.

use super::super::up::Running;
use crate::commands::remote::{Client, Failure, Server, Write, normal_url};
use anyhow::{Context, anyhow};
use bytes::Bytes;
use gudok_plugin_host::bundle::{Bundle, BundleLimits, with_version};
use serde_json::{Value, json};

/// The engine has that version with other content.
const VERSION_EXISTS: &str = "version-exists";

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
    let taken = match upload(&client, running, bundle).await {
        // The manifest says the same version as before: it is a version of its own all the same, told by its content.
        Err(Failure::Refused(problem)) if problem.code == VERSION_EXISTS => {
            upload(&client, running, &renamed(bundle)?).await?
        }
        taken => taken?,
    };
    let id = taken["version"]["id"].as_str().ok_or_else(|| anyhow!("the engine gave the version no id"))?.to_owned();
    if taken["version"]["state"] == "waiting" {
        client.write(Write::post(&["versions", &id, "approve"]).body(json!({}))).await?;
    }
    let path = ["deployments", running.agency.as_str(), running.entry.as_str()];
    let now = client.find(&path).await?;
    let serving = now.as_ref().map(crate::commands::remote::Answer::json).transpose()?.unwrap_or_default();
    if serving["stable"]["version"] == id.as_str() && serving["canary"].is_null() {
        return Ok(Reloaded::Same);
    }
    let order = json!({ "version": id, "share_percent": 100 });
    let etag = now.and_then(|answer| answer.etag);
    let deployed = client.write(Write::put(&path, order).if_match(etag)).await?.json()?;
    Ok(Reloaded::Live { old_calls: old_calls(&deployed, &id) })
}

async fn upload(client: &Client, running: &Running, bundle: &[u8]) -> Result<Value, Failure> {
    let query = [("agency", running.agency.clone()), ("allow_downgrade", "true".to_owned())];
    client.upload(&["bundles"], &query, Bytes::copy_from_slice(bundle)).await?.json()
}

/// The bundle with its content's hash in its version: "1.0.0-x3fa9c1d2".
fn renamed(bundle: &[u8]) -> Result<Vec<u8>, Failure> {
    const HASH_BYTES: usize = 4;
    let limits = BundleLimits::default();
    let read = Bundle::from_upload(bundle, &limits).map_err(anyhow::Error::from)?;
    let version = &read.manifest.version;
    let joint = if version.pre.is_empty() { '-' } else { '.' };
    let named = format!("{version}{joint}x{}", crate::hex::hex(&read.content_sha256[..HASH_BYTES]));
    Ok(with_version(bundle, &named, &limits).map_err(anyhow::Error::from)?.bytes)
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
