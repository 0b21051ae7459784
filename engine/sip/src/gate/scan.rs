//! One pass over a message's head, without allocating: what is needed to judge it and to answer it.
//!
//! Tolerant where RFC 3261 and RFC 4475 ask for it (compact names, folded lines, blank lines in front, bare LF) and
//! exact where a lenient reading would let two readers see two different messages.

use memchr::memchr;

/// Header lines in one message.
pub(crate) const HEADER_LINES_MAX: usize = 160;

/// What the start line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StartLine<'a> {
    Request { method: &'a [u8], uri: &'a [u8] },
    Response { status: u16 },
}

/// Why a message is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    Size,
    StartLine,
    Version,
    UriScheme,
    Header,
    MissingHeader,
    RepeatedHeader,
    ContentLength,
    CSeq,
    Response,
}

/// The head of a message.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) start: StartLine<'a>,
    /// The header lines, without start line and blank line.
    pub(crate) head: &'a [u8],
    /// The whole first Via line's value: it may list several.
    pub(crate) via: &'a [u8],
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
    pub(crate) call_id: &'a [u8],
    pub(crate) cseq: &'a [u8],
    /// None where the field is absent.
    pub(crate) content_length: Option<usize>,
    pub(crate) body: &'a [u8],
    /// The head has bytes that the stack must not see.
    pub(crate) needs_repair: bool,
    /// What is wrong, where a refusal can still be addressed.
    pub(crate) fault: Option<Fault>,
}

/// Reads the head. An error means that no answer can be built.
pub(crate) fn scan(message: &[u8]) -> Result<Scan<'_>, Fault> {
    let message = skip_blank_lines(message);
    let (start_line, mut bare_line_end, rest) = take_line(message).ok_or(Fault::StartLine)?;
    let (start, start_fault) = read_start_line(start_line)?;
    let mut scan = Scan {
        start,
        head: &[],
        via: &[],
        from: &[],
        to: &[],
        call_id: &[],
        cseq: &[],
        content_length: None,
        body: &[],
        needs_repair: has_foreign_bytes(start_line),
        fault: start_fault,
    };
    let mut at = rest;
    let mut lines = 0;
    let mut max_forwards_seen = false;
    loop {
        let Some((line, bare, after)) = take_header(at) else {
            // The blank line is missing. Nothing after it can be trusted, but the fields before it can be answered.
            scan.head = rest;
            scan.note(Fault::Header);
            break;
        };
        bare_line_end |= bare;
        if line.is_empty() {
            scan.head = &rest[..rest.len() - at.len()];
            scan.body = after;
            break;
        }
        lines += 1;
        if lines > HEADER_LINES_MAX {
            return Err(Fault::Header);
        }
        scan.needs_repair |= has_foreign_bytes(line);
        scan.read_header(line, &mut max_forwards_seen);
        at = after;
    }
    scan.needs_repair |= bare_line_end;
    scan.judge()?;
    Ok(scan)
}

impl<'a> Scan<'a> {
    /// The sequence number.
    pub(crate) fn cseq_number(&self) -> Option<u32> {
        let (number, _) = split_at_space(self.cseq)?;
        parse_number(number)
    }

    /// The tag of To, where it has one.
    pub(crate) fn to_tag(&self) -> Option<&'a [u8]> {
        header_param(self.to, b"tag")
    }

    /// The branch of the first Via.
    pub(crate) fn branch(&self) -> Option<&'a [u8]> {
        header_param(first_of_list(self.via), b"branch")
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn read_header(&mut self, line: &'a [u8], max_forwards_seen: &mut bool) {
        let Some(colon) = memchr(b':', line) else { return self.note(Fault::Header) };
        let name = line[..colon].trim_ascii_end();
        let value = line[colon + 1..].trim_ascii();
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return self.note(Fault::Header);
        }
        let slot = match name.len() {
            1 | 3 if is_name(name, b"Via", b'v') => {
                if self.via.is_empty() {
                    self.via = value;
                }
                return;
            }
            1 | 4 if is_name(name, b"From", b'f') => &mut self.from,
            1 | 2 if is_name(name, b"To", b't') => &mut self.to,
            1 | 7 if is_name(name, b"Call-ID", b'i') => &mut self.call_id,
            4 if name.eq_ignore_ascii_case(b"CSeq") => &mut self.cseq,
            1 | 14 if is_name(name, b"Content-Length", b'l') => {
                let length = parse_number(value).and_then(|n| usize::try_from(n).ok());
                match (length, self.content_length) {
                    (None, _) => self.note(Fault::ContentLength),
                    (Some(now), Some(before)) if now != before => self.note(Fault::ContentLength),
                    (length, _) => self.content_length = length,
                }
                return;
            }
            12 if name.eq_ignore_ascii_case(b"Max-Forwards") => {
                if std::mem::replace(max_forwards_seen, true) {
                    self.note(Fault::RepeatedHeader);
                }
                if parse_number(value).is_none_or(|n| n > 255) {
                    self.note(Fault::Header);
                }
                return;
            }
            _ => return,
        };
        if slot.is_empty() {
            *slot = value;
        } else {
            self.note(Fault::RepeatedHeader);
        }
    }

    /// What the fields together say. An error means that no answer can be built.
    fn judge(&mut self) -> Result<(), Fault> {
        if self.via.is_empty() {
            return Err(Fault::MissingHeader);
        }
        if !is_plausible_via(first_of_list(self.via)) {
            return Err(Fault::Header);
        }
        let mandatory = [self.from, self.to, self.call_id, self.cseq];
        if mandatory.iter().any(|value| value.is_empty()) {
            self.note(Fault::MissingHeader);
            return Ok(());
        }
        if header_param(self.from, b"tag").is_none_or(<[u8]>::is_empty) {
            self.note(Fault::MissingHeader);
        }
        let method_of_cseq = split_at_space(self.cseq).map(|(_, method)| method.trim_ascii());
        // RFC 3261, 8.1.1.5: less than 2^31.
        let number_is_good = self.cseq_number().is_some_and(|n| n < 1 << 31);
        let method_is_good = match self.start {
            StartLine::Request { method, .. } => method_of_cseq == Some(method),
            StartLine::Response { .. } => method_of_cseq.is_some_and(|m| !m.is_empty()),
        };
        if !number_is_good || !method_is_good {
            self.note(Fault::CSeq);
        }
        if self.content_length.is_some_and(|length| length > self.body.len()) {
            self.note(Fault::ContentLength);
        }
        Ok(())
    }
}

/// The value of a parameter behind a header value (outside of `<…>` and quotes), None where there is none.
pub(crate) fn header_param<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut params = after_address(value);
    while let Some(semicolon) = find_unquoted(params, b';') {
        params = &params[semicolon + 1..];
        let end = find_unquoted(params, b';').unwrap_or(params.len());
        let param = params[..end].trim_ascii();
        let (key, content) = match memchr(b'=', param) {
            Some(equals) => (param[..equals].trim_ascii(), param[equals + 1..].trim_ascii()),
            None => (param, &[][..]),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(content);
        }
    }
    None
}

/// The first entry of a comma-separated list.
pub(crate) fn first_of_list(value: &[u8]) -> &[u8] {
    let end = find_unquoted(value, b',').unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// Header lines one by one, folded ones in one piece: what [`scan`] read as [`Scan::head`].
pub(crate) fn header_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = head;
    std::iter::from_fn(move || {
        let (line, _, after) = take_header(at)?;
        at = after;
        (!line.is_empty()).then_some(line)
    })
}

/// Physical lines, without their ends.
pub(crate) fn physical_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = head;
    std::iter::from_fn(move || {
        let (line, _, after) = take_line(at)?;
        at = after;
        Some(line)
    })
}

pub(crate) fn is_name(name: &[u8], long: &[u8], compact: u8) -> bool {
    match name {
        [one] => one.eq_ignore_ascii_case(&compact),
        _ => name.eq_ignore_ascii_case(long),
    }
}

/// Bytes in a header line that the stack must not see: it stops reading headers at what is not UTF-8, and a lone CR or
/// NUL would be copied into our answers.
pub(crate) fn has_foreign_bytes(line: &[u8]) -> bool {
    let has_controls = line.iter().any(|b| is_foreign_control(*b));
    (has_controls && has_controls_beside_folds(line)) || (!line.is_ascii() && std::str::from_utf8(line).is_err())
}

/// A folded line holds the CR LF of its folds, which count as none.
fn has_controls_beside_folds(line: &[u8]) -> bool {
    let mut parts = line.rsplit(|b| *b == b'\n');
    let last = parts.next().unwrap_or(line);
    let folded = parts.map(|part| part.strip_suffix(b"\r").unwrap_or(part));
    std::iter::once(last).chain(folded).any(|part| part.iter().any(|b| is_foreign_control(*b)))
}

pub(crate) fn is_foreign_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

pub(crate) fn skip_blank_lines(mut message: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = message {
        message = rest;
    }
    message
}

fn read_start_line(line: &[u8]) -> Result<(StartLine<'_>, Option<Fault>), Fault> {
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        let status = line.get(8..11).and_then(parse_number).and_then(|n| u16::try_from(n).ok());
        let spaced = line.get(7) == Some(&b' ') && line.get(11).is_none_or(|b| *b == b' ');
        return match status {
            Some(status @ 100..=699) if spaced && line[..7].eq_ignore_ascii_case(b"SIP/2.0") => {
                Ok((StartLine::Response { status }, None))
            }
            _ => Err(Fault::Response),
        };
    }
    let (method, rest) = split_at_space(line).ok_or(Fault::StartLine)?;
    let last_space = rest.iter().rposition(|b| *b == b' ').ok_or(Fault::StartLine)?;
    let (uri, version) = (&rest[..last_space], &rest[last_space + 1..]);
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(Fault::StartLine);
    }
    let start = StartLine::Request { method, uri };
    let fault = if version.len() < 5 || !version[..4].eq_ignore_ascii_case(b"SIP/") {
        Some(Fault::StartLine)
    } else if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        Some(Fault::Version)
    } else {
        judge_request_uri(uri)
    };
    Ok((start, fault))
}

fn judge_request_uri(uri: &[u8]) -> Option<Fault> {
    if uri.is_empty() || uri.iter().any(|b| b.is_ascii_whitespace() || b"<>\"".contains(b)) {
        return Some(Fault::StartLine);
    }
    let scheme = memchr(b':', uri).map(|colon| &uri[..colon]);
    match scheme {
        Some(s) if s.eq_ignore_ascii_case(b"sip") || s.eq_ignore_ascii_case(b"sips") => None,
        Some(s) if s.eq_ignore_ascii_case(b"tel") => None,
        Some(s) if !s.is_empty() && s.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) => {
            Some(Fault::UriScheme)
        }
        _ => Some(Fault::StartLine),
    }
}

/// `SIP / 2.0 / UDP host…`: enough to send an answer somewhere sensible.
fn is_plausible_via(via: &[u8]) -> bool {
    let mut parts = via.splitn(3, |b| *b == b'/');
    let (Some(name), Some(version), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let rest = rest.trim_ascii();
    let sent_by = rest.iter().position(u8::is_ascii_whitespace).map(|space| rest[space..].trim_ascii());
    name.trim_ascii().eq_ignore_ascii_case(b"SIP")
        && version.trim_ascii() == b"2.0"
        && sent_by.is_some_and(|host| !host.is_empty() && !host.starts_with(b";"))
}

/// One line without its end, whether the end was a bare LF, and what follows.
fn take_line(message: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let end = memchr(b'\n', message)?;
    let (line, rest) = (&message[..end], &message[end + 1..]);
    match line {
        [before @ .., b'\r'] => Some((before, false, rest)),
        _ => Some((line, true, rest)),
    }
}

/// One header line together with its folded continuations.
fn take_header(message: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let (first, mut bare, mut rest) = take_line(message)?;
    if first.is_empty() {
        return Some((first, bare, rest));
    }
    let mut len = first.len();
    while let [b' ' | b'\t', ..] = rest {
        let (more, more_bare, after) = take_line(rest)?;
        len = message.len() - rest.len() + more.len();
        bare |= more_bare;
        rest = after;
    }
    Some((&message[..len], bare, rest))
}

/// What follows `<…>`, or all of it where there are no angle brackets.
fn after_address(value: &[u8]) -> &[u8] {
    let open = find_unquoted_from(value, b'<', false);
    match open.and_then(|open| memchr(b'>', &value[open..]).map(|close| open + close + 1)) {
        Some(behind) => &value[behind..],
        None => value,
    }
}

/// The first `wanted` that is neither in quotes nor in angle brackets.
fn find_unquoted(value: &[u8], wanted: u8) -> Option<usize> {
    find_unquoted_from(value, wanted, true)
}

fn find_unquoted_from(value: &[u8], wanted: u8, skip_angles: bool) -> Option<usize> {
    let mut in_quotes = false;
    let mut in_angles = false;
    let mut escaped = false;
    for (at, byte) in value.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match *byte {
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b if b == wanted && !in_quotes && !in_angles => return Some(at),
            b'<' if !in_quotes && skip_angles => in_angles = true,
            b'>' if !in_quotes => in_angles = false,
            _ => {}
        }
    }
    None
}

fn split_at_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().position(u8::is_ascii_whitespace)?;
    Some((&text[..space], &text[space + 1..]))
}

/// Decimal digits only, as the ABNF has it: no sign, no blanks inside.
fn parse_number(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii();
    let plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if plain { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_outside_of_quotes_and_brackets_only() {
        let check = |value: &str, name: &str, expect: Option<&str>| {
            let got = header_param(value.as_bytes(), name.as_bytes());
            assert_eq!(got, expect.map(str::as_bytes), "{name} of {value}");
        };
        check("<sip:a@b>;tag=1", "tag", Some("1"));
        check("sip:a@b;tag=1", "tag", Some("1"));
        check("\"x;tag=2\" <sip:a@b;tag=3> ; TAG = 1", "tag", Some("1"));
        check("<sip:a@b;tag=3>", "tag", None);
        check("\"a \\\" <\" <sip:a@b>;tag=9;x", "tag", Some("9"));
        check("SIP/2.0/UDP h;rport;branch=z9hG4bK1", "rport", Some(""));
        check("SIP/2.0/UDP h;rport;branch=z9hG4bK1", "branch", Some("z9hG4bK1"));
        check("", "tag", None);
        check("\"unclosed", "tag", None);
    }

    #[test]
    fn folded_and_compact_headers_are_read() {
        let text = b"\r\nBYE sip:a@b SIP/2.0\r\nv:\r\n SIP/2.0/UDP\r\n\th;branch=z9hG4bKx\r\nf: <sip:c@d>;tag=1\r\n\
            t: <sip:a@b>\r\n ;tag=2\r\ni: x\r\nCSeq: 7\r\n BYE\r\nl: 0\r\n\r\n";
        let scan = scan(text).unwrap();
        assert_eq!(scan.fault, None);
        assert_eq!(scan.branch(), Some(&b"z9hG4bKx"[..]));
        assert_eq!(scan.to_tag(), Some(&b"2"[..]));
        assert_eq!(scan.cseq_number(), Some(7));
        assert!(!scan.needs_repair);
        assert_eq!(header_lines(scan.head).count(), 6);
    }
}
