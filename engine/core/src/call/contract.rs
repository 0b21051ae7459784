//! What the machine promises to whoever drives it, as a checker: it is shown every input, command and deadline of one
//! call, and says which promise was broken. Tests, the simulator and the explorer use the same one.

use super::campaign_contract::CampaignContract;
use super::centre_contract::CentreContract;
use super::input::{CallStart, Command, Input, MediaCommand, MediaEvent, PlaybackId, Purpose, RecordingId, ScriptRun};
use crate::ids::LegId;
use crate::leg::{LegCommand, LegEvent};
use crate::prompt::{Prompt, PromptSource};
use crate::records::LegRecord;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often a deadline may come due at one and the same moment: a question of ten attempts without any time to answer.
const TIMEOUTS_AT_ONE_MOMENT_MAX: u32 = 32;

/// The promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the call machine broke a promise: {0}")]
pub struct BrokenPromise(pub(super) String);

/// What is known of one call from outside.
///
/// Show it each input with [`Contract::input`] before the machine gets it, each command with [`Contract::command`], and the
/// deadline with [`Contract::settled`] when the commands are drained; after a timeout, with [`Contract::timed_out`] too.
#[derive(Debug)]
pub struct Contract {
    overlay: Option<Overlay>,
    /// The script's part was what ended with the last input: nobody is cut off for that.
    script_only: bool,
    /// In order; the first is the caller's.
    legs: Vec<Leg>,
    /// The caller is gone, though the record may not be out.
    caller_gone: bool,
    scripts: BTreeMap<ScriptRun, Script>,
    requests: BTreeMap<ScriptRun, u32>,
    bridged: Option<LegId>,
    masked: bool,
    /// Whether each has been told to stop.
    playbacks: BTreeMap<PlaybackId, bool>,
    recordings: BTreeMap<RecordingId, Fate>,
    over: bool,
    timeouts: (Timestamp, u32),
    centre: CentreContract,
    campaign: CampaignContract,
}

#[derive(Debug)]
struct Overlay {
    prompt: Arc<Prompt>,
    playback: Option<PlaybackId>,
    heard: bool,
}

#[derive(Debug)]
struct Leg {
    dialled: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Script {
    told_end: bool,
    stopped: bool,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Running,
    Finishing,
    Discarded,
}

pub(super) type Kept = Result<(), BrokenPromise>;

impl Contract {
    /// Of the call that begins so.
    #[must_use]
    pub fn new(start: &CallStart) -> Self {
        let announces = !matches!(start.purpose, Purpose::Callback(_) | Purpose::Campaign(_));
        let overlay = start.overlay.as_ref().filter(|_| announces).map(|overlay| Overlay {
            prompt: Arc::clone(&overlay.prompt),
            playback: None,
            heard: false,
        });
        Self {
            overlay,
            script_only: false,
            legs: Vec::new(),
            caller_gone: false,
            scripts: BTreeMap::new(),
            requests: BTreeMap::new(),
            bridged: None,
            masked: false,
            playbacks: BTreeMap::new(),
            recordings: BTreeMap::new(),
            over: false,
            timeouts: (Timestamp::default(), 0),
            centre: CentreContract::new(start),
            campaign: CampaignContract::new(start),
        }
    }

    /// What the machine is about to be told.
    pub fn input(&mut self, input: &Input) {
        if self.over {
            return;
        }
        self.script_only = matches!(input, Input::Land(_) | Input::ScriptEnded { .. });
        self.centre.input(input);
        self.campaign.input(input, self.caller_gone);
        match input {
            Input::Leg(LegId::FIRST, LegEvent::Ended { .. }) => self.caller_gone |= self.caller_is_there(),
            Input::Media(LegId::FIRST, MediaEvent::PlaybackEnded { playback, .. })
            | Input::Media(LegId::FIRST, MediaEvent::PlaybackFailed { playback, .. }) => {
                if let Some(overlay) = self.overlay.as_mut().filter(|overlay| overlay.playback == Some(*playback)) {
                    overlay.heard = true;
                }
            }
            Input::ScriptRequest { run, .. } => *self.requests.entry(*run).or_default() += 1,
            Input::ScriptEnded { run, .. } => {
                if let Some(script) = self.scripts.get_mut(run) {
                    script.ended = true;
                    self.requests.remove(run);
                }
            }
            _ => {}
        }
    }

    /// What the machine says.
    ///
    /// # Errors
    /// The promise that this breaks.
    pub fn command(&mut self, command: &Command) -> Kept {
        promise(!self.over, || format!("nothing after Over, but {command:?}"))?;
        match command {
            Command::LegBegan(record) => self.leg_began(record),
            Command::LegEnded(record) => self.leg_ended(record),
            Command::Leg(leg, command) => self.leg_command(*leg, command),
            Command::Media(leg, command) => self.media_command(*leg, command),
            Command::Bridge(first, leg) => {
                promise(*first == LegId::FIRST, || "a bridge begins with the caller".into())?;
                promise(self.lives(*leg) && !self.caller_gone, || format!("a bridge to {leg:?}, which is gone"))?;
                promise(!self.masked, || "recorded silence while the caller talks to somebody".into())?;
                self.centre.acted();
                let before = self.bridged.replace(*leg);
                promise(before.is_none(), || format!("bridged to {leg:?} and {before:?} at once"))
            }
            Command::Unbridge(_, leg) => {
                promise(!self.script_only, || format!("unbridged from {leg:?} because of the script's end"))?;
                self.centre.parted()?;
                promise(self.bridged.take() == Some(*leg), || format!("unbridged from {leg:?}, which was not bridged"))
            }
            Command::StartScript { run, .. } => self.start_script(*run),
            Command::Reply { run, .. } => self.reply(*run),
            Command::EndScript { run, .. } => {
                let script = self.script(*run)?;
                let first = !std::mem::replace(&mut script.told_end, true) && !script.ended && !script.stopped;
                promise(first, || format!("{run:?} was told the end, though it had ended or knew"))
            }
            Command::StopScript { run } => {
                let script = self.script(*run)?;
                let first = !std::mem::replace(&mut script.stopped, true) && !script.ended;
                self.requests.remove(run);
                promise(first, || format!("{run:?} was stopped, though it had ended or was stopped before"))
            }
            Command::Transcript(_) => Ok(()),
            Command::Supervise { leg, operator, .. } => {
                promise(self.lives(*leg), || format!("{leg:?} listens, and is gone"))?;
                promise(self.bridged == Some(*operator), || {
                    format!("{leg:?} listens to {operator:?}, who does not talk")
                })?;
                self.centre.supervise(*leg)
            }
            Command::Unsupervise(leg) => self.centre.unsupervise(*leg),
            Command::Queue(order) => self.centre.queue(order),
            Command::Callback(order) => self.centre.callback(order, self.bridged.is_some()),
            Command::Campaign(report) => self.campaign.report(report),
            Command::Over => self.over(),
        }
    }

    /// The commands are drained; what holds between two inputs.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn settled(&mut self, deadline: Option<Timestamp>) -> Kept {
        // Whatever comes next is not the last input's doing.
        self.script_only = false;
        if self.over {
            return promise(deadline.is_none(), || "a call that is over has a deadline".into());
        }
        promise(deadline.is_some(), || "a call that lives has no deadline".into())?;
        self.centre.settled(self.caller_gone)?;
        if let Some(leg) = self.bridged {
            promise(self.lives(leg), || format!("still bridged to {leg:?}, which is gone"))?;
        }
        if self.caller_gone {
            let untold = self.scripts.iter().find(|(_, script)| !script.told_end && !script.stopped && !script.ended);
            promise(untold.is_none(), || format!("the caller is gone and {untold:?} was not told"))?;
            promise(self.legs.iter().skip(1).all(|leg| leg.ended), || "a leg outlives its caller".into())?;
        }
        Ok(())
    }

    /// The machine was told of a deadline at `now`, and settled: it must have got on, else its driver spins.
    ///
    /// # Errors
    /// The promise that is broken.
    pub fn timed_out(&mut self, now: Timestamp, deadline: Option<Timestamp>) -> Kept {
        let due = deadline.is_some_and(|deadline| deadline <= now);
        let before = if self.timeouts.0 == now { self.timeouts.1 } else { 0 };
        self.timeouts = (now, if due { before + 1 } else { 0 });
        let spins = self.timeouts.1 > TIMEOUTS_AT_ONE_MOMENT_MAX;
        promise(!spins, || format!("the deadline {deadline:?} stands still"))
    }

    /// Whether Over was said.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    fn leg_began(&mut self, record: &LegRecord) -> Kept {
        promise(usize::from(record.leg.0) == self.legs.len(), || format!("{:?} began out of order", record.leg))?;
        promise(!self.caller_gone, || format!("{:?} began after the caller had gone", record.leg))?;
        self.legs.push(Leg { dialled: false, ended: false });
        Ok(())
    }

    fn leg_ended(&mut self, record: &LegRecord) -> Kept {
        promise(self.lives(record.leg), || format!("a second end of {:?}, or one without a beginning", record.leg))?;
        promise(record.started <= record.ended, || "a leg ended before it began".into())?;
        promise(record.answered.is_none_or(|at| at >= record.started && at <= record.ended), || {
            "a leg was answered outside its time".into()
        })?;
        self.legs[usize::from(record.leg.0)].ended = true;
        self.caller_gone |= record.leg == LegId::FIRST && !self.caller_is_there();
        Ok(())
    }

    fn leg_command(&mut self, leg: LegId, command: &LegCommand) -> Kept {
        promise(self.lives(leg), || format!("{command:?} for {leg:?}, which does not live"))?;
        if leg == LegId::FIRST {
            if self.campaign.is_one() {
                self.campaign.leg(command)?;
            } else {
                self.centre.of_caller(matches!(command, LegCommand::Dial { .. }))?;
            }
            promise(!self.caller_gone, || format!("{command:?} for a caller who is gone"))?;
            self.caller_gone = matches!(command, LegCommand::Hangup | LegCommand::Reject { .. });
            return Ok(());
        }
        let dialled = &mut self.legs[usize::from(leg.0)].dialled;
        let dials = matches!(command, LegCommand::Dial { .. });
        let before = std::mem::replace(dialled, true);
        promise(dials != before, || format!("{command:?} for {leg:?} out of order"))
    }

    fn media_command(&mut self, leg: LegId, command: &MediaCommand) -> Kept {
        let recording = matches!(command, MediaCommand::FinishRecording(_) | MediaCommand::DiscardRecording(_));
        promise(self.lives(leg), || format!("{command:?} for {leg:?}, which does not live"))?;
        promise(leg != LegId::FIRST || !self.caller_gone || recording, || {
            format!("{command:?} for a caller who is gone")
        })?;
        if leg == LegId::FIRST {
            self.centre.of_caller(false)?;
            self.campaign.media(command)?;
        }
        match command {
            MediaCommand::Play { playback, sources, barge_in, .. } => {
                self.overlay_first(leg, *playback, sources, *barge_in)?;
                if leg == LegId::FIRST {
                    self.centre.acted();
                }
                let new = self.playbacks.insert(*playback, false).is_none();
                promise(new, || format!("{playback:?} twice"))
            }
            MediaCommand::Stop(playback) => {
                let stopped = self.playbacks.insert(*playback, true);
                promise(stopped == Some(false), || format!("{playback:?} stopped twice, or never played"))
            }
            MediaCommand::Pause(playback) | MediaCommand::Resume(playback) | MediaCommand::Seek(playback, _) => {
                let stopped = self.playbacks.get(playback) != Some(&false);
                promise(!stopped, || format!("{command:?} of one that was stopped, or never played"))
            }
            MediaCommand::Record(id, _) => {
                let new = self.recordings.insert(*id, Fate::Running).is_none();
                promise(new, || format!("{id:?} twice"))
            }
            MediaCommand::FinishRecording(id) => self.recording_ends(*id, Fate::Finishing),
            MediaCommand::DiscardRecording(id) => self.recording_ends(*id, Fate::Discarded),
            MediaCommand::PauseRecording(id) | MediaCommand::ResumeRecording(id) => {
                let running = self.recordings.get(id) == Some(&Fate::Running);
                promise(running, || format!("{command:?} of one that does not run"))
            }
            MediaCommand::Mask(on) => {
                promise(std::mem::replace(&mut self.masked, *on) != *on, || format!("masked {on} twice"))
            }
            MediaCommand::SendKeys(_) | MediaCommand::Listen(_) => Ok(()),
        }
    }

    /// A recording may be told to finish more than once (by a key, then by the hang-up), but never after it was thrown
    /// away, nor thrown away once it was to be kept.
    fn recording_ends(&mut self, id: RecordingId, fate: Fate) -> Kept {
        let before = self.recordings.insert(id, fate);
        let fits = match before {
            Some(Fate::Running) => true,
            Some(Fate::Finishing) => fate == Fate::Finishing,
            Some(Fate::Discarded) | None => false,
        };
        promise(fits, || format!("{id:?} is to be {fate:?}, and was {before:?}"))
    }

    fn overlay_first(&mut self, leg: LegId, playback: PlaybackId, sources: &[PromptSource], barge_in: bool) -> Kept {
        let Some(overlay) = self.overlay.as_mut().filter(|overlay| leg == LegId::FIRST && overlay.playback.is_none())
        else {
            return Ok(());
        };
        overlay.playback = Some(playback);
        let whole = matches!(sources, [PromptSource::Script(prompt)] if Arc::ptr_eq(prompt, &overlay.prompt));
        promise(whole && !barge_in, || "the overlay is not heard first, or can be interrupted".into())
    }

    fn start_script(&mut self, run: ScriptRun) -> Kept {
        let heard = self.overlay.as_ref().is_none_or(|overlay| overlay.heard);
        promise(heard, || format!("{run:?} starts before the overlay was heard"))?;
        promise(!self.masked, || "a script starts with its caller masked".into())?;
        promise(!self.caller_gone, || format!("{run:?} starts for a caller who is gone"))?;
        self.campaign.script()?;
        let next = self.scripts.len() == usize::from(run.0);
        let alone = self.scripts.values().all(|script| script.told_end || script.stopped || script.ended);
        self.scripts.insert(run, Script::default());
        promise(next && alone, || format!("{run:?} starts out of order, or beside another"))
    }

    fn reply(&mut self, run: ScriptRun) -> Kept {
        let open = self.requests.get(&run).copied().unwrap_or(0);
        promise(open > 0, || format!("a reply to {run:?}, which has asked nothing"))?;
        self.requests.insert(run, open - 1);
        Ok(())
    }

    fn script(&mut self, run: ScriptRun) -> Result<&mut Script, BrokenPromise> {
        self.scripts.get_mut(&run).ok_or_else(|| BrokenPromise(format!("{run:?} was never started")))
    }

    fn over(&mut self) -> Kept {
        promise(self.legs.iter().all(|leg| leg.ended), || "a leg has no record at the end".into())?;
        promise(self.caller_gone, || "over while the caller lives".into())?;
        promise(self.bridged.is_none(), || "over, and still bridged".into())?;
        self.centre.over()?;
        self.campaign.over()?;
        let open: BTreeSet<_> = self.requests.iter().filter(|(_, open)| **open > 0).map(|(run, _)| *run).collect();
        promise(open.is_empty(), || format!("over, and {open:?} have no reply"))?;
        self.over = true;
        Ok(())
    }

    /// Whom we call is there once they are dialled.
    fn caller_is_there(&self) -> bool {
        self.centre.caller_is_there() && self.campaign.callee_is_there()
    }

    fn lives(&self, leg: LegId) -> bool {
        self.legs.get(usize::from(leg.0)).is_some_and(|leg| !leg.ended)
    }
}

pub(super) fn promise(kept: bool, otherwise: impl FnOnce() -> String) -> Kept {
    if kept { Ok(()) } else { Err(BrokenPromise(otherwise())) }
}
