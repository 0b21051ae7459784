//! The way in and the way out that no script can touch: the overlay before it, the landing after it.
//!
//! A landed caller hears an apology and is put through to the agency's operators; at night, or when nobody answers, the
//! caller is told so before we hang up. Who is taken over from a script that did nothing wrong (its version is drained, or an
//! admin said so) hears no apology, and keeps what is under way: a transfer goes on, last words are said to their end. Whom a
//! campaign has called is put through to the campaign's operators, where it has some, and to nobody else.

use super::callback_offer::{Because, Wanted};
use super::input::{Command, ScriptRun};
use super::legs::LegPhase;
use super::question::{Question, Words};
use super::{CallMachine, Initiator, Operation, Pending, ScriptState};
use crate::ids::{Agency, Entry};
use crate::input::{Choice, CollectOptions, Grammar, Outcome, Retry};
use crate::leg::HangupCause;
use crate::prompt::{HostPrompt, Prompt, PromptSource};
use crate::records::Mode;
use crate::script::{
    CallError, EndReason, LandingCause, QueueEvent, QueueWish, Reply, Request, ScriptEnd, Summary, TransferMode,
    TransferOptions, TransferOutcome, TransferTarget,
};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Scripts that one caller may be handed through.
const SCRIPT_RUNS_MAX: u16 = 16;
/// Between two rounds of ringing.
const ROUND_PAUSE: Duration = Duration::from_secs(5);
/// After the host's own menu.
const MENU_TIMEOUT: Duration = Duration::from_secs(5);
const NO_SERVICE: &str = "no-service";

/// Where a landed caller is.
#[derive(Debug)]
pub(super) enum Landing {
    /// The apology, or that an operator follows.
    Opening {
        words: HostPrompt,
    },
    /// The agency's information is offered.
    Menu,
    /// It is said.
    Information,
    Operators {
        round: u8,
    },
    /// In the agency's queue, or in the one that the script had chosen.
    Queue {
        round: u8,
    },
    /// A callback is offered; then these are the last words, or the queue is tried once more.
    Callback {
        round: u8,
        farewell: Option<HostPrompt>,
    },
    Pause {
        round: u8,
    },
    Farewell,
}

impl CallMachine {
    /// The first thing in every call: the overlay if there is one, else the script.
    pub(super) fn begin_call(&mut self, now: Timestamp) {
        let record = Box::new(self.legs.first().record.clone());
        self.command(Command::LegBegan(record));
        if self.begin_own_call(now) {
            return;
        }
        if self.start.overlay.is_some() {
            self.host_say_first();
        } else {
            self.start_script(ScriptRun(0), self.start.agency.clone(), self.start.entry.clone());
        }
    }

    pub(super) fn start_script(&mut self, run: ScriptRun, agency: Agency, entry: Entry) {
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
        if let ScriptEnd::Informed(word) = &end {
            self.note_word_of_script(run, word);
        }
        if !self.script.is(run) {
            return;
        }
        self.script = ScriptState::Finished;
        // Whatever it waited for, nobody waits now; a caller who is talking to somebody goes on talking.
        let talking = self.goes_on_without_script();
        if !talking {
            self.abandon_operation(now);
            self.pending = None;
        }
        self.drop_script_resources();
        match end {
            ScriptEnd::Returned(summary) => self.script_returned(&summary, talking, now),
            ScriptEnd::Informed(_) if self.ended.is_some() || talking => {}
            ScriptEnd::Informed(_) => self.informed(now),
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
        self.script_failed_callee(cause);
        if self.ended.is_none() && !talking {
            self.land(cause, now);
        }
    }

    /// Takes the call out of the script's hands. Does nothing to a caller who is gone or landed already.
    pub(super) fn land(&mut self, cause: LandingCause, now: Timestamp) {
        if self.ended.is_some() || self.landing.is_some() || (cause.is_taken_over() && self.ends_by_itself()) {
            return;
        }
        if self.outbound.is_some() {
            // No script has this call in its hands.
            return;
        }
        self.note_landing(cause);
        // The overlay is heard first; `overlay_over` finds the note.
        if !matches!(self.script, ScriptState::NotStarted) {
            self.take_from_script(cause, now);
        }
    }

    pub(super) fn take_from_script(&mut self, cause: LandingCause, now: Timestamp) {
        if let ScriptState::Running(run) = self.script {
            self.command(Command::StopScript { run });
        }
        self.script_failed_callee(cause);
        self.script = ScriptState::Finished;
        let goes_on = self.goes_on_without_script() || (cause.is_taken_over() && self.keep_transfer());
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
            self.begin_landing(if cause.is_taken_over() { HostPrompt::Connecting } else { HostPrompt::Apology }, now);
        }
    }

    /// The caller talks to somebody, or waits for somebody: both go on, in the host's hands.
    fn goes_on_without_script(&mut self) -> bool {
        let talks = self.keep_conversation();
        let waits = self.ended.is_none() && self.keep_waiting();
        if waits {
            self.landing = Some(Landing::Queue { round: 0 });
        }
        talks || waits
    }

    /// The script is done with the caller already: they talk to somebody, or hear the last words.
    const fn ends_by_itself(&self) -> bool {
        let last_words = matches!(&self.pending, Some(Pending { operation: Operation::Goodbye, .. }));
        last_words || matches!(self.script, ScriptState::Finished)
    }

    fn begin_landing(&mut self, words: HostPrompt, now: Timestamp) {
        self.keys_ahead.clear();
        if self.is_for_machine() {
            self.hang_up(HangupCause::EngineHangup, now);
            return;
        }
        if self.campaign().is_some_and(|call| call.queue.is_none()) {
            self.farewell(HostPrompt::CampaignApology);
            return;
        }
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
        if self.outbound.is_some() {
            self.own_operation_finished(&result, now);
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
            (Some(Landing::Opening { words }), _) => {
                // Whom we have called has not called for the agency's information.
                let informs = *words == HostPrompt::Apology && self.informing.is_none() && self.information().is_some();
                if informs { self.offer_information(now) } else { self.ring_operators(0, now) }
            }
            (Some(Landing::Menu), answer) => self.information_chosen(&answer, now),
            (Some(Landing::Information), _) => self.ring_operators(0, now),
            // A wait's own operations are the queue's.
            (Some(Landing::Queue { .. }), _) => {}
            (Some(Landing::Callback { .. }), Ok(Reply::CallbackOffered(Some(_)))) => {
                self.hang_up(HangupCause::EngineHangup, now);
            }
            (Some(Landing::Callback { farewell: Some(farewell), .. }), _) => {
                let farewell = farewell.clone();
                self.farewell(farewell);
            }
            (Some(Landing::Callback { round, farewell: None }), _) => {
                let round = *round;
                self.next_round(round, now);
            }
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

    fn information(&self) -> Option<Arc<Prompt>> {
        self.start.routes.agencies.get(&self.start.agency)?.information.clone()
    }

    /// The host's own minimal menu. A telephone that sends no digits comes to an operator by it all the same.
    fn offer_information(&mut self, now: Timestamp) {
        let key = Choice { key: "1".into(), value: String::new(), phrases: Vec::new() };
        let options = CollectOptions {
            grammar: Grammar::Choices(vec![key]),
            dtmf: true,
            speech: false,
            prompt: None,
            first_timeout: MENU_TIMEOUT,
            inter_digit: MENU_TIMEOUT,
            retry: Retry { attempts: 1, no_input: None, no_match: None },
            sensitive: false,
            global_keys: Vec::new(),
        };
        let ask = vec![PromptSource::Host(HostPrompt::InformationOffer)];
        let words = Words::Host { ask, no_input: None, no_match: None, silence_ends: true };
        self.landing = Some(Landing::Menu);
        self.ask_question(Initiator::Host, Question::in_words(options, words), now);
    }

    fn information_chosen(&mut self, answer: &Result<Reply, CallError>, now: Timestamp) {
        match (answer, self.information()) {
            (Ok(Reply::Outcome(Outcome::Ok(_))), Some(prompt)) => {
                self.landing = Some(Landing::Information);
                self.host_say(PromptSource::Script(prompt));
            }
            _ => self.ring_operators(0, now),
        }
    }

    /// A landed caller to the agency's operators: into its queue, or by ringing its fallback group.
    fn ring_operators(&mut self, round: u8, now: Timestamp) {
        let queue = match self.campaign() {
            Some(call) => call.queue.clone(),
            None => self.start.routes.agencies.get(&self.start.agency).and_then(|routes| routes.queue.clone()),
        };
        match queue {
            Some(queue) => {
                self.landing = Some(Landing::Queue { round });
                let wish = QueueWish {
                    queue,
                    priority: 0,
                    skills: Vec::new(),
                    music: None,
                    wait_max: None,
                    screen_pop: Vec::new(),
                    announce: true,
                    return_on_end: false,
                };
                self.enqueue(Initiator::Host, wish, now);
            }
            None => self.ring_group(round, now),
        }
    }

    /// The wait of a caller without a script is over, and nobody has the caller.
    pub(super) fn landed_wait_over(&mut self, event: &QueueEvent, was_in: bool, now: Timestamp) {
        if self.outbound.is_some() {
            self.farewell(HostPrompt::OperatorsUnavailable);
            return;
        }
        let round = match self.landing {
            Some(Landing::Queue { round }) => round,
            _ => 0,
        };
        let wanted = self.wanted_in_wait().filter(|wanted| self.calls_back(&wanted.queue));
        match (event, wanted) {
            // It was offered a moment ago.
            (QueueEvent::Closed(_), _) if was_in => self.farewell(HostPrompt::Goodbye),
            (QueueEvent::Closed(opens), Some(wanted)) => {
                let because = Because::Closed { opens: opens.clone() };
                let goodbye = Landing::Callback { round, farewell: Some(HostPrompt::Goodbye) };
                self.offer_in_landing(goodbye, because, wanted, now);
            }
            (QueueEvent::Closed(opens), None) => self.farewell(HostPrompt::OperatorsClosed { opens: opens.clone() }),
            (QueueEvent::Full, Some(wanted)) => {
                self.offer_in_landing(Landing::Callback { round, farewell: None }, Because::Full, wanted, now);
            }
            (QueueEvent::Full, None) => self.next_round(round, now),
            // There is no such queue, or no centre: the telephones are there all the same.
            _ => self.ring_group(round, now),
        }
    }

    fn offer_in_landing(&mut self, landing: Landing, because: Because, wanted: Wanted, now: Timestamp) {
        self.landing = Some(landing);
        self.offer_callback(Initiator::Host, because, wanted, now);
    }

    fn ring_group(&mut self, round: u8, now: Timestamp) {
        // Only a campaign's own operators expect those whom it calls.
        let called_us = self.informing.is_none();
        let routes = self.start.routes.agencies.get(&self.start.agency).filter(|_| called_us);
        let Some(routes) = routes else {
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
            _ => self.next_round(round, now),
        }
    }

    /// After a pause, whoever was busy is tried again, a few times.
    fn next_round(&mut self, round: u8, now: Timestamp) {
        if round + 1 < self.start.limits.landing_rounds_max {
            self.landing = Some(Landing::Pause { round: round + 1 });
            self.start_music(None);
            self.begin(Initiator::Host, Request::Wait(ROUND_PAUSE), now);
        } else {
            self.farewell(HostPrompt::OperatorsUnavailable);
        }
    }

    pub(super) fn farewell(&mut self, prompt: HostPrompt) {
        self.landing = Some(Landing::Farewell);
        self.stop_music();
        self.host_say(PromptSource::Host(prompt));
    }
}
