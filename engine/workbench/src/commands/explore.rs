//! `gudok explore`: every way through a script, what is wrong on the way, and a picture of it all.

use super::explore_saved::conversations;
use crate::build::Fault;
use crate::conversation::Tongue;
use crate::flow::{
    Examples, FoldSettings, Lang, SvgStyle, compared_sheet, difference_in_words, html, mermaid, sheet, svg,
};
use crate::local::LocalHost;
use crate::out;
use crate::project::bundle_of;
use anyhow::Context;
use clap::Args;
use gudok_core::time::Timestamp;
use gudok_plugin_host::Version;
use gudok_plugin_host::bundle::Bundle;
use gudok_simulator::explore::{
    Bounds, Covered, ExampleReply, ExploreReport, ExploreSettings, Finding, FlowDiff, Progress, diff, explore,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Something is wrong with the script.
const FAULTY: u8 = 1;
/// The command line or the machine is at fault.
const UNUSABLE: u8 = 2;
/// A terminal's line is written anew so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Of a file that is no terminal, a line so often.
const PROGRESS_LINE_EVERY: Duration = Duration::from_secs(10);

/// What is explored, how far, and what is written.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A project's folder, which is built first, or a bundle: NAME-VERSION.ivr.
    #[arg(default_value = ".")]
    script: PathBuf,
    /// Decisions of one call at most: keys, silences, answers of back ends.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    depth: Option<u32>,
    /// Looks again at a place so often on one way; more finds what a script counts in secret.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    visits: Option<u8>,
    /// Calls at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    paths: Option<u64>,
    /// Seconds at most, of a clock on the wall.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Begin each call at this moment, "2026-05-05T02:30:00+07:00": to see the night.
    #[arg(long, value_name = "TIME")]
    at: Option<jiff::Timestamp>,
    /// The entry that is called; the manifest's first where it is left out.
    #[arg(long)]
    entry: Option<String>,
    /// The language that a call begins in, "en-US"; the manifest's first where it is left out.
    #[arg(long, value_name = "TAG")]
    call_lang: Option<String>,
    /// A setting of the script, over the manifest's.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// What a back end answers: "/places=200:{\"place\":3}". What stands in the project's conversations is known already.
    #[arg(long, value_name = "PATH=STATUS:BODY", value_parser = reply)]
    reply: Vec<ExampleReply>,
    /// Digits that fit a question of many, "12345678".
    #[arg(long, value_name = "DIGITS", value_parser = digits)]
    digits: Vec<String>,
    /// The language of the picture's own words.
    #[arg(long, default_value = "ru")]
    lang: Lang,
    /// Draw every place and every way, not only what one follows with a finger.
    #[arg(long)]
    all: bool,
    /// Write the flow as a picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the flow as Mermaid.
    #[arg(long, value_name = "FILE")]
    mermaid: Option<PathBuf>,
    /// Write the flow as a page that can be clicked.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what was found as conversations for `gudok test`.
    #[arg(long, value_name = "FILE")]
    save_test: Option<PathBuf>,
    /// Compare with another version: its project or bundle.
    #[arg(long, value_name = "OTHER")]
    diff: Option<PathBuf>,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn reply(text: &str) -> Result<ExampleReply, String> {
    const FORM: &str = "write PATH=STATUS:BODY, as in /places=200:{\"place\":3}";
    let (url_part, answer) = text.split_once('=').ok_or(FORM)?;
    let (status, body) = answer.split_once(':').unwrap_or((answer, ""));
    let status = status.parse().ok().filter(|status| (100..600).contains(status)).ok_or(FORM)?;
    Ok(ExampleReply { url_part: url_part.to_owned(), status, body: body.to_owned() })
}

fn digits(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#');
    if fits { Ok(text.to_owned()) } else { Err("write digits, * and #, at most 64".to_owned()) }
}

/// Carries the command out.
pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match run(arguments) {
        Ok(findings) => ExitCode::from(exit_code(findings)),
        Err(error) => {
            out::note(&format!("{error:#}"));
            // A script that does not build is the script's fault.
            ExitCode::from(error.downcast_ref::<Fault>().map_or(UNUSABLE, Fault::exit_code))
        }
    }
}

/// For a build that must not go on with a faulty script.
const fn exit_code(findings: usize) -> u8 {
    if findings == 0 { 0 } else { FAULTY }
}

/// How many findings there are.
fn run(arguments: &Arguments) -> anyhow::Result<usize> {
    let host = LocalHost::open()?;
    let old = match &arguments.diff {
        Some(other) => Some(explored(&host, arguments, other)?.report),
        None => None,
    };
    let new = explored(&host, arguments, &arguments.script)?;
    let report = &new.report;
    let difference = old.as_ref().map(|old| (old, diff(old, report)));
    write_pictures(arguments, report, difference.as_ref())?;
    if let Some(file) = &arguments.save_test {
        let tongue = match arguments.lang {
            Lang::Ru => Tongue::Russian,
            Lang::En => Tongue::English,
        };
        write(file, &conversations(&new, tongue)?)?;
    }
    let said = if arguments.json {
        in_json(report, difference.as_ref())?
    } else {
        in_words(report, difference.as_ref(), colours())
    };
    out::bytes(said.as_bytes());
    Ok(report.findings.len())
}

/// A script, how it was explored, and what came of it.
pub(super) struct Explored {
    pub(super) bundle: Bundle,
    pub(super) version: Arc<Version>,
    pub(super) settings: ExploreSettings,
    pub(super) report: ExploreReport,
}

fn explored(host: &LocalHost, arguments: &Arguments, script: &Path) -> anyhow::Result<Explored> {
    let bundle = bundle_of(script)?;
    let config: BTreeMap<String, String> = arguments.config.iter().cloned().collect();
    let version = host.load(&bundle, config.clone())?;
    let mut settings = ExploreSettings::new(&script.display().to_string());
    settings.config = config;
    settings.bounds = bounds(arguments);
    settings.call.at = arguments.at.map(|at| Timestamp::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0)));
    settings.call.entry.clone_from(&arguments.entry);
    settings.call.lang.clone_from(&arguments.call_lang);
    settings.replies.clone_from(&arguments.reply);
    settings.entries.clone_from(&arguments.digits);
    Examples::of_version(&version).map_err(anyhow::Error::msg)?.tell(&mut settings);
    if script.is_dir() {
        Examples::of_project(script).tell(&mut settings);
    }
    let mut telling = Telling::new(&bundle.manifest.name);
    let report = explore(&version, &settings, &mut |progress| telling.tell(progress));
    telling.end();
    Ok(Explored { bundle, version, settings, report })
}

fn bounds(arguments: &Arguments) -> Bounds {
    let usual = Bounds::default();
    Bounds {
        depth_max: arguments.depth.unwrap_or(usual.depth_max),
        visits_max: arguments.visits.unwrap_or(usual.visits_max),
        paths_max: arguments.paths.unwrap_or(usual.paths_max),
        time_max_ms: arguments.seconds.map_or(usual.time_max_ms, |seconds| seconds * 1_000),
        ..usual
    }
}

/// Tells whoever waits how far it has come, on standard error.
struct Telling {
    name: String,
    terminal: bool,
    told: Duration,
    wrote: bool,
}

impl Telling {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), terminal: std::io::stderr().is_terminal(), told: Duration::ZERO, wrote: false }
    }

    fn tell(&mut self, progress: &Progress) -> ControlFlow<()> {
        let every = if self.terminal { PROGRESS_EVERY } else { PROGRESS_LINE_EVERY };
        if progress.took.saturating_sub(self.told) < every {
            return ControlFlow::Continue(());
        }
        self.told = progress.took;
        let text = format!(
            "exploring {}: {} calls, {} places, {} to try",
            self.name, progress.paths, progress.states, progress.open
        );
        let (begin, end) = if self.terminal { ("\r\u{1b}[K", "") } else { ("", "\n") };
        // Nobody watches where standard error is gone.
        let _ = write!(std::io::stderr(), "{begin}{text}{end}");
        self.wrote = self.terminal;
        ControlFlow::Continue(())
    }

    fn end(&self) {
        if self.wrote {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

type Compared<'a> = (&'a ExploreReport, FlowDiff);

fn write_pictures(
    arguments: &Arguments,
    report: &ExploreReport,
    compared: Option<&Compared<'_>>,
) -> anyhow::Result<()> {
    if arguments.svg.is_none() && arguments.mermaid.is_none() && arguments.html.is_none() {
        return Ok(());
    }
    let lang = arguments.lang;
    let settings = FoldSettings { lang, all: arguments.all };
    let drawn = match compared {
        Some((old, difference)) => compared_sheet(old, report, difference, &settings),
        None => sheet(report, &settings),
    };
    if let Some(file) = &arguments.svg {
        write(file, &svg(&drawn, SvgStyle { lang, bare: false }))?;
    }
    if let Some(file) = &arguments.mermaid {
        write(file, &mermaid(&drawn, lang))?;
    }
    if let Some(file) = &arguments.html {
        write(file, &html(&drawn, lang))?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn in_json(report: &ExploreReport, compared: Option<&Compared<'_>>) -> anyhow::Result<String> {
    let mut json = serde_json::to_value(report)?;
    if let (Some((old, difference)), Some(fields)) = (compared, json.as_object_mut()) {
        fields.insert("against".to_owned(), serde_json::json!({ "script": old.script, "version": old.version }));
        fields.insert("difference".to_owned(), serde_json::to_value(difference)?);
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&json)?))
}

fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn in_words(report: &ExploreReport, compared: Option<&Compared<'_>>, colours: bool) -> String {
    let mut text = String::new();
    table(&mut text, &report.findings, colours);
    covered(&mut text, report);
    if let Some((old, difference)) = compared {
        let _ = writeln!(text, "\nFrom {} {} to {}:", old.script, old.version, report.version);
        let lines = difference_in_words(old, report, difference, Lang::En);
        if lines.is_empty() {
            text.push_str("  the dialog is the same\n");
        }
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// A line a finding, in columns, and below it what is wrong and how one meets it.
fn table(text: &mut String, findings: &[Finding], colours: bool) {
    if findings.is_empty() {
        text.push_str("Nothing wrong was found.\n\n");
        return;
    }
    let rows: Vec<[String; 3]> = findings
        .iter()
        .map(|finding| {
            let keys = finding.keys.to_string();
            let keys = if keys.is_empty() { "—".to_owned() } else { keys };
            [finding.kind.as_str().to_owned(), keys, finding.step.clone().unwrap_or_default()]
        })
        .collect();
    let head = ["FINDING", "KEYS", "STEP"].map(str::to_owned);
    let width = |column: usize| {
        rows.iter()
            .chain([&head])
            .map(|row| unicode_width::UnicodeWidthStr::width(row[column].as_str()))
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1)];
    let line = |row: &[String; 3]| {
        let padded = |at: usize| {
            let blanks = widths[at] - unicode_width::UnicodeWidthStr::width(row[at].as_str());
            format!("{}{}", row[at], " ".repeat(blanks))
        };
        format!("{}  {}  {}", padded(0), padded(1), row[2]).trim_end().to_owned()
    };
    let _ = writeln!(text, "{}", line(&head));
    for (row, finding) in rows.iter().zip(findings) {
        let (begin, end) = if colours { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let _ = writeln!(text, "{begin}{}{end}", line(row));
        let _ = writeln!(text, "    {}\n    {}", finding.message, finding.replay);
    }
    let _ = writeln!(text, "\n{} in all.\n", counted(findings.len() as u64, "finding"));
}

fn covered(text: &mut String, report: &ExploreReport) {
    let Covered { states, questions, prompts, steps, edges, requests, .. } = report.covered;
    let _ = writeln!(
        text,
        "{} {}: tried {} in {:.1} s ({:.0} a second).",
        report.script,
        report.version,
        counted(report.paths, "call"),
        Duration::from_millis(report.took_ms).as_secs_f64(),
        report.paths_per_second
    );
    let met: Vec<String> = [
        (states, "place"),
        (questions, "question"),
        (prompts, "prompt"),
        (steps, "step"),
        (edges, "way"),
        (requests, "request"),
    ]
    .into_iter()
    .map(|(count, noun)| counted(count, noun))
    .collect();
    let _ = writeln!(text, "Met: {}.", met.join(", "));
    if report.left_out.is_empty() {
        text.push_str("Nothing was left out.\n");
    }
    for left in &report.left_out {
        let _ = writeln!(text, "Left out by {} = {}: {}", left.bound, left.max, left.what);
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn read(line: &str) -> Result<Arguments, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.arguments)
    }

    #[test]
    fn bounds_are_read_and_else_usual() {
        let bounds_of = |line: &str| bounds(&read(line).unwrap());
        assert_eq!(bounds_of("explore"), Bounds::default());
        let said = bounds_of("explore x.ivr --depth 7 --visits 2 --paths 100 --seconds 3");
        assert_eq!((said.depth_max, said.visits_max, said.paths_max, said.time_max_ms), (7, 2, 100, 3_000));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let told = |line: &str, part: &str| {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        told("explore --depth 0", "--depth");
        told("explore --config night", "key=value");
        told("explore --reply /x", "STATUS");
        told("explore --digits 12a", "digits");
        told("explore --lang de", "ru");
        assert_eq!(reply("/a=404").unwrap(), ExampleReply { url_part: "/a".into(), status: 404, body: String::new() });
    }

    fn report(findings: &[(&str, &str)]) -> ExploreReport {
        let findings: Vec<serde_json::Value> = findings
            .iter()
            .map(|(kind, keys)| {
                serde_json::json!({ "kind": kind, "keys": keys, "message": "The caller is left in silence.", "heard": [],
                    "replay": format!("gudok call --local . --keys \"{keys}\""), "step": "hours", "node": null })
            })
            .collect();
        let left = serde_json::json!({ "bound": "depth_max", "max": 3, "decisions": 7, "what": "7 ways were longer." });
        serde_json::from_value(serde_json::json!({
            "script": "desk", "version": "1.0.0", "agency": "mfc", "entry": "main", "paths": 5210, "took_ms": 900,
            "paths_per_second": 5788.9, "covered": Covered { states: 34, questions: 1, ..Covered::default() },
            "left_out": [left], "findings": findings, "flow": { "start": null, "replay": "", "nodes": [], "edges": [] },
        }))
        .unwrap()
    }

    #[test]
    fn findings_stand_in_columns_with_what_shows_them() {
        let text = in_words(&report(&[("dead-end", "1 3"), ("no-way-to-operator", "")]), None, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "FINDING             KEYS  STEP");
        assert_eq!(lines[1], "dead-end            1 3   hours");
        assert_eq!(lines[3], "    gudok call --local . --keys \"1 3\"");
        assert_eq!(lines[4], "no-way-to-operator  —     hours");
        assert!(text.contains("tried 5210 calls in 0.9 s (5789 a second)"), "{text}");
        assert!(text.contains("Met: 34 places, 1 question, 0 prompts"), "{text}");
        assert!(text.contains("Left out by depth_max = 3: 7 ways were longer."), "{text}");
        assert!(
            !text.contains('\u{1b}') && in_words(&report(&[("trap", "1")]), None, true).contains("\u{1b}[1;31mtrap")
        );
        assert!(in_words(&report(&[]), None, false).starts_with("Nothing wrong was found."));
    }

    #[test]
    fn json_has_what_the_others_build_on() {
        let (old, new) = (report(&[]), report(&[("dead-end", "1 3")]));
        let difference = diff(&old, &new);
        let json: serde_json::Value = serde_json::from_str(&in_json(&new, Some(&(&old, difference))).unwrap()).unwrap();
        assert_eq!((&json["paths"], &json["covered"]["states"]), (&5210.into(), &34.into()));
        assert!(json["paths_per_second"].as_f64().is_some_and(|speed| speed > 5_000.0));
        assert_eq!(json["left_out"][0]["bound"], "depth_max");
        let finding = &json["findings"][0];
        for (field, value) in [("kind", "dead-end"), ("keys", "1 3"), ("message", "The caller is left in silence.")] {
            assert_eq!(finding[field], value);
        }
        assert_eq!(finding["replay"], "gudok call --local . --keys \"1 3\"");
        assert_eq!(json["difference"]["findings_new"][0]["kind"], "dead-end");
        assert_eq!(json["against"]["version"], "1.0.0");
    }

    #[test]
    fn a_finding_stops_a_build() {
        assert_eq!((exit_code(0), exit_code(1), exit_code(300)), (0, 1, 1));
        let nowhere = read("explore /nowhere/at-all.ivr").unwrap();
        assert_eq!(format!("{:?}", main(&nowhere)), format!("{:?}", ExitCode::from(UNUSABLE)));
    }
}
