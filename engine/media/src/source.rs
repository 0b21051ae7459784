//! Symmetric RTP with source locking: who is believed to be the call's party.
//!
//! A caller behind a NAT sends from another address than its SDP names, so the address it really sends from is learnt.
//! An address that anybody can guess must not be able to take a call over, so: the signalled address is believed at
//! once; another one only after it has sent a few packets in sequence while nobody else is heard; and a locked source
//! is given up only after silence, or when signalling names a new address.

use std::net::SocketAddr;

use crate::time::MediaTime;

/// Packets in sequence before an address that was not signalled is believed.
const PROBATION_PACKETS: u8 = 3;
/// A gap in sequence numbers that probation overlooks: loss is not an attack.
const PROBATION_GAP_MAX: u16 = 16;
/// How long the locked source must be silent before another may take its place.
const RELOCK_SILENCE_MS: u64 = 2_000;

/// What to do with a packet, judged by where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From the party.
    Accept,
    /// From a possible party that is still being watched: drop the packet.
    Probation,
    /// From somebody else.
    Reject,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence_next: u16,
    packets: u8,
}

/// The source lock of one stream.
#[derive(Debug, Clone)]
pub(crate) struct SourceLock {
    signalled: SocketAddr,
    symmetric: bool,
    locked: Option<SocketAddr>,
    heard_at: MediaTime,
    candidate: Option<Candidate>,
}

impl SourceLock {
    /// `symmetric` false believes nobody but the signalled address.
    pub(crate) const fn new(signalled: SocketAddr, symmetric: bool) -> Self {
        Self { signalled, symmetric, locked: None, heard_at: MediaTime::ZERO, candidate: None }
    }

    /// Where to send: to where the party really is, once known.
    pub(crate) fn destination(&self) -> SocketAddr {
        self.locked.unwrap_or(self.signalled)
    }

    /// Whether an address may send RTCP for this stream. Its port is not known beforehand.
    pub(crate) fn may_report(&self, from: SocketAddr) -> bool {
        from.ip() == self.destination().ip() || from.ip() == self.signalled.ip()
    }

    /// Judges a well-formed packet.
    pub(crate) fn judge(&mut self, now: MediaTime, from: SocketAddr, ssrc: u32, sequence: u16) -> Verdict {
        if self.locked == Some(from) || from == self.signalled {
            self.lock(now, from);
            return Verdict::Accept;
        }
        if !self.symmetric {
            return Verdict::Reject;
        }
        if self.locked.is_some() && now.ms_since(self.heard_at) < RELOCK_SILENCE_MS {
            return Verdict::Reject;
        }
        let packets = match self.candidate {
            Some(candidate)
                if candidate.from == from
                    && candidate.ssrc == ssrc
                    && sequence.wrapping_sub(candidate.sequence_next) < PROBATION_GAP_MAX =>
            {
                candidate.packets + 1
            }
            _ => 1,
        };
        if packets >= PROBATION_PACKETS {
            self.lock(now, from);
            return Verdict::Accept;
        }
        self.candidate = Some(Candidate { from, ssrc, sequence_next: sequence.wrapping_add(1), packets });
        Verdict::Probation
    }

    fn lock(&mut self, now: MediaTime, from: SocketAddr) {
        self.locked = Some(from);
        self.heard_at = now;
        self.candidate = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn ms(ms: u64) -> MediaTime {
        MediaTime::from_ms(ms)
    }

    #[test]
    fn the_signalled_address_is_believed_at_once() {
        let mut lock = SourceLock::new(at(4_000), true);
        assert_eq!(lock.destination(), at(4_000));
        assert_eq!(lock.judge(ms(0), at(4_000), 1, 9), Verdict::Accept);
        assert_eq!(lock.judge(ms(1), at(5_000), 2, 1), Verdict::Reject);
        assert_eq!(lock.destination(), at(4_000));
    }

    #[test]
    fn a_nat_is_followed_after_probation() {
        let mut lock = SourceLock::new(at(4_000), true);
        assert_eq!(lock.judge(ms(0), at(5_000), 1, 65_534), Verdict::Probation);
        assert_eq!(lock.judge(ms(20), at(5_000), 1, 65_535), Verdict::Probation);
        assert_eq!(lock.destination(), at(4_000));
        assert_eq!(lock.judge(ms(60), at(5_000), 1, 1), Verdict::Accept);
        assert_eq!(lock.destination(), at(5_000));
    }

    #[test]
    fn strangers_spraying_packets_do_not_win() {
        let mut lock = SourceLock::new(at(4_000), true);
        for n in 0..1_000 {
            // Each from another port; and one port with random sequence numbers.
            assert_eq!(lock.judge(ms(n), at(5_000 + u16::try_from(n).unwrap()), 1, 0), Verdict::Probation);
        }
        for n in 0..1_000u16 {
            assert_eq!(lock.judge(ms(0), at(5_000), 1, n.wrapping_mul(7_919)), Verdict::Probation);
        }
        assert_eq!(lock.destination(), at(4_000));
    }

    #[test]
    fn a_locked_source_gives_way_only_to_silence_or_to_the_signalled_one() {
        let mut lock = SourceLock::new(at(4_000), true);
        for n in 0..3 {
            lock.judge(ms(0), at(5_000), 1, n);
        }
        for n in 0..50 {
            assert_eq!(lock.judge(ms(100), at(6_000), 2, n), Verdict::Reject);
        }
        for n in 0..2 {
            assert_eq!(lock.judge(ms(2_100), at(6_000), 2, n), Verdict::Probation);
        }
        assert_eq!(lock.judge(ms(2_100), at(6_000), 2, 2), Verdict::Accept);
        assert_eq!(lock.judge(ms(2_110), at(4_000), 3, 0), Verdict::Accept);
        assert_eq!(lock.destination(), at(4_000));
    }

    #[test]
    fn without_symmetry_nobody_else_is_heard() {
        let mut lock = SourceLock::new(at(4_000), false);
        for n in 0..20 {
            assert_eq!(lock.judge(ms(0), at(5_000), 1, n), Verdict::Reject);
        }
    }
}
