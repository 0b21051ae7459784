//! The first contacts of a campaign's script: it is asked before dialling, and talks to people who press what they like, who
//! hang up, who say nothing, and to answering machines.
//!
//! Their rows come from the bundle: `data/contacts.jsonl`, a list as it could be uploaded, one object a line. What a row has
//! under `keys` ("1 1961 1") is no column, but what its contact would press to hear the whole. Without that file there is
//! one contact without columns.

use super::{BackEnds, KEYS, SmokeFault, SmokeReport, SmokeSettings, Smoker, smoke, smokers, world};
use crate::callee::{Callee, GREETING};
use crate::caller::Caller;
use crate::campaigns::samples;
use crate::informing::SimContact;
use crate::report::Report;
use gudok_core::calendar::Hours;
use gudok_core::campaign::{CallWindow, CampaignSettings, OnMachine, Retries};
use gudok_core::ids::{Agency, Entry};
use gudok_plugin_host::Version;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A list to try the script with.
pub(crate) const CONTACTS: &str = "contacts.jsonl";
/// Rows of it that are called: the first.
const ROWS_MAX: usize = 4;
/// A list's own columns, which no script is given.
const OWN_COLUMNS: [&str; 6] = ["number", "id", "zone", "window", "lang", "area"];
/// The row's field that is no column.
const KEYS_FIELD: &str = "keys";
/// How long there are campaigns in the world: who is put off for longer is not called in it.
const LASTS: Duration = Duration::from_hours(6);

/// A contact of the list.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) fields: Vec<(String, String)>,
    /// What is pressed at each question; empty where the list does not say.
    keys: Vec<String>,
}

/// Lets the first contacts be called.
pub(super) fn run(version: &Arc<Version>, agency: &Agency, entry: &Entry, settings: &SmokeSettings) -> SmokeReport {
    let fault =
        |keys: &str, problem: String| SmokeFault { keys: keys.into(), problem, told: Vec::new(), log: Vec::new() };
    let list = version.data(CONTACTS);
    let rows = match list.map_or_else(|| Ok(vec![Row::default()]), rows) {
        Ok(rows) => rows,
        Err(problem) => {
            let faults = vec![fault("data/contacts.jsonl", problem)];
            return SmokeReport { faults, ..SmokeReport::default() };
        }
    };
    let contacts = contacts(version.manifest.capabilities.fetch.is_some(), &rows);
    let (mut report, judge) = smoke(version, agency, settings, contacts, |routes, smoker| {
        let called = rows.iter().enumerate().filter_map(|(at, row)| contact(at, row, smoker)).collect();
        world(version, (agency, entry), routes, smoker, settings)
            .campaigns(samples::shared(&["Etc/UTC"]), LASTS)
            .campaign(campaign(agency, entry), Duration::ZERO, called)
    });
    if !report.faults.is_empty() {
        return report;
    }
    match (judge.ran, judge.served, list.is_some()) {
        (true, true, _) => {}
        (true, false, _) => {
            let problem = "the script informs nobody: whoever takes the call, it returns an error or `failed`";
            report.faults.push(fault("all of them", problem.into()));
        }
        (false, _, true) => {
            let problem = "prepare skips every contact of the list, or puts them off for more than six hours";
            report.faults.push(fault("data/contacts.jsonl", problem.into()));
        }
        // It has reason to skip a contact without columns: there is nothing to say of it.
        (false, _, false) => report.callers = 0,
    }
    report
}

/// What went wrong before dialling.
pub(crate) fn not_prepared(went: &Report) -> Option<String> {
    went.campaigns.values().any(|outcome| outcome.ends("script-failed") > 0 || outcome.done("script-failed") > 0).then(
        || {
            let why = went.log.iter().find_map(|line| line.strip_prefix("Fault ")).unwrap_or("without a word");
            format!("prepare failed: {why}")
        },
    )
}

/// Who takes the calls: those who would call, and whoever is only met by calling.
fn contacts(fetches: bool, rows: &[Row]) -> Vec<Smoker> {
    let person = |smoker: Smoker| Smoker { takes: Some((Callee::person(smoker.caller.clone()), None)), ..smoker };
    let new = |keys: &str, callee: Callee, row: Option<usize>| Smoker {
        keys: keys.into(),
        caller: Caller::called(),
        takes: Some((callee, row)),
        back_ends: BackEnds::Unreachable,
        leaves: false,
        extra: false,
    };
    let mut all = vec![
        new("an answering machine", Callee::answering_machine(), None),
        new("an answering machine that does not beep", Callee::machine_without_beep(GREETING), None),
        new("takes the call and says nothing", Callee::silent(Caller::called()), None),
    ];
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.keys.is_empty()) {
        let presses = |keys: &[String]| keys.iter().fold(Caller::called(), |caller, keys| caller.presses(keys));
        let named = |keys: &[String]| format!("row {} of the list, {}", at + 1, keys.join(" "));
        all.push(new(&named(&row.keys), Callee::person(presses(&row.keys)), Some(at)));
        for len in 1..=row.keys.len() {
            let keys = &row.keys[..len];
            let leaves = Callee::person(presses(keys).hangs_up());
            all.push(Smoker { leaves: true, ..new(&format!("{}, then hangs up", named(keys)), leaves, Some(at)) });
            for key in KEYS {
                let other: Vec<String> = keys[..len - 1].iter().cloned().chain([key.to_owned()]).collect();
                all.push(new(&named(&other), Callee::person(presses(&other)), Some(at)));
            }
        }
    }
    let callers = smokers(Caller::called, fetches).into_iter().filter(|smoker| smoker.keys != super::WITHHELD);
    all.extend(callers.map(person));
    all
}

fn contact(at: usize, row: &Row, smoker: &Smoker) -> Option<SimContact> {
    let (callee, only) = smoker.takes.as_ref()?;
    if only.is_some_and(|only| only != at) {
        return None;
    }
    // Numbers that nobody has.
    let contact = SimContact::new(&format!("+7000{at:07}"), callee.clone());
    Some(row.fields.iter().fold(contact, |contact, (name, value)| contact.field(name, value)))
}

/// Everybody at once, at any hour, once.
pub(crate) fn campaign(agency: &Agency, entry: &Entry) -> CampaignSettings {
    let always = CallWindow { week: std::array::from_fn(|_| vec![Hours::ALL_DAY]), exceptions: BTreeMap::new() };
    CampaignSettings {
        agency: agency.clone(),
        entry: entry.clone(),
        window: always,
        on_machine: OnMachine::Message,
        retries: Retries { attempts_max: 1, attempts_per_day_max: 1, rules: BTreeMap::new() },
        ..samples::campaign("smoke")
    }
}

/// The first rows of the list.
pub(crate) fn rows(list: &[u8]) -> Result<Vec<Row>, String> {
    let text = std::str::from_utf8(list).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).take(ROWS_MAX);
    let rows: Vec<Row> = lines.map(|(at, line)| row(at + 1, line)).collect::<Result<_, _>>()?;
    if rows.is_empty() { Err("it has no rows".into()) } else { Ok(rows) }
}

fn row(at: usize, line: &str) -> Result<Row, String> {
    let object: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| format!("line {at} is no object: {error}"))?;
    let mut row = Row::default();
    for (name, value) in object {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return Err(format!("line {at}: {name} is no text and no number")),
        };
        match name.as_str() {
            KEYS_FIELD => row.keys = text.split_whitespace().map(str::to_owned).collect(),
            own if OWN_COLUMNS.iter().any(|column| own.eq_ignore_ascii_case(column)) => {}
            _ => row.fields.push((name, text)),
        }
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_could_be_uploaded() {
        let list = "{\"ID\": \"a-1\", \"number\": \"+70000000001\", \"debt\": \"1234,56\", \"level\": 21, \"keys\": \"1 1961\", \"tax\": null}\n\n{}\n{}\n{}\n{}\n";
        let rows = rows(list.as_bytes()).unwrap();
        assert_eq!(rows.len(), ROWS_MAX);
        let fields: Vec<(&str, &str)> = rows[0].fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(fields, [("debt", "1234,56"), ("level", "21")]);
        assert_eq!(rows[0].keys, ["1", "1961"]);
        let refused = |list: &str| super::rows(list.as_bytes()).err().unwrap();
        assert_eq!(refused("\n"), "it has no rows");
        assert!(refused("{}\n[]").starts_with("line 2 is no object"));
        assert_eq!(refused("{\"a\": []}"), "line 1: a is no text and no number");
    }
}
