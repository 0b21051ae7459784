//! Where one message ends in a stream (RFC 3261, section 18.3).

use crate::gate::scan::{is_name, physical_lines, skip_blank_lines};
use memchr::{memchr, memmem};

/// What stands at the front of a stream's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// A message (or a keep-alive) of so many bytes.
    Message(usize),
    /// Not yet a whole one.
    More,
    /// Too large, or its length cannot be told.
    Broken,
}

pub(crate) fn next(buffer: &[u8], message_bytes_max: usize) -> Next {
    // A ping is two CR LF; one alone is a pong, or stands before a message.
    if buffer.starts_with(b"\r\n\r\n") {
        return Next::Message(4);
    }
    let blank = buffer.len() - skip_blank_lines(buffer).len();
    let message = &buffer[blank..];
    if message.is_empty() {
        return if blank >= 2 && buffer != b"\r\n\r" { Next::Message(blank) } else { Next::More };
    }
    let Some(head_len) = memmem::find(message, b"\r\n\r\n").map(|at| at + 4) else {
        return if message.len() > message_bytes_max { Next::Broken } else { Next::More };
    };
    let Some(body_len) = content_length(&message[..head_len]) else { return Next::Broken };
    let len = head_len.saturating_add(body_len);
    if len > message_bytes_max {
        Next::Broken
    } else if len > message.len() {
        Next::More
    } else {
        Next::Message(blank + len)
    }
}

/// On a stream the field must be there; where it is not, the message has no body. None where it is no number.
fn content_length(head: &[u8]) -> Option<usize> {
    for line in physical_lines(head) {
        let Some(colon) = memchr(b':', line) else { continue };
        let name = line[..colon].trim_ascii_end();
        if matches!(name.len(), 1 | 14) && is_name(name, b"Content-Length", b'l') {
            let value = line[colon + 1..].trim_ascii();
            let plain = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            return if plain { std::str::from_utf8(value).ok()?.parse().ok() } else { None };
        }
    }
    Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_where_they_end() {
        let check = |text: &str, expect: Next| assert_eq!(next(text.as_bytes(), 100), expect, "{text:?}");
        check("", Next::More);
        check("\r\n\r\n", Next::Message(4));
        check("\r\n", Next::Message(2));
        check("\r\n\r", Next::More);
        check("BYE x SIP/2.0\r\nl: 3\r\n\r\nabcBYE", Next::Message(26));
        check("\r\nBYE x SIP/2.0\r\nl: 3\r\n\r\nabc", Next::Message(28));
        check("BYE x SIP/2.0\r\nContent-Length : 3\r\n\r\nab", Next::More);
        check("BYE x SIP/2.0\r\n\r\nrest", Next::Message(17));
        check("BYE x SIP/2.0\r\nl: -3\r\n\r\n", Next::Broken);
        check("BYE x SIP/2.0\r\nl: 99999999999999999999999\r\n\r\n", Next::Broken);
        check("BYE x SIP/2.0\r\nl: 90\r\n\r\n", Next::Broken);
        check(&"x".repeat(101), Next::Broken);
    }
}
