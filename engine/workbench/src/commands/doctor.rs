//! `gudok doctor`: what is missing on this machine, and the command that mends it.

use super::screen::{line, note, table};
use crate::doctor::{Looked, State, look};
use crate::project::{Language, Project};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// For an engine to answer at all.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What `gudok doctor` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// The engine to look for; else GUDOK_URL, else the one that `gudok login` went to last, if there is one.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let language = Project::open(Path::new(".")).ok().map(|project| project.language);
    let mut all = look(language.map(area));
    let variable = || std::env::var("GUDOK_URL").ok().filter(|url| !url.is_empty());
    let url = arguments.url.clone().or_else(variable).or_else(logged_in_at);
    all.extend(url.map(|url| engine(&url)));
    let fails = all.iter().any(|looked| looked.state == State::Fails);
    if arguments.json {
        let needed = language.map(Language::as_str);
        line(&format!(
            "{:#}",
            json!({ "ok": !fails, "version": env!("CARGO_PKG_VERSION"), "needed": needed, "looked": all })
        ));
    } else {
        say(&all, language);
    }
    if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The area that a language needs.
const fn area(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::JavaScript | Language::TypeScript => "javascript",
        Language::Python => "python",
        Language::Menu => "menu",
    }
}

fn say(all: &[Looked], language: Option<Language>) {
    line(&format!("gudok {}", env!("CARGO_PKG_VERSION")));
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|looked| {
            let sign = match looked.state {
                State::Ok => "ok",
                State::Lacks => "--",
                State::Fails => "no",
            };
            vec![sign.to_owned(), looked.area.to_owned(), looked.what.clone(), looked.found.clone()]
        })
        .collect();
    for text in table(&rows) {
        line(&text);
    }
    let mends: Vec<&Looked> = all.iter().filter(|looked| !looked.mend.is_empty()).collect();
    if !mends.is_empty() {
        note("\nWhat mends it:");
    }
    for looked in mends {
        for (index, command) in looked.mend.iter().enumerate() {
            let what = if index == 0 { format!("{}: ", looked.what) } else { "  or ".to_owned() };
            note(&format!("  {what}{command}"));
        }
    }
    match language {
        Some(language) => {
            note(&format!("\nThe project here is of the kind {}: only what it needs counts.", language.as_str()));
        }
        None => note("\nNo project is here: a language that you do not write in need not be mended."),
    }
}

/// The engine that this person logged in to last: the file is the binary's, and only its address is read here.
fn logged_in_at() -> Option<String> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    current_of(&std::fs::read_to_string(config.join("gudok/credentials.json")).ok()?)
}

fn current_of(credentials: &str) -> Option<String> {
    let credentials: serde_json::Value = serde_json::from_str(credentials).ok()?;
    credentials["current"].as_str().map(str::to_owned)
}

/// Whether the engine's port answers: any answer is one.
fn engine(url: &str) -> Looked {
    const AREA: &str = "engine";
    let reached = reach(url);
    match reached {
        Ok(()) => Looked::ok(AREA, "reachable", url.to_owned()),
        Err(why) => Looked::fails(
            AREA,
            "reachable",
            format!("{url}: {why}"),
            vec!["start it: gudok up .".to_owned(), "check GUDOK_URL, and the network between".to_owned()],
        ),
    }
}

fn reach(url: &str) -> Result<(), String> {
    use std::net::{TcpStream, ToSocketAddrs};
    let (scheme, rest) = url.split_once("://").ok_or("it is no address: http://HOST:PORT")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let usual = if scheme == "https" { 443 } else { 80 };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { host.to_owned() } else { format!("{host}:{usual}") };
    let addresses = address.to_socket_addrs().map_err(|error| error.to_string())?;
    let mut last = "no address has that name".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, ANSWER_MAX) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_of_the_last_login_is_meant() {
        let credentials = r#"{"current": "http://127.0.0.1:8070/", "servers": {}}"#;
        assert_eq!(current_of(credentials).as_deref(), Some("http://127.0.0.1:8070/"));
        assert_eq!(current_of("{}"), None);
        assert_eq!(current_of("not JSON"), None);
    }

    #[test]
    fn an_engine_is_reached_or_it_is_said_why_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach(&format!("http://127.0.0.1:{port}/console")), Ok(()));
        assert_eq!(engine(&format!("http://127.0.0.1:{port}")).state, State::Ok);
        // Port 0 is nobody's. A port given back may be another test's a moment later, and one that a child of this process
        // inherited answers until that child has become another program.
        let gone = engine("http://127.0.0.1:0");
        assert_eq!(gone.state, State::Fails);
        assert!(gone.mend[0].contains("gudok up"), "{gone:?}");
        assert!(reach("nonsense").is_err());
    }
}
