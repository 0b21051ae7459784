//! A refusal taken apart: where it is, what is wrong, what to do.

use crate::bundle::BundleRefusal;
use crate::error::{CompileRefusal, Error, LoadRefusal};
use crate::signature::SignatureRefusal;
use std::fmt;

/// What a person is told of something that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The file in the bundle, the field of its manifest, or the limit.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.problem, self.remedy)
    }
}

/// Every refusal ends with its remedy, as a sentence of its own.
fn taken_apart(field: &str, text: &str) -> Finding {
    const REMEDY_UNKNOWN: &str = "Ask whoever made the bundle";
    let begins_a_sentence = |at: &usize| text.get(at + 2..).is_some_and(|rest| rest.starts_with(char::is_uppercase));
    let at = text.rmatch_indices(". ").map(|(at, _)| at).find(begins_a_sentence);
    let (problem, remedy) = at.map_or((text, REMEDY_UNKNOWN), |at| (&text[..at], &text[at + 2..]));
    let field = if field.is_empty() { "bundle" } else { field };
    Finding { field: field.to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() }
}

impl From<&BundleRefusal> for Finding {
    fn from(refusal: &BundleRefusal) -> Self {
        use BundleRefusal as R;
        if let R::Manifest { line, field, why, remedy } = refusal {
            let place = line.map(|line| format!(" line {line}")).unwrap_or_default();
            let field = field.trim();
            let space = if field.is_empty() { "" } else { " " };
            return Self {
                field: if field.is_empty() { format!("manifest.toml{place}") } else { field.to_owned() },
                problem: format!("manifest.toml{place}: {field}{space}{why}"),
                remedy: remedy.clone(),
            };
        }
        let field = match refusal {
            R::UnsupportedZip { place, .. }
            | R::BadName { place, .. }
            | R::DuplicateName { place }
            | R::Overlap { place }
            | R::NotAFile { place }
            | R::EntryTooLarge { place, .. }
            | R::Bomb { place, .. }
            | R::Damaged { place, .. }
            | R::UnexpectedFile { place }
            | R::NotSummed { place }
            | R::SummedButMissing { place }
            | R::SumMismatch { place }
            | R::UnknownLanguage { place, .. } => place.as_str(),
            R::MissingFile { place } => place,
            R::BadSums { .. } => crate::bundle::SUMS,
            R::WrongFileName { .. } => "file name",
            R::DuplicateMedia { name, .. } | R::MissingMedia { name, .. } => name,
            R::Unreadable(_)
            | R::FileTooLarge { .. }
            | R::NotAZip(_)
            | R::BrokenDirectory(_)
            | R::TooManyEntries { .. }
            | R::UnpacksTooLarge { .. }
            | R::Manifest { .. } => "bundle",
        };
        taken_apart(field, &refusal.to_string())
    }
}

impl From<&LoadRefusal> for Finding {
    fn from(refusal: &LoadRefusal) -> Self {
        let field = match refusal {
            LoadRefusal::NotDeclared { capability, .. } | LoadRefusal::NotApproved { capability, .. } => {
                format!("capabilities.{capability}")
            }
            LoadRefusal::OriginOfConfig { key, .. } => format!("config.{key}"),
            LoadRefusal::MissingExport { .. } => "kind".to_owned(),
            LoadRefusal::TooLarge(why) => {
                return Self {
                    field: crate::bundle::COMPONENT.to_owned(),
                    problem: format!("script.wasm does not fit the host's limits: {why}"),
                    remedy: "Make the component smaller, or raise the limits under [scripts]".to_owned(),
                };
            }
            LoadRefusal::Compile(refusal) => return refusal.into(),
            LoadRefusal::InterfaceVersion { .. }
            | LoadRefusal::ForbiddenImport { .. }
            | LoadRefusal::NotAComponent(_)
            | LoadRefusal::TypeMismatch(_) => crate::bundle::COMPONENT.to_owned(),
        };
        taken_apart(&field, &refusal.to_string())
    }
}

impl From<&CompileRefusal> for Finding {
    fn from(refusal: &CompileRefusal) -> Self {
        if let CompileRefusal::Refused(why) = refusal {
            return Self {
                field: crate::bundle::COMPONENT.to_owned(),
                problem: format!("script.wasm does not compile: {why}"),
                remedy: "Build it again with the SDK of this interface (docs/AUTHORING.md)".to_owned(),
            };
        }
        taken_apart(crate::bundle::COMPONENT, &format!("script.wasm does not compile: {refusal}"))
    }
}

impl From<&SignatureRefusal> for Finding {
    fn from(refusal: &SignatureRefusal) -> Self {
        taken_apart(refusal.field(), &refusal.to_string())
    }
}

impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        match error {
            Error::Bundle { refusal, .. } => refusal.into(),
            Error::Load { refusal, .. } => refusal.into(),
            Error::Io { .. } | Error::Engine(_) | Error::Http(_) | Error::Runtime(_) => Self {
                field: "host".to_owned(),
                problem: error.to_string(),
                remedy: "This is the host's own trouble, not the bundle's: look into its log".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_field_problem_and_remedy() {
        let check = |finding: Finding, field: &str, remedy: &str| {
            assert_eq!(finding.field, field, "{finding:?}");
            assert!(finding.remedy.contains(remedy) && !finding.problem.is_empty(), "{finding:?}");
            assert!(finding.remedy.starts_with(char::is_uppercase), "{finding:?}");
        };
        let place = || "data/x.y".to_owned();
        check((&BundleRefusal::Unreadable("no. such file".into())).into(), "bundle", "Check the path");
        check((&BundleRefusal::BadName { place: String::new(), why: "is empty" }).into(), "bundle", "Names are of a-z");
        check((&BundleRefusal::SumMismatch { place: place() }).into(), "data/x.y", "Pack the bundle again");
        check((&BundleRefusal::Bomb { place: place(), ratio_max: 9 }).into(), "data/x.y", "Store it");
        check(
            (&BundleRefusal::MissingMedia { name: "hello".into(), lang: "ru".into() }).into(),
            "hello",
            "Add media/ru/hello.wav",
        );
        let manifest = BundleRefusal::Manifest {
            line: Some(3),
            field: "name ".into(),
            why: "is not a name".into(),
            remedy: "Use a-z. Or 0-9".into(),
        };
        check((&manifest).into(), "name", "Use a-z. Or 0-9");
        assert_eq!(Finding::from(&manifest).problem, "manifest.toml line 3: name is not a name");
        let import = || "gudok:ivr/fetch@0.1.0".to_owned();
        let denied = LoadRefusal::NotApproved { import: import(), capability: "fetch" };
        check((&denied).into(), "capabilities.fetch", "Approve it");
        check((&LoadRefusal::OriginOfConfig { key: "a".into(), found: None }).into(), "config.a", "Set it");
        check((&LoadRefusal::InterfaceVersion { import: import(), have: "0.1.0" }).into(), "script.wasm", "Build the");
        check((&LoadRefusal::TooLarge("big".into())).into(), "script.wasm", "Make the component smaller");
        let compile = |refusal| Finding::from(&LoadRefusal::Compile(refusal));
        check(compile(CompileRefusal::TimedOut { seconds_max: 1 }), "script.wasm", "Make the component smaller");
        check(compile(CompileRefusal::Refused("type mismatch".into())), "script.wasm", "Build it again");
    }
}
