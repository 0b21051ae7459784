//! What is owed and by when, in words.

use gudok_sdk::prelude::*;

const DAY: Noun = Noun::new("день", "дня", "дней", "дня", Gender::Masculine);
const DAY_EN: Noun = Noun::plain("day", "days");

/// A contact's debt.
#[derive(Clone, Debug)]
pub(crate) struct Debt {
    pub(crate) kopecks: i64,
    /// The last day to pay.
    due: Date,
    /// Which tax, in the nominative.
    tax: Option<String>,
}

impl Debt {
    /// As the list has it; none where the list does not make sense.
    pub(crate) fn of(contact: &Contact) -> Option<Self> {
        let (amount, due) = (contact.money("debt")?, contact.date("due")?);
        Some(Self { kopecks: amount.minor_units, due, tax: contact.field("tax").map(str::to_owned) })
    }

    /// For the ear of the one who owes it, and kept nowhere.
    pub(crate) fn words(&self, call: &Call, today: Date) -> Prompt {
        let amount = money(Money::kopecks(self.kopecks));
        let tax = self
            .tax
            .as_ref()
            .map(|tax| words!(call, "ru" => ["Вид платежа:", tax, "."], "en" => ["The payment is for:", tax, "."]));
        words!(call,
            "ru" => ["Сумма вашей задолженности:", amount.clone(), "."],
            "en" => ["You owe", amount.clone(), "."],
        )
        .with(tax)
        .with(self.term(call, today))
        .with(words!(call,
            "ru" => ["Если вы уже заплатили, ничего делать не нужно."],
            "en" => ["If you have paid already, there is nothing to do."],
        ))
        .private()
    }

    fn term(&self, call: &Call, today: Date) -> Prompt {
        let last = || date(self.due).case(Case::Genitive);
        match today.days_until(self.due) {
            0 => words!(call,
                "ru" => ["Пожалуйста, заплатите сегодня: это последний день."],
                "en" => ["Please pay today: it is the last day."],
            ),
            left @ 1.. => words!(call,
                "ru" => ["Пожалуйста, заплатите не позднее", last(), ".", left_verb(left), counted(left, DAY), "."],
                "en" => ["Please pay by", date(self.due), ". That leaves", counted(left, DAY_EN), "."],
            ),
            late => words!(call,
                "ru" => ["Срок уплаты прошёл", counted(-late, DAY), "назад. Пожалуйста, заплатите как можно скорее."],
                "en" => ["The payment was due", counted(-late, DAY_EN), "ago. Please pay as soon as you can."],
            ),
        }
    }
}

/// "Остался один день", "осталось два дня", "остался двадцать один день".
const fn left_verb(days: i64) -> &'static str {
    if days % 10 == 1 && days % 100 != 11 { "Остался" } else { "Осталось" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_agrees_with_its_number() {
        for one in [1, 21, 31, 101, 121] {
            assert_eq!(left_verb(one), "Остался", "{one}");
        }
        for other in [2, 5, 10, 11, 12, 20, 22, 111, 211] {
            assert_eq!(left_verb(other), "Осталось", "{other}");
        }
    }
}
