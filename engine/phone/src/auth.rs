//! Digest authentication, both as the one who is asked and as the one who asks (RFC 3261 §22, RFC 7616, RFC 8760).

use md5::Md5;
use rand::Rng;
use sha2::{Digest, Sha256};

use crate::uri;

/// A user name and its password. The password never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name, as the peer knows it.
    pub user: String,
    password: String,
}

impl Credentials {
    /// Credentials of a user.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The hash of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// What most peers speak.
    #[default]
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// What a peer asks for in WWW-Authenticate or Proxy-Authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    qop_auth: bool,
    pub(crate) stale: bool,
}

impl Challenge {
    /// Reads a challenge; `None` for schemes, algorithms and qops that we cannot answer.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let params = digest_params(value)?;
        let find = |name: &str| find(&params, name);
        let algorithm = match find("algorithm") {
            None => Algorithm::Md5,
            Some(a) if a.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(a) if a.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let qop_auth = match find("qop") {
            None => false,
            Some(list) if list.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        Some(Self {
            realm: find("realm")?.to_owned(),
            nonce: find("nonce")?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            algorithm,
            qop_auth,
            stale: find("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }

    /// A challenge of our own, with a fresh nonce.
    pub(crate) fn new(realm: &str, algorithm: Algorithm, rng: &mut impl Rng) -> Self {
        let nonce = format!("{:016x}{:016x}", rng.random::<u64>(), rng.random::<u64>());
        Self { realm: realm.to_owned(), nonce, opaque: None, algorithm, qop_auth: true, stale: false }
    }

    pub(crate) fn header_value(&self) -> String {
        format!(
            "Digest realm=\"{}\", nonce=\"{}\", algorithm={}, qop=\"auth\"",
            self.realm,
            self.nonce,
            self.algorithm.name()
        )
    }

    /// The Authorization header that answers this challenge.
    pub(crate) fn answer(&self, credentials: &Credentials, method: &str, uri: &str, rng: &mut impl Rng) -> String {
        let cnonce = format!("{:016x}", rng.random::<u64>());
        let qop = self.qop_auth.then_some(("00000001", cnonce.as_str()));
        let response = self.response(credentials, method, uri, qop);
        let mut value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
            credentials.user,
            self.realm,
            self.nonce,
            self.algorithm.name()
        );
        if let Some((nc, cnonce)) = qop {
            value.push_str(&format!(", qop=auth, nc={nc}, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        value
    }

    /// Whether an Authorization header answers this challenge for one of the users.
    pub(crate) fn verify(&self, authorization: &str, method: &str, users: &[Credentials]) -> bool {
        let Some(params) = digest_params(authorization) else { return false };
        let find = |name: &str| find(&params, name);
        let (Some(user), Some(nonce), Some(uri), Some(response)) =
            (find("username"), find("nonce"), find("uri"), find("response"))
        else {
            return false;
        };
        let qop = match (find("qop"), find("nc"), find("cnonce")) {
            (Some(qop), Some(nc), Some(cnonce)) if qop.eq_ignore_ascii_case("auth") => Some((nc, cnonce)),
            (None, ..) => None,
            _ => return false,
        };
        nonce == self.nonce
            && users.iter().any(|c| c.user == user && self.response(c, method, uri, qop).eq_ignore_ascii_case(response))
    }

    fn response(&self, who: &Credentials, method: &str, uri: &str, qop: Option<(&str, &str)>) -> String {
        let hash = |text: String| self.algorithm.hash(&text);
        let ha1 = hash(format!("{}:{}:{}", who.user, self.realm, who.password));
        let ha2 = hash(format!("{method}:{uri}"));
        match qop {
            Some((nc, cnonce)) => hash(format!("{ha1}:{}:{nc}:{cnonce}:auth:{ha2}", self.nonce)),
            None => hash(format!("{ha1}:{}:{ha2}", self.nonce)),
        }
    }
}

fn digest_params(value: &str) -> Option<Vec<(String, String)>> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let params = uri::split_list(rest)
        .into_iter()
        .filter_map(|p| p.split_once('='))
        .map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().trim_matches('"').to_owned()))
        .collect();
    Some(params)
}

fn find<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    /// RFC 7616 §3.9.1: the same exchange with both algorithms.
    #[test]
    fn rfc_7616_example() {
        let who = Credentials::new("Mufasa", "Circle of Life");
        let check = |algorithm: &str, expect: &str| {
            let challenge = Challenge::parse(&format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe\""
            ))
            .expect("a challenge");
            let qop = Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
            assert_eq!(challenge.response(&who, "GET", "/dir/index.html", qop), expect);
        };
        check("MD5", "8ca523f5e9506fed4657c9700eebdbec");
        check("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn answered_and_verified() {
        let mut rng = StdRng::seed_from_u64(1);
        let who = Credentials::new("trunk", "s3cret");
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let ours = Challenge::new("centre", algorithm, &mut rng);
            let seen = Challenge::parse(&ours.header_value()).expect("our own challenge");
            let answer = seen.answer(&who, "REGISTER", "sip:h", &mut rng);
            assert!(ours.verify(&answer, "REGISTER", std::slice::from_ref(&who)));
            assert!(!ours.verify(&answer, "INVITE", std::slice::from_ref(&who)), "another method");
            assert!(!ours.verify(&answer, "REGISTER", &[Credentials::new("trunk", "other")]));
            let other = Challenge::new("centre", algorithm, &mut rng);
            assert!(!other.verify(&answer, "REGISTER", std::slice::from_ref(&who)), "another nonce");
        }
        for bad in ["", "Digest", "Digest ", "Basic dXNlcg==", "Digest username", "Digest qop=auth-int"] {
            assert!(!Challenge::new("c", Algorithm::Md5, &mut rng).verify(bad, "INVITE", &[]));
            assert!(Challenge::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", Credentials::new("u", "hunter2"));
        assert!(!text.contains("hunter2"));
    }
}
