//! One TOML file says everything. It is read, checked as a whole, and refused with every fault at once: each with its
//! line and what would be right.

mod build;
mod schema;

pub(crate) use build::{
    CampaignsConfig, Config, EntryConfig, ProviderConfig, SpeechSettings, changes, recorded, registered, spoken,
};
pub(crate) use schema::{HostPrompts, Journal, LogFormat, Scripts};

use miette::{Diagnostic, NamedSource, SourceSpan};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The file could not be taken.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    #[diagnostic(help("give the path of the configuration with --config; docs/OPERATING.md has an example"))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, or has a field that does not belong.
    #[error("{} is not a configuration", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Every fault.
        #[related]
        faults: Vec<Fault>,
    },
}

/// One fault at one place.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub(crate) struct Fault {
    message: String,
    #[source_code]
    file: NamedSource<String>,
    #[label("here")]
    at: Option<SourceSpan>,
    #[help]
    remedy: String,
}

impl Fault {
    /// What is wrong, without place and remedy.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl ConfigError {
    /// Every fault with its line, for whoever does not read a terminal.
    pub(crate) fn told(&self) -> Vec<String> {
        match self {
            Self::Unreadable { path, source } => vec![format!("cannot read {}: {source}", path.display())],
            Self::Malformed { faults, .. } => faults.iter().map(Fault::told).collect(),
        }
    }
}

impl Fault {
    fn told(&self) -> String {
        let line = self.at.map(|at| {
            let before = self.file.inner().get(..at.offset()).unwrap_or_default();
            format!("line {}: ", 1 + before.matches('\n').count())
        });
        format!("{}{}; {}", line.unwrap_or_default(), self.message, self.remedy)
    }
}

/// Faults found so far, and the text that they are in.
pub(crate) struct Faults<'a> {
    path: &'a Path,
    pub(crate) text: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    /// Notes one fault.
    pub(crate) fn add(&mut self, at: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        self.found.push(Fault {
            message: message.into(),
            file: NamedSource::new(self.path.display().to_string(), self.text.to_owned()),
            at: (!at.is_empty()).then(|| at.into()),
            remedy: remedy.into(),
        });
    }
}

/// Reads and checks a file. Paths in it are relative to its folder.
///
/// # Errors
/// Every fault that was found.
pub(crate) fn load(path: &Path) -> Result<Config, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut faults = Faults { path, text, found: Vec::new() };
    let file: schema::File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let at = error.span().unwrap_or(0..0);
            faults.add(at, error.message().trim().to_owned(), "docs/OPERATING.md lists every field and its form");
            return Err(ConfigError::Malformed { path: path.to_owned(), faults: faults.found });
        }
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let config = build::build(file, folder, &mut faults);
    match config {
        Some(config) if faults.found.is_empty() => Ok(config),
        _ => Err(ConfigError::Malformed { path: path.to_owned(), faults: faults.found }),
    }
}

#[cfg(test)]
mod tests;
