//! `gudok call`: a telephone in the terminal. Prompts appear as text where the engine tells them, and are kept as a WAV
//! file; keys are typed, or given beforehand. With `--local` there is no engine: the script runs in the simulator
//! (`gudok_workbench::talk`).

use crate::clock::millis;
use anyhow::Context;
use clap::Args;
use gudok_phone::{
    Call, CallEvent, CallOptions, Codec, Conversation, EndReport, KeyStep, Party, Phone, PhoneConfig, TranscriptEvent,
    TranscriptKind, Transport,
};
use gudok_workbench::out::{line, note};
use gudok_workbench::talk::{self, TalkOptions};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::sync::broadcast::error::RecvError;

const ANSWER_MAX: Duration = Duration::from_secs(60);
const END_MAX: Duration = Duration::from_secs(40);
/// Whose number is shown where nobody says.
const CALLER: &str = "caller";

/// What `gudok call` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Whom to call: sip:122@127.0.0.1:5070. With --local, a project's folder or a bundle's file; "." where it is missing.
    #[arg(value_name = "URI|PROJECT|FILE.ivr", required_unless_present = "local")]
    target: Option<String>,
    /// Press these keys, each when the engine asks, and hang up when the engine does: 1,3 or 12#,0. With --local, what
    /// happens first, by blanks: "1 3 silence transfer:busy".
    #[arg(long)]
    keys: Option<String>,
    #[command(flatten)]
    local: TalkOptions,
    /// Print what the engine says and what is pressed. On by default where a person types the keys.
    #[arg(long, conflicts_with = "local")]
    say_transcript: bool,
    /// Speak this into the call: WAV, mono, 8 or 16 kHz.
    #[arg(long, value_name = "IN.wav", conflicts_with = "local")]
    wav: Option<PathBuf>,
    /// Keep what is heard: WAV, mono, 8 kHz.
    #[arg(long, value_name = "OUT.wav", conflicts_with = "local")]
    record: Option<PathBuf>,
    /// These words must be heard, in this order; else the exit code is 1. May be given several times.
    #[arg(long, value_name = "WORDS", conflicts_with = "local")]
    expect: Vec<String>,
    /// With --keys: hang up so many milliseconds after the last key, instead of waiting for the engine to do it.
    #[arg(long, value_name = "MS", conflicts_with = "local")]
    hang_up_after_ms: Option<u64>,
    /// Whose number to show. With --local, "withheld" shows none.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// Over TCP.
    #[arg(long, conflicts_with = "local")]
    tcp: bool,
    /// The outcome as JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// A call with what happens in it on the screen.
    pub(crate) fn to(uri: String, keys: Option<String>, record: Option<PathBuf>, json: bool) -> Self {
        Self {
            target: Some(uri),
            keys,
            local: TalkOptions::default(),
            say_transcript: true,
            wav: None,
            record,
            expect: Vec::new(),
            hang_up_after_ms: None,
            from: None,
            tcp: false,
            json,
        }
    }
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    if arguments.local.local {
        let target = arguments.target.as_deref().unwrap_or(".");
        let talk = talk::Talk {
            target: target.as_ref(),
            keys: arguments.keys.as_deref(),
            from: arguments.from.as_deref(),
            json: arguments.json,
            options: &arguments.local,
        };
        return talk::main(&talk);
    }
    super::told(super::runtime().and_then(|runtime| {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let outcome = runtime.block_on(call(arguments, &mut lines, None));
        // A thread that waits for a terminal's line must not keep the program.
        runtime.shutdown_background();
        outcome
    }))
}

/// Calls; keys are typed as lines. `since` is when the author began to wait for the first word, where that is to be told.
pub(crate) async fn call(
    arguments: &Arguments,
    lines: &mut Lines<BufReader<Stdin>>,
    since: Option<Instant>,
) -> anyhow::Result<ExitCode> {
    let microphone = match &arguments.wav {
        Some(path) => gudok_phone::read_wav(path).with_context(|| format!("reading {}", path.display()))?,
        None => Vec::new(),
    };
    let transport = if arguments.tcp { Transport::Tcp } else { Transport::Udp };
    let user = arguments.from.clone().unwrap_or_else(|| CALLER.to_owned());
    let phone = Phone::start(PhoneConfig { transport, user, ..PhoneConfig::default() }).await?;
    let options = CallOptions {
        microphone,
        record: arguments.record.is_some(),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        ..CallOptions::default()
    };
    let call = phone.call(arguments.target.as_deref().unwrap_or_default(), options).await?;
    let silent = arguments.json || (arguments.keys.is_some() && !arguments.say_transcript);
    let screen = tokio::spawn(print_events(call.clone(), silent, since));
    let (end, complete) = match &arguments.keys {
        Some(keys) => {
            let conversation = Conversation {
                steps: KeyStep::parse_list(keys)?,
                hang_up_after: arguments.hang_up_after_ms.map(Duration::from_millis),
                ..Conversation::default()
            };
            let report = conversation.run(&call).await?;
            let complete = report.is_complete();
            if let Some(missed) = &report.missed {
                note(&format!("the conversation did not go as planned: {missed}"));
            }
            (report.end, complete)
        }
        None => by_hand(&call, lines).await?,
    };
    // The screen ends with the call.
    let _ = screen.await;
    if let Some(path) = &arguments.record {
        gudok_phone::write_wav(path, &end.recording).with_context(|| format!("writing {}", path.display()))?;
    }
    let unheard = unheard(&arguments.expect, &end);
    if let Some(words) = unheard {
        note(&format!("these words were not heard, or not in this order: {words:?}"));
    }
    let complete = complete && unheard.is_none();
    report(arguments, &end, complete);
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A person types keys; an empty line does nothing, `q` hangs up.
async fn by_hand(call: &Call, lines: &mut Lines<BufReader<Stdin>>) -> anyhow::Result<(EndReport, bool)> {
    note("keys: type them and press Enter; q hangs up");
    call.answered(ANSWER_MAX).await?;
    let mut typing = true;
    let mut events = call.events();
    while !call.is_ended() {
        tokio::select! {
            line = lines.next_line(), if typing => match line? {
                Some(line) if line.trim() == "q" => call.hangup()?,
                Some(line) => {
                    let keys: String = line.split_whitespace().collect();
                    if !keys.is_empty()
                        && let Err(error) = call.press(&keys)
                    {
                        note(&error.to_string());
                    }
                }
                None => typing = false,
            },
            event = events.recv() => if matches!(event, Ok(CallEvent::Ended { .. }) | Err(RecvError::Closed)) {
                break;
            },
        }
    }
    let end = call.wait_ended(END_MAX).await?;
    let answered = end.status == 200;
    Ok((end, answered))
}

async fn print_events(call: Call, silent: bool, mut since: Option<Instant>) {
    let mut events = call.events();
    // What came before we listened.
    let mut shown = 0;
    loop {
        let transcript = call.transcript();
        for event in transcript.iter().skip(shown) {
            if !silent {
                show(event);
            }
            if matches!(event.kind, TranscriptKind::Prompt { .. })
                && let Some(begun) = since.take()
            {
                note(&format!("(the first words {:.1} s after the command)", begun.elapsed().as_secs_f32()));
            }
        }
        shown = transcript.len();
        if call.is_ended() {
            return;
        }
        if let Err(RecvError::Closed) = events.recv().await {
            return;
        }
    }
}

fn show(event: &TranscriptEvent) {
    match &event.kind {
        TranscriptKind::Prompt { text, .. } => line(&format!("  < {text}")),
        TranscriptKind::Collect { .. } => line("  ?"),
        TranscriptKind::Interrupted => line("  < (interrupted)"),
        TranscriptKind::Other { event, .. } => line(&format!("  < ({event})")),
        _ => {}
    }
}

fn report(arguments: &Arguments, end: &EndReport, complete: bool) {
    let talked_ms = end.talked.map(millis);
    let by = match end.by {
        Party::Us => "us",
        Party::Peer => "peer",
    };
    if arguments.json {
        let transcript: Vec<String> = end.transcript.iter().filter_map(words).collect();
        let oddities: Vec<String> = end.oddities.iter().map(|oddity| format!("{oddity:?}")).collect();
        let answer = serde_json::json!({
            "complete": complete,
            "status": end.status,
            "ended_by": by,
            "talked_ms": talked_ms,
            "packets_received": end.stats.packets,
            "packets_lost": end.stats.lost,
            "transcript": transcript,
            "oddities": oddities,
        });
        line(&format!("{answer:#}"));
        return;
    }
    let talked =
        talked_ms.map_or_else(|| "not answered".to_owned(), |ms| format!("talked {:.1} s", ms as f64 / 1000.0));
    line(&format!("call over: status {}, {talked}, ended by {by}", end.status));
    for oddity in &end.oddities {
        line(&format!("  odd: {oddity:?}"));
    }
}

/// The first of the expected words that was not heard after those before it.
fn unheard<'a>(expected: &'a [String], end: &EndReport) -> Option<&'a str> {
    let heard: String = end.transcript.iter().filter_map(words).collect::<Vec<_>>().join(" ").to_lowercase();
    let mut rest = heard.as_str();
    for words in expected {
        match rest.split_once(&words.to_lowercase()) {
            Some((_, after)) => rest = after,
            None => return Some(words),
        }
    }
    None
}

fn words(event: &TranscriptEvent) -> Option<String> {
    match &event.kind {
        TranscriptKind::Prompt { text, .. } => Some(text.clone()),
        _ => None,
    }
}
