//! One dialog (RFC 3261, section 12), and the table of all of them.

use crate::address::{NameAddr, entries, parse_uri};
use crate::config::Transport;
use crate::leg::Input;
use crate::message::{field, fields};
use crate::shared::Shared;
use crate::transport::Hop;
use parking_lot::Mutex;
use rsipstack::sip::{Header, Headers, Method, Request, Uri, Version};
use rsipstack::transport::{SipAddr, SipConnection};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

/// Entries of a route set.
const ROUTES_MAX: usize = 16;
/// The first CSeq is below this: 2^31 stays far away.
const FIRST_CSEQ_MAX: u32 = 1 << 16;

/// A local tag: 16 hexadecimal digits.
pub(crate) fn tag_text(tag: u64) -> String {
    format!("{tag:016x}")
}

fn read_tag(tag: &[u8]) -> Option<u64> {
    let well_formed = tag.len() == 16 && tag.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if well_formed { u64::from_str_radix(std::str::from_utf8(tag).ok()?, 16).ok() } else { None }
}

/// The legs by their local tag, and the initial requests that are being worked on.
#[derive(Default)]
pub(crate) struct Dialogs {
    legs: Mutex<HashMap<u64, mpsc::Sender<Input>>>,
    initial: Mutex<HashMap<u64, u64>>,
    hasher: RandomState,
}

impl Dialogs {
    pub(crate) fn insert(&self, tag: u64, leg: mpsc::Sender<Input>) {
        self.legs.lock().insert(tag, leg);
    }

    pub(crate) fn remove(&self, tag: u64) {
        self.legs.lock().remove(&tag);
    }

    pub(crate) fn find(&self, tag: &str) -> Option<mpsc::Sender<Input>> {
        self.legs.lock().get(&read_tag(tag.as_bytes())?).cloned()
    }

    pub(crate) fn has(&self, tag: &[u8]) -> bool {
        read_tag(tag).is_some_and(|tag| self.legs.lock().contains_key(&tag))
    }

    /// Asks every leg to hang up.
    pub(crate) fn hang_up_all(&self) {
        for leg in self.legs.lock().values() {
            let _ = leg.try_send(Input::Order(crate::signalling::LegOrder::Hangup));
        }
    }

    /// RFC 3261, section 8.2.2.2: notes an initial INVITE. None where the same one is here already, by another way.
    pub(crate) fn note_initial(&self, invite: &Request, tag: u64) -> Option<u64> {
        let key = self.key_of(invite);
        match self.initial.lock().entry(key) {
            std::collections::hash_map::Entry::Occupied(_) => None,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(tag);
                Some(key)
            }
        }
    }

    /// What an initial request and its repetitions have in common.
    pub(crate) fn key_of(&self, invite: &Request) -> u64 {
        let value = |name| field(&invite.headers, name).unwrap_or("");
        let from_tag = NameAddr::read(value("From")).param("tag");
        self.hasher.hash_one((value("Call-ID"), from_tag, value("CSeq")))
    }

    pub(crate) fn forget_initial(&self, key: u64) {
        self.initial.lock().remove(&key);
    }
}

/// What another leg needs to have this dialog replaced (RFC 3891).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DialogFacts {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    pub(crate) remote_tag: String,
    pub(crate) target: String,
}

/// Where a dialog's requests go.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// The value of To, with the tag once there is one.
    pub(crate) to: String,
    pub(crate) tag: Option<String>,
    pub(crate) routes: Vec<String>,
    pub(crate) target: Uri,
}

/// Our side of a dialog.
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// The value of From, with our tag.
    local: String,
    pub(crate) local_tag: String,
    pub(crate) remote: Remote,
    /// Shared with requests under way: an answered challenge takes the next number.
    pub(crate) cseq: Arc<AtomicU32>,
    remote_cseq: Option<u32>,
    pub(crate) transport: Transport,
    /// The connection that the peer came by, or registered by; used as long as it is there.
    pub(crate) flow: Option<(SipConnection, SipAddr)>,
    /// The value of Contact.
    pub(crate) contact: String,
    /// We sent the INVITE, so the Call-ID is ours (it decides who waits longer after glare).
    pub(crate) is_caller: bool,
}

impl Dialog {
    /// As the one called.
    pub(crate) fn of_invite(
        invite: &Request,
        tag: u64,
        source: SocketAddr,
        transport: Transport,
        flow: Option<(SipConnection, SipAddr)>,
        contact: String,
    ) -> Self {
        let value = |name| field(&invite.headers, name).unwrap_or("");
        let local_tag = tag_text(tag);
        let remote = NameAddr::read(value("From"));
        Self {
            call_id: value("Call-ID").to_owned(),
            local: format!("{};tag={local_tag}", value("To")),
            local_tag,
            remote: Remote {
                to: value("From").to_owned(),
                tag: remote.param("tag").map(str::to_owned),
                routes: routes(&invite.headers),
                // A peer that names no Contact is reached where it sent from.
                target: contact_of(&invite.headers).unwrap_or_else(|| uri_of(source)),
            },
            cseq: Arc::new(AtomicU32::new(rand::random_range(1..FIRST_CSEQ_MAX))),
            remote_cseq: cseq_of(&invite.headers),
            transport,
            flow,
            contact,
            is_caller: false,
        }
    }

    /// As the caller. `from` and `to` are header values without tags.
    pub(crate) fn of_dial(tag: u64, from: &str, to: &str, target: Uri, transport: Transport, contact: String) -> Self {
        let local_tag = tag_text(tag);
        Self {
            call_id: format!("{:032x}", rand::random::<u128>()),
            local: format!("{from};tag={local_tag}"),
            local_tag,
            remote: Remote { to: to.to_owned(), tag: None, routes: Vec::new(), target },
            cseq: Arc::new(AtomicU32::new(rand::random_range(1..FIRST_CSEQ_MAX))),
            remote_cseq: None,
            transport,
            flow: None,
            contact,
            is_caller: true,
        }
    }

    /// The peer's side as a response to our INVITE tells it.
    pub(crate) fn remote_of(&self, headers: &Headers) -> Remote {
        let to = field(headers, "To").unwrap_or("");
        let mut routes = routes(headers);
        routes.reverse();
        Remote {
            to: to.to_owned(),
            tag: NameAddr::read(to).param("tag").map(str::to_owned),
            routes,
            target: contact_of(headers).unwrap_or_else(|| self.remote.target.clone()),
        }
    }

    /// A target refresh: re-INVITE and UPDATE, and their answers.
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = contact_of(headers) {
            self.remote.target = target;
        }
    }

    pub(crate) fn facts(&self) -> Option<DialogFacts> {
        Some(DialogFacts {
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            remote_tag: self.remote.tag.clone()?,
            target: self.remote.target.to_string(),
        })
    }

    /// Whether a request belongs here: Call-ID and both tags.
    pub(crate) fn owns(&self, request: &Request) -> bool {
        let from_tag = field(&request.headers, "From").and_then(|from| NameAddr::read(from).param("tag"));
        field(&request.headers, "Call-ID") == Some(self.call_id.as_str())
            && (self.remote.tag.is_none() || from_tag == self.remote.tag.as_deref())
    }

    /// Takes the number of a received request. False where it is not above the last: out of order (section 12.2.2).
    pub(crate) fn follows(&mut self, request: &Request) -> bool {
        let Some(number) = cseq_of(&request.headers) else { return false };
        let follows = self.remote_cseq.is_none_or(|last| number > last);
        if follows {
            self.remote_cseq = Some(number);
        }
        follows
    }

    /// A request in the dialog, and where it goes.
    pub(crate) fn request(&self, shared: &Shared, method: Method) -> (Request, Hop) {
        self.request_to(shared, method, &self.remote)
    }

    /// A request to one of several early dialogs.
    pub(crate) fn request_to(&self, shared: &Shared, method: Method, remote: &Remote) -> (Request, Hop) {
        let hop = self.hop(remote);
        let number = next_cseq(&self.cseq);
        let mut headers = Vec::with_capacity(16);
        headers.push(Header::Via(shared.transports.via(&hop).into()));
        headers.extend(remote.routes.iter().map(|route| Header::Route(route.as_str().into())));
        headers.push(Header::MaxForwards(70.into()));
        headers.push(Header::From(self.local.as_str().into()));
        headers.push(Header::To(remote.to.as_str().into()));
        headers.push(Header::CallId(self.call_id.as_str().into()));
        headers.push(Header::CSeq(format!("{number} {method}").into()));
        headers.push(Header::UserAgent(shared.user_agent.as_str().into()));
        if matches!(method, Method::Invite | Method::Update | Method::Refer) {
            headers.push(Header::Contact(self.contact.as_str().into()));
        }
        let request = Request {
            method,
            uri: remote.target.clone(),
            version: Version::V2,
            headers: headers.into(),
            body: Vec::new(),
        };
        (request, hop)
    }

    fn hop(&self, remote: &Remote) -> Hop {
        if let Some((connection, address)) = &self.flow
            && connection.cancel_token().is_none_or(|token| !token.is_cancelled())
        {
            return Hop::flow(connection.clone(), address.clone());
        }
        let first = remote.routes.first().and_then(|route| parse_uri(NameAddr::read(route).uri));
        Hop::of_uri(first.as_ref().unwrap_or(&remote.target), self.transport)
    }
}

/// The number for the next request.
pub(crate) fn next_cseq(cseq: &AtomicU32) -> u32 {
    cseq.fetch_add(1, Ordering::AcqRel) + 1
}

pub(crate) fn cseq_of(headers: &Headers) -> Option<u32> {
    field(headers, "CSeq")?.split_ascii_whitespace().next()?.parse().ok()
}

fn contact_of(headers: &Headers) -> Option<Uri> {
    let first = entries(field(headers, "Contact")?).next()?;
    parse_uri(NameAddr::read(first).uri)
}

fn routes(headers: &Headers) -> Vec<String> {
    fields(headers, "Record-Route").flat_map(entries).take(ROUTES_MAX).map(str::to_owned).collect()
}

fn uri_of(address: SocketAddr) -> Uri {
    Uri { scheme: Some(rsipstack::sip::Scheme::Sip), host_with_port: address.into(), ..Uri::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &str) -> Request {
        let text =
            format!("INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{lines}Content-Length: 0\r\n\r\n");
        Request::try_from(text.as_bytes()).unwrap()
    }

    fn dialog() -> Dialog {
        let invite = request(
            "From: <sip:a@h>;tag=peer\r\nTo: <sip:b@h>\r\nCall-ID: one\r\nCSeq: 5 INVITE\r\n\
             Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\nContact: <sip:a%40x@10.0.0.1:5070>\r\n",
        );
        Dialog::of_invite(&invite, 1, "10.0.0.9:5060".parse().unwrap(), Transport::Udp, None, "<sip:me>".into())
    }

    #[test]
    fn the_called_side_keeps_the_order_of_record_routes() {
        let dialog = dialog();
        assert_eq!(dialog.remote.routes, ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]);
        assert_eq!(dialog.remote.target.to_string(), "sip:a%40x@10.0.0.1:5070");
        let facts = dialog.facts().unwrap();
        assert_eq!((facts.local_tag.as_str(), facts.remote_tag.as_str()), ("0000000000000001", "peer"));
    }

    #[test]
    fn the_calling_side_reverses_them() {
        let response = request("To: <sip:b@h>;tag=x\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n");
        let remote = dialog().remote_of(&response.headers);
        assert_eq!(remote.routes, ["<sip:p2;lr>", "<sip:p1;lr>"]);
        assert_eq!(remote.tag.as_deref(), Some("x"));
    }

    #[test]
    fn only_its_own_requests_in_order() {
        let mut dialog = dialog();
        let check = |dialog: &mut Dialog, from_tag: &str, call_id: &str, cseq: u32, owns: bool, follows: bool| {
            let request =
                request(&format!("From: <sip:a@h>;tag={from_tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} BYE\r\n"));
            assert_eq!(dialog.owns(&request), owns);
            assert_eq!(dialog.follows(&request), follows);
        };
        check(&mut dialog, "peer", "two", 1, false, false);
        check(&mut dialog, "other", "one", 5, false, false);
        check(&mut dialog, "peer", "one", 6, true, true);
        check(&mut dialog, "peer", "one", 6, true, false);
    }

    #[test]
    fn an_initial_request_by_another_way_is_seen() {
        let dialogs = Dialogs::default();
        let invite = request("From: <sip:a@h>;tag=1\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n");
        let key = dialogs.note_initial(&invite, 1).unwrap();
        assert_eq!(dialogs.note_initial(&invite, 2), None);
        dialogs.forget_initial(key);
        assert!(dialogs.note_initial(&invite, 3).is_some());
    }

    #[test]
    fn tags_are_ours_or_not() {
        assert_eq!(read_tag(tag_text(0xabc).as_bytes()), Some(0xabc));
        for foreign in ["", "s0000000000000001", "000000000000000G", "+00000000000001a"] {
            assert_eq!(read_tag(foreign.as_bytes()), None, "{foreign}");
        }
    }
}
