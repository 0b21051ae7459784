//! DTMF digits and sets of them.

use std::fmt;

/// One DTMF digit: `0`–`9`, `*`, `#`, `A`–`D`, kept as its RFC 4733 event code.
///
/// A digit may be part of a PIN or a passport number, so its `Debug` form is masked. [`Digit::as_char`] tells it to
/// whoever is entitled to know.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

const SYMBOLS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

impl Digit {
    /// The digit for a key's character; letters in either case.
    #[must_use]
    pub fn from_char(symbol: char) -> Option<Self> {
        let symbol = symbol.to_ascii_uppercase();
        SYMBOLS.iter().position(|known| *known == symbol).and_then(|at| u8::try_from(at).ok()).map(Self)
    }

    /// The digit for an RFC 4733 event code (section 3.2, codes 0 to 15).
    #[must_use]
    pub const fn from_event(code: u8) -> Option<Self> {
        if code < 16 { Some(Self(code)) } else { None }
    }

    /// The RFC 4733 event code.
    #[must_use]
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key's character.
    #[must_use]
    pub fn as_char(self) -> char {
        SYMBOLS[usize::from(self.0 & 15)]
    }

    /// All sixteen digits, in the order of their event codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..16).map(Self)
    }

    /// The low and the high frequency of the key's tone in hertz (ITU-T Q.23).
    #[must_use]
    pub fn frequencies_hz(self) -> (f32, f32) {
        const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
        const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
        let (row, column) = match self.as_char() {
            '1' => (0, 0),
            '2' => (0, 1),
            '3' => (0, 2),
            'A' => (0, 3),
            '4' => (1, 0),
            '5' => (1, 1),
            '6' => (1, 2),
            'B' => (1, 3),
            '7' => (2, 0),
            '8' => (2, 1),
            '9' => (2, 2),
            'C' => (2, 3),
            '*' => (3, 0),
            '0' => (3, 1),
            '#' => (3, 2),
            _ => (3, 3),
        };
        (ROWS[row], COLUMNS[column])
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit(•)")
    }
}

/// A set of digits, for barge-in and for the keys that end a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeySet(u16);

impl KeySet {
    /// No key.
    pub const NONE: Self = Self(0);
    /// Every key.
    pub const ALL: Self = Self(u16::MAX);

    /// The set of the keys in a text such as `"#*0"`. `None` if a character is no key.
    #[must_use]
    pub fn from_keys(keys: &str) -> Option<Self> {
        keys.chars().map(Digit::from_char).try_fold(Self::NONE, |set, digit| Some(set.with(digit?)))
    }

    /// This set and one more digit.
    #[must_use]
    pub const fn with(self, digit: Digit) -> Self {
        Self(self.0 | 1 << digit.event())
    }

    /// Whether the digit is in the set.
    #[must_use]
    pub const fn contains(self, digit: Digit) -> bool {
        self.0 & (1 << digit.event()) != 0
    }

    /// Whether no key is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_survives_the_round_trip_through_its_character() {
        for digit in Digit::all() {
            assert_eq!(Digit::from_char(digit.as_char()), Some(digit));
            assert_eq!(Digit::from_event(digit.event()), Some(digit));
        }
        assert_eq!(Digit::from_char('a'), Digit::from_char('A'));
        assert_eq!(Digit::from_char('x'), None);
        assert_eq!(Digit::from_event(16), None);
    }

    #[test]
    fn debug_tells_nothing() {
        for digit in Digit::all() {
            assert_eq!(format!("{digit:?}"), "Digit(•)");
        }
    }

    #[test]
    fn key_sets() {
        let keys = KeySet::from_keys("#*").unwrap();
        assert!(keys.contains(Digit::from_char('#').unwrap()));
        assert!(!keys.contains(Digit::from_char('1').unwrap()));
        assert_eq!(KeySet::from_keys("1x"), None);
        assert!(KeySet::from_keys("").unwrap().is_empty());
        assert!(Digit::all().all(|digit| KeySet::ALL.contains(digit)));
    }
}
