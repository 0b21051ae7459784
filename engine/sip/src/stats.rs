//! Counters by kind. Cheap to count, read as a whole.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What is counted.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Counter {
            $($(#[$doc])* $variant,)*
        }

        impl Counter {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name under which it is exported.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

counters! {
    /// Messages that passed the gate.
    Received => "received",
    /// Incoming calls handed to the host.
    CallsIn => "calls-in",
    /// Calls out.
    CallsOut => "calls-out",
    /// 503: too many calls at one time or in a second.
    RefusedLimit => "refused-limit",
    /// 503: draining.
    RefusedDraining => "refused-draining",
    /// 503: the host did not take incoming calls fast enough.
    RefusedHostBusy => "refused-host-busy",
    /// 488: no codec in common, or a profile that we do not speak.
    RefusedMedia => "refused-media",
    /// 422: a session interval below our minimum.
    RefusedSessionInterval => "refused-session-interval",
    /// 420: an extension that we do not have.
    RefusedExtension => "refused-extension",
    /// 482: the same request by another way.
    RefusedMerged => "refused-merged",
    /// Requests outside of any trunk.
    UnknownSource => "unknown-source",
    /// Messages above a source's rate.
    SourceRate => "source-rate",
    /// Requests for a dialog that is not there: 481.
    UnknownDialog => "unknown-dialog",
    /// 405 or 501.
    MethodRefused => "method-refused",
    /// OPTIONS outside of a dialog.
    Options => "options",
    /// CR LF keep-alives and STUN.
    KeepAlive => "keep-alive",
    /// Header lines repaired: UTF-8, control characters, line ends, Content-Length.
    Repaired => "repaired",
    /// Too large.
    BadSize => "bad-size",
    /// The start line.
    BadStartLine => "bad-start-line",
    /// SIP/7.0: 505.
    BadVersion => "bad-version",
    /// A Request-URI of a scheme that we do not know: 416.
    BadUriScheme => "bad-uri-scheme",
    /// A header line, or too many.
    BadHeader => "bad-header",
    /// A header field that must be there is not.
    MissingHeader => "missing-header",
    /// A header field twice that may be there once.
    RepeatedHeader => "repeated-header",
    /// Content-Length.
    BadContentLength => "bad-content-length",
    /// CSeq: number, or not the method of the request.
    BadCSeq => "bad-cseq",
    /// The stack could not read what the gate let through.
    BadForStack => "bad-for-stack",
    /// A response that cannot be one.
    BadResponse => "bad-response",
    /// A body of a type that we do not read: 415.
    BadContentType => "bad-content-type",
    /// A TCP connection above the limit.
    ConnectionRefused => "connection-refused",
    /// An event that the host had no room for; the leg was ended, or the digit dropped.
    EventDropped => "event-dropped",
    /// A transcript that was not delivered.
    TranscriptFailed => "transcript-failed",
    /// Sessions that ran out (RFC 4028).
    SessionExpired => "session-expired",
    /// 491 either way.
    Glare => "glare",
    /// Telephones' registrations taken, refreshes among them.
    Registered => "registered",
    /// Registrations taken back.
    Unregistered => "unregistered",
    /// REGISTERs that only ask.
    RegisterAsked => "register-asked",
    /// REGISTERs that make no sense, are too brief, or come too late.
    RegisterBad => "register-bad",
    /// 403: for somebody else, from a network where this user does not come from, or a call of who is not registered.
    RegisterForbidden => "register-forbidden",
    /// 401 to who brought no credentials yet, or old ones.
    DigestAsked => "digest-asked",
    /// 401: unknown user or wrong password.
    DigestWrong => "digest-wrong",
    /// 401: a nonce count that had been seen.
    DigestReplayed => "digest-replayed",
    /// 503: a source that guesses.
    DigestThrottled => "digest-throttled",
    /// `X-Gudok-Chain` of a peer centre that cannot be read: passed over.
    ChainBad => "chain-bad",
    /// 482: a call that has come back through other centres.
    RefusedLoop => "refused-loop",
}

#[derive(Debug)]
pub(crate) struct Counters([AtomicU64; Counter::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Counters {
    pub(crate) fn count(&self, what: Counter) {
        if let Some(counter) = self.0.get(what as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self, what: Counter) -> u64 {
        self.0.get(what as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

/// The counters and gauges at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SipStats {
    /// Legs that are not over.
    pub legs: usize,
    /// Transactions that the stack works on.
    pub transactions: usize,
    /// Ended transactions that it remembers for retransmissions.
    pub transactions_remembered: usize,
    /// Counts since the start.
    pub counts: Vec<(Counter, u64)>,
}

impl SipStats {
    /// One of the counts.
    #[must_use]
    pub fn count(&self, what: Counter) -> u64 {
        self.counts.iter().find(|(counter, _)| *counter == what).map_or(0, |(_, count)| *count)
    }
}
