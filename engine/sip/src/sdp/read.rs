//! Tolerant reading: from a body to the few facts that count.

use super::{Codec, Profile, SdpError};
use sdp_types::{Attribute, Media, Session};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// `m=` lines in one body.
const MEDIA_LINES_MAX: usize = 16;
/// Formats of one `m=` line that are looked at.
const FORMATS_MAX: usize = 64;

/// One body.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) lines: Vec<MediaLine>,
}

/// One `m=` line.
#[derive(Debug)]
pub(super) struct MediaLine {
    /// `audio`, `video` …, and what follows the port, as they were: a refusal repeats them.
    pub(super) media: String,
    pub(super) proto: String,
    pub(super) formats: String,
    /// What there is to negotiate: an audio line with a port.
    pub(super) audio: Option<Audio>,
}

/// An audio line.
#[derive(Debug)]
pub(super) struct Audio {
    pub(super) profile: Profile,
    pub(super) remote: SocketAddr,
    pub(super) rtcp: Option<SocketAddr>,
    pub(super) rtcp_mux: bool,
    /// In the order of the line.
    pub(super) codecs: Vec<(Codec, u8)>,
    pub(super) telephone_event: Option<u8>,
    pub(super) ptime_ms: Option<u16>,
    /// What the far side does.
    pub(super) sends: bool,
    pub(super) receives: bool,
}

pub(super) fn read(body: &[u8]) -> Result<Description, SdpError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(SdpError::Unreadable);
    }
    let session = Session::parse(body).or_else(|_| Session::parse(&tidied(body))).map_err(|_| SdpError::Unreadable)?;
    if session.medias.len() > MEDIA_LINES_MAX {
        return Err(SdpError::Unreadable);
    }
    let lines = session.medias.iter().map(|media| read_line(&session, media)).collect();
    Ok(Description { lines })
}

/// Without what the parser trips over and no meaning hangs on: lines that are none, blanks at line ends, bytes that are
/// not UTF-8, and the lines that we do not read.
fn tidied(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len());
    let mut has_version = false;
    for line in text.split(['\r', '\n', '\0']) {
        let line = line.trim();
        let [key, b'=', ..] = line.as_bytes() else { continue };
        if matches!(key, b'v' | b's' | b'c' | b'm' | b'a') {
            has_version |= *key == b'v';
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    if has_version { out.into_bytes() } else { format!("v=0\r\n{out}").into_bytes() }
}

fn read_line(session: &Session, media: &Media) -> MediaLine {
    MediaLine {
        media: media.media.clone(),
        proto: media.proto.clone(),
        formats: media.fmt.clone(),
        audio: if media.media.eq_ignore_ascii_case("audio") && media.port != 0 {
            read_audio(session, media)
        } else {
            None
        },
    }
}

fn read_audio(session: &Session, media: &Media) -> Option<Audio> {
    let connection = media.connections.first().or(session.connection.as_ref())?;
    let address = ip(&connection.connection_address)?;
    let value = |name: &str| last_value(&media.attributes, name).or_else(|| last_value(&session.attributes, name));
    let has = |name: &str| {
        let is = |a: &&Attribute| a.attribute.eq_ignore_ascii_case(name);
        media.attributes.iter().find(is).is_some()
    };
    let (sends, receives) =
        direction(&media.attributes).or_else(|| direction(&session.attributes)).unwrap_or((true, true));
    let formats: Vec<u8> =
        media.fmt.split_ascii_whitespace().take(FORMATS_MAX).filter_map(|f| f.parse().ok()).collect();
    let maps: Vec<(u8, &str)> = media.attributes.iter().filter_map(rtpmap).collect();
    let name_of = |pt: u8| maps.iter().find(|(mapped, _)| *mapped == pt).map(|(_, name)| *name);
    Some(Audio {
        profile: profile(&media.proto),
        remote: SocketAddr::new(address, media.port),
        rtcp: value("rtcp").and_then(|text| read_rtcp(text, address)),
        rtcp_mux: has("rtcp-mux"),
        codecs: formats.iter().filter_map(|pt| codec_of(*pt, name_of(*pt)).map(|codec| (codec, *pt))).collect(),
        telephone_event: formats.iter().copied().find(|pt| name_of(*pt).is_some_and(is_telephone_event)),
        ptime_ms: ptime_ms(value("ptime"), value("maxptime")),
        sends,
        receives,
    })
}

/// The wish for speech in one packet, within what is sensible and what the far side can take.
fn ptime_ms(ptime: Option<&str>, maxptime: Option<&str>) -> Option<u16> {
    const SENSIBLE_MS: std::ops::RangeInclusive<u16> = 10..=60;
    let number = |text: &str| text.trim().split('.').next().and_then(|n| n.parse::<u16>().ok());
    let most = maxptime.and_then(number).filter(|ms| SENSIBLE_MS.contains(ms));
    let wish = ptime.and_then(number).filter(|ms| SENSIBLE_MS.contains(ms));
    match (wish, most) {
        (Some(wish), Some(most)) => Some(wish.min(most)),
        (wish, most) => wish.or(most.filter(|ms| *ms < super::negotiation::PTIME_MS)),
    }
}

fn codec_of(payload_type: u8, name: Option<&str>) -> Option<Codec> {
    let Some(name) = name else { return Codec::by_payload_type(payload_type) };
    let mut parts = name.split('/');
    let codec = Codec::by_name(parts.next()?.trim())?;
    let rate = parts.next().is_none_or(|rate| rate.trim() == "8000");
    let mono = parts.next().is_none_or(|channels| channels.trim() == "1");
    (rate && mono).then_some(codec)
}

fn is_telephone_event(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.next().is_some_and(|name| name.trim().eq_ignore_ascii_case("telephone-event"))
        && parts.next().is_none_or(|rate| rate.trim() == "8000")
}

fn rtpmap(attribute: &Attribute) -> Option<(u8, &str)> {
    if !attribute.attribute.eq_ignore_ascii_case("rtpmap") {
        return None;
    }
    let (payload_type, name) = attribute.value.as_deref()?.trim().split_once(char::is_whitespace)?;
    Some((payload_type.parse().ok()?, name.trim()))
}

fn profile(proto: &str) -> Profile {
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(proto));
    if is(&["RTP/AVP", "RTP/AVPF"]) {
        Profile::Avp
    } else if is(&["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"]) {
        Profile::Savp
    } else {
        Profile::Other
    }
}

/// Whether the far side sends, and whether it receives.
fn direction(attributes: &[Attribute]) -> Option<(bool, bool)> {
    attributes.iter().rev().find_map(|attribute| match attribute.attribute.as_str() {
        "sendrecv" => Some((true, true)),
        "sendonly" => Some((true, false)),
        "recvonly" => Some((false, true)),
        "inactive" => Some((false, false)),
        _ => None,
    })
}

fn last_value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().rev().find(|a| a.attribute.eq_ignore_ascii_case(name)).and_then(|a| a.value.as_deref())
}

/// `a=rtcp:53020` or `a=rtcp:53020 IN IP4 126.16.64.4`.
fn read_rtcp(text: &str, media_address: IpAddr) -> Option<SocketAddr> {
    let mut words = text.split_ascii_whitespace();
    let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let address = words.nth(2).and_then(ip).unwrap_or(media_address);
    Some(SocketAddr::new(address, port))
}

/// A literal address; a name cannot be resolved here, and is taken as "send nothing" (the unspecified address).
fn ip(text: &str) -> Option<IpAddr> {
    let text = text.split('/').next()?.trim();
    Some(text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}
