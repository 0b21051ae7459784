//! `gudok answer`: a telephone that answers by itself, for demonstrations and rehearsals without a person.

use anyhow::Context;
use clap::Args;
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The longest that it waits for the next call before it looks again.
const INCOMING_WAIT: Duration = Duration::from_secs(3600);

/// What `gudok answer` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:5090")]
    listen: SocketAddr,
    /// Ring for so many milliseconds first.
    #[arg(long, default_value_t = 1_000)]
    ring_ms: u64,
    /// Speak this to whoever calls: WAV, mono, 8 or 16 kHz.
    #[arg(long, value_name = "IN.wav")]
    wav: Option<PathBuf>,
    /// Hang up so many milliseconds after the answer.
    #[arg(long, default_value_t = 6_000)]
    talk_ms: u64,
}

pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    super::told(super::runtime().and_then(|runtime| runtime.block_on(answer(arguments))))
}

async fn answer(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let microphone = match &arguments.wav {
        Some(path) => gudok_phone::read_wav(path).with_context(|| format!("reading {}", path.display()))?,
        None => Vec::new(),
    };
    let phone = Phone::start(PhoneConfig {
        bind: arguments.listen,
        user: "operator".into(),
        on_incoming: OnIncoming::Answer { after: Duration::from_millis(arguments.ring_ms) },
        options: CallOptions { microphone, ..CallOptions::default() },
        ..PhoneConfig::default()
    })
    .await?;
    gudok_workbench::out::line(&format!("gudok: answering at {}", phone.local_addr()));
    let talk = Duration::from_millis(arguments.ring_ms + arguments.talk_ms);
    loop {
        let Ok(incoming) = phone.incoming(INCOMING_WAIT).await else { continue };
        tokio::spawn(async move {
            let call = incoming.call();
            // Whoever ends it first; a call that is over needs no hang-up.
            if call.wait_ended(talk).await.is_err() {
                let _ = call.hangup();
            }
        });
    }
}
