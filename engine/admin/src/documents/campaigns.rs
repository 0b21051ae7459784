//! What people decide about a campaign: one form for the ledger, the API's body, the console's fields and the TOML file of
//! the command line. Its meaning for the machine is in [`crate::books::campaign_settings`].

use crate::names::{AgencyName, EntryName, Lang, QueueName, TrunkName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A campaign; by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignDocument {
    /// Whose.
    #[schema(value_type = String)]
    pub agency: AgencyName,
    /// Under which of the agency's entries its script is active.
    #[schema(value_type = String)]
    pub entry: EntryName,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub title: String,
    /// In which language the host's own prompts begin, where a contact has none; the centre's where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub lang: Option<Lang>,
    /// The emergency officer's word: windows, holidays and the limit by day do not count, and it comes before every other.
    #[serde(default)]
    pub emergency: bool,
    /// Of an emergency: opt-outs that the law does not protect do not count either.
    #[serde(default)]
    pub over_opt_outs: bool,
    /// Operators whom the script may hand over to at once; null: the script alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operators: Option<CampaignOperators>,
    /// Between campaigns: 0 is served first.
    #[serde(default = "priority")]
    #[schema(maximum = 255)]
    pub priority: u8,
    /// When people may be called, in their own time zones: `mon-fri 09:00-20:00; sat 10:00-18:00; 2026-05-09 closed`.
    #[serde(default = "window")]
    #[schema(max_length = 4096)]
    pub window: String,
    /// Windows that contacts may have of their own, by the name in the list's column `window`. A name keeps its place:
    /// while there are contacts, new ones are only added at the end.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub windows: Vec<NamedWindow>,
    /// Calls begun in any second.
    #[serde(default = "calls_per_s_max")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub calls_per_s_max: u32,
    /// Calls at once.
    #[serde(default = "calls_max")]
    #[schema(minimum = 1, maximum = 100_000)]
    pub calls_max: u32,
    /// By which trunk; one of those that the file lets campaigns use.
    #[schema(value_type = String)]
    pub trunk: TrunkName,
    /// The number that is shown; the trunk's own where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub shown: Option<String>,
    /// How long a telephone rings, in seconds.
    #[serde(default = "ring_s")]
    #[schema(minimum = 5, maximum = 180)]
    pub ring_s: u16,
    /// Attempts to one contact in all.
    #[serde(default = "attempts_max")]
    #[schema(minimum = 1, maximum = 100)]
    pub attempts_max: u8,
    /// Attempts in one of the contact's own days.
    #[serde(default = "attempts_per_day_max")]
    #[schema(minimum = 1, maximum = 100)]
    pub attempts_per_day_max: u8,
    /// When somebody is tried again, by disposition; what is not here is not tried again.
    #[serde(default = "retries")]
    pub retries: BTreeMap<String, CampaignRetry>,
    /// What becomes of an attempt that a crash cut off. It is never dialled again silently.
    #[serde(default)]
    pub unknown: CampaignUnknown,
    /// What becomes of an answering machine.
    #[serde(default)]
    pub on_machine: CampaignOnMachine,
    /// Only what is confirmed counts as done.
    #[serde(default)]
    pub confirm: bool,
    /// Not before, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// From then on nobody is dialled any more, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Results are told to the agency's webhook, in batches (`campaign.results`).
    #[serde(default)]
    pub results_webhook: bool,
    /// So many failures of its script in a row pause it; 0 for never.
    #[serde(default = "script_failures_max")]
    pub script_failures_max: u16,
}

/// Who wants an emergency's campaign started, where two officers must; about one state of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignApprovalDocument {
    /// The campaign's.
    pub revision: u64,
    /// When the campaign was made: another one of its name is another one.
    pub created_ms: u64,
    /// How many people it would call.
    pub contacts: u64,
    /// Who, in order.
    pub approvals: Vec<super::Approval>,
}

/// A window by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedWindow {
    /// As the list's column `window` says it.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// As the campaign's own window.
    #[schema(max_length = 4096)]
    pub hours: String,
}

/// Operators who are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignOperators {
    /// Whose.
    #[schema(value_type = String)]
    pub queue: QueueName,
    /// People who answered and got no operator within two seconds, in thousandths of those who answered, over an hour.
    #[serde(default = "abandoned_permille_max")]
    #[schema(maximum = 1000)]
    pub abandoned_permille_max: u16,
    /// Telephones rung for one free operator, at most, in tenths: 10 is one, 15 three for two.
    #[serde(default = "lines_per_operator_tenths_max")]
    #[schema(minimum = 10, maximum = 100)]
    pub lines_per_operator_tenths_max: u16,
}

/// When somebody is tried again after a disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRetry {
    /// After so long.
    #[schema(maximum = 31_536_000)]
    pub after_s: u32,
    /// And up to so much more, drawn by chance.
    #[serde(default)]
    #[schema(maximum = 31_536_000)]
    pub jitter_s: u32,
    /// After this disposition at most so often.
    #[serde(default = "retry_attempts_max")]
    #[schema(minimum = 1, maximum = 100)]
    pub attempts_max: u8,
}

/// What becomes of an attempt that a crash cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignUnknown {
    /// A person decides.
    #[default]
    Ask,
    /// The contact is done.
    TakeForMade,
    /// As if nobody had answered: the rule of `no-answer` goes on from there.
    TakeForUnanswered,
}

/// What becomes of an answering machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignOnMachine {
    /// We hang up.
    #[default]
    HangUp,
    /// The script leaves its message after the beep.
    Message,
    /// Nobody listens for machines.
    Ignore,
}

fn priority() -> u8 {
    100
}

fn window() -> String {
    "mon-fri 09:00-20:00; sat 10:00-18:00; sun closed".to_owned()
}

fn calls_per_s_max() -> u32 {
    5
}

fn calls_max() -> u32 {
    20
}

fn ring_s() -> u16 {
    30
}

fn attempts_max() -> u8 {
    3
}

fn attempts_per_day_max() -> u8 {
    2
}

/// Whoever was not there is tried again; a way out that failed was nobody's fault.
fn retries() -> BTreeMap<String, CampaignRetry> {
    let rule = |after_s, jitter_s, attempts_max| CampaignRetry { after_s, jitter_s, attempts_max };
    let rules = [
        ("busy", rule(600, 300, 3)),
        ("no-answer", rule(7_200, 1_800, 3)),
        ("hung-up", rule(7_200, 1_800, 2)),
        ("abandoned", rule(7_200, 1_800, 2)),
        ("machine", rule(14_400, 1_800, 2)),
        ("unavailable", rule(300, 120, 20)),
        ("not-dialled", rule(60, 30, 100)),
        ("script-failed", rule(3_600, 600, 2)),
    ];
    rules.into_iter().map(|(disposition, rule)| (disposition.to_owned(), rule)).collect()
}

fn script_failures_max() -> u16 {
    20
}

fn abandoned_permille_max() -> u16 {
    30
}

fn lines_per_operator_tenths_max() -> u16 {
    10
}

fn retry_attempts_max() -> u8 {
    3
}
