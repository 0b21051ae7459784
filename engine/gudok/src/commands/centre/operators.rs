//! `gudok operators`: who talks to callers, and what each is doing.

use super::super::arguments::pair;
use super::super::places::delete;
use super::super::remote::{
    Cell, Column, Failure, Outcome, Page, Paint, Remote, Screen, Session, Write, ask_secret, fields,
};
use super::of_agency;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const COLUMNS: &[Column] = &[
    ("OPERATOR", |operator| fields::cell(operator, "name")),
    ("NAME", |operator| fields::cell(operator, "shown_name")),
    ("STATE", |operator| Cell::new(fields::text(operator, "state")).paint(paint(operator))),
    ("FOR", |operator| Cell::figure(fields::age(&operator["since_ms"], Timestamp::now()))),
    ("WHY", |operator| fields::cell(operator, "reason")),
    ("PHONE", |operator| Cell::new(if operator["reachable"] == true { "" } else { "gone" }).paint(Paint::Bad)),
    ("QUEUES", |operator| fields::cell(operator, "queues")),
    ("ANSWERED", |operator| Cell::figure(fields::count(operator, "answered"))),
    ("MISSED", |operator| Cell::figure(fields::count(operator, "missed"))),
];

fn paint(operator: &Value) -> Paint {
    match operator["state"].as_str() {
        Some("ready") => Paint::Good,
        Some("paused") => Paint::Warn,
        Some("logged-out") => Paint::Faint,
        _ => Paint::Plain,
    }
}

/// What `gudok operators` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows one.
    Show {
        /// The login.
        operator: String,
    },
    /// Adds one. The user of that name, with the role operator:AGENCY, sits at the desk.
    Add {
        /// The login.
        operator: String,
        #[command(flatten)]
        fields: OperatorFields,
    },
    /// Changes one: what is given, and nothing else.
    Set {
        /// The login.
        operator: String,
        #[command(flatten)]
        fields: OperatorFields,
    },
    /// Deletes one; the user stays.
    Delete {
        /// The login.
        operator: String,
    },
    /// Says what one is to do.
    State {
        /// The login.
        operator: String,
        /// Ready also logs in.
        state: State,
        /// Of one's own pause: why, in a word.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Ready,
    Pause,
    LoggedOut,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Pause => "pause",
            Self::LoggedOut => "logged-out",
        }
    }
}

#[derive(Debug, Default, Args)]
struct OperatorFields {
    /// As colleagues see it.
    #[arg(long)]
    shown_name: Option<String>,
    /// A queue of gudok.toml that this operator serves; may be given several times. Together they are all.
    #[arg(long = "queue", value_name = "QUEUE")]
    queues: Vec<String>,
    /// How good at what, from 1 to 10: --skill en=2. Together they are all.
    #[arg(long = "skill", value_name = "SKILL=LEVEL", value_parser = pair)]
    skills: Vec<(String, String)>,
    /// The telephone is at a fixed address: TRUNK/ADDRESS.
    #[arg(long, value_name = "TRUNK/ADDRESS", conflicts_with = "registers")]
    fixed: Option<String>,
    /// The telephone registers under the operator's name.
    #[arg(long)]
    registers: bool,
    /// Ask for a password for the telephone that registers; without a terminal it is a line on standard input.
    #[arg(long)]
    phone_password: bool,
    /// Ready from the start without a login.
    #[arg(long, value_name = "true|false")]
    always_ready: Option<bool>,
}

impl OperatorFields {
    fn put_into(&self, operator: &mut Value) -> Result<(), Failure> {
        if let Some(name) = &self.shown_name {
            operator["shown_name"] = name.as_str().into();
        }
        if !self.queues.is_empty() {
            operator["queues"] = self.queues.clone().into();
        }
        if !self.skills.is_empty() {
            let level = |(skill, level): &(String, String)| match level.parse::<u8>() {
                Ok(level) => Ok((skill.clone(), Value::from(level))),
                Err(_) => Err(Failure::Usage(format!("--skill {skill}={level}: a level is a number from 1 to 10"))),
            };
            operator["skills"] = Value::Object(self.skills.iter().map(level).collect::<Result<Map<_, _>, _>>()?);
        }
        if let Some(place) = &self.fixed {
            let wrong = || Failure::Usage("--fixed is TRUNK/ADDRESS, such as office/204".into());
            let (trunk, address) = place.split_once('/').ok_or_else(wrong)?;
            operator["phone"] = json!({ "kind": "fixed", "trunk": trunk, "address": address });
        }
        if self.registers {
            operator["phone"] = json!({ "kind": "registers" });
        }
        if self.phone_password {
            operator["phone_password"] = ask_secret("The telephone's password: ")?.into();
        }
        if let Some(always_ready) = self.always_ready {
            operator["always_ready"] = always_ready.into();
        }
        Ok(())
    }
}

/// `gudok operators`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        None => {
            let query = of_agency(arguments.agency.as_ref());
            session.list(&["operators"], query, &arguments.page, COLUMNS, "no operators: gudok operators add").await
        }
        Some(Command::Show { operator }) => {
            let answer = session.client.get(&["operators", operator], &[]).await?;
            session.show(&answer, print)
        }
        Some(Command::Add { operator, fields }) => {
            let mut body = json!({ "name": operator });
            fields.put_into(&mut body)?;
            let answer = session.client.write(Write::post(&["operators"]).body(body)).await?;
            session.show(&answer, print)
        }
        Some(Command::Set { operator, fields }) => {
            let path = ["operators", operator];
            let found = session.client.get(&path, &[]).await?;
            let mut document = found.json()?;
            fields.put_into(&mut document)?;
            let answer = session.client.write(Write::put(&path, document).if_match(found.etag)).await?;
            session.show(&answer, print)
        }
        Some(Command::Delete { operator }) => delete(session, &["operators", operator]).await,
        Some(Command::State { operator, state, reason }) => {
            let body = json!({ "state": state.as_str(), "reason": reason });
            let answer = session.client.write(Write::post(&["operators", operator, "state"]).body(body)).await?;
            session.show(&answer, |screen, row| screen.note(&format!("{operator} is {}", fields::text(row, "state"))))
        }
    }
}

fn print(screen: &Screen, operator: &Value) {
    let skills = operator["skills"].as_object().into_iter().flatten();
    let skills: Vec<String> = skills.map(|(skill, level)| format!("{skill}={level}")).collect();
    let phone = &operator["phone"];
    let phone = match phone["kind"].as_str() {
        Some("fixed") => format!("{}/{}", fields::text(phone, "trunk"), fields::text(phone, "address")),
        Some(_) if phone["has_password"] == true => "registers".to_owned(),
        Some(_) => "registers, but has no password: gudok operators set --phone-password".to_owned(),
        None => "as gudok.toml says".to_owned(),
    };
    screen.facts(&[
        ("operator", fields::cell(operator, "name")),
        ("name", fields::cell(operator, "shown_name")),
        ("telephone", Cell::new(phone)),
        ("queues", fields::cell(operator, "queues")),
        ("skills", Cell::new(skills.join(", "))),
        ("state", fields::cell(&operator["now"], "state")),
        ("kept in", fields::cell(operator, "source")),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_keeps_what_is_not_named() {
        let mut operator = json!({ "name": "anna", "queues": ["help"], "skills": { "en": 2 } });
        let fields = OperatorFields {
            skills: vec![("tt".into(), "3".into())],
            fixed: Some("office/204".into()),
            ..OperatorFields::default()
        };
        fields.put_into(&mut operator).unwrap();
        let wanted = json!({
            "name": "anna", "queues": ["help"], "skills": { "tt": 3 },
            "phone": { "kind": "fixed", "trunk": "office", "address": "204" },
        });
        assert_eq!(operator, wanted);
        let wrong = OperatorFields { skills: vec![("en".into(), "good".into())], ..OperatorFields::default() };
        assert!(matches!(wrong.put_into(&mut operator), Err(Failure::Usage(_))));
    }
}
