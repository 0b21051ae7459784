//! An operator's telephone: a peer that registers and answers digests, by code of its own.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use crate::peer::{Message, Peer, start};
use gudok_core::privacy::Secret;
use gudok_sip::{
    IncomingLeg, RegistrarConfig, RegistrarEvent, RegistrarEvents, RegistrarSecret, RegistrarUser, SipConfig, SipEngine,
};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub(crate) const REALM: &str = "centre.example";

pub(crate) fn user(name: &str, password: &str) -> RegistrarUser {
    RegistrarUser { name: Arc::from(name), secret: RegistrarSecret::Password(Secret::new(password)), sources: vec![] }
}

/// Anna and Boris may register from this machine; no trunk is on it.
pub(crate) fn registrar(config: &mut SipConfig) -> &mut RegistrarConfig {
    config.trunks.clear();
    let mut registrar = RegistrarConfig::of_realm(REALM);
    registrar.sources = vec!["127.0.0.0/8".parse().unwrap()];
    registrar.users = vec![user("anna", "pass1"), user("boris", "pass2")];
    config.registrar.insert(registrar)
}

pub(crate) async fn started(
    change: impl FnOnce(&mut SipConfig),
) -> (SipEngine, mpsc::Receiver<IncomingLeg>, Telephone, RegistrarEvents) {
    let (engine, incoming, peer) = start(|config| {
        registrar(config);
        change(config);
    })
    .await;
    let events = engine.registrar_events();
    (engine, incoming, Telephone::new(peer, "anna", "pass1"), events)
}

pub(crate) async fn event(events: &mut RegistrarEvents) -> RegistrarEvent {
    tokio::time::timeout(Duration::from_secs(5), events.next()).await.expect("an event is due").unwrap()
}

pub(crate) fn registered(user: &str) -> RegistrarEvent {
    RegistrarEvent::Registered { user: Arc::from(user) }
}

pub(crate) fn gone(user: &str) -> RegistrarEvent {
    RegistrarEvent::Gone { user: Arc::from(user) }
}

pub(crate) struct Telephone {
    pub(crate) peer: Peer,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) cseq: u32,
    /// SHA-256 instead of MD5.
    pub(crate) sha256: bool,
}

impl Telephone {
    pub(crate) fn new(peer: Peer, user: &str, password: &str) -> Self {
        Self { peer, user: user.to_owned(), password: password.to_owned(), cseq: 0, sha256: false }
    }

    pub(crate) async fn another(&self, user: &str, password: &str) -> Self {
        Self::new(self.peer.another().await, user, password)
    }

    /// Its own address.
    pub(crate) fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.user, self.peer.address())
    }

    /// A REGISTER. `more` are header lines, Contact among them.
    pub(crate) fn register_text(&mut self, more: &str) -> String {
        self.cseq += 1;
        let (me, user) = (self.peer.address(), &self.user);
        format!(
            "REGISTER sip:{REALM} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch={};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{REALM}>;tag={}\r\nTo: <sip:{user}@{REALM}>\r\nCall-ID: reg-{}\r\nCSeq: {} REGISTER\r\n\
             {more}Content-Length: 0\r\n\r\n",
            self.peer.next_branch(),
            self.peer.tag,
            me.port(),
            self.cseq,
        )
    }

    /// The header line that answers a challenge.
    pub(crate) fn authorization(&self, challenge: &Message, method: &str, uri: &str) -> String {
        let name = if self.sha256 { "SHA-256" } else { "MD5" };
        let asked = challenge.fields("WWW-Authenticate");
        let asked = asked.iter().find(|value| value.contains(&format!("algorithm={name},"))).expect("it is offered");
        let nonce = asked.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        self.answer_to(nonce, "00000001", method, uri)
    }

    pub(crate) fn answer_to(&self, nonce: &str, count: &str, method: &str, uri: &str) -> String {
        let hash = |text: String| if self.sha256 { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) };
        let ha1 = hash(format!("{}:{REALM}:{}", self.user, self.password));
        let ha2 = hash(format!("{method}:{uri}"));
        let response = hash(format!("{ha1}:{nonce}:{count}:xyz:auth:{ha2}"));
        format!(
            "Authorization: Digest username=\"{}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={}, cnonce=\"xyz\", nc={count}, qop=auth\r\n",
            self.user,
            if self.sha256 { "SHA-256" } else { "MD5" },
        )
    }

    /// Sends a REGISTER, answers the challenge, and gives what comes then.
    pub(crate) async fn register(&mut self, more: &str) -> Message {
        let text = self.register_text(more);
        self.peer.send(&text).await;
        let challenge = self.peer.expect("SIP/2.0 401").await;
        let uri = format!("sip:{REALM}");
        let text = self.register_text(&format!("{more}{}", self.authorization(&challenge, "REGISTER", &uri)));
        self.peer.send(&text).await;
        self.peer.expect("SIP/2.0").await
    }

    pub(crate) async fn register_here(&mut self, expires_s: u32) -> Message {
        let contact = self.contact();
        let answer = self.register(&format!("Contact: {contact};expires={expires_s}\r\n")).await;
        assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.0);
        answer
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
