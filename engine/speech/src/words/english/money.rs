//! Amounts of money.

use super::numerals::positive;
use crate::prompt::Money;

/// "one hundred twenty-three rubles and forty-five kopecks". A part that is zero is left out, unless all is zero.
pub(super) fn words(money: &Money) -> Option<String> {
    let currency = CURRENCIES.iter().find(|currency| currency.code == money.currency)?;
    let total = money.minor_units.unsigned_abs();
    let unit = if currency.minor.is_some() { 100 } else { 1 };
    let (major, minor) = (total / unit, total % unit);
    let mut said = Vec::new();
    if major > 0 || minor == 0 {
        said.push(with_noun(major, currency.major));
    }
    if let Some(forms) = currency.minor.filter(|_| minor > 0) {
        said.push(with_noun(minor, forms));
    }
    let minus = if money.minor_units < 0 { "minus " } else { "" };
    Some(format!("{minus}{}", said.join(" and ")))
}

pub(super) fn codes() -> Vec<&'static str> {
    CURRENCIES.iter().map(|currency| currency.code).collect()
}

fn with_noun(n: u64, [one, other]: [&str; 2]) -> String {
    format!("{} {}", positive(n), if n == 1 { one } else { other })
}

struct Currency {
    code: &'static str,
    major: [&'static str; 2],
    /// A hundredth of it; `None` where there is none in use (ISO 4217 exponent 0).
    minor: Option<[&'static str; 2]>,
}

const CURRENCIES: [Currency; 14] = [
    Currency { code: "RUB", major: ["ruble", "rubles"], minor: Some(["kopeck", "kopecks"]) },
    Currency { code: "USD", major: ["dollar", "dollars"], minor: Some(["cent", "cents"]) },
    Currency { code: "EUR", major: ["euro", "euros"], minor: Some(["cent", "cents"]) },
    Currency { code: "CNY", major: ["yuan", "yuan"], minor: Some(["fen", "fen"]) },
    Currency { code: "GBP", major: ["pound", "pounds"], minor: Some(["penny", "pence"]) },
    Currency { code: "JPY", major: ["yen", "yen"], minor: None },
    Currency { code: "KRW", major: ["won", "won"], minor: None },
    Currency { code: "CHF", major: ["Swiss franc", "Swiss francs"], minor: Some(["centime", "centimes"]) },
    Currency { code: "BYN", major: ["Belarusian ruble", "Belarusian rubles"], minor: Some(["kopeck", "kopecks"]) },
    Currency { code: "KZT", major: ["tenge", "tenge"], minor: Some(["tiyn", "tiyn"]) },
    Currency { code: "KGS", major: ["som", "som"], minor: Some(["tyiyn", "tyiyn"]) },
    Currency { code: "UZS", major: ["sum", "sum"], minor: Some(["tiyin", "tiyin"]) },
    Currency { code: "TJS", major: ["somoni", "somoni"], minor: Some(["diram", "dirams"]) },
    Currency { code: "AMD", major: ["dram", "drams"], minor: Some(["luma", "luma"]) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (minor_units, currency, expect) in [
            (12_345, "RUB", "one hundred twenty-three rubles and forty-five kopecks"),
            (101, "GBP", "one pound and one penny"),
            (200, "USD", "two dollars"),
            (-5, "EUR", "minus five cents"),
            (0, "CNY", "zero yuan"),
            (1_500, "JPY", "one thousand five hundred yen"),
        ] {
            assert_eq!(words(&Money { minor_units, currency: currency.into() }).unwrap(), expect);
        }
        assert_eq!(words(&Money { minor_units: 1, currency: "ZZZ".into() }), None);
    }
}
