//! The room itself: prompts in, audio out, nothing spoken twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use tokio::task::{JoinSet, spawn_blocking};

use crate::audio::{Audio, Clip, DecodeError, Piece, ToneSpec, decode};
use crate::cache::{CacheKey, DiskCache, Loaded};
use crate::config::SpeechConfig;
use crate::error::SpeechError;
use crate::lang::{LangTag, SpeechRate};
use crate::media::{MediaSource, NoMedia};
use crate::plan::{Planner, Step};
use crate::prompt::Prompt;
use crate::tts::{self, Spoken, TtsProvider, Turns, Utterance};
use crate::words::{DataLanguage, Languages};

/// What a memory cache entry costs beside its samples.
const ENTRY_BYTES: u32 = 200;

/// Renders prompts. Cloning shares the caches and the provider.
#[derive(Clone)]
pub struct Speech {
    inner: Arc<Inner>,
}

/// How a prompt is said when it does not say so itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderOptions {
    /// The call's language.
    pub default_lang: LangTag,
    /// The pace of synthesised speech. Recordings and tones keep their own.
    pub rate: SpeechRate,
    /// For a caller who asked to be spoken to slowly: `rate` is then slowed further, and recordings stand apart, as
    /// [`SpeechConfig::slow`] says.
    pub pace: Pace,
}

/// How fast a caller is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pace {
    /// As the voice speaks.
    #[default]
    Normal,
    /// Slower, with longer pauses.
    Slow,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { default_lang: LangTag::russian(), rate: SpeechRate::NORMAL, pace: Pace::Normal }
    }
}

/// What [`Speech::prerender`] did.
#[derive(Debug, Default)]
pub struct PrerenderReport {
    /// Prompts that are ready.
    pub ready: usize,
    /// Prompts that are not, by their place in the list, and why.
    pub failed: Vec<(usize, SpeechError)>,
    /// Length of all that are ready, in milliseconds.
    pub duration_ms: u64,
}

/// Counts since the start, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpeechStats {
    /// Utterances asked for.
    pub utterances: u64,
    /// Utterances the provider was asked to speak.
    pub synthesised: u64,
    /// Utterances taken from the disk.
    pub disk_hits: u64,
    /// Damaged files found on disk, deleted and spoken anew.
    pub disk_corrupt: u64,
    /// Utterances that could not be written to disk.
    pub disk_write_failures: u64,
    /// Files that made room for others.
    pub disk_evicted: u64,
    /// Bytes on disk now.
    pub disk_bytes: u64,
    /// Syntheses that failed or passed their time.
    pub failures: u64,
    /// Utterances refused because too many waited.
    pub refused_busy: u64,
}

struct Inner {
    config: SpeechConfig,
    languages: Languages,
    provider: Arc<dyn TtsProvider>,
    turns: Turns,
    house: Arc<dyn MediaSource>,
    memory: Cache<CacheKey, Piece>,
    disk: Option<Arc<DiskCache>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    utterances: AtomicU64,
    synthesised: AtomicU64,
    disk_hits: AtomicU64,
    disk_corrupt: AtomicU64,
    disk_write_failures: AtomicU64,
    failures: AtomicU64,
    refused_busy: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Where an utterance may be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Nowhere,
    Memory,
    MemoryAndDisk,
}

impl Speech {
    /// The room as the settings describe it. `house` has the recordings that every bundle may use; [`NoMedia`] has none.
    /// Takes stock of the cache folder, so call it at start, not in a call.
    ///
    /// # Errors
    /// [`SpeechError::Config`] or [`SpeechError::CacheFolder`].
    pub fn new(config: SpeechConfig, house: Arc<dyn MediaSource>) -> Result<Self, SpeechError> {
        config.check()?;
        let provider = tts::provider(&config)?;
        let languages = config.languages.iter().fold(Languages::default(), |all, (lang, words)| {
            all.with(Arc::new(DataLanguage::new(lang, words.clone())))
        });
        Self::assemble(config, house, languages, provider)
    }

    /// The room with languages and a provider of one's own; `config.tts` is not used.
    ///
    /// # Errors
    /// [`SpeechError::Config`] or [`SpeechError::CacheFolder`].
    pub fn assemble(
        config: SpeechConfig,
        house: Arc<dyn MediaSource>,
        languages: Languages,
        provider: Arc<dyn TtsProvider>,
    ) -> Result<Self, SpeechError> {
        config.check()?;
        if let Some(fallback) = &config.fallback_lang {
            languages.find(fallback)?;
        }
        let disk = config.cache.folder.as_deref().map(|folder| DiskCache::open(folder, config.cache.disk_bytes_max));
        let memory =
            Cache::builder().weigher(|_, piece| weight(piece)).max_capacity(config.cache.memory_bytes_max).build();
        let inner = Inner {
            turns: Turns::new(&config.limits),
            disk: disk.transpose()?.map(Arc::new),
            config,
            languages,
            provider,
            house,
            memory,
            counts: Counts::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A room that only turns prompts into words: no provider, no cache.
    ///
    /// # Errors
    /// None in practice: the settings are fixed.
    pub fn words_only() -> Result<Self, SpeechError> {
        let tts = crate::config::TtsConfig::None { when_asked: crate::config::WhenAsked::Error };
        Self::new(SpeechConfig { tts, ..SpeechConfig::default() }, Arc::new(NoMedia))
    }

    /// The sound of a prompt. `media` has the recordings of the bundle that speaks.
    ///
    /// Of many calls that want the same utterance one has it spoken and the others wait for it. If that one hangs up,
    /// the next takes over. Failures are not remembered.
    ///
    /// # Errors
    /// Any [`SpeechError`]; [`SpeechError::class`] says what to do about it.
    pub async fn render(
        &self,
        prompt: &Prompt,
        options: &RenderOptions,
        media: &dyn MediaSource,
    ) -> Result<Audio, SpeechError> {
        let steps = self.planner(prompt, options, media).plan(prompt)?;
        let mut pieces = Vec::with_capacity(steps.len());
        for step in steps {
            pieces.push(match step {
                Step::Play(clip) => Piece::Pcm(clip),
                Step::Silence { ms } => Piece::Silence { ms },
                Step::Tone(tone) => self.inner.tone(tone).await?,
                Step::Speak { utterance, private } => {
                    let keep = match (prompt.cacheable, private) {
                        (false, _) => Keep::Nowhere,
                        (true, true) => Keep::Memory,
                        (true, false) => Keep::MemoryAndDisk,
                    };
                    self.inner.utter(utterance, keep).await?
                }
            });
        }
        Ok(Audio::new(pieces))
    }

    /// The words of a prompt: a transcript. A recording without a transcript stands as `[media:name]`, a tone as
    /// `[tone:name]`.
    ///
    /// # Errors
    /// Those of a prompt that cannot be said at all.
    pub fn words(
        &self,
        prompt: &Prompt,
        options: &RenderOptions,
        media: &dyn MediaSource,
    ) -> Result<String, SpeechError> {
        self.planner(prompt, options, media).words(prompt)
    }

    /// Checks at deploy that a prompt can be said: its limits, its language, its recordings. Speaks nothing.
    ///
    /// # Errors
    /// What [`Speech::render`] would say, except for the provider's own failures.
    pub fn check(&self, prompt: &Prompt, options: &RenderOptions, media: &dyn MediaSource) -> Result<(), SpeechError> {
        self.planner(prompt, options, media).plan(prompt).map(drop)
    }

    /// Renders prompts ahead, at deploy, so that no caller waits for them. As many at once as the provider takes.
    pub async fn prerender(
        &self,
        prompts: Vec<Prompt>,
        options: &RenderOptions,
        media: Arc<dyn MediaSource>,
    ) -> PrerenderReport {
        let mut report = PrerenderReport::default();
        let mut running = JoinSet::new();
        let mut waiting = prompts.into_iter().enumerate();
        loop {
            while running.len() < self.inner.config.limits.concurrency_max {
                let Some((place, prompt)) = waiting.next() else { break };
                let (speech, options, media) = (self.clone(), options.clone(), Arc::clone(&media));
                running.spawn(async move { (place, speech.render(&prompt, &options, &*media).await) });
            }
            match running.join_next().await {
                None => break,
                Some(Ok((_, Ok(audio)))) => {
                    report.ready += 1;
                    report.duration_ms += audio.duration_ms();
                }
                Some(Ok((place, Err(error)))) => report.failed.push((place, error)),
                Some(Err(_)) => report.failed.push((usize::MAX, SpeechError::WorkerStopped)),
            }
        }
        report.failed.sort_by_key(|(place, _)| *place);
        report
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> SpeechStats {
        let counts = &self.inner.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SpeechStats {
            utterances: read(&counts.utterances),
            synthesised: read(&counts.synthesised),
            disk_hits: read(&counts.disk_hits),
            disk_corrupt: read(&counts.disk_corrupt),
            disk_write_failures: read(&counts.disk_write_failures),
            disk_evicted: self.inner.disk.as_ref().map_or(0, |disk| disk.evicted()),
            disk_bytes: self.inner.disk.as_ref().map_or(0, |disk| disk.bytes()),
            failures: read(&counts.failures),
            refused_busy: read(&counts.refused_busy),
        }
    }

    fn planner<'a>(
        &'a self,
        prompt: &'a Prompt,
        options: &'a RenderOptions,
        media: &'a dyn MediaSource,
    ) -> Planner<'a> {
        let slow = (options.pace == Pace::Slow).then_some(self.inner.config.slow);
        let lang = prompt.lang.as_ref().unwrap_or(&options.default_lang);
        Planner {
            languages: &self.inner.languages,
            fallback_lang: self.inner.config.fallback_lang.as_ref(),
            media: [media, &*self.inner.house],
            neutral: DataLanguage::neutral(lang),
            lang,
            rate: slow.map_or(options.rate, |slow| options.rate.times(slow.rate)),
            recording_pause_ms: slow.map_or(0, |slow| slow.pause_ms),
            reads_ssml: self.inner.provider.reads_ssml(),
        }
    }
}

impl Inner {
    async fn tone(&self, tone: ToneSpec) -> Result<Piece, SpeechError> {
        let key = CacheKey::of_tone(&format!("{tone:?}"));
        let make = async { blocking(move || tone.clip()).await.map(Piece::Pcm) };
        self.memory.try_get_with(key, make).await.map_err(|error| (*error).clone())
    }

    async fn utter(&self, mut utterance: Utterance, keep: Keep) -> Result<Piece, SpeechError> {
        count(&self.counts.utterances);
        if utterance.voice.is_none() {
            let voices = &self.config.voices;
            let by_primary = || voices.iter().find(|(lang, _)| lang.as_str() == utterance.lang.primary());
            utterance.voice = voices.get(&utterance.lang).or_else(|| by_primary().map(|(_, voice)| voice)).cloned();
        }
        if keep == Keep::Nowhere {
            return self.synthesise(&utterance).await;
        }
        let key = CacheKey::of_utterance(&self.provider.identity(), &utterance);
        // Single flight: moka runs one of these futures for a key and hands the result to all who wait.
        let make = async {
            match self.disk.as_ref().filter(|_| keep == Keep::MemoryAndDisk) {
                Some(disk) => self.load_or_synthesise(disk, key, &utterance).await,
                None => self.synthesise(&utterance).await,
            }
        };
        self.memory.try_get_with(key, Box::pin(make)).await.map_err(|error| (*error).clone())
    }

    async fn load_or_synthesise(
        &self,
        disk: &Arc<DiskCache>,
        key: CacheKey,
        utterance: &Utterance,
    ) -> Result<Piece, SpeechError> {
        let reader = Arc::clone(disk);
        let loaded = blocking(move || match reader.load(&key) {
            Loaded::Hit(samples) => Ok(Clip::new(samples)),
            Loaded::Miss => Err(false),
            Loaded::Corrupt => Err(true),
        });
        match loaded.await? {
            Ok(clip) => {
                count(&self.counts.disk_hits);
                return Ok(Piece::Pcm(clip));
            }
            Err(true) => {
                count(&self.counts.disk_corrupt);
                tracing::warn!(%key, "a cached utterance was damaged; it is spoken anew");
            }
            Err(false) => {}
        }
        let piece = self.synthesise(utterance).await?;
        if let Piece::Pcm(clip) = &piece {
            let (writer, samples) = (Arc::clone(disk), Arc::clone(clip.samples()));
            if let Err(error) = blocking(move || writer.store(&key, &samples)).await? {
                count(&self.counts.disk_write_failures);
                tracing::warn!(%error, "an utterance could not be kept on disk; it is in memory");
            }
        }
        Ok(piece)
    }

    async fn synthesise(&self, utterance: &Utterance) -> Result<Piece, SpeechError> {
        let spoken = self.spoken(utterance).await;
        spoken.inspect_err(|error| match error {
            SpeechError::TtsBusy { .. } => count(&self.counts.refused_busy),
            _ => {
                count(&self.counts.failures);
                tracing::warn!(provider = self.provider.name(), %error, lang = %utterance.lang, "speech synthesis failed");
            }
        })
    }

    async fn spoken(&self, utterance: &Utterance) -> Result<Piece, SpeechError> {
        let turn = self.turns.take().await?;
        count(&self.counts.synthesised);
        let limit_ms = self.config.limits.timeout_ms;
        let speaking = tokio::time::timeout(Duration::from_millis(limit_ms), self.provider.speak(utterance));
        let spoken =
            speaking.await.map_err(|_| SpeechError::TtsTimeout { provider: self.provider.name(), limit_ms })??;
        let bytes = match spoken {
            Spoken::File(bytes) => bytes,
            Spoken::Silence { ms } => return Ok(Piece::Silence { ms }),
        };
        let utterance_ms_max = self.config.limits.utterance_ms_max;
        // Decoding is work too: it ends before the next text gets its turn.
        let decoded = blocking(move || decode(bytes, utterance_ms_max).map(Clip::new)).await?;
        drop(turn);
        decoded.map(Piece::Pcm).map_err(|error| SpeechError::TtsFailed {
            provider: self.provider.name(),
            problem: match error {
                DecodeError::TooLong { limit_ms } => format!("it spoke longer than {limit_ms} ms"),
                DecodeError::Empty => "it answered without any sound".to_owned(),
                DecodeError::Format(problem) => format!("its answer is no sound file: {problem}"),
            },
        })
    }
}

/// Runs work that blocks or computes off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SpeechError> {
    spawn_blocking(work).await.map_err(|_| SpeechError::WorkerStopped)
}

fn weight(piece: &Piece) -> u32 {
    let samples = match piece {
        Piece::Pcm(clip) => clip.samples().len() * size_of::<i16>(),
        Piece::Silence { .. } => 0,
    };
    u32::try_from(samples).unwrap_or(u32::MAX).saturating_add(ENTRY_BYTES)
}
