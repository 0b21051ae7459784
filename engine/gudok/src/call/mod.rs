//! The call task: one task owns one call's machine and is the only place where signalling, media, prompts, scripts and
//! records meet.
//!
//! It waits for the earliest of a leg event, a media event, a script's request and the machine's deadline; feeds one
//! input, carries out the commands, and goes back to waiting. Nothing in it blocks: sound is rendered, recordings are
//! kept and scripts run elsewhere, and come back as events. What the call has to do with the centre goes to the centre's
//! task and comes back the same way.

mod campaign;
mod convert;
mod desk;
mod legs;
mod scripts;
mod transcript;

use crate::books::Books;
use crate::campaigns::Campaigns;
use crate::centre::{Centre, Joined};
use crate::clock::EngineClock;
use crate::clock::millis;
use crate::director::{Director, RunTicket};
use crate::journals::Journals;
use crate::keys::Subjects;
use crate::live::{Asked, Beginning, CallState, LiveCalls, TraceKind, Wait, Watched, prompt_words};
use crate::metrics;
use crate::overlays::Overlays;
use crate::scripts::Scripts;
use crate::spool::Spool;
use crate::voice::Voice;
use gudok_core::call::{
    CallMachine, CallStart, Command, Input, MediaCommand, MediaEvent, PlaybackId, Purpose, ScriptRun, Supervision,
};
use gudok_core::ids::LegId;
use gudok_core::leg::{DialTarget, HangupCause, LegEvent};
use gudok_core::privacy::PhoneNumber;
use gudok_core::prompt::LanguageTag;
use gudok_core::records::{Direction, LegRecord};
use gudok_core::routing::Routes;
use gudok_core::script::{CallError, LandingCause, Recording, Reply, Request, ScriptEnd};
use gudok_media::{MediaEngine, Playlist};
use gudok_plugin_host::ports::Clock;
use gudok_sip::{IncomingLeg, Signalling, SipEvent};
use gudok_store::Store;
use legs::LegIo;
use scripts::RunningScript;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Events of one call that wait for its task: all its legs, its media and its script together.
const INBOX_EVENTS_MAX: usize = 256;

/// What all calls share.
pub(crate) struct CallHost {
    pub(crate) clock: Arc<EngineClock>,
    pub(crate) media: Arc<MediaEngine>,
    pub(crate) signalling: Arc<dyn Signalling>,
    pub(crate) voice: Arc<Voice>,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) director: Arc<Director>,
    pub(crate) store: Arc<dyn Store>,
    /// Where recordings grow until they are kept.
    pub(crate) recordings_dir: PathBuf,
    /// The calls, as their admins see them.
    pub(crate) live: Arc<LiveCalls>,
    /// Makes people of numbers.
    pub(crate) subjects: Subjects,
    /// Who waits, who works, who is owed a call.
    pub(crate) centre: Centre,
    /// Whom we call, and what came of it.
    pub(crate) campaigns: Campaigns,
    /// Emergency announcements' recordings, and how often each was heard.
    pub(crate) overlays: Arc<Overlays>,
    /// Records that the store does not take.
    pub(crate) spool: Arc<Spool>,
    /// The directory, and promises.
    pub(crate) books: Books,
    /// What scripts asked and were told.
    pub(crate) journals: Option<Arc<Journals>>,
}

/// What an admin, or the engine's end, says to a running call.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    /// The drain deadline has passed.
    DrainDeadline,
    /// An admin ends the call.
    HangUp,
    /// The call is taken out of its script's hands, to an operator.
    Land(LandingCause),
    /// A supervisor takes part, or in another way.
    Supervise {
        /// The supervisor's telephone.
        target: DialTarget,
        /// How.
        how: Supervision,
    },
    /// The supervisor leaves.
    SuperviseEnd,
    /// The operator on the line gives the caller to somebody else.
    GiveTo(DialTarget),
}

/// What reaches the task besides the first leg's signalling.
enum Event {
    Sip(LegId, SipEvent),
    Media(LegId, gudok_media::MediaEvent),
    ScriptRequest {
        run: ScriptRun,
        request: Request,
        reply: oneshot::Sender<Result<Reply, CallError>>,
    },
    ScriptEnded {
        run: ScriptRun,
        end: ScriptEnd,
        cpu: Duration,
        ticket: RunTicket,
    },
    /// A prompt's sound is there, or is not to be had.
    Rendered {
        leg: LegId,
        playback: PlaybackId,
        barge_in: bool,
        sound: Result<Playlist, CallError>,
    },
    /// A recording is in the store, or is not.
    Kept {
        leg: LegId,
        event: MediaEvent,
    },
    /// The centre says.
    Centre(Box<Input>),
}

/// The centre's way to a call.
#[derive(Clone)]
pub(crate) struct ToCall(mpsc::Sender<Event>);

impl ToCall {
    /// Waits for nobody; nothing is lost.
    pub(crate) fn tell(&self, input: Input) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.0.try_send(Event::Centre(Box::new(input))) {
            metrics::centre_word_late();
            let inbox = self.0.clone();
            tokio::spawn(async move { inbox.send(event).await });
        }
    }
}

/// One call.
struct CallTask {
    host: Arc<CallHost>,
    machine: CallMachine,
    legs: Vec<LegIo>,
    inbox: mpsc::Sender<Event>,
    script: Option<RunningScript>,
    /// Where the answers to open requests go; after a hand-over, the old script's beside the new one's.
    replies: Vec<(ScriptRun, oneshot::Sender<Result<Reply, CallError>>)>,
    transcript_seq: u32,
    /// The routes that the call began with.
    routes: Arc<Routes>,
    watch: Watched,
    /// From its first word with the centre on.
    joined: Option<Joined>,
    /// The supervisor's leg, and how it takes part.
    supervised: Option<Supervision>,
    /// Who waits for an operator, where the caller does.
    queued: bool,
    overlay: Option<Arc<str>>,
    asked: Asked,
    /// The other party's leg, while they hear each other.
    bridged: Option<LegId>,
    /// The run that somebody took the caller from, and why: it did nothing wrong.
    taken_over: Option<(ScriptRun, LandingCause)>,
    lang_seen: LanguageTag,
}

/// Runs one call from its INVITE to its last record.
pub(crate) async fn run(
    host: Arc<CallHost>,
    incoming: Option<IncomingLeg>,
    mut start: CallStart,
    mut control: tokio::sync::watch::Receiver<Option<Control>>,
) {
    let (inbox, mut events) = mpsc::channel(INBOX_EVENTS_MAX);
    let (first_leg, mut first_events) = match incoming {
        Some(incoming) => (LegIo::new(incoming.leg), Some(incoming.events)),
        None => (LegIo::none(), None),
    };
    let now = host.clock.now();
    let (watch, mut said) = host.live.began(beginning(&start, now));
    let (routes, lang_seen) = (Arc::clone(&start.routes), Arc::clone(&start.lang));
    let overlay = start.overlay.as_ref().map(|overlay| Arc::clone(&overlay.name));
    campaign::offer_transcript(&host, &mut start);
    // Whatever becomes of this task: the campaign hears of its end.
    let _attempting = campaign::attempting(&host, &start);
    let is_callback = matches!(start.purpose, Purpose::Callback(_));
    if let Purpose::Callback(callback) = &start.purpose {
        watch.fields(&callback.wish.fields);
        watch.waits(Wait {
            queue: Some(callback.wish.queue.clone()),
            since: callback.wish.waited_since,
            callback: Some(callback.callback.clone()),
        });
    }
    let machine = CallMachine::new(start, now);
    let mut task = CallTask {
        host,
        machine,
        legs: vec![first_leg],
        inbox,
        script: None,
        replies: Vec::new(),
        transcript_seq: 0,
        routes,
        watch,
        joined: None,
        supervised: None,
        queued: false,
        overlay,
        asked: Asked::Nothing,
        bridged: None,
        taken_over: None,
        lang_seen,
    };
    if is_callback {
        // Whatever becomes of this task: the centre hears of its end.
        task.centre();
    }
    let mut timer = pin!(tokio::time::sleep_until(tokio::time::Instant::now()));
    let mut timer_for = None;
    loop {
        task.carry_out();
        if task.machine.is_over() {
            break;
        }
        let deadline = task.machine.deadline();
        if deadline != timer_for
            && let Some(deadline) = deadline
        {
            timer.as_mut().reset(task.host.clock.instant(deadline));
        }
        timer_for = deadline;
        tokio::select! {
            event = next(&mut first_events), if !task.legs[0].ended => {
                // A leg that is gone without a word has failed.
                let gone = SipEvent::Leg(LegEvent::Ended { cause: HangupCause::ProtocolError, status: None });
                task.sip(LegId::FIRST, event.unwrap_or(gone));
            }
            Some(event) = events.recv() => task.event(event),
            () = timer.as_mut(), if deadline.is_some() => {
                timer_for = None;
                let now = task.host.clock.now();
                task.machine.handle_timeout(now);
            }
            Ok(()) = control.changed() => {
                let said = control.borrow_and_update().clone();
                if let Some(said) = said {
                    task.told(said);
                }
            }
            Some(said) = said.recv() => task.told(said),
        }
    }
}

/// The next event of a leg that came in.
async fn next(events: &mut Option<mpsc::Receiver<SipEvent>>) -> Option<SipEvent> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

fn beginning(start: &CallStart, at: gudok_core::time::Timestamp) -> Beginning {
    Beginning {
        id: start.id,
        agency: start.agency.clone(),
        entry: start.entry.clone(),
        caller: start.incoming.caller.as_ref().map_or_else(|| "withheld".to_owned(), PhoneNumber::masked),
        called: campaign::called(start),
        lang: Arc::clone(&start.lang),
        area: start.routes.route(start.incoming.called.reveal()).and_then(|route| route.area.clone()),
        at,
    }
}

impl CallTask {
    fn input(&mut self, input: Input) {
        let now = self.host.clock.now();
        self.machine.handle(input, now);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Sip(leg, event) => self.sip(leg, event),
            Event::Media(leg, event) => self.media(leg, event),
            Event::ScriptRequest { run, request, reply } => {
                self.asked = match &request {
                    Request::Collect(options) => Asked::by(options),
                    Request::NextKey { .. } => Asked::Entry,
                    _ => Asked::Nothing,
                };
                self.replies.push((run, reply));
                self.input(Input::ScriptRequest { run, request });
            }
            Event::ScriptEnded { run, end, cpu, ticket } => self.script_run_over(run, end, cpu, ticket),
            Event::Rendered { leg, playback, barge_in, sound } => self.rendered(leg, playback, barge_in, sound),
            Event::Kept { leg, event } => {
                if let MediaEvent::RecordingEnded { name, duration, stopped_by, sha256, .. } = &event {
                    self.watch.recorded(Recording {
                        id: Arc::clone(name),
                        duration: *duration,
                        stopped_by: *stopped_by,
                        sha256: *sha256,
                    });
                }
                self.input(Input::Media(leg, event));
            }
            Event::Centre(input) => self.centre_says(*input),
        }
    }

    /// Does what the machine says, until it says nothing more.
    fn carry_out(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            match command {
                Command::Leg(leg, command) => self.leg_command(leg, command),
                Command::Media(leg, command) => self.media_command(leg, command),
                Command::Bridge(first, second) => self.bridge(first, second),
                Command::Unbridge(first, second) => self.unbridge(first, second),
                Command::StartScript { run, agency, entry } => self.start_script(run, &agency, &entry),
                Command::Reply { run, result } => self.reply(run, result),
                Command::EndScript { run, reason } => self.end_script(run, reason),
                Command::StopScript { run } => self.stop_script(run),
                Command::Transcript(line) => self.transcript(&line),
                Command::LegBegan(record) => self.leg_began(&record),
                Command::LegEnded(record) => self.leg_ended(&record),
                Command::Supervise { leg, operator, how } => self.supervise(leg, operator, how),
                Command::Unsupervise(leg) => self.unsupervise(leg),
                Command::Queue(order) => self.queue(order),
                Command::Callback(order) => self.centre().callback(order),
                Command::Campaign(report) => self.campaign_report(report),
                Command::Over => {}
            }
        }
        self.show();
    }

    /// What an admin, a drain deadline or the engine's end says.
    fn told(&mut self, said: Control) {
        match said {
            Control::DrainDeadline => self.input(Input::DrainDeadline),
            Control::HangUp => {
                self.note(TraceKind::Leg, "ended by an admin");
                self.input(Input::Kill);
            }
            Control::Land(cause) => {
                self.note(TraceKind::Leg, format!("taken out of the script's hands: {}", cause.as_str()));
                if let Some(run) = self.script.as_ref().map(RunningScript::run) {
                    self.taken_over = Some((run, cause));
                }
                self.input(Input::Land(cause));
            }
            Control::Supervise { target, how } => self.supervisor_comes(target, how),
            Control::SuperviseEnd => self.input(Input::SuperviseEnd),
            Control::GiveTo(target) => self.give_to(target),
        }
    }

    /// One line of the trace.
    fn note(&self, kind: TraceKind, text: impl Into<String>) {
        self.watch.line(self.host.clock.now(), kind, text);
    }

    /// Shows the admins where the call is now.
    fn show(&mut self) {
        let state = if self.machine.is_reaching() {
            CallState::Dialling
        } else if self.bridged.is_some() {
            CallState::Bridged
        } else if self.queued {
            CallState::Queued
        } else if self.machine.landing().is_some() {
            CallState::Landed
        } else if self.script.is_some() {
            CallState::Script
        } else {
            CallState::Announcement
        };
        self.watch.state(state);
        if !Arc::ptr_eq(&self.lang_seen, self.machine.lang()) {
            self.lang_seen = Arc::clone(self.machine.lang());
            self.watch.lang(&self.lang_seen);
        }
    }

    fn reply(&mut self, run: ScriptRun, result: Result<Reply, CallError>) {
        self.asked = Asked::Nothing;
        // The newest first: a request that is refused for coming too early must not take the answer of the one before.
        if let Some(at) = self.replies.iter().rposition(|(asked, _)| *asked == run) {
            // A script that is gone does not wait for its answer.
            let _ = self.replies.swap_remove(at).1.send(result);
        }
    }

    fn leg_began(&self, record: &LegRecord) {
        let trunk = record.trunk.as_ref().map_or("", |trunk| trunk.as_str());
        let way = match record.direction {
            Direction::Inbound => "comes in",
            Direction::Outbound => "goes out",
        };
        self.note(TraceKind::Leg, format!("leg {} {way} by {trunk:?}", record.leg.0));
        let began = crate::keep::leg_began(record, &self.facts(), &self.people());
        let kept = began.and_then(|began| self.host.store.leg_began(began));
        // Without its store the engine keeps whole records only.
        if let Err(error) = kept
            && !self.host.spool.is_degraded(&*self.host.store)
        {
            metrics::record_refused();
            tracing::error!(call = %record.call, leg = record.leg.0, %error, "the leg's beginning was not kept");
        }
    }

    fn leg_ended(&mut self, record: &LegRecord) {
        let media = self.legs.get_mut(usize::from(record.leg.0)).and_then(LegIo::close);
        metrics::leg_ended(record);
        self.count_wait(record);
        self.note(TraceKind::Leg, format!("leg {} is over: {}", record.leg.0, record.cause.as_str()));
        match crate::keep::cdr(record, media, &self.facts(), &self.people()) {
            Ok(cdr) => self.host.spool.keep(&*self.host.store, cdr),
            Err(error) => {
                metrics::record_refused();
                tracing::error!(call = %record.call, leg = record.leg.0, %error, "the call record was not kept");
            }
        }
        // The call record says the same, for good; a line a call is for whoever looks closer.
        tracing::debug!(
            leg = record.leg.0,
            agency = %record.agency,
            entry = %record.entry,
            caller = ?record.caller,
            called = %record.called,
            cause = record.cause.as_str(),
            landing = record.landing.map(gudok_core::script::LandingCause::as_str),
            ms = millis(record.ended.since(record.started)),
            "leg ended"
        );
    }

    fn facts(&self) -> crate::keep::CallFacts {
        crate::keep::CallFacts { overlay: self.overlay.clone(), ..self.watch.facts() }
    }

    fn people(&self) -> crate::keep::People<'_> {
        crate::keep::People { subjects: &self.host.subjects, plan: &self.routes.plan }
    }

    fn media_command(&mut self, leg: LegId, command: MediaCommand) {
        match command {
            MediaCommand::Play { playback, sources, lang, barge_in, loop_forever, pace } => {
                if leg == LegId::FIRST {
                    self.note(TraceKind::Say, prompt_words(&sources));
                }
                self.render(leg, playback, sources, (lang, pace), barge_in, loop_forever);
            }
            command => self.session_command(leg, command),
        }
    }
}
