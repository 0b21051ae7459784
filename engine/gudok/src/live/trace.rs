//! The lines of one call's trace, with their limits.

use gudok_admin::ports::TraceLine;
use gudok_core::ids::Agency;

/// Characters of one line.
const TEXT_CHARS_MAX: usize = 400;
/// Characters of a step's name.
pub(super) const STEP_CHARS_MAX: usize = 64;
/// What a line costs besides its text.
const LINE_BYTES: usize = 64;
/// A trace keeps its first lines, and of its end at least so many.
const LAST_LINES: usize = 32;

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TraceKind {
    /// A leg rang, was answered, ended.
    Leg,
    /// A script began or ended.
    Script,
    /// The script named its step.
    Step,
    /// The caller hears something.
    Say,
    /// The caller pressed a key.
    Key,
    /// A host call is over.
    Host,
    /// The script logged.
    Log,
}

impl TraceKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Leg => "leg",
            Self::Script => "script",
            Self::Step => "step",
            Self::Say => "say",
            Self::Key => "key",
            Self::Host => "host",
            Self::Log => "log",
        }
    }
}

struct Line {
    at_ms: u32,
    /// Which of the call's agencies had the caller.
    part: u8,
    kind: TraceKind,
    text: Box<str>,
    took_ms: Option<u32>,
    outcome: Option<&'static str>,
}

/// How a call went. Full, it keeps its beginning and its end: what is in the middle is counted.
#[derive(Default)]
pub(super) struct TraceBuffer {
    first: Vec<Line>,
    last: std::collections::VecDeque<Line>,
    dropped: u32,
    bytes: usize,
}

impl TraceBuffer {
    /// Adds a line, and says by how many bytes it has grown.
    pub(super) fn push(
        &mut self,
        lines_max: usize,
        (at_ms, part): (u32, u8),
        kind: TraceKind,
        mut text: String,
        took_ms: Option<u32>,
        outcome: Option<&'static str>,
    ) -> usize {
        if lines_max == 0 {
            self.dropped = self.dropped.saturating_add(1);
            return 0;
        }
        if let Some((cut, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
            text.truncate(cut);
            text.push('…');
        }
        let before = self.bytes;
        let line = Line { at_ms, part, kind, text: text.into(), took_ms, outcome };
        self.bytes += LINE_BYTES + line.text.len();
        if self.first.len() + LAST_LINES.min(lines_max / 2) < lines_max {
            self.first.push(line);
        } else {
            self.last.push_back(line);
            if self.first.len() + self.last.len() > lines_max
                && let Some(gone) = self.last.pop_front()
            {
                self.bytes -= LINE_BYTES + gone.text.len();
                self.dropped = self.dropped.saturating_add(1);
            }
        }
        self.bytes.saturating_sub(before)
    }

    /// Nothing is added any more.
    pub(super) fn shrink(&mut self) {
        self.first.shrink_to_fit();
        self.last.shrink_to_fit();
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// With the names of the agencies that had the caller, in order.
    pub(super) fn lines(&self, agencies: &[Agency]) -> Vec<TraceLine> {
        let told = |line: &Line| TraceLine {
            at_ms: line.at_ms,
            kind: line.kind.as_str().to_owned(),
            text: line.text.to_string(),
            took_ms: line.took_ms,
            outcome: line.outcome.map(str::to_owned),
            agency: agencies.get(usize::from(line.part)).map(ToString::to_string),
        };
        self.first.iter().chain(&self.last).map(told).collect()
    }
}
