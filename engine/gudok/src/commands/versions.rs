//! `gudok versions`, `approve`, `refuse`: what was uploaded, and what may go live.

use super::remote::{
    Cell, Column, Failure, Outcome, Page, Paint, Remote, Session, Table, UPLOAD_BYTES_MAX, Write, fields,
};
use super::report;
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Digits of an id that are taken for a version.
const ID_DIGITS_MIN: usize = 6;
/// Digits of a whole id.
const ID_DIGITS: usize = 64;

const COLUMNS: &[Column] = &[
    ("VERSION", |version| Cell::new(fields::short(&fields::text(version, "id")))),
    ("AGENCY", |version| fields::cell(version, "agency")),
    ("SCRIPT", |version| Cell::new(name(version))),
    ("KIND", |version| fields::cell(version, "kind")),
    ("STATE", |version| Cell::state(fields::text(version, "state"))),
    ("LIVE AT", |version| fields::cell(version, "deployed_at")),
    ("SIGNED BY", |version| fields::cell(version, "signed_by")),
    ("UPLOADED", |version| fields::moment(version, "uploaded")),
    ("BY", |version| fields::cell(version, "uploaded_by")),
];

/// What `gudok versions` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// Only of this script.
    #[arg(long)]
    script: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is done with one version. A VERSION is an id, its first digits, "1.2.0" or "passport@1.2.0".
#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that is known of a version, with the report of its check.
    Show(One),
    /// What it changes against another version, or against none.
    Difference {
        #[command(flatten)]
        version: One,
        /// The version to compare with.
        #[arg(long, value_name = "VERSION")]
        against: Option<String>,
    },
    /// Uploads and checks a bundle without deploying it.
    Upload {
        /// The bundle, a file NAME-VERSION.ivr.
        bundle: PathBuf,
        /// Whose it is.
        #[arg(long)]
        agency: String,
        /// Take it although a newer version was released.
        #[arg(long)]
        allow_downgrade: bool,
    },
    /// Fetches a version's bundle.
    Download {
        #[command(flatten)]
        version: One,
        /// Where it goes; "-" is standard output.
        #[arg(long)]
        out: PathBuf,
    },
    /// Deletes a version that serves nowhere.
    Delete(One),
}

/// One version.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// An id, its first digits, "1.2.0" or "passport@1.2.0".
    version: String,
    /// Whose it is; saves looking through all.
    #[arg(long)]
    agency: Option<String>,
}

/// What `gudok approve` and `gudok refuse` are told.
#[derive(Debug, Args)]
pub(crate) struct Judgement {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    version: One,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// `gudok versions`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let query = filter(arguments.agency.as_deref(), arguments.script.as_deref());
            session.list(&["versions"], query, &arguments.page, COLUMNS, "no versions: gudok deploy uploads one").await
        }
        Some(Command::Show(version)) => show(session, version).await,
        Some(Command::Difference { version, against }) => difference(session, version, against.as_deref()).await,
        Some(Command::Upload { bundle, agency, allow_downgrade }) => {
            let answer = upload(session, bundle, agency, *allow_downgrade).await?;
            session.show(&answer, |screen, answer| {
                report::print_report(screen, &answer["report"]);
                report::print_difference(screen, &answer["report"]["difference"]);
                told(session, &answer["version"]);
            })
        }
        Some(Command::Download { version, out }) => {
            let id = id(&find(session, version.agency.as_deref(), &version.version).await?)?;
            let bytes = session.client.download(&["versions", &id, "bundle"], &[], out).await?;
            session.screen.note(&format!("{}: {}", out.display(), fields::size(bytes)));
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Delete(version)) => {
            let id = id(&find(session, version.agency.as_deref(), &version.version).await?)?;
            let answer = session.client.write(Write::delete(&["versions", &id])).await?;
            session.show(&answer, |screen, _| screen.note(&format!("{} is deleted", fields::short(&id))))
        }
    }
}

/// `gudok approve` and `gudok refuse`.
pub(crate) async fn judge(session: &Session, arguments: &Judgement, verb: &str) -> Outcome {
    let version = find(session, arguments.version.agency.as_deref(), &arguments.version.version).await?;
    let id = id(&version)?;
    let answer = judged(session, &id, verb, arguments.reason.as_deref()).await?;
    session.show(&answer, |_, version| told(session, version))
}

/// Approves or refuses.
pub(crate) async fn judged(
    session: &Session,
    id: &str,
    verb: &str,
    reason: Option<&str>,
) -> Result<super::remote::Answer, Failure> {
    session.client.write(Write::post(&["versions", id, verb]).body(json!({ "reason": reason }))).await
}

/// Uploads a bundle's file and has it checked: `{version, report}`.
pub(crate) async fn upload(
    session: &Session,
    file: &Path,
    agency: &str,
    allow_downgrade: bool,
) -> Result<super::remote::Answer, Failure> {
    let size = std::fs::metadata(file).with_context(|| format!("reading {}", file.display()))?.len();
    check_size(size, &file.display())?;
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    upload_bytes(session, bytes, agency, allow_downgrade).await
}

/// The same with a bundle that is in memory.
pub(crate) async fn upload_bytes(
    session: &Session,
    bytes: Vec<u8>,
    agency: &str,
    allow_downgrade: bool,
) -> Result<super::remote::Answer, Failure> {
    let query = [("agency", agency.to_owned()), ("allow_downgrade", allow_downgrade.to_string())];
    session.client.upload(&["bundles"], &query, bytes.into()).await
}

/// Before anything is read.
pub(crate) fn check_size(size: u64, of: &dyn std::fmt::Display) -> Result<(), Failure> {
    if size <= UPLOAD_BYTES_MAX {
        return Ok(());
    }
    let (is, most) = (fields::size(size), fields::size(UPLOAD_BYTES_MAX));
    Err(Failure::Failed(anyhow::anyhow!("{of} is {is} large; a bundle has at most {most}")))
}

/// The version that is meant.
pub(crate) async fn find(session: &Session, agency: Option<&str>, reference: &str) -> Result<Value, Failure> {
    if reference.len() == ID_DIGITS && is_id(reference) {
        return session.client.get(&["versions", reference], &[]).await?.json();
    }
    let (script, label) = match reference.split_once('@') {
        Some((script, label)) => (Some(script), label),
        None => (None, reference),
    };
    let all = session.all(&["versions"], &filter(agency, script)).await?;
    let mut meant: Vec<Value> = all.into_iter().filter(|version| means(version, label, script.is_none())).collect();
    match meant.len() {
        1 => Ok(meant.remove(0)),
        0 => Err(Failure::Failed(anyhow::anyhow!("no version is called {reference}: gudok versions lists them"))),
        _ => {
            let names: Vec<String> =
                meant.iter().map(|version| format!("{} ({})", fields::text(version, "id"), name(version))).collect();
            Err(Failure::Failed(anyhow::anyhow!("{reference} may be any of these:\n  {}", names.join("\n  "))))
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() >= ID_DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn means(version: &Value, label: &str, by_id_too: bool) -> bool {
    let id = version["id"].as_str().unwrap_or_default();
    version["version"] == label || (by_id_too && is_id(label) && id.starts_with(label))
}

fn filter(agency: Option<&str>, script: Option<&str>) -> Vec<(&'static str, String)> {
    let agency = agency.map(|agency| ("agency", agency.to_owned()));
    agency.into_iter().chain(script.map(|script| ("script", script.to_owned()))).collect()
}

/// A version's id.
pub(crate) fn id(version: &Value) -> Result<String, Failure> {
    Ok(version["id"].as_str().context("the engine's version has no id")?.to_owned())
}

/// "passport 1.2.0".
pub(crate) fn name(version: &Value) -> String {
    format!("{} {}", fields::text(version, "script"), fields::text(version, "version"))
}

/// Says what state a version is in, and what comes next.
pub(crate) fn told(session: &Session, version: &Value) {
    let id = fields::text(version, "id");
    let state = fields::text(version, "state");
    session.screen.line(&format!("{} ({}) is {state}", name(version), fields::short(&id)));
    if state == "waiting" {
        session.screen.note(&format!("an admin approves it: gudok approve {}", fields::short(&id)));
    }
}

async fn show(session: &Session, one: &One) -> Outcome {
    let version = find(session, one.agency.as_deref(), &one.version).await?;
    let answer = session.client.get(&["versions", &id(&version)?], &[]).await?;
    session.show(&answer, |screen, version| {
        let approvals = version["approvals"].as_array().into_iter().flatten();
        let approved_by: Vec<String> = approvals
            .map(|approval| format!("{} ({})", fields::text(approval, "by"), fields::local(&approval["at"])))
            .collect();
        screen.facts(&[
            ("version", fields::cell(version, "id")),
            ("script", Cell::new(name(version))),
            ("agency", fields::cell(version, "agency")),
            ("kind", fields::cell(version, "kind")),
            ("interface", fields::cell(version, "interface")),
            ("languages", fields::cell(version, "languages")),
            ("entries", fields::cell(version, "entries")),
            ("state", Cell::state(fields::text(version, "state"))),
            ("live at", fields::cell(version, "deployed_at")),
            ("signed by", fields::cell(version, "signed_by")),
            ("uploaded", fields::moment(version, "uploaded")),
            ("by", fields::cell(version, "uploaded_by")),
            ("approved by", Cell::new(approved_by.join(", "))),
            ("refused by", Cell::new(refused(&version["refused"]))),
            ("size", Cell::new(fields::size(fields::count(version, "size_bytes")))),
        ]);
        let mut asked = Table::new(&["", "", ""]);
        for (part, what) in [("capabilities", "right"), ("limits", "limit")] {
            for (name, value) in version[part].as_object().into_iter().flatten() {
                asked.row([Cell::new(what).paint(Paint::Faint), Cell::new(name), Cell::new(parameters(value))]);
            }
        }
        if !asked.is_empty() {
            screen.line("asks for:");
            screen.table(&asked);
        }
        report::print_report(screen, &version["report"]);
    })
}

/// What a right is limited to: "groups: operators; modes: bridge".
fn parameters(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return fields::words(value) };
    let named = fields.iter().map(|(name, value)| (name, fields::words(value))).filter(|(_, text)| !text.is_empty());
    named.map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join("; ")
}

/// "bob (2026-05-05 02:30:00): why".
fn refused(refused: &Value) -> String {
    if !refused.is_object() {
        return String::new();
    }
    format!("{} ({}): {}", fields::text(refused, "by"), fields::local(&refused["at"]), fields::text(refused, "reason"))
}

async fn difference(session: &Session, one: &One, against: Option<&str>) -> Outcome {
    let version = find(session, one.agency.as_deref(), &one.version).await?;
    let agency = version["agency"].as_str();
    let other = match against {
        Some(other) => Some(id(&find(session, agency, other).await?)?),
        None => None,
    };
    let answer = compared(session, &id(&version)?, other).await?;
    session.show(&answer, report::print_difference)
}

/// What a version changes.
pub(crate) async fn compared(
    session: &Session,
    id: &str,
    against: Option<String>,
) -> Result<super::remote::Answer, Failure> {
    let query: Vec<(&str, String)> = against.into_iter().map(|other| ("against", other)).collect();
    session.client.get(&["versions", id, "difference"], &query).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_by_label_or_by_first_digits() {
        let version = json!({ "id": "3f2a9cd01122", "version": "1.2.0" });
        for reference in ["1.2.0", "3f2a9c", "3f2a9cd01122"] {
            assert!(means(&version, reference, true), "{reference}");
        }
        for reference in ["1.2", "3f2a", "ffffff", ""] {
            assert!(!means(&version, reference, true), "{reference}");
        }
        assert!(!means(&version, "3f2a9c", false), "after a script's name comes a label");
    }
}
