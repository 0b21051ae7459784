use super::*;

const LOCAL: &str = "198.51.100.2:20000";

fn negotiation() -> Negotiation {
    Negotiation::new(Arc::from(Codec::DEFAULT_ORDER), 7)
}

fn offer(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}")
}

fn answer(media: &str) -> (MediaSpec, String) {
    let mut negotiation = negotiation();
    let body = negotiation.answer(offer(media).as_bytes(), LOCAL.parse().unwrap()).unwrap();
    (negotiation.agreed().unwrap(), body)
}

#[test]
fn our_order_decides_and_their_numbers_are_kept() {
    let (spec, body) = answer(
        "m=audio 4000 RTP/AVP 18 0 8 96 97\r\na=rtpmap:96 telephone-event/8000\r\na=rtpmap:97 telephone-event/48000\r\n\
         a=fmtp:96 0-15\r\na=ptime:30\r\na=rtcp-mux\r\n",
    );
    let expect = MediaSpec {
        remote: "192.0.2.1:4000".parse().unwrap(),
        codec: Codec::Pcma,
        payload_type: 8,
        telephone_event: Some(96),
        send: true,
        receive: true,
        ptime_ms: 30,
        rtcp_mux: true,
        rtcp: None,
    };
    assert_eq!(spec, expect);
    assert_eq!(
        body,
        "v=0\r\no=- 7 1 IN IP4 198.51.100.2\r\ns=-\r\nc=IN IP4 198.51.100.2\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n\
         a=ptime:30\r\na=rtcp-mux\r\na=sendrecv\r\n"
    );
}

#[test]
fn directions_are_mirrored_and_hold_is_seen() {
    let check = |lines: &str, send: bool, receive: bool, said: &str| {
        let (spec, body) = answer(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}"));
        assert_eq!((spec.send, spec.receive), (send, receive), "{lines}");
        assert!(body.contains(&format!("a={said}\r\n")), "{lines}: {body}");
    };
    check("", true, true, "sendrecv");
    check("a=sendonly\r\n", false, true, "recvonly");
    check("a=recvonly\r\n", true, false, "sendonly");
    check("a=inactive\r\n", false, false, "inactive");
    check("c=IN IP4 0.0.0.0\r\n", false, true, "recvonly");
}

#[test]
fn other_lines_are_refused_in_their_place() {
    let (spec, body) = answer(
        "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio 4000 RTP/SAVP 8\r\nm=audio 4002 RTP/AVP 9\r\n\
         m=audio 4004 RTP/AVP 8\r\n",
    );
    assert_eq!((spec.codec, spec.remote.port()), (Codec::G722, 4002));
    let lines: Vec<&str> = body.lines().filter(|line| line.starts_with("m=")).collect();
    let expect = ["m=video 0 RTP/AVP 96", "m=audio 0 RTP/SAVP 8", "m=audio 20000 RTP/AVP 9", "m=audio 0 RTP/AVP 8"];
    assert_eq!(lines, expect);
}

#[test]
fn what_cannot_be_served_is_said_so() {
    let check = |body: &[u8], expect: SdpError| {
        assert_eq!(negotiation().preview(body).unwrap_err(), expect, "{}", String::from_utf8_lossy(body));
    };
    check(offer("m=audio 4000 RTP/SAVP 8\r\n").as_bytes(), SdpError::NoCommonMedia);
    check(offer("m=audio 4000 RTP/AVP 18\r\n").as_bytes(), SdpError::NoCommonMedia);
    check(offer("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMA/16000\r\n").as_bytes(), SdpError::NoCommonMedia);
    check(offer("m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 opus/48000/2\r\n").as_bytes(), SdpError::NoCommonMedia);
    check(offer("m=audio 0 RTP/AVP 8\r\n").as_bytes(), SdpError::NoCommonMedia);
    check(offer("").as_bytes(), SdpError::NoCommonMedia);
    check(offer(&"m=audio 0 RTP/AVP 8\r\n".repeat(17)).as_bytes(), SdpError::Unreadable);
    check(&vec![b'x'; 9_000], SdpError::Unreadable);
}

#[test]
fn sloppy_bodies_are_read() {
    let check = |body: &[u8], expect: &str| {
        let spec = negotiation().preview(body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(body)));
        assert_eq!(spec.remote.to_string(), expect);
    };
    check(b"v=0\no=x 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 1.2.3.4\nt=0 0\nm=audio 4000 RTP/AVP 8\n", "1.2.3.4:4000");
    check(
        b"v=0\r\no=broken\r\ns=\xff\r\nc=IN IP4 1.2.3.4 \r\nb=AS\r\ngarbage\r\nm=audio 4000 RTP/AVP 8 \r\n",
        "1.2.3.4:4000",
    );
    check(b"\r\nv=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 8 101\r\n\0", "[2001:db8::1]:4000");
    check(b"v=0\r\nm=audio 4000/2 RTP/AVP 8\r\nc=IN IP4 1.2.3.4/127\r\n", "1.2.3.4:4000");
}

#[test]
fn rtcp_may_go_elsewhere() {
    let check = |line: &str, expect: Option<&str>| {
        let (spec, _) = answer(&format!("m=audio 4000 RTP/AVP 8\r\n{line}"));
        assert_eq!(spec.rtcp, expect.map(|text| text.parse().unwrap()), "{line}");
    };
    check("a=rtcp:4010\r\n", Some("192.0.2.1:4010"));
    check("a=rtcp:4010 IN IP4 192.0.2.9\r\n", Some("192.0.2.9:4010"));
    check("a=rtcp:0\r\n", None);
    check("a=rtcp:nonsense\r\n", None);
    check("", None);
}

#[test]
fn the_version_counts_changes_only() {
    let mut negotiation = negotiation();
    let local = LOCAL.parse().unwrap();
    let first = negotiation.answer(offer("m=audio 4000 RTP/AVP 8\r\n").as_bytes(), local).unwrap();
    let same = negotiation.answer(offer("m=audio 4002 RTP/AVP 8\r\n").as_bytes(), local).unwrap();
    assert_eq!(first, same);
    let held = negotiation.answer(offer("m=audio 4002 RTP/AVP 8\r\na=sendonly\r\n").as_bytes(), local).unwrap();
    assert!(held.contains("o=- 7 2 IN"), "{held}");
    assert_eq!(negotiation.current(), Some(held.as_str()));
}

#[test]
fn an_offer_is_answered_with_one_of_ours() {
    let mut ours = negotiation();
    let body = ours.offer(LOCAL.parse().unwrap());
    assert!(body.contains("m=audio 20000 RTP/AVP 8 0 9 101\r\n"), "{body}");
    let spec = ours.accept(offer("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n").as_bytes());
    let spec = spec.unwrap();
    assert_eq!((spec.codec, spec.telephone_event, spec.rtcp_mux), (Codec::Pcmu, Some(101), false));
    assert_eq!(ours.accept(offer("m=audio 0 RTP/AVP 0\r\n").as_bytes()), Err(SdpError::NoCommonMedia));
    assert_eq!(ours.accept(offer("m=audio 4000 RTP/AVP 18\r\n").as_bytes()), Err(SdpError::NoCommonMedia));
    assert_eq!(ours.accept(offer("m=audio 4000 RTP/SAVP 8\r\n").as_bytes()), Err(SdpError::NotAnAnswer));
}

#[test]
fn random_bytes_never_panic() {
    let base = offer("m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:1 IN IP4 1.2.3.4\r\n");
    let mut seed = 1u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    for _ in 0..5_000 {
        let mut body = base.clone().into_bytes();
        for _ in 0..random() % 6 {
            let at = random() % body.len().max(1);
            if body.is_empty() {
                break;
            }
            match random() % 3 {
                0 => body[at] = u8::try_from(random() % 256).unwrap(),
                1 => drop(body.remove(at)),
                _ => body.truncate(at.max(1)),
            }
        }
        let _ = negotiation().answer(&body, LOCAL.parse().unwrap());
    }
}
