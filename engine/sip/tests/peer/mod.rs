//! A SIP peer made of a UDP socket and handwritten text: it shares no code with the engine.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use gudok_core::leg::LegEvent;
use gudok_sip::{IncomingLeg, LegHandle, SipConfig, SipEngine, SipEvent, TrunkConfig};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(5);
/// The engine's media address.
pub(crate) const MEDIA: &str = "127.0.0.1:20000";
/// The peer's offer.
pub(crate) const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub(crate) struct Peer {
    socket: UdpSocket,
    pub(crate) engine: SocketAddr,
    pub(crate) call_id: String,
    pub(crate) tag: String,
    /// The engine's tag, once seen.
    pub(crate) remote_tag: String,
    branch: AtomicU32,
    /// What is passed over when waiting for something else: retransmissions would make tests depend on time.
    seen: Vec<String>,
}

/// A message as text, with the few things that tests ask of it.
#[derive(Clone, Debug)]
pub(crate) struct Message(pub(crate) String);

impl Message {
    pub(crate) fn start(&self) -> &str {
        self.0.lines().next().unwrap_or("")
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields(name).first().copied().unwrap_or("")
    }

    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or("");
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub(crate) fn tag(&self, name: &str) -> &str {
        self.field(name).split(";tag=").nth(1).unwrap_or("").split(';').next().unwrap_or("")
    }

    pub(crate) fn uri(&self) -> &str {
        self.start().split(' ').nth(1).unwrap_or("")
    }
}

/// An engine on a free port that takes calls from this machine, and one peer.
pub(crate) async fn start(change: impl FnOnce(&mut SipConfig)) -> (SipEngine, mpsc::Receiver<IncomingLeg>, Peer) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = SipConfig::on_udp("127.0.0.1:0".parse().unwrap());
    let mut trunk = TrunkConfig::by_address("peer", vec!["127.0.0.0/8".parse().unwrap()]);
    trunk.proxy = Some(socket.local_addr().unwrap().to_string());
    config.trunks = vec![trunk];
    change(&mut config);
    let (engine, incoming) = SipEngine::start(&config, &tokio::runtime::Handle::current()).unwrap();
    let address = engine.local_addresses()[0].address;
    (engine, incoming, Peer::new(socket, address))
}

impl Peer {
    pub(crate) fn new(socket: UdpSocket, engine: SocketAddr) -> Self {
        let port = socket.local_addr().unwrap().port();
        Self {
            socket,
            engine,
            call_id: format!("call-{port}"),
            tag: format!("peer{port}"),
            remote_tag: String::new(),
            branch: AtomicU32::new(0),
            seen: Vec::new(),
        }
    }

    /// Another socket that talks to the same engine.
    pub(crate) async fn another(&self) -> Self {
        Self::new(UdpSocket::bind("127.0.0.1:0").await.unwrap(), self.engine)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) fn next_branch(&self) -> String {
        format!("z9hG4bK-{}-{}", self.address().port(), self.branch.fetch_add(1, Ordering::Relaxed))
    }

    /// A request with all that it must have; `more` are header lines.
    pub(crate) fn request(&self, method: &str, cseq: u32, branch: &str, more: &str, body: &str) -> String {
        let (me, engine) = (self.address(), self.engine);
        let to_tag = if self.remote_tag.is_empty() { String::new() } else { format!(";tag={}", self.remote_tag) };
        format!(
            "{method} sip:122@{engine} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: \"Peer\" <sip:+79130000001@{me}>;tag={}\r\nTo: <sip:122@{engine}>{to_tag}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:peer@{me}>\r\n{more}Content-Length: {}\r\n\r\n{body}",
            self.tag,
            self.call_id,
            body.len()
        )
    }

    pub(crate) async fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.engine).await.unwrap();
    }

    pub(crate) async fn send_bytes(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.engine).await.unwrap();
    }

    pub(crate) async fn ask(&self, method: &str, cseq: u32, more: &str, body: &str) {
        let branch = self.next_branch();
        self.send(&self.request(method, cseq, &branch, more, body)).await;
    }

    pub(crate) async fn invite(&self, more: &str, body: &str) -> String {
        let branch = self.next_branch();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = self.request("INVITE", 1, &branch, &format!("{kind}{more}"), body);
        self.send(&text).await;
        text
    }

    pub(crate) async fn ack(&self, cseq: u32, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.ask("ACK", cseq, kind, body).await;
    }

    /// The next message, whatever it is.
    pub(crate) async fn next(&mut self) -> Message {
        let mut buffer = vec![0; 65_535];
        let (len, _) = tokio::time::timeout(PATIENCE, self.socket.recv_from(&mut buffer))
            .await
            .expect("a message is due")
            .unwrap();
        let text = String::from_utf8(buffer[..len].to_vec()).unwrap();
        Message(text)
    }

    /// The next message whose start line begins with `start`; retransmissions of earlier ones are passed over, anything
    /// else is a failure.
    pub(crate) async fn expect(&mut self, start: &str) -> Message {
        loop {
            let message = self.next().await;
            if message.start().starts_with(start) && !self.seen.contains(&message.0) {
                self.seen.push(message.0.clone());
                if message.start().starts_with("SIP/2.0") && self.remote_tag.is_empty() {
                    self.remote_tag = message.tag("To").to_owned();
                }
                return message;
            }
            let repeated = self.seen.contains(&message.0) || message.start() == "SIP/2.0 100 Trying";
            assert!(repeated, "{start:?} was due, not:\n{}", message.0);
        }
    }

    /// Nothing but retransmissions comes before the answer to a ping of our own.
    pub(crate) async fn expect_nothing(&mut self) {
        self.send("\r\n\r\n").await;
        loop {
            let message = self.next().await;
            if message.0 == "\r\n" {
                return;
            }
            assert!(self.seen.contains(&message.0), "nothing was due, not:\n{}", message.0);
        }
    }

    /// Passes over whatever comes before the answer to a ping of our own.
    pub(crate) async fn drain(&mut self) {
        self.send("\r\n\r\n").await;
        let mut buffer = vec![0; 65_535];
        loop {
            let received = tokio::time::timeout(PATIENCE, self.socket.recv_from(&mut buffer));
            let (len, _) = received.await.expect("the answer to the ping is due").unwrap();
            if &buffer[..len] == b"\r\n" {
                return;
            }
        }
    }

    /// Answers a request of the engine.
    pub(crate) async fn answer(&self, request: &Message, status: &str, more: &str, body: &str) {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "Record-Route"] {
            for value in request.fields(name) {
                out += &format!("{name}: {value}\r\n");
            }
        }
        let tagged = request.field("To").contains(";tag=");
        let tag = if tagged || status.starts_with("100") { String::new() } else { format!(";tag={}", self.tag) };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        out += &format!(
            "From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:peer@{}>\r\n{kind}{more}Content-Length: {}\r\n\r\n{body}",
            request.field("From"),
            request.field("To"),
            request.field("Call-ID"),
            request.field("CSeq"),
            self.address(),
            body.len()
        );
        self.send(&out).await;
    }

    /// An answered call: the leg and its events, past [`LegEvent::Answered`].
    pub(crate) async fn establish(
        &mut self,
        incoming: &mut mpsc::Receiver<IncomingLeg>,
        more: &str,
    ) -> (LegHandle, Follow) {
        self.invite(more, OFFER).await;
        let leg = take(incoming).await;
        leg.leg.answer(MEDIA.parse().unwrap());
        self.expect("SIP/2.0 200").await;
        self.ack(1, "").await;
        let mut follow = Follow(leg.events);
        follow.media().await;
        follow.expect(LegEvent::Answered).await;
        (leg.leg, follow)
    }

    /// As the one called: the INVITE is taken and answered. What the engine sent, and its events past `Answered`.
    pub(crate) async fn be_answered(&mut self, follow: &mut Follow, more: &str) -> Message {
        let invite = self.expect("INVITE").await;
        self.adopt(&invite);
        self.answer(&invite, "200 OK", more, OFFER).await;
        self.expect("ACK").await;
        follow.media().await;
        follow.expect(LegEvent::Answered).await;
        invite
    }

    /// Takes over the identity that a call of the engine gives us, so that requests of ours fit its dialog.
    pub(crate) fn adopt(&mut self, invite: &Message) {
        self.call_id = invite.field("Call-ID").to_owned();
        self.remote_tag = invite.tag("From").to_owned();
    }
}

/// Holds tokio's clock still, whatever load the machine is under: it moves by `tokio::time::advance` only. Without this a
/// paused clock jumps ahead whenever a datagram takes its time. Given up after a while, so that a failing test ends.
pub(crate) struct Frozen(#[expect(dead_code, reason = "held, not used")] std::sync::mpsc::Sender<()>);

pub(crate) fn freeze() -> Frozen {
    let (sender, receiver) = std::sync::mpsc::channel();
    // The clock never jumps while a blocking task runs.
    drop(tokio::task::spawn_blocking(move || receiver.recv_timeout(2 * PATIENCE)));
    Frozen(sender)
}

pub(crate) async fn take(incoming: &mut mpsc::Receiver<IncomingLeg>) -> IncomingLeg {
    tokio::time::timeout(PATIENCE, incoming.recv()).await.expect("a call is due").unwrap()
}

/// A leg's events.
pub(crate) struct Follow(pub(crate) mpsc::Receiver<SipEvent>);

impl Follow {
    pub(crate) async fn next(&mut self) -> SipEvent {
        tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("an event is due").expect("the leg is not over")
    }

    pub(crate) async fn expect(&mut self, expect: LegEvent) {
        assert_eq!(self.next().await, SipEvent::Leg(expect));
    }

    pub(crate) async fn media(&mut self) -> gudok_sip::MediaSpec {
        match self.next().await {
            SipEvent::Media(spec) => spec,
            other => panic!("media was due, not {other:?}"),
        }
    }

    /// Nothing comes after the end.
    pub(crate) async fn expect_end(&mut self) {
        let end = tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("the leg is over soon");
        assert_eq!(end, None);
    }
}
