//! From the file as written to what the engine runs on: every name resolved, every value in its range.

mod admin;
mod campaigns;
mod centre;
mod routes;
mod sip;

pub(crate) use admin::changes;
use admin::{AdminSettings, TlsFiles};
pub(crate) use campaigns::CampaignsConfig;
pub(crate) use centre::registered;
pub(crate) use routes::{recorded, spoken};

use super::Faults;
use super::schema::{self, File, LogFormat};
use crate::journals::JournalSettings;
use gudok_admin::ports::FileFacts;
use gudok_core::call::CallLimits;
use gudok_core::ids::{Agency, Entry};
use gudok_core::privacy::Secret;
use gudok_core::routing::Routes;
use gudok_core::time::Timestamp;
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::http::AllowedTarget;
use gudok_sip::SipConfig;
use gudok_speech::{LangTag, LanguageWords, SlowSpeech, VoiceName};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// What the engine runs on.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) time_zone: TimeZone,
    pub(crate) lang: Arc<str>,
    pub(crate) drain_max: Duration,
    pub(crate) log: LogFormat,
    pub(crate) sip: SipConfig,
    pub(crate) media: MediaSettings,
    pub(crate) speech: SpeechSettings,
    pub(crate) http: HttpConfig,
    pub(crate) store: StoreSettings,
    pub(crate) scripts: schema::Scripts,
    /// How much of calls' journals is kept.
    pub(crate) journal: JournalSettings,
    /// Places inside the centre that scripts' HTTP may reach.
    pub(crate) fetch_allowed: Vec<AllowedTarget>,
    pub(crate) call_limits: CallLimits,
    pub(crate) routes: Arc<Routes>,
    /// What campaigns share.
    pub(crate) campaigns: CampaignsConfig,
    /// Recordings of its announcements.
    pub(crate) overlay_sounds: Vec<PathBuf>,
    pub(crate) entries: Vec<EntryConfig>,
    /// Where agencies' systems are told of tickets.
    pub(crate) webhooks: BTreeMap<Agency, WebhookConfig>,
    pub(crate) host_prompts: BTreeMap<String, schema::HostPrompts>,
    pub(crate) admin: AdminSettings,
    /// What the file has of the things that the admins' API manages too.
    pub(crate) facts: FileFacts,
    /// Every field with its value in force, without secrets.
    pub(crate) effective: serde_json::Value,
}

/// For the media room.
#[derive(Debug)]
pub(crate) struct MediaSettings {
    pub(crate) bind: IpAddr,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) pacer_threads: usize,
    pub(crate) rtp_timeout: Duration,
}

/// For the speech room.
#[derive(Debug, Default)]
pub(crate) struct SpeechSettings {
    pub(crate) provider: ProviderConfig,
    pub(crate) cache_mib_max: u64,
    pub(crate) media_dir: Option<PathBuf>,
    pub(crate) voices: BTreeMap<LangTag, VoiceName>,
    pub(crate) languages: BTreeMap<LangTag, LanguageWords>,
    pub(crate) slow: SlowSpeech,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self::EspeakNg { command: None }
    }
}

/// Who speaks what nobody recorded.
#[derive(Debug)]
pub(crate) enum ProviderConfig {
    EspeakNg { command: Option<PathBuf> },
    Http { url: String, ssml: bool },
    None,
}

/// Where admins come in.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) hosts: Vec<String>,
}

/// For the store.
#[derive(Debug)]
pub(crate) struct StoreSettings {
    pub(crate) dir: PathBuf,
    /// Beside the store: what goes on without it.
    pub(crate) emergency_dir: PathBuf,
    pub(crate) free_percent_min: u8,
}

/// One script behind one entry.
#[derive(Debug)]
pub(crate) struct EntryConfig {
    pub(crate) agency: Agency,
    pub(crate) entry: Entry,
    pub(crate) bundle: PathBuf,
    pub(crate) approval: Approval,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// Where an agency's system is told of tickets.
#[derive(Clone, Debug)]
pub(crate) struct WebhookConfig {
    pub(crate) url: String,
    pub(crate) secret: Secret,
}

/// None where there were faults that leave nothing to go on with.
pub(super) fn build(file: File, folder: &Path, faults: &mut Faults<'_>) -> Option<Config> {
    let (facts, effective) = (admin::facts(&file, faults.text), admin::effective(&file));
    let lang: Arc<str> = Arc::from(file.node.lang.as_str());
    let time_zone = time_zone(&file.node.time_zone, faults);
    let routes = routes::routes(&file, folder, &time_zone, &lang, faults);
    let overlay_sounds = overlay_sounds(&file, folder);
    let registrar = centre::registrar(&file, folder, faults);
    let sip = sip::sip(&file, registrar.as_ref(), folder, faults);
    let ports = ports(&file.media.ports, faults);
    let speech = speech(&file.speech, folder, faults);
    let entries = entries(&file, folder, faults);
    let webhooks = webhooks(&file, folder, faults);
    let http = admin::http(&file.http, folder, faults);
    let admin = admin::settings(&file.admin, folder, faults);
    let fetch_allowed = fetch_allowed(&file.scripts, faults);
    let campaigns = campaigns::campaigns(&file, folder, faults);
    Some(Config {
        time_zone,
        lang,
        drain_max: Duration::from_secs(file.node.drain_s_max),
        log: file.node.log,
        sip: sip?,
        media: MediaSettings {
            bind: file.media.bind,
            ports: ports?,
            pacer_threads: file.media.pacer_threads.clamp(1, 64),
            rtp_timeout: Duration::from_secs(file.media.rtp_timeout_s.max(1)),
        },
        speech: speech?,
        http,
        store: StoreSettings {
            dir: folder.join(&file.store.dir),
            emergency_dir: emergency_dir(&file.store, folder),
            free_percent_min: file.store.free_percent_min.min(100),
        },
        journal: JournalSettings::of(&file.journal, file.store.free_percent_min.min(100)),
        scripts: file.scripts,
        fetch_allowed,
        call_limits: call_limits(&file.call),
        routes: Arc::new(routes),
        campaigns,
        overlay_sounds,
        entries,
        webhooks,
        host_prompts: file.prompts,
        admin,
        facts,
        effective,
    })
}

/// "data" has "data-emergency" beside it, if nothing else is said.
fn emergency_dir(store: &schema::Store, folder: &Path) -> PathBuf {
    if let Some(dir) = &store.emergency_dir {
        return folder.join(dir);
    }
    let mut name = store.dir.clone().into_os_string();
    name.push("-emergency");
    folder.join(name)
}

fn time_zone(name: &Spanned<String>, faults: &mut Faults<'_>) -> TimeZone {
    TimeZone::get(name.get_ref()).unwrap_or_else(|_| {
        faults.add(
            name.span(),
            format!("no time zone is called {:?}", name.get_ref()),
            "use a name of the time-zone database, such as \"Asia/Novosibirsk\"; on Debian it comes with the package tzdata",
        );
        TimeZone::UTC
    })
}

fn entries(file: &File, folder: &Path, faults: &mut Faults<'_>) -> Vec<EntryConfig> {
    let mut all = Vec::new();
    for agency in &file.agency {
        for script in &agency.script {
            let bundle = folder.join(script.bundle.get_ref());
            if !bundle.is_file() {
                faults.add(
                    script.bundle.span(),
                    format!("no bundle is at {}", bundle.display()),
                    "build it (scripts/build-plugins), or correct the path; it is relative to this file",
                );
            }
            let mut secrets = BTreeMap::new();
            for (name, file) in &script.secrets {
                if let Some(secret) = secret(file, folder, faults) {
                    secrets.insert(name.clone(), secret);
                }
            }
            all.push(EntryConfig {
                agency: Agency::new(agency.name.get_ref()),
                entry: Entry::new(script.entry.get_ref()),
                bundle,
                approval: approval(script.approve.as_ref(), faults),
                config: script.config.clone(),
                secrets,
            });
        }
    }
    all
}

fn overlay_sounds(file: &File, folder: &Path) -> Vec<PathBuf> {
    file.overlay.iter().filter_map(|overlay| Some(folder.join(overlay.recording.as_ref()?.get_ref()))).collect()
}

fn webhooks(file: &File, folder: &Path, faults: &mut Faults<'_>) -> BTreeMap<Agency, WebhookConfig> {
    let mut all = BTreeMap::new();
    for agency in &file.agency {
        let Some(webhook) = &agency.webhook else { continue };
        let url = webhook.url.get_ref();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            let message = format!("the webhook of {:?} is no web address", agency.name.get_ref());
            faults.add(webhook.url.span(), message, "write \"https://agency.example/tickets\"");
        }
        if let Some(secret) = secret(&webhook.secret_file, folder, faults) {
            all.insert(Agency::new(agency.name.get_ref()), WebhookConfig { url: url.clone(), secret });
        }
    }
    all
}

/// A moment as it is written in the file.
fn moment(text: &str, at: Range<usize>, faults: &mut Faults<'_>) -> Option<Timestamp> {
    let parsed: Option<jiff::Timestamp> = text.parse().ok();
    let micros = parsed.and_then(|moment| u64::try_from(moment.as_microsecond()).ok());
    if micros.is_none() {
        faults.add(at, format!("{text:?} is no moment"), "write it as \"2026-05-05T06:00:00+07:00\"");
    }
    micros.map(Timestamp::from_micros)
}

fn approval(approve: Option<&Spanned<toml::Value>>, faults: &mut Faults<'_>) -> Approval {
    const REMEDY: &str = "write \"as-declared\", or a table of capabilities as in a manifest (docs/BUNDLE.md)";
    let Some(approve) = approve else { return Approval::Only(Box::default()) };
    match approve.get_ref() {
        toml::Value::String(word) if word == "as-declared" => Approval::AsDeclared,
        toml::Value::Table(table) => match table.clone().try_into() {
            Ok(capabilities) => Approval::Only(Box::new(capabilities)),
            Err(error) => {
                faults.add(approve.span(), format!("no capabilities: {}", error.message()), REMEDY);
                Approval::Only(Box::default())
            }
        },
        other => {
            faults.add(approve.span(), format!("{other:?} approves nothing"), REMEDY);
            Approval::Only(Box::default())
        }
    }
}

fn secret(file: &Spanned<PathBuf>, folder: &Path, faults: &mut Faults<'_>) -> Option<Secret> {
    match std::fs::read_to_string(folder.join(file.get_ref())) {
        Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
        Err(error) => {
            let message = format!("cannot read the secret's file {}: {error}", file.get_ref().display());
            faults.add(file.span(), message, "create it, readable by the engine's user only (chmod 600)");
            None
        }
    }
}

fn ports(text: &Spanned<String>, faults: &mut Faults<'_>) -> Option<RangeInclusive<u16>> {
    let parsed: Option<Range<u16>> = text
        .get_ref()
        .split_once('-')
        .and_then(|(from, to)| Some(from.trim().parse().ok()?..to.trim().parse().ok()?))
        .filter(|ports: &Range<u16>| ports.start >= 1024 && ports.end > ports.start);
    if parsed.is_none() {
        let message = format!("{:?} is no range of ports", text.get_ref());
        faults.add(text.span(), message, "write \"20000-29999\"; a call takes two ports, from 1024 upwards");
    }
    parsed.map(|ports| ports.start..=ports.end)
}

fn fetch_allowed(scripts: &schema::Scripts, faults: &mut Faults<'_>) -> Vec<AllowedTarget> {
    let mut all = Vec::new();
    for text in &scripts.fetch_allowed {
        match text.get_ref().parse::<AllowedTarget>() {
            Ok(target) => all.push(target),
            Err(error) => faults.add(
                text.span(),
                error.to_string(),
                "name only what scripts need: every script that is granted the address may reach it then",
            ),
        }
    }
    all
}

fn speech(speech: &schema::Speech, folder: &Path, faults: &mut Faults<'_>) -> Option<SpeechSettings> {
    let provider = match speech.provider {
        schema::SpeechProvider::EspeakNg => ProviderConfig::EspeakNg { command: speech.command.clone() },
        schema::SpeechProvider::None => ProviderConfig::None,
        schema::SpeechProvider::Http => match &speech.url {
            Some(url) => ProviderConfig::Http { url: url.get_ref().clone(), ssml: speech.ssml },
            None => {
                faults.add(0..0, "the speech provider \"http\" has no url", "add `url` under [speech]");
                return None;
            }
        },
    };
    Some(SpeechSettings {
        provider,
        cache_mib_max: speech.cache_mib_max,
        media_dir: speech.media_dir.as_ref().map(|dir| folder.join(dir)),
        voices: speech.voices.clone(),
        languages: speech.languages.clone(),
        slow: speech.slow,
    })
}

fn call_limits(call: &schema::Call) -> CallLimits {
    let defaults = CallLimits::default();
    CallLimits {
        call_duration_max: call.duration_s_max.map_or(defaults.call_duration_max, Duration::from_secs),
        landing_ring_timeout: call.landing_ring_s.map_or(defaults.landing_ring_timeout, Duration::from_secs),
        landing_rounds_max: call.landing_rounds_max.unwrap_or(defaults.landing_rounds_max),
        ..defaults
    }
}
