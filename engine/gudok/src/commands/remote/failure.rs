//! How a command fails: told on standard error with field and remedy, and an exit code that scripts can rely on.

use super::output::plain;
use gudok_workbench::out::note;
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;

/// The exit code of wrong usage, as clap has it.
const USAGE: u8 = 2;
/// The exit code of "nobody answers" and "who are you?".
const NOT_CONNECTED: u8 = 3;

/// What a command comes to.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine refused. Exit code 1; 3 where it does not know who asks.
    Refused(Box<Problem>),
    /// Something else went wrong. Exit code 1.
    Failed(anyhow::Error),
    /// The command line asks for what cannot be. Exit code 2.
    Usage(String),
    /// Nobody answers, or nobody is logged in. Exit code 3.
    NotConnected(String),
}

/// RFC 9457, as the engine writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) field: Option<String>,
    pub(crate) remedy: String,
    pub(crate) correlation: Option<String>,
    /// Of a bundle that did not pass.
    pub(crate) report: Value,
    /// As it came.
    #[serde(skip)]
    pub(crate) body: String,
}

impl Problem {
    /// Reads an error's body; one that is no problem document is told as it is.
    pub(crate) fn read(status: u16, body: &str) -> Self {
        let mut problem: Self = serde_json::from_str(body).unwrap_or_default();
        problem.status = status;
        if problem.detail.is_empty() {
            problem.detail = if problem.title.is_empty() { body.trim().to_owned() } else { problem.title.clone() };
        }
        problem.body = body.to_owned();
        problem
    }

    fn lines(&self) -> Vec<String> {
        let code = if self.code.is_empty() { String::new() } else { format!(" {}", plain(&self.code)) };
        let detail = if self.detail.is_empty() { "the engine refused" } else { &self.detail };
        let mut lines = vec![format!("gudok: {} ({}{code})", plain(detail), self.status)];
        for step in self.report["steps"].as_array().into_iter().flatten().filter(|step| step["result"] == "failed") {
            let text = |name: &str| plain(step[name].as_str().unwrap_or_default());
            let place = if text("field").is_empty() { String::new() } else { format!(" in {}", text("field")) };
            lines.push(format!("  {} failed{place}: {}", text("step"), text("problem")));
            if !text("remedy").is_empty() {
                lines.push(format!("    remedy: {}", text("remedy")));
            }
        }
        if let Some(field) = self.field.as_deref().filter(|field| !field.is_empty()) {
            lines.push(format!("  field:  {}", plain(field)));
        }
        if !self.remedy.is_empty() {
            lines.push(format!("  remedy: {}", plain(&self.remedy)));
        }
        if let Some(correlation) = &self.correlation {
            lines.push(format!("  in the engine's log: {}", plain(correlation)));
        }
        lines
    }
}

impl Failure {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(problem) if problem.status == 401 => ExitCode::from(NOT_CONNECTED),
            Self::Refused(_) | Self::Failed(_) => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(USAGE),
            Self::NotConnected(_) => ExitCode::from(NOT_CONNECTED),
        }
    }

    /// Tells it to the person.
    pub(crate) fn tell(&self) {
        for line in self.lines() {
            note(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Refused(problem) => problem.lines(),
            Self::Failed(error) => vec![format!("gudok: {error:#}")],
            Self::Usage(text) | Self::NotConnected(text) => vec![format!("gudok: {text}")],
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_field_and_remedy() {
        let body = r#"{"type":"/api/docs/problems#managed-by-file","title":"Conflict","status":409,"code":"managed-by-file",
            "detail":"the number 122 is in gudok.toml","field":"number","remedy":"edit gudok.toml and reload",
            "correlation":"c-17"}"#;
        let told = Problem::read(409, body).lines().join("\n");
        assert_eq!(
            told,
            "gudok: the number 122 is in gudok.toml (409 managed-by-file)\n  field:  number\n  remedy: edit gudok.toml \
             and reload\n  in the engine's log: c-17"
        );
    }

    #[test]
    fn a_refused_bundle_names_the_steps_that_failed() {
        let body = r#"{"status":422,"code":"bundle-refused","detail":"the bundle did not pass","remedy":"","report":{"steps":[
            {"step":"archive","result":"ok"},
            {"step":"signature","result":"failed","field":"signature","problem":"no key of mfc","remedy":"sign it"}]}}"#;
        let told = Problem::read(422, body).lines().join("\n");
        assert!(told.contains("signature failed in signature: no key of mfc\n    remedy: sign it"), "{told}");
        assert!(!told.contains("archive"), "{told}");
    }

    #[test]
    fn what_is_no_problem_document_is_told_as_it_is() {
        let problem = Problem::read(502, "Bad gateway\n");
        assert_eq!(problem.lines(), ["gudok: Bad gateway (502)"]);
        assert_eq!(Problem::read(500, "").lines(), ["gudok: the engine refused (500)"]);
    }

    #[test]
    fn nobody_is_told_what_a_terminal_would_obey() {
        let problem = Problem::read(400, "{\"detail\":\"\\u001b[2Jgone\"}");
        assert_eq!(problem.lines(), ["gudok: \\u{1b}[2Jgone (400)"]);
    }
}
