//! What goes wrong with campaigns, by the world's dice.

use std::time::Duration;

/// What goes wrong, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CampaignTrouble {
    /// How long a writing may take.
    pub slow_saves_max: Duration,
    /// Writings that fail.
    pub failing_saves_percent: u8,
    /// How long it may take to fetch a contact and ask its script.
    pub slow_prepares_max: Duration,
    /// Contacts that the store does not find in time.
    pub failing_prepares_percent: u8,
    /// Of a hundred numbers, those for which the script fails each time.
    pub failing_scripts_percent: u8,
    /// Of a hundred numbers, those that the script skips.
    pub skipped_percent: u8,
    /// Of a hundred times, the script says "in an hour".
    pub put_off_percent: u8,
    /// The engine is killed when this many things have happened to the machine, for trying every place in turn.
    pub dies_at_step: Option<u64>,
    /// From a kill to the new life.
    pub down_for: Duration,
    /// Of a hundred contacts that a crash cut off, those about which a person decides that they are tried again; the rest
    /// are taken for made.
    pub tried_again_percent: u8,
}

impl CampaignTrouble {
    /// A store that takes its few milliseconds, and nothing else.
    pub const NONE: Self = Self {
        slow_saves_max: Duration::from_millis(6),
        failing_saves_percent: 0,
        slow_prepares_max: Duration::from_millis(10),
        failing_prepares_percent: 0,
        failing_scripts_percent: 0,
        skipped_percent: 0,
        put_off_percent: 0,
        dies_at_step: None,
        down_for: Duration::from_secs(8),
        tried_again_percent: 0,
    };

    /// Writings up to half a second late, one in twenty failing; contacts late, one in twenty not found; the script fails for
    /// three numbers in a hundred, skips two, and puts off one.
    #[must_use]
    pub const fn bad_day() -> Self {
        Self {
            slow_saves_max: Duration::from_millis(500),
            failing_saves_percent: 5,
            slow_prepares_max: Duration::from_millis(300),
            failing_prepares_percent: 5,
            failing_scripts_percent: 3,
            skipped_percent: 2,
            put_off_percent: 1,
            tried_again_percent: 50,
            ..Self::NONE
        }
    }
}
