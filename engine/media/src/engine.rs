//! The engine and its sessions, as the rest of the house sees them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::bridge::{BridgeOptions, PeerRef, PeerStream};
use crate::clip::Clip;
use crate::clock::Clock;
use crate::codec::Codec;
use crate::command::{self, Command, Request};
use crate::detect::{Detector, ListenFor};
use crate::digit::Digit;
use crate::error::MediaError;
use crate::event::{EventSink, PlaybackId, RecordingId};
use crate::link::{Hears, Link, Supervision};
use crate::pacer::{Pacer, Shared};
use crate::params::StreamParams;
use crate::playback::{BargeIn, Playback, Playlist, Program};
use crate::ports::PortTable;
use crate::record::{Recorder, RecordingSpec};
use crate::session::{Birth, DigitsOut, Session as PacedSession, tones};
use crate::stats::{EngineStats, SessionCounters, SessionStats};
use crate::telephone_event::EventSender;
use crate::transform::PacketTransform;
use crate::writer::{Listening, WriterHandle};

/// Digits sent by one command.
pub const DIGITS_MAX: usize = 64;
/// How long a digit lasts if nothing else is said, and the pause after it (ITU-T Q.24 wants 40 ms of each, at least).
pub const DIGIT_DURATION_MS: u32 = 100;
/// See [`DIGIT_DURATION_MS`].
pub const DIGIT_GAP_MS: u32 = 80;
/// The longest digit: an RFC 4733 segment.
const DIGIT_DURATION_MS_MAX: u32 = 8_000;
const PACERS_MAX: usize = 64;
/// The beep before a recording.
const BEEP: ([f32; 2], u32) = ([1_000.0, 0.0], 250);

/// How to run the engine.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// The address of all media sockets.
    pub bind: IpAddr,
    /// The ports to use: RTP on even ones, RTCP on the odd ones above them.
    pub ports: RangeInclusive<u16>,
    /// Threads that send and receive. One is right up to a few thousand calls: it needs no second core before.
    pub pacer_threads: usize,
    /// Silence after which media counts as lost; zero never.
    pub rtp_timeout: Duration,
    /// How long a port rests after a call before it is used again. Cut to 200 ms when ports are short.
    pub port_rest: Duration,
    /// Sessions at the same time.
    pub sessions_max: usize,
    /// Ports bound at the start, so that the first calls need not wait for the kernel.
    pub ports_warm: usize,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            bind: Ipv4Addr::UNSPECIFIED.into(),
            ports: 16_384..=32_767,
            pacer_threads: 1,
            rtp_timeout: Duration::from_secs(30),
            port_rest: Duration::from_secs(1),
            sessions_max: 8_000,
            ports_warm: 64,
        }
    }
}

/// Owns the media threads. Clones share one engine; the last one to go stops it.
#[derive(Clone)]
pub struct MediaEngine(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    writer: WriterHandle,
    beep: Arc<Program>,
    config: MediaConfig,
    sessions: Arc<AtomicUsize>,
    keys: AtomicU64,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl MediaEngine {
    /// Binds the first ports and starts the threads.
    ///
    /// # Errors
    /// [`MediaError::Config`], [`MediaError::Bind`] or [`MediaError::System`].
    pub fn start(config: MediaConfig) -> Result<Self, MediaError> {
        if config.pacer_threads == 0 || config.pacer_threads > PACERS_MAX {
            return Err(MediaError::Config("`pacer_threads` must be 1 to 64"));
        }
        let table = Arc::new(PortTable::new(config.bind, &config.ports)?);
        let rest_ms = u64::try_from(config.port_rest.as_millis()).unwrap_or(u64::MAX);
        let (mut pacers, mut seats) = (vec![], vec![]);
        for pacer in 0..config.pacer_threads {
            let (handle, seat) = command::seat(&table, rest_ms, pacer, config.pacer_threads)?;
            handle.pool.warm(config.ports_warm.div_ceil(config.pacer_threads))?;
            pacers.push(handle);
            seats.push(seat);
        }
        let beep = Clip::tone(BEEP.0, BEEP.1)?;
        let beep = Program::new(&Playlist::clip(beep.into()))?;
        for codec in Codec::ALL {
            beep.encode(codec);
        }
        let shared = Arc::new(Shared { clock: Clock::start(), table, pacers });
        let (writer, writer_thread) = WriterHandle::start()?;
        let engine = Self(Arc::new(Running {
            shared: Arc::clone(&shared),
            writer,
            beep: beep.into(),
            config,
            sessions: Arc::default(),
            keys: AtomicU64::new(1),
            threads: Mutex::new(vec![writer_thread]),
        }));
        for (me, seat) in seats.into_iter().enumerate() {
            let pacer = Pacer::new(me, Arc::clone(&shared), seat);
            let thread = std::thread::Builder::new()
                .name(format!("media-pacer-{me}"))
                .spawn(move || pacer.run())
                .map_err(|source| MediaError::System { what: "a thread", source })?;
            // Pacers end before the writer, whom they still give recordings.
            engine.0.threads.lock().insert(0, thread);
        }
        Ok(engine)
    }

    /// Opens a session and reserves its port. It is silent until it is configured. `label` comes back with its events.
    ///
    /// # Errors
    /// [`MediaError::SessionsExhausted`], [`MediaError::PortsExhausted`], [`MediaError::Busy`] or
    /// [`MediaError::Bind`].
    pub fn open(&self, label: u64, events: Arc<dyn EventSink>) -> Result<Session, MediaError> {
        let running = &self.0;
        let limit = running.config.sessions_max;
        if running.sessions.fetch_add(1, Ordering::Relaxed) >= limit {
            running.sessions.fetch_sub(1, Ordering::Relaxed);
            return Err(MediaError::SessionsExhausted { limit });
        }
        self.open_counted(label, events).inspect_err(|_| {
            running.sessions.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// Connects two sessions: each hears the other. A session that was bridged leaves its former bridge.
    /// What plays on a session goes before the other party's voice, until it ends.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] for a session with itself; [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn bridge(&self, first: &Session, second: &Session, options: BridgeOptions) -> Result<(), MediaError> {
        if first.key == second.key {
            return Err(MediaError::InvalidRequest("a session cannot be bridged with itself"));
        }
        let leg =
            |peer: &Session, options| Request::Bridge { peer: peer.peer_ref(), stream: peer.peer_stream(), options };
        first.request(leg(second, options.first))?;
        second.request(leg(first, options.second))
    }

    /// Parts two bridged sessions.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn unbridge(&self, first: &Session, second: &Session) -> Result<(), MediaError> {
        first.request(Request::Unbridge { peer_key: Some(second.key), told: false })?;
        second.request(Request::Unbridge { peer_key: Some(first.key), told: false })
    }

    /// Lets a supervisor take part in a talk: the supervisor's party hears the caller's and the operator's, mixed, and is
    /// heard as `how` says. Again with another `how`, it changes how; nobody hears a gap or a click.
    ///
    /// The caller and the operator are bridged by [`MediaEngine::bridge`] as without a supervisor, before or after this;
    /// the supervisor's session is in no bridge. A recording of a caller's or operator's session has a supervisor's voice
    /// in it only where both hear it. It ends with [`MediaEngine::unsupervise`], and for each of the three with its own
    /// session. One supervisor a talk: the host sees to it.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] where two of the three are the same session; [`MediaError::Busy`] or
    /// [`MediaError::Stopped`].
    pub fn supervise(
        &self,
        supervisor: &Session,
        caller: &Session,
        operator: &Session,
        how: Supervision,
    ) -> Result<(), MediaError> {
        if supervisor.key == caller.key || supervisor.key == operator.key || caller.key == operator.key {
            return Err(MediaError::InvalidRequest("a supervisor, a caller and an operator are three sessions"));
        }
        let link = |peer: &Session, speaks, hears| {
            Request::Link(Link { peer: peer.peer_ref(), stream: peer.peer_stream(), speaks, hears })
        };
        let (to_caller, to_operator) = how.voice();
        supervisor.request(link(caller, to_caller != Hears::No, Hears::Openly))?;
        supervisor.request(link(operator, to_operator != Hears::No, Hears::Openly))?;
        caller.request(link(supervisor, true, to_caller))?;
        operator.request(link(supervisor, true, to_operator))
    }

    /// Takes a supervisor out of the talk. The two others go on as before.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn unsupervise(&self, supervisor: &Session) -> Result<(), MediaError> {
        supervisor.request(Request::Unlink { peer_key: None })
    }

    /// What the engine has done, for metrics and for admission.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let mut stats =
            EngineStats { sessions_open: self.0.sessions.load(Ordering::Relaxed), ..EngineStats::default() };
        for pacer in &self.0.shared.pacers {
            pacer.counters.add_to(&mut stats);
            stats.ports_resting += pacer.pool.resting();
        }
        stats
    }

    fn open_counted(&self, label: u64, events: Arc<dyn EventSink>) -> Result<Session, MediaError> {
        let running = &self.0;
        let key = running.keys.fetch_add(1, Ordering::Relaxed);
        let pacers = running.shared.pacers.len();
        let mut outcome = Err(MediaError::Stopped);
        // In turn, and on to the next where one has no port left.
        let first = usize::try_from(key).unwrap_or(0);
        for pacer in (first..first + pacers).map(|turn| turn % pacers) {
            let handle = &running.shared.pacers[pacer];
            match handle.pool.take(running.shared.clock.now()) {
                Ok(port) => return self.open_on(pacer, port, key, label, events),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    fn open_on(
        &self,
        pacer: usize,
        port: u32,
        key: u64,
        label: u64,
        events: Arc<dyn EventSink>,
    ) -> Result<Session, MediaError> {
        let running = &self.0;
        let handle = &running.shared.pacers[pacer];
        let counters = Arc::new(SessionCounters::default());
        let local = running.shared.table.at(port).map(|sockets| sockets.local).ok_or(MediaError::Stopped)?;
        let paced = PacedSession::new(Birth {
            label,
            key,
            port,
            events: Arc::clone(&events),
            counters: Arc::clone(&counters),
            rtp_timeout: running.config.rtp_timeout,
            random: rand::random(),
        });
        if let Err(error) = handle.send(Command::Open(Box::new(paced))) {
            handle.pool.give_back(port, running.shared.clock.now());
            return Err(error);
        }
        Ok(Session {
            engine: self.clone(),
            label,
            key,
            pacer,
            port,
            local,
            events,
            counters,
            known: Mutex::new(Known::default()),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pacer in &self.shared.pacers {
            pacer.send_surely(Command::Stop);
        }
        let current = std::thread::current().id();
        let mut threads = std::mem::take(&mut *self.threads.lock());
        let writer = threads.pop();
        for thread in threads {
            // Dropped by an event sink, on a media thread: that one ends by itself.
            if thread.thread().id() != current {
                let _ = thread.join();
            }
        }
        self.writer.stop();
        if let Some(writer) = writer
            && writer.thread().id() != current
        {
            let _ = writer.join();
        }
    }
}

/// The media of one leg of a call. Dropped or closed, it ends: playbacks and recordings are finished and told.
///
/// Requests are carried out by the session's pacer, in order, within about two milliseconds; what comes of them is
/// told as events.
pub struct Session {
    engine: MediaEngine,
    label: u64,
    key: u64,
    pacer: usize,
    port: u32,
    local: SocketAddr,
    events: Arc<dyn EventSink>,
    counters: Arc<SessionCounters>,
    known: Mutex<Known>,
}

/// What the handle remembers, so that encoding is done on this side of the pacer.
#[derive(Default)]
struct Known {
    params: Option<StreamParams>,
    program: Option<Arc<Program>>,
}

impl Session {
    /// The local RTP address, for SDP. RTCP is on the port above it, or on the same with rtcp-mux.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The label given at [`MediaEngine::open`].
    #[must_use]
    pub const fn label(&self) -> u64 {
        self.label
    }

    /// Applies what signalling negotiated; again whenever it changes: hold, resume, another address or codec.
    /// A playback goes on through the change, and stands still while `send` is false.
    ///
    /// # Errors
    /// [`MediaError::InvalidParams`], [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn configure(&self, params: StreamParams) -> Result<(), MediaError> {
        params.check(self.local.is_ipv4())?;
        let program = {
            let mut known = self.known.lock();
            known.params = Some(params.clone());
            known.program.clone()
        };
        if let Some(program) = program {
            program.encode(params.codec);
        }
        self.request(Request::Configure(params))
    }

    /// Plays a playlist in place of what plays now. Encodes what is not encoded yet, on this thread. Before
    /// [`Session::configure`] it waits. Ends in [`crate::MediaEvent::PlaybackEnded`].
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`], [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn play(&self, id: PlaybackId, playlist: &Playlist, barge_in: BargeIn) -> Result<(), MediaError> {
        let program = Arc::new(Program::new(playlist)?);
        let codec = {
            let mut known = self.known.lock();
            known.program = Some(Arc::clone(&program));
            known.params.as_ref().map(|params| params.codec)
        };
        if let Some(codec) = codec {
            program.encode(codec);
        }
        self.request(Request::Play(Box::new(Playback::new(id, program, barge_in))))
    }

    /// Stops a playback, if it is the one that plays.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn stop(&self, id: PlaybackId) -> Result<(), MediaError> {
        self.request(Request::Stop(id))
    }

    /// Holds a playback; nothing is sent until it is resumed.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn pause(&self, id: PlaybackId) -> Result<(), MediaError> {
        self.request(Request::Pause(id, true))
    }

    /// Goes on with a playback that was paused.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn resume(&self, id: PlaybackId) -> Result<(), MediaError> {
        self.request(Request::Pause(id, false))
    }

    /// Goes to a place in a playback, counted in milliseconds from the beginning of its playlist.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn seek(&self, id: PlaybackId, to_ms: u64) -> Result<(), MediaError> {
        self.request(Request::Seek(id, to_ms))
    }

    /// Sends digits: as telephone-events if they were negotiated, else as tones. A playback waits meanwhile. Ends in
    /// [`crate::MediaEvent::DigitsSent`].
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] for none, more than [`DIGITS_MAX`], or durations outside 40 to 8,000 ms;
    /// [`MediaError::InvalidParams`] before [`Session::configure`]; [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn send_digits(&self, digits: &[Digit], duration_ms: u32, gap_ms: u32) -> Result<(), MediaError> {
        if digits.is_empty() || digits.len() > DIGITS_MAX {
            return Err(MediaError::InvalidRequest("send one to 64 digits at a time"));
        }
        let valid = 40..=DIGIT_DURATION_MS_MAX;
        if !valid.contains(&duration_ms) || !valid.contains(&gap_ms) {
            return Err(MediaError::InvalidRequest("a digit and the pause after it last 40 to 8,000 ms each"));
        }
        let (codec, events) = self
            .known
            .lock()
            .params
            .as_ref()
            .map(|params| (params.codec, params.telephone_event.is_some()))
            .ok_or(MediaError::InvalidParams("configure the session before sending digits"))?;
        let digits = if events {
            DigitsOut::Events(EventSender::new(digits.iter().copied(), duration_ms, gap_ms))
        } else {
            let tones = tones(digits, duration_ms, gap_ms)
                .ok_or(MediaError::InvalidRequest("these digits last too long; send them in parts"))?;
            tones.encode_now(codec);
            DigitsOut::Tones(tones)
        };
        self.request(Request::Digits(digits))
    }

    /// Records, in place of what is recorded now. Told by [`crate::MediaEvent::RecordingStarted`], and in the end by
    /// [`crate::MediaEvent::RecordingEnded`] or [`crate::MediaEvent::RecordingFailed`].
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`], [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn record(&self, id: RecordingId, spec: &RecordingSpec) -> Result<(), MediaError> {
        spec.check()?;
        let writer = &self.engine.0.writer;
        let listening = Listening { session: self.label, id, events: Arc::clone(&self.events) };
        let job = writer.begin(spec.path.clone(), listening)?;
        let beep =
            spec.beep.then(|| Box::new(Playback::new(PlaybackId(0), Arc::clone(&self.engine.0.beep), BargeIn::None)));
        // If the request is refused, the recorder is dropped and takes its file with it.
        self.request(Request::Record(Box::new(Recorder::new(id, spec, beep, writer.clone(), job))))
    }

    /// Leaves out what is said until [`Session::resume_recording`].
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn pause_recording(&self, id: RecordingId) -> Result<(), MediaError> {
        self.request(Request::PauseRecording(id, true))
    }

    /// Goes on with a paused recording.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn resume_recording(&self, id: RecordingId) -> Result<(), MediaError> {
        self.request(Request::PauseRecording(id, false))
    }

    /// Ends a recording and keeps it.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn finish_recording(&self, id: RecordingId) -> Result<(), MediaError> {
        self.request(Request::FinishRecording(id))
    }

    /// Ends a recording and throws it away. No event follows.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn discard_recording(&self, id: RecordingId) -> Result<(), MediaError> {
        self.request(Request::DiscardRecording(id))
    }

    /// While masked, recordings of this session get silence: sensitive digits are being given.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn mask_recording(&self, masked: bool) -> Result<(), MediaError> {
        self.request(Request::Mask(masked))
    }

    /// Protects what is sent and checks what is received from now on; `None` ends it. The place of SRTP.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn set_transform(&self, transform: Option<Box<dyn PacketTransform>>) -> Result<(), MediaError> {
        self.request(Request::Transform(transform))
    }

    /// Listens for who or what answers, in place of what was listened for. Each thing heard is told by
    /// [`crate::MediaEvent::Heard`]; see [`ListenFor`] for which, and by when. Costs the audio's decoding, and some
    /// microseconds for each 20 ms, until it is decided or stopped.
    ///
    /// # Errors
    /// [`MediaError::Busy`] or [`MediaError::Stopped`].
    pub fn listen(&self, listen_for: ListenFor) -> Result<(), MediaError> {
        self.request(Request::Listen(Detector::new(listen_for).map(Box::new)))
    }

    /// What has passed so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.counters.snapshot()
    }

    /// Ends the session at once: no RTP is sent any more when this returns. Gives what has passed.
    #[must_use = "drop the session if its statistics are not wanted"]
    pub fn close(self) -> SessionStats {
        self.counters.closed.store(true, Ordering::Relaxed);
        self.counters.snapshot()
    }

    fn request(&self, request: Request) -> Result<(), MediaError> {
        self.engine.0.shared.pacers[self.pacer].send(Command::Session { port: self.port, request })
    }

    const fn peer_ref(&self) -> PeerRef {
        PeerRef { pacer: self.pacer, index: self.port, key: self.key }
    }

    fn peer_stream(&self) -> Option<PeerStream> {
        self.known.lock().params.as_ref().map(PeerStream::of)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.counters.closed.store(true, Ordering::Relaxed);
        self.engine.0.sessions.fetch_sub(1, Ordering::Relaxed);
        self.engine.0.shared.pacers[self.pacer].send_surely(Command::Close { port: self.port });
    }
}
