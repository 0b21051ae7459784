//! Settings to begin with: an ordinary campaign with the usual retries, and what campaigns share.

use gudok_core::calendar::Hours;
use gudok_core::campaign::{
    CallWindow, CampaignMode, CampaignSettings, CampaignsSettings, OnMachine, Pace, Retries, RetryRule, TrunkShare,
    UnknownRule, Urgency, ZoneRule,
};
use gudok_core::ids::{Agency, Campaign, Entry, Trunk};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The trunk of the samples.
pub const TRUNK: &str = "city";

/// Eleven zones from west to east, and one of numbers that may be in either of two.
pub const ELEVEN_ZONES: [&str; 12] = [
    "Europe/Kaliningrad",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Yekaterinburg",
    "Asia/Omsk",
    "Asia/Krasnoyarsk",
    "Asia/Irkutsk",
    "Asia/Yakutsk",
    "Asia/Vladivostok",
    "Asia/Magadan",
    "Asia/Kamchatka",
    "Europe/Moscow&Asia/Omsk",
];

/// Hours of one day.
///
/// # Panics
/// Where they end before they begin.
#[must_use]
pub fn hours(from: i8, to: i8) -> Hours {
    let at = |hour| Time::new(hour % 24, 0, 0, 0).expect("an hour of a day");
    Hours::new(at(from), at(to)).expect("hours that end after they begin")
}

/// Every day from nine to nine.
#[must_use]
pub fn window() -> CallWindow {
    CallWindow { week: std::array::from_fn(|_| vec![hours(9, 21)]), exceptions: BTreeMap::new() }
}

/// One trunk, so many calls of campaigns as an engine of middling size takes, and these zones of the IANA database; a name
/// that is not in it stands for UTC.
#[must_use]
pub fn shared(zones: &[&str]) -> CampaignsSettings {
    let zone = |name: &&str| ZoneRule {
        name: Arc::from(*name),
        zones: name.split('&').map(|name| TimeZone::get(name).unwrap_or(TimeZone::UTC)).collect(),
    };
    let share = TrunkShare { calls_max: 2_000, calls_per_s_max: 100, rest_after_failure: Duration::from_secs(10) };
    CampaignsSettings {
        trunks: BTreeMap::from([(Trunk::new(TRUNK), share)]),
        calls_max: 3_000,
        calls_per_s_max: 100,
        inbound_calls_max: 2_000,
        zones: zones.iter().map(zone).collect(),
        holidays: Vec::new(),
        attempts_per_number_per_day_max: 0,
    }
}

/// A campaign without operators, ten calls a second: at most three attempts, two a day; after busy in ten minutes, after no
/// answer in two hours.
#[must_use]
pub fn campaign(name: &str) -> CampaignSettings {
    let rule = |after_min: u64, attempts_max| RetryRule {
        after: Duration::from_mins(after_min),
        jitter: Duration::from_mins(after_min / 4),
        attempts_max,
    };
    CampaignSettings {
        name: Campaign::new(name),
        agency: Agency::new("region"),
        entry: Entry::new(name),
        lang: Arc::from("ru-RU"),
        urgency: Urgency::Ordinary,
        mode: CampaignMode::Agentless,
        priority: 5,
        window: window(),
        windows: vec![CallWindow { week: std::array::from_fn(|_| vec![hours(18, 20)]), exceptions: BTreeMap::new() }],
        pace: Pace { calls_per_s_max: 10, calls_max: 300 },
        trunk: Trunk::new(TRUNK),
        shown: None,
        ring_max: Duration::from_secs(25),
        retries: Retries {
            attempts_max: 3,
            attempts_per_day_max: 2,
            rules: BTreeMap::from([
                ("busy", rule(10, 3)),
                ("no-answer", rule(120, 3)),
                ("machine", rule(240, 2)),
                ("hung-up", rule(60, 1)),
                ("rejected", rule(240, 1)),
                ("abandoned", rule(30, 2)),
                ("unavailable", rule(2, 200)),
                ("retry-at", rule(10, 2)),
            ]),
        },
        unknown: UnknownRule::Ask,
        on_machine: OnMachine::Message,
        confirm: false,
        starts: None,
        deadline: None,
        script_failures_max: 0,
    }
}
