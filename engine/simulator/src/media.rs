//! What is heard and recorded in one call, without sound: playbacks that last, recordings that end.

use gudok_core::call::{PlaybackId, RecordingId, RecordingPlan};
use gudok_core::ids::LegId;
use gudok_core::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than any call: music.
const ENDLESS: Duration = Duration::MAX;

/// The media of one call.
#[derive(Debug, Default)]
pub(crate) struct SimMedia {
    playing: BTreeMap<PlaybackId, Playing>,
    recording: BTreeMap<RecordingId, RecordingPlan>,
    /// Of ends that were planned; a plan that was overtaken is void.
    next_plan: u64,
}

#[derive(Debug)]
struct Playing {
    leg: LegId,
    barge_in: bool,
    total: Duration,
    heard: Duration,
    /// None while paused.
    since: Option<Timestamp>,
    plan: u64,
}

/// The end of a playback, as it is planned now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PlannedEnd {
    pub(crate) at: Timestamp,
    pub(crate) plan: u64,
}

impl SimMedia {
    /// Begins a playback. The end, if it has one.
    pub(crate) fn play(
        &mut self,
        leg: LegId,
        id: PlaybackId,
        (length, looped): (Duration, bool),
        barge_in: bool,
        now: Timestamp,
    ) -> Option<PlannedEnd> {
        let total = if looped { ENDLESS } else { length };
        let playing = Playing { leg, barge_in, total, heard: Duration::ZERO, since: Some(now), plan: 0 };
        self.playing.insert(id, playing);
        self.plan(id, now)
    }

    /// Ends a playback if that plan still holds.
    pub(crate) fn ends(&mut self, id: PlaybackId, plan: u64) -> Option<(LegId, Duration)> {
        let playing = self.playing.get(&id).filter(|playing| playing.plan == plan)?;
        let end = (playing.leg, playing.total);
        self.playing.remove(&id);
        Some(end)
    }

    /// Stops a playback; where it was, if it still played.
    pub(crate) fn stop(&mut self, id: PlaybackId, now: Timestamp) -> Option<(LegId, Duration)> {
        self.playing.remove(&id).map(|playing| (playing.leg, playing.heard_at(now)))
    }

    pub(crate) fn pause(&mut self, id: PlaybackId, now: Timestamp) {
        if let Some(playing) = self.playing.get_mut(&id) {
            playing.heard = playing.heard_at(now);
            playing.since = None;
            playing.plan = 0;
        }
    }

    pub(crate) fn resume(&mut self, id: PlaybackId, now: Timestamp) -> Option<PlannedEnd> {
        self.playing.get_mut(&id)?.since.get_or_insert(now);
        self.plan(id, now)
    }

    pub(crate) fn seek(&mut self, id: PlaybackId, to: Duration, now: Timestamp) -> Option<PlannedEnd> {
        let playing = self.playing.get_mut(&id)?;
        playing.heard = to.min(playing.total);
        playing.since = playing.since.map(|_| now);
        self.plan(id, now)
    }

    /// The prompt that a key of the caller's interrupts.
    pub(crate) fn interruptible(&self) -> Option<PlaybackId> {
        let stands = |playing: &Playing| playing.leg == LegId::FIRST && playing.barge_in && playing.since.is_some();
        self.playing.iter().find(|(_, playing)| stands(playing)).map(|(id, _)| *id)
    }

    /// Whether the caller listens to a prompt that will end.
    pub(crate) fn prompt_plays(&self) -> bool {
        let prompt =
            |playing: &Playing| playing.leg == LegId::FIRST && playing.since.is_some() && playing.total != ENDLESS;
        self.playing.values().any(prompt)
    }

    pub(crate) fn record(&mut self, id: RecordingId, plan: RecordingPlan) {
        self.recording.insert(id, plan);
    }

    /// Ends a recording; false where it has ended before.
    pub(crate) fn recording_ends(&mut self, id: RecordingId) -> bool {
        self.recording.remove(&id).is_some()
    }

    /// The message that this key ends.
    pub(crate) fn message_ended_by(&self, key: char) -> Option<RecordingId> {
        self.recording.iter().find(|(_, plan)| plan.stop_keys.contains(key)).map(|(id, _)| *id)
    }

    fn plan(&mut self, id: PlaybackId, now: Timestamp) -> Option<PlannedEnd> {
        self.next_plan += 1;
        let playing = self.playing.get_mut(&id)?;
        playing.plan = self.next_plan;
        let left = playing.total.saturating_sub(playing.heard_at(now));
        (playing.total != ENDLESS && playing.since.is_some())
            .then_some(PlannedEnd { at: now + left, plan: playing.plan })
    }
}

impl Playing {
    fn heard_at(&self, now: Timestamp) -> Duration {
        let since = self.since.map_or(Duration::ZERO, |since| now.since(since));
        (self.heard + since).min(self.total)
    }
}
