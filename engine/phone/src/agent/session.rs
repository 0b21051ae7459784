//! Session timers (RFC 4028), and everything else of a call that runs by the clock.

use std::time::{Duration, Instant};

use rsip::Method;

use super::Agent;
use super::call::{CallState, Phase};
use super::commands::{LocalChange, Output, Signal};
use crate::message::Message;
use crate::oddity::{Oddity, OddityKind};
use crate::transaction::Purpose;
use crate::uri;

/// The shortest interval that RFC 4028 §5 lets us insist on.
pub(super) const MIN_SE_S: u32 = 90;
/// How much earlier than the expiry the one who waits for a refresh sends BYE (RFC 4028 §10).
const EXPIRY_MARGIN_S_MAX: u32 = 32;

/// Who refreshes a session, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionTimer {
    pub(super) interval_s: Option<u32>,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

impl SessionTimer {
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.refresh_at, self.expires_at].into_iter().flatten().min()
    }

    /// Starts or restarts the timer.
    pub(super) fn start(&mut self, now: Instant, interval_s: u32, we_refresh: bool) {
        self.interval_s = Some(interval_s);
        let interval = Duration::from_secs(interval_s.into());
        if we_refresh {
            self.refresh_at = Some(now + interval / 2);
            self.expires_at = Some(now + interval);
        } else {
            let margin = Duration::from_secs((interval_s / 3).min(EXPIRY_MARGIN_S_MAX).into());
            self.refresh_at = None;
            self.expires_at = Some(now + interval - margin);
        }
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }
}

/// Interval and refresher of a Session-Expires header.
pub(super) fn session_expires(message: &Message) -> Option<(u32, Option<bool>)> {
    let value = message.header("Session-Expires")?;
    let interval_s = value.split(';').next()?.trim().parse().ok()?;
    let refresher_is_uac = match uri::header_param(value, "refresher") {
        Some(r) if r.eq_ignore_ascii_case("uac") => Some(true),
        Some(r) if r.eq_ignore_ascii_case("uas") => Some(false),
        _ => None,
    };
    Some((interval_s, refresher_is_uac))
}

impl Agent {
    /// A 2xx to an INVITE or UPDATE of ours: RFC 4028 §7.2.
    pub(super) fn session_accepted(&mut self, now: Instant, call: &mut CallState, response: &Message) {
        match session_expires(response) {
            Some((interval_s, refresher_is_uac)) => {
                if interval_s < MIN_SE_S {
                    let odd = Oddity::new(OddityKind::BadHeader, "Session-Expires under 90 s in a 2xx");
                    self.odd(Some(call.key), odd);
                }
                if refresher_is_uac.is_none() {
                    let odd = Oddity::new(OddityKind::BadHeader, "Session-Expires without refresher in a 2xx");
                    self.odd(Some(call.key), odd);
                }
                call.session.start(now, interval_s.max(2), refresher_is_uac.unwrap_or(true));
            }
            None => match call.session.interval_s {
                // The peer has no session timer; ours is enough (§7.2).
                Some(interval_s) => call.session.start(now, interval_s, true),
                None => call.session.stop(),
            },
        }
    }

    /// An INVITE or UPDATE of theirs: starts the timer and fills our 2xx (RFC 4028 §9).
    pub(super) fn session_answer(now: Instant, call: &mut CallState, request: &Message, response: &mut Message) {
        let Some((interval_s, refresher_is_uac)) = session_expires(request) else { return };
        let peer_can = request.lists("Supported", "timer");
        let uac = peer_can && refresher_is_uac.unwrap_or(true);
        if peer_can && uac {
            response.push("Require", "timer");
        }
        response.push("Session-Expires", format!("{interval_s};refresher={}", if uac { "uac" } else { "uas" }));
        call.session.start(now, interval_s.max(2), !uac);
    }

    /// Whatever of a call is due.
    pub(super) fn call_timeout(&mut self, now: Instant, call: &mut CallState) {
        self.reliable_timeout(now, call);
        if call.retry.as_ref().is_some_and(|(at, _)| *at <= now)
            && let Some((_, change)) = call.retry.take()
        {
            self.reinvite(now, call, change, false);
        }
        if call.phase != Phase::Confirmed {
            return;
        }
        if call.session.refresh_at.is_some_and(|at| at <= now) {
            call.session.refresh_at = None;
            self.refresh(now, call);
        }
        if call.session.expires_at.is_some_and(|at| at <= now) {
            call.session.stop();
            self.odd(Some(call.key), Oddity::new(OddityKind::SessionExpired, "no refresh in time"));
            self.bye(now, call, Some("SIP;cause=408;text=\"Session expired\""));
        }
    }

    fn refresh(&mut self, now: Instant, call: &mut CallState) {
        if call.peer_allows_update {
            let interval_s = call.session.interval_s;
            self.send_in_dialog(now, call, Purpose::Update, Method::Update, |m| {
                if let Some(interval_s) = interval_s {
                    m.push("Session-Expires", format!("{interval_s};refresher=uac"));
                }
            });
        } else {
            self.reinvite(now, call, LocalChange::default(), true);
        }
    }

    pub(super) fn update_answered(&mut self, now: Instant, call: &mut CallState, response: &Message) {
        match response.code() {
            100..=199 => {}
            200..=299 => {
                self.session_accepted(now, call, response);
                self.signal(call.key, Signal::Refreshed { by_us: true });
            }
            408 | 481 => self.bye(now, call, None),
            _ => {
                // No use in UPDATE then; a re-INVITE is understood by everyone.
                call.peer_allows_update = false;
                self.reinvite(now, call, LocalChange::default(), true);
            }
        }
    }

    /// Sends a reliable provisional response again until its PRACK comes (RFC 3262 §3).
    fn reliable_timeout(&mut self, now: Instant, call: &mut CallState) {
        let Some(reliable) = &mut call.reliable_out else { return };
        if reliable.give_up_at <= now {
            call.reliable_out = None;
            self.odd(Some(call.key), Oddity::new(OddityKind::BadReliableProvisional, "no PRACK ever came"));
            if call.phase == Phase::Ringing {
                self.reject(now, call, 504, &[]);
            }
        } else if reliable.resend_at <= now {
            reliable.interval *= 2;
            reliable.resend_at = now + reliable.interval;
            self.outputs.push_back(Output::Send { peer: reliable.peer, bytes: reliable.bytes.clone() });
        }
    }
}
