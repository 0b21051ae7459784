//! Session descriptions: one audio stream, offer and answer (RFC 3264, RFC 4566). Our own small reading of them.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// How many payload types of one stream we look at.
const PAYLOADS_MAX: usize = 64;

/// An audio codec that this phone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722 at 64 kbit/s (its RTP clock runs at 8 kHz all the same).
    G722,
}

impl Codec {
    /// The static payload type of RFC 3551.
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Pcma, Self::Pcmu, Self::G722].into_iter().find(|c| c.name().eq_ignore_ascii_case(name))
    }

    /// Samples of audio in a second, decoded.
    #[must_use]
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu => 8_000,
            Self::G722 => 16_000,
        }
    }
}

/// Which way audio flows, seen from the one who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only from the one who says it: the usual form of hold.
    SendOnly,
    /// Only to the one who says it.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// What we put into our offers and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalMedia {
    pub(crate) addr: SocketAddr,
    pub(crate) codecs: Vec<Codec>,
    /// The payload type of telephone-event that we offer, if we do.
    pub(crate) telephone_event: Option<u8>,
    pub(crate) direction: Direction,
}

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// Where our RTP goes. `None` while the peer holds us with an unspecified address.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    pub(crate) telephone_event: Option<u8>,
    pub(crate) send: bool,
    pub(crate) receive: bool,
}

/// A session description of a peer, as far as we use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) addr: SocketAddr,
    payloads: Vec<(u8, String)>,
    pub(crate) direction: Direction,
}

impl Description {
    /// Reads the first audio stream over RTP/AVP.
    ///
    /// # Errors
    /// Says what is missing or wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with("v=0") {
            return Err("does not start with v=0");
        }
        let mut session = Section::default();
        let mut audio: Option<Section> = None;
        let mut in_other = false;
        for line in text.lines() {
            let line = line.trim_end_matches('\r');
            if let Some(media) = line.strip_prefix("m=") {
                in_other = audio.is_some() || !media.starts_with("audio ");
                if !in_other {
                    audio = Some(Section::media(media)?);
                }
            } else if !in_other {
                audio.as_mut().unwrap_or(&mut session).line(line)?;
            }
        }
        let audio = audio.ok_or("no audio stream")?;
        let ip = audio.ip.or(session.ip).ok_or("no connection line")?;
        if audio.payloads.is_empty() {
            return Err("an audio stream without payload types");
        }
        Ok(Self {
            addr: SocketAddr::new(ip, audio.port),
            payloads: audio.payloads.iter().filter_map(|pt| Some((*pt, audio.encoding(*pt)?))).collect(),
            direction: audio.direction.or(session.direction).unwrap_or_default(),
        })
    }

    /// What this description and our side have in common: the first of its codecs that we speak.
    pub(crate) fn negotiate(&self, local: &LocalMedia) -> Result<Negotiated, &'static str> {
        if self.addr.port() == 0 {
            return Err("the audio stream is refused");
        }
        let (payload_type, codec) = self
            .payloads
            .iter()
            .find_map(|(pt, name)| {
                let codec = Codec::from_name(name.strip_suffix("/8000")?)?;
                local.codecs.contains(&codec).then_some((*pt, codec))
            })
            .ok_or("no codec in common")?;
        let telephone_event = local.telephone_event.and_then(|_| {
            self.payloads.iter().find(|(_, n)| n.eq_ignore_ascii_case("telephone-event/8000")).map(|(pt, _)| *pt)
        });
        let remote = (!self.addr.ip().is_unspecified()).then_some(self.addr);
        Ok(Negotiated {
            remote,
            codec,
            payload_type,
            telephone_event,
            send: local.direction.sends() && self.direction.receives() && remote.is_some(),
            receive: local.direction.receives() && self.direction.sends(),
        })
    }

    /// Our answer to this offer.
    pub(crate) fn answer(
        &self,
        local: &LocalMedia,
        id: u64,
        version: u64,
    ) -> Result<(String, Negotiated), &'static str> {
        let agreed = self.negotiate(local)?;
        let direction = Direction::of(
            local.direction.sends() && self.direction.receives(),
            local.direction.receives() && self.direction.sends(),
        );
        let payloads = [(agreed.payload_type, agreed.codec)];
        Ok((write(local.addr, &payloads, agreed.telephone_event, direction, id, version), agreed))
    }
}

/// Our offer.
pub(crate) fn offer(local: &LocalMedia, id: u64, version: u64) -> String {
    let payloads: Vec<_> = local.codecs.iter().map(|c| (c.payload_type(), *c)).collect();
    write(local.addr, &payloads, local.telephone_event, local.direction, id, version)
}

#[derive(Default)]
struct Section {
    ip: Option<IpAddr>,
    port: u16,
    payloads: Vec<u8>,
    rtpmap: Vec<(u8, String)>,
    direction: Option<Direction>,
}

impl Section {
    fn media(line: &str) -> Result<Self, &'static str> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let port = words.next().and_then(|p| p.split('/').next()?.parse().ok()).ok_or("no media port")?;
        if words.next() != Some("RTP/AVP") {
            return Err("a profile other than RTP/AVP");
        }
        let payloads = words
            .take(PAYLOADS_MAX)
            .map(|w| w.parse().ok().filter(|pt: &u8| *pt < 128).ok_or("a payload type that is no number"))
            .collect::<Result<_, _>>()?;
        Ok(Self { port, payloads, ..Self::default() })
    }

    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some(connection) = line.strip_prefix("c=") {
            let address = connection.split_ascii_whitespace().nth(2).unwrap_or_default();
            self.ip = Some(address.parse().map_err(|_| "a connection address that is no address")?);
        } else if let Some(map) = line.strip_prefix("a=rtpmap:") {
            let (pt, name) = map.split_once(' ').ok_or("an rtpmap without encoding")?;
            let pt = pt.parse().map_err(|_| "an rtpmap without payload type")?;
            if self.rtpmap.len() < PAYLOADS_MAX {
                self.rtpmap.push((pt, name.trim().to_owned()));
            }
        } else if let Some(attribute) = line.strip_prefix("a=") {
            let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
            if let Some(direction) = all.into_iter().find(|d| d.name() == attribute.trim()) {
                self.direction = Some(direction);
            }
        }
        Ok(())
    }

    /// The encoding of a payload type, from its rtpmap or from RFC 3551.
    fn encoding(&self, payload_type: u8) -> Option<String> {
        if let Some((_, name)) = self.rtpmap.iter().find(|(pt, _)| *pt == payload_type) {
            return Some(name.strip_suffix("/1").unwrap_or(name).to_owned());
        }
        [Codec::Pcmu, Codec::Pcma, Codec::G722]
            .into_iter()
            .find(|c| c.payload_type() == payload_type)
            .map(|c| format!("{}/8000", c.name()))
    }
}

fn write(
    addr: SocketAddr,
    payloads: &[(u8, Codec)],
    telephone_event: Option<u8>,
    direction: Direction,
    id: u64,
    version: u64,
) -> String {
    let family = if addr.is_ipv4() { "IP4" } else { "IP6" };
    let ip = addr.ip();
    let mut media = format!("m=audio {} RTP/AVP", addr.port());
    let mut maps = String::new();
    // Writing to a String cannot fail.
    for (pt, codec) in payloads {
        let _ = write!(media, " {pt}");
        let _ = write!(maps, "a=rtpmap:{pt} {}/8000\r\n", codec.name());
    }
    if let Some(pt) = telephone_event {
        let _ = write!(media, " {pt}");
        let _ = write!(maps, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
    }
    format!(
        "v=0\r\no=phone {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         {media}\r\n{maps}a=ptime:20\r\na={}\r\n",
        direction.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(direction: Direction) -> LocalMedia {
        LocalMedia {
            addr: "127.0.0.1:4000".parse().expect("an address"),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            telephone_event: Some(101),
            direction,
        }
    }

    #[test]
    fn offer_and_answer() {
        let theirs = offer(&LocalMedia { telephone_event: Some(96), ..local(Direction::SendRecv) }, 1, 1);
        let (text, agreed) =
            Description::parse(&theirs).and_then(|d| d.answer(&local(Direction::SendRecv), 2, 1)).unwrap();
        assert_eq!((agreed.codec, agreed.payload_type, agreed.telephone_event), (Codec::Pcma, 8, Some(96)));
        assert!(agreed.send && agreed.receive);
        let back = Description::parse(&text).unwrap().negotiate(&local(Direction::SendRecv)).unwrap();
        assert_eq!((back.codec, back.telephone_event), (Codec::Pcma, Some(96)));
    }

    #[test]
    fn hold_is_mirrored() {
        let check = |theirs, expect: &str, send, receive| {
            let offer = offer(&local(theirs), 1, 1);
            let (text, agreed) = Description::parse(&offer).unwrap().answer(&local(Direction::SendRecv), 1, 1).unwrap();
            assert!(text.contains(&format!("a={expect}\r\n")), "{text}");
            assert_eq!((agreed.send, agreed.receive), (send, receive));
        };
        check(Direction::SendRecv, "sendrecv", true, true);
        check(Direction::SendOnly, "recvonly", false, true);
        check(Direction::RecvOnly, "sendonly", true, false);
        check(Direction::Inactive, "inactive", false, false);
    }

    #[test]
    fn refused_and_broken() {
        let check = |text: &str, expect: &str| {
            let got = Description::parse(text).and_then(|d| d.negotiate(&local(Direction::SendRecv)));
            assert_eq!(got.map(|_| ()).err(), Some(expect), "{text}");
        };
        check("", "does not start with v=0");
        check("v=0\r\n", "no audio stream");
        check("v=0\r\nm=video 1 RTP/AVP 31\r\n", "no audio stream");
        check("v=0\r\nm=audio 1 RTP/AVP 8\r\n", "no connection line");
        check("v=0\r\nc=IN IP4 nowhere\r\nm=audio 1 RTP/AVP 8\r\n", "a connection address that is no address");
        check("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 8\r\n", "the audio stream is refused");
        check("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 70000 RTP/AVP 8\r\n", "no media port");
        check("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/SAVP 8\r\n", "a profile other than RTP/AVP");
        check("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 18\r\n", "no codec in common");
        check("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 300\r\n", "a payload type that is no number");
    }

    #[test]
    fn unspecified_address_is_hold() {
        let text = "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4 RTP/AVP 8\r\n";
        let agreed = Description::parse(text).unwrap().negotiate(&local(Direction::SendRecv)).unwrap();
        assert_eq!((agreed.remote, agreed.send), (None, false));
    }
}
