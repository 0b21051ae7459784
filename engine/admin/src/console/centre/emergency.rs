//! The emergency officer's page: what sounds now, and one form that makes another announcement sound at once.

use crate::Admin;
use crate::access::Operation;
use crate::console::confirm::{Ask, confirm};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::{self, Moment};
use crate::console::lists;
use crate::console::multipart::{self, Long, Sent};
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::limits::OVERLAY_AUDIO_BYTES_MAX;
use crate::names::{AgencyName, Number, OverlayName};
use crate::problem::Problem;
use crate::service::PageQuery;
use crate::service::overlays::{self as service, Overlay, OverlayBody, RecordingFor};
use crate::time;
use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;

const PAGE: &str = "/console/emergency";
/// Announcements shown: a caller who must hear more than these hears none of them to the end.
const ROWS_MAX: usize = 100;
/// For how long an announcement sounds, in hours; "" is until somebody ends it.
const HOURS: [&str; 5] = ["1", "3", "6", "12", "24"];
const HOURS_FIRST: &str = "3";
const HOUR_MS: u64 = 3_600_000;
const LANGS: [&str; 2] = ["ru-RU", "en-GB"];

/// An announcement that sounds.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) lang: String,
    pub(crate) recorded: bool,
    pub(crate) length: String,
    pub(crate) whom: String,
    pub(crate) since: Option<Moment>,
    pub(crate) expires: Option<Moment>,
    pub(crate) heard: String,
    pub(crate) may_edit: bool,
}

impl Row {
    pub(crate) fn of(c: &Ctx, overlay: Overlay) -> Self {
        let whom: Vec<String> = [overlay.agencies, overlay.areas, overlay.numbers].into_iter().flatten().collect();
        Self {
            may_edit: c.may(Operation::OverlaySet),
            whom: if whom.is_empty() { c.t("emergency.whom.all").to_owned() } else { whom.join(", ") },
            recorded: overlay.recording.is_some(),
            length: format::duration(overlay.recording_ms),
            since: overlay.since.as_deref().map(|at| c.moment_of(at)),
            expires: overlay.expires.as_deref().map(|at| c.moment_of(at)),
            heard: c.number(overlay.heard),
            lang: overlay.lang.unwrap_or_default(),
            name: overlay.name,
            text: overlay.text,
        }
    }
}

/// What sounds, and the form.
#[derive(Template)]
#[template(path = "emergency.html")]
pub(crate) struct EmergencyPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) rows: Vec<Row>,
    pub(crate) of_file: usize,
    pub(crate) form: Form,
    pub(crate) langs: Vec<Choice>,
    pub(crate) hours: Vec<Choice>,
    pub(crate) agencies: Vec<String>,
    pub(crate) may_start: bool,
}

impl<'a> EmergencyPage<'a> {
    pub(crate) fn of(c: &'a Ctx, rows: Vec<Row>, of_file: usize, form: Form, agencies: Vec<String>) -> Self {
        let mut hours: Vec<Choice> = HOURS
            .iter()
            .map(|hours| Choice::new(*hours, c.n("emergency.hours.n", hours.parse::<u64>().unwrap_or(1))))
            .collect();
        hours.push(Choice::new("", c.t("emergency.hours.always")));
        let fields = ["text", "areas", "numbers", "audio", "agencies"];
        let form = fields.into_iter().fold(form, |form, field| form.or(field, ""));
        Self {
            c,
            rows,
            of_file,
            form: form.or("hours", HOURS_FIRST).or("lang", LANGS[0]),
            langs: LANGS.iter().map(|lang| Choice::new(*lang, c.word("tongue", lang))).collect(),
            hours,
            agencies,
            may_start: c.may(Operation::OverlaySet),
        }
    }
}

async fn page<'a>(visit: &'a Visit, form: Form) -> Result<EmergencyPage<'a>, Problem> {
    let query = PageQuery { cursor: None, limit: Some(ROWS_MAX) };
    let overlays = service::list(&visit.admin, &visit.me, &query).await?.items;
    let rows = overlays.into_iter().map(|overlay| Row::of(&visit.c, overlay)).collect();
    let of_file = visit.admin.engine().file().overlays;
    let agencies = if visit.c.may(Operation::OverlaySet) { lists::agencies(visit).await? } else { Vec::new() };
    Ok(EmergencyPage::of(&visit.c, rows, of_file, form, agencies))
}

/// `GET /console/emergency`
pub(crate) async fn show(visit: Visit) -> Outcome {
    Ok(visit.page(&page(&visit, Form::new("")).await?))
}

/// Words between commas.
fn listed(form: &Form, name: &str) -> Vec<String> {
    form.text(name).split([',', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn target(c: &Ctx, form: &mut Form) -> Option<RecordingFor> {
    let agencies: Result<Vec<AgencyName>, Problem> = form.all("agencies").into_iter().map(str::parse).collect();
    let numbers: Result<Vec<Number>, Problem> =
        listed(form, "numbers").iter().map(|number| number.replace([' ', '-', '(', ')'], "").parse()).collect();
    let areas = listed(form, "areas");
    let hours: Option<u64> = form.text("hours").parse().ok();
    let expires = hours.map(|hours| time::written(c.now_ms.saturating_add(hours.saturating_mul(HOUR_MS))));
    match (agencies, numbers) {
        (Ok(agencies), Ok(numbers)) => Some(RecordingFor { agencies, areas, numbers, expires }),
        (agencies, numbers) => {
            let wrong = [("agencies", agencies.err()), ("numbers", numbers.err())];
            for (field, problem) in wrong.into_iter().filter_map(|(field, problem)| Some((field, problem?))) {
                form.refused(c.lang, &problem.field(field));
            }
            None
        }
    }
}

/// A name that nobody has to think of in an emergency.
fn name_of(c: &Ctx) -> String {
    let at = format::local_input(&c.zone, c.now_ms);
    let digits: String = at.chars().filter(char::is_ascii_digit).collect();
    format!("emergency-{digits}-{:02}", c.now_ms / 1_000 % 60)
}

/// `POST /console/emergency`
pub(crate) async fn start(State(admin): State<Admin>, request: Request) -> Outcome {
    let long = Long { names: ["audio", "audio"], bytes_max: OVERLAY_AUDIO_BYTES_MAX };
    let Sent { visit, mut form, file } = multipart::read(&admin, request, &long).await?;
    visit.me.may(Operation::OverlaySet)?;
    let c = &visit.c;
    if file.is_none() {
        form.filled(c.lang, "text");
    }
    let lang = form.parsed_some(c.lang, "lang");
    let name: OverlayName = name_of(c).parse()?;
    if let Some(target) = target(c, &mut form).filter(|_| !form.has_wrong()) {
        let done = match file {
            Some(audio) => service::record(&visit.admin, &visit.me, &name, target, audio).await,
            None => {
                let RecordingFor { agencies, areas, numbers, expires } = target;
                let text = form.text("text");
                let body = OverlayBody { text, lang, agencies, areas, numbers, expires, ..OverlayBody::default() };
                service::set(&visit.admin, &visit.me, &name, body, None).await
            }
        };
        match done {
            Ok(_) => return Ok(go(PAGE, Some("sounding"))),
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let page = page(&visit, form).await?;
    Ok(visit.again(&page))
}

/// `GET /console/emergency/{name}/end`
pub(super) async fn ask_end(visit: Visit, headers: HeaderMap, Path(name): Path<String>) -> Outcome {
    let name: OverlayName = name.parse()?;
    let read = service::read(&visit.admin, &visit.me, &name).await?;
    let ask = Ask::new(format!("{PAGE}/{name}/end"), PAGE)
        .title(visit.c.w("emergency.end.title", [("name", name.as_str())]))
        .text(visit.c.t("emergency.end.text"))
        .yes(visit.c.t("emergency.end"))
        .hidden("revision", read.revision.to_string());
    Ok(confirm(&visit, &headers, ask))
}

/// `POST /console/emergency/{name}/end`
pub(super) async fn end(Path(name): Path<String>, Posted { visit, form }: Posted) -> Outcome {
    service::delete(&visit.admin, &visit.me, &name.parse()?, form.revision()).await?;
    Ok(go(PAGE, Some("silenced")))
}
