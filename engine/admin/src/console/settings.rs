//! What an entry's script is given besides its grants: settings, and where its secrets lie.

use super::context::Ctx;
use super::form::Form;
use super::visit::{Outcome, Posted, Visit, go};
use crate::access::Operation;
use crate::names::{AgencyName, EntryName};
use crate::problem::Problem;
use crate::service::entries::{self as service, EntryBody, EntrySettings};
use crate::service::{Revised, Source};
use askama::Template;
use axum::extract::Path;
use std::collections::BTreeMap;

/// An entry's settings.
#[derive(Template)]
#[template(path = "entry.html")]
pub(crate) struct EntryPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) agency: &'a str,
    pub(crate) entry: &'a str,
    pub(crate) form: Form,
    pub(crate) revision: u64,
    pub(crate) from_file: bool,
    pub(crate) may_edit: bool,
}

impl<'a> EntryPage<'a> {
    /// `form`: what was sent, where something is wrong with it.
    pub(crate) fn of(
        c: &'a Ctx,
        (agency, entry): (&'a str, &'a str),
        settings: &Revised<EntrySettings>,
        form: Option<Form>,
    ) -> Self {
        let from_file = settings.value.source == Source::File;
        let as_it_is = || {
            let (config, secrets) = (lines_of(&settings.value.config), lines_of(&settings.value.secrets));
            Form::new("").with("config", config).with("secrets", secrets)
        };
        Self {
            c,
            heading: c.w("entry.title", [("agency", agency), ("entry", entry)]),
            agency,
            entry,
            form: form.unwrap_or_else(as_it_is),
            revision: settings.revision,
            from_file,
            may_edit: !from_file && c.may_in(Operation::EntrySet, agency),
        }
    }
}

/// "name = value", line by line; a value's own line ends are written as `\n`.
fn lines_of(map: &BTreeMap<String, String>) -> String {
    let line =
        |(name, value): (&String, &String)| format!("{name} = {}", value.replace('\\', "\\\\").replace('\n', "\\n"));
    map.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn map_of(c: &Ctx, form: &mut Form, field: &str) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for line in form.text(field).lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((name, value)) => {
                map.insert(name.trim().to_owned(), unescaped(value.trim()));
            }
            None => form.blame(c.lang, field, "setting", &[("line", line)]),
        }
    }
    map
}

fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.as_str().chars().next()) {
            ('\\', Some(escaped @ ('n' | '\\'))) => {
                plain.push(if escaped == 'n' { '\n' } else { '\\' });
                letters.next();
            }
            _ => plain.push(letter),
        }
    }
    plain
}

fn at((agency, entry): &(String, String)) -> Result<(AgencyName, EntryName), Problem> {
    Ok((agency.parse()?, entry.parse()?))
}

/// `GET /console/agencies/{agency}/entries/{entry}`
pub(crate) async fn show(visit: Visit, Path(place): Path<(String, String)>) -> Outcome {
    let (agency, entry) = at(&place)?;
    let settings = service::read(&visit.admin, &visit.me, &agency, &entry).await?;
    Ok(visit.page(&EntryPage::of(&visit.c, (agency.as_str(), entry.as_str()), &settings, None)))
}

/// `POST /console/agencies/{agency}/entries/{entry}`
pub(crate) async fn set(Path(place): Path<(String, String)>, Posted { visit, mut form }: Posted) -> Outcome {
    let (agency, entry) = at(&place)?;
    let c = &visit.c;
    let config = map_of(c, &mut form, "config");
    let secrets = map_of(c, &mut form, "secrets");
    if !form.has_wrong() {
        let body = EntryBody { config, secrets, source: None };
        match service::set(&visit.admin, &visit.me, &agency, &entry, body, form.revision()).await {
            Ok(_) => return Ok(go(&format!("/console/agencies/{agency}"), Some("saved"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let settings = service::read(&visit.admin, &visit.me, &agency, &entry).await?;
    Ok(visit.again(&EntryPage::of(c, (agency.as_str(), entry.as_str()), &settings, Some(form))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_they_are_written() {
        for value in ["plain", "a = b", "two\nlines", "back\\slash", "\\n is no line", "", "\\"] {
            let map = BTreeMap::from([("name".to_owned(), value.to_owned())]);
            let line = lines_of(&map);
            let (_, written) = line.split_once('=').unwrap();
            assert_eq!(unescaped(written.trim()), value.trim(), "{line}");
        }
    }
}
