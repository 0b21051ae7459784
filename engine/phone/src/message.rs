//! SIP messages: read by rsip, checked strictly, written by us.
//!
//! rsip 0.4 is only a parser here. A message that it reads is kept as names and values, because rsip's
//! own types cannot hold what we must be able to send (URI headers, unknown parameters).

use rsip::headers::ToTypedHeader;
use rsip::{Method, SipMessage};

use crate::oddity::{Oddity, OddityKind};
use crate::uri;

/// The longest message we read, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 65_535;

/// The first line of a message.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Start {
    Request { method: Method, uri: String },
    Response { code: u16, reason: String },
}

/// A SIP message: first line, headers in order, body.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Message {
    pub(crate) start: Start,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn request(method: Method, uri: &str) -> Self {
        Self { start: Start::Request { method, uri: uri.to_owned() }, headers: Vec::new(), body: Vec::new() }
    }

    /// A response to `request` with the headers that RFC 3261 §8.2.6 copies.
    pub(crate) fn response_to(request: &Message, code: u16, reason: &str) -> Self {
        let mut response =
            Self { start: Start::Response { code, reason: reason.to_owned() }, headers: Vec::new(), body: Vec::new() };
        for (name, value) in &request.headers {
            let copied = ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|h| h.eq_ignore_ascii_case(name));
            let routed = code > 100 && code < 300 && name.eq_ignore_ascii_case("Record-Route");
            if copied || routed {
                response.push(name, value.clone());
            }
        }
        response
    }

    /// Reads one complete message and says what is odd about it.
    ///
    /// # Errors
    /// An oddity when rsip cannot read the bytes at all.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Vec<Oddity>), Oddity> {
        let unparseable = |what: &str| Oddity::new(OddityKind::Unparseable, what);
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(unparseable("longer than a datagram"));
        }
        let parsed = SipMessage::try_from(bytes).map_err(|_| unparseable("rsip does not read it"))?;
        let mut oddities = Vec::new();
        let (start, headers, body) = match parsed {
            SipMessage::Request(r) => {
                // The URI as it was written: rsip's own printing drops URI headers.
                let uri = first_line_word(bytes, 1).ok_or_else(|| unparseable("no request URI"))?;
                (Start::Request { method: r.method, uri }, r.headers, r.body)
            }
            SipMessage::Response(r) => {
                let code = r.status_code.code();
                if !(100..700).contains(&code) {
                    return Err(unparseable("status code out of range"));
                }
                (Start::Response { code, reason: String::new() }, r.headers, r.body)
            }
        };
        check_typed(&headers, matches!(start, Start::Request { .. }), &mut oddities);
        let headers = headers.iter().filter_map(split_header).collect();
        let mut message = Self { start, headers, body };
        message.trim_body(&mut oddities);
        message.check_required(&mut oddities);
        Ok((message, oddities))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("Content-Length") {
                out.push_str(name);
                out.push_str(": ");
                out.push_str(value);
                out.push_str("\r\n");
            }
        }
        out.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.body);
        out
    }

    pub(crate) fn method(&self) -> Option<Method> {
        match &self.start {
            Start::Request { method, .. } => Some(*method),
            Start::Response { .. } => None,
        }
    }

    pub(crate) fn code(&self) -> u16 {
        match &self.start {
            Start::Request { .. } => 0,
            Start::Response { code, .. } => *code,
        }
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All values of a header that may be a comma-separated list.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .flat_map(|(_, v)| uri::split_list(v))
            .map(str::to_owned)
            .collect()
    }

    /// Each header of this name as it is: challenges hold commas of their own.
    pub(crate) fn list_of_challenges(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect()
    }

    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name).iter().any(|v| v.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case(token)))
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        // A value from outside must not start a header of its own.
        let value = value.into().replace(['\r', '\n'], " ");
        self.headers.push((name.to_owned(), value));
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.push(name, value);
    }

    pub(crate) fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.set("Content-Type", content_type);
        self.body = body.into();
        self
    }

    /// The body as text when its type is the given one.
    pub(crate) fn body_of(&self, content_type: &str) -> Option<&str> {
        let kind = self.header("Content-Type")?.split(';').next()?.trim();
        if self.body.is_empty() || !kind.eq_ignore_ascii_case(content_type) {
            return None;
        }
        std::str::from_utf8(&self.body).ok()
    }

    /// Sequence number and method of CSeq.
    pub(crate) fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once(' ')?;
        Some((number.trim().parse().ok()?, method.trim()))
    }

    pub(crate) fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// The tag in From.
    pub(crate) fn sender_tag(&self) -> Option<&str> {
        uri::header_param(self.header("From")?, "tag")
    }

    pub(crate) fn to_tag(&self) -> Option<&str> {
        uri::header_param(self.header("To")?, "tag")
    }

    /// The topmost Via's branch.
    pub(crate) fn branch(&self) -> Option<&str> {
        let via = self.header("Via")?;
        uri::header_param(uri::split_list(via).into_iter().next()?, "branch")
    }

    /// The URI of the first Contact.
    pub(crate) fn contact_uri(&self) -> Option<&str> {
        let contact = self.header("Contact")?;
        Some(uri::addr_spec(uri::split_list(contact).into_iter().next()?))
    }

    /// Cuts what Content-Length leaves out; both directions of disagreement are odd.
    fn trim_body(&mut self, oddities: &mut Vec<Oddity>) {
        let Some(length) = self.header("Content-Length") else {
            if !self.body.is_empty() {
                oddities.push(Oddity::new(OddityKind::WrongContentLength, "a body without Content-Length"));
            }
            return;
        };
        let Ok(length) = length.trim().parse::<usize>() else {
            oddities.push(Oddity::new(OddityKind::WrongContentLength, "Content-Length is no number"));
            return;
        };
        if length != self.body.len() {
            let detail = format!("Content-Length {length}, body {}", self.body.len());
            oddities.push(Oddity::new(OddityKind::WrongContentLength, detail));
            self.body.truncate(length);
        }
    }

    fn check_required(&self, oddities: &mut Vec<Oddity>) {
        let mut odd = |kind, detail: &str| oddities.push(Oddity::new(kind, detail));
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            match self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count() {
                0 => odd(OddityKind::BadHeader, &format!("no {name}")),
                1 => {}
                _ if name == "Via" => {}
                _ => odd(OddityKind::BadHeader, &format!("{name} more than once")),
            }
        }
        if self.sender_tag().is_none() {
            odd(OddityKind::MissingTag, "From without tag");
        }
        if !self.branch().is_some_and(|b| b.starts_with("z9hG4bK")) {
            odd(OddityKind::BadHeader, "Via branch without the magic cookie");
        }
        match &self.start {
            Start::Response { code, .. } if *code > 100 && self.to_tag().is_none() => {
                odd(OddityKind::MissingTag, "response without To tag");
            }
            Start::Request { method, .. } => {
                if self.header("Max-Forwards").and_then(|v| v.trim().parse::<u8>().ok()).is_none() {
                    odd(OddityKind::BadHeader, "Max-Forwards missing or no number");
                }
                if self.cseq().is_none_or(|(_, m)| m != method.to_string()) {
                    odd(OddityKind::BadCseq, "CSeq method is not the request's");
                }
                if *method == Method::Invite && self.header("Contact").is_none() {
                    odd(OddityKind::BadHeader, "INVITE without Contact");
                }
            }
            Start::Response { .. } => {
                if self.list("Via").len() > 1 {
                    odd(OddityKind::BadHeader, "a response to us with more Vias than ours");
                }
            }
        }
        if !self.body.is_empty() && self.header("Content-Type").is_none() {
            odd(OddityKind::BadHeader, "a body without Content-Type");
        }
    }
}

/// The length of a complete message at the start of a TCP stream, or `None` while it is incomplete.
///
/// # Errors
/// An oddity when the stream cannot be framed any more.
pub(crate) fn framed_length(stream: &[u8]) -> Result<Option<usize>, Oddity> {
    let Some(end) = stream.windows(4).position(|w| w == b"\r\n\r\n") else {
        return if stream.len() > MESSAGE_BYTES_MAX {
            Err(Oddity::new(OddityKind::Unparseable, "headers without an end"))
        } else {
            Ok(None)
        };
    };
    let head = String::from_utf8_lossy(&stream[..end]);
    let length = head.split("\r\n").skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim();
        (name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l"))
            .then(|| value.trim().parse::<usize>().ok())
    });
    match length {
        Some(Some(n)) if end + 4 + n <= MESSAGE_BYTES_MAX => Ok((stream.len() >= end + 4 + n).then_some(end + 4 + n)),
        Some(_) => Err(Oddity::new(OddityKind::WrongContentLength, "Content-Length unusable on a stream")),
        None => Err(Oddity::new(OddityKind::WrongContentLength, "no Content-Length on a stream")),
    }
}

/// The reason phrase we send with a status code.
pub(crate) fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        401 => "Unauthorized",
        407 => "Proxy Authentication Required",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        469 => "Bad Info Package",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        603 => "Decline",
        _ if code < 300 => "OK",
        _ => "Refused",
    }
}

fn first_line_word(bytes: &[u8], index: usize) -> Option<String> {
    let line = bytes.split(|b| *b == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(index).map(str::to_owned)
}

fn split_header(header: &rsip::Header) -> Option<(String, String)> {
    let text = header.to_string();
    let (name, value) = text.split_once(':')?;
    Some((long_name(name.trim()).to_owned(), value.trim().to_owned()))
}

/// Compact header names are legal, but rsip does not know them (RFC 3261 §20, RFC 3515, RFC 3891, RFC 4028).
fn long_name(name: &str) -> &str {
    match name {
        "a" => "Accept-Contact",
        "b" => "Referred-By",
        "c" => "Content-Type",
        "e" => "Content-Encoding",
        "f" => "From",
        "i" => "Call-ID",
        "k" => "Supported",
        "l" => "Content-Length",
        "m" => "Contact",
        "o" => "Event",
        "r" => "Refer-To",
        "s" => "Subject",
        "t" => "To",
        "u" => "Allow-Events",
        "v" => "Via",
        "x" => "Session-Expires",
        other => other,
    }
}

/// Headers that rsip knows by type must also parse as that type.
fn check_typed(headers: &rsip::Headers, request: bool, oddities: &mut Vec<Oddity>) {
    use rsip::Header;
    for header in headers.iter() {
        let (name, fine) = match header {
            Header::Via(h) => ("Via", h.typed().is_ok()),
            Header::From(h) => ("From", h.typed().is_ok()),
            Header::To(h) => ("To", h.typed().is_ok()),
            Header::CSeq(h) => ("CSeq", h.typed().is_ok()),
            Header::Contact(h) if request && h.to_string().contains('*') => continue,
            Header::Contact(h) => ("Contact", h.typed().is_ok()),
            Header::ContentType(h) => ("Content-Type", !h.to_string().is_empty()),
            _ => continue,
        };
        if !fine {
            oddities.push(Oddity::new(OddityKind::BadHeader, format!("rsip cannot read {name}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bKx\r\n\
        Max-Forwards: 70\r\nFrom: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: c\r\nCSeq: 7 OPTIONS\r\n";

    fn check(text: &str, expect: &[OddityKind]) {
        let (_, oddities) = Message::parse(text.as_bytes()).expect("readable");
        assert_eq!(oddities.iter().map(|o| o.kind).collect::<Vec<_>>(), expect, "{text}\n{oddities:?}");
    }

    #[test]
    fn strictness() {
        check(&format!("{OPTIONS}Content-Length: 0\r\n\r\n"), &[]);
        check(&format!("{OPTIONS}\r\n"), &[]);
        check(&format!("{OPTIONS}Content-Length: 9\r\n\r\n"), &[OddityKind::WrongContentLength]);
        check(
            &format!("{OPTIONS}Content-Type: a/b\r\nContent-Length: 1\r\n\r\nxyz"),
            &[OddityKind::WrongContentLength],
        );
        check(&format!("{}\r\n", OPTIONS.replace(";tag=1", "")), &[OddityKind::MissingTag]);
        check(&format!("{}\r\n", OPTIONS.replace("7 OPTIONS", "7 INFO")), &[OddityKind::BadCseq]);
        check(&format!("{}\r\n", OPTIONS.replace("z9hG4bK", "")), &[OddityKind::BadHeader]);
        check(&format!("{}\r\n", OPTIONS.replace("Call-ID: c\r\n", "")), &[OddityKind::BadHeader]);
    }

    #[test]
    fn compact_names_are_understood() {
        let text = OPTIONS.replace("Via:", "v:").replace("From:", "f:").replace("To:", "t:").replace("Call-ID:", "i:");
        check(&format!("{text}l: 0\r\n\r\n"), &[]);
    }

    #[test]
    fn written_and_read_again() {
        let mut m = Message::request(Method::Refer, "sip:a@127.0.0.1:5070;transport=tcp");
        m.push("Via", "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK1;rport");
        m.push("From", "<sip:x@127.0.0.1>;tag=f");
        m.push("To", "<sip:y@127.0.0.1>;tag=t");
        m.push("Call-ID", "id@host");
        m.push("CSeq", "12 REFER");
        m.push("Max-Forwards", "70");
        m.push("Refer-To", "<sip:z@127.0.0.1?Replaces=a%3Bto-tag%3Db>\r\nEvil: 1");
        let m = m.with_body("text/plain", "привет");
        let (again, oddities) = Message::parse(&m.to_bytes()).expect("our own message");
        assert!(oddities.is_empty(), "{oddities:?}");
        assert_eq!(again.cseq(), Some((12, "REFER")));
        assert_eq!(again.to_tag(), Some("t"));
        assert!(again.header("Evil").is_none(), "a value must not inject a header");
        assert_eq!(again.body, "привет".as_bytes());
    }

    #[test]
    fn streams_are_framed() {
        let whole = format!("{OPTIONS}Content-Length: 3\r\n\r\nabc");
        for cut in 0..whole.len() {
            assert_eq!(framed_length(&whole.as_bytes()[..cut]).ok(), Some(None), "cut at {cut}");
        }
        assert_eq!(framed_length(format!("{whole}OPTIONS").as_bytes()).ok(), Some(Some(whole.len())));
        assert!(framed_length(format!("{OPTIONS}\r\n").as_bytes()).is_err());
    }
}
