//! How commands speak: answers on standard output, everything else on standard error.
//!
//! Rust ignores SIGPIPE, and what runs calls must: it would die of a connection that somebody closed. So a reader who has
//! seen enough (`| head`) is noticed here, where an answer is written, and the program ends as that signal would end it.

use std::io::{self, ErrorKind, Stdout, Write};

/// What a shell tells of a program that SIGPIPE has ended.
const BROKEN_PIPE: i32 = 141;

/// Standard output of a command. With the last reader gone, writing ends the program without a word.
#[derive(Debug)]
pub struct Out(Stdout);

/// Standard output, for what is written piece by piece.
#[must_use]
pub fn stdout() -> Out {
    Out(io::stdout())
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unless_gone)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unless_gone)
    }
}

fn unless_gone(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(BROKEN_PIPE);
    }
    error
}

/// An answer's line.
pub fn line(text: &str) {
    written(writeln!(stdout(), "{text}"));
}

/// An answer as it is.
pub fn bytes(bytes: &[u8]) {
    let mut out = stdout();
    written(out.write_all(bytes).and_then(|()| out.flush()));
}

/// An answer that is lost, on a full disk, must not pass for one that was given.
fn written(result: io::Result<()>) {
    if let Err(error) = result {
        note(&format!("gudok: writing to standard output: {error}"));
        std::process::exit(1);
    }
}

/// A word beside the answer.
pub fn note(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "{text}");
}
