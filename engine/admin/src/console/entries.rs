//! The pages of deployments: reading, deploying, releasing, rolling back.

use super::deploying::{self, DeployPage};
use super::deployments::{DeploymentPage, DeploymentsPage, Facts, Row};
use super::form::{Choice, Form};
use super::lists;
use super::outcomes::{Outcomes, STEP_S};
use super::visit::{Outcome, Posted, Refused, Visit, go};
use crate::access::Operation;
use crate::names::{AgencyName, EntryName, VersionHash};
use crate::ports::{Guard, VersionId};
use crate::problem::Problem;
use crate::service::PageQuery;
use crate::service::deployments as service;
use crate::service::versions::{self, Reason, Version};
use axum::extract::Path;
use std::collections::BTreeMap;

/// Steps of the history that are looked at.
const HISTORY_ROWS: usize = 1_000;
/// Versions to choose from: the newest.
const VERSIONS_MAX: usize = 200;
/// Entries in the list.
const ENTRIES_MAX: usize = 1_000;

/// `GET /console/deployments`
pub(crate) async fn list(visit: Visit) -> Outcome {
    let query = PageQuery { cursor: None, limit: Some(ENTRIES_MAX) };
    let page = service::list(&visit.admin, &visit.me, None, &query)?;
    let rows = page.items.iter().map(|deployment| Row::of(&visit.c, deployment)).collect();
    Ok(visit.page(&DeploymentsPage { c: &visit.c, rows, may_deploy: visit.c.may(Operation::Deploy) }))
}

/// An agency's versions, newest first; none for whom they are none of the business.
async fn versions_of(visit: &Visit, agency: Option<&AgencyName>) -> Result<Vec<Version>, Problem> {
    if !visit.c.may(Operation::VersionsList) {
        return Ok(Vec::new());
    }
    let query = PageQuery { cursor: None, limit: Some(VERSIONS_MAX) };
    Ok(versions::list(&visit.admin, &visit.me, agency, None, &query).await?.items)
}

pub(crate) fn choices(visit: &Visit, versions: &[Version], entry: Option<&EntryName>) -> Vec<Choice> {
    let here = |version: &&Version| {
        let allowed = &version.entries;
        entry.is_none_or(|entry| allowed.is_empty() || allowed.iter().any(|one| one == entry.as_str()))
    };
    let live = versions.iter().filter(|version| version.state.may_go_live()).filter(here);
    live.map(|version| {
        let values = [
            ("script", version.script.as_str()),
            ("version", version.version.as_str()),
            ("agency", version.agency.as_str()),
        ];
        Choice::new(version.id.as_str(), visit.c.w("deploy.version.option", values))
    })
    .collect()
}

pub(crate) fn labels(versions: &[Version]) -> BTreeMap<VersionId, String> {
    versions.iter().map(|version| (version.id.clone(), version.version.clone())).collect()
}

struct At {
    agency: AgencyName,
    entry: EntryName,
}

impl At {
    fn of((agency, entry): &(String, String)) -> Result<Self, Problem> {
        Ok(Self { agency: agency.parse()?, entry: entry.parse()? })
    }

    fn here(&self) -> String {
        format!("/console/deployments/{}/{}", self.agency, self.entry)
    }
}

async fn page(visit: &Visit, at: &At, form: Form) -> Result<axum::response::Response, Refused> {
    let (admin, me) = (&visit.admin, &visit.me);
    let deployment = service::read(admin, me, &at.agency, &at.entry)?.value;
    let query = PageQuery { cursor: None, limit: Some(HISTORY_ROWS) };
    let history = service::history(admin, me, &at.agency, &at.entry, &query).await?;
    let outcomes = service::outcomes(admin, me, &at.agency, &at.entry, None, Some(STEP_S))?;
    let versions = versions_of(visit, Some(&at.agency)).await?;
    let facts = Facts {
        deployment: &deployment,
        history: &history.items,
        outcomes: Outcomes::of(&visit.c, &outcomes.versions),
        choices: choices(visit, &versions, Some(&at.entry)),
        labels: labels(&versions),
    };
    let wrong = form.has_wrong();
    let page = DeploymentPage::of(&visit.c, facts, form);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}

/// `GET /console/deployments/{agency}/{entry}`
pub(crate) async fn show(visit: Visit, Path(at): Path<(String, String)>) -> Outcome {
    page(&visit, &At::of(&at)?, Form::new("deploy-")).await
}

/// Orders what the form says; what is wrong with it stays in the form.
async fn order(visit: &Visit, at: &At, form: &mut Form) -> Option<()> {
    let lang = visit.c.lang;
    let order = deploying::order(&visit.c, form)?;
    let version = match order.version.parse::<VersionHash>() {
        Ok(version) => version,
        Err(problem) => {
            form.refused(lang, &problem.field("version"));
            return None;
        }
    };
    let DeployedAs { share_percent, guard, drain_s } = order.into();
    let body = service::DeployBody { version, share_percent, guard, drain_s };
    match service::deploy(&visit.admin, &visit.me, &at.agency, &at.entry, body, form.revision()).await {
        Ok(_) => Some(()),
        Err(problem) => {
            form.refused(lang, &problem);
            None
        }
    }
}

struct DeployedAs {
    share_percent: u8,
    guard: Option<Guard>,
    drain_s: Option<u32>,
}

impl From<crate::ports::DeployOrder> for DeployedAs {
    fn from(order: crate::ports::DeployOrder) -> Self {
        Self { share_percent: order.share_percent, guard: order.guard, drain_s: order.drain_s }
    }
}

/// `POST /console/deployments/{agency}/{entry}`
pub(crate) async fn deploy(Path(at): Path<(String, String)>, Posted { visit, form }: Posted) -> Outcome {
    let at = At::of(&at)?;
    let mut form = form.named("deploy-");
    match order(&visit, &at, &mut form).await {
        Some(()) => Ok(go(&at.here(), Some("deployed"))),
        None => page(&visit, &at, form).await,
    }
}

/// `POST /console/deployments/{agency}/{entry}/release`
pub(crate) async fn release(Path(at): Path<(String, String)>, Posted { visit, mut form }: Posted) -> Outcome {
    let at = At::of(&at)?;
    match service::release(&visit.admin, &visit.me, &at.agency, &at.entry, form.revision()).await {
        Ok(_) => Ok(go(&at.here(), Some("released"))),
        Err(problem) => {
            form.refused(visit.c.lang, &problem);
            page(&visit, &at, form.named("deploy-")).await
        }
    }
}

/// `POST /console/deployments/{agency}/{entry}/rollback`: in one step, whatever changed since the page was read.
pub(crate) async fn roll_back(Path(at): Path<(String, String)>, Posted { visit, mut form }: Posted) -> Outcome {
    let at = At::of(&at)?;
    let reason = Some(form.text("reason")).filter(|reason| !reason.is_empty());
    match service::roll_back(&visit.admin, &visit.me, &at.agency, &at.entry, Reason { reason }, None).await {
        Ok(_) => Ok(go(&at.here(), Some("rolled_back"))),
        Err(problem) => {
            form.refused(visit.c.lang, &problem);
            page(&visit, &at, form.named("deploy-")).await
        }
    }
}

/// `GET /console/deployments/new`
pub(crate) async fn blank(visit: Visit, query: lists::Asked) -> Outcome {
    visit.me.may(Operation::Deploy)?;
    let versions = versions_of(&visit, None).await?;
    let chosen = versions.iter().find(|version| version.id == query.0.value("version"));
    let entry = chosen.and_then(|version| version.entries.first()).cloned().unwrap_or_default();
    let form = Form::new("").with("version", query.0.value("version")).with("entry", entry);
    new_page(&visit, form, &versions)
}

fn new_page(visit: &Visit, form: Form, versions: &[Version]) -> Outcome {
    let wrong = form.has_wrong();
    // The first version of an entry serves everybody: there is nobody else to serve the rest.
    let form = form.or("entry", "").or("share_percent", "100");
    let page = DeployPage {
        c: &visit.c,
        form: deploying::filled(form, &Guard::default()),
        versions: choices(visit, versions, None),
    };
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}

/// `POST /console/deployments/new`
pub(crate) async fn deploy_new(Posted { visit, mut form }: Posted) -> Outcome {
    let versions = versions_of(&visit, None).await?;
    let entry = form.parsed::<EntryName>(visit.c.lang, "entry");
    let agency = versions.iter().find(|version| version.id == form.value("version")).map(|version| &version.agency);
    if let (Some(entry), Some(agency)) = (entry, agency) {
        let at = At { agency: agency.parse()?, entry };
        // An entry that serves already has a page of its own, which shows what the form would change.
        let present = visit.admin.engine().deployment(&at.agency.to_core(), &at.entry.to_core());
        let form_here = present.map(|deployment| deployment.revision.to_string());
        if let Some(revision) = form_here {
            form = form.or("revision", revision);
        }
        if order(&visit, &at, &mut form).await.is_some() {
            return Ok(go(&at.here(), Some("deployed")));
        }
    } else if !form.has_wrong() {
        form.blame(visit.c.lang, "version", "unknown-version", &[]);
    }
    new_page(&visit, form, &versions)
}
