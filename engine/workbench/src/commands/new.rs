//! `gudok new`: a project that works, from a template.

use super::screen::{ask, is_interactive, line, note, tell};
use crate::build::Fault;
use crate::nearest::nearest;
use crate::new::{NewLanguage, NewProject, Template, check_name, create};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Whose script it is where nobody says.
const AGENCY_USUAL: &str = "my-agency";
/// Questions that are asked again before giving up.
const ATTEMPTS_MAX: u32 = 3;

/// What `gudok new` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The script's name: of a-z, 0-9 and -.
    name: Option<String>,
    /// As what it begins.
    #[arg(long, value_enum)]
    template: Option<Template>,
    /// In what it is written; a menu is written in nothing.
    #[arg(long, value_enum)]
    language: Option<NewLanguage>,
    /// Whose script it is, as the engine's admins call the agency.
    #[arg(long)]
    agency: Option<String>,
    /// Where it goes; a folder of its name where nobody says.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Ask nothing: what is not said is as usual.
    #[arg(long)]
    yes: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => tell(&fault),
    }
}

fn make(arguments: &Arguments) -> Result<(), Fault> {
    let asks = is_interactive() && !arguments.yes;
    let name = match (&arguments.name, asks) {
        (Some(name), _) => name.clone(),
        (None, true) => asked("Name of the script", "my-script", |name| check_name("name", name))?,
        (None, false) => {
            return Err(Fault::of_machine("new", "the new script has no name").remedy("Give it: `gudok new my-script`"));
        }
    };
    check_name("name", &name)?;
    let template = chosen(arguments.template, asks, "Begin as", Template::Service)?;
    let language = if template == Template::Menu {
        NewLanguage::Rust
    } else {
        chosen(arguments.language, asks, "Written in", NewLanguage::Rust)?
    };
    let agency = match (&arguments.agency, asks) {
        (Some(agency), _) => agency.clone(),
        (None, true) => asked("Agency", AGENCY_USUAL, |agency| check_name("agency", agency))?,
        (None, false) => AGENCY_USUAL.to_owned(),
    };
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(&name));
    let new = NewProject { name, template, language, agency, folder };
    let written = create(&new)?;
    say(&new, &written);
    Ok(())
}

fn say(new: &NewProject, written: &[String]) {
    let what = match new.template {
        Template::Menu => "a menu as data".to_owned(),
        Template::Service => format!("a service in {}", title(new.language)),
        Template::Campaign => format!("a campaign in {}", title(new.language)),
    };
    let folder = new.folder.display();
    line(&format!("{}: {what} for the agency {}, {} files in {folder}", new.name, new.agency, written.len()));
    note("\nWhat to do next:");
    let steps = [
        (format!("cd {folder}"), ""),
        ("gudok build".to_owned(), "compiles, packs and checks it"),
        ("gudok test".to_owned(), "plays the conversations in tests/"),
        ("gudok call --local .".to_owned(), "lets you talk to it"),
        ("gudok explore".to_owned(), "walks every path and finds dead ends"),
    ];
    for (command, what) in steps {
        note(format!("  {command:24}{what}").trim_end());
    }
}

const fn title(language: NewLanguage) -> &'static str {
    match language {
        NewLanguage::Rust => "Rust",
        NewLanguage::Javascript => "JavaScript",
        NewLanguage::Typescript => "TypeScript",
        NewLanguage::Python => "Python",
    }
}

/// What was said, or is chosen by a person, or is usual.
fn chosen<T: ValueEnum + Copy>(said: Option<T>, asks: bool, question: &str, usual: T) -> Result<T, Fault> {
    let name = |value: &T| value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    match (said, asks) {
        (Some(said), _) => Ok(said),
        (None, false) => Ok(usual),
        (None, true) => {
            let names: Vec<String> = T::value_variants().iter().map(name).collect();
            let question = format!("{question} ({})", names.join(", "));
            let answer = asked(&question, &name(&usual), |answer| match T::from_str(answer, true) {
                Ok(_) => Ok(()),
                Err(_) => Err(not_among(answer, &names)),
            })?;
            T::from_str(&answer, true).map_err(|_| not_among(&answer, &names))
        }
    }
}

fn not_among(answer: &str, names: &[String]) -> Fault {
    let fault = Fault::of_machine("new", format!("{answer:?} is none of {}", names.join(", ")));
    match nearest(answer, names.iter().map(String::as_str)) {
        Some(meant) => fault.remedy(format!("Did you mean {meant}?")),
        None => fault.remedy("Choose one of them"),
    }
}

/// Asks until the answer is good, a few times.
fn asked(question: &str, usual: &str, good: impl Fn(&str) -> Result<(), Fault>) -> Result<String, Fault> {
    let mut last = Fault::of_machine("new", format!("{question}: no answer")).remedy("Say it as an option, or --yes");
    for _ in 0..ATTEMPTS_MAX {
        let Some(answer) = ask(question, usual) else { return Err(last) };
        match good(&answer) {
            Ok(()) => return Ok(answer),
            Err(fault) => {
                note(&fault.to_string());
                last = fault;
            }
        }
    }
    Err(last)
}
