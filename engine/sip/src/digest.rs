//! Digest authentication as a client (RFC 3261, section 22; RFC 8760).
//!
//! Ours and not the stack's: that one rejects `qop="auth,auth-int"` and spells SHA-256 in a way no registrar knows.

use crate::config::Credentials;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What a 401 or 407 asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The server offers `qop=auth`.
    qop_auth: bool,
    pub(crate) stale: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Algorithm {
    hash: Hash,
    session: bool,
}

/// The hash of a digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hash {
    Md5,
    Sha256,
}

/// H(A1) of RFC 2617 in hexadecimal digits: all that a verifier needs to know of a password.
pub(crate) fn ha1(hash: Hash, user: &str, realm: &str, password: &str) -> String {
    hash.of(&format!("{user}:{realm}:{password}"))
}

/// The `response` of a digest, with `qop=auth` where a nonce count and a cnonce are given.
pub(crate) fn response(
    hash: Hash,
    ha1: &str,
    nonce: &str,
    counted: Option<(&str, &str)>,
    method: &str,
    uri: &str,
) -> String {
    let request = hash.of(&format!("{method}:{uri}"));
    match counted {
        Some((count, cnonce)) => hash.of(&format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{request}")),
        None => hash.of(&format!("{ha1}:{nonce}:{request}")),
    }
}

impl Challenge {
    /// Reads one `WWW-Authenticate` or `Proxy-Authenticate` value. None where it asks for what we do not have.
    pub(crate) fn read(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let params = params(rest);
        let find =
            |name: &str| params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
        let qop = find("qop");
        let offers_auth = |qop: &String| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
        let qop_auth = match &qop {
            Some(qop) if offers_auth(qop) => true,
            // Only auth-int.
            Some(_) => return None,
            None => false,
        };
        Some(Self {
            realm: find("realm")?,
            nonce: find("nonce")?,
            opaque: find("opaque"),
            algorithm: Algorithm::read(find("algorithm").as_deref().unwrap_or("MD5"))?,
            qop_auth,
            stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The best of several: the stronger algorithm, then the first.
    pub(crate) fn best<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut all: Vec<Self> = values.filter_map(Self::read).collect();
        let strongest = all.iter().position(|one| one.algorithm.hash == Hash::Sha256).unwrap_or(0);
        (!all.is_empty()).then(|| all.swap_remove(strongest))
    }

    /// The value of `Authorization` or `Proxy-Authorization`. `cnonce` is drawn at random by the caller.
    pub(crate) fn answer(&self, credentials: &Credentials, method: &str, uri: &str, cnonce: &str) -> String {
        const NONCE_COUNT: &str = "00000001"; // each nonce is used once
        let username = credentials.username.reveal();
        let hash = self.algorithm.hash;
        let mut secret = ha1(hash, username, &self.realm, credentials.password.reveal());
        if self.algorithm.session {
            secret = hash.of(&format!("{secret}:{}:{cnonce}", self.nonce));
        }
        let counted = self.qop_auth.then_some((NONCE_COUNT, cnonce));
        let response = response(hash, &secret, &self.nonce, counted, method, uri);
        let mut out = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
            quoted(username),
            quoted(&self.realm),
            quoted(&self.nonce),
            self.algorithm.as_str(),
        );
        if self.qop_auth || self.algorithm.session {
            let _ = write!(out, ", cnonce=\"{cnonce}\"");
        }
        if self.qop_auth {
            let _ = write!(out, ", qop=auth, nc={NONCE_COUNT}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(out, ", opaque=\"{}\"", quoted(opaque));
        }
        out
    }
}

impl Algorithm {
    fn read(name: &str) -> Option<Self> {
        let (name, session) = match name.len().checked_sub(5).and_then(|at| name.split_at_checked(at)) {
            Some((front, tail)) if tail.eq_ignore_ascii_case("-sess") => (front, true),
            _ => (name, false),
        };
        let hash = match () {
            () if name.eq_ignore_ascii_case("MD5") => Hash::Md5,
            () if name.eq_ignore_ascii_case("SHA-256") => Hash::Sha256,
            () => return None,
        };
        Some(Self { hash, session })
    }

    const fn as_str(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
        }
    }
}

impl Hash {
    pub(crate) fn of(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// `name=value` and `name="value"`, separated by commas.
pub(crate) fn params(text: &str) -> Vec<(String, String)> {
    const PARAMS_MAX: usize = 32;
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while out.len() < PARAMS_MAX {
        while chars.next_if(|c| *c == ',' || c.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && *c != ',') {
            name.push(c);
        }
        if name.is_empty() && chars.peek().is_none() {
            break;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => value.extend(chars.next()),
                        c => value.push(c),
                    }
                }
            } else {
                while let Some(c) = chars.next_if(|c| *c != ',') {
                    value.push(c);
                }
                value.truncate(value.trim_end().len());
            }
        }
        out.push((name.trim().to_owned(), value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_core::privacy::{PhoneNumber, Secret};

    fn mufasa(password: &str) -> Credentials {
        Credentials { username: PhoneNumber::new("Mufasa"), password: Secret::new(password) }
    }

    #[test]
    fn the_examples_of_the_rfcs_come_out() {
        let check = |challenge: &str, password: &str, cnonce: &str, expect: &str| {
            let answer =
                Challenge::read(challenge).unwrap().answer(&mufasa(password), "GET", "/dir/index.html", cnonce);
            assert!(answer.contains(&format!("response=\"{expect}\"")), "{answer}");
        };
        // RFC 2617, section 3.5.
        check(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
            "Circle Of Life",
            "0a4f113b",
            "6629fae49393a05397450978507c4ef1",
        );
        // RFC 7616, section 3.9.1.
        let realm = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        check(&format!("{realm}, algorithm=SHA-256"), "Circle of Life", cnonce, sha);
        check(&format!("{realm}, algorithm=MD5"), "Circle of Life", cnonce, "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn odd_challenges_are_read_or_refused() {
        let check = |text: &str, expect: bool| assert_eq!(Challenge::read(text).is_some(), expect, "{text}");
        check("digest realm=\"a \\\"b\\\"\",nonce=x,stale=TRUE", true);
        check("Digest realm=\"a\", nonce=\"x\", algorithm=SHA-512-256", false);
        check("Digest realm=\"a\", nonce=\"x\", qop=\"auth-int\"", false);
        check("Basic realm=\"a\"", false);
        check("Digest realm=\"a", false);
        check("Digest ,,,=,,", false);
        check("", false);
    }

    #[test]
    fn the_stronger_of_two_challenges_is_answered() {
        let values = ["Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"a\", nonce=\"2\", algorithm=SHA-256"];
        assert_eq!(Challenge::best(values.into_iter()).unwrap().nonce, "2");
        assert_eq!(Challenge::best(values.into_iter().take(1)).unwrap().nonce, "1");
        assert_eq!(Challenge::best([].into_iter()), None);
    }
}
