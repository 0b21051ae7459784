//! Asking a person, and telling how far something is. Where nobody sits at a terminal, questions are read from standard
//! input as lines, and progress is silent.

use super::failure::Failure;
use anyhow::Context;
use std::io::{IsTerminal, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A question's answer has at most so many bytes.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Whether a person can answer.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    if is_interactive() {
        put(question);
    }
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line)?;
    let line = line.trim_end_matches(['\n', '\r']).to_owned();
    if read == 0 || line.len() > ANSWER_BYTES_MAX {
        return Err(Failure::Usage(format!("{}: no answer on standard input", question.trim_end_matches([':', ' ']))));
    }
    Ok(line)
}

/// Asks for what nobody may read over a shoulder.
pub(crate) fn ask_secret(question: &str) -> Result<String, Failure> {
    if is_interactive() { Ok(rpassword::prompt_password(question)?) } else { ask(question) }
}

/// Asks yes or no; anything but a clear yes is no.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "д" | "да"))
}

/// Writes what only its owner may read, into a file that was not there.
pub(crate) fn write_secret(path: &Path, secret: &[u8]) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("creating {}", path.display()))?;
    file.write_all(secret).and_then(|()| file.sync_all()).with_context(|| format!("writing {}", path.display()))
}

/// How far something is: one line on a terminal that is written over and goes away.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    /// Silent where nobody looks.
    pub(crate) fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }

    /// How far it is now.
    pub(crate) fn tell(&self, text: &str) {
        if self.shown {
            put(&format!("\r\x1b[K{text}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            put("\r\x1b[K");
        }
    }
}

fn put(text: &str) {
    let mut stream = std::io::stderr().lock();
    // A terminal that is gone is told by the next write to standard output.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}
