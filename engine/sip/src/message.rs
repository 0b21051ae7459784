//! Reading fields of messages, and putting messages together.

use crate::gate::answer::ALLOW;
use crate::session_timer::{Said, Say, read_session_expires};
use rsipstack::sip::{Header, Headers, Request, Response, StatusCode, Version};

/// The option tags that we have; anything else in Require is refused.
pub(crate) const SUPPORTED: &str = "100rel, timer";

/// The first value of a field.
pub(crate) fn field<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// All values of a field.
pub(crate) fn fields<'a>(headers: &'a Headers, name: &str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |header| header.name().eq_ignore_ascii_case(name)).map(Header::value)
}

/// Whether a comma-separated field lists `token`.
pub(crate) fn lists(headers: &Headers, name: &str, token: &str) -> bool {
    fields(headers, name).flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// Option tags in Require that we do not have.
pub(crate) fn unsupported(headers: &Headers) -> Vec<String> {
    let ours = |tag: &&str| !SUPPORTED.split(", ").any(|one| one.eq_ignore_ascii_case(tag));
    let required = fields(headers, "Require").flat_map(|value| value.split(',')).map(str::trim);
    required.filter(|tag| !tag.is_empty()).filter(ours).map(str::to_owned).collect()
}

/// What a message says about session timers.
pub(crate) fn session_fields(headers: &Headers) -> Said {
    let (expires_s, refresher) = field(headers, "Session-Expires").map_or((None, None), read_session_expires);
    Said {
        supported: lists(headers, "Supported", "timer") || lists(headers, "Require", "timer"),
        expires_s,
        refresher,
        min_se_s: field(headers, "Min-SE").and_then(|value| value.split(';').next()?.trim().parse().ok()),
    }
}

pub(crate) fn push_session_fields(headers: &mut Vec<Header>, say: Option<Say>) {
    let Some(say) = say else { return };
    let refresher = say.refresher.map_or(String::new(), |refresher| format!(";refresher={}", refresher.as_str()));
    headers.push(Header::SessionExpires(format!("{}{refresher}", say.expires_s).into()));
    if let Some(min_se_s) = say.min_se_s {
        headers.push(Header::MinSE(min_se_s.to_string().into()));
    }
    if say.require {
        headers.push(Header::Require("timer".into()));
    }
}

/// The fields that tell what we can do.
pub(crate) fn push_capabilities(headers: &mut Vec<Header>) {
    headers.push(Header::Allow(ALLOW.into()));
    headers.push(Header::Supported(SUPPORTED.into()));
}

pub(crate) fn content_type(value: &str) -> Header {
    Header::ContentType(value.into())
}

pub(crate) const SDP: &str = "application/sdp";

/// An SDP body of a message, wherever it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body<'a> {
    None,
    Sdp(&'a [u8]),
    /// A body that we do not read.
    Other,
}

/// Finds the SDP: the body itself, or its part of a multipart (SIP-I carries ISUP beside it).
pub(crate) fn sdp_body<'a>(headers: &Headers, body: &'a [u8]) -> Body<'a> {
    if body.is_empty() {
        return Body::None;
    }
    let kind = field(headers, "Content-Type").unwrap_or(SDP);
    let (media_type, params) = kind.split_once(';').unwrap_or((kind, ""));
    let media_type = media_type.trim();
    let encoded = field(headers, "Content-Encoding").is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity"));
    if encoded {
        return Body::Other;
    }
    if media_type.eq_ignore_ascii_case(SDP) {
        return Body::Sdp(body);
    }
    if media_type.to_ascii_lowercase().starts_with("multipart/") {
        let boundary = crate::address::param(params, "boundary").map(|text| text.trim_matches('"'));
        return boundary.and_then(|boundary| sdp_part(body, boundary)).map_or(Body::Other, Body::Sdp);
    }
    Body::Other
}

fn sdp_part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    const PARTS_MAX: usize = 8;
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memchr::memmem::find_iter(body, delimiter.as_bytes()).take(PARTS_MAX).collect();
    starts.windows(2).find_map(|pair| {
        let part = body.get(pair[0] + delimiter.len()..pair[1])?;
        let part = part.strip_prefix(b"\r\n")?;
        let blank = memchr::memmem::find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..blank]).to_ascii_lowercase();
        let is_sdp = head.lines().any(|line| line.starts_with("content-type") && line.contains(SDP));
        is_sdp.then(|| part[blank + 4..].trim_ascii_end())
    })
}

/// The fields that every response repeats from its request, with our tag in To.
pub(crate) fn response_base(request: &Request, tag: Option<&str>) -> Vec<Header> {
    let mut base = Vec::with_capacity(12);
    for header in request.headers.iter() {
        match header {
            Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) => base.push(header.clone()),
            // RFC 3261, section 12.1.1: in the responses that make a dialog, and harmless in the others.
            Header::RecordRoute(_) => base.push(header.clone()),
            Header::To(to) => match tag {
                Some(tag) if crate::address::NameAddr::read(to.value()).param("tag").is_none() => {
                    base.push(Header::To(format!("{};tag={tag}", to.value()).into()));
                }
                _ => base.push(header.clone()),
            },
            _ => {}
        }
    }
    base
}

/// Puts a response together.
pub(crate) fn response(base: &[Header], status: u16, more: Vec<Header>, body: Option<(&str, String)>) -> Response {
    let mut headers = Vec::with_capacity(base.len() + more.len() + 2);
    headers.extend_from_slice(base);
    headers.extend(more);
    let body = match body {
        Some((kind, body)) => {
            headers.push(content_type(kind));
            body.into_bytes()
        }
        None => Vec::new(),
    };
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    headers.push(Header::ContentLength(length.into()));
    Response {
        status_code: StatusCode::from(status),
        wire_reason: None,
        version: Version::V2,
        headers: headers.into(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let list = lines.iter().map(|(name, value)| match *name {
            "Content-Type" => content_type(value),
            "Require" => Header::Require((*value).into()),
            name => Header::Other(name.to_owned(), (*value).to_owned()),
        });
        list.collect::<Vec<_>>().into()
    }

    #[test]
    fn sdp_is_found_alone_and_in_a_multipart() {
        let check = |kind: &str, body: &str, expect: Body<'_>| {
            assert_eq!(sdp_body(&headers(&[("Content-Type", kind)]), body.as_bytes()), expect, "{kind}");
        };
        check("application/sdp", "v=0", Body::Sdp(b"v=0"));
        check("Application/SDP; charset=utf-8", "v=0", Body::Sdp(b"v=0"));
        check("application/isup", "x", Body::Other);
        check("application/sdp", "", Body::None);
        let mixed = "--b\r\nContent-Type: application/isup\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n";
        check("multipart/mixed; boundary=\"b\"", mixed, Body::Sdp(b"v=0"));
        check("multipart/mixed; boundary=c", mixed, Body::Other);
        check("multipart/mixed", mixed, Body::Other);
        assert_eq!(sdp_body(&headers(&[]), b"v=0"), Body::Sdp(b"v=0"));
    }

    #[test]
    fn required_extensions_are_compared() {
        let required = headers(&[("Require", "timer, Foo"), ("Require", "100rel,bar")]);
        assert_eq!(unsupported(&required), ["Foo", "bar"]);
        assert!(lists(&required, "require", "100REL"));
    }
}
