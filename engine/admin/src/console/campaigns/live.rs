//! The list of campaigns, one campaign as it goes, and its orders.

use super::PAGE;
use super::view::{Forecast, Now, Row, Step, steps};
use crate::access::Operation;
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::lists;
use crate::console::stream::{Drawn, Live, rendered};
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Posted, Visit, encoded, go};
use crate::names::{AgencyName, CampaignName};
use crate::problem::Problem;
use crate::service::PageQuery;
use crate::service::campaigns::{self as service, Campaign};
use askama::Template;
use axum::extract::Path;
use axum::http::HeaderMap;
use gudok_core::campaign::CampaignOrder;
use std::time::Duration;

/// Rates fall by themselves; what moves is drawn anew so often.
const REDRAW_EVERY: Duration = Duration::from_secs(5);
/// A young campaign's chart has steps of five minutes, an older one's of an hour.
const YOUNG_MS: u64 = 6 * 3_600 * 1_000;
const STEPS_S: (u32, u32) = (300, 3_600);

/// The list.
#[derive(Template)]
#[template(path = "campaigns.html")]
pub(crate) struct CampaignsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) may_create: bool,
    pub(crate) stream: String,
}

/// The list alone.
#[derive(Template)]
#[template(path = "campaigns_table.html")]
pub(crate) struct CampaignsTable<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: &'a [Row],
}

/// One campaign.
#[derive(Template)]
#[template(path = "campaign.html")]
pub(crate) struct CampaignPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) now: Now,
    pub(crate) facts: Vec<Fact>,
    pub(crate) steps: Vec<Step>,
    pub(crate) stream: String,
    pub(crate) results: String,
    pub(crate) may_contacts: bool,
}

/// What moves on it.
#[derive(Template)]
#[template(path = "campaign_now.html")]
pub(crate) struct NowFragment<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) now: &'a Now,
}

/// The dry run.
#[derive(Template)]
#[template(path = "campaign_forecast.html")]
pub(crate) struct ForecastPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) forecast: Forecast,
}

async fn rows(
    visit: &Visit,
    agency: Option<&AgencyName>,
    page: &PageQuery,
) -> Result<(Vec<Row>, Option<String>), Problem> {
    let page = service::list(&visit.admin, &visit.me, agency, page).await?;
    Ok((page.items.iter().map(|campaign| Row::of(&visit.c, campaign)).collect(), page.next))
}

/// `GET /console/campaigns`
pub(super) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let agency: Option<AgencyName> = form.parsed_some(c.lang, "agency");
    let (rows, next) = rows(&visit, agency.as_ref(), &query.page()).await?;
    let mut asked: Vec<String> = Vec::new();
    for name in ["agency", "cursor"] {
        let value = form.text(name);
        if !value.is_empty() {
            asked.push(format!("{name}={}", encoded(&value)));
        }
    }
    let mark = if asked.is_empty() { "" } else { "?" };
    Ok(visit.page(&CampaignsPage {
        c,
        form: form.or("agency", ""),
        agencies: lists::agency_filter(&visit).await?,
        rows,
        next: query.next(PAGE, next.as_deref()),
        may_create: c.may(Operation::CampaignSet),
        stream: format!("{PAGE}/stream{mark}{}", asked.join("&")),
    }))
}

/// `GET /console/campaigns/stream`
pub(super) async fn stream_all(visit: Visit, query: lists::Asked) -> Outcome {
    let mut form = query.0.clone();
    let (agency, page) = (form.parsed_some::<AgencyName>(visit.c.lang, "agency"), query.page());
    let draw = move |visit: Visit| {
        let (agency, page) = (agency.clone(), page.clone());
        async move {
            let (rows, _) = rows(&visit, agency.as_ref(), &page).await?;
            let drawn: Drawn = vec![("campaigns", rendered(&CampaignsTable { c: &visit.c, rows: &rows }))];
            Ok(drawn)
        }
    };
    Live::of("campaigns", draw).also_every(REDRAW_EVERY).begin(visit).await
}

/// What is decided about a campaign, for its page.
pub(crate) fn facts(c: &Ctx, campaign: &Campaign) -> Vec<Fact> {
    let (row, document) = (&campaign.row, &campaign.row.document);
    let moment = |text: &Option<String>| text.as_deref().map(|at| c.moment_of(at).people).unwrap_or_default();
    let pace = [("rate", c.number(document.calls_per_s_max)), ("calls", c.number(document.calls_max))];
    let pace: Vec<(&str, &str)> = pace.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let operators = document.operators.as_ref().map(|of| of.queue.to_string()).unwrap_or_default();
    let all = [
        ("deployments.entry", format!("{} / {}", document.agency, document.entry)),
        (
            "campaign.window",
            if document.emergency { c.t("campaign.window.none").to_owned() } else { document.window.clone() },
        ),
        ("campaign.pace", c.w("campaign.pace.of", pace)),
        ("campaign.trunk", document.trunk.to_string()),
        ("campaign.operators", operators),
        ("campaign.tries", c.number(document.attempts_max)),
        ("campaign.starts", moment(&document.starts)),
        ("campaign.deadline", moment(&document.deadline)),
        ("campaign.made", format!("{} · {}", c.moment(row.created_ms).people, row.created_by)),
    ];
    let shown = all.into_iter().filter(|(_, value)| !value.is_empty());
    shown.map(|(key, value)| Fact { name: c.t(key).to_owned(), value }).collect()
}

pub(crate) fn title_of(campaign: &Campaign) -> String {
    let title = &campaign.row.document.title;
    if title.is_empty() { campaign.row.name.clone() } else { title.clone() }
}

/// `GET /console/campaigns/{name}`
pub(super) async fn show(visit: Visit, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let c = &visit.c;
    let campaign = service::read(&visit.admin, &visit.me, &name).await?.value;
    let young = c.now_ms.saturating_sub(campaign.row.created_ms) < YOUNG_MS;
    let series = service::series(&visit.admin, &visit.me, &name, if young { STEPS_S.0 } else { STEPS_S.1 }).await?;
    Ok(visit.page(&CampaignPage {
        c,
        title: title_of(&campaign),
        now: Now::of(c, &campaign),
        facts: facts(c, &campaign),
        steps: steps(c, &series),
        stream: format!("{PAGE}/{name}/stream"),
        results: format!("/api/v1/campaigns/{name}/results"),
        may_contacts: c.may(Operation::ContactsList),
        name: name.to_string(),
    }))
}

/// `GET /console/campaigns/{name}/stream`
pub(super) async fn stream(visit: Visit, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let draw = move |visit: Visit| {
        let name = name.clone();
        async move {
            let campaign = service::read(&visit.admin, &visit.me, &name).await?.value;
            let now = Now::of(&visit.c, &campaign);
            let drawn: Drawn = vec![("now", rendered(&NowFragment { c: &visit.c, now: &now }))];
            Ok(drawn)
        }
    };
    Live::of("campaigns", draw).also_every(REDRAW_EVERY).begin(visit).await
}

/// `GET /console/campaigns/{name}/forecast`
pub(super) async fn forecast(visit: Visit, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = service::read(&visit.admin, &visit.me, &name).await?.value;
    let forecast = service::forecast(&visit.admin, &visit.me, &name).await?;
    let forecast = Forecast::of(&visit.c, &forecast);
    Ok(visit.page(&ForecastPage { c: &visit.c, name: name.to_string(), title: title_of(&campaign), forecast }))
}

/// `GET /console/campaigns/{name}/start`
pub(super) async fn ask_start(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = service::read(&visit.admin, &visit.me, &name).await?.value;
    let (c, figures) = (&visit.c, &campaign.row.figures);
    let text = if campaign.row.document.emergency { "campaign.start.emergency" } else { "campaign.start.text" };
    let people = c.n("campaign.people", figures.contacts);
    let here = format!("{PAGE}/{name}");
    let ask = Ask::new(format!("{here}/start"), &here)
        .title(c.w("campaign.start.title", [("name", title_of(&campaign).as_str())]))
        .text(c.w(text, [("people", people.as_str())]))
        .yes(c.t("campaign.start"));
    Ok(confirm(&visit, &headers, if campaign.row.document.emergency { ask } else { ask.calm() }))
}

/// `POST /console/campaigns/{name}/start`
pub(super) async fn start(Path(name): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    let name: CampaignName = name.parse()?;
    let ordered = service::start(&visit.admin, &visit.me, &name).await?;
    Ok(go(&format!("{PAGE}/{name}"), Some(if ordered.done { "campaign_started" } else { "campaign_asked" })))
}

async fn order(visit: &Visit, name: &str, order: CampaignOrder, notice: &str) -> Outcome {
    let name: CampaignName = name.parse()?;
    service::order(&visit.admin, &visit.me, &name, order).await?;
    Ok(go(&format!("{PAGE}/{name}"), Some(notice)))
}

/// `POST /console/campaigns/{name}/pause`
pub(super) async fn pause(Path(name): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &name, CampaignOrder::Pause, "campaign_paused").await
}

/// `POST /console/campaigns/{name}/resume`
pub(super) async fn resume(Path(name): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &name, CampaignOrder::Resume, "campaign_started").await
}

/// `GET /console/campaigns/{name}/stop`
pub(super) async fn ask_stop(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = service::read(&visit.admin, &visit.me, &name).await?.value;
    let here = format!("{PAGE}/{name}");
    let ask = Ask::new(format!("{here}/stop"), &here)
        .title(visit.c.w("campaign.stop.title", [("name", title_of(&campaign).as_str())]))
        .text(visit.c.t("campaign.stop.text"))
        .yes(visit.c.t("campaign.stop"));
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/campaigns/{name}/stop`
pub(super) async fn stop(Path(name): Path<String>, Posted { visit, .. }: Posted) -> Outcome {
    order(&visit, &name, CampaignOrder::Stop, "campaign_stopped").await
}

/// `GET /console/campaigns/{name}/delete`
pub(super) async fn ask_delete(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: CampaignName = name.parse()?;
    let read = service::read(&visit.admin, &visit.me, &name).await?;
    let here = format!("{PAGE}/{name}");
    let ask = Ask::new(format!("{here}/delete"), &here)
        .title(visit.c.w("campaign.delete.title", [("name", title_of(&read.value).as_str())]))
        .text(visit.c.t("campaign.delete.text"))
        .yes(visit.c.t("form.delete"))
        .hidden("revision", read.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/campaigns/{name}/delete`
pub(super) async fn delete(Path(name): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &name.parse()?, form.revision()).await?;
    Ok(go(PAGE, Some("deleted")))
}
