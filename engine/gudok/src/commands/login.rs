//! `gudok login`, `logout`, `whoami`.

use super::remote::{
    Cell, Client, Credentials, Failure, Login, Outcome, Remote, Screen, Server, Session, Write, ask, ask_secret, fields,
};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `gudok login` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Who logs in; asked for otherwise. Without a terminal, name and password are lines on standard input.
    #[arg(long)]
    user: Option<String>,
    /// Keep this token instead of asking for a password: the engine's first-token, or one made by `gudok token create`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "label"])]
    token_file: Option<PathBuf>,
    /// What the login is called in the list of tokens.
    #[arg(long)]
    label: Option<String>,
}

/// `gudok login`.
pub(crate) async fn login(screen: &Screen, arguments: &Arguments) -> Outcome {
    let mut credentials = Credentials::load()?;
    let mut server = credentials.server(&arguments.remote)?;
    server.token = None;
    let (login, answer) = match &arguments.token_file {
        Some(file) => by_token(&mut server, file).await?,
        None => by_password(&server, arguments).await?,
    };
    let user = login.user.clone().unwrap_or_default();
    let expires = login.expires.clone();
    credentials.current = Some(server.url.to_string());
    credentials.servers.insert(server.url.to_string(), login);
    let path = credentials.save()?;
    if screen.json {
        // The token is in the file now; it does not belong on a screen or in a log.
        let mut shown: Value = serde_json::from_str(&answer).context("the engine's answer is no JSON")?;
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("token");
        }
        screen.raw(&shown.to_string());
    } else {
        let until = expires.map(|expires| format!(" until {}", fields::local(&expires.into()))).unwrap_or_default();
        screen.line(&format!("logged in at {} as {user}{until}", server.url.as_str().trim_end_matches('/')));
        screen.note(&format!("the token is in {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn by_token(server: &mut Server, file: &PathBuf) -> Result<(Login, String), Failure> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let token = text.trim().to_owned();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::Failed(anyhow::anyhow!("{} holds no token", file.display())));
    }
    server.token = Some(token.clone());
    let answer = Client::logged_in(server)?.get(&["me"], &[]).await?;
    let me = answer.json()?;
    let login = Login { token, user: Some(fields::text(&me, "user")), expires: None, ca: server.ca.clone() };
    Ok((login, answer.body))
}

async fn by_password(server: &Server, arguments: &Arguments) -> Result<(Login, String), Failure> {
    let user = arguments.user.clone().map_or_else(|| ask("User: "), Ok)?;
    let password = ask_secret("Password: ")?;
    let mut body = json!({ "user": user, "password": password });
    let label = arguments.label.clone().or_else(machine).map(|machine| format!("gudok login, {machine}"));
    if let Some(label) = arguments.label.clone().or(label) {
        body["label"] = label.into();
    }
    let answer = Client::new(server)?.write(Write::post(&["login"]).body(body).without_key()).await;
    let answer = answer.map_err(|failure| match failure {
        // Here, 401 is a wrong password and not a lost login.
        Failure::Refused(mut problem) if problem.status == 401 => {
            "check the name and the password".clone_into(&mut problem.remedy);
            Failure::Refused(problem)
        }
        other => other,
    })?;
    let given = answer.json()?;
    let login = Login {
        token: given["token"].as_str().context("the engine gave no token")?.to_owned(),
        user: Some(user),
        expires: given["expires"].as_str().map(String::from),
        ca: server.ca.clone(),
    };
    Ok((login, answer.body))
}

/// This machine's name, as Linux has it.
fn machine() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// `gudok logout`: the token dies at the engine, and is forgotten here even where the engine is gone.
pub(crate) async fn logout(screen: &Screen, remote: &Remote) -> Outcome {
    let mut credentials = Credentials::load()?;
    let server = credentials.server(remote)?;
    let at = server.url.as_str().trim_end_matches('/').to_owned();
    let revoked = match Client::logged_in(&server) {
        Ok(client) => client.write(Write::post(&["logout"]).without_key()).await,
        Err(failure) => Err(failure),
    };
    credentials.servers.remove(server.url.as_str());
    if credentials.current.as_deref() == Some(server.url.as_str()) {
        credentials.current = credentials.servers.keys().next().cloned();
    }
    credentials.save()?;
    match revoked {
        Ok(_) => screen.note(&format!("logged out at {at}")),
        // It was dead already.
        Err(Failure::Refused(problem)) if problem.status == 401 => screen.note(&format!("logged out at {at}")),
        Err(failure) => return Err(failure),
    }
    Ok(ExitCode::SUCCESS)
}

/// `gudok whoami`.
pub(crate) async fn whoami(session: &Session) -> Outcome {
    let me = session.client.get(&["me"], &[]).await?;
    session.show(&me, |screen, me| {
        screen.facts(&[
            ("user", fields::cell(me, "user")),
            ("roles", Cell::new(fields::roles(&me["roles"]))),
            ("token", fields::cell(me, "token_label")),
            ("engine", Cell::new(session.client.address())),
        ]);
    })
}

/// Whether who is logged in may approve versions.
pub(crate) async fn is_admin(session: &Session) -> Result<bool, Failure> {
    let me = session.client.get(&["me"], &[]).await?.json()?;
    Ok(me["roles"].as_array().into_iter().flatten().any(|role| role["role"] == "admin" || *role == "admin"))
}
