//! Past calls: call records with filters.

use super::calls::party;
use super::context::Ctx;
use super::form::{Choice, Form};
use super::format::{self, Moment};
use super::lists;
use super::visit::{Outcome, Visit, encoded};
use crate::names::{AgencyName, CallName};
use crate::service::cdrs::{self as service, CdrFilter};
use askama::Template;
use gudok_store::{Cdr, HangupCause};

/// Records of a page.
const ROWS: usize = 50;

/// A call record, in words.
pub(crate) struct Row {
    pub(crate) call: String,
    pub(crate) began: Moment,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) entry: String,
    pub(crate) version: String,
    pub(crate) lasted: String,
    pub(crate) end: String,
    pub(crate) tone: &'static str,
    pub(crate) landing: Option<String>,
}

impl Row {
    pub(crate) fn of(c: &Ctx, cdr: &Cdr) -> Self {
        let (began, ended) = (&cdr.began, &cdr.ended);
        let tone = match &ended.cause {
            HangupCause::Normal | HangupCause::Transferred => "good",
            HangupCause::Cancelled | HangupCause::Busy | HangupCause::NoAnswer => "off",
            HangupCause::Drained | HangupCause::TimeLimit | HangupCause::Rejected | HangupCause::NotFound => "warn",
            _ => "bad",
        };
        let version = if began.script.is_empty() {
            "—".to_owned()
        } else {
            format!("{} {}", began.script, began.script_version)
        };
        let landing = ended.landing.map(|landing| {
            let word = serde_json::to_value(landing).ok();
            let word = word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            c.w("records.landing", [("why", c.word("landing", word).as_str())])
        });
        Self {
            call: began.call_id.to_string(),
            began: c.moment(began.started_ms.0),
            from: party(c, began.caller.shown()),
            to: party(c, began.called.shown()),
            entry: format!("{} / {}", began.agency, if began.entry.is_empty() { "—" } else { &began.entry }),
            version,
            lasted: format::duration(cdr.duration_ms()),
            end: c.word("cause", ended.cause.as_str()),
            tone: if landing.is_some() { "warn" } else { tone },
            landing,
        }
    }
}

/// Call records.
#[derive(Template)]
#[template(path = "records.html")]
pub(crate) struct RecordsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) csv: String,
}

/// `GET /console/records`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    let c = &visit.c;
    let mut form = query.0.clone();
    let filter = CdrFilter {
        from_ms: form.moment(c.lang, &c.zone, "from"),
        until_ms: form.moment(c.lang, &c.zone, "until"),
        agency: form.parsed_some::<AgencyName>(c.lang, "agency"),
        call_id: form.parsed_some::<CallName>(c.lang, "call_id"),
        cursor: query.filter("cursor"),
        limit: Some(ROWS),
    };
    let page = if form.has_wrong() { None } else { Some(service::list(&visit.admin, &visit.me, &filter).await?) };
    let next = page.as_ref().and_then(|page| query.next("/console/records", page.next.as_deref()));
    let records = page.map(|page| page.cdrs).unwrap_or_default();
    let rows = records.into_iter().filter_map(|value| serde_json::from_value::<Cdr>(value).ok());
    let rows = rows.map(|cdr| Row::of(c, &cdr)).collect();
    let form = ["from", "until", "agency", "call_id"].into_iter().fold(form, |form, field| form.or(field, ""));
    Ok(visit.page(&RecordsPage {
        c,
        csv: csv(&filter),
        form,
        agencies: lists::agency_filter(&visit).await?,
        rows,
        next,
    }))
}

/// The same records as a file.
fn csv(filter: &CdrFilter) -> String {
    let pairs = [
        ("from_ms", filter.from_ms.map(|ms| ms.to_string())),
        ("until_ms", filter.until_ms.map(|ms| ms.to_string())),
        ("agency", filter.agency.as_ref().map(ToString::to_string)),
        ("call_id", filter.call_id.as_ref().map(ToString::to_string)),
    ];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encoded(&value?))));
    format!("/api/v1/cdrs?format=csv{}", pairs.collect::<String>())
}
