//! The configuration file as it is written. docs/OPERATING.md has the reference; `gudok check-config` reads it with the
//! same eyes.

mod campaigns;
mod centre;

pub(crate) use campaigns::{Campaigns, TrunkShare};
pub(crate) use centre::{
    CalendarOverride, CallbackRules, DialFirst, Peer, Queue, QueueOperator, Registrar, Relaxation, Strategy, Unknown,
    Webhook,
};

use gudok_speech::{LangTag, LanguageWords, SlowSpeech, VoiceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) node: Node,
    pub(crate) sip: Sip,
    #[serde(default)]
    pub(crate) media: Media,
    #[serde(default)]
    pub(crate) speech: Speech,
    #[serde(default)]
    pub(crate) http: Http,
    pub(crate) store: Store,
    #[serde(default)]
    pub(crate) scripts: Scripts,
    #[serde(default)]
    pub(crate) journal: Journal,
    #[serde(default)]
    pub(crate) admin: Admin,
    #[serde(default)]
    pub(crate) numbering: Numbering,
    #[serde(default)]
    pub(crate) call: Call,
    #[serde(default)]
    pub(crate) campaigns: Campaigns,
    #[serde(default)]
    pub(crate) trunk: Vec<Trunk>,
    #[serde(default)]
    pub(crate) calendar: Vec<Calendar>,
    #[serde(default)]
    pub(crate) group: Vec<Group>,
    #[serde(default)]
    pub(crate) extension: Vec<Extension>,
    #[serde(default)]
    pub(crate) queue: Vec<Queue>,
    #[serde(default)]
    pub(crate) operator: Vec<QueueOperator>,
    #[serde(default)]
    pub(crate) peer: Vec<Peer>,
    pub(crate) registrar: Option<Registrar>,
    #[serde(default)]
    pub(crate) agency: Vec<Agency>,
    #[serde(default)]
    pub(crate) number: Vec<Number>,
    #[serde(default)]
    pub(crate) overlay: Vec<Overlay>,
    /// The host's own words, by language tag.
    #[serde(default)]
    pub(crate) prompts: BTreeMap<String, HostPrompts>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Node {
    /// The centre's time zone, by its name in the time-zone database.
    pub(crate) time_zone: Spanned<String>,
    /// The language where nothing else says one.
    pub(crate) lang: String,
    /// On SIGTERM, calls may go on for so long.
    pub(crate) drain_s_max: u64,
    /// `json` or `text`.
    pub(crate) log: LogFormat,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            time_zone: Spanned::new(0..0, "UTC".into()),
            lang: "ru-RU".into(),
            drain_s_max: 300,
            log: LogFormat::Text,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sip {
    /// `udp://127.0.0.1:5060`, `tcp://…`.
    pub(crate) listen: Vec<Spanned<String>>,
    pub(crate) advertised: Option<IpAddr>,
    #[serde(default)]
    pub(crate) unknown_source: UnknownSource,
    #[serde(default)]
    pub(crate) limits: SipLimits,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnknownSource {
    #[default]
    Refuse,
    Drop,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SipLimits {
    pub(crate) calls_max: usize,
    pub(crate) calls_per_s_max: u32,
    pub(crate) retry_after_s: u64,
    pub(crate) source_messages_per_s_max: u32,
}

impl Default for SipLimits {
    fn default() -> Self {
        Self { calls_max: 5_000, calls_per_s_max: 2_000, retry_after_s: 5, source_messages_per_s_max: 40_000 }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Media {
    pub(crate) bind: IpAddr,
    /// `20000-29999`
    pub(crate) ports: Spanned<String>,
    pub(crate) pacer_threads: usize,
    pub(crate) rtp_timeout_s: u64,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            bind: IpAddr::from([127, 0, 0, 1]),
            ports: Spanned::new(0..0, "20000-29999".into()),
            pacer_threads: 1,
            rtp_timeout_s: 60,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Speech {
    pub(crate) provider: SpeechProvider,
    /// For the provider `http`.
    pub(crate) url: Option<Spanned<String>>,
    /// For the provider `espeak-ng`: the command, if it is not on the path.
    pub(crate) command: Option<PathBuf>,
    pub(crate) cache_mib_max: u64,
    /// The host's own recordings: `<dir>/<lang>/<name>.wav`.
    pub(crate) media_dir: Option<PathBuf>,
    /// For the provider `http`: it reads SSML.
    pub(crate) ssml: bool,
    /// Voices by language: `tt = "tt"`.
    pub(crate) voices: BTreeMap<LangTag, VoiceName>,
    /// Words of languages without a grammar here.
    pub(crate) languages: BTreeMap<LangTag, LanguageWords>,
    /// How callers are spoken to who asked for it.
    pub(crate) slow: SlowSpeech,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            provider: SpeechProvider::EspeakNg,
            url: None,
            command: None,
            cache_mib_max: 1024,
            media_dir: None,
            ssml: false,
            voices: BTreeMap::new(),
            languages: BTreeMap::new(),
            slow: SlowSpeech::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SpeechProvider {
    EspeakNg,
    Http,
    None,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// The admins' API and console, health, readiness and metrics. Beyond loopback only with `tls`.
    pub(crate) listen: Option<Spanned<SocketAddr>>,
    /// PEM files.
    pub(crate) tls: Option<Spanned<Tls>>,
    /// Names, without port, under which it is reached besides its addresses; a request for another host is refused.
    pub(crate) hosts: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The certificate and those that it stands on.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Admin {
    /// Bundles without a signature: `refuse`, or `allow` while developing.
    pub(crate) unsigned: Unsigned,
    /// Two different admins approve a new right.
    pub(crate) two_person: bool,
    /// Two different emergency officers start an emergency's campaign.
    pub(crate) emergency_two_person: bool,
    /// Lines of one call's trace.
    pub(crate) trace_events_max: Spanned<usize>,
    /// The folder that the API's `file:` secrets are in, and nothing else is.
    pub(crate) secrets_dir: PathBuf,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            unsigned: Unsigned::Refuse,
            two_person: false,
            emergency_two_person: false,
            trace_events_max: Spanned::new(0..0, 400),
            secrets_dir: "secrets".into(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unsigned {
    #[default]
    Refuse,
    Allow,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) dir: PathBuf,
    /// Apart from `dir`: announcements in force and records of calls without the store; `<dir>-emergency` where it is
    /// missing.
    pub(crate) emergency_dir: Option<PathBuf>,
    /// New promises are refused below so much free disk.
    #[serde(default = "ten")]
    pub(crate) free_percent_min: u8,
}

const fn ten() -> u8 {
    10
}

/// The journals of calls, below the store's folder.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Journal {
    pub(crate) enabled: bool,
    /// Of each agency and version: the last so many.
    pub(crate) calls_max: u32,
    /// Of each agency and version.
    pub(crate) mib_max: u64,
    /// Of all together.
    pub(crate) mib_max_total: u64,
    /// An agency's retention of traces may be shorter.
    pub(crate) days_max: u32,
    /// Of one call; what comes later is left out.
    pub(crate) call_kib_max: u64,
    /// What waits to be written; above, journals are dropped and counted.
    pub(crate) queue_mib_max: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            enabled: true,
            calls_max: 2_000,
            mib_max: 64,
            mib_max_total: 1_024,
            days_max: 14,
            call_kib_max: 1_024,
            queue_mib_max: 32,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scripts {
    pub(crate) threads: usize,
    /// Scripts running at once, all agencies together.
    pub(crate) instances_max: u32,
    pub(crate) memory_mib_max: u32,
    pub(crate) cpu_ms_per_step_max: u32,
    pub(crate) wall_s_per_call_max: u32,
    pub(crate) storage_kib_max: u64,
    /// Places inside the centre that scripts' HTTP may reach although they are loopback, private or link-local.
    pub(crate) fetch_allowed: Vec<Spanned<String>>,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            threads: 1,
            instances_max: 5_000,
            memory_mib_max: 64,
            cpu_ms_per_step_max: 200,
            wall_s_per_call_max: 4 * 3600,
            storage_kib_max: 64 * 1024,
            fetch_allowed: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Numbering {
    pub(crate) country_code: String,
    pub(crate) trunk_prefix: String,
    pub(crate) international_prefixes: Vec<String>,
    pub(crate) national_len: usize,
}

impl Default for Numbering {
    fn default() -> Self {
        Self {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into(), "00".into()],
            national_len: 10,
        }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Call {
    pub(crate) duration_s_max: Option<u64>,
    pub(crate) landing_ring_s: Option<u64>,
    pub(crate) landing_rounds_max: Option<u8>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trunk {
    pub(crate) name: Spanned<String>,
    /// Where its calls come from: addresses or networks.
    #[serde(default)]
    pub(crate) sources: Vec<Spanned<String>>,
    pub(crate) proxy: Option<String>,
    #[serde(default)]
    pub(crate) transport: TrunkTransport,
    pub(crate) domain: Option<String>,
    pub(crate) username: Option<String>,
    /// A file that holds the password.
    pub(crate) password_file: Option<Spanned<PathBuf>>,
    /// The user part to register, if it registers.
    pub(crate) register: Option<String>,
    #[serde(default = "hour")]
    pub(crate) register_expires_s: u32,
    #[serde(default)]
    pub(crate) trusts_identity: bool,
    #[serde(default)]
    pub(crate) script_headers: Vec<String>,
    /// Most wanted first.
    pub(crate) codecs: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) transcript: bool,
    pub(crate) calls_max: Option<usize>,
    /// 0 switches the session timer off where the peer does not ask for it.
    pub(crate) session_expires_s: Option<u32>,
    /// Another centre: what it says of a call's way through centres is believed.
    #[serde(default)]
    pub(crate) peer: bool,
    /// Campaigns may call by it, and use so much of it.
    pub(crate) campaigns: Option<Spanned<TrunkShare>>,
}

const fn hour() -> u32 {
    3600
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TrunkTransport {
    #[default]
    Udp,
    Tcp,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calendar {
    pub(crate) name: Spanned<String>,
    /// `"06:00-24:00"`, by `mon` … `sun`, or `daily`; a day that is missing is closed.
    pub(crate) hours: BTreeMap<String, Spanned<Vec<String>>>,
    /// By date, `2026-01-01 = []`.
    #[serde(default)]
    pub(crate) exceptions: BTreeMap<String, Spanned<Vec<String>>>,
    /// Open or closed whatever the hours say.
    #[serde(rename = "override")]
    pub(crate) overridden: Option<Spanned<CalendarOverride>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: Spanned<String>,
    pub(crate) calendar: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) operators: Vec<Operator>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    pub(crate) name: String,
    /// `sip:anna@192.0.2.7`, or a user part on a trunk.
    pub(crate) address: Spanned<String>,
    pub(crate) trunk: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extension {
    pub(crate) number: String,
    pub(crate) address: Spanned<String>,
    pub(crate) trunk: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agency {
    pub(crate) name: Spanned<String>,
    /// The group where callers land whose script failed.
    pub(crate) fallback: Spanned<String>,
    /// The trunk for calls out.
    pub(crate) outbound: Option<Spanned<String>>,
    /// The queue where callers land who need an operator, instead of the fallback group.
    pub(crate) queue: Option<Spanned<String>>,
    /// What the host's own minimal menu tells callers when the agency's script fails.
    pub(crate) information: Option<String>,
    /// Where the agency's system is told of tickets.
    pub(crate) webhook: Option<Webhook>,
    /// Scripts of other agencies that callers may be handed to: `passport = "mvd/readiness"`.
    #[serde(default)]
    pub(crate) reachable: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) script: Vec<Script>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub(crate) entry: Spanned<String>,
    pub(crate) bundle: Spanned<PathBuf>,
    /// What the admin approves of what the manifest declares: `"as-declared"`, or capabilities as a manifest has them.
    /// Nothing where it is missing.
    pub(crate) approve: Option<Spanned<toml::Value>>,
    /// Over the manifest's defaults.
    #[serde(default)]
    pub(crate) config: BTreeMap<String, String>,
    /// Files that hold the secrets, by name.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, Spanned<PathBuf>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Number {
    /// As dialled; `*` is any other.
    pub(crate) number: Spanned<String>,
    pub(crate) agency: Spanned<String>,
    /// May be missing with `callback`.
    pub(crate) entry: Option<Spanned<String>>,
    pub(crate) lang: Option<String>,
    /// The region or municipality that the number stands for.
    pub(crate) area: Option<String>,
    /// A callback number: who dials it is called back by that queue.
    pub(crate) callback: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    /// For records and pages.
    pub(crate) name: Option<String>,
    /// What callers hear first.
    pub(crate) text: Option<String>,
    /// Or a recording of it, a WAV file.
    pub(crate) recording: Option<Spanned<PathBuf>>,
    pub(crate) lang: Option<String>,
    /// Only callers of these agencies, areas or numbers; all where all three are missing.
    #[serde(default)]
    pub(crate) agencies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) areas: Vec<String>,
    #[serde(default)]
    pub(crate) numbers: Vec<String>,
    /// RFC 3339; for good where it is missing.
    pub(crate) expires: Option<Spanned<String>>,
}

/// The host's words in one language, by key; `gudok_workbench::words` knows the keys.
pub(crate) type HostPrompts = BTreeMap<String, String>;
