//! The state of one call that its handle, the signalling task and the media thread share.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, mpsc};

use crate::agent::{CallKey, Command, Ended, Invitation, Signal};
use crate::call::{CallEvent, CallOptions};
use crate::error::PhoneError;
use crate::media::{
    Heard, MEDIA_COMMANDS_MAX, MediaCommand, MediaEvent, MediaOptions, MediaPorts, MediaSession, MediaSink,
};
use crate::oddity::{Oddities, Oddity, OddityKind};
use crate::phone::{COMMANDS_MAX, PhoneInner, ToDriver};
use crate::sdp::{Direction, LocalMedia, Negotiated};
use crate::transcript::{TRANSCRIPT_MAX, TranscriptEvent};

/// How many events a slow listener may lag behind before it loses some.
const EVENTS_MAX: usize = 1_024;
/// How many statuses, directions and digits of one call are kept.
const HISTORY_MAX: usize = 1_024;
/// The payload type under which we offer telephone-event.
const TELEPHONE_EVENT: u8 = 101;

/// One call, shared.
pub(crate) struct CallShared {
    pub(crate) key: CallKey,
    pub(crate) options: CallOptions,
    pub(crate) invitation: Option<Invitation>,
    pub(crate) phone: Weak<PhoneInner>,
    commands: mpsc::Sender<ToDriver>,
    progress: Mutex<Progress>,
    changed: Notify,
    events: broadcast::Sender<CallEvent>,
    media: OnceLock<(mpsc::Sender<MediaCommand>, LocalMedia)>,
    pub(crate) heard: Arc<Mutex<Heard>>,
}

/// What is known of a call so far.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) call_id: Option<String>,
    pub(crate) statuses: Vec<u16>,
    pub(crate) reliable: bool,
    pub(crate) answered_at: Option<Instant>,
    pub(crate) ended: Option<Ended>,
    pub(crate) ended_at: Option<Instant>,
    pub(crate) media_finished: bool,
    pub(crate) agreed: Option<Negotiated>,
    pub(crate) transcript: Vec<TranscriptEvent>,
    /// Up to where `heard` and `collecting` have looked.
    pub(crate) heard_to: usize,
    pub(crate) collected_to: usize,
    pub(crate) digits: Vec<char>,
    pub(crate) digits_taken: usize,
    pub(crate) reinvites: Vec<u16>,
    pub(crate) reinvites_taken: usize,
    pub(crate) infos: Vec<u16>,
    pub(crate) directions: Vec<Direction>,
    pub(crate) refreshes: Vec<bool>,
    pub(crate) refer_status: Option<u16>,
    /// Where media is received since it moved.
    pub(crate) moved_to: Option<std::net::SocketAddr>,
    pub(crate) transfer_status: Vec<u16>,
    pub(crate) refer_target: Option<String>,
    pub(crate) transferred: Option<Arc<CallShared>>,
    pub(crate) oddities: Oddities,
}

impl CallShared {
    pub(crate) fn new(
        key: CallKey,
        options: CallOptions,
        invitation: Option<Invitation>,
        phone: Weak<PhoneInner>,
        commands: mpsc::Sender<ToDriver>,
    ) -> Arc<Self> {
        Arc::new(Self {
            key,
            options,
            invitation,
            phone,
            commands,
            progress: Mutex::default(),
            changed: Notify::new(),
            events: broadcast::Sender::new(EVENTS_MAX),
            media: OnceLock::new(),
            heard: Arc::default(),
        })
    }

    /// Opens ports and starts the call's media, unless it runs already; says what to offer.
    pub(crate) fn open_media(self: &Arc<Self>) -> Result<LocalMedia, PhoneError> {
        if let Some((_, local)) = self.media.get() {
            return Ok(local.clone());
        }
        let phone = self.phone.upgrade().ok_or(PhoneError::Stopped)?;
        let ports = MediaPorts::bind(phone.local_addr.ip())?;
        let addr = ports.addr;
        let (sender, receiver) = mpsc::channel(MEDIA_COMMANDS_MAX);
        let options = MediaOptions {
            record: self.options.record,
            uplink: self.options.uplink,
            microphone: self.options.microphone.clone(),
            seed: phone.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.key.0.wrapping_mul(0xD1B5_4A32_D192_ED03),
        };
        let sink: Arc<dyn MediaSink> = self.clone();
        let telephone_event = self.options.telephone_event.then_some(TELEPHONE_EVENT);
        let codecs = self.options.codecs.clone();
        let local = LocalMedia { addr, codecs, telephone_event, direction: Direction::SendRecv };
        if self.media.set((sender, local.clone())).is_ok() {
            phone.media.spawn(MediaSession::new(ports, options, receiver, sink, self.heard.clone()));
        }
        Ok(local)
    }

    pub(crate) fn media_addr(&self) -> Option<std::net::SocketAddr> {
        let moved_to = self.look(|p| p.moved_to);
        moved_to.or_else(|| self.media.get().map(|(_, local)| local.addr))
    }

    pub(crate) fn has_media(&self) -> bool {
        self.media.get().is_some()
    }

    pub(crate) fn order(&self, command: Command) -> Result<(), PhoneError> {
        self.commands.try_send(ToDriver::Agent(command)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => PhoneError::Busy { limit: COMMANDS_MAX },
            mpsc::error::TrySendError::Closed(_) => PhoneError::Stopped,
        })
    }

    pub(crate) fn order_media(&self, command: MediaCommand) -> Result<(), PhoneError> {
        let Some((media, _)) = self.media.get() else { return Ok(()) };
        match media.try_send(command) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(PhoneError::Busy { limit: MEDIA_COMMANDS_MAX }),
            // Media that has ended needs no orders.
            Err(mpsc::error::TrySendError::Closed(_)) | Ok(()) => Ok(()),
        }
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<CallEvent> {
        self.events.subscribe()
    }

    pub(crate) fn look<T>(&self, read: impl FnOnce(&mut Progress) -> T) -> T {
        read(&mut self.progress.lock())
    }

    /// Waits until `ready` gives something. The end of the call ends the wait, unless `past_end`.
    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        past_end: bool,
        mut ready: impl FnMut(&mut Progress) -> Option<T>,
    ) -> Result<T, PhoneError> {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut progress = self.progress.lock();
                if let Some(value) = ready(&mut progress) {
                    return Ok(value);
                }
                if progress.ended.is_some() && !past_end {
                    drop(progress);
                    return Err(self.missed(what, limit));
                }
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(self.missed(what, limit));
            }
        }
    }

    /// Why something awaited will not come.
    pub(crate) fn missed(&self, what: &str, limit: Duration) -> PhoneError {
        let progress = self.progress.lock();
        let (what, seen) = (what.to_owned(), progress.summary());
        match &progress.ended {
            Some(ended) => PhoneError::Ended { what, status: ended.status, seen },
            None => PhoneError::TimedOut { what, limit, seen },
        }
    }

    /// Wakes those who wait; they look at what they need themselves.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// The next change, or `until`.
    pub(crate) async fn changed_until(&self, until: tokio::time::Instant, still: impl FnOnce() -> bool) {
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if still() {
            // Either way the caller looks again.
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    fn tell(&self, event: CallEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
        self.wake();
    }

    /// Takes what the agent tells about this call.
    pub(crate) fn signalled(&self, signal: &Signal) {
        let now = Instant::now();
        let event = self.look(|p| p.take(now, signal));
        let media = match signal {
            Signal::Media(agreed) => Some(MediaCommand::Agreed(*agreed)),
            Signal::Answered => Some(MediaCommand::Answered(now)),
            Signal::Ended(_) => Some(MediaCommand::Closed(now)),
            _ => None,
        };
        if let Some(command) = media
            && self.order_media(command).is_err()
        {
            self.look(|p| p.oddities.push(Oddity::new(OddityKind::NotAllowed, "the media thread is congested")));
        }
        match event {
            Some(event) => self.tell(event),
            None => self.wake(),
        }
    }
}

impl MediaSink for CallShared {
    fn media_event(&self, event: MediaEvent) {
        match event {
            MediaEvent::Digit(digit) => {
                let event = self.look(|p| p.take(Instant::now(), &Signal::Digit(digit)));
                if let Some(event) = event {
                    self.tell(event);
                }
            }
            MediaEvent::Sound => self.tell(CallEvent::Sound),
            MediaEvent::Odd(oddity) => {
                self.look(|p| p.oddities.push(oddity));
                self.wake();
            }
            MediaEvent::Finished => {
                self.look(|p| p.media_finished = true);
                self.wake();
            }
        }
    }
}

impl Progress {
    /// Keeps a signal, and says what to tell listeners.
    fn take(&mut self, now: Instant, signal: &Signal) -> Option<CallEvent> {
        match signal {
            Signal::CallId(call_id) => {
                self.call_id = Some(call_id.clone());
                None
            }
            Signal::Progress { status, reliable } => {
                push(&mut self.statuses, *status);
                self.reliable |= reliable;
                Some(CallEvent::Progress(*status))
            }
            Signal::Media(agreed) => {
                self.agreed = Some(*agreed);
                None
            }
            Signal::Answered => {
                self.answered_at.get_or_insert(now);
                Some(CallEvent::Answered)
            }
            Signal::Reinvited { status } => {
                push(&mut self.reinvites, *status);
                None
            }
            Signal::PeerChange { direction } => {
                push(&mut self.directions, *direction);
                Some(CallEvent::PeerDirection(*direction))
            }
            Signal::Digit(digit) => {
                push(&mut self.digits, *digit);
                Some(CallEvent::Digit)
            }
            Signal::Transcript(body) => self.transcribe(body),
            Signal::InfoAnswered { status } => {
                push(&mut self.infos, *status);
                None
            }
            Signal::Refer { target, .. } => {
                self.refer_target = Some(target.clone());
                Some(CallEvent::TransferAsked)
            }
            Signal::ReferAnswered { status } => {
                self.refer_status = Some(*status);
                None
            }
            Signal::ReferProgress { status } => {
                push(&mut self.transfer_status, *status);
                Some(CallEvent::TransferProgress(*status))
            }
            Signal::Refreshed { by_us } => {
                push(&mut self.refreshes, *by_us);
                None
            }
            Signal::ByeSent => None,
            Signal::Ended(ended) => {
                self.ended = Some(ended.clone());
                self.ended_at = Some(now);
                Some(CallEvent::Ended { status: ended.status, by_us: ended.by_us })
            }
            Signal::Odd(oddity) => {
                self.oddities.push(oddity.clone());
                None
            }
        }
    }

    fn transcribe(&mut self, body: &str) -> Option<CallEvent> {
        let Some(event) = TranscriptEvent::parse(body) else {
            self.oddities.push(Oddity::new(OddityKind::BadHeader, "a transcript body that is no event"));
            return None;
        };
        if self.transcript.len() < TRANSCRIPT_MAX {
            self.transcript.push(event.clone());
        }
        Some(CallEvent::Transcript(event))
    }

    /// For error messages: what a person wants to know first. No numbers and no digits.
    fn summary(&self) -> String {
        let last = self.transcript.last().map(|e| format!("{:?}", e.kind)).unwrap_or_default();
        format!(
            "statuses {:?}, answered {}, ended {:?}, {} transcript entries, last {last}",
            self.statuses,
            self.answered_at.is_some(),
            self.ended.as_ref().map(|e| (e.status, e.by_us)),
            self.transcript.len(),
        )
    }
}

fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() < HISTORY_MAX {
        list.push(value);
    }
}
