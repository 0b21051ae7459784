//! Addresses in header fields, read from their text: name-addr and addr-spec (RFC 3261, section 25.1).

use rsipstack::sip::{Auth, Uri};

/// Splits `"Name" <uri>;params`, `Name <uri>;params` or `uri;params`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NameAddr<'a> {
    pub(crate) name: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) params: &'a str,
}

impl<'a> NameAddr<'a> {
    pub(crate) fn read(value: &'a str) -> Self {
        let value = value.trim();
        let open = find_unquoted(value, '<');
        if let Some(open) = open
            && let Some(close) = value[open..].find('>')
        {
            let name = value[..open].trim().trim_matches('"');
            return Self { name, uri: value[open + 1..open + close].trim(), params: &value[open + close + 1..] };
        }
        let (uri, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        Self { name: "", uri: uri.trim(), params }
    }

    /// A parameter of the header field (not of the URI).
    pub(crate) fn param(&self, name: &str) -> Option<&'a str> {
        param(self.params, name)
    }
}

/// A parameter of a `;name=value` list.
pub(crate) fn param<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    params.split(';').find_map(|one| {
        let (key, value) = one.split_once('=').unwrap_or((one, ""));
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The entries of a comma-separated list of addresses.
pub(crate) fn entries(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        match find_unquoted(text, ',') {
            Some(comma) => {
                rest = Some(&text[comma + 1..]);
                Some(text[..comma].trim())
            }
            None => {
                rest = None;
                Some(text.trim())
            }
        }
    })
    .filter(|entry| !entry.is_empty())
}

/// The telephone number or user of a SIP or tel URI, in clear; None where it has none.
pub(crate) fn user(uri: &str) -> Option<String> {
    const SEPARATORS: [char; 4] = ['-', '.', '(', ')'];
    let (scheme, rest) = uri.split_once(':')?;
    let text = if scheme.eq_ignore_ascii_case("tel") {
        let number = rest.split([';', '?']).next()?;
        number.replace(SEPARATORS, "")
    } else {
        let (user_info, _) = rest.rsplit_once('@')?;
        // A password, and the telephone-subscriber parameters in the user part (`;npdi`, `;phone-context=`).
        let user = user_info.split([':', ';']).next()?;
        percent_decoded(user)
    };
    (!text.is_empty()).then_some(text)
}

/// The host part of a SIP URI, without port.
pub(crate) fn host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    if scheme.eq_ignore_ascii_case("tel") {
        return None;
    }
    let rest = rest.split(['?']).next()?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host).split(';').next()?;
    let end = if host.starts_with('[') {
        host.find(']').map_or(host.len(), |at| at + 1)
    } else {
        host.find(':').unwrap_or(host.len())
    };
    host.get(..end).filter(|host| !host.is_empty())
}

/// Undoes `%41`; what is no UTF-8 then, or has control characters, is left as it was.
pub(crate) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || ahead.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    match String::from_utf8(out) {
        Ok(decoded) if !decoded.chars().any(char::is_control) => decoded,
        _ => text.to_owned(),
    }
}

/// Escapes what may not stand in the user part of a SIP URI.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write;
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Reads a URI for the stack. It writes user parts escaped, but reads them as they stand: undone here, so that a remote
/// target with `%40` is not sent back as `%2540`.
pub(crate) fn parse_uri(text: &str) -> Option<Uri> {
    let mut uri = Uri::try_from(text).ok()?;
    if let Some(Auth { user, password }) = &mut uri.auth {
        *user = percent_decoded(user);
        if let Some(password) = password {
            *password = percent_decoded(password);
        }
    }
    Some(uri)
}

fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut in_quotes = false;
    let mut in_angles = false;
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        match c {
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            c if c == wanted && !in_quotes && !in_angles => return Some(at),
            '<' if !in_quotes => in_angles = true,
            '>' if !in_quotes => in_angles = false,
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_any_uri() {
        let check = |uri: &str, expect: Option<&str>| assert_eq!(user(uri).as_deref(), expect, "{uri}");
        check("sip:+73842123456@10.0.0.1:5060;user=phone", Some("+73842123456"));
        check("sip:122;phone-context=+7@h", Some("122"));
        check("sips:%31%32%32:secret@h", Some("122"));
        check("tel:+7-384-2(12).34;isub=1", Some("+738421234"));
        check("sip:%00@h", Some("%00"));
        check("sip:a%4@h", Some("a%4"));
        check("sip:h", None);
        check("sip:@h", None);
        check("", None);
    }

    #[test]
    fn addresses_are_split() {
        let check = |value: &str, name: &str, uri: &str, tag: Option<&str>| {
            let address = NameAddr::read(value);
            assert_eq!((address.name, address.uri, address.param("tag")), (name, uri, tag), "{value}");
        };
        check("\"A, <B>\" <sip:a@h;x=1>;tag=7", "A, <B>", "sip:a@h;x=1", Some("7"));
        check("Anna <sip:a@h>", "Anna", "sip:a@h", None);
        check("sip:a@h;tag=7", "", "sip:a@h", Some("7"));
        check("<sip:a@h", "", "<sip:a@h", None);
        check("", "", "", None);
        let list: Vec<&str> = entries("<sip:a@h?x=1,2>;index=1, \"b, c\" <sip:b@h>,,").collect();
        assert_eq!(list, ["<sip:a@h?x=1,2>;index=1", "\"b, c\" <sip:b@h>"]);
    }

    #[test]
    fn hosts_and_escapes() {
        let check = |uri: &str, expect: Option<&str>| assert_eq!(host(uri), expect, "{uri}");
        check("sip:a@h.example:5060;transport=tcp", Some("h.example"));
        check("sip:[2001:db8::1]:5060", Some("[2001:db8::1]"));
        check("tel:+7", None);
        assert_eq!(percent_encoded("a b@c#1"), "a%20b%40c%231");
        let uri = parse_uri("sip:a%40b@h").unwrap();
        assert_eq!(uri.to_string(), "sip:a%40b@h");
    }
}
