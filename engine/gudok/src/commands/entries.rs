//! `gudok entry`: what an entry's script is told: settings, and where its secrets are.

use super::arguments::{PlaceArguments, pair};
use super::remote::{Cell, Outcome, Remote, Screen, Session, Table, Write, fields};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// What `gudok entry` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the settings, and where secrets come from.
    Show {
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Changes them: what is given, and nothing else. New calls have it.
    Set {
        #[command(flatten)]
        place: PlaceArguments,
        /// A setting, over the manifest's.
        #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
        config: Vec<(String, String)>,
        /// The manifest's value again.
        #[arg(long, value_name = "KEY")]
        unset_config: Vec<String>,
        /// Where a secret is, never the secret itself: back-end=env:BACK_END or back-end=file:/etc/gudok/back-end.
        #[arg(long, value_name = "NAME=env:…|file:…", value_parser = reference)]
        secret: Vec<(String, String)>,
        /// Forget a secret.
        #[arg(long, value_name = "NAME")]
        unset_secret: Vec<String>,
    },
}

/// A reference to a secret.
fn reference(text: &str) -> Result<(String, String), String> {
    let (name, place) = pair(text)?;
    match place.split_once(':') {
        Some(("env" | "file", what)) if !what.is_empty() => Ok((name, place)),
        // The value itself is not repeated: it may be the secret.
        _ => {
            Err("write NAME=env:VARIABLE or NAME=file:PATH; a secret itself has no place on a command line".to_owned())
        }
    }
}

/// `gudok entry`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Show { place } => {
            let place = place.place()?;
            let answer = session.client.get(&["agencies", &place.agency, "entries", &place.entry], &[]).await?;
            session.show(&answer, print)
        }
        Command::Set { place, config, unset_config, secret, unset_secret } => {
            let place = place.place()?;
            let path = ["agencies", place.agency.as_str(), "entries", place.entry.as_str()];
            let found = session.client.find(&path).await?;
            let (mut document, etag) = match found {
                Some(answer) => (answer.json()?, answer.etag),
                None => (json!({}), None),
            };
            changed(&mut document, "config", config, unset_config);
            changed(&mut document, "secrets", secret, unset_secret);
            let answer = session.client.write(Write::put(&path, document).if_match(etag)).await?;
            session.show(&answer, print)
        }
    }
}

fn changed(document: &mut Value, part: &str, set: &[(String, String)], unset: &[String]) {
    if !document[part].is_object() {
        document[part] = json!({});
    }
    if let Some(fields) = document[part].as_object_mut() {
        for name in unset {
            fields.remove(name);
        }
        for (name, value) in set {
            fields.insert(name.clone(), value.as_str().into());
        }
    }
}

fn print(screen: &Screen, entry: &Value) {
    let mut table = Table::new(&["", "NAME", "VALUE"]);
    for (part, what) in [("config", "config"), ("secrets", "secret")] {
        for (name, value) in entry[part].as_object().into_iter().flatten() {
            table.row([Cell::new(what), Cell::new(name), Cell::new(fields::words(value))]);
        }
    }
    if table.is_empty() {
        screen.note("nothing is set: the script has its manifest's settings");
    } else {
        screen.table(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_reference_and_never_a_value() {
        assert_eq!(reference("back-end=env:BACK_END").unwrap().1, "env:BACK_END");
        assert_eq!(reference("back-end=file:/etc/gudok/b=c").unwrap().1, "file:/etc/gudok/b=c");
        for wrong in ["back-end=hunter2", "back-end=env:", "back-end", "=env:A"] {
            let why = reference(wrong).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_change_leaves_the_rest_alone() {
        let mut entry = json!({ "config": { "office": "1", "city": "x" } });
        changed(&mut entry, "config", &[("office".into(), "2".into())], &["city".into()]);
        changed(&mut entry, "secrets", &[], &[]);
        assert_eq!(entry, json!({ "config": { "office": "2" }, "secrets": {} }));
    }
}
