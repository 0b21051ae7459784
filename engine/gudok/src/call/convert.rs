//! Between the rooms' words: what SIP negotiated for the media room, what the media room measured for the store.

use gudok_core::call::{MediaEvent, PlaybackId, RecordingId};
use gudok_core::campaign::{Heard, Listen};
use gudok_core::script::StoppedBy;
use gudok_media::{HeardKind, ListenFor, PlaybackEnd, Recorded, RecordingEnd, SessionStats, StreamParams};
use gudok_sip::{Codec, MediaSpec};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn stream_params(spec: &MediaSpec) -> StreamParams {
    StreamParams {
        remote: spec.remote,
        remote_rtcp: spec.rtcp,
        codec: match spec.codec {
            Codec::Pcma => gudok_media::Codec::Pcma,
            Codec::Pcmu => gudok_media::Codec::Pcmu,
            Codec::G722 => gudok_media::Codec::G722,
        },
        payload_type: spec.payload_type,
        telephone_event: spec.telephone_event,
        send: spec.send && !spec.remote.ip().is_unspecified(),
        receive: spec.receive,
        ptime_ms: nearest_ptime(spec.ptime_ms),
        rtcp_mux: spec.rtcp_mux,
        symmetric: true,
    }
}

/// The packet times that the media room has.
fn nearest_ptime(wished_ms: u16) -> u32 {
    match wished_ms {
        0..=14 => 10,
        15..=24 => 20,
        25..=34 => 30,
        35..=49 => 40,
        _ => 60,
    }
}

pub(super) const fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
        Codec::G722 => "G722",
    }
}

pub(super) fn media_stats(stats: &SessionStats, codec: &str) -> gudok_store::MediaStats {
    gudok_store::MediaStats {
        codec: codec.to_owned(),
        packets_sent: stats.packets_sent,
        packets_received: stats.packets_received,
        packets_lost: u64::try_from(stats.packets_lost).unwrap_or(0),
        packets_late: 0,
        jitter_ms_max: stats.jitter_us / 1_000,
    }
}

pub(super) const fn listen_for(listen: Listen) -> ListenFor {
    match listen {
        Listen::Tones => ListenFor::Tones,
        Listen::Answer => ListenFor::Answer,
        Listen::Stop => ListenFor::Stop,
    }
}

pub(super) const fn heard(what: HeardKind) -> Heard {
    match what {
        HeardKind::Human => Heard::Human,
        HeardKind::Machine => Heard::Machine,
        HeardKind::Silence => Heard::Silence,
        HeardKind::Fax => Heard::Fax,
        HeardKind::Busy => Heard::Busy,
        HeardKind::Intercept => Heard::Intercept,
        HeardKind::Beep => Heard::Beep,
        HeardKind::GreetingOver => Heard::GreetingOver,
    }
}

fn playback_id(id: gudok_media::PlaybackId) -> PlaybackId {
    PlaybackId(u32::try_from(id.0).unwrap_or(u32::MAX))
}

pub(super) fn recording_id(id: gudok_media::RecordingId) -> RecordingId {
    RecordingId(u32::try_from(id.0).unwrap_or(u32::MAX))
}

pub(super) fn playback_ended(id: gudok_media::PlaybackId, played_ms: u64, reason: PlaybackEnd) -> MediaEvent {
    let interrupted_by = match reason {
        PlaybackEnd::Interrupted(digit) => Some(digit.as_char()),
        PlaybackEnd::Finished | PlaybackEnd::Stopped | PlaybackEnd::Closed => None,
    };
    MediaEvent::PlaybackEnded {
        playback: playback_id(id),
        finished: reason == PlaybackEnd::Finished,
        interrupted_by,
        at: Duration::from_millis(played_ms),
    }
}

pub(super) fn recording_ended(recorded: &Recorded) -> MediaEvent {
    let name = recorded.path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    MediaEvent::RecordingEnded {
        recording: recording_id(recorded.id),
        name: Arc::from(name),
        duration: Duration::from_millis(recorded.duration_ms),
        stopped_by: match recorded.stopped_by {
            RecordingEnd::Silence => StoppedBy::Silence,
            RecordingEnd::Key(_) => StoppedBy::Key,
            RecordingEnd::DurationMax => StoppedBy::Max,
            RecordingEnd::Finished => StoppedBy::Script,
            RecordingEnd::Closed => StoppedBy::Hangup,
        },
        sha256: recorded.sha256,
    }
}
