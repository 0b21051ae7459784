//! Who does not want to be called.
//!
//! An opt-out is durable before it is answered, and counts from then on in campaigns that run. Its number is kept as a key
//! and nowhere in clear.

use super::convert::{number_to_core, opt_out_to_core};
use super::refused;
use crate::call::CallHost;
use crate::director::of_store;
use gudok_admin::ports::{Actor, EngineRefusal, OptOutOrder, OptOutRow, OptOutRows, OptOutsQuery};
use gudok_core::campaign::{CampaignInput, OptOut, OptOutScope};
use gudok_core::ids::Agency;
use gudok_core::privacy::PhoneNumber;
use gudok_plugin_host::ports::Clock;
use gudok_store::limits::PAGE_ROWS_MAX;
use gudok_store::{self as store, AgencyId, NumberKey, OptOutQuery};

/// Between whose word an opt-out is and why, as the store keeps it.
const REASON_MARK: &str = ": ";
/// Pages that one query looks through.
const PAGES_MAX: usize = 64;

/// One page of opt-outs.
///
/// # Errors
/// Where the store does not answer.
pub(crate) async fn page(host: &CallHost, query: OptOutsQuery) -> Result<OptOutRows, EngineRefusal> {
    let rows_max = query.rows_max.clamp(1, PAGE_ROWS_MAX);
    let number = query.key.as_deref().map(key).transpose()?;
    let mut after = query.after.as_deref().and_then(place);
    let mut rows = Vec::new();
    for _ in 0..PAGES_MAX {
        let wanted = OptOutQuery { number, scope: None, after: after.take(), rows_max: rows_max - rows.len() };
        let page = host.store.opt_outs(wanted).await.map_err(|error| of_store("reading opt-outs", &error))?;
        rows.extend(page.opt_outs.iter().filter(|opt_out| is_wanted(&query, opt_out)).map(row));
        match page.more_after {
            None => return Ok(OptOutRows { rows, more_after: None }),
            Some(more) if rows.len() >= rows_max => {
                return Ok(OptOutRows { rows, more_after: Some(place_text(&more)) });
            }
            Some(more) => after = Some(more),
        }
    }
    Ok(OptOutRows { rows, more_after: after.as_ref().map(place_text) })
}

fn is_wanted(query: &OptOutsQuery, opt_out: &store::OptOut) -> bool {
    match (&query.agencies, &opt_out.scope) {
        (None, _) => true,
        (Some(_), store::OptOutScope::Global) => query.global,
        (Some(agencies), store::OptOutScope::Agency(agency)) => agencies.iter().any(|known| known == agency.as_str()),
    }
}

fn row(opt_out: &store::OptOut) -> OptOutRow {
    let (source, reason) = opt_out.by.split_once(REASON_MARK).unwrap_or((&opt_out.by, ""));
    OptOutRow {
        id: key_text(opt_out.number),
        agency: match &opt_out.scope {
            store::OptOutScope::Global => None,
            store::OptOutScope::Agency(agency) => Some(agency.as_str().to_owned()),
        },
        protected: opt_out.protected,
        since_ms: opt_out.since.0,
        source: source.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The key under which a number's opt-outs are kept; none where it is not a whole number.
pub(crate) fn key_of(host: &CallHost, number: &str) -> Option<String> {
    let number = host.director.routes().plan.normalise(number)?;
    host.subjects.number_key(&number).map(key_text)
}

fn key_text(number: NumberKey) -> String {
    format!("{:032x}", number.0)
}

fn key(text: &str) -> Result<NumberKey, EngineRefusal> {
    u128::from_str_radix(text, 16).map(NumberKey).map_err(|_| {
        let problem = format!("{text:?} is no opt-out's id.");
        refused("invalid-field", 422, Some("key"), problem, "It is 32 hexadecimal digits.")
    })
}

/// Where a page ended, as text.
fn place_text((number, scope): &(NumberKey, store::OptOutScope)) -> String {
    match scope {
        store::OptOutScope::Global => key_text(*number),
        store::OptOutScope::Agency(agency) => format!("{}/{}", key_text(*number), agency.as_str()),
    }
}

fn place(text: &str) -> Option<(NumberKey, store::OptOutScope)> {
    let (number, scope) = match text.split_once('/') {
        None => (text, store::OptOutScope::Global),
        Some((number, agency)) => (number, store::OptOutScope::Agency(AgencyId::new(agency).ok()?)),
    };
    Some((NumberKey(u128::from_str_radix(number, 16).ok()?), scope))
}

/// Notes that somebody does not want to be called; answered when it is durable.
///
/// # Errors
/// Where the number is none, or the store does not answer.
pub(crate) async fn put(host: &CallHost, actor: &Actor, order: OptOutOrder) -> Result<OptOutRow, EngineRefusal> {
    let by = format!("{}{REASON_MARK}{}", actor.name, order.reason);
    let one = opt_out(host, &order.number, order.agency.as_deref(), order.protected, by)?;
    let (number, scope) = (one.number, one.scope.clone());
    put_all(host, vec![one]).await?;
    let query = OptOutQuery { number: Some(number), scope: Some(scope), ..OptOutQuery::default() };
    let kept = host.store.opt_outs(query).await.map_err(|error| of_store("reading opt-outs", &error))?;
    kept.opt_outs.first().map(row).ok_or_else(|| crate::director::internal("keeping an opt-out", "it is not there"))
}

/// An opt-out as the store keeps it. `number` in its canonical form.
///
/// # Errors
/// Without the node's key, or where the agency's name is none.
pub(super) fn opt_out(
    host: &CallHost,
    number: &PhoneNumber,
    agency: Option<&str>,
    protected: bool,
    by: String,
) -> Result<store::OptOut, EngineRefusal> {
    let number = host.subjects.number_key(number).ok_or_else(|| {
        let remedy = "Bring the store's folder back; the node's key is in it.";
        refused("not-served", 503, None, "The engine runs without its node's key.", remedy)
    })?;
    let scope = match agency {
        None => store::OptOutScope::Global,
        Some(agency) => {
            store::OptOutScope::Agency(AgencyId::new(agency).map_err(|error| of_store("naming an agency", &error))?)
        }
    };
    Ok(store::OptOut { number, scope, protected, since: super::convert::utc(host.clock.now()), by })
}

/// Keeps some opt-outs, and lets the machine know. Answers how many are new.
///
/// # Errors
/// Where the store does not answer.
pub(super) async fn put_all(host: &CallHost, all: Vec<store::OptOut>) -> Result<u64, EngineRefusal> {
    let told: Vec<OptOut> = all.iter().map(opt_out_to_core).collect();
    let kept = host.store.opt_outs_put(all).await.map_err(|error| of_store("keeping opt-outs", &error))?;
    host.campaigns.ask(move |task| task.feed(CampaignInput::OptOutsLoaded(told))).await?;
    Ok(kept)
}

/// Somebody may be called again. False where there is no such opt-out.
///
/// # Errors
/// Where the id is none, or the store does not answer.
pub(crate) async fn delete(host: &CallHost, id: &str, agency: Option<&str>) -> Result<bool, EngineRefusal> {
    let number = key(id)?;
    let (kept, told) = match agency {
        None => (store::OptOutScope::Global, OptOutScope::Global),
        Some(name) => {
            let agency = AgencyId::new(name).map_err(|error| of_store("naming an agency", &error))?;
            (store::OptOutScope::Agency(agency), OptOutScope::Agency(Agency::new(name)))
        }
    };
    let query = OptOutQuery { number: Some(number), scope: Some(kept), ..OptOutQuery::default() };
    let found = host.store.opt_outs(query).await.map_err(|error| of_store("reading opt-outs", &error))?;
    let Some(found) = found.opt_outs.first() else { return Ok(false) };
    let opt_in = OptOut { number: number_to_core(number), scope: told, protected: found.protected };
    let said = host.campaigns.ask(move |task| {
        task.durably(|machine, now| {
            machine.handle(CampaignInput::OptedIn(opt_in), now);
            Ok::<(), std::convert::Infallible>(())
        })
    });
    let Ok(answer) = said.await?;
    super::orders::durable(answer).await?;
    // Where the machine had nothing to write down of it.
    let scope = found.scope.clone();
    host.store.opt_out_delete(number, scope).await.map_err(|error| of_store("deleting an opt-out", &error))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_it_ended() {
        let number = NumberKey(0xab);
        let agency = store::OptOutScope::Agency(AgencyId::new("tax").unwrap());
        for scope in [store::OptOutScope::Global, agency] {
            let at = (number, scope);
            assert_eq!(place(&place_text(&at)), Some(at));
        }
        assert_eq!(place("nonsense"), None);
        assert_eq!(key(&key_text(number)).unwrap(), number);
        assert!(key("x").is_err());
    }

    #[test]
    fn whose_word_it_is_and_why_are_told_apart() {
        let opt_out = |by: &str| store::OptOut {
            number: NumberKey(1),
            scope: store::OptOutScope::Global,
            protected: false,
            since: store::UtcMs(1),
            by: by.to_owned(),
        };
        let seen = |by: &str| {
            let row = row(&opt_out(by));
            (row.source, row.reason)
        };
        assert_eq!(seen("anna: asked: by letter"), ("anna".to_owned(), "asked: by letter".to_owned()));
        assert_eq!(seen("script"), ("script".to_owned(), String::new()));
    }
}
