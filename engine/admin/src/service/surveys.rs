//! Surveys: what callers answered after a call. The means are in the report.

use super::{Page, PageQuery, page};
use crate::Admin;
use crate::access::Operation;
use crate::auth::Principal;
use crate::documents::{SurveyDocument, kinds};
use crate::ledger::Kept;
use crate::names::AgencyName;
use crate::problem::Problem;
use crate::time;
use serde::Serialize;
use utoipa::ToSchema;

/// What a caller answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Survey {
    /// Whose.
    pub agency: String,
    /// Which survey.
    pub survey: String,
    /// The call.
    pub call: String,
    /// RFC 3339.
    pub at: String,
    /// Question and answer, in their order.
    pub answers: Vec<SurveyAnswer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SurveyAnswer {
    /// Which question.
    pub question: String,
    /// 1 to 5, where it was a mark.
    pub score: Option<u8>,
    /// Else.
    pub text: String,
}

/// One page of answered surveys, newest first.
///
/// # Errors
/// `forbidden`, `bad-cursor`, `bad-query`.
pub async fn list(
    admin: &Admin,
    who: &Principal,
    agency: Option<&AgencyName>,
    query: &PageQuery,
) -> Result<Page<Survey>, Problem> {
    let scope = who.may(Operation::SurveysList)?;
    let prefix = scope.narrow(agency)?.map(|only| format!("{only}/")).unwrap_or_default();
    let fits = |kept: &Kept<SurveyDocument>| scope.includes(kept.body.agency.as_str()).then_some(kept.body.at_ms);
    let page = page::newest_of_documents(admin, kinds::SURVEY, &prefix, query, fits).await?;
    Ok(Page { items: page.items.into_iter().map(|kept| view(kept.body)).collect(), next: page.next })
}

fn view(document: SurveyDocument) -> Survey {
    let answers = document.answers.into_iter().map(|answer| SurveyAnswer {
        question: answer.question,
        score: answer.score,
        text: answer.text,
    });
    Survey {
        agency: document.agency.to_string(),
        survey: document.survey,
        call: document.call,
        at: time::written(document.at_ms),
        answers: answers.collect(),
    }
}
