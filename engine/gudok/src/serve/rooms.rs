//! Opens the rooms in the order in which they need each other, and says what to do where one cannot be opened.

use super::keeping::Keeping;
use crate::books::Books;
use crate::call::CallHost;
use crate::campaigns::{self, AskScript, CampaignStart};
use crate::centre::{self, Centre};
use crate::clock::EngineClock;
use crate::config::{Config, ProviderConfig, SpeechSettings};
use crate::director::{Director, Loader, Parts};
use crate::journals::Journals;
use crate::keys::Subjects;
use crate::live::LiveCalls;
use crate::overlays::Overlays;
use crate::scripts::Scripts;
use crate::voice::Voice;
use anyhow::Context;
use gudok_admin::ports::{EngineRefusal, Trace};
use gudok_core::call::CallLimits;
use gudok_core::centre::CallbackStart;
use gudok_media::{MediaConfig, MediaEngine};
use gudok_plugin_host::ports::Clock;
use gudok_sip::{IncomingLeg, Signalling, SipEngine, Transport};
use gudok_speech::{CacheConfig, CommandConfig, MediaLibrary, MediaLimits, Speech, SpeechConfig, TtsConfig, WhenAsked};
use gudok_store::{SpaceLimits, Store, SubjectKey, UtcMs};
use metrics::gauge;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Callbacks whose calls are yet to be begun.
const CALLBACK_STARTS_MAX: usize = 256;
/// Contacts whose calls are yet to be begun.
const CAMPAIGN_STARTS_MAX: usize = 1_024;
/// Where compiled scripts and spoken prompts are kept, if not below the store.
const CACHE_DIR_VARIABLE: &str = "GUDOK_CACHE_DIR";

/// The open rooms.
pub(super) struct Rooms {
    pub(super) host: Arc<CallHost>,
    pub(super) sip: Arc<SipEngine>,
    pub(super) incoming: mpsc::Receiver<IncomingLeg>,
    /// Callbacks whose turn it is.
    pub(super) callbacks: mpsc::Receiver<Box<CallbackStart>>,
    /// Contacts whose slot has come.
    pub(super) campaign_starts: mpsc::Receiver<Box<CampaignStart>>,
    pub(super) config: Arc<Config>,
    pub(super) cache_dir: PathBuf,
    pub(super) subject_key: SubjectKey,
    pub(super) space: SpaceLimits,
    /// Traces of landed calls, to be kept.
    pub(super) landed: mpsc::Receiver<Trace>,
    pub(super) call_limits: CallLimits,
    pub(super) sip_addresses: Vec<(&'static str, SocketAddr)>,
}

impl Rooms {
    /// Opens all of them; SIP last, so that no call comes before it can be served.
    pub(super) async fn open(config: Arc<Config>, at: Option<jiff::Timestamp>) -> anyhow::Result<Self> {
        let clock = EngineClock::new(config.time_zone.clone(), at);
        let keeping = Keeping::open(&config, &clock).await?;
        let Keeping { store, space, node_key, subjects, spool, work_dir, without_store } = keeping;
        let cache_dir = std::env::var_os(CACHE_DIR_VARIABLE).map_or_else(|| work_dir.join("cache"), PathBuf::from);
        // Children have another working directory.
        let cache_dir = std::path::absolute(cache_dir)?;
        let recordings_dir = work_dir.join("recording");
        let voice = voice(&config, &cache_dir)?;
        let overlays = Overlays::new(config.store.emergency_dir.clone());
        let (live, landed) = LiveCalls::new(config.admin.trace_events_max);
        let books = Books::open(&config, &store, &clock, &live, &subjects)?;
        let journals = match without_store {
            true => None,
            false => {
                let clock = Arc::clone(&clock) as Arc<dyn Clock>;
                Journals::open(&config.store.dir, config.journal, &node_key, &subjects, clock)
            }
        };
        let scripts = Scripts::start(
            &config,
            &cache_dir,
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&live),
            &books,
            journals.clone(),
        )?;
        let director = Director::start(Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            scripts: Arc::clone(&scripts),
            live: Arc::clone(&live),
            loader: Loader::start().context("starting the threads that load scripts")?,
            sticky: node_key.sticky(),
            config: Arc::clone(&config),
            overlays: Arc::clone(&overlays),
            without_store,
        });
        bring_up(&director, &config, without_store).await?;
        if let Some(journals) = &journals {
            let of_routes = Arc::clone(&director);
            journals.take_canonical(Box::new(move |number| {
                of_routes.routes().plan.normalise(number.reveal()).unwrap_or_else(|| number.clone())
            }));
        }
        books.begin(&director).await;
        let (centre, callbacks) = centre(&store, &clock, &subjects, &live, &director).await;
        let (starts, campaign_starts) = mpsc::channel(CAMPAIGN_STARTS_MAX);
        let campaigns = campaigns::start(campaigns::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            subjects: subjects.clone(),
            live: Arc::clone(&live),
            scripts: ask_scripts(&director),
            lang: Arc::clone(&config.lang),
            config: config.campaigns.clone(),
            starts,
            without_store,
        });
        let media = media(&config)?;
        let (sip, incoming) = SipEngine::start(&director.sip_config(&config), &tokio::runtime::Handle::current())
            .context("opening SIP; see [sip] in the configuration")?;
        let sip = Arc::new(sip);
        let sip_addresses = addresses(&sip);
        let subject_key = node_key.subject();
        let host = Arc::new(CallHost {
            clock,
            media: Arc::new(media),
            signalling: Arc::clone(&sip) as Arc<dyn Signalling>,
            voice: Arc::new(voice),
            scripts,
            director,
            store,
            recordings_dir,
            live,
            subjects,
            centre,
            campaigns,
            overlays,
            spool,
            books,
            journals,
        });
        let call_limits = config.call_limits;
        Ok(Self {
            host,
            sip,
            incoming,
            callbacks,
            campaign_starts,
            config,
            cache_dir,
            subject_key,
            space,
            landed,
            call_limits,
            sip_addresses,
        })
    }
}

/// What was live is live again; what the file says anew is deployed.
async fn bring_up(director: &Arc<Director>, config: &Arc<Config>, without_store: bool) -> anyhow::Result<()> {
    let plain = |refusal: EngineRefusal| anyhow::anyhow!("{}; {}", refusal.problem, refusal.remedy);
    if without_store {
        director.merge_without_ledger().await;
        return Ok(());
    }
    director.recover().await.map_err(plain)?;
    for deployed in director.seed(config, || Ok(())).await? {
        tracing::info!(deployed, "by the configuration file");
    }
    director.take_config(Arc::clone(config)).await.map_err(plain)
}

/// The centre, with the callbacks that a former process left.
async fn centre(
    store: &Arc<dyn Store>,
    clock: &Arc<EngineClock>,
    subjects: &Subjects,
    live: &Arc<LiveCalls>,
    director: &Arc<Director>,
) -> (Centre, mpsc::Receiver<Box<CallbackStart>>) {
    let recovered = match centre::recover(&**store, subjects, UtcMs(clock.now().as_millis())).await {
        Ok(recovered) => recovered,
        Err(error) => {
            tracing::error!(%error, "the callbacks that are owed cannot be read: nobody is called back until the next start");
            Vec::new()
        }
    };
    let (starts, callbacks) = mpsc::channel(CALLBACK_STARTS_MAX);
    let of_file = Arc::clone(director);
    let centre = centre::start(centre::Parts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        subjects: subjects.clone(),
        live: Arc::clone(live),
        settings: director.centre(),
        of_file: Arc::new(move |name| of_file.config().facts.operators.iter().any(|known| known == name.as_str())),
        recovered,
        starts,
    });
    (centre, callbacks)
}

/// The campaigns' way to their scripts.
fn ask_scripts(director: &Arc<Director>) -> AskScript {
    let director = Arc::clone(director);
    Arc::new(move |ask| {
        let director = Arc::clone(&director);
        Box::pin(async move { director.prepare(ask).await })
    })
}

fn media(config: &Config) -> anyhow::Result<MediaEngine> {
    MediaEngine::start(MediaConfig {
        bind: config.media.bind,
        ports: config.media.ports.clone(),
        pacer_threads: config.media.pacer_threads,
        rtp_timeout: config.media.rtp_timeout,
        sessions_max: config.sip.limits.calls_max.saturating_mul(2),
        ..MediaConfig::default()
    })
    .context("opening the media room; see [media] in the configuration")
}

fn addresses(sip: &SipEngine) -> Vec<(&'static str, SocketAddr)> {
    let name = |transport| match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    };
    sip.local_addresses().iter().map(|listener| (name(listener.transport), listener.address)).collect()
}

/// The speech room with the host's own recordings.
pub(crate) fn speech(settings: &SpeechSettings, cache_dir: Option<&Path>) -> anyhow::Result<Speech> {
    let tts = match &settings.provider {
        ProviderConfig::EspeakNg { command } => {
            let mut config = CommandConfig::default();
            if let Some(command) = command {
                config.command = command.display().to_string();
            }
            TtsConfig::Command(config)
        }
        ProviderConfig::Http { url, ssml } => {
            TtsConfig::Http(gudok_speech::HttpConfig { url: url.clone(), token: None, ssml: *ssml })
        }
        ProviderConfig::None => TtsConfig::None { when_asked: WhenAsked::Silence },
    };
    let cache = CacheConfig {
        folder: cache_dir.map(|dir| dir.join("speech")),
        disk_bytes_max: settings.cache_mib_max.saturating_mul(1 << 20),
        ..CacheConfig::default()
    };
    let house = match &settings.media_dir {
        Some(dir) => MediaLibrary::load_folder(dir, &MediaLimits::default())
            .with_context(|| format!("the host's recordings in {}", dir.display()))?,
        None => MediaLibrary::default(),
    };
    let (voices, languages, slow) = (settings.voices.clone(), settings.languages.clone(), settings.slow);
    Ok(Speech::new(SpeechConfig { tts, cache, voices, languages, slow, ..SpeechConfig::default() }, Arc::new(house))?)
}

fn voice(config: &Config, cache_dir: &Path) -> anyhow::Result<Voice> {
    let speech = speech(&config.speech, Some(cache_dir))?;
    Ok(Voice::new(speech, &config.host_prompts, &config.lang)?)
}

/// Brings what is counted inside the rooms to the metrics.
pub(super) fn refresh_gauges(host: &CallHost, sip: &SipEngine) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
    fn set(name: &'static str, value: u64) {
        gauge!(name).set(value as f64);
    }
    let media = host.media.stats();
    set("gudok_media_sessions", media.sessions_open as u64);
    set("gudok_media_packets_sent", media.packets_sent);
    set("gudok_media_datagrams_received", media.datagrams_received);
    set("gudok_media_lateness_us_worst", media.lateness_us_worst);
    set("gudok_media_schedule_jumps", media.schedule_jumps);
    set("gudok_versions_loaded", host.director.versions_loaded() as u64);
    let store = host.store.stats();
    set("gudok_store_queue_writes", store.queue_writes);
    set("gudok_store_commits", store.commits);
    set("gudok_store_commit_us_max", store.commit_us_max);
    set("gudok_store_corrupt", store.corrupt);
    set("gudok_store_refused_space", store.refused_space);
    set("gudok_store_failed", u64::from(store.failed));
    if let Some(kept) = host.journals.as_ref().map(|journals| journals.kept()) {
        set("gudok_journals", kept.journals);
        set("gudok_journals_bytes", kept.bytes);
    }
    crate::metrics::degraded(host.spool.is_degraded(&*host.store));
    let speech = host.voice.stats();
    set("gudok_speech_synthesised", speech.synthesised);
    set("gudok_speech_failures", speech.failures);
    set("gudok_speech_refused_busy", speech.refused_busy);
    for (what, count) in sip.stats().counts {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; no count here comes near 2^52")]
        gauge!("gudok_sip_events", "event" => what.as_str()).set(count as f64);
    }
}
