//! What one call says of its script: how it ended, and what is wrong with that.

use super::graph::End;
use super::inputs::is_announced;
use super::report::FindingKind;
use crate::decide::{AskedBy, BackEndChoice, Decision, DirectoryChoice, Moment, QueueChoice, TransferChoice};
use crate::report::Report;
use crate::smoke::campaign::not_prepared;
use gudok_core::script::{CallError, LandingCause, ScriptEnd, TransferTarget};

/// What is wrong with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wrong {
    pub(super) kind: FindingKind,
    pub(super) what: String,
}

fn wrong(kind: FindingKind, what: impl Into<String>) -> Option<Wrong> {
    Some(Wrong { kind, what: what.into() })
}

/// A moment of a call, and what was decided.
pub(super) type Decided<'a> = (&'a Moment, &'a Decision);

/// How the call ended, as far as its script is concerned.
pub(super) fn end_of(report: &Report, path: &[Decided<'_>]) -> End {
    let left = matches!(path.last(), Some((_, Decision::HangUp)));
    match &report.script_end {
        None => End::Failed("without an end".into()),
        Some(ScriptEnd::Stopped(cause)) => End::Failed(cause.as_str().into()),
        Some(ScriptEnd::Failed(CallError::Ended(_))) => match handed_over(path) {
            Some(name) => End::HandedOver(name),
            None => End::CallerLeft,
        },
        Some(ScriptEnd::Failed(error)) => End::Failed(error.to_string()),
        Some(_) if left => End::CallerLeft,
        Some(ScriptEnd::Returned(summary)) => match handed_over(path) {
            Some(name) => End::HandedOver(name),
            None => End::Returned(summary.code.to_string()),
        },
        Some(ScriptEnd::Informed(disposition)) => End::Returned(disposition.as_str().into()),
    }
}

fn handed_over(path: &[Decided<'_>]) -> Option<String> {
    let (moment, decision) = path.iter().rev().find(|(moment, _)| !matches!(moment, Moment::Stores(_)))?;
    match (moment, decision) {
        (Moment::Transfers(transfer), Decision::Transfer(TransferChoice::Answered)) => match &transfer.target {
            TransferTarget::Script(name) => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// What is wrong with how the call went.
pub(super) fn wrongs(report: &Report, path: &[Decided<'_>], secrets: &[String]) -> Vec<Wrong> {
    let mut all: Vec<Wrong> = bad_end(report, path).into_iter().collect();
    all.extend(report.broken.first().and_then(|broken| {
        let waits_never = broken.what.contains("never waits");
        wrong(if waits_never { FindingKind::EndlessLoop } else { FindingKind::Engine }, broken.what.clone())
    }));
    all.extend(not_prepared(report).and_then(|what| wrong(FindingKind::PrepareFailed, what)));
    let missing = report.missing.iter().find(|what| !what.contains("(gone)"));
    all.extend(missing.and_then(|what| {
        wrong(FindingKind::MissingTarget, format!("the script hands its caller to who is not there: {what}"))
    }));
    all.extend(report.host_calls.iter().find_map(|call| {
        let speaks =
            ["say", "collect", "play-background", "hangup", "record"].iter().any(|name| call.function.contains(name));
        match call.outcome {
            "not-found" if speaks => wrong(
                FindingKind::MissingMedia,
                format!(
                    "a recording that {} wants is not in the bundle; put it under media/ in every language",
                    call.function
                ),
            ),
            "quota" => wrong(FindingKind::Quota, format!("{} was refused: an allowance is used up", call.function)),
            _ => None,
        }
    }));
    if let Some(place) = written_down(report, secrets) {
        all.extend(wrong(
            FindingKind::SensitiveLogged,
            format!("what was entered at a sensitive question is in {place}; write down that it was entered, not what"),
        ));
    }
    all
}

fn bad_end(report: &Report, path: &[Decided<'_>]) -> Option<Wrong> {
    let last = path.last();
    let left = matches!(last, Some((_, Decision::HangUp)));
    let fault = report.runs.iter().find_map(|run| run.fault.clone());
    match report.script_end.as_ref()? {
        ScriptEnd::Stopped(cause) => {
            let why = fault.unwrap_or_else(|| "without a word".into());
            if left {
                let what = format!(
                    "the caller has hung up, and the script goes on until it is stopped ({}): {why}; every host call answers `ended`: return then",
                    cause.as_str()
                );
                return wrong(FindingKind::IgnoresHangUp, what);
            }
            let kind = match cause {
                LandingCause::Trap | LandingCause::Stack => failed_by(last).unwrap_or(FindingKind::Trap),
                LandingCause::Cpu => FindingKind::Cpu,
                LandingCause::Memory => FindingKind::Memory,
                LandingCause::Quota => FindingKind::Quota,
                LandingCause::Timeout => FindingKind::Timeout,
                _ => return None,
            };
            wrong(kind, format!("the script was stopped ({}): {why}", cause.as_str()))
        }
        ScriptEnd::Failed(CallError::Ended(_)) => None,
        // Nobody hears of it.
        ScriptEnd::Failed(_) if left => None,
        ScriptEnd::Failed(error) => {
            let kind = failed_by(last).unwrap_or(FindingKind::ReturnedError);
            let media = matches!(error, CallError::NotFound(what) if what.starts_with("media "));
            let kind = if media { FindingKind::MissingMedia } else { kind };
            wrong(kind, format!("the script returns an error, and its caller hears an apology: {error}"))
        }
        ScriptEnd::Returned(summary) => {
            let abandoned = report.landing == Some(LandingCause::Abandoned);
            match &*summary.code {
                "no-service" => None,
                code if abandoned => wrong(
                    FindingKind::ReturnedWithoutServing,
                    format!("the script returned {code:?} without having served its caller"),
                ),
                _ if left => None,
                _ => without_a_word(path),
            }
        }
        ScriptEnd::Informed(_) if left => None,
        ScriptEnd::Informed(_) => without_a_word(path),
    }
}

/// What failed right before the script did.
fn failed_by(last: Option<&Decided<'_>>) -> Option<FindingKind> {
    match last?.1 {
        Decision::BackEnd(_) => Some(FindingKind::UnhandledBackEndError),
        Decision::Transfer(choice) if *choice != TransferChoice::Answered => {
            Some(FindingKind::UnhandledTransferOutcome)
        }
        Decision::Queue(choice) if *choice != QueueChoice::Answered => Some(FindingKind::UnhandledTransferOutcome),
        Decision::NoStore | Decision::NoPromise | Decision::Directory(_) => Some(FindingKind::UnhandledStoreError),
        _ => None,
    }
}

/// The script let go of its caller: was anything said since the caller, or somebody else, did something last?
fn without_a_word(path: &[Decided<'_>]) -> Option<Wrong> {
    for (moment, decision) in path.iter().rev() {
        let ended = "the call ends without a word";
        match (moment, decision) {
            (Moment::Heard(_), _) => return None,
            (Moment::Asked(question), _) if question.by == AskedBy::Host => return None,
            (Moment::Asked(_), Decision::Silence) => {
                return wrong(
                    FindingKind::NoInputUnhandled,
                    format!("whoever says nothing is not helped: {ended}; connect them with a person, or say goodbye"),
                );
            }
            (Moment::Asked(question), Decision::Keys(keys)) if !is_announced(question, keys) => {
                return wrong(
                    FindingKind::NoMatchUnhandled,
                    format!(
                        "whoever presses what is not offered is not helped: {ended}; connect them with a person, or say goodbye"
                    ),
                );
            }
            (Moment::Asked(_) | Moment::Records { .. }, _) => {
                return wrong(FindingKind::DeadEnd, format!("{ended} after {decision}; say what was done, or goodbye"));
            }
            (Moment::Transfers(_), Decision::Transfer(TransferChoice::Answered))
            | (Moment::Waits(_), Decision::Queue(QueueChoice::Answered | QueueChoice::Nobody)) => return None,
            (Moment::Transfers(_) | Moment::Waits(_), _) => {
                return wrong(
                    FindingKind::UnhandledTransferOutcome,
                    format!("{ended} after {decision}; say that nobody could be reached, and what the caller can do"),
                );
            }
            (_, Decision::BackEnd(choice)) if is_failure(choice) => {
                return wrong(FindingKind::UnhandledBackEndError, format!("{ended} after {decision}"));
            }
            (_, Decision::NoStore | Decision::NoPromise) | (_, Decision::Directory(DirectoryChoice::Unavailable)) => {
                return wrong(FindingKind::UnhandledStoreError, format!("{ended} after {decision}"));
            }
            _ => {}
        }
    }
    None
}

const fn is_failure(choice: &BackEndChoice) -> bool {
    !matches!(choice, BackEndChoice::Answers(200..=299, _))
}

/// Where a secret of the caller's stands.
fn written_down(report: &Report, secrets: &[String]) -> Option<&'static str> {
    let shows = |text: &str| {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        secrets.iter().any(|secret| plain.contains(secret.as_str()))
    };
    if secrets.is_empty() {
        return None;
    }
    if report.log.iter().any(|line| shows(line)) {
        return Some("the script's log");
    }
    let tagged = report.records.iter().flat_map(|leg| &leg.tags).any(|(name, value)| shows(name) || shows(value));
    tagged.then_some("the call's record")
}
