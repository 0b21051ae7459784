//! Answers given without a transaction (RFC 3261, section 8.2.7): the same request always gets the same answer, so
//! nothing has to be remembered.

use super::scan::{Scan, first_of_list, header_lines, header_param, is_name};
use memchr::memchr;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::SocketAddr;

/// To tags of stateless answers begin with this; those of dialogs are hexadecimal digits. An ACK that carries one needs
/// no transaction to be looked for.
pub(crate) const STATELESS_TAG_PREFIX: u8 = b's';

/// What we take: the `Allow` header field.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// A status and the header lines that go with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) headers: String,
}

impl Refusal {
    pub(crate) fn plain(status: u16) -> Self {
        Self { status, headers: String::new() }
    }

    /// With one header line.
    pub(crate) fn with(status: u16, name: &str, value: &str) -> Self {
        Self { status, headers: format!("{name}: {value}\r\n") }
    }
}

/// The reason phrases of what is answered without the stack.
pub(crate) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        416 => "Unsupported URI Scheme",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        _ => "Refused",
    }
}

/// Builds the answer to what `scan` read.
pub(crate) fn build(
    scan: &Scan<'_>,
    refusal: &Refusal,
    source: SocketAddr,
    server: &str,
    tags: &RandomState,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    // Writing to a Vec cannot fail.
    let _ = write!(out, "SIP/2.0 {} {}\r\n", refusal.status, reason(refusal.status));
    let mut top_via = true;
    for line in header_lines(scan.head) {
        let Some(colon) = memchr(b':', line) else { continue };
        let name = line[..colon].trim_ascii_end();
        let value = line[colon + 1..].trim_ascii();
        if is_name(name, b"Via", b'v') {
            out.extend_from_slice(b"Via: ");
            push_via(&mut out, value, source, std::mem::take(&mut top_via));
        }
    }
    push_line(&mut out, "From", scan.from);
    push_to(&mut out, scan, tags);
    push_line(&mut out, "Call-ID", scan.call_id);
    push_line(&mut out, "CSeq", scan.cseq);
    let _ = write!(out, "Server: {server}\r\n{}Content-Length: 0\r\n\r\n", refusal.headers);
    out
}

fn push_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if value.is_empty() {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    push_clean(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Fills in `rport` (RFC 3581) where the peer asked for it.
fn push_via(out: &mut Vec<u8>, value: &[u8], source: SocketAddr, is_top: bool) {
    let first = first_of_list(value);
    let wants_rport = is_top && header_param(first, b"rport").is_some_and(<[u8]>::is_empty);
    push_clean(out, first);
    if wants_rport {
        let start = out.len() - first.len();
        let behind = memchr::memmem::find(&out[start..], b";rport").map(|found| start + found + b";rport".len());
        let mut filled = Vec::with_capacity(48);
        // One written otherwise (`;RPort`, blanks) is left as it is, and a second added.
        let name = if behind.is_some() { "" } else { ";rport" };
        let _ = write!(filled, "{name}={};received={}", source.port(), source.ip());
        let behind = behind.unwrap_or(out.len());
        out.splice(behind..behind, filled);
    }
    let rest = &value[first.len().min(value.len())..];
    push_clean(out, rest);
    out.extend_from_slice(b"\r\n");
}

fn push_to(out: &mut Vec<u8>, scan: &Scan<'_>, tags: &RandomState) {
    if scan.to.is_empty() {
        return;
    }
    out.extend_from_slice(b"To: ");
    push_clean(out, scan.to);
    if scan.to_tag().is_none() {
        let tag = tags.hash_one((scan.call_id, scan.branch(), scan.cseq_number()));
        let _ = write!(out, ";tag={}{tag:016x}", char::from(STATELESS_TAG_PREFIX));
    }
    out.extend_from_slice(b"\r\n");
}

/// Copies a value on one line: folds become blanks, and so does whatever could end the line.
fn push_clean(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(value.iter().map(|b| if *b < 0x20 || *b == 0x7f { b' ' } else { *b }));
}
