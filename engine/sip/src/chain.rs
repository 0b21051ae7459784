//! A call's way through several centres (`X-Gudok-Chain`), and calls that come back.
//!
//! A peer centre's word is taken for it, nobody else's. The ids of the chains that live legs belong to are kept here: an
//! INVITE that brings one of them has come back through other centres, and is refused with 482 (RFC 5393 in spirit). As
//! a chain passes through, so does what is left of Max-Forwards (RFC 7332): a loop that nobody notices ends there.

use crate::message::{field, fields};
use gudok_core::leg::Chain;
use parking_lot::Mutex;
use rsipstack::sip::Headers;
use std::collections::HashMap;
use std::sync::Arc;

/// The header field.
pub(crate) const CHAIN_FIELD: &str = "X-Gudok-Chain";
/// What a call of our own begins with (RFC 3261, section 8.1.1.6).
const MAX_FORWARDS: u32 = 70;

/// What an INVITE says of its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Nothing,
    /// Not to be read: it counts for nothing.
    Malformed,
    Chain(Chain),
}

/// Reads the field.
pub(crate) fn read(headers: &Headers) -> Said {
    let mut all = fields(headers, CHAIN_FIELD);
    match (all.next(), all.next()) {
        (None, _) => Said::Nothing,
        (Some(value), None) => parse(value).map_or(Said::Malformed, Said::Chain),
        // Two readers might take different ones.
        (Some(_), Some(_)) => Said::Malformed,
    }
}

/// Writes the field. None of an id that no reader would believe.
pub(crate) fn write(chain: &Chain) -> Option<String> {
    (is_id(&chain.id) && chain.hops > 0).then(|| format!("{};hops={}", chain.id, chain.hops))
}

fn parse(value: &str) -> Option<Chain> {
    let (id, hops) = value.trim().split_once(';')?;
    let digits = hops.trim().strip_prefix("hops=")?;
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let hops = digits.parse().ok().filter(|hops: &u8| is_number && *hops > 0)?;
    is_id(id).then(|| Chain { id: Arc::from(id), hops })
}

fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-';
    !id.is_empty() && id.len() <= Chain::ID_CHARS_MAX && id.bytes().all(plain)
}

/// The chains of live legs.
#[derive(Default, Debug)]
pub(crate) struct Chains(Mutex<HashMap<Arc<str>, Live>>);

#[derive(Debug)]
struct Live {
    legs: usize,
    /// What a leg further on may say in Max-Forwards.
    max_forwards: u32,
}

/// A leg's part in a chain, until it is dropped.
#[derive(Debug)]
pub(crate) struct OnChain {
    chains: Arc<Chains>,
    id: Arc<str>,
}

impl Chains {
    /// A call came in on a chain. None where the chain has a live leg here: it has come back.
    pub(crate) fn arrive(self: &Arc<Self>, chain: &Chain, headers: &Headers) -> Option<OnChain> {
        let said = field(headers, "Max-Forwards").and_then(|value| value.trim().parse::<u32>().ok());
        let max_forwards = said.unwrap_or(MAX_FORWARDS).min(MAX_FORWARDS).saturating_sub(1);
        let mut live = self.0.lock();
        if live.contains_key(&chain.id) {
            return None;
        }
        live.insert(Arc::clone(&chain.id), Live { legs: 1, max_forwards });
        Some(OnChain { chains: Arc::clone(self), id: Arc::clone(&chain.id) })
    }

    /// A call goes out on a chain, and may say so much in Max-Forwards. None where nothing is left.
    pub(crate) fn leave(self: &Arc<Self>, chain: &Chain) -> Option<(OnChain, u32)> {
        let mut live = self.0.lock();
        let entry = live.entry(Arc::clone(&chain.id)).or_insert(Live { legs: 0, max_forwards: MAX_FORWARDS });
        if entry.max_forwards == 0 {
            return None;
        }
        entry.legs += 1;
        let max_forwards = entry.max_forwards;
        drop(live);
        Some((OnChain { chains: Arc::clone(self), id: Arc::clone(&chain.id) }, max_forwards))
    }
}

impl Drop for OnChain {
    fn drop(&mut self) {
        let mut live = self.chains.0.lock();
        if let Some(entry) = live.get_mut(&self.id) {
            entry.legs -= 1;
            if entry.legs == 0 {
                live.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsipstack::sip::Header;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let list = lines.iter().map(|(name, value)| Header::Other((*name).to_owned(), (*value).to_owned()));
        list.collect::<Vec<_>>().into()
    }

    #[test]
    fn a_chain_is_read_exactly_or_not_at_all() {
        let chain = |id: &str, hops| Chain { id: Arc::from(id), hops };
        assert_eq!(read(&headers(&[])), Said::Nothing);
        for (value, expect) in [
            ("0a-1;hops=1", Some(chain("0a-1", 1))),
            (" 0a ; hops=255", None),
            ("0a;hops=255", Some(chain("0a", 255))),
            ("0a; hops=3", Some(chain("0a", 3))),
            ("0a;hops=0", None),
            ("0a;hops=256", None),
            ("0a;hops=+1", None),
            ("0a;hops=0001", None),
            ("0a;hops=1;x=2", None),
            ("0a", None),
            (";hops=1", None),
            ("0A;hops=1", None),
            ("a b;hops=1", None),
            ("я;hops=1", None),
        ] {
            let got = read(&headers(&[(CHAIN_FIELD, value)]));
            assert_eq!(got, expect.map_or(Said::Malformed, Said::Chain), "{value:?}");
        }
        let long = format!("{};hops=1", "a".repeat(Chain::ID_CHARS_MAX + 1));
        assert_eq!(read(&headers(&[(CHAIN_FIELD, &long)])), Said::Malformed);
        assert_eq!(read(&headers(&[(CHAIN_FIELD, "a;hops=1"), ("x-gudok-chain", "a;hops=1")])), Said::Malformed);
        assert_eq!(write(&chain("0a-1", 2)).as_deref(), Some("0a-1;hops=2"));
        assert_eq!(write(&chain("a\r\nX: y", 2)), None);
    }

    #[test]
    fn a_chain_that_comes_back_is_known_as_long_as_a_leg_of_it_lives() {
        let chains = Arc::new(Chains::default());
        let chain = Chain { id: Arc::from("a"), hops: 1 };
        let (out, max_forwards) = chains.leave(&chain).unwrap();
        assert_eq!(max_forwards, MAX_FORWARDS);
        assert!(chains.arrive(&chain, &headers(&[])).is_none());
        let (again, _) = chains.leave(&chain).unwrap();
        drop(out);
        assert!(chains.arrive(&chain, &headers(&[])).is_none());
        drop(again);
        assert!(chains.arrive(&chain, &headers(&[])).is_some());
        assert!(chains.0.lock().is_empty());
    }

    #[test]
    fn what_is_left_of_max_forwards_goes_on() {
        let chain = Chain { id: Arc::from("a"), hops: 1 };
        for (said, expect) in [("5", Some(4)), ("1", None), ("0", None), ("200", Some(69)), ("x", Some(69))] {
            let chains = Arc::new(Chains::default());
            let _here = chains.arrive(&chain, &headers(&[("Max-Forwards", said)])).unwrap();
            assert_eq!(chains.leave(&chain).map(|(_, left)| left), expect, "{said}");
        }
    }
}
