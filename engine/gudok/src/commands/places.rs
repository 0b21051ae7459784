//! `gudok agency`, `gudok number`: whose the calls are, and where a dialled number leads.

use super::arguments::{Place, pair};
use super::remote::{Cell, Column, Outcome, Page, Remote, Screen, Session, Write, fields};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

const AGENCIES: &[Column] = &[
    ("AGENCY", |agency| fields::cell(agency, "name")),
    ("TITLE", |agency| fields::cell(agency, "title")),
    ("FALLBACK", |agency| fields::cell(agency, "fallback")),
    ("OUTBOUND", |agency| fields::cell(agency, "outbound")),
    ("KEPT IN", |agency| fields::cell(agency, "source")),
];

const NUMBERS: &[Column] = &[
    ("NUMBER", |number| fields::cell(number, "number")),
    ("LEADS TO", |number| Cell::new(format!("{}/{}", fields::text(number, "agency"), fields::text(number, "entry")))),
    ("LANGUAGE", |number| fields::cell(number, "lang")),
    ("KEPT IN", |number| fields::cell(number, "source")),
];

/// What `gudok agency` is told.
#[derive(Debug, Args)]
pub(crate) struct Agencies {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: AgencyCommand,
}

#[derive(Debug, Subcommand)]
enum AgencyCommand {
    /// Lists the agencies.
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows one.
    Show {
        /// Which.
        agency: String,
    },
    /// Adds one.
    Add {
        /// Its name, a-z, 0-9 and -.
        agency: String,
        #[command(flatten)]
        fields: AgencyFields,
    },
    /// Changes one: what is given, and nothing else.
    Set {
        /// Which.
        agency: String,
        #[command(flatten)]
        fields: AgencyFields,
    },
    /// Deletes one that has no numbers and no deployments.
    Delete {
        /// Which.
        agency: String,
    },
}

#[derive(Debug, Args)]
struct AgencyFields {
    /// Its name for people.
    #[arg(long)]
    title: Option<String>,
    /// The group of gudok.toml where its callers land.
    #[arg(long)]
    fallback: Option<String>,
    /// The trunk of gudok.toml that its calls go out by.
    #[arg(long)]
    outbound: Option<String>,
    /// The queue of gudok.toml where its callers wait for an operator.
    #[arg(long)]
    queue: Option<String>,
    /// What callers hear from the host's own menu when the agency's script fails.
    #[arg(long)]
    information: Option<String>,
    /// A script of another agency that its scripts may hand callers to: passport=migration/passport.
    #[arg(long, value_name = "NAME=AGENCY/ENTRY", value_parser = pair)]
    reachable: Vec<(String, String)>,
    /// New rights need two admins, or one.
    #[arg(long, value_name = "true|false")]
    two_person: Option<bool>,
    /// Its callers are asked before they are recorded.
    #[arg(long, value_name = "true|false")]
    recording_consent: Option<bool>,
}

impl AgencyFields {
    fn put_into(&self, agency: &mut Value) {
        let texts = [("title", &self.title), ("fallback", &self.fallback), ("outbound", &self.outbound)];
        for (name, value) in texts.into_iter().chain([("queue", &self.queue), ("information", &self.information)]) {
            if let Some(value) = value {
                agency[name] = value.as_str().into();
            }
        }
        if !self.reachable.is_empty() {
            let reachable = self.reachable.iter().map(|(name, place)| (name.clone(), Value::from(place.as_str())));
            agency["reachable"] = Value::Object(reachable.collect::<Map<_, _>>());
        }
        if let Some(two_person) = self.two_person {
            agency["two_person"] = two_person.into();
        }
        if let Some(consent) = self.recording_consent {
            agency["recording_consent"] = consent.into();
        }
    }
}

/// `gudok agency`.
pub(crate) async fn agencies(session: &Session, arguments: &Agencies) -> Outcome {
    match &arguments.command {
        AgencyCommand::List { page } => {
            session.list(&["agencies"], Vec::new(), page, AGENCIES, "no agencies: gudok agency add").await
        }
        AgencyCommand::Show { agency } => {
            let answer = session.client.get(&["agencies", agency], &[]).await?;
            session.show(&answer, print_agency)
        }
        AgencyCommand::Add { agency, fields } => {
            let mut body = json!({ "name": agency });
            fields.put_into(&mut body);
            let answer = session.client.write(Write::post(&["agencies"]).body(body)).await?;
            session.show(&answer, print_agency)
        }
        AgencyCommand::Set { agency, fields } => {
            let path = ["agencies", agency];
            let found = session.client.get(&path, &[]).await?;
            let mut document = found.json()?;
            fields.put_into(&mut document);
            let answer = session.client.write(Write::put(&path, document).if_match(found.etag)).await?;
            session.show(&answer, print_agency)
        }
        AgencyCommand::Delete { agency } => delete(session, &["agencies", agency]).await,
    }
}

fn print_agency(screen: &Screen, agency: &Value) {
    let reachable = agency["reachable"].as_object().into_iter().flatten();
    let reachable: Vec<String> = reachable.map(|(name, place)| format!("{name}={}", fields::words(place))).collect();
    screen.facts(&[
        ("agency", fields::cell(agency, "name")),
        ("title", fields::cell(agency, "title")),
        ("fallback", fields::cell(agency, "fallback")),
        ("outbound", fields::cell(agency, "outbound")),
        ("queue", fields::cell(agency, "queue")),
        ("information", fields::cell(agency, "information")),
        ("reachable", Cell::new(reachable.join(", "))),
        ("two-person approval", fields::cell(agency, "two_person")),
        ("recording consent", fields::cell(agency, "recording_consent")),
        ("kept in", fields::cell(agency, "source")),
    ]);
}

/// Deletes a document that is still as it is now.
pub(crate) async fn delete(session: &Session, path: &[&str]) -> Outcome {
    let found = session.client.get(path, &[]).await?;
    let answer = session.client.write(Write::delete(path).if_match(found.etag)).await?;
    session.show(&answer, |screen, _| screen.note(&format!("{} is deleted", path.last().unwrap_or(&""))))
}

/// What `gudok number` is told.
#[derive(Debug, Args)]
pub(crate) struct Numbers {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: NumberCommand,
}

#[derive(Debug, Subcommand)]
enum NumberCommand {
    /// Lists the numbers.
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows one.
    Show {
        /// As it is dialled.
        number: String,
    },
    /// Lets a number lead to an entry; a number that is there already leads there from now on.
    Set {
        /// As it is dialled; "*" is any other.
        number: String,
        /// Where it leads.
        #[arg(value_name = "AGENCY/ENTRY")]
        place: Place,
        /// The language that its callers begin with.
        #[arg(long)]
        lang: Option<String>,
        /// The region or municipality that it stands for.
        #[arg(long)]
        area: Option<String>,
        /// Who dials it is called back by this queue of gudok.toml, and no script answers.
        #[arg(long, value_name = "QUEUE")]
        callback: Option<String>,
    },
    /// Deletes one.
    Delete {
        /// As it is dialled.
        number: String,
    },
}

/// `gudok number`.
pub(crate) async fn numbers(session: &Session, arguments: &Numbers) -> Outcome {
    match &arguments.command {
        NumberCommand::List { page } => {
            session.list(&["numbers"], Vec::new(), page, NUMBERS, "no numbers: gudok number set").await
        }
        NumberCommand::Show { number } => {
            let answer = session.client.get(&["numbers", number], &[]).await?;
            session.show(&answer, print_number)
        }
        NumberCommand::Set { number, place, lang, area, callback } => {
            let path = ["numbers", number];
            let found = session.client.find(&path).await?;
            let mut document = match &found {
                Some(answer) => answer.json()?,
                None => json!({ "number": number }),
            };
            document["agency"] = place.agency.as_str().into();
            document["entry"] = place.entry.as_str().into();
            for (name, value) in [("lang", lang), ("area", area), ("callback", callback)] {
                if let Some(value) = value {
                    document[name] = value.as_str().into();
                }
            }
            let write = match found {
                Some(answer) => Write::put(&path, document).if_match(answer.etag),
                None => Write::post(&["numbers"]).body(document),
            };
            let answer = session.client.write(write).await?;
            session.show(&answer, print_number)
        }
        NumberCommand::Delete { number } => delete(session, &["numbers", number]).await,
    }
}

fn print_number(screen: &Screen, number: &Value) {
    let place = format!("{}/{}", fields::text(number, "agency"), fields::text(number, "entry"));
    screen.facts(&[
        ("number", fields::cell(number, "number")),
        ("leads to", Cell::new(place)),
        ("language", fields::cell(number, "lang")),
        ("area", fields::cell(number, "area")),
        ("called back by", fields::cell(number, "callback")),
        ("kept in", fields::cell(number, "source")),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_keeps_what_is_not_named() {
        let mut agency = json!({ "name": "mfc", "title": "МФЦ", "reachable": { "a": "b/c" } });
        let fields = AgencyFields {
            title: None,
            fallback: Some("night".into()),
            outbound: None,
            queue: None,
            information: None,
            reachable: Vec::new(),
            two_person: Some(true),
            recording_consent: None,
        };
        fields.put_into(&mut agency);
        let wanted = json!({
            "name": "mfc", "title": "МФЦ", "reachable": { "a": "b/c" }, "fallback": "night", "two_person": true,
        });
        assert_eq!(agency, wanted);
    }
}
