//! Keys to answers: one attempt at a question, by the rules of its grammar.
//!
//! [`Entry`] takes one key at a time and says whether the answer is whole. It knows no time: its owner runs the
//! first-key and inter-digit timers and says when one ran out.

use crate::input::{Choice, Collected, Grammar, Value};
use crate::privacy::Keys;
use crate::prompt::Date;
use crate::routing::NumberPlan;
use std::fmt;
use std::sync::Arc;

/// Keys in one entry, at most.
pub const ENTRY_KEYS_MAX: usize = 64;

const SNILS_LEN: usize = 11;
const INN_ORGANISATION_LEN: usize = 10;
const INN_PERSON_LEN: usize = 12;
const OMS_POLICY_LEN: usize = 16;
const POSTAL_CODE_LEN: usize = 6;
const DATE_LEN: usize = 8;
/// National numbers with every prefix, and the longest international ones.
const PHONE_LEN_MAX: usize = 18;
const MONEY_LEN_MAX: usize = 12;

/// What one more key, or the end of the time for it, led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Waiting for more.
    More,
    /// A whole answer. `attempt` is still 0: the owner counts attempts.
    Answer(Collected),
    /// A global key.
    Global(String),
    /// The grammar refuses what was entered.
    NoMatch(Keys),
    /// Nothing was entered.
    NoInput,
}

/// One attempt at a question. `Debug` shows how many keys there are.
#[derive(Clone)]
pub struct Entry {
    keys: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry(<{} keys>)", self.keys.len())
    }
}

/// What an entry is matched against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The question's grammar.
    pub grammar: &'a Grammar,
    /// Keys that leave the question.
    pub global_keys: &'a [Choice],
    /// How telephone numbers are written here.
    pub plan: &'a NumberPlan,
}

impl Entry {
    /// An empty entry.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: String::new() }
    }

    /// Whether no key has come yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes one key: 0–9, `*`, `#`, A–D.
    ///
    /// A global key that is a digit counts only as the first key, else no number with that digit could be entered;
    /// `*` and `#` count at any time unless the grammar has a use for them.
    pub fn push(&mut self, key: char, rules: Rules<'_>) -> Step {
        let usable = !rules.uses(key);
        if (self.keys.is_empty() || (!key.is_ascii_digit() && usable))
            && let Some(global) = rules.global(key)
        {
            return Step::Global(global.value.clone());
        }
        if rules.ends_entry(key) {
            return self.end(rules);
        }
        self.keys.push(key);
        if self.keys.len() >= ENTRY_KEYS_MAX {
            return self.no_match();
        }
        match rules.grammar {
            Grammar::Choices(choices) => self.push_choice(choices),
            _ => match rules.len_max() {
                Some(len) if self.keys.chars().count() >= len => self.end(rules),
                _ => Step::More,
            },
        }
    }

    /// The time for the next key is up: what there is must do.
    pub fn timeout(&mut self, rules: Rules<'_>) -> Step {
        if self.keys.is_empty() { Step::NoInput } else { self.end(rules) }
    }

    fn push_choice(&mut self, choices: &[Choice]) -> Step {
        let longer =
            choices.iter().any(|choice| choice.key.len() > self.keys.len() && choice.key.starts_with(&self.keys));
        match choices.iter().find(|choice| choice.key == self.keys) {
            Some(choice) if !longer => self.answer(Value::Text(choice.value.clone())),
            _ if longer => Step::More,
            _ => self.no_match(),
        }
    }

    fn end(&mut self, rules: Rules<'_>) -> Step {
        match meaning(&self.keys, rules) {
            Some(value) => self.answer(value),
            None if self.keys.is_empty() => Step::NoInput,
            None => self.no_match(),
        }
    }

    fn answer(&mut self, value: Value) -> Step {
        Step::Answer(Collected { value, raw: Keys::new(std::mem::take(&mut self.keys)), attempt: 0 })
    }

    fn no_match(&mut self) -> Step {
        Step::NoMatch(Keys::new(std::mem::take(&mut self.keys)))
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules<'_> {
    fn global(&self, key: char) -> Option<&Choice> {
        self.global_keys.iter().find(|choice| choice.key.chars().eq([key]))
    }

    /// Whether the grammar itself has a use for a key that is no digit.
    fn uses(&self, key: char) -> bool {
        match self.grammar {
            Grammar::Digits { terminators, .. } => terminators.contains(key),
            Grammar::Choices(choices) => choices.iter().any(|choice| choice.key.contains(key)),
            Grammar::Money => matches!(key, '*' | '#'),
            Grammar::Phone | Grammar::Inn => key == '#',
            _ => false,
        }
    }

    fn ends_entry(&self, key: char) -> bool {
        match self.grammar {
            Grammar::Digits { terminators, .. } => terminators.contains(key),
            Grammar::Money | Grammar::Phone | Grammar::Inn => key == '#',
            _ => false,
        }
    }

    /// After so many keys nothing more is waited for.
    fn len_max(&self) -> Option<usize> {
        match self.grammar {
            Grammar::Digits { max, .. } => Some(usize::from(*max)),
            Grammar::Choices(_) | Grammar::FreeSpeech(_) => None,
            Grammar::YesNo => Some(1),
            Grammar::Date => Some(DATE_LEN),
            Grammar::Money => Some(MONEY_LEN_MAX),
            Grammar::Phone => Some(PHONE_LEN_MAX),
            Grammar::Snils => Some(SNILS_LEN),
            Grammar::Inn => Some(INN_PERSON_LEN),
            Grammar::OmsPolicy => Some(OMS_POLICY_LEN),
            Grammar::PostalCode => Some(POSTAL_CODE_LEN),
        }
    }
}

fn meaning(keys: &str, rules: Rules<'_>) -> Option<Value> {
    let all_digits = !keys.is_empty() && keys.bytes().all(|key| key.is_ascii_digit());
    let text = |fits: bool| (all_digits && fits).then(|| Value::Text(keys.to_owned()));
    match rules.grammar {
        Grammar::Digits { min, .. } => text(keys.len() >= usize::from(*min)),
        Grammar::Choices(choices) => {
            choices.iter().find(|choice| choice.key == keys).map(|choice| Value::Text(choice.value.clone()))
        }
        Grammar::YesNo => match keys {
            "1" => Some(Value::Flag(true)),
            "2" => Some(Value::Flag(false)),
            _ => None,
        },
        Grammar::Date => date(keys).map(Value::Date),
        Grammar::Money => money(keys).map(|minor_units| Value::Money { minor_units, currency: Arc::from("RUB") }),
        Grammar::Phone if all_digits => rules.plan.normalise(keys).map(Value::Phone),
        Grammar::Snils => text(snils_holds(keys)),
        Grammar::Inn => text(inn_holds(keys)),
        Grammar::OmsPolicy => text(keys.len() == OMS_POLICY_LEN && luhn_holds(keys)),
        Grammar::PostalCode => text(keys.len() == POSTAL_CODE_LEN),
        Grammar::Phone | Grammar::FreeSpeech(_) => None,
    }
}

fn date(keys: &str) -> Option<Date> {
    if keys.len() != DATE_LEN || !keys.is_ascii() {
        return None;
    }
    let (day, month, year) = (keys[0..2].parse().ok()?, keys[2..4].parse().ok()?, keys[4..8].parse::<i16>().ok()?);
    jiff::civil::Date::new(year, month, day).ok()?;
    Some(Date { year: u16::try_from(year).ok()?, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? })
}

/// "1234*5" is 1234 rubles 50 kopecks, as a person would mean it; "1234*05" is five kopecks.
fn money(keys: &str) -> Option<i64> {
    let (whole, fraction) = keys.split_once('*').unwrap_or((keys, ""));
    let digits = |text: &str| text.bytes().all(|key| key.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 2 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<2}").parse().ok()? };
    whole.checked_mul(100)?.checked_add(fraction)
}

fn digits_of(keys: &str) -> Vec<u32> {
    keys.chars().filter_map(|key| key.to_digit(10)).collect()
}

/// The check number of an insurance number: the sum of its digits by place, modulo 101, with 100 counting as 0.
/// Numbers up to 001-001-998 are older than the rule.
fn snils_holds(keys: &str) -> bool {
    const WITHOUT_CHECK_MAX: u32 = 1_001_998;
    let digits = digits_of(keys);
    if digits.len() != SNILS_LEN {
        return false;
    }
    let number = digits[..9].iter().fold(0, |sum, digit| sum * 10 + digit);
    if number <= WITHOUT_CHECK_MAX {
        return true;
    }
    let sum: u32 = digits[..9].iter().zip((1..=9).rev()).map(|(digit, weight)| digit * weight).sum();
    sum % 101 % 100 == digits[9] * 10 + digits[10]
}

fn inn_holds(keys: &str) -> bool {
    let digits = digits_of(keys);
    let check = |weights: &[u32], at: usize| {
        let sum: u32 = weights.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
        sum % 11 % 10 == digits[at]
    };
    match digits.len() {
        INN_ORGANISATION_LEN => check(&[2, 4, 10, 3, 5, 9, 4, 6, 8], 9),
        INN_PERSON_LEN => check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 10) && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 11),
        _ => false,
    }
}

fn luhn_holds(keys: &str) -> bool {
    let sum: u32 = digits_of(keys)
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> NumberPlan {
        NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into(), "00".into()],
            national_len: 10,
        }
    }

    fn choice(key: &str, value: &str) -> Choice {
        Choice { key: key.into(), value: value.into(), phrases: vec![] }
    }

    /// Presses `keys`, then lets the time run out (`…` at the end), and compares with what `show` writes.
    fn check(grammar: &Grammar, global_keys: &[Choice], keys: &str, expect: &str) {
        let plan = plan();
        let rules = Rules { grammar, global_keys, plan: &plan };
        let mut entry = Entry::new();
        let mut step = Step::More;
        for key in keys.chars() {
            assert_eq!(step, Step::More, "{keys}: over before {key}");
            step = if key == '…' { entry.timeout(rules) } else { entry.push(key, rules) };
        }
        assert_eq!(show(&step), expect, "{keys}");
    }

    fn show(step: &Step) -> String {
        match step {
            Step::More => "more".into(),
            Step::NoInput => "no input".into(),
            Step::NoMatch(keys) => format!("no match {}", keys.reveal()),
            Step::Global(value) => format!("global {value}"),
            Step::Answer(collected) => match &collected.value {
                Value::Text(text) => text.clone(),
                Value::Flag(flag) => flag.to_string(),
                Value::Date(date) => format!("{}-{}-{}", date.year, date.month, date.day),
                Value::Money { minor_units, currency } => format!("{minor_units} {currency}"),
                Value::Phone(number) => number.reveal().into(),
            },
        }
    }

    #[test]
    fn digits_end_by_length_terminator_or_time() {
        let rule = Grammar::Digits { min: 2, max: 4, terminators: "#".into() };
        check(&rule, &[], "1234", "1234");
        check(&rule, &[], "123", "more");
        check(&rule, &[], "12#", "12");
        check(&rule, &[], "123…", "123");
        check(&rule, &[], "1#", "no match 1");
        check(&rule, &[], "#", "no input");
        check(&rule, &[], "…", "no input");
        check(&rule, &[], "1*2#", "no match 1*2");
    }

    #[test]
    fn the_longest_choice_is_waited_for() {
        let menu = Grammar::Choices(vec![choice("1", "one"), choice("12", "twelve"), choice("3", "three")]);
        check(&menu, &[], "3", "three");
        check(&menu, &[], "1", "more");
        check(&menu, &[], "1…", "one");
        check(&menu, &[], "12", "twelve");
        check(&menu, &[], "13", "no match 13");
        check(&menu, &[], "9", "no match 9");
    }

    #[test]
    fn global_keys_leave_but_do_not_eat_digits() {
        let globals = [choice("0", "operator"), choice("*", "back")];
        let number = Grammar::Digits { min: 3, max: 3, terminators: "#".into() };
        check(&number, &globals, "0", "global operator");
        check(&number, &globals, "100", "100");
        check(&number, &globals, "1*", "global back");
        check(&Grammar::Money, &globals, "12*50#", "1250 RUB");
        check(&Grammar::Money, &globals, "12*5#", "1250 RUB");
    }

    #[test]
    fn check_sums_are_the_hosts() {
        check(&Grammar::Snils, &[], "11223344595", "11223344595");
        check(&Grammar::Snils, &[], "11223344596", "no match 11223344596");
        check(&Grammar::Inn, &[], "7707083893#", "7707083893");
        check(&Grammar::Inn, &[], "7707083894#", "no match 7707083894");
        check(&Grammar::Inn, &[], "500100732259", "500100732259");
        check(&Grammar::Inn, &[], "500100732258", "no match 500100732258");
        check(&Grammar::OmsPolicy, &[], "4561261212345467", "4561261212345467");
        check(&Grammar::OmsPolicy, &[], "4561261212345464", "no match 4561261212345464");
        check(&Grammar::PostalCode, &[], "650000", "650000");
        check(&Grammar::PostalCode, &[], "65…", "no match 65");
    }

    #[test]
    fn dates_money_phones_and_yes_no() {
        check(&Grammar::Date, &[], "05052026", "2026-5-5");
        check(&Grammar::Date, &[], "29022026", "no match 29022026");
        check(&Grammar::Date, &[], "0505…", "no match 0505");
        check(&Grammar::YesNo, &[], "1", "true");
        check(&Grammar::YesNo, &[], "2", "false");
        check(&Grammar::YesNo, &[], "3", "no match 3");
        check(&Grammar::Phone, &[], "89131234567#", "+79131234567");
        check(&Grammar::Phone, &[], "9131234567…", "+79131234567");
        check(&Grammar::Phone, &[], "122#", "no match 122");
        check(&Grammar::Money, &[], "#", "no input");
        check(&Grammar::Money, &[], "*5#", "no match *5");
    }

    #[test]
    fn fifty_keys_and_stars_are_a_no_match_not_a_fault() {
        let endless = Grammar::Digits { min: 1, max: 255, terminators: String::new() };
        let keys = "7".repeat(ENTRY_KEYS_MAX);
        check(&endless, &[], &keys, &format!("no match {keys}"));
        check(&Grammar::Inn, &[], "#", "no input");
    }
}
