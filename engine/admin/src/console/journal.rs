//! A call step by step: what its scripts asked and were told, masked.

use super::calls::SHORT_ID_CHARS;
use super::context::Ctx;
use super::format::{self, Moment};
use super::visit::{Outcome, Visit};
use crate::names::CallName;
use crate::ports::{Journal, JournalStep};
use crate::service::journals as service;
use askama::Template;
use axum::extract::{Path, Query};
use serde::Deserialize;

/// Which of a call's scripts.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    run: Option<u32>,
}

/// One host call, in words.
pub(crate) struct Step<'a> {
    pub(crate) class: &'static str,
    pub(crate) seq: u32,
    pub(crate) at: String,
    pub(crate) kind: &'a str,
    pub(crate) line: &'a str,
}

impl<'a> Step<'a> {
    fn of(c: &Ctx, step: &'a JournalStep) -> Self {
        let class = match step.function.as_str() {
            "host.step" => "step",
            "telephony.call.collect" | "telephony.collector.next" => "key",
            "telephony.call.say" => "say",
            _ => "other",
        };
        let at_ms = u32::try_from(step.at_ms).unwrap_or(u32::MAX);
        Self { class, seq: step.seq, at: format::offset(c.lang, at_ms), kind: &step.function, line: &step.line }
    }
}

/// A call's journal.
#[derive(Template)]
#[template(path = "journal.html")]
pub(crate) struct JournalPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) journal: &'a Journal,
    pub(crate) short: String,
    pub(crate) began: Moment,
    pub(crate) steps: Vec<Step<'a>>,
    /// How many scripts of the call have one.
    pub(crate) runs: Vec<u32>,
}

impl<'a> JournalPage<'a> {
    pub(crate) fn of(c: &'a Ctx, journal: &'a Journal, runs: Vec<u32>) -> Self {
        Self {
            c,
            short: journal.row.call.chars().take(SHORT_ID_CHARS).collect(),
            began: c.moment(journal.row.began_ms),
            steps: journal.steps.iter().map(|step| Step::of(c, step)).collect(),
            runs,
            journal,
        }
    }
}

/// `GET /console/calls/{id}/journal`
pub(crate) async fn show(visit: Visit, Path(id): Path<String>, Query(which): Query<Which>) -> Outcome {
    let id: CallName = id.parse()?;
    let journal = service::read(&visit.admin, &visit.me, &id, which.run).await?;
    let runs = service::rows(&visit.admin, &visit.me, &id).await?.into_iter().map(|row| row.run).collect();
    Ok(visit.page(&JournalPage::of(&visit.c, &journal, runs)))
}
