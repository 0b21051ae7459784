//! Surveys: what callers answered after a call.

use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::Moment;
use crate::console::lists;
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Visit};
use crate::names::AgencyName;
use crate::service::surveys::{self as service, Survey};
use askama::Template;

/// What one caller answered.
pub(crate) struct Row {
    pub(crate) call: String,
    pub(crate) at: Moment,
    pub(crate) survey: String,
    pub(crate) agency: String,
    pub(crate) answers: Vec<Fact>,
}

impl Row {
    pub(crate) fn of(c: &Ctx, survey: Survey) -> Self {
        let answer = |answer: service::SurveyAnswer| Fact {
            name: answer.question,
            value: answer.score.map_or(answer.text, |score| c.number(score)),
        };
        Self {
            at: c.moment_of(&survey.at),
            answers: survey.answers.into_iter().map(answer).collect(),
            call: survey.call,
            survey: survey.survey,
            agency: survey.agency,
        }
    }
}

/// All answers.
#[derive(Template)]
#[template(path = "surveys.html")]
pub(crate) struct SurveysPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
}

/// `GET /console/surveys`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let agency = form.parsed_some::<AgencyName>(c.lang, "agency");
    let page = service::list(&visit.admin, &visit.me, agency.as_ref(), &query.page()).await?;
    Ok(visit.page(&SurveysPage {
        c,
        form: form.or("agency", ""),
        agencies: lists::agency_filter(&visit).await?,
        rows: page.items.into_iter().map(|survey| Row::of(c, survey)).collect(),
        next: query.next("/console/surveys", page.next.as_deref()),
    }))
}
