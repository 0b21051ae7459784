use super::*;
use crate::digest::ha1;
use crate::registrar::RegistrarSecret;
use gudok_core::privacy::Secret;

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

struct World {
    config: RegistrarConfig,
    users: HashMap<Arc<str>, Known>,
    verifier: Verifier,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let user = |name: &str, secret| RegistrarUser { name: Arc::from(name), secret, sources: vec![] };
        let mut config = RegistrarConfig::of_realm("centre.example");
        let md5 = Secret::new(&ha1(DigestKind::Md5.hash(), "boris", "centre.example", "pass2"));
        config.users = vec![
            user("anna", RegistrarSecret::Password(Secret::new("pass1"))),
            user("boris", RegistrarSecret::Ha1 { md5: Some(md5), sha256: None }),
        ];
        let now = Instant::now();
        Self { users: known(&config), config, verifier: Verifier::new(now), now }
    }

    fn nonce(&self) -> String {
        let challenge = &self.verifier.challenges(&self.config, Asked::First, false, self.now)[0];
        let at = challenge.find("nonce=\"").unwrap() + 7;
        challenge[at..].split('"').next().unwrap().to_owned()
    }

    fn answer(&self, user: &str, password: &str, nonce: &str, nc: &str, kind: DigestKind) -> String {
        let secret = ha1(kind.hash(), user, "centre.example", password);
        let response = response(kind.hash(), &secret, nonce, Some((nc, "c")), "REGISTER", "sip:centre.example");
        format!(
            "Digest username=\"{user}\", realm=\"centre.example\", nonce=\"{nonce}\", uri=\"sip:centre.example\", \
             response=\"{response}\", algorithm={}, cnonce=\"c\", nc={nc}, qop=auth",
            kind.as_str()
        )
    }

    fn verify_from(&self, source: IpAddr, answers: &[&str]) -> Proof {
        let signed = Signed {
            method: "REGISTER",
            is_uri: &|uri| uri == "sip:centre.example",
            answers: answers.to_vec(),
            source,
        };
        self.verifier.verify(&self.config, &self.users, &signed, self.now)
    }

    fn verify(&self, answer: &str) -> Proof {
        self.verify_from(SOURCE, &[answer])
    }
}

#[test]
fn who_knows_the_password_is_known_by_either_digest() {
    let world = World::new();
    assert_eq!(world.verify_from(SOURCE, &[]), Proof::Ask(Asked::First));
    for (user, password, kind, expect) in [
        ("anna", "pass1", DigestKind::Md5, Proof::User(Arc::from("anna"))),
        ("anna", "pass1", DigestKind::Sha256, Proof::User(Arc::from("anna"))),
        ("boris", "pass2", DigestKind::Md5, Proof::User(Arc::from("boris"))),
        ("boris", "pass2", DigestKind::Sha256, Proof::Ask(Asked::Wrong)),
        ("anna", "pass2", DigestKind::Md5, Proof::Ask(Asked::Wrong)),
        ("nobody", "pass1", DigestKind::Md5, Proof::Ask(Asked::Wrong)),
        ("", "", DigestKind::Md5, Proof::Ask(Asked::Wrong)),
    ] {
        let answer = world.answer(user, password, &world.nonce(), "00000001", kind);
        assert_eq!(world.verify(&answer), expect, "{user} {kind:?}");
    }
}

#[test]
fn the_answer_for_our_realm_is_found_among_others() {
    let world = World::new();
    let ours = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    let other = ours.replace("centre.example", "elsewhere.example");
    assert_eq!(world.verify_from(SOURCE, &[&other, "Basic YTph", &ours]), Proof::User(Arc::from("anna")));
    assert_eq!(world.verify_from(SOURCE, &[&other]), Proof::Ask(Asked::First));
}

#[test]
fn a_nonce_counts_up_and_grows_old() {
    let mut world = World::new();
    let nonce = world.nonce();
    let answer = |world: &World, nc: &str| world.answer("anna", "pass1", &nonce, nc, DigestKind::Md5);
    let anna = Proof::User(Arc::from("anna"));
    assert_eq!(world.verify(&answer(&world, "00000001")), anna);
    assert_eq!(world.verify(&answer(&world, "00000001")), Proof::Ask(Asked::Replayed));
    assert_eq!(world.verify(&answer(&world, "0000000a")), anna);
    assert_eq!(world.verify(&answer(&world, "00000002")), Proof::Ask(Asked::Replayed));
    assert_eq!(world.verify(&answer(&world, "0000000b")), anna);
    world.now += NONCE_LIFE;
    assert_eq!(world.verify(&answer(&world, "0000000c")), Proof::Ask(Asked::Stale));
    let text = world.verifier.challenges(&world.config, Asked::Stale, false, world.now).join("\n");
    assert_eq!(text.matches("stale=true").count(), 2, "{text}");
}

#[test]
fn a_telephone_that_gives_up_at_two_challenges_is_asked_one() {
    let mut world = World::new();
    let anna: Arc<str> = Arc::from("anna");
    let plain = |world: &World, asked| world.verifier.is_plain(SOURCE, &anna, asked, world.now);
    assert!(!plain(&world, Asked::First));
    assert!(!plain(&world, Asked::First), "sent twice at once: REGISTER and INVITE, or a repetition");
    let answer = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Sha256);
    assert_eq!(world.verify(&answer), Proof::User(Arc::clone(&anna)));
    world.now += Duration::from_secs(60);
    assert!(!plain(&world, Asked::First), "it had answered");
    world.now += Duration::from_secs(60);
    assert!(plain(&world, Asked::First), "it comes again without an answer");
    assert!(!world.verifier.is_plain("10.0.0.8".parse().unwrap(), &anna, Asked::First, world.now), "another one");
    let challenges = world.verifier.challenges(&world.config, Asked::First, true, world.now);
    assert!(challenges.len() == 1 && challenges[0].contains("algorithm=MD5,"), "{challenges:?}");
    let answer = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    assert_eq!(world.verify(&answer), Proof::User(Arc::clone(&anna)));
    world.now += Duration::from_secs(200);
    assert!(plain(&world, Asked::Stale) && plain(&world, Asked::First), "and is asked so from now on");
    world.config.digests = vec![DigestKind::Sha256];
    assert_eq!(
        world.verifier.challenges(&world.config, Asked::First, true, world.now).len(),
        1,
        "where there is no MD5"
    );
}

#[test]
fn a_nonce_of_another_hand_is_stale_whatever_the_password() {
    let world = World::new();
    let other = World::new();
    let wrong_seal = {
        let mut nonce = world.nonce();
        let last = if nonce.pop() == Some('0') { '1' } else { '0' };
        nonce.push(last);
        nonce
    };
    for nonce in [other.nonce(), wrong_seal, String::new(), "0".repeat(64), "я".repeat(40)] {
        for password in ["pass1", "guess"] {
            let answer = world.answer("anna", password, &nonce, "00000001", DigestKind::Md5);
            assert_eq!(world.verify(&answer), Proof::Ask(Asked::Stale));
        }
    }
    let good = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    assert_eq!(world.verify(&good), Proof::User(Arc::from("anna")), "none of that was held against the source");
}

#[test]
fn guesses_are_not_looked_at_for_ever() {
    let mut world = World::new();
    let guess = |world: &World, user: &str| world.answer(user, "guess", &world.nonce(), "00000001", DigestKind::Md5);
    for _ in 0..FAILURES_OF_USER_MAX {
        assert_eq!(world.verify(&guess(&world, "anna")), Proof::Ask(Asked::Wrong));
    }
    let right = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    assert_eq!(world.verify(&right), Proof::Throttled, "even the right one: guessing gains nothing");
    let elsewhere = "10.0.0.8".parse().unwrap();
    assert_eq!(
        world.verify_from(elsewhere, &[&right]),
        Proof::User(Arc::from("anna")),
        "nobody is locked out by others"
    );
    let boris = world.answer("boris", "pass2", &world.nonce(), "00000001", DigestKind::Md5);
    assert_eq!(world.verify(&boris), Proof::User(Arc::from("boris")), "nor by a colleague behind the same address");
    world.now += FAILURES_WINDOW;
    let right = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    assert_eq!(world.verify(&right), Proof::User(Arc::from("anna")));
    let mut wrong = 0;
    for n in 0..200 {
        let user = if n % 2 == 0 { format!("user{n}") } else { "boris".to_owned() };
        wrong += u32::from(world.verify(&guess(&world, &user)) == Proof::Ask(Asked::Wrong));
    }
    assert!(wrong <= FAILURES_OF_SOURCE_MAX, "{wrong}");
}

#[test]
fn another_request_than_the_signed_one_is_not_believed() {
    let world = World::new();
    let answer = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    let signed = |method: &'static str, is_uri: &'static dyn Fn(&str) -> bool| Signed {
        method,
        is_uri,
        answers: vec![&answer],
        source: SOURCE,
    };
    let verify = |signed: &Signed<'_>| world.verifier.verify(&world.config, &world.users, signed, world.now);
    assert_eq!(verify(&signed("INVITE", &|_| true)), Proof::Ask(Asked::Wrong));
    assert_eq!(verify(&signed("REGISTER", &|_| false)), Proof::Ask(Asked::Wrong));
    assert_eq!(verify(&signed("REGISTER", &|_| true)), Proof::User(Arc::from("anna")));
}

#[test]
fn hostile_answers_are_asked_again() {
    let world = World::new();
    let good = || world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
    for hostile in [
        "Digest".to_owned(),
        "Digest ".to_owned(),
        "Digest ,,,,=\"\\".to_owned(),
        "Bearer x".to_owned(),
        good().replace("qop=auth", "qop=auth-int"),
        good().replace(", qop=auth", ""),
        good().replace("nc=00000001", "nc=1"),
        good().replace("nc=00000001", "nc=zzzzzzzz"),
        good().replace("algorithm=MD5", "algorithm=MD5-sess"),
        format!("{}, username=\"boris\"", good()),
        format!("{}, x=\"{}\"", good(), "y".repeat(ANSWER_BYTES_MAX)),
    ] {
        assert_eq!(world.verify(&hostile), Proof::Ask(Asked::First), "{hostile}");
    }
    assert_eq!(world.verify(&good().replace("nc=00000001", "nc=00000000")), Proof::Ask(Asked::Wrong));
}

#[test]
fn what_is_changed_on_the_way_is_not_believed() {
    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    let fields = |text: &str| {
        let answer = Answer::read(text)?;
        Some([
            answer.username,
            answer.realm,
            answer.nonce,
            answer.uri,
            answer.response,
            answer.nonce_count,
            answer.cnonce,
        ])
    };
    for _ in 0..3_000 {
        let world = World::new();
        let good = world.answer("anna", "pass1", &world.nonce(), "00000001", DigestKind::Md5);
        let mut bytes = good.clone().into_bytes();
        for _ in 0..2 {
            let at = random() % bytes.len();
            bytes[at] = u8::try_from(random() % 256).unwrap();
        }
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        if matches!(world.verify(&changed), Proof::User(_)) {
            // Blanks, the case of a name, and the like are not signed.
            assert_eq!(fields(&changed), fields(&good), "{changed}");
        }
    }
}
