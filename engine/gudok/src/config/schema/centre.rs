//! The centre in the file: queues, operators, peer centres, and the telephones that register.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// Where callers wait.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    pub(crate) name: Spanned<String>,
    /// Whose it is; the centre's own where it is missing.
    pub(crate) agency: Option<Spanned<String>>,
    /// When operators work; always where it is missing.
    pub(crate) calendar: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) strategy: Strategy,
    #[serde(default = "fifty")]
    pub(crate) waiting_max: Spanned<usize>,
    /// By then every caller has an operator, a peer centre or the offer of a callback.
    #[serde(default = "forty")]
    pub(crate) wait_s_max: Spanned<u64>,
    /// So long before `wait_s_max` the host begins to act.
    #[serde(default = "fifteen")]
    pub(crate) act_before_s: Spanned<u64>,
    #[serde(default = "sixty")]
    pub(crate) offer_again_after_s: u64,
    /// 0 for never.
    #[serde(default = "twenty")]
    pub(crate) announce_every_s: u64,
    #[serde(default = "fifteen")]
    pub(crate) ring_s_max: Spanned<u64>,
    #[serde(default = "ten")]
    pub(crate) wrap_up_s: u64,
    /// 0 for never.
    #[serde(default = "three")]
    pub(crate) misses_max: u8,
    #[serde(default = "twenty_at")]
    pub(crate) service_level_s: Spanned<u64>,
    /// Demands on skills fall with time.
    #[serde(default)]
    pub(crate) relax: Vec<Spanned<Relaxation>>,
    /// Where callers overflow to, in order.
    #[serde(default)]
    pub(crate) peers: Vec<Spanned<String>>,
    /// How callers are called back; not at all where it is missing.
    pub(crate) callback: Option<Spanned<CallbackRules>>,
}

const fn three() -> u8 {
    3
}

const fn ten() -> u64 {
    10
}

const fn twenty() -> u64 {
    20
}

const fn sixty() -> u64 {
    60
}

fn fifty() -> Spanned<usize> {
    Spanned::new(0..0, 50)
}

fn fifteen() -> Spanned<u64> {
    Spanned::new(0..0, 15)
}

fn twenty_at() -> Spanned<u64> {
    Spanned::new(0..0, 20)
}

fn forty() -> Spanned<u64> {
    Spanned::new(0..0, 40)
}

/// Whom to ring first.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    #[default]
    LongestIdle,
    RoundRobin,
    RingAll,
}

/// After so long, every wished level counts for so much less.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relaxation {
    pub(crate) after_s: u64,
    pub(crate) levels: u8,
}

/// How callers are called back.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackRules {
    #[serde(default)]
    pub(crate) dial_first: DialFirst,
    /// From the request to the connection.
    #[serde(default = "ten_minutes")]
    pub(crate) within_s: Spanned<u64>,
    #[serde(default = "three")]
    pub(crate) attempts_max: u8,
    #[serde(default = "ninety")]
    pub(crate) retry_after_s: u64,
    #[serde(default = "thirty")]
    pub(crate) ring_s_max: u64,
    /// What becomes of an attempt that a crash cut off.
    #[serde(default)]
    pub(crate) unknown: Unknown,
    #[serde(default = "hundred")]
    pub(crate) open_max: usize,
    #[serde(default = "one")]
    pub(crate) per_number_max: usize,
    pub(crate) trunk: Spanned<String>,
    /// The number that callers are shown.
    pub(crate) shown: Option<String>,
    /// E.164 prefixes that may be called back.
    pub(crate) dialable: Vec<Spanned<String>>,
    /// E.164 prefixes that may not, though one above would let them.
    #[serde(default)]
    pub(crate) barred: Vec<Spanned<String>>,
}

fn ten_minutes() -> Spanned<u64> {
    Spanned::new(0..0, 600)
}

const fn ninety() -> u64 {
    90
}

const fn thirty() -> u64 {
    30
}

const fn hundred() -> usize {
    100
}

const fn one() -> usize {
    1
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DialFirst {
    #[default]
    Operator,
    Caller,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unknown {
    #[default]
    Ask,
    GiveUp,
}

/// Somebody who works in queues.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueOperator {
    /// The login.
    pub(crate) name: Spanned<String>,
    /// As colleagues see it; the login where it is missing.
    pub(crate) shown_name: Option<String>,
    /// A fixed telephone: `sip:anna@192.0.2.7`, or a user part with `trunk`. Missing: it registers under the login.
    pub(crate) address: Option<Spanned<String>>,
    pub(crate) trunk: Option<Spanned<String>>,
    /// For a telephone that registers: a file that holds its password.
    pub(crate) password_file: Option<Spanned<PathBuf>>,
    /// Queues that they serve.
    pub(crate) queues: Vec<Spanned<String>>,
    /// `english = 2`
    #[serde(default)]
    pub(crate) skills: BTreeMap<String, u8>,
    /// Ready without a login.
    #[serde(default)]
    pub(crate) always_ready: bool,
}

/// Another region's centre.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) name: Spanned<String>,
    /// `sip:122@192.0.2.9`, or a user part with `trunk`.
    pub(crate) address: Spanned<String>,
    pub(crate) trunk: Option<Spanned<String>>,
    #[serde(default = "calls")]
    pub(crate) calls_max: usize,
    #[serde(default = "ten")]
    pub(crate) ring_s_max: u64,
    #[serde(default = "sixty")]
    pub(crate) rest_after_failure_s: u64,
    /// Areas that it answers for; empty where it only takes overflow.
    #[serde(default)]
    pub(crate) areas: Vec<String>,
}

const fn calls() -> usize {
    10
}

/// Operators' telephones that register here.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registrar {
    /// What telephones are told to authenticate for.
    pub(crate) realm: Spanned<String>,
    /// Networks that they come from.
    #[serde(default)]
    pub(crate) sources: Vec<Spanned<String>>,
    #[serde(default = "sixty_u32")]
    pub(crate) expires_s_min: u32,
    #[serde(default = "five_minutes")]
    pub(crate) expires_s_max: u32,
    /// "SHA-256", "MD5", most wanted first; both where it is missing.
    pub(crate) digests: Option<Vec<Spanned<String>>>,
}

const fn sixty_u32() -> u32 {
    60
}

const fn five_minutes() -> u32 {
    300
}

/// Where an agency's system is told of tickets.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) url: Spanned<String>,
    /// A file that holds the secret that signs.
    pub(crate) secret_file: Spanned<PathBuf>,
}

/// A person's word over the calendar.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarOverride {
    pub(crate) open: bool,
    /// RFC 3339; then the calendar counts again.
    pub(crate) until: String,
}
