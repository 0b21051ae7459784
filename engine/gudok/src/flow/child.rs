//! The flow child: takes an order on standard input, explores and draws, answers on standard output.

use super::{Answer, Candidate, Lang, Order};
use crate::check::{host_for, limit_itself};
use anyhow::Context;
use gudok_admin::ports::{FlowDrawing, FlowFinding, FlowPlace};
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::{Admission, ScriptHost};
use gudok_simulator::explore::{Bounds, ExploreReport, ExploreSettings, diff, explore};
use gudok_workbench::flow::{self, FoldSettings, STYLE, Sheet, SvgStyle};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

/// CPU of the child, besides the compiler's.
const CPU_S_MAX: u64 = 240;
/// What it writes to: heap, stacks and the scripts' memories.
const MEMORY_BYTES_MAX: u64 = 3 << 30;
/// Of what it is told.
const ORDER_BYTES_MAX: u64 = 4 << 20;
/// Real time of one exploration; what is left then is told as left out.
const EXPLORE_MS_MAX: u64 = 45_000;
/// Places of one exploration.
const STATES_MAX: u32 = 20_000;

/// Does what it is told, once.
pub(crate) fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> anyhow::Result<()> {
    limit_itself(CPU_S_MAX, Some(MEMORY_BYTES_MAX))?;
    let mut text = Vec::new();
    std::io::stdin().lock().take(ORDER_BYTES_MAX).read_to_end(&mut text)?;
    let order: Order = serde_json::from_slice(&text).context("reading the order")?;
    let answer = serde_json::to_vec(&answer(&order)?)?;
    Ok(std::io::stdout().lock().write_all(&answer)?)
}

fn answer(order: &Order) -> anyhow::Result<Answer> {
    let mut host = None;
    let (new, new_text) = report_of(order, &order.new, &mut host)?;
    let old = match &order.old {
        Some(candidate) => Some(report_of(order, candidate, &mut host)?),
        None => None,
    };
    let lang = match order.lang {
        Lang::Ru => flow::Lang::Ru,
        Lang::En => flow::Lang::En,
    };
    let settings = FoldSettings { lang, all: order.all };
    let (sheet, differences) = match &old {
        Some((old, _)) => {
            let difference = diff(old, &new);
            let words = flow::difference_in_words(old, &new, &difference, lang);
            (flow::compared_sheet(old, &new, &difference, &settings), words)
        }
        None => (flow::sheet(&new, &settings), Vec::new()),
    };
    Ok(Answer {
        drawing: drawing(&new, &sheet, differences, lang)?,
        new: new_text,
        old: old.and_then(|(_, text)| text),
    })
}

/// What was found in a version: the last time, or now, and then as a text to be kept.
fn report_of(
    order: &Order,
    candidate: &Candidate,
    host: &mut Option<ScriptHost>,
) -> anyhow::Result<(ExploreReport, Option<String>)> {
    let kept = candidate.report.as_ref().and_then(|file| std::fs::read(file).ok());
    if let Some(report) = kept.and_then(|kept| serde_json::from_slice(&kept).ok()) {
        return Ok((report, None));
    }
    let host = match host {
        Some(host) => host,
        None => host.insert(host_for(&order.cache_dir, order.caps)?),
    };
    let bytes = std::fs::read(&candidate.bundle).context("reading the bundle")?;
    let bundle = Bundle::from_upload(&bytes, &BundleLimits::default())?;
    let admission = Admission { approval: Approval::AsDeclared, config: order.config.clone(), consent_required: false };
    let version = host.load(&bundle, &admission)?;
    let mut settings = ExploreSettings::new(&candidate.target);
    settings.bounds = Bounds { time_max_ms: EXPLORE_MS_MAX, states_max: STATES_MAX, ..Bounds::default() };
    if let Ok(examples) = flow::Examples::of_version(&version) {
        examples.tell(&mut settings);
    }
    let report = explore(&version, &settings, &mut |_| ControlFlow::Continue(()));
    let text = serde_json::to_string(&report)?;
    Ok((report, Some(text)))
}

/// As the admins' room has it.
fn drawing(
    report: &ExploreReport,
    sheet: &Sheet,
    differences: Vec<String>,
    lang: flow::Lang,
) -> anyhow::Result<FlowDrawing> {
    let places: Vec<FlowPlace> = serde_json::from_value(serde_json::to_value(flow::details(sheet, lang))?)?;
    let findings = report.findings.iter().map(|finding| FlowFinding {
        kind: finding.kind.as_str().to_owned(),
        name: flow::finding_name(finding.kind, lang).to_owned(),
        keys: finding.keys.to_string(),
        message: finding.message.clone(),
        replay: finding.replay.clone(),
    });
    Ok(FlowDrawing {
        paths: report.paths,
        paths_per_second: report.paths_per_second,
        covered: serde_json::from_value(serde_json::to_value(report.covered)?)?,
        left_out: report.left_out.iter().map(|left| flow::left_out_in_words(left, lang)).collect(),
        findings: findings.collect(),
        places,
        differences,
        svg: flow::svg(sheet, SvgStyle { lang, bare: true }),
        style: STYLE.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_has_the_picture_s_own_style() {
        assert_eq!(include_str!("../../../admin/assets/flow.css"), STYLE, "copy workbench/src/flow/flow.css there");
    }

    #[test]
    fn a_drawing_is_what_the_admins_room_reads() {
        let place = flow::Place {
            title: "Здравствуйте.".to_owned(), keys: "1".to_owned(), ..flow::Place::default()
        };
        let sheet = Sheet {
            places: vec![place.clone(), place],
            ways: vec![flow::Way { to: 1, ..flow::Way::default() }],
            ..Sheet::default()
        };
        let report = serde_json::json!({
            "script": "a", "version": "1.0.0", "agency": "b", "entry": "main", "paths": 3, "took_ms": 1, "paths_per_second": 9.0,
            "covered": gudok_simulator::explore::Covered::default(), "left_out": [], "findings": [], "flow": { "start": null, "replay": "", "nodes": [], "edges": [] },
        });
        let drawing = drawing(&serde_json::from_value(report).unwrap(), &sheet, Vec::new(), flow::Lang::Ru).unwrap();
        assert_eq!((drawing.paths, drawing.places.len(), drawing.covered["states"]), (3, 2, 0));
        assert_eq!((drawing.places[0].ways[0].to.as_str(), drawing.places[0].change.as_str()), ("p1", "same"));
        assert!(drawing.svg.contains("Здравствуйте.") && !drawing.svg.contains("<style>"));
    }
}
