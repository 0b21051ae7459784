//! What the media room tells.

use std::fmt;
use std::path::PathBuf;

use crate::detect::HeardKind;
use crate::digit::Digit;

/// Names a playback of a session; the caller chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaybackId(pub u64);

/// Names a recording of a session; the caller chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingId(pub u64);

/// Where a digit was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigitSource {
    /// As an RFC 4733 telephone-event.
    TelephoneEvent,
    /// As tones in the audio.
    InBand,
}

/// Why a playback ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaybackEnd {
    /// It was played to its end; the last sound has had its time to be heard.
    Finished,
    /// The caller pressed a digit that its barge-in named.
    Interrupted(Digit),
    /// It was stopped, or another playback took its place.
    Stopped,
    /// The session was closed.
    Closed,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingEnd {
    /// The caller was silent for the time given.
    Silence,
    /// The caller pressed a stop key.
    Key(Digit),
    /// The greatest duration was reached.
    DurationMax,
    /// It was finished by command.
    Finished,
    /// The session was closed: the caller hung up.
    Closed,
}

/// A recording as it lies on disk: synced, and under its final name.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The recording.
    pub id: RecordingId,
    /// The file: WAV, linear 16 bit, 8 kHz, one channel.
    pub path: PathBuf,
    /// The length of the audio.
    pub duration_ms: u64,
    /// Why it ended.
    pub stopped_by: RecordingEnd,
    /// SHA-256 of the whole file.
    pub sha256: [u8; 32],
    /// The file's length.
    pub bytes: u64,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("id", &self.id)
            .field("duration_ms", &self.duration_ms)
            .field("stopped_by", &self.stopped_by)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaEvent {
    /// A playback ended.
    PlaybackEnded {
        /// Which.
        id: PlaybackId,
        /// How much of it was sent. A repeating playlist counts all rounds.
        played_ms: u64,
        /// Why.
        reason: PlaybackEnd,
    },
    /// A key was pressed. Told once for each press, at its start.
    Digit {
        /// The key.
        digit: Digit,
        /// Where it was heard.
        source: DigitSource,
    },
    /// A key was released, or enough of its packets were lost to assume so. Follows each `Digit` in the end, unless
    /// the session is closed before.
    DigitEnded {
        /// The key.
        digit: Digit,
        /// How long it was held, as far as it was heard.
        duration_ms: u32,
        /// Where it was heard.
        source: DigitSource,
    },
    /// All digits given to `send_digits` have been sent.
    DigitsSent,
    /// The beep is over: what the caller says from now on is recorded.
    RecordingStarted {
        /// Which.
        id: RecordingId,
    },
    /// A recording is complete and safe on disk.
    RecordingEnded(Recorded),
    /// A recording could not be kept.
    RecordingFailed {
        /// Which.
        id: RecordingId,
        /// What failed, for the log.
        reason: String,
    },
    /// No RTP came for the configured time while it was expected.
    MediaLost {
        /// For how long.
        silent_ms: u64,
    },
    /// RTP came again after `MediaLost`.
    MediaResumed,
    /// What [`crate::Session::listen`] listens for was heard.
    Heard {
        /// What.
        what: HeardKind,
        /// How long it had been listened for.
        at_ms: u32,
    },
    /// The bridge ended because the other session was closed.
    BridgeEnded,
}

/// Takes the events of sessions.
///
/// Called on a media thread: it must not block, and must not call back into the engine for long. Sending into a
/// channel is right.
pub trait EventSink: Send + Sync {
    /// `session` is the label given at [`crate::MediaEngine::open`].
    fn media_event(&self, session: u64, event: MediaEvent);
}

impl<F: Fn(u64, MediaEvent) + Send + Sync> EventSink for F {
    fn media_event(&self, session: u64, event: MediaEvent) {
        self(session, event);
    }
}
