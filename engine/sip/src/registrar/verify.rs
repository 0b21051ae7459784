//! Digest authentication as the server (RFC 2617, RFC 7616, RFC 8760): nonces, replays, and those who guess.

use super::config::{DigestKind, RegistrarConfig, RegistrarUser};
use crate::digest::{params, response};
use hmac::{Hmac, Mac};
use ipnet::IpNet;
use parking_lot::Mutex;
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How long a nonce is good for: a telephone that refreshes in time need not be asked each time.
const NONCE_LIFE: Duration = Duration::from_secs(30 * 60);
/// Nonces that have been used, and are remembered against replays until they run out.
const NONCES_USED_MAX: usize = 50_000;
/// Wrong answers of one source for one user, and of one source in all, within [`FAILURES_WINDOW`]. Above, no more are
/// looked at.
const FAILURES_OF_USER_MAX: u32 = 10;
const FAILURES_OF_SOURCE_MAX: u32 = 60;
const FAILURES_WINDOW: Duration = Duration::from_secs(60);
/// Sources, and users of sources, whose wrong answers are counted.
const FAILURES_KEPT_MAX: usize = 20_000;
/// A telephone that asks again so much later, or more, has not understood the first challenge.
const UNANSWERED_AFTER: Duration = Duration::from_secs(1);
/// How long it is remembered that a telephone reads one challenge only.
const PLAIN_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Telephones that have not answered yet, or read one challenge only.
const ASKED_MAX: usize = 20_000;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 2_048;

/// What came of a request's credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// It is this user.
    User(Arc<str>),
    /// Ask, or ask again.
    Ask(Asked),
    /// Too many wrong answers: look at none for a while.
    Throttled,
}

/// Why a request is asked for credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// It brought none.
    First,
    /// Its nonce is too old, or not ours: after a restart, most likely.
    Stale,
    /// Its nonce count has been seen.
    Replayed,
    /// Unknown user or wrong password: nobody is told which.
    Wrong,
}

/// A user, with what its answers are checked against.
pub(super) struct Known {
    pub(super) user: RegistrarUser,
    md5: Option<String>,
    sha256: Option<String>,
}

impl Known {
    fn ha1(&self, kind: DigestKind) -> Option<&str> {
        match kind {
            DigestKind::Md5 => self.md5.as_deref(),
            DigestKind::Sha256 => self.sha256.as_deref(),
        }
    }
}

/// The users by name.
pub(super) fn known(config: &RegistrarConfig) -> HashMap<Arc<str>, Known> {
    let of = |user: &RegistrarUser| Known {
        user: user.clone(),
        md5: user.ha1(DigestKind::Md5, &config.realm),
        sha256: user.ha1(DigestKind::Sha256, &config.realm),
    };
    config.users.iter().map(|user| (Arc::clone(&user.name), of(user))).collect()
}

/// Whether an address is in one of the networks.
pub(crate) fn is_in(networks: &[IpNet], source: IpAddr) -> bool {
    let source = source.to_canonical();
    networks.iter().any(|network| network.contains(&source))
}

/// What a request says of itself, as far as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Whether a URI stands for the one that was asked for.
    pub(crate) is_uri: &'a dyn Fn(&str) -> bool,
    /// The values of its `Authorization` fields.
    pub(crate) answers: Vec<&'a str>,
    pub(crate) source: IpAddr,
}

/// Checks answers.
pub(super) struct Verifier {
    began: Instant,
    key: [u8; 32],
    used: Mutex<HashMap<String, Used>>,
    failures: Mutex<HashMap<Guesser, Failures>>,
    asked: Mutex<HashMap<(IpAddr, Arc<str>), Unanswered>>,
}

/// A telephone that was asked.
struct Unanswered {
    at: Instant,
    /// It is asked for MD5 alone.
    plain: bool,
}

/// A source, and the user for whom it answers; none: for whomever.
type Guesser = (IpAddr, Option<Arc<str>>);

struct Used {
    count: u32,
    dies_at: Instant,
}

struct Failures {
    count: u32,
    since: Instant,
}

enum Nonce {
    Good { dies_at: Instant },
    Old,
}

impl Verifier {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            key: rand::random(),
            used: Mutex::default(),
            failures: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// Whether a telephone is to be asked for MD5 alone. There are such that give up where they are asked for anything
    /// beside it, though RFC 8760 (section 2.4) lets them pass over what they do not know. They come again after a while
    /// without an answer, and that is how they are known.
    pub(super) fn is_plain(&self, source: IpAddr, user: &Arc<str>, asked: Asked, now: Instant) -> bool {
        let mut all = self.asked.lock();
        if all.len() >= ASKED_MAX {
            all.retain(|_, one| now < one.at + PLAIN_KEPT);
        }
        let has_room = all.len() < ASKED_MAX;
        match all.entry((source, Arc::clone(user))) {
            std::collections::hash_map::Entry::Occupied(mut one) => {
                let one = one.get_mut();
                let unanswered = asked == Asked::First && now >= one.at + UNANSWERED_AFTER;
                one.plain = now < one.at + PLAIN_KEPT && (one.plain || unanswered);
                one.at = now;
                one.plain
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                if has_room && asked == Asked::First {
                    place.insert(Unanswered { at: now, plain: false });
                }
                false
            }
        }
    }

    /// A telephone has answered: it understands what it is asked.
    fn has_answered(&self, source: IpAddr, user: &Arc<str>) {
        let mut all = self.asked.lock();
        let key = (source, Arc::clone(user));
        if all.get(&key).is_some_and(|one| !one.plain) {
            all.remove(&key);
        }
    }

    /// The values of `WWW-Authenticate`, most wanted first; MD5 alone for a plain telephone. All ask with one nonce: one
    /// of them is answered.
    pub(super) fn challenges(&self, config: &RegistrarConfig, asked: Asked, plain: bool, now: Instant) -> Vec<String> {
        let has_md5 = config.digests.contains(&DigestKind::Md5);
        let nonce = self.nonce(now);
        let stale = if matches!(asked, Asked::Stale | Asked::Replayed) { ", stale=true" } else { "" };
        let write = |kind: &DigestKind| {
            let (realm, kind) = (&config.realm, kind.as_str());
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={kind}, qop=\"auth\"{stale}")
        };
        let wanted = |kind: &&DigestKind| !(plain && has_md5) || **kind == DigestKind::Md5;
        config.digests.iter().filter(wanted).map(write).collect()
    }

    /// Who sent the request. What is wrong is counted against its source.
    pub(super) fn verify(
        &self,
        config: &RegistrarConfig,
        users: &HashMap<Arc<str>, Known>,
        signed: &Signed<'_>,
        now: Instant,
    ) -> Proof {
        let short = signed.answers.iter().filter(|answer| answer.len() <= ANSWER_BYTES_MAX);
        let Some(answer) = short.filter_map(|answer| Answer::read(answer)).find(|one| one.realm == config.realm) else {
            return Proof::Ask(Asked::First);
        };
        let dies_at = match self.judge_nonce(&answer.nonce, now) {
            Nonce::Good { dies_at } => dies_at,
            // Nothing is said of the password, so there is nothing to guess by.
            Nonce::Old => return Proof::Ask(Asked::Stale),
        };
        let known = users.get(answer.username.as_str());
        let name: Arc<str> = known.map_or_else(|| Arc::from(""), |known| Arc::clone(&known.user.name));
        if self.is_throttled(signed.source, &name, now) {
            return Proof::Throttled;
        }
        self.has_answered(signed.source, &name);
        if !self.is_right(config, known, &answer, signed) {
            self.count_failure(signed.source, &name, now);
            return Proof::Ask(Asked::Wrong);
        }
        if self.use_nonce(&answer, dies_at, now) { Proof::User(name) } else { Proof::Ask(Asked::Replayed) }
    }

    fn is_right(&self, config: &RegistrarConfig, known: Option<&Known>, answer: &Answer, signed: &Signed<'_>) -> bool {
        let offered = config.digests.contains(&answer.kind);
        // An unknown user costs as much time as a known one.
        let nobody = "0".repeat(64);
        let ha1 = known.and_then(|known| known.ha1(answer.kind));
        let counted = Some((answer.nonce_count.as_str(), answer.cnonce.as_str()));
        let hash = answer.kind.hash();
        let right = response(hash, ha1.unwrap_or(&nobody), &answer.nonce, counted, signed.method, &answer.uri);
        let equal: bool = right.as_bytes().ct_eq(answer.response.as_bytes()).into();
        equal && ha1.is_some() && offered && (signed.is_uri)(&answer.uri)
    }

    /// A time, a random number, and a seal on both: nothing is remembered until it is used.
    fn nonce(&self, now: Instant) -> String {
        let ms = u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        let mut nonce = format!("{ms:016x}{:016x}", rand::random::<u64>());
        let seal = self.seal(&nonce);
        nonce.push_str(&seal);
        nonce
    }

    fn seal(&self, text: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().take(16).fold(String::with_capacity(32), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }

    fn judge_nonce(&self, nonce: &str, now: Instant) -> Nonce {
        const SEAL_AT: usize = 32;
        let Some((text, seal)) = nonce.split_at_checked(SEAL_AT) else { return Nonce::Old };
        let sealed: bool = self.seal(text).as_bytes().ct_eq(seal.as_bytes()).into();
        let ms = text.get(..16).and_then(|ms| u64::from_str_radix(ms, 16).ok());
        let dies_at = ms.and_then(|ms| self.began.checked_add(Duration::from_millis(ms) + NONCE_LIFE));
        match dies_at {
            Some(dies_at) if sealed && dies_at > now => Nonce::Good { dies_at },
            _ => Nonce::Old,
        }
    }

    /// Takes a nonce count. False where it, or a later one, has been seen: somebody repeats what he overheard.
    fn use_nonce(&self, answer: &Answer, dies_at: Instant, now: Instant) -> bool {
        let Ok(count) = u32::from_str_radix(&answer.nonce_count, 16) else { return false };
        let mut used = self.used.lock();
        if let Some(before) = used.get_mut(&answer.nonce) {
            let is_new = count > before.count;
            before.count = before.count.max(count);
            return is_new;
        }
        if used.len() >= NONCES_USED_MAX {
            used.retain(|_, used| used.dies_at > now);
        }
        // Only who knows a password comes here.
        if used.len() >= NONCES_USED_MAX || count == 0 {
            return false;
        }
        used.insert(answer.nonce.clone(), Used { count, dies_at });
        true
    }

    fn is_throttled(&self, source: IpAddr, user: &Arc<str>, now: Instant) -> bool {
        let failures = self.failures.lock();
        let above = |user: Option<Arc<str>>, max: u32| {
            let counted = failures.get(&(source, user)).filter(|counted| now < counted.since + FAILURES_WINDOW);
            counted.is_some_and(|counted| counted.count >= max)
        };
        above(None, FAILURES_OF_SOURCE_MAX) || above(Some(Arc::clone(user)), FAILURES_OF_USER_MAX)
    }

    fn count_failure(&self, source: IpAddr, user: &Arc<str>, now: Instant) {
        let mut failures = self.failures.lock();
        for key in [(source, None), (source, Some(Arc::clone(user)))] {
            if failures.len() >= FAILURES_KEPT_MAX {
                failures.retain(|_, counted| now < counted.since + FAILURES_WINDOW);
            }
            let has_room = failures.len() < FAILURES_KEPT_MAX;
            let fresh = Failures { count: 0, since: now };
            match failures.entry(key) {
                std::collections::hash_map::Entry::Vacant(_) if !has_room => {}
                entry => {
                    let counted = entry.or_insert(fresh);
                    if now >= counted.since + FAILURES_WINDOW {
                        *counted = Failures { count: 0, since: now };
                    }
                    counted.count = counted.count.saturating_add(1);
                }
            }
        }
    }
}

/// An `Authorization` field that can be checked.
struct Answer {
    username: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    kind: DigestKind,
    nonce_count: String,
    cnonce: String,
}

impl Answer {
    /// None where it is not one that we have asked for. Without `qop`, as before RFC 2617, nothing could tell a replay.
    fn read(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let params = params(rest);
        let find = |name: &str| {
            let mut of_name = params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let first = of_name.next().map(|(_, value)| value.clone());
            // Said twice, two readers might take different ones.
            first.filter(|_| of_name.next().is_none())
        };
        let kind = match params.iter().find(|(key, _)| key.eq_ignore_ascii_case("algorithm")) {
            None => DigestKind::Md5,
            Some((_, name)) if name.eq_ignore_ascii_case("MD5") => DigestKind::Md5,
            Some((_, name)) if name.eq_ignore_ascii_case("SHA-256") => DigestKind::Sha256,
            Some(_) => return None,
        };
        let nonce_count = find("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()))?;
        find("qop").filter(|qop| qop.eq_ignore_ascii_case("auth"))?;
        Some(Self {
            username: find("username")?,
            realm: find("realm")?,
            nonce: find("nonce")?,
            uri: find("uri")?,
            response: find("response")?.to_ascii_lowercase(),
            kind,
            nonce_count,
            cnonce: find("cnonce")?,
        })
    }
}

#[cfg(test)]
mod tests;
