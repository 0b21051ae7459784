//! A call in the hands of whoever makes or takes it. Every wait has a time limit and ends with the call.

mod incoming;
mod options;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

pub use incoming::IncomingCall;
pub(crate) use incoming::answer;
pub use options::{CallEvent, CallOptions, EndReport, Party, Reinvite, Reliable};

use crate::agent::{Command, LocalChange};
use crate::error::PhoneError;
use crate::media::{DigitMethod, MediaCommand, MediaPorts};
use crate::oddity::Oddity;
use crate::sdp::{Codec, Direction};
use crate::shared::CallShared;
use crate::transcript::{TranscriptEvent, TranscriptKind};

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
    pub fn speak(&self, samples: impl Into<Arc<[i16]>>) -> Result<(), PhoneError> {
        self.shared.order_media(MediaCommand::Speak(samples.into()))
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
            self.shared.look(|p| p.moved_to = media_addr);
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
        self.shared
            .wait("the end of the call", limit, true, |p| {
                (p.ended.is_some() && (p.media_finished || !self.shared.has_media())).then_some(())
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

    /// The Call-ID header, once the INVITE is out.
    #[must_use]
    pub fn sip_call_id(&self) -> Option<String> {
        match &self.shared.invitation {
            Some(invitation) => invitation.header("Call-ID").map(str::to_owned),
            None => self.shared.look(|p| p.call_id.clone()),
        }
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
