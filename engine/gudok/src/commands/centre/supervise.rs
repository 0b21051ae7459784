//! `gudok supervise`: a supervisor takes part in a talk.

use super::super::remote::{Outcome, Remote, Session, Write};
use clap::{Args, ValueEnum};
use serde_json::json;

/// What `gudok supervise` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The call's id, as `gudok calls` has it.
    call: String,
    /// Listen: hear both. Whisper: the operator hears you. Barge: both hear you. Leave: no more.
    #[arg(value_enum)]
    how: How,
    /// The telephone that is rung: an operator's login or an extension; your own login where it is left out.
    #[arg(long)]
    phone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    Listen,
    Whisper,
    Barge,
    Leave,
}

/// `gudok supervise`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let path = ["calls", arguments.call.as_str(), "supervise"];
    let (how, says) = match arguments.how {
        How::Listen => ("listen", "your telephone rings; nobody will hear you"),
        How::Whisper => ("whisper", "your telephone rings; the operator will hear you"),
        How::Barge => ("barge", "your telephone rings; both will hear you"),
        How::Leave => {
            let answer = session.client.write(Write::delete(&path)).await?;
            return session.show(&answer, |screen, _| screen.note("you are out of the talk"));
        }
    };
    let body = json!({ "how": how, "phone": arguments.phone });
    let answer = session.client.write(Write::post(&path).body(body)).await?;
    session.show(&answer, |screen, _| screen.note(says))
}
