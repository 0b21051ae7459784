//! How the rows of campaigns are named.
use super::super::keys::{self, pull, push};
use crate::limits::NAME_BYTES_MAX;
use crate::{AgencyId, NumberKey, OptOutScope, StoreError};

/// Every table of this module, for backups.
pub(in super::super) const TAGS: [u8; 7] =
    [keys::CAMPAIGN, keys::CONTACT, keys::STAND, keys::NUMBER, keys::ATTEMPT, keys::END, keys::OPT_OUT];

/// A contact's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Place {
    pub(in super::super) campaign: String,
    pub(in super::super) no: u32,
}

/// Refuses a campaign's name that cannot be used.
pub(in super::super) fn check_campaign(name: &str) -> Result<(), StoreError> {
    crate::names::check_name("campaign", name, NAME_BYTES_MAX)
}

/// Where a campaign's rows of one table begin.
pub(super) fn of_campaign(tag: u8, campaign: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(campaign.len() + 20);
    key.push(tag);
    push(&mut key, campaign);
    key
}

/// A contact's row in one table.
pub(super) fn of_contact(tag: u8, campaign: &str, no: u32) -> Vec<u8> {
    let mut key = of_campaign(tag, campaign);
    key.extend_from_slice(&no.to_be_bytes());
    key
}

pub(super) fn number(campaign: &str, number: NumberKey) -> Vec<u8> {
    let mut key = of_campaign(keys::NUMBER, campaign);
    key.extend_from_slice(&number.0.to_be_bytes());
    key
}

/// An attempt's row; 0 stands for the end without one.
pub(super) fn attempt(campaign: &str, no: u32, nth: u16) -> Vec<u8> {
    let mut key = of_contact(keys::ATTEMPT, campaign, no);
    key.extend_from_slice(&nth.to_be_bytes());
    key
}

pub(super) fn end(campaign: &str, seq: u64) -> Vec<u8> {
    let mut key = of_campaign(keys::END, campaign);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// The campaign of a row, and what is behind it.
pub(super) fn read_campaign(key: &[u8]) -> Option<(&str, &[u8])> {
    let mut rest = key.get(1..)?;
    let campaign = pull(&mut rest)?;
    Some((campaign, rest))
}

/// Campaign and place of a contact's row.
pub(super) fn read_contact(key: &[u8]) -> Option<(&str, u32)> {
    let (campaign, rest) = read_campaign(key)?;
    Some((campaign, u32::from_be_bytes(rest.try_into().ok()?)))
}

/// Campaign, place and number of an attempt's row.
pub(super) fn read_attempt(key: &[u8]) -> Option<(&str, u32, u16)> {
    let (campaign, rest) = read_campaign(key)?;
    let (no, nth) = rest.split_first_chunk::<4>()?;
    Some((campaign, u32::from_be_bytes(*no), u16::from_be_bytes(nth.try_into().ok()?)))
}

/// The number of an end's row.
pub(super) fn read_end(key: &[u8]) -> Option<u64> {
    let (_, rest) = read_campaign(key)?;
    rest.try_into().ok().map(u64::from_be_bytes)
}

/// Where a number's opt-outs begin.
pub(super) fn opt_outs_of(number: NumberKey) -> Vec<u8> {
    keys::tagged(keys::OPT_OUT, &number.0.to_be_bytes())
}

pub(super) fn opt_out(number: NumberKey, scope: &OptOutScope) -> Vec<u8> {
    let mut key = opt_outs_of(number);
    if let OptOutScope::Agency(agency) = scope {
        push(&mut key, agency.as_str());
    }
    key
}

pub(super) fn read_opt_out(key: &[u8]) -> Option<(NumberKey, OptOutScope)> {
    let (number, mut rest) = key.get(1..)?.split_first_chunk::<16>()?;
    let number = NumberKey(u128::from_be_bytes(*number));
    if rest.is_empty() {
        return Some((number, OptOutScope::Global));
    }
    let agency = AgencyId::new(pull(&mut rest)?).ok()?;
    rest.is_empty().then_some((number, OptOutScope::Agency(agency)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_do_not_reach_into_each_other() {
        let names = ["a", "ab", "\u{1}a", "я", "a\0"];
        let mut seen = std::collections::HashSet::new();
        for name in names {
            for no in [0, 1, u32::MAX] {
                let row = of_contact(keys::STAND, name, no);
                assert_eq!(read_contact(&row), Some((name, no)));
                let attempt = attempt(name, no, 7);
                assert_eq!(read_attempt(&attempt), Some((name, no, 7)));
                assert!(seen.insert(row) && seen.insert(attempt));
            }
            assert_eq!(read_end(&end(name, 9)), Some(9));
            let inside = seen.iter().filter(|row| row.starts_with(&of_campaign(keys::STAND, name)));
            assert_eq!(inside.count(), 3, "{name:?}");
        }
    }

    #[test]
    fn opt_outs_are_read_back_and_torn_ones_are_not() {
        let key = NumberKey(7);
        for scope in [OptOutScope::Global, OptOutScope::Agency(AgencyId::new("mfc").unwrap())] {
            let row = opt_out(key, &scope);
            assert!(row.starts_with(&opt_outs_of(key)));
            assert_eq!(read_opt_out(&row), Some((key, scope)));
            assert!(read_opt_out(&row[..16]).is_none());
        }
        assert!(read_opt_out(&[&opt_outs_of(key)[..], b"\x05mfc"].concat()).is_none());
    }
}
