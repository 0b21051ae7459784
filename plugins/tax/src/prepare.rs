//! Before dialling: whether there is anything to remind of, and whether it can be told to the right person alone.

use crate::debt::Debt;
use gudok_sdk::prelude::*;

/// On the day that a reminder may begin, people are called from nine.
const MORNING: TimeOfDay = TimeOfDay { hour: 9, minute: 0 };
const SECRET_DIGITS: usize = 4;

/// What only the contact knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    BirthYear(String),
    /// The last digits of the taxpayer's number.
    InnTail(String),
}

impl Identity {
    /// The year of birth where there is one: everybody knows it by heart.
    pub(crate) fn of(contact: &Contact) -> Option<Self> {
        let digits = |name: &str| {
            let digits = contact.field(name)?;
            let fits = digits.len() == SECRET_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| digits.to_owned())
        };
        digits("birth_year").map(Self::BirthYear).or_else(|| digits("inn_tail").map(Self::InnTail))
    }

    pub(crate) fn fits(&self, entered: &str) -> bool {
        let (Self::BirthYear(expected) | Self::InnTail(expected)) = self;
        expected == entered
    }
}

/// Dial, not now, or never.
pub(crate) fn plan(contact: &Contact, now: &Datetime) -> Plan {
    let Some(debt) = Debt::of(contact) else {
        return Plan::skip("the column debt has no amount, or the column due has no day");
    };
    if debt.kopecks == 0 {
        return Plan::skip("no debt");
    }
    if Identity::of(contact).is_none() {
        return Plan::skip(
            "neither the column birth_year nor inn_tail has four digits: who listens could not be checked",
        );
    }
    match contact.date("remind_from") {
        None if contact.field("remind_from").is_some() => Plan::skip("the column remind_from has no day"),
        Some(from) if now.date.days_until(from) > 0 => Plan::NotBefore(Datetime { date: from, time: MORNING, ..*now }),
        _ => Plan::Dial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gudok_sdk::bindings::gudok::ivr::types::Field;

    const GOOD: [(&str, &str); 3] = [("debt", "1234,56"), ("due", "2026-12-01"), ("birth_year", "1961")];

    fn contact(fields: &[(&str, &str)]) -> Contact {
        let field = |(name, value): &(&str, &str)| Field { name: (*name).to_owned(), value: (*value).to_owned() };
        Contact {
            id: "17".to_owned(),
            number: "+79130000000".to_owned(),
            attempt: 1,
            attributes: fields.iter().map(field).collect(),
        }
    }

    fn now() -> Datetime {
        Datetime {
            date: Date { year: 2026, month: 11, day: 26 },
            time: TimeOfDay { hour: 18, minute: 40 },
            utc_offset_minutes: 420,
        }
    }

    /// The plan for the good row with some columns changed.
    fn planned(change: &[(&str, &str)]) -> Plan {
        let kept = GOOD.iter().filter(|(name, _)| change.iter().all(|(changed, _)| changed != name));
        plan(&contact(&kept.chain(change).copied().collect::<Vec<_>>()), &now())
    }

    #[test]
    fn only_who_owes_something_is_called() {
        assert_eq!(planned(&[]), Plan::Dial);
        assert_eq!(planned(&[("debt", "0")]), Plan::skip("no debt"));
        assert_eq!(planned(&[("debt", "0,00")]), Plan::skip("no debt"));
        for bad in [("debt", ""), ("debt", "много"), ("due", ""), ("due", "скоро")] {
            assert!(matches!(planned(&[bad]), Plan::Skip(why) if why.contains(bad.0)), "{bad:?}");
        }
    }

    #[test]
    fn nobody_is_called_whose_identity_cannot_be_checked() {
        for unknown in ["", "61", "19 61", "год"] {
            assert!(matches!(planned(&[("birth_year", unknown)]), Plan::Skip(_)), "{unknown}");
        }
        assert_eq!(planned(&[("birth_year", ""), ("inn_tail", "0042")]), Plan::Dial);
        let both = contact(&[("birth_year", "1961"), ("inn_tail", "0042")]);
        assert!(Identity::of(&both).is_some_and(|identity| identity.fits("1961") && !identity.fits("0042")));
    }

    #[test]
    fn a_reminder_may_be_put_off() {
        let morning =
            Datetime { date: Date { year: 2026, month: 11, day: 28 }, time: MORNING, utc_offset_minutes: 420 };
        assert_eq!(planned(&[("remind_from", "28.11.2026")]), Plan::NotBefore(morning));
        assert_eq!(planned(&[("remind_from", "26.11.2026")]), Plan::Dial);
        assert_eq!(planned(&[("remind_from", "2026-01-01")]), Plan::Dial);
        assert!(matches!(planned(&[("remind_from", "завтра")]), Plan::Skip(_)));
    }
}
