//! `gudok key`: who may sign for an agency.

use super::arguments::Moment;
use super::remote::{Cell, Column, Outcome, Page, Paint, Remote, Session, Write, fields};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

const COLUMNS: &[Column] = &[
    ("KEY", |key| fields::cell(key, "id")),
    ("FROM", |key| Cell::new(fields::local(fields::first(key, &["not_before", "not_before_ms"])))),
    ("EXPIRES", |key| Cell::new(fields::local(fields::first(key, &["expires", "expires_ms"])))),
    ("REVOKED", |key| match &key["revoked"] {
        serde_json::Value::Bool(_) => fields::yes(key, "revoked", Paint::Bad),
        when => Cell::new(fields::local(when)).paint(Paint::Bad),
    }),
    ("COMMENT", |key| fields::cell(key, "comment")),
];

/// What `gudok key` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists an agency's keys.
    List {
        /// Whose.
        #[arg(long)]
        agency: String,
        #[command(flatten)]
        page: Page,
    },
    /// Lets a key sign for an agency.
    Add {
        /// The public key: a file of `gudok keygen` or minisign, or the key's own line.
        key: String,
        /// Whose.
        #[arg(long)]
        agency: String,
        /// Whose key it is, for people.
        #[arg(long, default_value = "")]
        comment: String,
        /// It signs nothing before: a moment, or so long from now.
        #[arg(long)]
        not_before: Option<Moment>,
        /// It signs nothing after: a moment, or so long from now, "365d".
        #[arg(long)]
        expires: Option<Moment>,
    },
    /// Takes a key's right to sign, for good. Versions that are live stay live.
    Revoke {
        /// The key's id, 16 digits.
        key: String,
        /// Whose.
        #[arg(long)]
        agency: String,
    },
}

/// `gudok key`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { agency, page } => {
            session.list(&["agencies", agency, "keys"], Vec::new(), page, COLUMNS, "no keys: gudok key add").await
        }
        Command::Add { key, agency, comment, not_before, expires } => {
            let mut body = json!({ "public_key": public_key(key)?, "comment": comment });
            for (name, moment) in [("not_before", not_before), ("expires", expires)] {
                if let Some(moment) = moment {
                    body[name] = moment.text()?.into();
                }
            }
            let answer = session.client.write(Write::post(&["agencies", agency, "keys"]).body(body)).await?;
            session.show(&answer, |screen, key| {
                screen.line(&format!("{} signs for {agency}", fields::text(key, "id")));
            })
        }
        Command::Revoke { key, agency } => {
            let answer = session.client.write(Write::delete(&["agencies", agency, "keys", key])).await?;
            session.show(&answer, |screen, _| screen.note(&format!("{key} signs nothing any more")))
        }
    }
}

/// A public key's line, from a file of minisign's form or as it is.
pub(crate) fn public_key(given: &str) -> anyhow::Result<String> {
    let path = PathBuf::from(given);
    let text = if path.is_file() {
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?
    } else {
        given.to_owned()
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("untrusted comment:"));
    let line = line.with_context(|| format!("{given} holds no public key"))?;
    if line.contains("secret key") || text.contains("secret key") {
        bail!("{} is a secret key: it stays where it is. The engine wants the public one (.pub)", shown(&path));
    }
    Ok(line.to_owned())
}

fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| "that".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_a_line_or_a_file() {
        assert_eq!(public_key("RWQabc=").unwrap(), "RWQabc=");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("k.pub");
        std::fs::write(&file, "untrusted comment: minisign public key 1\nRWQabc=\n").unwrap();
        assert_eq!(public_key(file.to_str().unwrap()).unwrap(), "RWQabc=");
        std::fs::write(&file, "untrusted comment: minisign encrypted secret key\nRWRTY=\n").unwrap();
        let error = public_key(file.to_str().unwrap()).unwrap_err().to_string();
        assert!(error.contains("k.pub is a secret key"), "{error}");
    }
}
