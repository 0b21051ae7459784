//! The form of a campaign.

use super::PAGE;
use super::live::title_of;
use crate::access::Operation;
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::console::{format, lists};
use crate::documents::{
    CampaignDocument, CampaignOnMachine, CampaignOperators, CampaignRetry, CampaignUnknown, NamedWindow,
};
use crate::names::CampaignName;
use crate::ports::CampaignFacts;
use crate::problem::{Problem, codes};
use crate::service::campaigns::{self as service, Campaign, is_officer};
use crate::time;
use askama::Template;
use axum::extract::Path;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const UNKNOWN: [(&str, CampaignUnknown); 3] = [
    ("ask", CampaignUnknown::Ask),
    ("take-for-made", CampaignUnknown::TakeForMade),
    ("take-for-unanswered", CampaignUnknown::TakeForUnanswered),
];
const ON_MACHINE: [(&str, CampaignOnMachine); 3] = [
    ("hang-up", CampaignOnMachine::HangUp),
    ("message", CampaignOnMachine::Message),
    ("ignore", CampaignOnMachine::Ignore),
];
/// Fields that a form shows even where nothing is in them.
const FIELDS: [&str; 28] = [
    "name",
    "agency",
    "entry",
    "title",
    "lang",
    "emergency",
    "over_opt_outs",
    "queue",
    "abandoned_permille_max",
    "lines_per_operator_tenths_max",
    "priority",
    "window",
    "windows",
    "calls_per_s_max",
    "calls_max",
    "trunk",
    "shown",
    "ring_s",
    "attempts_max",
    "attempts_per_day_max",
    "retries",
    "unknown",
    "on_machine",
    "confirm",
    "starts",
    "deadline",
    "results_webhook",
    "script_failures_max",
];

/// The form.
#[derive(Template)]
#[template(path = "campaign_form.html")]
pub(crate) struct FormPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) heading: String,
    pub(crate) action: String,
    pub(crate) back: String,
    pub(crate) is_new: bool,
    pub(crate) revision: u64,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) trunks: Vec<Choice>,
    pub(crate) queues: Vec<Choice>,
    pub(crate) unknown: Vec<Choice>,
    pub(crate) on_machine: Vec<Choice>,
    /// Only emergencies are within this reader's hands.
    pub(crate) officer_only: bool,
    pub(crate) may_emergency: bool,
}

impl<'a> FormPage<'a> {
    pub(crate) fn of(
        c: &'a Ctx,
        campaign: Option<(&Campaign, u64)>,
        form: Form,
        agencies: &[String],
        facts: &CampaignFacts,
    ) -> Self {
        let name = campaign.map(|(campaign, _)| campaign.row.name.clone());
        let form = FIELDS.into_iter().fold(form, |form, field| form.or(field, ""));
        let words = |group: &str, words: &[&str]| {
            words.iter().map(|word| Choice::new(*word, c.t(&format!("{group}.{word}")))).collect()
        };
        let mut trunks = Choice::all(facts.trunks.iter().map(|trunk| trunk.name.as_str()));
        let chosen = form.value("trunk");
        if !chosen.is_empty() && !trunks.iter().any(|trunk| trunk.value == chosen) {
            trunks.push(Choice::new(chosen, chosen));
        }
        let officer = c.me.as_ref().is_some_and(is_officer);
        let roles = c.me.as_ref().map_or(0, |me| me.roles.len());
        Self {
            heading: campaign.map_or_else(|| c.t("campaign.new").to_owned(), |(campaign, _)| title_of(campaign)),
            action: name.as_ref().map_or_else(|| format!("{PAGE}/new"), |name| format!("{PAGE}/{name}/edit")),
            back: name.map_or_else(|| PAGE.to_owned(), |name| format!("{PAGE}/{name}")),
            is_new: campaign.is_none(),
            revision: campaign.map_or(0, |(_, revision)| revision),
            agencies: Choice::all(agencies.iter().filter(|agency| c.may_in(Operation::CampaignSet, agency))),
            trunks,
            queues: Choice::or(c.t("campaign.operators.none"), &facts.queues),
            unknown: words("campaign.unknown-rule", &UNKNOWN.map(|(word, _)| word)),
            on_machine: words("campaign.on-machine", &ON_MACHINE.map(|(word, _)| word)),
            officer_only: officer && roles == 1,
            may_emergency: officer,
            form,
            c,
        }
    }
}

/// "90s", "10m", "2h": the largest unit that is whole.
fn length(seconds: u32) -> String {
    match seconds {
        0 => "0".to_owned(),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let (number, times) = match text.chars().last()? {
        'h' | 'ч' => (text.trim_end_matches(['h', 'ч']), 3_600),
        'm' | 'м' => (text.trim_end_matches(['m', 'м']), 60),
        's' | 'с' => (text.trim_end_matches(['s', 'с']), 1),
        _ => (text, 1),
    };
    number.parse::<u32>().ok()?.checked_mul(times)
}

/// The values of a document, as the form shows them.
pub(crate) fn form_of(c: &Ctx, document: &CampaignDocument) -> Form {
    let mut retries = String::new();
    for (disposition, retry) in &document.retries {
        let (after, jitter) = (length(retry.after_s), length(retry.jitter_s));
        // Writing to a string does not fail.
        let _ = writeln!(retries, "{disposition} = {after} {jitter} {}", retry.attempts_max);
    }
    let windows: Vec<String> = document.windows.iter().map(|of| format!("{} = {}", of.name, of.hours)).collect();
    let moment = |text: &Option<String>| {
        let ms = text.as_deref().and_then(|at| time::read("at", at).ok());
        ms.map(|ms| format::local_input(&c.zone, ms)).unwrap_or_default()
    };
    let word = |yes: bool| if yes { "true" } else { "" };
    let operators = document.operators.as_ref();
    let figure =
        |value: Option<u16>, default: &str| value.map_or_else(|| default.to_owned(), |value| value.to_string());
    Form::new("")
        .with("agency", document.agency.as_str())
        .with("entry", document.entry.as_str())
        .with("title", document.title.as_str())
        .with("lang", document.lang.as_ref().map(ToString::to_string).unwrap_or_default())
        .with("emergency", word(document.emergency))
        .with("over_opt_outs", word(document.over_opt_outs))
        .with("queue", operators.map(|of| of.queue.to_string()).unwrap_or_default())
        .with("abandoned_permille_max", figure(operators.map(|of| of.abandoned_permille_max), "30"))
        .with("lines_per_operator_tenths_max", figure(operators.map(|of| of.lines_per_operator_tenths_max), "10"))
        .with("priority", document.priority.to_string())
        .with("window", document.window.as_str())
        .with("windows", windows.join("\n"))
        .with("calls_per_s_max", document.calls_per_s_max.to_string())
        .with("calls_max", document.calls_max.to_string())
        .with("trunk", document.trunk.as_str())
        .with("shown", document.shown.clone().unwrap_or_default())
        .with("ring_s", document.ring_s.to_string())
        .with("attempts_max", document.attempts_max.to_string())
        .with("attempts_per_day_max", document.attempts_per_day_max.to_string())
        .with("retries", retries.trim_end())
        .with("unknown", UNKNOWN.iter().find(|(_, rule)| *rule == document.unknown).map_or("ask", |(word, _)| word))
        .with(
            "on_machine",
            ON_MACHINE.iter().find(|(_, of)| *of == document.on_machine).map_or("hang-up", |(word, _)| word),
        )
        .with("confirm", word(document.confirm))
        .with("results_webhook", word(document.results_webhook))
        .with("starts", moment(&document.starts))
        .with("deadline", moment(&document.deadline))
        .with("script_failures_max", document.script_failures_max.to_string())
}

fn number<T: TryFrom<u32>>(c: &Ctx, form: &mut Form, field: &str, range: (u32, u32)) -> Option<T> {
    if form.text(field).is_empty() {
        form.blame(c.lang, field, "required", &[]);
        return None;
    }
    form.whole(c.lang, field, range).and_then(|number| T::try_from(number).ok())
}

fn retries(c: &Ctx, form: &mut Form) -> BTreeMap<String, CampaignRetry> {
    let mut rules = BTreeMap::new();
    for line in form.text("retries").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let rule = line.split_once('=').and_then(|(name, rule)| {
            let parts: Vec<&str> = rule.split_whitespace().collect();
            let (after_s, jitter_s) = (seconds(parts.first()?)?, seconds(parts.get(1).unwrap_or(&"0"))?);
            let attempts_max = parts.get(2).unwrap_or(&"3").parse().ok()?;
            (parts.len() <= 3).then(|| (name.trim().to_owned(), CampaignRetry { after_s, jitter_s, attempts_max }))
        });
        match rule {
            Some((name, rule)) => {
                rules.insert(name, rule);
            }
            None => form.blame(c.lang, "retries", "retry", &[("line", line)]),
        }
    }
    rules
}

fn windows(c: &Ctx, form: &mut Form) -> Vec<NamedWindow> {
    let mut windows = Vec::new();
    for line in form.text("windows").lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((name, hours)) => {
                windows.push(NamedWindow { name: name.trim().to_owned(), hours: hours.trim().to_owned() });
            }
            None => form.blame(c.lang, "windows", "setting", &[("line", line)]),
        }
    }
    windows
}

fn operators(c: &Ctx, form: &mut Form) -> Option<CampaignOperators> {
    let queue = form.parsed_some(c.lang, "queue")?;
    Some(CampaignOperators {
        queue,
        abandoned_permille_max: number(c, form, "abandoned_permille_max", (0, 1_000))?,
        lines_per_operator_tenths_max: number(c, form, "lines_per_operator_tenths_max", (10, 100))?,
    })
}

/// What a form decides; nothing where something is wrong with it.
pub(crate) fn document(c: &Ctx, form: &mut Form) -> Option<CampaignDocument> {
    let agency = form.parsed(c.lang, "agency");
    let entry = form.parsed(c.lang, "entry");
    let trunk = form.parsed(c.lang, "trunk");
    let lang = form.parsed_some(c.lang, "lang");
    let operators = operators(c, form);
    let (windows, retries) = (windows(c, form), retries(c, form));
    let priority = number(c, form, "priority", (0, 255));
    let calls_per_s_max = number(c, form, "calls_per_s_max", (1, 10_000));
    let calls_max = number(c, form, "calls_max", (1, 100_000));
    let ring_s = number(c, form, "ring_s", (5, 180));
    let attempts_max = number(c, form, "attempts_max", (1, 100));
    let attempts_per_day_max = number(c, form, "attempts_per_day_max", (1, 100));
    let script_failures_max = number(c, form, "script_failures_max", (0, 65_535));
    let starts = form.moment(c.lang, &c.zone, "starts").map(time::written);
    let deadline = form.moment(c.lang, &c.zone, "deadline").map(time::written);
    let shown = form.text("shown");
    if form.has_wrong() {
        return None;
    }
    let unknown = UNKNOWN.iter().find(|(word, _)| *word == form.value("unknown")).map(|(_, rule)| *rule);
    let on_machine = ON_MACHINE.iter().find(|(word, _)| *word == form.value("on_machine")).map(|(_, of)| *of);
    Some(CampaignDocument {
        agency: agency?,
        entry: entry?,
        title: form.text("title"),
        lang,
        emergency: form.checked("emergency"),
        over_opt_outs: form.checked("over_opt_outs"),
        operators,
        priority: priority?,
        window: form.text("window"),
        windows,
        calls_per_s_max: calls_per_s_max?,
        calls_max: calls_max?,
        trunk: trunk?,
        shown: (!shown.is_empty()).then_some(shown),
        ring_s: ring_s?,
        attempts_max: attempts_max?,
        attempts_per_day_max: attempts_per_day_max?,
        retries,
        unknown: unknown.unwrap_or_default(),
        on_machine: on_machine.unwrap_or_default(),
        confirm: form.checked("confirm"),
        starts,
        deadline,
        results_webhook: form.checked("results_webhook"),
        script_failures_max: script_failures_max?,
    })
}

/// A campaign as the defaults have it.
pub(crate) fn first() -> Result<CampaignDocument, Problem> {
    let least = serde_json::json!({ "agency": "a", "entry": "main", "trunk": "trunk" });
    serde_json::from_value(least).map_err(|error| Problem::internal("making a campaign's form", error))
}

fn facts(visit: &Visit) -> CampaignFacts {
    visit.admin.engine().campaign_facts().unwrap_or_default()
}

/// `GET /console/campaigns/new`
pub(super) async fn blank(visit: Visit) -> Outcome {
    visit.me.may(Operation::CampaignSet)?;
    let agencies = lists::agencies(&visit).await?;
    let form = form_of(&visit.c, &first()?).without("agency").without("entry").without("trunk");
    let officer = is_officer(&visit.me) && visit.me.roles.len() == 1;
    let form = if officer { form.without("emergency").with("emergency", "true") } else { form };
    Ok(visit.page(&FormPage::of(&visit.c, None, form, &agencies, &facts(&visit))))
}

/// `POST /console/campaigns/new`
pub(super) async fn create(Posted { visit, mut form }: Posted) -> Outcome {
    let c = &visit.c;
    let name = form.parsed::<CampaignName>(c.lang, "name");
    if let (Some(document), Some(name)) = (document(c, &mut form), name) {
        match service::set(&visit.admin, &visit.me, &name, document, None).await {
            Ok(_) => return Ok(go(&format!("{PAGE}/{name}"), Some("created"))),
            // Without a revision only a new one is made: the name is taken.
            Err(problem) if problem.is(&codes::PRECONDITION_REQUIRED) || problem.is(&codes::EXISTS) => {
                form.blame(c.lang, "name", "exists", &[]);
            }
            Err(problem) => form.refused(c.lang, &problem),
        }
    }
    let agencies = lists::agencies(&visit).await?;
    Ok(visit.again(&FormPage::of(c, None, form, &agencies, &facts(&visit))))
}

/// `GET /console/campaigns/{name}/edit`
pub(super) async fn show(visit: Visit, Path(name): Path<String>) -> Outcome {
    visit.me.may(Operation::CampaignSet)?;
    let read = service::read(&visit.admin, &visit.me, &name.parse()?).await?;
    let agencies = lists::agencies(&visit).await?;
    let form = form_of(&visit.c, &read.value.row.document);
    let campaign = Some((&read.value, read.revision));
    Ok(visit.page(&FormPage::of(&visit.c, campaign, form, &agencies, &facts(&visit))))
}

/// `POST /console/campaigns/{name}/edit`
pub(super) async fn update(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: CampaignName = name.parse()?;
    if let Some(document) = document(&visit.c, &mut form) {
        match service::set(&visit.admin, &visit.me, &name, document, form.revision()).await {
            Ok(_) => return Ok(go(&format!("{PAGE}/{name}"), Some("saved"))),
            Err(problem) => form.refused(visit.c.lang, &problem),
        }
    }
    let read = service::read(&visit.admin, &visit.me, &name).await?;
    let agencies = lists::agencies(&visit).await?;
    let campaign = Some((&read.value, read.revision));
    Ok(visit.again(&FormPage::of(&visit.c, campaign, form, &agencies, &facts(&visit))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::texts::Lang;
    use jiff::tz::TimeZone;

    #[test]
    fn a_campaign_comes_back_from_its_form() {
        let c = Ctx::of_nobody(Lang::Ru, TimeZone::fixed(jiff::tz::offset(7)), "/console/campaigns", 0);
        let mut whole = first().unwrap();
        whole.windows = vec![NamedWindow { name: "late".into(), hours: "mon-fri 18:00-21:00".into() }];
        whole.starts = Some("2026-05-04T02:00:00.000Z".into());
        whole.deadline = Some("2026-05-30T13:00:00.000Z".into());
        let queue = "help".parse().unwrap();
        whole.operators =
            Some(CampaignOperators { queue, abandoned_permille_max: 20, lines_per_operator_tenths_max: 15 });
        whole.confirm = true;
        whole.unknown = CampaignUnknown::TakeForUnanswered;
        whole.on_machine = CampaignOnMachine::Message;
        for document in [first().unwrap(), whole] {
            let mut form = form_of(&c, &document);
            let read = super::document(&c, &mut form);
            assert_eq!(read.as_ref(), Some(&document), "{:?}", form.wrongs());
        }
    }

    #[test]
    fn what_is_written_wrongly_is_said_beside_its_field() {
        let c = Ctx::of_nobody(Lang::Ru, TimeZone::UTC, "/console/campaigns", 0);
        for (field, value) in [
            ("retries", "busy 10m"),
            ("retries", "busy = soon"),
            ("windows", "late 18:00"),
            ("calls_per_s_max", "0"),
            ("calls_max", ""),
            ("starts", "soon"),
            ("entry", ""),
        ] {
            let mut form = form_of(&c, &first().unwrap()).without(field).with(field, value);
            assert_eq!(document(&c, &mut form), None, "{field} = {value:?}");
            assert!(form.wrong(field).is_some(), "{field} = {value:?}: {:?}", form.wrongs());
        }
        assert_eq!(
            (seconds("2h"), seconds("10м"), seconds("90"), seconds("x")),
            (Some(7_200), Some(600), Some(90), None)
        );
        assert_eq!((length(7_200), length(90), length(600)), ("2h".into(), "90s".into(), "10m".into()));
    }
}
