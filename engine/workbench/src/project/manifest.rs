//! Reading a project's manifest, and saying what is wrong with it: the place, what was meant, what is allowed.

use crate::build::{Fault, Place, fault::io};
use crate::nearest::nearest;
use gudok_plugin_host::bundle::BundleRefusal;
use gudok_plugin_host::manifest::Manifest;
use std::path::Path;

const STEP: &str = "manifest";

/// What a field is written like, and what it is for.
const FIELDS: &[(&str, &str)] = &[
    ("format", "format = 1"),
    ("name", "name = \"my-script\""),
    ("version", "version = \"0.1.0\""),
    ("kind", "kind = \"service\"      # or \"menu\", \"campaign\""),
    ("interface", "interface = \"0.1\""),
    ("agency", "agency = \"my-agency\""),
    ("languages", "languages = [\"ru-RU\"]"),
    ("entries", "entries = [\"main\"]"),
    ("media", "media = [\"welcome\"]"),
];

/// Reads a manifest; `shown` is what it is called in what is said.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read_manifest(path: &Path, shown: &Path) -> Result<Manifest, Fault> {
    let bytes = std::fs::read(path).map_err(|error| io(STEP, "reading", path, &error))?;
    parse(&bytes, shown)
}

pub(crate) fn parse(bytes: &[u8], shown: &Path) -> Result<Manifest, Fault> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Manifest::parse(bytes).map_err(|refusal| of_refusal(&refusal, "", shown));
    };
    if let Err(error) = toml::from_str::<Manifest>(text) {
        return Err(of_toml(&error, text, shown));
    }
    Manifest::parse(bytes).map_err(|refusal| of_refusal(&refusal, text, shown))
}

/// What the types do not allow.
fn of_toml(error: &toml::de::Error, text: &str, shown: &Path) -> Fault {
    let message = error.message().trim().replace('\n', ", ");
    let place = error.span().map_or_else(|| Place::file(shown), |span| Place::span(shown, text, span));
    let section = section_of(text, place.line);
    if let Some((unknown, known)) = expected(&message, "unknown field") {
        return unknown_field(&unknown, &known, section, place, shown);
    }
    if let Some((unknown, known)) = expected(&message, "unknown variant") {
        let fault = Fault::of_script(STEP, format!("{unknown:?} is none of the values that this may have"));
        return guessed(fault, &unknown, &known, place).note(format!("allowed are {}", quoted(&known)));
    }
    if let Some(name) = ticked(&message, "missing field") {
        let fault = Fault::of_script(STEP, format!("{} says nothing of `{name}`", shown.display())).at(Place {
            label: format!("`{name}` is missing here"),
            ..if place.line > 1 { place } else { Place::file(shown) }
        });
        return match FIELDS.iter().find(|(field, _)| *field == name) {
            Some((_, example)) => fault.remedy(format!("Add a line such as: {example}")),
            None => fault.remedy(format!("Add `{name}`: docs/BUNDLE.md says what it is")),
        };
    }
    let key = key_of(&place.text).map(str::to_owned);
    let fault = Fault::of_script(STEP, format!("{}: {message}", shown.display())).at(place);
    match FIELDS.iter().find(|(field, _)| Some(*field) == key.as_deref()) {
        Some((_, example)) => fault.remedy(format!("Write it like this: {example}")),
        None if key.is_none() => {
            fault.remedy("Correct it there: `key = value`, texts in quotes, sections in [brackets]")
        }
        None if section == Some("config") => fault.remedy("Settings are texts: write the value in quotes"),
        None if section == Some("limits") => fault.remedy("A limit is a whole number without a sign or quotes"),
        None => fault.remedy("docs/BUNDLE.md shows a whole manifest and every field"),
    }
}

fn unknown_field(unknown: &str, known: &[String], section: Option<&str>, place: Place, shown: &Path) -> Fault {
    let whose = section.map_or_else(|| shown.display().to_string(), |section| format!("[{section}]"));
    let fault = Fault::of_script(STEP, format!("{whose} has no field `{unknown}`"));
    // A field that stands in the wrong section: it would be known one table further up or down.
    if let Some(section) = section.filter(|_| FIELDS.iter().any(|(field, _)| *field == unknown)) {
        return fault
            .at(place.marking(unknown))
            .note(format!("`{unknown}` is a field of the whole manifest, and this is the section [{section}]"))
            .remedy("Move the line up, above the first [section]");
    }
    guessed(fault, unknown, known, place).note(format!("known are {}", quoted(known)))
}

/// With the word that was probably meant.
fn guessed(fault: Fault, unknown: &str, known: &[String], place: Place) -> Fault {
    match nearest(unknown, known.iter().map(String::as_str)) {
        Some(meant) => fault
            .at(place.marking(unknown).label(format!("did you mean `{meant}`?")))
            .remedy(format!("Write `{meant}` in the place of `{unknown}`")),
        None => fault
            .at(place.marking(unknown))
            .remedy(format!("Take `{unknown}` out, or write one of those that are known (docs/BUNDLE.md)")),
    }
}

/// What the host's own check says.
fn of_refusal(refusal: &BundleRefusal, text: &str, shown: &Path) -> Fault {
    let BundleRefusal::Manifest { line, field, why, remedy } = refusal else {
        return Fault::of_script(STEP, refusal.to_string());
    };
    let place = line.map_or_else(|| Place::file(shown), |line| Place::line(shown, text, line));
    let marked = ["\"", "'"].iter().find_map(|_| quoted_in(why)).unwrap_or_else(|| value_of(&place.text));
    let field = field.trim();
    let space = if field.is_empty() { "" } else { " " };
    Fault::of_script(STEP, format!("{}: {field}{space}{why}", shown.display()))
        .at(place.marking(&marked))
        .remedy(remedy.clone())
}

/// Takes "unknown field `a`, expected one of `b`, `c`" apart, and "expected `b` or `c`".
fn expected(message: &str, begins: &str) -> Option<(String, Vec<String>)> {
    let unknown = ticked(message, begins)?;
    let (_, list) = message.split_once("expected ")?;
    let known = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((unknown, known))
}

/// The word between the first pair of back ticks of a message that begins so.
fn ticked(message: &str, begins: &str) -> Option<String> {
    message.strip_prefix(begins)?.split('`').nth(1).map(str::to_owned)
}

fn quoted_in(why: &str) -> Option<String> {
    why.split('"').nth(1).map(|inner| format!("\"{inner}\""))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The last [section] at or above a line.
fn section_of(text: &str, line: usize) -> Option<&str> {
    let headings = text.lines().take(line).filter_map(|line| line.trim().strip_prefix('[')?.split(']').next());
    headings.last()
}

fn key_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim())
}

fn value_of(line: &str) -> String {
    let value = line.split_once('=').map_or("", |(_, value)| value);
    value.split(" #").next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::expect_told;

    const GOOD: &str = r#"format = 1
name = "passport"
version = "1.2.0"
kind = "service"
interface = "0.1"
agency = "migration"
languages = ["ru-RU"]

[capabilities]
fetch = { origins = ["https://api.example.org"] }
transfer = { groups = ["operators"], numbers = ["+7495"], modes = ["bridge"] }

[limits]
memory_mib = 8

[config]
office = "1"
"#;

    fn told(text: &str) -> String {
        parse(text.as_bytes(), Path::new("manifest.toml")).unwrap_err().rendered(false)
    }

    #[test]
    fn a_good_manifest_is_taken() {
        assert_eq!(parse(GOOD.as_bytes(), Path::new("manifest.toml")).unwrap().file_name(), "passport-1.2.0.ivr");
    }

    #[test]
    fn a_slip_is_told_with_its_place_and_what_was_meant() {
        let check = |from: &str, to: &str, file: &str| {
            assert!(GOOD.contains(from), "{from}");
            expect_told(&format!("project/told/{file}.txt"), &told(&GOOD.replace(from, to)));
        };
        check("memory_mib", "memory_pib", "unknown-limit");
        check("\"service\"", "\"servise\"", "unknown-kind");
        check("agency = \"migration\"\n", "", "no-agency");
        check("agency = \"migration\"", "agency = \"ФМС\"", "bad-name");
        check("\"1.2.0\"", "\"1.2\"", "bad-version");
        check("office = \"1\"", "office = 1", "config-number");
        check("interface = \"0.1\"", "interface = \"0.0\"", "older-interface");
        check("\"+7495\"", "\"8495\"", "bad-prefix");
        check("\"bridge\"", "\"brigde\"", "unknown-mode");
        check("memory_mib = 8", "memory_mib = -8", "negative-limit");
        check("[limits]\n", "[limits]\nentries = [\"main\"]\n", "wrong-section");
        check("[limits]", "[limits", "broken-toml");
    }
}
