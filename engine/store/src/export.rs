//! Call records for people and their tools: JSON Lines and CSV.
//!
//! Sealed numbers are left out: they leave the store only in a backup.
use std::io::Write;

use serde::Serialize;

use crate::{Cdr, LegBegan, LegEnded, Recording, StoreError};

/// The columns of [`write_csv`]. A later version only adds columns at the end.
pub const CSV_HEADER: [&str; 48] = [
    "id",
    "call_id",
    "leg",
    "parent",
    "chain_id",
    "agency",
    "entry",
    "script",
    "script_version",
    "direction",
    "caller",
    "caller_hash",
    "called",
    "called_hash",
    "trunk",
    "started_utc",
    "ringing_utc",
    "answered_utc",
    "ended_utc",
    "setup_ms",
    "talk_ms",
    "duration_ms",
    "cause",
    "sip_status",
    "ended_by",
    "mode",
    "language",
    "landing",
    "transfer",
    "tags",
    "recordings",
    "packets_received",
    "packets_lost",
    "trimmed",
    "queue",
    "queue_entered_utc",
    "queue_waited_ms",
    "queue_acted_utc",
    "queue_result",
    "queue_by",
    "callback",
    "area",
    "steps",
    "campaign",
    "contact",
    "attempt",
    "disposition",
    "answered_by",
];

/// One object a line: the record, its id and its durations.
///
/// # Errors
/// Of writing.
pub fn write_json_lines<'a>(cdrs: impl IntoIterator<Item = &'a Cdr>, out: &mut dyn Write) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Line<'a> {
        id: String,
        setup_ms: u64,
        talk_ms: u64,
        duration_ms: u64,
        #[serde(flatten)]
        began: &'a LegBegan,
        #[serde(flatten)]
        ended: &'a LegEnded,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        trimmed: bool,
    }
    for cdr in cdrs {
        let began =
            LegBegan { caller: cdr.began.caller.unsealed(), called: cdr.began.called.unsealed(), ..cdr.began.clone() };
        let line = Line {
            id: cdr.id().to_string(),
            setup_ms: cdr.setup_ms(),
            talk_ms: cdr.talk_ms(),
            duration_ms: cdr.duration_ms(),
            began: &began,
            ended: &cdr.ended,
            trimmed: cdr.trimmed,
        };
        let mut bytes = serde_json::to_vec(&line).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        out.write_all(&bytes).map_err(failed)?;
    }
    Ok(())
}

/// RFC 4180 with the header [`CSV_HEADER`]. A cell that a spreadsheet would take for a formula gets a `'` before it.
///
/// # Errors
/// Of writing.
pub fn write_csv<'a>(
    cdrs: impl IntoIterator<Item = &'a Cdr>,
    header: bool,
    out: &mut dyn Write,
) -> Result<(), StoreError> {
    let csv_failed = |error: csv::Error| failed(error.into());
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    if header {
        csv.write_record(CSV_HEADER).map_err(csv_failed)?;
    }
    for cdr in cdrs {
        csv.write_record(cells(cdr).map(disarm)).map_err(csv_failed)?;
    }
    csv.flush().map_err(failed)
}

fn cells(cdr: &Cdr) -> [String; CSV_HEADER.len()] {
    let (began, ended) = (&cdr.began, &cdr.ended);
    let optional = |time: Option<crate::UtcMs>| time.map(crate::UtcMs::to_rfc3339).unwrap_or_default();
    let hash = |party: &crate::Party| party.hash().map(crate::SubjectHash::to_hex).unwrap_or_default();
    let transfer = ended
        .transfer
        .as_ref()
        .map(|transfer| format!("{} {} {}", word(&transfer.kind), word(&transfer.result), transfer.to));
    let tags: Vec<_> = ended.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let deleted = |recording: &Recording| if recording.deleted_ms.is_some() { ":deleted" } else { "" };
    let recordings: Vec<_> = ended
        .recordings
        .iter()
        .map(|recording| format!("{}:{}{}", recording.id, recording.sha256, deleted(recording)))
        .collect();
    let media = ended.media.clone().unwrap_or_default();
    let (wait, campaign) = (ended.queue.as_ref(), began.campaign.as_ref());
    [
        cdr.id().to_string(),
        began.call_id.to_string(),
        began.leg.to_string(),
        began.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        began.chain_id.to_string(),
        began.agency.to_string(),
        began.entry.clone(),
        began.script.clone(),
        began.script_version.clone(),
        word(&began.direction),
        began.caller.shown().to_owned(),
        hash(&began.caller),
        began.called.shown().to_owned(),
        hash(&began.called),
        began.trunk.clone(),
        began.started_ms.to_rfc3339(),
        optional(ended.ringing_ms),
        optional(ended.answered_ms),
        ended.ended_ms.to_rfc3339(),
        cdr.setup_ms().to_string(),
        cdr.talk_ms().to_string(),
        cdr.duration_ms().to_string(),
        ended.cause.as_str().to_owned(),
        ended.sip_status.map(|status| status.to_string()).unwrap_or_default(),
        word(&ended.ended_by),
        word(&began.mode),
        began.language.clone(),
        ended.landing.as_ref().map(word).unwrap_or_default(),
        transfer.unwrap_or_default(),
        tags.join(" "),
        recordings.join(" "),
        media.packets_received.to_string(),
        media.packets_lost.to_string(),
        cdr.trimmed.to_string(),
        wait.map(|wait| wait.queue.clone()).unwrap_or_default(),
        optional(wait.map(|wait| wait.entered_ms)),
        wait.map(|wait| wait.waited_ms.to_string()).unwrap_or_default(),
        optional(wait.and_then(|wait| wait.acted_ms)),
        wait.and_then(|wait| wait.result.as_ref()).map(word).unwrap_or_default(),
        wait.map(|wait| wait.by.clone()).unwrap_or_default(),
        ended.callback.clone().unwrap_or_default(),
        began.area.clone(),
        ended.steps.join(" "),
        campaign.map(|of| of.campaign.clone()).unwrap_or_default(),
        campaign.map(|of| of.contact.to_string()).unwrap_or_default(),
        campaign.map(|of| of.attempt.to_string()).unwrap_or_default(),
        ended.disposition.clone().unwrap_or_default(),
        ended.answered_by.map(|by| by.as_str().to_owned()).unwrap_or_default(),
    ]
}

/// The word by which serde knows a variant: one spelling in JSON and CSV.
fn word<T: Serialize>(variant: &T) -> String {
    serde_json::to_value(variant).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Spreadsheets run what begins so.
fn disarm(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::io("writing", std::path::Path::new("the export"), error)
}
