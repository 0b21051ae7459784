//! Numbers of a world: counted, and hidden behind keys that look like nothing, as the host's do.

use gudok_core::campaign::NumberKey;

/// A telephone number of the world: the how-manieth it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Number(pub(crate) u32);

/// Odd, so that it can be undone: whoever holds a key finds the number without a table of a million rows.
const FACTOR: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

const fn inverse(of: u128) -> u128 {
    // Newton's: each round doubles the bits that are right, and an odd number is its own inverse in three.
    let (mut inverse, mut round) = (of, 0);
    while round < 6 {
        inverse = inverse.wrapping_mul(2u128.wrapping_sub(of.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

pub(crate) const fn key(number: Number) -> NumberKey {
    NumberKey((number.0 as u128 + 1).wrapping_mul(FACTOR).rotate_left(64))
}

#[expect(clippy::cast_possible_truncation, reason = "only keys that were made here are undone")]
pub(crate) const fn number(key: NumberKey) -> Number {
    Number((key.0.rotate_left(64).wrapping_mul(inverse(FACTOR)) - 1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back() {
        for one in [0, 1, 2, 999_999, u32::MAX - 1] {
            assert_eq!(number(key(Number(one))), Number(one));
        }
    }
}
