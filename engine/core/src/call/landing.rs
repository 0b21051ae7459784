//! The way in and the way out that no script can touch: the overlay before it, the landing after it.
//!
//! A landed caller hears an apology and is put through to the agency's operators; at night, or when nobody answers, the
//! caller is told so before we hang up. Who is taken over from a script that did nothing wrong (its version is drained, or an
//! admin said so) hears no apology, and keeps what is under way: a transfer goes on, last words are said to their end.

use super::input::{Command, ScriptRun};
use super::legs::LegPhase;
use super::{CallMachine, Initiator, Operation, Pending, ScriptState};
use crate::ids::{Agency, Entry};
use crate::leg::HangupCause;
use crate::prompt::{HostPrompt, PromptSource};
use crate::records::Mode;
use crate::script::{
    CallError, EndReason, LandingCause, Reply, Request, ScriptEnd, Summary, TransferMode, TransferOptions,
    TransferOutcome, TransferTarget,
};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Scripts that one caller may be handed through.
const SCRIPT_RUNS_MAX: u16 = 16;
/// Between two rounds of ringing.
const ROUND_PAUSE: Duration = Duration::from_secs(5);
const NO_SERVICE: &str = "no-service";

/// Where a landed caller is.
#[derive(Debug)]
pub(super) enum Landing {
    /// The apology, or that an operator follows.
    Opening {
        words: HostPrompt,
    },
    Operators {
        round: u8,
    },
    Pause {
        round: u8,
    },
    Farewell,
}

impl CallMachine {
    /// The first thing in every call: the overlay if there is one, else the script.
    pub(super) fn begin_call(&mut self) {
        let record = Box::new(self.legs.first().record.clone());
        self.command(Command::LegBegan(record));
        if self.start.overlay.is_some() {
            self.host_say_first();
        } else {
            self.start_script(ScriptRun(0), self.start.agency.clone(), self.start.entry.clone());
        }
    }

    fn start_script(&mut self, run: ScriptRun, agency: Agency, entry: Entry) {
        self.script = ScriptState::Running(run);
        self.start.agency = agency.clone();
        self.command(Command::StartScript { run, agency, entry });
    }

    /// Another script takes the caller over; the old one's part is done.
    pub(super) fn hand_over(&mut self, initiator: Initiator, agency: Agency, entry: Entry, now: Timestamp) {
        let Some(old) = self.script_run() else { return };
        if old.0 + 1 >= SCRIPT_RUNS_MAX {
            let error = CallError::Quota(format!("transfers to scripts: {SCRIPT_RUNS_MAX} in one call"));
            self.answer(initiator, Err(error), now);
            return;
        }
        self.drop_script_resources();
        self.answer(initiator, Ok(Reply::Transfer(TransferOutcome::Moved)), now);
        self.command(Command::EndScript { run: old, reason: EndReason::Moved });
        self.start_script(ScriptRun(old.0 + 1), agency, entry);
    }

    pub(super) fn handle_script_end(&mut self, run: ScriptRun, end: ScriptEnd, now: Timestamp) {
        if !self.script.is(run) {
            return;
        }
        self.script = ScriptState::Finished;
        // Whatever it waited for, nobody waits now; a caller who is talking to somebody goes on talking.
        let talking = self.keep_conversation();
        if !talking {
            self.abandon_operation(now);
            self.pending = None;
        }
        self.drop_script_resources();
        match end {
            ScriptEnd::Returned(summary) => self.script_returned(&summary, talking, now),
            ScriptEnd::Failed(CallError::Ended(_)) if self.ended.is_some() => {}
            ScriptEnd::Failed(_) => self.script_failed(LandingCause::Error, talking, now),
            ScriptEnd::Stopped(cause) => self.script_failed(cause, talking, now),
        }
    }

    fn script_returned(&mut self, summary: &Summary, talking: bool, now: Timestamp) {
        let limits = self.start.limits;
        let short =
            |text: &Arc<str>| -> Arc<str> { text.chars().take(limits.tag_chars_max).collect::<String>().into() };
        let record = &mut self.legs.first_mut().record;
        let refused = &*summary.code == NO_SERVICE;
        record.result = Some(short(&summary.code));
        let room = limits.tags_max.saturating_sub(record.tags.len());
        record.tags.extend(summary.fields.iter().take(room).map(|(name, value)| (short(name), short(value))));
        if self.ended.is_some() || talking {
            return;
        }
        if refused || !self.served || self.legs.first().phase < LegPhase::Answering {
            self.land(LandingCause::Abandoned, now);
        } else {
            self.hang_up(HangupCause::EngineHangup, now);
        }
    }

    fn script_failed(&mut self, cause: LandingCause, talking: bool, now: Timestamp) {
        self.note_landing(cause);
        if self.ended.is_none() && !talking {
            self.land(cause, now);
        }
    }

    /// Takes the call out of the script's hands. Does nothing to a caller who is gone or landed already.
    pub(super) fn land(&mut self, cause: LandingCause, now: Timestamp) {
        if self.ended.is_some() || self.landing.is_some() || (cause.is_taken_over() && self.ends_by_itself()) {
            return;
        }
        self.note_landing(cause);
        // The overlay is heard first; `overlay_over` finds the note.
        if !matches!(self.script, ScriptState::NotStarted) {
            self.take_from_script(cause, now);
        }
    }

    fn take_from_script(&mut self, cause: LandingCause, now: Timestamp) {
        if let ScriptState::Running(run) = self.script {
            self.command(Command::StopScript { run });
        }
        self.script = ScriptState::Finished;
        let goes_on = if cause.is_taken_over() { self.keep_transfer() } else { self.keep_conversation() };
        if !goes_on {
            self.abandon_operation(now);
            self.pending = None;
        }
        if cause.is_taken_over() {
            // What was recorded with the caller's knowledge is not lost for reasons of ours.
            self.recorders.finish_all(&mut self.commands);
        }
        self.drop_script_resources();
        if !goes_on {
            self.begin_landing(if cause.is_taken_over() { HostPrompt::Connecting } else { HostPrompt::Apology });
        }
    }

    /// The script is done with the caller already: they talk to somebody, or hear the last words.
    const fn ends_by_itself(&self) -> bool {
        let last_words = matches!(&self.pending, Some(Pending { operation: Operation::Goodbye, .. }));
        last_words || matches!(self.script, ScriptState::Finished)
    }

    fn begin_landing(&mut self, words: HostPrompt) {
        self.keys_ahead.clear();
        self.landing = Some(Landing::Opening { words });
        self.host_say_first();
    }

    /// The script is gone: so are its players, and the recorders that it did not finish.
    fn drop_script_resources(&mut self) {
        self.drop_all_players();
        self.recorders.discard_all(&mut self.commands);
    }

    /// Says the next host prompt, answering the call first where it is not.
    fn host_say_first(&mut self) {
        if self.legs.first().phase < LegPhase::Answered {
            self.begin_answer(Initiator::Host, None);
        } else {
            self.host_answered();
        }
    }

    /// The call is answered: the overlay, or the landing's first words.
    fn host_answered(&mut self) {
        let source = match (&self.landing, &self.start.overlay) {
            (None, Some(overlay)) => PromptSource::Script(Arc::clone(&overlay.prompt)),
            (Some(Landing::Opening { words }), _) => PromptSource::Host(words.clone()),
            _ => PromptSource::Host(HostPrompt::Apology),
        };
        self.host_say(source);
    }

    fn host_say(&mut self, source: PromptSource) {
        self.play_foreground(vec![source], false);
        self.pending = Some(Pending { initiator: Initiator::Host, operation: Operation::Say });
    }

    /// An operation that the host itself began is over.
    pub(super) fn host_operation_finished(&mut self, result: Result<Reply, CallError>, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        match (&self.landing, result) {
            // A REFER that went on without its script has worked: the caller's leg ends with it.
            (_, Ok(Reply::Transfer(TransferOutcome::Moved))) => {}
            // The script is gone, and so is whoever the caller went on talking to.
            (None, _) if !matches!(self.script, ScriptState::NotStarted) => self.ring_operators(0, now),
            (Some(Landing::Opening { .. }) | None, Ok(Reply::Done)) => self.host_answered(),
            (None, heard) => self.overlay_over(&heard, now),
            // Words that could not be said are no reason not to connect.
            (Some(Landing::Opening { .. }), _) => self.ring_operators(0, now),
            (Some(Landing::Operators { round }), result) => {
                let round = *round;
                self.operators_answered(round, &result, now);
            }
            (Some(Landing::Pause { round }), _) => {
                let round = *round;
                self.ring_operators(round, now);
            }
            (Some(Landing::Farewell), _) => self.hang_up(HangupCause::EngineHangup, now),
        }
    }

    fn overlay_over(&mut self, heard: &Result<Reply, CallError>, now: Timestamp) {
        let finished = matches!(heard, Ok(Reply::Playback(end)) if end.finished);
        let record = &mut self.legs.first_mut().record;
        record.overlay_heard = finished;
        if let Some(cause) = record.landing {
            self.take_from_script(cause, now);
            return;
        }
        self.start_script(ScriptRun(0), self.start.agency.clone(), self.start.entry.clone());
    }

    fn ring_operators(&mut self, round: u8, now: Timestamp) {
        let Some(routes) = self.start.routes.agencies.get(&self.start.agency) else {
            self.farewell(HostPrompt::OperatorsUnavailable);
            return;
        };
        let target = TransferTarget::Group(routes.fallback.clone());
        let options = TransferOptions {
            mode: TransferMode::Bridge,
            ring_timeout: self.start.limits.landing_ring_timeout,
            music: None,
            whisper: None,
            screen_pop: Vec::new(),
            return_on_end: false,
        };
        self.landing = Some(Landing::Operators { round });
        self.begin(Initiator::Host, Request::Transfer { target, options: Box::new(options) }, now);
    }

    fn operators_answered(&mut self, round: u8, result: &Result<Reply, CallError>, now: Timestamp) {
        match result {
            Ok(Reply::Transfer(TransferOutcome::Closed(opens))) => {
                self.farewell(HostPrompt::OperatorsClosed { opens: opens.clone() });
            }
            Ok(Reply::Transfer(TransferOutcome::BridgedThenReturned(_))) => {
                self.hang_up(HangupCause::EngineHangup, now);
            }
            _ if self.mode() == Mode::Automatic => self.farewell(HostPrompt::OperatorsClosed { opens: None }),
            // No such group: another round finds none either.
            Err(_) => self.farewell(HostPrompt::OperatorsUnavailable),
            _ if round + 1 < self.start.limits.landing_rounds_max => {
                self.landing = Some(Landing::Pause { round: round + 1 });
                self.start_music(None);
                self.begin(Initiator::Host, Request::Wait(ROUND_PAUSE), now);
            }
            _ => self.farewell(HostPrompt::OperatorsUnavailable),
        }
    }

    fn farewell(&mut self, prompt: HostPrompt) {
        self.landing = Some(Landing::Farewell);
        self.stop_music();
        self.host_say(PromptSource::Host(prompt));
    }
}
