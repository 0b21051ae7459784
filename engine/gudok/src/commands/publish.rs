//! `gudok publish`: hands a bundle over without putting it live, to the engine as a version or to a registry.

use super::remote::{Failure, Outcome, Remote, Screen, Session, anonymous, online, plain};
use super::wares::Wares;
use super::{report, versions};
use clap::Args;
use gudok_workbench::publish::{OciPlace, push};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `gudok publish` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// A project's folder, which is built and signed with your author's key; or a bundle's file.
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    what: String,
    /// To a registry and not to the engine: oci://HOST/REPOSITORY:TAG; the tag is the version where none is given.
    #[arg(long, value_name = "oci://…")]
    to: Option<OciPlace>,
    /// Sign it with this secret key first; a project's is signed with GUDOK_KEY or your author's key anyway.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Take it although a newer version was released.
    #[arg(long)]
    allow_downgrade: bool,
}

/// `gudok publish`.
pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.to {
        Some(place) => anonymous(&arguments.remote, async |screen| to_registry(screen, arguments, place).await),
        None => online(&arguments.remote, async |session| to_engine(session, arguments).await),
    }
}

async fn to_registry(screen: &Screen, arguments: &Arguments, place: &OciPlace) -> Outcome {
    let wares = wares(arguments, screen).await?;
    let pinned = push(place, &wares.bytes).await.map_err(anyhow::Error::new)?;
    if screen.json {
        screen.raw(&json!({ "script": wares.name, "agency": wares.agency, "place": pinned }).to_string());
    } else {
        screen.line(&format!("{} is at {pinned}", plain(&wares.name)));
        screen.note(&format!("to put it live: gudok deploy {pinned} {}/ENTRY", plain(&wares.agency)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn to_engine(session: &Session, arguments: &Arguments) -> Outcome {
    let wares = wares(arguments, &session.screen).await?;
    let answer = versions::upload_bytes(session, wares.bytes, &wares.agency, arguments.allow_downgrade).await?;
    session.show(&answer, |screen, answer| {
        report::print_report(screen, &answer["report"]);
        report::print_difference(screen, &answer["report"]["difference"]);
        versions::told(session, &answer["version"]);
    })
}

async fn wares(arguments: &Arguments, screen: &Screen) -> Result<Wares, Failure> {
    let wares = Wares::take(&arguments.what).await?;
    let none = || Failure::Usage(format!("{} is neither a project's folder nor a bundle's file", arguments.what));
    wares.ok_or_else(none)?.signed(arguments.sign.as_deref(), screen)
}
