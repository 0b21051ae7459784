//! How far a build is: on a terminal one line that is written over, elsewhere a line a phase.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Is told how far a build is.
pub trait Progress {
    /// A phase begins: "compiling".
    fn begins(&mut self, phase: &str);
    /// What it is at: "serde_json".
    fn at(&mut self, what: &str);
    /// A phase is over.
    fn ends(&mut self, phase: &str, took: Duration);
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begins(&mut self, _: &str) {}
    fn at(&mut self, _: &str) {}
    fn ends(&mut self, _: &str, _: Duration) {}
}

/// Between two lines of a long phase where nobody sits at a terminal: long enough to fill no log, short enough to show life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Phases shorter than this are not worth a line.
const TOLD_FROM: Duration = Duration::from_secs(1);
/// Of a line that is written over.
const LINE_CHARS_MAX: usize = 78;

/// Standard error.
#[derive(Debug)]
pub struct OnScreen {
    terminal: bool,
    phase: String,
    began: Instant,
    told: Instant,
}

impl OnScreen {
    /// Written over on a terminal, a line a phase elsewhere.
    #[must_use]
    pub fn new() -> Self {
        let now = Instant::now();
        Self { terminal: std::io::stderr().is_terminal(), phase: String::new(), began: now, told: now }
    }

    fn put(text: &str) {
        let mut stream = std::io::stderr().lock();
        // Nobody is left to tell when standard error is gone.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

impl Default for OnScreen {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for OnScreen {
    fn begins(&mut self, phase: &str) {
        phase.clone_into(&mut self.phase);
        self.began = Instant::now();
        self.told = self.began;
        if self.terminal {
            Self::put(&format!("\r\x1b[K{phase} …"));
        }
    }

    fn at(&mut self, what: &str) {
        let so_far = self.began.elapsed().as_secs();
        let line: String = format!("{} … {what} ({so_far} s)", self.phase).chars().take(LINE_CHARS_MAX).collect();
        if self.terminal {
            Self::put(&format!("\r\x1b[K{line}"));
        } else if self.told.elapsed() >= SIGN_OF_LIFE {
            self.told = Instant::now();
            Self::put(&format!("{line}\n"));
        }
    }

    fn ends(&mut self, phase: &str, took: Duration) {
        if self.terminal {
            Self::put("\r\x1b[K");
        }
        if took >= TOLD_FROM {
            Self::put(&format!("{phase}: {:.1} s\n", took.as_secs_f64()));
        }
    }
}
