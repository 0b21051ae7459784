//! `gudok user`, `gudok token`: who may ask the engine, and for what.

use super::arguments::Moment;
use super::remote::{
    Cell, Column, Failure, Outcome, Page, Paint, Remote, Session, Write, ask_secret, fields, is_interactive,
};
use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::str::FromStr;

const USERS: &[Column] = &[
    ("USER", |user| fields::cell(user, "name")),
    ("NAME", |user| fields::cell(user, "full_name")),
    ("ROLES", |user| Cell::new(fields::roles(&user["roles"]))),
    ("LANGUAGE", |user| fields::cell(user, "lang")),
    ("DISABLED", |user| fields::yes(user, "disabled", Paint::Bad)),
];

const TOKENS: &[Column] = &[
    ("TOKEN", |token| fields::cell(token, "id")),
    ("USER", |token| fields::cell(token, "user")),
    ("LABEL", |token| fields::cell(token, "label")),
    ("ROLES", |token| Cell::new(fields::roles(&token["roles"]))),
    ("CREATED", |token| fields::moment(token, "created")),
    ("EXPIRES", |token| fields::moment(token, "expires")),
    ("LAST USED", |token| fields::moment(token, "last_used")),
];

/// A role, with the agency that it is for: "admin", "author:mfc".
#[derive(Clone, Debug, PartialEq, Eq)]
struct Role {
    role: String,
    agency: Option<String>,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, agency) = match text.split_once(':') {
            Some((role, agency)) => (role, Some(agency.to_owned())),
            None => (text, None),
        };
        if role.is_empty() || agency.as_deref() == Some("") {
            return Err("write ROLE or ROLE:AGENCY, such as admin or author:mfc".to_owned());
        }
        Ok(Self { role: role.to_owned(), agency })
    }
}

impl Role {
    fn json(&self) -> Value {
        json!({ "role": self.role, "agency": self.agency })
    }
}

/// What `gudok user` is told.
#[derive(Debug, Args)]
pub(crate) struct Users {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: UserCommand,
}

/// Passwords are asked for; without a terminal they are a line on standard input.
#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Lists the users.
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows one.
    Show {
        /// Who.
        user: String,
    },
    /// Adds one, and asks for the password.
    Add {
        /// The name to log in with.
        user: String,
        #[command(flatten)]
        fields: UserFields,
    },
    /// Changes one: what is given, and nothing else.
    Set {
        /// Who.
        user: String,
        #[command(flatten)]
        fields: UserFields,
        /// Nobody logs in with that name, and its tokens are dead, until it is enabled.
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// The contrary.
        #[arg(long)]
        enable: bool,
    },
    /// Gives one a new password.
    Password {
        /// Who.
        user: String,
    },
    /// Deletes one, with its tokens.
    Delete {
        /// Who.
        user: String,
    },
}

#[derive(Debug, Args)]
struct UserFields {
    /// The person's name.
    #[arg(long)]
    full_name: Option<String>,
    /// What the person may do: admin, auditor, emergency-officer, supervisor, or for one agency author:AGENCY,
    /// supervisor:AGENCY, operator:AGENCY. May be given several times; together they are all roles that the user has.
    #[arg(long = "role", value_name = "ROLE[:AGENCY]")]
    roles: Vec<Role>,
    /// The console's language: ru or en.
    #[arg(long)]
    lang: Option<String>,
}

impl UserFields {
    fn put_into(&self, user: &mut Value) {
        if let Some(name) = &self.full_name {
            user["full_name"] = name.as_str().into();
        }
        if !self.roles.is_empty() {
            user["roles"] = self.roles.iter().map(Role::json).collect();
        }
        if let Some(lang) = &self.lang {
            user["lang"] = lang.as_str().into();
        }
    }
}

/// `gudok user`.
pub(crate) async fn users(session: &Session, arguments: &Users) -> Outcome {
    match &arguments.command {
        UserCommand::List { page } => {
            session.list(&["users"], Vec::new(), page, USERS, "no users: gudok user add").await
        }
        UserCommand::Show { user } => {
            let answer = session.client.get(&["users", user], &[]).await?;
            session.show(&answer, print_user)
        }
        UserCommand::Add { user, fields } => {
            if fields.roles.is_empty() {
                return Err(Failure::Usage("--role says what the user may do: --role admin, --role author:mfc".into()));
            }
            let mut body = json!({ "name": user, "password": new_password(user)? });
            fields.put_into(&mut body);
            let answer = session.client.write(Write::post(&["users"]).body(body)).await?;
            session.show(&answer, print_user)
        }
        UserCommand::Set { user, fields, disable, enable } => {
            let change = |document: &mut Value| {
                fields.put_into(document);
                if *disable || *enable {
                    document["disabled"] = (*disable).into();
                }
            };
            changed(session, user, change).await
        }
        UserCommand::Password { user } => {
            let password = new_password(user)?;
            changed(session, user, |document| document["password"] = password.as_str().into()).await
        }
        UserCommand::Delete { user } => {
            let answer = session.client.write(Write::delete(&["users", user])).await?;
            session.show(&answer, |screen, _| screen.note(&format!("{user} is deleted")))
        }
    }
}

async fn changed(session: &Session, user: &str, change: impl FnOnce(&mut Value)) -> Outcome {
    let path = ["users", user];
    let found = session.client.get(&path, &[]).await?;
    let mut document = found.json()?;
    change(&mut document);
    let answer = session.client.write(Write::put(&path, document).if_match(found.etag)).await?;
    session.show(&answer, print_user)
}

fn print_user(screen: &super::remote::Screen, user: &Value) {
    screen.facts(&[
        ("user", fields::cell(user, "name")),
        ("name", fields::cell(user, "full_name")),
        ("roles", Cell::new(fields::roles(&user["roles"]))),
        ("language", fields::cell(user, "lang")),
        ("disabled", fields::yes(user, "disabled", Paint::Bad)),
    ]);
}

fn new_password(user: &str) -> Result<String, Failure> {
    let password = ask_secret(&format!("New password for {user}: "))?;
    if is_interactive() && ask_secret("Once more: ")? != password {
        return Err(Failure::Failed(anyhow!("the two are not the same; nothing was changed")));
    }
    Ok(password)
}

/// What `gudok token` is told.
#[derive(Debug, Args)]
pub(crate) struct Tokens {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Lists the tokens that work.
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Makes a token for a program, and prints it this once.
    Create {
        /// What it is for.
        #[arg(long)]
        label: String,
        /// For another user; only admins may.
        #[arg(long)]
        user: Option<String>,
        /// It works so long, or until a moment.
        #[arg(long, default_value = "90d")]
        expires: Moment,
        /// What it may do, not more than you; all that you may where none is given.
        #[arg(long = "role", value_name = "ROLE[:AGENCY]")]
        roles: Vec<Role>,
        /// Write the token into this file, readable for you only, instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<std::path::PathBuf>,
    },
    /// Ends a token.
    Revoke {
        /// Its id.
        token: String,
    },
}

/// `gudok token`.
pub(crate) async fn tokens(session: &Session, arguments: &Tokens) -> Outcome {
    match &arguments.command {
        TokenCommand::List { page } => session.list(&["tokens"], Vec::new(), page, TOKENS, "no tokens").await,
        TokenCommand::Create { label, user, expires, roles, out } => {
            let mut body = json!({ "label": label, "expires": expires.text()? });
            if let Some(user) = user {
                body["user"] = user.as_str().into();
            }
            if !roles.is_empty() {
                body["roles"] = roles.iter().map(Role::json).collect();
            }
            let answer = session.client.write(Write::post(&["tokens"]).body(body)).await?;
            let Some(out) = out else {
                return session.show(&answer, |screen, token| screen.line(&fields::text(token, "token")));
            };
            let made = answer.json()?;
            let token = made["token"].as_str().context("the engine gave no token")?;
            super::remote::write_secret(out, token.as_bytes())?;
            session.screen.note(&format!("the token {} is in {}", fields::text(&made, "id"), out.display()));
            Ok(std::process::ExitCode::SUCCESS)
        }
        TokenCommand::Revoke { token } => {
            let answer = session.client.write(Write::delete(&["tokens", token])).await?;
            session.show(&answer, |screen, _| screen.note("it does not work any more"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_be_for_one_agency() {
        let author: Role = "author:mfc".parse().unwrap();
        assert_eq!(author.json(), json!({ "role": "author", "agency": "mfc" }));
        assert_eq!("admin".parse::<Role>().unwrap().json(), json!({ "role": "admin", "agency": null }));
        for wrong in ["", ":mfc", "author:"] {
            assert!(wrong.parse::<Role>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_given_stays() {
        let mut user = json!({ "name": "anna", "full_name": "Анна", "roles": [{ "role": "admin", "agency": null }] });
        UserFields { full_name: None, roles: Vec::new(), lang: Some("en".into()) }.put_into(&mut user);
        assert_eq!((&user["full_name"], &user["lang"]), (&json!("Анна"), &json!("en")));
        assert_eq!(fields::roles(&user["roles"]), "admin");
    }
}
