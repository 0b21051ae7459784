//! What scripts ask: checked, answered at once where that can be, or begun as the pending operation.

use super::input::{KeySource, MediaCommand, ScriptRun};
use super::legs::LegPhase;
use super::{CallMachine, Initiator, Operation, Pending, ScriptState, question, within};
use crate::ids::LegId;
use crate::leg::{HangupCause, LegCommand};
use crate::prompt::{Pace, Prompt, PromptSource};
use crate::records::EndedBy;
use crate::script::{CallError, EndReason, HandleId, PlaybackEnd, RecordOptions, RejectCause, Reply, Request};
use crate::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Of a language tag (BCP 47 recommends 35).
const LANGUAGE_TAG_LEN_MAX: usize = 35;
/// Keys in one `send-dtmf`.
const SEND_KEYS_MAX: usize = 64;

impl CallMachine {
    pub(super) fn handle_request(&mut self, run: ScriptRun, request: Request, now: Timestamp) {
        let initiator = Initiator::Script(run);
        if !self.script.is(run) || self.landing.is_some() {
            // A script whose call has gone on without it.
            self.answer(initiator, Err(CallError::Ended(self.ended.unwrap_or(EndReason::Moved))), now);
            return;
        }
        let asks = matches!(&self.pending, Some(Pending { initiator: Initiator::Script(_), .. }));
        if asks || self.script_asks_of_wait() {
            let error = CallError::Invalid("one host call at a time".into());
            self.answer(initiator, Err(error), now);
            return;
        }
        if let Some(reply) = self.request_at_any_time(&request) {
            self.answer(initiator, reply, now);
        } else if let Some(reason) = self.ended {
            self.answer(initiator, Err(CallError::Ended(reason)), now);
        } else {
            self.go_on_with(run, request, now);
        }
    }

    /// Begins what a script asks, unless its caller waits and the wait has a say in it.
    pub(super) fn go_on_with(&mut self, run: ScriptRun, request: Request, now: Timestamp) {
        if self.waiting.is_none() {
            self.begin(Initiator::Script(run), request, now);
        } else if let Some(request) = self.request_in_wait(run, request, now) {
            self.begin(Initiator::Script(run), request, now);
        }
    }

    /// What is answered whether or not the call still lives.
    fn request_at_any_time(&mut self, request: &Request) -> Option<Result<Reply, CallError>> {
        match request {
            Request::Ended => Some(Ok(Reply::EndReason(self.ended))),
            Request::Tag(fields) => Some(self.tag(fields)),
            Request::PlayerDrop(handle) => {
                self.drop_player(*handle);
                Some(Ok(Reply::Done))
            }
            Request::RecorderDrop(handle) => {
                self.drop_recorder(*handle);
                Some(Ok(Reply::Done))
            }
            Request::FlushKeys => {
                self.keys_ahead.clear();
                Some(Ok(Reply::Done))
            }
            _ => None,
        }
    }

    /// Begins an operation on a living call, answering the caller first where it takes an answered one.
    pub(super) fn begin(&mut self, initiator: Initiator, request: Request, now: Timestamp) {
        if let Some(refused) = self.refused_for_machine(&request) {
            self.answer(initiator, Err(refused), now);
            return;
        }
        self.served |= matches!(initiator, Initiator::Script(_)) && serves(&request);
        if self.needs_answer(&request) {
            self.begin_answer(initiator, Some(request));
            return;
        }
        let result = match request {
            Request::Answer => Ok(Reply::Done),
            Request::EarlyMedia => self.early_media(),
            Request::Reject(cause) => return self.reject(initiator, cause, now),
            Request::Hangup { goodbye } => return self.say_goodbye(initiator, goodbye, now),
            Request::SetLanguage(lang) => self.set_language(lang),
            Request::Say(prompt) => return self.say(initiator, &prompt, now),
            Request::PlayBackground { prompt, loop_forever } => {
                self.start_player(PromptSource::Script(prompt), loop_forever).map(Reply::Handle)
            }
            Request::PlayerWait(handle) => return self.await_player(initiator, handle, now),
            Request::PlayerStop(handle) => {
                self.stop_player(handle);
                return self.await_player(initiator, handle, now);
            }
            Request::PlayerPause(handle) => self.pause_player(handle, true),
            Request::PlayerResume(handle) => self.pause_player(handle, false),
            Request::PlayerSeek(handle, at) => self.seek_player(handle, at),
            Request::Collect(options) => match question::check(&options, &self.start.limits) {
                Ok(()) => return self.ask(initiator, *options, now),
                Err(error) => Err(error),
            },
            Request::NextKey { timeout } => return self.next_key(initiator, timeout, now),
            Request::Wait(duration) => return self.wait(initiator, duration, now),
            Request::SendDtmf(keys) => return self.send_keys(initiator, keys, now),
            Request::RecordMessage(options) => return self.begin_recording(initiator, *options, false, now),
            Request::StartRecording(options) => return self.begin_recording(initiator, *options, true, now),
            Request::RecorderPause(handle) => self.recorder_command(handle, MediaCommand::PauseRecording),
            Request::RecorderResume(handle) => self.recorder_command(handle, MediaCommand::ResumeRecording),
            Request::RecorderFinish(handle) => return self.finish_recorder(initiator, handle, now),
            Request::Transfer { target, options } => return self.transfer(initiator, &target, *options, now),
            Request::SetPace(pace) => {
                self.pace = pace;
                Ok(Reply::Done)
            }
            Request::Enqueue(wish) => return self.enqueue(initiator, *wish, now),
            Request::BookCallback(request) => return self.book_for_script(initiator, *request, now),
            Request::OfferCallback(offer) => return self.offer_for_script(initiator, *offer, now),
            // With a wait they are answered in `request_in_wait`.
            Request::QueueNext { .. } | Request::QueueConvert { .. } => {
                Err(CallError::NotFound("there is no such wait".into()))
            }
            Request::QueueLeave(_) => Ok(Reply::Done),
            // Answered in `request_at_any_time`.
            Request::Ended
            | Request::Tag(_)
            | Request::PlayerDrop(_)
            | Request::RecorderDrop(_)
            | Request::FlushKeys => Ok(Reply::Done),
        };
        self.answer(initiator, result, now);
    }

    fn needs_answer(&self, request: &Request) -> bool {
        let phase = self.legs.first().phase;
        match request {
            Request::Answer
            | Request::RecordMessage(_)
            | Request::StartRecording(_)
            | Request::SendDtmf(_)
            | Request::Enqueue(_)
            | Request::OfferCallback(_)
            | Request::Transfer { .. } => phase < LegPhase::Answered,
            Request::Say(_) | Request::PlayBackground { .. } | Request::Collect(_) => phase < LegPhase::EarlyMedia,
            Request::Hangup { goodbye: Some(_) } => phase < LegPhase::EarlyMedia,
            _ => false,
        }
    }

    pub(super) fn begin_answer(&mut self, initiator: Initiator, then: Option<Request>) {
        let first = self.legs.first_mut();
        if first.phase < LegPhase::Answering {
            first.phase = LegPhase::Answering;
            self.leg_command(LegId::FIRST, LegCommand::Answer);
        }
        self.pending = Some(Pending { initiator, operation: Operation::Answer { then } });
    }

    /// The ACK is in.
    pub(super) fn answer_finished(&mut self, now: Timestamp) {
        if !matches!(self.pending_operation(), Some(Operation::Answer { .. })) {
            return;
        }
        let Some(Pending { initiator, operation: Operation::Answer { then } }) = self.pending.take() else { return };
        match then {
            Some(request) => self.begin(initiator, request, now),
            None => self.answer(initiator, Ok(Reply::Done), now),
        }
    }

    fn early_media(&mut self) -> Result<Reply, CallError> {
        if self.legs.first().phase == LegPhase::Trying {
            self.legs.first_mut().phase = LegPhase::EarlyMedia;
            self.leg_command(LegId::FIRST, LegCommand::StartEarlyMedia);
        }
        Ok(Reply::Done)
    }

    fn reject(&mut self, initiator: Initiator, cause: RejectCause, now: Timestamp) {
        if self.legs.first().phase >= LegPhase::Answering {
            let error = CallError::Invalid("the call is answered already; hang up instead".into());
            self.answer(initiator, Err(error), now);
            return;
        }
        let status = match cause {
            RejectCause::Busy => 486,
            RejectCause::Declined => 603,
            RejectCause::Unavailable => 480,
            RejectCause::NotInService => 404,
        };
        self.leg_command(LegId::FIRST, LegCommand::Reject { status, retry_after: None });
        self.legs.end_first(HangupCause::Rejected, Some(status), EndedBy::Engine, now);
        self.answer(initiator, Ok(Reply::Done), now);
        self.caller_gone(EndReason::ScriptHangup, now);
    }

    fn say_goodbye(&mut self, initiator: Initiator, goodbye: Option<Arc<Prompt>>, now: Timestamp) {
        match goodbye {
            Some(prompt) => {
                self.play_foreground(vec![PromptSource::Script(prompt)], false);
                self.pending = Some(Pending { initiator, operation: Operation::Goodbye });
            }
            None => {
                self.answer(initiator, Ok(Reply::Done), now);
                self.hang_up(HangupCause::EngineHangup, now);
            }
        }
    }

    fn set_language(&mut self, lang: Arc<str>) -> Result<Reply, CallError> {
        let well_formed = !lang.is_empty()
            && lang.len() <= LANGUAGE_TAG_LEN_MAX
            && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !well_formed {
            return Err(CallError::Invalid("lang: not a language tag; \"ru-RU\" is one".into()));
        }
        self.legs.first_mut().record.lang = lang;
        Ok(Reply::Done)
    }

    fn say(&mut self, initiator: Initiator, prompt: &Arc<Prompt>, now: Timestamp) {
        // Who has pressed ahead is past this prompt already.
        if let Some(key) = self.keys_ahead.first().filter(|_| prompt.barge_in.dtmf) {
            let end = PlaybackEnd { finished: false, interrupted_by: Some(key), at: Duration::ZERO };
            self.answer(initiator, Ok(Reply::Playback(end)), now);
            return;
        }
        let source = PromptSource::Script(Arc::clone(prompt));
        self.play_foreground(vec![source], prompt.barge_in.dtmf);
        self.pending = Some(Pending { initiator, operation: Operation::Say });
    }

    fn await_player(&mut self, initiator: Initiator, handle: HandleId, now: Timestamp) {
        match self.player_end(handle) {
            Ok(None) => self.pending = Some(Pending { initiator, operation: Operation::AwaitPlayer(handle) }),
            Ok(Some(reply)) => self.answer(initiator, Ok(reply), now),
            Err(error) => self.answer(initiator, Err(error), now),
        }
    }

    fn next_key(&mut self, initiator: Initiator, timeout: Duration, now: Timestamp) {
        if let Some(key) = self.keys_ahead.take_first() {
            self.answer(initiator, Ok(Reply::Key(Some(key))), now);
            return;
        }
        match within("timeout", timeout, self.start.limits.wait_max) {
            Ok(timeout) => {
                let deadline = self.caller_clock(now) + timeout * self.patience();
                self.pending = Some(Pending { initiator, operation: Operation::NextKey { deadline } });
            }
            Err(error) => self.answer(initiator, Err(error), now),
        }
    }

    fn wait(&mut self, initiator: Initiator, duration: Duration, now: Timestamp) {
        match within("duration", duration, self.start.limits.wait_max) {
            Ok(duration) => {
                let deadline = self.caller_clock(now) + duration;
                self.pending = Some(Pending { initiator, operation: Operation::Wait { deadline } });
            }
            Err(error) => self.answer(initiator, Err(error), now),
        }
    }

    fn send_keys(&mut self, initiator: Initiator, keys: crate::privacy::Keys, now: Timestamp) {
        let row = keys.reveal();
        let sendable = row.chars().all(|key| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D'));
        if row.is_empty() || row.len() > SEND_KEYS_MAX || !sendable {
            let error = CallError::Invalid(format!("keys: 1 to {SEND_KEYS_MAX} of 0-9 * # A-D"));
            self.answer(initiator, Err(error), now);
            return;
        }
        self.media_command(LegId::FIRST, MediaCommand::SendKeys(keys));
        self.pending = Some(Pending { initiator, operation: Operation::SendKeys });
    }

    fn begin_recording(&mut self, initiator: Initiator, options: RecordOptions, background: bool, now: Timestamp) {
        match within("max", options.duration_max, self.start.limits.recording_duration_max) {
            Ok(_) => self.record(initiator, options, background, now),
            Err(error) => self.answer(initiator, Err(error), now),
        }
    }

    fn tag(&mut self, fields: &[(Arc<str>, Arc<str>)]) -> Result<Reply, CallError> {
        let limits = self.start.limits;
        let tags = &mut self.legs.first_mut().record.tags;
        if tags.len() + fields.len() > limits.tags_max {
            return Err(CallError::Quota(format!("tags: {} in one call", limits.tags_max)));
        }
        let too_long = |text: &Arc<str>| text.chars().count() > limits.tag_chars_max;
        if fields.iter().any(|(name, value)| name.is_empty() || too_long(name) || too_long(value)) {
            return Err(CallError::Invalid(format!("tag: 1 to {} characters", limits.tag_chars_max)));
        }
        tags.extend(fields.iter().cloned());
        Ok(Reply::Done)
    }

    /// A key from the caller.
    pub(super) fn key(&mut self, key: char, source: KeySource, now: Timestamp) {
        match self.pending_operation() {
            Some(Operation::Ask(_) | Operation::Dialog(_)) => self.question_key(key, source, now),
            Some(Operation::Record(message)) => match message.running() {
                None => self.question_key(key, source, now),
                Some(recording) => {
                    // The media room ends a recording by its own keys; INFO digits do not pass there.
                    if source == KeySource::Info && message.is_stop_key(key) {
                        self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
                    }
                }
            },
            Some(Operation::NextKey { .. }) => self.finish(Ok(Reply::Key(Some(key))), now),
            Some(Operation::Say) => {
                self.interrupt_foreground(key, source);
                self.keep_key(key);
            }
            // Goes to the other party; the media room relays it.
            Some(Operation::Transfer(transfer)) if transfer.is_bridged() => {}
            Some(Operation::Goodbye) => {}
            _ => {
                if !self.key_in_wait(key, now) {
                    self.keep_key(key);
                }
            }
        }
    }

    /// How many times longer than usual the caller is waited for.
    pub(super) const fn patience(&self) -> u32 {
        match self.pace {
            Pace::Normal => 1,
            Pace::Slow => 2,
        }
    }

    pub(super) const fn script_run(&self) -> Option<ScriptRun> {
        match self.script {
            ScriptState::Running(run) | ScriptState::Grace { run, .. } => Some(run),
            ScriptState::NotStarted | ScriptState::Finished => None,
        }
    }
}

/// Whether the caller gets something by it. The overlay and the host's own prompts are no script's doing.
const fn serves(request: &Request) -> bool {
    matches!(
        request,
        Request::Answer
            | Request::Say(_)
            | Request::PlayBackground { .. }
            | Request::Collect(_)
            | Request::SendDtmf(_)
            | Request::RecordMessage(_)
            | Request::StartRecording(_)
            | Request::Transfer { .. }
            | Request::Enqueue(_)
            | Request::OfferCallback(_)
            | Request::Hangup { .. }
    )
}
