//! The gate with the torture messages of RFC 4475 (abridged, their point kept), limits, and random damage.

use super::*;
use crate::config::TrunkConfig;
use rsipstack::sip::SipMessage;

const PEER: &str = "192.0.2.1:5060";
const STRANGER: &str = "198.51.100.66:5060";

fn gate_with(change: impl FnOnce(&mut SipConfig)) -> Gate {
    let mut config = SipConfig::on_udp(([127, 0, 0, 1], 0).into());
    config.trunks = vec![TrunkConfig::by_address("peer", vec!["192.0.2.1/32".parse().unwrap()])];
    change(&mut config);
    let trunks: Vec<_> = config.trunks.iter().cloned().map(Arc::new).collect();
    Gate::new(&config, Sources::new(&trunks, &[]))
}

fn gate() -> Gate {
    gate_with(|_| {})
}

fn judge<'a>(gate: &Gate, message: &'a [u8], source: &str) -> Verdict<'a> {
    gate.check(message, source.parse().unwrap(), Transport::Udp, Instant::now(), &|tag| tag == b"00000000000000aa")
}

/// What the gate does, in a word: `pass`, `silent`, or the status of its answer.
fn outcome(verdict: &Verdict<'_>) -> String {
    match verdict {
        Verdict::Pass(_) => "pass".into(),
        Verdict::Silent => "silent".into(),
        Verdict::Answer(answer) => String::from_utf8_lossy(answer).split(' ').nth(1).unwrap_or("").to_owned(),
    }
}

/// A request with the fields that one must have.
fn request(method: &str, uri: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKg1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
         Call-ID: c1\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{more}\r\n"
    )
}

#[test]
fn valid_torture_messages_reach_the_stack_and_are_read_by_it() {
    let check = |name: &str, text: &str, expect: &str| {
        let gate = gate();
        let verdict = judge(&gate, text.as_bytes(), PEER);
        assert_eq!(outcome(&verdict), expect, "{name}");
        if let Verdict::Pass(message) = &verdict {
            SipMessage::try_from(message.as_ref()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    };
    check(
        "3.1.1.1 wsinv",
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = \
         1918181833n\r\nfrom   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n\
         Call-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    \
         192.0.2.2;branch=390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
         UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\nRoute:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n\
         v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
         m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n",
        "pass",
    );
    check(
        "3.1.1.2 intmeth",
        "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n\
         Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\nTo: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n\
         From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\u{440}\u{430}\";tag=_token~1'+`*%!-.\r\n\
         Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nMax-Forwards: 255\r\n\
         extensionHeader-!.%*+_`'~:\u{fe}\r\nContent-Length: 0\r\n\r\n",
        "501",
    );
    check(
        "3.1.1.3 esc01",
        &request(
            "INVITE",
            "sip:sips%3Auser%40example.com@example.net",
            "Contact: <sip:caller@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\r\n",
        ),
        "pass",
    );
    check("3.1.1.4 escnull", &request("BYE", "sip:null-%00-null@example.com", ""), "pass");
    check("3.1.1.6 lwsdisp", &request("INFO", "sip:user@example.com", "").replace("From: <", "From: caller<"), "pass");
    let long = format!("Contact: <sip:{}@h>\r\n", "long".repeat(1_000));
    check("3.1.1.7 longreq", &request("INVITE", "sip:user@example.com", &long), "pass");
    check(
        "3.1.1.8 dblreq",
        &(request("BYE", "sip:j@example.com", "Content-Length: 0\r\n") + "INVITE sip:joe@example.com SIP/2.0\r\n"),
        "pass",
    );
    check("3.1.1.9 semiuri", &request("INFO", "sip:user;par=u%40example.net@example.com", ""), "pass");
    check(
        "3.1.1.10 transports",
        &request(
            "INFO",
            "sip:user@example.com",
            "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKa\r\nVia: SIP/2.0/TLS t3;branch=z9hG4bKb\r\nVia: SIP/2.0/UNKNOWN t4;branch=z9hG4bKc\r\n",
        ),
        "pass",
    );
    check(
        "3.1.1.11 mpart01",
        &request("MESSAGE", "sip:kumiko@example.org", "Content-Type: multipart/mixed;boundary=7a9\r\n"),
        "405",
    );
    let response = "SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\nCall-ID: unreason.1234\r\nCSeq: 35 INVITE\r\nFrom: <sip:user@example.com>;tag=11141343\r\nTo: <sip:user@example.edu>;tag=2229\r\nContent-Length: 0\r\n\r\n";
    check("3.1.1.12 unreason", response, "pass");
    check("3.1.1.13 noreason", &response.replace(" = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}", " "), "pass");
    check(
        "3.1.1 noreason, no space",
        &response.replace(" = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}", ""),
        "pass",
    );
}

#[test]
fn invalid_torture_messages_are_answered_where_an_answer_is_due() {
    let check = |name: &str, text: &str, expect: &str, counter: Counter| {
        let gate = gate();
        assert_eq!(outcome(&judge(&gate, text.as_bytes(), PEER)), expect, "{name}");
        assert_eq!(gate.counters.read(counter), 1, "{name} is counted");
    };
    let invite = |more: &str| request("INVITE", "sip:user@example.com", more);
    check("3.1.2.2 clerr", &(invite("Content-Length: 9999\r\n") + "v=0\r\n"), "400", Counter::BadContentLength);
    check("3.1.2.3 ncl", &invite("Content-Length: -999\r\n"), "400", Counter::BadContentLength);
    check("3.1.2.4 scalar02", &invite("").replace("CSeq: 1 ", "CSeq: 36893488147419103232 "), "400", Counter::BadCSeq);
    check("3.1.2.4 scalar02", &invite("").replace("70\r\n", "300\r\n"), "400", Counter::BadHeader);
    check(
        "3.1.2.5 scalarlg",
        "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKzz\r\nCSeq: 9292394834772304023312 OPTIONS\r\nCall-ID: 1\r\nFrom: <sip:a@h>;tag=2\r\nTo: <sip:b@h>;tag=1\r\nContent-Length: 0\r\n\r\n",
        "silent",
        Counter::BadResponse,
    );
    check("3.1.2.7 ltgtruri", &request("INVITE", "<sip:user@example.com>", ""), "400", Counter::BadStartLine);
    check("3.1.2.8 lwsruri", &request("INVITE", "sip:user@example.com; lr", ""), "400", Counter::BadStartLine);
    check("3.1.2.9 lwsstart", &invite("").replace("INVITE sip", "INVITE  sip"), "400", Counter::BadStartLine);
    check("3.1.2.10 trws", &invite("").replace("SIP/2.0\r\nVia", "SIP/2.0  \r\nVia"), "400", Counter::BadStartLine);
    check("3.1.2.16 badvers", &invite("").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"), "505", Counter::BadVersion);
    check("3.1.2.17 mismatch01", &invite("").replace("1 INVITE", "8 OPTIONS"), "400", Counter::BadCSeq);
    check(
        "3.1.2.18 mismatch02",
        &request("NEWMETHOD", "sip:u@h", "").replace("1 NEWMETHOD", "8 INVITE"),
        "400",
        Counter::BadCSeq,
    );
    check(
        "3.1.2.19 bigcode",
        "SIP/2.0 4294967301 better not break\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n",
        "silent",
        Counter::BadResponse,
    );
    check(
        "3.3.1 insuf",
        "INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\r\nContent-Length: 0\r\n\r\n",
        "400",
        Counter::MissingHeader,
    );
    check(
        "3.3.2 unkscm",
        &request("INVITE", "nobodyKnowsThisScheme:totallyopaquecontent", ""),
        "416",
        Counter::BadUriScheme,
    );
    check("3.3.3 novelsc", &request("INVITE", "soap.beep://192.0.2.103:3002", ""), "416", Counter::BadUriScheme);
    check("3.3.8 multi01", &invite("CSeq: 59 INVITE\r\n"), "400", Counter::RepeatedHeader);
    check("3.3.8 multi01", &invite("Max-Forwards: 5\r\n"), "400", Counter::RepeatedHeader);
    check("3.3.9 mcl01", &(invite("Content-Length: 3\r\nl: 4\r\n") + "v=0\r\n"), "400", Counter::BadContentLength);
    check("RFC 2543 without a tag", &invite("").replace(";tag=1", ""), "400", Counter::MissingHeader);
    check(
        "no blank line",
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: 1 INVITE",
        "400",
        Counter::BadHeader,
    );
    check("no colon", &invite("Nonsense\r\n"), "400", Counter::BadHeader);
    check("no Via", "INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", "silent", Counter::MissingHeader);
    check("not SIP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "silent", Counter::MissingHeader);
    check("too many lines", &invite(&"X: y\r\n".repeat(200)), "silent", Counter::BadHeader);
    check("no ACK is answered", &request("ACK", "sip:a@b", "CSeq: 2 ACK\r\n"), "silent", Counter::RepeatedHeader);
}

#[test]
fn answers_carry_what_the_peer_needs_to_match_them() {
    let gate = gate();
    let text = "FOO sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKx, SIP/2.0/UDP p2;branch=z9hG4bKy\r\nVia: SIP/2.0/UDP p3;branch=z9hG4bKz\r\n\
        f: \"\u{410}\r\n \" <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: c1\r\nCSeq: 1 FOO\r\n\r\n";
    let Verdict::Answer(answer) = judge(&gate, text.as_bytes(), PEER) else { panic!("an answer is due") };
    let answer = String::from_utf8(answer).unwrap();
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[0], "SIP/2.0 501 Not Implemented");
    assert_eq!(
        lines[1],
        "Via: SIP/2.0/UDP 192.0.2.1;rport=5060;received=192.0.2.1;branch=z9hG4bKx, SIP/2.0/UDP p2;branch=z9hG4bKy"
    );
    assert_eq!(lines[2], "Via: SIP/2.0/UDP p3;branch=z9hG4bKz");
    assert!(lines[3].starts_with("From: \"\u{410}") && lines[3].ends_with("<sip:a@h>;tag=1"), "{}", lines[3]);
    assert!(lines[4].starts_with("To: <sip:b@h>;tag=s"), "{}", lines[4]);
    assert_eq!(&lines[5..7], ["Call-ID: c1", "CSeq: 1 FOO"]);
    assert!(answer.ends_with("Content-Length: 0\r\n\r\n"));
    let again = judge(&gate, text.as_bytes(), PEER);
    assert_eq!(again, Verdict::Answer(answer.clone().into_bytes()), "stateless: the same answer again");
    let tag = lines[4].rsplit('=').next().unwrap();
    let ack = request("ACK", "sip:a@b", "").replace("<sip:b@h>", &format!("<sip:b@h>;tag={tag}"));
    assert_eq!(judge(&gate, ack.as_bytes(), PEER), Verdict::Silent);
}

#[test]
fn what_the_stack_cannot_read_is_repaired() {
    let check = |text: &[u8], expect: &[u8]| {
        let gate = gate();
        let verdict = judge(&gate, text, PEER);
        let Verdict::Pass(message) = &verdict else { panic!("{}: {verdict:?}", String::from_utf8_lossy(text)) };
        assert_eq!(String::from_utf8_lossy(message), String::from_utf8_lossy(expect));
        let SipMessage::Request(read) = SipMessage::try_from(message.as_ref()).unwrap() else { panic!("a request") };
        assert!(read.headers.len() >= 6, "all headers are read");
        gate.counters.read(Counter::Repaired)
    };
    let text = request("INVITE", "sip:b@h", "X: 1\r\n");
    assert_eq!(check(text.as_bytes(), text.as_bytes()), 0, "a clean message is not copied");
    assert_eq!(check(format!("\r\n\r\n{text}").as_bytes(), text.as_bytes()), 0, "blank lines in front");
    let with_body = format!("{text}v=0\r\n");
    let with_length = with_body.replace("X: 1\r\n\r\n", "X: 1\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(check(with_body.as_bytes(), with_length.as_bytes()), 1, "Content-Length");
    assert_eq!(
        check(
            with_body.replace("\r\n", "\n").as_bytes(),
            with_length.replace("\r\nv=0\r\n", "\r\nv=0\n").replace(": 5", ": 4").as_bytes()
        ),
        1,
        "bare LF"
    );
    let mut binary = text.clone().into_bytes();
    let at = text.find("X: 1").unwrap() + 3;
    binary[at] = 0xff;
    let repaired = text.replace("X: 1\r\n\r\n", "X: \u{fffd}\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(check(&binary, repaired.as_bytes()), 1, "UTF-8");
    binary[at] = 0;
    assert_eq!(check(&binary, repaired.replace('\u{fffd}', " ").as_bytes()), 1, "NUL");
    binary[at] = b'\r';
    assert_eq!(check(&binary, repaired.replace('\u{fffd}', " ").as_bytes()), 1, "a lone CR");
}

#[test]
fn keep_alives_and_stun() {
    let check = |message: &[u8], expect: Verdict<'_>| {
        let gate = gate();
        assert_eq!(judge(&gate, message, STRANGER), expect, "{message:?}");
        assert_eq!(gate.counters.read(Counter::KeepAlive), 1);
    };
    check(b"\r\n\r\n", Verdict::Answer(b"\r\n".to_vec()));
    check(b"\r\n", Verdict::Silent);
    check(b"", Verdict::Silent);
    check(b"\0", Verdict::Silent);
    check(b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", Verdict::Silent);
}

#[test]
fn strangers_are_refused_or_dropped_and_never_flood_us() {
    let invite = request("INVITE", "sip:b@h", "");
    let gate = gate_with(|config| config.limits.unknown_answers_per_s_max = 50);
    let answers = (0..50).filter(|_| outcome(&judge(&gate, invite.as_bytes(), STRANGER)) == "403").count();
    assert!((5..20).contains(&answers), "a tenth of a second's answers in one burst, not {answers}");
    assert_eq!(gate.counters.read(Counter::UnknownSource), 50);
    let dropping = gate_with(|config| config.unknown_source = UnknownSource::Drop);
    assert_eq!(judge(&dropping, invite.as_bytes(), STRANGER), Verdict::Silent);
    assert_eq!(outcome(&judge(&dropping, invite.as_bytes(), PEER)), "pass");
    let in_dialog = |tag: &str| request("BYE", "sip:b@h", "").replace("<sip:b@h>", &format!("<sip:b@h>;tag={tag}"));
    assert_eq!(
        outcome(&judge(&dropping, in_dialog("00000000000000aa").as_bytes(), STRANGER)),
        "pass",
        "a peer that we dialled"
    );
    assert_eq!(outcome(&judge(&dropping, in_dialog("00000000000000ab").as_bytes(), STRANGER)), "silent");
}

#[test]
fn a_source_above_its_rate_is_not_heard() {
    let gate = gate_with(|config| config.limits.source_messages_per_s_max = 10);
    let bye = request("BYE", "sip:b@h", "");
    let passed = (0..100).filter(|_| outcome(&judge(&gate, bye.as_bytes(), PEER)) == "pass").count();
    assert!((10..15).contains(&passed), "{passed} passed");
    assert!(gate.counters.read(Counter::SourceRate) >= 85);
}

#[test]
fn sizes_are_limited() {
    let gate = gate_with(|config| config.limits.message_bytes_max = 1_000);
    let large = request("INVITE", "sip:b@h", &format!("X: {}\r\n", "y".repeat(1_000)));
    assert_eq!(outcome(&judge(&gate, large.as_bytes(), PEER)), "513");
    assert_eq!(gate.counters.read(Counter::BadSize), 1);
}

#[test]
fn options_are_answered_at_the_door_and_tell_of_draining() {
    let gate = gate();
    let options = request("OPTIONS", "sip:b@h", "");
    assert_eq!(outcome(&judge(&gate, options.as_bytes(), PEER)), "200");
    gate.admission.set_draining(true);
    assert_eq!(outcome(&judge(&gate, options.as_bytes(), PEER)), "503");
    assert_eq!(outcome(&judge(&gate, request("INVITE", "sip:b@h", "").as_bytes(), PEER)), "503");
}

#[test]
fn random_damage_never_panics_and_never_passes_what_the_stack_chokes_on_silently() {
    let base = request("INVITE", "sip:b@h", "Contact: \"x\" <sip:a@h>;q=1\r\nContent-Length: 5\r\n") + "v=0\r\n";
    let mut seed = 42u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let gate = gate_with(|config| {
        config.limits.calls_per_s_max = 1_000_000;
        config.limits.source_messages_per_s_max = 1_000_000;
    });
    let mut passed = 0;
    for _ in 0..20_000 {
        let mut message = base.clone().into_bytes();
        for _ in 0..=random() % 5 {
            let at = random() % message.len().max(1);
            if message.is_empty() {
                break;
            }
            match random() % 4 {
                0 => message[at] = u8::try_from(random() % 256).unwrap(),
                1 => drop(message.remove(at)),
                2 => message.insert(at, b"\r\n:;,<>\"\\ "[random() % 10]),
                _ => message.truncate(at.max(1)),
            }
        }
        if let Verdict::Pass(clean) = judge(&gate, &message, PEER) {
            passed += 1;
            // Either it is read, or the peer hears that it is not.
            if SipMessage::try_from(clean.as_ref()).is_err() {
                assert!(gate.answer_unreadable(&message, PEER.parse().unwrap()).is_some());
            }
        }
    }
    assert!(passed > 1_000, "only {passed} of 20,000 passed: the damage is too much to show anything");
}
