//! What an enemy, a mistaken author or an old key may bring. Each row is refused by its own reason.

use super::*;

const NOW_S: u64 = 1_800_000_000;
const SUMS: &[u8] = b"0000  manifest.toml\n1111  script.wasm\n";

struct Bench {
    keys: NewKey,
    text: String,
}

fn version() -> semver::Version {
    semver::Version::new(1, 2, 0)
}

fn now() -> Timestamp {
    at_second(NOW_S)
}

fn bench() -> Bench {
    let keys = keygen(None, "").unwrap();
    let text = sign(SUMS, "mfc", "desk", "1.2.0", None, &keys.secret_file, None).unwrap();
    Bench { keys, text }
}

impl Bench {
    fn key(&self) -> AgencyKey {
        AgencyKey::new("mfc", self.keys.public.clone())
    }

    fn check(&self, text: &str, keys: &[AgencyKey]) -> Result<KeyId, SignatureRefusal> {
        let version = version();
        let signature = Some(text.as_bytes());
        verify(Signed { sums: SUMS, signature, agency: "mfc", name: "desk", version: &version }, keys, now())
    }

    fn signed_for(&self, agency: &str, name: &str, version: &str, expires_s: Option<u64>) -> String {
        sign(SUMS, agency, name, version, expires_s.map(at_second), &self.keys.secret_file, None).unwrap()
    }
}

#[test]
fn a_good_signature_names_its_key() {
    let bench = bench();
    let id = bench.keys.public.id();
    assert_eq!(bench.check(&bench.text, &[bench.key()]), Ok(id));
    let crlf = bench.text.replace('\n', "\r\n");
    assert_eq!(bench.check(&crlf, &[bench.key()]), Ok(id));
    let later = bench.signed_for("mfc", "desk", "1.2.0", Some(NOW_S + 1));
    assert_eq!(bench.check(&later, &[bench.key()]), Ok(id));
    let not_before = Some(now());
    let expires = Some(at_second(NOW_S + 1));
    assert_eq!(bench.check(&bench.text, &[AgencyKey { not_before, expires, ..bench.key() }]), Ok(id));
    assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
    assert_eq!(id.to_string().len(), 16);
    assert!(bench.keys.public.file().contains(&format!("minisign public key: {id}")));
    assert_eq!(PublicKey::parse(&bench.keys.public.file()), Ok(bench.keys.public.clone()));
    assert_eq!(PublicKey::parse(bench.keys.public.line()), Ok(bench.keys.public.clone()));
}

#[test]
fn what_is_signed_for_another_or_too_late_is_refused() {
    let bench = bench();
    let keys = [bench.key()];
    let id = bench.keys.public.id();
    let check = |text: &str, keys: &[AgencyKey], expect: SignatureRefusal| {
        assert_eq!(bench.check(text, keys), Err(expect.clone()));
        let finding = crate::Finding::from(&expect);
        assert!(!finding.field.is_empty() && finding.remedy.starts_with(char::is_uppercase), "{finding:?}");
        assert!(!finding.problem.is_empty(), "{finding:?}");
    };
    let other = |found: &str| SignatureRefusal::OtherScript {
        found: found.to_owned(),
        expected: "gudok:mfc/desk@1.2.0".to_owned(),
    };
    check(&bench.signed_for("passport", "desk", "1.2.0", None), &keys, other("gudok:passport/desk@1.2.0"));
    check(&bench.signed_for("mfc", "menu", "1.2.0", None), &keys, other("gudok:mfc/menu@1.2.0"));
    check(&bench.signed_for("mfc", "desk", "1.2.1", None), &keys, other("gudok:mfc/desk@1.2.1"));
    check(
        &bench.signed_for("mfc", "desk", "1.2.0", Some(NOW_S)),
        &keys,
        SignatureRefusal::Expired { expired_s: NOW_S },
    );
    check(&bench.signed_for("mfc", "desk", "1.2.0", Some(0)), &keys, SignatureRefusal::Expired { expired_s: 0 });
    check(&bench.text, &[], SignatureRefusal::UnknownKey { key: id });
    check(
        &bench.text,
        &[AgencyKey { agency: "passport".into(), ..bench.key() }],
        SignatureRefusal::UnknownKey { key: id },
    );
    let revoked = AgencyKey { revoked: true, ..bench.key() };
    check(&bench.text, &[revoked], SignatureRefusal::KeyRevoked { key: id });
    let early = AgencyKey { not_before: Some(at_second(NOW_S + 1)), ..bench.key() };
    check(&bench.text, &[early], SignatureRefusal::KeyNotYetValid { key: id, not_before_s: NOW_S + 1 });
    let late = AgencyKey { expires: Some(now()), ..bench.key() };
    check(&bench.text, &[late], SignatureRefusal::KeyExpired { key: id, expired_s: NOW_S });
}

#[test]
fn what_was_changed_or_forged_is_refused() {
    let bench = bench();
    let (id, keys) = (bench.keys.public.id(), [bench.key()]);
    let forged = |part| Err(SignatureRefusal::Forged { key: id, part });
    let version = version();
    let tampered = |sums: &[u8]| {
        let signature = Some(bench.text.as_bytes());
        verify(Signed { sums, signature, agency: "mfc", name: "desk", version: &version }, &keys, now())
    };
    assert_eq!(tampered(b""), forged(SignedPart::Sums));
    assert_eq!(tampered(&[SUMS, b"2222  data/evil\n"].concat()), forged(SignedPart::Sums));
    let renamed = bench.text.replace("mfc/desk@1.2.0", "mfc/desk@1.2.1");
    assert_eq!(bench.check(&renamed, &keys), forged(SignedPart::Comment));
    let longer = bench.signed_for("mfc", "desk", "1.2.0", Some(NOW_S - 1)).replace("expires:1", "expires:2");
    assert_eq!(bench.check(&longer, &keys), forged(SignedPart::Comment));
    // Another key that calls itself the same: an enemy may choose the id.
    let enemy = keygen(None, "").unwrap();
    let theirs = sign(SUMS, "mfc", "desk", "1.2.0", None, &enemy.secret_file, None).unwrap();
    assert_eq!(bench.check(&theirs, &keys), Err(SignatureRefusal::UnknownKey { key: enemy.public.id() }));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (mine, theirs) = (lines(&bench.text), lines(&theirs));
    // Algorithm and id are the first ten bytes: 13 characters and a part of the 14th.
    let spliced = format!("{}\n{}{}\n{}\n{}\n", mine[0], &mine[1][..13], &theirs[1][13..], theirs[2], theirs[3]);
    assert!(matches!(
        bench.check(&spliced, &keys),
        Err(SignatureRefusal::Forged { .. } | SignatureRefusal::UnknownKey { .. })
    ));
    // The right signature under another's comment.
    let mixed = format!("{}\n{}\n{}\n{}\n", mine[0], mine[1], theirs[2], theirs[3]);
    assert_eq!(bench.check(&mixed, &keys), forged(SignedPart::Comment));
}

#[test]
fn what_is_no_signature_is_refused_and_nothing_panics() {
    let bench = bench();
    let keys = [bench.key()];
    let version = version();
    let of = |signature: Option<&[u8]>| {
        verify(Signed { sums: SUMS, signature, agency: "mfc", name: "desk", version: &version }, &keys, now())
    };
    assert_eq!(of(None), Err(SignatureRefusal::Missing));
    let unreadable = |bytes: &[u8]| match of(Some(bytes)) {
        Err(SignatureRefusal::Unreadable { .. }) => {}
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    };
    for bytes in [b"".as_slice(), b"trust me", b"\n\n\n\n", b"\0\0\0\0", &[0xff; 400], &[b'\n'; 3000], &[b'a'; 3000]] {
        unreadable(bytes);
    }
    let lines: Vec<&str> = bench.text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    for at in 0..4 {
        for line in
            ["", "trusted comment:", "untrusted comment", "ж", "AAAA", "====", &"A".repeat(100), &"=".repeat(88)]
        {
            unreadable(with(at, line).as_bytes());
        }
    }
    unreadable(with(3, &lines[3][..84]).as_bytes());
    unreadable(with(1, &lines[1][..96]).as_bytes());
    unreadable(format!("{}more\n", bench.text).as_bytes());
    // Every cut and every flipped bit has an answer that is not yes; but for the first line, which nobody signs.
    let signed_from = lines[0].len() + 1;
    for end in 0..bench.text.len() - 1 {
        assert!(of(Some(&bench.text.as_bytes()[..end])).is_err(), "{end}");
    }
    for at in signed_from..bench.text.len() - 1 {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = bench.text.clone().into_bytes();
            bytes[at] ^= flip;
            assert!(of(Some(&bytes)).is_err(), "{at} {flip}");
        }
    }
    let legacy = with(1, &format!("RW{}", &lines[1][2..]));
    assert_eq!(of(Some(legacy.as_bytes())), Err(SignatureRefusal::Legacy));
}

#[test]
fn comments_are_of_one_form() {
    let good = |comment: &str, subject: &str, expires: Option<u64>| {
        assert_eq!(read_comment(comment), Ok((subject, expires)), "{comment}");
    };
    good("gudok:a/b@1.0.0", "gudok:a/b@1.0.0", None);
    good("gudok:a/b@1.0.0 expires:12", "gudok:a/b@1.0.0", Some(12));
    for bad in [
        "",
        "timestamp:1700000000",
        "gudok:a/b@1.0.0 expires:",
        "gudok:a/b@1.0.0 expires:-1",
        "gudok:a/b@1.0.0 expires:1 expires:2",
        "gudok:a/b@1.0.0 expires:99999999999999999999",
        "gudok:a/b@1.0.0  expires:1",
        "gudok:a/b@1.0.0 and:more",
        "gudok:а/b@1.0.0",
    ] {
        assert!(matches!(read_comment(bad), Err(SignatureRefusal::BadComment { .. })), "{bad}");
    }
}

#[test]
fn keys_are_opened_with_their_password_only() {
    let password = Secret::new("верблюд 42");
    let keys = keygen(Some(&password), "of the desk's authors").unwrap();
    assert!(keys.secret_file.reveal().contains("of the desk's authors"));
    let sign = |file: &Secret, password: Option<&Secret>| sign(SUMS, "a", "b", "1.0.0", None, file, password);
    assert!(sign(&keys.secret_file, Some(&password)).is_ok());
    assert_eq!(sign(&keys.secret_file, None), Err(SignatureRefusal::PasswordNeeded));
    assert_eq!(sign(&keys.secret_file, Some(&Secret::new("42"))), Err(SignatureRefusal::WrongPassword));
    let open = keygen(None, "").unwrap();
    assert!(sign(&open.secret_file, Some(&password)).is_ok(), "a password that is not needed does no harm");
    let text = open.secret_file.reveal();
    for bad in ["", "one line", "a\nb\n", &text[..text.len() / 2], &"x\n".repeat(3000)] {
        let refused = sign(&Secret::new(bad), None);
        assert!(matches!(refused, Err(SignatureRefusal::BadSecretKey { .. })), "{refused:?}");
    }
    assert!(!format!("{open:?}").contains(text.lines().nth(1).unwrap()), "a secret key is not written down");
    assert!(matches!(keygen(None, "two\nlines"), Err(SignatureRefusal::BadText { what: "comment" })));
    let spaced = super::sign(SUMS, "a", "b c", "1.0.0", None, &open.secret_file, None);
    assert_eq!(spaced, Err(SignatureRefusal::BadText { what: "name" }));
}

#[test]
fn what_is_no_public_key_is_refused() {
    let line = keygen(None, "").unwrap().public.line().to_owned();
    let lower = line.to_lowercase();
    let other_algorithm = format!("RA{}", &line[2..]);
    let secret = keygen(None, "").unwrap().secret_file;
    for bad in ["", "RW", &line[..55], &format!("{line}="), &lower.replace('r', "ж"), &other_algorithm, secret.reveal()]
    {
        assert!(matches!(PublicKey::parse(bad), Err(SignatureRefusal::BadPublicKey { .. })), "{bad}");
    }
    assert!(PublicKey::parse(&"x".repeat(5000)).is_err());
    assert!(PublicKey::parse(&format!("one\ntwo\n{line}")).is_err());
    for bad in ["", "0123", "0123456789ABCDEG", "+123456789ABCDEF", "0123456789ABCDEF0"] {
        assert!(bad.parse::<KeyId>().is_err(), "{bad}");
    }
}

#[test]
fn what_was_before_does_not_come_back_by_itself() {
    let text = |version: &str| {
        format!(
            "format = 1\nname = \"desk\"\nversion = \"{version}\"\nkind = \"service\"\ninterface = \"0.1\"\n\
             agency = \"mfc\"\nlanguages = [\"ru-RU\"]\n"
        )
    };
    let known = |version: &str, content: u8, released| KnownVersion {
        version: version.parse().unwrap(),
        content_sha256: [content; 32],
        released,
    };
    let before = [known("1.0.0", 1, true), known("1.2.0", 2, true), known("1.3.0", 3, false)];
    let check = |version: &str, content: u8, allow: bool| {
        let manifest = Manifest::parse(text(version).as_bytes()).unwrap();
        check_replay(&manifest, &[content; 32], &before, allow)
    };
    assert_eq!(check("1.4.0", 9, false), Ok(()));
    assert_eq!(check("1.2.1", 9, false), Ok(()), "the newest one was never released");
    assert_eq!(check("1.2.0", 2, false), Ok(()), "the same again");
    assert_eq!(check("1.3.0", 3, false), Ok(()));
    assert!(matches!(check("1.3.0", 9, true), Err(SignatureRefusal::OtherContent { .. })));
    assert!(matches!(check("1.2.0", 9, true), Err(SignatureRefusal::OtherContent { .. })));
    assert!(matches!(check("1.1.0", 9, false), Err(SignatureRefusal::Downgrade { .. })));
    assert!(matches!(check("1.0.0", 1, false), Err(SignatureRefusal::Downgrade { .. })), "an old one again");
    assert!(matches!(check("1.2.0+other", 9, false), Err(SignatureRefusal::Downgrade { .. })));
    assert!(matches!(check("1.2.0-rc.1", 9, false), Err(SignatureRefusal::Downgrade { .. })));
    assert_eq!(check("1.1.0", 9, true), Ok(()));
    assert_eq!(check("1.0.0", 1, true), Ok(()));
    assert_eq!(check("0.1.0", 9, true), Ok(()));
}
