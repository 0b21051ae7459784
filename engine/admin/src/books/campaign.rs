//! What a campaign's document means to the machine.

use crate::documents::{CampaignDocument, CampaignOnMachine, CampaignRetry, CampaignUnknown};
use gudok_core::campaign::{
    CallWindow, CampaignMode, CampaignSettings, Disposition, OnMachine, Pace, Retries, RetryRule, UnknownRule, Urgency,
};
use gudok_core::directory::OpeningHours;
use gudok_core::ids::{Campaign, Queue, Trunk};
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::LanguageTag;
use gudok_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Windows of contacts' own.
const WINDOWS_MAX: usize = 64;
/// Attempts in all, in a day, or after one disposition.
const ATTEMPTS_MAX: u8 = 100;
/// The longest distance of two attempts.
const RETRY_AFTER_S_MAX: u32 = 365 * 24 * 3_600;
/// Calls begun in any second, as a person may ask for it; what trunks and engine allow counts besides.
const CALLS_PER_S_MAX: u32 = 10_000;
/// Calls at once, as a person may ask for it.
const CALLS_MAX: u32 = 100_000;
/// A telephone rings so long at least, and at most.
const RING_S: std::ops::RangeInclusive<u16> = 5..=180;
const PERMILLE_MAX: u16 = 1_000;
const LINES_PER_OPERATOR_TENTHS: std::ops::RangeInclusive<u16> = 10..=100;

/// After these dispositions somebody may be tried again; the others are the end of a contact by their nature.
pub const RETRIED: [&str; 15] = [
    "delivered",
    "voicemail",
    "wrong-person",
    "failed",
    "hung-up",
    "abandoned",
    "machine",
    "fax",
    "busy",
    "no-answer",
    "rejected",
    "unavailable",
    "not-dialled",
    "script-failed",
    "declined",
];

/// A field of a campaign's document that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem} {remedy}")]
pub struct BadCampaign {
    /// Which: `window`, `retries.busy.after_s`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// What a document means. `lang` is the centre's language. Trunks, queues and entries are not looked up here.
///
/// # Errors
/// The first field that means nothing.
pub fn campaign_settings(
    name: &str,
    document: &CampaignDocument,
    lang: &LanguageTag,
) -> Result<CampaignSettings, BadCampaign> {
    check_ranges(document)?;
    let starts = moment("starts", document.starts.as_deref())?;
    let deadline = moment("deadline", document.deadline.as_deref())?;
    if let (Some(starts), Some(deadline)) = (starts, deadline)
        && deadline <= starts
    {
        return Err(bad("deadline", "It is not after the start.", "Give a later deadline, or an earlier start."));
    }
    if document.over_opt_outs && !document.emergency {
        let remedy = "Leave it out; only an emergency may call those who asked not to be called.";
        return Err(bad("over_opt_outs", "The campaign is no emergency.", remedy));
    }
    Ok(CampaignSettings {
        name: Campaign::new(name),
        agency: document.agency.to_core(),
        entry: document.entry.to_core(),
        lang: document.lang.as_ref().map_or_else(|| lang.clone(), |lang| LanguageTag::from(lang.as_str())),
        urgency: match document.emergency {
            true => Urgency::Emergency { over_opt_outs: document.over_opt_outs },
            false => Urgency::Ordinary,
        },
        mode: mode(document)?,
        priority: document.priority,
        window: window("window", &document.window)?,
        windows: windows(document)?,
        pace: Pace { calls_per_s_max: document.calls_per_s_max, calls_max: document.calls_max },
        trunk: Trunk::new(document.trunk.as_str()),
        shown: shown(document)?,
        ring_max: Duration::from_secs(u64::from(document.ring_s)),
        retries: retries(document)?,
        unknown: match document.unknown {
            CampaignUnknown::Ask => UnknownRule::Ask,
            CampaignUnknown::TakeForMade => UnknownRule::TakeForMade,
            CampaignUnknown::TakeForUnanswered => UnknownRule::TakeForUnanswered,
        },
        on_machine: match document.on_machine {
            CampaignOnMachine::HangUp => OnMachine::HangUp,
            CampaignOnMachine::Message => OnMachine::Message,
            CampaignOnMachine::Ignore => OnMachine::Ignore,
        },
        confirm: document.confirm,
        starts,
        deadline,
        script_failures_max: document.script_failures_max,
    })
}

fn check_ranges(document: &CampaignDocument) -> Result<(), BadCampaign> {
    let between = |field: &str, value: u32, from: u32, to: u32| {
        if (from..=to).contains(&value) { Ok(()) } else { Err(out_of_range(field, from, to)) }
    };
    between("calls_per_s_max", document.calls_per_s_max, 1, CALLS_PER_S_MAX)?;
    between("calls_max", document.calls_max, 1, CALLS_MAX)?;
    between("ring_s", document.ring_s.into(), (*RING_S.start()).into(), (*RING_S.end()).into())?;
    between("attempts_max", document.attempts_max.into(), 1, ATTEMPTS_MAX.into())?;
    between("attempts_per_day_max", document.attempts_per_day_max.into(), 1, ATTEMPTS_MAX.into())
}

fn mode(document: &CampaignDocument) -> Result<CampaignMode, BadCampaign> {
    let Some(operators) = &document.operators else { return Ok(CampaignMode::Agentless) };
    if operators.abandoned_permille_max > PERMILLE_MAX {
        return Err(out_of_range("operators.abandoned_permille_max", 0, PERMILLE_MAX.into()));
    }
    let (from, to) = (*LINES_PER_OPERATOR_TENTHS.start(), *LINES_PER_OPERATOR_TENTHS.end());
    if !LINES_PER_OPERATOR_TENTHS.contains(&operators.lines_per_operator_tenths_max) {
        return Err(out_of_range("operators.lines_per_operator_tenths_max", from.into(), to.into()));
    }
    Ok(CampaignMode::Operators {
        queue: Queue::new(operators.queue.as_str()),
        abandoned_permille_max: operators.abandoned_permille_max,
        lines_per_operator_tenths_max: operators.lines_per_operator_tenths_max,
    })
}

fn window(field: &str, hours: &str) -> Result<CallWindow, BadCampaign> {
    let hours = OpeningHours::parse(hours).map_err(|wrong| {
        let remedy = "Write days and hours like \"mon-fri 09:00-20:00; sat 10:00-18:00; 2026-05-09 closed\".";
        bad(field, &format!("{:?} {}.", wrong.part, wrong.problem), remedy)
    })?;
    let open = hours.week().iter().chain(hours.exceptions().values()).any(|day| !day.is_empty());
    if !open {
        return Err(bad(field, "It is never open: nobody would be called.", "Name a day and its hours."));
    }
    Ok(CallWindow { week: hours.week().clone(), exceptions: hours.exceptions().clone() })
}

fn windows(document: &CampaignDocument) -> Result<Vec<CallWindow>, BadCampaign> {
    if document.windows.len() > WINDOWS_MAX {
        let problem = format!("There are {} of them; at most {WINDOWS_MAX} are kept.", document.windows.len());
        return Err(bad("windows", &problem, "Leave some out."));
    }
    let mut names = BTreeSet::new();
    let mut windows = Vec::with_capacity(document.windows.len());
    for (at, named) in document.windows.iter().enumerate() {
        let field = format!("windows.{at}");
        let plain = named.name.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if named.name.is_empty() || named.name.chars().count() > 64 || !plain {
            let remedy = "A window's name is 1 to 64 characters without blanks.";
            return Err(bad(&format!("{field}.name"), "This is no name.", remedy));
        }
        if !names.insert(named.name.to_lowercase()) {
            return Err(bad(&format!("{field}.name"), "There is another window of that name.", "Choose another name."));
        }
        windows.push(window(&format!("{field}.hours"), &named.hours)?);
    }
    Ok(windows)
}

fn shown(document: &CampaignDocument) -> Result<Option<PhoneNumber>, BadCampaign> {
    let Some(shown) = document.shown.as_deref().map(str::trim).filter(|shown| !shown.is_empty()) else {
        return Ok(None);
    };
    let digits = shown.strip_prefix('+').unwrap_or(shown);
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let remedy = "Write digits, with a plus before them or not; leave it out for the trunk's own number.";
        return Err(bad("shown", "This is no number.", remedy));
    }
    Ok(Some(PhoneNumber::new(shown)))
}

fn retries(document: &CampaignDocument) -> Result<Retries, BadCampaign> {
    let mut rules = BTreeMap::new();
    for (disposition, retry) in &document.retries {
        let Some(kind) = RETRIED.iter().chain(&Disposition::KINDS).find(|kind| *kind == disposition) else {
            let field = format!("retries.{disposition}");
            return Err(bad(&field, "There is no such disposition.", &format!("Choose of {}.", RETRIED.join(", "))));
        };
        if !RETRIED.contains(kind) {
            let remedy = format!("Leave it out; those that can be tried again are {}.", RETRIED.join(", "));
            let problem = "After that nobody is tried again, whatever a rule says.";
            return Err(bad(&format!("retries.{disposition}"), problem, &remedy));
        }
        rules.insert(*kind, rule(disposition, *retry)?);
    }
    Ok(Retries { attempts_max: document.attempts_max, attempts_per_day_max: document.attempts_per_day_max, rules })
}

fn rule(disposition: &str, retry: CampaignRetry) -> Result<RetryRule, BadCampaign> {
    for (name, value) in [("after_s", retry.after_s), ("jitter_s", retry.jitter_s)] {
        if value > RETRY_AFTER_S_MAX {
            return Err(out_of_range(&format!("retries.{disposition}.{name}"), 0, RETRY_AFTER_S_MAX));
        }
    }
    if !(1..=ATTEMPTS_MAX).contains(&retry.attempts_max) {
        return Err(out_of_range(&format!("retries.{disposition}.attempts_max"), 1, ATTEMPTS_MAX.into()));
    }
    Ok(RetryRule {
        after: Duration::from_secs(u64::from(retry.after_s)),
        jitter: Duration::from_secs(u64::from(retry.jitter_s)),
        attempts_max: retry.attempts_max,
    })
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, BadCampaign> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    match crate::time::read(field, text) {
        Ok(ms) => Ok(Some(Timestamp::from_millis(ms))),
        Err(problem) => Err(bad(field, problem.detail(), "Write it like 2026-05-04T19:30:00+07:00.")),
    }
}

fn out_of_range(field: &str, from: u32, to: u32) -> BadCampaign {
    bad(field, &format!("It is {from} to {to}."), "Give a number within these bounds.")
}

fn bad(field: &str, problem: &str, remedy: &str) -> BadCampaign {
    BadCampaign { field: field.to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(more: serde_json::Value) -> CampaignDocument {
        let mut whole = serde_json::json!({ "agency": "tax", "entry": "reminder", "trunk": "city" });
        let serde_json::Value::Object(more) = more else { unreachable!("tests give objects") };
        whole.as_object_mut().unwrap().extend(more);
        serde_json::from_value(whole).unwrap()
    }

    fn check(more: serde_json::Value) -> Result<CampaignSettings, String> {
        campaign_settings("spring", &document(more), &LanguageTag::from("ru-RU")).map_err(|wrong| wrong.field)
    }

    #[test]
    fn three_words_make_a_campaign() {
        let settings = check(serde_json::json!({})).unwrap();
        assert_eq!(settings.urgency, Urgency::Ordinary);
        assert_eq!(settings.mode, CampaignMode::Agentless);
        assert_eq!(settings.lang, LanguageTag::from("ru-RU"));
        assert_eq!(settings.retries.rule(&Disposition::Busy).unwrap().after, Duration::from_mins(10));
        assert!(settings.retries.rule(&Disposition::DoNotCall).is_none());
        assert!(settings.window.week[6].is_empty(), "nobody is called on a Sunday who did not ask for it");
    }

    #[test]
    fn what_means_nothing_is_named() {
        use serde_json::json;
        for (more, field) in [
            (json!({ "window": "mon-fri 9-20" }), "window"),
            (json!({ "window": "daily closed" }), "window"),
            (json!({ "windows": [{ "name": "late shift", "hours": "daily 10:00-11:00" }] }), "windows.0.name"),
            (
                json!({ "windows": [{ "name": "a", "hours": "daily 10:00-11:00" }, { "name": "A", "hours": "24/7" }] }),
                "windows.1.name",
            ),
            (json!({ "windows": [{ "name": "a", "hours": "sometimes" }] }), "windows.0.hours"),
            (json!({ "calls_per_s_max": 0 }), "calls_per_s_max"),
            (json!({ "calls_max": 0 }), "calls_max"),
            (json!({ "ring_s": 1 }), "ring_s"),
            (json!({ "attempts_max": 0 }), "attempts_max"),
            (json!({ "attempts_per_day_max": 101 }), "attempts_per_day_max"),
            (json!({ "shown": "8 (384) 2" }), "shown"),
            (json!({ "starts": "tomorrow" }), "starts"),
            (json!({ "starts": "2026-05-05T00:00:00Z", "deadline": "2026-05-04T00:00:00Z" }), "deadline"),
            (json!({ "over_opt_outs": true }), "over_opt_outs"),
            (json!({ "retries": { "engaged": { "after_s": 1 } } }), "retries.engaged"),
            (json!({ "retries": { "do-not-call": { "after_s": 1 } } }), "retries.do-not-call"),
            (json!({ "retries": { "busy": { "after_s": 40_000_000 } } }), "retries.busy.after_s"),
            (json!({ "retries": { "busy": { "after_s": 1, "attempts_max": 0 } } }), "retries.busy.attempts_max"),
            (
                json!({ "operators": { "queue": "q", "abandoned_permille_max": 1_001 } }),
                "operators.abandoned_permille_max",
            ),
            (
                json!({ "operators": { "queue": "q", "lines_per_operator_tenths_max": 9 } }),
                "operators.lines_per_operator_tenths_max",
            ),
        ] {
            assert_eq!(check(more.clone()).err().as_deref(), Some(field), "{more}");
        }
    }

    #[test]
    fn every_disposition_is_retried_or_an_end() {
        for kind in RETRIED {
            assert!(Disposition::KINDS.contains(&kind), "{kind}");
        }
        for end in ["confirmed", "do-not-call", "opted-out", "expired", "cancelled", "skipped", "no-such-number"] {
            assert!(!RETRIED.contains(&end), "{end}");
        }
    }
}
