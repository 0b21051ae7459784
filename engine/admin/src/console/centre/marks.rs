//! Quality marks on recordings, beside the player.

use crate::access::Operation;
use crate::console::context::Ctx;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::{CallName, RecordingName};
use crate::problem::{Problem, codes};
use crate::service::Revised;
use crate::service::marks::{self as service, Mark, MarkBody};
use axum::extract::Path;

/// A recording's mark, and the form that changes it.
pub(crate) struct Marked {
    pub(crate) action: String,
    /// Of the field's ids; a recording's name is unique in its call.
    pub(crate) id: String,
    pub(crate) said: Option<String>,
    pub(crate) score: u8,
    pub(crate) note: String,
    pub(crate) revision: Option<u64>,
    pub(crate) may_set: bool,
}

impl Marked {
    pub(crate) fn of(c: &Ctx, call: &str, name: &str, agency: &str, mark: Option<&Revised<Mark>>) -> Self {
        let said = mark.map(|mark| {
            let (score, at) = (mark.value.score.to_string(), c.moment_of(&mark.value.at).people);
            c.w("mark.of", [("score", score.as_str()), ("by", mark.value.by.as_str()), ("at", at.as_str())])
        });
        Self {
            action: format!("/console/calls/{call}/recordings/{}/mark", crate::console::visit::encoded(name)),
            id: name.chars().filter(char::is_ascii_alphanumeric).collect(),
            said,
            score: mark.map_or(0, |mark| mark.value.score),
            note: mark.map(|mark| mark.value.note.clone()).unwrap_or_default(),
            revision: mark.map(|mark| mark.revision),
            may_set: c.may_in(Operation::MarkSet, agency),
        }
    }
}

/// A recording's mark, where there is one and the reader may know of it.
pub(crate) async fn read(
    visit: &Visit,
    call: &CallName,
    name: &RecordingName,
) -> Result<Option<Revised<Mark>>, Problem> {
    if !visit.c.may(Operation::MarkRead) {
        return Ok(None);
    }
    match service::read(&visit.admin, &visit.me, call, name).await {
        Ok(mark) => Ok(Some(mark)),
        Err(problem) if problem.is(&codes::NOT_FOUND) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// `POST /console/calls/{id}/recordings/{name}/mark`
pub(super) async fn set(Path((call, name)): Path<(String, String)>, Posted { visit, form }: Posted) -> Outcome {
    let (call, name): (CallName, RecordingName) = (call.parse()?, name.parse()?);
    let score = form.text("score").parse().unwrap_or(0);
    let body = MarkBody { score, note: form.text("note") };
    service::set(&visit.admin, &visit.me, &call, &name, body, form.revision()).await?;
    Ok(go(&format!("/console/calls/{call}"), Some("marked")))
}
