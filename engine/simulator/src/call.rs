//! One call of a world: the machine, the people on its legs, and the events that they cause.

use crate::callee::Callee;
use crate::caller::{Act, Caller, KEY_GAP, Person};
use crate::centre::ToCentre;
use crate::checkers::Checkers;
use crate::decide::Open;
use crate::dialled::Far;
use crate::media::{PlannedEnd, SimMedia};
use crate::props::Props;
use crate::tasks::Slot;
use gudok_core::call::{
    CallMachine, CallStart, Command, Input, KeySource, MediaCommand, MediaEvent, PlaybackId, Purpose, RecordingId,
    ScriptRun, TranscriptLine,
};
use gudok_core::campaign::Heard;
use gudok_core::ids::{Agency, CallId, Entry, LegId};
use gudok_core::leg::{HangupCause, LegCommand, LegEvent};
use gudok_core::prompt::{LanguageTag, PromptSource};
use gudok_core::script::{CallError, Reply, ScriptEnd, StoppedBy};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What happens to a call by itself.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Happening {
    Caller(Act),
    PlaybackEnds(PlaybackId, u64),
    RecordingEnds(RecordingId, StoppedBy),
    Input(Input),
    /// It is heard who or what answered, if that is what is listened for still.
    Heard(u32, Heard),
    /// A sentence for the transcript with what it causes.
    Told(String, Input),
    /// Who waits has waited long enough, if keys were not waited for since they had been so often.
    GivesUp(u32),
}

/// What a call wants of the world for its scripts.
#[derive(Debug)]
pub(crate) enum Want {
    Start { run: ScriptRun, agency: Agency, entry: Entry },
    End { run: ScriptRun, reason: gudok_core::script::EndReason },
    Stop { run: ScriptRun },
}

/// One call.
#[derive(Debug)]
pub(crate) struct SimCall {
    pub(crate) number: usize,
    pub(crate) machine: CallMachine,
    pub(crate) wants: Vec<Want>,
    /// What concerns the centre, for its checkers.
    pub(crate) said: Vec<Command>,
    pub(crate) steps: u32,
    /// Whom a campaign calls.
    pub(crate) callee: Option<Callee>,
    /// Which listening this is.
    pub(crate) listening: u32,
    pub(crate) person: Person,
    /// What is decided as it comes.
    pub(crate) open: Open,
    media: SimMedia,
    /// By leg; none at 0.
    pub(crate) far: BTreeMap<LegId, Far>,
    replies: BTreeMap<ScriptRun, Vec<Arc<Slot>>>,
    masked: bool,
    /// The caller is on the line: whom we call is, once they have answered.
    present: bool,
    caller_gone: bool,
}

/// Signalling there and back.
pub(crate) const SIGNALLING: Duration = Duration::from_millis(80);
/// From a command to the media room's report.
const MEDIA_REPORT: Duration = Duration::from_millis(20);

impl SimCall {
    pub(crate) fn new(
        number: usize,
        caller: Caller,
        start: CallStart,
        props: &mut Props,
        checkers: &mut Checkers,
    ) -> Self {
        Self::begin(number, (caller, None), start, props, checkers)
    }

    /// A campaign calls somebody.
    pub(crate) fn calls(
        number: usize,
        callee: Callee,
        start: CallStart,
        props: &mut Props,
        checkers: &mut Checkers,
    ) -> Self {
        Self::begin(number, (callee.does.clone(), Some(callee)), start, props, checkers)
    }

    fn begin(
        number: usize,
        (caller, callee): (Caller, Option<Callee>),
        start: CallStart,
        props: &mut Props,
        checkers: &mut Checkers,
    ) -> Self {
        checkers.call_began(&start);
        let present = !matches!(start.purpose, Purpose::Callback(_) | Purpose::Campaign(_));
        let machine = CallMachine::new(start, props.now);
        let mut call = Self {
            number,
            machine,
            wants: Vec::new(),
            said: Vec::new(),
            steps: 0,
            callee,
            listening: 0,
            person: Person::new(caller),
            open: Open::default(),
            media: SimMedia::default(),
            far: BTreeMap::new(),
            replies: BTreeMap::new(),
            masked: false,
            present,
            caller_gone: false,
        };
        call.drain(props, checkers);
        call
    }

    pub(crate) fn id(&self) -> CallId {
        self.machine.id()
    }

    /// Its scripts.
    pub(crate) fn runs(&self) -> Vec<ScriptRun> {
        self.replies.keys().copied().chain([ScriptRun(0)]).collect()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.machine.is_over()
    }

    pub(crate) fn timeout(&mut self, props: &mut Props, checkers: &mut Checkers) {
        self.machine.handle_timeout(props.now);
        props.trace(self.number, format_args!("! deadline"));
        self.drain(props, checkers);
        checkers.timed_out(self.id(), props.now, self.machine.deadline());
    }

    pub(crate) fn asks(&mut self, run: ScriptRun, slot: Arc<Slot>) {
        self.replies.entry(run).or_default().push(slot);
    }

    pub(crate) fn happens(&mut self, happening: Happening, props: &mut Props, checkers: &mut Checkers) {
        match happening {
            Happening::Caller(act) => self.caller_acts(act, props, checkers),
            Happening::PlaybackEnds(playback, plan) => {
                if let Some((leg, at)) = self.media.ends(playback, plan) {
                    let event = MediaEvent::PlaybackEnded { playback, finished: true, interrupted_by: None, at };
                    self.feed(Input::Media(leg, event), props, checkers);
                }
            }
            Happening::RecordingEnds(recording, stopped_by) => {
                if self.media.recording_ends(recording) {
                    let event = self.recording_ended(recording, stopped_by, props);
                    self.feed(Input::Media(LegId::FIRST, event), props, checkers);
                }
            }
            Happening::Input(input) => self.feed(input, props, checkers),
            Happening::Heard(listening, heard) => {
                if let Some(input) = self.heard(listening, heard) {
                    self.feed(input, props, checkers);
                }
            }
            Happening::GivesUp(asked) => {
                if !self.caller_gone && self.gives_up(asked) {
                    self.hang_up(props, checkers);
                }
            }
            Happening::Told(sentence, input) => {
                if let Input::Leg(leg, event) = &input
                    && let Some(far) = self.far.get_mut(leg)
                {
                    if far.gone {
                        return;
                    }
                    far.answered |= *event == LegEvent::Answered;
                    far.gone |= matches!(event, LegEvent::Ended { .. });
                }
                props.line(self.number, sentence);
                self.feed(input, props, checkers);
            }
        }
    }

    /// Tells the machine, and does what it says.
    pub(crate) fn feed(&mut self, input: Input, props: &mut Props, checkers: &mut Checkers) {
        if self.present && !self.caller_gone {
            self.steps += 1;
            if props.trouble.hang_up_at_step == Some(self.steps - 1) {
                self.hang_up(props, checkers);
            }
        }
        if let Input::ScriptEnded { run, end } = &input {
            // A script that is gone waits for no answer.
            self.replies.remove(run);
            self.script_told(end, props);
        }
        if !props.quiet {
            let shown = self.shown(&input);
            props.trace(self.number, format_args!("< {shown}"));
        }
        if let Input::Leg(LegId::FIRST, LegEvent::Answered) = &input {
            self.present = true;
        }
        checkers.input(self.id(), &input);
        self.machine.handle(input, props.now);
        self.drain(props, checkers);
    }

    fn script_told(&self, end: &ScriptEnd, props: &mut Props) {
        match end {
            ScriptEnd::Stopped(cause) => props.line(self.number, format!("script: stopped ({})", cause.as_str())),
            ScriptEnd::Failed(CallError::Ended(_)) | ScriptEnd::Returned(_) | ScriptEnd::Informed(_) => {}
            ScriptEnd::Failed(error) => props.line(self.number, format!("script: failed ({error})")),
        }
    }

    /// An input for the trace: keys of sensitive questions are not in it.
    fn shown(&self, input: &Input) -> String {
        match input {
            Input::Media(leg, MediaEvent::Key { source, .. }) if self.masked => {
                format!("Media({leg:?}, Key {{ key: *, source: {source:?} }})")
            }
            Input::Media(leg, MediaEvent::PlaybackEnded { playback, at, .. }) if self.masked => {
                format!("Media({leg:?}, PlaybackEnded {{ playback: {playback:?}, at: {at:?} }})")
            }
            other => format!("{other:?}"),
        }
    }

    fn drain(&mut self, props: &mut Props, checkers: &mut Checkers) {
        while let Some(command) = self.machine.poll_command() {
            props.trace(self.number, format_args!("> {command:?}"));
            let for_centre = matches!(
                command,
                Command::Queue(_) | Command::Callback(_) | Command::Over | Command::Leg(_, LegCommand::Dial { .. })
            );
            if for_centre {
                self.said.push(command.clone());
            }
            checkers.command(self.id(), &command);
            self.carry_out(command, props);
        }
        checkers.settled(self.id(), self.machine.deadline());
        if !self.present || self.caller_gone {
            return;
        }
        self.look_at_open(props);
        if let Some((after, act)) = self.person.decides(self.media.prompt_plays()) {
            props.plan(after, self.number, Happening::Caller(act));
        }
    }

    fn carry_out(&mut self, command: Command, props: &mut Props) {
        match command {
            Command::Leg(LegId::FIRST, command) => self.first_leg(command, props),
            Command::Leg(leg, command) => self.far_leg(leg, command, props),
            Command::Media(leg, command) => self.media(leg, command, props),
            Command::Bridge(_, leg) => self.bridged(leg, props),
            Command::Unbridge(..) | Command::LegBegan(_) => {}
            Command::Campaign(report) => props.to_campaigns.push((self.id(), report)),
            Command::Supervise { .. } | Command::Unsupervise(_) => {}
            Command::Queue(order) => props.to_centre.push_back(ToCentre::Queue(self.id(), order)),
            Command::Callback(order) => props.to_centre.push_back(ToCentre::Callback(self.id(), order)),
            Command::Over => props.to_centre.push_back(ToCentre::Over(self.id())),
            Command::StartScript { run, agency, entry } => self.wants.push(Want::Start { run, agency, entry }),
            Command::EndScript { run, reason } => self.wants.push(Want::End { run, reason }),
            Command::StopScript { run } => self.wants.push(Want::Stop { run }),
            Command::Reply { run, result } => self.reply(run, result),
            Command::Transcript(line) => self.transcript(line, props),
            Command::LegEnded(record) => props.records.push(*record),
        }
    }

    fn reply(&mut self, run: ScriptRun, result: Result<Reply, CallError>) {
        if matches!(result, Ok(Reply::Outcome(_) | Reply::Key(_))) {
            self.person.asked = false;
        }
        // The newest: a second request at once is refused while the first goes on.
        if let Some(slot) = self.replies.get_mut(&run).and_then(Vec::pop) {
            slot.answer(result);
        }
    }

    /// A collector waits for a key; nothing in the transcript says so.
    pub(crate) fn key_is_wanted(&mut self) {
        self.person.asked = true;
    }

    fn transcript(&mut self, line: TranscriptLine, props: &mut Props) {
        match line {
            TranscriptLine::Prompt { sources, lang } => {
                let said = props.said(&sources, &lang);
                self.person.hears(&said.text);
                props.line_of(self.number, |_| format!("host: {}", said.text));
                if props.decider.is_some() {
                    self.speaks_to_caller(sources, lang, said, props);
                }
            }
            TranscriptLine::Collect => {
                self.person.asked = true;
                self.collects();
            }
            TranscriptLine::Interrupted | TranscriptLine::Bridged => {}
        }
    }

    fn first_leg(&mut self, command: LegCommand, props: &mut Props) {
        let answer = |event| Happening::Input(Input::Leg(LegId::FIRST, event));
        match command {
            LegCommand::Answer => props.plan(SIGNALLING, self.number, answer(LegEvent::Answered)),
            LegCommand::Reject { status, .. } => {
                self.caller_gone = true;
                props.line(self.number, format!("host rejects ({status})"));
            }
            LegCommand::Hangup => {
                self.caller_gone = true;
                props.line(self.number, "host hangs up".into());
            }
            LegCommand::Refer { target } => {
                let name = props.name_of(&target);
                props.line(self.number, format!("host refers the caller to {name}"));
                self.follow_refer(props);
            }
            LegCommand::ReferReplacing { other } => {
                let name = self.name(other);
                props.line(self.number, format!("host joins the caller with {name}"));
                self.follow_refer(props);
            }
            LegCommand::Dial { target, .. } => self.call_back(&target, props),
            LegCommand::Ring | LegCommand::StartEarlyMedia | LegCommand::ReferOutcome { .. } => {}
        }
    }

    /// The caller's agent answers a REFER with that from now on.
    pub(crate) const fn refer_status(&mut self, status: u16) {
        self.person.caller.refer_status = status;
    }

    /// Somebody who was dialled is with the caller.
    pub(crate) fn is_talking(&self) -> bool {
        self.far.values().any(|far| far.answered && !far.gone)
    }

    fn follow_refer(&self, props: &mut Props) {
        let status = self.person.caller.refer_status;
        for (after, status) in [(SIGNALLING, 100), (SIGNALLING * 10, status)] {
            let event = LegEvent::ReferProgress { status };
            props.plan(after, self.number, Happening::Input(Input::Leg(LegId::FIRST, event)));
        }
    }

    fn media(&mut self, leg: LegId, command: MediaCommand, props: &mut Props) {
        let now = props.now;
        match command {
            MediaCommand::Play { playback, sources, barge_in, loop_forever, lang, pace } => {
                if leg == LegId::FIRST && !loop_forever {
                    self.plays_to_caller(barge_in, pace);
                }
                self.play(leg, playback, (&sources, &lang), (barge_in, loop_forever), props);
            }
            MediaCommand::Stop(playback) => {
                if let Some((leg, at)) = self.media.stop(playback, now) {
                    let event = MediaEvent::PlaybackEnded { playback, finished: false, interrupted_by: None, at };
                    props.plan(MEDIA_REPORT, self.number, Happening::Input(Input::Media(leg, event)));
                }
            }
            MediaCommand::Pause(playback) => self.media.pause(playback, now),
            MediaCommand::Resume(playback) => {
                let end = self.media.resume(playback, now);
                self.plan_end(playback, end, props);
            }
            MediaCommand::Seek(playback, to) => {
                let end = self.media.seek(playback, to, now);
                self.plan_end(playback, end, props);
            }
            MediaCommand::Record(id, plan) => {
                let message = !plan.both_sides;
                let decided = message.then(|| self.message_decided(&plan, props)).flatten();
                let speaks = match decided {
                    Some(time) => time,
                    None if message => self.person.speaks(),
                    None => Duration::MAX,
                };
                if !speaks.is_zero() && message {
                    props.line(self.number, format!("caller speaks for {} s", speaks.as_secs()));
                }
                let silent = plan.silence_stop.map(|silence| speaks.saturating_add(silence));
                let (after, by) = match silent.filter(|silent| *silent < plan.duration_max) {
                    Some(silent) => (silent, StoppedBy::Silence),
                    None => (plan.duration_max, StoppedBy::Max),
                };
                self.media.record(id, plan);
                props.plan(after, self.number, Happening::RecordingEnds(id, by));
            }
            MediaCommand::FinishRecording(id) => {
                let by = if self.caller_gone { StoppedBy::Hangup } else { StoppedBy::Script };
                props.plan(MEDIA_REPORT, self.number, Happening::RecordingEnds(id, by));
            }
            MediaCommand::DiscardRecording(id) => drop(self.media.recording_ends(id)),
            MediaCommand::Mask(on) => self.masked = on,
            MediaCommand::SendKeys(keys) => {
                let time = KEY_GAP * u32::try_from(keys.reveal().len()).unwrap_or(u32::MAX);
                let sent = Input::Media(LegId::FIRST, MediaEvent::KeysSent);
                props.plan(time, self.number, Happening::Input(sent));
            }
            MediaCommand::Listen(listen) => self.listen(listen, props),
            MediaCommand::PauseRecording(_) | MediaCommand::ResumeRecording(_) => {}
        }
    }

    fn play(
        &mut self,
        leg: LegId,
        playback: PlaybackId,
        (sources, lang): (&[PromptSource], &LanguageTag),
        (barge_in, looped): (bool, bool),
        props: &mut Props,
    ) {
        let music = matches!(sources, [PromptSource::Music(_)]);
        if !music && props.dice.percent(props.trouble.failing_playback_percent) {
            let error = CallError::Unavailable("speech: trouble".into());
            let failed = MediaEvent::PlaybackFailed { playback, error };
            props.line(self.number, "(the prompt cannot be played)".into());
            props.plan(MEDIA_REPORT, self.number, Happening::Input(Input::Media(leg, failed)));
            return;
        }
        let spoken = props.said(sources, lang).lasts;
        let late = props.dice.up_to(props.trouble.slow_speech_max);
        let length = spoken.saturating_add(late);
        let end = self.media.play(leg, playback, (length, looped || music), barge_in, props.now);
        self.plan_end(playback, end, props);
    }

    fn plan_end(&self, playback: PlaybackId, end: Option<PlannedEnd>, props: &mut Props) {
        if let Some(end) = end {
            let after = end.at.since(props.now);
            props.plan(after, self.number, Happening::PlaybackEnds(playback, end.plan));
        }
    }

    fn recording_ended(&self, recording: RecordingId, stopped_by: StoppedBy, props: &mut Props) -> MediaEvent {
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&props.dice.roll().to_be_bytes());
        let name = Arc::from(format!("{}-{}", self.number, recording.0));
        MediaEvent::RecordingEnded { recording, name, duration: Duration::from_secs(1), stopped_by, sha256 }
    }

    fn caller_acts(&mut self, act: Act, props: &mut Props, checkers: &mut Checkers) {
        if self.caller_gone {
            return;
        }
        match act {
            Act::Press(keys) => self.press(&keys, props, checkers),
            Act::Hold(time) => {
                props.line(self.number, "caller holds".into());
                props.plan(time, self.number, Happening::Caller(Act::Resume));
                self.feed(Input::Leg(LegId::FIRST, LegEvent::Held), props, checkers);
            }
            Act::Resume => {
                props.line(self.number, "caller is back".into());
                self.person.done();
                self.feed(Input::Leg(LegId::FIRST, LegEvent::Resumed), props, checkers);
            }
            Act::Done => {
                self.person.done();
                self.drain(props, checkers);
            }
            Act::HangUp => self.hang_up(props, checkers),
        }
    }

    fn hang_up(&mut self, props: &mut Props, checkers: &mut Checkers) {
        self.caller_gone = true;
        props.line(self.number, "caller hangs up".into());
        let ended = LegEvent::Ended { cause: HangupCause::PartyHangup, status: None };
        self.feed(Input::Leg(LegId::FIRST, ended), props, checkers);
    }

    /// The first of these keys goes out; the rest follow.
    fn press(&mut self, keys: &str, props: &mut Props, checkers: &mut Checkers) {
        let mut rest = keys.chars();
        let first = rest.next();
        self.person.asked = false;
        if rest.as_str().is_empty() {
            self.person.done();
        } else {
            props.plan(KEY_GAP, self.number, Happening::Caller(Act::Press(rest.as_str().to_owned())));
        }
        let Some(key) = first else { return self.drain(props, checkers) };
        let lost = props.dice.percent(props.trouble.lost_keys_percent);
        let shown = if self.masked { '*' } else { key };
        props.line(self.number, format!("caller: {shown}{}", if lost { " (lost)" } else { "" }));
        if lost {
            return self.drain(props, checkers);
        }
        let source = self.person.caller.key_source;
        // The media room acts before it tells: it stops what the key interrupts, and ends what the key ends.
        let interrupted = self.media.interruptible().filter(|_| source == KeySource::Media);
        let interrupted = interrupted.and_then(|playback| Some((playback, self.media.stop(playback, props.now)?.1)));
        let message = self.media.message_ended_by(key).filter(|_| source == KeySource::Media);
        let first = LegId::FIRST;
        self.feed(Input::Media(first, MediaEvent::Key { key, source }), props, checkers);
        if let Some((playback, at)) = interrupted {
            let event = MediaEvent::PlaybackEnded { playback, finished: false, interrupted_by: Some(key), at };
            self.feed(Input::Media(first, event), props, checkers);
        }
        if let Some(recording) = message {
            props.plan(MEDIA_REPORT, self.number, Happening::RecordingEnds(recording, StoppedBy::Key));
        }
    }
}
