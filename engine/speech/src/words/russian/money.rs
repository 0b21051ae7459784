//! Amounts of money.

use super::{Triple, cardinal::MINUS, with_noun};
use crate::prompt::{Gender, Money};

/// "сто двадцать три рубля сорок пять копеек". A part that is zero is left out, unless all is zero.
pub(super) fn words(money: &Money) -> Option<String> {
    let currency = CURRENCIES.iter().find(|currency| currency.code == money.currency)?;
    let total = money.minor_units.unsigned_abs();
    let unit = if currency.minor.is_some() { 100 } else { 1 };
    let (major, minor) = (total / unit, total % unit);
    let mut said = Vec::new();
    if money.minor_units < 0 {
        said.push(MINUS.to_owned());
    }
    if major > 0 || minor == 0 {
        said.push(with_noun(major, currency.gender, currency.major));
    }
    if let Some((gender, forms)) = currency.minor.filter(|_| minor > 0) {
        said.push(with_noun(minor, gender, forms));
    }
    Some(said.join(" "))
}

pub(super) fn codes() -> Vec<&'static str> {
    CURRENCIES.iter().map(|currency| currency.code).collect()
}

struct Currency {
    code: &'static str,
    gender: Gender,
    major: Triple,
    /// A hundredth of it; `None` where there is none in use (ISO 4217 exponent 0).
    minor: Option<(Gender, Triple)>,
}

const KOPECK: (Gender, Triple) = (Gender::Feminine, ["копейка", "копейки", "копеек"]);
const CENT: (Gender, Triple) = (Gender::Masculine, ["цент", "цента", "центов"]);

const CURRENCIES: [Currency; 14] = [
    Currency {
        code: "RUB", gender: Gender::Masculine, major: ["рубль", "рубля", "рублей"], minor: Some(KOPECK)
    },
    Currency {
        code: "USD", gender: Gender::Masculine, major: ["доллар", "доллара", "долларов"], minor: Some(CENT)
    },
    Currency { code: "EUR", gender: Gender::Masculine, major: ["евро", "евро", "евро"], minor: Some(CENT) },
    Currency {
        code: "CNY",
        gender: Gender::Masculine,
        major: ["юань", "юаня", "юаней"],
        minor: Some((Gender::Masculine, ["фэнь", "фэня", "фэней"])),
    },
    Currency {
        code: "GBP",
        gender: Gender::Masculine,
        major: ["фунт стерлингов", "фунта стерлингов", "фунтов стерлингов"],
        minor: Some((Gender::Masculine, ["пенс", "пенса", "пенсов"])),
    },
    Currency { code: "JPY", gender: Gender::Feminine, major: ["иена", "иены", "иен"], minor: None },
    Currency { code: "KRW", gender: Gender::Feminine, major: ["вона", "воны", "вон"], minor: None },
    Currency {
        code: "CHF",
        gender: Gender::Masculine,
        major: ["швейцарский франк", "швейцарских франка", "швейцарских франков"],
        minor: Some((Gender::Masculine, ["раппен", "раппена", "раппенов"])),
    },
    Currency {
        code: "BYN",
        gender: Gender::Masculine,
        major: ["белорусский рубль", "белорусских рубля", "белорусских рублей"],
        minor: Some(KOPECK),
    },
    Currency {
        code: "KZT",
        gender: Gender::Neuter,
        major: ["тенге", "тенге", "тенге"],
        minor: Some((Gender::Masculine, ["тиын", "тиына", "тиынов"])),
    },
    Currency {
        code: "KGS",
        gender: Gender::Masculine,
        major: ["сом", "сома", "сомов"],
        minor: Some((Gender::Masculine, ["тыйын", "тыйына", "тыйынов"])),
    },
    Currency {
        code: "UZS",
        gender: Gender::Masculine,
        major: ["сум", "сума", "сумов"],
        minor: Some((Gender::Masculine, ["тийин", "тийина", "тийинов"])),
    },
    Currency {
        code: "TJS",
        gender: Gender::Masculine,
        major: ["сомони", "сомони", "сомони"],
        minor: Some((Gender::Masculine, ["дирам", "дирама", "дирамов"])),
    },
    Currency {
        code: "AMD",
        gender: Gender::Masculine,
        major: ["драм", "драма", "драмов"],
        minor: Some((Gender::Feminine, ["лума", "лумы", "лум"])),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (minor_units, currency, expect) in [
            (12_345, "RUB", "сто двадцать три рубля сорок пять копеек"),
            (100, "RUB", "один рубль"),
            (200, "RUB", "два рубля"),
            (500, "RUB", "пять рублей"),
            (1_101, "RUB", "одиннадцать рублей одна копейка"),
            (2_102, "RUB", "двадцать один рубль две копейки"),
            (11_200, "RUB", "сто двенадцать рублей"),
            (100_000, "RUB", "одна тысяча рублей"),
            (100_000_000, "RUB", "один миллион рублей"),
            (0, "RUB", "ноль рублей"),
            (5, "RUB", "пять копеек"),
            (-5, "RUB", "минус пять копеек"),
            (-12_300, "RUB", "минус сто двадцать три рубля"),
            (101, "USD", "один доллар один цент"),
            (2_200, "EUR", "двадцать два евро"),
            (150, "CNY", "один юань пятьдесят фэней"),
            (21, "JPY", "двадцать одна иена"),
            (2_100, "BYN", "двадцать один белорусский рубль"),
            (100, "KZT", "одно тенге"),
        ] {
            let money = Money { minor_units, currency: currency.into() };
            assert_eq!(words(&money).unwrap(), expect, "{minor_units} {currency}");
        }
        assert_eq!(words(&Money { minor_units: 1, currency: "ZZZ".into() }), None);
        let most = words(&Money { minor_units: i64::MIN, currency: "RUB".into() }).unwrap();
        assert!(most.starts_with("минус девяносто два квадриллиона") && most.ends_with("восемь копеек"), "{most}");
    }
}
