//! The few things about addresses and header parameters that rsip 0.4 does not give us.

use std::net::{IpAddr, SocketAddr};

use crate::error::PhoneError;

/// The port that SIP uses when a URI names none.
const SIP_PORT: u16 = 5060;

/// The parts of a SIP URI that dialling needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tcp: bool,
}

impl Target {
    /// Reads `sip:user@host:port;transport=tcp`.
    ///
    /// # Errors
    /// When it is no SIP URI, or one for a transport that this phone has not.
    pub(crate) fn parse(uri: &str) -> Result<Self, PhoneError> {
        let bad = |reason| PhoneError::BadUri { reason };
        let rest = uri.trim();
        let rest = match rest.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("sip:") => &rest[4..],
            _ => return Err(bad("no sip: scheme")),
        };
        if rest.chars().any(|c| c.is_control() || c == ' ' || c == '<' || c == '>') {
            return Err(bad("a character that is not allowed"));
        }
        let rest = rest.split('?').next().unwrap_or_default();
        let mut parts = rest.split(';');
        let address = parts.next().unwrap_or_default();
        let tcp = match parts.find_map(|p| p.split_once('=').filter(|(n, _)| n.eq_ignore_ascii_case("transport"))) {
            Some((_, t)) if t.eq_ignore_ascii_case("tcp") => true,
            Some((_, t)) if t.eq_ignore_ascii_case("udp") => false,
            Some(_) => return Err(bad("a transport other than udp and tcp")),
            None => false,
        };
        let hostport = address.rsplit_once('@').map_or(address, |(_, h)| h);
        let (host, port) = match hostport.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| bad("a port that is no number"))?)
            }
            _ => (hostport, SIP_PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(bad("no host"));
        }
        Ok(Self { host: host.to_owned(), port, tcp })
    }

    /// The address, when the host is one and need not be resolved.
    pub(crate) fn socket_addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse::<IpAddr>().ok()?, self.port))
    }
}

/// Splits a comma-separated header value, minding quotes and angle brackets.
pub(crate) fn split_list(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut angle) = (0, false, false);
    for (i, c) in value.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            ',' if !quoted && !angle => {
                parts.push(value[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(value[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

/// The URI in a name-addr or addr-spec.
pub(crate) fn addr_spec(value: &str) -> &str {
    match (value.find('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => value[open + 1..close].trim(),
        _ => value.split(';').next().unwrap_or_default().trim(),
    }
}

/// A parameter of a header value (behind the angle brackets, if there are any).
pub(crate) fn header_param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let params = value.rfind('>').map_or(value, |i| &value[i + 1..]);
    params.split(';').skip(1).find_map(|p| match p.split_once('=') {
        Some((n, v)) if n.trim().eq_ignore_ascii_case(name) => Some(v.trim()),
        None if p.trim().eq_ignore_ascii_case(name) => Some(""),
        _ => None,
    })
}

/// What a Refer-To asks for: the URI to dial, and the Replaces header to send with it.
pub(crate) fn refer_target(refer_to: &str) -> (String, Option<String>) {
    let spec = addr_spec(refer_to);
    let (uri, headers) = spec.split_once('?').unwrap_or((spec, ""));
    let replaces = headers
        .split('&')
        .filter_map(|h| h.split_once('='))
        .find(|(n, _)| n.eq_ignore_ascii_case("Replaces"))
        .map(|(_, v)| unescape(v));
    (uri.to_owned(), replaces)
}

/// Percent-escapes what a URI header may not hold as it is.
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%')
            .then(|| bytes.get(i + 1..i + 3))
            .flatten()
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        if let Some(byte) = hex {
            out.push(byte);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let check = |uri: &str, expect: Option<(&str, u16, bool)>| {
            let got = Target::parse(uri).ok();
            assert_eq!(got.as_ref().map(|t| (t.host.as_str(), t.port, t.tcp)), expect, "{uri}");
        };
        check("sip:1@127.0.0.1", Some(("127.0.0.1", 5060, false)));
        check("sip:1@127.0.0.1:5070;transport=TCP", Some(("127.0.0.1", 5070, true)));
        check("sip:centre.example;lr", Some(("centre.example", 5060, false)));
        check("sip:1@[::1]:5070", Some(("::1", 5070, false)));
        check("sip:1@host:port", None);
        check("tel:+73842", None);
        check("sip:1@h;transport=tls", None);
        check("sip:1@h\r\nEvil: 1", None);
        check("sip:", None);
        check("", None);
    }

    #[test]
    fn refer_to() {
        assert_eq!(refer_target("<sip:2@h:5062>"), ("sip:2@h:5062".into(), None));
        assert_eq!(
            refer_target("<sip:2@h?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&X=y>"),
            ("sip:2@h".into(), Some("a@b;to-tag=1;from-tag=2".into()))
        );
        assert_eq!(refer_target("sip:2@h?Replaces=%4"), ("sip:2@h".into(), Some("%4".into())));
        assert_eq!(unescape(&escape("a@b;to-tag=1;x=я%")), "a@b;to-tag=1;x=я%");
    }

    #[test]
    fn lists_and_parameters() {
        assert_eq!(split_list("\"a,b\" <sip:x,y@h>, <sip:z@h>;q=1,"), ["\"a,b\" <sip:x,y@h>", "<sip:z@h>;q=1"]);
        assert_eq!(header_param("<sip:a@h;tag=no>;tag=yes", "tag"), Some("yes"));
        assert_eq!(header_param("<sip:a@h>;early-only", "early-only"), Some(""));
        assert_eq!(addr_spec("\"N\" <sip:a@h;x=1>;tag=1"), "sip:a@h;x=1");
        assert_eq!(addr_spec("sip:a@h;tag=1"), "sip:a@h");
    }
}
