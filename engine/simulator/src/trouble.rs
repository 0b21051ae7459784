//! What goes wrong, by the world's dice.

use std::time::Duration;

/// What goes wrong, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trouble {
    /// Keys that get lost on their way.
    pub lost_keys_percent: u8,
    /// Prompts that cannot be played.
    pub failing_playback_percent: u8,
    /// How long a prompt's sound may be in coming.
    pub slow_speech_max: Duration,
    /// Every caller hangs up instead of whatever would happen to the call as this-th, from 0: for trying all of them in
    /// turn, up to [`crate::Report::steps`].
    pub hang_up_at_step: Option<u32>,
    /// How long a callback may take to be written down.
    pub slow_saves_max: Duration,
    /// Writings that fail.
    pub failing_saves_percent: u8,
    /// Deliveries of tickets that their agency does not take, or whose answer gets lost.
    pub failing_webhooks_percent: u8,
}

impl Trouble {
    /// None.
    pub const NONE: Self = Self {
        lost_keys_percent: 0,
        failing_playback_percent: 0,
        slow_speech_max: Duration::ZERO,
        hang_up_at_step: None,
        slow_saves_max: Duration::ZERO,
        failing_saves_percent: 0,
        failing_webhooks_percent: 0,
    };

    /// A bad day: one key in twenty lost, one prompt in ten not playable, speech up to two seconds late, the store
    /// slow and failing once in twenty times, agencies' webhooks failing half of the time.
    #[must_use]
    pub const fn bad_day() -> Self {
        Self {
            lost_keys_percent: 5,
            failing_playback_percent: 10,
            slow_speech_max: Duration::from_secs(2),
            hang_up_at_step: None,
            slow_saves_max: Duration::from_secs(1),
            failing_saves_percent: 5,
            failing_webhooks_percent: 50,
        }
    }

    /// Every caller hangs up at that step.
    #[must_use]
    pub const fn hang_up_at(step: u32) -> Self {
        Self { hang_up_at_step: Some(step), ..Self::NONE }
    }
}
