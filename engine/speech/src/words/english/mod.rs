//! English, as it is said on the telephone: American numerals without "and", the twelve-hour clock.

mod calendar;
mod letters;
mod money;
mod numerals;

use std::borrow::Cow;

use super::{Language, PluralClass, grouping, masculine};
use crate::prompt::{Counted, DateSpec, DecimalSpec, Money, NounForms, NumberSpec, TimeOfDay};

/// The grammar of English. Gender and case change nothing here.
#[derive(Debug, Clone, Copy)]
pub struct English;

impl Language for English {
    fn code(&self) -> &'static str {
        "en"
    }

    fn cardinal(&self, spec: NumberSpec) -> String {
        numerals::cardinal(spec.value)
    }

    fn ordinal(&self, spec: NumberSpec) -> String {
        numerals::ordinal(spec.value)
    }

    fn decimal(&self, spec: DecimalSpec) -> String {
        numerals::decimal(spec)
    }

    fn counted(&self, counted: &Counted) -> String {
        format!("{} {}", numerals::cardinal(counted.value), noun(&counted.noun, counted.value.unsigned_abs()))
    }

    fn money(&self, money: &Money) -> Option<String> {
        money::words(money)
    }

    fn currencies(&self) -> Vec<&str> {
        money::codes()
    }

    fn date(&self, spec: DateSpec) -> String {
        calendar::date(spec)
    }

    fn time(&self, time: TimeOfDay) -> String {
        calendar::time(time)
    }

    fn duration(&self, ms: u32) -> String {
        calendar::duration(ms)
    }

    fn symbol(&self, symbol: char) -> Option<Cow<'_, str>> {
        letters::name(symbol).map(Cow::Borrowed)
    }

    /// "nine one three", not "nine hundred thirteen": so codes and telephone numbers are read.
    fn digit_group(&self, group: &str) -> String {
        grouping::one_by_one(group, |digit| self.cardinal(masculine(digit)))
    }
}

/// English has one and other; an author who filled only the Russian classes is understood too.
fn noun(noun: &NounForms, n: u64) -> &str {
    let plural = [&noun.other, &noun.many, &noun.few].into_iter().map(|form| form.trim()).find(|form| !form.is_empty());
    if n == 1 { noun.form(PluralClass::One) } else { plural.unwrap_or(&noun.one) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{Case, DigitGrouping, DigitsSpec};

    #[test]
    fn counted_nouns() {
        let request = NounForms { one: "request".into(), other: "requests".into(), ..NounForms::default() };
        for (value, expect) in
            [(0, "zero requests"), (1, "one request"), (21, "twenty-one requests"), (-1, "minus one request")]
        {
            assert_eq!(English.counted(&Counted { value, noun: request.clone(), case: Case::Dative }), expect);
        }
    }

    #[test]
    fn digits_are_read_one_by_one_in_groups() {
        let spec = DigitsSpec { digits: "+79130001205".into(), grouping: DigitGrouping::PhoneRu };
        assert_eq!(
            super::super::digits(&English, &spec),
            "plus seven, nine one three, zero zero zero, one two, zero five"
        );
    }
}
