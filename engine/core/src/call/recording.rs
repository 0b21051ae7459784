//! Recordings: a caller's message (with consent first where the script asks for it), and background recorders.

use super::input::{Command, MediaCommand, MediaEvent, RecordingId, RecordingPlan};
use super::question::{Question, Words};
use super::{CallMachine, Initiator, Operation, Pending};
use crate::ids::LegId;
use crate::input::{CollectOptions, Grammar, Outcome, Retry, Value};
use crate::script::{CallError, HandleId, RecordOptions, Recording, Reply};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

const CONSENT_ATTEMPTS: u8 = 2;
const CONSENT_TIMEOUT: Duration = Duration::from_secs(7);

/// The recording of one message.
#[derive(Debug)]
pub(super) struct MessageRecording {
    options: RecordOptions,
    stage: Stage,
    /// A background recorder, once there is consent: answered with its handle.
    in_background: bool,
}

#[derive(Debug)]
enum Stage {
    Consent(Box<Question>),
    Recording(RecordingId),
}

impl MessageRecording {
    pub(super) fn consent_question(&self) -> Option<&Question> {
        match &self.stage {
            Stage::Consent(question) => Some(question),
            Stage::Recording(_) => None,
        }
    }

    pub(super) fn consent_question_mut(&mut self) -> Option<&mut Question> {
        match &mut self.stage {
            Stage::Consent(question) => Some(question),
            Stage::Recording(_) => None,
        }
    }

    /// The recording that runs, if it does.
    pub(super) fn running(&self) -> Option<RecordingId> {
        match self.stage {
            Stage::Consent(_) => None,
            Stage::Recording(id) => Some(id),
        }
    }

    pub(super) fn is_stop_key(&self, key: char) -> bool {
        self.options.stop_keys.contains(key)
    }
}

/// Background recorders, and what is still to be reported of any recording.
#[derive(Debug, Default)]
pub(super) struct Recorders {
    next: u32,
    live: BTreeMap<HandleId, Recorder>,
    /// Begun, and neither reported nor thrown away: one report each is taken.
    outstanding: BTreeSet<RecordingId>,
}

#[derive(Debug)]
struct Recorder {
    recording: RecordingId,
    /// The script asked for it: it is kept even if the script does not live to hear so.
    finishing: bool,
    done: Option<Result<Recording, CallError>>,
}

impl Recorders {
    fn next_id(&mut self) -> RecordingId {
        self.next += 1;
        let id = RecordingId(self.next);
        self.outstanding.insert(id);
        id
    }

    /// The script is gone: what it did not finish is not wanted.
    pub(super) fn discard_all(&mut self, commands: &mut VecDeque<Command>) {
        for recorder in std::mem::take(&mut self.live).into_values() {
            self.discard(&recorder, commands);
        }
    }

    /// The script is taken out of the call: what it records ends, and is kept.
    pub(super) fn finish_all(&mut self, commands: &mut VecDeque<Command>) {
        for recorder in self.live.values_mut().filter(|recorder| recorder.done.is_none() && !recorder.finishing) {
            recorder.finishing = true;
            let finish = MediaCommand::FinishRecording(recorder.recording);
            commands.push_back(Command::Media(LegId::FIRST, finish));
        }
    }

    fn discard(&mut self, recorder: &Recorder, commands: &mut VecDeque<Command>) {
        if recorder.done.is_none() && !recorder.finishing {
            self.outstanding.remove(&recorder.recording);
            commands.push_back(Command::Media(LegId::FIRST, MediaCommand::DiscardRecording(recorder.recording)));
        }
    }
}

impl CallMachine {
    /// Begins a message, or a background recorder, as the pending operation.
    pub(super) fn record(&mut self, initiator: Initiator, options: RecordOptions, in_background: bool, now: Timestamp) {
        if in_background && !self.recorders.live.is_empty() {
            let error = CallError::BusyResource("a recorder is on already; finish or drop it first".into());
            self.answer(initiator, Err(error), now);
            return;
        }
        if let Some(prompt) = options.consent_prompt.clone() {
            let consent = CollectOptions {
                grammar: Grammar::YesNo,
                dtmf: true,
                speech: false,
                prompt: Some(prompt),
                first_timeout: CONSENT_TIMEOUT,
                inter_digit: CONSENT_TIMEOUT,
                retry: Retry { attempts: CONSENT_ATTEMPTS, no_input: None, no_match: None },
                sensitive: false,
                global_keys: Vec::new(),
            };
            let question = Question::in_words(consent, Words::Script);
            let message = MessageRecording { options, stage: Stage::Consent(Box::new(question)), in_background };
            self.pending = Some(Pending { initiator, operation: Operation::Record(Box::new(message)) });
            self.ask_first(now);
        } else {
            self.start_recording(initiator, options, in_background, now);
        }
    }

    /// The consent question is answered: only a clear yes records anything.
    pub(super) fn consent_given(&mut self, result: Result<Outcome, CallError>, now: Timestamp) {
        let yes = matches!(&result, Ok(Outcome::Ok(collected)) if collected.value == Value::Flag(true));
        if !yes {
            let error = result.err().unwrap_or_else(|| CallError::Denied("consent".into()));
            self.finish(Err(error), now);
            return;
        }
        if let Some(Pending { initiator, operation: Operation::Record(message) }) = self.pending.take() {
            self.start_recording(initiator, message.options, message.in_background, now);
        }
    }

    fn start_recording(&mut self, initiator: Initiator, options: RecordOptions, in_background: bool, now: Timestamp) {
        let id = self.recorders.next_id();
        let plan = RecordingPlan {
            duration_max: options.duration_max,
            silence_stop: Some(options.silence_stop).filter(|stop| !in_background && !stop.is_zero()),
            beep: options.beep,
            stop_keys: if in_background { String::new() } else { options.stop_keys.clone() },
            both_sides: in_background,
            retention_days: options.retention_days,
        };
        self.media_command(LegId::FIRST, MediaCommand::Record(id, plan));
        if in_background {
            let handle = self.playbacks.next_handle();
            self.recorders.live.insert(handle, Recorder { recording: id, finishing: false, done: None });
            self.answer(initiator, Ok(Reply::Handle(handle)), now);
        } else {
            let message = MessageRecording { options, stage: Stage::Recording(id), in_background };
            self.pending = Some(Pending { initiator, operation: Operation::Record(Box::new(message)) });
        }
    }

    pub(super) fn recorder_command(
        &mut self,
        handle: HandleId,
        command: impl FnOnce(RecordingId) -> MediaCommand,
    ) -> Result<Reply, CallError> {
        match self.recorders.live.get(&handle) {
            Some(Recorder { recording, done: None, .. }) => {
                let command = command(*recording);
                self.media_command(LegId::FIRST, command);
                Ok(Reply::Done)
            }
            _ => Err(CallError::NotFound("this recorder has ended".into())),
        }
    }

    /// Ends a recorder. Its answer comes with the media room's report, unless that is in already.
    pub(super) fn finish_recorder(&mut self, initiator: Initiator, handle: HandleId, now: Timestamp) {
        self.pending = Some(Pending { initiator, operation: Operation::FinishRecorder(handle) });
        match self.recorders.live.get_mut(&handle) {
            None => self.finish(Err(CallError::NotFound("this recorder has ended".into())), now),
            Some(Recorder { recording, done: None, finishing }) => {
                *finishing = true;
                let recording = *recording;
                self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
            }
            Some(Recorder { done: Some(_), .. }) => self.recorder_finished(handle, now),
        }
    }

    pub(super) fn drop_recorder(&mut self, handle: HandleId) {
        if let Some(recorder) = self.recorders.live.remove(&handle) {
            self.recorders.discard(&recorder, &mut self.commands);
        }
    }

    pub(super) fn recording_event(&mut self, event: MediaEvent, now: Timestamp) {
        let (id, result) = match event {
            MediaEvent::RecordingEnded { recording, name, duration, stopped_by, sha256 } => {
                (recording, Ok(Recording { id: name, duration, stopped_by, sha256 }))
            }
            MediaEvent::RecordingFailed { recording, error } => (recording, Err(error)),
            _ => return,
        };
        if !self.recorders.outstanding.remove(&id) {
            return;
        }
        if let Ok(recording) = &result {
            self.legs.first_mut().record.recordings.push(recording.clone());
        }
        let message =
            matches!(self.pending_operation(), Some(Operation::Record(message)) if message.running() == Some(id));
        if message {
            self.finish(result.map(Reply::Recording), now);
        } else if let Some((handle, recorder)) =
            self.recorders.live.iter_mut().find(|(_, recorder)| recorder.recording == id)
        {
            let handle = *handle;
            recorder.done = Some(result);
            if matches!(self.pending_operation(), Some(Operation::FinishRecorder(awaited)) if *awaited == handle) {
                self.recorder_finished(handle, now);
            }
        }
    }

    fn recorder_finished(&mut self, handle: HandleId, now: Timestamp) {
        if let Some(result) = self.recorders.live.remove(&handle).and_then(|recorder| recorder.done) {
            self.finish(result.map(Reply::Recording), now);
        }
    }
}
