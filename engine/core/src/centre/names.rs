//! Ids that the centre gives, drawn from its seed.

use crate::ids::{CallId, CallbackId};

/// `SplitMix64`, twice: ids need to be different, not secret.
#[derive(Clone, Debug)]
pub(super) struct Names {
    high: u64,
    low: u64,
}

impl Names {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    pub(super) const fn new(seed: u128) -> Self {
        Self { high: (seed >> 64) as u64, low: seed as u64 }
    }

    pub(super) fn call(&mut self) -> CallId {
        CallId::from_random(self.draw())
    }

    pub(super) fn callback(&mut self) -> CallbackId {
        const SHOWN_BITS: u32 = 64;
        CallbackId::new(&format!("{:016x}", self.draw() >> SHOWN_BITS))
    }

    fn draw(&mut self) -> u128 {
        u128::from(mix(&mut self.high)) << 64 | u128::from(mix(&mut self.low))
    }
}

const fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
