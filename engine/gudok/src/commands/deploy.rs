//! `gudok deploy`: a bundle or a version goes live at an entry, for all callers or a share of them.

use super::arguments::{PlaceArguments, Seconds};
use super::deployments::{self, Shown};
use super::login::is_admin;
use super::remote::{Failure, Outcome, Remote, Session, Write, confirm, fields, is_interactive};
use super::wares::Wares;
use super::{report, versions, watch};
use anyhow::anyhow;
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two looks at whether somebody approved.
const APPROVAL_PAUSE: Duration = Duration::from_secs(2);
/// The fields of a guard; docs/OPERATING.md says what each means.
const GUARD_FIELDS: [&str; 6] =
    ["sample_min", "trap_percent_over", "landing_percent_over", "abandon_percent_over", "cpu_times_max", "watch_s"];
/// Those of them that are whole numbers.
const GUARD_WHOLE: [&str; 2] = ["sample_min", "watch_s"];

/// What `gudok deploy` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What goes live: a project's folder, which is built and signed with your author's key; a bundle's file, or one in a
    /// registry, oci://HOST/REPOSITORY:TAG; or a version that was uploaded: its id, "1.2.0", "passport@1.2.0".
    #[arg(value_name = "DIR|FILE|oci://…|VERSION")]
    what: String,
    #[command(flatten)]
    place: PlaceArguments,
    /// Of callers, in percent; below 100 a canary beside the version that serves now.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    share: u8,
    /// When the engine rolls back by itself: sample_min=20,trap_percent_over=2,landing_percent_over=5,
    /// abandon_percent_over=20,cpu_times_max=3,watch_s=3600. What is left out keeps the default.
    #[arg(long, value_parser = guard)]
    guard: Option<Value>,
    /// Calls on the version that is replaced move to an operator after so long, "10m"; otherwise they take their time.
    #[arg(long)]
    drain: Option<Seconds>,
    /// Sign the bundle with this secret key first; a project's is signed with GUDOK_KEY or your author's key anyway.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Take a bundle although a newer version of it was released.
    #[arg(long)]
    allow_downgrade: bool,
    /// Approve the rights that are new without being asked. Only admins may.
    #[arg(long)]
    approve: bool,
    /// Wait for an approval that is missing, and then until the version has proved itself (exit code 0) or was rolled
    /// back (1).
    #[arg(long)]
    wait: bool,
    /// With --wait: at most so long.
    #[arg(long, default_value = "1h", value_name = "TIME")]
    wait_max: Seconds,
}

/// `sample_min=20,watch_s=60` as the API's guard.
fn guard(text: &str) -> Result<Value, String> {
    let mut fields = Map::new();
    for part in text.split(',') {
        let (name, value) = super::arguments::pair(part)?;
        if !GUARD_FIELDS.contains(&name.as_str()) {
            return Err(format!("{name:?} is none of {}", GUARD_FIELDS.join(", ")));
        }
        let value = if GUARD_WHOLE.contains(&name.as_str()) {
            value.parse::<u32>().ok().map(Value::from)
        } else {
            value.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0).map(Value::from)
        };
        fields.insert(name.clone(), value.ok_or_else(|| format!("{name} wants a number"))?);
    }
    Ok(Value::Object(fields))
}

/// A version on its way to be live, and what it changes.
struct Candidate {
    version: Value,
    difference: Value,
}

/// `gudok deploy`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let place = arguments.place.place()?;
    let deadline = Instant::now() + Duration::from_secs(arguments.wait_max.0);
    let now = deployments::find(session, &place).await?;
    let serving = now.as_ref().and_then(|shown| shown.deployment["stable"]["version"].as_str()).map(String::from);
    let candidate = match Wares::take(&arguments.what).await? {
        Some(wares) => {
            let wares = wares.signed(arguments.sign.as_deref(), &session.screen)?;
            uploaded(session, wares, &place.agency, arguments.allow_downgrade, serving).await?
        }
        None => known(session, &arguments.what, &place.agency, serving).await?,
    };
    approved(session, arguments, &candidate, deadline).await?;
    let id = versions::id(&candidate.version)?;
    let calls_before = watch::calls_ended(session, &place, &id).await;
    let mut order = json!({ "version": id, "share_percent": arguments.share });
    if let Some(guard) = &arguments.guard {
        order["guard"] = guard.clone();
    }
    if let Some(Seconds(drain_s)) = arguments.drain {
        order["drain_s"] = drain_s.into();
    }
    let path = ["deployments", &place.agency, &place.entry];
    let etag = now.and_then(|shown: Shown| shown.etag);
    let answer = session.client.write(Write::put(&path, order).if_match(etag)).await?;
    let outcome = session.show(&answer, deployments::print_one)?;
    if arguments.wait { watch::proved(session, &place, &id, calls_before, deadline).await } else { Ok(outcome) }
}

async fn uploaded(
    session: &Session,
    wares: Wares,
    agency: &str,
    allow_downgrade: bool,
    serving: Option<String>,
) -> Result<Candidate, Failure> {
    let answer = versions::upload_bytes(session, wares.bytes, agency, allow_downgrade).await?.json()?;
    let version = answer["version"].clone();
    let id = versions::id(&version)?;
    if !session.screen.json {
        report::print_report(&session.screen, &answer["report"]);
    }
    // The report compares with the newest version of the script; what counts here is what serves at this entry.
    let difference = difference(session, &id, serving).await?;
    Ok(Candidate { version, difference })
}

async fn known(
    session: &Session,
    reference: &str,
    agency: &str,
    serving: Option<String>,
) -> Result<Candidate, Failure> {
    let version = versions::find(session, Some(agency), reference).await?;
    let difference = difference(session, &versions::id(&version)?, serving).await?;
    Ok(Candidate { version, difference })
}

async fn difference(session: &Session, id: &str, serving: Option<String>) -> Result<Value, Failure> {
    if serving.as_deref() == Some(id) {
        return Ok(Value::Null);
    }
    let difference = versions::compared(session, id, serving).await?.json()?;
    if !session.screen.json {
        report::print_difference(&session.screen, &difference);
    }
    Ok(difference)
}

/// Comes back when the version may go live.
async fn approved(
    session: &Session,
    arguments: &Arguments,
    candidate: &Candidate,
    deadline: Instant,
) -> Result<(), Failure> {
    let id = versions::id(&candidate.version)?;
    let short = fields::short(&id);
    let mut version = candidate.version.clone();
    if version["state"] == "waiting" && (arguments.approve || is_interactive()) && is_admin(session).await? {
        if !arguments.approve {
            session.screen.note(&format!("{} asks for rights that nobody approved yet:", versions::name(&version)));
            for right in report::new_rights(&candidate.difference) {
                session.screen.note(&format!("  {}", super::remote::plain(&right)));
            }
            if !confirm("Approve them?")? {
                return Err(Failure::Failed(anyhow!(
                    "not approved; nothing went live. gudok refuse {short} settles it"
                )));
            }
        }
        version = versions::judged(session, &id, "approve", None).await?.json()?;
    }
    let mut told = false;
    while version["state"] == "waiting" {
        let how =
            format!("{} ({short}) waits for an admin's approval: gudok approve {short}", versions::name(&version));
        if !arguments.wait || Instant::now() >= deadline {
            return Err(Failure::Failed(anyhow!("{how}")));
        }
        if !std::mem::replace(&mut told, true) {
            session.screen.note(&how);
        }
        tokio::time::sleep(APPROVAL_PAUSE).await;
        version = session.client.get(&["versions", &id], &[]).await?.json()?;
    }
    if version["state"] == "refused" {
        return Err(Failure::Failed(anyhow!("{} ({short}) was refused by an admin", versions::name(&version))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_names_its_fields() {
        let read = guard("sample_min=50,trap_percent_over=1.5").unwrap();
        assert_eq!(read, json!({ "sample_min": 50, "trap_percent_over": 1.5 }));
        for wrong in ["", "sample=1", "sample_min", "sample_min=many", "sample_min=1.5", "cpu_times_max=-1"] {
            assert!(guard(wrong).is_err(), "{wrong}");
        }
    }
}
