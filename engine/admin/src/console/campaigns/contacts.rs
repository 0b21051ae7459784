//! A campaign's contacts, and what people decide about them.

use super::PAGE;
use super::live::title_of;
use super::view::May;
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::format::Moment;
use crate::console::lists;
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Posted, Visit, go};
use crate::names::CampaignName;
use crate::ports::{ContactAttempt, ContactRow};
use crate::problem::{Problem, codes};
use crate::redacted::Redacted;
use crate::service::campaigns::contacts::{self as service, ContactChoice, ContactFilter, ContactStanding};
use crate::service::campaigns::{self, Campaign};
use askama::Template;
use axum::extract::Path;
use gudok_core::campaign::Disposition;

/// A contact in the list.
pub(crate) struct Line {
    pub(crate) no: u32,
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) zone: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) at: Option<Moment>,
    pub(crate) disposition: String,
    pub(crate) attempts: String,
    pub(crate) unknown: bool,
    pub(crate) done: bool,
}

impl Line {
    pub(crate) fn of(c: &Ctx, row: &ContactRow) -> Self {
        Self {
            no: row.no,
            id: row.id.clone(),
            number: row.number.clone(),
            zone: row.zone.clone(),
            tone: match row.state.as_str() {
                "unknown" => "warn",
                "claimed" => "info",
                "waiting" => "good",
                _ => "off",
            },
            state: c.word("contact.state", &row.state),
            at: row.state_ms.map(|at| c.moment(at)),
            disposition: row.disposition.as_deref().map(|kind| c.word("disposition", kind)).unwrap_or_default(),
            attempts: c.number(row.attempts),
            unknown: row.state == "unknown",
            done: row.state == "done",
        }
    }
}

/// An attempt.
pub(crate) struct Try {
    pub(crate) nth: u16,
    pub(crate) call: String,
    pub(crate) claimed: Moment,
    pub(crate) answered: Option<Moment>,
    pub(crate) by: String,
    pub(crate) ended: Option<Moment>,
    pub(crate) disposition: String,
    pub(crate) words: String,
}

impl Try {
    pub(crate) fn of(c: &Ctx, attempt: &ContactAttempt) -> Self {
        let words = attempt.words.clone().unwrap_or_default();
        let status = attempt.status.map(|status| format!("SIP {status}"));
        Self {
            nth: attempt.nth,
            call: attempt.call.clone(),
            claimed: c.moment(attempt.claimed_ms),
            answered: attempt.answered_ms.map(|at| c.moment(at)),
            by: attempt.answered_by.as_deref().map(|by| c.word("answered", by)).unwrap_or_default(),
            ended: attempt.ended_ms.map(|at| c.moment(at)),
            disposition: attempt
                .disposition
                .as_deref()
                .map_or_else(|| "—".to_owned(), |kind| c.word("disposition", kind)),
            words: [Some(words).filter(|words| !words.is_empty()), status]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "contacts.html")]
pub(crate) struct ContactsPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) form: Form,
    pub(crate) find: Form,
    pub(crate) states: Vec<Choice>,
    pub(crate) dispositions: Vec<Choice>,
    pub(crate) rows: Vec<Line>,
    pub(crate) next: Option<String>,
    pub(crate) may: May,
}

impl<'a> ContactsPage<'a> {
    pub(crate) fn of(
        c: &'a Ctx,
        campaign: &Campaign,
        form: Form,
        find: Form,
        rows: &[ContactRow],
        next: Option<String>,
    ) -> Self {
        let mut states = vec![Choice::new("", c.t("list.any"))];
        states.extend(ContactStanding::ALL.map(|one| Choice::new(one.as_str(), c.word("contact.state", one.as_str()))));
        let mut dispositions = vec![Choice::new("", c.t("list.any"))];
        dispositions.extend(Disposition::KINDS.map(|kind| Choice::new(kind, c.word("disposition", kind))));
        Self {
            c,
            name: campaign.row.name.clone(),
            title: title_of(campaign),
            form: form.or("state", "").or("disposition", "").or("area", ""),
            find: find.named("find-").without("number").with("number", ""),
            states,
            dispositions,
            rows: rows.iter().map(|row| Line::of(c, row)).collect(),
            next,
            may: May::of(c, campaign),
        }
    }
}

/// One contact.
#[derive(Template)]
#[template(path = "contact.html")]
pub(crate) struct ContactPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) name: String,
    pub(crate) line: Line,
    pub(crate) facts: Vec<Fact>,
    pub(crate) tries: Vec<Try>,
    pub(crate) may: May,
}

fn standing(word: &str) -> Option<ContactStanding> {
    ContactStanding::ALL.into_iter().find(|one| one.as_str() == word)
}

/// `GET /console/campaigns/{name}/contacts`
pub(super) async fn list(visit: Visit, Path(name): Path<String>, query: lists::Asked) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let filter = ContactFilter {
        state: query.filter("state").as_deref().and_then(standing),
        disposition: query.filter("disposition"),
        area: query.filter("area"),
    };
    let page = service::list(&visit.admin, &visit.me, &name, &filter, &query.page()).await?;
    let next = query.next(&format!("{PAGE}/{name}/contacts"), page.next.as_deref());
    let form = query.0.clone();
    Ok(visit.page(&ContactsPage::of(&visit.c, &campaign, form, Form::new("find-"), &page.items, next)))
}

/// `POST /console/campaigns/{name}/contacts`: by number, which stands in no address.
pub(super) async fn find(Path(name): Path<String>, Posted { visit, mut form }: Posted) -> Outcome {
    let name: CampaignName = name.parse()?;
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let number = form.filled(visit.c.lang, "number");
    let found = if form.has_wrong() {
        Vec::new()
    } else {
        match service::find(&visit.admin, &visit.me, &name, &Redacted::new(number)).await {
            Ok(page) => page.items,
            Err(problem) => {
                form.refused(visit.c.lang, &problem);
                Vec::new()
            }
        }
    };
    let wrong = form.has_wrong();
    let page = ContactsPage::of(&visit.c, &campaign, Form::new(""), form, &found, None);
    Ok(if wrong { visit.again(&page) } else { visit.page(&page) })
}

/// `GET /console/campaigns/{name}/contacts/{no}`
pub(super) async fn show(visit: Visit, Path((name, no)): Path<(String, String)>) -> Outcome {
    let (name, no) = (name.parse::<CampaignName>()?, number_of(&no)?);
    let campaign = campaigns::read(&visit.admin, &visit.me, &name).await?.value;
    let found = service::read(&visit.admin, &visit.me, &name, no).await?;
    let (c, row) = (&visit.c, &found.contact);
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let all = [
        ("contact.number", row.number.clone()),
        ("contact.zone", row.zone.clone()),
        ("campaign.windows", some(&row.window)),
        ("language", some(&row.lang)),
        ("contact.area", some(&row.area)),
    ];
    let facts = all.into_iter().filter(|(_, value)| !value.is_empty());
    let facts = facts.map(|(key, value)| Fact { name: c.t(key).to_owned(), value }).collect();
    let tries = found.tries.iter().map(|attempt| Try::of(c, attempt)).collect();
    let (line, may) = (Line::of(c, row), May::of(c, &campaign));
    Ok(visit.page(&ContactPage { c, name: name.to_string(), line, facts, tries, may }))
}

fn number_of(no: &str) -> Result<u32, Problem> {
    no.parse().map_err(|_| Problem::not_found("contact", no.chars().take(20).collect::<String>()))
}

/// `POST /console/campaigns/{name}/contacts/{no}/decide`
pub(super) async fn decide(Path((name, no)): Path<(String, String)>, Posted { visit, form }: Posted) -> Outcome {
    let (name, no) = (name.parse::<CampaignName>()?, number_of(&no)?);
    let choice = match form.value("decision") {
        "take-for-made" => ContactChoice::TakeForMade,
        "try-again" => ContactChoice::TryAgain,
        "cancel" => ContactChoice::Cancel,
        _ => return Err(Problem::new(&codes::INVALID, "There is no such decision.").field("decision").into()),
    };
    service::decide(&visit.admin, &visit.me, &name, no, choice).await?;
    let back = if form.checked("list") { "?state=unknown".to_owned() } else { format!("/{no}") };
    Ok(go(&format!("{PAGE}/{name}/contacts{back}"), Some("saved")))
}
