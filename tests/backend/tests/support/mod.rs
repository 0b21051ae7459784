//! A caller whose keys are written down, and a script host that runs the agencies for them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "each test file takes what it needs")]

mod centre;

pub use centre::{OneOffice, Register};

use gudok_core::campaign::CampaignContact;
use gudok_core::centre::CallbackReceipt;
use gudok_core::collect::{Entry, Rules, Step};
use gudok_core::ids::{Agency, CallId, CallbackId, Entry as ScriptEntry};
use gudok_core::input::{CollectOptions, Outcome};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::prompt::{Prompt, Segment};
use gudok_core::routing::NumberPlan;
use gudok_core::script::{
    CallError, EndReason, HandleId, PlaybackEnd, QueueEvent, RecordOptions, Recording, Reply, Request, StoppedBy,
    TransferOutcome, TransferTarget,
};
use gudok_core::time::Timestamp;
use gudok_plugin_host::bundle::{Bundle, BundleLimits, PackPart, componentize, pack};
use gudok_plugin_host::http::{HttpConfig, HttpFetch};
use gudok_plugin_host::ports::{
    AnsweredBy, BoxFuture, CallInfo, CallPort, Clock, Direction, LocalTime, LogLevel, NoStorage, Ports, ScriptSink,
    Source, SystemRandom,
};
use gudok_plugin_host::{
    Admission, CallStart, CompileConfig, Error, HostConfig, PrepareReport, PrepareStart, RunReport, ScriptHost,
    Version, prepare, run,
};
use gudok_sample_backend::{Backend, serve};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Where the manifests expect the back end; the tests' own is at a free port.
const ORIGIN: &str = "http://127.0.0.1:8090";
const AUTHORIZATION: &str = "Bearer sample-token";

/// A script host, a back end, and the agencies of plugins/.
pub struct Centre {
    host: ScriptHost,
    pub backend: Backend,
    origin: String,
    pub told: Arc<Told>,
    pub register: Arc<Register>,
    pub directory: Arc<OneOffice>,
    ports: Arc<Ports>,
    _folder: tempfile::TempDir,
}

impl Centre {
    /// At half past two on a Monday night.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::new(AUTHORIZATION);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let served = backend.clone();
        tokio::spawn(async move { serve(listener, &served).await });
        let compile = CompileConfig::new(compile_child(), Vec::new());
        let mut config = HostConfig::new(folder.path().join("cache"), compile);
        config.instances_max = 16;
        let told = Arc::new(Told::default());
        let secrets: BTreeMap<_, _> = ["migration", "education", "mfc"]
            .map(|agency| ((Agency::new(agency), "back-end".to_owned()), Secret::new(AUTHORIZATION)))
            .into();
        let (register, directory) = (Arc::<Register>::default(), Arc::<OneOffice>::default());
        let ports = Ports {
            storage: Arc::new(NoStorage::default()),
            fetch: Arc::new(HttpFetch::new(HttpConfig::default()).unwrap()),
            promises: Arc::clone(&register) as _,
            directory: Arc::clone(&directory) as _,
            secrets: Arc::new(secrets),
            clock: Arc::new(Night(Instant::now())),
            random: Arc::new(SystemRandom),
            sink: Arc::clone(&told) as Arc<dyn ScriptSink>,
        };
        Self {
            host: ScriptHost::start(config).unwrap(),
            backend,
            origin,
            told,
            register,
            directory,
            ports: Arc::new(ports),
            _folder: folder,
        }
    }

    /// Loads an agency's bundle, with all that it declares approved.
    pub fn load(&self, agency: &str) -> Result<Arc<Version>, Error> {
        self.load_with(agency, |_, _| {})
    }

    /// Loads an agency's bundle with some of its files changed.
    pub fn load_with(&self, agency: &str, change: impl Fn(&str, &mut Vec<u8>)) -> Result<Arc<Version>, Error> {
        let bundle = self.bundle(agency, change);
        let config = BTreeMap::from([("back_end".to_owned(), self.origin.clone())]);
        self.host.load(&bundle, &Admission { config, ..Admission::as_declared() })
    }

    fn bundle(&self, agency: &str, change: impl Fn(&str, &mut Vec<u8>)) -> Bundle {
        let stage = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/target/stages").join(agency);
        let module = std::fs::read(stage.join("module.wasm"))
            .unwrap_or_else(|error| panic!("{}: {error}; run scripts/build-plugins first", stage.display()));
        let mut parts = vec![PackPart { place: "script.wasm".to_owned(), bytes: componentize(&module).unwrap() }];
        collect(&stage.join("folder"), "", &mut parts);
        for part in &mut parts {
            if part.place == "manifest.toml" {
                part.bytes = String::from_utf8_lossy(&part.bytes).replace(ORIGIN, &self.origin).into_bytes();
            }
            change(&part.place, &mut part.bytes);
        }
        let packed = pack(parts, &BundleLimits::default()).unwrap();
        Bundle::from_bytes(&packed.file_name, &packed.bytes, &BundleLimits::default()).unwrap()
    }

    /// Runs a script for a caller to its end.
    pub async fn call(&self, version: &Arc<Version>, entry: &str, caller: &Arc<Caller>) -> RunReport {
        let info = CallInfo {
            id: CallId::from_random(1),
            direction: Direction::Inbound,
            caller: Some(PhoneNumber::new("+79131234567")),
            called: PhoneNumber::new("+73842000000"),
            diversion: None,
            lang: caller.language.as_str().into(),
            agency: Agency::new(&version.manifest.agency),
            entry: ScriptEntry::new(entry),
            answered_by: AnsweredBy::Unknown,
            headers: Vec::new(),
        };
        self.run(version, info, None, caller).await
    }

    /// Runs a campaign's script for a contact whom that took to its end.
    pub async fn inform(
        &self,
        version: &Arc<Version>,
        contact: CampaignContact,
        by: AnsweredBy,
        callee: &Arc<Caller>,
    ) -> RunReport {
        let info = CallInfo {
            id: CallId::from_random(2),
            direction: Direction::Outbound,
            caller: None,
            called: contact.number.clone(),
            diversion: None,
            lang: callee.language.as_str().into(),
            agency: Agency::new(&version.manifest.agency),
            entry: ScriptEntry::new("inform"),
            answered_by: by,
            headers: Vec::new(),
        };
        self.run(version, info, Some(contact), callee).await
    }

    async fn run(
        &self,
        version: &Arc<Version>,
        info: CallInfo,
        contact: Option<CampaignContact>,
        caller: &Arc<Caller>,
    ) -> RunReport {
        let call = Arc::clone(caller) as Arc<dyn CallPort>;
        let start = CallStart { info, contact, call, ports: Arc::clone(&self.ports), journal: None };
        let (control, running) = run(Arc::clone(version), start);
        *caller.control.lock() = Some(control);
        running.await
    }

    /// Asks a campaign's script about a contact.
    pub async fn prepare(&self, version: &Arc<Version>, contact: CampaignContact) -> PrepareReport {
        let start = PrepareStart {
            call: CallId::from_random(3),
            contact,
            agency: Agency::new(&version.manifest.agency),
            entry: ScriptEntry::new("inform"),
            lang: "ru-RU".into(),
            ports: Arc::clone(&self.ports),
            journal: None,
        };
        prepare(Arc::clone(version), start).1.await
    }
}

fn compile_child() -> PathBuf {
    // Tests lie in target/debug/deps, examples beside that folder.
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/compile-child")
}

fn collect(folder: &Path, prefix: &str, parts: &mut Vec<PackPart>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let place = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{place}/"), parts);
        } else {
            parts.push(PackPart { place, bytes: std::fs::read(&path).unwrap() });
        }
    }
}

/// A caller: enters these in turn ("" for silence) and hangs up when there are no more.
pub struct Caller {
    entries: Mutex<VecDeque<String>>,
    transfers: Mutex<VecDeque<TransferOutcome>>,
    /// What happens in each wait; where none is foreseen there are no queues.
    waits: Mutex<VecDeque<VecDeque<QueueEvent>>>,
    waiting: Mutex<VecDeque<QueueEvent>>,
    /// Takes the host's offers of a callback.
    wants_callback: bool,
    /// How a message of the caller's ends, and after how long.
    message: (StoppedBy, Duration),
    language: String,
    leaves_in_wait: bool,
    /// What was said and done, a line each.
    heard: Mutex<Vec<String>>,
    /// Whether each question was a sensitive one.
    pub sensitive: Mutex<Vec<bool>>,
    /// Every prompt, as it came.
    pub prompts: Mutex<Vec<Arc<Prompt>>>,
    /// Hangs up when the script says goodbye, before its end.
    leaves_at_goodbye: bool,
    over: Mutex<Option<EndReason>>,
    control: Mutex<Option<gudok_plugin_host::RunControl>>,
}

impl Caller {
    pub fn entering(entries: &[&str]) -> Self {
        Self {
            entries: Mutex::new(entries.iter().map(|entry| (*entry).to_owned()).collect()),
            transfers: Mutex::default(),
            waits: Mutex::default(),
            waiting: Mutex::default(),
            wants_callback: false,
            message: (StoppedBy::Key, Duration::from_secs(12)),
            language: "ru-RU".to_owned(),
            leaves_in_wait: false,
            heard: Mutex::default(),
            sensitive: Mutex::default(),
            prompts: Mutex::default(),
            leaves_at_goodbye: false,
            over: Mutex::default(),
            control: Mutex::default(),
        }
    }

    /// What the next transfer comes to; one that is not foreseen moves the caller.
    pub fn transferred(self, outcome: TransferOutcome) -> Self {
        self.transfers.lock().push_back(outcome);
        self
    }

    /// What happens in the next wait for an operator, in order; then the call is over.
    pub fn waited(self, events: &[QueueEvent]) -> Self {
        self.waits.lock().push_back(events.iter().cloned().collect());
        self
    }

    /// Takes every offer of a callback.
    pub const fn wanting_a_callback(mut self) -> Self {
        self.wants_callback = true;
        self
    }

    /// Speaks for so long when asked for a message, until that.
    pub const fn speaking_for(mut self, length: Duration, until: StoppedBy) -> Self {
        self.message = (until, length);
        self
    }

    /// Hangs up while the script waits for something else.
    pub fn leaving_in_the_first_wait(mut self) -> Self {
        self.leaves_in_wait = true;
        self
    }

    /// Hangs up while the script says goodbye.
    pub const fn leaving_at_the_goodbye(mut self) -> Self {
        self.leaves_at_goodbye = true;
        self
    }

    pub fn speaking(mut self, language: &str) -> Self {
        language.clone_into(&mut self.language);
        self
    }

    pub fn heard(&self) -> String {
        self.heard.lock().join("\n")
    }

    fn hear(&self, prompt: &Arc<Prompt>) {
        self.heard.lock().push(words(prompt));
        self.prompts.lock().push(Arc::clone(prompt));
    }

    fn end(&self, reason: EndReason) -> CallError {
        let reason = *self.over.lock().get_or_insert(reason);
        if let Some(control) = &*self.control.lock() {
            control.end(reason);
        }
        CallError::Ended(reason)
    }

    fn answer(&self, request: Request) -> Result<Reply, CallError> {
        if let Some(reason) = *self.over.lock() {
            return match request {
                Request::Ended => Ok(Reply::EndReason(Some(reason))),
                _ => Err(CallError::Ended(reason)),
            };
        }
        match request {
            Request::Say(prompt) => {
                self.hear(&prompt);
                Ok(Reply::Playback(PlaybackEnd { finished: true, interrupted_by: None, at: Duration::ZERO }))
            }
            Request::Collect(options) => self.collect(&options).map(Reply::Outcome),
            Request::Transfer { target, .. } => {
                self.heard.lock().push(format!("(transfer to {})", party(&target)));
                let outcome = self.transfers.lock().pop_front().unwrap_or(TransferOutcome::Moved);
                if outcome == TransferOutcome::Moved {
                    self.end(EndReason::Moved);
                }
                Ok(Reply::Transfer(outcome))
            }
            Request::Enqueue(wish) => {
                let topic = wish.screen_pop.iter().find(|(name, _)| &**name == "topic").map(|(_, value)| &**value);
                let line =
                    format!("(queue {}, topic {}, back {})", wish.queue, topic.unwrap_or("-"), wish.return_on_end);
                let events = self.waits.lock().pop_front();
                let events = events.ok_or_else(|| CallError::NotFound(format!("queue {}", wish.queue)))?;
                self.heard.lock().push(line);
                *self.waiting.lock() = events;
                Ok(Reply::Handle(HandleId(1)))
            }
            Request::QueueNext { .. } => match self.waiting.lock().pop_front() {
                Some(event) => Ok(Reply::QueueEvent(Some(event))),
                None => Err(self.end(EndReason::FarEndHangup)),
            },
            Request::OfferCallback(offer) => {
                self.heard.lock().push(format!("(callback by {}: {})", offer.queue, offer.topic));
                let receipt =
                    CallbackReceipt { id: CallbackId::new("c-1"), due: Timestamp::from_millis(1_795_375_800_000) };
                Ok(Reply::CallbackOffered(self.wants_callback.then_some(receipt)))
            }
            Request::RecordMessage(options) => self.record(&options),
            Request::SetPace(pace) => {
                self.heard.lock().push(format!("(pace {pace:?})"));
                Ok(Reply::Done)
            }
            Request::SetLanguage(tag) => {
                self.heard.lock().push(format!("(language {tag})"));
                Ok(Reply::Done)
            }
            Request::Hangup { .. } if self.leaves_at_goodbye => Err(self.end(EndReason::CallerHangup)),
            Request::Hangup { goodbye } => {
                goodbye.iter().for_each(|goodbye| self.hear(goodbye));
                self.heard.lock().push("(hangup)".to_owned());
                self.end(EndReason::ScriptHangup);
                Ok(Reply::Done)
            }
            Request::PlayBackground { .. } => {
                Ok(Reply::Handle(gudok_core::script::HandleId(u32::try_from(self.prompts.lock().len()).unwrap())))
            }
            Request::Ended => Ok(Reply::EndReason(None)),
            _ => Ok(Reply::Done),
        }
    }

    /// Consent by a key, then a message.
    fn record(&self, options: &RecordOptions) -> Result<Reply, CallError> {
        if let Some(question) = &options.consent_prompt {
            self.hear(question);
            match self.entries.lock().pop_front().as_deref() {
                Some("1") => {}
                Some(_) => return Err(CallError::Denied("consent".into())),
                None => return Err(self.end(EndReason::CallerHangup)),
            }
        }
        let (stopped_by, duration) = self.message;
        self.heard.lock().push(format!("(message of {} s at most)", options.duration_max.as_secs()));
        if stopped_by == StoppedBy::Hangup {
            self.end(EndReason::CallerHangup);
        }
        Ok(Reply::Recording(Recording { id: "recording-1".into(), duration, stopped_by, sha256: [7; 32] }))
    }

    /// As the engine does it, without the time.
    fn collect(&self, options: &CollectOptions) -> Result<Outcome, CallError> {
        self.sensitive.lock().push(options.sensitive);
        let plan = NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: Vec::new(),
            national_len: 10,
        };
        let rules = Rules { grammar: &options.grammar, global_keys: &options.global_keys, plan: &plan };
        let mut before = None;
        for attempt in 1..=options.retry.attempts {
            before.iter().chain(&options.prompt).for_each(|prompt| self.hear(prompt));
            let Some(keys) = self.entries.lock().pop_front() else { return Err(self.end(EndReason::CallerHangup)) };
            let mut entry = Entry::new();
            let mut steps = keys.chars().map(|key| entry.push(key, rules));
            let ended = steps.find(|step| *step != Step::More);
            match ended.unwrap_or_else(|| entry.timeout(rules)) {
                Step::Answer(mut collected) => {
                    collected.attempt = attempt;
                    return Ok(Outcome::Ok(collected));
                }
                Step::Global(value) => return Ok(Outcome::Global(value)),
                Step::NoMatch(keys) if attempt == options.retry.attempts => return Ok(Outcome::NoMatch(keys)),
                Step::NoMatch(_) => before.clone_from(&options.retry.no_match),
                Step::NoInput | Step::More => before.clone_from(&options.retry.no_input),
            }
        }
        Ok(Outcome::NoInput)
    }
}

impl CallPort for Caller {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        if let (Request::Wait(length), None) = (&request, *self.over.lock()) {
            // The rest of a wait that nothing else in these tests would end.
            let length = (*length).min(Duration::from_millis(20));
            return Box::pin(async move {
                tokio::time::sleep(length).await;
                if self.leaves_in_wait {
                    return Err(self.end(EndReason::CallerHangup));
                }
                self.answer(request)
            });
        }
        Box::pin(std::future::ready(self.answer(request)))
    }
}

fn party(target: &TransferTarget) -> String {
    match target {
        TransferTarget::Group(group) => format!("group {group}"),
        TransferTarget::Script(entry) => format!("script {entry}"),
        other => format!("{other:?}"),
    }
}

/// The prompt in few characters: numbers in `<>`, dates and times as they are written.
fn words(prompt: &Prompt) -> String {
    let words = prompt.segments.iter().map(|segment| match segment {
        Segment::Text(text) => text.clone(),
        Segment::Media(name) => format!("<media {name}>"),
        Segment::Number { value, .. } => format!("<{value}>"),
        Segment::Ordinal { value, .. } => format!("<{value}th>"),
        Segment::Time { hour, minute } => format!("<{hour:02}:{minute:02}>"),
        Segment::Date { value, .. } => format!("<{:04}-{:02}-{:02}>", value.year, value.month, value.day),
        Segment::Digits { digits, .. } => format!("<digits {digits}>"),
        other => format!("{other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Half past two on a Monday night, in Asia/Novokuznetsk. Time passes as it does.
struct Night(Instant);

impl Clock for Night {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_375_800_000 + u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    fn local(&self, _: &Agency, _: Timestamp) -> LocalTime {
        LocalTime { year: 2026, month: 11, day: 23, hour: 2, minute: 30, utc_offset_minutes: 420 }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Keeps what scripts tell their authors.
#[derive(Default)]
pub struct Told {
    pub lines: Mutex<Vec<String>>,
    pub steps: Mutex<Vec<String>>,
}

impl ScriptSink for Told {
    fn log(&self, _: Source<'_>, level: LogLevel, message: &str, fields: &[(String, String)]) {
        self.lines.lock().push(format!("{level:?} {message} {fields:?}"));
    }

    fn step(&self, _: Source<'_>, name: &str) {
        self.steps.lock().push(name.to_owned());
    }
}
