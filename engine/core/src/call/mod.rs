//! One call, from its INVITE to its last record.
//!
//! [`CallMachine`] is told what happens ([`CallMachine::handle`], [`CallMachine::handle_timeout`]) and says what to do
//! ([`CallMachine::poll_command`]) and until when it can be left alone ([`CallMachine::deadline`]). After every input,
//! drain the commands, then ask for the deadline.
//!
//! *Architecture Invariant:* every caller is landed. Whatever a script does, the machine ends in one of three ways: the
//! caller hung up, the caller was handed to somebody, or the host said goodbye. `landing.rs` is the only way out of a
//! failed script, and it does not depend on one.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `input` | inputs, commands and limits: the machine's face |
//! | `legs` | the legs and their records |
//! | `playback` | who is heard: foreground prompts, background players |
//! | `question` | collects: attempts, type-ahead, timers |
//! | `recording` | messages and background recorders |
//! | `transfer` | handing over: dial, whisper, bridge, REFER |
//! | `passing_on` | an operator hands the caller on |
//! | `letting_go` | what goes on when the script or the caller is gone |
//! | `waiting` | the queue: in, out, and what is heard there |
//! | `wait_requests` | what a script hears of the wait, and may ask meanwhile |
//! | `rings` | operators who are rung for a waiting caller |
//! | `overflow` | the limit of the wait: a peer centre, or the offer of a callback |
//! | `callback_offer` | the host's own dialog about a callback |
//! | `booking` | callbacks being written down |
//! | `informing` | calls of campaigns: dialled, listened to, informed, reported |
//! | `outbound` | calls of our own: callbacks, and the callback number |
//! | `supervision` | a supervisor in the talk |
//! | `landing` | overlay, apology, operators, farewell |
//! | `requests` | what scripts ask, checked and begun |
//! | `contract`, `centre_contract`, `campaign_contract` | what the machine promises, checked from outside |

mod booking;
mod callback_offer;
mod campaign_contract;
mod centre_contract;
mod contract;
mod informing;
mod input;
mod landing;
mod legs;
mod letting_go;
mod outbound;
mod overflow;
mod passing_on;
mod playback;
mod question;
mod recording;
mod requests;
mod rings;
mod supervision;
mod transfer;
mod wait_requests;
mod waiting;

#[cfg(test)]
mod tests;

pub use contract::{BrokenPromise, Contract};
pub use input::{
    CallLimits, CallStart, Command, Input, KeySource, MediaCommand, MediaEvent, PlaybackId, Purpose, RecordingId,
    RecordingPlan, ScriptRun, Supervision, TranscriptLine,
};

use crate::campaign::CampaignReport;
use crate::ids::LegId;
use crate::leg::{HangupCause, LegCommand};
use crate::prompt::Pace;
use crate::records::{LegRecord, Mode};
use crate::script::{CallError, EndReason, LandingCause, Reply, Request};
use crate::time::Timestamp;
use legs::Legs;
use playback::Playbacks;
use question::{KeysAhead, Question};
use recording::{MessageRecording, Recorders};
use std::collections::VecDeque;
use std::time::Duration;
use transfer::Transfer;

/// One call.
#[derive(Debug)]
pub struct CallMachine {
    start: CallStart,
    legs: Legs,
    playbacks: Playbacks,
    recorders: Recorders,
    keys_ahead: KeysAhead,
    pending: Option<Pending>,
    script: ScriptState,
    landing: Option<landing::Landing>,
    /// A script has done something for the caller: answered, spoken, asked, handed over.
    served: bool,
    /// How fast the caller is spoken to.
    pace: Pace,
    /// The caller's last wait for an operator; it may be over.
    waiting: Option<Box<waiting::Wait>>,
    /// A callback is being written down; the call outlives its caller for it.
    booking: Option<booking::Booking>,
    /// Where a call of our own is.
    outbound: Option<outbound::Outbound>,
    /// Where a campaign's call is.
    informing: Option<Box<informing::Informing>>,
    /// How a callback's attempt went was said.
    attempt_told: bool,
    /// The centre knows that an operator of its queues talks in this call.
    operator_talks: bool,
    supervisor: Option<supervision::Supervisor>,
    /// Set once the caller is gone.
    ended: Option<EndReason>,
    /// The caller put us on hold at that time.
    held_since: Option<Timestamp>,
    call_deadline: Timestamp,
    commands: VecDeque<Command>,
    over: bool,
}

/// What is going on, and who asked for it.
#[derive(Debug)]
struct Pending {
    initiator: Initiator,
    operation: Operation,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Initiator {
    Script(ScriptRun),
    Host,
    /// The host, for a caller in a queue: the offer at the limit, a peer centre, the talk. The script may ask for other
    /// things meanwhile.
    Queue,
}

#[derive(Debug)]
enum Operation {
    /// Waiting for the ACK, then going on with what needs an answered call.
    Answer {
        then: Option<Request>,
    },
    Say,
    /// The last words; then we hang up.
    Goodbye,
    Ask(Box<Question>),
    NextKey {
        deadline: Timestamp,
    },
    Wait {
        deadline: Timestamp,
    },
    SendKeys,
    AwaitPlayer(crate::script::HandleId),
    Record(Box<MessageRecording>),
    FinishRecorder(crate::script::HandleId),
    Transfer(Box<Transfer>),
    /// Into the queue: until the centre's first word.
    Enter,
    /// A script's callback is being written down.
    Booking {
        /// In place of the wait.
        leaves_queue: bool,
    },
    /// The host's dialog about a callback.
    Dialog(Box<callback_offer::Dialog>),
}

#[derive(Debug)]
enum ScriptState {
    /// The overlay comes first.
    NotStarted,
    Running(ScriptRun),
    /// The call is over; the script may still save its state.
    Grace {
        run: ScriptRun,
        deadline: Timestamp,
    },
    Finished,
}

impl CallMachine {
    /// A call that just came in and was routed.
    #[must_use]
    pub fn new(mut start: CallStart, now: Timestamp) -> Self {
        let call_deadline = now + start.limits.call_duration_max;
        if matches!(start.purpose, Purpose::Callback(_) | Purpose::Campaign(_)) {
            // Whom we call did not ask for announcements.
            start.overlay = None;
        }
        let legs = Legs::begin(&start, now);
        let mut machine = Self {
            start,
            legs,
            playbacks: Playbacks::default(),
            recorders: Recorders::default(),
            keys_ahead: KeysAhead::default(),
            pending: None,
            script: ScriptState::NotStarted,
            landing: None,
            served: false,
            pace: Pace::Normal,
            waiting: None,
            booking: None,
            outbound: None,
            informing: None,
            attempt_told: false,
            operator_talks: false,
            supervisor: None,
            ended: None,
            held_since: None,
            call_deadline,
            commands: VecDeque::new(),
            over: false,
        };
        machine.begin_call(now);
        machine
    }

    /// Takes one input. Drain [`CallMachine::poll_command`] afterwards.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        if self.over {
            return;
        }
        match input {
            Input::Leg(leg, event) => self.handle_leg(leg, event, now),
            Input::Media(leg, event) => self.handle_media(leg, event, now),
            Input::ScriptStarted { run, version } => {
                let scripts = &mut self.legs.first_mut().record.scripts;
                // One version a run: a call ends on the version that it began with.
                if self.script.is(run) && scripts.len() <= usize::from(run.0) {
                    scripts.push(version);
                }
            }
            Input::ScriptRequest { run, request } => self.handle_request(run, request, now),
            Input::ScriptEnded { run, end } => self.handle_script_end(run, end, now),
            Input::Land(cause) => self.land(cause, now),
            Input::Kill => self.hang_up(HangupCause::AdminKill, now),
            Input::Queue(notice) => self.handle_queue(notice, now),
            Input::CallbackBooked(result) => self.booked(result, now),
            Input::CallbackClaimed(granted) => self.claimed(granted, now),
            Input::Supervise { target, how } => self.supervise(target, how, now),
            Input::SuperviseHow(how) => self.supervise_how(how),
            Input::SuperviseEnd => self.supervision_over(now),
            Input::DrainDeadline => self.hang_up(HangupCause::DrainTimeout, now),
        }
        self.settle(now);
    }

    /// The deadline has come, or may have. Drain [`CallMachine::poll_command`] afterwards.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.over {
            return;
        }
        if now >= self.call_deadline {
            self.hang_up_saying(HangupCause::EngineHangup, EndReason::HostLimit, now);
        }
        if let ScriptState::Grace { run, deadline } = self.script
            && now >= deadline
        {
            self.give_up_script(run);
        }
        if self.operation_deadline().is_some_and(|deadline| now >= deadline) {
            self.operation_timeout(now);
        }
        self.booking_timeout(now);
        self.wait_timeout(now);
        self.supervisor_timeout(now);
        self.own_timeout(now);
        self.callee_timeout(now);
        self.settle(now);
    }

    /// The next thing to do. None: nothing until the next input or the deadline.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`CallMachine::handle_timeout`] wants to be called at the latest. None: never; the call is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.over {
            return None;
        }
        let grace = match self.script {
            ScriptState::Grace { deadline, .. } => Some(deadline),
            _ => None,
        };
        let call = self.ended.is_none().then_some(self.call_deadline);
        let centre = [self.booking_deadline(), self.wait_deadline(), self.supervisor_deadline(), self.own_deadline()];
        let of_call = [call, grace, self.operation_deadline(), self.callee_deadline()];
        of_call.into_iter().chain(centre).flatten().min()
    }

    /// The call's id.
    #[must_use]
    pub const fn id(&self) -> crate::ids::CallId {
        self.start.id
    }

    /// What came in.
    #[must_use]
    pub const fn incoming(&self) -> &crate::leg::IncomingCall {
        &self.start.incoming
    }

    /// The call's language now.
    #[must_use]
    pub fn lang(&self) -> &crate::prompt::LanguageTag {
        &self.legs.first().record.lang
    }

    /// Whether the call is over: its records are out, and no input changes anything.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Why the host took the call out of its script's hands; none where it did not.
    #[must_use]
    pub fn landing(&self) -> Option<LandingCause> {
        self.legs.first().record.landing
    }

    /// Why the caller is gone; none while the call lives.
    #[must_use]
    pub const fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    fn operation_deadline(&self) -> Option<Timestamp> {
        let operation = self.pending_operation();
        if let Some(Operation::Transfer(transfer)) = operation {
            return transfer.deadline();
        }
        // The caller's own clock stands still while the caller has us on hold.
        if let Some(held) = self.held_since {
            return Some(held + self.start.limits.hold_max);
        }
        match operation? {
            Operation::NextKey { deadline } | Operation::Wait { deadline } => Some(*deadline),
            Operation::Ask(question) => question.deadline(),
            Operation::Record(message) => message.consent_question().and_then(Question::deadline),
            Operation::Dialog(dialog) => dialog.question().and_then(Question::deadline),
            _ => None,
        }
    }

    /// From when a time for the caller runs: a caller who has us on hold gets the whole of it after coming back.
    fn caller_clock(&self, now: Timestamp) -> Timestamp {
        self.held_since.unwrap_or(now)
    }

    fn operation_timeout(&mut self, now: Timestamp) {
        if self.held_since.is_some() && !matches!(self.pending_operation(), Some(Operation::Transfer(_))) {
            self.hang_up(HangupCause::MediaLost, now);
            return;
        }
        match self.pending_operation() {
            Some(Operation::NextKey { .. }) => self.finish(Ok(Reply::Key(None)), now),
            Some(Operation::Wait { .. }) => self.finish(Ok(Reply::Done), now),
            Some(Operation::Ask(_) | Operation::Record(_) | Operation::Dialog(_)) => self.question_timeout(now),
            Some(Operation::Transfer(_)) => self.transfer_timeout(now),
            _ => {}
        }
    }

    fn pending_operation(&self) -> Option<&Operation> {
        self.pending.as_ref().map(|pending| &pending.operation)
    }

    fn command(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    fn leg_command(&mut self, leg: LegId, command: LegCommand) {
        self.command(Command::Leg(leg, command));
    }

    fn media_command(&mut self, leg: LegId, command: MediaCommand) {
        self.command(Command::Media(leg, command));
    }

    /// Ends the pending operation and tells whoever asked for it.
    fn finish(&mut self, result: Result<Reply, CallError>, now: Timestamp) {
        if let Some(pending) = self.pending.take() {
            self.answer(pending.initiator, result, now);
        }
    }

    fn answer(&mut self, initiator: Initiator, result: Result<Reply, CallError>, now: Timestamp) {
        match initiator {
            Initiator::Script(run) => self.command(Command::Reply { run, result }),
            Initiator::Host => self.host_operation_finished(result, now),
            Initiator::Queue => self.queue_operation_finished(result, now),
        }
    }

    /// After every input: is it over?
    fn settle(&mut self, now: Timestamp) {
        if self.ended.is_none() || !matches!(self.script, ScriptState::Finished) || self.over || self.booking.is_some()
        {
            return;
        }
        self.legs.end_all_others(now, &mut self.commands);
        self.recorders.discard_all(&mut self.commands);
        let end = self.end_of_attempt();
        self.legs.close_first(&mut self.commands);
        if let Some(end) = end {
            self.command(Command::Campaign(CampaignReport::Ended(end)));
        }
        self.command(Command::Over);
        self.over = true;
    }

    /// The caller is gone, for whatever reason: nothing pending goes on, the script has its grace.
    fn caller_gone(&mut self, reason: EndReason, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(reason);
        self.landing = None;
        self.held_since = None;
        self.playbacks.forget();
        self.wait_abandoned(reason, now);
        self.own_call_over(now);
        // A message that the caller left by hanging up is kept, and its report still answers the script.
        if !self.keep_running_recording() {
            self.abandon_operation(now);
            if let Some(Pending { initiator: Initiator::Script(run), .. }) = self.pending.take() {
                self.command(Command::Reply { run, result: Err(CallError::Ended(reason)) });
            }
        }
        self.operator_free();
        match self.script {
            ScriptState::Running(run) => {
                let deadline = now + self.start.limits.grace_max + self.start.limits.grace_slack;
                self.script = ScriptState::Grace { run, deadline };
                self.command(Command::EndScript { run, reason });
            }
            ScriptState::NotStarted => self.script = ScriptState::Finished,
            ScriptState::Grace { .. } | ScriptState::Finished => {}
        }
    }

    /// Its grace is over and it has not come back: the call ends without it.
    fn give_up_script(&mut self, run: ScriptRun) {
        self.script = ScriptState::Finished;
        if let (Some(Pending { initiator, .. }), Some(reason)) = (self.pending.take(), self.ended)
            && initiator == Initiator::Script(run)
        {
            self.command(Command::Reply { run, result: Err(CallError::Ended(reason)) });
        }
        self.command(Command::StopScript { run });
    }

    /// We end the caller's leg.
    fn hang_up(&mut self, cause: HangupCause, now: Timestamp) {
        self.hang_up_saying(cause, LegRecord::end_reason(cause), now);
    }

    fn hang_up_saying(&mut self, cause: HangupCause, reason: EndReason, now: Timestamp) {
        self.end_first_leg(cause, reason, now);
    }

    /// Whether the host has something under way for the caller, when no script has.
    #[cfg(test)]
    fn looks_after(&self) -> bool {
        self.pending.is_some()
            || self.outbound.is_some()
            || self.is_before_script()
            || self.waiting.as_ref().is_some_and(|wait| wait.is_in_line())
    }

    const fn mode(&self) -> Mode {
        self.start.mode
    }

    fn note_landing(&mut self, cause: LandingCause) {
        self.legs.first_mut().record.landing.get_or_insert(cause);
    }
}

impl ScriptState {
    fn is(&self, asked: ScriptRun) -> bool {
        match self {
            Self::Running(run) | Self::Grace { run, .. } => *run == asked,
            Self::NotStarted | Self::Finished => false,
        }
    }
}

/// A duration that a script asked for, or the reason why it is refused.
fn within(what: &str, asked: Duration, max: Duration) -> Result<Duration, CallError> {
    if asked <= max {
        Ok(asked)
    } else {
        Err(CallError::Invalid(format!("{what} is {} ms; at most {} ms", asked.as_millis(), max.as_millis())))
    }
}
