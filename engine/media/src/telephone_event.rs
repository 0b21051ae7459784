//! Digits as RFC 4733 telephone-events: hearing them and sending them.

#![expect(clippy::cast_possible_truncation, reason = "lengths of packets and frames, and the modular clock of RTP")]

use std::collections::VecDeque;

use crate::codec::{FRAME_TICKS, TICKS_PER_MS};
use crate::digit::Digit;
use crate::stats::Reject;
use crate::time::MediaTime;

/// Bytes of an event's payload (section 2.3).
pub(crate) const PAYLOAD_BYTES: usize = 4;
/// Presses remembered by their timestamps, so that a packet that comes late or twice is not taken for a new press.
const PRESSES_REMEMBERED: usize = 12;
/// A press of which nothing more is heard for this long has ended, though its end packets were lost.
const PRESS_SILENCE_MS_MAX: u64 = 200;
/// Presses taken in a second. A fast autodialler makes 12; the rest is abuse.
const PRESSES_PER_SECOND_MAX: u32 = 25;
/// Duration from which an event may be continued as a new segment (section 2.5.1.3).
const SEGMENT_TICKS_MIN: u32 = 0xf000;
/// How far some gateways move the timestamp in mid-event, against the RFC.
const DRIFT_TICKS_MAX: u32 = 100 * TICKS_PER_MS as u32;
/// The event code of a hook flash, which is no digit but no fault either.
const EVENT_FLASH: u8 = 16;

/// The end of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PressEnd {
    pub(crate) digit: Digit,
    pub(crate) duration_ms: u32,
}

/// What a packet told. The end, if any, belongs to a press before the one that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Heard {
    pub(crate) ended: Option<PressEnd>,
    pub(crate) pressed: Option<Digit>,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    digit: Digit,
    timestamp: u32,
    duration_ticks: u32,
    heard_at: MediaTime,
    ended: bool,
}

impl Press {
    fn end(&mut self) -> PressEnd {
        self.ended = true;
        PressEnd { digit: self.digit, duration_ms: self.duration_ticks / TICKS_PER_MS as u32 }
    }
}

/// Hears telephone-events: each press once, at its first packet, whichever packet that is.
///
/// A press is known by its RTP timestamp, which all its packets share. So loss of any of them but all, duplication
/// and reordering change nothing, and two quick presses of one key are two.
#[derive(Debug, Default)]
pub(crate) struct EventReceiver {
    ssrc: u32,
    press: Option<Press>,
    /// Timestamps of the last presses, the newest last.
    recent: VecDeque<u32>,
    second_began: MediaTime,
    presses_this_second: u32,
}

impl EventReceiver {
    /// Takes the payload of a telephone-event packet.
    pub(crate) fn handle(
        &mut self,
        now: MediaTime,
        ssrc: u32,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Result<Heard, Reject> {
        let [code, flags, duration @ ..] = payload.first_chunk::<PAYLOAD_BYTES>().ok_or(Reject::Event)?;
        let Some(digit) = Digit::from_event(*code) else {
            return if *code == EVENT_FLASH { Ok(Heard::default()) } else { Err(Reject::Event) };
        };
        let duration_ticks = u32::from(u16::from_be_bytes(*duration));
        let end = flags & 0x80 != 0;
        if ssrc != self.ssrc {
            self.recent.clear();
            self.ssrc = ssrc;
        }
        if self.recent.contains(&timestamp) {
            return Ok(Heard { ended: self.update(now, timestamp, duration_ticks, end), pressed: None });
        }
        if self.is_continuation(digit, timestamp, marker, duration_ticks) {
            self.remember(timestamp);
            if let Some(press) = &mut self.press {
                press.timestamp = timestamp;
            }
            return Ok(Heard { ended: self.update(now, timestamp, duration_ticks, end), pressed: None });
        }
        if let Some(oldest) = self.recent.front()
            && self.recent.len() == PRESSES_REMEMBERED
            && timestamp.wrapping_sub(*oldest).cast_signed() < 0
        {
            return Err(Reject::Event);
        }
        self.admit(now)?;
        self.remember(timestamp);
        let ended = self.press.as_mut().filter(|press| !press.ended).map(Press::end);
        // Even if this packet is an end: the end follows with its repetition or with silence, never in one breath.
        self.press = Some(Press { digit, timestamp, duration_ticks, heard_at: now, ended: false });
        Ok(Heard { ended, pressed: Some(digit) })
    }

    /// When [`EventReceiver::expire`] wants to be called, if a press is open.
    pub(crate) fn deadline(&self) -> Option<MediaTime> {
        self.press
            .filter(|press| !press.ended)
            .map(|press| press.heard_at + std::time::Duration::from_millis(PRESS_SILENCE_MS_MAX))
    }

    /// Ends a press whose end was lost.
    pub(crate) fn expire(&mut self, now: MediaTime) -> Option<PressEnd> {
        self.press
            .as_mut()
            .filter(|press| !press.ended && now.ms_since(press.heard_at) >= PRESS_SILENCE_MS_MAX)
            .map(Press::end)
    }

    fn update(&mut self, now: MediaTime, timestamp: u32, duration_ticks: u32, end: bool) -> Option<PressEnd> {
        let press = self.press.as_mut().filter(|press| press.timestamp == timestamp && !press.ended)?;
        press.heard_at = now;
        press.duration_ticks = press.duration_ticks.max(duration_ticks);
        end.then(|| press.end())
    }

    /// Whether a new timestamp goes on with the press that is open: the next segment of a very long one, or a gateway
    /// that moves the timestamp though it must not. A new press has a marker, or starts its duration anew.
    fn is_continuation(&self, digit: Digit, timestamp: u32, marker: bool, duration_ticks: u32) -> bool {
        let Some(press) = self.press.filter(|press| !press.ended && press.digit == digit) else {
            return false;
        };
        let moved = timestamp.wrapping_sub(press.timestamp);
        let next_segment = (SEGMENT_TICKS_MIN..=0xffff + DRIFT_TICKS_MAX).contains(&moved);
        // It grows as it moves; a new press would have begun to count anew, and moved further.
        let grown = duration_ticks.saturating_sub(press.duration_ticks);
        let drifts = moved <= DRIFT_TICKS_MAX && moved <= grown;
        !marker && (next_segment && press.duration_ticks >= SEGMENT_TICKS_MIN || drifts)
    }

    fn remember(&mut self, timestamp: u32) {
        if self.recent.len() == PRESSES_REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(timestamp);
    }

    fn admit(&mut self, now: MediaTime) -> Result<(), Reject> {
        if now.ms_since(self.second_began) >= 1_000 {
            (self.second_began, self.presses_this_second) = (now, 0);
        }
        if self.presses_this_second == PRESSES_PER_SECOND_MAX {
            return Err(Reject::DigitFlood);
        }
        self.presses_this_second += 1;
        Ok(())
    }
}

/// A packet of an event to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventPacket {
    pub(crate) payload: [u8; PAYLOAD_BYTES],
    /// First packet of a press: it has the marker and a new timestamp; the others repeat that timestamp.
    pub(crate) first: bool,
}

/// The end of a press is sent this many times (section 2.5.1.4).
const END_PACKETS: u8 = 3;
/// −10 dBm0, what everybody sends.
const VOLUME: u8 = 10;

#[derive(Debug)]
enum Sending {
    Next,
    Tone { digit: Digit, sent_ticks: u32 },
    End { digit: Digit, left: u8 },
    Gap { left_ticks: u32 },
}

/// Sends digits as telephone-events, one packet at each pacer tick.
#[derive(Debug)]
pub(crate) struct EventSender {
    queue: VecDeque<Digit>,
    duration_ticks: u32,
    gap_ticks: u32,
    sending: Sending,
}

impl EventSender {
    /// Durations are rounded up to whole ticks; a segment longer than 8 s is refused by the caller of this.
    pub(crate) fn new(digits: impl IntoIterator<Item = Digit>, duration_ms: u32, gap_ms: u32) -> Self {
        let ticks = |ms: u32| (ms * TICKS_PER_MS as u32).next_multiple_of(FRAME_TICKS as u32);
        Self {
            queue: digits.into_iter().collect(),
            duration_ticks: ticks(duration_ms),
            gap_ticks: ticks(gap_ms),
            sending: Sending::Next,
        }
    }

    /// Adds digits behind those that wait.
    pub(crate) fn push(&mut self, digit: Digit) {
        self.queue.push_back(digit);
    }

    /// Digits that have not begun.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// One tick: `Some(packet)`, `None` in a gap. [`EventSender::is_done`] tells when there is nothing left.
    pub(crate) fn tick(&mut self) -> Option<EventPacket> {
        let frame = FRAME_TICKS as u32;
        match self.sending {
            Sending::Gap { left_ticks } if left_ticks > frame => {
                self.sending = Sending::Gap { left_ticks: left_ticks - frame };
                None
            }
            Sending::Gap { .. } => {
                self.sending = Sending::Next;
                None
            }
            Sending::Next => {
                let digit = self.queue.pop_front()?;
                self.sending = self.after_update(digit, frame);
                Some(EventPacket { payload: payload(digit, false, frame), first: true })
            }
            Sending::Tone { digit, sent_ticks } => {
                self.sending = self.after_update(digit, sent_ticks + frame);
                Some(EventPacket { payload: payload(digit, false, sent_ticks + frame), first: false })
            }
            Sending::End { digit, left } => {
                self.sending = match left {
                    // The repeated ends take up the first 40 ms of the gap.
                    1 => Sending::Gap { left_ticks: self.gap_ticks.saturating_sub(2 * frame) },
                    _ => Sending::End { digit, left: left - 1 },
                };
                Some(EventPacket { payload: payload(digit, true, self.duration_ticks), first: false })
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.queue.is_empty() && matches!(self.sending, Sending::Next)
    }

    fn after_update(&self, digit: Digit, sent_ticks: u32) -> Sending {
        if sent_ticks + FRAME_TICKS as u32 >= self.duration_ticks {
            Sending::End { digit, left: END_PACKETS }
        } else {
            Sending::Tone { digit, sent_ticks }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "durations are limited to 8 s, which is 64,000 ticks")]
fn payload(digit: Digit, end: bool, duration_ticks: u32) -> [u8; PAYLOAD_BYTES] {
    let [high, low] = (duration_ticks as u16).to_be_bytes();
    [digit.event(), u8::from(end) << 7 | VOLUME, high, low]
}

#[cfg(test)]
mod tests;
