//! Whatever comes in, the phone stands, and still takes a call afterwards.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use gudok_phone::{CallOptions, OddityKind, OnIncoming, Phone, PhoneConfig};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

const LIMIT: Duration = Duration::from_secs(10);
const INVITE: &str = "INVITE sip:phone@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx;rport\r\n\
    Max-Forwards: 70\r\nFrom: \"A\" <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:phone@127.0.0.1>\r\nCall-ID: c@h\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:a@127.0.0.1:9>\r\nRequire: 100rel\r\nSupported: timer\r\nSession-Expires: 1800;refresher=uac\r\n\
    Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\"\r\nReplaces: x;to-tag=1;from-tag=2\r\n\
    Refer-To: <sip:b@127.0.0.1?Replaces=%41%4>\r\nContent-Type: application/sdp\r\nContent-Length: 99\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n";

async fn target() -> Phone {
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    Phone::start(PhoneConfig { on_incoming, ..PhoneConfig::default() }).await.unwrap()
}

async fn still_works(phone: &Phone) {
    let caller = Phone::start(PhoneConfig::default()).await.unwrap();
    let call = caller.call(&phone.uri(), CallOptions::default()).await.unwrap();
    call.answered(LIMIT).await.unwrap();
    call.hangup().unwrap();
    assert_eq!(call.wait_ended(LIMIT).await.unwrap().oddities, []);
}

/// A message with some bytes changed, dropped, repeated, or of another method.
fn mutate(rng: &mut StdRng, text: &str) -> Vec<u8> {
    let methods =
        ["INVITE", "ACK", "BYE", "CANCEL", "INFO", "REFER", "NOTIFY", "UPDATE", "PRACK", "REGISTER", "OPTIONS", "X"];
    let method = methods[rng.random_range(0..methods.len())];
    let mut bytes = text.replace("INVITE", method).into_bytes();
    for _ in 0..rng.random_range(0..6) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..5) {
            0 => bytes[at] = rng.random(),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + rng.random_range(0..40)).min(bytes.len()))),
            3 => {
                let piece = bytes[at..(at + 60).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let odd =
                    [&b"\r\n"[..], b"\0", b"%", b";;", b"<>", b"\"", b"999999999999999999999", b"\xff\xfe", b",", b":"];
                bytes.splice(at..at, odd[rng.random_range(0..odd.len())].iter().copied());
            }
        }
    }
    bytes
}

#[tokio::test]
async fn bytes_on_the_sip_port() {
    let phone = target().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    for i in 0..3_000_u32 {
        let bytes = match i % 4 {
            0 => (0..rng.random_range(0..200)).map(|_| rng.random()).collect(),
            1 => mutate(&mut rng, &INVITE.replacen("INVITE sip:phone@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK", 1)),
            _ => {
                mutate(&mut rng, &INVITE.replace("z9hG4bKx", &format!("z9hG4bK{i}")).replace("c@h", &format!("c{i}@h")))
            }
        };
        socket.send_to(&bytes, phone.local_addr()).await.unwrap();
        if i % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    still_works(&phone).await;
    assert!(phone.oddities().iter().any(|o| o.kind == OddityKind::Unparseable), "and it was noticed");
}

#[tokio::test]
async fn bytes_on_a_sip_connection() {
    let phone = target().await;
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..60 {
        let mut stream = TcpStream::connect(phone.local_addr()).await.unwrap();
        for _ in 0..5 {
            // The phone closes a connection that it cannot follow.
            let _ = stream.write_all(&mutate(&mut rng, INVITE)).await;
        }
    }
    still_works(&phone).await;
}

#[tokio::test]
async fn bytes_on_the_rtp_port() {
    let a = Phone::start(PhoneConfig::default()).await.unwrap();
    let b = target().await;
    let call = a.call(&b.uri(), CallOptions { record: true, ..CallOptions::default() }).await.unwrap();
    call.answered(LIMIT).await.unwrap();
    let ports = call.media_addr().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..1_000 {
        let mut bytes: Vec<u8> = (0..rng.random_range(0..300)).map(|_| rng.random()).collect();
        if bytes.len() > 2 {
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            bytes[1] = [8, 101, 0x88, 0, 13][rng.random_range(0..5)];
        }
        socket.send_to(&bytes, ports).await.unwrap();
    }
    call.press("1").unwrap();
    call.hangup().unwrap();
    let report = call.wait_ended(LIMIT).await.unwrap();
    assert!(report.stats.bad_packets > 0 && !report.oddities.is_empty());
}
