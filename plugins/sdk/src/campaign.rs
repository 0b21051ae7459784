//! Campaigns: the script is told whom the centre calls, before dialling and on the call.

use crate::bindings::gudok::ivr::types::{Date, Money};
pub use crate::campaign_bindings::exports::gudok::ivr::campaign::{Contact, Disposition, Plan};
use crate::{AnsweredBy, Call};

/// What the list has of a contact, by its columns. A column that is empty for somebody is not there for them.
///
/// ```
/// # use gudok_sdk::prelude::*;
/// fn prepare(contact: &Contact) -> Plan {
///     match contact.money("debt") {
///         Some(debt) if debt.minor_units > 0 => Plan::Dial,
///         Some(_) => Plan::skip("no debt"),
///         None => Plan::skip("the column debt has no amount"),
///     }
/// }
/// ```
impl Contact {
    /// A column's text, without spaces around it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.attributes.iter().find(|field| field.name == name)?;
        Some(field.value.trim()).filter(|value| !value.is_empty())
    }

    /// A column's whole number: "12", "1 200".
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<i64> {
        whole(self.field(name)?)
    }

    /// A column's amount in rubles: "1234", "1234.5", "1 234,56".
    #[must_use]
    pub fn money(&self, name: &str) -> Option<Money> {
        kopecks(self.field(name)?).map(Money::kopecks)
    }

    /// A column's day: "2026-12-01" or "01.12.2026".
    #[must_use]
    pub fn date(&self, name: &str) -> Option<Date> {
        day(self.field(name)?)
    }
}

impl Plan {
    /// Never; says why, in a few words without anything personal.
    #[must_use]
    pub fn skip(why: &str) -> Self {
        Self::Skip(why.to_owned())
    }
}

impl Disposition {
    /// Informed and confirmed, in a few words without anything personal: "understood".
    #[must_use]
    pub fn confirmed(words: &str) -> Self {
        Self::Confirmed(words.to_owned())
    }

    /// Not informed, and why: "identity not checked".
    #[must_use]
    pub fn failed(words: &str) -> Self {
        Self::Failed(words.to_owned())
    }
}

impl Call {
    /// The call was taken by an answering machine, and it records now: say what may be heard by anybody, and return.
    #[must_use]
    pub fn is_on_machine(&self) -> bool {
        self.info().answered_by == AnsweredBy::Machine
    }
}

/// Lists write thousands apart with spaces, some of which do not break.
fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn whole(text: &str) -> Option<i64> {
    let text = without_spaces(text);
    let digits = text.strip_prefix('-').unwrap_or(&text);
    // `parse` would take a plus too.
    digits.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok())?
}

fn kopecks(text: &str) -> Option<i64> {
    let text = without_spaces(text);
    let (rubles, fraction) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if rubles.is_empty() || !digits(rubles) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let rubles: i64 = rubles.parse().ok()?;
    let kopecks: i64 = format!("{fraction:0<2}").parse().ok()?;
    rubles.checked_mul(100)?.checked_add(kopecks)
}

fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year), None) => Date::parse(&format!("{year}-{month}-{day}")),
        _ => Date::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::gudok::ivr::types::Field;

    fn contact(fields: &[(&str, &str)]) -> Contact {
        let field = |(name, value): &(&str, &str)| Field { name: (*name).to_owned(), value: (*value).to_owned() };
        Contact {
            id: "1".to_owned(),
            number: "+79130000000".to_owned(),
            attempt: 1,
            attributes: fields.iter().map(field).collect(),
        }
    }

    #[test]
    fn a_column_that_is_empty_is_not_there() {
        let contact = contact(&[("name", " Анна "), ("debt", "  ")]);
        assert_eq!(contact.field("name"), Some("Анна"));
        assert_eq!((contact.field("debt"), contact.field("due")), (None, None));
    }

    #[test]
    fn amounts_are_read_as_lists_write_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0,00", Some(0)),
            ("1234", Some(123_400)),
            ("1234.5", Some(123_450)),
            ("1 234,56", Some(123_456)),
            ("1\u{a0}234\u{202f}567,08", Some(123_456_708)),
            ("1234.567", None),
            ("-5", None),
            ("+5", None),
            ("1,234.56", None),
            (",5", None),
            ("пять", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(kopecks(text), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_digits() {
        for (text, expected) in
            [("12", Some(12)), ("1 200", Some(1_200)), ("-3", Some(-3)), ("+3", None), ("1.5", None), ("-", None)]
        {
            assert_eq!(whole(text), expected, "{text}");
        }
    }

    #[test]
    fn days_are_read_in_both_ways() {
        let first = Date { year: 2026, month: 12, day: 1 };
        assert_eq!((day("2026-12-01"), day("01.12.2026")), (Some(first), Some(first)));
        for bad in ["1.12.2026", "31.11.2026", "01.12.26", "12/01/2026", "01.12", "01.12.2026.1"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
