//! What people decide about campaigns: made, changed, started, paused, taken away.

use super::keep::RunDocument;
use super::{Campaigns, recover, refused};
use crate::call::CallHost;
use crate::director::{internal, of_store};
use gudok_admin::books::{BadCampaign, campaign_settings};
use gudok_admin::documents::{CampaignDocument, kinds};
use gudok_admin::ports::{CampaignFacts, CampaignRow, CampaignSeries, CampaignTrunk, CampaignWrite, EngineRefusal};
use gudok_core::campaign::{CampaignMode, CampaignOrder, CampaignRefusal, CampaignSettings};
use gudok_core::ids::{Agency, Campaign};
use gudok_core::prompt::LanguageTag;
use gudok_plugin_host::ports::Clock;
use gudok_store::{AuditDraft, Expected, LedgerChange, Put};
use std::sync::Arc;

/// What a campaign may be made of.
pub(crate) fn facts(host: &CallHost) -> CampaignFacts {
    let config = host.director.config();
    let shared = &config.campaigns.settings;
    let trunks = shared.trunks.iter().map(|(name, share)| CampaignTrunk {
        name: name.to_string(),
        calls_per_s_max: share.calls_per_s_max,
        calls_max: share.calls_max,
    });
    let queues = host.director.centre().borrow().queues.keys().map(ToString::to_string).collect();
    CampaignFacts {
        trunks: trunks.collect(),
        queues,
        zones: vec![config.campaigns.zone.to_string()],
        calls_per_s_max: shared.calls_per_s_max,
        calls_max: shared.calls_max,
    }
}

/// Every campaign, by name.
///
/// # Errors
/// While the engine stops.
pub(crate) async fn all(campaigns: &Campaigns) -> Result<Vec<CampaignRow>, EngineRefusal> {
    campaigns
        .ask(|task| {
            let now = task.book.now();
            task.known.keys().filter_map(|campaign| task.row(campaign, now)).collect()
        })
        .await
}

/// Campaigns that want their results told, with their agencies: no figures are reckoned for that.
///
/// # Errors
/// While the engine stops.
pub(super) async fn wanting_results(campaigns: &Campaigns) -> Result<Vec<(Campaign, Agency)>, EngineRefusal> {
    campaigns
        .ask(|task| {
            let wanting = task.known.iter().filter(|(_, known)| known.document.results_webhook);
            wanting.map(|(campaign, known)| (campaign.clone(), known.settings.agency.clone())).collect()
        })
        .await
}

/// One campaign.
///
/// # Errors
/// While the engine stops.
pub(crate) async fn one(campaigns: &Campaigns, name: Campaign) -> Result<Option<CampaignRow>, EngineRefusal> {
    campaigns.ask(move |task| task.row(&name, task.book.now())).await
}

/// How attempts ended over time.
///
/// # Errors
/// Where there is no such campaign.
pub(crate) async fn series(
    campaigns: &Campaigns,
    name: Campaign,
    step_s: u32,
) -> Result<CampaignSeries, EngineRefusal> {
    let wanted = name.clone();
    let found = campaigns.ask(move |task| task.known.get(&wanted).map(|known| known.series.steps(step_s))).await?;
    found.ok_or_else(|| unknown(&name))
}

/// Makes a campaign, or changes it; answered when it is durable.
///
/// # Errors
/// Where its document means nothing, names what is not there, or was written by somebody else meanwhile.
pub(crate) async fn put(host: &CallHost, write: CampaignWrite) -> Result<CampaignRow, EngineRefusal> {
    let CampaignWrite { name, document, expected_revision, actor, audit } = write;
    let settings = settings(host, &name, &document)?;
    let (of, new) = (name.clone(), document.clone());
    let checked = host.campaigns.ask(move |task| may_put(task, &of, &new, expected_revision)).await??;
    let body = serde_json::to_vec(&document).map_err(|error| internal("writing a campaign", error))?;
    let put = Put { kind: kinds::CAMPAIGN.to_owned(), id: name.as_str().to_owned(), body, expires: None };
    let run = checked.unwrap_or_else(|| RunDocument::draft(host.clock.now(), &actor.name));
    let mut puts = vec![put];
    if expected_revision == 0 {
        puts.push(run.put(&name).map_err(|error| internal("writing a campaign", error))?);
    }
    let change = LedgerChange {
        expect: vec![Expected {
            kind: kinds::CAMPAIGN.to_owned(),
            id: name.as_str().to_owned(),
            revision: expected_revision,
        }],
        puts,
        audit: vec![audit],
        ..LedgerChange::default()
    };
    let written = host.store.ledger_commit(change, super::convert::utc(host.clock.now())).await;
    let done = written.map_err(|error| of_store("writing a campaign", &error))?;
    let revision = done.revisions.first().copied().unwrap_or_default();
    let row = host.campaigns.ask(move |task| {
        let name = settings.name.clone();
        let new = !task.known.contains_key(&name);
        task.put(revision, Arc::new(document), Arc::new(settings), run);
        if new {
            // It has no contacts yet that would have to be read.
            task.feed(gudok_core::campaign::CampaignInput::Ready(name.clone()));
        }
        task.row(&name, task.book.now())
    });
    row.await?.ok_or_else(|| unknown(&name))
}

/// What a document means, where everything that it names is there.
///
/// # Errors
/// With the field.
pub(super) fn settings(
    host: &CallHost,
    name: &Campaign,
    document: &CampaignDocument,
) -> Result<CampaignSettings, EngineRefusal> {
    let config = host.director.config();
    let lang = LanguageTag::from(&*config.lang);
    let settings = campaign_settings(name.as_str(), document, &lang).map_err(|bad| invalid(&bad))?;
    if !config.campaigns.settings.trunks.contains_key(&settings.trunk) {
        let problem = format!("Campaigns may not call by the trunk {:?}.", settings.trunk.as_str());
        let remedy = "Choose a trunk that the file lets campaigns use: [[trunk]] campaigns = { … }.";
        return Err(refused("invalid-field", 422, Some("trunk"), problem, remedy));
    }
    if let CampaignMode::Operators { queue, .. } = &settings.mode
        && !host.director.centre().borrow().queues.contains_key(queue)
    {
        let problem = format!("There is no queue {:?}.", queue.as_str());
        return Err(refused("invalid-field", 422, Some("operators.queue"), problem, "Choose a queue of the file."));
    }
    Ok(settings)
}

/// Its run as it stands, where it is known already.
fn may_put(
    task: &super::Task,
    name: &Campaign,
    document: &CampaignDocument,
    expected_revision: u64,
) -> Result<Option<RunDocument>, EngineRefusal> {
    if task.erasing.contains(name) {
        let problem = format!("A campaign {:?} was removed, and its contacts are still being erased.", name.as_str());
        return Err(refused("conflict", 409, Some("name"), problem, "Try again in a moment, or choose another name."));
    }
    let Some(known) = task.known.get(name) else { return Ok(None) };
    if known.revision != expected_revision {
        let problem = format!("The campaign {:?} is at revision {}.", name.as_str(), known.revision);
        return Err(refused("stale-revision", 412, None, problem, "read it again and decide anew"));
    }
    let contacts = task.machine.standing(name, task.book.now()).map_or(0, |figures| figures.contacts);
    let kept = known.document.windows.iter().zip(&document.windows).all(|(old, new)| old.name == new.name);
    if contacts > 0 && (!kept || document.windows.len() < known.document.windows.len()) {
        let problem = "Contacts have windows of their own by these names: a name keeps its place.";
        return Err(refused("invalid-field", 422, Some("windows"), problem, "Add new windows at the end only."));
    }
    if contacts > 0 && known.document.agency != document.agency {
        let problem = "The campaign has contacts already: they stay with their agency.";
        return Err(refused(
            "invalid-field",
            422,
            Some("agency"),
            problem,
            "Make another campaign for the other agency.",
        ));
    }
    Ok(Some(known.run.clone()))
}

/// Takes a campaign away; answered when it is durable. Its contacts are erased afterwards.
///
/// # Errors
/// While it runs, or where there is none.
pub(crate) async fn remove(host: &CallHost, name: Campaign, audit: AuditDraft) -> Result<(), EngineRefusal> {
    let wanted = name.clone();
    let checked = host.campaigns.ask(move |task| match task.known.get(&wanted) {
        None => Err(unknown(&wanted)),
        Some(_) if !task.is_at_rest(&wanted) => {
            let problem = format!("The campaign {:?} runs, or calls of it are on.", wanted.as_str());
            Err(refused("conflict", 409, None, problem, "Pause or stop it, and wait for its calls to end."))
        }
        Some(known) => Ok((known.revision, RunDocument { gone: true, ..known.run.clone() }, task.book.clone())),
    });
    let (revision, run, book) = checked.await??;
    let change = LedgerChange {
        expect: vec![Expected { kind: kinds::CAMPAIGN.to_owned(), id: name.as_str().to_owned(), revision }],
        puts: vec![run.put(&name).map_err(|error| internal("removing a campaign", error))?],
        deletes: vec![(kinds::CAMPAIGN.to_owned(), name.as_str().to_owned())],
        audit: vec![audit],
        urgent: true,
    };
    let written = host.store.ledger_commit(change, book.utc()).await;
    written.map_err(|error| of_store("removing a campaign", &error))?;
    let gone = name.clone();
    host.campaigns.ask(move |task| task.removed(&gone)).await?;
    tokio::spawn(recover::erase(host.campaigns.clone(), book, name));
    Ok(())
}

/// Start, pause, resume, stop; answered when it is durable.
///
/// # Errors
/// Where it does not fit.
pub(crate) async fn order(host: &CallHost, name: Campaign, order: CampaignOrder) -> Result<CampaignRow, EngineRefusal> {
    if matches!(order, CampaignOrder::Start | CampaignOrder::Resume) {
        has_script(host, &name).await?;
    }
    let wanted = name.clone();
    let said = host.campaigns.ask(move |task| task.durably(|machine, now| machine.order(&wanted, order, now)));
    durable(said.await?.map_err(|refusal| of_machine(&refusal))?).await?;
    one(&host.campaigns, name.clone()).await?.ok_or_else(|| unknown(&name))
}

/// Nobody is prepared whose script is not there: said at once, and not by contact.
async fn has_script(host: &CallHost, name: &Campaign) -> Result<(), EngineRefusal> {
    let Some(row) = one(&host.campaigns, name.clone()).await? else { return Err(unknown(name)) };
    let (agency, entry) = (row.document.agency.to_core(), row.document.entry.to_core());
    if host.director.deployment(&agency, &entry).is_none() {
        let problem = format!("No script is active at {agency}/{entry}.");
        return Err(refused("conflict", 409, Some("entry"), problem, "Deploy the campaign's script there first."));
    }
    Ok(())
}

/// Waits for what was said to be on the disk.
///
/// # Errors
/// Where it was not written down; it is tried again.
pub(super) async fn durable(answer: tokio::sync::oneshot::Receiver<Result<(), String>>) -> Result<(), EngineRefusal> {
    match answer.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => {
            let remedy = "Look whether it holds before you say it again: the engine goes on trying to write it down.";
            Err(refused("internal", 503, None, format!("It was not written down: {problem}."), remedy))
        }
        Err(_) => Err(super::stopping()),
    }
}

pub(super) fn unknown(name: &Campaign) -> EngineRefusal {
    let problem = format!("There is no campaign {:?}.", name.as_str());
    refused("not-found", 404, None, problem, "See the list of campaigns.")
}

/// What the machine says.
pub(super) fn of_machine(refusal: &CampaignRefusal) -> EngineRefusal {
    match refusal {
        CampaignRefusal::Unknown(name) => unknown(name),
        CampaignRefusal::NoContact(_) => {
            refused("not-found", 404, None, refusal.to_string(), "See the list of its contacts.")
        }
        CampaignRefusal::WrongState { .. } | CampaignRefusal::WrongContact(_) => {
            refused("conflict", 409, None, refusal.to_string(), "Look at how it stands now, and decide anew.")
        }
        CampaignRefusal::Empty => refused("conflict", 409, None, refusal.to_string(), "Import its contacts first."),
    }
}

fn invalid(bad: &BadCampaign) -> EngineRefusal {
    refused("invalid-field", 422, Some(&bad.field), bad.problem.clone(), bad.remedy.clone())
}
