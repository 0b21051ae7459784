//! Campaigns in the file: what they may use of the engine and of its trunks, and where numbers are.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::Spanned;

/// What all campaigns share. What is said about one of them is in the ledger.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Campaigns {
    /// Calls of all campaigns at once; half of `[sip.limits] calls_max`, and at most `[scripts] instances_max`, where it is missing.
    pub(crate) calls_max: Option<Spanned<u32>>,
    /// Calls of all campaigns begun in any second.
    pub(crate) calls_per_s_max: Spanned<u32>,
    /// While more callers than this are in, campaigns begin nothing new; seven tenths of `[sip.limits] calls_max` where it
    /// is missing.
    pub(crate) inbound_calls_max: Option<Spanned<u32>>,
    /// Where numbers are: lines of `prefix;zone`, several zones joined by `&`.
    pub(crate) zones_file: Option<Spanned<PathBuf>>,
    /// Where numbers are that no line fits; the node's where it is missing.
    pub(crate) time_zone: Option<Spanned<String>>,
    /// Dates on which nobody is called: "2026-01-01".
    pub(crate) holidays: Vec<Spanned<String>>,
    /// Attempts to one number in one of its days, of all campaigns together; 0 for no limit.
    pub(crate) attempts_per_number_per_day_max: u8,
    /// So long after its end a campaign is taken away with its contacts and results; 0 for never.
    pub(crate) kept_days: Spanned<u32>,
}

impl Default for Campaigns {
    fn default() -> Self {
        Self {
            calls_max: None,
            calls_per_s_max: Spanned::new(0..0, 50),
            inbound_calls_max: None,
            zones_file: None,
            time_zone: None,
            holidays: Vec::new(),
            attempts_per_number_per_day_max: 0,
            kept_days: Spanned::new(0..0, 180),
        }
    }
}

/// What campaigns may use of a trunk.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrunkShare {
    /// Calls at once.
    pub(crate) calls_max: u32,
    /// Calls begun in any second.
    pub(crate) calls_per_s_max: u32,
    /// After a failure of the trunk itself it is left alone for so long, and longer after the next.
    #[serde(default = "ten")]
    pub(crate) rest_after_failure_s: u64,
}

const fn ten() -> u64 {
    10
}
