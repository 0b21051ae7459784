//! What every language's build step stands on: the project, the SDK, programs that are run and watched.

use super::fault::{Fault, io};
use super::progress::Progress;
use crate::project::Project;
use crate::sdk::Sdk;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};

/// Of what a program says, so much is kept: its last lines.
const LINES_KEPT: usize = 400;
/// Of a line of it.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// How a build is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildOptions {
    /// Install what is missing, by the command that would otherwise be named.
    pub install: bool,
    /// As for a release: locked dependencies, and what is usually a warning is a fault.
    pub release_check: bool,
}

/// What a language's step is given. It gives back the bytes of a core module or of a component.
pub struct Step<'a> {
    /// What is built.
    pub project: &'a Project,
    /// The SDKs, laid out on disk.
    pub sdk: &'a Sdk,
    /// How it is meant.
    pub options: BuildOptions,
    progress: &'a mut dyn Progress,
}

/// A program that ended.
#[derive(Debug)]
pub struct Ran {
    /// How.
    pub status: ExitStatus,
    /// The last lines of its standard output.
    pub out: Vec<String>,
    /// The last lines of its standard error.
    pub err: Vec<String>,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        project: &'a Project,
        sdk: &'a Sdk,
        options: BuildOptions,
        progress: &'a mut dyn Progress,
    ) -> Self {
        Self { project, sdk, options, progress }
    }

    /// Says what the step is at.
    pub fn at(&mut self, what: &str) {
        self.progress.at(what);
    }

    /// Runs a program to its end without standard input, and gives what it said. `each` is shown every line of its standard
    /// output and error as it comes, and answers what is to be told of it as progress, if anything.
    ///
    /// # Errors
    /// Where the program cannot be started: [`Fault`] of the machine, to which the caller adds how to get it.
    pub fn run(&mut self, command: &mut Command, mut each: impl FnMut(&str) -> Option<String>) -> Result<Ran, Fault> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| Fault::of_machine("tools", format!("{program} does not start: {error}")))?;
        let (send, lines) = std::sync::mpsc::channel();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        std::thread::scope(|scope| {
            let errors = send.clone();
            scope.spawn(move || read_lines(stdout, |line| drop(send.send((true, line)))));
            scope.spawn(move || read_lines(stderr, |line| drop(errors.send((false, line)))));
            for (is_out, line) in lines {
                if let Some(told) = each(&line) {
                    self.progress.at(&told);
                }
                let kept = if is_out { &mut out } else { &mut err };
                if kept.len() >= LINES_KEPT {
                    kept.remove(0);
                }
                kept.push(line);
            }
        });
        let status = child.wait().map_err(|error| io("tools", "waiting for", program.as_ref(), &error))?;
        Ok(Ran { status, out, err })
    }
}

/// A line at a time, whatever bytes are in it.
fn read_lines(from: Option<impl Read>, mut each: impl FnMut(String)) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => each(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
        }
    }
}
