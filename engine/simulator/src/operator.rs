//! Operators, and whoever else is dialled.

use std::time::Duration;

/// How somebody behaves who is dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub(crate) answer: Answer,
    pub(crate) after: Duration,
    /// From being connected to hanging up.
    pub(crate) talks: Duration,
    /// From being connected to passing the caller on.
    pub(crate) passes_on: Option<(Duration, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Answers,
    Refuses(u16),
    RingsOn,
}

const RINGS: Duration = Duration::from_secs(3);
const TALKS: Duration = Duration::from_mins(1);

impl Operator {
    const fn new(answer: Answer, after: Duration) -> Self {
        Self { answer, after, talks: TALKS, passes_on: None }
    }

    /// Answers after three seconds, talks for a minute and hangs up.
    #[must_use]
    pub const fn answers() -> Self {
        Self::new(Answer::Answers, RINGS)
    }

    /// Answers after so long.
    #[must_use]
    pub const fn answers_after(time: Duration) -> Self {
        Self::new(Answer::Answers, time)
    }

    /// Is busy (486).
    #[must_use]
    pub const fn busy() -> Self {
        Self::rejects(486)
    }

    /// Lets it ring.
    #[must_use]
    pub const fn no_answer() -> Self {
        Self::new(Answer::RingsOn, Duration::ZERO)
    }

    /// Refuses with that status.
    #[must_use]
    pub const fn rejects(status: u16) -> Self {
        Self::new(Answer::Refuses(status), Duration::from_millis(100))
    }

    /// Hangs up so many seconds after being connected.
    #[must_use]
    pub const fn and_talks_s(mut self, seconds: u64) -> Self {
        self.talks = Duration::from_secs(seconds);
        self
    }

    /// Passes the caller on to that telephone of the centre, so many seconds after being connected.
    #[must_use]
    pub fn and_passes_on_after_s(mut self, seconds: u64, to: &str) -> Self {
        self.passes_on = Some((Duration::from_secs(seconds), to.into()));
        self
    }
}
