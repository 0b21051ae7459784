//! Who calls whom: the numbers that an INVITE names, and how far they are believed.

use crate::address::{NameAddr, entries, user};
use crate::config::TrunkConfig;
use crate::message::{field, fields};
use gudok_core::leg::IncomingCall;
use gudok_core::privacy::PhoneNumber;
use rsipstack::sip::{Headers, Request};
use std::sync::Arc;

/// The info package of RFC 6086 that carries the transcript.
pub(crate) const TRANSCRIPT_PACKAGE: &str = "gudok-transcript";
/// Header fields handed to scripts from one call, and bytes of one value.
const SCRIPT_HEADERS_MAX: usize = 16;
const SCRIPT_HEADER_BYTES_MAX: usize = 1_024;

/// What the call machine is told of an INVITE.
pub(crate) fn incoming_call(invite: &Request, trunk: &TrunkConfig) -> IncomingCall {
    let headers = &invite.headers;
    IncomingCall {
        trunk: trunk.name.clone(),
        caller: caller(headers, trunk).as_deref().map(PhoneNumber::new),
        called: PhoneNumber::new(&called(invite, trunk)),
        diversion: diversion(headers).as_deref().map(PhoneNumber::new),
        headers: script_headers(headers, trunk),
        chain: None,
        wants_transcript: trunk.allows_transcript && lists_package(headers),
    }
}

/// P-Asserted-Identity from who may assert, else From; nothing where the caller wishes so.
fn caller(headers: &Headers, trunk: &TrunkConfig) -> Option<String> {
    let withheld = fields(headers, "Privacy")
        .flat_map(|value| value.split([';', ',']))
        .any(|wish| ["id", "user", "header", "full"].iter().any(|one| wish.trim().eq_ignore_ascii_case(one)));
    if withheld {
        return None;
    }
    let asserted =
        || fields(headers, "P-Asserted-Identity").flat_map(entries).find_map(|entry| user(NameAddr::read(entry).uri));
    let from = || {
        let from = NameAddr::read(field(headers, "From")?);
        let anonymous = from.name.eq_ignore_ascii_case("anonymous")
            || crate::address::host(from.uri).is_some_and(|host| host.eq_ignore_ascii_case("anonymous.invalid"));
        user(from.uri).filter(|user| !anonymous && !is_placeholder(user))
    };
    if trunk.trusts_identity { asserted().or_else(from) } else { from() }
}

/// What stands for "no number" in practice.
fn is_placeholder(user: &str) -> bool {
    ["anonymous", "restricted", "unavailable", "unknown", "asterisk"].iter().any(|one| user.eq_ignore_ascii_case(one))
}

/// The Request-URI names the number; a registrar sends calls to the user that we registered, and names it in To.
fn called(invite: &Request, trunk: &TrunkConfig) -> String {
    let request_uri = user(&invite.uri.to_string()).or_else(|| {
        // The stack reads `tel:+7…` as a host.
        user(&format!("tel:{}", invite.uri.host_with_port)).filter(|_| is_tel(invite))
    });
    let registered = trunk.registration.as_ref().map(|registration| registration.user.reveal());
    let to = || field(&invite.headers, "To").and_then(|value| user(NameAddr::read(value).uri));
    match request_uri {
        Some(user) if Some(user.as_str()) != registered => user,
        other => to().or(other).unwrap_or_default(),
    }
}

fn is_tel(invite: &Request) -> bool {
    invite.uri.scheme.as_ref().is_some_and(|scheme| scheme.to_string().eq_ignore_ascii_case("tel"))
}

/// The last that diverted: Diversion's first entry (RFC 5806), else the last but one of History-Info (RFC 7044).
fn diversion(headers: &Headers) -> Option<String> {
    let newest =
        fields(headers, "Diversion").flat_map(entries).next().and_then(|entry| user(NameAddr::read(entry).uri));
    newest.or_else(|| {
        let history: Vec<&str> = fields(headers, "History-Info").flat_map(entries).collect();
        let before_last = history.len().checked_sub(2).and_then(|at| history.get(at))?;
        user(NameAddr::read(before_last).uri)
    })
}

fn script_headers(headers: &Headers, trunk: &TrunkConfig) -> Vec<(Arc<str>, Arc<str>)> {
    let allowed = |name: &str| trunk.script_headers.iter().find(|one| one.eq_ignore_ascii_case(name));
    headers
        .iter()
        .filter(|header| header.value().len() <= SCRIPT_HEADER_BYTES_MAX)
        .filter_map(|header| Some((Arc::clone(allowed(header.name())?), Arc::from(header.value()))))
        .take(SCRIPT_HEADERS_MAX)
        .collect()
}

pub(crate) fn lists_package(headers: &Headers) -> bool {
    fields(headers, "Recv-Info").flat_map(|value| value.split(',')).any(|package| {
        package.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(TRANSCRIPT_PACKAGE))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RegistrationConfig;

    fn call(uri: &str, lines: &str, change: impl FnOnce(&mut TrunkConfig)) -> IncomingCall {
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: <sip:70000000001@h>\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        let invite = Request::try_from(text.as_bytes()).unwrap();
        let mut trunk = TrunkConfig::by_address("city", vec![]);
        change(&mut trunk);
        incoming_call(&invite, &trunk)
    }

    #[test]
    fn the_caller_is_who_the_trunk_may_assert() {
        let check = |lines: &str, trusted: bool, expect: Option<&str>| {
            let call = call("sip:122@h", lines, |trunk| trunk.trusts_identity = trusted);
            assert_eq!(call.caller.as_ref().map(PhoneNumber::reveal), expect, "{lines}");
        };
        let from = "From: \"A\" <sip:+79130000001@h>;tag=1\r\n";
        let asserted = format!("{from}P-Asserted-Identity: <sip:x@h>, <tel:+7-913-0000002>\r\n");
        check(from, false, Some("+79130000001"));
        check(&asserted, false, Some("+79130000001"));
        check(&asserted.replace("<sip:x@h>, ", ""), true, Some("+79130000002"));
        check(&format!("{from}Privacy: id\r\n"), true, None);
        check(&format!("{from}Privacy: none\r\n"), true, Some("+79130000001"));
        check("From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\n", false, None);
        check("From: <sip:h>;tag=1\r\n", false, None);
        let hidden = "From: <sip:anonymous@anonymous.invalid>;tag=1\r\nP-Asserted-Identity: <tel:+73>\r\n";
        check(hidden, true, Some("+73"));
    }

    #[test]
    fn the_called_number_comes_from_the_request_uri_or_to() {
        let check = |uri: &str, registered: Option<&str>, expect: &str| {
            let call = call(uri, "From: <sip:a@h>;tag=1\r\n", |trunk| {
                let user = registered.map(PhoneNumber::new);
                trunk.registration = user.map(|user| RegistrationConfig { user, expires_s: 300 });
            });
            assert_eq!(call.called.reveal(), expect, "{uri}");
        };
        check("sip:122@h", None, "122");
        check("tel:+7384", None, "+7384");
        check("sip:h", None, "70000000001");
        check("sip:line7@h", Some("line7"), "70000000001");
        check("sip:122@h", Some("line7"), "122");
    }

    #[test]
    fn diversion_headers_and_packages() {
        let check = |lines: &str, expect: Option<&str>| {
            let call = call("sip:122@h", &format!("From: <sip:a@h>;tag=1\r\n{lines}"), |_| {});
            assert_eq!(call.diversion.as_ref().map(PhoneNumber::reveal), expect, "{lines}");
        };
        check("Diversion: \"x\" <sip:3@h>;reason=no-answer, <sip:2@h>\r\nDiversion: <sip:1@h>\r\n", Some("3"));
        check(
            "History-Info: <sip:1@h>;index=1, <sip:2@h?Reason=SIP%3Bcause=302>;index=1.1\r\nHistory-Info: <sip:3@h>;index=1.2\r\n",
            Some("2"),
        );
        check("History-Info: <sip:1@h>;index=1\r\n", None);
        let call = call(
            "sip:122@h",
            "From: <sip:a@h>;tag=1\r\nX-Region: 42\r\nX-Other: 1\r\nRecv-Info: a, Gudok-Transcript;v=1\r\n",
            |trunk| {
                trunk.script_headers = vec![Arc::from("x-region")];
                trunk.allows_transcript = true;
            },
        );
        assert_eq!(call.headers, [(Arc::from("x-region"), Arc::from("42"))]);
        assert!(call.wants_transcript);
    }
}
