//! Which callers the canary takes.

use std::fmt;

const ALL_PERMILLE: u16 = 1_000;

/// A share of callers, in thousandths; never nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Everybody.
    pub const ALL: Self = Self(ALL_PERMILLE);

    /// From 1 to 100 hundredths.
    #[must_use]
    pub const fn from_percent(percent: u8) -> Option<Self> {
        Self::from_permille(percent as u16 * 10)
    }

    /// From 1 to 1000 thousandths.
    #[must_use]
    pub const fn from_permille(permille: u16) -> Option<Self> {
        if permille >= 1 && permille <= ALL_PERMILLE { Some(Self(permille)) } else { None }
    }

    /// In thousandths.
    #[must_use]
    pub const fn permille(self) -> u16 {
        self.0
    }

    /// In hundredths, rounded up: what has callers is never shown as nothing.
    #[must_use]
    pub fn percent(self) -> u8 {
        u8::try_from(self.0.div_ceil(10)).unwrap_or(100)
    }

    /// Whether it is everybody.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.0 == ALL_PERMILLE
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ‰", self.0)
    }
}

/// Whether a caller is the canary's. `sticky` is the same for the same caller at the same entry; who is taken at one share
/// is taken at every larger one, so raising the share moves nobody back.
#[must_use]
pub fn takes_canary(sticky: u64, share: Share) -> bool {
    let place = (u128::from(spread(sticky)) * u128::from(ALL_PERMILLE)) >> 64;
    place < u128::from(share.0)
}

/// Even numbers that differ in their last digits only are spread over the whole range (the finalizer of splitmix64).
const fn spread(sticky: u64) -> u64 {
    let mixed = (sticky ^ (sticky >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
