//! Operators, and whoever else is dialled.

use crate::dice::Dice;
use std::time::Duration;

/// How somebody behaves who is dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    pub(crate) answer: Answer,
    pub(crate) after: Duration,
    /// From being connected to hanging up.
    pub(crate) talks: Duration,
    /// So much longer at most, by the world's dice.
    talks_longer_max: Duration,
    /// From being connected to passing the caller on.
    pub(crate) passes_on: Option<(Duration, String)>,
    /// So many in a hundred times: lets it ring, refuses, or answers and hangs up.
    ignores_percent: u8,
    refuses_percent: u8,
    drops_percent: u8,
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
        Self {
            answer,
            after,
            talks: TALKS,
            talks_longer_max: Duration::ZERO,
            passes_on: None,
            ignores_percent: 0,
            refuses_percent: 0,
            drops_percent: 0,
        }
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

    /// Talks longer than that by up to so many seconds.
    #[must_use]
    pub const fn and_up_to_s_more(mut self, seconds: u64) -> Self {
        self.talks_longer_max = Duration::from_secs(seconds);
        self
    }

    /// In so many of a hundred times: lets it ring, refuses (603), or answers and hangs up at once.
    #[must_use]
    pub const fn or_else(mut self, ignores: u8, refuses: u8, drops: u8) -> Self {
        (self.ignores_percent, self.refuses_percent, self.drops_percent) = (ignores, refuses, drops);
        self
    }

    /// By the dice.
    pub(crate) fn this_time(mut self, dice: &mut Dice) -> Self {
        self.talks = self.talks.saturating_add(dice.up_to(self.talks_longer_max));
        if dice.percent(self.ignores_percent) {
            self.answer = Answer::RingsOn;
        } else if dice.percent(self.refuses_percent) {
            self.answer = Answer::Refuses(603);
        } else if dice.percent(self.drops_percent) {
            self.talks = Duration::ZERO;
        }
        self
    }
}
