//! What is counted. Written by one pacer, read by anybody, without a lock.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

/// Why a datagram was refused. Each kind has its counter in [`SessionStats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reject {
    /// Shorter than an RTP header.
    TooShort,
    /// Longer than any packet of telephone audio.
    TooLong,
    /// Not version 2: STUN, DTLS, garbage.
    NotRtp,
    /// A header whose lengths contradict the datagram's.
    Malformed,
    /// A payload type that was not negotiated.
    PayloadType,
    /// From an address that is not the call's party.
    Source,
    /// From an address that is being watched before it is believed.
    Probation,
    /// A sequence number from nowhere.
    Sequence,
    /// While the stream is not to be received (hold, or not configured).
    NotReceiving,
    /// A telephone-event that contradicts itself or is older than any we remember.
    Event,
    /// More digits than a hand or an autodialler can press.
    DigitFlood,
    /// RTCP that cannot be parsed.
    Rtcp,
    /// Refused by the packet transform: forged, replayed, or with another key.
    Transform,
}

impl Reject {
    /// All kinds, in the order of their counters.
    pub const ALL: [Self; 13] = [
        Self::TooShort,
        Self::TooLong,
        Self::NotRtp,
        Self::Malformed,
        Self::PayloadType,
        Self::Source,
        Self::Probation,
        Self::Sequence,
        Self::NotReceiving,
        Self::Event,
        Self::DigitFlood,
        Self::Rtcp,
        Self::Transform,
    ];

    /// A name for a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::NotRtp => "not_rtp",
            Self::Malformed => "malformed",
            Self::PayloadType => "payload_type",
            Self::Source => "source",
            Self::Probation => "probation",
            Self::Sequence => "sequence",
            Self::NotReceiving => "not_receiving",
            Self::Event => "event",
            Self::DigitFlood => "digit_flood",
            Self::Rtcp => "rtcp",
            Self::Transform => "transform",
        }
    }
}

/// What passed through one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionStats {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Payload bytes sent.
    pub octets_sent: u64,
    /// Packets the operating system would not take.
    pub send_failures: u64,
    /// RTP packets accepted.
    pub packets_received: u64,
    /// Payload bytes accepted.
    pub octets_received: u64,
    /// Packets missing by sequence number; negative where more were duplicated than lost (RFC 3550, A.3).
    pub packets_lost: i64,
    /// Interarrival jitter in microseconds (RFC 3550, A.8).
    pub jitter_us: u32,
    /// Packets lost as the other side reports it by RTCP.
    pub remote_packets_lost: u32,
    /// Round trip in milliseconds by RTCP; 0 while unknown.
    pub round_trip_ms: u32,
    /// Digits reported.
    pub digits: u32,
    /// Refused datagrams, by kind in the order of [`Reject::ALL`].
    pub rejected: [u32; Reject::ALL.len()],
}

impl SessionStats {
    /// Datagrams refused for one reason.
    #[must_use]
    pub const fn rejected_by(&self, kind: Reject) -> u32 {
        self.rejected[kind as usize]
    }

    /// All refused datagrams.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().map(|count| u64::from(*count)).sum()
    }
}

/// The counters of a session, shared between its pacer (the only writer) and its handle.
#[derive(Debug, Default)]
pub(crate) struct SessionCounters {
    pub(crate) packets_sent: AtomicU64,
    pub(crate) octets_sent: AtomicU64,
    pub(crate) send_failures: AtomicU64,
    pub(crate) packets_received: AtomicU64,
    pub(crate) octets_received: AtomicU64,
    pub(crate) packets_lost: AtomicI64,
    pub(crate) jitter_us: AtomicU32,
    pub(crate) remote_packets_lost: AtomicU32,
    pub(crate) round_trip_ms: AtomicU32,
    pub(crate) digits: AtomicU32,
    rejected: [AtomicU32; Reject::ALL.len()],
    /// Set by the handle on close: the pacer sends nothing more, even before it reads the command.
    pub(crate) closed: AtomicBool,
}

impl SessionCounters {
    pub(crate) fn reject(&self, kind: Reject) {
        let counter = &self.rejected[kind as usize];
        counter.store(counter.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> SessionStats {
        SessionStats {
            packets_sent: self.packets_sent.load(Ordering::Relaxed),
            octets_sent: self.octets_sent.load(Ordering::Relaxed),
            send_failures: self.send_failures.load(Ordering::Relaxed),
            packets_received: self.packets_received.load(Ordering::Relaxed),
            octets_received: self.octets_received.load(Ordering::Relaxed),
            packets_lost: self.packets_lost.load(Ordering::Relaxed),
            jitter_us: self.jitter_us.load(Ordering::Relaxed),
            remote_packets_lost: self.remote_packets_lost.load(Ordering::Relaxed),
            round_trip_ms: self.round_trip_ms.load(Ordering::Relaxed),
            digits: self.digits.load(Ordering::Relaxed),
            rejected: std::array::from_fn(|at| self.rejected[at].load(Ordering::Relaxed)),
        }
    }
}

/// Adds to a counter that has one writer: a load and a store, not a locked instruction.
pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

/// What the engine as a whole has done, for metrics and for admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineStats {
    /// Open sessions.
    pub sessions_open: usize,
    /// Sessions that have something to send or to listen to at this moment.
    pub sessions_active: usize,
    /// Bound ports that rest before they are used again.
    pub ports_resting: usize,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Datagrams received, good and bad.
    pub datagrams_received: u64,
    /// Datagrams that arrived on a port without a session.
    pub strays: u64,
    /// Times a slot began more than 20 ms behind its schedule.
    pub slots_late: u64,
    /// Times the schedule had to be abandoned because the process had been stopped for seconds.
    pub schedule_jumps: u64,
    /// The worst lateness of a slot in the current and the previous second, in microseconds. Above about 10,000
    /// the machine is at its limit: admit no more calls.
    pub lateness_us_recent: u64,
    /// The worst lateness ever, in microseconds.
    pub lateness_us_worst: u64,
}

/// The counters of a pacer thread.
#[derive(Debug, Default)]
pub(crate) struct PacerCounters {
    pub(crate) sessions_active: AtomicU64,
    pub(crate) packets_sent: AtomicU64,
    pub(crate) datagrams_received: AtomicU64,
    pub(crate) strays: AtomicU64,
    pub(crate) slots_late: AtomicU64,
    pub(crate) schedule_jumps: AtomicU64,
    pub(crate) lateness_us_this_second: AtomicU64,
    pub(crate) lateness_us_last_second: AtomicU64,
    pub(crate) lateness_us_worst: AtomicU64,
}

impl PacerCounters {
    pub(crate) fn add_to(&self, sum: &mut EngineStats) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        sum.sessions_active += usize::try_from(get(&self.sessions_active)).unwrap_or(usize::MAX);
        sum.packets_sent += get(&self.packets_sent);
        sum.datagrams_received += get(&self.datagrams_received);
        sum.strays += get(&self.strays);
        sum.slots_late += get(&self.slots_late);
        sum.schedule_jumps += get(&self.schedule_jumps);
        sum.lateness_us_recent =
            sum.lateness_us_recent.max(get(&self.lateness_us_this_second)).max(get(&self.lateness_us_last_second));
        sum.lateness_us_worst = sum.lateness_us_worst.max(get(&self.lateness_us_worst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_counters_keep_their_order() {
        let counters = SessionCounters::default();
        for (at, kind) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            for _ in 0..=at {
                counters.reject(kind);
            }
        }
        let stats = counters.snapshot();
        for (at, kind) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(stats.rejected_by(kind), u32::try_from(at).unwrap() + 1, "{}", kind.name());
        }
        assert_eq!(stats.rejected_total(), 91);
    }
}
