//! Offer and answer over the life of one session.

use super::read::{Audio, Description, MediaLine, read};
use super::{Codec, MediaSpec, Profile, SdpError};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

/// Speech in one packet unless the far side wishes otherwise.
pub(super) const PTIME_MS: u16 = 20;
/// Our payload type for telephone-event where we offer.
const TELEPHONE_EVENT: u8 = 101;

/// Both sides' descriptions of one session.
#[derive(Debug)]
pub(crate) struct Negotiation {
    codecs: Arc<[Codec]>,
    session_id: u64,
    version: u64,
    /// Ours as last sent: sent again, unchanged, to refresh a session.
    local: Option<Local>,
    agreed: Option<MediaSpec>,
}

#[derive(Clone, Debug)]
struct Local {
    address: SocketAddr,
    body: String,
}

impl Negotiation {
    /// `session_id` is drawn at random by the caller.
    pub(crate) fn new(codecs: Arc<[Codec]>, session_id: u32) -> Self {
        Self { codecs, session_id: u64::from(session_id), version: 1, local: None, agreed: None }
    }

    pub(crate) fn agreed(&self) -> Option<MediaSpec> {
        self.agreed
    }

    /// Our media address as last told.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.local.as_ref().map(|local| local.address)
    }

    /// What an answer to this offer would agree on. Changes nothing.
    pub(crate) fn preview(&self, offer: &[u8]) -> Result<MediaSpec, SdpError> {
        self.choose(&read(offer)?).map(|(_, spec)| spec)
    }

    /// Answers an offer.
    pub(crate) fn answer(&mut self, offer: &[u8], address: SocketAddr) -> Result<String, SdpError> {
        let description = read(offer)?;
        let (chosen, spec) = self.choose(&description)?;
        let body = self.write(address, |out| {
            for (at, line) in description.lines.iter().enumerate() {
                if at == chosen {
                    write_audio(out, address, &[(spec.codec, spec.payload_type)], &spec);
                } else {
                    write_refused(out, line);
                }
            }
        });
        self.agreed = Some(spec);
        Ok(body)
    }

    /// Offers all our codecs.
    pub(crate) fn offer(&mut self, address: SocketAddr) -> String {
        let codecs: Vec<(Codec, u8)> = self.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
        let all = MediaSpec {
            remote: address,
            codec: Codec::Pcma,
            payload_type: 0,
            telephone_event: Some(TELEPHONE_EVENT),
            send: true,
            receive: true,
            ptime_ms: PTIME_MS,
            rtcp_mux: true,
            rtcp: None,
        };
        self.write(address, |out| write_audio(out, address, &codecs, &all))
    }

    /// Takes the answer to our offer.
    pub(crate) fn accept(&mut self, answer: &[u8]) -> Result<MediaSpec, SdpError> {
        let description = read(answer)?;
        let audio = description.lines.first().and_then(|line| line.audio.as_ref()).ok_or(SdpError::NoCommonMedia)?;
        if audio.profile != Profile::Avp {
            return Err(SdpError::NotAnAnswer);
        }
        let offered = |codec: &Codec| self.codecs.contains(codec);
        let (codec, payload_type) =
            audio.codecs.iter().copied().find(|(codec, _)| offered(codec)).ok_or(SdpError::NoCommonMedia)?;
        let spec = spec_of(audio, codec, payload_type);
        self.agreed = Some(spec);
        Ok(spec)
    }

    /// The description that is in force, to be sent unchanged.
    pub(crate) fn current(&self) -> Option<&str> {
        self.local.as_ref().map(|local| local.body.as_str())
    }

    /// The first audio line that we can serve, and what we agree on there.
    fn choose(&self, description: &Description) -> Result<(usize, MediaSpec), SdpError> {
        let serve = |line: &MediaLine| {
            let audio = line.audio.as_ref().filter(|audio| audio.profile == Profile::Avp)?;
            let wanted = |codec: &Codec| audio.codecs.iter().find(|(offered, _)| offered == codec).copied();
            let (codec, payload_type) = self.codecs.iter().find_map(wanted)?;
            Some(spec_of(audio, codec, payload_type))
        };
        let first = description.lines.iter().enumerate().find_map(|(at, line)| serve(line).map(|spec| (at, spec)));
        first.ok_or(SdpError::NoCommonMedia)
    }

    /// Writes a body. By hand: every call needs one, and building the parser's model only to print it costs more than
    /// the printing.
    fn write(&mut self, address: SocketAddr, media: impl FnOnce(&mut String)) -> String {
        let mut lines = String::with_capacity(256);
        media(&mut lines);
        let body = |version: u64| {
            let ip = address.ip().to_canonical();
            let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
            let id = self.session_id;
            format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n{lines}")
        };
        // RFC 3264, section 8: the version counts up when, and only when, the description changes.
        let unchanged = self.local.as_ref().is_some_and(|local| local.body == body(self.version));
        if self.local.is_some() && !unchanged {
            self.version += 1;
        }
        let body = body(self.version);
        self.local = Some(Local { address, body: body.clone() });
        body
    }
}

fn spec_of(audio: &Audio, codec: Codec, payload_type: u8) -> MediaSpec {
    let reachable = !audio.remote.ip().is_unspecified();
    MediaSpec {
        remote: audio.remote,
        codec,
        payload_type,
        telephone_event: audio.telephone_event,
        send: audio.receives && reachable,
        receive: audio.sends,
        ptime_ms: audio.ptime_ms.unwrap_or(PTIME_MS),
        rtcp_mux: audio.rtcp_mux,
        rtcp: audio.rtcp,
    }
}

fn write_audio(out: &mut String, address: SocketAddr, codecs: &[(Codec, u8)], spec: &MediaSpec) {
    // Writing to a String cannot fail.
    let _ = write!(out, "m=audio {} RTP/AVP", address.port());
    let formats = codecs.iter().map(|(_, pt)| *pt).chain(spec.telephone_event);
    for payload_type in formats {
        let _ = write!(out, " {payload_type}");
    }
    out.push_str("\r\n");
    for (codec, payload_type) in codecs {
        let _ = write!(out, "a=rtpmap:{payload_type} {}/8000\r\n", codec.as_str());
    }
    if let Some(event) = spec.telephone_event {
        let _ = write!(out, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n");
    }
    let _ = write!(out, "a=ptime:{}\r\n", spec.ptime_ms);
    if spec.rtcp_mux {
        out.push_str("a=rtcp-mux\r\n");
    }
    let direction = match (spec.send, spec.receive) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    };
    let _ = write!(out, "a={direction}\r\n");
}

/// RFC 3264, section 6: refused lines stay in their place, with port 0.
fn write_refused(out: &mut String, line: &MediaLine) {
    let _ = write!(out, "m={} 0 {} {}\r\n", line.media, line.proto, line.formats);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
