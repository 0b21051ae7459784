//! The audit: who did what, and whether the chain is whole.

use super::context::Ctx;
use super::form::{Choice, Form};
use super::format::Moment;
use super::lists;
use super::versions::{Fact, facts_of};
use super::visit::{Outcome, Posted, Refused, Visit};
use crate::access::Operation;
use crate::names::AgencyName;
use crate::service::audit::{self as service, AuditChecked, AuditFilter, AuditShown};
use askama::Template;

/// Every action that the audit knows, by name; each has words in both languages.
pub(crate) const ACTIONS: &[&str] = &[
    "agency.create",
    "agency.delete",
    "agency.update",
    "audit.export",
    "bundle.refuse",
    "bundle.upload",
    "call.hangup",
    "call.land",
    "call.supervise",
    "call.supervise-end",
    "callback.book",
    "callback.cancel",
    "callback.connected",
    "callback.number",
    "callback.try-again",
    "campaign.change",
    "campaign.create",
    "campaign.delete",
    "campaign.forecast",
    "campaign.pause",
    "campaign.results",
    "campaign.resume",
    "campaign.start",
    "campaign.start-asked",
    "campaign.stop",
    "canary",
    "cdr.read",
    "configuration.reload",
    "contacts.copy",
    "contacts.decide",
    "contacts.import",
    "contacts.imported",
    "contacts.read",
    "delivery.retry",
    "deploy",
    "desk.login",
    "desk.logout",
    "desk.pause",
    "desk.ready",
    "desk.transfer",
    "desk.wrap-up",
    "directory.delete",
    "directory.import",
    "directory.set",
    "entry.set",
    "guide.delete",
    "guide.set",
    "key.add",
    "key.revoke",
    "login",
    "login.failed",
    "logout",
    "number.create",
    "number.delete",
    "number.update",
    "operator.create",
    "operator.delete",
    "operator.state",
    "operator.update",
    "opt-out.add",
    "opt-out.find",
    "opt-out.import",
    "opt-out.imported",
    "opt-out.withdraw",
    "overlay.delete",
    "overlay.set",
    "recording.mark",
    "recording.play",
    "release",
    "retention.deleted",
    "retention.set",
    "rollback",
    "rollback.automatic",
    "subject.erase",
    "subject.export",
    "ticket.create",
    "ticket.read",
    "token.create",
    "token.revoke",
    "trace.read",
    "user.create",
    "user.delete",
    "user.update",
    "version.approve",
    "version.delete",
    "version.refuse",
    "webhook.delete",
    "webhook.set",
];
/// Of a hash, so many digits are shown.
const HASH_CHARS: usize = 12;

/// A name in which hashes are shortened.
fn brief(name: &str) -> String {
    let part = |part: &str| {
        let hash = part.len() > 2 * HASH_CHARS && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hash { format!("{}…", &part[..HASH_CHARS]) } else { part.to_owned() }
    };
    name.split(':').map(part).collect::<Vec<_>>().join(":")
}

/// An entry, in words.
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) actor: String,
    pub(crate) via: String,
    pub(crate) action: String,
    pub(crate) code: String,
    pub(crate) object: String,
    pub(crate) details: Vec<Fact>,
    pub(crate) hash: String,
}

impl Row {
    pub(crate) fn of(c: &Ctx, entry: AuditShown) -> Self {
        let details = facts_of(&entry.details);
        Self {
            seq: entry.seq,
            at: c.moment_of(&entry.at),
            actor: entry.actor,
            via: c.word("via", &entry.via),
            action: c.word("action", &entry.action),
            code: entry.action,
            object: brief(&entry.object),
            details,
            hash: entry.hash,
        }
    }
}

/// What a check of the chain found, in words.
pub(crate) struct Verified {
    pub(crate) tone: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) faults: Vec<String>,
}

impl Verified {
    pub(crate) fn of(c: &Ctx, checked: &AuditChecked) -> Self {
        let fault = |fault: &service::FaultShown| {
            let seq = fault.seq.to_string();
            c.w("audit.fault", [("seq", seq.as_str()), ("problem", fault.problem.as_str())])
        };
        Self {
            tone: if checked.ok { "good" } else { "bad" },
            title: c.t(if checked.ok { "audit.whole" } else { "audit.broken" }),
            text: c.n("audit.checked", checked.entries),
            faults: checked.faults.iter().map(fault).collect(),
        }
    }
}

/// The audit.
#[derive(Template)]
#[template(path = "audit.html")]
pub(crate) struct AuditPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) actions: Vec<Choice>,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) next: Option<String>,
    pub(crate) verified: Option<Verified>,
    pub(crate) may_verify: bool,
    pub(crate) may_export: bool,
}

pub(crate) fn actions(c: &Ctx) -> Vec<Choice> {
    let mut choices = vec![Choice::new("", c.t("list.any"))];
    let named = ACTIONS.iter().map(|action| Choice::new(*action, c.word("action", action)));
    let mut named: Vec<Choice> = named.collect();
    named.sort_by_key(|choice| choice.text.clone());
    choices.extend(named);
    choices
}

async fn page<'a>(visit: &'a Visit, query: &lists::Asked) -> Result<AuditPage<'a>, Refused> {
    let c = &visit.c;
    let mut form = query.0.clone();
    let filter = AuditFilter {
        from_seq: None,
        actor: query.filter("actor"),
        action: query.filter("action"),
        agency: form.parsed_some::<AgencyName>(c.lang, "agency"),
        newest_first: true,
    };
    let page = service::list(&visit.admin, &visit.me, &filter, &query.page()).await?;
    Ok(AuditPage {
        c,
        form: form.or("actor", "").or("action", "").or("agency", ""),
        actions: actions(c),
        agencies: lists::agency_filter(visit).await?,
        rows: page.items.into_iter().map(|entry| Row::of(c, entry)).collect(),
        next: query.next("/console/audit", page.next.as_deref()),
        verified: None,
        may_verify: c.may(Operation::AuditVerify),
        may_export: c.may(Operation::AuditExport),
    })
}

/// `GET /console/audit`
pub(crate) async fn list(visit: Visit, query: lists::Asked) -> Outcome {
    Ok(visit.page(&page(&visit, &query).await?))
}

/// `POST /console/audit/verify`
pub(crate) async fn verify(query: lists::Asked, Posted { visit, .. }: Posted) -> Outcome {
    let checked = service::verify(&visit.admin, &visit.me).await?;
    let mut page = page(&visit, &query).await?;
    page.verified = Some(Verified::of(&visit.c, &checked));
    Ok(visit.page(&page))
}
