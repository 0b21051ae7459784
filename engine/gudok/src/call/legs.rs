//! The legs of a call: signalling on one side, a media session on the other.

use super::convert;
use super::{CallTask, Event};
use crate::clock::millis;
use crate::live::{TraceKind, key_words};
use crate::metrics;
use gudok_core::call::{Input, KeySource, MediaCommand, MediaEvent, PlaybackId, RecordingId};
use gudok_core::ids::LegId;
use gudok_core::leg::{HangupCause, LegCommand, LegEvent};
use gudok_core::prompt::{LanguageTag, Pace, PromptSource};
use gudok_core::script::CallError;
use gudok_media::{
    BargeIn, BridgeOptions, DIGIT_DURATION_MS, DIGIT_GAP_MS, Digit, EventSink, KeySet, LegOptions, Playlist,
    RecordSource, RecordingSpec, Session,
};
use gudok_sip::{DialRequest, LegHandle, LegOrder, MediaSpec, SipEvent};
use gudok_speech::MediaSource;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// One leg.
pub(super) struct LegIo {
    /// None for an outbound leg that could not even be begun.
    handle: Option<LegHandle>,
    session: Option<Session>,
    /// Nothing comes from signalling any more.
    pub(super) ended: bool,
    stats: Option<gudok_store::MediaStats>,
    codec: &'static str,
}

impl LegIo {
    pub(super) const fn new(handle: LegHandle) -> Self {
        Self { handle: Some(handle), session: None, ended: false, stats: None, codec: "" }
    }

    /// A first leg that is yet to be dialled.
    pub(super) const fn none() -> Self {
        Self { handle: None, session: None, ended: false, stats: None, codec: "" }
    }

    pub(super) const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Stops all sound at once, and keeps what was measured.
    fn silence(&mut self) {
        if let Some(session) = self.session.take() {
            self.stats = Some(convert::media_stats(&session.close(), self.codec));
        }
    }

    /// What was measured, at the leg's end.
    pub(super) fn close(&mut self) -> Option<gudok_store::MediaStats> {
        self.silence();
        self.stats.take()
    }

    fn order(&self, order: LegOrder) {
        if let Some(handle) = &self.handle
            && !handle.order(order)
            && !self.ended
        {
            metrics::leg_order_refused();
        }
    }

    pub(super) fn send_transcript(&self, json: String) {
        self.order(LegOrder::Transcript { json });
    }
}

/// Brings media events into the inbox. Called on a media thread, so it never waits.
struct Sink {
    inbox: mpsc::Sender<Event>,
}

impl EventSink for Sink {
    fn media_event(&self, session: u64, event: gudok_media::MediaEvent) {
        let leg = LegId(u16::try_from(session).unwrap_or(u16::MAX));
        if self.inbox.try_send(Event::Media(leg, event)).is_err() {
            metrics::media_event_dropped();
        }
    }
}

impl CallTask {
    pub(super) fn sip(&mut self, id: LegId, event: SipEvent) {
        match event {
            SipEvent::Leg(event) => {
                self.note_leg(id, &event);
                if let LegEvent::Ended { .. } = event
                    && let Some(leg) = self.leg(id)
                {
                    leg.ended = true;
                    // No packet after the BYE.
                    leg.silence();
                }
                self.input(Input::Leg(id, event));
            }
            SipEvent::Media(spec) => self.negotiated(id, &spec),
            SipEvent::Digit { digit, .. } => {
                self.note(TraceKind::Key, key_words(self.asked, digit));
                self.input(Input::Media(id, MediaEvent::Key { key: digit, source: KeySource::Info }));
            }
            SipEvent::TranscriptFailed { status } => {
                tracing::debug!(?status, "a piece of the transcript did not arrive");
            }
        }
    }

    fn note_leg(&self, id: LegId, event: &LegEvent) {
        let words = match event {
            LegEvent::Ringing { .. } => "rings",
            LegEvent::Answered => "is answered",
            LegEvent::Held => "holds",
            LegEvent::Resumed => "is back from hold",
            LegEvent::TransferRequested { .. } => "asks for a transfer",
            LegEvent::ReferProgress { .. } | LegEvent::Ended { .. } => return,
        };
        self.note(TraceKind::Leg, format!("leg {} {words}", id.0));
    }

    /// SDP has settled on something.
    fn negotiated(&mut self, id: LegId, spec: &MediaSpec) {
        let Some(leg) = self.leg(id) else { return };
        leg.codec = convert::codec_name(spec.codec);
        let Some(session) = &leg.session else { return };
        if let Err(error) = session.configure(convert::stream_params(spec)) {
            tracing::warn!(%error, "the negotiated media cannot be served");
            self.input(Input::Media(id, MediaEvent::Lost));
        }
    }

    pub(super) fn leg_command(&mut self, id: LegId, command: LegCommand) {
        match command {
            LegCommand::Ring => self.order(id, LegOrder::Ring),
            LegCommand::StartEarlyMedia => match self.open_session(id) {
                Some(local) => self.order(id, LegOrder::EarlyMedia { local }),
                None => self.order(id, LegOrder::Reject { status: 503, retry_after: Some(Duration::from_secs(5)) }),
            },
            LegCommand::Answer => match self.open_session(id) {
                Some(local) => self.order(id, LegOrder::Answer { local }),
                None => self.order(id, LegOrder::Reject { status: 503, retry_after: Some(Duration::from_secs(5)) }),
            },
            LegCommand::Reject { status, retry_after } => self.order(id, LegOrder::Reject { status, retry_after }),
            LegCommand::Hangup => {
                if let Some(leg) = self.leg(id) {
                    leg.silence();
                }
                self.order(id, LegOrder::Hangup);
            }
            LegCommand::Refer { target } => self.order(id, LegOrder::Refer { target }),
            LegCommand::ReferReplacing { other } => {
                if let Some(other) = self.leg(other).and_then(|leg| leg.handle.clone()) {
                    self.order(id, LegOrder::ReferReplacing { other });
                }
            }
            LegCommand::ReferOutcome { status } => self.order(id, LegOrder::ReferOutcome { status }),
            LegCommand::Dial { target, caller, screen_pop, chain } => {
                if usize::from(id.0) >= self.legs.len() {
                    self.legs.push(LegIo::none());
                }
                if !screen_pop.is_empty() {
                    self.watch.fields(&screen_pop);
                }
                let Some(local_media) = self.open_session(id) else {
                    self.leg_failed(id);
                    return;
                };
                let share = self.share();
                let request = DialRequest { target, caller, screen_pop, chain, local_media, share };
                let (handle, events) = self.host.signalling.dial(request);
                if let Some(leg) = self.leg(id) {
                    leg.handle = Some(handle);
                }
                self.follow(id, events);
            }
        }
    }

    fn order(&mut self, id: LegId, order: LegOrder) {
        if let Some(leg) = self.leg(id) {
            leg.order(order);
        }
    }

    fn leg(&mut self, id: LegId) -> Option<&mut LegIo> {
        self.legs.get_mut(usize::from(id.0))
    }

    /// There is no port or socket for an outbound leg: it ends before it begins.
    fn leg_failed(&self, id: LegId) {
        let ended = LegEvent::Ended { cause: HangupCause::Unavailable, status: None };
        self.send(Event::Sip(id, SipEvent::Leg(ended)));
    }

    /// The media session of a leg, opened at its first need. None where there is no port.
    fn open_session(&mut self, id: LegId) -> Option<std::net::SocketAddr> {
        if let Some(session) = self.leg(id)?.session.as_ref() {
            return Some(session.local_addr());
        }
        let sink = Arc::new(Sink { inbox: self.inbox.clone() });
        match self.host.media.open(u64::from(id.0), sink) {
            Ok(session) => {
                let local = session.local_addr();
                self.leg(id)?.session = Some(session);
                Some(local)
            }
            Err(error) => {
                tracing::error!(%error, "no media for a leg");
                None
            }
        }
    }

    /// Brings an outbound leg's events into the inbox.
    fn follow(&self, id: LegId, mut events: mpsc::Receiver<SipEvent>) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let last = matches!(event, SipEvent::Leg(LegEvent::Ended { .. }));
                if inbox.send(Event::Sip(id, event)).await.is_err() || last {
                    return;
                }
            }
            let gone = LegEvent::Ended { cause: HangupCause::ProtocolError, status: None };
            let _ = inbox.send(Event::Sip(id, SipEvent::Leg(gone))).await;
        });
    }

    pub(super) fn bridge(&mut self, first: LegId, second: LegId) {
        self.bridged = Some(second);
        self.note(TraceKind::Leg, format!("leg {} and leg {} hear each other", first.0, second.0));
        let of = |id: LegId| self.legs.get(usize::from(id.0)).and_then(|leg| leg.session.as_ref());
        let (Some(one), Some(other)) = (of(first), of(second)) else { return };
        let leg = LegOptions { relay_digits: true, report_digits: false };
        if let Err(error) = self.host.media.bridge(one, other, BridgeOptions { first: leg, second: leg }) {
            tracing::error!(%error, "two legs cannot be joined");
            self.send(Event::Sip(
                second,
                SipEvent::Leg(LegEvent::Ended { cause: HangupCause::NoCommonMedia, status: None }),
            ));
        }
    }

    pub(super) fn unbridge(&mut self, first: LegId, second: LegId) {
        self.bridged = None;
        let of = |id: LegId| self.legs.get(usize::from(id.0)).and_then(|leg| leg.session.as_ref());
        let (Some(one), Some(other)) = (of(first), of(second)) else { return };
        if let Err(error) = self.host.media.unbridge(one, other) {
            tracing::debug!(%error, "two legs were apart already");
        }
    }

    /// Makes the sound of a prompt, at once where all of it is at hand, else beside the call.
    pub(super) fn render(
        &mut self,
        leg: LegId,
        playback: PlaybackId,
        sources: Vec<PromptSource>,
        (lang, pace): (LanguageTag, Pace),
        barge_in: bool,
        loop_forever: bool,
    ) {
        let voice = Arc::clone(&self.host.voice);
        // Before any script runs, only the host speaks: its announcements have recordings of their own.
        let overlays = || Arc::clone(&self.host.overlays) as Arc<dyn MediaSource>;
        let media = self.script.as_ref().map_or_else(overlays, |script| Arc::clone(&script.media));
        let inbox = self.inbox.clone();
        let mut sound = Box::pin(async move {
            let mut playlist = voice.playlist(&sources, &lang, pace, Some(&*media)).await;
            if let Ok(playlist) = &mut playlist {
                playlist.repeat_forever |= loop_forever;
            }
            playlist
        });
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match sound.as_mut().poll(&mut context) {
            std::task::Poll::Ready(sound) => self.rendered(leg, playback, barge_in, sound),
            std::task::Poll::Pending => {
                tokio::spawn(async move {
                    let sound = sound.await;
                    let _ = inbox.send(Event::Rendered { leg, playback, barge_in, sound }).await;
                });
            }
        }
    }

    pub(super) fn rendered(
        &mut self,
        leg: LegId,
        playback: PlaybackId,
        barge_in: bool,
        sound: Result<Playlist, CallError>,
    ) {
        let barge_in = if barge_in { BargeIn::AnyDigit } else { BargeIn::None };
        let Some(session) = self.leg(leg).and_then(|leg| leg.session.as_ref()) else { return };
        let played = sound.and_then(|playlist| {
            session
                .play(gudok_media::PlaybackId(u64::from(playback.0)), &playlist, barge_in)
                .map_err(|error| CallError::Invalid(error.to_string()))
        });
        if let Err(error) = played {
            metrics::prompt_failed();
            tracing::warn!(%error, "a prompt cannot be played");
            self.input(Input::Media(leg, MediaEvent::PlaybackFailed { playback, error }));
        }
    }

    pub(super) fn session_command(&mut self, id: LegId, command: MediaCommand) {
        let media_id = |playback: PlaybackId| gudok_media::PlaybackId(u64::from(playback.0));
        let recording_id = |recording: RecordingId| gudok_media::RecordingId(u64::from(recording.0));
        if let MediaCommand::Record(recording, plan) = command {
            self.record(id, recording, &plan);
            return;
        }
        let Some(session) = self.leg(id).and_then(|leg| leg.session.as_ref()) else { return };
        let done = match command {
            MediaCommand::Stop(playback) => session.stop(media_id(playback)),
            MediaCommand::Pause(playback) => session.pause(media_id(playback)),
            MediaCommand::Resume(playback) => session.resume(media_id(playback)),
            MediaCommand::Seek(playback, at) => session.seek(media_id(playback), millis(at)),
            MediaCommand::PauseRecording(recording) => session.pause_recording(recording_id(recording)),
            MediaCommand::ResumeRecording(recording) => session.resume_recording(recording_id(recording)),
            MediaCommand::FinishRecording(recording) => session.finish_recording(recording_id(recording)),
            MediaCommand::DiscardRecording(recording) => session.discard_recording(recording_id(recording)),
            MediaCommand::Mask(mask) => session.mask_recording(mask),
            MediaCommand::SendKeys(keys) => {
                let digits: Vec<Digit> = keys.reveal().chars().filter_map(Digit::from_char).collect();
                let sent = session.send_digits(&digits, DIGIT_DURATION_MS, DIGIT_GAP_MS);
                if sent.is_err() {
                    self.input(Input::Media(id, MediaEvent::KeysSent));
                }
                sent
            }
            MediaCommand::Listen(listen) => session.listen(convert::listen_for(listen)),
            MediaCommand::Play { .. } | MediaCommand::Record(..) => Ok(()),
        };
        if let Err(error) = done {
            tracing::debug!(%error, "the media room could not");
        }
    }

    fn record(&mut self, id: LegId, recording: RecordingId, plan: &gudok_core::call::RecordingPlan) {
        let file = format!("{}-{}-{}.wav", self.machine.id(), id.0, recording.0);
        let path = self.host.recordings_dir.join(file);
        let mut spec = RecordingSpec::new(path, millis(plan.duration_max));
        spec.source = if plan.both_sides { RecordSource::Mixed } else { RecordSource::Received };
        spec.beep = plan.beep;
        spec.silence_stop_ms = plan.silence_stop.map(|stop| u32::try_from(stop.as_millis()).unwrap_or(u32::MAX));
        spec.stop_keys = KeySet::from_keys(&plan.stop_keys).unwrap_or(KeySet::NONE);
        let Some(session) = self.leg(id).and_then(|leg| leg.session.as_ref()) else { return };
        if let Err(error) = session.record(gudok_media::RecordingId(u64::from(recording.0)), &spec) {
            let error = CallError::BusyResource(error.to_string());
            self.input(Input::Media(id, MediaEvent::RecordingFailed { recording, error }));
        }
    }

    pub(super) fn media(&mut self, id: LegId, event: gudok_media::MediaEvent) {
        use gudok_media::MediaEvent as Heard;
        match event {
            Heard::PlaybackEnded { id: playback, played_ms, reason } => {
                self.input(Input::Media(id, convert::playback_ended(playback, played_ms, reason)));
            }
            Heard::Digit { digit, .. } => {
                self.note(TraceKind::Key, key_words(self.asked, digit.as_char()));
                self.input(Input::Media(id, MediaEvent::Key { key: digit.as_char(), source: KeySource::Media }));
            }
            Heard::Heard { what, at_ms } => {
                let heard = convert::heard(what);
                self.note_heard(id, heard, at_ms);
                self.input(Input::Media(id, MediaEvent::Heard(heard)));
            }
            Heard::DigitsSent => self.input(Input::Media(id, MediaEvent::KeysSent)),
            Heard::MediaLost { .. } => self.input(Input::Media(id, MediaEvent::Lost)),
            Heard::RecordingEnded(recorded) => self.keep_recording(id, recorded),
            Heard::RecordingFailed { id: recording, reason } => {
                tracing::error!(reason, "a recording was lost");
                let error = CallError::BusyResource("the recorder failed".into());
                let recording = convert::recording_id(recording);
                self.input(Input::Media(id, MediaEvent::RecordingFailed { recording, error }));
            }
            _ => {}
        }
    }

    /// A recording is told to the script only when the store has it.
    fn keep_recording(&self, leg: LegId, recorded: gudok_media::Recorded) {
        let kept = self.host.store.blob_take_file(recorded.path.clone());
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let recording = convert::recording_id(recorded.id);
            let event = match kept.await {
                Ok(_) => convert::recording_ended(&recorded),
                Err(error) => {
                    tracing::error!(%error, "a recording was not kept");
                    let error = CallError::BusyResource("the centre's disk is almost full".into());
                    MediaEvent::RecordingFailed { recording, error }
                }
            };
            let _ = inbox.send(Event::Kept { leg, event }).await;
        });
    }

    fn send(&self, event: Event) {
        if self.inbox.try_send(event).is_err() {
            metrics::media_event_dropped();
        }
    }
}
