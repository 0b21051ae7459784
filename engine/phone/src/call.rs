//! A call in the hands of whoever makes or takes it. Every wait has a time limit and ends with the call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::agent::{Command, LocalChange};
use crate::error::PhoneError;
use crate::media::{DigitMethod, MediaCommand, MediaPorts, MediaStats};
use crate::oddity::Oddity;
use crate::sdp::{Codec, Direction};
use crate::shared::CallShared;
use crate::transcript::{TranscriptEvent, TranscriptKind};

/// What a digit lasts unless told otherwise, in ms.
const DIGIT_MS: u32 = 100;
/// The pause after a digit unless told otherwise, in ms.
const DIGIT_GAP_MS: u32 = 80;

/// How a call treats reliable provisional responses (RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliable {
    /// Not offered.
    No,
    /// Offered; the peer decides.
    #[default]
    Supported,
    /// Demanded of the peer.
    Required,
}

/// How a call is made, or taken.
#[derive(Debug, Clone)]
pub struct CallOptions {
    /// User part of From; the phone's own when empty.
    pub from_user: String,
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// Offer RFC 4733 telephone-events.
    pub telephone_event: bool,
    /// How digits are sent.
    pub digits: DigitMethod,
    /// What a digit lasts, in ms.
    pub digit_ms: u32,
    /// The pause after a digit, in ms.
    pub digit_gap_ms: u32,
    /// INVITE without a session description.
    pub late_offer: bool,
    /// PRACK and 100rel.
    pub reliable: Reliable,
    /// Ask for the engine's transcript.
    pub transcript: bool,
    /// Ask for a session timer (RFC 4028), in seconds.
    pub session_expires_s: Option<u32>,
    /// More headers of the INVITE.
    pub headers: Vec<(String, String)>,
    /// Send silence while there is nothing to say.
    pub uplink: bool,
    /// What is said once media flows: mono at 8 kHz.
    pub microphone: Vec<i16>,
    /// Keep what is heard.
    pub record: bool,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            from_user: String::new(),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            telephone_event: true,
            digits: DigitMethod::Auto,
            digit_ms: DIGIT_MS,
            digit_gap_ms: DIGIT_GAP_MS,
            late_offer: false,
            reliable: Reliable::Supported,
            transcript: true,
            session_expires_s: None,
            headers: Vec::new(),
            uplink: true,
            microphone: Vec::new(),
            record: false,
        }
    }
}

/// Something that happened in a call, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEvent {
    /// A provisional response.
    Progress(u16),
    /// The call is answered.
    Answered,
    /// The engine told what it plays or collects.
    Transcript(TranscriptEvent),
    /// A digit came; `Call::digits` has it.
    Digit,
    /// Sound began or stopped.
    Sound,
    /// The peer changed the direction of media (hold, resume).
    PeerDirection(Direction),
    /// The peer asked us to dial someone.
    TransferAsked,
    /// How far the transfer that we asked for has come.
    TransferProgress(u16),
    /// The call is over.
    Ended {
        /// 200 after an answer, else the INVITE's final status.
        status: u16,
        /// Whether we ended it.
        by_us: bool,
    },
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// This phone.
    Us,
    /// The other side.
    Peer,
}

/// What remains of a call.
#[derive(Debug, Clone)]
pub struct EndReport {
    /// Who ended it.
    pub by: Party,
    /// 200 after an answer, else the INVITE's final status.
    pub status: u16,
    /// The Reason header of BYE or CANCEL.
    pub cause: Option<String>,
    /// Contacts of a redirection.
    pub contacts: Vec<String>,
    /// Retry-After of a refusal, in seconds.
    pub retry_after_s: Option<u32>,
    /// From answer to end.
    pub talked: Option<Duration>,
    /// What was measured of the media.
    pub stats: MediaStats,
    /// What the engine said it played and collected.
    pub transcript: Vec<TranscriptEvent>,
    /// What was heard: mono at 8 kHz, if recording was asked for.
    pub recording: Vec<i16>,
    /// What the peer did wrong.
    pub oddities: Vec<Oddity>,
}

/// A change of our session description.
#[derive(Debug, Clone, Default)]
pub struct Reinvite {
    /// A new direction.
    pub direction: Option<Direction>,
    /// Receive on other ports.
    pub move_media: bool,
    /// Send no offer; answer theirs in the ACK.
    pub late_offer: bool,
}

/// A call. Clones are the same call; dropping it does not end it.
#[derive(Clone)]
pub struct Call {
    pub(crate) shared: Arc<CallShared>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({})", self.shared.key.0)
    }
}

impl Call {
    /// Waits for the answer.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn answered(&self, limit: Duration) -> Result<(), PhoneError> {
        self.shared.wait("an answer", limit, false, |p| p.answered_at.map(|_| ())).await
    }

    /// Waits for a provisional response of at least 180 and gives its status.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn ringing(&self, limit: Duration) -> Result<u16, PhoneError> {
        self.shared.wait("ringing", limit, false, |p| p.statuses.iter().copied().find(|s| *s >= 180)).await
    }

    /// Whether a reliable provisional response has come.
    #[must_use]
    pub fn saw_reliable_progress(&self) -> bool {
        self.shared.look(|p| p.reliable)
    }

    /// Presses keys, one after the other, in the way that the call's options say.
    ///
    /// # Errors
    /// When a character is no key, or the phone is stopped or busy.
    pub fn press(&self, keys: &str) -> Result<(), PhoneError> {
        if let Some(c) = keys.chars().find(|c| !matches!(c.to_ascii_uppercase(), '0'..='9' | '*' | '#' | 'A'..='D')) {
            return Err(PhoneError::NotAKey(c));
        }
        let options = &self.shared.options;
        let agreed = self.shared.look(|p| p.agreed).and_then(|a| a.telephone_event).is_some();
        let event = match options.digits {
            DigitMethod::Info => return self.press_by_info(keys),
            DigitMethod::Event => true,
            DigitMethod::InBand => false,
            DigitMethod::Auto => agreed,
        };
        let (duration_ms, gap_ms) = (options.digit_ms, options.digit_gap_ms);
        self.shared.order_media(MediaCommand::Press { keys: keys.to_owned(), event, duration_ms, gap_ms })
    }

    /// How long it takes to send these keys, with the end packets that RFC 4733 repeats.
    #[must_use]
    pub fn sending_time(&self, keys: &str) -> Duration {
        const END_PACKETS_MS: u32 = 60;
        let options = &self.shared.options;
        let each = Duration::from_millis((options.digit_ms + END_PACKETS_MS + options.digit_gap_ms).into());
        each * u32::try_from(keys.chars().count()).unwrap_or(u32::MAX)
    }

    fn press_by_info(&self, keys: &str) -> Result<(), PhoneError> {
        for key in keys.chars() {
            let body = format!("Signal={key}\r\nDuration={}\r\n", self.shared.options.digit_ms);
            self.info("application/dtmf-relay", &body)?;
            self.shared.order_media(MediaCommand::DigitSent(Instant::now()))?;
        }
        Ok(())
    }

    /// Sends an INFO.
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn info(&self, content_type: &str, body: &str) -> Result<(), PhoneError> {
        let (content_type, body) = (content_type.to_owned(), body.to_owned());
        self.shared.order(Command::Info { key: self.shared.key, content_type, body, package: None })
    }

    /// Sends an event of an Info Package, as the engine does.
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn info_package(&self, package: &str, json: &str) -> Result<(), PhoneError> {
        let (content_type, body) = ("application/json".to_owned(), json.to_owned());
        let package = Some(package.to_owned());
        self.shared.order(Command::Info { key: self.shared.key, content_type, body, package })
    }

    /// Waits until all INFOs so far are answered, and gives their statuses.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn infos_answered(&self, count: usize, limit: Duration) -> Result<Vec<u16>, PhoneError> {
        self.shared.wait("answers to INFO", limit, false, |p| (p.infos.len() >= count).then(|| p.infos.clone())).await
    }

    /// Speaks into the microphone: mono at 8 kHz.
    ///
    /// # Errors
    /// When the phone is busy.
    pub fn speak(&self, samples: Vec<i16>) -> Result<(), PhoneError> {
        self.shared.order_media(MediaCommand::Speak(samples))
    }

    /// Waits for a prompt whose words contain `fragment` (letter case aside), and gives the whole prompt. Each wait
    /// begins behind the prompt that the last one found.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn heard(&self, fragment: &str, limit: Duration) -> Result<String, PhoneError> {
        let wanted = fragment.to_lowercase();
        let what = format!("a prompt with {fragment:?}");
        // A call's last prompt may be waited for after its end.
        self.shared
            .wait(&what, limit, false, |p| {
                let found = p.transcript.iter().enumerate().skip(p.heard_to).find_map(|(i, e)| match &e.kind {
                    TranscriptKind::Prompt { text, .. } if text.to_lowercase().contains(&wanted) => {
                        Some((i, text.clone()))
                    }
                    _ => None,
                });
                let (i, text) = found?;
                p.heard_to = i + 1;
                Some(text)
            })
            .await
    }

    /// Waits until keys are collected, and says which. Each wait begins behind the last one.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn collecting(&self, limit: Duration) -> Result<String, PhoneError> {
        self.shared
            .wait("collecting of keys", limit, false, |p| {
                let (i, keys) =
                    p.transcript.iter().enumerate().skip(p.collected_to).find_map(|(i, e)| match &e.kind {
                        TranscriptKind::Collect { keys } => Some((i, keys.clone())),
                        _ => None,
                    })?;
                p.collected_to = i + 1;
                Some(keys)
            })
            .await
    }

    /// Waits until something was audible and it has been quiet since for `quiet`.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn quiet(&self, quiet: Duration, limit: Duration) -> Result<(), PhoneError> {
        self.quiet_since(None, quiet, limit).await
    }

    /// As `quiet`, but silence counts from now at the earliest, and nothing need have been audible since.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn quiet_from_now(&self, quiet: Duration, limit: Duration) -> Result<(), PhoneError> {
        self.quiet_since(Some(Instant::now()), quiet, limit).await
    }

    async fn quiet_since(&self, from: Option<Instant>, quiet: Duration, limit: Duration) -> Result<(), PhoneError> {
        let deadline = Instant::now() + limit;
        loop {
            // Nothing audible yet: nothing to be quiet after.
            let last = self.shared.heard.lock().last_audible.map(|at| from.map_or(at, |from| at.max(from)));
            let now = Instant::now();
            if last.is_some_and(|at| at + quiet <= now) {
                return Ok(());
            }
            if now >= deadline || self.is_ended() {
                return Err(self.shared.missed("silence", limit));
            }
            let until = last.map_or(deadline, |at| (at + quiet).min(deadline));
            self.shared.changed_until(until.into(), || !self.is_ended()).await;
        }
    }

    /// Waits for the first sound.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn audible(&self, limit: Duration) -> Result<(), PhoneError> {
        let heard = self.shared.heard.clone();
        self.shared.wait("a sound", limit, false, |_| heard.lock().first_audible.map(|_| ())).await
    }

    /// Waits for digits from the peer and takes them.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn digits(&self, count: usize, limit: Duration) -> Result<String, PhoneError> {
        self.shared
            .wait("digits", limit, false, |p| {
                let digits = p.digits.get(p.digits_taken..p.digits_taken + count)?.iter().collect();
                p.digits_taken += count;
                Some(digits)
            })
            .await
    }

    /// Changes our session description and gives the status of the answer.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn send_reinvite(&self, change: Reinvite, limit: Duration) -> Result<u16, PhoneError> {
        let mut media_addr = None;
        if change.move_media {
            let phone = self.shared.phone.upgrade().ok_or(PhoneError::Stopped)?;
            let ports = MediaPorts::bind(phone.local_addr.ip())?;
            media_addr = Some(ports.addr);
            self.shared.order_media(MediaCommand::Move(ports))?;
        }
        let change = LocalChange { direction: change.direction, media_addr, late_offer: change.late_offer };
        self.shared.order(Command::Reinvite { key: self.shared.key, change })?;
        self.shared
            .wait("an answer to the re-INVITE", limit, false, |p| {
                let status = *p.reinvites.get(p.reinvites_taken)?;
                p.reinvites_taken += 1;
                Some(status)
            })
            .await
    }

    /// Puts the peer on hold.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn hold(&self, limit: Duration) -> Result<u16, PhoneError> {
        self.send_reinvite(Reinvite { direction: Some(Direction::SendOnly), ..Reinvite::default() }, limit).await
    }

    /// Takes the peer off hold.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn resume(&self, limit: Duration) -> Result<u16, PhoneError> {
        self.send_reinvite(Reinvite { direction: Some(Direction::SendRecv), ..Reinvite::default() }, limit).await
    }

    /// Waits until the peer re-INVITEs (or sends UPDATE) with this direction.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn peer_direction(&self, direction: Direction, limit: Duration) -> Result<(), PhoneError> {
        self.shared
            .wait("a change of direction", limit, false, |p| (p.directions.last() == Some(&direction)).then_some(()))
            .await
    }

    /// Asks the peer to dial `target` (REFER), and gives the status of the answer.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn refer(&self, target: &str, limit: Duration) -> Result<u16, PhoneError> {
        self.send_refer(target, None, limit).await
    }

    /// Asks the peer to take the place of `other`: the second half of an attended transfer.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn refer_replacing(&self, target: &str, other: &Call, limit: Duration) -> Result<u16, PhoneError> {
        self.send_refer(target, Some(other), limit).await
    }

    async fn send_refer(&self, target: &str, other: Option<&Call>, limit: Duration) -> Result<u16, PhoneError> {
        crate::uri::Target::parse(target)?;
        let replaces = other.map(|call| call.shared.key);
        self.shared.look(|p| p.refer_status = None);
        self.shared.order(Command::Refer { key: self.shared.key, target: target.to_owned(), replaces })?;
        self.shared.wait("an answer to REFER", limit, false, |p| p.refer_status).await
    }

    /// Waits for the final status of the transfer that we asked for.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn transfer_result(&self, limit: Duration) -> Result<u16, PhoneError> {
        self.shared
            .wait("the result of the transfer", limit, true, |p| p.transfer_status.iter().copied().find(|s| *s >= 200))
            .await
    }

    /// Waits until the peer has asked us to dial, and gives the call that we dialled.
    ///
    /// # Errors
    /// When time runs out.
    pub async fn transferred(&self, limit: Duration) -> Result<Call, PhoneError> {
        let shared = self.shared.wait("a REFER", limit, true, |p| p.transferred.clone()).await?;
        Ok(Call { shared })
    }

    /// Waits for a session refresh and says whether it was ours.
    ///
    /// # Errors
    /// When the call ends before, or time runs out.
    pub async fn refreshed(&self, limit: Duration) -> Result<bool, PhoneError> {
        self.shared.wait("a session refresh", limit, false, |p| p.refreshes.last().copied()).await
    }

    /// Hangs up: CANCEL, BYE or 603, whichever fits.
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn hangup(&self) -> Result<(), PhoneError> {
        self.shared.order(Command::Hangup { key: self.shared.key })
    }

    /// Waits for the end, and a moment longer for RTP that should not come.
    ///
    /// # Errors
    /// When time runs out.
    pub async fn wait_ended(&self, limit: Duration) -> Result<EndReport, PhoneError> {
        let has_media = self.shared.has_media();
        self.shared
            .wait("the end of the call", limit, true, |p| {
                (p.ended.is_some() && (p.media_finished || !has_media)).then_some(())
            })
            .await?;
        let heard = self.shared.heard.lock().clone();
        Ok(self.shared.look(|p| {
            let ended = p.ended.clone();
            let by_us = ended.as_ref().is_some_and(|e| e.by_us);
            EndReport {
                by: if by_us { Party::Us } else { Party::Peer },
                status: ended.as_ref().map_or(0, |e| e.status),
                cause: ended.as_ref().and_then(|e| e.cause.clone()),
                retry_after_s: ended.as_ref().and_then(|e| e.retry_after_s),
                contacts: ended.map(|e| e.contacts).unwrap_or_default(),
                talked: p.ended_at.zip(p.answered_at).map(|(end, answer)| end.saturating_duration_since(answer)),
                stats: heard.stats,
                transcript: p.transcript.clone(),
                recording: heard.recording,
                oddities: p.oddities.to_vec(),
            }
        }))
    }

    /// What the peer has done wrong so far.
    #[must_use]
    pub fn oddities(&self) -> Vec<Oddity> {
        self.shared.look(|p| p.oddities.to_vec())
    }

    /// What the engine said so far that it played and collected.
    #[must_use]
    pub fn transcript(&self) -> Vec<TranscriptEvent> {
        self.shared.look(|p| p.transcript.clone())
    }

    /// Packets received and sent so far.
    #[must_use]
    pub fn packets(&self) -> (u64, u64) {
        let heard = self.shared.heard.lock();
        (heard.stats.packets, heard.stats.packets_sent)
    }

    /// Where this call's RTP is received.
    #[must_use]
    pub fn media_addr(&self) -> Option<std::net::SocketAddr> {
        self.shared.media_addr()
    }

    /// The codec agreed on.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.shared.look(|p| p.agreed).map(|a| a.codec)
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared.look(|p| p.ended.is_some())
    }

    /// Everything that happens from now on. A listener that lags far behind loses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<CallEvent> {
        self.shared.events()
    }
}

/// A call that waits to be answered.
pub struct IncomingCall {
    pub(crate) call: Call,
}

impl std::fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming{:?}", self.call)
    }
}

impl IncomingCall {
    /// The URI in From.
    #[must_use]
    pub fn from_uri(&self) -> &str {
        self.call.shared.invitation.as_ref().map_or("", |i| &i.from_uri)
    }

    /// The request URI.
    #[must_use]
    pub fn request_uri(&self) -> &str {
        self.call.shared.invitation.as_ref().map_or("", |i| &i.request_uri)
    }

    /// A header of the INVITE.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let invitation = self.call.shared.invitation.as_ref()?;
        invitation.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether it is to take the place of a call we have (Replaces).
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.call.shared.invitation.as_ref().is_some_and(|i| i.replaces.is_some())
    }

    /// Whether the INVITE carried an offer.
    #[must_use]
    pub fn offered(&self) -> bool {
        self.call.shared.invitation.as_ref().is_some_and(|i| i.offered)
    }

    /// 180 Ringing.
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn ring(&self) -> Result<(), PhoneError> {
        self.call.shared.order(Command::Ring { key: self.call.shared.key, early: None })
    }

    /// 183 with early media: these samples, mono at 8 kHz. `answer` later keeps the same ports.
    ///
    /// # Errors
    /// When the phone is stopped or busy, or no port is free.
    pub fn early_media(&self, samples: Vec<i16>) -> Result<Call, PhoneError> {
        let early = Some(self.call.shared.open_media()?);
        self.call.shared.order_media(MediaCommand::Speak(samples))?;
        self.call.shared.order(Command::Ring { key: self.call.shared.key, early })?;
        Ok(self.call.clone())
    }

    /// 200 OK.
    ///
    /// # Errors
    /// When the phone is stopped or busy, or no port is free.
    pub fn answer(&self) -> Result<Call, PhoneError> {
        answer(&self.call.shared)?;
        Ok(self.call.clone())
    }

    /// Refuses with a status: 486, 603, 503, …
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn reject(&self, status: u16) -> Result<(), PhoneError> {
        self.reject_with(status, Vec::new())
    }

    /// Sends the caller elsewhere (302).
    ///
    /// # Errors
    /// When the phone is stopped or busy.
    pub fn redirect(&self, uri: &str) -> Result<(), PhoneError> {
        self.reject_with(302, vec![("Contact".to_owned(), format!("<{uri}>"))])
    }

    fn reject_with(&self, status: u16, headers: Vec<(String, String)>) -> Result<(), PhoneError> {
        let status = status.clamp(300, 699);
        self.call.shared.order(Command::Reject { key: self.call.shared.key, status, headers })
    }

    /// The call, to watch it without answering.
    #[must_use]
    pub fn call(&self) -> Call {
        self.call.clone()
    }
}

pub(crate) fn answer(shared: &Arc<CallShared>) -> Result<(), PhoneError> {
    let media = shared.open_media()?;
    shared.order(Command::Answer { key: shared.key, media })
}
