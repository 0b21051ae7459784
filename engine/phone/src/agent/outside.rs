//! Requests outside dialogs: REGISTER and OPTIONS as client, a small registrar and OPTIONS as server.

use std::sync::Arc;
use std::time::Instant;

use rsip::Method;

use super::commands::Output;
use super::{ALLOW, Agent, USER_AGENT};
use crate::auth::{Algorithm, Credentials};
use crate::message::Message;
use crate::oddity::{Oddity, OddityKind};
use crate::transaction::{Owner, Peer};
use crate::uri;

/// Registrars whose Call-ID is remembered.
const REGISTRARS_MAX: usize = 64;
/// What a registration lasts when neither side says.
const EXPIRES_S: u32 = 3_600;

/// How the phone plays registrar.
#[derive(Debug, Clone)]
pub struct RegistrarConfig {
    /// The realm we name.
    pub realm: String,
    /// Who may register.
    pub users: Vec<Credentials>,
    /// The hash we ask for.
    pub algorithm: Algorithm,
    /// The longest registration that we grant, in seconds.
    pub expires_s_max: u32,
    /// Refuse everyone with this status instead.
    pub refuse: Option<u16>,
}

/// A contact that registered with us.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    /// The address of record.
    pub aor: String,
    /// Where its calls go. Empty when all contacts were removed.
    pub contact: String,
    /// For how long. 0 takes the binding back.
    pub expires_s: u32,
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Binding {{ expires_s: {}, .. }}", self.expires_s)
    }
}

impl Agent {
    pub(super) fn register(&mut self, now: Instant, request: u64, peer: Peer, uri: &str, expires_s: u32) {
        let host = uri.split_once('@').map_or_else(|| uri.trim_start_matches("sip:"), |(_, h)| h).to_owned();
        let aor = format!("<sip:{}@{}>", self.config.user, host.split(';').next().unwrap_or_default());
        let mut message = self.outside(Method::Register, &format!("sip:{host}"), &aor, &aor);
        // RFC 3261, section 10.2.4: all REGISTERs to one registrar have one Call-ID, and count up. Each may be sent twice,
        // the second time with credentials.
        let fresh = message.call_id().to_owned();
        if self.registered_at.len() >= REGISTRARS_MAX && !self.registered_at.contains_key(&host) {
            self.registered_at.clear();
        }
        let (call_id, cseq) = self.registered_at.entry(host).or_insert((fresh, 1));
        message.set("Call-ID", call_id.clone());
        message.set("CSeq", format!("{cseq} REGISTER"));
        *cseq += 2;
        message.push("Contact", format!("{};expires={expires_s}", self.contact(peer.tcp)));
        message.push("Expires", expires_s.to_string());
        self.send_request(now, Owner::Request(request), peer, message);
    }

    pub(super) fn options(&mut self, now: Instant, request: u64, peer: Peer, uri: &str) {
        let from = format!("<sip:{}@{}>", self.config.user, self.config.advertised);
        let mut message = self.outside(Method::Options, uri, &from, &format!("<{uri}>"));
        message.push("Contact", self.contact(peer.tcp));
        message.push("Accept", "application/sdp");
        self.send_request(now, Owner::Request(request), peer, message);
    }

    fn outside(&mut self, method: Method, uri: &str, from: &str, to: &str) -> Message {
        let mut message = Message::request(method, uri);
        message.push("Max-Forwards", "70");
        let tag = self.tag();
        message.push("From", format!("{from};tag={tag}"));
        message.push("To", to);
        message.push("Call-ID", format!("{}@{}", self.tag(), self.config.advertised.ip()));
        message.push("CSeq", format!("1 {method}"));
        message.push("User-Agent", USER_AGENT);
        message
    }

    pub(super) fn outside_response(&mut self, now: Instant, id: &Arc<str>, request: u64, response: &Message) {
        if response.code() < 200 {
            return;
        }
        let cseq = response.cseq().map_or(1, |(n, _)| n) + 1;
        if let Some((peer, message)) = self.with_credentials(id, response, cseq) {
            self.send_request(now, Owner::Request(request), peer, message);
            return;
        }
        let expires_s = granted_s(response, &self.contact(false), &self.contact(true));
        self.outputs.push_back(Output::Request { request, status: response.code(), expires_s });
    }

    /// A request without To tag that is no INVITE.
    pub(super) fn handle_outside(&mut self, now: Instant, id: &Arc<str>, request: &Message, method: Method) {
        match method {
            Method::Register => self.handle_register(now, id, request),
            Method::Options => {
                let mut response = self.response(request, 200);
                response.push("Allow", ALLOW);
                response.push("Accept", "application/sdp");
                response.push("Supported", "100rel, replaces, timer");
                self.respond(now, id, &response);
            }
            Method::Bye | Method::Info | Method::PRack | Method::Update | Method::Notify | Method::Refer => {
                let odd = Oddity::new(OddityKind::MissingTag, format!("{method} without To tag"));
                self.odd(None, odd);
                self.respond_plain(now, id, request, 481);
            }
            _ => {
                let mut response = self.response(request, 405);
                response.push("Allow", ALLOW);
                self.respond(now, id, &response);
            }
        }
    }

    fn handle_register(&mut self, now: Instant, id: &Arc<str>, request: &Message) {
        let Some(registrar) = self.config.registrar.clone() else {
            return self.respond_plain(now, id, request, 405);
        };
        if let Some(status) = registrar.refuse {
            return self.respond_plain(now, id, request, status);
        }
        if !self.answers_challenge(request, "Authorization", &registrar.users) {
            let mut response = self.response(request, 401);
            let value = self.new_challenge(&registrar.realm, registrar.algorithm);
            response.push("WWW-Authenticate", value);
            return self.respond(now, id, &response);
        }
        let contact = request.list("Contact").into_iter().next().unwrap_or_default();
        let asked_s = uri::header_param(&contact, "expires")
            .or_else(|| request.header("Expires"))
            .and_then(|v| v.trim().parse().ok())
            .unwrap_or(EXPIRES_S);
        let expires_s = asked_s.min(registrar.expires_s_max);
        let contact = if contact == "*" { String::new() } else { uri::addr_spec(&contact).to_owned() };
        let mut response = self.response(request, 200);
        if expires_s > 0 && !contact.is_empty() {
            response.push("Contact", format!("<{contact}>;expires={expires_s}"));
        }
        self.respond(now, id, &response);
        let aor = uri::addr_spec(request.header("To").unwrap_or_default()).to_owned();
        self.outputs.push_back(Output::Registered(Binding { aor, contact, expires_s }));
    }
}

/// How long the registrar keeps our contact.
fn granted_s(response: &Message, udp: &str, tcp: &str) -> Option<u32> {
    let contacts = response.list("Contact");
    let ours = contacts.iter().find(|c| {
        let uri = uri::addr_spec(c);
        uri == uri::addr_spec(udp) || uri == uri::addr_spec(tcp)
    });
    ours.and_then(|c| uri::header_param(c, "expires"))
        .or_else(|| response.header("Expires"))
        .and_then(|v| v.trim().parse().ok())
}
