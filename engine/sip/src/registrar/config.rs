//! Who may register, as plain data.

use crate::config::has_unsafe_characters;
use crate::digest::{Hash, ha1};
use crate::sdp::Codec;
use gudok_core::privacy::Secret;
use ipnet::IpNet;
use std::collections::HashSet;
use std::sync::Arc;

/// Users of one registrar.
const USERS_MAX: usize = 10_000;
/// Bytes of a user name.
const NAME_BYTES_MAX: usize = 64;

/// Telephones that register at the engine (RFC 3261, section 10): operators'.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrarConfig {
    /// The digest realm, and the host part of a telephone's address of record. Hashed passwords hold it: changed, they
    /// are worth nothing.
    pub realm: String,
    /// Networks that telephones may come from. Others are strangers, as without a registrar; `0.0.0.0/0` lets any source
    /// try.
    pub sources: Vec<IpNet>,
    /// Who may register.
    pub users: Vec<RegistrarUser>,
    /// A shorter wish is refused with 423, so that telephones do not wear us out.
    pub expires_s_min: u32,
    /// A longer wish is cut to this. A telephone that vanished without a word is noticed after so long at the latest.
    pub expires_s_max: u32,
    /// Digests that are offered, most wanted first. A telephone that gives up where two are offered, and comes again
    /// without an answer, is offered MD5 alone from then on, where that is among them.
    pub digests: Vec<DigestKind>,
    /// What we speak with telephones, most wanted first.
    pub codecs: Arc<[Codec]>,
}

/// One user: a telephone that may register, and call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrarUser {
    /// The user part of its address, and the digest user name.
    pub name: Arc<str>,
    /// What it proves itself with.
    pub secret: RegistrarSecret,
    /// Where it may come from; empty: wherever the registrar's telephones may.
    pub sources: Vec<IpNet>,
}

/// What a telephone proves itself with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrarSecret {
    /// The password itself.
    Password(Secret),
    /// Its hashes: H(user ":" realm ":" password) in hexadecimal digits. At least one; the digests that lack it are not
    /// accepted of this user.
    Ha1 {
        /// 32 digits.
        md5: Option<Secret>,
        /// 64 digits.
        sha256: Option<Secret>,
    },
}

/// A digest algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DigestKind {
    /// RFC 8760.
    Sha256,
    /// RFC 2617: what every telephone has.
    Md5,
}

impl RegistrarConfig {
    /// Nobody registers from nowhere; times and digests as telephones like them.
    #[must_use]
    pub fn of_realm(realm: &str) -> Self {
        Self {
            realm: realm.to_owned(),
            sources: Vec::new(),
            users: Vec::new(),
            expires_s_min: 60,
            expires_s_max: 300,
            digests: vec![DigestKind::Sha256, DigestKind::Md5],
            codecs: Arc::from(Codec::DEFAULT_ORDER),
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.realm.is_empty() || has_unsafe_characters(&self.realm) || self.realm.contains(char::is_whitespace) {
            return Err("the realm must be a name without spaces, quotes or control characters".into());
        }
        if crate::address::host(&format!("sip:{}", self.realm)).is_none() {
            return Err("the realm must be able to stand as the host of a SIP address, such as centre.example".into());
        }
        // RFC 3261, section 10.3: a registrar refuses no wish of an hour or more.
        if self.expires_s_min == 0 || self.expires_s_min >= 3_600 || self.expires_s_max < self.expires_s_min {
            return Err("expires_s_min must be 1 to 3599, and expires_s_max not below it".into());
        }
        if self.digests.is_empty() {
            return Err("no digest: name SHA-256, MD5, or both".into());
        }
        if self.codecs.is_empty() {
            return Err("no codec: name at least one of PCMA, PCMU, G722".into());
        }
        if self.users.len() > USERS_MAX {
            return Err(format!("{} users are over the limit of {USERS_MAX}", self.users.len()));
        }
        let mut names = HashSet::new();
        for user in &self.users {
            user.check().map_err(|what| format!("user {:?}: {what}", user.name))?;
            if !names.insert(&*user.name) {
                return Err(format!("two users are called {:?}", user.name));
            }
        }
        Ok(())
    }
}

impl RegistrarUser {
    fn check(&self) -> Result<(), String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX || !self.name.bytes().all(plain) {
            return Err("a name is 1 to 64 Latin letters, digits and - _ . +".into());
        }
        let is_hash = |text: &Secret, digits: usize| {
            text.reveal().len() == digits && text.reveal().bytes().all(|b| b.is_ascii_hexdigit())
        };
        match &self.secret {
            RegistrarSecret::Password(password) if password.reveal().is_empty() => Err("the password is empty".into()),
            RegistrarSecret::Password(_) => Ok(()),
            RegistrarSecret::Ha1 { md5: None, sha256: None } => Err("neither a password nor a hash of one".into()),
            RegistrarSecret::Ha1 { md5, sha256 } => {
                let good = md5.as_ref().is_none_or(|hash| is_hash(hash, 32))
                    && sha256.as_ref().is_none_or(|hash| is_hash(hash, 64));
                if good { Ok(()) } else { Err("a hash is 32 (MD5) or 64 (SHA-256) hexadecimal digits".into()) }
            }
        }
    }

    /// H(A1) of RFC 2617, in lower-case hexadecimal digits. None where this user has none for `kind`.
    pub(super) fn ha1(&self, kind: DigestKind, realm: &str) -> Option<String> {
        match (&self.secret, kind) {
            (RegistrarSecret::Password(password), kind) => Some(ha1(kind.hash(), &self.name, realm, password.reveal())),
            (RegistrarSecret::Ha1 { md5, .. }, DigestKind::Md5) => {
                md5.as_ref().map(|h| h.reveal().to_ascii_lowercase())
            }
            (RegistrarSecret::Ha1 { sha256, .. }, DigestKind::Sha256) => {
                sha256.as_ref().map(|hash| hash.reveal().to_ascii_lowercase())
            }
        }
    }
}

impl DigestKind {
    pub(crate) const fn hash(self) -> Hash {
        match self {
            Self::Sha256 => Hash::Sha256,
            Self::Md5 => Hash::Md5,
        }
    }

    /// As it is written in header fields.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> RegistrarUser {
        RegistrarUser { name: Arc::from(name), secret: RegistrarSecret::Password(Secret::new("x")), sources: vec![] }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let base = || RegistrarConfig::of_realm("centre.example");
        let check = |config: RegistrarConfig, part: &str| {
            let what = config.check().unwrap_err();
            assert!(what.contains(part), "{what:?} lacks {part:?}");
        };
        assert_eq!(RegistrarConfig { users: vec![user("anna"), user("7")], ..base() }.check(), Ok(()));
        check(RegistrarConfig { realm: "a\"b".into(), ..base() }, "realm");
        check(RegistrarConfig { realm: String::new(), ..base() }, "realm");
        check(RegistrarConfig { expires_s_min: 3_600, expires_s_max: 7_200, ..base() }, "expires");
        check(RegistrarConfig { expires_s_max: 30, ..base() }, "expires");
        check(RegistrarConfig { digests: vec![], ..base() }, "digest");
        check(RegistrarConfig { codecs: Arc::from([]), ..base() }, "codec");
        check(RegistrarConfig { users: vec![user("anna"), user("anna")], ..base() }, "two users");
        check(RegistrarConfig { users: vec![user("a b")], ..base() }, "Latin");
        let hash = |md5| RegistrarUser { secret: RegistrarSecret::Ha1 { md5, sha256: None }, ..user("anna") };
        check(RegistrarConfig { users: vec![hash(None)], ..base() }, "neither");
        check(RegistrarConfig { users: vec![hash(Some(Secret::new("12")))], ..base() }, "hexadecimal");
    }

    #[test]
    fn a_password_and_its_hashes_are_worth_the_same() {
        let password =
            RegistrarUser { secret: RegistrarSecret::Password(Secret::new("Circle Of Life")), ..user("Mufasa") };
        // RFC 2617, section 3.5: MD5 of "Mufasa:testrealm@host.com:Circle Of Life".
        let md5 = password.ha1(DigestKind::Md5, "testrealm@host.com").unwrap();
        assert_eq!(md5, "939e7578ed9e3c518a452acee763bce9");
        let secret = RegistrarSecret::Ha1 { md5: Some(Secret::new(&md5.to_ascii_uppercase())), sha256: None };
        let hashed = RegistrarUser { secret, ..user("Mufasa") };
        assert_eq!(hashed.ha1(DigestKind::Md5, "any"), Some(md5));
        assert_eq!(hashed.ha1(DigestKind::Sha256, "any"), None);
        assert!(!format!("{password:?}").contains("Circle"));
    }
}
