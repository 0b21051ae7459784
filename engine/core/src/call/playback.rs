//! Who is heard: one foreground prompt at a time, and background players that stand still meanwhile.

use super::input::{Command, KeySource, MediaCommand, MediaEvent, PlaybackId, TranscriptLine};
use super::{CallMachine, Operation};
use crate::ids::LegId;
use crate::leg::HangupCause;
use crate::prompt::{Pace, PromptSource};
use crate::script::{CallError, HandleId, PlaybackEnd, Reply};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Every playback of a call.
#[derive(Debug, Default)]
pub(super) struct Playbacks {
    next_playback: u32,
    next_handle: u32,
    foreground: Option<Foreground>,
    players: BTreeMap<HandleId, Player>,
    /// What the caller hears while somebody is dialled.
    music: Option<Music>,
}

#[derive(Debug)]
struct Music {
    playback: PlaybackId,
    /// It stands still while somebody speaks.
    held: bool,
}

#[derive(Debug)]
struct Foreground {
    playback: PlaybackId,
    barge_in: bool,
    /// A key that we know of before the media room does (SIP INFO).
    interrupted_by: Option<char>,
}

#[derive(Debug)]
struct Player {
    playback: PlaybackId,
    state: PlayerState,
}

#[derive(Debug)]
enum PlayerState {
    Playing,
    /// By the script; a foreground prompt does not wake it.
    Paused,
    /// Told to stop; its report is not in.
    Stopping,
    Ended(Result<PlaybackEnd, CallError>),
}

impl Playbacks {
    pub(super) fn next_id(&mut self) -> PlaybackId {
        self.next_playback += 1;
        PlaybackId(self.next_playback)
    }

    pub(super) fn next_handle(&mut self) -> HandleId {
        self.next_handle += 1;
        HandleId(self.next_handle)
    }

    /// The call is over; nothing is heard any more.
    pub(super) fn forget(&mut self) {
        self.foreground = None;
        self.players.clear();
        self.music = None;
    }
}

impl CallMachine {
    /// Plays to the caller; background players stand still until it is over.
    pub(super) fn play_foreground(&mut self, sources: Vec<PromptSource>, barge_in: bool) -> PlaybackId {
        let playback = self.playbacks.next_id();
        self.stop_foreground();
        self.hold_players(true);
        self.playbacks.foreground = Some(Foreground { playback, barge_in, interrupted_by: None });
        self.transcribe_prompt(&sources);
        let said = match self.pace {
            Pace::Normal => sources,
            Pace::Slow => [sources.clone(), sources].concat(),
        };
        self.play(LegId::FIRST, playback, said, barge_in, false);
        playback
    }

    pub(super) fn play(
        &mut self,
        leg: LegId,
        playback: PlaybackId,
        sources: Vec<PromptSource>,
        barge_in: bool,
        loop_forever: bool,
    ) {
        let lang = self.legs.first().record.lang.clone();
        self.media_command(
            leg,
            MediaCommand::Play { playback, sources, lang, barge_in, loop_forever, pace: self.pace },
        );
    }

    /// Whether a foreground prompt is heard.
    pub(super) const fn is_speaking(&self) -> bool {
        self.playbacks.foreground.is_some()
    }

    /// Stops whoever speaks; what stood still meanwhile is heard again.
    pub(super) fn end_foreground(&mut self) {
        self.stop_foreground();
        self.hold_players(false);
    }

    /// What the caller hears while waiting for a person.
    pub(super) fn start_music(&mut self, music: Option<Arc<str>>) {
        self.stop_music();
        let playback = self.playbacks.next_id();
        self.play(LegId::FIRST, playback, vec![PromptSource::Music(music)], false, true);
        self.playbacks.music = Some(Music { playback, held: false });
        if self.is_speaking() {
            self.hold_music(true);
        }
    }

    pub(super) fn stop_music(&mut self) {
        if let Some(music) = self.playbacks.music.take()
            && self.legs.is_live(LegId::FIRST)
        {
            self.media_command(LegId::FIRST, MediaCommand::Stop(music.playback));
        }
    }

    fn hold_music(&mut self, hold: bool) {
        if let Some(music) = self.playbacks.music.as_mut().filter(|music| music.held != hold) {
            music.held = hold;
            let playback = music.playback;
            let command = if hold { MediaCommand::Pause(playback) } else { MediaCommand::Resume(playback) };
            self.media_command(LegId::FIRST, command);
        }
    }

    pub(super) fn stop_foreground(&mut self) {
        // One that a key interrupted is stopped already.
        if let Some(foreground) = self.playbacks.foreground.take().filter(|prompt| prompt.interrupted_by.is_none()) {
            self.media_command(LegId::FIRST, MediaCommand::Stop(foreground.playback));
        }
    }

    /// The foreground prompt is stopped already; its report is not waited for.
    pub(super) fn release_foreground(&mut self) {
        self.playbacks.foreground = None;
        self.hold_players(false);
    }

    /// A key while a foreground prompt plays: whether it interrupts, and if so, the stop where the media room did not.
    pub(super) fn interrupt_foreground(&mut self, key: char, source: KeySource) -> bool {
        let Some(foreground) = self.playbacks.foreground.as_mut().filter(|foreground| foreground.barge_in) else {
            return false;
        };
        let playback = foreground.playback;
        if foreground.interrupted_by.replace(key).is_none() {
            self.transcribe(TranscriptLine::Interrupted);
            if source == KeySource::Info {
                self.media_command(LegId::FIRST, MediaCommand::Stop(playback));
            }
        }
        true
    }

    pub(super) fn start_player(&mut self, source: PromptSource, loop_forever: bool) -> Result<HandleId, CallError> {
        if self.playbacks.players.len() >= self.start.limits.players_max {
            let max = self.start.limits.players_max;
            return Err(CallError::Quota(format!("players: {max} at once; drop one first")));
        }
        let handle = self.playbacks.next_handle();
        let playback = self.playbacks.next_id();
        self.transcribe_prompt(std::slice::from_ref(&source));
        self.play(LegId::FIRST, playback, vec![source], false, loop_forever);
        self.playbacks.players.insert(handle, Player { playback, state: PlayerState::Playing });
        Ok(handle)
    }

    /// Its end, if that has come.
    pub(super) fn player_end(&self, handle: HandleId) -> Result<Option<Reply>, CallError> {
        match self.playbacks.players.get(&handle).map(|player| &player.state) {
            None => Err(CallError::NotFound("this player was dropped".into())),
            Some(PlayerState::Ended(end)) => end.clone().map(|end| Some(Reply::Playback(end))),
            Some(_) => Ok(None),
        }
    }

    /// Pauses (or resumes) a player on the script's word.
    pub(super) fn pause_player(&mut self, handle: HandleId, pause: bool) -> Result<Reply, CallError> {
        let player = self.live_player(handle)?;
        player.state = if pause { PlayerState::Paused } else { PlayerState::Playing };
        let playback = player.playback;
        let command = if pause { MediaCommand::Pause(playback) } else { MediaCommand::Resume(playback) };
        self.media_command(LegId::FIRST, command);
        Ok(Reply::Done)
    }

    pub(super) fn seek_player(&mut self, handle: HandleId, at: Duration) -> Result<Reply, CallError> {
        let playback = self.live_player(handle)?.playback;
        self.media_command(LegId::FIRST, MediaCommand::Seek(playback, at));
        Ok(Reply::Done)
    }

    /// Stops a player; its end comes as an event where it still played.
    pub(super) fn stop_player(&mut self, handle: HandleId) {
        if let Some(player) = self.playbacks.players.get_mut(&handle)
            && matches!(player.state, PlayerState::Playing | PlayerState::Paused)
        {
            player.state = PlayerState::Stopping;
            let playback = player.playback;
            self.media_command(LegId::FIRST, MediaCommand::Stop(playback));
        }
    }

    pub(super) fn drop_player(&mut self, handle: HandleId) {
        self.stop_player(handle);
        self.playbacks.players.remove(&handle);
    }

    /// The script is gone: so are its players.
    pub(super) fn drop_all_players(&mut self) {
        let handles: Vec<HandleId> = self.playbacks.players.keys().copied().collect();
        for handle in handles {
            self.drop_player(handle);
        }
    }

    pub(super) fn playback_event(&mut self, leg: LegId, event: MediaEvent, now: Timestamp) {
        let (playback, end) = match event {
            MediaEvent::PlaybackEnded { playback, finished, interrupted_by, at } => {
                (playback, Ok(PlaybackEnd { finished, interrupted_by, at }))
            }
            MediaEvent::PlaybackFailed { playback, error } => (playback, Err(error)),
            _ => return,
        };
        if leg != LegId::FIRST {
            if !self.own_whisper_ended(leg, playback, now) {
                self.whisper_ended(leg, playback, now);
            }
        } else if self.playbacks.foreground.as_ref().is_some_and(|foreground| foreground.playback == playback) {
            self.foreground_ended(end, now);
        } else {
            self.player_ended(playback, end, now);
        }
    }

    fn foreground_ended(&mut self, end: Result<PlaybackEnd, CallError>, now: Timestamp) {
        let known_key = self.playbacks.foreground.take().and_then(|foreground| foreground.interrupted_by);
        self.hold_players(false);
        match self.pending_operation() {
            Some(Operation::Say) => {
                let end = end.map(|end| {
                    let interrupted_by = end.interrupted_by.or(if end.finished { None } else { known_key });
                    Reply::Playback(PlaybackEnd { interrupted_by, ..end })
                });
                self.finish(end, now);
            }
            Some(Operation::Goodbye) => {
                self.finish(Ok(Reply::Done), now);
                self.hang_up(HangupCause::EngineHangup, now);
            }
            Some(Operation::Ask(_) | Operation::Record(_)) => self.question_prompt_ended(end.err(), now),
            Some(Operation::Dialog(_)) => self.dialog_prompt_ended(end.err(), now),
            _ => {}
        }
    }

    fn player_ended(&mut self, playback: PlaybackId, end: Result<PlaybackEnd, CallError>, now: Timestamp) {
        let Some((handle, player)) = self.playbacks.players.iter_mut().find(|(_, player)| player.playback == playback)
        else {
            return;
        };
        let handle = *handle;
        player.state = PlayerState::Ended(end.clone());
        if matches!(self.pending_operation(), Some(Operation::AwaitPlayer(awaited)) if *awaited == handle) {
            self.finish(end.map(Reply::Playback), now);
        }
    }

    fn live_player(&mut self, handle: HandleId) -> Result<&mut Player, CallError> {
        match self.playbacks.players.get_mut(&handle) {
            Some(player) if matches!(player.state, PlayerState::Playing | PlayerState::Paused) => Ok(player),
            _ => Err(CallError::NotFound("this player has ended".into())),
        }
    }

    fn hold_players(&mut self, hold: bool) {
        self.hold_music(hold);
        let playing: Vec<PlaybackId> = self
            .playbacks
            .players
            .values()
            .filter(|player| matches!(player.state, PlayerState::Playing))
            .map(|player| player.playback)
            .collect();
        for playback in playing {
            let command = if hold { MediaCommand::Pause(playback) } else { MediaCommand::Resume(playback) };
            self.media_command(LegId::FIRST, command);
        }
    }

    fn transcribe_prompt(&mut self, sources: &[PromptSource]) {
        if self.start.incoming.wants_transcript {
            let lang = self.legs.first().record.lang.clone();
            self.command(Command::Transcript(TranscriptLine::Prompt { sources: sources.to_vec(), lang }));
        }
    }

    pub(super) fn transcribe(&mut self, line: TranscriptLine) {
        if self.start.incoming.wants_transcript {
            self.command(Command::Transcript(line));
        }
    }
}
